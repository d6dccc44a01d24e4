/*
 * store/written.h - every row that this file has a version of, alive or dead.
 */
#ifndef STORE_WRITTEN_H
#define STORE_WRITTEN_H

#include "store/batch.h"

/* Some rows, in the order that a batch wants, with table, scope and key; good for the call.  The
 * rows' versions may be written meanwhile. */
typedef int store_written_page(void *ctx, struct store_row **rows, size_t count, struct err *err);

/* All rows of a scope, page by page; a negative result of `page` ends it. */
MUST_CHECK int store_written_each(struct store_db *db, int scope, store_written_page *page,
                                  void *ctx, struct err *err);

#endif /* STORE_WRITTEN_H */

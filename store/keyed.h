/*
 * store/keyed.h - one row of a table by its key, whose columns are found by name.
 */
#ifndef STORE_KEYED_H
#define STORE_KEYED_H

#include "store/transfer.h"

/*
 * Is there a row with the key that `row` names?  1 and, appended to `out`, the text of its
 * `column` (nothing if that is NULL or no text); or 0.  ERR_INVALID if a key column isn't named, or
 * the table has no key; ERR_NOTFOUND if there is no such table.
 */
MUST_CHECK int store_keyed_get(struct store_db *db, const struct store_named_row *row,
                               const char *column, struct buf *out, struct err *err);

/* Which of the columns that `row` names differ from that row's, a bit each in their order?  1; or
 * with all bits that aren't NULL 0, if there is none.  Errors as above. */
MUST_CHECK int store_keyed_changes(struct store_db *db, const struct store_named_row *row,
                                   uint64_t *changed, struct err *err);

/* Change the columns that `row` names besides the key, where they differ; nothing if there is no
 * such row.  Errors as above, and what a trigger says. */
MUST_CHECK int store_keyed_update(struct store_db *db, const struct store_named_row *row,
                                  struct err *err);

/* Delete it: 1, or 0 if there was none; errors as above, and what a trigger says. */
MUST_CHECK int store_keyed_delete(struct store_db *db, const struct store_named_row *row,
                                  struct err *err);

#endif /* STORE_KEYED_H */

/*
 * store/leave_priv.h - cells whose column or table is about to be dropped go beside
 * the table.
 */
#ifndef STORE_LEAVE_PRIV_H
#define STORE_LEAVE_PRIV_H

#include "store/catalog.h"

/*
 * The table of `from` (the local schema) is to be tracked by `to`, which lacks some of its columns,
 * or not at all (NULL): let its rows' cells of those go to yz_extra, with their versions, and make
 * `to` the local schema.  Terms and digests stay as they are.  `rows` are moved.  Before the
 * columns are dropped, in the same MERGE transaction, with nothing of the table in yz_log.
 */
MUST_CHECK int store_leave(struct store_db *db, const struct store_schema *from,
                           const struct store_schema *to, int64_t *rows, struct err *err);

#endif /* STORE_LEAVE_PRIV_H */

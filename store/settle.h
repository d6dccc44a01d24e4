/*
 * store/settle.h - cells that waited in yz_extra for a column or table that this
 * file now has: into their table.
 */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "store/batch.h"

/*
 * If the catalogue has changed since the last call: put every row anew of which yz_extra has a cell
 * whose column is here, so that what fits its table by now moves there.  Versions and digests stay
 * as they are.  On a MERGE connection, in a transaction; *moved counts the rows tried.
 */
MUST_CHECK int store_settle(struct store_db *db, struct store_batch *b, int64_t *moved,
                            struct err *err);

/*
 * Let the table show the row as its cells say it, whatever somebody has written there that went
 * nowhere: a row that isn't live goes.  `row` as get gave it, with the cells' values; SQLite's
 * batch only.
 */
MUST_CHECK int store_settle_back(struct store_batch *b, struct store_row *row, struct err *err);

#endif /* STORE_SETTLE_H */

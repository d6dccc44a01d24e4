/*
 * sync/merge/restore.h - a row as its history says, whatever its table shows.
 *
 * For a row that somebody wrote here and that may go nowhere: the table shows
 * what nobody else has, and a person gives it up.
 */
#ifndef SYNC_RESTORE_H
#define SYNC_RESTORE_H

#include "sync/replica.h"

/*
 * Let the table show the row as it was last sealed or merged; a row that never was, or that was
 * deleted since, goes.  *is_here says whether there is a row now.  In a transaction of a
 * STORE_MERGE connection.  With nothing written: ERR_INVALID if there are later writes to the row
 * that aren't sealed yet, ERR_NOTFOUND if its values are in no segment of this file (a seed's).
 */
MUST_CHECK int sync_restore_row(struct sync_replica *r, const struct store_row *row, bool *is_here,
                                struct err *err);

/*
 * Fill the cells of many rows with the values that their versions say, in one reading of all
 * streams; `rows` are in the order of store_row_sort(), live, and as get gave them,
 * and the values live in `a`.  A row that has got back all that its term was made of is marked
 * (changed, write_row) for put, which lets its table show it; of another the cells are of no use.
 */
MUST_CHECK int sync_restore_values(struct sync_replica *r, struct store_row **rows, size_t count,
                                   struct arena *a, struct err *err);

#endif /* SYNC_RESTORE_H */

/*
 * sync/restore.h - a row as its history says, whatever its table shows.
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

#endif /* SYNC_RESTORE_H */

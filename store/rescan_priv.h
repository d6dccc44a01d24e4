/*
 * store/rescan_priv.h - log what was written to a table while its triggers were away.
 */
#ifndef STORE_RESCAN_PRIV_H
#define STORE_RESCAN_PRIV_H

#include "store/track.h"

struct store_rescan {
	const struct store_schema *schema; /* the local one */
	uint64_t mask; /* columns to log where a row isn't what its clock says; 0: don't compare */
};

/*
 * Log an insert for every row that no life in the clock stands for, and an update of the columns in
 * `mask` for every row whose values are not those of its term.  Rows that are gone are left to
 * `verify`: a table emptied by a mistake must not empty it everywhere.  In a MERGE transaction.
 */
MUST_CHECK int store_rescan(struct store_db *db, const struct store_rescan *what, struct err *err);

/* The same for the rows of `what`'s table that a batch has got; logged is raised by those logged.
 */
MUST_CHECK int store_rescan_rows(struct store_db *db, const struct store_rescan *what,
                                 struct store_track_rows *rows, struct err *err);

#endif /* STORE_RESCAN_PRIV_H */

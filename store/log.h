/*
 * store/log.h - the unsealed changes: what the triggers noted and seal has not
 * taken yet.
 *
 * yz_log(seq INTEGER PRIMARY KEY, at_ms, tv, op, mask, k1, k2, k3, k4, val)
 *   tv    number of the schema the triggers were made for
 *   op    1 insert, 2 update, 3 delete; 4: `val` was the value of max column `mask` when a row went
 *   mask  for an update the changed columns, by position in the schema
 *   k1..  the key columns, in key order
 * Values are read from the rows at seal (a later write may have changed them).
 */
#ifndef STORE_LOG_H
#define STORE_LOG_H

#include "store/base/arena.h"
#include "store/catalog.h"
#include "store/change.h"

/* All entries of one row, folded. */
struct store_log_row {
	const struct store_schema *schema;
	const uint8_t *key;
	size_t key_len;
	int64_t seq;                /* of its last entry */
	int64_t at_ms;              /* of its last entry */
	uint64_t mask;              /* columns updated */
	bool inserted;              /* an insert is among the entries */
	bool present;               /* the row is in its table now */
	struct store_value *values; /* if present: column_count values */
	size_t kept_count;          /* values that max columns had when the row went, or was
	                               replaced; a row that is there again holds no lower ones */
	struct store_cell_kept {
		unsigned column;
		struct store_value value; /* the greatest */
		struct store_value first;
		bool unchanged; /* since the last seal, when the first was kept */
	} * kept;
};

/* How many entries wait, and the at_ms of the oldest (0 if none). */
MUST_CHECK int store_log_waiting(struct store_db *db, int64_t *count, int64_t *oldest_ms,
                                 struct err *err);

/* Is one of them of a table whose changes don't wait (store/track.h)? */
MUST_CHECK int store_log_is_urgent(struct store_db *db, bool *urgent, struct err *err);

/* What one take gives. */
struct store_log_taken {
	struct store_log_row *rows; /* in the order of `seq` */
	size_t count;
	bool more; /* entries are left */
};

/*
 * Take up to `max` entries (0: all) from the start of the log: fold them by row, read the rows,
 * delete the entries.  Rows live in `a`.  Run inside a MERGE transaction, after
 * store_track_refresh().
 */
MUST_CHECK int store_log_take(struct store_db *db, size_t max, struct arena *a,
                              struct store_log_taken *out, struct err *err);

/*
 * Note a row as its triggers would, at this time: the change's schema (how the table is tracked
 * here), op, key and, for an update, mask.
 */
MUST_CHECK int store_log_note(struct store_db *db, const struct store_change *change,
                              struct err *err);

#endif /* STORE_LOG_H */

/*
 * store/track.h - turn an ordinary table into a tracked one: what it must be
 * like, and the triggers that note its changes (core SQL only, nothing newer
 * than SQLite 3.35, no function of ours).
 */
#ifndef STORE_TRACK_H
#define STORE_TRACK_H

#include "store/batch.h"

/* How a table is to be tracked; lists are comma separated column names, NULL for none. */
struct store_track_spec {
	const char *table;
	enum store_kind kind;
	const char *scope;        /* constant scope ("all", "hub", "f/F1") or prefix ("f/", "s/") of
	                             scope_column */
	const char *scope_column; /* NULL: scope is constant */
	const char *max;          /* columns merged by greater value */
	const char *hub_only;     /* columns only the hub may write */
	const char *const
	        *groups; /* NULL-terminated; each a list of columns that travel together */
	bool urgent;     /* its changes don't wait for the next meeting */
};

/*
 * Track `spec->table` in this file: checks it, registers its schema, makes (or re-makes) its
 * triggers and logs its present rows if it wasn't tracked before.  ERR_INVALID with a sentence that
 * names table and column when the table can't converge (nullable or untyped key, key collation
 * other than BINARY, UNIQUE besides the key, more than 63 columns, no key, UTF-16 file, ...) or may
 * not travel at all (store_schema_stays).
 * `is_hub` leaves out the "only the hub" triggers.  In a transaction.
 */
MUST_CHECK int store_track_table(struct store_db *db, const struct store_track_spec *spec,
                                 bool is_hub, struct err *err);

/*
 * If anybody has changed the schema since the last look: re-make the triggers of every tracked
 * table whose columns changed, and log what was written before they saw it.  Cheap if nothing
 * moved.  In a transaction.
 */
MUST_CHECK int store_track_refresh(struct store_db *db, bool is_hub, struct err *err);

/* At a node, after something of the table `root` has left or come back: the tables whose rows hang
 * on it get the triggers that guard what has left, or lose them.  In a transaction, with nothing in
 * the log. */
MUST_CHECK int store_track_guard(struct store_db *db, int root, struct err *err);

/*
 * Tell each tracked table whose changes are not captured as they should be: its triggers are not
 * the ones that its columns ask for.  `what` is a few words.  Only reads; in a transaction.  Tables
 * that were given up: store/lost.h.
 */
typedef void store_track_tell(void *ctx, const char *table, const char *what);
MUST_CHECK int store_track_look(struct store_db *db, bool is_hub, store_track_tell *tell, void *ctx,
                                struct err *err);

/* Of rows that a batch has got, in the order of store_row_sort: log those whose values are not
 * those of their term, as nobody has captured them.  Not those of event tables, which nobody
 * changes, nor columns that are only the hub's.  In a MERGE transaction. */
struct store_track_rows {
	struct store_batch *batch;
	struct store_row **list;
	size_t count;
	bool is_hub;
	int64_t logged; /* what came out */
};
MUST_CHECK int store_track_capture(struct store_db *db, struct store_track_rows *rows,
                                   struct err *err);

/* Stop tracking: triggers go, the rows stay. */
MUST_CHECK int store_track_stop(struct store_db *db, const char *table, struct err *err);

#endif /* STORE_TRACK_H */

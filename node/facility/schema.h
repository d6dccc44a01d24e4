/*
 * node/facility/schema.h - the facility's tables: their SQL, their catalogues'
 * first rows, and how each is tracked.
 *
 * A new database is made in this order, in one transaction:
 *   facility_schema_create, facility_seed, clocks of the seeds (the engine's
 *   business), facility_track.
 */
#ifndef NODE_FACILITY_SCHEMA_H
#define NODE_FACILITY_SCHEMA_H

#include "store/db.h"
#include "store/track.h"

#include <stddef.h>

/* The catalogue tables that facility_seed fills, ended by NULL; all have a column `version`. */
extern const char *const facility_seeded[];

/* How every tracked table is tracked, `facility_table_count` of them, by name. */
extern const struct store_track_spec facility_tables[];
extern const size_t facility_table_count;

/* Append the lines of comment that stand above this table in schema.sql, for `yizhan schema show`;
 * nothing if it isn't ours.  NULL: those at the file's top, how to read it. */
void facility_schema_heading(struct buf *out, const char *table);

/* Is this one of its tables, triggers or views, which the program counts on? */
bool facility_owns(const char *name);

/* Make the tables and views; nothing if they are there.  In a transaction. */
MUST_CHECK int facility_schema_create(struct store_db *db, struct err *err);

/* Has this very program made the tables and views, or brought them to what they are to it? */
MUST_CHECK int facility_schema_is_current(struct store_db *db, bool is_hub, bool *yes,
                                          struct err *err);

/* ERR_INVALID if a newer program has made these tables over: nothing here may write, or read, what
 * it doesn't know.  Writes nothing. */
MUST_CHECK int facility_schema_look(struct store_db *db, struct err *err);

/*
 * Give a database that an older program made the tables and columns that have come since, tracked
 * (`is_hub` as in store_track_table); nothing if it has them.  Views, triggers and indexes that
 * somebody has taken away come back.  ERR_INVALID, and nothing is done, if a newer one has made
 * them over (facility_schema_look).  In a transaction of its own.
 */
MUST_CHECK int facility_schema_upgrade(struct store_db *db, bool is_hub, struct err *err);

/*
 * Add the catalogue rows that aren't there.  With triggers off or before facility_track: they are
 * the same on every replica and are not sent.  In a transaction.
 */
MUST_CHECK int facility_seed(struct store_db *db, struct err *err);

/* Track every table of ours; `is_hub` as in store_track_table.  In a transaction. */
MUST_CHECK int facility_track(struct store_db *db, bool is_hub, struct err *err);

/* How `table` is to be tracked; NULL if it isn't ours or stays on this machine. */
const struct store_track_spec *facility_table(const char *table);

#endif /* NODE_FACILITY_SCHEMA_H */

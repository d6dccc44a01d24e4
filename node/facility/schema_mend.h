/*
 * node/facility/schema_mend.h - is the program's own schema in the file as this program
 * has it?
 *
 * Another program may drop a table, a view or a trigger of ours.  What the file ought to have is
 * read from a database in memory that is made like a new one, so there is no second list to keep.
 */
#ifndef NODE_FACILITY_SCHEMA_MEND_H
#define NODE_FACILITY_SCHEMA_MEND_H

#include "store/base/arena.h"
#include "store/db.h"

#include <stddef.h>

/* A table, view, trigger or index of ours that isn't there, or a view or trigger that is another.
 */
struct facility_fault {
	const char *type, *name;
	const char *table;     /* that a trigger or an index is of; else the name */
	const char *sql;       /* that makes it */
	bool is_there;         /* but says something else */
	bool is_without_table; /* a trigger or an index whose table is gone as well */
};

/*
 * In the order in which they can be made anew; they live in `a`.  None in a file that an older or
 * newer program has made so far: that is facility_schema_upgrade's business.  In a transaction.
 */
MUST_CHECK int facility_schema_faults(struct store_db *db, bool is_hub, struct arena *a,
                                      struct facility_fault **list, size_t *count, struct err *err);

/*
 * Make them as they ought to be; tables only if `tables`, tracked and with their catalogue rows,
 * else also nothing that is of a table that isn't there.  Tables come back empty but for those:
 * what their records say is sync_rift_put_right's business.  On a STORE_MERGE connection whose
 * triggers have just been looked at (store_track_refresh), in a transaction.
 */
MUST_CHECK int facility_schema_mend(struct store_db *db, bool is_hub, bool tables, struct err *err);

/* The same at each start, but for tables: cheap unless somebody has changed the schema since. */
MUST_CHECK int facility_schema_settle(struct store_db *db, bool is_hub, struct err *err);

#endif /* NODE_FACILITY_SCHEMA_MEND_H */

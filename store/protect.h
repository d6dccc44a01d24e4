/*
 * store/protect.h - what a person's SQL may not do: write the engine's own tables,
 * and take away what others count on.
 *
 * The log, the segments, who is enrolled: every one of them is bound to others by
 * hashes, and one row less is a node that never again agrees with its hub.  They
 * may be read by anybody.  A tracked table has rows of other nodes in it, and
 * changes that wait for their seal have their values nowhere else.
 */
#ifndef STORE_PROTECT_H
#define STORE_PROTECT_H

#include "store/db.h"

/*
 * From now on this connection's statements can't write, make, alter or drop a table yz_... or
 * hub_..., nor SQLite's own schema: they fail with ERR_INVALID and a sentence.  Rows of yz_verdict
 * stay writable, because people decide in it; and what our triggers log is logged.  For good:
 * there is no way back.
 */
void store_protect_engine(struct store_db *db);

/*
 * May this one statement run?  ERR_INVALID with a sentence if it drops or renames a tracked table
 * or a column of it (a schema file does that, store/alter.h), a trigger of ours, or anything that
 * `is_fixed` says the program itself uses (may be NULL).  Columns may be added.
 */
MUST_CHECK int store_protect_check(struct store_db *db, const char *sql,
                                   bool (*is_fixed)(const char *name), struct err *err);

#endif /* STORE_PROTECT_H */

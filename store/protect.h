/*
 * store/protect.h - what a person's SQL may not write: the engine's own tables.
 *
 * The log, the segments, who is enrolled: every one of them is bound to others by
 * hashes, and one row less is a node that never again agrees with its hub.  They
 * may be read by anybody.
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

#endif /* STORE_PROTECT_H */

/*
 * node/hub/hub_schema.h - the hub's own tables: never tracked, never sent.
 */
#ifndef NODE_HUB_SCHEMA_H
#define NODE_HUB_SCHEMA_H

#include "store/db.h"

/*
 * Bring the hub's tables to this version; at init and at every start of a hub.  ERR_INVALID if a
 * newer program made them.
 */
MUST_CHECK int hub_schema_migrate(struct store_db *db, struct err *err);

/*
 * Writing functions of the hub's files work alone or inside the caller's transaction: begin opens
 * one if there is none, end commits it (rolls it back if `rc` is negative) if begin opened it, and
 * returns the first failure.
 */
struct hub_work {
	struct store_db *db;
	bool own;
};
MUST_CHECK int hub_work_begin(struct hub_work *work, struct store_db *db, struct err *err);
MUST_CHECK int hub_work_end(struct hub_work *work, int rc, struct err *err);

#endif /* NODE_HUB_SCHEMA_H */

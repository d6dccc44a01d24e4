/*
 * node/engine_tables.h - the engine's own tables that travel like records.
 */
#ifndef NODE_ENGINE_TABLES_H
#define NODE_ENGINE_TABLES_H

#include "store/db.h"

/* Track those that aren't tracked yet: all of them at the making of a file, later those that its
 * program didn't know.  In a transaction, on a STORE_MERGE connection. */
MUST_CHECK int engine_tables_track(struct store_db *db, bool is_hub, struct err *err);

#endif /* NODE_ENGINE_TABLES_H */

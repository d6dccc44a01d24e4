/*
 * node/hub/snapshot_views.h - what a snapshot has beside the tables of the records: the v1_* views,
 * and what they look up of the hub's own.
 *
 * A view is there if the token reads all that it reads.  Without personal columns
 * it is without them, too (node/facility/views.h).  How far the hub knows its
 * nodes (v1_node) is a table there, because the hub's own tables aren't.  What the
 * departments have delivered (node/hub/external.h) is there for a token that reads
 * everything; tables that may be about persons only if it reads personal columns.
 * The feed doesn't speak of these tables.
 */
#ifndef NODE_HUB_SNAPSHOT_VIEWS_H
#define NODE_HUB_SNAPSHOT_VIEWS_H

#include "node/hub/extract.h"
#include "store/snapshot.h"

/* Add them, after the tables, in the same transaction of `db`. */
MUST_CHECK int snapshot_views_add(struct store_db *db, const struct token *token,
                                  struct store_snapshot *snap, struct err *err);

/*
 * What of a view, or of a department's table, this token may have as an export: 1 and the part,
 * whose texts live in `a`; or 0 if there is none of that name that it reads.  Only a token that
 * reads all facilities and all tables does: a view doesn't say whose each row is.
 */
MUST_CHECK int snapshot_views_extract(struct store_db *db, const struct token *token,
                                      const char *name, struct arena *a, struct extract *out,
                                      struct err *err);

#endif /* NODE_HUB_SNAPSHOT_VIEWS_H */

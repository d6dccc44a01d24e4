/*
 * node/hub/api_changes.h - GET /v1/changes at the hub (node/hub/feed.h).
 *
 *   since=   a cursor; empty: from the beginning     limit=   1 to 10000, default 1000
 *   scope=   only rows of this scope                 feed=    normal, the only one
 *
 *   200  NDJSON, with a Link to the next page
 *   400  a parameter is wrong          401  no valid token       403  not this token's scope
 *   410  the cursor is of another life of this feed; a Link to the snapshot to begin again from
 */
#ifndef NODE_API_CHANGES_H
#define NODE_API_CHANGES_H

#include "node/http/http.h"
#include "store/db.h"

/*
 * Fill `response` (zeroed by the caller).  `authorization` is that header's value, or NULL.
 * `db` may be a reading connection.
 */
void api_changes_get(struct store_db *db, const struct http_request *request,
                     const char *authorization, int64_t now_ms, struct http_response *response);

#endif /* NODE_API_CHANGES_H */

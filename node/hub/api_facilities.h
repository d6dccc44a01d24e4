/*
 * node/hub/api_facilities.h - GET /v1/facilities at the hub: those near a place
 * (node/hub/near.h).
 *
 *   near=     latitude,longitude in degrees       within=   kilometres, default 5, up to 100
 *   limit=    1 to 200, default 50
 *
 *   200  {"near","within_km","facilities":[..],"more"}: the nearest first, with distance_m
 *   400  a parameter is wrong     401  no valid token     403  it doesn't read facility_public
 *
 * What is answered is what everybody may know of a facility, so the token's scope
 * doesn't matter; whether it reads the table does.
 */
#ifndef NODE_API_FACILITIES_H
#define NODE_API_FACILITIES_H

#include "node/http/http.h"
#include "store/db.h"

/* Fill `response`, zeroed by the caller; `authorization` is that header's value, or NULL.  `db` may
 * be a reading connection. */
void api_facilities_get(struct store_db *db, const struct http_request *request,
                        const char *authorization, int64_t now_ms, struct http_response *response);

#endif /* NODE_API_FACILITIES_H */

/*
 * node/hub/api_records.h - POST /v1/records at the hub (node/hub/records.h).
 *
 *   200  NDJSON, an answer for each line: look at its state
 *   400  too many lines, or one too long: nothing was stored
 *   401  no valid token          403  a token that only reads
 *   503  the database failed: nothing was stored; send it again with the same keys
 */
#ifndef NODE_API_RECORDS_H
#define NODE_API_RECORDS_H

#include "node/http/http.h"
#include "node/lines.h"

/* Fill `response` (zeroed by the caller).  Negative if the database failed in a way after which
 * nothing may be acknowledged any more; the response is written then too. */
MUST_CHECK int api_records_post(struct store_db *db, const struct http_request *request,
                                const char *authorization, struct http_response *response,
                                struct lines_counts *counts, struct err *err);

#endif /* NODE_API_RECORDS_H */

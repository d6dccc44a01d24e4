/*
 * node/hub/api_enrol.h - POST /v1/enrol at the hub (its messages: node/enrol_node.h).
 *
 *   200  {"state","hub","words":{"zh","en"},"grant","id_key"}
 *   400  not such a request          403  refused, with the reason
 *
 * A request is authenticated by its own signature, made with the key that it
 * wants to enrol, over code, key, name and facility.
 */
#ifndef NODE_API_ENROL_H
#define NODE_API_ENROL_H

#include "node/http/http.h"
#include "node/hub/enrol.h"

/* Fill `response` (zeroed by the caller); failures of our own are answered too. */
void api_enrol_post(const struct enrol_hub *hub, const struct http_request *request,
                    struct http_response *response);

#endif /* NODE_API_ENROL_H */

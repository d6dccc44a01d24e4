/*
 * node/hub/bearer.h - who asks, by the token in `Authorization: Bearer`.
 */
#ifndef NODE_BEARER_H
#define NODE_BEARER_H

#include "node/http/http.h"
#include "node/hub/token.h"

/*
 * 0 and what the token of this header may do.  Else negative, and `response` is the answer: 401 if
 * there is no valid one.  `authorization` may be NULL.
 */
MUST_CHECK int bearer_check(struct store_db *db, const char *authorization, int64_t now_ms,
                            struct token *token, struct http_response *response);

#endif /* NODE_BEARER_H */

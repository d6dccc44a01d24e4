/*
 * node/hub/api_changes.h - GET /v1/changes at the hub (node/hub/feed.h): the
 * request, and the pages that answer it.  Who waits for more is kept by
 * node/hub/follow.h.
 *
 *   since=   a cursor; empty: from the beginning     limit=    1 to 10000, default 1000
 *   scope=   only rows of this scope                 timeout=  ms, of a long-poll
 *   feed=    normal (the default): what there is now
 *            longpoll: if there is nothing, the answer waits for something
 *            eventsource: server-sent events for as long as the reader stays
 *
 * Last-Event-ID: of an event stream that goes on; since= is then what it began with.
 *
 *   200  NDJSON, with a Link to the next page; or text/event-stream
 *   400  a parameter is wrong          401  no valid token       403  not this token's scope
 *   410  the cursor is of another life of this feed; a Link to the snapshot to begin again from
 *   429  this token has too many that wait                       503  the hub has
 */
#ifndef NODE_HUB_API_CHANGES_H
#define NODE_HUB_API_CHANGES_H

#include "node/http/http.h"
#include "node/hub/feed.h"

enum { CHANGES_WAIT_MS = 50000 }; /* the longest that a long-poll waits, and the default */

enum changes_feed { CHANGES_NORMAL, CHANGES_LONGPOLL, CHANGES_EVENTSOURCE };

/* What a request says; header values may be NULL. */
struct changes_request {
	const char *query, *authorization, *last_event_id;
};

/* What it asks for. */
struct changes_asked {
	char since[FEED_CURSOR + 16]; /* too long a cursor is told of by the feed */
	char scope[STORE_SCOPE_MAX + 1];
	int64_t limit, timeout_ms;
	enum changes_feed feed;
	struct token token;
};

/* Read it and its token: 0, or negative and `response` (zeroed by the caller) is the refusal. */
MUST_CHECK int api_changes_ask(struct store_db *db, const struct changes_request *request,
                               int64_t now_ms, struct changes_asked *asked,
                               struct http_response *response);

/* Fill `response` with the page that follows asked->since: 0 and where it ends, or negative and
 * `response` is the refusal.  `db` may be a reading connection. */
MUST_CHECK int api_changes_page(struct store_db *db, const struct changes_asked *asked,
                                struct http_response *response, struct feed_end *end);

/* Both, answered with what there is now. */
void api_changes_get(struct store_db *db, const struct changes_request *request, int64_t now_ms,
                     struct http_response *response);

#endif /* NODE_HUB_API_CHANGES_H */

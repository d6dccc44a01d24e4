/*
 * node/hub/watch.h - who waits at the hub for news: long-polls of GET /v1/watch.
 *
 * A node says which receipt it got last; it is answered as soon as a unit by
 * somebody else has been merged into a scope it may read since then, or with
 * 204 when WATCH_MS have passed.
 */
#ifndef NODE_WATCH_H
#define NODE_WATCH_H

#include "node/http/http.h"
#include "store/catalog.h"

enum { WATCH_MS = 50000 };

struct watch;

/* Who may read what. */
struct watch_rights {
	/* May that node read this scope?  Called with the lock held, by whoever calls in. */
	bool (*may_read)(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope);
	void *ctx;
};

/* An empty list; NULL if there is no memory. */
struct watch *watch_new(void);

/* Answer everybody with 204 and free it. */
void watch_free(struct watch *w);

/* A unit of `by` was merged into `scope` before the receipt `counter` + 1 was given: wake whom it
 * concerns. */
void watch_moved(struct watch *w, const char *scope, const uint8_t by[STORE_NODE_ID],
                 uint64_t counter, struct watch_rights rights);

/* Answer `x` at once if something moved since the receipt `since`, else keep it. */
void watch_wait(struct watch *w, struct http_exchange *x, const uint8_t node[STORE_NODE_ID],
                uint64_t since, int64_t now_mono_ms, struct watch_rights rights);

/* Answer those who have waited long enough. */
void watch_tick(struct watch *w, int64_t now_mono_ms);

/* How many wait. */
size_t watch_count(struct watch *w);

#endif /* NODE_WATCH_H */

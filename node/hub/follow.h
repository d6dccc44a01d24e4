/*
 * node/hub/follow.h - who reads the hub's feed as it grows: long-polls and event
 * streams of GET /v1/changes.
 *
 *   request ──▶ page ──▶ has lines, or feed=normal ──▶ answered
 *                 │ none
 *                 ▼                  the feed grew in a scope that it reads
 *               parked ──────────────────────────────────────────▶ page ──▶ ...
 *                 │ a long-poll, at its time: an empty page
 *                 │ a stream, every FOLLOW_BEAT_MS: a comment, or it is found to have left
 *
 * Parked it costs a connection and some 200 bytes, no thread.  All of it is the reading
 * thread's; the writing thread only says that the feed has grown.  A stream gets its
 * next page when the last one has left, so a slow one keeps nothing but that page.  The
 * token is looked at again for each page: one that was revoked or has expired ends
 * there.
 */
#ifndef NODE_HUB_FOLLOW_H
#define NODE_HUB_FOLLOW_H

#include "node/hub/api_changes.h"
#include "node/metrics.h"
#include "store/base/env.h"

enum {
	FOLLOW_BEAT_MS = 15000, /* between two comments of a stream without events */
	FOLLOW_RETRY_MS = 3000, /* told to streams: come again so long after a line that broke */
	FOLLOW_PER_TOKEN = 64,  /* that wait for one token; more are answered 429 */
	FOLLOW_AGAIN_S = 30,    /* told to those */
	FOLLOW_BATCH = 32,      /* pages in one turn, so that other requests don't wait */
};

struct follow;

/* What it needs; borrowed until follow_free(). */
struct follow_options {
	struct store_db *db; /* reads; the reading thread's */
	const struct env *env;
	struct metrics *metrics;
	struct queue *lane; /* the reading thread's */
	size_t most;        /* that wait, of all tokens; more are answered 503 */
};

/* An empty list; NULL if there is no memory. */
struct follow *follow_new(const struct follow_options *options);

/* Answer a GET of /v1/changes: at once, or later. */
void follow_serve(struct follow *f, struct http_exchange *x);

/* A stream has come back through the queue. */
void follow_again(struct follow *f, struct http_exchange *x);

/* The writing thread's: a transaction that added to the feed has been committed. */
void follow_grown(struct follow *f);

/* The reading thread took the item that follow_grown() put. */
void follow_news(struct follow *f);

/* Do what is due; true if there is more of it now. */
bool follow_turn(struct follow *f);

/* How many wait. */
size_t follow_count(const struct follow *f);

/* Answer everybody that the service stops; the reading thread has ended, the server has not. */
void follow_end(struct follow *f);

/* After http_stop(); NULL is allowed. */
void follow_free(struct follow *f);

#endif /* NODE_HUB_FOLLOW_H */

/*
 * node/run_priv.h - the daemon as its files see it: node/run.c starts and stops it
 * and has the threads that read; node/run_write.c is the writing thread.
 */
#ifndef NODE_RUN_PRIV_H
#define NODE_RUN_PRIV_H

#include "node/config.h"
#include "node/hub/offers.h"
#include "node/link.h"
#include "node/run.h"
#include "node/serve.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum {
	RUN_TICK_MS = 1000, /* the longest sleep of a thread */
	RUN_CALLS = 32,
};

struct daemon {
	const struct run_options *options;
	struct station station;
	struct config config;
	struct queue *lanes[SERVE_LANES];
	struct http_server *server;
	struct ctl *ctl;
	struct link *link;
	struct reader reader; /* the reading thread's */
	struct reader writer; /* what serve_write needs of one: nonces and form token */
	struct offers offers; /* the third thread's, at a hub */
	atomic_bool stopping; /* ends what that one is at */
	pthread_t reading, offering;
	bool reading_runs, offering_runs;
	uint8_t secret[32];
	unsigned connections;              /* that the server may hold */
	struct ctl_call *calls[RUN_CALLS]; /* that wait for the meeting to end */
	size_t call_count;
	struct ctl_call *rotate; /* waits for it, too: the key isn't changed under a meeting */
	bool watching, large_log;
	bool sated; /* a meeting has brought or taken something, and its memory is still held */
	int64_t watch_after_ms, wake_ms, fed_ms;
};

static inline int64_t
run_mono(const struct daemon *d)
{
	return env_mono_ms(d->options->env);
}

/* Make the line to the hub that we have now; none if we aren't enrolled. */
MUST_CHECK int run_make_link(struct daemon *d, struct err *err);

/* The writing thread's work, until `stop` isn't 0 any more or the database failed. */
MUST_CHECK int run_write(struct daemon *d, const volatile sig_atomic_t *stop, struct err *err);

#endif /* NODE_RUN_PRIV_H */

/*
 * node/link.h - the node's end of the line: signed requests over the transport,
 * and what came back, as an event for node_step().
 *
 * The hub's nonce travels back on each reply and is kept for the next request,
 * so in steady state an exchange is one round trip; a first request, or one
 * after a long silence, is told a fresh nonce by a 401 and sent once more.  The first of a
 * meeting may carry how this node stands (node/report.h).
 */
#ifndef NODE_LINK_H
#define NODE_LINK_H

#include "node/core.h"
#include "node/http/reqsig.h"
#include "node/queue.h"
#include "sync/exchange/transport_http.h"

struct link;

/* What is under way, and then what came of it. */
struct link_call {
	struct queue_item item; /* QUEUE_REPLY; put into the link's queue when it is done */
	struct link *link;
	bool watch; /* a long-poll, not an exchange */
	bool again; /* sent a second time with a fresh nonce */
	bool shown; /* and once more with our grant and keys, to a hub that has forgotten us: */
	size_t from, to; /* this piece of the chain of keys, */
	bool walks;      /* one of all, from its beginning */
	struct buf body; /* as sent, for sending again */
	char *report;    /* goes with it; or NULL */
	char query[64];
	struct reqsig_headers headers;
	struct transport_reply *reply;
};

struct link_options {
	const char *base;           /* the hub's URL */
	const char *pin;            /* or NULL */
	const char *ca_file;        /* or NULL: the system's */
	bool pin_only;              /* the pin is all that counts */
	const struct sync_key *key; /* borrowed */
	uint8_t hub_key[SYNC_PUBLIC_KEY];
	const char *nonce;    /* the last one the hub gave, kept from an earlier line; NULL, or what
	                         is none: begin without */
	const uint8_t *grant; /* ours, as the hub signed it; copied */
	size_t grant_len;
	const struct buf *chain; /* of our keys (node/rotation.h); copied; NULL: we have had one */
	struct queue *queue;     /* where finished calls go; borrowed */
	const struct env *env;
};

/* Make the line to one hub.  The caller owns *l. */
MUST_CHECK int link_new(const struct link_options *options, struct link **l, struct err *err);

/* Give up what is under way, end the thread; calls that still come out of the queue must be given
 * to link_drop(). */
void link_free(struct link *l);

/* Our key is another since: show this chain. */
MUST_CHECK int link_show(struct link *l, const struct buf *chain, struct err *err);

/* Post an exchange; the body is taken over.  `report` (copied, may be NULL) goes with it, as
 * report_write() makes it. */
MUST_CHECK int link_post(struct link *l, struct buf *body, const char *report, struct err *err);

/* Ask to be told when something we may read has moved since `counter` (long-poll). */
MUST_CHECK int link_watch(struct link *l, uint64_t counter, struct err *err);

/*
 * A call that came out of the queue: what happened, for node_step().  1 and *ev (its bytes and
 * words are borrowed from the call until link_drop()), 0 if it has been sent again, negative if
 * even that failed.
 */
MUST_CHECK int link_result(struct link_call *call, struct node_event *ev, struct err *err);

/* Free a call that is over; NULL is allowed. */
void link_drop(struct link_call *call);

/* What the exchanges (not the long-polls) since the last call of this have cost. */
struct link_cost {
	uint64_t bytes_out, bytes_in; /* heads and bodies */
	int round_trips;              /* of HTTP */
	int busy;                     /* of them: 429 or 503, come again later */
	int refused; /* any other status that isn't an answer, but for a nonce that was too old */
	int lost;    /* no whole reply */
	int64_t took_ms; /* waiting for replies */
};
void link_cost(struct link *l, struct link_cost *cost);

/* The nonce for the next request, to be kept for the next line. Borrowed. */
const char *link_nonce(const struct link *l);

#endif /* NODE_LINK_H */

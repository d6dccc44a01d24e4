/*
 * node/queue.h - the one wait of a thread.
 *
 * A thread that works for others (the writing thread, a reader) has a queue.
 * HTTP requests, control requests, finished transfers and whatever else may wake
 * it are put there as items, and it takes them in the order in which they came.
 * Time is the timeout of the take.
 *
 * An item is embedded in the thing that it announces, so putting never
 * allocates and never fails for want of memory.
 */
#ifndef NODE_QUEUE_H
#define NODE_QUEUE_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum queue_kind {
	QUEUE_HTTP,  /* what: struct http_exchange, to be answered */
	QUEUE_CTL,   /* what: struct ctl_call, to be answered */
	QUEUE_REPLY, /* what: the tag of a transfer that is done */
	QUEUE_EVENT, /* what: the putter's own */
};

struct queue_item {
	struct queue_item *next; /* the queue's; ours alone while we hold it */
	enum queue_kind kind;
	void *what;
};

struct queue;

/* An empty queue, for any number of threads on both ends; NULL if there is no memory. */
struct queue *queue_new(void);

/* Let go of a queue that nobody waits on; items still in it are not touched.  NULL is allowed. */
void queue_free(struct queue *q);

/*
 * Put `item` at the end; it and what it announces belong to whoever takes it.
 * False, with nothing taken over, if the queue is closed or holds `limit` items
 * already (0: no limit): so that load is refused at the door while what must be
 * delivered still is.
 */
MUST_CHECK bool queue_put(struct queue *q, struct queue_item *item, size_t limit);

/*
 * Wait up to `timeout_ms` (negative: for ever; 0: only look) and take the first
 * item; NULL if none came, or at once if the queue is closed and empty.
 */
struct queue_item *queue_take(struct queue *q, int timeout_ms);

/* Refuse items from now on and wake all takers; what is in it can still be taken. */
void queue_close(struct queue *q);

/* Was it closed? */
bool queue_closed(struct queue *q);

/* How many items wait. */
size_t queue_len(struct queue *q);

/*
 * How long an item put now would wait, in ms: how many are before it, times how long one
 * has taken of late (an average that halves its memory with every fifth).  0 while nothing waits.
 */
int64_t queue_wait_ms(struct queue *q);

/*
 * In how many ms it will be the turn of somebody who isn't let in now: behind all that wait, and
 * behind everybody who was told a turn before, at most `most_ms`.  So those who were sent away
 * together don't come back together, and nobody idles who could be served.
 */
int64_t queue_turn_ms(struct queue *q, int64_t most_ms);

#endif /* NODE_QUEUE_H */

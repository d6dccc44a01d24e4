#include "node/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t
	        filled; /* waits on the monotonic clock: a step of the wall clock is no event */
	struct queue_item *first;
	struct queue_item *last;
	size_t len;
	bool closed;
	int64_t taken_us; /* when the last item was taken and others were left; 0: none were */
	int64_t pace_us;  /* from one take to the next while items wait, on average */
	int64_t turn_us;  /* the last turn that was told to somebody outside */
};

enum { PACE_WEIGHT = 8 };

struct queue *
queue_new(void)
{
	struct queue *q = calloc(1, sizeof *q);
	pthread_condattr_t attr;

	if (q == NULL)
		return NULL;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->filled, &attr);
	pthread_condattr_destroy(&attr);
	return q;
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

bool
queue_put(struct queue *q, struct queue_item *item, size_t limit)
{
	bool taken;

	pthread_mutex_lock(&q->lock);
	taken = !q->closed && (limit == 0 || q->len < limit);
	if (taken) {
		item->next = NULL;
		if (q->last == NULL)
			q->first = item;
		else
			q->last->next = item;
		q->last = item;
		q->len++;
		pthread_cond_signal(&q->filled);
	}
	pthread_mutex_unlock(&q->lock);
	return taken;
}

static struct timespec
deadline_in(int timeout_ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += timeout_ms / 1000;
	at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* With the lock held: wait until there is an item, the queue is closed or the time is over. */
static void
wait_filled(struct queue *q, int timeout_ms)
{
	struct timespec at = { 0 };
	int status = 0;

	if (timeout_ms > 0)
		at = deadline_in(timeout_ms);
	while (q->first == NULL && !q->closed && timeout_ms != 0 && status != ETIMEDOUT) {
		if (timeout_ms < 0)
			pthread_cond_wait(&q->filled, &q->lock);
		else
			status = pthread_cond_timedwait(&q->filled, &q->lock, &at);
	}
}

static int64_t
now_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

/* With the lock held, after a take: while items wait, takes follow each other as fast as
 * whoever takes them can work. */
static void
note_pace(struct queue *q)
{
	int64_t now = now_us();

	if (q->taken_us != 0)
		q->pace_us += (now - q->taken_us - q->pace_us) / PACE_WEIGHT;
	q->taken_us = q->len > 0 ? now : 0;
}

struct queue_item *
queue_take(struct queue *q, int timeout_ms)
{
	struct queue_item *item;

	pthread_mutex_lock(&q->lock);
	wait_filled(q, timeout_ms);
	item = q->first;
	if (item != NULL) {
		q->first = item->next;
		if (q->first == NULL)
			q->last = NULL;
		q->len--;
		item->next = NULL;
		note_pace(q);
	}
	pthread_mutex_unlock(&q->lock);
	return item;
}

void
queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

bool
queue_closed(struct queue *q)
{
	bool closed;

	pthread_mutex_lock(&q->lock);
	closed = q->closed;
	pthread_mutex_unlock(&q->lock);
	return closed;
}

size_t
queue_len(struct queue *q)
{
	size_t len;

	pthread_mutex_lock(&q->lock);
	len = q->len;
	pthread_mutex_unlock(&q->lock);
	return len;
}

int64_t
queue_wait_ms(struct queue *q)
{
	int64_t wait;

	pthread_mutex_lock(&q->lock);
	wait = (int64_t)q->len * q->pace_us / 1000;
	pthread_mutex_unlock(&q->lock);
	return wait;
}

int64_t
queue_turn_ms(struct queue *q, int64_t most_ms)
{
	int64_t now = now_us(), turn;

	pthread_mutex_lock(&q->lock);
	turn = now + (int64_t)q->len * q->pace_us;
	if (turn < q->turn_us)
		turn = q->turn_us;
	turn += q->pace_us;
	if (turn > now + most_ms * 1000)
		turn = now + most_ms * 1000;
	q->turn_us = turn;
	pthread_mutex_unlock(&q->lock);
	return (turn - now) / 1000;
}

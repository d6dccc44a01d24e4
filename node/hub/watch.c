#include "node/hub/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct waiter {
	struct http_exchange *x;
	uint8_t node[STORE_NODE_ID];
	uint64_t since;
	int64_t until_ms;
};

/* The last unit of a scope: enough, because a later one only makes the counter rise. */
struct moved {
	char scope[STORE_SCOPE_MAX + 1];
	uint8_t by[STORE_NODE_ID];
	uint64_t counter;
	uint64_t other_counter; /* of the last unit not by `by` */
};

struct watch {
	pthread_mutex_t mutex;
	struct waiter *waiters;
	size_t count, cap;
	struct moved *moved;
	size_t moved_count, moved_cap;
};

struct watch *
watch_new(void)
{
	struct watch *w = calloc(1, sizeof *w);

	if (w != NULL)
		pthread_mutex_init(&w->mutex, NULL);
	return w;
}

static void
answer(struct http_exchange *x, int status)
{
	struct http_response response = { .status = status };

	http_answer(x, &response);
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->count; i++)
		answer(w->waiters[i].x, 204);
	pthread_mutex_destroy(&w->mutex);
	free(w->waiters);
	free(w->moved);
	free(w);
}

static struct moved *
find_moved(struct watch *w, const char *scope)
{
	for (size_t i = 0; i < w->moved_count; i++)
		if (strcmp(w->moved[i].scope, scope) == 0)
			return &w->moved[i];
	if (w->moved_count == w->moved_cap) {
		size_t cap = w->moved_cap * 2 + 16;
		struct moved *list = realloc(w->moved, cap * sizeof *list);

		if (list == NULL)
			return NULL;
		w->moved = list;
		w->moved_cap = cap;
	}
	w->moved[w->moved_count] = (struct moved){ 0 };
	strncpy(w->moved[w->moved_count].scope, scope, STORE_SCOPE_MAX);
	return &w->moved[w->moved_count++];
}

static void
note(struct moved *m, const uint8_t by[STORE_NODE_ID], uint64_t counter)
{
	if (memcmp(m->by, by, STORE_NODE_ID) != 0) {
		m->other_counter = m->counter;
		memcpy(m->by, by, STORE_NODE_ID);
	}
	m->counter = counter;
}

/* Since when has somebody else than `node` moved this scope? */
static bool
news_for(const struct moved *m, const uint8_t node[STORE_NODE_ID], uint64_t since)
{
	return memcmp(m->by, node, STORE_NODE_ID) != 0 ? m->counter > since
	                                               : m->other_counter > since;
}

void
watch_moved(struct watch *w, const char *scope, const uint8_t by[STORE_NODE_ID], uint64_t counter,
            struct watch_rights rights)
{
	struct moved *m;

	pthread_mutex_lock(&w->mutex);
	m = find_moved(w, scope);
	if (m != NULL)
		note(m, by, counter + 1);
	for (size_t i = 0; i < w->count;) {
		struct waiter *waiter = &w->waiters[i];

		if (memcmp(waiter->node, by, STORE_NODE_ID) == 0 ||
		    !rights.may_read(rights.ctx, waiter->node, scope)) {
			i++;
			continue;
		}
		answer(waiter->x, 200);
		*waiter = w->waiters[--w->count];
	}
	pthread_mutex_unlock(&w->mutex);
}

static bool
keep(struct watch *w, const struct waiter *waiter)
{
	if (w->count == w->cap) {
		size_t cap = w->cap * 2 + 64;
		struct waiter *list = realloc(w->waiters, cap * sizeof *list);

		if (list == NULL)
			return false;
		w->waiters = list;
		w->cap = cap;
	}
	w->waiters[w->count++] = *waiter;
	return true;
}

void
watch_wait(struct watch *w, struct http_exchange *x, const uint8_t node[STORE_NODE_ID],
           uint64_t since, int64_t now_mono_ms, struct watch_rights rights)
{
	struct waiter waiter = { .x = x, .since = since, .until_ms = now_mono_ms + WATCH_MS };
	bool news = false;

	memcpy(waiter.node, node, STORE_NODE_ID);
	pthread_mutex_lock(&w->mutex);
	for (size_t i = 0; !news && i < w->moved_count; i++)
		news = news_for(&w->moved[i], node, since) &&
		       rights.may_read(rights.ctx, node, w->moved[i].scope);
	if (news || !keep(w, &waiter))
		answer(x, 200);
	pthread_mutex_unlock(&w->mutex);
}

void
watch_tick(struct watch *w, int64_t now_mono_ms)
{
	pthread_mutex_lock(&w->mutex);
	for (size_t i = 0; i < w->count;) {
		if (w->waiters[i].until_ms > now_mono_ms) {
			i++;
			continue;
		}
		answer(w->waiters[i].x, 204);
		w->waiters[i] = w->waiters[--w->count];
	}
	pthread_mutex_unlock(&w->mutex);
}

size_t
watch_count(struct watch *w)
{
	size_t count;

	pthread_mutex_lock(&w->mutex);
	count = w->count;
	pthread_mutex_unlock(&w->mutex);
	return count;
}

#include "tests/proxy/way.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SLICES = 20 }; /* a second's bytes leave in so many parts */

void
way_open(struct way *way, const struct rules_way *rules)
{
	*way = (struct way){ .rules = *rules };
}

void
way_close(struct way *way)
{
	while (way->first != NULL) {
		struct way_chunk *chunk = way->first;

		way->first = chunk->next;
		free(chunk);
	}
}

bool
way_wants(const struct way *way)
{
	return !way->ended && !way->cut && way->held < WAY_HELD_MAX;
}

static void
append(struct way *way, const char *bytes, size_t len, int64_t due_ms)
{
	struct way_chunk *chunk = malloc(sizeof *chunk + len);

	if (chunk == NULL) {
		fprintf(stderr, "chaosproxy: out of memory\n");
		exit(1);
	}
	*chunk = (struct way_chunk){ .due_ms = due_ms, .len = len };
	memcpy(chunk->bytes, bytes, len);
	if (way->last == NULL || way->first == NULL)
		way->first = chunk;
	else
		way->last->next = chunk;
	way->last = chunk;
	way->held += len;
}

/* How many of the next `len` bytes stand before byte `limit`? */
static size_t
before(const struct way *way, size_t len, int64_t limit)
{
	uint64_t left;

	if (limit < 0)
		return len;
	left = (uint64_t)limit > way->taken ? (uint64_t)limit - way->taken : 0;
	return left < len ? (size_t)left : len;
}

void
way_take(struct way *way, const char *bytes, size_t len, int64_t now_ms)
{
	int64_t flip = way->rules.flip - (int64_t)way->taken;
	size_t keep = before(way, len, way->rules.hole);

	if (before(way, len, way->rules.cut) < len) {
		keep = before(way, len, way->rules.cut);
		way->cut = true;
	}
	if (keep > 0)
		append(way, bytes, keep, now_ms + (way->rules.delay > 0 ? way->rules.delay : 0));
	if (way->rules.flip >= 0 && flip >= 0 && flip < (int64_t)keep)
		way->last->bytes[flip] ^= 1;
	way->taken += len;
}

/* So many bytes of the chunk may leave in one go. */
static size_t
slice(const struct way *way, const struct way_chunk *chunk)
{
	size_t left = chunk->len - chunk->done, most = left;

	if (way->rules.rate > 0)
		most = (size_t)way->rules.rate / SLICES + 1;
	return most < left ? most : left;
}

static bool
is_due(const struct way *way, int64_t now_ms)
{
	return way->first != NULL && way->first->due_ms <= now_ms && way->ready_ms <= now_ms;
}

static void
leave(struct way *way, size_t n, int64_t now_ms)
{
	struct way_chunk *chunk = way->first;

	chunk->done += n;
	way->held -= n;
	way->given += n;
	if (way->rules.rate > 0)
		way->ready_ms = now_ms + (int64_t)n * 1000 / way->rules.rate;
	if (chunk->done == chunk->len) {
		way->first = chunk->next;
		free(chunk);
	}
}

long
way_give(struct way *way, int fd, int twin, int64_t now_ms)
{
	long sum = 0;

	while (is_due(way, now_ms)) {
		const char *at = way->first->bytes + way->first->done;
		ssize_t n = send(fd, at, slice(way, way->first), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0)
			return -1;
		if (twin >= 0 && send(twin, at, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			errno = 0; /* nobody asks what became of it */
		leave(way, (size_t)n, now_ms);
		sum += (long)n;
	}
	return sum;
}

int
way_wait(const struct way *way, int64_t now_ms)
{
	int64_t due;

	if (way->first == NULL)
		return -1;
	due = way->first->due_ms > way->ready_ms ? way->first->due_ms : way->ready_ms;
	return due <= now_ms ? 0 : (int)(due - now_ms);
}

bool
way_done(const struct way *way)
{
	return (way->ended || way->cut) && way->first == NULL;
}

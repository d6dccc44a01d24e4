#include "sync/seal/restamp.h"
#include "sync/reader.h"
#include "sync/seal/remint.h"

#include <stdlib.h>
#include <string.h>

static int
add(struct sync_restamp *x, int64_t stamp, struct err *err)
{
	if (STORE_STAMP_MS(stamp) <= x->now_ms) {
		x->before = stamp > x->before ? stamp : x->before;
		return 0;
	}
	if (x->count == x->cap) {
		size_t cap = x->cap * 2 + 256;
		int64_t *list = realloc(x->from, cap * sizeof *list);

		if (list == NULL)
			return err_set(err, ERR_NOMEM, "re-mint: out of memory");
		x->from = list;
		x->cap = cap;
	}
	x->from[x->count++] = stamp;
	return 0;
}

int
sync_restamp_note(struct sync_restamp *x, struct sync_replica *r, const struct store_stream *stream,
                  uint64_t kept, struct err *err)
{
	int64_t last = 0;
	uint64_t n;
	int rc = sync_remint_cut(r, stream, kept, &n, err);

	if (rc == 0)
		rc = sync_remint_last(r, stream, n, &last, err);
	x->before = last > x->before ? last : x->before;
	while (rc == 0 && n < stream->n) {
		struct arena a = { .limit = SYNC_ARENA_MAX };
		struct sync_reader seg;

		rc = sync_reader_open(r->db, stream, n + 1, &a, &seg, err);
		for (size_t i = 0; rc == 0 && i < seg.count; i++)
			if (seg.records[i].type == SYNC_CHANGE)
				rc = add(x, seg.records[i].change.stamp, err);
		n = rc == 0 ? seg.seg.last : n;
		arena_free(&a);
	}
	return rc;
}

static int
by_stamp(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* What the clock would have said, within what can be. */
static int64_t
corrected(const struct sync_restamp *x, int64_t stamp)
{
	int64_t ms = STORE_STAMP_MS(stamp) + x->shift_ms;

	if (ms < x->known_ms)
		ms = x->known_ms;
	return STORE_STAMP(ms < x->now_ms ? ms : x->now_ms, 0);
}

int
sync_restamp_settle(struct sync_restamp *x, struct err *err)
{
	int64_t last = x->before;
	size_t n = 0;

	if (x->count == 0)
		return 0;
	qsort(x->from, x->count, sizeof *x->from, by_stamp);
	for (size_t i = 0; i < x->count; i++)
		if (n == 0 || x->from[n - 1] != x->from[i])
			x->from[n++] = x->from[i];
	x->count = n;
	x->to = calloc(n, sizeof *x->to);
	if (x->to == NULL)
		return err_set(err, ERR_NOMEM, "re-mint: out of memory");
	for (size_t i = 0; i < n; i++) {
		int64_t to = corrected(x, x->from[i]);

		if (x->from[i] <= x->before)
			to = x->from[i];
		else
			last = to = to > last ? to : last + 1;
		x->to[i] = to;
	}
	return 0;
}

int64_t
sync_restamp_of(const struct sync_restamp *x, int64_t stamp)
{
	const int64_t *at =
	        x->count == 0 ? NULL : bsearch(&stamp, x->from, x->count, sizeof stamp, by_stamp);

	return at == NULL ? stamp : x->to[at - x->from];
}

void
sync_restamp_free(struct sync_restamp *x)
{
	free(x->from);
	free(x->to);
	x->from = x->to = NULL;
	x->count = x->cap = 0;
}

/*
 * sync/exchange/fork.c - another file goes on under our name, or our clock was wrong: how
 * a node finds that out from a reply, and what it does about it.
 *
 *   the hub's stream        ours                     then
 *   n' <= n, other head     forked before n'         what has no receipt is written again
 *   n' > n, same head at n  we lost the rest         nothing: it comes by the next reply
 *   n' > n, other head      forked before n          what has no receipt is written again
 *   n' < n, `clock`         stamped too far ahead    what it hasn't is written again, corrected
 *   of this life            none                      nothing, as with the second
 *
 * In each case a new life begins first.  Of an earlier life the second is no news,
 * nor is it of any life while records are on their way.
 */
#include "store/base/mutant.h"
#include "sync/exchange/exchange_priv.h"
#include "sync/life.h"
#include "sync/reader.h"
#include "sync/seal/remint.h"

#include <string.h>

struct healing {
	struct sync_exchange *x;
	const struct sync_message *m;
	bool *healed;
	struct sync_restamp ahead; /* all our streams' together: their stamps keep their order */
};

/* What the reply says of one of our streams. */
enum finding { FITS, WE_LOST, FORKED, AHEAD };

bool
sync_fork_said(const struct sync_message *m, const struct sync_view_stream *view, uint64_t *common)
{
	bool fork = false;

	*common = 0;
	for (size_t i = 0; i < m->note_count; i++) {
		const struct sync_view_note *note = &m->notes[i];

		if (&m->streams[note->stream] != view || strcmp(note->reason, sync_fork_words) != 0)
			continue;
		fork = true;
		*common = note->n > *common ? note->n : *common;
	}
	return fork;
}

int
sync_fork_differs(const struct sync_replica *r, const struct sync_message *m,
                  const struct store_stream *stream, uint64_t said, bool *yes, struct err *err)
{
	const struct sync_view_stream *view = sync_draft_view(r, m, stream);
	uint8_t head[STORE_HEAD];
	uint64_t common;
	int rc;

	*yes = false;
	if (view == NULL || view->n == 0 || said == 0)
		return 0;
	if (view->n > said) { /* it is the hub that can compare */
		*yes = sync_fork_said(m, view, &common);
		return 0;
	}
	rc = sync_reader_head(r->db, stream, view->n, head, err);
	*yes = rc == 0 && memcmp(head, view->head, SYNC_HEAD_SHORT) != 0;
	return rc;
}

static int
judge(const struct healing *h, const struct store_stream *stream,
      const struct sync_view_stream *view, enum finding *out, struct err *err)
{
	struct sync_replica *r = h->x->r;
	uint8_t head[STORE_HEAD];
	uint64_t common;
	int rc;

	*out = FITS;
	if (view->n > stream->n) {
		if (sync_fork_said(h->m, view, &common))
			*out = FORKED;
		else if (stream->site == r->self.id)
			*out = WE_LOST;
		return 0;
	}
	rc = sync_reader_head(r->db, stream, view->n, head, err);
	if (rc == 0 && view->n > 0 && memcmp(head, view->head, SYNC_HEAD_SHORT) != 0)
		*out = FORKED;
	else if (rc == 0 && view->n < stream->n && h->ahead.count > 0)
		*out = AHEAD;
	return rc;
}

static int
begin_life(struct healing *h, enum sync_life_word why, struct err *err)
{
	if (h->x->healed)
		return 0;
	h->x->healed = true;
	h->x->lives++;
	return sync_life_begin(h->x->r, why, err);
}

/*
 * What the hub says that both have is a receipt.  While it still hears of more with each push,
 * where we part isn't known yet: what it has needn't be written again.
 */
static int
note_common(struct healing *h, const struct store_stream *stream,
            const struct sync_view_stream *view, uint64_t *kept, bool *wait, struct err *err)
{
	struct store_db *db = h->x->r->db;
	uint64_t common, least = view->n < stream->n ? view->n : stream->n;
	int rc = store_stream_acked(db, stream->id, h->m->self.epoch, kept, err);

	*wait = false;
	sync_fork_said(h->m, view, &common);
	if (rc < 0 || common <= *kept || common >= least) {
		/* Receipts beyond the place where the two part are of the other file's records, or
		 * of a hub's that was put back: then nothing is known to be common. */
		*kept = *kept < least ? *kept : 0;
		return rc;
	}
	*kept = common;
	*wait = h->x->more_to_push;
	return store_stream_set_acked(db, stream->id, h->m->self.epoch, common, err);
}

static int
heal_fork(struct healing *h, const struct store_stream *stream, const struct sync_view_stream *view,
          struct err *err)
{
	struct sync_remint_job job = { .old = stream, .restamp = &h->ahead };
	bool wait;
	int rc = note_common(h, stream, view, &job.kept, &wait, err);

	h->x->hold |= wait;
	if (rc < 0 || wait)
		return rc;
	rc = begin_life(h, SYNC_LIFE_RESTORED, err);
	return rc == 0 ? sync_remint(h->x->r, &job, err) : rc;
}

/* ---- our clock was wrong ---- */

/* Of a stream of ours: what was lent may be ahead, too. */
static bool
hub_says_clock(const struct sync_replica *r, const struct sync_message *m)
{
	for (size_t i = 0; i < m->note_count; i++) {
		const struct sync_view_stream *of = &m->streams[m->notes[i].stream];

		if (strcmp(m->notes[i].reason, sync_clock_words) == 0 &&
		    memcmp(m->sites[of->site].site.node, r->self.node, STORE_NODE_ID) == 0)
			return true;
	}
	return false;
}

/* What is ahead of the hub's time, of all our streams together; nothing if it didn't say so. */
static int
find_ahead(struct healing *h, const struct store_stream *list, size_t count, struct err *err)
{
	struct sync_clock_heard heard = sync_exchange_heard(h->x, h->m);
	struct sync_replica *r = h->x->r;
	int rc = 0;

	if (h->m->now_ms == SYNC_NOW_UNKNOWN || !hub_says_clock(r, h->m))
		return 0;
	h->ahead.now_ms = h->m->now_ms;
	h->ahead.known_ms = r->clock.known_ms;
	h->ahead.shift_ms = sync_clock_offset_by(&r->clock, &heard) - r->clock.offset_ms;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct sync_view_stream *view = sync_draft_view(r, h->m, &list[i]);

		if (sync_draft_is_own(r, &list[i]))
			rc = sync_restamp_note(&h->ahead, r, &list[i], view == NULL ? 0 : view->n,
			                       err);
		else if (list[i].last_stamp > h->ahead.before)
			h->ahead.before = list[i].last_stamp;
	}
	if (rc == 0)
		rc = sync_restamp_settle(&h->ahead, err);
	if (rc == 0 && h->ahead.count > 0)
		sync_clock_hear(&r->clock, &heard);
	return rc;
}

static int
heal_ahead(struct healing *h, const struct store_stream *stream, uint64_t kept, struct err *err)
{
	struct sync_remint_job job = { .old = stream, .kept = kept, .restamp = &h->ahead };
	int rc = begin_life(h, SYNC_LIFE_QUIET, err);

	return rc == 0 ? sync_remint(h->x->r, &job, err) : rc;
}

/* The latest stamp was one of those: what is written next needn't come after it any more. */
static int
lower_last_stamp(struct healing *h, struct err *err)
{
	struct store_stream *list;
	struct arena a = { 0 };
	int64_t last = h->ahead.before;
	size_t count = 0;
	int rc = store_stream_list(h->x->r->db, 0, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		last = list[i].last_stamp > last ? list[i].last_stamp : last;
	arena_free(&a);
	return rc == 0 ? store_meta_set_int(h->x->r->db, "last_stamp", last, err) : rc;
}

/* ---- all of it ---- */

static int
heal_one(struct healing *h, const struct store_stream *stream, struct err *err)
{
	const struct sync_view_stream *view;
	enum finding finding;
	int rc;

	if (!sync_draft_is_own(h->x->r, stream))
		return 0;
	view = sync_draft_view(h->x->r, h->m, stream);
	if (view == NULL) /* the hub has never heard of it */
		return h->ahead.count > 0 && stream->n > 0 ? heal_ahead(h, stream, 0, err) : 0;
	rc = judge(h, stream, view, &finding, err);
	if (rc < 0 || finding == FITS)
		return rc;
	h->healed[view - h->m->streams] = true;
	switch (finding) {
	case FITS:
		break;
	case WE_LOST:
		return begin_life(h, SYNC_LIFE_RESTORED, err);
	case FORKED:
		return heal_fork(h, stream, view, err);
	case AHEAD:
		return heal_ahead(h, stream, view->n, err);
	}
	return 0;
}

/* One of the streams of the reply that is of our present life, but none of ours. */
static bool
is_news(const struct healing *h, const struct sync_view_stream *view,
        const struct store_stream *list, size_t count)
{
	const struct sync_site *site = &h->m->sites[view->site].site;
	const struct store_site *self = &h->x->r->self;

	if (view->n == 0 || memcmp(site->node, self->node, STORE_NODE_ID) != 0 ||
	    memcmp(site->epoch, self->epoch, STORE_EPOCH) != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (sync_draft_view(h->x->r, h->m, &list[i]) == view)
			return false;
	return true;
}

/* We haven't written there in this life: so another file has, and goes on under our name. */
static int
heal_news(struct healing *h, const struct store_stream *list, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < h->m->stream_count; i++) {
		if (MUT(45) || !is_news(h, &h->m->streams[i], list, count))
			continue;
		h->healed[i] = true;
		rc = begin_life(h, SYNC_LIFE_RESTORED, err);
	}
	return rc;
}

int
sync_fork_heal(struct sync_exchange *x, const struct sync_message *m, bool *healed, struct err *err)
{
	struct healing h = { .x = x, .m = m, .healed = healed };
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc;

	x->healed = x->hold = false;
	memset(healed, 0, m->stream_count * sizeof *healed);
	if (x->lives >= SYNC_LIVES_MAX)
		return 0;
	rc = store_stream_list(x->r->db, 0, &a, &list, &count, err);
	if (rc == 0)
		rc = find_ahead(&h, list, count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = heal_one(&h, &list[i], err);
	if (rc == 0 && h.ahead.count > 0)
		rc = lower_last_stamp(&h, err);
	sync_restamp_free(&h.ahead);
	if (rc == 0 && !x->healed)
		rc = heal_news(&h, list, count, err);
	arena_free(&a);
	return rc;
}

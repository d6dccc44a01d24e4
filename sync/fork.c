/*
 * sync/fork.c - another file goes on under our name: how a node finds that out
 * from a reply, and what it does about it.
 *
 *   the hub's stream        ours                     then
 *   n' <= n, other head     forked before n'         what has no receipt is written again
 *   n' > n, same head at n  we lost the rest         nothing: it comes by the next reply
 *   n' > n, other head      forked before n          what has no receipt is written again
 *
 * In each case a new life begins first.  Of an earlier life the second is no news,
 * nor is it of any life while records are on their way.
 */
#include "sync/exchange_priv.h"
#include "sync/life.h"
#include "sync/reader.h"
#include "sync/remint.h"

#include <string.h>

/* A hub that says something else each time gets no more out of us in one meeting. */
enum { LIVES_MAX = 4 };

struct healing {
	struct sync_exchange *x;
	const struct sync_message *m;
	bool *healed;
};

/* What the reply says of one of our streams. */
enum finding { FITS, WE_LOST, FORKED };

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
	return rc;
}

static int
begin_life(struct healing *h, struct err *err)
{
	if (h->x->healed)
		return 0;
	h->x->healed = true;
	h->x->lives++;
	return sync_life_begin(h->x->r, SYNC_LIFE_RESTORED, err);
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
	uint64_t kept;
	int64_t changes;
	bool wait;
	int rc = note_common(h, stream, view, &kept, &wait, err);

	h->x->hold |= wait;
	if (rc < 0 || wait)
		return rc;
	rc = begin_life(h, err);
	return rc == 0 ? sync_remint(h->x->r, stream, kept, &changes, err) : rc;
}

static int
heal_one(struct healing *h, const struct store_stream *stream, struct err *err)
{
	const struct store_site *site = store_catalog_site_of(h->x->r->db, stream->site);
	const struct sync_view_stream *view;
	enum finding finding;
	int rc;

	if (memcmp(site->node, h->x->r->self.node, STORE_NODE_ID) != 0)
		return 0;
	view = sync_draft_view(h->x->r, h->m, stream);
	if (view == NULL)
		return 0;
	rc = judge(h, stream, view, &finding, err);
	if (rc < 0 || finding == FITS)
		return rc;
	h->healed[view - h->m->streams] = true;
	return finding == FORKED ? heal_fork(h, stream, view, err) : begin_life(h, err);
}

int
sync_fork_heal(struct sync_exchange *x, const struct sync_message *m, bool *healed, struct err *err)
{
	struct healing h = { x, m, healed };
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc;

	x->healed = x->hold = false;
	memset(healed, 0, m->stream_count * sizeof *healed);
	if (x->lives >= LIVES_MAX)
		return 0;
	rc = store_stream_list(x->r->db, 0, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = heal_one(&h, &list[i], err);
	arena_free(&a);
	return rc;
}

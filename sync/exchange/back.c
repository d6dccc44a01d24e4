/*
 * sync/exchange/back.c - a hub that was put back gets again what it gave its nodes.
 *
 *   node                                    hub
 *   of this stream I have n             ->  has n' < n of it, or nothing
 *                                       <-  says n'
 *   its records after n', proven by
 *   their writer's own signatures       ->  takes them
 *
 * Of a hub's own stream that ends the life in which it wrote them: another file went on under its
 * name.  A node's word alone ends nothing.  What the hub has written since under that name forks
 * from them: it is written again in the new life (sync/seal/remint.h) and the stream cut where the
 * two part, so that the rest comes by the next request.  What was cut off is marked: whoever comes
 * with that branch later has nothing that isn't written again already.
 *
 * A node whose records of the hub's stream are not, in the end, the hub's lets go of them and takes
 * those: the hub has written again what is only in the other branch.  Of another node's stream:
 * sync/exchange/parted.c.
 */
#include "sync/exchange/exchange_priv.h"
#include "sync/life.h"
#include "sync/reader.h"
#include "sync/seal/remint.h"

#include <stdio.h>
#include <string.h>

enum {
	FROM_THE_FIRST = 1, /* number of the first schema that a stream names */
	CUTS_MAX = 16,      /* of one meeting */
};

/* ---- the node ---- */

static struct sync_lent *
find_lent(struct sync_lent *lent, size_t count, int stream)
{
	for (size_t i = 0; i < count; i++)
		if (lent[i].stream == stream)
			return &lent[i];
	return NULL;
}

int
sync_back_lend(struct sync_exchange *x, struct sync_draft *d, const struct store_stream *stream,
               unsigned index, struct err *err)
{
	struct sync_lent *lent = find_lent(x->lent, x->lent_count, stream->id);

	return lent == NULL ? 0 : sync_draft_records(d, stream, index, &lent->from, err);
}

/* Is what the hub has of a stream something else than what is here, as far as both go? */
static int
differs(const struct sync_replica *r, const struct sync_message *m,
        const struct store_stream *stream, const struct sync_view_stream *view, bool *yes,
        struct err *err)
{
	uint8_t head[STORE_HEAD];
	int rc;

	*yes = false;
	if (view->n == 0 || stream->n == 0)
		return 0;
	if (view->n > stream->n) {
		uint64_t common;

		*yes = sync_fork_said(m, view, &common);
		return 0;
	}
	rc = sync_reader_head(r->db, stream, view->n, head, err);
	*yes = rc == 0 && memcmp(head, view->head, SYNC_HEAD_SHORT) != 0;
	return rc;
}

/* A fork of its own is news for the hub: it gets ours from the first record on, as nobody knows
 * where the two part. */
static bool
is_hubs(const struct sync_replica *r, const struct sync_message *m,
        const struct store_stream *stream)
{
	const struct store_site *site = store_catalog_site_of(r->db, stream->site);

	return memcmp(site->node, m->self.node, STORE_NODE_ID) == 0;
}

static void
keep_lent(struct sync_exchange *x, const struct sync_lent *before, struct sync_lent *lent)
{
	if (x->lent_count == SYNC_LENT_MAX)
		return; /* its turn comes when another's is over */
	lent->began = lent->from;
	x->lent_moved |= before == NULL || before->has != lent->has || before->began < lent->from;
	x->lent[x->lent_count++] = *lent;
}

/* Was a remark made about it that isn't a fork: what was lent could not be judged yet. */
static bool
was_put_off(const struct sync_message *m, const struct sync_view_stream *view)
{
	for (size_t i = 0; i < m->note_count; i++)
		if (&m->streams[m->notes[i].stream] == view &&
		    strcmp(m->notes[i].reason, sync_fork_words) != 0)
			return true;
	return false;
}

/* Where the lending of a branch goes on: the hub may have gone on writing meanwhile. */
static uint64_t
goes_on_from(const struct sync_message *m, const struct sync_view_stream *view,
             const struct sync_lent *before)
{
	if (before == NULL || view->n < before->has)
		return 0;
	return was_put_off(m, view) ? before->began : before->from;
}

static int
let_go(struct sync_exchange *x, struct store_stream *stream, struct arena *a, struct err *err)
{
	if (x->cuts++ >= CUTS_MAX)
		return 0;
	stream->last_stamp = 0;
	x->lent_moved = true;
	return store_stream_cut(x->r->db, stream, 0, FROM_THE_FIRST, a, err);
}

static int
see_stream(struct sync_exchange *x, const struct sync_message *m, struct store_stream *stream,
           const struct sync_lent *before, struct arena *a, struct err *err)
{
	const struct sync_view_stream *view = sync_draft_view(x->r, m, stream);
	struct sync_lent lent = { .stream = stream->id };
	bool fork;
	int rc;

	if (view == NULL)
		return 0; /* the same as here */
	lent.has = lent.from = view->n;
	rc = differs(x->r, m, stream, view, &fork, err);
	if (rc < 0 || (!fork && view->n >= stream->n))
		return rc;
	if (fork && !is_hubs(x->r, m, stream))
		return 0;
	if (fork)
		lent.from = goes_on_from(m, view, before);
	if (fork && lent.from >= stream->n)
		return let_go(x, stream, a, err);
	keep_lent(x, before, &lent);
	return 0;
}

int
sync_back_see(struct sync_exchange *x, const struct sync_message *m, struct err *err)
{
	struct sync_lent was[SYNC_LENT_MAX];
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0, was_count = x->lent_count;
	int rc = store_stream_list(x->r->db, 0, &a, &list, &count, err);

	memcpy(was, x->lent, sizeof was);
	x->lent_count = 0;
	x->lent_moved = false;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!sync_draft_is_own(x->r, &list[i]))
			rc = see_stream(x, m, &list[i], find_lent(was, was_count, list[i].id), &a,
			                err);
	}
	arena_free(&a);
	return rc;
}

/* ---- the hub ---- */

static bool
is_own(const struct sync_replica *r, const struct sync_message *m, unsigned stream)
{
	return memcmp(m->sites[m->streams[stream].site].site.node, r->self.node, STORE_NODE_ID) ==
	       0;
}

/* ---- branches that were written again ---- */

/*
 * "forked <stream>" in yz_meta: how many branches were cut off (u8), and of each segment cut off
 * its last n (8) and its head (8).  A node that ends there holds nothing that is only in its
 * branch.
 */
enum { FORKS_MAX = 16, MARK = 8 + SYNC_HEAD_SHORT };

static void
name_marks(char name[32], int stream)
{
	snprintf(name, 32, "forked %d", stream);
}

static void
put_mark(struct buf *out, uint64_t n, const uint8_t head[SYNC_HEAD_SHORT])
{
	buf_u64(out, n);
	buf_put(out, head, SYNC_HEAD_SHORT);
}

/* Is the branch that ends like that news?  `marks` gets what is kept. */
static int
is_new_branch(struct sync_replica *r, int stream, const struct sync_view_stream *tip,
              struct buf *marks, bool *yes, struct err *err)
{
	struct buf mark = { 0 };
	char name[32];
	int rc;

	name_marks(name, stream);
	put_mark(&mark, tip->n, tip->head);
	rc = store_meta_get(r->db, name, marks, err);
	if (rc == ERR_NOTFOUND) {
		buf_u8(marks, 0);
		rc = 0;
	}
	if (rc == 0 && (buf_check(marks, err) < 0 || buf_check(&mark, err) < 0))
		rc = err->code;
	*yes = rc == 0 && marks->bytes[0] < FORKS_MAX;
	for (size_t at = 1; *yes && at + MARK <= marks->len; at += MARK)
		*yes = memcmp(marks->bytes + at, mark.bytes, MARK) != 0;
	buf_free(&mark);
	return rc;
}

/* What is cut off after `common` is marked. */
static int
keep_marks(struct sync_replica *r, const struct store_stream *own, uint64_t common,
           struct buf *marks, struct err *err)
{
	uint64_t n = common + 1;
	char name[32];
	int rc = 0;

	marks->bytes[0]++;
	while (rc == 0 && n <= own->n) {
		struct store_segment seg;
		struct arena a = { 0 };

		rc = store_segment_at(r->db, own->id, n, &a, &seg, err);
		if (rc == 0)
			put_mark(marks, seg.last, seg.head);
		n = rc == 0 ? seg.last + 1 : n;
		arena_free(&a);
	}
	if (rc == 0)
		rc = buf_check(marks, err);
	name_marks(name, own->id);
	return rc == 0 ? store_meta_set(r->db, name, marks->bytes, marks->len, err) : rc;
}

static int
write_again(struct sync_replica *r, const struct store_stream *own, uint64_t common,
            struct err *err)
{
	struct sync_restamp none = { 0 };
	struct sync_remint_job job = { .old = own, .kept = common, .restamp = &none };
	int rc = 0;

	if (own->site == r->self.id)
		rc = sync_life_begin(r, SYNC_LIFE_RESTORED, err);
	return rc == 0 ? sync_remint(r, &job, err) : rc;
}

int
sync_back_forked(struct sync_replica *r, const struct sync_message *m, unsigned stream,
                 uint64_t common, struct err *err)
{
	struct store_stream own;
	struct arena a = { 0 };
	struct buf marks = { 0 };
	bool news = false;
	int rc = is_own(r, m, stream) ? sync_draft_find(r, m, stream, &a, &own, err) : 0;

	if (rc == 1) {
		rc = is_new_branch(r, own.id, &m->streams[stream], &marks, &news, err);
		if (rc == 0 && news)
			rc = keep_marks(r, &own, common, &marks, err);
		if (rc == 0 && news)
			rc = write_again(r, &own, common, err);
	}
	buf_free(&marks);
	arena_free(&a);
	return rc;
}

int
sync_back_lacks(const struct sync_replica *r, const struct sync_message *m, unsigned stream,
                bool *yes, struct err *err)
{
	const struct sync_site *named = &m->sites[m->streams[stream].site].site;
	struct store_site site = { 0 };
	uint8_t key[SYNC_PUBLIC_KEY];
	struct store_stream own;
	struct arena a = { 0 };
	int rc = 1;

	memcpy(site.node, named->node, STORE_NODE_ID);
	memcpy(site.epoch, named->epoch, STORE_EPOCH);
	if (m->streams[stream].n > 0 && r->key_of != NULL && r->key_of(r->ctx, &site, key))
		rc = sync_draft_find(r, m, stream, &a, &own, err);
	*yes = rc == 0;
	arena_free(&a);
	return rc < 0 ? rc : 0;
}

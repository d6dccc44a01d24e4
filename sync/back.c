/*
 * sync/back.c - a hub that was put back gets again what it gave its nodes.
 *
 *   node                                    hub
 *   of this stream I have n             ->  has n' < n of it, or nothing
 *                                       <-  says n'
 *   its records after n', proven by
 *   their writer's own signatures       ->  takes them
 *
 * Of a hub's own stream that ends the life in which it wrote them: another file went on under its
 * name.  A node's word alone ends nothing.  What the hub has written since under that name forks
 * from them: it is written again in the new life (sync/remint.h) and the stream cut where the two
 * part, so that the rest comes by the next request.
 *
 * A node whose records of the hub's stream are not, in the end, the hub's lets go of them and takes
 * those: the hub has written again what is only in the other branch.  Of another node's stream:
 * sync/parted.c.
 */
#include "sync/exchange_priv.h"
#include "sync/life.h"
#include "sync/reader.h"
#include "sync/remint.h"

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
keep_lent(struct sync_exchange *x, const struct sync_lent *before, const struct sync_lent *lent)
{
	x->lent_moved |= before == NULL || before->has != lent->has || before->from < lent->from;
	if (x->lent_count < SYNC_LENT_MAX)
		x->lent[x->lent_count++] = *lent;
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
		lent.from = before == NULL || before->has != view->n ? 0 : before->from;
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
		const struct store_site *site = store_catalog_site_of(x->r->db, list[i].site);

		if (memcmp(site->node, x->r->self.node, STORE_NODE_ID) != 0)
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

/* 1 and the stream that a message names, 0 if nothing is held of it. */
static int
find_stream(const struct sync_replica *r, const struct sync_message *m, unsigned stream,
            struct arena *a, struct store_stream *out, struct err *err)
{
	const struct sync_view_stream *view = &m->streams[stream];
	const struct sync_site *named = &m->sites[view->site].site;
	int site = 0, scope = 0;
	int rc = store_catalog_find_site(r->db, named->node, named->epoch, &site, err);

	if (rc == 0)
		rc = store_catalog_find_scope(r->db, m->scopes[view->scope], &scope, err);
	if (rc < 0 || site == 0 || scope == 0)
		return rc < 0 ? rc : 0;
	rc = store_stream_find(r->db, site, scope, a, out, err);
	return rc == ERR_NOTFOUND ? 0 : rc < 0 ? rc : 1;
}

int
sync_back_own(const struct sync_replica *r, const struct sync_message *m, uint64_t *records,
              struct err *err)
{
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0;
	bool brings = false;
	int rc = 0;

	*records = 0;
	for (size_t i = 0; !brings && i < m->segment_count; i++)
		brings = is_own(r, m, m->segments[i].stream);
	if (brings)
		rc = store_stream_list(r->db, 0, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		*records += list[i].site == r->self.id ? list[i].n : 0;
	arena_free(&a);
	return rc;
}

/* Once for each stream: a node may have records of a branch that was written again long ago. */
static int
is_first(struct sync_replica *r, int stream, bool *yes, struct err *err)
{
	char name[32];
	int64_t at;
	int rc;

	snprintf(name, sizeof name, "forked %d", stream);
	rc = store_meta_get_int(r->db, name, 0, &at, err);
	*yes = at == 0;
	return rc == 0 && *yes ? store_meta_set_int(r->db, name, sync_replica_now_ms(r), err) : rc;
}

static int
write_again(struct sync_replica *r, const struct store_stream *own, uint64_t common,
            struct err *err)
{
	struct sync_restamp none = { 0 };
	struct sync_remint_job job = { .old = own, .kept = common, .restamp = &none };
	bool first;
	int rc = is_first(r, own->id, &first, err);

	if (rc < 0 || !first)
		return rc;
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
	int rc = find_stream(r, m, stream, &a, &own, err);

	if (rc == 1 && is_own(r, m, stream))
		rc = write_again(r, &own, common, err);
	arena_free(&a);
	return rc < 0 ? rc : 0;
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
	int rc = find_stream(r, m, stream, &a, &own, err);

	memcpy(site.node, named->node, STORE_NODE_ID);
	memcpy(site.epoch, named->epoch, STORE_EPOCH);
	*yes = rc == 0 && m->streams[stream].n > 0 && r->key_of != NULL &&
	       r->key_of(r->ctx, &site, key);
	arena_free(&a);
	return rc < 0 ? rc : 0;
}

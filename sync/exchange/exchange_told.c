/*
 * What a request says that its node has read (sync/merge/told.h): found before the
 * request's records are taken, because what they do may be passed on into the same
 * streams; noted after that, because it holds for what comes later.
 */
#include "sync/exchange/exchange_priv.h"
#include "sync/look.h"
#include "sync/merge/told.h"

#include <string.h>

static bool
is_of(const struct sync_message *m, const struct sync_view_stream *view,
      const uint8_t node[STORE_NODE_ID], const uint8_t epoch[STORE_EPOCH])
{
	const struct sync_site *site = &m->sites[view->site].site;

	return memcmp(site->node, node, STORE_NODE_ID) == 0 &&
	       memcmp(site->epoch, epoch, STORE_EPOCH) == 0;
}

/* Does the node have records of our stream `i`, of any life of ours, that aren't in `own`? */
static int
has_others(struct sync_replica *r, const struct sync_view_stream *view,
           const struct store_stream *own, bool *yes, struct err *err)
{
	uint8_t head[STORE_HEAD];
	int rc = 1;

	*yes = view->n > own->n;
	if (*yes || view->n == 0)
		return 0;
	rc = sync_look_head(r, own, view->n, head, err);
	*yes = rc == 1 && memcmp(head, view->head, SYNC_HEAD_SHORT) != 0;
	return rc == ERR_CORRUPT || rc > 0 ? 0 : rc; /* what can't be read can't be told */
}

/* What the node has of our stream `i`, of a scope that has left somebody. */
static int
look_at(struct sync_replica *r, const struct sync_message *m, unsigned i, struct sync_reads *out,
        struct err *err)
{
	const struct sync_view_stream *view = &m->streams[i];
	struct store_stream own = { 0 };
	struct arena a = { 0 };
	bool any = false, others = false;
	int scope = 0, rc = store_catalog_find_scope(r->db, m->scopes[view->scope], &scope, err);

	if (rc == 0 && scope != 0)
		rc = store_share_any_left(r->db, scope, &any, err);
	if (rc == 0 && any)
		rc = sync_draft_find(r, m, i, &a, &own, err);
	if (rc >= 0 && any)
		rc = has_others(r, view, &own, &others, err);
	if (rc == 0 && others)
		out->forgotten[out->forgotten_count++] = scope;
	else if (rc == 0 && any && own.n > 0 && own.n == view->n)
		out->list[out->count++] =
		        (struct sync_read){ view->scope, own.site, own.last_stamp };
	arena_free(&a);
	return rc < 0 ? rc : 0;
}

int
sync_told_find(struct sync_replica *r, const struct sync_message *m, struct arena *a,
               struct sync_reads *out, struct err *err)
{
	int rc = 0;

	*out = (struct sync_reads){ 0 };
	out->list = arena_take(a, m->stream_count, sizeof *out->list);
	out->forgotten = arena_take(a, m->stream_count, sizeof *out->forgotten);
	if (out->list == NULL || out->forgotten == NULL)
		return err_set(err, ERR_NOMEM, "exchange: out of memory");
	for (unsigned i = 0; rc == 0 && i < m->stream_count; i++)
		if (memcmp(m->sites[m->streams[i].site].site.node, r->self.node, STORE_NODE_ID) ==
		    0)
			rc = look_at(r, m, i, out, err);
	return rc;
}

static int
note(struct sync_replica *r, const struct sync_message *m, unsigned i, const struct sync_told *told,
     struct err *err)
{
	struct sync_told of = *told;
	struct store_stream stream;
	struct arena a = { 0 };
	int rc = sync_draft_find(r, m, i, &a, &stream, err);

	if (rc == 1) {
		of.n = stream.n > m->streams[i].n ? stream.n : m->streams[i].n;
		rc = sync_told_note(r, &stream, &of, err);
	}
	arena_free(&a);
	return rc;
}

int
sync_told_take(struct sync_replica *r, const struct sync_message *m, const struct sync_reads *reads,
               struct err *err)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < reads->count; k++) {
		const struct sync_told told = { .stamp = reads->list[k].stamp,
			                        .site = reads->list[k].site };

		for (unsigned i = 0; rc == 0 && i < m->stream_count; i++)
			if (m->streams[i].scope == reads->list[k].scope &&
			    is_of(m, &m->streams[i], m->self.node, m->self.epoch))
				rc = note(r, m, i, &told, err);
	}
	return rc;
}

/*
 * What a request says that its node has read (sync/merge/told.h): found before the
 * request's records are taken, because what they do may be passed on into the same
 * streams; noted after that, because it holds for what comes later.
 */
#include "sync/exchange/exchange_priv.h"
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

/* Does the node have all of our stream `i`, of a scope that has left somebody? */
static int
has_read(const struct sync_replica *r, const struct sync_message *m, unsigned i,
         struct sync_reads *out, struct err *err)
{
	struct store_stream own;
	struct arena a = { 0 };
	bool any = false;
	int rc = sync_draft_find(r, m, i, &a, &own, err);

	if (rc == 1 && own.n == m->streams[i].n && own.n > 0 &&
	    memcmp(own.head, m->streams[i].head, SYNC_HEAD_SHORT) == 0) {
		rc = store_share_any_left(r->db, own.scope, &any, err);
		if (rc == 0 && any)
			out->list[out->count++] =
			        (struct sync_read){ m->streams[i].scope, own.last_stamp };
	}
	arena_free(&a);
	return rc < 0 ? rc : 0;
}

int
sync_told_find(const struct sync_replica *r, const struct sync_message *m, struct arena *a,
               struct sync_reads *out, struct err *err)
{
	int rc = 0;

	*out = (struct sync_reads){ .site = r->self.id };
	out->list = arena_take(a, m->stream_count, sizeof *out->list);
	if (out->list == NULL)
		return err_set(err, ERR_NOMEM, "exchange: out of memory");
	for (unsigned i = 0; rc == 0 && i < m->stream_count; i++)
		if (is_of(m, &m->streams[i], r->self.node, r->self.epoch))
			rc = has_read(r, m, i, out, err);
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
		rc = sync_told_note(r, stream.id, &of, err);
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
			                        .site = reads->site };

		for (unsigned i = 0; rc == 0 && i < m->stream_count; i++)
			if (m->streams[i].scope == reads->list[k].scope &&
			    is_of(m, &m->streams[i], m->self.node, m->self.epoch))
				rc = note(r, m, i, &told, err);
	}
	return rc;
}

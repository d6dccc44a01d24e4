#include "sync/verify.h"
#include "store/print.h"
#include "sync/reader.h"

#include <string.h>

static const char restore_it[] = "restore a backup, or let the peer send the stream again";

struct walk {
	struct store_db *db;
	struct sync_verify *v;
	const struct store_stream *stream;
	struct sync_site site;
	const char *scope;
	bool own;
	uint64_t n; /* records that were good */
	uint8_t head[STORE_HEAD];
};

static void
tell(struct walk *w, const char *what, const char *todo)
{
	struct buf where = { 0 };
	struct store_site site;
	char name[STORE_PRINT_SITE];

	site = *store_catalog_site_of(w->db, w->stream->site);
	store_print_site(name, &site);
	buf_printf(&where, "stream %s of %s, after record %llu", w->scope, name,
	           (unsigned long long)w->n);
	w->v->problems++;
	w->v->tell(w->v->ctx, &(struct sync_verify_problem){ what, buf_str(&where), todo });
	buf_free(&where);
}

/* The key that the node's id is the hash of, or the one that this site's heads are known to have
 * since a rotation. */
static bool
is_key_of(const struct walk *w, const uint8_t key[SYNC_PUBLIC_KEY])
{
	uint8_t node[STORE_NODE_ID], known[SYNC_PUBLIC_KEY];
	struct err err;

	if (store_catalog_site_key(w->db, w->stream->site, known, &err) == 1)
		return memcmp(known, key, sizeof known) == 0;
	sync_node_id(node, key);
	return memcmp(node, w->site.node, STORE_NODE_ID) == 0;
}

/* Signed by its node?  What was sealed here and hasn't left needs no signature yet. */
static void
check_signature(struct walk *w, const struct store_segment *seg)
{
	if (!seg->is_signed) {
		if (!w->own)
			tell(w, "a segment from elsewhere is not signed", restore_it);
		return;
	}
	if (!is_key_of(w, seg->key))
		tell(w, "the key that signed a segment isn't its node's", restore_it);
	if (!sync_verify_head(seg->key, &w->site, w->scope, seg->last, seg->head, seg->signature))
		tell(w, "a segment's signature doesn't fit its head", restore_it);
}

/* The segment behind w->n; false if the walk can't go on. */
static bool
check_segment(struct walk *w, int *rc, struct err *err)
{
	struct arena a = { .limit = SYNC_ARENA_MAX };
	struct sync_reader r;
	bool good = false;

	*rc = sync_reader_open(w->db, w->stream, w->n + 1, &a, &r, err);
	if (*rc == ERR_NOTFOUND) {
		tell(w, "the stream's end is missing", restore_it);
		*rc = 0;
	} else if (*rc == ERR_CORRUPT) {
		tell(w, err->msg, restore_it);
		*rc = 0;
	} else if (*rc == 0 && (r.seg.first != w->n + 1 ||
	                        memcmp(r.seg.head_before, w->head, STORE_HEAD) != 0)) {
		tell(w, "the next segment doesn't continue the one before it", restore_it);
	} else if (*rc == 0) {
		check_signature(w, &r.seg);
		w->n = r.seg.last;
		memcpy(w->head, r.seg.head, STORE_HEAD);
		w->v->records += (int64_t)r.count;
		good = true;
	}
	arena_free(&a);
	return good;
}

static int
check_stream(struct store_db *db, const struct store_stream *stream, const struct store_site *self,
             struct sync_verify *v, struct err *err)
{
	const struct store_site *site = store_catalog_site_of(db, stream->site);
	struct walk w = { .db = db, .v = v, .stream = stream };
	int rc = 0;

	memcpy(w.site.node, site->node, STORE_NODE_ID);
	memcpy(w.site.epoch, site->epoch, STORE_EPOCH);
	w.scope = store_catalog_scope_of(db, stream->scope);
	w.own = memcmp(site->node, self->node, STORE_NODE_ID) == 0;
	v->streams++;
	while (w.n < stream->n && check_segment(&w, &rc, err))
		;
	if (rc == 0 && w.n == stream->n && memcmp(w.head, stream->head, STORE_HEAD) != 0)
		tell(&w, "the stream's head isn't that of its last segment", restore_it);
	if (rc == 0 && w.n > stream->n)
		tell(&w, "the last segment goes beyond the stream's end", restore_it);
	return rc;
}

int
sync_verify_streams(struct store_db *db, struct sync_verify *v, struct err *err)
{
	struct store_stream *list = NULL;
	struct store_site self;
	struct arena a = { 0 };
	size_t count = 0;
	int rc;

	v->streams = v->records = v->problems = 0;
	rc = store_meta_self(db, &self, err);
	if (rc == 0)
		rc = store_stream_list(db, 0, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = check_stream(db, &list[i], &self, v, err);
	arena_free(&a);
	return rc;
}

/* sync/exchange/draft.c - what both sides of an exchange do with a message
 * (sync/exchange/exchange_priv.h). */
#include "store/base/mutant.h"
#include "sync/exchange/exchange_priv.h"
#include "sync/exchange/outgoing.h"
#include "sync/merge/ingest.h"
#include "sync/merge/retry.h"

#include <assert.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "sync: out of memory");
}

int
sync_draft_grow(struct sync_draft *d, size_t room, struct err *err)
{
	assert(d->m.stream_count == 0 && d->m.digest_count == 0);
	room += 16;
	d->m.sites = arena_take(&d->arena, room, sizeof *d->m.sites);
	d->m.scopes = arena_take(&d->arena, room, sizeof(char *));
	d->m.streams = arena_take(&d->arena, room, sizeof *d->m.streams);
	d->m.digests = arena_take(&d->arena, room, sizeof *d->m.digests);
	d->m.notes = arena_take(&d->arena, room, sizeof *d->m.notes);
	d->site_cap = d->scope_cap = d->stream_cap = d->digest_cap = d->note_cap = room;
	if (d->m.sites == NULL || d->m.scopes == NULL || d->m.streams == NULL ||
	    d->m.digests == NULL || d->m.notes == NULL)
		return no_memory(err);
	return 0;
}

int
sync_draft_open(struct sync_draft *d, struct sync_replica *r, size_t room, struct err *err)
{
	*d = (struct sync_draft){ .r = r };
	memcpy(d->m.self.node, r->self.node, STORE_NODE_ID);
	memcpy(d->m.self.epoch, r->self.epoch, STORE_EPOCH);
	d->m.now_ms = sync_clock_is_unsure(&r->clock, store_db_env(r->db)) ? SYNC_NOW_UNKNOWN
	                                                                   : sync_replica_now_ms(r);
	return sync_draft_grow(d, room, err);
}

void
sync_draft_close(struct sync_draft *d)
{
	arena_free(&d->arena);
}

static unsigned
name_site(struct sync_draft *d, const uint8_t node[STORE_NODE_ID], const uint8_t epoch[STORE_EPOCH])
{
	struct sync_view_site *view;

	for (size_t i = 0; i < d->m.site_count; i++)
		if (memcmp(d->m.sites[i].site.node, node, STORE_NODE_ID) == 0 &&
		    memcmp(d->m.sites[i].site.epoch, epoch, STORE_EPOCH) == 0)
			return (unsigned)i;
	assert(d->m.site_count < d->site_cap);
	view = &d->m.sites[d->m.site_count];
	memcpy(view->site.node, node, STORE_NODE_ID);
	memcpy(view->site.epoch, epoch, STORE_EPOCH);
	return (unsigned)d->m.site_count++;
}

static unsigned
name_scope(struct sync_draft *d, const char *name)
{
	for (size_t i = 0; i < d->m.scope_count; i++)
		if (strcmp(d->m.scopes[i], name) == 0)
			return (unsigned)i;
	assert(d->m.scope_count < d->scope_cap);
	d->m.scopes[d->m.scope_count] = name;
	return (unsigned)d->m.scope_count++;
}

static unsigned
add_stream(struct sync_draft *d, const struct sync_view_stream *view)
{
	for (size_t i = 0; i < d->m.stream_count; i++)
		if (d->m.streams[i].site == view->site && d->m.streams[i].scope == view->scope)
			return (unsigned)i;
	assert(d->m.stream_count < d->stream_cap);
	d->m.streams[d->m.stream_count] = *view;
	return (unsigned)d->m.stream_count++;
}

unsigned
sync_draft_scope(struct sync_draft *d, int id)
{
	return name_scope(d, store_catalog_scope_of(d->r->db, id));
}

unsigned
sync_draft_stream(struct sync_draft *d, const struct store_stream *stream)
{
	const struct store_site *site = store_catalog_site_of(d->r->db, stream->site);
	struct sync_view_stream view = { .n = stream->n };

	view.site = name_site(d, site->node, site->epoch);
	view.scope = sync_draft_scope(d, stream->scope);
	memcpy(view.head, stream->head, SYNC_HEAD_SHORT);
	return add_stream(d, &view);
}

unsigned
sync_draft_empty(struct sync_draft *d, const struct sync_message *m, unsigned stream)
{
	const struct sync_view_stream *theirs = &m->streams[stream];
	const struct sync_site *site = &m->sites[theirs->site].site;
	struct sync_view_stream view = { .n = 0 };

	view.site = name_site(d, site->node, site->epoch);
	view.scope = name_scope(d, m->scopes[theirs->scope]);
	return add_stream(d, &view);
}

int
sync_draft_digests(struct sync_draft *d, bool (*wanted)(void *ctx, const char *scope), void *ctx,
                   struct err *err)
{
	struct store_digest *list;
	size_t count;
	int rc = store_digest_list(d->r->db, &d->arena, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct sync_view_digest *view = &d->m.digests[d->m.digest_count];

		if (wanted != NULL && !wanted(ctx, store_catalog_scope_of(d->r->db, list[i].scope)))
			continue;
		if (d->m.digest_count == d->digest_cap)
			return err_set(err, ERR_INVALID,
			               "sync: more than %zu scopes in one message", d->digest_cap);
		view->scope = sync_draft_scope(d, list[i].scope);
		view->rows = (uint64_t)list[i].rows;
		memcpy(view->sum, list[i].sum, STORE_TERM);
		d->m.digest_count++;
	}
	return rc;
}

static int
add_segment(struct sync_draft *d, unsigned index, uint64_t n, const struct buf *bytes,
            struct err *err)
{
	struct rd r = rd_from(bytes->bytes, bytes->len);
	size_t len;
	const uint8_t *at = rd_lenbytes(&r, &len);
	struct sync_view_segment *list;

	if (d->m.segment_count == d->segment_cap) {
		d->segment_cap = d->segment_cap * 2 + 16;
		list = arena_take(&d->arena, d->segment_cap, sizeof *list);
		if (list == NULL)
			return no_memory(err);
		if (d->m.segment_count > 0)
			memcpy(list, d->m.segments, d->m.segment_count * sizeof *list);
		d->m.segments = list;
	}
	assert(rd_done(&r));
	at = arena_copy(&d->arena, at, len);
	if (at == NULL)
		return no_memory(err);
	d->m.segments[d->m.segment_count++] = (struct sync_view_segment){ index, n, at, len };
	d->bytes += len;
	return 0;
}

static int
next_segment(const struct sync_draft *d, const struct store_stream *stream, uint64_t from,
             struct buf *out, uint64_t *to, struct err *err)
{
	return d->small ? sync_outgoing_least(d->r->db, stream, from, out, to, err)
	                : sync_outgoing_next(d->r->db, stream, from, out, to, err);
}

int
sync_draft_records(struct sync_draft *d, const struct store_stream *stream, unsigned index,
                   uint64_t *n, struct err *err)
{
	const struct store_site *site = store_catalog_site_of(d->r->db, stream->site);
	struct sync_view_site *view = &d->m.sites[d->m.streams[index].site];
	size_t most = d->small ? SYNC_SMALL_BYTES : SYNC_PUSH_BYTES;
	uint64_t from = *n;
	int rc = 0;

	while (rc == 0 && *n < stream->n) {
		struct buf bytes = { 0 };
		uint64_t to;

		if (d->bytes >= most) {
			d->m.more = true;
			break;
		}
		rc = next_segment(d, stream, *n, &bytes, &to, err);
		if (rc == 0)
			rc = buf_check(&bytes, err);
		if (rc == 0 && to > *n)
			rc = add_segment(d, index, *n, &bytes, err);
		buf_free(&bytes);
		if (to == *n)
			break; /* not signed yet */
		*n = to;
	}
	if (*n > from && d->r->key_of != NULL)
		view->has_key = d->r->key_of(d->r->ctx, site, view->key);
	return rc;
}

void
sync_draft_note(struct sync_draft *d, unsigned index, uint64_t n, const char *reason)
{
	if (d->m.note_count < d->note_cap)
		d->m.notes[d->m.note_count++] = (struct sync_view_note){ index, n, reason };
}

bool
sync_draft_is_own(const struct sync_replica *r, const struct store_stream *stream)
{
	const struct store_site *site = store_catalog_site_of(r->db, stream->site);

	return memcmp(site->node, r->self.node, STORE_NODE_ID) == 0;
}

const struct sync_view_stream *
sync_draft_view(const struct sync_replica *r, const struct sync_message *m,
                const struct store_stream *stream)
{
	const struct store_site *site = store_catalog_site_of(r->db, stream->site);
	const char *scope = store_catalog_scope_of(r->db, stream->scope);

	for (size_t i = 0; i < m->stream_count; i++) {
		const struct sync_view_stream *view = &m->streams[i];
		const struct sync_site *named = &m->sites[view->site].site;

		if (memcmp(named->node, site->node, STORE_NODE_ID) == 0 &&
		    memcmp(named->epoch, site->epoch, STORE_EPOCH) == 0 &&
		    strcmp(m->scopes[view->scope], scope) == 0)
			return view;
	}
	return NULL;
}

int
sync_draft_find(const struct sync_replica *r, const struct sync_message *m, unsigned stream,
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

/* ---- taking ---- */

/*
 * A node believes its hub, whose message is signed.  A hub believes a node, whose request is signed
 * with its present key, about the keys of its earlier lives, but for the first one: a hub that
 * was put back has forgotten them.
 */
static bool
is_believed(const struct sync_replica *r, const struct sync_message *m,
            const struct sync_view_site *view)
{
	bool is_own = memcmp(m->self.node, view->site.node, STORE_NODE_ID) == 0 &&
	              memcmp(m->self.epoch, view->site.epoch, STORE_EPOCH) != 0;
	uint8_t node[STORE_NODE_ID];

	if (!r->is_hub && r->hub_known && memcmp(m->self.node, r->hub_node, STORE_NODE_ID) == 0)
		return true;
	sync_node_id(node, view->key);
	return r->is_hub ? is_own && memcmp(node, view->site.node, STORE_NODE_ID) != 0
	                 : memcmp(node, view->site.node, STORE_NODE_ID) == 0;
}

/* A site has one key for ever; what a node says wrongly of its own, it says rightly the next time.
 */
static int
take_key(struct sync_replica *r, const struct sync_view_site *view, struct err *err)
{
	uint8_t known[SYNC_PUBLIC_KEY];
	int id = 0, rc;

	rc = store_catalog_find_site(r->db, view->site.node, view->site.epoch, &id, err);
	if (rc == 0 && r->is_hub && id != 0 && store_catalog_site_key(r->db, id, known, err) == 0)
		return 0; /* what a hub has of it, it has proven by another key */
	if (rc == 0)
		rc = store_catalog_site(r->db, view->site.node, view->site.epoch, &id, err);
	if (rc == 0)
		rc = store_catalog_site_key(r->db, id, known, err);
	if (rc < 0 || (rc == 1 && !r->is_hub))
		return rc < 0 ? rc : 0;
	return store_catalog_set_site_key(r->db, id, view->key, err);
}

int
sync_draft_keys(struct sync_replica *r, const struct sync_message *m, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->site_count; i++)
		if (m->sites[i].has_key && is_believed(r, m, &m->sites[i]))
			rc = take_key(r, &m->sites[i], err);
	return rc;
}

const char sync_fork_words[] = "fork: it does not continue the records held here";

const char sync_clock_words[] = "clock: it is stamped more than a day ahead of the hub's time";

static const char gap_words[] = "gap: records before it are missing",
                  wait_words[] = "waits for records that it has seen",
                  later_words[] = "later: to compare all of it at once is too much work";

bool
sync_draft_is_of_place(const char *reason)
{
	const char *const words[] = { gap_words, wait_words, later_words, sync_fork_words };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i], reason) == 0)
			return true;
	return false;
}

static const char *
words_of(const struct sync_ingested *in)
{
	switch (in->outcome) {
	case SYNC_GAP:
		return gap_words;
	case SYNC_WAITS:
		return wait_words;
	case SYNC_FORK:
		return sync_fork_words;
	case SYNC_HELD:
		return sync_clock_words;
	case SYNC_LATER:
		return later_words;
	case SYNC_REFUSED:
		return in->reason;
	case SYNC_STORED:
	case SYNC_KNOWN:
		break;
	}
	return NULL;
}

/* One pass over the segments that are left; *progress if any was taken. */
struct pass {
	struct sync_replica *r;
	const struct sync_message *m;
	bool *done;
	bool *forked;         /* by stream: nothing after that can be taken */
	bool *held;           /* by stream: it was told that it is ahead */
	bool force;           /* the next one that waits is taken as it is */
	bool progress, taken; /* in this pass, in any */
	size_t waiting;
	sync_draft_tell *tell;
	void *ctx;
	int64_t *changes;
};

static int
take_one(struct pass *p, size_t i, struct err *err)
{
	const struct sync_view_segment *seg = &p->m->segments[i];
	const struct sync_view_stream *stream = &p->m->streams[seg->stream];
	struct sync_ingest_from from = {
		.site = p->m->sites[stream->site].site,
		.scope = p->m->scopes[stream->scope],
		.n = seg->n,
		.force = p->force,
	};
	struct rd bytes = rd_from(seg->bytes, seg->len);
	struct sync_ingested in;
	int rc;

	if (p->forked[seg->stream]) {
		p->done[i] = true;
		return 0;
	}
	rc = sync_ingest_short(p->r, &from, &bytes, &in, err);
	if (rc < 0)
		return rc;
	p->forked[seg->stream] = in.outcome == SYNC_FORK;
	if (in.outcome == SYNC_WAITS && !MUT(31)) {
		p->waiting++;
		return 0;
	}
	p->done[i] = true;
	p->force = p->force && in.outcome != SYNC_STORED;
	p->progress |= in.outcome == SYNC_STORED;
	*p->changes += in.changes;
	if (in.outcome == SYNC_HELD && p->held[seg->stream])
		return 0;
	p->held[seg->stream] |= in.outcome == SYNC_HELD;
	if (words_of(&in) != NULL)
		p->tell(p->ctx, seg->stream, in.n, words_of(&in));
	else if (in.kept_aside > 0)
		p->tell(p->ctx, seg->stream, in.aside_n, in.reason);
	return 0;
}

static int
run_pass(struct pass *p, struct err *err)
{
	int rc = 0;

	p->progress = false;
	p->waiting = 0;
	for (size_t i = 0; rc == 0 && i < p->m->segment_count; i++)
		if (!p->done[i])
			rc = take_one(p, i, err);
	return rc;
}

int
sync_draft_take(struct sync_replica *r, const struct sync_message *m, sync_draft_tell *tell,
                void *ctx, int64_t *changes, struct err *err)
{
	struct arena a = { 0 };
	struct pass p = { .r = r, .m = m, .tell = tell, .ctx = ctx, .changes = changes };
	int rc = 0;

	*changes = 0;
	p.done = arena_take(&a, m->segment_count, sizeof *p.done);
	p.forked = arena_take(&a, m->stream_count, sizeof *p.forked);
	p.held = arena_take(&a, m->stream_count, sizeof *p.held);
	if (p.done == NULL || p.forked == NULL || p.held == NULL) {
		arena_free(&a);
		return no_memory(err);
	}
	do {
		bool forced = p.force;

		rc = run_pass(&p, err);
		p.taken |= p.progress;
		/*
		 * What the rest waits for nobody can supply, unless the peer has said that more is
		 * coming; and even then if nothing of this could be taken, because the next would
		 * be the same. Records that were joined for the way can wait for each other: then
		 * the first is taken as it is.
		 */
		if (rc == 0 && p.waiting > 0 && !p.progress && !forced && (!m->more || !p.taken))
			p.force = p.progress = true;
	} while (rc == 0 && p.waiting > 0 && p.progress);
	arena_free(&a);
	/* what was refused may be right by what came behind it: the digests are to tell so */
	return rc == 0 ? sync_retry_woken(r, err) : rc;
}

/* sync/exchange/answer.c - the hub's side of an exchange (sync/exchange/exchange.h). */
#include "store/base/hash.h"
#include "store/base/mutant.h"
#include "sync/exchange/exchange.h"
#include "sync/exchange/exchange_priv.h"
#include "sync/exchange/plan.h"
#include "sync/exchange/rift.h"
#include "sync/life.h"
#include "sync/look.h"
#include "sync/merge/ingest.h"
#include "sync/reader.h"
#include "sync/seal/seal.h"

#include <string.h>

enum { REMARKS_MAX = 16, LOST_MAX = 64 };

struct answering {
	struct sync_answer *h;
	const struct sync_message *asked;
	struct sync_draft draft;
	/* remarks about what could not be taken, by stream of the request */
	struct remark {
		unsigned stream;
		uint64_t n;
		const char *reason;
		bool passed;
	} remarks[REMARKS_MAX];
	size_t remark_count;
};

static void
tell(void *ctx, unsigned stream, uint64_t n, const char *reason)
{
	struct answering *an = ctx;
	const char *words = arena_copy(&an->draft.arena, reason, strlen(reason));
	struct remark *out = NULL;

	an->h->rejected++;
	if (an->remark_count < REMARKS_MAX)
		out = &an->remarks[an->remark_count++];
	/* a fork has to be told, whatever else there is */
	for (size_t i = 0; out == NULL && i < REMARKS_MAX && strcmp(reason, sync_fork_words) == 0;
	     i++)
		if (strcmp(an->remarks[i].reason, sync_fork_words) != 0)
			out = &an->remarks[i];
	if (out != NULL)
		*out = (struct remark){ .stream = stream,
			                .n = n,
			                .reason = words == NULL ? "" : words };
}

/* *fork says that one of them is about a fork, and how far the two go together. */
static void
pass_remarks(struct answering *an, unsigned asked_index, unsigned index, bool *fork)
{
	for (size_t i = 0; i < an->remark_count; i++) {
		struct remark *remark = &an->remarks[i];

		if (remark->stream != asked_index)
			continue;
		remark->passed = true;
		sync_draft_note(&an->draft, index, remark->n, remark->reason);
		*fork |= strcmp(remark->reason, sync_fork_words) == 0;
	}
}

/* Are the records of a stream that both have the same ones?  ERR_CORRUPT: they can't be read here,
 * so it can't be told. */
static int
compare_heads(struct answering *an, const struct store_stream *stream,
              const struct sync_view_stream *view, enum sync_plan_same *same, struct err *err)
{
	uint8_t head[STORE_HEAD];
	int rc;

	*same = SYNC_SAME_YES;
	if (view == NULL || view->n == 0 || view->n > stream->n)
		return 0; /* of what we haven't got the node must judge */
	rc = sync_look_head(an->h->r, stream, view->n, head, err);
	if (rc <= 0)
		*same = SYNC_SAME_UNTOLD;
	else if (rc == 1 && memcmp(head, view->head, SYNC_HEAD_SHORT) != 0)
		*same = SYNC_SAME_NO;
	return rc < 0 ? rc : 0;
}

/* What the asking node is to a stream. */
static enum sync_plan_peer
peer_of(const struct answering *an, const struct store_stream *stream)
{
	const struct store_site *site = store_catalog_site_of(an->h->r->db, stream->site);

	if (memcmp(site->node, an->h->peer, STORE_NODE_ID) != 0)
		return SYNC_PEER_READS;
	return memcmp(site->epoch, an->asked->self.epoch, STORE_EPOCH) == 0 ? SYNC_PEER_WRITES
	                                                                    : SYNC_PEER_WROTE;
}

static const char unreadable[] = "the hub can't read its records any more";

/* What comes after `has`; of a stream that can't be read the node hears, and gets the others. */
static int
send_rest(struct answering *an, const struct store_stream *stream, unsigned index, uint64_t has,
          struct err *err)
{
	int rc = sync_draft_records(&an->draft, stream, index, &has, err);

	if (rc != ERR_CORRUPT)
		return rc;
	sync_draft_note(&an->draft, index, has, unreadable);
	return 0;
}

/* One of our streams. */
static int
answer_stream(struct answering *an, const struct store_stream *stream, struct err *err)
{
	const struct sync_view_stream *view = sync_draft_view(an->h->r, an->asked, stream);
	uint64_t has = view == NULL ? 0 : view->n;
	enum sync_plan_same same;
	enum sync_plan_step step;
	unsigned index;
	bool told = false;
	int rc;

	if (stream->n == 0 && view == NULL)
		return 0;
	rc = compare_heads(an, stream, view, &same, err);
	if (rc < 0 && rc != ERR_CORRUPT)
		return rc;
	step = sync_plan_step(peer_of(an, stream), sync_plan_compare(stream->n, has, same));
	if (step == SYNC_PLAN_NOTHING)
		return 0;
	index = sync_draft_stream(&an->draft, stream);
	if (view != NULL)
		pass_remarks(an, (unsigned)(view - an->asked->streams), index, &told);
	if (rc == ERR_CORRUPT)
		sync_draft_note(&an->draft, index, has, unreadable);
	if (step == SYNC_PLAN_FORK && !told)
		sync_draft_note(&an->draft, index, 0, sync_fork_words);
	return step == SYNC_PLAN_SEND ? send_rest(an, stream, index, has, err) : 0;
}

static bool
readable(void *ctx, const char *scope)
{
	struct answering *an = ctx;

	return an->h->may_read(an->h->ctx, an->h->peer, scope);
}

/* Its own stream is the node's to know of, whatever else of that scope it may read: that is its
 * receipt. */
static bool
may_hear(struct answering *an, const struct store_stream *stream)
{
	const struct store_site *site = store_catalog_site_of(an->h->r->db, stream->site);

	return memcmp(site->node, an->h->peer, STORE_NODE_ID) == 0 ||
	       readable(an, store_catalog_scope_of(an->h->r->db, stream->scope));
}

/* What a stream began with was refused, so that there is none of it here; its writer is to hear why
 * all the same.  Of others' streams and scopes nobody hears by trying. */
static void
pass_first_remarks(struct answering *an)
{
	const struct sync_message *m = an->asked;

	for (size_t i = 0; i < an->remark_count; i++) {
		const struct remark *remark = &an->remarks[i];
		const struct sync_view_stream *stream = &m->streams[remark->stream];

		if (!remark->passed && readable(an, m->scopes[stream->scope]) &&
		    memcmp(m->sites[stream->site].site.node, an->h->peer, STORE_NODE_ID) == 0)
			sync_draft_note(&an->draft,
			                sync_draft_empty(&an->draft, an->asked, remark->stream),
			                remark->n, remark->reason);
	}
}

/* Others' streams that the node has and there is nothing of here: silence would say that both have
 * the same. */
static int
name_lost(struct answering *an, struct err *err)
{
	const struct sync_message *m = an->asked;
	int rc = 0;
	size_t named = 0; /* what is more comes with the next meetings */

	for (unsigned i = 0; rc == 0 && named < LOST_MAX && i < m->stream_count; i++) {
		const struct sync_site *site = &m->sites[m->streams[i].site].site;
		bool lost = false;

		if (memcmp(site->node, an->h->peer, STORE_NODE_ID) != 0 &&
		    readable(an, m->scopes[m->streams[i].scope]))
			rc = sync_back_lacks(an->h->r, m, i, &lost, err);
		if (lost) {
			sync_draft_empty(&an->draft, m, i);
			named++;
		}
	}
	return rc;
}

static int
draft_reply(struct answering *an, struct store_stream *streams, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (may_hear(an, &streams[i]))
			rc = answer_stream(an, &streams[i], err);
	if (rc == 0)
		rc = name_lost(an, err);
	if (rc == 0)
		pass_first_remarks(an);
	return rc == 0 ? sync_draft_digests(&an->draft, readable, an, err) : rc;
}

static int
write_reply(struct answering *an, struct buf *reply, struct err *err)
{
	uint8_t asked[HASH_32], signature[STORE_SIGNATURE];
	size_t start = reply->len;

	hash_once(asked, sizeof asked, an->asked->part1, an->asked->part1_len);
	sync_message_write_part1(reply, &an->draft.m);
	if (buf_check(reply, err) < 0)
		return err->code;
	sync_message_sign(an->h->key, asked, reply->bytes + start, reply->len - start, signature);
	buf_put(reply, signature, sizeof signature);
	sync_message_write_part2(reply, &an->draft.m);
	return buf_check(reply, err);
}

static int
take(struct answering *an, struct err *err)
{
	struct sync_replica *r = an->h->r;
	struct sync_reads reads;
	int rc = sync_draft_keys(r, an->asked, err);

	if (rc == 0)
		rc = sync_told_find(r, an->asked, &an->draft.arena, &reads, err);
	if (rc == 0) {
		r->forgotten = (struct sync_forgotten){ reads.forgotten, reads.forgotten_count };
		rc = sync_draft_take(r, an->asked, tell, an, &an->h->changes, err);
		r->forgotten = (struct sync_forgotten){ 0 };
	}
	if (rc == 0)
		rc = sync_told_take(r, an->asked, &reads, err);
	for (size_t i = 0; rc == 0 && i < an->remark_count; i++)
		if (strcmp(an->remarks[i].reason, sync_fork_words) == 0)
			rc = sync_back_forked(r, an->asked, an->remarks[i].stream, an->remarks[i].n,
			                      err);
	memcpy(an->draft.m.self.epoch, r->self.epoch, STORE_EPOCH); /* it may be another now */
	return rc;
}

/* Whoever keeps how nodes stand hears of it. */
static int
keep_met(struct answering *an, struct err *err)
{
	struct sync_level level;

	if (an->h->met == NULL)
		return 0;
	level = sync_level_of(an->asked, &an->draft.m);
	return an->h->met(an->h->met_ctx, an->h->peer, &level, err);
}

/* In the transaction: take, then say what we have. */
static int
take_and_say(struct answering *an, struct buf *reply, struct err *err)
{
	struct sync_replica *r = an->h->r;
	struct sync_rift_asked looked = { an->asked, readable, an };
	struct store_stream *streams;
	size_t count;
	int rc = sync_draft_open(&an->draft, r, 0, err);

	if (rc == 0)
		rc = sync_life_met(r, &an->asked->self, err);
	if (rc == 0 && !MUT(123))
		rc = sync_life_receipt(r, an->asked->counter, err);
	if (rc == 0)
		rc = take(an, err);
	if (rc == 0)
		rc = sync_rift_say_asked(r, &looked, err);
	if (rc == 0)
		rc = sync_seal_sign(r, an->h->key, err);
	if (rc == 0)
		rc = store_stream_list(r->db, 0, &an->draft.arena, &streams, &count, err);
	if (rc == 0)
		rc = sync_draft_grow(&an->draft, count * 2 + an->asked->stream_count + REMARKS_MAX,
		                     err);
	if (rc == 0 && an->asked->question_count > 0)
		rc = sync_rift_answer(&an->draft, &looked, err);
	if (rc == 0)
		rc = draft_reply(an, streams, count, err);
	if (rc == 0)
		rc = sync_life_next_receipt(r->db, &an->draft.m.counter, err);
	memcpy(an->draft.m.peer_epoch, an->asked->self.epoch, STORE_EPOCH);
	if (rc == 0)
		rc = keep_met(an, err);
	return rc == 0 ? write_reply(an, reply, err) : rc;
}

int
sync_exchange_answer(struct sync_answer *h, const uint8_t *request, size_t len, struct buf *reply,
                     struct err *err)
{
	struct answering an = { .h = h };
	struct store_site self = h->r->self;
	struct sync_message m;
	struct arena a = { 0 };
	int rc = sync_message_read(request, len, false, &a, &m, err);

	an.asked = &m;
	h->changes = h->rejected = 0;
	h->moved = m.segment_count > 0;
	if (rc == 0 && memcmp(m.self.node, h->peer, STORE_NODE_ID) != 0 && !MUT(118))
		rc = err_set(err, ERR_DENIED,
		             "the message names another node than the one that signed the request");
	if (rc == 0)
		rc = sync_ingest_begin(h->r, err);
	if (rc < 0)
		goto out;
	rc = take_and_say(&an, reply, err);
	if (rc == 0 && !MUT(1))
		rc = sync_ingest_end(h->r, err);
	else
		sync_ingest_abort(h->r);
	if (rc < 0)
		h->r->self = self;
out:
	sync_draft_close(&an.draft);
	arena_free(&a);
	return rc;
}

#include "sync/exchange/exchange.h"
#include "store/base/mutant.h"
#include "store/base/text.h"
#include "store/remote.h"
#include "sync/exchange/exchange_priv.h"
#include "sync/exchange/plan.h"
#include "sync/exchange/rift.h"
#include "sync/life.h"
#include "sync/merge/ingest.h"
#include "sync/reader.h"
#include "sync/seal/seal.h"

#include <assert.h>
#include <string.h>

static const char hub_name[] = "hub";

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "sync: out of memory");
}

/* ---- the node asks ---- */

/* Is there more of a stream of ours than the hub has receipted? */
static bool
goes_up(const struct store_stream *stream, uint64_t acked)
{
	return sync_plan_step(SYNC_PEER_READS,
	                      sync_plan_compare(stream->n, acked, SYNC_SAME_YES)) == SYNC_PLAN_SEND;
}

/* What there is of a stream.  Records of this node (of any of its lives) go up from where the hub's
 * present life has acknowledged them; others', where the hub has lost them. */
static int
say_and_push(struct sync_exchange *x, struct sync_draft *d, struct store_stream *stream,
             const struct store_remote *hub, struct err *err)
{
	bool own = sync_draft_is_own(x->r, stream);
	uint64_t acked = 0;
	unsigned index;
	int rc;

	if (!own && stream->n == 0)
		return 0; /* it was only heard of, by a relay */
	rc = sync_parted_say(x, stream, err);
	if (rc < 0)
		return rc;
	index = sync_draft_stream(d, stream);
	if (!own)
		return sync_back_lend(x, d, stream, index, err);
	if (hub->epoch_known)
		rc = store_stream_acked(x->r->db, stream->id, hub->epoch, &acked, err);
	if (rc == 0 && goes_up(stream, acked))
		rc = sync_draft_records(d, stream, index, &acked, err);
	if (MUT(2) && rc == 0 && hub->epoch_known)
		rc = store_stream_set_acked(x->r->db, stream->id, hub->epoch, stream->n, err);
	return rc;
}

static int
remember_said(struct sync_exchange *x, const struct store_stream *streams, size_t count,
              struct err *err)
{
	arena_free(&x->said_arena);
	x->said = arena_take(&x->said_arena, count, sizeof *x->said);
	x->said_count = count;
	if (x->said == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++)
		x->said[i] = (struct said){ streams[i].id, streams[i].n };
	return 0;
}

static int
draft_request(struct sync_exchange *x, struct sync_draft *d, struct buf *out, struct err *err)
{
	struct store_stream *streams;
	struct store_remote hub;
	size_t count = 0;
	int rc = store_remote_get(x->r->db, hub_name, &d->arena, &hub, err);

	if (rc == 0)
		rc = store_stream_list(x->r->db, 0, &d->arena, &streams, &count, err);
	if (rc == 0)
		rc = remember_said(x, streams, count, err);
	if (hub.epoch_known)
		memcpy(d->m.peer_epoch, hub.epoch, STORE_EPOCH);
	d->m.counter = hub.counter;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = say_and_push(x, d, &streams[i], &hub, err);
	if (rc == 0)
		rc = sync_rift_ask(x->look, d, err);
	if (rc == 0)
		rc = sync_draft_digests(d, NULL, NULL, err);
	if (rc < 0)
		return rc;
	x->more_to_push = d->m.more;
	sync_message_write_part1(out, &d->m);
	if (buf_check(out, err) < 0)
		return err->code;
	hash_once(x->asked, HASH_32, out->bytes, out->len);
	sync_message_write_part2(out, &d->m);
	return buf_check(out, err);
}

static int
count_streams(struct store_db *db, size_t *count, struct err *err)
{
	struct store_stream *list;
	struct arena a = { 0 };
	int rc = store_stream_list(db, 0, &a, &list, count, err);

	arena_free(&a);
	return rc;
}

int
sync_exchange_ask(struct sync_exchange *x, struct buf *request, struct err *err)
{
	struct sync_draft d = { 0 };
	struct sync_sealed sealed;
	size_t count;
	int rc;

	assert(request->len == 0);
	rc = store_db_begin(x->r->db, err);
	if (rc == 0)
		rc = sync_seal(x->r, &sealed, err);
	if (rc == 0)
		rc = sync_rift_say(x->look, x->r, err);
	if (rc == 0)
		rc = sync_seal_sign(x->r, x->key, err);
	if (rc == 0)
		rc = count_streams(x->r->db, &count, err);
	if (rc == 0)
		rc = sync_draft_open(&d, x->r, count * 2, err);
	d.small = x->small || (x->probe && x->round_trips == 0);
	if (rc == 0)
		rc = draft_request(x, &d, request, err);
	if (rc == 0)
		rc = store_db_commit(x->r->db, err);
	sync_draft_close(&d);
	if (rc < 0) {
		store_db_rollback(x->r->db);
		return rc;
	}
	rc = sync_session_step(&x->state, SYNC_EV_ASK);
	assert(rc >= 0); /* a meeting asks once at a time */
	x->round_trips++;
	x->asked_at = sync_clock_look(store_db_env(x->r->db));
	return 0;
}

/* ---- the node takes the reply ---- */

/* A reply, and who takes it. */
struct taking {
	struct sync_exchange *x;
	const struct sync_message *m;
	bool *healed; /* by stream of the message: what it says against it is settled */
};

/* What goes up once more is refused once more. */
static bool
was_told(const struct sync_exchange *x, const char *scope, uint64_t n, const char *reason)
{
	for (size_t i = 0; i < x->rejected_count; i++)
		if (x->rejected[i].n == n && strcmp(x->rejected[i].scope, scope) == 0 &&
		    strncmp(x->rejected[i].reason, reason, sizeof x->rejected[i].reason - 1) == 0)
			return true;
	return false;
}

static void
tell_rejected(void *ctx, unsigned stream, uint64_t n, const char *reason)
{
	const struct taking *t = ctx;
	const struct sync_message *m = t->m;
	struct sync_exchange *x = t->x;
	const char *scope = m->scopes[m->streams[stream].scope];
	struct sync_rejected *out;

	if (strcmp(reason, sync_fork_words) == 0 && sync_parted_found(x, m, stream, n))
		return;
	if (x->rejected_count == SYNC_REJECTED_MAX || was_told(x, scope, n, reason))
		return;
	out = &x->rejected[x->rejected_count++];
	out->n = n;
	text_copy(out->scope, sizeof out->scope, scope);
	text_copy(out->reason, sizeof out->reason, reason);
}

/* A receipt for what was written here; what came back by this reply wasn't sent. */
static int
raise_acked(struct sync_exchange *x, const struct sync_message *m,
            const struct store_stream *stream, uint64_t before, uint64_t has, struct err *err)
{
	uint64_t said = sync_exchange_said_of(x, stream), to = has < said ? has : said;
	int64_t changes = 0;
	int rc = 0;

	if (to > before)
		rc = sync_reader_changes(x->r->db, stream, before, to, &changes, err);
	x->sent += changes;
	x->moved = true;
	return rc == 0 ? store_stream_set_acked(x->r->db, stream->id, m->self.epoch, has, err) : rc;
}

/* The hub holds less than it had acknowledged: it was put back, and gets the rest once more. */
static int
lower_acked(struct sync_exchange *x, const struct sync_message *m,
            const struct store_stream *stream, uint64_t has, struct err *err)
{
	int rc = store_stream_lower_acked(x->r->db, stream->id, m->self.epoch, has, err);

	x->more_to_push = x->moved = x->went_back = true;
	return rc == 0 ? sync_life_hub_went_back(x->r, err) : rc;
}

/* What the hub has of a stream that it calls another's is no receipt for ours. */
static bool
is_disputed(const struct taking *t, const struct store_stream *stream)
{
	const struct sync_view_stream *view = sync_draft_view(t->x->r, t->m, stream);

	return view != NULL && t->healed[view - t->m->streams];
}

static int
take_receipts(const struct taking *t, const struct store_stream *streams, size_t count,
              struct err *err)
{
	struct sync_exchange *x = t->x;
	const struct sync_message *m = t->m;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		uint64_t has, before;
		bool same_head;

		if (!sync_draft_is_own(x->r, &streams[i]) || is_disputed(t, &streams[i]))
			continue;
		has = sync_exchange_hub_has(x, m, &streams[i], &same_head);
		if (has > streams[i].n || !same_head)
			continue; /* not our history */
		rc = store_stream_acked(x->r->db, streams[i].id, m->self.epoch, &before, err);
		if (rc == 0 && has > before)
			rc = raise_acked(x, m, &streams[i], before, has, err);
		else if (rc == 0 && has < before)
			rc = lower_acked(x, m, &streams[i], has, err);
	}
	return rc;
}

/*
 * Records of an earlier life of this node that came from the hub: where they are later than the
 * beginning of this one they were written by a copy of it that is in use, else before this file was
 * put back.
 */
static int
look_for_lives(struct sync_exchange *x, const struct store_stream *streams, size_t count,
               struct err *err)
{
	int64_t began;
	bool came = false;
	int rc = sync_life_began(x->r->db, &began, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!sync_draft_is_own(x->r, &streams[i]) || streams[i].site == x->r->self.id ||
		    streams[i].n <= sync_exchange_said_of(x, &streams[i]))
			continue;
		if (streams[i].last_stamp > STORE_STAMP(began, UINT16_MAX))
			return sync_life_is_cloned(x->r, err);
		came = true;
	}
	return rc == 0 && came && !MUT(122) ? sync_life_is_restored(x->r, err) : rc;
}

struct sync_clock_heard
sync_exchange_heard(const struct sync_exchange *x, const struct sync_message *m)
{
	return (struct sync_clock_heard){ m->now_ms, MUT(121) ? x->came_at : x->asked_at,
		                          x->came_at };
}

static int
note_hub(struct sync_exchange *x, const struct sync_message *m, struct arena *a, struct err *err)
{
	struct store_remote hub;
	int rc = store_remote_get(x->r->db, hub_name, a, &hub, err);

	if (rc < 0)
		return rc;
	x->reborn = hub.epoch_known && memcmp(hub.epoch, m->self.epoch, STORE_EPOCH) != 0;
	x->went_back |= x->reborn;
	if (x->reborn)
		rc = sync_life_hub_went_back(x->r, err);
	if (rc < 0)
		return rc;
	hub.epoch_known = true;
	memcpy(hub.epoch, m->self.epoch, STORE_EPOCH);
	hub.counter = m->counter;
	if (m->now_ms != SYNC_NOW_UNKNOWN) {
		struct sync_clock_heard heard = sync_exchange_heard(x, m);

		hub.clock_offset_ms = sync_clock_offset_by(&x->r->clock, &heard);
		sync_clock_hear(&x->r->clock, &heard);
	}
	rc = store_remote_put(x->r->db, hub_name, &hub, err);
	if (rc == 0)
		rc = store_remote_set_receipt(x->r->db, hub_name, m->part1,
		                              m->part1_len + STORE_SIGNATURE, err);
	if (rc < 0 || m->now_ms == SYNC_NOW_UNKNOWN)
		return rc;
	return store_meta_set_int(x->r->db, SYNC_META_KNOWN, m->now_ms, err);
}

/* Has the hub or this node anything now that it hadn't before this round? */
static void
see_progress(struct sync_exchange *x, const struct store_stream *streams, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (streams[i].n > sync_exchange_said_of(x, &streams[i]))
			x->moved = true;
}

/* It is told at once that it went back: with the next request goes how this node stands now. */
static bool
hears_once_more(const struct sync_exchange *x)
{
	return x->went_back && x->round_trips == 1;
}

/* A round that has moved nothing is the last: the next would say the same. */
static int
settle(const struct taking *t, struct arena *a, bool *again, struct err *err)
{
	struct sync_exchange *x = t->x;
	const struct sync_message *m = t->m;
	struct store_stream *streams;
	size_t count;
	int rc = store_stream_list(x->r->db, 0, a, &streams, &count, err);

	x->moved = x->healed || x->hold || x->lent_moved || x->parted_healed;
	x->went_back = false;
	if (rc == 0)
		rc = take_receipts(t, streams, count, err);
	if (rc == 0)
		see_progress(x, streams, count);
	if (rc == 0)
		rc = look_for_lives(x, streams, count, err);
	if (rc == 0 && !x->healed && !x->hold)
		rc = sync_parted_look(x, m, streams, count, err);
	if (rc == 0)
		rc = sync_exchange_take_digests(x, m, streams, count, err);
	if (rc == 0)
		rc = note_hub(x, m, a, err);
	/* Another life of the hub's, which was asked as if it had what the one before had: the next
	 * round begins where this one is. */
	x->more_to_push |= x->reborn && !sync_exchange_hub_has_ours(x, m, streams, count);
	/* What was lent to the one before may have forked from what that wrote meanwhile. */
	x->lent_moved |= x->reborn && x->lent_count > 0;
	x->moved |= x->reborn;
	*again = (m->more || x->more_to_push || x->healed || x->lent_moved || x->parted_healed ||
	          x->parted_count > 0 || hears_once_more(x)) &&
	         x->moved && !MUT(19);
	if (rc == 0 && !*again)
		rc = sync_exchange_rift(x, m, streams, count, again, err);
	return rc;
}

/*
 * In the transaction: our own first, then what the reply brings.  Where a new life began that waits
 * for the next reply: this one lacks the other branch of our own, and what has seen that isn't to
 * come before it.
 */
static int
take_and_settle(struct taking *t, struct arena *a, bool *again, int64_t *changes, struct err *err)
{
	struct sync_exchange *x = t->x;
	int rc = sync_draft_keys(x->r, t->m, err);

	t->healed = arena_take(a, t->m->stream_count, sizeof *t->healed);
	if (rc == 0 && t->healed == NULL)
		rc = no_memory(err);
	if (rc == 0)
		rc = sync_fork_heal(x, t->m, t->healed, err);
	if (rc == 0)
		rc = sync_back_see(x, t->m, err);
	if (rc == 0 && !x->healed && !x->hold)
		rc = sync_draft_take(x->r, t->m, tell_rejected, t, changes, err);
	if (rc == 0)
		rc = sync_parted_heal(x, err);
	return rc == 0 ? settle(t, a, again, err) : rc;
}

static int
take_reply(struct sync_exchange *x, const struct sync_message *m, struct arena *a, bool *again,
           struct err *err)
{
	struct taking taking = { .x = x, .m = m };
	struct store_site self = x->r->self;
	int64_t changes = 0;
	int rc = sync_ingest_begin(x->r, err);

	if (rc < 0)
		return rc;
	rc = take_and_settle(&taking, a, again, &changes, err);
	if (rc < 0) {
		x->r->self = self;
		sync_ingest_abort(x->r);
		return rc;
	}
	x->received += changes;
	/* what a hub in another life has no place for yet has one by the next request */
	for (size_t i = 0; i < m->note_count; i++)
		if (!taking.healed[m->notes[i].stream] &&
		    !sync_parted_is(x, m, m->notes[i].stream) &&
		    !(x->reborn && *again && sync_draft_is_of_place(m->notes[i].reason)))
			tell_rejected(&taking, m->notes[i].stream, m->notes[i].n,
			              m->notes[i].reason);
	rc = sync_ingest_end(x->r, err);
	if (rc < 0)
		x->r->self = self;
	return rc;
}

int
sync_exchange_take(struct sync_exchange *x, const uint8_t *reply, size_t len, bool *again,
                   struct err *err)
{
	struct arena a = { 0 };
	struct sync_message m;
	int rc;

	*again = false;
	if (sync_session_step(&x->state, SYNC_EV_REPLY) < 0)
		return err_set(err, ERR_DENIED, "a reply came that nobody asked for");
	x->came_at = sync_clock_look(store_db_env(x->r->db));
	rc = sync_message_read(reply, len, true, &a, &m, err);
	if (rc == 0 && !MUT(3) && !sync_message_proven(&m, x->asked, x->hub_key))
		rc = err_set(
		        err, ERR_DENIED,
		        "the reply is not signed by our hub: captive portal, or another machine?");
	if (rc == 0)
		rc = take_reply(x, &m, &a, again, err);
	arena_free(&a);
	sync_session_step(&x->state, rc < 0 ? SYNC_EV_LOST : *again ? SYNC_EV_MORE : SYNC_EV_ALL);
	return rc;
}

void
sync_exchange_end(struct sync_exchange *x)
{
	sync_rift_free(x->look);
	x->look = NULL;
	arena_free(&x->said_arena);
	x->said = NULL;
	x->said_count = 0;
}

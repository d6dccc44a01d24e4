#include "node/core.h"
#include "store/base/mutant.h"
#include "store/log.h"
#include "store/remote.h"
#include "store/stmt.h"
#include "store/track.h"
#include "sync/exchange/outgoing.h"
#include "sync/rot.h"
#include "sync/seal/seal.h"

#include <assert.h>
#include <string.h>

enum { DAY_MS = 86400000 };

static const char hub_name[] = "hub";

static int64_t
mono(const struct node *n)
{
	return env_mono_ms(store_db_env(n->r.db));
}

/* ---- opening ---- */

int
node_reload(struct node *n, struct err *err)
{
	struct store_remote hub;
	struct arena a = { 0 };
	int rc = store_remote_get(n->r.db, hub_name, &a, &hub, err);

	if (rc == 0) {
		n->has_hub = hub.enrolled;
		memcpy(n->hub_key, hub.key, sizeof n->hub_key);
		if (hub.enrolled) {
			sync_node_id(n->r.hub_node, hub.key);
			n->r.hub_known = true;
		}
	}
	arena_free(&a);
	return rc;
}

/* As the last life of this process knew it. */
static int
start_clock(struct node *n, struct err *err)
{
	struct store_remote hub;
	struct arena a = { 0 };
	int64_t known;
	int rc = store_meta_get_int(n->r.db, SYNC_META_KNOWN, 0, &known, err);

	if (rc == 0)
		rc = store_remote_get(n->r.db, hub_name, &a, &hub, err);
	if (rc == 0)
		sync_clock_start(&n->r.clock, store_db_env(n->r.db), known, hub.clock_offset_ms);
	arena_free(&a);
	return rc;
}

int
node_open(struct node *n, struct store_db *merge, const struct sync_key *key, bool is_hub,
          struct err *err)
{
	int rc;

	*n = (struct node){ .key = *key, .interval_ms = NODE_SYNC_MS };
	rc = sync_replica_open(&n->r, merge, is_hub, err);
	if (rc == 0 && !is_hub)
		rc = node_reload(n, err);
	if (rc == 0 && !is_hub)
		rc = start_clock(n, err);
	if (rc == 0 && is_hub) {
		n->r.hub_known = true;
		memcpy(n->r.hub_node, n->r.self.node, STORE_NODE_ID);
	}
	n->next_sync_mono_ms = n->next_house_mono_ms = mono(n);
	return rc;
}

void
node_close(struct node *n)
{
	sync_exchange_end(&n->x);
	sync_replica_close(&n->r);
	sync_key_wipe(&n->key);
}

void
node_effects_clear(struct node_effects *fx)
{
	buf_free(&fx->request);
	*fx = (struct node_effects){ 0 };
}

/* ---- housekeeping ---- */

static int
seal_now(struct node *n, struct err *err)
{
	struct sync_sealed sealed;
	int rc = store_db_begin(n->r.db, err);

	if (rc == 0)
		rc = sync_seal(&n->r, &sealed, err);
	if (rc == 0)
		rc = store_db_commit(n->r.db, err);
	if (rc < 0)
		store_db_rollback(n->r.db);
	return rc;
}

static int
seal_if_due(struct node *n, struct err *err)
{
	int64_t waiting, oldest, now = env_wall_ms(store_db_env(n->r.db));
	int rc = store_log_waiting(n->r.db, &waiting, &oldest, err);

	if (rc < 0 || waiting == 0)
		return rc;
	if (waiting < NODE_SEAL_CHANGES && now - oldest < NODE_SYNC_MS && now >= oldest)
		return 0;
	return seal_now(n, err);
}

/*
 * An incident doesn't wait for the next meeting.  Where the line is down it waits with everything
 * else: whoever asks more often then, keeps the hub from getting up.
 */
static int
hurry_if_urgent(struct node *n, struct err *err)
{
	bool urgent = false;
	int rc = 0;

	if (n->has_hub && !n->meeting && n->failures == 0)
		rc = store_log_is_urgent(n->r.db, &urgent, err);
	if (urgent)
		n->next_sync_mono_ms = mono(n);
	return rc;
}

/*
 * Something in the file couldn't be read, as *err says.  1 if that was made good; else the error
 * that it was.
 */
static int
heal_rot(struct node *n, int64_t *healed, struct err *err)
{
	struct store_site self = n->r.self;
	struct sync_sealed sealed;
	int64_t count = 0;
	struct err why;
	int rc = n->r.is_hub ? ERR_CORRUPT : store_db_begin(n->r.db, &why);

	if (rc < 0)
		return err->code;
	rc = sync_seal(&n->r, &sealed, &why);
	if (rc == 0)
		rc = sync_rot_heal(&n->r, &count, &why);
	if (rc == 0)
		rc = store_db_commit(n->r.db, &why);
	if (rc < 0) {
		store_db_rollback(n->r.db);
		n->r.self = self;
	}
	*healed += count;
	return rc == 0 && count > 0 ? 1 : err->code;
}

static int
roll_up(struct node *n, struct err *err)
{
	int today = (int)(sync_replica_now_ms(&n->r) / DAY_MS);
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count;
	int rc = store_db_begin(n->r.db, err);

	if (rc < 0)
		return rc;
	rc = sync_seal_sign(&n->r, &n->key, err);
	if (rc == 0)
		rc = store_stream_list(n->r.db, 0, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		int64_t joined;

		rc = sync_outgoing_roll_up(n->r.db, &list[i], today, &joined, err);
		if (rc == ERR_CORRUPT && n->r.is_hub)
			rc = 0; /* it stays as it is: verify tells; a hub has nobody to ask */
	}
	arena_free(&a);
	if (rc == 0)
		rc = store_db_commit(n->r.db, err);
	if (rc < 0)
		store_db_rollback(n->r.db);
	return rc;
}

/* Somebody altered a table: its triggers are made anew before more is written. */
static int
follow_schema(struct node *n, struct err *err)
{
	int64_t version;
	int rc = store_stmt_int(n->r.db, "PRAGMA schema_version", 0, &version, err);

	if (rc < 0 || version == n->schema_version)
		return rc;
	rc = store_db_begin(n->r.db, err);
	if (rc == 0)
		rc = store_track_refresh(n->r.db, n->r.is_hub, err);
	if (rc == 0)
		rc = store_db_commit(n->r.db, err);
	if (rc < 0) {
		store_db_rollback(n->r.db);
		return rc;
	}
	/* making triggers moves the number too */
	return store_stmt_int(n->r.db, "PRAGMA schema_version", 0, &n->schema_version, err);
}

static int
keep_house(struct node *n, struct node_effects *fx, struct err *err)
{
	int left, rc = follow_schema(n, err);

	if (rc == 0)
		rc = hurry_if_urgent(n, err);
	if (rc == 0)
		rc = seal_if_due(n, err);
	if (rc == 0 && mono(n) >= n->next_house_mono_ms) {
		rc = roll_up(n, err);
		if (rc == ERR_CORRUPT && heal_rot(n, &fx->healed, err) == 1)
			rc = 0;
		n->next_house_mono_ms = mono(n) + NODE_HOUSE_MS;
	}
	return rc < 0 ? rc : store_db_checkpoint(n->r.db, NODE_CHECKPOINT_PAGES, &left, err);
}

/* ---- meetings ---- */

static int
note_attempt(struct node *n, const struct node_met *met, struct err *err)
{
	int64_t now = env_wall_ms(store_db_env(n->r.db));
	struct store_remote hub;
	struct arena a = { 0 };
	int rc = store_db_begin(n->r.db, err);

	if (rc < 0)
		return rc;
	rc = store_remote_get(n->r.db, hub_name, &a, &hub, err);
	hub.last_attempt_ms = now;
	if (met->ok)
		hub.last_success_ms = now;
	hub.last_error = met->words;
	if (rc == 0)
		rc = store_remote_put(n->r.db, hub_name, &hub, err);
	if (rc == 0)
		rc = store_db_commit(n->r.db, err);
	if (rc < 0)
		store_db_rollback(n->r.db);
	arena_free(&a);
	return rc;
}

/* Full jitter (random between nothing and the cap): a thousand nodes that lost the hub together
 * don't return together. */
static int64_t
back_off(struct node *n, int64_t at_least)
{
	int64_t cap = NODE_BACKOFF_MIN_MS;
	uint32_t draw;

	/* What asks us to wait isn't signed: a portal must not silence a node for a day. */
	if (at_least > NODE_BACKOFF_MAX_MS)
		at_least = NODE_BACKOFF_MAX_MS;
	/* Who knows our turn is believed; who is only silent is asked ever more seldom. */
	for (int i = 0; at_least == 0 && i < n->failures && cap < NODE_BACKOFF_MAX_MS; i++)
		cap *= 2;
	cap += at_least / 4;
	if (cap > NODE_BACKOFF_MAX_MS)
		cap = NODE_BACKOFF_MAX_MS;
	env_rand(store_db_env(n->r.db), &draw, sizeof draw);
	return at_least + (int64_t)(draw % (uint64_t)cap);
}

static int
end_meeting(struct node *n, bool ok, const char *words, int64_t retry_after_ms,
            struct node_effects *fx, struct err *err)
{
	struct node_met *met = &fx->meeting;

	fx->met = true;
	met->ok = ok;
	strncpy(met->words, words, sizeof met->words - 1);
	met->sent = n->x.sent;
	met->received = n->x.received;
	met->round_trips = n->x.round_trips;
	met->rejected_count = n->x.rejected_count;
	memcpy(met->rejected, n->x.rejected, sizeof met->rejected);
	if (ok) {
		met->kept_count = n->r.kept_count;
		memcpy(met->kept, n->r.kept, sizeof met->kept);
		n->r.kept_count = 0; /* told once; the list of what needs a person has it */
	}
	sync_exchange_end(&n->x);
	n->meeting = MUT(29) && !ok;
	n->failures = ok ? 0 : n->failures + 1;
	n->stalls = ok ? 0 : n->stalls;
	n->next_sync_mono_ms =
	        MUT(20) && n->failures > 1
	                ? INT64_MAX
	                : mono(n) + (ok ? n->interval_ms : back_off(n, retry_after_ms));
	return note_attempt(n, met, err);
}

static int
ask(struct node *n, struct node_effects *fx, struct err *err)
{
	int rc;

	buf_clear(&fx->request);
	rc = sync_exchange_ask(&n->x, &fx->request, err);
	if (rc == ERR_CORRUPT && heal_rot(n, &fx->healed, err) == 1) {
		buf_clear(&fx->request);
		rc = sync_exchange_ask(&n->x, &fx->request, err);
	}
	fx->send = fx->anchor = rc == 0;
	return rc;
}

static int
begin_meeting(struct node *n, struct node_effects *fx, struct err *err)
{
	if (n->meeting || !n->has_hub)
		return 0;
	n->x = (struct sync_exchange){ .r = &n->r,
		                       .key = &n->key,
		                       .small = n->stalls >= NODE_STALLS,
		                       .probe = n->failures > 0 };
	memcpy(n->x.hub_key, n->hub_key, sizeof n->hub_key);
	n->meeting = true;
	return ask(n, fx, err);
}

static int
take_reply(struct node *n, const struct node_event *ev, struct node_effects *fx, struct err *err)
{
	bool again;
	int rc;

	if (!n->meeting)
		return 0; /* of a meeting that was given up */
	rc = sync_exchange_take(&n->x, ev->bytes, ev->len, &again, err);
	if (rc == ERR_CORRUPT) /* the reply; or a record here that it made us read: */
		heal_rot(n, &fx->healed, err); /* then the next meeting finds it made good */
	if (rc == ERR_DENIED || rc == ERR_CORRUPT)
		return end_meeting(n, false, err->msg, 0, fx, err);
	if (rc < 0)
		return rc;
	if (again)
		return ask(n, fx, err);
	/* Records that one side refused the other has alone: the line was good, but all is not
	 * well. A change kept aside in a record that was taken is another matter. */
	return end_meeting(n, true,
	                   n->x.rejected_count > 0 && !n->x.level ? n->x.rejected[0].reason : "", 0,
	                   fx, err);
}

static int
lose(struct node *n, const struct node_event *ev, struct node_effects *fx, struct err *err)
{
	if (!n->meeting)
		return 0;
	fx->meeting.denied = ev->denied;
	sync_session_step(&n->x.state, SYNC_EV_LOST);
	n->stalls += ev->stalled;
	return end_meeting(n, false, ev->words == NULL ? "no answer" : ev->words,
	                   ev->retry_after_ms, fx, err);
}

int
node_step(struct node *n, const struct node_event *ev, struct node_effects *fx, struct err *err)
{
	int rc = 0;

	node_effects_clear(fx);
	switch (ev->type) {
	case NODE_EV_TICK:
		rc = keep_house(n, fx, err);
		if (rc == 0 && !n->r.is_hub && mono(n) >= n->next_sync_mono_ms)
			rc = begin_meeting(n, fx, err);
		break;
	case NODE_EV_SYNC:
		rc = begin_meeting(n, fx, err);
		break;
	case NODE_EV_REPLY:
		rc = take_reply(n, ev, fx, err);
		break;
	case NODE_EV_LOST:
		rc = lose(n, ev, fx, err);
		break;
	}
	fx->wake_mono_ms = n->next_house_mono_ms;
	if (!n->r.is_hub && n->has_hub && !n->meeting && n->next_sync_mono_ms < fx->wake_mono_ms)
		fx->wake_mono_ms = n->next_sync_mono_ms;
	return rc;
}

/* ---- the hub ---- */

int
hub_step(struct node *n, const struct hub_request *rq, struct hub_effects *fx, struct err *err)
{
	struct sync_answer answer = {
		.r = &n->r,
		.key = &n->key,
		.may_read = rq->may_read,
		.ctx = rq->ctx,
		.met = rq->met,
		.met_ctx = rq->met_ctx,
	};
	int rc;

	*fx = (struct hub_effects){ .status = 200 };
	memcpy(answer.peer, rq->peer, STORE_NODE_ID);
	rc = sync_exchange_answer(&answer, rq->bytes, rq->len, &fx->reply, err);
	fx->changes = answer.changes;
	fx->rejected = answer.rejected;
	fx->moved = answer.moved;
	if (rc != ERR_CORRUPT && rc != ERR_DENIED)
		return rc;
	fx->status = rc == ERR_DENIED ? 403 : 400;
	buf_clear(&fx->reply);
	buf_printf(&fx->reply, "%s", err->msg);
	return 0;
}

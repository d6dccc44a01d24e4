/* tests/sim/check.c - the oracle. */
#include "tests/sim/check.h"
#include "node/facility/schema.h"
#include "node/status.h"
#include "store/inspect.h"
#include "store/rift.h"
#include "store/stmt.h"
#include "store/stream.h"
#include "sync/verify.h"
#include "tests/sim/mould.h"
#include "tests/sim/rand.h"
#include "tests/sim/reference.h"
#include "tests/sim/replay.h"
#include "tests/sim/share.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOCK_OFF_MS = 2000, DRIFT_MS = 1000 /* of two clocks, while a request is answered */ };
enum { AHEAD_MS = 25 * 3600 * 1000 /* a day, and how clocks drift */ };

/* ---- after a meeting ---- */

/* Of this life's streams the acknowledged number never falls while the hub's life lasts, but by
 * what a hub that was put back has forgotten.  Its anchor knows of its own records alone: of
 * others' it may have lost some and be in the same life. */
static void
check_cursors(struct sim_peer *p)
{
	struct sim *s = p->sim;
	const uint8_t *life = s->peers[0].st.node.r.self.epoch; /* a meeting may have begun it */
	struct store_stream *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	struct err err;
	int rc;

	if (!s->peers[0].open)
		return;
	rc = store_stream_list(p->st.merge, 0, &a, &list, &count, &err);
	if (memcmp(p->hub_epoch, life, STORE_EPOCH) != 0)
		memset(p->acked, 0, sizeof p->acked);
	memcpy(p->hub_epoch, life, STORE_EPOCH);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		uint64_t acked, *before = &p->acked[list[i].id % 16];

		if (list[i].site != p->st.node.r.self.id)
			continue;
		rc = store_stream_acked(p->st.merge, list[i].id, life, &acked, &err);
		if (rc == 0 && acked > list[i].n)
			sim_fail(s, "peer %u: %llu records are acknowledged of a stream of %llu",
			         p->no, (unsigned long long)acked, (unsigned long long)list[i].n);
		if (rc == 0 && acked < *before && !s->hub_lost)
			sim_fail(s, "peer %u: acknowledged fell from %llu to %llu", p->no,
			         (unsigned long long)*before, (unsigned long long)acked);
		*before = acked;
	}
	arena_free(&a);
	sim_peer_bears(p, rc, &err, "look at its streams");
}

/* How much the hub has of a stream of this peer's: nothing, if it has never heard of it. */
static int
held_at_hub(struct sim_peer *hub, struct sim_peer *p, const struct store_stream *stream,
            uint64_t *n, struct err *err)
{
	const struct store_site *site = store_catalog_site_of(p->st.merge, stream->site);
	const char *name = store_catalog_scope_of(p->st.merge, stream->scope);
	struct store_db *db = hub->st.merge;
	struct store_stream there = { 0 };
	struct arena a = { 0 };
	int of = 0, scope = 0;
	int rc = store_catalog_find_site(db, site->node, site->epoch, &of, err);

	if (rc == 0)
		rc = store_catalog_find_scope(db, name, &scope, err);
	if (rc == 0 && of != 0 && scope != 0)
		rc = store_stream_find(db, of, scope, &a, &there, err);
	*n = there.n;
	arena_free(&a);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* What it takes for the time, against what the hub does: it may be there no more. */
static int64_t
time_error(const struct sim_peer *p)
{
	return sync_replica_now_ms(&p->st.node.r) - env_wall_ms(&p->sim->peers[0].env);
}

static void
note_time(struct sim_peer *p)
{
	p->time_error = time_error(p);
	p->clocks_asked[0] = p->sim->peers[0].clock;
	p->clocks_asked[1] = p->clock;
}

/* A reply never moves it away from the hub's time, however long the line took; unless somebody has
 * touched one of the two clocks meanwhile. */
static void
check_clock(struct sim_peer *p)
{
	int64_t off = llabs(time_error(p)), before = llabs(p->time_error);
	int64_t most = (before > CLOCK_OFF_MS ? before : CLOCK_OFF_MS) + DRIFT_MS;

	if (off > most &&
	    memcmp(&p->clocks_asked[0], &p->sim->peers[0].clock, sizeof p->clock) == 0 &&
	    memcmp(&p->clocks_asked[1], &p->clock, sizeof p->clock) == 0)
		sim_fail(p->sim, "peer %u: the hub's time was %lld ms off when it asked, now %lld",
		         p->no, (long long)p->time_error, (long long)time_error(p));
}

void
sim_check_asked(struct sim_peer *p)
{
	struct sim_peer *hub = &p->sim->peers[0];
	struct store_stream *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	struct err err;
	int rc = 0;

	note_time(p);
	if (p->sim->hub_lost || !hub->open || hub->disk_fails || p->disk_fails)
		return;
	rc = store_stream_list(p->st.merge, 0, &a, &list, &count, &err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		uint64_t acked = 0, held;

		if (list[i].site == p->st.node.r.self.id)
			rc = store_stream_acked(p->st.merge, list[i].id, hub->st.node.r.self.epoch,
			                        &acked, &err);
		if (rc < 0 || acked == 0)
			continue;
		rc = held_at_hub(hub, p, &list[i], &held, &err);
		if (rc == 0 && acked > held)
			sim_fail(p->sim, "peer %u: %llu records are acknowledged, the hub has %llu",
			         p->no, (unsigned long long)acked, (unsigned long long)held);
	}
	arena_free(&a);
	if (rc < 0)
		sim_peer_bears(p, rc, &err, "look at what is acknowledged");
}

/* Does the file hold another digest than the hub told?  Asked of the tables, not of the status. */
static int
is_uneven(struct sim_peer *p, bool *yes, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        p->st.local, "SELECT 1 FROM yz_remote_digest AS r LEFT JOIN yz_digest AS d "
	                     "USING (scope) WHERE r.sum IS NOT coalesce(d.sum, zeroblob(16))");
	int rc = store_stmt_step(&s, err);

	*yes = rc == 1;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

void
sim_check_word(struct sim_peer *p)
{
	struct node_status status;
	struct arena a = { 0 };
	struct err err;
	bool uneven;
	int rc;

	if (p->is_hub)
		return;
	rc = is_uneven(p, &uneven, &err);
	if (!sim_peer_bears(p, rc, &err, "look at its digests") || !uneven)
		return;
	rc = node_status_read(p->st.local, NULL, &a, &status, &err);
	if (rc == ERR_CORRUPT &&
	    p->rotten) { /* it says so instead, until a meeting has healed it */
		arena_free(&a);
		return;
	}
	if (sim_peer_bears(p, rc, &err, "tell its status")) {
		sim_count(p->sim, SIM_DID_UNEVEN);
		if (node_status_state(&status) == NODE_IN_SYNC)
			sim_fail(p->sim,
			         "peer %u says in_sync with another digest than the hub told",
			         p->no);
	}
	arena_free(&a);
}

static void
check_scope_word(struct sim_peer *p, enum node_state state, const struct node_status_scope *scope)
{
	if (scope->differs)
		sim_fail(p->sim, "peer %u: digest of %s differs from the hub's at equal records",
		         p->no, scope->scope);
	if (state == NODE_IN_SYNC && scope->hub_known &&
	    memcmp(scope->digest, scope->hub_digest, STORE_TERM) != 0)
		sim_fail(p->sim, "peer %u says in_sync while its digest of %s is not the hub's",
		         p->no, scope->scope);
}

/* What it says when a meeting has ended, well or not. */
static void
check_status(struct sim_peer *p, bool well)
{
	static const unsigned counts[] = { [NODE_ATTENTION] = SIM_DID_ATTENTION,
		                           [NODE_WAITING] = SIM_DID_WAIT,
		                           [NODE_UNREACHABLE] = SIM_DID_UNREACHABLE,
		                           [NODE_IN_SYNC] = SIM_DID_IN_SYNC };
	struct node_status status;
	struct arena a = { 0 };
	struct err err;
	enum node_state state;
	int rc = node_status_read(p->st.local, NULL, &a, &status, &err);

	if (sim_peer_bears(p, rc, &err, "tell its status") && rc == 0) {
		state = node_status_state(&status);
		if (state < sizeof counts / sizeof counts[0] && counts[state] != 0)
			sim_count(p->sim, counts[state]);
		if (state == (well ? NODE_UNREACHABLE : NODE_IN_SYNC))
			sim_fail(p->sim, "peer %u says %s after a meeting that went %s", p->no,
			         node_status_word(state), well ? "well" : "ill");
		for (size_t i = 0; i < status.scope_count; i++)
			check_scope_word(p, state, &status.scopes[i]);
	}
	arena_free(&a);
}

/* A new life that began in a meeting, and not because the file was another one. */
static void
check_life(struct sim_peer *p)
{
	struct sync_life_told told;
	struct err err;
	int rc;

	if (memcmp(p->epoch, p->st.node.r.self.epoch, STORE_EPOCH) == 0)
		return;
	memcpy(p->epoch, p->st.node.r.self.epoch, STORE_EPOCH);
	rc = sync_life_tell(p->st.merge, env_wall_ms(&p->env), &told, &err);
	if (sim_peer_bears(p, rc, &err, "tell its life") && told.word == SYNC_LIFE_QUIET)
		sim_count(p->sim, SIM_DID_STAMP_ANEW);
}

/* That differences mend themselves must not hide where they come from: nothing here damages rows.
 */
static void
check_rifts(struct sim_peer *p)
{
	struct arena a = { 0 };
	struct store_rifts rifts = { .most = 1, .arena = &a };
	struct buf where = { 0 };
	struct err err;
	int rc = store_rift_list(p->st.local, &rifts, &err);

	if (sim_peer_bears(p, rc, &err, "tell its rifts") && rc == 0 && rifts.count > 0) {
		store_rift_where(&where, &rifts.list[0].range);
		sim_fail(p->sim, "peer %u: not the hub's rows at equal records, %s: %s", p->no,
		         buf_str(&where), rifts.list[0].cause);
	}
	buf_free(&where);
	arena_free(&a);
}

/* One in four: it reads much. */
static bool
is_looked_at(const struct sim_peer *p)
{
	return p->open &&
	       sim_rand(p->sim->plan->seed, p->no, SIM_USE_CHECK, (uint64_t)p->sim->now) % 4 == 0;
}

void
sim_check_missed(struct sim_peer *p)
{
	if (is_looked_at(p))
		check_status(p, false);
}

void
sim_check_met(struct sim_peer *p)
{
	struct sim *s = p->sim;

	check_life(p);
	check_cursors(p);
	if (p->open) {
		check_rifts(p);
		check_clock(p);
	}
	if (p->st.node.r.clock.offset_ms > CLOCK_OFF_MS ||
	    p->st.node.r.clock.offset_ms < -CLOCK_OFF_MS)
		sim_count(s, SIM_DID_CORRECT_CLOCK);
	if (is_looked_at(p))
		check_status(p, true);
}

/* ---- is everything equal? ---- */

static bool
digest_of(struct sim_peer *p, const char *scope, struct store_digest *out)
{
	struct err err;
	int id, rc = store_db_begin(p->st.merge, &err);

	if (rc == 0)
		rc = store_catalog_scope(p->st.merge, scope, &id, &err);
	if (rc == 0)
		rc = store_digest_get(p->st.merge, id, out, &err);
	store_db_rollback(p->st.merge);
	return sim_must(p->sim, rc, &err, "read a digest");
}

/* The facility's scope, and what is for all. */
static void
scope_of(const struct sim_peer *p, unsigned which, char out[32])
{
	snprintf(out, 32, "%s%s", which == 0 ? "f/" : "all", which == 0 ? p->facility : "");
}

static bool
same_digests(struct sim_peer *hub, struct sim_peer *p)
{
	struct store_digest here = { 0 }, there = { 0 };
	char scope[32];

	for (unsigned i = 0; i < 2; i++) {
		scope_of(p, i, scope);
		if (!digest_of(p, scope, &here) || !digest_of(hub, scope, &there) ||
		    memcmp(here.sum, there.sum, STORE_TERM) != 0 || here.rows != there.rows)
			return false;
	}
	return true;
}

static bool
nothing_waits(struct sim_peer *p)
{
	struct node_status status;
	struct arena a = { 0 };
	struct err err;
	int rc = node_status_read(p->st.local, NULL, &a, &status, &err);

	arena_free(&a);
	return sim_must(p->sim, rc, &err, "tell its status") && status.waiting == 0;
}

bool
sim_check_equal(struct sim *s)
{
	for (unsigned i = 0; i < SIM_PEERS; i++) {
		struct sim_peer *p = &s->peers[i];

		if (p->exists && (!p->open || (!p->is_hub && !p->met)))
			return false;
		if (p->exists &&
		    (!nothing_waits(p) || (!p->is_hub && !same_digests(&s->peers[0], p))))
			return false;
	}
	return true;
}

/* ---- at the end ---- */

/* A row's values, each told apart from every other. */
static void
hash_row(struct store_stmt *q, struct buf *bytes, struct hash *h)
{
	int columns = store_stmt_columns(q);

	buf_clear(bytes);
	for (int i = 0; i < columns; i++) {
		struct store_value v = store_stmt_get_value(q);

		store_value_write(bytes, &v);
	}
	hash_add(h, bytes->bytes, bytes->len);
}

static bool
hash_rows(struct sim_peer *p, const char *sql, const char *facility, uint8_t out[HASH_16])
{
	struct store_stmt q = store_stmt_new(p->st.local, sql);
	struct buf bytes = { 0 };
	struct hash h;
	struct err err;
	int rc;

	hash_start(&h, HASH_16);
	if (facility != NULL)
		store_stmt_put_text(&q, facility);
	while ((rc = store_stmt_step(&q, &err)) == 1)
		hash_row(&q, &bytes, &h);
	store_stmt_end(&q);
	buf_free(&bytes);
	hash_end(&h, out);
	return sim_must(p->sim, rc, &err, sql);
}

static void
compare_rows(struct sim_peer *hub, struct sim_peer *p, const char *table, const char *sql,
             const char *facility)
{
	uint8_t here[HASH_16] = { 0 }, there[HASH_16] = { 0 };

	if (hash_rows(p, sql, facility, here) && hash_rows(hub, sql, facility, there) &&
	    memcmp(here, there, HASH_16) != 0)
		sim_fail(p->sim, "rows of %s differ between peer %u and the hub", table, p->no);
}

static void
compare_tables(struct sim_peer *hub, struct sim_peer *p)
{
	char sql[160];

	for (size_t i = 0; i < facility_table_count && !p->sim->result->failed; i++) {
		const struct store_track_spec *t = &facility_tables[i];
		bool by_facility = t->scope_column != NULL && strcmp(t->scope, "f/") == 0;

		if ((!by_facility && strcmp(t->scope, "all") != 0) ||
		    !(p->sim->plan->whole || sim_mould_has(t->table)) ||
		    (p->sim->plan->has[SIM_SHARE] && sim_share_hangs(hub, t->table)))
			continue;
		snprintf(sql, sizeof sql, "SELECT * FROM %s%s%s%s ORDER BY 1, 2, 3", t->table,
		         by_facility ? " WHERE " : "", by_facility ? t->scope_column : "",
		         by_facility ? " = ?" : "");
		compare_rows(hub, p, t->table, sql, by_facility ? p->facility : NULL);
	}
	compare_rows(hub, p, "note",
	             "SELECT id, facility_id, text, rank, top, a, b FROM note WHERE facility_id = ?"
	             " ORDER BY id",
	             p->facility);
	compare_rows(hub, p, "daily",
	             "SELECT * FROM daily WHERE facility_id = ? ORDER BY child, day", p->facility);
}

static void
tell_fault(void *ctx, const struct store_digest_fault *fault)
{
	struct sim_peer *p = ctx;

	sim_fail(p->sim, "peer %u: a row of %s: %s", p->no, fault->table, fault->what);
}

static void
tell_breach(void *ctx, const struct store_breach *breach)
{
	struct sim_peer *p = ctx;

	if (breach->damage)
		sim_fail(p->sim, "peer %u: the file is damaged: %s", p->no, breach->what);
}

/* The file is whole; each row is what its term says; digests are the sums of their terms. */
static void
check_file(struct sim_peer *p)
{
	struct store_digest_verify verify = { .deep = true, .tell = tell_fault, .ctx = p };
	struct err err;
	int rc = store_inspect_breaches(p->st.local, true, tell_breach, p, &err);

	if (rc == 0)
		rc = store_db_begin(p->st.merge, &err);
	if (rc == 0)
		rc = store_digest_verify(p->st.merge, &verify, &err);
	store_db_rollback(p->st.merge);
	sim_must(p->sim, rc, &err, "verify a file");
}

static void
tell_rot(void *ctx, const struct sync_verify_problem *problem)
{
	struct sim_peer *p = ctx;

	if (!p->rotten)
		sim_fail(p->sim, "peer %u: %s, %s: no bit of it turned here", p->no, problem->what,
		         problem->where);
}

/* Rot stays where it is: each stream is what its writer signed, but where a bit turned and nobody
 * has read it since. */
static void
check_rot(struct sim_peer *p)
{
	struct sync_verify verify = { .tell = tell_rot, .ctx = p };
	struct err err;
	int rc = store_db_begin(p->st.merge, &err);

	if (rc == 0)
		rc = sync_verify_streams(p->st.merge, &verify, &err);
	store_db_rollback(p->st.merge);
	if (sim_must(p->sim, rc, &err, "verify streams") && verify.problems > 0)
		sim_count(p->sim, SIM_DID_LEAVE_ROT);
}

/* Nothing of another facility is in a node's file, but a child whom it sees or has seen. */
static void
check_isolation(struct sim_peer *p)
{
	struct store_stmt q = store_stmt_new(
	        p->st.local,
	        "SELECT (SELECT count(*) FROM note WHERE facility_id <> ?1)"
	        " + (SELECT count(*) FROM child WHERE facility_id <> ?1 AND NOT EXISTS(SELECT 1"
	        " FROM yz_share s WHERE s.root = 'child' AND s.scope = 'f/' || ?1"
	        " AND substr(s.key, -16) = child.id))"
	        " + (SELECT count(*) FROM yz_stream s JOIN yz_scope c ON c.id = s.scope"
	        " WHERE c.name LIKE 'f/%' AND c.name <> 'f/' || ?1)");
	struct err err;
	int64_t count = 0;
	int rc;

	store_stmt_put_text(&q, p->facility);
	rc = store_stmt_step(&q, &err);
	if (rc == 1)
		count = store_stmt_get_int(&q);
	store_stmt_end(&q);
	if (sim_must(p->sim, rc, &err, "look for others' rows") && count != 0)
		sim_fail(p->sim, "peer %u holds what is another facility's", p->no);
}

static int64_t
count(struct sim_peer *p, const char *sql)
{
	struct err err;
	int64_t n = 0;

	sim_must(p->sim, store_stmt_int(p->st.local, sql, 0, &n, &err), &err, "count");
	return n;
}

/* Is record `n` of that life in this file? */
static bool
has_record(struct sim_peer *p, const uint8_t *node, const uint8_t *epoch, int64_t n)
{
	struct store_stmt q = store_stmt_new(
	        p->st.local, "SELECT 1 FROM yz_stream t JOIN yz_site s ON s.id = t.site"
	                     " WHERE s.node = ? AND s.epoch = ? AND t.n >= ?");
	struct err err;
	int rc;

	store_stmt_put_blob(&q, node, STORE_NODE_ID);
	store_stmt_put_blob(&q, epoch, STORE_EPOCH);
	store_stmt_put_int(&q, n);
	rc = store_stmt_step(&q, &err);
	store_stmt_end(&q);
	return sim_must(p->sim, rc, &err, "look for a record") && rc == 1;
}

/*
 * What the hub holds as stamped far ahead waits for its node to stamp it anew.  A node whose disk
 * has forgotten it can't: then the hub has the only copy, and says so until a person lets it in.
 */
static int64_t
held_for_nobody(struct sim_peer *hub)
{
	struct store_stmt q = store_stmt_new(
	        hub->st.local,
	        "SELECT s.node, s.epoch, q.n FROM yz_quarantine q"
	        " JOIN yz_stream t ON t.id = q.stream JOIN yz_site s ON s.id = t.site"
	        " WHERE q.reason LIKE 'clock: its stamps%'");
	int64_t lonely = 0;
	struct err err;
	int rc;

	while ((rc = store_stmt_step(&q, &err)) == 1) {
		size_t len;
		const uint8_t *node = store_stmt_get_blob(&q, &len);
		const uint8_t *epoch = store_stmt_get_blob(&q, &len);
		int64_t n = store_stmt_get_int(&q);
		bool kept = false;

		for (unsigned i = 0; i < SIM_PEERS; i++)
			kept |= hub->sim->peers[i].exists && !hub->sim->peers[i].is_hub &&
			        has_record(&hub->sim->peers[i], node, epoch, n);
		lonely += !kept;
	}
	store_stmt_end(&q);
	sim_must(hub->sim, rc, &err, "look for what is held");
	return lonely;
}

/* Nobody here writes what he may not, so nothing is in quarantine; conflicts may be open. */
static void
check_inbox(struct sim_peer *p)
{
	/* Those of no stream were written here of a child who had left, and stay here. */
	int64_t aside = count(p, p->sim->plan->has[SIM_SHARE]
	                                 ? "SELECT count(*) FROM yz_quarantine WHERE stream <> 0"
	                                 : "SELECT count(*) FROM yz_quarantine");

	if (p->is_hub && aside != 0)
		aside -= held_for_nobody(p);
	if (aside != 0)
		sim_fail(p->sim, "peer %u holds %lld changes in quarantine", p->no,
		         (long long)aside);
	if (count(p, "SELECT count(*) FROM yz_conflict WHERE state = 'open'") > 0)
		sim_count(p->sim, SIM_DID_CONFLICT);
}

/* Nobody's stamps are further ahead than the hub, by its own clock, went along with. */
static void
check_time(struct sim_peer *p)
{
	int64_t most = p->sim->now + p->sim->hub_ahead_ms + AHEAD_MS;
	int64_t ms = count(p, "SELECT value >> 16 FROM yz_meta WHERE name = 'last_stamp'");

	if (ms > most)
		sim_fail(p->sim, "peer %u stamps %lld s ahead of what is allowed", p->no,
		         (long long)(ms - most) / 1000);
}

void
sim_check_end(struct sim *s)
{
	struct sim_peer *hub = &s->peers[0];

	for (unsigned i = 0; i < SIM_PEERS && !s->result->failed; i++) {
		struct sim_peer *p = &s->peers[i];

		if (!p->exists)
			continue;
		check_file(p);
		if (s->plan->has[SIM_ROT])
			check_rot(p);
		check_inbox(p);
		check_time(p);
		if (p->is_hub)
			continue;
		check_status(p, p->losses == 0);
		check_isolation(p);
		compare_tables(hub, p);
		sim_acks_check(s, p, p);
		sim_acks_check(s, p, hub);
	}
	if (!s->result->failed && s->plan->has[SIM_SHARE])
		sim_share_check(s);
	if (!s->result->failed)
		sim_reference_check(s);
	if (!s->result->failed)
		sim_replay_check(s);
}

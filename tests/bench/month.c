/*
 * tests/bench/month.c - what a month of a nursery takes: bytes in the database
 * and on the wire.
 *
 * The simulated days of node/facility/day.h, on a virtual clock, sealed as a
 * node seals (what has waited for 30 s), rolled up at night; the same days into
 * a bare file.  Day 2 is sealed in batches of ten changes instead, which are
 * weighed as they would travel.
 */
#include "node/core.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/day.h"
#include "node/facility/roster.h"
#include "store/base/file.h"
#include "store/log.h"
#include "store/remote.h"
#include "sync/codec/segment.h"
#include "sync/exchange/outgoing.h"
#include "sync/seal/seal.h"
#include "tests/bench/bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS = 22, BATCH_DAY = 1, BATCH = 10, SEAL_AFTER_MS = NODE_SYNC_MS, DAY_MS = 86400000 };

static const char roster_path[] = "packaging/rosters/centre-1.csv";

/* ---- a clock that the days move ---- */

static int64_t now_ms = 1793491200000; /* 2026-11-01 */

static int64_t
virtual_now(void *ctx)
{
	(void)ctx;
	return now_ms;
}

static void
real_random(void *ctx, void *bytes, size_t len)
{
	(void)ctx;
	env_rand(env_real(), bytes, len);
}

/* SQLite's own clock, which the triggers read: the same one. */
static int
julian_now(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
	(void)vfs;
	*now = now_ms + 210866760000000; /* ms since the Julian epoch */
	return SQLITE_OK;
}

static const struct env *
virtual_env(void)
{
	static struct env env = { .wall_ms = virtual_now,
		                  .mono_ms = virtual_now,
		                  .rand = real_random };
	static sqlite3_vfs vfs;

	if (env.vfs == NULL) {
		vfs = *sqlite3_vfs_find(NULL);
		vfs.zName = "bench";
		vfs.xCurrentTimeInt64 = julian_now;
		if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
			exit(1);
		env.vfs = vfs.zName;
	}
	return &env;
}

/* ---- the nursery, twice ---- */

struct month {
	struct bench_file tracked, bare, hub;
	struct facility in_tracked, in_bare;
	struct buf roster;
	int64_t changes, batch_changes, batch_bytes;
	struct store_stream stream; /* of the facility's own scope */
	struct arena arena;
};

static void
found(struct month *m, struct bench_file *file, struct facility *f)
{
	struct roster_options opt = { .at = now_ms };
	struct roster_counts counts;
	struct err err;

	bench_pragma(file, "PRAGMA synchronous=OFF");
	bench_must(store_db_begin(file->local, &err), &err);
	bench_must(facility_create(file->local, "F1", "一号托育中心", KIND_NURSERY, &err), &err);
	bench_must(facility_open(f, file->local, NULL, &err), &err);
	bench_must(store_db_commit(file->local, &err), &err);
	bench_must(roster_import(f, m->roster.bytes, m->roster.len, &opt, &counts, &err), &err);
}

static void
find_stream(struct month *m)
{
	struct err err;
	int scope;

	arena_free(&m->arena);
	bench_must(store_db_begin(m->tracked.merge, &err), &err);
	bench_must(store_catalog_scope(m->tracked.merge, "f/F1", &scope, &err), &err);
	bench_must(store_db_commit(m->tracked.merge, &err), &err);
	bench_must(store_stream_find(m->tracked.merge, m->tracked.r.self.id, scope, &m->arena,
	                             &m->stream, &err),
	           &err);
}

/* Seal; if it is a batch to be weighed, weigh what would travel. */
static void
seal(struct month *m, bool weigh)
{
	uint64_t from = m->stream.n, to;
	int64_t changes = bench_seal(&m->tracked);
	struct buf wire = { 0 };
	struct err err;

	m->changes += changes;
	if (!weigh)
		return;
	find_stream(m);
	bench_must(sync_outgoing_next(m->tracked.merge, &m->stream, from, &wire, &to, &err), &err);
	m->batch_changes += changes;
	m->batch_bytes += (int64_t)wire.len;
	buf_free(&wire);
}

static void
seal_if_due(struct month *m, int day)
{
	int64_t waiting, oldest;
	struct err err;

	bench_must(store_log_waiting(m->tracked.merge, &waiting, &oldest, &err), &err);
	if (day == BATCH_DAY ? waiting >= BATCH : waiting > 0 && now_ms - oldest >= SEAL_AFTER_MS)
		seal(m, day == BATCH_DAY);
}

/* Somebody else has written meanwhile: refusals are part of a day. */
static void
act(struct facility *f, const struct facility_action *action)
{
	struct err err;
	int rc = facility_day_do(f, action, &err);

	if (rc != ERR_INVALID && rc != ERR_NOTFOUND && rc != ERR_DENIED)
		bench_must(rc, &err);
}

/* At night; what it frees the next day takes. */
static void
roll_up(struct month *m)
{
	int64_t joined;
	struct err err;

	find_stream(m);
	bench_must(store_db_begin(m->tracked.merge, &err), &err);
	bench_must(sync_outgoing_roll_up(m->tracked.merge, &m->stream, (int)(now_ms / DAY_MS) + 1,
	                                 &joined, &err),
	           &err);
	bench_must(store_db_commit(m->tracked.merge, &err), &err);
	bench_settle(&m->tracked);
}

static void
live_day(struct month *m, int date, int day)
{
	struct facility_action *list, *same;
	struct arena a = { 0 };
	size_t count, same_count;
	struct err err;

	bench_must(facility_day_plan(&m->in_tracked, date, (uint64_t)day, &a, &list, &count, &err),
	           &err);
	bench_must(
	        facility_day_plan(&m->in_bare, date, (uint64_t)day, &a, &same, &same_count, &err),
	        &err);
	if (count != same_count) {
		fprintf(stderr, "bench: the same day was planned in two ways\n");
		exit(1);
	}
	for (size_t i = 0; i < count; i++) {
		now_ms = list[i].as.at > now_ms ? list[i].as.at : now_ms;
		seal_if_due(m, day);
		act(&m->in_tracked, &list[i]);
		act(&m->in_bare, &same[i]);
	}
	now_ms += SEAL_AFTER_MS;
	seal(m, false);
	bench_settle(&m->tracked);
	bench_settle(&m->bare);
	roll_up(m);
	arena_free(&a);
}

/* Bytes of the records after `from`, as the segments that hold them are in a bundle: heads,
 * signature and key and all. */
static int64_t
stored_bytes(struct month *m, uint64_t from)
{
	struct sync_site site;
	struct buf out = { 0 };
	struct store_segment seg;
	struct err err;
	int64_t len;

	memcpy(site.node, m->tracked.r.self.node, STORE_NODE_ID);
	memcpy(site.epoch, m->tracked.r.self.epoch, STORE_EPOCH);
	while (from < m->stream.n) {
		bench_must(store_segment_at(m->tracked.merge, m->stream.id, from + 1, &m->arena,
		                            &seg, &err),
		           &err);
		sync_segment_write(&out, &seg, &site, "f/F1");
		from = seg.last;
	}
	bench_must(buf_check(&out, &err), &err);
	len = (int64_t)out.len;
	buf_free(&out);
	return len;
}

/* ---- the line ---- */

static bool
may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope)
{
	(void)ctx;
	(void)node;
	(void)scope;
	return true;
}

/* One meeting; the bytes of all bodies. */
static size_t
meet(struct node *node, struct node *hub)
{
	struct node_event ev = { .type = NODE_EV_SYNC };
	struct node_effects fx = { 0 };
	struct hub_effects answer = { 0 };
	size_t bytes = 0;
	struct err err;

	for (;;) {
		struct hub_request rq = { .may_read = may_read };

		bench_must(node_step(node, &ev, &fx, &err), &err);
		buf_free(&answer.reply);
		if (!fx.send)
			break;
		memcpy(rq.peer, node->r.self.node, STORE_NODE_ID);
		rq.bytes = fx.request.bytes;
		rq.len = fx.request.len;
		bench_must(hub_step(hub, &rq, &answer, &err), &err);
		bytes += fx.request.len + answer.reply.len;
		ev = (struct node_event){ .type = NODE_EV_REPLY,
			                  .bytes = answer.reply.bytes,
			                  .len = answer.reply.len };
	}
	if (!fx.met || !fx.meeting.ok) {
		fprintf(stderr, "bench: the node did not meet the hub: %s\n", fx.meeting.words);
		exit(1);
	}
	node_effects_clear(&fx);
	return bytes;
}

static void
measure_line(struct month *m)
{
	struct store_remote remote = { .url = "bench:", .last_error = "", .enrolled = true };
	struct node node, hub;
	double begun;
	size_t bytes;
	struct err err;

	memcpy(remote.key, m->hub.key.public_key, sizeof remote.key);
	bench_must(store_remote_put(m->tracked.merge, "hub", &remote, &err), &err);
	bench_must(node_open(&node, m->tracked.merge, &m->tracked.key, false, &err), &err);
	bench_must(node_open(&hub, m->hub.merge, &m->hub.key, true, &err), &err);
	node.r.key_of = m->tracked.r.key_of;
	hub.r.key_of = m->hub.r.key_of;
	begun = bench_now();
	bytes = meet(&node, &hub);
	bench_say("month_to_hub_per_s", (double)m->changes / (bench_now() - begun), 0);
	bench_say("wire_bytes_per_change_month", (double)bytes / (double)m->changes, 2);
	meet(&node, &hub);
	bytes = meet(&node, &hub);
	bench_say("noop_sync_bytes", (double)bytes, 0);
	node_close(&node);
	node_close(&hub);
}

/* ---- all of it ---- */

static void
open_month(struct month *m)
{
	struct err err;

	*m = (struct month){ 0 };
	bench_must(file_read(roster_path, ROSTER_BYTES_MAX, &m->roster, &err), &err);
	bench_open(&m->tracked, "month", virtual_env(), true, 3);
	bench_open(&m->bare, "month-bare", virtual_env(), false, 3);
	bench_open(&m->hub, "month-hub", virtual_env(), true, 4);
	bench_pragma(&m->hub, "PRAGMA synchronous=OFF");
	found(m, &m->tracked, &m->in_tracked);
	found(m, &m->bare, &m->in_bare);
	bench_seal(&m->tracked);
	find_stream(m);
}

/* Bytes of the engine's own empty tables, which a bare file would not have. */
static int64_t
engine_bytes(const struct month *m)
{
	struct bench_file f = m->bare;
	int64_t bytes;
	struct err err;

	snprintf(f.path, sizeof f.path, "%.*s-empty", (int)sizeof f.path - 8, m->bare.path);
	f.r = (struct sync_replica){ 0 };
	f.local = NULL;
	bench_must(store_db_create(f.path, f.env, &err), &err);
	bench_must(store_db_open(f.path, STORE_MERGE, f.env, &f.merge, &err), &err);
	bench_settle(&f);
	bytes = bench_size(&f);
	bench_close(&f);
	return bytes;
}

void
bench_month(void)
{
	struct month m;
	uint64_t roster;
	double bare;
	int date = 20261102;

	open_month(&m);
	roster = m.stream.n;
	for (int day = 0; day < DAYS; day++, date = date_add(date, 1))
		live_day(&m, date, day);
	find_stream(&m);
	bench_say("bytes_per_change_day", (double)stored_bytes(&m, roster) / (double)m.changes, 2);
	bench_say("bytes_per_change_10", (double)m.batch_bytes / (double)m.batch_changes, 2);
	bare = (double)(bench_size(&m.bare) - engine_bytes(&m));
	bench_say("db_size_ratio", (double)bench_size(&m.tracked) / bare, 2);
	bench_say("month_changes", (double)m.changes, 0);
	bench_say("month_bare_kib", bare / 1024, 0);
	bench_say("month_tracked_kib", (double)bench_size(&m.tracked) / 1024, 0);
	measure_line(&m);
	arena_free(&m.arena);
	buf_free(&m.roster);
	bench_close(&m.tracked);
	bench_close(&m.bare);
	bench_close(&m.hub);
}

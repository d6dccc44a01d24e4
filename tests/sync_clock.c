/*
 * tests/sync_clock.c - clocks that lie: what time a node believes it is, and
 * what becomes of what it stamped when it believed something else.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "store/inbox.h"
#include "store/stmt.h"
#include "sync/clock.h"
#include "sync/exchange/outgoing.h"
#include "sync/life.h"
#include "sync/merge/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE ((int64_t)60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEARS (DAY * 365 * 56)

/* ---- the estimate ---- */

/* True time begins here, and both clocks of a machine are off it. */
#define BEGIN ((int64_t)1772400000000)

struct machine {
	int64_t true_ms, off_ms, asleep_ms; /* its monotonic clock stood still so long */
};

static int64_t
wall(void *ctx)
{
	const struct machine *m = ctx;

	return m->true_ms + m->off_ms;
}

static int64_t
mono(void *ctx)
{
	const struct machine *m = ctx;

	return m->true_ms - m->asleep_ms - BEGIN;
}

/* A reply that says the true time comes at once. */
static void
hear(struct sync_clock *clock, const struct env *env, int64_t hub_ms)
{
	struct sync_clock_heard heard = { .hub_ms = hub_ms };

	heard.asked = heard.came = sync_clock_look(env);
	sync_clock_hear(clock, &heard);
}

static const struct estimate_case {
	const char *name;
	int64_t off_ms;      /* of the wall clock, when the hub is heard (or the program starts) */
	int64_t set_by_ms;   /* then somebody sets it */
	int64_t asleep_ms;   /* and it sleeps */
	int64_t later_ms;    /* and time passes */
	int64_t started_off; /* != 0: not heard, but started with this offset of earlier */
	int64_t error_ms;    /* the estimate - the truth */
	bool unsure;
} estimate_cases[] = {
	{ "right", 0, 0, 0, HOUR, 0, 0, false },
	{ "a little off is the line's delay", 1500, 0, 0, HOUR, 0, 1500, false },
	{ "fast", 3 * DAY, 0, 0, HOUR, 0, 0, false },
	{ "slow", -3 * DAY, 0, 0, HOUR, 0, 0, false },
	{ "no battery", -YEARS, 0, 0, HOUR, 0, 0, false },
	{ "slow, then set right", -YEARS, YEARS, 0, HOUR, 0, 0, false },
	{ "slow, then set nearly right", -YEARS, YEARS - 2 * DAY, 0, HOUR, 0, 0, true },
	{ "fast, then set right", 3 * DAY, -3 * DAY, 0, HOUR, 0, 0, true },
	{ "fast, then set too early", 3 * DAY, -9 * DAY, 0, HOUR, 0, 0, true },
	{ "right, then set too early", 0, -2 * DAY, 0, HOUR, 0, 0, true },
	{ "right, then set too late", 0, 2 * DAY, 0, HOUR, 0, 2 * DAY, false },
	{ "right, and sleeps", 0, 0, 8 * HOUR, HOUR, 0, 0, false },
	{ "fast, and sleeps", DAY, 0, 8 * HOUR, HOUR, 0, 0, false },
	{ "slow, and sleeps", -HOUR, 0, 8 * HOUR, MINUTE, 0, -HOUR, false },
	{ "starts fast, as it was", 3 * DAY, 0, 0, HOUR, -3 * DAY, 0, false },
	{ "starts right, was fast", 0, 0, 0, HOUR, -3 * DAY, 0, true },
	{ "starts right, was slow", 0, 0, 0, HOUR, 3 * DAY, 0, false },
	{ "starts without a battery", -YEARS, 0, 0, HOUR, YEARS, 0, true },
};

enum { ESTIMATE_CASES = sizeof estimate_cases / sizeof estimate_cases[0] };

START_TEST(the_time_is_estimated_and_rather_too_early)
{
	const struct estimate_case *c = &estimate_cases[_i];
	struct machine m = { BEGIN, c->off_ms, 0 };
	struct env env = { .wall_ms = wall, .mono_ms = mono, .ctx = &m };
	struct sync_clock clock = { 0 };

	if (c->started_off != 0)
		sync_clock_start(&clock, &env, BEGIN, c->started_off);
	else
		hear(&clock, &env, BEGIN);
	m.true_ms += c->asleep_ms + c->later_ms;
	m.asleep_ms = c->asleep_ms;
	m.off_ms += c->set_by_ms;
	ck_assert_msg(sync_clock_now_ms(&clock, &env) - m.true_ms == c->error_ms,
	              "%s: off by %lld s", c->name,
	              (long long)(sync_clock_now_ms(&clock, &env) - m.true_ms) / 1000);
	ck_assert_msg(sync_clock_is_unsure(&clock, &env) == c->unsure, "%s", c->name);
}
END_TEST

START_TEST(what_was_noted_is_as_long_ago_as_the_clock_says)
{
	struct machine m = { BEGIN, -3 * DAY, 0 };
	struct env env = { .wall_ms = wall, .mono_ms = mono, .ctx = &m };
	struct sync_clock clock = { 0 };

	hear(&clock, &env, BEGIN);
	m.true_ms += HOUR;
	ck_assert_int_eq(sync_clock_time_of(&clock, &env, wall(&m) - MINUTE), m.true_ms - MINUTE);
	/* noted by a clock that was ahead of itself, or before the hub was heard */
	ck_assert_int_eq(sync_clock_time_of(&clock, &env, wall(&m) + DAY), m.true_ms);
	ck_assert_int_eq(sync_clock_time_of(&clock, &env, 1000), BEGIN);
}
END_TEST

/* A request takes `up_ms`, its reply `down_ms`; what happens to the clock happens while the reply
 * is on its way. */
static const struct line_case {
	const char *name;
	int64_t off_ms, thought_ms; /* what the clock is off by, and was thought to be */
	int64_t up_ms, down_ms;
	int64_t set_by_ms, asleep_ms;
	int64_t offset_ms; /* what it is taken to be off by then */
	bool known;        /* the time was, when the request went out */
} line_cases[] = {
	{ "right, over a slow line down", 0, 0, 50, 15 * MINUTE, 0, 0, 0, false },
	{ "right, over a slow line up", 0, 0, 15 * MINUTE, 50, 0, 0, 0, false },
	{ "right, over a line slow both ways", 0, 0, HOUR, HOUR, 0, 0, 0, false },
	{ "fast, as was thought", 3 * DAY, -3 * DAY, MINUTE, HOUR, 0, 0, -3 * DAY, false },
	{ "slow, as was thought", -3 * DAY, 3 * DAY, HOUR, MINUTE, 0, 0, 3 * DAY, false },
	{ "fast, which is news", 3 * DAY, 0, MINUTE, HOUR, 0, 0, -3 * DAY + MINUTE, false },
	{ "slow, which is news", -3 * DAY, 0, MINUTE, HOUR, 0, 0, 3 * DAY - HOUR, false },
	{ "slow, as the time known last says", -3 * DAY, 0, MINUTE, HOUR, 0, 0, 3 * DAY, true },
	{ "fast by less than the line takes", MINUTE, 0, 2 * MINUTE, 50, 0, 0, 0, false },
	{ "set right while it waits, was fast", 3 * DAY, -3 * DAY, 50, MINUTE, -3 * DAY, 0, -MINUTE,
	  false },
	{ "set right while it waits, was slow", -3 * DAY, 3 * DAY, 50, MINUTE, 3 * DAY, 0, 0,
	  false },
	{ "sleeps while it waits", 0, 0, 50, MINUTE, 0, 8 * HOUR, 0, false },
	{ "fast, and sleeps while it waits", DAY, -DAY, 50, MINUTE, 0, 8 * HOUR, -DAY, false },
};

enum { LINE_CASES = sizeof line_cases / sizeof line_cases[0] };

START_TEST(how_long_the_line_took_is_not_the_clocks_fault)
{
	const struct line_case *c = &line_cases[_i];
	struct machine m = { BEGIN, c->off_ms, 0 };
	struct env env = { .wall_ms = wall, .mono_ms = mono, .ctx = &m };
	struct sync_clock clock = { .offset_ms = c->thought_ms,
		                    .known_ms = c->known ? BEGIN : 0,
		                    .at = sync_clock_look(&env) };
	struct sync_clock_heard heard = { .asked = sync_clock_look(&env),
		                          .hub_ms = BEGIN + c->up_ms };

	m.true_ms += c->up_ms + c->down_ms + c->asleep_ms;
	m.asleep_ms = c->asleep_ms;
	m.off_ms += c->set_by_ms;
	heard.came = sync_clock_look(&env);
	for (int i = 0; i < 2; i++) { /* to hear of it twice changes nothing */
		ck_assert_msg(sync_clock_offset_by(&clock, &heard) == c->offset_ms, "%s: %lld ms",
		              c->name, (long long)sync_clock_offset_by(&clock, &heard));
		sync_clock_hear(&clock, &heard);
	}
	ck_assert_int_eq(clock.offset_ms, c->offset_ms);
	ck_assert(!sync_clock_is_unsure(&clock, &env));
}
END_TEST

START_TEST(nothing_is_older_than_the_program)
{
	struct machine m = { 1000, 0, 0 };
	struct env env = { .wall_ms = wall, .mono_ms = mono, .ctx = &m };
	struct sync_clock clock;

	sync_clock_start(&clock, &env, 0, 0);
	m.true_ms += MINUTE;
	ck_assert(sync_clock_is_unsure(&clock, &env));
	ck_assert_int_eq(sync_clock_now_ms(&clock, &env), SYNC_CLOCK_RELEASED_MS + MINUTE);
	ck_assert(sync_clock_doubts(1000, 0, 0));
	ck_assert(!sync_clock_doubts(SYNC_CLOCK_RELEASED_MS, 0, 0));
	ck_assert(!sync_clock_doubts(1000, BEGIN, BEGIN));
	ck_assert(sync_clock_doubts(BEGIN, -HOUR, BEGIN));
}
END_TEST

/* ---- a node ---- */

static const char *const two_nodes[] = { "F1", "F1", NULL };

static struct world w;

static void
open_world(void)
{
	world_open(&w, 11, two_nodes);
}

static void
close_world(void)
{
	world_close(&w);
}

/* Its process ends, and another begins. */
static void
start_again(struct world_peer *p)
{
	world_save(p, "same");
	world_put_back(p, "same");
}

static int64_t
last_ms(struct world_peer *p)
{
	return world_int(p, "SELECT value >> 16 FROM yz_meta WHERE name = 'last_stamp'");
}

static void
note(struct world_peer *p, const char *id)
{
	char sql[100];

	snprintf(sql, sizeof sql,
	         "INSERT INTO note(id, facility_id, text) VALUES (x'%s', 'F1', 'x')", id);
	world_sql(p, sql);
}

/* It boots in 1970, with no line all day: its records come after all that it had seen, and are of
 * that day. */
START_TEST(a_boot_in_1970_goes_on_from_the_last_time_known)
{
	struct world_peer *p = &w.nodes[0];
	int64_t heard;

	world_settle(&w, 2);
	heard = w.wall_ms;
	p->skew_ms = -w.wall_ms;
	start_again(p);
	p->up = false;
	world_wait(&w, HOUR);
	note(p, "01");
	world_sync(&w, 0);
	ck_assert_int_ge(last_ms(p), heard + HOUR - 1); /* SQLite rounds */
	ck_assert_int_le(last_ms(p), w.wall_ms);
	p->up = true;
	world_settle(&w, 2);
	world_wait(&w, HOUR);
	note(p, "02");
	world_settle(&w, 2);
	ck_assert_int_ge(last_ms(p), w.wall_ms - MINUTE);
	ck_assert_int_le(last_ms(p), w.wall_ms);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note"), 2);
}
END_TEST

START_TEST(an_offset_is_known_after_a_start)
{
	struct world_peer *p = &w.nodes[0];

	p->skew_ms = 3 * DAY;
	ck_assert(world_sync(&w, 0));
	start_again(p);
	p->up = false;
	world_wait(&w, HOUR);
	note(p, "01");
	world_sync(&w, 0);
	ck_assert_int_ge(last_ms(p), w.wall_ms - 1);
	ck_assert_int_le(last_ms(p), w.wall_ms);
}
END_TEST

/*
 * Days of records go up and come down over a line that takes minutes for each; both clocks are
 * right all the time.  What is written then is stamped with its own time, not with one that is
 * earlier by what the reply took: by such a stamp it would lose against what another wrote before.
 */
START_TEST(a_slow_line_does_not_put_a_right_clock_wrong)
{
	struct world_peer *slow = &w.nodes[_i];

	world_sql(&w.nodes[0],
	          "WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
	          "INSERT INTO note(id, facility_id, text) SELECT randomblob(16), 'F1', "
	          "hex(randomblob(20)) FROM n");
	if (_i == 1)
		ck_assert(world_sync(&w, 0)); /* the other has nothing of it yet */
	w.bytes_a_second = 500;
	ck_assert(world_sync(&w, _i));
	ck_assert_int_gt(w.slowest_ms, MINUTE);
	ck_assert_int_eq(slow->node.r.clock.offset_ms, 0);
	ck_assert_int_eq(world_int(slow, "SELECT abs(clock_offset_ms) < 2000 FROM yz_remote"), 1);
	w.bytes_a_second = 0;
	world_sql(&w.nodes[!_i],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	world_settle(&w, 2);
	world_wait(&w, 1000);
	world_sql(slow, "UPDATE note SET text = 'the later one' WHERE id = x'01'");
	world_sync(&w, _i);
	ck_assert_int_le(w.wall_ms - last_ms(slow), 1000);
}
END_TEST

/* ---- stamped in the future ---- */

#define ALL_NOTES "SELECT id, text, rank, top, a, b FROM note ORDER BY id"

static void
expect_same_as_hub(struct world_peer *p)
{
	char *want = world_dump(&w.hub, ALL_NOTES), *got = world_dump(p, ALL_NOTES);
	char digest[33], hubs[33];

	ck_assert_str_eq(got, want);
	ck_assert_str_eq(world_digest(p, "f/F1", digest), world_digest(&w.hub, "f/F1", hubs));
	free(want);
	free(got);
}

/* Everybody has the same, nothing is held or in quarantine, and nobody's stamps are of the future:
 * `ahead` is what the hub goes along with. */
static void
expect_settled(int64_t ahead)
{
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_held"), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
	ck_assert_int_le(last_ms(&w.hub), w.wall_ms + ahead);
	for (int i = 0; i < w.node_count; i++) {
		expect_same_as_hub(&w.nodes[i]);
		ck_assert_int_le(last_ms(&w.nodes[i]), w.wall_ms + ahead);
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_quarantine"), 0);
	}
}

static int64_t
held(void)
{
	return world_int(&w.hub, "SELECT count(*) FROM yz_held");
}

static int64_t
notes(struct world_peer *p)
{
	return world_int(p, "SELECT count(*) FROM note");
}

/* Its clock stands wrong by so much from now on, and it doesn't know that yet. */
static void
set_clock(struct world_peer *p, int64_t off_ms)
{
	p->skew_ms = off_ms;
	sync_clock_start(&p->node.r.clock, &p->env, 0, 0);
}

/* Sealed, each by itself, with no line. */
static void
seal(struct world_peer *p)
{
	p->up = false;
	world_sync(&w, (int)(p - w.nodes));
	p->up = true;
}

static const struct far_case {
	const char *name;
	int64_t off_ms;
	bool set_right; /* before it meets the hub */
	int before;     /* notes that the hub has already */
} far_cases[] = {
	{ "three days", 3 * DAY, false, 3 },
	{ "three days, and set right", 3 * DAY, true, 3 },
	{ "twenty years", DAY * 365 * 20, false, 3 },
	{ "from its first record on", 3 * DAY, false, 0 },
};

enum { FAR_CASES = sizeof far_cases / sizeof far_cases[0] };

START_TEST(a_clock_far_ahead_moves_nobody)
{
	const struct far_case *c = &far_cases[_i];
	struct world_peer *p = &w.nodes[0];
	static const char *const ids[] = { "a1", "a2", "a3" };
	struct sync_life_told told;
	struct node_met met;
	struct err err;

	for (int i = 0; i < c->before && i < 3; i++)
		note(p, ids[i]);
	if (c->before > 0)
		world_settle(&w, 2);
	set_clock(p, c->off_ms);
	for (int i = 0; i < 3; i++) {
		static const char *const sql[] = { "UPDATE note SET text = 'first', top = 5",
			                           "UPDATE note SET text = 'second', a = 1",
			                           "UPDATE note SET text = 'third', top = 4" };
		static const char *const more[] = { "b1", "b2", "b3" };

		world_wait(&w, MINUTE);
		note(p, more[i]);
		world_sql(p, i < 2 ? sql[i] : "UPDATE note SET text = 'third'");
		seal(p);
	}
	if (c->set_right)
		p->skew_ms = 0;
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_str_eq(met.words, "");
	ck_assert_uint_eq(met.rejected_count, 0);
	world_settle(&w, 1);
	ck_assert_int_eq(notes(&w.nodes[1]), c->before + 3);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE text = 'third'"),
	                 c->before + 3);
	expect_settled(0);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_conflict"), 0);
	ck_assert_int_eq(sync_life_tell(p->merge, w.wall_ms, &told, &err), 0);
	ck_assert_int_eq(told.word, SYNC_LIFE_QUIET);
	/* and from now on it goes by the hub */
	world_wait(&w, HOUR);
	world_sql(p, "UPDATE note SET text = 'fourth'");
	world_settle(&w, 2);
	expect_settled(0);
	ck_assert_int_ge(last_ms(p), w.wall_ms - 1);
}
END_TEST

/* When the note of that id was made, as its stamp says. */
static int64_t
stamped_ms(struct world_peer *p, uint8_t id)
{
	struct store_value key = store_value_blob(&id, 1);
	struct store_row row = { .table = store_catalog_table_by_name(p->merge, "note")->id };
	struct store_row *rows[] = { &row };
	struct buf bytes = { 0 };
	struct arena a = { 0 };
	struct err err;

	store_value_write(&bytes, &key);
	row.key = bytes.bytes;
	row.key_len = bytes.len;
	ck_assert_int_eq(p->node.r.batch->get(p->node.r.batch, rows, 1, &a, &err), 0);
	ck_assert(store_row_is_live(&row));
	buf_free(&bytes);
	arena_free(&a);
	return STORE_STAMP_MS(row.stamp);
}

/* Days without a line, by a clock that was ahead all the time: each write is of when it was made.
 */
START_TEST(what_is_stamped_anew_is_of_its_own_time)
{
	static const char *const ids[] = { "b1", "b2", "b3", "b4" };
	struct world_peer *p = &w.nodes[0];
	int64_t made[4];

	world_settle(&w, 1);
	set_clock(p, 30 * DAY);
	for (int i = 0; i < 4; i++) {
		world_wait(&w, 7 * HOUR);
		note(p, ids[i]);
		made[i] = w.wall_ms;
		seal(p);
	}
	world_wait(&w, HOUR);
	world_settle(&w, 2);
	expect_settled(0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_ge(stamped_ms(&w.hub, (uint8_t)(0xb1 + i)), made[i] - 1);
		ck_assert_int_le(stamped_ms(&w.hub, (uint8_t)(0xb1 + i)), made[i]);
	}
}
END_TEST

/* The hub holds what it got; nobody hears of it; the node makes it good when it hears of that. */
START_TEST(a_reply_that_says_so_may_be_lost)
{
	struct world_peer *p = &w.nodes[0];
	int64_t before;

	note(p, "a1");
	world_settle(&w, 2);
	before = last_ms(&w.hub);
	set_clock(p, 3 * DAY);
	note(p, "b1");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(held(), i + 1);
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 1);
		ck_assert_int_eq(notes(&w.hub), 1);
		ck_assert_int_eq(last_ms(&w.hub), before);
		ck_assert(world_sync(&w, 1));
		ck_assert_int_eq(notes(&w.nodes[1]), 1);
		note(p, i == 0 ? "b2" : "b3");
		w.lose_reply = true;
		ck_assert(!world_sync(&w, 0));
	}
	world_settle(&w, 2);
	ck_assert_int_eq(notes(&w.nodes[1]), 4);
	expect_settled(0);
}
END_TEST

/* The records of p's stream after `n`, as they go on the way. */
static void
take_after(struct world_peer *p, uint64_t n, struct buf *out, uint64_t *to)
{
	struct store_stream *list;
	struct arena a = { 0 };
	struct err err;
	size_t count;

	ck_assert_int_eq(store_stream_list(p->merge, 0, &a, &list, &count, &err), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(sync_outgoing_next(p->merge, &list[0], n, out, to, &err), 0);
	arena_free(&a);
}

/* What the hub makes of bytes that are said to be p's records after `n`. */
static struct sync_ingested
give(struct world_peer *p, uint64_t n, const struct buf *bytes)
{
	struct sync_ingest_from from = { .scope = "f/F1", .n = n };
	struct rd r = rd_from(bytes->bytes, bytes->len), one;
	struct sync_ingested got;
	struct err err;
	size_t len;
	const uint8_t *at = rd_lenbytes(&r, &len);

	one = rd_from(at, len);
	memcpy(from.site.node, p->node.r.self.node, STORE_NODE_ID);
	memcpy(from.site.epoch, p->node.r.self.epoch, STORE_EPOCH);
	ck_assert_int_eq(sync_ingest_begin(&w.hub.node.r, &err), 0);
	ck_assert_int_ge(sync_ingest_short(&w.hub.node.r, &from, &one, &got, &err), 0);
	ck_assert_int_eq(sync_ingest_end(&w.hub.node.r, &err), 0);
	return got;
}

/* Whoever may send anything could otherwise fill a hub's disk with what nobody wrote. */
START_TEST(what_follows_on_what_is_held_is_proven)
{
	struct world_peer *p = &w.nodes[0];
	struct buf first = { 0 }, second = { 0 };
	uint64_t one, two;

	set_clock(p, 3 * DAY);
	note(p, "b1");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	ck_assert_int_eq(held(), 1);
	one = (uint64_t)world_int(p, "SELECT max(n) FROM yz_stream");
	/* of a table that nothing the hub has merged names */
	world_sql(p, "INSERT INTO daily VALUES ('c', 1, 'F1', 'x', 1)");
	seal(p);
	take_after(p, one, &second, &two);
	take_after(p, 0, &first, &two);

	ck_assert_int_eq(give(p, one + 1, &second).outcome, SYNC_GAP);
	ck_assert_int_eq(give(p, one, &first).outcome, SYNC_REFUSED);
	for (size_t i = 1; i <= second.len; i += second.len / 40) {
		second.bytes[second.len - i] ^= 1;
		give(p, one, &second);
		second.bytes[second.len - i] ^= 1;
	}
	ck_assert_int_eq(held(), 1);
	ck_assert_int_eq(give(p, one, &second).outcome, SYNC_HELD);
	ck_assert_int_eq(held(), 2);
	/* and once more it doesn't follow */
	ck_assert_int_eq(give(p, one, &second).outcome, SYNC_GAP);

	world_settle(&w, 2);
	ck_assert_int_eq(notes(&w.nodes[1]), 1);
	expect_settled(0);
	buf_free(&first);
	buf_free(&second);
}
END_TEST

/* What is held is opened for each that follows: that is looking, and is counted. */
START_TEST(what_is_held_is_not_opened_for_ever)
{
	struct world_peer *p = &w.nodes[0];
	struct sync_ingest_from from = { .scope = "f/F1", .n = 1000 };
	struct sync_ingested got;
	struct err err;

	set_clock(p, 3 * DAY);
	note(p, "b1");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	memcpy(from.site.node, p->node.r.self.node, STORE_NODE_ID);
	memcpy(from.site.epoch, p->node.r.self.epoch, STORE_EPOCH);
	ck_assert_int_eq(sync_ingest_begin(&w.hub.node.r, &err), 0);
	for (int i = 0; i < 3; i++) {
		struct rd nothing = rd_from((const uint8_t *)"", 0);
		int64_t before = w.hub.node.r.look_left;

		if (i == 2)
			w.hub.node.r.look_left = before = 0;
		ck_assert_int_eq(sync_ingest_short(&w.hub.node.r, &from, &nothing, &got, &err), 0);
		ck_assert_int_eq(got.outcome, i == 2 ? SYNC_LATER : SYNC_GAP);
		ck_assert(w.hub.node.r.look_left < before || i == 2);
	}
	ck_assert_int_eq(sync_ingest_end(&w.hub.node.r, &err), 0);
}
END_TEST

/* Who hasn't got its key can't: what was not proven is let go. */
START_TEST(what_is_held_and_has_changed_is_followed_by_nothing)
{
	struct world_peer *p = &w.nodes[0];
	struct buf second = { 0 };
	uint64_t one, two;
	struct err err;

	set_clock(p, 3 * DAY);
	note(p, "b1");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	one = (uint64_t)world_int(p, "SELECT max(n) FROM yz_stream");
	note(p, "b2");
	seal(p);
	take_after(p, one, &second, &two);
	ck_assert_int_eq(store_db_exec(w.hub.merge, "UPDATE yz_held SET bytes = x'0001'", &err), 0);
	ck_assert_int_eq(give(p, one, &second).outcome, SYNC_GAP);
	ck_assert_int_eq(held(), 1);
	world_settle(&w, 2);
	expect_settled(0);
	buf_free(&second);
}
END_TEST

/* The node never comes again: what it had delivered is let in by a person. */
START_TEST(what_is_held_can_be_let_in)
{
	struct world_peer *p = &w.nodes[0];
	struct store_quarantined *list;
	struct node_event tick = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };
	struct arena a = { 0 };
	struct err err;
	size_t count;

	set_clock(p, 3 * DAY);
	note(p, "b1");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	ck_assert_int_eq(store_quarantine_list(w.hub.merge, false, &a, &list, &count, &err), 0);
	ck_assert_uint_eq(count, 1);
	for (int i = 0; i < 2; i++) {
		/* whatever else is tried again, this isn't */
		ck_assert_int_eq(store_quarantine_wake(w.hub.merge,
		                                       i == 0 ? STORE_QUARANTINE_ALL : list[0].id,
		                                       &err),
		                 0);
		/* nor does it stand in the way of who asks for it */
		ck_assert_int_eq(store_quarantine_wake(w.hub.merge, STORE_QUARANTINE_ALL, &err), 0);
		note(&w.hub, i == 0 ? "c1" : "c2");
		world_wait(&w, HOUR);
		ck_assert_int_eq(node_step(&w.hub.node, &tick, &fx, &err), 0);
		ck_assert_int_eq(held(), 1 - i);
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id = x'b1'"),
		                 i);
	}
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
	world_settle(&w, 2);
	ck_assert_int_eq(notes(&w.nodes[1]), 3);
	expect_settled(3 * DAY);
	arena_free(&a);
}
END_TEST

/* Whoever had seen what wins: in the future, at the present, and after it is put right. */
START_TEST(who_had_seen_what_stays_so)
{
	struct world_peer *p = &w.nodes[0], *q = &w.nodes[1];

	note(p, "a1");
	note(p, "a2");
	note(p, "a3");
	world_settle(&w, 2);
	world_wait(&w, MINUTE);
	world_sql(q, "UPDATE note SET text = 'q1' WHERE id IN (x'a1', x'a2')");
	world_settle(&w, 2);
	set_clock(p, 5 * DAY);
	world_sql(p, "UPDATE note SET text = 'p2' WHERE id = x'a1'"); /* has seen q1 */
	world_sql(p, "UPDATE note SET text = 'p2' WHERE id = x'a3'");
	seal(p);
	world_wait(&w, MINUTE);
	world_sql(q, "UPDATE note SET text = 'q3' WHERE id = x'a3'"); /* later, and nobody saw */
	world_settle(&w, 2);
	world_wait(&w, MINUTE);
	world_sql(q, "UPDATE note SET text = text || ' q4' WHERE id = x'a1'");
	world_settle(&w, 2);
	expect_settled(0);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM note WHERE id = x'a1' AND"
	                              " text = 'p2 q4'"),
	                 1);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM note WHERE text = 'q3'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict WHERE state = 'open'"),
	                 1);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_conflict WHERE state = 'open'"), 1);
}
END_TEST

/* More than goes into one message. */
START_TEST(much_from_the_future)
{
	struct world_peer *p = &w.nodes[0];

	world_settle(&w, 1);
	set_clock(p, 3 * DAY);
	for (int i = 0; i < 2; i++) {
		world_sql(p, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		             " WHERE i < 250) INSERT INTO note(facility_id, text)"
		             " SELECT 'F1', randomblob(8000) FROM n");
		seal(p);
		world_wait(&w, MINUTE);
	}
	world_settle(&w, 2);
	ck_assert_int_eq(notes(&w.nodes[1]), 500);
	expect_settled(0);
}
END_TEST

/* A hub whose clock is wrong, until it is set right. */
START_TEST(a_hub_with_a_wrong_clock_loses_nothing)
{
	static const int64_t offs[] = { -3 * DAY, 3 * DAY, -YEARS };
	struct world_peer *p = &w.nodes[0];

	note(p, "a1");
	world_settle(&w, 2);
	w.hub.skew_ms = offs[_i];
	for (int i = 0; i < 3; i++) {
		static const char *const ids[] = { "b1", "b2", "b3" };

		world_wait(&w, MINUTE);
		note(p, ids[i]);
		world_sql(p, "UPDATE note SET text = text || 'x'");
		world_settle(&w, 2);
		ck_assert_int_eq(notes(&w.nodes[1]), 2 + i);
	}
	w.hub.skew_ms = 0;
	world_wait(&w, MINUTE);
	note(p, "c1");
	world_settle(&w, 3);
	ck_assert_int_eq(notes(&w.nodes[1]), 5);
	expect_settled(3 * DAY + HOUR);
	ck_assert_int_le(world_int(p, "SELECT count(*) FROM yz_site"), 9);
}
END_TEST

Suite *
suite_sync_clock(void)
{
	Suite *suite = suite_create("sync/clock");
	TCase *estimate = tcase_create("estimate"), *nodes = tcase_create("nodes");

	tcase_add_loop_test(estimate, the_time_is_estimated_and_rather_too_early, 0,
	                    ESTIMATE_CASES);
	tcase_add_test(estimate, what_was_noted_is_as_long_ago_as_the_clock_says);
	tcase_add_loop_test(estimate, how_long_the_line_took_is_not_the_clocks_fault, 0,
	                    LINE_CASES);
	tcase_add_test(estimate, nothing_is_older_than_the_program);
	suite_add_tcase(suite, estimate);
	tcase_set_timeout(nodes, 60);
	tcase_add_checked_fixture(nodes, open_world, close_world);
	tcase_add_test(nodes, a_boot_in_1970_goes_on_from_the_last_time_known);
	tcase_add_test(nodes, an_offset_is_known_after_a_start);
	tcase_add_loop_test(nodes, a_slow_line_does_not_put_a_right_clock_wrong, 0, 2);
	tcase_add_loop_test(nodes, a_clock_far_ahead_moves_nobody, 0, FAR_CASES);
	tcase_add_test(nodes, what_is_stamped_anew_is_of_its_own_time);
	tcase_add_test(nodes, a_reply_that_says_so_may_be_lost);
	tcase_add_test(nodes, what_follows_on_what_is_held_is_proven);
	tcase_add_test(nodes, what_is_held_is_not_opened_for_ever);
	tcase_add_test(nodes, what_is_held_and_has_changed_is_followed_by_nothing);
	tcase_add_test(nodes, what_is_held_can_be_let_in);
	tcase_add_test(nodes, who_had_seen_what_stays_so);
	tcase_add_test(nodes, much_from_the_future);
	tcase_add_loop_test(nodes, a_hub_with_a_wrong_clock_loses_nothing, 0, 3);
	suite_add_tcase(suite, nodes);
	return suite;
}

/*
 * tests/sync_clock.c - clocks that lie: what time a node believes it is, and
 * what becomes of what it stamped when it believed something else.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "sync/clock.h"

#include <stdio.h>

#define MINUTE ((int64_t)60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEARS (56 * 365 * DAY)

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
	struct sync_clock clock;

	if (c->started_off != 0)
		sync_clock_start(&clock, &env, BEGIN, c->started_off);
	else
		sync_clock_hear(&clock, &env, BEGIN);
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
	struct sync_clock clock;

	sync_clock_hear(&clock, &env, BEGIN);
	m.true_ms += HOUR;
	ck_assert_int_eq(sync_clock_time_of(&clock, &env, wall(&m) - MINUTE), m.true_ms - MINUTE);
	/* noted by a clock that was ahead of itself, or before the hub was heard */
	ck_assert_int_eq(sync_clock_time_of(&clock, &env, wall(&m) + DAY), m.true_ms);
	ck_assert_int_eq(sync_clock_time_of(&clock, &env, 1000), BEGIN);
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

Suite *
suite_sync_clock(void)
{
	Suite *suite = suite_create("sync/clock");
	TCase *estimate = tcase_create("estimate"), *nodes = tcase_create("nodes");

	tcase_add_loop_test(estimate, the_time_is_estimated_and_rather_too_early, 0,
	                    ESTIMATE_CASES);
	tcase_add_test(estimate, what_was_noted_is_as_long_ago_as_the_clock_says);
	tcase_add_test(estimate, nothing_is_older_than_the_program);
	suite_add_tcase(suite, estimate);
	tcase_add_checked_fixture(nodes, open_world, close_world);
	tcase_add_test(nodes, a_boot_in_1970_goes_on_from_the_last_time_known);
	tcase_add_test(nodes, an_offset_is_known_after_a_start);
	suite_add_tcase(suite, nodes);
	return suite;
}

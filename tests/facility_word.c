/*
 * tests/facility_word.c - what people say of one allergy, or of one enrolment, without knowing of
 * each other: who says that the child has it wins, who has gone stays gone, in any order of
 * meeting and whatever the clocks say; what was known when somebody struck it out doesn't.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "node/facility/schema.h"
#include "node/facility/word.h"
#include "store/inbox.h"
#include "store/share.h"
#include "store/track.h"
#include "store/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 3 };

static const char *const facilities[] = { "F1", "F1", "F1", NULL };

static struct world w;
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
make_tables(struct world_peer *p, bool is_hub)
{
	static const char *const tables[] = { "child", "allergy", "allergy_word", "enrollment",
		                              "enrollment_step" };
	static const struct store_track_spec shares = {
		.table = "yz_share", .scope = "", .scope_column = "scope", .hub_only = "at,ended,by"
	};
	static const struct store_track_spec verdicts = { .table = "yz_verdict",
		                                          .scope = "",
		                                          .scope_column = "scope" };

	must(store_db_begin(p->merge, &err));
	must(facility_schema_create(p->merge, &err));
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		must(store_track_table(p->merge, facility_table(tables[i]), is_hub, &err));
	must(store_track_table(p->merge, &verdicts, is_hub, &err));
	must(store_track_table(p->merge, &shares, is_hub, &err));
	if (!is_hub)
		must(store_meta_set(p->merge, "facility", p->facility, strlen(p->facility), &err));
	must(store_db_commit(p->merge, &err));
}

static void
open_facilities(const char *const *ids)
{
	world_open(&w, 83, ids);
	make_tables(&w.hub, true);
	for (int i = 0; i < w.node_count; i++)
		make_tables(&w.nodes[i], false);
}

static void
open_world(void)
{
	open_facilities(facilities);
}

static void
open_two(void)
{
	static const char *const two[] = { "F1", "F2", NULL };

	open_facilities(two);
}

static void
close_world(void)
{
	world_close(&w);
}

static void
settle(int i)
{
	bool yes;

	must(word_unsettled(w.nodes[i].local, &yes, &err));
	if (!yes)
		return;
	must(store_db_begin(w.nodes[i].local, &err));
	must(word_settle(w.nodes[i].local, &err));
	must(store_db_commit(w.nodes[i].local, &err));
}

/* A meeting, and what a node does after it. */
static bool
meet(int i)
{
	bool met = world_sync(&w, i);

	settle(i);
	return met;
}

static void
meet_all(int rounds)
{
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < w.node_count; i++)
			ck_assert(meet(i));
}

#define NUTS "child_id = x'01' AND allergen_code = 'NUTS'"
#define ACTIVE                                                                                     \
	"SELECT coalesce((SELECT active FROM allergy WHERE child_id = x'01' AND"                   \
	" allergen_code = 'NUTS'), 0)"
#define OPEN                                                                                       \
	"SELECT count(*) FROM yz_conflict c JOIN yz_table t ON t.id = c.tbl WHERE"                 \
	" t.name = 'allergy' AND c.state = 'open'"

/* What a person is asked: is she no more allergic? */
static void
expect_asked(struct world_peer *p)
{
	const struct store_table *t = store_catalog_table_by_name(p->local, "allergy");
	char sql[300];

	snprintf(sql, sizeof sql, OPEN " AND c.shown = 1 AND c.other = 0 AND c.col = %d",
	         t->local->columns[store_schema_find(t->local, "active")].id);
	ck_assert_int_eq(world_int(p, sql), 1);
}

static void
expect_active(int64_t want)
{
	for (int i = 0; i < w.node_count; i++)
		ck_assert_msg(world_int(&w.nodes[i], ACTIVE) == want, "node %d isn't %d", i,
		              (int)want);
	ck_assert_int_eq(world_int(&w.hub, ACTIVE), want);
	ck_assert_int_eq(world_int(&w.hub, "SELECT coalesce(max(active), 0) FROM v1_allergy"),
	                 want);
}

static void
expect_level(void)
{
	char here[33], there[33];

	world_digest(&w.hub, "f/F1", there);
	for (int i = 0; i < NODES; i++) {
		world_digest(&w.nodes[i], "f/F1", here);
		ck_assert_msg(strcmp(here, there) == 0, "node %d has %s, the hub %s", i, here,
		              there);
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_quarantine"), 0);
	}
}

static void
tell_all(void)
{
	world_sql(&w.nodes[0], "INSERT INTO allergy(child_id, allergen_code, facility_id, reaction)"
	                       " VALUES (x'01', 'NUTS', 'F1', 'rash')");
	meet_all(2);
	expect_active(1);
}

/* Forms in which it is said again, and struck out. */
static const char *const again[] = {
	"UPDATE allergy SET active = 1 WHERE " NUTS,
	"UPDATE allergy SET severity = 3 WHERE " NUTS,
	"UPDATE allergy SET active = 0 WHERE " NUTS ";UPDATE allergy SET active = 1 WHERE " NUTS,
	"DELETE FROM allergy WHERE " NUTS ";INSERT INTO allergy(child_id, allergen_code,"
	" facility_id) VALUES (x'01', 'NUTS', 'F1')",
	"REPLACE INTO allergy(child_id, allergen_code, facility_id) VALUES (x'01', 'NUTS', 'F1')",
};
static const char *const gone[] = {
	"UPDATE allergy SET active = 0 WHERE " NUTS,
	"DELETE FROM allergy WHERE " NUTS,
	"REPLACE INTO allergy(child_id, allergen_code, facility_id, active)"
	" VALUES (x'01', 'NUTS', 'F1', 0)",
};

enum { AGAIN = sizeof again / sizeof again[0], GONE = sizeof gone / sizeof gone[0] };

/* _i: form of either; who of the two meets first; whose clock is ahead. */
START_TEST(an_allergy_stays_although_somebody_struck_it_out_unknowing)
{
	int how = _i / 4, first = _i & 1;

	tell_all();
	w.nodes[_i >> 1 & 1].skew_ms = 30000;
	world_sql(&w.nodes[0], again[how % AGAIN]);
	world_sql(&w.nodes[1], gone[how / AGAIN]);
	ck_assert(meet(first));
	ck_assert(meet(!first));
	meet_all(3);
	expect_active(1);
	for (int i = 0; i < NODES; i++)
		expect_asked(&w.nodes[i]);
	expect_level();
	/* who knows of it all does away with it */
	w.nodes[2].skew_ms = -30000;
	world_sql(&w.nodes[2], gone[how / AGAIN]);
	meet_all(3);
	expect_active(0);
	for (int i = 0; i < NODES; i++)
		ck_assert_int_eq(world_int(&w.nodes[i], OPEN), 0);
	expect_level();
}
END_TEST

START_TEST(who_knew_of_it_strikes_it_out)
{
	tell_all();
	world_sql(&w.nodes[1], "UPDATE allergy SET severity = 2 WHERE " NUTS);
	meet_all(2);
	w.nodes[2].skew_ms = -30000;
	world_sql(&w.nodes[2], gone[_i]);
	meet_all(2);
	expect_active(0);
	ck_assert_int_eq(world_int(&w.hub, OPEN), 0);
	/* and it may be told again */
	world_sql(&w.nodes[0], "REPLACE INTO allergy(child_id, allergen_code, facility_id)"
	                       " VALUES (x'01', 'NUTS', 'F1')");
	meet_all(2);
	expect_active(1);
	expect_level();
}
END_TEST

/* What a node wrote to fit crosses a word that knew all there was to know, and is later. */
START_TEST(what_was_written_to_fit_is_taken_back)
{
	tell_all();
	world_sql(&w.nodes[0], again[0]);
	world_sql(&w.nodes[1], gone[0]);
	ck_assert(meet(0));
	ck_assert(world_sync(&w, 1));
	ck_assert(meet(2)); /* has both words */
	world_sql(&w.nodes[2], gone[0]);
	ck_assert(meet(2));
	w.nodes[1].skew_ms = 30000;
	settle(1); /* has both, and not the third */
	meet_all(4);
	expect_active(0);
	expect_level();
}
END_TEST

/* A person decides, at one node, and nobody asks any more. */
START_TEST(a_verdict_about_it_holds_everywhere)
{
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count;

	tell_all();
	world_sql(&w.nodes[0], again[0]);
	world_sql(&w.nodes[1], gone[0]);
	meet_all(3);
	must(store_inbox_list(w.nodes[2].local, true, &a, &list, &count, &err));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(list[0].shown.value.num.i, 1);
	ck_assert_int_eq(list[0].other.value.num.i, 0);
	must(store_db_begin(w.nodes[2].local, &err));
	must(store_verdict_give(
	        w.nodes[2].local,
	        &(struct store_verdict){ .conflict = &list[0],
	                                 .take = _i ? STORE_TAKE_OTHER : STORE_TAKE_SHOWN,
	                                 .by = "Wu" },
	        &err));
	must(store_db_commit(w.nodes[2].local, &err));
	arena_free(&a);
	meet_all(3);
	expect_active(!_i);
	for (int i = 0; i < NODES; i++)
		ck_assert_int_eq(world_int(&w.nodes[i], OPEN), 0);
	expect_level();
}
END_TEST

/* A file of an older program says no words: the later writing stands, as it did. */
START_TEST(what_says_no_word_stands_as_it_did)
{
	tell_all();
	world_sql(&w.nodes[0], gone[0]);
	meet_all(2);
	world_sql(&w.nodes[1], "DROP TRIGGER allergy_said_again");
	world_sql(&w.nodes[1], again[0]);
	meet_all(3);
	expect_active(1);
	expect_level();
}
END_TEST

/* ------------------------------------------------------------------ the law */

enum { WORDS = 64 };

/* What was said, and by whoever knew what: kept apart from any file. */
static struct model {
	int count;
	int64_t value[WORDS];
	uint64_t knew[WORDS];
	uint64_t hub, nodes[NODES], saved[NODES];
} model;

static void
model_say(int node, int64_t value)
{
	model.value[model.count] = value;
	model.knew[model.count] = model.nodes[node];
	model.nodes[node] |= (uint64_t)1 << model.count++;
}

/* The greatest of those that nobody knew who said another; `none` if nobody said anything. */
static int64_t
model_stands(int64_t none)
{
	uint64_t ended = 0;
	int64_t most = INT64_MIN;

	for (int i = 0; i < model.count; i++)
		ended |= model.knew[i];
	for (int i = 0; i < model.count; i++)
		if ((ended >> i & 1) == 0 && model.value[i] > most)
			most = model.value[i];
	return model.count == 0 ? none : most;
}

static void
model_meet(int i)
{
	if (world_draw(&w, 6) == 0) { /* the hub has it, the node doesn't hear */
		w.lose_reply = 1;
		(void)meet(i);
		w.lose_reply = 0;
		model.hub |= model.nodes[i];
		return;
	}
	ck_assert(meet(i));
	model.hub |= model.nodes[i];
	model.nodes[i] = model.hub;
}

static void
say_something(int node)
{
	bool there = world_int(&w.nodes[node], "SELECT count(*) FROM allergy") > 0;
	uint32_t what = world_draw(&w, 6);

	if (!there) {
		world_sql(&w.nodes[node], again[AGAIN - 1]);
		model_say(node, 1);
	} else if (what < 2) {
		world_sql(&w.nodes[node], "UPDATE allergy SET active = 1 WHERE " NUTS);
		model_say(node, 1);
	} else if (what == 2 && world_int(&w.nodes[node], ACTIVE) == 1) {
		world_sql(&w.nodes[node], "UPDATE allergy SET severity = severity IS NOT 2"
		                          " WHERE " NUTS);
		model_say(node, 1);
	} else {
		world_sql(&w.nodes[node], gone[world_draw(&w, GONE)]);
		model_say(node, 0);
	}
}

static void
move_enrollment(int node)
{
	char sql[100];
	int64_t to = 3 + world_draw(&w, 4);

	snprintf(sql, sizeof sql, "UPDATE enrollment SET status = %d WHERE id = x'0e'", (int)to);
	world_sql(&w.nodes[node], sql);
	model_say(node, to);
}

static void
random_walk(void (*say)(int), int seed)
{
	memset(&model, 0, sizeof model);
	w.random = (uint64_t)seed * 7919 + 1;
	for (int step = 0; step < 60 && model.count < WORDS; step++) {
		int node = (int)world_draw(&w, NODES);

		w.nodes[node].skew_ms = (int64_t)world_draw(&w, 60000) - 30000;
		world_wait(&w, world_draw(&w, 3000));
		if (world_draw(&w, 5) < 2)
			say(node);
		else
			model_meet(node);
	}
	meet_all(5);
	for (int i = 0; i < NODES; i++)
		model.hub |= model.nodes[i];
}

START_TEST(any_order_of_words_and_meetings_about_an_allergy)
{
	random_walk(say_something, _i);
	expect_active(model_stands(0));
	expect_level();
}
END_TEST

START_TEST(any_order_of_steps_of_an_enrolment)
{
	world_sql(&w.nodes[0], "INSERT INTO enrollment(id, facility_id, child_id)"
	                       " VALUES (x'0e', 'F1', x'01')");
	meet_all(2);
	random_walk(move_enrollment, _i);
	for (int i = 0; i < NODES; i++)
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT status FROM enrollment"),
		                 model_stands(3));
	ck_assert_int_eq(world_int(&w.hub, "SELECT status FROM enrollment"), model_stands(3));
	ck_assert_int_eq(
	        world_int(&w.hub, "SELECT max(status) FROM enrollment_step WHERE ended = 0"),
	        model_stands(3));
	expect_level();
}
END_TEST

/* A file that was put back goes on in another life, and its words with it. */
START_TEST(a_file_that_was_put_back_says_the_same)
{
	tell_all();
	world_sql(&w.nodes[1], _i & 1 ? gone[0] : again[0]);
	world_save(&w.nodes[1], "before");
	if (_i & 2)
		ck_assert(meet(1));
	world_sql(&w.nodes[0], _i & 1 ? again[0] : gone[0]);
	ck_assert(meet(0));
	world_put_back(&w.nodes[1], "before");
	meet_all(4);
	if ((_i & 2) == 0 || (_i & 1) == 1)
		expect_active(1);
	expect_level();
}
END_TEST

/* ------------------------------------------------------------------ enrolments */

START_TEST(who_has_left_stays_so_and_a_person_sees_the_other)
{
	world_sql(&w.nodes[0], "INSERT INTO enrollment(id, facility_id, child_id)"
	                       " VALUES (x'0e', 'F1', x'01')");
	meet_all(2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM enrollment_step WHERE was IS NULL"
	                                   " AND status = 3 AND ended = 0"),
	                 1);
	w.nodes[_i & 1].skew_ms = 30000;
	world_sql(&w.nodes[0], "UPDATE enrollment SET status = 5");
	world_sql(&w.nodes[1], "UPDATE enrollment SET status = 4");
	ck_assert(meet(_i >> 1));
	meet_all(3);
	for (int i = 0; i < NODES; i++) {
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT status FROM enrollment"), 5);
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_conflict"
		                                        " WHERE state = 'open' AND other = 4"),
		                 1);
	}
	world_sql(&w.nodes[2], "UPDATE enrollment SET status = 3"); /* she is back */
	meet_all(3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT status FROM enrollment"), 3);
	ck_assert_int_eq(
	        world_int(&w.nodes[0], "SELECT count(*) FROM yz_conflict WHERE state = 'open'"), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM v1_enrollment_step"), 4);
	ck_assert_int_eq(world_int(&w.hub, "SELECT was FROM v1_enrollment_step WHERE ended = 0"),
	                 5);
	expect_level();
}
END_TEST

/* ------------------------------------------------------------------ two facilities */

static void
expect_shared_level(void)
{
	static const char *const scopes[] = { "f/F1", "f/F2" };

	for (int i = 0; i < 2; i++) {
		char here[33], there[33];

		world_digest(&w.nodes[i], scopes[i], here);
		world_digest(&w.hub, scopes[i], there);
		ck_assert_msg(strcmp(here, there) == 0, "%s: %s, the hub %s", scopes[i], here,
		              there);
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_quarantine"), 0);
	}
}

/* A child whom two facilities see: the one tells it again, the other strikes it out.  _i: which;
 * how it is struck out. */
START_TEST(of_a_shared_child_the_word_of_the_other_facility_counts)
{
	struct buf key = { 0 };
	struct store_value v = store_value_blob("\x01", 1);
	struct store_share_line line = { .table = "child", .scope = "f/F2", .at_ms = 1, .by = "" };
	int teller = _i & 1;

	store_value_write(&key, &v);
	line.key = key.bytes;
	line.key_len = key.len;
	world_sql(&w.nodes[0],
	          "INSERT INTO child(id, facility_id, name) VALUES (x'01', 'F1', 'Wu')");
	world_sql(&w.nodes[0], "INSERT INTO allergy(child_id, allergen_code, facility_id)"
	                       " VALUES (x'01', 'NUTS', 'F1')");
	ck_assert(meet(0));
	must(store_db_begin(w.hub.local, &err));
	must(store_share_say(w.hub.local, &line, &err));
	must(store_db_commit(w.hub.local, &err));
	buf_free(&key);
	meet_all(2);
	world_sql(&w.nodes[teller], again[0]);
	w.nodes[!teller].skew_ms = 30000;
	world_sql(&w.nodes[!teller], gone[_i >> 1]);
	meet_all(5);
	expect_active(1);
	expect_shared_level();
	world_sql(&w.nodes[!teller], gone[_i >> 1]);
	meet_all(4);
	expect_active(0);
	expect_shared_level();
}
END_TEST

Suite *
suite_facility_word(void)
{
	Suite *suite = suite_create("node/facility/word");
	TCase *tc = tcase_create("word");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, an_allergy_stays_although_somebody_struck_it_out_unknowing, 0,
	                    4 * AGAIN * GONE);
	tcase_add_loop_test(tc, who_knew_of_it_strikes_it_out, 0, GONE);
	tcase_add_test(tc, what_was_written_to_fit_is_taken_back);
	tcase_add_loop_test(tc, a_verdict_about_it_holds_everywhere, 0, 2);
	tcase_add_test(tc, what_says_no_word_stands_as_it_did);
	tcase_add_loop_test(tc, any_order_of_words_and_meetings_about_an_allergy, 0, 40);
	tcase_add_loop_test(tc, any_order_of_steps_of_an_enrolment, 0, 40);
	tcase_add_loop_test(tc, a_file_that_was_put_back_says_the_same, 0, 4);
	tcase_add_loop_test(tc, who_has_left_stays_so_and_a_person_sees_the_other, 0, 4);
	suite_add_tcase(suite, tc);
	tc = tcase_create("two facilities");
	tcase_add_checked_fixture(tc, open_two, close_world);
	tcase_add_loop_test(tc, of_a_shared_child_the_word_of_the_other_facility_counts, 0, 4);
	suite_add_tcase(suite, tc);
	return suite;
}

/*
 * tests/facility_word.c - what people say of one allergy, or of one enrolment, without knowing of
 * each other: who says that the child has it wins, who has gone stays gone, in any order of
 * meeting and whatever the clocks say; what was known when somebody struck it out doesn't.
 */
#include "tests/suites.h"
#include "tests/word_world.h"

#include "store/inbox.h"
#include "store/share.h"
#include "store/verdict.h"

#include <stdio.h>
#include <string.h>

static void
open_two(void)
{
	static const char *const two[] = { "F1", "F2", NULL };

	word_open_facilities(two);
}

/* What a person is asked: is she no more allergic? */
static void
expect_asked(struct world_peer *p)
{
	const struct store_table *t = store_catalog_table_by_name(p->local, "allergy");
	char sql[300];

	snprintf(sql, sizeof sql, WORD_OPEN " AND c.shown = 1 AND c.other = 0 AND c.col = %d",
	         t->local->columns[store_schema_find(t->local, "active")].id);
	ck_assert_int_eq(world_int(p, sql), 1);
}

static void
tell_all(void)
{
	world_sql(&word_world.nodes[0],
	          "INSERT INTO allergy(child_id, allergen_code, facility_id, reaction)"
	          " VALUES (x'01', 'NUTS', 'F1', 'rash')");
	word_meet_all(2);
	word_expect_active(1);
}

/* _i: form of either; who of the two meets first; whose clock is ahead. */
START_TEST(an_allergy_stays_although_somebody_struck_it_out_unknowing)
{
	int how = _i / 4, first = _i & 1;

	tell_all();
	word_world.nodes[_i >> 1 & 1].skew_ms = 30000;
	world_sql(&word_world.nodes[0], word_again[how % WORD_AGAIN]);
	world_sql(&word_world.nodes[1], word_gone[how / WORD_AGAIN]);
	ck_assert(word_meet(first));
	ck_assert(word_meet(!first));
	word_meet_all(3);
	word_expect_active(1);
	for (int i = 0; i < WORD_NODES; i++)
		expect_asked(&word_world.nodes[i]);
	word_expect_level();
	/* who knows of it all does away with it */
	word_world.nodes[2].skew_ms = -30000;
	world_sql(&word_world.nodes[2], word_gone[how / WORD_AGAIN]);
	word_meet_all(3);
	word_expect_active(0);
	for (int i = 0; i < WORD_NODES; i++)
		ck_assert_int_eq(world_int(&word_world.nodes[i], WORD_OPEN), 0);
	word_expect_level();
}
END_TEST

START_TEST(who_knew_of_it_strikes_it_out)
{
	tell_all();
	world_sql(&word_world.nodes[1], "UPDATE allergy SET severity = 2 WHERE " WORD_NUTS);
	word_meet_all(2);
	word_world.nodes[2].skew_ms = -30000;
	world_sql(&word_world.nodes[2], word_gone[_i]);
	word_meet_all(2);
	word_expect_active(0);
	ck_assert_int_eq(world_int(&word_world.hub, WORD_OPEN), 0);
	/* and it may be told again */
	world_sql(&word_world.nodes[0], "REPLACE INTO allergy(child_id, allergen_code, facility_id)"
	                                " VALUES (x'01', 'NUTS', 'F1')");
	word_meet_all(2);
	word_expect_active(1);
	word_expect_level();
}
END_TEST

/* What a node wrote to fit crosses a word that knew all there was to know, and is later. */
START_TEST(what_was_written_to_fit_is_taken_back)
{
	tell_all();
	world_sql(&word_world.nodes[0], word_again[0]);
	world_sql(&word_world.nodes[1], word_gone[0]);
	ck_assert(word_meet(0));
	ck_assert(world_sync(&word_world, 1));
	ck_assert(word_meet(2)); /* has both words */
	world_sql(&word_world.nodes[2], word_gone[0]);
	ck_assert(word_meet(2));
	word_world.nodes[1].skew_ms = 30000;
	word_after(1); /* has both, and not the third */
	word_meet_all(4);
	word_expect_active(0);
	word_expect_level();
}
END_TEST

/* A person decides, at one node, and nobody asks any more. */
START_TEST(a_verdict_about_it_holds_everywhere)
{
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count;

	tell_all();
	world_sql(&word_world.nodes[0], word_again[0]);
	world_sql(&word_world.nodes[1], word_gone[0]);
	word_meet_all(3);
	word_must(store_inbox_list(word_world.nodes[2].local, true, &a, &list, &count, &word_err));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(list[0].shown.value.num.i, 1);
	ck_assert_int_eq(list[0].other.value.num.i, 0);
	word_must(store_db_begin(word_world.nodes[2].local, &word_err));
	word_must(store_verdict_give(
	        word_world.nodes[2].local,
	        &(struct store_verdict){ .conflict = &list[0],
	                                 .take = _i ? STORE_TAKE_OTHER : STORE_TAKE_SHOWN,
	                                 .by = "Wu" },
	        &word_err));
	word_must(store_db_commit(word_world.nodes[2].local, &word_err));
	arena_free(&a);
	word_meet_all(3);
	word_expect_active(!_i);
	for (int i = 0; i < WORD_NODES; i++)
		ck_assert_int_eq(world_int(&word_world.nodes[i], WORD_OPEN), 0);
	word_expect_level();
}
END_TEST

/* A file of an older program says no words: the later writing stands, as it did. */
START_TEST(what_says_no_word_stands_as_it_did)
{
	tell_all();
	world_sql(&word_world.nodes[0], word_gone[0]);
	word_meet_all(2);
	world_sql(&word_world.nodes[1], "DROP TRIGGER allergy_said_again");
	world_sql(&word_world.nodes[1], word_again[0]);
	word_meet_all(3);
	word_expect_active(1);
	word_expect_level();
}
END_TEST

/* A file that was put back goes on in another life, and its words with it. */
START_TEST(a_file_that_was_put_back_says_the_same)
{
	tell_all();
	world_sql(&word_world.nodes[1], _i & 1 ? word_gone[0] : word_again[0]);
	world_save(&word_world.nodes[1], "before");
	if (_i & 2)
		ck_assert(word_meet(1));
	world_sql(&word_world.nodes[0], _i & 1 ? word_again[0] : word_gone[0]);
	ck_assert(word_meet(0));
	world_put_back(&word_world.nodes[1], "before");
	word_meet_all(4);
	if ((_i & 2) == 0 || (_i & 1) == 1)
		word_expect_active(1);
	word_expect_level();
}
END_TEST

/* ------------------------------------------------------------------ enrolments */

START_TEST(who_has_left_stays_so_and_a_person_sees_the_other)
{
	world_sql(&word_world.nodes[0], "INSERT INTO enrollment(id, facility_id, child_id)"
	                                " VALUES (x'0e', 'F1', x'01')");
	word_meet_all(2);
	ck_assert_int_eq(world_int(&word_world.hub,
	                           "SELECT count(*) FROM enrollment_step WHERE was IS NULL"
	                           " AND status = 3 AND ended = 0"),
	                 1);
	word_world.nodes[_i & 1].skew_ms = 30000;
	world_sql(&word_world.nodes[0], "UPDATE enrollment SET status = 5");
	world_sql(&word_world.nodes[1], "UPDATE enrollment SET status = 4");
	ck_assert(word_meet(_i >> 1));
	word_meet_all(3);
	for (int i = 0; i < WORD_NODES; i++) {
		ck_assert_int_eq(world_int(&word_world.nodes[i], "SELECT status FROM enrollment"),
		                 5);
		ck_assert_int_eq(world_int(&word_world.nodes[i],
		                           "SELECT count(*) FROM yz_conflict"
		                           " WHERE state = 'open' AND other = 4"),
		                 1);
	}
	world_sql(&word_world.nodes[2], "UPDATE enrollment SET status = 3"); /* she is back */
	word_meet_all(3);
	ck_assert_int_eq(world_int(&word_world.hub, "SELECT status FROM enrollment"), 3);
	ck_assert_int_eq(world_int(&word_world.nodes[0],
	                           "SELECT count(*) FROM yz_conflict WHERE state = 'open'"),
	                 0);
	ck_assert_int_eq(world_int(&word_world.hub, "SELECT count(*) FROM v1_enrollment_step"), 4);
	ck_assert_int_eq(
	        world_int(&word_world.hub, "SELECT was FROM v1_enrollment_step WHERE ended = 0"),
	        5);
	word_expect_level();
}
END_TEST

/* ------------------------------------------------------------------ two facilities */

static void
expect_shared_level(void)
{
	static const char *const scopes[] = { "f/F1", "f/F2" };

	for (int i = 0; i < 2; i++) {
		char here[33], there[33];

		world_digest(&word_world.nodes[i], scopes[i], here);
		world_digest(&word_world.hub, scopes[i], there);
		ck_assert_msg(strcmp(here, there) == 0, "%s: %s, the hub %s", scopes[i], here,
		              there);
		ck_assert_int_eq(
		        world_int(&word_world.nodes[i], "SELECT count(*) FROM yz_quarantine"), 0);
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
	world_sql(&word_world.nodes[0],
	          "INSERT INTO child(id, facility_id, name) VALUES (x'01', 'F1', 'Wu')");
	world_sql(&word_world.nodes[0], "INSERT INTO allergy(child_id, allergen_code, facility_id)"
	                                " VALUES (x'01', 'NUTS', 'F1')");
	ck_assert(word_meet(0));
	word_must(store_db_begin(word_world.hub.local, &word_err));
	word_must(store_share_say(word_world.hub.local, &line, &word_err));
	word_must(store_db_commit(word_world.hub.local, &word_err));
	buf_free(&key);
	word_meet_all(2);
	world_sql(&word_world.nodes[teller], word_again[0]);
	word_world.nodes[!teller].skew_ms = 30000;
	world_sql(&word_world.nodes[!teller], word_gone[_i >> 1]);
	word_meet_all(5);
	word_expect_active(1);
	expect_shared_level();
	world_sql(&word_world.nodes[!teller], word_gone[_i >> 1]);
	word_meet_all(4);
	word_expect_active(0);
	expect_shared_level();
}
END_TEST

Suite *
suite_facility_word(void)
{
	Suite *suite = suite_create("node/facility/word");
	TCase *tc = tcase_create("word");

	tcase_add_checked_fixture(tc, word_open, word_close);
	tcase_add_loop_test(tc, an_allergy_stays_although_somebody_struck_it_out_unknowing, 0,
	                    4 * WORD_AGAIN * WORD_GONE);
	tcase_add_loop_test(tc, who_knew_of_it_strikes_it_out, 0, WORD_GONE);
	tcase_add_test(tc, what_was_written_to_fit_is_taken_back);
	tcase_add_loop_test(tc, a_verdict_about_it_holds_everywhere, 0, 2);
	tcase_add_test(tc, what_says_no_word_stands_as_it_did);
	tcase_add_loop_test(tc, a_file_that_was_put_back_says_the_same, 0, 4);
	tcase_add_loop_test(tc, who_has_left_stays_so_and_a_person_sees_the_other, 0, 4);
	suite_add_tcase(suite, tc);
	tc = tcase_create("two facilities");
	tcase_add_checked_fixture(tc, open_two, word_close);
	tcase_add_loop_test(tc, of_a_shared_child_the_word_of_the_other_facility_counts, 0, 4);
	suite_add_tcase(suite, tc);
	return suite;
}

/*
 * tests/sync_share.c - children whom two facilities see: each writes for itself,
 * the hub passes it on, and all count the same.
 */
#include "store/inbox.h"
#include "tests/histories.h"
#include "tests/share_world.h"
#include "tests/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world w;

static void
open_world(void)
{
	share_world_open(&w);
}

static void
close_world(void)
{
	world_close(&w);
}

/* ---- dual enrolment ---- */

START_TEST(who_is_enrolled_gets_what_there_is)
{
	share_world_make_child(&w);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B], "SELECT count(*) FROM child"), 0);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	share_world_expect_same_child(&w.nodes[SHARE_B], &w.nodes[SHARE_A]);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B], "SELECT count(*) FROM growth"), 1);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_C], "SELECT count(*) FROM child"), 0);
	share_world_expect_level(&w);
}
END_TEST

START_TEST(each_writes_and_both_see_it)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_sql(&w.nodes[SHARE_B], "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                             " (x'b1', 'B', x'01', 9300)");
	world_settle(&w, 2);
	world_sql(&w.nodes[SHARE_A], "UPDATE child SET name = 'Wu Yi' WHERE id = x'01'");
	world_sql(&w.nodes[SHARE_A], "UPDATE allergy SET note = 'all nuts' WHERE child_id = x'01'");
	world_sql(&w.nodes[SHARE_A], "INSERT INTO allergy VALUES (x'01', 8, 'A', 'milk')");
	world_settle(&w, 2);
	world_sql(&w.nodes[SHARE_B], "DELETE FROM allergy WHERE code = 7");
	world_settle(&w, 2);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], "SELECT count(*) FROM growth"), 2);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], "SELECT count(*) FROM allergy"), 1);
	share_world_expect_level(&w);
	/* everybody had seen what they changed */
	ck_assert_int_eq(share_world_conflicts(&w.nodes[SHARE_A]), 0);
	ck_assert_int_eq(share_world_conflicts(&w.nodes[SHARE_B]), 0);
	ck_assert_int_eq(share_world_conflicts(&w.hub), 0);
}
END_TEST

/* The row is in B's scope there, and its column says A: that is no move (sync/seal/seal_undo.c). */
START_TEST(who_replaces_a_shared_row_moves_nothing)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[SHARE_B], "REPLACE INTO child VALUES (x'01', 'A', 'Wu Yi', 'lively');"
	                             "REPLACE INTO allergy VALUES (x'01', 7, 'A', 'all nuts')");
	world_settle(&w, 2);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A],
	                           "SELECT count(*) FROM child WHERE name = 'Wu Yi' AND"
	                           " facility_id = 'A'"),
	                 1);
	share_world_expect_level(&w);
	/* what A has measured stands in a stream of another scope, and is put back all the same */
	world_sql(&w.nodes[SHARE_B],
	          "REPLACE INTO growth SELECT id, facility_id, child_id, 1 FROM growth");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B], "SELECT grams FROM growth"), 9000);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_digest(&w, SHARE_B, "f/B");
	ck_assert_int_eq(
	        world_int(&w.nodes[SHARE_B], "SELECT count(*) FROM yz_quarantine WHERE n = 1"), 1);
}
END_TEST

START_TEST(what_is_passed_on_isnt_passed_back)
{
	int64_t to_a, to_b;

	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 3);
	to_a = share_world_hub_records(&w, "f/A");
	to_b = share_world_hub_records(&w, "f/B");
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_settle(&w, 5);
	/* an opening and a change for A, nothing for B */
	ck_assert_int_eq(share_world_hub_records(&w, "f/A"), to_a + 2);
	ck_assert_int_eq(share_world_hub_records(&w, "f/B"), to_b);
}
END_TEST

START_TEST(two_who_write_at_once_are_in_conflict_on_both_sides)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_wait(&w, 1000);
	world_sql(&w.nodes[SHARE_A], "UPDATE child SET note = 'loud' WHERE id = x'01'");
	world_settle(&w, 3);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	ck_assert_int_eq(share_world_conflicts(&w.hub), 1);
	ck_assert_int_eq(share_world_conflicts(&w.nodes[SHARE_B]), 1); /* who lost is told */
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'both' WHERE id = x'01'");
	world_settle(&w, 3);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(share_world_conflicts(&w.nodes[i]), 0);
	ck_assert_int_eq(share_world_conflicts(&w.hub), 0);
	share_world_expect_level(&w);
}
END_TEST

START_TEST(the_hub_writes_for_all_who_see_it)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.hub, "UPDATE child SET note = 'from the hub' WHERE id = x'01'");
	world_sql(&w.hub, "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                  " (x'c1', 'A', x'01', 9100)");
	world_settle(&w, 2);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
	share_world_expect_same_child(&w.nodes[SHARE_B], &w.hub);
	share_world_expect_level(&w);
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'seen' WHERE id = x'01'");
	world_settle(&w, 2);
	ck_assert_int_eq(share_world_conflicts(&w.hub), 0);
	share_world_expect_level(&w);
}
END_TEST

/* ---- transfer ---- */

START_TEST(who_is_left_keeps_what_there_was_and_hears_no_more)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	share_world_say(&w, 1, "f/A", true);
	world_settle(&w, 3);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_level(&w);
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], "SELECT note = 'quiet' FROM child"), 1);
	share_world_expect_level(&w);
	share_world_expect_digest(&w, SHARE_A, "f/A");
}
END_TEST

/* It can only be read, whatever program writes: past that, what is written goes nowhere. */
START_TEST(what_is_kept_of_who_has_left_can_only_be_read)
{
	static const char *const writes[] = {
		"UPDATE child SET note = 'after' WHERE id = x'01'",
		"DELETE FROM child WHERE id = x'01'",
		"REPLACE INTO child VALUES (x'01', 'A', 'Wu', 'after')",
		"UPDATE allergy SET note = 'after' WHERE child_id = x'01'",
		"DELETE FROM allergy WHERE child_id = x'01'",
		"INSERT INTO allergy VALUES (x'01', 8, 'A', 'milk')",
		"UPDATE allergy SET child_id = x'01' WHERE child_id = x'02'",
		"INSERT INTO growth(facility_id, child_id, grams) VALUES ('A', x'01', 9300)",
	};

	share_world_make_child(&w);
	world_sql(&w.nodes[SHARE_A], "INSERT INTO child VALUES (x'02', 'A', 'Li', 'loud');"
	                             "INSERT INTO allergy VALUES (x'02', 7, 'A', 'milk')");
	share_world_say(&w, 1, "f/B", false);
	share_world_say(&w, 1, "f/A", true);
	world_settle(&w, 3);
	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++)
		share_world_expect_refused(&w.nodes[SHARE_A], writes[i]);
	/* others, and where the child is now, are written as ever */
	world_sql(&w.nodes[SHARE_A], "UPDATE allergy SET note = 'all milk' WHERE child_id = x'02'");
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], "SELECT count(*) FROM yz_quarantine"), 0);
	share_world_expect_level(&w);
	share_world_write_past(&w.nodes[SHARE_A], "UPDATE child SET note = 'x' WHERE id = x'01'");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], "SELECT count(*) FROM yz_quarantine"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM child WHERE note = 'lively'"), 1);
	share_world_expect_digest(&w, SHARE_A, "f/A");
	share_world_say(&w, 1, "f/A", false);
	world_settle(&w, 3);
	for (size_t i = 3; i < sizeof writes / sizeof writes[0]; i++)
		world_sql(&w.nodes[SHARE_A], writes[i]);
	world_settle(&w, 3);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_level(&w);
}
END_TEST

/* What was written before the old facility heard of it goes up and is passed on. */
START_TEST(unsynced_work_goes_up_first)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[SHARE_A], "UPDATE child SET name = 'late' WHERE id = x'01'");
	world_sql(&w.nodes[SHARE_A], "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                             " (x'a2', 'A', x'01', 9200)");
	world_sql(&w.nodes[SHARE_A], "DELETE FROM allergy WHERE code = 7");
	share_world_say(&w, 1, "f/A", true);
	ck_assert(world_sync(&w, SHARE_B)); /* the hub carries it out */
	ck_assert(world_sync(&w, SHARE_A));
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B], "SELECT name = 'late' FROM child"), 1);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B], "SELECT count(*) FROM growth"), 2);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B], "SELECT count(*) FROM allergy"), 0);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_level(&w);
}
END_TEST

/* Child 1 goes from A to B; its allergy was deleted before that, by the one or the other. */
static void
say_moved(int by)
{
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[by == 0 ? SHARE_A : SHARE_B], "DELETE FROM allergy");
	world_settle(&w, 2);
	share_world_say(&w, 1, "f/A", true);
	world_settle(&w, 3);
}

/* What had been deleted before, and is entered again by the new facility, is the new one's. */
START_TEST(what_is_entered_again_after_a_transfer_reaches_the_old_one_once)
{
	share_world_make_child(&w);
	say_moved(_i);
	world_sql(&w.nodes[SHARE_B], "INSERT INTO allergy VALUES (x'01', 7, 'A', 'milk')");
	world_settle(&w, 3);
	share_world_expect_level(&w);
	world_sql(&w.nodes[SHARE_B], "UPDATE allergy SET note = 'all milk'");
	world_settle(&w, 3);
	share_world_expect_same_child(&w.nodes[SHARE_B], &w.hub);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A],
	                           "SELECT count(*) FROM allergy WHERE note = 'all milk'"),
	                 0);
	ck_assert_int_eq(world_int(&w.hub,
	                           "SELECT count(*) FROM yz_clock k JOIN yz_scope c ON c.id ="
	                           " k.scope JOIN yz_table t ON t.id = k.tbl"
	                           " WHERE t.name = 'allergy' AND c.name = 'f/B'"),
	                 1);
	share_world_expect_level(&w);
}
END_TEST

/* A file that doesn't carry out what it has read, and says that it hasn't seen it. */
static void
pretend(struct world_peer *p)
{
	world_sql(p, "UPDATE yz_clock SET scope = (SELECT id FROM yz_scope WHERE name = 'f/A')"
	             " WHERE scope = (SELECT id FROM yz_scope WHERE name = 'left');"
	             "DELETE FROM yz_member; UPDATE yz_group SET left = 0, left_site = 0;"
	             "UPDATE yz_stream SET last_stamp = 0 WHERE site <> 1");
}

static void
wake_all(struct world_peer *p)
{
	struct err err;

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(store_quarantine_wake(p->merge, STORE_QUARANTINE_ALL, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
}

/* What it says of itself isn't asked: it has told that it has read it. */
START_TEST(who_has_left_and_pretends_not_to_know_writes_no_more)
{
	w.spoiled = true; /* its digest isn't the hub's any more */
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	share_world_say(&w, 1, "f/A", true);
	world_settle(&w, 3);
	for (int i = 0; i < 2; i++) {
		pretend(&w.nodes[SHARE_A]);
		world_sql(&w.nodes[SHARE_A],
		          i == 0 ? "UPDATE child SET note = 'mine'" : "DELETE FROM allergy");
		world_settle(&w, 2);
		share_world_expect_same_child(&w.nodes[SHARE_B], &w.hub);
		ck_assert_int_eq(world_int(&w.hub, "SELECT note = 'quiet' FROM child"), 1);
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM allergy"), 1);
		/* it is listed; and what that file says again to be level is refused, too */
		ck_assert_int_gt(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), i);
		share_world_expect_digest(&w, SHARE_B, "f/B");
	}
	/* nor is it when it is tried again, however much that file has told since */
	for (int i = 0; i < 2; i++) {
		world_settle(&w, 1);
		wake_all(&w.hub);
	}
	world_settle(&w, 1);
	share_world_expect_same_child(&w.nodes[SHARE_B], &w.hub);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM child WHERE note = 'quiet'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM allergy"), 1);
}
END_TEST

START_TEST(who_comes_back_gets_all_of_it)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	share_world_say(&w, 1, "f/A", true);
	world_settle(&w, 3);
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_sql(&w.nodes[SHARE_B], "DELETE FROM allergy WHERE code = 7");
	world_sql(&w.nodes[SHARE_B], "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                             " (x'b1', 'B', x'01', 9300)");
	world_settle(&w, 2);
	share_world_say(&w, 1, "f/A", false);
	world_settle(&w, 3);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_level(&w);
	world_sql(&w.nodes[SHARE_A], "UPDATE child SET name = 'again' WHERE id = x'01'");
	world_settle(&w, 3);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_level(&w);
	ck_assert_int_eq(share_world_conflicts(&w.hub), 0);
}
END_TEST

/* What was written while it was away stands in its table alone until it is sealed: no alarm. */
START_TEST(what_was_written_meanwhile_is_told_when_it_comes_back)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	share_world_say(&w, 1, "f/A", true);
	world_settle(&w, 3);
	share_world_write_past(&w.nodes[SHARE_A], "UPDATE child SET note = 'upset'");
	world_settle(&w, 1);
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET name = 'Wu Yi'");
	world_settle(&w, 1);
	share_world_say(&w, 1, "f/A", false);
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM child WHERE note = 'upset'"), 1);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
	share_world_expect_level(&w);
}
END_TEST

/* ---- a law ---- */

static const char *const name_of_scope[] = { "f/A", "f/B", "f/C" };

static bool sees[3][3]; /* child, scope */

/* A child comes to a facility or goes from one; somebody always has it. */
static void
move_somebody(void)
{
	int child = (int)world_draw(&w, 3), scope = (int)world_draw(&w, 3), others = 0;

	for (int i = 0; i < 3; i++)
		others += i != scope && sees[child][i];
	if (sees[child][scope] && others == 0)
		return;
	sees[child][scope] = !sees[child][scope];
	share_world_say(&w, 1 + child, name_of_scope[scope], !sees[child][scope]);
}

static void
expect_rows_of_hub(int node, const char *from, int child)
{
	char sql[120], *here, *there;

	snprintf(sql, sizeof sql, "SELECT * FROM %s = x'0%d' ORDER BY 1, 2", from, child);
	here = world_dump(&w.nodes[node], sql);
	there = world_dump(&w.hub, sql);
	ck_assert_str_eq(here, there);
	free(here);
	free(there);
}

static void
expect_child_everywhere(int child)
{
	for (int i = 0; i < 3; i++) {
		if (!sees[child][i])
			continue;
		expect_rows_of_hub(i, "child WHERE id", 1 + child);
		expect_rows_of_hub(i, "growth WHERE child_id", 1 + child);
		expect_rows_of_hub(i, "allergy WHERE child_id", 1 + child);
	}
}

static int64_t
all_hub_records(void)
{
	return share_world_hub_records(&w, "f/A") + share_world_hub_records(&w, "f/B") +
	       share_world_hub_records(&w, "f/C");
}

/* Any history of writing, meeting, coming and going, two machines at B among them: at the end all
 * who see a child see the same, all digests agree, and nothing is passed on any more. */
static void
run_history(int seed, bool older)
{
	int64_t passed;

	w.random = 1000 + (uint64_t)seed;
	for (int i = 0; i < 3; i++) {
		char sql[100];

		snprintf(sql, sizeof sql, "INSERT INTO child VALUES (x'0%d', '%c', 'n', '')", 1 + i,
		         'A' + i);
		world_sql(&w.nodes[i], sql);
		for (int k = 0; k < 3; k++)
			sees[i][k] = i == k;
	}
	world_settle(&w, 1);
	for (int step = 0; step < 60; step++) {
		uint32_t what = world_draw(&w, 8);

		world_wait(&w, 500);
		if (what == 0)
			move_somebody();
		else if (what == 1)
			world_sync(&w, (int)world_draw(&w, 4));
		else
			share_world_write(&w, (int)world_draw(&w, 4), step, older);
	}
	world_settle(&w, 4);
	share_world_expect_level(&w);
	for (int child = 0; child < 3; child++)
		expect_child_everywhere(child);
	passed = all_hub_records();
	world_settle(&w, 3);
	ck_assert_int_eq(all_hub_records(), passed);
}

START_TEST(any_history_of_sharing_ends_level)
{
	run_history(_i, _i % 2 != 0);
}
END_TEST

/* Those in which a row that was written while it was away came back. */
START_TEST(histories_that_raised_a_false_alarm_end_level)
{
	static const int seeds[] = { 65, 90 };

	run_history(seeds[_i], true);
}
END_TEST

Suite *
suite_sync_share(void)
{
	Suite *suite = suite_create("sync/share");
	TCase *tc = tcase_create("share");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, who_is_enrolled_gets_what_there_is);
	tcase_add_test(tc, each_writes_and_both_see_it);
	tcase_add_test(tc, who_replaces_a_shared_row_moves_nothing);
	tcase_add_test(tc, what_is_passed_on_isnt_passed_back);
	tcase_add_test(tc, two_who_write_at_once_are_in_conflict_on_both_sides);
	tcase_add_test(tc, the_hub_writes_for_all_who_see_it);
	tcase_add_test(tc, who_is_left_keeps_what_there_was_and_hears_no_more);
	tcase_add_test(tc, what_is_kept_of_who_has_left_can_only_be_read);
	tcase_add_test(tc, unsynced_work_goes_up_first);
	tcase_add_loop_test(tc, what_is_entered_again_after_a_transfer_reaches_the_old_one_once, 0,
	                    2);
	tcase_add_test(tc, who_has_left_and_pretends_not_to_know_writes_no_more);
	tcase_add_test(tc, who_comes_back_gets_all_of_it);
	tcase_add_test(tc, what_was_written_meanwhile_is_told_when_it_comes_back);
	histories_add(tc, any_history_of_sharing_ends_level, 24);
	tcase_add_loop_test(tc, histories_that_raised_a_false_alarm_end_level, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

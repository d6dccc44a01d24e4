/*
 * tests/sync_share_back.c - shared children and a hub that is put back: whoever meets it first, it
 * counts each row again where it is seen, and takes what both sides write.
 */
#include "tests/histories.h"
#include "tests/share_world.h"
#include "tests/suites.h"

#include <stdio.h>

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

/* All meet the hub, this node first. */
static void
meet(int first)
{
	ck_assert(world_sync(&w, first));
	for (int i = 0; i < w.node_count; i++)
		ck_assert(world_sync(&w, i));
	world_settle(&w, 4);
}

/* A measurement of child 1. */
static void
measure(int node, int no)
{
	char sql[160];

	snprintf(sql, sizeof sql,
	         "INSERT INTO growth(id, facility_id, child_id, grams) VALUES (x'%02x', '%c',"
	         " x'01', %d)",
	         (unsigned)no, "ABCB"[node], 9000 + no);
	world_sql(&w.nodes[node], sql);
}

/* Both go on writing, of what was there and anew, and everybody hears it. */
static void
both_go_on(int no)
{
	char sql[200];

	world_wait(&w, 1000);
	snprintf(sql, sizeof sql, "UPDATE child SET note = 'A%d' WHERE id = x'01'", no);
	world_sql(&w.nodes[SHARE_A], sql);
	measure(SHARE_A, no);
	snprintf(sql, sizeof sql, "UPDATE child SET name = 'B%d' WHERE id = x'01'", no);
	world_sql(&w.nodes[SHARE_B], sql);
	snprintf(sql, sizeof sql, "UPDATE allergy SET note = 'B%d' WHERE child_id = x'01'", no);
	world_sql(&w.nodes[SHARE_B], sql);
	measure(SHARE_B, no + 1);
	world_settle(&w, 4);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
	share_world_expect_level(&w);
}

static const int firsts[] = { SHARE_A, SHARE_B, SHARE_B2 };

START_TEST(what_it_lost_of_a_shared_child_comes_back)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	world_save(&w.hub, "hub");
	for (int time = 0; time < 2; time++) {
		measure(SHARE_A, 0x20 + time);
		measure(SHARE_B, 0x30 + time);
		world_sql(&w.nodes[SHARE_A],
		          time == 0 ? "INSERT INTO allergy VALUES (x'01', 8, 'A', 'milk')"
		                    : "DELETE FROM allergy WHERE code = 8");
		world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = note || '.'");
		world_settle(&w, 3);
		world_put_back(&w.hub, "hub");
		meet(firsts[_i]);
		share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
		share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
		share_world_expect_level(&w);
		both_go_on(0x40 + time * 16);
	}
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM growth"), 9);
}
END_TEST

/* The child itself, and who sees it, are younger than the backup. */
START_TEST(a_child_that_it_never_knew_comes_back)
{
	world_save(&w.hub, "hub");
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 2);
	for (int time = 0; time < 2; time++) {
		measure(SHARE_A, 0x20 + time);
		world_settle(&w, 3);
		world_put_back(&w.hub, "hub");
		meet(firsts[_i]);
		share_world_expect_same_child(&w.nodes[SHARE_A], &w.nodes[SHARE_B]);
		share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
		share_world_expect_level(&w);
		both_go_on(0x40 + time * 16);
	}
	ck_assert_int_eq(world_int(&w.hub,
	                           "SELECT count(*) FROM yz_clock k JOIN yz_scope c ON c.id ="
	                           " k.scope JOIN yz_table t ON t.id = k.tbl"
	                           " WHERE t.name = 'child' AND c.name = 'f/A'"),
	                 1);
}
END_TEST

/* _i: who meets it first, and whether the child itself is older than the backup. */
START_TEST(a_transfer_that_it_lost_stands)
{
	bool knew = _i % 2 != 0;

	if (!knew)
		world_save(&w.hub, "hub");
	share_world_make_child(&w);
	if (knew)
		world_save(&w.hub, "hub");
	measure(SHARE_A, 0x20);
	share_world_say(&w, 1, "f/B", false);
	share_world_say(&w, 1, "f/A", true);
	world_settle(&w, 3);
	for (int time = 0; time < 2; time++) {
		measure(SHARE_B, 0x30 + time);
		world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = note || '.'");
		world_settle(&w, 3);
		world_put_back(&w.hub, "hub");
		meet(firsts[_i / 2]);
		share_world_expect_same_child(&w.nodes[SHARE_B], &w.hub);
		share_world_expect_level(&w);
		world_sql(&w.nodes[SHARE_B], "UPDATE allergy SET note = note || '.'");
		world_settle(&w, 3);
		share_world_expect_same_child(&w.nodes[SHARE_B], &w.hub);
		share_world_expect_level(&w);
	}
	/* and who has left hears nothing more of it, now that the hub knows it again */
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'after'");
	measure(SHARE_B, 0x40);
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], "SELECT count(*) FROM child WHERE note ="
	                                              " 'after'"),
	                 0);
	ck_assert_int_eq(
	        world_int(&w.nodes[SHARE_A], "SELECT count(*) FROM growth WHERE id = x'40'"), 0);
	ck_assert_int_eq(world_int(&w.hub,
	                           "SELECT count(*) FROM yz_clock k JOIN yz_scope c ON c.id ="
	                           " k.scope JOIN yz_table t ON t.id = k.tbl"
	                           " WHERE t.name = 'child' AND c.name = 'f/B'"),
	                 1);
}
END_TEST

/* Somebody was off line when it was passed on: he hears it all the same. */
START_TEST(who_had_not_heard_hears_it_from_the_hub_again)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	share_world_say(&w, 1, "f/C", false);
	world_settle(&w, 3);
	world_save(&w.hub, "hub");
	measure(SHARE_A, 0x20);
	world_sql(&w.nodes[SHARE_A], "UPDATE child SET note = 'new'");
	ck_assert(world_sync(&w, SHARE_A));
	ck_assert(world_sync(&w, SHARE_B));
	world_put_back(&w.hub, "hub");
	ck_assert(world_sync(&w, SHARE_B));
	ck_assert(world_sync(&w, SHARE_C));
	world_settle(&w, 3);
	share_world_expect_same_child(&w.nodes[SHARE_C], &w.nodes[SHARE_B]);
	share_world_expect_level(&w);
}
END_TEST

/*
 * Hub and a machine of B are put back together, and both go on; the other machine holds what was
 * given up.  It has read meanwhile that B has left the child, but what it writes again is from
 * before: it is taken, and reaches who still sees the child.
 */
START_TEST(what_was_given_up_before_a_scope_left_is_taken)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 3);
	measure(SHARE_B2, 0x10);
	world_settle(&w, 2);
	world_save(&w.nodes[SHARE_B], "node");
	share_world_say(&w, 1, "f/B", true);
	ck_assert(world_sync(&w, SHARE_A)); /* the hub carries it out */
	world_save(&w.hub, "hub");
	world_wait(&w, 1000);
	measure(SHARE_B, 0x20);
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'before' WHERE id = x'01'");
	ck_assert(world_sync(&w, SHARE_B));
	world_settle(&w, _i);
	ck_assert(world_sync(&w, SHARE_B2));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM growth WHERE id = x'20'"), 1);
	world_put_back(&w.hub, "hub");
	world_put_back(&w.nodes[SHARE_B], "node");
	world_wait(&w, 60000);
	measure(SHARE_B, 0x30);
	ck_assert(world_sync(&w, SHARE_B));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM growth WHERE id = x'20'"), 0);
	world_wait(&w, 1000);
	ck_assert(world_sync(&w, SHARE_B2));
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM growth"), 4);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM child WHERE note = 'before'"), 1);
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
	share_world_expect_level(&w);
}
END_TEST

/* ---- a law ---- */

static const char *const name_of_scope[] = { "f/A", "f/B", "f/C" };

/* One draw after the other: the order of arguments is each compiler's own. */
static void
say_any(void)
{
	int child = 1 + (int)world_draw(&w, 3);
	const char *scope = name_of_scope[world_draw(&w, 3)];
	bool ends = world_draw(&w, 3) == 0;

	share_world_say(&w, child, scope, ends);
}

/* Any history of writing, meeting, coming and going, and the hub put back in the midst of it. */
static void
run_history(int seed, bool older)
{
	w.random = 5000 + (uint64_t)seed;
	for (int i = 0; i < 3; i++) {
		char sql[100];

		snprintf(sql, sizeof sql, "INSERT INTO child VALUES (x'0%d', '%c', 'n', '')", 1 + i,
		         'A' + i);
		world_sql(&w.nodes[i], sql);
	}
	world_save(&w.hub, "hub");
	for (int step = 0; step < 80; step++) {
		uint32_t what = world_draw(&w, 24);

		world_wait(&w, 500);
		if (what == 0)
			world_save(&w.hub, "hub");
		else if (what == 1)
			world_put_back(&w.hub, "hub");
		else if (what < 4)
			say_any();
		else if (what < 10)
			world_sync(&w, (int)world_draw(&w, 4));
		else
			share_world_write(&w, (int)world_draw(&w, 4), step, older);
	}
	world_settle(&w, 6);
	share_world_expect_level(&w);
}

START_TEST(any_history_with_the_hub_put_back_ends_level)
{
	run_history(_i, _i % 2 != 0);
}
END_TEST

/*
 * Where the hub forgets the end of a share, or that it began again, and hears it from the nodes in
 * another order; and where a row that was written while it was away comes back.
 */
START_TEST(histories_that_did_not_end_level)
{
	static const int seeds[] = { 205, 213, 234, 302, 337, 347, 365, 444 };

	run_history(seeds[_i], true);
}
END_TEST

Suite *
suite_sync_share_back(void)
{
	Suite *suite = suite_create("sync/share_back");
	TCase *tc = tcase_create("back");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, what_it_lost_of_a_shared_child_comes_back, 0, 3);
	tcase_add_loop_test(tc, a_child_that_it_never_knew_comes_back, 0, 3);
	tcase_add_loop_test(tc, a_transfer_that_it_lost_stands, 0, 6);
	tcase_add_test(tc, who_had_not_heard_hears_it_from_the_hub_again);
	tcase_add_loop_test(tc, what_was_given_up_before_a_scope_left_is_taken, 0, 2);
	histories_add(tc, any_history_with_the_hub_put_back_ends_level, 100);
	tcase_add_loop_test(tc, histories_that_did_not_end_level, 0, 8);
	suite_add_tcase(suite, tc);
	return suite;
}

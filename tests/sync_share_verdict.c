/*
 * tests/sync_share_verdict.c - a conflict about a child whom two facilities see: each decides for
 * itself, the hub for all, and whatever they say counts the same everywhere.
 */
#include "store/inbox.h"
#include "store/verdict.h"
#include "tests/histories.h"
#include "tests/share_world.h"
#include "tests/suites.h"

#include <stdio.h>
#include <string.h>

#define ASKED                                                                                      \
	"SELECT count(*) FROM yz_conflict k JOIN yz_column c ON c.id = k.col AND c.tbl = k.tbl"    \
	" JOIN yz_table t ON t.id = k.tbl WHERE k.state = 'open' AND t.name = 'allergy'"

static struct world w;
static struct err err;

/* B's "lively" met A's "loud", which shows; all but C have heard both. */
static void
open_conflict(void)
{
	share_world_open(&w);
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 3);
	world_sql(&w.nodes[SHARE_B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_wait(&w, 1000);
	world_sql(&w.nodes[SHARE_A], "UPDATE child SET note = 'loud' WHERE id = x'01'");
	ck_assert(world_sync(&w, SHARE_B));
	world_settle(&w, 3);
	for (int i = 0; i < w.node_count; i++)
		ck_assert_int_eq(share_world_conflicts(&w.nodes[i]), i != SHARE_C);
	ck_assert_int_eq(share_world_conflicts(&w.hub), 1);
}

static void
close_world(void)
{
	world_close(&w);
}

static void
expect_open(int at_a, int at_b, int at_hub)
{
	ck_assert_int_eq(share_world_conflicts(&w.nodes[SHARE_A]), at_a);
	ck_assert_int_eq(share_world_conflicts(&w.nodes[SHARE_B]), at_b);
	ck_assert_int_eq(share_world_conflicts(&w.nodes[SHARE_B2]), at_b);
	ck_assert_int_eq(share_world_conflicts(&w.hub), at_hub);
}

static void
expect_note(const char *note)
{
	char sql[100];

	snprintf(sql, sizeof sql, "SELECT note = '%s' FROM child", note);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], sql), 1);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B], sql), 1);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B2], sql), 1);
	ck_assert_int_eq(world_int(&w.hub, sql), 1);
}

static void
decide(struct world_peer *p, enum store_take take)
{
	struct store_verdict v = { .take = take, .value = store_value_text("both"), .by = "test" };
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count;

	ck_assert_int_eq(store_inbox_list(p->local, true, &a, &list, &count, &err), 0);
	ck_assert_uint_eq(count, 1);
	v.conflict = &list[0];
	ck_assert_int_eq(store_db_begin(p->local, &err), 0);
	ck_assert_msg(store_verdict_give(p->local, &v, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(store_db_commit(p->local, &err), 0);
	arena_free(&a);
}

/* As a program of before does: the conflict's id is the whole key. */
static void
decide_as_before(struct world_peer *p, const char *scope)
{
	char sql[200];

	snprintf(sql, sizeof sql,
	         "INSERT INTO yz_verdict(conflict, scope, take, by, at)"
	         " SELECT id, '%s', 'shown', 'before', 1 FROM yz_conflict WHERE state = 'open'",
	         scope);
	world_sql(p, sql);
}

static int64_t
verdicts(struct world_peer *p)
{
	return world_int(p, "SELECT count(*) FROM yz_verdict");
}

START_TEST(one_facilitys_word_is_for_itself_and_the_hub)
{
	decide(&w.nodes[SHARE_A], STORE_TAKE_SHOWN);
	world_settle(&w, 3);
	expect_open(0, 1, 0);
	expect_note("loud");
	share_world_expect_level(&w);
	ck_assert_int_eq(verdicts(&w.nodes[SHARE_B]), 0); /* nor who decided it there */
	decide(&w.nodes[SHARE_B2], STORE_TAKE_SHOWN);
	world_settle(&w, 3);
	expect_open(0, 0, 0);
	ck_assert_int_eq(verdicts(&w.nodes[SHARE_A]), 1);
	ck_assert_int_eq(verdicts(&w.nodes[SHARE_B]), 1);
	ck_assert_int_eq(verdicts(&w.hub), 2);
	share_world_expect_level(&w);
}
END_TEST

static const struct both_case {
	const char *name;
	enum store_take at_a, at_b;
	const char *note;
} both_cases[] = {
	{ "the same", STORE_TAKE_SHOWN, STORE_TAKE_SHOWN, "loud" },
	{ "the other's is right, say both", STORE_TAKE_OTHER, STORE_TAKE_OTHER, "lively" },
	{ "what stands, and what lost", STORE_TAKE_SHOWN, STORE_TAKE_OTHER, "lively" },
	{ "what lost, and what stands", STORE_TAKE_OTHER, STORE_TAKE_SHOWN, "lively" },
	{ "neither, and what stands", STORE_TAKE_VALUE, STORE_TAKE_SHOWN, "both" },
};

enum { BOTH_CASES = sizeof both_cases / sizeof both_cases[0] };

/* Before either has heard of the other: whoever writes a value has seen both, who lets it be writes
 * none. */
START_TEST(two_facilities_decide_at_once)
{
	const struct both_case *c = &both_cases[_i];

	decide(&w.nodes[SHARE_A], c->at_a);
	decide(&w.nodes[SHARE_B], c->at_b);
	world_settle(&w, 4);
	expect_open(0, 0, 0);
	expect_note(c->note);
	ck_assert_msg(verdicts(&w.hub) == 2, "%s", c->name);
	share_world_expect_level(&w);
}
END_TEST

/* Two who decide otherwise have written without having seen each other: that is a new question. */
START_TEST(two_new_values_are_a_new_conflict)
{
	decide(&w.nodes[SHARE_A], STORE_TAKE_VALUE);
	world_wait(&w, 1000);
	decide(&w.nodes[SHARE_B], STORE_TAKE_OTHER);
	world_settle(&w, 4);
	expect_note("lively");
	ck_assert_int_eq(share_world_conflicts(&w.hub), 1);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], "SELECT count(*) FROM yz_conflict WHERE"
	                                              " state = 'open' AND other = 'both'"),
	                 1); /* who lost is told */
	share_world_expect_level(&w);
}
END_TEST

/* The other value is a write that had seen both. */
START_TEST(another_value_closes_it_for_everybody)
{
	decide(&w.nodes[SHARE_B], STORE_TAKE_OTHER);
	world_settle(&w, 3);
	expect_open(0, 0, 0);
	expect_note("lively");
	share_world_expect_level(&w);
}
END_TEST

START_TEST(the_hub_decides_for_all)
{
	decide(&w.hub, STORE_TAKE_SHOWN);
	world_settle(&w, 3);
	expect_open(0, 0, 0);
	expect_note("loud");
	ck_assert_int_eq(verdicts(&w.nodes[SHARE_A]), 1);
	ck_assert_int_eq(verdicts(&w.nodes[SHARE_B]), 1);
	share_world_expect_level(&w);
}
END_TEST

/* The hub's and a facility's verdict have one key: the later is meant. */
START_TEST(hub_and_facility_decide_at_once)
{
	decide(&w.hub, STORE_TAKE_SHOWN);
	world_wait(&w, 1000);
	decide(&w.nodes[SHARE_B], STORE_TAKE_SHOWN);
	world_settle(&w, 3);
	expect_open(0, 0, 0);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_B2], "SELECT count(*) FROM yz_verdict"), 1);
	share_world_expect_level(&w);
}
END_TEST

/* Either of them is of before: both verdicts hold, and close what a verdict of today closes. */
START_TEST(programs_of_before_and_after_decide)
{
	int old = _i == 0 ? SHARE_A : SHARE_B;

	decide_as_before(&w.nodes[old], old == SHARE_A ? "f/A" : "f/B");
	decide(&w.nodes[old == SHARE_A ? SHARE_B : SHARE_A], STORE_TAKE_SHOWN);
	world_settle(&w, 4);
	expect_open(0, 0, 0);
	ck_assert_int_eq(verdicts(&w.hub), 2);
	ck_assert_int_eq(
	        world_int(&w.hub, "SELECT count(*) FROM yz_verdict WHERE length(conflict) = 16"),
	        1);
	share_world_expect_level(&w);
}
END_TEST

/* Under a key that is B's, and as a row of its own. */
START_TEST(nobody_takes_anothers_place)
{
	w.spoiled = true; /* what A made up is its own alone */
	world_sql(&w.nodes[SHARE_A],
	          "INSERT INTO yz_verdict(conflict, scope, take, by, at)"
	          " SELECT CAST(id || x'662f42' AS BLOB), 'f/A', 'shown', 'A', 1 FROM yz_conflict"
	          " WHERE state = 'open'");
	world_sync(&w, SHARE_A);
	ck_assert_int_eq(verdicts(&w.hub), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine WHERE reason LIKE"
	                                   " '%verdict%names another scope%'"),
	                 1);
	expect_open(0, 1, 1);
	decide(&w.nodes[SHARE_B], STORE_TAKE_SHOWN);
	for (int i = 0; i < 3; i++) {
		ck_assert(world_sync(&w, SHARE_B));
		ck_assert(world_sync(&w, SHARE_B2));
	}
	expect_open(0, 0, 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_verdict WHERE scope = 'f/B'"),
	                 1);
	ck_assert_int_eq(verdicts(&w.nodes[SHARE_B2]), 1);
	share_world_expect_digest(&w, SHARE_B, "f/B");
	share_world_expect_digest(&w, SHARE_B2, "f/B");
}
END_TEST

/* Whose a row is nobody may change, so nobody is asked; of the other cell they are. */
START_TEST(two_who_make_one_row_are_not_asked_whose_it_is)
{
	world_sql(&w.nodes[SHARE_B], "INSERT INTO allergy VALUES (x'01', 9, 'B', 'fish')");
	world_wait(&w, 1000);
	world_sql(&w.nodes[SHARE_A], "INSERT INTO allergy VALUES (x'01', 9, 'A', 'all fish')");
	ck_assert(world_sync(&w, SHARE_B));
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], ASKED " AND c.name = 'note'"), 1);
	ck_assert_int_eq(world_int(&w.nodes[SHARE_A], ASKED " AND c.name = 'facility_id'"), 0);
	share_world_expect_level(&w);
}
END_TEST

/* ---- who has left ---- */

static void
settle_without(const char *scope, bool leaves)
{
	share_world_say(&w, 1, scope, leaves);
	world_settle(&w, 3);
}

/* Whoever it was that left, the others go on asking; whoever comes back is asked again. */
START_TEST(who_has_left_is_not_asked)
{
	const char *scope = _i == 0 ? "f/A" : "f/B";

	settle_without(scope, true);
	expect_open(_i != 0, _i == 0, 1);
	ck_assert_int_eq(world_int(&w.nodes[_i == 0 ? SHARE_A : SHARE_B],
	                           "SELECT count(*) FROM yz_conflict WHERE state = 'left'"),
	                 1);
	settle_without(scope, false);
	expect_open(1, 1, 1);
	settle_without(scope, true);
	decide(&w.nodes[_i == 0 ? SHARE_B : SHARE_A], STORE_TAKE_SHOWN);
	world_settle(&w, 3);
	expect_open(0, 0, 0);
	share_world_expect_level(&w);
}
END_TEST

START_TEST(who_has_left_is_refused_with_a_sentence)
{
	struct store_verdict v = { .take = STORE_TAKE_SHOWN, .by = "test" };
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count;

	settle_without("f/A", true);
	ck_assert_int_eq(store_inbox_list(w.nodes[SHARE_A].local, false, &a, &list, &count, &err),
	                 0);
	ck_assert_uint_eq(count, 1);
	v.conflict = &list[0];
	ck_assert_int_eq(store_db_begin(w.nodes[SHARE_A].local, &err), 0);
	ck_assert_int_eq(store_verdict_give(w.nodes[SHARE_A].local, &v, &err), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "somebody who has left; it is decided where"));
	store_db_rollback(w.nodes[SHARE_A].local);
	arena_free(&a);
}
END_TEST

/* A program of before lets them decide all the same: that closes nothing for those who see it. */
START_TEST(a_word_of_who_has_left_closes_nothing)
{
	settle_without("f/A", true);
	world_sql(&w.nodes[SHARE_A],
	          _i == 0 ? "INSERT INTO yz_verdict(conflict, scope, take, by, at)"
	                    " SELECT CAST(id || x'662f41' AS BLOB), 'f/A', 'shown', 'A', 1"
	                    " FROM yz_conflict WHERE state = 'left'"
	                  : "INSERT INTO yz_verdict(conflict, scope, take, by, at)"
	                    " SELECT id, 'f/A', 'shown', 'A', 1 FROM yz_conflict"
	                    " WHERE state = 'left'");
	world_settle(&w, 3);
	ck_assert_int_eq(verdicts(&w.hub), 1);
	expect_open(0, 1, 1);
	decide(&w.nodes[SHARE_B], STORE_TAKE_SHOWN);
	world_settle(&w, 3);
	expect_open(0, 0, 0);
	share_world_expect_level(&w);
}
END_TEST

/* ---- a law ---- */

/* Somebody decides one of what is open at a peer; *decided counts.  What has left can't be written
 * any more. */
static void
decide_any(struct world_peer *p, int *decided)
{
	struct store_verdict v = { .by = "test" };
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count;
	int rc;

	ck_assert_int_eq(store_inbox_list(p->local, true, &a, &list, &count, &err), 0);
	if (count > 0) {
		v.conflict = &list[world_draw(&w, (uint32_t)count)];
		v.take = v.conflict->column != 0 && world_draw(&w, 2) == 0 ? STORE_TAKE_OTHER
		                                                           : STORE_TAKE_SHOWN;
		ck_assert_int_eq(store_db_begin(p->local, &err), 0);
		rc = store_verdict_give(p->local, &v, &err);
		if (rc == 0)
			rc = store_db_commit(p->local, &err);
		else
			store_db_rollback(p->local);
		ck_assert_msg(rc == 0 || strstr(err.msg, "has left") != NULL ||
		                      strstr(err.msg, "is not in table") != NULL,
		              "%s", err.msg);
		*decided += rc == 0;
	}
	arena_free(&a);
}

/* One draw after the other: the order of arguments is each compiler's own. */
static void
come_or_go(void)
{
	static const char *const scopes[] = { "f/A", "f/B", "f/C" };
	int child = 1 + (int)world_draw(&w, 3);
	const char *scope = scopes[world_draw(&w, 3)];

	share_world_say(&w, child, scope, world_draw(&w, 4) == 0);
}

static void
live(int steps, int *decided)
{
	for (int step = 0; step < steps; step++) {
		uint32_t what = world_draw(&w, 16);

		world_wait(&w, 500);
		if (what == 0)
			come_or_go();
		else if (what < 4)
			decide_any(&w.nodes[world_draw(&w, 4)], decided);
		else if (what == 4)
			decide_any(&w.hub, decided);
		else if (what < 10)
			world_sync(&w, (int)world_draw(&w, 4));
		else
			share_world_write(&w, (int)world_draw(&w, 4), step, false);
	}
}

/* Whoever decides what, wherever and however often: all count the same, and no meeting raises an
 * alarm (tests/world.c). */
START_TEST(any_history_of_deciding_ends_level)
{
	int decided = 0;

	w.random = 3000 + (uint64_t)_i;
	for (int i = 1; i < 3; i++) {
		char sql[100];

		snprintf(sql, sizeof sql, "INSERT INTO child VALUES (x'0%d', '%c', 'n', '')", 1 + i,
		         'A' + i);
		world_sql(&w.nodes[i], sql);
	}
	world_settle(&w, 1);
	for (int child = 1; child <= 3; child++)
		for (int i = 0; i < 3; i++)
			share_world_say(&w, child, i == 0 ? "f/A" : i == 1 ? "f/B" : "f/C", false);
	world_settle(&w, 3);
	live(150, &decided);
	world_settle(&w, 4);
	share_world_expect_level(&w);
	ck_assert_int_gt(decided, 0);
}
END_TEST

Suite *
suite_sync_share_verdict(void)
{
	Suite *suite = suite_create("sync/share_verdict");
	TCase *tc = tcase_create("share_verdict");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_conflict, close_world);
	tcase_add_test(tc, one_facilitys_word_is_for_itself_and_the_hub);
	tcase_add_loop_test(tc, two_facilities_decide_at_once, 0, BOTH_CASES);
	tcase_add_test(tc, two_new_values_are_a_new_conflict);
	tcase_add_test(tc, another_value_closes_it_for_everybody);
	tcase_add_test(tc, the_hub_decides_for_all);
	tcase_add_test(tc, hub_and_facility_decide_at_once);
	tcase_add_loop_test(tc, programs_of_before_and_after_decide, 0, 2);
	tcase_add_test(tc, nobody_takes_anothers_place);
	tcase_add_test(tc, two_who_make_one_row_are_not_asked_whose_it_is);
	histories_add(tc, any_history_of_deciding_ends_level, 24);
	tcase_add_loop_test(tc, who_has_left_is_not_asked, 0, 2);
	tcase_add_test(tc, who_has_left_is_refused_with_a_sentence);
	tcase_add_loop_test(tc, a_word_of_who_has_left_closes_nothing, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

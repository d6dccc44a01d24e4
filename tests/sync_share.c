/*
 * tests/sync_share.c - children whom two facilities see: each writes for itself,
 * the hub passes it on, and all count the same.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "store/share.h"
#include "store/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "A", "B", "C", "B", NULL };

enum { A, B, C };

static struct world w;
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

/* ---- the tables ---- */

static const char schema_sql[] =
        "CREATE TABLE child(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, name TEXT,"
        " note TEXT) WITHOUT ROWID;"
        "CREATE TABLE growth(id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)), facility_id"
        " TEXT NOT NULL, child_id BLOB, grams INTEGER) WITHOUT ROWID;"
        "CREATE TABLE allergy(child_id BLOB NOT NULL, code INTEGER NOT NULL, facility_id TEXT NOT"
        " NULL, note TEXT, PRIMARY KEY(child_id, code)) WITHOUT ROWID;";

static void
make_tables(struct world_peer *p)
{
	static const struct store_track_spec specs[] = {
		{ .table = "child", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "growth",
		  .kind = STORE_EVENT,
		  .scope = "f/",
		  .scope_column = "facility_id" },
		{ .table = "allergy", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "yz_share",
		  .scope = "",
		  .scope_column = "scope",
		  .hub_only = "at,ended,by" },
	};

	must(store_db_exec(p->local, schema_sql, &err));
	must(store_db_begin(p->merge, &err));
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		must(store_track_table(p->merge, &specs[i], p == &w.hub, &err));
	must(store_db_commit(p->merge, &err));
}

static void
open_world(void)
{
	world_open(&w, 31, facilities);
	make_tables(&w.hub);
	for (int i = 0; i < w.node_count; i++)
		make_tables(&w.nodes[i]);
}

static void
close_world(void)
{
	world_close(&w);
}

/* ---- what the hub says ---- */

static void
say(int child, const char *scope, bool ends)
{
	uint8_t id = (uint8_t)child;
	struct store_value v = { .type = STORE_BLOB, .bytes = &id, .len = 1 };
	struct buf key = { 0 };
	struct store_share_line line = { .table = "child", .scope = scope, .by = "a test" };

	store_value_write(&key, &v);
	line.key = key.bytes;
	line.key_len = key.len;
	line.at_ms = w.wall_ms;
	line.ended_ms = ends ? w.wall_ms : 0;
	must(store_db_begin(w.hub.local, &err));
	must(store_share_say(w.hub.local, &line, &err));
	must(store_db_commit(w.hub.local, &err));
	buf_free(&key);
}

/* Child 1 of A, with a measurement and an allergy. */
static void
make_child(void)
{
	world_sql(&w.nodes[A], "INSERT INTO child VALUES (x'01', 'A', 'Wu', 'quiet')");
	world_sql(&w.nodes[A], "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                       " (x'a1', 'A', x'01', 9000)");
	world_sql(&w.nodes[A], "INSERT INTO allergy VALUES (x'01', 7, 'A', 'nuts')");
	world_settle(&w, 1);
}

/* ---- looking ---- */

static const char *const everything[] = {
	"SELECT * FROM child WHERE id = x'01'",
	"SELECT * FROM growth WHERE child_id = x'01' ORDER BY id",
	"SELECT * FROM allergy WHERE child_id = x'01' ORDER BY code",
};

static void
expect_same_child(struct world_peer *x, struct world_peer *y)
{
	for (size_t i = 0; i < sizeof everything / sizeof everything[0]; i++) {
		char *left = world_dump(x, everything[i]), *right = world_dump(y, everything[i]);

		ck_assert_msg(strcmp(left, right) == 0, "%s:\n%s\n%s", everything[i], left, right);
		free(left);
		free(right);
	}
}

static void
expect_digest(int node, const char *scope)
{
	char here[33] = "", there[33] = "";

	world_digest(&w.nodes[node], scope, here);
	world_digest(&w.hub, scope, there);
	ck_assert_msg(strcmp(here, there) == 0, "%s: node %d has %s, the hub %s", scope, node, here,
	              there);
}

/* Every node counts what the hub counts for it, and nothing was kept aside or is in doubt. */
static void
expect_level(void)
{
	static const char *const scopes[] = { "f/A", "f/B", "f/C", "f/B" };

	for (int i = 0; i < 4; i++) {
		expect_digest(i, scopes[i]);
		/* but for what was written about who has left */
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_quarantine WHERE"
		                                        " reason NOT LIKE 'not ours%'"),
		                 0);
	}
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
}

static int64_t
open_conflicts(struct world_peer *p)
{
	return world_int(p, "SELECT count(*) FROM yz_conflict WHERE state = 'open'");
}

static int64_t
hub_records(const char *scope)
{
	char sql[200];

	snprintf(sql, sizeof sql,
	         "SELECT coalesce(sum(n), 0) FROM yz_stream s JOIN yz_scope c ON c.id = s.scope"
	         " WHERE c.name = '%s' AND s.site = %d",
	         scope, w.hub.node.r.self.id);
	return world_int(&w.hub, sql);
}

/* ---- dual enrolment ---- */

START_TEST(who_is_enrolled_gets_what_there_is)
{
	make_child();
	ck_assert_int_eq(world_int(&w.nodes[B], "SELECT count(*) FROM child"), 0);
	say(1, "f/B", false);
	world_settle(&w, 2);
	expect_same_child(&w.nodes[B], &w.nodes[A]);
	ck_assert_int_eq(world_int(&w.nodes[B], "SELECT count(*) FROM growth"), 1);
	ck_assert_int_eq(world_int(&w.nodes[C], "SELECT count(*) FROM child"), 0);
	expect_level();
}
END_TEST

START_TEST(each_writes_and_both_see_it)
{
	make_child();
	say(1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_sql(&w.nodes[B], "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                       " (x'b1', 'B', x'01', 9300)");
	world_settle(&w, 2);
	world_sql(&w.nodes[A], "UPDATE child SET name = 'Wu Yi' WHERE id = x'01'");
	world_sql(&w.nodes[A], "UPDATE allergy SET note = 'all nuts' WHERE child_id = x'01'");
	world_sql(&w.nodes[A], "INSERT INTO allergy VALUES (x'01', 8, 'A', 'milk')");
	world_settle(&w, 2);
	world_sql(&w.nodes[B], "DELETE FROM allergy WHERE code = 7");
	world_settle(&w, 2);
	expect_same_child(&w.nodes[A], &w.nodes[B]);
	expect_same_child(&w.nodes[A], &w.hub);
	ck_assert_int_eq(world_int(&w.nodes[A], "SELECT count(*) FROM growth"), 2);
	ck_assert_int_eq(world_int(&w.nodes[A], "SELECT count(*) FROM allergy"), 1);
	expect_level();
	/* everybody had seen what they changed */
	ck_assert_int_eq(open_conflicts(&w.nodes[A]), 0);
	ck_assert_int_eq(open_conflicts(&w.nodes[B]), 0);
	ck_assert_int_eq(open_conflicts(&w.hub), 0);
}
END_TEST

/* The row is in B's scope there, and its column says A: that is no move (sync/seal/seal_undo.c). */
START_TEST(who_replaces_a_shared_row_moves_nothing)
{
	make_child();
	say(1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[B], "REPLACE INTO child VALUES (x'01', 'A', 'Wu Yi', 'lively');"
	                       "REPLACE INTO allergy VALUES (x'01', 7, 'A', 'all nuts')");
	world_settle(&w, 2);
	expect_same_child(&w.nodes[A], &w.nodes[B]);
	expect_same_child(&w.nodes[A], &w.hub);
	ck_assert_int_eq(world_int(&w.nodes[A],
	                           "SELECT count(*) FROM child WHERE name = 'Wu Yi' AND"
	                           " facility_id = 'A'"),
	                 1);
	expect_level();
	/* what A has measured stands in a stream of another scope, and is put back all the same */
	world_sql(&w.nodes[B],
	          "REPLACE INTO growth SELECT id, facility_id, child_id, 1 FROM growth");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[B], "SELECT grams FROM growth"), 9000);
	expect_same_child(&w.nodes[A], &w.nodes[B]);
	expect_digest(B, "f/B");
	ck_assert_int_eq(world_int(&w.nodes[B], "SELECT count(*) FROM yz_quarantine WHERE n = 1"),
	                 1);
}
END_TEST

START_TEST(what_is_passed_on_isnt_passed_back)
{
	int64_t to_a, to_b;

	make_child();
	say(1, "f/B", false);
	world_settle(&w, 3);
	to_a = hub_records("f/A");
	to_b = hub_records("f/B");
	world_sql(&w.nodes[B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_settle(&w, 5);
	/* an opening and a change for A, nothing for B */
	ck_assert_int_eq(hub_records("f/A"), to_a + 2);
	ck_assert_int_eq(hub_records("f/B"), to_b);
}
END_TEST

START_TEST(two_who_write_at_once_are_in_conflict_on_both_sides)
{
	make_child();
	say(1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_wait(&w, 1000);
	world_sql(&w.nodes[A], "UPDATE child SET note = 'loud' WHERE id = x'01'");
	world_settle(&w, 3);
	expect_same_child(&w.nodes[A], &w.nodes[B]);
	ck_assert_int_eq(open_conflicts(&w.hub), 1);
	ck_assert_int_eq(open_conflicts(&w.nodes[B]), 1); /* who lost is told */
	world_sql(&w.nodes[B], "UPDATE child SET note = 'both' WHERE id = x'01'");
	world_settle(&w, 3);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(open_conflicts(&w.nodes[i]), 0);
	ck_assert_int_eq(open_conflicts(&w.hub), 0);
	expect_level();
}
END_TEST

START_TEST(the_hub_writes_for_all_who_see_it)
{
	make_child();
	say(1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.hub, "UPDATE child SET note = 'from the hub' WHERE id = x'01'");
	world_sql(&w.hub, "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                  " (x'c1', 'A', x'01', 9100)");
	world_settle(&w, 2);
	expect_same_child(&w.nodes[A], &w.hub);
	expect_same_child(&w.nodes[B], &w.hub);
	expect_level();
	world_sql(&w.nodes[B], "UPDATE child SET note = 'seen' WHERE id = x'01'");
	world_settle(&w, 2);
	ck_assert_int_eq(open_conflicts(&w.hub), 0);
	expect_level();
}
END_TEST

/* ---- transfer ---- */

START_TEST(who_is_left_keeps_what_there_was_and_hears_no_more)
{
	make_child();
	say(1, "f/B", false);
	say(1, "f/A", true);
	world_settle(&w, 3);
	expect_same_child(&w.nodes[A], &w.nodes[B]);
	expect_level();
	world_sql(&w.nodes[B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[A], "SELECT note = 'quiet' FROM child"), 1);
	expect_level();
	/* what is written there now goes nowhere, and is listed */
	world_sql(&w.nodes[A], "UPDATE child SET note = 'after' WHERE id = x'01'");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[A], "SELECT count(*) FROM yz_quarantine"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT note = 'lively' FROM child"), 1);
	expect_digest(A, "f/A");
}
END_TEST

/* What was written before the old facility heard of it goes up and is passed on. */
START_TEST(unsynced_work_goes_up_first)
{
	make_child();
	say(1, "f/B", false);
	world_settle(&w, 2);
	world_sql(&w.nodes[A], "UPDATE child SET name = 'late' WHERE id = x'01'");
	world_sql(&w.nodes[A], "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                       " (x'a2', 'A', x'01', 9200)");
	world_sql(&w.nodes[A], "DELETE FROM allergy WHERE code = 7");
	say(1, "f/A", true);
	ck_assert(world_sync(&w, B)); /* the hub carries it out */
	ck_assert(world_sync(&w, A));
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[B], "SELECT name = 'late' FROM child"), 1);
	ck_assert_int_eq(world_int(&w.nodes[B], "SELECT count(*) FROM growth"), 2);
	ck_assert_int_eq(world_int(&w.nodes[B], "SELECT count(*) FROM allergy"), 0);
	expect_same_child(&w.nodes[A], &w.nodes[B]);
	expect_level();
}
END_TEST

START_TEST(who_comes_back_gets_all_of_it)
{
	make_child();
	say(1, "f/B", false);
	say(1, "f/A", true);
	world_settle(&w, 3);
	world_sql(&w.nodes[B], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_sql(&w.nodes[B], "DELETE FROM allergy WHERE code = 7");
	world_sql(&w.nodes[B], "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                       " (x'b1', 'B', x'01', 9300)");
	world_settle(&w, 2);
	say(1, "f/A", false);
	world_settle(&w, 3);
	expect_same_child(&w.nodes[A], &w.nodes[B]);
	expect_level();
	world_sql(&w.nodes[A], "UPDATE child SET name = 'again' WHERE id = x'01'");
	world_settle(&w, 3);
	expect_same_child(&w.nodes[A], &w.nodes[B]);
	expect_level();
	ck_assert_int_eq(open_conflicts(&w.hub), 0);
}
END_TEST

/* ---- a law ---- */

static const char *const name_of_scope[] = { "f/A", "f/B", "f/C" };

static void
write_something(int node, int step)
{
	static const char *const forms[] = {
		"UPDATE child SET note = '%d' WHERE id = x'0%d'",
		"UPDATE child SET name = '%d' WHERE id = x'0%d'",
		"UPDATE allergy SET note = '%d' WHERE child_id = x'0%d'",
	};
	char sql[200];
	int child = 1 + (int)world_draw(&w, 3);

	snprintf(sql, sizeof sql, "SELECT count(*) FROM child WHERE id = x'0%d'", child);
	if (world_int(&w.nodes[node], sql) == 0)
		return;
	switch (world_draw(&w, 6)) {
	case 0:
		snprintf(sql, sizeof sql,
		         "INSERT INTO growth(id, facility_id, child_id, grams) VALUES (x'%02x', "
		         "'%c', x'0%d', %d)",
		         (unsigned)step, *facilities[node], child, step);
		break;
	case 1:
		snprintf(sql, sizeof sql,
		         "INSERT OR IGNORE INTO allergy VALUES (x'0%d', %u, '%c', '%d')", child,
		         world_draw(&w, 3), *facilities[node], step);
		break;
	case 2:
		snprintf(sql, sizeof sql,
		         "DELETE FROM allergy WHERE child_id = x'0%d' AND code = %u", child,
		         world_draw(&w, 3));
		break;
	default:
		snprintf(sql, sizeof sql, forms[world_draw(&w, 3)], step, child);
	}
	world_sql(&w.nodes[node], sql);
}

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
	say(1 + child, name_of_scope[scope], !sees[child][scope]);
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
	return hub_records("f/A") + hub_records("f/B") + hub_records("f/C");
}

/* Any history of writing, meeting, coming and going, two machines at B among them: at the end all
 * who see a child see the same, all digests agree, and nothing is passed on any more. */
START_TEST(any_history_of_sharing_ends_level)
{
	int64_t passed;

	w.random = 1000 + (uint64_t)_i;
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
			write_something((int)world_draw(&w, 4), step);
	}
	world_settle(&w, 4);
	expect_level();
	for (int child = 0; child < 3; child++)
		expect_child_everywhere(child);
	passed = all_hub_records();
	world_settle(&w, 3);
	ck_assert_int_eq(all_hub_records(), passed);
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
	tcase_add_test(tc, unsynced_work_goes_up_first);
	tcase_add_test(tc, who_comes_back_gets_all_of_it);
	tcase_add_loop_test(tc, any_history_of_sharing_ends_level, 0, 12);
	suite_add_tcase(suite, tc);
	return suite;
}

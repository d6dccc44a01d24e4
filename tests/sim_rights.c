/*
 * tests/sim_rights.c - what is the hub's and was written elsewhere: it is not
 * applied, its writer is told, and everybody ends with the hub's values.
 *
 * The writer has dropped the triggers that would have told it at the keyboard, as
 * a program that only knows SQL may.
 */
#include "store/track.h"
#include "sync/life.h"
#include "tests/suites.h"
#include "tests/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", NULL };
static const struct store_track_spec score = {
	.table = "score", .scope = "f/", .scope_column = "facility_id", .hub_only = "points, grade"
};
static const struct store_track_spec place = {
	.table = "place", .scope = "f/", .scope_column = "facility_id", .hub_only = "filing, state"
};

static struct world w;
static struct world_peer *const writer = &w.nodes[0], *const other = &w.nodes[1];
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
make_tables(struct world_peer *p, bool is_hub)
{
	world_sql(
	        p,
	        "CREATE TABLE score(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT, points, grade)"
	        " WITHOUT ROWID;"
	        "CREATE TABLE place(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT, name TEXT,"
	        " filing TEXT, state INTEGER NOT NULL DEFAULT 1) WITHOUT ROWID");
	must(store_db_begin(p->merge, &err));
	must(store_track_table(p->merge, &score, is_hub, &err));
	must(store_track_table(p->merge, &place, is_hub, &err));
	must(store_db_commit(p->merge, &err));
}

/* They are made anew at the next look. */
static void
write_wrong(const char *sql)
{
	world_sql(writer,
	          "DROP TRIGGER yz_score_bi; DROP TRIGGER yz_score_bu; DROP TRIGGER yz_score_bd;"
	          "DROP TRIGGER yz_place_bi; DROP TRIGGER yz_place_bu");
	world_sql(writer, sql);
}

static void
open_world(void)
{
	world_open(&w, 77, facilities);
	make_tables(&w.hub, true);
	make_tables(writer, false);
	make_tables(other, false);
	world_sql(&w.hub, "INSERT INTO score VALUES (x'01', 'F1', 80, 'A');"
	                  "INSERT INTO place VALUES (x'01', 'F1', 'north', 'no. 5', 2)");
	world_settle(&w, 2);
}

static void
close_world(void)
{
	world_close(&w);
}

#define WAITING "SELECT count(*) FROM yz_quarantine WHERE dropped_ms IS NULL"
#define ALL                                                                                        \
	"SELECT 's', id, points, grade FROM score UNION ALL SELECT 'p', id, name || '/' ||"        \
	" ifnull(filing, '-'), state FROM place ORDER BY 1, 2"

static void
expect_same(struct world_peer *p, const char *want)
{
	char *got = world_dump(p, ALL);
	char hub[33], here[33];

	ck_assert_str_eq(got, want);
	world_digest(&w.hub, "f/F1", hub);
	ck_assert_str_eq(world_digest(p, "f/F1", here), hub);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_conflict WHERE state = 'open'"), 0);
	/* what was refused has been written back, so it waits for nobody */
	ck_assert_int_eq(world_int(p, WAITING), 0);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
	free(got);
}

static const struct wrong_case {
	const char *name, *wrong;
	const char *right; /* at the hub, afterwards: rows that hold; NULL: all is as before */
} wrongs[] = {
	{ "a cell of the hub's row", "UPDATE score SET points = 990", NULL },
	{ "all its cells, twice",
	  "UPDATE score SET points = 990, grade = 'Z';"
	  "UPDATE score SET points = 991",
	  NULL },
	{ "the hub's row is deleted", "DELETE FROM score", NULL },
	{ "deleted and made again",
	  "DELETE FROM score; INSERT INTO score VALUES (x'01', 'F1', 1, 'B')", NULL },
	{ "a row that is the hub's to make", "INSERT INTO score VALUES (x'02', 'F1', 999, 'A')",
	  NULL },
	{ "made and deleted", "INSERT INTO score VALUES (x'02', 'F1', 999, 'A'); DELETE FROM score",
	  NULL },
	{ "a column of the hub's", "UPDATE place SET filing = 'mine'", NULL },
	{ "a column of the hub's and one's own", "UPDATE place SET filing = 'mine', name = 'south'",
	  "SELECT count(*) FROM place WHERE name = 'south' AND filing = 'no. 5' AND state = 2" },
	{ "a row of one's own with a column of the hub's",
	  "INSERT INTO place VALUES (x'02', 'F1', 'east', 'mine', 1)",
	  "SELECT count(*) FROM place WHERE name = 'east' AND filing IS NULL AND state = 1" },
};

enum { WRONGS = sizeof wrongs / sizeof wrongs[0] };

START_TEST(what_is_the_hubs_is_written_back)
{
	const struct wrong_case *c = &wrongs[_i];
	char *before = world_dump(&w.hub, ALL), *after;

	write_wrong(c->wrong);
	world_settle(&w, 3);
	after = world_dump(&w.hub, ALL);
	if (c->right == NULL)
		ck_assert_msg(strcmp(after, before) == 0, "%s: %s", c->name, after);
	else
		ck_assert_msg(world_int(&w.hub, c->right) == 1, "%s: %s", c->name, after);
	expect_same(writer, after);
	expect_same(other, after);
	if (strcmp(c->name, "made and deleted") != 0) /* its net effect may be nothing */
		ck_assert_int_gt(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
	free(before);
	free(after);
}
END_TEST

/* A column of the hub's that a REPLACE leaves out: no trigger sees it go. */
START_TEST(replaced_without_the_hubs_column)
{
	char *want = world_dump(&w.hub, ALL);

	world_sql(writer,
	          "REPLACE INTO place(id, facility_id, name) VALUES (x'01', 'F1', 'north')");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 1);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
	ck_assert(world_sync(&w, 0));
	expect_same(writer, want);
	ck_assert(world_sync(&w, 1)); /* it hears of all that at once */
	expect_same(other, want);
	ck_assert_int_eq(world_int(other, "SELECT count(*) FROM yz_quarantine WHERE dropped_by ="
	                                  " 'a later change'"),
	                 1);
	free(want);
}
END_TEST

/* Two seals, so that the hub hears both. */
START_TEST(written_back_again_and_again)
{
	char *before = world_dump(&w.hub, ALL);

	for (int i = 0; i < 3; i++) {
		write_wrong("DELETE FROM score");
		ck_assert(world_sync(&w, 0));
		write_wrong("INSERT OR IGNORE INTO score VALUES (x'01', 'F1', 7, 'C');"
		            "UPDATE place SET state = 9");
		ck_assert(world_sync(&w, 0));
		world_wait(&w, 1000);
	}
	world_settle(&w, 2);
	expect_same(&w.hub, before);
	expect_same(writer, before);
	expect_same(other, before);
	free(before);
}
END_TEST

/* A row of the hub's that the writer hasn't heard of, under the same key. */
START_TEST(two_made_one_row_of_the_hubs)
{
	char *want;

	world_sql(&w.hub, "INSERT INTO score VALUES (x'03', 'F1', 60, 'B')");
	world_wait(&w, 5000);
	write_wrong("INSERT INTO score VALUES (x'03', 'F1', 100, 'A')");
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT points FROM score WHERE id = x'03'"), 60);
	want = world_dump(&w.hub, ALL);
	expect_same(writer, want);
	expect_same(other, want);
	free(want);
}
END_TEST

/* The one who wrote it hears of it in the same meeting. */
START_TEST(the_writer_is_told)
{
	struct node_met met;

	write_wrong("UPDATE score SET points = 990");
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_uint_eq(met.rejected_count, 1);
	ck_assert_str_eq(met.rejected[0].scope, "f/F1");
	ck_assert_ptr_nonnull(strstr(met.rejected[0].reason, "only the hub may write"));
	ck_assert_str_eq(met.words, ""); /* the hub has the record; nothing is missing anywhere */
	world_meet(&w, 0, &met);
	ck_assert_uint_eq(met.rejected_count, 0);
	ck_assert_int_eq(world_int(writer, "SELECT points FROM score"), 80);
}
END_TEST

/* Another life of the hub's lacks what a third one wrote, and gets it by this node with its next
 * request; that doesn't hide what is refused of what came with this one. */
START_TEST(the_writer_is_told_by_a_hub_that_was_put_back)
{
	struct node_met met;

	world_save(&w.hub, "hub");
	world_sql(other, "INSERT INTO place VALUES (x'02', 'F1', 'south', NULL, 1)");
	world_settle(&w, 2);
	world_put_back(&w.hub, "hub");
	must(store_db_begin(w.hub.merge, &err));
	must(sync_life_begin(&w.hub.node.r, SYNC_LIFE_RESTORED, &err));
	must(store_db_commit(w.hub.merge, &err));
	write_wrong("UPDATE score SET points = 990");
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_int_ge(met.round_trips, 2);
	ck_assert_uint_eq(met.rejected_count, 1);
	ck_assert_ptr_nonnull(strstr(met.rejected[0].reason, "only the hub may write"));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM place"), 2);
}
END_TEST

static void
make_loose(struct world_peer *p, bool is_hub)
{
	static const struct store_track_spec loose = { .table = "loose",
		                                       .scope = "f/",
		                                       .scope_column = "facility_id" };

	world_sql(p,
	          is_hub ? "CREATE TABLE loose(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT,"
	                   " v TEXT NOT NULL) WITHOUT ROWID"
	                 : "CREATE TABLE loose(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT, v)"
	                   " WITHOUT ROWID");
	must(store_db_begin(p->merge, &err));
	must(store_track_table(p->merge, &loose, is_hub, &err));
	must(store_db_commit(p->merge, &err));
}

/* What the hub's own table can't hold waits there and is listed; the writer hears of that, too. */
START_TEST(what_the_engine_refuses_is_told)
{
	struct node_met met;

	make_loose(&w.hub, true);
	make_loose(writer, false);
	world_sql(writer, "INSERT INTO loose VALUES (x'01', 'F1', NULL), (x'02', 'F1', 'good')");
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_uint_eq(met.rejected_count, 1);
	ck_assert_ptr_nonnull(strstr(met.rejected[0].reason, "NOT NULL"));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM loose WHERE v = 'good'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 1);
	world_sql(writer, "UPDATE loose SET v = 'late' WHERE v IS NULL");
	world_meet(&w, 0, &met);
	ck_assert_uint_eq(met.rejected_count, 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM loose"), 2);
}
END_TEST

Suite *
suite_sim_rights(void)
{
	Suite *suite = suite_create("sim/rights");
	TCase *tc = tcase_create("hub's");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, what_is_the_hubs_is_written_back, 0, WRONGS);
	tcase_add_test(tc, replaced_without_the_hubs_column);
	tcase_add_test(tc, written_back_again_and_again);
	tcase_add_test(tc, two_made_one_row_of_the_hubs);
	tcase_add_test(tc, the_writer_is_told);
	tcase_add_test(tc, the_writer_is_told_by_a_hub_that_was_put_back);
	tcase_add_test(tc, what_the_engine_refuses_is_told);
	suite_add_tcase(suite, tc);
	return suite;
}

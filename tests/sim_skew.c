/*
 * tests/sim_skew.c - one node has the next version's columns and tables, hub and
 * other node don't: its cells travel through them unharmed and appear when they
 * are upgraded.
 */
#include "store/log.h"
#include "store/track.h"
#include "sync/seal/seal.h"
#include "tests/suites.h"
#include "tests/world.h"

#include <check.h>

static const char *const facilities[] = { "F1", "F1", NULL };

static struct world w;
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
open_world(void)
{
	world_open(&w, 31, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

/* As the next version of the program does it at start. */
static void
upgrade(struct world_peer *p, bool is_hub)
{
	struct store_track_spec meal = { .table = "meal",
		                         .scope = "f/",
		                         .scope_column = "facility_id" };
	struct sync_sealed sealed;

	world_sql(p, "ALTER TABLE note ADD COLUMN mood TEXT");
	world_sql(p, "CREATE TABLE meal(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, "
	             "what TEXT) WITHOUT ROWID");
	must(store_db_begin(p->merge, &err));
	must(store_track_refresh(p->merge, is_hub, &err));
	must(store_track_table(p->merge, &meal, is_hub, &err));
	must(sync_seal(&p->node.r, &sealed, &err)); /* moves in what waited for them */
	must(store_db_commit(p->merge, &err));
}

static void
same_digest_everywhere(void)
{
	char hub[33], other[33];

	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(world_digest(&w.nodes[i], "f/F1", other),
		                 world_digest(&w.hub, "f/F1", hub));
}

START_TEST(nullable_column_is_no_change)
{
	int64_t before;

	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a'), "
	                       "(x'02', 'F1', 'b')");
	world_settle(&w, 2);
	before = world_int(&w.nodes[0], "SELECT sum(n) FROM yz_stream");
	upgrade(&w.nodes[0], false);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM yz_log"), 0);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT sum(n) FROM yz_stream"), before);
	same_digest_everywhere();
}
END_TEST

START_TEST(newer_cells_survive_older_ones)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'old row')");
	world_settle(&w, 2);
	upgrade(&w.nodes[0], false);
	world_sql(&w.nodes[0], "UPDATE note SET mood = 'glad'");
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text, mood) VALUES (x'02', 'F1', "
	                       "'new row', 'calm')");
	world_sql(&w.nodes[0], "INSERT INTO meal(id, facility_id, what) VALUES (x'03', 'F1', "
	                       "'rice'), (x'04', 'F1', 'soup')");
	world_settle(&w, 2);
	same_digest_everywhere();
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE text = 'new row'"),
	                 1);
	/* the older node edits the same rows, one is deleted, and all of it comes back */
	world_wait(&w, 1000);
	world_sql(&w.nodes[1], "UPDATE note SET rank = 5");
	world_settle(&w, 2);
	same_digest_everywhere();
	ck_assert_int_eq(world_int(&w.nodes[0],
	                           "SELECT count(*) FROM note WHERE rank = 5 AND mood IS NOT NULL"),
	                 2);
	world_sql(&w.nodes[0], "UPDATE note SET mood = 'gladder' WHERE id = x'01'");
	world_sql(&w.nodes[0], "DELETE FROM meal WHERE id = x'04'");
	world_settle(&w, 2);
	same_digest_everywhere();
	/* upgraded at last, one after the other */
	upgrade(&w.nodes[1], false);
	same_digest_everywhere();
	ck_assert_int_eq(
	        world_int(&w.nodes[1],
	                  "SELECT count(*) FROM note WHERE mood = 'gladder' AND id = x'01'"),
	        1);
	ck_assert_int_eq(world_int(&w.nodes[1],
	                           "SELECT count(*) FROM note WHERE mood = 'calm' AND id = x'02'"),
	                 1);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM meal WHERE what = 'rice'"),
	                 1);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM meal"), 1);
	upgrade(&w.hub, true);
	world_settle(&w, 2);
	same_digest_everywhere();
	ck_assert_int_eq(
	        world_int(&w.hub, "SELECT count(*) FROM note WHERE mood IN ('calm', 'gladder')"),
	        2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM meal"), 1);
	world_sql(&w.nodes[1], "UPDATE note SET mood = 'new'");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note WHERE mood = 'new'"), 2);
	same_digest_everywhere();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_extra"), 0);
}
END_TEST

/* A row whose newer cells the older node never saw dies and lives again there. */
START_TEST(newer_cells_die_with_the_row)
{
	upgrade(&w.nodes[0], false);
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text, mood) VALUES (x'01', 'F1', "
	                       "'one', 'calm')");
	world_settle(&w, 2);
	world_sql(&w.nodes[1], "DELETE FROM note");
	world_settle(&w, 2);
	same_digest_everywhere();
	world_sql(&w.nodes[1],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'two')");
	world_settle(&w, 2);
	same_digest_everywhere();
	ck_assert_int_eq(world_int(&w.nodes[0],
	                           "SELECT count(*) FROM note WHERE text = 'two' AND mood IS NULL"),
	                 1);
	upgrade(&w.nodes[1], false);
	ck_assert_int_eq(world_int(&w.nodes[1],
	                           "SELECT count(*) FROM note WHERE text = 'two' AND mood IS NULL"),
	                 1);
	world_settle(&w, 2);
	same_digest_everywhere();
}
END_TEST

Suite *
suite_sim_skew(void)
{
	Suite *suite = suite_create("sim/skew");
	TCase *tc = tcase_create("one_ahead");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, nullable_column_is_no_change);
	tcase_add_test(tc, newer_cells_survive_older_ones);
	tcase_add_test(tc, newer_cells_die_with_the_row);
	suite_add_tcase(suite, tc);
	return suite;
}

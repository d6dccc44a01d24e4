/* tests/sim_facility.c - two nodes of one facility with the real tables, an outage between them. */
#include "node/facility/schema.h"
#include "tests/suites.h"
#include "tests/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", NULL };

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
	must(store_db_begin(p->merge, &err));
	must(facility_schema_create(p->merge, &err));
	must(facility_seed(p->merge, &err));
	must(facility_track(p->merge, is_hub, &err));
	must(store_db_commit(p->merge, &err));
}

static void
open_world(void)
{
	world_open(&w, 41, facilities);
	make_tables(&w.hub, true);
	for (int i = 0; i < w.node_count; i++)
		make_tables(&w.nodes[i], false);
}

static void
close_world(void)
{
	world_close(&w);
}

static void
same_as_hub(struct world_peer *p, const char *sql)
{
	char *want = world_dump(&w.hub, sql), *got = world_dump(p, sql);
	char hub[33], other[33];

	ck_assert_str_eq(got, want);
	world_digest(&w.hub, "f/F1", hub);
	ck_assert_str_eq(world_digest(p, "f/F1", other), hub);
	free(want);
	free(got);
}

static void
same_everywhere(const char *sql)
{
	for (int i = 0; i < w.node_count; i++)
		same_as_hub(&w.nodes[i], sql);
}

/* Office PC and station write the same child's report while neither has a line. */
START_TEST(same_daily_report_made_twice_offline_is_one_row)
{
	static const char child[] = "INSERT INTO child(id, facility_id, name) VALUES "
	                            "(x'0101010101010101010101010101010f', 'F1', '安一')";

	world_sql(&w.nodes[0], child);
	world_settle(&w, 2);
	w.nodes[0].up = w.nodes[1].up = false;
	world_sql(&w.nodes[0],
	          "INSERT INTO daily_report(child_id, biz_date, facility_id, mood, meals) VALUES"
	          " (x'0101010101010101010101010101010f', 20260302, 'F1', 1, 'all of it')");
	ck_assert(!world_sync(&w, 0));
	world_wait(&w, 60000);
	world_sql(&w.nodes[1],
	          "INSERT INTO daily_report(child_id, biz_date, facility_id, mood, nap_min) VALUES"
	          " (x'0101010101010101010101010101010f', 20260302, 'F1', 2, 95)");
	world_sql(&w.nodes[1], "UPDATE daily_report SET note = 'slept well'");
	ck_assert(!world_sync(&w, 1));
	w.nodes[0].up = w.nodes[1].up = true;
	world_settle(&w, 3);
	same_everywhere("SELECT * FROM daily_report ORDER BY child_id, biz_date");
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM daily_report"), 1);
	ck_assert_int_eq(
	        world_int(&w.hub,
	                  "SELECT count(*) FROM daily_report WHERE mood = 2 AND nap_min = 95"
	                  " AND note = 'slept well'"),
	        1);
	/* what the first one wrote is not lost: it is shown to a person */
	ck_assert_int_ge(world_int(&w.nodes[0],
	                           "SELECT count(*) FROM yz_conflict WHERE state = 'open'"
	                           " AND other = 'all of it'"),
	                 1);
}
END_TEST

/* One's report is published meanwhile, another's edited: cells meet, not rows. */
START_TEST(cells_of_one_report_meet)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO daily_report(child_id, biz_date, facility_id, mood) VALUES"
	          " (x'0101010101010101010101010101010f', 20260302, 'F1', 1)");
	world_settle(&w, 2);
	w.nodes[0].up = w.nodes[1].up = false;
	world_sql(&w.nodes[0], "UPDATE daily_report SET state = 1, published_at = 5");
	world_sql(&w.nodes[1], "UPDATE daily_report SET note = 'a tooth'");
	w.nodes[0].up = w.nodes[1].up = true;
	world_settle(&w, 3);
	same_everywhere("SELECT * FROM daily_report ORDER BY child_id, biz_date");
	ck_assert_int_eq(
	        world_int(&w.hub,
	                  "SELECT count(*) FROM daily_report WHERE state = 1 AND note = 'a tooth'"),
	        1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict"), 0);
}
END_TEST

/* ---- what doesn't wait ---- */

#define ADULT "x'0202020202020202020202020202020f'"

static const struct {
	const char *name, *sql, *there;
	bool at_once;
} writes[] = {
	{ "an incident", "INSERT INTO incident(facility_id, kind, severity) VALUES ('F1', 1, 2)",
	  "SELECT count(*) FROM incident", true },
	{ "a right to fetch that is revoked",
	  "INSERT INTO pickup_auth(id, facility_id, revoked) VALUES (" ADULT ", 'F1', 1)",
	  "SELECT count(*) FROM pickup_auth WHERE revoked = 1", true },
	{ "a case of something that spreads",
	  "INSERT INTO symptom_case(facility_id, disease_code) VALUES ('F1', 'HFMD')",
	  "SELECT count(*) FROM symptom_case", true },
	{ "a nap", "INSERT INTO care_event(facility_id, kind) VALUES ('F1', 1)",
	  "SELECT count(*) FROM care_event", false },
};

START_TEST(urgent_rows_do_not_wait_for_the_next_meeting)
{
	ck_assert(world_tick(&w, 0)); /* the first meeting; the next is due after the interval */
	world_sql(&w.nodes[0], writes[_i].sql);
	world_wait(&w, 1000);
	ck_assert_int_eq(world_tick(&w, 0), writes[_i].at_once);
	ck_assert_int_eq(world_int(&w.hub, writes[_i].there), writes[_i].at_once);
	world_wait(&w, NODE_SYNC_MS);
	world_tick(&w, 0);
	ck_assert_int_eq(world_int(&w.hub, writes[_i].there), 1);
}
END_TEST

/* A hub that gets up is not kept down by those who are in a hurry. */
START_TEST(urgent_rows_respect_the_back_off)
{
	ck_assert(world_tick(&w, 0));
	w.nodes[0].up = false;
	world_sql(&w.nodes[0], writes[0].sql);
	ck_assert(!world_tick(&w, 0));
	ck_assert_int_eq(w.nodes[0].node.failures, 1);
	w.nodes[0].node.next_sync_mono_ms = w.mono_ms + 60000; /* as a long draw would have it */
	w.nodes[0].up = true;
	world_sql(&w.nodes[0], writes[0].sql);
	world_wait(&w, 1000);
	ck_assert(!world_tick(&w, 0));
	world_wait(&w, 60000);
	ck_assert(world_tick(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM incident"), 2);
}
END_TEST

Suite *
suite_sim_facility(void)
{
	Suite *suite = suite_create("sim/facility");
	TCase *tc = tcase_create("daily_report");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, same_daily_report_made_twice_offline_is_one_row);
	tcase_add_test(tc, cells_of_one_report_meet);
	suite_add_tcase(suite, tc);
	tc = tcase_create("urgent");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, urgent_rows_do_not_wait_for_the_next_meeting, 0,
	                    sizeof writes / sizeof writes[0]);
	tcase_add_test(tc, urgent_rows_respect_the_back_off);
	suite_add_tcase(suite, tc);
	return suite;
}

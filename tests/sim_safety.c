/*
 * tests/sim_safety.c - what must not go wrong with a child, with the real tables:
 * who may no longer fetch her, what her family has withdrawn, a dose that two
 * people gave, a tap on a row that somebody else deleted.
 *
 * Two nodes of one facility and their hub, lines that come and go.
 */
#include "node/facility/schema.h"
#include "node/status.h"
#include "tests/parcels.h"
#include "tests/suites.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", NULL };

#define OPEN "SELECT count(*) FROM yz_conflict WHERE state = 'open'"
#define CHILD "x'0101010101010101010101010101010f'"
#define ADULT "x'0202020202020202020202020202020f'"

static struct world w;
static struct parcels parcels;
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
	world_open(&w, 77, facilities);
	make_tables(&w.hub, true);
	for (int i = 0; i < w.node_count; i++)
		make_tables(&w.nodes[i], false);
}

static void
close_world(void)
{
	world_close(&w);
}

static struct world_peer *
peer(unsigned i)
{
	return i == 0 ? &w.hub : &w.nodes[i - 1];
}

static int
status_exit(struct world_peer *p)
{
	struct node_status status;
	struct arena a = { 0 };
	int code;

	must(node_status_read(p->local, NULL, &a, &status, &err));
	code = node_status_exit(node_status_state(&status));
	arena_free(&a);
	return code;
}

static void
expect_everywhere(const char *sql, int64_t want, const char *what)
{
	for (unsigned i = 0; i < 3; i++)
		ck_assert_msg(world_int(peer(i), sql) == want, "peer %u: %s", i, what);
}

/* Whoever gets the records in some other order and cut has it so, too. */
static void
expect_delivered(enum parcels_how how, const char *sql, int64_t want)
{
	struct world_peer fresh;

	parcels_pack(&w, &w.hub, how, &parcels);
	world_open_fresh(&w, &fresh, "fresh");
	make_tables(&fresh, false);
	parcels_deliver_shuffled(&w, &fresh, &parcels);
	ck_assert_int_eq(world_int(&fresh, sql), want);
	world_close_fresh(&fresh);
	parcels_free(&parcels);
}

/* ---- who may no longer fetch her ---- */

/* True if it was a revocation. */
static bool
touch_right(void)
{
	static const char *const work[] = {
		"UPDATE pickup_auth SET revoked = 1",
		"UPDATE pickup_auth SET valid_to = 20260300 + %u",
		"DELETE FROM pickup_auth",
		"INSERT INTO pickup_auth(id, facility_id, child_id, name) SELECT " ADULT ", 'F1', "
		"" CHILD ", '外婆' WHERE NOT EXISTS (SELECT 1 FROM pickup_auth)",
		"UPDATE pickup_auth SET name = '外婆 %u'",
	};
	/* revoked seldom, so that there is much before and after it */
	uint32_t what = world_draw(&w, 12);
	struct world_peer *p = peer(world_draw(&w, 3));
	bool revokes;
	char sql[256];

	what = what == 0 ? 0 : 1 + what % 4;
	revokes = what == 0 && world_int(p, "SELECT count(*) FROM pickup_auth") > 0;
	snprintf(sql, sizeof sql, work[what], world_draw(&w, 9));
	world_sql(p, sql);
	world_wait(&w, world_draw(&w, 3000));
	return revokes;
}

START_TEST(revoked_right_stays_revoked)
{
	bool revoked = false;

	w.random += (uint64_t)_i * 7919;
	world_sql(&w.hub, "INSERT INTO pickup_auth(id, facility_id, child_id, name)"
	                  " VALUES (" ADULT ", 'F1', " CHILD ", '外婆')");
	world_settle(&w, 2);
	for (int i = 0; i < 30; i++) {
		revoked = touch_right() || revoked;
		if (world_draw(&w, 4) == 0)
			world_sync(&w, (int)world_draw(&w, 2));
	}
	world_settle(&w, 3);
	/* whoever makes the right anew, knowing nothing of it, gets what was revoked */
	world_sql(&w.nodes[1], "DELETE FROM pickup_auth");
	world_settle(&w, 2);
	world_sql(&w.nodes[0], "INSERT INTO pickup_auth(id, facility_id, child_id, name)"
	                       " VALUES (" ADULT ", 'F1', " CHILD ", '外婆')");
	world_settle(&w, 3);
	expect_everywhere("SELECT count(*) FROM pickup_auth WHERE revoked = 1", revoked, "revoked");
	expect_everywhere("SELECT count(*) FROM pickup_auth WHERE revoked = 0", !revoked, "valid");
	if (_i < PARCELS_WAYS)
		expect_delivered((enum parcels_how)_i,
		                 "SELECT count(*) FROM pickup_auth WHERE revoked = 1", revoked);
}
END_TEST

/* ---- what her family has withdrawn ---- */

#define HOLDS "SELECT count(*) FROM v1_consent WHERE holds = 1"

START_TEST(withdrawn_consent_is_withdrawn)
{
	unsigned who = (unsigned)_i % 3;

	w.random += (uint64_t)_i;
	world_sql(&w.hub, "INSERT INTO consent(facility_id, child_id, purpose, granted, at)"
	                  " VALUES ('F1', " CHILD ", 2, 1, 1)");
	world_settle(&w, 2);
	expect_everywhere(HOLDS, 1, "granted");
	w.nodes[0].up = w.nodes[1].up = false;
	world_sql(peer(who), "INSERT INTO consent(id, facility_id, child_id, purpose, granted, at)"
	                     " VALUES (x'77', 'F1', " CHILD ", 2, 0, 2)");
	world_wait(&w, 60000);
	/* granted once more by one who hasn't heard of it, and later by the clock */
	world_sql(peer((who + 1) % 3),
	          "INSERT INTO consent(facility_id, child_id, purpose, granted, at)"
	          " VALUES ('F1', " CHILD ", 2, 1, 3)");
	w.nodes[0].up = w.nodes[1].up = true;
	world_settle(&w, 3);
	expect_everywhere(HOLDS, 0, "withdrawn");
	/* one who knows of it says so */
	world_sql(peer((who + 2) % 3),
	          "INSERT INTO consent(facility_id, child_id, purpose, granted,"
	          " at, replaces_id) VALUES ('F1', " CHILD ", 2, 1, 4, x'77')");
	world_settle(&w, 3);
	expect_everywhere(HOLDS, 1, "granted anew");
}
END_TEST

/* ---- a dose that two people gave ---- */

START_TEST(dose_given_twice_counts_once_and_alerts)
{
	static const char given[] =
	        "INSERT INTO medication_given(request_id, biz_date, slot, facility_id, at, dose,"
	        " recorded_by) VALUES (x'09', 20260302, 20, 'F1', %d, '5 ml', x'0%d')";
	char sql[256];

	world_settle(&w, 1);
	ck_assert_int_eq(status_exit(&w.hub), 0);
	w.nodes[0].up = w.nodes[1].up = false;
	for (int i = 0; i < 2; i++) {
		snprintf(sql, sizeof sql, given, 1000 + i * 7, i);
		world_sql(&w.nodes[i], sql);
		ck_assert(!world_sync(&w, i));
		world_wait(&w, 60000);
	}
	w.nodes[0].up = w.nodes[1].up = true;
	world_settle(&w, 3);
	expect_everywhere("SELECT count(*) FROM medication_given WHERE at = 1007", 1, "the later");
	expect_everywhere(OPEN " AND other = 1000", 1, "the other one is shown");
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(status_exit(peer(i)), 4);
	/* somebody has looked into it */
	world_sql(&w.nodes[0], "UPDATE medication_given SET reaction = 'given twice',"
	                       " recorded_by = x'05'");
	world_settle(&w, 3);
	expect_everywhere(OPEN, 0, "looked into");
	ck_assert_int_eq(status_exit(&w.hub), 0);
}
END_TEST

/* ---- a tap on a row that somebody deleted ---- */

static const struct tap_case {
	const char *name;
	const char *tap, *meanwhile, *later; /* at node 0, without a line; at node 1; then there */
	const char *lost;                    /* what of it is in the inbox */
} taps[] = {
	{ "an edit and a deletion", "UPDATE nap_session SET note = 'tap'",
	  "DELETE FROM nap_session", NULL, "col = 0 AND other = 'tap'" },
	{ "an edit, and the row made anew", "UPDATE nap_session SET note = 'tap'",
	  "DELETE FROM nap_session",
	  "INSERT INTO nap_session(enrollment_id, biz_date, facility_id) VALUES (x'05', 20260302, "
	  "'F1')",
	  "col = 0 AND other = 'tap'" },
	{ "edits of two cells are one entry",
	  "UPDATE nap_session SET note = 'tap'; UPDATE nap_session SET recorded_by = x'01'",
	  "DELETE FROM nap_session", NULL, "col = 0 AND other = 'tap'" },
	{ "a row deleted and made anew meets an edit",
	  "DELETE FROM nap_session; INSERT INTO nap_session(enrollment_id, biz_date, facility_id,"
	  " note) VALUES (x'05', 20260302, 'F1', 'tap')",
	  "UPDATE nap_session SET note = 'mine'", NULL,
	  /* in one seal, so it is an edit */
	  "col <> 0 AND other IN ('tap', 'mine')" },
};

START_TEST(tap_that_a_deletion_beat_is_in_the_inbox)
{
	const struct tap_case *c = &taps[_i / 2];
	unsigned first = (unsigned)_i % 2; /* who meets the hub first */

	world_sql(&w.nodes[0], "INSERT INTO nap_session(enrollment_id, biz_date, facility_id, note)"
	                       " VALUES (x'05', 20260302, 'F1', 'was')");
	world_settle(&w, 3);
	w.nodes[0].up = w.nodes[1].up = false;
	world_sql(&w.nodes[0], c->tap);
	ck_assert(!world_sync(&w, 0));
	world_sql(&w.nodes[1], c->meanwhile);
	ck_assert(!world_sync(&w, 1));
	if (c->later != NULL)
		world_sql(&w.nodes[1], c->later);
	w.nodes[first].up = true;
	ck_assert(world_sync(&w, (int)first));
	w.nodes[!first].up = true;
	world_settle(&w, 3);
	for (unsigned i = 0; i < 3; i++) {
		char sql[200];

		snprintf(sql, sizeof sql, OPEN " AND %s", c->lost);
		ck_assert_msg(world_int(peer(i), sql) == 1, "%s, peer %u: %d open", c->name, i,
		              (int)world_int(peer(i), OPEN));
		ck_assert_msg(status_exit(peer(i)) == 4, "%s, peer %u", c->name, i);
	}
}
END_TEST

Suite *
suite_sim_safety(void)
{
	Suite *suite = suite_create("sim/safety");
	TCase *tc = tcase_create("children");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, revoked_right_stays_revoked, 0, 8);
	tcase_add_loop_test(tc, withdrawn_consent_is_withdrawn, 0, 3);
	tcase_add_test(tc, dose_given_twice_counts_once_and_alerts);
	tcase_add_loop_test(tc, tap_that_a_deletion_beat_is_in_the_inbox, 0,
	                    2 * (int)(sizeof taps / sizeof taps[0]));
	suite_add_tcase(suite, tc);
	return suite;
}

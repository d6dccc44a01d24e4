/*
 * tests/sim_two_nodes.c - two nodes and a hub over node_step() and hub_step() on
 * a virtual clock: what is written on one side arrives on the other, once, and
 * nobody can tell in which order it travelled.
 */
#include "sync/life.h"
#include "tests/suites.h"
#include "tests/world.h"

#include "store/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const one_facility[] = { "F1", "F1", NULL };
static const char *const two_facilities[] = { "F1", "F2", NULL };

static struct world w;

#define ALL_NOTES "SELECT id, facility_id, text, rank, top, a, b FROM note ORDER BY id"
#define ALL_DAILY "SELECT child, day, facility_id, text, mood FROM daily ORDER BY child, day"

static void
close_world(void)
{
	world_close(&w);
}

static void
open_one(void)
{
	world_open(&w, 1, one_facility);
}

static void
open_two(void)
{
	world_open(&w, 2, two_facilities);
}

/* The same rows at the hub and this node, in one table. */
static void
expect_same_rows(struct world_peer *node, const char *sql)
{
	char *want = world_dump(&w.hub, sql), *got = world_dump(node, sql);

	ck_assert_str_eq(got, want);
	free(want);
	free(got);
}

static void
expect_same_digest(struct world_peer *node)
{
	char want[33], got[33];

	ck_assert_str_eq(world_digest(node, "f/F1", got), world_digest(&w.hub, "f/F1", want));
}

/* Same rows and same digest of f/F1 at the hub and these nodes. */
static void
expect_same(int nodes)
{
	for (int i = 0; i < nodes; i++) {
		expect_same_rows(&w.nodes[i], ALL_NOTES);
		expect_same_rows(&w.nodes[i], ALL_DAILY);
		expect_same_digest(&w.nodes[i]);
	}
}

START_TEST(a_row_reaches_hub_and_the_other_node)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text, rank) VALUES (x'01', 'F1', 'hello', 7)");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT rank FROM note WHERE text = 'hello'"), 7);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT rank FROM note WHERE text = 'hello'"), 7);
	expect_same(2);
	world_sql(&w.nodes[1], "UPDATE note SET rank = 8");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT rank FROM note"), 8);
	world_sql(&w.hub, "DELETE FROM note");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note"), 0);
	expect_same(2);
}
END_TEST

START_TEST(steady_state_is_one_small_round_trip)
{
	int before;

	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'x')");
	world_settle(&w, 3);
	before = w.round_trips;
	w.bytes_up = w.bytes_down = 0;
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(w.round_trips, before + 1);
	ck_assert_msg(w.bytes_up + w.bytes_down <= 512, "%zu up, %zu down", w.bytes_up,
	              w.bytes_down);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'y'");
	world_sql(&w.hub, "UPDATE note SET rank = 3");
	before = w.round_trips;
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(w.round_trips, before + 1); /* pushed and pulled */
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'y'"), 1);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT rank FROM note"), 3);
}
END_TEST

START_TEST(lost_reply_changes_nothing)
{
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'x')");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 1);
	world_sql(&w.nodes[0], "UPDATE note SET rank = 1");
	world_settle(&w, 2);
	expect_same(2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT sum(last - first + 1) FROM yz_segment"),
	                 world_int(&w.nodes[0], "SELECT sum(last - first + 1) FROM yz_segment"));
}
END_TEST

/* Sent isn't acknowledged: only a reply says so, also to who has known the hub for long. */
START_TEST(what_was_sent_waits_until_a_reply_has_come)
{
	int64_t proven;

	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'x')");
	world_settle(&w, 2);
	proven = world_int(&w.nodes[0], "SELECT sum(n) FROM yz_ack");
	ck_assert_int_gt(proven, 0);
	world_sql(&w.nodes[0], "UPDATE note SET rank = 1");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, "SELECT rank FROM note"), 1);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT sum(n) FROM yz_ack"), proven);
	world_settle(&w, 2);
	ck_assert_int_gt(world_int(&w.nodes[0], "SELECT sum(n) FROM yz_ack"), proven);
}
END_TEST

START_TEST(reply_of_another_hub_changes_nothing)
{
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'x')");
	world_sql(&w.hub, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'y')");
	w.nodes[0].node.hub_key[0] ^= 1;
	ck_assert(!world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note"), 1);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM yz_ack WHERE n > 0"), 0);
}
END_TEST

/* It has nothing of this stream then, and so says nothing of it. */
START_TEST(first_records_that_the_hub_refuses_are_not_acknowledged)
{
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'x')");
	w.damage_request = true;
	world_sync(&w, 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 0);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM yz_ack WHERE n > 0"), 0);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 1);
	expect_same(2);
}
END_TEST

/* More than one message takes: the meeting goes on until all of it is there. */
START_TEST(one_meeting_pushes_everything)
{
	world_sql(
	        &w.nodes[0],
	        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)"
	        " INSERT INTO note(id, facility_id, text) SELECT i, 'F1', randomblob(8000) FROM n");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_gt(w.round_trips, 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 900);
}
END_TEST

/* The node's clock is an hour slow, which it has learnt from the hub. */
START_TEST(stamps_are_corrected_by_the_hubs_time)
{
	w.nodes[0].node.r.clock.offset_ms = 3600000;
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'x')");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_ge(
	        world_int(&w.nodes[0], "SELECT value >> 16 FROM yz_meta WHERE name = 'last_stamp'"),
	        w.wall_ms + 3600000);
}
END_TEST

START_TEST(natural_key_made_twice_offline_is_one_row)
{
	w.nodes[0].up = w.nodes[1].up = false;
	world_sql(&w.nodes[0], "INSERT INTO daily VALUES ('c1', 20260302, 'F1', 'ate well', 1)");
	world_wait(&w, 5000);
	world_sql(&w.nodes[1], "INSERT INTO daily VALUES ('c1', 20260302, 'F1', 'slept well', 2)");
	ck_assert(!world_sync(&w, 0));
	w.nodes[0].up = w.nodes[1].up = true;
	world_settle(&w, 3);
	expect_same(2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM daily"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT mood FROM daily"), 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict WHERE state = 'open'"),
	                 2);
}
END_TEST

START_TEST(same_cell_in_an_outage_is_a_conflict_until_resolved)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'was')");
	world_settle(&w, 2);
	w.nodes[0].up = false;
	world_sql(&w.nodes[0], "UPDATE note SET text = 'facility'");
	world_wait(&w, 60000);
	world_sql(&w.hub, "UPDATE note SET text = 'hub'");
	w.nodes[0].up = true;
	world_settle(&w, 2);
	expect_same(2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'hub'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict WHERE state = 'open'"),
	                 1);
	ck_assert_int_eq(
	        world_int(&w.nodes[0], "SELECT count(*) FROM yz_conflict WHERE state = 'open'"), 1);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'facility'");
	world_settle(&w, 2);
	expect_same(2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'facility'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict WHERE state = 'open'"),
	                 0);
	ck_assert_int_eq(
	        world_int(&w.nodes[0], "SELECT count(*) FROM yz_conflict WHERE state = 'open'"), 0);
}
END_TEST

START_TEST(later_write_that_has_seen_the_first_is_no_conflict)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'one')");
	world_settle(&w, 2);
	for (int i = 0; i < 4; i++) {
		world_wait(&w, 1000);
		world_sql(&w.nodes[i % 2], i % 2 == 0 ? "UPDATE note SET text = text || 'a'"
		                                      : "UPDATE note SET text = text || 'b'");
		world_settle(&w, 2);
	}
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'oneabab'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict"), 0);
	expect_same(2);
}
END_TEST

START_TEST(revoked_stays_revoked_through_delete_and_new_insert)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text, top) VALUES (x'01', 'F1', 'auth', 0)");
	world_settle(&w, 2);
	world_sql(&w.nodes[0], "UPDATE note SET top = 1");
	world_sql(&w.nodes[0], "DELETE FROM note");
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text, top) VALUES (x'01', 'F1', 'again', 0)");
	world_sql(&w.nodes[1], "UPDATE note SET text = 'other'");
	world_settle(&w, 3);
	expect_same(2);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT top FROM note"), 1);
	world_sql(&w.nodes[1], "DELETE FROM note");
	world_settle(&w, 2);
	world_sql(&w.hub,
	          "INSERT INTO note(id, facility_id, text, top) VALUES (x'01', 'F1', 'third', 0)");
	world_settle(&w, 2);
	expect_same(2);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT top FROM note WHERE text = 'third'"), 1);
}
END_TEST

START_TEST(another_facilitys_scope_stays_out)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'mine')");
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'not mine')");
	world_sql(&w.nodes[1],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'03', 'F2', 'theirs')");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'not mine'"), 0);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM yz_quarantine"), 1);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note WHERE text = 'theirs'"),
	                 0);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note"), 1);
}
END_TEST

START_TEST(altered_table_is_followed_at_the_next_tick)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };
	struct err err;

	w.nodes[0].node.next_sync_mono_ms = INT64_MAX;
	world_sql(&w.nodes[0], "ALTER TABLE note ADD COLUMN extra TEXT");
	ck_assert_int_eq(node_step(&w.nodes[0].node, &tick, &fx, &err), 0);
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'x')");
	world_settle(&w, 1);
	world_sql(&w.nodes[0], "UPDATE note SET extra = 'new'");
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM yz_log"), 1);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_extra WHERE value = 'new'"), 1);
	world_sql(&w.hub, "ALTER TABLE note ADD COLUMN extra TEXT");
	w.hub.node.next_sync_mono_ms = INT64_MAX;
	ck_assert_int_eq(node_step(&w.hub.node, &tick, &fx, &err), 0);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE extra = 'new'"), 1);
	node_effects_clear(&fx);
}
END_TEST

/* Random work on both nodes and the hub, meetings at random times: all the same in the end. */
START_TEST(random_work_converges)
{
	static const char insert[] =
	        "INSERT INTO note(id, facility_id, text, rank) SELECT x'0%1$u', 'F1', 't%2$u', 1"
	        " WHERE NOT EXISTS (SELECT 1 FROM note WHERE id = x'0%1$u')";
	static const char upsert[] = "INSERT INTO daily VALUES ('c%1$u', 1, 'F1', 't%2$u', %2$u)"
	                             " ON CONFLICT DO UPDATE SET mood = %2$u";
	static const char *const work[] = {
		insert,
		"UPDATE note SET text = 'u%2$u' WHERE id = x'0%1$u'",
		"UPDATE note SET rank = %2$u, a = %2$u WHERE id = x'0%1$u'",
		"UPDATE note SET top = max(top, %2$u) WHERE id = x'0%1$u'",
		"DELETE FROM note WHERE id = x'0%1$u'",
		upsert,
	};
	char sql[256];

	w.random += (uint64_t)_i * 7919;
	for (int step = 0; step < 60; step++) {
		uint32_t who = world_draw(&w, 3), what = world_draw(&w, 6),
		         key = 1 + world_draw(&w, 4);

		snprintf(sql, sizeof sql, work[what], key, world_draw(&w, 99));
		world_sql(who == 2 ? &w.hub : &w.nodes[who], sql);
		world_wait(&w, world_draw(&w, 5000));
		if (world_draw(&w, 4) == 0) {
			w.lose_reply = world_draw(&w, 5) == 0;
			world_sync(&w, (int)world_draw(&w, 2));
			w.lose_reply = false;
		}
	}
	world_settle(&w, 3);
	expect_same(2);
}
END_TEST

/* It was put back, says so by a new life, and lacks what it had acknowledged. */
/* What a max cell was when its row went is known, though it was raised again from below. */
START_TEST(a_max_cell_keeps_its_version_when_its_row_is_made_again)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text, top) VALUES (x'01', 'F1', 'x', 2)");
	world_settle(&w, 3);
	world_sql(&w.nodes[1], "DELETE FROM note");
	world_sql(&w.nodes[1], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'y')");
	world_sql(&w.nodes[1], "UPDATE note SET top = ifnull(top, 0) + 1");
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT top FROM note"), 2);
	expect_same(2);
	/* raised twice, in two lives between two seals: the greater counts, as written now */
	world_sql(&w.nodes[1], "UPDATE note SET top = 5");
	world_sql(&w.nodes[1], "DELETE FROM note");
	world_sql(&w.nodes[1], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'z')");
	world_sql(&w.nodes[1], "UPDATE note SET top = ifnull(top, 0) + 1");
	world_sql(&w.nodes[1], "DELETE FROM note");
	world_settle(&w, 3);
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'w')");
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT top FROM note"), 5);
	expect_same(2);
}
END_TEST

static void
make_family(struct world_peer *p, bool is_hub)
{
	static const struct store_track_spec specs[] = {
		{ .table = "fam", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "kid", .scope = "f/", .scope_column = "facility_id" },
	};
	struct err err;

	world_sql(p, "CREATE TABLE fam(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL);"
	             "CREATE TABLE kid(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL,"
	             " fam INTEGER REFERENCES fam(id) ON DELETE CASCADE)");
	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	for (size_t i = 0; i < 2; i++)
		ck_assert_msg(store_track_table(p->merge, &specs[i], is_hub, &err) >= 0, "%s",
		              err.msg);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
}

/* What a person deletes takes its children along; what is merged takes only what it says. */
START_TEST(a_merged_delete_cascades_nowhere)
{
	make_family(&w.hub, true);
	make_family(&w.nodes[0], false);
	make_family(&w.nodes[1], false);
	world_sql(&w.nodes[0], "INSERT INTO fam VALUES (1, 'F1'), (2, 'F1');"
	                       "INSERT INTO kid VALUES (10, 'F1', 1), (20, 'F1', 2)");
	world_settle(&w, 2);
	world_sql(&w.nodes[0], "INSERT INTO kid VALUES (11, 'F1', 1)");
	world_sql(&w.nodes[1], "DELETE FROM fam WHERE id = 1");
	world_settle(&w, 3);
	for (int i = 0; i <= 2; i++) {
		struct world_peer *p = i == 2 ? &w.hub : &w.nodes[i];

		ck_assert_int_eq(world_int(p, "SELECT count(*) FROM fam"), 1);
		/* its own child went with it at the keyboard; the other one is an orphan, and there
		 */
		ck_assert_int_eq(world_int(p,
		                           "SELECT group_concat(id, '') FROM (SELECT id FROM kid "
		                           "ORDER BY id)"),
		                 1120);
	}
}
END_TEST

START_TEST(a_hub_in_a_new_life_gets_the_rest_in_one_meeting)
{
	struct world_peer *p = &w.nodes[0];
	struct node_met met;
	struct err err;

	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'one')");
	ck_assert(world_sync(&w, 0));
	world_save(&w.hub, "hub");
	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'two')");
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.hub, "hub");
	ck_assert_int_eq(store_db_begin(w.hub.merge, &err), 0);
	ck_assert_int_eq(sync_life_begin(&w.hub.node.r, SYNC_LIFE_RESTORED, &err), 0);
	ck_assert_int_eq(store_db_commit(w.hub.merge, &err), 0);
	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'03', 'F1', 'three')");
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_str_eq(met.words, "");
	/* that the third didn't follow on what the hub has is settled in the same meeting */
	ck_assert_uint_eq(met.rejected_count, 0);
	ck_assert_int_eq(met.round_trips, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 3);
}
END_TEST

Suite *
suite_sim_two_nodes(void)
{
	Suite *suite = suite_create("sim/two_nodes");
	TCase *one = tcase_create("one_facility"), *two = tcase_create("two_facilities");

	tcase_set_timeout(one, 120);
	tcase_add_checked_fixture(one, open_one, close_world);
	tcase_add_test(one, a_row_reaches_hub_and_the_other_node);
	tcase_add_test(one, steady_state_is_one_small_round_trip);
	tcase_add_test(one, lost_reply_changes_nothing);
	tcase_add_test(one, what_was_sent_waits_until_a_reply_has_come);
	tcase_add_test(one, reply_of_another_hub_changes_nothing);
	tcase_add_test(one, first_records_that_the_hub_refuses_are_not_acknowledged);
	tcase_add_test(one, one_meeting_pushes_everything);
	tcase_add_test(one, stamps_are_corrected_by_the_hubs_time);
	tcase_add_test(one, natural_key_made_twice_offline_is_one_row);
	tcase_add_test(one, same_cell_in_an_outage_is_a_conflict_until_resolved);
	tcase_add_test(one, later_write_that_has_seen_the_first_is_no_conflict);
	tcase_add_test(one, revoked_stays_revoked_through_delete_and_new_insert);
	tcase_add_test(one, altered_table_is_followed_at_the_next_tick);
	tcase_add_test(one, a_max_cell_keeps_its_version_when_its_row_is_made_again);
	tcase_add_test(one, a_merged_delete_cascades_nowhere);
	tcase_add_test(one, a_hub_in_a_new_life_gets_the_rest_in_one_meeting);
	tcase_add_loop_test(one, random_work_converges, 0, 20);
	suite_add_tcase(suite, one);
	tcase_add_checked_fixture(two, open_two, close_world);
	tcase_add_test(two, another_facilitys_scope_stays_out);
	suite_add_tcase(suite, two);
	return suite;
}

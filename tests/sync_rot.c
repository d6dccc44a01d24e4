/*
 * tests/sync_rot.c - segments that can't be read any more: nobody loses a row,
 * and nobody has to do anything.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const two_nodes[] = { "F1", "F1", NULL };

static struct world w;

#define ALL_NOTES "SELECT id, text, rank, top, a, b FROM note ORDER BY id"

static void
open_world(void)
{
	world_open(&w, 11, two_nodes);
}

static void
close_world(void)
{
	world_close(&w);
}

/* A unit, and so a segment, of what was written so far, with no line. */
static void
seal(struct world_peer *p)
{
	p->up = false;
	world_sync(&w, (int)(p - w.nodes));
	p->up = true;
	world_wait(&w, 1000);
}

/* One byte of these segments falls over. */
static void
rot(struct world_peer *p, const char *which)
{
	char sql[300];
	struct err err;

	snprintf(
	        sql, sizeof sql,
	        "UPDATE yz_segment SET body = CAST(substr(body, 1, length(body) - 1) || x'%02x' AS "
	        "BLOB) WHERE %s",
	        0xee, which);
	ck_assert_int_eq(store_db_exec(p->merge, sql, &err), 0);
}

/* Everything of a row's life, each in a segment of its own. */
static const char *const writes[] = {
	"INSERT INTO note(id, facility_id, text, rank, top, a, b) VALUES (x'01', 'F1', 'one', 1, "
	"1, 1, "
	"1), (x'02', 'F1', 'two', 2, 2, 2, 2), (x'03', 'F1', 'three', 3, 3, 3, 3),"
	" (x'04', 'F1', 'four', 4, 4, 4, 4)",
	"UPDATE note SET text = 'edited', top = 9, a = 7 WHERE id IN (x'01', x'02')",
	"DELETE FROM note WHERE id IN (x'03', x'04')",
	"INSERT INTO note(id, facility_id, text) VALUES (x'04', 'F1', 'again'), (x'05', 'F1', "
	"NULL)",
	"UPDATE note SET rank = 8 WHERE id IN (x'01', x'05'); INSERT INTO daily VALUES ('c', 1, "
	"'F1', "
	"'x', 1)",
};

enum { WRITES = sizeof writes / sizeof writes[0] };

static void
write_some(struct world_peer *p)
{
	for (int i = 0; i < WRITES; i++) {
		world_sql(p, writes[i]);
		seal(p);
	}
}

static void
expect_same_as_hub(struct world_peer *p)
{
	char *want = world_dump(&w.hub, ALL_NOTES), *got = world_dump(p, ALL_NOTES);
	char digest[33], hubs[33];

	ck_assert_str_eq(got, want);
	ck_assert_str_eq(world_digest(p, "f/F1", digest), world_digest(&w.hub, "f/F1", hubs));
	free(want);
	free(got);
}

static void
expect_same(void)
{
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
	for (int i = 0; i < w.node_count; i++) {
		expect_same_as_hub(&w.nodes[i]);
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_quarantine"), 0);
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_conflict"), 0);
	}
}

/* Each of them, and from each on all. */
START_TEST(what_was_not_sent_is_written_again_from_the_rows)
{
	struct world_peer *p = &w.nodes[0];
	struct node_met met;
	char *before, *after, which[80];

	write_some(p);
	before = world_dump(p, ALL_NOTES);
	snprintf(which, sizeof which,
	         "first IN (SELECT first FROM yz_segment ORDER BY first LIMIT %d OFFSET %d)",
	         _i < WRITES ? 1 : WRITES, _i % WRITES);
	rot(p, which);
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_str_eq(met.words, "");
	ck_assert_uint_eq(met.rejected_count, 0);
	world_settle(&w, 2);
	after = world_dump(p, ALL_NOTES);
	ck_assert_str_eq(after, before);
	free(after);
	free(before);
	expect_same();
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM daily"), 1);
	/* and what is written next goes the ordinary way */
	world_sql(p, "UPDATE note SET text = text || '!', top = top + 1");
	world_settle(&w, 2);
	expect_same();
}
END_TEST

/* The next day's roll-up reads what was sent long ago. */
START_TEST(what_was_sent_comes_again)
{
	struct world_peer *p = &w.nodes[_i];
	int64_t records;

	write_some(&w.nodes[0]);
	world_settle(&w, 2);
	records = world_int(&w.hub, "SELECT sum(n) FROM yz_stream");
	world_sql(&w.nodes[0], "UPDATE note SET text = 'later' WHERE id = x'01'");
	seal(&w.nodes[0]);
	rot(p, "first = 1");
	world_wait(&w, (int64_t)NODE_HOUSE_MS * 48);
	ck_assert(world_tick(&w, _i));
	world_settle(&w, 2);
	ck_assert_int_ge(world_int(p, "SELECT sum(n) FROM yz_stream"), records);
	expect_same();
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'later'"), 1);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM note WHERE text = 'later'"), 1);
	world_sql(p, "UPDATE note SET text = 'last' WHERE id = x'02'");
	world_settle(&w, 2);
	expect_same();
}
END_TEST

/* The next branch of it may call another table so. */
START_TEST(what_a_lost_segment_named_is_forgotten)
{
	static const char names[] = "SELECT count(*) FROM yz_stream_schema";
	int64_t all;

	for (int i = 0; i < WRITES; i++) {
		world_sql(&w.nodes[0], writes[i]);
		world_settle(&w, 1); /* a segment each */
	}
	all = world_int(&w.nodes[1], names);
	rot(&w.nodes[1], "last = (SELECT max(last) FROM yz_segment)");
	w.nodes[1].up = false;
	world_wait(&w, (int64_t)NODE_HOUSE_MS * 48);
	world_tick(&w, 1);
	ck_assert_int_eq(world_int(&w.nodes[1], names), all - 1);
	w.nodes[1].up = true;
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[1], names), all);
	expect_same();
}
END_TEST

/* A hub has nobody to ask; all else goes on. */
START_TEST(a_hub_sends_what_it_can_read)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };
	struct node_met met;
	struct err err;

	write_some(&w.nodes[0]);
	ck_assert(world_sync(&w, 0));
	rot(&w.hub, "first = 1");
	world_wait(&w, (int64_t)NODE_HOUSE_MS * 48);
	ck_assert_int_eq(node_step(&w.hub.node, &tick, &fx, &err), 0);
	world_sql(&w.hub, "INSERT INTO note(id, facility_id, text) VALUES (x'0a', 'F1', 'hub')");
	world_sql(&w.nodes[1], "INSERT INTO note(id, facility_id, text) VALUES (x'0b', 'F1', 'q')");
	world_meet(&w, 1, &met);
	ck_assert(met.ok);
	ck_assert_uint_eq(met.rejected_count, 1);
	ck_assert_str_eq(met.rejected[0].reason, "the hub can't read its records any more");
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note"), 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'q'"), 1);
}
END_TEST

/* Somebody corrected meanwhile what the rotten record says: that stands. */
START_TEST(a_later_correction_stands)
{
	struct world_peer *p = &w.nodes[0];

	world_sql(p, writes[0]);
	world_settle(&w, 2);
	world_sql(p, "UPDATE note SET text = 'wrong' WHERE id = x'01'");
	seal(p);
	world_wait(&w, 60000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'right' WHERE id = x'01'");
	ck_assert(world_sync(&w, 1));
	rot(p, "first > 1");
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM note WHERE text = 'right'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'right'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict WHERE state = 'open'"),
	                 1);
}
END_TEST

Suite *
suite_sync_rot(void)
{
	Suite *s = suite_create("sync/rot");
	TCase *tc = tcase_create("rot");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, what_was_not_sent_is_written_again_from_the_rows, 0, 2 * WRITES);
	tcase_add_loop_test(tc, what_was_sent_comes_again, 0, 2);
	tcase_add_test(tc, what_a_lost_segment_named_is_forgotten);
	tcase_add_test(tc, a_hub_sends_what_it_can_read);
	tcase_add_test(tc, a_later_correction_stands);
	suite_add_tcase(s, tc);
	return s;
}

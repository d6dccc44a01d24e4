/* tests/sync_history.c - the segments tell every change once, in its order, and looking changes
 * nothing. */
#include "tests/suites.h"
#include "tests/world.h"

#include "sync/history.h"
#include "sync/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", NULL };
static struct world w;
static struct err err;

static void
open_world(void)
{
	world_open(&w, 7, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

static struct sync_history *
begin(struct world_peer *p)
{
	struct sync_history *h;
	int rc = sync_history_begin(p->merge, p == &w.hub, &h, &err);

	ck_assert_msg(rc == 0, "%s", err.msg);
	return h;
}

/* The changes of note x'01' at a peer: op and text of each, "*" behind what isn't sealed. */
static const char *
story(struct world_peer *p)
{
	static const uint8_t key[] = { 4, 1, 1 }; /* a blob of one byte, 01 */
	static char text[256];
	struct sync_history *h = begin(p);
	struct sync_history_list list;
	size_t used = 0;
	int table = store_catalog_table_by_name(p->merge, "note")->id;

	ck_assert_msg(sync_history_row(h, table, key, sizeof key, &list, &err) == 0, "%s", err.msg);
	text[0] = 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct store_change *c = &list.entries[i].change;
		int at = store_schema_find(c->schema, "text");

		used += (size_t)snprintf(
		        text + used, sizeof text - used, "%s%s%.*s%s", i > 0 ? " " : "",
		        c->op == STORE_INSERT   ? "+"
		        : c->op == STORE_DELETE ? "-"
		                                : "",
		        c->op == STORE_DELETE ? 0 : (int)c->values[at].len,
		        c->op == STORE_DELETE ? "" : (const char *)c->values[at].bytes,
		        list.entries[i].n == 0 ? "*" : "");
	}
	sync_history_end(h);
	return text;
}

START_TEST(row_is_told_alike_everywhere)
{
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	world_settle(&w, 2);
	world_wait(&w, 1000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'b'");
	world_settle(&w, 2);
	world_wait(&w, 1000);
	world_sql(&w.hub, "UPDATE note SET text = 'c'");
	world_settle(&w, 2);
	world_wait(&w, 1000);
	world_sql(&w.nodes[0], "DELETE FROM note");
	world_settle(&w, 2);
	ck_assert_str_eq(story(&w.nodes[0]), "+a b c -");
	ck_assert_str_eq(story(&w.nodes[1]), "+a b c -");
	ck_assert_str_eq(story(&w.hub), "+a b c -");
}
END_TEST

START_TEST(what_waits_is_told_and_not_sealed)
{
	struct world_peer *p = &w.nodes[0];

	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	ck_assert_str_eq(story(p), "+a*");
	world_settle(&w, 2);
	world_sql(p, "UPDATE note SET text = 'b'");
	ck_assert_str_eq(story(p), "+a b*");
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_log"), 1);
	ck_assert_int_eq(world_int(p, "SELECT sum(n) FROM yz_stream"), 2);
}
END_TEST

START_TEST(loser_of_a_conflict_is_told)
{
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	world_settle(&w, 2);
	w.nodes[0].up = false;
	world_sql(&w.nodes[0], "UPDATE note SET text = 'first'");
	ck_assert(!world_sync(&w, 0));
	world_wait(&w, 60000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'second'");
	ck_assert(world_sync(&w, 1));
	w.nodes[0].up = true;
	world_settle(&w, 3);
	ck_assert_str_eq(story(&w.hub), "+a first second");
	ck_assert_str_eq(story(&w.nodes[1]), "+a first second");
}
END_TEST

START_TEST(newest_come_first_from_all_streams)
{
	struct sync_history_list list;
	struct sync_history *h;
	int64_t before = INT64_MAX;
	char sql[160];

	for (int i = 0; i < 30; i++) {
		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, rank) VALUES (x'%04x', 'F1', %d)", i,
		         i);
		world_sql(&w.nodes[i % 2], sql);
		world_wait(&w, 1000);
		if (i % 7 == 0)
			world_settle(&w, 1);
	}
	world_settle(&w, 3);
	h = begin(&w.hub);
	ck_assert_int_eq(sync_history_newest(h, 8, &list, &err), 0);
	ck_assert_uint_eq(list.count, 8);
	for (size_t i = 0; i < list.count; i++) {
		int rank = store_schema_find(list.entries[i].change.schema, "rank");

		ck_assert_int_le(list.entries[i].change.stamp, before);
		ck_assert_int_eq(list.entries[i].change.values[rank].num.i, 29 - (int64_t)i);
		ck_assert_uint_lt(list.entries[i].unit, list.entries[i].n);
		before = list.entries[i].change.stamp;
	}
	ck_assert_int_eq(sync_history_newest(h, 0, &list, &err), 0);
	ck_assert_uint_eq(list.count, 30);
	sync_history_end(h);
}
END_TEST

/* ---- verify ---- */

static void
count_problem(void *ctx, const struct sync_verify_problem *problem)
{
	(void)problem;
	(*(int *)ctx)++;
}

static int
problems(struct world_peer *p)
{
	int count = 0;
	struct sync_verify v = { .tell = count_problem, .ctx = &count };

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_msg(sync_verify_streams(p->merge, &v, &err) == 0, "%s", err.msg);
	store_db_rollback(p->merge);
	ck_assert_int_eq(count, v.problems);
	return count;
}

static const struct damage {
	const char *name, *sql;
} damages[] = {
	{ "a body", "UPDATE yz_segment SET body = randomblob(length(body)) WHERE id = 1" },
	{ "a head", "UPDATE yz_segment SET head = randomblob(32) WHERE id = 1" },
	{ "a seed", "UPDATE yz_segment SET seeds = randomblob(length(seeds)) WHERE id = 1" },
	{ "a signature", "UPDATE yz_segment SET signature = randomblob(64) WHERE id = 1" },
	{ "another's key", "UPDATE yz_segment SET key = randomblob(32) WHERE id = 1" },
	{ "no signature", "UPDATE yz_segment SET signature = NULL WHERE id = 1" },
	{ "the first segment is gone", "DELETE FROM yz_segment WHERE id = 1" },
	{ "the last segment is gone", "DELETE FROM yz_segment WHERE id = 2" },
	{ "the stream's head", "UPDATE yz_stream SET head = randomblob(32)" },
};

enum { DAMAGES = sizeof damages / sizeof damages[0] };

START_TEST(damage_is_found)
{
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	world_settle(&w, 2);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'b'");
	world_settle(&w, 2);
	ck_assert_int_eq(problems(&w.nodes[0]), 0);
	ck_assert_int_eq(problems(&w.hub), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_segment"), 2);
	world_sql(&w.hub, damages[_i].sql);
	ck_assert_msg(problems(&w.hub) > 0, "%s", damages[_i].name);
}
END_TEST

Suite *
suite_sync_history(void)
{
	Suite *suite = suite_create("sync/history");
	TCase *tcase = tcase_create("history");

	tcase_add_checked_fixture(tcase, open_world, close_world);
	tcase_add_test(tcase, row_is_told_alike_everywhere);
	tcase_add_test(tcase, what_waits_is_told_and_not_sealed);
	tcase_add_test(tcase, loser_of_a_conflict_is_told);
	tcase_add_test(tcase, newest_come_first_from_all_streams);
	tcase_add_loop_test(tcase, damage_is_found, 0, DAMAGES);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/store_verdict.c - a person's decision about a conflict reaches every replica. */
#include "tests/suites.h"
#include "tests/world.h"

#include "store/verdict.h"
#include "sync/history.h"

#include <stdio.h>
#include <string.h>

#define OPEN "SELECT count(*) FROM yz_conflict WHERE state = 'open'"

static const char *const facilities[] = { "F1", "F1", NULL };
static struct world w;
static struct err err;

/* "facility" at node 0 met "hub" at the hub, which shows. */
static void
open_conflict(void)
{
	world_open(&w, 9, facilities);
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'was')");
	world_settle(&w, 2);
	w.nodes[0].up = false;
	world_sql(&w.nodes[0], "UPDATE note SET text = 'facility'");
	world_wait(&w, 60000);
	world_sql(&w.hub, "UPDATE note SET text = 'hub'");
	w.nodes[0].up = true;
	world_settle(&w, 3);
}

static void
close_world(void)
{
	world_close(&w);
}

/* The one open conflict of a peer. */
static struct store_conflict
the_conflict(struct world_peer *p, struct arena *a)
{
	struct store_conflict *list;
	size_t count;

	ck_assert_int_eq(store_inbox_list(p->local, true, a, &list, &count, &err), 0);
	ck_assert_uint_eq(count, 1);
	return list[0];
}

static void
give(struct world_peer *p, const struct store_verdict *v)
{
	ck_assert_int_eq(store_db_begin(p->local, &err), 0);
	ck_assert_msg(store_verdict_give(p->local, v, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(store_db_commit(p->local, &err), 0);
}

static const struct take_case {
	const char *name;
	enum store_take take;
	const char *want;
} take_cases[] = {
	{ "what stands", STORE_TAKE_SHOWN, "SELECT count(*) FROM note WHERE text = 'hub'" },
	{ "what lost", STORE_TAKE_OTHER, "SELECT count(*) FROM note WHERE text = 'facility'" },
	{ "neither", STORE_TAKE_VALUE, "SELECT count(*) FROM note WHERE text = 'both'" },
};

enum { TAKE_CASES = sizeof take_cases / sizeof take_cases[0] };

START_TEST(decision_at_a_node_closes_everywhere)
{
	const struct take_case *c = &take_cases[_i];
	struct arena a = { 0 };
	struct store_conflict conflict = the_conflict(&w.nodes[1], &a);
	struct store_verdict v = { .conflict = &conflict,
		                   .take = c->take,
		                   .value = store_value_text("both"),
		                   .by = "test" };

	give(&w.nodes[1], &v);
	ck_assert_int_eq(world_int(&w.nodes[1], OPEN), 0);
	world_settle(&w, 3);
	ck_assert_msg(world_int(&w.hub, c->want) == 1, "%s: hub", c->name);
	ck_assert_msg(world_int(&w.nodes[0], c->want) == 1, "%s: node 0", c->name);
	ck_assert_msg(world_int(&w.hub, OPEN) == 0, "%s: open at the hub", c->name);
	ck_assert_msg(world_int(&w.nodes[0], OPEN) == 0, "%s: open at node 0", c->name);
	/* nothing is shared here: programs of before know the verdict by the bare id */
	ck_assert_int_eq(world_int(&w.hub, "SELECT length(conflict) FROM yz_verdict"),
	                 STORE_CONFLICT_ID);
	arena_free(&a);
}
END_TEST

/* What came stamped far ahead waits at the hub, of a stream that has no records then. */
START_TEST(a_stream_that_waits_makes_nothing_shared)
{
	struct arena a = { 0 };
	struct store_conflict conflict;
	struct store_verdict v = { .conflict = &conflict, .take = STORE_TAKE_SHOWN, .by = "" };

	w.nodes[1].skew_ms = INT64_C(3) * 86400000;
	world_sql(&w.nodes[1], "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'x')");
	world_settle(&w, 2);
	ck_assert_int_gt(world_int(&w.hub, "SELECT count(*) FROM yz_stream WHERE n = 0"), 0);
	conflict = the_conflict(&w.hub, &a);
	give(&w.hub, &v);
	ck_assert_int_eq(world_int(&w.hub, "SELECT length(conflict) FROM yz_verdict"),
	                 STORE_CONFLICT_ID);
	arena_free(&a);
}
END_TEST

START_TEST(second_decision_is_refused)
{
	struct arena a = { 0 };
	struct store_conflict conflict = the_conflict(&w.hub, &a);
	struct store_verdict v = { .conflict = &conflict, .take = STORE_TAKE_SHOWN, .by = "" };

	give(&w.hub, &v);
	conflict.open = false;
	ck_assert_int_eq(store_db_begin(w.hub.local, &err), 0);
	ck_assert_int_eq(store_verdict_give(w.hub.local, &v, &err), ERR_INVALID);
	store_db_rollback(w.hub.local);
	ck_assert_str_eq(err.msg, "this conflict is resolved already; nothing is to be done");
	arena_free(&a);
}
END_TEST

START_TEST(conflict_is_found_by_the_beginning_of_its_id)
{
	const struct store_conflict *found;
	struct arena a = { 0 };
	struct store_conflict conflict = the_conflict(&w.hub, &a);
	char hex[9];

	snprintf(hex, sizeof hex, "%02X%02x%02x%02x", conflict.id[0], conflict.id[1],
	         conflict.id[2], conflict.id[3]);
	ck_assert_int_eq(store_verdict_find(w.hub.local, hex, &a, &found, &err), 0);
	ck_assert_mem_eq(found->id, conflict.id, STORE_CONFLICT_ID);
	hex[3] = 0; /* too short to be sure */
	ck_assert_int_eq(store_verdict_find(w.hub.local, hex, &a, &found, &err), ERR_NOTFOUND);
	ck_assert_int_eq(store_verdict_find(w.hub.local, "zzzz", &a, &found, &err), ERR_NOTFOUND);
	arena_free(&a);
}
END_TEST

/* Node 0 deletes a row that node 1 edits meanwhile. */
static void
open_deletion(void)
{
	world_open(&w, 11, facilities);
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text, rank) VALUES (x'01', 'F1', 'was', 7)");
	world_settle(&w, 3);
	w.nodes[1].up = false;
	world_sql(&w.nodes[1], "UPDATE note SET text = 'edited'");
	ck_assert(!world_sync(&w, 1));
	world_wait(&w, 60000);
	world_sql(&w.nodes[0], "DELETE FROM note");
	ck_assert(world_sync(&w, 0));
	w.nodes[1].up = true;
	world_settle(&w, 3);
}

static struct store_value *
revive(struct world_peer *p, const struct store_conflict *c, struct sync_history **h)
{
	struct store_value *row;
	int rc = sync_history_begin(p->merge, true, h, &err);

	ck_assert_msg(rc == 0, "%s", err.msg);
	rc = sync_history_revive(
	        *h, store_catalog_table(p->merge, c->table)->local,
	        &(struct store_row){ .key = c->key, .key_len = c->key_len, .cl = c->cl }, &row,
	        &err);
	ck_assert_msg(rc == 0, "%s", err.msg);
	return row;
}

/* Values that outlive the history's look. */
static void
copy_row(const struct store_conflict *c, const struct store_value *found, struct arena *a,
         struct store_value *row)
{
	for (unsigned i = 0; i < store_catalog_table(w.hub.merge, c->table)->local->column_count;
	     i++) {
		row[i] = found[i];
		if (found[i].bytes != NULL)
			row[i].bytes = arena_copy(a, found[i].bytes, found[i].len);
	}
}

START_TEST(deleted_row_can_be_taken_back_whole)
{
	struct sync_history *h;
	struct arena a = { 0 };
	struct store_conflict conflict = the_conflict(&w.hub, &a);
	struct store_verdict v = { .conflict = &conflict, .take = STORE_TAKE_OTHER, .by = "" };
	struct store_value row[STORE_COLUMNS_MAX];
	struct store_value *found;

	ck_assert_int_eq(conflict.column, 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 0);
	found = revive(&w.hub, &conflict, &h);
	copy_row(&conflict, found, &a, row);
	sync_history_end(h);
	v.row = row;
	give(&w.hub, &v);
	world_settle(&w, 3);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		        world_int(&w.nodes[i],
		                  "SELECT count(*) FROM note WHERE text = 'edited' AND rank = 7"),
		        1);
	ck_assert_int_eq(world_int(&w.nodes[1], OPEN), 0);
	arena_free(&a);
}
END_TEST

/* Somebody makes the row anew without having heard of the edit; then it gets the edit's values. */
START_TEST(row_that_is_there_again_gets_the_lost_values)
{
	struct sync_history *h;
	struct arena a = { 0 };
	struct store_conflict conflict;
	struct store_verdict v = { .conflict = &conflict, .take = STORE_TAKE_OTHER, .by = "" };
	struct store_value row[STORE_COLUMNS_MAX];

	world_open(&w, 12, facilities);
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text, rank) VALUES (x'01', 'F1', 'was', 7)");
	world_settle(&w, 3);
	w.nodes[1].up = false;
	world_sql(&w.nodes[1], "UPDATE note SET text = 'edited'");
	ck_assert(!world_sync(&w, 1));
	world_sql(&w.nodes[0], "DELETE FROM note");
	ck_assert(world_sync(&w, 0));
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text, rank, top)"
	                       " VALUES (x'01', 'F1', 'anew', 1, 5)");
	ck_assert(world_sync(&w, 0));
	w.nodes[1].up = true;
	world_settle(&w, 3);
	conflict = the_conflict(&w.hub, &a);
	ck_assert_int_eq(conflict.column, 0);
	copy_row(&conflict, revive(&w.hub, &conflict, &h), &a, row);
	sync_history_end(h);
	v.row = row;
	give(&w.hub, &v);
	world_settle(&w, 3);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(world_int(&w.nodes[i],
		                           "SELECT count(*) FROM note WHERE"
		                           " text = 'edited' AND rank = 7 AND top = 5"),
		                 1);
	ck_assert_int_eq(world_int(&w.nodes[1], OPEN), 0);
	arena_free(&a);
}
END_TEST

static void
open_group(void)
{
	world_open(&w, 13, facilities);
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, a, b) VALUES (x'01', 'F1', 0, 0)");
	world_settle(&w, 2);
	w.nodes[0].up = false;
	world_sql(&w.nodes[0], "UPDATE note SET a = 1, b = 1");
	ck_assert(!world_sync(&w, 0));
	world_wait(&w, 60000);
	world_sql(&w.hub, "UPDATE note SET a = 2, b = 2");
	w.nodes[0].up = true;
	world_settle(&w, 3);
}

/* Height and weight are one measurement: nobody may end with one's height and another's weight. */
START_TEST(group_is_decided_as_a_whole)
{
	struct store_conflict *list;
	struct arena a = { 0 };
	struct store_verdict v = { .take = _i == 0 ? STORE_TAKE_SHOWN : STORE_TAKE_OTHER,
		                   .by = "" };
	size_t count;

	ck_assert_int_eq(store_inbox_list(w.nodes[1].local, true, &a, &list, &count, &err), 0);
	ck_assert_uint_eq(count, 2);
	v.conflict = &list[0];
	give(&w.nodes[1], &v);
	ck_assert_int_eq(world_int(&w.nodes[1], OPEN), 0);
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, OPEN), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE a = b"), 1);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT a FROM note"), _i == 0 ? 2 : 1);
	arena_free(&a);
}
END_TEST

Suite *
suite_store_verdict(void)
{
	Suite *suite = suite_create("store/verdict");
	TCase *cell = tcase_create("cell"), *row = tcase_create("row");
	TCase *again = tcase_create("again"), *group = tcase_create("group");

	tcase_add_checked_fixture(cell, open_conflict, close_world);
	tcase_add_loop_test(cell, decision_at_a_node_closes_everywhere, 0, TAKE_CASES);
	tcase_add_test(cell, a_stream_that_waits_makes_nothing_shared);
	tcase_add_test(cell, second_decision_is_refused);
	tcase_add_test(cell, conflict_is_found_by_the_beginning_of_its_id);
	suite_add_tcase(suite, cell);
	tcase_add_checked_fixture(row, open_deletion, close_world);
	tcase_add_test(row, deleted_row_can_be_taken_back_whole);
	suite_add_tcase(suite, row);
	tcase_add_checked_fixture(again, NULL, close_world);
	tcase_add_test(again, row_that_is_there_again_gets_the_lost_values);
	suite_add_tcase(suite, again);
	tcase_add_checked_fixture(group, open_group, close_world);
	tcase_add_loop_test(group, group_is_decided_as_a_whole, 0, 2);
	suite_add_tcase(suite, group);
	return suite;
}

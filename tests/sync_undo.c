/*
 * tests/sync_undo.c - what no write may change and no trigger sees: put back at
 * the seal, on every replica alike, and told.
 */
#include "store/inbox.h"
#include "sync/restore.h"
#include "sync/seal.h"
#include "tests/suites.h"
#include "tests/world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", "F2", NULL };

#define WAITING "SELECT count(*) FROM yz_quarantine WHERE dropped_ms IS NULL"

static struct world w;
static struct world_peer *const writer = &w.nodes[0], *const other = &w.nodes[1];

static void
open_world(void)
{
	world_open(&w, 21, facilities);
	world_sql(writer, "INSERT INTO note(id, facility_id, text, rank, a, b)"
	                  " VALUES (x'0b', 'F1', 'was', 1, 3, 4)");
	world_settle(&w, 2);
}

static void
close_world(void)
{
	world_close(&w);
}

static void
same_digest(const char *name, struct world_peer *p, const char *scope)
{
	char hub[33], here[33];

	world_digest(&w.hub, scope, hub);
	world_digest(p, scope, here);
	ck_assert_msg(strcmp(here, hub) == 0, "%s: %s differs", name, scope);
}

/* Do all who may see the facility's rows see the same? */
static void
same_everywhere(const char *name)
{
	static const char all[] = "SELECT * FROM note ORDER BY id";
	char *hub = world_dump(&w.hub, all);

	for (int i = 0; i < 2; i++) {
		char *rows = world_dump(&w.nodes[i], all);

		ck_assert_msg(strcmp(rows, hub) == 0, "%s: node %d has %s", name, i, rows);
		same_digest(name, &w.nodes[i], "f/F1");
		free(rows);
	}
	ck_assert_int_eq(world_int(&w.nodes[2], "SELECT count(*) FROM note"), 0);
	same_digest(name, &w.nodes[2], "f/F2");
	free(hub);
}

/* ---- a row's scope ---- */

static const struct move {
	const char *name, *sql, *right;
} moves[] = {
	{ "replaced under another scope",
	  "REPLACE INTO note(id, facility_id, text, top) VALUES (x'0b', 'F2', 'is', 5)",
	  "facility_id = 'F1' AND text = 'is' AND rank = 0 AND top = 5 AND a IS NULL" },
	{ "deleted and inserted",
	  "DELETE FROM note; INSERT INTO note(id, facility_id, text, top)"
	  " VALUES (x'0b', 'F2', 'is', 9)",
	  "facility_id = 'F1' AND text = 'is' AND top = 9" },
	{ "replaced under no scope",
	  "REPLACE INTO note(id, facility_id, text) VALUES (x'0b', '', 'is')",
	  "facility_id = 'F1' AND text = 'is'" },
	{ "replaced under what is no text",
	  "REPLACE INTO note(id, facility_id, text) VALUES (x'0b', x'4631', 'is')",
	  "facility_id = 'F1' AND text = 'is'" },
	{ "replaced under a scope of another length",
	  "REPLACE INTO note(id, facility_id, text) VALUES (x'0b', 'F11', 'is')",
	  "facility_id = 'F1' AND text = 'is'" },
};

enum { MOVES = sizeof moves / sizeof moves[0] };

static int
right_rows(struct world_peer *p, const char *right)
{
	char sql[200];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM note WHERE %s", right);
	return (int)world_int(p, sql);
}

/* By a node, then by the hub. */
START_TEST(row_stays_in_its_scope)
{
	const struct move *m = &moves[_i / 2];
	struct world_peer *by = _i % 2 == 0 ? writer : &w.hub;

	world_sql(by, m->sql);
	world_settle(&w, 2);
	ck_assert_msg(right_rows(&w.hub, m->right) == 1, "%s", m->name);
	same_everywhere(m->name);
	ck_assert_int_eq(world_int(by, WAITING), 1);
	ck_assert_int_eq(world_int(by, "SELECT count(*) FROM yz_quarantine WHERE reason LIKE"
	                               " 'note.facility_id says who may see the row%f/F1 again%'"),
	                 1);
	ck_assert_int_eq(world_int(other, WAITING), 0);
	ck_assert_int_eq(world_int(by == writer ? &w.hub : writer, WAITING), 0);
}
END_TEST

/* It is for a person to know: neither a later write nor a try takes it off the list. */
START_TEST(what_was_put_back_stays_listed)
{
	struct err err;

	world_sql(writer, moves[0].sql);
	world_settle(&w, 2);
	world_sql(writer, "UPDATE note SET text = 'later'");
	ck_assert_int_eq(store_db_begin(writer->merge, &err), 0);
	ck_assert_int_eq(store_quarantine_wake(writer->merge, STORE_QUARANTINE_ALL, &err), 0);
	ck_assert_int_eq(store_db_commit(writer->merge, &err), 0);
	world_settle(&w, 2);
	same_everywhere("later");
	ck_assert_int_eq(world_int(writer, WAITING), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'later'"), 1);
}
END_TEST

/* A file of before, in which the row went nowhere: the next write to it heals it. */
START_TEST(row_that_was_moved_before_comes_back)
{
	world_sql(writer, "REPLACE INTO note(id, facility_id, text) VALUES (x'0b', 'F2', 'is');"
	                  "DELETE FROM yz_log");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(writer, "SELECT count(*) FROM note WHERE facility_id = 'F2'"),
	                 1);
	world_sql(writer, "UPDATE note SET text = 'healed', rank = 7, a = 1, b = 2");
	world_settle(&w, 2);
	same_everywhere("healed");
}
END_TEST

/* Deleted, and everybody knows; a new life elsewhere is not theirs to see. */
START_TEST(new_life_in_another_scope_stays_here)
{
	struct world_peer *by = _i == 0 ? writer : &w.hub;

	world_sql(by, "DELETE FROM note");
	world_settle(&w, 2);
	world_sql(by, "INSERT INTO note(id, facility_id, text) VALUES (x'0b', 'F2', 'secret')");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(by, "SELECT count(*) FROM note WHERE text = 'secret'"), 1);
	ck_assert_int_eq(world_int(by, "SELECT count(*) FROM yz_quarantine WHERE reason LIKE"
	                               " '%stays here only: give it another key'"),
	                 1);
	ck_assert_int_eq(world_int(by, WAITING), 1);
	ck_assert_int_eq(world_int(other, "SELECT count(*) FROM note"), 0);
	world_sql(by, "UPDATE note SET id = x'0c'");
	world_settle(&w, 2);
	if (by == &w.hub) { /* the node may not write F2's rows at all */
		ck_assert_int_eq(
		        world_int(&w.nodes[2], "SELECT count(*) FROM note WHERE text = 'secret'"),
		        1);
		ck_assert_int_eq(world_int(by, WAITING), 0);
	}
	ck_assert_int_eq(world_int(other, "SELECT count(*) FROM note"), 0);
}
END_TEST

Suite *
suite_sync_undo(void)
{
	Suite *suite = suite_create("sync/undo");
	TCase *tc = tcase_create("scope");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, row_stays_in_its_scope, 0, 2 * MOVES);
	tcase_add_test(tc, what_was_put_back_stays_listed);
	tcase_add_test(tc, row_that_was_moved_before_comes_back);
	tcase_add_loop_test(tc, new_life_in_another_scope_stays_here, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

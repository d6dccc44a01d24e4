/*
 * tests/sync_undo.c - what no write may change and no trigger sees: put back at
 * the seal, on every replica alike, and told.
 */
#include "store/inbox.h"
#include "store/track.h"
#include "sync/seal/seal.h"
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
seal(struct world_peer *p)
{
	struct sync_sealed sealed;
	struct err err;

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(sync_seal(&p->node.r, &sealed, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
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

/* ---- events ---- */

static const struct store_track_spec happened = { .table = "happened",
	                                          .kind = STORE_EVENT,
	                                          .scope = "f/",
	                                          .scope_column = "facility_id",
	                                          .max = "top" };

/* As a program tracks it that knows no events and no scopes. */
static const struct store_track_spec anyhow = { .table = "happened",
	                                        .scope = "f/F1",
	                                        .max = "top" };

static void
make_events(struct world_peer *p, const struct store_track_spec *spec)
{
	struct err err;

	world_sql(p, "CREATE TABLE happened(child BLOB NOT NULL, day INTEGER NOT NULL,"
	             " facility_id TEXT, kind INTEGER, note TEXT DEFAULT '', top INTEGER,"
	             " PRIMARY KEY(child, day)) WITHOUT ROWID");
	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(store_track_table(p->merge, spec, p == &w.hub, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
}

static void
open_with(const struct store_track_spec *spec)
{
	open_world();
	make_events(&w.hub, &happened);
	make_events(writer, spec);
	make_events(other, &happened);
	world_sql(writer, "INSERT INTO happened VALUES (x'aa', 1, 'F1', 1, 'first', 5)");
	world_sql(other, "INSERT INTO happened VALUES (x'aa', 2, 'F1', 1, 'of another', NULL)");
	world_sql(&w.hub, "INSERT INTO happened VALUES (x'aa', 3, 'F1', 1, 'the hub''s', NULL)");
	world_settle(&w, 2);
}

static void
open_events(void)
{
	open_with(&happened);
}

static void
open_anyhow(void)
{
	open_with(&anyhow);
}

#define EVENTS "SELECT * FROM happened ORDER BY child, day"

static void
same_events(const char *name, const char *want)
{
	struct world_peer *const all[] = { &w.hub, writer, other };

	for (size_t i = 0; i < 3; i++) {
		char *rows = world_dump(all[i], EVENTS);

		ck_assert_msg(strcmp(rows, want) == 0, "%s: %s has %s", name, all[i]->path, rows);
		same_digest(name, all[i], "f/F1");
		ck_assert_int_eq(
		        world_int(all[i], "SELECT count(*) FROM yz_conflict WHERE state = 'open'"),
		        0);
		ck_assert_msg(world_int(all[i], WAITING " AND stream <> 0") == 0, "%s", name);
		free(rows);
	}
}

static const struct rewrite {
	const char *name, *sql;
	int told; /* rows that are listed as put back */
} rewrites[] = {
	{ "replaced", "REPLACE INTO happened VALUES (x'aa', 1, 'F1', 2, 'second', 5)", 1 },
	{ "all of them, twice",
	  "REPLACE INTO happened SELECT child, day, 'F1', 2, 'second', top FROM happened;"
	  "REPLACE INTO happened SELECT child, day, 'F1', 3, 'third', top FROM happened",
	  3 },
	{ "with a max column raised",
	  "REPLACE INTO happened VALUES (x'aa', 1, 'F1', 1, 'first', 6)", 1 },
	{ "with a max column left out, which stays",
	  "REPLACE INTO happened VALUES (x'aa', 1, 'F1', 1, 'first', NULL)", 0 },
	{ "with the same values", "REPLACE INTO happened SELECT * FROM happened", 0 },
	{ "under another scope", "REPLACE INTO happened VALUES (x'aa', 2, 'F2', 1, 'moved', NULL)",
	  1 },
	{ "updated without the triggers",
	  "DROP TRIGGER yz_happened_bu; DROP TRIGGER yz_happened_ai;"
	  "UPDATE happened SET kind = 7",
	  3 },
};

enum { REWRITES = sizeof rewrites / sizeof rewrites[0] };

/* By a node, then by the hub. */
START_TEST(event_is_what_it_was)
{
	const struct rewrite *c = &rewrites[_i / 2];
	struct world_peer *by = _i % 2 == 0 ? writer : &w.hub;
	char *before = world_dump(&w.hub, EVENTS);
	int64_t segments = world_int(&w.hub, "SELECT count(*) FROM yz_segment");

	world_sql(by, c->sql);
	world_settle(&w, 2);
	same_events(c->name, before);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_segment"), segments);
	ck_assert_msg(world_int(by, WAITING) == c->told, "%s", c->name);
	ck_assert_int_eq(world_int(by, "SELECT count(*) FROM yz_quarantine WHERE reason LIKE"
	                               " 'happened keeps what happened: the row is again as%'"),
	                 c->told);
	ck_assert_int_eq(world_int(other, WAITING), 0);
	free(before);
}
END_TEST

/* What was written in the same seal as the rewriting, and what two have made at once, is none. */
START_TEST(event_that_is_new_is_none_that_was_rewritten)
{
	world_sql(writer, "INSERT INTO happened VALUES (x'bb', 1, 'F1', 1, 'a', 1);"
	                  "REPLACE INTO happened VALUES (x'bb', 1, 'F1', 1, 'b', 2);"
	                  "INSERT INTO happened VALUES (x'cc', 1, 'F1', 1, 'both', 3)");
	world_wait(&w, 1000);
	world_sql(other, "INSERT INTO happened VALUES (x'cc', 1, 'F1', 1, 'both', 4)");
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM happened WHERE note = 'b'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT top FROM happened WHERE note = 'both'"), 4);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(world_int(&w.nodes[i], WAITING), 0);
		same_digest("new", &w.nodes[i], "f/F1");
	}
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
}
END_TEST

/* Where the segments are gone, a node asks the hub by sending it; the hub can ask nobody. */
START_TEST(event_without_its_history)
{
	struct world_peer *by = _i == 0 ? writer : &w.hub;
	char *before = world_dump(writer, EVENTS);

	world_sql(by, "DELETE FROM yz_segment");
	world_sql(by, "REPLACE INTO happened VALUES (x'aa', 1, 'F2', 2, 'second', 5)");
	world_sql(by, "INSERT INTO note(id, facility_id, text) VALUES (x'0c', 'F1', 'goes on')");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(other, "SELECT count(*) FROM note WHERE text = 'goes on'"), 1);
	if (_i == 0) {
		same_events("asked", before);
	} else {
		ck_assert_int_eq(
		        world_int(by, "SELECT count(*) FROM happened WHERE note = 'second'"), 1);
		ck_assert_int_eq(world_int(by, "SELECT count(*) FROM yz_quarantine WHERE n = 0 AND"
		                               " reason LIKE '%stays here only: corrections%'"),
		                 1);
		same_digest("held", writer, "f/F1");
	}
	free(before);
}
END_TEST

/* A column that is new is filled by the hub's migration, and that rewrites nothing. */
START_TEST(column_of_an_event_is_filled_by_the_hub)
{
	char *want;

	world_sql(writer, "ALTER TABLE happened ADD COLUMN more TEXT");
	world_sql(other, "ALTER TABLE happened ADD COLUMN more TEXT");
	world_sql(&w.hub, "ALTER TABLE happened ADD COLUMN more TEXT; DROP TRIGGER yz_happened_bu;"
	                  "UPDATE happened SET more = 'filled'");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM happened WHERE more = 'filled'"),
	                 3);
	want = world_dump(&w.hub, EVENTS);
	same_events("filled", want);
	ck_assert_int_eq(world_int(&w.hub, WAITING) + world_int(writer, WAITING), 0);
	free(want);
}
END_TEST

/* ---- from a program that writes what it likes ---- */

static const struct wrong {
	const char *name, *sql, *then;
	int top; /* of the first row, afterwards: what grows is let through */
} wrongs[] = {
	{ "updated", "UPDATE happened SET kind = 9", NULL, 5 },
	{ "a max column raised", "UPDATE happened SET top = 9 WHERE day = 1", NULL, 9 },
	{ "both", "UPDATE happened SET top = 9, kind = 9 WHERE day = 1", NULL, 9 },
	{ "deleted", "DELETE FROM happened", NULL, 5 },
	{ "deleted, then inserted", "DELETE FROM happened WHERE day < 3",
	  "INSERT INTO happened VALUES (x'aa', 1, 'F1', 9, 'again', 5)", 5 },
	{ "replaced", "REPLACE INTO happened VALUES (x'aa', 2, 'F1', 9, 'again', NULL)", NULL, 5 },
	{ "given another scope", "UPDATE happened SET facility_id = 'F2'", NULL, 5 },
	{ "updated, then again", "UPDATE happened SET kind = 9", "UPDATE happened SET kind = 8",
	  5 },
};

enum { WRONGS = sizeof wrongs / sizeof wrongs[0] };

START_TEST(event_is_written_back)
{
	const struct wrong *c = &wrongs[_i];
	char *want;

	world_sql(writer, c->sql);
	if (c->then != NULL) {
		seal(writer);
		world_sql(writer, c->then);
	}
	world_settle(&w, 3);
	want = world_dump(&w.hub, EVENTS);
	same_events(c->name, want);
	ck_assert_int_eq(world_int(&w.hub, "SELECT top FROM happened WHERE day = 1"), c->top);
	ck_assert_msg(world_int(&w.hub, "SELECT count(*) FROM happened WHERE kind = 1 AND"
	                                " facility_id = 'F1'") == 3,
	              "%s: %s", c->name, want);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) > 0 FROM yz_quarantine"),
	                 strcmp(c->name, "a max column raised") != 0);
	free(want);
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
	tc = tcase_create("events");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_events, close_world);
	tcase_add_loop_test(tc, event_is_what_it_was, 0, 2 * REWRITES);
	tcase_add_test(tc, event_that_is_new_is_none_that_was_rewritten);
	tcase_add_loop_test(tc, event_without_its_history, 0, 2);
	tcase_add_test(tc, column_of_an_event_is_filled_by_the_hub);
	suite_add_tcase(suite, tc);
	tc = tcase_create("written back");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_anyhow, close_world);
	tcase_add_loop_test(tc, event_is_written_back, 0, WRONGS);
	suite_add_tcase(suite, tc);
	return suite;
}

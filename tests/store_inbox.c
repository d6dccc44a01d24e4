/* tests/store_inbox.c - an older file's conflicts and quarantine are taken along. */
#include "tests/suites.h"
#include "tests/world.h"

#include "store/verdict.h"

#include <string.h>

#define OPEN "SELECT count(*) FROM yz_conflict WHERE state = 'open'"

static const char *const facilities[] = { "F1", "F1", NULL };
static struct world w;
static struct err err;

/* "facility" at node 0 met "hub" at the hub, which shows; a line that node 1 doesn't need. */
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

/* The tables as format 1 had them, with what a format 1 program wrote: of each conflict an entry
 * for every winner. */
static const char format_1[] =
        "DROP INDEX yz_quarantine_row; DROP INDEX yz_quarantine_moved;"
        "ALTER TABLE yz_quarantine DROP COLUMN moved;"
        "ALTER TABLE yz_column DROP COLUMN here;"
        "DROP TABLE yz_held;"
        "ALTER TABLE yz_quarantine DROP COLUMN dropped_ms;"
        "ALTER TABLE yz_quarantine DROP COLUMN dropped_by;"
        "INSERT INTO yz_quarantine(scope, stream, n, tbl, key, reason, since_ms, tries)"
        " VALUES (1, 1, 5, 1, x'00', 'why', 77, 3);"
        "ALTER TABLE yz_conflict RENAME TO newer;"
        "CREATE TABLE yz_conflict(id BLOB PRIMARY KEY, scope INTEGER NOT NULL, tbl INTEGER NOT"
        " NULL, key BLOB NOT NULL, col INTEGER NOT NULL, shown_stamp INTEGER NOT NULL, shown_site"
        " INTEGER NOT NULL, shown, other_stamp INTEGER NOT NULL, other_site INTEGER NOT NULL,"
        " other, at_ms INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;"
        "INSERT INTO yz_conflict SELECT x'0001', scope, tbl, key, col, shown_stamp, shown_site,"
        " shown, other_stamp, other_site, other, at_ms, state FROM newer WHERE state = 'open';"
        "INSERT INTO yz_conflict SELECT x'0002', scope, tbl, key, col, shown_stamp - 1, shown_site,"
        " 'older', other_stamp, other_site, other, at_ms - 9, 'resolved' FROM yz_conflict;"
        "DROP TABLE newer;"
        "DROP TABLE yz_rift;"
        "DROP TABLE yz_share; DROP TABLE yz_group; DROP TABLE yz_member;"
        "UPDATE yz_meta SET value = 1 WHERE name = 'format'";

static void
reopen(struct world_peer *p)
{
	struct store_db *db;

	world_sql(p, format_1);
	ck_assert_msg(store_db_open(p->path, STORE_MERGE, &p->env, &db, &err) == 0, "%s", err.msg);
	store_db_close(db);
}

START_TEST(older_file_keeps_what_is_open)
{
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count;

	reopen(&w.hub);
	ck_assert_int_eq(store_inbox_list(w.hub.local, false, &a, &list, &count, &err), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert(list[0].open);
	ck_assert_mem_eq(list[0].id, "\0\1", 2);
	ck_assert_mem_eq(list[0].shown.value.bytes, "hub", 3);
	ck_assert_mem_eq(list[0].other.value.bytes, "facility", 8);
	ck_assert_int_eq(world_int(&w.hub, "SELECT tries FROM yz_quarantine WHERE reason = 'why'"
	                                   " AND since_ms = 77 AND dropped_ms IS NULL"),
	                 3);
	arena_free(&a);
}
END_TEST

/* Its lives aren't known; the row's is taken. */
START_TEST(later_write_closes_an_older_entry)
{
	reopen(&w.hub);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'both'");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, OPEN), 0);
}
END_TEST

START_TEST(verdict_closes_an_older_entry)
{
	reopen(&w.hub);
	world_sql(&w.nodes[1], "INSERT INTO yz_verdict(conflict, scope, take, by, at)"
	                       " VALUES (x'0001', 'f/F1', 'shown', 'x', 1)");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, OPEN), 0);
}
END_TEST

START_TEST(deletion_of_the_row_makes_the_entry_one_of_the_row)
{
	w.nodes[1].up = false;
	world_sql(&w.nodes[1], "UPDATE note SET rank = 5");
	ck_assert(!world_sync(&w, 1));
	reopen(&w.hub);
	world_sql(&w.nodes[0], "DELETE FROM note");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, OPEN), 0);
	w.nodes[1].up = true;
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, OPEN " AND col = 0 AND cl = 1 AND other = 5"), 1);
}
END_TEST

Suite *
suite_store_inbox(void)
{
	Suite *suite = suite_create("store/inbox");
	TCase *tc = tcase_create("older");

	tcase_add_checked_fixture(tc, open_conflict, close_world);
	tcase_add_test(tc, older_file_keeps_what_is_open);
	tcase_add_test(tc, later_write_closes_an_older_entry);
	tcase_add_test(tc, verdict_closes_an_older_entry);
	tcase_add_test(tc, deletion_of_the_row_makes_the_entry_one_of_the_row);
	suite_add_tcase(suite, tc);
	return suite;
}

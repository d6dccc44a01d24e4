/* tests/sync_refused.c - what an entry of the quarantine says was written. */
#include "store/inbox.h"
#include "store/track.h"
#include "sync/merge/refused.h"
#include "tests/suites.h"
#include "tests/world.h"

#include <stdio.h>
#include <string.h>

static const char *const facilities[] = { "F1", NULL };

static struct world w;
static struct world_peer *const writer = &w.nodes[0];
static struct err err;
static struct arena arena;
static struct sync_refused refused;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
open_world(void)
{
	world_open(&w, 17, facilities);
}

static void
close_world(void)
{
	arena_free(&arena);
	world_close(&w);
}

/* The one entry that a peer has, with this in its reason. */
static void
read_one(struct world_peer *p, const char *reason)
{
	struct store_quarantined *list;
	size_t count;

	must(store_db_begin(p->local, &err));
	must(store_quarantine_list(p->local, true, &arena, &list, &count, &err));
	ck_assert_uint_eq(count, 1);
	ck_assert_msg(strstr(list[0].reason, reason) != NULL, "%s", list[0].reason);
	must(sync_refused_read(p->local, &list[0], &arena, &refused, &err));
	store_db_rollback(p->local);
}

static void
expect_text(size_t change, const char *column, const char *text)
{
	const struct store_change *c = &refused.changes[change];
	int at = store_schema_find(c->schema, column);

	ck_assert_int_ge(at, 0);
	ck_assert_msg((c->mask >> at & 1) != 0, "%s isn't among what was written", column);
	ck_assert_uint_eq(c->values[at].len, strlen(text));
	ck_assert_mem_eq(c->values[at].bytes, text, strlen(text));
}

static void
expect_none(const char *why)
{
	ck_assert_uint_eq(refused.count, 0);
	ck_assert_msg(strstr(refused.why, why) != NULL, "%s", refused.why);
}

/* ---- rows of this file ---- */

START_TEST(a_row_that_may_not_leave_is_told_as_it_stands)
{
	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F9', 'one')");
	ck_assert(world_sync(&w, 0));
	read_one(writer, "not ours: this node may not write rows of f/F9; the row stays here only");
	ck_assert_uint_eq(refused.count, 1);
	ck_assert_int_eq(refused.changes[0].op, STORE_INSERT);
	expect_text(0, "text", "one");

	world_sql(writer, "UPDATE note SET text = 'two'"); /* it isn't what was written then */
	read_one(writer, "not ours");
	expect_text(0, "text", "two");
	world_sql(writer, "DELETE FROM note");
	read_one(writer, "not ours");
	ck_assert_uint_eq(refused.count, 1);
	ck_assert_int_eq(refused.changes[0].op, STORE_DELETE);
}
END_TEST

START_TEST(what_was_put_back_is_not_kept)
{
	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'one')");
	ck_assert(world_sync(&w, 0));
	world_sql(writer, "REPLACE INTO note(id, facility_id, text) VALUES (x'02', 'F9', 'two')");
	ck_assert(world_sync(&w, 0));
	read_one(writer, "the row is in f/F1 again");
	expect_none("was put back at once");
}
END_TEST

/* ---- records ---- */

START_TEST(a_change_is_told_as_its_writer_wrote_it)
{
	w.spoiled = true;
	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'fine');"
	                  "INSERT INTO yz_verdict(conflict, scope, take, by, at) VALUES"
	                  " (x'00000000000000000000000000000001662f42', 'f/F1', 'shown', 'me', 1)");
	world_sync(&w, 0);
	read_one(&w.hub, "names another scope");
	ck_assert_uint_eq(refused.count, 1);
	ck_assert_str_eq(refused.changes[0].schema->table, "yz_verdict");
	ck_assert_int_gt(refused.changes[0].stamp, 0);
	expect_text(0, "take", "shown");
	expect_text(0, "by", "me");
}
END_TEST

static void
make_loose(struct world_peer *p, bool is_hub)
{
	static const struct store_track_spec loose = { .table = "loose",
		                                       .scope = "f/",
		                                       .scope_column = "facility_id" };
	char sql[200];

	snprintf(sql, sizeof sql,
	         "CREATE TABLE loose(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT, v TEXT %s,"
	         " more TEXT) WITHOUT ROWID",
	         is_hub ? "NOT NULL" : "");
	world_sql(p, sql);
	must(store_db_begin(p->merge, &err));
	must(store_track_table(p->merge, &loose, is_hub, &err));
	must(store_db_commit(p->merge, &err));
}

START_TEST(a_row_that_does_not_fit_is_told_by_its_unit)
{
	make_loose(&w.hub, true);
	make_loose(writer, false);
	world_sql(writer, "INSERT INTO loose VALUES (x'01', 'F1', NULL, 'told'),"
	                  " (x'02', 'F1', 'good', 'too')");
	ck_assert(world_sync(&w, 0));
	read_one(&w.hub, "NOT NULL");
	ck_assert_uint_eq(refused.count, 1);
	expect_text(0, "more", "told");
}
END_TEST

static bool
never(void *ctx, const struct store_site *site, const char *scope)
{
	(void)ctx;
	(void)site;
	return strcmp(scope, "f/F9") != 0;
}

START_TEST(a_whole_unit_is_told_change_by_change)
{
	w.hub.node.r.may_write = never;
	writer->node.r.may_write = NULL;
	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F9', 'one'),"
	                  " (x'03', 'F9', 'two')");
	world_sync(&w, 0);
	read_one(&w.hub, "its writer has no right to write this scope");
	ck_assert_uint_eq(refused.count, 2);
	expect_text(0, "text", "one");
	expect_text(1, "text", "two");
}
END_TEST

Suite *
suite_sync_refused(void)
{
	Suite *suite = suite_create("sync/refused");
	TCase *tc = tcase_create("refused");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, a_row_that_may_not_leave_is_told_as_it_stands);
	tcase_add_test(tc, what_was_put_back_is_not_kept);
	tcase_add_test(tc, a_change_is_told_as_its_writer_wrote_it);
	tcase_add_test(tc, a_row_that_does_not_fit_is_told_by_its_unit);
	tcase_add_test(tc, a_whole_unit_is_told_change_by_change);
	suite_add_tcase(suite, tc);
	return suite;
}

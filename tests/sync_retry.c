/* tests/sync_retry.c - what is in quarantine is tried again when its cause may have gone. */
#include "store/inbox.h"
#include "store/track.h"
#include "sync/merge/restore.h"
#include "sync/seal/seal.h"
#include "tests/suites.h"
#include "tests/world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", NULL };

#define WAITING "SELECT count(*) FROM yz_quarantine WHERE dropped_ms IS NULL"
#define TRIES "SELECT sum(tries) FROM yz_quarantine"

static struct world w;
static struct world_peer *const writer = &w.nodes[0];
static struct err err;
static bool granted; /* node 0 may write f/F2 */

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static bool (*as_ever)(void *ctx, const struct store_site *site, const char *scope);

static bool
may_write(void *ctx, const struct store_site *site, const char *scope)
{
	return (granted && strcmp(scope, "f/F2") == 0) || as_ever(ctx, site, scope);
}

static void
open_world(void)
{
	world_open(&w, 5, facilities);
	as_ever = w.hub.node.r.may_write;
	granted = false;
	w.hub.node.r.may_write = may_write;
	writer->node.r.may_write = may_write;
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

	must(store_db_begin(p->merge, &err));
	must(sync_seal(&p->node.r, &sealed, &err));
	must(store_db_commit(p->merge, &err));
}

static void
wake(struct world_peer *p, int64_t id)
{
	must(store_db_begin(p->merge, &err));
	must(store_quarantine_wake(p->merge, id, &err));
	must(store_db_commit(p->merge, &err));
	seal(p);
}

static void
same_digest(const char *scope)
{
	char here[33], hub[33];

	ck_assert_str_eq(world_digest(writer, scope, here), world_digest(&w.hub, scope, hub));
}

/* ---- rights ---- */

/* The writer doesn't ask itself; the hub keeps its units aside. */
static void
write_without_right(void)
{
	writer->node.r.may_write = NULL;
	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'one')");
	ck_assert(world_sync(&w, 0));
	world_sql(writer, "UPDATE note SET text = 'two', rank = 2");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, WAITING), 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 0);
}

START_TEST(units_are_applied_when_the_right_is_given)
{
	write_without_right();
	granted = true;
	wake(&w.hub, STORE_QUARANTINE_ALL);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'two'"), 1);
	same_digest("f/F2");
}
END_TEST

/* One of them, the later one first: the row is the same in the end. */
START_TEST(one_can_be_tried_alone)
{
	int64_t later;

	write_without_right();
	granted = true;
	later = world_int(&w.hub, "SELECT max(id) FROM yz_quarantine");
	wake(&w.hub, later);
	ck_assert_int_eq(world_int(&w.hub, "SELECT id FROM yz_quarantine"), later - 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 0); /* it has no insert */
	wake(&w.hub, later - 1);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
	same_digest("f/F2");
}
END_TEST

START_TEST(what_is_refused_again_counts_the_try_and_keeps_its_time)
{
	int64_t since;

	write_without_right();
	since = world_int(&w.hub, "SELECT min(since_ms) FROM yz_quarantine");
	world_wait(&w, 60000);
	wake(&w.hub, STORE_QUARANTINE_ALL);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 2);
	ck_assert_int_eq(world_int(&w.hub, TRIES), 4);
	ck_assert_int_eq(world_int(&w.hub, "SELECT min(since_ms) FROM yz_quarantine"), since);
	seal(&w.hub); /* nobody has asked */
	ck_assert_int_eq(world_int(&w.hub, TRIES), 4);
}
END_TEST

START_TEST(what_was_dropped_is_left_alone)
{
	int64_t conflicts, aside;

	write_without_right();
	must(store_db_begin(w.hub.merge, &err));
	must(store_quarantine_drop(w.hub.merge, 1, "director", &err));
	must(store_db_commit(w.hub.merge, &err));
	must(store_inbox_count(w.hub.local, &conflicts, &aside, &err));
	ck_assert_int_eq(aside, 1);
	granted = true;
	wake(&w.hub, STORE_QUARANTINE_ALL);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine WHERE id = 1 AND"
	                                   " dropped_by = 'director' AND dropped_ms > 0"),
	                 1);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
}
END_TEST

/* Many more than one seal tries. */
START_TEST(very_many_are_tried_one_part_after_the_other)
{
	writer->node.r.may_write = NULL;
	for (int i = 0; i < 1100; i++) {
		world_sql(writer, "INSERT INTO note(id, facility_id, text)"
		                  " VALUES (randomblob(16), 'F2', 'x')");
		if (i % 10 == 9)
			seal(writer);
	}
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 110);
	world_sql(&w.hub, "UPDATE yz_quarantine SET id = id + 5000");
	world_sql(&w.hub,
	          "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000)"
	          " INSERT INTO yz_quarantine(id, scope, stream, n, tbl, key, reason, since_ms, "
	          "tries)"
	          " SELECT i, 1, 999, i, 0, x'', 'of a stream that is gone', 1, 1 FROM c");
	granted = true;
	wake(&w.hub, STORE_QUARANTINE_ALL);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 0);
	ck_assert_int_eq(world_int(&w.hub, TRIES), 2110);
	seal(&w.hub);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 1100);
	ck_assert_int_eq(world_int(&w.hub, TRIES), 2000);
	same_digest("f/F2");
}
END_TEST

/* ---- rows written here ---- */

START_TEST(own_row_goes_when_it_may)
{
	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'mine')");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(writer, WAITING), 1);
	wake(writer, STORE_QUARANTINE_ALL);
	ck_assert_int_eq(world_int(writer, TRIES), 2);
	granted = true;
	wake(writer, STORE_QUARANTINE_ALL);
	ck_assert_int_eq(world_int(writer, WAITING), 0);
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'mine'"), 1);
	same_digest("f/F2");
}
END_TEST

START_TEST(own_row_that_was_deleted_is_no_longer_listed)
{
	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'mine')");
	ck_assert(world_sync(&w, 0));
	world_sql(writer, "DELETE FROM note");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(writer, WAITING), 0);
}
END_TEST

/* ---- tables ---- */

static void
make_loose(struct world_peer *p, bool is_hub, const char *constraint)
{
	static const struct store_track_spec loose = { .table = "loose",
		                                       .scope = "f/",
		                                       .scope_column = "facility_id" };
	char sql[200];

	snprintf(sql, sizeof sql,
	         "CREATE TABLE loose(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT, v TEXT %s)"
	         " WITHOUT ROWID",
	         constraint);
	world_sql(p, sql);
	must(store_db_begin(p->merge, &err));
	must(store_track_table(p->merge, &loose, is_hub, &err));
	must(store_db_commit(p->merge, &err));
}

static void
write_what_the_hub_cant_hold(void)
{
	make_loose(&w.hub, true, "NOT NULL");
	make_loose(writer, false, "");
	world_sql(writer, "INSERT INTO loose VALUES (x'01', 'F1', NULL), (x'02', 'F1', 'good')");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, WAITING), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM loose"), 1);
}

START_TEST(row_is_put_when_its_table_can_hold_it)
{
	write_what_the_hub_cant_hold();
	world_sql(&w.hub,
	          "ALTER TABLE loose RENAME TO old;"
	          "CREATE TABLE loose(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT, v TEXT)"
	          " WITHOUT ROWID; INSERT INTO loose SELECT * FROM old; DROP TABLE old");
	seal(&w.hub);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM loose WHERE v IS NULL"), 1);
	same_digest("f/F1");
}
END_TEST

START_TEST(row_that_a_later_write_made_fit_is_no_longer_listed)
{
	write_what_the_hub_cant_hold();
	world_sql(writer, "UPDATE loose SET v = 'late' WHERE v IS NULL");
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM loose"), 2);
}
END_TEST

START_TEST(row_that_was_deleted_meanwhile_is_no_longer_listed)
{
	write_what_the_hub_cant_hold();
	world_sql(writer, "DELETE FROM loose WHERE v IS NULL");
	ck_assert(world_sync(&w, 0));
	wake(&w.hub, STORE_QUARANTINE_ALL);
	ck_assert_int_eq(world_int(&w.hub, WAITING), 0);
}
END_TEST

/* ---- rows given up ---- */

/* The row in x'02' of note at the writer. */
static void
restore(bool want_here)
{
	static const uint8_t key[] = { 4, 1, 2 };
	struct store_row row = { .key = key, .key_len = sizeof key };
	bool is_here;

	must(store_db_begin(writer->merge, &err));
	row.table = store_catalog_table_by_name(writer->merge, "note")->id;
	must(sync_restore_row(&writer->node.r, &row, &is_here, &err));
	must(store_db_commit(writer->merge, &err));
	ck_assert(is_here == want_here);
	ck_assert_int_eq(world_int(writer, "SELECT count(*) FROM yz_log"), 0);
}

static const struct wrong_case {
	const char *name, *wrong;
} wrongs[] = {
	{ "edited", "UPDATE note SET text = 'wrong', a = 9, top = 9" },
	{ "deleted", "DELETE FROM note" },
	{ "deleted and made anew",
	  "DELETE FROM note; INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'z')" },
};

enum { WRONGS = sizeof wrongs / sizeof wrongs[0] };

/* The hub's row of another facility, which the writer once had got, and has written since. */
START_TEST(restored_row_is_the_hubs)
{
	char *before, *after;

	granted = true;
	world_sql(writer, "INSERT INTO note(id, facility_id, text, rank, top, a, b)"
	                  " VALUES (x'02', 'F2', 'right', 1, 2, 3, 4)");
	ck_assert(world_sync(&w, 0));
	world_sql(writer, "UPDATE note SET rank = 7");
	ck_assert(world_sync(&w, 0));
	before = world_dump(writer, "SELECT * FROM note");
	granted = false;
	world_sql(writer, wrongs[_i].wrong);
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(writer, WAITING), 1);
	restore(true);
	after = world_dump(writer, "SELECT * FROM note");
	ck_assert_msg(strcmp(before, after) == 0, "%s", wrongs[_i].name);
	same_digest("f/F2");
	free(before);
	free(after);
}
END_TEST

START_TEST(restored_row_that_nobody_else_has_is_gone)
{
	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'mine')");
	ck_assert(world_sync(&w, 0));
	restore(false);
	ck_assert_int_eq(world_int(writer, "SELECT count(*) FROM note"), 0);
}
END_TEST

START_TEST(row_that_was_written_again_is_not_restored)
{
	static const uint8_t key[] = { 4, 1, 2 };
	struct store_row row = { .key = key, .key_len = sizeof key };
	bool is_here;

	world_sql(writer, "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F2', 'mine')");
	ck_assert(world_sync(&w, 0));
	world_sql(writer, "UPDATE note SET text = 'again'");
	must(store_db_begin(writer->merge, &err));
	row.table = store_catalog_table_by_name(writer->merge, "note")->id;
	ck_assert_int_eq(sync_restore_row(&writer->node.r, &row, &is_here, &err), ERR_INVALID);
	store_db_rollback(writer->merge);
	ck_assert_int_eq(world_int(writer, "SELECT count(*) FROM note WHERE text = 'again'"), 1);
}
END_TEST

Suite *
suite_sync_retry(void)
{
	Suite *suite = suite_create("sync/retry");
	TCase *tc = tcase_create("quarantine");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, units_are_applied_when_the_right_is_given);
	tcase_add_test(tc, one_can_be_tried_alone);
	tcase_add_test(tc, what_is_refused_again_counts_the_try_and_keeps_its_time);
	tcase_add_test(tc, what_was_dropped_is_left_alone);
	tcase_add_test(tc, very_many_are_tried_one_part_after_the_other);
	tcase_add_test(tc, own_row_goes_when_it_may);
	tcase_add_test(tc, own_row_that_was_deleted_is_no_longer_listed);
	tcase_add_test(tc, row_is_put_when_its_table_can_hold_it);
	tcase_add_test(tc, row_that_a_later_write_made_fit_is_no_longer_listed);
	tcase_add_test(tc, row_that_was_deleted_meanwhile_is_no_longer_listed);
	tcase_add_loop_test(tc, restored_row_is_the_hubs, 0, WRONGS);
	tcase_add_test(tc, restored_row_that_nobody_else_has_is_gone);
	tcase_add_test(tc, row_that_was_written_again_is_not_restored);
	suite_add_tcase(suite, tc);
	return suite;
}

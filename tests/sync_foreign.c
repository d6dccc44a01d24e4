/*
 * tests/sync_foreign.c - another program writes the tracked tables while records
 * are being merged: a child process with a connection of its own, in its own
 * time, between any two steps.
 *
 * It commits before a merge begins, is refused (busy) while one runs, commits
 * between two merges and after a failed begin.  Nothing of it is lost, no foreign
 * cell is written while its entries wait in yz_log, all replicas end up the same.
 */
#include "store/stmt.h"
#include "sync/seal/seal.h"
#include "tests/parcels.h"
#include "tests/suites.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const facilities[] = { "F1", "F1", NULL };

static struct world w;
static struct parcels parcels;
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

/*
 * ---- the other program ----
 *
 * It is forked before this process opens its first file: what SQLite remembers of
 * a file's locks must not be shared.  It opens the file anew for each write and
 * doesn't wait for anybody.
 */

struct wish {
	char path[256], sql[400];
	int64_t wall_ms;
};

static int wishes[2], answers[2];
static pid_t writer;
static int64_t writer_ms;

static int
writer_now(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
	(void)vfs;
	*now = writer_ms + 210866760000000; /* ms since the Julian epoch */
	return SQLITE_OK;
}

static int
grant(const struct wish *wish)
{
	sqlite3 *db = NULL;
	int status = sqlite3_open_v2(wish->path, &db, SQLITE_OPEN_READWRITE, "writer");

	writer_ms = wish->wall_ms;
	if (status == SQLITE_OK)
		status = sqlite3_exec(db, wish->sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return status;
}

static void
be_the_writer(void)
{
	sqlite3_vfs vfs = *sqlite3_vfs_find(NULL);
	struct wish wish;

	vfs.zName = "writer";
	vfs.xCurrentTimeInt64 = writer_now;
	sqlite3_vfs_register(&vfs, 0);
	close(wishes[1]);
	while (read(wishes[0], &wish, sizeof wish) == (ssize_t)sizeof wish) {
		int status = grant(&wish);

		if (write(answers[1], &status, sizeof status) != (ssize_t)sizeof status)
			break;
	}
	_exit(0);
}

/* SQLite's code for it. */
static int
foreign(const struct world_peer *p, const char *sql)
{
	struct wish wish = { .wall_ms = w.wall_ms };
	int status = -1;

	snprintf(wish.path, sizeof wish.path, "%s", p->path);
	snprintf(wish.sql, sizeof wish.sql, "%s", sql);
	ck_assert_int_eq(write(wishes[1], &wish, sizeof wish), (ssize_t)sizeof wish);
	ck_assert_int_eq(read(answers[0], &status, sizeof status), (ssize_t)sizeof status);
	return status;
}

/* ---- */

static sqlite3 *
        merging; /* node 0's MERGE connection: the second to its file, after the one that made it */
static int opened;

static int
note_connection(sqlite3 *db, const char **words, const struct sqlite3_api_routines *api)
{
	const char *path = sqlite3_db_filename(db, "main");

	(void)words;
	(void)api;
	if (path != NULL && strstr(path, "/node0.db") != NULL && ++opened == 2)
		merging = db;
	return SQLITE_OK;
}

static void
open_world(void)
{
	ck_assert_int_eq(pipe(wishes), 0);
	ck_assert_int_eq(pipe(answers), 0);
	writer = fork();
	ck_assert_int_ge(writer, 0);
	if (writer == 0)
		be_the_writer();
	opened = 0;
	ck_assert_int_eq(sqlite3_auto_extension((void (*)(void))note_connection), SQLITE_OK);
	world_open(&w, 51, facilities);
	sqlite3_reset_auto_extension();
	ck_assert_int_eq(opened, 3);
}

static void
close_world(void)
{
	parcels_free(&parcels);
	world_close(&w);
	close(wishes[0]);
	close(wishes[1]);
	ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
	close(answers[0]);
	close(answers[1]);
}

static int writes; /* that were committed */

static int
foreign_note(const struct world_peer *p)
{
	char sql[256];
	int status;

	snprintf(sql, sizeof sql,
	         "INSERT INTO note(id, facility_id, text, rank) VALUES (x'f0%04x', 'F1', "
	         "'foreign', %d);"
	         "UPDATE note SET rank = rank + 1, text = text || '+' WHERE id = x'01'",
	         writes, writes);
	status = foreign(p, sql);
	writes += status == SQLITE_OK;
	return status;
}

/* ---- between the statements of a merge ---- */

static struct world_peer *watched;
static int busy, steps;

static int
at_each_step(void *ctx)
{
	(void)ctx;
	if (++steps % 4 == 0 && foreign_note(watched) == SQLITE_BUSY)
		busy++;
	return 0;
}

static void
same_as_hub(struct world_peer *p)
{
	static const char notes[] =
	        "SELECT id, facility_id, text, rank, top, a, b FROM note ORDER BY id";
	char *want = world_dump(&w.hub, notes), *got = world_dump(p, notes);
	char hub[33], other[33];

	ck_assert_str_eq(got, want);
	world_digest(&w.hub, "f/F1", hub);
	ck_assert_str_eq(world_digest(p, "f/F1", other), hub);
	free(want);
	free(got);
}

static void
same_everywhere(void)
{
	for (int i = 0; i < w.node_count; i++)
		same_as_hub(&w.nodes[i]);
}

/* What the hub sends node 0 while the other program keeps writing node 0's file. */
static void
prepare(int segments)
{
	world_sql(&w.nodes[1],
	          "INSERT INTO note(id, facility_id, text, rank) VALUES (x'01', 'F1', 'one', 0)");
	ck_assert(world_sync(&w, 1));
	ck_assert(world_sync(&w, 0));
	for (int i = 0; i < segments; i++) {
		char sql[160];

		world_wait(&w, 1000);
		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, text) VALUES (x'02%02x', 'F1', 'from "
		         "the other');"
		         "UPDATE note SET text = 'other %d' WHERE id = x'01'",
		         i, i);
		world_sql(&w.nodes[1], sql);
		ck_assert(world_sync(&w, 1));
	}
	parcels_pack(&w, &w.hub, PARCELS_WHOLE, &parcels);
	writes = busy = steps = 0;
}

static void
expect_nothing_lost(void)
{
	world_settle(&w, 3);
	same_everywhere();
	ck_assert_int_gt(writes, 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'foreign'"),
	                 writes);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM yz_log"), 0);
}

START_TEST(writes_between_begin_and_end_are_kept_off)
{
	struct world_peer *p = &w.nodes[0];
	struct sync_ingested got;

	prepare(6);
	for (size_t i = 0; i < parcels.count; i++) {
		struct rd bytes = rd_from(parcels.items[i].bytes.bytes, parcels.items[i].bytes.len);
		int64_t waiting;

		ck_assert_int_eq(foreign_note(p), SQLITE_OK); /* before begin */
		must(sync_ingest_begin(&p->node.r, &err));
		ck_assert_int_eq(foreign_note(p), SQLITE_BUSY);
		must(store_stmt_int(p->merge, "SELECT count(*) FROM yz_log", -1, &waiting, &err));
		ck_assert_int_eq(waiting, 0);
		must(sync_ingest_full(&p->node.r, &bytes, false, &got, &err));
		ck_assert_int_eq(foreign_note(p), SQLITE_BUSY); /* between the merge and its end */
		must(store_stmt_int(p->merge, "SELECT count(*) FROM yz_log", -1, &waiting, &err));
		ck_assert_int_eq(waiting, 0);
		if (i % 3 == 2)
			sync_ingest_abort(&p->node.r);
		else
			must(sync_ingest_end(&p->node.r, &err));
		ck_assert_int_eq(foreign_note(p), SQLITE_OK); /* after it, whatever its end was */
	}
	expect_nothing_lost();
}
END_TEST

START_TEST(begin_that_meets_a_writer_fails_and_harms_nothing)
{
	struct world_peer *p = &w.nodes[0];
	char *before, *after;

	prepare(2);
	sqlite3_busy_timeout(merging, 20);
	ck_assert_int_eq(foreign_note(p), SQLITE_OK); /* waits in the log */
	must(store_db_begin(p->local, &err));         /* somebody writes for long */
	before = parcels_dump_file(p);
	ck_assert_int_eq(sync_ingest_begin(&p->node.r, &err), ERR_BUSY);
	ck_assert(!store_db_in_transaction(p->merge));
	after = parcels_dump_file(p);
	ck_assert(strcmp(before, after) == 0);
	store_db_rollback(p->local);
	ck_assert_int_eq(foreign_note(p), SQLITE_OK); /* after the failed one */
	for (size_t i = 0; i < parcels.count; i++)
		parcel_deliver(p, &parcels.items[i], true);
	expect_nothing_lost();
	free(before);
	free(after);
}
END_TEST

/* At every 100th instruction of SQLite's machine, in whichever statement of whatever step. */
START_TEST(writes_between_any_two_statements)
{
	struct world_peer *p = &w.nodes[0];

	prepare(4);
	watched = p;
	sqlite3_progress_handler(merging, 25, at_each_step, NULL);
	for (size_t i = 0; i < parcels.count; i++) {
		ck_assert_int_eq(foreign_note(p), SQLITE_OK);
		parcel_deliver(p, &parcels.items[i], true);
	}
	for (int i = 0; i < 3; i++)
		ck_assert(world_sync(&w, 0));
	sqlite3_progress_handler(merging, 0, NULL, NULL);
	ck_assert_int_gt(busy, 10); /* it did meet the merge */
	expect_nothing_lost();
}
END_TEST

Suite *
suite_sync_foreign(void)
{
	Suite *suite = suite_create("sync/foreign");
	TCase *tc = tcase_create("another_program");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, writes_between_begin_and_end_are_kept_off);
	tcase_add_test(tc, begin_that_meets_a_writer_fails_and_harms_nothing);
	tcase_add_test(tc, writes_between_any_two_statements);
	suite_add_tcase(suite, tc);
	return suite;
}

/*
 * tests/disk_laws.c - the disk of the crash loops and the simulator keeps its own
 * promises: what was synced stays, what wasn't may go, and it is the same again
 * from the same seed.
 */
#include "tests/disk.h"
#include "tests/suites.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static struct disk *d;
static uint64_t dice;

static int64_t
wall(void *ctx)
{
	(void)ctx;
	return 1772438400000; /* 2026-03-02T08:00:00Z */
}

static void
roll(void *ctx, void *bytes, size_t len)
{
	uint8_t *b = bytes;

	(void)ctx;
	while (len-- > 0) {
		dice = dice * 6364136223846793005U + 1442695040888963407U;
		*b++ = (uint8_t)(dice >> 56);
	}
}

static void
insert_disk(void)
{
	static const struct disk_host host = { .wall_ms = wall, .rand = roll };

	dice = 1;
	d = disk_new("disk", &host);
}

static void
remove_disk(void)
{
	disk_free(d);
}

/* A connection as the store has it. */
static sqlite3 *
connect_to(const char *name)
{
	sqlite3 *db;

	ck_assert_int_eq(
	        sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk_vfs(d)),
	        SQLITE_OK);
	sqlite3_exec(db,
	             "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	             "PRAGMA wal_autocheckpoint=0",
	             NULL, NULL, NULL);
	return db;
}

static int
run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int
number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	int value = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		value = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return value;
}

static void
expect_whole(sqlite3 *db)
{
	ck_assert_int_eq(number(db, "SELECT count(*) FROM pragma_integrity_check "
	                            "WHERE integrity_check = 'ok'"),
	                 1);
}

#define FILL                                                                                       \
	"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200)"            \
	" INSERT INTO t SELECT i, randomblob(100) FROM c"

START_TEST(two_connections_see_each_other)
{
	sqlite3 *a = connect_to("x.db"), *b = connect_to("x.db");

	ck_assert_int_eq(run(a, "CREATE TABLE t(i, v);" FILL), SQLITE_OK);
	ck_assert_int_eq(number(b, "SELECT count(*) FROM t"), 200);
	ck_assert_int_eq(run(a, "BEGIN IMMEDIATE"), SQLITE_OK);
	ck_assert_int_eq(run(b, "BEGIN IMMEDIATE"), SQLITE_BUSY);
	ck_assert_int_eq(run(a, "DELETE FROM t; COMMIT"), SQLITE_OK);
	ck_assert_int_eq(run(b, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1, 1); COMMIT"), SQLITE_OK);
	ck_assert_int_eq(number(a, "SELECT count(*) FROM t"), 1);
	ck_assert_int_eq(run(b, "PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
	expect_whole(a);
	sqlite3_close(a);
	expect_whole(b);
	sqlite3_close(b);
	ck_assert_int_eq(disk_size(d, "x.db-wal"), -1);
}
END_TEST

START_TEST(committed_stays_through_every_damage)
{
	for (int i = 0; i < DISK_DAMAGES * 4; i++) {
		char name[32];
		sqlite3 *db;

		snprintf(name, sizeof name, "%d.db", i);
		db = connect_to(name);
		ck_assert_int_eq(run(db, "CREATE TABLE t(i, v);" FILL), SQLITE_OK);
		run(db, "BEGIN; UPDATE t SET v = randomblob(400); PRAGMA cache_spill = 5");
		disk_cut(d);
		sqlite3_close(db);
		disk_reboot(d, (enum disk_damage)(i % DISK_DAMAGES), (uint64_t)i);
		db = connect_to(name);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM t WHERE length(v) = 100"), 200);
		expect_whole(db);
		sqlite3_close(db);
	}
}
END_TEST

START_TEST(unsynced_may_go)
{
	sqlite3 *db = connect_to("x.db");

	ck_assert_int_eq(run(db, "CREATE TABLE t(i, v); PRAGMA synchronous=OFF;" FILL), SQLITE_OK);
	disk_cut(d);
	sqlite3_close(db);
	disk_reboot(d, DISK_LOST, 1);
	db = connect_to("x.db");
	ck_assert_int_eq(number(db, "SELECT count(*) FROM t"), 0);
	expect_whole(db);
	sqlite3_close(db);
}
END_TEST

START_TEST(a_liar_loses_what_was_committed)
{
	struct disk_device liar = { .seed = 1, .lie_permille = 1000 };
	sqlite3 *db = connect_to("x.db");

	ck_assert_int_eq(run(db, "CREATE TABLE t(i, v)"), SQLITE_OK);
	disk_set_device(d, &liar);
	ck_assert_int_eq(run(db, FILL), SQLITE_OK);
	disk_cut(d);
	sqlite3_close(db);
	disk_reboot(d, DISK_LOST, 1);
	ck_assert_uint_gt(disk_counts(d)->lies, 0);
	db = connect_to("x.db");
	ck_assert_int_eq(number(db, "SELECT count(*) FROM t"), 0);
	sqlite3_close(db);
}
END_TEST

START_TEST(a_liar_in_order_goes_back_to_what_once_was)
{
	struct disk_device liar = { .lie_permille = 800, .in_order = true };
	int lost = 0;

	for (liar.seed = 1; liar.seed <= 20; liar.seed++) {
		char name[32], sql[96];
		int64_t there;
		sqlite3 *db;

		snprintf(name, sizeof name, "%d.db", (int)liar.seed);
		db = connect_to(name);
		ck_assert_int_eq(run(db, "CREATE TABLE t(i INTEGER PRIMARY KEY)"), SQLITE_OK);
		disk_set_device(d, &liar);
		for (int i = 1; i <= 30; i++) {
			snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d);%s", i,
			         i % 7 == 0 ? "PRAGMA wal_checkpoint(TRUNCATE)" : "");
			ck_assert_int_eq(run(db, sql), SQLITE_OK);
		}
		disk_cut(d);
		sqlite3_close(db);
		disk_reboot(d, DISK_LOST, liar.seed);
		db = connect_to(name);
		there = number(db, "SELECT count(*) FROM t");
		ck_assert_int_eq(number(db, "SELECT ifnull(max(i), 0) FROM t"), there);
		expect_whole(db);
		sqlite3_close(db);
		lost += there < 30;
	}
	ck_assert_int_gt(lost, 0);
}
END_TEST

START_TEST(failed_sync_is_never_made_up_for)
{
	sqlite3 *db = connect_to("x.db");

	ck_assert_int_eq(run(db, "CREATE TABLE t(i, v)"), SQLITE_OK);
	for (uint64_t at = 0;; at++) {
		bool hit;

		disk_arm(d, DISK_ERROR, at, false);
		run(db, "INSERT INTO t VALUES (1, 2)");
		hit = disk_disarm(d);
		if (!hit)
			break;
	}
	ck_assert_uint_gt(disk_counts(d)->errors, 2);
	disk_cut(d);
	sqlite3_close(db);
	disk_reboot(d, DISK_LOST, 1);
	db = connect_to("x.db");
	expect_whole(db);
	ck_assert_int_ge(number(db, "SELECT count(*) FROM t"), 1);
	sqlite3_close(db);
}
END_TEST

START_TEST(full_disk_takes_no_more_and_then_goes_on)
{
	struct disk_device small = { .quota = 40000 }, large = { 0 };
	sqlite3 *db = connect_to("x.db");

	ck_assert_int_eq(run(db, "CREATE TABLE t(i, v)"), SQLITE_OK);
	disk_set_device(d, &small);
	ck_assert_int_eq(run(db, FILL), SQLITE_FULL);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM t"), 0);
	disk_set_device(d, &large);
	ck_assert_int_eq(run(db, FILL), SQLITE_OK);
	expect_whole(db);
	sqlite3_close(db);
}
END_TEST

START_TEST(rot_is_seen)
{
	struct disk_device old = { .seed = 3, .rot_permille = 1000 }, good = { 0 };
	sqlite3 *db = connect_to("x.db");

	ck_assert_int_eq(run(db, "CREATE TABLE t(i PRIMARY KEY, v);" FILL), SQLITE_OK);
	sqlite3_close(db);
	disk_set_device(d, &old);
	db = connect_to("x.db");
	number(db, "SELECT sum(length(v)) FROM t");
	disk_set_device(d, &good);
	ck_assert_uint_gt(disk_counts(d)->rotten, 0);
	sqlite3_close(db);
}
END_TEST

/* A fingerprint of a run that is cut at its 20th change. */
static int
cut_at_twenty(uint64_t seed)
{
	sqlite3 *db;
	int rows;

	disk_seed_sqlite(d);
	db = connect_to("x.db");
	run(db, "CREATE TABLE t(i, v)");
	disk_arm(d, DISK_CRASH, 20, true);
	for (int i = 0; i < 20; i++)
		run(db, "INSERT INTO t VALUES (1, randomblob(700))");
	ck_assert(disk_disarm(d));
	sqlite3_close(db);
	disk_reboot(d, DISK_SHORN, seed);
	db = connect_to("x.db");
	expect_whole(db);
	rows = number(db, "SELECT count(*) * 1000 + sum(unicode(hex(v))) FROM t");
	sqlite3_close(db);
	return rows;
}

START_TEST(same_seed_same_disk)
{
	int first = cut_at_twenty(9);

	ck_assert_int_gt(first, 1000);
	remove_disk();
	insert_disk();
	ck_assert_int_eq(cut_at_twenty(9), first);
}
END_TEST

START_TEST(a_copy_holds_what_the_disk_holds)
{
	static const struct disk_host host = { .wall_ms = wall, .rand = roll };
	struct disk *was = d;
	sqlite3 *db = connect_to("x.db");

	ck_assert_int_eq(run(db, "CREATE TABLE t(i, v);" FILL), SQLITE_OK);
	d = disk_new("copy", &host);
	disk_copy(d, was);
	sqlite3_close(db);
	disk_free(was);
	ck_assert_int_gt(disk_size(d, "x.db-wal"), 0);
	db = connect_to("x.db");
	ck_assert_int_eq(number(db, "SELECT count(*) FROM t"), 200);
	expect_whole(db);
	sqlite3_close(db);
	ck_assert(disk_remove(d, "x.db"));
	ck_assert(!disk_flip(d, "x.db", 0));
}
END_TEST

Suite *
suite_disk(void)
{
	Suite *suite = suite_create("tests/disk");
	TCase *tcase = tcase_create("disk");

	tcase_add_checked_fixture(tcase, insert_disk, remove_disk);
	tcase_add_test(tcase, two_connections_see_each_other);
	tcase_add_test(tcase, committed_stays_through_every_damage);
	tcase_add_test(tcase, unsynced_may_go);
	tcase_add_test(tcase, a_liar_loses_what_was_committed);
	tcase_add_test(tcase, a_liar_in_order_goes_back_to_what_once_was);
	tcase_add_test(tcase, failed_sync_is_never_made_up_for);
	tcase_add_test(tcase, full_disk_takes_no_more_and_then_goes_on);
	tcase_add_test(tcase, rot_is_seen);
	tcase_add_test(tcase, same_seed_same_disk);
	tcase_add_test(tcase, a_copy_holds_what_the_disk_holds);
	suite_add_tcase(suite, tcase);
	return suite;
}

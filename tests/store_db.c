/* tests/store_db.c - which SQLite we run with, and what a person may write. */
#include "tests/suites.h"

#include "store/base/buf.h"
#include "store/base/file.h"
#include "store/db.h"
#include "store/protect.h"
#include "store/stmt.h"
#include "tests/capture_help.h"

#include <string.h>

static const struct version_case {
	int version, rc;
	const char *said; /* how it is called in the sentence */
} version_cases[] = {
	{ 3040001, ERR_INVALID, "SQLite 3.40.1 can lose commits" },
	{ 3051002, ERR_INVALID, "SQLite 3.51.2 can lose commits" },
	{ 3051003, 0, NULL },
	{ 3053002, 0, NULL },
};

enum { VERSION_CASES = sizeof version_cases / sizeof version_cases[0] };

START_TEST(sqlite_with_the_wal_reset_bug_is_refused)
{
	const struct version_case *c = &version_cases[_i];
	struct err err = { 0 };

	ck_assert_int_eq(store_db_check_version(c->version, &err), c->rc);
	if (c->said != NULL)
		ck_assert_msg(strstr(err.msg, c->said) == err.msg, "%s", err.msg);
}
END_TEST

/* Of a fresh database with a table t of a person. */
static const struct protect_case {
	const char *sql;
	const char *refused; /* what the sentence names; NULL: it runs */
} protect_cases[] = {
	{ "DROP TABLE yz_log", "yz_log" },
	{ "DELETE FROM yz_segment", "yz_segment" },
	{ "DELETE FROM YZ_Segment WHERE id = 1", "yz_segment" },
	{ "INSERT INTO yz_meta VALUES ('node', x'00')", "yz_meta" },
	{ "UPDATE main.yz_meta SET value = 1", "yz_meta" },
	{ "ALTER TABLE yz_log RENAME TO mine", "yz_log" },
	{ "CREATE INDEX i ON yz_log(tv)", "yz_log" },
	{ "CREATE TABLE yz_new(a)", "yz_new" },
	{ "CREATE TABLE hub_node(a)", "hub_node" },
	{ "CREATE TEMP TABLE yz_log(a)", "yz_log" },
	{ "DROP TABLE yz_verdict", "yz_verdict" },
	/* around the corner */
	{ "CREATE TRIGGER yz_t_x AFTER INSERT ON t BEGIN DELETE FROM yz_log; END", "yz_t_x" },
	{ "CREATE TRIGGER x AFTER INSERT ON yz_log BEGIN DELETE FROM t; END", "yz_log" },
	{ "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM yz_log; END;"
	  "INSERT INTO t VALUES (1)",
	  "yz_log" },
	{ "WITH w AS (SELECT 1) DELETE FROM yz_log", "yz_log" },
	{ "PRAGMA writable_schema = 1; DELETE FROM sqlite_schema", "sqlite_master" },
	/* what is a person's */
	{ "SELECT * FROM yz_log, yz_segment", NULL },
	{ "INSERT INTO t SELECT count(*) FROM yz_log; UPDATE t SET a = 2; DELETE FROM t", NULL },
	{ "ALTER TABLE t ADD COLUMN b; CREATE INDEX i ON t(b); DROP TABLE t", NULL },
	{ "CREATE TABLE yzlog(a); CREATE VIEW hubs AS SELECT * FROM yz_site", NULL },
	{ "INSERT INTO yz_verdict(conflict, scope, take, by, at) VALUES (x'00', 'all', 'shown', "
	  "'', 1)",
	  NULL },
};

enum { PROTECT_CASES = sizeof protect_cases / sizeof protect_cases[0] };

START_TEST(engine_tables_can_be_read_and_not_written)
{
	const struct protect_case *c = &protect_cases[_i];
	struct store_db *db = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(store_db_open(":memory:", STORE_LOCAL, env_real(), &db, &err), 0);
	ck_assert_int_eq(store_db_exec(db, "CREATE TABLE t(a)", &err), 0);
	store_protect_engine(db);
	ck_assert_msg(store_db_exec(db, c->sql, &err) == (c->refused == NULL ? 0 : ERR_INVALID),
	              "%s: %s", c->sql, err.msg);
	if (c->refused != NULL)
		ck_assert_msg(strstr(err.msg, c->refused) != NULL, "%s: %s", c->sql, err.msg);
	store_db_close(db);
}
END_TEST

/* Of a file with tables t (tracked) and loose, and a trigger and a view. */
static const struct {
	const char *sql;
	const char *refused; /* what the sentence says; NULL: it may run */
} count_on_cases[] = {
	{ "DROP TABLE t", "t is tracked, " },
	{ "  /* so */ drop table if exists main.\"T\";", "T is tracked, " },
	{ "ALTER TABLE t RENAME TO u", "t is tracked, " },
	{ "ALTER TABLE t RENAME COLUMN c TO d", "t is tracked, " },
	{ "ALTER TABLE t DROP c", "t is tracked, " },
	{ "DROP TRIGGER yz_t_au", "yz_t_au is yizhan's own" },
	{ "DROP TRIGGER needed", "the program itself uses needed" },
	{ "DROP VIEW Needed", "the program itself uses Needed" },
	{ "ALTER TABLE needed RENAME TO n", "the program itself uses needed" },
	/* what everybody may */
	{ "ALTER TABLE t ADD COLUMN d", NULL },
	{ "ALTER TABLE needed ADD d", NULL },
	{ "DROP TABLE loose", NULL },
	{ "ALTER TABLE loose RENAME TO looser", NULL },
	{ "DROP TRIGGER mine", NULL },
	{ "DROP INDEX t_c", NULL },
	{ "DELETE FROM t", NULL },
	{ "SELECT 'DROP TABLE t'", NULL },
};

static bool
is_needed(const char *name)
{
	return strcasecmp(name, "needed") == 0;
}

START_TEST(what_others_count_on_stays)
{
	capture_exec(
	        "CREATE TABLE t(a INTEGER NOT NULL PRIMARY KEY, c TEXT); CREATE TABLE loose(a)");
	capture_track(&(struct store_track_spec){ .table = "t", .scope = "all" }, false);
	for (size_t i = 0; i < sizeof count_on_cases / sizeof count_on_cases[0]; i++) {
		const char *sql = count_on_cases[i].sql, *refused = count_on_cases[i].refused;
		int rc;

		capture_err = (struct err){ 0 };
		rc = store_protect_check(capture_local, sql, is_needed, &capture_err);
		ck_assert_msg(rc == (refused == NULL ? 0 : ERR_INVALID), "%s: %s", sql,
		              capture_err.msg);
		ck_assert_msg(refused == NULL ||
		                      strncmp(capture_err.msg, refused, strlen(refused)) == 0,
		              "%s: %s", sql, capture_err.msg);
	}
}
END_TEST

/* Whole pages become free, which an SQLite that forgets fast leaves as they were. */
START_TEST(what_is_deleted_is_gone_from_the_file)
{
	static const char canary[] = "canary_9e1c44";
	struct buf file = { 0 };
	int left;

	capture_exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);"
	             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500)"
	             " INSERT INTO t SELECT i, 'canary_9e1c44' || i FROM n");
	ck_assert_int_eq(store_db_checkpoint(capture_local, 0, &left, &capture_err), 0);
	ck_assert_int_eq(file_read(capture_path("x.db"), 1 << 20, &file, &capture_err), 0);
	ck_assert_ptr_nonnull(memmem(file.bytes, file.len, canary, sizeof canary - 1));
	capture_exec("DELETE FROM t WHERE a > 10; DELETE FROM t");
	ck_assert_int_eq(store_db_checkpoint(capture_local, 0, &left, &capture_err), 0);
	buf_clear(&file);
	ck_assert_int_eq(file_read(capture_path("x.db"), 1 << 20, &file, &capture_err), 0);
	ck_assert_ptr_null(memmem(file.bytes, file.len, canary, sizeof canary - 1));
	buf_clear(&file);
	ck_assert_int_eq(file_read(capture_path("x.db-wal"), 1 << 20, &file, &capture_err), 0);
	ck_assert_ptr_null(memmem(file.bytes, file.len, canary, sizeof canary - 1));
	buf_free(&file);
}
END_TEST

/* A disk that is full is told from one that is broken, and ends the transaction like that. */
START_TEST(a_full_disk_has_a_code_of_its_own)
{
	struct store_db *db = NULL;
	struct err err = { 0 };
	int64_t n = 0;

	ck_assert_int_eq(store_db_open(":memory:", STORE_LOCAL, env_real(), &db, &err), 0);
	ck_assert_int_eq(store_db_exec(db, "CREATE TABLE t(a)", &err), 0);
	ck_assert_int_eq(store_stmt_int(db, "PRAGMA max_page_count = 1", 0, &n, &err), 0);
	ck_assert_int_eq(store_db_begin(db, &err), 0);
	ck_assert_int_eq(store_db_exec(db, "INSERT INTO t VALUES (1)", &err), 0);
	ck_assert_int_eq(store_db_exec(db, "INSERT INTO t VALUES (zeroblob(100000))", &err),
	                 ERR_FULL);
	ck_assert_int_eq(store_db_exec(db, "INSERT INTO t VALUES (2)", &err), ERR_FULL);
	ck_assert_int_eq(store_db_commit(db, &err), ERR_FULL);
	store_db_rollback(db);
	ck_assert_int_eq(store_stmt_int(db, "SELECT count(*) FROM t", -1, &n, &err), 0);
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(store_stmt_int(db, "PRAGMA max_page_count = 100000", 0, &n, &err), 0);
	ck_assert_int_eq(store_db_exec(db, "INSERT INTO t VALUES (zeroblob(100000))", &err), 0);
	store_db_close(db);
}
END_TEST

Suite *
suite_store_db(void)
{
	Suite *suite = suite_create("store/db");
	TCase *tcase = tcase_create("db");

	tcase_add_loop_test(tcase, sqlite_with_the_wal_reset_bug_is_refused, 0, VERSION_CASES);
	tcase_add_loop_test(tcase, engine_tables_can_be_read_and_not_written, 0, PROTECT_CASES);
	tcase_add_test(tcase, a_full_disk_has_a_code_of_its_own);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("file");
	tcase_add_checked_fixture(tcase, capture_open, capture_close);
	tcase_add_test(tcase, what_others_count_on_stays);
	tcase_add_test(tcase, what_is_deleted_is_gone_from_the_file);
	suite_add_tcase(suite, tcase);
	return suite;
}

/*
 * tests/store_alter.c - schema files: what they may say, what it does to the one
 * file, and what is refused with which words.
 */
#include "tests/capture_help.h"
#include "tests/suites.h"

#include "store/alter.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char *const group_ab[] = { "a,b", NULL };
static const struct store_track_spec spec_t = { "t", 0, "all", NULL, "top", "h", group_ab, false };

static const char make_t[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT, top INTEGER, "
                             "h TEXT, a INTEGER, b INTEGER);"
                             "CREATE TABLE plain(x, y)";

static bool
is_fixed(const char *table)
{
	return strcmp(table, "fixed") == 0;
}

/* "-- yizhan track T [MAX]". */
static int
obey(void *ctx, struct store_db *db, const char *words, struct err *err)
{
	struct store_track_spec spec = { .scope = "all" };
	char table[32], max[32];
	int count = sscanf(words, "track %31s %31s", table, max);

	(void)ctx;
	spec.table = table;
	spec.max = count == 2 ? max : NULL;
	if (count < 1)
		return err_set(err, ERR_INVALID, "what is \"%s\"?", words);
	return store_track_table(db, &spec, false, err);
}

static void
open_t(void)
{
	capture_open();
	capture_exec(make_t);
	capture_track(&spec_t, false);
	capture_exec("INSERT INTO t(id, text, top, a, b) VALUES (1, 'one', 5, 1, 1), "
	             "(2, 'two', 6, 2, 2)");
	capture_seal();
}

/* Run a file; commit it, or roll back if it is refused or only planned. */
static int
run(const char *sql, bool apply, struct store_alter *told)
{
	struct store_alter_file file = { .sql = sql, .is_fixed = is_fixed, .obey = obey };
	int rc;

	ck_assert_int_eq(store_db_begin(capture_merge, &capture_err), 0);
	rc = store_alter_run(capture_merge, &file, told, &capture_err);
	if (rc == 0 && apply)
		ck_assert_int_eq(store_db_commit(capture_merge, &capture_err), 0);
	else
		store_db_rollback(capture_merge);
	return rc;
}

static void
apply(const char *sql)
{
	struct store_alter told;
	int rc = run(sql, true, &told);

	store_alter_free(&told);
	ck_assert_msg(rc == 0, "%s: %s", sql, capture_err.msg);
}

static void
expect_taken(const char *wanted)
{
	struct buf got = { 0 };
	bool more;

	capture_take(0, &more, &got);
	ck_assert_str_eq(buf_str(&got), wanted);
	buf_free(&got);
}

static const struct refused {
	const char *sql, *words;
} refused[] = {
	{ "\nUPDATE t SET text = 'x'", "line 2: a schema file holds CREATE, ALTER and DROP" },
	{ "PRAGMA user_version = 3", "line 1: a schema file holds" },
	{ "CREATE TEMP TABLE x(a)", "a schema file holds" },
	{ "ALTER TABLE other.t ADD COLUMN x", "a schema file holds" },
	{ "ALTER TABLE t ADD COLUMN x TEXT;\n\nCREATE TABLE u(a b(", "line 3: " },
	{ "CREATE TABLE yz_mine(a)", "yz_mine is yizhan's own" },
	{ "ALTER TABLE plain RENAME TO \"hub_x\"", "hub_x is yizhan's own" },
	{ "DROP VIEW [yz_mine]", "yz_mine is yizhan's own" },
	{ "CREATE TRIGGER yz_t_ai AFTER INSERT ON t BEGIN SELECT 1; END", "yz_t_ai is yizhan's" },
	{ "DROP TABLE fixed", "the program itself uses fixed" },
	{ "DROP VIEW IF EXISTS fixed", "the program itself uses fixed" },
	{ "ALTER TABLE t RENAME TO u", "t is tracked: its name is what it travels by" },
	{ "ALTER TABLE t DROP COLUMN id", "t.id says which row it is" },
	{ "ALTER TABLE t DROP COLUMN nothing", "table t has no column nothing" },
	{ "ALTER TABLE t RENAME COLUMN nothing TO x", "table t has no column nothing" },
	{ "ALTER TABLE t RENAME text TO a", "t.a is, or was, another column's name" },
	{ "ALTER TABLE t DROP COLUMN h; ALTER TABLE t RENAME COLUMN text TO h",
	  "t.h is, or was, another column's name" },
	{ "ALTER TABLE t RENAME COLUMN text TO x; ALTER TABLE t ADD COLUMN text TEXT",
	  "the column x travels as text" },
	{ "ALTER TABLE t ADD COLUMN x TEXT NOT NULL", "line 1: Cannot add a NOT NULL column" },
	{ "CREATE UNIQUE INDEX u ON t(text)", "table t has a UNIQUE index (u) on text" },
	{ "ALTER TABLE t DROP COLUMN text; ALTER TABLE t ADD COLUMN text INTEGER",
	  "t.text has another type, rule or group" },
	{ "ALTER TABLE t DROP COLUMN top; ALTER TABLE t ADD COLUMN top INTEGER",
	  "t.top has another type, rule or group" },
	{ "ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD COLUMN b INTEGER",
	  "t.b has another type, rule or group" },
	{ "DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, text BLOB);\n-- yizhan track t",
	  "t.text has another type, rule or group" },
	{ "DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, top INTEGER);\n-- yizhan track t",
	  "line 2: t.top is merged in another way" },
	{ "CREATE TABLE u(a);\n-- yizhan track u", "line 2: table u has no PRIMARY KEY" },
	{ "CREATE TABLE \"u", "line 1: " },
	{ "DROP TABLE [never ends", "line 1: " },
	{ "-- yizhan dance", "line 1: what is \"dance\"?" },
	{ "CREATE TABLE u(a,\n-- yizhan track u\nb)", "stands within a statement" },
};

enum { REFUSED = sizeof refused / sizeof refused[0] };

START_TEST(a_refusal_says_where_and_why_and_leaves_all_as_it_was)
{
	const struct refused *r = &refused[_i];
	int64_t version = capture_int("PRAGMA schema_version");
	struct store_alter told;

	ck_assert_int_eq(run(r->sql, true, &told), ERR_INVALID);
	store_alter_free(&told);
	ck_assert_msg(strstr(capture_err.msg, r->words) != NULL, "%s: %s", r->sql, capture_err.msg);
	ck_assert_int_eq(capture_int("PRAGMA schema_version"), version);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_extra"), 0);
	capture_exec("UPDATE t SET text = 'still' WHERE id = 1");
	expect_taken("t 1 update text='still'\n");
}
END_TEST

/* Heads in all the ways that SQLite reads them; behind each, a change of the row is still seen. */
static const struct spelled {
	const char *sql, *update, *taken;
} spelled[] = {
	{ "alter/**/table main.[t] -- yes\n add x", "UPDATE t SET x = 1", "t 1 update x=1\n" },
	{ "ALTER TABLE `T` RENAME \"text\" TO 'it''s'", "UPDATE t SET \"it's\" = 'x'",
	  "t 1 update text='x'\n" },
	{ "ALTER TABLE t RENAME COLUMN TEXT TO \"a\"\"b\"", "UPDATE t SET \"a\"\"b\" = 'x'",
	  "t 1 update text='x'\n" },
	{ "Create Table If Not Exists u(\"to\" INTEGER PRIMARY KEY, y);\n;; --yizhan track u\n"
	  "ALTER TABLE u RENAME \"to\" TO \"as\"; ALTER TABLE u DROP y",
	  "INSERT INTO u VALUES (9)", "u 9 insert\n" },
	{ "drop trigger if exists main.none; CREATE INDEX IF NOT EXISTS i ON t(h)",
	  "UPDATE t SET text = ';'", "t 1 update text=';'\n" },
	{ "ALTER TABLE t DROP \"text\" /* without an end", "UPDATE t SET h = NULL, a = 9",
	  "t 1 update a=9\n" },
};

enum { SPELLED = sizeof spelled / sizeof spelled[0] };

START_TEST(a_head_is_read_as_sqlite_reads_it)
{
	const struct spelled *s = &spelled[_i];

	capture_exec("DELETE FROM t WHERE id = 2");
	capture_seal();
	apply(s->sql);
	capture_exec(s->update);
	expect_taken(s->taken);
}
END_TEST

START_TEST(a_column_more_is_captured_and_no_change)
{
	struct store_alter told;

	ck_assert_int_eq(
	        run("ALTER TABLE t ADD COLUMN mood TEXT; /* and */ CREATE VIEW v AS SELECT "
	            "mood FROM t; CREATE TRIGGER tr AFTER INSERT ON plain BEGIN SELECT 1; "
	            "SELECT 2; END;",
	            true, &told),
	        0);
	ck_assert_str_eq(told.tables->table, "t");
	ck_assert_str_eq(told.tables->added->name, "mood");
	ck_assert_ptr_null(told.tables->added->next);
	ck_assert_int_eq(told.tables->changes, 0);
	ck_assert_ptr_null(told.tables->next);
	ck_assert_int_eq(told.others, 2);
	store_alter_free(&told);
	capture_exec("UPDATE t SET mood = 'glad' WHERE id = 2");
	expect_taken("t 2 update mood='glad'\n");
}
END_TEST

START_TEST(a_new_table_is_tracked_as_it_says)
{
	struct store_alter told;

	ck_assert_int_eq(run("CREATE TABLE u(id INTEGER PRIMARY KEY, m INTEGER);\n"
	                     "-- yizhan track u m\nCREATE TABLE w(a)",
	                     true, &told),
	                 0);
	ck_assert(told.tables->is_new && told.tables->tracked);
	ck_assert(told.tables->next->is_new && !told.tables->next->tracked);
	store_alter_free(&told);
	capture_exec("INSERT INTO u VALUES (1, 5)");
	expect_taken("u 1 insert\n");
}
END_TEST

START_TEST(a_column_more_may_have_a_rule_of_its_own)
{
	apply("CREATE TABLE u(id INTEGER PRIMARY KEY, x);\n-- yizhan track u");
	apply("ALTER TABLE u ADD COLUMN m INTEGER;\n-- yizhan track u m");
	capture_exec("INSERT INTO u(id, m) VALUES (1, 5)");
	capture_seal();
	ck_assert_int_eq(store_db_exec(capture_local, "UPDATE u SET m = 4", &capture_err),
	                 ERR_INVALID);
}
END_TEST

START_TEST(what_never_was_is_not_told)
{
	struct store_alter told;
	int rc = run("DROP TABLE IF EXISTS phantom; CREATE TABLE u(a); DROP TABLE plain; "
	             "DROP TABLE u",
	             true, &told);

	ck_assert_msg(rc == 0, "%s", rc < 0 ? capture_err.msg : "");
	ck_assert_str_eq(told.tables->table, "plain");
	ck_assert(told.tables->is_gone && !told.tables->tracked);
	ck_assert_ptr_null(told.tables->next);
	store_alter_free(&told);
}
END_TEST

START_TEST(a_plan_changes_nothing)
{
	struct store_alter told;
	int64_t version = capture_int("PRAGMA schema_version");

	ck_assert_int_eq(run("ALTER TABLE t DROP COLUMN text; ALTER TABLE t RENAME COLUMN a TO aa; "
	                     "CREATE TABLE u(id INTEGER PRIMARY KEY);\n-- yizhan track u",
	                     false, &told),
	                 0);
	ck_assert_int_eq(told.tables->kept, 2);
	store_alter_free(&told);
	ck_assert_int_eq(capture_int("PRAGMA schema_version"), version);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_extra"), 0);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_table"), 1);
	capture_exec("UPDATE t SET a = 7, text = 'x' WHERE id = 1");
	expect_taken("t 1 update text='x' a=7\n");
}
END_TEST

START_TEST(a_renamed_column_travels_by_its_first_name)
{
	struct store_alter told;

	capture_exec("UPDATE t SET b = 3 WHERE id = 1");
	ck_assert_int_eq(run("ALTER TABLE t RENAME COLUMN text TO \"the remark\"; "
	                     "ALTER TABLE t RENAME COLUMN \"the remark\" TO remark; "
	                     "ALTER TABLE t RENAME top TO highest",
	                     true, &told),
	                 0);
	ck_assert_str_eq(told.tables->renamed->from, "text");
	ck_assert_str_eq(told.tables->renamed->name, "remark");
	ck_assert_str_eq(told.tables->renamed->travels, "text");
	ck_assert_str_eq(told.tables->renamed->next->name, "highest");
	ck_assert_ptr_null(told.tables->renamed->next->next);
	ck_assert_ptr_null(told.tables->added);
	ck_assert_ptr_null(told.tables->dropped);
	ck_assert_int_eq(told.tables->changes, 0);
	store_alter_free(&told);
	capture_exec("UPDATE t SET remark = 'new' WHERE id = 2");
	expect_taken("t 1 update b=3\nt 2 update text='new'\n");
	capture_seal();
	ck_assert_int_eq(store_db_exec(capture_local, "UPDATE t SET highest = 1", &capture_err),
	                 ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(capture_err.msg, "highest"));
}
END_TEST

START_TEST(a_rename_is_forgotten_when_the_column_is_called_otherwise)
{
	apply("ALTER TABLE t RENAME COLUMN text TO remark");
	/* SQLite looks whether a schema is stale when it runs a statement, not when it reads it */
	ck_assert_int_eq(capture_int("SELECT count(*) FROM t"), 2);
	capture_exec("ALTER TABLE t RENAME COLUMN remark TO text");
	capture_refresh();
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_column WHERE here IS NOT NULL"), 0);
	capture_exec("UPDATE t SET text = 'x' WHERE id = 2");
	expect_taken("t 2 update text='x'\n");
	/* and somebody's own column of the old name, beside a renamed one, ends the tracking */
	apply("ALTER TABLE t RENAME COLUMN text TO remark");
	ck_assert_int_eq(capture_int("SELECT count(*) FROM t"), 2);
	capture_exec("ALTER TABLE t ADD COLUMN text TEXT");
	capture_refresh();
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_meta WHERE name = 'untracked t' AND "
	                             "CAST(value AS TEXT) LIKE '%remark travels as text%'"),
	                 1);
}
END_TEST

START_TEST(a_table_made_again_has_its_first_names_again)
{
	apply("ALTER TABLE t RENAME COLUMN text TO remark");
	apply("DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT);--\tyizhan track t");
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_column WHERE here IS NOT NULL"), 0);
	capture_exec("INSERT INTO t VALUES (3, 'three'); UPDATE t SET text = 'x' WHERE id = 3");
	expect_taken("t 3 insert text='x'\n");
}
END_TEST

START_TEST(what_is_dropped_stays_beside_the_table)
{
	static const char kept[] =
	        "SELECT count(*) FROM yz_extra AS e JOIN yz_column AS c ON c.tbl = e.tbl AND "
	        "c.id = e.col WHERE c.name = 'text' AND e.value IN ('one', 'two')";
	static const char digest[] = "SELECT count(*) FROM yz_digest AS d JOIN before AS b USING"
	                             " (scope) WHERE d.sum = b.sum AND d.rows = b.rows";

	capture_exec("CREATE TABLE before AS SELECT * FROM yz_digest");
	apply("ALTER TABLE t DROP COLUMN text");
	ck_assert_int_eq(capture_int(kept), 2);
	ck_assert_int_eq(capture_int(digest), 1);
	apply("DROP TABLE t");
	ck_assert_int_eq(capture_int(kept), 2);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_extra"), 10);
	ck_assert_int_eq(capture_int(digest), 1);
	expect_taken("");
}
END_TEST

START_TEST(what_waits_unsealed_is_not_dropped)
{
	struct store_alter told;

	capture_exec("UPDATE t SET text = 'x' WHERE id = 2");
	ck_assert_int_eq(run("ALTER TABLE t DROP COLUMN text", true, &told), ERR_INVALID);
	store_alter_free(&told);
	ck_assert_ptr_nonnull(strstr(capture_err.msg, "of t changes aren't sealed yet (1)"));
	ck_assert_int_eq(run("DROP TABLE t", true, &told), ERR_INVALID);
	store_alter_free(&told);
	capture_seal();
	apply("DROP TABLE t");
}
END_TEST

Suite *
suite_store_alter(void)
{
	Suite *suite = suite_create("store/alter");
	TCase *tc = tcase_create("alter");

	tcase_add_checked_fixture(tc, open_t, capture_close);
	tcase_add_loop_test(tc, a_refusal_says_where_and_why_and_leaves_all_as_it_was, 0, REFUSED);
	tcase_add_loop_test(tc, a_head_is_read_as_sqlite_reads_it, 0, SPELLED);
	tcase_add_test(tc, a_column_more_is_captured_and_no_change);
	tcase_add_test(tc, a_new_table_is_tracked_as_it_says);
	tcase_add_test(tc, a_column_more_may_have_a_rule_of_its_own);
	tcase_add_test(tc, what_never_was_is_not_told);
	tcase_add_test(tc, a_plan_changes_nothing);
	tcase_add_test(tc, a_renamed_column_travels_by_its_first_name);
	tcase_add_test(tc, a_rename_is_forgotten_when_the_column_is_called_otherwise);
	tcase_add_test(tc, a_table_made_again_has_its_first_names_again);
	tcase_add_test(tc, what_is_dropped_stays_beside_the_table);
	tcase_add_test(tc, what_waits_unsealed_is_not_dropped);
	suite_add_tcase(suite, tc);
	return suite;
}

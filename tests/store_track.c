/*
 * tests/store_track.c - which tables can be tracked, and what becomes of one
 * whose schema somebody changes.
 */
#include "tests/capture_help.h"
#include "tests/suites.h"

#include "store/lost.h"
#include "store/stmt.h"

#include <check.h>
#include <sqlite3.h>
#include <string.h>

static const char *const wide_group[] = { "a,b", NULL };
static const char *const key_group[] = { "a,id", NULL };
static const char *const two_groups[] = { "a,b", "b,c", NULL };

/* Another program's: this one has no such module. */
#define VIRTUAL_T                                                                                  \
	"PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES('table', 't', 't', 0,"      \
	" 'CREATE VIRTUAL TABLE t USING fts5(a)'); PRAGMA writable_schema = RESET;"

/* Each row is refused with these words, or tracked (NULL). */
static const struct refuse_case {
	const char *name;
	const char *setup;
	struct store_track_spec spec;
	const char *words;
} refuse_cases[] = {
	{ "an ordinary table",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a)",
	  { "t", 0, .scope = "all" },
	  NULL },
	{ "the name in another case",
	  "CREATE TABLE T(id INTEGER PRIMARY KEY, a)",
	  { "t", 0, .scope = "all" },
	  NULL },
	{ "a composite key",
	  "CREATE TABLE t(a INT NOT NULL, b TEXT NOT NULL, PRIMARY KEY(b, a))",
	  { "t", 0, .scope = "f/F1" },
	  NULL },
	{ "a composite key without rowid",
	  "CREATE TABLE t(a INT, b TEXT, PRIMARY KEY(b, a)) WITHOUT ROWID",
	  { "t", 0, .scope = "hub" },
	  NULL },
	{ "a STRICT table of another program",
	  "CREATE TABLE t(id BLOB PRIMARY KEY NOT NULL, a ANY) STRICT",
	  { "t", 0, .scope = "all" },
	  NULL },
	{ "all attributes",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, f TEXT, a, b, c, d DEFAULT 'x')",
	  { "t", 0, "f/", "f", "c", "d", wide_group, false },
	  NULL },
	{ "a scope told whole by its column",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, f TEXT)",
	  { "t", 0, "", .scope_column = "f" },
	  NULL },
	{ "an index that isn't unique",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE INDEX i ON t(a)",
	  { "t", 0, .scope = "all" },
	  NULL },

	{ "a table of the engine that travels",
	  "SELECT 1",
	  { .table = "yz_verdict", .scope = "", .scope_column = "scope" },
	  NULL },

	{ "no such table", "SELECT 1", { "t", 0, .scope = "all" }, "there is no table t" },
	{ "a virtual table of a module that isn't here",
	  VIRTUAL_T,
	  { "t", 0, .scope = "all" },
	  "t is a virtual table" },
	{ "an ordinary one whose name looks like a virtual table's part",
	  VIRTUAL_T "CREATE TABLE T_data(id INTEGER PRIMARY KEY, a)",
	  { "t_data", 0, .scope = "all" },
	  NULL },
	{ "an ordinary one beside a view of what is gone",
	  "CREATE VIEW v AS SELECT * FROM gone; CREATE TABLE t(id BLOB NOT NULL PRIMARY KEY, a)"
	  " WITHOUT ROWID",
	  { "t", 0, .scope = "all" },
	  NULL },
	{ "a view", "CREATE VIEW t AS SELECT 1 AS id", { "t", 0, .scope = "all" }, "t is a view" },
	{ "a table of the engine",
	  "SELECT 1",
	  { "yz_log", 0, .scope = "all" },
	  "belongs to the engine" },
	{ "this node's own",
	  "CREATE TABLE local_pin(id INTEGER PRIMARY KEY, verifier TEXT)",
	  { "local_pin", 0, .scope = "all" },
	  "local_pin stays where it is" },
	{ "the hub's own",
	  "CREATE TABLE Hub_node(id INTEGER PRIMARY KEY)",
	  { "hub_node", 0, .scope = "all" },
	  "Hub_node stays where it is" },
	{ "a name that only begins like those",
	  "CREATE TABLE locality(id INTEGER PRIMARY KEY)",
	  { "locality", 0, .scope = "all" },
	  NULL },
	{ "SQLite's own",
	  "SELECT 1",
	  { "sqlite_schema", 0, .scope = "all" },
	  "sqlite_schema belongs" },
	{ "no key",
	  "CREATE TABLE t(a, b)",
	  { "t", 0, .scope = "all" },
	  "table t has no PRIMARY KEY" },
	{ "untyped key",
	  "CREATE TABLE t(id PRIMARY KEY NOT NULL)",
	  { "t", 0, .scope = "all" },
	  "key column t.id has no type" },
	{ "ANY key",
	  "CREATE TABLE t(id ANY PRIMARY KEY NOT NULL) STRICT",
	  { "t", 0, .scope = "all" },
	  "key column t.id has no type" },
	{ "nullable key",
	  "CREATE TABLE t(id TEXT PRIMARY KEY)",
	  { "t", 0, .scope = "all" },
	  "key column t.id may be NULL" },
	{ "nullable part of a key",
	  "CREATE TABLE t(a INTEGER, b INTEGER NOT NULL, PRIMARY KEY(a, b))",
	  { "t", 0, .scope = "all" },
	  "key column t.a may be NULL" },
	{ "NOCASE key",
	  "CREATE TABLE t(id TEXT COLLATE NOCASE NOT NULL PRIMARY KEY)",
	  { "t", 0, .scope = "all" },
	  "key column t.id has collation NOCASE" },
	{ "key that compares NOCASE",
	  "CREATE TABLE t(id TEXT NOT NULL, PRIMARY KEY(id COLLATE NOCASE))",
	  { "t", 0, .scope = "all" },
	  "compares id by NOCASE" },
	{ "five key columns",
	  "CREATE TABLE t(a INT, b INT, c INT, d INT, e INT, PRIMARY KEY(a,b,c,d,e)) WITHOUT ROWID",
	  { "t", 0, .scope = "all" },
	  "table t has 5 key columns; at most 4" },
	{ "UNIQUE column",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE)",
	  { "t", 0, .scope = "all" },
	  "table t has a UNIQUE index (sqlite_autoindex_t_1) on a besides its key" },
	{ "unique index",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); CREATE UNIQUE INDEX i ON t(b, a) WHERE a "
	  "> 1",
	  { "t", 0, .scope = "all" },
	  "table t has a UNIQUE index (i) on b, a besides its key" },
	{ "event with a foreign key",
	  "CREATE TABLE p(id INTEGER PRIMARY KEY);"
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a REFERENCES p(id))",
	  { "t", STORE_EVENT, .scope = "all" },
	  "event table t.a has a foreign key to p" },
	{ "no scope",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY)",
	  { "t", 0, .scope = NULL },
	  "is no scope" },
	{ "a scope of no kind",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY)",
	  { "t", 0, .scope = "f/" },
	  "\"f/\" is no scope" },
	{ "a scope column that isn't",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY)",
	  { "t", 0, "f/", .scope_column = "facility_id" },
	  "table t has no column facility_id" },
	{ "a max column that isn't",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a)",
	  { "t", 0, "all", NULL, .max = "a, aa" },
	  "table t has no column aa" },
	{ "a max column of the key",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY)",
	  { "t", 0, "all", NULL, .max = "id" },
	  "t.id is a key column" },
	{ "a hub column without constant default",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a DEFAULT (random()))",
	  { "t", 0, "all", NULL, NULL, .hub_only = "a" },
	  "t.a can't be left to the hub" },
	{ "a hub column that is computed",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a AS (id + 1))",
	  { "t", 0, "all", NULL, NULL, .hub_only = "a" },
	  "table t has no column a" },
	{ "a key column in a group",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a)",
	  { "t", 0, "all", NULL, NULL, NULL, key_group, false },
	  "t.id can't be in a group" },
	{ "a column in two groups",
	  "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c)",
	  { "t", 0, "all", NULL, NULL, NULL, two_groups, false },
	  "t.b can't be in a group" },
};

enum { REFUSE_CASES = sizeof refuse_cases / sizeof refuse_cases[0] };

START_TEST(track_takes_what_can_converge)
{
	const struct refuse_case *c = &refuse_cases[_i];
	int rc;

	capture_exec(c->setup);
	rc = capture_try_track(&c->spec, false);
	if (c->words == NULL) {
		ck_assert_msg(rc == 0, "%s: %s", c->name, capture_err.msg);
		return;
	}
	ck_assert_msg(rc == ERR_INVALID, "%s: %d", c->name, rc);
	ck_assert_msg(strstr(capture_err.msg, c->words) != NULL, "%s: %s", c->name,
	              capture_err.msg);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"),
	                 0);
}
END_TEST

/* A table with `columns` of them, the key among them. */
static void
make_wide(unsigned columns)
{
	struct buf sql = { 0 };

	buf_printf(&sql, "CREATE TABLE t(id INTEGER PRIMARY KEY");
	for (unsigned i = 1; i < columns; i++)
		buf_printf(&sql, ", c%u", i);
	buf_printf(&sql, ")");
	capture_exec(buf_str(&sql));
	buf_free(&sql);
}

static const struct store_track_spec track_t = { .table = "t", .scope = "all" };

START_TEST(sixty_three_columns_are_the_most)
{
	struct buf got = { 0 };
	bool more;

	make_wide(63);
	capture_track(&track_t, false);
	capture_exec(
	        "INSERT INTO t(id) VALUES(1); DELETE FROM yz_log; UPDATE t SET c62 = 1, c1 = 2");
	capture_take(0, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 1 update c1=2 c62=1\n");
	capture_exec("DROP TABLE t");
	capture_refresh();
	make_wide(64);
	ck_assert_int_eq(capture_try_track(&track_t, false), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(capture_err.msg, "table t has more than 63 columns"));
	buf_free(&got);
}
END_TEST

START_TEST(a_file_in_utf16_is_refused)
{
	sqlite3 *raw;
	struct store_db *db;

	ck_assert_int_eq(sqlite3_open(capture_path("y.db"), &raw), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(raw,
	                              "PRAGMA encoding='UTF-16le'; CREATE TABLE t(id INTEGER "
	                              "PRIMARY KEY, a TEXT)",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(raw), SQLITE_OK);
	ck_assert_int_eq(
	        store_db_open(capture_path("y.db"), STORE_MERGE, env_real(), &db, &capture_err), 0);
	ck_assert_int_eq(store_db_begin(db, &capture_err), 0);
	ck_assert_int_eq(store_track_table(db, &track_t, false, &capture_err), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(capture_err.msg, "keeps text as UTF-16le"));
	store_db_close(db);
}
END_TEST

static int64_t
waiting(void)
{
	return capture_int("SELECT count(*) FROM yz_log");
}

static int64_t
schema_version(void)
{
	return capture_int("PRAGMA schema_version");
}

START_TEST(rows_that_are_there_are_logged_once)
{
	int64_t version;

	capture_exec(
	        "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 1), (2, 2)");
	ck_assert_int_eq(capture_try_track(&track_t, false), 0);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_log WHERE op = 1 AND k1 IN (1, 2)"),
	                 2);
	version = schema_version();
	ck_assert_int_eq(capture_try_track(&track_t, false), 0);
	ck_assert_int_eq(waiting(), 2);
	ck_assert_int_eq(schema_version(), version);
}
END_TEST

START_TEST(tracking_again_takes_up_new_columns)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(
	        "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 1), (2, 2)");
	capture_track(&track_t, false);
	capture_exec("ALTER TABLE t ADD COLUMN b DEFAULT 'x'; UPDATE t SET b = 'y' WHERE id = 2");
	ck_assert_int_eq(capture_try_track(&track_t, false), 0);
	capture_exec("UPDATE t SET b = 'z' WHERE id = 1");
	capture_take(0, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 2 update b='y'\nt 1 update b='z'\n");
	buf_free(&got);
}
END_TEST

/* Tracked as 'first', then as 'second': another meaning needs another name. */
static const struct meaning_case {
	const char *name;
	struct store_track_spec first, second;
	const char *words;
} meaning_cases[] = {
	{ "lww, then max",
	  { "t", 0, .scope = "all" },
	  { "t", 0, "all", NULL, .max = "a" },
	  "t.a is merged in another" },
	{ "max, then lww",
	  { "t", 0, "all", NULL, .max = "a" },
	  { "t", 0, .scope = "all" },
	  "t.a is merged in another" },
	{ "record, then event",
	  { "t", 0, .scope = "all" },
	  { "t", STORE_EVENT, .scope = "all" },
	  "another kind" },
	{ "another scope", { "t", 0, .scope = "all" }, { "t", 0, .scope = "hub" }, "another kind" },
	{ "a scope column, then none",
	  { "t", 0, "f/", .scope_column = "c" },
	  { "t", 0, .scope = "f/F1" },
	  "another kind" },
	{ "alone, then in a group",
	  { "t", 0, .scope = "all" },
	  { "t", 0, "all", NULL, NULL, NULL, wide_group, false },
	  "other groups" },
	{ "in a group, then alone",
	  { "t", 0, "all", NULL, NULL, NULL, wide_group, false },
	  { "t", 0, .scope = "all" },
	  "other groups" },
	{ "left to the hub later",
	  { "t", 0, .scope = "all" },
	  { "t", 0, "all", NULL, NULL, .hub_only = "a" },
	  NULL },
};

enum { MEANING_CASES = sizeof meaning_cases / sizeof meaning_cases[0] };

START_TEST(the_meaning_of_a_name_stays)
{
	const struct meaning_case *c = &meaning_cases[_i];
	int rc;

	capture_exec("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c TEXT)");
	capture_track(&c->first, false);
	rc = capture_try_track(&c->second, false);
	ck_assert_msg(rc == (c->words == NULL ? 0 : ERR_INVALID), "%s: %d", c->name, rc);
	if (c->words != NULL)
		ck_assert_msg(strstr(capture_err.msg, c->words) != NULL, "%s: %s", c->name,
		              capture_err.msg);
}
END_TEST

/* ---- refresh ---- */

static const struct store_track_spec track_all = { .table = "t",
	                                           .scope = "f/",
	                                           .scope_column = "f",
	                                           .max = "m",
	                                           .hub_only = "w",
	                                           .groups = wide_group };
static const char all_columns[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, f TEXT, a, b, m, w);"
                                  "INSERT INTO t VALUES(1, 'F1', 1, 2, 3, NULL)";

static bool
is_tracked(const char *table)
{
	const struct store_table *t;
	bool tracked;

	ck_assert_int_eq(store_db_begin(capture_merge, &capture_err), 0);
	t = store_catalog_table_by_name(capture_merge, table);
	tracked = t != NULL && t->local != NULL;
	store_db_rollback(capture_merge);
	return tracked;
}

START_TEST(refresh_without_a_change_does_nothing)
{
	int64_t version, rows;

	capture_exec(all_columns);
	capture_track(&track_all, false);
	capture_refresh();
	version = schema_version();
	rows = capture_int("SELECT count(*) FROM yz_schema");
	capture_refresh();
	capture_exec("CREATE TABLE other(a)");
	capture_refresh();
	ck_assert_int_eq(schema_version(), version + 1);
	ck_assert_int_eq(waiting(), 0);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_schema"), rows);
}
END_TEST

START_TEST(a_new_version_keeps_how_the_table_is_tracked)
{
	const struct store_schema *s;

	capture_exec(all_columns);
	capture_track(&track_all, false);
	capture_exec("ALTER TABLE t ADD COLUMN z");
	capture_refresh();
	ck_assert_int_eq(store_db_begin(capture_merge, &capture_err), 0);
	s = store_catalog_table_by_name(capture_merge, "t")->local;
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->column_count, 7);
	ck_assert_int_eq(s->scope_column, 1);
	ck_assert_str_eq(s->scope_prefix, "f/");
	ck_assert_int_ne(s->columns[2].group, 0);
	ck_assert_int_eq(s->columns[2].group, s->columns[3].group);
	ck_assert_int_eq(s->columns[4].rule, STORE_MAX);
	ck_assert(s->columns[5].hub_only);
	store_db_rollback(capture_merge);
}
END_TEST

/* What somebody does to a tracked table, and whether it is tracked after the next look. */
static const struct refresh_case {
	const char *name;
	const char *sql;
	bool tracked;
	int64_t triggers;
} refresh_cases[] = {
	{ "nothing", "SELECT 1", true, 6 },
	{ "a trigger dropped", "DROP TRIGGER yz_t_ai", true, 6 },
	{ "a trigger of ours replaced by a weaker one",
	  "DROP TRIGGER yz_t_au; CREATE TRIGGER yz_t_au AFTER UPDATE ON t BEGIN SELECT 1; END",
	  true, 6 },
	{ "a trigger put beside ours",
	  "CREATE TRIGGER yz_t_zz AFTER INSERT ON t BEGIN SELECT 1; END", true, 6 },
	{ "an own trigger of the application",
	  "CREATE TRIGGER app AFTER INSERT ON t BEGIN SELECT 1; END", true, 7 },
	{ "a UNIQUE index made later", "CREATE UNIQUE INDEX i ON t(a)", true, 6 },
	{ "table dropped", "DROP TABLE t", false, 0 },
	{ "table renamed", "ALTER TABLE t RENAME TO u", false, 0 },
	{ "table made anew with another key",
	  "DROP TABLE t; CREATE TABLE t(other INTEGER PRIMARY KEY, f TEXT)", false, 0 },
	{ "table made anew without scope column",
	  "DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, a, b)", false, 0 },
	{ "table made anew the same",
	  "DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, f TEXT, a, b, m, w)", true, 6 },
	{ "a view in its place", "DROP TABLE t; CREATE VIEW t AS SELECT 1 AS id, 'F1' AS f", false,
	  0 },
};

enum { REFRESH_CASES = sizeof refresh_cases / sizeof refresh_cases[0] };

START_TEST(refresh_follows_the_schema)
{
	const struct refresh_case *c = &refresh_cases[_i];

	capture_exec(all_columns);
	capture_track(&track_all, false);
	capture_refresh();
	capture_exec(c->sql);
	capture_refresh();
	ck_assert_msg(is_tracked("t") == c->tracked, "%s: tracked", c->name);
	ck_assert_msg(capture_int("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'") ==
	                      c->triggers,
	              "%s: triggers", c->name);
}
END_TEST

START_TEST(an_end_of_tracking_keeps_its_reason)
{
	capture_exec(all_columns);
	capture_track(&track_all, false);
	capture_exec("DROP TABLE t");
	capture_refresh();
	ck_assert_int_eq(capture_int("SELECT value = CAST('there is no table t' AS BLOB)"
	                             " FROM yz_meta WHERE name = 'untracked t'"),
	                 1);
}
END_TEST

/* The lost tables as text: "t gone 1 why", a line each. */
static void
put_lost(void *ctx, const struct store_lost *lost)
{
	buf_printf(ctx, "%s%s %lld: %s\n", lost->table, lost->gone ? " gone" : "",
	           (long long)lost->waiting, lost->why);
}

static void
expect_lost(const char *wanted)
{
	struct buf told = { 0 };
	int64_t tables, rows, lines = 0;

	ck_assert_int_eq(store_lost_list(capture_local, put_lost, &told, &capture_err), 0);
	ck_assert_str_eq(buf_str(&told), wanted);
	ck_assert_int_eq(store_lost_count(capture_local, &tables, &rows, &capture_err), 0);
	for (const char *c = wanted; *c != 0; c++)
		lines += *c == '\n';
	ck_assert_int_eq(tables, lines);
	buf_free(&told);
}

START_TEST(a_table_that_was_dropped_is_lost_until_it_is_tracked_again)
{
	capture_exec(all_columns);
	capture_track(&track_all, false);
	expect_lost("");
	capture_exec("DROP TABLE t");
	expect_lost("t gone 0: there is no table t\n"); /* before anybody has looked */
	capture_refresh();
	expect_lost("t gone 0: there is no table t\n");
	capture_exec("INSERT INTO yz_extra SELECT id, x'01', 1, 1, 1, 'a' FROM yz_table"
	             " WHERE name = 't' UNION ALL"
	             " SELECT id, x'01', 2, 1, 1, 'b' FROM yz_table WHERE name = 't'");
	expect_lost("t gone 1: there is no table t\n"); /* a row of two cells */
	capture_exec("DELETE FROM yz_extra");
	capture_exec(all_columns);
	expect_lost("t 0: there is no table t\n");
	ck_assert_int_eq(capture_try_track(&track_all, false), 0);
	expect_lost("");
	/* and a later end that somebody has said isn't a loss */
	ck_assert_int_eq(store_db_begin(capture_merge, &capture_err), 0);
	ck_assert_int_eq(store_track_stop(capture_merge, "t", &capture_err), 0);
	ck_assert_int_eq(store_db_commit(capture_merge, &capture_err), 0);
	expect_lost("");
}
END_TEST

START_TEST(stop_leaves_the_rows)
{
	capture_exec(all_columns);
	capture_track(&track_all, false);
	ck_assert_int_eq(store_db_begin(capture_merge, &capture_err), 0);
	ck_assert_int_eq(store_track_stop(capture_merge, "t", &capture_err), 0);
	ck_assert_int_eq(store_track_stop(capture_merge, "t", &capture_err), ERR_INVALID);
	ck_assert_int_eq(store_db_commit(capture_merge, &capture_err), 0);
	capture_exec("UPDATE t SET f = 'F2', m = 0");
	ck_assert_int_eq(waiting(), 0);
	ck_assert(!is_tracked("t"));
	/* Tracked again, its rows are new to the log. */
	ck_assert_int_eq(capture_try_track(&track_all, false), 0);
	ck_assert_int_eq(waiting(), 1);
}
END_TEST

/* Trigger text may use nothing newer than SQLite 3.35; Python's 3.40 in store_capture.c runs it. */
START_TEST(trigger_text_names_the_engine_only_by_its_log)
{
	capture_exec(all_columns);
	capture_track(&track_all, false);
	ck_assert_int_eq(
	        capture_int("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND"
	                    " (sql LIKE '%yz\\_id(%' ESCAPE '\\' OR sql LIKE '%unixepoch%')"),
	        0);
	ck_assert_int_eq(capture_int("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"),
	                 6);
}
END_TEST

/* A scope that was first named in a transaction that didn't happen has no number. */
START_TEST(numbers_of_a_rollback_are_forgotten)
{
	int64_t rows = 0;
	int id;

	ck_assert_int_eq(store_db_begin(capture_merge, &capture_err), 0);
	ck_assert_int_eq(store_catalog_scope(capture_merge, "f/F9", &id, &capture_err), 0);
	store_db_rollback(capture_merge);
	ck_assert_int_eq(store_db_begin(capture_merge, &capture_err), 0);
	ck_assert_int_eq(store_catalog_scope(capture_merge, "f/F9", &id, &capture_err), 0);
	ck_assert_int_eq(store_db_commit(capture_merge, &capture_err), 0);
	ck_assert_int_eq(store_stmt_int(capture_merge,
	                                "SELECT count(*) FROM yz_scope WHERE name = 'f/F9'", 0,
	                                &rows, &capture_err),
	                 0);
	ck_assert_int_eq(rows, 1);
}
END_TEST

Suite *
suite_store_track(void)
{
	Suite *suite = suite_create("store/track");
	TCase *tcase = tcase_create("track");

	tcase_add_checked_fixture(tcase, capture_open, capture_close);
	tcase_add_loop_test(tcase, track_takes_what_can_converge, 0, REFUSE_CASES);
	tcase_add_test(tcase, sixty_three_columns_are_the_most);
	tcase_add_test(tcase, a_file_in_utf16_is_refused);
	tcase_add_test(tcase, rows_that_are_there_are_logged_once);
	tcase_add_test(tcase, numbers_of_a_rollback_are_forgotten);
	tcase_add_test(tcase, tracking_again_takes_up_new_columns);
	tcase_add_loop_test(tcase, the_meaning_of_a_name_stays, 0, MEANING_CASES);
	tcase_add_test(tcase, refresh_without_a_change_does_nothing);
	tcase_add_test(tcase, a_new_version_keeps_how_the_table_is_tracked);
	tcase_add_loop_test(tcase, refresh_follows_the_schema, 0, REFRESH_CASES);
	tcase_add_test(tcase, an_end_of_tracking_keeps_its_reason);
	tcase_add_test(tcase, a_table_that_was_dropped_is_lost_until_it_is_tracked_again);
	tcase_add_test(tcase, stop_leaves_the_rows);
	tcase_add_test(tcase, trigger_text_names_the_engine_only_by_its_log);
	suite_add_tcase(suite, tcase);
	return suite;
}

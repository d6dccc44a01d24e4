/* tests/store_rescan.c - what is written while the triggers are away is found by the clocks. */
#include "store/stmt.h"
#include "tests/capture_help.h"
#include "tests/suites.h"

#include <check.h>
#include <string.h>

static const struct store_track_spec track_t = { .table = "t", .scope = "all" };
static const char *const group[] = { "a,b", NULL };
static const struct store_track_spec track_all = { .table = "t",
	                                           .scope = "f/",
	                                           .scope_column = "f",
	                                           .max = "m",
	                                           .hub_only = "w",
	                                           .groups = group };

/* What is written while the triggers are away, to three sealed rows. */
static const struct gap_case {
	const char *name;
	const char *sql;
	const char *want;
} gap_cases[] = {
	{ "nothing", "DROP TRIGGER yz_t_ai", "" },
	{ "a cell", "DROP TRIGGER yz_t_au; UPDATE t SET a = 9 WHERE id = 2",
	  "t 2 update f='F1' a=9 b=2\n" },
	{ "the same value again", "DROP TRIGGER yz_t_au; UPDATE t SET a = a", "" },
	{ "another storage class", "DROP TRIGGER yz_t_au; UPDATE t SET b = 2.0 WHERE id = 3",
	  "t 3 update f='F1' a=3 b=2.0000000000000000\n" },
	{ "a new row", "DROP TRIGGER yz_t_ai; INSERT INTO t(id, f) VALUES(4, 'F1')",
	  "t 4 insert\n" },
	{ "a row deleted is for verify to tell", "DROP TRIGGER yz_t_ad; DELETE FROM t WHERE id = 1",
	  "" },
	{ "a row deleted before, there again",
	  "DELETE FROM t WHERE id = 1; DROP TRIGGER yz_t_ai; INSERT INTO t(id, f, m) VALUES(1, "
	  "'F1', 1)",
	  "t 1 update f='F1' a=NULL b=NULL kept m=3\n" },
	{ "a table rebuilt as it was",
	  "CREATE TABLE u(id INTEGER PRIMARY KEY, f TEXT, a, b, m, w); INSERT INTO u SELECT * FROM "
	  "t;"
	  "DROP TABLE t; ALTER TABLE u RENAME TO t",
	  "" },
	{ "a table rebuilt with another type",
	  "CREATE TABLE u(id INTEGER PRIMARY KEY, f TEXT, a TEXT, b, m, w); INSERT INTO u SELECT * "
	  "FROM t WHERE id < 3;"
	  "DROP TABLE t; ALTER TABLE u RENAME TO t",
	  "t 1 update f='F1' a='1' b=2\nt 2 update f='F1' a='2' b=2\n" },
	{ "a table rebuilt without a column",
	  "CREATE TABLE u(id INTEGER PRIMARY KEY, f TEXT, a, m, w); INSERT INTO u SELECT id, f, 7, "
	  "m, w "
	  "FROM t; DROP TABLE t; ALTER TABLE u RENAME TO t",
	  "" },
};

enum { GAP_CASES = sizeof gap_cases / sizeof gap_cases[0] };

START_TEST(what_no_trigger_saw_is_found_by_the_clocks)
{
	const struct gap_case *c = &gap_cases[_i];
	struct buf got = { 0 };
	bool more;

	capture_exec("CREATE TABLE t(id INTEGER PRIMARY KEY, f TEXT, a, b, m, w)");
	capture_exec("INSERT INTO t VALUES(1, 'F1', 1, 2, 3, NULL), (2, 'F1', 2, 2, 3, NULL), (3, "
	             "'F1', 3, 2, 3, NULL)");
	capture_track(&track_all, false);
	capture_refresh();
	capture_exec(c->sql);
	capture_refresh();
	capture_take(0, &more, &got);
	ck_assert_msg(strcmp(buf_str(&got), c->want) == 0, "%s:\n%s", c->name, buf_str(&got));
	buf_clear(&got);
	capture_refresh();
	capture_take(0, &more, &got);
	ck_assert_msg(got.len == 0, "%s, a second time:\n%s", c->name, buf_str(&got));
	buf_free(&got);
}
END_TEST

/* ---- triggers dropped and made again ---- */

#define TRIGGERS_OF "FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '%s'"

/* What `list`, a query of one text, gives; the texts one after the other. */
static void
statements(const char *list, struct buf *out)
{
	struct store_stmt s = store_stmt_new(capture_local, list);

	while (store_stmt_step(&s, &capture_err) == 1)
		buf_printf(out, "%s;", store_stmt_get_text(&s));
	store_stmt_end(&s);
	ck_assert_int_eq(buf_check(out, &capture_err), 0);
}

/* Run `sql` while the triggers of the table are away, and make them again as they were. */
static void
between_triggers(const char *table, const char *sql)
{
	struct buf query = { 0 }, drop = { 0 }, make = { 0 };

	buf_printf(&query, "SELECT 'DROP TRIGGER ' || name " TRIGGERS_OF, table);
	statements(buf_str(&query), &drop);
	buf_clear(&query);
	buf_printf(&query, "SELECT sql " TRIGGERS_OF, table);
	statements(buf_str(&query), &make);
	capture_exec(buf_str(&drop));
	capture_exec(sql);
	capture_exec(buf_str(&make));
	buf_free(&query);
	buf_free(&drop);
	buf_free(&make);
}

static void
assert_log(const char *what, const char *want)
{
	struct buf got = { 0 };
	bool more;

	capture_take(0, &more, &got);
	ck_assert_msg(strcmp(buf_str(&got), want) == 0, "%s:\n%s", what, buf_str(&got));
	buf_free(&got);
}

#define THREE_ROWS                                                                                 \
	"CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"                                            \
	"INSERT INTO t VALUES(1, 1, 2), (2, 2, 2), (3, 3, 2);"

static const struct again_case {
	const char *name;
	const char *sql;
	const char *want;
} again_cases[] = {
	{ "nothing", "", "" },
	{ "a cell", "UPDATE t SET a = 9 WHERE id = 2", "t 2 update a=9 b=2\n" },
	{ "new rows", "INSERT INTO t VALUES(4, 1, 1), (5, 1, 1)", "t 4 insert\nt 5 insert\n" },
	{ "rebuilt as the manual says",
	  "CREATE TABLE new_t(id INTEGER PRIMARY KEY, a, b);"
	  "INSERT INTO new_t SELECT id, a * 10, b FROM t WHERE id > 1;"
	  "DROP TABLE t; ALTER TABLE new_t RENAME TO t",
	  "t 2 update a=20 b=2\nt 3 update a=30 b=2\n" },
	{ "with a column more", "ALTER TABLE t ADD COLUMN c; UPDATE t SET a = 7 WHERE id = 3",
	  "t 3 update a=7 b=2 c=NULL\n" },
};

enum { AGAIN_CASES = sizeof again_cases / sizeof again_cases[0] };

START_TEST(what_is_written_between_drop_and_make_is_found)
{
	const struct again_case *c = &again_cases[_i];

	capture_exec(THREE_ROWS);
	capture_track(&track_t, false);
	capture_refresh();
	between_triggers("t", c->sql);
	capture_refresh();
	assert_log(c->name, c->want);
	capture_refresh();
	assert_log("a second time", "");
}
END_TEST

/* Each table's triggers are made anew while others' are still to be looked at. */
START_TEST(a_gap_of_one_table_hides_none_of_another)
{
	static const struct store_track_spec track_u = { .table = "u", .scope = "all" },
	                                     track_v = { .table = "v", .scope = "all" };

	capture_exec(THREE_ROWS "CREATE TABLE u(id INTEGER PRIMARY KEY, a);"
	                        "CREATE TABLE v(id INTEGER PRIMARY KEY, a);"
	                        "INSERT INTO u VALUES(1, 1), (2, 2)");
	capture_track(&track_t, false);
	capture_track(&track_u, false);
	capture_refresh();
	between_triggers("u", "UPDATE u SET a = 5 WHERE id = 2");
	between_triggers("t", "UPDATE t SET a = 6 WHERE id = 1");
	capture_track(&track_v, false);
	capture_refresh();
	assert_log("two gaps", "t 1 update a=6 b=2\nu 2 update a=5\n");
	capture_refresh();
	assert_log("a second time", "");
}
END_TEST

/* What moves the schema without touching a trigger is no gap: a row that waits for its seal keeps
 * to the cells that were written. */
START_TEST(what_leaves_the_triggers_alone_is_no_gap)
{
	static const char *const moves[] = {
		"VACUUM", "CREATE TABLE other(a)", "DROP VIEW yz_mark",
		"CREATE TRIGGER app AFTER DELETE ON t BEGIN SELECT 1; END"
	};

	capture_exec(THREE_ROWS);
	capture_track(&track_t, false);
	capture_refresh();
	for (unsigned i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		capture_exec("UPDATE t SET a = 8 WHERE id = 2");
		capture_exec(moves[i]);
		capture_refresh();
		assert_log(moves[i], "t 2 update a=8\n");
		capture_exec("UPDATE t SET a = 2 WHERE id = 2");
		capture_seal();
	}
}
END_TEST

/* A file of a program that knew no mark gets one at the first look, and is guarded from then on. */
START_TEST(a_file_without_the_mark_gets_it)
{
	capture_exec(THREE_ROWS);
	capture_track(&track_t, false);
	capture_refresh();
	capture_exec("DROP VIEW yz_mark; UPDATE yz_meta SET value ="
	             " (SELECT schema_version FROM pragma_schema_version)"
	             " WHERE name = 'schema_version'");
	capture_refresh();
	assert_log("the mark alone", "");
	between_triggers("t", "UPDATE t SET a = 9 WHERE id = 2");
	capture_refresh();
	assert_log("a gap", "t 2 update a=9 b=2\n");
}
END_TEST

START_TEST(a_dead_clock_is_no_life_of_a_row)
{
	struct buf got = { 0 };
	bool more;

	capture_exec(
	        "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 1), (2, 2)");
	capture_track(&track_t, false);
	capture_exec("DELETE FROM t WHERE id = 1");
	capture_seal();
	capture_exec("DROP TRIGGER yz_t_ai; INSERT INTO t VALUES(1, 5)");
	capture_refresh();
	capture_take(0, &more, &got);
	ck_assert_str_eq(buf_str(&got), "t 1 insert\n");
	buf_free(&got);
}
END_TEST

START_TEST(a_gap_is_closed_for_good_by_a_seal)
{
	capture_exec("CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 1)");
	capture_exec(
	        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
	        " INSERT INTO t SELECT i, i FROM n");
	capture_track(&track_t, false);
	capture_exec("DROP TRIGGER yz_t_au; UPDATE t SET a = -a WHERE id % 2");
	capture_refresh();
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_log"), 750);
	capture_seal();
	capture_exec("DROP TRIGGER yz_t_au");
	capture_refresh();
	ck_assert_int_eq(capture_int("SELECT count(*) FROM yz_log"), 0);
}
END_TEST

Suite *
suite_store_rescan(void)
{
	Suite *suite = suite_create("store/rescan");
	TCase *tcase = tcase_create("rescan");

	tcase_add_checked_fixture(tcase, capture_open, capture_close);
	tcase_add_loop_test(tcase, what_no_trigger_saw_is_found_by_the_clocks, 0, GAP_CASES);
	tcase_add_loop_test(tcase, what_is_written_between_drop_and_make_is_found, 0, AGAIN_CASES);
	tcase_add_test(tcase, a_gap_of_one_table_hides_none_of_another);
	tcase_add_test(tcase, what_leaves_the_triggers_alone_is_no_gap);
	tcase_add_test(tcase, a_file_without_the_mark_gets_it);
	tcase_add_test(tcase, a_dead_clock_is_no_life_of_a_row);
	tcase_add_test(tcase, a_gap_is_closed_for_good_by_a_seal);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/store_rescan.c - what is written while the triggers are away is found by the clocks. */
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
	tcase_add_test(tcase, a_dead_clock_is_no_life_of_a_row);
	tcase_add_test(tcase, a_gap_is_closed_for_good_by_a_seal);
	suite_add_tcase(suite, tcase);
	return suite;
}

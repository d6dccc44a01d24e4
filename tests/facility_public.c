/* tests/facility_public.c - at a hub the public row follows the facility's own, and nothing is
 * written twice. */
#include "tests/suites.h"

#include "node/facility/late_codes.h"
#include "node/facility/public.h"
#include "node/facility/schema.h"
#include "store/stmt.h"
#include "tests/hub_help.h"

#include <check.h>

#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, hub_err.msg)

static void
begin(void)
{
	hub_open();
	OK(store_db_begin(hub_db, &hub_err));
	OK(facility_schema_create(hub_db, &hub_err));
	OK(facility_track(hub_db, true, &hub_err));
	OK(store_db_commit(hub_db, &hub_err));
}

static bool
stale(void)
{
	bool yes = false;

	OK(facility_public_stale(hub_db, &yes, &hub_err));
	return yes;
}

/* Write it; how many rows of what was captured are new. */
static int64_t
keep(void)
{
	int64_t before = hub_int("SELECT count(*) FROM yz_log");

	OK(store_db_begin(hub_db, &hub_err));
	OK(facility_public_keep(hub_db, &hub_err));
	OK(store_db_commit(hub_db, &hub_err));
	ck_assert(!stale());
	return hub_int("SELECT count(*) FROM yz_log") - before;
}

static void
run(const char *sql)
{
	OK(store_db_exec(hub_db, sql, &hub_err));
}

START_TEST(it_is_made_follows_and_rests)
{
	begin();
	ck_assert(!stale());
	ck_assert_int_eq(keep(), 0);
	run("INSERT INTO facility(facility_id, name, phone, filing_no) VALUES"
	    " ('F1', '一号', '0571', 'secret'), ('F2', '二号', NULL, NULL)");
	ck_assert(stale());
	ck_assert_int_gt(keep(), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM facility_public WHERE name IN ('一号', "
	                         "'二号') AND kind = 1 AND status = 1 AND intro IS NULL"),
	                 2);
	ck_assert_int_eq(keep(), 0);
	ck_assert_int_eq(keep(), 0);
	hub_close();
}
END_TEST

static const struct change_case {
	const char *change, *shows;
} change_cases[] = {
	{ "UPDATE facility SET name = '新名' WHERE facility_id = 'F1'", "name = '新名'" },
	{ "UPDATE facility SET kind = 2 WHERE facility_id = 'F1'", "kind = 2" },
	{ "UPDATE facility SET subdistrict_code = '330105' WHERE facility_id = 'F1'",
	  "subdistrict_code = '330105'" },
	{ "UPDATE facility SET lat_e6 = 1, lon_e6 = 2 WHERE facility_id = 'F1'",
	  "lat_e6 = 1 AND lon_e6 = 2" },
	{ "UPDATE facility SET is_inclusive = 1 WHERE facility_id = 'F1'", "is_inclusive = 1" },
	{ "UPDATE facility SET open_min = 450, close_min = 1080 WHERE facility_id = 'F1'",
	  "open_min = 450 AND close_min = 1080" },
	{ "UPDATE facility SET phone = NULL WHERE facility_id = 'F1'", "phone IS NULL" },
	{ "UPDATE facility SET address = 'a' WHERE facility_id = 'F1'", "address = 'a'" },
	{ "UPDATE facility SET intro = 'b' WHERE facility_id = 'F1'", "intro = 'b'" },
	{ "UPDATE facility SET status = 2 WHERE facility_id = 'F1'", "status = 2" },
	{ "UPDATE facility_public SET name = '手写', intro = 'x' WHERE facility_id = 'F1'",
	  "name = '一号' AND intro IS NULL" },
	{ "DELETE FROM facility_public WHERE facility_id = 'F1'", "name = '一号'" },
};

START_TEST(whatever_changes_it_follows)
{
	const struct change_case *c = &change_cases[_i];
	struct store_stmt s;
	struct buf sql = { 0 };

	begin();
	run("INSERT INTO facility(facility_id, name, phone) VALUES ('F1', '一号', '0571'),"
	    " ('F2', '二号', '0572')");
	keep();
	run(c->change);
	ck_assert(stale());
	ck_assert_int_gt(keep(), 0);
	buf_printf(&sql,
	           "SELECT count(*) FROM facility_public WHERE (facility_id = 'F1' AND %s) OR"
	           " (facility_id = 'F2' AND name = '二号' AND phone = '0572')",
	           c->shows);
	s = store_stmt_new(hub_db, buf_str(&sql));
	ck_assert_int_eq(store_stmt_step(&s, &hub_err), 1);
	ck_assert_int_eq(store_stmt_get_int(&s), 2);
	store_stmt_end(&s);
	buf_free(&sql);
	hub_close();
}
END_TEST

/* What the public may not know, and a facility whose row hasn't come (back), change nothing. */
START_TEST(what_is_not_public_changes_nothing)
{
	begin();
	run("INSERT INTO facility(facility_id, name) VALUES ('F1', '一号')");
	keep();
	run("UPDATE facility SET filing_no = '1', uscc = '2', timezone = 'UTC'");
	ck_assert(!stale());
	run("DELETE FROM facility");
	ck_assert(!stale());
	ck_assert_int_eq(hub_int("SELECT count(*) FROM facility_public"), 1);
	hub_close();
}
END_TEST

static bool
codes_stale(void)
{
	bool yes = false;

	OK(facility_late_codes_stale(hub_db, &yes, &hub_err));
	return yes;
}

/* A code that came after the seeds has its name from the hub, once, and whoever names it himself is
 * let. */
START_TEST(a_late_code_is_named_once)
{
	begin();
	OK(store_db_begin(hub_db, &hub_err));
	OK(facility_late_codes_keep(hub_db, &hub_err));
	OK(store_db_commit(hub_db, &hub_err));
	ck_assert(!codes_stale());
	ck_assert_int_eq(
	        hub_int("SELECT count(*) FROM code_set WHERE set_code = 'booking.state' AND"
	                " code = '6' AND name_zh = '已拒绝' AND version = 20261130"),
	        1);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM yz_log"), 3); /* they are told to all */
	run("UPDATE code_set SET version = 20270101, name_zh = '婉拒'");
	ck_assert(!codes_stale());
	run("DELETE FROM code_set");
	ck_assert(codes_stale());
	hub_close();
}
END_TEST

Suite *
suite_facility_public(void)
{
	Suite *suite = suite_create("node/facility/public");
	TCase *tcase = tcase_create("public");

	tcase_add_test(tcase, it_is_made_follows_and_rests);
	tcase_add_loop_test(tcase, whatever_changes_it_follows, 0,
	                    sizeof change_cases / sizeof change_cases[0]);
	tcase_add_test(tcase, what_is_not_public_changes_nothing);
	tcase_add_test(tcase, a_late_code_is_named_once);
	suite_add_tcase(suite, tcase);
	return suite;
}

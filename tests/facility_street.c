/* tests/facility_street.c - at a hub the notices of a street follow the open cases of its
 * facilities, with nobody in them; and a facility lists those of the others. */
#include "tests/suites.h"

#include "node/facility/date.h"
#include "node/facility/schema.h"
#include "node/facility/street.h"
#include "store/stmt.h"
#include "tests/hub_help.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, hub_err.msg)

static int today;

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s: %s", sql, hub_err.msg);
}

/* F1 and F2 are of street A, F3 of B, F4 a home care point of A, F5 of none. */
static void
begin(void)
{
	today = 20260305;
	hub_open();
	OK(store_db_begin(hub_db, &hub_err));
	OK(facility_schema_create(hub_db, &hub_err));
	OK(facility_track(hub_db, true, &hub_err));
	OK(facility_seed(hub_db, &hub_err));
	OK(store_db_commit(hub_db, &hub_err));
	run("INSERT INTO facility(facility_id, name, kind, subdistrict_code) VALUES"
	    " ('F1', '一号', 1, 'A'), ('F2', '二号', 1, 'A'), ('F3', '三号', 1, 'B'),"
	    " ('F4', '四号', 4, 'A'), ('F5', '五号', 1, NULL)");
}

static bool
stale(void)
{
	bool yes = false;

	OK(facility_street_stale(hub_db, today, &yes, &hub_err));
	return yes;
}

/* Write them; how many rows of what was captured are new. */
static int64_t
keep(void)
{
	int64_t before = hub_int("SELECT count(*) FROM yz_log");

	OK(store_db_begin(hub_db, &hub_err));
	OK(facility_street_keep(hub_db, today, &hub_err));
	OK(store_db_commit(hub_db, &hub_err));
	ck_assert(!stale());
	return hub_int("SELECT count(*) FROM yz_log") - before;
}

/* All notices: "street/facility/disease/day cases confirmed closed", in the order of keys. */
static const char *
notices(void)
{
	static char text[1000];
	struct store_stmt s = store_stmt_new(
	        hub_db,
	        "SELECT coalesce(group_concat(subdistrict_code || '/' || facility_id || '/' ||"
	        " disease_code || '/' || onset_date || ' ' || cases || ' ' || confirmed || ' ' ||"
	        " closed, ', '), '') FROM (SELECT * FROM symptom_notice ORDER BY 1, 2, 3, 4)");

	ck_assert_int_eq(store_stmt_step(&s, &hub_err), 1);
	snprintf(text, sizeof text, "%s", store_stmt_get_text(&s));
	store_stmt_end(&s);
	return text;
}

#define CASE                                                                                       \
	"INSERT INTO symptom_case(id, facility_id, child_id, disease_code, onset_date, confirmed)"

START_TEST(they_are_made_follow_and_rest)
{
	begin();
	ck_assert(!stale());
	ck_assert_int_eq(keep(), 0);
	run(CASE " VALUES (x'01', 'F1', x'c1', 'HFMD', 20260302, 1)");
	ck_assert(stale());
	ck_assert_int_gt(keep(), 0);
	ck_assert_str_eq(notices(), "A/F1/HFMD/20260302 1 1 0");
	ck_assert_int_eq(keep(), 0);
	/* a second case: still one or two; so nothing is written */
	run(CASE " VALUES (x'02', 'F1', x'c2', 'HFMD', 20260302, 1)");
	ck_assert_int_eq(keep(), 0);
	run(CASE
	    " VALUES (x'03', 'F1', x'c3', 'HFMD', 20260302, 3),"
	    " (x'04', 'F1', x'c4', 'HFMD', 20260303, 2), (x'05', 'F3', x'c5', 'VAR', 20260303, 1)");
	ck_assert_int_gt(keep(), 0);
	ck_assert_str_eq(notices(), "A/F1/HFMD/20260302 3 3 0, A/F1/HFMD/20260303 1 2 0,"
	                            " B/F3/VAR/20260303 1 1 0");
	run("UPDATE symptom_case SET closed = 1 WHERE id IN (x'03', x'02')");
	keep();
	ck_assert_str_eq(notices(), "A/F1/HFMD/20260302 1 1 0, A/F1/HFMD/20260303 1 2 0,"
	                            " B/F3/VAR/20260303 1 1 0");
	ck_assert_int_eq(keep(), 0);
	hub_close();
}
END_TEST

/* What closes the only notice, or opens it again. */
static const struct change_case {
	const char *change, *shows;
} change_cases[] = {
	{ "UPDATE symptom_case SET closed = 1", "A/F1/HFMD/20260302 1 1 1" },
	{ "DELETE FROM symptom_case", "A/F1/HFMD/20260302 1 1 1" },
	{ "UPDATE symptom_case SET confirmed = 3", "A/F1/HFMD/20260302 1 3 0" },
	{ "UPDATE symptom_case SET disease_code = 'VAR'",
	  "A/F1/HFMD/20260302 1 1 1, A/F1/VAR/20260302 1 1 0" },
	{ "UPDATE symptom_case SET onset_date = 20260301",
	  "A/F1/HFMD/20260301 1 1 0, A/F1/HFMD/20260302 1 1 1" },
	{ "UPDATE facility SET subdistrict_code = 'B' WHERE facility_id = 'F1'",
	  "A/F1/HFMD/20260302 1 1 1, B/F1/HFMD/20260302 1 1 0" },
	{ "UPDATE facility SET subdistrict_code = '330105001007' WHERE facility_id = 'F1'",
	  "330105001/F1/HFMD/20260302 1 1 0, A/F1/HFMD/20260302 1 1 1" },
	{ "UPDATE facility SET subdistrict_code = 'LONGER-name' WHERE facility_id = 'F1'",
	  "A/F1/HFMD/20260302 1 1 1, LONGER-name/F1/HFMD/20260302 1 1 0" },
	{ "UPDATE facility SET subdistrict_code = NULL WHERE facility_id = 'F1'",
	  "A/F1/HFMD/20260302 1 1 1" },
	{ "DELETE FROM facility WHERE facility_id = 'F1'", "A/F1/HFMD/20260302 1 1 1" },
	{ "UPDATE facility SET subdistrict_code = 'A' || char(0) || 'x' WHERE facility_id = 'F1'",
	  "A/F1/HFMD/20260302 1 1 1" },
	{ "UPDATE facility SET kind = 4 WHERE facility_id = 'F1'", "A/F1/HFMD/20260302 1 1 1" },
	{ "UPDATE facility SET kind = 4 WHERE facility_id IN ('F1', 'F2')",
	  "A//HFMD/20260302 1 1 0, A/F1/HFMD/20260302 1 1 1" },
	{ "UPDATE symptom_notice SET cases = 5, closed = 1", "A/F1/HFMD/20260302 1 1 0" },
	{ "DELETE FROM symptom_notice", "A/F1/HFMD/20260302 1 1 0" },
	{ "INSERT INTO symptom_notice(subdistrict_code, facility_id, disease_code, onset_date,"
	  " cases, confirmed) VALUES ('A', 'F2', 'MEA', 20260302, 5, 3)",
	  "A/F1/HFMD/20260302 1 1 0, A/F2/MEA/20260302 5 3 1" },
};

START_TEST(whatever_changes_they_follow)
{
	const struct change_case *c = &change_cases[_i];

	begin();
	run(CASE " VALUES (x'01', 'F1', x'c1', 'HFMD', 20260302, 1)");
	keep();
	run(c->change);
	ck_assert(stale());
	ck_assert_int_gt(keep(), 0);
	ck_assert_str_eq(notices(), c->shows);
	ck_assert_int_eq(keep(), 0);
	hub_close();
}
END_TEST

/* Nobody has closed it, or its day was mistyped: it is news no more, or not yet. */
START_TEST(a_notice_has_its_time)
{
	begin();
	run(CASE " VALUES (x'01', 'F1', x'c1', 'HFMD', 20260302, 1),"
	         " (x'02', 'F1', x'c2', 'HFMD', 20991231, 1), (x'03', 'F1', x'c3', 'HFMD', "
	         "20240101, 1)");
	keep();
	ck_assert_str_eq(notices(), "A/F1/HFMD/20260302 1 1 0");
	today = date_add(20260302, STREET_DAYS);
	ck_assert(!stale());
	today = date_add(today, 1);
	ck_assert(stale());
	keep();
	ck_assert_str_eq(notices(), "A/F1/HFMD/20260302 1 1 1");
	hub_close();
}
END_TEST

/* A case that was closed and is open again: its row is there and opens, too. */
START_TEST(a_notice_opens_again)
{
	begin();
	run(CASE " VALUES (x'01', 'F1', x'c1', 'HFMD', 20260302, 1)");
	keep();
	run("UPDATE symptom_case SET closed = 1");
	keep();
	run("UPDATE symptom_case SET closed = 0");
	ck_assert(stale());
	keep();
	ck_assert_str_eq(notices(), "A/F1/HFMD/20260302 1 1 0");
	hub_close();
}
END_TEST

/* What people and other programs may have written into a case: nobody hears of it. */
static const char *const untold[] = {
	CASE " VALUES (x'01', 'F1', x'c1', 'canary 李小明', 20260302, 1)",
	CASE " VALUES (x'01', 'F1', x'c1', NULL, 20260302, 1)",
	CASE " VALUES (x'01', 'F1', x'c1', 'HFMD', 'canary', 1)",
	CASE " VALUES (x'01', 'F1', x'c1', 'HFMD', NULL, 1)",
	CASE " VALUES (x'01', 'F1', x'c1', 'OTH', 20260302, 1)",
	CASE " VALUES (x'01', 'F4', x'c1', 'HFMD', 20260302, 1)", /* the only one in its street */
	CASE " VALUES (x'01', 'F5', x'c1', 'HFMD', 20260302, 1)",
	CASE " VALUES (x'01', 'F9', x'c1', 'HFMD', 20260302, 1)",
	"UPDATE facility SET subdistrict_code = 'A/../B' WHERE facility_id = 'F1';" CASE
	" VALUES (x'01', 'F1', x'c1', 'HFMD', 20260302, 1)",
	"UPDATE facility SET subdistrict_code = x'41' WHERE facility_id = 'F1';" CASE
	" VALUES (x'01', 'F1', x'c1', 'HFMD', 20260302, 1)",
};

START_TEST(what_names_no_known_disease_day_and_street_is_not_told)
{
	begin();
	run(untold[_i]);
	ck_assert(!stale());
	ck_assert_int_eq(keep(), 0);
	ck_assert_str_eq(notices(), "");
	hub_close();
}
END_TEST

/* All that a case has, and the class, and who is ill: none of it is in the row. */
START_TEST(nobody_is_in_them)
{
	begin();
	run("INSERT INTO child(id, facility_id, name, birth_date) VALUES (x'c0ffee', 'F1', "
	    "'canary',"
	    " 20240704);"
	    "INSERT INTO symptom_case(id, facility_id, child_id, class_id, onset_date, "
	    "disease_code,"
	    " symptom_bits, confirmed, isolated_at, hospital, note) VALUES (x'0badca5e', 'F1',"
	    " x'c0ffee', x'c1a55e', 20260302, 'HFMD', 5, 'canary', 1772438400000, 'canary', "
	    "'canary')");
	keep();
	ck_assert_str_eq(notices(), "A/F1/HFMD/20260302 1 1 0");
	ck_assert_int_eq(hub_int("SELECT count(*) FROM pragma_table_info('symptom_notice')"), 8);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM symptom_notice WHERE recorded_by IS NULL"),
	                 1);
	hub_close();
}
END_TEST

/* One child of two tablets is one; five and more are five; a home care point has no name. */
START_TEST(they_are_counted_in_steps)
{
	begin();
	run(CASE " VALUES (x'01', 'F1', x'c1', 'HFMD', 20260302, 1), (x'02', 'F1', x'c1', 'HFMD',"
	         " 20260302, 2), (x'03', 'F1', x'c2', 'HFMD', 20260302, 1)");
	keep();
	ck_assert_str_eq(notices(), "A/F1/HFMD/20260302 1 2 0");
	run("INSERT INTO facility(facility_id, kind, subdistrict_code) VALUES ('F6', 4, 'A'),"
	    " ('F7', 4, 'A')");
	run(CASE
	    " VALUES (x'04', 'F1', x'c3', 'HFMD', 20260302, 1), (x'05', 'F1', NULL, 'HFMD',"
	    " 20260302, 1), (x'06', 'F1', NULL, 'HFMD', 20260302, 1),"
	    " (x'07', 'F1', NULL, 'HFMD', 20260302, 1), (x'08', 'F4', x'c8', 'HA', 20260302, 1)");
	keep();
	ck_assert_str_eq(notices(), "A//HA/20260302 1 1 0, A/F1/HFMD/20260302 5 2 0");
	hub_close();
}
END_TEST

/* ------------------------------------------------------------------ what a facility lists */

static bool listed_more;

/* "name: disease day cases", of what F2 lists on that day. */
static const char *
listed(int date)
{
	static char text[2000];
	struct facility f = { .db = hub_db };
	struct street_notices of;
	struct arena a = { 0 };
	size_t len = 0;

	snprintf(f.id, sizeof f.id, "F2");
	OK(facility_street_list(&f, date, &a, &of, &hub_err));
	listed_more = of.more;
	text[0] = 0;
	for (size_t i = 0; i < of.count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s: %s %d %d",
		                        i == 0 ? "" : ", ", of.list[i].facility,
		                        of.list[i].disease_en, of.list[i].onset_date,
		                        (int)of.list[i].cases);
	arena_free(&a);
	return text;
}

START_TEST(a_facility_lists_the_others_open_ones_of_its_street)
{
	begin();
	run("INSERT INTO facility_public(facility_id, name) VALUES ('F1', '一号');"
	    "INSERT INTO symptom_notice(subdistrict_code, facility_id, disease_code, onset_date,"
	    " cases, confirmed, closed) VALUES ('A', 'F1', 'HFMD', 20260302, 3, 1, 0),"
	    " ('A', 'F1', 'VAR', 20260301, 1, 1, 1), ('A', 'F2', 'HFMD', 20260302, 1, 1, 0),"
	    " ('A', 'F9', 'NEW', 20260228, 1, 1, 0), ('A', '', 'HA', 20260301, 1, 1, 0),"
	    " ('B', 'F3', 'HFMD', 20260302, 1, 1, 0), ('A', 'F8', 'FLU', 20260208, 1, 1, 0)");
	ck_assert_str_eq(listed(20260302),
	                 "一号: hand, foot and mouth disease 20260302 3, : herpangina 20260301 1,"
	                 " F9: NEW 20260228 1");
	ck_assert_str_eq(listed(20260301),
	                 "一号: hand, foot and mouth disease 20260302 3, : herpangina 20260301 1,"
	                 " F9: NEW 20260228 1, F8: influenza 20260208 1");
	ck_assert_str_eq(listed(20260401), "");
	/* it is of another street now; what it had of the old one doesn't count */
	run("UPDATE facility SET subdistrict_code = 'B' WHERE facility_id = 'F2'");
	ck_assert_str_eq(listed(20260302), "F3: hand, foot and mouth disease 20260302 1");
	/* a community is of its street */
	run("UPDATE facility SET subdistrict_code = '330105001007' WHERE facility_id = 'F2';"
	    "INSERT INTO symptom_notice(subdistrict_code, facility_id, disease_code, onset_date,"
	    " cases, confirmed) VALUES ('330105001', 'F7', 'FLU', 20260302, 1, 1)");
	ck_assert_str_eq(listed(20260302), "F7: influenza 20260302 1");
	/* and while its row hasn't come, what its grant has brought does */
	run("UPDATE facility SET subdistrict_code = NULL WHERE facility_id = 'F2';"
	    "DELETE FROM symptom_notice WHERE facility_id <> 'F3'");
	ck_assert_str_eq(listed(20260302), "F3: hand, foot and mouth disease 20260302 1");
	hub_close();
}
END_TEST

/* A home care point isn't told of its own case as if it were another's; of five it is. */
START_TEST(a_home_care_point_does_not_list_itself)
{
	begin();
	run("UPDATE facility SET kind = 4 WHERE facility_id = 'F2';"
	    "INSERT INTO symptom_notice(subdistrict_code, facility_id, disease_code, onset_date,"
	    " cases, confirmed) VALUES ('A', '', 'FLU', 20260301, 1, 1),"
	    " ('A', '', 'FLU', 20260302, 1, 1)");
	run(CASE " VALUES (x'01', 'F2', x'c1', 'FLU', 20260302, 1)");
	ck_assert_str_eq(listed(20260302), ": influenza 20260301 1");
	run("UPDATE symptom_notice SET cases = 5");
	ck_assert_str_eq(listed(20260302), ": influenza 20260302 5, : influenza 20260301 5");
	run("UPDATE symptom_notice SET cases = 1; UPDATE symptom_case SET closed = 1");
	ck_assert_str_eq(listed(20260302), ": influenza 20260302 1, : influenza 20260301 1");
	hub_close();
}
END_TEST

START_TEST(a_long_list_has_an_end)
{
	char sql[400];
	int n = 0;

	begin();
	for (int i = 0; i < STREET_LISTED + 5; i++) {
		snprintf(sql, sizeof sql,
		         "INSERT INTO symptom_notice(subdistrict_code, facility_id, disease_code,"
		         " onset_date, cases, confirmed) VALUES ('A', 'G%d', 'HFMD', 20260302, 1, "
		         "1)",
		         i);
		run(sql);
	}
	for (const char *at = listed(20260302); (at = strchr(at, 'G')) != NULL; at++)
		n++;
	ck_assert_int_eq(n, STREET_LISTED);
	ck_assert(listed_more);
	run("DELETE FROM symptom_notice WHERE facility_id IN ('G0', 'G1', 'G2', 'G3', 'G4')");
	listed(20260302);
	ck_assert(!listed_more);
	hub_close();
}
END_TEST

Suite *
suite_facility_street(void)
{
	Suite *suite = suite_create("node/facility/street");
	TCase *tcase = tcase_create("street");

	tcase_add_test(tcase, they_are_made_follow_and_rest);
	tcase_add_loop_test(tcase, whatever_changes_they_follow, 0,
	                    sizeof change_cases / sizeof change_cases[0]);
	tcase_add_test(tcase, a_notice_has_its_time);
	tcase_add_test(tcase, a_notice_opens_again);
	tcase_add_loop_test(tcase, what_names_no_known_disease_day_and_street_is_not_told, 0,
	                    sizeof untold / sizeof untold[0]);
	tcase_add_test(tcase, nobody_is_in_them);
	tcase_add_test(tcase, they_are_counted_in_steps);
	tcase_add_test(tcase, a_facility_lists_the_others_open_ones_of_its_street);
	tcase_add_test(tcase, a_home_care_point_does_not_list_itself);
	tcase_add_test(tcase, a_long_list_has_an_end);
	suite_add_tcase(suite, tcase);
	return suite;
}

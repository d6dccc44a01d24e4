/* tests/facility_due.c - what is due for a child: doses, and the next examination. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/facility/schema.h"
#include "node/facility/views.h"
#include "store/stmt.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s\n%s", sql, hub_err.msg);
}

/* The rows of a one-column query, with blanks between them. */
static const char *
words(const char *sql)
{
	static char out[600];
	struct store_stmt s = store_stmt_new(hub_db, sql);
	size_t len = 0;
	int rc;

	out[0] = 0;
	while ((rc = store_stmt_step(&s, &hub_err)) == 1)
		len += (size_t)snprintf(out + len, sizeof out - len, "%s%s", len > 0 ? " " : "",
		                        store_stmt_get_text(&s));
	ck_assert_msg(rc == 0, "%s\n%s", sql, hub_err.msg);
	store_stmt_end(&s);
	return out;
}

/* Child 1 is enrolled twice in F1; 2 awaits her examination, 3 has only applied, 4 has left. */
static void
begin(void)
{
	hub_open();
	ck_assert_int_eq(facility_schema_create(hub_db, &hub_err), 0);
	ck_assert_int_eq(facility_views_make(hub_db, true, &hub_err), 0);
	ck_assert_int_eq(facility_seed(hub_db, &hub_err), 0);
	run("INSERT INTO child(id, facility_id, birth_date) VALUES (x'01', 'F1', 20240131),"
	    " (x'02', 'F1', 20250601), (x'03', 'F1', 20240101), (x'04', 'F1', 20240101),"
	    " (x'05', 'F1', NULL);"
	    "INSERT INTO enrollment(facility_id, child_id, start_date, status) VALUES"
	    " ('F1', x'01', 20250301, 3), ('F1', x'01', 20260301, 4), ('F1', x'02', 20260901, 2),"
	    " ('F1', x'03', 20260901, 1), ('F1', x'04', 20260901, 5), ('F1', x'05', 20260901, 3)");
}

#define DUE(child) "SELECT vaccine_code || dose_no FROM v1_vaccination_due WHERE child_id = " child

START_TEST(doses_are_due_by_age_until_they_are_on_record)
{
	ck_assert_str_eq(words("SELECT DISTINCT hex(child_id) FROM v1_vaccination_due ORDER BY 1"),
	                 "01 02");
	/* at birth; at 61 days from 31 January 2024, with no limit; at 183, before 365 */
	ck_assert_str_eq(words("SELECT due_date || '-' || coalesce(before_date, '') FROM"
	                       " v1_vaccination_due WHERE child_id = x'01' AND (vaccine_code ="
	                       " 'BCG' OR vaccine_code = 'DTaP' AND dose_no IN (1, 3))"
	                       " ORDER BY due_date"),
	                 "20240131-20240501 20240401- 20240801-20250130");
	ck_assert_str_eq(words(DUE("x'02'") " AND due_date <= 20250831 ORDER BY 1"),
	                 "BCG1 DTaP1 HepB1 HepB2 IPV1 IPV2");
	run("INSERT INTO immunization(child_id, vaccine_code, dose_no, facility_id, given_date)"
	    " VALUES (x'02', 'BCG', 1, 'F1', 20250602), (x'02', 'HepB', 2, 'F1', NULL),"
	    " (x'02', 'DTaP', 2, 'F1', 20250901)");
	ck_assert_str_eq(words(DUE("x'02'") " AND due_date <= 20250831 ORDER BY 1"),
	                 "DTaP1 HepB1 IPV1 IPV2");
}
END_TEST

START_TEST(another_vaccine_of_that_name_counts)
{
	run("INSERT INTO immunization(child_id, vaccine_code, dose_no, facility_id) VALUES"
	    " (x'02', 'IPV', 3, 'F1'), (x'02', 'JE-I', 1, 'F1')");
	ck_assert_str_eq(words(DUE("x'02'") " AND vaccine_code IN ('bOPV', 'JE-L', 'HepA-L')"
	                                    " AND due_date < 20270601 ORDER BY 1"),
	                 "HepA-L1");
	ck_assert_str_eq(words(DUE("x'01'") " AND vaccine_code IN ('bOPV', 'JE-L') AND dose_no IN"
	                                    " (1, 3) ORDER BY 1"),
	                 "JE-L1 bOPV3");
}
END_TEST

START_TEST(a_new_edition_takes_the_place_of_the_old_one)
{
	run("INSERT INTO vaccine_schedule(vaccine_code, dose_no, version, name_zh, min_age_days)"
	    " VALUES ('BCG', 1, 20990101, '卡介苗', 3)");
	ck_assert_str_eq(words("SELECT vaccine_code || due_date FROM v1_vaccination_due"
	                       " ORDER BY due_date"),
	                 "BCG20240203 BCG20250604");
}
END_TEST

#define EXAMS                                                                                      \
	"SELECT hex(child_id) || ':' || kind || ':' || coalesce(due_date, '') FROM v1_exam_due"    \
	" ORDER BY child_id"

/* _i: what is on record, and what is due then. */
static const struct {
	const char *sql, *want;
} exams[] = {
	{ "", "01:1:20250301 02:1:20260901" },
	{ "UPDATE enrollment SET start_date = NULL", "01:1: 02:1:" },
	{ "INSERT INTO health_exam(facility_id, child_id, exam_date) VALUES ('F1', x'01', "
	  "20250410),"
	  " ('F1', x'01', 20250301)",
	  "01:2:20251010 02:1:20260901" },
	/* under one year nothing is asked before the birthday */
	{ "INSERT INTO health_exam(facility_id, child_id, exam_date) VALUES ('F1', x'02', "
	  "20250801)",
	  "01:1:20250301 02:2:20260601" },
	/* nor after the third one */
	{ "INSERT INTO health_exam(facility_id, child_id, exam_date) VALUES ('F1', x'01', "
	  "20260801)",
	  "02:1:20260901" },
	/* a corrected one isn't one */
	{ "INSERT INTO health_exam(id, facility_id, child_id, exam_date, replaces_id) VALUES"
	  " (x'0a', 'F1', x'01', 20250410, NULL), (x'0b', 'F1', x'01', 20250310, x'0a')",
	  "01:2:20250910 02:1:20260901" },
	{ "INSERT INTO health_exam(facility_id, child_id, exam_date) VALUES ('F1', x'01', "
	  "20250410);"
	  "INSERT INTO norm_param(param, version, value) VALUES ('exam_per_year', 20990101, 4)",
	  "01:2:20250710 02:1:20260901" },
};

START_TEST(examinations_are_due_by_the_last_one)
{
	run(exams[_i].sql);
	ck_assert_msg(strcmp(words(EXAMS), exams[_i].want) == 0, "%d: %s, not %s", _i, words(EXAMS),
	              exams[_i].want);
}
END_TEST

Suite *
suite_facility_due(void)
{
	Suite *suite = suite_create("node/facility/due");
	TCase *tc = tcase_create("due");

	tcase_add_checked_fixture(tc, begin, hub_close);
	tcase_add_test(tc, doses_are_due_by_age_until_they_are_on_record);
	tcase_add_test(tc, another_vaccine_of_that_name_counts);
	tcase_add_test(tc, a_new_edition_takes_the_place_of_the_old_one);
	tcase_add_loop_test(tc, examinations_are_due_by_the_last_one, 0,
	                    sizeof exams / sizeof exams[0]);
	suite_add_tcase(suite, tc);
	return suite;
}

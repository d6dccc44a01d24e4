/* tests/facility_district.c - the district's views: a worked example of each formula. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/facility/date.h"
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

/*
 * Two streets, of one of which nobody has told the residents.  F1 in the first has 230 places, F2
 * is closed, F3 in the second has 40, F4 has no street yet.  In F1's care: children 1 (all day), 2
 * (half day), 5 (all day, from 2 November); 3 is a drop-in, 4 is paused, 6 has applied; 7 left in
 * June.
 */
static void
begin(void)
{
	hub_open();
	ck_assert_int_eq(facility_schema_create(hub_db, &hub_err), 0);
	ck_assert_int_eq(facility_views_make(hub_db, true, &hub_err), 0);
	ck_assert_int_eq(facility_seed(hub_db, &hub_err), 0);
	run("INSERT INTO population(subdistrict_code, version, name_zh, residents, under3) VALUES"
	    " ('330105001', 20201101, '米市巷', 40000, 900),"
	    " ('330105001', 20231101, '米市巷', 50000, 1200);"
	    "INSERT INTO facility(facility_id, kind, subdistrict_code, status, is_inclusive) VALUES"
	    " ('F1', 1, '330105001001', 1, 1), ('F2', 1, '330105001', 2, 1),"
	    " ('F3', 1, '330105002', 1, NULL), ('F4', 2, NULL, 1, NULL);"
	    "INSERT INTO class_group(id, facility_id, kind, cap, status) VALUES"
	    " (x'c1', 'F1', 2, 150, 1), (x'c2', 'F1', 3, 80, 1), (x'c3', 'F1', 3, 20, 2),"
	    " (x'c4', 'F2', 3, 99, 1), (x'c5', 'F3', 1, 40, 1), (x'c6', 'F4', 4, 10, 1);"
	    "INSERT INTO child(id, facility_id, sex, birth_date) VALUES"
	    " (x'01', 'F1', 1, 20240101), (x'02', 'F1', 2, 20240101), (x'03', 'F1', 1, 20240101);"
	    "INSERT INTO enrollment(id, facility_id, child_id, class_id, service_type, start_date,"
	    " end_date, status) VALUES"
	    " (x'11', 'F1', x'01', x'c1', 1, 20240301, NULL, 3),"
	    " (x'12', 'F1', x'02', x'c2', 2, NULL, NULL, 3),"
	    " (x'13', 'F1', x'03', x'c2', 4, 20240301, NULL, 3),"
	    " (x'14', 'F1', x'04', x'c2', 1, 20240301, NULL, 4),"
	    " (x'15', 'F1', x'05', x'c2', NULL, 20241102, NULL, 3),"
	    " (x'16', 'F1', x'06', x'c2', 1, 20241101, NULL, 1),"
	    " (x'17', 'F1', x'07', x'c2', 1, 20230301, 20240630, 5)");
}

/* An event of F1: an arrival (1), or what strikes one out (3). */
static void
event(int id, int enrollment, int date, int kind, int replaces)
{
	char sql[300];

	snprintf(sql, sizeof sql,
	         "INSERT INTO attendance_event(id, facility_id, enrollment_id, biz_date, kind, at,"
	         " replaces_id) VALUES (x'%04x', 'F1', x'%02x', %d, %d, %lld, nullif(x'%04x', "
	         "x'0000'))",
	         (unsigned)id, (unsigned)enrollment, date, kind,
	         (long long)date_ms(date, 8 * 60, 480), (unsigned)replaces);
	run(sql);
}

/*
 * Monday 2 November: 1 and 5 come, and 3, who isn't due; 2's arrival is struck out.  Tuesday: 1, 2
 * and 5; 5's row has no biz_date, only a time that is Tuesday here and Monday in Greenwich.
 */
static void
two_days(void)
{
	event(1, 0x11, 20241102, 1, 0);
	event(2, 0x15, 20241102, 1, 0);
	event(3, 0x13, 20241102, 1, 0);
	event(4, 0x12, 20241102, 1, 0);
	event(5, 0x12, 20241102, 3, 4);
	event(6, 0x11, 20241103, 1, 0);
	event(7, 0x12, 20241103, 1, 0);
	event(8, 0x15, 20241103, 1, 0);
	event(9, 0x15, 20241103, 2, 0);
	run("UPDATE attendance_event SET biz_date = NULL, at = 1730588400000 WHERE id = x'0008'");
	ck_assert_int_eq(hub_int("SELECT strftime('%d%H', 1730588400, 'unixepoch')"), 223);
}

/* The rows of a question, as text: columns with '|' between them, rows with ';'. */
static const char *
rows(const char *sql)
{
	static struct buf out;
	struct store_stmt s = store_stmt_new(hub_db, sql);
	int rc;

	buf_clear(&out);
	while ((rc = store_stmt_step(&s, &hub_err)) == 1) {
		buf_printf(&out, "%s", out.len > 0 ? ";" : "");
		for (int i = 0; i < store_stmt_columns(&s); i++)
			buf_printf(&out, "%s%s", i > 0 ? "|" : "", store_stmt_get_text(&s));
	}
	ck_assert_msg(rc == 0, "%s", hub_err.msg);
	store_stmt_end(&s);
	return buf_str(&out);
}

/* ---------------------------------------------------------------- places */

/* 230 places for 50 000 residents are 4.6 for a thousand, the target; 199 of 49 999 aren't. */
START_TEST(places_per_thousand_residents)
{
	ck_assert_str_eq(rows("SELECT subdistrict_code, name_zh, facilities, seats, residents,"
	                      " counted, per_1000, target, meets_target FROM v1_seats_per_1000"
	                      " ORDER BY 1"),
	                 "||1|10||||4.6|;330105001|米市巷|1|230|50000|20231101|4.6|4.6|1;"
	                 "330105002||1|40||||4.6|");
	run("INSERT INTO population(subdistrict_code, version, residents) VALUES"
	    " ('330105001', 20241101, 50001), ('330105003', 20241101, 1000)");
	ck_assert_str_eq(rows("SELECT seats, per_1000, meets_target FROM v1_seats_per_1000"
	                      " WHERE residents > 0 ORDER BY subdistrict_code"),
	                 "230|4.6|0;0|0.0|0");
}
END_TEST

/* 230 places, 4 children in care: 226 free, 1.7 % taken; 19.2 places for 100 under three. */
START_TEST(supply_and_demand)
{
	ck_assert_str_eq(
	        rows("SELECT subdistrict_code, facilities, seats, inclusive_seats, enrolled,"
	             " applied, free, occupancy_pct, under3, per_100_under3"
	             " FROM v1_supply_demand ORDER BY 1"),
	        "|1|10|0|0|0|10|0.0||;330105001|1|230|230|4|1|226|1.7|1200|19.2;"
	        "330105002|1|40|0|0|0|40|0.0||");
}
END_TEST

/* ---------------------------------------------------------------- attendance */

/* Monday 2 of 3 that were due, Tuesday 3 of 3; the month 5 of 6. */
START_TEST(attendance_of_those_who_were_due)
{
	two_days();
	ck_assert_str_eq(rows("SELECT facility_id, biz_date, due, came, attendance_pct"
	                      " FROM v1_attendance_rate_day"),
	                 "F1|20241102|3|2|66.7;F1|20241103|3|3|100.0");
	ck_assert_str_eq(rows("SELECT * FROM v1_attendance_rate_month"), "F1|202411|2|6|5|83.3");
	ck_assert_str_eq(rows("SELECT hex(enrollment_id), came FROM v1_due_day"
	                      " WHERE biz_date = 20241102 ORDER BY 1"),
	                 "11|1;12|0;15|1");
	ck_assert_str_eq(rows("SELECT biz_date, present FROM v1_open_day"),
	                 "20241102|3;20241103|3");
	/* who only drops in has no days due */
	event(20, 0x13, 20241104, 1, 0);
	ck_assert_str_eq(rows("SELECT due, came, attendance_pct FROM v1_attendance_rate_day"
	                      " WHERE biz_date = 20241104"),
	                 "3|0|0.0");
	run("UPDATE enrollment SET service_type = 3");
	ck_assert_str_eq(rows("SELECT due, came, attendance_pct FROM v1_attendance_rate_day"
	                      " WHERE biz_date = 20241104"),
	                 "0|0|");
}
END_TEST

/* ---------------------------------------------------------------- morning checks */

/* The hub has everything of node n, F1's, that was written before `ms`. */
static void
known(int n, int64_t ms)
{
	char sql[700];

	snprintf(sql, sizeof sql,
	         "INSERT OR IGNORE INTO hub_node VALUES (x'%02x', x'00', 'F1', '', 1, x'00', 1, "
	         "NULL, 0, '');"
	         "INSERT OR IGNORE INTO yz_scope VALUES (900, 'f/F1');"
	         "INSERT OR IGNORE INTO yz_site VALUES (9%02d, x'%02x', x'00', NULL);"
	         "INSERT OR IGNORE INTO yz_stream VALUES (9%02d, 9%02d, 900, 1, x'', 1, 1, x'', "
	         "NULL);"
	         "INSERT INTO yz_segment(stream, first, last, head_before, head, day, sealed_ms, "
	         "seeds,"
	         " raw_len, body) SELECT 9%02d, n, n, x'', x'', 1, %lld, x'', 0, x'' FROM (SELECT "
	         "1 +"
	         " coalesce(max(last), 0) AS n FROM yz_segment)",
	         (unsigned)n, n, (unsigned)n, n, n, n, (long long)ms);
	run(sql);
}

static const char *
missing(void)
{
	return rows("SELECT present, checked, morning_check_pct, missing FROM"
	            " v1_morning_check_missing WHERE facility_id = 'F1' AND biz_date = 20241103");
}

static void
check(int id, int enrollment, int slot, int replaces)
{
	char sql[300];

	snprintf(sql, sizeof sql,
	         "INSERT INTO health_check(id, facility_id, enrollment_id, biz_date, slot,"
	         " replaces_id) VALUES (x'%04x', 'F1', x'%02x', 20241103, %d, nullif(x'%04x', "
	         "x'0000'))",
	         (unsigned)id, (unsigned)enrollment, slot, (unsigned)replaces);
	run(sql);
}

static void
revoke(int node, int64_t ms)
{
	char sql[100];

	snprintf(sql, sizeof sql, "UPDATE hub_node SET revoked_ms = %lld WHERE node = x'%02x'",
	         (long long)ms, (unsigned)node);
	run(sql);
}

/* Never "yes" or "no" of a facility whose records the hub may lack. */
START_TEST(a_missing_morning_check_is_unknown_until_the_hub_knows)
{
	int64_t end = date_ms(20241104, 0, 480);

	two_days();
	check(1, 0x11, 1, 0);
	check(2, 0x12, 1, 0);
	check(3, 0x15, 2, 0); /* at noon */
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	known(1, end - 1);
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	known(1, end);
	ck_assert_str_eq(missing(), "3|2|66.7|yes");
	check(4, 0x15, 1, 0);
	ck_assert_str_eq(missing(), "3|3|100.0|no");
	check(5, 0x15, 2, 4); /* it wasn't the morning's: corrected */
	ck_assert_str_eq(missing(), "3|2|66.7|yes");
	/* the facility's second node hasn't come since morning, then it has; then it is taken away
	 */
	known(2, end - 50000000);
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	revoke(2, end - 50000000);
	ck_assert_str_eq(missing(), "3|2|66.7|yes");
	/* what it wrote until then and never sent is a gap for good */
	revoke(2, end - 50000000 + 1);
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	revoke(2, end + 99000000);
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	/* that of a day before, or of one that came later, isn't this day's */
	run("INSERT INTO hub_node VALUES (x'04', x'00', 'F1', '', 1, x'00', 1, NULL, 0, '')");
	revoke(2, 5);
	revoke(4, date_ms(20241103, 0, 480));
	ck_assert_str_eq(missing(), "3|2|66.7|yes");
	revoke(4, date_ms(20241103, 0, 480) + 1);
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	run("UPDATE hub_node SET since_ms = revoked_ms WHERE node = x'04'");
	ck_assert_str_eq(missing(), "3|2|66.7|yes");
	/* a node that has never sent anything */
	run("INSERT INTO hub_node VALUES (x'03', x'00', 'F1', '', 1, x'00', 1, NULL, 0, '')");
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	/* until it says that it has nothing that the hub lacks */
	run("INSERT INTO hub_seen(node, met_ms, lacking, digest) VALUES (x'03', 1730649599999, 0, "
	    "0)");
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	run("UPDATE hub_seen SET met_ms = met_ms + 1, lacking = 1");
	ck_assert_str_eq(missing(), "3|2|66.7|unknown");
	run("UPDATE hub_seen SET lacking = 0");
	ck_assert_str_eq(missing(), "3|2|66.7|yes");
	/* the other facilities have a row that day, too, and it says that nobody knows */
	ck_assert_str_eq(rows("SELECT facility_id, present, missing FROM v1_morning_check_missing"
	                      " WHERE biz_date = 20241103 ORDER BY 1"),
	                 "F1|3|yes;F3|0|unknown;F4|0|unknown");
}
END_TEST

/* The district may judge at 09:30 instead of at the day's end. */
START_TEST(the_district_says_from_which_minute_on_a_morning_is_judged)
{
	two_days();
	known(1, date_ms(20241103, 9 * 60 + 31, 480));
	ck_assert_str_eq(missing(), "3|0|0.0|unknown");
	run("INSERT INTO norm_param(param, version, value) VALUES"
	    " ('morning_check_by_min', 20240101, 1), ('morning_check_by_min', 20240901, 570)");
	ck_assert_str_eq(missing(), "3|0|0.0|yes");
	run("UPDATE norm_param SET value = 572 WHERE param = 'morning_check_by_min' AND version > "
	    "20240101");
	ck_assert_str_eq(missing(), "3|0|0.0|unknown");
}
END_TEST

/* ---------------------------------------------------------------- health */

/* In 2024 six were in care (7 until June, not 6, who has applied); 1, 2 and 7 were examined. */
START_TEST(children_in_health_management)
{
	run("INSERT INTO health_exam(id, facility_id, child_id, exam_date, replaces_id) VALUES"
	    " (x'01', 'F1', x'01', 20240401, NULL), (x'02', 'F1', x'01', 20241001, NULL),"
	    " (x'03', 'F1', x'02', 20240101, NULL), (x'04', 'F1', x'05', 20231231, NULL),"
	    " (x'05', 'F1', x'07', 20241231, NULL), (x'06', 'F1', x'03', 20240202, NULL),"
	    " (x'07', 'F1', NULL, NULL, x'06')");
	ck_assert_str_eq(
	        rows("SELECT in_care, managed, health_managed_pct, target_pct, meets_target"
	             " FROM v1_health_managed_facility WHERE facility_id = 'F1' AND year = 2024"),
	        "6|3|50.0|95.0|0");
	/* in 2023: only 7 and those whose beginning isn't told, 2 */
	ck_assert_str_eq(rows("SELECT in_care, managed FROM v1_health_managed_facility"
	                      " WHERE facility_id = 'F1' AND year = 2023"),
	                 "2|0");
	/* a child who is in two facilities counts once in the street: 3 of 1 200 */
	run("UPDATE facility SET subdistrict_code = '330105001' WHERE facility_id = 'F3';"
	    "INSERT INTO enrollment(id, facility_id, child_id, start_date) VALUES"
	    " (x'31', 'F3', x'01', 20240101)");
	ck_assert_str_eq(
	        rows("SELECT name_zh, in_care, managed, health_managed_pct, under3,"
	             " of_under3_pct FROM v1_health_managed_subdistrict WHERE year = 2024"),
	        "米市巷|6|3|50.0|1200|0.3");
	run("UPDATE health_exam SET child_id = x'03', exam_date = 20240303 WHERE id = x'07';"
	    "INSERT INTO health_exam(id, facility_id, child_id, exam_date) VALUES"
	    " (x'08', 'F1', x'04', 20240505), (x'09', 'F1', x'05', 20240505)");
	ck_assert_str_eq(
	        rows("SELECT managed, health_managed_pct, meets_target"
	             " FROM v1_health_managed_facility WHERE facility_id = 'F1' AND year = 2024"),
	        "6|100.0|1");
}
END_TEST

/* ---------------------------------------------------------------- money */

/*
 * November: 1 was there two days, 2 one, 3 one, 5 two.  600 yuan a month for who was there two
 * days, 10 yuan a day: 2 heads, 4 days, 1 240 yuan.  The rate of 2 November is December's.
 */
START_TEST(subsidy_by_heads_and_days)
{
	two_days();
	event(30, 0x11, 20241201, 1, 0);
	run("INSERT INTO subsidy_rate(rate_code, version, min_days, per_month_fen, per_day_fen)"
	    " VALUES ('care', 20240101, 2, 60000, 1000), ('care', 20241102, 1, 70000, 0),"
	    " ('early', 20250101, 1, 1, 1);"
	    "INSERT INTO subsidy_rate(rate_code, version, class_kind, per_day_fen) VALUES"
	    " ('toddlers', 20240101, 3, 500);"
	    "INSERT INTO subsidy_rate(rate_code, version, service_type, per_day_fen) VALUES"
	    " ('half', 20240101, 2, 300);"
	    "INSERT INTO subsidy_statement(id, facility_id, period, kind, child_days, amount_fen,"
	    " state) VALUES (x'01', 'F1', '202411', 1, 4, 120000, 2),"
	    " (x'02', 'F1', '202411', 2, NULL, 5, 1)");
	ck_assert_str_eq(rows("SELECT month, rate_code, valid_from, heads, child_days, amount_fen,"
	                      " stated_child_days, stated_fen FROM v1_subsidy_due WHERE"
	                      " facility_id = 'F1' ORDER BY month, rate_code"),
	                 "202411|care|20240101|2|4|124000|4|120000;"
	                 "202411|half|20240101|1|1|300|4|120000;"
	                 "202411|toddlers|20240101|3|4|2000|4|120000;"
	                 "202412|care|20241102|1|1|70000||");
	/* one child with two enrolments is one head, and a day is one day */
	run("INSERT INTO enrollment(id, facility_id, child_id, class_id) VALUES"
	    " (x'18', 'F1', x'01', x'c2')");
	event(31, 0x18, 20241103, 1, 0);
	event(32, 0x18, 20241104, 1, 0);
	ck_assert_str_eq(
	        rows("SELECT heads, child_days FROM v1_subsidy_due WHERE month = 202411 AND"
	             " rate_code = 'care'"),
	        "2|5");
	run("UPDATE facility SET is_inclusive = NULL; UPDATE subsidy_rate SET inclusive_only = 1"
	    " WHERE rate_code <> 'half'");
	ck_assert_str_eq(rows("SELECT DISTINCT rate_code FROM v1_subsidy_due"), "half");
}
END_TEST

START_TEST(what_the_yearly_evaluation_rests_on)
{
	two_days();
	check(1, 0x11, 1, 0);
	run("INSERT INTO staff(id, facility_id, status) VALUES (x'51', 'F1', 1), (x'52', 'F1', 1),"
	    " (x'53', 'F1', 2);"
	    "INSERT INTO staff_cert(id, facility_id, staff_id, type, valid_to) VALUES"
	    " (x'01', 'F1', x'51', 1, 20991231), (x'02', 'F1', x'52', 1, 20240101),"
	    " (x'03', 'F1', x'52', 2, 20991231);"
	    "INSERT INTO incident(id, facility_id, severity, biz_date) VALUES"
	    " (x'01', 'F1', 1, 20240505), (x'02', 'F1', 3, 20240506), (x'03', 'F1', 4, 20230505);"
	    "INSERT INTO absence_case(id, facility_id, date_from) VALUES (x'01', 'F1', 20241102),"
	    " (x'02', 'F1', 20241103);"
	    "INSERT INTO absence_followup(id, facility_id, absence_id) VALUES (x'01', 'F1', x'02'),"
	    " (x'02', 'F1', x'02');"
	    "INSERT INTO inspection(id, facility_id, inspected_date, closed) VALUES"
	    " (x'01', 'F1', 20240101, 1), (x'02', 'F1', 20240102, NULL);"
	    "INSERT INTO feedback(id, facility_id, rating, at) VALUES (x'01', 'F1', 5, "
	    "1730588400000),"
	    " (x'02', 'F1', 4, 1730588400000);"
	    "INSERT INTO evaluation(id, facility_id, year, standard, score_e1, grade) VALUES"
	    " (x'01', 'F1', 2024, 'WS/T 821-2023', 9125, 'A')");
	ck_assert_str_eq(
	        rows("SELECT year, open_days, attendance_pct, morning_check_pct, "
	             "health_managed_pct,"
	             " staff, staff_certified, incidents, incidents_serious, absences,"
	             " absences_followed, inspections, inspections_open, rating, score_e1, grade"
	             " FROM v1_evaluation_input WHERE facility_id = 'F1' AND year < 2025"
	             " ORDER BY year"),
	        "2023|0||||2|2|1|1|0|0|0|0|||;"
	        "2024|2|83.3|16.7|0.0|2|1|2|1|2|1|2|1|4.5|9125|A");
	/* of who never told of an attendance there is a row, too, from whatever is known */
	run("INSERT INTO inspection(id, facility_id, inspected_date) VALUES (x'05', 'F3', "
	    "20240101);"
	    "INSERT INTO evaluation(id, facility_id, year, grade) VALUES (x'06', 'F4', 2022, 'B');"
	    "INSERT INTO feedback(id, facility_id, rating, at) VALUES (x'07', 'F4', 3, "
	    "1672502400000)");
	ck_assert_str_eq(rows("SELECT facility_id, year, open_days, attendance_pct, inspections,"
	                      " rating, grade FROM v1_evaluation_input"
	                      " WHERE facility_id IN ('F3', 'F4') ORDER BY 1, 2"),
	                 "F3|2024|0||1||;F4|2022|0||0||B;F4|2023|0||0|3.0|");
}
END_TEST

/* ---------------------------------------------------------------- growth */

static const struct growth_case {
	int sex, days;
	const char *column; /* of growth_measurement */
	int value, posture;
	const char *standard, *want; /* z, percentile */
} growth_cases[] = {
	/* worked examples of WHO's anthro package */
	{ 1, 1001, "weight_g", 18000, 0, "WHO 2006", "2.2|98.6" },
	{ 2, 1000, "weight_g", 15000, 0, "WHO 2006", "0.95|83.0" },
	/* printed lines of the tables: a new-born boy's M, +2 SD of length, -3 SD of head */
	{ 1, 0, "weight_g", 3346, 0, "WHO 2006", "0.0|50.0" },
	{ 1, 0, "length_mm", 537, 1, "WHO 2006", "2.02|97.8" },
	{ 2, 0, "head_mm", 303, 0, "WHO 2006", "-3.02|0.1" },
	/* beyond three SD, a new-born boy: 3 + (5.6 - SD3) / (SD3 - SD2), by L 0.3487, M 3.3464, S
	   0.14602 */
	{ 1, 0, "weight_g", 5600, 0, "WHO 2006", "3.93|100.0" },
	{ 1, 0, "weight_g", 1800, 0, "WHO 2006", "-3.74|0.0" },
	/* at 24 months one stands: a boy's M is 87.1161 cm, lying 0.7 cm more */
	{ 1, 731, "length_mm", 871, 2, "WHO 2006", "-0.01|49.6" },
	{ 1, 731, "length_mm", 878, 1, "WHO 2006", "-0.01|49.6" },
	/* WS/T 423-2022, boys: birth weight 3.5 in the middle, +1 SD 3.9, -2 SD 2.7, -3 SD 2.4 */
	{ 1, 0, "weight_g", 3500, 0, "WS/T 423-2022", "0.0|50.0" },
	{ 1, 0, "weight_g", 3700, 0, "WS/T 423-2022", "0.5|69.1" },
	{ 1, 0, "weight_g", 2400, 0, "WS/T 423-2022", "-3.0|0.1" },
	{ 1, 0, "weight_g", 2100, 0, "WS/T 423-2022", "-4.0|0.0" },
	{ 2, 0, "length_mm", 541, 1, "WS/T 423-2022", "2.0|97.7" },
	/* nobody has lines for a girl's head, or for a child of six years */
	{ 2, 0, "head_mm", 303, 0, "WS/T 423-2022", "" },
	{ 1, 2192, "weight_g", 20000, 0, "WHO 2006", "" },
	{ 1, 0, "weight_g", 0, 0, "WHO 2006", "" },
};

START_TEST(z_scores_are_those_that_were_published)
{
	const struct growth_case *c = &growth_cases[_i];
	char sql[400];

	snprintf(sql, sizeof sql,
	         "UPDATE child SET sex = %d WHERE id = x'01';"
	         "INSERT INTO growth_measurement(id, facility_id, child_id, measured_date, %s, "
	         "posture)"
	         " VALUES (x'01', 'F1', x'01', strftime('%%Y%%m%%d', '2024-01-01', '+%d days'), "
	         "%d, %d)",
	         c->sex, c->column, c->days, c->value, c->posture);
	run(sql);
	snprintf(sql, sizeof sql,
	         "SELECT z, percentile FROM v1_growth_z WHERE child_id = x'01' AND standard = '%s'",
	         c->standard);
	ck_assert_msg(strcmp(rows(sql), c->want) == 0, "%d: %s, not %s", _i, rows(sql), c->want);
}
END_TEST

/* Who was measured before she was born, or isn't a boy or girl, has no z; nor a corrected row. */
START_TEST(what_can_t_be_right_has_no_z_score)
{
	run("INSERT INTO growth_measurement(id, facility_id, child_id, measured_date, weight_g, "
	    "replaces_id)"
	    " VALUES (x'01', 'F1', x'01', 20231231, 4000, NULL), (x'02', 'F1', x'02', NULL, 4000, "
	    "NULL),"
	    " (x'03', 'F1', x'02', 20240201, 400, NULL), (x'04', 'F1', x'02', 20240201, 4000, "
	    "x'03'),"
	    " (x'05', 'F1', x'03', 20240201, 4000, NULL); UPDATE child SET sex = 9 WHERE id = "
	    "x'03'");
	ck_assert_str_eq(rows("SELECT hex(id), age_months, value FROM v1_growth_z"
	                      " WHERE standard = 'WHO 2006'"),
	                 "04|1.02|4.0");
}
END_TEST

Suite *
suite_facility_district(void)
{
	Suite *suite = suite_create("node/facility/district");
	TCase *tcase = tcase_create("district");

	tcase_add_checked_fixture(tcase, begin, hub_close);
	tcase_add_test(tcase, places_per_thousand_residents);
	tcase_add_test(tcase, supply_and_demand);
	tcase_add_test(tcase, attendance_of_those_who_were_due);
	tcase_add_test(tcase, a_missing_morning_check_is_unknown_until_the_hub_knows);
	tcase_add_test(tcase, the_district_says_from_which_minute_on_a_morning_is_judged);
	tcase_add_test(tcase, children_in_health_management);
	tcase_add_test(tcase, subsidy_by_heads_and_days);
	tcase_add_test(tcase, what_the_yearly_evaluation_rests_on);
	tcase_add_loop_test(tcase, z_scores_are_those_that_were_published, 0,
	                    sizeof growth_cases / sizeof growth_cases[0]);
	tcase_add_test(tcase, what_can_t_be_right_has_no_z_score);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/facility_day.c - a simulated day goes through the door whole, and the same again from the
 * same seed. */
#include "tests/suites.h"

#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/day.h"
#include "node/facility/roster.h"
#include "node/hub/records.h"
#include "store/base/file.h"
#include "tests/facility_help.h"
#include "tests/hub_help.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct store_db *
open_with_roster(struct facility *f, const char *path, int kind)
{
	struct roster_options opt = { .at = help_at(7, 0) };
	struct store_db *db = help_open(f);
	struct buf text = { 0 };
	struct roster_counts n;
	struct err err = { 0 };
	int rc = facility_create(db, "F1", "测试", kind, &err);

	if (rc == 0)
		rc = store_db_commit(db, &err);
	if (rc == 0)
		rc = facility_open(f, db, NULL, &err);
	if (rc == 0)
		rc = file_read(path, 1 << 20, &text, &err);
	if (rc == 0)
		rc = roster_import(f, text.bytes, text.len, &opt, &n, &err);
	ck_assert_msg(rc == 0, "%s", err.msg);
	buf_free(&text);
	return db;
}

static void
plan(struct facility *f, int date, uint64_t seed, struct arena *a, struct facility_action **list,
     size_t *count)
{
	struct err err = { 0 };
	int rc = facility_day_plan(f, date, seed, a, list, count, &err);

	ck_assert_msg(rc == 0, "%s", err.msg);
}

/* All tables' rows of the facility. */
static int64_t
rows_of(struct store_db *db)
{
	int64_t sum = 0;

	for (size_t i = 0; i < facility_table_count; i++) {
		char sql[100];

		if (strcmp(facility_tables[i].scope, "f/") != 0)
			continue;
		snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", facility_tables[i].table);
		sum += help_int(db, sql);
	}
	return sum;
}

/* Do a whole day; nothing may be refused. */
static void
run_day(struct facility *f, int date, uint64_t seed)
{
	struct arena a = { 0 };
	struct facility_action *list;
	struct err err = { 0 };
	size_t count;

	plan(f, date, seed, &a, &list, &count);
	ck_assert_int_eq(store_db_begin(f->db, &err), 0);
	for (size_t i = 0; i < count; i++) {
		int rc = facility_do(f, &list[i], &err);

		ck_assert_msg(rc == 0, "%s: %s", facility_do_name(list[i].what), err.msg);
		ck_assert_msg(i == 0 || list[i - 1].as.at <= list[i].as.at,
		              "not in the order of time");
		ck_assert_int_eq(date_of(list[i].as.at, 480), date);
	}
	ck_assert_int_eq(store_db_commit(f->db, &err), 0);
	arena_free(&a);
}

/* The hub has the facility's tables, and a node of it. */
static void
make_platform(void)
{
	struct err err = { 0 };
	int rc = store_db_begin(hub_db, &err);

	if (rc == 0)
		rc = facility_schema_create(hub_db, &err);
	if (rc == 0)
		rc = facility_track(hub_db, true, &err);
	if (rc == 0)
		rc = store_db_commit(hub_db, &err);
	ck_assert_msg(rc == 0, "%s", err.msg);
	hub_enrol("F1", 1);
}

/* As a meeting with the hub brings them down. */
static void
copy_leaves(struct store_db *db)
{
	struct store_stmt s = store_stmt_new(
	        hub_db, "SELECT id, facility_id, enrollment_id, date_from, date_to, type, reason,"
	                " source, at FROM leave_request");
	struct err err = { 0 };

	while (store_stmt_step(&s, &err) == 1) {
		struct store_stmt to = store_stmt_new(
		        db,
		        "INSERT INTO leave_request(id, facility_id, enrollment_id, date_from,"
		        " date_to, type, reason, source, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

		for (int i = 0; i < 9; i++) {
			struct store_value v = store_stmt_get_value(&s);

			store_stmt_put_value(&to, &v);
		}
		ck_assert_msg(store_stmt_run(&to, &err) == 0, "%s", err.msg);
	}
	store_stmt_end(&s);
}

static const struct day_case {
	const char *path;
	int kind;
	int64_t least, most;
} day_cases[] = {
	{ "packaging/rosters/centre-1.csv", KIND_NURSERY, 900, 1300 },
	{ "packaging/rosters/centre-2.csv", KIND_NURSERY, 600, 1000 },
	{ "packaging/rosters/station-1.csv", KIND_STATION, 180, 420 },
};

START_TEST(a_day_is_accepted_whole)
{
	const struct day_case *c = &day_cases[_i];
	struct facility f;
	struct store_db *db = open_with_roster(&f, c->path, c->kind);
	int64_t before = rows_of(db), rows;
	struct err err = { 0 };
	size_t answered = 1;

	run_day(&f, 20261123, 7);
	rows = rows_of(db) - before;
	ck_assert_msg(rows >= c->least && rows <= c->most, "%s: %lld rows", c->path,
	              (long long)rows);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM v1_attendance_day WHERE present"), 0);
	ck_assert_int_eq(
	        help_int(db, "SELECT count(*) FROM attendance_event WHERE recorded_by IS NULL"), 0);
	/* the house was looked at before the first child and after the last one */
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM house_check WHERE present_n = 0"), 2);
	ck_assert_int_eq(help_int(db, "SELECT max(at) FROM house_check WHERE kind = 1") <
	                         help_int(db, "SELECT min(at) FROM attendance_event"),
	                 1);
	ck_assert_int_eq(help_int(db, "SELECT min(at) FROM house_check WHERE kind = 2") >
	                         help_int(db, "SELECT max(at) FROM attendance_event"),
	                 1);
	/* who works has said how she is, once */
	ck_assert_int_gt(help_int(db, "SELECT count(*) FROM staff_check WHERE fit = 1"), 2);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM staff_check"),
	                 help_int(db, "SELECT count(DISTINCT s.staff_id) FROM staff_check s JOIN"
	                              " staff_attendance a ON a.staff_id = s.staff_id AND a.kind ="
	                              " 1 AND a.at <= s.at + 60000"));
	/* without a hub nobody asks it for leave, and there is nothing to answer */
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM leave_request"), 0);
	ck_assert_int_eq(facility_day_answer(&f, help_at(9, 0), &answered, &err), 0);
	ck_assert_uint_eq(answered, 0);
	/* everybody came or is known to be away */
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM enrollment e WHERE NOT EXISTS (SELECT "
	                              "1 FROM absence_case a"
	                              " WHERE a.enrollment_id = e.id) AND NOT EXISTS (SELECT 1 "
	                              "FROM attendance_event a"
	                              " WHERE a.enrollment_id = e.id)"),
	                 0);
	store_db_close(db);
}
END_TEST

START_TEST(the_model_holds_over_a_month)
{
	struct facility f;
	struct store_db *db = open_with_roster(&f, "packaging/rosters/centre-1.csv", KIND_NURSERY);
	int64_t present, odd, medicine, once;
	int date = 20261102;

	for (int day = 0; day < 20; day++, date = date_add(date, 1))
		run_day(&f, date, 3);
	present = help_int(db, "SELECT count(*) FROM v1_attendance_day");
	odd = help_int(db, "SELECT count(*) FROM health_check WHERE slot = 1 AND look_bits <> 0");
	medicine = help_int(db, "SELECT count(*) FROM medication_request");
	ck_assert_msg(present > 58 * 20 * 80 / 100 && present < 58 * 20 * 90 / 100, "%lld present",
	              (long long)present);
	ck_assert_msg(odd > present * 2 / 100 && odd < present * 6 / 100, "%lld odd",
	              (long long)odd);
	ck_assert_msg(medicine > present / 100 && medicine < present * 5 / 100,
	              "%lld with medicine", (long long)medicine);
	/* some are fetched with a code, and each code was used on its day */
	once = help_int(db, "SELECT count(*) FROM pickup_auth WHERE kind = 2");
	ck_assert_msg(once > present / 100 && once < present * 6 / 100, "%lld codes",
	              (long long)once);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM pickup_auth p JOIN attendance_event a"
	                              " ON a.by_adult_id = p.id AND a.kind = 2 AND a.method = 4 AND"
	                              " a.biz_date = p.valid_from WHERE p.kind = 2 AND p.valid_to ="
	                              " p.valid_from"),
	                 once);
	/* a cough now and then among the staff */
	ck_assert_int_gt(help_int(db, "SELECT count(*) FROM staff_check WHERE symptom_bits <> 0"),
	                 0);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM house_check"), (int64_t)2 * 20);
	/* food is thrown away after two days, once */
	ck_assert_int_eq(
	        help_int(db, "SELECT count(*) FROM food_sample WHERE replaces_id IS NOT NULL"),
	        (int64_t)9 * 18);
	/* children of 6 to 36 months weigh 5 to 20 kg */
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM growth_measurement WHERE weight_g NOT "
	                              "BETWEEN 5000 AND 20000"),
	                 0);
	store_db_close(db);
}
END_TEST

/* The actions as text, ids blanked. */
static void
show(struct buf *out, const struct facility_action *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		facility_action_write(out, &list[i]);
		buf_u8(out, '\n');
	}
	for (size_t i = 0, run = 0; i < out->len; i++) {
		run = isxdigit(out->bytes[i]) ? run + 1 : 0;
		if (run == 32)
			memset(out->bytes + i - 31, 'x', 32);
	}
}

START_TEST(the_same_seed_gives_the_same_day)
{
	struct facility f[2];
	struct buf days[3] = { { 0 }, { 0 }, { 0 } };
	struct arena a = { 0 };

	for (int i = 0; i < 3; i++) {
		struct store_db *db =
		        open_with_roster(&f[i % 2], "packaging/rosters/centre-1.csv", KIND_NURSERY);
		struct facility_action *list;
		size_t count;

		plan(&f[i % 2], 20261123, i == 2 ? 8 : 7, &a, &list, &count);
		show(&days[i], list, count);
		store_db_close(db);
	}
	ck_assert_str_eq(buf_str(&days[0]), buf_str(&days[1]));
	ck_assert_str_ne(buf_str(&days[0]), buf_str(&days[2]));
	for (int i = 0; i < 3; i++)
		buf_free(&days[i]);
	arena_free(&a);
}
END_TEST

/* The platform's part: a hub takes what the facility's parents ask, and what comes down is
 * answered. */
START_TEST(parents_ask_the_hub_for_leave_and_the_facility_answers)
{
	struct token token = { .id = "day", .scope = "all", .writes = ",leave_request," };
	struct records by = { .token = &token };
	struct buf lines = { 0 }, again = { 0 }, answers = { 0 };
	struct facility f;
	struct facility_day day = { .f = &f, .date = 20261123, .seed = 7 };
	struct lines_counts counts = { 0 };
	struct store_db *db;
	size_t asked, twice, answered;
	struct err err = { 0 };

	hub_open();
	by.db = hub_db;
	make_platform();
	db = open_with_roster(&f, "packaging/rosters/centre-1.csv", KIND_NURSERY);
	ck_assert_msg(facility_day_leaves(&day, &lines, &asked, &err) == 0, "%s", err.msg);
	ck_assert_msg(asked >= 2 && asked <= 9, "%zu ask", asked);
	run_day(&f, day.date, day.seed);
	ck_assert_int_eq(facility_day_leaves(&day, &again, &twice, &err), 0);
	ck_assert_str_eq(buf_str(&lines), buf_str(&again));
	for (int i = 0; i < 2; i++) { /* the app's line was cut: it asks again */
		ck_assert_int_eq(records_take(&by, lines.bytes, lines.len, &answers, &counts, &err),
		                 0);
		ck_assert_msg((i == 0 ? counts.stored : counts.duplicate) == (int64_t)asked, "%s",
		              buf_str(&answers));
	}
	copy_leaves(db);
	ck_assert_int_eq(facility_day_answer(&f, help_at(9, 0), &answered, &err), 0);
	ck_assert_uint_eq(answered, asked);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM leave_request l JOIN absence_case a ON"
	                              " a.enrollment_id = l.enrollment_id AND a.reason = l.type AND"
	                              " a.date_from = l.date_from JOIN staff s ON s.id ="
	                              " l.recorded_by AND s.role = 1 WHERE l.review = 1"),
	                 (int64_t)asked);
	ck_assert_int_eq(facility_day_answer(&f, help_at(9, 0), &answered, &err), 0);
	ck_assert_uint_eq(answered, 0);
	buf_free(&lines);
	buf_free(&again);
	buf_free(&answers);
	store_db_close(db);
	hub_close();
}
END_TEST

START_TEST(a_tap_in_between_is_refused_and_the_day_goes_on)
{
	struct facility f;
	struct store_db *db = open_with_roster(&f, "packaging/rosters/station-1.csv", KIND_STATION);
	struct arena a = { 0 };
	struct facility_action *list;
	struct err err = { 0 };
	size_t count, refused = 0;

	plan(&f, 20261123, 1, &a, &list, &count);
	for (size_t i = 0; i < count; i++) {
		refused += facility_day_do(&f, &list[i], &err) != 0;
		if (list[i].what == DO_ARRIVAL && refused == 0)
			refused += facility_day_do(&f, &list[i], &err) != 0;
	}
	ck_assert_uint_eq(refused, 1);
	ck_assert(!store_db_in_transaction(db));
	arena_free(&a);
	store_db_close(db);
}
END_TEST

START_TEST(an_empty_house_has_a_quiet_day)
{
	struct facility f;
	struct store_db *db = help_open(&f);
	struct arena a = { 0 };
	struct facility_action *list;
	struct err err = { 0 };
	size_t count;

	ck_assert_int_eq(store_db_commit(db, &err), 0);
	plan(&f, 20261123, 1, &a, &list, &count);
	ck_assert_int_eq(facility_day_plan(&f, 20261131, 1, &a, &list, &count, &err), ERR_INVALID);
	help_says(&err, "20261131 is not a date");
	arena_free(&a);
	store_db_close(db);
}
END_TEST

Suite *
suite_facility_day(void)
{
	Suite *suite = suite_create("node/facility/day");
	TCase *tcase = tcase_create("day");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, a_day_is_accepted_whole, 0,
	                    sizeof day_cases / sizeof day_cases[0]);
	tcase_add_test(tcase, the_model_holds_over_a_month);
	tcase_add_test(tcase, the_same_seed_gives_the_same_day);
	tcase_add_test(tcase, parents_ask_the_hub_for_leave_and_the_facility_answers);
	tcase_add_test(tcase, a_tap_in_between_is_refused_and_the_day_goes_on);
	tcase_add_test(tcase, an_empty_house_has_a_quiet_day);
	suite_add_tcase(suite, tcase);
	return suite;
}

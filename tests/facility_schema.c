/* tests/facility_schema.c - tables, seeds, and how they are tracked. */
#include "tests/suites.h"

#include "node/facility/date.h"
#include "node/facility/schema_mend.h"
#include "node/facility/views.h"
#include "store/catalog.h"
#include "tests/facility_help.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* Unless its rows are the hub's, which is said at the keyboard. */
static void
expect_insert(struct store_db *db, const char *table, const char *sql)
{
	const struct store_table *known = store_catalog_table_by_name(db, table);
	struct err err = { 0 };
	int rc = store_db_exec(db, sql, &err);

	ck_assert_ptr_nonnull(known->local);
	if (store_schema_is_hubs(known->local)) {
		ck_assert_int_lt(rc, 0);
		ck_assert_ptr_nonnull(strstr(err.msg, "rows that only the hub writes"));
	} else {
		ck_assert_msg(rc == 0, "%s: %s", table, err.msg);
	}
}

START_TEST(every_table_of_a_facility_names_it_and_takes_a_plain_insert)
{
	struct facility f;
	struct store_db *db = help_open(&f);

	for (size_t i = 0; i < facility_table_count; i++) {
		const struct store_track_spec *t = &facility_tables[i];
		char sql[400];

		if (strcmp(t->scope, "f/") != 0)
			continue;
		ck_assert_str_eq(t->scope_column, "facility_id");
		snprintf(sql, sizeof sql,
		         "SELECT count(*) FROM pragma_table_info('%s') WHERE name = 'facility_id' "
		         "AND \"notnull\""
		         " OR name = 'recorded_by' AND type = 'BLOB'",
		         t->table);
		ck_assert_msg(help_int(db, sql) == 2, "%s", t->table);
		/* all but key and facility_id may be left out */
		snprintf(sql, sizeof sql,
		         "SELECT count(*) FROM pragma_table_info('%s') WHERE \"notnull\" AND "
		         "dflt_value IS NULL AND pk = 0"
		         " AND name <> 'facility_id'",
		         t->table);
		ck_assert_msg(help_int(db, sql) == 0, "%s", t->table);
		snprintf(sql, sizeof sql, "INSERT INTO %s(facility_id) VALUES ('F2')", t->table);
		snprintf(sql + 200, 200,
		         "SELECT count(*) FROM pragma_table_info('%s') WHERE pk AND name = 'id'",
		         t->table);
		if (help_int(db, sql + 200) == 1)
			expect_insert(db, t->table, sql);
	}
	store_db_close(db);
}
END_TEST

START_TEST(every_table_but_local_ones_is_tracked)
{
	struct facility f;
	struct store_db *db = help_open(&f);

	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
	                              " AND name NOT LIKE 'yz_%' AND name NOT LIKE 'local_%'"),
	                 (int64_t)facility_table_count);
	for (size_t i = 1; i < facility_table_count; i++)
		ck_assert_str_lt(facility_tables[i - 1].table, facility_tables[i].table);
	ck_assert_ptr_nonnull(facility_table("care_event"));
	ck_assert_ptr_null(facility_table("local_pin"));
	store_db_close(db);
}
END_TEST

START_TEST(tracking_accepts_every_table)
{
	struct facility f;
	struct store_db *db = help_open(&f);
	struct err err = { 0 };
	int rc = facility_track(db, _i == 1, &err);

	ck_assert_msg(rc == 0, "%s", err.msg);
	store_db_close(db);
}
END_TEST

START_TEST(seeds_name_their_source_and_come_once)
{
	struct facility f;
	struct store_db *db = help_open(&f);
	struct err err = { 0 };
	int64_t codes = help_int(db, "SELECT count(*) FROM code_set");

	ck_assert_int_gt(codes, 200);
	for (size_t i = 0; facility_seeded[i] != NULL;
	     i++) /* an upgrade does it with triggers off */
		ck_assert_int_eq(store_track_stop(db, facility_seeded[i], &err), 0);
	ck_assert_msg(facility_seed(db, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM code_set"), codes);
	for (size_t i = 0; facility_seeded[i] != NULL; i++) {
		char sql[200];

		snprintf(sql, sizeof sql,
		         "SELECT count(*) FROM %s WHERE coalesce(source, '') = '' OR version < "
		         "20000101",
		         facility_seeded[i]);
		ck_assert_msg(help_int(db, sql) == 0, "%s", facility_seeded[i]);
	}
	/* 18 doses by two years; a boy of 6 months weighs 7.9 kg in the middle */
	ck_assert_int_eq(
	        help_int(db, "SELECT count(*) FROM vaccine_schedule WHERE min_age_days < 700"), 17);
	ck_assert_int_eq(help_int(db, "SELECT sd0_e1 FROM growth_ref WHERE standard = 'who-wfa' "
	                              "AND sex = 1 AND x = 6"),
	                 79);
	store_db_close(db);
}
END_TEST

START_TEST(a_withdrawal_stands_until_a_grant_names_it)
{
	struct facility f;
	struct store_db *db = help_open(&f);
	struct err err = { 0 };
	static const char *const steps[] = {
		"INSERT INTO consent(id, facility_id, child_id, purpose, granted, at) VALUES "
		"(x'01', 'F1', x'aa', 3, 1, 10)",
		"INSERT INTO consent(id, facility_id, child_id, purpose, granted, at) VALUES "
		"(x'02', 'F1', x'aa', 3, 0, 5)",
		"INSERT INTO consent(id, facility_id, child_id, purpose, granted, at) VALUES "
		"(x'03', 'F1', x'aa', 3, 1, 20)",
		"INSERT INTO consent(id, facility_id, child_id, purpose, granted, at, replaces_id)"
		" VALUES (x'04', 'F1', x'aa', 3, 1, 30, x'02')",
	};
	static const int64_t holds[] = { 1, 0, 0, 1 };

	for (size_t i = 0; i < 4; i++) {
		ck_assert_msg(store_db_exec(db, steps[i], &err) == 0, "%s", err.msg);
		ck_assert_msg(help_int(db, "SELECT holds FROM v1_consent") == holds[i], "step %zu",
		              i);
	}
	store_db_close(db);
}
END_TEST

static const struct date_case {
	const char *text;
	int want; /* 0: refused */
} date_cases[] = {
	{ "2024-03-01", 20240301 },
	{ "2024/3/1", 20240301 },
	{ "20240301", 20240301 },
	{ "2024-02-29", 20240229 },
	{ "2023-02-29", 0 },
	{ "2024-3/1", 0 },
	{ "2024-13-01", 0 },
	{ "2024-03-01x", 0 },
	{ "202403011", 0 },
	{ "", 0 },
	{ "24-3-1", 0 },
	{ "2024年3月1日", 0 },
};

START_TEST(dates_are_read_or_refused)
{
	const struct date_case *c = &date_cases[_i];
	int date = 0;

	ck_assert_msg(date_parse(c->text, &date) == (c->want != 0), "%s", c->text);
	if (c->want != 0)
		ck_assert_int_eq(date, c->want);
}
END_TEST

START_TEST(a_day_begins_at_midnight_of_the_facility)
{
	int64_t midnight = date_ms(20260302, 0, 480);

	ck_assert_int_eq(midnight, 1772380800000); /* 2026-03-01T16:00:00Z */
	ck_assert_int_eq(date_of(midnight, 480), 20260302);
	ck_assert_int_eq(date_of(midnight - 1, 480), 20260301);
	ck_assert_int_eq(date_minute(midnight + 61000, 480), 1);
	ck_assert_int_eq(date_add(20240228, 2), 20240301);
	ck_assert_int_eq(date_add(20260101, -1), 20251231);
	ck_assert_int_eq(date_weekday(20260302), 1);
	ck_assert_int_eq(date_weekday(20260301), 7);
	ck_assert_int_eq(date_months(20240331, 20240930), 5);
	ck_assert_int_eq(date_months(20240331, 20241001), 6);
	for (int date = 19991231; date < 20050101; date = date_add(date, 1))
		ck_assert_int_eq(date_of(date_ms(date, 0, 0), 0), date);
}
END_TEST

/* What has come since the first schema, beside indexes. */
static const char take_out[] = "DROP TABLE seat_ask; DROP TABLE seat_override;"
                               "DROP TABLE population; DROP TABLE subsidy_rate;"
                               "DROP TABLE staff_check; DROP TABLE house_check;"
                               "DROP TABLE child_alias;"
                               "DROP TRIGGER allergy_said; DROP TRIGGER allergy_said_again;"
                               "DROP TRIGGER allergy_said_gone; DROP TABLE allergy_word;"
                               "DROP TRIGGER enrollment_stepped;"
                               "DROP TRIGGER enrollment_stepped_on; DROP TABLE enrollment_step;"
                               "DROP TABLE local_word; DROP TABLE symptom_notice;"
                               "ALTER TABLE seat_unit DROP COLUMN recall;"
                               "ALTER TABLE booking DROP COLUMN review_note;"
                               "DROP TRIGGER leave_request_reworded;"
                               "DROP TRIGGER medication_request_reworded;"
                               "DROP TRIGGER booking_reworded;"
                               "ALTER TABLE booking DROP COLUMN wording;"
                               "ALTER TABLE booking DROP COLUMN review_of;"
                               "ALTER TABLE leave_request DROP COLUMN wording;"
                               "ALTER TABLE leave_request DROP COLUMN review_of;"
                               "ALTER TABLE medication_request DROP COLUMN wording;"
                               "ALTER TABLE medication_request DROP COLUMN review_of;"
                               "DROP TRIGGER pickup_auth_reworded;"
                               "DROP TABLE course_order; DROP TABLE district_announcement;"
                               "ALTER TABLE pickup_auth DROP COLUMN asked;"
                               "ALTER TABLE pickup_auth DROP COLUMN review;"
                               "ALTER TABLE pickup_auth DROP COLUMN review_note;"
                               "ALTER TABLE pickup_auth DROP COLUMN reviewed_at;"
                               "ALTER TABLE pickup_auth DROP COLUMN wording;"
                               "ALTER TABLE pickup_auth DROP COLUMN review_of;"
                               "ALTER TABLE medication_request DROP COLUMN review;"
                               "ALTER TABLE medication_request DROP COLUMN review_note;"
                               "ALTER TABLE medication_request DROP COLUMN reviewed_at;"
                               "DELETE FROM yz_meta WHERE name = 'facility_format'";

/* The tables that are there and have got columns since. */
static void
track_as_before(struct store_db *db)
{
	static const struct store_track_spec unit = { .table = "seat_unit",
		                                      .scope = "f/",
		                                      .scope_column = "facility_id",
		                                      .hub_only = "resource, period, holder" };
	static const char *const groups[] = { "drug, dose_text, time_bits, date_from, date_to",
		                              "accepted_by, accepted_at", NULL };
	static const struct store_track_spec medicine = { .table = "medication_request",
		                                          .scope = "f/",
		                                          .scope_column = "facility_id",
		                                          .groups = groups };
	static const char *const leaves[] = { "date_from, date_to, type, reason",
		                              "review, review_note, reviewed_at", NULL };
	static const struct store_track_spec leave = { .table = "leave_request",
		                                       .scope = "f/",
		                                       .scope_column = "facility_id",
		                                       .groups = leaves };
	static const char *const seats[] = { "seat_grant_id, seat_no", NULL };
	static const struct store_track_spec booking = {
		.table = "booking", .scope = "f/", .scope_column = "facility_id", .groups = seats
	};
	static const struct store_track_spec right = { .table = "pickup_auth",
		                                       .scope = "f/",
		                                       .scope_column = "facility_id",
		                                       .max = "revoked",
		                                       .urgent = true };
	struct err err;

	ck_assert_msg(store_track_table(db, &unit, false, &err) == 0, "%s", err.msg);
	ck_assert_msg(store_track_table(db, &medicine, false, &err) == 0, "%s", err.msg);
	ck_assert_msg(store_track_table(db, &booking, false, &err) == 0, "%s", err.msg);
	ck_assert_msg(store_track_table(db, &leave, false, &err) == 0, "%s", err.msg);
	ck_assert_msg(store_track_table(db, &right, false, &err) == 0, "%s", err.msg);
}

/* Make of it a database as the first schema made it. */
static void
make_older(struct store_db *db)
{
	static const char *const come[] = { "booking",
		                            "allergy_word",
		                            "child_alias",
		                            "enrollment_step",
		                            "house_check",
		                            "population",
		                            "medication_request",
		                            "seat_ask",
		                            "leave_request",
		                            "seat_override",
		                            "seat_unit",
		                            "staff_check",
		                            "subsidy_rate",
		                            "symptom_notice",
		                            "pickup_auth",
		                            "course_order",
		                            "district_announcement" };
	static const char *const indexed[] = { "booking_seat",
		                               "seat_unit_used",
		                               "seat_unit_moving",
		                               "attendance_event_date",
		                               "health_check_date",
		                               "staff_cert_replaced",
		                               "staff_attendance_replaced",
		                               "absence_followup_replaced",
		                               "health_exam_replaced",
		                               "nap_check_replaced",
		                               "food_sample_replaced",
		                               "disinfection_log_replaced",
		                               "handover_replaced",
		                               "feedback_replaced",
		                               "device_event_replaced",
		                               "health_exam_child",
		                               "child_id_hash",
		                               "symptom_case_open" };
	struct err err;

	for (size_t i = 0; i < sizeof come / sizeof come[0]; i++)
		ck_assert_int_eq(store_track_stop(db, come[i], &err), 0);
	ck_assert_int_eq(facility_views_drop(db, &err), 0);
	for (size_t i = 0; i < sizeof indexed / sizeof indexed[0]; i++) {
		char sql[100];

		snprintf(sql, sizeof sql, "DROP INDEX %s", indexed[i]);
		ck_assert_msg(store_db_exec(db, sql, &err) == 0, "%s", err.msg);
	}
	ck_assert_msg(store_db_exec(db, take_out, &err) == 0, "%s", err.msg);
	track_as_before(db);
}

/* How many tables, columns, indexes and triggers are in one of the two and not in the other. */
static int64_t
differences(struct store_db *db)
{
	return help_int(db,
	                "SELECT count(*) FROM (SELECT * FROM want EXCEPT SELECT * FROM is_now)") +
	       help_int(db,
	                "SELECT count(*) FROM (SELECT * FROM is_now EXCEPT SELECT * FROM want)");
}

START_TEST(an_older_database_becomes_like_a_new_one)
{
	static const char now[] =
	        "CREATE TEMP VIEW is_now AS SELECT m.type, m.name, c.name AS col, c.type AS ty,"
	        " c.pk, c.\"notnull\", iif(m.type = 'trigger', m.sql, '') FROM sqlite_master m"
	        " LEFT JOIN pragma_table_info(m.name) c;"
	        "CREATE TEMP TABLE want AS SELECT * FROM is_now";
	struct facility f;
	struct store_db *db = help_open(&f);
	struct err err = { 0 };

	ck_assert_msg(store_db_exec(db, now, &err) == 0, "%s", err.msg);
	make_older(db);
	ck_assert_int_gt(differences(db), 10);
	for (int i = 0; i < 2; i++) { /* twice is once */
		ck_assert_int_eq(store_db_commit(db, &err), 0);
		ck_assert_msg(facility_schema_upgrade(db, false, &err) == 0, "%s", err.msg);
		ck_assert_int_eq(store_db_begin(db, &err), 0);
		ck_assert_int_eq(differences(db), 0);
	}
	store_db_close(db);
}
END_TEST

/* Not a word of it is touched: the views, which this program would make anew, stay, too. */
START_TEST(the_tables_of_a_newer_program_are_let_be)
{
	struct facility f;
	struct store_db *db = help_open(&f);
	int64_t views = help_int(db, "SELECT count(*) FROM sqlite_master WHERE type = 'view'");
	struct err err = { 0 };

	ck_assert_int_gt(views, 10);
	ck_assert_int_eq(facility_schema_look(db, &err), 0);
	ck_assert_int_eq(store_meta_set_int(db, "facility_format", 999, &err), 0);
	ck_assert_int_eq(store_meta_set(db, "facility_views", "theirs", 6, &err), 0);
	ck_assert_int_eq(store_db_commit(db, &err), 0);
	ck_assert_int_eq(facility_schema_upgrade(db, false, &err), ERR_INVALID);
	help_says(&err, "facility tables have format 999, this program knows ");
	help_says(&err, ": install the newer yizhan again");
	ck_assert_int_eq(facility_schema_look(db, &err), ERR_INVALID);
	help_says(&err, "facility tables have format 999, this program knows ");
	ck_assert_int_eq(help_int(db, "SELECT value FROM yz_meta WHERE name = 'facility_format'"),
	                 999);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM sqlite_master WHERE type = 'view'"),
	                 views);
	store_db_close(db);
}
END_TEST

/* The faults as text: "table child gone", a line each. */
static void
expect_faults(struct store_db *db, const char *wanted)
{
	struct facility_fault *list;
	struct buf told = { 0 };
	struct arena a = { 0 };
	struct err err = { 0 };
	size_t count;

	ck_assert_msg(facility_schema_faults(db, false, &a, &list, &count, &err) == 0, "%s",
	              err.msg);
	for (size_t i = 0; i < count; i++)
		buf_printf(&told, "%s %s%s%s\n", list[i].type, list[i].name,
		           list[i].is_there ? " other" : "",
		           list[i].is_without_table ? " without table" : "");
	ck_assert_str_eq(buf_str(&told), wanted);
	buf_free(&told);
	arena_free(&a);
}

START_TEST(what_was_taken_of_the_schema_is_told_and_comes_back)
{
	static const char take[] = "DROP TABLE allergy; DROP TABLE local_pin;"
	                           "DROP TRIGGER enrollment_stepped; DROP VIEW v1_child;"
	                           "CREATE VIEW v1_child AS SELECT 1;"
	                           "CREATE VIEW mine AS SELECT 1; ALTER TABLE child ADD COLUMN c";
	static const char tables[] = "table allergy\n"
	                             "trigger allergy_said without table\n"
	                             "trigger allergy_said_again without table\n"
	                             "trigger allergy_said_gone without table\n"
	                             "table local_pin\n";
	struct facility f;
	struct store_db *db = help_open(&f);
	struct err err = { 0 };

	expect_faults(db, "");
	ck_assert_msg(store_db_exec(db, take, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(store_track_refresh(db, false, &err), 0);
	ck_assert_msg(facility_schema_settle(db, false, &err) == 0, "%s", err.msg);
	expect_faults(db, tables);
	ck_assert_msg(facility_schema_mend(db, false, true, &err) == 0, "%s", err.msg);
	expect_faults(db, "");
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM yz_table WHERE schema IS NOT NULL"
	                              " AND name = 'allergy'"),
	                 1);
	store_db_close(db);
}
END_TEST

Suite *
suite_facility_schema(void)
{
	Suite *suite = suite_create("node/facility/schema");
	TCase *tcase = tcase_create("schema");

	tcase_add_test(tcase, every_table_of_a_facility_names_it_and_takes_a_plain_insert);
	tcase_add_test(tcase, every_table_but_local_ones_is_tracked);
	tcase_add_loop_test(tcase, tracking_accepts_every_table, 0, 2);
	tcase_add_test(tcase, seeds_name_their_source_and_come_once);
	tcase_add_test(tcase, an_older_database_becomes_like_a_new_one);
	tcase_add_test(tcase, the_tables_of_a_newer_program_are_let_be);
	tcase_add_test(tcase, what_was_taken_of_the_schema_is_told_and_comes_back);
	tcase_add_test(tcase, a_withdrawal_stands_until_a_grant_names_it);
	tcase_add_loop_test(tcase, dates_are_read_or_refused, 0,
	                    sizeof date_cases / sizeof date_cases[0]);
	tcase_add_test(tcase, a_day_begins_at_midnight_of_the_facility);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/facility_record.c - what the door lets in, what it refuses and with which words. */
#include "tests/suites.h"

#include "node/facility/codes.h"
#include "tests/facility_help.h"

#include <check.h>
#include <string.h>

#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, err.msg)

/* A second node of a facility has nothing to tell of it: a row would undo the first one's. */
START_TEST(a_claimed_facility_has_no_row_and_its_id_for_a_name)
{
	struct facility f, other;
	struct store_db *db = help_open(&f);
	struct err err = { 0 };

	ck_assert_int_eq(facility_claim(db, "F2", &err), 0);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM facility WHERE facility_id = 'F2'"), 0);
	ck_assert_int_eq(facility_open(&other, db, NULL, &err), 0);
	ck_assert_str_eq(other.id, "F2");
	ck_assert_str_eq(other.name, "F2");
	ck_assert_int_eq(other.kind, KIND_NURSERY);
	ck_assert_int_eq(other.offset_min, f.offset_min);
	ck_assert_int_eq(help_int(db, "INSERT INTO facility(facility_id, kind) VALUES ('F2', 2)"
	                              " RETURNING 0"),
	                 0);
	ck_assert_int_eq(facility_open(&other, db, NULL, &err), 0);
	ck_assert_str_eq(other.name, "F2");
	ck_assert_int_eq(other.kind, 2);
	ck_assert_int_eq(facility_claim(db, "F/2", &err), ERR_INVALID);
	store_db_close(db);
}
END_TEST

/* A word that nobody knows keeps no child out: its days are China's, and page and doctor say so. */
START_TEST(a_time_zone_that_is_none_stops_nothing)
{
	static const struct {
		const char *zone;
		int offset_min;
		bool strange;
	} cases[] = {
		{ "Asia/Shanghai", 480, false },
		{ "Asia/Urumqi", 360, false },
		{ "UTC", 0, false },
		{ "+09:30", 570, false },
		{ "-01:00", -60, false },
		{ "Asia/Tokyo", 480, true },
		{ "+15:00", 480, true },
		{ "+08:60", 480, true },
		{ "+8", 480, true },
		{ "", 480, true },
	};
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct store_stmt s = store_stmt_new(db, "UPDATE facility SET timezone = ?");

		store_stmt_put_text(&s, cases[i].zone);
		OK(store_stmt_run(&s, &err));
		OK(facility_open(&f, db, NULL, &err));
		ck_assert_msg(f.offset_min == cases[i].offset_min, "%s: %d", cases[i].zone,
		              f.offset_min);
		ck_assert_msg(f.zone_strange == cases[i].strange, "%s", cases[i].zone);
	}
	store_db_close(db);
}
END_TEST

START_TEST(arrival_is_two_rows_and_one_state)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_arrival in = { .at = help_at(8, 10),
		                       .child = help_id(1),
		                       .found = { .temp_dc = 366, .touch = 1 } };

	OK(facility_arrival(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM attendance_event WHERE kind = 1 AND "
	                              "biz_date = 20260302"
	                              " AND temp_dc = 366 AND method = 1 AND class_id IS NOT NULL"),
	                 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM health_check WHERE slot = 1 AND card = "
	                              "1 AND action = 1"),
	                 1);
	ck_assert_int_eq(help_int(db, "SELECT present FROM v1_attendance_day"), 1);
	ck_assert_int_eq(facility_arrival(&f, &in, &err), ERR_INVALID);
	help_says(&err, "安一 has arrived already");
	store_db_close(db);
}
END_TEST

START_TEST(struck_out_she_was_never_here)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_arrival in = { .at = help_at(8, 10), .child = help_id(1) };
	uint8_t event[STORE_ID];

	OK(facility_arrival(&f, &in, &err));
	memcpy(event, f.last_id, sizeof event);
	OK(facility_strike(&f, &(struct facility_strike){ .at = help_at(8, 11), .event = event },
	                   &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM v1_attendance_event"), 0);
	OK(facility_arrival(&f, &in, &err));
	store_db_close(db);
}
END_TEST

/* 0x21 mother; 0x31 grandmother; 0x32 revoked; 0x33 for tomorrow only; 0x34 unknown; 0 nobody named
 */
static const struct adult_case {
	int adult;
	int code;
	const char *says;
} adult_cases[] = {
	{ 0, 0, NULL },
	{ 0x21, 0, NULL },
	{ 0x31, 0, NULL },
	{ 0x32, ERR_DENIED, "安舅舅 may not take 安一 home: the right was revoked" },
	{ 0x33, ERR_DENIED, "安邻居 may not take 安一 home today" },
	{ 0x34, ERR_DENIED, "nobody with this id may take 安一 home" },
};

START_TEST(only_who_may_takes_a_child_home)
{
	const struct adult_case *c = &adult_cases[_i];
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_pickup out = { .at = help_at(17, 0), .child = help_id(1) };
	int rc;

	out.adult = c->adult == 0 ? NULL : help_id(c->adult);
	ck_assert_int_eq(facility_pickup(&f, &out, &err), ERR_INVALID);
	help_says(&err, "安一 is not here today");
	OK(facility_arrival(
	        &f, &(struct facility_arrival){ .at = help_at(8, 0), .child = help_id(1) }, &err));
	rc = facility_pickup(&f, &out, &err);
	ck_assert_msg(rc == c->code, "adult %x: %d %s", c->adult, rc, err.msg);
	if (c->says != NULL)
		help_says(&err, c->says);
	if (rc == 0) {
		ck_assert_int_eq(facility_pickup(&f, &out, &err), ERR_INVALID);
		help_says(&err, "has left already");
	}
	store_db_close(db);
}
END_TEST

START_TEST(the_card_follows_the_findings)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_check in = { .at = help_at(14, 30),
		                     .child = help_id(2),
		                     .slot = SLOT_NOON };

	OK(facility_check(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT max(card) FROM health_check"), CARD_GREEN);
	in.found.symptom_bits = SYMPTOM_COUGH;
	OK(facility_check(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT max(card) FROM health_check"), CARD_YELLOW);
	in.found.check_bits = CHECK_MEDICINE;
	OK(facility_check(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT max(card) FROM health_check"), CARD_RED);
	store_db_close(db);
}
END_TEST

START_TEST(a_second_word_on_an_absence_corrects_it)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_absence in = { .at = help_at(8, 50),
		                       .child = help_id(1),
		                       .reason = ABSENT_NO_NOTICE };

	OK(facility_absence(&f, &in, &err));
	in.reason = ABSENT_ILL;
	ck_assert_int_eq(facility_absence(&f, &in, &err), ERR_INVALID);
	help_says(&err, "disease: is needed");
	in.disease = "HFMD";
	in.to = 20260306;
	OK(facility_absence(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM absence_case WHERE reason = 1 AND "
	                              "date_from = 20260302"
	                              " AND date_to = 20260306"),
	                 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM absence_case"), 1);
	OK(facility_followup(&f,
	                     &(struct facility_followup){
	                             .at = help_at(9, 5), .absence = f.last_id, .result = "退烧" },
	                     &err));
	in.to = 20260301;
	ck_assert_int_eq(facility_absence(&f, &in, &err), ERR_INVALID);
	help_says(&err, "to: 20260301 is before from: 20260302");
	store_db_close(db);
}
END_TEST

START_TEST(a_dose_is_given_once)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_medication ask = {
		.at = help_at(8, 0), .child = help_id(1), .drug = "布洛芬", .dose = "3 ml"
	};
	struct facility_medication_given dose = { .at = help_at(11, 35), .slot = -1 };
	uint8_t request[STORE_ID];

	OK(facility_medication(&f, &ask, &err));
	memcpy(request, f.last_id, sizeof request);
	dose.request = request;
	OK(facility_medication_given(&f, &dose, &err));
	ck_assert_int_eq(help_int(db, "SELECT slot FROM medication_given"), 22);
	ck_assert_int_eq(facility_medication_given(&f, &dose, &err), ERR_INVALID);
	help_says(&err, "do not give it again");
	store_db_close(db);
}
END_TEST

START_TEST(a_meal_is_recorded_for_those_present)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_exception little = { .child = help_id(2),
		                             .code = EAT_LITTLE,
		                             .note = "不饿" };
	struct facility_batch in = { .at = help_at(11, 20),
		                     .meal = MEAL_LUNCH,
		                     .class_id = help_id(0xc1) };

	for (int child = 1; child <= 3; child++)
		OK(facility_arrival(&f,
		                    &(struct facility_arrival){ .at = help_at(8, child),
		                                                .child = help_id(child) },
		                    &err));
	in.exceptions = &little;
	in.exception_count = 1;
	OK(facility_meal_batch(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM meal_intake"), 2);
	ck_assert_int_eq(help_int(db, "SELECT level FROM meal_intake WHERE note = '不饿'"),
	                 EAT_LITTLE);
	/* again, with nothing new: not a row is touched */
	ck_assert_int_eq(help_int(db, "SELECT sum(at) FROM meal_intake"), 2 * help_at(11, 20));
	in.at = help_at(11, 40);
	OK(facility_meal_batch(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT sum(at) FROM meal_intake"), 2 * help_at(11, 20));
	/* the whole house */
	in.class_id = NULL;
	OK(facility_meal_batch(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM meal_intake"), 3);
	OK(facility_pickup(
	        &f, &(struct facility_pickup){ .at = help_at(11, 50), .child = help_id(2) }, &err));
	ck_assert_int_eq(facility_meal_batch(&f, &in, &err), ERR_INVALID);
	help_says(&err, "白二 is not here now");
	store_db_close(db);
}
END_TEST

START_TEST(a_nap_has_a_beginning_rounds_and_an_end)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_exception one = { .child = help_id(1), .code = 2 };
	struct facility_batch in = { .at = help_at(12, 5), .class_id = help_id(0xc1) };

	for (int child = 1; child <= 3; child++)
		OK(facility_arrival(&f,
		                    &(struct facility_arrival){ .at = help_at(8, child),
		                                                .child = help_id(child) },
		                    &err));
	OK(facility_nap_start(&f, &in, &err));
	in.at = help_at(12, 20);
	in.exceptions = &one;
	in.exception_count = 1;
	OK(facility_nap_round(&f, &in, &err));
	ck_assert_int_eq(
	        help_int(db,
	                 "SELECT count(*) FROM nap_check WHERE enrollment_id IS NULL AND code = 0"),
	        1);
	ck_assert_int_eq(
	        help_int(db,
	                 "SELECT count(*) FROM nap_check c JOIN nap_check r ON r.id = c.round_id"
	                 " WHERE c.code = 2"),
	        1);
	in.at = help_at(14, 20);
	OK(facility_nap_end(&f, &in, &err));
	ck_assert_int_eq(
	        help_int(db,
	                 "SELECT count(*) FROM nap_session WHERE end_at - start_at = 135 * 60000"),
	        2);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM nap_session WHERE quality = 2"), 1);
	store_db_close(db);
}
END_TEST

START_TEST(a_report_grows_and_is_published_once)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_report in = {
		.at = help_at(16, 0), .child = help_id(1), .mood = 1, .note = "很专注"
	};

	OK(facility_report(&f, &in, &err));
	in = (struct facility_report){
		.at = help_at(16, 30), .child = help_id(1), .nap_min = 95, .publish = 1
	};
	OK(facility_report(&f, &in, &err));
	in.at = help_at(16, 45);
	OK(facility_report(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM daily_report WHERE mood = 1 AND "
	                              "nap_min = 95 AND state = 1"
	                              " AND note = '很专注'"),
	                 1);
	ck_assert_int_eq(help_int(db, "SELECT published_at FROM daily_report"), help_at(16, 30));
	store_db_close(db);
}
END_TEST

START_TEST(a_hand_over_counts_for_itself)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_absence away = { .at = help_at(8, 50),
		                         .child = help_id(2),
		                         .reason = ABSENT_PRIVATE };

	OK(facility_arrival(
	        &f, &(struct facility_arrival){ .at = help_at(8, 0), .child = help_id(1) }, &err));
	OK(facility_absence(&f, &away, &err));
	OK(facility_handover(
	        &f, &(struct facility_handover){ .at = help_at(14, 0), .class_id = help_id(0xc1) },
	        &err));
	ck_assert_int_eq(help_int(db, "SELECT enrolled_n * 1000 + present_n * 100 + leave_n * 10 + "
	                              "absent_n FROM handover"),
	                 2110);
	store_db_close(db);
}
END_TEST

/* One bad value each; the sentence names it. */
static int
bad_growth(struct facility *f, struct err *err)
{
	struct facility_growth in = { .at = help_at(10, 0), .child = help_id(1), .weight_g = 115 };

	return facility_growth(f, &in, err);
}

static int
no_growth(struct facility *f, struct err *err)
{
	return facility_growth(
	        f, &(struct facility_growth){ .at = help_at(10, 0), .child = help_id(1) }, err);
}

static int
bad_time(struct facility *f, struct err *err)
{
	return facility_care(
	        f, &(struct facility_care){ .at = 1772380800, .child = help_id(1), .kind = 2 },
	        err);
}

static int
bad_kind(struct facility *f, struct err *err)
{
	return facility_care(
	        f, &(struct facility_care){ .at = help_at(10, 0), .child = help_id(1), .kind = 9 },
	        err);
}

static int
no_child(struct facility *f, struct err *err)
{
	return facility_care(f, &(struct facility_care){ .at = help_at(10, 0), .kind = 2 }, err);
}

static int
other_child(struct facility *f, struct err *err)
{
	return facility_care(
	        f, &(struct facility_care){ .at = help_at(10, 0), .kind = 2, .child = help_id(9) },
	        err);
}

static int
bad_temp(struct facility *f, struct err *err)
{
	struct facility_arrival in = { .at = help_at(8, 0),
		                       .child = help_id(1),
		                       .found = { .temp_dc = 37 } };

	return facility_arrival(f, &in, err);
}

static int
bad_text(struct facility *f, struct err *err)
{
	struct facility_incident in = {
		.at = help_at(8, 0), .kind = 1, .severity = 1, .text = "\xff"
	};

	return facility_incident(f, &in, err);
}

static int
bad_class(struct facility *f, struct err *err)
{
	struct facility_batch in = { .at = help_at(12, 0), .meal = 3, .class_id = help_id(0xcc) };

	return facility_meal_batch(f, &in, err);
}

static int
bad_staff(struct facility *f, struct err *err)
{
	return facility_clock(
	        f, &(struct facility_clock){ .at = help_at(7, 0), .staff = help_id(7), .kind = 1 },
	        err);
}

static const struct bad_case {
	int (*call)(struct facility *f, struct err *err);
	int code;
	const char *says;
} bad_cases[] = {
	{ bad_growth, ERR_INVALID, "weight_g: 115 is not in 500 to 60000" },
	{ no_growth, ERR_INVALID, "one of weight_g" },
	{ bad_time, ERR_INVALID, "at: 1772380800 is not a time of this century" },
	{ bad_kind, ERR_INVALID, "kind: 9 is not in 1 to 8" },
	{ no_child, ERR_INVALID, "child: is needed" },
	{ other_child, ERR_NOTFOUND,
	  "child: 09090909090909090909090909090909 is not enrolled at F1" },
	{ bad_temp, ERR_INVALID, "temp_dc: 37 is not in 300 to 450" },
	{ bad_text, ERR_INVALID, "text: is not UTF-8" },
	{ bad_class, ERR_NOTFOUND, "class: there is no cccccccc" },
	{ bad_staff, ERR_NOTFOUND, "staff: there is no 0707" },
};

START_TEST(a_refusal_names_the_value_and_writes_nothing)
{
	const struct bad_case *c = &bad_cases[_i];
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	int64_t before = help_int(db, "SELECT total_changes()");

	ck_assert_int_eq(c->call(&f, &err), c->code);
	help_says(&err, c->says);
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), before);
	store_db_close(db);
}
END_TEST

START_TEST(a_foreign_row_without_biz_date_counts_on_its_day)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };

	OK(store_db_exec(db,
	                 "INSERT INTO attendance_event(facility_id, enrollment_id, kind, at)"
	                 " SELECT 'F1', id, 1, 1772380800000 + 30000000 FROM enrollment LIMIT 1",
	                 &err));
	ck_assert_int_eq(help_int(db, "SELECT biz_date FROM v1_attendance_event"), HELP_DATE);
	ck_assert_int_eq(facility_arrival(&f,
	                                  &(struct facility_arrival){ .at = help_at(9, 0),
	                                                              .child = help_id(1) },
	                                  &err),
	                 ERR_INVALID);
	store_db_close(db);
}
END_TEST

START_TEST(visits_and_the_house)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_visit visit = {
		.at = help_at(9, 0), .kind = VISIT_PLAY, .child_name = "乐乐", .month_age = 20
	};
	struct facility_session session = {
		.at = help_at(10, 0), .kind = 1, .title = "亲子阅读", .minutes = 45, .cap = 12
	};
	struct facility_sample sample = {
		.at = help_at(11, 0), .meal = 3, .dish = "番茄炒蛋", .weight_g = 125
	};
	struct facility_cleaning clean = {
		.at = help_at(17, 0), .area = 1, .object = 2, .method = 3, .conc_mg_l = 250
	};
	uint8_t id[STORE_ID];

	OK(facility_session(&f, &session, &err));
	OK(facility_visit(&f, &visit, &err));
	memcpy(id, f.last_id, sizeof id);
	OK(facility_visit_end(&f, &(struct facility_visit_end){ .at = help_at(10, 0), .visit = id },
	                      &err));
	ck_assert_int_eq(help_int(db, "SELECT out_at - in_at FROM drop_in_visit"), 3600000);
	OK(facility_menu(
	        &f, &(struct facility_menu){ .at = help_at(7, 0), .meal = 3, .dish = "番茄炒蛋" },
	        &err));
	OK(facility_sample(&f, &sample, &err));
	memcpy(id, f.last_id, sizeof id);
	OK(facility_sample(
	        &f, &(struct facility_sample){ .at = help_at(17, 0) + 172800000, .replaces = id },
	        &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM food_sample WHERE dish = '番茄炒蛋' "
	                              "AND weight_g = 125"),
	                 2);
	OK(facility_cleaning(&f, &clean, &err));
	OK(facility_case(&f,
	                 &(struct facility_case){
	                         .at = help_at(10, 0), .child = help_id(3), .disease = "HFMD" },
	                 &err));
	store_db_close(db);
}
END_TEST

START_TEST(a_case_is_closed_when_she_is_back)
{
	struct facility_case_close in = { .at = help_at(8, 0), .sick = help_id(0x77) };
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	uint8_t id[STORE_ID];

	OK(facility_case(&f,
	                 &(struct facility_case){
	                         .at = help_at(7, 0), .child = help_id(3), .disease = "HFMD" },
	                 &err));
	memcpy(id, f.last_id, sizeof id);
	ck_assert_int_eq(facility_case_close(&f, &in, &err), ERR_NOTFOUND);
	help_says(&err, "case: there is no");
	in.sick = id;
	in.certificate = help_id(0x78);
	ck_assert_int_eq(facility_case_close(&f, &in, &err), ERR_NOTFOUND);
	help_says(&err, "certificate: there is no");
	OK(store_db_exec(db,
	                 "UPDATE symptom_case SET hospital = '二院';"
	                 "INSERT INTO health_exam(id, facility_id, child_id) VALUES"
	                 " (x'78787878787878787878787878787878', 'F1', x'04')",
	                 &err));
	ck_assert_int_eq(facility_case_close(&f, &in, &err), ERR_INVALID);
	help_says(&err, "certificate: is an examination of another child");
	/* of one who was registered twice either will do */
	OK(store_db_exec(db,
	                 "INSERT INTO child_alias(alias_id, child_id, facility_id) SELECT x'04',"
	                 " child_id, 'F1' FROM symptom_case",
	                 &err));
	ck_assert_int_eq(help_int(db, "SELECT closed FROM symptom_case"), 0);
	OK(facility_case_close(&f, &in, &err));
	in.certificate = NULL;
	OK(facility_case_close(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM symptom_case WHERE closed = 1 AND"
	                              " return_cert_id = x'78787878787878787878787878787878' AND"
	                              " hospital = '二院'"),
	                 1);
	ck_assert_int_eq(memcmp(f.last_id, id, sizeof id), 0);
	store_db_close(db);
}
END_TEST

Suite *
suite_facility_record(void)
{
	Suite *suite = suite_create("node/facility/record");
	TCase *tcase = tcase_create("record");

	tcase_add_test(tcase, a_claimed_facility_has_no_row_and_its_id_for_a_name);
	tcase_add_test(tcase, a_time_zone_that_is_none_stops_nothing);
	tcase_add_test(tcase, arrival_is_two_rows_and_one_state);
	tcase_add_test(tcase, struck_out_she_was_never_here);
	tcase_add_loop_test(tcase, only_who_may_takes_a_child_home, 0,
	                    sizeof adult_cases / sizeof adult_cases[0]);
	tcase_add_test(tcase, the_card_follows_the_findings);
	tcase_add_test(tcase, a_second_word_on_an_absence_corrects_it);
	tcase_add_test(tcase, a_dose_is_given_once);
	tcase_add_test(tcase, a_meal_is_recorded_for_those_present);
	tcase_add_test(tcase, a_nap_has_a_beginning_rounds_and_an_end);
	tcase_add_test(tcase, a_report_grows_and_is_published_once);
	tcase_add_test(tcase, a_hand_over_counts_for_itself);
	tcase_add_loop_test(tcase, a_refusal_names_the_value_and_writes_nothing, 0,
	                    sizeof bad_cases / sizeof bad_cases[0]);
	tcase_add_test(tcase, a_foreign_row_without_biz_date_counts_on_its_day);
	tcase_add_test(tcase, visits_and_the_house);
	tcase_add_test(tcase, a_case_is_closed_when_she_is_back);
	suite_add_tcase(suite, tcase);
	return suite;
}

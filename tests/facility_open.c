/* tests/facility_open.c - opening and closing the house, leave, and codes that take a child home
 * once: what the door lets in, what it refuses and with which words. */
#include "tests/suites.h"

#include "node/facility/batch.h"
#include "node/facility/codes.h"
#include "node/facility/roster_priv.h"
#include "tests/facility_help.h"

#include <check.h>
#include <string.h>

#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, err.msg)
#define REFUSED(code, says, call)                                                                  \
	do {                                                                                       \
		ck_assert_int_eq(call, code);                                                      \
		help_says(&err, says);                                                             \
	} while (0)

static const char staff[] = "INSERT INTO staff(id, facility_id, name, role) VALUES"
                            " (unhex(replace(hex(zeroblob(16)), '00', '41')), 'F1', '周园长', 1)";

static struct store_db *
open_staffed(struct facility *f)
{
	struct store_db *db = help_small(f);
	struct err err = { 0 };

	ck_assert_msg(store_db_exec(db, staff, &err) == 0, "%s", err.msg);
	return db;
}

/* ------------------------------------------------------------------ staff and house */

START_TEST(staff_say_how_they_are)
{
	struct facility f;
	struct store_db *db = open_staffed(&f);
	struct err err = { 0 };
	struct facility_staff_check in = { .at = help_at(7, 10), .staff = help_id(0x41) };
	uint8_t first[STORE_ID];

	OK(facility_staff_check(&f, &in, &err));
	memcpy(first, f.last_id, sizeof first);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM staff_check WHERE fit = 1 AND "
	                              "symptom_bits = 0 AND temp_dc IS NULL AND biz_date = "
	                              "20260302"),
	                 1);
	in.unfit = 1;
	REFUSED(ERR_INVALID, "unfit: say why", facility_staff_check(&f, &in, &err));
	in.temp_dc = 382;
	in.replaces = first;
	OK(facility_staff_check(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT fit FROM staff_check WHERE temp_dc = 382 AND "
	                              "replaces_id IS NOT NULL"),
	                 0);
	store_db_close(db);
}
END_TEST

static const struct staff_case {
	struct facility_staff_check in;
	int staff, replaces;
	int code;
	const char *says;
} staff_cases[] = {
	{ { .at = 0 }, 0x41, 0, ERR_INVALID, "at: 0 is not a time" },
	{ { .at = 1772410200000 }, 0, 0, ERR_INVALID, "staff: is needed" },
	{ { .at = 1772410200000 }, 0x42, 0, ERR_NOTFOUND, "staff: there is no 4242" },
	{ { .at = 1772410200000, .temp_dc = 38 }, 0x41, 0, ERR_INVALID, "temp_dc: 38 is not in" },
	{ { .at = 1772410200000, .symptom_bits = -1 }, 0x41, 0, ERR_INVALID, "symptom_bits: -1" },
	{ { .at = 1772410200000, .unfit = 2 }, 0x41, 0, ERR_INVALID, "unfit: 2 is not in" },
	{ { .at = 1772410200000, .note = "\xff" }, 0x41, 0, ERR_INVALID, "note: is not UTF-8" },
	{ { .at = 1772410200000 }, 0x41, 0x77, ERR_NOTFOUND, "replaces: there is no 7777" },
};

START_TEST(a_bad_staff_check_is_refused)
{
	const struct staff_case *c = &staff_cases[_i];
	struct facility_staff_check in = c->in;
	struct facility f;
	struct store_db *db = open_staffed(&f);
	struct err err = { 0 };

	in.staff = c->staff == 0 ? NULL : help_id(c->staff);
	in.replaces = c->replaces == 0 ? NULL : help_id(c->replaces);
	REFUSED(c->code, c->says, facility_staff_check(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM staff_check"), 0);
	store_db_close(db);
}
END_TEST

START_TEST(the_house_is_opened_and_closed)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_house_check in = { .at = help_at(7, 5), .kind = HOUSE_OPENING };

	OK(facility_house_check(&f, &in, &err));
	OK(facility_arrival(
	        &f, &(struct facility_arrival){ .at = help_at(8, 0), .child = help_id(1) }, &err));
	in = (struct facility_house_check){ .at = help_at(18, 30), .kind = HOUSE_CLOSING };
	OK(facility_house_check(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM house_check WHERE result = 1 AND "
	                              "biz_date = 20260302 AND present_n = kind - 1"),
	                 2);
	in.result = CHECK_TO_MEND;
	REFUSED(ERR_INVALID, "findings: is needed", facility_house_check(&f, &in, &err));
	in.findings = "后门没有锁";
	in.replaces = f.last_id;
	OK(facility_house_check(&f, &in, &err));
	in.replaces = help_id(0x77);
	REFUSED(ERR_NOTFOUND, "replaces: there is no", facility_house_check(&f, &in, &err));
	in.kind = 3;
	REFUSED(ERR_INVALID, "kind: 3 is not in 1 to 2", facility_house_check(&f, &in, &err));
	in.kind = 1;
	in.result = 4;
	REFUSED(ERR_INVALID, "result: 4 is not in 1 to 3", facility_house_check(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM house_check"), 3);
	store_db_close(db);
}
END_TEST

/* ------------------------------------------------------------------ leave */

START_TEST(leave_is_asked_for_and_answered)
{
	struct facility f;
	struct store_db *db = open_staffed(&f);
	struct err err = { 0 };
	struct facility_leave in = {
		.at = help_at(8, 20), .child = help_id(1), .type = LEAVE_ILL, .reason = "发热"
	};
	struct facility_leave_review answer = { .at = help_at(8, 50), .review = LEAVE_DECLINED };
	uint8_t leave[STORE_ID];

	OK(facility_leave(&f, &in, &err));
	memcpy(leave, f.last_id, sizeof leave);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM leave_request WHERE date_from = "
	                              "20260302 AND date_to = 20260302 AND source = 3 AND review "
	                              "IS NULL"),
	                 1);
	REFUSED(ERR_INVALID, "leave: is needed", facility_leave_review(&f, &answer, &err));
	answer.leave = help_id(0x77);
	REFUSED(ERR_NOTFOUND, "leave: there is no", facility_leave_review(&f, &answer, &err));
	answer.leave = leave;
	f.by = help_id(0x41);
	OK(facility_leave_review(&f, &answer, &err));
	answer.review = LEAVE_ACCEPTED; /* on second thoughts */
	OK(facility_leave_review(&f, &answer, &err));
	ck_assert_mem_eq(f.last_id, leave, STORE_ID);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM leave_request WHERE review = 1 AND "
	                              "reviewed_at > at AND length(recorded_by) = 16"),
	                 1);
	answer.review = 3;
	REFUSED(ERR_INVALID, "review: 3 is not in 1 to 2",
	        facility_leave_review(&f, &answer, &err));
	store_db_close(db);
}
END_TEST

/* ------------------------------------------------------------------ answers */

START_TEST(a_request_for_medicine_is_accepted_or_declined)
{
	struct facility f;
	struct store_db *db = open_staffed(&f);
	struct err err = { 0 };
	struct facility_medication_review answer = { .at = help_at(8, 50),
		                                     .review = LEAVE_DECLINED,
		                                     .note = "没有处方" };
	struct facility_medication_given dose = { .at = help_at(10, 0),
		                                  .slot = 16,
		                                  .dose = "5 ml" };
	uint8_t request[STORE_ID];

	/* as the platform writes it */
	OK(store_db_exec(db,
	                 "INSERT INTO medication_request(id, facility_id, child_id, drug) VALUES"
	                 " (x'77777777777777777777777777777777', 'F1',"
	                 " x'01010101010101010101010101010101', '布洛芬')",
	                 &err));
	memset(request, 0x77, sizeof request);
	REFUSED(ERR_INVALID, "request: is needed", facility_medication_review(&f, &answer, &err));
	answer.request = help_id(0x78);
	REFUSED(ERR_NOTFOUND, "request: there is no",
	        facility_medication_review(&f, &answer, &err));
	answer.request = dose.request = request;
	f.by = help_id(0x41);
	OK(facility_medication_review(&f, &answer, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM medication_request WHERE review = 2 AND"
	                              " review_note = '没有处方' AND accepted_at IS NULL AND"
	                              " reviewed_at > 0"),
	                 1);
	REFUSED(ERR_INVALID, "request: was declined: give nothing",
	        facility_medication_given(&f, &dose, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM medication_given"), 0);
	answer.review = LEAVE_ACCEPTED; /* on second thoughts */
	OK(facility_medication_review(&f, &answer, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM medication_request WHERE review = 1 AND"
	                              " accepted_at = reviewed_at AND length(accepted_by) = 16"),
	                 1);
	OK(facility_medication_given(&f, &dose, &err));
	answer.review = LEAVE_DECLINED; /* and back: nobody has accepted it any more */
	OK(facility_medication_review(&f, &answer, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM medication_request WHERE review = 2 AND"
	                              " accepted_at IS NULL AND accepted_by IS NULL"),
	                 1);
	answer.review = 3;
	REFUSED(ERR_INVALID, "review: 3 is not in 1 to 2",
	        facility_medication_review(&f, &answer, &err));
	store_db_close(db);
}
END_TEST

START_TEST(a_booking_is_confirmed_and_kept_or_not)
{
	struct facility f;
	struct store_db *db = open_staffed(&f);
	struct err err = { 0 };
	struct facility_book_review answer = { .at = help_at(8, 50), .state = BOOKING_CONFIRMED };
	struct facility_book_cancel cancel = { .at = help_at(9, 0) };
	uint8_t booking[STORE_ID];

	OK(store_db_exec(db,
	                 "INSERT INTO booking(id, facility_id, kind, guardian_name) VALUES"
	                 " (x'77777777777777777777777777777777', 'F1', 1, '张三')",
	                 &err));
	memset(booking, 0x77, sizeof booking);
	answer.booking = help_id(0x78);
	REFUSED(ERR_NOTFOUND, "booking: there is no", facility_book_review(&f, &answer, &err));
	answer.booking = cancel.booking = booking;
	OK(facility_book_review(&f, &answer, &err));
	answer.state = BOOKING_CAME;
	OK(facility_book_review(&f, &answer, &err));
	ck_assert_int_eq(help_int(db, "SELECT state FROM booking"), BOOKING_CAME);
	answer.state = BOOKING_CANCELLED;
	REFUSED(ERR_INVALID, "state: 4 is said with book_cancel",
	        facility_book_review(&f, &answer, &err));
	answer.state = BOOKING_WAITING;
	REFUSED(ERR_INVALID, "state: 1 is not in 2 to 6", facility_book_review(&f, &answer, &err));
	OK(facility_book_cancel(&f, &cancel, &err));
	answer.state = BOOKING_CONFIRMED;
	REFUSED(ERR_INVALID, "booking: was cancelled: make a new one",
	        facility_book_review(&f, &answer, &err));
	answer.state = BOOKING_DECLINED;
	REFUSED(ERR_INVALID, "booking: was cancelled: make a new one",
	        facility_book_review(&f, &answer, &err));
	ck_assert_int_eq(help_int(db, "SELECT state FROM booking"), BOOKING_CANCELLED);
	store_db_close(db);
}
END_TEST

/* Who booked has cancelled nothing then: the two are told apart. */
START_TEST(a_booking_that_was_declined_stays_so)
{
	struct facility f;
	struct store_db *db = open_staffed(&f);
	struct err err = { 0 };
	struct facility_book_review answer = { .at = help_at(8, 50), .state = BOOKING_DECLINED };
	struct facility_book_cancel cancel = { .at = help_at(9, 0) };
	uint8_t booking[STORE_ID];

	OK(store_db_exec(db,
	                 "INSERT INTO booking(id, facility_id, kind, guardian_name) VALUES"
	                 " (x'77777777777777777777777777777777', 'F1', 1, '张三')",
	                 &err));
	memset(booking, 0x77, sizeof booking);
	answer.booking = cancel.booking = booking;
	OK(facility_book_review(&f, &answer, &err));
	REFUSED(ERR_INVALID, "booking: was declined: nothing is to be cancelled",
	        facility_book_cancel(&f, &cancel, &err));
	answer.state = BOOKING_CONFIRMED;
	REFUSED(ERR_INVALID, "booking: was declined: make a new one",
	        facility_book_review(&f, &answer, &err));
	ck_assert_int_eq(help_int(db, "SELECT state FROM booking"), BOOKING_DECLINED);
	store_db_close(db);
}
END_TEST

static const struct leave_case {
	struct facility_leave in;
	int child;
	int code;
	const char *says;
} leave_cases[] = {
	{ { .at = 0, .type = 1 }, 1, ERR_INVALID, "at: 0 is not a time" },
	{ { .at = 1772410200000, .type = 1 }, 0, ERR_INVALID, "child: is needed" },
	{ { .at = 1772410200000, .type = 1 }, 9, ERR_NOTFOUND, "is not enrolled at F1" },
	{ { .at = 1772410200000 }, 1, ERR_INVALID, "type: 0 is not in 1 to 2" },
	{ { .at = 1772410200000, .type = 1, .source = 1 }, 1, ERR_INVALID, "source: 1 is not in" },
	{ { .at = 1772410200000, .type = 1, .from = 20260230 }, 1, ERR_INVALID, "from: 20260230" },
	{ { .at = 1772410200000, .type = 1, .to = 20260301 },
	  1,
	  ERR_INVALID,
	  "to: 20260301 is before from: 20260302" },
};

START_TEST(a_bad_leave_is_refused)
{
	const struct leave_case *c = &leave_cases[_i];
	struct facility_leave in = c->in;
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };

	in.child = c->child == 0 ? NULL : help_id(c->child);
	REFUSED(c->code, c->says, facility_leave(&f, &in, &err));
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM leave_request"), 0);
	store_db_close(db);
}
END_TEST

/* ------------------------------------------------------------------ codes */

static const struct facility_pickup_code aunt = { .name = "林阿姨",
	                                          .relation = "邻居",
	                                          .code = "004711" };

/* Child 1 is here, and has a code for today; its row's id. */
static struct store_db *
open_with_code(struct facility *f, uint8_t id[STORE_ID])
{
	struct facility_pickup_code code = aunt;
	struct store_db *db = help_small(f);
	struct err err = { 0 };

	code.at = help_at(12, 0);
	code.child = help_id(1);
	OK(facility_arrival(
	        f, &(struct facility_arrival){ .at = help_at(8, 0), .child = help_id(1) }, &err));
	OK(facility_pickup_code(f, &code, &err));
	memcpy(id, f->last_id, STORE_ID);
	return db;
}

START_TEST(a_code_takes_her_home_once)
{
	struct facility f;
	uint8_t id[STORE_ID], event[STORE_ID];
	struct store_db *db = open_with_code(&f, id);
	struct err err = { 0 };
	struct facility_pickup out = { .at = help_at(17, 0), .child = help_id(1) };
	struct facility_arrival back = { .at = help_at(17, 10), .child = help_id(1) };

	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM pickup_auth WHERE kind = 2 AND "
	                              "valid_from = 20260302 AND valid_to = 20260302 AND "
	                              "length(code_hash) = 16 AND instr(hex(code_hash), '303034') "
	                              "= 0"),
	                 1);
	out.code = "004712";
	REFUSED(ERR_DENIED, "code: is wrong: nobody may take 安一 home with it",
	        facility_pickup(&f, &out, &err));
	out.code = "4711";
	REFUSED(ERR_INVALID, "code: is not 6 digits", facility_pickup(&f, &out, &err));
	out.code = "004711";
	out.adult = help_id(0x31); /* her grandmother needs none, and this isn't hers */
	REFUSED(ERR_DENIED, "code: is wrong", facility_pickup(&f, &out, &err));
	out.adult = NULL;
	OK(facility_pickup(&f, &out, &err));
	memcpy(event, f.last_id, sizeof event);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM attendance_event a JOIN pickup_auth p "
	                              "ON p.id = a.by_adult_id AND p.kind = 2 WHERE a.kind = 2 AND "
	                              "a.method = 4"),
	                 1);
	OK(facility_arrival(&f, &back, &err));
	out.at = help_at(17, 20);
	REFUSED(ERR_DENIED, "林阿姨's code for 安一 was used already: it counts once",
	        facility_pickup(&f, &out, &err));
	/* the departure was a slip of the finger: she is here, and the code is good */
	OK(facility_strike(&f, &(struct facility_strike){ .at = help_at(17, 21), .event = event },
	                   &err));
	OK(facility_pickup(&f, &out, &err));
	store_db_close(db);
}
END_TEST

START_TEST(wrong_codes_come_to_an_end)
{
	static struct facility_tries tries;
	struct facility f;
	uint8_t id[STORE_ID];
	struct store_db *db = open_with_code(&f, id);
	struct err err = { 0 };
	struct facility_pickup out = { .at = help_at(17, 0), .child = help_id(1) };
	struct facility_arrival in = { .at = help_at(8, 0), .child = help_id(2) };

	memset(&tries, 0, sizeof tries);
	f.tries = &tries;
	out.code = "4711"; /* a slip of the finger is no guess */
	REFUSED(ERR_INVALID, "code: is not 6 digits", facility_pickup(&f, &out, &err));
	out.code = "004712";
	for (int i = 0; i < FACILITY_TRIES; i++)
		REFUSED(ERR_DENIED, "code: is wrong: nobody may take 安一 home with it",
		        facility_pickup(&f, &out, &err));
	out.code = "004711";
	REFUSED(ERR_DENIED,
	        "code: too many wrong ones for 安一; no code opens for 10 minutes: "
	        "call the parents, and choose who has a right",
	        facility_pickup(&f, &out, &err));
	/* another child's is another matter, and so is who needs none */
	OK(facility_arrival(&f, &in, &err));
	REFUSED(ERR_DENIED, "code: is wrong",
	        facility_pickup(&f,
	                        &(struct facility_pickup){ .at = help_at(17, 0),
	                                                   .child = help_id(2),
	                                                   .code = "111111" },
	                        &err));
	out.code = NULL;
	out.adult = help_id(0x31);
	OK(facility_pickup(&f, &out, &err));
	store_db_close(db);
}
END_TEST

START_TEST(wrong_tries_come_back_one_by_one)
{
	static struct facility_tries tries;
	int64_t now = 1000;
	uint8_t child[STORE_ID] = { 1 }, other[STORE_ID] = { 2 };

	memset(&tries, 0, sizeof tries);
	for (int i = 1; i <= FACILITY_TRIES; i++) {
		ck_assert_int_eq(facility_tries_wait(&tries, child, now), 0);
		ck_assert_int_eq(facility_tries_wrong(&tries, child, now), FACILITY_TRIES - i);
	}
	ck_assert_int_eq(facility_tries_wait(&tries, child, now), 10);
	ck_assert_int_eq(facility_tries_wait(&tries, other, now), 0);
	now += FACILITY_TRY_MS - 1;
	ck_assert_int_eq(facility_tries_wait(&tries, child, now), 1);
	now++;
	ck_assert_int_eq(facility_tries_wait(&tries, child, now), 0);
	ck_assert_int_eq(facility_tries_wrong(&tries, child, now), 0);
	ck_assert_int_eq(facility_tries_wait(&tries, child, now), 10);
	now += (int64_t)FACILITY_TRIES * FACILITY_TRY_MS;
	ck_assert_int_eq(facility_tries_wrong(&tries, child, now), FACILITY_TRIES - 1);
	/* a day of it is some hundred */
	for (int64_t end = now + 86400000, wrong = 0; now <= end; now += 1000) {
		if (facility_tries_wait(&tries, child, now) == 0) {
			facility_tries_wrong(&tries, child, now);
			wrong++;
		}
		ck_assert_int_le(wrong, 86400000 / FACILITY_TRY_MS + FACILITY_TRIES);
	}
	/* who has spent all isn't forgotten for those who have spent one */
	for (int i = 0; i < 2 * FACILITY_TRIES_CHILDREN; i++) {
		other[1] = (uint8_t)i;
		other[2] = (uint8_t)(i >> 8);
		facility_tries_wrong(&tries, other, now);
	}
	ck_assert_int_gt(facility_tries_wait(&tries, child, now), 0);
}
END_TEST

START_TEST(a_right_with_a_code_is_none_without_it)
{
	struct facility f;
	uint8_t id[STORE_ID];
	struct store_db *db = open_with_code(&f, id);
	struct err err = { 0 };
	struct facility_pickup out = { .at = help_at(17, 0), .child = help_id(1), .adult = id };

	REFUSED(ERR_DENIED, "林阿姨 may take 安一 home with the code alone: ask for it",
	        facility_pickup(&f, &out, &err));
	out.code = "004711";
	OK(facility_pickup(&f, &out, &err));
	store_db_close(db);
}
END_TEST

START_TEST(a_code_expires_and_can_be_revoked)
{
	struct facility f;
	uint8_t id[STORE_ID];
	struct store_db *db = open_with_code(&f, id);
	struct err err = { 0 };
	int64_t day = 86400000;
	struct facility_arrival in = { .at = help_at(8, 0) + day, .child = help_id(1) };
	struct facility_pickup out = { .at = help_at(17, 0) + day,
		                       .child = help_id(1),
		                       .code = "004711" };

	OK(facility_arrival(&f, &in, &err));
	REFUSED(ERR_DENIED, "is for other days and opens nothing today",
	        facility_pickup(&f, &out, &err));
	OK(store_db_exec(db, "UPDATE pickup_auth SET valid_to = 20260303 WHERE kind = 2", &err));
	OK(store_db_exec(db, "UPDATE pickup_auth SET revoked = 1 WHERE kind = 2", &err));
	REFUSED(ERR_DENIED, "林阿姨's code for 安一 was revoked", facility_pickup(&f, &out, &err));
	store_db_close(db);
}
END_TEST

START_TEST(a_code_made_with_another_key_is_named)
{
	struct facility f;
	uint8_t id[STORE_ID];
	struct store_db *db = open_with_code(&f, id);
	struct err err = { 0 };
	struct facility_pickup out = { .at = help_at(17, 0),
		                       .child = help_id(1),
		                       .code = "004711" };

	OK(store_db_exec(db,
	                 "UPDATE yz_meta SET value = randomblob(32) WHERE name = "
	                 "'facility.id_key'",
	                 &err));
	REFUSED(ERR_DENIED, "was made at another station before its enrolment",
	        facility_pickup(&f, &out, &err));
	store_db_close(db);
}
END_TEST

START_TEST(an_enrolled_node_still_knows_its_codes)
{
	static const uint8_t key[ID_KEY] = { 7 };
	struct facility f;
	uint8_t id[STORE_ID];
	struct store_db *db = open_with_code(&f, id);
	struct err err = { 0 };
	struct facility_pickup out = { .at = help_at(17, 0),
		                       .child = help_id(1),
		                       .code = "004711" };

	OK(id_key_keep(db, key, &err));
	OK(facility_pickup(&f, &out, &err));
	store_db_close(db);
}
END_TEST

static const struct code_case {
	const char *name, *code;
	int64_t to;
	int child, at;
	int rc;
	const char *says;
} code_cases[] = {
	{ "林阿姨", NULL, 0, 1, 12, ERR_INVALID, "code: is not 6 digits" },
	{ "林阿姨", "12345", 0, 1, 12, ERR_INVALID, "code: is not 6 digits" },
	{ "林阿姨", "1234567", 0, 1, 12, ERR_INVALID, "code: is not 6 digits" },
	{ "林阿姨", "12a456", 0, 1, 12, ERR_INVALID, "code: is not 6 digits" },
	{ NULL, "123456", 0, 1, 12, ERR_INVALID, "name: is needed" },
	{ "林阿姨", "123456", 0, 9, 12, ERR_NOTFOUND, "is not enrolled at F1" },
	{ "林阿姨", "123456", 20260230, 1, 12, ERR_INVALID, "to: 20260230" },
	{ "林阿姨", "123456", 20260301, 1, 12, ERR_INVALID, "is not one of the next 7 days" },
	{ "林阿姨", "123456", 20260310, 1, 12, ERR_INVALID, "is not one of the next 7 days" },
	{ "林阿姨", "004711", 0, 1, 12, ERR_INVALID, "code: is 林阿姨's for 安一 already" },
	{ "林阿姨", "004711", 0, 2, 12, 0, NULL }, /* another child's */
	{ "林阿姨", "004711", 0, 1, 36, 0, NULL }, /* hers is over tomorrow */
	{ "林阿姨", "123456", 20260309, 1, 12, 0, NULL },
};

START_TEST(a_code_is_made_or_refused)
{
	const struct code_case *c = &code_cases[_i];
	struct facility f;
	uint8_t id[STORE_ID];
	struct store_db *db = open_with_code(&f, id);
	struct err err = { 0 };
	struct facility_pickup_code in = { .at = help_at(c->at, 0),
		                           .child = help_id(c->child),
		                           .name = c->name,
		                           .code = c->code,
		                           .to = c->to };
	int rc = facility_pickup_code(&f, &in, &err);

	ck_assert_msg(rc == c->rc, "%d %s", rc, err.msg);
	if (c->says != NULL)
		help_says(&err, c->says);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM pickup_auth WHERE kind = 2"),
	                 rc == 0 ? 2 : 1);
	store_db_close(db);
}
END_TEST

/* ------------------------------------------------------------------ the batch door */

#define CHILD1 "\"child\":\"01010101010101010101010101010101\""
#define AT(time) "\"at\":\"2026-03-02T" time ":00+08:00\""

START_TEST(the_batch_door_takes_them_all)
{
	static const char lines[] = "{\"do\":\"staff_check\",\"key\":\"1\"," AT(
	        "07:05") ",\"staff\":"
	                 "\"41414141414141414141414141414141\",\"temp_dc\":365,\"symptom_bits\":2}"
	                 "\n"
	                 "{\"do\":\"house_check\",\"key\":\"2\"," AT(
	                         "07:10") ",\"kind\":1,\"result\":2,"
	                                  "\"findings\":\"门把手松动\"}\n"
	                                  "{\"do\":\"arrival\",\"key\":\"3\"," AT(
	                                          "08:00") "," CHILD1 "}\n"
	                                                   "{\"do\":\"leave\",\"key\":\"4\"," AT(
	                                                           "08:20") ",\"child\":"
	                                                                    "\"02020202020202020202"
	                                                                    "020202020202\","
	                                                                    "\"type\":2,\"to\":"
	                                                                    "20260304,\"source\":2}"
	                                                                    "\n"
	                                                                    "{\"do\":\"pickup_"
	                                                                    "code\",\"key\":"
	                                                                    "\"5\"," AT(
	                                                                            "12:00") "," CHILD1
	                                                                                     ",\"na"
	                                                                                     "me\":"
	                                                                                     "\"林"
	                                                                                     "阿姨"
	                                                                                     "\","
	                                                                                     "\"rel"
	                                                                                     "ation"
	                                                                                     "\":"
	                                                                                     "\"邻"
	                                                                                     "居\","
	                                                                                     "\"pho"
	                                                                                     "ne\":"
	                                                                                     "\"139"
	                                                                                     "0000"
	                                                                                     "\","
	                                                                                     "\"cod"
	                                                                                     "e\":"
	                                                                                     "\"004"
	                                                                                     "711\""
	                                                                                     "}\n"
	                                                                                     "{\"do"
	                                                                                     "\":"
	                                                                                     "\"pic"
	                                                                                     "kup\""
	                                                                                     ",\"ke"
	                                                                                     "y\":"
	                                                                                     "\"6\""
	                                                                                     "," AT("17:00") "," CHILD1
	                                                                                                     ",\"code\":\"004711\"}\n"
	                                                                                                     "{\"do\":\"pickup\",\"key\":\"7\"," AT(
	                                                                                                             "17:01") "," CHILD1
	                                                                                                                      ",\"code\":\"000000\"}\n"
	                                                                                                                      "{\"do\":\"leave_review\",\"key\":\"8\"," AT(
	                                                                                                                              "17:02") ",\"leave\":"
	                                                                                                                                       "\"01010101010101010101010101010101\",\"review\":1}\n"
	                                                                                                                                       "{\"do\":\"house_check\",\"key\":\"9\"," AT(
	                                                                                                                                               "18:30") ",\"kind\":2}\n"
	                                                                                                                                                        "{\"do\":\"house_check\",\"key\":\"10\"," AT(
	                                                                                                                                                                "18:30") ",\"kind\":2,\"code\":1}\n";
	struct facility f;
	struct store_db *db = open_staffed(&f);
	struct lines_counts n;
	struct buf out = { 0 };
	struct err err = { 0 };

	OK(store_db_commit(db, &err));
	OK(facility_batch_post(&f, lines, sizeof lines - 1, &out, &n, &err));
	ck_assert_msg(n.stored == 7 && n.refused == 3, "%s", buf_str(&out));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "安一 has left already"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "leave: there is no 0101"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "code: house_check has no such member"));
	buf_free(&out);
	store_db_close(db);
}
END_TEST

#define LOOP(test, cases) tcase_add_loop_test(tcase, test, 0, sizeof(cases) / sizeof((cases)[0]))

Suite *
suite_facility_open(void)
{
	Suite *suite = suite_create("node/facility/record_open");
	TCase *tcase = tcase_create("open");

	tcase_add_test(tcase, staff_say_how_they_are);
	LOOP(a_bad_staff_check_is_refused, staff_cases);
	tcase_add_test(tcase, the_house_is_opened_and_closed);
	tcase_add_test(tcase, a_request_for_medicine_is_accepted_or_declined);
	tcase_add_test(tcase, a_booking_is_confirmed_and_kept_or_not);
	tcase_add_test(tcase, a_booking_that_was_declined_stays_so);
	tcase_add_test(tcase, leave_is_asked_for_and_answered);
	LOOP(a_bad_leave_is_refused, leave_cases);
	tcase_add_test(tcase, a_code_takes_her_home_once);
	tcase_add_test(tcase, wrong_codes_come_to_an_end);
	tcase_add_test(tcase, wrong_tries_come_back_one_by_one);
	tcase_add_test(tcase, a_right_with_a_code_is_none_without_it);
	tcase_add_test(tcase, a_code_expires_and_can_be_revoked);
	tcase_add_test(tcase, a_code_made_with_another_key_is_named);
	tcase_add_test(tcase, an_enrolled_node_still_knows_its_codes);
	LOOP(a_code_is_made_or_refused, code_cases);
	tcase_add_test(tcase, the_batch_door_takes_them_all);
	suite_add_tcase(suite, tcase);
	return suite;
}

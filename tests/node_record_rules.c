/* tests/node_record_rules.c - what the platform may say in the facility's own tables, and which
 * answers are not its to give. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/engine_tables.h"
#include "node/facility/late_codes.h"
#include "node/facility/schema.h"
#include "node/hub/api_records.h"
#include "node/hub/token.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static char f1[80];
static struct lines_counts counts;
static char said[600];

#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, hub_err.msg)

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s: %s", sql, hub_err.msg);
}

/* A hub that has the roster of F1, and of F2 a child; F3 has sent nothing yet. */
static void
begin(void)
{
	struct token_terms terms = {
		.scope = "all",
		.writes = "leave_request,medication_request,booking,pickup_auth,growth_comment,"
		          "course_order,guardian",
	};
	char text[TOKEN_TEXT], id[TOKEN_ID];

	hub_open();
	OK(store_db_begin(hub_db, &hub_err));
	OK(facility_schema_create(hub_db, &hub_err));
	OK(facility_seed(hub_db, &hub_err));
	OK(facility_track(hub_db, true, &hub_err));
	OK(engine_tables_track(hub_db, true, &hub_err));
	OK(facility_late_codes_keep(hub_db, &hub_err));
	OK(store_db_commit(hub_db, &hub_err));
	for (uint8_t n = 1; n <= 3; n++)
		hub_enrol(n == 1 ? "F1" : n == 2 ? "F2" : "F3", n);
	OK(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err));
	snprintf(f1, sizeof f1, "Bearer %s", text);
	run("INSERT INTO child(id, facility_id) VALUES (x'01010101010101010101010101010101', 'F1'),"
	    " (x'02020202020202020202020202020202', 'F2');"
	    "INSERT INTO enrollment(id, facility_id, child_id) VALUES"
	    " (x'11111111111111111111111111111111', 'F1', x'01010101010101010101010101010101');"
	    "INSERT INTO session_event(id, facility_id) VALUES"
	    " (x'51515151515151515151515151515151', 'F1')");
}

static void
end(void)
{
	hub_close();
}

#define ID(n) "\"id\":\"000000000000000000000000000000" n "\","

/* A line with that row: what became of it is in `said`, and whether it was stored is returned. */
static bool
post(const char *op, const char *table, const char *row)
{
	static int key;
	struct http_response response = { 0 };
	struct http_request request = { .method = "POST", .path = "/v1/records", .query = "" };
	char body[2000];

	snprintf(body, sizeof body, "{\"key\":\"%d\",\"table\":\"%s\",\"op\":\"%s\",\"row\":{%s}}",
	         ++key, table, op, row);
	request.body = body;
	request.body_len = strlen(body);
	OK(api_records_post(hub_db, &request, f1, &response, &counts, &hub_err));
	snprintf(said, sizeof said, "%s", buf_str(&response.body));
	buf_free(&response.body);
	buf_free(&response.fields);
	ck_assert_int_eq(counts.stored + counts.refused, 1);
	return counts.stored == 1;
}

static bool
upsert(const char *table, const char *row)
{
	return post("upsert", table, row);
}

#define LEAVE ID("01") "\"facility_id\":\"F1\","
#define DRUG ID("02") "\"facility_id\":\"F1\","
#define TOUR ID("03") "\"facility_id\":\"F1\","
#define RIGHT ID("04") "\"facility_id\":\"F1\","
#define ORDER ID("05") "\"facility_id\":\"F1\","

static const struct bad_case {
	const char *table, *row, *says;
} bad_values[] = {
	{ "leave_request", "\"id\":\"0009\",\"facility_id\":\"F1\"", "id: is no id of 16 bytes" },
	{ "leave_request", LEAVE "\"enrollment_id\":\"11\"",
	  "enrollment_id: is no id of 16 bytes" },
	{ "leave_request", LEAVE "\"enrollment_id\":\"22222222222222222222222222222222\"",
	  "enrollment_id: the facility has no such enrolment" },
	{ "medication_request", DRUG "\"child_id\":\"02020202020202020202020202020202\"",
	  "child_id: the facility has no such child" },
	{ "growth_comment", DRUG "\"child_id\":\"03030303030303030303030303030303\"",
	  "child_id: the facility has no such child" },
	{ "booking", TOUR "\"session_id\":\"52525252525252525252525252525252\"",
	  "session_id: the facility has no such session" },
	{ "leave_request", LEAVE "\"date_from\":-5", "date_from: is no day as YYYYMMDD" },
	{ "leave_request", LEAVE "\"date_to\":99", "date_to: is no day as YYYYMMDD" },
	{ "leave_request", LEAVE "\"date_to\":20260229", "date_to: is no day as YYYYMMDD" },
	{ "leave_request", LEAVE "\"date_to\":4315227590", "date_to: is no day as YYYYMMDD" },
	{ "leave_request", LEAVE "\"date_from\":20260303,\"date_to\":20260302",
	  "date_to: is before date_from" },
	{ "medication_request", DRUG "\"date_from\":20260303,\"date_to\":20260302",
	  "date_to: is before date_from" },
	{ "pickup_auth", DRUG "\"valid_from\":20260303,\"valid_to\":20260302",
	  "valid_to: is before valid_from" },
	{ "pickup_auth", DRUG "\"valid_to\":1", "valid_to: is no day as YYYYMMDD" },
	{ "leave_request", LEAVE "\"type\":777", "type: is no code of leave_request.type" },
	{ "leave_request", LEAVE "\"type\":-1", "type: is no code of leave_request.type" },
	{ "booking", TOUR "\"kind\":5", "kind: is no code of booking.kind" },
	{ "booking", TOUR "\"wanted_at\":1772438400", "wanted_at: is no time of this century" },
	{ "leave_request", LEAVE "\"at\":-1", "at: is no time of this century" },
	{ "leave_request", LEAVE "\"source\":3", "source: is 1, the parents' app" },
	/* answers on a new row */
	{ "leave_request", LEAVE "\"review\":1", "review: is the facility's answer" },
	{ "leave_request", LEAVE "\"review_note\":\"好\"", "review_note: is the facility's" },
	{ "leave_request", LEAVE "\"reviewed_at\":1772438400000",
	  "reviewed_at: is the facility's" },
	{ "leave_request", LEAVE "\"review_of\":\"@1\"", "review_of: is the facility's" },
	{ "leave_request", LEAVE "\"wording\":\"1\"", "wording: is the facility's" },
	{ "medication_request", DRUG "\"review\":1", "review: is the facility's answer" },
	{ "medication_request", DRUG "\"accepted_at\":1772438400000", "accepted_at: is the" },
	{ "medication_request", DRUG "\"accepted_by\":\"01010101010101010101010101010101\"",
	  "accepted_by: is the facility's" },
	{ "booking", TOUR "\"review_note\":\"好\"", "review_note: is the facility's" },
	{ "booking", TOUR "\"state\":2", "state: is 1 or 4 here" },
	{ "booking", TOUR "\"state\":3", "state: is 1 or 4 here" },
	{ "booking", TOUR "\"state\":5", "state: is 1 or 4 here" },
	{ "booking", TOUR "\"state\":9", "state: is no code of booking.state" },
	{ "guardian", RIGHT "\"name\":\"陌生人\"", "table: guardians are the facility's" },
	{ "pickup_auth", RIGHT "\"asked\":1", "asked: is the facility's answer" },
	{ "pickup_auth", RIGHT "\"review\":1", "review: is the facility's answer" },
	{ "pickup_auth", RIGHT "\"review_of\":\"@1\"", "review_of: is the facility's" },
	{ "pickup_auth", RIGHT "\"child_id\":\"02020202020202020202020202020202\"",
	  "child_id: the facility has no such child" },
	{ "course_order", ORDER "\"review\":1", "review: is the facility's answer" },
	{ "course_order", ORDER "\"done_at\":1772438400000", "done_at: is the facility's" },
	{ "course_order", ORDER "\"wording\":\"1\"", "wording: is the facility's" },
	{ "course_order", ORDER "\"state\":3", "state: is no code of course_order.state" },
	{ "course_order", ORDER "\"from_date\":20260303,\"to_date\":20260302",
	  "to_date: is before from_date" },
};

START_TEST(what_could_never_be_answered_is_refused)
{
	const struct bad_case *c = &bad_values[_i];

	ck_assert_msg(!upsert(c->table, c->row) && strstr(said, c->says) != NULL, "%s: %s", c->row,
	              said);
	ck_assert_int_eq(hub_int("SELECT (SELECT count(*) FROM leave_request) + (SELECT count(*)"
	                         " FROM medication_request) + (SELECT count(*) FROM booking) +"
	                         " (SELECT count(*) FROM pickup_auth) + (SELECT count(*) FROM"
	                         " course_order)"),
	                 0);
}
END_TEST

START_TEST(what_can_be_is_stored)
{
	static const struct {
		const char *table, *row;
	} good[] = {
		{ "leave_request", LEAVE
		  "\"enrollment_id\":\"11111111111111111111111111111111\",\"date_from\":20260302,"
		  "\"date_to\":20260302,\"type\":2,\"source\":1,\"at\":1772438400000,"
		  "\"review\":null,\"review_note\":null" },
		{ "medication_request",
		  DRUG "\"child_id\":\"01010101010101010101010101010101\",\"drug\":\"x\","
		       "\"accepted_at\":null,\"time_bits\":5" },
		{ "booking", TOUR "\"session_id\":\"51515151515151515151515151515151\",\"kind\":2,"
		                  "\"state\":1" },
		/* a facility whose roster the hub hasn't: its node will know */
		{ "medication_request", ID("04") "\"facility_id\":\"F3\",\"child_id\":"
		                                 "\"03030303030303030303030303030303\"" },
		{ "booking", ID("05") "\"facility_id\":\"F1\",\"kind\":null,\"state\":4" },
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(upsert(good[i].table, good[i].row), "%s: %s", good[i].row, said);
	/* a child that is shared with F1 is another's by her own row */
	run("INSERT INTO yz_share(root, key, scope, at, by) VALUES ('child', x'00', 'f/F1', 1, "
	    "'')");
	ck_assert_msg(upsert("medication_request", ID("06") "\"facility_id\":\"F1\",\"child_id\":"
	                                                    "\"02020202020202020202020202020202\""),
	              "%s", said);
}
END_TEST

/* ---- what is answered ---- */

static void
ask(void)
{
	ck_assert(upsert("leave_request", LEAVE "\"date_from\":20260302,\"reason\":\"发热\""));
	ck_assert(upsert("medication_request", DRUG "\"drug\":\"布洛芬\",\"dose_text\":\"2 ml\","
	                                            "\"date_from\":20260302,\"date_to\":20260304"));
	ck_assert(upsert("booking", TOUR "\"kind\":1,\"wanted_at\":1772592000000,\"phone\":\"1\""));
	ck_assert(upsert("pickup_auth", RIGHT "\"name\":\"姑姑\",\"valid_to\":20260303"));
	ck_assert(upsert("course_order", ORDER "\"course_code\":\"C1\",\"places\":2"));
}

static const char answers[] =
        "UPDATE leave_request SET review = 1, reviewed_at = 5, review_of = '@5';"
        "UPDATE medication_request SET review = 1, reviewed_at = 5, accepted_at = 5,"
        " review_of = '@5';"
        "UPDATE pickup_auth SET review = 1, reviewed_at = 5, review_of = '@5';"
        "UPDATE course_order SET review = 2, reviewed_at = 5, review_of = '@5';"
        "UPDATE booking SET state = 2, review_of = ''";

static const struct bad_case bad_changes[] = {
	{ "medication_request", DRUG "\"dose_text\":\"20 ml\"",
	  "dose_text: this request is answered" },
	{ "medication_request", DRUG "\"drug\":\"水\"", "drug: this request is answered" },
	{ "medication_request", DRUG "\"date_to\":20261231", "date_to: this request is answered" },
	{ "medication_request", DRUG "\"time_bits\":1", "time_bits: this request is answered" },
	{ "medication_request", DRUG "\"child_id\":\"01010101010101010101010101010101\"",
	  "child_id: this request is answered" },
	{ "medication_request", DRUG "\"review\":null", "review: is the facility's answer" },
	{ "medication_request", DRUG "\"review\":2", "review: is the facility's answer" },
	{ "medication_request", DRUG "\"accepted_at\":null", "accepted_at: is the facility's" },
	{ "leave_request", LEAVE "\"date_to\":20260303", "date_to: this request is answered" },
	{ "leave_request", LEAVE "\"reason\":null", "reason: this request is answered" },
	{ "booking", TOUR "\"wanted_at\":1772595600000", "wanted_at: this request is answered" },
	{ "booking", TOUR "\"kind\":2", "kind: this request is answered" },
	{ "booking", TOUR "\"state\":1", "state: is 1 or 4 here" },
	{ "booking", TOUR "\"state\":3", "state: is 1 or 4 here" },
	{ "pickup_auth", RIGHT "\"name\":\"陌生人\"", "name: this request is answered" },
	{ "pickup_auth", RIGHT "\"valid_to\":null", "valid_to: this request is answered" },
	{ "pickup_auth", RIGHT "\"asked\":null", "asked: is the facility's answer" },
	{ "course_order", ORDER "\"places\":20", "places: this request is answered" },
	{ "course_order", ORDER "\"review\":1", "review: is the facility's answer" },
};

START_TEST(what_is_answered_is_not_changed)
{
	const struct bad_case *c = &bad_changes[_i];
	int64_t before;

	ask();
	run(answers);
	before = hub_int("SELECT count(*) FROM yz_log");
	ck_assert_msg(!upsert(c->table, c->row) && strstr(said, c->says) != NULL, "%s: %s", c->row,
	              said);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM yz_log"), before);
}
END_TEST

/* Before the answer everything may be put right; after it, what is sent again as it was is no
 * change, and the telephone of who booked is no question. */
START_TEST(what_says_nothing_new_is_taken)
{
	ask();
	ck_assert(upsert("medication_request", DRUG "\"dose_text\":\"3 ml\""));
	ck_assert(upsert("booking", TOUR "\"wanted_at\":1772595600000,\"state\":1"));
	run(answers);
	/* of another wording: nobody has answered that one */
	ck_assert(upsert("medication_request", DRUG "\"dose_text\":\"2 ml\""));
	run("UPDATE medication_request SET review_of = wording || '@5'");
	ck_assert(!upsert("medication_request", DRUG "\"dose_text\":\"20 ml\""));
	ck_assert_msg(upsert("medication_request",
	                     DRUG "\"drug\":\"布洛芬\",\"dose_text\":\"2 ml\",\"review\":1,"
	                          "\"date_from\":20260302"),
	              "%s", said);
	ck_assert_msg(upsert("leave_request", LEAVE "\"reason\":\"发热\",\"review\":1"), "%s",
	              said);
	ck_assert_msg(upsert("booking", TOUR "\"phone\":\"2\",\"state\":4"), "%s", said);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM booking WHERE state = 4 AND phone = '2'"),
	                 1);
}
END_TEST

static int64_t
asked(void)
{
	return hub_int("SELECT coalesce(asked, 0) FROM pickup_auth");
}

/* A right that the platform makes waits for an answer, and so does staff's own once the platform
 * says something else of it; that it is revoked needs none. */
START_TEST(whose_right_is_asked_for_is_marked)
{
	ck_assert(upsert("pickup_auth", RIGHT "\"name\":\"姑姑\""));
	ck_assert_int_eq(asked(), 1);
	run("DELETE FROM pickup_auth; INSERT INTO pickup_auth(id, facility_id, name)"
	    " VALUES (x'00000000000000000000000000000006', 'F1', '外婆')");
	ck_assert(upsert("pickup_auth", ID("06") "\"facility_id\":\"F1\",\"name\":\"外婆\""));
	ck_assert(upsert("pickup_auth", ID("06") "\"facility_id\":\"F1\",\"revoked\":1"));
	ck_assert_int_eq(asked(), 0);
	ck_assert(upsert("pickup_auth", ID("06") "\"facility_id\":\"F1\",\"phone\":\"131\""));
	ck_assert_int_eq(asked(), 1);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM pickup_auth WHERE length(wording) = 16"), 1);
}
END_TEST

/* What was answered may still be revoked, or given back. */
START_TEST(what_is_answered_may_end)
{
	ask();
	run(answers);
	ck_assert_msg(upsert("pickup_auth", RIGHT "\"name\":\"姑姑\",\"revoked\":1"), "%s", said);
	ck_assert_msg(upsert("course_order", ORDER "\"state\":2,\"amount_fen\":0"), "%s", said);
}
END_TEST

/* Cancelled by who booked, declined, came, did not come. */
START_TEST(a_booking_that_is_over_stays_so)
{
	static const int states[] = { 4, 6, 3, 5 };
	char sql[100];

	ask();
	snprintf(sql, sizeof sql, "UPDATE booking SET state = %d", states[_i]);
	run(sql);
	for (int state = 1; state <= 5; state++) {
		char row[200];

		if (state == states[_i])
			continue;
		snprintf(row, sizeof row, TOUR "\"state\":%d", state);
		ck_assert_msg(!upsert("booking", row) &&
		                      strstr(said, "was cancelled or declined, or is over") != NULL,
		              "%d: %s", state, said);
	}
	ck_assert(!upsert("booking", TOUR "\"wanted_at\":1772595600000"));
	snprintf(sql, sizeof sql, "SELECT count(*) FROM booking WHERE state = %d", states[_i]);
	ck_assert_int_eq(hub_int(sql), 1);
}
END_TEST

#define LOOP(test, cases)                                                                          \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(cases) / sizeof(cases)[0]))

Suite *
suite_node_record_rules(void)
{
	Suite *suite = suite_create("node/record_rules");
	TCase *tcase = tcase_create("rules");

	tcase_add_checked_fixture(tcase, begin, end);
	LOOP(what_could_never_be_answered_is_refused, bad_values);
	tcase_add_test(tcase, what_can_be_is_stored);
	LOOP(what_is_answered_is_not_changed, bad_changes);
	tcase_add_test(tcase, what_says_nothing_new_is_taken);
	tcase_add_test(tcase, whose_right_is_asked_for_is_marked);
	tcase_add_test(tcase, what_is_answered_may_end);
	tcase_add_loop_test(tcase, a_booking_that_is_over_stays_so, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}

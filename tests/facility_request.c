/* tests/facility_request.c - what parents have asked for is listed until it is answered, on the
 * page, too, whose buttons answer it. */
#include "tests/suites.h"

#include "node/facility/page.h"
#include "node/facility/request.h"
#include "store/base/text.h"
#include "tests/facility_help.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define TOKEN "t0ken"

static struct facility f;
static struct store_db *db;
static struct err err;

/* As the platform writes them: nothing of the facility's in it. */
static const char asked[] =
        "INSERT INTO leave_request(id, facility_id, enrollment_id, date_from, date_to, type, "
        "reason)"
        " VALUES (x'a0000000000000000000000000000001', 'F1',"
        " x'11111111111111111111111111111111', 20260302, 20260303, 1, '<发热>');"
        "INSERT INTO medication_request(id, facility_id, child_id, drug, dose_text, date_from,"
        " date_to) VALUES (x'a0000000000000000000000000000002', 'F1',"
        " x'01010101010101010101010101010101', '布洛芬', '5 ml', 20260302, 20260302);"
        "INSERT INTO booking(id, facility_id, kind, guardian_name, note, wanted_at) VALUES"
        " (x'a0000000000000000000000000000003', 'F1', 1, '张三', '下午可以吗', 1772592000000)";

static void
begin(void)
{
	db = help_small(&f);
	ck_assert_msg(store_db_exec(db, asked, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(store_db_commit(db, &err), 0);
}

static void
end(void)
{
	store_db_close(db);
}

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(db, sql, &err) == 0, "%s: %s", sql, err.msg);
}

/* "kind who what from-to words", of all that wait on that day. */
static const char *
waiting(int date)
{
	static char text[2000];
	struct requests r;
	struct arena a = { 0 };
	size_t len = 0;

	ck_assert_msg(facility_requests(&f, date, &a, &r, &err) == 0, "%s", err.msg);
	ck_assert_int_eq((int64_t)r.count,
	                 r.waiting < REQUESTS_LISTED ? r.waiting : REQUESTS_LISTED);
	text[0] = 0;
	for (size_t i = 0; i < r.count && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%d %s %s %d-%d %s",
		                        i == 0 ? "" : ", ", (int)r.list[i].kind, r.list[i].who,
		                        r.list[i].what_zh, (int)r.list[i].from, (int)r.list[i].to,
		                        r.list[i].words);
	arena_free(&a);
	return text;
}

#define LEAVE "0 安一 病假 20260302-20260303 <发热>"
#define DRUG "1 安一 布洛芬 5 ml 20260302-20260302 "
#define TOUR "2 张三 参观 20260304-20260304 下午可以吗"

START_TEST(what_waits_is_listed)
{
	begin();
	ck_assert_str_eq(waiting(HELP_DATE), DRUG ", " LEAVE ", " TOUR); /* a dose is due first */
	ck_assert_str_eq(waiting(20260303), LEAVE ", " TOUR); /* the day of the medicine is over */
	ck_assert_str_eq(waiting(20260304), TOUR);
	ck_assert_str_eq(waiting(20260305), "");
	end();
}
END_TEST

/* Taken at the door, answered, of another facility: nobody waits. */
static const char *const not_waiting[] = {
	"UPDATE leave_request SET source = 3",
	"UPDATE leave_request SET source = 2",
	"UPDATE leave_request SET review = 1",
	"UPDATE leave_request SET review = 2",
	"DELETE FROM leave_request",
	"UPDATE leave_request SET date_from = 20260227, date_to = NULL",
};

START_TEST(what_nobody_waits_for_is_not)
{
	begin();
	run(not_waiting[_i]);
	run("UPDATE medication_request SET accepted_at = 5; UPDATE booking SET state = 2");
	ck_assert_str_eq(waiting(HELP_DATE), "");
	end();
}
END_TEST

static int
answer(enum request_kind kind, bool accepts)
{
	uint8_t id[STORE_ID] = { 0xa0, [STORE_ID - 1] = (uint8_t)(kind + 1) };
	struct request_answer in = {
		.at = help_at(9, 0), .kind = kind, .id = id, .accepts = accepts, .note = "x"
	};

	return facility_request_answer(&f, &in, &err);
}

/* What was answered is not what is asked any more: each column of a request that counts. */
static const struct reworded_case {
	enum request_kind kind;
	const char *change, *waits;
} reworded_cases[] = {
	{ REQUEST_MEDICINE, "UPDATE medication_request SET dose_text = '20 ml'",
	  "1 安一 布洛芬 20 ml 20260302-20260302 " },
	{ REQUEST_MEDICINE, "UPDATE medication_request SET drug = '水'",
	  "1 安一 水 5 ml 20260302-20260302 " },
	{ REQUEST_MEDICINE, "UPDATE medication_request SET time_bits = 1", DRUG },
	{ REQUEST_MEDICINE, "UPDATE medication_request SET date_to = 20261231",
	  "1 安一 布洛芬 5 ml 20260302-20261231 " },
	{ REQUEST_MEDICINE,
	  "UPDATE medication_request SET child_id = x'02020202020202020202020202020202'",
	  "1 白二 布洛芬 5 ml 20260302-20260302 " },
	{ REQUEST_LEAVE, "UPDATE leave_request SET date_to = 20260304",
	  "0 安一 病假 20260302-20260304 <发热>" },
	{ REQUEST_LEAVE, "UPDATE leave_request SET reason = NULL",
	  "0 安一 病假 20260302-20260303 " },
	{ REQUEST_BOOKING, "UPDATE booking SET wanted_at = 1772678400000",
	  "2 张三 参观 20260305-20260305 下午可以吗" },
	{ REQUEST_BOOKING, "UPDATE booking SET kind = 3",
	  "2 张三 临时托 20260304-20260304 下午可以吗" },
};

static const char *const holding[] = {
	"SELECT count(*) FROM v1_leave_request WHERE review = 1",
	"SELECT count(*) FROM v1_medication_request WHERE review = 1 AND accepted_at IS NOT NULL",
	"SELECT count(*) FROM v1_booking WHERE state = 2",
};

START_TEST(what_was_changed_after_its_answer_waits_again)
{
	const struct reworded_case *c = &reworded_cases[_i];

	begin();
	for (int kind = 0; kind <= REQUEST_BOOKING; kind++)
		ck_assert_msg(answer((enum request_kind)kind, true) == 0, "%s", err.msg);
	ck_assert_str_eq(waiting(HELP_DATE), "");
	ck_assert_int_eq(help_int(db, holding[c->kind]), 1);
	run(c->change);
	ck_assert_str_eq(waiting(HELP_DATE), c->waits);
	ck_assert_int_eq(help_int(db, holding[c->kind]), 0);
	ck_assert_msg(answer(c->kind, true) == 0, "%s", err.msg);
	ck_assert_str_eq(waiting(HELP_DATE), "");
	ck_assert_int_eq(help_int(db, holding[c->kind]), 1);
	run(c->change); /* says the same again */
	ck_assert_str_eq(waiting(HELP_DATE), "");
	end();
}
END_TEST

/* As it comes together off line: the answer's cells are of another node, and of the old wording. */
START_TEST(an_answer_to_another_wording_is_none)
{
	begin();
	ck_assert_msg(answer(REQUEST_MEDICINE, true) == 0, "%s", err.msg);
	run("UPDATE medication_request SET dose_text = '20 ml'");
	ck_assert_msg(answer(REQUEST_MEDICINE, false) == 0, "%s", err.msg);
	ck_assert_str_eq(waiting(HELP_DATE), LEAVE ", " TOUR);
	/* a node that has not seen the change accepts later: its cells win, and are of the old one
	 */
	run("UPDATE medication_request SET review = 1, reviewed_at = reviewed_at + 1,"
	    " review_of = '@' || (reviewed_at + 1)");
	ck_assert_str_eq(waiting(HELP_DATE),
	                 "1 安一 布洛芬 20 ml 20260302-20260302 , " LEAVE ", " TOUR);
	/* a person who settles that conflict takes the cells of one by the other's word */
	run("UPDATE medication_request SET review_of = wording || '@' || (reviewed_at - 1)");
	ck_assert_str_eq(waiting(HELP_DATE),
	                 "1 安一 布洛芬 20 ml 20260302-20260302 , " LEAVE ", " TOUR);
	end();
}
END_TEST

/* Who stands before the child isn't told "accepted" of a dose that nobody has accepted. */
START_TEST(medicine_that_was_changed_is_not_given)
{
	uint8_t id[STORE_ID] = { 0xa0, [STORE_ID - 1] = REQUEST_MEDICINE + 1 };
	struct facility_medication_given in = {
		.at = help_at(9, 0), .request = id, .slot = 1, .dose = "5 ml"
	};

	begin();
	ck_assert_msg(answer(REQUEST_MEDICINE, true) == 0, "%s", err.msg);
	run("UPDATE medication_request SET dose_text = '20 ml'");
	ck_assert_int_eq(facility_medication_given(&f, &in, &err), ERR_INVALID);
	help_says(&err, "was changed since it was answered");
	ck_assert_msg(answer(REQUEST_MEDICINE, true) == 0, "%s", err.msg);
	ck_assert_msg(facility_medication_given(&f, &in, &err) == 0, "%s", err.msg);
	end();
}
END_TEST

/* A row that says next to nothing is still somebody's question. */
START_TEST(rows_without_words_are_listed)
{
	begin();
	run("DELETE FROM leave_request; DELETE FROM medication_request; DELETE FROM booking;"
	    "INSERT INTO leave_request(id, facility_id) VALUES (x'a0', 'F1');"
	    "INSERT INTO medication_request(id, facility_id) VALUES (x'a1', 'F1');"
	    "INSERT INTO booking(id, facility_id, kind) VALUES (x'a2', 'F1', 77)");
	ck_assert_str_eq(waiting(HELP_DATE), "1   0-0 , 0   0-0 , 2  77 0-0 ");
	run("UPDATE booking SET wanted_at = 9223372036854775807");
	ck_assert_str_eq(waiting(HELP_DATE), "1   0-0 , 0   0-0 , 2  77 0-0 ");
	end();
}
END_TEST

START_TEST(a_long_list_has_an_end_and_a_count)
{
	char sql[200];

	begin();
	for (int i = 0; i < REQUESTS_LISTED; i++) {
		snprintf(sql, sizeof sql,
		         "INSERT INTO booking(facility_id, kind) VALUES ('F1', %d)", 100 + i);
		run(sql);
	}
	ck_assert_ptr_nonnull(strstr(waiting(HELP_DATE), LEAVE));
	end();
}
END_TEST

/* ------------------------------------------------------------------ the page */

static struct page_view
view_at(enum page_lang lang, int hour)
{
	return (struct page_view){ .lang = lang, .now_ms = help_at(hour, 0), .token = TOKEN };
}

static int
post(enum page_lang lang, const char *fields)
{
	struct page_view v = view_at(lang, 9);
	char body[3000];

	snprintf(body, sizeof body, "token=" TOKEN "&%s", fields);
	return page_tap(&f, &v, body, strlen(body), &err);
}

#define OF_LEAVE "of=leave&request=a0000000000000000000000000000001"
#define OF_DRUG "of=medicine&request=a0000000000000000000000000000002"
#define OF_TOUR "of=booking&request=a0000000000000000000000000000003"

static const struct answer_case {
	const char *fields, *shows, *rest;
} answer_cases[] = {
	{ "do=accept&" OF_LEAVE "&note=",
	  "SELECT count(*) FROM leave_request WHERE review = 1 AND review_note IS NULL AND"
	  " reviewed_at = 1772413200000",
	  DRUG ", " TOUR },
	{ "do=decline&" OF_LEAVE "&note=%E4%BA%BA%E6%89%8B%E4%B8%8D%E8%B6%B3",
	  "SELECT count(*) FROM leave_request WHERE review = 2 AND review_note = '人手不足'",
	  DRUG ", " TOUR },
	{ "do=accept&" OF_DRUG "&note=ok",
	  "SELECT count(*) FROM medication_request WHERE review = 1 AND review_note = 'ok' AND"
	  " accepted_at = 1772413200000",
	  LEAVE ", " TOUR },
	{ "do=decline&" OF_DRUG "&note=no",
	  "SELECT count(*) FROM medication_request WHERE review = 2 AND review_note = 'no' AND"
	  " accepted_at IS NULL",
	  LEAVE ", " TOUR },
	{ "do=accept&" OF_TOUR,
	  "SELECT count(*) FROM booking WHERE state = 2 AND review_note IS NULL AND"
	  " note = '下午可以吗'",
	  DRUG ", " LEAVE },
	{ "do=decline&" OF_TOUR "&note=full",
	  "SELECT count(*) FROM booking WHERE state = 6 AND review_note = 'full' AND"
	  " note = '下午可以吗'",
	  DRUG ", " LEAVE },
};

START_TEST(a_button_answers)
{
	const struct answer_case *c = &answer_cases[_i];
	int64_t changes;

	begin();
	ck_assert_msg(post(PAGE_ZH, c->fields) == 0, "%s", err.msg);
	ck_assert_int_eq(help_int(db, c->shows), 1);
	ck_assert_str_eq(waiting(HELP_DATE), c->rest);
	ck_assert(!store_db_in_transaction(db));
	/* a second tap, or another tablet's */
	changes = help_int(db, "SELECT total_changes()");
	ck_assert_msg(post(PAGE_ZH, c->fields) == 0, "%s", err.msg);
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), changes);
	end();
}
END_TEST

static const struct bad_case {
	const char *before, *fields;
	int code;
	const char *zh, *en;
} bad_cases[] = {
	{ "", "do=decline&" OF_LEAVE, ERR_INVALID, "不同意时请写明原因", "say why you decline" },
	{ "", "do=decline&" OF_TOUR "&note=+%20", ERR_INVALID, "不同意时请写明原因",
	  "say why you decline" },
	{ "", "do=accept", ERR_INVALID, "表单不完整", "incomplete" },
	{ "", "do=accept&of=child&request=a0000000000000000000000000000001", ERR_INVALID,
	  "表单不完整", "incomplete" },
	{ "", "do=accept&of=leave&request=a0", ERR_INVALID, "表单不完整", "incomplete" },
	{ "", "do=accept&of=leave&request=a0000000000000000000000000000002", ERR_NOTFOUND,
	  "没有这条申请", "not on this machine" },
	{ "UPDATE leave_request SET review = 2", "do=accept&" OF_LEAVE, ERR_INVALID, "已有别的答复",
	  "another answer" },
	{ "UPDATE booking SET state = 4", "do=accept&" OF_TOUR, ERR_INVALID, "已有别的答复",
	  "another answer" },
	{ "UPDATE booking SET state = 6", "do=accept&" OF_TOUR, ERR_INVALID, "已有别的答复",
	  "another answer" },
	{ "UPDATE booking SET state = 3", "do=decline&note=x&" OF_TOUR, ERR_INVALID, "已有别的答复",
	  "another answer" },
	{ "UPDATE medication_request SET accepted_at = 5", "do=decline&note=x&" OF_DRUG,
	  ERR_INVALID, "已有别的答复", "another answer" },
	/* what it says isn't what was on the page */
	{ "UPDATE medication_request SET dose_text = '20 ml'", "do=accept&" OF_DRUG, ERR_INVALID,
	  "已修改这条申请", "changed meanwhile" },
	{ "UPDATE leave_request SET date_to = 20260331", "do=decline&note=x&" OF_LEAVE, ERR_INVALID,
	  "已修改这条申请", "changed meanwhile" },
	{ "UPDATE booking SET wanted_at = wanted_at + 1", "do=accept&" OF_TOUR "&wording=0123",
	  ERR_INVALID, "已修改这条申请", "changed meanwhile" },
};

START_TEST(what_cannot_be_answered_is_said)
{
	const struct bad_case *c = &bad_cases[_i];
	int64_t changes;

	begin();
	run(c->before);
	changes = help_int(db, "SELECT total_changes()");
	ck_assert_int_eq(post(PAGE_ZH, c->fields), c->code);
	help_says(&err, c->zh);
	ck_assert_int_eq(post(PAGE_EN, c->fields), c->code);
	help_says(&err, c->en);
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), changes);
	ck_assert(!store_db_in_transaction(db));
	end();
}
END_TEST

START_TEST(a_note_has_a_limit_and_a_form_a_token)
{
	char fields[2000] = "do=accept&" OF_LEAVE "&note=";
	struct page_view v = view_at(PAGE_ZH, 9);
	size_t at = strlen(fields);

	begin();
	memset(fields + at, 'x', 900);
	fields[at + 900] = 0;
	ck_assert_int_eq(post(PAGE_ZH, fields), ERR_INVALID);
	help_says(&err, "表单不完整");
	ck_assert_int_eq(page_tap(&f, &v, fields, strlen(fields), &err), ERR_DENIED);
	ck_assert_str_eq(waiting(HELP_DATE), DRUG ", " LEAVE ", " TOUR);
	fields[at + 600] = 0; /* 200 characters of Chinese */
	ck_assert_msg(post(PAGE_ZH, fields) == 0, "%s", err.msg);
	end();
}
END_TEST

/* A clock of another century: said as at every button. */
START_TEST(a_wrong_clock_is_said)
{
	struct page_view v = view_at(PAGE_ZH, 9);
	const char *body = "token=" TOKEN "&do=accept&" OF_LEAVE;

	begin();
	v.now_ms = 1000;
	ck_assert_int_eq(page_tap(&f, &v, body, strlen(body), &err), ERR_INVALID);
	help_says(&err, "本机时钟不对");
	end();
}
END_TEST

/* How often is `part` in `html`? */
static int
times(const char *html, const char *part)
{
	int n = 0;

	for (; (html = strstr(html, part)) != NULL; html += strlen(part))
		n++;
	return n;
}

START_TEST(the_page_shows_them_with_two_buttons)
{
	struct page_view v = view_at(PAGE_ZH, 9);
	struct buf out = { 0 };
	const char *html;

	begin();
	ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
	html = buf_str(&out);
	ck_assert_ptr_nonnull(strstr(html, "家长申请 <span>待答复 3</span>"));
	ck_assert_int_eq(times(html, "value=\"accept\""), 3);
	ck_assert_int_eq(times(html, "value=\"decline\""), 3);
	ck_assert_ptr_nonnull(strstr(html, "病假 · 2026-03-02 – 2026-03-03<br>“&lt;发热&gt;”"));
	ck_assert_ptr_nonnull(strstr(html, "布洛芬 5 ml · 2026-03-02</p>"));
	ck_assert_ptr_nonnull(strstr(html, "张三<small>预约</small>"));
	buf_clear(&out);
	v.lang = PAGE_EN;
	ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
	html = buf_str(&out);
	ck_assert_ptr_nonnull(strstr(html, "Requests of parents <span>3 to answer</span>"));
	ck_assert_ptr_nonnull(strstr(html, "tour · 2026-03-04"));
	run("UPDATE leave_request SET review = 1; UPDATE medication_request SET review = 1;"
	    "UPDATE booking SET state = 2");
	buf_clear(&out);
	ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
	ck_assert_ptr_null(strstr(buf_str(&out), "id=\"requests\""));
	buf_free(&out);
	end();
}
END_TEST

Suite *
suite_facility_request(void)
{
	Suite *suite = suite_create("node/facility/request");
	TCase *tcase = tcase_create("request");

	tcase_add_test(tcase, what_waits_is_listed);
	tcase_add_loop_test(tcase, what_nobody_waits_for_is_not, 0,
	                    sizeof not_waiting / sizeof not_waiting[0]);
	tcase_add_loop_test(tcase, what_was_changed_after_its_answer_waits_again, 0,
	                    sizeof reworded_cases / sizeof reworded_cases[0]);
	tcase_add_test(tcase, an_answer_to_another_wording_is_none);
	tcase_add_test(tcase, medicine_that_was_changed_is_not_given);
	tcase_add_test(tcase, rows_without_words_are_listed);
	tcase_add_test(tcase, a_long_list_has_an_end_and_a_count);
	tcase_add_loop_test(tcase, a_button_answers, 0,
	                    sizeof answer_cases / sizeof answer_cases[0]);
	tcase_add_loop_test(tcase, what_cannot_be_answered_is_said, 0,
	                    sizeof bad_cases / sizeof bad_cases[0]);
	tcase_add_test(tcase, a_note_has_a_limit_and_a_form_a_token);
	tcase_add_test(tcase, a_wrong_clock_is_said);
	tcase_add_test(tcase, the_page_shows_them_with_two_buttons);
	suite_add_tcase(suite, tcase);
	return suite;
}

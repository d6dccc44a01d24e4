/* tests/facility_agreed.c - what was accepted is on the page on its day, until somebody has said
 * that it was done. */
#include "tests/suites.h"

#include "node/facility/agreed.h"
#include "node/facility/date.h"
#include "node/facility/page.h"
#include "store/track.h"
#include "tests/facility_help.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define TOKEN "t0ken"
#define DRUG_ID "a0000000000000000000000000000001"
#define TOUR_ID "a0000000000000000000000000000002"
#define COURSE_ID "a0000000000000000000000000000003"

static struct facility f;
static struct store_db *db;
static struct err err;

/* Medicine due at 12:00 and 16:30 (slots 24 and 42), a tour at 15:00, a course. */
static const char accepted[] =
        "INSERT INTO medication_request(id, facility_id, child_id, drug, dose_text, time_bits,"
        " date_from, date_to, review) VALUES (x'" DRUG_ID "', 'F1',"
        " x'01010101010101010101010101010101', '布洛芬', '2 ml', (1 << 24) | (1 << 42), 20260301,"
        " 20260303, 1);"
        "INSERT INTO booking(id, facility_id, kind, guardian_name, wanted_at, state, note) VALUES"
        " (x'" TOUR_ID "', 'F1', 1, '张三', 1772434800000, 2, '<两人>');"
        "INSERT INTO course_order(id, facility_id, course_code, buyer_name, places, from_date,"
        " review, reviewed_at, wording, review_of) VALUES (x'" COURSE_ID
        "', 'F1', 'C1', '赵六', 3, 20260302,"
        " 1, 5, 'ab', 'ab@5')";

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(db, sql, &err) == 0, "%s: %s", sql, err.msg);
}

static void
begin(void)
{
	db = help_small(&f);
	ck_assert_int_eq(store_track_stop(db, "course_order", &err), 0);
	run(accepted);
	ck_assert_int_eq(store_db_commit(db, &err), 0);
}

static void
end(void)
{
	store_db_close(db);
}

/* "kind who what due/given", of all that is for that day. */
static const char *
agreed(int date)
{
	static char text[1000];
	struct agreed_list of;
	struct arena a = { 0 };
	size_t len = 0;

	ck_assert_msg(facility_agreed(&f, date, &a, &of, &err) == 0, "%s", err.msg);
	text[0] = 0;
	for (size_t i = 0; i < of.count && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%d %s %s %llx/%llx",
		                        i == 0 ? "" : ", ", (int)of.list[i].kind, of.list[i].who,
		                        of.list[i].what_zh, (unsigned long long)of.list[i].due,
		                        (unsigned long long)of.list[i].given);
	arena_free(&a);
	return text;
}

#define DRUG "0 安一 布洛芬 2 ml 40001000000/0"
#define TOUR "1 张三 参观 0/0"
#define COURSE "2 赵六 C1 × 3 0/0"

START_TEST(what_was_accepted_is_there_on_its_day)
{
	begin();
	ck_assert_str_eq(agreed(20260228), "");
	ck_assert_str_eq(agreed(20260301), DRUG);
	ck_assert_str_eq(agreed(HELP_DATE), DRUG ", " TOUR ", " COURSE);
	ck_assert_str_eq(agreed(20260303), DRUG ", " COURSE);
	ck_assert_str_eq(agreed(20260304), COURSE); /* nobody has said that it was held */
	end();
}
END_TEST

/* Nobody accepted it, it was given back or belongs to another facility. */
static const char *const not_agreed[] = {
	"UPDATE medication_request SET review = NULL; UPDATE booking SET state = 1;"
	"UPDATE course_order SET review = NULL",
	"UPDATE medication_request SET review = 2, accepted_at = 5; UPDATE booking SET state = 4;"
	"UPDATE course_order SET review = 2",
	"UPDATE medication_request SET facility_id = 'F2'; UPDATE booking SET facility_id = 'F2';"
	"UPDATE course_order SET facility_id = 'F2'",
	"DELETE FROM medication_request; UPDATE booking SET state = 3;"
	"UPDATE course_order SET state = 2",
	"DELETE FROM medication_request; UPDATE booking SET state = 5;"
	"UPDATE course_order SET done_at = 5",
	/* the platform says something else by now */
	"UPDATE medication_request SET dose_text = '20 ml'; UPDATE booking SET kind = 2;"
	"UPDATE course_order SET places = 4",
	/* declined */
	"DELETE FROM medication_request; DELETE FROM course_order; UPDATE booking SET state = 6",
};

START_TEST(what_nobody_accepted_is_not)
{
	begin();
	/* tracked, a row keeps its facility */
	ck_assert_int_eq(store_db_begin(db, &err), 0);
	ck_assert_int_eq(store_track_stop(db, "medication_request", &err), 0);
	ck_assert_int_eq(store_track_stop(db, "booking", &err), 0);
	run(not_agreed[_i]);
	ck_assert_str_eq(agreed(HELP_DATE), "");
	end();
}
END_TEST

/* Bookings without a time of their own go by their session's, their seat's day, or are for any
 * day; medicine that staff took at the door is as good as any. */
START_TEST(what_says_little_is_there_too)
{
	begin();
	run("DELETE FROM course_order; DELETE FROM booking; DELETE FROM medication_request;"
	    "INSERT INTO session_event(id, facility_id, starts_at) VALUES (x'05', 'F1',"
	    " 1772434800000), (x'06', 'F1', 1772521200000);"
	    "INSERT INTO booking(facility_id, kind, guardian_name, state, session_id) VALUES"
	    " ('F1', 2, 'a', 2, x'05'), ('F1', 2, 'b', 2, x'06'), ('F1', 1, 'c', 2, NULL);"
	    "INSERT INTO medication_request(facility_id, child_id, drug, accepted_at) VALUES"
	    " ('F1', x'01010101010101010101010101010101', '甲', 5)");
	ck_assert_str_eq(agreed(HELP_DATE), "0 安一 甲 0/0, 1 c 参观 0/0, 1 a 活动 0/0");
	ck_assert_int_eq(store_db_begin(db, &err), 0);
	ck_assert_int_eq(store_track_stop(db, "seat_unit", &err), 0);
	run("INSERT INTO seat_unit(grant_id, no, facility_id, period) VALUES (x'07', 1, 'F1',"
	    " '2026-03-02'), (x'07', 2, 'F1', '2026-03-03'), (x'07', 3, 'F1', 'spring');"
	    "DELETE FROM booking; DELETE FROM medication_request;"
	    "INSERT INTO booking(facility_id, kind, guardian_name, state, seat_grant_id, seat_no)"
	    " VALUES ('F1', 3, 'a', 2, x'07', 1), ('F1', 3, 'b', 2, x'07', 2),"
	    " ('F1', 3, 'c', 2, x'07', 3)");
	ck_assert_str_eq(agreed(HELP_DATE), "1 a 临时托 0/0, 1 c 临时托 0/0");
	end();
}
END_TEST

START_TEST(a_long_list_says_that_it_has_an_end)
{
	struct agreed_list of;
	struct arena a = { 0 };

	begin();
	for (int i = 0; i < AGREED_LISTED; i++)
		run("INSERT INTO booking(facility_id, kind, state) VALUES ('F1', 1, 2)");
	ck_assert_int_eq(facility_agreed(&f, HELP_DATE, &a, &of, &err), 0);
	ck_assert_uint_eq(of.count, AGREED_LISTED);
	ck_assert(of.more);
	arena_free(&a);
	end();
}
END_TEST

/* ------------------------------------------------------------------ the page */

static int
post_at(enum page_lang lang, int hour, const char *fields)
{
	struct page_view v = { .lang = lang, .now_ms = help_at(hour, 5), .token = TOKEN };
	char body[1000];

	snprintf(body, sizeof body, "token=" TOKEN "&%s", fields);
	return page_tap(&f, &v, body, strlen(body), &err);
}

#define OF_DRUG "do=given&agreed=" DRUG_ID
#define OF_TOUR "&agreed=" TOUR_ID

static const struct word_case {
	const char *fields, *shows, *rest;
} word_cases[] = {
	{ OF_DRUG "&slot=24",
	  "SELECT count(*) FROM medication_given WHERE slot = 24 AND biz_date = 20260302 AND"
	  " dose = '2 ml' AND at = 1772424300000",
	  "0 安一 布洛芬 2 ml 40001000000/1000000, " TOUR ", " COURSE },
	/* none of its times: when it was */
	{ OF_DRUG "&slot=", "SELECT count(*) FROM medication_given WHERE slot = 24",
	  "0 安一 布洛芬 2 ml 40001000000/1000000, " TOUR ", " COURSE },
	{ "do=came" OF_TOUR, "SELECT count(*) FROM booking WHERE state = 3", DRUG ", " COURSE },
	{ "do=missed" OF_TOUR, "SELECT count(*) FROM booking WHERE state = 5", DRUG ", " COURSE },
	{ "do=done&day=20260302&wording=ab&agreed=" COURSE_ID,
	  "SELECT count(*) FROM course_order WHERE done_at = 1772424300000", DRUG ", " TOUR },
};

START_TEST(a_button_says_that_it_was_done)
{
	const struct word_case *c = &word_cases[_i];
	int64_t changes;

	begin();
	ck_assert_msg(post_at(PAGE_ZH, 12, c->fields) == 0, "%s", err.msg);
	ck_assert_int_eq(help_int(db, c->shows), 1);
	ck_assert_str_eq(agreed(HELP_DATE), c->rest);
	ck_assert(!store_db_in_transaction(db));
	/* a second tap, or another tablet's */
	changes = help_int(db, "SELECT total_changes()");
	ck_assert_msg(post_at(PAGE_ZH, 12, c->fields) == 0, "%s", err.msg);
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), changes);
	end();
}
END_TEST

#define NOT_TODAY "今天不用办理"
static const struct bad_case {
	const char *before, *fields;
	int hour, code;
	const char *zh;
} bad_cases[] = {
	{ "SELECT 1", "do=given", 12, ERR_INVALID, "表单不完整" },
	{ "SELECT 1", "do=given&agreed=a0", 12, ERR_INVALID, "表单不完整" },
	{ "SELECT 1", OF_DRUG "&slot=64", 12, ERR_INVALID, "表单不完整" },
	{ "SELECT 1", OF_DRUG "&slot=-1", 12, ERR_INVALID, "表单不完整" },
	{ "SELECT 1", OF_DRUG "&slot=9999", 12, ERR_INVALID, "表单不完整" },
	/* before six there is no quarter hour of the day's round */
	{ "SELECT 1", OF_DRUG "&slot=", 4, ERR_INVALID, "与已有记录不符" },
	{ "SELECT 1", "do=came&agreed=" DRUG_ID, 12, ERR_NOTFOUND, NOT_TODAY },
	{ "SELECT 1", "do=given" OF_TOUR, 12, ERR_NOTFOUND, NOT_TODAY },
	{ "SELECT 1", "do=done&agreed=a0000000000000000000000000000009", 12, ERR_NOTFOUND,
	  NOT_TODAY },
	{ "UPDATE medication_request SET review = 2", OF_DRUG "&slot=24", 12, ERR_NOTFOUND,
	  NOT_TODAY },
	{ "UPDATE booking SET state = 5", "do=came" OF_TOUR, 12, ERR_NOTFOUND, NOT_TODAY },
	{ "UPDATE course_order SET places = 4", "do=done&wording=ab&agreed=" COURSE_ID, 12,
	  ERR_NOTFOUND, NOT_TODAY },
	/* a page that was open while all that it shows was changed and accepted anew; one of
	 * yesterday; a time that isn't any of its */
	{ "UPDATE medication_request SET dose_text = '20 ml'; UPDATE medication_request SET"
	  " reviewed_at = 5, review_of = wording || '@5'",
	  OF_DRUG "&slot=24", 12, ERR_NOTFOUND, NOT_TODAY },
	{ "SELECT 1", "do=done&wording=aa&agreed=" COURSE_ID, 12, ERR_NOTFOUND, NOT_TODAY },
	{ "SELECT 1", OF_DRUG "&slot=24&day=20260301", 12, ERR_NOTFOUND, NOT_TODAY },
	{ "SELECT 1", OF_DRUG "&slot=25", 12, ERR_NOTFOUND, NOT_TODAY },
	{ "SELECT 1", OF_DRUG "&slot=24&day=x", 12, ERR_INVALID, "表单不完整" },
};

START_TEST(what_cannot_be_said_is_refused_in_words)
{
	const struct bad_case *c = &bad_cases[_i];
	int64_t changes;

	begin();
	run(c->before);
	changes = help_int(db, "SELECT total_changes()");
	ck_assert_int_eq(post_at(PAGE_EN, c->hour, c->fields), c->code);
	help_says(&err, "Not saved: ");
	ck_assert_int_eq(post_at(PAGE_ZH, c->hour, c->fields), c->code);
	help_says(&err, c->zh);
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), changes);
	ck_assert(!store_db_in_transaction(db));
	end();
}
END_TEST

START_TEST(a_wrong_clock_and_a_wrong_token_are_said)
{
	struct page_view v = { .lang = PAGE_ZH, .now_ms = 1000, .token = TOKEN };
	const char *body = "token=" TOKEN "&" OF_DRUG;

	begin();
	ck_assert_int_eq(page_tap(&f, &v, body, strlen(body), &err), ERR_INVALID);
	help_says(&err, "本机时钟不对");
	v.token = "another";
	ck_assert_int_eq(page_tap(&f, &v, body, strlen(body), &err), ERR_DENIED);
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

START_TEST(the_page_has_a_button_for_each_dose_and_word)
{
	struct page_view v = { .lang = PAGE_ZH, .now_ms = help_at(9, 0), .token = TOKEN };
	struct buf out = { 0 };
	const char *html;

	begin();
	ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
	html = buf_str(&out);
	ck_assert_ptr_nonnull(strstr(html, "<h2 id=\"agreed\">已同意 · 今日办理</h2>"));
	ck_assert_ptr_nonnull(strstr(html, "布洛芬 2 ml<br>喂药时间 12:00 16:30</p>"));
	ck_assert_ptr_nonnull(strstr(html, "value=\"given\">已喂药 12:00<"));
	ck_assert_ptr_nonnull(strstr(html, "参观 · 15:00<br>“&lt;两人&gt;”"));
	ck_assert_int_eq(times(html, "value=\"given\""), 2);
	ck_assert_int_eq(times(html, "value=\"came\""), 1);
	ck_assert_int_eq(times(html, "value=\"missed\""), 1);
	ck_assert_int_eq(times(html, "value=\"done\""), 1);

	ck_assert_int_eq(post_at(PAGE_EN, 12, OF_DRUG "&slot=24"), 0);
	v.lang = PAGE_EN;
	buf_clear(&out);
	ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
	html = buf_str(&out);
	ck_assert_ptr_nonnull(strstr(html, "due at 16:30<br>given at 12:00"));
	ck_assert_int_eq(times(html, "value=\"given\""), 1);
	ck_assert_int_eq(post_at(PAGE_EN, 16, OF_DRUG "&slot=42"), 0);
	buf_clear(&out);
	ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
	html = buf_str(&out);
	ck_assert_ptr_nonnull(strstr(html, "given at 12:00 16:30 · all given today"));
	ck_assert_int_eq(times(html, "value=\"given\""), 0);
	buf_free(&out);
	end();
}
END_TEST

Suite *
suite_facility_agreed(void)
{
	Suite *suite = suite_create("node/facility/agreed");
	TCase *tcase = tcase_create("agreed");

	tcase_add_test(tcase, what_was_accepted_is_there_on_its_day);
	tcase_add_loop_test(tcase, what_nobody_accepted_is_not, 0,
	                    sizeof not_agreed / sizeof not_agreed[0]);
	tcase_add_test(tcase, what_says_little_is_there_too);
	tcase_add_test(tcase, a_long_list_says_that_it_has_an_end);
	tcase_add_loop_test(tcase, a_button_says_that_it_was_done, 0,
	                    sizeof word_cases / sizeof word_cases[0]);
	tcase_add_loop_test(tcase, what_cannot_be_said_is_refused_in_words, 0,
	                    sizeof bad_cases / sizeof bad_cases[0]);
	tcase_add_test(tcase, a_wrong_clock_and_a_wrong_token_are_said);
	tcase_add_test(tcase, the_page_has_a_button_for_each_dose_and_word);
	suite_add_tcase(suite, tcase);
	return suite;
}

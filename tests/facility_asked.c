/* tests/facility_asked.c - rights to fetch a child and bought courses that the platform writes:
 * nobody has them until the facility has accepted what they say now. */
#include "tests/suites.h"

#include "node/facility/page.h"
#include "node/facility/request.h"
#include "node/facility/today.h"
#include "store/track.h"
#include "tests/facility_help.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define TOKEN "t0ken"
#define AUNT "a0000000000000000000000000000001"
#define ORDER "a0000000000000000000000000000002"

static struct facility f;
static struct store_db *db;
static struct err err;

/* As they come from the hub: nothing of the facility's in them. */
static const char asked[] =
        "INSERT INTO course(course_code, version, title) VALUES ('C1', 1, '旧名'),"
        " ('C1', 2, '亲子<阅读>');"
        "INSERT INTO pickup_auth(id, facility_id, child_id, name, relation, phone, valid_to,"
        " asked) VALUES (x'" AUNT "', 'F1', x'01010101010101010101010101010101', '姑姑', '姑母',"
        " '130', 20260303, 1);"
        "INSERT INTO course_order(id, facility_id, course_code, child_id, places, from_date,"
        " to_date, note) VALUES (x'" ORDER "', 'F1', 'C1',"
        " x'02020202020202020202020202020202', 2, 20260301, 20260304, '周六可以吗')";

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(db, sql, &err) == 0, "%s: %s", sql, err.msg);
}

static void
begin(void)
{
	static const char *const hubs[] = { "pickup_auth", "course_order", "course" };

	db = help_small(&f);
	for (size_t i = 0; i < sizeof hubs / sizeof hubs[0]; i++)
		ck_assert_int_eq(store_track_stop(db, hubs[i], &err), 0);
	run(asked);
	ck_assert_int_eq(facility_arrival(&f,
	                                  &(struct facility_arrival){ .at = help_at(8, 0),
	                                                              .child = help_id(1) },
	                                  &err),
	                 0);
	ck_assert_int_eq(store_db_commit(db, &err), 0);
}

static void
end(void)
{
	store_db_close(db);
}

/* "kind who what from-to words", of all that wait on that day. */
static const char *
waiting(int date)
{
	static char text[1000];
	struct requests r;
	struct arena a = { 0 };
	size_t len = 0;

	ck_assert_msg(facility_requests(&f, date, &a, &r, &err) == 0, "%s", err.msg);
	text[0] = 0;
	for (size_t i = 0; i < r.count && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%d %s %s %d-%d %s",
		                        i == 0 ? "" : ", ", (int)r.list[i].kind, r.list[i].who,
		                        r.list[i].what_zh, (int)r.list[i].from, (int)r.list[i].to,
		                        r.list[i].words);
	arena_free(&a);
	return text;
}

#define RIGHT "3 安一 姑姑 (姑母) 130 0-20260303 "
#define COURSE "4 白二 亲子<阅读> × 2 20260301-20260304 周六可以吗"

START_TEST(what_the_platform_asks_is_listed_until_it_is_over)
{
	begin();
	ck_assert_str_eq(waiting(HELP_DATE), RIGHT ", " COURSE);
	ck_assert_str_eq(waiting(20260303), RIGHT ", " COURSE);
	ck_assert_str_eq(waiting(20260304), COURSE);
	ck_assert_str_eq(waiting(20260305), "");
	end();
}
END_TEST

/* Whose right is revoked or her own facility's, what was given back or belongs to others. */
static const char *const not_waiting[] = {
	"UPDATE pickup_auth SET revoked = 1; UPDATE course_order SET state = 2",
	"UPDATE pickup_auth SET asked = NULL; DELETE FROM course_order",
	"UPDATE pickup_auth SET facility_id = 'F2'; UPDATE course_order SET facility_id = 'F2'",
	"UPDATE pickup_auth SET review = 1; UPDATE course_order SET review = 2",
	("UPDATE pickup_auth SET review = 1, reviewed_at = 5, wording = 'ab', review_of = 'ab@5';"
	 "UPDATE course_order SET review = 2, reviewed_at = 5, wording = 'ab', review_of = 'ab@5'"),
};

START_TEST(what_nobody_waits_for_is_not)
{
	begin();
	run(not_waiting[_i]);
	ck_assert_str_eq(waiting(HELP_DATE), "");
	end();
}
END_TEST

/* What was answered is not what is asked any more: each column of a request that counts. */
static const char *const reworded[] = {
	"pickup_auth SET child_id = x'02020202020202020202020202020202'",
	"pickup_auth SET name = '陌生人'",
	"pickup_auth SET relation = NULL",
	"pickup_auth SET phone = '131'",
	"pickup_auth SET photo_id = x'01'",
	"pickup_auth SET valid_from = 20260302",
	"pickup_auth SET valid_to = 20261231",
	"pickup_auth SET kind = 2",
	"course_order SET course_code = 'C2'",
	"course_order SET child_id = NULL",
	"course_order SET buyer_name = '赵六'",
	"course_order SET phone = '131'",
	"course_order SET places = 9",
	"course_order SET from_date = 20260302",
	"course_order SET to_date = 20261231",
	"course_order SET note = NULL",
};

START_TEST(what_was_changed_after_its_answer_waits_again)
{
	char sql[200];

	begin();
	run("UPDATE pickup_auth SET review = 1, reviewed_at = 5, review_of = '@5';"
	    "UPDATE course_order SET review = 2, reviewed_at = 5, review_of = '@5'");
	ck_assert_str_eq(waiting(HELP_DATE), "");
	run("UPDATE pickup_auth SET revoked = 0; UPDATE course_order SET amount_fen = 5");
	ck_assert_str_eq(waiting(HELP_DATE), "");
	snprintf(sql, sizeof sql, "UPDATE %s", reworded[_i]);
	run(sql);
	ck_assert_int_eq(waiting(HELP_DATE)[0], reworded[_i][0] == 'p' ? '3' : '4');
	end();
}
END_TEST

/* ------------------------------------------------------------------ who may fetch her */

/* Is the aunt a choice on the page, and does the door let her? */
static bool
may_fetch(void)
{
	static const uint8_t aunt[STORE_ID] = { 0xa0, [STORE_ID - 1] = 1 };
	struct facility_pickup out = { .at = help_at(17, 0), .child = help_id(1), .adult = aunt };
	struct facility_today t;
	struct arena a = { 0 };
	bool choice = false, door;

	ck_assert_int_eq(facility_today(&f, HELP_DATE, &a, &t, &err), 0);
	for (size_t i = 0; i < t.classes[0].children[0].adult_count; i++)
		choice |= strcmp(t.classes[0].children[0].adults[i].name, "姑姑") == 0;
	arena_free(&a);
	run("SAVEPOINT pickup");
	door = facility_pickup(&f, &out, &err) == 0;
	if (!door)
		ck_assert_int_eq(err.code, ERR_DENIED);
	run("ROLLBACK TO pickup; RELEASE pickup");
	ck_assert_msg(choice == door, "%s", err.msg);
	return door;
}

static const struct right_case {
	const char *is;
	bool may;
} right_cases[] = {
	{ "SELECT 1", false },
	{ "UPDATE pickup_auth SET review = 1", true },
	{ "UPDATE pickup_auth SET review = 2", false },
	{ "UPDATE pickup_auth SET review = 1, reviewed_at = 5, wording = 'ab', review_of = 'ab@5'",
	  true },
	/* the answer was to what the platform said before */
	{ "UPDATE pickup_auth SET review = 1, reviewed_at = 5, wording = 'ab', review_of = '@5'",
	  false },
	/* of two answers one has won in review, the other in review_of */
	{ "UPDATE pickup_auth SET review = 1, reviewed_at = 5, wording = 'ab', review_of = 'ab@4'",
	  false },
	/* nor does one that says not to what it is count */
	{ "UPDATE pickup_auth SET review = 1, reviewed_at = 5, wording = 'ab'", false },
	/* whatever changed who may fetch her */
	{ "UPDATE pickup_auth SET review = 1; UPDATE pickup_auth SET phone = '131'", false },
	/* before there were answers, and what staff enter */
	{ "UPDATE pickup_auth SET asked = NULL", true },
	{ "UPDATE pickup_auth SET asked = NULL, phone = '131'", true },
	{ "UPDATE pickup_auth SET review = 1, revoked = 1", false },
	{ "UPDATE pickup_auth SET valid_to = 20260301; UPDATE pickup_auth SET review = 1,"
	  " reviewed_at = 5, review_of = wording || '@5'",
	  false },
};

START_TEST(who_is_asked_for_is_no_choice_until_accepted)
{
	begin();
	ck_assert_int_eq(store_db_begin(db, &err), 0);
	run("DELETE FROM pickup_auth WHERE name <> '姑姑'");
	run(right_cases[_i].is);
	ck_assert_int_eq(may_fetch(), right_cases[_i].may);
	end();
}
END_TEST

/* A code that staff gave out opens nothing for whom the platform has put in its place. */
START_TEST(a_code_is_not_somebody_elses)
{
	struct facility_pickup_code code = {
		.at = help_at(8, 0), .child = help_id(1), .name = "邻居", .code = "123456"
	};
	struct facility_pickup out = { .at = help_at(17, 0),
		                       .child = help_id(1),
		                       .code = "123456" };

	begin();
	ck_assert_int_eq(store_db_begin(db, &err), 0);
	ck_assert_msg(facility_pickup_code(&f, &code, &err) == 0, "%s", err.msg);
	run("UPDATE pickup_auth SET name = '陌生人', asked = 1 WHERE name = '邻居'");
	ck_assert_int_eq(facility_pickup(&f, &out, &err), ERR_DENIED);
	help_says(&err, "was changed by the platform");
	run("UPDATE pickup_auth SET review = 1, reviewed_at = 5, review_of = wording || '@5'"
	    " WHERE name = '陌生人'");
	ck_assert_msg(facility_pickup(&f, &out, &err) == 0, "%s", err.msg);
	end();
}
END_TEST

/* ------------------------------------------------------------------ the door */

START_TEST(an_answer_is_to_what_was_seen)
{
	static const uint8_t aunt[STORE_ID] = { 0xa0, [STORE_ID - 1] = 1 };
	struct facility_pickup_review in = { .at = help_at(9, 0), .adult = aunt, .review = 1 };

	begin();
	ck_assert_int_eq(store_db_begin(db, &err), 0);
	run("UPDATE pickup_auth SET wording = '7' WHERE name = '姑姑'");
	in.wording = "6";
	ck_assert_int_eq(facility_pickup_review(&f, &in, &err), ERR_INVALID);
	help_says(&err, "changed it since");
	in.wording = "7";
	ck_assert_int_eq(facility_pickup_review(&f, &in, &err), 0);
	in.wording = NULL;
	ck_assert_int_eq(facility_pickup_review(&f, &in, &err), 0);
	ck_assert_int_eq(help_int(db,
	                          "SELECT count(*) FROM pickup_auth WHERE review = 1 AND"
	                          " review_of = '7@1772413200000' AND reviewed_at = 1772413200000"),
	                 1);
	in.review = 3;
	ck_assert_int_eq(facility_pickup_review(&f, &in, &err), ERR_INVALID);
	help_says(&err, "review: 3");
	/* the facility's own right needs no answer */
	in = (struct facility_pickup_review){ .at = help_at(9, 0),
		                              .adult = help_id(0x31),
		                              .review = 2 };
	ck_assert_int_eq(facility_pickup_review(&f, &in, &err), ERR_NOTFOUND);
	end();
}
END_TEST

START_TEST(a_course_is_held_once_it_was_accepted)
{
	static const uint8_t id[STORE_ID] = { 0xa0, [STORE_ID - 1] = 2 };
	struct facility_order_done done = { .at = help_at(10, 0), .order = id };
	struct facility_order_review yes = { .at = help_at(9, 0), .order = id, .review = 1 };

	begin();
	ck_assert_int_eq(store_db_begin(db, &err), 0);
	ck_assert_int_eq(facility_order_done(&f, &done, &err), ERR_INVALID);
	help_says(&err, "accept it first");
	ck_assert_int_eq(facility_order_review(&f, &yes, &err), 0);
	run("UPDATE course_order SET places = 9");
	ck_assert_int_eq(facility_order_done(&f, &done, &err), ERR_INVALID);
	ck_assert_int_eq(facility_order_review(&f, &yes, &err), 0);
	ck_assert_int_eq(facility_order_done(&f, &done, &err), 0);
	done.at = help_at(11, 0);
	ck_assert_int_eq(facility_order_done(&f, &done, &err), 0); /* once */
	ck_assert_int_eq(help_int(db, "SELECT done_at FROM course_order"), help_at(10, 0));
	done.order = help_id(1);
	ck_assert_int_eq(facility_order_done(&f, &done, &err), ERR_NOTFOUND);
	end();
}
END_TEST

/* ------------------------------------------------------------------ the page */

static int
post(const char *fields)
{
	struct page_view v = { .lang = PAGE_ZH, .now_ms = help_at(9, 0), .token = TOKEN };
	char body[1000];

	snprintf(body, sizeof body, "token=" TOKEN "&%s", fields);
	return page_tap(&f, &v, body, strlen(body), &err);
}

#define REWORDED "家长已修改这条申请"

static const struct page_case {
	const char *before, *fields;
	int rc;
	const char *shows; /* a count of 1, or the words of the refusal */
} page_cases[] = {
	{ "SELECT 1", "do=accept&of=pickup&wording=&request=" AUNT, 0,
	  "SELECT count(*) FROM pickup_auth WHERE review = 1 AND review_of = '@1772413200000'" },
	{ "SELECT 1", "do=decline&of=pickup&note=no&request=" AUNT, 0,
	  "SELECT count(*) FROM pickup_auth WHERE review = 2 AND review_note = 'no'" },
	{ "SELECT 1", "do=accept&of=order&note=ok&request=" ORDER, 0,
	  "SELECT count(*) FROM course_order WHERE review = 1 AND review_note = 'ok'" },
	{ "SELECT 1", "do=decline&of=order&note=no&request=" ORDER, 0,
	  "SELECT count(*) FROM course_order WHERE review = 2 AND review_of = '@1772413200000'" },
	{ "UPDATE pickup_auth SET review = 2, reviewed_at = 5, review_of = '@5', wording = 'ab'"
	  " WHERE name = '姑姑'",
	  "do=accept&of=pickup&wording=ab&request=" AUNT, 0,
	  "SELECT count(*) FROM pickup_auth WHERE review = 1 AND review_of = 'ab@1772413200000'" },
	{ "UPDATE pickup_auth SET name = '陌生人' WHERE name = '姑姑'",
	  "do=accept&of=pickup&wording=&request=" AUNT, ERR_INVALID, REWORDED },
	{ "UPDATE course_order SET places = 9", "do=accept&of=order&request=" ORDER, ERR_INVALID,
	  REWORDED },
	{ "UPDATE course_order SET review = 2", "do=accept&of=order&request=" ORDER, ERR_INVALID,
	  "已有别的答复" },
	{ "SELECT 1", "do=decline&of=order&request=" ORDER, ERR_INVALID, "请写明原因" },
	{ "SELECT 1", "do=accept&of=pickup&request=31313131313131313131313131313131", ERR_NOTFOUND,
	  "没有这条申请" },
};

START_TEST(a_button_answers_what_it_shows)
{
	const struct page_case *c = &page_cases[_i];
	int64_t changes;

	begin();
	run(c->before);
	changes = help_int(db, "SELECT total_changes()");
	ck_assert_msg(post(c->fields) == c->rc, "%s", err.msg);
	if (c->rc == 0) {
		ck_assert_int_eq(help_int(db, c->shows), 1);
		changes = help_int(db, "SELECT total_changes()");
		ck_assert_msg(post(c->fields) == 0, "%s", err.msg); /* a second tap */
	} else {
		help_says(&err, c->shows);
	}
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), changes);
	end();
}
END_TEST

START_TEST(the_page_lists_them_in_both_languages)
{
	static const char *const says[PAGE_LANGS][2] = {
		{ "安一<small>接送授权</small>", "白二<small>已购课程</small>" },
		{ "安一<small>right to fetch</small>", "白二<small>bought course</small>" }
	};
	struct page_view v = { .now_ms = help_at(9, 0), .token = TOKEN };
	struct buf out = { 0 };

	begin();
	for (v.lang = PAGE_ZH; v.lang < PAGE_LANGS; v.lang++) {
		buf_clear(&out);
		ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
		for (int i = 0; i < 2; i++)
			ck_assert_ptr_nonnull(strstr(buf_str(&out), says[v.lang][i]));
		ck_assert_ptr_nonnull(strstr(buf_str(&out), "亲子&lt;阅读&gt; × 2"));
		ck_assert_ptr_nonnull(strstr(buf_str(&out), "姑姑 (姑母) 130"));
		ck_assert_ptr_null(strstr(buf_str(&out), "<option value=\"" AUNT "\">"));
	}
	buf_free(&out);
	end();
}
END_TEST

/* What is read from outside says accepted of what is there now alone. */
START_TEST(the_views_show_the_answer_that_holds)
{
	begin();
	run("UPDATE pickup_auth SET review = 1 WHERE name = '姑姑';"
	    "UPDATE course_order SET review = 1");
	ck_assert_int_eq(help_int(db, "SELECT review FROM v1_course_order"), 1);
	ck_assert_int_eq(help_int(db, "SELECT review FROM v1_pickup_auth WHERE name = '姑姑'"), 1);
	run("UPDATE pickup_auth SET phone = '131' WHERE name = '姑姑';"
	    "UPDATE course_order SET places = 9");
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM v1_course_order WHERE review IS NULL"),
	                 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM v1_pickup_auth WHERE review IS NULL AND"
	                              " name = '姑姑'"),
	                 1);
	end();
}
END_TEST

Suite *
suite_facility_asked(void)
{
	Suite *suite = suite_create("node/facility/asked");
	TCase *tcase = tcase_create("asked");

	tcase_add_test(tcase, what_the_platform_asks_is_listed_until_it_is_over);
	tcase_add_loop_test(tcase, what_nobody_waits_for_is_not, 0,
	                    sizeof not_waiting / sizeof not_waiting[0]);
	tcase_add_loop_test(tcase, what_was_changed_after_its_answer_waits_again, 0,
	                    sizeof reworded / sizeof reworded[0]);
	tcase_add_loop_test(tcase, who_is_asked_for_is_no_choice_until_accepted, 0,
	                    sizeof right_cases / sizeof right_cases[0]);
	tcase_add_test(tcase, a_code_is_not_somebody_elses);
	tcase_add_test(tcase, an_answer_is_to_what_was_seen);
	tcase_add_test(tcase, a_course_is_held_once_it_was_accepted);
	tcase_add_loop_test(tcase, a_button_answers_what_it_shows, 0,
	                    sizeof page_cases / sizeof page_cases[0]);
	tcase_add_test(tcase, the_page_lists_them_in_both_languages);
	tcase_add_test(tcase, the_views_show_the_answer_that_holds);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/facility_news.c - what a facility is told: which announcements hold, which comments are of
 * this month, and both on the page. */
#include "tests/suites.h"

#include "node/facility/news.h"
#include "node/facility/page.h"
#include "store/track.h"
#include "tests/facility_help.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct facility f;
static struct store_db *db;
static struct err err;

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(db, sql, &err) == 0, "%s: %s", sql, err.msg);
}

static void
begin(void)
{
	db = help_small(&f);
	ck_assert_int_eq(store_track_stop(db, "district_announcement", &err), 0);
	ck_assert_int_eq(store_track_stop(db, "growth_comment", &err), 0);
}

static void
end(void)
{
	store_db_close(db);
}

static void
read_news(int date, struct arena *a, struct news_list *of)
{
	ck_assert_msg(facility_news(&f, date, a, of, &err) == 0, "%s", err.msg);
}

/* Titles, those of the district with a star. */
static const char *
titles(int date)
{
	static char text[1000];
	struct news_list of;
	struct arena a = { 0 };
	size_t len = 0;

	read_news(date, &a, &of);
	text[0] = 0;
	for (size_t i = 0; i < of.count && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%s", i == 0 ? "" : " ",
		                        of.list[i].district ? "*" : "", of.list[i].title);
	arena_free(&a);
	return text;
}

static const char *
comments(int date)
{
	static char text[1000];
	struct news_list of;
	struct arena a = { 0 };
	size_t len = 0;

	read_news(date, &a, &of);
	text[0] = 0;
	for (size_t i = 0; i < of.comment_count && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %d %s",
		                        i == 0 ? "" : ", ", of.comments[i].child,
		                        (int)of.comments[i].month_age, of.comments[i].text);
	arena_free(&a);
	return text;
}

START_TEST(announcements_hold_for_their_time)
{
	begin();
	/* at: 1 March, 2 February, 2 March 23:59 and 3 March 00:00 at the facility */
	run("INSERT INTO announcement(facility_id, title, at, valid_to) VALUES"
	    " ('F1', 'a', 1772294400000, 20260302), ('F1', 'b', 1772294400001, NULL),"
	    " ('F1', 'old', 1769616000000, NULL), ('F1', 'long', 1769961600000, 20260401),"
	    " ('F2', 'other', 1772294400000, 20260401), ('F1', 'now', 1772467199999, NULL),"
	    " ('F1', 'soon', 1772467200000, NULL)");
	run("INSERT INTO district_announcement(title, at, valid_to) VALUES"
	    " ('all', 1772294400002, 20260302), ('over', 1772294400000, 20260301)");
	ck_assert_str_eq(titles(HELP_DATE), "now *all b a long");
	ck_assert_str_eq(titles(20260303), "soon now b long");
	run("DELETE FROM announcement; DELETE FROM district_announcement;"
	    "INSERT INTO announcement(facility_id, title) VALUES ('F1', 'bare')");
	ck_assert_str_eq(titles(20290101), "bare"); /* until somebody deletes it */
	end();
}
END_TEST

START_TEST(a_long_list_says_that_it_has_an_end)
{
	struct news_list of;
	struct arena a = { 0 };

	begin();
	for (int i = 0; i < NEWS_COMMENTS; i++) {
		run("INSERT INTO growth_comment(facility_id, child_id, month_age, text) VALUES"
		    " ('F1', x'01010101010101010101010101010101', 22, 'x')");
		if (i < NEWS_LISTED)
			run("INSERT INTO announcement(facility_id, title) VALUES ('F1', 'x')");
	}
	read_news(HELP_DATE, &a, &of);
	ck_assert_uint_eq(of.count, NEWS_LISTED);
	ck_assert_uint_eq(of.comment_count, NEWS_COMMENTS);
	ck_assert(!of.more && !of.more_comments);
	arena_free(&a);
	run("INSERT INTO district_announcement(title) VALUES ('x');"
	    "INSERT INTO growth_comment(facility_id, child_id, month_age, text) VALUES"
	    " ('F1', x'01010101010101010101010101010101', 22, 'x')");
	read_news(HELP_DATE, &a, &of);
	ck_assert_uint_eq(of.count, NEWS_LISTED);
	ck_assert_uint_eq(of.comment_count, NEWS_COMMENTS);
	ck_assert(of.more && of.more_comments);
	arena_free(&a);
	end();
}
END_TEST

/* Child 1 was born on 2024-05-01: 22 months until the first of April. */
START_TEST(comments_are_of_this_month)
{
	begin();
	run("INSERT INTO growth_comment(facility_id, child_id, month_age, text, at) VALUES"
	    " ('F1', x'01010101010101010101010101010101', 22, 'age', NULL),"
	    " ('F1', x'01010101010101010101010101010101', 23, 'next', NULL),"
	    " ('F1', x'02020202020202020202020202020202', 3, 'march', 1772294400000),"
	    " ('F1', x'02020202020202020202020202020202', 18, 'february', 1772294399999),"
	    " ('F2', x'01010101010101010101010101010101', 22, 'other', NULL),"
	    " ('F1', x'09090909090909090909090909090909', 22, 'nobody', NULL)");
	ck_assert_str_eq(comments(HELP_DATE), "安一 22 age, 白二 3 march");
	ck_assert_str_eq(comments(20260331), "安一 22 age, 白二 3 march");
	ck_assert_str_eq(comments(20260401), "安一 23 next");
	ck_assert_str_eq(comments(20260228), "白二 18 february"); /* 21 months */
	run("UPDATE enrollment SET status = 5");
	ck_assert_str_eq(comments(HELP_DATE), "");
	end();
}
END_TEST

START_TEST(the_page_shows_both_in_both_languages)
{
	static const char *const says[PAGE_LANGS][4] = {
		{ "<h2 id=\"news\">公告</h2>",
		  "<strong>&lt;停课&gt;</strong> · 区级 · 有效期至 "
		  "2026-03-05<br>明日&amp;后日",
		  "<h2 id=\"comments\">本月专家养育指导</h2>",
		  "<strong>安一</strong> 22 月龄：多户外 — 李" },
		{ "<h2 id=\"news\">Announcements</h2>",
		  "<strong>&lt;停课&gt;</strong> · district · until 2026-03-05<br>明日&amp;后日",
		  "<h2 id=\"comments\">Comments of experts, this month</h2>",
		  "<strong>安一</strong> at 22 months: 多户外 — 李" }
	};
	struct page_view v = { .now_ms = help_at(9, 0), .token = "t" };
	struct buf out = { 0 };

	begin();
	ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
	ck_assert_ptr_null(strstr(buf_str(&out), "id=\"news\""));
	ck_assert_ptr_null(strstr(buf_str(&out), "id=\"comments\""));
	run("INSERT INTO district_announcement(title, content, valid_to) VALUES ('<停课>',"
	    " '明日&后日', 20260305);"
	    "INSERT INTO growth_comment(facility_id, child_id, month_age, text, author) VALUES"
	    " ('F1', x'01010101010101010101010101010101', 22, '多户外', '李')");
	for (v.lang = PAGE_ZH; v.lang < PAGE_LANGS; v.lang++) {
		buf_clear(&out);
		ck_assert_int_eq(page_today(&f, &v, &out, &err), 0);
		for (int i = 0; i < 4; i++)
			ck_assert_msg(strstr(buf_str(&out), says[v.lang][i]) != NULL, "%s",
			              says[v.lang][i]);
	}
	buf_free(&out);
	end();
}
END_TEST

Suite *
suite_facility_news(void)
{
	Suite *suite = suite_create("node/facility/news");
	TCase *tcase = tcase_create("news");

	tcase_add_test(tcase, announcements_hold_for_their_time);
	tcase_add_test(tcase, a_long_list_says_that_it_has_an_end);
	tcase_add_test(tcase, comments_are_of_this_month);
	tcase_add_test(tcase, the_page_shows_both_in_both_languages);
	suite_add_tcase(suite, tcase);
	return suite;
}

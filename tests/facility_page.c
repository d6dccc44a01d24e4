/* tests/facility_page.c - the page says what is so, escapes what isn't ours, and its buttons do
 * what they say. */
#include "tests/suites.h"

#include "node/facility/page.h"
#include "store/base/text.h"
#include "tests/facility_help.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define TOKEN "t0ken"

static struct store_db *
open_closed(struct facility *f)
{
	struct store_db *db = help_small(f);
	struct err err = { 0 };

	ck_assert_int_eq(store_db_commit(db, &err), 0);
	return db;
}

static struct page_view
view_at(enum page_lang lang, int hour, int minute)
{
	return (struct page_view){ .lang = lang, .now_ms = help_at(hour, minute), .token = TOKEN };
}

static const char *
page(struct facility *f, const struct page_view *v, struct buf *out)
{
	struct err err = { 0 };
	int rc;

	buf_clear(out);
	rc = page_today(f, v, out, &err);
	ck_assert_msg(rc == 0, "%s", err.msg);
	return buf_str(out);
}

/* How often is `part` in `html`? */
static int
times(const char *html, const char *part)
{
	int n = 0;

	for (; (html = strstr(html, part)) != NULL; html += strlen(part))
		n++;
	return n;
}

static int
tap(struct facility *f, int hour, int minute, const char *fields, struct err *err)
{
	struct page_view v = view_at(PAGE_ZH, hour, minute);
	char body[400];

	snprintf(body, sizeof body,
	         "token=" TOKEN "&lang=zh-CN&child=01010101010101010101010101010101&%s", fields);
	return page_tap(f, &v, body, strlen(body), err);
}

START_TEST(every_expected_child_has_her_button)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct page_view v = view_at(PAGE_ZH, 8, 0);
	const char *html = page(&f, &v, &out);

	ck_assert_int_eq(times(html, "value=\"arrival\""), 3);
	ck_assert_int_eq(times(html, "value=\"absence\""), 3);
	ck_assert_int_eq(times(html, "value=\"pickup\""), 0);
	ck_assert_int_eq(times(html, "name=\"token\" value=\"" TOKEN "\""), 6);
	ck_assert_ptr_nonnull(strstr(html, "<html lang=\"zh-CN\">"));
	ck_assert_ptr_nonnull(strstr(html, "2026-03-02 周一"));
	ck_assert_ptr_nonnull(strstr(html, "入园 · 晨检正常<span class=\"vh\"> 安一</span>"));
	ck_assert_int_eq(times(html, "<script"), 0);
	ck_assert_int_eq(times(html, "style="), 0);
	v.lang = PAGE_EN;
	html = page(&f, &v, &out);
	ck_assert_ptr_nonnull(strstr(html, "<html lang=\"en\">"));
	ck_assert_ptr_nonnull(strstr(html, "2026-03-02 Mon"));
	ck_assert_ptr_nonnull(strstr(html, "0 here of 2"));
	ck_assert_ptr_null(strstr(html, "晨检"));
	buf_free(&out);
	store_db_close(db);
}
END_TEST

START_TEST(a_day_by_taps)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct err err = { 0 };
	struct page_view v = view_at(PAGE_ZH, 18, 0);
	char fields[100], hex[2 * STORE_ID + 1];
	const char *html;

	ck_assert_msg(tap(&f, 8, 0, "do=arrival", &err) == 0, "%s", err.msg);
	ck_assert_msg(tap(&f, 8, 0, "do=arrival", &err) == 0, "a second tap: %s", err.msg);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM attendance_event"), 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM health_check WHERE card = 1"), 1);
	html = page(&f, &v, &out);
	ck_assert_ptr_nonnull(strstr(html, "入园 08:00"));
	ck_assert_int_eq(times(html, "value=\"pickup\""), 1);
	text_hex(hex, help_id(0x31), STORE_ID);
	ck_assert_ptr_nonnull(strstr(html, hex));
	/* undo and do again */
	text_hex(hex, f.last_id, STORE_ID);
	snprintf(fields, sizeof fields, "do=strike&event=%s", hex);
	ck_assert_msg(tap(&f, 8, 1, fields, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM v1_attendance_event"), 0);
	ck_assert_msg(tap(&f, 8, 2, "do=arrival", &err) == 0, "%s", err.msg);
	ck_assert_msg(tap(&f, 17, 0, "do=pickup&adult=31313131313131313131313131313131", &err) == 0,
	              "%s", err.msg);
	html = page(&f, &v, &out);
	ck_assert_ptr_nonnull(strstr(html, "离园 17:00"));
	buf_free(&out);
	store_db_close(db);
}
END_TEST

START_TEST(absence_is_listed_with_its_reason)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct err err = { 0 };
	struct page_view v = view_at(PAGE_EN, 9, 0);

	ck_assert_msg(tap(&f, 8, 50, "do=absence&reason=1%3A2", &err) == 0, "%s", err.msg);
	ck_assert_int_eq(help_int(db, "SELECT reason * 1000 + symptom_bits FROM absence_case"),
	                 1002);
	ck_assert_ptr_nonnull(
	        strstr(page(&f, &v, &out), "<tr><td>安一</td><td>托小一班</td><td>ill</td></tr>"));
	buf_free(&out);
	store_db_close(db);
}
END_TEST

START_TEST(what_the_street_tells_is_a_line)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct err err = { 0 };
	struct page_view v = view_at(PAGE_ZH, 9, 0);
	const char *html = page(&f, &v, &out);

	ck_assert_ptr_null(strstr(html, "本街道近期传染病"));
	/* as the hub writes it */
	ck_assert_int_eq(store_db_exec(db, "DROP TRIGGER yz_symptom_notice_bi", &err), 0);
	ck_assert_int_eq(
	        store_db_exec(
	                db,
	                "INSERT INTO symptom_notice(subdistrict_code, facility_id,"
	                " disease_code, onset_date, cases, confirmed) VALUES"
	                " ('A', '<F2>', 'HFMD', 20260302, 1, 1),"
	                " ('A', '', 'HA', 20260301, 3, 2), ('A', 'F3', 'FLU', 20260228, 5, 3)",
	                &err),
	        0);
	html = page(&f, &v, &out);
	ck_assert_ptr_nonnull(strstr(html, "<h2 id=\"street\">本街道近期传染病</h2>"));
	ck_assert_ptr_nonnull(strstr(html, "<li>&lt;F2&gt;：<strong>手足口病</strong> 2026-03-02 "
	                                   "起，1 至 2 例（疑似）</li>"));
	ck_assert_ptr_nonnull(strstr(html, "<li>家庭托育点：<strong>疱疹性咽峡炎</strong> "
	                                   "2026-03-01 起，3 至 4 例（临床诊断）</li>"));
	v.lang = PAGE_EN;
	html = page(&f, &v, &out);
	ck_assert_ptr_nonnull(strstr(html, "<li>F3: <strong>influenza</strong> since 2026-02-28, "
	                                   "five children or more (confirmed)</li>"));
	ck_assert_ptr_nonnull(strstr(html, "<li>home care points: <strong>herpangina</strong> "));
	buf_free(&out);
	store_db_close(db);
}
END_TEST

static const struct bad_case {
	const char *body;
	int code;
	const char *says;
} bad_cases[] = {
	{ "", ERR_DENIED, "页面已过期" },
	{ "token=other&do=arrival&child=01010101010101010101010101010101", ERR_DENIED,
	  "页面已过期" },
	{ "token=" TOKEN "&do=arrival", ERR_INVALID, "表单不完整" },
	{ "token=" TOKEN "&do=arrival&child=zz", ERR_INVALID, "表单不完整" },
	{ "token=" TOKEN "&do=erase&child=01010101010101010101010101010101", ERR_INVALID,
	  "表单不完整" },
	{ "token=" TOKEN "&do=absence&child=01010101010101010101010101010101", ERR_INVALID,
	  "表单不完整" },
	{ "token=" TOKEN "&do=absence&reason=7%3A7&child=01010101010101010101010101010101",
	  ERR_INVALID, "表单不完整" },
	{ "token=" TOKEN "&do=strike&child=01010101010101010101010101010101", ERR_INVALID,
	  "表单不完整" },
	{ "token=" TOKEN "&do=arrival&child=09090909090909090909090909090909", ERR_NOTFOUND,
	  "没有这名儿童" },
	{ "token=" TOKEN "&do=pickup&child=02020202020202020202020202020202", ERR_INVALID,
	  "没有保存：白二今天不在园。" },
	{ "token=" TOKEN "&do=strike&event=09090909090909090909090909090909&child="
	  "01010101010101010101010101010101",
	  ERR_NOTFOUND, "没有要撤销的这条记录" },
	{ "token=" TOKEN "&do=pickup&adult=32323232323232323232323232323232&child="
	  "01010101010101010101010101010101",
	  ERR_DENIED, "无权接走" },
	{ "token=" TOKEN "&do=arrival&child=%zz", ERR_INVALID, "表单不完整" },
};

/* A Chinese sentence has no word in Latin letters. */
static bool
has_latin(const char *s)
{
	for (; *s != 0; s++)
		if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z')
			return true;
	return false;
}

/* A clock before this century, and a person whose right is over: record.h says it in English. */
START_TEST(what_the_records_refuse_is_said_in_the_language_of_the_page)
{
	static const char *const actions[] = { "do=arrival", "do=pickup", "do=absence&reason=3%3A0",
		                               "do=strike&event=09090909090909090909090909090909",
		                               "do=pickup&adult=32323232323232323232323232323232" };
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct page_view v = view_at(PAGE_ZH, 17, 0);
	struct err err = { 0 };
	char body[400];

	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		v.now_ms = 1000;
		snprintf(body, sizeof body,
		         "token=" TOKEN "&child=01010101010101010101010101010101&%s", actions[i]);
		ck_assert_int_eq(page_tap(&f, &v, body, strlen(body), &err), ERR_INVALID);
		help_says(&err, "本机时钟不对");
		ck_assert_msg(!has_latin(err.msg), "%s: %s", actions[i], err.msg);
	}
	ck_assert_int_eq(tap(&f, 8, 0, "do=arrival", &err), 0);
	ck_assert_int_eq(store_db_exec(db, "UPDATE pickup_auth SET revoked = 1", &err), 0);
	ck_assert_int_eq(tap(&f, 17, 0, actions[4], &err), ERR_DENIED);
	ck_assert_msg(!has_latin(err.msg), "%s", err.msg);
	v = view_at(PAGE_EN, 17, 0);
	snprintf(body, sizeof body,
	         "token=" TOKEN "&do=pickup&child=02020202020202020202020202020202");
	ck_assert_int_eq(page_tap(&f, &v, body, strlen(body), &err), ERR_INVALID);
	ck_assert_str_eq(err.msg, "Not saved: 白二 is not here today.");
	store_db_close(db);
}
END_TEST

START_TEST(a_bad_tap_is_refused_in_words_and_writes_nothing)
{
	const struct bad_case *c = &bad_cases[_i];
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct page_view v = view_at(PAGE_ZH, 17, 0);
	int64_t before;

	ck_assert_int_eq(tap(&f, 8, 0, "do=arrival", &err), 0);
	before = help_int(db, "SELECT count(*) FROM attendance_event") +
	         help_int(db, "SELECT count(*) FROM absence_case");
	ck_assert_int_eq(page_tap(&f, &v, c->body, strlen(c->body), &err), c->code);
	help_says(&err, c->says);
	ck_assert_msg(!has_latin(err.msg), "%s", err.msg);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM attendance_event") +
	                         help_int(db, "SELECT count(*) FROM absence_case"),
	                 before);
	ck_assert(!store_db_in_transaction(db));
	store_db_close(db);
}
END_TEST

START_TEST(what_isnt_ours_is_escaped)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct err err = { 0 };
	struct page_view v = view_at(PAGE_ZH, 8, 0);
	const char *html;

	ck_assert_int_eq(
	        store_db_exec(db,
	                      "UPDATE child SET name = '<b onclick=\"x\">&''' WHERE name = '安一';"
	                      "UPDATE class_group SET name = '\"><script>' WHERE name = '托大班'",
	                      &err),
	        0);
	v.notice = "<i>";
	html = page(&f, &v, &out);
	ck_assert_ptr_nonnull(strstr(html, "&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;"));
	ck_assert_ptr_nonnull(strstr(html, "<p class=\"notice\" role=\"alert\">&lt;i&gt;</p>"));
	ck_assert_int_eq(times(html, "<b "), 0);
	ck_assert_int_eq(times(html, "<script"), 0);
	buf_free(&out);
	store_db_close(db);
}
END_TEST

static struct node_status_scope unequal = { .scope = "f/F1", .uneven = true, .differs = true };
static struct node_status_scope halfway = { .scope = "f/F1", .uneven = true };

static const struct sync_case {
	struct node_status status;
	const char *zh, *en;
} sync_cases[] = {
	{ { .waiting = 3 },
	  "从未同步：3 条更改只在本机",
	  "Never synced: 3 changes are on this machine only" },
	{ { .last_success_ms = 1772410500000, .last_error = "" },
	  "已同步：与中心核对一致 · 上次成功 08:15",
	  "In sync" },
	{ { .last_success_ms = 1772410500000,
	    .last_error = "timeout",
	    .waiting = 14,
	    .oldest_waiting_ms = 1772324100000 },
	  "14 条更改等待上传，最早 2026-03-01 08:15 · 上次成功 08:15",
	  "14 changes wait to be sent, the oldest since 2026-03-01 08:15" },
	{ { .last_success_ms = 1772410500000, .last_error = "timeout" },
	  "无法连接中心",
	  "The hub can&#39;t be reached" },
	{ { .last_success_ms = 1772410500000, .conflicts = 2 },
	  "需要处理：2 处冲突，0 条隔离",
	  "Needs a person: 2 conflicts" },
	{ { .last_success_ms = 1772410500000, .scopes = &unequal, .scope_count = 1 },
	  "与中心核对不一致",
	  "differ" },
	{ { .last_success_ms = 1772410500000, .scopes = &halfway, .scope_count = 1 },
	  "与中心的数据尚未全部交换 · 上次成功 08:15",
	  "not everything has been exchanged with the hub yet" },
	{ { .last_success_ms = 1772410500000, .syncing = true }, "正在同步", "Syncing now" },
};

START_TEST(the_line_of_sync_state_says_what_is_true)
{
	const struct sync_case *c = &sync_cases[_i];
	struct node_status status = c->status;
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct buf out = { 0 };
	struct page_view v = view_at(PAGE_ZH, 9, 0);
	const char *html;

	if (status.last_error == NULL)
		status.last_error = "";
	status.hub = "";
	v.status = &status;
	html = page(&f, &v, &out);
	ck_assert_msg(strstr(html, c->zh) != NULL, "%s", c->zh);
	ck_assert_int_eq(times(html, "role=\"status\""), 1);
	v.lang = PAGE_EN;
	html = page(&f, &v, &out);
	ck_assert_msg(strstr(html, c->en) != NULL, "%s", c->en);
	buf_free(&out);
	store_db_close(db);
}
END_TEST

static const struct lang_case {
	const char *accept;
	enum page_lang want;
} lang_cases[] = {
	{ NULL, PAGE_ZH },
	{ "", PAGE_ZH },
	{ "zh-CN,zh;q=0.9,en;q=0.8", PAGE_ZH },
	{ "en-GB,en;q=0.9", PAGE_EN },
	{ "fr-FR, en;q=0.7, zh;q=0.3", PAGE_EN },
	{ "en;q=0.2,zh;q=0.3", PAGE_ZH },
	{ "de", PAGE_ZH },
	{ "en;q=0", PAGE_ZH },
};

START_TEST(the_language_is_the_reader_s)
{
	ck_assert_int_eq(page_lang_of(lang_cases[_i].accept), lang_cases[_i].want);
	ck_assert_int_eq(page_lang_choose("en", lang_cases[_i].accept), PAGE_EN);
	ck_assert_int_eq(page_lang_choose("zh-CN", lang_cases[_i].accept), PAGE_ZH);
	ck_assert_int_eq(page_lang_choose("xx", lang_cases[_i].accept), lang_cases[_i].want);
}
END_TEST

START_TEST(every_word_is_there_in_both_languages)
{
	for (int w = 0; w < W_COUNT; w++)
		for (int lang = 0; lang < PAGE_LANGS; lang++)
			ck_assert_ptr_nonnull(page_word((enum page_lang)lang, (enum page_word)w));
	ck_assert_ptr_nonnull(strstr(page_css(), "min-height: 3rem"));
	ck_assert_ptr_null(strstr(page_css(), "url("));
}
END_TEST

START_TEST(elsewhere_there_is_one_sentence)
{
	struct buf out = { 0 };

	for (int lang = 0; lang < PAGE_LANGS; lang++) {
		buf_clear(&out);
		page_elsewhere((enum page_lang)lang, &out);
		ck_assert_int_eq(times(buf_str(&out), page_word((enum page_lang)lang, W_ELSEWHERE)),
		                 1);
		ck_assert_int_eq(times(buf_str(&out), "<form"), 0);
	}
	buf_free(&out);
}
END_TEST

Suite *
suite_facility_page(void)
{
	Suite *suite = suite_create("node/facility/page");
	TCase *tcase = tcase_create("page");

	tcase_add_test(tcase, every_expected_child_has_her_button);
	tcase_add_test(tcase, a_day_by_taps);
	tcase_add_test(tcase, absence_is_listed_with_its_reason);
	tcase_add_test(tcase, what_the_street_tells_is_a_line);
	tcase_add_test(tcase, what_the_records_refuse_is_said_in_the_language_of_the_page);
	tcase_add_loop_test(tcase, a_bad_tap_is_refused_in_words_and_writes_nothing, 0,
	                    sizeof bad_cases / sizeof bad_cases[0]);
	tcase_add_test(tcase, what_isnt_ours_is_escaped);
	tcase_add_loop_test(tcase, the_line_of_sync_state_says_what_is_true, 0,
	                    sizeof sync_cases / sizeof sync_cases[0]);
	tcase_add_loop_test(tcase, the_language_is_the_reader_s, 0,
	                    sizeof lang_cases / sizeof lang_cases[0]);
	tcase_add_test(tcase, every_word_is_there_in_both_languages);
	tcase_add_test(tcase, elsewhere_there_is_one_sentence);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/facility_csv.c - fields with their places, or one sentence with line and column. */
#include "tests/suites.h"

#include "node/facility/csv.h"
#include "tests/facility_help.h"

#include <check.h>
#include <string.h>

/* Records are shown as [a|b][c]. */
static const struct csv_case {
	const char *text;
	const char *want; /* or how the error begins, after "!" */
} csv_cases[] = {
	{ "", "" },
	{ "a,b\n1,2\n", "[a|b][1|2]" },
	{ "a,b\r\n1,2", "[a|b][1|2]" },
	{ "\n\na,b\r\n\r\n1,2\r\n", "[a|b][1|2]" },
	{ "a,\n", "[a|]" },
	{ ",", "[|]" },
	{ " a , b\xe3\x80\x80,c", "[a|b|c]" },
	{ "\"a,b\",\"say \"\"hi\"\"\"\n", "[a,b|say \"hi\"]" },
	{ "\"two\nlines\",x\ny", "[two\nlines|x][y]" },
	{ "\"\",\"\"", "[|]" },
	{ "\"a\" ,b", "[a|b]" },
	{ "王小明,男\n", "[王小明|男]" },
	{ "a,b\n1,\"2\n3", "!line 2, column 2: the quote" },
	{ "a,b\"c\n", "!line 1, column 2: a quote (\") stands inside" },
	{ "a\n\"b\"c\n", "!line 2, column 1: text follows the closing quote" },
};

START_TEST(fields_or_a_place)
{
	const struct csv_case *c = &csv_cases[_i];
	struct csv csv = csv_from(c->text, strlen(c->text));
	struct csv_record r;
	struct arena a = { 0 };
	struct buf shown = { 0 };
	struct err err = { 0 };
	int rc;

	while ((rc = csv_next(&csv, &a, &r, &err)) == 1) {
		for (size_t i = 0; i < r.count; i++)
			buf_printf(&shown, "%s%s", i == 0 ? "[" : "|", r.fields[i].text);
		buf_printf(&shown, "]");
	}
	if (c->want[0] == '!') {
		ck_assert_int_eq(rc, ERR_INVALID);
		help_says(&err, c->want + 1);
	} else {
		ck_assert_msg(rc == 0, "%s", err.msg);
		ck_assert_str_eq(buf_str(&shown), c->want);
	}
	buf_free(&shown);
	arena_free(&a);
}
END_TEST

START_TEST(lines_are_counted_through_quotes)
{
	static const char text[] = "h\r\n\"a\r\nb\"\r\n\r\nlast\r\n";
	struct csv csv = csv_from(text, sizeof text - 1);
	struct csv_record r;
	struct arena a = { 0 };
	struct err err = { 0 };
	static const int lines[] = { 1, 2, 5 };

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(csv_next(&csv, &a, &r, &err), 1);
		ck_assert_int_eq(r.line, lines[i]);
	}
	arena_free(&a);
}
END_TEST

START_TEST(too_many_columns_are_refused)
{
	char text[CSV_FIELDS_MAX + 2] = { 0 };
	struct csv csv = csv_from(text, sizeof text);
	struct csv_record r;
	struct arena a = { 0 };
	struct err err = { 0 };

	memset(text, ',', sizeof text);
	ck_assert_int_eq(csv_next(&csv, &a, &r, &err), ERR_INVALID);
	help_says(&err, "too many columns");
	arena_free(&a);
}
END_TEST

static const struct text_case {
	const char *name;
	const char *bytes;
	const char *want; /* NULL: refused with `says` */
	const char *says;
} text_cases[] = {
	{ "plain", "name", "name", NULL },
	{ "UTF-8", "姓名", "姓名", NULL },
	{ "marked", "\xef\xbb\xbf姓名", "姓名", NULL },
	{ "GB18030", "\xd0\xd5\xc3\xfb,\xd0\xd4\xb1\xf0", "姓名,性别", NULL },
	{ "GB18030, four bytes", "a\x81\x39\xef\x31", "a㐂", NULL },
	{ "marked, then not UTF-8",
	  "\xef\xbb\xbf"
	  "ab\xd0\xd5",
	  NULL, "byte 5 is not UTF-8" },
	{ "neither", "abc\xff\xff", NULL, "byte 3 is neither UTF-8" },
	{ "cut in a character", "\xd0\xd5\xc3", NULL,
	  "byte 2 is neither UTF-8 (wrong from byte 0) nor GB18030" },
};

START_TEST(text_comes_as_utf8)
{
	const struct text_case *c = &text_cases[_i];
	struct buf out = { 0 };
	struct err err = { 0 };
	int rc = csv_to_utf8(c->bytes, strlen(c->bytes), &out, &err);

	ck_assert_msg(rc == (c->want == NULL ? ERR_INVALID : 0), "%s: %s", c->name, err.msg);
	if (c->want != NULL)
		ck_assert_str_eq(buf_str(&out), c->want);
	if (c->says != NULL)
		help_says(&err, c->says);
	buf_free(&out);
}
END_TEST

Suite *
suite_facility_csv(void)
{
	Suite *suite = suite_create("node/facility/csv");
	TCase *tcase = tcase_create("csv");

	tcase_add_loop_test(tcase, fields_or_a_place, 0, sizeof csv_cases / sizeof csv_cases[0]);
	tcase_add_test(tcase, lines_are_counted_through_quotes);
	tcase_add_test(tcase, too_many_columns_are_refused);
	tcase_add_loop_test(tcase, text_comes_as_utf8, 0, sizeof text_cases / sizeof text_cases[0]);
	suite_add_tcase(suite, tcase);
	return suite;
}

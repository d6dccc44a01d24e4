/* tests/base_csvio.c - what is written is read back, and what is malformed is refused by line. */
#include "tests/suites.h"

#include "store/base/csvio.h"

#include <check.h>
#include <string.h>

static struct buf out;
static struct arena arena;
static struct err err;
static struct csvio_field fields[CSVIO_FIELDS_MAX];

static void
forget(void)
{
	buf_free(&out);
	arena_free(&arena);
}

static const struct field_case {
	const char *text;
	const char *plain, *safe;
} field_cases[] = {
	{ "abc", "abc", "abc" },
	{ "", "\"\"", "\"\"" },
	{ " a", "\" a\"", "\" a\"" },
	{ "a,b", "\"a,b\"", "\"a,b\"" },
	{ "say \"hi\"", "\"say \"\"hi\"\"\"", "\"say \"\"hi\"\"\"" },
	{ "two\r\nlines", "\"two\r\nlines\"", "\"two\r\nlines\"" },
	{ "驿站", "驿站", "驿站" },
	{ "=1+1", "=1+1", "'=1+1" },
	{ "-5", "-5", "'-5" },
	{ "@x,y", "\"@x,y\"", "\"'@x,y\"" },
	{ "\n=1", "\"\n=1\"", "\"'\n=1\"" },
	{ "＝1+1", "＝1+1", "'＝1+1" },
	{ "＋86", "＋86", "'＋86" },
	{ "－1", "－1", "'－1" },
	{ "＠x", "＠x", "'＠x" },
	{ "（＝1）", "（＝1）", "（＝1）" },
};

enum { FIELD_CASES = sizeof field_cases / sizeof field_cases[0] };

START_TEST(field_is_quoted_only_if_need_be)
{
	const struct field_case *c = &field_cases[_i];
	struct csvio_reader r;
	size_t count;

	csvio_put(&out, c->text, strlen(c->text));
	ck_assert_str_eq(buf_str(&out), c->plain);
	r = csvio_from(out.bytes, out.len);
	ck_assert_int_eq(csvio_next(&r, &arena, fields, &count, &err), 1);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(fields[0].text, c->text);
	buf_clear(&out);
	csvio_put_safe(&out, c->text, strlen(c->text));
	ck_assert_str_eq(buf_str(&out), c->safe);
}
END_TEST

START_TEST(records_end_with_any_line_end)
{
	static const char text[] = "a,b\r\n\r\n,\"\"\n\"x\ny\",\"1\"\"2\"\nlast,";
	struct csvio_reader r = csvio_from(text, strlen(text));
	size_t count;

	ck_assert_int_eq(csvio_next(&r, &arena, fields, &count, &err), 1);
	ck_assert_str_eq(fields[1].text, "b");
	ck_assert_int_eq(csvio_next(&r, &arena, fields, &count, &err), 1);
	ck_assert_uint_eq(count, 2);
	ck_assert(!fields[0].quoted && fields[0].len == 0);
	ck_assert(fields[1].quoted && fields[1].len == 0);
	ck_assert_int_eq(r.line, 4);
	ck_assert_int_eq(csvio_next(&r, &arena, fields, &count, &err), 1);
	ck_assert_str_eq(fields[0].text, "x\ny");
	ck_assert_str_eq(fields[1].text, "1\"2");
	ck_assert_int_eq(csvio_next(&r, &arena, fields, &count, &err), 1);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(csvio_next(&r, &arena, fields, &count, &err), 0);
}
END_TEST

static const struct bad_case {
	const char *text, *words;
} bad_cases[] = {
	{ "a\n\"never", "line 2: a quote is opened and never closed" },
	{ "\"a\"b,c", "line 1: something stands behind a closing quote" },
	{ "a\nb\"c", "line 2: a quote stands inside a field that has none around" },
};

enum { BAD_CASES = sizeof bad_cases / sizeof bad_cases[0] };

START_TEST(stray_quotes_are_refused)
{
	const struct bad_case *c = &bad_cases[_i];
	struct csvio_reader r = csvio_from(c->text, strlen(c->text));
	size_t count;
	int rc;

	while ((rc = csvio_next(&r, &arena, fields, &count, &err)) == 1)
		;
	ck_assert_int_eq(rc, ERR_INVALID);
	ck_assert_str_eq(err.msg, c->words);
}
END_TEST

Suite *
suite_base_csvio(void)
{
	Suite *suite = suite_create("store/base/csvio");
	TCase *tcase = tcase_create("csvio");

	tcase_add_checked_fixture(tcase, NULL, forget);
	tcase_add_loop_test(tcase, field_is_quoted_only_if_need_be, 0, FIELD_CASES);
	tcase_add_test(tcase, records_end_with_any_line_end);
	tcase_add_loop_test(tcase, stray_quotes_are_refused, 0, BAD_CASES);
	suite_add_tcase(suite, tcase);
	return suite;
}

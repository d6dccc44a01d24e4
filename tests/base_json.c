/* tests/base_json.c - what the writer writes is JSON, and reads back as what went in. */
#include "tests/suites.h"

#include "store/base/json.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

static struct buf out;

static void
forget(void)
{
	buf_free(&out);
}

static const struct text_case {
	const char *name;
	const char *bytes;
	size_t len;
	const char *want;
	bool clean;
} text_cases[] = {
	{ "nothing", "", 0, "\"\"", true },
	{ "plain", "abc", 3, "\"abc\"", true },
	{ "quote and backslash", "a\"b\\c", 5, "\"a\\\"b\\\\c\"", true },
	{ "control characters", "\n\t\x01\x7f", 4, "\"\\n\\u0009\\u0001\\u007f\"", true },
	{ "a zero inside", "a\0b", 3, "\"a\\u0000b\"", true },
	{ "Chinese", "驿站", 6, "\"驿站\"", true },
	{ "a lone continuation", "a\x80z", 3, "\"a\xef\xbf\xbdz\"", false },
	{ "a cut character at the end", "\xe9\xa9", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"", false },
	{ "a surrogate", "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", false },
};

enum { TEXT_CASES = sizeof text_cases / sizeof text_cases[0] };

START_TEST(text_is_escaped)
{
	const struct text_case *c = &text_cases[_i];
	struct json j = json_to(&out);
	bool clean = json_bytes(&j, c->bytes, c->len);

	ck_assert_msg(clean == c->clean, "%s: clean", c->name);
	ck_assert_str_eq(buf_str(&out), c->want);
}
END_TEST

static const struct real_case {
	double value;
	const char *want;
} real_cases[] = {
	{ 0.0, "0.0" },
	{ 1.0, "1.0" },
	{ -2.5, "-2.5" },
	{ 0.1, "0.1" },
	{ 36.6, "36.6" },
	{ 1.0 / 3, "0.3333333333333333" },
	{ 0.1 + 0.2, "0.30000000000000004" },
	{ 1e300, "1e+300" },
	{ DBL_MAX, "1.7976931348623157e+308" },
	{ DBL_TRUE_MIN, "4.94065645841247e-324" },
	{ INFINITY, "9e999" },
	{ -INFINITY, "-9e999" },
	{ NAN, "null" },
};

enum { REAL_CASES = sizeof real_cases / sizeof real_cases[0] };

START_TEST(real_is_short_and_reads_back)
{
	const struct real_case *c = &real_cases[_i];
	struct json j = json_to(&out);

	json_real(&j, c->value);
	ck_assert_str_eq(buf_str(&out), c->want);
	if (!isnan(c->value))
		ck_assert(strtod(buf_str(&out), NULL) == c->value);
}
END_TEST

START_TEST(commas_stand_between_values_only)
{
	static const uint8_t id[] = { 0x00, 0xab, 0xff };
	struct json j = json_to(&out);

	json_array(&j);
	json_object(&j);
	json_end_object(&j);
	json_object(&j);
	json_name(&j, "n");
	json_int(&j, INT64_MIN);
	json_name(&j, "list");
	json_array(&j);
	json_null(&j);
	json_bool(&j, true);
	json_bool(&j, false);
	json_text(&j, NULL);
	json_hex(&j, id, sizeof id);
	json_hex(&j, id, 0);
	json_end_array(&j);
	json_name(&j, "at");
	json_time(&j, 0);
	json_end_object(&j);
	json_int(&j, 7);
	json_end_array(&j);
	ck_assert_str_eq(buf_str(&out),
	                 "[{},{\"n\":-9223372036854775808,\"list\":[null,true,false,null,"
	                 "\"00abff\",\"\"],\"at\":\"1970-01-01T00:00:00.000Z\"},7]");
}
END_TEST

Suite *
suite_base_json(void)
{
	Suite *suite = suite_create("store/base/json");
	TCase *tcase = tcase_create("json");

	tcase_add_checked_fixture(tcase, NULL, forget);
	tcase_add_loop_test(tcase, text_is_escaped, 0, TEXT_CASES);
	tcase_add_loop_test(tcase, real_is_short_and_reads_back, 0, REAL_CASES);
	tcase_add_test(tcase, commas_stand_between_values_only);
	suite_add_tcase(suite, tcase);
	return suite;
}

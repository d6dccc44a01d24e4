/* tests/store_print.c - values and keys as people write and read them. */
#include "tests/suites.h"

#include "store/print.h"

#include <check.h>
#include <string.h>

static struct arena arena;
static struct buf out;
static struct err err;

static void
forget(void)
{
	arena_free(&arena);
	buf_free(&out);
}

/* What a column of a type makes of a text: the JSON of the value, or the refusal. */
static const struct parse_case {
	const char *type, *text, *json, *refusal;
} parse_cases[] = {
	{ "INTEGER", "42", "42", NULL },
	{ "INTEGER", "-9223372036854775808", "-9223372036854775808", NULL },
	{ "INTEGER", "9223372036854775808", NULL, "\"9223372036854775808\" is not a whole number" },
	{ "INTEGER", "4x", NULL, "\"4x\" is not a whole number" },
	{ "INTEGER", "", NULL, "\"\" is not a whole number" },
	{ "int", "7", "7", NULL },
	{ "REAL", "36.6", "36.6", NULL },
	{ "REAL", "3", "3.0", NULL },
	{ "REAL", "inf", NULL, "\"inf\" is not a number" },
	{ "DOUBLE PRECISION", "1e3", "1000.0", NULL },
	{ "NUMERIC", "3", "3", NULL },
	{ "NUMERIC", "3.5", "3.5", NULL },
	{ "TEXT", "3", "\"3\"", NULL },
	{ "VARCHAR(20)", "驿站", "\"驿站\"", NULL },
	{ "BLOB", "00FFab", "\"00ffab\"", NULL },
	{ "", "", "\"\"", NULL },
	{ "BLOB", "0", NULL, "\"0\" is not hex digits, two for each byte" },
	{ "BLOB", "zz", NULL, "\"zz\" is not hex digits, two for each byte" },
};

enum { PARSE_CASES = sizeof parse_cases / sizeof parse_cases[0] };

START_TEST(text_becomes_what_the_column_holds)
{
	const struct parse_case *c = &parse_cases[_i];
	struct json j = json_to(&out);
	struct store_value v;
	int rc = store_print_parse_value(c->type, c->text, &arena, &v, &err);

	if (c->refusal != NULL) {
		ck_assert_int_eq(rc, ERR_INVALID);
		ck_assert_str_eq(err.msg, c->refusal);
		return;
	}
	ck_assert_msg(rc == 0, "%s", err.msg);
	ck_assert(store_print_json(&j, &v));
	ck_assert_str_eq(buf_str(&out), c->json);
}
END_TEST

/* A table t(id BLOB), or t(child BLOB, day INTEGER, meal TEXT). */
static struct store_schema
schema_of(struct store_column columns[3], unsigned count)
{
	static const char *const names[] = { "child", "day", "meal" };
	static const char *const types[] = { "BLOB", "INTEGER", "TEXT" };
	struct store_schema s = { .table = "t", .scope_prefix = "all", .scope_column = -1 };

	for (unsigned i = 0; i < count; i++)
		columns[i] = (struct store_column){ .name = names[i],
			                            .type = types[i],
			                            .key = (uint8_t)(i + 1) };
	s.columns = columns;
	s.column_count = count;
	ck_assert_int_eq(store_schema_finish(&s, &err), 0);
	return s;
}

static const struct key_case {
	unsigned columns;
	const char *text, *json, *again, *refusal;
} key_cases[] = {
	{ 1, "00ff", "\"00ff\"", "00ff", NULL },
	{ 1, "00112233445566778899AABBCCDDEEFF", "\"00112233445566778899aabbccddeeff\"",
	  "00112233445566778899aabbccddeeff", NULL },
	{ 1, "a/b", NULL, NULL,
	  "key \"a/b\": table t: column child: \"a/b\" is not hex digits, two for each byte" },
	{ 2, "00ff/20260302", "[\"00ff\",20260302]", "00ff/20260302", NULL },
	{ 2, "00ff", NULL, NULL, "key \"00ff\": table t has 2 key columns; write them as a/b" },
	{ 2, "00ff/x", NULL, NULL,
	  "key \"00ff/x\": table t: column day: \"x\" is not a whole number" },
	{ 3, "00ff/1/lunch/late", "[\"00ff\",1,\"lunch/late\"]", "00ff/1/lunch/late", NULL },
	{ 3, "/1/", "[\"\",1,\"\"]", "/1/", NULL },
};

enum { KEY_CASES = sizeof key_cases / sizeof key_cases[0] };

START_TEST(key_is_read_and_written)
{
	const struct key_case *c = &key_cases[_i];
	struct store_column columns[3];
	struct store_schema s = schema_of(columns, c->columns);
	struct buf key = { 0 };
	struct json j = json_to(&out);
	int rc = store_print_parse_key(&s, c->text, &key, &err);

	if (c->refusal != NULL) {
		ck_assert_int_eq(rc, ERR_INVALID);
		ck_assert_str_eq(err.msg, c->refusal);
	} else {
		ck_assert_msg(rc == 0, "%s", err.msg);
		store_print_key_json(&j, key.bytes, key.len);
		ck_assert_str_eq(buf_str(&out), c->json);
		buf_clear(&out);
		store_print_key_text(&out, key.bytes, key.len);
		ck_assert_str_eq(buf_str(&out), c->again);
	}
	buf_free(&key);
}
END_TEST

Suite *
suite_store_print(void)
{
	Suite *suite = suite_create("store/print");
	TCase *tcase = tcase_create("print");

	tcase_add_checked_fixture(tcase, NULL, forget);
	tcase_add_loop_test(tcase, text_becomes_what_the_column_holds, 0, PARSE_CASES);
	tcase_add_loop_test(tcase, key_is_read_and_written, 0, KEY_CASES);
	suite_add_tcase(suite, tcase);
	return suite;
}

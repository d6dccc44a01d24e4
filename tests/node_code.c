/* tests/node_code.c - enrolment codes: their bits, and what people do to them. */
#include "tests/suites.h"

#include "node/code.h"
#include "store/base/hash.h"

#include <check.h>
#include <ctype.h>
#include <string.h>

static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static struct code code;
static char text[CODE_TEXT];
static struct err err;

static void
make(uint8_t seed)
{
	uint8_t secret[CODE_SECRET], key[CODE_KEY];

	for (unsigned i = 0; i < sizeof secret; i++)
		secret[i] = (uint8_t)(seed * 37 + i * 101);
	memset(key, seed, sizeof key);
	code_make(&code, secret, key);
	code_text(&code, text);
}

START_TEST(a_code_reads_back_whatever_its_bits)
{
	uint8_t secret[CODE_SECRET], key[CODE_KEY] = { 0 };
	struct code back;

	memset(secret, _i == 0 ? 0 : 0xff, sizeof secret);
	key[0] = (uint8_t)_i;
	code_make(&code, secret, key);
	code_text(&code, text);
	ck_assert_uint_eq(strlen(text), 34);
	ck_assert_int_eq(code_read(text, &back, &err), 0);
	ck_assert_uint_eq(back.secret, _i == 0 ? 0 : ((uint64_t)1 << 50) - 1);
	ck_assert_mem_eq(back.hub, code.hub, CODE_HUB);
	ck_assert(code_is_of(&back, key));
	key[31] ^= 1;
	ck_assert(!code_is_of(&back, key));
}
END_TEST

START_TEST(the_bits_stand_where_the_contract_says)
{
	static const uint8_t secret[CODE_SECRET] = { 0x03, 0xff, 0xff, 0xc0, 0, 0, 0x01 };
	uint8_t key[CODE_KEY] = { 0 }, hash[HASH_16];
	char plain[CODE_CHARS + 1], name[CODE_NAME];
	unsigned first;

	code_make(&code, secret, key);
	code_plain(&code, plain);
	code_name(&code, name);
	hash_once(hash, sizeof hash, key, sizeof key);
	ck_assert_str_eq(name, "ZZZZ");
	ck_assert_mem_eq(plain, "ZZZZ000001", 10);
	first = (unsigned)(strchr(symbols, plain[10]) - symbols);
	ck_assert_uint_eq(first, hash[0] >> 3);
}
END_TEST

START_TEST(spelling_does_not_matter)
{
	char typed[200] = "  ";
	struct code back;
	size_t len = 2;

	make((uint8_t)(_i + 1));
	for (const char *c = text; *c != 0; c++) {
		if (*c == '-') {
			typed[len++] = ' ';
			continue;
		}
		if (*c == '0')
			typed[len++] = _i % 2 == 0 ? 'o' : 'O';
		else if (*c == '1')
			typed[len++] = "iIlL"[_i % 4];
		else
			typed[len++] = (char)tolower((unsigned char)*c);
		typed[len++] = '-';
	}
	typed[len] = 0;
	ck_assert_msg(code_read(typed, &back, &err) == 0, "%s: %s", typed, err.msg);
	ck_assert_uint_eq(back.secret, code.secret);
	ck_assert_mem_eq(back.hub, code.hub, CODE_HUB);
}
END_TEST

START_TEST(one_wrong_character_is_noticed)
{
	char plain[CODE_CHARS + 1];
	struct code back;

	make(7);
	code_plain(&code, plain);
	for (int i = 0; i < CODE_CHARS; i++) {
		char right = plain[i];

		for (const char *c = symbols; *c != 0; c++) {
			plain[i] = *c;
			ck_assert_int_eq(code_read(plain, &back, &err),
			                 *c == right ? 0 : ERR_INVALID);
		}
		plain[i] = right;
	}
}
END_TEST

/* The symbol `steps` further in the alphabet. */
static char
other(char symbol, int steps)
{
	return symbols[(strchr(symbols, symbol) - symbols + steps) % 32];
}

static void
expect_refused(const char *plain)
{
	struct code back;

	ck_assert_int_eq(code_read(plain, &back, &err), ERR_INVALID);
}

static void
spoil(const char *right, int i, int k)
{
	char plain[CODE_CHARS + 1];

	memcpy(plain, right, sizeof plain);
	plain[i] = right[k];
	plain[k] = right[i];
	if (right[i] != right[k])
		expect_refused(plain);
	for (int n = 1; n < 32; n += 5) {
		plain[i] = other(right[i], n);
		plain[k] = other(right[k], 2 * n + 1);
		expect_refused(plain);
	}
}

START_TEST(two_wrong_or_swapped_characters_are_noticed)
{
	char plain[CODE_CHARS + 1];

	make(9);
	code_plain(&code, plain);
	for (int i = 0; i < CODE_CHARS; i++)
		for (int k = i + 1; k < CODE_CHARS; k++)
			spoil(plain, i, k);
}
END_TEST

START_TEST(what_is_no_code_is_refused_with_the_reason)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "has 0" },
		{ "7F3K", "has 4" },
		{ "0000-0000-0000-0000-0000-0000-00000", "has 29" },
		{ "U000-0000-0000-0000-0000-0000-0000", "character 1 can't" },
		{ "0000-0000-0000-0000-0000-0000-000!", "character 28 can't" },
		{ "0000-\xe7\xab\x99", "character 5 can't" },
		{ "0000-0000-0000-0000-0000-0000-0001", "mistyped" },
	};
	struct code back;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_int_eq(code_read(cases[i].text, &back, &err), ERR_INVALID);
		ck_assert_msg(strstr(err.msg, cases[i].says) != NULL, "%s: %s", cases[i].text,
		              err.msg);
	}
}
END_TEST

Suite *
suite_node_code(void)
{
	Suite *s = suite_create("node/code");
	TCase *t = tcase_create("code");

	hash_init();
	tcase_add_loop_test(t, a_code_reads_back_whatever_its_bits, 0, 2);
	tcase_add_test(t, the_bits_stand_where_the_contract_says);
	tcase_add_loop_test(t, spelling_does_not_matter, 0, 32);
	tcase_add_test(t, one_wrong_character_is_noticed);
	tcase_add_test(t, two_wrong_or_swapped_characters_are_noticed);
	tcase_add_test(t, what_is_no_code_is_refused_with_the_reason);
	suite_add_tcase(s, t);
	return s;
}

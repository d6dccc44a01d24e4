/* tests/node_pin.c - the key of a hub's TLS front in settings and behind a code's dot. */
#include "tests/suites.h"

#include "node/pin.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct err err;

/* One from the header, and those whose digits are at the edges of the alphabet. */
#define FRONT "K87oWBWM9UZfyddvDfoxL+8lpNyoUB2ptGtn0fv6G2Q"
#define CODE "7F3K-ABCD-EFGH-JKMN-PQRS-TVWX-Q9RT"

static const struct both {
	const char *setting, *tail;
} both[] = {
	{ "sha256//" FRONT "=", "K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2Q" },
	{ "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
	{ "sha256////////////////////////////////////////////8=",
	  "__________________________________________8" },
	{ "sha256//++++++++++++++++++++++++++++++++++++++++++4=",
	  "------------------------------------------4" },
};

START_TEST(a_pin_goes_behind_a_code_and_back)
{
	const struct both *b = &both[_i];
	char tail[PIN_TAIL], typed[120], pin[PIN_SIZE], list[160];

	ck_assert_int_eq(pin_tail(b->setting, tail, &err), 0);
	ck_assert_str_eq(tail, b->tail);
	snprintf(typed, sizeof typed, CODE ".%s", tail);
	ck_assert_int_eq(pin_of_code(typed, pin, &err), 1);
	ck_assert_str_eq(pin, b->setting);
	/* as it is copied: with what stood behind it */
	snprintf(typed, sizeof typed, CODE ".%s \r\n", tail);
	ck_assert_int_eq(pin_of_code(typed, pin, &err), 1);
	ck_assert_str_eq(pin, b->setting);
	/* of several the first; a backup key isn't told */
	snprintf(list, sizeof list, "%s;sha256//" FRONT "=", b->setting);
	ck_assert_int_eq(pin_tail(list, tail, &err), 0);
	ck_assert_str_eq(tail, b->tail);
}
END_TEST

static const char *const no_settings[] = {
	"",
	";",
	"sha256//",
	"sha256//=",
	"nonsense",
	"sha256//" FRONT,                                       /* without its end */
	"sha256//" FRONT "==",                                  /* another end */
	"sha256//" FRONT "A",                                   /* 33 bytes */
	"sha1//" FRONT "=",                                     /* another hash */
	"SHA256//" FRONT "=",                                   /* as curl doesn't take it */
	" sha256//" FRONT "=",                                  /* a space */
	"sha256//K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2Q=", /* base64url */
	"sha256//K87oWBWM9UZfyddvDfoxL+8lpNyoUB2ptGtn0fv6G2R=", /* a bit more than 32 bytes */
	"sha256//K87oWBWM9UZfyddvDfoxL+8lpNyoUB2ptGtn0fv6G =",
	"sha256//K87oWBWM9UZfyddvDfoxL+8lpNyoUB2ptGtn0fv\xc3\xa4"
	"2=",
	";sha256//" FRONT "=", /* the first is empty */
};

enum { NO_SETTINGS = sizeof no_settings / sizeof no_settings[0] };

START_TEST(what_is_no_pin_is_said_to_be_none)
{
	char tail[PIN_TAIL];

	ck_assert_msg(pin_tail(no_settings[_i], tail, &err) == ERR_INVALID, "%s", no_settings[_i]);
	ck_assert(strstr(err.msg, "is no pin; it is sha256// and the base64 of SHA-256") != NULL);
}
END_TEST

static const char *const no_tails[] = {
	".",
	". ",
	".K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2",   /* one too few */
	".K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2QA", /* one too many */
	".K87oWBWM9UZfyddvDfoxL+8lpNyoUB2ptGtn0fv6G2Q",  /* base64 */
	".K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2R",  /* a bit more than 32 bytes */
	".K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2Q=", /* with its end */
	".K87oWBWM9UZfyddvDfoxL 8lpNyoUB2ptGtn0fv6G2Q",  /* a line that was broken */
	"..K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2",
	".sha256//K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGt",
};

enum { NO_TAILS = sizeof no_tails / sizeof no_tails[0] };

START_TEST(what_is_cut_or_spoiled_behind_the_dot_is_refused)
{
	char typed[120], pin[PIN_SIZE] = "left over";

	snprintf(typed, sizeof typed, CODE "%s", no_tails[_i]);
	ck_assert_msg(pin_of_code(typed, pin, &err) == ERR_INVALID, "%s", typed);
	ck_assert_str_eq(pin, "");
	ck_assert(strstr(err.msg, "is not a whole TLS key; copy all of it") != NULL);
}
END_TEST

START_TEST(a_code_without_a_dot_has_none)
{
	char pin[PIN_SIZE] = "left over";

	ck_assert_int_eq(pin_of_code(CODE, pin, &err), 0);
	ck_assert_str_eq(pin, "");
	ck_assert_int_eq(pin_of_code("", pin, &err), 0);
}
END_TEST

/* A pin pins: each digit that is another is another key, or none. */
START_TEST(every_digit_counts)
{
	char typed[120], pin[PIN_SIZE];

	snprintf(typed, sizeof typed, CODE ".%s", both[0].tail);
	for (size_t i = strlen(CODE) + 1; typed[i] != 0; i++) {
		char was = typed[i];

		typed[i] = was == 'A' ? 'E' : 'A';
		ck_assert_int_eq(pin_of_code(typed, pin, &err), 1);
		ck_assert_str_ne(pin, both[0].setting);
		typed[i] = was;
	}
}
END_TEST

Suite *
suite_node_pin(void)
{
	Suite *suite = suite_create("node/pin");
	TCase *t = tcase_create("pin");

	tcase_add_loop_test(t, a_pin_goes_behind_a_code_and_back, 0, sizeof both / sizeof both[0]);
	tcase_add_loop_test(t, what_is_no_pin_is_said_to_be_none, 0, NO_SETTINGS);
	tcase_add_loop_test(t, what_is_cut_or_spoiled_behind_the_dot_is_refused, 0, NO_TAILS);
	tcase_add_test(t, a_code_without_a_dot_has_none);
	tcase_add_test(t, every_digit_counts);
	suite_add_tcase(suite, t);
	return suite;
}

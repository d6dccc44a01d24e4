/*
 * tests/node_reqsig.c - signed requests and replies.  The golden headers were
 * made with openssl from the text of RFC 9421, not with this program.
 */
#include "tests/suites.h"

#include "node/http/nonce.h"
#include "node/http/reqsig.h"
#include "store/base/hash.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_HEX "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define REQUEST_DIGEST "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"
#define REQUEST_INPUT                                                                              \
	"yz=(\"@method\" \"@path\" \"@query\" \"content-digest\");created=1772438400;"             \
	"nonce=\"n-1_Z\";keyid=\"" KEY_HEX "\";alg=\"ed25519\""
#define REQUEST_SIGNATURE                                                                          \
	"yz=:ZPxlPabnp3gHxbd74V/7vr0TErvg5hDA4dlY+1tEc4oMybxfNGBEcihdqZw781f5IQgkqi5VpnP"          \
	"dvhsU5/oABQ==:"
#define REPLY_DIGEST "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
#define REPLY_INPUT                                                                                \
	"yz=(\"@status\" \"content-digest\" \"yz-nonce\" \"signature\";req;key=\"yz\");"           \
	"created=1772438401;alg=\"ed25519\""
#define REPLY_SIGNATURE                                                                            \
	"yz=:GycS6mWOeLUtnvwczRpmy/kllg3mRun3j3X7+StZjmgDGpkTdDm+2RWncMtyMMPUbmn/hEF/Ls0"          \
	"jZukF1yMYDA==:"

static const struct reqsig_request request = {
	.method = "POST", .path = "/v1/sync", .query = "a=1", .body = "hello", .body_len = 5
};
static const struct reqsig_reply reply = { .status = 200,
	                                   .next_nonce = "n-2",
	                                   .request_signature = REQUEST_SIGNATURE };
static const struct reqsig_given request_given = { REQUEST_DIGEST, REQUEST_INPUT,
	                                           REQUEST_SIGNATURE };
static const struct reqsig_given reply_given = { REPLY_DIGEST, REPLY_INPUT, REPLY_SIGNATURE };

static struct sync_key key;
static struct err err;

static void
make_key(void)
{
	uint8_t seed[SYNC_SEED_KEY];

	ck_assert(hash_init());
	for (size_t i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t)i;
	sync_key_from_seed(&key, seed);
}

START_TEST(what_we_write_is_what_the_rfc_says)
{
	struct reqsig_headers out;

	reqsig_sign_request(&key, &request, 1772438400, "n-1_Z", &out);
	ck_assert_str_eq(out.digest, REQUEST_DIGEST);
	ck_assert_str_eq(out.input, REQUEST_INPUT);
	ck_assert_str_eq(out.signature, REQUEST_SIGNATURE);
	reqsig_sign_reply(&key, &reply, 1772438401, &out);
	ck_assert_str_eq(out.digest, REPLY_DIGEST);
	ck_assert_str_eq(out.input, REPLY_INPUT);
	ck_assert_str_eq(out.signature, REPLY_SIGNATURE);
}
END_TEST

START_TEST(what_was_signed_is_accepted)
{
	struct reqsig_signer signer;

	ck_assert_int_eq(reqsig_check_request(&request, &request_given, &signer, &err), 0);
	ck_assert_mem_eq(signer.key, key.public_key, sizeof signer.key);
	ck_assert_int_eq(signer.created_s, 1772438400);
	ck_assert_str_eq(signer.nonce, "n-1_Z");
	ck_assert_int_eq(reqsig_check_reply(key.public_key, &reply, &reply_given, &err), 0);
}
END_TEST

START_TEST(a_request_without_query_has_a_shorter_list)
{
	struct reqsig_request bare = { .method = "GET", .path = "/v1/watch", .query = "" };
	struct reqsig_headers out;
	struct reqsig_given given = { out.digest, out.input, out.signature };
	struct reqsig_signer signer;

	reqsig_sign_request(&key, &bare, 1, "0", &out);
	ck_assert_ptr_null(strstr(out.input, "@query"));
	ck_assert_int_eq(reqsig_check_request(&bare, &given, &signer, &err), 0);
	bare.query = "x";
	ck_assert_int_eq(reqsig_check_request(&bare, &given, &signer, &err), ERR_DENIED);
}
END_TEST

START_TEST(another_request_than_the_signed_one_is_refused)
{
	static const struct reqsig_request others[] = {
		{ "PUT", "/v1/sync", "a=1", "hello", 5 },
		{ "post", "/v1/sync", "a=1", "hello", 5 },
		{ "POST", "/v1/sync/", "a=1", "hello", 5 },
		{ "POST", "/v1/Sync", "a=1", "hello", 5 },
		{ "POST", "/v1/sync", "a=2", "hello", 5 },
		{ "POST", "/v1/sync", "", "hello", 5 },
		{ "POST", "/v1/sync", "a=1&", "hello", 5 },
		{ "POST", "/v1/sync", "a=1", "hellO", 5 },
		{ "POST", "/v1/sync", "a=1", "hell", 4 },
		{ "POST", "/v1/sync", "a=1", "", 0 },
	};
	struct reqsig_signer signer;

	ck_assert_int_eq(reqsig_check_request(&others[_i], &request_given, &signer, &err),
	                 ERR_DENIED);
	ck_assert_uint_gt(strlen(err.msg), 5);
}
END_TEST

START_TEST(another_reply_than_the_signed_one_is_refused)
{
	static const struct reqsig_reply others[] = {
		{ 201, "", 0, "n-2", REQUEST_SIGNATURE }, { 200, "x", 1, "n-2", REQUEST_SIGNATURE },
		{ 200, "", 0, "n-3", REQUEST_SIGNATURE }, { 200, "", 0, NULL, REQUEST_SIGNATURE },
		{ 200, "", 0, "n-2", REPLY_SIGNATURE }, /* to another request */
	};
	uint8_t other_key[SYNC_PUBLIC_KEY];

	ck_assert_int_eq(reqsig_check_reply(key.public_key, &others[_i], &reply_given, &err),
	                 ERR_DENIED);
	memcpy(other_key, key.public_key, sizeof other_key);
	other_key[0] ^= 1;
	ck_assert_int_eq(reqsig_check_reply(other_key, &reply, &reply_given, &err), ERR_DENIED);
}
END_TEST

/* Change each byte of a header in turn, drop it, and add one behind it. */
static void
tamper(const char *value, int (*check)(const char *changed))
{
	char changed[REQSIG_INPUT_SIZE + 8];
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		snprintf(changed, sizeof changed, "%s", value);
		changed[i] ^= 1;
		ck_assert_msg(check(changed) == ERR_DENIED, "accepted: %s", changed);
		changed[i] ^= 1 ^ 0x20; /* the other case, for letters */
		ck_assert_msg(check(changed) == ERR_DENIED, "accepted: %s", changed);
		snprintf(changed, sizeof changed, "%.*s%s", (int)i, value, value + i + 1);
		ck_assert_msg(check(changed) == ERR_DENIED, "accepted: %s", changed);
		snprintf(changed, sizeof changed, "%.*s", (int)i, value);
		ck_assert_msg(check(changed) == ERR_DENIED, "accepted: %s", changed);
	}
	snprintf(changed, sizeof changed, "%s;", value);
	ck_assert_int_eq(check(changed), ERR_DENIED);
	snprintf(changed, sizeof changed, " %s", value);
	ck_assert_int_eq(check(changed), ERR_DENIED);
	ck_assert_int_eq(check(NULL), ERR_DENIED);
	ck_assert_int_eq(check(value), 0);
}

static int
with_digest(const char *text)
{
	struct reqsig_given given = request_given;
	struct reqsig_signer signer;

	given.digest = text;
	return reqsig_check_request(&request, &given, &signer, &err);
}

static int
with_input(const char *text)
{
	struct reqsig_given given = request_given;
	struct reqsig_signer signer;

	given.input = text;
	return reqsig_check_request(&request, &given, &signer, &err);
}

static int
with_signature(const char *text)
{
	struct reqsig_given given = request_given;
	struct reqsig_signer signer;

	given.signature = text;
	return reqsig_check_request(&request, &given, &signer, &err);
}

static int
with_reply_input(const char *text)
{
	struct reqsig_given given = reply_given;

	given.input = text;
	return reqsig_check_reply(key.public_key, &reply, &given, &err);
}

static int
with_reply_signature(const char *text)
{
	struct reqsig_given given = reply_given;

	given.signature = text;
	return reqsig_check_reply(key.public_key, &reply, &given, &err);
}

START_TEST(every_changed_byte_of_a_header_is_refused)
{
	tamper(REQUEST_DIGEST, with_digest);
	tamper(REQUEST_INPUT, with_input);
	tamper(REQUEST_SIGNATURE, with_signature);
	tamper(REPLY_INPUT, with_reply_input);
	tamper(REPLY_SIGNATURE, with_reply_signature);
}
END_TEST

/* Correctly signed, but not in our profile: valid RFC 9421 that we don't speak. */
/* The end of a base64 text where there is more to come. */
START_TEST(a_signature_that_ends_early_is_refused)
{
	char signature[sizeof REQUEST_SIGNATURE] = REQUEST_SIGNATURE;
	struct reqsig_given given = request_given;
	struct reqsig_signer signer;

	signature[strlen("yz=:") + (size_t)_i] = '=';
	given.signature = signature;
	ck_assert_int_eq(reqsig_check_request(&request, &given, &signer, &err), ERR_DENIED);
}
END_TEST

START_TEST(other_profiles_are_refused)
{
	static const char *const inputs[] = {
		"yz=(\"@method\" \"@path\" "
		"\"content-digest\");created=1;nonce=\"n\";keyid=\"" KEY_HEX
		"\";alg=\"ed25519\"", /* the query left out */
		"yz=(\"@path\" \"@method\" \"@query\" "
		"\"content-digest\");created=1;nonce=\"n\";keyid=\"" KEY_HEX "\";alg=\"ed25519\"",
		"yz=(\"@method\" \"@path\" \"@query\" "
		"\"content-digest\");created=1;keyid=\"" KEY_HEX "\";alg=\"ed25519\"",
		"yz=(\"@method\" \"@path\" \"@query\" "
		"\"content-digest\");created=1;nonce=\"\";keyid=\"" KEY_HEX "\";alg=\"ed25519\"",
		"yz=(\"@method\" \"@path\" \"@query\" "
		"\"content-digest\");created=01;nonce=\"n\";keyid=\"" KEY_HEX "\";alg=\"ed25519\"",
		"yz=(\"@method\" \"@path\" \"@query\" "
		"\"content-digest\");created=-1;nonce=\"n\";keyid=\"" KEY_HEX "\";alg=\"ed25519\"",
		"yz=(\"@method\" \"@path\" \"@query\" "
		"\"content-digest\");created=1;nonce=\"n\";keyid=\"" KEY_HEX "\";alg=\"none\"",
		"yz=(\"@method\" \"@path\" \"@query\" "
		"\"content-digest\");created=1;nonce=\"n\";keyid=\"" KEY_HEX
		"\";alg=\"ed25519\";tag=\"x\"",
		"yz=(\"@method\" \"@path\" \"@query\" "
		"\"content-digest\");created=1;nonce=\"n\";keyid=\"" KEY_HEX
		"\";alg=\"ed25519\", zz=()",
		"yz=();created=1;nonce=\"n\";keyid=\"" KEY_HEX "\";alg=\"ed25519\"",
		"",
	};

	ck_assert_int_eq(with_input(inputs[_i]), ERR_DENIED);
	ck_assert_str_eq(err.msg, "Signature-Input is not of our form");
}
END_TEST

START_TEST(a_nonce_is_of_few_characters)
{
	static const char *const good[] = { "0", "n-1_Z", "0123456789abcdefABCDEF0123456789" };
	static const char *const bad[] = {
		"",     "a b", "a\"", "\xe7\xab\x99",
		"a\tb", "a=",  "/",   "0123456789abcdefABCDEF01234567890"
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(reqsig_is_nonce(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!reqsig_is_nonce(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(a_nonce_is_good_at_its_hub_for_a_while)
{
	static const uint8_t secret[32] = "a hub's", other[32] = "another's";
	char nonce[NONCE_SIZE];

	nonce_make(nonce, secret, 1000000);
	ck_assert(nonce_good(nonce, secret, 1000000));
	ck_assert(nonce_good(nonce, secret, 1000000 + NONCE_LIFE_S));
	ck_assert(!nonce_good(nonce, secret, 1000001 + NONCE_LIFE_S));
	ck_assert(!nonce_good(nonce, secret, 999999));
	ck_assert(!nonce_good(nonce, other, 1000000));
	nonce[NONCE_SIZE - 2] ^= 1;
	ck_assert(!nonce_good(nonce, secret, 1000000));
	ck_assert(!nonce_good("0", secret, 1000000));
}
END_TEST

START_TEST(the_headers_are_short)
{
	/* 1 KiB each way for an exchange without news: ours may take 400 of it. */
	ck_assert_uint_lt(strlen(REQUEST_DIGEST REQUEST_INPUT REQUEST_SIGNATURE), 360);
	ck_assert_uint_lt(strlen(REPLY_DIGEST REPLY_INPUT REPLY_SIGNATURE), 280);
}
END_TEST

/* By its own form, however well it may be signed. */
START_TEST(numbers_and_nonces_have_their_lengths)
{
	static const char *const inputs[] = {
		"created=177243840000;", /* twelve digits */
		"created=;",
		"nonce=\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\"", /* 33 */
		"nonce=\"\"",
		("keyid=\"" KEY_HEX "0\""),
	};
	char changed[2 * REQSIG_INPUT_SIZE];
	const char *part = inputs[_i], *end = strchr(part, '=');
	const char *from = memmem(REQUEST_INPUT, sizeof REQUEST_INPUT, part, (size_t)(end - part));
	const char *rest = from == NULL ? NULL : strpbrk(from, _i < 2 ? ";" : ";)");

	ck_assert_ptr_nonnull(rest);
	snprintf(changed, sizeof changed, "%.*s%s%s", (int)(from - REQUEST_INPUT), REQUEST_INPUT,
	         part, rest + (_i < 2));
	ck_assert_int_eq(with_input(changed), ERR_DENIED);
}
END_TEST

Suite *
suite_node_reqsig(void)
{
	Suite *suite = suite_create("node/reqsig");
	TCase *tcase = tcase_create("reqsig");

	tcase_add_checked_fixture(tcase, make_key, NULL);
	tcase_add_test(tcase, what_we_write_is_what_the_rfc_says);
	tcase_add_test(tcase, what_was_signed_is_accepted);
	tcase_add_loop_test(tcase, numbers_and_nonces_have_their_lengths, 0, 5);
	tcase_add_test(tcase, a_request_without_query_has_a_shorter_list);
	tcase_add_loop_test(tcase, another_request_than_the_signed_one_is_refused, 0, 10);
	tcase_add_loop_test(tcase, another_reply_than_the_signed_one_is_refused, 0, 5);
	tcase_add_test(tcase, every_changed_byte_of_a_header_is_refused);
	tcase_add_loop_test(tcase, a_signature_that_ends_early_is_refused, 0, 4);
	tcase_add_loop_test(tcase, other_profiles_are_refused, 0, 11);
	tcase_add_test(tcase, a_nonce_is_good_at_its_hub_for_a_while);
	tcase_add_test(tcase, the_headers_are_short);
	tcase_add_test(tcase, a_nonce_is_of_few_characters);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/sync_sign.c - Ed25519 as RFC 8032 has it, and stricter. */
#include "tests/suites.h"

#include "store/base/hash.h"
#include "store/base/text.h"
#include "sync/codec/sign.h"

#include <check.h>
#include <string.h>

/* RFC 8032, 7.1, tests 1 to 3. */
static const struct rfc_case {
	const char *seed, *public_key, *message, *signature;
} rfc_cases[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
	  "1c"
	  "f9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
	  "d0"
	  "f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
	  "98"
	  "4dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

enum { RFC_CASES = sizeof rfc_cases / sizeof rfc_cases[0] };

START_TEST(rfc_vectors_hold)
{
	const struct rfc_case *c = &rfc_cases[_i];
	uint8_t seed[SYNC_SEED_KEY], public_key[SYNC_PUBLIC_KEY], message[8];
	uint8_t want[STORE_SIGNATURE], got[STORE_SIGNATURE];
	size_t len = strlen(c->message) / 2;
	struct sync_key key;

	ck_assert(text_unhex(seed, sizeof seed, c->seed));
	ck_assert(text_unhex(public_key, sizeof public_key, c->public_key));
	ck_assert(text_unhex(message, len, c->message));
	ck_assert(text_unhex(want, sizeof want, c->signature));
	sync_key_from_seed(&key, seed);
	ck_assert_mem_eq(key.public_key, public_key, sizeof public_key);
	sync_sign(&key, message, len, got);
	ck_assert_mem_eq(got, want, sizeof want);
	ck_assert(sync_verify(public_key, message, len, got));
}
END_TEST

/* The group's order L, and the field's prime p = 2^255 - 19; little endian, as all below. */
static const char order_hex[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
static const char prime_hex[] = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";

/* a += b; the carry out of the top. */
static unsigned
add_numbers(uint8_t a[32], const char *b_hex)
{
	uint8_t b[32];
	unsigned carry = 0;

	ck_assert(text_unhex(b, sizeof b, b_hex));
	for (unsigned i = 0; i < 32; i++) {
		carry += (unsigned)a[i] + b[i];
		a[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return carry;
}

START_TEST(a45_s_must_be_canonical)
{
	uint8_t seed[SYNC_SEED_KEY] = { 1 }, signature[STORE_SIGNATURE];
	struct sync_key key;
	unsigned tried = 0;

	sync_key_from_seed(&key, seed);
	sync_sign(&key, "x", 1, signature);
	ck_assert(sync_verify(key.public_key, "x", 1, signature));
	/* S + L, S + 2 L ... sign the same, for those who don't look */
	while (add_numbers(signature + 32, order_hex) == 0) {
		ck_assert(!sync_verify(key.public_key, "x", 1, signature));
		tried++;
	}
	ck_assert_uint_ge(tried, 14);
	/* and so it is with bits of S that some mask away */
	sync_sign(&key, "x", 1, signature);
	for (unsigned bit = 5; bit < 8; bit++) {
		signature[63] ^= (uint8_t)(1 << bit);
		ck_assert(!sync_verify(key.public_key, "x", 1, signature));
		signature[63] ^= (uint8_t)(1 << bit);
	}
	ck_assert(sync_verify(key.public_key, "x", 1, signature));
}
END_TEST

/*
 * The eight points of small order in every spelling: y, and y + p where that
 * fits, each with either sign bit.  Of such a key or with such an R one
 * signature would fit many messages.
 */
static const char *const small_points[] = {
	"0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
	"0100000000000000000000000000000000000000000000000000000000000000", /* order 1 */
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", /* order 8 */
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 0 + p */
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 1 + p */
};

enum { SMALL_POINTS = 2 * (sizeof small_points / sizeof small_points[0]) };

static void
small_point(unsigned i, uint8_t out[32])
{
	ck_assert(text_unhex(out, 32, small_points[i / 2]));
	out[31] |= (uint8_t)(i % 2 << 7);
}

START_TEST(a45_keys_of_small_order_sign_nothing)
{
	uint8_t key[SYNC_PUBLIC_KEY], signature[STORE_SIGNATURE] = { 0 };

	small_point((unsigned)_i, key);
	for (unsigned r = 0; r < SMALL_POINTS; r++) {
		small_point(r, signature);
		for (char message = 0; message < 16; message++)
			ck_assert(!sync_verify(key, &message, 1, signature));
	}
}
END_TEST

START_TEST(a45_r_of_small_order_signs_nothing)
{
	uint8_t seed[SYNC_SEED_KEY] = { 1 }, signature[STORE_SIGNATURE] = { 0 };
	struct sync_key key;

	sync_key_from_seed(&key, seed);
	small_point((unsigned)_i, signature);
	for (char message = 0; message < 16; message++)
		for (unsigned s = 0; s < 4; s++) {
			signature[32] = (uint8_t)s;
			ck_assert(!sync_verify(key.public_key, &message, 1, signature));
		}
}
END_TEST

/* y and y + p are one point, but one spelling; only y below 19 leaves room for the other. */
START_TEST(a45_points_have_one_spelling)
{
	uint8_t point[32] = { (uint8_t)_i }, signature[STORE_SIGNATURE] = { 0 };
	uint8_t seed[SYNC_SEED_KEY] = { 1 };
	struct sync_key key;

	ck_assert_uint_eq(add_numbers(point, prime_hex), 0);
	sync_key_from_seed(&key, seed);
	for (unsigned sign = 0; sign < 2; sign++) {
		point[31] = (uint8_t)((point[31] & 0x7f) | sign << 7);
		for (char message = 0; message < 16; message++) {
			sync_sign(&key, &message, 1, signature);
			ck_assert(!sync_verify(point, &message, 1, signature));
			memcpy(signature, point, 32);
			ck_assert(!sync_verify(key.public_key, &message, 1, signature));
			memset(signature + 32, 0, 32);
			ck_assert(!sync_verify(point, &message, 1, signature));
		}
	}
}
END_TEST

/* Anything else about a signature, its key or its message: every bit of them, and all of nothing.
 */
START_TEST(a45_every_turned_bit_is_noticed)
{
	uint8_t seed[SYNC_SEED_KEY] = { 1 }, zero[STORE_SIGNATURE] = { 0 }, ones[STORE_SIGNATURE];
	uint8_t all[SYNC_PUBLIC_KEY + STORE_SIGNATURE + 4] = { 0 };
	uint8_t *head = all + sizeof all - 4; /* the message: four bytes of 0 */
	struct sync_key key;

	memset(ones, 0xff, sizeof ones);
	sync_key_from_seed(&key, seed);
	memcpy(all, key.public_key, SYNC_PUBLIC_KEY);
	sync_sign(&key, head, 4, all + SYNC_PUBLIC_KEY);
	for (size_t bit = 0; bit < 8 * sizeof all; bit++) {
		all[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(!sync_verify(all, head, 4, all + SYNC_PUBLIC_KEY), "bit %zu", bit);
		all[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert(sync_verify(all, head, 4, all + SYNC_PUBLIC_KEY));
	ck_assert(!sync_verify(all, head, 3, all + SYNC_PUBLIC_KEY));
	ck_assert(!sync_verify(all, head, 4, zero));
	ck_assert(!sync_verify(all, head, 4, ones));
	ck_assert(!sync_verify(zero, head, 4, zero));
	ck_assert(!sync_verify(ones, head, 4, ones));
}
END_TEST

START_TEST(a_head_is_signed_with_its_place)
{
	static const struct sync_site site = { { 1 }, { 2 } }, other = { { 1 }, { 3 } };
	uint8_t seed[SYNC_SEED_KEY] = { 7 }, head[STORE_HEAD] = { 9 };
	uint8_t signature[STORE_SIGNATURE];
	char scope[STORE_SCOPE_MAX + 1];
	struct sync_key key;

	memset(scope, 'x', STORE_SCOPE_MAX);
	scope[STORE_SCOPE_MAX] = 0;
	sync_key_from_seed(&key, seed);
	sync_sign_head(&key, &site, scope, 5, head, signature);
	ck_assert(sync_verify_head(key.public_key, &site, scope, 5, head, signature));
	ck_assert(!sync_verify_head(key.public_key, &other, scope, 5, head, signature));
	ck_assert(!sync_verify_head(key.public_key, &site, scope + 1, 5, head, signature));
	ck_assert(!sync_verify_head(key.public_key, &site, scope, 6, head, signature));
	head[31] ^= 1;
	ck_assert(!sync_verify_head(key.public_key, &site, scope, 5, head, signature));
}
END_TEST

START_TEST(a_key_is_wiped_and_names_its_node)
{
	static const struct sync_key zero;
	uint8_t seed[SYNC_SEED_KEY] = { 7 }, node[STORE_NODE_ID], want[HASH_16];
	struct sync_key key;

	sync_key_from_seed(&key, seed);
	sync_node_id(node, key.public_key);
	hash_once(want, sizeof want, key.public_key, sizeof key.public_key);
	ck_assert_mem_eq(node, want, sizeof want);
	sync_key_wipe(&key);
	ck_assert_mem_eq(&key, &zero, sizeof zero);
}
END_TEST

Suite *
suite_sync_sign(void)
{
	Suite *suite = suite_create("sync/sign");
	TCase *tcase = tcase_create("sign");

	tcase_add_loop_test(tcase, rfc_vectors_hold, 0, RFC_CASES);
	tcase_add_test(tcase, a45_s_must_be_canonical);
	tcase_add_loop_test(tcase, a45_keys_of_small_order_sign_nothing, 0, SMALL_POINTS);
	tcase_add_loop_test(tcase, a45_r_of_small_order_signs_nothing, 0, SMALL_POINTS);
	tcase_add_loop_test(tcase, a45_points_have_one_spelling, 0, 19);
	tcase_add_test(tcase, a45_every_turned_bit_is_noticed);
	tcase_add_test(tcase, a_head_is_signed_with_its_place);
	tcase_add_test(tcase, a_key_is_wiped_and_names_its_node);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/sync_pack.c - one frame, whole, of the length it must have, or nothing. */
#include "tests/suites.h"

#include "store/base/file.h"
#include "store/base/hash.h"
#include "sync/codec/codec.h"
#include "sync/codec/pack.h"
#include "tests/broken.h"
#include "tests/golden.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct err err;

static const size_t lengths[] = { 0, 1, 10, 200, 4000, 70000, 300000, SYNC_RAW_MAX };

enum { LENGTHS = sizeof lengths / sizeof lengths[0], SMALL = 2000 };

/* Half noise, half pattern. */
static uint8_t *
make(size_t len)
{
	uint8_t *raw = malloc(len + 1);
	uint32_t noise = 1;

	ck_assert_ptr_nonnull(raw);
	for (size_t i = 0; i < len; i++) {
		noise = noise * 1664525 + 1013904223;
		raw[i] = (uint8_t)(i / 64 % 2 ? noise >> 24 : i % 13);
	}
	return raw;
}

START_TEST(what_is_packed_is_unpacked)
{
	size_t len = lengths[_i];
	uint8_t *raw = make(len);
	struct buf packed = { 0 }, out = { 0 };

	buf_u8(&packed, 77);
	buf_u8(&out, 78);
	ck_assert_int_eq(sync_pack(raw, len, &packed, &err), 0);
	ck_assert_int_eq(sync_unpack(packed.bytes + 1, packed.len - 1, len, &out, &err), 0);
	ck_assert_uint_eq(out.len, len + 1);
	ck_assert_mem_eq(out.bytes + 1, raw, len);
	ck_assert_uint_eq(out.bytes[0], 78);
	buf_free(&packed);
	buf_free(&out);
	free(raw);
}
END_TEST

START_TEST(another_length_is_refused)
{
	uint8_t *raw = make(SMALL);
	struct buf packed = { 0 }, out = { 0 };

	ck_assert_int_eq(sync_pack(raw, SMALL, &packed, &err), 0);
	ck_assert_int_eq(sync_unpack(packed.bytes, packed.len, SMALL + 1, &out, &err), ERR_CORRUPT);
	ck_assert_int_eq(sync_unpack(packed.bytes, packed.len, SMALL - 1, &out, &err), ERR_CORRUPT);
	ck_assert_int_eq(sync_unpack(packed.bytes, packed.len, 0, &out, &err), ERR_CORRUPT);
	ck_assert_uint_eq(out.len, 0);
	for (size_t len = 0; len < packed.len; len++)
		ck_assert_int_eq(sync_unpack(packed.bytes, len, SMALL, &out, &err), ERR_CORRUPT);
	buf_free(&packed);
	buf_free(&out);
	free(raw);
}
END_TEST

/* Dictionary number and blocks, without the check; good is one raw block "abc". */
static const struct frame_case {
	const char *what;
	uint8_t bytes[16];
	size_t len;
	int want;
} frame_cases[] = {
	{ "as it should be", { 0, 25, 0, 0, 'a', 'b', 'c' }, 7, 0 },
	{ "in two blocks", { 0, 8, 0, 0, 'a', 17, 0, 0, 'b', 'c' }, 10, 0 },
	{ "with a dictionary", { 1, 25, 0, 0, 'a', 'b', 'c' }, 7, 0 },
	{ "an unknown dictionary", { 9, 25, 0, 0, 'a', 'b', 'c' }, 7, ERR_CORRUPT },
	{ "a byte behind it", { 0, 25, 0, 0, 'a', 'b', 'c', 0 }, 8, ERR_CORRUPT },
	{ "a block behind the last", { 0, 25, 0, 0, 'a', 'b', 'c', 1, 0, 0 }, 10, ERR_CORRUPT },
	{ "a second, empty frame", { 0, 25, 0, 0, 'a', 'b', 'c', 0, 0, 1, 0, 0 }, 12, ERR_CORRUPT },
	{ "no last block", { 0, 24, 0, 0, 'a', 'b', 'c' }, 7, ERR_CORRUPT },
	{ "a block of no kind", { 0, 31, 0, 0, 'a', 'b', 'c' }, 7, ERR_CORRUPT },
	{ "half a block header", { 0, 25, 0 }, 3, ERR_CORRUPT },
	{ "a frame with its header", { 0, 0, 88, 25, 0, 0, 'a', 'b', 'c' }, 9, ERR_CORRUPT },
	{ "two letters", { 0, 17, 0, 0, 'a', 'b' }, 6, ERR_CORRUPT },
	{ "four letters", { 0, 33, 0, 0, 'a', 'b', 'c', 'd' }, 8, ERR_CORRUPT },
	{ "a long run of one letter", { 0, 3, 0, 128, 'a' }, 5, ERR_CORRUPT },
	{ "no block", { 0 }, 1, ERR_CORRUPT },
};

enum { FRAME_CASES = sizeof frame_cases / sizeof frame_cases[0] };

START_TEST(there_is_one_form_of_frame)
{
	const struct frame_case *c = &frame_cases[_i];
	struct buf packed = { 0 }, out = { 0 };
	uint8_t check[HASH_16];
	int rc;

	hash_once(check, sizeof check, c->bytes, c->len);
	buf_u8(&packed, c->bytes[0]);
	buf_put(&packed, check, 4);
	buf_put(&packed, c->bytes + 1, c->len - 1);
	rc = sync_unpack(packed.bytes, packed.len, 3, &out, &err);
	ck_assert_msg(rc == c->want, "%s: %d", c->what, rc);
	ck_assert(rc < 0 || memcmp(out.bytes, "abc", 3) == 0);
	buf_free(&packed);
	buf_free(&out);
}
END_TEST

START_TEST(every_flipped_bit_is_refused)
{
	uint8_t *raw = make(SMALL);
	struct buf packed = { 0 }, out = { 0 };

	ck_assert_int_eq(sync_pack(raw, SMALL, &packed, &err), 0);
	for (size_t bit = 0; bit < packed.len * 8; bit++) {
		packed.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(sync_unpack(packed.bytes, packed.len, SMALL, &out, &err),
		                 ERR_CORRUPT);
		packed.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	buf_free(&packed);
	buf_free(&out);
	free(raw);
}
END_TEST

/* Bodies packed with it lie in archives for ever. */
START_TEST(a_dictionary_never_changes)
{
	struct buf bytes = { 0 };
	uint8_t hash[HASH_32];

	ck_assert_int_eq(file_read("sync/dict/1.zdict", 1 << 20, &bytes, &err), 0);
	hash_once(hash, sizeof hash, bytes.bytes, bytes.len);
	golden_check("dictionary-1", hash, sizeof hash);
	buf_free(&bytes);
}
END_TEST

/* ---- zstd without memory, and in two threads at once ---- */

/* Pack some bytes and unpack them again; only ERR_NOMEM may keep them from coming back. */
static int
round_trip(void)
{
	uint8_t *raw = make(SMALL);
	struct buf packed = { 0 }, out = { 0 };
	int rc = sync_pack(raw, SMALL, &packed, &err);

	if (rc == 0)
		rc = sync_unpack(packed.bytes, packed.len, SMALL, &out, &err);
	ck_assert(rc == ERR_NOMEM || (rc == 0 && memcmp(out.bytes, raw, SMALL) == 0));
	buf_free(&packed);
	buf_free(&out);
	free(raw);
	return rc;
}

static const struct refusal {
	enum broken which;
	unsigned good;
	int want;
} refusals[] = {
	{ BROKEN_PARAMETER, 0, ERR_NOMEM },
	{ BROKEN_PARAMETER, 4, ERR_NOMEM },
	{ BROKEN_USE_PACKING_DICTIONARY, 0, ERR_NOMEM },
	{ BROKEN_COMPRESS, 0, ERR_NOMEM },
	{ BROKEN_CREATE_PACKING_DICTIONARY, 0, 0 }, /* it is packed without one */
	{ BROKEN_CREATE_UNPACKING_DICTIONARY, 0, ERR_NOMEM },
	{ BROKEN_USE_UNPACKING_DICTIONARY, 0, ERR_NOMEM },
};

enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

/* A dictionary is made once in a process: not here, if the tests before ran in this one. */
START_TEST(what_zstd_cannot_get_is_told_and_the_next_try_is_good)
{
	const struct refusal *r = &refusals[_i];
	int rc;

	broken_arm(r->which, r->good);
	rc = round_trip();
	ck_assert_int_eq(rc, broken_disarm() ? r->want : 0);
	ck_assert_int_eq(round_trip(), 0);
}
END_TEST

static int other_rc;

static void
other_thread(void)
{
	other_rc = round_trip();
}

static const struct instant {
	enum broken when;    /* the other thread comes in the middle of this call */
	enum broken refused; /* of its own calls */
	int want;
} instants[] = {
	{ BROKEN_COMPRESS, BROKEN_NOTHING, 0 },
	{ BROKEN_COMPRESS, BROKEN_CREATE_PACKER, ERR_NOMEM },
	{ BROKEN_USE_UNPACKING_DICTIONARY, BROKEN_NOTHING, 0 },
	{ BROKEN_USE_UNPACKING_DICTIONARY, BROKEN_CREATE_UNPACKER, ERR_NOMEM },
	{ BROKEN_CREATE_PACKING_DICTIONARY, BROKEN_NOTHING, 0 },
	{ BROKEN_CREATE_UNPACKING_DICTIONARY, BROKEN_NOTHING, 0 },
};

enum { INSTANTS = sizeof instants / sizeof instants[0] };

START_TEST(two_threads_at_once_have_a_context_each_and_one_dictionary)
{
	const struct instant *n = &instants[_i];

	if (n->refused != BROKEN_NOTHING)
		ck_assert_int_eq(round_trip(), 0); /* this thread has its contexts */
	other_rc = n->want;                        /* should the dictionary have been made before */
	broken_meanwhile(n->when, other_thread);
	broken_arm(n->refused, 0);
	ck_assert_int_eq(round_trip(), 0);
	broken_disarm();
	broken_meanwhile(BROKEN_NOTHING, NULL);
	ck_assert_int_eq(other_rc, n->want);
	ck_assert_int_eq(round_trip(), 0);
}
END_TEST

Suite *
suite_sync_pack(void)
{
	Suite *suite = suite_create("sync/pack");
	TCase *tcase = tcase_create("pack");

	tcase_add_loop_test(tcase, what_is_packed_is_unpacked, 0, LENGTHS);
	tcase_add_test(tcase, another_length_is_refused);
	tcase_add_loop_test(tcase, there_is_one_form_of_frame, 0, FRAME_CASES);
	tcase_add_test(tcase, a_dictionary_never_changes);
	tcase_add_test(tcase, every_flipped_bit_is_refused);
	tcase_add_loop_test(tcase, what_zstd_cannot_get_is_told_and_the_next_try_is_good, 0,
	                    REFUSALS);
	tcase_add_loop_test(tcase, two_threads_at_once_have_a_context_each_and_one_dictionary, 0,
	                    INSTANTS);
	suite_add_tcase(suite, tcase);
	return suite;
}

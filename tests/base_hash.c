/* tests/base_hash.c - many hashes at once are the hashes one by one. */
#include "store/base/hash.h"
#include "tests/suites.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 21, LEN_MAX = 700 };

static uint8_t texts[JOBS][LEN_MAX];

static void
compare(const size_t *lens, size_t count, size_t out_len)
{
	uint8_t got[JOBS][64], want[64];
	struct hash_job jobs[JOBS] = { 0 };

	for (size_t i = 0; i < count; i++)
		jobs[i] = (struct hash_job){ .bytes = texts[i], .len = lens[i], .out = got[i] };
	hash_many(jobs, count, out_len);
	for (size_t i = 0; i < count; i++) {
		hash_once(want, out_len, texts[i], lens[i]);
		ck_assert_msg(memcmp(got[i], want, out_len) == 0, "job %zu of %zu, %zu bytes", i,
		              count, lens[i]);
	}
}

/* Lengths around a block's, which is 128; lanes end at different times. */
START_TEST(many_are_as_one_by_one)
{
	static const size_t edges[] = { 0, 1, 24, 127, 128, 129, 255, 256, 257, 384, 700 };
	static const size_t outs[] = { 16, 32, 64 };
	size_t lens[JOBS];

	for (size_t i = 0; i < sizeof texts; i++)
		((uint8_t *)texts)[i] = (uint8_t)(i * 31 + i / 251);
	for (size_t count = 0; count <= JOBS; count++)
		for (size_t turn = 0; turn < 33; turn++) {
			for (size_t i = 0; i < count; i++)
				lens[i] = edges[(i * turn + turn + count) % 11];
			compare(lens, count, outs[turn % 3]);
		}
}
END_TEST

Suite *
suite_base_hash(void)
{
	Suite *suite = suite_create("base/hash");
	TCase *tcase = tcase_create("hash");

	tcase_add_test(tcase, many_are_as_one_by_one);
	suite_add_tcase(suite, tcase);
	return suite;
}

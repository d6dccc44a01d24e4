/* tests/sync_chain.c - leaves, heads and the seeds that salt them. */
#include "tests/golden.h"
#include "tests/suites.h"

#include "store/base/hash.h"
#include "sync/codec/chain.h"

#include <check.h>
#include <string.h>

static struct err err;

START_TEST(the_chain_is_what_the_header_says)
{
	static const uint8_t seed[STORE_SEED] = { 1, 2, 3 };
	uint8_t bytes[64] = { 0 }, salts[64], salt[STORE_SEED], want[STORE_HEAD];
	uint8_t leaf[STORE_HEAD];
	uint8_t head[STORE_HEAD] = { 0 };

	memcpy(bytes, seed, STORE_SEED);
	bytes[STORE_SEED + 6] = 1; /* n = 1030 = 4 * 257 + 2; 257 big endian */
	bytes[STORE_SEED + 7] = 1;
	hash_once(salts, sizeof salts, bytes, STORE_SEED + 8);
	sync_chain_salt(seed, 1030, salt);
	ck_assert_mem_eq(salt, salts + 32, sizeof salt);
	hash_once_salted(want, sizeof want, "record", 6, salt);
	sync_chain_leaf(salt, "record", 6, leaf);
	ck_assert_mem_eq(leaf, want, sizeof want);

	memset(bytes, 0, STORE_HEAD);
	memcpy(bytes + STORE_HEAD, leaf, STORE_HEAD);
	hash_once(want, sizeof want, bytes, 64);
	sync_chain_step(head, leaf);
	ck_assert_mem_eq(head, want, sizeof want);
}
END_TEST

/* Three parts: records 5-7 of one day, 8-9 salted (9 redacted), 10-12 of the next day. */
struct parts {
	struct buf bytes[3];
	struct sync_seeds_part list[3];
	uint8_t seeds[2][STORE_SEED], salt[STORE_SEED];
};

static void
make_parts(struct parts *p)
{
	static const uint64_t firsts[] = { 5, 8, 10 }, lasts[] = { 7, 9, 12 };
	static const uint8_t redacted[STORE_SEED], salted_head[] = { 1, 0, SYNC_SEEDS_SALTS };

	memset(p, 0, sizeof *p);
	memset(p->seeds[0], 0xd1, STORE_SEED);
	memset(p->seeds[1], 0xd2, STORE_SEED);
	memset(p->salt, 0x5a, STORE_SEED);
	sync_seeds_write_one(&p->bytes[0], p->seeds[0]);
	buf_put(&p->bytes[1], salted_head, sizeof salted_head);
	buf_put(&p->bytes[1], p->salt, STORE_SEED);
	buf_put(&p->bytes[1], redacted, STORE_SEED);
	sync_seeds_write_one(&p->bytes[2], p->seeds[1]);
	for (int i = 0; i < 3; i++)
		p->list[i] = (struct sync_seeds_part){ .first = firsts[i],
			                               .last = lasts[i],
			                               .bytes = p->bytes[i].bytes,
			                               .len = p->bytes[i].len };
}

static void
free_parts(struct parts *p)
{
	for (int i = 0; i < 3; i++)
		buf_free(&p->bytes[i]);
}

static void
want_salt(const struct parts *p, uint64_t n, uint8_t salt[STORE_SEED])
{
	if (n <= 7)
		sync_chain_salt(p->seeds[0], n, salt);
	else if (n >= 10)
		sync_chain_salt(p->seeds[1], n, salt);
	else if (n == 8)
		memcpy(salt, p->salt, STORE_SEED);
	else
		memset(salt, 0, STORE_SEED);
}

/* Every cut gives each record the salt that it had. */
START_TEST(joined_seeds_keep_every_salt)
{
	struct parts p;

	make_parts(&p);
	for (uint64_t from = 5; from <= 12; from++)
		for (uint64_t to = from; to <= 12; to++) {
			struct buf joined = { 0 };
			struct sync_seeds s;
			uint8_t got[STORE_SEED], want[STORE_SEED];

			ck_assert_int_eq(sync_seeds_join(&joined, p.list, 3, from, to, &err), 0);
			s = sync_seeds_from(joined.bytes, joined.len, from, to);
			for (uint64_t n = from; n <= to; n++) {
				ck_assert(sync_seeds_salt(&s, n, got));
				want_salt(&p, n, want);
				ck_assert_mem_eq(got, want, sizeof want);
			}
			ck_assert_uint_eq(s.runs, 0);
			buf_free(&joined);
		}
	free_parts(&p);
}
END_TEST

START_TEST(joined_seeds_are_golden)
{
	struct parts p;
	struct buf joined = { 0 };

	make_parts(&p);
	ck_assert_int_eq(sync_seeds_join(&joined, p.list, 3, 5, 12, &err), 0);
	golden_check("seeds-joined", joined.bytes, joined.len);
	buf_free(&joined);
	free_parts(&p);
}
END_TEST

START_TEST(another_day_is_another_run)
{
	struct parts p;
	struct buf joined = { 0 };
	struct sync_seeds s;

	make_parts(&p);
	/* without the salted part: two days side by side */
	p.list[1] = p.list[2];
	p.list[1].first = 8;
	p.list[1].last = 10;
	ck_assert_int_eq(sync_seeds_join(&joined, p.list, 2, 5, 10, &err), 0);
	s = sync_seeds_from(joined.bytes, joined.len, 5, 10);
	ck_assert_uint_eq(s.runs, 2);
	ck_assert(sync_seeds_next(&s));
	ck_assert_uint_eq(s.run.last, 7);
	ck_assert_mem_eq(s.run.bytes, p.seeds[0], STORE_SEED);
	ck_assert(sync_seeds_next(&s));
	ck_assert_mem_eq(s.run.bytes, p.seeds[1], STORE_SEED);
	ck_assert(!sync_seeds_next(&s) && !s.bad);
	buf_free(&joined);
	free_parts(&p);
}
END_TEST

START_TEST(equal_neighbours_become_one_run)
{
	struct parts p;
	struct buf joined = { 0 }, one = { 0 };

	make_parts(&p);
	p.list[1].bytes = p.list[0].bytes;
	p.list[1].len = p.list[0].len;
	ck_assert_int_eq(sync_seeds_join(&joined, p.list, 2, 6, 9, &err), 0);
	sync_seeds_write_one(&one, p.seeds[0]);
	ck_assert_uint_eq(joined.len, one.len);
	ck_assert_mem_eq(joined.bytes, one.bytes, one.len);
	buf_free(&joined);
	buf_free(&one);
	free_parts(&p);
}
END_TEST

#define S16 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1

/* Seeds of records 5 to 7. */
static const struct seeds_case {
	const char *what;
	uint8_t bytes[72];
	size_t len;
	bool want;
} seeds_cases[] = {
	{ "a day", { 1, 0, 0, S16 }, 19, true },
	{ "a day, then a salt", { 2, 0, 0, 2, 1, S16, S16 }, 37, true },
	{ "three salts", { 1, 0, 1, S16, S16, S16 }, 51, true },
	{ "nothing", { 0 }, 0, false },
	{ "no runs", { 0 }, 1, false },
	{ "does not begin at the first", { 1, 1, 0, S16 }, 19, false },
	{ "an unknown form", { 1, 0, 2, S16 }, 19, false },
	{ "a run of no records", { 2, 0, 0, 0, 0, S16, S16 }, 37, false },
	{ "runs that fall", { 3, 0, 0, 2, 0, 1, 0, S16, S16, S16 }, 55, false },
	{ "a run behind the last", { 2, 0, 0, 3, 0, S16, S16 }, 37, false },
	{ "a run far behind", { 2, 0, 0, 200, 1, 0, S16, S16 }, 38, false },
	{ "half a seed", { 1, 0, 0, S16 }, 11, false },
	{ "a salt too few", { 1, 0, 1, S16, S16 }, 35, false },
	{ "a byte too many", { 1, 0, 0, S16 }, 20, false },
	{ "fewer heads than runs", { 200, 1, 0, 0, S16 }, 20, false },
};

enum { SEEDS_CASES = sizeof seeds_cases / sizeof seeds_cases[0] };

START_TEST(seeds_are_well_formed_or_refused)
{
	const struct seeds_case *c = &seeds_cases[_i];
	struct sync_seeds s = sync_seeds_from(c->bytes, c->len, 5, 7);
	struct sync_seeds_part part = { .first = 5, .last = 7, .bytes = c->bytes, .len = c->len };
	struct buf joined = { 0 };
	uint8_t salt[STORE_SEED];
	bool good = true;

	for (uint64_t n = 5; good && n <= 7; n++)
		good = sync_seeds_salt(&s, n, salt);
	good = good && s.runs == 0;
	ck_assert_msg(good == c->want, "%s", c->what);
	ck_assert_int_eq(sync_seeds_join(&joined, &part, 1, 5, 7, &err), c->want ? 0 : ERR_CORRUPT);
	buf_free(&joined);
}
END_TEST

/* As a damaged file may have it. */
START_TEST(no_seeds_of_no_records)
{
	static const uint8_t bytes[] = { 1, 0, 0, S16 };
	struct sync_seeds none = sync_seeds_from(bytes, sizeof bytes, 7, 6);
	struct sync_seeds zero = sync_seeds_from(bytes, sizeof bytes, 0, 6);

	ck_assert(!sync_seeds_next(&none) && none.bad);
	ck_assert(!sync_seeds_next(&zero) && zero.bad);
}
END_TEST

Suite *
suite_sync_chain(void)
{
	Suite *suite = suite_create("sync/chain");
	TCase *tcase = tcase_create("chain");

	tcase_add_test(tcase, the_chain_is_what_the_header_says);
	tcase_add_test(tcase, joined_seeds_keep_every_salt);
	tcase_add_test(tcase, joined_seeds_are_golden);
	tcase_add_test(tcase, another_day_is_another_run);
	tcase_add_test(tcase, equal_neighbours_become_one_run);
	tcase_add_test(tcase, no_seeds_of_no_records);
	tcase_add_loop_test(tcase, seeds_are_well_formed_or_refused, 0, SEEDS_CASES);
	suite_add_tcase(suite, tcase);
	return suite;
}

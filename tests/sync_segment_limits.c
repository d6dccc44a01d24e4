/* tests/sync_segment_limits.c - what is too large, or leads elsewhere, is refused. */
#include "tests/suites.h"
#include "tests/sync_vectors.h"

#include "sync/codec/segment.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = VECTOR_REDACTED };

static struct err err;
static const struct sync_segment_at begin = { .n = 9, .head = { 1 }, .seed = { 2 } };

static void
make(struct vectors *v, struct store_segment *seg)
{
	vectors_make(v);
	ck_assert_int_eq(sync_segment_build(&begin, v->records, RECORDS, &v->arena, seg, &err), 0);
}

/* Open a segment in little memory. */
static int
open_it(struct vectors *v, const struct store_segment *seg)
{
	struct sync_codec_schemas schemas = vectors_resolver(v);
	struct arena arena = { .limit = 1 << 16 };
	struct sync_record *records;
	size_t count;
	int rc = sync_segment_open(seg, &schemas, &arena, &records, &count, &err);

	arena_free(&arena);
	return rc;
}

/* One thing about a segment is not as it was. */
static void
damage(struct store_segment *seg, int what)
{
	static uint8_t seeds[64];

	memcpy(seeds, seg->seeds, seg->seeds_len);
	switch (what) {
	case 0:
		seg->head[STORE_HEAD - 1] ^= 1;
		break;
	case 1:
		seg->head_before[0] ^= 1;
		break;
	case 2: /* another seed */
		seeds[seg->seeds_len - 1] ^= 1;
		seg->seeds = seeds;
		break;
	case 3: /* the same records elsewhere: their salts are others */
		seg->first++;
		seg->last++;
		break;
	case 4: /* a run of seeds behind the last record */
		seeds[0] = 2;
		memmove(seeds + 5, seeds + 3, STORE_SEED);
		seeds[3] = RECORDS;
		seeds[4] = 0;
		seg->seeds = seeds;
		seg->seeds_len += 2 + STORE_SEED;
		break;
	case 5: /* fewer records than the body has */
		seg->last--;
		break;
	default: /* more */
		seg->last++;
		break;
	}
}

START_TEST(what_leads_elsewhere_is_refused)
{
	struct vectors v;
	struct store_segment seg;

	make(&v, &seg);
	ck_assert_int_eq(open_it(&v, &seg), 0);
	damage(&seg, _i);
	ck_assert_int_eq(open_it(&v, &seg), ERR_CORRUPT);
	vectors_free(&v);
}
END_TEST

/* One number of a segment is over its limit. */
START_TEST(limits_are_kept_before_memory_is_taken)
{
	struct vectors v;
	struct sync_codec_schemas schemas = vectors_resolver(&v);
	struct arena arena = { .limit = 1 << 16 };
	struct store_segment seg;
	struct sync_record *records;
	size_t count;

	make(&v, &seg);
	if (_i == 0)
		seg.last = seg.first + SYNC_RECORDS_MAX;
	else if (_i == 1)
		seg.raw_len = SYNC_RAW_MAX + 1;
	else if (_i == 2)
		seg.body_len = SYNC_STORED_MAX + 1;
	else if (_i == 3)
		seg.last = seg.first - 1;
	else
		seg.first = 0;
	ck_assert_int_eq(sync_segment_open(&seg, &schemas, &arena, &records, &count, &err),
	                 ERR_CORRUPT);
	ck_assert_uint_eq(arena.used, 0);
	vectors_free(&v);
}
END_TEST

/* Five texts of 256 bytes in every record: a word each in the body, 66 MiB as records. */
START_TEST(records_that_unfold_are_refused)
{
	enum { LEN = 256, COUNT = 52000 };
	static char text[LEN];
	struct sync_record *records = calloc(COUNT, sizeof *records);
	struct vectors v;
	struct store_segment seg;

	ck_assert_ptr_nonnull(records);
	vectors_make(&v);
	memset(text, 'x', LEN);
	for (unsigned i = 1; i < v.schema.column_count; i++)
		v.values[i] = (struct store_value){ .type = STORE_TEXT,
			                            .bytes = (const uint8_t *)text,
			                            .len = LEN };
	for (size_t i = 0; i < COUNT; i++)
		records[i] = v.records[VECTOR_INSERT];
	ck_assert_int_eq(sync_segment_build(&begin, records, COUNT / 2, &v.arena, &seg, &err), 0);
	ck_assert_uint_lt(seg.raw_len, 1 << 16);
	ck_assert_int_eq(sync_segment_build(&begin, records, COUNT, &v.arena, &seg, &err),
	                 ERR_INVALID);
	free(records);
	vectors_free(&v);
}
END_TEST

/* A text of so many bytes, once of one letter and once of noise. */
static const struct size_case {
	size_t len;
	bool noise;
	int want;
} size_cases[] = {
	{ STORE_VALUE_MAX, false, 0 },
	{ STORE_VALUE_MAX - 1000, true, 0 },
	{ STORE_VALUE_MAX, true, ERR_INVALID },
	{ SYNC_RAW_MAX + 1, false, ERR_INVALID },
};

enum { SIZE_CASES = sizeof size_cases / sizeof size_cases[0] };

START_TEST(a_body_has_its_limits)
{
	const struct size_case *c = &size_cases[_i];
	uint8_t *text = malloc(c->len);
	uint32_t noise = 1;
	struct vectors v;
	struct store_segment seg;

	ck_assert_ptr_nonnull(text);
	vectors_make(&v);
	for (size_t i = 0; i < c->len; i++) {
		noise = noise * 1664525 + 1013904223;
		text[i] = c->noise ? (uint8_t)(noise >> 24) : 'x';
	}
	v.values[1] = (struct store_value){ .type = STORE_TEXT, .bytes = text, .len = c->len };
	ck_assert_int_eq(
	        sync_segment_build(&begin, &v.records[VECTOR_INSERT], 1, &v.arena, &seg, &err),
	        c->want);
	free(text);
	vectors_free(&v);
}
END_TEST

START_TEST(an_opening_mentions_no_more_than_is_read)
{
	enum { TOO_MANY = 5000 };
	struct vectors v;
	struct store_segment seg;

	vectors_make(&v);
	v.plain.definitions = calloc(TOO_MANY, sizeof *v.plain.definitions);
	ck_assert_ptr_nonnull(v.plain.definitions);
	for (unsigned i = 0; i < TOO_MANY; i++) {
		v.plain.definitions[i] = v.definitions[0];
		v.plain.definitions[i].no = i + 1;
	}
	v.plain.definition_count = TOO_MANY;
	ck_assert_int_eq(sync_segment_build(&begin, v.records, RECORDS, &v.arena, &seg, &err),
	                 ERR_INVALID);
	free(v.plain.definitions);
	vectors_free(&v);
}
END_TEST

Suite *
suite_sync_segment_limits(void)
{
	Suite *suite = suite_create("sync/segment limits");
	TCase *tcase = tcase_create("limits");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, what_leads_elsewhere_is_refused, 0, 7);
	tcase_add_loop_test(tcase, limits_are_kept_before_memory_is_taken, 0, 5);
	tcase_add_test(tcase, records_that_unfold_are_refused);
	tcase_add_loop_test(tcase, a_body_has_its_limits, 0, SIZE_CASES);
	tcase_add_test(tcase, an_opening_mentions_no_more_than_is_read);
	suite_add_tcase(suite, tcase);
	return suite;
}

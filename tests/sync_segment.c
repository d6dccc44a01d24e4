/* tests/sync_segment.c - however a segment is cut and carried, its records and heads stay. */
#include "tests/golden.h"
#include "tests/suites.h"
#include "tests/sync_sample.h"
#include "tests/sync_vectors.h"

#include "store/base/hash.h"
#include "sync/codec/segment.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { GOLDEN_RECORDS = VECTOR_REDACTED, PARTS = 5 };

static struct err err;
static const struct sync_site site = { { 0xaa, 1 }, { 0xee, 2 } };
static const uint8_t day_seed[STORE_SEED] = { 0x5e, 0xed };

static void
sign(struct store_segment *seg, const char *scope)
{
	uint8_t seed[SYNC_SEED_KEY] = { 0x11 };
	struct sync_key key;

	sync_key_from_seed(&key, seed);
	sync_sign_head(&key, &site, scope, seg->last, seg->head, seg->signature);
	memcpy(seg->key, key.public_key, sizeof seg->key);
	seg->is_signed = true;
}

static bool
is_proven(const struct store_segment *seg, const char *scope)
{
	return sync_verify_head(seg->key, &site, scope, seg->last, seg->head, seg->signature);
}

static void
check_records(const struct sync_record *got, const struct sync_record *want, size_t count)
{
	struct buf a = { 0 }, b = { 0 };

	sample_write(&a, got, count);
	sample_write(&b, want, count);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_mem_eq(a.bytes, b.bytes, a.len);
	buf_free(&a);
	buf_free(&b);
}

/* A day in parts that end with units, each signed. */
struct day {
	struct sample sample;
	struct sync_codec_schemas schemas;
	struct arena arena;
	struct store_segment parts[PARTS];
};

static void
make_day(struct day *d)
{
	struct sync_segment_at at = { .n = 40 };
	size_t from = 0;

	memset(d, 0, sizeof *d);
	sample_init(&d->sample, 3);
	sample_day(&d->sample);
	d->schemas = sample_resolver(&d->sample);
	memset(at.head, 0x44, STORE_HEAD);
	memcpy(at.seed, day_seed, STORE_SEED);
	for (size_t i = 0; i < PARTS; i++) {
		size_t to = from + d->sample.count / PARTS;

		while (to < d->sample.count && d->sample.records[to].type != SYNC_OPENING)
			to++;
		if (i == PARTS - 1)
			to = d->sample.count;
		ck_assert_int_eq(sync_segment_build(&at, d->sample.records + from, to - from,
		                                    &d->arena, &d->parts[i], &err),
		                 0);
		sign(&d->parts[i], "f/F001");
		at.n = d->parts[i].last;
		memcpy(at.head, d->parts[i].head, STORE_HEAD);
		from = to;
	}
}

static int
cut(struct day *d, uint64_t from, uint64_t to, struct store_segment *out)
{
	struct sync_segment_line line = {
		.segs = d->parts, .count = PARTS, .from = from, .to = to
	};

	return sync_segment_cut(&line, &d->schemas, &d->arena, out, &err);
}

static int
redact(struct day *d, const struct store_segment *seg, const uint64_t *list, size_t count,
       struct store_segment *out)
{
	struct sync_segment_which which = { .list = list, .count = count };

	return sync_segment_redact(seg, &which, &d->schemas, &d->arena, out, &err);
}

static void
free_day(struct day *d)
{
	arena_free(&d->arena);
	sample_free(&d->sample);
}

START_TEST(what_is_built_is_opened)
{
	struct day d;
	struct sync_record *records;
	size_t count, from = 0;

	make_day(&d);
	for (size_t i = 0; i < PARTS; i++) {
		ck_assert_int_eq(sync_segment_open(&d.parts[i], &d.schemas, &d.arena, &records,
		                                   &count, &err),
		                 0);
		ck_assert_uint_eq(count, d.parts[i].last - d.parts[i].first + 1);
		check_records(records, d.sample.records + from, count);
		from += count;
	}
	ck_assert_uint_eq(from, d.sample.count);
	free_day(&d);
}
END_TEST

START_TEST(every_cut_holds)
{
	struct day d;

	make_day(&d);
	for (size_t i = 0; i < PARTS; i++)
		for (size_t k = i; k < PARTS; k++) {
			uint64_t middle = (d.parts[i].first + d.parts[i].last) / 2;
			uint64_t from = (i + k) % 2 ? d.parts[i].first : middle;
			struct store_segment whole;
			struct sync_record *records;
			size_t count;

			ck_assert_msg(cut(&d, from, d.parts[k].last, &whole) == 0, "%s", err.msg);
			ck_assert_uint_eq(whole.first, from);
			ck_assert_uint_eq(whole.last, d.parts[k].last);
			ck_assert(is_proven(&whole, "f/F001"));
			ck_assert_int_eq(sync_segment_open(&whole, &d.schemas, &d.arena, &records,
			                                   &count, &err),
			                 0);
			check_records(records, d.sample.records + (from - d.parts[0].first), count);
		}
	free_day(&d);
}
END_TEST

START_TEST(no_cut_where_nobody_signed)
{
	struct sync_segment_line nothing = { .from = 1, .to = 1 };
	struct day d;
	struct store_segment whole;

	make_day(&d);
	ck_assert_int_eq(cut(&d, d.parts[0].first, d.parts[1].last - 1, &whole), ERR_INVALID);
	ck_assert_int_eq(cut(&d, 1, d.parts[1].last, &whole), ERR_INVALID);
	ck_assert_int_eq(cut(&d, d.parts[1].last, d.parts[0].last, &whole), ERR_INVALID);
	ck_assert_int_eq(cut(&d, d.parts[0].first, d.parts[PARTS - 1].last + 1, &whole),
	                 ERR_INVALID);
	ck_assert_int_eq(cut(&d, d.parts[0].first, d.parts[0].first + SYNC_RECORDS_MAX, &whole),
	                 ERR_INVALID);
	ck_assert_int_eq(sync_segment_cut(&nothing, &d.schemas, &d.arena, &whole, &err),
	                 ERR_INVALID);
	d.parts[1].first++;
	ck_assert_int_eq(cut(&d, d.parts[0].first, d.parts[1].last, &whole), ERR_CORRUPT);
	d.parts[1].first--;
	d.parts[2].head_before[0] ^= 1;
	ck_assert_int_eq(cut(&d, d.parts[0].first, d.parts[3].last, &whole), ERR_CORRUPT);
	free_day(&d);
}
END_TEST

/* Roll-up is worth it, and it costs what it should. */
START_TEST(a_roll_up_is_smaller)
{
	struct day d;
	struct store_segment whole;
	size_t parts = 0;

	make_day(&d);
	for (size_t i = 0; i < PARTS; i++)
		parts += d.parts[i].body_len;
	ck_assert_int_eq(cut(&d, d.parts[0].first, d.parts[PARTS - 1].last, &whole), 0);
	ck_assert_uint_lt(whole.body_len, parts);
	ck_assert_uint_eq(whole.seeds_len, d.parts[0].seeds_len);
	free_day(&d);
}
END_TEST

/* ---- redaction ---- */

START_TEST(redacted_records_leave_their_leaves)
{
	struct day d;
	struct store_segment once, again, whole;
	struct sync_record *records;
	uint64_t first[2], second[1];
	size_t count;

	make_day(&d);
	first[0] = d.parts[1].first + 3;
	first[1] = d.parts[1].first + 4;
	second[0] = d.parts[1].last;
	ck_assert_int_eq(redact(&d, &d.parts[1], first, 2, &once), 0);
	ck_assert_int_eq(redact(&d, &once, second, 1, &again), 0);
	ck_assert(is_proven(&again, "f/F001"));
	ck_assert_int_eq(sync_segment_open(&again, &d.schemas, &d.arena, &records, &count, &err),
	                 0);
	for (size_t i = 0; i < count; i++) {
		uint64_t n = again.first + i;
		bool gone = n == first[0] || n == first[1] || n == second[0];

		ck_assert_int_eq(records[i].type == SYNC_REDACTED, gone);
		if (!gone)
			check_records(&records[i], &d.sample.records[n - d.parts[0].first], 1);
	}
	d.parts[1] = again; /* and it can be cut like any other */
	ck_assert_int_eq(cut(&d, d.parts[0].first, d.parts[2].last, &whole), 0);
	ck_assert_int_eq(sync_segment_open(&whole, &d.schemas, &d.arena, &records, &count, &err),
	                 0);
	free_day(&d);
}
END_TEST

START_TEST(no_seed_stays_behind)
{
	struct day d;
	struct store_segment out;

	make_day(&d);
	ck_assert_int_eq(redact(&d, &d.parts[0], NULL, 0, &out), 0);
	ck_assert_ptr_null(memmem(out.seeds, out.seeds_len, day_seed, sizeof day_seed));
	ck_assert_uint_eq(out.seeds_len, 3 + STORE_SEED * (out.last - out.first + 1));
	free_day(&d);
}
END_TEST

START_TEST(openings_and_strangers_are_not_redacted)
{
	struct day d;
	struct store_segment out;
	uint64_t opening, before, outside, falling[2];

	make_day(&d);
	opening = d.parts[1].first;
	outside = d.parts[1].last + 1;
	falling[0] = falling[1] = opening + 1;
	ck_assert_int_eq(redact(&d, &d.parts[1], &opening, 1, &out), ERR_INVALID);
	ck_assert_int_eq(redact(&d, &d.parts[1], &outside, 1, &out), ERR_INVALID);
	before = opening - 1;
	ck_assert_int_eq(redact(&d, &d.parts[1], &before, 1, &out), ERR_INVALID);
	ck_assert_int_eq(redact(&d, &d.parts[1], falling, 2, &out), ERR_INVALID);
	free_day(&d);
}
END_TEST

/* Whoever keeps a redacted record's salt could still try texts against its leaf. */
START_TEST(a_leaf_beside_its_salt_is_refused)
{
	struct day d;
	struct store_segment out;
	struct sync_record *records;
	struct buf seeds = { 0 };
	uint64_t n;
	size_t count;

	make_day(&d);
	n = d.parts[0].first + 1;
	ck_assert_int_eq(redact(&d, &d.parts[0], &n, 1, &out), 0);
	buf_put(&seeds, out.seeds, out.seeds_len);
	memset(seeds.bytes + 3 + STORE_SEED, 0x5a, STORE_SEED);
	out.seeds = seeds.bytes;
	ck_assert_int_eq(sync_segment_open(&out, &d.schemas, &d.arena, &records, &count, &err),
	                 ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "a redacted record has a salt"));
	buf_free(&seeds);
	free_day(&d);
}
END_TEST

START_TEST(a_leaf_beside_its_seed_is_refused)
{
	struct vectors v;
	struct sync_segment_at at = { 0 };
	struct store_segment seg;

	vectors_make(&v);
	ck_assert_int_eq(sync_segment_build(&at, v.records, VECTORS, &v.arena, &seg, &err),
	                 ERR_INVALID);
	vectors_free(&v);
}
END_TEST

/* ---- forms ---- */

/* A segment of the golden records, signed. */
static void
make_golden(struct vectors *v, struct store_segment *seg)
{
	struct sync_segment_at at = { .n = 299 };

	vectors_make(v);
	memset(at.head, 0x77, STORE_HEAD);
	memcpy(at.seed, day_seed, STORE_SEED);
	ck_assert_int_eq(sync_segment_build(&at, v->records, GOLDEN_RECORDS, &v->arena, seg, &err),
	                 0);
	sign(seg, "f/F001");
}

/*
 * Another libzstd may pack a body otherwise, so what a vector binds is that it is read, to these
 * records, and written again from what was read to the same bytes.
 */
static void
check_full(const char *name, const struct store_segment *made, struct vectors *v)
{
	struct sync_codec_schemas schemas = vectors_resolver(v);
	struct buf bytes = { 0 }, again = { 0 };
	struct store_segment seg;
	struct sync_record *records;
	struct sync_site whose;
	const char *scope;
	struct rd r;
	size_t count;

	sync_segment_write(&bytes, made, &site, "f/F001");
	if (golden_writing())
		golden_check(name, bytes.bytes, bytes.len);
	buf_clear(&bytes);
	golden_read(name, &bytes);
	r = rd_from(bytes.bytes, bytes.len);
	ck_assert_int_eq(sync_segment_read(&r, &v->arena, &seg, &whose, &scope, &err), 0);
	ck_assert(rd_done(&r));
	ck_assert_mem_eq(&whose, &site, sizeof site);
	ck_assert_str_eq(scope, "f/F001");
	ck_assert_uint_eq(seg.first, made->first);
	ck_assert_uint_eq(seg.last, made->last);
	ck_assert_mem_eq(seg.head, made->head, STORE_HEAD);
	ck_assert_int_eq(seg.is_signed, made->is_signed);
	ck_assert(!seg.is_signed || is_proven(&seg, scope));
	ck_assert_int_eq(sync_segment_open(&seg, &schemas, &v->arena, &records, &count, &err), 0);
	ck_assert_uint_eq(count, GOLDEN_RECORDS);
	for (size_t i = 0; i < count; i++)
		if (records[i].type != SYNC_REDACTED)
			check_records(&records[i], &v->records[i], 1);
	sync_segment_write(&again, &seg, &site, "f/F001");
	ck_assert_uint_eq(again.len, bytes.len);
	ck_assert_mem_eq(again.bytes, bytes.bytes, bytes.len);
	buf_free(&bytes);
	buf_free(&again);
}

START_TEST(full_forms_are_golden)
{
	static const uint64_t update = 300 + VECTOR_UPDATE;
	static const struct sync_segment_which which = { .list = &update, .count = 1 };
	struct vectors v;
	struct sync_codec_schemas schemas = vectors_resolver(&v);
	struct store_segment seg, redacted;

	make_golden(&v, &seg);
	check_full("segment-full", &seg, &v);
	ck_assert_int_eq(sync_segment_redact(&seg, &which, &schemas, &v.arena, &redacted, &err), 0);
	redacted.is_signed = false;
	check_full("segment-redacted", &redacted, &v);
	vectors_free(&v);
}
END_TEST

static void
check_short(const char *name, const struct store_segment *made, const uint8_t *known,
            struct vectors *v)
{
	struct sync_codec_schemas schemas = vectors_resolver(v);
	struct sync_segment_at at = { .n = made->first - 1 };
	struct buf bytes = { 0 }, again = { 0 };
	struct store_segment seg;
	struct sync_record *records;
	struct rd r;
	size_t count;

	sync_segment_write_short(&bytes, made, known);
	if (golden_writing())
		golden_check(name, bytes.bytes, bytes.len);
	buf_clear(&bytes);
	golden_read(name, &bytes);
	memcpy(at.head, made->head_before, STORE_HEAD);
	r = rd_from(bytes.bytes, bytes.len);
	ck_assert_int_eq(sync_segment_read_short(&r, &at, known, &v->arena, &seg, &err), 0);
	ck_assert(rd_done(&r));
	ck_assert_int_eq(sync_segment_prove(&seg, &schemas, &v->arena, &records, &count, &err), 0);
	ck_assert_uint_eq(seg.first, made->first);
	ck_assert_uint_eq(seg.last, made->last);
	ck_assert_mem_eq(seg.head, made->head, STORE_HEAD);
	memcpy(seg.key, made->key, sizeof seg.key);
	ck_assert(is_proven(&seg, "f/F001"));
	check_records(records, v->records, count);
	sync_segment_write_short(&again, &seg, known);
	ck_assert_uint_eq(again.len, bytes.len);
	ck_assert_mem_eq(again.bytes, bytes.bytes, bytes.len);
	buf_free(&bytes);
	buf_free(&again);
}

START_TEST(short_forms_are_golden)
{
	struct vectors v;
	struct store_segment seg;

	make_golden(&v, &seg);
	check_short("segment-short", &seg, day_seed, &v);
	check_short("segment-short-seed", &seg, NULL, &v);
	vectors_free(&v);
}
END_TEST

START_TEST(a_seed_left_out_must_be_known)
{
	struct vectors v;
	struct sync_segment_at at = { .n = 299 };
	struct store_segment seg, got;
	struct buf bytes = { 0 };
	struct rd r;

	make_golden(&v, &seg);
	sync_segment_write_short(&bytes, &seg, day_seed);
	r = rd_from(bytes.bytes, bytes.len);
	ck_assert_int_eq(sync_segment_read_short(&r, &at, NULL, &v.arena, &got, &err), ERR_CORRUPT);
	buf_free(&bytes);
	vectors_free(&v);
}
END_TEST

/* A seed that isn't the one known there is sent, and so are two seeds. */
START_TEST(another_seed_is_not_left_out)
{
	static const uint8_t other[STORE_SEED] = { 1 };
	struct sync_seeds_part halves[2];
	struct vectors v;
	struct store_segment seg;
	struct buf with = { 0 }, without = { 0 }, seeds = { 0 }, second = { 0 };

	make_golden(&v, &seg);
	sync_segment_write_short(&with, &seg, NULL);
	sync_segment_write_short(&without, &seg, other);
	ck_assert_uint_eq(with.len, without.len);
	ck_assert_mem_eq(with.bytes, without.bytes, with.len);
	sync_seeds_write_one(&second, other);
	halves[0] = (struct sync_seeds_part){ seg.first, seg.first, seg.seeds, seg.seeds_len };
	halves[1] = (struct sync_seeds_part){ seg.first + 1, seg.last, second.bytes, second.len };
	ck_assert_int_eq(sync_seeds_join(&seeds, halves, 2, seg.first, seg.last, &err), 0);
	seg.seeds = seeds.bytes;
	seg.seeds_len = seeds.len;
	buf_clear(&without);
	sync_segment_write_short(&without, &seg, day_seed);
	ck_assert_uint_eq(without.bytes[0], 1); /* seeds follow */
	buf_free(&with);
	buf_free(&without);
	buf_free(&seeds);
	buf_free(&second);
	vectors_free(&v);
}
END_TEST

START_TEST(a_scope_that_is_no_name_is_refused)
{
	static const char *const scopes[] = {
		"f/F001", "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	};
	struct vectors v;
	struct store_segment seg, got;
	struct sync_site whose;
	const char *scope;
	struct buf bytes = { 0 };
	uint8_t hash[HASH_16];
	struct rd r;

	make_golden(&v, &seg);
	sync_segment_write(&bytes, &seg, &site, scopes[_i]);
	if (_i == 0)
		*(uint8_t *)memmem(bytes.bytes, bytes.len, "F001", 4) = 0;
	hash_once(hash, sizeof hash, bytes.bytes, bytes.len - 8); /* its check */
	memcpy(bytes.bytes + bytes.len - 8, hash, 8);
	r = rd_from(bytes.bytes, bytes.len);
	ck_assert_int_eq(sync_segment_read(&r, &v.arena, &got, &whose, &scope, &err), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "no name"));
	buf_free(&bytes);
	vectors_free(&v);
}
END_TEST

/* ---- damage ---- */

START_TEST(a_full_form_damaged_anywhere_is_refused)
{
	struct vectors v;
	struct store_segment seg, got;
	struct sync_site whose;
	const char *scope;
	struct buf bytes = { 0 };
	struct rd r;

	make_golden(&v, &seg);
	sync_segment_write(&bytes, &seg, &site, "f/F001");
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		r = rd_from(bytes.bytes, bytes.len);
		ck_assert_int_eq(sync_segment_read(&r, &v.arena, &got, &whose, &scope, &err),
		                 ERR_CORRUPT);
		bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < bytes.len; len++) {
		r = rd_from(bytes.bytes, len);
		ck_assert_int_eq(sync_segment_read(&r, &v.arena, &got, &whose, &scope, &err),
		                 ERR_CORRUPT);
	}
	buf_free(&bytes);
	vectors_free(&v);
}
END_TEST

/* Would a receiver take these bytes as a segment of that stream? */
static bool
takes_short(struct vectors *v, struct rd r, const struct store_segment *seg)
{
	struct sync_codec_schemas schemas = vectors_resolver(v);
	struct sync_segment_at at = { .n = seg->first - 1 };
	struct arena arena = { .limit = SYNC_ARENA_MAX };
	struct store_segment got;
	struct sync_record *records;
	size_t count;
	bool taken;

	memcpy(at.head, seg->head_before, STORE_HEAD);
	taken = sync_segment_read_short(&r, &at, day_seed, &arena, &got, &err) == 0 &&
	        rd_done(&r) &&
	        sync_segment_prove(&got, &schemas, &arena, &records, &count, &err) == 0;
	memcpy(got.key, seg->key, sizeof got.key);
	taken = taken && is_proven(&got, "f/F001");
	arena_free(&arena);
	return taken;
}

START_TEST(a_short_form_damaged_anywhere_is_refused)
{
	struct vectors v;
	struct store_segment seg;
	struct buf bytes = { 0 };

	make_golden(&v, &seg);
	sync_segment_write_short(&bytes, &seg, _i == 0 ? NULL : day_seed);
	ck_assert(takes_short(&v, rd_from(bytes.bytes, bytes.len), &seg));
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert(!takes_short(&v, rd_from(bytes.bytes, bytes.len), &seg));
		bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < bytes.len; len++)
		ck_assert(!takes_short(&v, rd_from(bytes.bytes, len), &seg));
	buf_free(&bytes);
	vectors_free(&v);
}
END_TEST

Suite *
suite_sync_segment(void)
{
	Suite *suite = suite_create("sync/segment");
	TCase *tcase = tcase_create("segment");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, what_is_built_is_opened);
	tcase_add_test(tcase, every_cut_holds);
	tcase_add_test(tcase, no_cut_where_nobody_signed);
	tcase_add_test(tcase, a_roll_up_is_smaller);
	tcase_add_test(tcase, redacted_records_leave_their_leaves);
	tcase_add_test(tcase, no_seed_stays_behind);
	tcase_add_test(tcase, openings_and_strangers_are_not_redacted);
	tcase_add_test(tcase, a_leaf_beside_its_salt_is_refused);
	tcase_add_test(tcase, a_leaf_beside_its_seed_is_refused);
	tcase_add_test(tcase, full_forms_are_golden);
	tcase_add_test(tcase, short_forms_are_golden);
	tcase_add_test(tcase, a_seed_left_out_must_be_known);
	tcase_add_test(tcase, another_seed_is_not_left_out);
	tcase_add_loop_test(tcase, a_scope_that_is_no_name_is_refused, 0, 2);
	tcase_add_test(tcase, a_full_form_damaged_anywhere_is_refused);
	tcase_add_loop_test(tcase, a_short_form_damaged_anywhere_is_refused, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

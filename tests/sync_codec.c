/* tests/sync_codec.c - what goes into a body comes out of it, and nothing else gets through. */
#include "tests/golden.h"
#include "tests/suites.h"
#include "tests/sync_sample.h"
#include "tests/sync_vectors.h"

#include "sync/codec/pack.h"

#include <check.h>
#include <string.h>

enum { ROUNDS = 300, DAYS = 3, FLIPS = 4000 };
static const size_t most_records = SYNC_RECORDS_MAX;

static struct err err;

/* The first `len` bytes of a body as so many records. */
static int
decode(const struct buf *body, size_t len, size_t count, const struct sync_codec_schemas *schemas,
       struct arena *arena, struct sync_record **records)
{
	struct sync_raw raw = { .bytes = body->bytes, .len = len, .count = count };

	return sync_codec_decode(&raw, schemas, arena, records, &err);
}

/* Encode, decode, and compare the record bytes of all. */
static void
check_round_trip(const struct sync_record *records, size_t count,
                 const struct sync_codec_schemas *schemas)
{
	struct buf raw = { 0 }, want = { 0 }, got = { 0 };
	struct arena arena = { .limit = SYNC_ARENA_MAX };
	struct sync_record *decoded;

	ck_assert_msg(sync_codec_encode(records, count, &raw, &err) == 0, "%s", err.msg);
	ck_assert_msg(decode(&raw, raw.len, count, schemas, &arena, &decoded) == 0, "%s", err.msg);
	sample_write(&want, records, count);
	sample_write(&got, decoded, count);
	ck_assert_uint_eq(got.len, want.len);
	ck_assert_mem_eq(got.bytes, want.bytes, want.len);
	buf_free(&raw);
	buf_free(&want);
	buf_free(&got);
	arena_free(&arena);
}

START_TEST(body_is_golden)
{
	struct vectors v;
	struct sync_codec_schemas schemas = vectors_resolver(&v);
	struct buf raw = { 0 };

	vectors_make(&v);
	ck_assert_int_eq(sync_codec_encode(v.records, VECTORS, &raw, &err), 0);
	golden_check("body", raw.bytes, raw.len);
	check_round_trip(v.records, VECTORS, &schemas);
	buf_free(&raw);
	vectors_free(&v);
}
END_TEST

START_TEST(any_records_come_back)
{
	struct sample s;
	struct sync_codec_schemas schemas = sample_resolver(&s);

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		sample_init(&s, (uint64_t)(unsigned)_i * ROUNDS + seed);
		sample_random(&s, 1 + sample_below(&s, seed % 10 == 0 ? 1500 : 40));
		check_round_trip(s.records, s.count, &schemas);
		sample_free(&s);
	}
}
END_TEST

START_TEST(keys_are_canonical)
{
	struct sample s;
	struct sync_codec_schemas schemas = sample_resolver(&s);
	struct arena arena = { .limit = SYNC_ARENA_MAX };
	struct buf raw = { 0 }, key = { 0 };
	struct sync_record *records;

	sample_init(&s, 5);
	sample_day(&s);
	ck_assert_int_eq(sync_codec_encode(s.records, s.count, &raw, &err), 0);
	ck_assert_int_eq(decode(&raw, raw.len, s.count, &schemas, &arena, &records), 0);
	for (size_t i = 0; i < s.count; i++) {
		const struct store_change *c = &records[i].change;

		if (records[i].type != SYNC_CHANGE)
			continue;
		buf_clear(&key);
		store_schema_key(s.records[i].change.schema, s.records[i].change.values, &key);
		ck_assert_uint_eq(c->key_len, key.len);
		ck_assert_mem_eq(c->key, key.bytes, key.len);
	}
	buf_free(&raw);
	buf_free(&key);
	arena_free(&arena);
	sample_free(&s);
}
END_TEST

/*
 * Ids thought up to fall into one place of the encoder's table: more of them than it looks at
 * there, new ones, ones that are referred to, ones that occur again.
 */
START_TEST(ids_that_collide_come_back)
{
	enum { COLLIDING = 100, CHANGES = 400 };
	static uint8_t ids[COLLIDING][16];
	struct sample s;
	struct sync_codec_schemas schemas = sample_resolver(&s);
	struct sync_record *records;

	sample_init(&s, 8);
	for (uint64_t i = 0; i < COLLIDING; i++) {
		uint64_t upper = i << 40 | 77, h = (upper ^ upper >> 32) * 0x9e3779b97f4a7c15u;

		memcpy(ids[i], &h, sizeof h); /* what the two words' mix is undone by */
		memcpy(ids[i] + 8, &upper, sizeof upper);
	}
	sample_day(&s);
	records = s.records;
	for (size_t i = 0, n = 0; i < s.count && n < CHANGES; i++) {
		struct store_change *c = &records[i].change;

		if (records[i].type != SYNC_CHANGE)
			continue;
		for (unsigned k = 0; k < c->schema->column_count; k++)
			if (c->values[k].type == STORE_BLOB && c->values[k].len == 16)
				c->values[k].bytes = ids[sample_below(&s, COLLIDING)];
		n++;
	}
	check_round_trip(records, s.count, &schemas);
	sample_free(&s);
}
END_TEST

/* ---- size ---- */

static size_t
packed_len(const struct sync_record *records, size_t count)
{
	struct buf raw = { 0 }, packed = { 0 };
	size_t len;

	ck_assert_int_eq(sync_codec_encode(records, count, &raw, &err), 0);
	ck_assert_int_eq(sync_pack(raw.bytes, raw.len, &packed, &err), 0);
	len = packed.len;
	buf_free(&raw);
	buf_free(&packed);
	return len;
}

static size_t
change_count(const struct sample *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		count += s->records[i].type == SYNC_CHANGE;
	return count;
}

START_TEST(a_day_takes_six_bytes_a_change)
{
	struct sample s;
	struct sync_codec_schemas schemas = sample_resolver(&s);

	sample_init(&s, (uint64_t)_i);
	for (int day = 0; day < DAYS; day++) {
		size_t changes, len;

		sample_day(&s);
		changes = change_count(&s);
		len = packed_len(s.records, s.count);
		ck_assert_uint_gt(changes, 800);
		ck_assert_msg(len <= 6 * changes, "%zu changes in %zu bytes", changes, len);
		check_round_trip(s.records, s.count, &schemas);
	}
	sample_free(&s);
}
END_TEST

/* Ten changes as a unit of their own, as they go out every half minute. */
static size_t
ten(const struct sample *s, size_t *from)
{
	struct sync_opening opening = { .seen_as_before = true, .changes = 10 };
	struct sync_record batch[11] = { { .type = SYNC_OPENING, .opening = &opening } };
	size_t count = 1;

	for (; *from < s->count && count < 11; ++*from)
		if (s->records[*from].type == SYNC_CHANGE)
			batch[count++] = s->records[*from];
	if (count < 11)
		return 0;
	opening.sealed_ms = STORE_STAMP_MS(batch[10].change.stamp) + 1234;
	return packed_len(batch, count);
}

START_TEST(ten_changes_fit_in_300_bytes)
{
	struct sample s;
	size_t total = 0, batches = 0, len;

	sample_init(&s, (uint64_t)_i + 100);
	sample_day(&s);
	for (size_t from = 0; (len = ten(&s, &from)) > 0; batches++) {
		ck_assert_uint_le(len, 300);
		total += len;
	}
	ck_assert_uint_gt(batches, 80);
	ck_assert_uint_le(total / batches, 160);
	sample_free(&s);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(damage_is_refused_or_harmless)
{
	struct sample s;
	struct sync_codec_schemas schemas = sample_resolver(&s);
	struct buf raw = { 0 };

	sample_init(&s, (uint64_t)_i);
	sample_random(&s, 60);
	ck_assert_int_eq(sync_codec_encode(s.records, s.count, &raw, &err), 0);
	for (int i = 0; i < FLIPS; i++) {
		struct arena arena = { .limit = SYNC_ARENA_MAX };
		size_t at = sample_below(&s, raw.len);
		uint8_t mask = (uint8_t)(1u << sample_below(&s, 8));
		struct sync_record *records;
		struct buf out = { 0 };
		int rc;

		raw.bytes[at] ^= mask;
		rc = decode(&raw, raw.len, s.count, &schemas, &arena, &records);
		ck_assert(rc == 0 || rc == ERR_CORRUPT || rc == ERR_NOMEM);
		if (rc == 0)
			sample_write(&out, records, s.count);
		raw.bytes[at] ^= mask;
		buf_free(&out);
		arena_free(&arena);
	}
	buf_free(&raw);
	sample_free(&s);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	struct vectors v;
	struct sync_codec_schemas schemas = vectors_resolver(&v);
	struct arena arena = { .limit = SYNC_ARENA_MAX };
	struct buf raw = { 0 };
	struct sync_record *records;

	vectors_make(&v);
	ck_assert_int_eq(sync_codec_encode(v.records, VECTORS, &raw, &err), 0);
	for (size_t len = 0; len < raw.len; len++)
		ck_assert_int_eq(decode(&raw, len, VECTORS, &schemas, &arena, &records),
		                 ERR_CORRUPT);
	buf_u8(&raw, 0);
	ck_assert_int_eq(decode(&raw, raw.len, VECTORS, &schemas, &arena, &records), ERR_CORRUPT);
	for (size_t count = 1; count < (size_t)2 * VECTORS; count++)
		ck_assert(count == VECTORS || decode(&raw, raw.len - 1, count, &schemas, &arena,
		                                     &records) == ERR_CORRUPT);
	buf_free(&raw);
	arena_free(&arena);
	vectors_free(&v);
}
END_TEST

START_TEST(a_schema_is_defined_before_it_is_used)
{
	struct vectors v;
	struct sync_codec_schemas schemas = vectors_resolver(&v);
	struct arena arena = { .limit = SYNC_ARENA_MAX };
	struct sync_record swapped[2], *records;
	struct buf raw = { 0 };

	vectors_make(&v);
	swapped[0] = v.records[VECTOR_INSERT];
	swapped[1] = v.records[VECTOR_PLAIN];
	ck_assert_int_eq(sync_codec_encode(swapped, 2, &raw, &err), 0);
	ck_assert_int_eq(decode(&raw, raw.len, 2, &schemas, &arena, &records), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "before it is defined"));
	buf_free(&raw);
	arena_free(&arena);
	vectors_free(&v);
}
END_TEST

/* The encoder looks for a site among 256; what it doesn't find is listed again. */
START_TEST(more_sites_than_are_looked_for_come_back)
{
	enum { SITES = 600 };
	static struct sync_seen seen[SITES];
	struct sync_opening opening = { .seen = seen, .seen_count = SITES };
	struct sync_record record = { .type = SYNC_OPENING, .opening = &opening };
	struct sample s;
	struct sync_codec_schemas schemas = sample_resolver(&s);

	sample_init(&s, 1);
	for (unsigned i = 0; i < SITES; i++) {
		memcpy(seen[i].site.node, &(unsigned){ i % 400 }, sizeof i);
		seen[i].stamp = STORE_STAMP(i, i);
	}
	check_round_trip(&record, 1, &schemas);
	sample_free(&s);
}
END_TEST

START_TEST(a_segment_defines_no_more_than_is_read)
{
	enum { MOST = 1 << 12 };
	static struct sync_definition definitions[MOST + 1];
	struct sync_opening opening = { .definitions = definitions };
	struct sync_record record = { .type = SYNC_OPENING, .opening = &opening };
	struct buf raw = { 0 };

	for (unsigned i = 0; i <= MOST; i++)
		definitions[i] = (struct sync_definition){ i + 1, (const uint8_t *)"", 0 };
	opening.definition_count = MOST;
	ck_assert_int_eq(sync_codec_encode(&record, 1, &raw, &err), 0);
	opening.definition_count = MOST + 1;
	ck_assert_int_eq(sync_codec_encode(&record, 1, &raw, &err), ERR_INVALID);
	buf_free(&raw);
}
END_TEST

/* A few bytes that promise 65 536 records of wide rows. */
START_TEST(memory_is_bounded)
{
	struct sample s;
	struct sync_codec_schemas schemas = sample_resolver(&s);
	struct arena arena = { .limit = 1 << 20 };
	struct sync_record *records;
	struct buf raw = { 0 };

	sample_init(&s, 1);
	sample_day(&s);
	ck_assert_int_eq(sync_codec_encode(s.records, s.count, &raw, &err), 0);
	arena.limit = 1 << 16;
	ck_assert_int_eq(decode(&raw, raw.len, s.count, &schemas, &arena, &records), ERR_NOMEM);
	ck_assert_uint_le(arena.used, arena.limit);
	ck_assert_int_eq(decode(&raw, raw.len, most_records + 1, &schemas, &arena, &records),
	                 ERR_CORRUPT);
	ck_assert_int_eq(decode(&raw, raw.len, 0, &schemas, &arena, &records), ERR_CORRUPT);
	ck_assert_int_eq(
	        decode(&raw, (size_t)SYNC_RAW_MAX + 1, s.count, &schemas, &arena, &records),
	        ERR_CORRUPT);
	ck_assert_int_eq(sync_codec_encode(s.records, 0, &raw, &err), ERR_INVALID);
	ck_assert_int_eq(sync_codec_encode(s.records, most_records + 1, &raw, &err), ERR_INVALID);
	buf_free(&raw);
	arena_free(&arena);
	sample_free(&s);
}
END_TEST

Suite *
suite_sync_codec(void)
{
	Suite *suite = suite_create("sync/codec");
	TCase *tcase = tcase_create("codec");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, body_is_golden);
	tcase_add_loop_test(tcase, any_records_come_back, 0, 4);
	tcase_add_test(tcase, keys_are_canonical);
	tcase_add_test(tcase, ids_that_collide_come_back);
	tcase_add_loop_test(tcase, a_day_takes_six_bytes_a_change, 0, 4);
	tcase_add_loop_test(tcase, ten_changes_fit_in_300_bytes, 0, 4);
	tcase_add_loop_test(tcase, damage_is_refused_or_harmless, 0, 8);
	tcase_add_test(tcase, every_truncation_is_refused);
	tcase_add_test(tcase, a_schema_is_defined_before_it_is_used);
	tcase_add_test(tcase, more_sites_than_are_looked_for_come_back);
	tcase_add_test(tcase, a_segment_defines_no_more_than_is_read);
	tcase_add_test(tcase, memory_is_bounded);
	suite_add_tcase(suite, tcase);
	return suite;
}

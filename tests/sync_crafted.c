/*
 * tests/sync_crafted.c - bodies that no encoder of ours writes, put together byte by
 * byte (sync/DESIGN.md has the tables): what overflows, unfolds or isn't ended is
 * refused before it costs anything.
 */
#include "tests/suites.h"
#include "tests/sync_vectors.h"

#include "sync/codec/chain.h"
#include "sync/codec/segment.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	VERSION = 1,
	ZIGZAG = 2 << 2,
	REMINT = 2,
	SITE = 24,
	SITES_MAX = 1 << 20,
	DEFINITIONS_MAX = 1 << 12
};

static struct err err;

static const struct store_schema *
no_schema(void *ctx, unsigned no, struct err *why)
{
	(void)ctx, (void)no, (void)why;
	return NULL;
}

static int
any_definition(void *ctx, const struct sync_definition *definition, struct err *why)
{
	(void)ctx, (void)definition, (void)why;
	return 0;
}

static const struct sync_codec_schemas none = { .resolve = no_schema, .define = any_definition };

/* Decode `count` records and give the body back. */
static int
decode(struct buf *body, size_t count, const struct sync_codec_schemas *schemas)
{
	struct sync_raw raw = { .bytes = body->bytes, .len = body->len, .count = count };
	struct arena arena = { .limit = SYNC_ARENA_MAX };
	struct sync_record *records;
	int rc = sync_codec_decode(&raw, schemas, &arena, &records, &err);

	arena_free(&arena);
	buf_free(body);
	return rc;
}

/* ---- openings ---- */

/* One number of each of `n` openings. */
static void
put_ints(struct buf *body, const int64_t *values, size_t n)
{
	buf_u8(body, ZIGZAG);
	for (size_t i = 0; i < n; i++)
		buf_zigzag(body, values[i]);
}

/* What openings say of themselves; of one, or of two. */
struct said {
	int64_t flags[2], changes[2], seen[2], definitions[2];
};

static void
put_openings(struct buf *body, const struct said *said, size_t n)
{
	static const int64_t zero[2];

	buf_u8(body, VERSION);
	buf_varint(body, 0); /* classes */
	buf_varint(body, n);
	put_ints(body, zero, n); /* other records before each */
	put_ints(body, said->flags, n);
	put_ints(body, zero, n); /* sealed */
	put_ints(body, said->changes, n);
	put_ints(body, said->seen, n);
	put_ints(body, zero, n); /* origins */
	put_ints(body, said->definitions, n);
}

START_TEST(openings_together_mention_no_more_than_one_may)
{
	static const struct said said[] = {
		{ .seen = { SITES_MAX, 1 } },
		{ .definitions = { DEFINITIONS_MAX, 1 } },
	};
	struct buf body = { 0 };

	put_openings(&body, &said[_i], 2);
	ck_assert_int_eq(decode(&body, 2, &none), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "mention too much"));
}
END_TEST

START_TEST(an_opening_with_more_sites_than_are_read_is_not_written)
{
	struct sync_opening opening = { .kind = SYNC_RELAY, .origin_count = SITES_MAX + 1 };
	struct sync_record record = { .type = SYNC_OPENING, .opening = &opening };
	struct buf raw = { 0 };

	ck_assert_int_eq(sync_codec_encode(&record, 1, &raw, &err), ERR_INVALID);
	buf_free(&raw);
}
END_TEST

/* One redacted record follows, which the number of changes is counted from. */
START_TEST(changes_that_run_over_are_refused)
{
	static const int64_t zero, most = INT64_MAX;
	struct buf body = { 0 };

	buf_u8(&body, VERSION);
	buf_varint(&body, 1);
	buf_u8(&body, 0); /* a class of redacted records */
	buf_varint(&body, 1);
	put_ints(&body, &zero, 1);
	buf_varint(&body, 1); /* guessed right: it is of that class */
	put_ints(&body, &zero, 1);
	put_ints(&body, &zero, 1);
	put_ints(&body, &most, 1);
	ck_assert_int_eq(decode(&body, 2, &none), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "openings are not well-formed"));
}
END_TEST

/* A re-mint's scope of `len` bytes, of which `there` are there; 1 if it is good. */
static const struct scope_case {
	size_t len, there;
	const char *text;
	int want;
} scope_cases[] = {
	{ 4, 4, "f/F1", 0 },
	{ 4, 4, "f/\0F", ERR_CORRUPT },
	{ STORE_SCOPE_MAX + 1, STORE_SCOPE_MAX + 1, NULL, ERR_CORRUPT },
	{ 9, 4, "f/F1", ERR_CORRUPT },
};

enum { SCOPE_CASES = sizeof scope_cases / sizeof scope_cases[0] };

START_TEST(a_re_mint_names_a_scope_or_is_refused)
{
	static const struct said said = { .flags = { REMINT } };
	static const int64_t zero;
	static const uint8_t site[SITE];
	const struct scope_case *c = &scope_cases[_i];
	char text[STORE_SCOPE_MAX + 1];
	struct buf body = { 0 };

	memset(text, 'x', sizeof text);
	if (c->text != NULL)
		memcpy(text, c->text, c->there);
	put_openings(&body, &said, 1);
	buf_varint(&body, 1);
	buf_put(&body, site, sizeof site);
	put_ints(&body, &zero, 1); /* that one is meant */
	buf_varint(&body, c->len);
	buf_put(&body, text, c->there);
	if (c->there == c->len) {
		buf_varint(&body, 1);
		buf_varint(&body, 2);
		buf_varint(&body, 0); /* shared ids */
	}
	ck_assert_msg(decode(&body, 1, &none) == c->want, "%s", err.msg);
}
END_TEST

START_TEST(a_definition_has_a_number_of_32_bits)
{
	static const struct {
		uint64_t no;
		int want;
	} cases[] = {
		{ 1, 0 }, { UINT32_MAX, 0 }, { 0, ERR_CORRUPT }, { 1ull << 32, ERR_CORRUPT }
	};
	static const struct said said = { .definitions = { 1 } };
	struct buf body = { 0 };

	put_openings(&body, &said, 1);
	buf_varint(&body, 0); /* sites */
	buf_varint(&body, cases[_i].no);
	buf_lenbytes(&body, "", 0);
	buf_varint(&body, 0); /* shared ids */
	ck_assert_msg(decode(&body, 1, &none) == cases[_i].want, "%s", err.msg);
}
END_TEST

/* ---- classes, words, keys ---- */

START_TEST(a_class_has_a_schema_of_32_bits)
{
	struct buf body = { 0 };

	buf_u8(&body, VERSION);
	buf_varint(&body, 1);
	buf_u8(&body, STORE_INSERT);
	buf_varint(&body, 1ull << 32);
	ck_assert_int_eq(decode(&body, 1, &none), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.msg, "classes"));
}
END_TEST

static const char marker[] = "a word that stands for a longer one";

/* `count` inserts whose text in column 1 is the marker; as a body in which it is `len` bytes. */
static void
put_long_word(struct buf *body, struct vectors *v, size_t count, size_t len)
{
	struct sync_record *records = calloc(count, sizeof *records);
	struct buf raw = { 0 };
	uint8_t *at, *word = malloc(len);
	size_t left;

	ck_assert(records != NULL && word != NULL);
	memset(word, 'x', len);
	v->values[1] = store_value_text(marker);
	for (size_t i = 0; i < count; i++)
		records[i] = v->records[VECTOR_INSERT];
	ck_assert_msg(sync_codec_encode(records, count, &raw, &err) == 0, "%s", err.msg);
	at = memmem(raw.bytes, raw.len, marker, sizeof marker - 1);
	ck_assert_ptr_nonnull(at);
	left = raw.len - (size_t)(at - raw.bytes) - (sizeof marker - 1);
	buf_put(body, raw.bytes, (size_t)(at - raw.bytes) - 1); /* its length is one byte */
	buf_lenbytes(body, word, len);
	buf_put(body, at + sizeof marker - 1, left);
	buf_free(&raw);
	free(records);
	free(word);
}

START_TEST(a_word_is_no_longer_than_a_value)
{
	enum { ROWS = 8 };
	struct vectors v;
	struct sync_codec_schemas schemas = vectors_resolver(&v);
	struct buf body = { 0 };

	vectors_make(&v);
	put_long_word(&body, &v, ROWS, STORE_VALUE_MAX);
	ck_assert_msg(decode(&body, ROWS, &schemas) == 0, "%s", err.msg);
	put_long_word(&body, &v, ROWS, STORE_VALUE_MAX + 1);
	ck_assert_int_eq(decode(&body, ROWS, &schemas), ERR_CORRUPT);
	vectors_free(&v);
}
END_TEST

/* A hundred rows whose key is one word of 1 MiB: small as it comes, and too much as keys. */
START_TEST(keys_that_unfold_are_refused)
{
	enum { ROWS = 100 };
	struct vectors v;
	struct sync_codec_schemas schemas = vectors_resolver(&v);
	struct buf body = { 0 };

	vectors_make(&v);
	v.columns[1].key = 2;
	ck_assert_msg(store_schema_finish(&v.schema, &err) == 0, "%s", err.msg);
	v.records[VECTOR_INSERT].change.mask = v.schema.cells;
	put_long_word(&body, &v, ROWS, STORE_VALUE_MAX);
	ck_assert_uint_lt(body.len, SYNC_RAW_MAX);
	ck_assert_int_eq(decode(&body, ROWS, &schemas), ERR_NOMEM);
	vectors_free(&v);
}
END_TEST

/* More distinct words than are numbered come back all the same. */
START_TEST(many_words_come_back)
{
	enum { ROWS = 400, WORDS = 100 };
	static struct sync_record records[ROWS];
	static struct store_value values[ROWS][6];
	static char texts[WORDS][8];
	struct vectors v;
	struct sync_codec_schemas schemas = vectors_resolver(&v);
	struct buf raw = { 0 };
	struct arena arena = { .limit = SYNC_ARENA_MAX };
	struct sync_record *got;

	vectors_make(&v);
	for (size_t i = 0; i < ROWS; i++) {
		snprintf(texts[i % WORDS], sizeof texts[0], "w%zu", i % WORDS);
		records[i] = v.records[VECTOR_INSERT];
		memcpy(values[i], v.values, sizeof values[i]);
		values[i][1] = store_value_text(texts[i % WORDS]);
		records[i].change.values = values[i];
	}
	ck_assert_int_eq(sync_codec_encode(records, ROWS, &raw, &err), 0);
	ck_assert_int_eq(sync_codec_decode(&(struct sync_raw){ raw.bytes, raw.len, ROWS }, &schemas,
	                                   &arena, &got, &err),
	                 0);
	for (size_t i = 0; i < ROWS; i++)
		ck_assert_int_eq(store_value_cmp(&got[i].change.values[1], &values[i][1]), 0);
	arena_free(&arena);
	buf_free(&raw);
	vectors_free(&v);
}
END_TEST

/* ---- seeds ---- */

/* A run of salts longer than any memory. */
START_TEST(a_run_of_salts_that_runs_over_is_refused)
{
	static const uint8_t bytes[] = { 1, 0, 1, 9, 9, 9 };
	struct sync_seeds s = sync_seeds_from(bytes, sizeof bytes, 1, UINT64_MAX);
	uint8_t salt[STORE_SEED];

	ck_assert(!sync_seeds_salt(&s, 1, salt));
	ck_assert(s.bad);
}
END_TEST

START_TEST(salts_of_neighbours_become_one_run)
{
	static const uint8_t two[] = { 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		                       1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };
	const struct sync_seeds_part parts[] = { { 5, 6, two, sizeof two },
		                                 { 7, 8, two, sizeof two } };
	struct buf joined = { 0 };
	struct sync_seeds s;
	uint8_t salt[STORE_SEED];

	ck_assert_int_eq(sizeof two, 3 + 2 * STORE_SEED);
	ck_assert_int_eq(sync_seeds_join(&joined, parts, 2, 5, 8, &err), 0);
	ck_assert_uint_eq(joined.bytes[0], 1);
	s = sync_seeds_from(joined.bytes, joined.len, 5, 8);
	for (uint64_t n = 5; n <= 8; n++) {
		ck_assert(sync_seeds_salt(&s, n, salt));
		ck_assert_uint_eq(salt[0], n % 2 == 1 ? 1 : 2);
	}
	buf_free(&joined);
}
END_TEST

/* A receiver knows the day's seed; what is sent has none, another form, or no form. */
START_TEST(seeds_are_left_out_only_if_they_are_that_days_alone)
{
	static const uint8_t day[] = { 1, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
	static const uint8_t salt[] = { 1, 0, 1, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
	static const struct {
		const uint8_t *bytes;
		size_t len;
		bool left_out;
	} cases[] = { { day, sizeof day, true },
		      { day, sizeof day - 1, false },
		      { salt, sizeof salt, false } };
	struct store_segment seg = { .first = 5,
		                     .last = 5,
		                     .seeds = cases[_i].bytes,
		                     .seeds_len = cases[_i].len,
		                     .body = day,
		                     .body_len = 1,
		                     .is_signed = true };
	struct buf with = { 0 }, without = { 0 };

	sync_segment_write_short(&with, &seg, day + 3);
	sync_segment_write_short(&without, &seg, NULL);
	ck_assert_int_eq(with.len < without.len, cases[_i].left_out);
	buf_free(&with);
	buf_free(&without);
}
END_TEST

START_TEST(more_seeds_than_records_are_refused)
{
	enum { LEN = (SYNC_RECORDS_MAX + 1) * STORE_SEED };
	struct sync_site site = { { 1 }, { 2 } };
	struct store_segment seg = { .first = 1, .last = 1, .seeds_len = LEN + (size_t)_i }, got;
	struct arena arena = { 0 };
	struct buf out = { 0 };
	const char *scope;
	uint8_t *zeros;
	struct rd r;

	zeros = calloc(1, seg.seeds_len);
	ck_assert_ptr_nonnull(zeros);
	seg.seeds = seg.body = zeros;
	sync_segment_write(&out, &seg, &site, "f/F1");
	r = rd_from(out.bytes, out.len);
	ck_assert_int_eq(sync_segment_read(&r, &arena, &got, &site, &scope, &err),
	                 _i == 0 ? 0 : ERR_CORRUPT);
	free(zeros);
	arena_free(&arena);
	buf_free(&out);
}
END_TEST

Suite *
suite_sync_crafted(void)
{
	Suite *suite = suite_create("sync/crafted");
	TCase *tcase = tcase_create("crafted");

	tcase_add_loop_test(tcase, openings_together_mention_no_more_than_one_may, 0, 2);
	tcase_add_test(tcase, an_opening_with_more_sites_than_are_read_is_not_written);
	tcase_add_test(tcase, changes_that_run_over_are_refused);
	tcase_add_loop_test(tcase, a_re_mint_names_a_scope_or_is_refused, 0, SCOPE_CASES);
	tcase_add_loop_test(tcase, a_definition_has_a_number_of_32_bits, 0, 4);
	tcase_add_test(tcase, a_class_has_a_schema_of_32_bits);
	tcase_add_test(tcase, a_word_is_no_longer_than_a_value);
	tcase_add_test(tcase, keys_that_unfold_are_refused);
	tcase_add_test(tcase, many_words_come_back);
	tcase_add_test(tcase, a_run_of_salts_that_runs_over_is_refused);
	tcase_add_test(tcase, salts_of_neighbours_become_one_run);
	tcase_add_loop_test(tcase, seeds_are_left_out_only_if_they_are_that_days_alone, 0, 3);
	tcase_add_loop_test(tcase, more_seeds_than_records_are_refused, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

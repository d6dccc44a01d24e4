/*
 * tests/sync_memory.c - what goes over the wire, with memory that ends: each
 * operation works entirely or says that memory is out, whichever allocation is
 * the last, and however little a decoder may take.
 */
#include "tests/memory.h"
#include "tests/suites.h"
#include "tests/sync_sample.h"
#include "tests/sync_vectors.h"

#include "node/grant.h"
#include "node/http/reqsig.h"
#include "node/rotation.h"
#include "sync/codec/pack.h"
#include "sync/codec/segment.h"
#include "sync/exchange/message.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 60, MANY = 150, MOST = 4000 };

static struct sample sample;
static struct sync_codec_schemas sample_schemas;
static struct buf raw; /* the sample's body */
static struct vectors vectors;
static struct sync_codec_schemas vector_schemas;
static struct store_segment seg; /* of the vectors, which are one of each */
static struct arena arena;
static struct err err;

static void
make(void)
{
	static const struct sync_segment_at at = { .seed = { 7 } };

	ck_assert(hash_init());
	sample_init(&sample, 11);
	sample_random(&sample, RECORDS);
	sample_schemas = sample_resolver(&sample);
	vectors_make(&vectors);
	vector_schemas = vectors_resolver(&vectors);
	ck_assert_int_eq(sync_codec_encode(sample.records, sample.count, &raw, &err), 0);
	/* what is packed once has made zstd's contexts, which are kept */
	ck_assert_int_eq(
	        sync_segment_build(&at, vectors.records, VECTOR_REDACTED, &arena, &seg, &err), 0);
	seg.is_signed = true;
}

static void
drop(void)
{
	buf_free(&raw);
	arena_free(&arena);
	vectors_free(&vectors);
	sample_free(&sample);
}

/* What an operation that worked must have given; Check itself would need memory to say so. */
static bool sane = true;

static void
want(bool claim)
{
	sane = sane && claim;
}

/* An operation: 0 if it worked, and then it has checked what came out; frees all it took. */
typedef int operation(size_t arena_limit);

/* Fail allocation 0, 1, 2 ... until none is refused. */
static void
without_memory(operation *run)
{
	unsigned good = 0;
	bool hit;

	do {
		int rc;

		memory_arm(good);
		rc = run(SYNC_ARENA_MAX);
		hit = memory_disarm();
		ck_assert(sane);
		ck_assert_msg(hit ? rc == 0 || rc == ERR_NOMEM : rc == 0, "after %u: %d %s", good,
		              rc, err.msg);
	} while (hit && ++good < MOST);
	ck_assert(!hit);
}

/* With an arena of 16, 32, 48 ... bytes, until it is enough. */
static void
within(operation *run, size_t step, int code)
{
	size_t limit = step;
	int rc;

	while ((rc = run(limit)) != 0) {
		ck_assert_msg(rc == code, "within %zu: %d %s", limit, rc, err.msg);
		limit += step;
		ck_assert_uint_lt(limit, SYNC_ARENA_MAX);
	}
}

/* ---- bodies ---- */

static int
encode(size_t limit)
{
	struct buf out = { 0 };
	int rc = sync_codec_encode(sample.records, sample.count, &out, &err);

	(void)limit;
	if (rc == 0) {
		want(out.len == raw.len && memcmp(out.bytes, raw.bytes, raw.len) == 0);
	}
	buf_free(&out);
	return rc;
}

static int
decode(size_t limit)
{
	struct sync_raw body = { raw.bytes, raw.len, sample.count };
	struct arena a = { .limit = limit };
	struct sync_record *records;
	int rc = sync_codec_decode(&body, &sample_schemas, &a, &records, &err);

	arena_free(&a);
	return rc;
}

/* Both are ERR_NOMEM; whoever set the limit can tell them apart. */
START_TEST(a_limit_is_told_from_memory)
{
	struct sync_raw body = { raw.bytes, raw.len, sample.count };
	struct arena small = { .limit = 64 }, any = { 0 };
	struct sync_record *records;
	int rc;

	ck_assert_int_eq(sync_codec_decode(&body, &sample_schemas, &small, &records, &err),
	                 ERR_NOMEM);
	ck_assert(small.over);
	arena_free(&small);
	ck_assert(!small.over);
	memory_arm(0);
	rc = sync_codec_decode(&body, &sample_schemas, &any, &records, &err);
	memory_disarm();
	ck_assert_int_eq(rc, ERR_NOMEM);
	ck_assert(!any.over);
	arena_free(&any);
}
END_TEST

START_TEST(a_body_is_encoded_or_not)
{
	without_memory(encode);
}
END_TEST

START_TEST(a_body_is_decoded_or_not)
{
	without_memory(decode);
	within(decode, 16, ERR_NOMEM);
}
END_TEST

/* Few or many records: what each array takes then begins a block of its own somewhere. */
START_TEST(a_body_of_any_size_is_decoded_or_not)
{
	for (size_t count = 1; count <= MANY; count++) {
		sample_free(&sample);
		sample_init(&sample, count);
		sample_random(&sample, count);
		buf_clear(&raw);
		ck_assert_int_eq(sync_codec_encode(sample.records, sample.count, &raw, &err), 0);
		without_memory(decode);
	}
}
END_TEST

static size_t inserts;

static int
decode_inserts(size_t limit)
{
	struct sync_raw body = { raw.bytes, raw.len, inserts };
	struct arena a = { .limit = limit };
	struct sync_record *records;
	int rc = sync_codec_decode(&body, &vector_schemas, &a, &records, &err);

	arena_free(&a);
	return rc;
}

/* Inserts alone, each with an id of its own. */
START_TEST(new_ids_are_decoded_or_not)
{
	static struct sync_record records[RECORDS];
	static struct store_value values[RECORDS][sizeof vectors.values / sizeof vectors.values[0]];
	static uint8_t ids[RECORDS][16];

	for (inserts = 0; inserts < RECORDS; inserts++) {
		records[inserts] = vectors.records[VECTOR_INSERT];
		memcpy(values[inserts], vectors.values, sizeof values[0]);
		ids[inserts][0] = (uint8_t)inserts;
		values[inserts][0] = store_value_blob(ids[inserts], sizeof ids[0]);
		records[inserts].change.values = values[inserts];
	}
	for (inserts = 1; inserts <= RECORDS; inserts++) {
		buf_clear(&raw);
		ck_assert_int_eq(sync_codec_encode(records, inserts, &raw, &err), 0);
		without_memory(decode_inserts);
	}
}
END_TEST

/* ---- packings ---- */

static int
pack(size_t limit)
{
	struct buf packed = { 0 }, out = { 0 };
	int rc = sync_pack(raw.bytes, raw.len, &packed, &err);

	(void)limit;
	if (rc == 0)
		rc = sync_unpack(packed.bytes, packed.len, raw.len, &out, &err);
	if (rc == 0)
		want(memcmp(out.bytes, raw.bytes, raw.len) == 0);
	buf_free(&packed);
	buf_free(&out);
	return rc;
}

START_TEST(bytes_are_packed_or_not)
{
	without_memory(pack);
}
END_TEST

/* ---- segments ---- */

static int
build(size_t limit)
{
	static const struct sync_segment_at at = { .seed = { 7 } };
	struct arena a = { .limit = limit };
	struct store_segment out;
	int rc = sync_segment_build(&at, vectors.records, VECTOR_REDACTED, &a, &out, &err);

	if (rc == 0)
		want(memcmp(out.head, seg.head, STORE_HEAD) == 0);
	arena_free(&a);
	return rc;
}

static int
open_segment(size_t limit)
{
	struct arena a = { .limit = limit };
	struct sync_record *records;
	size_t count;
	int rc = sync_segment_open(&seg, &vector_schemas, &a, &records, &count, &err);

	arena_free(&a);
	return rc;
}

static int
cut(size_t limit)
{
	struct sync_segment_line line = {
		.segs = &seg, .count = 1, .from = seg.first, .to = seg.last
	};
	struct arena a = { .limit = limit };
	struct store_segment out;
	int rc = sync_segment_cut(&line, &vector_schemas, &a, &out, &err);

	if (rc == 0)
		want(memcmp(out.head, seg.head, STORE_HEAD) == 0);
	arena_free(&a);
	return rc;
}

static int
redact(size_t limit)
{
	struct sync_segment_which nobody = { 0 }; /* the seed alone goes */
	struct arena a = { .limit = limit };
	struct store_segment out;
	int rc = sync_segment_redact(&seg, &nobody, &vector_schemas, &a, &out, &err);

	if (rc == 0)
		want(memcmp(out.head, seg.head, STORE_HEAD) == 0);
	arena_free(&a);
	return rc;
}

START_TEST(a_segment_is_built_or_not)
{
	without_memory(build);
	within(build, 16, ERR_NOMEM);
}
END_TEST

START_TEST(a_segment_is_opened_or_not)
{
	without_memory(open_segment);
	within(open_segment, 16, ERR_NOMEM);
}
END_TEST

START_TEST(a_segment_is_cut_or_not)
{
	without_memory(cut);
	within(cut, 16, ERR_NOMEM);
}
END_TEST

START_TEST(a_segment_is_redacted_or_not)
{
	without_memory(redact);
	within(redact, 16, ERR_NOMEM);
}
END_TEST

/* Whole, written and read. */
static int
carry(size_t limit)
{
	struct sync_site site = { { 1 }, { 2 } };
	struct arena a = { .limit = limit };
	struct store_segment got;
	struct buf out = { 0 };
	const char *scope;
	struct rd r;
	int rc;

	sync_segment_write(&out, &seg, &site, "f/F1");
	rc = buf_check(&out, &err);
	r = rd_from(out.bytes, out.len);
	if (rc == 0)
		rc = sync_segment_read(&r, &a, &got, &site, &scope, &err);
	if (rc == 0)
		want(strcmp(scope, "f/F1") == 0);
	buf_free(&out);
	arena_free(&a);
	return rc;
}

/* In short, to somebody who knows the seed. */
static int
carry_short(size_t limit)
{
	struct sync_segment_at at = { .n = seg.first - 1 };
	static const uint8_t seed[STORE_SEED] = { 7 };
	struct arena a = { .limit = limit };
	struct store_segment got;
	struct buf out = { 0 };
	struct rd r;
	int rc;

	sync_segment_write_short(&out, &seg, seed);
	rc = buf_check(&out, &err);
	r = rd_from(out.bytes, out.len);
	if (rc == 0)
		rc = sync_segment_read_short(&r, &at, seed, &a, &got, &err);
	if (rc == 0)
		want(memcmp(got.seeds, seg.seeds, seg.seeds_len) == 0);
	buf_free(&out);
	arena_free(&a);
	return rc;
}

START_TEST(a_segment_is_carried_or_not)
{
	without_memory(carry);
	within(carry, 4, ERR_NOMEM);
	without_memory(carry_short);
	within(carry_short, 4, ERR_NOMEM);
}
END_TEST

/* With room in what it is written to, or without. */
static bool has_room;

static int
join(size_t limit)
{
	struct sync_seeds_part part = { seg.first, seg.last, seg.seeds, seg.seeds_len };
	struct buf out = { 0 };
	int rc;

	(void)limit;
	if (has_room)
		(void)buf_grow(&out, 2 * seg.seeds_len);
	out.len = 0;
	rc = sync_seeds_join(&out, &part, 1, seg.first, seg.last, &err);
	if (rc == 0)
		want(memcmp(out.bytes, seg.seeds, seg.seeds_len) == 0);
	buf_free(&out);
	return rc;
}

START_TEST(seeds_are_joined_or_not)
{
	without_memory(join);
	has_room = true;
	without_memory(join);
}
END_TEST

/* ---- what is signed ---- */

static struct sync_key
a_key(void)
{
	static const uint8_t seed[SYNC_SEED_KEY] = { 3 };
	struct sync_key key;

	sync_key_from_seed(&key, seed);
	return key;
}

static int
write_grant(size_t limit)
{
	struct sync_key key = a_key();
	struct grant grant;
	struct buf out = { 0 };
	int rc = grant_of_facility(&grant, "F1", "S1", &err);

	(void)limit;
	want(rc == 0);
	grant_write(&out, &grant, &key);
	rc = buf_check(&out, &err);
	if (rc == 0)
		want(grant_read(out.bytes, out.len, key.public_key, &grant, &err) == 0);
	buf_free(&out);
	return rc;
}

START_TEST(a_grant_is_written_or_not)
{
	without_memory(write_grant);
}
END_TEST

static int
write_rotation(size_t limit)
{
	static const uint8_t seed[SYNC_SEED_KEY] = { 4 };
	struct sync_key old_key = a_key(), new_key;
	struct rotation doc = { .count = 1, .streams = { { .scope = "f/F1", .n = 7 } } };
	struct buf out = { 0 };
	int rc;

	(void)limit;
	sync_key_from_seed(&new_key, seed);
	rotation_write(&out, &doc, &old_key, &new_key);
	rc = buf_check(&out, &err);
	if (rc == 0)
		want(rotation_read(out.bytes, out.len, &doc, &err) == 0);
	buf_free(&out);
	return rc;
}

START_TEST(a_rotation_is_written_or_not)
{
	without_memory(write_rotation);
}
END_TEST

/* Out of memory a signed request can't be proven, and is refused with the reason. */
static int
check_request(size_t limit)
{
	static struct reqsig_headers h;
	struct reqsig_request request = { .method = "GET", .path = "/v1/watch", .query = "" };
	struct reqsig_given given = { h.digest, h.input, h.signature };
	struct reqsig_signer signer;
	struct sync_key key = a_key();

	if (limit == 0)
		reqsig_sign_request(&key, &request, 1, "0", &h);
	return reqsig_check_request(&request, &given, &signer, &err);
}

START_TEST(a_request_is_proven_or_not)
{
	ck_assert_int_eq(check_request(0), 0);
	without_memory(check_request);
}
END_TEST

/* ---- messages ---- */

static int
carry_message(size_t limit)
{
	struct sync_view_site site = { .has_key = true };
	const char *scope = "f/F1";
	struct sync_view_stream stream = { .n = 7 };
	struct sync_view_digest digest = { .rows = 3 };
	struct sync_view_note note = { .n = 7, .reason = "why" };
	struct sync_view_segment segment = { .bytes = (const uint8_t *)"x", .len = 1 };
	struct sync_message m = { .sites = &site,
		                  .site_count = 1,
		                  .scopes = &scope,
		                  .scope_count = 1,
		                  .streams = &stream,
		                  .stream_count = 1,
		                  .digests = &digest,
		                  .digest_count = 1,
		                  .notes = &note,
		                  .note_count = 1,
		                  .segments = &segment,
		                  .segment_count = 1 };
	struct arena a = { .limit = limit };
	struct buf out = { 0 };
	int rc;

	sync_message_write_part1(&out, &m);
	sync_message_write_part2(&out, &m);
	rc = buf_check(&out, &err);
	if (rc == 0)
		rc = sync_message_read(out.bytes, out.len, false, &a, &m, &err);
	buf_free(&out);
	arena_free(&a);
	return rc;
}

START_TEST(a_message_is_carried_or_not)
{
	without_memory(carry_message);
	within(carry_message, 8, ERR_NOMEM);
}
END_TEST

Suite *
suite_sync_memory(void)
{
	Suite *suite = suite_create("sync/memory");
	TCase *tcase = tcase_create("memory");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, make, drop);
	tcase_add_test(tcase, a_body_is_encoded_or_not);
	tcase_add_test(tcase, a_limit_is_told_from_memory);
	tcase_add_test(tcase, a_body_is_decoded_or_not);
	tcase_add_test(tcase, a_body_of_any_size_is_decoded_or_not);
	tcase_add_test(tcase, new_ids_are_decoded_or_not);
	tcase_add_test(tcase, bytes_are_packed_or_not);
	tcase_add_test(tcase, a_segment_is_built_or_not);
	tcase_add_test(tcase, a_segment_is_opened_or_not);
	tcase_add_test(tcase, a_segment_is_cut_or_not);
	tcase_add_test(tcase, a_segment_is_redacted_or_not);
	tcase_add_test(tcase, a_segment_is_carried_or_not);
	tcase_add_test(tcase, seeds_are_joined_or_not);
	tcase_add_test(tcase, a_grant_is_written_or_not);
	tcase_add_test(tcase, a_rotation_is_written_or_not);
	tcase_add_test(tcase, a_request_is_proven_or_not);
	tcase_add_test(tcase, a_message_is_carried_or_not);
	suite_add_tcase(suite, tcase);
	return suite;
}

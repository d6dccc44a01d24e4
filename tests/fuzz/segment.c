/*
 * tests/fuzz/segment.c - any bytes as a segment, whole and in the short form:
 * refused, or one that is written as it was read; and what can be proven stays
 * proven when it is cut anew or a record of it is redacted.
 *
 * Input: the whole form, or the short one; the checks of the packing and of the
 * whole form are made right, so that the fuzzer gets past them.
 */
#include "sync/codec/segment.h"
#include "store/base/hash.h"
#include "tests/fuzz/help.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK = 8, LIMIT = 8 << 20 };

static const uint8_t day_seed[STORE_SEED] = { 1 };

/* ---- records that prove themselves ---- */

static void
write_records(struct buf *out, const struct sync_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (records[i].type == SYNC_REDACTED)
			buf_put(out, records[i].leaf, STORE_HEAD);
		else
			sync_record_write(out, &records[i]);
}

/* A segment made of another one leads to the same head. */
static void
check_made(const struct store_segment *seg, const struct store_segment *made, size_t count)
{
	struct help_schemas known = { .arena = { .limit = LIMIT } };
	struct sync_codec_schemas schemas = help_schemas_of(&known);
	struct arena a = { .limit = LIMIT };
	struct sync_record *records;
	struct err err;
	size_t got;
	int rc = sync_segment_open(made, &schemas, &a, &records, &got, &err);

	HOLDS(rc == 0 || rc == ERR_NOMEM);
	HOLDS(rc < 0 || got == count);
	HOLDS(memcmp(made->head, seg->head, STORE_HEAD) == 0);
	arena_free(&a);
	arena_free(&known.arena);
}

static void
check_cut(const struct store_segment *seg, size_t count)
{
	struct help_schemas known = { .arena = { .limit = LIMIT } };
	struct sync_codec_schemas schemas = help_schemas_of(&known);
	struct sync_segment_line line = {
		.segs = seg, .count = 1, .from = seg->first, .to = seg->last
	};
	struct arena a = { .limit = LIMIT };
	struct store_segment cut;
	struct err err;

	if (sync_segment_cut(&line, &schemas, &a, &cut, &err) == 0)
		check_made(seg, &cut, count);
	arena_free(&a);
	arena_free(&known.arena);
}

/* The last record, if it may be redacted. */
static void
check_redact(const struct store_segment *seg, size_t count)
{
	struct help_schemas known = { .arena = { .limit = LIMIT } };
	struct sync_codec_schemas schemas = help_schemas_of(&known);
	struct sync_segment_which which = { .list = &seg->last, .count = 1 };
	struct arena a = { .limit = LIMIT };
	struct store_segment out;
	struct err err;

	if (sync_segment_redact(seg, &which, &schemas, &a, &out, &err) == 0)
		check_made(seg, &out, count);
	arena_free(&a);
	arena_free(&known.arena);
}

/* Prove it; then it opens, and as nothing else. */
static bool
prove(struct store_segment *seg)
{
	struct help_schemas known = { .arena = { .limit = LIMIT } },
	                    again = { .arena = { .limit = LIMIT } };
	struct sync_codec_schemas schemas = help_schemas_of(&known);
	struct arena a = { .limit = LIMIT };
	struct sync_record *records, *opened;
	struct buf want = { 0 }, got = { 0 };
	struct err err;
	size_t count, opened_count;
	int rc = sync_segment_prove(seg, &schemas, &a, &records, &count, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT || rc == ERR_NOMEM);
	if (rc == 0) {
		HOLDS(count == seg->last - seg->first + 1);
		write_records(&want, records, count);
		schemas = help_schemas_of(&again);
		if (sync_segment_open(seg, &schemas, &a, &opened, &opened_count, &err) == 0) {
			write_records(&got, opened, opened_count);
			HOLDS(help_same(&want, got.bytes, got.len));
		} else {
			HOLDS(err.code == ERR_NOMEM);
		}
		check_cut(seg, count);
		check_redact(seg, count);
		seg->head[0] ^= 1;
		again.count = 0;
		HOLDS(sync_segment_open(seg, &schemas, &a, &opened, &opened_count, &err) < 0);
		seg->head[0] ^= 1;
	}
	buf_free(&want);
	buf_free(&got);
	arena_free(&a);
	arena_free(&known.arena);
	arena_free(&again.arena);
	return rc == 0;
}

/* ---- the short form ---- */

/* Written in short it is read as it was, by who knows its seed and by who doesn't. */
static void
check_short(const struct store_segment *seg, const uint8_t *known)
{
	struct sync_segment_at at = { .n = seg->first - 1 };
	struct arena a = { .limit = LIMIT };
	struct store_segment got;
	struct buf out = { 0 };
	struct rd r;
	struct err err;

	memcpy(at.head, seg->head_before, STORE_HEAD);
	sync_segment_write_short(&out, seg, known);
	r = rd_from(out.bytes, out.len);
	HOLDS(sync_segment_read_short(&r, &at, known, &a, &got, &err) == 0 && rd_done(&r));
	HOLDS(got.last == seg->last && got.raw_len == seg->raw_len);
	HOLDS(got.body_len == seg->body_len && memcmp(got.body, seg->body, seg->body_len) == 0);
	HOLDS(memcmp(got.signature, seg->signature, STORE_SIGNATURE) == 0);
	if (known == NULL)
		HOLDS(got.seeds_len == seg->seeds_len &&
		      memcmp(got.seeds, seg->seeds, seg->seeds_len) == 0);
	buf_free(&out);
	arena_free(&a);
}

static void
read_short(uint8_t *bytes, size_t size)
{
	struct sync_segment_at at = { .n = 7 };
	struct arena a = { .limit = LIMIT };
	struct store_segment seg;
	struct rd r = rd_from(bytes, size);
	struct err err;
	int rc = sync_segment_read_short(&r, &at, day_seed, &a, &seg, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT);
	if (rc == 0) {
		help_mend_pack(bytes + (seg.body - bytes), seg.body_len);
		check_short(&seg, NULL);
		check_short(&seg, day_seed);
		(void)prove(&seg);
	}
	arena_free(&a);
}

/* ---- the whole form ---- */

static void
mend_whole(uint8_t *bytes, size_t size)
{
	uint8_t hash[HASH_16];

	hash_once(hash, sizeof hash, bytes, size - CHECK);
	memcpy(bytes + size - CHECK, hash, CHECK);
}

static void
check_whole(const struct store_segment *seg, const struct sync_site *site, const char *scope,
            const struct rd *rest, const uint8_t *bytes)
{
	struct buf out = { 0 };

	sync_segment_write(&out, seg, site, scope);
	HOLDS(help_same(&out, bytes, (size_t)(rest->at - bytes)));
	buf_free(&out);
}

/* A head is signed for its stream and number alone. */
static void
check_signature(struct store_segment *seg, const struct sync_site *site, const char *scope)
{
	struct sync_key key = help_key(1);
	const uint8_t *public_key = key.public_key;
	struct sync_site other = *site;

	other.epoch[0] ^= 1;
	sync_sign_head(&key, site, scope, seg->last, seg->head, seg->signature);
	HOLDS(sync_verify_head(public_key, site, scope, seg->last, seg->head, seg->signature));
	HOLDS(!sync_verify_head(public_key, site, scope, seg->last + 1, seg->head, seg->signature));
	HOLDS(!sync_verify_head(public_key, site, "x", seg->last, seg->head, seg->signature) ||
	      strcmp(scope, "x") == 0);
	HOLDS(!sync_verify_head(public_key, &other, scope, seg->last, seg->head, seg->signature));
}

static void
read_whole(uint8_t *bytes, size_t size)
{
	struct arena a = { .limit = LIMIT };
	struct store_segment seg;
	struct sync_site site;
	const char *scope;
	struct rd r;
	struct err err;
	int rc;

	mend_whole(bytes, size);
	r = rd_from(bytes, size);
	rc = sync_segment_read(&r, &a, &seg, &site, &scope, &err);
	HOLDS(rc == 0 || rc == ERR_CORRUPT);
	if (rc == 0) {
		check_whole(&seg, &site, scope, &r, bytes);
		help_mend_pack(bytes + (seg.body - bytes), seg.body_len);
		if (prove(&seg))
			check_signature(&seg, &site, scope);
	}
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size <= CHECK)
		return 0;
	HOLDS(hash_init());
	copy = malloc(size);
	HOLDS(copy != NULL);
	memcpy(copy, data, size);
	read_short(copy, size);
	memcpy(copy, data, size);
	read_whole(copy, size);
	free(copy);
	return 0;
}

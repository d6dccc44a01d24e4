/*
 * tests/fuzz/pack.c - any bytes as a packed body, and as a segment in either
 * form: refused, or of exactly the length that was said.
 *
 * Input: raw length (2 bytes, little endian), packed bytes; their check is made
 * right once more, so that the fuzzer gets past it.
 */
#include "sync/codec/pack.h"
#include "store/base/hash.h"
#include "sync/codec/segment.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_forms(const uint8_t *data, size_t size)
{
	static const uint8_t seed[STORE_SEED] = { 1 };
	struct sync_segment_at at = { .n = 7 };
	struct arena arena = { .limit = 1 << 20 };
	struct store_segment seg;
	struct sync_site site;
	const char *scope;
	struct err err;
	struct rd r = rd_from(data, size);
	int rc = sync_segment_read(&r, &arena, &seg, &site, &scope, &err);

	if (rc != 0 && rc != ERR_CORRUPT)
		abort();
	r = rd_from(data, size);
	rc = sync_segment_read_short(&r, &at, seed, &arena, &seg, &err);
	if (rc != 0 && rc != ERR_CORRUPT)
		abort();
	arena_free(&arena);
}

static void
unpack(const uint8_t *packed, size_t len, size_t raw_len)
{
	struct buf out = { 0 };
	struct err err;
	int rc = sync_unpack(packed, len, raw_len, &out, &err);

	if ((rc == 0 && out.len != raw_len) || (rc != 0 && rc != ERR_CORRUPT && rc != ERR_NOMEM))
		abort();
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { NUMBER = 2, CHECK = 3, BLOCKS = 7 }; /* offsets */
	uint8_t *mended, full[HASH_16];
	struct hash h;
	size_t raw_len;

	read_forms(data, size);
	if (size < BLOCKS)
		return 0;
	raw_len = (size_t)(data[0] | data[1] << 8);
	unpack(data + NUMBER, size - NUMBER, raw_len);
	mended = malloc(size);
	if (mended == NULL)
		return 0;
	memcpy(mended, data, size);
	hash_start(&h, sizeof full);
	hash_add(&h, data + NUMBER, 1);
	hash_add(&h, data + BLOCKS, size - BLOCKS);
	hash_end(&h, full);
	memcpy(mended + CHECK, full, BLOCKS - CHECK);
	unpack(mended + NUMBER, size - NUMBER, raw_len);
	free(mended);
	return 0;
}

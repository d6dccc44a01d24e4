/*
 * tests/fuzz/pack.c - any bytes as a packed body, and as a segment in either
 * form: refused, or of exactly the length that was said.
 *
 * Input: raw length (2 bytes, little endian), packed bytes.
 */
#include "sync/pack.h"
#include "sync/segment.h"

#include <stdlib.h>

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = { 0 };
	struct err err;
	size_t raw_len;
	int rc;

	read_forms(data, size);
	if (size < 2)
		return 0;
	raw_len = (size_t)(data[0] | data[1] << 8);
	rc = sync_unpack(data + 2, size - 2, raw_len, &out, &err);
	if ((rc == 0 && out.len != raw_len) || (rc != 0 && rc != ERR_CORRUPT && rc != ERR_NOMEM))
		abort();
	buf_free(&out);
	return 0;
}

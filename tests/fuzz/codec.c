/*
 * tests/fuzz/codec.c - any bytes as a body: refused, or records that encode to a
 * body of the same records.
 *
 * Input: number of records (2 bytes, little endian), body.
 */
#include "sync/codec/codec.h"
#include "store/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEMAS = 2, ARENA = 16 << 20 };

static struct store_column columns[SCHEMAS][5] = {
	{ { .name = "id", .key = 1 },
	  { .name = "a" },
	  { .name = "b" },
	  { .name = "c" },
	  { .name = "d" } },
	{ { .name = "child", .key = 2 }, { .name = "day", .key = 1 }, { .name = "a" } },
};
static struct store_schema schemas[SCHEMAS] = {
	{ .table = "one",
	  .scope_prefix = "all",
	  .scope_column = -1,
	  .column_count = 5,
	  .columns = columns[0] },
	{ .table = "two",
	  .scope_prefix = "all",
	  .scope_column = -1,
	  .column_count = 3,
	  .columns = columns[1] },
};

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	(void)ctx, (void)err;
	return no >= 1 && no <= SCHEMAS ? &schemas[no - 1] : NULL;
}

static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	struct arena arena = { .limit = ARENA };
	struct store_schema *schema;
	int rc = store_schema_read(def->bytes, def->len, &arena, &schema, err);

	(void)ctx;
	arena_free(&arena);
	return rc;
}

static void
write_all(struct buf *out, const struct sync_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (records[i].type == SYNC_REDACTED)
			buf_put(out, records[i].leaf, STORE_HEAD);
		else
			sync_record_write(out, &records[i]);
}

/* What was decoded must survive being encoded again. */
static void
again(const struct sync_codec_schemas *by, const struct sync_record *records, size_t count)
{
	struct arena arena = { .limit = ARENA };
	struct buf raw = { 0 }, want = { 0 }, got = { 0 };
	struct sync_record *decoded;
	struct err err;

	if (sync_codec_encode(records, count, &raw, &err) < 0 ||
	    sync_codec_decode(&(struct sync_raw){ raw.bytes, raw.len, count }, by, &arena, &decoded,
	                      &err) < 0)
		abort();
	write_all(&want, records, count);
	write_all(&got, decoded, count);
	if (want.len == 0 || want.len != got.len || memcmp(want.bytes, got.bytes, want.len) != 0)
		abort();
	buf_free(&raw);
	buf_free(&want);
	buf_free(&got);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sync_codec_schemas by = { .resolve = resolve, .define = define };
	struct arena arena = { .limit = 1 << 18 };
	struct sync_record *records;
	struct err err;
	size_t count;
	int rc;

	for (size_t i = 0; i < SCHEMAS; i++)
		for (unsigned k = 0; k < schemas[i].column_count; k++)
			columns[i][k].type = "";
	for (size_t i = 0; i < SCHEMAS; i++)
		if (schemas[i].key_count == 0 && store_schema_finish(&schemas[i], &err) < 0)
			abort();
	if (size < 2)
		return 0;
	count = (size_t)(data[0] | data[1] << 8);
	rc = sync_codec_decode(&(struct sync_raw){ data + 2, size - 2, count }, &by, &arena,
	                       &records, &err);
	if (rc == 0)
		again(&by, records, count);
	else if (rc != ERR_CORRUPT && rc != ERR_NOMEM)
		abort();
	arena_free(&arena);
	return 0;
}

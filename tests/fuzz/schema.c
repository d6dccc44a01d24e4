/*
 * tests/fuzz/schema.c - any bytes as the definition of a table: refused, or a
 * schema whose definition they are.
 *
 * Input: definition bytes.
 */
#include "store/schema.h"
#include "tests/fuzz/help.h"

#include <string.h>

static void
check_derived(struct store_schema *s)
{
	struct store_schema again = *s;
	struct err err;
	uint64_t all = s->cells;

	for (unsigned i = 0; i < s->key_count; i++) {
		HOLDS((all & (uint64_t)1 << s->keys[i]) == 0);
		all |= (uint64_t)1 << s->keys[i];
	}
	HOLDS(s->column_count <= STORE_COLUMNS_MAX && s->key_count >= 1);
	HOLDS(all == ((uint64_t)1 << s->column_count) - 1);
	for (unsigned i = 0; i < s->column_count; i++) {
		uint64_t wide = store_schema_widen(s, (uint64_t)1 << i);

		HOLDS((wide >> i & 1) == 1 && store_schema_widen(s, wide) == wide);
		HOLDS(store_schema_find(s, s->columns[i].name) == (int)i);
	}
	HOLDS(store_schema_finish(&again, &err) == 0);
	HOLDS(memcmp(again.hash, s->hash, sizeof s->hash) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { .limit = 1 << 18 };
	struct store_schema *s;
	struct buf out = { 0 };
	struct err err;
	int rc = store_schema_read(data, size, &arena, &s, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT || rc == ERR_NOMEM);
	if (rc == 0) {
		store_schema_write(&out, s);
		HOLDS(help_same(&out, data, size));
		check_derived(s);
	}
	buf_free(&out);
	arena_free(&arena);
	return 0;
}

#include "tests/fuzz/help.h"

#include "store/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
help_broken(const char *file, int line, const char *claim)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
	abort();
}

struct sync_key
help_key(uint8_t n)
{
	enum { KEYS = 4 };
	static struct sync_key keys[KEYS];
	static bool made;
	uint8_t seed[SYNC_SEED_KEY];

	HOLDS(n < KEYS);
	for (uint8_t i = 0; !made && i < KEYS; i++) {
		HOLDS(hash_init());
		memset(seed, i, sizeof seed);
		sync_key_from_seed(&keys[i], seed);
	}
	made = true;
	return keys[n];
}

char *
help_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	HOLDS(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = 0;
	return text;
}

char *
help_cut(const uint8_t **data, size_t *size, char mark)
{
	const uint8_t *at = *size == 0 ? NULL : memchr(*data, mark, *size);
	size_t len = at == NULL ? *size : (size_t)(at - *data);
	char *text = help_text(*data, len);

	len += at != NULL;
	*data += len;
	*size -= len;
	return text;
}

void
help_mend_pack(uint8_t *packed, size_t len)
{
	enum { CHECK = 1, BLOCKS = 5 }; /* offsets */
	uint8_t full[HASH_16];
	struct hash h;

	if (len < BLOCKS)
		return;
	hash_start(&h, sizeof full);
	hash_add(&h, packed, CHECK);
	hash_add(&h, packed + BLOCKS, len - BLOCKS);
	hash_end(&h, full);
	memcpy(packed + CHECK, full, BLOCKS - CHECK);
}

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	const struct help_schemas *s = ctx;

	(void)err;
	return no >= 1 && no <= s->count ? s->list[no - 1] : NULL;
}

static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	struct help_schemas *s = ctx;
	struct store_schema *schema;
	int rc;

	if (s->count == HELP_SCHEMAS || def->no != s->count + 1)
		return err_set(err, ERR_CORRUPT, "another number than the next");
	rc = store_schema_read(def->bytes, def->len, &s->arena, &schema, err);
	if (rc == 0)
		s->list[s->count++] = schema;
	return rc;
}

struct sync_codec_schemas
help_schemas_of(struct help_schemas *s)
{
	return (struct sync_codec_schemas){ .resolve = resolve, .define = define, .ctx = s };
}

bool
help_same(const struct buf *a, const void *bytes, size_t len)
{
	return !a->bad && a->len == len && (len == 0 || memcmp(a->bytes, bytes, len) == 0);
}

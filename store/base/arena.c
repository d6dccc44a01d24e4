#include "store/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_FIRST = 4 * 1024, ARENA_BLOCK = 64 * 1024 };

struct arena_block {
	struct arena_block *below;
	size_t used;
	size_t cap;
	alignas(max_align_t) uint8_t bytes[];
};

/* The next block is twice the last one: most arenas stay small, and what isn't used is zeroed too.
 */
static size_t
usual_size(const struct arena *a)
{
	size_t twice = a->top == NULL ? ARENA_FIRST : 2 * a->top->cap;

	return twice < ARENA_BLOCK ? twice : ARENA_BLOCK;
}

/* calloc: a large block comes from the system as zeros, which needn't be written again. */
static struct arena_block *
add_block(struct arena *a, size_t size)
{
	size_t usual = usual_size(a);
	size_t cap = size > usual ? size : usual;
	struct arena_block *block = calloc(1, sizeof *block + cap);

	if (block == NULL)
		return NULL;
	block->below = a->top;
	block->cap = cap;
	a->top = block;
	return block;
}

static void *
take(struct arena *a, size_t count, size_t size)
{
	struct arena_block *block = a->top;
	size_t len;
	uint8_t *at;

	if (size != 0 && count > (SIZE_MAX / 4) / size) {
		a->over = a->limit != 0;
		return NULL;
	}
	len = (count * size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (a->limit != 0 && len > a->limit - (a->used < a->limit ? a->used : a->limit)) {
		a->over = true;
		return NULL;
	}
	if (block == NULL || len > block->cap - block->used)
		block = add_block(a, len);
	if (block == NULL)
		return NULL;
	at = block->bytes + block->used;
	block->used += len;
	a->used += len;
	return at;
}

void *
arena_take(struct arena *a, size_t count, size_t size)
{
	void *at = take(a, count, size);

	a->spent = a->spent || at == NULL;
	return at;
}

void *
arena_copy(struct arena *a, const void *bytes, size_t len)
{
	uint8_t *at = arena_take(a, len + 1, 1);

	if (at != NULL && len > 0)
		memcpy(at, bytes, len);
	return at;
}

void
arena_free(struct arena *a)
{
	while (a->top != NULL) {
		struct arena_block *below = a->top->below;

		free(a->top);
		a->top = below;
	}
	a->used = 0;
	a->spent = a->over = false;
}

/*
 * store/base/arena.h - many small allocations that die together.
 *
 * A decoder or a batch takes pieces from an arena and frees them all at once.
 * `limit` bounds what bytes from outside can make us allocate.  A zeroed struct
 * arena is empty and unlimited.
 */
#ifndef STORE_BASE_ARENA_H
#define STORE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *top;
	size_t used;  /* bytes handed out */
	size_t limit; /* 0: none */
	bool spent;   /* something was not given since it was empty: to be asked once, at the end */
	bool over;    /* its limit was why: what came is too large, the machine has memory */
};

/*
 * Take `count` zeroed items of `size` bytes, aligned for any type; NULL if memory or the limit is
 * spent (also on overflow of count * size).  Never NULL for a count of 0.
 */
void *arena_take(struct arena *a, size_t count, size_t size);

/* Copy `len` bytes into the arena, with a zero behind them; NULL as above. */
void *arena_copy(struct arena *a, const void *bytes, size_t len);

/* Free everything taken; the arena keeps its limit and is usable again. */
void arena_free(struct arena *a);

#endif /* STORE_BASE_ARENA_H */

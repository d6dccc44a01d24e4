#include "tests/memory.h"

#include <stdlib.h>

static bool armed, hit;
static unsigned good_left;

static bool
refuse(void)
{
	if (!armed)
		return false;
	if (good_left > 0) {
		good_left--;
		return false;
	}
	hit = true;
	return true;
}

/* By the linker's names for a wrapped function and for the one behind it. */
void *real_malloc(size_t size) __asm__("__real_malloc");
void *real_calloc(size_t count, size_t size) __asm__("__real_calloc");
void *real_realloc(void *old, size_t size) __asm__("__real_realloc");
void *faulty_malloc(size_t size) __asm__("__wrap_malloc");
void *faulty_calloc(size_t count, size_t size) __asm__("__wrap_calloc");
void *faulty_realloc(void *old, size_t size) __asm__("__wrap_realloc");

void *
faulty_malloc(size_t size)
{
	return refuse() ? NULL : real_malloc(size);
}

void *
faulty_calloc(size_t count, size_t size)
{
	return refuse() ? NULL : real_calloc(count, size);
}

void *
faulty_realloc(void *old, size_t size)
{
	return refuse() ? NULL : real_realloc(old, size);
}

void
memory_arm(unsigned good)
{
	armed = true;
	hit = false;
	good_left = good;
}

bool
memory_disarm(void)
{
	armed = false;
	return hit;
}

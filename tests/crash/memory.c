/*
 * tests/crash/memory.c - the program's memory, which can fail at a point.
 *
 * The linker gives every call of malloc and its family in our objects and in
 * SQLite's to the functions here (--wrap); shared libraries keep their own.
 */
#include "tests/crash/crash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The names are the linker's. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
void __wrap_free(void *at);
void __wrap___assert_fail(const char *what, const char *file, unsigned line, const char *function);

static bool armed, lasting, hit;
static uint64_t at, seen;
static int64_t live;

static bool
refuse(void)
{
	if (!armed)
		return false;
	seen++;
	if (seen - 1 < at || (seen - 1 > at && !lasting))
		return false;
	hit = true;
	errno = ENOMEM;
	return true;
}

static void *
counted(void *block)
{
	live += block != NULL;
	return block;
}

void *
__wrap_malloc(size_t size)
{
	return refuse() ? NULL : counted(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return refuse() ? NULL : counted(__real_calloc(count, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
	if (refuse())
		return NULL;
	return old == NULL ? counted(__real_realloc(old, size)) : __real_realloc(old, size);
}

char *
__wrap_strndup(const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	char *copy = __wrap_malloc(len + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = 0;
	return copy;
}

char *
__wrap_strdup(const char *text)
{
	return __wrap_strndup(text, strlen(text));
}

void
__wrap_free(void *block)
{
	live -= block != NULL;
	__real_free(block);
}

/* Not like the abort() of who has no memory: our own code is wrong. */
void
__wrap___assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
	crash_fail("%s:%u: %s: assertion failed: %s", file, line, function, what);
}

void *
memory_real(void *old, size_t size)
{
	return __real_realloc(old, size);
}

void
memory_real_free(void *block)
{
	__real_free(block);
}

/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

void
memory_arm(uint64_t point, bool for_ever)
{
	armed = true;
	lasting = for_ever;
	hit = false;
	at = point;
	seen = 0;
}

bool
memory_disarm(void)
{
	armed = false;
	return hit;
}

uint64_t
memory_seen(void)
{
	return seen;
}

int64_t
memory_live(void)
{
	return live;
}

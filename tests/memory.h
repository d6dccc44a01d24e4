/*
 * tests/memory.h - make our own memory run out at a chosen moment: malloc, calloc
 * and realloc as the project's objects call them (the linker's --wrap).  What
 * shared libraries take for themselves isn't seen.
 *
 * The pattern is that of tests/fault.h, which does it to SQLite alone.
 */
#ifndef TESTS_MEMORY_H
#define TESTS_MEMORY_H

#include <stdbool.h>

/* Let `good` allocations succeed, then fail every one until memory_disarm(). */
void memory_arm(unsigned good);

/* Stop failing.  True if any allocation was refused since memory_arm(). */
bool memory_disarm(void);

#endif /* TESTS_MEMORY_H */

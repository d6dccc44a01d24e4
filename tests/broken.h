/*
 * tests/broken.h - let a call of a library, or of our arena's, fail, or something else
 * happen in the middle of it, as the project's objects make it (the linker's --wrap).
 *
 * What a library takes for itself tests/memory.h can't see: here zstd says that it
 * got none, and SQLite that its disk failed.  The pattern is that of tests/memory.h,
 * but one call alone fails: whoever takes its failure for an answer goes on.
 */
#ifndef TESTS_BROKEN_H
#define TESTS_BROKEN_H

#include <stdbool.h>

enum broken {
	BROKEN_NOTHING,
	BROKEN_MEMORY, /* whoever asks for it (tests/memory.h): all that follow fail, too */
	BROKEN_CREATE_PACKER,
	BROKEN_CREATE_UNPACKER,
	BROKEN_CREATE_PACKING_DICTIONARY,
	BROKEN_CREATE_UNPACKING_DICTIONARY,
	BROKEN_PARAMETER,
	BROKEN_USE_PACKING_DICTIONARY,
	BROKEN_USE_UNPACKING_DICTIONARY,
	BROKEN_COMPRESS,
	BROKEN_STEP, /* sqlite3_step: SQLITE_IOERR */
	BROKEN_EXEC, /* sqlite3_exec: the same */
	BROKEN_TAKE, /* arena_take, arena_copy: NULL, as if a new block were due, and there's none
	              */
};

/* Let `good` calls of that function through, then fail one. */
void broken_arm(enum broken which, unsigned good);

/* Nothing is to fail.  True if a call did since broken_arm(). */
bool broken_disarm(void);

/* Once, when that function is called next, call `meanwhile` before it works: what another thread
 * may do in that instant. */
void broken_meanwhile(enum broken which, void (*meanwhile)(void));

#endif /* TESTS_BROKEN_H */

#include "tests/broken.h"

#include "store/base/arena.h"
#include "tests/memory.h"

#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_createDDict's like, as sync/codec/pack.c does */
#include <sqlite3.h>
#include <stddef.h>
#include <zstd.h>
#include <zstd_errors.h>

static enum broken failing, watched;
static unsigned good_left;
static bool hit;
static void (*at_once)(void);

static const size_t no_memory = (size_t)-ZSTD_error_memory_allocation;

/* Is this call to fail?  Does first what was to happen meanwhile. */
static bool
fails(enum broken which)
{
	if (watched == which) {
		watched = BROKEN_NOTHING;
		at_once();
	}
	if (failing != which)
		return false;
	if (good_left > 0) {
		good_left--;
		return false;
	}
	failing = BROKEN_NOTHING;
	hit = true;
	return true;
}

void
broken_arm(enum broken which, unsigned good)
{
	failing = which;
	good_left = good;
	hit = false;
	if (which == BROKEN_MEMORY)
		memory_arm(good);
}

bool
broken_disarm(void)
{
	if (failing == BROKEN_MEMORY)
		hit = memory_disarm();
	failing = BROKEN_NOTHING;
	return hit;
}

void
broken_meanwhile(enum broken which, void (*meanwhile)(void))
{
	watched = which;
	at_once = meanwhile;
}

/* By the linker's names for a wrapped function and for the one behind it. */
#define REAL(name) __asm__("__real_" #name)
#define WRAP(name) __asm__("__wrap_" #name)

ZSTD_CCtx *real_create_packer(void) REAL(ZSTD_createCCtx);
ZSTD_CCtx *create_packer(void) WRAP(ZSTD_createCCtx);
ZSTD_DCtx *real_create_unpacker(void) REAL(ZSTD_createDCtx);
ZSTD_DCtx *create_unpacker(void) WRAP(ZSTD_createDCtx);
ZSTD_CDict *real_packing_dict(const void *bytes, size_t len, int level) REAL(ZSTD_createCDict);
ZSTD_CDict *packing_dict(const void *bytes, size_t len, int level) WRAP(ZSTD_createCDict);
ZSTD_DDict *real_unpacking_dict(const void *bytes, size_t len) REAL(ZSTD_createDDict);
ZSTD_DDict *unpacking_dict(const void *bytes, size_t len) WRAP(ZSTD_createDDict);
size_t real_parameter(ZSTD_CCtx *z, ZSTD_cParameter name, int v) REAL(ZSTD_CCtx_setParameter);
size_t parameter(ZSTD_CCtx *z, ZSTD_cParameter name, int v) WRAP(ZSTD_CCtx_setParameter);
size_t real_use_packing(ZSTD_CCtx *z, const ZSTD_CDict *dict) REAL(ZSTD_CCtx_refCDict);
size_t use_packing(ZSTD_CCtx *z, const ZSTD_CDict *dict) WRAP(ZSTD_CCtx_refCDict);
size_t real_use_unpacking(ZSTD_DCtx *z, const ZSTD_DDict *dict) REAL(ZSTD_DCtx_refDDict);
size_t use_unpacking(ZSTD_DCtx *z, const ZSTD_DDict *dict) WRAP(ZSTD_DCtx_refDDict);
size_t real_compress(ZSTD_CCtx *z, void *to, size_t room, const void *from, size_t len)
        REAL(ZSTD_compress2);
size_t compress(ZSTD_CCtx *z, void *to, size_t room, const void *from, size_t len)
        WRAP(ZSTD_compress2);
int real_step(sqlite3_stmt *stmt) REAL(sqlite3_step);
int step(sqlite3_stmt *stmt) WRAP(sqlite3_step);
int real_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx,
              char **words) REAL(sqlite3_exec);
int exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx,
         char **words) WRAP(sqlite3_exec);

void *real_arena_take(struct arena *a, size_t count, size_t size) REAL(arena_take);
void *take(struct arena *a, size_t count, size_t size) WRAP(arena_take);
void *real_arena_copy(struct arena *a, const void *bytes, size_t len) REAL(arena_copy);
void *copy(struct arena *a, const void *bytes, size_t len) WRAP(arena_copy);

ZSTD_CCtx *
create_packer(void)
{
	return fails(BROKEN_CREATE_PACKER) ? NULL : real_create_packer();
}

ZSTD_DCtx *
create_unpacker(void)
{
	return fails(BROKEN_CREATE_UNPACKER) ? NULL : real_create_unpacker();
}

ZSTD_CDict *
packing_dict(const void *bytes, size_t len, int level)
{
	return fails(BROKEN_CREATE_PACKING_DICTIONARY) ? NULL
	                                               : real_packing_dict(bytes, len, level);
}

ZSTD_DDict *
unpacking_dict(const void *bytes, size_t len)
{
	return fails(BROKEN_CREATE_UNPACKING_DICTIONARY) ? NULL : real_unpacking_dict(bytes, len);
}

size_t
parameter(ZSTD_CCtx *z, ZSTD_cParameter name, int v)
{
	return fails(BROKEN_PARAMETER) ? no_memory : real_parameter(z, name, v);
}

size_t
use_packing(ZSTD_CCtx *z, const ZSTD_CDict *dict)
{
	return fails(BROKEN_USE_PACKING_DICTIONARY) ? no_memory : real_use_packing(z, dict);
}

size_t
use_unpacking(ZSTD_DCtx *z, const ZSTD_DDict *dict)
{
	return fails(BROKEN_USE_UNPACKING_DICTIONARY) ? no_memory : real_use_unpacking(z, dict);
}

size_t
compress(ZSTD_CCtx *z, void *to, size_t room, const void *from, size_t len)
{
	return fails(BROKEN_COMPRESS) ? no_memory : real_compress(z, to, room, from, len);
}

int
step(sqlite3_stmt *stmt)
{
	return fails(BROKEN_STEP) ? SQLITE_IOERR : real_step(stmt);
}

int
exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx,
     char **words)
{
	return fails(BROKEN_EXEC) ? SQLITE_IOERR : real_exec(db, sql, row, ctx, words);
}

void *
take(struct arena *a, size_t count, size_t size)
{
	if (!fails(BROKEN_TAKE))
		return real_arena_take(a, count, size);
	a->spent = true;
	return NULL;
}

void *
copy(struct arena *a, const void *bytes, size_t len)
{
	if (!fails(BROKEN_TAKE))
		return real_arena_copy(a, bytes, len);
	a->spent = true;
	return NULL;
}

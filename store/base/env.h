/*
 * store/base/env.h - time and chance, which come in from outside.
 *
 * Nothing below cli/ and the shell in node/run reads a clock or draws a random
 * number except through this table, so a whole fleet can live in one process on
 * a virtual clock and every failure replays from its seed.
 */
#ifndef STORE_BASE_ENV_H
#define STORE_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct env {
	int64_t (*wall_ms)(void *ctx); /* UTC, ms since 1970; may jump */
	int64_t (*mono_ms)(void *ctx); /* never goes back; any origin */
	void (*rand)(void *ctx, void *bytes, size_t len);
	const char *vfs; /* SQLite VFS name, NULL for the default */
	void *ctx;
};

/* The real clock and the system's randomness.  Lives for ever. */
const struct env *env_real(void);

/* Short forms of the calls through the table. */
int64_t env_wall_ms(const struct env *env);

/* Milliseconds that never go back. */
int64_t env_mono_ms(const struct env *env);

/* Fill with random bytes. */
void env_rand(const struct env *env, void *bytes, size_t len);

#endif /* STORE_BASE_ENV_H */

#include "store/base/env.h"
#include "store/base/hash.h"

#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
real_wall(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_REALTIME);
}

static int64_t
real_mono(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_MONOTONIC);
}

static void
real_rand(void *ctx, void *bytes, size_t len)
{
	(void)ctx;
	hash_random(bytes, len);
}

const struct env *
env_real(void)
{
	static const struct env real = {
		.wall_ms = real_wall,
		.mono_ms = real_mono,
		.rand = real_rand,
	};

	return &real;
}

int64_t
env_wall_ms(const struct env *env)
{
	return env->wall_ms(env->ctx);
}

int64_t
env_mono_ms(const struct env *env)
{
	return env->mono_ms(env->ctx);
}

void
env_rand(const struct env *env, void *bytes, size_t len)
{
	env->rand(env->ctx, bytes, len);
}

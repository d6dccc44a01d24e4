#include "sync/clock.h"

/* Two clocks of one machine drift apart by less than a thousandth. */
static int64_t
slack(int64_t elapsed_ms)
{
	return SYNC_CLOCK_NEAR_MS + elapsed_ms / 1000;
}

static int64_t
elapsed(const struct sync_clock *c, const struct env *env)
{
	return env_mono_ms(env) - c->mono_ms;
}

/*
 * What the wall clock says, put right.  One that was behind and has leapt was set, or the machine
 * has slept; to take a sleep for the former makes it too early by the offset, once.
 */
static int64_t
said(const struct sync_clock *c, const struct env *env)
{
	int64_t wall = env_wall_ms(env), leapt = wall - c->wall_ms - elapsed(c, env);

	return c->offset_ms > 0 && leapt > slack(elapsed(c, env)) ? wall : wall + c->offset_ms;
}

static int64_t
least(const struct sync_clock *c, const struct env *env)
{
	return c->known_ms + elapsed(c, env);
}

static void
know(struct sync_clock *c, const struct env *env, int64_t known_ms)
{
	c->known_ms = known_ms > SYNC_CLOCK_RELEASED_MS ? known_ms : SYNC_CLOCK_RELEASED_MS;
	c->wall_ms = env_wall_ms(env);
	c->mono_ms = env_mono_ms(env);
}

void
sync_clock_start(struct sync_clock *c, const struct env *env, int64_t known_ms, int64_t offset_ms)
{
	know(c, env, known_ms);
	c->offset_ms = offset_ms < -SYNC_CLOCK_NEAR_MS ? offset_ms : 0;
}

void
sync_clock_hear(struct sync_clock *c, const struct env *env, int64_t hub_ms)
{
	int64_t off = hub_ms - env_wall_ms(env);

	know(c, env, hub_ms);
	c->offset_ms = off > -SYNC_CLOCK_NEAR_MS && off < SYNC_CLOCK_NEAR_MS ? 0 : off;
}

int64_t
sync_clock_now_ms(const struct sync_clock *c, const struct env *env)
{
	int64_t now = said(c, env);

	if (sync_clock_is_unsure(c, env))
		return least(c, env);
	return now > c->known_ms ? now : c->known_ms;
}

int64_t
sync_clock_time_of(const struct sync_clock *c, const struct env *env, int64_t at_ms)
{
	int64_t ago = env_wall_ms(env) - at_ms;
	int64_t at = sync_clock_now_ms(c, env) - (ago > 0 ? ago : 0);

	return at > c->known_ms ? at : c->known_ms;
}

bool
sync_clock_is_unsure(const struct sync_clock *c, const struct env *env)
{
	return said(c, env) < least(c, env) - slack(elapsed(c, env));
}

bool
sync_clock_doubts(int64_t wall_ms, int64_t offset_ms, int64_t known_ms)
{
	if (known_ms < SYNC_CLOCK_RELEASED_MS)
		known_ms = SYNC_CLOCK_RELEASED_MS;
	return wall_ms + offset_ms < known_ms - SYNC_CLOCK_NEAR_MS;
}

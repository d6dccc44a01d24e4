#include "sync/clock.h"

/* Two clocks of one machine drift apart by less than a thousandth. */
static int64_t
slack(int64_t elapsed_ms)
{
	return SYNC_CLOCK_NEAR_MS + elapsed_ms / 1000;
}

static int64_t
elapsed(const struct sync_clock_at *from, const struct sync_clock_at *to)
{
	return to->mono_ms - from->mono_ms;
}

/* How far the wall clock has leapt forward: it was set, or the machine has slept. */
static int64_t
leap(const struct sync_clock_at *from, const struct sync_clock_at *to)
{
	return to->wall_ms - from->wall_ms - elapsed(from, to);
}

/*
 * What the wall clock is off by.  One that was behind and has leapt was set; to take a sleep for
 * that makes the time too early by the offset, once.
 */
static int64_t
offset_at(const struct sync_clock *c, const struct sync_clock_at *now)
{
	bool set = leap(&c->at, now) > slack(elapsed(&c->at, now));

	return c->offset_ms > 0 && set ? 0 : c->offset_ms;
}

/* What it says, put right. */
static int64_t
said(const struct sync_clock *c, const struct sync_clock_at *now)
{
	return now->wall_ms + offset_at(c, now);
}

static int64_t
least(const struct sync_clock *c, const struct sync_clock_at *now)
{
	return c->known_ms + elapsed(&c->at, now);
}

static bool
unsure(const struct sync_clock *c, const struct sync_clock_at *now)
{
	return said(c, now) < least(c, now) - slack(elapsed(&c->at, now));
}

static void
know(struct sync_clock *c, const struct sync_clock_at *at, int64_t known_ms)
{
	c->known_ms = known_ms > SYNC_CLOCK_RELEASED_MS ? known_ms : SYNC_CLOCK_RELEASED_MS;
	c->at = *at;
}

struct sync_clock_at
sync_clock_look(const struct env *env)
{
	return (struct sync_clock_at){ env_wall_ms(env), env_mono_ms(env) };
}

void
sync_clock_start(struct sync_clock *c, const struct env *env, int64_t known_ms, int64_t offset_ms)
{
	struct sync_clock_at now = sync_clock_look(env);

	know(c, &now, known_ms);
	c->offset_ms = offset_ms < -SYNC_CLOCK_NEAR_MS ? offset_ms : 0;
}

/*
 * The wall clock as it stands at the end said that much earlier when the request went out: by what
 * the other clock has counted, and, if it has leapt, perhaps by what it said itself.  Whether it
 * was set or the machine has slept needn't be known: what was thought before tells.
 */
int64_t
sync_clock_offset_by(const struct sync_clock *c, const struct sync_clock_heard *h)
{
	int64_t thought =
	        unsure(c, &h->came) ? least(c, &h->came) - h->came.wall_ms : offset_at(c, &h->came);
	int64_t counted = h->came.wall_ms - elapsed(&h->asked, &h->came);
	int64_t asked = leap(&h->asked, &h->came) > 0 ? h->asked.wall_ms : counted;
	int64_t low = h->hub_ms - h->came.wall_ms, high = h->hub_ms - asked;

	return thought < low ? low : thought > high ? high : thought;
}

void
sync_clock_hear(struct sync_clock *c, const struct sync_clock_heard *heard)
{
	int64_t off = sync_clock_offset_by(c, heard);

	know(c, &heard->came, heard->hub_ms);
	c->offset_ms = off > -SYNC_CLOCK_NEAR_MS && off < SYNC_CLOCK_NEAR_MS ? 0 : off;
}

int64_t
sync_clock_now_ms(const struct sync_clock *c, const struct env *env)
{
	struct sync_clock_at at = sync_clock_look(env);
	int64_t now = said(c, &at);

	if (unsure(c, &at))
		return least(c, &at);
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
	struct sync_clock_at now = sync_clock_look(env);

	return unsure(c, &now);
}

bool
sync_clock_doubts(int64_t wall_ms, int64_t offset_ms, int64_t known_ms)
{
	if (known_ms < SYNC_CLOCK_RELEASED_MS)
		known_ms = SYNC_CLOCK_RELEASED_MS;
	return wall_ms + offset_ms < known_ms - SYNC_CLOCK_NEAR_MS;
}

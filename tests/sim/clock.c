/* tests/sim/clock.c - two clocks a machine. */
#include "tests/sim/clock.h"

struct sim_clock
sim_clock_right(int64_t now)
{
	return (struct sim_clock){ .true_ms = now, .wall_ms = now, .booted_ms = now - 1000 };
}

int64_t
sim_clock_wall(const struct sim_clock *c, int64_t now)
{
	int64_t passed = now - c->true_ms;

	return c->wall_ms + passed + passed * c->ppm / 1000000;
}

int64_t
sim_clock_mono(const struct sim_clock *c, int64_t now)
{
	return now - c->booted_ms;
}

void
sim_clock_set(struct sim_clock *c, int64_t now, int64_t wall_ms)
{
	c->wall_ms = wall_ms;
	c->true_ms = now;
}

void
sim_clock_drift(struct sim_clock *c, int64_t now, int64_t ppm)
{
	sim_clock_set(c, now, sim_clock_wall(c, now));
	c->ppm = ppm;
}

void
sim_clock_boot(struct sim_clock *c, int64_t now)
{
	c->booted_ms = now - 1000;
}

void
sim_clock_slept(struct sim_clock *c, int64_t ms)
{
	c->booted_ms += ms;
}

/*
 * tests/sim/clock.h - what a machine believes the time to be.
 *
 * True time is the simulator's.  A machine's wall clock runs off it by some
 * parts in a million, is stepped, or begins in 1970 at a boot; its monotonic
 * clock begins at each boot and stands still while the machine is suspended.
 */
#ifndef TESTS_SIM_CLOCK_H
#define TESTS_SIM_CLOCK_H

#include <stdint.h>

struct sim_clock {
	int64_t true_ms, wall_ms; /* at the last setting */
	int64_t ppm;
	int64_t booted_ms; /* true time at which the monotonic clock was 0 */
};

/* A clock that is right now. */
struct sim_clock sim_clock_right(int64_t now);

/* UTC as the machine has it. */
int64_t sim_clock_wall(const struct sim_clock *c, int64_t now);

/* Since boot, without the time asleep. */
int64_t sim_clock_mono(const struct sim_clock *c, int64_t now);

/* Somebody sets it. */
void sim_clock_set(struct sim_clock *c, int64_t now, int64_t wall_ms);

/* From now on it runs off by so many parts in a million. */
void sim_clock_drift(struct sim_clock *c, int64_t now, int64_t ppm);

/* The machine starts: monotonic time begins anew. */
void sim_clock_boot(struct sim_clock *c, int64_t now);

/* It slept for so long: wall time went on, monotonic time did not. */
void sim_clock_slept(struct sim_clock *c, int64_t ms);

#endif /* TESTS_SIM_CLOCK_H */

/*
 * sync/clock.h - what time it is, as far as anybody here can know.
 *
 * A wall clock may lie: no battery, a wrong zone, a person.  Every reply of the
 * hub tells its time, and what it tells is the truth here.  Between replies, and
 * after a start without a line:
 *
 *   the wall clock, by the offset that           it ran on since
 *     the hub's last reply showed
 *   the wall clock alone                         it was behind, and has leapt
 *   the last time that is known, and how         it stands before that: unsure
 *     long that is ago
 *
 * So a mistake makes stamps too early, which costs nothing but their own weight;
 * too late they would be only with a clock that was set forward, and those the
 * hub holds back (sync/ahead.h).
 */
#ifndef SYNC_CLOCK_H
#define SYNC_CLOCK_H

#include "store/base/env.h"

#include <stdbool.h>

enum { SYNC_CLOCK_NEAR_MS = 2000 }; /* the line's delay, and a clock that is right */

/* No clock that is right stands before this program was made (2026-01-01). */
#define SYNC_CLOCK_RELEASED_MS ((int64_t)1767225600000)

/* Of a node, in yz_meta: the hub's time when it was last heard. */
#define SYNC_META_KNOWN "hub_time"

struct sync_clock {
	int64_t offset_ms; /* the hub's time - our wall clock, when it was last heard; 0: near */
	int64_t known_ms;  /* a time that has been: the hub's latest */
	int64_t wall_ms, mono_ms; /* our clocks when that was learnt */
};

/*
 * At a start: `known_ms` is what was known last (0: nothing), `offset_ms` what our clock was off by
 * then.  Of a clock that was behind nobody can tell whether it has been set since.
 */
void sync_clock_start(struct sync_clock *c, const struct env *env, int64_t known_ms,
                      int64_t offset_ms);

/* The hub has told its time. */
void sync_clock_hear(struct sync_clock *c, const struct env *env, int64_t hub_ms);

/* The best estimate of the time. */
int64_t sync_clock_now_ms(const struct sync_clock *c, const struct env *env);

/* The same for what our wall clock noted as `at_ms`; never later than now. */
int64_t sync_clock_time_of(const struct sync_clock *c, const struct env *env, int64_t at_ms);

/* Does our clock stand where the time can't be? */
bool sync_clock_is_unsure(const struct sync_clock *c, const struct env *env);

/* The same of a file that lies still: by its wall clock, offset and what it knew last. */
bool sync_clock_doubts(int64_t wall_ms, int64_t offset_ms, int64_t known_ms);

#endif /* SYNC_CLOCK_H */

/*
 * sync/clock.h - what time it is, as far as anybody here can know.
 *
 * A wall clock may lie: no battery, a wrong zone, a person.  Every reply of the
 * hub tells its time, and what it tells is the truth here.  When it was said is
 * known less well:
 *
 *   request goes out      the hub looks at its clock      reply has come
 *   ├── goes up, waits ───────────┼─── comes down ────────────┤
 *
 * On a slow line either way takes minutes, so what our clock is off by lies
 * somewhere between the two ends.  What was thought before stays as long as it
 * does, too; else it becomes the nearer end.
 *
 * Between replies, and after a start without a line:
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

enum { SYNC_CLOCK_NEAR_MS = 2000 }; /* so near it is taken for right */

/* No clock that is right stands before this program was made (2026-01-01). */
#define SYNC_CLOCK_RELEASED_MS ((int64_t)1767225600000)

/* Of a node, in yz_meta: the hub's time when it was last heard. */
#define SYNC_META_KNOWN "hub_time"

/* What our two clocks say. */
struct sync_clock_at {
	int64_t wall_ms, mono_ms;
};

struct sync_clock {
	int64_t offset_ms; /* the hub's time - our wall clock, when it was last heard; 0: near */
	int64_t known_ms;  /* a time that has been: the hub's latest */
	struct sync_clock_at at; /* when that was learnt */
};

/* The hub has told its time, between these two. */
struct sync_clock_heard {
	int64_t hub_ms;
	struct sync_clock_at asked, came; /* the request went out; the reply was there */
};

/*
 * At a start: `known_ms` is what was known last (0: nothing), `offset_ms` what our clock was off by
 * then.  Of a clock that was behind nobody can tell whether it has been set since.
 */
void sync_clock_start(struct sync_clock *c, const struct env *env, int64_t known_ms,
                      int64_t offset_ms);

/* What they say now. */
struct sync_clock_at sync_clock_look(const struct env *env);

/* The hub has told its time.  To hear of it twice changes nothing. */
void sync_clock_hear(struct sync_clock *c, const struct sync_clock_heard *heard);

/* What the wall clock is taken to be off by then, to the millisecond. */
int64_t sync_clock_offset_by(const struct sync_clock *c, const struct sync_clock_heard *heard);

/* The best estimate of the time. */
int64_t sync_clock_now_ms(const struct sync_clock *c, const struct env *env);

/* The same for what our wall clock noted as `at_ms`; never later than now. */
int64_t sync_clock_time_of(const struct sync_clock *c, const struct env *env, int64_t at_ms);

/* Does our clock stand where the time can't be? */
bool sync_clock_is_unsure(const struct sync_clock *c, const struct env *env);

/* The same of a file that lies still: by its wall clock, offset and what it knew last. */
bool sync_clock_doubts(int64_t wall_ms, int64_t offset_ms, int64_t known_ms);

#endif /* SYNC_CLOCK_H */

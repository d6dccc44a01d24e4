/*
 * node/facility/day.h - a day of a facility, simulated: who comes when, what
 * they eat, who sleeps, who is ill, who fetches them - as timed actions that go
 * through the same door as a tablet's taps.
 *
 * The same roster, date and seed give the same actions.  Numbers of the model
 * (85 % present, arrivals by histogram, 3-5 % exceptions ...) stand at the top of
 * day.c; a nursery of 60 places makes about 1 000 rows a day, a station some 50.
 */
#ifndef NODE_FACILITY_DAY_H
#define NODE_FACILITY_DAY_H

#include "node/facility/action.h"

/*
 * Plan `date` (YYYYMMDD) for the facility's roster as it is now: the actions by rising time, in
 * `a`, which must outlive their doing (later actions find ids of earlier ones in it).
 */
MUST_CHECK int facility_day_plan(struct facility *f, int date, uint64_t seed, struct arena *a,
                                 struct facility_action **list, size_t *count, struct err *err);

/*
 * Do one action in a transaction of its own.  ERR_INVALID, ERR_NOTFOUND, ERR_DENIED: refused,
 * because somebody else has written meanwhile (she was fetched already ...); the day goes on
 * without it.
 */
MUST_CHECK int facility_day_do(struct facility *f, const struct facility_action *action,
                               struct err *err);

/* A day of a facility. */
struct facility_day {
	struct facility *f;
	int date; /* YYYYMMDD */
	uint64_t seed;
};

/*
 * The part of that day that isn't played at the facility: append what its parents ask the platform
 * for at half past eight, as lines for POST /v1/records (node/hub/records.h); `count` of them.
 * The day's plan has these children away, so before anything is recorded or after, they are the
 * same.  Who plays the day without a hub has nowhere to put them: it leaves the scene out.
 */
MUST_CHECK int facility_day_leaves(const struct facility_day *day, struct buf *lines, size_t *count,
                                   struct err *err);

/*
 * And what the facility does with what came down of it: accept each request of the platform that
 * waits here, through the door, in transactions of their own.  `count` of them; 0 is usual.
 */
MUST_CHECK int facility_day_answer(struct facility *f, int64_t at, size_t *count, struct err *err);

#endif /* NODE_FACILITY_DAY_H */

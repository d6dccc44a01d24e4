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

#endif /* NODE_FACILITY_DAY_H */

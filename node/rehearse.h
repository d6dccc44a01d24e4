/*
 * node/rehearse.h - a day of a facility in one go, into an installation that no
 * daemon serves: for load tests and for scripts that need a real day's records.
 *
 * The taps are those of node/facility/day, each in a transaction of its own;
 * after every 25 the node seals and signs, as it would every half minute while
 * the children come in.
 */
#ifndef NODE_REHEARSE_H
#define NODE_REHEARSE_H

#include "node/facility/record.h"
#include "node/station.h"

/*
 * Play `date` (YYYYMMDD) and seal it.  Taps that the records' door refuses, because somebody has
 * written meanwhile, are left out as in any day.
 */
MUST_CHECK int rehearse_day(struct station *st, struct facility *f, int date, uint64_t seed,
                            struct err *err);

/* Seal and sign what has been written so far. */
MUST_CHECK int rehearse_seal(struct station *st, struct err *err);

#endif /* NODE_REHEARSE_H */

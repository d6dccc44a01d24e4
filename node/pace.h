/*
 * node/pace.h - how often somebody may try: so many in one go, then one in so long.
 *
 * What was spent comes back with time, one after the other, so one number says all of it: when
 * the last of it will have come back.  Whose it is, and how many such are remembered, is the
 * caller's (node/hub/session.h, node/facility/tries.h).
 */
#ifndef NODE_PACE_H
#define NODE_PACE_H

#include <stdint.h>

struct pace {
	int64_t tries;  /* in one go ... */
	int64_t try_ms; /* ... and then one in so long */
};

/* Zeroed: nothing is spent.  Times are monotonic. */
struct pace_spent {
	int64_t back_ms; /* when all of them have come back */
};

/* How long that is from now; 0 if nothing is spent. */
int64_t pace_spent_ms(const struct pace_spent *spent, int64_t mono_ms);

/* 0, or after how long there is one again. */
int64_t pace_wait_ms(const struct pace_spent *spent, const struct pace *pace, int64_t mono_ms);

/* How many are left now. */
int64_t pace_left(const struct pace_spent *spent, const struct pace *pace, int64_t mono_ms);

/* Spend one, whether there is one or not. */
void pace_spend(struct pace_spent *spent, const struct pace *pace, int64_t mono_ms);

#endif /* NODE_PACE_H */

/*
 * tests/sim/staff.h - what people do: a facility's day through the same door as
 * a tablet's taps, and edits of the two tables of the simulator, on two
 * connections of a node and on the hub.
 */
#ifndef TESTS_SIM_STAFF_H
#define TESTS_SIM_STAFF_H

#include "tests/sim/plan.h"

struct sim;
struct sim_peer;

/* An event that is people's work, at a machine that is awake. */
void sim_staff_do(struct sim *s, const struct sim_event *e);

/* When this machine's next planned action of today is due; INT64_MAX if there is none. */
int64_t sim_staff_next(const struct sim_peer *p);

/* Do it; nothing is done (nobody can) while the machine isn't awake. */
void sim_staff_act(struct sim_peer *p);

#endif /* TESTS_SIM_STAFF_H */

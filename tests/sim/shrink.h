/* tests/sim/shrink.h - a failing history made small, and written down. */
#ifndef TESTS_SIM_SHRINK_H
#define TESTS_SIM_SHRINK_H

#include "tests/sim/plan.h"

/*
 * Look for a smaller plan that fails too (without facilities, then kinds of faults and of work,
 * then events), within a budget of runs; write it to build/sim.d/<seed>.trace and say how it is
 * run again.
 */
void sim_shrink(const struct sim_plan *plan, const char *why);

#endif /* TESTS_SIM_SHRINK_H */

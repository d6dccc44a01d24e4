/* tests/sim/fault.h - what happens to lines, clocks, disks and processes, and what administrators
 * do. */
#ifndef TESTS_SIM_FAULT_H
#define TESTS_SIM_FAULT_H

#include "tests/sim/plan.h"

struct sim;

/* An event that is no work of people. */
void sim_fault_do(struct sim *s, const struct sim_event *e);

/* From now on nothing is broken: clocks right, disks good, every process up, every line free. */
void sim_fault_heal(struct sim *s);

#endif /* TESTS_SIM_FAULT_H */

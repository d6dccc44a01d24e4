/*
 * tests/sim/run_many.h - many histories, each in a process of its own, so that
 * an assertion or a hang of the product is a failure like any other.
 */
#ifndef TESTS_SIM_RUN_MANY_H
#define TESTS_SIM_RUN_MANY_H

#include "tests/sim/sim.h"

#include <sys/types.h>

/* A plan that runs in a child. */
struct sim_child {
	pid_t pid;
	int fd; /* its result comes from here */
};

/* Start it, and wait for its end; what goes wrong with the process itself is a failure, too. */
struct sim_child sim_run_begin(const struct sim_plan *plan);
void sim_run_end(struct sim_child *child, struct sim_result *result);

/* Both. */
void sim_run_apart(const struct sim_plan *plan, struct sim_result *result);

/* Seeds from, from + 1, ...: prints failures, the counters and the closing line; 0 if all passed
 * and, with enough seeds, everything happened that can. */
int sim_run_many(uint64_t from, uint64_t count);

/* Seeds from, from + 1, ... until one fails, which is told in a line; 1 if one did. */
int sim_run_hunt(uint64_t from, uint64_t count);

#endif /* TESTS_SIM_RUN_MANY_H */

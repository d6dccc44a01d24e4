/*
 * tests/sim/plan.h - the history that a seed gives: how many facilities, which
 * kinds of things happen, and each event with its time.  A plan is a plain list,
 * so it can be written down, read again, and made shorter.
 */
#ifndef TESTS_SIM_PLAN_H
#define TESTS_SIM_PLAN_H

#include "tests/sim/kind.h"

#include <stddef.h>
#include <stdio.h>

enum { SIM_PLACES = 4, SIM_PEERS = 2 * SIM_PLACES + 1 };

/* Midnight in the facilities' time zone, 2026-03-02. */
#define SIM_START_MS ((int64_t)1772380800000)
#define SIM_DAY_MS ((int64_t)86400000)

struct sim_event {
	uint32_t id; /* key of its draws */
	enum sim_kind kind;
	unsigned peer; /* 0: the hub */
	int64_t at;    /* true time, ms */
};

struct sim_plan {
	uint64_t seed;
	unsigned days;         /* until everything is healed */
	unsigned places;       /* facilities that take part: bits, so that one can be left out */
	unsigned second_nodes; /* those with two nodes: bits */
	int64_t interval_ms;   /* between meetings */
	int64_t tick_ms;
	unsigned share; /* of a day's actions that are done, in a thousand */
	bool whole;     /* all the facility's tables are there (tests/sim/mould.h) */
	bool has[SIM_KINDS];
	struct sim_event *events; /* by time; owned */
	size_t count;
};

/* Draw the plan of a seed.  sim_plan_free() it. */
void sim_plan_draw(struct sim_plan *plan, uint64_t seed);

/* From now on every plan has this kind of event, at least one for whomever it may meet. */
void sim_plan_always(enum sim_kind kind);

/* A copy of `from` with room for as many events. */
void sim_plan_copy(struct sim_plan *plan, const struct sim_plan *from);

/* Free the events. */
void sim_plan_free(struct sim_plan *plan);

/* How many facilities take part. */
unsigned sim_plan_places(const struct sim_plan *plan);

/* Write it as text, a line an event. */
void sim_plan_write(FILE *out, const struct sim_plan *plan);

/* Read what sim_plan_write wrote; false if it isn't that. */
bool sim_plan_read(FILE *in, struct sim_plan *plan);

#endif /* TESTS_SIM_PLAN_H */

/*
 * tests/sim/sim.h - one history as it runs: true time, the machines, what went
 * wrong, and what is told of it.
 *
 * Each part has a header of its own; this one has what they share.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "store/base/err.h"
#include "tests/sim/acks.h"
#include "tests/sim/net.h"
#include "tests/sim/peer.h"
#include "tests/sim/plan.h"

#include <stdarg.h>
#include <sys/types.h>

/* What is known of a history when it is over; plain bytes, so that it fits through a pipe. */
struct sim_result {
	bool failed;
	char why[400]; /* a sentence */
	uint64_t hash; /* of everything that happened, in order */
	uint32_t counts[SIM_COUNTS];
	uint32_t facility_days;
	uint32_t taps, changes; /* acknowledged actions; changes sealed */
	int64_t heal_ms;        /* from healing to everything equal */
};

struct sim {
	const struct sim_plan *plan;
	struct sim_result *result;
	FILE *print; /* what happens, as it happens; NULL: nobody looks */
	char folder[64];
	int64_t now; /* true time */
	int64_t draws_at;
	uint64_t draws; /* of the product, at this time */
	bool healed;    /* no faults any more, and no work */
	bool hub_lost;  /* it went back: may be behind what it acknowledged, in the life that did */
	uint8_t hub_life[STORE_EPOCH];        /* the youngest that it ever was in, when it ended */
	int64_t hub_ahead_ms;                 /* the most that its clock was ever ahead */
	struct sim_peer peers[SIM_PEERS + 1]; /* the last one for the replay */
	struct sim_net net;
	struct sim_acks acks;
};

/* Run a plan from the first minute to the last check. */
void sim_run(const struct sim_plan *plan, FILE *print, struct sim_result *result);

/* Where the files of a process's history are; and away with them, when it has died. */
void sim_folder(pid_t pid, char out[64]);
void sim_sweep(pid_t pid);

/* It failed, and why: the first sentence stays. */
void sim_fail(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Fails unless rc is one of success; true if it is. */
bool sim_must(struct sim *s, int rc, const struct err *err, const char *doing);

/* Something happened; it becomes part of the hash. */
void sim_tell(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Count a kind, or what was done about it. */
void sim_count(struct sim *s, unsigned count);

#endif /* TESTS_SIM_SIM_H */

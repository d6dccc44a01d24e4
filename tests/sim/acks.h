/*
 * tests/sim/acks.h - what people were told is written: it has to be there ever
 * after, on their machine and in the end at the hub.
 */
#ifndef TESTS_SIM_ACKS_H
#define TESTS_SIM_ACKS_H

#include "store/id.h"

#include <stdbool.h>

struct sim;
struct sim_peer;

struct sim_ack {
	unsigned peer; /* where */
	const char *table;
	uint8_t id[STORE_ID];
};

struct sim_acks {
	struct sim_ack *list;
	size_t count, room;
};

/* A row that nobody will delete was committed at this peer. */
void sim_acks_add(struct sim *s, const struct sim_peer *p, const char *table,
                  const uint8_t id[STORE_ID]);

/* All that was acknowledged at `by` is at `at`; fails the run if not. */
void sim_acks_check(struct sim *s, const struct sim_peer *by, struct sim_peer *at);

/* This machine's file is put back to an older state: what it held alone is lost by that, and nobody
 * promised otherwise. */
void sim_acks_forgive(struct sim *s, const struct sim_peer *p);

/* Free the list. */
void sim_acks_free(struct sim_acks *acks);

#endif /* TESTS_SIM_ACKS_H */

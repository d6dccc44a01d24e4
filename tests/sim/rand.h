/*
 * tests/sim/rand.h - chance by key: what is drawn depends on who draws it, for
 * what and at which event, never on what was drawn before.  So a history from
 * which an event was taken away draws everything else as it did.
 */
#ifndef TESTS_SIM_RAND_H
#define TESTS_SIM_RAND_H

#include <stdbool.h>
#include <stdint.h>

/* What a draw is for; each has numbers of its own. */
enum sim_use {
	SIM_USE_SHAPE, /* how many facilities, which features */
	SIM_USE_PLAN,  /* when what happens */
	SIM_USE_EVENT, /* what an event is about */
	SIM_USE_ENV,   /* what the product asks of struct env */
	SIM_USE_SODIUM,
	SIM_USE_SQLITE,
	SIM_USE_NET, /* how long a message travels */
	SIM_USE_DAY, /* the simulated day of a facility */
	SIM_USE_BOOT,
	SIM_USE_CHECK,
	SIM_USE_LIE, /* whether the anchor goes back with the file */
};

/* The number for this key. */
uint64_t sim_rand(uint64_t seed, unsigned peer, enum sim_use use, uint64_t id);

/* A row of numbers out of one. */
uint64_t sim_rand_next(uint64_t *state);

/* 0 .. below - 1; `below` is at least 1. */
uint32_t sim_rand_below(uint64_t *state, uint32_t below);

/* Does what happens so often in a thousand happen? */
bool sim_rand_happens(uint64_t *state, uint32_t per_mille);

#endif /* TESTS_SIM_RAND_H */

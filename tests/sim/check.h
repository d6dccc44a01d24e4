/*
 * tests/sim/check.h - what must be true: after each meeting, when everything
 * should be equal, and at the end.
 */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include <stdbool.h>

struct sim;
struct sim_peer;

/* After a meeting that went well: what is acknowledged never falls, and what the status says of
 * digests is true. */
void sim_check_met(struct sim_peer *p);

/* After one that went ill: the status doesn't hide it. */
void sim_check_missed(struct sim_peer *p);

/* After each start and each step of a node: whose digest isn't
 * the one that the hub told doesn't say in_sync.  The file may bear that badly: whoever calls looks
 * whether it is still open. */
void sim_check_word(struct sim_peer *p);

/* When a node asks: the hub has what is acknowledged to it. */
void sim_check_asked(struct sim_peer *p);

/* Has everybody everything?  Nothing waits, and digests of node and hub are equal. */
bool sim_check_equal(struct sim *s);

/* Everything else: rows, acknowledged writes, the file, a replay of all segments. */
void sim_check_end(struct sim *s);

#endif /* TESTS_SIM_CHECK_H */

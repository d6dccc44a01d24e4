/*
 * tests/sim/share.h - a child whom two facilities see: the hub says so, or that she has moved, and
 * both write about her.
 */
#ifndef TESTS_SIM_SHARE_H
#define TESTS_SIM_SHARE_H

#include "tests/sim/sim.h"

/* The hub says of one of the first children of a facility that another one sees her, or no more, or
 * that her own doesn't any more.  Somebody always does. */
void sim_share_say(struct sim *s, uint64_t *x);

/* The SQL of an edit of her, or of what hangs on her, by a facility that has her; false: there is
 * nobody to write about. */
bool sim_share_edit(struct sim_peer *p, struct store_db *db, uint64_t *x, char *sql, size_t size);

/* Do rows of this table hang on a child, in this file?  Those of a child who has left aren't in her
 * old facility's tables any more. */
bool sim_share_hangs(struct sim_peer *at, const char *table);

/* At the end: who sees her has what the hub has of her. */
void sim_share_check(struct sim *s);

/* How many records the hub has written into the facilities' scopes. */
uint64_t sim_share_passed_on(struct sim *s);

#endif /* TESTS_SIM_SHARE_H */

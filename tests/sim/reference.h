/*
 * tests/sim/reference.h - what the rows should be, worked out another way: from
 * all changes in all streams of the hub at once, cell by cell, by looking
 * through all writes of the row for the one that counts.
 */
#ifndef TESTS_SIM_REFERENCE_H
#define TESTS_SIM_REFERENCE_H

struct sim;

/* Compare each row of the facilities' scopes with the hub's tables; fails the run if one differs.
 */
void sim_reference_check(struct sim *s);

#endif /* TESTS_SIM_REFERENCE_H */

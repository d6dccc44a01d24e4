/*
 * tests/sim/replay.h - all segments of the hub, in a random legal order, into a
 * replica that has nothing: it becomes equal.  On the way: stamps rise strictly
 * in each stream, and no site gives one twice.
 */
#ifndef TESTS_SIM_REPLAY_H
#define TESTS_SIM_REPLAY_H

struct sim;

/* Do it; fails the run if something differs. */
void sim_replay_check(struct sim *s);

#endif /* TESTS_SIM_REPLAY_H */

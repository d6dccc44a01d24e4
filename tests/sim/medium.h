/*
 * tests/sim/medium.h - disks that don't keep what they were given.
 *
 * A disk that lies says from now on that it has synced what is in its cache.  A
 * power cut, and one comes soon, takes back what was committed last: some of it,
 * in order, so the file is whole, and older.  Half of the time the anchor beside
 * the file goes back with it, and nobody but the hub can tell.  What no other
 * machine has is lost by that; nothing else may be.
 *
 * Rot turns a bit of one stored segment.  Nobody notices until it is read; it may
 * not reach another machine, and in the end everything is everywhere.
 */
#ifndef TESTS_SIM_MEDIUM_H
#define TESTS_SIM_MEDIUM_H

#include <stdint.h>

struct sim_peer;

/* This machine's disk lies from now on. */
void sim_medium_lie(struct sim_peer *p, uint64_t *x);

/* A bit turns in a segment that this machine has, if it has one. */
void sim_medium_rot(struct sim_peer *p, uint64_t *x);

/* The power was cut, and the disk, which lies, has lost something. */
void sim_medium_went_back(struct sim_peer *p);

#endif /* TESTS_SIM_MEDIUM_H */

/*
 * tests/merge_writes.h - random sets of writes for the merge laws: half of them
 * as nodes could make them (each with its own knowledge, exchanged now and then),
 * half with versions, lives and values drawn from so few that every collision
 * happens, those of cloned sites too.
 */
#ifndef TESTS_MERGE_WRITES_H
#define TESTS_MERGE_WRITES_H

#include "tests/merge_world.h"

/* The set of a seed, and its size; chance goes on from there. */
size_t merge_writes(uint64_t seed, struct write *writes);

/* One of the second kind; at least two writes. */
size_t merge_wild_writes(uint64_t seed, struct write *writes);

/* A number below `below`. */
uint64_t merge_chance(uint64_t below);

#endif /* TESTS_MERGE_WRITES_H */

/*
 * node/facility/samples.h - made-up facilities, for the demo and for benchmarks:
 * the three rosters of packaging/rosters, and as many more as wanted, drawn from
 * a seed.
 */
#ifndef NODE_FACILITY_SAMPLES_H
#define NODE_FACILITY_SAMPLES_H

#include "store/base/buf.h"

struct samples_place {
	char id[16]; /* "F1", "F2", "S3" ... */
	char name[64];
	int kind; /* facility.kind: 1 centre, 2 station */
};

/* The `i`th made-up facility (0, 1, 2 ...); its roster as CSV is appended to `roster`. */
void samples_get(unsigned i, uint64_t seed, struct samples_place *place, struct buf *roster);

#endif /* NODE_FACILITY_SAMPLES_H */

/*
 * tests/dict/days.h - simulated facilities on a virtual clock, for those who
 * want their segments: the trainer of the dictionary.
 *
 * What is sealed comes through the whole house: roster, simulated day, triggers,
 * seal.  No person in it exists.
 */
#ifndef TESTS_DICT_DAYS_H
#define TESTS_DICT_DAYS_H

#include "node/facility/record.h"
#include "sync/replica.h"

struct days {
	char dir[64];
	struct env env;
	int64_t wall_ms;
	uint64_t random;
	struct store_db *local, *merge;
	struct facility facility;
	struct sync_replica replica;
};

/* Make a facility from one of the rosters in packaging/rosters; its roster is sealed.  Exits on
 * errors. */
void days_open(struct days *d, uint64_t seed);

/* Play the day `date` (YYYYMMDD), sealing after `taps` actions each (0: by chance, 1 to 20). */
void days_play(struct days *d, int date, unsigned taps);

/* Call for each segment of the facility's stream, with its raw body. */
void days_segments(struct days *d,
                   void (*each)(void *ctx, const struct store_segment *seg, const struct buf *raw),
                   void *ctx);

/* Close it and remove its files. */
void days_close(struct days *d);

#endif /* TESTS_DICT_DAYS_H */

/*
 * node/facility/tries.h - how often somebody may be wrong about a child's code for once.
 *
 * Six digits are a million, and a program at the desk tries all of them in minutes.  So of each
 * child TRIES wrong ones are looked at in one go, and then one in TRY_MS: in a day so few that a
 * code is found by chance once in some thousands of days.  While there is none left the right code
 * opens nothing either, or it would be guessed meanwhile; whoever comes is let go by who has a
 * right, or by the parents' word on the telephone, which needs no code.
 *
 * It is kept in the process's memory: a start forgets it, and who may start the program may write
 * its file.
 */
#ifndef NODE_FACILITY_TRIES_H
#define NODE_FACILITY_TRIES_H

#include "node/pace.h"
#include "store/id.h"

#include <stdint.h>

enum {
	FACILITY_TRIES = 5,
	FACILITY_TRY_MS = 10 * 60 * 1000,
	FACILITY_TRIES_CHILDREN = 512, /* who are remembered; the least guilty is forgotten */
};

/* Zeroed: nobody has tried.  Of one thread. */
struct facility_tries {
	struct facility_tried {
		uint8_t child[STORE_ID];
		struct pace_spent spent; /* of hers; nothing: a free place */
	} of[FACILITY_TRIES_CHILDREN];
};

/* 0, or after how many minutes a code of this child is looked at again. */
int facility_tries_wait(const struct facility_tries *tries, const uint8_t child[STORE_ID],
                        int64_t mono_ms);

/* One was wrong: how many may still be. */
int facility_tries_wrong(struct facility_tries *tries, const uint8_t child[STORE_ID],
                         int64_t mono_ms);

#endif /* NODE_FACILITY_TRIES_H */

/*
 * sync/exchange/level.h - what a hub can tell of a node after one exchange, from the two
 * messages alone: are the rows the same, and what does the hub still lack?
 *
 * The node says what it has and its digests before it takes the reply.  Where both then have the
 * same records of a scope, their digests must be equal; where they haven't, nothing follows.
 */
#ifndef SYNC_LEVEL_H
#define SYNC_LEVEL_H

#include "sync/exchange/message.h"

/* On disk at a hub: fixed numbers. */
enum sync_level_word {
	SYNC_LEVEL_UNKNOWN = 0, /* nowhere did both have the same records */
	SYNC_LEVEL_EQUAL = 1,   /* where they did, the digests were equal */
	SYNC_LEVEL_UNEQUAL = 2, /* in some scope they weren't: an alarm */
};

struct sync_level {
	enum sync_level_word word;
	uint64_t lacking; /* records of the node's own that it has and the hub hasn't */
};

/* `asked` is a node's request, `said` the hub's reply to it, after taking what came. */
struct sync_level sync_level_of(const struct sync_message *asked, const struct sync_message *said);

#endif /* SYNC_LEVEL_H */

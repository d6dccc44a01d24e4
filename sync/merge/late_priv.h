/*
 * sync/merge/late_priv.h - at a hub: what a node whose key was revoked for cause still sends.
 *
 * Whoever has the key may have stolen it, so nothing of it is merged, and nobody hears of it.
 * But it may be the last that an honest machine wrote, so it isn't lost either: what is proven to
 * be of one of the node's streams, in a scope that it might write before, is held like what is
 * stamped too far ahead (sync/merge/ahead_priv.h), and listed.  A person lets it in (yizhan
 * quarantine retry ID) or gives it up for good (drop ID).
 *
 *   merged 1 ... n │ held n+1 ... m │ what comes next begins at or before m and goes beyond it
 *
 * What is held stays as it came first: two that have the key may go on differently, and neither
 * can take away what the other had sent.  There is a limit for each node, or its disk would be
 * whoever's that has an old key.
 */
#ifndef SYNC_LATE_PRIV_H
#define SYNC_LATE_PRIV_H

#include "store/stream.h"
#include "sync/codec/record.h"
#include "sync/merge/names_priv.h"
#include "sync/replica.h"

enum {
	SYNC_LATE_BYTES = 64 << 20, /* of a node; */
	SYNC_LATE_LEAST = 16 << 10, /* so many a segment counts at least, and makes a stream */
};

/* A segment that is proven, opened, and lies after the end of its stream; all borrowed. */
struct sync_late_segment {
	const uint8_t *node;
	const struct store_stream *stream; /* registered */
	const struct store_segment *seg;
	const struct sync_record *records;
	struct sync_names *names;
	uint64_t n; /* where its bytes begin, which may be before seg->first - 1 */
	const uint8_t *bytes;
	size_t len;
};

/* Is there room for so many bytes more of that node?  Else *why says that there isn't. */
MUST_CHECK int sync_late_room(struct sync_replica *r, const uint8_t node[STORE_NODE_ID], size_t len,
                              const char **why, struct err *err);

/* Hold it, if it goes beyond what is held: *why is NULL then, as it is if nothing is new; else it
 * is a sentence why it isn't held. */
MUST_CHECK int sync_late_hold(struct sync_replica *r, const struct sync_late_segment *late,
                              const char **why, struct err *err);

#endif /* SYNC_LATE_PRIV_H */

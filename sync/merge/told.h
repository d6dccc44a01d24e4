/*
 * sync/merge/told.h - what a node has heard of the hub, whatever its units say.
 *
 * Who sees a row no more may still change it by units that had not heard so (sync/merge/share.h),
 * and what a unit had seen is its writer's own word.  But a node that says, in a request, that it
 * has the hub's stream of a scope has read it, and says in the same request how much it has written
 * there by then: what it writes after that has seen it.
 *
 *   request    of the hub's stream of f/A I have all, up to stamp S; of mine there is n
 *   units      after n: they have seen S
 */
#ifndef SYNC_TOLD_H
#define SYNC_TOLD_H

#include "store/share.h"
#include "store/stream.h"
#include "sync/replica.h"

struct sync_told {
	uint64_t n;    /* records of its stream that may be older */
	int64_t stamp; /* what it has read */
	int site;      /* of the hub's life that wrote that */
};

/* Note it of a stream, at the hub; nothing if no scope has left since what was noted before. */
MUST_CHECK int sync_told_note(struct sync_replica *r, const struct store_stream *stream,
                              const struct sync_told *told, struct err *err);

/* Has the writer of record `n` of that stream heard that the scope left? */
MUST_CHECK int sync_told_covers(struct sync_replica *r, int stream, uint64_t n,
                                const struct store_share *left, bool *yes, struct err *err);

#endif /* SYNC_TOLD_H */

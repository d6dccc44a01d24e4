/*
 * sync/seal/remint.h - what one life of a file wrote, written again in another.
 *
 * Two files went on from the same state under one name: a snapshot was put back,
 * a disk was copied.  The hub took the records of one of them; ours, from the
 * same place on, can't follow there.  So they are taken out of the old stream and
 * written into the present life's: same stamp, same causal length, same values,
 * only the site is another.  Their versions in this file, and in its conflicts,
 * become that site's too, as on every replica that gets them.
 *
 *   old stream   1 ... kept │ kept+1 ... n           kept: what the hub is known to hold
 *                           └──────┬─────┘
 *   present life              re-mint units, one per unit, that name stream and range
 *   old stream   1 ... kept │ what the hub has there comes by the next reply
 *
 * A unit says that it has seen what its first writing had, and the old stream up
 * to `kept`.  Having its old stamp it never beats a correction made since.  Only
 * where the clock was wrong (sync/seal/restamp.h) it gets another.
 */
#ifndef SYNC_REMINT_H
#define SYNC_REMINT_H

#include "sync/seal/restamp.h"

struct sync_remint_job {
	const struct store_stream *old;     /* this node's, or a branch given up (parted.c) */
	uint64_t kept;                      /* the hub is known to hold so much of it */
	const struct sync_restamp *restamp; /* most often of nothing */
	bool salvage; /* what can't be read is written out of the rows; else it's an error */
};

/*
 * Write what `old` holds after record `kept` (or after the last place before it where a segment
 * ends) into the present life, and cut it off there.  In a transaction, with nothing in the log.
 */
MUST_CHECK int sync_remint(struct sync_replica *r, const struct sync_remint_job *job,
                           struct err *err);

/* Where that place is. */
MUST_CHECK int sync_remint_cut(struct sync_replica *r, const struct store_stream *old,
                               uint64_t kept, uint64_t *n, struct err *err);

/* The greatest stamp of a stream's records up to `n`, where a segment ends; 0: none.  Of what can't
 * be read nothing is said. */
MUST_CHECK int sync_remint_last(struct sync_replica *r, const struct store_stream *stream,
                                uint64_t n, int64_t *stamp, struct err *err);

#endif /* SYNC_REMINT_H */

/*
 * sync/seal/restamp.h - stamps from the future, and the stamps they become.
 *
 * The hub says that a clock here was wrong.  What it stamped later than now, and
 * the hub hasn't got, is stamped anew, in the same order among each other and
 * among all else that this file holds:
 *
 *   kept, foreign, not ahead   ───●──●───●┤ before
 *   ahead, as they were                   ┆        ┆ now     ●───●─────●
 *   ahead, as they become                 ┆ ●───●──┆──●  by what the clock was off; not after now,
 *                                         ┆        ┆     not before `before`
 *
 * So no row changes its winners by it.  A stamp that isn't after `before` stays as
 * it is: somebody else went along with that time already.
 */
#ifndef SYNC_RESTAMP_H
#define SYNC_RESTAMP_H

#include "store/stream.h"
#include "sync/replica.h"

struct sync_restamp {
	int64_t now_ms;   /* the hub's time: what is later is ahead */
	int64_t shift_ms; /* what the clock was off by */
	int64_t known_ms; /* a time before which none of it was written */
	int64_t before;   /* the greatest stamp of all else */
	int64_t *from;    /* distinct, rising; owned */
	int64_t *to;      /* what each of them becomes; owned */
	size_t count, cap;
};

/* Note what a stream holds after record `kept`, and of what it holds up to there the greatest
 * stamp.  sync_restamp_free() also after an error. */
MUST_CHECK int sync_restamp_note(struct sync_restamp *x, struct sync_replica *r,
                                 const struct store_stream *stream, uint64_t kept, struct err *err);

/* All streams are noted: find what each stamp becomes.  `count` is 0 if none is ahead. */
MUST_CHECK int sync_restamp_settle(struct sync_restamp *x, struct err *err);

/* What a stamp becomes; most stay as they are. */
int64_t sync_restamp_of(const struct sync_restamp *x, int64_t stamp);

/* Free what it owns. */
void sync_restamp_free(struct sync_restamp *x);

#endif /* SYNC_RESTAMP_H */

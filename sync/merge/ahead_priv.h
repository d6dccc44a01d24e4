/*
 * sync/merge/ahead_priv.h - at a hub: records that are stamped too far ahead of its time.
 *
 * Merged, they would win against everything that anybody writes for as long, and
 * everybody's stamps would follow them.  So they are stored, not merged and not
 * passed on; their writer is told (sync_clock_words), stamps them anew in a new
 * life (sync/seal/restamp.h) and sends them so.  That settles what is held.  Where it
 * doesn't come any more, a person at the hub may let them in: yizhan quarantine
 * retry.
 *
 *   push          1 ... n │ from far ahead      stored beside the stream, which ends at n
 *   reply         1 ... n, `clock`
 *   next push     new life: re-mint of (stream, n+1 ...)      merged; what was held goes
 */
#ifndef SYNC_AHEAD_PRIV_H
#define SYNC_AHEAD_PRIV_H

#include "store/held.h"
#include "sync/codec/record.h"
#include "sync/codec/segment.h"
#include "sync/merge/names_priv.h"
#include "sync/replica.h"

enum { SYNC_AHEAD_MS = 24 * 3600 * 1000 }; /* what a hub goes along with */

/*
 * Are any of these records stamped so far ahead?  Never at a node, nor at a hub that doubts its own
 * clock.  What doesn't go beyond the latest stamp the hub has merged moves nobody.
 */
MUST_CHECK int sync_ahead_is(struct sync_replica *r, const struct sync_record *records,
                             size_t count, bool *yes, struct err *err);

/* Store a segment that is, or (`first` false) one that follows such a one. */
MUST_CHECK int sync_ahead_hold(struct sync_replica *r, const struct store_held *held,
                               const struct store_stream *stream, bool first, struct err *err);

/* One whose writer's key was revoked (sync/merge/late_priv.h) is listed so. */
MUST_CHECK int sync_ahead_list(struct sync_replica *r, const struct store_stream *stream,
                               const char *reason, struct err *err);

/*
 * Where what is held of a stream ends, or the segment that begins at at->n (UINT64_MAX: none does):
 * 1 and *at, or 0 "not now" (sync/look.h).  Nothing of it is noted in the catalogue, so `names`
 * learns what it calls its schemas.  What isn't proven to follow there isn't held.
 */
MUST_CHECK int sync_ahead_end(struct sync_replica *r, const struct store_stream *stream,
                              struct sync_names *names, struct sync_segment_at *at,
                              struct err *err);

/* These records are about to be merged into `stream`: what is held of it, and of the streams of its
 * node that they are a re-mint of, is settled by that. */
MUST_CHECK int sync_ahead_settle(struct sync_replica *r, const struct store_stream *stream,
                                 const struct sync_record *records, size_t count, struct err *err);

/* Merge what is held of a stream as it is; *done says that nothing is held of it any more.  With
 * nothing in the log. */
MUST_CHECK int sync_ahead_let_in(struct sync_replica *r, const struct store_stream *stream,
                                 bool *done, struct err *err);

#endif /* SYNC_AHEAD_PRIV_H */

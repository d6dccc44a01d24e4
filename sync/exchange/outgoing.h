/*
 * sync/exchange/outgoing.h - records of a stream from some place on, as segments in the
 * short form: what a push or a pull carries.
 */
#ifndef SYNC_OUTGOING_H
#define SYNC_OUTGOING_H

#include "store/stream.h"

/*
 * Append one segment (with its length) that begins after record `from` of the stream to `out`:
 * small segments are joined, one that holds more is cut.  *to is its last record; `from` itself if
 * there is nothing signed after it.
 */
MUST_CHECK int sync_outgoing_next(struct store_db *db, const struct store_stream *stream,
                                  uint64_t from, struct buf *out, uint64_t *to, struct err *err);

/* The same without joining: only up to the next place that was signed, which is as small as it
 * gets.
 */
MUST_CHECK int sync_outgoing_least(struct store_db *db, const struct store_stream *stream,
                                   uint64_t from, struct buf *out, uint64_t *to, struct err *err);

/* Join all segments of a stream that lie wholly in days before `day` and belong to one day each;
 * *joined counts. */
MUST_CHECK int sync_outgoing_roll_up(struct store_db *db, const struct store_stream *stream,
                                     int day, int64_t *joined, struct err *err);

#endif /* SYNC_OUTGOING_H */

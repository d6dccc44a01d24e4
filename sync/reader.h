/*
 * sync/reader.h - a kept segment, opened for looking at it.
 */
#ifndef SYNC_READER_H
#define SYNC_READER_H

#include "sync/codec/segment.h"

struct sync_reader {
	struct store_segment seg;
	struct sync_record *records; /* seg.last - seg.first + 1 of them */
	size_t count;
};

/*
 * Open the segment that holds record `n` of a stream of this file: its records are proven against
 * its own heads.  `a` (its limit should be SYNC_ARENA_MAX) holds everything.  ERR_NOTFOUND past the
 * stream's end; ERR_CORRUPT, naming the record, if it isn't what it was.
 */
MUST_CHECK int sync_reader_open(struct store_db *db, const struct store_stream *stream, uint64_t n,
                                struct arena *a, struct sync_reader *out, struct err *err);

/* head_n of a stream of this file, for any n up to its end. */
MUST_CHECK int sync_reader_head(struct store_db *db, const struct store_stream *stream, uint64_t n,
                                uint8_t head[STORE_HEAD], struct err *err);

/* How many of the records after `from` up to `to` of a stream are changes (not openings, and not
 * redacted). */
MUST_CHECK int sync_reader_changes(struct store_db *db, const struct store_stream *stream,
                                   uint64_t from, uint64_t to, int64_t *count, struct err *err);

/*
 * How many changes the streams of `node`, in all its lives, hold that it has no receipt for in the
 * hub's life `hub_epoch` (NULL: no hub known, so all of them), and when the oldest was written (0:
 * none). What isn't sealed yet isn't counted.
 */
MUST_CHECK int sync_reader_waiting(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                                   const uint8_t *hub_epoch, int64_t *count, int64_t *oldest_ms,
                                   struct err *err);

#endif /* SYNC_READER_H */

/*
 * sync/codec/segment.h - records to a segment and back: leaves, chain, columns, zstd,
 * and the forms a segment has in the file, in a bundle and on the wire.
 *
 * A struct store_segment is the form in the file (store/stream.h).  What is
 * opened here has been proven: the records hash to the segment's head.  Who
 * signed that head is asked with sync_verify_head.
 */
#ifndef SYNC_SEGMENT_H
#define SYNC_SEGMENT_H

#include "sync/codec/chain.h"
#include "sync/codec/codec.h"
#include "sync/codec/sign.h"

/* What a stream is at the place where a segment begins. */
struct sync_segment_at {
	uint64_t n;               /* records before it */
	uint8_t head[STORE_HEAD]; /* head_n */
	uint8_t seed[STORE_SEED]; /* the day's; for sync_segment_build */
};

/*
 * Make a segment of `records` that follow `at`, all salted from its seed.  Fills first, last,
 * heads, seeds, raw_len and body (bytes in `a`); stream, day, sealed_ms and signature are the
 * caller's.  ERR_INVALID if the records exceed a limit of sync/codec/codec.h, or unfold to over 64
 * MiB.
 */
MUST_CHECK int sync_segment_build(const struct sync_segment_at *at,
                                  const struct sync_record *records, size_t count, struct arena *a,
                                  struct store_segment *out, struct err *err);

/*
 * Unpack, decode and hash a segment; ERR_CORRUPT unless its records lead from head_before to head.
 * Records live in `a`, whose limit the caller sets (SYNC_ARENA_MAX).
 */
MUST_CHECK int sync_segment_open(const struct store_segment *seg,
                                 const struct sync_codec_schemas *schemas, struct arena *a,
                                 struct sync_record **records, size_t *count, struct err *err);

/*
 * One segment for records from..to out of segments that lie end to end and hold them (roll-up,
 * split, catch-up). `to` must be the last record of one of them: signature, key, day and sealed_ms
 * are taken from there.  ERR_INVALID if there is no such cut.
 */
struct sync_segment_line {
	const struct store_segment *segs;
	size_t count;
	uint64_t from, to;
};
MUST_CHECK int sync_segment_cut(const struct sync_segment_line *line,
                                const struct sync_codec_schemas *schemas, struct arena *a,
                                struct store_segment *out, struct err *err);

/*
 * Replace records by their leaves and the day's seed by salts.  The seed that salted them salts the
 * whole day: the stream's other segments of that day must lose it too (which->count 0 does only
 * that).  ERR_INVALID if one of them isn't a change of this segment.
 */
struct sync_segment_which {
	const uint64_t *list; /* record numbers, rising */
	size_t count;
};
MUST_CHECK int sync_segment_redact(const struct store_segment *seg,
                                   const struct sync_segment_which *which,
                                   const struct sync_codec_schemas *schemas, struct arena *a,
                                   struct store_segment *out, struct err *err);

/* The head after the first `count` records of an opened segment. */
MUST_CHECK int sync_segment_head(const struct store_segment *seg, const struct sync_record *records,
                                 size_t count, uint8_t head[STORE_HEAD], struct err *err);

/* Append the stored/bundle form: complete in itself (site, scope, heads, signature, key). */
void sync_segment_write(struct buf *out, const struct store_segment *seg,
                        const struct sync_site *site, const char *scope);

/* Read it; bytes are borrowed, `scope` copied into `a`. Nothing is verified yet. */
MUST_CHECK int sync_segment_read(struct rd *r, struct arena *a, struct store_segment *out,
                                 struct sync_site *site, const char **scope, struct err *err);

/*
 * Append the short wire form for a receiver that stands at first - 1: what follows from there
 * (first, last, both heads) is left out, the seeds too if they are exactly one day seed equal to
 * `known_seed` (NULL: unknown).
 */
void sync_segment_write_short(struct buf *out, const struct store_segment *seg,
                              const uint8_t *known_seed);

/*
 * Read the short form at a place in the stream; bytes are borrowed (seeds may be made in `a`).
 * `head` and `key` are left zero and is_signed true: call sync_segment_prove next.
 */
MUST_CHECK int sync_segment_read_short(struct rd *r, const struct sync_segment_at *at,
                                       const uint8_t *known_seed, struct arena *a,
                                       struct store_segment *out, struct err *err);

/*
 * Open a segment that came by the short form: decode, hash from head_before, put the resulting head
 * into seg->head. The caller then verifies the signature over it.
 */
MUST_CHECK int sync_segment_prove(struct store_segment *seg,
                                  const struct sync_codec_schemas *schemas, struct arena *a,
                                  struct sync_record **records, size_t *count, struct err *err);

#endif /* SYNC_SEGMENT_H */

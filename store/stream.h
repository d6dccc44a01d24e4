/*
 * store/stream.h - streams and the segments that hold their records.
 *
 * A stream is everything one site wrote into one scope: records 1..n, chained
 * by head_n = BLAKE2b-256(head_(n-1) || leaf_n), head_0 all zero.  The bytes of
 * a segment's body and seeds are the business of sync/segment.
 *
 * Invariants:
 *   - the segments of a stream lie end to end from record 1 to n;
 *   - `head_before` of a segment is `head` of the one before it;
 *   - n and head of the stream are those of its last segment.
 */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/catalog.h"

enum { STORE_HEAD = 32, STORE_SEED = 16, STORE_SIGNATURE = 64 };

struct store_stream {
	int id;
	int site;
	int scope;
	uint64_t n; /* records held: complete units only */
	uint8_t head[STORE_HEAD];
	int64_t last_stamp; /* greatest stamp of a record of this stream */
	int seed_day;       /* day number (ms / 86 400 000) of `seed` */
	uint8_t seed[STORE_SEED];
	const uint8_t *seen; /* the latest unit's seen, as sync/unit writes it; NULL if none */
	size_t seen_len;
};

struct store_segment {
	int stream;
	uint64_t first, last;
	uint8_t head_before[STORE_HEAD];
	uint8_t head[STORE_HEAD];
	bool is_signed;
	uint8_t signature[STORE_SIGNATURE];
	uint8_t key[32];      /* public key that `signature` is by */
	int day;              /* day number of the newest unit in it */
	int64_t sealed_ms;    /* of the newest unit in it */
	const uint8_t *seeds; /* day seeds, or salts after a redaction */
	size_t seeds_len;
	uint32_t raw_len;    /* of the body before compression */
	const uint8_t *body; /* zstd frame */
	size_t body_len;
};

/* The stream of (site, scope), or ERR_NOTFOUND.  `seen` lives in `a`. */
MUST_CHECK int store_stream_find(struct store_db *db, int site, int scope, struct arena *a,
                                 struct store_stream *out, struct err *err);

/* The same, but made empty if it isn't there. */
MUST_CHECK int store_stream_open(struct store_db *db, int site, int scope, struct arena *a,
                                 struct store_stream *out, struct err *err);

/* All streams by id, or those of one scope (0: all). */
MUST_CHECK int store_stream_list(struct store_db *db, int scope, struct arena *a,
                                 struct store_stream **list, size_t *count, struct err *err);

/* Write back what changed of a stream. */
MUST_CHECK int store_stream_put(struct store_db *db, const struct store_stream *stream,
                                struct err *err);

/* The schema that a stream calls `no` (1..), or its number for a schema (0 if it has none yet);
 * then give it one. */
MUST_CHECK int store_stream_schema(struct store_db *db, int stream, int no, int *schema,
                                   struct err *err);
MUST_CHECK int store_stream_schema_no(struct store_db *db, int stream, int schema, int *no,
                                      struct err *err);
MUST_CHECK int store_stream_schema_add(struct store_db *db, int stream, int no, int schema,
                                       struct err *err);

/* How many schemas a stream has named so far. */
MUST_CHECK int store_stream_schema_count(struct store_db *db, int stream, int *count,
                                         struct err *err);

/* How many records of a stream the hub's life `hub_epoch` has acknowledged (0: none). */
MUST_CHECK int store_stream_acked(struct store_db *db, int stream,
                                  const uint8_t hub_epoch[STORE_EPOCH], uint64_t *n,
                                  struct err *err);
MUST_CHECK int store_stream_set_acked(struct store_db *db, int stream,
                                      const uint8_t hub_epoch[STORE_EPOCH], uint64_t n,
                                      struct err *err);

/* That life of the hub's has forgotten what came after `n`: no receipt of it goes beyond. */
MUST_CHECK int store_stream_lower_acked(struct store_db *db, int stream,
                                        const uint8_t hub_epoch[STORE_EPOCH], uint64_t n,
                                        struct err *err);

/*
 * Let go of all records after `n`, where a segment of the stream ends (or 0), with what was noted
 * of them: receipts, what they had seen, what of them was kept aside, and the schemas that they
 * named (from number `schema_no` on; 0: none).  The caller has set stream->last_stamp to that of
 * what stays; n, head and seen are set here.  `seen` lives in `a`.
 */
MUST_CHECK int store_stream_cut(struct store_db *db, struct store_stream *stream, uint64_t n,
                                int schema_no, struct arena *a, struct err *err);

/* Add a segment at the end of its stream. */
MUST_CHECK int store_segment_append(struct store_db *db, const struct store_segment *seg,
                                    struct err *err);

/* The segment that holds record `n` (or the first after it); ERR_NOTFOUND past the end.  Bytes live
 * in `a`. */
MUST_CHECK int store_segment_at(struct store_db *db, int stream, uint64_t n, struct arena *a,
                                struct store_segment *out, struct err *err);

/* Put `seg` in the place of all segments that lie inside first..last (roll-up, redaction). */
MUST_CHECK int store_segment_replace(struct store_db *db, const struct store_segment *seg,
                                     struct err *err);

/* The first segment of a stream that isn't signed: 1 with its last record and head, 0 if all are.
 */
MUST_CHECK int store_segment_unsigned(struct store_db *db, int stream, uint64_t *last,
                                      uint8_t head[STORE_HEAD], struct err *err);

/* Sign the segment that ends at `last`. */
MUST_CHECK int store_segment_sign(struct store_db *db, int stream, uint64_t last,
                                  const uint8_t signature[STORE_SIGNATURE], const uint8_t key[32],
                                  struct err *err);

/* The stream in which a site wrote with that stamp, as far as it is here: with its records rather
 * than only heard of, in that scope rather than another; 0: none. */
MUST_CHECK int store_stream_of_write(struct store_db *db, const struct store_site *site,
                                     int64_t stamp, int scope, int *stream, struct err *err);

/* `seen` in force for a stamp of a stream: the latest row at or before it; appended to `out`
 * (nothing if none). */
MUST_CHECK int store_seen_at(struct store_db *db, int stream, int64_t stamp, struct buf *out,
                             struct err *err);

/* From this stamp on, units of the stream had seen this. */
MUST_CHECK int store_seen_add(struct store_db *db, int stream, int64_t from_stamp,
                              const uint8_t *seen, size_t len, struct err *err);

#endif /* STORE_STREAM_H */

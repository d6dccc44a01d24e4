/*
 * sync/exchange/message.h - the two messages of an exchange.
 *
 * Request and reply have the same shape: who I am, what I have (per stream n and
 * the first 8 bytes of head_n), the digest of each scope, then segments in the
 * short form for streams where I have more than the other.  The reply's first
 * part is signed: it is the receipt that the node keeps.
 *
 *   part 1   u8 1 (format) · u8 flags (1: more to come) · site (24) · peer epoch (8; zero: not
 * known) · zig-zag wall clock ms (48 bits, not negative) · varint counter · sites: varint count,
 * per entry: site (24) · u8 key follows · key (32) · scopes: varint count, per entry: name with
 * length · streams: varint count, per entry: varint site, varint scope, varint n, head (8) ·
 * digests: varint count, per entry: varint scope, sum (16), varint rows · notes: varint count, per
 * entry: varint stream, varint n, reason with length reply    signature (64) over
 * "yizhan-receipt-1" || BLAKE2b-256(request part 1) || part 1 part 2   segments: varint count, per
 * entry: varint stream, varint n before it, short form with length · if there are any: in a request
 * questions: varint count, per entry: varint scope · u8 0 sum, 1 write anew · from, until: name of
 * a table and canonical key, each with length; in a reply answers: varint count, per entry: varint
 * rows, sum (16)
 */
#ifndef SYNC_MESSAGE_H
#define SYNC_MESSAGE_H

#include "store/base/hash.h"
#include "store/range.h"
#include "sync/codec/sign.h"

enum {
	SYNC_MESSAGE_MAX = 16 << 20, /* bytes of a message */
	SYNC_MESSAGE_STREAMS = 65536,
	SYNC_MESSAGE_QUESTIONS = 2 * STORE_RANGE_PARTS,
	SYNC_HEAD_SHORT = 8,
	SYNC_NOW_UNKNOWN = 0, /* now_ms of whoever doesn't know the time */
};

struct sync_view_site {
	struct sync_site site;
	bool has_key;
	uint8_t key[SYNC_PUBLIC_KEY];
};

struct sync_view_stream {
	unsigned site;  /* index in sites */
	unsigned scope; /* index in scopes */
	uint64_t n;
	uint8_t head[SYNC_HEAD_SHORT];
};

struct sync_view_digest {
	unsigned scope;
	uint8_t sum[STORE_TERM];
	uint64_t rows;
};

struct sync_view_note {
	unsigned stream;
	uint64_t n;
	const char *reason;
};

struct sync_view_segment {
	unsigned stream;
	uint64_t n; /* records before it */
	const uint8_t *bytes;
	size_t len;
};

/* About the rows of a range, asked where digests differ (sync/exchange/rift.h). */
struct sync_view_question {
	unsigned scope;
	bool anew; /* write these rows again; else: what is their sum? */
	struct store_range range;
};

struct sync_view_answer {
	uint64_t rows;
	uint8_t sum[STORE_TERM];
};

struct sync_message {
	bool more;
	struct sync_site self;
	uint8_t peer_epoch[STORE_EPOCH];
	int64_t now_ms; /* the sender's time, or SYNC_NOW_UNKNOWN */
	uint64_t counter;
	struct sync_view_site *sites;
	size_t site_count;
	const char **scopes;
	size_t scope_count;
	struct sync_view_stream *streams;
	size_t stream_count;
	struct sync_view_digest *digests;
	size_t digest_count;
	struct sync_view_note *notes;
	size_t note_count;
	struct sync_view_segment *segments;
	size_t segment_count;
	struct sync_view_question *questions; /* request only */
	size_t question_count;
	struct sync_view_answer *answers; /* reply only: to the first of the questions */
	size_t answer_count;
	/* as read */
	const uint8_t *part1;
	size_t part1_len;
	uint8_t signature[STORE_SIGNATURE]; /* reply only */
};

/* Append part 1. */
void sync_message_write_part1(struct buf *out, const struct sync_message *m);

/* Append part 2. */
void sync_message_write_part2(struct buf *out, const struct sync_message *m);

/* Sign a reply's part 1; `asked` is the hash of the request's. */
void sync_message_sign(const struct sync_key *key, const uint8_t asked[HASH_32],
                       const uint8_t *part1, size_t len, uint8_t signature[STORE_SIGNATURE]);

/* Is the reply's part 1 an answer to that request, by that key? */
MUST_CHECK bool sync_message_proven(const struct sync_message *m, const uint8_t asked[HASH_32],
                                    const uint8_t key[SYNC_PUBLIC_KEY]);

/* Read a message; everything is borrowed from `bytes` or lives in `a`.  ERR_CORRUPT says what is
 * wrong, ERR_NOMEM that `a` is spent. */
MUST_CHECK int sync_message_read(const uint8_t *bytes, size_t len, bool is_reply, struct arena *a,
                                 struct sync_message *m, struct err *err);

#endif /* SYNC_MESSAGE_H */

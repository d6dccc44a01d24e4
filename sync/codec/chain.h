/*
 * sync/codec/chain.h - salted leaves and the hash chain over records.
 *
 *   salt_n = 16 bytes, from 16 * (n mod 4) on, of BLAKE2b-512(day seed || n / 4 as 8 bytes, big
 * endian) leaf_n = BLAKE2b-256(record bytes), with salt_n as BLAKE2b's own salt (RFC 7693, 2.5
 * parameters) head_n = BLAKE2b-256(head_(n-1) || leaf_n),  head_0 = 32 zero bytes
 *
 * The seed is random, one per stream and day.  Redaction drops the record and
 * keeps the leaf, and replaces the seed by the salts of the records that stay:
 * then nobody can try texts against the leaf.
 *
 * Seeds of a segment (bytes): it is cut into runs, each with a form
 *   varint runs · per run: varint first record - segment's first · u8 form
 *   then per run   form 0: 16-byte day seed, for every record of it
 *                  form 1: 16-byte salt for each record of it (zero for redacted ones)
 * The first run begins at 0; neighbours differ in form or seed.
 */
#ifndef SYNC_CHAIN_H
#define SYNC_CHAIN_H

#include "store/base/buf.h"
#include "store/stream.h"

enum { SYNC_SALTS = 64 };

/* leaf of a record's bytes. */
void sync_chain_leaf(const uint8_t salt[STORE_SEED], const void *record, size_t len,
                     uint8_t leaf[STORE_HEAD]);

/* salt_n of a day seed. */
void sync_chain_salt(const uint8_t seed[STORE_SEED], uint64_t n, uint8_t salt[STORE_SEED]);

/* head = BLAKE2b-256(head || leaf), in place. */
void sync_chain_step(uint8_t head[STORE_HEAD], const uint8_t leaf[STORE_HEAD]);

enum sync_seeds_form { SYNC_SEEDS_DAY = 0, SYNC_SEEDS_SALTS = 1 };

/* Records first..last of a run and their seed or salts; borrowed. */
struct sync_seeds_run {
	uint64_t first, last;
	enum sync_seeds_form form;
	const uint8_t *bytes;
};

/* Walks the seeds bytes of a segment. */
struct sync_seeds {
	struct rd heads, data; /* what is left of the two parts */
	uint64_t runs;         /* left */
	uint64_t first, last;  /* of the segment */
	struct sync_seeds_run run;
	uint8_t salts[SYNC_SALTS]; /* of the four records of a day that were come to last */
	bool bad;
};

/* Start; `first` and `last` are the segment's. */
struct sync_seeds sync_seeds_from(const uint8_t *bytes, size_t len, uint64_t first, uint64_t last);

/* The salt of record n; call for first, first + 1, ... last.  False if the bytes are wrong. */
MUST_CHECK bool sync_seeds_salt(struct sync_seeds *s, uint64_t n, uint8_t salt[STORE_SEED]);

/* The next run; false after the last one or if the bytes are wrong (s->bad). */
MUST_CHECK bool sync_seeds_next(struct sync_seeds *s);

/* Append the seeds bytes of a segment that has one day seed for all its records. */
void sync_seeds_write_one(struct buf *out, const uint8_t seed[STORE_SEED]);

/* Append the seeds bytes for records `from`..`to` of a run of segments whose own seeds bytes are
 * given end to end (re-cut and roll-up).  ERR_CORRUPT if one of them is wrong. */
struct sync_seeds_part {
	uint64_t first, last;
	const uint8_t *bytes;
	size_t len;
};
MUST_CHECK int sync_seeds_join(struct buf *out, const struct sync_seeds_part *parts, size_t count,
                               uint64_t from, uint64_t to, struct err *err);

#endif /* SYNC_CHAIN_H */

/*
 * store/held.h - at a hub: records that are stored but not merged, as they came.
 *
 * They lie beside their stream, which ends before them: nobody is told of them.
 * What they wait for is the business of sync/ahead.
 */
#ifndef STORE_HELD_H
#define STORE_HELD_H

#include "store/base/arena.h"
#include "store/catalog.h"

struct store_held {
	int stream;
	uint64_t n;           /* records of the stream before it */
	const uint8_t *bytes; /* a segment in the short form (sync/codec/segment.h) */
	size_t len;
};

/* Keep one; another of the same place is replaced. */
MUST_CHECK int store_held_add(struct store_db *db, const struct store_held *held, struct err *err);

/* Is anything held of a stream, or (0) of any? */
MUST_CHECK int store_held_any(struct store_db *db, int stream, bool *any, struct err *err);

/* All that is held of a stream, in order; bytes live in `a`. */
MUST_CHECK int store_held_list(struct store_db *db, int stream, struct arena *a,
                               struct store_held **list, size_t *count, struct err *err);

/* Forget what is held of a stream from record n + 1 on; what the quarantine says of it stays. */
MUST_CHECK int store_held_cut(struct store_db *db, int stream, uint64_t n, struct err *err);

/* Has a person given up what is held of a stream?  For good, then. */
MUST_CHECK int store_held_given_up(struct store_db *db, int stream, bool *yes, struct err *err);

/* How much is held of a node's streams, in bytes; each segment counts as at least `least`. */
MUST_CHECK int store_held_bytes(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                                int64_t least, int64_t *bytes, struct err *err);

/* Let go of what is held of a stream, and take it off the quarantine's list. */
MUST_CHECK int store_held_clear(struct store_db *db, int stream, struct err *err);

#endif /* STORE_HELD_H */

/*
 * sync/seal/seal.h - from the triggers' log to records of our streams.
 *
 *   yz_log -> net effect per row -> stamps -> clocks, terms, digests -> units -> segments -> log
 * empty
 *
 * All in the caller's transaction, so that nobody can write between.  Needs no
 * key: signing is a later step (sync_seal_sign).
 */
#ifndef SYNC_SEAL_H
#define SYNC_SEAL_H

#include "sync/replica.h"

struct sync_sealed {
	int64_t changes;
	int64_t units;
	int64_t too_large; /* rows that no segment can hold: the same */
	int64_t not_ours;  /* rows of a scope that this site may not write: kept here, listed in
	                     quarantine */
};

/*
 * Seal everything that waits in the log.  Must run inside a transaction of r->db.  On error the
 * caller rolls back and nothing has happened.
 */
MUST_CHECK int sync_seal(struct sync_replica *r, struct sync_sealed *out, struct err *err);

/* A change that wasn't applied because what it wrote is the hub's. */
struct sync_wrong {
	int table, scope;
	const uint8_t *key;
	size_t key_len;
	enum store_op op;
	int64_t cl, stamp;
};

/*
 * At the hub: write those rows again as they are here, later than the wrong changes, so that
 * whoever made them converges.  In a transaction, with nothing in the log.  `list` is put in
 * another order.
 */
MUST_CHECK int sync_seal_back(struct sync_replica *r, struct sync_wrong *list, size_t count,
                              struct err *err);

/* Sign every segment of our own streams, of whichever life, that isn't signed yet.  In a
 * transaction. */
MUST_CHECK int sync_seal_sign(struct sync_replica *r, const struct sync_key *key, struct err *err);

#endif /* SYNC_SEAL_H */

/*
 * sync/seal/rotate.h - this node signs with another key from now on.
 *
 * A site has one key for ever: with a new key begins a new life.  What the hub is known to
 * hold stays in the old lives' streams, under the old key; all that it isn't known to hold is
 * written again in the new one (sync/seal/remint.h), with its stamps, and cut off there:
 *
 *   old stream   1 ... n │ n+1 ...      the old key is good up to n, and never again
 *   new life             └─ written again, signed with the new key
 *
 * What the hub held beyond n - the receipt was lost on its way - it gives back as any record
 * of an earlier life.
 *
 * The same is done where a file comes under a new key by being put back: a backup of before
 * the rotation, in the directory whose key is of after it.
 */
#ifndef SYNC_ROTATE_H
#define SYNC_ROTATE_H

#include "sync/replica.h"

/* In yz_meta: the public key of the present life; none before the first rotation. */
#define SYNC_META_KEY "key"

/* A stream as it stays under the old key. */
struct sync_rotated {
	uint8_t epoch[STORE_EPOCH];
	const char *scope; /* the catalogue's */
	uint64_t n;
};

struct sync_rotation {
	const uint8_t *old_key, *new_key;
	struct sync_rotated *list; /* in the caller's arena; newest life last */
	size_t count;
};

/*
 * Go on under `new_key`; fills the list with the streams of the lives of `old_key`.  In a
 * transaction, with nothing in the log; what the old key still has to sign must be signed.  If
 * the transaction fails the caller puts r->self back.
 */
MUST_CHECK int sync_rotate(struct sync_replica *r, struct sync_rotation *rotation, struct arena *a,
                           struct err *err);

/* The key of the file's present life: 1, or 0 if no rotation has said. */
MUST_CHECK int sync_rotate_key(struct store_db *db, uint8_t key[SYNC_PUBLIC_KEY], struct err *err);

#endif /* SYNC_ROTATE_H */

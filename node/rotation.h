/*
 * node/rotation.h - a key's last word: which key follows it, and how far it is good.
 *
 * Bytes (LEB128 numbers and lengths, one form per document):
 *
 *   "yizhan-rotation-1" · node id (16) · old key (32) · new key (32) · time, ms
 *   · count · per stream of the old key's lives: epoch (8) · scope with length · n
 *   · signature of the old key (64) · signature of the new key over the same (64)
 *
 * A node keeps its documents beside its key, in order, as a chain, each with its length before it.
 * It shows the chain to a hub that doesn't know its present key: one that was away at the
 * rotation, or was put back to before it.  At first its end, which is mostly enough; then, of one
 * that is longer, all of it from the beginning, a piece with each request.  A hub follows it from a
 * key that it knows, and each key is followed once: whoever has a copy of an old one comes too late
 * (node/hub/hub_key.h).
 */
#ifndef NODE_ROTATION_H
#define NODE_ROTATION_H

#include "store/base/rd.h"
#include "store/schema.h"
#include "sync/codec/sign.h"

enum {
	ROTATION_STREAMS = 24,      /* the newest; older ones a hub knows by itself */
	ROTATION_MAX = 2048,        /* bytes of a document */
	ROTATION_CHAIN_MAX = 65536, /* bytes of a chain that is kept, */
	ROTATION_SHOWN_MAX = 3400,  /* and of what is shown at once, in one header line */
};

struct rotation_stream {
	uint8_t epoch[STORE_EPOCH];
	char scope[STORE_SCOPE_MAX + 1];
	uint64_t n;
};

struct rotation {
	uint8_t node[STORE_NODE_ID];
	uint8_t old_key[SYNC_PUBLIC_KEY], new_key[SYNC_PUBLIC_KEY];
	int64_t at_ms;
	unsigned count;
	struct rotation_stream streams[ROTATION_STREAMS];
};

/* Append its bytes with both signatures; sets both keys. */
void rotation_write(struct buf *out, struct rotation *rotation, const struct sync_key *old_key,
                    const struct sync_key *new_key);

/* Read bytes from outside.  ERR_CORRUPT if they aren't one, ERR_DENIED if a signature is missing.
 */
MUST_CHECK int rotation_read(const uint8_t *bytes, size_t len, struct rotation *rotation,
                             struct err *err);

/* Append a document to a chain. */
void rotation_chain_add(struct buf *chain, const struct buf *doc);

/* The next document of a chain: 1, 0 at its end, or as rotation_read(). */
MUST_CHECK int rotation_chain_next(struct rd *chain, struct rotation *rotation, struct err *err);

/* The last documents of a chain, as many as may be shown: where they begin. */
size_t rotation_chain_shown(const struct buf *chain);

/* The documents that begin at `from`, as many as may be shown: where they end; `from` at the end.
 */
size_t rotation_chain_piece(const struct buf *chain, size_t from);

#endif /* NODE_ROTATION_H */

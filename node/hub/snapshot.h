/*
 * node/hub/snapshot.h - a SQLite file of what a token may read.
 *
 * It is as it was at one moment, and has the feed's cursor of that moment: read it,
 * then /v1/changes?since=CURSOR, and nothing is missing or told twice.  It is made by
 * a reading connection while others write, and kept for a while (node/hub/kept.h);
 * etag and sha-256 are of its packed bytes.
 *
 * Who is given one can keep a proof of it: the hub signs, with its key,
 * "yizhan-snapshot-1", the 32 bytes of the SHA-256 and the cursor's 48 digits.
 */
#ifndef NODE_SNAPSHOT_H
#define NODE_SNAPSHOT_H

#include "node/hub/kept.h"
#include "sync/codec/sign.h"

/* One of that etag and this token's terms that is still kept: 1, or 0. */
MUST_CHECK int snapshot_find(const struct kept_place *of, const struct token *token,
                             const char *etag, struct kept *out, struct err *err);

/*
 * A fresh one of this token's terms, made now if there is none: what is too old goes then.  Takes
 * as long as the rows need.  ERR_BUSY if it was stopped, ERR_FULL with need and room if the disk
 * hasn't the room for it.
 */
MUST_CHECK int snapshot_get(const struct kept_place *of, const struct token *token,
                            struct kept *out, struct err *err);

/* The hub's signature of it, as above. */
void snapshot_sign(const struct kept *snap, const struct sync_key *key,
                   uint8_t signature[STORE_SIGNATURE]);

#endif /* NODE_SNAPSHOT_H */

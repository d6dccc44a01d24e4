/*
 * node/hub/snapshot.h - the snapshots that a hub keeps to give out: DIR/snapshots/.
 *
 * A snapshot is what a token may read, as it was at one moment, and the feed's
 * cursor of that moment: read it, then /v1/changes?since=CURSOR, and nothing is
 * missing or told twice.  It is made by a reading connection while others write.
 *
 * A file's name says all about it, so nothing else has to be kept and a restart
 * forgets nothing:
 *
 *   <terms 16><made, ms 16><cursor 48><etag 32><sha-256 64>.zst      hex digits
 *
 * terms: hash of the hub's epoch and of what the token may read, so that tokens
 * with the same rights share a snapshot and nobody else is given it.  etag and
 * sha-256: of the bytes.
 *
 * Who is given one can keep a proof of it: the hub signs, with its key,
 * "yizhan-snapshot-1", the 32 bytes of the SHA-256 and the cursor's 48 digits.
 */
#ifndef NODE_SNAPSHOT_H
#define NODE_SNAPSHOT_H

#include "node/hub/feed.h"
#include "sync/codec/sign.h"

#include <stdatomic.h>

enum {
	SNAPSHOT_FRESH_MS = 600000,      /* so long one is given out again */
	SNAPSHOT_KEEP_MS = 24 * 3600000, /* so long one that was begun can be resumed */
	SNAPSHOT_KEEP = 8,               /* files of the same terms */
	SNAPSHOT_ETAG = 33,              /* with its zero */
	SNAPSHOT_SHA256 = 32,
};

struct snapshots {
	const char *dir;         /* DIR */
	struct store_db *db;     /* reads */
	const struct env *env;   /* for the time */
	const atomic_bool *stop; /* ends the making of one; may be NULL */
};

struct snapshot {
	char etag[SNAPSHOT_ETAG];
	char cursor[FEED_CURSOR];
	uint8_t sha256[SNAPSHOT_SHA256];
	int64_t made_ms;
	uint64_t len;
	int fd; /* the caller's to close */
};

/* One of that etag and this token's terms that is still kept: 1, or 0. */
MUST_CHECK int snapshot_find(const struct snapshots *of, const struct token *token,
                             const char *etag, struct snapshot *out, struct err *err);

/*
 * A fresh one of this token's terms, made now if there is none: what is too old goes then.  Takes
 * as long as the rows need.  ERR_BUSY if it was stopped, ERR_FULL with need and room if the disk
 * hasn't the room for it.
 */
MUST_CHECK int snapshot_get(const struct snapshots *of, const struct token *token,
                            struct snapshot *out, struct err *err);

/* The hub's signature of it, as above. */
void snapshot_sign(const struct snapshot *snap, const struct sync_key *key,
                   uint8_t signature[STORE_SIGNATURE]);

/* Delete what is too old, too much, or was left unfinished. */
MUST_CHECK int snapshot_tidy(const struct snapshots *of, struct err *err);

/* Where temporary files of exports may be; made if it isn't there. */
MUST_CHECK int snapshot_folder(const struct snapshots *of, char *path, size_t size,
                               struct err *err);

#endif /* NODE_SNAPSHOT_H */

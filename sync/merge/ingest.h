/*
 * sync/merge/ingest.h - a segment from elsewhere into this file.
 *
 *   read -> bounded unpack, decode, hash -> signature -> seen covered? -> rights -> merge unit by
 * unit -> cursor
 *
 * Nothing is written before a segment is proven.  Everything happens in one
 * transaction, which begins with sealing what was written here meanwhile: no
 * foreign cell is ever written while the log holds a row.
 */
#ifndef SYNC_INGEST_H
#define SYNC_INGEST_H

#include "sync/replica.h"

struct rd;

enum sync_outcome {
	SYNC_STORED,  /* new records were taken */
	SYNC_KNOWN,   /* we had them all */
	SYNC_GAP,     /* it begins after the end of what we have */
	SYNC_WAITS,   /* it has seen writes that we haven't got yet */
	SYNC_FORK,    /* it doesn't continue our records: two lives wrote as one site */
	SYNC_HELD,    /* a hub stores it without merging it: it is stamped too far ahead, or late */
	SYNC_LATER,   /* to place it takes more looking than is left for this meeting */
	SYNC_REFUSED, /* not well-formed, or not signed by the site's key; `reason` says what */
};

struct sync_ingested {
	enum sync_outcome outcome;
	uint64_t n;         /* what we have of the stream now; of a fork, how much both have */
	int64_t changes;    /* merged */
	int64_t kept_aside; /* listed in quarantine; the first of them was record aside_n */
	uint64_t aside_n;
	char reason[160]; /* why it was refused, or the first change kept aside */
};

/*
 * Begin: BEGIN IMMEDIATE and seal.  Then any number of segments, then commit with sync_ingest_end.
 * On an error (negative) of any of them call sync_ingest_abort: nothing has happened.
 */
MUST_CHECK int sync_ingest_begin(struct sync_replica *r, struct err *err);

/* One segment in the short form, for a stream that the message names. `force`: don't wait for what
 * it has seen. */
struct sync_ingest_from {
	struct sync_site site;
	const char *scope;
	uint64_t n; /* where the sender says it begins: first - 1 */
	bool force;
	bool as_is; /* a person has looked at it: merge it however far ahead it is stamped, and
	               though its node's key was revoked since it had the right */
	bool late; /* at a hub, of a node whose key was revoked: hold it (sync/merge/late_priv.h) */
};
MUST_CHECK int sync_ingest_short(struct sync_replica *r, const struct sync_ingest_from *from,
                                 struct rd *bytes, struct sync_ingested *out, struct err *err);

/* One segment in the full form (bundle, archive). */
MUST_CHECK int sync_ingest_full(struct sync_replica *r, struct rd *bytes, bool force,
                                struct sync_ingested *out, struct err *err);

/* Commit. */
MUST_CHECK int sync_ingest_end(struct sync_replica *r, struct err *err);

/* Roll back. */
void sync_ingest_abort(struct sync_replica *r);

#endif /* SYNC_INGEST_H */

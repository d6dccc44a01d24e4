/*
 * sync/replica.h - one database as the sync engine sees it: who we are, what
 * time it is, whose word counts, and who wants to hear of merged units.
 *
 * Seal and ingest share it.  It owns nothing but its batch.
 */
#ifndef SYNC_REPLICA_H
#define SYNC_REPLICA_H

#include "store/batch.h"
#include "sync/clock.h"
#include "sync/codec/sign.h"

/* A unit that has just been sealed or merged, inside its transaction. */
struct sync_unit {
	int site;
	int scope;
	int stream;
	uint64_t first, last; /* records of the stream, opening included */
	int64_t sealed_ms;
	struct store_row **rows; /* those that changed by it; each once */
	size_t count;
	/* Not 0: nothing of them was written, but they are no longer of this scope and are of
	 * `scope` now (sync/merge/share.h); `first` then is the stamp of what said so, and `stream`
	 * 0. */
	int left;
};

enum { SYNC_KEPT_MAX = 16 };

/* Why something that was written here stays here, or was put back. */
struct sync_kept {
	char scope[STORE_SCOPE_MAX + 1];
	char reason[2 * STORE_NAME_MAX + 200];
};

struct sync_replica {
	struct store_db *db; /* STORE_MERGE; borrowed */
	struct store_batch *batch;
	struct store_site self; /* id set */
	bool is_hub;
	bool hub_known;                  /* hub_node is set */
	uint8_t hub_node[STORE_NODE_ID]; /* who may write hub-only columns */
	struct sync_clock clock;
	/* What the seals have listed so since whoever tells of it set the count to 0, each reason
	 * of a scope once. */
	struct sync_kept kept[SYNC_KEPT_MAX];
	size_t kept_count;
	int64_t look_left; /* what may still be looked at for the peer (sync/look.h) */
	struct sync_look *look;
	/* At the hub, while it takes a request: scopes of which the node has records of the hub's
	 * own that aren't here, because it was put back.  Borrowed. */
	struct sync_forgotten {
		const int *scopes;
		size_t count;
	} forgotten;

	/* May this site write this scope?  NULL: yes.  Integrity is another matter: it is always
	 * stored. */
	bool (*may_write)(void *ctx, const struct store_site *site, const char *scope);
	/* At a hub: might it, until its key was revoked?  NULL: no. */
	bool (*might_write)(void *ctx, const struct store_site *site, const char *scope);
	/* The public key that signs this site's heads; false if unknown. */
	bool (*key_of)(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY]);
	/* Up to which record of its stream there that key is good: it was replaced then.  NULL, or
	 * UINT64_MAX: it wasn't. */
	uint64_t (*key_until)(void *ctx, const struct store_site *site, const char *scope);
	/* Called for each unit whose rows changed, in the transaction; NULL: nobody listens. */
	int (*applied)(void *ctx, const struct sync_unit *unit, struct err *err);
	void *ctx;
};

/* Make ready over an open STORE_MERGE database whose meta has node and epoch; hooks are set by the
 * caller after. */
MUST_CHECK int sync_replica_open(struct sync_replica *r, struct store_db *db, bool is_hub,
                                 struct err *err);

/* Free what it owns; the database stays open. */
void sync_replica_close(struct sync_replica *r);

/* A seal has listed something with this reason; more than SYNC_KEPT_MAX aren't told. */
void sync_replica_keep(struct sync_replica *r, int scope, const char *reason);

/* The best estimate of the time. */
int64_t sync_replica_now_ms(const struct sync_replica *r);

#endif /* SYNC_REPLICA_H */

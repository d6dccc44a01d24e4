/*
 * node/rights.h - who may read and write which scope, as a replica's hooks
 * (sync/replica.h) and an answer's (sync/exchange/exchange.h) want to know it.
 *
 *   at the hub    a node reads and writes what its newest grant says, unless it is revoked;
 *                 the hub itself writes everything and nobody else writes `hub`
 *   at a node     it writes f/<own facility>, enrolled or not; the hub writes everything; in
 *                 what its grant lets it write also whoever the hub passes on, because there the
 *                 hub has checked; nobody else anything
 *
 * All lookups go to the database and answer "no" when it fails: a right that
 * can't be proven isn't there.
 */
#ifndef NODE_RIGHTS_H
#define NODE_RIGHTS_H

#include "node/grant.h"

struct rights {
	struct store_db *db; /* borrowed */
	bool is_hub;
	uint8_t self_key[SYNC_PUBLIC_KEY];
	uint8_t self[STORE_NODE_ID];
	/* at a node: */
	char own[STORE_SCOPE_MAX + 1]; /* "f/<facility>" of its making */
	bool enrolled;
	uint8_t hub[STORE_NODE_ID]; /* the hub's node id */
	struct grant grant;         /* its key is grant.hub_key */
};

/*
 * Read what is stored; again after every enrolment or new grant.  ERR_DENIED if the stored grant
 * isn't the hub's.
 */
MUST_CHECK int rights_open(struct rights *rights, struct store_db *db, bool is_hub,
                           const uint8_t self_key[SYNC_PUBLIC_KEY], struct err *err);

/* The hooks; `ctx` is a struct rights. */
bool rights_may_write(void *ctx, const struct store_site *site, const char *scope);
bool rights_might_write(void *ctx, const struct store_site *site, const char *scope);
bool rights_key_of(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY]);
uint64_t rights_key_until(void *ctx, const struct store_site *site, const char *scope);
bool rights_may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope);

/*
 * At the hub: who signs with this key?  1 and the node's id, or 0 for an unknown one; ERR_DENIED
 * for a revoked or replaced one.
 */
MUST_CHECK int rights_node_of(const struct rights *rights, const uint8_t key[SYNC_PUBLIC_KEY],
                              uint8_t node[STORE_NODE_ID], struct err *err);

/* At the hub: is that the last key of a node that was revoked?  Then `node` is its id. */
MUST_CHECK bool rights_is_revoked(const struct rights *rights, const uint8_t key[SYNC_PUBLIC_KEY],
                                  uint8_t node[STORE_NODE_ID]);

#endif /* NODE_RIGHTS_H */

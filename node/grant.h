/*
 * node/grant.h - the hub's signed word on what a node may read and write.
 *
 * Bytes (LEB128 numbers and lengths, one form per grant):
 *
 *   "yizhan-grant-1" · node key (32) · node id (16) · facility with length
 *   · count and names of the scopes it may read · the same of those it may write
 *   · roles · version · issued, ms · hub key (32) · signature (64) of all before it
 *
 * A node's grants have rising versions, and an older one never replaces a newer:
 * at the hub and at the node.  The version is never below the ms of its issue,
 * so it rises also at a hub that was restored and has forgotten the last ones.
 */
#ifndef NODE_GRANT_H
#define NODE_GRANT_H

#include "store/schema.h"
#include "sync/codec/sign.h"

enum {
	GRANT_SCOPES = 8,    /* of one kind */
	GRANT_FACILITY = 48, /* characters of a facility's ID */
	GRANT_MAX = 2048,    /* bytes of a grant */
};

/* What the node is; a set of bits, on disk and on the wire. */
enum { GRANT_FACILITY_NODE = 1 };

struct grant_scopes {
	unsigned count;
	char name[GRANT_SCOPES][STORE_SCOPE_MAX + 1];
};

struct grant {
	uint8_t node_key[SYNC_PUBLIC_KEY];
	uint8_t node[STORE_NODE_ID];
	char facility[GRANT_FACILITY + 1];
	struct grant_scopes read, write;
	unsigned roles;
	int64_t version;
	int64_t issued_ms;
	uint8_t hub_key[SYNC_PUBLIC_KEY];
};

/*
 * Can this be a facility's ID, or a subdistrict's?  The same that init takes.  ERR_INVALID says
 * what goes.
 */
MUST_CHECK int grant_facility_check(const char *facility, struct err *err);

/*
 * What a facility's node gets: it reads `all`, f/<facility> and, if `street` isn't NULL,
 * s/<street>; it writes f/<facility>.  Node, keys, version and time are left to the caller.
 * ERR_INVALID if a name is none.
 */
MUST_CHECK int grant_of_facility(struct grant *grant, const char *facility, const char *street,
                                 struct err *err);

/* Append its bytes, signed; sets grant->hub_key. */
void grant_write(struct buf *out, struct grant *grant, const struct sync_key *hub);

/*
 * Read bytes from outside.  ERR_DENIED if they aren't signed by `hub_key`, ERR_CORRUPT if they
 * aren't a grant.
 */
MUST_CHECK int grant_read(const uint8_t *bytes, size_t len, const uint8_t hub_key[SYNC_PUBLIC_KEY],
                          struct grant *grant, struct err *err);

/* The same for bytes that were verified before they were stored. */
MUST_CHECK int grant_reread(const uint8_t *bytes, size_t len, struct grant *grant, struct err *err);

/* Is that scope among them? */
MUST_CHECK bool grant_has(const struct grant_scopes *scopes, const char *scope);

#endif /* NODE_GRANT_H */

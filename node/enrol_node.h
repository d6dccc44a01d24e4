/*
 * node/enrol_node.h - how a node becomes known to a hub: the node's side.
 *
 *   POST /v1/enrol   {"code","key","name","facility","signature"}
 *   answer           {"state":"granted"|"waiting","hub","words":{"zh","en"},"grant",
 *                    "id_key"}
 *
 * Keys, signature, grant and id_key (a box, node/id_key.h) are hex; the last two
 * are null while an administrator has to approve, and then the node asks again.  A refusal is a
 * problem document.
 *
 * The answer isn't believed: the hub's key must be the one that the code names,
 * the words are made here again, the grant must be signed by that key and be for
 * this node, and the box must have been closed by it for this node.
 */
#ifndef NODE_ENROL_NODE_H
#define NODE_ENROL_NODE_H

#include "node/grant.h"
#include "node/hub/enrol.h"

/* Who asks; borrowed. */
struct enrol_self {
	const struct sync_key *key;
	const char *name;     /* what the machine is called */
	const char *facility; /* that it was made for */
};

/* Append the body of the request.  ERR_INVALID if the code is mistyped or the name too long. */
MUST_CHECK int enrol_node_ask(const struct enrol_self *self, const char *code, struct buf *body,
                              struct err *err);

struct enrol_news {
	bool granted; /* else wait and ask again */
	uint8_t hub_key[SYNC_PUBLIC_KEY];
	uint8_t words[WORDS];
	struct grant grant; /* if granted */
	uint8_t doc[GRANT_MAX];
	size_t doc_len;
	uint8_t id_key[ID_KEY]; /* of the facility */
};

/*
 * Read the body of an answer with status 200.  ERR_DENIED if its key isn't the one that the code
 * names or the grant isn't for us, ERR_CORRUPT if it isn't such an answer.
 */
MUST_CHECK int enrol_node_read(const struct sync_key *key, const char *code, const void *body,
                               size_t len, struct enrol_news *news, struct err *err);

/*
 * Keep a grant and a facility's key that were read, and where the hub is.  ERR_DENIED if the one
 * that we have of this hub is newer, if we belong to another hub, or if it is for another facility
 * than ours.  In the caller's transaction or its own.
 */
MUST_CHECK int enrol_node_keep(struct store_db *db, const char *url, const struct enrol_news *news,
                               struct err *err);

#endif /* NODE_ENROL_NODE_H */

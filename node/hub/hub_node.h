/*
 * node/hub/hub_node.h - the nodes that a hub has enrolled, and their grants.
 */
#ifndef NODE_HUB_NODE_H
#define NODE_HUB_NODE_H

#include "node/grant.h"
#include "store/base/arena.h"

/* What a revoked node is told at whichever door it comes to, and what can be done instead.  The
 * node knows it again by "was revoked" (node/link.c). */
extern const char hub_node_revoked_words[];

/* Texts and bytes live in the arena. */
struct hub_node {
	uint8_t node[STORE_NODE_ID];
	uint8_t key[SYNC_PUBLIC_KEY];
	const char *facility;
	const char *label; /* as it called itself; may be "" */
	int64_t version;   /* of its newest grant */
	const uint8_t *doc;
	size_t doc_len;
	int64_t since_ms;
	int64_t revoked_ms; /* 0: it isn't */
};

/* 1 and the node with that id, or 0. */
MUST_CHECK int hub_node_find(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                             struct arena *a, struct hub_node *out, struct err *err);

/*
 * The node whose id in hex begins with `which`, in either case.  ERR_NOTFOUND, with a sentence, if
 * there is none or `which` is empty; ERR_INVALID if there are several.
 */
MUST_CHECK int hub_node_named(struct store_db *db, const char *which, struct arena *a,
                              struct hub_node *out, struct err *err);

/* Is there a node, an enrolment or a row of that facility? */
MUST_CHECK int hub_node_facility_known(struct store_db *db, const char *facility, bool *known,
                                       struct err *err);

/* All of them, by facility and id. */
MUST_CHECK int hub_node_list(struct store_db *db, struct arena *a, struct hub_node **list,
                             size_t *count, struct err *err);

/* The id of the node whose key this is, or would be: a node keeps its id when its key is replaced.
 * ERR_DENIED if it was. */
MUST_CHECK int hub_node_id(struct store_db *db, const uint8_t key[SYNC_PUBLIC_KEY],
                           uint8_t node[STORE_NODE_ID], struct err *err);

/* Note which street's rows the node's grant lets it read (hub_node.street), as keeping a grant
 * does; of one that can't be read, none. */
MUST_CHECK int hub_node_note_street(struct store_db *db, const struct hub_node *node,
                                    struct err *err);

struct hub_node_new {
	const struct sync_key *hub;
	struct grant *grant; /* scopes and node_key set; the rest is filled in */
	const char *label;
	int64_t now_ms;
};

/*
 * May the node with this id be enrolled for the facility?  ERR_DENIED, with a sentence that says
 * what to do instead, if it is revoked or belongs to another facility.
 */
MUST_CHECK int hub_node_fit(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                            const char *facility, struct err *err);

/*
 * Sign a grant for a node, new or known, and keep it.  ERR_DENIED if the node is revoked or belongs
 * to another facility.
 */
MUST_CHECK int hub_node_grant(struct store_db *db, const struct hub_node_new *new, struct err *err);

/*
 * A node shows a grant of ours that we don't know (restored from an older copy): take it in again.
 * ERR_DENIED if we didn't sign it or the node is revoked; an older grant than ours changes nothing.
 */
MUST_CHECK int hub_node_readmit(struct store_db *db, const uint8_t hub_key[SYNC_PUBLIC_KEY],
                                const uint8_t *doc, size_t len, struct err *err);

/* From now on its key opens nothing.  ERR_NOTFOUND if there is no such node; no-op if it is
 * revoked already. */
MUST_CHECK int hub_node_revoke(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                               int64_t now_ms, struct err *err);

#endif /* NODE_HUB_NODE_H */

/*
 * node/id_key.h - the key with which all nodes of one facility hash the numbers
 * of identity papers, so that a child imported at two of them has one hash.
 *
 *   hub    root = BLAKE2b-256("yizhan-id-key-1"), keyed with the seed of its own key
 *          key = BLAKE2b-256(facility), keyed with root
 *          given to each node of the facility at its enrolment, in a box (sync/codec/sign_box.h)
 *
 * Such numbers can be guessed by trying them, so whoever has key and hash has the
 * number: the hub can derive the key and stores it nowhere, a node keeps it in
 * its file (yz_meta), and no record, feed or export holds it.  The box opens
 * with the node's key only, and proves that this hub has closed it.
 */
#ifndef NODE_ID_KEY_H
#define NODE_ID_KEY_H

#include "store/db.h"
#include "sync/codec/sign_box.h"

enum { ID_KEY = SYNC_SECRET };

/* At the hub: the facility's key in a box for one node.  ERR_DENIED if the node's key is none. */
MUST_CHECK int id_key_seal(const struct sync_key *hub, const char *facility,
                           const uint8_t node_key[SYNC_PUBLIC_KEY],
                           const uint8_t nonce[SYNC_BOX_NONCE], uint8_t box[SYNC_BOX],
                           struct err *err);

/* At the node.  ERR_DENIED if the box isn't from that hub for us. */
MUST_CHECK int id_key_open(const struct sync_key *node, const uint8_t hub_key[SYNC_PUBLIC_KEY],
                           const uint8_t box[SYNC_BOX], uint8_t key[ID_KEY], struct err *err);

/* Keep it in the node's file. */
MUST_CHECK int id_key_keep(struct store_db *db, const uint8_t key[ID_KEY], struct err *err);

/* 1 and the key, or 0 before the node is enrolled. */
MUST_CHECK int id_key_kept(struct store_db *db, uint8_t key[ID_KEY], struct err *err);

#endif /* NODE_ID_KEY_H */

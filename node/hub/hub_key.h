/*
 * node/hub/hub_key.h - the keys that the hub's nodes had before the present one.
 *
 * A node's key is replaced by a rotation (node/rotation.h): not revoked, but good only up to
 * the records that it had delivered, per stream, and never asked for again.  What of these
 * streams comes later all the same is stored and kept aside.
 *
 * Each key is followed by one other, the first that is shown: a copy of an old key rotates
 * nothing.  Where the machine with the present key is gone and only an older copy is left, an
 * administrator lets the node rotate from that, once (hub_key_allow()).
 */
#ifndef NODE_HUB_HUB_KEY_H
#define NODE_HUB_HUB_KEY_H

#include "node/rotation.h"
#include "store/catalog.h"

/*
 * Follow a chain of rotations.  What is known changes nothing.  ERR_DENIED, with a sentence, if
 * it begins with no key of ours, the node is revoked, or a key was replaced by another already;
 * ERR_CORRUPT if it is no chain.  In the caller's transaction or its own.
 */
MUST_CHECK int hub_key_rotate(struct store_db *db, const uint8_t *chain, size_t len, int64_t now_ms,
                              struct err *err);

/* The node whose present key this is: 1 and its id, 0 if it is nobody's.  ERR_DENIED for one that
 * was replaced. */
MUST_CHECK int hub_key_node(struct store_db *db, const uint8_t key[SYNC_PUBLIC_KEY],
                            uint8_t node[STORE_NODE_ID], struct err *err);

/* The key of an earlier life, if it isn't the node's present one: 1, or 0. */
MUST_CHECK int hub_key_of(struct store_db *db, const struct store_site *site,
                          uint8_t key[SYNC_PUBLIC_KEY], struct err *err);

/* Up to which record that key is good there; UINT64_MAX if it was never replaced, 0 if that can't
 * be found out. */
uint64_t hub_key_until(struct store_db *db, const struct store_site *site, const char *scope);

/* Let the node with this id rotate once from any key that it ever had.  ERR_NOTFOUND if there is
 * none, or it is revoked. */
MUST_CHECK int hub_key_allow(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                             struct err *err);

#endif /* NODE_HUB_HUB_KEY_H */

/*
 * sync/codec/sign.h - Ed25519: the node's key, signed heads and signed messages.
 */
#ifndef SYNC_SIGN_H
#define SYNC_SIGN_H

#include "store/stream.h"
#include "sync/codec/record.h"

enum { SYNC_SEED_KEY = 32, SYNC_PUBLIC_KEY = 32 };

struct sync_key {
	uint8_t seed[SYNC_SEED_KEY];
	uint8_t public_key[SYNC_PUBLIC_KEY];
	uint8_t secret[64];
};

/* Derive the pair from its 32-byte seed. */
void sync_key_from_seed(struct sync_key *key, const uint8_t seed[SYNC_SEED_KEY]);

/* Wipe it from memory. */
void sync_key_wipe(struct sync_key *key);

/* node id = BLAKE2b-128 of the first public key. */
void sync_node_id(uint8_t node[STORE_NODE_ID], const uint8_t public_key[SYNC_PUBLIC_KEY]);

/* Sign bytes. */
void sync_sign(const struct sync_key *key, const void *bytes, size_t len,
               uint8_t signature[STORE_SIGNATURE]);

/* Is it a signature of these bytes by that key (strict: canonical S, no small-order points)? */
MUST_CHECK bool sync_verify(const uint8_t public_key[SYNC_PUBLIC_KEY], const void *bytes,
                            size_t len, const uint8_t signature[STORE_SIGNATURE]);

/*
 * A stream's head: Ed25519 over "yizhan-head-1" || node (16) || epoch (8) || u8 scope length ||
 * scope || n (8, big endian) || head (32).
 */
void sync_sign_head(const struct sync_key *key, const struct sync_site *site, const char *scope,
                    uint64_t n, const uint8_t head[STORE_HEAD], uint8_t signature[STORE_SIGNATURE]);
MUST_CHECK bool sync_verify_head(const uint8_t public_key[SYNC_PUBLIC_KEY],
                                 const struct sync_site *site, const char *scope, uint64_t n,
                                 const uint8_t head[STORE_HEAD],
                                 const uint8_t signature[STORE_SIGNATURE]);

#endif /* SYNC_SIGN_H */

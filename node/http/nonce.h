/*
 * node/http/nonce.h - the hub's nonces: proof that a signed request is fresh, without
 * remembering any.
 *
 * A nonce is the hub's time in seconds and 8 bytes of a keyed BLAKE2b over it,
 * in hex.  It is good for NONCE_LIFE_S; a request replayed within that time is
 * harmless, because everything it can carry is idempotent.
 */
#ifndef NODE_NONCE_H
#define NODE_NONCE_H

#include <stdbool.h>
#include <stdint.h>

enum { NONCE_LIFE_S = 600, NONCE_SIZE = 25 };

/* Write a nonce for this time, with its zero. */
void nonce_make(char out[NONCE_SIZE], const uint8_t secret[32], int64_t now_s);

/* Is it one of ours and still good? */
bool nonce_good(const char *nonce, const uint8_t secret[32], int64_t now_s);

#endif /* NODE_NONCE_H */

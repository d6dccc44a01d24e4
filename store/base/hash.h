/*
 * store/base/hash.h - libsodium's BLAKE2b, comparison in constant time and
 * random bytes, under our own names; the one door to libsodium below sync/sign.
 */
#ifndef STORE_BASE_HASH_H
#define STORE_BASE_HASH_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_16 = 16, HASH_32 = 32 };

/* A running hash; a plain value, no release needed. */
struct hash {
	_Alignas(64) uint8_t opaque[384];
	size_t out_len;
};

/* Make libsodium ready; true if it is.  Call once at the start of a program; repeating it is
 * harmless. */
bool hash_init(void);

/* BLAKE2b of `len` bytes to `out_len` (16, 32 or 64) bytes, unkeyed (RFC 7693). */
void hash_once(uint8_t *out, size_t out_len, const void *bytes, size_t len);

/* BLAKE2b as above with a key of 16 to 64 bytes. */
void hash_keyed(uint8_t *out, size_t out_len, const void *bytes, size_t len, const uint8_t key[32]);

/* BLAKE2b with 16 bytes of salt, one of its parameters: another function for each salt. */
void hash_once_salted(uint8_t *out, size_t out_len, const void *bytes, size_t len,
                      const uint8_t salt[16]);

/* The same in pieces: unkeyed, or salted. */
void hash_start(struct hash *h, size_t out_len);
void hash_start_salted(struct hash *h, size_t out_len, const uint8_t salt[16]);

/* Add bytes to a running hash. */
void hash_add(struct hash *h, const void *bytes, size_t len);

/* Take the result; `h` is spent. */
void hash_end(struct hash *h, uint8_t *out);

/* SHA-256 (for RFC 9530 content digests). */
void hash_sha256(uint8_t out[32], const void *bytes, size_t len);

/* The same in pieces; a plain value, no release needed. */
struct hash_sha256 {
	_Alignas(8) uint8_t opaque[128];
};
void hash_sha256_start(struct hash_sha256 *h);
void hash_sha256_add(struct hash_sha256 *h, const void *bytes, size_t len);
void hash_sha256_end(struct hash_sha256 *h, uint8_t out[32]);

/* SHA-512 (for SSH signatures). */
void hash_sha512(uint8_t out[64], const void *bytes, size_t len);

/* Are the two equal?  Takes the same time whatever they hold. */
bool hash_equal(const void *a, const void *b, size_t len);

/*
 * What is kept of a password: argon2id (two passes over 19 MiB) with a salt of its own; some 30 ms.
 * ERR_NOMEM without the memory.
 */
enum { HASH_PASSWORD = 128 };
MUST_CHECK int hash_password(char kept[HASH_PASSWORD], const char *password, struct err *err);

/* Was it kept of this password?  Takes as long whatever it is. */
MUST_CHECK bool hash_password_is(const char kept[HASH_PASSWORD], const char *password);

/* Fill with random bytes from the system. */
void hash_random(void *bytes, size_t len);

#endif /* STORE_BASE_HASH_H */

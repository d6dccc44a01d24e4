/*
 * tests/sim/memo.c - what a key has signed in this process needs no curve to be found good.
 *
 * All machines of a history are here, so nearly every signature that is checked was made here, of
 * the same bytes: two a meeting, one a segment and reader.  Whether it is good is a function of
 * key, bytes and signature alone; one that was made or found good is remembered by their hash,
 * and anything else - a turned bit, another key, cut bytes - goes through libsodium as ever.  Of
 * those remembered one in sixteen does as well, and has to be good there too.
 *
 * The product calls libsodium; the linker leads these two calls here (Makefile, --wrap).
 */
#include "store/base/hash.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
	PLACES = 4096, /* a newer one takes an older one's place: that one is worked out again */
	EARNEST = 16,
};

static uint8_t good[PLACES][HASH_32];

int real_sign(uint8_t *signature, unsigned long long *signature_len, const uint8_t *bytes,
              unsigned long long len, const uint8_t *secret) __asm__("__real_crypto_sign_detached");
int real_verify(const uint8_t *signature, const uint8_t *bytes, unsigned long long len,
                const uint8_t *key) __asm__("__real_crypto_sign_verify_detached");
int memo_sign(uint8_t *signature, unsigned long long *signature_len, const uint8_t *bytes,
              unsigned long long len, const uint8_t *secret) __asm__("__wrap_crypto_sign_detached");
int memo_verify(const uint8_t *signature, const uint8_t *bytes, unsigned long long len,
                const uint8_t *key) __asm__("__wrap_crypto_sign_verify_detached");

static void
name_of(const uint8_t *key, const uint8_t *signature, const void *bytes, size_t len,
        uint8_t name[HASH_32])
{
	struct hash h;

	hash_start(&h, HASH_32);
	hash_add(&h, key, crypto_sign_PUBLICKEYBYTES);
	hash_add(&h, signature, crypto_sign_BYTES);
	hash_add(&h, bytes, len);
	hash_end(&h, name);
}

static uint8_t *
place_of(const uint8_t name[HASH_32])
{
	return good[((unsigned)name[1] << 8 | name[2]) % PLACES];
}

int
memo_sign(uint8_t *signature, unsigned long long *signature_len, const uint8_t *bytes,
          unsigned long long len, const uint8_t *secret)
{
	int status = real_sign(signature, signature_len, bytes, len, secret);
	const uint8_t *key = secret + crypto_sign_SEEDBYTES; /* the public one is its second half */
	uint8_t name[HASH_32];

	name_of(key, signature, bytes, len, name);
	if (status == 0)
		memcpy(place_of(name), name, HASH_32);
	return status;
}

int
memo_verify(const uint8_t *signature, const uint8_t *bytes, unsigned long long len,
            const uint8_t *key)
{
	uint8_t name[HASH_32];
	bool known;
	int status;

	name_of(key, signature, bytes, len, name);
	known = memcmp(place_of(name), name, HASH_32) == 0;
	if (known && name[0] % EARNEST != 0)
		return 0;
	status = real_verify(signature, bytes, len, key);
	if (known && status != 0)
		abort(); /* made here, and no good: then libsodium, or what is above, is wrong */
	if (status == 0)
		memcpy(place_of(name), name, HASH_32);
	return status;
}

/*
 * tests/sim/memo.c - between the machines of a history a signature is mostly a hash.
 *
 * All of them are here, in one process, and nobody forges: two signatures a meeting, one a segment
 * and reader.  What a history tests is whether the right bytes were signed by the right key and
 * checked against it, at each place where they are; for that a hash of both does as well as the
 * curve, and another key, a turned bit or cut bytes are refused as ever; but the hash takes of the
 * secret key its public half alone, so a wrong seed before it isn't.  Of sixteen one goes
 * through libsodium, at both ends: which ones is told by the hash itself, so both ends agree.
 *
 * The product calls libsodium; the linker leads these two calls here (Makefile, --wrap).
 */
#include "store/base/hash.h"

#include <sodium.h>
#include <string.h>

enum { EARNEST = 16, MARK = crypto_sign_BYTES };

int real_sign(uint8_t *signature, unsigned long long *signature_len, const uint8_t *bytes,
              unsigned long long len, const uint8_t *secret) __asm__("__real_crypto_sign_detached");
int real_verify(const uint8_t *signature, const uint8_t *bytes, unsigned long long len,
                const uint8_t *key) __asm__("__real_crypto_sign_verify_detached");
int memo_sign(uint8_t *signature, unsigned long long *signature_len, const uint8_t *bytes,
              unsigned long long len, const uint8_t *secret) __asm__("__wrap_crypto_sign_detached");
int memo_verify(const uint8_t *signature, const uint8_t *bytes, unsigned long long len,
                const uint8_t *key) __asm__("__wrap_crypto_sign_verify_detached");

/* What stands for the signature; true if this one is to be libsodium's instead. */
static bool
mark_of(const uint8_t *key, const void *bytes, size_t len, uint8_t mark[MARK])
{
	struct hash h;

	hash_start(&h, MARK);
	hash_add(&h, key, crypto_sign_PUBLICKEYBYTES);
	hash_add(&h, bytes, len);
	hash_end(&h, mark);
	return mark[0] % EARNEST == 0;
}

int
memo_sign(uint8_t *signature, unsigned long long *signature_len, const uint8_t *bytes,
          unsigned long long len, const uint8_t *secret)
{
	const uint8_t *key = secret + crypto_sign_SEEDBYTES; /* the public one is its second half */

	if (mark_of(key, bytes, len, signature))
		return real_sign(signature, signature_len, bytes, len, secret);
	if (signature_len != NULL)
		*signature_len = MARK;
	return 0;
}

int
memo_verify(const uint8_t *signature, const uint8_t *bytes, unsigned long long len,
            const uint8_t *key)
{
	uint8_t mark[MARK];

	if (mark_of(key, bytes, len, mark))
		return real_verify(signature, bytes, len, key);
	return memcmp(signature, mark, MARK) == 0 ? 0 : -1;
}

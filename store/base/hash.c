#include "store/base/hash.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { PASSWORD_PASSES = 2, PASSWORD_BYTES = 19 << 20 };

_Static_assert((int)HASH_PASSWORD == (int)crypto_pwhash_argon2id_STRBYTES,
               "as libsodium writes it");
_Static_assert(sizeof(crypto_generichash_state) <= 384, "struct hash holds libsodium's state");
_Static_assert(sizeof(crypto_hash_sha256_state) <= 128, "so does struct hash_sha256");

bool
hash_init(void)
{
	return sodium_init() >= 0;
}

void
hash_once(uint8_t *out, size_t out_len, const void *bytes, size_t len)
{
	crypto_generichash(out, out_len, bytes, len, NULL, 0);
}

void
hash_keyed(uint8_t *out, size_t out_len, const void *bytes, size_t len, const uint8_t key[32])
{
	crypto_generichash(out, out_len, bytes, len, key, 32);
}

void
hash_once_salted(uint8_t *out, size_t out_len, const void *bytes, size_t len,
                 const uint8_t salt[16])
{
	crypto_generichash_blake2b_salt_personal(out, out_len, bytes, len, NULL, 0, salt, NULL);
}

void
hash_start_salted(struct hash *h, size_t out_len, const uint8_t salt[16])
{
	h->out_len = out_len;
	crypto_generichash_blake2b_init_salt_personal((crypto_generichash_blake2b_state *)h->opaque,
	                                              NULL, 0, out_len, salt, NULL);
}

void
hash_start(struct hash *h, size_t out_len)
{
	h->out_len = out_len;
	crypto_generichash_init((crypto_generichash_state *)h->opaque, NULL, 0, out_len);
}

void
hash_add(struct hash *h, const void *bytes, size_t len)
{
	if (len > 0)
		crypto_generichash_update((crypto_generichash_state *)h->opaque, bytes, len);
}

void
hash_end(struct hash *h, uint8_t *out)
{
	crypto_generichash_final((crypto_generichash_state *)h->opaque, out, h->out_len);
}

void
hash_sha256(uint8_t out[32], const void *bytes, size_t len)
{
	crypto_hash_sha256(out, bytes, len);
}

void
hash_sha256_start(struct hash_sha256 *h)
{
	crypto_hash_sha256_init((crypto_hash_sha256_state *)h->opaque);
}

void
hash_sha256_add(struct hash_sha256 *h, const void *bytes, size_t len)
{
	if (len > 0)
		crypto_hash_sha256_update((crypto_hash_sha256_state *)h->opaque, bytes, len);
}

void
hash_sha256_end(struct hash_sha256 *h, uint8_t out[32])
{
	crypto_hash_sha256_final((crypto_hash_sha256_state *)h->opaque, out);
}

void
hash_sha512(uint8_t out[64], const void *bytes, size_t len)
{
	crypto_hash_sha512(out, bytes, len);
}

bool
hash_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void
hash_random(void *bytes, size_t len)
{
	randombytes_buf(bytes, len);
}

int
hash_password(char kept[HASH_PASSWORD], const char *password, struct err *err)
{
	if (crypto_pwhash_argon2id_str(kept, password, strlen(password), PASSWORD_PASSES,
	                               PASSWORD_BYTES) != 0)
		return err_set(err, ERR_NOMEM, "password: out of memory");
	return 0;
}

bool
hash_password_is(const char kept[HASH_PASSWORD], const char *password)
{
	return crypto_pwhash_argon2id_str_verify(kept, password, strlen(password)) == 0;
}

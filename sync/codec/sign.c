/* sync/codec/sign.c - Ed25519 by libsodium, whose verification is the strict one. */
#include "sync/codec/sign.h"
#include "store/base/hash.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(SYNC_SEED_KEY == crypto_sign_SEEDBYTES, "a key file holds the seed");
_Static_assert(SYNC_PUBLIC_KEY == crypto_sign_PUBLICKEYBYTES, "public keys are as they are");
_Static_assert(STORE_SIGNATURE == crypto_sign_BYTES, "signatures are detached");
_Static_assert(sizeof(((struct sync_key *)0)->secret) == crypto_sign_SECRETKEYBYTES,
               "secret holds seed and public key");

static const uint8_t head_words[] = { 'y', 'i', 'z', 'h', 'a', 'n', '-',
	                              'h', 'e', 'a', 'd', '-', '1' };

enum {
	WORDS = sizeof head_words,
	HEAD_MESSAGE_MAX =
	        WORDS + STORE_NODE_ID + STORE_EPOCH + 1 + STORE_SCOPE_MAX + 8 + STORE_HEAD,
};

void
sync_key_from_seed(struct sync_key *key, const uint8_t seed[SYNC_SEED_KEY])
{
	memcpy(key->seed, seed, SYNC_SEED_KEY);
	crypto_sign_seed_keypair(key->public_key, key->secret, seed);
}

void
sync_key_wipe(struct sync_key *key)
{
	sodium_memzero(key, sizeof *key);
}

void
sync_node_id(uint8_t node[STORE_NODE_ID], const uint8_t public_key[SYNC_PUBLIC_KEY])
{
	hash_once(node, STORE_NODE_ID, public_key, SYNC_PUBLIC_KEY);
}

void
sync_sign(const struct sync_key *key, const void *bytes, size_t len,
          uint8_t signature[STORE_SIGNATURE])
{
	crypto_sign_detached(signature, NULL, bytes, len, key->secret);
}

bool
sync_verify(const uint8_t public_key[SYNC_PUBLIC_KEY], const void *bytes, size_t len,
            const uint8_t signature[STORE_SIGNATURE])
{
	return crypto_sign_verify_detached(signature, bytes, len, public_key) == 0;
}

/* What is signed for a head; returns its length. */
static size_t
head_message(uint8_t out[HEAD_MESSAGE_MAX], const struct sync_site *site, const char *scope,
             uint64_t n, const uint8_t head[STORE_HEAD])
{
	size_t scope_len = strnlen(scope, STORE_SCOPE_MAX + 1), at = 0;

	assert(scope_len <= STORE_SCOPE_MAX);
	memcpy(out, head_words, WORDS);
	at += WORDS;
	memcpy(out + at, site->node, STORE_NODE_ID);
	at += STORE_NODE_ID;
	memcpy(out + at, site->epoch, STORE_EPOCH);
	at += STORE_EPOCH;
	out[at++] = (uint8_t)scope_len;
	memcpy(out + at, scope, scope_len);
	at += scope_len;
	for (unsigned i = 0; i < 8; i++)
		out[at++] = (uint8_t)(n >> (56 - 8 * i));
	memcpy(out + at, head, STORE_HEAD);
	return at + STORE_HEAD;
}

void
sync_sign_head(const struct sync_key *key, const struct sync_site *site, const char *scope,
               uint64_t n, const uint8_t head[STORE_HEAD], uint8_t signature[STORE_SIGNATURE])
{
	uint8_t message[HEAD_MESSAGE_MAX];
	size_t len = head_message(message, site, scope, n, head);

	sync_sign(key, message, len, signature);
}

bool
sync_verify_head(const uint8_t public_key[SYNC_PUBLIC_KEY], const struct sync_site *site,
                 const char *scope, uint64_t n, const uint8_t head[STORE_HEAD],
                 const uint8_t signature[STORE_SIGNATURE])
{
	uint8_t message[HEAD_MESSAGE_MAX];
	size_t len = head_message(message, site, scope, n, head);

	return sync_verify(public_key, message, len, signature);
}

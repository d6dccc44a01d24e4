/* sync/codec/sign_box.c - crypto_box of libsodium, for keys that sign. */
#include "sync/codec/sign_box.h"

#include <sodium.h>
#include <string.h>

_Static_assert(SYNC_BOX_NONCE == crypto_box_NONCEBYTES, "a nonce");
_Static_assert(SYNC_BOX == crypto_box_NONCEBYTES + crypto_box_MACBYTES + SYNC_SECRET, "a box");

/* The key that both can make: our pair and their public key, as X25519. */
static bool
shared_key(const struct sync_key *ours, const uint8_t theirs[SYNC_PUBLIC_KEY],
           uint8_t shared[crypto_box_BEFORENMBYTES])
{
	uint8_t secret[crypto_box_SECRETKEYBYTES], public_key[crypto_box_PUBLICKEYBYTES];
	bool good = crypto_sign_ed25519_sk_to_curve25519(secret, ours->secret) == 0 &&
	            crypto_sign_ed25519_pk_to_curve25519(public_key, theirs) == 0 &&
	            crypto_box_beforenm(shared, public_key, secret) == 0;

	sodium_memzero(secret, sizeof secret);
	return good;
}

bool
sync_box_close(const struct sync_key *ours, const uint8_t theirs[SYNC_PUBLIC_KEY],
               const uint8_t nonce[SYNC_BOX_NONCE], const uint8_t secret[SYNC_SECRET],
               uint8_t box[SYNC_BOX])
{
	uint8_t shared[crypto_box_BEFORENMBYTES];
	bool good = shared_key(ours, theirs, shared) &&
	            crypto_box_easy_afternm(box + SYNC_BOX_NONCE, secret, SYNC_SECRET, nonce,
	                                    shared) == 0;

	memcpy(box, nonce, SYNC_BOX_NONCE);
	sodium_memzero(shared, sizeof shared);
	return good;
}

bool
sync_box_open(const struct sync_key *ours, const uint8_t theirs[SYNC_PUBLIC_KEY],
              const uint8_t box[SYNC_BOX], uint8_t secret[SYNC_SECRET])
{
	uint8_t shared[crypto_box_BEFORENMBYTES];
	bool good = shared_key(ours, theirs, shared) &&
	            crypto_box_open_easy_afternm(secret, box + SYNC_BOX_NONCE,
	                                         SYNC_BOX - SYNC_BOX_NONCE, box, shared) == 0;

	sodium_memzero(shared, sizeof shared);
	return good;
}

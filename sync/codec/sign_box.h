/*
 * sync/codec/sign_box.h - a secret of 32 bytes from one holder of an Ed25519 key to
 * another: nobody else can read it, and it is from who it says.
 *
 *   box   nonce (24) || crypto_box of it (16 + 32), by the X25519 forms of both keys
 */
#ifndef SYNC_SIGN_BOX_H
#define SYNC_SIGN_BOX_H

#include "sync/codec/sign.h"

enum { SYNC_SECRET = 32, SYNC_BOX_NONCE = 24, SYNC_BOX = SYNC_BOX_NONCE + 16 + SYNC_SECRET };

/* Close it.  The nonce is drawn by the caller, anew each time.  False if their key is none. */
MUST_CHECK bool sync_box_close(const struct sync_key *ours, const uint8_t theirs[SYNC_PUBLIC_KEY],
                               const uint8_t nonce[SYNC_BOX_NONCE],
                               const uint8_t secret[SYNC_SECRET], uint8_t box[SYNC_BOX]);

/* Open it.  False if it isn't theirs, or not for us. */
MUST_CHECK bool sync_box_open(const struct sync_key *ours, const uint8_t theirs[SYNC_PUBLIC_KEY],
                              const uint8_t box[SYNC_BOX], uint8_t secret[SYNC_SECRET]);

#endif /* SYNC_SIGN_BOX_H */

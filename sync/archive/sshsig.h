/*
 * sync/archive/sshsig.h - signatures in the form of OpenSSH (PROTOCOL.sshsig), so that
 * stock `git verify-commit` and `ssh-keygen -Y verify` check what a node signed.
 *
 * Only what git needs: Ed25519 keys, namespace "git", messages hashed by SHA-512.
 *
 *     signed bytes   "SSHSIG" . string "git" . string "" . string "sha512" . string
 * SHA-512(message) blob           "SSHSIG" . u32 1 . string public key . string "git" . string "" .
 * string "sha512" . string signature public key     string "ssh-ed25519" . string 32 bytes
 *     signature      string "ssh-ed25519" . string 64 bytes
 *
 * A string is a u32 length, big endian, and its bytes.  The blob stands between
 * BEGIN and END lines in base64, lines of 70 characters.
 */
#ifndef SYNC_SSHSIG_H
#define SYNC_SSHSIG_H

#include "store/base/buf.h"
#include "sync/codec/sign.h"

/* Sign a message: the bare Ed25519 signature over the signed bytes above. */
void sync_sshsig_sign(const struct sync_key *key, const void *message, size_t len,
                      uint8_t signature[STORE_SIGNATURE]);

/* Is it that key's signature of the message? */
MUST_CHECK bool sync_sshsig_verify(const uint8_t public_key[SYNC_PUBLIC_KEY], const void *message,
                                   size_t len, const uint8_t signature[STORE_SIGNATURE]);

/* Append the armoured blob, its last line ended by a line feed. */
void sync_sshsig_armor(struct buf *out, const uint8_t public_key[SYNC_PUBLIC_KEY],
                       const uint8_t signature[STORE_SIGNATURE]);

/* Append a public key as it stands in allowed_signers and authorized_keys: "ssh-ed25519 AAAA...".
 */
void sync_sshsig_public(struct buf *out, const uint8_t public_key[SYNC_PUBLIC_KEY]);

#endif /* SYNC_SSHSIG_H */

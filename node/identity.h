/*
 * node/identity.h - the directory of one installation: its key, its lock, and
 * what says that both may be trusted.
 *
 *   DIR (0700)   yizhan.db  node.conf  key  anchor  lock  ctl  archive.git/  allowed_signers
 * reserve
 *
 *   key              <seed, 64 hex digits> # <public key, 64 hex digits>     0600
 *   allowed_signers  <node id>@yizhan namespaces="git" ssh-ed25519 <base64>  a line for each key
 *   lock             held with flock(2) by the one process that seals; holds its process id
 *   reserve          space given back when the disk is full, so that what was written can be sent
 *
 * The anchor has a file of its own: node/anchor.h.
 */
#ifndef NODE_IDENTITY_H
#define NODE_IDENTITY_H

#include "store/base/err.h"
#include "sync/codec/sign.h"

#include <stdbool.h>
#include <stddef.h>

enum { IDENTITY_PATH_MAX = 512, IDENTITY_RESERVE_BYTES = 64 << 20 };

/* Write the path of `name` in `dir`; ERR_INVALID if it is too long. */
MUST_CHECK int identity_path(char out[IDENTITY_PATH_MAX], const char *dir, const char *name,
                             struct err *err);

/*
 * Make the directory, 0700, or take one that is there already and ours.  ERR_INVALID with a
 * sentence if it can't serve: not a directory, not ours, or on a file system without locks and
 * safe renames (FAT, NFS, SMB).
 */
MUST_CHECK int identity_make_dir(const char *dir, struct err *err);

/* Why a database may not live on a file system of this type (statfs f_type); NULL if it may. */
const char *identity_bad_disk(unsigned long type);

/* Draw a key and write it; ERR_INVALID if there is one already.  Wipe `key` after use. */
MUST_CHECK int identity_make_key(const char *dir, struct sync_key *key, struct err *err);

/*
 * Read the key.  ERR_NOTFOUND if there is none, ERR_CORRUPT if it isn't one or its comment doesn't
 * fit, ERR_DENIED if others can read it.  Wipe `key` after use.
 */
MUST_CHECK int identity_load_key(const char *dir, struct sync_key *key, struct err *err);

/*
 * Take the lock of `dir`: *fd is to be held, and closed to give it back.  ERR_BUSY, naming the
 * process, if another has it; ERR_NOTFOUND if there is no such directory.
 */
MUST_CHECK int identity_lock(const char *dir, int *fd, struct err *err);

/* Make sure that allowed_signers has a line for this key of that node. */
MUST_CHECK int identity_allow_signer(const char *dir, const uint8_t node[STORE_NODE_ID],
                                     const uint8_t public_key[SYNC_PUBLIC_KEY], struct err *err);

/* Keep `bytes` of the disk for bad times; nothing happens if they are kept already.  ERR_IO if the
 * disk has not even that. */
MUST_CHECK int identity_keep_reserve(const char *dir, long long bytes, struct err *err);

/* Give them back; true if there was something to give. */
bool identity_use_reserve(const char *dir);

#endif /* NODE_IDENTITY_H */

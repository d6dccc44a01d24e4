/*
 * sync/codec/pack_file.h - a whole file as an ordinary .zst file, in bounded memory.
 */
#ifndef SYNC_PACK_FILE_H
#define SYNC_PACK_FILE_H

#include "store/base/err.h"
#include "store/base/hash.h"

#include <stdatomic.h>
#include <stdint.h>

struct sync_pack_file {
	int from, to;            /* both open, each at its beginning */
	const atomic_bool *stop; /* once true, ends it with ERR_BUSY; may be NULL */
	/* told */
	uint64_t len;          /* packed */
	uint8_t hash[HASH_16]; /* BLAKE2b-128 of the packed bytes */
	uint8_t sha256[32];    /* SHA-256 of them */
};

/*
 * Write `from` to `to` as one zstd frame with its checksum, which `zstd -d` unpacks.  ERR_IO names
 * what failed, ERR_FULL that the disk had no room; what was written then, and after ERR_BUSY, is
 * the caller's to delete.
 */
MUST_CHECK int sync_pack_file(struct sync_pack_file *file, struct err *err);

#endif /* SYNC_PACK_FILE_H */

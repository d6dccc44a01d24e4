/*
 * sync/pack_file.h - a whole file as an ordinary .zst file, in bounded memory.
 */
#ifndef SYNC_PACK_FILE_H
#define SYNC_PACK_FILE_H

#include "store/base/err.h"
#include "store/base/hash.h"

#include <stdint.h>

/*
 * Write the file open at `from`, from its beginning, to `to` as one zstd frame with its checksum,
 * which `zstd -d` unpacks.  *len is the packed length, `hash` BLAKE2b-128 of the packed bytes.
 * ERR_IO names what failed.
 */
MUST_CHECK int sync_pack_file(int from, int to, uint64_t *len, uint8_t hash[HASH_16],
                              struct err *err);

#endif /* SYNC_PACK_FILE_H */

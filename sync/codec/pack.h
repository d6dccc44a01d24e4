/*
 * sync/codec/pack.h - zstd, bounded: one frame, its raw length known beforehand.
 *
 * Dictionary 0 is none; higher numbers are dictionaries compiled into the
 * program, trained on simulated data only, and never change once released.
 */
#ifndef SYNC_PACK_H
#define SYNC_PACK_H

#include "store/base/buf.h"

enum { SYNC_WINDOW_LOG_MAX = 21 };

/*
 * Append the packed form of `raw`: u8 dictionary number, 4 bytes check, the blocks of one zstd
 * frame.
 */
MUST_CHECK int sync_pack(const uint8_t *raw, size_t len, struct buf *out, struct err *err);

/*
 * Append exactly `raw_len` bytes unpacked from `packed`.  ERR_CORRUPT if the frame is another
 * length, has a larger window, is followed by anything, is skippable, or names an unknown
 * dictionary; never allocates more than raw_len plus the window.
 */
MUST_CHECK int sync_unpack(const uint8_t *packed, size_t len, size_t raw_len, struct buf *out,
                           struct err *err);

/* Are these the bytes that sync_pack() made?  ERR_CORRUPT if not; costs a hash of them. */
MUST_CHECK int sync_pack_check(const uint8_t *packed, size_t len, struct err *err);

#endif /* SYNC_PACK_H */

/*
 * store/base/buf.h - bytes that grow: the writing twin of rd.h.
 *
 * Errors stick: when memory runs out the buffer turns `bad`, keeps what it had
 * and ignores later writes, so an encoder writes all its fields in a straight
 * line and asks once, at the end.  A zeroed struct buf is an empty buffer.
 */
#ifndef STORE_BASE_BUF_H
#define STORE_BASE_BUF_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *bytes; /* owned */
	size_t len;
	size_t cap;
	bool bad;
};

/* Give back the memory; the buffer is empty and usable again. */
void buf_free(struct buf *b);

/* Forget the content, keep the memory. */
void buf_clear(struct buf *b);

/* Make room for `len` more bytes and count them in; NULL once `b` is bad.  The caller fills them.
 */
uint8_t *buf_grow(struct buf *b, size_t len);

/* Append bytes. */
void buf_put(struct buf *b, const void *bytes, size_t len);

/* Append one byte. */
void buf_u8(struct buf *b, uint8_t value);

/* Append eight bytes, most significant first. */
void buf_u64(struct buf *b, uint64_t value);

/* Append an unsigned integer as LEB128: seven bits a byte, least significant group first. */
void buf_varint(struct buf *b, uint64_t value);

/* Append a signed integer as zig-zag LEB128, so that small ones of either sign stay short. */
void buf_zigzag(struct buf *b, int64_t value);

/* Append a length (varint) and that many bytes. */
void buf_lenbytes(struct buf *b, const void *bytes, size_t len);

/* Append bytes as lower-case hex digits, two for each. */
void buf_hex(struct buf *b, const void *bytes, size_t len);

/* Append formatted text, without its terminating zero. */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The content as a C string (a zero is kept behind it); "" once `b` is bad.  Borrowed until the
 * next write. */
const char *buf_str(struct buf *b);

/* 0, or ERR_NOMEM with words if any write failed. */
MUST_CHECK int buf_check(const struct buf *b, struct err *err);

#endif /* STORE_BASE_BUF_H */

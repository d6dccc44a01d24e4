#include "store/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARINT_MAX = 10 };

void
buf_free(struct buf *b)
{
	free(b->bytes);
	*b = (struct buf){ 0 };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->bad = false;
}

/* One byte more than asked is always kept free, for buf_str(). */
static bool
reserve(struct buf *b, size_t len)
{
	size_t need, cap = b->cap == 0 ? 64 : b->cap;
	uint8_t *bytes;

	if (b->bad || len > SIZE_MAX / 4 - b->len) {
		b->bad = true;
		return false;
	}
	need = b->len + len + 1;
	if (need <= b->cap)
		return true;
	while (cap < need)
		cap *= 2;
	bytes = realloc(b->bytes, cap);
	if (bytes == NULL) {
		b->bad = true;
		return false;
	}
	b->bytes = bytes;
	b->cap = cap;
	return true;
}

uint8_t *
buf_grow(struct buf *b, size_t len)
{
	uint8_t *at;

	if ((b->bad || len >= b->cap - b->len) && !reserve(b, len))
		return NULL;
	at = b->bytes + b->len;
	b->len += len;
	return at;
}

void
buf_put(struct buf *b, const void *bytes, size_t len)
{
	uint8_t *at = buf_grow(b, len);

	if (at != NULL && len > 0)
		memcpy(at, bytes, len);
}

void
buf_u8(struct buf *b, uint8_t value)
{
	uint8_t *at = buf_grow(b, 1);

	if (at != NULL)
		*at = value;
}

void
buf_u64(struct buf *b, uint64_t value)
{
	uint8_t *at = buf_grow(b, 8);

	for (size_t i = 0; at != NULL && i < 8; i++)
		at[i] = (uint8_t)(value >> (56 - 8 * i));
}

void
buf_varint(struct buf *b, uint64_t value)
{
	uint8_t *at = buf_grow(b, VARINT_MAX);
	size_t len = 0;

	if (at == NULL)
		return;
	for (; value >= 0x80; value >>= 7)
		at[len++] = (uint8_t)(value | 0x80);
	at[len++] = (uint8_t)value;
	b->len -= VARINT_MAX - len;
}

void
buf_zigzag(struct buf *b, int64_t value)
{
	buf_varint(b, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void
buf_lenbytes(struct buf *b, const void *bytes, size_t len)
{
	buf_varint(b, len);
	buf_put(b, bytes, len);
}

void
buf_hex(struct buf *b, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;
	uint8_t *at = len == 0 ? NULL : buf_grow(b, 2 * len);

	for (size_t i = 0; at != NULL && i < len; i++) {
		*at++ = (uint8_t)digits[from[i] >> 4];
		*at++ = (uint8_t)digits[from[i] & 15];
	}
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len >= 0 && reserve(b, (size_t)len)) {
		vsnprintf((char *)b->bytes + b->len, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
}

const char *
buf_str(struct buf *b)
{
	if (b->bad || !reserve(b, 0))
		return "";
	b->bytes[b->len] = 0;
	return (const char *)b->bytes;
}

int
buf_check(const struct buf *b, struct err *err)
{
	return b->bad ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

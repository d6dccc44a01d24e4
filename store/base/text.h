/*
 * store/base/text.h - small conversions between bytes and what people read.
 */
#ifndef STORE_BASE_TEXT_H
#define STORE_BASE_TEXT_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_TIME_SIZE = 32 };

/* Write 2 * len lower-case hex digits and a zero to `out`. */
void text_hex(char *out, const void *bytes, size_t len);

/* Read exactly 2 * len hex digits (either case), then the end of the string; false if it is
 * anything else. */
MUST_CHECK bool text_unhex(void *bytes, size_t len, const char *hex);

/* Write ms since 1970 as RFC 3339 UTC with milliseconds, "2026-03-02T08:15:00.000Z". */
void text_time(char out[TEXT_TIME_SIZE], int64_t ms);

/* Is this well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)?  *bad is the offset of
 * the first wrong byte. */
bool text_is_utf8(const void *bytes, size_t len, size_t *bad);

/* Copy as much of `text` as fits in `size` bytes with its zero, cut at a character's end. */
void text_copy(char *out, size_t size, const char *text);

#endif /* STORE_BASE_TEXT_H */

/*
 * store/value.h - one SQL value outside of SQLite, and its canonical bytes.
 *
 * Canonical form (hashed, compared and sent; one form per value):
 *
 *   00                      NULL
 *   01 zigzag-LEB128        integer
 *   02 8 bytes, big endian  real (IEEE 754; -0.0 is written as 0.0, NaN as NULL)
 *   03 LEB128 length, bytes text (bytes as they are, not checked)
 *   04 LEB128 length, bytes blob
 *   05 16 bytes             blob of exactly 16 bytes (the usual key)
 *
 * A row's key is the canonical form of its key columns, in key order.
 */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include "store/base/buf.h"
#include "store/base/rd.h"

/* SQLite's own numbers. */
enum store_type { STORE_INT = 1, STORE_REAL = 2, STORE_TEXT = 3, STORE_BLOB = 4, STORE_NULL = 5 };

enum { STORE_VALUE_MAX = 1 << 20 }; /* a longer text or blob is refused with its length named */

struct store_value {
	enum store_type type;
	union {
		int64_t i;
		double r;
	} num;
	const uint8_t *bytes; /* text and blob; borrowed; never NULL for them */
	size_t len;
};

/* Short ways to make one; text and blob are borrowed. */
struct store_value store_value_null(void);
struct store_value store_value_int(int64_t i);
struct store_value store_value_real(double r);
struct store_value store_value_text(const char *text);
struct store_value store_value_blob(const void *bytes, size_t len);

/*
 * The canonical form without a text's or blob's bytes, which follow it; returns its length.  For
 * those who have no buf to write to.
 */
enum { STORE_VALUE_HEAD = 11 };
size_t store_value_head(const struct store_value *v, uint8_t out[STORE_VALUE_HEAD]);

/* Append the canonical form. */
void store_value_write(struct buf *out, const struct store_value *v);

/* Read one canonical value; bytes are borrowed from what `r` reads.  Marks `r` bad on anything not
 * canonical. */
struct store_value store_value_read(struct rd *r);

/*
 * Total order: NULL < numbers (by value; an integer before the equal real) < text < blob, the
 * last two by bytes (memcmp), then length.  Negative, 0 or positive; 0 only for identical values.
 */
int store_value_cmp(const struct store_value *a, const struct store_value *b);

#endif /* STORE_VALUE_H */

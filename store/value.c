#include "store/value.h"
#include "store/base/mutant.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { TAG_NULL, TAG_INT, TAG_REAL, TAG_TEXT, TAG_BLOB, TAG_ID };

struct store_value
store_value_null(void)
{
	return (struct store_value){ .type = STORE_NULL };
}

struct store_value
store_value_int(int64_t i)
{
	return (struct store_value){ .type = STORE_INT, .num.i = i };
}

struct store_value
store_value_real(double r)
{
	if (isnan(r))
		return store_value_null();
	return (struct store_value){ .type = STORE_REAL, .num.r = r == 0 ? 0.0 : r };
}

struct store_value
store_value_text(const char *text)
{
	return (struct store_value){ .type = STORE_TEXT,
		                     .bytes = (const uint8_t *)text,
		                     .len = strlen(text) };
}

struct store_value
store_value_blob(const void *bytes, size_t len)
{
	return (struct store_value){ .type = STORE_BLOB, .bytes = bytes, .len = len };
}

static uint64_t
bits_of(double r)
{
	uint64_t bits;

	if (MUT(27))
		r = (double)(float)r;
	if (r == 0)
		r = 0.0; /* -0.0 is 0.0 */
	memcpy(&bits, &r, sizeof bits);
	return bits;
}

static size_t
head_varint(uint8_t tag, uint64_t value, uint8_t out[STORE_VALUE_HEAD])
{
	size_t len = 0;

	out[len++] = tag;
	for (; value >= 0x80; value >>= 7)
		out[len++] = (uint8_t)(value | 0x80);
	out[len++] = (uint8_t)value;
	return len;
}

static size_t
head_real(double r, uint8_t out[STORE_VALUE_HEAD])
{
	uint64_t bits = bits_of(r);

	out[0] = isnan(r) ? TAG_NULL : TAG_REAL;
	if (isnan(r))
		return 1;
	for (unsigned i = 0; i < 8; i++)
		out[1 + i] = (uint8_t)(bits >> (56 - 8 * i));
	return 9;
}

size_t
store_value_head(const struct store_value *v, uint8_t out[STORE_VALUE_HEAD])
{
	switch (v->type) {
	case STORE_NULL:
		out[0] = TAG_NULL;
		return 1;
	case STORE_INT: /* zig-zag */
		return head_varint(TAG_INT,
		                   (uint64_t)v->num.i << 1 ^ (v->num.i < 0 ? UINT64_MAX : 0), out);
	case STORE_REAL:
		return head_real(v->num.r, out);
	case STORE_TEXT:
		return head_varint(TAG_TEXT, v->len, out);
	case STORE_BLOB:
		out[0] = TAG_ID;
		return v->len == 16 ? 1 : head_varint(TAG_BLOB, v->len, out);
	}
	assert(!"a value has one of five types");
	return 0;
}

void
store_value_write(struct buf *out, const struct store_value *v)
{
	bool has_bytes = v->type == STORE_TEXT || v->type == STORE_BLOB;
	size_t len = has_bytes ? v->len : 0, head;
	uint8_t *at = buf_grow(out, STORE_VALUE_HEAD + len); /* room for the longest head */

	if (at == NULL)
		return;
	head = store_value_head(v, at);
	if (len > 0)
		memcpy(at + head, v->bytes, len);
	out->len -= STORE_VALUE_HEAD - head;
}

static struct store_value
read_real(struct rd *r)
{
	uint64_t bits = rd_u64(r);
	double real;

	memcpy(&real, &bits, sizeof real);
	if (isnan(real) || bits == (uint64_t)1 << 63)
		r->bad = true; /* there is one form of NaN (NULL) and of zero */
	return r->bad ? store_value_null() : store_value_real(real);
}

static struct store_value
read_bytes(struct rd *r, enum store_type type)
{
	struct store_value v = { .type = type };

	v.bytes = rd_lenbytes(r, &v.len);
	if (v.len > STORE_VALUE_MAX || (type == STORE_BLOB && v.len == 16))
		r->bad = true;
	return r->bad ? store_value_null() : v;
}

struct store_value
store_value_read(struct rd *r)
{
	const uint8_t *id;

	switch (rd_u8(r)) {
	case TAG_NULL:
		return store_value_null();
	case TAG_INT:
		return store_value_int(rd_zigzag(r));
	case TAG_REAL:
		return read_real(r);
	case TAG_TEXT:
		return read_bytes(r, STORE_TEXT);
	case TAG_BLOB:
		return read_bytes(r, STORE_BLOB);
	case TAG_ID:
		id = rd_bytes(r, 16);
		return id == NULL ? store_value_null() : store_value_blob(id, 16);
	default:
		r->bad = true;
		return store_value_null();
	}
}

/* NULL, number, text, blob. */
static int
class_of(const struct store_value *v)
{
	switch (v->type) {
	case STORE_NULL:
		return 0;
	case STORE_INT:
	case STORE_REAL:
		return 1;
	case STORE_TEXT:
		return 2;
	case STORE_BLOB:
		break;
	}
	return 3;
}

/* An integer against a real, exactly: a double can't hold every int64. */
static int
cmp_int_real(int64_t i, double r)
{
	int64_t whole;

	if (r < -9223372036854775808.0)
		return 1;
	if (r >= 9223372036854775808.0)
		return -1;
	whole = (int64_t)r;
	if (i != whole)
		return i < whole ? -1 : 1;
	r -= (double)whole;
	return r > 0 ? -1 : r < 0 ? 1 : -1; /* equal numbers: the integer comes first */
}

static int
cmp_numbers(const struct store_value *a, const struct store_value *b)
{
	if (a->type == STORE_INT && b->type == STORE_INT)
		return (a->num.i > b->num.i) - (a->num.i < b->num.i);
	if (a->type == STORE_REAL && b->type == STORE_REAL)
		return (a->num.r > b->num.r) - (a->num.r < b->num.r);
	if (a->type == STORE_INT)
		return cmp_int_real(a->num.i, b->num.r);
	return -cmp_int_real(b->num.i, a->num.r);
}

int
store_value_cmp(const struct store_value *a, const struct store_value *b)
{
	int class_a = class_of(a), class_b = class_of(b), order;
	size_t len;

	if (class_a != class_b)
		return class_a - class_b;
	if (class_a == 0)
		return 0;
	if (class_a == 1)
		return cmp_numbers(a, b);
	len = a->len < b->len ? a->len : b->len;
	order = len == 0 ? 0 : memcmp(a->bytes, b->bytes, len);
	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/*
 * sync/codec_column.c - the values of one column, in the rows of one class.
 *
 * A column nearly always holds one type, or one type and NULL; each type has its
 * own stream:
 *
 *   u8 shape  0-5 (null, integer, real, text, blob, id): all rows hold that type
 *             6 mixed: u8 type of each row, then the streams of those there are, by type
 *             16 + type: some rows are NULL: a bitmap (bit i % 8 of byte i / 8: row i is
 *             NULL; the rest zero), then the stream of the others
 *   integer   ints, base: ms of the stamps
 *   real      u8 scale: 0-6: ints, the reals times 10^scale; 255: 8 planes of one byte
 *             each (IEEE 754, the first plane has the upper bytes)
 *   text      u8 0: ints: lengths · all bytes; or varint 1 + k: k of length and bytes ·
 *   and blob  if k > 1, ints: which of them
 *   id        ints: number in the list of shared ids, 0: the next new one
 */
#include "sync/codec_priv.h"

#include <math.h>
#include <string.h>

enum { NUL, INT, REAL, TEXT, BLOB, ID, TYPES, MIXED = TYPES, NULLS = 16 };
enum { SCALES = 7, PLANES = 255, ID_LEN = 16 };
enum { WORDS_MAX = 64, WORD_LEN_MAX = 256 };

static const double tens[SCALES] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6 };

static unsigned
type_of(const struct store_value *v)
{
	switch (v->type) {
	case STORE_NULL:
		return NUL;
	case STORE_INT:
		return INT;
	case STORE_REAL:
		return isnan(v->num.r) ? NUL : REAL;
	case STORE_TEXT:
		return TEXT;
	case STORE_BLOB:
		break;
	}
	return v->len == ID_LEN ? ID : BLOB;
}

/* ---- writing ---- */

/* Does every one of them survive being a whole number of 10^-scale? */
static bool
fits(const struct sync_codec_column *c, size_t n, unsigned scale)
{
	for (size_t i = 0; i < n; i++) {
		double x = c->some[i]->num.r * tens[scale];

		if (!(fabs(x) < 9007199254740992.0) || rint(x) / tens[scale] != c->some[i]->num.r)
			return false;
		c->ints[i] = (int64_t)rint(x);
	}
	return true;
}

static void
write_reals(struct buf *out, const struct sync_codec_column *c, size_t n)
{
	uint8_t *planes;

	for (unsigned scale = 0; scale < SCALES; scale++)
		if (fits(c, n, scale)) {
			buf_u8(out, (uint8_t)scale);
			sync_codec_ints_write(out, c->ints, NULL, n);
			return;
		}
	buf_u8(out, PLANES);
	planes = buf_grow(out, n * 8);
	for (size_t i = 0; planes != NULL && i < n; i++) {
		double r = c->some[i]->num.r == 0 ? 0.0 : c->some[i]->num.r;
		uint64_t bits;

		memcpy(&bits, &r, sizeof bits);
		for (size_t k = 0; k < 8; k++)
			planes[k * n + i] = (uint8_t)(bits >> (56 - 8 * k));
	}
}

static bool
same(const struct store_value *a, const struct store_value *b)
{
	return a->len == b->len &&
	       (a->bytes == b->bytes || memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* Number the distinct ones into ints; 0 if there are too many of them or they are too long. */
static size_t
find_words(const struct sync_codec_column *c, size_t n, struct store_value **words)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = i == 0 ? 0 : (size_t)c->ints[i - 1]; /* often the same again */

		if (k >= count || !same(words[k], c->some[i]))
			for (k = 0; k < count && !same(words[k], c->some[i]);)
				k++;
		if (k == count) {
			if (count == WORDS_MAX || (count > 0 && count >= n / 2) ||
			    c->some[i]->len > WORD_LEN_MAX)
				return 0;
			words[count++] = c->some[i];
		}
		c->ints[i] = (int64_t)k;
	}
	return count;
}

static void
write_texts(struct buf *out, const struct sync_codec_column *c, size_t n)
{
	struct store_value *words[WORDS_MAX];
	size_t count = find_words(c, n, words);

	buf_varint(out, count == 0 ? 0 : count + 1);
	for (size_t k = 0; k < count; k++)
		buf_lenbytes(out, words[k]->bytes, words[k]->len);
	if (count > 1)
		sync_codec_ints_write(out, c->ints, NULL, n);
	if (count > 0)
		return;
	for (size_t i = 0; i < n; i++)
		c->ints[i] = (int64_t)c->some[i]->len;
	sync_codec_ints_write(out, c->ints, NULL, n);
	for (size_t i = 0; i < n; i++)
		buf_put(out, c->some[i]->bytes, c->some[i]->len);
}

/* The stream of one type: those `n` values are in `some`, their bases in `base`. */
static void
write_stream(struct buf *out, const struct sync_codec_column *c, size_t n, unsigned type,
             const struct sync_codec_ids *ids)
{
	switch (type) {
	case INT:
		for (size_t i = 0; i < n; i++)
			c->ints[i] = c->some[i]->num.i;
		sync_codec_ints_write(out, c->ints, c->base, n);
		break;
	case REAL:
		write_reals(out, c, n);
		break;
	case TEXT:
	case BLOB:
		write_texts(out, c, n);
		break;
	case ID:
		for (size_t i = 0; i < n; i++)
			c->ints[i] = sync_codec_ids_number(ids, c->some[i]->bytes);
		sync_codec_ints_write(out, c->ints, NULL, n);
		break;
	default: /* NULL has no stream */
		break;
	}
}

/* Collect the rows of one type. */
static size_t
gather(const struct sync_codec_column *c, unsigned type)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (type_of(c->values[i]) == type) {
			c->some[n] = c->values[i];
			c->base[n++] = c->ms[i];
		}
	return n;
}

static void
write_nulls(struct buf *out, const struct sync_codec_column *c)
{
	size_t len = (c->n + 7) / 8;
	uint8_t *bits = buf_grow(out, len);

	if (bits == NULL)
		return;
	memset(bits, 0, len);
	for (size_t i = 0; i < c->n; i++)
		if (type_of(c->values[i]) == NUL)
			bits[i / 8] |= (uint8_t)(1u << i % 8);
}

void
sync_codec_column_write(struct buf *out, const struct sync_codec_column *c,
                        const struct sync_codec_ids *ids)
{
	unsigned seen = 0, others;

	for (size_t i = 0; i < c->n; i++)
		seen |= 1u << type_of(c->values[i]);
	others = seen & ~(1u << NUL);
	if ((others & (others - 1)) != 0) {
		buf_u8(out, MIXED);
		for (size_t i = 0; i < c->n; i++)
			buf_u8(out, (uint8_t)type_of(c->values[i]));
	} else if (others == 0 || others == seen) {
		buf_u8(out, (uint8_t)(others == 0 ? NUL : __builtin_ctz(others)));
	} else {
		buf_u8(out, (uint8_t)(NULLS + __builtin_ctz(others)));
		write_nulls(out, c);
	}
	for (unsigned type = INT; type < TYPES; type++)
		if (others >> type & 1)
			write_stream(out, c, gather(c, type), type, ids);
}

/* ---- reading ---- */

static void
read_planes(struct rd *r, const struct sync_codec_column *c, size_t n)
{
	const uint8_t *planes = n <= r->left / 8 ? rd_bytes(r, n * 8) : NULL;

	if (planes == NULL)
		r->bad = true;
	for (size_t i = 0; planes != NULL && i < n; i++) {
		uint64_t bits = 0;
		double real;

		for (size_t k = 0; k < 8; k++)
			bits = bits << 8 | planes[k * n + i];
		memcpy(&real, &bits, sizeof bits);
		if (isnan(real) || bits == (uint64_t)1 << 63)
			r->bad = true; /* there is one form of NaN (NULL) and of zero */
		c->some[i]->num.r = real;
	}
}

static void
read_reals(struct rd *r, const struct sync_codec_column *c, size_t n)
{
	uint8_t scale = rd_u8(r);

	for (size_t i = 0; i < n; i++)
		c->some[i]->type = STORE_REAL;
	if (scale == PLANES) {
		read_planes(r, c, n);
		return;
	}
	if (scale >= SCALES)
		r->bad = true;
	sync_codec_ints_read(r, c->ints, NULL, n);
	for (size_t i = 0; !r->bad && i < n; i++)
		c->some[i]->num.r = (double)c->ints[i] / tens[scale];
}

static void
read_words(struct rd *r, const struct sync_codec_column *c, size_t n, size_t count)
{
	struct store_value words[WORDS_MAX];

	for (size_t k = 0; k < count; k++) {
		words[k].bytes = rd_lenbytes(r, &words[k].len);
		if (words[k].len > STORE_VALUE_MAX)
			r->bad = true;
	}
	if (count == 1)
		memset(c->ints, 0, n * sizeof *c->ints);
	else
		sync_codec_ints_read(r, c->ints, NULL, n);
	for (size_t i = 0; !r->bad && i < n; i++) {
		if (c->ints[i] < 0 || (uint64_t)c->ints[i] >= count) {
			r->bad = true;
			return;
		}
		c->some[i]->bytes = words[c->ints[i]].bytes;
		c->some[i]->len = words[c->ints[i]].len;
	}
}

static void
read_texts(struct rd *r, const struct sync_codec_column *c, size_t n, unsigned type)
{
	uint64_t count = rd_varint(r);

	if (r->bad || count == 1 || count > WORDS_MAX + 1) {
		r->bad = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		c->some[i]->type = type == TEXT ? STORE_TEXT : STORE_BLOB;
	if (count > 0) {
		read_words(r, c, n, (size_t)count - 1);
		return;
	}
	sync_codec_ints_read(r, c->ints, NULL, n);
	for (size_t i = 0; !r->bad && i < n; i++) {
		if (c->ints[i] < 0 || c->ints[i] > STORE_VALUE_MAX) {
			r->bad = true;
			return;
		}
		c->some[i]->len = (size_t)c->ints[i];
		c->some[i]->bytes = rd_bytes(r, c->some[i]->len);
	}
}

static size_t
read_ids(struct rd *r, const struct sync_codec_column *c, size_t n,
         const struct sync_codec_shared *shared)
{
	size_t fresh = 0;

	sync_codec_ints_read(r, c->ints, NULL, n);
	for (size_t i = 0; !r->bad && i < n; i++) {
		struct store_value *v = c->some[i];

		if (c->ints[i] < 0 || (uint64_t)c->ints[i] > shared->count) {
			r->bad = true;
			break;
		}
		fresh += c->ints[i] == 0;
		v->type = STORE_BLOB;
		v->len = ID_LEN;
		v->bytes = c->ints[i] == 0 ? NULL : shared->ids + (size_t)(c->ints[i] - 1) * ID_LEN;
	}
	return fresh;
}

/* Returns the number of new ids. */
static size_t
read_stream(struct rd *r, const struct sync_codec_column *c, size_t n, unsigned type,
            const struct sync_codec_shared *shared)
{
	switch (type) {
	case NUL:
		for (size_t i = 0; i < n; i++)
			c->some[i]->type = STORE_NULL;
		break;
	case INT:
		sync_codec_ints_read(r, c->ints, c->base, n);
		for (size_t i = 0; !r->bad && i < n; i++) {
			c->some[i]->type = STORE_INT;
			c->some[i]->num.i = c->ints[i];
		}
		break;
	case REAL:
		read_reals(r, c, n);
		break;
	case TEXT:
	case BLOB:
		read_texts(r, c, n, type);
		break;
	case ID:
		return read_ids(r, c, n, shared);
	default:
		r->bad = true;
		break;
	}
	return 0;
}

/* The type of row i: `bytes` are the types (mixed) or the bitmap (some NULL). */
static unsigned
row_type(unsigned shape, const uint8_t *bytes, size_t i)
{
	if (shape == MIXED)
		return bytes[i];
	if (shape >= NULLS)
		return bytes[i / 8] >> i % 8 & 1 ? NUL : shape - NULLS;
	return shape;
}

/* Row types are known ones; what is left over in a bitmap is zero. */
static bool
shape_is_good(unsigned shape, const uint8_t *bytes, size_t n)
{
	if (shape > MIXED && (shape <= NULLS || shape >= NULLS + TYPES))
		return false;
	if (shape < MIXED)
		return true;
	if (bytes == NULL)
		return false;
	if (shape > MIXED)
		return n % 8 == 0 || bytes[n / 8] >> n % 8 == 0;
	for (size_t i = 0; i < n; i++)
		if (bytes[i] >= TYPES)
			return false;
	return true;
}

size_t
sync_codec_column_read(struct rd *r, const struct sync_codec_column *c,
                       const struct sync_codec_shared *shared)
{
	unsigned shape = rd_u8(r);
	const uint8_t *bytes = NULL;
	size_t fresh = 0;

	if (shape >= MIXED)
		bytes = rd_bytes(r, shape == MIXED ? c->n : (c->n + 7) / 8);
	if (r->bad || !shape_is_good(shape, bytes, c->n)) {
		r->bad = true;
		return 0;
	}
	for (unsigned type = NUL; type < TYPES && !r->bad; type++) {
		size_t n = 0;

		for (size_t i = 0; i < c->n; i++)
			if (row_type(shape, bytes, i) == type) {
				c->some[n] = c->values[i];
				c->base[n++] = c->ms[i];
			}
		if (n > 0)
			fresh += read_stream(r, c, n, type, shared);
	}
	return fresh;
}

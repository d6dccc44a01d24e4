/*
 * sync/codec/codec_column.c - the values of one column, in the rows of one class.
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
#include "sync/codec/codec_priv.h"

#include <math.h>
#include <string.h>

enum { NUL, INT, REAL, TEXT, BLOB, ID, TYPES, MIXED = TYPES, NULLS = 16 };
enum { SCALES = 7, PLANES = 255, ID_LEN = 16 };
enum { WORDS_MAX = 64, WORD_LEN_MAX = 256 };

static const double tens[SCALES] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6 };

/* The values of one type in a column. */
struct stream {
	struct store_value **values;
	const int64_t *ms; /* of each one's stamp */
	size_t n;
	int64_t *ints; /* work space for n */
};

static unsigned
type_of(const struct store_value *v)
{
	static const unsigned types[] = {
		[STORE_NULL] = NUL,  [STORE_INT] = INT,   [STORE_REAL] = REAL,
		[STORE_TEXT] = TEXT, [STORE_BLOB] = BLOB,
	};

	if (v->type == STORE_REAL && isnan(v->num.r))
		return NUL;
	return v->type == STORE_BLOB && v->len == ID_LEN ? ID : types[v->type];
}

/* ---- writing ---- */

/* Does every one of them survive being a whole number of 10^-scale? */
static bool
fits(const struct stream *s, unsigned scale)
{
	for (size_t i = 0; i < s->n; i++) {
		double x = s->values[i]->num.r * tens[scale];

		if (!(fabs(x) < 9007199254740992.0) || rint(x) / tens[scale] != s->values[i]->num.r)
			return false;
		s->ints[i] = (int64_t)rint(x);
	}
	return true;
}

static void
write_reals(struct buf *out, const struct stream *s)
{
	uint8_t *planes;

	for (unsigned scale = 0; scale < SCALES; scale++)
		if (fits(s, scale)) {
			buf_u8(out, (uint8_t)scale);
			sync_codec_ints_write(out, s->ints, NULL, s->n);
			return;
		}
	buf_u8(out, PLANES);
	planes = buf_grow(out, s->n * 8);
	for (size_t i = 0; planes != NULL && i < s->n; i++) {
		double r = s->values[i]->num.r == 0 ? 0.0 : s->values[i]->num.r;
		uint64_t bits;

		memcpy(&bits, &r, sizeof bits);
		for (size_t k = 0; k < 8; k++)
			planes[k * s->n + i] = (uint8_t)(bits >> (56 - 8 * k));
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
find_words(const struct stream *s, struct store_value **words)
{
	size_t count = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t k = i == 0 ? 0 : (size_t)s->ints[i - 1]; /* often the same again */

		if (k >= count || !same(words[k], s->values[i]))
			for (k = 0; k < count && !same(words[k], s->values[i]);)
				k++;
		if (k == count) {
			if (count == WORDS_MAX || (count > 0 && count >= s->n / 2) ||
			    s->values[i]->len > WORD_LEN_MAX)
				return 0;
			words[count++] = s->values[i];
		}
		s->ints[i] = (int64_t)k;
	}
	return count;
}

static void
write_texts(struct buf *out, const struct stream *s)
{
	struct store_value *words[WORDS_MAX];
	size_t count = find_words(s, words);

	buf_varint(out, count == 0 ? 0 : count + 1);
	for (size_t k = 0; k < count; k++)
		buf_lenbytes(out, words[k]->bytes, words[k]->len);
	if (count > 1)
		sync_codec_ints_write(out, s->ints, NULL, s->n);
	if (count > 0)
		return;
	for (size_t i = 0; i < s->n; i++)
		s->ints[i] = (int64_t)s->values[i]->len;
	sync_codec_ints_write(out, s->ints, NULL, s->n);
	for (size_t i = 0; i < s->n; i++)
		buf_put(out, s->values[i]->bytes, s->values[i]->len);
}

/* The stream of one type: those `n` values are in `some`, their bases in `base`. */
static void
write_stream(struct buf *out, const struct stream *s, unsigned type,
             const struct sync_codec_ids *ids)
{
	switch (type) {
	case INT:
		for (size_t i = 0; i < s->n; i++)
			s->ints[i] = s->values[i]->num.i;
		sync_codec_ints_write(out, s->ints, s->ms, s->n);
		break;
	case REAL:
		write_reals(out, s);
		break;
	case TEXT:
	case BLOB:
		write_texts(out, s);
		break;
	default: /* ID; NULL has no stream */
		for (size_t i = 0; i < s->n; i++)
			s->ints[i] = sync_codec_ids_number(ids, s->values[i]->bytes);
		sync_codec_ints_write(out, s->ints, NULL, s->n);
		break;
	}
}

/* The rows of one type; often that is all of them. */
static struct stream
gather(const struct sync_codec_column *c, unsigned type, bool all)
{
	struct stream s = { .values = all ? c->values : c->some,
		            .ms = all ? c->ms : c->base,
		            .n = all ? c->n : 0,
		            .ints = c->ints };

	for (size_t i = 0; !all && i < c->n; i++)
		if (type_of(c->values[i]) == type) {
			c->some[s.n] = c->values[i];
			c->base[s.n++] = c->ms[i];
		}
	return s;
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
		if (others >> type & 1) {
			struct stream s = gather(c, type, seen == 1u << type);

			write_stream(out, &s, type, ids);
		}
}

/* ---- reading ---- */

static void
read_planes(struct rd *r, const struct stream *s)
{
	const uint8_t *planes = rd_bytes(r, s->n * 8);

	for (size_t i = 0; !r->bad && i < s->n; i++) {
		uint64_t bits = 0;
		double real;

		for (size_t k = 0; k < 8; k++)
			bits = bits << 8 | planes[k * s->n + i];
		memcpy(&real, &bits, sizeof bits);
		if (isnan(real) || bits == (uint64_t)1 << 63)
			r->bad = true; /* there is one form of NaN (NULL) and of zero */
		s->values[i]->num.r = real;
	}
}

static void
read_reals(struct rd *r, const struct stream *s)
{
	uint8_t scale = rd_u8(r);

	for (size_t i = 0; i < s->n; i++)
		s->values[i]->type = STORE_REAL;
	if (scale == PLANES) {
		read_planes(r, s);
		return;
	}
	if (scale >= SCALES)
		r->bad = true;
	sync_codec_ints_read(r, s->ints, NULL, s->n);
	for (size_t i = 0; !r->bad && i < s->n; i++)
		s->values[i]->num.r = (double)s->ints[i] / tens[scale];
}

static void
read_words(struct rd *r, const struct stream *s, size_t count)
{
	struct store_value words[WORDS_MAX];

	for (size_t k = 0; k < count; k++) {
		words[k].bytes = rd_lenbytes(r, &words[k].len);
		if (words[k].len > STORE_VALUE_MAX)
			r->bad = true;
	}
	if (count == 1)
		memset(s->ints, 0, s->n * sizeof *s->ints);
	else
		sync_codec_ints_read(r, s->ints, NULL, s->n);
	for (size_t i = 0; !r->bad && i < s->n; i++) {
		if (s->ints[i] < 0 || (uint64_t)s->ints[i] >= count) {
			r->bad = true;
			return;
		}
		s->values[i]->bytes = words[s->ints[i]].bytes;
		s->values[i]->len = words[s->ints[i]].len;
	}
}

static void
read_texts(struct rd *r, const struct stream *s, unsigned type)
{
	uint64_t count = rd_varint(r);

	if (r->bad || count == 1 || count > WORDS_MAX + 1) {
		r->bad = true;
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		s->values[i]->type = type == TEXT ? STORE_TEXT : STORE_BLOB;
	if (count > 0) {
		read_words(r, s, (size_t)count - 1);
		return;
	}
	sync_codec_ints_read(r, s->ints, NULL, s->n);
	for (size_t i = 0; !r->bad && i < s->n; i++) {
		if (s->ints[i] < 0 || s->ints[i] > STORE_VALUE_MAX) {
			r->bad = true;
			return;
		}
		s->values[i]->len = (size_t)s->ints[i];
		s->values[i]->bytes = rd_bytes(r, s->values[i]->len);
	}
}

static size_t
read_ids(struct rd *r, const struct stream *s, const struct sync_codec_shared *shared)
{
	size_t fresh = 0;

	sync_codec_ints_read(r, s->ints, NULL, s->n);
	for (size_t i = 0; !r->bad && i < s->n; i++) {
		struct store_value *v = s->values[i];

		if (s->ints[i] < 0 || (uint64_t)s->ints[i] > shared->count) {
			r->bad = true;
			break;
		}
		fresh += s->ints[i] == 0;
		v->type = STORE_BLOB;
		v->len = ID_LEN;
		v->bytes = s->ints[i] == 0 ? NULL : shared->ids + (size_t)(s->ints[i] - 1) * ID_LEN;
	}
	return fresh;
}

/* Returns the number of new ids. */
static size_t
read_stream(struct rd *r, const struct stream *s, unsigned type,
            const struct sync_codec_shared *shared)
{
	switch (type) {
	case NUL:
		for (size_t i = 0; i < s->n; i++)
			s->values[i]->type = STORE_NULL;
		break;
	case INT:
		sync_codec_ints_read(r, s->ints, s->ms, s->n);
		for (size_t i = 0; !r->bad && i < s->n; i++) {
			s->values[i]->type = STORE_INT;
			s->values[i]->num.i = s->ints[i];
		}
		break;
	case REAL:
		read_reals(r, s);
		break;
	case TEXT:
	case BLOB:
		read_texts(r, s, type);
		break;
	default: /* ID */
		return read_ids(r, s, shared);
	}
	return 0;
}

/* The type of row i: `bytes` are the types (mixed) or the bitmap (some NULL). */
static unsigned
row_type(unsigned shape, const uint8_t *bytes, size_t i)
{
	if (shape == MIXED)
		return bytes[i];
	return bytes[i / 8] >> i % 8 & 1 ? NUL : shape - NULLS;
}

/* Row types are known ones; what is left over in a bitmap is zero. */
static bool
shape_is_good(unsigned shape, const uint8_t *bytes, size_t n)
{
	if (shape > MIXED && (shape <= NULLS || shape >= NULLS + TYPES))
		return false;
	if (shape < MIXED)
		return true;
	if (shape > MIXED)
		return n % 8 == 0 || bytes[n / 8] >> n % 8 == 0;
	for (size_t i = 0; i < n; i++)
		if (bytes[i] >= TYPES)
			return false;
	return true;
}

/* The rows of one type, by shape. */
static struct stream
gather_read(const struct sync_codec_column *c, unsigned shape, const uint8_t *bytes, unsigned type)
{
	bool all = shape == type;
	struct stream s = { .values = all ? c->values : c->some,
		            .ms = all ? c->ms : c->base,
		            .n = all ? c->n : 0,
		            .ints = c->ints };

	for (size_t i = 0; shape >= MIXED && i < c->n; i++)
		if (row_type(shape, bytes, i) == type) {
			c->some[s.n] = c->values[i];
			c->base[s.n++] = c->ms[i];
		}
	return s;
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
		struct stream s = gather_read(c, shape, bytes, type);

		if (s.n > 0)
			fresh += read_stream(r, &s, type, shared);
	}
	return fresh;
}

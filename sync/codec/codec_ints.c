/*
 * sync/codec/codec_ints.c - integers that are near to each other, or to a time.
 *
 * What is written of each is the integer, or its difference to the one before,
 * to a base (the record's stamp), or both: whichever promises to be shortest.
 * The guess is cheap: LEB128 lengths, where one that repeats its neighbour
 * counts a quarter of a byte, because zstd comes behind.
 *
 *   u8 form: bits 0-1 reference (0 none, 1 the one before, 2 base, 3 both)
 *            bits 2-3 coding    (0 all the same, 1 above the least, 2 zig-zag)
 *   if the one before is in it: zig-zag first, which the coding then leaves out
 *   all the same     zig-zag
 *   above the least  zig-zag least · varint each
 *   zig-zag          zig-zag each
 *
 * Differences are taken modulo 2^64, so every value has one.  No integers, no
 * bytes.
 */
#include "sync/codec/codec_priv.h"

enum { REFERENCES = 4, BEFORE = 1, BASE = 2 };
enum { SAME = 0, ABOVE = 1, ZIGZAG = 2 };
enum { QUARTERS = 4, VARINT_MAX = 10 };

/* What one reference would cost, in quarter bytes. */
struct guess {
	int64_t least, most, last;
	uint64_t count, repeats, zigzag, first;
};

static uint64_t
zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static unsigned
varint_len(uint64_t value)
{
	return (unsigned)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

static void
note(struct guess *g, int64_t value)
{
	if (g->count++ == 0) {
		g->least = g->most = value;
	} else if (value == g->last) {
		g->repeats++;
		return;
	}
	if (value < g->least)
		g->least = value;
	if (value > g->most)
		g->most = value;
	g->zigzag += (uint64_t)QUARTERS * varint_len(zigzag(value));
	g->last = value;
}

/* What is written of values[i] by one reference; `v` is kept for the next. */
static inline int64_t
difference(int64_t value, uint64_t base, unsigned how, uint64_t *before)
{
	uint64_t v = (uint64_t)value - (how & BASE ? base : 0);
	uint64_t d = v - (how & BEFORE ? *before : 0);

	*before = v;
	return (int64_t)d;
}

static void
guess_all(struct guess guesses[REFERENCES], const int64_t *values, const int64_t *base, size_t n)
{
	unsigned count = base == NULL ? BASE : REFERENCES;
	uint64_t before[REFERENCES] = { 0 };

	for (size_t i = 0; i < n; i++)
		for (unsigned how = 0; how < count; how++) {
			uint64_t b = base == NULL ? 0 : (uint64_t)base[i];
			int64_t d = difference(values[i], b, how, &before[how]);

			if (i == 0 && (how & BEFORE) != 0)
				guesses[how].first = (uint64_t)QUARTERS * varint_len(zigzag(d));
			else
				note(&guesses[how], d);
		}
}

/* What the better coding would cost; *coding is that one. */
static uint64_t
cost_of(const struct guess *g, unsigned *coding)
{
	uint64_t range = (uint64_t)g->most - (uint64_t)g->least;
	uint64_t one = (uint64_t)QUARTERS * varint_len(zigzag(g->least));
	uint64_t above = one + (g->count - g->repeats) * QUARTERS * varint_len(range);

	*coding = range == 0 ? SAME : above <= g->zigzag ? ABOVE : ZIGZAG;
	if (*coding == SAME)
		return g->first + one;
	return g->first + g->repeats + (*coding == ABOVE ? above : g->zigzag);
}

/* The cheapest form; *least is what its coding is above of. */
static unsigned
choose(const int64_t *values, const int64_t *base, size_t n, int64_t *least)
{
	struct guess guesses[REFERENCES] = { 0 };
	uint64_t best = UINT64_MAX;
	unsigned form = 0;

	guess_all(guesses, values, base, n);
	for (unsigned how = 0; how < (base == NULL ? BASE : REFERENCES); how++) {
		unsigned coding;
		uint64_t cost = cost_of(&guesses[how], &coding);

		if (cost < best) {
			best = cost;
			form = how | coding << 2;
			*least = guesses[how].least;
		}
	}
	return form;
}

static uint8_t *
put_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

void
sync_codec_ints_write(struct buf *out, const int64_t *values, const int64_t *base, size_t n)
{
	int64_t least = 0;
	unsigned form, how, coding;
	uint64_t before = 0;
	uint8_t *at;

	if (n == 0)
		return;
	form = choose(values, base, n, &least);
	how = form & 3;
	coding = form >> 2;
	at = buf_grow(out, 1 + (n + 1) * VARINT_MAX);
	if (at == NULL)
		return;
	*at++ = (uint8_t)form;
	if (how & BEFORE)
		at = put_varint(at, zigzag(difference(values[0], base ? (uint64_t)base[0] : 0, how,
		                                      &before)));
	if (coding != ZIGZAG)
		at = put_varint(at, zigzag(least));
	for (size_t i = how & BEFORE; coding != SAME && i < n; i++) {
		int64_t d = difference(values[i], base ? (uint64_t)base[i] : 0, how, &before);

		at = put_varint(at, coding == ABOVE ? (uint64_t)d - (uint64_t)least : zigzag(d));
	}
	out->len = (size_t)(at - out->bytes);
}

/* Most are one byte. */
static inline uint64_t
read_varint(struct rd *r)
{
	if (r->left > 0 && r->at[0] < 0x80) {
		r->left--;
		return *r->at++;
	}
	return rd_varint(r);
}

static inline uint64_t
unzigzag(uint64_t v)
{
	return v >> 1 ^ (v & 1 ? UINT64_MAX : 0);
}

/* Undo difference(): from differences to values, in place. */
static void
add_up(int64_t *values, const int64_t *base, size_t n, unsigned how)
{
	uint64_t before = 0;

	for (size_t i = 0; i < n; i++) {
		before = (uint64_t)values[i] + (how & BEFORE ? before : 0);
		values[i] = (int64_t)before;
	}
	for (size_t i = 0; base != NULL && how & BASE && i < n; i++)
		values[i] = (int64_t)((uint64_t)values[i] + (uint64_t)base[i]);
}

/* What stands for one value; `least` of its stream. */
static inline uint64_t
read_one(struct rd *r, unsigned coding, uint64_t least)
{
	if (coding == SAME)
		return least;
	return coding == ABOVE ? least + read_varint(r) : unzigzag(read_varint(r));
}

void
sync_codec_ints_read(struct rd *r, int64_t *values, const int64_t *base, size_t n)
{
	unsigned form, how, coding;
	uint64_t least;
	size_t i;

	if (n == 0)
		return;
	form = rd_u8(r);
	how = form & 3;
	coding = form >> 2;
	if (coding > ZIGZAG || (how >= BASE && base == NULL))
		r->bad = true;
	i = how & BEFORE;
	if (i > 0)
		values[0] = rd_zigzag(r);
	least = coding == ZIGZAG ? 0 : (uint64_t)rd_zigzag(r);
	if (coding != SAME && n - i > r->left)
		r->bad = true;
	for (; !r->bad && i < n; i++)
		values[i] = (int64_t)read_one(r, coding, least);
	if (!r->bad)
		add_up(values, base, n, how);
}

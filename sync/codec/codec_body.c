/*
 * sync/codec/codec_body.c - the order of the records, told by guessing.
 *
 * After a record of class A comes, so the guess, what came after A the last
 * time; at first, another A.  So a class that repeats, and classes that
 * alternate (an arrival writes two tables), cost one count.
 *
 *   varint openings · ints: other records before each opening, since the one before it
 *   varint right guesses · varint class · varint right guesses · ... until all others are told
 *
 * Before the first record stands, for the guess, one of class 0.
 */
#include "sync/codec/codec_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool
sync_codec_body_make(struct sync_codec_body *b, size_t count, struct arena *a)
{
	*b = (struct sync_codec_body){ .count = count };
	b->class_of = arena_take(a, count, sizeof *b->class_of);
	b->rows = arena_take(a, count, sizeof *b->rows);
	b->ms = arena_take(a, count, sizeof *b->ms);
	b->openings = arena_take(a, count, sizeof(struct sync_opening *));
	b->following = arena_take(a, count, sizeof *b->following);
	b->last_ms = arena_take(a, count, sizeof *b->last_ms);
	b->ints = arena_take(a, count, sizeof *b->ints);
	b->base = arena_take(a, count, sizeof *b->base);
	b->row_ms = arena_take(a, count, sizeof *b->row_ms);
	b->values = arena_take(a, count, sizeof(struct store_value *));
	b->some = arena_take(a, count, sizeof(struct store_value *));
	return !a->spent;
}

static void
forget(struct sync_codec_body *b)
{
	for (size_t k = 0; k < b->class_count; k++)
		b->classes[k].next = (uint32_t)k;
}

void
sync_codec_body_write_order(struct sync_codec_body *b, struct buf *out)
{
	uint64_t right = 0;
	int64_t gap = 0;
	size_t openings = 0;
	uint32_t before = 0;

	for (size_t i = 0; i < b->count; i++, gap++)
		if (b->class_of[i] == SYNC_CODEC_OPENING) {
			b->ints[openings++] = gap;
			gap = -1;
		}
	buf_varint(out, openings);
	sync_codec_ints_write(out, b->ints, NULL, openings);
	forget(b);
	for (size_t i = 0; i < b->count; i++) {
		uint32_t class = b->class_of[i];

		if (class == SYNC_CODEC_OPENING)
			continue;
		if (class == b->classes[before].next) {
			right++;
		} else {
			buf_varint(out, right);
			buf_varint(out, class);
			right = 0;
		}
		b->classes[before].next = class;
		before = class;
	}
	if (right > 0)
		buf_varint(out, right);
}

/* Mark the openings in class_of; false if they don't fit. */
static bool
place_openings(struct sync_codec_body *b)
{
	size_t at = 0;

	for (size_t i = 0; i < b->opening_count; i++) {
		if (b->ints[i] < 0 || (uint64_t)b->ints[i] >= b->count - at)
			return false;
		at += (size_t)b->ints[i];
		b->class_of[at++] = SYNC_CODEC_OPENING;
	}
	return true;
}

/* The class of one record: a right guess, or told; after one told, the next guesses are counted. */
static uint32_t
read_class(const struct sync_codec_body *b, struct rd *r, uint32_t guess, uint64_t *right,
           bool is_last)
{
	uint64_t class;

	if (*right > 0) {
		--*right;
		return guess;
	}
	class = rd_varint(r);
	if (!is_last)
		*right = rd_varint(r);
	if (class >= b->class_count || class == guess)
		r->bad = true;
	return (uint32_t) class;
}

void
sync_codec_body_read_order(struct sync_codec_body *b, struct rd *r)
{
	uint64_t openings = rd_varint(r), right;
	size_t others = b->count - (openings <= b->count ? (size_t)openings : 0);
	uint32_t before = 0;

	b->opening_count = b->count - others;
	sync_codec_ints_read(r, b->ints, NULL, b->opening_count);
	if (r->bad || openings > b->count || !place_openings(b) ||
	    (others == 0) != (b->class_count == 0)) {
		r->bad = true;
		return;
	}
	if (others == 0)
		return;
	forget(b);
	right = rd_varint(r);
	for (size_t i = 0; i < b->count && !r->bad; i++) {
		uint32_t class;

		if (b->class_of[i] == SYNC_CODEC_OPENING)
			continue;
		class = read_class(b, r, b->classes[before].next, &right, --others == 0);
		if (r->bad)
			return;
		b->classes[before].next = class;
		before = b->class_of[i] = class;
	}
	r->bad = r->bad || right > 0;
}

void
sync_codec_body_sort(struct sync_codec_body *b)
{
	size_t at = 0;

	for (size_t i = 0; i < b->count; i++)
		if (b->class_of[i] != SYNC_CODEC_OPENING)
			b->classes[b->class_of[i]].count++;
	for (size_t k = 0; k < b->class_count; k++) {
		b->classes[k].start = at;
		at += b->classes[k].count;
		b->classes[k].count = 0;
	}
	for (size_t i = 0; i < b->count; i++)
		if (b->class_of[i] != SYNC_CODEC_OPENING) {
			struct sync_codec_class *class = &b->classes[b->class_of[i]];

			b->rows[class->start + class->count++] = (uint32_t)i;
		}
}

void
sync_codec_body_survey(struct sync_codec_body *b)
{
	size_t next = b->count, at = b->opening_count;
	int64_t last = 0;

	for (size_t i = b->count; i-- > 0;) {
		if (last == 0)
			last = b->ms[i];
		if (b->class_of[i] != SYNC_CODEC_OPENING)
			continue;
		at--;
		b->following[at] = (int64_t)(next - i - 1);
		b->last_ms[at] = last;
		next = i;
		last = 0;
	}
}

struct sync_codec_column
sync_codec_body_column(struct sync_codec_body *b, const struct sync_codec_class *class,
                       const struct sync_record *records, unsigned column)
{
	for (size_t i = 0; i < class->count; i++) {
		size_t at = b->rows[class->start + i];

		b->values[i] = &records[at].change.values[column];
		b->row_ms[i] = b->ms[at];
	}
	return (struct sync_codec_column){
		.values = b->values,
		.ms = b->row_ms,
		.n = class->count,
		.ints = b->ints,
		.base = b->base,
		.some = b->some,
	};
}

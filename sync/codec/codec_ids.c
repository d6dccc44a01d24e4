/*
 * sync/codec/codec_ids.c - 16-byte blobs: the keys of rows and what refers to them.
 *
 * An id of store/id.h is a head that stays the same for thousands of rows (site
 * and run), the ms and a counter; its row is written in that ms.  So of a new
 * row's id nothing is left, and of an older one's a few bytes, once a segment.
 * Ids that are plain random stay 16 bytes.
 *
 *   u8 form   0 as they are: 16 bytes each
 *             1 in parts:    varint heads · 10 bytes each · ints: which head
 *                            · ints: ms (bytes 10-13) · ints: counter (bytes 14-15)
 *
 * Looking an id up takes at most PROBES steps, whatever ids somebody thought up
 * to collide: one that is not found by then is listed twice, which costs bytes,
 * not sense.  The table never grows, so what is not found once never is.
 */
#include "sync/codec/codec_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ID = 16, HEAD = 10, AS_THEY_ARE = 0, IN_PARTS = 1, PROBES = 32, SLOTS_MIN = 256 };

struct id_entry {
	uint8_t id[ID];
	int64_t ms; /* of the record that it was first seen in */
	bool shared;
	uint32_t number;
};

static uint64_t
word(const uint8_t *bytes)
{
	uint64_t w;

	memcpy(&w, bytes, sizeof w);
	return w;
}

/* Ids of one run differ in their last bytes only, which are a word's upper bits: bring them down.
 */
static size_t
hash(const uint8_t id[ID])
{
	uint64_t h = word(id + 8);

	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u ^ word(id);
	h = (h ^ h >> 32) * 0xff51afd7ed558ccdu;
	return (size_t)(h ^ h >> 32);
}

/* The slot of an id, or the free one where it would be; slot_count if neither is near. */
static size_t
find(const struct sync_codec_ids *ids, const uint8_t id[ID])
{
	size_t at = hash(id);

	for (size_t i = 0; i < PROBES; i++, at++) {
		size_t slot = at & (ids->slot_count - 1);
		uint32_t entry = ids->slots[slot];

		if (entry == 0 || memcmp(ids->entries[entry - 1].id, id, ID) == 0)
			return slot;
	}
	return ids->slot_count;
}

bool
sync_codec_ids_start(struct sync_codec_ids *ids, size_t occurrences)
{
	*ids = (struct sync_codec_ids){ .slot_count = SLOTS_MIN };
	while (ids->slot_count < occurrences * 2)
		ids->slot_count *= 2;
	ids->entries = malloc((occurrences + 1) * sizeof *ids->entries);
	ids->slots = calloc(ids->slot_count, sizeof *ids->slots);
	return ids->entries != NULL && ids->slots != NULL;
}

void
sync_codec_ids_add(struct sync_codec_ids *ids, const uint8_t id[ID], bool is_new, int64_t ms)
{
	size_t slot = find(ids, id);
	struct id_entry *entry;

	if (slot < ids->slot_count && ids->slots[slot] != 0) {
		ids->entries[ids->slots[slot] - 1].shared = true;
		return;
	}
	entry = &ids->entries[ids->count++];
	/* an id without a slot can't be looked up for its number: it is listed each time */
	*entry = (struct id_entry){ .ms = ms, .shared = !is_new && slot < ids->slot_count };
	memcpy(entry->id, id, ID);
	if (slot < ids->slot_count)
		ids->slots[slot] = (uint32_t)ids->count;
}

int64_t
sync_codec_ids_number(const struct sync_codec_ids *ids, const uint8_t id[ID])
{
	size_t slot = find(ids, id);

	if (slot == ids->slot_count)
		return 0;
	assert(ids->slots[slot] != 0); /* it was added */
	return ids->entries[ids->slots[slot] - 1].number;
}

void
sync_codec_ids_free(struct sync_codec_ids *ids)
{
	free(ids->entries);
	free(ids->slots);
	*ids = (struct sync_codec_ids){ 0 };
}

/* ---- writing a list ---- */

static int64_t
ms_of(const uint8_t id[ID])
{
	return (int64_t)id[10] << 24 | (int64_t)id[11] << 16 | (int64_t)id[12] << 8 | id[13];
}

static int64_t
counter_of(const uint8_t id[ID])
{
	return (int64_t)id[14] << 8 | id[15];
}

/* Which distinct head each has, first seen first; 0 if there are too many for parts to pay. */
static size_t
find_heads(struct id_entry *const *list, size_t n, int64_t *which, const uint8_t **heads)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		if (i > 0 && memcmp(list[i]->id, list[i - 1]->id, HEAD) == 0) {
			which[i] = which[i - 1];
			continue;
		}
		while (k < count && memcmp(heads[k], list[i]->id, HEAD) != 0)
			k++;
		if (k == count) {
			if (count == PROBES || count > n / 2)
				return 0;
			heads[count++] = list[i]->id;
		}
		which[i] = (int64_t)k;
	}
	return count;
}

static void
write_parts(struct buf *out, struct id_entry *const *list, size_t n, int64_t *work)
{
	int64_t *base = work + n;

	sync_codec_ints_write(out, work, NULL, n);
	for (size_t i = 0; i < n; i++) {
		work[i] = ms_of(list[i]->id);
		base[i] = list[i]->ms;
	}
	sync_codec_ints_write(out, work, base, n);
	for (size_t i = 0; i < n; i++)
		work[i] = counter_of(list[i]->id);
	sync_codec_ints_write(out, work, NULL, n);
}

static void
write_list(struct buf *out, struct id_entry *const *list, size_t n)
{
	const uint8_t *heads[PROBES];
	int64_t *work;
	size_t count;

	if (n == 0)
		return;
	work = malloc(2 * n * sizeof *work);
	if (work == NULL) {
		out->bad = true;
		return;
	}
	count = find_heads(list, n, work, heads);
	buf_u8(out, count == 0 ? AS_THEY_ARE : IN_PARTS);
	if (count == 0) {
		for (size_t i = 0; i < n; i++)
			buf_put(out, list[i]->id, ID);
	} else {
		buf_varint(out, count);
		for (size_t i = 0; i < count; i++)
			buf_put(out, heads[i], HEAD);
		write_parts(out, list, n, work);
	}
	free(work);
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp((*(struct id_entry *const *)a)->id, (*(struct id_entry *const *)b)->id, ID);
}

/* The entries that are shared, or those that aren't, in the order of first sight; owned. */
static struct id_entry **
pick(struct sync_codec_ids *ids, bool shared, size_t *n)
{
	struct id_entry **list = malloc((ids->count + 1) * sizeof(struct id_entry *));

	*n = 0;
	for (size_t i = 0; list != NULL && i < ids->count; i++)
		if (ids->entries[i].shared == shared)
			list[(*n)++] = &ids->entries[i];
	return list;
}

void
sync_codec_ids_write_shared(struct sync_codec_ids *ids, struct buf *out)
{
	size_t n;
	struct id_entry **list = pick(ids, true, &n);

	if (list == NULL) {
		out->bad = true;
		return;
	}
	if (n > 0)
		qsort(list, n, sizeof(struct id_entry *), by_bytes);
	for (size_t i = 0; i < n; i++) {
		list[i]->number = (uint32_t)i + 1;
		list[i]->ms = 0;
	}
	buf_varint(out, n);
	write_list(out, list, n);
	free(list);
}

void
sync_codec_ids_write_new(struct sync_codec_ids *ids, struct buf *out)
{
	size_t n;
	struct id_entry **list = pick(ids, false, &n);

	if (list == NULL)
		out->bad = true;
	else
		write_list(out, list, n);
	free(list);
}

/* ---- reading a list ---- */

/* A part of an id that is written as a number. */
struct part {
	size_t at, len;      /* bytes of the id */
	int64_t *work;       /* for the numbers */
	const int64_t *base; /* what they are near to, or NULL */
};

/* One part of each: `len` bytes at `at`, as a number. */
static void
read_numbers(struct rd *r, uint8_t *ids, size_t n, struct part part)
{
	uint64_t most = ((uint64_t)1 << 8 * part.len) - 1;

	sync_codec_ints_read(r, part.work, part.base, n);
	for (size_t i = 0; !r->bad && i < n; i++) {
		uint64_t value = (uint64_t)part.work[i];

		if (value > most)
			r->bad = true;
		for (size_t k = part.len; k-- > 0; value >>= 8)
			ids[i * ID + part.at + k] = (uint8_t)value;
	}
}

static void
read_heads(struct rd *r, uint8_t *ids, size_t n, int64_t *work)
{
	uint64_t count = rd_varint(r);
	const uint8_t *heads = count <= r->left / HEAD ? rd_bytes(r, (size_t)count * HEAD) : NULL;

	if (heads == NULL) {
		r->bad = true;
		return;
	}
	sync_codec_ints_read(r, work, NULL, n);
	for (size_t i = 0; !r->bad && i < n; i++)
		if ((uint64_t)work[i] < count)
			memcpy(ids + i * ID, heads + (size_t)work[i] * HEAD, HEAD);
		else
			r->bad = true;
}

uint8_t *
sync_codec_ids_read_new(struct rd *r, struct arena *a, const int64_t *ms, size_t count)
{
	uint8_t form = count == 0 ? AS_THEY_ARE : rd_u8(r);
	const uint8_t *bytes;
	int64_t *work;
	uint8_t *ids;

	if (form == AS_THEY_ARE) {
		bytes = count <= r->left / ID ? rd_bytes(r, count * ID) : NULL;
		if (bytes == NULL)
			r->bad = true;
		return bytes == NULL ? NULL : arena_copy(a, bytes, count * ID);
	}
	ids = arena_take(a, count, ID);
	work = arena_take(a, count, sizeof *work);
	if (form != IN_PARTS)
		r->bad = true;
	if (r->bad || ids == NULL || work == NULL)
		return NULL;
	read_heads(r, ids, count, work);
	read_numbers(r, ids, count,
	             (struct part){ .at = HEAD, .len = 4, .work = work, .base = ms });
	read_numbers(r, ids, count, (struct part){ .at = HEAD + 4, .len = 2, .work = work });
	return r->bad ? NULL : ids;
}

uint8_t *
sync_codec_ids_read_shared(struct rd *r, struct arena *a, size_t *count)
{
	uint64_t n = rd_varint(r);
	int64_t *no_ms;

	*count = 0;
	if (n > SYNC_ARENA_MAX / ID)
		r->bad = true;
	if (r->bad)
		return NULL;
	*count = (size_t)n;
	no_ms = arena_take(a, *count, sizeof *no_ms);
	return no_ms == NULL ? NULL : sync_codec_ids_read_new(r, a, no_ms, *count);
}

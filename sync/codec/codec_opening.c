/*
 * sync/codec/codec_opening.c - the openings of a segment, field by field.
 *
 * A rolled-up day holds hundreds of them that differ in hardly anything: the
 * time lies a few seconds after the unit's last stamp, the number of changes is
 * that of the records that follow, what was seen is mostly said before.
 *
 *   ints  flags: kind + 4 if more + 8 if seen as before
 *   ints  sealed ms, base: ms of the last stamp before the next opening
 *   ints  changes, less the records that do follow
 *   ints  seen entries · ints origins of a relay · ints definitions     of each opening
 *   varint sites · 24 bytes each
 *   ints  sites meant: per opening of its seen, then of its origin or origins
 *   ints  ms, base: as sealed · ints counter: of the stamps seen
 *   per re-mint     scope with length · varint first · varint last
 *   per definition  varint no · bytes with length
 */
#include "sync/codec/codec_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { KIND = 3, MORE = 4, AS_BEFORE = 8, FLAGS_MAX = 15 };
enum { SITE = STORE_NODE_ID + STORE_EPOCH, COUNTER_BITS = 16, COUNTER = 0xffff };
enum {
	SITES_MAX = 1 << 20,       /* that all openings of a segment may mention */
	DEFINITIONS_MAX = 1 << 12, /* of all openings of a segment */
	LOOK = 256 /* distinct sites that are looked for; more may be listed twice */
};

/* The numbers that every opening has, in the order of their streams. */
enum field { FLAGS, SEALED, CHANGES, SEEN, ORIGINS, DEFINITIONS };

_Static_assert(sizeof(struct sync_site) == SITE, "a site is 24 bytes without gaps");

/* Sites that an opening mentions: those seen, then its origin or origins. */
static size_t
mentioned(const struct sync_opening *o)
{
	return o->seen_count + (o->kind == SYNC_REMINT) +
	       (o->kind == SYNC_RELAY ? o->origin_count : 0);
}

static struct sync_site *
mention(struct sync_opening *o, size_t i)
{
	if (i < o->seen_count)
		return &o->seen[i].site;
	return o->kind == SYNC_REMINT ? &o->origin_site : &o->origins[i - o->seen_count];
}

/* ---- writing ---- */

static int64_t
field_of(const struct sync_codec_openings *list, size_t i, enum field field)
{
	const struct sync_opening *o = list->list[i];

	switch (field) {
	case FLAGS:
		return (int64_t)o->kind + (o->more ? MORE : 0) +
		       (o->seen_as_before ? AS_BEFORE : 0);
	case SEALED:
		return o->sealed_ms;
	case CHANGES:
		return (int64_t)o->changes - list->following[i];
	case SEEN:
		return (int64_t)o->seen_count;
	case ORIGINS:
		return o->kind == SYNC_RELAY ? (int64_t)o->origin_count : 0;
	case DEFINITIONS:
		return (int64_t)o->definition_count;
	}
	assert(!"there is no such field");
	return 0;
}

/* The distinct sites, and which of them each mention means. */
static void
write_sites(struct buf *out, const struct sync_codec_openings *list, int64_t *ints)
{
	struct buf sites = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < mentioned(list->list[i]); k++, n++) {
			const struct sync_site *site = mention(list->list[i], k);
			size_t at = 0;

			while (at < sites.len && at < (size_t)LOOK * SITE &&
			       memcmp(sites.bytes + at, site, SITE) != 0)
				at += SITE;
			if (at == sites.len || at == (size_t)LOOK * SITE) {
				at = sites.len;
				buf_put(&sites, site, SITE);
			}
			ints[n] = (int64_t)(at / SITE);
		}
	buf_varint(out, sites.len / SITE);
	buf_put(out, sites.bytes, sites.len);
	sync_codec_ints_write(out, ints, NULL, n);
	out->bad = out->bad || sites.bad;
	buf_free(&sites);
}

static void
write_seen(struct buf *out, const struct sync_codec_openings *list, int64_t *ints, int64_t *base)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->list[i]->seen_count; k++) {
			base[n] = list->list[i]->sealed_ms;
			ints[n++] = list->list[i]->seen[k].stamp >> COUNTER_BITS;
		}
	sync_codec_ints_write(out, ints, base, n);
	n = 0;
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->list[i]->seen_count; k++)
			ints[n++] = list->list[i]->seen[k].stamp & COUNTER;
	sync_codec_ints_write(out, ints, NULL, n);
}

static void
write_rest(struct buf *out, const struct sync_opening *o)
{
	if (o->kind == SYNC_REMINT) {
		buf_lenbytes(out, o->origin_scope, strlen(o->origin_scope));
		buf_varint(out, o->origin_first);
		buf_varint(out, o->origin_last);
	}
	for (size_t i = 0; i < o->definition_count; i++) {
		buf_varint(out, o->definitions[i].no);
		buf_lenbytes(out, o->definitions[i].bytes, o->definitions[i].len);
	}
}

static void
write_all(struct buf *out, const struct sync_codec_openings *list, int64_t *ints, int64_t *base)
{
	for (enum field f = FLAGS; f <= DEFINITIONS; f++) {
		for (size_t i = 0; i < list->n; i++)
			ints[i] = field_of(list, i, f);
		sync_codec_ints_write(out, ints, f == SEALED ? list->ms : NULL, list->n);
	}
	write_sites(out, list, ints);
	write_seen(out, list, ints, base);
	for (size_t i = 0; i < list->n; i++)
		write_rest(out, list->list[i]);
}

int
sync_codec_openings_write(struct buf *out, const struct sync_codec_openings *list, struct err *err)
{
	size_t mentions = 0, definitions = 0;
	int64_t *ints, *base;

	for (size_t i = 0; i < list->n; i++) {
		mentions += mentioned(list->list[i]);
		definitions += list->list[i]->definition_count;
	}
	if (mentions > SITES_MAX || definitions > DEFINITIONS_MAX)
		return err_set(err, ERR_INVALID,
		               "a segment can't mention %zu sites and %zu schemas", mentions,
		               definitions);
	ints = malloc((mentions + list->n + 1) * sizeof *ints);
	base = malloc((mentions + 1) * sizeof *base);
	if (ints == NULL || base == NULL)
		out->bad = true;
	else
		write_all(out, list, ints, base);
	free(ints);
	free(base);
	return buf_check(out, err);
}

/* ---- reading ---- */

static bool
set_flags(struct sync_opening *o, int64_t value)
{
	static const enum sync_unit_kind kinds[] = { SYNC_PLAIN, SYNC_RELAY, SYNC_REMINT };

	if (value < 0 || value > FLAGS_MAX || (value & KIND) == KIND)
		return false;
	o->kind = kinds[value & KIND];
	o->more = (value & MORE) != 0;
	o->seen_as_before = (value & AS_BEFORE) != 0;
	return true;
}

/* A count within its limit. */
static bool
set_count(size_t *count, int64_t value, int64_t limit)
{
	*count = (size_t)value;
	return value >= 0 && value <= limit;
}

/* False if the field can't have that value. */
static bool
set_field(const struct sync_codec_openings *list, size_t i, enum field field, int64_t value)
{
	struct sync_opening *o = list->list[i];
	int64_t changes;

	switch (field) {
	case FLAGS:
		return set_flags(o, value);
	case SEALED:
		o->sealed_ms = value;
		return true;
	case CHANGES:
		if (__builtin_add_overflow(value, list->following[i], &changes))
			return false;
		o->changes = (uint32_t)changes;
		return changes >= 0 && changes <= UINT32_MAX;
	case SEEN:
		return set_count(&o->seen_count, value, o->seen_as_before ? 0 : SITES_MAX);
	case ORIGINS:
		return set_count(&o->origin_count, value, o->kind == SYNC_RELAY ? SITES_MAX : 0);
	case DEFINITIONS:
		return set_count(&o->definition_count, value, DEFINITIONS_MAX);
	}
	assert(!"there is no such field");
	return false;
}

static bool
read_fields(struct rd *r, const struct sync_codec_openings *list, int64_t *ints)
{
	for (enum field f = FLAGS; f <= DEFINITIONS; f++) {
		sync_codec_ints_read(r, ints, f == SEALED ? list->ms : NULL, list->n);
		for (size_t i = 0; !r->bad && i < list->n; i++)
			if (!set_field(list, i, f, ints[i]))
				return false;
	}
	return !r->bad;
}

/* Room for what the counts promise, within limits. */
static int
make_room(const struct sync_codec_openings *list, struct arena *a, size_t *mentions,
          struct err *err)
{
	size_t definitions = 0;

	*mentions = 0;
	for (size_t i = 0; i < list->n; i++) {
		struct sync_opening *o = list->list[i];

		*mentions += mentioned(o);
		definitions += o->definition_count;
		if (*mentions > SITES_MAX || definitions > DEFINITIONS_MAX)
			return err_set(err, ERR_CORRUPT, "openings mention too much");
		o->seen = arena_take(a, o->seen_count, sizeof *o->seen);
		o->origins = arena_take(a, o->origin_count, sizeof *o->origins);
		o->definitions = arena_take(a, o->definition_count, sizeof *o->definitions);
		if (o->seen == NULL || o->origins == NULL || o->definitions == NULL)
			return err_set(err, ERR_NOMEM, "openings need too much memory");
	}
	return 0;
}

static bool
read_sites(struct rd *r, const struct sync_codec_openings *list, int64_t *ints, size_t mentions)
{
	uint64_t count = rd_varint(r);
	const uint8_t *sites = count <= r->left / SITE ? rd_bytes(r, (size_t)count * SITE) : NULL;
	size_t n = 0;

	if (sites == NULL)
		return false;
	sync_codec_ints_read(r, ints, NULL, mentions);
	for (size_t i = 0; !r->bad && i < list->n; i++)
		for (size_t k = 0; k < mentioned(list->list[i]); k++, n++) {
			if (ints[n] < 0 || (uint64_t)ints[n] >= count)
				return false;
			memcpy(mention(list->list[i], k), sites + (size_t)ints[n] * SITE, SITE);
		}
	return !r->bad;
}

static bool
read_seen(struct rd *r, const struct sync_codec_openings *list, int64_t *ints, int64_t *base)
{
	size_t n = 0, total = 0;

	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->list[i]->seen_count; k++)
			base[total++] = list->list[i]->sealed_ms;
	sync_codec_ints_read(r, ints, base, total);
	for (size_t i = 0; !r->bad && i < list->n; i++)
		for (size_t k = 0; k < list->list[i]->seen_count; k++)
			list->list[i]->seen[k].stamp =
			        (int64_t)((uint64_t)ints[n++] << COUNTER_BITS);
	sync_codec_ints_read(r, ints, NULL, total);
	n = 0;
	for (size_t i = 0; !r->bad && i < list->n; i++)
		for (size_t k = 0; k < list->list[i]->seen_count; k++, n++) {
			if (ints[n] < 0 || ints[n] > COUNTER)
				return false;
			list->list[i]->seen[k].stamp |= ints[n];
		}
	return !r->bad;
}

/* Where a re-mint comes from: false if memory is out; what is wrong marks `r` bad. */
static bool
read_origin(struct rd *r, struct sync_opening *o, struct arena *a)
{
	size_t len;
	const uint8_t *scope = rd_lenbytes(r, &len);

	if (r->bad || len > STORE_SCOPE_MAX || memchr(scope, 0, len) != NULL) {
		r->bad = true;
		return true;
	}
	o->origin_scope = arena_copy(a, scope, len);
	o->origin_first = rd_varint(r);
	o->origin_last = rd_varint(r);
	return o->origin_scope != NULL;
}

static bool
read_definitions(struct rd *r, struct sync_opening *o)
{
	for (size_t i = 0; i < o->definition_count; i++) {
		uint64_t no = rd_varint(r);

		o->definitions[i].no = (unsigned)no;
		o->definitions[i].bytes = rd_lenbytes(r, &o->definitions[i].len);
		if (no == 0 || no > UINT32_MAX)
			return false;
	}
	return !r->bad;
}

int
sync_codec_openings_read(struct rd *r, const struct sync_codec_openings *list, struct arena *a,
                         struct err *err)
{
	int64_t *ints = arena_take(a, list->n, sizeof *ints), *base = NULL;
	size_t mentions;
	int rc;

	if (ints == NULL)
		return err_set(err, ERR_NOMEM, "openings need too much memory");
	if (!read_fields(r, list, ints))
		return err_set(err, ERR_CORRUPT, "openings are not well-formed");
	rc = make_room(list, a, &mentions, err);
	if (rc < 0)
		return rc;
	ints = arena_take(a, mentions, sizeof *ints);
	base = arena_take(a, mentions, sizeof *base);
	if (ints == NULL || base == NULL)
		return err_set(err, ERR_NOMEM, "openings need too much memory");
	if (!read_sites(r, list, ints, mentions) || !read_seen(r, list, ints, base))
		return err_set(err, ERR_CORRUPT, "what openings have seen is not well-formed");
	for (size_t i = 0; i < list->n; i++) {
		struct sync_opening *o = list->list[i];

		if (o->kind == SYNC_REMINT && !read_origin(r, o, a))
			return err_set(err, ERR_NOMEM, "openings need too much memory");
		if (!read_definitions(r, o))
			return err_set(err, ERR_CORRUPT, "an opening is not well-formed");
	}
	return 0;
}

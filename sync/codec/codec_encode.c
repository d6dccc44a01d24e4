/*
 * sync/codec/codec_encode.c - records to a body.
 *
 *   u8 1 (version)
 *   varint classes · per class: u8 op (0: redacted, and nothing more) · varint schema no
 *                               · varint mask (update only)
 *   order (sync/codec/codec_body.c)
 *   ints: stamp ms · ints: stamp counter, less the guess · ints: cl · ints: origin    of all
 * changes openings (sync/codec/codec_opening.c) 32 bytes per redacted record: its leaf varint count
 * · ids that occur more than once (sync/codec/codec_ids.c) per class and column of its key or mask,
 * by position: column (sync/codec/codec_column.c) ids that occur once, base: ms of their records'
 * stamps
 *
 * The counter guessed is one more in the same ms as the change before, and 0 in
 * another.
 */
#include "sync/codec/codec_priv.h"

#include <assert.h>
#include <string.h>

enum { BUCKETS = 1024, ID_LEN = 16, CLASSES_AT_ONCE = 64 };

struct encoder {
	const struct sync_record *records;
	struct sync_codec_body body;
	struct sync_codec_ids ids;
	struct arena arena;
	uint32_t buckets[BUCKETS]; /* of classes, last one + 1 */
	size_t class_cap;
	size_t id_count; /* occurrences */
};

static uint64_t
columns_of(const struct store_change *c)
{
	uint64_t columns = c->mask;

	for (unsigned k = 0; k < c->schema->key_count; k++)
		columns |= (uint64_t)1 << c->schema->keys[k];
	return columns;
}

static unsigned
op_of(const struct sync_record *r)
{
	return r->type == SYNC_CHANGE ? (unsigned)r->change.op : SYNC_CODEC_REDACTED;
}

static bool
is_of(const struct sync_codec_class *class, const struct sync_record *r)
{
	return class->op == op_of(r) &&
	       (class->op == SYNC_CODEC_REDACTED ||
	        (class->schema_no == r->schema_no && class->mask == r->change.mask));
}

static bool
add_class(struct encoder *e, const struct sync_record *r)
{
	struct sync_codec_body *b = &e->body;
	struct sync_codec_class *class;

	if (b->class_count == e->class_cap) {
		size_t cap = e->class_cap == 0 ? CLASSES_AT_ONCE : e->class_cap * 2;
		struct sync_codec_class *more = arena_take(&e->arena, cap, sizeof *more);

		if (more == NULL)
			return false;
		if (b->class_count > 0)
			memcpy(more, b->classes, b->class_count * sizeof *more);
		b->classes = more;
		e->class_cap = cap;
	}
	class = &b->classes[b->class_count];
	class->op = op_of(r);
	class->next = (uint32_t)b->class_count++;
	if (class->op == SYNC_CODEC_REDACTED)
		return true;
	class->schema_no = r->schema_no;
	class->schema = r->change.schema;
	class->mask = r->change.mask;
	class->columns = columns_of(&r->change);
	return true;
}

/* The class of a record, made if it is new; `before` is the class of the record before it. */
static bool
find_class(struct encoder *e, const struct sync_record *r, uint32_t before, uint32_t *found)
{
	struct sync_codec_body *b = &e->body;
	uint64_t mix = (r->change.mask * 0x9e3779b97f4a7c15u + r->schema_no) * 4 + op_of(r);
	uint32_t *bucket = &e->buckets[(mix ^ mix >> 32) % BUCKETS];

	if (b->class_count > 0 && is_of(&b->classes[b->classes[before].next], r)) {
		*found = b->classes[before].next;
		return true;
	}
	for (uint32_t at = *bucket; at != 0; at = b->classes[at - 1].chain)
		if (is_of(&b->classes[at - 1], r)) {
			*found = at - 1;
			return true;
		}
	if (!add_class(e, r))
		return false;
	*found = (uint32_t)b->class_count - 1;
	b->classes[*found].chain = *bucket;
	*bucket = (uint32_t)b->class_count;
	return true;
}

static void
count_ids(struct encoder *e, const struct sync_record *r, uint64_t columns)
{
	for (; columns != 0; columns &= columns - 1) {
		const struct store_value *v = &r->change.values[__builtin_ctzll(columns)];

		e->id_count += v->type == STORE_BLOB && v->len == ID_LEN;
	}
}

static bool
classify(struct encoder *e)
{
	struct sync_codec_body *b = &e->body;
	uint32_t before = 0;

	for (size_t i = 0; i < b->count; i++) {
		const struct sync_record *r = &e->records[i];

		if (r->type == SYNC_OPENING) {
			b->openings[b->opening_count++] = r->opening;
			b->class_of[i] = SYNC_CODEC_OPENING;
			continue;
		}
		if (!find_class(e, r, before, &b->class_of[i]))
			return false;
		b->classes[before].next = b->class_of[i];
		before = b->class_of[i];
		if (r->type == SYNC_CHANGE) {
			b->ms[i] = STORE_STAMP_MS(r->change.stamp);
			count_ids(e, r, b->classes[before].columns);
		}
	}
	return true;
}

static bool
collect_ids(struct encoder *e)
{
	const struct sync_codec_body *b = &e->body;

	if (!sync_codec_ids_start(&e->ids, e->id_count))
		return false;
	for (size_t i = 0; i < b->count; i++) {
		const struct sync_record *r = &e->records[i];
		uint64_t left = r->type == SYNC_CHANGE ? b->classes[b->class_of[i]].columns : 0;

		for (; left != 0; left &= left - 1) {
			unsigned column = (unsigned)__builtin_ctzll(left);
			const struct store_value *v = &r->change.values[column];
			bool is_new = r->change.op == STORE_INSERT &&
			              r->change.schema->key_count == 1 &&
			              r->change.schema->columns[column].key > 0;

			if (v->type == STORE_BLOB && v->len == ID_LEN)
				sync_codec_ids_add(&e->ids, v->bytes, is_new, b->ms[i]);
		}
	}
	return true;
}

static void
write_classes(const struct sync_codec_body *b, struct buf *out)
{
	buf_varint(out, b->class_count);
	for (size_t k = 0; k < b->class_count; k++) {
		const struct sync_codec_class *class = &b->classes[k];

		buf_u8(out, (uint8_t) class->op);
		if (class->op == SYNC_CODEC_REDACTED)
			continue;
		assert(class->mask == (class->op == STORE_INSERT   ? class->schema->cells
		                       : class->op == STORE_DELETE ? 0
		                                                   : class->mask));
		buf_varint(out, class->schema_no);
		if (class->op == STORE_UPDATE)
			buf_varint(out, class->mask);
	}
}

/* What every change has, whatever its class. */
enum field { MS, COUNTER, CL, ORIGIN };

static int64_t
field_of(const struct sync_record *r, enum field field, int64_t stamp_before)
{
	int64_t stamp = r->change.stamp;
	bool same_ms = STORE_STAMP_MS(stamp) == STORE_STAMP_MS(stamp_before);

	switch (field) {
	case MS:
		return STORE_STAMP_MS(stamp);
	case COUNTER:
		return (stamp & 0xffff) - (same_ms ? (stamp_before & 0xffff) + 1 : 0);
	case CL:
		return r->change.cl;
	case ORIGIN:
		return r->origin;
	}
	assert(!"there is no such field");
	return 0;
}

static void
write_fields(struct encoder *e, struct buf *out)
{
	int64_t *ints = e->body.ints;

	for (enum field f = MS; f <= ORIGIN; f++) {
		int64_t stamp_before = 0;
		size_t n = 0;

		for (size_t i = 0; i < e->body.count; i++)
			if (e->records[i].type == SYNC_CHANGE) {
				ints[n++] = field_of(&e->records[i], f, stamp_before);
				stamp_before = e->records[i].change.stamp;
			}
		sync_codec_ints_write(out, ints, NULL, n);
	}
}

static void
write_columns(struct encoder *e, struct buf *out)
{
	struct sync_codec_body *b = &e->body;

	for (size_t k = 0; k < b->class_count; k++)
		for (uint64_t left = b->classes[k].columns; left != 0; left &= left - 1) {
			struct sync_codec_column c = sync_codec_body_column(
			        b, &b->classes[k], e->records, (unsigned)__builtin_ctzll(left));

			sync_codec_column_write(out, &c, &e->ids);
		}
}

static int
encode(struct encoder *e, struct buf *out, struct err *err)
{
	struct sync_codec_body *b = &e->body;
	struct sync_codec_openings openings;
	int rc;

	if (!classify(e) || !collect_ids(e))
		return err_set(err, ERR_NOMEM, "encoding: out of memory");
	sync_codec_body_sort(b);
	sync_codec_body_survey(b);
	buf_u8(out, SYNC_CODEC_VERSION);
	write_classes(b, out);
	sync_codec_body_write_order(b, out);
	write_fields(e, out);
	openings = (struct sync_codec_openings){ .list = b->openings,
		                                 .following = b->following,
		                                 .ms = b->last_ms,
		                                 .n = b->opening_count };
	rc = sync_codec_openings_write(out, &openings, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < b->count; i++)
		if (e->records[i].type == SYNC_REDACTED)
			buf_put(out, e->records[i].leaf, STORE_HEAD);
	sync_codec_ids_write_shared(&e->ids, out);
	write_columns(e, out);
	sync_codec_ids_write_new(&e->ids, out);
	return buf_check(out, err);
}

int
sync_codec_encode(const struct sync_record *records, size_t count, struct buf *out, struct err *err)
{
	struct encoder e = { .records = records };
	size_t start = out->len;
	int rc = 0;

	if (count == 0 || count > SYNC_RECORDS_MAX)
		return err_set(err, ERR_INVALID, "a segment can't hold %zu records", count);
	if (!sync_codec_body_make(&e.body, count, &e.arena))
		rc = err_set(err, ERR_NOMEM, "encoding: out of memory");
	if (rc == 0)
		rc = encode(&e, out, err);
	if (rc == 0 && out->len - start > SYNC_RAW_MAX)
		rc = err_set(err, ERR_INVALID, "a segment can't hold %zu bytes", out->len - start);
	sync_codec_ids_free(&e.ids);
	arena_free(&e.arena);
	return rc;
}

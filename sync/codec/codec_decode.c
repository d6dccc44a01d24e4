/*
 * sync/codec/codec_decode.c - a body to records (its bytes: sync/codec/codec_encode.c).
 *
 * The bytes come from a peer.  Numbers are checked before they are used, what
 * they ask for is taken from arenas with a limit, and the body must end where
 * its last field ends.
 */
#include "sync/codec/codec_priv.h"

#include <string.h>

enum { ID_LEN = 16, COUNTER = 0xffff };

static const int64_t MS_MAX = ((int64_t)1 << 48) - 1;

struct decoder {
	struct rd r;
	const struct sync_codec_schemas *schemas;
	struct arena *arena; /* the result's */
	struct arena scratch;
	struct sync_codec_body body;
	struct sync_record *records;
	struct sync_codec_shared shared;
	size_t change_count, new_count;
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "decoding needs more memory than it may take");
}

static int
corrupt(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "body: its %s are not well-formed", what);
}

static int
read_classes(struct decoder *d, struct err *err)
{
	struct sync_codec_body *b = &d->body;
	uint8_t version = rd_u8(&d->r);
	uint64_t count = rd_varint(&d->r);

	if (d->r.bad || version != SYNC_CODEC_VERSION || count > b->count)
		return corrupt(err, "classes");
	b->class_count = (size_t)count;
	b->classes = arena_take(&d->scratch, b->class_count, sizeof *b->classes);
	if (b->classes == NULL)
		return no_memory(err);
	for (size_t k = 0; k < b->class_count; k++) {
		struct sync_codec_class *class = &b->classes[k];
		uint64_t no;

		class->op = rd_u8(&d->r);
		if (class->op == SYNC_CODEC_REDACTED)
			continue;
		no = rd_varint(&d->r);
		if (class->op == STORE_UPDATE)
			class->mask = rd_varint(&d->r);
		if (class->op > STORE_DELETE || no > UINT32_MAX)
			return corrupt(err, "classes");
		class->schema_no = (unsigned)no;
	}
	return d->r.bad ? corrupt(err, "classes") : 0;
}

static int
read_order(struct decoder *d, struct err *err)
{
	struct sync_codec_body *b = &d->body;

	sync_codec_body_read_order(b, &d->r);
	if (d->r.bad)
		return corrupt(err, "records' order");
	sync_codec_body_sort(b);
	for (size_t k = 0; k < b->class_count; k++)
		if (b->classes[k].count == 0)
			return corrupt(err, "classes");
	d->records = arena_take(d->arena, b->count, sizeof *d->records);
	if (d->records == NULL)
		return no_memory(err);
	for (size_t i = 0; i < b->count; i++) {
		const struct sync_codec_class *class;

		if (b->class_of[i] == SYNC_CODEC_OPENING) {
			d->records[i].type = SYNC_OPENING;
			continue;
		}
		class = &b->classes[b->class_of[i]];
		d->records[i].type = class->op == SYNC_CODEC_REDACTED ? SYNC_REDACTED : SYNC_CHANGE;
		d->change_count += class->op != SYNC_CODEC_REDACTED;
	}
	return 0;
}

/* ---- stamps, causal lengths, origins ---- */

static bool
read_stamps(struct decoder *d)
{
	struct sync_codec_body *b = &d->body;
	int64_t ms_before = 0, counter_before = 0; /* as if a change at 0 stood before */
	size_t n = 0;

	sync_codec_ints_read(&d->r, b->ints, NULL, d->change_count);
	sync_codec_ints_read(&d->r, b->base, NULL, d->change_count);
	for (size_t i = 0; i < b->count && !d->r.bad; i++) {
		int64_t ms, counter;

		if (d->records[i].type != SYNC_CHANGE)
			continue;
		ms = b->ints[n];
		counter = b->base[n++];
		if (ms < 0 || ms > MS_MAX || counter < -COUNTER - 1 || counter > COUNTER)
			return false;
		counter += ms == ms_before ? counter_before + 1 : 0;
		if (counter < 0 || counter > COUNTER)
			return false;
		d->records[i].change.stamp = STORE_STAMP(ms, counter);
		b->ms[i] = ms_before = ms;
		counter_before = counter;
	}
	return !d->r.bad;
}

static bool
read_fields(struct decoder *d)
{
	struct sync_codec_body *b = &d->body;
	size_t n = 0;

	if (!read_stamps(d))
		return false;
	sync_codec_ints_read(&d->r, b->ints, NULL, d->change_count);
	sync_codec_ints_read(&d->r, b->base, NULL, d->change_count);
	for (size_t i = 0; i < b->count && !d->r.bad; i++) {
		if (d->records[i].type != SYNC_CHANGE)
			continue;
		if (b->ints[n] < 0 || b->base[n] < 0 || b->base[n] > UINT32_MAX)
			return false;
		d->records[i].change.cl = b->ints[n];
		d->records[i].origin = (unsigned)b->base[n++];
	}
	return !d->r.bad;
}

/* ---- openings and what they define ---- */

static int
define(struct decoder *d, size_t at, struct err *err)
{
	const struct sync_opening *o = d->records[at].opening;
	const struct sync_codec_body *b = &d->body;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->definition_count; i++) {
		for (size_t k = 0; k < b->class_count; k++)
			if (b->classes[k].op != SYNC_CODEC_REDACTED &&
			    b->classes[k].schema_no == o->definitions[i].no &&
			    b->rows[b->classes[k].start] < at)
				return err_set(err, ERR_CORRUPT,
				               "schema %u is used before it is defined",
				               o->definitions[i].no);
		rc = d->schemas->define(d->schemas->ctx, &o->definitions[i], err);
	}
	return rc;
}

static int
read_openings(struct decoder *d, struct err *err)
{
	struct sync_codec_body *b = &d->body;
	struct sync_opening *openings = arena_take(d->arena, b->opening_count, sizeof *openings);
	struct sync_codec_openings list = { .list = b->openings,
		                            .following = b->following,
		                            .ms = b->last_ms,
		                            .n = b->opening_count };
	size_t n = 0;
	int rc;

	if (openings == NULL)
		return no_memory(err);
	sync_codec_body_survey(b);
	for (size_t i = 0; i < b->count; i++)
		if (d->records[i].type == SYNC_OPENING) {
			d->records[i].opening = &openings[n];
			b->openings[n] = &openings[n];
			n++;
		}
	rc = sync_codec_openings_read(&d->r, &list, d->arena, err);
	for (size_t i = 0; rc == 0 && i < b->count; i++)
		if (d->records[i].type == SYNC_OPENING)
			rc = define(d, i, err);
	return rc;
}

/* ---- changes ---- */

static int
resolve(struct decoder *d, struct sync_codec_class *class, struct err *err)
{
	struct err why = { 0 };
	const struct store_schema *s = d->schemas->resolve(d->schemas->ctx, class->schema_no, &why);

	if (why.code != 0) {
		*err = why;
		return why.code;
	}
	if (s == NULL)
		return err_set(err, ERR_CORRUPT, "schema %u of the stream is not known",
		               class->schema_no);
	if (class->op == STORE_INSERT)
		class->mask = s->cells;
	if ((class->mask & ~s->cells) != 0)
		return corrupt(err, "updates' columns");
	class->schema = s;
	class->columns = class->mask;
	for (unsigned k = 0; k < s->key_count; k++)
		class->columns |= (uint64_t)1 << s->keys[k];
	return 0;
}

static int
read_class(struct decoder *d, struct sync_codec_class *class, struct err *err)
{
	const struct store_schema *s = class->schema;
	struct store_value *values =
	        arena_take(d->arena, class->count * s->column_count, sizeof *values);

	if (values == NULL)
		return no_memory(err);
	for (size_t i = 0; i < class->count; i++) {
		struct sync_record *rec = &d->records[d->body.rows[class->start + i]];

		rec->schema_no = class->schema_no;
		rec->change.schema = s;
		rec->change.op = (enum store_op) class->op;
		rec->change.mask = class->mask;
		rec->change.values = values + i * s->column_count;
	}
	for (uint64_t left = class->columns; left != 0; left &= left - 1) {
		unsigned column = (unsigned)__builtin_ctzll(left);
		struct sync_codec_column c =
		        sync_codec_body_column(&d->body, class, d->records, column);
		size_t fresh = sync_codec_column_read(&d->r, &c, &d->shared);

		if (d->r.bad)
			return err_set(err, ERR_CORRUPT, "body: column %s of %s is not well-formed",
			               s->columns[column].name, s->table);
		d->new_count += fresh;
		class->fresh |= fresh > 0 ? left & -left : 0;
	}
	return 0;
}

static bool
read_leaves(struct decoder *d)
{
	for (size_t i = 0; i < d->body.count; i++) {
		const uint8_t *leaf;

		if (d->records[i].type != SYNC_REDACTED)
			continue;
		leaf = rd_bytes(&d->r, STORE_HEAD);
		if (leaf == NULL)
			return false;
		memcpy(d->records[i].leaf, leaf, STORE_HEAD);
	}
	return true;
}

/* Do something for every class of changes. */
static int
each_class(struct decoder *d,
           int (*what)(struct decoder *d, struct sync_codec_class *class, struct err *err),
           struct err *err)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < d->body.class_count; k++)
		if (d->body.classes[k].op != SYNC_CODEC_REDACTED)
			rc = what(d, &d->body.classes[k], err);
	return rc;
}

static int
read_changes(struct decoder *d, struct err *err)
{
	int rc = each_class(d, resolve, err);

	if (rc < 0)
		return rc;
	if (!read_leaves(d))
		return corrupt(err, "leaves");
	d->shared.ids = sync_codec_ids_read_shared(&d->r, d->arena, &d->shared.count);
	if (d->r.bad)
		return corrupt(err, "ids");
	return d->shared.ids == NULL ? no_memory(err) : each_class(d, read_class, err);
}

/* Walk the new ids in their order: collect their ms, or hand them out. */
static void
walk_new(struct decoder *d, int64_t *ms, const uint8_t *ids)
{
	size_t n = 0;

	for (size_t i = 0; i < d->body.count; i++) {
		uint64_t left = d->records[i].type == SYNC_CHANGE
		                        ? d->body.classes[d->body.class_of[i]].fresh
		                        : 0;

		for (; left != 0; left &= left - 1) {
			struct store_value *v = &d->records[i].change.values[__builtin_ctzll(left)];

			if (v->type != STORE_BLOB || v->bytes != NULL)
				continue;
			if (ids == NULL)
				ms[n] = d->body.ms[i];
			else
				v->bytes = ids + n * ID_LEN;
			n++;
		}
	}
}

static int
read_new(struct decoder *d, struct err *err)
{
	int64_t *ms = arena_take(&d->scratch, d->new_count, sizeof *ms);
	const uint8_t *ids;

	if (ms == NULL)
		return no_memory(err);
	walk_new(d, ms, NULL);
	ids = sync_codec_ids_read_new(&d->r, d->arena, ms, d->new_count);
	if (ids == NULL)
		return d->r.bad ? corrupt(err, "ids") : no_memory(err);
	if (!rd_done(&d->r))
		return corrupt(err, "ids");
	walk_new(d, NULL, ids);
	return 0;
}

/* The canonical key of a change at `at`, or with NULL only its length. */
static size_t
make_key(const struct store_change *c, uint8_t *at)
{
	const struct store_schema *s = c->schema;
	uint8_t head[STORE_VALUE_HEAD] = { 0 };
	size_t len = 0;

	for (unsigned k = 0; k < s->key_count; k++) {
		const struct store_value *v = &c->values[s->keys[k]];
		bool has_bytes = v->type == STORE_TEXT || v->type == STORE_BLOB;

		len += store_value_head(v, at == NULL ? head : at + len);
		if (has_bytes && at != NULL)
			memcpy(at + len, v->bytes, v->len);
		len += has_bytes ? v->len : 0;
	}
	return len;
}

/* Those of one class in one piece. */
static int
make_keys(struct decoder *d, struct sync_codec_class *class, struct err *err)
{
	uint64_t total = 0;
	uint8_t *at;

	for (size_t i = 0; i < class->count; i++) {
		struct store_change *c = &d->records[d->body.rows[class->start + i]].change;

		c->key_len = make_key(c, NULL);
		total += c->key_len; /* of at most 65 536 x 4 values of 1 MiB */
	}
	at = total > SYNC_ARENA_MAX ? NULL : arena_take(d->arena, (size_t)total, 1);
	if (at == NULL)
		return no_memory(err);
	for (size_t i = 0; i < class->count; i++) {
		struct store_change *c = &d->records[d->body.rows[class->start + i]].change;

		c->key = at;
		at += make_key(c, at);
	}
	return 0;
}

static int
decode(struct decoder *d, struct err *err)
{
	int rc = read_classes(d, err);

	if (rc == 0)
		rc = read_order(d, err);
	if (rc == 0 && !read_fields(d))
		rc = corrupt(err, "stamps");
	if (rc == 0)
		rc = read_openings(d, err);
	if (rc == 0)
		rc = read_changes(d, err);
	if (rc == 0)
		rc = read_new(d, err);
	return rc < 0 ? rc : each_class(d, make_keys, err);
}

int
sync_codec_decode(const struct sync_raw *raw, const struct sync_codec_schemas *schemas,
                  struct arena *a, struct sync_record **records, struct err *err)
{
	struct decoder d = {
		.r = rd_from(raw->bytes, raw->len),
		.schemas = schemas,
		.arena = a,
		.scratch = { .limit = SYNC_ARENA_MAX },
	};
	int rc = 0;

	if (raw->count == 0 || raw->count > SYNC_RECORDS_MAX || raw->len > SYNC_RAW_MAX)
		return err_set(err, ERR_CORRUPT, "a body of %zu records in %zu bytes is too large",
		               raw->count, raw->len);
	if (!sync_codec_body_make(&d.body, raw->count, &d.scratch))
		rc = no_memory(err);
	if (rc == 0)
		rc = decode(&d, err);
	a->over |= d.scratch.over; /* one question for whoever owns `a` */
	arena_free(&d.scratch);
	*records = d.records;
	return rc;
}

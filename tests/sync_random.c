/* tests/sync_random.c - records that nobody would write (tests/sync_sample.h). */
#include "tests/sync_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM_MAX = 4096, POOL = 24 };

static void *
take(struct sample *s, size_t count, size_t size)
{
	void *at = arena_take(&s->arena, count, size);

	if (at == NULL)
		abort();
	return at;
}

static uint64_t
any(struct sample *s)
{
	return sample_below(s, UINT64_MAX);
}

static struct store_value
random_bytes(struct sample *s, enum store_type type)
{
	static const size_t lens[] = { 0, 1, 3, 15, 16, 16, 16, 17, 300 };
	size_t len = lens[sample_below(s, sizeof lens / sizeof lens[0])];
	uint8_t *bytes = take(s, len + 1, 1);
	uint64_t alphabet = sample_below(s, 2) ? 2 : 256;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)sample_below(s, alphabet);
	return (struct store_value){ .type = type, .bytes = bytes, .len = len };
}

static struct store_value
random_real(struct sample *s)
{
	static const double odd[] = { 0.0,      -0.0,      0.1,
		                      -36.5,    1e300,     5e-324,
		                      INFINITY, -INFINITY, 9007199254740993.0,
		                      NAN,      1.0 / 3 };

	if (sample_below(s, 3) == 0)
		return (struct store_value){ .type = STORE_REAL,
			                     .num.r = odd[sample_below(s, 11)] };
	return store_value_real((double)(int64_t)sample_below(s, 100000) / 100);
}

static struct store_value
random_value(struct sample *s, unsigned flavour)
{
	unsigned kind = flavour < 6 ? flavour : (unsigned)sample_below(s, 6);

	if (sample_below(s, 8) == 0)
		return store_value_null();
	switch (kind) {
	case 0:
		return store_value_int((int64_t)any(s));
	case 1:
		return random_real(s);
	case 2:
		return random_bytes(s, STORE_TEXT);
	case 3:
		return random_bytes(s, STORE_BLOB);
	case 4:
		return store_value_blob(s->enrollments[sample_below(s, POOL)], 16);
	default:
		return store_value_int((int64_t)sample_below(s, 300) - 20);
	}
}

static void
random_change(struct sample *s, struct sync_record *rec)
{
	const struct store_schema *schema = s->schemas[rec->schema_no - 1];
	struct store_change *c = &rec->change;

	rec->type = SYNC_CHANGE;
	rec->origin = sample_below(s, 9) == 0 ? (unsigned)sample_below(s, UINT32_MAX) : 0;
	c->schema = schema;
	c->op = (enum store_op)(1 + sample_below(s, 3));
	c->cl = sample_below(s, 9) == 0 ? (int64_t)(any(s) >> 1) : 1;
	c->stamp = sample_below(s, 5) == 0 ? (int64_t)any(s)
	                                   : STORE_STAMP(s->now_ms, sample_below(s, 3));
	s->now_ms += (int64_t)sample_below(s, 3);
	if (c->op == STORE_INSERT)
		c->mask = schema->cells;
	else if (c->op == STORE_UPDATE)
		c->mask = any(s) & schema->cells;
	c->values = take(s, schema->column_count, sizeof *c->values);
	for (unsigned i = 0; i < schema->column_count; i++)
		if (schema->columns[i].key > 0 || (c->mask >> i & 1))
			c->values[i] = random_value(s, (i + rec->schema_no) % 8);
}

static void
random_site(struct sample *s, struct sync_site *site)
{
	uint8_t mark = (uint8_t)sample_below(s, 5);

	memset(site, mark, sizeof *site);
}

static void
random_origins(struct sample *s, struct sync_opening *o)
{
	o->kind = (enum sync_unit_kind)sample_below(s, 3);
	if (o->kind == SYNC_REMINT) {
		random_site(s, &o->origin_site);
		o->origin_scope = sample_below(s, 2) ? "f/F001" : "";
		o->origin_first = any(s) >> sample_below(s, 64);
		o->origin_last = any(s) >> sample_below(s, 64);
	}
	if (o->kind != SYNC_RELAY)
		return;
	o->origin_count = sample_below(s, 4);
	o->origins = take(s, o->origin_count, sizeof *o->origins);
	for (size_t i = 0; i < o->origin_count; i++)
		random_site(s, &o->origins[i]);
}

static void
random_opening(struct sample *s, struct sync_record *rec)
{
	struct sync_opening *o = take(s, 1, sizeof *o);

	rec->type = SYNC_OPENING;
	rec->opening = o;
	o->more = sample_below(s, 2);
	o->seen_as_before = sample_below(s, 2);
	o->sealed_ms = sample_below(s, 5) == 0 ? (int64_t)any(s) : s->now_ms;
	o->changes = (uint32_t)sample_below(s, sample_below(s, 2) ? 10 : UINT32_MAX);
	o->seen_count = o->seen_as_before ? 0 : sample_below(s, 4);
	o->seen = take(s, o->seen_count, sizeof *o->seen);
	for (size_t i = 0; i < o->seen_count; i++) {
		random_site(s, &o->seen[i].site);
		o->seen[i].stamp = (int64_t)any(s);
	}
	random_origins(s, o);
}

/* At the front, so that every change may use them. */
static void
define_all(struct sample *s, struct sync_opening *o)
{
	o->definition_count = SAMPLE_TABLES;
	o->definitions = take(s, SAMPLE_TABLES, sizeof *o->definitions);
	for (unsigned i = 0; i < SAMPLE_TABLES; i++) {
		struct buf bytes = { 0 };

		store_schema_write(&bytes, s->schemas[i]);
		o->definitions[i].no = i + 1;
		o->definitions[i].len = bytes.len;
		o->definitions[i].bytes = arena_copy(&s->arena, bytes.bytes, bytes.len);
		buf_free(&bytes);
	}
}

void
sample_random(struct sample *s, size_t count)
{
	uint64_t tables = 1 + sample_below(s, SAMPLE_TABLES);

	if (count > RANDOM_MAX)
		abort();
	s->count = count;
	for (size_t i = 0; i < count; i++) {
		struct sync_record *rec = &s->records[i];
		uint64_t what = sample_below(s, 12);

		*rec = (struct sync_record){ .type = SYNC_REDACTED };
		rec->schema_no = 1 + (unsigned)sample_below(s, tables);
		if (what == 0)
			random_opening(s, rec);
		else if (what == 1)
			memset(rec->leaf, (int)sample_below(s, 256), STORE_HEAD);
		else
			random_change(s, rec);
	}
	if (count > 0 && s->records[0].type == SYNC_OPENING)
		define_all(s, s->records[0].opening);
}

void
sample_write(struct buf *out, const struct sync_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_u8(out, (uint8_t)records[i].type);
		if (records[i].type == SYNC_REDACTED)
			buf_put(out, records[i].leaf, STORE_HEAD);
		else
			sync_record_write(out, &records[i]);
	}
}

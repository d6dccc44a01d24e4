#include "tests/fuzz/seeds.h"

#include "sync/archive/archive_priv.h"
#include "sync/codec/pack.h"
#include "sync/codec/segment.h"
#include "tests/fuzz/peer.h"
#include "tests/sync_sample.h"

#include <stdio.h>
#include <string.h>

enum { RANDOM = 12, UNITS = 4, UNIT = 24 };

/* ---- records of every kind, by number: what the codec's target knows the schemas of ---- */

static struct store_column one[] = { { .name = "id", .key = 1 },
	                             { .name = "a" },
	                             { .name = "b" },
	                             { .name = "c" },
	                             { .name = "d" } };
static struct store_column two[] = { { .name = "child", .key = 2 },
	                             { .name = "day", .key = 1 },
	                             { .name = "a" } };
static struct store_schema schemas[2] = {
	{ .table = "one",
	  .scope_prefix = "all",
	  .scope_column = -1,
	  .column_count = 5,
	  .columns = one },
	{ .table = "two",
	  .scope_prefix = "all",
	  .scope_column = -1,
	  .column_count = 3,
	  .columns = two },
};

static struct store_value
value_of(struct sample *s, struct arena *a)
{
	static const char *const texts[] = { "", "饭", "上午活动非常专注", "x" };
	uint8_t bytes[16];
	const char *text = texts[sample_below(s, 4)];

	switch (sample_below(s, 6)) {
	case 0:
		return store_value_null();
	case 1:
		return store_value_real((double)sample_below(s, 1000) / 8);
	case 2:
		return store_value_text(text);
	case 3:
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)sample_below(s, i < 8 ? 2 : 256);
		return store_value_blob(arena_copy(a, bytes, sizeof bytes), sizeof bytes);
	default:
		return store_value_int((int64_t)sample_below(s, 100000) - 500);
	}
}

static void
make_change(struct sample *s, struct arena *a, struct sync_record *out)
{
	unsigned no = (unsigned)sample_below(s, 2) + 1;
	const struct store_schema *schema = &schemas[no - 1];
	struct store_value *values = arena_take(a, schema->column_count, sizeof *values);
	struct buf key = { 0 };

	HOLDS(values != NULL);
	out->type = SYNC_CHANGE;
	out->schema_no = no;
	out->change = (struct store_change){ .schema = schema,
		                             .op = (enum store_op)(sample_below(s, 3) + 1),
		                             .cl = 1,
		                             .stamp = STORE_STAMP(IMAGE_NOW_MS, out->schema_no),
		                             .values = values };
	if (out->change.op == STORE_INSERT)
		out->change.mask = schema->cells;
	if (out->change.op == STORE_UPDATE)
		out->change.mask = schema->cells & ~(schema->cells - 1);
	for (unsigned i = 0; i < schema->column_count; i++)
		if (schema->columns[i].key > 0)
			values[i] = store_value_int((int64_t)sample_below(s, 50));
		else if ((out->change.mask >> i & 1) != 0)
			values[i] = value_of(s, a);
	store_schema_key(schema, values, &key);
	out->change.key = arena_copy(a, key.bytes, key.len);
	out->change.key_len = key.len;
	buf_free(&key);
}

/* An opening of each kind, and every part that it may have. */
static void
make_opening(struct sample *s, struct arena *a, unsigned no, struct sync_record *out)
{
	struct sync_opening *o = arena_take(a, 1, sizeof *o);
	struct buf definition = { 0 };

	HOLDS(o != NULL);
	*o = (struct sync_opening){ .kind = (enum sync_unit_kind)(no % 3),
		                    .more = no % 4 == 3,
		                    .seen_as_before = no % 5 == 2,
		                    .sealed_ms = IMAGE_NOW_MS + (int64_t)no * 30000,
		                    .seen = arena_take(a, 3, sizeof *o->seen),
		                    .origin_scope = "f/F1",
		                    .origin_first = no,
		                    .origin_last = no + 20,
		                    .origins = arena_take(a, 2, sizeof *o->origins),
		                    .definitions = arena_take(a, 1, sizeof *o->definitions) };
	HOLDS(o->seen != NULL && o->origins != NULL && o->definitions != NULL);
	o->seen_count = o->seen_as_before ? 0 : no % 4;
	for (size_t i = 0; i < o->seen_count; i++) {
		memset(&o->seen[i].site, (int)i + 1, sizeof o->seen[i].site);
		o->seen[i].stamp = STORE_STAMP(IMAGE_NOW_MS, sample_below(s, 9));
	}
	memset(&o->origin_site, 7, sizeof o->origin_site);
	memset(o->origins, 8, sizeof *o->origins);
	o->origin_count = o->kind == SYNC_RELAY ? 2 : 0;
	if (no % 2 == 0) {
		store_schema_write(&definition, &schemas[0]);
		o->definition_count = 1;
		o->definitions[0] =
		        (struct sync_definition){ .no = no + 3,
			                          .bytes = arena_copy(a, definition.bytes,
			                                              definition.len),
			                          .len = definition.len };
	}
	*out = (struct sync_record){ .type = SYNC_OPENING, .opening = o };
	buf_free(&definition);
}

/* A unit of changes, some of them redacted; returns how many records it has. */
static size_t
make_unit(struct sample *s, struct arena *a, unsigned no, struct sync_record *out)
{
	size_t changes = sample_below(s, UNIT) + 1;

	make_opening(s, a, no, out);
	out->opening->changes = (uint32_t)changes;
	for (size_t i = 1; i <= changes; i++) {
		if (sample_below(s, 8) == 0) {
			out[i] = (struct sync_record){ .type = SYNC_REDACTED };
			memset(out[i].leaf, (int)i, sizeof out[i].leaf);
			continue;
		}
		make_change(s, a, &out[i]);
		if (out->opening->kind == SYNC_RELAY)
			out[i].origin = (unsigned)sample_below(s, 2);
	}
	return changes + 1;
}

static void
codec_seed(struct sample *s, unsigned no)
{
	struct arena a = { 0 };
	struct sync_record *records = arena_take(&a, (size_t)UNITS * (UNIT + 1), sizeof *records);
	struct buf body = { 0 }, out = { 0 };
	size_t count = 0;
	char name[16];
	struct err err;

	HOLDS(records != NULL);
	for (unsigned i = 0; i <= no % UNITS; i++)
		count += make_unit(s, &a, no + i, &records[count]);
	HOLDS(sync_codec_encode(records, count, &body, &err) == 0);
	buf_u8(&out, (uint8_t)count);
	buf_u8(&out, (uint8_t)(count >> 8));
	buf_put(&out, body.bytes, body.len);
	snprintf(name, sizeof name, "units-%u", no);
	seeds_put("codec", name, &out);
	buf_free(&body);
	buf_free(&out);
	arena_free(&a);
}

static void
codec_seeds(void)
{
	struct sample s;
	struct err err;

	for (int i = 0; i < 2; i++) {
		for (unsigned k = 0; k < schemas[i].column_count; k++)
			schemas[i].columns[k].type = "";
		HOLDS(store_schema_finish(&schemas[i], &err) == 0);
	}
	sample_init(&s, 7);
	for (unsigned i = 0; i < RANDOM; i++)
		codec_seed(&s, i);
	sample_free(&s);
}

/* ---- a node's stream as it is sealed ---- */

/* What its body is before it is packed, with the number of its records. */
static void
put_raw(const struct store_segment *seg, const char *name)
{
	struct buf raw = { 0 }, pack = { 0 };
	uint64_t count = seg->last - seg->first + 1;
	struct err err;

	buf_u8(&raw, (uint8_t)count);
	buf_u8(&raw, (uint8_t)(count >> 8));
	HOLDS(sync_unpack(seg->body, seg->body_len, seg->raw_len, &raw, &err) == 0);
	seeds_put("ingest", name, &raw);
	buf_u8(&pack, (uint8_t)seg->raw_len);
	buf_u8(&pack, (uint8_t)(seg->raw_len >> 8));
	buf_put(&pack, seg->body, seg->body_len);
	seeds_put("pack", name, &pack);
	buf_free(&raw);
	buf_free(&pack);
}

/* The schemas that it defines, and the values of its keys. */
static void
put_parts(const struct store_segment *seg)
{
	struct help_schemas known = { .arena = { .limit = SYNC_ARENA_MAX } };
	struct sync_codec_schemas by = help_schemas_of(&known);
	struct arena a = { .limit = SYNC_ARENA_MAX };
	struct sync_record *records;
	struct buf out = { 0 };
	size_t count;
	char name[16];
	struct err err;

	HOLDS(sync_segment_open(seg, &by, &a, &records, &count, &err) == 0);
	for (unsigned i = 0; i < known.count; i++) {
		buf_clear(&out);
		store_schema_write(&out, known.list[i]);
		snprintf(name, sizeof name, "table-%u", i);
		seeds_put("schema", name, &out);
	}
	buf_clear(&out);
	for (size_t i = 0; i < count; i++)
		if (records[i].type == SYNC_CHANGE)
			buf_put(&out, records[i].change.key, records[i].change.key_len);
	seeds_put("value", "keys", &out);
	buf_free(&out);
	arena_free(&a);
	arena_free(&known.arena);
}

static void
put_segment(struct peer *p, const struct store_segment *seg, const char *name)
{
	struct sync_site site;
	struct buf out = { 0 };

	memcpy(site.node, p->node.r.self.node, STORE_NODE_ID);
	memcpy(site.epoch, p->node.r.self.epoch, STORE_EPOCH);
	sync_segment_write(&out, seg, &site, "f/F1");
	seeds_put("segment", name, &out);
	buf_free(&out);
}

static void
put_short(const struct store_segment *seg)
{
	struct buf out = { 0 };

	sync_segment_write_short(&out, seg, NULL);
	seeds_put("segment", "short", &out);
	buf_free(&out);
}

/* The last record redacted: salts in place of the day's seed. */
static void
put_redacted(struct peer *p, const struct store_segment *seg, struct buf *salts)
{
	struct help_schemas known = { .arena = { .limit = SYNC_ARENA_MAX } };
	struct sync_codec_schemas by = help_schemas_of(&known);
	struct sync_segment_which which = { .list = &seg->last, .count = 1 };
	struct arena a = { .limit = SYNC_ARENA_MAX };
	struct store_segment out;
	struct err err;

	HOLDS(sync_segment_redact(seg, &which, &by, &a, &out, &err) == 0);
	put_segment(p, &out, "redacted");
	put_raw(&out, "redacted");
	buf_u8(salts, (uint8_t)(seg->last - seg->first));
	buf_u8(salts, 2);
	buf_put(salts, out.seeds, out.seeds_len);
	arena_free(&a);
	arena_free(&known.arena);
}

static void
put_salts(const struct store_segment *seg, const struct buf *redacted)
{
	struct buf out = { 0 };

	buf_u8(&out, (uint8_t)(seg->last - seg->first));
	buf_u8(&out, 1);
	buf_put(&out, seg->seeds, seg->seeds_len);
	seeds_put("salts", "day", &out);
	seeds_put("salts", "redacted", redacted);
	buf_free(&out);
}

/* A file of the archive: segments end to end; and a row and a branch of it. */
static void
put_archive(struct peer *p, const struct store_segment *segs, size_t count)
{
	struct sync_archive_bound bound = { .scope = "f/F1", .n = segs[0].last };
	struct sync_archive_entry entry = { .name = "F1 小星星",
		                            .subject = "2 daily, 1 note",
		                            .bound_count = 1,
		                            .bounds = &bound };
	struct buf file = { 0 }, row = { 0 }, branch = { 0 };
	char text[SYNC_ARCHIVE_BRANCH];
	struct sync_site site;

	memcpy(site.node, p->node.r.self.node, STORE_NODE_ID);
	memcpy(site.epoch, p->node.r.self.epoch, STORE_EPOCH);
	buf_u8(&row, 0);
	sync_archive_row_write(&row, &entry);
	seeds_put("archive", "row", &row);
	buf_u8(&branch, 1);
	sync_archive_row_branch(text, "proof", &site);
	buf_put(&branch, text, strlen(text));
	seeds_put("archive", "branch", &branch);
	buf_u8(&file, 2);
	for (size_t i = 0; i < count; i++)
		sync_segment_write(&file, &segs[i], &site, "f/F1");
	seeds_put("archive", "day", &file);
	seeds_put_text("archive", "message", "\3tree 0123\nauthor F1\n\n2 daily\n");
	buf_free(&file);
	buf_free(&row);
	buf_free(&branch);
}

static void
stream_seeds(void)
{
	struct store_segment segs[2];
	struct arena a = { 0 };
	struct buf salts = { 0 };
	struct peer p;
	struct err err;

	peer_open(&p, false);
	peer_write(&p, "INSERT INTO daily(child, day, facility_id, text, mood) VALUES"
	               " ('c1', 20260302, 'F1', '饭', 3), ('c2', 20260302, 'F1', NULL, 2);"
	               "INSERT INTO note(id, facility_id, text, rank, top) VALUES"
	               " (x'00112233445566778899aabbccddeeff', 'F1', '上午活动非常专注', 1, 5)");
	peer_write(&p,
	           "UPDATE daily SET mood = 1 WHERE child = 'c1'; UPDATE note SET a = 1, top = 9;"
	           "DELETE FROM daily WHERE child = 'c2'");
	HOLDS(store_segment_at(p.db, 1, 1, &a, &segs[0], &err) == 0);
	HOLDS(store_segment_at(p.db, 1, segs[0].last + 1, &a, &segs[1], &err) == 0);
	put_raw(&segs[0], "first");
	put_raw(&segs[1], "second");
	put_parts(&segs[0]);
	put_segment(&p, &segs[0], "first");
	put_short(&segs[0]);
	put_redacted(&p, &segs[0], &salts);
	put_salts(&segs[0], &salts);
	put_archive(&p, segs, 2);
	buf_free(&salts);
	arena_free(&a);
	peer_close(&p);
}

void
seeds_records(void)
{
	codec_seeds();
	stream_seeds();
}

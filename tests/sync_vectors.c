#include "tests/sync_vectors.h"

#include <check.h>
#include <string.h>

const char *const vector_names[VECTOR_REDACTED] = {
	"opening-plain", "change-insert",  "change-update",  "change-delete",
	"opening-relay", "change-relayed", "opening-remint", "change-reminted",
};

static const int64_t start_ms = 1772438400000; /* 2026-03-02T08:00:00Z */

static void
fill(void *at, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)at)[i] = (uint8_t)(first + i);
}

static void
make_schema(struct vectors *v)
{
	static const struct store_column columns[] = {
		{ .name = "id", .type = "BLOB", .key = 1 },
		{ .name = "facility_id", .type = "TEXT" },
		{ .name = "weight_g", .type = "INTEGER", .group = 1 },
		{ .name = "posture", .type = "TEXT", .group = 1 },
		{ .name = "score", .type = "REAL" },
		{ .name = "revoked", .type = "INTEGER", .rule = STORE_MAX, .hub_only = true },
	};
	struct err err;

	memcpy(v->columns, columns, sizeof columns);
	v->schema = (struct store_schema){
		.table = "golden",
		.scope_prefix = "f/",
		.scope_column = 1,
		.column_count = sizeof columns / sizeof columns[0],
		.columns = v->columns,
	};
	ck_assert_int_eq(store_schema_finish(&v->schema, &err), 0);
	store_schema_write(&v->definition, &v->schema);
	v->definitions[0] = (struct sync_definition){ .no = 1,
		                                      .bytes = v->definition.bytes,
		                                      .len = v->definition.len };
}

static void
make_values(struct vectors *v)
{
	fill(v->id, sizeof v->id, 0x10);
	fill(v->other, sizeof v->other, 0x90);
	v->values[0] = store_value_blob(v->id, sizeof v->id);
	v->values[1] = store_value_text("F001");
	v->values[2] = store_value_int(12850);
	v->values[3] = store_value_text("L");
	v->values[4] = store_value_real(0.1);
	v->values[5] = store_value_blob(v->other, 5);
	v->updated[0] = v->values[0];
	v->updated[2] = store_value_int(-5);
	v->updated[3] = store_value_null();
}

static void
make_openings(struct vectors *v)
{
	fill(&v->seen[0].site, sizeof v->seen[0].site, 0x20);
	fill(&v->seen[1].site, sizeof v->seen[1].site, 0x40);
	v->seen[0].stamp = STORE_STAMP(start_ms - 1000, 7);
	v->seen[1].stamp = STORE_STAMP(start_ms - 60000, 0);
	v->origins[0] = v->seen[1].site;
	fill(&v->origins[1], sizeof v->origins[1], 0x60);
	v->plain = (struct sync_opening){ .kind = SYNC_PLAIN,
		                          .sealed_ms = start_ms + 30000,
		                          .changes = 3,
		                          .seen_count = 2,
		                          .seen = v->seen,
		                          .definition_count = 1,
		                          .definitions = v->definitions };
	v->relay = (struct sync_opening){ .kind = SYNC_RELAY,
		                          .more = true,
		                          .seen_as_before = true,
		                          .sealed_ms = start_ms + 60000,
		                          .changes = 1,
		                          .origin_count = 2,
		                          .origins = v->origins };
	v->remint = (struct sync_opening){ .kind = SYNC_REMINT,
		                           .sealed_ms = start_ms + 90000,
		                           .changes = 2,
		                           .origin_site = v->origins[1],
		                           .origin_scope = "f/F001",
		                           .origin_first = 17,
		                           .origin_last = 300 };
}

static void
make_change(struct vectors *v, size_t at, enum store_op op, int64_t stamp)
{
	struct sync_record *rec = &v->records[at];

	*rec = (struct sync_record){ .type = SYNC_CHANGE, .schema_no = 1 };
	rec->change = (struct store_change){ .schema = &v->schema,
		                             .op = op,
		                             .cl = op == STORE_DELETE ? 2 : 1,
		                             .stamp = stamp,
		                             .values = v->values };
	if (op == STORE_INSERT)
		rec->change.mask = v->schema.cells;
	if (op != STORE_UPDATE)
		return;
	rec->change.mask = 0xc;
	rec->change.values = v->updated;
}

void
vectors_make(struct vectors *v)
{
	memset(v, 0, sizeof *v);
	make_schema(v);
	make_values(v);
	make_openings(v);
	v->records[VECTOR_PLAIN] = (struct sync_record){ .opening = &v->plain };
	make_change(v, VECTOR_INSERT, STORE_INSERT, STORE_STAMP(start_ms, 0));
	make_change(v, VECTOR_UPDATE, STORE_UPDATE, STORE_STAMP(start_ms, 1));
	make_change(v, VECTOR_DELETE, STORE_DELETE, STORE_STAMP(start_ms + 5, 0));
	v->records[VECTOR_RELAY] = (struct sync_record){ .opening = &v->relay };
	make_change(v, VECTOR_RELAYED, STORE_UPDATE, STORE_STAMP(start_ms - 77, 65535));
	v->records[VECTOR_RELAYED].origin = 1;
	v->records[VECTOR_REMINT] = (struct sync_record){ .opening = &v->remint };
	make_change(v, VECTOR_REMINTED, STORE_INSERT, STORE_STAMP(start_ms - 9999, 3));
	v->records[VECTOR_REMINTED].change.cl = 3;
	v->records[VECTOR_REDACTED].type = SYNC_REDACTED;
	fill(v->records[VECTOR_REDACTED].leaf, STORE_HEAD, 0xa0);
}

void
vectors_free(struct vectors *v)
{
	buf_free(&v->definition);
	arena_free(&v->arena);
}

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	struct vectors *v = ctx;

	(void)err;
	return no == 1 ? &v->schema : NULL;
}

static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	struct vectors *v = ctx;
	struct store_schema *schema;

	return def->no == 1 ? store_schema_read(def->bytes, def->len, &v->arena, &schema, err)
	                    : err_set(err, ERR_CORRUPT, "schema %u?", def->no);
}

struct sync_codec_schemas
vectors_resolver(struct vectors *v)
{
	return (struct sync_codec_schemas){ .resolve = resolve, .define = define, .ctx = v };
}

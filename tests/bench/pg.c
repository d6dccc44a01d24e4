/*
 * tests/bench/pg.c - rows merged into PostgreSQL a second, against the bare upsert
 * of the same rows: all of them in arrays, one statement a thousand, as its own
 * users would write a table with these columns.
 *
 * The server is the one in YIZHAN_TEST_PG, else one of our own (with fsync off:
 * what the disk adds is the same for both sides).  Rows are new; a merge is all that a
 * hub's transaction has but unpacking and signatures: the part's head, versions
 * read, decided, rows with their digests, lines of the feed, commit.
 */
#include "store/pg/batch.h"
#include "store/pg/feed.h"
#include "store/pg/names.h"
#include "store/pg/tables.h"
#include "sync/merge/merge.h"
#include "tests/bench/bench.h"
#include "tests/pg_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 1000, UNITS = 10, COLUMNS = 8, WARM_UP = 1 };

static const char *const names[COLUMNS] = { "id", "enrollment", "by",     "kind",
	                                    "at", "biz_date",   "amount", "code" };

struct pg_bench {
	struct store_pg *pg;
	struct store_batch *batch;
	const struct store_schema *schema;
	PGconn *own;
	int scope, part, site;
};

static void
open_pg(struct pg_bench *b)
{
	const uint8_t node[STORE_NODE_ID] = { 1 }, epoch[STORE_EPOCH] = { 1 };
	struct store_column columns[COLUMNS];
	struct store_schema schema = { .table = "care_event",
		                       .scope_prefix = "f/F1",
		                       .scope_column = -1,
		                       .column_count = COLUMNS,
		                       .columns = columns };
	const char *conninfo;
	struct buf def = { 0 };
	struct err err;

	for (int i = 0; i < COLUMNS; i++)
		columns[i] = (struct store_column){ .name = names[i],
			                            .type = i < 3 ? "BLOB" : "INTEGER",
			                            .key = i == 0 };
	bench_must(store_schema_finish(&schema, &err), &err);
	store_schema_write(&def, &schema);
	pg_cluster_begin();
	conninfo = pg_cluster_namespace("bench");
	b->own = pg_cluster_connect(conninfo);
	bench_must(store_pg_open(conninfo, &b->pg, &err), &err);
	bench_must(store_pg_make(b->pg, 4, &err), &err);
	bench_must(store_pg_learn(b->pg, def.bytes, def.len, &b->schema, &err), &err);
	bench_must(store_pg_scope(b->pg, "f/F1", &b->scope, &err), &err);
	bench_must(store_pg_site(b->pg, node, epoch, &b->site, &err), &err);
	b->part = store_pg_part_of(b->pg, "f/F1");
	b->batch = store_pg_batch_new(b->pg);
	pg_cluster_exec(b->own, "CREATE TABLE bare(part int NOT NULL, id bytea NOT NULL,"
	                        " enrollment bytea, by bytea, kind int8, at int8, biz_date int8,"
	                        " amount int8, code int8, PRIMARY KEY (part, id))");
	buf_free(&def);
}

static void
close_pg(struct pg_bench *b)
{
	store_pg_batch_free(b->batch);
	store_pg_close(b->pg);
	PQfinish(b->own);
}

/* ---- merged ---- */

/* One row as the change that a node sends, its line of the feed, and what is known of it. */
struct item {
	struct store_row row;
	struct store_change change;
	struct store_value values[COLUMNS];
	uint8_t key[STORE_ID + 1];
	char text[200];
};

static void
make_item(const struct pg_bench *b, const struct bench_row *from, int64_t stamp, struct item *i)
{
	i->key[0] = 5;
	memcpy(i->key + 1, from->id, STORE_ID);
	i->values[0] = store_value_blob(from->id, STORE_ID);
	i->values[1] = store_value_blob(from->enrollment, STORE_ID);
	i->values[2] = store_value_blob(from->by, STORE_ID);
	i->values[3] = store_value_int(from->kind);
	i->values[4] = store_value_int(from->at);
	i->values[5] = store_value_int(from->biz_date);
	i->values[6] = store_value_int(from->amount);
	i->values[7] = store_value_int(from->code);
	i->change = (struct store_change){ .schema = b->schema,
		                           .op = STORE_INSERT,
		                           .cl = 1,
		                           .stamp = stamp,
		                           .site = b->site,
		                           .mask = b->schema->cells,
		                           .values = i->values,
		                           .key = i->key,
		                           .key_len = sizeof i->key };
	i->row = (struct store_row){ .table = b->schema->table_id,
		                     .scope = b->scope,
		                     .key = i->key,
		                     .key_len = sizeof i->key };
	/* as long as a line is; what is in it costs the hub elsewhere */
	snprintf(i->text, sizeof i->text, "%0190lld", (long long)stamp);
}

static void
merge_unit(struct pg_bench *b, struct item *items)
{
	static struct store_row *list[UNIT];
	static struct store_pg_line lines[UNIT];
	struct arena a = { 0 };
	struct err err;

	for (size_t i = 0; i < UNIT; i++) {
		list[i] = &items[i].row;
		lines[i] = (struct store_pg_line){ .scope = b->scope,
			                           .bytes = (const uint8_t *)items[i].text,
			                           .len = strlen(items[i].text) };
	}
	store_row_sort(list, UNIT);
	bench_must(store_pg_take(b->pg, &b->part, 1, &err), &err);
	bench_must(b->batch->get(b->batch, list, UNIT, &a, &err), &err);
	for (size_t i = 0; i < UNIT; i++)
		bench_must(sync_merge(b->batch, &items[i].row, &items[i].change, NULL, &a, &err),
		           &err);
	bench_must(b->batch->put(b->batch, list, UNIT, &err), &err);
	bench_must(store_pg_feed_append(b->pg, b->part, lines, UNIT, &err), &err);
	bench_must(store_pg_leave(b->pg, &err), &err);
	arena_free(&a);
}

/* ---- bare ---- */

static void
put_32(struct buf *b, uint32_t value)
{
	for (int i = 24; i >= 0; i -= 8)
		buf_u8(b, (uint8_t)(value >> i));
}

static void
begin_array(struct buf *b, uint32_t type)
{
	const uint32_t head[] = { 1, 0, type, UNIT, 1 };

	for (int i = 0; i < 5; i++)
		put_32(b, head[i]);
}

static void
put_item(struct buf *b, const struct store_value *v)
{
	if (v->type == STORE_INT) {
		put_32(b, 8);
		buf_u64(b, (uint64_t)v->num.i);
		return;
	}
	put_32(b, (uint32_t)v->len);
	buf_put(b, v->bytes, v->len);
}

static void
upsert_bare(const struct pg_bench *b, const struct item *items)
{
	enum { BYTEA = 17, INT8 = 20, BYTEA_ARRAY = 1001, INT8_ARRAY = 1016 };
	struct buf arrays[COLUMNS] = { 0 };
	const char *values[COLUMNS];
	int lengths[COLUMNS], formats[COLUMNS];
	Oid types[COLUMNS];
	PGresult *result;

	for (int c = 0; c < COLUMNS; c++) {
		begin_array(&arrays[c], c < 3 ? BYTEA : INT8);
		for (size_t i = 0; i < UNIT; i++)
			put_item(&arrays[c], &items[i].values[c]);
		values[c] = (const char *)arrays[c].bytes;
		lengths[c] = (int)arrays[c].len;
		types[c] = c < 3 ? BYTEA_ARRAY : INT8_ARRAY;
		formats[c] = 1;
	}
	result = PQexecParams(
	        b->own,
	        "INSERT INTO bare SELECT 1, u.* FROM unnest($1::bytea[], $2::bytea[], $3::bytea[],"
	        " $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[])"
	        " AS u(id, enrollment, by, kind, at, biz_date, amount, code)"
	        " ON CONFLICT (part, id) DO UPDATE SET enrollment = excluded.enrollment,"
	        " by = excluded.by, kind = excluded.kind, at = excluded.at,"
	        " biz_date = excluded.biz_date, amount = excluded.amount, code = excluded.code",
	        COLUMNS, types, values, lengths, formats, 1);
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		fprintf(stderr, "bench: %s\n", PQerrorMessage(b->own));
		exit(1);
	}
	PQclear(result);
	for (int c = 0; c < COLUMNS; c++)
		buf_free(&arrays[c]);
}

/* ---- one against the other ---- */

/* One turn of units by turns; seconds of each. */
static void
turn_of_both(struct pg_bench *b, size_t turn, double took[2])
{
	took[0] = took[1] = 0;
	for (size_t unit = turn * UNITS; unit < (turn + 1) * UNITS; unit++) {
		struct bench_row *rows = bench_rows(unit * UNIT, UNIT);
		struct item *items = calloc(UNIT, sizeof *items);
		double begun, between;

		if (items == NULL)
			abort();
		for (size_t i = 0; i < UNIT; i++)
			make_item(b, &rows[i], 1 + (int64_t)(unit * UNIT + i), &items[i]);
		begun = bench_now();
		upsert_bare(b, items);
		between = bench_now();
		merge_unit(b, items);
		took[0] += between - begun;
		took[1] += bench_now() - between;
		free(items);
		free(rows);
	}
}

/* What a row or a line takes on the server's disk, index and all. */
static double
bytes_each(const struct pg_bench *b, const char *table)
{
	char sql[200];
	PGresult *result;
	double bytes;

	snprintf(sql, sizeof sql, "SELECT pg_total_relation_size('%s')::float8 / count(*) FROM %s",
	         table, table);
	result = PQexec(b->own, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		fprintf(stderr, "bench: %s\n", PQerrorMessage(b->own));
		exit(1);
	}
	bytes = strtod(PQgetvalue(result, 0, 0), NULL);
	PQclear(result);
	return bytes;
}

void
bench_pg(void)
{
	double bare[BENCH_TURNS], merged[BENCH_TURNS], ratios[BENCH_TURNS], took[2];
	struct pg_bench b;

	open_pg(&b);
	for (size_t turn = 0; turn < BENCH_TURNS + WARM_UP; turn++) {
		turn_of_both(&b, turn, took);
		if (turn < WARM_UP)
			continue;
		bare[turn - WARM_UP] = UNITS * UNIT / took[0];
		merged[turn - WARM_UP] = UNITS * UNIT / took[1];
		ratios[turn - WARM_UP] = took[0] / took[1];
	}
	bench_say("pg_merge_per_s", bench_median(merged, BENCH_TURNS), 0);
	bench_say("pg_bare_upsert_per_s", bench_median(bare, BENCH_TURNS), 0);
	bench_say("pg_merge_vs_bare_ratio", bench_median(ratios, BENCH_TURNS), 2);
	bench_say("pg_bytes_per_row", bytes_each(&b, "yz_row"), 0);
	bench_say("pg_bytes_per_line", bytes_each(&b, "yz_feed"), 0);
	close_pg(&b);
}

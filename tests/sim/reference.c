/*
 * tests/sim/reference.c - the rules of merging as sentences, without state.
 *
 *   A row's life is the greatest causal length that anybody gave it; odd is alive.
 *   A cell is what the greatest (stamp, site, value) among the writes of that life says.
 *   A max cell is the greatest value that anybody ever wrote.
 *
 * Nothing is joined step by step, so there is no order in which it could have
 * happened.  Slow, and meant to be read beside sync/merge/merge.c, not to look like it.
 */
#include "tests/sim/reference.h"
#include "store/stmt.h"
#include "store/stream.h"
#include "sync/codec/codec.h"
#include "sync/reader.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Somebody's write of a row. */
struct write {
	const struct store_change *change;
	const struct store_site *site;
};

struct reference {
	struct sim *s;
	struct store_db *db; /* the hub's */
	struct arena arena;  /* keeps what the writes point to */
	struct write *writes;
	size_t count, room;
};

/* ---- all writes there are ---- */

static void
add(struct reference *ref, const struct store_change *change, const struct store_site *site)
{
	if (ref->count == ref->room) {
		ref->room = ref->room * 2 + 4096;
		ref->writes = realloc(ref->writes, ref->room * sizeof *ref->writes);
		if (ref->writes == NULL)
			abort();
	}
	ref->writes[ref->count++] = (struct write){ change, site };
}

static int
read_stream(struct reference *ref, const struct store_stream *stream, struct err *err)
{
	uint64_t n = 1;
	int rc = 0;

	while (rc == 0 && n <= stream->n) {
		struct sync_reader reader;

		rc = sync_reader_open(ref->db, stream, n, &ref->arena, &reader, err);
		for (size_t i = 0; rc == 0 && i < reader.count; i++)
			if (reader.records[i].type == SYNC_CHANGE)
				add(ref, &reader.records[i].change,
				    store_catalog_site_of(ref->db, stream->site));
		n = rc == 0 ? reader.seg.last + 1 : n;
	}
	return rc;
}

static int
read_all(struct reference *ref, struct err *err)
{
	struct store_stream *list = NULL;
	size_t count = 0;
	int rc = store_stream_list(ref->db, 0, &ref->arena, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (strncmp(store_catalog_scope_of(ref->db, list[i].scope), "f/", 2) == 0)
			rc = read_stream(ref, &list[i], err);
	return rc;
}

static int
by_row(const void *a, const void *b)
{
	const struct store_change *x = ((const struct write *)a)->change,
	                          *y = ((const struct write *)b)->change;
	size_t len = x->key_len < y->key_len ? x->key_len : y->key_len;
	int order;

	if (x->schema->table_id != y->schema->table_id)
		return x->schema->table_id < y->schema->table_id ? -1 : 1;
	order = memcmp(x->key, y->key, len);
	return order != 0 ? order : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

/* ---- the rules ---- */

/* The value that a write gives this column, or NULL if it gives none. */
static const struct store_value *
value_in(const struct write *w, int column)
{
	const struct store_change *c = w->change;

	for (unsigned i = 0; i < c->schema->column_count; i++)
		if (c->schema->columns[i].id == column && c->op != STORE_DELETE &&
		    (c->op == STORE_INSERT || (c->mask >> i & 1) != 0))
			return &c->values[i];
	return NULL;
}

static bool
is_later(const struct write *a, const struct write *b, int column)
{
	int order;

	if (a->change->stamp != b->change->stamp)
		return a->change->stamp > b->change->stamp;
	order = memcmp(a->site->node, b->site->node, STORE_NODE_ID);
	if (order == 0)
		order = memcmp(a->site->epoch, b->site->epoch, STORE_EPOCH);
	if (order == 0)
		order = store_value_cmp(value_in(a, column), value_in(b, column));
	return order > 0;
}

static int64_t
life_of(const struct write *row, size_t count)
{
	int64_t life = 0;

	for (size_t i = 0; i < count; i++)
		if (row[i].change->cl > life)
			life = row[i].change->cl;
	return life;
}

/* What the cell should be; NULL if nobody wrote it in this life. */
static const struct store_value *
cell_of(const struct write *row, size_t count, int64_t life, const struct store_column *column)
{
	const struct write *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct store_value *v = value_in(&row[i], column->id);

		if (v == NULL || (column->rule != STORE_MAX && row[i].change->cl != life))
			continue;
		if (best == NULL ||
		    (column->rule == STORE_MAX ? store_value_cmp(v, value_in(best, column->id)) > 0
		                               : is_later(&row[i], best, column->id)))
			best = &row[i];
	}
	return best == NULL ? NULL : value_in(best, column->id);
}

/* ---- beside what is there ---- */

/* SELECT every column FROM the table WHERE the key is that. */
static void
select_row(struct buf *sql, const struct store_schema *schema)
{
	buf_printf(sql, "SELECT ");
	for (unsigned i = 0; i < schema->column_count; i++)
		buf_printf(sql, "%s\"%s\"", i == 0 ? "" : ",", schema->columns[i].name);
	buf_printf(sql, " FROM \"%s\"", schema->table);
	for (unsigned k = 0; k < schema->key_count; k++)
		buf_printf(sql, "%s\"%s\" = ?", k == 0 ? " WHERE " : " AND ",
		           schema->columns[schema->keys[k]].name);
}

static void
compare_cells(struct reference *ref, struct store_stmt *q, const struct store_schema *schema,
              const struct write *row, size_t count)
{
	int64_t life = life_of(row, count);

	for (unsigned i = 0; i < schema->column_count; i++) {
		struct store_value is = store_stmt_get_value(q);
		const struct store_value *should = cell_of(row, count, life, &schema->columns[i]);

		if (schema->columns[i].key == 0 && should != NULL &&
		    store_value_cmp(&is, should) != 0)
			sim_fail(ref->s, "%s.%s of a row is not what its writes come to",
			         schema->table, schema->columns[i].name);
	}
}

static int
compare_row(struct reference *ref, const struct write *row, size_t count, struct err *err)
{
	const struct store_schema *schema =
	        store_catalog_table(ref->db, row->change->schema->table_id)->local;
	bool alive = life_of(row, count) % 2 == 1;
	struct buf sql = { 0 };
	struct store_stmt q;
	int rc;

	if (schema == NULL)
		return 0;
	select_row(&sql, schema);
	q = store_stmt_new(ref->db, buf_str(&sql));
	for (unsigned k = 0; k < schema->key_count; k++)
		store_stmt_put_value(&q, &row->change->values[row->change->schema->keys[k]]);
	rc = store_stmt_step(&q, err);
	if (rc >= 0 && (rc == 1) != alive)
		sim_fail(ref->s, "a row of %s is %s and should be %s", schema->table,
		         rc == 1 ? "there" : "gone", alive ? "there" : "gone");
	else if (rc == 1)
		compare_cells(ref, &q, schema, row, count);
	store_stmt_end(&q);
	buf_free(&sql);
	return rc < 0 ? rc : 0;
}

void
sim_reference_check(struct sim *s)
{
	struct reference ref = { .s = s, .db = s->peers[0].st.merge };
	struct err err;
	int rc = read_all(&ref, &err);
	size_t from = 0;

	if (rc == 0 && ref.count > 0)
		qsort(ref.writes, ref.count, sizeof *ref.writes, by_row);
	while (rc == 0 && from < ref.count && !s->result->failed) {
		size_t to = from + 1;

		while (to < ref.count && by_row(&ref.writes[from], &ref.writes[to]) == 0)
			to++;
		rc = compare_row(&ref, &ref.writes[from], to - from, &err);
		from = to;
	}
	sim_must(s, rc, &err, "work out what the rows should be");
	free(ref.writes);
	arena_free(&ref.arena);
}

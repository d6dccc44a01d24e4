#include "store/seed.h"
#include "store/batch.h"
#include "store/stmt.h"

#include <stdlib.h>

struct seeding {
	struct store_db *db;
	const struct store_schema *schema;
	int version; /* position of the column */
	struct arena arena;
	struct store_row **rows;
	size_t count;
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "catalogue rows: out of memory");
}

/* Columns are met in the order of the schema, but a row's cells rise by column id. */
static int
by_column(const void *a, const void *b)
{
	return ((const struct store_cell *)a)->column - ((const struct store_cell *)b)->column;
}

static int
fill_key(struct seeding *s, const struct store_value *values, struct store_row *row,
         struct err *err)
{
	struct buf key = { 0 };
	char scope[STORE_SCOPE_MAX + 1];
	int rc;

	store_schema_key(s->schema, values, &key);
	row->key = arena_copy(&s->arena, key.bytes, key.len);
	row->key_len = key.len;
	rc = buf_check(&key, err);
	buf_free(&key);
	if (rc == 0 && row->key == NULL)
		rc = no_memory(err);
	if (rc == 0)
		rc = store_schema_scope(s->schema, values, scope, err);
	if (rc == 0)
		rc = store_catalog_scope(s->db, scope, &row->scope, err);
	return rc;
}

static int
fill_cells(struct seeding *s, const struct store_value *values, struct store_row *row,
           struct err *err)
{
	row->cells = arena_take(&s->arena, s->schema->column_count, sizeof *row->cells);
	if (row->cells == NULL)
		return no_memory(err);
	for (unsigned i = 0; i < s->schema->column_count; i++) {
		struct store_cell *cell = &row->cells[row->cell_count];
		const uint8_t *bytes = values[i].bytes;

		if (s->schema->columns[i].key != 0)
			continue;
		*cell = (struct store_cell){ .column = s->schema->columns[i].id,
			                     .site = STORE_SITE_SEED,
			                     .stamp = row->stamp,
			                     .value = values[i] };
		if (values[i].type == STORE_TEXT || values[i].type == STORE_BLOB) {
			cell->value.bytes = arena_copy(&s->arena, bytes, values[i].len);
			if (cell->value.bytes == NULL)
				return no_memory(err);
		}
		row->cell_count++;
	}
	qsort(row->cells, row->cell_count, sizeof *row->cells, by_column);
	return 0;
}

/* The row's state as the insert of site 0 left it. */
static int
take_row(struct seeding *s, struct store_stmt *stmt, struct err *err)
{
	struct store_value values[STORE_COLUMNS_MAX] = { 0 };
	struct store_row *row = arena_take(&s->arena, 1, sizeof *row);
	int rc;

	if (row == NULL)
		return no_memory(err);
	for (unsigned i = 0; i < s->schema->column_count; i++)
		values[i] = store_stmt_get_value(stmt);
	if (values[s->version].type != STORE_INT || values[s->version].num.i < 1)
		return err_set(err, ERR_INVALID, "table %s: a catalogue row has no version",
		               s->schema->table);
	row->table = s->schema->table_id;
	row->cl = 1;
	row->stamp = values[s->version].num.i;
	row->site = STORE_SITE_SEED;
	row->schema = s->schema->id;
	row->in_table = row->changed = true;
	rc = fill_key(s, values, row, err);
	if (rc == 0)
		rc = fill_cells(s, values, row, err);
	if (rc == 0)
		s->rows[s->count++] = row;
	return rc;
}

static int
read_rows(struct seeding *s, struct err *err)
{
	struct buf sql = { 0 };
	struct store_stmt stmt;
	int64_t total = 0;
	int rc;

	buf_printf(&sql, "SELECT count(*) FROM \"%s\"", s->schema->table);
	rc = store_stmt_int(s->db, buf_str(&sql), 0, &total, err);
	buf_clear(&sql);
	s->rows = arena_take(&s->arena, (size_t)total, sizeof(struct store_row *));
	if (rc == 0 && s->rows == NULL)
		rc = no_memory(err);
	for (unsigned i = 0; i < s->schema->column_count; i++)
		buf_printf(&sql, "%s\"%s\"", i == 0 ? "SELECT " : ", ", s->schema->columns[i].here);
	buf_printf(&sql, " FROM \"%s\"", s->schema->table);
	if (rc == 0)
		rc = buf_check(&sql, err);
	if (rc == 0) {
		stmt = store_stmt_new(s->db, buf_str(&sql));
		while (rc == 0 && (rc = store_stmt_step(&stmt, err)) == 1)
			rc = take_row(s, &stmt, err);
		store_stmt_end(&stmt);
	}
	buf_free(&sql);
	return rc;
}

static int
by_key(const void *a, const void *b)
{
	const struct store_row *left = *(struct store_row *const *)a;
	const struct store_row *right = *(struct store_row *const *)b;
	struct store_value l = store_value_blob(left->key, left->key_len);
	struct store_value r = store_value_blob(right->key, right->key_len);

	return store_value_cmp(&l, &r);
}

/* Write those that nothing is known of yet. */
static int
put_unknown(struct seeding *s, struct err *err)
{
	struct store_batch *batch = store_batch_sqlite_new(s->db);
	struct store_row **there = arena_take(&s->arena, s->count, sizeof(struct store_row *));
	int rc = 0;

	if (batch == NULL || there == NULL)
		rc = no_memory(err);
	if (rc == 0)
		qsort(s->rows, s->count, sizeof(struct store_row *), by_key);
	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		there[i] = arena_take(&s->arena, 1, sizeof **there);
		if (there[i] == NULL)
			rc = no_memory(err);
		else
			*there[i] = (struct store_row){ .table = s->rows[i]->table,
				                        .scope = s->rows[i]->scope,
				                        .key = s->rows[i]->key,
				                        .key_len = s->rows[i]->key_len };
	}
	if (rc == 0)
		rc = batch->get(batch, there, s->count, &s->arena, err);
	for (size_t i = 0; rc == 0 && i < s->count; i++)
		if (there[i]->known)
			s->rows[i]->changed = false;
	if (rc == 0)
		rc = batch->put(batch, s->rows, s->count, err);
	store_batch_sqlite_free(batch);
	return rc;
}

int
store_seed_adopt(struct store_db *db, const char *table, struct err *err)
{
	const struct store_table *t = store_catalog_table_by_name(db, table);
	struct seeding s = { .db = db };
	int rc;

	if (t == NULL || t->local == NULL)
		return err_set(err, ERR_INVALID, "table %s is not tracked", table);
	s.schema = t->local;
	s.version = store_schema_find(s.schema, "version");
	if (s.version < 0)
		return err_set(err, ERR_INVALID, "table %s has no column version", table);
	rc = read_rows(&s, err);
	if (rc == 0)
		rc = put_unknown(&s, err);
	arena_free(&s.arena);
	return rc < 0 ? err_wrap(err, "catalogue rows of %s", table) : 0;
}

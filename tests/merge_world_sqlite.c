/* tests/merge_world_sqlite.c - a replica of the world whose batch is SQLite's. */
#include "tests/merge_world_priv.h"

#include "store/digest.h"
#include "store/stmt.h"

#include <stdlib.h>
#include <string.h>

static void
learn(struct replica *r, int number)
{
	struct store_column columns[ALL_COLUMNS];
	const struct store_schema *known;
	struct store_schema schema;
	struct buf def = { 0 };
	struct err err;

	world_schema(number, columns, &schema);
	store_schema_write(&def, &schema);
	world_must(buf_check(&def, &err), &err);
	world_must(store_catalog_learn(r->db, def.bytes, def.len, &known, &err), &err);
	r->schema_ids[number] = known->id;
	r->table = known->table_id;
	for (unsigned i = 0; i < known->column_count; i++)
		r->column_ids[world_layouts[number].at[i].column] = known->columns[i].id;
	buf_free(&def);
}

static void
learn_sites(struct replica *r)
{
	/* not in the order of their names */
	static const int order[WORLD_SITES - 1] = { 3, 1, 4, 2 };
	struct err err;

	r->site_ids[0] = STORE_SITE_SEED;
	for (int i = 0; i < WORLD_SITES - 1; i++) {
		uint8_t node[STORE_NODE_ID] = { world_sites[order[i]].node };
		uint8_t epoch[STORE_EPOCH] = { world_sites[order[i]].epoch };

		world_must(store_catalog_site(r->db, node, epoch, &r->site_ids[order[i]], &err),
		           &err);
	}
}

/* The user's table, tracked as schema `local`; an untracked one if that is 0. */
static void
make_table(struct replica *r, int local, const char *constraint)
{
	struct store_column columns[ALL_COLUMNS];
	struct store_schema schema = { 0 };
	struct buf sql = { 0 };
	struct err err;

	world_schema(local > 0 ? local : 1, columns, &schema);
	buf_printf(&sql, "CREATE TABLE growth(id BLOB NOT NULL PRIMARY KEY");
	for (unsigned i = 0; i < schema.column_count; i++)
		if (columns[i].key == 0)
			buf_printf(&sql, ", %s %s %s DEFAULT 'unwritten'", columns[i].name,
			           columns[i].type, constraint);
	buf_printf(&sql, ") WITHOUT ROWID; CREATE TABLE probe(value %s %s)", columns[1].type,
	           constraint);
	world_must(store_db_exec(r->db, buf_str(&sql), &err), &err);
	buf_free(&sql);
	if (local != 0)
		world_must(store_catalog_set_local(
		                   r->db, r->table,
		                   store_catalog_schema(r->db, r->schema_ids[local]), &err),
		           &err);
}

static void
begin(struct replica *r)
{
	struct err err;

	world_must(store_db_begin(r->db, &err), &err);
}

static void
commit(struct replica *r)
{
	struct err err;

	world_must(store_db_commit(r->db, &err), &err);
}

static void
clear(struct replica *r)
{
	struct err err;

	world_must(store_db_exec(r->db,
	                         "DELETE FROM yz_clock; DELETE FROM yz_extra;"
	                         "DELETE FROM yz_digest; DELETE FROM growth",
	                         &err),
	           &err);
}

static void
digest(struct replica *r, uint8_t sum[STORE_TERM], int64_t *live_rows)
{
	struct store_digest digest;
	struct err err;

	world_must(store_digest_get(r->db, r->scope, &digest, &err), &err);
	memcpy(sum, digest.sum, STORE_TERM);
	*live_rows = digest.rows;
}

static void
close_db(struct replica *r)
{
	store_batch_sqlite_free(r->batch);
	store_db_close(r->db);
	free(r);
}

static const struct replica_engine in_sqlite = { begin, commit, clear, digest, close_db };

struct replica *
replica_new_sqlite(int local, const char *constraint)
{
	struct replica *r = replica_bare();
	struct err err;

	r->engine = &in_sqlite;
	world_must(store_db_open(":memory:", STORE_MERGE, env_real(), &r->db, &err), &err);
	world_must(store_db_begin(r->db, &err), &err);
	for (int i = WORLD_SCHEMAS; i > 0; i--)
		learn(r, i);
	learn_sites(r);
	world_must(store_catalog_scope(r->db, "all", &r->scope, &err), &err);
	make_table(r, local, constraint);
	world_must(store_db_commit(r->db, &err), &err);
	r->batch = store_batch_sqlite_new(r->db);
	if (r->batch == NULL)
		abort();
	return r;
}

static const struct store_cell *
find_cell(const struct store_row *row, int column)
{
	for (unsigned i = 0; i < row->cell_count; i++)
		if (row->cells[i].column == column)
			return &row->cells[i];
	return NULL;
}

/* Does the column of the table's row show its cell, or the default? */
static bool
shows_cell(struct replica *r, const struct store_row *row, const char *name, struct store_value v)
{
	struct store_value unwritten = store_value_text("unwritten");
	const struct store_cell *cell;

	for (int c = 0; c < WORLD_COLUMNS; c++) {
		if (strcmp(world_column_names[c], name) != 0)
			continue;
		cell = find_cell(row, r->column_ids[c]);
		return store_value_cmp(&v, cell == NULL ? &unwritten : &cell->value) == 0;
	}
	return true; /* the key */
}

/* Can a column as the table declares them hold this value, unchanged? */
static bool
fits(struct replica *r, const struct store_value *v)
{
	struct store_stmt s = store_stmt_new(r->db, "INSERT INTO probe VALUES (?)");
	struct store_value kept;
	struct err err;
	bool same;

	store_stmt_put_value(&s, v);
	if (store_stmt_run(&s, &err) < 0)
		return false;
	s = store_stmt_new(r->db, "SELECT value FROM probe");
	world_must(store_stmt_step(&s, &err), &err);
	kept = store_stmt_get_value(&s);
	same = store_value_cmp(&kept, v) == 0;
	store_stmt_end(&s);
	world_must(store_db_exec(r->db, "DELETE FROM probe", &err), &err);
	return same;
}

/* Does the table have to show the row? */
static bool
is_shown(struct replica *r, const struct store_row *row)
{
	const struct store_schema *local = store_catalog_table(r->db, r->table)->local;

	for (unsigned i = 0; i < local->column_count; i++) {
		const struct store_cell *cell = find_cell(row, local->columns[i].id);

		if (cell != NULL && !fits(r, &cell->value))
			return false;
	}
	return store_row_is_live(row);
}

static const char *
check_table_row(struct replica *r, int key)
{
	struct store_row row = replica_row(r, key);
	bool shown = is_shown(r, &row);
	struct store_stmt s = store_stmt_new(r->db, "SELECT * FROM growth WHERE id = ?");
	const char *wrong = NULL;
	struct err err;
	int rc;

	store_stmt_put_blob(&s, r->keys[key] + 1, 16);
	rc = store_stmt_step(&s, &err);
	world_must(rc, &err);
	if (rc != shown)
		wrong = "the table has a row that it shouldn't, or hasn't one that it should";
	for (int i = 0; rc == 1 && i < store_stmt_columns(&s); i++) {
		const char *name = store_stmt_column_name(&s, i);

		if (!shows_cell(r, &row, name, store_stmt_get_value(&s)))
			wrong = "the table shows something else than the row's cells";
	}
	store_stmt_end(&s);
	return wrong;
}

const char *
replica_check_table(struct replica *r)
{
	const char *wrong = NULL;

	for (int k = 0; wrong == NULL && k < WORLD_KEYS; k++)
		wrong = check_table_row(r, k);
	return wrong;
}

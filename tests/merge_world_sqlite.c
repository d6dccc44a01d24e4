/* tests/merge_world_sqlite.c - a replica of the world whose batch is SQLite's. */
#include "tests/merge_world_priv.h"

#include <stdlib.h>

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
make_table(struct replica *r, int local)
{
	const struct layout *layout = &world_layouts[local];
	struct buf sql = { 0 };
	struct err err;

	buf_printf(&sql, "CREATE TABLE growth(id BLOB NOT NULL PRIMARY KEY");
	for (int i = 0; i < layout->count; i++)
		if (layout->at[i].column != KEY_COLUMN)
			buf_printf(&sql, ", %s BLOB DEFAULT 'unwritten'",
			           world_column_names[layout->at[i].column]);
	buf_printf(&sql, ") WITHOUT ROWID");
	world_must(store_db_exec(r->db, buf_str(&sql), &err), &err);
	buf_free(&sql);
	if (local != 0)
		world_must(store_catalog_set_local(
		                   r->db, r->table,
		                   store_catalog_schema(r->db, r->schema_ids[local]), &err),
		           &err);
}

struct replica *
replica_new_sqlite(int local)
{
	struct replica *r = replica_bare();
	struct err err;

	world_must(store_db_open(":memory:", STORE_MERGE, env_real(), &r->db, &err), &err);
	world_must(store_db_begin(r->db, &err), &err);
	for (int i = WORLD_SCHEMAS; i > 0; i--)
		learn(r, i);
	learn_sites(r);
	world_must(store_catalog_scope(r->db, "all", &r->scope, &err), &err);
	make_table(r, local);
	world_must(store_db_commit(r->db, &err), &err);
	r->batch = store_batch_sqlite_new(r->db);
	if (r->batch == NULL)
		abort();
	return r;
}

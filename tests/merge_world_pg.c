/*
 * tests/merge_world_pg.c - a replica of the world whose batch is PostgreSQL's: a
 * namespace each way of numbering, which stays from one test to the next, and a
 * connection that stays as long as its process: a test makes hundreds of replicas.
 */
#include "tests/merge_world_priv.h"
#include "tests/pg_cluster.h"

#include "store/pg/batch.h"
#include "store/pg/head.h"
#include "store/pg/names.h"
#include "store/pg/tables.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replica_pg {
	struct store_pg *pg;
	PGconn *own; /* past our code */
	int part, numbering;
	bool in_use;
};

static struct replica *kept[WORLD_NUMBERINGS];

/* The order in which names are registered, and so numbered. */
static const int schema_order[WORLD_NUMBERINGS][WORLD_SCHEMAS] = { { 1, 2, 3, 4, 5 },
	                                                           { 5, 4, 3, 2, 1 },
	                                                           { 4, 2, 5, 1, 3 } };
static const int site_order[WORLD_NUMBERINGS][WORLD_SITES - 1] = { { 1, 2, 3, 4 },
	                                                           { 4, 3, 2, 1 },
	                                                           { 3, 1, 4, 2 } };

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
	world_must(store_pg_learn(r->pg->pg, def.bytes, def.len, &known, &err), &err);
	r->schema_ids[number] = known->id;
	r->table = known->table_id;
	for (unsigned i = 0; i < known->column_count; i++)
		r->column_ids[world_layouts[number].at[i].column] = known->columns[i].id;
	buf_free(&def);
}

static void
learn_names(struct replica *r)
{
	int numbering = r->pg->numbering;
	struct err err;

	for (int i = 0; i < WORLD_SCHEMAS; i++)
		learn(r, schema_order[numbering][i]);
	r->site_ids[0] = STORE_SITE_SEED;
	for (int i = 0; i < WORLD_SITES - 1; i++) {
		int site = site_order[numbering][i];
		uint8_t node[STORE_NODE_ID] = { world_sites[site].node };
		uint8_t epoch[STORE_EPOCH] = { world_sites[site].epoch };

		world_must(store_pg_site(r->pg->pg, node, epoch, &r->site_ids[site], &err), &err);
	}
	world_must(store_pg_scope(r->pg->pg, "f/F1", &r->scope, &err), &err);
	r->pg->part = store_pg_part_of(r->pg->pg, "f/F1");
}

/* ---- the engine ---- */

static void
begin(struct replica *r)
{
	struct err err;

	world_must(store_pg_take(r->pg->pg, &r->pg->part, 1, &err), &err);
}

static void
commit(struct replica *r)
{
	struct err err;

	world_must(store_pg_leave(r->pg->pg, &err), &err);
}

static void
clear(struct replica *r)
{
	pg_cluster_exec(r->pg->own, "DELETE FROM yz_row; DELETE FROM yz_digest");
}

static void
digest(struct replica *r, uint8_t sum[STORE_TERM], int64_t *live_rows)
{
	struct err err;

	world_must(store_pg_digest(r->pg->pg, r->scope, sum, live_rows, &err), &err);
	world_must(store_pg_verify(r->pg->pg, r->batch, r->scope, &err), &err);
}

/* Nothing is closed; the next replica of this numbering goes on with it. */
static void
let_go(struct replica *r)
{
	r->pg->in_use = false;
}

static const struct replica_engine in_postgres = { begin, commit, clear, digest, let_go };

static void
open_pg(struct replica *r, int numbering)
{
	char name[16];
	const char *conninfo;
	struct err err;

	r->pg = calloc(1, sizeof *r->pg);
	if (r->pg == NULL)
		abort();
	r->pg->numbering = numbering;
	snprintf(name, sizeof name, "world%d", numbering);
	conninfo = pg_cluster_namespace(name);
	r->pg->own = pg_cluster_connect(conninfo);
	world_must(store_pg_open(conninfo, &r->pg->pg, &err), &err);
	if (store_pg_ready(r->pg->pg, &err) < 0)
		world_must(store_pg_make(r->pg->pg, 4, &err), &err);
	learn_names(r);
	r->batch = store_pg_batch_new(r->pg->pg);
	if (r->batch == NULL)
		abort();
}

struct replica *
replica_new_pg(int numbering)
{
	struct replica *r = kept[numbering];

	if (r == NULL) {
		r = kept[numbering] = replica_bare();
		r->engine = &in_postgres;
		open_pg(r, numbering);
	}
	assert(!r->pg->in_use);
	r->pg->in_use = true;
	clear(r);
	return r;
}

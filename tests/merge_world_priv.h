/* tests/merge_world_priv.h - what all kinds of replica are made of. */
#ifndef TESTS_MERGE_WORLD_PRIV_H
#define TESTS_MERGE_WORLD_PRIV_H

#include "tests/merge_world.h"

enum { ALL_COLUMNS = WORLD_COLUMNS + 1, KEY_COLUMN = WORLD_COLUMNS };

/* Columns by position; a number behind a column is its group there. */
struct layout {
	int count;
	struct {
		int column;
		uint8_t group;
	} at[ALL_COLUMNS];
};
extern const struct layout world_layouts[WORLD_SCHEMAS + 1];
extern const char *const world_column_names[ALL_COLUMNS];

/* By what it is called everywhere. */
extern const struct world_site {
	uint8_t node, epoch;
} world_sites[WORLD_SITES];

/* What differs between them besides the batch. */
struct replica_engine {
	void (*begin)(struct replica *r); /* NULL: there are no transactions */
	void (*commit)(struct replica *r);
	void (*clear)(struct replica *r);
	void (*digest)(struct replica *r, uint8_t sum[STORE_TERM], int64_t *live_rows);
	void (*free)(struct replica *r); /* and of the replica itself */
};

struct replica {
	const struct replica_engine *engine;
	struct store_batch *batch;
	int table, scope;
	int site_ids[WORLD_SITES], column_ids[ALL_COLUMNS], schema_ids[WORLD_SCHEMAS + 1];
	uint8_t keys[WORLD_KEYS][17];
	struct arena arena; /* what the last row was read into */
	struct replica_memory *memory;
	struct store_db *db;   /* SQLite's */
	struct replica_pg *pg; /* PostgreSQL's */
};

/* Describe a schema of the world; `columns` has room for all.  Ids are 0. */
void world_schema(int number, struct store_column columns[ALL_COLUMNS], struct store_schema *out);

/* A replica with its keys and nothing else.  Aborts without memory. */
struct replica *replica_bare(void);

/* One in PostgreSQL, that numbers things its own way for each `numbering`. */
struct replica *replica_new_pg(int numbering);

/* Say what failed and end the program: the world itself must not fail. */
void world_must(int rc, const struct err *err);

#endif /* TESTS_MERGE_WORLD_PRIV_H */

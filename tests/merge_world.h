/*
 * tests/merge_world.h - a small world to merge in: one table in some schema
 * versions, five sites, a few keys, and replicas that number all of them
 * differently.
 *
 *   v1  id · height weight (a group) · mood · revoked (max)
 *   v2  the same in another order, and note
 *   v3  without mood, with score (max)
 *   v4  nothing but revoked
 *   v5  a contradiction: note and revoked have joined the group (the laws stop short of it)
 *
 * A write is a change in words of the world; a replica makes a store_change of
 * it in its own numbers.  Sites are numbered in the order site_cmp must give.
 */
#ifndef TESTS_MERGE_WORLD_H
#define TESTS_MERGE_WORLD_H

#include "store/batch_memory.h"
#include "sync/merge/merge.h"

/* In the order of their names, which the terms depend on. */
enum world_column { HEIGHT, MOOD, NOTE, REVOKED, SCORE, WEIGHT, WORLD_COLUMNS };
enum {
	WORLD_SCHEMAS = 5,
	WORLD_LAWFUL = 4,
	WORLD_SITES = 5,
	WORLD_KEYS = 3,
	WORLD_WRITES = 16,
	WORLD_SCOPE = 7
};
enum { WORLD_NUMBERINGS = 3 };

struct write {
	enum store_op op;
	int schema; /* 1..WORLD_SCHEMAS */
	int site;   /* 0..WORLD_SITES - 1 */
	int key;    /* 0..WORLD_KEYS - 1 */
	int64_t cl, stamp;
	unsigned mask; /* 1 << enum world_column */
	struct store_value values[WORLD_COLUMNS];
};

struct replica;

/* Where replica_new makes replicas from now on.  PostgreSQL needs pg_cluster_begin. */
enum world_engine { WORLD_MEMORY, WORLD_POSTGRES };
void world_engine(enum world_engine engine);

/* Declare cells of replicas made from now on as `type` (BLOB until then). */
void world_declare(const char *type);

/*
 * A replica with one of WORLD_NUMBERINGS ways to number sites, columns and schemas, without rows.
 * Aborts without memory.  In PostgreSQL there is one at a time for each numbering.
 */
struct replica *replica_new(int numbering);

/*
 * A replica in SQLite, in memory, that tracks the table as schema `local` has it (0: not at all).
 * Its cells are declared as `declared` ("BLOB", "INTEGER NOT NULL") with a default that no write
 * gives, "unwritten".
 */
struct replica *replica_new_sqlite(int local, const char *constraint);
void replica_free(struct replica *r);

/* The store it merges into. */
struct store_batch *replica_batch(struct replica *r);

/* Forget all rows. */
void replica_clear(struct replica *r);

/* The columns a schema has, and those that are merged by greater value. */
unsigned world_columns(int schema);
bool world_is_max(enum world_column column);
const char *world_name(enum world_column column);

/* The hash of a schema. */
const uint8_t *world_hash(struct replica *r, int schema);

/* Back from a replica's numbers. */
int replica_site(const struct replica *r, int site);
enum world_column replica_column(const struct replica *r, int column);

/*
 * Get the rows, join `count` writes, put: one transaction.  Told cells go to `watch`.  The number
 * of rows that changed; for each key `wrote[key]`, if given, says whether its table row was to be
 * written.
 */
int replica_deliver(struct replica *r, const struct write *writes, size_t count,
                    const struct sync_merge_watch *watch, bool wrote[WORLD_KEYS]);

/* The row of a key; cl 0 if there is none.  Borrowed until the next delivery. */
struct store_row replica_row(struct replica *r, int key);

/* Its digest. */
void replica_digest(struct replica *r, uint8_t sum[STORE_TERM], int64_t *live_rows);

/* NULL if the SQLite table shows exactly the live rows, with their cells and else the default; or
 * what is wrong. */
const char *replica_check_table(struct replica *r);

/*
 * Read writes: "I1 v2 s3 @10 height=1 mood=sad; U1 s2 @11 mood=NULL; D2 s1 @12" (op and causal
 * length, schema (1), site (1), stamp, cells; k2 for another key).  A value is a whole number, one
 * with a point, NULL or a word. Returns their number; aborts on anything else.
 */
size_t world_read(const char *text, struct write writes[WORLD_WRITES]);

/* Append writes as world_read reads them, or the row of a key: "cl1 live @10/3 height=1
 * mood=NULL@11/2". */
void world_print(struct buf *out, const struct write *writes, size_t count);
void replica_print(struct replica *r, int key, struct buf *out);

/* Append a value as world_read reads it. */
void world_print_value(struct buf *out, const struct store_value *v);

#endif /* TESTS_MERGE_WORLD_H */

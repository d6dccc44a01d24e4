/*
 * store/batch.h - rows with their versions, read and written many at a time:
 * the only door through which merge touches a database.
 *
 * It is a struct of functions so that the same decisions run over SQLite
 * (store/batch_sqlite.c), over a plain map in memory (store/batch_memory.c, for
 * the law tests) and later over PostgreSQL at a big hub.
 *
 * A store_row is all that a replica knows of one row, cell by cell, whatever
 * it is kept as: which cells are covered by the row's clock and which need an
 * exception, which live in the table and which in yz_extra, is the business of
 * the implementation.
 *
 * Versions are (stamp, site); sites are compared with site_cmp.  A cell that
 * nobody has written is simply not in `cells`.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/base/arena.h"
#include "store/catalog.h"
#include "store/change.h"

enum { STORE_TERM = 16 };

struct store_cell {
	int column; /* id in the table (store/catalog.h) */
	int site;
	int64_t stamp;
	struct store_value value;
};

struct store_row {
	/* which row */
	int table;
	int scope;
	const uint8_t *key; /* canonical */
	size_t key_len;

	/* what is known of it */
	int64_t cl;    /* 0: never heard of */
	int64_t stamp; /* of the insert (alive) or delete (dead) that names this life; 0: not known
	                  yet */
	int site;
	int schema; /* number of that insert's schema; 0 when dead or not known */
	unsigned cell_count;
	struct store_cell *cells; /* rising by column id */
	uint8_t term[STORE_TERM]; /* as stored; put computes the new one */

	/* what get found (for put; nobody else's business) */
	bool known;    /* it has a clock */
	bool was_live; /* it was live then */
	int64_t was_cl;
	bool in_table; /* its table holds a row of that key */
	bool extra;    /* some of its cells are in yz_extra */
	bool in_run;   /* its version lies with others' (store/clock_priv.h) */

	/* what put should do with it */
	bool changed;   /* versions or values differ from what get gave */
	bool write_row; /* the table's row must be written too (false in seal, where it already is)
	                 */
};

/* A row is in its table exactly if it is alive and its creating insert is known. */
bool store_row_is_live(const struct store_row *row);

/* The order that get wants, by table and key; and the rows brought into it. */
int store_row_cmp(const struct store_row *left, const struct store_row *right);
void store_row_sort(struct store_row **rows, size_t count);

/* A row or part of it that the engine refused to hold; its cells stay in yz_extra. */
struct store_refusal {
	struct store_row *row;
	char reason[160];
};

struct store_batch {
	/*
	 * Fill `rows` (table, scope, key set by the caller; distinct, sorted by table and key) with
	 * what is known.  Memory comes from `a` and lives as long as it.
	 */
	int (*get)(struct store_batch *b, struct store_row **rows, size_t count, struct arena *a,
	           struct err *err);

	/*
	 * Write every row with `changed` set: clock, cells, table row (if write_row), digest of its
	 * scope. What the engine refuses (NOT NULL, types) is kept aside and told through
	 * `refused`, not an error.
	 */
	int (*put)(struct store_batch *b, struct store_row **rows, size_t count, struct err *err);

	/* Replica-independent order of two site numbers. */
	int (*site_cmp)(struct store_batch *b, int site_a, int site_b);

	/* What a site number stands for. */
	const struct store_site *(*site_name)(struct store_batch *b, int site);

	/* The catalogue's view of a table or schema number. */
	const struct store_table *(*table)(struct store_batch *b, int id);
	const struct store_schema *(*schema)(struct store_batch *b, int id);
};

/* The term of a row: what its digest adds (BLAKE2b-128; the byte table stands in store/DESIGN.md).
 */
void store_row_term(struct store_batch *b, const struct store_row *row, uint8_t term[STORE_TERM]);

/* sum += add - sub, modulo 2^128, big endian. */
void store_digest_move(uint8_t sum[STORE_TERM], const uint8_t add[STORE_TERM],
                       const uint8_t sub[STORE_TERM]);

/* SQLite's implementation over a STORE_MERGE connection in a transaction.  Free with
 * store_batch_sqlite_free. */
struct store_batch *store_batch_sqlite_new(struct store_db *db);
void store_batch_sqlite_free(struct store_batch *b);

/* What put refused since the last call; borrowed until the next put. */
size_t store_batch_sqlite_refused(struct store_batch *b, const struct store_refusal **list);

#endif /* STORE_BATCH_H */

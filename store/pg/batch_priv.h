/*
 * store/pg/batch_priv.h - the batch's two halves: which rows (batch.c), and what
 * one is in the engine (batch_row.c for reading, batch_write.c for writing).
 */
#ifndef STORE_PG_BATCH_PRIV_H
#define STORE_PG_BATCH_PRIV_H

#include "store/batch.h"
#include "store/pg/call_priv.h"

/* Rows of one part. */
struct store_pg_some {
	struct store_row **rows;
	size_t count;
	int part;
};

/* Fill a row from row `at` of an answer with: key, scope, cl, stamp, site, schema, term, cells. */
MUST_CHECK int store_pg_read_row(struct store_pg *pg, const struct store_pg_call *c, int at,
                                 struct store_row *row, struct arena *a, struct err *err);

/* The packed cells of a row. */
void store_pg_write_cells(struct buf *out, const struct store_row *row);

/* Write rows, and move the digests of their scopes. */
MUST_CHECK int store_pg_write_rows(struct store_batch *face, struct store_pg *pg,
                                   const struct store_pg_some *some, struct err *err);

#endif /* STORE_PG_BATCH_PRIV_H */

/*
 * store/pg/batch.h - the batch (store/batch.h) over PostgreSQL.
 *
 * A row is one row of yz_row: its clock in columns, its cells packed in one,
 *
 *   per cell, rising by column: varint 2 * column + own · [own: zig-zag stamp · varint site]
 *                               · value in its canonical form (store/value.h)
 *
 * where `own` is 1 for a cell that has another version than the row.  So nothing
 * depends on what tables there are, nothing is refused, a schema that comes
 * later needs no statement, and a row is written by one.  Statements have up to
 * STORE_PG_BATCH rows, of one part.
 *
 * get and put are called in a transaction that has taken the parts of all rows'
 * scopes (store_pg_take); put asserts it, and takes rows that get has looked for.
 * Not here: rows that count in several scopes (store/share.h), of which nothing
 * on this engine knows yet.
 */
#ifndef STORE_PG_BATCH_H
#define STORE_PG_BATCH_H

#include "store/batch.h"
#include "store/pg/link.h"

enum { STORE_PG_BATCH = 1000 };

/* A batch over a connection, which it borrows; NULL without memory. */
struct store_batch *store_pg_batch_new(struct store_pg *pg);
void store_pg_batch_free(struct store_batch *b);

/* The digest of a scope and its live rows; all zero if nothing is in it. */
MUST_CHECK int store_pg_digest(struct store_pg *pg, int scope, uint8_t sum[STORE_TERM],
                               int64_t *live_rows, struct err *err);

/* Add the terms of a scope's rows anew, each made from the row's cells: ERR_CORRUPT names the first
 * row whose term isn't that of its cells, or says that the sums differ.  Reads all of them. */
MUST_CHECK int store_pg_verify(struct store_pg *pg, struct store_batch *b, int scope,
                               struct err *err);

#endif /* STORE_PG_BATCH_H */

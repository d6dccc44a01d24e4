/*
 * store/batch_memory.h - the batch as a plain map in memory, for the law tests
 * and for whoever wants to try a merge without a file.
 *
 * It keeps deep copies of what put is given, as a database would, and a digest
 * per scope, moved row by row as the SQLite one is.  It refuses nothing and has
 * no tables of its own: a row is its cells.
 */
#ifndef STORE_BATCH_MEMORY_H
#define STORE_BATCH_MEMORY_H

#include "store/batch.h"

/*
 * The numbers of one replica, borrowed for its life: sites[n], tables[n] and schemas[n] have the id
 * n (sites from 0, the others from 1, so that tables[0] and schemas[0] aren't looked at).
 */
struct store_batch_memory_names {
	const struct store_site *sites;
	const struct store_table *tables;
	const struct store_schema *schemas;
	unsigned site_count, table_count, schema_count; /* entries, the unused first one included */
};

/* An empty map; NULL without memory.  Free with store_batch_memory_free. */
struct store_batch *store_batch_memory_new(const struct store_batch_memory_names *names);
void store_batch_memory_free(struct store_batch *b);

/* Forget all rows. */
void store_batch_memory_clear(struct store_batch *b);

/* The row at `index` in the order of table and key; NULL past the last.  Borrowed until the next
 * put. */
const struct store_row *store_batch_memory_row(struct store_batch *b, size_t index);

/* The digest of a scope and its live rows; all zero if nothing is in it. */
void store_batch_memory_digest(struct store_batch *b, int scope, uint8_t sum[STORE_TERM],
                               int64_t *live_rows);

#endif /* STORE_BATCH_MEMORY_H */

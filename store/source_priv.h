/*
 * store/source_priv.h - values in memory as a table that SQL can select from:
 *
 *   INSERT INTO t(a, b) SELECT c0, c1 FROM yz_source
 *
 * writes all of them with one statement.  Starting and ending a statement for
 * each row, and finding the place in the tree anew, costs as much as the insert
 * itself; here it is paid once for many rows that are sorted anyway.
 */
#ifndef STORE_SOURCE_PRIV_H
#define STORE_SOURCE_PRIV_H

#include "store/schema.h"

struct sqlite3;

/* What yz_source shows now: row by row, `columns` values each; borrowed while a statement runs. */
struct store_source {
	const struct store_value *values;
	size_t rows;
	unsigned columns; /* at most STORE_COLUMNS_MAX; c0, c1, ... */
};

/* Make yz_source known to a connection; `source` lives as long as it.  A SQLite status. */
int store_source_register(struct sqlite3 *handle, struct store_source *source);

#endif /* STORE_SOURCE_PRIV_H */

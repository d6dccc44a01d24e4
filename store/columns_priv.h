/*
 * store/columns_priv.h - the columns of a table or view as SQLite tells them, and
 * their names in SQL.
 */
#ifndef STORE_COLUMNS_PRIV_H
#define STORE_COLUMNS_PRIV_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/db.h"

#include <stddef.h>

struct store_column_info {
	const char *name;
	const char *type;
	int key; /* 1.. position in the key, 0: not in it */
};

struct store_columns {
	struct store_column_info *list; /* in the arena, in the table's order; not generated ones */
	size_t count;
};

/* ERR_NOTFOUND with a sentence if there is no table or view of that name. */
MUST_CHECK int store_columns_read(struct store_db *db, const char *table, struct arena *a,
                                  struct store_columns *out, struct err *err);

/* Append a name in quotes. */
void store_columns_put_name(struct buf *sql, const char *name);

/* Append the key columns in key order, with commas between them and `before` before the first;
 * nothing if there are none.  How many there are. */
size_t store_columns_put_key(struct buf *sql, const char *before, const struct store_columns *c);

#endif /* STORE_COLUMNS_PRIV_H */

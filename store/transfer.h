/*
 * store/transfer.h - whole tables in and out, whatever their columns are.
 */
#ifndef STORE_TRANSFER_H
#define STORE_TRANSFER_H

#include "store/base/arena.h"
#include "store/stmt.h"

/*
 * Append the query of all rows of a table or view, all columns but generated ones, in the order of
 * its key.  ERR_NOTFOUND with a sentence if there is none of that name.
 */
MUST_CHECK int store_transfer_query(struct store_db *db, const char *table, struct buf *sql,
                                    struct err *err);

/* Some rows of a table, without some columns. */
struct store_part {
	const char *table;
	const char *const *without; /* columns left out, ended by NULL; NULL: none */
	const char *const *order;   /* columns that the rows come in the order of, ended by NULL;
	                               NULL: its key */
	const char *only_column;    /* only rows whose column is that text; NULL: all */
	const char *only_value;
	const char *only_scope; /* with only_column: that says it of rows that were never moved; of
	                           others their own scope does (store/share.h), which this names */
};

/* The query of a part, in its order, ready to be stepped; the caller ends it. */
MUST_CHECK int store_transfer_select(struct store_db *db, const struct store_part *part,
                                     struct store_stmt *s, struct err *err);

/* An import in progress: rows by columns that the caller names. */
struct store_transfer;

/*
 * Begin; in a transaction of a STORE_LOCAL connection.  ERR_INVALID with a sentence if a column
 * isn't the table's, is named twice, or a key column is missing; ERR_NOTFOUND if there is no such
 * table.
 */
MUST_CHECK int store_transfer_open(struct store_db *db, const char *table,
                                   const char *const *columns, size_t count,
                                   struct store_transfer **out, struct err *err);

/* The declared type of the caller's column `i`. */
const char *store_transfer_type(const struct store_transfer *t, size_t i);

/* Write a row: insert it, or update the one of its key where it differs.  An event table's rows
 * are never updated. */
MUST_CHECK int store_transfer_row(struct store_transfer *t, const struct store_value *values,
                                  struct err *err);

/* How many rows were new, and how many were changed. */
MUST_CHECK int store_transfer_counts(struct store_transfer *t, int64_t *added, int64_t *changed,
                                     struct err *err);

/* A row, or its key and some of its columns, by their names. */
struct store_named_row {
	const char *table;
	const char *const *columns;
	const struct store_value *values;
	size_t count;
};

/* Write one row as an import of one row would; errors as of both functions above. */
MUST_CHECK int store_transfer_one(struct store_db *db, const struct store_named_row *row,
                                  struct err *err);

/* End it; NULL is allowed. */
void store_transfer_close(struct store_transfer *t);

#endif /* STORE_TRANSFER_H */

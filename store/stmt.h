/*
 * store/stmt.h - one SQL statement, from text to last row.
 *
 * Parameters are put and columns are got in the order in which the SQL text
 * names them, so no call site counts to five.  Errors stick: a statement that
 * failed to compile or bind does nothing more, and store_stmt_step() reports
 * it.  Always store_stmt_end() it; that is safe in every state.
 *
 * Compiled statements are kept by the connection and found again by their
 * text, so writing the literal where it is used costs nothing.
 */
#ifndef STORE_STMT_H
#define STORE_STMT_H

#include "store/base/arena.h"
#include "store/db.h"
#include "store/value.h"

struct sqlite3_stmt;

struct store_stmt {
	struct store_db *db;
	struct sqlite3_stmt *handle;
	int status; /* first SQLite code that was not OK, ROW or DONE */
	int param;  /* parameters put so far */
	int column; /* columns got so far in this row */
	int slot;   /* where the connection keeps it; -1: nowhere */
};

/* Compile `sql`, which must be one statement; or take it from the connection's kept ones. */
struct store_stmt store_stmt_new(struct store_db *db, const char *sql);

/* Give the next parameter. Text and blob are borrowed until store_stmt_end() or _reset(). */
void store_stmt_put_int(struct store_stmt *s, int64_t value);
void store_stmt_put_real(struct store_stmt *s, double value);
void store_stmt_put_text(struct store_stmt *s, const char *text);
void store_stmt_put_blob(struct store_stmt *s, const void *bytes, size_t len);
void store_stmt_put_null(struct store_stmt *s);
void store_stmt_put_value(struct store_stmt *s, const struct store_value *v);

/* Go to the next row: 1 if there is one, 0 at the end, negative on error. */
MUST_CHECK int store_stmt_step(struct store_stmt *s, struct err *err);

/* Step a statement that gives no rows and end it. */
MUST_CHECK int store_stmt_run(struct store_stmt *s, struct err *err);

/* Take the next column of this row. Bytes are borrowed until the next step; text is
 * zero-terminated. */
int64_t store_stmt_get_int(struct store_stmt *s);
double store_stmt_get_real(struct store_stmt *s);
const char *store_stmt_get_text(struct store_stmt *s); /* "" for NULL */
const uint8_t *store_stmt_get_blob(struct store_stmt *s, size_t *len);
struct store_value store_stmt_get_value(struct store_stmt *s);

/* The next column's text for as long as the arena lives; NULL if there is no memory for it. */
const char *store_stmt_copy_text(struct store_stmt *s, struct arena *a);

/* Is the next column NULL?  Does not take it. */
bool store_stmt_null(const struct store_stmt *s);

/* Number and names of the result's columns. */
int store_stmt_columns(const struct store_stmt *s);
const char *store_stmt_column_name(const struct store_stmt *s, int column);

/* Back to before the first row, with no parameters. */
void store_stmt_reset(struct store_stmt *s);

/* Release it; putting, stepping and getting are over. */
void store_stmt_end(struct store_stmt *s);

/* How many rows the last INSERT, UPDATE or DELETE of this connection touched. */
int64_t store_stmt_changes(const struct store_db *db);

/* Run a query with at most one row of one integer; `missing` if there is no row. */
MUST_CHECK int store_stmt_int(struct store_db *db, const char *sql, int64_t missing, int64_t *value,
                              struct err *err);

/*
 * Compile the first statement of `sql` (not kept); *tail is what follows it.  For `yizhan sql`,
 * whose text comes from a person.  An empty statement gives a handle of NULL and status OK.
 */
struct store_stmt store_stmt_first(struct store_db *db, const char *sql, const char **tail);

/* Does this compiled statement write nothing? */
bool store_stmt_readonly(const struct store_stmt *s);

#endif /* STORE_STMT_H */

/*
 * store/inspect.h - what is in the file beside the engine's own tables, for
 * people who look: the schema as it stands, and rows that break its rules.
 */
#ifndef STORE_INSPECT_H
#define STORE_INSPECT_H

#include "store/base/arena.h"
#include "store/base/rd.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/value.h"

#include <stddef.h>

/* A table, view, index or trigger that somebody made. */
struct store_object {
	const char *type; /* "table", "view", "index", "trigger" */
	const char *name;
	const char *table; /* the one it belongs to */
	const char *sql;   /* as it was written */
};

/* All of them but yz_ ones and what SQLite made itself, in the order in which they were made; with
 * `table` only what belongs to that one (none: an empty list).  They live in `a`. */
MUST_CHECK int store_inspect_schema(struct store_db *db, const char *table, struct arena *a,
                                    struct store_object **list, size_t *count, struct err *err);

/* 1 if the table has a column of that name, 0 if not or there is no such table. */
MUST_CHECK int store_inspect_has_column(struct store_db *db, const char *table, const char *column,
                                        struct err *err);

/* A rule that rows merged past (FOREIGN KEY, CHECK, NOT NULL) break, or damage to the file. */
struct store_breach {
	const char *table;  /* "" if it isn't one table's */
	const char *parent; /* FOREIGN KEY: the table of the row that isn't there; else NULL */
	const char *what;
	int64_t rows; /* how many; 0 for damage */
	bool damage;  /* of the file: an index or a page is wrong */
};
typedef void store_inspect_tell(void *ctx, const struct store_breach *breach);

/* Tell every breach; `deep` also reads every index.  Not on a STORE_MERGE connection, which looks
 * past CHECK. */
MUST_CHECK int store_inspect_breaches(struct store_db *db, bool deep, store_inspect_tell *tell,
                                      void *ctx, struct err *err);

/* The row as it is in its table: 1 and its values by column position, in `a`; 0 if it isn't there.
 */
MUST_CHECK int store_inspect_row(struct store_db *db, const struct store_schema *schema,
                                 struct rd key, struct arena *a, struct store_value **values,
                                 struct err *err);

/* The scope number in which a row is kept; 0 if nothing is known of the row. */
MUST_CHECK int store_inspect_scope(struct store_db *db, int table, const uint8_t *key,
                                   size_t key_len, int *scope, struct err *err);

/* Is `value` what the column gets in a row that doesn't name it? */
MUST_CHECK int store_inspect_is_default(struct store_db *db, const char *table, const char *column,
                                        const struct store_value *value, bool *is, struct err *err);

/* Bytes of the file that hold something: what a copy of all its rows takes at the most. */
MUST_CHECK int store_inspect_bytes(struct store_db *db, int64_t *bytes, struct err *err);

/* How many rows the log's entries speak of, and the time of the oldest (0: none). */
MUST_CHECK int store_inspect_unsealed(struct store_db *db, int64_t *rows, int64_t *oldest_ms,
                                      struct err *err);

/* Does the log hold an entry of that row?  Then its values have moved on since it was sealed. */
MUST_CHECK int store_inspect_is_unsealed(struct store_db *db, int table, const uint8_t *key,
                                         size_t key_len, bool *is, struct err *err);

#endif /* STORE_INSPECT_H */

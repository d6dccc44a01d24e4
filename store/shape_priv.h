/*
 * store/shape_priv.h - what a table is like in the database now: its columns as
 * SQLite sees them, whether it can converge, and the schema that follows.
 */
#ifndef STORE_SHAPE_PRIV_H
#define STORE_SHAPE_PRIV_H

#include "store/track.h"

struct store_shape_column {
	const char *name;     /* in this file */
	const char *travels;  /* the name by which it travels: the first that it had here */
	const char *type;     /* as declared, upper case; "" if none */
	const char *fallback; /* its default as an SQL literal; NULL if it is not a constant */
	unsigned key;         /* 1.. position in the key */
	bool not_null;
};

/* Columns that are computed (GENERATED) are left out: they follow from the others. */
struct store_shape {
	const char *table; /* as it was declared */
	const char *kind;  /* "table", "view", "virtual", "shadow" */
	bool without_rowid;
	unsigned count;
	struct store_shape_column *columns;
};

/* Read the shape of a table of the main database; memory from `a`.  ERR_NOTFOUND if there is none.
 */
MUST_CHECK int store_shape_read(struct store_db *db, const char *table, struct arena *a,
                                struct store_shape **out, struct err *err);

/* Can this table be captured at all (kind, key, number of columns)?  ERR_INVALID with a sentence.
 */
MUST_CHECK int store_shape_check(struct store_db *db, const struct store_shape *shape,
                                 struct err *err);

/* Would replicas of it agree?  Asked once, at track: what was tracked stays tracked. */
MUST_CHECK int store_shape_check_rules(struct store_db *db, const struct store_shape *shape,
                                       const struct store_track_spec *spec, struct err *err);

/* The schema of this shape with the scope, rules and groups of `spec`; memory from `a`. */
MUST_CHECK int store_shape_schema(const struct store_shape *shape,
                                  const struct store_track_spec *spec, struct arena *a,
                                  struct store_schema **out, struct err *err);

/* The same with those of an earlier schema, matched by column name; new columns get none.
 * ERR_INVALID if the key or the scope column is no longer what it was. */
MUST_CHECK int store_shape_schema_again(const struct store_shape *shape,
                                        const struct store_schema *before, struct arena *a,
                                        struct store_schema **out, struct err *err);

/* Have both the same key columns, in the same order? */
bool store_shape_same_key(const struct store_schema *a, const struct store_schema *b);

#endif /* STORE_SHAPE_PRIV_H */

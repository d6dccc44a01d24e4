/*
 * store/ddl_priv.h - what a schema statement does, by its first words.
 *
 * Only as much of SQL's grammar as the heads of CREATE, ALTER and DROP: whose
 * words they are SQLite itself says, when it runs the statement.
 */
#ifndef STORE_DDL_PRIV_H
#define STORE_DDL_PRIV_H

#include "store/schema.h"

enum store_ddl_act {
	STORE_DDL_NONE, /* no schema statement */
	STORE_DDL_CREATE_TABLE,
	STORE_DDL_DROP_TABLE,
	STORE_DDL_RENAME_TABLE,
	STORE_DDL_ADD_COLUMN,
	STORE_DDL_RENAME_COLUMN,
	STORE_DDL_DROP_COLUMN,
	STORE_DDL_UNIQUE_INDEX,
	STORE_DDL_DROP_OTHER, /* a view, an index, a trigger */
	STORE_DDL_OTHER,      /* one made */
};

/* Names as they are, without quotes; "" where the statement has none. */
struct store_ddl {
	enum store_ddl_act act;
	char table[STORE_NAME_MAX + 1];  /* that it is about */
	char object[STORE_NAME_MAX + 1]; /* the view, index or trigger */
	char column[STORE_NAME_MAX + 1]; /* that is renamed or dropped */
	char to[STORE_NAME_MAX + 1];     /* its new name, or the table's */
};

/* Is there less afterwards, or is it called otherwise? */
bool store_ddl_takes_away(enum store_ddl_act act);

/*
 * Step over blanks and comments.  A comment "-- yizhan WORDS" ends it: 1, and `words` and `len`
 * are the words; else 0.
 */
int store_ddl_skip(const char **at, const char **words, size_t *len);

/* Read the head of the statement at `sql`; NONE, too, if a name is longer than can be. */
void store_ddl_read(const char *sql, struct store_ddl *out);

/* Does such a comment stand between `sql` and `end`, where it would do nothing? */
bool store_ddl_holds_words(const char *sql, const char *end);

#endif /* STORE_DDL_PRIV_H */

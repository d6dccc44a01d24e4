/*
 * store/alter.h - change the schema as a file says, and tell what that does.
 *
 * The file is SQL: CREATE, ALTER and DROP of tables, columns, views, indexes and
 * triggers.  It says in plain SQL what another program's changes of the schema
 * leave open:
 *
 *   ALTER TABLE .. RENAME COLUMN  the column keeps the name by which it travels; only this
 *                                 file's table calls it something else
 *   ALTER TABLE .. DROP COLUMN,   the cells stay, beside the table (yz_extra): they count in
 *   DROP TABLE                    digests, travel on, and are back when the name is
 *   -- yizhan WORDS               what SQL has no words for: how a table is tracked
 *
 * Nothing that a file may say makes a change to be sent, but for rows that `track` finds.
 */
#ifndef STORE_ALTER_H
#define STORE_ALTER_H

#include "store/base/arena.h"
#include "store/catalog.h"

struct store_alter_file {
	const char *sql;
	bool is_hub;
	/* Whose columns must keep their names, because the program names them; NULL: nobody's. */
	bool (*is_fixed)(const char *table);
	/* Do what a line "-- yizhan WORDS" says. */
	int (*obey)(void *ctx, struct store_db *db, const char *words, struct err *err);
	void *ctx;
};

struct store_alter_name {
	struct store_alter_name *next;
	const char *name;
	const char *from;    /* of a renamed column: what it was called here; else NULL */
	const char *travels; /* of a renamed column */
};

/* What becomes of one table that the file names. */
struct store_alter_table {
	struct store_alter_table *next;
	const char *table;
	bool is_new, is_gone;
	bool tracked;                                       /* now, or before it was dropped */
	struct store_alter_name *added, *dropped, *renamed; /* columns; not those of a new table */
	int64_t changes;                                    /* that will be sent because of it */
	int64_t kept;    /* rows whose dropped cells stay beside the table */
	int64_t waiting; /* rows with cells from elsewhere that have found their place */
};

struct store_alter {
	struct arena arena; /* everything lives in it */
	struct store_alter_table *tables;
	unsigned others; /* statements about views, indexes and triggers */
};

/*
 * Do it in the open MERGE transaction; *out is the caller's to free, also after an error.
 * ERR_INVALID with a sentence that begins "line N: " for what can't be: another statement, another
 * meaning of a name, a drop before what was written is sealed, and what SQLite refuses; then roll
 * back.  To learn what a file would do, run it and roll back.
 */
MUST_CHECK int store_alter_run(struct store_db *db, const struct store_alter_file *file,
                               struct store_alter *out, struct err *err);

/* Free what it owns. */
void store_alter_free(struct store_alter *alter);

#endif /* STORE_ALTER_H */

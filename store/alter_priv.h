/*
 * store/alter_priv.h - a schema file while it is run: what alter.c, which runs it,
 * and alter_look.c, which tells what came of it, have in common.
 */
#ifndef STORE_ALTER_PRIV_H
#define STORE_ALTER_PRIV_H

#include "store/alter.h"
#include "store/columns_priv.h"

/* A table while the file is run. */
struct store_touched {
	struct store_alter_table face; /* first member */
	struct store_columns before;   /* as it was; none of a new one */
	int was_id;
	int64_t logged; /* entries in yz_log */
	bool leaves;    /* it is dropped by the file, not lost */
};

struct store_altering {
	struct store_db *db;
	const struct store_alter_file *file;
	struct store_alter *out;
	int64_t last_schema; /* the last number of a schema that was known before */
};

/* A copy of a text that lives as long as what is told; NULL without memory. */
const char *store_alter_keep(struct store_altering *x, const char *text);

/* How the table is tracked now; NULL if it isn't. */
const struct store_schema *store_alter_local(struct store_altering *x,
                                             const struct store_touched *t);

/* How many of its changes wait for the next seal. */
MUST_CHECK int store_alter_logged(struct store_altering *x, const struct store_touched *t,
                                  int64_t *count, struct err *err);

/* The table of this name, noted as it is before the file has changed it. */
MUST_CHECK int store_alter_touch(struct store_altering *x, const char *name,
                                 struct store_touched **out, struct err *err);

/* A column more at a list's end; copied. */
MUST_CHECK int store_alter_add(struct store_altering *x, struct store_alter_name **list,
                               struct store_alter_name name, struct err *err);

/* Fill in what came of it; ERR_INVALID if it can't be as it is now. */
MUST_CHECK int store_alter_look(struct store_altering *x, struct store_touched *t, struct err *err);

#endif /* STORE_ALTER_PRIV_H */

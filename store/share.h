/*
 * store/share.h - rows that more than one scope sees.
 *
 * A shared thing is a *root* row (a child) with everything that hangs on it: the
 * rows of tracked tables whose column `<root table>_id` is its key.  yz_share
 * says which scopes see it, and travels like a record; only the hub writes it.
 * From it each file keeps for itself:
 *
 *   yz_group    per root: its scopes, as they have been carried out here
 *   yz_member   per row: scopes besides its own in which it counts, and scopes that it has left
 *
 * A row's own scope (its clock's) is the one it was first seen in, or another once that
 * one has left; here it is only the first among equals: the row counts in the digest of each.  For
 * who reads a hub from outside it is the row's owner (node/hub/extract.h).  A scope that was left
 * keeps the version of the yz_share row that said so: who had not seen that may still change the
 * row.
 */
#ifndef STORE_SHARE_H
#define STORE_SHARE_H

#include "store/batch.h"

enum { STORE_SHARE_ROOTS = 8 }; /* tables whose rows are shared */

/* Where rows are kept, at a node, once they have left its scope: nobody writes there. */
#define STORE_SHARE_LEFT "left"

struct store_root {
	int table;
	const uint8_t *key; /* canonical */
	size_t key_len;
	struct buf room; /* for the key, when it was found from a row; the caller's to free */
};

struct store_share_tables {
	int ids[STORE_SHARE_ROOTS];
	int count;
};

/* One scope of a root or a row. */
struct store_share {
	int scope;
	int64_t left; /* stamp and site of the write that ended it; 0: it is seen there */
	int left_site;
};

/* A row of yz_share as people see it. */
struct store_share_line {
	const char *table;
	const uint8_t *key;
	size_t key_len;
	const char *scope;
	int64_t at_ms, ended_ms; /* 0: not ended */
	const char *by;
};

/* ---- what the hub says ---- */

/* Say that a root is seen in a scope, or (ended) no more; on a STORE_LOCAL connection, in a
 * transaction, at the hub. */
MUST_CHECK int store_share_say(struct store_db *db, const struct store_share_line *line,
                               struct err *err);

/* All of it, by root. */
MUST_CHECK int store_share_lines(struct store_db *db, struct arena *a,
                                 struct store_share_line **list, size_t *count, struct err *err);

/* What isn't carried out here yet. */
struct store_share_pending {
	struct store_root root;
	struct store_share what;
	bool ends;
	struct store_row own; /* yz_share's row of it */
};

/* One of these, of the beginnings before the ends: 1, or 0.  It lives in `a`. */
MUST_CHECK int store_share_next(struct store_db *db, struct arena *a,
                                struct store_share_pending *out, struct err *err);

/* ---- roots ---- */

/* The tables that have shared rows; none: nothing is shared. */
MUST_CHECK int store_share_tables(struct store_db *db, struct store_share_tables *out,
                                  struct err *err);

/* Those of them of which something has left here. */
MUST_CHECK int store_share_left_tables(struct store_db *db, struct store_share_tables *out,
                                       struct err *err);

/* The column of a table's rows that names the root: `<root table>_id`, or the root's own key.  Its
 * position; -1: they hang on none. */
int store_share_subject(const struct store_schema *s, const struct store_table *root);

/* What the row hangs on, of these tables: false if on nothing.  A dead row's isn't known. */
bool store_share_root_of(struct store_db *db, const struct store_share_tables *tables,
                         const struct store_row *row, struct store_root *root);

/* The same of a row with these values, by position in its schema. */
bool store_share_root_of_values(struct store_db *db, const struct store_share_tables *tables,
                                const struct store_schema *s, const struct store_value *values,
                                struct store_root *root);

/* The same of a row that this is a change of, as far as the change says it. */
bool store_share_root_of_change(struct store_db *db, const struct store_share_tables *tables,
                                const struct store_change *c, struct store_root *root);

/* The scope that a live row's columns name; false if they name none. */
bool store_share_home_of(struct store_db *db, const struct store_row *row,
                         char out[STORE_SCOPE_MAX + 1]);

/* The scopes of a root; none if it isn't shared. */
MUST_CHECK int store_share_group(struct store_db *db, const struct store_root *root,
                                 struct arena *a, struct store_share **list, size_t *count,
                                 struct err *err);
MUST_CHECK int store_share_set_group(struct store_db *db, const struct store_root *root,
                                     const struct store_share *share, struct err *err);

/* All rows that hang on it: those that live, and those known to have; in the order that get wants.
 */
MUST_CHECK int store_share_rows(struct store_db *db, const struct store_root *root, struct arena *a,
                                struct store_row ***rows, size_t *count, struct err *err);

/* ---- rows ---- */

/* The further scopes of a row, and those it has left. */
MUST_CHECK int store_share_of_row(struct store_db *db, const struct store_row *row, struct arena *a,
                                  struct store_share **list, size_t *count, struct err *err);

/* Write one of them down, or strike it out; the digest is store_digest_add's business. */
MUST_CHECK int store_share_set_row(struct store_db *db, const struct store_row *row,
                                   const struct store_root *root, const struct store_share *share,
                                   struct err *err);
MUST_CHECK int store_share_drop_row(struct store_db *db, const struct store_row *row, int scope,
                                    struct err *err);

/* It has not left that scope after all. */
MUST_CHECK int store_share_return_row(struct store_db *db, const struct store_row *row, int scope,
                                      struct err *err);

/* Another scope is the row's own from here on; its values aren't looked at, because what stands in
 * the table may have been written since.  The digests are store_digest_add's business. */
MUST_CHECK int store_share_move(struct store_db *db, struct store_row *row, int scope,
                                struct err *err);

/* Has a scope left any root? */
MUST_CHECK int store_share_any_left(struct store_db *db, int scope, bool *any, struct err *err);

/* Has it left anything by a write of `since->left_site` that is later than since->left? */
MUST_CHECK int store_share_left_since(struct store_db *db, const struct store_share *since,
                                      bool *any, struct err *err);

/* At a node: the scope in which the row of this table, with a blob for its key, counts; "" if it
 * isn't sealed yet, or never will be.  Whoever is to see it is told by that, not by its columns. */
MUST_CHECK int store_share_scope_of(struct store_db *db, const char *table, const void *id,
                                    size_t len, char out[STORE_SCOPE_MAX + 1], struct err *err);

/* At a node: was the row of this table, with a blob for its key, put aside because its scope has
 * left it? */
MUST_CHECK int store_share_has_left(struct store_db *db, const char *table, const void *id,
                                    size_t len, bool *yes, struct err *err);

/* Does any row count in further scopes? */
MUST_CHECK int store_share_any(struct store_db *db, bool *any, struct err *err);

#endif /* STORE_SHARE_H */

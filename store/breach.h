/*
 * store/breach.h - which rows of a tracked table break a rule that a merge looks
 * past (FOREIGN KEY, CHECK, NOT NULL).
 */
#ifndef STORE_BREACH_H
#define STORE_BREACH_H

#include "store/base/arena.h"
#include "store/catalog.h"

struct store_breach_row {
	const uint8_t *key; /* canonical */
	size_t key_len;
	const uint8_t *parent; /* the key of the row that it names; NULL if it isn't a key here */
	size_t parent_len;
};

enum { STORE_BREACH_ROWS = 20 }; /* so many are told; the rest is counted only */

struct store_breach_list {
	struct store_breach_row rows[STORE_BREACH_ROWS];
	size_t count;
};

/*
 * The first rows of a table that is tracked here that name a row of `parent` that isn't there; with
 * `parent` NULL those that break CHECK or NOT NULL.  They live in `a`.  On a STORE_MERGE
 * connection, in a transaction that is rolled back: such a table is copied to where it is asked
 * again what it refuses.
 */
MUST_CHECK int store_breach_find(struct store_db *db, const struct store_table *table,
                                 const char *parent, struct arena *a,
                                 struct store_breach_list *list, struct err *err);

#endif /* STORE_BREACH_H */

/*
 * store/catalog_priv.h - the catalogue's cache, between reading it in
 * (catalog_load.c) and asking or adding to it (catalog.c).
 */
#ifndef STORE_CATALOG_PRIV_H
#define STORE_CATALOG_PRIV_H

#include "store/base/arena.h"
#include "store/catalog.h"

struct store_catalog_list {
	void **items; /* [id - 1] */
	int count;
};

struct store_catalog {
	struct arena arena;
	struct store_catalog_list sites, scopes, tables, schemas;
	int64_t turn;
};

/*
 * The cache, read in if it isn't, or if another process has changed the catalogue since; NULL if
 * that fails.  Inside a write transaction nobody else can, so one look at its start is enough.
 */
struct store_catalog *store_catalog_of(struct store_db *db, struct err *err);

/*
 * The same where a failure to read can't be told: what is asked for is known to be in the file, and
 * what was read before still holds.  With nothing read the process ends; the file is whole, and
 * whoever starts it again hears why it can't be read.
 */
struct store_catalog *store_catalog_must(struct store_db *db);

/* Put an item at its number (-1 without memory); take it again, NULL if there is none. */
int store_catalog_list_set(struct store_catalog_list *list, int id, void *item);
void *store_catalog_list_get(const struct store_catalog_list *list, int id);

/* A table more; NULL without memory. */
struct store_table *store_catalog_add_table(struct store_catalog *c, int id, const char *name);

/* One more column at a table's end, by its names (`here` NULL: both are one) and rule; -1 without
 * memory. */
int store_catalog_add_column(struct store_catalog *c, struct store_table *t,
                             const struct store_column *column);

/* The number of a table's column; 0 if it has none of that name. */
int store_catalog_column_id(const struct store_table *t, const char *name);

/* Give a schema its number, and its columns theirs. */
void store_catalog_number_schema(struct store_schema *s, int id, const struct store_table *t);

#endif /* STORE_CATALOG_PRIV_H */

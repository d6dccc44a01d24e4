/*
 * store/catalog_cache.h - the catalogue's cache: what the small integers of a
 * database stand for (store/catalog.h), whatever engine keeps them.
 *
 * A zeroed struct store_catalog is empty.  All it points at lives in its arena.
 */
#ifndef STORE_CATALOG_CACHE_H
#define STORE_CATALOG_CACHE_H

#include "store/base/arena.h"
#include "store/catalog.h"

struct store_catalog_list {
	void **items; /* [id - 1] */
	int count;
};

struct store_catalog {
	struct arena arena;
	struct store_catalog_list sites, scopes, tables, schemas;
	int64_t turn; /* of yz_meta, when it was read in; SQLite's alone */
};

/* Give back all that it holds. */
void store_catalog_cache_free(struct store_catalog *c);

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

#endif /* STORE_CATALOG_CACHE_H */

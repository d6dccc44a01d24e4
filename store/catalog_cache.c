/*
 * store/catalog_cache.c - numbers and what they stand for, in memory.
 */
#include "store/catalog_cache.h"

#include <stdlib.h>
#include <string.h>

int
store_catalog_list_set(struct store_catalog_list *list, int id, void *item)
{
	if (id > list->count) {
		void **items = realloc(list->items, (size_t)id * 2 * sizeof *items);

		if (items == NULL)
			return -1;
		memset(items + list->count, 0,
		       ((size_t)id * 2 - (size_t)list->count) * sizeof *items);
		list->items = items;
		list->count = id * 2;
	}
	list->items[id - 1] = item;
	return 0;
}

void *
store_catalog_list_get(const struct store_catalog_list *list, int id)
{
	return id >= 1 && id <= list->count ? list->items[id - 1] : NULL;
}

void
store_catalog_cache_free(struct store_catalog *c)
{
	arena_free(&c->arena);
	free(c->sites.items);
	free(c->scopes.items);
	free(c->tables.items);
	free(c->schemas.items);
}

struct store_table *
store_catalog_add_table(struct store_catalog *c, int id, const char *name)
{
	struct store_table *t = arena_take(&c->arena, 1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->id = id;
	t->name = arena_copy(&c->arena, name, strlen(name));
	t->memo = arena_take(&c->arena, 1, sizeof *t->memo);
	if (t->name == NULL || t->memo == NULL || store_catalog_list_set(&c->tables, id, t) < 0)
		return NULL;
	return t;
}

/* by_name keeps its order. */
int
store_catalog_add_column(struct store_catalog *c, struct store_table *t,
                         const struct store_column *column)
{
	unsigned n = t->column_count;
	const char **names = arena_take(&c->arena, n + 1, sizeof *names);
	const char **here = arena_take(&c->arena, n + 1, sizeof *here);
	uint8_t *rules = arena_take(&c->arena, n + 1, 1);
	int *by_name = arena_take(&c->arena, n + 1, sizeof *by_name);
	unsigned at = 0;

	if (names == NULL || here == NULL || rules == NULL || by_name == NULL)
		return -1;
	if (n > 0) {
		memcpy(names, t->names, n * sizeof *names);
		memcpy(here, t->here, n * sizeof *here);
		memcpy(rules, t->rules, n);
	}
	names[n] = here[n] = arena_copy(&c->arena, column->name, strlen(column->name));
	if (column->here != NULL)
		here[n] = arena_copy(&c->arena, column->here, strlen(column->here));
	if (names[n] == NULL || here[n] == NULL)
		return -1;
	rules[n] = column->rule;
	while (at < n && strcmp(t->names[t->by_name[at] - 1], column->name) < 0) {
		by_name[at] = t->by_name[at];
		at++;
	}
	by_name[at] = (int)n + 1;
	if (at < n)
		memcpy(by_name + at + 1, t->by_name + at, (n - at) * sizeof *by_name);
	t->names = names;
	t->here = here;
	t->rules = rules;
	t->by_name = by_name;
	t->column_count = n + 1;
	t->memo->known = false; /* places in by_name have moved */
	return 0;
}

int
store_catalog_column_id(const struct store_table *t, const char *name)
{
	for (unsigned i = 0; i < t->column_count; i++)
		if (strcmp(t->names[i], name) == 0)
			return (int)i + 1;
	return 0;
}

void
store_catalog_number_schema(struct store_schema *s, int id, const struct store_table *t)
{
	s->id = id;
	s->table_id = t->id;
	for (unsigned i = 0; i < s->column_count; i++) {
		int column = store_catalog_column_id(t, s->columns[i].name);

		s->columns[i].id = column;
		s->columns[i].here = t->here[column - 1];
	}
}

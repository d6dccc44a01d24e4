/*
 * store/shape_schema.c - from a table's shape to its schema: what a person says
 * about its scope, rules and groups (store_track_spec), or what was said of it
 * before.
 */
#include "store/shape_priv.h"

#include <sqlite3.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "track: out of memory");
}

static struct store_schema *
bare_schema(const struct store_shape *shape, struct arena *a)
{
	struct store_schema *s = arena_take(a, 1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->table = shape->table;
	s->scope_column = -1;
	s->column_count = shape->count;
	s->columns = arena_take(a, shape->count, sizeof *s->columns);
	if (s->columns == NULL)
		return NULL;
	for (unsigned i = 0; i < shape->count; i++) {
		s->columns[i].name = shape->columns[i].travels;
		s->columns[i].here = shape->columns[i].name;
		s->columns[i].type = shape->columns[i].type;
		s->columns[i].key = (uint8_t)shape->columns[i].key;
	}
	return s;
}

/* The position of a column by its name as SQL compares names; negative with a sentence. */
static int
find_column(const struct store_schema *s, const char *name, size_t len, struct err *err)
{
	for (unsigned i = 0; i < s->column_count; i++)
		if (strlen(s->columns[i].here) == len &&
		    sqlite3_strnicmp(s->columns[i].here, name, (int)len) == 0)
			return (int)i;
	return err_set(err, ERR_INVALID, "table %s has no column %.*s", s->table, (int)len, name);
}

/* The next name of a comma separated list, without spaces around it; false at the end. */
static bool
next_name(const char **list, const char **name, size_t *len)
{
	const char *at = *list;
	size_t whole;

	if (at == NULL || *at == 0)
		return false;
	whole = strcspn(at, ",");
	*list = at + whole + (at[whole] == ',');
	while (whole > 0 && *at == ' ') {
		at++;
		whole--;
	}
	while (whole > 0 && at[whole - 1] == ' ')
		whole--;
	*name = at;
	*len = whole;
	return true;
}

static int
apply_max(struct store_schema *s, const char *list, struct err *err)
{
	const char *name;
	size_t len;

	while (next_name(&list, &name, &len)) {
		int at = find_column(s, name, len, err);

		if (at < 0)
			return at;
		if (s->columns[at].key > 0)
			return err_set(err, ERR_INVALID,
			               "%s.%s is a key column and can't be merged by value",
			               s->table, s->columns[at].here);
		s->columns[at].rule = STORE_MAX;
	}
	return 0;
}

static int
apply_hub_only(const struct store_shape *shape, struct store_schema *s, const char *list,
               struct err *err)
{
	const char *name;
	size_t len;

	while (next_name(&list, &name, &len)) {
		int at = find_column(s, name, len, err);

		if (at < 0)
			return at;
		if (s->columns[at].key > 0 || shape->columns[at].fallback == NULL)
			return err_set(err, ERR_INVALID,
			               "%s.%s can't be left to the hub: it is a key column or its "
			               "default is not a constant",
			               s->table, s->columns[at].here);
		s->columns[at].hub_only = true;
	}
	return 0;
}

static int
apply_group(struct store_schema *s, const char *list, unsigned no, struct err *err)
{
	const char *name;
	size_t len;

	while (next_name(&list, &name, &len)) {
		int at = find_column(s, name, len, err);

		if (at < 0)
			return at;
		if (s->columns[at].key > 0 || s->columns[at].rule == STORE_MAX ||
		    s->columns[at].group != 0)
			return err_set(
			        err, ERR_INVALID,
			        "%s.%s can't be in a group: it is a key or max column, or in "
			        "another group",
			        s->table, s->columns[at].here);
		s->columns[at].group = (uint8_t)no;
	}
	return 0;
}

static int
apply_scope(struct store_schema *s, const struct store_track_spec *spec, struct err *err)
{
	const char *scope = spec->scope == NULL ? "" : spec->scope;

	s->scope_prefix = scope;
	if (strlen(scope) > STORE_SCOPE_MAX)
		return err_set(err, ERR_INVALID, "table %s: a scope has at most %d bytes", s->table,
		               STORE_SCOPE_MAX);
	if (spec->scope_column != NULL) {
		s->scope_column =
		        find_column(s, spec->scope_column, strlen(spec->scope_column), err);
		return s->scope_column < 0 ? s->scope_column : 0;
	}
	if (strcmp(scope, "all") == 0 || strcmp(scope, "hub") == 0 ||
	    ((scope[0] == 'f' || scope[0] == 's') && scope[1] == '/' && scope[2] != 0))
		return 0;
	return err_set(
	        err, ERR_INVALID,
	        "table %s: \"%s\" is no scope; say all, hub, f/ID or s/ID, or name the column "
	        "that holds the ID",
	        s->table, scope);
}

int
store_shape_schema(const struct store_shape *shape, const struct store_track_spec *spec,
                   struct arena *a, struct store_schema **out, struct err *err)
{
	struct store_schema *s = bare_schema(shape, a);
	int rc;

	if (s == NULL)
		return no_memory(err);
	s->kind = spec->kind;
	rc = apply_scope(s, spec, err);
	if (rc == 0)
		rc = apply_max(s, spec->max, err);
	if (rc == 0)
		rc = apply_hub_only(shape, s, spec->hub_only, err);
	for (unsigned i = 0; rc == 0 && spec->groups != NULL && spec->groups[i] != NULL; i++)
		rc = apply_group(s, spec->groups[i], i + 1, err);
	if (rc == 0)
		rc = store_schema_finish(s, err);
	*out = s;
	return rc;
}

bool
store_shape_same_key(const struct store_schema *a, const struct store_schema *b)
{
	if (a->key_count != b->key_count)
		return false;
	for (unsigned k = 0; k < a->key_count; k++)
		if (strcmp(a->columns[a->keys[k]].name, b->columns[b->keys[k]].name) != 0)
			return false;
	return true;
}

int
store_shape_schema_again(const struct store_shape *shape, const struct store_schema *before,
                         struct arena *a, struct store_schema **out, struct err *err)
{
	struct store_schema *s = bare_schema(shape, a);

	if (s == NULL)
		return no_memory(err);
	s->kind = before->kind;
	s->scope_prefix = before->scope_prefix;
	for (unsigned i = 0; i < s->column_count; i++) {
		int at = store_schema_find(before, s->columns[i].name);

		if (at < 0)
			continue;
		s->columns[i].rule = before->columns[at].rule;
		s->columns[i].group = before->columns[at].group;
		s->columns[i].hub_only = before->columns[at].hub_only;
		if (at == before->scope_column)
			s->scope_column = (int)i;
	}
	if (before->scope_column >= 0 && s->scope_column < 0)
		return err_set(err, ERR_INVALID,
		               "table %s has lost the column %s, which says who may see a row",
		               s->table, before->columns[before->scope_column].here);
	*out = s;
	if (store_schema_finish(s, err) < 0)
		return err->code;
	return store_shape_same_key(s, before)
	               ? 0
	               : err_set(err, ERR_INVALID, "table %s has another key than before",
	                         s->table);
}

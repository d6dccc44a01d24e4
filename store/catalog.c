/*
 * store/catalog.c - names and their numbers, cached per connection.
 *
 * yz_meta "turn" counts changes of the catalogue, so that one cheap look at the
 * start of a transaction tells whether the cache still holds.  Numbers given in
 * a transaction that rolls back are forgotten with the whole cache.
 */
#include "store/catalog.h"
#include "store/db_priv.h"
#include "store/stmt.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 4096 }; /* columns ever seen of one table */

struct list {
	void **items; /* [id - 1] */
	int count;
};

struct store_catalog {
	struct arena arena;
	struct list sites, scopes, tables, schemas;
	int64_t turn;
};

static int
list_set(struct list *list, int id, void *item)
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

static void *
list_get(const struct list *list, int id)
{
	return id >= 1 && id <= list->count ? list->items[id - 1] : NULL;
}

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "catalogue: out of memory");
}

void
store_catalog_forget(struct store_db *db)
{
	struct store_catalog *c = db->catalog;

	if (c == NULL)
		return;
	arena_free(&c->arena);
	free(c->sites.items);
	free(c->scopes.items);
	free(c->tables.items);
	free(c->schemas.items);
	free(c);
	db->catalog = NULL;
	db->catalog_generation++;
}

void
store_catalog_close(struct store_db *db)
{
	store_catalog_forget(db);
}

/* ---- reading it in ---- */

static int
load_sites(struct store_db *db, struct store_catalog *c, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT id, node, epoch FROM yz_site");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct store_site *site = arena_take(&c->arena, 1, sizeof *site);
		size_t node_len, epoch_len;
		const uint8_t *node, *epoch;
		int id = (int)store_stmt_get_int(&s);

		node = store_stmt_get_blob(&s, &node_len);
		epoch = store_stmt_get_blob(&s, &epoch_len);
		if (site == NULL || list_set(&c->sites, id, site) < 0) {
			rc = no_memory(err);
			break;
		}
		site->id = id;
		if (node_len == STORE_NODE_ID && epoch_len == STORE_EPOCH) {
			memcpy(site->node, node, node_len);
			memcpy(site->epoch, epoch, epoch_len);
		}
	}
	store_stmt_end(&s);
	return rc;
}

static int
load_scopes(struct store_db *db, struct store_catalog *c, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT id, name FROM yz_scope");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		int id = (int)store_stmt_get_int(&s);
		const char *name = store_stmt_get_text(&s);
		char *copy = arena_copy(&c->arena, name, strlen(name));

		if (copy == NULL || list_set(&c->scopes, id, copy) < 0) {
			rc = no_memory(err);
			break;
		}
	}
	store_stmt_end(&s);
	return rc;
}

static struct store_table *
add_table(struct store_catalog *c, int id, const char *name)
{
	struct store_table *t = arena_take(&c->arena, 1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->id = id;
	t->name = arena_copy(&c->arena, name, strlen(name));
	if (t->name == NULL || list_set(&c->tables, id, t) < 0)
		return NULL;
	return t;
}

/* One more column name at the end; by_name keeps its order. */
static int
add_column(struct store_catalog *c, struct store_table *t, const char *name, uint8_t rule)
{
	unsigned n = t->column_count;
	const char **names = arena_take(&c->arena, n + 1, sizeof *names);
	uint8_t *rules = arena_take(&c->arena, n + 1, 1);
	int *by_name = arena_take(&c->arena, n + 1, sizeof *by_name);
	unsigned at = 0;

	if (names == NULL || rules == NULL || by_name == NULL)
		return -1;
	if (n > 0) {
		memcpy(names, t->names, n * sizeof *names);
		memcpy(rules, t->rules, n);
	}
	names[n] = arena_copy(&c->arena, name, strlen(name));
	if (names[n] == NULL)
		return -1;
	rules[n] = rule;
	while (at < n && strcmp(t->names[t->by_name[at] - 1], name) < 0) {
		by_name[at] = t->by_name[at];
		at++;
	}
	by_name[at] = (int)n + 1;
	if (at < n)
		memcpy(by_name + at + 1, t->by_name + at, (n - at) * sizeof *by_name);
	t->names = names;
	t->rules = rules;
	t->by_name = by_name;
	t->column_count = n + 1;
	return 0;
}

static int
load_columns(struct store_db *db, struct store_catalog *c, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT tbl, name, rule FROM yz_column ORDER BY tbl, id");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct store_table *t = list_get(&c->tables, (int)store_stmt_get_int(&s));
		const char *name = store_stmt_get_text(&s);

		if (t != NULL && add_column(c, t, name, (uint8_t)store_stmt_get_int(&s)) < 0) {
			rc = no_memory(err);
			break;
		}
	}
	store_stmt_end(&s);
	return rc;
}

static int
column_id(const struct store_table *t, const char *name)
{
	for (unsigned i = 0; i < t->column_count; i++)
		if (strcmp(t->names[i], name) == 0)
			return (int)i + 1;
	return 0;
}

/* Give a schema of this file its numbers. */
static void
number_schema(struct store_schema *s, int id, const struct store_table *t)
{
	s->id = id;
	s->table_id = t->id;
	for (unsigned i = 0; i < s->column_count; i++)
		s->columns[i].id = column_id(t, s->columns[i].name);
}

static int
load_schemas(struct store_db *db, struct store_catalog *c, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT id, tbl, def FROM yz_schema");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		int id = (int)store_stmt_get_int(&s);
		struct store_table *t = list_get(&c->tables, (int)store_stmt_get_int(&s));
		struct store_schema *schema;
		size_t len;
		const uint8_t *def = store_stmt_get_blob(&s, &len);

		rc = store_schema_read(def, len, &c->arena, &schema, err);
		if (rc == 0 && t != NULL)
			number_schema(schema, id, t);
		if (rc == 0 && list_set(&c->schemas, id, schema) < 0)
			rc = no_memory(err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc;
}

static int
load_tables(struct store_db *db, struct store_catalog *c, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT id, name FROM yz_table");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		int id = (int)store_stmt_get_int(&s);

		if (add_table(c, id, store_stmt_get_text(&s)) == NULL) {
			rc = no_memory(err);
			break;
		}
	}
	store_stmt_end(&s);
	return rc;
}

static int
load_locals(struct store_db *db, struct store_catalog *c, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT id, schema FROM yz_table WHERE schema IS NOT NULL");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct store_table *t = list_get(&c->tables, (int)store_stmt_get_int(&s));

		if (t != NULL)
			t->local = list_get(&c->schemas, (int)store_stmt_get_int(&s));
	}
	store_stmt_end(&s);
	return rc;
}

static int
turn_of(struct store_db *db, int64_t *turn, struct err *err)
{
	return store_stmt_int(db, "SELECT value FROM yz_meta WHERE name = 'turn'", 0, turn, err);
}

static int
load(struct store_db *db, struct err *err)
{
	struct store_catalog *c = calloc(1, sizeof *c);
	int rc;

	if (c == NULL)
		return no_memory(err);
	db->catalog = c;
	rc = turn_of(db, &c->turn, err);
	if (rc == 0)
		rc = load_sites(db, c, err);
	if (rc == 0)
		rc = load_scopes(db, c, err);
	if (rc == 0)
		rc = load_tables(db, c, err);
	if (rc == 0)
		rc = load_columns(db, c, err);
	if (rc == 0)
		rc = load_schemas(db, c, err);
	if (rc == 0)
		rc = load_locals(db, c, err);
	if (rc < 0)
		store_catalog_forget(db);
	return rc;
}

/*
 * The cache, read in if it isn't, or if another process has changed the catalogue since.  Inside a
 * write transaction nobody else can, so one look at its start is enough.
 */
static struct store_catalog *
catalog_of(struct store_db *db, struct err *err)
{
	int64_t turn;

	if (db->catalog != NULL && db->catalog_checked)
		return db->catalog;
	if (db->catalog != NULL && turn_of(db, &turn, err) < 0)
		return NULL;
	if (db->catalog != NULL && turn != db->catalog->turn)
		store_catalog_forget(db);
	if (db->catalog == NULL && load(db, err) < 0)
		return NULL;
	db->catalog_checked = store_db_in_transaction(db);
	return db->catalog;
}

/*
 * The same where a failure to read can't be told: what is asked for is known to be in the file, and
 * what was read before still holds.  With nothing read the process ends; the file is whole, and
 * whoever starts it again hears why it can't be read.
 */
static struct store_catalog *
catalog_must(struct store_db *db)
{
	struct err err;
	struct store_catalog *c = catalog_of(db, &err);

	if (c == NULL)
		c = db->catalog;
	if (c == NULL) {
		fprintf(stderr, "yizhan: the catalogue can't be read: %s\n", err.msg);
		abort();
	}
	return c;
}

static int
bump(struct store_db *db, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_meta(name, value) VALUES ('turn', 1)"
	                           " ON CONFLICT(name) DO UPDATE SET value = value + 1");
	int rc = store_stmt_run(&s, err);

	if (rc == 0)
		db->catalog->turn++;
	return rc;
}

static int64_t
last_id(struct store_db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

/* ---- sites and scopes ---- */

static int
add_site(struct store_db *db, struct store_catalog *c, const struct store_site *named, int *id,
         struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "INSERT INTO yz_site(node, epoch) VALUES (?, ?)");
	struct store_site *site = arena_copy(&c->arena, named, sizeof *named);
	int rc;

	store_stmt_put_blob(&s, named->node, STORE_NODE_ID);
	store_stmt_put_blob(&s, named->epoch, STORE_EPOCH);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = bump(db, err);
	if (rc < 0)
		return rc;
	*id = (int)last_id(db);
	if (site == NULL || list_set(&c->sites, *id, site) < 0)
		return no_memory(err);
	site->id = *id;
	return 0;
}

int
store_catalog_find_site(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                        const uint8_t epoch[STORE_EPOCH], int *id, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT id FROM yz_site WHERE node = ? AND epoch = ?");
	int rc;

	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	store_stmt_put_blob(&s, epoch, STORE_EPOCH);
	rc = store_stmt_step(&s, err);
	*id = rc == 1 ? (int)store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_catalog_site(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                   const uint8_t epoch[STORE_EPOCH], int *id, struct err *err)
{
	struct store_catalog *c = catalog_of(db, err);
	struct store_site named = { 0 };
	int rc;

	if (c == NULL)
		return err->code;
	rc = store_catalog_find_site(db, node, epoch, id, err);
	if (rc < 0 || *id != 0)
		return rc;
	memcpy(named.node, node, STORE_NODE_ID);
	memcpy(named.epoch, epoch, STORE_EPOCH);
	return add_site(db, c, &named, id, err);
}

const struct store_site *
store_catalog_site_of(struct store_db *db, int id)
{
	static const struct store_site seed = { .id = STORE_SITE_SEED };
	const struct store_site *site =
	        id == STORE_SITE_SEED ? &seed : list_get(&catalog_must(db)->sites, id);

	assert(site != NULL);
	return site;
}

int
store_catalog_site_cmp(struct store_db *db, int a, int b)
{
	const struct store_site *left, *right;
	int order;

	if (a == b)
		return 0;
	left = store_catalog_site_of(db, a);
	right = store_catalog_site_of(db, b);
	order = memcmp(left->node, right->node, STORE_NODE_ID);
	return order != 0 ? order : memcmp(left->epoch, right->epoch, STORE_EPOCH);
}

int
store_catalog_find_scope(struct store_db *db, const char *name, int *id, struct err *err)
{
	struct store_catalog *c = catalog_of(db, err);

	if (c == NULL)
		return err->code;
	for (*id = 1; *id <= c->scopes.count; (*id)++)
		if (c->scopes.items[*id - 1] != NULL && strcmp(c->scopes.items[*id - 1], name) == 0)
			return 0;
	*id = 0;
	return 0;
}

int
store_catalog_scope(struct store_db *db, const char *name, int *id, struct err *err)
{
	struct store_catalog *c = catalog_of(db, err);
	struct store_stmt s;
	char *copy;
	int rc;

	if (c == NULL)
		return err->code;
	rc = store_catalog_find_scope(db, name, id, err);
	if (rc < 0 || *id != 0)
		return rc;
	s = store_stmt_new(db, "INSERT INTO yz_scope(name) VALUES (?)");
	store_stmt_put_text(&s, name);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = bump(db, err);
	if (rc < 0)
		return rc;
	*id = (int)last_id(db);
	copy = arena_copy(&c->arena, name, strlen(name));
	return copy == NULL || list_set(&c->scopes, *id, copy) < 0 ? no_memory(err) : 0;
}

const char *
store_catalog_scope_of(struct store_db *db, int id)
{
	const char *name = list_get(&catalog_must(db)->scopes, id);

	assert(name != NULL);
	return name;
}

/* ---- tables, columns, schemas ---- */

static int
find_or_add_table(struct store_db *db, struct store_catalog *c, const char *name,
                  struct store_table **out, struct err *err)
{
	struct store_stmt s;
	int rc;

	for (int id = 1; id <= c->tables.count; id++) {
		struct store_table *t = c->tables.items[id - 1];

		if (t != NULL && strcmp(t->name, name) == 0) {
			*out = t;
			return 0;
		}
	}
	s = store_stmt_new(db, "INSERT INTO yz_table(name) VALUES (?)");
	store_stmt_put_text(&s, name);
	rc = store_stmt_run(&s, err);
	if (rc < 0)
		return rc;
	*out = add_table(c, (int)last_id(db), name);
	return *out == NULL ? no_memory(err) : 0;
}

static int
register_column(struct store_db *db, struct store_catalog *c, struct store_table *t,
                const struct store_column *col, struct err *err)
{
	struct store_stmt s;
	int rc;

	if (t->column_count >= NAMES_MAX)
		return err_set(err, ERR_INVALID, "table %s has had more than %d column names",
		               t->name, NAMES_MAX);
	s = store_stmt_new(db, "INSERT INTO yz_column(tbl, id, name, rule) VALUES (?, ?, ?, ?)");
	store_stmt_put_int(&s, t->id);
	store_stmt_put_int(&s, t->column_count + 1);
	store_stmt_put_text(&s, col->name);
	store_stmt_put_int(&s, col->rule);
	rc = store_stmt_run(&s, err);
	if (rc < 0)
		return rc;
	return add_column(c, t, col->name, col->rule) < 0 ? no_memory(err) : 0;
}

static int
register_schema(struct store_db *db, struct store_catalog *c, struct store_schema *schema,
                const uint8_t *def, size_t len, struct err *err)
{
	struct store_table *t = NULL;
	struct store_stmt s;
	int rc;

	rc = find_or_add_table(db, c, schema->table, &t, err);
	for (unsigned i = 0; rc == 0 && i < schema->column_count; i++)
		if (column_id(t, schema->columns[i].name) == 0)
			rc = register_column(db, c, t, &schema->columns[i], err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "INSERT INTO yz_schema(tbl, hash, def) VALUES (?, ?, ?)");
	store_stmt_put_int(&s, t->id);
	store_stmt_put_blob(&s, schema->hash, STORE_SCHEMA_HASH);
	store_stmt_put_blob(&s, def, len);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = bump(db, err);
	if (rc < 0)
		return rc;
	number_schema(schema, (int)last_id(db), t);
	return list_set(&c->schemas, schema->id, schema) < 0 ? no_memory(err) : 0;
}

int
store_catalog_learn(struct store_db *db, const uint8_t *def, size_t len,
                    const struct store_schema **out, struct err *err)
{
	struct store_catalog *c = catalog_of(db, err);
	struct store_schema *schema;
	int rc;

	if (c == NULL)
		return err->code;
	rc = store_schema_read(def, len, &c->arena, &schema, err);
	if (rc < 0)
		return rc;
	*out = store_catalog_schema_by_hash(db, schema->hash);
	if (*out != NULL)
		return 0;
	*out = schema;
	return register_schema(db, c, schema, def, len, err);
}

const struct store_schema *
store_catalog_schema(struct store_db *db, int id)
{
	return list_get(&catalog_must(db)->schemas, id);
}

const struct store_schema *
store_catalog_schema_by_hash(struct store_db *db, const uint8_t hash[STORE_SCHEMA_HASH])
{
	const struct list *all = &catalog_must(db)->schemas;

	for (int i = 0; i < all->count; i++) {
		const struct store_schema *s = all->items[i];

		if (s != NULL && memcmp(s->hash, hash, STORE_SCHEMA_HASH) == 0)
			return s;
	}
	return NULL;
}

const struct store_table *
store_catalog_table(struct store_db *db, int id)
{
	const struct store_table *t = list_get(&catalog_must(db)->tables, id);

	assert(t != NULL);
	return t;
}

const struct store_table *
store_catalog_table_by_name(struct store_db *db, const char *name)
{
	const struct list *all = &catalog_must(db)->tables;

	for (int i = 0; i < all->count; i++) {
		const struct store_table *t = all->items[i];

		if (t != NULL && strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

int
store_catalog_table_count(struct store_db *db)
{
	const struct list *all = &catalog_must(db)->tables;
	int count = 0;

	while (list_get(all, count + 1) != NULL)
		count++;
	return count;
}

int
store_catalog_set_local(struct store_db *db, int table_id, const struct store_schema *schema,
                        struct err *err)
{
	struct store_catalog *c = catalog_of(db, err);
	struct store_table *t;
	struct store_stmt s;
	int rc;

	if (c == NULL)
		return err->code;
	t = list_get(&c->tables, table_id);
	assert(t != NULL && (schema == NULL || schema->table_id == table_id));
	s = store_stmt_new(db, "UPDATE yz_table SET schema = ? WHERE id = ?");
	if (schema == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_int(&s, schema->id);
	store_stmt_put_int(&s, table_id);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = bump(db, err);
	if (rc == 0)
		t->local = schema;
	return rc;
}

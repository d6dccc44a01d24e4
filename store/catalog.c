/*
 * store/catalog.c - names get numbers, and numbers their names again.
 *
 * Numbers given in a transaction that rolls back are forgotten with the whole
 * cache (catalog_load.c).
 */
#include "store/catalog_priv.h"
#include "store/db_priv.h"
#include "store/stmt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "catalogue: out of memory");
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
	if (site == NULL || store_catalog_list_set(&c->sites, *id, site) < 0)
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
	struct store_catalog *c = store_catalog_of(db, err);
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
	        id == STORE_SITE_SEED ? &seed
	                              : store_catalog_list_get(&store_catalog_must(db)->sites, id);

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
	struct store_catalog *c = store_catalog_of(db, err);

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
	struct store_catalog *c = store_catalog_of(db, err);
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
	return copy == NULL || store_catalog_list_set(&c->scopes, *id, copy) < 0 ? no_memory(err)
	                                                                         : 0;
}

const char *
store_catalog_scope_of(struct store_db *db, int id)
{
	const char *name = store_catalog_list_get(&store_catalog_must(db)->scopes, id);

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
	*out = store_catalog_add_table(c, (int)last_id(db), name);
	return *out == NULL ? no_memory(err) : 0;
}

static int
register_column(struct store_db *db, struct store_catalog *c, struct store_table *t,
                const struct store_column *col, struct err *err)
{
	struct store_stmt s;
	int rc;

	if (t->column_count >= STORE_NAMES_MAX)
		return err_set(err, ERR_INVALID, "table %s has had more than %d column names",
		               t->name, STORE_NAMES_MAX);
	s = store_stmt_new(db, "INSERT INTO yz_column(tbl, id, name, rule) VALUES (?, ?, ?, ?)");
	store_stmt_put_int(&s, t->id);
	store_stmt_put_int(&s, t->column_count + 1);
	store_stmt_put_text(&s, col->name);
	store_stmt_put_int(&s, col->rule);
	rc = store_stmt_run(&s, err);
	if (rc < 0)
		return rc;
	return store_catalog_add_column(c, t, col) < 0 ? no_memory(err) : 0;
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
		if (store_catalog_column_id(t, schema->columns[i].name) == 0)
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
	store_catalog_number_schema(schema, (int)last_id(db), t);
	return store_catalog_list_set(&c->schemas, schema->id, schema) < 0 ? no_memory(err) : 0;
}

int
store_catalog_learn(struct store_db *db, const uint8_t *def, size_t len,
                    const struct store_schema **out, struct err *err)
{
	struct store_catalog *c = store_catalog_of(db, err);
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
	return store_catalog_list_get(&store_catalog_must(db)->schemas, id);
}

const struct store_schema *
store_catalog_schema_by_hash(struct store_db *db, const uint8_t hash[STORE_SCHEMA_HASH])
{
	const struct store_catalog_list *all = &store_catalog_must(db)->schemas;

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
	const struct store_table *t = store_catalog_list_get(&store_catalog_must(db)->tables, id);

	assert(t != NULL);
	return t;
}

const struct store_table *
store_catalog_table_by_name(struct store_db *db, const char *name)
{
	const struct store_catalog_list *all = &store_catalog_must(db)->tables;

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
	const struct store_catalog_list *all = &store_catalog_must(db)->tables;
	int count = 0;

	while (store_catalog_list_get(all, count + 1) != NULL)
		count++;
	return count;
}

int
store_catalog_set_local(struct store_db *db, int table_id, const struct store_schema *schema,
                        struct err *err)
{
	struct store_catalog *c = store_catalog_of(db, err);
	struct store_table *t;
	struct store_stmt s;
	int rc;

	if (c == NULL)
		return err->code;
	t = store_catalog_list_get(&c->tables, table_id);
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

int
store_catalog_set_here(struct store_db *db, int table_id, int column_id, const char *here,
                       struct err *err)
{
	struct store_stmt s;
	int rc;

	if (store_catalog_of(db, err) == NULL)
		return err->code;
	s = store_stmt_new(db, "UPDATE yz_column SET here = ? WHERE tbl = ? AND id = ?");
	if (here == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_text(&s, here);
	store_stmt_put_int(&s, table_id);
	store_stmt_put_int(&s, column_id);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = bump(db, err);
	store_catalog_forget(db);
	return rc < 0 || store_catalog_of(db, err) != NULL ? rc : err->code;
}

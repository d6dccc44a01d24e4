/*
 * store/catalog_load.c - the catalogue's cache: read in, still good, forgotten.
 *
 * yz_meta "turn" counts changes of the catalogue, so that one cheap look at the
 * start of a transaction tells whether the cache still holds.
 */
#include "store/catalog_priv.h"
#include "store/db_priv.h"
#include "store/stmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	store_catalog_cache_free(c);
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
		if (site == NULL || store_catalog_list_set(&c->sites, id, site) < 0) {
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

		if (copy == NULL || store_catalog_list_set(&c->scopes, id, copy) < 0) {
			rc = no_memory(err);
			break;
		}
	}
	store_stmt_end(&s);
	return rc;
}

static int
load_columns(struct store_db *db, struct store_catalog *c, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT tbl, rule, name, here FROM yz_column ORDER BY tbl, id");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct store_table *t =
		        store_catalog_list_get(&c->tables, (int)store_stmt_get_int(&s));
		struct store_column column = { .rule = (uint8_t)store_stmt_get_int(&s) };

		column.name = store_stmt_get_text(&s);
		column.here = store_stmt_null(&s) ? NULL : store_stmt_get_text(&s);
		if (t != NULL && store_catalog_add_column(c, t, &column) < 0) {
			rc = no_memory(err);
			break;
		}
	}
	store_stmt_end(&s);
	return rc;
}

static int
load_schemas(struct store_db *db, struct store_catalog *c, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT id, tbl, def FROM yz_schema");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		int id = (int)store_stmt_get_int(&s);
		struct store_table *t =
		        store_catalog_list_get(&c->tables, (int)store_stmt_get_int(&s));
		struct store_schema *schema;
		size_t len;
		const uint8_t *def = store_stmt_get_blob(&s, &len);

		rc = store_schema_read(def, len, &c->arena, &schema, err);
		if (rc == 0 && t != NULL)
			store_catalog_number_schema(schema, id, t);
		if (rc == 0 && store_catalog_list_set(&c->schemas, id, schema) < 0)
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

		if (store_catalog_add_table(c, id, store_stmt_get_text(&s)) == NULL) {
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
		struct store_table *t =
		        store_catalog_list_get(&c->tables, (int)store_stmt_get_int(&s));

		if (t != NULL)
			t->local = store_catalog_list_get(&c->schemas, (int)store_stmt_get_int(&s));
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

struct store_catalog *
store_catalog_of(struct store_db *db, struct err *err)
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

struct store_catalog *
store_catalog_must(struct store_db *db)
{
	struct err err;
	struct store_catalog *c;

	if (db->catalog != NULL && db->catalog_checked)
		return db->catalog; /* a merge asks a dozen times a row */
	c = store_catalog_of(db, &err);
	if (c == NULL)
		c = db->catalog;
	if (c == NULL) {
		fprintf(stderr, "yizhan: the catalogue can't be read: %s\n", err.msg);
		abort();
	}
	return c;
}

/*
 * store/pg/names.c - reading names in, and adding one.
 *
 * Numbers are given out under the head of the last part: 1, 2, 3 ... without
 * gaps, so "what is new" is what is greater than the count.
 */
#include "store/pg/names.h"

#include "store/pg/call_priv.h"

#include <assert.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "postgres: names: out of memory");
}

static int
names_part(const struct store_pg *pg)
{
	return store_pg_parts(pg) - 1;
}

/* Rows above those that are known; each `take` is of one row. */
static int
read_new(struct store_pg *pg, const char *sql, int *count,
         int (*take)(struct store_pg *pg, const struct store_pg_call *c, int row, struct err *err),
         struct err *err)
{
	struct store_pg_call c = store_pg_call(pg, sql);
	int rc, rows;

	store_pg_put_int4(&c, names_part(pg));
	store_pg_put_int4(&c, *count);
	rc = rows = store_pg_ask(&c, err);
	for (int row = 0; rc >= 0 && row < rows; row++) {
		if (store_pg_get_int4(&c, row, 0) != *count + 1)
			rc = err_set(err, ERR_CORRUPT,
			             "postgres: number %d is missing among the names", *count + 1);
		else
			rc = take(pg, &c, row, err);
		*count += rc >= 0;
	}
	store_pg_call_end(&c);
	return rc < 0 ? rc : 0;
}

static int
take_site(struct store_pg *pg, const struct store_pg_call *c, int row, struct err *err)
{
	struct store_site *site = arena_take(&pg->names.arena, 1, sizeof *site);
	int rc;

	if (site == NULL)
		return no_memory(err);
	site->id = store_pg_get_int4(c, row, 0);
	rc = store_pg_get_exactly(c, row, 1, site->node, STORE_NODE_ID, err);
	if (rc == 0)
		rc = store_pg_get_exactly(c, row, 2, site->epoch, STORE_EPOCH, err);
	if (rc == 0 && store_catalog_list_set(&pg->names.sites, site->id, site) < 0)
		return no_memory(err);
	return rc;
}

static int
take_scope(struct store_pg *pg, const struct store_pg_call *c, int row, struct err *err)
{
	const char *name = store_pg_get_text(c, row, 1);
	char *copy = arena_copy(&pg->names.arena, name, strlen(name));

	if (copy == NULL ||
	    store_catalog_list_set(&pg->names.scopes, store_pg_get_int4(c, row, 0), copy) < 0)
		return no_memory(err);
	return 0;
}

/* ---- schemas, and with them tables and columns ---- */

/* The table of that name, one more if there is none. */
static struct store_table *
table_of(struct store_catalog *names, const char *name)
{
	int id = 1;
	struct store_table *t;

	for (; (t = store_catalog_list_get(&names->tables, id)) != NULL; id++)
		if (strcmp(t->name, name) == 0)
			return t;
	return store_catalog_add_table(names, id, name);
}

static int
add_columns(struct store_catalog *names, struct store_table *t, const struct store_schema *schema,
            struct err *err)
{
	for (unsigned i = 0; i < schema->column_count; i++) {
		if (store_catalog_column_id(t, schema->columns[i].name) != 0)
			continue;
		if (t->column_count >= STORE_NAMES_MAX)
			return err_set(err, ERR_INVALID,
			               "table %s has had more than %d column names", t->name,
			               STORE_NAMES_MAX);
		if (store_catalog_add_column(names, t, &schema->columns[i]) < 0)
			return no_memory(err);
	}
	return 0;
}

static int
take_schema(struct store_pg *pg, const struct store_pg_call *c, int row, struct err *err)
{
	struct store_schema *schema;
	struct store_table *t;
	size_t len;
	const uint8_t *def = store_pg_get_bytes(c, row, 1, &len);
	int rc = store_schema_read(def, len, &pg->names.arena, &schema, err);

	if (rc < 0)
		return rc;
	t = table_of(&pg->names, schema->table);
	if (t == NULL)
		return no_memory(err);
	rc = add_columns(&pg->names, t, schema, err);
	if (rc < 0)
		return rc;
	store_catalog_number_schema(schema, store_pg_get_int4(c, row, 0), t);
	return store_catalog_list_set(&pg->names.schemas, schema->id, schema) < 0 ? no_memory(err)
	                                                                          : 0;
}

int
store_pg_refresh(struct store_pg *pg, struct err *err)
{
	int rc = read_new(pg,
	                  "SELECT id, node, epoch FROM yz_site WHERE part = $1 AND id > $2"
	                  " ORDER BY id",
	                  &pg->site_count, take_site, err);

	if (rc == 0)
		rc = read_new(pg,
		              "SELECT id, name FROM yz_scope WHERE part = $1 AND id > $2"
		              " ORDER BY id",
		              &pg->scope_count, take_scope, err);
	if (rc == 0)
		rc = read_new(pg,
		              "SELECT id, def FROM yz_schema WHERE part = $1 AND id > $2"
		              " ORDER BY id",
		              &pg->schema_count, take_schema, err);
	return rc;
}

/* ---- registering ---- */

/* A name of one of the three kinds. */
struct named {
	const uint8_t *bytes, *epoch; /* a site's node and epoch; a schema's definition */
	size_t len;
	const char *text; /* a scope's */
	const int *known; /* numbers of its kind up to this are read in */
	/* what is done with it */
	int (*find)(struct store_pg *pg, const struct named *name, int *id, struct err *err);
	int (*add)(struct store_pg *pg, const struct named *name, struct err *err);
};

/* Under the lock: is it there by now?  A commit whose answer was lost may have put it there, too.
 */
static int
add_if_new(struct store_pg *pg, void *ctx, struct err *err)
{
	const struct named *name = ctx;
	int id = 0;
	int rc = store_pg_refresh(pg, err);

	if (rc == 0)
		rc = name->find(pg, name, &id, err);
	if (rc == 0 && id == 0)
		rc = name->add(pg, name, err);
	return rc < 0 ? rc : 0;
}

enum { TRIES = 8 };

static int
number_of(struct store_pg *pg, struct named *name, int *id, struct err *err)
{
	int part = names_part(pg);
	const struct store_pg_work work = {
		.parts = &part, .part_count = 1, .tries = TRIES, .work = add_if_new, .ctx = name
	};
	int rc;

	assert(!pg->in_transaction);
	rc = name->find(pg, name, id, err);
	if (rc == 0 && *id == 0)
		rc = store_pg_do(pg, &work, err);
	if (rc == 0 && *id == 0)
		rc = store_pg_refresh(pg, err);
	if (rc == 0 && *id == 0)
		rc = name->find(pg, name, id, err);
	if (rc == 0 && *id > *name->known)
		rc = store_pg_refresh(pg, err);
	return rc;
}

/* The number in the first column, 0 without rows. */
static int
found(struct store_pg_call *c, int *id, struct err *err)
{
	int rc = store_pg_ask(c, err);

	*id = rc > 0 ? store_pg_get_int4(c, 0, 0) : 0;
	store_pg_call_end(c);
	return rc < 0 ? rc : 0;
}

static int
find_site(struct store_pg *pg, const struct named *name, int *id, struct err *err)
{
	struct store_pg_call c = store_pg_call(
	        pg, "SELECT id FROM yz_site WHERE part = $1 AND node = $2 AND epoch = $3");

	store_pg_put_int4(&c, names_part(pg));
	store_pg_put_bytes(&c, name->bytes, STORE_NODE_ID);
	store_pg_put_bytes(&c, name->epoch, STORE_EPOCH);
	return found(&c, id, err);
}

static int
add_site(struct store_pg *pg, const struct named *name, struct err *err)
{
	struct store_pg_call c = store_pg_call(
	        pg, "INSERT INTO yz_site(part, id, node, epoch) VALUES ($1, $2, $3, $4)");

	store_pg_put_int4(&c, names_part(pg));
	store_pg_put_int4(&c, pg->site_count + 1);
	store_pg_put_bytes(&c, name->bytes, STORE_NODE_ID);
	store_pg_put_bytes(&c, name->epoch, STORE_EPOCH);
	return store_pg_run(&c, err);
}

static int
find_scope(struct store_pg *pg, const struct named *name, int *id, struct err *err)
{
	struct store_pg_call c =
	        store_pg_call(pg, "SELECT id FROM yz_scope WHERE part = $1 AND name = $2");

	store_pg_put_int4(&c, names_part(pg));
	store_pg_put_text(&c, name->text);
	return found(&c, id, err);
}

static int
add_scope(struct store_pg *pg, const struct named *name, struct err *err)
{
	struct store_pg_call c =
	        store_pg_call(pg, "INSERT INTO yz_scope(part, id, name) VALUES ($1, $2, $3)");

	store_pg_put_int4(&c, names_part(pg));
	store_pg_put_int4(&c, pg->scope_count + 1);
	store_pg_put_text(&c, name->text);
	return store_pg_run(&c, err);
}

/* There are few, and all are known here or new. */
static int
find_schema(struct store_pg *pg, const struct named *name, int *id, struct err *err)
{
	struct arena a = { 0 };
	struct store_schema *schema;
	int rc = store_schema_read(name->bytes, name->len, &a, &schema, err);

	*id = 0;
	for (int i = 1; rc == 0 && *id == 0 && i <= pg->schema_count; i++)
		if (memcmp(store_pg_schema_of(pg, i)->hash, schema->hash, STORE_SCHEMA_HASH) == 0)
			*id = i;
	arena_free(&a);
	return rc;
}

static int
add_schema(struct store_pg *pg, const struct named *name, struct err *err)
{
	struct store_pg_call c =
	        store_pg_call(pg, "INSERT INTO yz_schema(part, id, def) VALUES ($1, $2, $3)");

	store_pg_put_int4(&c, names_part(pg));
	store_pg_put_int4(&c, pg->schema_count + 1);
	store_pg_put_bytes(&c, name->bytes, name->len);
	return store_pg_run(&c, err);
}

int
store_pg_site(struct store_pg *pg, const uint8_t node[STORE_NODE_ID],
              const uint8_t epoch[STORE_EPOCH], int *id, struct err *err)
{
	struct named name = { .bytes = node,
		              .epoch = epoch,
		              .known = &pg->site_count,
		              .find = find_site,
		              .add = add_site };

	return number_of(pg, &name, id, err);
}

int
store_pg_scope(struct store_pg *pg, const char *text, int *id, struct err *err)
{
	struct named name = {
		.text = text, .known = &pg->scope_count, .find = find_scope, .add = add_scope
	};

	return number_of(pg, &name, id, err);
}

int
store_pg_learn(struct store_pg *pg, const uint8_t *def, size_t len,
               const struct store_schema **schema, struct err *err)
{
	struct named name = { .bytes = def,
		              .len = len,
		              .known = &pg->schema_count,
		              .find = find_schema,
		              .add = add_schema };
	int id;
	int rc = number_of(pg, &name, &id, err);

	*schema = rc == 0 ? store_pg_schema_of(pg, id) : NULL;
	return rc;
}

/* ---- asking ---- */

const struct store_site *
store_pg_site_of(struct store_pg *pg, int id)
{
	static const struct store_site seed = { .id = STORE_SITE_SEED };

	return id == STORE_SITE_SEED ? &seed : store_catalog_list_get(&pg->names.sites, id);
}

const char *
store_pg_scope_of(struct store_pg *pg, int id)
{
	return store_catalog_list_get(&pg->names.scopes, id);
}

const struct store_schema *
store_pg_schema_of(struct store_pg *pg, int id)
{
	return store_catalog_list_get(&pg->names.schemas, id);
}

const struct store_table *
store_pg_table_of(struct store_pg *pg, int id)
{
	return store_catalog_list_get(&pg->names.tables, id);
}

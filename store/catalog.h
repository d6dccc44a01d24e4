/*
 * store/catalog.h - the small integers that stand for long names in this file:
 * sites, scopes, tables, columns, schemas.  They never leave the database.
 *
 * Everything is cached per connection; the cache is dropped when a transaction
 * rolls back or another process has changed the catalogue.  Pointers live until
 * the transaction ends.
 */
#ifndef STORE_CATALOG_H
#define STORE_CATALOG_H

#include "store/db.h"
#include "store/schema.h"

enum { STORE_NODE_ID = 16, STORE_EPOCH = 8 };
enum { STORE_NAMES_MAX = 1024 }; /* columns ever seen of one table */

struct store_site {
	int id;
	uint8_t node[STORE_NODE_ID];
	uint8_t epoch[STORE_EPOCH];
};

/* What store_row_term() remembers of a table's latest row: which cells it had, which of those with
 * a version of their own, and the hash of their names. */
enum { STORE_TERM_NAMES = 16 };

struct store_term_memo {
	uint64_t cells, own; /* by place in by_name */
	bool known;
	uint8_t names[STORE_TERM_NAMES];
};

/* A table name anybody has ever used here, with every column name of it. */
struct store_table {
	int id;
	const char *name;
	const struct store_schema
	        *local;               /* as it is tracked in this file now; NULL if it isn't here */
	unsigned column_count;        /* ids are 1..column_count */
	const char *const *names;     /* [id - 1] */
	const char *const *here;      /* [id - 1], what this file's table calls it */
	const uint8_t *rules;         /* [id - 1], enum store_rule, as any schema said it */
	const int *by_name;           /* ids in the order of their names (memcmp) */
	struct store_term_memo *memo; /* NULL: nothing is remembered */
};

/* Site 0 wrote the catalogue seeds of the migrations; it has no stream and sorts first. */
enum { STORE_SITE_SEED = 0 };

/* The number of (node, epoch), registering it if new. */
MUST_CHECK int store_catalog_site(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                                  const uint8_t epoch[STORE_EPOCH], int *id, struct err *err);

/* The same without registering: *id is 0 if nobody has named that site, or that scope, yet. */
MUST_CHECK int store_catalog_find_site(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                                       const uint8_t epoch[STORE_EPOCH], int *id, struct err *err);
MUST_CHECK int store_catalog_find_scope(struct store_db *db, const char *name, int *id,
                                        struct err *err);

/* What a site number stands for; asserts that it exists. */
const struct store_site *store_catalog_site_of(struct store_db *db, int id);

/* The same order on every replica: memcmp of node, then epoch. */
int store_catalog_site_cmp(struct store_db *db, int a, int b);

/* The public key of a site, once known: 1 and the key, or 0. */
MUST_CHECK int store_catalog_site_key(struct store_db *db, int site, uint8_t key[32],
                                      struct err *err);
MUST_CHECK int store_catalog_set_site_key(struct store_db *db, int site, const uint8_t key[32],
                                          struct err *err);

/* Does any site of that node have this key?  1 or 0. */
MUST_CHECK int store_catalog_is_node_key(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                                         const uint8_t key[32], struct err *err);

/* The number of a scope's name, registering it if new. */
MUST_CHECK int store_catalog_scope(struct store_db *db, const char *name, int *id, struct err *err);

/* The name of a scope's number; asserts that it exists. */
const char *store_catalog_scope_of(struct store_db *db, int id);

/* Register a schema from its definition bytes, with its table and columns; known ones are found by
 * hash. */
MUST_CHECK int store_catalog_learn(struct store_db *db, const uint8_t *def, size_t len,
                                   const struct store_schema **schema, struct err *err);

/* A schema by its number or hash; NULL if unknown. */
const struct store_schema *store_catalog_schema(struct store_db *db, int id);
const struct store_schema *store_catalog_schema_by_hash(struct store_db *db,
                                                        const uint8_t hash[STORE_SCHEMA_HASH]);

/* A table by number (asserts that it exists) or by name (NULL if unknown). */
const struct store_table *store_catalog_table(struct store_db *db, int id);
const struct store_table *store_catalog_table_by_name(struct store_db *db, const char *name);

/* Number of known tables; their ids are 1..count. */
int store_catalog_table_count(struct store_db *db);

/* Say that `schema` (registered) is how its table is tracked in this file now; NULL schema with a
 * table id: no longer. */
MUST_CHECK int store_catalog_set_local(struct store_db *db, int table_id,
                                       const struct store_schema *schema, struct err *err);

/*
 * What this file's table calls a column from now on; NULL: what it travels by.  The cache is
 * dropped, and with it every pointer into it.
 */
MUST_CHECK int store_catalog_set_here(struct store_db *db, int table_id, int column_id,
                                      const char *here, struct err *err);

/* Drop the cache (another process, or a direct change of the yz_ tables). */
void store_catalog_forget(struct store_db *db);

/* Small facts of this file: yz_meta.  get: ERR_NOTFOUND if absent; appended to `out`. */
MUST_CHECK int store_meta_get(struct store_db *db, const char *name, struct buf *out,
                              struct err *err);
MUST_CHECK int store_meta_set(struct store_db *db, const char *name, const void *bytes, size_t len,
                              struct err *err);

/* The same for whole numbers; `missing` if absent. */
MUST_CHECK int store_meta_get_int(struct store_db *db, const char *name, int64_t missing,
                                  int64_t *value, struct err *err);
MUST_CHECK int store_meta_set_int(struct store_db *db, const char *name, int64_t value,
                                  struct err *err);

/* The site that this file writes as now (meta "node" and "epoch"). */
MUST_CHECK int store_meta_self(struct store_db *db, struct store_site *self, struct err *err);

#endif /* STORE_CATALOG_H */

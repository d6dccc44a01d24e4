/*
 * store/pg/names.h - the small integers of a hub in the big engine: one set for
 * all its processes (store/catalog.h has the same for a file).
 *
 * Names are registered in a transaction of their own, before the one that uses
 * them, and never change or go; so what a process has read stays right, and a
 * number that it meets without knowing it is only news to be read.
 *
 * Tables and columns are numbered by the schemas, in the order of those: each
 * process comes to the same numbers by itself.
 */
#ifndef STORE_PG_NAMES_H
#define STORE_PG_NAMES_H

#include "store/catalog.h"
#include "store/pg/link.h"

/* The number of (node, epoch), of a scope's name; registering it if new.  Not in a transaction. */
MUST_CHECK int store_pg_site(struct store_pg *pg, const uint8_t node[STORE_NODE_ID],
                             const uint8_t epoch[STORE_EPOCH], int *id, struct err *err);
MUST_CHECK int store_pg_scope(struct store_pg *pg, const char *name, int *id, struct err *err);

/* The schema of these definition bytes (from a peer), registering it if new.  Not in a
 * transaction. */
MUST_CHECK int store_pg_learn(struct store_pg *pg, const uint8_t *def, size_t len,
                              const struct store_schema **schema, struct err *err);

/* Read what other processes have registered since.  Wherever. */
MUST_CHECK int store_pg_refresh(struct store_pg *pg, struct err *err);

/* What a number stands for; NULL if it isn't known yet (store_pg_refresh).  Borrowed from `pg`. */
const struct store_site *store_pg_site_of(struct store_pg *pg, int id);
const char *store_pg_scope_of(struct store_pg *pg, int id);
const struct store_schema *store_pg_schema_of(struct store_pg *pg, int id);
const struct store_table *store_pg_table_of(struct store_pg *pg, int id);

#endif /* STORE_PG_NAMES_H */

/*
 * store/catalog_priv.h - the catalogue's cache, between reading it in
 * (catalog_load.c) and asking or adding to it (catalog.c).
 */
#ifndef STORE_CATALOG_PRIV_H
#define STORE_CATALOG_PRIV_H

#include "store/catalog_cache.h"

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

#endif /* STORE_CATALOG_PRIV_H */

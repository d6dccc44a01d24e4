/*
 * store/pg/link_priv.h - what a connection holds, shared by the files of this
 * folder.
 */
#ifndef STORE_PG_LINK_PRIV_H
#define STORE_PG_LINK_PRIV_H

#include "store/catalog_cache.h"
#include "store/pg/head.h"
#include "store/pg/link.h"

#include <postgresql/libpq-fe.h>

struct store_pg {
	PGconn *conn;
	int facility_parts; /* 0 until store_pg_ready */
	struct store_catalog names;
	int site_count, scope_count, schema_count; /* read in so far: ids are 1..count */
	struct store_pg_head *heads;               /* taken, rising by part; owned */
	int head_count;
	bool in_transaction;
};

/* An explicit transaction. */
MUST_CHECK int store_pg_begin(struct store_pg *pg, struct err *err);
MUST_CHECK int store_pg_commit(struct store_pg *pg, struct err *err);
void store_pg_rollback(struct store_pg *pg);

/* The code for a failed result (or NULL), with the server's sentence. */
int store_pg_failed(struct store_pg *pg, const PGresult *result, struct err *err);

#endif /* STORE_PG_LINK_PRIV_H */

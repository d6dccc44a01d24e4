/*
 * store/db_priv.h - what other files of store/ may see of a store_db.
 *
 * Only store/ includes this: no sqlite3 type may leave the folder.
 */
#ifndef STORE_DB_PRIV_H
#define STORE_DB_PRIV_H

#include "store/db.h"
#include "store/source_priv.h"

#include <sqlite3.h>

struct store_catalog;

enum { STORE_KEPT_MAX = 256 };

/* A compiled statement that waits for its text to come by again. */
struct store_kept {
	char *sql;
	sqlite3_stmt *handle;
	uint64_t used; /* when it was taken last */
	bool in_use;
};

struct store_db {
	sqlite3 *handle;
	const struct env *env;
	enum store_mode mode;
	struct store_catalog *catalog; /* store/catalog.c; NULL until asked for */
	int64_t catalog_generation;    /* counts how often the cache was dropped */
	bool catalog_checked;          /* its turn was looked at in this transaction */
	bool is_old;                   /* READ: the file has an older format */
	bool begun;      /* by store_db_begin(), and neither committed nor rolled back */
	int64_t written; /* rows that this connection had written when it began */
	struct err doom; /* why what was begun can't be committed; code 0: it can */
	struct store_kept kept[STORE_KEPT_MAX];
	uint64_t kept_count;        /* statements taken so far */
	struct store_source source; /* what yz_source shows (MERGE only) */
	uint8_t id_prefix[9];       /* store/id.c: site prefix (5) and run (4) */
	uint32_t id_count;          /* ids made in this run; 0: no run yet */
	int64_t id_ms;
	char refused[64]; /* store/protect.c: what the last refused statement would have changed */
};

/* The kind of error that SQLite's `status` is. */
int store_db_code(int status);

/* Turn SQLite's `status` into an error with its words; returns a code < 0. */
int store_db_fail(struct store_db *db, struct err *err, int status);

/*
 * A transaction in which the disk or the memory has failed is over, whoever was asking: SQLite
 * undoes it by itself, and what came after would be written statement by statement; and a right
 * that could not be looked up is not a right refused.  Every later statement and the commit fail
 * with the first failure's words, until it is rolled back.
 */
void store_db_doom(struct store_db *db, int status);
int store_db_doomed(const struct store_db *db, struct err *err);

/* Bring the engine's tables to this version (store/migrate.c). */
MUST_CHECK int store_migrate(struct store_db *db, struct err *err);

/* For those who only read: ERR_INVALID if a newer program has made the file over. */
MUST_CHECK int store_migrate_look(struct store_db *db, struct err *err);

/* Before opening: a log that is there is read as the medium has it (store/wal.c). */
int store_wal_settle(const char *path, const struct env *env, struct err *err);

/* After opening to write: the log's name is on the medium. */
int store_wal_keep_name(const char *path, const struct env *env, struct err *err);

/* Make yz_id() known to this connection (store/id.c). */
int store_id_register(struct store_db *db);

/* Make yz_key(COLUMN, ...) known to it: the canonical key of these values (store/key_sql.c). */
int store_key_sql_register(struct store_db *db);

/* Free the catalogue's cache. */
void store_catalog_close(struct store_db *db);

#endif /* STORE_DB_PRIV_H */

/*
 * store/db.h - one connection to the one SQLite file, and its transactions.
 *
 * A store_db belongs to one thread.  The daemon's writing thread owns two: LOCAL
 * (people's and the facility's own writes: triggers, foreign keys and CHECK on)
 * and MERGE (what comes from elsewhere: all three off).  Everybody else reads.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "store/base/env.h"
#include "store/base/err.h"

#include <stdbool.h>

struct store_db;

enum store_mode {
	STORE_LOCAL, /* read and write as any program would; captured by the triggers */
	STORE_MERGE, /* seal and merge: triggers, foreign keys and CHECK off */
	STORE_READ,  /* query_only */
};

/* The oldest SQLite we run with (WAL-reset bug before it), as sqlite3_libversion_number(). */
enum { STORE_SQLITE_MIN = 3051003 };

/* ERR_INVALID with a sentence if `version` (3051003 for 3.51.3) is older than STORE_SQLITE_MIN. */
MUST_CHECK int store_db_check_version(int version, struct err *err);

/*
 * Create the database file at `path` with the engine's tables.  ERR_BUSY... ERR_INVALID if it
 * exists. `env` is borrowed for the life of the process.
 */
MUST_CHECK int store_db_create(const char *path, const struct env *env, struct err *err);

/*
 * Open the database at `path` (":memory:" creates one).  WAL, synchronous=FULL, no automatic
 * checkpoint; brings older engine tables to this version (not with STORE_READ: store_db_is_old).
 * ERR_NOTFOUND if there is none, ERR_INVALID if a newer program made it.  The caller owns *db.
 */
MUST_CHECK int store_db_open(const char *path, enum store_mode mode, const struct env *env,
                             struct store_db **db, struct err *err);

/* Does it read a file whose engine tables an older program has left?  What is asked of it may fail
 * until somebody has opened it to write. */
bool store_db_is_old(const struct store_db *db);

/* Close `db`; NULL is allowed.  An open transaction is rolled back. */
void store_db_close(struct store_db *db);

/* BEGIN IMMEDIATE (BEGIN with STORE_READ).  Waits up to 10 s for another writer, then ERR_BUSY. */
MUST_CHECK int store_db_begin(struct store_db *db, struct err *err);

/* Make the transaction durable. */
MUST_CHECK int store_db_commit(struct store_db *db, struct err *err);

/* Undo the transaction, if there is one; forgets every number learnt in it. */
void store_db_rollback(struct store_db *db);

/* Is a transaction open? */
bool store_db_in_transaction(const struct store_db *db);

/* Run several statements without parameters or results. */
MUST_CHECK int store_db_exec(struct store_db *db, const char *sql, struct err *err);

/* Checkpoint the WAL if it has at least `pages` pages (PASSIVE; TRUNCATE for 0); *left gets the
 * pages that stay. */
MUST_CHECK int store_db_checkpoint(struct store_db *db, int pages, int *left, struct err *err);

/* Forget the pages kept in memory, up to 16 MB of them: the next that is asked for is read again.
 * What an open transaction has changed stays. */
void store_db_slim(struct store_db *db);

/* The environment given at open. */
const struct env *store_db_env(const struct store_db *db);

/* Moves when another connection has committed (PRAGMA data_version). */
MUST_CHECK int store_db_version(struct store_db *db, int64_t *version, struct err *err);

/* Copy the whole database into a new file at `path` (SQLite's online backup), by way of
 * `path`.part: the name is there only when the copy is whole, and durable when this returns 0.
 * ERR_INVALID if it is there already.  Files only, no VFS of somebody's own. */
MUST_CHECK int store_db_backup(struct store_db *db, const char *path, struct err *err);

#endif /* STORE_DB_H */

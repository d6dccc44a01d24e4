/*
 * store/db.c - opening the one file the right way.
 *
 * WAL with synchronous=FULL: a commit that has returned survives a power cut.
 * No automatic checkpoint: the daemon's writing thread does it from 400 pages
 * on, so that no reader ever pays for it and a foreign, older SQLite's own at
 * 1 000 pages is not reached in ordinary use.
 *
 * secure_delete=ON, not FAST, which leaves pages that became free as they were:
 * a child's row that is deleted is to be gone from the file.  Sealing writes 6 %
 * more bytes for it, merging 1.4 %, and both take the same time.
 *
 * Who writes doesn't ask for temp_store=MEMORY: a statement with a trigger keeps
 * a journal of its own, which in that mode takes its memory by the kilobyte and
 * made each captured insert a sixth slower; by default it is in memory too, up
 * to 64 KiB.
 */
#include "store/db.h"
#include "store/base/file.h"
#include "store/base/mutant.h"
#include "store/catalog.h"
#include "store/db_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 10000 };

static const char pragmas_all[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
        "PRAGMA cache_size=-16384; PRAGMA secure_delete=ON;"
        "PRAGMA journal_size_limit=4194304;"; /* a log that a long reader made grow shrinks again */
static const char *const pragmas_mode[] = {
	[STORE_LOCAL] = "PRAGMA foreign_keys=ON;",
	[STORE_MERGE] = "PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON;",
	[STORE_READ] = "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY;",
};

int
store_db_check_version(int version, struct err *err)
{
	if (version >= STORE_SQLITE_MIN)
		return 0;
	return err_set(err, ERR_INVALID,
	               "SQLite %d.%d.%d can lose commits when two connections checkpoint at once "
	               "(WAL-reset bug); "
	               "at least 3.51.3 is needed: rebuild with a newer SQLITE_DIR",
	               version / 1000000, version / 1000 % 1000, version % 1000);
}

static int
configure(struct store_db *db)
{
	int status = sqlite3_busy_timeout(db->handle, BUSY_MS);

	sqlite3_extended_result_codes(db->handle, 1);
	if (status == SQLITE_OK)
		status = sqlite3_exec(db->handle, pragmas_all, NULL, NULL, NULL);
	if (status == SQLITE_OK && MUT(21))
		status = sqlite3_exec(db->handle, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	if (status == SQLITE_OK)
		status = store_id_register(db);
	if (status == SQLITE_OK)
		status = store_key_sql_register(db);
	if (status == SQLITE_OK && db->mode == STORE_MERGE)
		status = store_source_register(db->handle, &db->source);
	if (status == SQLITE_OK && db->mode == STORE_MERGE)
		status = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return status;
}

static int
open_handle(const char *path, enum store_mode mode, const struct env *env, int flags,
            struct store_db **out, struct err *err)
{
	struct store_db *db = NULL;
	int status, rc;

	rc = store_db_check_version(sqlite3_libversion_number(), err);
	if (rc < 0)
		return rc;
	db = calloc(1, sizeof *db);
	if (db == NULL)
		return err_set(err, ERR_NOMEM, "open %s: out of memory", path);
	db->env = env;
	db->mode = mode;
	status = sqlite3_open_v2(path, &db->handle, flags, env->vfs);
	if (status == SQLITE_OK)
		status = configure(db);
	if (status != SQLITE_OK) {
		store_db_fail(db, err, status);
		rc = err_wrap(err, "open %s", path);
		store_db_close(db);
		return rc;
	}
	*out = db;
	return 0;
}

int
store_db_create(const char *path, const struct env *env, struct err *err)
{
	struct store_db *db = NULL;
	int rc;

	if (env->vfs == NULL && access(path, F_OK) == 0)
		return err_set(err, ERR_INVALID, "%s is there already", path);
	rc = open_handle(path, STORE_MERGE, env, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db,
	                 err);
	if (rc == 0)
		rc = store_migrate(db, err);
	store_db_close(db);
	return rc;
}

int
store_db_open(const char *path, enum store_mode mode, const struct env *env, struct store_db **out,
              struct err *err)
{
	struct store_db *db = NULL;
	bool memory;
	int status, rc;

	assert(path != NULL && out != NULL);
	*out = NULL;
	memory = strcmp(path, ":memory:") == 0;
	if (!memory && env->vfs == NULL && access(path, F_OK) != 0)
		return err_set(err, ERR_NOTFOUND,
		               "%s: there is no such database; make one with: yizhan -C DIR init",
		               path);
	if (!memory && store_wal_settle(path, env, err) < 0)
		return err->code;
	rc = open_handle(path, mode, env, SQLITE_OPEN_READWRITE | (memory ? SQLITE_OPEN_CREATE : 0),
	                 &db, err);
	if (rc < 0)
		return rc;
	rc = mode == STORE_READ ? store_migrate_look(db, err) : store_migrate(db, err);
	if (rc == 0 && mode != STORE_READ && !memory)
		rc = store_wal_keep_name(path, env, err);
	if (rc == 0) {
		status = sqlite3_exec(db->handle, pragmas_mode[mode], NULL, NULL, NULL);
		if (status == SQLITE_OK && mode == STORE_MERGE && MUT(115))
			status = sqlite3_exec(db->handle, "PRAGMA foreign_keys=ON", NULL, NULL,
			                      NULL);
		if (status != SQLITE_OK)
			rc = store_db_fail(db, err, status);
	}
	if (rc < 0) {
		rc = err_wrap(err, "open %s", path);
		store_db_close(db);
		return rc;
	}
	*out = db;
	return 0;
}

static void
drop_kept(struct store_db *db)
{
	for (size_t i = 0; i < STORE_KEPT_MAX; i++) {
		assert(!db->kept[i].in_use); /* else a statement was never ended */
		sqlite3_finalize(db->kept[i].handle);
		free(db->kept[i].sql);
	}
}

void
store_db_close(struct store_db *db)
{
	int status;

	if (db == NULL)
		return;
	store_db_rollback(db);
	store_catalog_close(db);
	drop_kept(db);
	status = sqlite3_close(db->handle);
	assert(status == SQLITE_OK); /* else a statement was never ended */
	(void)status;
	free(db);
}

int
store_db_exec(struct store_db *db, const char *sql, struct err *err)
{
	int rc = store_db_doomed(db, err), status;

	if (rc < 0)
		return rc;
	status = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return status == SQLITE_OK ? 0 : store_db_fail(db, err, status);
}

int
store_db_begin(struct store_db *db, struct err *err)
{
	int rc;

	assert(!store_db_in_transaction(db));
	db->catalog_checked = false;
	rc = store_db_exec(db, db->mode == STORE_READ ? "BEGIN" : "BEGIN IMMEDIATE", err);
	db->begun = rc == 0;
	db->written = sqlite3_total_changes64(db->handle);
	return rc;
}

int
store_db_commit(struct store_db *db, struct err *err)
{
	int rc;

	assert(store_db_in_transaction(db));
	db->catalog_checked = false;
	rc = store_db_exec(db, "COMMIT", err);
	db->begun = rc < 0;
	return rc;
}

/* What the catalogue's cache says of rows that are undone goes with them.  A look, which has
 * written nothing, leaves it as it is: to read it in again costs more than most looks. */
void
store_db_rollback(struct store_db *db)
{
	if (db->handle == NULL || !store_db_in_transaction(db))
		return;
	sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL); /* SQLite may have done it */
	db->begun = false;
	db->doom.code = 0;
	db->catalog_checked = false;
	if (sqlite3_total_changes64(db->handle) != db->written)
		store_catalog_forget(db);
}

bool
store_db_in_transaction(const struct store_db *db)
{
	return db->begun || sqlite3_get_autocommit(db->handle) == 0;
}

void
store_db_slim(struct store_db *db)
{
	sqlite3_db_release_memory(db->handle);
}

int
store_db_checkpoint(struct store_db *db, int pages, int *left, struct err *err)
{
	int in_wal = 0, moved = 0, status;

	*left = 0;
	if (pages > 0) {
		status = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_NOOP,
		                                   &in_wal, &moved);
		if (status != SQLITE_OK || in_wal - moved < pages) {
			*left = in_wal - moved;
			return status == SQLITE_OK ? 0 : store_db_fail(db, err, status);
		}
	}
	status = sqlite3_wal_checkpoint_v2(db->handle, NULL,
	                                   pages > 0 ? SQLITE_CHECKPOINT_PASSIVE
	                                             : SQLITE_CHECKPOINT_TRUNCATE,
	                                   &in_wal, &moved);
	if (status == SQLITE_BUSY)
		return 0; /* a reader holds it; next time */
	if (status != SQLITE_OK)
		return store_db_fail(db, err, status);
	*left = in_wal - moved;
	return 0;
}

bool
store_db_is_old(const struct store_db *db)
{
	return db->is_old;
}

const struct env *
store_db_env(const struct store_db *db)
{
	return db->env;
}

int
store_db_code(int status)
{
	switch (status & 0xff) {
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_ERROR:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
	case SQLITE_AUTH:
	case SQLITE_READONLY:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

/* The same, where SQLite says less than the system did: a quota, or a file that couldn't be made.
 * A failed sync is never taken for want of room, whatever its cause: what was written is lost. */
static int
code_of(const struct store_db *db, int status)
{
	bool room = status == SQLITE_IOERR_WRITE || status == SQLITE_IOERR_SHMSIZE ||
	            (status & 0xff) == SQLITE_CANTOPEN;

	if (room && db->handle != NULL)
		return err_of_system(sqlite3_system_errno(db->handle));
	return store_db_code(status);
}

void
store_db_doom(struct store_db *db, int status)
{
	int code = code_of(db, status);

	if (db->begun && db->doom.code == 0 &&
	    (code == ERR_IO || code == ERR_NOMEM || code == ERR_CORRUPT || code == ERR_FULL))
		err_set(&db->doom, code, "%s", sqlite3_errstr(status));
}

int
store_db_doomed(const struct store_db *db, struct err *err)
{
	if (db->doom.code != 0)
		return err_set(err, db->doom.code, "%s", db->doom.msg);
	if (db->begun && sqlite3_get_autocommit(db->handle) != 0)
		return err_set(err, ERR_IO, "the transaction was undone");
	return 0;
}

int
store_db_fail(struct store_db *db, struct err *err, int status)
{
	assert(status != SQLITE_OK && status != SQLITE_ROW && status != SQLITE_DONE);
	store_db_doom(db, status);
	if ((status & 0xff) == SQLITE_AUTH && db->refused[0] != 0)
		return err_set(err, ERR_INVALID,
		               "%s is yizhan's own and can only be read; nothing was written, "
		               "change your own tables",
		               db->refused);
	return err_set(err, code_of(db, status), "%s",
	               db->handle == NULL ? sqlite3_errstr(status) : sqlite3_errmsg(db->handle));
}

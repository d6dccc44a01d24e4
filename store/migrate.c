/*
 * store/migrate.c - the engine's own tables, as one append-only list of steps.
 *
 * yz_meta "format" is the number of steps done.  Each step runs in its own
 * transaction together with the new number, so a crash leaves a whole step or
 * none.  A file with a higher number was written by a newer program: refused.
 */
#include "store/base/buf.h"
#include "store/db_priv.h"
#include "store/stmt.h"

static const char step_1[] =
        "CREATE TABLE yz_site(id INTEGER PRIMARY KEY, node BLOB NOT NULL, epoch BLOB NOT NULL, key "
        "BLOB);"
        "CREATE UNIQUE INDEX yz_site_name ON yz_site(node, epoch);"
        "CREATE TABLE yz_scope(id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
        "CREATE UNIQUE INDEX yz_scope_name ON yz_scope(name);"
        /* every table, column and schema anybody has used; schema: how it is tracked here now */
        "CREATE TABLE yz_table(id INTEGER PRIMARY KEY, name TEXT NOT NULL, schema INTEGER,"
        " urgent INTEGER NOT NULL DEFAULT 0);"
        "CREATE TABLE yz_column(tbl INTEGER, id INTEGER, name TEXT NOT NULL, rule INTEGER NOT NULL,"
        " PRIMARY KEY(tbl, id)) WITHOUT ROWID;"
        "CREATE TABLE yz_schema(id INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, hash BLOB NOT NULL, "
        "def BLOB NOT NULL);"
        /* store/log.h */
        "CREATE TABLE yz_log(seq INTEGER PRIMARY KEY, at_ms INTEGER, tv INTEGER, op INTEGER, mask "
        "INTEGER,"
        " k1, k2, k3, k4, val);"
        /* store/clock_priv.h */
        "CREATE TABLE yz_clock(tbl INTEGER, key BLOB, cl INTEGER NOT NULL, stamp INTEGER NOT NULL,"
        " site INTEGER NOT NULL, schema INTEGER NOT NULL, scope INTEGER NOT NULL, extra INTEGER "
        "NOT NULL,"
        " term BLOB NOT NULL, exc BLOB, PRIMARY KEY(tbl, key)) WITHOUT ROWID;"
        "CREATE TABLE yz_clock_run(tbl INTEGER, first BLOB, last BLOB NOT NULL, cl INTEGER NOT "
        "NULL,"
        " stamp INTEGER NOT NULL, site INTEGER NOT NULL, schema INTEGER NOT NULL, scope INTEGER "
        "NOT NULL,"
        " body BLOB NOT NULL, PRIMARY KEY(tbl, first)) WITHOUT ROWID;"
        /* store/batch_sqlite.c */
        "CREATE TABLE yz_extra(tbl INTEGER, key BLOB, col INTEGER, stamp INTEGER NOT NULL, site "
        "INTEGER NOT NULL,"
        " value, PRIMARY KEY(tbl, key, col)) WITHOUT ROWID;"
        "CREATE TABLE yz_digest(scope INTEGER PRIMARY KEY, sum BLOB NOT NULL, rows INTEGER NOT "
        "NULL);"
        /* store/stream.c */
        "CREATE TABLE yz_stream(id INTEGER PRIMARY KEY, site INTEGER NOT NULL, scope INTEGER NOT "
        "NULL,"
        " n INTEGER NOT NULL, head BLOB NOT NULL, last_stamp INTEGER NOT NULL, seed_day INTEGER "
        "NOT NULL,"
        " seed BLOB NOT NULL, seen BLOB);"
        "CREATE UNIQUE INDEX yz_stream_name ON yz_stream(site, scope);"
        "CREATE TABLE yz_stream_schema(stream INTEGER, no INTEGER, schema INTEGER NOT NULL,"
        " PRIMARY KEY(stream, no)) WITHOUT ROWID;"
        "CREATE TABLE yz_ack(stream INTEGER, hub_epoch BLOB, n INTEGER NOT NULL,"
        " PRIMARY KEY(stream, hub_epoch)) WITHOUT ROWID;"
        "CREATE TABLE yz_segment(id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, first INTEGER "
        "NOT NULL,"
        " last INTEGER NOT NULL, head_before BLOB NOT NULL, head BLOB NOT NULL, signature BLOB, "
        "key BLOB,"
        " day INTEGER NOT NULL, sealed_ms INTEGER NOT NULL, seeds BLOB NOT NULL, raw_len INTEGER "
        "NOT NULL,"
        " body BLOB NOT NULL);"
        "CREATE UNIQUE INDEX yz_segment_place ON yz_segment(stream, last);"
        "CREATE TABLE yz_seen(stream INTEGER, from_stamp INTEGER, seen BLOB NOT NULL,"
        " PRIMARY KEY(stream, from_stamp)) WITHOUT ROWID;"
        /* store/inbox.c */
        "CREATE TABLE yz_conflict(id BLOB PRIMARY KEY, scope INTEGER NOT NULL, tbl INTEGER NOT "
        "NULL, key BLOB NOT NULL,"
        " col INTEGER NOT NULL, shown_stamp INTEGER NOT NULL, shown_site INTEGER NOT NULL, shown,"
        " other_stamp INTEGER NOT NULL, other_site INTEGER NOT NULL, other, at_ms INTEGER NOT NULL,"
        " state TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE yz_verdict(conflict BLOB NOT NULL PRIMARY KEY, scope TEXT NOT NULL, take "
        "TEXT NOT NULL DEFAULT '',"
        " by TEXT NOT NULL DEFAULT '', at INTEGER) WITHOUT ROWID;"
        "CREATE TABLE yz_quarantine(id INTEGER PRIMARY KEY, scope INTEGER NOT NULL, stream INTEGER "
        "NOT NULL,"
        " n INTEGER NOT NULL, tbl INTEGER NOT NULL, key BLOB NOT NULL, reason TEXT NOT NULL, "
        "since_ms INTEGER NOT NULL,"
        " tries INTEGER NOT NULL);"
        "CREATE UNIQUE INDEX yz_quarantine_place ON yz_quarantine(stream, n, tbl, key);"
        /* node/remote.c: one row per peer */
        "CREATE TABLE yz_remote(name TEXT PRIMARY KEY, url TEXT NOT NULL DEFAULT '', key BLOB, "
        "epoch BLOB, grant_doc BLOB,"
        " last_attempt_ms INTEGER, last_success_ms INTEGER, last_error TEXT, clock_offset_ms "
        "INTEGER, receipt BLOB,"
        " counter INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
        "CREATE TABLE yz_remote_digest(remote TEXT, scope INTEGER, sum BLOB NOT NULL, equal_have "
        "INTEGER NOT NULL,"
        " at_ms INTEGER NOT NULL, PRIMARY KEY(remote, scope)) WITHOUT ROWID;"
        /* sync/archive/archive.c */
        "CREATE TABLE yz_archive(branch TEXT, no INTEGER, at_ms INTEGER, bounds BLOB, commit_id "
        "TEXT,"
        " PRIMARY KEY(branch, no)) WITHOUT ROWID;";

/*
 * Conflicts by row and loser: what is kept of a row is found without a scan, and one write that
 * lost is one entry whatever it was set against.  Of an older file's entries the lives aren't known
 * (sync/merge/rivals.c takes the row's); their ids stay, because verdicts name them.
 */
static const char step_2[] =
        "ALTER TABLE yz_conflict RENAME TO yz_conflict_1;"
        "CREATE TABLE yz_conflict(tbl INTEGER, key BLOB, col INTEGER, other_stamp INTEGER,"
        " other_site INTEGER, id BLOB NOT NULL, scope INTEGER NOT NULL, cl INTEGER NOT NULL,"
        " part INTEGER NOT NULL, other, shown_stamp INTEGER NOT NULL, shown_site INTEGER NOT NULL,"
        " shown, at_ms INTEGER NOT NULL, state TEXT NOT NULL,"
        " PRIMARY KEY(tbl, key, col, other_stamp, other_site)) WITHOUT ROWID;"
        "INSERT OR IGNORE INTO yz_conflict SELECT tbl, key, col, other_stamp, other_site, id, "
        "scope,"
        " 0, col, other, shown_stamp, shown_site, shown, at_ms, state"
        " FROM yz_conflict_1 ORDER BY state, at_ms DESC, id;"
        "DROP TABLE yz_conflict_1;"
        "CREATE INDEX yz_conflict_id ON yz_conflict(id);"
        "CREATE INDEX yz_conflict_state ON yz_conflict(state, id);"
        /* what a person has dropped stays written down */
        "ALTER TABLE yz_quarantine ADD COLUMN dropped_ms INTEGER;"
        "ALTER TABLE yz_quarantine ADD COLUMN dropped_by TEXT NOT NULL DEFAULT '';";

/* What this file's table calls a column, if not what it travels by (store/catalog.h). */
static const char step_3[] = "ALTER TABLE yz_column ADD COLUMN here TEXT;";

/* What a hub stores but doesn't merge (store/held.h). */
static const char step_4[] = "CREATE TABLE yz_held(stream INTEGER, n INTEGER, bytes BLOB NOT NULL,"
                             " PRIMARY KEY(stream, n));";

/* Rows that several scopes see (store/share.h). */
static const char step_5[] =
        "CREATE TABLE yz_share(root TEXT NOT NULL, key BLOB NOT NULL, scope TEXT NOT NULL,"
        " at INTEGER, ended INTEGER, by TEXT, PRIMARY KEY(root, key, scope)) WITHOUT ROWID;"
        "CREATE TABLE yz_group(tbl INTEGER, root BLOB, scope INTEGER, left INTEGER NOT NULL,"
        " left_site INTEGER NOT NULL, PRIMARY KEY(tbl, root, scope)) WITHOUT ROWID;"
        "CREATE TABLE yz_member(tbl INTEGER, key BLOB, scope INTEGER, left INTEGER NOT NULL,"
        " left_site INTEGER NOT NULL, root_tbl INTEGER NOT NULL, root BLOB NOT NULL,"
        " PRIMARY KEY(tbl, key, scope)) WITHOUT ROWID;"
        "CREATE INDEX yz_member_root ON yz_member(root_tbl, root);";

/* store/rift.h: where this file and the hub's differed, and what came of it */
static const char step_6[] =
        "CREATE TABLE yz_rift(id INTEGER PRIMARY KEY, scope INTEGER NOT NULL, from_tbl TEXT NOT "
        "NULL,"
        " from_key BLOB NOT NULL, until_tbl TEXT NOT NULL, until_key BLOB NOT NULL, rows_here "
        "INTEGER NOT NULL,"
        " rows_there INTEGER NOT NULL, cause TEXT NOT NULL, between_sum BLOB NOT NULL, at_ms "
        "INTEGER NOT NULL,"
        " mended_ms INTEGER);"
        "CREATE INDEX yz_rift_open ON yz_rift(scope) WHERE mended_ms IS NULL;";

/* What was refused is looked at again when its row has changed: a later change may have overwritten
 * it (sync/merge/retry.c).  Once also what an older program has listed. */
static const char step_7[] =
        "ALTER TABLE yz_quarantine ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;"
        "UPDATE yz_quarantine SET moved = 1 WHERE stream <> 0 AND tbl <> 0;"
        "CREATE INDEX yz_quarantine_row ON yz_quarantine(tbl, key)"
        " WHERE stream <> 0 AND dropped_ms IS NULL;"
        "CREATE INDEX yz_quarantine_moved ON yz_quarantine(stream, n)"
        " WHERE moved = 1 AND dropped_ms IS NULL;";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5, step_6, step_7 };

enum { STEPS = sizeof steps / sizeof steps[0] };

static int
run_step(struct store_db *db, int64_t no, struct err *err)
{
	struct store_stmt s;
	int rc;

	rc = store_db_begin(db, err);
	if (rc == 0)
		rc = store_db_exec(db, steps[no], err);
	if (rc == 0) {
		s = store_stmt_new(db, "INSERT INTO yz_meta(name, value) VALUES ('format', ?)"
		                       " ON CONFLICT(name) DO UPDATE SET value = excluded.value");
		store_stmt_put_int(&s, no + 1);
		rc = store_stmt_run(&s, err);
	}
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0) {
		store_db_rollback(db);
		return err_wrap(err, "migration %lld", (long long)no + 1);
	}
	return 0;
}

/* Refuse a file that a newer program has made over. */
static int
check_format(int64_t format, struct err *err)
{
	if (format <= STEPS)
		return 0;
	return err_set(err, ERR_INVALID,
	               "this database has format %lld, this program knows %d: install the "
	               "newer yizhan again",
	               (long long)format, STEPS);
}

int
store_migrate_look(struct store_db *db, struct err *err)
{
	int64_t there, format = 0;
	int rc = store_stmt_int(
	        db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'yz_meta'",
	        0, &there, err);

	if (rc == 0 && there > 0)
		rc = store_stmt_int(db, "SELECT value FROM yz_meta WHERE name = 'format'", 0,
		                    &format, err);
	db->is_old = format < STEPS;
	return rc == 0 ? check_format(format, err) : rc;
}

int
store_migrate(struct store_db *db, struct err *err)
{
	int64_t done = 0;
	int rc;

	rc = store_db_exec(
	        db,
	        "CREATE TABLE IF NOT EXISTS yz_meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;",
	        err);
	if (rc == 0)
		rc = store_stmt_int(db, "SELECT value FROM yz_meta WHERE name = 'format'", 0, &done,
		                    err);
	if (rc < 0)
		return rc;
	rc = check_format(done, err);
	if (rc < 0)
		return rc;
	for (; done < STEPS; done++) {
		rc = run_step(db, done, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/*
 * node/hub/hub_schema.c - the hub's tables, as one append-only list of steps, like
 * the engine's (store/migrate.c); yz_meta "hub_format" is the number of steps
 * done.
 *
 *   hub_enrolment  codes given out, and who came with them (node/hub/enrol.c)
 *   hub_node       enrolled nodes                          (node/hub/hub_node.c)
 *   hub_grant      every grant ever signed, by version     (node/hub/hub_node.c)
 *   hub_token      who may read and write from outside     (node/hub/token.c)
 *   hub_feed       what they read                          (node/hub/feed.c)
 *   hub_export     what was given out, to whom             (node/hub/export_log.c)
 *   external_delivery  departments' tables                 (node/hub/external.c)
 *   external_delivery_key  whom each names                 (node/hub/external_join.c)
 *   hub_key        keys that were replaced by another      (node/hub/hub_key.c)
 *   hub_key_stream how far such a key is good, by stream   (node/hub/hub_key.c); scope '', n 0: of
 *                  a life in which nothing was written
 *   hub_record_key the keys of lines that were stored      (node/hub/records.c)
 *   hub_seen       how each node stood when it last came   (node/hub/fleet.c)
 *   hub_admin      who may look at /fleet                  (node/hub/admin.c)
 *   hub_session    who is signed in there                  (node/hub/session.c)
 *   hub_sign_in    who tried, and who came                 (node/hub/session.c)
 *
 * Secrets are there as hashes only.
 */
#include "node/hub/hub_schema.h"

#include "store/catalog.h"

static const char step_1[] =
        "CREATE TABLE hub_enrolment(name TEXT PRIMARY KEY, hash BLOB NOT NULL, facility TEXT NOT "
        "NULL, street TEXT, automatic INTEGER NOT NULL, created_ms INTEGER NOT NULL, expires_ms "
        "INTEGER NOT NULL, tries INTEGER NOT NULL, state INTEGER NOT NULL, node_key BLOB, label "
        "TEXT, words BLOB, asked_ms INTEGER) WITHOUT ROWID;"
        "CREATE TABLE hub_node(node BLOB PRIMARY KEY, node_key BLOB NOT NULL, facility TEXT NOT "
        "NULL, label TEXT NOT NULL, version INTEGER NOT NULL, doc BLOB NOT NULL, since_ms INTEGER "
        "NOT NULL, revoked_ms INTEGER) WITHOUT ROWID;"
        "CREATE TABLE hub_grant(node BLOB, version INTEGER, doc BLOB NOT NULL, issued_ms INTEGER "
        "NOT NULL, PRIMARY KEY(node, version)) WITHOUT ROWID;"
        "CREATE TABLE hub_token(id TEXT PRIMARY KEY, hash BLOB NOT NULL, scope TEXT NOT NULL, "
        "tables TEXT, created_ms INTEGER NOT NULL, expires_ms INTEGER, revoked_ms INTEGER) WITHOUT "
        "ROWID;"
        "CREATE UNIQUE INDEX hub_token_hash ON hub_token(hash);"
        /* tbl, scope, site: the catalogue's numbers; key and after: JSON */
        "CREATE TABLE hub_feed(seq INTEGER PRIMARY KEY, unit TEXT NOT NULL, op INTEGER NOT NULL, "
        "at_ms INTEGER NOT NULL, scope INTEGER NOT NULL, facility TEXT, site INTEGER NOT NULL, tbl "
        "INTEGER NOT NULL, key TEXT NOT NULL, after TEXT, hash BLOB NOT NULL);"
        "CREATE INDEX hub_feed_row ON hub_feed(tbl, key);";

static const char step_2[] =
        "ALTER TABLE hub_token ADD COLUMN writes TEXT;"
        "ALTER TABLE hub_token ADD COLUMN personal INTEGER NOT NULL DEFAULT 0;"
        "CREATE TABLE hub_export(no INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, token TEXT NOT "
        "NULL, peer TEXT NOT NULL, what TEXT NOT NULL, scope TEXT NOT NULL, tables TEXT NOT NULL, "
        "personal INTEGER NOT NULL, bytes INTEGER NOT NULL);"
        /* hash: of the line, so that the same key with another record is told from a repeat */
        "CREATE TABLE hub_record_key(token TEXT, key TEXT, at_ms INTEGER NOT NULL, hash BLOB NOT "
        "NULL, PRIMARY KEY(token, key)) WITHOUT ROWID;"
        "CREATE INDEX hub_record_key_age ON hub_record_key(at_ms);";

static const char step_3[] =
        "CREATE TABLE hub_seen(node BLOB PRIMARY KEY, met_ms INTEGER NOT NULL, lacking INTEGER, "
        "digest INTEGER NOT NULL, digest_ms INTEGER, reported_ms INTEGER, report TEXT) WITHOUT "
        "ROWID;";

static const char step_4[] =
        "CREATE TABLE hub_admin(name TEXT PRIMARY KEY, password TEXT NOT NULL, created_ms INTEGER "
        "NOT NULL, expires_ms INTEGER, revoked_ms INTEGER) WITHOUT ROWID;"
        "CREATE TABLE hub_session(hash BLOB PRIMARY KEY, admin TEXT NOT NULL, created_ms INTEGER "
        "NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE hub_sign_in(no INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, admin TEXT NOT "
        "NULL, peer TEXT NOT NULL, what TEXT NOT NULL);";

static const char step_5[] =
        "ALTER TABLE hub_token ADD COLUMN name TEXT;"
        "CREATE UNIQUE INDEX hub_token_name ON hub_token(name) WHERE revoked_ms IS NULL;";
/* personal: given only to tokens that read personal columns; replaced_ms: NULL while it stands */
static const char step_6[] =
        "CREATE TABLE external_delivery(no INTEGER PRIMARY KEY, name TEXT NOT NULL, source TEXT "
        "NOT NULL, date INTEGER NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, rows "
        "INTEGER NOT NULL, columns INTEGER NOT NULL, personal INTEGER NOT NULL, imported_ms "
        "INTEGER NOT NULL, replaced_ms INTEGER);"
        "CREATE INDEX external_delivery_name ON external_delivery(name);";

static const char step_7[] =
        "CREATE TABLE hub_key(key BLOB PRIMARY KEY, node BLOB NOT NULL, next BLOB NOT NULL, "
        "replaced_ms INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE hub_key_stream(node BLOB, epoch BLOB, scope TEXT, n INTEGER NOT NULL, key "
        "BLOB NOT NULL, PRIMARY KEY(node, epoch, scope)) WITHOUT ROWID;"
        "ALTER TABLE hub_node ADD COLUMN rekey INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX hub_node_key ON hub_node(node_key);";

/* used_ms: when it was last shown (node/hub/token_use.c) */
static const char step_8[] = "ALTER TABLE hub_token ADD COLUMN used_ms INTEGER;";

/* street: which one its grant lets it read, "" for none, NULL while nobody has looked
 * (node/hub/street.c) */
static const char step_9[] = "ALTER TABLE hub_node ADD COLUMN street TEXT;";

/* field: as v1_facility_key calls it, "" any; rows: how many of the delivery have the key */
static const char step_10[] =
        "CREATE TABLE external_delivery_key(no INTEGER, key TEXT, field TEXT NOT NULL, rows "
        "INTEGER NOT NULL, PRIMARY KEY(no, key)) WITHOUT ROWID;";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5,
	                             step_6, step_7, step_8, step_9, step_10 };

enum { STEPS = sizeof steps / sizeof steps[0] };

int
hub_work_begin(struct hub_work *work, struct store_db *db, struct err *err)
{
	work->db = db;
	work->own = !store_db_in_transaction(db);
	return work->own ? store_db_begin(db, err) : 0;
}

int
hub_work_end(struct hub_work *work, int rc, struct err *err)
{
	if (!work->own)
		return rc;
	if (rc >= 0) {
		int status = store_db_commit(work->db, err);

		rc = status < 0 ? status : rc;
	}
	if (rc < 0)
		store_db_rollback(work->db);
	return rc;
}

int
hub_schema_migrate(struct store_db *db, struct err *err)
{
	struct hub_work work;
	int64_t done;
	int rc;

	rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	rc = store_meta_get_int(db, "hub_format", 0, &done, err);
	if (rc == 0 && done > STEPS)
		rc = err_set(err, ERR_INVALID,
		             "this hub's tables have format %lld, this program knows %d: install "
		             "the newer yizhan again",
		             (long long)done, STEPS);
	for (; rc == 0 && done < STEPS; done++)
		rc = store_db_exec(db, steps[done], err);
	if (rc == 0)
		rc = store_meta_set_int(db, "hub_format", STEPS, err);
	return hub_work_end(&work, rc, err);
}

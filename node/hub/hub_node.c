#include "node/hub/hub_node.h"

#include "node/hub/hub_key.h"
#include "node/hub/hub_schema.h"
#include "store/base/mutant.h"
#include "store/inbox.h"
#include "store/stmt.h"

#include <string.h>

const char hub_node_revoked_words[] =
        "this node was revoked; init a new directory and enrol that one";

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "nodes: out of memory");
}

/* A column of exactly `len` bytes; zeros stand for anything else. */
static void
take_bytes(struct store_stmt *s, uint8_t *out, size_t len)
{
	size_t have;
	const uint8_t *bytes = store_stmt_get_blob(s, &have);

	memset(out, 0, len);
	if (have == len)
		memcpy(out, bytes, len);
}

static int
read_node(struct store_stmt *s, struct arena *a, struct hub_node *out, struct err *err)
{
	const uint8_t *doc;

	take_bytes(s, out->node, STORE_NODE_ID);
	take_bytes(s, out->key, SYNC_PUBLIC_KEY);
	out->facility = store_stmt_copy_text(s, a);
	out->label = store_stmt_copy_text(s, a);
	out->version = store_stmt_get_int(s);
	doc = store_stmt_get_blob(s, &out->doc_len);
	out->doc = arena_copy(a, doc, out->doc_len);
	out->since_ms = store_stmt_get_int(s);
	out->revoked_ms = store_stmt_get_int(s);
	return out->facility == NULL || out->label == NULL || out->doc == NULL ? no_memory(err) : 0;
}

int
hub_node_find(struct store_db *db, const uint8_t node[STORE_NODE_ID], struct arena *a,
              struct hub_node *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT node, node_key, facility, label, version, doc, since_ms, revoked_ms"
	            " FROM hub_node WHERE node = ?");
	int rc;

	memset(out, 0, sizeof *out);
	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	rc = store_stmt_step(&s, err);
	if (rc == 1 && read_node(&s, a, out, err) < 0)
		rc = err->code;
	store_stmt_end(&s);
	return rc;
}

int
hub_node_named(struct store_db *db, const char *which, struct arena *a, struct hub_node *out,
               struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT node, node_key, facility, label, version, doc, since_ms, revoked_ms"
	            " FROM hub_node WHERE ?1 <> '' AND substr(hex(node), 1, length(?1)) = upper(?1)"
	            " LIMIT 2");
	int rc, more = 0;

	memset(out, 0, sizeof *out);
	store_stmt_put_text(&s, which);
	rc = store_stmt_step(&s, err);
	if (rc == 0)
		rc = err_set(err, ERR_NOTFOUND,
		             "there is no node %.40s here; yizhan nodes lists them", which);
	else if (rc == 1)
		rc = read_node(&s, a, out, err);
	if (rc == 0)
		more = store_stmt_step(&s, err);
	store_stmt_end(&s);
	if (more == 1)
		return err_set(err, ERR_INVALID,
		               "several nodes begin with %.40s; give more of the id", which);
	return more < 0 ? more : rc;
}

int
hub_node_facility_known(struct store_db *db, const char *facility, bool *known, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT EXISTS (SELECT 1 FROM hub_node WHERE facility = ?1)"
	                           " OR EXISTS (SELECT 1 FROM hub_enrolment WHERE facility = ?1)"
	                           " OR EXISTS (SELECT 1 FROM facility WHERE facility_id = ?1)");
	int rc;

	store_stmt_put_text(&s, facility);
	rc = store_stmt_step(&s, err);
	*known = rc == 1 && store_stmt_get_int(&s) != 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
hub_node_list(struct store_db *db, struct arena *a, struct hub_node **list, size_t *count,
              struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT node, node_key, facility, label, version, doc, since_ms, revoked_ms"
	            " FROM hub_node ORDER BY facility, node");
	int64_t all;
	int rc;

	*count = 0;
	*list = NULL;
	rc = store_stmt_int(db, "SELECT count(*) FROM hub_node", 0, &all, err);
	if (rc == 0)
		*list = arena_take(a, (size_t)all, sizeof **list);
	if (rc == 0 && *list == NULL)
		rc = no_memory(err);
	while (rc == 0 && *count < (size_t)all && (rc = store_stmt_step(&s, err)) == 1)
		rc = read_node(&s, a, &(*list)[(*count)++], err);
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* ---------------------------------------------------------------- writing */

static const char *
street_of(const struct grant *grant)
{
	for (unsigned i = 0; i < grant->read.count; i++)
		if (strncmp(grant->read.name[i], "s/", 2) == 0)
			return grant->read.name[i] + 2;
	return "";
}

int
hub_node_note_street(struct store_db *db, const struct hub_node *node, struct err *err)
{
	struct grant grant;
	struct store_stmt s;
	int rc = grant_reread(node->doc, node->doc_len, &grant, err);

	if (rc < 0 && rc != ERR_CORRUPT)
		return rc;
	s = store_stmt_new(db, "UPDATE hub_node SET street = ? WHERE node = ?");
	store_stmt_put_text(&s, rc < 0 ? "" : street_of(&grant));
	store_stmt_put_blob(&s, node->node, STORE_NODE_ID);
	return store_stmt_run(&s, err);
}

static int
keep(struct store_db *db, const struct grant *grant, const char *label, const struct buf *doc,
     struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(db, "INSERT INTO hub_grant(node, version, doc, issued_ms)"
	                       " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
	store_stmt_put_blob(&s, grant->node, STORE_NODE_ID);
	store_stmt_put_int(&s, grant->version);
	store_stmt_put_blob(&s, doc->bytes, doc->len);
	store_stmt_put_int(&s, grant->issued_ms);
	rc = store_stmt_run(&s, err);
	if (rc == 0) /* what it had no right to write may be right now */
		rc = store_quarantine_wake(db, STORE_QUARANTINE_ALL, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "INSERT INTO hub_node(node, node_key, facility, label, version, doc,"
	                       " since_ms, street) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
	                       " ON CONFLICT(node) DO UPDATE SET version = excluded.version,"
	                       " doc = excluded.doc, label = excluded.label,"
	                       " street = excluded.street");
	store_stmt_put_blob(&s, grant->node, STORE_NODE_ID);
	store_stmt_put_blob(&s, grant->node_key, SYNC_PUBLIC_KEY);
	store_stmt_put_text(&s, grant->facility);
	store_stmt_put_text(&s, label);
	store_stmt_put_int(&s, grant->version);
	store_stmt_put_blob(&s, doc->bytes, doc->len);
	store_stmt_put_int(&s, grant->issued_ms);
	store_stmt_put_text(&s, street_of(grant));
	return store_stmt_run(&s, err);
}

/* A key is known by what it was enrolled for, for ever: another purpose needs another key. */
static int
fit(const struct hub_node *known, const char *facility, struct err *err)
{
	if (known->revoked_ms != 0)
		return err_set(err, ERR_DENIED, "%s", hub_node_revoked_words);
	if (known->version != 0 && strcmp(known->facility, facility) != 0)
		return err_set(err, ERR_DENIED,
		               "this node belongs to facility %s already; init a new directory for "
		               "another facility",
		               known->facility);
	return 0;
}

int
hub_node_fit(struct store_db *db, const uint8_t node[STORE_NODE_ID], const char *facility,
             struct err *err)
{
	struct arena a = { 0 };
	struct hub_node known;
	int rc = hub_node_find(db, node, &a, &known, err);

	if (rc >= 0)
		rc = fit(&known, facility, err);
	arena_free(&a);
	return rc;
}

static int
grant_known(struct store_db *db, const struct hub_node_new *new, const struct hub_node *known,
            struct err *err)
{
	struct grant *grant = new->grant;
	struct buf doc = { 0 };
	int rc = fit(known, grant->facility, err);

	if (rc < 0)
		return rc;
	grant->issued_ms = new->now_ms;
	grant->version = known->version < new->now_ms ? new->now_ms : known->version + 1;
	grant_write(&doc, grant, new->hub);
	rc = buf_check(&doc, err);
	if (rc == 0)
		rc = keep(db, grant, new->label, &doc, err);
	buf_free(&doc);
	return rc;
}

int
hub_node_id(struct store_db *db, const uint8_t key[SYNC_PUBLIC_KEY], uint8_t node[STORE_NODE_ID],
            struct err *err)
{
	int rc = hub_key_node(db, key, node, err);

	if (rc == 0)
		sync_node_id(node, key);
	return rc < 0 ? rc : 0;
}

int
hub_node_grant(struct store_db *db, const struct hub_node_new *new, struct err *err)
{
	struct arena a = { 0 };
	struct hub_node known;
	struct hub_work work;
	int rc;

	rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	rc = hub_node_id(db, new->grant->node_key, new->grant->node, err);
	if (rc == 0)
		rc = hub_node_find(db, new->grant->node, &a, &known, err);
	if (rc >= 0)
		rc = grant_known(db, new, &known, err);
	arena_free(&a);
	return hub_work_end(&work, rc, err);
}

static int
readmit(struct store_db *db, const struct grant *grant, const struct buf *doc, struct err *err)
{
	uint8_t node[STORE_NODE_ID];
	struct arena a = { 0 };
	struct hub_node known;
	int rc;

	sync_node_id(node, grant->node_key);
	if (memcmp(node, grant->node, STORE_NODE_ID) != 0)
		return err_set(err, ERR_DENIED, "the grant's key isn't its node's");
	rc = hub_node_find(db, node, &a, &known, err);
	if (rc >= 0 && (known.revoked_ms != 0 || MUT(36)))
		rc = err_set(err, ERR_DENIED, "%s", hub_node_revoked_words);
	if (rc >= 0)
		rc = known.version >= grant->version
		             ? 0
		             : keep(db, grant, rc == 1 ? known.label : "", doc, err);
	arena_free(&a);
	return rc;
}

int
hub_node_readmit(struct store_db *db, const uint8_t hub_key[SYNC_PUBLIC_KEY], const uint8_t *doc,
                 size_t len, struct err *err)
{
	struct buf bytes = { 0 };
	struct hub_work work;
	struct grant grant;
	int rc;

	rc = grant_read(doc, len, hub_key, &grant, err);
	if (rc == 0)
		rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	buf_put(&bytes, doc, len);
	rc = buf_check(&bytes, err);
	if (rc == 0)
		rc = readmit(db, &grant, &bytes, err);
	buf_free(&bytes);
	return hub_work_end(&work, rc, err);
}

int
hub_node_revoke(struct store_db *db, const uint8_t node[STORE_NODE_ID], int64_t now_ms,
                struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE hub_node SET revoked_ms = coalesce(revoked_ms, ?) WHERE node = ?");
	int rc;

	store_stmt_put_int(&s, now_ms);
	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	rc = store_stmt_run(&s, err);
	if (rc == 0 && store_stmt_changes(db) == 0)
		rc = err_set(err, ERR_NOTFOUND, "no node with this id is enrolled here");
	return rc;
}

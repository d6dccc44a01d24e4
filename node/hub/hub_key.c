#include "node/hub/hub_key.h"

#include "node/hub/hub_node.h"
#include "node/hub/hub_schema.h"
#include "store/base/mutant.h"
#include "store/stmt.h"
#include "sync/life.h"

#include <string.h>

/* What the hub knows of the node that a document is of. */
struct known {
	uint8_t key[SYNC_PUBLIC_KEY]; /* its present one */
	bool revoked, may_rekey;
};

static void
take_key(struct store_stmt *s, uint8_t key[SYNC_PUBLIC_KEY])
{
	size_t len;
	const uint8_t *bytes = store_stmt_get_blob(s, &len);

	memset(key, 0, SYNC_PUBLIC_KEY);
	if (len == SYNC_PUBLIC_KEY)
		memcpy(key, bytes, len);
}

/* 1, or 0 if there is no such node. */
static int
find_node(struct store_db *db, const uint8_t node[STORE_NODE_ID], struct known *out,
          struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT node_key, revoked_ms IS NOT NULL, rekey FROM hub_node WHERE node = ?");
	int rc;

	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		take_key(&s, out->key);
		out->revoked = store_stmt_get_int(&s) != 0;
		out->may_rekey = store_stmt_get_int(&s) != 0;
	}
	store_stmt_end(&s);
	return rc;
}

/* Was this key replaced?  1 and by which, or 0. */
static int
find_next(struct store_db *db, const uint8_t key[SYNC_PUBLIC_KEY], uint8_t next[SYNC_PUBLIC_KEY],
          struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT next FROM hub_key WHERE key = ?");
	int rc;

	store_stmt_put_blob(&s, key, SYNC_PUBLIC_KEY);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		take_key(&s, next);
	store_stmt_end(&s);
	return rc;
}

/* ---- one rotation ---- */

/* What the hub has of the node's streams was delivered under the key that it had until now. */
static int
close_delivered(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                const uint8_t key[SYNC_PUBLIC_KEY], struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO hub_key_stream(node, epoch, scope, n, key)"
	            " SELECT t.node, t.epoch, c.name, m.n, ? FROM yz_stream m"
	            " JOIN yz_site t ON t.id = m.site JOIN yz_scope c ON c.id = m.scope"
	            " WHERE t.node = ? AND m.n > 0 ON CONFLICT DO NOTHING");

	store_stmt_put_blob(&s, key, SYNC_PUBLIC_KEY);
	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	return store_stmt_run(&s, err);
}

/* What the key itself says that it had delivered: a hub that was put back gets it again. */
static int
close_said(struct store_db *db, const struct rotation *r, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < r->count; i++) {
		struct store_stmt s = store_stmt_new(
		        db, "INSERT INTO hub_key_stream(node, epoch, scope, n, key) VALUES (?, ?, "
		            "?, ?, ?) ON CONFLICT DO UPDATE SET n = max(n, excluded.n)"
		            " WHERE key = excluded.key");

		store_stmt_put_blob(&s, r->node, STORE_NODE_ID);
		store_stmt_put_blob(&s, r->streams[i].epoch, STORE_EPOCH);
		store_stmt_put_text(&s, r->streams[i].scope);
		store_stmt_put_int(&s, r->streams[i].n > INT64_MAX ? INT64_MAX
		                                                   : (int64_t)r->streams[i].n);
		store_stmt_put_blob(&s, r->old_key, SYNC_PUBLIC_KEY);
		rc = store_stmt_run(&s, err);
	}
	return rc;
}

/* The life in which the node was last here has ended with its key, also if it wrote nothing: else
 * the next one would be that of a node which was put back. */
static int
close_met(struct store_db *db, const uint8_t node[STORE_NODE_ID],
          const uint8_t key[SYNC_PUBLIC_KEY], struct err *err)
{
	uint8_t epoch[STORE_EPOCH];
	struct store_stmt s;
	int rc = sync_life_epoch(db, node, epoch, err);

	if (rc != 1)
		return rc;
	s = store_stmt_new(db, "INSERT INTO hub_key_stream(node, epoch, scope, n, key)"
	                       " SELECT ?1, ?2, '', 0, ?3 WHERE NOT EXISTS (SELECT 1"
	                       " FROM hub_key_stream WHERE node = ?1 AND epoch = ?2)");
	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	store_stmt_put_blob(&s, epoch, STORE_EPOCH);
	store_stmt_put_blob(&s, key, SYNC_PUBLIC_KEY);
	return store_stmt_run(&s, err);
}

static int
note_replaced(struct store_db *db, const struct rotation *r, const uint8_t key[SYNC_PUBLIC_KEY],
              int64_t now_ms, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO hub_key(key, node, next, replaced_ms) VALUES (?, ?, ?, ?)"
	            " ON CONFLICT(key) DO UPDATE SET next = excluded.next");

	store_stmt_put_blob(&s, key, SYNC_PUBLIC_KEY);
	store_stmt_put_blob(&s, r->node, STORE_NODE_ID);
	store_stmt_put_blob(&s, r->new_key, SYNC_PUBLIC_KEY);
	store_stmt_put_int(&s, now_ms);
	return store_stmt_run(&s, err);
}

static int
set_key(struct store_db *db, const struct rotation *r, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "UPDATE hub_node SET node_key = ?, rekey = 0 WHERE node = ?");

	store_stmt_put_blob(&s, r->new_key, SYNC_PUBLIC_KEY);
	store_stmt_put_blob(&s, r->node, STORE_NODE_ID);
	return store_stmt_run(&s, err);
}

static int
replace(struct store_db *db, const struct rotation *r, const struct known *known, int64_t now_ms,
        struct err *err)
{
	int rc = close_delivered(db, r->node, known->key, err);

	if (rc == 0)
		rc = close_said(db, r, err);
	if (rc == 0)
		rc = close_met(db, r->node, known->key, err);
	if (rc == 0)
		rc = note_replaced(db, r, r->old_key, now_ms, err);
	if (rc == 0 && memcmp(known->key, r->old_key, SYNC_PUBLIC_KEY) != 0)
		rc = note_replaced(db, r, known->key, now_ms, err);
	return rc == 0 ? set_key(db, r, err) : rc;
}

/* A key that somebody has, had or was refused under another name is nobody's next. */
static int
is_fresh(struct store_db *db, const uint8_t key[SYNC_PUBLIC_KEY], struct err *err)
{
	uint8_t node[STORE_NODE_ID];
	struct known other;
	int rc = hub_key_node(db, key, node, err);

	if (rc == 0) { /* the first key of a node that has gone on to others */
		sync_node_id(node, key);
		rc = find_node(db, node, &other, err);
	}
	return rc == 1 ? err_set(err, ERR_DENIED, "the new key is another node's") : rc;
}

static int
follow(struct store_db *db, const struct rotation *r, int64_t now_ms, struct err *err)
{
	uint8_t next[SYNC_PUBLIC_KEY];
	struct known known = { 0 };
	int replaced, rc = find_node(db, r->node, &known, err);

	if (rc == 0)
		return err_set(err, ERR_DENIED, "no node with this id is enrolled here");
	if (rc == 1 && known.revoked)
		return err_set(err, ERR_DENIED, "%s", hub_node_revoked_words);
	replaced = rc < 0 ? rc : find_next(db, r->old_key, next, err);
	if (replaced < 0 || (replaced == 1 && memcmp(next, r->new_key, sizeof next) == 0))
		return replaced < 0 ? replaced : 0;
	if (replaced == 1 && !known.may_rekey && !MUT(103))
		return err_set(err, ERR_DENIED, "this node's key was replaced by another already");
	if (replaced == 0 && memcmp(known.key, r->old_key, SYNC_PUBLIC_KEY) != 0)
		return err_set(err, ERR_DENIED, "the rotation is from a key that isn't the node's");
	rc = is_fresh(db, r->new_key, err);
	return rc == 0 ? replace(db, r, &known, now_ms, err) : rc;
}

static int
follow_all(struct store_db *db, struct rd chain, int64_t now_ms, struct err *err)
{
	struct rotation r;
	int more, rc = 0;

	while (rc == 0 && (more = rotation_chain_next(&chain, &r, err)) != 0)
		rc = more < 0 ? more : follow(db, &r, now_ms, err);
	return rc;
}

int
hub_key_rotate(struct store_db *db, const uint8_t *chain, size_t len, int64_t now_ms,
               struct err *err)
{
	struct hub_work work;
	int rc = hub_work_begin(&work, db, err);

	if (rc < 0)
		return rc;
	return hub_work_end(&work, follow_all(db, rd_from(chain, len), now_ms, err), err);
}

/* ---- whose it is, and how far ---- */

int
hub_key_node(struct store_db *db, const uint8_t key[SYNC_PUBLIC_KEY], uint8_t node[STORE_NODE_ID],
             struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT node FROM hub_node WHERE node_key = ?");
	uint8_t next[SYNC_PUBLIC_KEY];
	size_t len;
	int rc;

	store_stmt_put_blob(&s, key, SYNC_PUBLIC_KEY);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const uint8_t *bytes = store_stmt_get_blob(&s, &len);

		if (len == STORE_NODE_ID)
			memcpy(node, bytes, len);
		rc = len == STORE_NODE_ID;
	}
	store_stmt_end(&s);
	if (rc != 0)
		return rc;
	rc = find_next(db, key, next, err);
	return rc == 1 ? err_set(err, ERR_DENIED,
	                         "this key was replaced by a rotation: it is an older copy of the "
	                         "node's")
	               : rc;
}

int
hub_key_of(struct store_db *db, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY],
           struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT key FROM hub_key_stream WHERE node = ? AND epoch = ? LIMIT 1");
	int rc;

	store_stmt_put_blob(&s, site->node, STORE_NODE_ID);
	store_stmt_put_blob(&s, site->epoch, STORE_EPOCH);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		take_key(&s, key);
	store_stmt_end(&s);
	return rc;
}

uint64_t
hub_key_until(struct store_db *db, const struct store_site *site, const char *scope)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT count(*), max(CASE WHEN scope = ? THEN n ELSE 0 END)"
	                           " FROM hub_key_stream WHERE node = ? AND epoch = ?");
	struct err ignored;
	uint64_t n = 0;

	store_stmt_put_text(&s, scope);
	store_stmt_put_blob(&s, site->node, STORE_NODE_ID);
	store_stmt_put_blob(&s, site->epoch, STORE_EPOCH);
	if (store_stmt_step(&s, &ignored) == 1)
		n = store_stmt_get_int(&s) == 0 ? UINT64_MAX : (uint64_t)store_stmt_get_int(&s);
	store_stmt_end(&s);
	return n;
}

int
hub_key_allow(struct store_db *db, const uint8_t node[STORE_NODE_ID], struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE hub_node SET rekey = 1 WHERE node = ? AND revoked_ms IS NULL");
	int rc;

	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	rc = store_stmt_run(&s, err);
	if (rc == 0 && store_stmt_changes(db) == 0)
		rc = err_set(err, ERR_NOTFOUND, "no node with this id is enrolled here");
	return rc;
}

/* store/meta.c - the small facts of a file. */
#include "store/catalog.h"
#include "store/stmt.h"

#include <string.h>

int
store_meta_get(struct store_db *db, const char *name, struct buf *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT value FROM yz_meta WHERE name = ?");
	int rc;

	store_stmt_put_text(&s, name);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		size_t len;
		const uint8_t *bytes = store_stmt_get_blob(&s, &len);

		buf_put(out, bytes, len);
		rc = buf_check(out, err);
	} else if (rc == 0) {
		rc = err_set(err, ERR_NOTFOUND, "this database has no %s", name);
	}
	store_stmt_end(&s);
	return rc;
}

int
store_meta_set(struct store_db *db, const char *name, const void *bytes, size_t len,
               struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_meta(name, value) VALUES (?, ?)"
	                           " ON CONFLICT(name) DO UPDATE SET value = excluded.value");

	store_stmt_put_text(&s, name);
	store_stmt_put_blob(&s, bytes, len);
	return store_stmt_run(&s, err);
}

int
store_meta_get_int(struct store_db *db, const char *name, int64_t missing, int64_t *value,
                   struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT value FROM yz_meta WHERE name = ?");
	int rc;

	store_stmt_put_text(&s, name);
	rc = store_stmt_step(&s, err);
	*value = rc == 1 ? store_stmt_get_int(&s) : missing;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_meta_set_int(struct store_db *db, const char *name, int64_t value, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_meta(name, value) VALUES (?, ?)"
	                           " ON CONFLICT(name) DO UPDATE SET value = excluded.value");

	store_stmt_put_text(&s, name);
	store_stmt_put_int(&s, value);
	return store_stmt_run(&s, err);
}

int
store_meta_self(struct store_db *db, struct store_site *self, struct err *err)
{
	struct buf node = { 0 }, epoch = { 0 };
	int rc;

	*self = (struct store_site){ 0 };
	rc = store_meta_get(db, "node", &node, err);
	if (rc == ERR_NOTFOUND)
		rc = err_set(err, rc,
		             "this database is no node's; restore a backup, or make a node "
		             "elsewhere with yizhan init");
	if (rc == 0)
		rc = store_meta_get(db, "epoch", &epoch, err);
	if (rc == 0 && (node.len != STORE_NODE_ID || epoch.len != STORE_EPOCH))
		rc = err_set(err, ERR_CORRUPT,
		             "node id or epoch of this database has the wrong length");
	if (rc == 0) {
		memcpy(self->node, node.bytes, STORE_NODE_ID);
		memcpy(self->epoch, epoch.bytes, STORE_EPOCH);
	}
	buf_free(&node);
	buf_free(&epoch);
	return rc;
}

int
store_catalog_site_key(struct store_db *db, int site, uint8_t key[32], struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT key FROM yz_site WHERE id = ?");
	int rc;

	store_stmt_put_int(&s, site);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		size_t len;
		const uint8_t *bytes = store_stmt_get_blob(&s, &len);

		rc = len == 32;
		if (rc == 1)
			memcpy(key, bytes, 32);
	}
	store_stmt_end(&s);
	return rc;
}

int
store_catalog_set_site_key(struct store_db *db, int site, const uint8_t key[32], struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "UPDATE yz_site SET key = ? WHERE id = ? AND key IS NOT ?");

	store_stmt_put_blob(&s, key, 32);
	store_stmt_put_int(&s, site);
	store_stmt_put_blob(&s, key, 32);
	return store_stmt_run(&s, err);
}

int
store_catalog_is_node_key(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                          const uint8_t key[32], struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT 1 FROM yz_site WHERE node = ? AND key = ? LIMIT 1");
	int rc;

	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	store_stmt_put_blob(&s, key, 32);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc;
}

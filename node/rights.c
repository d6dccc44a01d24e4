#include "node/rights.h"

#include "node/hub/hub_key.h"
#include "node/hub/hub_node.h"
#include "node/role.h"
#include "store/base/mutant.h"
#include "store/remote.h"
#include "sync/seal/rotate.h"

#include <string.h>

static int
read_grant(struct rights *rights, struct err *err)
{
	struct store_remote remote = { 0 };
	struct arena a = { 0 };
	int rc = store_remote_get(rights->db, "hub", &a, &remote, err);

	if (rc >= 0 && remote.enrolled) {
		rc = grant_read(remote.grant, remote.grant_len, remote.key, &rights->grant, err);
		if (rc < 0)
			err_wrap(err, "the stored grant");
		rights->enrolled = rc == 0;
		sync_node_id(rights->hub, remote.key);
	}
	arena_free(&a);
	return rc < 0 ? rc : 0;
}

int
rights_open(struct rights *rights, struct store_db *db, bool is_hub,
            const uint8_t self_key[SYNC_PUBLIC_KEY], struct err *err)
{
	struct node_role role;
	uint8_t named[SYNC_PUBLIC_KEY];
	struct store_site self;
	int rotated, rc;

	memset(rights, 0, sizeof *rights);
	rights->db = db;
	rights->is_hub = is_hub;
	memcpy(rights->self_key, self_key, SYNC_PUBLIC_KEY);
	sync_node_id(rights->self, self_key);
	if (is_hub)
		return 0;
	/* a node keeps its id when its key is replaced */
	rotated = sync_rotate_key(db, named, err);
	rc = rotated == 1 ? store_meta_self(db, &self, err) : rotated;
	if (rc < 0)
		return rc;
	if (rotated == 1)
		memcpy(rights->self, self.node, STORE_NODE_ID);
	rc = node_role_get(db, &role, err);
	if (rc == 0 && !role.is_hub)
		memcpy(rights->own, role.scope, sizeof rights->own);
	return rc == 0 ? read_grant(rights, err) : rc;
}

/* What is asked about a grant: GRANT_WROTE, of a node that was revoked since. */
enum asked { GRANT_READS, GRANT_WRITES, GRANT_WROTE };

/* Is the scope in the newest grant of that node, as the hub has it? */
static bool
granted(const struct rights *rights, const uint8_t id[STORE_NODE_ID], const char *scope,
        enum asked asked)
{
	struct arena a = { 0 };
	struct hub_node node;
	struct grant grant;
	struct err ignored;
	bool yes = false;

	if (hub_node_find(rights->db, id, &a, &node, &ignored) == 1 &&
	    (node.revoked_ms != 0) == (asked == GRANT_WROTE) &&
	    grant_reread(node.doc, node.doc_len, &grant, &ignored) == 0)
		yes = grant_has(asked == GRANT_READS ? &grant.read : &grant.write, scope);
	arena_free(&a);
	return yes;
}

bool
rights_may_write(void *ctx, const struct store_site *site, const char *scope)
{
	const struct rights *rights = ctx;

	if (memcmp(site->node, rights->self, STORE_NODE_ID) == 0)
		return rights->is_hub || strcmp(scope, rights->own) == 0;
	if (rights->is_hub)
		return MUT(17) || granted(rights, site->node, scope, GRANT_WRITES);
	if (!rights->enrolled)
		return false;
	return memcmp(site->node, rights->hub, STORE_NODE_ID) == 0 ||
	       grant_has(&rights->grant.write, scope);
}

bool
rights_might_write(void *ctx, const struct store_site *site, const char *scope)
{
	const struct rights *rights = ctx;

	return rights->is_hub && granted(rights, site->node, scope, GRANT_WROTE);
}

/* A revoked node's key still proves what it had delivered before. */
static bool
key_at_hub(const struct rights *rights, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	struct arena a = { 0 };
	struct hub_node node;
	struct err ignored;
	int id = 0, rc = hub_key_of(rights->db, site, key, &ignored);

	/* or what the node itself has said of its earlier lives, to a hub that was put back */
	if (rc == 0)
		rc = store_catalog_find_site(rights->db, site->node, site->epoch, &id, &ignored);
	if (rc == 0 && id != 0)
		rc = store_catalog_site_key(rights->db, id, key, &ignored);
	if (rc == 0) {
		rc = hub_node_find(rights->db, site->node, &a, &node, &ignored);
		if (rc == 1)
			memcpy(key, node.key, SYNC_PUBLIC_KEY);
	}
	arena_free(&a);
	return rc == 1;
}

bool
rights_key_of(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	const struct rights *rights = ctx;
	struct err ignored;

	if (memcmp(site->node, rights->self, STORE_NODE_ID) == 0) {
		/* an earlier life may have had an earlier key */
		if (store_catalog_site_key(rights->db, site->id, key, &ignored) != 1)
			memcpy(key, rights->self_key, SYNC_PUBLIC_KEY);
		return true;
	}
	if (rights->is_hub)
		return key_at_hub(rights, site, key);
	if (rights->enrolled && memcmp(site->node, rights->hub, STORE_NODE_ID) == 0) {
		memcpy(key, rights->grant.hub_key, SYNC_PUBLIC_KEY);
		return true;
	}
	/* what the hub told of the second PC */
	return rights->enrolled && store_catalog_site_key(rights->db, site->id, key, &ignored) == 1;
}

uint64_t
rights_key_until(void *ctx, const struct store_site *site, const char *scope)
{
	const struct rights *rights = ctx;

	return rights->is_hub && memcmp(site->node, rights->self, STORE_NODE_ID) != 0
	               ? hub_key_until(rights->db, site, scope)
	               : UINT64_MAX;
}

bool
rights_may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope)
{
	const struct rights *rights = ctx;

	if (rights->is_hub)
		return MUT(18) || granted(rights, node, scope, GRANT_READS);
	return rights->enrolled && memcmp(node, rights->self, STORE_NODE_ID) == 0 &&
	       grant_has(&rights->grant.read, scope);
}

int
rights_node_of(const struct rights *rights, const uint8_t key[SYNC_PUBLIC_KEY],
               uint8_t node[STORE_NODE_ID], struct err *err)
{
	struct arena a = { 0 };
	struct hub_node known;
	int rc = hub_key_node(rights->db, key, node, err);

	if (rc == 1)
		rc = hub_node_find(rights->db, node, &a, &known, err);
	if (rc == 1 && known.revoked_ms != 0)
		rc = err_set(err, ERR_DENIED, "%s", hub_node_revoked_words);
	arena_free(&a);
	return rc;
}

bool
rights_is_revoked(const struct rights *rights, const uint8_t key[SYNC_PUBLIC_KEY],
                  uint8_t node[STORE_NODE_ID])
{
	struct arena a = { 0 };
	struct hub_node known;
	struct err ignored;
	bool yes = hub_key_node(rights->db, key, node, &ignored) == 1 &&
	           hub_node_find(rights->db, node, &a, &known, &ignored) == 1 &&
	           known.revoked_ms != 0;

	arena_free(&a);
	return yes;
}

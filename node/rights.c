#include "node/rights.h"

#include "node/hub/hub_node.h"
#include "node/role.h"
#include "store/base/mutant.h"
#include "store/remote.h"

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
	int rc;

	memset(rights, 0, sizeof *rights);
	rights->db = db;
	rights->is_hub = is_hub;
	memcpy(rights->self_key, self_key, SYNC_PUBLIC_KEY);
	sync_node_id(rights->self, self_key);
	if (is_hub)
		return 0;
	rc = node_role_get(db, &role, err);
	if (rc == 0 && !role.is_hub)
		memcpy(rights->own, role.scope, sizeof rights->own);
	return rc == 0 ? read_grant(rights, err) : rc;
}

/* The enrolled, unrevoked node with that id. */
static bool
find(const struct rights *rights, const uint8_t id[STORE_NODE_ID], struct arena *a,
     struct hub_node *node)
{
	struct err ignored;

	return hub_node_find(rights->db, id, a, node, &ignored) == 1 && node->revoked_ms == 0;
}

/* Is the scope in the newest grant of that node, as the hub has it? */
static bool
granted(const struct rights *rights, const uint8_t id[STORE_NODE_ID], const char *scope,
        bool to_write)
{
	struct arena a = { 0 };
	struct hub_node node;
	struct grant grant;
	struct err ignored;
	bool yes = false;

	if (find(rights, id, &a, &node) &&
	    grant_reread(node.doc, node.doc_len, &grant, &ignored) == 0)
		yes = grant_has(to_write ? &grant.write : &grant.read, scope);
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
		return MUT(17) || granted(rights, site->node, scope, true);
	if (!rights->enrolled)
		return false;
	return memcmp(site->node, rights->hub, STORE_NODE_ID) == 0 ||
	       grant_has(&rights->grant.write, scope);
}

bool
rights_key_of(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	const struct rights *rights = ctx;
	struct arena a = { 0 };
	struct hub_node node;
	struct err ignored;
	bool known = true;

	if (memcmp(site->node, rights->self, STORE_NODE_ID) == 0) {
		memcpy(key, rights->self_key, SYNC_PUBLIC_KEY);
	} else if (rights->is_hub) {
		/* a revoked node's key still proves what it had delivered before */
		known = hub_node_find(rights->db, site->node, &a, &node, &ignored) == 1;
		if (known)
			memcpy(key, node.key, SYNC_PUBLIC_KEY);
		arena_free(&a);
	} else if (rights->enrolled && memcmp(site->node, rights->hub, STORE_NODE_ID) == 0) {
		memcpy(key, rights->grant.hub_key, SYNC_PUBLIC_KEY);
	} else {
		/* what the hub told of the second PC; its id was found to be this key's */
		known = rights->enrolled &&
		        store_catalog_site_key(rights->db, site->id, key, &ignored) == 1;
	}
	return known;
}

bool
rights_may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope)
{
	const struct rights *rights = ctx;

	if (rights->is_hub)
		return MUT(18) || granted(rights, node, scope, false);
	return rights->enrolled && memcmp(node, rights->self, STORE_NODE_ID) == 0 &&
	       grant_has(&rights->grant.read, scope);
}

int
rights_node_of(const struct rights *rights, const uint8_t key[SYNC_PUBLIC_KEY],
               uint8_t node[STORE_NODE_ID], struct err *err)
{
	struct arena a = { 0 };
	struct hub_node known;
	int rc;

	sync_node_id(node, key);
	rc = hub_node_find(rights->db, node, &a, &known, err);
	if (rc == 1 && known.revoked_ms != 0)
		rc = err_set(err, ERR_DENIED, "this node's key was revoked");
	arena_free(&a);
	return rc;
}

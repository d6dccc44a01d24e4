#include "node/hub/street.h"

#include "node/hub/hub_node.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <string.h>

/* The street that facility f's row names, if it can be granted; else NULL. */
#define NAMED                                                                                      \
	"CASE WHEN typeof(f.subdistrict_code) = 'text' AND length(f.subdistrict_code) BETWEEN 1"   \
	" AND 48 AND f.subdistrict_code NOT GLOB '*[^A-Za-z0-9_-]*' THEN f.subdistrict_code END"
_Static_assert((int)GRANT_FACILITY == 48, "as long as a grant takes it");

/* The node's grant names another one than its facility's row. */
#define ELSEWHERE                                                                                  \
	"FROM hub_node n JOIN facility f ON f.facility_id = n.facility"                            \
	" WHERE n.revoked_ms IS NULL AND " NAMED " <> n.street"

/* Facility f's row names none, and a node's grant does. */
#define UNNAMED                                                                                    \
	"coalesce(f.subdistrict_code, '') = '' AND EXISTS (SELECT 1 FROM hub_node n WHERE"         \
	" n.facility = f.facility_id AND n.revoked_ms IS NULL AND n.street <> '')"

int
hub_street_stale(struct store_db *db, bool *yes, struct err *err)
{
	int64_t stale = 0;
	int rc = store_stmt_int(db,
	                        "SELECT EXISTS (SELECT 1 FROM hub_node WHERE street IS NULL)"
	                        " OR EXISTS (SELECT 1 " ELSEWHERE
	                        ") OR EXISTS (SELECT 1 FROM facility f WHERE " UNNAMED ")",
	                        0, &stale, err);

	*yes = stale != 0;
	return rc;
}

/* The nodes that a condition names, whole. */
static int
pick(struct store_db *db, const char *sql, struct arena *a, struct hub_node **list, size_t *count,
     struct err *err)
{
	int rc = hub_node_list(db, a, list, count, err);
	size_t kept = 0;

	for (size_t i = 0; rc == 0 && i < *count; i++) {
		struct store_stmt s = store_stmt_new(db, sql);

		store_stmt_put_blob(&s, (*list)[i].node, STORE_NODE_ID);
		rc = store_stmt_step(&s, err);
		store_stmt_end(&s);
		if (rc == 1)
			(*list)[kept++] = (*list)[i];
		rc = rc < 0 ? rc : 0;
	}
	*count = kept;
	return rc;
}

/* A file of an older program: what its grants say is noted. */
static int
note_grants(struct store_db *db, struct err *err)
{
	struct hub_node *list;
	struct arena a = { 0 };
	size_t count;
	int rc = pick(db, "SELECT 1 FROM hub_node WHERE street IS NULL AND node = ?", &a, &list,
	              &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = hub_node_note_street(db, &list[i], err);
	arena_free(&a);
	return rc;
}

/* Of several nodes' the newest grant's. */
static const char name_it[] =
        "UPDATE facility AS f SET subdistrict_code = (SELECT n.street FROM hub_node n WHERE"
        " n.facility = f.facility_id AND n.revoked_ms IS NULL AND n.street <> ''"
        " ORDER BY n.version DESC LIMIT 1) WHERE " UNNAMED;

static int
street_of(struct store_db *db, const struct hub_node *node, char street[GRANT_FACILITY + 1],
          struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT f.subdistrict_code FROM facility f WHERE f.facility_id = ?");
	int rc;

	store_stmt_put_text(&s, node->facility);
	rc = store_stmt_step(&s, err);
	text_copy(street, GRANT_FACILITY + 1, rc == 1 ? store_stmt_get_text(&s) : "");
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static int
grant_again(struct store_db *db, const struct sync_key *key, const struct hub_node *node,
            struct err *err)
{
	char street[GRANT_FACILITY + 1];
	struct grant grant;
	struct hub_node_new new = { .hub = key,
		                    .grant = &grant,
		                    .label = node->label,
		                    .now_ms = env_wall_ms(store_db_env(db)) };
	int rc = street_of(db, node, street, err);

	if (rc == 0)
		rc = grant_of_facility(&grant, node->facility, street, err);
	if (rc < 0)
		return rc;
	memcpy(grant.node_key, node->key, SYNC_PUBLIC_KEY);
	return hub_node_grant(db, &new, err);
}

int
hub_street_keep(struct store_db *db, const struct sync_key *key, struct err *err)
{
	struct hub_node *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = note_grants(db, err);

	if (rc == 0)
		rc = store_db_exec(db, name_it, err);
	if (rc == 0)
		rc = pick(db, "SELECT 1 " ELSEWHERE " AND n.node = ?", &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = grant_again(db, key, &list[i], err);
	arena_free(&a);
	return rc;
}

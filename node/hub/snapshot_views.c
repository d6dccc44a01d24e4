#include "node/hub/snapshot_views.h"

#include "node/facility/views.h"
#include "store/stmt.h"

#include <string.h>

#define NODES "v1_node"

/* Is there a view of this name?  A hub that was never opened by this program's daemon has none. */
static int
is_there(struct store_db *db, const char *view, bool *there, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?");
	int rc;

	store_stmt_put_text(&s, view);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	*there = rc == 1;
	return rc < 0 ? rc : 0;
}

/* The nodes of the facilities that the token reads, as a table. */
static int
add_nodes(struct store_db *db, const struct token *token, struct store_snapshot *snap,
          struct err *err)
{
	struct store_part part = { .table = NODES };
	bool there;
	int rc = is_there(db, NODES, &there, err);

	if (rc < 0 || !there || !token_reads_table(token, NODES))
		return rc;
	if (strncmp(token->scope, "f/", 2) == 0) {
		part.only_column = "facility_id";
		part.only_value = token->scope + 2;
	}
	return store_snapshot_add(snap, &part, err);
}

static int
add_views(const struct token *token, struct store_snapshot *snap, struct err *err)
{
	struct facility_views_ask ask = { .is_hub = true, .personal = token->personal };
	struct facility_view *list;
	struct arena a = { 0 };
	size_t count;
	int rc = facility_views_list(ask, &a, &list, &count, err);

	for (size_t i = 0; rc >= 0 && i < count; i++)
		if (strcmp(list[i].name, NODES) != 0)
			rc = store_snapshot_view(snap, list[i].name, list[i].sql, err);
	arena_free(&a);
	return rc < 0 ? rc : 0;
}

int
snapshot_views_add(struct store_db *db, const struct token *token, struct store_snapshot *snap,
                   struct err *err)
{
	int rc = add_nodes(db, token, snap, err);

	return rc == 0 ? add_views(token, snap, err) : rc;
}

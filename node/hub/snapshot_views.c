#include "node/hub/snapshot_views.h"

#include "node/facility/views.h"
#include "node/hub/external.h"
#include "store/stmt.h"

#include <assert.h>
#include <stdio.h>
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

/* ---- views ---- */

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

/* ---- what departments have delivered ---- */

/* A table that stands, and its view as it is at the hub. */
static int
add_external(struct store_db *db, const char *name, struct store_snapshot *snap, struct err *err)
{
	char table[EXTERNAL_NAME_MAX + 16], view[EXTERNAL_NAME_MAX + 16];
	struct store_part part = { .table = table };
	struct store_stmt s;
	int rc;

	snprintf(table, sizeof table, "external_%s", name);
	snprintf(view, sizeof view, "v1_external_%s", name);
	rc = store_snapshot_add(snap, &part, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?");
	store_stmt_put_text(&s, view);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = store_snapshot_view(snap, view, store_stmt_get_text(&s), err);
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* Those that the token reads: it must read all facilities and all tables, and personal columns
 * unless the table was said to hold none. */
static int
add_externals(struct store_db *db, const struct token *token, struct store_snapshot *snap,
              struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT name FROM external_delivery WHERE "
	                           "replaced_ms IS NULL AND personal <= ? ORDER BY name");
	int rc;

	store_stmt_put_int(&s, token->personal);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		rc = add_external(db, store_stmt_get_text(&s), snap, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc;
}

static bool
reads_everything(const struct token *token)
{
	return strcmp(token->scope, "all") == 0 && token->tables[0] == 0;
}

int
snapshot_views_add(struct store_db *db, const struct token *token, struct store_snapshot *snap,
                   struct err *err)
{
	const struct store_part list = { .table = "external_delivery" };
	const struct store_part keys = { .table = "external_delivery_key" };
	bool externals = reads_everything(token);
	int rc = add_nodes(db, token, snap, err);

	if (rc == 0 && externals)
		rc = store_snapshot_add(snap, &list, err);
	if (rc == 0 && externals && token->personal)
		rc = store_snapshot_add(snap, &keys, err);
	if (rc == 0)
		rc = add_views(token, snap, err);
	return rc == 0 && externals ? add_externals(db, token, snap, err) : rc;
}

/* ---- one of them, as an export ---- */

/* The personal columns, words of a list, as those that are left out. */
static int
leave_out(const char *words, struct arena *a, struct extract *x, struct err *err)
{
	size_t count = 0;

	while (*words != 0) {
		size_t len = strcspn(words, " ");

		assert(count < EXTRACT_WITHOUT - 1); /* the list is ours */
		x->without[count] = arena_copy(a, words, len);
		if (x->without[count++] == NULL)
			return err_set(err, ERR_NOMEM, "export: out of memory");
		words += len + (words[len] == ' ');
	}
	x->part.without = x->without;
	return 1;
}

static int
extract_view(const struct token *token, const char *name, struct arena *a, struct extract *out,
             struct err *err)
{
	struct facility_views_ask ask = { .is_hub = true, .personal = true };
	struct facility_view *list;
	size_t count;
	int rc = facility_views_list(ask, a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (strcmp(list[i].name, name) != 0)
			continue;
		if (!token->personal && list[i].all_personal)
			return 0;
		out->part.table = list[i].name;
		return leave_out(token->personal ? "" : list[i].personal, a, out, err);
	}
	return rc;
}

/* external_NAME or v1_external_NAME of a delivery that stands. */
static int
extract_external(struct store_db *db, const struct token *token, const char *name, struct arena *a,
                 struct extract *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT 1 FROM external_delivery WHERE replaced_ms IS NULL AND personal <= ?"
	            " AND ? IN ('external_' || name, 'v1_external_' || name)");
	int rc;

	store_stmt_put_int(&s, token->personal);
	store_stmt_put_text(&s, name);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	if (rc == 1)
		out->part.table = arena_copy(a, name, strlen(name));
	return rc == 1 && out->part.table == NULL ? err_set(err, ERR_NOMEM, "export: out of memory")
	                                          : rc;
}

int
snapshot_views_extract(struct store_db *db, const struct token *token, const char *name,
                       struct arena *a, struct extract *out, struct err *err)
{
	bool there;
	int rc;

	*out = (struct extract){ 0 };
	if (!reads_everything(token))
		return 0;
	rc = is_there(db, name, &there, err);
	if (rc == 0 && there)
		rc = extract_view(token, name, a, out, err);
	return rc == 0 ? extract_external(db, token, name, a, out, err) : rc;
}

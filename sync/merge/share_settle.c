/* sync/merge/share_settle.c - what yz_share says, carried out on all rows of a root. */
#include "store/base/mutant.h"
#include "store/inbox.h"
#include "store/track.h"
#include "sync/merge/share_priv.h"

#include <string.h>

/* Which write of the hub's ended it: that of yz_share's own row. */
static int
find_end(struct sync_sharing *sh, struct store_row *own, struct store_share *what, struct err *err)
{
	struct store_batch *b = sh->r->batch;
	const struct store_table *table = store_catalog_table(sh->r->db, own->table);
	int rc = b->get(b, &own, 1, sh->arena, err);

	what->left = 1;
	what->left_site = sh->r->self.id;
	for (unsigned i = 0; rc == 0 && i < own->cell_count; i++)
		if (strcmp(table->names[own->cells[i].column - 1], "ended") == 0) {
			what->left = own->cells[i].stamp;
			what->left_site = own->cells[i].site;
		}
	return rc;
}

/* At the hub the scope of the root's own row is one of its scopes. */
static int
add_home(struct sync_sharing *sh, struct err *err)
{
	struct store_row row = { .table = sh->root.table,
		                 .key = sh->root.key,
		                 .key_len = sh->root.key_len };
	struct store_row *rows[] = { &row };
	int hub, rc = sh->r->batch->get(sh->r->batch, rows, 1, sh->arena, err);

	if (rc == 0)
		rc = store_catalog_scope(sh->r->db, "hub", &hub, err);
	/* what everybody has left is the hub's until somebody comes */
	if (rc == 0 && row.known && row.scope != hub &&
	    sync_share_in(sh->group, sh->group_count, row.scope) == NULL)
		rc = store_share_set_group(sh->r->db, &sh->root,
		                           &(struct store_share){ .scope = row.scope }, err);
	return rc == 0 ? store_share_group(sh->r->db, &sh->root, sh->arena, &sh->group,
	                                   &sh->group_count, err)
	               : rc;
}

/* A node gets back what it kept when it left. */
static int
come_back(struct sync_sharing *sh, struct store_row *row, int scope, struct err *err)
{
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(sh->r->db, row, sh->arena, &has, &count, err);

	if (rc < 0 || sync_share_in(has, count, scope) == NULL || MUT(59))
		return rc;
	rc = store_share_drop_row(sh->r->db, row, scope, err);
	return rc == 0 ? sync_share_move(sh, row, scope, false, err) : rc;
}

/* A scope sees the row, and one that was nobody's is somebody's again. */
static int
come_in(struct sync_sharing *sh, struct store_row *row, struct err *err)
{
	int hub = 0, rc = sync_share_join(sh, row, false, err);

	if (rc == 0)
		rc = store_catalog_scope(sh->r->db, "hub", &hub, err);
	return rc == 0 && !MUT(58) && (sh->homecoming || row->scope == hub)
	               ? sync_share_go_home(sh, row, err)
	               : rc;
}

/* A scope sees the row no more.  The hub may have been put back, and hear of the end alone: then
 * those who still see the row get it first, or it would become nobody's. */
static int
go_out(struct sync_sharing *sh, struct store_row *row, const struct store_share *what,
       struct err *err)
{
	int rc = sh->r->is_hub ? sync_share_join(sh, row, false, err) : 0;

	return rc == 0 ? sync_share_leave(sh, row, what, err) : rc;
}

static int
move_rows(struct sync_sharing *sh, const struct store_share *what, struct err *err)
{
	struct store_batch *b = sh->r->batch;
	struct store_row **rows;
	size_t count = 0;
	int rc = store_share_rows(sh->r->db, &sh->root, sh->arena, &rows, &count, err);

	if (rc == 0)
		rc = b->get(b, rows, count, sh->arena, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!rows[i]->known)
			continue;
		if (what->left == 0 && sh->r->is_hub)
			rc = come_in(sh, rows[i], err);
		else if (what->left == 0)
			rc = come_back(sh, rows[i], what->scope, err);
		else if (store_row_is_live(rows[i]))
			rc = go_out(sh, rows[i], what, err);
	}
	return rc;
}

int
sync_share_carry_out(struct sync_sharing *sh, const struct store_share *what, struct err *err)
{
	int rc = store_share_set_group(sh->r->db, &sh->root, what, err);

	if (rc == 0 && !sh->r->is_hub && !MUT(60))
		rc = store_track_guard(sh->r->db, sh->root.table, err);
	if (rc == 0)
		rc = store_share_group(sh->r->db, &sh->root, sh->arena, &sh->group,
		                       &sh->group_count, err);
	if (rc == 0 && sh->r->is_hub)
		rc = add_home(sh, err);
	if (rc == 0)
		rc = move_rows(sh, what, err);
	if (rc == 0 && what->left == 0) /* what was refused of it may be right now */
		rc = store_quarantine_wake(sh->r->db, STORE_QUARANTINE_ALL, err);
	return rc;
}

int
sync_share_settle(struct sync_replica *r, struct err *err)
{
	int more = 1, rc = 0;

	while (rc == 0 && more == 1) {
		struct arena a = { 0 };
		struct sync_share_unit unit = { .r = r, .arena = &a };
		struct sync_share_plan plan = { .unit = &unit };
		struct sync_sharing sh = { .r = r, .arena = &a, .plan = &plan };
		struct store_share_pending it;

		more = store_share_next(r->db, &a, &it, err);
		sh.root = it.root;
		if (more == 1 && it.ends)
			rc = find_end(&sh, &it.own, &it.what, err);
		sh.site = it.what.left_site;
		sh.stamp = it.what.left;
		if (more == 1 && rc == 0)
			rc = sync_share_carry_out(&sh, &it.what, err);
		if (more == 1 && rc == 0)
			rc = sync_share_plan_run(&plan, err);
		arena_free(&a);
	}
	return rc < 0 ? rc : more;
}

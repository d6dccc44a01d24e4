/* sync/merge/share_move.c - one row into a scope, out of one, and whose own it is. */
#include "store/base/mutant.h"
#include "store/digest.h"
#include "store/share.h"
#include "sync/merge/share_priv.h"

#include <string.h>

const struct store_share *
sync_share_in(const struct store_share *list, size_t count, int scope)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].scope == scope)
			return &list[i];
	return NULL;
}

/* ---- joining ---- */

int
sync_share_join(struct sync_sharing *sh, struct store_row *row, bool is_new, struct err *err)
{
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(sh->r->db, row, sh->arena, &has, &count, err);

	for (size_t i = 0; rc == 0 && i < sh->group_count; i++) {
		const struct store_share now = { .scope = sh->group[i].scope };
		const struct store_share *was = sync_share_in(has, count, now.scope);

		if (sh->group[i].left != 0 || now.scope == row->scope ||
		    (was != NULL && was->left == 0))
			continue;
		rc = store_share_set_row(sh->r->db, row, &sh->root, &now, err);
		if (rc == 0)
			rc = store_digest_add(sh->r->db, now.scope, row, 1, err);
		if (rc == 0 && !is_new && !MUT(54))
			rc = sync_share_plan_add(sh->plan, now.scope, row, true, err);
	}
	return rc;
}

int
sync_share_count(struct sync_sharing *sh, struct store_row *row, int scope, struct err *err)
{
	const struct store_share now = { .scope = scope };
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(sh->r->db, row, sh->arena, &has, &count, err);

	/* one that it left it comes back to by a word of the hub's only */
	if (rc < 0 || row->scope == scope || sync_share_in(has, count, scope) != NULL)
		return rc;
	rc = store_share_set_row(sh->r->db, row, &sh->root, &now, err);
	if (rc == 0)
		rc = store_digest_add(sh->r->db, scope, row, 1, err);
	return rc == 0 ? sync_share_plan_add(sh->plan, scope, row, true, err) : rc;
}

/* ---- whose own ---- */

int
sync_share_move(struct sync_sharing *sh, struct store_row *row, int to, bool counted,
                struct err *err)
{
	int rc = store_digest_add(sh->r->db, row->scope, row, -1, err);

	if (rc == 0)
		rc = store_share_move(sh->r->db, row, to, err);
	return rc == 0 && !counted ? store_digest_add(sh->r->db, to, row, 1, err) : rc;
}

/* Whose the row is when `scope` has left: the first that is still there. */
static int
next_home(struct sync_sharing *sh, int scope, int *to, struct err *err)
{
	for (size_t i = 0; i < sh->group_count; i++)
		if (sh->group[i].left == 0 && sh->group[i].scope != scope) {
			*to = sh->group[i].scope;
			return 0;
		}
	return store_catalog_scope(sh->r->db, "hub", to, err);
}

/* Who listens at the hub hears that the row is another scope's. */
static int
tell_moved(struct sync_sharing *sh, struct store_row *row, int left, struct err *err)
{
	struct sync_unit unit = {
		.site = sh->site,
		.scope = row->scope,
		.first = (uint64_t)sh->stamp,
		.last = (uint64_t)sh->stamp,
		.sealed_ms = sync_replica_now_ms(sh->r),
		.rows = &row,
		.count = 1,
		.left = left,
	};

	return sh->r->applied == NULL ? 0 : sh->r->applied(sh->r->ctx, &unit, err);
}

/* What everybody has left is the hub's own until somebody comes. */
static bool
is_nobodys(const struct sync_sharing *sh, const struct store_row *row)
{
	return strcmp(store_catalog_scope_of(sh->r->db, row->scope), "hub") == 0;
}

/* The scope that is to own it: the one that its columns name; of a row that was left with nobody
 * the first that sees it. */
static int
find_owner(struct sync_sharing *sh, const struct store_row *row, int *owner, struct err *err)
{
	const struct store_share *own;
	char name[STORE_SCOPE_MAX + 1];
	int rc;

	*owner = row->scope;
	if (!store_share_home_of(sh->r->db, row, name))
		return 0;
	rc = store_catalog_find_scope(sh->r->db, name, owner, err);
	own = sync_share_in(sh->group, sh->group_count, *owner);
	if (rc == 0 && is_nobodys(sh, row) && *owner != row->scope &&
	    (own == NULL || own->left != 0))
		rc = next_home(sh, row->scope, owner, err);
	return rc;
}

/* From a scope where it counts on; but nobody's counts with the hub no more. */
static int
take_over(struct sync_sharing *sh, struct store_row *row, int owner, struct err *err)
{
	const struct store_share was = { .scope = row->scope };
	int rc = store_share_drop_row(sh->r->db, row, owner, err);

	if (rc == 0 && is_nobodys(sh, row))
		return sync_share_move(sh, row, owner, true, err);
	if (rc == 0)
		rc = store_share_set_row(sh->r->db, row, &sh->root, &was, err);
	return rc == 0 ? store_share_move(sh->r->db, row, owner, err) : rc;
}

int
sync_share_go_home(struct sync_sharing *sh, struct store_row *row, struct err *err)
{
	const struct store_share *own;
	struct store_share *has = NULL;
	size_t count = 0;
	int was = row->scope, owner, rc = find_owner(sh, row, &owner, err);

	if (rc == 0 && owner != was)
		rc = store_share_of_row(sh->r->db, row, sh->arena, &has, &count, err);
	if (rc < 0 || owner == was)
		return rc;
	own = sync_share_in(has, count, owner);
	if (own == NULL || own->left != 0)
		return 0;
	rc = take_over(sh, row, owner, err);
	return rc == 0 ? tell_moved(sh, row, was, err) : rc;
}

/* ---- leaving ---- */

static int
leave_at_hub(struct sync_sharing *sh, struct store_row *row, const struct store_share *left,
             struct err *err)
{
	const struct store_share *was, *next;
	struct store_share *has;
	bool counted;
	size_t count;
	int to = 0;
	int rc = store_share_of_row(sh->r->db, row, sh->arena, &has, &count, err);

	if (rc < 0)
		return rc;
	was = sync_share_in(has, count, left->scope);
	if (row->scope == left->scope) {
		rc = next_home(sh, left->scope, &to, err);
		next = sync_share_in(has, count, to);
		counted = next != NULL && next->left == 0;
		if (rc == 0)
			rc = store_share_drop_row(sh->r->db, row, to, err);
		if (rc == 0)
			rc = sync_share_move(sh, row, to, counted, err);
		if (rc == 0)
			rc = tell_moved(sh, row, left->scope, err);
	} else if (was != NULL && was->left == 0) {
		rc = store_digest_add(sh->r->db, left->scope, row, -1, err);
	} else {
		return 0; /* it never was there, or isn't any more */
	}
	return rc == 0 ? store_share_set_row(sh->r->db, row, &sh->root, left, err) : rc;
}

static int
leave_at_node(struct sync_sharing *sh, struct store_row *row, const struct store_share *left,
              struct err *err)
{
	int to, rc;

	if (row->scope != left->scope || MUT(53))
		return 0;
	rc = store_catalog_scope(sh->r->db, STORE_SHARE_LEFT, &to, err);
	if (rc == 0)
		rc = sync_share_move(sh, row, to, false, err);
	return rc == 0 ? store_share_set_row(sh->r->db, row, &sh->root, left, err) : rc;
}

int
sync_share_leave(struct sync_sharing *sh, struct store_row *row, const struct store_share *left,
                 struct err *err)
{
	return sh->r->is_hub ? leave_at_hub(sh, row, left, err) : leave_at_node(sh, row, left, err);
}

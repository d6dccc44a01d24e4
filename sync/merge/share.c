/* sync/merge/share.c - who sees which row, and what is passed on to them (sync/merge/share.h). */
#include "sync/merge/share.h"
#include "store/digest.h"
#include "store/inbox.h"
#include "store/log.h"
#include "store/share.h"
#include "sync/merge/share_priv.h"
#include "sync/seen.h"

#include <string.h>

/* One root while its rows are moved about. */
struct sharing {
	struct sync_replica *r;
	struct arena *arena;
	struct sync_share_plan *plan; /* what is to be passed on; NULL at a node */
	struct store_root root;
	struct store_share *group;
	size_t group_count;
	int site; /* whose write moves them, and its stamp */
	int64_t stamp;
};

static const struct store_share *
in(const struct store_share *list, size_t count, int scope)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].scope == scope)
			return &list[i];
	return NULL;
}

/* Had the unit's writer seen that the scope left? */
static bool
had_heard(const struct sync_share_unit *unit, const struct store_share *share)
{
	return sync_seen_covers(unit->seen, unit->seen_len,
	                        store_catalog_site_of(unit->r->db, share->left_site), share->left);
}

/*
 * What the row hangs on says whether a scope may that it isn't known to count in: two made one row
 * of one natural key, and one of them has left since; or this is a node, where a shared row is its
 * scope's like any other.
 */
static int
admits_by_root(const struct sync_share_unit *unit, const struct store_row *row, struct arena *a,
               bool *yes, struct err *err)
{
	const struct store_share *own = NULL;
	struct store_share *group;
	struct store_root root = { 0 };
	struct store_share_tables tables;
	size_t n = 0;
	int rc = store_share_tables(unit->r->db, &tables, err);

	if (rc == 0 && store_share_root_of(unit->r->db, &tables, row, &root))
		rc = store_share_group(unit->r->db, &root, a, &group, &n, err);
	if (rc == 0 && n > 0)
		own = in(group, n, unit->scope);
	*yes = own != NULL && (own->left == 0 || !had_heard(unit, own));
	buf_free(&root.room);
	return rc;
}

int
sync_share_admits(const struct sync_share_unit *unit, const struct store_row *row, bool *yes,
                  struct err *err)
{
	const struct store_share *share;
	struct store_share *list;
	struct arena a = { 0 };
	size_t count;
	int rc = store_share_of_row(unit->r->db, row, &a, &list, &count, err);

	share = rc == 0 ? in(list, count, unit->scope) : NULL;
	if (share != NULL)
		*yes = share->left == 0 || !had_heard(unit, share);
	else if (rc == 0 && row->scope == unit->scope && count > 0)
		*yes = true;
	else if (rc == 0)
		rc = admits_by_root(unit, row, &a, yes, err);
	arena_free(&a);
	return rc;
}

/* ---- joining ---- */

/* The row counts in each scope of its root's that hasn't left; those it is new to get it whole,
 * unless it is new everywhere. */
static int
join(struct sharing *sh, struct store_row *row, bool is_new, struct err *err)
{
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(sh->r->db, row, sh->arena, &has, &count, err);

	for (size_t i = 0; rc == 0 && i < sh->group_count; i++) {
		const struct store_share now = { .scope = sh->group[i].scope };
		const struct store_share *was = in(has, count, now.scope);

		if (sh->group[i].left != 0 || now.scope == row->scope ||
		    (was != NULL && was->left == 0))
			continue;
		rc = store_share_set_row(sh->r->db, row, &sh->root, &now, err);
		if (rc == 0)
			rc = store_digest_add(sh->r->db, now.scope, row, 1, err);
		if (rc == 0 && !is_new)
			rc = sync_share_plan_add(sh->plan, now.scope, row, true, err);
	}
	return rc;
}

/* ---- leaving ---- */

/* Make another scope the row's own. `counted`: it counts there already. */
static int
move(struct sharing *sh, struct store_row *row, int to, bool counted, struct err *err)
{
	int rc = store_digest_add(sh->r->db, row->scope, row, -1, err);

	if (rc == 0)
		rc = store_share_move(sh->r->db, row, to, err);
	return rc == 0 && !counted ? store_digest_add(sh->r->db, to, row, 1, err) : rc;
}

/* Whose the row is when `scope` has left: the first that is still there. */
static int
next_home(struct sharing *sh, int scope, int *to, struct err *err)
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
tell_moved(struct sharing *sh, struct store_row *row, int left, struct err *err)
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

static int
leave_at_hub(struct sharing *sh, struct store_row *row, const struct store_share *left,
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
	was = in(has, count, left->scope);
	if (row->scope == left->scope) {
		rc = next_home(sh, left->scope, &to, err);
		next = in(has, count, to);
		counted = next != NULL && next->left == 0;
		if (rc == 0)
			rc = store_share_drop_row(sh->r->db, row, to, err);
		if (rc == 0)
			rc = move(sh, row, to, counted, err);
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
leave_at_node(struct sharing *sh, struct store_row *row, const struct store_share *left,
              struct err *err)
{
	int to, rc;

	if (row->scope != left->scope)
		return 0;
	rc = store_catalog_scope(sh->r->db, STORE_SHARE_LEFT, &to, err);
	if (rc == 0)
		rc = move(sh, row, to, false, err);
	return rc == 0 ? store_share_set_row(sh->r->db, row, &sh->root, left, err) : rc;
}

static int
leave(struct sharing *sh, struct store_row *row, const struct store_share *left, struct err *err)
{
	return sh->r->is_hub ? leave_at_hub(sh, row, left, err) : leave_at_node(sh, row, left, err);
}

/*
 * A row deleted by somebody who hadn't heard that his scope was leaving: his file didn't move it,
 * because it moves what lives.  So it counts there still, and he hears what has become of it.
 */
static int
stay(const struct sync_share_unit *unit, struct sharing *sh, struct store_row *row, bool *stays,
     struct err *err)
{
	const struct store_share *share;
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(unit->r->db, row, unit->arena, &has, &count, err);

	share = rc == 0 ? in(has, count, unit->scope) : NULL;
	*stays = share != NULL && share->left != 0 && !had_heard(unit, share);
	if (!*stays)
		return rc;
	if (!unit->r->is_hub) {
		rc = store_share_drop_row(unit->r->db, row, unit->scope, err);
		return rc == 0 ? move(sh, row, unit->scope, false, err) : rc;
	}
	rc = store_share_return_row(unit->r->db, row, unit->scope, err);
	if (rc == 0)
		rc = store_digest_add(unit->r->db, unit->scope, row, 1, err);
	return rc == 0 ? sync_share_plan_add(sh->plan, unit->scope, row, true, err) : rc;
}

/* ---- a unit ---- */

/* The scopes of a row that hear of what a unit of `scope` did to it. */
static int
pass_on(const struct sync_share_unit *unit, struct sync_share_plan *plan, struct store_row *row,
        struct err *err)
{
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(unit->r->db, row, unit->arena, &has, &count, err);

	if (rc == 0 && row->scope != unit->scope)
		rc = sync_share_plan_add(plan, row->scope, row, false, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (has[i].left == 0 && has[i].scope != unit->scope && has[i].scope != row->scope)
			rc = sync_share_plan_add(plan, has[i].scope, row, false, err);
	return rc;
}

/* Give a live row its scopes, by what it hangs on. */
static int
place(const struct sync_share_unit *unit, struct sharing *sh, const struct sync_share_row *it,
      struct err *err)
{
	const struct store_share *own;
	int rc = store_share_group(unit->r->db, &sh->root, unit->arena, &sh->group,
	                           &sh->group_count, err);

	own = rc == 0 ? in(sh->group, sh->group_count, unit->scope) : NULL;
	if (own != NULL && own->left != 0 && !had_heard(unit, own))
		rc = leave(sh, it->row, own, err);
	return rc == 0 && unit->r->is_hub ? join(sh, it->row, it->is_new, err) : rc;
}

static int
place_all(const struct sync_share_unit *unit, struct sync_share_plan *plan,
          const struct store_share_tables *tables, struct err *err)
{
	struct sharing sh = { .r = unit->r,
		              .arena = unit->arena,
		              .plan = plan,
		              .site = unit->site,
		              .stamp = unit->to };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < unit->count; i++) {
		struct store_row *row = unit->rows[i].row;
		bool stays = false;

		if (unit->rows[i].is_deleted)
			rc = stay(unit, &sh, row, &stays, err);
		if (rc == 0 && !stays && store_share_root_of(unit->r->db, tables, row, &sh.root))
			rc = place(unit, &sh, &unit->rows[i], err);
	}
	buf_free(&sh.root.room);
	return rc;
}

int
sync_share_merged(const struct sync_share_unit *unit, struct err *err)
{
	struct sync_share_plan plan = { .unit = unit };
	struct store_share_tables tables;
	int rc = store_share_tables(unit->r->db, &tables, err);

	if (rc < 0 || tables.count == 0 || unit->is_relay)
		return rc;
	rc = place_all(unit, &plan, &tables, err);
	for (size_t i = 0; rc == 0 && unit->r->is_hub && i < unit->count; i++)
		if (unit->rows[i].differs)
			rc = pass_on(unit, &plan, unit->rows[i].row, err);
	return rc == 0 ? sync_share_plan_run(&plan, err) : rc;
}

int
sync_share_sealed(const struct sync_share_unit *unit, struct err *err)
{
	struct sync_share_plan plan = { .unit = unit };
	struct store_share_tables tables;
	int rc = store_share_tables(unit->r->db, &tables, err);

	if (rc == 0 && tables.count > 0)
		rc = place_all(unit, &plan, &tables, err);
	return rc == 0 ? sync_share_plan_run(&plan, err) : rc;
}

/* ---- at a node ---- */

int
sync_share_scope(struct sync_replica *r, const struct store_log_row *row, int *scope,
                 struct err *err)
{
	const struct store_share *own;
	struct store_share *group;
	struct store_root root = { 0 };
	struct arena a = { 0 };
	struct store_share_tables tables;
	size_t n = 0;
	int rc = store_share_tables(r->db, &tables, err);

	if (rc == 0 && store_share_root_of_values(r->db, &tables, row->schema, row->values, &root))
		rc = store_share_group(r->db, &root, &a, &group, &n, err);
	own = rc == 0 && n > 0 ? in(group, n, *scope) : NULL;
	if (own != NULL && own->left != 0)
		rc = store_catalog_scope(r->db, STORE_SHARE_LEFT, scope, err);
	buf_free(&root.room);
	arena_free(&a);
	return rc;
}

/* ---- what the hub says ---- */

/* Which write of the hub's ended it: that of yz_share's own row. */
static int
find_end(struct sharing *sh, struct store_row *own, struct store_share *what, struct err *err)
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
add_home(struct sharing *sh, struct err *err)
{
	struct store_row row = { .table = sh->root.table,
		                 .key = sh->root.key,
		                 .key_len = sh->root.key_len };
	struct store_row *rows[] = { &row };
	int rc = sh->r->batch->get(sh->r->batch, rows, 1, sh->arena, err);

	if (rc == 0 && row.known && in(sh->group, sh->group_count, row.scope) == NULL)
		rc = store_share_set_group(sh->r->db, &sh->root,
		                           &(struct store_share){ .scope = row.scope }, err);
	return rc == 0 ? store_share_group(sh->r->db, &sh->root, sh->arena, &sh->group,
	                                   &sh->group_count, err)
	               : rc;
}

/* A node gets back what it kept when it left. */
static int
come_back(struct sharing *sh, struct store_row *row, int scope, struct err *err)
{
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(sh->r->db, row, sh->arena, &has, &count, err);

	if (rc < 0 || in(has, count, scope) == NULL)
		return rc;
	rc = store_share_drop_row(sh->r->db, row, scope, err);
	return rc == 0 ? move(sh, row, scope, false, err) : rc;
}

/* The root's rows come to a scope, or go from it. */
static int
move_rows(struct sharing *sh, const struct store_share *what, struct err *err)
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
			rc = join(sh, rows[i], false, err);
		else if (what->left == 0)
			rc = come_back(sh, rows[i], what->scope, err);
		else if (store_row_is_live(rows[i]))
			rc = leave(sh, rows[i], what, err);
	}
	return rc;
}

static int
carry_out(struct sharing *sh, const struct store_share *what, struct err *err)
{
	int rc = store_share_set_group(sh->r->db, &sh->root, what, err);

	if (rc == 0)
		rc = store_share_group(sh->r->db, &sh->root, sh->arena, &sh->group,
		                       &sh->group_count, err);
	if (rc == 0 && sh->r->is_hub && what->left == 0)
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
		struct sharing sh = { .r = r, .arena = &a, .plan = &plan };
		struct store_share_pending it;

		more = store_share_next(r->db, &a, &it, err);
		sh.root = it.root;
		if (more == 1 && it.ends)
			rc = find_end(&sh, &it.own, &it.what, err);
		sh.site = it.what.left_site;
		sh.stamp = it.what.left;
		if (more == 1 && rc == 0)
			rc = carry_out(&sh, &it.what, err);
		if (more == 1 && rc == 0)
			rc = sync_share_plan_run(&plan, err);
		arena_free(&a);
	}
	return rc < 0 ? rc : more;
}

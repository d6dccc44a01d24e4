/* sync/merge/share.c - who sees which row, and what is passed on to them (sync/merge/share.h). */
#include "sync/merge/share.h"
#include "store/base/mutant.h"
#include "store/digest.h"
#include "store/log.h"
#include "store/share.h"
#include "sync/merge/share_priv.h"
#include "sync/merge/told.h"
#include "sync/seen.h"

#include <string.h>

/* Does the peer have records of the hub's that the hub hasn't?  It was put back then, and may have
 * forgotten that a scope came again; of two branches of its stream the stamps don't tell which one
 * a unit's writer has read. */
static bool
hub_forgot(const struct sync_share_unit *unit)
{
	for (size_t i = 0; i < unit->r->forgotten.count; i++)
		if (unit->r->forgotten.scopes[i] == unit->scope)
			return true;
	return false;
}

/* Had the unit's writer seen that the scope left?  It says so itself, or has told the hub. */
static int
had_heard(const struct sync_share_unit *unit, const struct store_share *share, bool *yes,
          struct err *err)
{
	*yes = !hub_forgot(unit) &&
	       sync_seen_covers(unit->seen, unit->seen_len,
	                        store_catalog_site_of(unit->r->db, share->left_site), share->left);
	if (MUT(52))
		*yes = false;
	else if (!*yes && unit->r->is_hub && unit->stream != 0)
		return sync_told_covers(unit->r, unit->stream, unit->n, share, yes, err);
	return 0;
}

/* May it still write what it sees, or saw until it left? */
static int
may_still(const struct sync_share_unit *unit, const struct store_share *share, bool *yes,
          struct err *err)
{
	bool heard = false;
	int rc = share->left == 0 ? 0 : had_heard(unit, share, &heard, err);

	*yes = rc == 0 && !heard;
	return rc;
}

/* Do the columns of a root say that it is of that scope? */
static int
is_home(struct sync_replica *r, const struct store_root *root, int scope, struct arena *a,
        bool *yes, struct err *err)
{
	struct store_row row = { .table = root->table, .key = root->key, .key_len = root->key_len };
	struct store_row *rows[] = { &row };
	char name[STORE_SCOPE_MAX + 1];
	int rc = r->batch->get(r->batch, rows, 1, a, err);

	*yes = rc == 0 && row.known && store_share_home_of(r->db, &row, name) &&
	       strcmp(name, store_catalog_scope_of(r->db, scope)) == 0;
	return rc;
}

/* What may a unit of a scope do that the group of the root says nothing of?  Come home: the hub was
 * put back to before it knew the root, and has heard of it from those first who see it, too. */
static int
is_coming_home(const struct sync_share_unit *unit, const struct store_root *root, struct arena *a,
               bool *yes, struct err *err)
{
	*yes = false;
	return unit->r->is_hub && !unit->is_relay ? is_home(unit->r, root, unit->scope, a, yes, err)
	                                          : 0;
}

/* What a row hangs on.  Of a dead one its change may say it, if the row is of who sees that. */
static int
find_root(const struct sync_share_unit *unit, const struct store_row *row,
          const struct store_change *c, struct sync_sharing *out, struct err *err)
{
	struct store_share_tables tables;
	int rc = store_share_tables(unit->r->db, &tables, err);
	bool found = rc == 0 && store_share_root_of(unit->r->db, &tables, row, &out->root);
	bool said = rc == 0 && !found && c != NULL &&
	            store_share_root_of_change(unit->r->db, &tables, c, &out->root);

	out->group_count = 0;
	if (found || said)
		rc = store_share_group(unit->r->db, &out->root, out->arena, &out->group,
		                       &out->group_count, err);
	if (rc == 0 && said && sync_share_in(out->group, out->group_count, row->scope) == NULL)
		out->group_count = 0;
	return rc;
}

/*
 * What the row hangs on says whether a scope may that it isn't known to count in: two made one row
 * of one natural key, and one of them has left since; the hub was put back, and heard of it
 * from another first; or this is a node, where a shared row is its scope's like any other.
 */
static int
admits_by_root(const struct sync_share_unit *unit, const struct store_row *row,
               const struct store_change *c, bool *yes, struct err *err)
{
	struct arena a = { 0 };
	struct sync_sharing sh = { .r = unit->r, .arena = &a };
	const struct store_share *own = NULL;
	int rc = find_root(unit, row, c, &sh, err);

	if (rc == 0 && sh.group_count > 0)
		own = sync_share_in(sh.group, sh.group_count, unit->scope);
	*yes = false;
	if (own != NULL)
		rc = may_still(unit, own, yes, err);
	else if (rc == 0 && sh.group_count > 0)
		rc = is_coming_home(unit, &sh.root, &a, yes, err);
	buf_free(&sh.root.room);
	arena_free(&a);
	return rc;
}

int
sync_share_admits(const struct sync_share_unit *unit, const struct store_row *row,
                  const struct store_change *c, bool *yes, struct err *err)
{
	const struct store_share *share;
	struct store_share *list;
	struct arena a = { 0 };
	size_t count;
	int rc = store_share_of_row(unit->r->db, row, &a, &list, &count, err);

	share = rc == 0 ? sync_share_in(list, count, unit->scope) : NULL;
	if (share != NULL)
		rc = may_still(unit, share, yes, err);
	else if (rc == 0 && row->scope == unit->scope && count > 0)
		*yes = true;
	else if (rc == 0)
		rc = admits_by_root(unit, row, c, yes, err);
	arena_free(&a);
	return rc;
}

/* ---- a hub that was put back ---- */

int
sync_share_home(struct sync_replica *r, struct store_row *row, struct err *err)
{
	struct arena a = { 0 };
	struct sync_share_unit unit = { .r = r };
	struct sync_sharing sh = { .r = r, .arena = &a };
	const struct store_share *own = NULL;
	char name[STORE_SCOPE_MAX + 1];
	int home = 0, rc = find_root(&unit, row, NULL, &sh, err);

	if (rc == 0 && sh.group_count > 0 && store_share_home_of(r->db, row, name))
		rc = store_catalog_find_scope(r->db, name, &home, err);
	if (rc == 0 && home != 0)
		own = sync_share_in(sh.group, sh.group_count, home);
	if (own != NULL && own->left == 0)
		row->scope = home;
	buf_free(&sh.root.room);
	arena_free(&a);
	return rc;
}

/* Rows of the unit may have become another scope's. */
static int
read_scopes(const struct sync_share_unit *unit, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < unit->count; i++) {
		struct store_row *row = unit->rows[i].row;
		struct store_row now = { .table = row->table,
			                 .key = row->key,
			                 .key_len = row->key_len };
		struct store_row *rows[] = { &now };

		rc = unit->r->batch->get(unit->r->batch, rows, 1, unit->arena, err);
		row->scope = now.scope;
		row->in_run = now.in_run;
	}
	return rc;
}

/* Roots whose own scope says something of them again. */
static int
take_home(const struct sync_share_unit *unit, struct sync_sharing *sh, struct err *err)
{
	const struct store_share home = { .scope = unit->scope };
	bool any = false;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < unit->count; i++) {
		bool yes = false;

		if (unit->rows[i].row->scope == unit->scope)
			continue;
		rc = find_root(unit, unit->rows[i].row, NULL, sh, err);
		if (rc == 0 && sh->group_count > 0 &&
		    sync_share_in(sh->group, sh->group_count, unit->scope) == NULL)
			rc = is_coming_home(unit, &sh->root, unit->arena, &yes, err);
		if (rc == 0 && yes)
			rc = sync_share_carry_out(sh, &home, err);
		any = any || yes;
	}
	return rc == 0 && any ? read_scopes(unit, err) : rc;
}

static int
counts_in(struct sync_replica *r, const struct store_row *row, int scope, struct arena *a,
          bool *yes, struct err *err)
{
	const struct store_share *is;
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(r->db, row, a, &has, &count, err);

	is = rc == 0 ? sync_share_in(has, count, scope) : NULL;
	*yes = row->known && (row->scope == scope || (is != NULL && is->left == 0));
	return rc;
}

int
sync_share_again(struct sync_replica *r, int scope, struct store_row **rows, size_t count,
                 struct err *err)
{
	struct arena a = { 0 };
	struct sync_share_unit unit = { .r = r, .arena = &a };
	struct sync_share_plan plan = { .unit = &unit };
	int rc = r->batch->get(r->batch, rows, count, &a, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		bool yes = false;

		rc = counts_in(r, rows[i], scope, &a, &yes, err);
		if (rc == 0 && yes)
			rc = sync_share_plan_add(&plan, scope, rows[i], true, err);
	}
	if (rc == 0)
		rc = sync_share_plan_run(&plan, err);
	arena_free(&a);
	return rc;
}

/* ---- deleted, and left ---- */

/*
 * A row deleted by somebody who hadn't heard that his scope was leaving: his file didn't move it,
 * because it moves what lives.  So it counts there still, and he hears what has become of it.  If
 * it lives on all the same, his file puts aside what it hears, as it would have put aside the row.
 * A hub that was put back may have heard of the delete before it heard of the end: it counts the
 * row then, and says so to him, who had put it aside while it lived.
 */
static int
stay(const struct sync_share_unit *unit, struct sync_sharing *sh, struct store_row *row,
     bool *stays, struct err *err)
{
	const struct store_share *share;
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(unit->r->db, row, unit->arena, &has, &count, err);

	share = rc == 0 ? sync_share_in(has, count, unit->scope) : NULL;
	*stays = share != NULL && share->left != 0;
	if (*stays && !unit->is_relay)
		rc = may_still(unit, share, stays, err);
	if (!*stays)
		return rc;
	if (store_row_is_live(row)) {
		*stays = false;
		return unit->r->is_hub ? sync_share_plan_add(sh->plan, unit->scope, row, true, err)
		                       : 0;
	}
	if (!unit->r->is_hub) {
		rc = store_share_drop_row(unit->r->db, row, unit->scope, err);
		return rc == 0 ? sync_share_move(sh, row, unit->scope, false, err) : rc;
	}
	rc = store_share_return_row(unit->r->db, row, unit->scope, err);
	if (rc == 0)
		rc = store_digest_add(unit->r->db, unit->scope, row, 1, err);
	return rc == 0 ? sync_share_plan_add(sh->plan, unit->scope, row, true, err) : rc;
}

/* ---- a unit ---- */

/* The scopes of a row that hear of what a unit did to it.  A relay has several writers: of what it
 * brings all is said. */
static int
pass_on(const struct sync_share_unit *unit, struct sync_share_plan *plan, struct store_row *row,
        struct err *err)
{
	struct store_share *has;
	size_t count;
	int rc = store_share_of_row(unit->r->db, row, unit->arena, &has, &count, err);

	if (MUT(50))
		return rc;
	if (rc == 0 && row->scope != unit->scope)
		rc = sync_share_plan_add(plan, row->scope, row, unit->is_relay, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if ((has[i].left == 0 || MUT(51)) && has[i].scope != unit->scope &&
		    has[i].scope != row->scope)
			rc = sync_share_plan_add(plan, has[i].scope, row, unit->is_relay, err);
	return rc;
}

/*
 * A row of a root that has left: written by who hadn't heard so; or said by the hub, to whom it has
 * left, because of a delete of its own that lost.  What its writer had seen isn't asked: of a hub
 * that was put back there are two branches with the same stamps, and who has seen the one would
 * seem to have read the end in the other.
 */
static bool
goes_aside(const struct sync_share_unit *unit, const struct store_share *own)
{
	return own != NULL && own->left != 0 && !(unit->is_relay && unit->r->is_hub);
}

/*
 * A dead row goes on counting where it was when a scope left.  Begun anew by others it is theirs
 * alone: who has left hears that once, and puts it aside.
 */
static int
leave_revived(struct sync_sharing *sh, struct store_row *row, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sh->group_count; i++) {
		const struct store_share *left = &sh->group[i];
		bool counts = false;

		if (left->left != 0 && !MUT(61))
			rc = counts_in(sh->r, row, left->scope, sh->arena, &counts, err);
		if (rc == 0 && counts)
			rc = sync_share_leave(sh, row, left, err);
		if (rc == 0 && counts)
			rc = sync_share_plan_add(sh->plan, left->scope, row, true, err);
	}
	return rc;
}

/* Give a live row its scopes, by what it hangs on. */
static int
place(const struct sync_share_unit *unit, struct sync_sharing *sh, const struct sync_share_row *it,
      struct err *err)
{
	const struct store_share *own;
	int rc = store_share_group(unit->r->db, &sh->root, unit->arena, &sh->group,
	                           &sh->group_count, err);

	own = rc == 0 ? sync_share_in(sh->group, sh->group_count, unit->scope) : NULL;
	if (goes_aside(unit, own))
		rc = sync_share_leave(sh, it->row, own, err);
	if (rc == 0 && unit->r->is_hub)
		rc = sync_share_join(sh, it->row, it->is_new, err);
	return rc == 0 && unit->r->is_hub ? leave_revived(sh, it->row, err) : rc;
}

static int
place_row(const struct sync_share_unit *unit, struct sync_sharing *sh,
          const struct sync_share_row *it, struct err *err)
{
	struct store_share_tables tables;
	bool stays = false;
	int rc = store_share_tables(unit->r->db, &tables, err);

	if (rc == 0 && it->is_deleted && !(unit->is_relay && unit->r->is_hub))
		rc = stay(unit, sh, it->row, &stays, err);
	if (rc < 0 || stays)
		return rc;
	if (store_share_root_of(unit->r->db, &tables, it->row, &sh->root))
		return place(unit, sh, it, err);
	/* what a dead row hung on isn't known, but that it came by this scope's stream, too */
	sh->root = (struct store_root){ .room = sh->root.room };
	return unit->r->is_hub && unit->scope != 0 ? sync_share_count(sh, it->row, unit->scope, err)
	                                           : 0;
}

static int
place_all(const struct sync_share_unit *unit, struct sync_share_plan *plan, struct err *err)
{
	struct sync_sharing sh = { .r = unit->r,
		                   .arena = unit->arena,
		                   .plan = plan,
		                   .homecoming = true,
		                   .site = unit->site,
		                   .stamp = unit->to };
	int rc = unit->r->is_hub && unit->scope != 0 ? take_home(unit, &sh, err) : 0;

	for (size_t i = 0; rc == 0 && i < unit->count; i++)
		rc = place_row(unit, &sh, &unit->rows[i], err);
	buf_free(&sh.root.room);
	return rc;
}

/* Is nothing shared, nor was before the hub was put back? */
static bool
is_alone(const struct sync_share_unit *unit, const struct store_share_tables *tables)
{
	bool other = false;

	for (size_t i = 0; unit->r->is_hub && !other && i < unit->count; i++)
		other = unit->rows[i].row->scope != unit->scope;
	return tables->count == 0 && !other;
}

int
sync_share_merged(const struct sync_share_unit *unit, struct err *err)
{
	struct sync_share_plan plan = { .unit = unit };
	struct store_share_tables tables;
	int rc = store_share_tables(unit->r->db, &tables, err);

	if (rc < 0 || is_alone(unit, &tables))
		return rc;
	rc = place_all(unit, &plan, err);
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
		rc = place_all(unit, &plan, err);
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
	own = rc == 0 && n > 0 ? sync_share_in(group, n, *scope) : NULL;
	if (own != NULL && own->left != 0)
		rc = store_catalog_scope(r->db, STORE_SHARE_LEFT, scope, err);
	buf_free(&root.room);
	arena_free(&a);
	return rc;
}

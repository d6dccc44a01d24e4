/*
 * sync/merge/apply.c - the heart of ingest: what a unit does to the rows.
 *
 * Rights are checked per change (sync/merge/law_priv.h).  A change outside its writer's rights is
 * not applied, is listed with its reason, and the rest of the unit goes on; where the writer may
 * not write the scope, or says what others wrote and isn't the hub, the whole unit is kept aside.
 *
 * Who lost without having been seen is kept: sync/merge/rivals.h.
 *
 * A small change may be to a large row, and sixty thousand of them to more than memory holds.  So a
 * unit whose rows are too large together is applied in parts, one behind the other in the
 * transaction that holds all of it: nobody sees half a unit.
 */
#include "store/base/mutant.h"
#include "store/base/text.h"
#include "store/inbox.h"
#include "sync/merge/apply_priv.h"
#include "sync/merge/law_priv.h"
#include "sync/merge/rivals.h"
#include "sync/merge/share.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_BYTES = 32 << 20 }; /* that the rows of a part may take when they are read */

/* A run of the unit's changes: mostly all of them. */
struct applying {
	struct sync_apply *u;
	struct sync_apply_rows rows; /* and the changes that they come from */
	enum touch {
		NOT_AT_ALL, /* it may be forbidden */
		WRITTEN,
		DELETED, /* last */
	} *
	        touched;              /* [row] */
	struct sync_share_row *moved; /* those of them that the unit changed */
	size_t moved_count;
	struct sync_rivals rivals;
	struct sync_law law; /* of the latest change's schema */
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "merge: out of memory");
}

/* ---- kept aside ---- */

/* The first is told to whoever wrote it. */
static void
count_aside(struct sync_apply *u, uint64_t n, const char *reason)
{
	if (u->kept_aside++ > 0)
		return;
	u->aside_n = n;
	text_copy(u->aside_reason, sizeof u->aside_reason, reason);
}

static int
keep_aside(struct applying *ap, const struct store_change *c, uint64_t n, const char *reason,
           struct err *err)
{
	struct store_quarantined q = {
		.scope = ap->u->stream->scope,
		.stream = ap->u->stream->id,
		.n = n,
		.table = c == NULL ? 0 : c->schema->table_id,
		.key = c == NULL ? (const uint8_t *)"" : c->key,
		.key_len = c == NULL ? 0 : c->key_len,
		.reason = reason,
	};

	count_aside(ap->u, n, reason);
	ap->u->refused++;
	ap->u->unit_refused = c == NULL;
	/* what is said again is refused again, and that is known */
	return ap->u->opening->kind == SYNC_RELAY ? store_quarantine_add_once(ap->u->r->db, &q, err)
	                                          : store_quarantine_add(ap->u->r->db, &q, err);
}

/* ---- the unit ---- */

/* May what is left of a change that was forbidden in part still be merged? */
static bool
is_left(const struct store_change *c)
{
	return c->op != STORE_DELETE && c->mask != 0;
}

/* What is forbidden is kept aside; of an insert or update the other cells may be left to merge. */
static int
merge_change(struct applying *ap, size_t i, const struct sync_merge_watch *watch, struct err *err)
{
	struct sync_apply *u = ap->u;
	struct store_change *c = &ap->rows.changes[i].change;
	struct store_row *row = ap->rows.of[i];
	const char *reason = NULL;
	int rc = sync_law_judge(&ap->law, c, row, &reason, err);

	if (rc == 0 && reason != NULL) {
		rc = keep_aside(ap, c, ap->rows.first + i, reason, err);
		if (rc < 0 || !is_left(c))
			return rc;
	}
	sync_rivals_before(&ap->rivals, row, c);
	if (rc == 0)
		rc = sync_merge(u->r->batch, row, c, watch, &ap->rows.arena, err);
	u->merged++;
	ap->touched[row - ap->rows.list] = c->op == STORE_DELETE ? DELETED : WRITTEN;
	return rc == 0 ? sync_rivals_after(&ap->rivals, row, err) : rc;
}

static int
merge_changes(struct applying *ap, struct err *err)
{
	struct sync_merge_watch watch = { .decided = sync_rivals_decided, .ctx = &ap->rivals };
	int rc = 0;

	ap->touched = arena_take(&ap->rows.arena, ap->rows.count, sizeof *ap->touched);
	if (ap->touched == NULL)
		return no_memory(err);
	for (size_t i = 0; rc == 0 && i < ap->rows.change_count; i++)
		if (ap->rows.of[i] != NULL)
			rc = merge_change(ap, i, &watch, err);
	return rc;
}

/* What the hub itself had said and has forgotten comes back: whose is it? */
static int
find_homes(struct applying *ap, struct err *err)
{
	int rc = 0;

	if (!ap->u->r->is_hub || !sync_law_is_hubs(ap->u))
		return 0;
	for (size_t i = 0; rc == 0 && i < ap->rows.count; i++)
		if (ap->rows.list[i].changed && !ap->rows.list[i].known)
			rc = sync_share_home(ap->u->r, &ap->rows.list[i], err);
	return rc;
}

static int
list_refusals(struct applying *ap, struct err *err)
{
	const struct store_refusal *list;
	size_t count = store_batch_sqlite_refused(ap->u->r->batch, &list);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct store_quarantined q = {
			.scope = list[i].row->scope,
			.stream = ap->u->stream->id,
			.n = ap->u->first,
			.table = list[i].row->table,
			.key = list[i].row->key,
			.key_len = list[i].row->key_len,
			.reason = list[i].reason,
		};

		count_aside(ap->u, ap->u->first, list[i].reason);
		rc = store_quarantine_add(ap->u->r->db, &q, err);
	}
	return rc;
}

/* Is the row, as the unit leaves it, anything to those who see it? */
static bool
is_moved(const struct applying *ap, size_t i)
{
	const struct store_row *row = &ap->rows.list[i];

	if (row->changed || ap->touched[i] == NOT_AT_ALL)
		return row->changed;
	/* a row that a delete leaves as it is was known */
	return ap->touched[i] == DELETED ||
	       (ap->u->r->is_hub && row->scope != ap->u->stream->scope);
}

/* The rows that differ now, before put forgets it; those deleted once more; and at the hub those
 * that came in another scope's stream before. */
static int
find_moved(struct applying *ap, struct err *err)
{
	ap->moved = arena_take(&ap->rows.arena, ap->rows.count, sizeof *ap->moved);
	if (ap->moved == NULL)
		return no_memory(err);
	for (size_t i = 0; i < ap->rows.count; i++) {
		struct store_row *row = &ap->rows.list[i];

		if (is_moved(ap, i))
			ap->moved[ap->moved_count++] = (struct sync_share_row){
				.row = row,
				.differs = row->changed,
				.is_new = !row->known,
				.is_deleted = ap->touched[i] == DELETED,
			};
	}
	return 0;
}

static int
tell(struct applying *ap, struct err *err)
{
	struct sync_apply *u = ap->u;
	struct sync_unit unit = {
		.site = u->stream->site,
		.scope = u->stream->scope,
		.stream = u->stream->id,
		.first = u->first,
		.last = u->first + u->opening->changes,
		.sealed_ms = u->opening->sealed_ms,
	};

	if (u->r->applied == NULL || ap->moved_count == 0)
		return 0;
	unit.rows = arena_take(&ap->rows.arena, ap->moved_count, sizeof(struct store_row *));
	if (unit.rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < ap->moved_count; i++)
		if (ap->moved[i].differs)
			unit.rows[unit.count++] = ap->moved[i].row;
	return unit.count == 0 ? 0 : u->r->applied(u->r->ctx, &unit, err);
}

/* Others may see the rows, too; and a unit may say who does. */
static int
share(struct applying *ap, struct err *err)
{
	struct sync_apply *u = ap->u;
	const struct store_table *shares = store_catalog_table_by_name(u->r->db, "yz_share");
	struct sync_share_unit unit = { .r = u->r,
		                        .arena = &ap->rows.arena,
		                        .scope = u->stream->scope,
		                        .site = u->stream->site,
		                        .stream = u->stream->id,
		                        .n = u->first,
		                        .is_relay = u->opening->kind == SYNC_RELAY,
		                        .from = INT64_MAX,
		                        .seen = u->seen,
		                        .seen_len = u->seen_len,
		                        .rows = ap->moved,
		                        .count = ap->moved_count };
	bool says = false;
	int rc;

	for (size_t i = 0; i < ap->rows.change_count; i++) {
		const struct store_change *c = &ap->rows.changes[i].change;

		if (ap->rows.of[i] == NULL)
			continue;
		unit.from = c->stamp < unit.from ? c->stamp : unit.from;
		unit.to = c->stamp > unit.to ? c->stamp : unit.to;
	}
	for (size_t i = 0; i < ap->moved_count; i++)
		says = says || (shares != NULL && ap->moved[i].row->table == shares->id);
	rc = sync_share_merged(&unit, err);
	return rc == 0 && says ? sync_share_settle(u->r, err) : rc;
}

static int
begin_rivals(struct applying *ap, struct err *err)
{
	const struct sync_apply *u = ap->u;
	const struct sync_opening *o = u->opening;

	ap->rivals = (struct sync_rivals){ .r = u->r,
		                           .arena = &ap->rows.arena,
		                           .scope = u->stream->scope,
		                           .seen = u->seen,
		                           .seen_len = u->seen_len };
	if (o->kind == SYNC_REMINT &&
	    store_catalog_find_site(u->r->db, o->origin_site.node, o->origin_site.epoch,
	                            &ap->rivals.again_of, err) < 0)
		return err->code;
	return sync_rivals_begin(&ap->rivals, err);
}

static size_t
count_extra(const struct applying *ap)
{
	size_t n = 0;

	for (size_t i = 0; i < ap->rows.count; i++)
		n += ap->rows.list[i].extra;
	return n;
}

/* A row that its table couldn't hold may fit by now: then what is listed of it is to go. */
static int
put_rows(struct applying *ap, struct err *err)
{
	struct store_batch *b = ap->u->r->batch;
	size_t extra = count_extra(ap);
	int rc = store_quarantine_move(ap->u->r->db, ap->rows.order, ap->rows.count, err);

	if (rc == 0)
		rc = b->put(b, ap->rows.order, ap->rows.count, err);
	return rc == 0 && count_extra(ap) < extra
	               ? store_quarantine_wake(ap->u->r->db, STORE_QUARANTINE_ALL, err)
	               : rc;
}

/* The rows are read; what is added to them is bounded by the changes themselves. */
static int
apply_part(struct applying *ap, struct err *err)
{
	int rc;

	ap->rows.arena.limit = 0;
	rc = begin_rivals(ap, err);
	if (rc == 0)
		rc = merge_changes(ap, err);
	if (rc == 0)
		rc = find_homes(ap, err);
	if (rc == 0)
		rc = find_moved(ap, err);
	if (rc == 0)
		rc = tell(ap, err);
	if (rc == 0)
		rc = put_rows(ap, err);
	if (rc == 0)
		rc = list_refusals(ap, err);
	return rc == 0 && ap->moved_count > 0 ? share(ap, err) : rc;
}

static int
apply_changes(struct sync_apply *u, struct err *err)
{
	size_t count = u->opening->changes, from = 0, most = count;
	int rc;

	do {
		struct applying ap = {
			.u = u,
			.law = { .u = u },
			.rows = { .changes = u->changes + from,
			          .change_count = most < count - from ? most : count - from,
			          .first = u->first + 1 + from,
			          .arena = { .limit = most == 1 ? 0 : ROWS_BYTES } },
		};

		rc = sync_apply_gather(u, &ap.rows, err);
		if (rc == ERR_NOMEM && ap.rows.arena.over) {
			most = (ap.rows.change_count + 1) / 2;
			rc = 0;
		} else if (rc == 0) {
			rc = apply_part(&ap, err);
			from += ap.rows.change_count;
		}
		arena_free(&ap.rows.arena);
	} while (rc == 0 && from < count);
	return rc;
}

/* Might its writer write there, or, of what a person lets in, when its key was good? */
static bool
may_write(const struct sync_apply *u, const struct store_site *site, const char *scope)
{
	const struct sync_replica *r = u->r;

	return r->may_write == NULL || r->may_write(r->ctx, site, scope) ||
	       (u->let_in && r->might_write != NULL && r->might_write(r->ctx, site, scope));
}

int
sync_apply_unit(struct sync_apply *u, struct err *err)
{
	const struct store_site *site = store_catalog_site_of(u->r->db, u->stream->site);
	const char *scope = store_catalog_scope_of(u->r->db, u->stream->scope);
	struct applying ap = { .u = u };
	int rc;

	if (!may_write(u, site, scope))
		return keep_aside(&ap, NULL, u->first,
		                  "its writer has no right to write this scope", err);
	if (u->opening->kind == SYNC_RELAY && !sync_law_is_hubs(u) && !sync_apply_says_own(u))
		return keep_aside(&ap, NULL, u->first, "only the hub passes on what others wrote",
		                  err);
	if (u->r->key_until != NULL && !u->let_in &&
	    u->first > u->r->key_until(u->r->ctx, site, scope) && !MUT(102))
		return keep_aside(&ap, NULL, u->first,
		                  "it came after the key that signs it was replaced", err);
	rc = sync_apply_origins(u, err);
	return rc == 0 ? apply_changes(u, err) : rc;
}

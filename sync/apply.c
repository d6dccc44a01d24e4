/*
 * sync/apply.c - the heart of ingest: what a unit does to the rows.
 *
 * Rights are checked per change (sync/law_priv.h).  A change outside its writer's rights is not
 * applied, is listed with its reason, and the rest of the unit goes on; where the writer may not
 * write the scope, or says what others wrote and isn't the hub, the whole unit is kept aside.
 *
 * Who lost without having been seen is kept: sync/rivals.h.
 *
 * A small change may be to a large row, and sixty thousand of them to more than memory holds.  So a
 * unit whose rows are too large together is applied in parts, one behind the other in the
 * transaction that holds all of it: nobody sees half a unit.
 */
#include "store/base/text.h"
#include "store/inbox.h"
#include "sync/apply_priv.h"
#include "sync/law_priv.h"
#include "sync/rivals.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_BYTES = 32 << 20 }; /* that the rows of a part may take when they are read */

/* A run of the unit's changes: mostly all of them. */
struct applying {
	struct sync_apply *u;
	struct sync_record *changes;
	size_t count;
	uint64_t first;           /* record number of the first */
	struct arena arena;       /* rows and what is made of them */
	struct store_row *rows;   /* distinct, in order of first mention */
	struct store_row **order; /* sorted by table and key */
	struct store_row **of;    /* [change]: its row; NULL if it isn't applied */
	size_t row_count;
	struct sync_rivals rivals;
	struct sync_law law; /* of the latest change's schema */
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "merge: out of memory");
}

/* ---- rows of the unit ---- */

struct place {
	const struct store_change *change;
	size_t i;
};

static int
cmp_place(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	size_t len =
	        a->change->key_len < b->change->key_len ? a->change->key_len : b->change->key_len;
	int ta = a->change->schema->table_id, tb = b->change->schema->table_id, order;

	if (ta != tb)
		return ta < tb ? -1 : 1;
	order = memcmp(a->change->key, b->change->key, len);
	if (order != 0)
		return order;
	if (a->change->key_len != b->change->key_len)
		return a->change->key_len < b->change->key_len ? -1 : 1;
	return (a->i > b->i) - (a->i < b->i);
}

/* A bulk import comes in order, and looking is cheaper than sorting it again. */
static void
sort(struct place *places, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (cmp_place(&places[i - 1], &places[i]) > 0) {
			qsort(places, count, sizeof *places, cmp_place);
			return;
		}
}

static bool
same_row(const struct store_change *a, const struct store_change *b)
{
	return a->schema->table_id == b->schema->table_id && a->key_len == b->key_len &&
	       memcmp(a->key, b->key, a->key_len) == 0;
}

static struct store_row *
new_row(struct applying *ap, const struct store_change *c)
{
	struct store_row *row = &ap->rows[ap->row_count];

	*row = (struct store_row){
		.table = c->schema->table_id,
		.scope = ap->u->stream->scope,
		.key = c->key,
		.key_len = c->key_len,
	};
	ap->order[ap->row_count++] = row;
	return row;
}

/* Find the distinct rows and read them. */
static int
gather(struct applying *ap, struct err *err)
{
	struct sync_apply *u = ap->u;
	size_t count = ap->count, used = 0;
	struct place *places = arena_take(&ap->arena, count, sizeof *places);

	ap->rows = arena_take(&ap->arena, count, sizeof *ap->rows);
	ap->order = arena_take(&ap->arena, count, sizeof(struct store_row *));
	ap->of = arena_take(&ap->arena, count, sizeof(struct store_row *));
	if (places == NULL || ap->rows == NULL || ap->order == NULL || ap->of == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++)
		if (ap->changes[i].type == SYNC_CHANGE &&
		    (u->only == 0 || u->only == ap->first + i))
			places[used++] = (struct place){ &ap->changes[i].change, i };
	sort(places, used);
	for (size_t i = 0; i < used; i++)
		ap->of[places[i].i] = i > 0 && same_row(places[i].change, places[i - 1].change)
		                              ? ap->of[places[i - 1].i]
		                              : new_row(ap, places[i].change);
	return u->r->batch->get(u->r->batch, ap->order, ap->row_count, &ap->arena, err);
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
	return store_quarantine_add(ap->u->r->db, &q, err);
}

/* ---- the unit ---- */

/* May what is left of a change that was forbidden in part still be merged? */
static bool
is_left(const struct applying *ap, const struct store_change *c, const struct store_row *row)
{
	return c->op != STORE_DELETE && c->mask != 0 && row->scope == ap->u->stream->scope;
}

/* What is forbidden is kept aside; of an insert or update the other cells may be left to merge. */
static int
merge_change(struct applying *ap, size_t i, const struct sync_merge_watch *watch, struct err *err)
{
	struct sync_apply *u = ap->u;
	struct store_change *c = &ap->changes[i].change;
	struct store_row *row = ap->of[i];
	const char *reason = NULL;
	int rc = sync_law_judge(&ap->law, c, row, &reason, err);

	if (rc == 0 && reason != NULL) {
		rc = keep_aside(ap, c, ap->first + i, reason, err);
		if (rc < 0 || !is_left(ap, c, row))
			return rc;
	}
	sync_rivals_before(&ap->rivals, row, c);
	if (rc == 0)
		rc = sync_merge(u->r->batch, row, c, watch, &ap->arena, err);
	u->merged++;
	return rc == 0 ? sync_rivals_after(&ap->rivals, row, err) : rc;
}

static int
merge_changes(struct applying *ap, struct err *err)
{
	struct sync_merge_watch watch = { .decided = sync_rivals_decided, .ctx = &ap->rivals };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ap->count; i++)
		if (ap->of[i] != NULL)
			rc = merge_change(ap, i, &watch, err);
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

	if (u->r->applied == NULL)
		return 0;
	unit.rows = arena_take(&ap->arena, ap->row_count, sizeof(struct store_row *));
	if (unit.rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < ap->row_count; i++)
		if (ap->rows[i].changed)
			unit.rows[unit.count++] = &ap->rows[i];
	return unit.count == 0 ? 0 : u->r->applied(u->r->ctx, &unit, err);
}

static int
begin_rivals(struct applying *ap, struct err *err)
{
	const struct sync_apply *u = ap->u;
	const struct sync_opening *o = u->opening;

	ap->rivals = (struct sync_rivals){ .r = u->r,
		                           .arena = &ap->arena,
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

	for (size_t i = 0; i < ap->row_count; i++)
		n += ap->rows[i].extra;
	return n;
}

/* A row that its table couldn't hold may fit by now: then what is listed of it is to go. */
static int
put_rows(struct applying *ap, struct err *err)
{
	struct store_batch *b = ap->u->r->batch;
	size_t extra = count_extra(ap);
	int rc = store_quarantine_move(ap->u->r->db, ap->order, ap->row_count, err);

	if (rc == 0)
		rc = b->put(b, ap->order, ap->row_count, err);
	return rc == 0 && count_extra(ap) < extra
	               ? store_quarantine_wake(ap->u->r->db, STORE_QUARANTINE_ALL, err)
	               : rc;
}

/* Who wrote each change. */
static int
set_origins(struct sync_apply *u, struct err *err)
{
	const struct sync_opening *o = u->opening;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->changes; i++) {
		struct sync_record *rec = &u->changes[i];

		if (rec->type != SYNC_CHANGE)
			continue;
		rec->change.site = u->stream->site;
		if (o->kind == SYNC_RELAY)
			rc = store_catalog_site(u->r->db, o->origins[rec->origin].node,
			                        o->origins[rec->origin].epoch, &rec->change.site,
			                        err);
	}
	return rc;
}

/* The rows are read; what is added to them is bounded by the changes themselves. */
static int
apply_part(struct applying *ap, struct err *err)
{
	int rc;

	ap->arena.limit = 0;
	rc = begin_rivals(ap, err);
	if (rc == 0)
		rc = merge_changes(ap, err);
	if (rc == 0)
		rc = tell(ap, err);
	if (rc == 0)
		rc = put_rows(ap, err);
	return rc == 0 ? list_refusals(ap, err) : rc;
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
			.changes = u->changes + from,
			.count = most < count - from ? most : count - from,
			.first = u->first + 1 + from,
			.arena = { .limit = most == 1 ? 0 : ROWS_BYTES },
		};

		rc = gather(&ap, err);
		if (rc == ERR_NOMEM && ap.arena.over) {
			most = (ap.count + 1) / 2;
			rc = 0;
		} else if (rc == 0) {
			rc = apply_part(&ap, err);
			from += ap.count;
		}
		arena_free(&ap.arena);
	} while (rc == 0 && from < count);
	return rc;
}

int
sync_apply_unit(struct sync_apply *u, struct err *err)
{
	const struct store_site *site = store_catalog_site_of(u->r->db, u->stream->site);
	const char *scope = store_catalog_scope_of(u->r->db, u->stream->scope);
	struct applying ap = { .u = u };
	int rc;

	if (u->r->may_write != NULL && !u->r->may_write(u->r->ctx, site, scope))
		return keep_aside(&ap, NULL, u->first,
		                  "its writer has no right to write this scope", err);
	if (u->opening->kind == SYNC_RELAY && !sync_law_is_hubs(u))
		return keep_aside(&ap, NULL, u->first, "only the hub passes on what others wrote",
		                  err);
	rc = set_origins(u, err);
	return rc == 0 ? apply_changes(u, err) : rc;
}

/*
 * sync/apply.c - the heart of ingest: what a unit does to the rows.
 *
 * Rights are checked per change.  A change outside its writer's rights is not
 * applied, is listed with its reason, and the rest of the unit goes on:
 *
 *   the writer may write the scope (its grant)              else the whole unit is kept aside
 *   it says only what it wrote itself, unless it is the hub  likewise
 *   an inserted row's scope column names the stream's scope; one in the key does so always
 *   a changed row belongs to the stream's scope
 *   a row that is the hub's, and a column that only the hub may write, come from the hub (an insert
 *   may carry the column's default)
 *   an event is inserted and no more: its max columns may grow, where two devices met in one row
 *
 * What was written past that the hub writes again, as it is here (sync/seal_back.c), so that the
 * writer converges.
 *
 * Who lost without having been seen is kept: sync/rivals.h.
 */
#include "store/inbox.h"
#include "store/inspect.h"
#include "sync/apply_priv.h"
#include "sync/rivals.h"

#include <stdlib.h>
#include <string.h>

struct applying {
	struct sync_apply *u;
	struct store_row *rows;   /* distinct, in order of first mention */
	struct store_row **order; /* sorted by table and key */
	struct store_row **of;    /* [change]: its row; NULL if it isn't applied */
	size_t row_count;
	struct sync_rivals rivals;
	/* what the table here says of the latest change's schema */
	struct law {
		const struct store_schema *schema, *rules;
		int scope_at;         /* the scope column, by position in `schema`; -1: none */
		uint64_t hub_columns; /* by position in `schema` */
		uint64_t growing;     /* likewise: max columns */
		/* the last row whose scope was the stream's: the next mostly says it with the same
		 * bytes */
		const uint8_t *scope_bytes;
		size_t scope_len;
	} law;
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
	size_t count = u->opening->changes, used = 0;
	struct place *places = arena_take(u->arena, count, sizeof *places);

	ap->rows = arena_take(u->arena, count, sizeof *ap->rows);
	ap->order = arena_take(u->arena, count, sizeof(struct store_row *));
	ap->of = arena_take(u->arena, count, sizeof(struct store_row *));
	if (places == NULL || ap->rows == NULL || ap->order == NULL || ap->of == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++)
		if (u->changes[i].type == SYNC_CHANGE &&
		    (u->only == 0 || u->only == u->first + 1 + i))
			places[used++] = (struct place){ &u->changes[i].change, i };
	sort(places, used);
	for (size_t i = 0; i < used; i++)
		ap->of[places[i].i] = i > 0 && same_row(places[i].change, places[i - 1].change)
		                              ? ap->of[places[i - 1].i]
		                              : new_row(ap, places[i].change);
	return u->r->batch->get(u->r->batch, ap->order, ap->row_count, u->arena, err);
}

/* ---- rights ---- */

/* The first is told to whoever wrote it. */
static void
count_aside(struct sync_apply *u, uint64_t n, const char *reason)
{
	if (u->kept_aside++ > 0)
		return;
	u->aside_n = n;
	u->aside_reason = reason;
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

static bool
from_hub(const struct sync_apply *u)
{
	const struct store_site *site = store_catalog_site_of(u->r->db, u->stream->site);

	return u->r->hub_known && memcmp(site->node, u->r->hub_node, STORE_NODE_ID) == 0;
}

/*
 * Whose a row is and which columns are the hub's is said by the table as it is tracked here: the
 * writer made its own schema and could say anything.  Only where the table isn't here, it is all
 * there is.  Mostly the next change is of the same schema.
 */
static const struct law *
law_of(struct applying *ap, const struct store_change *c)
{
	const struct store_schema *local;
	struct law *law = &ap->law;

	if (law->schema == c->schema)
		return law;
	local = store_catalog_table(ap->u->r->db, c->schema->table_id)->local;
	*law = (struct law){ .schema = c->schema, .rules = local != NULL ? local : c->schema };
	law->scope_at = law->rules->scope_column;
	if (law->scope_at >= 0)
		law->scope_at =
		        store_schema_find(c->schema, law->rules->columns[law->scope_at].name);
	for (unsigned i = 0; i < law->rules->column_count; i++) {
		const struct store_column *column = &law->rules->columns[i];
		bool grows = column->rule == STORE_MAX;
		int at = column->key == 0 && (column->hub_only || grows)
		                 ? store_schema_find(c->schema, column->name)
		                 : -1;

		if (at >= 0 && column->hub_only)
			law->hub_columns |= (uint64_t)1 << at;
		if (at >= 0 && grows)
			law->growing |= (uint64_t)1 << at;
	}
	return law;
}

/* Does what `c` writes say that its row is of the stream's scope? */
static bool
says_scope(struct applying *ap, const struct law *law, const struct store_change *c)
{
	const char *scope = store_catalog_scope_of(ap->u->r->db, ap->u->stream->scope);
	struct store_value values[STORE_COLUMNS_MAX];
	const struct store_value *v = law->scope_at < 0 ? NULL : &c->values[law->scope_at];
	char own[STORE_SCOPE_MAX + 1];
	struct err why;

	if (law->rules->scope_column >= 0 && v == NULL)
		return false; /* its schema doesn't even have that column */
	if (v != NULL && v->type == STORE_TEXT && v->bytes == law->scope_bytes &&
	    v->len == law->scope_len)
		return true;
	if (v != NULL)
		values[law->rules->scope_column] = *v;
	if (store_schema_scope(law->rules, values, own, &why) < 0 || strcmp(own, scope) != 0)
		return false;
	if (v != NULL) {
		ap->law.scope_bytes = v->bytes;
		ap->law.scope_len = v->len;
	}
	return true;
}

/*
 * An insert names its row's scope, and an update that replaces a whole row names it again.  Where
 * the scope stands in the key, every change does: of a row that isn't here yet there is nothing
 * else to tell whose it is.
 */
static bool
writes_scope(const struct law *law, const struct store_change *c)
{
	const struct store_schema *rules = law->rules;

	if (rules->scope_column >= 0 && rules->columns[rules->scope_column].key != 0)
		return true;
	return c->op == STORE_INSERT ||
	       (c->op == STORE_UPDATE && law->scope_at >= 0 && (c->mask >> law->scope_at & 1) != 0);
}

static const char other_scope[] = "the row's own scope is not the one it was sent in";
static const char rewritten[] = "an event was written again: corrections are new rows";

/* Does it end what happened, or begin it anew? */
static bool
ends_event(struct applying *ap, const struct store_change *c, const struct store_row *row)
{
	if (law_of(ap, c)->rules->kind != STORE_EVENT || from_hub(ap->u))
		return false;
	return c->op == STORE_DELETE || (store_row_is_live(row) && c->cl > row->cl);
}

/* NULL if the change may be applied, else why nothing of it may. */
static const char *
forbidden(struct applying *ap, struct store_change *c, const struct store_row *row)
{
	const struct law *law = law_of(ap, c);

	if (!sync_merge_is_sound(c))
		return "the change contradicts itself (its life, stamp, columns or groups)";
	if (row->known && row->scope != ap->u->stream->scope)
		return "the row belongs to another scope";
	if (writes_scope(law, c) && !says_scope(ap, law, c))
		return other_scope;
	return ends_event(ap, c, row) ? rewritten : NULL;
}

/* ---- what is written back ---- */

static const char hubs_row[] = "a row that only the hub may write was written elsewhere";
static const char hubs_column[] = "a column that only the hub may write was written elsewhere";

/* Columns of the hub's that an insert by somebody else gives another value than their default. */
static int
odd_columns(struct applying *ap, const struct store_change *c, const struct law *law, uint64_t *odd,
            struct err *err)
{
	*odd = 0;
	for (uint64_t left = c->mask & law->hub_columns; left != 0; left &= left - 1) {
		int at = __builtin_ctzll(left), rc;
		bool usual = c->values[at].type == STORE_NULL;

		rc = usual ? 0
		           : store_inspect_is_default(ap->u->r->db, c->schema->table,
		                                      c->schema->columns[at].name, &c->values[at],
		                                      &usual, err);
		if (rc < 0)
			return rc;
		if (!usual)
			*odd |= (uint64_t)1 << at;
	}
	return 0;
}

/* `op` says how much is to be written back (sync/seal_back.c). */
static int
note_wrong(struct applying *ap, const struct store_change *c, enum store_op op, struct err *err)
{
	struct sync_apply *u = ap->u;

	if (!u->r->is_hub)
		return 0;
	if (u->wrong_count == u->wrong_cap) {
		size_t cap = u->wrong_cap * 2 + 16;
		struct sync_wrong *list = arena_take(u->arena, cap, sizeof *list);

		if (list == NULL)
			return no_memory(err);
		if (u->wrong_count > 0)
			memcpy(list, u->wrong, u->wrong_count * sizeof *list);
		u->wrong = list;
		u->wrong_cap = cap;
	}
	u->wrong[u->wrong_count++] = (struct sync_wrong){ .table = c->schema->table_id,
		                                          .scope = u->stream->scope,
		                                          .key = c->key,
		                                          .key_len = c->key_len,
		                                          .op = op,
		                                          .cl = c->cl,
		                                          .stamp = c->stamp };
	return 0;
}

/*
 * Take out of the change what only the hub may write; *reason if there was anything.  An insert
 * says all cells of its schema, so there it becomes NULL.
 */
static int
leave_to_hub(struct applying *ap, struct store_change *c, const char **reason, struct err *err)
{
	const struct law *law = law_of(ap, c);
	uint64_t odd = c->mask & law->hub_columns;
	int rc = 0;

	if (law->hub_columns == 0 || from_hub(ap->u))
		return 0;
	if (store_schema_is_hubs(law->rules)) {
		*reason = hubs_row;
		c->mask = 0;
		return note_wrong(ap, c, c->op, err);
	}
	if (c->op == STORE_INSERT)
		rc = odd_columns(ap, c, law, &odd, err);
	if (rc < 0 || odd == 0)
		return rc;
	*reason = hubs_column;
	rc = note_wrong(ap, c, c->op, err);
	if (c->op == STORE_UPDATE)
		c->mask &= ~store_schema_widen(c->schema, law->hub_columns);
	for (uint64_t left = c->op == STORE_INSERT ? odd : 0; left != 0; left &= left - 1)
		c->values[__builtin_ctzll(left)] = store_value_null();
	return rc;
}

/* Its writer shows another row than we do: all of ours is written back. */
static int
answer_whole(struct applying *ap, const struct store_change *c, const struct store_row *row,
             struct err *err)
{
	return store_row_is_live(row) ? note_wrong(ap, c, STORE_INSERT, err) : 0;
}

/* Take out of the change what would rewrite an event; *reason if there was anything. */
static int
leave_event(struct applying *ap, struct store_change *c, const struct store_row *row,
            const char **reason, struct err *err)
{
	const struct law *law = law_of(ap, c);

	if (law->rules->kind != STORE_EVENT || c->op != STORE_UPDATE || from_hub(ap->u) ||
	    (c->mask & ~law->growing) == 0)
		return 0;
	*reason = rewritten;
	c->mask &= law->growing;
	return answer_whole(ap, c, row, err);
}

/* ---- the unit ---- */

/* May what is left of a change that was forbidden in part still be merged? */
static bool
is_left(const struct applying *ap, const struct store_change *c, const struct store_row *row)
{
	return c->op != STORE_DELETE && c->mask != 0 && row->scope == ap->u->stream->scope;
}

/* *reason if the change, or part of it, may not be applied: that part is taken out of its mask. */
static int
judge(struct applying *ap, struct store_change *c, const struct store_row *row, const char **reason,
      struct err *err)
{
	int rc;

	*reason = forbidden(ap, c, row);
	if (*reason != NULL) {
		c->mask = 0;
		return *reason == other_scope || *reason == rewritten
		               ? answer_whole(ap, c, row, err)
		               : 0;
	}
	rc = leave_to_hub(ap, c, reason, err);
	return rc == 0 ? leave_event(ap, c, row, reason, err) : rc;
}

/* What is forbidden is kept aside; of an insert or update the other cells may be left to merge. */
static int
merge_change(struct applying *ap, size_t i, const struct sync_merge_watch *watch, struct err *err)
{
	struct sync_apply *u = ap->u;
	struct store_change *c = &u->changes[i].change;
	struct store_row *row = ap->of[i];
	const char *reason = NULL;
	int rc = judge(ap, c, row, &reason, err);

	if (rc == 0 && reason != NULL) {
		rc = keep_aside(ap, c, u->first + 1 + i, reason, err);
		if (rc < 0 || !is_left(ap, c, row))
			return rc;
	}
	sync_rivals_before(&ap->rivals, row, c);
	if (rc == 0)
		rc = sync_merge(u->r->batch, row, c, watch, u->arena, err);
	u->merged++;
	return rc == 0 ? sync_rivals_after(&ap->rivals, row, err) : rc;
}

static int
merge_changes(struct applying *ap, struct err *err)
{
	struct sync_merge_watch watch = { .decided = sync_rivals_decided, .ctx = &ap->rivals };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ap->u->opening->changes; i++)
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
	unit.rows = arena_take(u->arena, ap->row_count, sizeof(struct store_row *));
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
		                           .arena = u->arena,
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
	if (u->opening->kind == SYNC_RELAY && !from_hub(u))
		return keep_aside(&ap, NULL, u->first, "only the hub passes on what others wrote",
		                  err);
	rc = set_origins(u, err);
	if (rc == 0)
		rc = begin_rivals(&ap, err);
	if (rc == 0)
		rc = gather(&ap, err);
	if (rc == 0)
		rc = merge_changes(&ap, err);
	if (rc == 0)
		rc = tell(&ap, err);
	if (rc == 0)
		rc = put_rows(&ap, err);
	if (rc == 0)
		rc = list_refusals(&ap, err);
	return rc;
}

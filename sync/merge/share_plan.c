/* sync/merge/share_plan.c - one relay per scope, instead of one per row. */
#include "sync/merge/share_priv.h"
#include "sync/seal/relay.h"

#include <stdlib.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "share: out of memory");
}

int
sync_share_plan_add(struct sync_share_plan *plan, int scope, struct store_row *row, bool whole,
                    struct err *err)
{
	if (plan->count == plan->cap) {
		size_t cap = plan->cap * 2 + 16;
		struct sync_share_item *list = arena_take(plan->unit->arena, cap, sizeof *list);

		if (list == NULL)
			return no_memory(err);
		if (plan->count > 0)
			memcpy(list, plan->list, plan->count * sizeof *list);
		plan->list = list;
		plan->cap = cap;
	}
	plan->list[plan->count++] =
	        (struct sync_share_item){ .scope = scope, .row = row, .whole = whole };
	return 0;
}

/* What is said whole comes first of a row. */
static int
by_row(const void *left, const void *right)
{
	const struct sync_share_item *a = left, *b = right;
	int order = store_row_cmp(a->row, b->row);

	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	return order != 0 ? order : b->whole - a->whole;
}

/* Of each row and scope the first stays. */
static void
drop_doubles(struct sync_share_plan *plan)
{
	size_t kept = 0;

	qsort(plan->list, plan->count, sizeof *plan->list, by_row);
	for (size_t i = 0; i < plan->count; i++) {
		const struct sync_share_item *last = &plan->list[kept - (kept > 0)];

		if (kept == 0 || last->scope != plan->list[i].scope ||
		    store_row_cmp(last->row, plan->list[i].row) != 0)
			plan->list[kept++] = plan->list[i];
	}
	plan->count = kept;
}

static int
by_scope(const void *left, const void *right)
{
	const struct sync_share_item *a = left, *b = right;

	if (a->scope != b->scope)
		return (a->scope > b->scope) - (a->scope < b->scope);
	if (a->whole != b->whole)
		return b->whole - a->whole;
	return store_row_cmp(a->row, b->row);
}

/* Items from..to - 1 are of one scope and one kind. */
static int
run_some(struct sync_share_plan *plan, size_t from, size_t to, struct err *err)
{
	const struct sync_share_unit *unit = plan->unit;
	struct sync_relay what = { .r = unit->r, .scope = plan->list[from].scope };
	struct store_row *rows = arena_take(unit->arena, to - from, sizeof *rows);
	struct store_row **list = arena_take(unit->arena, to - from, sizeof(struct store_row *));

	if (rows == NULL || list == NULL)
		return no_memory(err);
	for (size_t i = from; i < to; i++) {
		const struct store_row *row = plan->list[i].row;

		list[i - from] = &rows[i - from];
		rows[i - from] = (struct store_row){ .table = row->table,
			                             .key = row->key,
			                             .key_len = row->key_len };
	}
	if (!plan->list[from].whole) {
		what.site = unit->site;
		what.from = unit->from;
		what.to = unit->to;
		what.seen = unit->seen;
		what.seen_len = unit->seen_len;
	}
	return sync_relay(&what, list, to - from, err);
}

int
sync_share_plan_run(struct sync_share_plan *plan, struct err *err)
{
	int rc = 0;

	if (plan->count > 1) {
		drop_doubles(plan);
		qsort(plan->list, plan->count, sizeof *plan->list, by_scope);
	}
	for (size_t i = 0, n; rc == 0 && i < plan->count; i = n) {
		const struct sync_share_item *first = &plan->list[i];

		for (n = i + 1; n < plan->count && plan->list[n].scope == first->scope &&
		                plan->list[n].whole == first->whole;)
			n++;
		rc = run_some(plan, i, n, err);
	}
	return rc;
}

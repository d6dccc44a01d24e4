/* sync/merge/apply_rows.c - the distinct rows that a unit speaks of. */
#include "sync/merge/apply_priv.h"

#include <stdlib.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "merge: out of memory");
}

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
	if (order != 0) /* no key is the beginning of another's: each value says how long it is */
		return order;
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
new_row(const struct sync_apply *u, struct sync_apply_rows *to, const struct store_change *c)
{
	struct store_row *row = &to->list[to->count];

	*row = (struct store_row){
		.table = c->schema->table_id,
		.scope = u->stream->scope,
		.key = c->key,
		.key_len = c->key_len,
	};
	to->order[to->count++] = row;
	return row;
}

int
sync_apply_gather(const struct sync_apply *u, struct sync_apply_rows *run, struct err *err)
{
	size_t count = run->change_count, used = 0;
	struct place *places = arena_take(&run->arena, count, sizeof *places);

	run->list = arena_take(&run->arena, count, sizeof *run->list);
	run->order = arena_take(&run->arena, count, sizeof(struct store_row *));
	run->of = arena_take(&run->arena, count, sizeof(struct store_row *));
	if (places == NULL || run->list == NULL || run->order == NULL || run->of == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++)
		if (run->changes[i].type == SYNC_CHANGE &&
		    (u->only == 0 || u->only == run->first + i))
			places[used++] = (struct place){ &run->changes[i].change, i };
	sort(places, used);
	for (size_t i = 0; i < used; i++)
		run->of[places[i].i] = i > 0 && same_row(places[i].change, places[i - 1].change)
		                               ? run->of[places[i - 1].i]
		                               : new_row(u, run, places[i].change);
	return u->r->batch->get(u->r->batch, run->order, run->count, &run->arena, err);
}

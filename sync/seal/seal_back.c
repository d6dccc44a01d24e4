/*
 * sync/seal/seal_back.c - the hub says again what is right.
 *
 * A change outside its writer's rights was not applied here, but its writer
 * shows it.  The hub answers with changes of its own, which are later and
 * therefore win there, and change nothing here:
 *
 *   the row here   they have                  the hub writes
 *   lives          updated it                 an update of the columns that are the hub's
 *   lives          inserted it too            an insert into the same life
 *   lives          deleted it, or more        an insert that begins a later life
 *   is not         made it                    a delete of their life
 */
#include "store/inbox.h"
#include "sync/merge/merge.h"
#include "sync/seal/seal_priv.h"

#include <stdlib.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

static int
by_row(const void *left, const void *right)
{
	const struct sync_wrong *a = left, *b = right;
	struct store_row x = { .table = a->table, .key = a->key, .key_len = a->key_len };
	struct store_row y = { .table = b->table, .key = b->key, .key_len = b->key_len };

	return store_row_cmp(&x, &y);
}

/* One wrong a row: of several the greatest life, and what says most. */
static size_t
fold(struct sync_wrong *list, size_t count)
{
	size_t n = 0;

	qsort(list, count, sizeof *list, by_row);
	for (size_t i = 0; i < count; i++) {
		struct sync_wrong *last = n == 0 ? NULL : &list[n - 1];

		if (last == NULL || by_row(last, &list[i]) != 0) {
			list[n++] = list[i];
			continue;
		}
		if (list[i].stamp > last->stamp)
			last->stamp = list[i].stamp;
		if (list[i].cl > last->cl)
			last->cl = list[i].cl;
		if (list[i].op < last->op)
			last->op = list[i].op; /* an insert says more than an update */
	}
	return n;
}

/* Of a row that is the hub's every cell: the scope's may have been written, too. */
static uint64_t
hub_columns(const struct store_schema *schema)
{
	uint64_t mask = 0;

	if (store_schema_is_hubs(schema))
		return schema->cells;
	for (unsigned i = 0; i < schema->column_count; i++)
		if (schema->columns[i].hub_only && schema->columns[i].key == 0)
			mask |= (uint64_t)1 << i;
	return store_schema_widen(schema, mask);
}

/* The row's values by column position, as they are here. */
static int
read_values(struct seal *s, struct item *it, const struct store_schema *schema,
            struct store_value **out, struct err *err)
{
	struct rd key = rd_from(it->row.key, it->row.key_len);
	struct store_value *values = arena_take(&s->arena, schema->column_count, sizeof *values);

	if (values == NULL)
		return no_memory(err);
	for (unsigned i = 0; i < schema->column_count; i++) {
		values[i] = store_value_null();
		for (unsigned k = 0; k < it->row.cell_count; k++)
			if (it->row.cells[k].column == schema->columns[i].id)
				values[i] = it->row.cells[k].value;
	}
	for (unsigned k = 0; k < schema->key_count; k++)
		values[schema->keys[k]] = store_value_read(&key);
	*out = values;
	return rd_done(&key) ? 0 : err_set(err, ERR_CORRUPT, "a key of another form");
}

/* What answers the wrong change; false if nothing does, because it can't win anywhere. */
static bool
answer(const struct item *it, const struct sync_wrong *wrong, struct store_change *c)
{
	if (!store_row_is_live(&it->row)) {
		c->op = STORE_DELETE;
		c->cl = wrong->cl + 1;
		return wrong->cl % 2 == 1 && wrong->cl > it->row.cl;
	}
	if (wrong->cl < it->row.cl)
		return false;
	c->cl = wrong->cl == it->row.cl ? wrong->cl : wrong->cl + 1 + wrong->cl % 2;
	c->op = wrong->op == STORE_UPDATE && c->cl == it->row.cl ? STORE_UPDATE : STORE_INSERT;
	c->mask = c->op == STORE_UPDATE ? hub_columns(c->schema) : c->schema->cells;
	return true;
}

static int
write_right(struct seal *s, struct item *it, const struct sync_wrong *wrong, struct err *err)
{
	const struct store_schema *schema = store_catalog_table(s->r->db, wrong->table)->local;
	struct store_change *c = &it->changes[0];
	int rc;

	if (schema == NULL)
		return 0; /* what isn't here can't be said again */
	*c = (struct store_change){ .schema = schema,
		                    .site = s->r->self.id,
		                    .key = it->row.key,
		                    .key_len = it->row.key_len };
	if (!answer(it, wrong, c))
		return 0;
	rc = read_values(s, it, schema, &c->values, err);
	if (rc < 0)
		return rc;
	c->stamp = sync_seal_stamp(s, env_wall_ms(store_db_env(s->r->db)));
	it->change_count = 1;
	return sync_merge(s->r->batch, &it->row, c, NULL, &s->arena, err);
}

static int
read_items(struct seal *s, const struct sync_wrong *list, struct store_row **rows, struct err *err)
{
	s->items = arena_take(&s->arena, s->count, sizeof *s->items);
	if (s->items == NULL || rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < s->count; i++) {
		s->items[i].row = (struct store_row){ .table = list[i].table,
			                              .scope = list[i].scope,
			                              .key = list[i].key,
			                              .key_len = list[i].key_len };
		rows[i] = &s->items[i].row;
	}
	return s->r->batch->get(s->r->batch, rows, s->count, &s->arena, err);
}

static int
write_all(struct seal *s, const struct sync_wrong *list, struct err *err)
{
	struct store_row **rows = arena_take(&s->arena, s->count, sizeof(struct store_row *));
	int rc = read_items(s, list, rows, err);

	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		if (list[i].stamp > s->last_stamp)
			s->last_stamp = list[i].stamp;
		rc = write_right(s, &s->items[i], &list[i], err);
	}
	if (rc == 0)
		rc = store_quarantine_move(s->r->db, rows, s->count, err);
	if (rc == 0)
		rc = s->r->batch->put(s->r->batch, rows, s->count, err);
	if (rc == 0)
		rc = sync_seal_units(s, false, err);
	return rc == 0 ? store_meta_set_int(s->r->db, "last_stamp", s->last_stamp, err) : rc;
}

int
sync_seal_back(struct sync_replica *r, struct sync_wrong *list, size_t count, struct err *err)
{
	struct sync_sealed sealed = { 0 };
	struct seal s = { .r = r, .out = &sealed, .count = fold(list, count) };
	int rc = store_meta_get_int(r->db, "last_stamp", 0, &s.last_stamp, err);

	if (rc == 0)
		rc = write_all(&s, list, err);
	arena_free(&s.arena);
	return rc < 0 ? err_wrap(err, "writing back") : 0;
}

/*
 * sync/seal/salvage.c - what rotten records wrote, out of the rows that show it.
 *
 * A row's clock says who wrote each cell, and the value stands in its table.  So
 * of records that nobody else has all is there but what was overwritten since:
 *
 *   the name of the row's life       an insert of all the cells that it still covers; or a delete
 *   other cells, by their stamps     an update each
 *
 * All have the stamps they had.
 */
#include "store/written.h"
#include "sync/seal/remint_priv.h"

struct salvage {
	struct sync_reminting *m;
	uint64_t first, last;
	struct sync_record *changes; /* of the page at hand */
	size_t count;
	struct arena arena;
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "re-mint: out of memory");
}

static bool
is_lost(const struct salvage *x, int64_t stamp, int site)
{
	return site == x->m->old.site && stamp > x->m->kept_stamp;
}

static struct store_change *
add(struct salvage *x, const struct store_row *row, enum store_op op, int64_t stamp)
{
	struct sync_record *rec = &x->changes[x->count++];

	rec->type = SYNC_CHANGE;
	rec->change = (struct store_change){ .op = op,
		                             .cl = row->cl,
		                             .stamp = stamp,
		                             .site = x->m->old.site,
		                             .key = row->key,
		                             .key_len = row->key_len };
	return &rec->change;
}

/* The change's values by column position: its key's, and those of the row's cells of that version,
 * which it writes. */
static int
fill(struct salvage *x, const struct store_row *row, struct store_change *c, uint64_t *mask,
     struct err *err)
{
	const struct store_schema *schema = c->schema;
	struct rd key = rd_from(row->key, row->key_len);
	struct store_value *values = arena_take(&x->arena, schema->column_count, sizeof *values);

	*mask = 0;
	c->values = values;
	if (values == NULL)
		return no_memory(err);
	for (unsigned i = 0; i < schema->column_count; i++) {
		values[i] = store_value_null();
		for (unsigned k = 0; k < row->cell_count; k++) {
			const struct store_cell *cell = &row->cells[k];

			if (cell->column != schema->columns[i].id || cell->stamp != c->stamp ||
			    cell->site != c->site)
				continue;
			values[i] = cell->value;
			*mask |= (uint64_t)1 << i;
		}
	}
	for (unsigned k = 0; k < schema->key_count; k++)
		values[schema->keys[k]] = store_value_read(&key);
	return rd_done(&key) ? 0 : err_set(err, ERR_CORRUPT, "a key of another form");
}

/* What names the row's life. */
static int
take_name(struct salvage *x, const struct store_row *row, const struct store_schema *local,
          struct err *err)
{
	struct store_change *c;
	uint64_t written;

	if (row->stamp == 0 || !is_lost(x, row->stamp, row->site))
		return 0;
	c = add(x, row, row->cl % 2 == 0 ? STORE_DELETE : STORE_INSERT, row->stamp);
	c->schema = row->schema == 0 ? local : store_catalog_schema(x->m->r->db, row->schema);
	if (c->op == STORE_INSERT)
		c->mask = c->schema->cells;
	return fill(x, row, c, &written, err);
}

/* Its other cells; of a dead row those that outlived it are of the life before. */
static int
take_cells(struct salvage *x, const struct store_row *row, const struct store_schema *local,
           struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];
		struct store_change *c;
		bool done = cell->stamp == row->stamp && cell->site == row->site;

		for (unsigned k = 0; k < i && !done; k++)
			done = row->cells[k].stamp == cell->stamp &&
			       row->cells[k].site == cell->site;
		if (done || !is_lost(x, cell->stamp, cell->site))
			continue;
		c = add(x, row, STORE_UPDATE, cell->stamp);
		c->cl -= c->cl % 2 == 0;
		c->schema = local;
		rc = fill(x, row, c, &c->mask, err);
		x->count -= c->mask == 0; /* of columns that aren't here */
	}
	return rc;
}

static int
take_rows(struct salvage *x, struct store_row **rows, size_t count, struct err *err)
{
	size_t most = 0;
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		most += 1 + rows[i]->cell_count;
	x->count = 0;
	x->changes = arena_take(&x->arena, most, sizeof *x->changes);
	if (x->changes == NULL)
		return no_memory(err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct store_schema *local =
		        store_catalog_table(x->m->r->db, rows[i]->table)->local;

		if (local == NULL)
			continue; /* its table isn't here, nor are its values */
		rc = take_name(x, rows[i], local, err);
		if (rc == 0)
			rc = take_cells(x, rows[i], local, err);
	}
	return rc;
}

static int
take_page(void *ctx, struct store_row **rows, size_t count, struct err *err)
{
	struct salvage *x = ctx;
	struct store_batch *batch = x->m->r->batch;
	int rc = batch->get(batch, rows, count, &x->arena, err);

	if (rc == 0)
		rc = take_rows(x, rows, count, err);
	if (rc == 0 && x->count > 0) {
		struct sync_remint_unit unit = {
			.changes = x->changes, .count = x->count, .first = x->first, .last = x->last
		};

		rc = sync_remint_write(x->m, &unit, err);
	}
	arena_free(&x->arena);
	return rc;
}

int
sync_salvage(struct sync_reminting *m, uint64_t first, uint64_t last, struct err *err)
{
	struct salvage x = { .m = m, .first = first, .last = last };
	int rc = store_written_each(m->r->db, m->old.scope, take_page, &x, err);

	arena_free(&x.arena);
	return rc;
}

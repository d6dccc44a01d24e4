/*
 * store/batch_bulk.c - rows that nobody here has heard of, many at a time.
 *
 * Most of what seal and merge write are new rows that go into their table as
 * they are, with a clock that speaks for all their cells.  Such rows are
 * collected, as long as they are of one table and have the same cells, and
 * written by one statement for the rows and one for the clocks
 * (store/source_priv.h).
 *
 * Whatever is not so plain goes alone, by store_batch_put_row(): rows that are
 * known, dead, wait for cells or have exceptions; and all rows of a statement
 * that could not insert each of its rows, to find out which one was refused.
 */
#include "store/batch_priv.h"
#include "store/db_priv.h"

#include <stdlib.h>
#include <string.h>

/* Below this many the two statements cost more than they save. */
enum { FEW = 4, CLOCK_COLUMNS = 3 };

static const uint8_t no_term[STORE_TERM];

static bool
make_room(struct store_bulk *bulk, unsigned columns)
{
	size_t room = (size_t)STORE_BULK_ROWS * (columns < CLOCK_COLUMNS ? CLOCK_COLUMNS : columns);
	struct store_value *values;

	if (bulk->room >= room)
		return true;
	values = realloc(bulk->values, room * sizeof *values);
	if (values == NULL)
		return false;
	bulk->values = values;
	bulk->room = room;
	return true;
}

/* May the row go with those that wait? */
static bool
alike(const struct store_bulk *bulk, const struct store_row *row, uint64_t mask)
{
	const struct store_row *first = bulk->items[0].row;

	return first->table == row->table && first->cl == row->cl && first->site == row->site &&
	       first->schema == row->schema && first->scope == row->scope && bulk->mask == mask &&
	       bulk->write_rows == row->write_row;
}

bool
store_batch_bulk_take(struct store_putting *put, struct store_row *row,
                      const struct store_placing *p, int *rc, struct err *err)
{
	struct store_bulk *bulk = &put->b->bulk;

	*rc = 0;
	if (row->known || row->in_table == row->write_row || p->local == NULL || p->extra ||
	    p->exc->len > 0)
		return false;
	if (bulk->count == STORE_BULK_ROWS || (bulk->count > 0 && !alike(bulk, row, p->mask)))
		*rc = store_batch_bulk_write(put, err);
	if (*rc < 0)
		return true;
	bulk->table = row->table;
	bulk->mask = p->mask;
	bulk->write_rows = row->write_row;
	if (!make_room(bulk, p->local->column_count))
		return false;
	if (row->write_row) {
		unsigned columns = (unsigned)__builtin_popcountll(p->mask) + p->local->key_count;

		if (store_rows_lay(store_batch_rows(put->b, row->table), row->key, row->key_len,
		                   p->mask, p->values,
		                   bulk->values + bulk->count * columns) != columns)
			return false;
	}
	bulk->items[bulk->count].row = row;
	store_row_term(&put->b->face, row, bulk->items[bulk->count++].term);
	return true;
}

/* One by one: too few for a statement of their own, or one of them can't be inserted. */
static int
write_alone(struct store_putting *put, struct err *err)
{
	struct store_bulk *bulk = &put->b->bulk;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < bulk->count; i++)
		rc = store_batch_put_row(put, bulk->items[i].row, err);
	bulk->count = 0;
	return rc;
}

/*
 * What is the same for all of them is a parameter, which SQLite puts in place quicker than a column
 * of yz_source.  OR FAIL: whoever put these rolls back on any error, so the statement needs no
 * journal of its own.
 */
static int
write_clocks(struct store_putting *put, struct err *err)
{
	struct store_bulk *bulk = &put->b->bulk;
	const struct store_row *first = bulk->items[0].row;
	struct store_stmt s = store_stmt_new(
	        put->b->db, "INSERT OR FAIL INTO yz_clock(tbl, key, cl, stamp, site, schema, "
	                    "scope, extra, term, exc)"
	                    " SELECT ?, c0, ?, c1, ?, ?, ?, 0, c2, NULL FROM yz_source");

	store_stmt_put_int(&s, first->table);
	store_stmt_put_int(&s, first->cl);
	store_stmt_put_int(&s, first->site);
	store_stmt_put_int(&s, first->schema);
	store_stmt_put_int(&s, first->scope);
	for (size_t i = 0; i < bulk->count; i++) {
		const struct store_row *row = bulk->items[i].row;
		struct store_value *out = bulk->values + i * CLOCK_COLUMNS;

		out[0] = store_value_blob(row->key, row->key_len);
		out[1] = store_value_int(row->stamp);
		out[2] = store_value_blob(bulk->items[i].term, STORE_TERM);
	}
	put->b->db->source = (struct store_source){ .values = bulk->values,
		                                    .rows = bulk->count,
		                                    .columns = CLOCK_COLUMNS };
	return store_stmt_run(&s, err);
}

int
store_batch_bulk_write(struct store_putting *put, struct err *err)
{
	struct store_bulk *bulk = &put->b->bulk;
	int rc = 1;

	if (bulk->count < FEW)
		return write_alone(put, err);
	if (bulk->write_rows)
		rc = store_rows_insert_many(store_batch_rows(put->b, bulk->table), bulk->mask,
		                            bulk->values, bulk->count, err);
	if (rc == 0)
		return write_alone(put, err);
	if (rc == 1)
		rc = write_clocks(put, err);
	for (size_t i = 0; rc == 0 && i < bulk->count; i++) {
		struct store_row *row = bulk->items[i].row;

		memcpy(row->term, bulk->items[i].term, STORE_TERM);
		row->in_table = true;
		row->extra = false;
		rc = store_batch_count(put, row, no_term, err);
	}
	bulk->count = 0;
	return rc < 0 ? err_wrap(err, "table %s",
	                         store_catalog_table(put->b->db, bulk->table)->name)
	              : 0;
}

void
store_batch_bulk_end(struct batch *b)
{
	free(b->bulk.values);
	b->bulk.values = NULL;
	b->bulk.room = 0;
}

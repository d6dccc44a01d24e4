/*
 * store/batch_bulk.c - rows that nobody here has heard of, many at a time.
 *
 * Most of what seal and merge write are new rows that go into their table as
 * they are, with a clock that speaks for all their cells.  Such rows are
 * collected, as long as they are of one table and have the same cells, and
 * written by one statement for the rows (store/source_priv.h) and as runs of
 * clocks (store/clock_priv.h).
 *
 * Whatever is not so plain goes alone, by store_batch_put_row(): rows that are
 * known, dead, wait for cells or have exceptions; and all rows of a statement
 * that could not insert each of its rows, to find out which one was refused.
 */
#include "store/batch_priv.h"
#include "store/clock_priv.h"
#include "store/db_priv.h"

#include <stdlib.h>
#include <string.h>

/* Below this many the two statements cost more than they save. */
enum { FEW = 4 };

static const uint8_t no_term[STORE_TERM];

static bool
make_room(struct store_bulk *bulk, unsigned columns)
{
	size_t room = (size_t)STORE_BULK_ROWS * columns;
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
	const struct store_row *first = bulk->rows[0];

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
	bulk->rows[bulk->count] = row;
	store_row_term(&put->b->face, row, bulk->terms[bulk->count++]);
	return true;
}

/* One by one: too few for a statement of their own, or one of them can't be inserted. */
static int
write_alone(struct store_putting *put, struct err *err)
{
	struct store_bulk *bulk = &put->b->bulk;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < bulk->count; i++)
		rc = store_batch_put_row(put, bulk->rows[i], err);
	bulk->count = 0;
	return rc;
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
		rc = store_clock_put_many(put->b->db, bulk->rows, bulk->terms, bulk->count, err);
	for (size_t i = 0; rc == 0 && i < bulk->count; i++) {
		struct store_row *row = bulk->rows[i];

		memcpy(row->term, bulk->terms[i], STORE_TERM);
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

/* store/batch_put.c - rows as merge left them into the database, one by one. */
#include "store/batch_priv.h"
#include "store/clock_priv.h"
#include "store/db_priv.h"
#include "store/share.h"

#include <stdlib.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "merge: out of memory");
}

/* The schema that speaks for cells of the row's version; NULL if none does. */
static const struct store_schema *
named_schema(struct batch *b, const struct store_row *row)
{
	return row->schema == 0 || row->cl % 2 == 0 ? NULL
	                                            : store_catalog_schema(b->db, row->schema);
}

static void
place(struct batch *b, const struct store_row *row, struct store_placing *p)
{
	const struct store_schema *named = named_schema(b, row);

	buf_clear(p->exc);
	p->mask = 0;
	p->extra = false;
	for (unsigned i = 0; i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];
		int at = p->local == NULL ? -1 : store_batch_position(p->local, cell->column);

		if (at < 0) {
			p->extra = true;
			continue;
		}
		p->mask |= (uint64_t)1 << at;
		p->values[at] = cell->value;
		if (named != NULL && cell->stamp == row->stamp && cell->site == row->site &&
		    (named == p->local || store_batch_position(named, cell->column) >= 0))
			continue;
		buf_varint(p->exc, (uint64_t)cell->column);
		buf_zigzag(p->exc, cell->stamp);
		buf_varint(p->exc, (uint64_t)cell->site);
	}
}

static int
refuse(struct batch *b, struct store_row *row, struct err *why)
{
	struct store_refusal *refusal;

	if (b->refusal_count == b->refusal_cap) {
		size_t cap = b->refusal_cap * 2 + 16;
		struct store_refusal *list = realloc(b->refusals, cap * sizeof *list);

		if (list == NULL)
			return no_memory(why);
		b->refusals = list;
		b->refusal_cap = cap;
	}
	refusal = &b->refusals[b->refusal_count++];
	refusal->row = row;
	memcpy(refusal->reason, why->msg, sizeof refusal->reason);
	refusal->reason[sizeof refusal->reason - 1] = 0;
	return 0;
}

/* The table's row; what the engine refuses leaves p->local NULL, so that its cells go to yz_extra.
 */
static int
write_table(struct batch *b, struct store_row *row, struct store_placing *p, struct err *err)
{
	struct store_rows *rows = store_batch_rows(b, row->table);
	int rc;

	if (rows == NULL)
		return 0;
	if (p->local == NULL) {
		if (!row->in_table)
			return 0;
		row->in_table = false;
		return store_rows_delete(rows, row->key, row->key_len, err);
	}
	if (row->in_table && row->was_cl != row->cl) {
		/* columns that the new life hasn't written must not show the old one's values */
		rc = store_rows_delete(rows, row->key, row->key_len, err);
		if (rc < 0)
			return rc;
		row->in_table = false;
	}
	rc = row->in_table
	             ? store_rows_update(rows, row->key, row->key_len, p->mask, p->values, err)
	             : store_rows_insert(rows, row->key, row->key_len, p->mask, p->values, err);
	if (rc == 0) {
		row->in_table = true;
		return 0;
	}
	if (rc != ERR_INVALID)
		return rc;
	p->local = NULL;
	row->in_table = false;
	rc = refuse(b, row, err);
	return rc < 0 ? rc : store_rows_delete(rows, row->key, row->key_len, err);
}

static int
write_extras(struct batch *b, const struct store_row *row, const struct store_placing *p,
             struct err *err)
{
	struct store_stmt s;
	int rc = 0;

	if (row->extra) {
		s = store_stmt_new(b->db, "DELETE FROM yz_extra WHERE tbl = ? AND key = ?");
		store_stmt_put_int(&s, row->table);
		store_stmt_put_blob(&s, row->key, row->key_len);
		rc = store_stmt_run(&s, err);
	}
	for (unsigned i = 0; rc == 0 && p->extra && i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];

		if (p->local != NULL && store_batch_position(p->local, cell->column) >= 0)
			continue;
		s = store_stmt_new(b->db, "INSERT INTO yz_extra(tbl, key, col, stamp, site, value)"
		                          " VALUES (?, ?, ?, ?, ?, ?)");
		store_stmt_put_int(&s, row->table);
		store_stmt_put_blob(&s, row->key, row->key_len);
		store_stmt_put_int(&s, cell->column);
		store_stmt_put_int(&s, cell->stamp);
		store_stmt_put_int(&s, cell->site);
		store_stmt_put_value(&s, &cell->value);
		rc = store_stmt_run(&s, err);
	}
	return rc;
}

static int
write_digest(struct store_putting *put, struct err *err)
{
	return put->loaded ? store_digest_put(put->b->db, &put->digest, err) : 0;
}

/* Move the digest of a scope by what the row has become. */
static int
count_in(struct store_putting *put, int scope, const struct store_row *row,
         const uint8_t old[STORE_TERM], struct err *err)
{
	int rc = 0;

	if (!put->loaded || put->digest.scope != scope) {
		rc = write_digest(put, err);
		if (rc == 0)
			rc = store_digest_get(put->b->db, scope, &put->digest, err);
		put->loaded = rc == 0;
	}
	if (rc < 0)
		return rc;
	store_digest_move(put->digest.sum, row->term, old);
	put->digest.rows += (int)store_row_is_live(row) - (int)(row->known && row->was_live);
	return 0;
}

/* A row that others see, too, counts in their scopes as well. */
static int
count_further(struct store_putting *put, const struct store_row *row, const uint8_t old[STORE_TERM],
              struct err *err)
{
	struct arena a = { 0 };
	struct store_share *list;
	size_t count = 0;
	int rc = store_share_of_row(put->b->db, row, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (list[i].left == 0)
			rc = count_in(put, list[i].scope, row, old, err);
	arena_free(&a);
	return rc;
}

int
store_batch_count(struct store_putting *put, struct store_row *row, const uint8_t old[STORE_TERM],
                  struct err *err)
{
	int rc = count_in(put, row->scope, row, old, err);

	if (rc == 0 && row->known && put->shared)
		rc = count_further(put, row, old, err);
	if (rc < 0)
		return rc;
	row->known = true;
	row->was_live = store_row_is_live(row);
	row->was_cl = row->cl;
	row->changed = row->write_row = false;
	return 0;
}

static int
write_placed(struct batch *b, struct store_row *row, struct store_placing *p, struct err *err)
{
	int rc = row->write_row ? write_table(b, row, p, err) : 0;

	if (rc == 0 && p->local == NULL)
		place(b, row, p);
	if (rc == 0)
		rc = write_extras(b, row, p, err);
	row->extra = p->extra;
	return rc < 0 ? rc : store_clock_put(b->db, row, p->exc, err);
}

static void
place_row(struct store_putting *put, struct store_row *row, struct store_placing *p)
{
	p->exc = &put->exc;
	p->local =
	        store_row_is_live(row) ? store_catalog_table(put->b->db, row->table)->local : NULL;
	place(put->b, row, p);
	if (row->extra && p->local != NULL)
		row->write_row = true; /* what waited in yz_extra may have its place by now */
}

static int
put_placed(struct store_putting *put, struct store_row *row, struct store_placing *p,
           struct err *err)
{
	uint8_t old[STORE_TERM];
	int rc;

	memcpy(old, row->term, STORE_TERM);
	store_row_term(&put->b->face, row, row->term);
	rc = write_placed(put->b, row, p, err);
	if (rc == 0)
		rc = store_batch_count(put, row, old, err);
	return rc < 0 ? err_wrap(err, "table %s", store_catalog_table(put->b->db, row->table)->name)
	              : 0;
}

int
store_batch_put_row(struct store_putting *put, struct store_row *row, struct err *err)
{
	struct store_placing p;

	place_row(put, row, &p);
	return put_placed(put, row, &p, err);
}

int
store_batch_put(struct store_batch *face, struct store_row **rows, size_t count, struct err *err)
{
	struct store_putting put = { .b = (struct batch *)face };
	struct store_placing p;
	int rc = store_share_any(put.b->db, &put.shared, err);

	put.b->refusal_count = 0;
	put.b->bulk.count = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!rows[i]->changed)
			continue;
		place_row(&put, rows[i], &p);
		if (!store_batch_bulk_take(&put, rows[i], &p, &rc, err))
			rc = put_placed(&put, rows[i], &p, err);
	}
	if (rc == 0)
		rc = store_batch_bulk_write(&put, err);
	if (rc == 0)
		rc = buf_check(&put.exc, err);
	if (rc == 0)
		rc = write_digest(&put, err);
	buf_free(&put.exc);
	return rc;
}

/* store/pg/batch_row.c - one row of yz_row, packed and read; and all of a scope, held against its
 * digest. */
#include "store/pg/batch.h"
#include "store/pg/batch_priv.h"
#include "store/pg/names.h"

#include <string.h>

static int
damaged(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "postgres: a row of yz_row: %s", what);
}

void
store_pg_write_cells(struct buf *out, const struct store_row *row)
{
	for (unsigned i = 0; i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];
		bool own = cell->stamp != row->stamp || cell->site != row->site;

		buf_varint(out, 2 * (uint64_t)cell->column + own);
		if (own) {
			buf_zigzag(out, cell->stamp);
			buf_varint(out, (uint64_t)cell->site);
		}
		store_value_write(out, &cell->value);
	}
}

/* ---- reading ---- */

/* Is it a number that we know, or one that another process has registered since? */
static int
know_site(struct store_pg *pg, uint64_t site, struct err *err)
{
	int rc = 0;

	if (site > INT32_MAX)
		return damaged(err, "there is no such site");
	if (store_pg_site_of(pg, (int)site) == NULL)
		rc = store_pg_refresh(pg, err);
	if (rc == 0 && store_pg_site_of(pg, (int)site) == NULL)
		rc = damaged(err, "there is no such site");
	return rc;
}

/* A later schema brings columns, and maybe the table. */
static int
know_schema(struct store_pg *pg, const struct store_row *row, struct err *err)
{
	int rc = 0;

	if (store_pg_table_of(pg, row->table) == NULL ||
	    (row->schema != 0 && store_pg_schema_of(pg, row->schema) == NULL))
		rc = store_pg_refresh(pg, err);
	if (rc == 0 && (store_pg_table_of(pg, row->table) == NULL ||
	                (row->schema != 0 && store_pg_schema_of(pg, row->schema) == NULL)))
		rc = damaged(err, "there is no such schema");
	return rc;
}

static int
read_cell(struct store_pg *pg, const struct store_row *row, struct rd *r, struct store_cell *cell,
          struct err *err)
{
	uint64_t head = rd_varint(r), site = (uint64_t)row->site;
	unsigned columns = store_pg_table_of(pg, row->table)->column_count;
	int rc = 0;

	cell->stamp = row->stamp;
	if (head & 1) {
		cell->stamp = rd_zigzag(r);
		site = rd_varint(r);
	}
	cell->value = store_value_read(r);
	if (r->bad || head / 2 == 0)
		return damaged(err, "its cells are cut off");
	if (head / 2 > columns) { /* of a schema that came later than the row's insert */
		rc = store_pg_refresh(pg, err);
		columns = store_pg_table_of(pg, row->table)->column_count;
	}
	if (rc == 0)
		rc = know_site(pg, site, err);
	if (rc == 0 && head / 2 > columns)
		rc = damaged(err, "there is no such column");
	cell->column = (int)(head / 2);
	cell->site = (int)site;
	return rc;
}

/* How many cells there are, as far as they can be read. */
static unsigned
count_cells(struct rd r)
{
	unsigned count = 0;

	while (!r.bad && r.left > 0 && count <= STORE_NAMES_MAX) {
		if (rd_varint(&r) & 1) {
			rd_zigzag(&r);
			rd_varint(&r);
		}
		store_value_read(&r);
		count++;
	}
	return count;
}

static int
read_cells(struct store_pg *pg, struct store_row *row, struct rd r, struct arena *a,
           struct err *err)
{
	unsigned count = count_cells(r);
	int rc = 0;

	row->cell_count = 0;
	row->cells = arena_take(a, count, sizeof *row->cells);
	if (row->cells == NULL)
		return err_set(err, ERR_NOMEM, "postgres: merge: out of memory");
	while (rc == 0 && r.left > 0 && row->cell_count < count) {
		struct store_cell *cell = &row->cells[row->cell_count];

		rc = read_cell(pg, row, &r, cell, err);
		if (rc == 0 && row->cell_count > 0 && cell[-1].column >= cell->column)
			rc = damaged(err, "its cells are out of order");
		row->cell_count += rc == 0;
	}
	return rc == 0 && !rd_done(&r) ? damaged(err, "it has too many cells") : rc;
}

int
store_pg_read_row(struct store_pg *pg, const struct store_pg_call *c, int at, struct store_row *row,
                  struct arena *a, struct err *err)
{
	size_t len;
	const uint8_t *cells = store_pg_get_bytes(c, at, 7, &len);
	const uint8_t *copy = arena_copy(a, cells, len);
	int rc;

	if (copy == NULL)
		return err_set(err, ERR_NOMEM, "postgres: merge: out of memory");
	row->scope = store_pg_get_int4(c, at, 1);
	row->cl = store_pg_get_int8(c, at, 2);
	row->stamp = store_pg_get_int8(c, at, 3);
	row->site = store_pg_get_int4(c, at, 4);
	row->schema = store_pg_get_int4(c, at, 5);
	rc = store_pg_get_exactly(c, at, 6, row->term, STORE_TERM, err);
	if (rc == 0 && (row->cl <= 0 || row->schema < 0))
		rc = damaged(err, "its clock is no clock");
	if (rc == 0)
		rc = know_site(pg, (uint64_t)row->site, err);
	if (rc == 0)
		rc = know_schema(pg, row, err);
	if (rc == 0)
		rc = read_cells(pg, row, rd_from(copy, len), a, err);
	row->known = true;
	row->was_live = store_row_is_live(row);
	row->was_cl = row->cl;
	row->in_table = row->was_live;
	return rc;
}

/* ---- verify ---- */

enum { PAGE = 500 };

/* How far it has come. */
struct verifying {
	struct store_batch *b;
	struct store_pg *pg;
	int scope, part, table;
	struct buf key;
	uint8_t sum[STORE_TERM];
	int64_t live;
};

static int
verify_row(struct verifying *v, const struct store_row *row, struct err *err)
{
	static const uint8_t none[STORE_TERM];
	uint8_t term[STORE_TERM];

	store_row_term(v->b, row, term);
	if (memcmp(term, row->term, STORE_TERM) != 0)
		return err_set(err, ERR_CORRUPT, "table %s: a row was changed past the hub",
		               store_pg_table_of(v->pg, row->table)->name);
	store_digest_move(v->sum, term, none);
	v->live += store_row_is_live(row);
	v->table = row->table;
	buf_clear(&v->key);
	buf_put(&v->key, row->key, row->key_len);
	return buf_check(&v->key, err);
}

/* The next rows after v->table, v->key; how many. */
static int
verify_page(struct verifying *v, struct err *err)
{
	struct store_pg_call c = store_pg_call(
	        v->pg, "SELECT key, scope, cl, stamp, site, schema, term, cells, tbl FROM yz_row"
	               " WHERE part = $1 AND scope = $2 AND (tbl, key) > ($3, $4)"
	               " ORDER BY tbl, key LIMIT $5");
	struct arena a = { 0 };
	int rc, count;

	store_pg_put_int4(&c, v->part);
	store_pg_put_int4(&c, v->scope);
	store_pg_put_int4(&c, v->table);
	store_pg_put_bytes(&c, v->key.bytes, v->key.len);
	store_pg_put_int8(&c, PAGE);
	rc = count = store_pg_ask(&c, err);
	for (int at = 0; rc >= 0 && at < count; at++) {
		struct store_row row = { .table = store_pg_get_int4(&c, at, 8) };

		row.key = store_pg_get_bytes(&c, at, 0, &row.key_len);
		rc = store_pg_read_row(v->pg, &c, at, &row, &a, err);
		if (rc == 0)
			rc = verify_row(v, &row, err);
	}
	store_pg_call_end(&c);
	arena_free(&a);
	return rc < 0 ? rc : count;
}

int
store_pg_verify(struct store_pg *pg, struct store_batch *b, int scope, struct err *err)
{
	struct verifying v = { .b = b, .pg = pg, .scope = scope };
	uint8_t sum[STORE_TERM];
	int64_t live;
	int rc;

	v.part = store_pg_part_of(pg, store_pg_scope_of(pg, scope));
	do
		rc = verify_page(&v, err);
	while (rc == PAGE);
	buf_free(&v.key);
	if (rc >= 0)
		rc = store_pg_digest(pg, scope, sum, &live, err);
	if (rc == 0 && (memcmp(sum, v.sum, STORE_TERM) != 0 || live != v.live))
		rc = err_set(err, ERR_CORRUPT,
		             "scope %s: its digest is not the sum of its %lld live rows",
		             store_pg_scope_of(pg, scope), (long long)v.live);
	return rc < 0 ? rc : 0;
}

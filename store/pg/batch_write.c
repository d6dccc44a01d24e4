/*
 * store/pg/batch_write.c - rows over what is there, many by one statement, and
 * the digests that they move.
 *
 * Rows that get has not found go first, by a plain INSERT, which takes half the
 * time of an upsert; the part's head says that nobody has put them there since.
 */
#include "store/pg/batch.h"
#include "store/pg/batch_priv.h"
#include "store/pg/names.h"

#include <stdlib.h>
#include <string.h>

/* What a statement may weigh. */
enum { STATEMENT_BYTES = 4 << 20 };

/* A row with what will be written of it. */
struct packed {
	uint8_t term[STORE_TERM];
	size_t from, len; /* of its cells, in one buf */
};

struct writing {
	struct store_batch *face;
	struct store_pg *pg;
	int part;
	struct store_row **rows; /* the new ones first; owned */
	size_t count, new_count;
	struct packed packed[STORE_PG_BATCH];
	struct buf cells;
	/* the digest of the scope that is being counted in */
	int scope; /* 0: none */
	uint8_t sum[STORE_TERM];
	int64_t live;
};

/* ---- digests ---- */

int
store_pg_digest(struct store_pg *pg, int scope, uint8_t sum[STORE_TERM], int64_t *live_rows,
                struct err *err)
{
	struct store_pg_call c =
	        store_pg_call(pg, "SELECT sum, live FROM yz_digest WHERE part = $1 AND scope = $2");
	int rc;

	memset(sum, 0, STORE_TERM);
	*live_rows = 0;
	store_pg_put_int4(&c, store_pg_part_of(pg, store_pg_scope_of(pg, scope)));
	store_pg_put_int4(&c, scope);
	rc = store_pg_ask(&c, err);
	if (rc > 0) {
		*live_rows = store_pg_get_int8(&c, 0, 1);
		rc = store_pg_get_exactly(&c, 0, 0, sum, STORE_TERM, err);
	}
	store_pg_call_end(&c);
	return rc;
}

static int
write_digest(struct writing *w, struct err *err)
{
	struct store_pg_call c;
	int rc;

	if (w->scope == 0)
		return 0;
	c = store_pg_call(w->pg, "INSERT INTO yz_digest(part, scope, sum, live)"
	                         " VALUES ($1, $2, $3, $4) ON CONFLICT (part, scope)"
	                         " DO UPDATE SET sum = excluded.sum, live = excluded.live");
	store_pg_put_int4(&c, w->part);
	store_pg_put_int4(&c, w->scope);
	store_pg_put_bytes(&c, w->sum, STORE_TERM);
	store_pg_put_int8(&c, w->live);
	rc = store_pg_run(&c, err);
	return rc < 0 ? rc : 0;
}

/* The row is written: count it as it is now, and no more as it was. */
static int
count(struct writing *w, struct store_row *row, const struct packed *p, struct err *err)
{
	int rc = 0;

	if (w->scope != row->scope) {
		rc = write_digest(w, err);
		w->scope = 0;
		if (rc == 0)
			rc = store_pg_digest(w->pg, row->scope, w->sum, &w->live, err);
	}
	if (rc < 0)
		return rc;
	w->scope = row->scope;
	store_digest_move(w->sum, p->term, row->term);
	w->live += (int)store_row_is_live(row) - (int)(row->known && row->was_live);
	memcpy(row->term, p->term, STORE_TERM);
	row->known = true;
	row->was_live = row->in_table = store_row_is_live(row);
	row->was_cl = row->cl;
	row->changed = row->write_row = false;
	return 0;
}

/* ---- rows ---- */

static int
order(struct writing *w, const struct store_pg_some *some, struct err *err)
{
	w->rows = calloc(some->count, sizeof(struct store_row *));
	if (w->rows == NULL)
		return err_set(err, ERR_NOMEM, "postgres: merge: out of memory");
	for (int known = 0; known < 2; known++) {
		for (size_t i = 0; i < some->count; i++)
			if (some->rows[i]->known == (known == 1))
				w->rows[w->count++] = some->rows[i];
		w->new_count = known == 0 ? w->count : w->new_count;
	}
	return 0;
}

/* Pack rows from `from` on, as many as one statement takes. */
static size_t
pack(struct writing *w, size_t from)
{
	size_t n = 0, end = from < w->new_count ? w->new_count : w->count;

	buf_clear(&w->cells);
	while (from + n < end && n < STORE_PG_BATCH && (n == 0 || w->cells.len < STATEMENT_BYTES)) {
		const struct store_row *row = w->rows[from + n];
		struct packed *p = &w->packed[n++];

		store_row_term(w->face, row, p->term);
		p->from = w->cells.len;
		store_pg_write_cells(&w->cells, row);
		p->len = w->cells.len - p->from;
	}
	return n;
}

static void
put_rows(const struct writing *w, struct store_pg_call *c, struct store_row **rows, size_t n)
{
	struct buf *tbl = store_pg_put_array(c, STORE_PG_INT4, n);
	struct buf *key = store_pg_put_array(c, STORE_PG_BYTEA, n);
	struct buf *scope = store_pg_put_array(c, STORE_PG_INT4, n);
	struct buf *cl = store_pg_put_array(c, STORE_PG_INT8, n);
	struct buf *stamp = store_pg_put_array(c, STORE_PG_INT8, n);
	struct buf *site = store_pg_put_array(c, STORE_PG_INT4, n);
	struct buf *schema = store_pg_put_array(c, STORE_PG_INT4, n);
	struct buf *term = store_pg_put_array(c, STORE_PG_BYTEA, n);
	struct buf *cells = store_pg_put_array(c, STORE_PG_BYTEA, n);

	for (size_t i = 0; i < n; i++) {
		const struct packed *p = &w->packed[i];

		store_pg_item_int4(tbl, rows[i]->table);
		store_pg_item_bytes(key, rows[i]->key, rows[i]->key_len);
		store_pg_item_int4(scope, rows[i]->scope);
		store_pg_item_int8(cl, rows[i]->cl);
		store_pg_item_int8(stamp, rows[i]->stamp);
		store_pg_item_int4(site, rows[i]->site);
		store_pg_item_int4(schema, rows[i]->schema);
		store_pg_item_bytes(term, p->term, STORE_TERM);
		store_pg_item_bytes(cells, p->len == 0 ? NULL : w->cells.bytes + p->from, p->len);
	}
}

/* The same columns in the same order, whichever it is.  The scope of a row never changes, so it
 * isn't written again. */
static const char *
statement(bool known)
{
	if (!known)
		return "INSERT INTO yz_row(part, tbl, key, scope, cl, stamp, site, schema, term, "
		       "cells)"
		       " SELECT $1, u.tbl, u.key, u.scope, u.cl, u.stamp, u.site, u.schema, u.term,"
		       " u.cells FROM unnest($2::int4[], $3::bytea[], $4::int4[], $5::int8[],"
		       " $6::int8[], $7::int4[], $8::int4[], $9::bytea[], $10::bytea[])"
		       " AS u(tbl, key, scope, cl, stamp, site, schema, term, cells)";
	return "INSERT INTO yz_row(part, tbl, key, scope, cl, stamp, site, schema, term, cells)"
	       " SELECT $1, u.tbl, u.key, u.scope, u.cl, u.stamp, u.site, u.schema, u.term,"
	       " u.cells FROM unnest($2::int4[], $3::bytea[], $4::int4[], $5::int8[],"
	       " $6::int8[], $7::int4[], $8::int4[], $9::bytea[], $10::bytea[])"
	       " AS u(tbl, key, scope, cl, stamp, site, schema, term, cells)"
	       " ON CONFLICT (part, tbl, key) DO UPDATE SET cl = excluded.cl,"
	       " stamp = excluded.stamp, site = excluded.site, schema = excluded.schema,"
	       " term = excluded.term, cells = excluded.cells";
}

static int
write_packed(struct writing *w, size_t from, size_t n, struct err *err)
{
	struct store_pg_call c = store_pg_call(w->pg, statement(from >= w->new_count));
	int rc;

	store_pg_put_int4(&c, w->part);
	put_rows(w, &c, w->rows + from, n);
	rc = store_pg_run(&c, err);
	if (rc >= 0 && (size_t)rc != n)
		rc = err_set(err, ERR_CORRUPT, "postgres: of %zu rows %d were written", n, rc);
	return rc < 0 ? rc : 0;
}

static int
write_all(struct writing *w, struct err *err)
{
	int rc = 0;

	for (size_t from = 0, n; rc == 0 && from < w->count; from += n) {
		n = pack(w, from);
		rc = buf_check(&w->cells, err);
		if (rc == 0)
			rc = write_packed(w, from, n, err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = count(w, w->rows[from + i], &w->packed[i], err);
	}
	return rc == 0 ? write_digest(w, err) : rc;
}

int
store_pg_write_rows(struct store_batch *face, struct store_pg *pg, const struct store_pg_some *some,
                    struct err *err)
{
	struct writing *w = calloc(1, sizeof *w);
	int rc;

	if (w == NULL)
		return err_set(err, ERR_NOMEM, "postgres: merge: out of memory");
	w->face = face;
	w->pg = pg;
	w->part = some->part;
	rc = order(w, some, err);
	if (rc == 0)
		rc = write_all(w, err);
	buf_free(&w->cells);
	free(w->rows);
	free(w);
	return rc;
}

/* store/clock.c - find and write the versions of rows, wherever they lie. */
#include "store/clock_priv.h"
#include "store/db_priv.h"

#include <string.h>

/* ---- finding ---- */

void
store_clock_begin(struct store_clocks *c, struct store_db *db)
{
	*c = (struct store_clocks){ .db = db };
	c->one = store_stmt_new(db, "SELECT cl, stamp, site, schema, scope, extra, term, exc"
	                            " FROM yz_clock WHERE tbl = ? AND key = ?");
	c->near = store_stmt_new(db, "SELECT " STORE_CLOCK_RUN_COLUMNS " FROM yz_clock_run"
	                             " WHERE tbl = ? AND first <= ? ORDER BY first DESC LIMIT 1");
	c->any = store_stmt_new(
	        db, "SELECT 1 FROM yz_clock WHERE tbl = ? AND key BETWEEN ? AND ? LIMIT 1");
	c->any_run =
	        store_stmt_new(db, "SELECT last >= ? FROM yz_clock_run"
	                           " WHERE tbl = ? AND first <= ? ORDER BY first DESC LIMIT 1");
}

void
store_clock_end(struct store_clocks *c)
{
	store_stmt_end(&c->any_run);
	store_stmt_end(&c->any);
	store_stmt_end(&c->near);
	store_stmt_end(&c->one);
	buf_free(&c->run.bytes);
}

/* Does any run hold a key from `first` to `last`?  Runs don't overlap: it is the last that begins
 * before the end. */
static int
any_run(struct store_stmt *s, const struct store_row *first, const struct store_row *last,
        struct err *err)
{
	int rc;

	store_stmt_put_blob(s, first->key, first->key_len);
	store_stmt_put_int(s, first->table);
	store_stmt_put_blob(s, last->key, last->key_len);
	rc = store_stmt_step(s, err);
	if (rc == 1)
		rc = store_stmt_get_int(s) != 0;
	store_stmt_reset(s);
	return rc;
}

int
store_clock_any(struct store_clocks *c, const struct store_row *first, const struct store_row *last,
                struct err *err)
{
	int rc;

	store_stmt_put_int(&c->any, first->table);
	store_stmt_put_blob(&c->any, first->key, first->key_len);
	store_stmt_put_blob(&c->any, last->key, last->key_len);
	rc = store_stmt_step(&c->any, err);
	store_stmt_reset(&c->any);
	return rc != 0 ? rc : any_run(&c->any_run, first, last, err);
}

static int
take_term(struct store_row *row, const uint8_t *term, size_t len, struct err *err)
{
	if (len != STORE_TERM)
		return err_set(err, ERR_CORRUPT, "clock of a row: the term is damaged");
	memcpy(row->term, term, STORE_TERM);
	return 1;
}

static int
find_single(struct store_stmt *s, struct store_row *row, struct rd *exc, struct err *err)
{
	const uint8_t *bytes;
	size_t len;
	int rc;

	store_stmt_reset(s);
	store_stmt_put_int(s, row->table);
	store_stmt_put_blob(s, row->key, row->key_len);
	rc = store_stmt_step(s, err);
	if (rc != 1)
		return rc;
	row->cl = store_stmt_get_int(s);
	row->stamp = store_stmt_get_int(s);
	row->site = (int)store_stmt_get_int(s);
	row->schema = (int)store_stmt_get_int(s);
	row->scope = (int)store_stmt_get_int(s);
	row->extra = store_stmt_get_int(s) != 0;
	row->in_run = false;
	bytes = store_stmt_get_blob(s, &len);
	rc = take_term(row, bytes, len, err);
	bytes = store_stmt_get_blob(s, &len);
	*exc = rd_from(bytes, len);
	return rc;
}

/* Rows are asked for in the order of their keys, so the run looked at last is often the one. */
static int
find_in_run(struct store_clocks *c, struct store_row *row, struct err *err)
{
	struct store_clock_entry entry;
	int rc = 0;

	if (!store_clock_run_holds(&c->run, row->table, row->key, row->key_len)) {
		store_stmt_put_int(&c->near, row->table);
		store_stmt_put_blob(&c->near, row->key, row->key_len);
		rc = store_stmt_step(&c->near, err);
		if (rc == 1)
			rc = store_clock_run_take(&c->run, &c->near, err);
		store_stmt_reset(&c->near);
	}
	if (rc < 0 || !store_clock_run_holds(&c->run, row->table, row->key, row->key_len))
		return rc;
	rc = store_clock_run_find(&c->run, row->key, row->key_len, &entry, err);
	if (rc != 1)
		return rc;
	row->cl = c->run.cl;
	row->stamp = entry.stamp;
	row->site = c->run.site;
	row->schema = c->run.schema;
	row->scope = c->run.scope;
	row->extra = false;
	row->in_run = true;
	return take_term(row, entry.term, STORE_TERM, err);
}

int
store_clock_find(struct store_clocks *c, struct store_row *row, struct rd *exc, struct err *err)
{
	int rc = find_single(&c->one, row, exc, err);

	if (rc != 0)
		return rc;
	*exc = rd_from((const uint8_t *)"", 0);
	return find_in_run(c, row, err);
}

int
store_clock_look(struct store_db *db, struct store_row *row, struct err *err)
{
	struct store_clocks clocks;
	struct rd ignored;
	int rc;

	store_clock_begin(&clocks, db);
	rc = store_clock_find(&clocks, row, &ignored, err);
	store_clock_end(&clocks);
	return rc < 0 ? rc : 0;
}

/* ---- writing ---- */

#define SET_SINGLE                                                                                 \
	"UPDATE yz_clock SET cl = ?, stamp = ?, site = ?, schema = ?, scope = ?, extra = ?,"       \
	" term = ?, exc = ? WHERE tbl = ? AND key = ?"
#define NEW_SINGLE                                                                                 \
	"INSERT INTO yz_clock(cl, stamp, site, schema, scope, extra, term, exc, tbl, key)"         \
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

static int
put_single(struct store_db *db, const struct store_row *row, bool is_new,
           const uint8_t term[STORE_TERM], const struct buf *exc, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, is_new ? NEW_SINGLE : SET_SINGLE);

	store_stmt_put_int(&s, row->cl);
	store_stmt_put_int(&s, row->stamp);
	store_stmt_put_int(&s, row->site);
	store_stmt_put_int(&s, row->schema);
	store_stmt_put_int(&s, row->scope);
	store_stmt_put_int(&s, row->extra);
	store_stmt_put_blob(&s, term, STORE_TERM);
	if (exc == NULL || exc->len == 0)
		store_stmt_put_null(&s);
	else
		store_stmt_put_blob(&s, exc->bytes, exc->len);
	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	return store_stmt_run(&s, err);
}

int
store_clock_put(struct store_db *db, struct store_row *row, const struct buf *exc, struct err *err)
{
	bool is_new = !row->known || row->in_run;
	int rc = row->known && row->in_run ? store_clock_run_drop(db, row, err) : 0;

	row->in_run = false;
	return rc < 0 ? rc : put_single(db, row, is_new, row->term, exc, err);
}

static bool
keys_rise(struct store_row *const *rows, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct store_row *a = rows[i - 1], *b = rows[i];
		size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
		int order = memcmp(a->key, b->key, len);

		if (order > 0 || (order == 0 && a->key_len >= b->key_len))
			return false;
	}
	return true;
}

int
store_clock_put_many(struct store_db *db, struct store_row *const *rows,
                     uint8_t (*terms)[STORE_TERM], size_t count, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT last >= ? FROM yz_clock_run"
	                           " WHERE tbl = ? AND first <= ? ORDER BY first DESC LIMIT 1");
	bool run = keys_rise(rows, count);
	int rc = run ? any_run(&s, rows[0], rows[count - 1], err) : 1;

	store_stmt_end(&s);
	run = rc == 0;
	if (run)
		rc = store_clock_run_write(db, rows, terms, count, err);
	for (size_t i = 0; rc >= 0 && i < count; i++) {
		rows[i]->in_run = run;
		if (!run)
			rc = put_single(db, rows[i], true, terms[i], NULL, err);
	}
	return rc < 0 ? rc : 0;
}

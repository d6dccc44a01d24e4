/* store/clock_walk.c - all clocks, page by page, wherever they lie. */
#include "store/clock_priv.h"

#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "clocks: out of memory");
}

/* A row more on the page; its key is these two pieces, end to end. */
static struct store_row *
add_row(struct store_clock_walk *w, int table, const struct rd *begin, const struct rd *rest)
{
	struct store_row *row = arena_take(&w->arena, 1, sizeof *row);
	uint8_t *key = arena_take(&w->arena, begin->left + rest->left, 1);

	if (row == NULL || key == NULL)
		return NULL;
	if (begin->left > 0)
		memcpy(key, begin->at, begin->left);
	if (rest->left > 0)
		memcpy(key + begin->left, rest->at, rest->left);
	row->table = table;
	row->key = key;
	row->key_len = begin->left + rest->left;
	w->rows[w->count++] = row;
	return row;
}

static void
stand_at(struct store_clock_walk *w, int table, const uint8_t *key, size_t len)
{
	w->at_table = table;
	buf_clear(&w->at_key);
	buf_put(&w->at_key, key, len);
}

static void
put_place(struct store_clock_walk *w, struct store_stmt *s)
{
	store_stmt_put_int(s, w->at_table);
	store_stmt_put_blob(s, buf_str(&w->at_key), w->at_key.len);
	store_stmt_put_int(s, w->table);
	store_stmt_put_int(s, w->table);
}

static int
take_single(struct store_clock_walk *w, struct store_stmt *s, struct err *err)
{
	int table = (int)store_stmt_get_int(s);
	struct rd none = { 0 }, key = { 0 };
	struct store_row *row;
	const uint8_t *term;

	key.at = store_stmt_get_blob(s, &key.left);
	row = add_row(w, table, &none, &key);
	if (row == NULL)
		return no_memory(err);
	row->cl = store_stmt_get_int(s);
	row->stamp = store_stmt_get_int(s);
	row->scope = (int)store_stmt_get_int(s);
	term = store_stmt_get_blob(s, &key.left);
	if (key.left != STORE_TERM)
		return err_set(err, ERR_CORRUPT, "clock of a row: the term is damaged");
	memcpy(row->term, term, STORE_TERM);
	return 0;
}

static int
next_singles(struct store_clock_walk *w, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(w->db, "SELECT tbl, key, cl, stamp, scope, term FROM yz_clock"
	                              " WHERE (tbl, key) > (?, ?) AND (? = 0 OR tbl = ?)"
	                              " ORDER BY tbl, key LIMIT ?");
	int rc;

	put_place(w, &s);
	store_stmt_put_int(&s, STORE_CLOCK_PAGE);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		rc = take_single(w, &s, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	if (rc == 0 && w->count > 0)
		stand_at(w, w->rows[w->count - 1]->table, w->rows[w->count - 1]->key,
		         w->rows[w->count - 1]->key_len);
	return rc;
}

static int
take_run(struct store_clock_walk *w, const struct store_clock_run *run, struct err *err)
{
	struct store_clock_entry entry;
	struct rd shared, r = store_clock_run_entries(run, &shared.at, &shared.left);

	while (w->count < STORE_CLOCK_PAGE && store_clock_run_next(run, &r, &entry)) {
		struct rd rest = { .at = entry.rest, .left = entry.rest_len };
		struct store_row *row = add_row(w, run->table, &shared, &rest);

		if (row == NULL)
			return no_memory(err);
		row->cl = run->cl;
		row->stamp = entry.stamp;
		row->scope = run->scope;
		memcpy(row->term, entry.term, STORE_TERM);
	}
	return rd_done(&r) ? 0 : err_set(err, ERR_CORRUPT, "a run of clocks is damaged");
}

static int
next_run(struct store_clock_walk *w, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        w->db,
	        "SELECT " STORE_CLOCK_RUN_COLUMNS " FROM yz_clock_run"
	        " WHERE (tbl, first) > (?, ?) AND (? = 0 OR tbl = ?) ORDER BY tbl, first LIMIT 1");
	struct store_clock_run run = { 0 };
	int rc;

	put_place(w, &s);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = store_clock_run_take(&run, &s, err);
	store_stmt_end(&s);
	if (rc == 0 && run.there) {
		rc = take_run(w, &run, err);
		stand_at(w, run.table, run.bytes.bytes, run.first_len);
	}
	buf_free(&run.bytes);
	return rc;
}

int
store_clock_next(struct store_clock_walk *w, struct err *err)
{
	int rc = 0;

	w->count = 0;
	arena_free(&w->arena);
	if (!w->in_runs) {
		rc = next_singles(w, err);
		w->in_runs = rc == 0 && w->count == 0;
		if (w->in_runs)
			stand_at(w, 0, (const uint8_t *)"", 0);
	}
	if (w->in_runs)
		rc = next_run(w, err);
	if (rc == 0)
		rc = buf_check(&w->at_key, err);
	return rc < 0 ? rc : w->count > 0;
}

void
store_clock_walk_end(struct store_clock_walk *w)
{
	arena_free(&w->arena);
	buf_free(&w->at_key);
}

/*
 * store/rescan.c - find by their clocks the rows that were written uncaptured.
 *
 * Triggers go away with a table that is rebuilt, and anybody may drop them.  What
 * was written meanwhile is not in the log, but the clock of each row holds the
 * term of the values that it had when it was last sealed or merged.
 *
 * The term is one hash over all cells, so it tells that a row differs and not
 * where: the whole row is logged.  That holds for a row with captured changes
 * that wait for their seal as well; it is rare enough.  Max columns are left
 * out, because an equal value must not be stamped anew (of two equal ones the
 * lower stamp stands), and so are columns that only the hub may write.
 */
#include "store/clock_priv.h"
#include "store/inbox.h"
#include "store/inspect.h"
#include "store/log.h"
#include "store/rescan_priv.h"
#include "store/rows_priv.h"
#include "store/stmt.h"
#include "store/trigger_priv.h"

#include <string.h>

struct rescan {
	struct store_db *db;
	struct store_batch *batch;
	struct store_clocks clocks;
	const struct store_rescan *what;
	bool leave_waiting; /* rows that are seen to already */
	int64_t differed;   /* rows with a clock that were logged */
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "rescan: out of memory");
}

/* One entry for the row of this canonical key. */
static int
log_entry(struct rescan *r, enum store_op op, const uint8_t *key, size_t key_len, struct err *err)
{
	return store_log_note(r->db,
	                      &(struct store_change){ .schema = r->what->schema,
	                                              .op = op,
	                                              .mask = r->what->mask,
	                                              .key = key,
	                                              .key_len = key_len },
	                      err);
}

/* ---- rows that have a clock ---- */

/* Does something of the row wait for its seal, or is it listed as what was written here and goes
 * nowhere? */
static int
is_seen_to(struct rescan *r, const struct store_row *row, bool *yes, struct err *err)
{
	int rc = store_inspect_is_unsealed(r->db, row->table, row->key, row->key_len, yes, err);

	return rc < 0 || *yes ? rc
	                      : store_quarantine_has_own(r->db, row->table, row->key, row->key_len,
	                                                 yes, err);
}

static int
compare(struct rescan *r, struct store_row **rows, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		uint8_t term[STORE_TERM];
		bool waits = false;

		if (!store_row_is_live(rows[i]) || !rows[i]->in_table)
			continue;
		store_row_term(r->batch, rows[i], term);
		if (memcmp(term, rows[i]->term, STORE_TERM) == 0)
			continue;
		if (r->leave_waiting)
			rc = is_seen_to(r, rows[i], &waits, err);
		if (rc < 0 || waits)
			continue;
		rc = log_entry(r, STORE_UPDATE, rows[i]->key, rows[i]->key_len, err);
		r->differed++;
	}
	return rc;
}

static int
compare_all(struct rescan *r, struct err *err)
{
	struct store_clock_walk clocks = { .db = r->db, .table = r->what->schema->table_id };
	int rc;

	while ((rc = store_clock_next(&clocks, err)) == 1) {
		rc = r->batch->get(r->batch, clocks.rows, clocks.count, &clocks.arena, err);
		if (rc == 0)
			rc = compare(r, clocks.rows, clocks.count, err);
		if (rc < 0)
			break;
	}
	store_clock_walk_end(&clocks);
	return rc;
}

int
store_rescan_rows(struct store_db *db, const struct store_rescan *what,
                  struct store_track_rows *rows, struct err *err)
{
	struct rescan r = { .db = db, .batch = rows->batch, .what = what, .leave_waiting = true };
	int rc = compare(&r, rows->list, rows->count, err);

	rows->logged += r.differed;
	return rc;
}

/* ---- rows that have none ---- */

/* Does a life of this row stand in the clock? */
static int
has_life(struct rescan *r, const struct buf *key, bool *alive, struct err *err)
{
	struct store_row row = { .table = r->what->schema->table_id,
		                 .key = key->bytes,
		                 .key_len = key->len };
	struct rd exc;
	int rc = store_clock_find(&r->clocks, &row, &exc, err);

	*alive = rc == 1 && store_row_is_live(&row);
	return rc < 0 ? rc : 0;
}

static int
look_at(struct rescan *r, struct store_stmt *row, struct buf *key, struct err *err)
{
	bool alive = false;
	int rc;

	buf_clear(key);
	for (unsigned k = 0; k < r->what->schema->key_count; k++) {
		struct store_value part = store_stmt_get_value(row);

		store_value_write(key, &part);
	}
	rc = buf_check(key, err);
	if (rc == 0)
		rc = has_life(r, key, &alive, err);
	return rc < 0 || alive ? rc : log_entry(r, STORE_INSERT, key->bytes, key->len, err);
}

static int
find_unknown(struct rescan *r, struct err *err)
{
	struct buf sql = { 0 }, key = { 0 };
	struct store_stmt s;
	int rc;

	buf_printf(&sql, "SELECT ");
	store_trigger_keys(&sql, r->what->schema, "");
	buf_printf(&sql, " FROM ");
	store_rows_quote(&sql, r->what->schema->table);
	rc = buf_check(&sql, err);
	if (rc < 0)
		goto out;
	s = store_stmt_new(r->db, buf_str(&sql));
	while ((rc = store_stmt_step(&s, err)) == 1) {
		rc = look_at(r, &s, &key, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
out:
	buf_free(&sql);
	buf_free(&key);
	return rc;
}

int
store_rescan(struct store_db *db, const struct store_rescan *what, struct err *err)
{
	struct rescan r = { .db = db, .what = what };
	int rc;

	r.batch = store_batch_sqlite_new(db);
	if (r.batch == NULL)
		return no_memory(err);
	rc = what->mask == 0 ? 0 : compare_all(&r, err);
	store_clock_begin(&r.clocks, db);
	if (rc == 0)
		rc = find_unknown(&r, err);
	store_clock_end(&r.clocks);
	store_batch_sqlite_free(r.batch);
	return rc < 0 ? err_wrap(err, "table %s", what->schema->table) : 0;
}

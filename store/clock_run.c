/*
 * store/clock_run.c - the versions of many rows in one row of yz_clock_run.
 *
 * `first` and `last` bound the keys; after a row was taken out they still do,
 * though neither need be there any more.
 */
#include "store/clock_priv.h"

#include <string.h>

/* What fits an index page of SQLite's (4096 bytes: 1002 of a row) with the other columns. */
enum { RUN_BYTES = 940, SHARED_MAX = 255 };

/* ---- reading ---- */

static const uint8_t *
first_of(const struct store_clock_run *run)
{
	return run->bytes.bytes;
}

static const uint8_t *
last_of(const struct store_clock_run *run)
{
	return run->bytes.bytes + run->first_len;
}

static const uint8_t *
body_of(const struct store_clock_run *run)
{
	return run->bytes.bytes + run->first_len + run->last_len;
}

static int
damaged(struct err *err)
{
	return err_set(err, ERR_CORRUPT, "a run of clocks is damaged");
}

static size_t
take_blob(struct buf *out, struct store_stmt *s)
{
	size_t len;
	const uint8_t *bytes = store_stmt_get_blob(s, &len);

	buf_put(out, bytes, len);
	return len;
}

int
store_clock_run_take(struct store_clock_run *run, struct store_stmt *s, struct err *err)
{
	int rc;

	buf_clear(&run->bytes);
	run->there = false;
	run->table = (int)store_stmt_get_int(s);
	run->first_len = take_blob(&run->bytes, s);
	run->last_len = take_blob(&run->bytes, s);
	run->cl = store_stmt_get_int(s);
	run->stamp = store_stmt_get_int(s);
	run->site = (int)store_stmt_get_int(s);
	run->schema = (int)store_stmt_get_int(s);
	run->scope = (int)store_stmt_get_int(s);
	run->body_len = take_blob(&run->bytes, s);
	rc = buf_check(&run->bytes, err);
	if (rc < 0)
		return rc;
	if (run->body_len < 1 || body_of(run)[0] > run->first_len)
		return damaged(err);
	run->there = true;
	return 0;
}

static int
cmp_keys(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

bool
store_clock_run_holds(const struct store_clock_run *run, int table, const uint8_t *key, size_t len)
{
	return run->there && run->table == table &&
	       cmp_keys(first_of(run), run->first_len, key, len) <= 0 &&
	       cmp_keys(key, len, last_of(run), run->last_len) <= 0;
}

struct rd
store_clock_run_entries(const struct store_clock_run *run, const uint8_t **shared,
                        size_t *shared_len)
{
	struct rd r = rd_from(body_of(run), run->body_len);

	*shared = first_of(run);
	*shared_len = rd_u8(&r);
	return r;
}

bool
store_clock_run_next(const struct store_clock_run *run, struct rd *r,
                     struct store_clock_entry *entry)
{
	if (r->left == 0 || r->bad)
		return false;
	entry->from = run->body_len - r->left;
	entry->rest = rd_lenbytes(r, &entry->rest_len);
	entry->stamp = run->stamp + rd_zigzag(r);
	entry->term = rd_bytes(r, STORE_TERM);
	entry->to = run->body_len - r->left;
	return !r->bad;
}

int
store_clock_run_find(const struct store_clock_run *run, const uint8_t *key, size_t len,
                     struct store_clock_entry *entry, struct err *err)
{
	const uint8_t *shared;
	size_t shared_len;
	struct rd r = store_clock_run_entries(run, &shared, &shared_len);

	if (len < shared_len || memcmp(key, shared, shared_len) != 0)
		return 0;
	while (store_clock_run_next(run, &r, entry))
		if (entry->rest_len == len - shared_len &&
		    memcmp(entry->rest, key + shared_len, entry->rest_len) == 0)
			return 1;
	return r.bad ? damaged(err) : 0;
}

/* ---- writing ---- */

static size_t
shared_length(const struct store_row *first, const struct store_row *last)
{
	size_t n = 0;

	while (n < SHARED_MAX && n < first->key_len && n < last->key_len &&
	       first->key[n] == last->key[n])
		n++;
	return n;
}

/* How many of the rows go into the next run; at least one. */
static size_t
run_length(struct store_row *const *rows, size_t count)
{
	size_t bytes = rows[0]->key_len, n = 0;

	while (n < count) {
		bytes += rows[n]->key_len + STORE_TERM + 4; /* about: less what is shared */
		if (n > 0)
			bytes -= shared_length(rows[0], rows[n]);
		if (n > 0 && bytes + rows[n]->key_len > RUN_BYTES)
			break;
		n++;
	}
	return n;
}

static int
write_run(struct store_db *db, struct store_row *const *rows, uint8_t (*terms)[STORE_TERM],
          size_t count, struct err *err)
{
	const struct store_row *first = rows[0], *last = rows[count - 1];
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_clock_run(" STORE_CLOCK_RUN_COLUMNS ")"
	                           " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
	size_t shared = shared_length(first, last);
	struct buf body = { 0 };
	int rc;

	buf_u8(&body, (uint8_t)shared);
	for (size_t i = 0; i < count; i++) {
		buf_lenbytes(&body, rows[i]->key + shared, rows[i]->key_len - shared);
		buf_zigzag(&body, rows[i]->stamp - first->stamp);
		buf_put(&body, terms[i], STORE_TERM);
	}
	store_stmt_put_int(&s, first->table);
	store_stmt_put_blob(&s, first->key, first->key_len);
	store_stmt_put_blob(&s, last->key, last->key_len);
	store_stmt_put_int(&s, first->cl);
	store_stmt_put_int(&s, first->stamp);
	store_stmt_put_int(&s, first->site);
	store_stmt_put_int(&s, first->schema);
	store_stmt_put_int(&s, first->scope);
	store_stmt_put_blob(&s, body.bytes, body.len);
	rc = buf_check(&body, err);
	if (rc == 0)
		rc = store_stmt_run(&s, err);
	else
		store_stmt_end(&s);
	buf_free(&body);
	return rc;
}

int
store_clock_run_write(struct store_db *db, struct store_row *const *rows,
                      uint8_t (*terms)[STORE_TERM], size_t count, struct err *err)
{
	int rc = 0;

	for (size_t n; rc == 0 && count > 0; rows += n, terms += n, count -= n) {
		n = run_length(rows, count);
		rc = write_run(db, rows, terms, n, err);
	}
	return rc;
}

static int
read_of(struct store_db *db, const struct store_row *row, struct store_clock_run *run,
        struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT " STORE_CLOCK_RUN_COLUMNS " FROM yz_clock_run"
	                           " WHERE tbl = ? AND first <= ? ORDER BY first DESC LIMIT 1");
	int rc;

	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = store_clock_run_take(run, &s, err);
	else if (rc == 0)
		rc = damaged(err);
	store_stmt_end(&s);
	return rc;
}

static int
write_without(struct store_db *db, struct store_clock_run *run,
              const struct store_clock_entry *entry, struct err *err)
{
	bool alone = entry->from == 1 && entry->to == run->body_len;
	uint8_t *body = run->bytes.bytes + run->first_len + run->last_len;
	struct store_stmt s = store_stmt_new(
	        db, alone ? "DELETE FROM yz_clock_run WHERE tbl = ? AND first = ?"
	                  : "UPDATE yz_clock_run SET body = ? WHERE tbl = ? AND first = ?");

	memmove(body + entry->from, body + entry->to, run->body_len - entry->to);
	if (!alone)
		store_stmt_put_blob(&s, body, run->body_len - (entry->to - entry->from));
	store_stmt_put_int(&s, run->table);
	store_stmt_put_blob(&s, first_of(run), run->first_len);
	return store_stmt_run(&s, err);
}

int
store_clock_run_drop(struct store_db *db, const struct store_row *row, struct err *err)
{
	struct store_clock_run run = { 0 };
	struct store_clock_entry entry;
	int rc = read_of(db, row, &run, err);

	if (rc == 0)
		rc = store_clock_run_find(&run, row->key, row->key_len, &entry, err);
	if (rc == 1)
		rc = write_without(db, &run, &entry, err);
	else if (rc == 0)
		rc = damaged(err);
	buf_free(&run.bytes);
	return rc;
}

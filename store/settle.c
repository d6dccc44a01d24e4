#include "store/settle.h"
#include "store/base/mutant.h"
#include "store/batch_priv.h"
#include "store/rows_priv.h"
#include "store/stmt.h"

#include <string.h>

enum { SETTLE_ROWS = 500 };

/* Has the table, as it is here now, a place for this column? */
static bool
has_place(struct store_db *db, int table, int column)
{
	const struct store_schema *local = store_catalog_table(db, table)->local;

	for (unsigned i = 0; local != NULL && i < local->column_count; i++)
		if (local->columns[i].id == column)
			return true;
	return false;
}

/* The row of the cell that the statement shows, if it isn't the list's last already. */
static int
add_row(struct store_row **rows, size_t *count, int table, struct store_stmt *s, struct arena *a,
        struct err *err)
{
	const struct store_row *last = *count == 0 ? NULL : rows[*count - 1];
	struct store_row *row;
	size_t len;
	const uint8_t *key = store_stmt_get_blob(s, &len);

	if (last != NULL && last->table == table && last->key_len == len &&
	    memcmp(last->key, key, len) == 0)
		return 0;
	row = arena_take(a, 1, sizeof *row);
	if (row != NULL) {
		row->table = table;
		row->key = arena_copy(a, key, len);
		row->key_len = len;
	}
	if (row == NULL || row->key == NULL)
		return err_set(err, ERR_NOMEM, "settle: out of memory");
	rows[(*count)++] = row;
	return 0;
}

/* The next rows after `at` of which a cell has its place by now; they live in `a`.  Those that have
 * none, of a dropped table or of programs to come, are only read. */
static int
next_rows(struct store_db *db, const struct store_row *at, struct arena *a, struct store_row **rows,
          size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db,
	        "SELECT tbl, col, key FROM yz_extra WHERE (tbl, key) > (?, ?) ORDER BY tbl, key");
	int rc = 0;

	*count = 0;
	store_stmt_put_int(&s, at->table);
	store_stmt_put_blob(&s, at->key, at->key_len);
	while (rc == 0 && *count < SETTLE_ROWS && (rc = store_stmt_step(&s, err)) == 1) {
		int table = (int)store_stmt_get_int(&s);
		int column = (int)store_stmt_get_int(&s);

		rc = has_place(db, table, column) ? add_row(rows, count, table, &s, a, err) : 0;
	}
	store_stmt_end(&s);
	return rc;
}

static int
settle_rows(struct store_batch *b, struct store_row **rows, size_t count, struct arena *a,
            struct err *err)
{
	int rc = b->get(b, rows, count, a, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		rows[i]->changed = rows[i]->write_row = store_row_is_live(rows[i]);
	return rc == 0 ? b->put(b, rows, count, err) : rc;
}

static int
settle_all(struct store_db *db, struct store_batch *b, int64_t *moved, struct err *err)
{
	struct store_row at = { .key = (const uint8_t *)"" };
	struct store_row *rows[SETTLE_ROWS];
	struct arena now = { 0 }, before = { 0 };
	size_t count;
	int rc;

	do {
		rc = next_rows(db, &at, &now, rows, &count, err);
		if (rc == 0 && count > 0)
			rc = settle_rows(b, rows, count, &now, err);
		if (rc == 0 && count > 0)
			at = *rows[count - 1];
		*moved += (int64_t)count;
		arena_free(&before);
		before = now; /* `at` lives in it */
		now = (struct arena){ 0 };
	} while (rc == 0 && count == SETTLE_ROWS);
	arena_free(&before);
	return rc;
}

int
store_settle(struct store_db *db, struct store_batch *b, int64_t *moved, struct err *err)
{
	int64_t turn = 0, settled = 0;
	int rc = store_meta_get_int(db, "turn", 0, &turn, err);

	*moved = 0;
	if (rc == 0)
		rc = store_meta_get_int(db, "settled", 0, &settled, err);
	if (rc < 0 || turn == settled || MUT(24))
		return rc;
	rc = settle_all(db, b, moved, err);
	return rc == 0 ? store_meta_set_int(db, "settled", turn, err) : rc;
}

int
store_settle_back(struct store_batch *b, struct store_row *row, struct err *err)
{
	struct store_rows *rows;

	if (store_row_is_live(row)) {
		row->changed = row->write_row = true;
		return b->put(b, &row, 1, err);
	}
	rows = store_batch_rows((struct batch *)b, row->table);
	return rows == NULL ? 0 : store_rows_delete(rows, row->key, row->key_len, err);
}

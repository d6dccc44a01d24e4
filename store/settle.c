#include "store/settle.h"
#include "store/base/mutant.h"
#include "store/batch_priv.h"
#include "store/rows_priv.h"
#include "store/stmt.h"

#include <string.h>

enum { SETTLE_ROWS = 500 };

/* Does the table, as it is here now, have a place for one of the row's waiting cells? */
static bool
fits(const struct store_schema *local, const struct store_row *row)
{
	for (unsigned i = 0; local != NULL && store_row_is_live(row) && i < row->cell_count; i++)
		for (unsigned k = 0; k < local->column_count; k++)
			if (local->columns[k].id == row->cells[i].column)
				return true;
	return false;
}

/* The next rows with extras after `at`; they live in `a`. */
static int
next_rows(struct store_db *db, const struct store_row *at, struct arena *a, struct store_row **rows,
          size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT DISTINCT tbl, key FROM yz_extra WHERE (tbl, key) > (?, ?)"
	            " ORDER BY tbl, key LIMIT 500");
	int rc;

	*count = 0;
	store_stmt_put_int(&s, at->table);
	store_stmt_put_blob(&s, at->key, at->key_len);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct store_row *row = arena_take(a, 1, sizeof *row);
		const uint8_t *key;

		if (row != NULL) {
			row->table = (int)store_stmt_get_int(&s);
			key = store_stmt_get_blob(&s, &row->key_len);
			row->key = arena_copy(a, key, row->key_len);
		}
		if (row == NULL || row->key == NULL) {
			rc = err_set(err, ERR_NOMEM, "settle: out of memory");
			break;
		}
		rows[(*count)++] = row;
	}
	store_stmt_end(&s);
	return rc;
}

static int
settle_rows(struct store_db *db, struct store_batch *b, struct store_row **rows, size_t count,
            struct arena *a, struct err *err)
{
	int rc = b->get(b, rows, count, a, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		rows[i]->changed = rows[i]->write_row =
		        fits(store_catalog_table(db, rows[i]->table)->local, rows[i]);
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
			rc = settle_rows(db, b, rows, count, &now, err);
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

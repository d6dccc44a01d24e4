/*
 * store/leave.c - a drop takes the cells out of the table, not out of the world.
 *
 * Other replicas keep the column.  If its cells went with it, the rows' terms here
 * would speak of values that nobody here has, and digests would differ for ever.
 * So they are read while the table has them and put where a table's cells are that
 * has no place for them: that is all that yz_extra is.
 *
 * A page of rows is read by the schema that was and written by the one that will
 * be, which is made the local one in between.
 */
#include "store/batch.h"
#include "store/clock_priv.h"
#include "store/leave_priv.h"

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "drop: out of memory");
}

/* A row that the engine refused has all its cells beside the table already. */
static int64_t
choose(struct store_row **rows, size_t count)
{
	int64_t chosen = 0;

	for (size_t i = 0; i < count; i++) {
		rows[i]->changed = store_row_is_live(rows[i]) && rows[i]->in_table;
		chosen += rows[i]->changed;
	}
	return chosen;
}

static int
leave_page(struct store_db *db, struct store_batch *b, struct store_clock_walk *page,
           const struct store_schema *to, struct err *err)
{
	int table = page->table, rc;

	rc = store_catalog_set_local(db, table, to, err);
	return rc == 0 ? b->put(b, page->rows, page->count, err) : rc;
}

int
store_leave(struct store_db *db, const struct store_schema *from, const struct store_schema *to,
            int64_t *rows, struct err *err)
{
	struct store_clock_walk page = { .db = db, .table = from->table_id };
	struct store_batch *b = store_batch_sqlite_new(db);
	int rc = b == NULL ? no_memory(err) : 0;

	*rows = 0;
	while (rc == 0 && (rc = store_clock_next(&page, err)) == 1) {
		rc = store_catalog_set_local(db, from->table_id, from, err);
		if (rc == 0)
			rc = b->get(b, page.rows, page.count, &page.arena, err);
		if (rc < 0)
			break;
		*rows += choose(page.rows, page.count);
		rc = leave_page(db, b, &page, to, err);
	}
	if (rc == 0)
		rc = store_catalog_set_local(db, from->table_id, to, err);
	store_clock_walk_end(&page);
	store_batch_sqlite_free(b);
	return rc;
}

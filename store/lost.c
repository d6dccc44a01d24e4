/*
 * store/lost.c - tables that were given up.
 *
 * The reason stands in yz_meta as "untracked <table>" from the look that gave the
 * table up (store/track.c).  Until that look a table that is gone is known by its
 * absence alone.
 */
#include "store/catalog.h"
#include "store/lost_priv.h"
#include "store/stmt.h"

#include <string.h>

/* The NOT IN is asked once for all tables: its list doesn't depend on them. */
#define FROM_LOST                                                                                  \
	" FROM yz_table AS t LEFT JOIN yz_meta AS m ON m.name = 'untracked ' || t.name"            \
	" WHERE iif(t.schema IS NULL, m.name IS NOT NULL, t.name COLLATE NOCASE NOT IN"            \
	" (SELECT name FROM sqlite_schema WHERE type = 'table'))"

#define WAITING "(SELECT count(DISTINCT e.key) FROM yz_extra AS e WHERE e.tbl = t.id)"

int
store_lost_list(struct store_db *db, store_lost_tell *tell, void *ctx, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT t.name, ifnull(CAST(m.value AS TEXT), 'there is no table ' || t.name),"
	            " NOT EXISTS(SELECT 1 FROM sqlite_schema AS h WHERE h.type = 'table'"
	            " AND h.name = t.name COLLATE NOCASE), " WAITING FROM_LOST " ORDER BY t.name");
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct store_lost lost = { .table = store_stmt_get_text(&s) };

		lost.why = store_stmt_get_text(&s);
		lost.gone = store_stmt_get_int(&s) != 0;
		lost.waiting = store_stmt_get_int(&s);
		tell(ctx, &lost);
	}
	store_stmt_end(&s);
	return rc;
}

int
store_lost_count(struct store_db *db, int64_t *tables, int64_t *rows, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT count(*), ifnull(sum(" WAITING "), 0)" FROM_LOST);
	int rc = store_stmt_step(&s, err);

	*tables = rc == 1 ? store_stmt_get_int(&s) : 0;
	*rows = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* ---- the reason ---- */

static void
name_of(struct buf *name, const char *table)
{
	buf_printf(name, "untracked %s", table);
}

int
store_lost_note(struct store_db *db, const char *table, const char *why, struct err *err)
{
	struct buf name = { 0 };
	int rc;

	name_of(&name, table);
	rc = buf_check(&name, err);
	if (rc == 0)
		rc = store_meta_set(db, buf_str(&name), why, strlen(why), err);
	buf_free(&name);
	return rc;
}

int
store_lost_forget(struct store_db *db, const char *table, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "DELETE FROM yz_meta WHERE name = 'untracked ' || ? COLLATE NOCASE");

	store_stmt_put_text(&s, table);
	return store_stmt_run(&s, err);
}

int
store_lost_why(struct store_db *db, const char *table, struct buf *why, struct err *err)
{
	struct buf name = { 0 };
	int rc;

	name_of(&name, table);
	rc = buf_check(&name, err);
	if (rc == 0)
		rc = store_meta_get(db, buf_str(&name), why, err);
	buf_free(&name);
	return rc;
}

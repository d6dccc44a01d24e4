/*
 * store/track_triggers.c - are a table's triggers the ones that they should be, and were they
 * there all the time?
 *
 * Who loads much in one go, or rebuilds a table as SQLite's manual says, drops the triggers and
 * makes them again, word for word.  What was written in between is in no log, and the triggers
 * look as if nothing had been.  But SQLite puts what is made above all that the schema holds: so
 * above our triggers stands a view of ours, yz_mark, and a trigger above it was made by somebody
 * else.  VACUUM and a dump keep the order.
 */
#include "store/rows_priv.h"
#include "store/share.h"
#include "store/stmt.h"
#include "store/track.h"
#include "store/track_priv.h"
#include "store/trigger_priv.h"

#include <string.h>

static int
drop_trigger(struct store_db *db, const char *name, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql, "DROP TRIGGER ");
	store_rows_quote(&sql, name);
	rc = buf_check(&sql, err);
	if (rc == 0)
		rc = store_db_exec(db, buf_str(&sql), err);
	buf_free(&sql);
	return rc;
}

int
store_track_drop_triggers(struct store_db *db, const char *table, struct err *err)
{
	static const char of_table[] =
	        "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
	        " AND name LIKE 'yz\\_%' ESCAPE '\\' AND tbl_name = ?1 COLLATE NOCASE LIMIT 1";
	static const char strays[] =
	        "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
	        " AND name LIKE 'yz\\_%' ESCAPE '\\' AND NOT EXISTS(SELECT 1 FROM yz_table AS t"
	        " WHERE t.name = tbl_name COLLATE NOCASE AND t.schema IS NOT NULL) LIMIT 1";
	struct buf name = { 0 };
	int rc;

	do {
		struct store_stmt s = store_stmt_new(db, table == NULL ? strays : of_table);

		if (table != NULL)
			store_stmt_put_text(&s, table);
		buf_clear(&name);
		rc = store_stmt_step(&s, err);
		if (rc == 1)
			buf_printf(&name, "%s", store_stmt_get_text(&s));
		store_stmt_end(&s);
		if (rc == 1 && drop_trigger(db, buf_str(&name), err) < 0)
			rc = err->code;
	} while (rc == 1);
	buf_free(&name);
	return rc;
}

#define ABOVE_MARK "rowid > (SELECT rowid FROM sqlite_schema WHERE name = 'yz_mark')"

int
store_track_mark(struct store_db *db, const char *table, struct err *err)
{
	/* 0: nothing of ours is above it, 1: `table`'s triggers alone, 2: others' too */
	struct store_stmt s = store_stmt_new(
	        db,
	        "SELECT CASE WHEN NOT EXISTS(SELECT 1 FROM sqlite_schema WHERE name = 'yz_mark')"
	        " THEN 1 ELSE (SELECT coalesce(max(1 + (?1 IS NOT NULL AND tbl_name <> ?1 COLLATE"
	        " NOCASE)), 0) FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'yz\\_%'"
	        " ESCAPE '\\' AND " ABOVE_MARK ") END");
	int64_t above = 0;
	int rc;

	store_stmt_put_text(&s, table);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		above = store_stmt_get_int(&s);
	store_stmt_end(&s);
	if (rc < 0 || above != 1)
		return rc < 0 ? rc : 0;
	return store_db_exec(db,
	                     "DROP VIEW IF EXISTS yz_mark;"
	                     "CREATE VIEW yz_mark AS SELECT 'all triggers yz_ stand below' AS note",
	                     err);
}

/* Are exactly these triggers of ours on the table, and none of them made again by somebody? */
static int
triggers_stand(struct store_db *db, const char *table, struct store_triggers *want, bool *stand,
               struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT sql, " ABOVE_MARK " FROM sqlite_schema"
	                           " WHERE type = 'trigger' AND name LIKE 'yz\\_%' ESCAPE '\\'"
	                           " AND tbl_name = ? COLLATE NOCASE");
	unsigned found = 0, others = 0;
	int rc;

	store_stmt_put_text(&s, table);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		const char *sql = store_stmt_get_text(&s);
		unsigned i = 0;

		while (i < want->count && strcmp(buf_str(&want->sql[i]), sql) != 0)
			i++;
		*(i < want->count && store_stmt_get_int(&s) == 0 ? &found : &others) += 1;
	}
	store_stmt_end(&s);
	*stand = found == want->count && others == 0;
	return rc;
}

int
store_track_triggers(struct store_db *db, const struct store_shape *shape,
                     const struct store_triggered *by, bool *stood, struct err *err)
{
	struct store_triggers want;
	int rc;

	*stood = false;
	rc = store_trigger_write(by->schema, shape, by->is_hub, &want, err);
	if (rc == 0 && !by->is_hub)
		rc = store_trigger_left(db, by->schema, &want, err);
	if (rc == 0)
		rc = triggers_stand(db, shape->table, &want, stood, err);
	if (rc == 0 && by->make && !*stood)
		rc = store_track_drop_triggers(db, shape->table, err);
	for (unsigned i = 0; rc == 0 && by->make && !*stood && i < want.count; i++)
		rc = store_db_exec(db, buf_str(&want.sql[i]), err);
	if (rc == 0 && by->make && !*stood)
		rc = store_track_mark(db, shape->table, err);
	store_trigger_free(&want);
	return rc;
}

int
store_track_dress(struct store_db *db, const char *table, bool is_hub, struct err *err)
{
	const struct store_table *t = store_catalog_table_by_name(db, table);
	struct store_triggered by = { .schema = t->local, .is_hub = is_hub, .make = true };
	struct store_shape *shape = NULL;
	struct arena a = { 0 };
	bool stood;
	int rc = store_shape_read(db, table, &a, &shape, err);

	if (rc == 0)
		rc = store_track_triggers(db, shape, &by, &stood, err);
	arena_free(&a);
	return rc;
}

int
store_track_guard(struct store_db *db, int root, struct err *err)
{
	int rc = 0;

	for (int id = 1; rc == 0 && id <= store_catalog_table_count(db); id++) {
		const struct store_table *t = store_catalog_table(db, id);

		if (t->local != NULL &&
		    store_share_subject(t->local, store_catalog_table(db, root)) >= 0)
			rc = store_track_dress(db, t->name, false, err);
	}
	return rc;
}

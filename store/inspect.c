#include "store/inspect.h"
#include "store/clock_priv.h"
#include "store/rows_priv.h"
#include "store/schema.h"
#include "store/stmt.h"

#include <string.h>

enum { OBJECTS_MIN = 64 };

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory for the schema");
}

/* One more at the end of a list that doubles when it is full. */
static struct store_object *
next_place(struct arena *a, struct store_object **list, size_t count)
{
	struct store_object *grown;

	if (count % OBJECTS_MIN != 0 || (count & (count - 1)) != 0)
		return &(*list)[count];
	grown = arena_take(a, count == 0 ? OBJECTS_MIN : 2 * count, sizeof *grown);
	if (grown == NULL)
		return NULL;
	if (count > 0)
		memcpy(grown, *list, count * sizeof *grown);
	*list = grown;
	return &grown[count];
}

static int
read_object(struct store_stmt *s, struct arena *a, struct store_object *o, struct err *err)
{
	o->type = store_stmt_copy_text(s, a);
	o->name = store_stmt_copy_text(s, a);
	o->table = store_stmt_copy_text(s, a);
	o->sql = store_stmt_copy_text(s, a);
	if (o->type == NULL || o->name == NULL || o->table == NULL || o->sql == NULL)
		return no_memory(err);
	return 0;
}

int
store_inspect_schema(struct store_db *db, const char *table, struct arena *a,
                     struct store_object **list, size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT type, name, tbl_name, sql FROM sqlite_schema"
	            " WHERE sql IS NOT NULL AND substr(name, 1, 3) <> 'yz_'"
	            " AND substr(tbl_name, 1, 3) <> 'yz_' AND substr(name, 1, 7) <> 'sqlite_'"
	            " AND (?1 IS NULL OR tbl_name = ?1 COLLATE NOCASE) ORDER BY rowid");
	int rc;

	*count = 0;
	*list = NULL;
	store_stmt_put_text(&s, table);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct store_object *o = next_place(a, list, *count);

		rc = o == NULL ? no_memory(err) : read_object(&s, a, o, err);
		if (rc < 0)
			break;
		(*count)++;
	}
	store_stmt_end(&s);
	return rc;
}

int
store_inspect_has_column(struct store_db *db, const char *table, const char *column,
                         struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ? COLLATE NOCASE");
	int rc;

	store_stmt_put_text(&s, table);
	store_stmt_put_text(&s, column);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc;
}

/* ---- breaches ---- */

static int
tell_foreign_keys(struct store_db *db, store_inspect_tell *tell, void *ctx, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT \"table\", \"parent\", count(*) FROM pragma_foreign_key_check"
	            " GROUP BY 1, 2");
	struct buf what = { 0 };
	int rc;

	while ((rc = store_stmt_step(&s, err)) == 1) {
		const char *table = store_stmt_get_text(&s), *parent = store_stmt_get_text(&s);

		int64_t rows = store_stmt_get_int(&s);

		buf_clear(&what);
		buf_printf(&what, "%lld %s a row of %s that isn't there", (long long)rows,
		           rows == 1 ? "row names" : "rows name", parent);
		tell(ctx, &(struct store_breach){ .table = table,
		                                  .parent = parent,
		                                  .what = buf_str(&what),
		                                  .rows = rows });
	}
	buf_free(&what);
	store_stmt_end(&s);
	return rc;
}

/* SQLite says "CHECK constraint failed in T" and "NULL value in T.C" for rows; all else it says is
 * damage. */
static void
tell_line(const char *line, store_inspect_tell *tell, void *ctx)
{
	static const char *const of_rows[] = { "CHECK constraint failed in ", "NULL value in " };
	struct store_breach breach = { .table = "", .what = line, .damage = true };
	char table[128];

	for (size_t i = 0; i < sizeof of_rows / sizeof of_rows[0]; i++) {
		size_t len = strlen(of_rows[i]), name;

		if (strncmp(line, of_rows[i], len) != 0)
			continue;
		name = strcspn(line + len, ".");
		if (name >= sizeof table)
			name = sizeof table - 1;
		memcpy(table, line + len, name);
		table[name] = 0;
		breach.table = table;
		breach.damage = false;
		breach.rows = 1;
	}
	tell(ctx, &breach);
}

int
store_inspect_breaches(struct store_db *db, bool deep, store_inspect_tell *tell, void *ctx,
                       struct err *err)
{
	struct store_stmt s;
	int rc = tell_foreign_keys(db, tell, ctx, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db,
	                   deep ? "PRAGMA integrity_check(100000)" : "PRAGMA quick_check(100000)");
	while ((rc = store_stmt_step(&s, err)) == 1) {
		const char *line = store_stmt_get_text(&s);

		if (strcmp(line, "ok") != 0)
			tell_line(line, tell, ctx);
	}
	store_stmt_end(&s);
	return rc;
}

int
store_inspect_row(struct store_db *db, const struct store_schema *schema, struct rd key,
                  struct arena *a, struct store_value **values, struct err *err)
{
	struct store_rows rows;
	int rc;

	*values = arena_take(a, schema->column_count, sizeof **values);
	if (*values == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for a row");
	rows = store_rows_of(db, schema);
	rc = store_rows_get(&rows, key.at, key.left, *values, a, err);
	store_rows_end(&rows);
	return rc;
}

int
store_inspect_scope(struct store_db *db, int table, const uint8_t *key, size_t key_len, int *scope,
                    struct err *err)
{
	struct store_row row = { .table = table, .key = key, .key_len = key_len };
	struct store_clocks clocks;
	struct rd exc;
	int rc;

	store_clock_begin(&clocks, db);
	rc = store_clock_find(&clocks, &row, &exc, err);
	store_clock_end(&clocks);
	*scope = rc == 1 ? row.scope : 0;
	return rc < 0 ? rc : 0;
}

int
store_inspect_is_default(struct store_db *db, const char *table, const char *column,
                         const struct store_value *value, bool *is, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT coalesce(dflt_value, 'NULL') FROM pragma_table_info(?) WHERE name = ?");
	struct buf sql = { 0 };
	int rc;

	store_stmt_put_text(&s, table);
	store_stmt_put_text(&s, column);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		buf_printf(&sql, "SELECT ? IS (%s)", store_stmt_get_text(&s));
	store_stmt_end(&s);
	*is = false;
	if (rc == 1 && (rc = buf_check(&sql, err)) == 0) {
		s = store_stmt_new(db, buf_str(&sql));
		store_stmt_put_value(&s, value);
		rc = store_stmt_step(&s, err);
		*is = rc == 1 && store_stmt_get_int(&s) != 0;
		store_stmt_end(&s);
	}
	buf_free(&sql);
	return rc < 0 ? rc : 0;
}

int
store_inspect_unsealed(struct store_db *db, int64_t *rows, int64_t *oldest_ms, struct err *err)
{
	int rc =
	        store_stmt_int(db,
	                       "SELECT count(*) FROM (SELECT DISTINCT s.tbl, l.k1, l.k2, l.k3, l.k4"
	                       " FROM yz_log l JOIN yz_schema s ON s.id = l.tv)",
	                       0, rows, err);

	if (rc < 0)
		return rc;
	return store_stmt_int(db, "SELECT min(at_ms) FROM yz_log", 0, oldest_ms, err);
}

int
store_inspect_is_unsealed(struct store_db *db, int table, const uint8_t *key, size_t key_len,
                          bool *is, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT 1 FROM yz_log l JOIN yz_schema s ON s.id = l.tv WHERE s.tbl = ?"
	            " AND l.k1 IS ? AND l.k2 IS ? AND l.k3 IS ? AND l.k4 IS ? LIMIT 1");
	struct rd r = rd_from(key, key_len);
	int rc;

	store_stmt_put_int(&s, table);
	for (int i = 0; i < STORE_KEYS_MAX; i++) {
		struct store_value v = store_value_null();

		if (r.left > 0)
			v = store_value_read(&r);
		store_stmt_put_value(&s, &v);
	}
	rc = store_stmt_step(&s, err);
	*is = rc == 1;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_inspect_bytes(struct store_db *db, int64_t *bytes, struct err *err)
{
	return store_stmt_int(db,
	                      "SELECT (page_count - freelist_count) * page_size FROM "
	                      "pragma_page_count, pragma_freelist_count, pragma_page_size",
	                      0, bytes, err);
}

#include "store/keyed.h"

#include "store/columns_priv.h"

#include <string.h>

static int
put_named(struct store_stmt *s, const struct store_named_row *row, const char *name,
          struct err *err)
{
	for (size_t i = 0; i < row->count; i++)
		if (strcmp(row->columns[i], name) == 0) {
			store_stmt_put_value(s, &row->values[i]);
			return 0;
		}
	return err_set(err, ERR_INVALID, "key column \"%.60s\" is missing", name);
}

/* " WHERE key IS ? ..." */
static int
put_where(struct buf *sql, const char *table, const struct store_columns *c, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < c->count; i++) {
		if (c->list[i].key == 0)
			continue;
		buf_printf(sql, "%s", any ? " AND " : " WHERE ");
		store_columns_put_name(sql, c->list[i].name);
		buf_printf(sql, " IS ?");
		any = true;
	}
	return any ? buf_check(sql, err)
	           : err_set(err, ERR_INVALID, "table %.60s has no key", table);
}

/* Give the key columns, in the order of put_where(). */
static int
put_key(struct store_stmt *s, const struct store_named_row *row, const struct store_columns *c,
        struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->count; i++)
		if (c->list[i].key > 0)
			rc = put_named(s, row, c->list[i].name, err);
	return rc;
}

/* The statement that `sql` begins, for the row of that key; to be ended by the caller if this
 * returns 0. */
static int
by_key(struct store_db *db, const struct store_named_row *row, struct buf *sql,
       struct store_stmt *s, struct err *err)
{
	struct store_columns c;
	struct arena a = { 0 };
	int rc = store_columns_read(db, row->table, &a, &c, err);

	buf_printf(sql, " FROM ");
	store_columns_put_name(sql, row->table);
	if (rc == 0)
		rc = put_where(sql, row->table, &c, err);
	if (rc == 0) {
		*s = store_stmt_new(db, buf_str(sql));
		rc = put_key(s, row, &c, err);
		if (rc < 0)
			store_stmt_end(s);
	}
	arena_free(&a);
	return rc;
}

int
store_keyed_get(struct store_db *db, const struct store_named_row *row, const char *column,
                struct buf *out, struct err *err)
{
	struct buf sql = { 0 };
	struct store_stmt s;
	int rc;

	buf_printf(&sql, "SELECT ");
	if (column == NULL)
		buf_printf(&sql, "NULL");
	else
		store_columns_put_name(&sql, column);
	rc = by_key(db, row, &sql, &s, err);
	if (rc == 0) {
		rc = store_stmt_step(&s, err);
		if (rc == 1) {
			const char *text = store_stmt_get_text(&s);

			buf_put(out, text, strlen(text));
		}
		store_stmt_end(&s);
	}
	buf_free(&sql);
	return rc;
}

int
store_keyed_changes(struct store_db *db, const struct store_named_row *row, uint64_t *changed,
                    struct err *err)
{
	struct buf sql = { 0 };
	struct store_stmt s;
	int rc;

	*changed = 0;
	for (size_t i = 0; i < row->count; i++) {
		buf_printf(&sql, "%s", i == 0 ? "SELECT " : ", ");
		store_columns_put_name(&sql, row->columns[i]);
	}
	rc = by_key(db, row, &sql, &s, err);
	if (rc == 0) {
		rc = store_stmt_step(&s, err);
		for (size_t i = 0; rc >= 0 && i < row->count; i++) {
			struct store_value was = { .type = STORE_NULL };

			if (rc == 1)
				was = store_stmt_get_value(&s);
			if (store_value_cmp(&was, &row->values[i]) != 0)
				*changed |= UINT64_C(1) << i;
		}
		store_stmt_end(&s);
	}
	buf_free(&sql);
	return rc;
}

static bool
is_key(const struct store_columns *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->list[i].name, name) == 0)
			return c->list[i].key > 0;
	return false;
}

/* "UPDATE table SET a = ?, ... WHERE key AND (a IS NOT ? OR ...)": what is the same isn't written.
 * How many columns it sets. */
static size_t
put_update(struct buf *sql, const struct store_named_row *row, const struct store_columns *c,
           struct err *err, int *rc)
{
	size_t set = 0, compared = 0;

	buf_printf(sql, "UPDATE ");
	store_columns_put_name(sql, row->table);
	for (size_t i = 0; i < row->count; i++) {
		if (is_key(c, row->columns[i]))
			continue;
		buf_printf(sql, "%s", set++ == 0 ? " SET " : ", ");
		store_columns_put_name(sql, row->columns[i]);
		buf_printf(sql, " = ?");
	}
	*rc = put_where(sql, row->table, c, err);
	for (size_t i = 0; i < row->count; i++) {
		if (is_key(c, row->columns[i]))
			continue;
		buf_printf(sql, "%s", compared++ == 0 ? " AND (" : " OR ");
		store_columns_put_name(sql, row->columns[i]);
		buf_printf(sql, " IS NOT ?");
	}
	buf_printf(sql, ")");
	return set;
}

static void
put_cells(struct store_stmt *s, const struct store_named_row *row, const struct store_columns *c)
{
	for (size_t i = 0; i < row->count; i++)
		if (!is_key(c, row->columns[i]))
			store_stmt_put_value(s, &row->values[i]);
}

int
store_keyed_update(struct store_db *db, const struct store_named_row *row, struct err *err)
{
	struct store_columns c;
	struct buf sql = { 0 };
	struct arena a = { 0 };
	size_t set = 0;
	int rc = store_columns_read(db, row->table, &a, &c, err);

	if (rc == 0)
		set = put_update(&sql, row, &c, err, &rc);
	if (rc == 0)
		rc = buf_check(&sql, err);
	if (rc == 0 && set > 0) {
		struct store_stmt s = store_stmt_new(db, buf_str(&sql));

		put_cells(&s, row, &c);
		rc = put_key(&s, row, &c, err);
		put_cells(&s, row, &c);
		if (rc == 0)
			rc = store_stmt_run(&s, err);
		else
			store_stmt_end(&s);
	}
	arena_free(&a);
	buf_free(&sql);
	return rc;
}

int
store_keyed_delete(struct store_db *db, const struct store_named_row *row, struct err *err)
{
	struct buf sql = { 0 };
	struct store_stmt s;
	int rc;

	buf_printf(&sql, "DELETE");
	rc = by_key(db, row, &sql, &s, err);
	if (rc == 0)
		rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = store_stmt_changes(db) > 0;
	buf_free(&sql);
	return rc;
}

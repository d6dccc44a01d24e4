#include "store/transfer.h"
#include "store/catalog.h"
#include "store/columns_priv.h"

#include <stdlib.h>
#include <string.h>

struct store_transfer {
	struct store_db *db;
	struct arena arena;
	const char *table;
	struct store_columns columns;            /* of the table */
	const struct store_column_info **chosen; /* the caller's, in its order */
	size_t chosen_count;
	struct buf sql;
	int64_t rows_before, changes;
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory for a table's columns");
}

static bool
is_left_out(const struct store_part *part, const char *column)
{
	const char *const *name = part->without;

	while (name != NULL && *name != NULL && strcmp(*name, column) != 0)
		name++;
	return name != NULL && *name != NULL;
}

/* Is the part chosen by rows' own scopes, too?  Only where some row is, or was, several scopes' may
 * one have another than its column says. */
static int
asks_scope(struct store_db *db, const struct store_part *part, bool *asks, struct err *err)
{
	const struct store_table *table = store_catalog_table_by_name(db, part->table);
	struct store_stmt s;
	int rc;

	*asks = false;
	if (part->only_scope == NULL || table == NULL)
		return 0;
	s = store_stmt_new(db, "SELECT 1 FROM yz_member WHERE tbl = ? LIMIT 1");
	store_stmt_put_int(&s, table->id);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	*asks = rc == 1;
	return rc < 0 ? rc : 0;
}

/* The key columns as columns of the query around this one, whose tables have an `id` themselves. */
static void
put_outer_key(struct buf *sql, const struct store_columns *c)
{
	for (int key = 1; key <= (int)c->count; key++)
		for (size_t i = 0; i < c->count; i++)
			if (c->list[i].key == key) {
				buf_printf(sql, key == 1 ? "yz_row." : ", yz_row.");
				store_columns_put_name(sql, c->list[i].name);
			}
}

/* Parameters: table and scope if it is asked, then the column's value.  A row that was moved has a
 * clock of its own, so the runs needn't be looked into. */
static void
put_where(struct buf *sql, const struct store_part *part, const struct store_columns *c, bool asks)
{
	buf_printf(sql, " WHERE ");
	if (asks) {
		buf_printf(sql, "coalesce((SELECT o.name FROM yz_member m JOIN yz_clock k ON"
		                " k.tbl = m.tbl AND k.key = m.key JOIN yz_scope o ON o.id ="
		                " k.scope WHERE m.tbl = ? AND m.key = yz_key(");
		put_outer_key(sql, c);
		buf_printf(sql, ") LIMIT 1) = ?, ");
	}
	store_columns_put_name(sql, part->only_column);
	buf_printf(sql, asks ? " = ?)" : " = ?");
}

static void
put_order(struct buf *sql, const struct store_part *part, const struct store_columns *c)
{
	if (part->order == NULL || part->order[0] == NULL) {
		store_columns_put_key(sql, " ORDER BY ", c);
		return;
	}
	for (const char *const *name = part->order; *name != NULL; name++) {
		buf_printf(sql, name == part->order ? " ORDER BY " : ", ");
		store_columns_put_name(sql, *name);
	}
}

static int
put_part(struct store_db *db, const struct store_part *part, bool asks, struct buf *sql,
         struct err *err)
{
	struct store_columns c;
	struct arena a = { 0 };
	int rc = store_columns_read(db, part->table, &a, &c, err);
	bool any = false;

	for (size_t i = 0; rc == 0 && i < c.count; i++) {
		if (is_left_out(part, c.list[i].name))
			continue;
		buf_printf(sql, "%s", any ? ", " : "SELECT ");
		store_columns_put_name(sql, c.list[i].name);
		any = true;
	}
	if (rc == 0) {
		buf_printf(sql, " FROM ");
		store_columns_put_name(sql, part->table);
		buf_printf(sql, asks ? " AS yz_row" : "");
		if (part->only_column != NULL)
			put_where(sql, part, &c, asks);
		put_order(sql, part, &c);
		rc = buf_check(sql, err);
	}
	arena_free(&a);
	return rc;
}

int
store_transfer_query(struct store_db *db, const char *table, struct buf *sql, struct err *err)
{
	return put_part(db, &(struct store_part){ .table = table }, false, sql, err);
}

int
store_transfer_select(struct store_db *db, const struct store_part *part, struct store_stmt *s,
                      struct err *err)
{
	struct buf sql = { 0 };
	bool asks = false;
	int rc = asks_scope(db, part, &asks, err);

	if (rc == 0)
		rc = put_part(db, part, asks, &sql, err);
	if (rc == 0) {
		*s = store_stmt_new(db, buf_str(&sql));
		if (asks) {
			store_stmt_put_int(s, store_catalog_table_by_name(db, part->table)->id);
			store_stmt_put_text(s, part->only_scope);
		}
		if (part->only_column != NULL)
			store_stmt_put_text(s, part->only_value);
	}
	buf_free(&sql);
	return rc;
}

/* ---- import ---- */

static const struct store_column_info *
find(const struct store_transfer *t, const char *name)
{
	for (size_t i = 0; i < t->columns.count; i++)
		if (strcmp(t->columns.list[i].name, name) == 0)
			return &t->columns.list[i];
	return NULL;
}

static bool
is_chosen(const struct store_transfer *t, const struct store_column_info *c)
{
	for (size_t i = 0; i < t->chosen_count; i++)
		if (t->chosen[i] == c)
			return true;
	return false;
}

static int
choose(struct store_transfer *t, const char *const *names, size_t count, struct err *err)
{
	t->chosen = arena_take(&t->arena, count, sizeof(struct store_column_info *));
	if (t->chosen == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		const struct store_column_info *c = find(t, names[i]);

		if (c == NULL)
			return err_set(err, ERR_INVALID,
			               "table %.60s has no column \"%.60s\"; yizhan schema show "
			               "%.60s names them",
			               t->table, names[i], t->table);
		if (is_chosen(t, c))
			return err_set(err, ERR_INVALID,
			               "column \"%.60s\" is named twice; leave one out", names[i]);
		t->chosen[t->chosen_count++] = c;
	}
	for (size_t i = 0; i < t->columns.count; i++)
		if (t->columns.list[i].key > 0 && !is_chosen(t, &t->columns.list[i]))
			return err_set(
			        err, ERR_INVALID,
			        "key column \"%.60s\" is missing; without it a second import "
			        "would make every row twice",
			        t->columns.list[i].name);
	return 0;
}

/* Update where something differs, so that what is the same isn't written. */
static void
put_update(struct store_transfer *t)
{
	bool any = false;

	for (size_t i = 0; i < t->chosen_count; i++) {
		if (t->chosen[i]->key > 0)
			continue;
		buf_printf(&t->sql, "%s", any ? ", " : " DO UPDATE SET ");
		store_columns_put_name(&t->sql, t->chosen[i]->name);
		buf_printf(&t->sql, " = excluded.");
		store_columns_put_name(&t->sql, t->chosen[i]->name);
		any = true;
	}
	if (!any) {
		buf_printf(&t->sql, " DO NOTHING");
		return;
	}
	any = false;
	for (size_t i = 0; i < t->chosen_count; i++) {
		if (t->chosen[i]->key > 0)
			continue;
		buf_printf(&t->sql, "%s", any ? " OR " : " WHERE ");
		store_columns_put_name(&t->sql, t->table);
		buf_u8(&t->sql, '.');
		store_columns_put_name(&t->sql, t->chosen[i]->name);
		buf_printf(&t->sql, " IS NOT excluded.");
		store_columns_put_name(&t->sql, t->chosen[i]->name);
		any = true;
	}
}

static bool
is_event(struct store_db *db, const char *table)
{
	const struct store_table *t = store_catalog_table_by_name(db, table);

	return t != NULL && t->local != NULL && t->local->kind == STORE_EVENT;
}

static void
put_insert(struct store_transfer *t)
{
	buf_printf(&t->sql, "INSERT INTO ");
	store_columns_put_name(&t->sql, t->table);
	for (size_t i = 0; i < t->chosen_count; i++) {
		buf_printf(&t->sql, "%s", i == 0 ? "(" : ", ");
		store_columns_put_name(&t->sql, t->chosen[i]->name);
	}
	for (size_t i = 0; i < t->chosen_count; i++)
		buf_printf(&t->sql, "%s?", i == 0 ? ") VALUES (" : ", ");
	buf_printf(&t->sql, ")");
	if (store_columns_put_key(&t->sql, " ON CONFLICT(", &t->columns) == 0)
		return;
	buf_printf(&t->sql, ")");
	if (is_event(t->db, t->table))
		buf_printf(&t->sql, " DO NOTHING");
	else
		put_update(t);
}

static int
count_rows(struct store_transfer *t, int64_t *rows, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql, "SELECT count(*) FROM ");
	store_columns_put_name(&sql, t->table);
	rc = buf_check(&sql, err);
	if (rc == 0)
		rc = store_stmt_int(t->db, buf_str(&sql), 0, rows, err);
	buf_free(&sql);
	return rc;
}

/* All but the count of rows, which takes as long as the table is. */
static int
open_uncounted(struct store_db *db, const char *table, const char *const *columns, size_t count,
               struct store_transfer **out, struct err *err)
{
	struct store_transfer *t = calloc(1, sizeof *t);
	int rc;

	*out = NULL;
	if (t == NULL)
		return no_memory(err);
	t->db = db;
	t->table = table;
	rc = store_columns_read(db, table, &t->arena, &t->columns, err);
	if (rc == 0)
		rc = choose(t, columns, count, err);
	if (rc == 0) {
		put_insert(t);
		rc = buf_check(&t->sql, err);
	}
	if (rc < 0) {
		store_transfer_close(t);
		return rc;
	}
	*out = t;
	return 0;
}

int
store_transfer_open(struct store_db *db, const char *table, const char *const *columns,
                    size_t count, struct store_transfer **out, struct err *err)
{
	int rc = open_uncounted(db, table, columns, count, out, err);

	if (rc == 0)
		rc = count_rows(*out, &(*out)->rows_before, err);
	if (rc < 0) {
		store_transfer_close(*out);
		*out = NULL;
	}
	return rc;
}

int
store_transfer_one(struct store_db *db, const struct store_named_row *row, struct err *err)
{
	struct store_transfer *t;
	int rc = open_uncounted(db, row->table, row->columns, row->count, &t, err);

	if (rc == 0)
		rc = store_transfer_row(t, row->values, err);
	store_transfer_close(t);
	return rc;
}

const char *
store_transfer_type(const struct store_transfer *t, size_t i)
{
	return t->chosen[i]->type;
}

int
store_transfer_row(struct store_transfer *t, const struct store_value *values, struct err *err)
{
	struct store_stmt s = store_stmt_new(t->db, buf_str(&t->sql));
	int rc;

	for (size_t i = 0; i < t->chosen_count; i++)
		store_stmt_put_value(&s, &values[i]);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		t->changes += store_stmt_changes(t->db);
	return rc;
}

int
store_transfer_counts(struct store_transfer *t, int64_t *added, int64_t *changed, struct err *err)
{
	int64_t rows = 0;
	int rc = count_rows(t, &rows, err);

	*added = rows - t->rows_before;
	*changed = t->changes - *added;
	return rc;
}

void
store_transfer_close(struct store_transfer *t)
{
	if (t == NULL)
		return;
	buf_free(&t->sql);
	arena_free(&t->arena);
	free(t);
}

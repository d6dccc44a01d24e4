#include "store/transfer.h"
#include "store/catalog.h"

#include <stdlib.h>
#include <string.h>

struct column {
	const char *name;
	const char *type;
	int key; /* 1.. position in the key, 0: not in it */
};

struct store_transfer {
	struct store_db *db;
	struct arena arena;
	const char *table;
	struct column *columns; /* of the table */
	size_t column_count;
	const struct column **chosen; /* the caller's, in its order */
	size_t chosen_count;
	struct buf sql;
	int64_t rows_before, changes;
};

enum { COLUMNS_MAX = 2000 };

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory for a table's columns");
}

static const char *
copy_text(struct arena *a, struct store_stmt *s)
{
	const char *text = store_stmt_get_text(s);

	return arena_copy(a, text, strlen(text));
}

/* Columns that can be written, in their order; ERR_NOTFOUND if there is no such table. */
static int
read_columns(struct store_db *db, const char *table, struct arena *a, struct column **columns,
             size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT name, type, pk FROM pragma_table_info(?)");
	int rc = 0;

	*count = 0;
	*columns = arena_take(a, COLUMNS_MAX, sizeof **columns);
	store_stmt_put_text(&s, table);
	while (*columns != NULL && *count < COLUMNS_MAX && (rc = store_stmt_step(&s, err)) == 1) {
		struct column *c = &(*columns)[(*count)++];

		c->name = copy_text(a, &s);
		c->type = copy_text(a, &s);
		c->key = (int)store_stmt_get_int(&s);
		if (c->name == NULL || c->type == NULL)
			*columns = NULL;
	}
	store_stmt_end(&s);
	if (rc < 0)
		return rc;
	if (*columns == NULL)
		return no_memory(err);
	if (*count == 0)
		return err_set(err, ERR_NOTFOUND,
		               "there is no table %.80s; yizhan schema show lists them all", table);
	return 0;
}

static void
put_name(struct buf *sql, const char *name)
{
	buf_u8(sql, '"');
	for (; *name != 0; name++) {
		if (*name == '"')
			buf_u8(sql, '"');
		buf_u8(sql, (uint8_t)*name);
	}
	buf_u8(sql, '"');
}

/* The key columns in key order, with commas between them; nothing if there are none. */
static size_t
put_key(struct buf *sql, const char *before, const struct column *columns, size_t count)
{
	size_t found = 0;

	for (int key = 1; key <= (int)count; key++)
		for (size_t i = 0; i < count; i++)
			if (columns[i].key == key) {
				buf_printf(sql, "%s", found++ == 0 ? before : ", ");
				put_name(sql, columns[i].name);
			}
	return found;
}

int
store_transfer_query(struct store_db *db, const char *table, struct buf *sql, struct err *err)
{
	struct arena a = { 0 };
	struct column *columns;
	size_t count;
	int rc = read_columns(db, table, &a, &columns, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		buf_printf(sql, "%s", i == 0 ? "SELECT " : ", ");
		put_name(sql, columns[i].name);
	}
	if (rc == 0) {
		buf_printf(sql, " FROM ");
		put_name(sql, table);
		put_key(sql, " ORDER BY ", columns, count);
		rc = buf_check(sql, err);
	}
	arena_free(&a);
	return rc;
}

/* ---- import ---- */

static const struct column *
find(const struct store_transfer *t, const char *name)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

static bool
is_chosen(const struct store_transfer *t, const struct column *c)
{
	for (size_t i = 0; i < t->chosen_count; i++)
		if (t->chosen[i] == c)
			return true;
	return false;
}

static int
choose(struct store_transfer *t, const char *const *names, size_t count, struct err *err)
{
	t->chosen = arena_take(&t->arena, count, sizeof(struct column *));
	if (t->chosen == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		const struct column *c = find(t, names[i]);

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
	for (size_t i = 0; i < t->column_count; i++)
		if (t->columns[i].key > 0 && !is_chosen(t, &t->columns[i]))
			return err_set(
			        err, ERR_INVALID,
			        "key column \"%.60s\" is missing; without it a second import "
			        "would make every row twice",
			        t->columns[i].name);
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
		put_name(&t->sql, t->chosen[i]->name);
		buf_printf(&t->sql, " = excluded.");
		put_name(&t->sql, t->chosen[i]->name);
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
		put_name(&t->sql, t->table);
		buf_u8(&t->sql, '.');
		put_name(&t->sql, t->chosen[i]->name);
		buf_printf(&t->sql, " IS NOT excluded.");
		put_name(&t->sql, t->chosen[i]->name);
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
	put_name(&t->sql, t->table);
	for (size_t i = 0; i < t->chosen_count; i++) {
		buf_printf(&t->sql, "%s", i == 0 ? "(" : ", ");
		put_name(&t->sql, t->chosen[i]->name);
	}
	for (size_t i = 0; i < t->chosen_count; i++)
		buf_printf(&t->sql, "%s?", i == 0 ? ") VALUES (" : ", ");
	buf_printf(&t->sql, ")");
	if (put_key(&t->sql, " ON CONFLICT(", t->columns, t->column_count) == 0)
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
	put_name(&sql, t->table);
	rc = buf_check(&sql, err);
	if (rc == 0)
		rc = store_stmt_int(t->db, buf_str(&sql), 0, rows, err);
	buf_free(&sql);
	return rc;
}

int
store_transfer_open(struct store_db *db, const char *table, const char *const *columns,
                    size_t count, struct store_transfer **out, struct err *err)
{
	struct store_transfer *t = calloc(1, sizeof *t);
	int rc;

	*out = NULL;
	if (t == NULL)
		return no_memory(err);
	t->db = db;
	t->table = table;
	rc = read_columns(db, table, &t->arena, &t->columns, &t->column_count, err);
	if (rc == 0)
		rc = choose(t, columns, count, err);
	if (rc == 0) {
		put_insert(t);
		rc = buf_check(&t->sql, err);
	}
	if (rc == 0)
		rc = count_rows(t, &t->rows_before, err);
	if (rc < 0) {
		store_transfer_close(t);
		return rc;
	}
	*out = t;
	return 0;
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

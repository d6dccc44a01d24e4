/* store/share_root.c - what a row hangs on, and all rows that hang on it. */
#include "store/rows_priv.h"
#include "store/share.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "share: out of memory");
}

/* ---- roots ---- */

/* The tables that the statement, given the last one's number, gives one by one; ends it. */
static int
get_tables(struct store_stmt s, struct store_share_tables *out, struct err *err)
{
	int rc = 1, last = 0;

	for (out->count = 0; out->count < STORE_SHARE_ROOTS; out->count++) {
		store_stmt_put_int(&s, last);
		rc = store_stmt_step(&s, err);
		if (rc < 0 || store_stmt_null(&s))
			break;
		last = out->ids[out->count] = (int)store_stmt_get_int(&s);
		store_stmt_reset(&s);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_share_tables(struct store_db *db, struct store_share_tables *out, struct err *err)
{
	return get_tables(store_stmt_new(db, "SELECT min(tbl) FROM yz_group WHERE tbl > ?"), out,
	                  err);
}

int
store_share_left_tables(struct store_db *db, struct store_share_tables *out, struct err *err)
{
	return get_tables(store_stmt_new(db, "SELECT min(tbl) FROM yz_group WHERE tbl > ? AND left"
	                                     " <> 0"),
	                  out, err);
}

/* The column by which rows of a table hang on rows of `root`: its position, or -1. */
static int
subject_of(const struct store_schema *s, const struct store_table *root)
{
	char name[STORE_NAME_MAX + 4];

	snprintf(name, sizeof name, "%s_id", root->name);
	return store_schema_find(s, name);
}

int
store_share_subject(const struct store_schema *s, const struct store_table *root)
{
	if (s->table_id != root->id)
		return subject_of(s, root);
	return s->key_count == 1 ? (int)s->keys[0] : -1;
}

bool
store_share_root_of_values(struct store_db *db, const struct store_share_tables *tables,
                           const struct store_schema *s, const struct store_value *values,
                           struct store_root *root)
{
	buf_clear(&root->room);
	for (int i = 0; root->room.len == 0 && i < tables->count; i++) {
		int at = subject_of(s, store_catalog_table(db, tables->ids[i]));

		root->table = tables->ids[i];
		if (root->table == s->table_id)
			store_schema_key(s, values, &root->room);
		else if (at >= 0 && values[at].type != STORE_NULL)
			store_value_write(&root->room, &values[at]);
	}
	root->key = root->room.bytes;
	root->key_len = root->room.len;
	return root->room.len > 0 && !root->room.bad;
}

/* The row's values by position in `s`; NULL where it has none. */
static bool
lay_out(const struct store_schema *s, const struct store_row *row, struct store_value *values)
{
	struct rd r = rd_from(row->key, row->key_len);

	for (unsigned i = 0; i < s->column_count; i++) {
		values[i] = store_value_null();
		for (unsigned k = 0; k < row->cell_count; k++)
			if (row->cells[k].column == s->columns[i].id)
				values[i] = row->cells[k].value;
	}
	for (unsigned k = 0; k < s->key_count; k++)
		values[s->keys[k]] = store_value_read(&r);
	return !r.bad;
}

bool
store_share_root_of(struct store_db *db, const struct store_share_tables *tables,
                    const struct store_row *row, struct store_root *root)
{
	const struct store_schema *s = store_catalog_table(db, row->table)->local;
	struct store_value values[STORE_COLUMNS_MAX];

	return s != NULL && store_row_is_live(row) && lay_out(s, row, values) &&
	       store_share_root_of_values(db, tables, s, values, root);
}

bool
store_share_root_of_change(struct store_db *db, const struct store_share_tables *tables,
                           const struct store_change *c, struct store_root *root)
{
	struct store_value values[STORE_COLUMNS_MAX];

	for (unsigned i = 0; i < c->schema->column_count; i++)
		values[i] = c->schema->columns[i].key != 0 || (c->mask >> i & 1) != 0
		                    ? c->values[i]
		                    : store_value_null();
	return store_share_root_of_values(db, tables, c->schema, values, root);
}

bool
store_share_home_of(struct store_db *db, const struct store_row *row, char out[STORE_SCOPE_MAX + 1])
{
	const struct store_schema *s = store_catalog_table(db, row->table)->local;
	struct store_value values[STORE_COLUMNS_MAX];
	struct err why;

	return s != NULL && store_row_is_live(row) && lay_out(s, row, values) &&
	       store_schema_scope(s, values, out, &why) == 0;
}

/* ---- all rows of a root ---- */

struct gathering {
	struct store_db *db;
	struct arena *a;
	struct store_row **rows;
	size_t count, cap;
};

static int
add_row(struct gathering *g, int table, const uint8_t *key, size_t len, struct err *err)
{
	struct store_row *row = arena_take(g->a, 1, sizeof *row);

	if (g->count == g->cap) {
		struct store_row **more =
		        arena_take(g->a, g->cap * 2 + 16, sizeof(struct store_row *));

		if (more == NULL)
			return no_memory(err);
		if (g->count > 0)
			memcpy(more, g->rows, g->count * sizeof(struct store_row *));
		g->rows = more;
		g->cap = g->cap * 2 + 16;
	}
	if (row == NULL)
		return no_memory(err);
	*row = (struct store_row){ .table = table,
		                   .key = arena_copy(g->a, key, len),
		                   .key_len = len };
	if (row->key == NULL)
		return no_memory(err);
	g->rows[g->count++] = row;
	return 0;
}

static int
add_members(struct gathering *g, const struct store_root *root, struct err *err)
{
	struct store_stmt s = store_stmt_new(g->db, "SELECT DISTINCT tbl, key FROM yz_member"
	                                            " WHERE root_tbl = ? AND root = ?");
	int rc;

	store_stmt_put_int(&s, root->table);
	store_stmt_put_blob(&s, root->key, root->key_len);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		int table = (int)store_stmt_get_int(&s);
		size_t len;
		const uint8_t *key = store_stmt_get_blob(&s, &len);

		rc = add_row(g, table, key, len, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc;
}

static void
put_select(struct buf *sql, const struct store_schema *schema, int subject)
{
	for (unsigned k = 0; k < schema->key_count; k++) {
		buf_printf(sql, k == 0 ? "SELECT " : ", ");
		store_rows_quote(sql, schema->columns[schema->keys[k]].here);
	}
	buf_printf(sql, " FROM ");
	store_rows_quote(sql, schema->table);
	buf_printf(sql, " WHERE ");
	store_rows_quote(sql, schema->columns[subject].here);
	buf_printf(sql, " = ?");
}

/* The rows of one table whose subject is the root. */
static int
add_table(struct gathering *g, const struct store_schema *schema, int subject,
          const struct store_root *root, struct err *err)
{
	struct rd r = rd_from(root->key, root->key_len);
	struct store_value v = store_value_read(&r);
	struct buf sql = { 0 }, key = { 0 };
	struct store_stmt s;
	int rc;

	put_select(&sql, schema, subject);
	rc = buf_check(&sql, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(g->db, buf_str(&sql));
	store_stmt_put_value(&s, &v);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		buf_clear(&key);
		for (unsigned k = 0; k < schema->key_count; k++) {
			struct store_value part = store_stmt_get_value(&s);

			store_value_write(&key, &part);
		}
		rc = buf_check(&key, err);
		if (rc == 0)
			rc = add_row(g, schema->table_id, key.bytes, key.len, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	buf_free(&key);
	buf_free(&sql);
	return rc;
}

static void
drop_doubles(struct gathering *g)
{
	size_t n = 0;

	store_row_sort(g->rows, g->count);
	for (size_t i = 0; i < g->count; i++)
		if (n == 0 || store_row_cmp(g->rows[n - 1], g->rows[i]) != 0)
			g->rows[n++] = g->rows[i];
	g->count = n;
}

int
store_share_rows(struct store_db *db, const struct store_root *root, struct arena *a,
                 struct store_row ***rows, size_t *count, struct err *err)
{
	struct gathering g = { .db = db, .a = a };
	int rc = add_row(&g, root->table, root->key, root->key_len, err);

	for (int id = 1; rc == 0 && id <= store_catalog_table_count(db); id++) {
		const struct store_schema *s = store_catalog_table(db, id)->local;
		int at = s == NULL ? -1 : subject_of(s, store_catalog_table(db, root->table));

		if (at >= 0)
			rc = add_table(&g, s, at, root, err);
	}
	if (rc == 0)
		rc = add_members(&g, root, err);
	drop_doubles(&g);
	*rows = g.rows;
	*count = g.count;
	return rc;
}

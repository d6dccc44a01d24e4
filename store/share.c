/* store/share.c - yz_share, yz_group and yz_member. */
#include "store/share.h"
#include "store/clock_priv.h"
#include "store/rows_priv.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "share: out of memory");
}

/* ---- what the hub says ---- */

int
store_share_say(struct store_db *db, const struct store_share_line *line, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_share(root, key, scope, at, ended, by)"
	                           " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(root, key, scope)"
	                           " DO UPDATE SET at = excluded.at, ended = excluded.ended,"
	                           " by = excluded.by");

	store_stmt_put_text(&s, line->table);
	store_stmt_put_blob(&s, line->key, line->key_len);
	store_stmt_put_text(&s, line->scope);
	store_stmt_put_int(&s, line->at_ms);
	if (line->ended_ms == 0)
		store_stmt_put_null(&s);
	else
		store_stmt_put_int(&s, line->ended_ms);
	store_stmt_put_text(&s, line->by);
	return store_stmt_run(&s, err);
}

static const char *
copy_text(struct arena *a, const char *text)
{
	return arena_copy(a, text, strlen(text) + 1);
}

static int
get_line(struct store_stmt *s, struct arena *a, struct store_share_line *out, struct err *err)
{
	const uint8_t *key;

	out->table = copy_text(a, store_stmt_get_text(s));
	key = store_stmt_get_blob(s, &out->key_len);
	out->key = arena_copy(a, key, out->key_len);
	out->scope = copy_text(a, store_stmt_get_text(s));
	out->at_ms = store_stmt_get_int(s);
	out->ended_ms = store_stmt_get_int(s);
	out->by = copy_text(a, store_stmt_get_text(s));
	return out->table == NULL || out->key == NULL || out->scope == NULL || out->by == NULL
	               ? no_memory(err)
	               : 0;
}

int
store_share_lines(struct store_db *db, struct arena *a, struct store_share_line **list,
                  size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t total;
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_share", 0, &total, err);

	*count = 0;
	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)total + 1, sizeof **list);
	if (*list == NULL)
		return no_memory(err);
	s = store_stmt_new(db, "SELECT root, key, scope, at, ended, by FROM yz_share"
	                       " ORDER BY root, key, scope");
	while (*count < (size_t)total && (rc = store_stmt_step(&s, err)) == 1) {
		rc = get_line(&s, a, &(*list)[*count], err);
		if (rc < 0)
			break;
		(*count)++;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* The canonical key of a row of yz_share. */
static int
take_own_row(struct store_stmt *s, struct arena *a, struct store_row *row, struct err *err)
{
	const struct store_table *table = store_catalog_table_by_name(s->db, "yz_share");
	struct buf key = { 0 };

	if (table == NULL)
		return err_set(err, ERR_CORRUPT, "share: yz_share is not tracked");
	for (int i = 0; i < 3; i++) {
		struct store_value v = store_stmt_get_value(s);

		store_value_write(&key, &v);
	}
	*row = (struct store_row){ .table = table->id,
		                   .key = arena_copy(a, key.bytes, key.len),
		                   .key_len = key.len };
	buf_free(&key);
	return row->key == NULL ? no_memory(err) : 0;
}

static int
get_pending(struct store_stmt *s, struct arena *a, struct store_share_pending *out,
            const char **scope, struct err *err)
{
	const uint8_t *key;
	int rc;

	out->root.table = (int)store_stmt_get_int(s);
	key = store_stmt_get_blob(s, &out->root.key_len);
	out->root.key = arena_copy(a, key, out->root.key_len);
	*scope = copy_text(a, store_stmt_get_text(s));
	out->ends = store_stmt_get_int(s) != 0;
	rc = take_own_row(s, a, &out->own, err);
	return rc == 0 && (out->root.key == NULL || *scope == NULL) ? no_memory(err) : rc;
}

int
store_share_next(struct store_db *db, struct arena *a, struct store_share_pending *out,
                 struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT t.id, s.key, s.scope, s.ended IS NOT NULL AS ends, s.root, s.key,"
	            " s.scope FROM yz_share s JOIN yz_table t ON t.name = s.root"
	            " LEFT JOIN yz_scope c ON c.name = s.scope"
	            " LEFT JOIN yz_group g ON g.tbl = t.id AND g.root = s.key AND g.scope = c.id"
	            " WHERE g.scope IS NULL OR (g.left <> 0) <> (s.ended IS NOT NULL)"
	            " ORDER BY ends LIMIT 1");
	const char *scope = NULL;
	int found = store_stmt_step(&s, err), rc = 0;

	*out = (struct store_share_pending){ 0 };
	if (found == 1)
		rc = get_pending(&s, a, out, &scope, err);
	store_stmt_end(&s);
	if (found == 1 && rc == 0)
		rc = store_catalog_scope(db, scope, &out->what.scope, err);
	return rc < 0 ? rc : found;
}

/* ---- roots ---- */

int
store_share_tables(struct store_db *db, struct store_share_tables *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT min(tbl) FROM yz_group WHERE tbl > ?");
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

/* The column by which rows of a table hang on rows of `root`: its position, or -1. */
static int
subject_of(const struct store_schema *s, const struct store_table *root)
{
	char name[STORE_NAME_MAX + 4];

	snprintf(name, sizeof name, "%s_id", root->name);
	return store_schema_find(s, name);
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

/* ---- scopes of a root, or of a row ---- */

struct shares {
	struct store_share *list;
	size_t count, cap;
};

static int
add_share(struct shares *to, struct arena *a, const struct store_share *share, struct err *err)
{
	if (to->count == to->cap) {
		size_t cap = to->cap * 2 + 4;
		struct store_share *more = arena_take(a, cap, sizeof *more);

		if (more == NULL)
			return no_memory(err);
		if (to->count > 0)
			memcpy(more, to->list, to->count * sizeof *more);
		to->list = more;
		to->cap = cap;
	}
	to->list[to->count++] = *share;
	return 0;
}

/* All that the statement gives; ends it. */
static int
get_shares(struct store_stmt *s, struct arena *a, struct store_share **list, size_t *count,
           struct err *err)
{
	struct shares got = { 0 };
	int rc;

	while ((rc = store_stmt_step(s, err)) == 1) {
		struct store_share share;

		share.scope = (int)store_stmt_get_int(s);
		share.left = store_stmt_get_int(s);
		share.left_site = (int)store_stmt_get_int(s);
		rc = add_share(&got, a, &share, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(s);
	*list = got.list;
	*count = got.count;
	return rc;
}

int
store_share_group(struct store_db *db, const struct store_root *root, struct arena *a,
                  struct store_share **list, size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT scope, left, left_site FROM yz_group"
	                                         " WHERE tbl = ? AND root = ?");

	store_stmt_put_int(&s, root->table);
	store_stmt_put_blob(&s, root->key, root->key_len);
	return get_shares(&s, a, list, count, err);
}

int
store_share_set_group(struct store_db *db, const struct store_root *root,
                      const struct store_share *share, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT OR REPLACE INTO yz_group(tbl, root, scope, left,"
	                           " left_site) VALUES (?, ?, ?, ?, ?)");

	store_stmt_put_int(&s, root->table);
	store_stmt_put_blob(&s, root->key, root->key_len);
	store_stmt_put_int(&s, share->scope);
	store_stmt_put_int(&s, share->left);
	store_stmt_put_int(&s, share->left_site);
	return store_stmt_run(&s, err);
}

int
store_share_of_row(struct store_db *db, const struct store_row *row, struct arena *a,
                   struct store_share **list, size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT scope, left, left_site FROM yz_member"
	                                         " WHERE tbl = ? AND key = ?");

	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	return get_shares(&s, a, list, count, err);
}

int
store_share_set_row(struct store_db *db, const struct store_row *row, const struct store_root *root,
                    const struct store_share *share, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT OR REPLACE INTO yz_member(tbl, key, scope, left,"
	                           " left_site, root_tbl, root) VALUES (?, ?, ?, ?, ?, ?, ?)");

	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	store_stmt_put_int(&s, share->scope);
	store_stmt_put_int(&s, share->left);
	store_stmt_put_int(&s, share->left_site);
	store_stmt_put_int(&s, root->table);
	store_stmt_put_blob(&s, root->key, root->key_len);
	return store_stmt_run(&s, err);
}

int
store_share_drop_row(struct store_db *db, const struct store_row *row, int scope, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "DELETE FROM yz_member WHERE tbl = ? AND key = ?"
	                                         " AND scope = ?");

	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	store_stmt_put_int(&s, scope);
	return store_stmt_run(&s, err);
}

int
store_share_return_row(struct store_db *db, const struct store_row *row, int scope, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "UPDATE yz_member SET left = 0, left_site = 0"
	                                         " WHERE tbl = ? AND key = ? AND scope = ?");

	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	store_stmt_put_int(&s, scope);
	return store_stmt_run(&s, err);
}

int
store_share_move(struct store_db *db, struct store_row *row, int scope, struct err *err)
{
	struct store_stmt s;

	row->scope = scope;
	if (row->in_run) /* a run is of one scope */
		return store_clock_put(db, row, NULL, err);
	s = store_stmt_new(db, "UPDATE yz_clock SET scope = ? WHERE tbl = ? AND key = ?");
	store_stmt_put_int(&s, scope);
	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	return store_stmt_run(&s, err);
}

int
store_share_has_left(struct store_db *db, const char *table, const void *id, size_t len, bool *yes,
                     struct err *err)
{
	struct store_value key = { .type = STORE_BLOB, .bytes = id, .len = len };
	struct buf canonical = { 0 };
	struct store_stmt s;
	int rc;

	store_value_write(&canonical, &key);
	s = store_stmt_new(db,
	                   "SELECT 1 FROM yz_table t JOIN yz_clock k ON k.tbl = t.id AND k.key ="
	                   " ?2 JOIN yz_scope c ON c.id = k.scope"
	                   " WHERE t.name = ?1 AND c.name = '" STORE_SHARE_LEFT "'");
	store_stmt_put_text(&s, table);
	store_stmt_put_blob(&s, canonical.bytes, canonical.len);
	rc = buf_check(&canonical, err);
	if (rc == 0)
		rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	buf_free(&canonical);
	*yes = rc == 1;
	return rc < 0 ? rc : 0;
}

int
store_share_any(struct store_db *db, bool *any, struct err *err)
{
	int64_t found = 0;
	int rc = store_stmt_int(db, "SELECT count(*) FROM (SELECT 1 FROM yz_member LIMIT 1)", 0,
	                        &found, err);

	*any = found > 0;
	return rc;
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

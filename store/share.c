/* store/share.c - yz_share, yz_group and yz_member. */
#include "store/share.h"
#include "store/base/text.h"
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

static int
get_line(struct store_stmt *s, struct arena *a, struct store_share_line *out, struct err *err)
{
	const uint8_t *key;

	out->table = store_stmt_copy_text(s, a);
	key = store_stmt_get_blob(s, &out->key_len);
	out->key = arena_copy(a, key, out->key_len);
	out->scope = store_stmt_copy_text(s, a);
	out->at_ms = store_stmt_get_int(s);
	out->ended_ms = store_stmt_get_int(s);
	out->by = store_stmt_copy_text(s, a);
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
	*scope = store_stmt_copy_text(s, a);
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
store_share_any_left(struct store_db *db, int scope, bool *any, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT 1 FROM yz_group WHERE scope = ? AND left"
	                                         " <> 0 LIMIT 1");
	int rc;

	store_stmt_put_int(&s, scope);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	*any = rc == 1;
	return rc < 0 ? rc : 0;
}

int
store_share_left_since(struct store_db *db, const struct store_share *since, bool *any,
                       struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT 1 FROM yz_group WHERE scope = ? AND"
	                                         " left_site = ? AND left > ? LIMIT 1");
	int rc;

	store_stmt_put_int(&s, since->scope);
	store_stmt_put_int(&s, since->left_site);
	store_stmt_put_int(&s, since->left);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	*any = rc == 1;
	return rc < 0 ? rc : 0;
}

int
store_share_scope_of(struct store_db *db, const char *table, const void *id, size_t len,
                     char out[STORE_SCOPE_MAX + 1], struct err *err)
{
	struct store_value key = { .type = STORE_BLOB, .bytes = id, .len = len };
	struct buf canonical = { 0 };
	struct store_stmt s;
	int rc;

	out[0] = 0;
	store_value_write(&canonical, &key);
	s = store_stmt_new(db, "SELECT c.name FROM yz_table t JOIN yz_clock k ON k.tbl = t.id"
	                       " AND k.key = ?2 JOIN yz_scope c ON c.id = k.scope"
	                       " WHERE t.name = ?1");
	store_stmt_put_text(&s, table);
	store_stmt_put_blob(&s, canonical.bytes, canonical.len);
	rc = buf_check(&canonical, err);
	if (rc == 0)
		rc = store_stmt_step(&s, err);
	if (rc == 1)
		text_copy(out, STORE_SCOPE_MAX + 1, store_stmt_get_text(&s));
	store_stmt_end(&s);
	buf_free(&canonical);
	return rc < 0 ? rc : 0;
}

int
store_share_has_left(struct store_db *db, const char *table, const void *id, size_t len, bool *yes,
                     struct err *err)
{
	char scope[STORE_SCOPE_MAX + 1];
	int rc = store_share_scope_of(db, table, id, len, scope, err);

	*yes = rc == 0 && strcmp(scope, STORE_SHARE_LEFT) == 0;
	return rc;
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

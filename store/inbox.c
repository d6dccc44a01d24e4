/*
 * store/inbox.c - conflicts as they lie in yz_conflict.
 *
 * A row per write that lost: which row of which table, which column (0: the row
 * as a whole), and the loser's version are its key.  sync/merge/rivals.c says what is
 * kept, and what of it is open; here is only how.
 */
#include "store/inbox.h"
#include "store/base/hash.h"
#include "store/base/mutant.h"
#include "store/share.h"
#include "store/stmt.h"

#include <string.h>

/* As they stand on disk; those kept sort before 'resolved', which yz_conflict_state relies on. */
static const char *const state_words[] = { "decided", "hidden", "left", "open", "resolved" };

/*
 * Names only, no numbers of this file, and of the site only the node: every replica finds the same
 * id, and it stays when the write is written again in another life of its node's file.
 */
static int
conflict_id(struct store_db *db, const struct store_conflict *c, uint8_t id[STORE_CONFLICT_ID],
            struct err *err)
{
	const struct store_table *t = store_catalog_table(db, c->table);
	const char *column = c->column == 0 ? "" : t->names[c->column - 1];
	struct buf b = { 0 };
	int rc;

	buf_lenbytes(&b, t->name, strlen(t->name));
	buf_lenbytes(&b, c->key, c->key_len);
	buf_lenbytes(&b, column, strlen(column));
	buf_u64(&b, (uint64_t)c->other.stamp);
	buf_put(&b, store_catalog_site_of(db, c->other.site)->node, STORE_NODE_ID);
	rc = buf_check(&b, err);
	if (rc == 0)
		hash_once(id, STORE_CONFLICT_ID, b.bytes, b.len);
	buf_free(&b);
	return rc;
}

static void
put_place(struct store_stmt *s, const struct store_conflict *c)
{
	store_stmt_put_int(s, c->table);
	store_stmt_put_blob(s, c->key, c->key_len);
	store_stmt_put_int(s, c->column);
	store_stmt_put_int(s, c->other.stamp);
	store_stmt_put_int(s, c->other.site);
}

int
store_inbox_keep(struct store_db *db, struct store_conflict *c, struct err *err)
{
	struct store_stmt s;
	int rc = conflict_id(db, c, c->id, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        db, "INSERT INTO yz_conflict(tbl, key, col, other_stamp, other_site, id, scope, cl,"
	            " part, other, shown_stamp, shown_site, shown, at_ms, state)"
	            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	            " ON CONFLICT(tbl, key, col, other_stamp, other_site) DO UPDATE SET"
	            " shown_stamp = excluded.shown_stamp, shown_site = excluded.shown_site,"
	            " shown = excluded.shown, state = excluded.state");
	put_place(&s, c);
	store_stmt_put_blob(&s, c->id, sizeof c->id);
	store_stmt_put_int(&s, c->scope);
	store_stmt_put_int(&s, c->cl);
	store_stmt_put_int(&s, c->other.column);
	store_stmt_put_value(&s, &c->other.value);
	store_stmt_put_int(&s, c->shown.stamp);
	store_stmt_put_int(&s, c->shown.site);
	store_stmt_put_value(&s, &c->shown.value);
	store_stmt_put_int(&s, env_wall_ms(store_db_env(db)));
	store_stmt_put_text(&s, state_words[c->state]);
	return store_stmt_run(&s, err);
}

int
store_inbox_let_go(struct store_db *db, const struct store_conflict *c, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, c->state == STORE_CONFLICT_HIDDEN
	                    ? "DELETE FROM yz_conflict WHERE tbl = ? AND key = ? AND col = ?"
	                      " AND other_stamp = ? AND other_site = ?"
	                    : "UPDATE yz_conflict SET state = 'resolved' WHERE tbl = ? AND key = ?"
	                      " AND col = ? AND other_stamp = ? AND other_site = ?");

	put_place(&s, c);
	return store_stmt_run(&s, err);
}

static int
copy_value(struct store_value *v, struct arena *a, struct err *err)
{
	if (v->bytes == NULL)
		return 0;
	v->bytes = arena_copy(a, v->bytes, v->len);
	return v->bytes == NULL ? err_set(err, ERR_NOMEM, "conflicts: out of memory") : 0;
}

static enum store_conflict_state
state_of(const char *word)
{
	for (int i = 0; i < STORE_CONFLICT_RESOLVED; i++)
		if (strcmp(word, state_words[i]) == 0)
			return (enum store_conflict_state)i;
	return STORE_CONFLICT_RESOLVED;
}

#define CONFLICT_COLUMNS                                                                           \
	"id, scope, tbl, key, col, cl, at_ms, state, shown_stamp, shown_site, shown, part, "       \
	"other_stamp, other_site, other"

static int
get_conflict(struct store_stmt *s, struct arena *a, struct store_conflict *c, struct err *err)
{
	size_t len;
	const uint8_t *id = store_stmt_get_blob(s, &len);
	int rc;

	*c = (struct store_conflict){ 0 };
	memcpy(c->id, id, len < sizeof c->id ? len : sizeof c->id);
	c->scope = (int)store_stmt_get_int(s);
	c->table = (int)store_stmt_get_int(s);
	id = store_stmt_get_blob(s, &c->key_len);
	c->key = arena_copy(a, id, c->key_len);
	c->column = c->shown.column = (int)store_stmt_get_int(s);
	c->cl = store_stmt_get_int(s);
	c->at_ms = store_stmt_get_int(s);
	c->state = state_of(store_stmt_get_text(s));
	c->open = c->state == STORE_CONFLICT_OPEN;
	c->shown.stamp = store_stmt_get_int(s);
	c->shown.site = (int)store_stmt_get_int(s);
	c->shown.value = store_stmt_get_value(s);
	rc = copy_value(&c->shown.value, a, err);
	c->other.column = (int)store_stmt_get_int(s);
	c->other.stamp = store_stmt_get_int(s);
	c->other.site = (int)store_stmt_get_int(s);
	c->other.value = store_stmt_get_value(s);
	if (rc == 0)
		rc = copy_value(&c->other.value, a, err);
	return rc == 0 && c->key == NULL ? err_set(err, ERR_NOMEM, "conflicts: out of memory") : rc;
}

/* Run a prepared query of CONFLICT_COLUMNS that gives at most `max` rows. */
static int
collect(struct store_stmt *s, int64_t max, struct arena *a, struct store_conflict **list,
        size_t *count, struct err *err)
{
	int rc = 0;

	*count = 0;
	*list = arena_take(a, (size_t)max + 1, sizeof **list);
	if (*list == NULL)
		rc = err_set(err, ERR_NOMEM, "conflicts: out of memory");
	while (rc == 0 && *count < (size_t)max && (rc = store_stmt_step(s, err)) == 1) {
		rc = get_conflict(s, a, &(*list)[*count], err);
		(*count)++;
	}
	store_stmt_end(s);
	return rc < 0 ? rc : 0;
}

int
store_inbox_list(struct store_db *db, bool only_open, struct arena *a, struct store_conflict **list,
                 size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t max;
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_conflict WHERE state <> 'hidden'", 0,
	                        &max, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db,
	                   "SELECT " CONFLICT_COLUMNS
	                   " FROM yz_conflict WHERE state = 'open' OR (? = 0 AND state <> 'hidden')"
	                   " ORDER BY at_ms DESC, id, other_site");
	store_stmt_put_int(&s, only_open);
	return collect(&s, max, a, list, count, err);
}

int
store_inbox_kept(struct store_db *db, const struct store_row *row, struct arena *a,
                 struct store_conflict **list, size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT count(*) FROM yz_conflict WHERE tbl = ? "
	                                         "AND key = ? AND state < 'resolved'");
	int64_t max = 0;
	int rc;

	*count = 0;
	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		max = store_stmt_get_int(&s);
	store_stmt_end(&s);
	if (rc < 0 || max == 0)
		return rc < 0 ? rc : 0;
	s = store_stmt_new(db, "SELECT " CONFLICT_COLUMNS " FROM yz_conflict"
	                       " WHERE tbl = ? AND key = ? AND state < 'resolved'");
	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	return collect(&s, max, a, list, count, err);
}

static int
rename_in(struct store_db *db, const char *sql, const struct store_inbox_move *move,
          struct err *err)
{
	struct store_stmt s = store_stmt_new(db, sql);

	store_stmt_put_int(&s, move->to);
	store_stmt_put_int(&s, move->to_stamp);
	store_stmt_put_int(&s, move->table);
	store_stmt_put_blob(&s, move->key, move->key_len);
	store_stmt_put_int(&s, move->from);
	store_stmt_put_int(&s, move->stamp);
	return store_stmt_run(&s, err);
}

static int
set_id(struct store_db *db, struct store_conflict *c, struct err *err)
{
	struct store_stmt s;
	int rc = conflict_id(db, c, c->id, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "UPDATE yz_conflict SET id = ?6 WHERE tbl = ?1 AND key = ?2"
	                       " AND col = ?3 AND other_stamp = ?4 AND other_site = ?5");
	put_place(&s, c);
	store_stmt_put_blob(&s, c->id, sizeof c->id);
	return store_stmt_run(&s, err);
}

/* Those of the row whose loser has another stamp than its id says. */
static int
set_ids(struct store_db *db, const struct store_inbox_move *move, struct err *err)
{
	struct store_row row = { .table = move->table, .key = move->key, .key_len = move->key_len };
	struct store_conflict *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_inbox_kept(db, &row, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (list[i].other.stamp == move->to_stamp && list[i].other.site == move->to)
			rc = set_id(db, &list[i], err);
	arena_free(&a);
	return rc;
}

/* The same loser may be known by its new site already: one stays. */
int
store_inbox_rename(struct store_db *db, const struct store_inbox_move *move, struct err *err)
{
	int rc = rename_in(db,
	                   "UPDATE OR REPLACE yz_conflict SET other_site = ?, other_stamp = ?"
	                   " WHERE tbl = ?"
	                   " AND key = ? AND other_site = ? AND other_stamp = ?",
	                   move, err);

	if (rc == 0)
		rc = rename_in(
		        db,
		        "UPDATE yz_conflict SET shown_site = ?, shown_stamp = ? WHERE tbl = ?"
		        " AND key = ? AND shown_site = ? AND shown_stamp = ?",
		        move, err);
	return rc == 0 && move->to_stamp != move->stamp ? set_ids(db, move, err) : rc;
}

int
store_inbox_any(struct store_db *db, bool *any, struct err *err)
{
	int64_t n = 0;
	int rc = store_stmt_int(
	        db, "SELECT EXISTS (SELECT 1 FROM yz_conflict WHERE state < 'resolved')", 0, &n,
	        err);

	*any = n != 0;
	return rc;
}

int
store_inbox_decide(struct store_db *db, const uint8_t id[STORE_CONFLICT_ID], struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE yz_conflict SET state = 'decided' WHERE id = ? AND state = 'open'");

	store_stmt_put_blob(&s, id, STORE_CONFLICT_ID);
	return store_stmt_run(&s, err);
}

/* An entry's state follows its row: it leaves, and it may come back. */
static int
follow_rows(struct store_db *db, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db,
	        "UPDATE yz_conflict SET state = CASE state WHEN 'open' THEN 'left' ELSE 'open' END"
	        " WHERE state IN ('left', 'open') AND (state = 'left') <> EXISTS (SELECT 1"
	        " FROM yz_clock k JOIN yz_scope c ON c.id = k.scope WHERE k.tbl = yz_conflict.tbl"
	        " AND k.key = yz_conflict.key AND c.name = '" STORE_SHARE_LEFT "')");

	return store_stmt_run(&s, err);
}

/* A verdict's key begins with the conflict's id (store/verdict_priv.h); no scope's name has 0xff.
 */
int
store_inbox_apply_verdicts(struct store_db *db, struct err *err)
{
	struct store_stmt s;
	int rc = follow_rows(db, err);

	if (rc < 0 || MUT(28))
		return rc;
	s = store_stmt_new(db, "UPDATE yz_conflict SET state = 'decided' WHERE state = 'open'"
	                       " AND EXISTS (SELECT 1 FROM yz_verdict v WHERE v.conflict BETWEEN"
	                       " id AND CAST(id || x'ff' AS BLOB) AND NOT EXISTS (SELECT 1"
	                       " FROM yz_member m JOIN yz_scope c ON c.id = m.scope"
	                       " WHERE m.tbl = yz_conflict.tbl AND m.key = yz_conflict.key"
	                       " AND m.left <> 0 AND c.name = v.scope))");
	return store_stmt_run(&s, err);
}

int
store_inbox_count(struct store_db *db, int64_t *conflicts, int64_t *quarantined, struct err *err)
{
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_conflict WHERE state = 'open'", 0,
	                        conflicts, err);

	return rc < 0 ? rc
	              : store_stmt_int(
	                        db, "SELECT count(*) FROM yz_quarantine WHERE dropped_ms IS NULL",
	                        0, quarantined, err);
}

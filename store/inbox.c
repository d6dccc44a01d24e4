#include "store/inbox.h"
#include "store/base/hash.h"
#include "store/base/mutant.h"
#include "store/stmt.h"

#include <string.h>

static void
add_version(struct store_db *db, struct buf *out, const struct store_cell *cell)
{
	const struct store_site *site = store_catalog_site_of(db, cell->site);

	buf_u64(out, (uint64_t)cell->stamp);
	buf_put(out, site->node, STORE_NODE_ID);
	buf_put(out, site->epoch, STORE_EPOCH);
	store_value_write(out, &cell->value);
}

/* Names only, no numbers of this file: every replica finds the same id. */
static int
conflict_id(struct store_db *db, const struct store_loser *l, uint8_t id[STORE_CONFLICT_ID],
            struct err *err)
{
	const struct store_table *t = store_catalog_table(db, l->table);
	const char *column = l->column == 0 ? "" : t->names[l->column - 1];
	struct buf b = { 0 };
	int rc;

	buf_lenbytes(&b, t->name, strlen(t->name));
	buf_lenbytes(&b, l->key, l->key_len);
	buf_lenbytes(&b, column, strlen(column));
	add_version(db, &b, &l->shown);
	add_version(db, &b, &l->other);
	rc = buf_check(&b, err);
	if (rc == 0)
		hash_once(id, STORE_CONFLICT_ID, b.bytes, b.len);
	buf_free(&b);
	return rc;
}

int
store_inbox_add(struct store_db *db, const struct store_loser *l, struct err *err)
{
	uint8_t id[STORE_CONFLICT_ID];
	struct store_stmt s;
	int rc = conflict_id(db, l, id, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        db,
	        "INSERT INTO yz_conflict(id, scope, tbl, key, col, shown_stamp, shown_site, shown,"
	        " other_stamp, other_site, other, at_ms, state)"
	        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CASE WHEN EXISTS"
	        " (SELECT 1 FROM yz_verdict WHERE conflict = ?) THEN 'resolved' ELSE 'open' END)"
	        " ON CONFLICT(id) DO NOTHING");
	store_stmt_put_blob(&s, id, sizeof id);
	store_stmt_put_int(&s, l->scope);
	store_stmt_put_int(&s, l->table);
	store_stmt_put_blob(&s, l->key, l->key_len);
	store_stmt_put_int(&s, l->column);
	store_stmt_put_int(&s, l->shown.stamp);
	store_stmt_put_int(&s, l->shown.site);
	store_stmt_put_value(&s, &l->shown.value);
	store_stmt_put_int(&s, l->other.stamp);
	store_stmt_put_int(&s, l->other.site);
	store_stmt_put_value(&s, &l->other.value);
	store_stmt_put_int(&s, env_wall_ms(store_db_env(db)));
	store_stmt_put_blob(&s, id, sizeof id);
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
	c->column = (int)store_stmt_get_int(s);
	c->at_ms = store_stmt_get_int(s);
	c->open = store_stmt_get_int(s) != 0;
	c->shown.column = c->other.column = c->column;
	c->shown.stamp = store_stmt_get_int(s);
	c->shown.site = (int)store_stmt_get_int(s);
	c->shown.value = store_stmt_get_value(s);
	rc = copy_value(&c->shown.value, a, err);
	c->other.stamp = store_stmt_get_int(s);
	c->other.site = (int)store_stmt_get_int(s);
	c->other.value = store_stmt_get_value(s);
	if (rc == 0)
		rc = copy_value(&c->other.value, a, err);
	return rc == 0 && c->key == NULL ? err_set(err, ERR_NOMEM, "conflicts: out of memory") : rc;
}

#define CONFLICT_COLUMNS                                                                           \
	"id, scope, tbl, key, col, at_ms, state = 'open', shown_stamp, shown_site, shown, "        \
	"other_stamp, other_site, other"

/* Run a prepared query of CONFLICT_COLUMNS; at most `max` rows are taken. */
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
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_conflict", 0, &max, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "SELECT " CONFLICT_COLUMNS
	                       " FROM yz_conflict WHERE state = 'open' OR ? = 0"
	                       " ORDER BY at_ms DESC, id");
	store_stmt_put_int(&s, only_open);
	return collect(&s, max, a, list, count, err);
}

int
store_inbox_of(struct store_db *db, const struct store_row *row, struct arena *a,
               struct store_conflict **list, size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t max;
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_conflict WHERE state = 'open'", 0,
	                        &max, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "SELECT " CONFLICT_COLUMNS
	                       " FROM yz_conflict WHERE state = 'open' AND tbl = ? AND key = ?");
	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	return collect(&s, max, a, list, count, err);
}

/* One conflict under its new name; the same may be known by that already. */
static int
rename_one(struct store_db *db, struct store_conflict *c, const struct store_inbox_move *move,
           struct err *err)
{
	struct store_loser l = { c->scope,  c->table, c->key,  c->key_len,
		                 c->column, c->shown, c->other };
	uint8_t id[STORE_CONFLICT_ID];
	struct store_stmt s;
	int rc;

	if (l.shown.site == move->from && l.shown.stamp == move->stamp)
		l.shown.site = move->to;
	if (l.other.site == move->from && l.other.stamp == move->stamp)
		l.other.site = move->to;
	rc = conflict_id(db, &l, id, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "UPDATE OR REPLACE yz_conflict SET id = ?, shown_site = ?,"
	                       " other_site = ? WHERE id = ?");
	store_stmt_put_blob(&s, id, sizeof id);
	store_stmt_put_int(&s, l.shown.site);
	store_stmt_put_int(&s, l.other.site);
	store_stmt_put_blob(&s, c->id, sizeof c->id);
	return store_stmt_run(&s, err);
}

int
store_inbox_rename(struct store_db *db, const struct store_inbox_move *move, struct err *err)
{
	struct store_stmt s;
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count = 0;
	int64_t max;
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_conflict", 0, &max, err);

	if (rc < 0 || max == 0)
		return rc;
	s = store_stmt_new(db, "SELECT " CONFLICT_COLUMNS " FROM yz_conflict"
	                       " WHERE tbl = ? AND key = ? AND"
	                       " ((shown_site = ?3 AND shown_stamp = ?4)"
	                       " OR (other_site = ?3 AND other_stamp = ?4))");
	store_stmt_put_int(&s, move->table);
	store_stmt_put_blob(&s, move->key, move->key_len);
	store_stmt_put_int(&s, move->from);
	store_stmt_put_int(&s, move->stamp);
	rc = collect(&s, max, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = rename_one(db, &list[i], move, err);
	arena_free(&a);
	return rc;
}

int
store_inbox_close(struct store_db *db, const uint8_t id[STORE_CONFLICT_ID], struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "UPDATE yz_conflict SET state = 'resolved' WHERE id = ?");

	store_stmt_put_blob(&s, id, STORE_CONFLICT_ID);
	return store_stmt_run(&s, err);
}

int
store_inbox_apply_verdicts(struct store_db *db, struct err *err)
{
	if (MUT(28))
		return 0;
	struct store_stmt s =
	        store_stmt_new(db, "UPDATE yz_conflict SET state = 'resolved' WHERE state = 'open'"
	                           " AND id IN (SELECT conflict FROM yz_verdict)");

	return store_stmt_run(&s, err);
}

int
store_inbox_count(struct store_db *db, int64_t *conflicts, int64_t *quarantined, struct err *err)
{
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_conflict WHERE state = 'open'", 0,
	                        conflicts, err);

	return rc < 0 ? rc
	              : store_stmt_int(db, "SELECT count(*) FROM yz_quarantine", 0, quarantined,
	                               err);
}

/* ---- quarantine ---- */

int
store_quarantine_add(struct store_db *db, const struct store_quarantined *q, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO yz_quarantine(scope, stream, n, tbl, key, reason, since_ms, tries)"
	            " VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT(stream, n, tbl, key)"
	            " DO UPDATE SET tries = tries + 1, reason = excluded.reason");

	store_stmt_put_int(&s, q->scope);
	store_stmt_put_int(&s, q->stream);
	store_stmt_put_int(&s, (int64_t)q->n);
	store_stmt_put_int(&s, q->table);
	store_stmt_put_blob(&s, q->key, q->key_len);
	store_stmt_put_text(&s, q->reason);
	store_stmt_put_int(&s, env_wall_ms(store_db_env(db)));
	return store_stmt_run(&s, err);
}

static int
get_quarantined(struct store_stmt *s, struct arena *a, struct store_quarantined *q, struct err *err)
{
	const uint8_t *key;
	const char *reason;

	q->id = store_stmt_get_int(s);
	q->scope = (int)store_stmt_get_int(s);
	q->stream = (int)store_stmt_get_int(s);
	q->n = (uint64_t)store_stmt_get_int(s);
	q->table = (int)store_stmt_get_int(s);
	key = store_stmt_get_blob(s, &q->key_len);
	q->key = arena_copy(a, key, q->key_len);
	reason = store_stmt_get_text(s);
	q->reason = arena_copy(a, reason, strlen(reason));
	q->since_ms = store_stmt_get_int(s);
	q->tries = store_stmt_get_int(s);
	if (q->key == NULL || q->reason == NULL)
		return err_set(err, ERR_NOMEM, "quarantine: out of memory");
	return 0;
}

int
store_quarantine_list(struct store_db *db, struct arena *a, struct store_quarantined **list,
                      size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t max;
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_quarantine", 0, &max, err);

	*count = 0;
	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)max + 1, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "quarantine: out of memory");
	s = store_stmt_new(
	        db,
	        "SELECT id, scope, stream, n, tbl, key, reason, since_ms, tries FROM yz_quarantine"
	        " ORDER BY id");
	while (*count < (size_t)max && (rc = store_stmt_step(&s, err)) == 1) {
		rc = get_quarantined(&s, a, &(*list)[*count], err);
		if (rc < 0)
			break;
		(*count)++;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_quarantine_take_own(struct store_db *db, int table, const uint8_t *key, size_t key_len,
                          bool *was, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "DELETE FROM yz_quarantine WHERE stream = 0 AND n = 0 AND tbl = ? AND key = ?");
	int rc;

	store_stmt_put_int(&s, table);
	store_stmt_put_blob(&s, key, key_len);
	rc = store_stmt_run(&s, err);
	*was = rc == 0 && store_stmt_changes(db) > 0;
	return rc;
}

int
store_quarantine_drop(struct store_db *db, int64_t id, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "DELETE FROM yz_quarantine WHERE id = ?");
	int rc;

	store_stmt_put_int(&s, id);
	rc = store_stmt_run(&s, err);
	if (rc == 0 && store_stmt_changes(db) == 0)
		rc = err_set(err, ERR_NOTFOUND, "the quarantine holds no change %lld",
		             (long long)id);
	return rc;
}

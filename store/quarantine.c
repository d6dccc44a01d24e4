#include "store/inbox.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

int
store_quarantine_add(struct store_db *db, const struct store_quarantined *q, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_quarantine(scope, stream, n, tbl, key, reason, "
	                           "since_ms, tries, moved)"
	                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?2 <> 0 AND ?4 <> 0) "
	                           "ON CONFLICT(stream, n, tbl, key)"
	                           " DO UPDATE SET tries = tries + 1, reason = excluded.reason,"
	                           /* a row written here is another change each time */
	                           " dropped_ms = iif(stream = 0, NULL, dropped_ms)");

	store_stmt_put_int(&s, q->scope);
	store_stmt_put_int(&s, q->stream);
	store_stmt_put_int(&s, (int64_t)q->n);
	store_stmt_put_int(&s, q->table);
	store_stmt_put_blob(&s, q->key, q->key_len);
	store_stmt_put_text(&s, q->reason);
	store_stmt_put_int(&s, env_wall_ms(store_db_env(db)));
	return store_stmt_run(&s, err);
}

int
store_quarantine_move(struct store_db *db, struct store_row *const *rows, size_t count,
                      struct err *err)
{
	int64_t any = 0;
	int rc = store_stmt_int(db,
	                        "SELECT EXISTS(SELECT 1 FROM yz_quarantine WHERE tbl > 0"
	                        " AND stream <> 0 AND dropped_ms IS NULL)",
	                        0, &any, err);

	for (size_t i = 0; rc == 0 && any != 0 && i < count; i++) {
		struct store_stmt s;

		if (!rows[i]->changed)
			continue;
		s = store_stmt_new(db, "UPDATE yz_quarantine SET moved = 1 WHERE tbl = ?"
		                       " AND key = ? AND stream <> 0 AND dropped_ms IS NULL");
		store_stmt_put_int(&s, rows[i]->table);
		store_stmt_put_blob(&s, rows[i]->key, rows[i]->key_len);
		rc = store_stmt_run(&s, err);
	}
	return rc;
}

int
store_quarantine_add_once(struct store_db *db, const struct store_quarantined *q, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT 1 FROM yz_quarantine WHERE scope = ? AND tbl = ?"
	                           " AND key = ? AND reason = ? LIMIT 1");
	int rc;

	store_stmt_put_int(&s, q->scope);
	store_stmt_put_int(&s, q->table);
	store_stmt_put_blob(&s, q->key, q->key_len);
	store_stmt_put_text(&s, q->reason);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc == 0 ? store_quarantine_add(db, q, err) : rc < 0 ? rc : 0;
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
	q->dropped_ms = store_stmt_get_int(s);
	reason = store_stmt_get_text(s);
	q->dropped_by = arena_copy(a, reason, strlen(reason));
	if (q->key == NULL || q->reason == NULL || q->dropped_by == NULL)
		return err_set(err, ERR_NOMEM, "quarantine: out of memory");
	return 0;
}

/* All that the statement shows. */
static int
get_all(struct store_stmt *s, struct arena *a, struct store_quarantined *list, size_t max,
        size_t *count, struct err *err)
{
	int rc = 0;

	*count = 0;
	while (*count < max && (rc = store_stmt_step(s, err)) == 1) {
		rc = get_quarantined(s, a, &list[*count], err);
		if (rc < 0)
			break;
		(*count)++;
	}
	store_stmt_end(s);
	return rc < 0 ? rc : 0;
}

#define COLUMNS                                                                                    \
	"SELECT id, scope, stream, n, tbl, key, reason, since_ms, tries, ifnull(dropped_ms, 0),"   \
	" dropped_by FROM yz_quarantine"

int
store_quarantine_list(struct store_db *db, bool dropped_too, struct arena *a,
                      struct store_quarantined **list, size_t *count, struct err *err)
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
	s = store_stmt_new(db, COLUMNS " WHERE ? OR dropped_ms IS NULL ORDER BY id");
	store_stmt_put_int(&s, dropped_too);
	return get_all(&s, a, *list, (size_t)max, count, err);
}

int
store_quarantine_moved(struct store_db *db, size_t max, struct arena *a,
                       struct store_quarantined **list, size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t moved = 0;
	int rc = store_stmt_int(
	        db, "SELECT count(*) FROM yz_quarantine WHERE moved = 1 AND dropped_ms IS NULL", 0,
	        &moved, err);

	*count = 0;
	if (rc < 0 || moved == 0)
		return rc;
	max = (size_t)moved < max ? (size_t)moved : max;
	*list = arena_take(a, max, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "quarantine: out of memory");
	s = store_stmt_new(db, COLUMNS " WHERE moved = 1 AND dropped_ms IS NULL"
	                               " ORDER BY stream, n");
	return get_all(&s, a, *list, max, count, err);
}

int
store_quarantine_stays(struct store_db *db, int64_t id, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "UPDATE yz_quarantine SET moved = 0 WHERE id = ?");

	store_stmt_put_int(&s, id);
	return store_stmt_run(&s, err);
}

int
store_quarantine_find(struct store_db *db, int64_t id, struct arena *a,
                      const struct store_quarantined **out, struct err *err)
{
	struct store_quarantined *list = NULL;
	size_t count = 0;
	int rc = store_quarantine_list(db, true, a, &list, &count, err);

	*out = NULL;
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (list[i].id == id)
			*out = &list[i];
	if (rc == 0 && *out == NULL)
		rc = err_set(err, ERR_NOTFOUND, "the quarantine holds no change %lld",
		             (long long)id);
	return rc;
}

int
store_quarantine_has_own(struct store_db *db, int table, const uint8_t *key, size_t key_len,
                         bool *has, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT 1 FROM yz_quarantine WHERE stream = 0 AND n = 0"
	                           " AND tbl = ? AND key = ? AND dropped_ms IS NULL");
	int rc;

	store_stmt_put_int(&s, table);
	store_stmt_put_blob(&s, key, key_len);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	*has = rc == 1;
	return rc < 0 ? rc : 0;
}

int
store_quarantine_take_own(struct store_db *db, int table, const uint8_t *key, size_t key_len,
                          struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "DELETE FROM yz_quarantine WHERE stream = 0 AND n = 0"
	                           " AND tbl = ? AND key = ? AND dropped_ms IS NULL");

	store_stmt_put_int(&s, table);
	store_stmt_put_blob(&s, key, key_len);
	return store_stmt_run(&s, err);
}

int
store_quarantine_take(struct store_db *db, int64_t id, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "DELETE FROM yz_quarantine WHERE id = ?");

	store_stmt_put_int(&s, id);
	return store_stmt_run(&s, err);
}

int
store_quarantine_drop(struct store_db *db, int64_t id, const char *by, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "UPDATE yz_quarantine SET dropped_ms = ?, dropped_by = ?"
	                           " WHERE id = ? AND dropped_ms IS NULL");

	store_stmt_put_int(&s, env_wall_ms(store_db_env(db)));
	store_stmt_put_text(&s, by);
	store_stmt_put_int(&s, id);
	return store_stmt_run(&s, err);
}

/* In yz_meta, of each that was asked for by name. */
static void
asked_name(char name[32], int64_t id)
{
	snprintf(name, 32, "asked %lld", (long long)id);
}

int
store_quarantine_asked(struct store_db *db, int64_t id, bool *yes, struct err *err)
{
	int64_t value = 0;
	char name[32];
	int rc;

	asked_name(name, id);
	rc = store_meta_get_int(db, name, 0, &value, err);
	*yes = value != 0;
	return rc;
}

int
store_quarantine_answered(struct store_db *db, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "DELETE FROM yz_meta WHERE name >= 'asked ' AND name < 'asked!'");

	return store_stmt_run(&s, err);
}

int
store_quarantine_wake(struct store_db *db, int64_t id, struct err *err)
{
	int64_t now;
	char name[32];
	int rc = store_meta_get_int(db, "retry", 0, &now, err);

	asked_name(name, id);
	if (rc == 0 && id != STORE_QUARANTINE_ALL)
		rc = store_meta_set_int(db, name, 1, err);
	if (rc < 0)
		return rc;
	return store_meta_set_int(db, "retry", now == 0 || now == id ? id : STORE_QUARANTINE_ALL,
	                          err);
}

int
store_quarantine_woken(struct store_db *db, int64_t *id, struct err *err)
{
	int rc = store_meta_get_int(db, "retry", 0, id, err);

	return rc < 0 || *id == 0 ? rc : store_meta_set_int(db, "retry", 0, err);
}

int
store_quarantine_own_wakes(struct store_db *db, bool *yes, struct err *err)
{
	static const char any_own[] = "SELECT EXISTS(SELECT 1 FROM yz_quarantine WHERE stream = 0"
	                              " AND n = 0 AND dropped_ms IS NULL)";
	int64_t woken, any = 0;
	int rc = store_meta_get_int(db, "retry", 0, &woken, err);

	if (rc == 0 && woken != 0)
		rc = store_stmt_int(db, any_own, 0, &any, err);
	*yes = rc == 0 && any != 0;
	return rc;
}

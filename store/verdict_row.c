/* store/verdict_row.c - see verdict_priv.h. */
#include "store/clock_priv.h"
#include "store/share.h"
#include "store/stmt.h"
#include "store/verdict_priv.h"

#include <string.h>

struct scopes {
	int *list;
	size_t count;
};

static void
add_scope(struct store_db *db, struct scopes *out, int scope)
{
	if (scope == 0 || strcmp(store_catalog_scope_of(db, scope), STORE_SHARE_LEFT) == 0)
		return; /* nobody hears what is said there */
	for (size_t i = 0; i < out->count; i++)
		if (out->list[i] == scope)
			return;
	out->list[out->count++] = scope;
}

/* The conflict's own, and each in which the row counts: at a node that is the same one. */
static int
find_scopes(struct store_db *db, const struct store_conflict *c, struct arena *a,
            struct scopes *out, struct err *err)
{
	struct store_row row = { .table = c->table, .key = c->key, .key_len = c->key_len };
	struct store_share *shares = NULL;
	size_t count = 0;
	int rc = store_clock_look(db, &row, err);

	if (rc == 0)
		rc = store_share_of_row(db, &row, a, &shares, &count, err);
	if (rc < 0)
		return rc;
	out->list = arena_take(a, count + 2, sizeof *out->list);
	if (out->list == NULL)
		return err_set(err, ERR_NOMEM, "verdict: out of memory");
	add_scope(db, out, c->scope);
	add_scope(db, out, row.scope);
	for (size_t i = 0; i < count; i++)
		if (shares[i].left == 0)
			add_scope(db, out, shares[i].scope);
	return 0;
}

/* Has this file ever heard of a row that more than one scope sees?  Whose row it is first isn't
 * told of the others, but what they write comes by the hub's relays: of a stream that has no
 * records, only the stamp of the latest.  One whose records wait, or were let go, has neither. */
static int
knows_of_shares(struct store_db *db, bool *yes, struct err *err)
{
	int64_t found = 0;
	int rc = store_stmt_int(
	        db,
	        "SELECT EXISTS (SELECT 1 FROM yz_share)"
	        " OR EXISTS (SELECT 1 FROM yz_member)"
	        " OR EXISTS (SELECT 1 FROM yz_stream WHERE n = 0 AND last_stamp > 0)",
	        0, &found, err);

	*yes = found != 0;
	return rc;
}

static int
insert_row(struct store_db *db, const struct store_verdict *v, const struct buf *key,
           const char *scope, struct err *err)
{
	static const char *const words[] = { "shown", "other", "value" };
	struct store_stmt s;

	s = store_stmt_new(db, "INSERT INTO yz_verdict(conflict, scope, take, by, at)"
	                       " VALUES (?, ?, ?, ?, ?)"
	                       " ON CONFLICT(conflict) DO UPDATE SET take = excluded.take,"
	                       " by = excluded.by, at = excluded.at");
	store_stmt_put_blob(&s, key->bytes, key->len);
	store_stmt_put_text(&s, scope);
	store_stmt_put_text(&s, words[v->take]);
	store_stmt_put_text(&s, v->by);
	store_stmt_put_int(&s, env_wall_ms(store_db_env(db)));
	return store_stmt_run(&s, err);
}

static int
say(struct store_db *db, const struct store_verdict *v, const struct store_conflict *c,
    const struct scopes *scopes, struct err *err)
{
	struct buf key = { 0 };
	bool shared = false;
	int rc = knows_of_shares(db, &shared, err);

	for (size_t i = 0; rc == 0 && i < scopes->count; i++) {
		const char *scope = store_catalog_scope_of(db, scopes->list[i]);

		key.len = 0;
		buf_put(&key, c->id, STORE_CONFLICT_ID);
		if (shared)
			buf_put(&key, scope, strlen(scope));
		rc = buf_check(&key, err);
		if (rc == 0)
			rc = insert_row(db, v, &key, scope, err);
	}
	buf_free(&key);
	return rc;
}

int
store_verdict_write(struct store_db *db, const struct store_verdict *v,
                    const struct store_conflict *c, struct err *err)
{
	struct scopes scopes = { .count = 0 };
	struct arena a = { 0 };
	int rc = find_scopes(db, c, &a, &scopes, err);

	if (rc == 0)
		rc = say(db, v, c, &scopes, err);
	arena_free(&a);
	return rc == 0 ? store_inbox_decide(db, c->id, err) : rc;
}

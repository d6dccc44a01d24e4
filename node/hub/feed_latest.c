/* node/hub/feed_latest.c - what has changed since a cursor, each row once (node/hub/feed.h). */
#include "node/facility/personal.h"
#include "node/hub/feed.h"
#include "node/hub/feed_row.h"

enum { UPSERT = 1 }; /* on disk, as in node/hub/feed.c */

struct looking {
	struct store_db *db;
	const struct feed_query *query;
	int64_t since; /* a line's number */
	int (*tell)(void *ctx, const struct feed_latest *row, struct err *err);
	void *ctx;
	struct buf narrow; /* a row without its personal columns */
};

/* The row, as this token may read it. */
static const char *
row_of(struct looking *l, const char *table, const char *after)
{
	const char *const *names = l->query->token->personal ? NULL : facility_personal(table);

	if (names == NULL)
		return after;
	buf_clear(&l->narrow);
	feed_row_without(&l->narrow, after, names);
	return buf_str(&l->narrow);
}

/* The scope whose lines alone are asked for; NULL: all. */
static const char *
only_scope(const struct feed_query *query)
{
	if (query->scope != NULL)
		return query->scope;
	return token_reads_scope(query->token, "all") ? NULL : query->token->scope;
}

/* Of a statement: lines after `since`, and of that scope alone, if one is asked for. */
#define SINCE " h.seq > ? AND (? = '' OR h.scope = (SELECT id FROM yz_scope WHERE name = ?))"

static void
put_since(struct store_stmt *s, const struct looking *l)
{
	const char *only = only_scope(l->query);

	store_stmt_put_int(s, l->since);
	store_stmt_put_text(s, only == NULL ? "" : only);
	store_stmt_put_text(s, only == NULL ? "" : only);
}

/* The tables that anything changed in, by name. */
static int
find_tables(const struct looking *l, struct arena *a, int64_t **tables, size_t *count,
            struct err *err)
{
	int most = store_catalog_table_count(l->db);
	struct store_stmt s = store_stmt_new(
	        l->db, "SELECT t.id FROM yz_table t WHERE t.id IN (SELECT h.tbl FROM hub_feed h"
	               " WHERE" SINCE ") ORDER BY t.name");
	int rc = 0;

	*count = 0;
	*tables = arena_take(a, (size_t)most, sizeof **tables);
	if (*tables == NULL)
		rc = err_set(err, ERR_NOMEM, "feed: out of memory");
	put_since(&s, l);
	while (rc == 0 && *count < (size_t)most && (rc = store_stmt_step(&s, err)) == 1) {
		(*tables)[(*count)++] = store_stmt_get_int(&s);
		rc = 0;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static int
tell_row(struct looking *l, struct store_stmt *s, const char *table, struct err *err)
{
	struct feed_latest row = { .table = table };
	const char *scope = store_catalog_scope_of(l->db, (int)store_stmt_get_int(s));
	int rc;

	row.gone = store_stmt_get_int(s) != UPSERT;
	row.key = store_stmt_get_text(s);
	row.after = store_stmt_get_text(s);
	if (!feed_shows(l->query->token, l->query->scope, scope, table))
		return 0;
	if (!row.gone)
		row.after = row_of(l, table, row.after);
	rc = buf_check(&l->narrow, err);
	return rc == 0 ? l->tell(l->ctx, &row, err) : rc;
}

/*
 * Which line is the last is asked of what the reader sees: of a row that went from its facility to
 * another it reads that it is gone, whatever the other's lines say.  A pass over the lines for each
 * table, because to sort them all would hold every row in memory.
 */
static int
tell_table(struct looking *l, int64_t table, struct err *err)
{
	const char *name = store_catalog_table(l->db, (int)table)->name;
	struct store_stmt s = store_stmt_new(
	        l->db, "SELECT f.scope, f.op, f.key, f.after FROM hub_feed f WHERE +f.tbl = ?"
	               " AND f.seq > ? AND (? = '' OR f.scope = (SELECT id FROM yz_scope WHERE"
	               " name = ?)) AND NOT EXISTS (SELECT 1 FROM hub_feed h WHERE h.tbl = f.tbl"
	               " AND h.key = f.key AND h.seq > f.seq AND" SINCE ") ORDER BY f.seq");
	int rc;

	store_stmt_put_int(&s, table);
	put_since(&s, l);
	put_since(&s, l);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		rc = tell_row(l, &s, name, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc;
}

int
feed_latest(struct store_db *db, const struct feed_query *query,
            int (*tell)(void *ctx, const struct feed_latest *row, struct err *err), void *ctx,
            struct err *err)
{
	struct looking l = { .db = db, .query = query, .tell = tell, .ctx = ctx };
	struct arena a = { 0 };
	int64_t *tables;
	size_t count = 0;
	int rc = feed_seek(db, query->since, &l.since, err);

	if (rc == 0)
		rc = find_tables(&l, &a, &tables, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = tell_table(&l, tables[i], err);
	buf_free(&l.narrow);
	arena_free(&a);
	return rc;
}

/* node/hub/feed_latest.c - what has changed since a cursor, each row once (node/hub/feed.h). */
#include "node/facility/personal.h"
#include "node/hub/feed.h"
#include "node/hub/feed_row.h"

enum { UPSERT = 1 }; /* on disk, as in node/hub/feed.c */

struct looking {
	struct store_db *db;
	const struct feed_query *query;
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

/*
 * Which line is the last is asked of what the reader sees: of a row that went from its facility to
 * another it reads that it is gone, whatever the other's lines say.
 */
static struct store_stmt
statement(struct looking *l, int64_t since)
{
	struct store_stmt s = store_stmt_new(
	        l->db, "SELECT f.tbl, f.scope, f.op, f.key, f.after FROM (SELECT max(h.seq) AS seq"
	               " FROM hub_feed h JOIN yz_scope o ON o.id = h.scope WHERE h.seq > ?"
	               " AND ? IN ('', o.name) GROUP BY h.tbl, h.key) l"
	               " CROSS JOIN hub_feed f ON f.seq = l.seq ORDER BY f.tbl, f.key");
	const char *only = only_scope(l->query);

	store_stmt_put_int(&s, since);
	store_stmt_put_text(&s, only == NULL ? "" : only);
	return s;
}

int
feed_latest(struct store_db *db, const struct feed_query *query,
            int (*tell)(void *ctx, const struct feed_latest *row, struct err *err), void *ctx,
            struct err *err)
{
	struct looking l = { .db = db, .query = query };
	struct store_stmt s;
	int64_t since;
	int rc = feed_seek(db, query->since, &since, err);

	if (rc < 0)
		return rc;
	s = statement(&l, since);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct feed_latest row = { 0 };
		const char *scope;

		row.table = store_catalog_table(db, (int)store_stmt_get_int(&s))->name;
		scope = store_catalog_scope_of(db, (int)store_stmt_get_int(&s));
		row.gone = store_stmt_get_int(&s) != UPSERT;
		row.key = store_stmt_get_text(&s);
		row.after = store_stmt_get_text(&s);
		if (!feed_shows(query->token, query->scope, scope, row.table))
			continue;
		if (!row.gone)
			row.after = row_of(&l, row.table, row.after);
		rc = buf_check(&l.narrow, err);
		if (rc == 0)
			rc = tell(ctx, &row, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	buf_free(&l.narrow);
	return rc;
}

#include "store/held.h"
#include "store/stmt.h"

int
store_held_add(struct store_db *db, const struct store_held *held, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT OR REPLACE INTO yz_held(stream, n, bytes) VALUES (?, ?, ?)");

	store_stmt_put_int(&s, held->stream);
	store_stmt_put_int(&s, (int64_t)held->n);
	store_stmt_put_blob(&s, held->bytes, held->len);
	return store_stmt_run(&s, err);
}

static int
count_of(struct store_db *db, const char *sql, int stream, int64_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, sql);
	int rc;

	*count = 0;
	store_stmt_put_int(&s, stream);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		*count = store_stmt_get_int(&s);
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_held_any(struct store_db *db, int stream, bool *any, struct err *err)
{
	int64_t n;
	int rc = count_of(db, "SELECT EXISTS (SELECT 1 FROM yz_held WHERE ?1 = 0 OR stream = ?1)",
	                  stream, &n, err);

	*any = n != 0;
	return rc;
}

int
store_held_list(struct store_db *db, int stream, struct arena *a, struct store_held **list,
                size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t max;
	int rc = count_of(db, "SELECT count(*) FROM yz_held WHERE stream = ?", stream, &max, err);

	*count = 0;
	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)max + 1, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "held records: out of memory");
	s = store_stmt_new(db, "SELECT n, bytes FROM yz_held WHERE stream = ? ORDER BY n");
	store_stmt_put_int(&s, stream);
	while (*count < (size_t)max && (rc = store_stmt_step(&s, err)) == 1) {
		struct store_held *held = &(*list)[(*count)++];
		const uint8_t *bytes;

		held->stream = stream;
		held->n = (uint64_t)store_stmt_get_int(&s);
		bytes = store_stmt_get_blob(&s, &held->len);
		held->bytes = arena_copy(a, bytes, held->len);
		if (held->bytes == NULL)
			rc = err_set(err, ERR_NOMEM, "held records: out of memory");
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_held_clear(struct store_db *db, int stream, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "DELETE FROM yz_held WHERE stream = ?");
	int rc;

	store_stmt_put_int(&s, stream);
	rc = store_stmt_run(&s, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "DELETE FROM yz_quarantine WHERE stream = ?1 AND tbl = 0"
	                       " AND n > (SELECT n FROM yz_stream WHERE id = ?1)");
	store_stmt_put_int(&s, stream);
	return store_stmt_run(&s, err);
}

int
store_held_cut(struct store_db *db, int stream, uint64_t n, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "DELETE FROM yz_held WHERE stream = ? AND n >= ?");

	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, (int64_t)n);
	return store_stmt_run(&s, err);
}

int
store_held_given_up(struct store_db *db, int stream, bool *yes, struct err *err)
{
	int64_t n;
	int rc = count_of(db,
	                  "SELECT EXISTS (SELECT 1 FROM yz_quarantine q JOIN yz_stream m"
	                  " ON m.id = q.stream WHERE q.stream = ? AND q.tbl = 0 AND q.n > m.n"
	                  " AND q.dropped_ms IS NOT NULL)",
	                  stream, &n, err);

	*yes = n != 0;
	return rc;
}

int
store_held_bytes(struct store_db *db, const uint8_t node[STORE_NODE_ID], int64_t least,
                 int64_t *bytes, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT ifnull(sum(max(length(h.bytes), ?)), 0) FROM yz_held h"
	            " JOIN yz_stream m ON m.id = h.stream JOIN yz_site t ON t.id = m.site"
	            " WHERE t.node = ?");
	int rc;

	*bytes = 0;
	store_stmt_put_int(&s, least);
	store_stmt_put_blob(&s, node, STORE_NODE_ID);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		*bytes = store_stmt_get_int(&s);
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

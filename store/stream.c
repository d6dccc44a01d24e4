#include "store/stream.h"
#include "store/base/mutant.h"
#include "store/stmt.h"

#include <assert.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "stream: out of memory");
}

/* Copy a blob of a known length; a file that holds another length is damaged. */
static int
get_fixed(struct store_stmt *s, uint8_t *out, size_t want, const char *what, struct err *err)
{
	size_t len;
	const uint8_t *bytes = store_stmt_get_blob(s, &len);

	if (len != want)
		return err_set(err, ERR_CORRUPT, "stream: %s has %zu bytes instead of %zu", what,
		               len, want);
	memcpy(out, bytes, want);
	return 0;
}

static const uint8_t *
copy_blob(struct store_stmt *s, struct arena *a, size_t *len)
{
	const uint8_t *bytes = store_stmt_get_blob(s, len);

	return arena_copy(a, bytes, *len);
}

#define STREAM_COLUMNS "id, site, scope, n, last_stamp, seed_day, head, seed, seen"

static int
get_stream(struct store_stmt *s, struct arena *a, struct store_stream *out, struct err *err)
{
	int rc;

	*out = (struct store_stream){ 0 };
	out->id = (int)store_stmt_get_int(s);
	out->site = (int)store_stmt_get_int(s);
	out->scope = (int)store_stmt_get_int(s);
	out->n = (uint64_t)store_stmt_get_int(s);
	out->last_stamp = store_stmt_get_int(s);
	out->seed_day = (int)store_stmt_get_int(s);
	rc = get_fixed(s, out->head, STORE_HEAD, "head", err);
	if (rc == 0)
		rc = get_fixed(s, out->seed, STORE_SEED, "seed", err);
	if (rc < 0 || store_stmt_null(s))
		return rc;
	out->seen = copy_blob(s, a, &out->seen_len);
	return out->seen == NULL ? no_memory(err) : 0;
}

static int
create_stream(struct store_db *db, int site, int scope, struct err *err)
{
	static const uint8_t zero[STORE_HEAD];
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO yz_stream(site, scope, n, head, last_stamp, seed_day, seed)"
	            " VALUES (?, ?, 0, ?, 0, -1, ?)");

	store_stmt_put_int(&s, site);
	store_stmt_put_int(&s, scope);
	store_stmt_put_blob(&s, zero, STORE_HEAD);
	store_stmt_put_blob(&s, zero, STORE_SEED);
	return store_stmt_run(&s, err);
}

int
store_stream_find(struct store_db *db, int site, int scope, struct arena *a,
                  struct store_stream *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT " STREAM_COLUMNS
	                                         " FROM yz_stream WHERE site = ? AND scope = ?");
	int rc;

	store_stmt_put_int(&s, site);
	store_stmt_put_int(&s, scope);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = get_stream(&s, a, out, err);
	else if (rc == 0)
		rc = err_set(err, ERR_NOTFOUND, "there is no such stream");
	store_stmt_end(&s);
	return rc;
}

int
store_stream_open(struct store_db *db, int site, int scope, struct arena *a,
                  struct store_stream *out, struct err *err)
{
	int rc = store_stream_find(db, site, scope, a, out, err);

	if (rc != ERR_NOTFOUND)
		return rc;
	rc = create_stream(db, site, scope, err);
	return rc < 0 ? rc : store_stream_find(db, site, scope, a, out, err);
}

int
store_stream_list(struct store_db *db, int scope, struct arena *a, struct store_stream **list,
                  size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t total;
	int rc;

	*count = 0;
	rc = store_stmt_int(db, "SELECT count(*) FROM yz_stream", 0, &total, err);
	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)total + 1, sizeof **list);
	if (*list == NULL)
		return no_memory(err);
	s = store_stmt_new(db, "SELECT " STREAM_COLUMNS
	                       " FROM yz_stream WHERE ?1 = 0 OR scope = ?1 ORDER BY id");
	store_stmt_put_int(&s, scope);
	while (*count < (size_t)total && (rc = store_stmt_step(&s, err)) == 1) {
		rc = get_stream(&s, a, &(*list)[*count], err);
		if (rc < 0)
			break;
		(*count)++;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_stream_put(struct store_db *db, const struct store_stream *stream, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE yz_stream SET n = ?, head = ?, last_stamp = ?, seed_day = ?,"
	            " seed = ?, seen = ? WHERE id = ?");

	store_stmt_put_int(&s, (int64_t)stream->n);
	store_stmt_put_blob(&s, stream->head, STORE_HEAD);
	store_stmt_put_int(&s, stream->last_stamp);
	store_stmt_put_int(&s, stream->seed_day);
	store_stmt_put_blob(&s, stream->seed, STORE_SEED);
	if (stream->seen == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_blob(&s, stream->seen, stream->seen_len);
	store_stmt_put_int(&s, stream->id);
	return store_stmt_run(&s, err);
}

/* ---- schemas of a stream ---- */

static int
find_int(struct store_stmt *s, int *out, int missing, struct err *err)
{
	int rc = store_stmt_step(s, err);

	*out = rc == 1 ? (int)store_stmt_get_int(s) : missing;
	store_stmt_end(s);
	return rc < 0 ? rc : 0;
}

int
store_stream_schema(struct store_db *db, int stream, int no, int *schema, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT schema FROM yz_stream_schema WHERE stream = ? AND no = ?");

	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, no);
	return find_int(&s, schema, 0, err);
}

int
store_stream_schema_no(struct store_db *db, int stream, int schema, int *no, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT no FROM yz_stream_schema WHERE stream = ? AND schema = ?");

	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, schema);
	return find_int(&s, no, 0, err);
}

int
store_stream_schema_add(struct store_db *db, int stream, int no, int schema, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT OR REPLACE INTO yz_stream_schema(stream, no, schema) VALUES (?, ?, ?)");

	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, no);
	store_stmt_put_int(&s, schema);
	return store_stmt_run(&s, err);
}

int
store_stream_schema_count(struct store_db *db, int stream, int *count, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT count(*) FROM yz_stream_schema WHERE stream = ?");

	store_stmt_put_int(&s, stream);
	return find_int(&s, count, 0, err);
}

/* ---- acknowledgements ---- */

int
store_stream_acked(struct store_db *db, int stream, const uint8_t hub_epoch[STORE_EPOCH],
                   uint64_t *n, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, MUT(23) ? "SELECT max(n) FROM yz_ack WHERE stream = ? AND ? IS NOT NULL"
	                    : "SELECT n FROM yz_ack WHERE stream = ? AND hub_epoch = ?");
	int rc;

	store_stmt_put_int(&s, stream);
	store_stmt_put_blob(&s, hub_epoch, STORE_EPOCH);
	rc = store_stmt_step(&s, err);
	*n = rc == 1 ? (uint64_t)store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_stream_set_acked(struct store_db *db, int stream, const uint8_t hub_epoch[STORE_EPOCH],
                       uint64_t n, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_ack(stream, hub_epoch, n) VALUES (?, ?, ?)"
	                           " ON CONFLICT(stream, hub_epoch) DO UPDATE SET n = excluded.n"
	                           " WHERE excluded.n > n");

	store_stmt_put_int(&s, stream);
	store_stmt_put_blob(&s, hub_epoch, STORE_EPOCH);
	store_stmt_put_int(&s, (int64_t)n);
	return store_stmt_run(&s, err);
}

int
store_stream_lower_acked(struct store_db *db, int stream, const uint8_t hub_epoch[STORE_EPOCH],
                         uint64_t n, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE yz_ack SET n = ?1 WHERE stream = ? AND hub_epoch = ? AND n > ?1");

	store_stmt_put_int(&s, (int64_t)n);
	store_stmt_put_int(&s, stream);
	store_stmt_put_blob(&s, hub_epoch, STORE_EPOCH);
	return store_stmt_run(&s, err);
}

/* ---- cutting back ---- */

/* Run SQL with a stream (?1) and a number (?2). */
static int
run_for(struct store_db *db, const char *sql, int stream, int64_t n, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, sql);

	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, n);
	return store_stmt_run(&s, err);
}

static int
forget_after(struct store_db *db, const struct store_stream *stream, int schema_no, struct err *err)
{
	int64_t n = (int64_t)stream->n;
	int rc = run_for(db, "DELETE FROM yz_segment WHERE stream = ?1 AND first > ?2", stream->id,
	                 n, err);

	if (rc == 0)
		rc = run_for(db, "UPDATE yz_ack SET n = ?2 WHERE stream = ?1 AND n > ?2",
		             stream->id, n, err);
	if (rc == 0)
		rc = run_for(db, "DELETE FROM yz_quarantine WHERE stream = ?1 AND n > ?2",
		             stream->id, n, err);
	if (rc == 0)
		rc = run_for(db, "DELETE FROM yz_seen WHERE stream = ?1 AND from_stamp > ?2",
		             stream->id, stream->last_stamp, err);
	if (rc == 0 && schema_no > 0)
		rc = run_for(db, "DELETE FROM yz_stream_schema WHERE stream = ?1 AND no >= ?2",
		             stream->id, schema_no, err);
	return rc;
}

int
store_stream_cut(struct store_db *db, struct store_stream *stream, uint64_t n, int schema_no,
                 struct arena *a, struct err *err)
{
	struct store_segment last = { 0 };
	struct buf seen = { 0 };
	int rc = n == 0 ? 0 : store_segment_at(db, stream->id, n, a, &last, err);

	assert(rc < 0 || last.last == n);
	stream->n = n;
	memcpy(stream->head, last.head, STORE_HEAD);
	stream->seed_day = -1;
	if (rc == 0)
		rc = forget_after(db, stream, schema_no, err);
	if (rc == 0)
		rc = store_seen_at(db, stream->id, INT64_MAX, &seen, err);
	stream->seen_len = seen.len;
	stream->seen = seen.len == 0 ? NULL : arena_copy(a, seen.bytes, seen.len);
	if (rc == 0 && seen.len > 0 && stream->seen == NULL)
		rc = no_memory(err);
	buf_free(&seen);
	return rc == 0 ? store_stream_put(db, stream, err) : rc;
}

/* ---- seen ---- */

int
store_stream_of_write(struct store_db *db, const struct store_site *site, int64_t stamp, int scope,
                      int *stream, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT id FROM yz_stream WHERE site = ? AND last_stamp >= ?"
	                           " ORDER BY (n > 0) DESC, (scope = ?) DESC, n DESC LIMIT 1");
	int rc;

	store_stmt_put_int(&s, site->id);
	store_stmt_put_int(&s, stamp);
	store_stmt_put_int(&s, scope);
	rc = store_stmt_step(&s, err);
	*stream = rc == 1 ? (int)store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_seen_at(struct store_db *db, int stream, int64_t stamp, struct buf *out, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT seen FROM yz_seen WHERE stream = ? AND from_stamp <= ?"
	                           " ORDER BY from_stamp DESC LIMIT 1");
	int rc;

	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, stamp);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		size_t len;
		const uint8_t *bytes = store_stmt_get_blob(&s, &len);

		buf_put(out, bytes, len);
		rc = buf_check(out, err);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_seen_add(struct store_db *db, int stream, int64_t from_stamp, const uint8_t *seen, size_t len,
               struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT OR REPLACE INTO yz_seen(stream, from_stamp, seen) VALUES (?, ?, ?)");

	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, from_stamp);
	store_stmt_put_blob(&s, seen, len);
	return store_stmt_run(&s, err);
}

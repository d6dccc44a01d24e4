/* store/segment.c - the containers of a stream's records (store/stream.h). */
#include "store/stmt.h"
#include "store/stream.h"

#include <assert.h>
#include <string.h>

int
store_segment_append(struct store_db *db, const struct store_segment *seg, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_segment(stream, first, last, head_before, head, "
	                           "signature, key, day, sealed_ms, seeds,"
	                           " raw_len, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	assert(seg->first >= 1 && seg->last >= seg->first);
	store_stmt_put_int(&s, seg->stream);
	store_stmt_put_int(&s, (int64_t)seg->first);
	store_stmt_put_int(&s, (int64_t)seg->last);
	store_stmt_put_blob(&s, seg->head_before, STORE_HEAD);
	store_stmt_put_blob(&s, seg->head, STORE_HEAD);
	if (seg->is_signed) {
		store_stmt_put_blob(&s, seg->signature, STORE_SIGNATURE);
		store_stmt_put_blob(&s, seg->key, sizeof seg->key);
	} else {
		store_stmt_put_null(&s);
		store_stmt_put_null(&s);
	}
	store_stmt_put_int(&s, seg->day);
	store_stmt_put_int(&s, seg->sealed_ms);
	store_stmt_put_blob(&s, seg->seeds, seg->seeds_len);
	store_stmt_put_int(&s, seg->raw_len);
	store_stmt_put_blob(&s, seg->body, seg->body_len);
	return store_stmt_run(&s, err);
}

static int
get_blob(struct store_stmt *s, void *out, size_t want, struct err *err)
{
	size_t len;
	const uint8_t *bytes = store_stmt_get_blob(s, &len);

	if (len != want)
		return err_set(err, ERR_CORRUPT, "segment: a field has %zu bytes instead of %zu",
		               len, want);
	memcpy(out, bytes, want);
	return 0;
}

static int
get_copies(struct store_stmt *s, struct arena *a, struct store_segment *out, struct err *err)
{
	const uint8_t *bytes = store_stmt_get_blob(s, &out->seeds_len);

	out->seeds = arena_copy(a, bytes, out->seeds_len);
	bytes = store_stmt_get_blob(s, &out->body_len);
	out->body = arena_copy(a, bytes, out->body_len);
	if (out->seeds == NULL || out->body == NULL)
		return err_set(err, ERR_NOMEM, "segment: out of memory");
	return 0;
}

static int
get_segment(struct store_stmt *s, struct arena *a, struct store_segment *out, struct err *err)
{
	int rc;

	out->first = (uint64_t)store_stmt_get_int(s);
	out->last = (uint64_t)store_stmt_get_int(s);
	out->day = (int)store_stmt_get_int(s);
	out->sealed_ms = store_stmt_get_int(s);
	out->raw_len = (uint32_t)store_stmt_get_int(s);
	rc = get_copies(s, a, out, err);
	if (rc == 0)
		rc = get_blob(s, out->head_before, STORE_HEAD, err);
	if (rc == 0)
		rc = get_blob(s, out->head, STORE_HEAD, err);
	out->is_signed = !store_stmt_null(s);
	if (rc == 0 && out->is_signed)
		rc = get_blob(s, out->signature, STORE_SIGNATURE, err);
	if (rc == 0 && out->is_signed)
		rc = get_blob(s, out->key, sizeof out->key, err);
	return rc;
}

int
store_segment_at(struct store_db *db, int stream, uint64_t n, struct arena *a,
                 struct store_segment *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT first, last, day, sealed_ms, raw_len, seeds, body, head_before,"
	            " head, signature, key FROM yz_segment WHERE stream = ? AND last >= ?"
	            " ORDER BY last LIMIT 1");
	int rc;

	*out = (struct store_segment){ .stream = stream };
	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, (int64_t)n);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = get_segment(&s, a, out, err);
	else if (rc == 0)
		rc = err_set(err, ERR_NOTFOUND, "stream %d ends before record %llu", stream,
		             (unsigned long long)n);
	store_stmt_end(&s);
	return rc;
}

int
store_segment_replace(struct store_db *db, const struct store_segment *seg, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db,
	        "DELETE FROM yz_segment WHERE stream = ? AND last BETWEEN ? AND ? AND first >= ?");
	int rc;

	store_stmt_put_int(&s, seg->stream);
	store_stmt_put_int(&s, (int64_t)seg->first);
	store_stmt_put_int(&s, (int64_t)seg->last);
	store_stmt_put_int(&s, (int64_t)seg->first);
	rc = store_stmt_run(&s, err);
	return rc < 0 ? rc : store_segment_append(db, seg, err);
}

int
store_segment_unsigned(struct store_db *db, int stream, uint64_t *last, uint8_t head[STORE_HEAD],
                       struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT last, head FROM yz_segment WHERE stream = ? AND"
	                           " signature IS NULL ORDER BY last LIMIT 1");
	int rc;

	store_stmt_put_int(&s, stream);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		*last = (uint64_t)store_stmt_get_int(&s);
		if (get_blob(&s, head, STORE_HEAD, err) < 0)
			rc = err->code;
	}
	store_stmt_end(&s);
	return rc;
}

int
store_segment_sign(struct store_db *db, int stream, uint64_t last,
                   const uint8_t signature[STORE_SIGNATURE], const uint8_t key[32], struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "UPDATE yz_segment SET signature = ?, key = ? WHERE stream = ? AND last = ?");

	store_stmt_put_blob(&s, signature, STORE_SIGNATURE);
	store_stmt_put_blob(&s, key, 32);
	store_stmt_put_int(&s, stream);
	store_stmt_put_int(&s, (int64_t)last);
	return store_stmt_run(&s, err);
}

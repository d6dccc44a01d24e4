#include "store/remote.h"
#include "store/stmt.h"

#include <string.h>

static int
read_remote(struct store_stmt *s, struct arena *a, struct store_remote *out, struct err *err)
{
	const uint8_t *bytes;
	size_t len;

	out->url = store_stmt_copy_text(s, a);
	bytes = store_stmt_get_blob(s, &len);
	out->enrolled = len == sizeof out->key;
	if (out->enrolled)
		memcpy(out->key, bytes, len);
	bytes = store_stmt_get_blob(s, &len);
	out->epoch_known = len == STORE_EPOCH;
	if (out->epoch_known)
		memcpy(out->epoch, bytes, len);
	bytes = store_stmt_get_blob(s, &out->grant_len);
	out->grant = arena_copy(a, bytes, out->grant_len);
	out->last_attempt_ms = store_stmt_get_int(s);
	out->last_success_ms = store_stmt_get_int(s);
	out->last_error = store_stmt_copy_text(s, a);
	out->clock_offset_ms = store_stmt_get_int(s);
	out->counter = (uint64_t)store_stmt_get_int(s);
	if (out->url == NULL || out->grant == NULL || out->last_error == NULL)
		return err_set(err, ERR_NOMEM, "remote: out of memory");
	return 0;
}

int
store_remote_get(struct store_db *db, const char *name, struct arena *a, struct store_remote *out,
                 struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db,
	        "SELECT url, key, epoch, grant_doc, last_attempt_ms, last_success_ms, last_error,"
	        " clock_offset_ms, counter FROM yz_remote WHERE name = ?");
	int rc;

	*out = (struct store_remote){ .url = "", .last_error = "", .grant = (const uint8_t *)"" };
	store_stmt_put_text(&s, name);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = read_remote(&s, a, out, err);
	store_stmt_end(&s);
	return rc;
}

static void
put_optional(struct store_stmt *s, bool there, const void *bytes, size_t len)
{
	if (there)
		store_stmt_put_blob(s, bytes, len);
	else
		store_stmt_put_null(s);
}

int
store_remote_put(struct store_db *db, const char *name, const struct store_remote *r,
                 struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO yz_remote(name, url, key, epoch, grant_doc, last_attempt_ms, "
	            "last_success_ms, last_error,"
	            " clock_offset_ms, counter) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON "
	            "CONFLICT(name) DO UPDATE SET"
	            " url = excluded.url, key = excluded.key, epoch = excluded.epoch, grant_doc = "
	            "excluded.grant_doc,"
	            " last_attempt_ms = excluded.last_attempt_ms, last_success_ms = "
	            "excluded.last_success_ms,"
	            " last_error = excluded.last_error, clock_offset_ms = excluded.clock_offset_ms,"
	            " counter = excluded.counter");

	store_stmt_put_text(&s, name);
	store_stmt_put_text(&s, r->url);
	put_optional(&s, r->enrolled, r->key, sizeof r->key);
	put_optional(&s, r->epoch_known, r->epoch, STORE_EPOCH);
	put_optional(&s, r->grant_len > 0, r->grant, r->grant_len);
	store_stmt_put_int(&s, r->last_attempt_ms);
	store_stmt_put_int(&s, r->last_success_ms);
	store_stmt_put_text(&s, r->last_error);
	store_stmt_put_int(&s, r->clock_offset_ms);
	store_stmt_put_int(&s, (int64_t)r->counter);
	return store_stmt_run(&s, err);
}

int
store_remote_set_receipt(struct store_db *db, const char *name, const uint8_t *bytes, size_t len,
                         struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "UPDATE yz_remote SET receipt = ? WHERE name = ?");

	store_stmt_put_blob(&s, bytes, len);
	store_stmt_put_text(&s, name);
	return store_stmt_run(&s, err);
}

int
store_remote_set_digest(struct store_db *db, const char *name, const struct store_remote_digest *d,
                        struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT OR REPLACE INTO yz_remote_digest(remote, scope, sum, "
	                           "equal_have, at_ms) VALUES (?, ?, ?, ?, ?)");

	store_stmt_put_text(&s, name);
	store_stmt_put_int(&s, d->scope);
	store_stmt_put_blob(&s, d->sum, STORE_TERM);
	store_stmt_put_int(&s, d->equal_have);
	store_stmt_put_int(&s, d->at_ms);
	return store_stmt_run(&s, err);
}

int
store_remote_forget_digests(struct store_db *db, const char *name, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "DELETE FROM yz_remote_digest WHERE remote = ?");

	store_stmt_put_text(&s, name);
	return store_stmt_run(&s, err);
}

int
store_remote_digests(struct store_db *db, const char *name, struct arena *a,
                     struct store_remote_digest **list, size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t total;
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_remote_digest", 0, &total, err);

	*count = 0;
	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)total + 1, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "remote: out of memory");
	s = store_stmt_new(db, "SELECT scope, sum, equal_have, at_ms FROM yz_remote_digest WHERE "
	                       "remote = ? ORDER BY scope");
	store_stmt_put_text(&s, name);
	while (*count < (size_t)total && (rc = store_stmt_step(&s, err)) == 1) {
		struct store_remote_digest *d = &(*list)[(*count)++];
		const uint8_t *sum;
		size_t len;

		d->scope = (int)store_stmt_get_int(&s);
		sum = store_stmt_get_blob(&s, &len);
		if (len == STORE_TERM)
			memcpy(d->sum, sum, len);
		d->equal_have = store_stmt_get_int(&s) != 0;
		d->at_ms = store_stmt_get_int(&s);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

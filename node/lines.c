#include "node/lines.h"

#include "store/base/text.h"
#include "store/stmt.h"

#include <string.h>

struct verdict {
	const char *state;
	const char *reason;
};

static int
put_answer(const struct lines_taker *t, const struct lines_answer *a, const struct verdict *v,
           struct buf *out, struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(t->db, t->tells_id
	                                  ? "SELECT json_object('key', nullif(?, ''), 'state', ?, "
	                                    "'id', nullif(lower(hex(?)), ''), 'reason', ?)"
	                                  : "SELECT json_object('key', nullif(?, ''), 'state', ?, "
	                                    "'reason', ?)");
	store_stmt_put_text(&s, a->key);
	store_stmt_put_text(&s, v->state);
	if (t->tells_id && a->has_id)
		store_stmt_put_blob(&s, a->id, STORE_ID);
	else if (t->tells_id)
		store_stmt_put_null(&s);
	store_stmt_put_text(&s, v->reason);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const char *text = store_stmt_get_text(&s);

		buf_put(out, text, strlen(text));
		buf_u8(out, '\n');
		rc = buf_check(out, err);
	}
	store_stmt_end(&s);
	return rc;
}

/* The line's key; a reason in `err` if it has none that will do. */
static int
read_key(struct store_db *db, const char *line, struct lines_answer *a, struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(db, "SELECT CASE WHEN json_valid(?1) AND json_type(?1, '$.key') = 'text'"
	                       " THEN json_extract(?1, '$.key') END");
	store_stmt_put_text(&s, line);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const char *key = store_stmt_get_text(&s);

		rc = 0;
		text_copy(a->key, sizeof a->key, key);
		if (strlen(key) > LINES_KEY_MAX)
			rc = err_set(err, ERR_INVALID, "key: has more than %d bytes",
			             LINES_KEY_MAX);
	}
	store_stmt_end(&s);
	return rc;
}

/* Is this the sender's fault, so that the other lines can go on? */
static bool
is_refusal(int rc)
{
	return rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_DENIED;
}

enum outcome { STORED, DUPLICATE, REFUSED };

/*
 * The line in a savepoint: what became of it, with the reason in `why` and nothing of it left if it
 * was refused; negative when the database failed, which may have ended the whole transaction.
 */
static int
try_line(const struct lines_taker *t, const char *line, struct lines_answer *a, struct err *why,
         struct err *err)
{
	int rc = store_db_exec(t->db, "SAVEPOINT line", err);

	if (rc < 0)
		return rc;
	rc = a->key[0] == 0 ? 0 : t->seen(t->ctx, line, a, why);
	if (rc == 0)
		rc = t->take(t->ctx, line, a, why);
	if (rc < 0 && !is_refusal(rc)) {
		*err = *why;
		return rc;
	}
	if (rc >= 0) {
		int done = store_db_exec(t->db, "RELEASE line", err);

		return done < 0 ? done : rc == 1 ? DUPLICATE : STORED;
	}
	rc = store_db_exec(t->db, "ROLLBACK TO line; RELEASE line", err);
	return rc < 0 ? rc : REFUSED;
}

static int
take_line(const struct lines_taker *t, const char *line, struct buf *out, struct lines_counts *n,
          struct err *err)
{
	static const char *const states[] = { "stored", "duplicate", "refused" };
	struct lines_answer a = { 0 };
	struct err why = { 0 };
	struct verdict v = { 0 };
	int rc = read_key(t->db, line, &a, &why);

	if (rc < 0 && !is_refusal(rc)) {
		*err = why;
		return rc;
	}
	rc = rc < 0 ? REFUSED : try_line(t, line, &a, &why, err);
	if (rc < 0)
		return rc;
	a.has_id &= rc != REFUSED;
	v.state = states[rc];
	v.reason = rc == REFUSED ? why.msg : NULL;
	n->stored += rc == STORED;
	n->duplicate += rc == DUPLICATE;
	n->refused += rc == REFUSED;
	return put_answer(t, &a, &v, out, err);
}

/* Cut the next line off the body, without its end. */
static void
cut_line(const char **body, size_t *len, struct buf *line)
{
	const char *end = memchr(*body, '\n', *len);
	size_t part = end == NULL ? *len : (size_t)(end - *body),
	       step = end == NULL ? part : part + 1;

	buf_clear(line);
	buf_put(line, *body, part);
	if (line->len > 0 && line->bytes[line->len - 1] == '\r')
		line->len--;
	*body += step;
	*len -= step;
}

static int
take_lines(const struct lines_taker *t, const char *body, size_t len, struct buf *out,
           struct lines_counts *n, struct err *err)
{
	struct buf line = { 0 };
	size_t lines = 0;
	int rc = 0;

	while (rc == 0 && len > 0) {
		cut_line(&body, &len, &line);
		rc = buf_check(&line, err);
		if (rc < 0 || line.len == 0)
			continue;
		if (++lines > LINES_MAX)
			rc = err_set(err, ERR_INVALID, "a batch has at most %d lines", LINES_MAX);
		else if (line.len > LINES_LINE_MAX || memchr(line.bytes, 0, line.len) != NULL)
			rc = err_set(err, ERR_INVALID, "line %zu: is too long or holds a zero byte",
			             lines);
		else
			rc = take_line(t, buf_str(&line), out, n, err);
	}
	buf_free(&line);
	return rc;
}

int
lines_take(const struct lines_taker *t, const void *body, size_t len, struct buf *out,
           struct lines_counts *counts, struct err *err)
{
	size_t start = out->len;
	struct store_stmt s;
	int rc;

	*counts = (struct lines_counts){ 0 };
	if (len > LINES_BYTES_MAX)
		return err_set(err, ERR_INVALID, "a batch has at most %d bytes, this one has %zu",
		               LINES_BYTES_MAX, len);
	rc = store_db_begin(t->db, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(t->db, t->forget);
	store_stmt_put_int(&s,
	                   env_wall_ms(store_db_env(t->db)) - LINES_KEEP_DAYS * (int64_t)86400000);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = take_lines(t, body, len, out, counts, err);
	if (rc == 0)
		rc = store_db_commit(t->db, err);
	if (rc < 0) {
		store_db_rollback(t->db);
		out->len = start;
		*counts = (struct lines_counts){ 0 };
	}
	return rc;
}

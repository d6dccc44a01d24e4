#include "node/facility/batch.h"
#include "node/facility/action.h"

#include "store/base/text.h"
#include "store/stmt.h"

#include <string.h>

enum { KEEP_KEYS_DAYS = 30, LINE_MAX = 65536 };

/* What becomes of one line. */
struct answer {
	char key[4 * BATCH_KEY_MAX + 1];
	const char *state;
	bool has_id;
	uint8_t id[STORE_ID];
	const char *reason;
};

static int
put_answer(struct store_db *db, const struct answer *a, struct buf *out, struct err *err)
{
	struct store_stmt s;
	int rc;

	s = store_stmt_new(db, "SELECT json_object('key', nullif(?, ''), 'state', ?, 'id', "
	                       "nullif(lower(hex(?)), ''), 'reason', ?)");
	store_stmt_put_text(&s, a->key);
	store_stmt_put_text(&s, a->state);
	if (a->has_id)
		store_stmt_put_blob(&s, a->id, STORE_ID);
	else
		store_stmt_put_null(&s);
	store_stmt_put_text(&s, a->reason);
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
read_key(struct store_db *db, const char *line, struct answer *a, struct err *err)
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
		if (strlen(key) > BATCH_KEY_MAX)
			rc = err_set(err, ERR_INVALID, "key: has more than %d bytes",
			             BATCH_KEY_MAX);
	}
	store_stmt_end(&s);
	return rc;
}

/* Was this key stored before?  1 with its id in `a`. */
static int
seen_before(struct store_db *db, struct answer *a, struct err *err)
{
	struct store_stmt s;
	size_t len;
	int rc;

	s = store_stmt_new(db, "SELECT row_id FROM local_batch_key WHERE key = ?");
	store_stmt_put_text(&s, a->key);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const uint8_t *id = store_stmt_get_blob(&s, &len);

		a->has_id = len == STORE_ID;
		memcpy(a->id, id, len < STORE_ID ? len : STORE_ID);
	}
	store_stmt_end(&s);
	return rc;
}

static int
keep_key(struct store_db *db, const struct answer *a, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO local_batch_key(key, at, row_id) VALUES (?, ?, ?)");

	store_stmt_put_text(&s, a->key);
	store_stmt_put_int(&s, env_wall_ms(store_db_env(db)));
	store_stmt_put_blob(&s, a->id, STORE_ID);
	return store_stmt_run(&s, err);
}

/* "by" as a staff id of this facility. */
static int
read_by(struct facility *f, const char *line, uint8_t id[STORE_ID], const uint8_t **by,
        struct err *err)
{
	struct store_stmt s;
	int rc;

	*by = NULL;
	s = store_stmt_new(
	        f->db, "SELECT j.by, t.id IS NOT NULL FROM (SELECT json_extract(?, '$.by') AS by) j"
	               " LEFT JOIN staff t ON lower(hex(t.id)) = lower(j.by) AND t.facility_id = ?"
	               " WHERE j.by IS NOT NULL");
	store_stmt_put_text(&s, line);
	store_stmt_put_text(&s, f->id);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const char *hex = store_stmt_get_text(&s);

		rc = 0;
		if (store_stmt_get_int(&s) == 0 || !text_unhex(id, STORE_ID, hex))
			rc = err_set(err, ERR_NOTFOUND, "by: '%.40s' is nobody of the staff", hex);
		else
			*by = id;
	}
	store_stmt_end(&s);
	return rc;
}

static int
do_line(struct facility *f, const char *line, struct answer *a, struct err *err)
{
	static const char *const others[] = { "key", "by", NULL };
	struct facility_action action;
	struct arena arena = { .limit = (size_t)LINE_MAX * 8 };
	uint8_t by[STORE_ID];
	int rc;

	rc = facility_action_read(f->db, line, others, &arena, &action, err);
	if (rc == 0 && a->key[0] == 0)
		rc = err_set(err, ERR_INVALID,
		             "key: is needed, so that a repeated line counts once");
	if (rc == 0)
		rc = read_by(f, line, by, &action.by, err);
	if (rc == 0)
		rc = facility_do(f, &action, err);
	arena_free(&arena);
	if (rc == 0) {
		a->has_id = true;
		memcpy(a->id, f->last_id, STORE_ID);
		rc = keep_key(f->db, a, err);
	}
	return rc;
}

/* Is this the sender's fault, so that the other lines can go on? */
static bool
is_refusal(int rc)
{
	return rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_DENIED;
}

/*
 * The line in a savepoint: 0 stored; 1 refused, with the reason in `why` and nothing of it left;
 * negative when the database failed, which may have ended the whole transaction.
 */
static int
try_line(struct facility *f, const char *line, struct answer *a, struct err *why, struct err *err)
{
	int rc = store_db_exec(f->db, "SAVEPOINT line", err);

	if (rc < 0)
		return rc;
	rc = do_line(f, line, a, why);
	if (rc == 0)
		return store_db_exec(f->db, "RELEASE line", err);
	if (!is_refusal(rc)) {
		*err = *why;
		return rc;
	}
	rc = store_db_exec(f->db, "ROLLBACK TO line; RELEASE line", err);
	return rc < 0 ? rc : 1;
}

static int
take_line(struct facility *f, const char *line, struct buf *out, struct batch_counts *n,
          struct err *err)
{
	struct answer a = { .state = "refused" };
	struct err why = { 0 };
	int rc = read_key(f->db, line, &a, &why);

	if (rc < 0 && !is_refusal(rc)) {
		*err = why;
		return rc;
	}
	if (rc == 0 && a.key[0] != 0 && (rc = seen_before(f->db, &a, err)) != 0) {
		if (rc < 0)
			return rc;
		a.state = "duplicate";
		n->duplicate++;
		return put_answer(f->db, &a, out, err);
	}
	rc = rc < 0 ? 1 : try_line(f, line, &a, &why, err);
	if (rc < 0)
		return rc;
	a.has_id &= rc == 0;
	a.state = rc == 0 ? "stored" : "refused";
	a.reason = rc == 0 ? NULL : why.msg;
	n->stored += rc == 0;
	n->refused += rc != 0;
	return put_answer(f->db, &a, out, err);
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
take_lines(struct facility *f, const char *body, size_t len, struct buf *out,
           struct batch_counts *n, struct err *err)
{
	struct buf line = { 0 };
	size_t lines = 0;
	int rc = 0;

	while (rc == 0 && len > 0) {
		cut_line(&body, &len, &line);
		rc = buf_check(&line, err);
		if (rc < 0 || line.len == 0)
			continue;
		if (++lines > BATCH_LINES_MAX)
			rc = err_set(err, ERR_INVALID, "a batch has at most %d lines",
			             BATCH_LINES_MAX);
		else if (line.len > LINE_MAX || memchr(line.bytes, 0, line.len) != NULL)
			rc = err_set(err, ERR_INVALID, "line %zu: is too long or holds a zero byte",
			             lines);
		else
			rc = take_line(f, buf_str(&line), out, n, err);
	}
	buf_free(&line);
	return rc;
}

int
facility_batch_post(struct facility *f, const void *body, size_t len, struct buf *out,
                    struct batch_counts *counts, struct err *err)
{
	size_t start = out->len;
	struct store_stmt s;
	int rc;

	*counts = (struct batch_counts){ 0 };
	if (len > BATCH_BYTES_MAX)
		return err_set(err, ERR_INVALID, "a batch has at most %d bytes, this one has %zu",
		               BATCH_BYTES_MAX, len);
	rc = store_db_begin(f->db, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, "DELETE FROM local_batch_key WHERE at < ?");
	store_stmt_put_int(&s,
	                   env_wall_ms(store_db_env(f->db)) - KEEP_KEYS_DAYS * (int64_t)86400000);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = take_lines(f, body, len, out, counts, err);
	if (rc == 0)
		rc = store_db_commit(f->db, err);
	if (rc < 0) {
		store_db_rollback(f->db);
		out->len = start;
		*counts = (struct batch_counts){ 0 };
	}
	return rc;
}

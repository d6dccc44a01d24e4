#include "node/facility/batch.h"
#include "node/facility/action.h"

#include "store/base/text.h"
#include "store/stmt.h"

#include <string.h>

/* Was this key stored before?  1 with its id in `a`. */
static int
seen_before(void *ctx, const char *line, struct lines_answer *a, struct err *err)
{
	struct facility *f = ctx;
	struct store_stmt s;
	size_t len;
	int rc;

	(void)line;
	s = store_stmt_new(f->db, "SELECT row_id FROM local_batch_key WHERE key = ?");
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
keep_key(struct store_db *db, const struct lines_answer *a, struct err *err)
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
do_line(void *ctx, const char *line, struct lines_answer *a, struct err *err)
{
	struct facility *f = ctx;
	static const char *const others[] = { "key", "by", NULL };
	struct facility_action action;
	struct arena arena = { .limit = (size_t)LINES_LINE_MAX * 8 };
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

int
facility_batch_post(struct facility *f, const void *body, size_t len, struct buf *out,
                    struct lines_counts *counts, struct err *err)
{
	struct lines_taker taker = {
		.db = f->db,
		.ctx = f,
		.seen = seen_before,
		.take = do_line,
		.forget = "DELETE FROM local_batch_key WHERE at < ?",
		.tells_id = true,
	};

	return lines_take(&taker, body, len, out, counts, err);
}

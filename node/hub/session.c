#include "node/hub/session.h"

#include "node/hub/hub_schema.h"
#include "store/base/hash.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <string.h>

enum { SECRET = 32 };

int
session_try(struct session_tries *tries, int64_t mono_ms)
{
	int64_t passed = mono_ms - tries->at_ms;

	tries->spent_ms = passed >= tries->spent_ms ? 0 : tries->spent_ms - passed;
	tries->at_ms = mono_ms;
	if (tries->spent_ms > (int64_t)(SESSION_TRIES - 1) * SESSION_TRY_MS)
		return (int)((tries->spent_ms - (int64_t)(SESSION_TRIES - 1) * SESSION_TRY_MS) /
		             1000) +
		       1;
	tries->spent_ms += SESSION_TRY_MS;
	return 0;
}

/* ---- what is written down ---- */

int
session_log_add(struct store_db *db, const struct session_ask *ask, const char *what,
                int64_t now_ms, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO hub_sign_in(at_ms, admin, peer, what) VALUES (?, ?, ?, ?)");
	int rc;

	store_stmt_put_int(&s, now_ms);
	store_stmt_put_text(&s, ask->name);
	store_stmt_put_text(&s, ask->peer);
	store_stmt_put_text(&s, what);
	rc = store_stmt_run(&s, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "DELETE FROM hub_sign_in WHERE at_ms < ?");
	store_stmt_put_int(&s, now_ms - (int64_t)SESSION_LOG_DAYS * 86400000);
	return store_stmt_run(&s, err);
}

int
session_log_json(struct store_db *db, int64_t limit, struct buf *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT at_ms, admin, peer, what FROM hub_sign_in"
	                                         " ORDER BY no DESC LIMIT ?");
	struct json j = json_to(out);
	int rc;

	store_stmt_put_int(&s, limit);
	json_array(&j);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		json_object(&j);
		json_name(&j, "at");
		json_time(&j, store_stmt_get_int(&s));
		json_name(&j, "admin");
		json_text(&j, store_stmt_get_text(&s));
		json_name(&j, "peer");
		json_text(&j, store_stmt_get_text(&s));
		json_name(&j, "what");
		json_text(&j, store_stmt_get_text(&s));
		json_end_object(&j);
	}
	store_stmt_end(&s);
	json_end_array(&j);
	buf_u8(out, '\n');
	return rc < 0 ? rc : buf_check(out, err);
}

/* ---- sessions ---- */

static void
hash_text(uint8_t hash[HASH_32], const char *session)
{
	hash_once(hash, HASH_32, session, strlen(session));
}

static int
insert(struct store_db *db, const char *name, int64_t now_ms, char session[SESSION_TEXT],
       struct err *err)
{
	struct store_stmt s;
	uint8_t secret[SECRET], hash[HASH_32];
	int rc;

	s = store_stmt_new(db, "DELETE FROM hub_session WHERE expires_ms <= ?");
	store_stmt_put_int(&s, now_ms);
	rc = store_stmt_run(&s, err);
	if (rc < 0)
		return rc;
	env_rand(store_db_env(db), secret, sizeof secret);
	text_hex(session, secret, sizeof secret);
	hash_text(hash, session);
	s = store_stmt_new(db, "INSERT INTO hub_session(hash, admin, created_ms, expires_ms)"
	                       " VALUES (?, ?, ?, ?)");
	store_stmt_put_blob(&s, hash, sizeof hash);
	store_stmt_put_text(&s, name);
	store_stmt_put_int(&s, now_ms);
	store_stmt_put_int(&s, now_ms + SESSION_MS);
	return store_stmt_run(&s, err);
}

int
session_begin(struct store_db *db, const struct session_ask *ask, int64_t now_ms,
              char session[SESSION_TEXT], struct err *err)
{
	int good = admin_check(db, ask->name, ask->password, now_ms, err), rc;
	struct hub_work work;

	if (good < 0)
		return good;
	rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	rc = session_log_add(db, ask, good ? "signed in" : "refused", now_ms, err);
	if (rc == 0 && good)
		rc = insert(db, ask->name, now_ms, session, err);
	rc = hub_work_end(&work, rc, err);
	return rc < 0 ? rc : good;
}

int
session_check(struct store_db *db, const char *session, int64_t now_ms, char name[ADMIN_NAME],
              struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db,
	        "SELECT admin FROM hub_session JOIN hub_admin a ON a.name = admin WHERE hash = ?"
	        " AND hub_session.expires_ms > ? AND a.revoked_ms IS NULL"
	        " AND (a.expires_ms IS NULL OR a.expires_ms > ?)");
	uint8_t hash[HASH_32];
	int rc;

	hash_text(hash, session);
	store_stmt_put_blob(&s, hash, sizeof hash);
	store_stmt_put_int(&s, now_ms);
	store_stmt_put_int(&s, now_ms);
	rc = store_stmt_step(&s, err);
	text_copy(name, ADMIN_NAME, rc == 1 ? store_stmt_get_text(&s) : "");
	store_stmt_end(&s);
	return rc;
}

int
session_end(struct store_db *db, const char *session, const char *peer, int64_t now_ms,
            struct err *err)
{
	char name[ADMIN_NAME];
	struct session_ask ask = { .name = name, .peer = peer };
	uint8_t hash[HASH_32];
	struct store_stmt s;
	struct hub_work work;
	int rc = session_check(db, session, now_ms, name, err);

	if (rc <= 0)
		return rc;
	rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	hash_text(hash, session);
	s = store_stmt_new(db, "DELETE FROM hub_session WHERE hash = ?");
	store_stmt_put_blob(&s, hash, sizeof hash);
	rc = store_stmt_run(&s, err);
	if (rc == 0)
		rc = session_log_add(db, &ask, "left", now_ms, err);
	return hub_work_end(&work, rc, err);
}

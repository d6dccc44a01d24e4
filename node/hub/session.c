#include "node/hub/session.h"

#include "node/hub/hub_schema.h"
#include "store/base/hash.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

enum { SECRET = 32 };

/* ---- how many may be looked at ---- */

static const struct pace of_one = { SESSION_TRIES, SESSION_TRY_MS };
static const struct pace of_all = { SESSION_ALL_TRIES, SESSION_ALL_TRY_MS };

/* Who has one IPv6 address has its /64. */
static void
house_of(char out[SESSION_PEER], const char *peer)
{
	uint8_t bytes[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
	const char *house;

	text_copy(out, SESSION_PEER, peer);
	if (inet_pton(AF_INET6, peer, bytes) != 1 || memcmp(bytes, mapped, sizeof mapped) == 0)
		return;
	memset(bytes + 8, 0, 8);
	house = inet_ntop(AF_INET6, bytes, out, SESSION_PEER);
	assert(house == out); /* the longest there is fits */
}

/* This address's, or the place of the one that has spent least. */
static struct pace_spent *
spent_of(struct session_tries *tries, const char *peer, int64_t mono_ms)
{
	struct session_of *least = &tries->of[0];
	char house[SESSION_PEER];

	house_of(house, peer);
	for (size_t i = 0; i < SESSION_PEERS; i++) {
		struct session_of *of = &tries->of[i];

		if (strcmp(of->peer, house) == 0)
			return &of->spent;
		if (pace_spent_ms(&of->spent, mono_ms) < pace_spent_ms(&least->spent, mono_ms))
			least = of;
	}
	*least = (struct session_of){ 0 };
	text_copy(least->peer, sizeof least->peer, house);
	return &least->spent;
}

int
session_try(struct session_tries *tries, const char *peer, bool known, int64_t mono_ms)
{
	struct pace_spent *one = spent_of(tries, peer, mono_ms);
	int64_t wait = pace_wait_ms(one, &of_one, mono_ms);

	if (wait == 0 && !known)
		wait = pace_wait_ms(&tries->all, &of_all, mono_ms);
	if (wait > 0)
		return (int)(wait / 1000) + 1;
	pace_spend(one, &of_one, mono_ms);
	if (!known)
		pace_spend(&tries->all, &of_all, mono_ms);
	return 0;
}

int
session_known(struct store_db *db, const char *peer, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT 1 FROM hub_sign_in WHERE peer = ? AND what = 'signed in' LIMIT 1");
	int rc;

	store_stmt_put_text(&s, peer);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc;
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
	rc = store_stmt_run(&s, err);
	if (rc < 0)
		return rc;
	/* strangers decide how many there are */
	s = store_stmt_new(db, "DELETE FROM hub_sign_in WHERE what = 'refused' AND no <="
	                       " (SELECT max(no) FROM hub_sign_in) - ?");
	store_stmt_put_int(&s, SESSION_LOG_REFUSED);
	return store_stmt_run(&s, err);
}

int
session_log_decided(struct store_db *db, const char *who, const char *what, struct err *err)
{
	struct session_ask ask = { .name = who, .peer = "the hub's machine" };
	struct hub_work work;
	int rc = hub_work_begin(&work, db, err);

	if (rc < 0)
		return rc;
	rc = session_log_add(db, &ask, what, env_wall_ms(store_db_env(db)), err);
	return hub_work_end(&work, rc, err);
}

int
session_log(struct store_db *db, int64_t limit, struct arena *a, struct session_entry **list,
            size_t *count, struct err *err)
{
	struct store_stmt s;
	int rc;

	*count = 0;
	*list = arena_take(a, (size_t)limit, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "sign-ins: out of memory");
	s = store_stmt_new(db, "SELECT at_ms, admin, peer, what FROM hub_sign_in"
	                       " ORDER BY no DESC LIMIT ?");
	store_stmt_put_int(&s, limit);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct session_entry *e = &(*list)[(*count)++];

		e->at_ms = store_stmt_get_int(&s);
		e->admin = store_stmt_copy_text(&s, a);
		e->peer = store_stmt_copy_text(&s, a);
		e->what = store_stmt_copy_text(&s, a);
		if (e->admin == NULL || e->peer == NULL || e->what == NULL)
			break;
	}
	store_stmt_end(&s);
	return rc == 1 ? err_set(err, ERR_NOMEM, "sign-ins: out of memory") : rc;
}

int
session_log_json(struct store_db *db, int64_t limit, struct buf *out, struct err *err)
{
	struct session_entry *list = NULL;
	struct json j = json_to(out);
	struct arena a = { 0 };
	size_t count = 0;
	int rc = session_log(db, limit, &a, &list, &count, err);

	json_array(&j);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		json_object(&j);
		json_name(&j, "at");
		json_time(&j, list[i].at_ms);
		json_name(&j, "admin");
		json_text(&j, list[i].admin);
		json_name(&j, "peer");
		json_text(&j, list[i].peer);
		json_name(&j, "what");
		json_text(&j, list[i].what);
		json_end_object(&j);
	}
	json_end_array(&j);
	buf_u8(out, '\n');
	arena_free(&a);
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

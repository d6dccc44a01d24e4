#include "node/hub/admin.h"

#include "node/config.h"
#include "node/hub/hub_schema.h"
#include "store/base/hash.h"
#include "store/base/text.h"

#include <string.h>

enum { DRAWN = 20, GROUP = 5 };

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* A password of which nobody knows anything: the same work for a name that isn't there. */
static const char nobody[HASH_PASSWORD] = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static void
draw(const struct env *env, char out[ADMIN_PASSWORD])
{
	uint8_t bytes[DRAWN];

	env_rand(env, bytes, sizeof bytes);
	for (size_t i = 0; i < DRAWN; i++) {
		if (i > 0 && i % GROUP == 0)
			*out++ = '-';
		*out++ = digits[bytes[i] & 31];
	}
	*out = 0;
}

/* What was meant by a typed character: case doesn't matter, O is 0, I and L are 1. */
static char
meant(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	return c == 'I' || c == 'L' ? '1' : c;
}

/* As it was made, without spaces and hyphens. */
static void
plain(char out[ADMIN_TYPED], const char *typed)
{
	size_t len = 0;

	for (; *typed != 0 && len < ADMIN_TYPED - 1; typed++)
		if (*typed != '-' && *typed != ' ')
			out[len++] = meant(*typed);
	out[len] = 0;
}

static int
insert(struct store_db *db, const char *name, const char *kept, int64_t times[2], struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT OR REPLACE INTO hub_admin(name, password, created_ms,"
	                           " expires_ms) VALUES (?, ?, ?, ?)");

	store_stmt_put_text(&s, name);
	store_stmt_put_text(&s, kept);
	store_stmt_put_int(&s, times[0]);
	if (times[1] == 0)
		store_stmt_put_null(&s);
	else
		store_stmt_put_int(&s, times[1]);
	return store_stmt_run(&s, err);
}

static int
end_sessions(struct store_db *db, const char *name, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "DELETE FROM hub_session WHERE admin = ?");

	store_stmt_put_text(&s, name);
	return store_stmt_run(&s, err);
}

int
admin_new(struct store_db *db, const char *name, int64_t expires_ms, int64_t now_ms,
          char password[ADMIN_PASSWORD], struct err *err)
{
	char bare[ADMIN_TYPED], kept[HASH_PASSWORD];
	int64_t times[2] = { now_ms, expires_ms };
	struct hub_work work;
	int rc;

	if (!config_is_facility_id(name) || strlen(name) >= ADMIN_NAME)
		return err_set(err, ERR_INVALID,
		               "an administrator's name has 1 to %d of A-Z a-z 0-9 - _",
		               ADMIN_NAME - 1);
	if (expires_ms != 0 && expires_ms <= now_ms)
		return err_set(err, ERR_INVALID, "this expiry is in the past; give a later one");
	draw(store_db_env(db), password);
	plain(bare, password);
	rc = hash_password(kept, bare, err);
	if (rc == 0)
		rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	rc = insert(db, name, kept, times, err);
	if (rc == 0)
		rc = end_sessions(db, name, err);
	return hub_work_end(&work, rc, err);
}

int
admin_revoke(struct store_db *db, const char *name, int64_t now_ms, struct err *err)
{
	struct store_stmt s;
	struct hub_work work;
	int rc = hub_work_begin(&work, db, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(
	        db, "UPDATE hub_admin SET revoked_ms = coalesce(revoked_ms, ?) WHERE name = ?");
	store_stmt_put_int(&s, now_ms);
	store_stmt_put_text(&s, name);
	rc = store_stmt_run(&s, err);
	if (rc == 0 && store_stmt_changes(db) == 0)
		rc = err_set(err, ERR_NOTFOUND,
		             "there is no administrator %.32s; yizhan admin list names them", name);
	if (rc == 0)
		rc = end_sessions(db, name, err);
	return hub_work_end(&work, rc, err);
}

int
admin_check(struct store_db *db, const char *name, const char *typed, int64_t now_ms,
            struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT password FROM hub_admin WHERE name = ? AND revoked_ms IS"
	                           " NULL AND (expires_ms IS NULL OR expires_ms > ?)");
	char bare[ADMIN_TYPED], kept[HASH_PASSWORD];
	bool known, good;
	int rc;

	store_stmt_put_text(&s, name);
	store_stmt_put_int(&s, now_ms);
	rc = store_stmt_step(&s, err);
	known = rc == 1;
	text_copy(kept, sizeof kept, known ? store_stmt_get_text(&s) : nobody);
	store_stmt_end(&s);
	plain(bare, typed);
	good = hash_password_is(kept, bare);
	return rc < 0 ? rc : known && good;
}

int
admin_list(struct store_db *db, struct arena *a, struct admin_entry **list, size_t *count,
           struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT name, created_ms, expires_ms, revoked_ms, (SELECT max(at_ms) FROM"
	            " hub_sign_in i WHERE i.admin = a.name AND what = 'signed in')"
	            " FROM hub_admin a ORDER BY name");
	int64_t all;
	int rc = store_stmt_int(db, "SELECT count(*) FROM hub_admin", 0, &all, err);

	*count = 0;
	*list = rc < 0 ? NULL : arena_take(a, (size_t)all, sizeof **list);
	if (rc == 0 && *list == NULL)
		rc = err_set(err, ERR_NOMEM, "administrators: out of memory");
	while (rc == 0 && *count < (size_t)all && (rc = store_stmt_step(&s, err)) == 1) {
		struct admin_entry *e = &(*list)[(*count)++];

		e->name = store_stmt_copy_text(&s, a);
		e->created_ms = store_stmt_get_int(&s);
		e->expires_ms = store_stmt_get_int(&s);
		e->revoked_ms = store_stmt_get_int(&s);
		e->came_ms = store_stmt_get_int(&s);
		rc = e->name == NULL ? err_set(err, ERR_NOMEM, "administrators: out of memory") : 0;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

#include "node/hub/token.h"

#include "node/grant.h"
#include "node/hub/hub_schema.h"
#include "store/base/hash.h"
#include "store/base/json.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

enum { SECRET = 32 };

_Static_assert(TOKEN_TEXT == (SECRET * 8 + 5) / 6 + 1, "32 bytes, six bits a character");

static void
base64url(char *out, const uint8_t bytes[SECRET])
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < SECRET; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = digits[held >> (bits - 6) & 63];
	}
	*out++ = digits[held << (6 - bits) & 63]; /* 32 bytes leave some */
	*out = 0;
}

static void
hash_text(uint8_t hash[HASH_32], const char *text)
{
	hash_once(hash, HASH_32, text, strlen(text));
}

/* ",a,b," of "a, b"; every name must be a table that this hub knows, and whose rows are people's:
 * who sees a child, which conflict is decided and what is erased is said at the hub alone. */
static int
list_tables(struct store_db *db, const char *names, char *out, size_t size, struct err *err)
{
	size_t len = 0;

	out[len++] = ',';
	while (*names != 0) {
		char name[STORE_NAME_MAX + 1];
		size_t n = strcspn(names, ",");

		if (n == 0 || n > STORE_NAME_MAX || len + n + 2 > size)
			return err_set(err, ERR_INVALID,
			               "tables: one is no name of up to %d bytes; put commas "
			               "between the names",
			               STORE_NAME_MAX);
		memcpy(name, names, n);
		name[n] = 0;
		if (store_catalog_table_by_name(db, name) == NULL)
			return err_set(err, ERR_INVALID,
			               "there is no table %s here; yizhan schema show lists them",
			               name);
		if (store_schema_stays(name))
			return err_set(err, ERR_INVALID,
			               "%s is yizhan's own, which no token reads or writes; leave "
			               "it out",
			               name);
		memcpy(out + len, name, n);
		len += n;
		out[len++] = ',';
		names += n + (names[n] == ',');
	}
	out[len] = 0;
	return len > 1 ? 0
	               : err_set(err, ERR_INVALID,
	                         "tables: no name is given; put commas between the names");
}

/* Can a token of that scope write rows of the table?  A table without a scope column is one scope's
 * as a whole; the hub's own rows nobody writes from outside. */
static bool
reaches(const char *scope, const struct store_schema *s)
{
	bool one = strcmp(scope, "all") != 0;

	if (s->scope_column >= 0)
		return !one || strcmp(s->scope_prefix, "f/") == 0;
	return one ? strcmp(s->scope_prefix, scope) == 0 : strcmp(s->scope_prefix, "hub") != 0;
}

/* Each of the list ",a,b,". */
static int
check_writes(struct store_db *db, const char *scope, const char *list, struct err *err)
{
	for (const char *at = list + 1; *at != 0; at += strcspn(at, ",") + 1) {
		const struct store_table *table;
		char name[STORE_NAME_MAX + 1];

		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
		table = store_catalog_table_by_name(db, name);
		if (table == NULL || table->local == NULL || reaches(scope, table->local))
			continue;
		return err_set(err, ERR_INVALID,
		               "rows of %s are %s, where a token of %s can't write; %s", name,
		               strcmp(table->local->scope_prefix, "all") == 0 ? "everybody's"
		                                                              : "of another scope",
		               scope,
		               strcmp(table->local->scope_prefix, "hub") == 0
		                       ? "leave it out"
		                       : "leave it out, or give --scope all");
	}
	return 0;
}

/* A word, and none that could be an id. */
static int
check_name(const char *name, struct err *err)
{
	uint8_t id[TOKEN_ID / 2];

	if (grant_facility_check(name, err) == 0 && !text_unhex(id, sizeof id, name))
		return 0;
	return err_set(err, ERR_INVALID,
	               "a token's name has 1 to %d of A-Z a-z 0-9 - _ and is no id; choose another",
	               GRANT_FACILITY);
}

static int
check_terms(const struct token_terms *terms, int64_t now_ms, struct err *err)
{
	if (strcmp(terms->scope, "all") != 0 && (strncmp(terms->scope, "f/", 2) != 0 ||
	                                         grant_facility_check(terms->scope + 2, err) < 0))
		return err_set(err, ERR_INVALID,
		               "a token's scope is `all` or f/<facility>; give one of them");
	if (terms->expires_ms != 0 && terms->expires_ms <= now_ms)
		return err_set(err, ERR_INVALID, "this expiry is in the past; give a later one");
	return terms->name == NULL ? 0 : check_name(terms->name, err);
}

static int
insert(struct store_db *db, const struct token *token, const struct token_terms *terms,
       const uint8_t hash[HASH_32], int64_t now_ms, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO hub_token(id, hash, scope, tables, writes, personal, created_ms,"
	            " expires_ms, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

	store_stmt_put_text(&s, token->id);
	store_stmt_put_blob(&s, hash, HASH_32);
	store_stmt_put_text(&s, token->scope);
	store_stmt_put_text(&s, token->tables);
	store_stmt_put_text(&s, token->writes);
	store_stmt_put_int(&s, terms->personal);
	store_stmt_put_int(&s, now_ms);
	if (terms->expires_ms == 0)
		store_stmt_put_null(&s);
	else
		store_stmt_put_int(&s, terms->expires_ms);
	if (terms->name == NULL)
		store_stmt_put_null(&s);
	else
		store_stmt_put_text(&s, terms->name);
	return store_stmt_run(&s, err);
}

/* Does a token of that name open anything still? */
static int
check_free(struct store_db *db, const char *name, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT 1 FROM hub_token WHERE name = ? AND revoked_ms IS NULL");
	int rc;

	store_stmt_put_text(&s, name);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	return rc == 1 ? err_set(err, ERR_INVALID,
	                         "there is a token %.48s already; revoke it first, or choose "
	                         "another name",
	                         name)
	               : rc;
}

int
token_new(struct store_db *db, const struct token_terms *terms, int64_t now_ms,
          char text[TOKEN_TEXT], char id[TOKEN_ID], struct err *err)
{
	uint8_t secret[SECRET], hash[HASH_32], name[TOKEN_ID / 2];
	struct token token = { 0 };
	struct hub_work work;
	int rc;

	rc = check_terms(terms, now_ms, err);
	if (rc == 0)
		rc = hub_work_begin(&work, db, err);
	if (rc < 0)
		return rc;
	if (terms->tables != NULL)
		rc = list_tables(db, terms->tables, token.tables, sizeof token.tables, err);
	if (rc == 0 && terms->writes != NULL)
		rc = list_tables(db, terms->writes, token.writes, sizeof token.writes, err);
	if (rc == 0 && terms->writes != NULL)
		rc = check_writes(db, terms->scope, token.writes, err);
	if (rc == 0 && terms->name != NULL)
		rc = check_free(db, terms->name, err);
	if (rc == 0) {
		env_rand(store_db_env(db), secret, sizeof secret);
		env_rand(store_db_env(db), name, sizeof name);
		base64url(text, secret);
		hash_text(hash, text);
		text_hex(token.id, name, sizeof name);
		text_copy(token.scope, sizeof token.scope, terms->scope);
		rc = insert(db, &token, terms, hash, now_ms, err);
		memcpy(id, token.id, TOKEN_ID);
	}
	return hub_work_end(&work, rc, err);
}

/* The valid one that the statement finds: 1, or 0. */
static int
read_token(struct store_stmt *s, struct token *token, struct err *err)
{
	int rc;

	memset(token, 0, sizeof *token);
	rc = store_stmt_step(s, err);
	if (rc == 1) {
		text_copy(token->id, sizeof token->id, store_stmt_get_text(s));
		text_copy(token->scope, sizeof token->scope, store_stmt_get_text(s));
		text_copy(token->tables, sizeof token->tables, store_stmt_get_text(s));
		text_copy(token->writes, sizeof token->writes, store_stmt_get_text(s));
		token->personal = store_stmt_get_int(s) != 0;
	}
	store_stmt_end(s);
	return rc;
}

#define VALID                                                                                      \
	"SELECT id, scope, tables, writes, personal FROM hub_token WHERE revoked_ms IS NULL"       \
	" AND (expires_ms IS NULL OR expires_ms > ?)"

int
token_check(struct store_db *db, const char *text, int64_t now_ms, struct token *token,
            struct err *err)
{
	struct store_stmt s = store_stmt_new(db, VALID " AND hash = ?");
	uint8_t hash[HASH_32];

	hash_text(hash, text);
	store_stmt_put_int(&s, now_ms);
	store_stmt_put_blob(&s, hash, sizeof hash);
	return read_token(&s, token, err);
}

int
token_again(struct store_db *db, const char *id, int64_t now_ms, struct token *token,
            struct err *err)
{
	struct store_stmt s = store_stmt_new(db, VALID " AND id = ?");

	store_stmt_put_int(&s, now_ms);
	store_stmt_put_text(&s, id);
	return read_token(&s, token, err);
}

int
token_revoke(struct store_db *db, const char *which, int64_t now_ms, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "UPDATE hub_token SET revoked_ms = coalesce(revoked_ms, ?1) "
	                           "WHERE id = ?2 OR (name = ?2"
	                           " AND revoked_ms IS NULL)");
	int rc;

	store_stmt_put_int(&s, now_ms);
	store_stmt_put_text(&s, which);
	rc = store_stmt_run(&s, err);
	if (rc == 0 && store_stmt_changes(db) == 0)
		rc = err_set(err, ERR_NOTFOUND, "there is no token %.48s", which);
	return rc;
}

/* ---- the list ---- */

/* "a,b" of ",a,b,". */
static const char *
take_names(struct store_stmt *s, struct arena *a)
{
	const char *list = store_stmt_get_text(s);
	size_t len = strlen(list);

	return len < 2 ? arena_copy(a, "", 0) : arena_copy(a, list + 1, len - 2);
}

static int
take_entry(struct store_stmt *s, int64_t now_ms, struct arena *a, struct token_entry *out,
           struct err *err)
{
	out->id = store_stmt_copy_text(s, a);
	out->name = store_stmt_copy_text(s, a);
	out->scope = store_stmt_copy_text(s, a);
	out->tables = take_names(s, a);
	out->writes = take_names(s, a);
	out->personal = store_stmt_get_int(s) != 0;
	out->created_ms = store_stmt_get_int(s);
	out->expires_ms = store_stmt_get_int(s);
	out->revoked_ms = store_stmt_get_int(s);
	out->export_ms = store_stmt_get_int(s);
	out->record_ms = store_stmt_get_int(s);
	out->used_ms = store_stmt_get_int(s);
	out->state = out->revoked_ms != 0                                ? "revoked"
	             : out->expires_ms != 0 && out->expires_ms <= now_ms ? "expired"
	                                                                 : "valid";
	if (out->id == NULL || out->name == NULL || out->scope == NULL || out->tables == NULL ||
	    out->writes == NULL)
		return err_set(err, ERR_NOMEM, "tokens: out of memory");
	return 0;
}

int
token_list(struct store_db *db, int64_t now_ms, struct arena *a, struct token_entry **list,
           size_t *count, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "SELECT id, name, scope, tables, writes, personal, created_ms, expires_ms,"
	            " revoked_ms, (SELECT max(at_ms) FROM hub_export e WHERE e.token = t.id),"
	            " (SELECT max(at_ms) FROM hub_record_key k WHERE k.token = t.id), used_ms"
	            " FROM hub_token t ORDER BY created_ms DESC, id LIMIT ?");
	int64_t all;
	int rc = store_stmt_int(db, "SELECT count(*) FROM hub_token", 0, &all, err);

	*count = 0;
	*list = rc < 0 ? NULL : arena_take(a, (size_t)all + 1, sizeof **list);
	if (rc == 0 && *list == NULL)
		rc = err_set(err, ERR_NOMEM, "tokens: out of memory");
	store_stmt_put_int(&s, all); /* one that was made since has no room */
	while (rc == 0 && (rc = store_stmt_step(&s, err)) == 1)
		rc = take_entry(&s, now_ms, a, &(*list)[(*count)++], err);
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static void
put_time(struct json *j, const char *name, int64_t ms)
{
	json_name(j, name);
	if (ms == 0)
		json_null(j);
	else
		json_time(j, ms);
}

static void
put_text(struct json *j, const char *name, const char *text)
{
	json_name(j, name);
	json_text(j, text[0] == 0 ? NULL : text);
}

static void
put_entry(struct json *j, const struct token_entry *e)
{
	json_object(j);
	put_text(j, "id", e->id);
	put_text(j, "name", e->name);
	put_text(j, "scope", e->scope);
	put_text(j, "tables", e->tables);
	put_text(j, "writes", e->writes);
	json_name(j, "personal");
	json_bool(j, e->personal);
	put_time(j, "created", e->created_ms);
	put_time(j, "expires", e->expires_ms);
	put_time(j, "revoked", e->revoked_ms);
	put_time(j, "last_export", e->export_ms);
	put_time(j, "last_record", e->record_ms);
	put_time(j, "last_used", e->used_ms);
	put_text(j, "state", e->state);
	json_end_object(j);
}

int
token_list_json(struct store_db *db, int64_t now_ms, struct buf *out, struct err *err)
{
	struct token_entry *list = NULL;
	struct json j = json_to(out);
	struct arena a = { 0 };
	size_t count = 0;
	int rc = token_list(db, now_ms, &a, &list, &count, err);

	json_array(&j);
	for (size_t i = 0; i < count; i++)
		put_entry(&j, &list[i]);
	json_end_array(&j);
	buf_u8(out, '\n');
	arena_free(&a);
	return rc < 0 ? rc : buf_check(out, err);
}

bool
token_reads_scope(const struct token *token, const char *scope)
{
	return strcmp(token->scope, "all") == 0 || strcmp(token->scope, scope) == 0;
}

/* Is it in ",a,b,"? */
static bool
is_listed(const char *list, const char *table)
{
	size_t len = strlen(table);

	if (list[0] == 0)
		return false;
	for (const char *at = list + 1; *at != 0; at += strcspn(at, ",") + 1)
		if (strncmp(at, table, len) == 0 && at[len] == ',')
			return true;
	return false;
}

bool
token_reads_table(const struct token *token, const char *table)
{
	return token->tables[0] == 0 || is_listed(token->tables, table);
}

bool
token_writes_table(const struct token *token, const char *table)
{
	return is_listed(token->writes, table);
}

#include "node/hub/records.h"

#include "node/facility/seats.h"
#include "node/hub/feed_row.h"
#include "node/hub/record_rules.h"
#include "store/base/hash.h"
#include "store/base/text.h"
#include "store/inspect.h"
#include "store/keyed.h"

#include <string.h>

/* A line, read. */
struct record {
	const struct store_schema *schema;
	bool deletes;
	bool was_there;                  /* a row of its key is known, also if it is gone by now */
	char scope[STORE_SCOPE_MAX + 1]; /* what the row says of it */
	struct arena arena;              /* names and bytes of the row */
	const char *columns[STORE_COLUMNS_MAX];
	struct store_value values[STORE_COLUMNS_MAX];
	size_t count;
};

static struct store_named_row
row_of(const struct record *r)
{
	return (struct store_named_row){ r->schema->table, r->columns, r->values, r->count };
}

/* ---- the key ---- */

static void
hash_line(uint8_t hash[HASH_16], const char *line)
{
	hash_once(hash, HASH_16, line, strlen(line));
}

static int
seen(void *ctx, const char *line, struct lines_answer *a, struct err *err)
{
	struct records *of = ctx;
	struct store_stmt s = store_stmt_new(
	        of->db, "SELECT hash FROM hub_record_key WHERE token = ? AND key = ?");
	uint8_t hash[HASH_16];
	int rc;

	hash_line(hash, line);
	store_stmt_put_text(&s, of->token->id);
	store_stmt_put_text(&s, a->key);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		size_t len;
		const uint8_t *was = store_stmt_get_blob(&s, &len);

		if (len != HASH_16 || memcmp(was, hash, HASH_16) != 0)
			rc = err_set(err, ERR_INVALID,
			             "key: was used for another line before; take a new one");
	}
	store_stmt_end(&s);
	return rc;
}

static int
keep_key(struct records *of, const char *line, const struct lines_answer *a, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        of->db, "INSERT INTO hub_record_key(token, key, at_ms, hash) VALUES (?, ?, ?, ?)");
	uint8_t hash[HASH_16];

	hash_line(hash, line);
	store_stmt_put_text(&s, of->token->id);
	store_stmt_put_text(&s, a->key);
	store_stmt_put_int(&s, env_wall_ms(store_db_env(of->db)));
	store_stmt_put_blob(&s, hash, sizeof hash);
	return store_stmt_run(&s, err);
}

/* ---- reading a line ---- */

/* What stands around the row: ERR_INVALID unless all of it is there and nothing else. */
static int
check_members(struct records *of, const char *line, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        of->db, "SELECT key FROM json_each(?)"
	                " WHERE key NOT IN ('key', 'table', 'op', 'row')"
	                " OR type <> CASE key WHEN 'row' THEN 'object' ELSE 'text' END LIMIT 1");
	size_t bad;
	int rc;

	if (!text_is_utf8(line, strlen(line), &bad)) {
		store_stmt_end(&s);
		return err_set(err, ERR_INVALID, "the line isn't UTF-8 at byte %zu", bad);
	}
	store_stmt_put_text(&s, line);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = err_set(err, ERR_INVALID,
		             "%.40s: members are key, table and op, which are texts, and row, an "
		             "object",
		             store_stmt_get_text(&s));
	store_stmt_end(&s);
	return rc;
}

static int
check_json(struct records *of, const char *line, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        of->db, "SELECT CASE WHEN json_valid(?1) THEN json_type(?1) = 'object' AND"
	                " (SELECT count(*) = count(DISTINCT key) AND count(*) = 4 FROM"
	                " json_each(?1)) END");
	int rc;

	store_stmt_put_text(&s, line);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = store_stmt_get_int(&s) == 1 ? 0
		                                 : err_set(err, ERR_INVALID,
		                                           "a line is an object with key, table, "
		                                           "op and row, each once");
	store_stmt_end(&s);
	return rc;
}

/* table and op. */
static int
read_target(struct records *of, const char *line, struct record *r, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        of->db, "SELECT json_extract(?1, '$.table'), json_extract(?1, '$.op')");
	const struct store_table *table = NULL;
	int rc;

	store_stmt_put_text(&s, line);
	rc = store_stmt_step(&s, err);
	if (rc == 0)
		rc = err_set(err, ERR_CORRUPT, "a query of one row gave none");
	if (rc == 1) {
		const char *name = store_stmt_get_text(&s), *op = store_stmt_get_text(&s);

		rc = 0;
		/* a token of before may name a table of the engine's own */
		if (!store_schema_stays(name) && token_writes_table(of->token, name))
			table = store_catalog_table_by_name(of->db, name);
		r->schema = table == NULL ? NULL : table->local;
		r->deletes = strcmp(op, "delete") == 0;
		if (r->schema == NULL)
			rc = err_set(err, ERR_DENIED, "table: this token doesn't write %.60s",
			             name);
		else if (!r->deletes && strcmp(op, "upsert") != 0)
			rc = err_set(err, ERR_INVALID, "op: %.20s is neither upsert nor delete",
			             op);
	}
	store_stmt_end(&s);
	return rc;
}

/* Hex digits as a blob in the arena. */
static int
read_hex(struct record *r, const char *name, struct store_value *v, struct err *err)
{
	uint8_t *bytes = arena_take(&r->arena, v->len / 2 + 1, 1);

	if (bytes == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for a line");
	if (v->len % 2 != 0 || !text_unhex(bytes, v->len / 2, (const char *)v->bytes))
		return err_set(err, ERR_INVALID, "%.60s: is no text of hex digits, as blobs are",
		               name);
	*v = store_value_blob(bytes, v->len / 2);
	return 0;
}

/* A value as the column's declared type wants it; there are four in the facility's tables, and a
 * column of another type takes any. */
static int
fit(struct record *r, const struct store_column *column, struct store_value *v, struct err *err)
{
	bool number = v->type == STORE_INT || v->type == STORE_REAL;

	if (v->type == STORE_TEXT && memchr(v->bytes, 0, v->len) != NULL)
		return err_set(err, ERR_INVALID, "%.60s: holds a zero character", column->name);
	if (v->type == STORE_NULL)
		return column->key == 0 ? 0
		                        : err_set(err, ERR_INVALID, "%.60s: a key can't be null",
		                                  column->name);
	if (strcmp(column->type, "BLOB") == 0)
		return v->type == STORE_TEXT ? read_hex(r, column->name, v, err)
		                             : err_set(err, ERR_INVALID,
		                                       "%.60s: is no text of hex digits, as "
		                                       "blobs are",
		                                       column->name);
	if (strcmp(column->type, "INTEGER") == 0 && v->type != STORE_INT)
		return err_set(err, ERR_INVALID, "%.60s: is no whole number of 64 bits",
		               column->name);
	if (strcmp(column->type, "REAL") == 0 && !number)
		return err_set(err, ERR_INVALID, "%.60s: is no number", column->name);
	if (strcmp(column->type, "TEXT") == 0 && v->type != STORE_TEXT)
		return err_set(err, ERR_INVALID, "%.60s: is no text", column->name);
	return 0;
}

/* The column that a member names, at a place of the row. */
static int
add_value(struct record *r, const char *name, struct store_value v, struct err *err)
{
	int at = store_schema_find(r->schema, name);
	const struct store_column *column = at < 0 ? NULL : &r->schema->columns[at];

	if (column == NULL || feed_row_is_secret(name))
		return err_set(err, ERR_INVALID,
		               "row: table %.60s has no column %.60s to be written",
		               r->schema->table, name);
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->columns[i], column->here) == 0)
			return err_set(err, ERR_INVALID, "row: %.60s is given twice", name);
	if (v.len > 0) {
		const char *copy = arena_copy(&r->arena, v.bytes, v.len);

		if (copy == NULL)
			return err_set(err, ERR_NOMEM, "out of memory for a line");
		v.bytes = (const uint8_t *)copy;
	}
	r->columns[r->count] = column->here; /* for SQL; lines call it what it travels by */
	r->values[r->count] = v;
	return fit(r, column, &r->values[r->count++], err);
}

static int
read_row(struct records *of, const char *line, struct record *r, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        of->db, "SELECT key, type IN ('null', 'integer', 'real', 'text'), value FROM"
	                " json_each(?, '$.row')");
	int rc;

	store_stmt_put_text(&s, line);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		const char *name = store_stmt_get_text(&s);

		if (store_stmt_get_int(&s) == 0)
			rc = err_set(err, ERR_INVALID, "%.60s: a value is a number, a text or null",
			             name);
		else
			rc = add_value(r, name, store_stmt_get_value(&s), err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc;
}

/* ---- whose row it is ---- */

static const struct store_value *
value_of(const struct record *r, const char *column)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->columns[i], column) == 0)
			return &r->values[i];
	return NULL;
}

/* Does anybody come for rows of this scope? */
static int
check_reader(struct records *of, const char *scope, struct err *err)
{
	struct store_stmt s;
	int rc;

	if (strncmp(scope, "f/", 2) != 0)
		return 0;
	s = store_stmt_new(of->db,
	                   "SELECT 1 FROM hub_node WHERE facility = ? AND revoked_ms IS NULL"
	                   " LIMIT 1");
	store_stmt_put_text(&s, scope + 2);
	rc = store_stmt_step(&s, err);
	store_stmt_end(&s);
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "row: no node of facility %.60s is enrolled here",
		               scope + 2);
	return rc < 0 ? rc : 0;
}

/* May the token write rows of this scope? */
static int
check_scope(struct records *of, const char *scope, struct err *err)
{
	if (strcmp(scope, "hub") == 0 || !token_reads_scope(of->token, scope))
		return err_set(err, ERR_DENIED, "row: this token writes in %.60s, not in %.60s",
		               of->token->scope, scope);
	return check_reader(of, scope, err);
}

/* What the row says of its scope. */
static int
read_given(struct record *r, struct err *err)
{
	const struct store_schema *s = r->schema;
	char *scope = r->scope;
	const struct store_value *v;

	if (s->scope_column < 0) {
		text_copy(scope, sizeof r->scope, s->scope_prefix);
		return 0;
	}
	v = value_of(r, s->columns[s->scope_column].here);
	if (v == NULL || v->type != STORE_TEXT || v->len == 0)
		return err_set(err, ERR_INVALID, "row: %.60s is needed",
		               s->columns[s->scope_column].name);
	if (strlen(s->scope_prefix) + v->len > STORE_SCOPE_MAX)
		return err_set(err, ERR_INVALID, "row: %.60s is too long",
		               s->columns[s->scope_column].name);
	memcpy(scope, s->scope_prefix, strlen(s->scope_prefix));
	memcpy(scope + strlen(s->scope_prefix), v->bytes, v->len);
	scope[strlen(s->scope_prefix) + v->len] = 0;
	return 0;
}

/* It is answered as if it weren't there. */
static int
not_theirs(const struct record *r, struct err *err)
{
	return err_set(err, ERR_NOTFOUND,
	               r->deletes ? "row: there is none of this key"
	                          : "row: this key can't be used; take another");
}

/* The row of that key as it is: 1 if its column says the same scope, 0 if there is none;
 * ERR_NOTFOUND if it is somebody else's. */
static int
find_present(struct records *of, const struct record *r, struct err *err)
{
	const struct store_schema *s = r->schema;
	const char *column = s->scope_column < 0 ? NULL : s->columns[s->scope_column].here;
	struct store_named_row row = row_of(r);
	struct buf is = { 0 };
	int rc = store_keyed_get(of->db, &row, column, &is, err);

	if (rc == 1 && column != NULL) {
		const struct store_value *v = value_of(r, column);

		if (v == NULL || v->len != is.len || memcmp(v->bytes, is.bytes, is.len) != 0)
			rc = not_theirs(r, err);
	}
	buf_free(&is);
	return rc;
}

/* The name of the scope that the key's row is or was kept in; NULL if there never was one. */
static int
find_own(struct records *of, const struct record *r, const char **own, struct err *err)
{
	const struct store_schema *s = r->schema;
	struct store_value values[STORE_COLUMNS_MAX] = { 0 };
	struct buf key = { 0 };
	int scope = 0, rc;

	*own = NULL;
	for (unsigned i = 0; i < s->key_count; i++) {
		const struct store_value *v = value_of(r, s->columns[s->keys[i]].here);

		if (v == NULL)
			return 0; /* find_present says what is wrong */
		values[s->keys[i]] = *v;
	}
	store_schema_key(s, values, &key);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = store_inspect_scope(of->db, s->table_id, key.bytes, key.len, &scope, err);
	buf_free(&key);
	*own = scope == 0 ? NULL : store_catalog_scope_of(of->db, scope);
	return rc;
}

/*
 * May the token write that row?  One that was moved to another scope (sync/merge/share.h) is that
 * one's, whatever its column says; any other key keeps its scope for ever, also when its row is
 * gone: who sees its history sees what comes.
 */
static int
check_owner(struct records *of, struct record *r, struct err *err)
{
	const char *own;
	int rc = find_own(of, r, &own, err);

	if (rc < 0)
		return rc;
	r->was_there = own != NULL;
	if (own == NULL || strcmp(own, r->scope) == 0)
		return check_scope(of, r->scope, err);
	rc = find_present(of, r, err);
	if (rc < 0 && rc != ERR_NOTFOUND)
		return rc;
	if (rc != 1) {
		rc = check_scope(of, r->scope, err);
		return rc == 0 ? not_theirs(r, err) : rc;
	}
	if (strcmp(own, "hub") == 0 || !token_reads_scope(of->token, own))
		return not_theirs(r, err);
	return check_reader(of, own, err);
}

/* ---- writing ---- */

/* No INSERT over a row that is there: its columns that only grow would seem to fall. */
static int
put_row(struct records *of, const struct record *r, bool there, struct err *err)
{
	struct record_line line = { .db = of->db, .schema = r->schema, .row = row_of(r) };
	int asks = record_rules_check(&line, err), rc = asks;

	if (rc >= 0)
		rc = there ? store_keyed_update(of->db, &line.row, err)
		           : store_transfer_one(of->db, &line.row, err);
	return rc == 0 ? record_rules_written(&line, asks == 1, err) : rc;
}

static int
write_row(struct records *of, const struct record *r, struct err *err)
{
	struct store_named_row row = row_of(r);
	int rc = find_present(of, r, err);

	if (rc < 0)
		return rc;
	if (r->deletes && rc == 0)
		return err_set(err, ERR_NOTFOUND, "row: there is none of this key");
	if (r->deletes) {
		rc = store_keyed_delete(of->db, &row, err);
		return rc < 0 ? rc : 0;
	}
	if (rc == 0 && r->was_there && record_rules_asks(r->schema->table))
		return err_set(err, ERR_INVALID,
		               "row: the one of this key was deleted; make a new one");
	if (rc == 1 && r->schema->kind == STORE_EVENT)
		return err_set(err, ERR_INVALID,
		               "row: this one is there already, and rows of %.60s are only added",
		               r->schema->table);
	return put_row(of, r, rc == 1, err);
}

/* A booking takes the seat that it names, and one that goes leaves it. */
static int
take_seat(struct records *of, const struct record *r, struct err *err)
{
	const struct store_value *id = value_of(r, "id");

	if (strcmp(r->schema->table, "booking") != 0 || id == NULL || id->type != STORE_BLOB ||
	    id->len != STORE_ID)
		return 0;
	return r->deletes ? seats_leave(of->db, id->bytes, err)
	                  : seats_confirm(of->db, id->bytes, err);
}

static int
take(void *ctx, const char *line, struct lines_answer *a, struct err *err)
{
	struct records *of = ctx;
	struct record r = { .arena = { .limit = (size_t)LINES_LINE_MAX * 8 } };
	int rc = check_json(of, line, err);

	if (rc == 0)
		rc = check_members(of, line, err);
	if (rc == 0 && a->key[0] == 0)
		rc = err_set(err, ERR_INVALID,
		             "key: is needed, so that a repeated line counts once");
	if (rc == 0)
		rc = read_target(of, line, &r, err);
	if (rc == 0)
		rc = read_row(of, line, &r, err);
	if (rc == 0)
		rc = read_given(&r, err);
	if (rc == 0)
		rc = check_owner(of, &r, err);
	if (rc == 0 && r.deletes)
		rc = take_seat(of, &r, err);
	if (rc == 0)
		rc = write_row(of, &r, err);
	if (rc == 0 && !r.deletes)
		rc = take_seat(of, &r, err);
	if (rc == 0)
		rc = keep_key(of, line, a, err);
	arena_free(&r.arena);
	return rc;
}

int
records_take(struct records *by, const void *body, size_t len, struct buf *out,
             struct lines_counts *counts, struct err *err)
{
	struct lines_taker taker = {
		.db = by->db,
		.ctx = by,
		.seen = seen,
		.take = take,
		.forget = "DELETE FROM hub_record_key WHERE at_ms < ?",
	};

	return lines_take(&taker, body, len, out, counts, err);
}

#include "store/stmt.h"
#include "store/db_priv.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void
keep_first(struct store_stmt *s, int status)
{
	if (s->status == SQLITE_OK)
		s->status = status;
}

/* Eight bytes a step: statements are looked for by their text for every row. */
static uint64_t
text_hash(const char *sql)
{
	size_t left = strlen(sql);
	uint64_t h = left, word;

	for (; left > 0; sql += sizeof word) {
		size_t some = left < sizeof word ? left : sizeof word;

		word = 0;
		memcpy(&word, sql, some);
		h = (h ^ word) * 0x9e3779b97f4a7c15U;
		h ^= h >> 32;
		left -= some;
	}
	return h;
}

enum { WAYS = 8 }; /* places that a text may be kept in */

/* The slot that holds `sql`, or else one to keep it in: an empty one, or that of the text that has
 * not come by for longest; -1 if all are in use. */
static int
find_slot(struct store_db *db, const char *sql, bool *found)
{
	uint64_t h = text_hash(sql);
	int best = -1;

	*found = false;
	for (unsigned i = 0; i < WAYS; i++) {
		int slot = (int)((h + i) % STORE_KEPT_MAX);
		const struct store_kept *k = &db->kept[slot];

		if (k->in_use)
			continue;
		if (k->sql != NULL && strcmp(k->sql, sql) == 0) {
			*found = true;
			return slot;
		}
		if (best < 0 || k->used < db->kept[best].used)
			best = slot;
	}
	return best;
}

struct store_stmt
store_stmt_new(struct store_db *db, const char *sql)
{
	struct store_stmt s = { .db = db, .slot = -1 };
	struct store_kept *kept;
	bool found;
	int slot = find_slot(db, sql, &found);

	if (slot >= 0)
		db->kept[slot].used = ++db->kept_count;
	if (found) {
		s.slot = slot;
		s.handle = db->kept[slot].handle;
		db->kept[slot].in_use = true;
		return s;
	}
	s.status =
	        sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s.handle, NULL);
	if (s.status == SQLITE_OK && s.handle == NULL)
		s.status = SQLITE_NOMEM; /* no text of ours is empty, but one without memory is */
	if (s.status != SQLITE_OK || slot < 0)
		return s;
	kept = &db->kept[slot];
	sqlite3_finalize(kept->handle);
	free(kept->sql);
	*kept = (struct store_kept){
		.sql = strdup(sql), .handle = s.handle, .used = db->kept_count, .in_use = true
	};
	if (kept->sql == NULL)
		*kept = (struct store_kept){ 0 };
	else
		s.slot = slot;
	return s;
}

struct store_stmt
store_stmt_first(struct store_db *db, const char *sql, const char **tail)
{
	struct store_stmt s = { .db = db, .slot = -1 };

	*tail = sql + strlen(sql);
	s.status = sqlite3_prepare_v2(db->handle, sql, -1, &s.handle, tail);
	s.param = sqlite3_bind_parameter_count(s.handle); /* a person's own '?' stay NULL */
	return s;
}

bool
store_stmt_readonly(const struct store_stmt *s)
{
	return s->handle == NULL || sqlite3_stmt_readonly(s->handle) != 0;
}

void
store_stmt_put_int(struct store_stmt *s, int64_t value)
{
	s->param++;
	if (s->status == SQLITE_OK)
		keep_first(s, sqlite3_bind_int64(s->handle, s->param, value));
}

void
store_stmt_put_real(struct store_stmt *s, double value)
{
	s->param++;
	if (s->status == SQLITE_OK)
		keep_first(s, sqlite3_bind_double(s->handle, s->param, value));
}

void
store_stmt_put_text(struct store_stmt *s, const char *text)
{
	s->param++;
	if (s->status == SQLITE_OK)
		keep_first(s, text == NULL ? sqlite3_bind_null(s->handle, s->param)
		                           : sqlite3_bind_text(s->handle, s->param, text, -1,
		                                               SQLITE_STATIC));
}

void
store_stmt_put_blob(struct store_stmt *s, const void *bytes, size_t len)
{
	assert(len <= INT_MAX);
	s->param++;
	if (s->status == SQLITE_OK)
		keep_first(s, sqlite3_bind_blob(s->handle, s->param, bytes == NULL ? "" : bytes,
		                                (int)len, SQLITE_STATIC));
}

void
store_stmt_put_null(struct store_stmt *s)
{
	s->param++;
	if (s->status == SQLITE_OK)
		keep_first(s, sqlite3_bind_null(s->handle, s->param));
}

void
store_stmt_put_value(struct store_stmt *s, const struct store_value *v)
{
	switch (v->type) {
	case STORE_INT:
		store_stmt_put_int(s, v->num.i);
		return;
	case STORE_REAL:
		store_stmt_put_real(s, v->num.r);
		return;
	case STORE_TEXT:
		assert(v->len <= INT_MAX);
		s->param++;
		if (s->status == SQLITE_OK)
			keep_first(s, sqlite3_bind_text(s->handle, s->param, (const char *)v->bytes,
			                                (int)v->len, SQLITE_STATIC));
		return;
	case STORE_BLOB:
		store_stmt_put_blob(s, v->bytes, v->len);
		return;
	case STORE_NULL:
		break;
	}
	store_stmt_put_null(s);
}

int
store_stmt_step(struct store_stmt *s, struct err *err)
{
	int status = s->status, rc = store_db_doomed(s->db, err);

	if (rc < 0)
		return rc;
	if (status == SQLITE_OK) {
		assert(s->param == sqlite3_bind_parameter_count(s->handle));
		status = sqlite3_step(s->handle);
	}
	s->column = 0;
	if (status == SQLITE_ROW)
		return 1;
	if (status == SQLITE_DONE)
		return 0;
	keep_first(s, status);
	return store_db_fail(s->db, err, status);
}

int
store_stmt_run(struct store_stmt *s, struct err *err)
{
	int rc = store_stmt_step(s, err);

	store_stmt_end(s);
	assert(rc <= 0);
	return rc;
}

int64_t
store_stmt_get_int(struct store_stmt *s)
{
	return sqlite3_column_int64(s->handle, s->column++);
}

double
store_stmt_get_real(struct store_stmt *s)
{
	return sqlite3_column_double(s->handle, s->column++);
}

const char *
store_stmt_get_text(struct store_stmt *s)
{
	const unsigned char *text = sqlite3_column_text(s->handle, s->column++);

	return text == NULL ? "" : (const char *)text;
}

const char *
store_stmt_copy_text(struct store_stmt *s, struct arena *a)
{
	const char *text = store_stmt_get_text(s);

	return arena_copy(a, text, strlen(text));
}

const uint8_t *
store_stmt_get_blob(struct store_stmt *s, size_t *len)
{
	const uint8_t *bytes = sqlite3_column_blob(s->handle, s->column);

	*len = (size_t)sqlite3_column_bytes(s->handle, s->column++);
	return bytes == NULL ? (const uint8_t *)"" : bytes;
}

struct store_value
store_stmt_get_value(struct store_stmt *s)
{
	struct store_value v = { .type = (enum store_type)sqlite3_column_type(s->handle,
		                                                              s->column) };

	switch (v.type) {
	case STORE_INT:
		v.num.i = store_stmt_get_int(s);
		return v;
	case STORE_REAL:
		return store_value_real(store_stmt_get_real(s));
	case STORE_TEXT:
		v.bytes = sqlite3_column_text(s->handle, s->column);
		v.len = (size_t)sqlite3_column_bytes(s->handle, s->column++);
		if (v.bytes == NULL)
			v.bytes = (const uint8_t *)"";
		return v;
	case STORE_BLOB:
		v.bytes = store_stmt_get_blob(s, &v.len);
		return v;
	case STORE_NULL:
		break;
	}
	s->column++;
	return store_value_null();
}

bool
store_stmt_null(const struct store_stmt *s)
{
	return sqlite3_column_type(s->handle, s->column) == SQLITE_NULL;
}

int
store_stmt_columns(const struct store_stmt *s)
{
	return s->handle == NULL ? 0 : sqlite3_column_count(s->handle);
}

const char *
store_stmt_column_name(const struct store_stmt *s, int column)
{
	return sqlite3_column_name(s->handle, column);
}

/* What a step has failed with was told by it; but a value that was read as nothing, because there
 * was no memory for it, shows only here. */
static void
reset(struct store_stmt *s)
{
	int status = sqlite3_reset(s->handle);

	if ((status & 0xff) == SQLITE_NOMEM)
		store_db_doom(s->db, status);
}

void
store_stmt_reset(struct store_stmt *s)
{
	if (s->handle != NULL)
		reset(s);
	s->param = 0;
	s->column = 0;
	s->status = s->handle == NULL ? s->status : SQLITE_OK;
}

void
store_stmt_end(struct store_stmt *s)
{
	if (s->handle != NULL)
		reset(s);
	if (s->slot >= 0) {
		sqlite3_clear_bindings(s->handle);
		s->db->kept[s->slot].in_use = false;
	} else {
		sqlite3_finalize(s->handle);
	}
	s->handle = NULL;
	s->slot = -1;
}

int64_t
store_stmt_changes(const struct store_db *db)
{
	return sqlite3_changes64(db->handle);
}

int
store_stmt_int(struct store_db *db, const char *sql, int64_t missing, int64_t *value,
               struct err *err)
{
	struct store_stmt s = store_stmt_new(db, sql);
	int rc = store_stmt_step(&s, err);

	*value = rc == 1 && !store_stmt_null(&s) ? store_stmt_get_int(&s) : missing;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
store_db_version(struct store_db *db, int64_t *version, struct err *err)
{
	return store_stmt_int(db, "PRAGMA data_version", 0, version, err);
}

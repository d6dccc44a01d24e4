#include "store/db_priv.h"
#include "store/rows_priv.h"

#include <assert.h>
#include <string.h>

void
store_rows_quote(struct buf *out, const char *name)
{
	buf_u8(out, '"');
	for (; *name != 0; name++) {
		if (*name == '"')
			buf_u8(out, '"');
		buf_u8(out, (uint8_t)*name);
	}
	buf_u8(out, '"');
}

static void
put_where(struct buf *sql, const struct store_schema *s)
{
	for (unsigned k = 0; k < s->key_count; k++) {
		buf_printf(sql, k == 0 ? " WHERE " : " AND ");
		store_rows_quote(sql, s->columns[s->keys[k]].here);
		buf_printf(sql, " = ?");
	}
}

static void
put_select(struct buf *sql, const struct store_schema *s)
{
	for (unsigned i = 0; i < s->column_count; i++) {
		buf_printf(sql, i == 0 ? "SELECT " : ", ");
		store_rows_quote(sql, s->columns[i].here);
	}
	buf_printf(sql, " FROM ");
	store_rows_quote(sql, s->table);
	put_where(sql, s);
}

/* "a" = SEP"a", ... for the columns in mask. */
static void
put_assignments(struct buf *sql, const struct store_schema *s, uint64_t mask, const char *from,
                bool parameter)
{
	const char *comma = "";

	for (unsigned i = 0; i < s->column_count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		buf_printf(sql, "%s", comma);
		store_rows_quote(sql, s->columns[i].here);
		buf_printf(sql, " = %s", from);
		if (!parameter)
			store_rows_quote(sql, s->columns[i].here);
		comma = ", ";
	}
}

static void
put_list(struct buf *sql, const struct store_schema *s, uint64_t mask, bool parameter)
{
	const char *comma = "";

	for (unsigned i = 0; i < s->column_count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		buf_printf(sql, "%s%s", comma, parameter ? "?" : "");
		if (!parameter)
			store_rows_quote(sql, s->columns[i].here);
		comma = ", ";
	}
}

static uint64_t
key_mask(const struct store_schema *s)
{
	uint64_t mask = 0;

	for (unsigned k = 0; k < s->key_count; k++)
		mask |= (uint64_t)1 << s->keys[k];
	return mask;
}

static void
put_upsert(struct buf *sql, const struct store_schema *s, uint64_t mask)
{
	uint64_t all = mask | key_mask(s);

	buf_printf(sql, "INSERT INTO ");
	store_rows_quote(sql, s->table);
	buf_printf(sql, "(");
	put_list(sql, s, all, false);
	buf_printf(sql, ") VALUES (");
	put_list(sql, s, all, true);
	buf_printf(sql, ") ON CONFLICT(");
	put_list(sql, s, key_mask(s), false);
	buf_printf(sql, ") DO ");
	if (mask == 0) {
		buf_printf(sql, "NOTHING");
		return;
	}
	buf_printf(sql, "UPDATE SET ");
	put_assignments(sql, s, mask, "excluded.", false);
}

static void
put_many(struct buf *sql, const struct store_schema *s, uint64_t mask)
{
	uint64_t all = mask | key_mask(s);

	buf_printf(sql, "INSERT OR IGNORE INTO ");
	store_rows_quote(sql, s->table);
	buf_printf(sql, "(");
	put_list(sql, s, all, false);
	buf_printf(sql, ") SELECT c0");
	for (int i = 1; i < __builtin_popcountll(all); i++)
		buf_printf(sql, ", c%d", i);
	buf_printf(sql, " FROM yz_source");
}

static void
put_update(struct buf *sql, const struct store_schema *s, uint64_t mask)
{
	buf_printf(sql, "UPDATE ");
	store_rows_quote(sql, s->table);
	buf_printf(sql, " SET ");
	put_assignments(sql, s, mask, "?", true);
	put_where(sql, s);
}

static void
put_delete(struct buf *sql, const struct store_schema *s, uint64_t mask)
{
	(void)mask;
	buf_printf(sql, "DELETE FROM ");
	store_rows_quote(sql, s->table);
	put_where(sql, s);
}

static void
make_select(struct buf *sql, const struct store_schema *s, uint64_t mask)
{
	(void)mask;
	put_select(sql, s);
}

/* Compile once and hold; a failure to compile shows at the first step, and isn't held. */
static struct store_stmt *
prepare(struct store_rows *rows, struct store_stmt *slot, bool *has,
        void (*text)(struct buf *, const struct store_schema *, uint64_t), uint64_t mask)
{
	struct buf sql = { 0 };

	if (*has) {
		store_stmt_reset(slot);
		return slot;
	}
	text(&sql, rows->schema, mask);
	*slot = store_stmt_new(rows->db, buf_str(&sql));
	*has = slot->handle != NULL;
	buf_free(&sql);
	return slot;
}

/* The same for a statement whose text depends on the mask: anew if it was compiled for another. */
static struct store_stmt *
prepare_for(struct store_rows *rows, struct store_stmt *slot, bool *has, uint64_t *made_for,
            void (*text)(struct buf *, const struct store_schema *, uint64_t), uint64_t mask)
{
	if (*has && *made_for != mask) {
		store_stmt_end(slot);
		*has = false;
	}
	*made_for = mask;
	return prepare(rows, slot, has, text, mask);
}

enum affinity { AS_IT_IS, TO_TEXT, TO_REAL, TO_NUMBER };

/* What a declared type does to values (SQLite, "Datatypes", 3.1). */
static enum affinity
affinity_of(const char *type)
{
	if (strstr(type, "INT") != NULL)
		return TO_NUMBER;
	if (strstr(type, "CHAR") != NULL || strstr(type, "CLOB") != NULL ||
	    strstr(type, "TEXT") != NULL)
		return TO_TEXT;
	if (type[0] == 0 || strstr(type, "BLOB") != NULL)
		return AS_IT_IS;
	if (strstr(type, "REAL") != NULL || strstr(type, "FLOA") != NULL ||
	    strstr(type, "DOUB") != NULL)
		return TO_REAL;
	return TO_NUMBER;
}

bool
store_rows_makes_text(const char *type)
{
	return affinity_of(type) == TO_TEXT;
}

struct store_rows
store_rows_of(struct store_db *db, const struct store_schema *schema)
{
	static const bool keeps[][STORE_NULL + 1] = {
		[AS_IT_IS] = { [STORE_INT] = true, [STORE_REAL] = true, [STORE_TEXT] = true },
		[TO_TEXT] = { [STORE_TEXT] = true },
		[TO_REAL] = { [STORE_REAL] = true },
		[TO_NUMBER] = { [STORE_INT] = true },
	};
	struct store_rows rows = { .db = db, .schema = schema };

	for (unsigned i = 0; i < schema->column_count; i++)
		for (int type = STORE_INT; type <= STORE_NULL; type++)
			if (type >= STORE_BLOB || keeps[affinity_of(schema->columns[i].type)][type])
				rows.keeps[type] |= (uint64_t)1 << i;
	return rows;
}

/* Might the column keep another value than it is given? */
static bool
may_turn(const struct store_rows *rows, unsigned column, const struct store_value *v)
{
	return (rows->keeps[v->type] >> column & 1) == 0;
}

void
store_rows_end(struct store_rows *rows)
{
	if (rows->has_select)
		store_stmt_end(&rows->select);
	if (rows->has_upsert)
		store_stmt_end(&rows->upsert);
	if (rows->has_update)
		store_stmt_end(&rows->update);
	if (rows->has_erase)
		store_stmt_end(&rows->erase);
	if (rows->has_many)
		store_stmt_end(&rows->many);
	rows->has_many = false;
	rows->has_select = rows->has_upsert = rows->has_update = rows->has_erase = false;
}

/* The key's values in key order; false if the canonical key isn't one of this table. */
static bool
read_key(const struct store_schema *s, const uint8_t *key, size_t key_len,
         struct store_value out[STORE_KEYS_MAX])
{
	struct rd r = rd_from(key, key_len);

	for (unsigned k = 0; k < s->key_count; k++)
		out[k] = store_value_read(&r);
	return rd_done(&r);
}

static int
bad_key(const struct store_rows *rows, struct err *err)
{
	return err_set(err, ERR_INVALID, "table %s: the key has another number of columns here",
	               rows->schema->table);
}

static void
put_keys(struct store_stmt *s, const struct store_schema *schema, const struct store_value *keys)
{
	for (unsigned k = 0; k < schema->key_count; k++)
		store_stmt_put_value(s, &keys[k]);
}

int
store_rows_get(struct store_rows *rows, const uint8_t *key, size_t key_len,
               struct store_value *values, struct arena *a, struct err *err)
{
	struct store_value keys[STORE_KEYS_MAX];
	struct store_stmt *s = prepare(rows, &rows->select, &rows->has_select, make_select, 0);
	int rc;

	if (!read_key(rows->schema, key, key_len, keys))
		return 0; /* no row of this table has such a key */
	put_keys(s, rows->schema, keys);
	rc = store_stmt_step(s, err);
	for (unsigned i = 0; rc == 1 && i < rows->schema->column_count; i++) {
		values[i] = store_stmt_get_value(s);
		if (values[i].type != STORE_TEXT && values[i].type != STORE_BLOB)
			continue;
		values[i].bytes = arena_copy(a, values[i].bytes, values[i].len);
		if (values[i].bytes == NULL)
			rc = err_set(err, ERR_NOMEM, "out of memory");
	}
	store_stmt_reset(s);
	return rc;
}

/* Values of keys and masked cells in column order, as put_list names them. */
static void
put_columns(struct store_stmt *s, const struct store_schema *schema, const struct store_value *keys,
            uint64_t mask, const struct store_value *values)
{
	for (unsigned i = 0; i < schema->column_count; i++) {
		if (schema->columns[i].key > 0)
			store_stmt_put_value(s, &keys[schema->columns[i].key - 1]);
		else if (mask >> i & 1)
			store_stmt_put_value(s, &values[i]);
	}
}

static int
finish(struct store_stmt *s, struct err *err)
{
	int rc = store_stmt_step(s, err);

	store_stmt_reset(s);
	return rc;
}

static int
upsert(struct store_rows *rows, const struct store_value *keys, uint64_t mask,
       const struct store_value *values, struct err *err)
{
	struct store_stmt *s = prepare_for(rows, &rows->upsert, &rows->has_upsert,
	                                   &rows->upsert_mask, put_upsert, mask);
	put_columns(s, rows->schema, keys, mask, values);
	return finish(s, err);
}

static int
update(struct store_rows *rows, const struct store_value *keys, uint64_t mask,
       const struct store_value *values, struct err *err)
{
	struct store_stmt *s = prepare_for(rows, &rows->update, &rows->has_update,
	                                   &rows->update_mask, put_update, mask);
	for (unsigned i = 0; i < rows->schema->column_count; i++)
		if (mask >> i & 1)
			store_stmt_put_value(s, &values[i]);
	put_keys(s, rows->schema, keys);
	return finish(s, err);
}

/*
 * A row must give back what it was given: else its term, which is that of the values given, isn't
 * that of the values it will give.  Such a value comes from where the column has another type.
 */
static int
check_kept(struct store_rows *rows, const uint8_t *key, size_t key_len, uint64_t mask,
           const struct store_value *values, struct err *err)
{
	const struct store_schema *s = rows->schema;
	struct store_value kept[STORE_COLUMNS_MAX];
	struct arena arena = { 0 };
	bool doubt = false;
	int rc = 1;

	for (unsigned i = 0; i < s->column_count; i++)
		doubt = doubt || ((mask >> i & 1) != 0 && may_turn(rows, i, &values[i]));
	if (!doubt)
		return 0;
	rc = store_rows_get(rows, key, key_len, kept, &arena, err);
	for (unsigned i = 0; rc == 1 && i < s->column_count; i++)
		if ((mask >> i & 1) != 0 && store_value_cmp(&kept[i], &values[i]) != 0)
			rc = err_set(err, ERR_INVALID,
			             "table %s: column %s, %s here, can't hold the value as it is",
			             s->table, s->columns[i].here, s->columns[i].type);
	arena_free(&arena);
	return rc < 0 ? rc : 0;
}

int
store_rows_insert(struct store_rows *rows, const uint8_t *key, size_t key_len, uint64_t mask,
                  const struct store_value *values, struct err *err)
{
	struct store_value keys[STORE_KEYS_MAX];
	int rc;

	assert((mask & key_mask(rows->schema)) == 0);
	if (!read_key(rows->schema, key, key_len, keys))
		return bad_key(rows, err);
	rc = upsert(rows, keys, mask, values, err);
	return rc < 0 ? rc : check_kept(rows, key, key_len, mask, values, err);
}

int
store_rows_update(struct store_rows *rows, const uint8_t *key, size_t key_len, uint64_t mask,
                  const struct store_value *values, struct err *err)
{
	struct store_value keys[STORE_KEYS_MAX];
	int rc;

	assert((mask & key_mask(rows->schema)) == 0);
	if (!read_key(rows->schema, key, key_len, keys))
		return bad_key(rows, err);
	if (mask == 0)
		return 0;
	rc = update(rows, keys, mask, values, err);
	return rc < 0 ? rc : check_kept(rows, key, key_len, mask, values, err);
}

unsigned
store_rows_lay(struct store_rows *rows, const uint8_t *key, size_t key_len, uint64_t mask,
               const struct store_value *values, struct store_value *out)
{
	const struct store_schema *s = rows->schema;
	struct store_value keys[STORE_KEYS_MAX];
	unsigned n = 0;

	if (!read_key(s, key, key_len, keys))
		return 0;
	for (unsigned i = 0; i < s->column_count; i++) {
		if (s->columns[i].key > 0) {
			out[n++] = keys[s->columns[i].key - 1];
		} else if (mask >> i & 1) {
			if (may_turn(rows, i, &values[i]))
				return 0;
			out[n++] = values[i];
		}
	}
	return n;
}

int
store_rows_insert_many(struct store_rows *rows, uint64_t mask, const struct store_value *values,
                       size_t count, struct err *err)
{
	struct store_source *source = &rows->db->source;
	struct store_stmt *s;
	int rc;

	s = prepare_for(rows, &rows->many, &rows->has_many, &rows->many_mask, put_many, mask);
	*source = (struct store_source){
		.values = values,
		.rows = count,
		.columns = (unsigned)__builtin_popcountll(mask | key_mask(rows->schema)),
	};
	rc = finish(s, err);
	if (rc == ERR_INVALID)
		return 0;
	return rc < 0 ? rc : store_stmt_changes(rows->db) == (int64_t)count;
}

int
store_rows_delete(struct store_rows *rows, const uint8_t *key, size_t key_len, struct err *err)
{
	struct store_value keys[STORE_KEYS_MAX];
	struct store_stmt *s = prepare(rows, &rows->erase, &rows->has_erase, put_delete, 0);

	if (!read_key(rows->schema, key, key_len, keys))
		return 0;
	put_keys(s, rows->schema, keys);
	return finish(s, err);
}

/*
 * store/breach.c - by foreign key: the pragma names tables, but no rows of those
 * WITHOUT ROWID, so the question is put in SQL.  By CHECK and NOT NULL: SQLite
 * says that a table has such rows, not which; its declaration, asked once more in
 * a table of its own that ignores what it refuses, keeps all but those.
 */
#include "store/breach.h"
#include "store/db_priv.h"
#include "store/rows_priv.h"

#include <string.h>

enum { FK_COLUMNS = STORE_KEYS_MAX };

/* One foreign key of the table: its columns, and those that they name. */
struct reference {
	const char *parent; /* as the caller spells it */
	unsigned count;
	const char *from[FK_COLUMNS], *to[FK_COLUMNS];
};

struct finding {
	struct store_db *db;
	const struct store_schema *child, *parent; /* parent NULL if it isn't tracked here */
	struct arena *a;
	struct store_breach_list *list;
};

/* ---- keys ---- */

static void
put_columns(struct buf *sql, const struct store_schema *s, const char *before)
{
	for (unsigned i = 0; i < s->key_count; i++) {
		buf_printf(sql, "%s%s", i == 0 ? "" : ",", before);
		store_rows_quote(sql, s->columns[s->keys[i]].here);
	}
}

static int
keep(struct finding *f, const struct buf *key, const uint8_t **out, size_t *len, struct err *err)
{
	if (buf_check(key, err) < 0)
		return err->code;
	*out = arena_copy(f->a, key->bytes, key->len);
	*len = key->len;
	return *out == NULL ? err_set(err, ERR_NOMEM, "verify: out of memory") : 0;
}

/* The key of the row that is named, if it is named by its whole key. */
static bool
put_parent(const struct finding *f, const struct reference *ref, const struct store_value *values,
           struct buf *key)
{
	for (unsigned k = 0; f->parent != NULL && k < f->parent->key_count; k++) {
		const char *name = f->parent->columns[f->parent->keys[k]].here;
		unsigned i = 0;

		while (i < ref->count && strcmp(ref->to[i], name) != 0)
			i++;
		if (i == ref->count)
			return false;
		store_value_write(key, &values[i]);
	}
	return f->parent != NULL;
}

/* The row that the statement stands on: its key, and what it names. */
static int
take(struct finding *f, struct store_stmt *s, const struct reference *ref, struct err *err)
{
	struct store_breach_row *row = &f->list->rows[f->list->count];
	struct store_value values[FK_COLUMNS];
	struct buf key = { 0 }, parent = { 0 };
	int rc;

	*row = (struct store_breach_row){ 0 };
	for (unsigned i = 0; i < f->child->key_count; i++) {
		struct store_value v = store_stmt_get_value(s);

		store_value_write(&key, &v);
	}
	for (unsigned i = 0; i < ref->count; i++)
		values[i] = store_stmt_get_value(s);
	rc = keep(f, &key, &row->key, &row->key_len, err);
	if (rc == 0 && ref->count > 0 && put_parent(f, ref, values, &parent))
		rc = keep(f, &parent, &row->parent, &row->parent_len, err);
	buf_free(&key);
	buf_free(&parent);
	if (rc == 0)
		f->list->count++;
	return rc;
}

static int
take_all(struct finding *f, struct buf *sql, const struct reference *ref, struct err *err)
{
	struct store_stmt s;
	int rc = buf_check(sql, err);

	if (rc < 0)
		return rc;
	s = store_stmt_new(f->db, buf_str(sql));
	while (f->list->count < STORE_BREACH_ROWS && (rc = store_stmt_step(&s, err)) == 1) {
		rc = take(f, &s, ref, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* ---- foreign keys ---- */

static int
find_orphans(struct finding *f, const struct reference *ref, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql, "SELECT ");
	put_columns(&sql, f->child, "c.");
	for (unsigned i = 0; i < ref->count; i++) {
		buf_printf(&sql, ",c.");
		store_rows_quote(&sql, ref->from[i]);
	}
	buf_printf(&sql, " FROM main.");
	store_rows_quote(&sql, f->child->table);
	buf_printf(&sql, " AS c WHERE NOT EXISTS(SELECT 1 FROM main.");
	store_rows_quote(&sql, ref->parent);
	buf_printf(&sql, " AS p WHERE ");
	for (unsigned i = 0; i < ref->count; i++) {
		buf_printf(&sql, "%sp.", i == 0 ? "" : " AND ");
		store_rows_quote(&sql, ref->to[i]);
		buf_printf(&sql, "=c.");
		store_rows_quote(&sql, ref->from[i]);
	}
	buf_printf(&sql, ")");
	for (unsigned i = 0; i < ref->count; i++) {
		buf_printf(&sql, " AND c.");
		store_rows_quote(&sql, ref->from[i]);
		buf_printf(&sql, " IS NOT NULL");
	}
	rc = take_all(f, &sql, ref, err);
	buf_free(&sql);
	return rc;
}

/* Each foreign key to that table, one after the other; a key that says no columns means the
 * parent's. */
static int
each_reference(struct finding *f, const char *parent, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        f->db, "SELECT f.id, f.\"from\", coalesce(f.\"to\", (SELECT name FROM"
	               " pragma_table_info(f.\"table\") WHERE pk = f.seq + 1), '')"
	               " FROM pragma_foreign_key_list(?) AS f"
	               " WHERE f.\"table\" = ? COLLATE NOCASE ORDER BY f.id, f.seq");
	struct reference ref = { .parent = parent };
	int64_t id = -1;
	int rc;

	store_stmt_put_text(&s, f->child->table);
	store_stmt_put_text(&s, parent);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		int64_t now = store_stmt_get_int(&s);
		const char *from = store_stmt_get_text(&s), *to = store_stmt_get_text(&s);

		if (now != id && ref.count > 0 && (rc = find_orphans(f, &ref, err)) < 0)
			break;
		ref.count = now == id ? ref.count : 0;
		id = now;
		if (ref.count == FK_COLUMNS)
			continue; /* asked by its first columns: fewer rows, and none in order */
		ref.from[ref.count] = arena_copy(f->a, from, strlen(from));
		ref.to[ref.count] = arena_copy(f->a, to, strlen(to));
		if (ref.from[ref.count] == NULL || ref.to[ref.count] == NULL)
			rc = err_set(err, ERR_NOMEM, "verify: out of memory");
		if (rc < 0)
			break;
		ref.count++;
	}
	store_stmt_end(&s);
	return rc == 0 && ref.count > 0 ? find_orphans(f, &ref, err) : rc;
}

/* ---- CHECK and NOT NULL ---- */

/* The table's declaration, for a table of the same name beside it. */
static int
copy_declaration(struct finding *f, struct err *err)
{
	static const char create[] = "CREATE TABLE ";
	struct store_stmt s = store_stmt_new(f->db, "SELECT sql FROM main.sqlite_schema"
	                                            " WHERE type = 'table' AND name = ?");
	struct buf sql = { 0 };
	int rc;

	store_stmt_put_text(&s, f->child->table);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		const char *text = store_stmt_get_text(&s);

		/* SQLite keeps every declaration with these words before the name */
		if (strncmp(text, create, sizeof create - 1) == 0)
			buf_printf(&sql, "CREATE TEMP TABLE %s", text + sizeof create - 1);
	}
	store_stmt_end(&s);
	if (rc == 1 && sql.len > 0 && (rc = buf_check(&sql, err)) == 0)
		rc = store_db_exec(f->db, buf_str(&sql), err);
	buf_free(&sql);
	return rc < 0 ? rc : 0;
}

static int
fill_copy(struct finding *f, struct err *err)
{
	struct buf sql = { 0 }, names = { 0 };
	int rc;

	for (unsigned i = 0; i < f->child->column_count; i++) {
		buf_printf(&names, "%s", i == 0 ? "" : ",");
		store_rows_quote(&names, f->child->columns[i].here);
	}
	buf_printf(&sql, "INSERT OR IGNORE INTO temp.");
	store_rows_quote(&sql, f->child->table);
	buf_printf(&sql, "(%s) SELECT %s FROM main.", buf_str(&names), buf_str(&names));
	store_rows_quote(&sql, f->child->table);
	rc = buf_check(&sql, err);
	if (rc == 0)
		rc = store_db_exec(f->db, buf_str(&sql), err);
	buf_free(&names);
	buf_free(&sql);
	return rc;
}

static int
find_refused(struct finding *f, struct err *err)
{
	static const struct reference none = { 0 };
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql, "SELECT ");
	put_columns(&sql, f->child, "");
	buf_printf(&sql, " FROM main.");
	store_rows_quote(&sql, f->child->table);
	buf_printf(&sql, " EXCEPT SELECT ");
	put_columns(&sql, f->child, "");
	buf_printf(&sql, " FROM temp.");
	store_rows_quote(&sql, f->child->table);
	rc = take_all(f, &sql, &none, err);
	buf_clear(&sql);
	buf_printf(&sql, "DROP TABLE temp.");
	store_rows_quote(&sql, f->child->table);
	if (rc == 0)
		rc = store_db_exec(f->db, buf_str(&sql), err);
	buf_free(&sql);
	return rc;
}

static int
ask_again(struct finding *f, struct err *err)
{
	struct err aside;
	int rc = store_db_exec(f->db, "PRAGMA ignore_check_constraints=OFF", err);

	if (rc == 0)
		rc = copy_declaration(f, err);
	if (rc == 0)
		rc = fill_copy(f, err);
	if (store_db_exec(f->db, "PRAGMA ignore_check_constraints=ON", &aside) < 0 && rc == 0)
		rc = err_set(err, aside.code, "%s", aside.msg);
	return rc == 0 ? find_refused(f, err) : rc;
}

int
store_breach_find(struct store_db *db, const struct store_table *table, const char *parent,
                  struct arena *a, struct store_breach_list *list, struct err *err)
{
	struct finding f = { .db = db, .child = table->local, .a = a, .list = list };
	const struct store_table *named;

	list->count = 0;
	if (parent == NULL)
		return ask_again(&f, err);
	named = store_catalog_table_by_name(db, parent);
	f.parent = named == NULL ? NULL : named->local;
	return each_reference(&f, parent, err);
}

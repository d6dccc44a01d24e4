#include "store/verdict.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <string.h>
#include <strings.h>

enum { PREFIX_MIN = 4 };

int
store_verdict_find(struct store_db *db, const char *hex, struct arena *a,
                   const struct store_conflict **out, struct err *err)
{
	size_t len = strlen(hex), count = 0;
	char id[2 * STORE_CONFLICT_ID + 1];
	struct store_conflict *list = NULL;
	int rc = store_inbox_list(db, false, a, &list, &count, err);

	*out = NULL;
	if (rc < 0)
		return rc;
	for (size_t i = 0; len >= PREFIX_MIN && i < count; i++) {
		text_hex(id, list[i].id, STORE_CONFLICT_ID);
		if (strncasecmp(id, hex, len) != 0)
			continue;
		if (*out != NULL)
			return err_set(
			        err, ERR_INVALID,
			        "several conflicts begin with %.32s; give more of its digits", hex);
		*out = &list[i];
	}
	return *out != NULL
	               ? 0
	               : err_set(err, ERR_NOTFOUND,
	                         "there is no conflict %.40s; yizhan conflicts lists them", hex);
}

/* The key columns' values, out of the canonical key, in key order. */
static void
put_key(struct store_stmt *s, const struct store_schema *schema, const struct store_conflict *c)
{
	struct rd r = rd_from(c->key, c->key_len);

	for (unsigned i = 0; i < schema->key_count; i++) {
		struct store_value v = store_value_read(&r);

		store_stmt_put_value(s, &v);
	}
}

static void
add_where(struct buf *sql, const struct store_schema *schema)
{
	for (unsigned i = 0; i < schema->key_count; i++)
		buf_printf(sql, "%s\"%s\" = ?", i == 0 ? " WHERE " : " AND ",
		           schema->columns[schema->keys[i]].name);
}

static int
write_cell(struct store_db *db, const struct store_schema *schema, const struct store_conflict *c,
           const struct store_value *value, struct err *err)
{
	const char *column = store_catalog_table(db, c->table)->names[c->column - 1];
	struct buf sql = { 0 };
	struct store_stmt s;
	int rc;

	if (store_schema_find(schema, column) < 0)
		return err_set(err, ERR_INVALID, "table %s has no column %s here any more",
		               schema->table, column);
	buf_printf(&sql, "UPDATE \"%s\" SET \"%s\" = ?", schema->table, column);
	add_where(&sql, schema);
	rc = buf_check(&sql, err);
	if (rc == 0) {
		s = store_stmt_new(db, buf_str(&sql));
		store_stmt_put_value(&s, value);
		put_key(&s, schema, c);
		rc = store_stmt_run(&s, err);
	}
	if (rc == 0 && store_stmt_changes(db) != 1)
		rc = err_set(err, ERR_INVALID,
		             "the row of this conflict is not in table %s any more; take what is "
		             "shown",
		             schema->table);
	buf_free(&sql);
	return rc;
}

static int
write_row(struct store_db *db, const struct store_schema *schema, const struct store_value *row,
          struct err *err)
{
	struct buf sql = { 0 };
	struct store_stmt s;
	int rc;

	buf_printf(&sql, "INSERT INTO \"%s\"", schema->table);
	for (unsigned i = 0; i < schema->column_count; i++)
		buf_printf(&sql, "%s\"%s\"", i == 0 ? "(" : ", ", schema->columns[i].name);
	for (unsigned i = 0; i < schema->column_count; i++)
		buf_printf(&sql, "%s?", i == 0 ? ") VALUES (" : ", ");
	buf_printf(&sql, ")");
	rc = buf_check(&sql, err);
	if (rc == 0) {
		s = store_stmt_new(db, buf_str(&sql));
		for (unsigned i = 0; i < schema->column_count; i++)
			store_stmt_put_value(&s, &row[i]);
		rc = store_stmt_run(&s, err);
	}
	buf_free(&sql);
	return rc;
}

/* What the decision changes in the row itself. */
static int
write_choice(struct store_db *db, const struct store_verdict *v, struct err *err)
{
	const struct store_conflict *c = v->conflict;
	const struct store_table *table = store_catalog_table(db, c->table);

	if (v->take == STORE_TAKE_SHOWN)
		return 0;
	if (table->local == NULL)
		return err_set(err, ERR_INVALID,
		               "table %s is not tracked here any more; take what is shown",
		               table->name);
	if (c->column != 0)
		return write_cell(db, table->local, c,
		                  v->take == STORE_TAKE_OTHER ? &c->other.value : &v->value, err);
	if (v->row == NULL)
		return err_set(
		        err, ERR_INVALID,
		        "one side deleted the row; take shown (deleted) or other (restored)");
	return write_row(db, table->local, v->row, err);
}

int
store_verdict_give(struct store_db *db, const struct store_verdict *v, struct err *err)
{
	static const char *const words[] = { "shown", "other", "value" };
	const struct store_conflict *c = v->conflict;
	struct store_stmt s;
	int rc;

	if (!c->open)
		return err_set(err, ERR_INVALID,
		               "this conflict is resolved already; nothing is to "
		               "be done");
	rc = write_choice(db, v, err);
	if (rc < 0)
		return rc;
	s = store_stmt_new(db, "INSERT INTO yz_verdict(conflict, scope, take, by, at)"
	                       " VALUES (?, ?, ?, ?, ?)"
	                       " ON CONFLICT(conflict) DO UPDATE SET take = excluded.take,"
	                       " by = excluded.by, at = excluded.at");
	store_stmt_put_blob(&s, c->id, STORE_CONFLICT_ID);
	store_stmt_put_text(&s, store_catalog_scope_of(db, c->scope));
	store_stmt_put_text(&s, words[v->take]);
	store_stmt_put_text(&s, v->by);
	store_stmt_put_int(&s, env_wall_ms(store_db_env(db)));
	rc = store_stmt_run(&s, err);
	return rc == 0 ? store_inbox_decide(db, c->id, err) : rc;
}

#include "store/verdict.h"
#include "store/base/text.h"
#include "store/rows_priv.h"
#include "store/stmt.h"
#include "store/verdict_priv.h"

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
put_name(struct buf *sql, const char *before, const char *name)
{
	buf_printf(sql, "%s", before);
	store_rows_quote(sql, name);
}

static void
add_where(struct buf *sql, const struct store_schema *schema)
{
	for (unsigned i = 0; i < schema->key_count; i++) {
		put_name(sql, i == 0 ? " WHERE " : " AND ", schema->columns[schema->keys[i]].here);
		buf_printf(sql, " = ?");
	}
}

/* What the verdict is about: the conflict, and the others of its group that the same write lost. */
struct about {
	const struct store_conflict *list[STORE_COLUMNS_MAX];
	size_t count;
};

static uint8_t
group_of(const struct store_schema *schema, const struct store_table *table, int column)
{
	int at = column == 0 || schema == NULL
	                 ? -1
	                 : store_schema_find(schema, table->names[column - 1]);

	return at < 0 ? 0 : schema->columns[at].group;
}

/* A group is one value in several columns: whoever takes one of them takes all. */
static int
find_about(struct store_db *db, const struct store_verdict *v, struct arena *a, struct about *out,
           struct err *err)
{
	const struct store_conflict *c = v->conflict;
	const struct store_table *table = store_catalog_table(db, c->table);
	uint8_t group = group_of(table->local, table, c->column);
	struct store_row row = { .table = c->table, .key = c->key, .key_len = c->key_len };
	struct store_conflict *kept;
	size_t count = 0;
	int rc;

	out->list[out->count++] = c;
	if (group == 0 || v->take == STORE_TAKE_VALUE)
		return 0;
	rc = store_inbox_kept(db, &row, a, &kept, &count, err);
	for (size_t i = 0; rc == 0 && i < count && out->count < STORE_COLUMNS_MAX; i++)
		if (kept[i].column != c->column && kept[i].other.stamp == c->other.stamp &&
		    kept[i].other.site == c->other.site &&
		    group_of(table->local, table, kept[i].column) == group)
			out->list[out->count++] = &kept[i];
	return rc;
}

static int
write_cells(struct store_db *db, const struct store_schema *schema, const struct store_verdict *v,
            const struct about *about, struct err *err)
{
	const struct store_table *table = store_catalog_table(db, v->conflict->table);
	struct buf sql = { 0 };
	struct store_stmt s;
	int rc;

	put_name(&sql, "UPDATE ", schema->table);
	for (size_t i = 0; i < about->count; i++) {
		const char *column = table->names[about->list[i]->column - 1];
		int at = store_schema_find(schema, column);

		if (at < 0) {
			buf_free(&sql);
			return err_set(err, ERR_INVALID,
			               "table %s has no column %s here any more; take what is "
			               "shown",
			               schema->table, column);
		}
		put_name(&sql, i == 0 ? " SET " : ", ", schema->columns[at].here);
		buf_printf(&sql, " = ?");
	}
	add_where(&sql, schema);
	rc = buf_check(&sql, err);
	if (rc == 0) {
		s = store_stmt_new(db, buf_str(&sql));
		for (size_t i = 0; i < about->count; i++)
			store_stmt_put_value(&s, v->take == STORE_TAKE_OTHER
			                                 ? &about->list[i]->other.value
			                                 : &v->value);
		put_key(&s, schema, v->conflict);
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
insert_row(struct store_db *db, const struct store_schema *schema, const struct store_value *row,
           struct err *err)
{
	struct buf sql = { 0 };
	struct store_stmt s;
	int rc;

	put_name(&sql, "INSERT INTO ", schema->table);
	for (unsigned i = 0; i < schema->column_count; i++)
		put_name(&sql, i == 0 ? "(" : ", ", schema->columns[i].here);
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

/* May the verdict's writer set this column in a row that is there? */
static bool
is_free(const struct store_column *column)
{
	return column->key == 0 && column->rule != STORE_MAX && !column->hub_only;
}

/* Somebody has made the row anew meanwhile: it gets the old one's values; *changed is 0 if it isn't
 * there. */
static int
update_row(struct store_db *db, const struct store_verdict *v, const struct store_schema *schema,
           int64_t *changed, struct err *err)
{
	struct buf sql = { 0 };
	struct store_stmt s;
	bool first = true;
	int rc;

	*changed = 0;
	put_name(&sql, "UPDATE ", schema->table);
	for (unsigned i = 0; i < schema->column_count; i++) {
		if (!is_free(&schema->columns[i]))
			continue;
		put_name(&sql, first ? " SET " : ", ", schema->columns[i].here);
		buf_printf(&sql, " = ?");
		first = false;
	}
	add_where(&sql, schema);
	rc = buf_check(&sql, err);
	if (rc == 0 && !first) {
		s = store_stmt_new(db, buf_str(&sql));
		for (unsigned i = 0; i < schema->column_count; i++)
			if (is_free(&schema->columns[i]))
				store_stmt_put_value(&s, &v->row[i]);
		put_key(&s, schema, v->conflict);
		rc = store_stmt_run(&s, err);
		*changed = rc == 0 ? store_stmt_changes(db) : 0;
	}
	buf_free(&sql);
	return rc;
}

static int
write_row(struct store_db *db, const struct store_verdict *v, const struct store_schema *schema,
          struct err *err)
{
	int64_t changed;
	int rc;

	if (v->row == NULL)
		return err_set(
		        err, ERR_INVALID,
		        "one side deleted the row; take shown (deleted) or other (restored)");
	rc = update_row(db, v, schema, &changed, err);
	return rc < 0 || changed > 0 ? rc : insert_row(db, schema, v->row, err);
}

/* What the decision changes in the row itself. */
static int
write_choice(struct store_db *db, const struct store_verdict *v, const struct about *about,
             struct err *err)
{
	const struct store_table *table = store_catalog_table(db, v->conflict->table);

	if (v->take == STORE_TAKE_SHOWN)
		return 0;
	if (table->local == NULL)
		return err_set(err, ERR_INVALID,
		               "table %s is not tracked here any more; take what is shown",
		               table->name);
	return v->conflict->column != 0 ? write_cells(db, table->local, v, about, err)
	                                : write_row(db, v, table->local, err);
}

int
store_verdict_give(struct store_db *db, const struct store_verdict *v, struct err *err)
{
	struct about about = { 0 };
	struct arena a = { 0 };
	int rc;

	if (v->conflict->state == STORE_CONFLICT_LEFT)
		return err_set(err, ERR_INVALID,
		               "this conflict is about somebody who has left; it is decided where "
		               "they are now");
	if (!v->conflict->open)
		return err_set(err, ERR_INVALID,
		               "this conflict is resolved already; nothing is to "
		               "be done");
	rc = find_about(db, v, &a, &about, err);
	if (rc == 0)
		rc = write_choice(db, v, &about, err);
	for (size_t i = 0; rc == 0 && i < about.count; i++)
		if (about.list[i]->open)
			rc = store_verdict_write(db, v, about.list[i], err);
	arena_free(&a);
	return rc;
}

#include "store/columns_priv.h"

#include "store/stmt.h"

enum { COLUMNS_MAX = 2000 };

int
store_columns_read(struct store_db *db, const char *table, struct arena *a,
                   struct store_columns *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "SELECT name, type, pk FROM pragma_table_info(?)");
	int rc = 0;

	out->count = 0;
	out->list = arena_take(a, COLUMNS_MAX, sizeof *out->list);
	store_stmt_put_text(&s, table);
	while (out->list != NULL && out->count < COLUMNS_MAX &&
	       (rc = store_stmt_step(&s, err)) == 1) {
		struct store_column_info *c = &out->list[out->count++];

		c->name = store_stmt_copy_text(&s, a);
		c->type = store_stmt_copy_text(&s, a);
		c->key = (int)store_stmt_get_int(&s);
		if (c->name == NULL || c->type == NULL)
			out->list = NULL;
	}
	store_stmt_end(&s);
	if (rc < 0)
		return rc;
	if (out->list == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for a table's columns");
	if (out->count == 0)
		return err_set(err, ERR_NOTFOUND,
		               "there is no table %.80s; yizhan schema show lists them all", table);
	return 0;
}

void
store_columns_put_name(struct buf *sql, const char *name)
{
	buf_u8(sql, '"');
	for (; *name != 0; name++) {
		if (*name == '"')
			buf_u8(sql, '"');
		buf_u8(sql, (uint8_t)*name);
	}
	buf_u8(sql, '"');
}

size_t
store_columns_put_key(struct buf *sql, const char *before, const struct store_columns *c)
{
	size_t found = 0;

	for (int key = 1; key <= (int)c->count; key++)
		for (size_t i = 0; i < c->count; i++)
			if (c->list[i].key == key) {
				buf_printf(sql, "%s", found++ == 0 ? before : ", ");
				store_columns_put_name(sql, c->list[i].name);
			}
	return found;
}

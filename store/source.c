#include "store/base/buf.h"
#include "store/source_priv.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>

struct source_table {
	sqlite3_vtab face; /* first */
	const struct store_source *source;
};

struct source_cursor {
	sqlite3_vtab_cursor face; /* first */
	const struct store_source *source;
	size_t row;
};

static int
on_connect(sqlite3 *handle, void *ctx, int argc, const char *const *argv, sqlite3_vtab **out,
           char **why)
{
	struct source_table *t = calloc(1, sizeof *t);
	struct buf sql = { 0 };
	int status;

	(void)argc;
	(void)argv;
	(void)why;
	if (t == NULL)
		return SQLITE_NOMEM;
	buf_printf(&sql, "CREATE TABLE yz_source(c0");
	for (int i = 1; i < STORE_COLUMNS_MAX; i++)
		buf_printf(&sql, ", c%d", i);
	buf_printf(&sql, ")");
	status = sqlite3_declare_vtab(handle, buf_str(&sql));
	buf_free(&sql);
	if (status != SQLITE_OK) {
		free(t);
		return status;
	}
	t->source = ctx;
	*out = &t->face;
	return SQLITE_OK;
}

static int
on_disconnect(sqlite3_vtab *face)
{
	free(face);
	return SQLITE_OK;
}

/* There is one way to read it: from the first row to the last. */
static int
on_best_index(sqlite3_vtab *face, sqlite3_index_info *info)
{
	(void)face;
	info->estimatedCost = 100;
	info->estimatedRows = 100;
	return SQLITE_OK;
}

static int
on_open(sqlite3_vtab *face, sqlite3_vtab_cursor **out)
{
	struct source_cursor *c = calloc(1, sizeof *c);

	if (c == NULL)
		return SQLITE_NOMEM;
	c->source = ((struct source_table *)face)->source;
	*out = &c->face;
	return SQLITE_OK;
}

static int
on_close(sqlite3_vtab_cursor *face)
{
	free(face);
	return SQLITE_OK;
}

static int
on_filter(sqlite3_vtab_cursor *face, int no, const char *text, int argc, sqlite3_value **argv)
{
	(void)no;
	(void)text;
	(void)argc;
	(void)argv;
	((struct source_cursor *)face)->row = 0;
	return SQLITE_OK;
}

static int
on_next(sqlite3_vtab_cursor *face)
{
	((struct source_cursor *)face)->row++;
	return SQLITE_OK;
}

static int
on_eof(sqlite3_vtab_cursor *face)
{
	const struct source_cursor *c = (struct source_cursor *)face;

	return c->row >= c->source->rows;
}

static int
on_column(sqlite3_vtab_cursor *face, sqlite3_context *out, int column)
{
	const struct source_cursor *c = (struct source_cursor *)face;
	const struct store_value *v =
	        &c->source->values[c->row * c->source->columns + (unsigned)column];

	assert((unsigned)column < c->source->columns);
	switch (v->type) {
	case STORE_INT:
		sqlite3_result_int64(out, v->num.i);
		break;
	case STORE_REAL:
		sqlite3_result_double(out, v->num.r);
		break;
	case STORE_TEXT:
		sqlite3_result_text(out, (const char *)v->bytes, (int)v->len, SQLITE_STATIC);
		break;
	case STORE_BLOB:
		sqlite3_result_blob(out, v->bytes, (int)v->len, SQLITE_STATIC);
		break;
	case STORE_NULL:
		sqlite3_result_null(out);
		break;
	}
	return SQLITE_OK;
}

static int
on_rowid(sqlite3_vtab_cursor *face, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)((struct source_cursor *)face)->row;
	return SQLITE_OK;
}

int
store_source_register(sqlite3 *handle, struct store_source *source)
{
	/* without xCreate it is there by its name, and nowhere in the file */
	static const sqlite3_module module = {
		.xConnect = on_connect,
		.xBestIndex = on_best_index,
		.xDisconnect = on_disconnect,
		.xOpen = on_open,
		.xClose = on_close,
		.xFilter = on_filter,
		.xNext = on_next,
		.xEof = on_eof,
		.xColumn = on_column,
		.xRowid = on_rowid,
	};

	return sqlite3_create_module(handle, "yz_source", &module, source);
}

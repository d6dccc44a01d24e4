/*
 * node/hub/feed_row.c - one merged row as JSON, and the same with members left out.
 */
#include "node/hub/feed_row.h"

#include "store/base/json.h"
#include "store/print.h"

#include <string.h>

bool
feed_row_is_secret(const char *column)
{
	return strcmp(column, "pin_hash") == 0 || strcmp(column, "code_hash") == 0;
}

static unsigned
count_values(const struct store_row *row)
{
	struct rd r = rd_from(row->key, row->key_len);
	unsigned count = 0;

	for (; r.left > 0 && !r.bad; count++)
		store_value_read(&r);
	return count;
}

void
feed_row_key(struct buf *out, const struct store_row *row)
{
	struct rd r = rd_from(row->key, row->key_len);
	unsigned count = count_values(row);
	struct json j = json_to(out);

	if (count != 1)
		json_array(&j);
	while (r.left > 0 && !r.bad) {
		struct store_value v = store_value_read(&r);

		store_print_json(&j, &v);
	}
	if (count != 1)
		json_end_array(&j);
}

static const struct store_cell *
find_cell(const struct store_row *row, int column)
{
	unsigned low = 0, high = row->cell_count;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (row->cells[mid].column < column)
			low = mid + 1;
		else
			high = mid;
	}
	return low < row->cell_count && row->cells[low].column == column ? &row->cells[low] : NULL;
}

/* The row while it is written: names of texts that weren't UTF-8 come at its end. */
struct writing {
	struct json j;
	struct buf bad_names;
	struct json bad;
};

static void
put_member(struct writing *w, const char *name, const struct store_value *v)
{
	if (feed_row_is_secret(name))
		return;
	json_name(&w->j, name);
	if (!store_print_json(&w->j, v))
		json_text(&w->bad, name);
}

static struct store_value
key_value(const struct store_row *row, unsigned position)
{
	struct rd r = rd_from(row->key, row->key_len);
	struct store_value v = store_value_null();

	for (unsigned i = 0; i < position; i++)
		v = store_value_read(&r);
	return v;
}

/* The columns that the table has here, in its order. */
static void
put_columns(struct writing *w, const struct store_schema *s, const struct store_row *row)
{
	for (unsigned i = 0; i < s->column_count; i++) {
		const struct store_column *c = &s->columns[i];
		const struct store_cell *cell = c->key != 0 ? NULL : find_cell(row, c->id);

		if (c->key != 0) {
			struct store_value v = key_value(row, c->key);

			put_member(w, c->name, &v);
		} else if (cell != NULL) {
			put_member(w, c->name, &cell->value);
		}
	}
}

/* Cells of columns that newer programs know. */
static void
put_others(struct writing *w, const struct store_schema *s, const struct store_table *table,
           const struct store_row *row)
{
	for (unsigned i = 0; i < row->cell_count; i++) {
		const char *name = table->names[row->cells[i].column - 1];

		if (store_schema_find(s, name) < 0)
			put_member(w, name, &row->cells[i].value);
	}
}

void
feed_row_after(struct buf *out, const struct store_schema *s, const struct store_table *table,
               const struct store_row *row)
{
	struct writing w = { .j = json_to(out) };

	w.bad = json_to(&w.bad_names);
	json_object(&w.j);
	put_columns(&w, s, row);
	put_others(&w, s, table, row);
	if (w.bad_names.len > 0) {
		json_name(&w.j, "_bad_utf8");
		buf_u8(out, '[');
		buf_put(out, w.bad_names.bytes, w.bad_names.len);
		buf_u8(out, ']');
	}
	json_end_object(&w.j);
	out->bad |= w.bad_names.bad;
	buf_free(&w.bad_names);
}

/* ---------------------------------------------------------------- less of it */

/* Past the string that begins here. */
static const char *
skip_string(const char *at)
{
	for (at++; *at != 0 && *at != '"'; at++)
		if (*at == '\\' && at[1] != 0)
			at++;
	return *at == 0 ? at : at + 1;
}

/* Past the value that begins here: to the comma or bracket behind it. */
static const char *
skip_value(const char *at)
{
	int depth = 0;

	while (*at != 0) {
		if (depth == 0 && (*at == ',' || *at == '}' || *at == ']'))
			return at;
		if (*at == '"') {
			at = skip_string(at);
			continue;
		}
		depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
		at++;
	}
	return at;
}

static bool
is_among(const char *name, size_t len, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == len && memcmp(name, *names, len) == 0)
			return true;
	return false;
}

void
feed_row_without(struct buf *out, const char *after, const char *const *names)
{
	const char *at = after + 1;
	bool any = false;

	if (after[0] != '{') {
		buf_put(out, after, strlen(after)); /* null: a row that is gone */
		return;
	}
	buf_u8(out, '{');
	while (*at == '"') {
		const char *name_end = skip_string(at), *end = skip_value(name_end);

		if (!is_among(at + 1, (size_t)(name_end - at) - 2, names)) {
			if (any)
				buf_u8(out, ',');
			buf_put(out, at, (size_t)(end - at));
			any = true;
		}
		at = *end == ',' ? end + 1 : end;
	}
	buf_u8(out, '}');
}

#include "store/table_text.h"

#include "store/base/csvio.h"
#include "store/print.h"

#include <string.h>

void
store_table_head(struct buf *out, const struct store_stmt *s, enum store_table_form form)
{
	if (form == STORE_TABLE_EXCEL)
		buf_printf(out, "\xef\xbb\xbf");
	for (int i = 0; form != STORE_TABLE_NDJSON && i < store_stmt_columns(s); i++) {
		const char *name = store_stmt_column_name(s, i);

		if (i > 0)
			buf_u8(out, ',');
		csvio_put(out, name, strlen(name));
	}
	if (form != STORE_TABLE_NDJSON)
		buf_printf(out, "\r\n");
}

static void
put_csv(struct buf *out, struct store_stmt *s, enum store_table_form form)
{
	struct buf text = { 0 };

	for (int i = 0; i < store_stmt_columns(s); i++) {
		struct store_value v = store_stmt_get_value(s);

		if (i > 0)
			buf_u8(out, ',');
		if (v.type == STORE_NULL)
			continue;
		buf_clear(&text);
		store_print_text(&text, &v);
		if (form == STORE_TABLE_EXCEL && v.type == STORE_TEXT)
			csvio_put_safe(out, text.bytes, text.len);
		else
			csvio_put(out, text.bytes, text.len);
	}
	if (text.bad)
		out->bad = true;
	buf_printf(out, "\r\n");
	buf_free(&text);
}

static void
put_json(struct buf *out, struct store_stmt *s)
{
	struct json j = json_to(out);

	store_print_row_json(&j, s);
	buf_u8(out, '\n');
}

void
store_table_row(struct buf *out, struct store_stmt *s, enum store_table_form form)
{
	if (form == STORE_TABLE_NDJSON)
		put_json(out, s);
	else
		put_csv(out, s, form);
}

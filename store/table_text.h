/*
 * store/table_text.h - the rows of a query as text: what `yizhan export` and the
 * hub's /v1/export write.
 */
#ifndef STORE_TABLE_TEXT_H
#define STORE_TABLE_TEXT_H

#include "store/base/buf.h"
#include "store/stmt.h"

enum store_table_form {
	STORE_TABLE_CSV,    /* as `yizhan import` reads it: without loss */
	STORE_TABLE_NDJSON, /* a JSON object a line */
	STORE_TABLE_EXCEL,  /* CSV for spreadsheets: byte order mark, no text becomes a formula */
};

/* Append what stands before the first row; nothing for NDJSON. */
void store_table_head(struct buf *out, const struct store_stmt *s, enum store_table_form form);

/* Append the row that the statement stands on, taking its columns. */
void store_table_row(struct buf *out, struct store_stmt *s, enum store_table_form form);

#endif /* STORE_TABLE_TEXT_H */

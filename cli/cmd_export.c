/* cli/cmd_export.c - a table or view, whole: for programs, and for spreadsheets. */
#include "cli/cmd.h"
#include "store/base/csvio.h"
#include "store/print.h"
#include "store/transfer.h"

#include <stdio.h>
#include <string.h>

enum { FLUSH = 1 << 16 };

enum form { CSV, NDJSON, EXCEL };

static void
put_header(struct buf *out, const struct store_stmt *s, enum form form)
{
	if (form == EXCEL)
		buf_printf(out, "\xef\xbb\xbf");
	for (int i = 0; form != NDJSON && i < store_stmt_columns(s); i++) {
		const char *name = store_stmt_column_name(s, i);

		if (i > 0)
			buf_u8(out, ',');
		csvio_put(out, name, strlen(name));
	}
	if (form != NDJSON)
		buf_printf(out, "\r\n");
}

static void
put_csv(struct buf *out, struct store_stmt *s, enum form form)
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
		if (form == EXCEL && v.type == STORE_TEXT)
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

/* Print what has been gathered; an error has been told already. */
static int
flush(const struct cli *cli, struct buf *out)
{
	return cli_print(cli, out) == CLI_OK ? 0 : ERR_IO;
}

static int
write_rows(const struct cli *cli, struct store_db *db, const char *sql, enum form form,
           struct err *err)
{
	struct store_stmt s = store_stmt_new(db, sql);
	struct buf out = { 0 };
	int rc = s.status == 0 ? 0 : store_stmt_step(&s, err);

	if (rc == 0)
		put_header(&out, &s, form);
	while (rc == 0 && (rc = store_stmt_step(&s, err)) == 1) {
		if (form == NDJSON)
			put_json(&out, &s);
		else
			put_csv(&out, &s, form);
		rc = out.len < FLUSH ? 0 : flush(cli, &out);
	}
	store_stmt_end(&s);
	if (rc == 0)
		rc = flush(cli, &out);
	buf_free(&out);
	return rc;
}

static int
run(struct cli *cli)
{
	bool csv = cli_option(cli, "csv") != NULL, excel = cli_option(cli, "excel") != NULL,
	     ndjson = cli_option(cli, "ndjson") != NULL;
	struct store_db *db = NULL;
	struct buf sql = { 0 };
	struct err err = { 0 };
	int rc;

	if (csv + excel + ndjson > 1)
		return cli_usage(cli, "only one of --csv, --ndjson and --excel can be");
	rc = cli_open(cli, STORE_READ, &db, &err);
	if (rc == 0)
		rc = store_transfer_query(db, cli->argv[0], &sql, &err);
	if (rc == 0)
		rc = write_rows(cli, db, buf_str(&sql),
		                ndjson  ? NDJSON
		                : excel ? EXCEL
		                        : CSV,
		                &err);
	store_db_close(db);
	buf_free(&sql);
	if (rc < 0)
		return err.code == 0 ? CLI_FAILED : cli_fail(cli, &err);
	return CLI_OK;
}

static const struct cmd_option options[] = {
	{ "csv", NULL, "comma-separated, as yizhan import reads it (the default)" },
	{ "ndjson", NULL, "a JSON object a line" },
	{ "excel", NULL, "CSV for spreadsheets: with a byte order mark, and no text as formula" },
	{ 0 },
};

const struct cmd cmd_export = {
	.name = "export",
	.args = "TABLE",
	.help = "write all rows of a table or view to standard output",
	.options = options,
	.min = 1,
	.max = 1,
	.run = run,
};

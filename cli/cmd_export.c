/* cli/cmd_export.c - a table or view, whole: for programs, and for spreadsheets. */
#include "cli/cmd.h"
#include "store/schema.h"
#include "store/table_text.h"
#include "store/transfer.h"

enum { FLUSH = 1 << 16 };

/* Print what has been gathered; an error has been told already. */
static int
flush(const struct cli *cli, struct buf *out)
{
	return cli_print(cli, out) == CLI_OK ? 0 : ERR_IO;
}

static int
write_rows(const struct cli *cli, struct store_db *db, const char *sql, enum store_table_form form,
           struct err *err)
{
	struct store_stmt s = store_stmt_new(db, sql);
	struct buf out = { 0 };
	int rc = s.status == 0 ? 0 : store_stmt_step(&s, err);

	if (rc == 0)
		store_table_head(&out, &s, form);
	while (rc == 0 && (rc = store_stmt_step(&s, err)) == 1) {
		store_table_row(&out, &s, form);
		rc = out.len < FLUSH ? 0 : flush(cli, &out);
	}
	store_stmt_end(&s);
	if (rc == 0)
		rc = flush(cli, &out);
	buf_free(&out);
	return rc;
}

/* Whatever may not travel between nodes doesn't leave in a file either: the facility's key of
 * identity hashes, PINs, tokens. */
static int
refuse_inner(const char *table, struct err *err)
{
	if (!store_schema_stays(table))
		return 0;
	return err_set(err, ERR_INVALID,
	               "%s stays in this file, because such tables hold keys, PINs and tokens; "
	               "yizhan schema show lists what can be exported",
	               table);
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
		rc = refuse_inner(cli->argv[0], &err);
	if (rc == 0)
		rc = store_transfer_query(db, cli->argv[0], &sql, &err);
	if (rc == 0)
		rc = write_rows(cli, db, buf_str(&sql),
		                ndjson  ? STORE_TABLE_NDJSON
		                : excel ? STORE_TABLE_EXCEL
		                        : STORE_TABLE_CSV,
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

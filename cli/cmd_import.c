/*
 * cli/cmd_import.c - CSV files into tables: a roster of children and staff, or
 * any table by its own columns.  All of a file or nothing.
 */
#include "cli/cmd.h"
#include "node/facility/csv.h"
#include "node/facility/roster.h"
#include "store/base/csvio.h"
#include "store/base/file.h"
#include "store/base/json.h"
#include "store/print.h"
#include "store/protect.h"
#include "store/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 256 << 20 };

static int
read_input(const char *path, size_t max, struct buf *bytes, struct err *err)
{
	struct stat st;
	int rc;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID,
		               "%.180s is a directory; give the path of a CSV file", path);
	rc = file_read(path, max, bytes, err);
	if (rc == ERR_NOTFOUND)
		return err_set(err, rc, "%.180s: there is no such file; look at the path", path);
	return rc;
}

/* ---- a roster ---- */

static void
print_roster(const struct cli *cli, const struct roster_counts *c, bool dry_run, struct buf *out)
{
	const struct {
		const char *name;
		int64_t n;
	} numbers[] = { { "children", c->children }, { "staff", c->staff },
		        { "added", c->added },       { "changed", c->changed },
		        { "same", c->same },         { "classes_added", c->classes_added },
		        { "rows", c->rows } };
	struct json j = json_to(out);

	if (!cli->json) {
		buf_printf(out,
		           "%s%" PRId64 " children and %" PRId64 " staff: %" PRId64 " new, %" PRId64
		           " changed, %" PRId64 " as before; %" PRId64 " rows written\n",
		           dry_run ? "would be: " : "", c->children, c->staff, c->added, c->changed,
		           c->same, c->rows);
		return;
	}
	json_object(&j);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		json_name(&j, numbers[i].name);
		json_int(&j, numbers[i].n);
	}
	json_name(&j, "dry_run");
	json_bool(&j, dry_run);
	json_end_object(&j);
	buf_u8(out, '\n');
}

static int
import_roster(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct roster_options opt = { .at = env_wall_ms(env_real()),
		                      .dry_run = cli_option(cli, "dry-run") != NULL };
	struct roster_counts counts;
	struct facility facility;
	struct buf bytes = { 0 };
	int rc = facility_open(&facility, db, NULL, err);

	if (rc == ERR_NOTFOUND || rc == ERR_INVALID)
		rc = cli_advise(err, "import a roster at the node of its facility");
	if (rc == 0)
		rc = read_input(cli->argv[1], ROSTER_BYTES_MAX, &bytes, err);
	if (rc == 0)
		rc = roster_import(&facility, bytes.bytes, bytes.len, &opt, &counts, err);
	if (rc == 0)
		print_roster(cli, &counts, opt.dry_run, out);
	buf_free(&bytes);
	return rc;
}

/* ---- any table ---- */

struct importing {
	struct store_transfer *transfer;
	struct csvio_reader reader;
	struct csvio_field *fields;
	struct store_value *values;
	char **names; /* of the header */
	size_t columns;
	int64_t rows;
};

static void
end_import(struct importing *in)
{
	store_transfer_close(in->transfer);
	for (size_t i = 0; in->names != NULL && i < in->columns; i++)
		free(in->names[i]);
	free(in->names);
	free(in->fields);
	free(in->values);
}

static int
read_header(struct importing *in, struct store_db *db, const char *table, struct err *err)
{
	struct arena a = { 0 };
	int rc;

	in->fields = calloc(CSVIO_FIELDS_MAX, sizeof *in->fields);
	in->values = calloc(CSVIO_FIELDS_MAX, sizeof *in->values);
	in->names = calloc(CSVIO_FIELDS_MAX, sizeof *in->names);
	rc = in->fields == NULL || in->values == NULL || in->names == NULL
	             ? err_set(err, ERR_NOMEM, "out of memory for the columns")
	             : csvio_next(&in->reader, &a, in->fields, &in->columns, err);
	if (rc == 0)
		rc = err_set(err, ERR_INVALID,
		             "the file is empty; its first line has to name the columns");
	for (size_t i = 0; rc == 1 && i < in->columns; i++) {
		in->names[i] = strdup(in->fields[i].text);
		if (in->names[i] == NULL)
			rc = err_set(err, ERR_NOMEM, "out of memory for the columns");
	}
	arena_free(&a);
	if (rc < 0)
		return rc;
	return store_transfer_open(db, table, (const char *const *)in->names, in->columns,
	                           &in->transfer, err);
}

static int
read_values(struct importing *in, struct arena *a, struct err *err)
{
	for (size_t i = 0; i < in->columns; i++) {
		const struct csvio_field *f = &in->fields[i];
		int rc;

		in->values[i] = store_value_null();
		if (f->len == 0 && !f->quoted)
			continue;
		rc = store_print_parse_value(store_transfer_type(in->transfer, i), f->text, a,
		                             &in->values[i], err);
		if (rc < 0)
			return err_wrap(err, "column %.60s", in->names[i]);
	}
	return 0;
}

/* One line of the file; 0 at its end. */
static int
import_line(struct importing *in, struct err *err)
{
	struct arena a = { 0 };
	int line = in->reader.line;
	size_t count;
	int rc = csvio_next(&in->reader, &a, in->fields, &count, err);

	if (rc == 1 && count != in->columns)
		rc = err_set(err, ERR_INVALID, "line %d: %zu fields, but the header has %zu", line,
		             count, in->columns);
	if (rc == 1) {
		rc = read_values(in, &a, err);
		if (rc == 0)
			rc = store_transfer_row(in->transfer, in->values, err);
		if (rc < 0)
			err_wrap(err, "line %d", line);
		else
			rc = 1;
		in->rows++;
	}
	arena_free(&a);
	return rc;
}

static void
print_table(const struct cli *cli, const struct importing *in, int64_t added, int64_t changed,
            struct buf *out)
{
	int64_t same = in->rows - added - changed;

	buf_printf(out,
	           cli->json ? "{\"rows\":%" PRId64 ",\"added\":%" PRId64 ",\"changed\":%" PRId64
	                       ",\"same\":%" PRId64 "}\n"
	                     : "%" PRId64 " rows: %" PRId64 " new, %" PRId64 " changed, %" PRId64
	                       " as before\n",
	           in->rows, added, changed, same);
}

static int
import_rows(const struct cli *cli, struct store_db *db, const struct buf *text, struct buf *out,
            struct err *err)
{
	struct importing in = { .reader = csvio_from(text->bytes, text->len) };
	int64_t added = 0, changed = 0;
	int rc = store_db_begin(db, err);

	if (rc == 0)
		rc = read_header(&in, db, cli->argv[0], err);
	while (rc == 0 && (rc = import_line(&in, err)) == 1)
		rc = 0;
	if (rc == 0)
		rc = store_transfer_counts(in.transfer, &added, &changed, err);
	if (rc == 0 && cli_option(cli, "dry-run") == NULL)
		rc = store_db_commit(db, err);
	store_db_rollback(db); /* after an error or a dry run; else there is nothing to undo */
	if (rc == 0)
		print_table(cli, &in, added, changed, out);
	end_import(&in);
	return rc;
}

static int
import_table(const struct cli *cli, struct store_db *db, struct buf *out, struct err *err)
{
	struct buf bytes = { 0 }, text = { 0 };
	int rc = read_input(cli->argv[1], FILE_MAX, &bytes, err);

	store_protect_engine(db);
	if (rc == 0)
		rc = csv_to_utf8(bytes.bytes, bytes.len, &text, err);
	if (rc == 0)
		rc = import_rows(cli, db, &text, out, err);
	buf_free(&bytes);
	buf_free(&text);
	return rc;
}

/* ---- the command ---- */

static int
run(struct cli *cli)
{
	struct store_db *db = NULL;
	struct buf out = { 0 };
	struct err err;
	int rc, code;

	rc = cli_open(cli, STORE_LOCAL, &db, &err);
	if (rc == 0)
		rc = strcmp(cli->argv[0], "roster") == 0 ? import_roster(cli, db, &out, &err)
		                                         : import_table(cli, db, &out, &err);
	store_db_close(db);
	if (rc == ERR_INVALID)
		rc = cli_advise(&err, "nothing was written, correct the file");
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "dry-run", NULL, "check and count, but write nothing" },
	{ 0 },
};

const struct cmd cmd_import = {
	.name = "import",
	.args = "roster FILE | TABLE FILE",
	.help = "read a CSV file: a list of children and staff, or the rows of a table",
	.options = options,
	.json = true,
	.min = 2,
	.max = 2,
	.run = run,
};

/*
 * cli/cmd_import.c - CSV files into tables: a roster of children and staff, any
 * table by its own columns, or a table that a department delivers to the hub.  All
 * of a file or nothing.
 */
#include "cli/hub.h"
#include "node/facility/csv.h"
#include "node/facility/date.h"
#include "node/facility/roster.h"
#include "node/facility/street.h"
#include "node/hub/external.h"
#include "node/log.h"
#include "store/base/csvio.h"
#include "store/base/file.h"
#include "store/base/json.h"
#include "store/print.h"
#include "store/protect.h"
#include "store/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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
	int64_t doubted;             /* rows whose street is likely a slip */
	char doubt[STREET_WHY + 24]; /* where the first is, and why */
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

/* Once the row is there, so that a list of streets has its own. */
static int
look_at_street(struct importing *in, struct store_db *db, int line, struct err *err)
{
	char why[STREET_WHY] = "";
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->columns; i++)
		if (strcasecmp(in->names[i], "subdistrict_code") == 0 && in->fields[i].text[0] != 0)
			rc = facility_street_doubt(db, in->fields[i].text, why, err);
	if (rc < 0 || why[0] == 0)
		return rc;
	if (in->doubted++ == 0)
		snprintf(in->doubt, sizeof in->doubt, "line %d: %s", line, why);
	return 0;
}

static void
warn_of_streets(const struct cli *cli, const struct importing *in)
{
	char sentence[sizeof in->doubt + 48];

	if (in->doubted == 0)
		return;
	snprintf(sentence, sizeof sentence, "%s%s", in->doubt,
	         in->doubted > 1 ? "; and more rows like it" : "");
	cli_warn(cli, sentence);
}

/* One line of the file; 0 at its end. */
static int
import_line(struct importing *in, struct store_db *db, struct err *err)
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
		if (rc >= 0)
			rc = look_at_street(in, db, line, err);
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
	while (rc == 0 && (rc = import_line(&in, db, err)) == 1)
		rc = 0;
	if (rc == 0)
		rc = store_transfer_counts(in.transfer, &added, &changed, err);
	if (rc == 0 && cli_option(cli, "dry-run") == NULL)
		rc = store_db_commit(db, err);
	store_db_rollback(db); /* after an error or a dry run; else there is nothing to undo */
	if (rc == 0) {
		print_table(cli, &in, added, changed, out);
		warn_of_streets(cli, &in);
	}
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

/* ---- a department's table, at the hub ---- */

static void
json_joined(struct json *j, const char *what, const struct external_joined *joined)
{
	json_name(j, what);
	if (joined->column[0] == 0) {
		json_null(j);
		return;
	}
	json_object(j);
	json_name(j, "column");
	json_text(j, joined->column);
	json_name(j, "rows");
	json_int(j, joined->rows);
	json_end_object(j);
}

static void
json_external(const struct external_file *file, const struct external_done *done, struct buf *out)
{
	struct json j = json_to(out);
	char table[EXTERNAL_NAME_MAX + 16];

	json_object(&j);
	json_name(&j, "table");
	snprintf(table, sizeof table, "external_%s", file->name);
	json_text(&j, table);
	json_name(&j, "delivery");
	json_int(&j, done->no);
	json_name(&j, "rows");
	json_int(&j, done->rows);
	json_name(&j, "columns");
	json_int(&j, done->columns);
	json_name(&j, "replaces");
	json_int(&j, done->same ? 0 : done->replaces);
	json_name(&j, "same");
	json_bool(&j, done->same);
	json_joined(&j, "facility", &done->facility);
	json_joined(&j, "street", &done->street);
	json_name(&j, "dry_run");
	json_bool(&j, file->dry_run);
	json_end_object(&j);
	buf_u8(out, '\n');
}

static void
print_joined(const char *what, const struct external_joined *joined, int64_t of, struct buf *out)
{
	if (joined->column[0] == 0)
		return;
	buf_printf(out, "joined to a %s by ", what);
	log_escape(out, joined->column);
	buf_printf(out, ": %" PRId64 " of %" PRId64 " rows\n", joined->rows, of);
}

static void
print_external(const struct external_file *file, const struct external_done *done, struct buf *out)
{
	if (done->same)
		buf_printf(out,
		           "external_%s: this delivery stands already, its rows are as they were\n",
		           file->name);
	else
		buf_printf(out, "%sexternal_%s: %" PRId64 " rows of %" PRId64 " columns%s\n",
		           file->dry_run ? "would be: " : "", file->name, done->rows, done->columns,
		           done->replaces > 0 ? ", in place of those that stood" : "");
	if (done->facility.column[0] == 0 && done->street.column[0] == 0)
		buf_printf(out,
		           "no column names a facility or a street; if one does, say which with "
		           "--facility-column or --street-column\n");
	print_joined("facility", &done->facility, done->rows, out);
	print_joined("street", &done->street, done->rows, out);
}

/* The options that tell of a delivery; they are for nothing else. */
static int
check_external(struct cli *cli, struct external_file *file)
{
	const char *date = cli_option(cli, "date");

	file->source = cli_option(cli, "source");
	file->facility_column = cli_option(cli, "facility-column");
	file->street_column = cli_option(cli, "street-column");
	if (strncmp(cli->argv[0], "external_", 9) == 0)
		return cli_usage(cli, "a department's table is read by external NAME FILE");
	if (strcmp(cli->argv[0], "external") != 0) {
		if (file->source != NULL || date != NULL || cli_option(cli, "public") != NULL ||
		    file->facility_column != NULL || file->street_column != NULL)
			return cli_usage(cli, "--source, --date, --public, --facility-column and "
			                      "--street-column are for external NAME FILE");
		return cli->argc == 2 ? CLI_OK : cli_usage(cli, "one file, please");
	}
	if (cli->argc != 3)
		return cli_usage(cli, "external NAME FILE: which name, which file?");
	if (file->source == NULL || file->source[0] == 0)
		return cli_usage(cli, "--source WHO: who delivers this table?");
	if (date == NULL || !date_parse(date, &file->date))
		return cli_usage(cli, "--date YYYY-MM-DD: of which day does the table speak?");
	return CLI_OK;
}

static int
import_external(const struct cli *cli, struct store_db *db, struct external_file *file,
                struct buf *out, struct err *err)
{
	struct external_done done;
	struct buf bytes = { 0 };
	int rc = read_input(cli->argv[2], EXTERNAL_BYTES_MAX, &bytes, err);

	file->name = cli->argv[1];
	file->personal = cli_option(cli, "public") == NULL;
	file->dry_run = cli_option(cli, "dry-run") != NULL;
	file->now_ms = env_wall_ms(env_real());
	file->bytes = bytes.bytes;
	file->len = bytes.len;
	if (rc == 0)
		rc = external_import(db, file, &done, err);
	if (rc == 0 && cli->json)
		json_external(file, &done, out);
	else if (rc == 0)
		print_external(file, &done, out);
	buf_free(&bytes);
	return rc;
}

/* ---- the command ---- */

static int
import_any(const struct cli *cli, struct external_file *file, struct buf *out, struct err *err)
{
	bool external = strcmp(cli->argv[0], "external") == 0;
	struct store_db *db = NULL;
	int rc = external ? cli_hub_open(cli, &db, err) : cli_open(cli, STORE_LOCAL, &db, err);

	if (rc == 0)
		rc = external ? import_external(cli, db, file, out, err)
		     : strcmp(cli->argv[0], "roster") == 0 ? import_roster(cli, db, out, err)
		                                           : import_table(cli, db, out, err);
	store_db_close(db);
	return rc;
}

static int
run(struct cli *cli)
{
	struct external_file file = { 0 };
	struct buf out = { 0 };
	struct err err;
	int code = check_external(cli, &file), rc;

	if (code != CLI_OK)
		return code;
	rc = import_any(cli, &file, &out, &err);
	if (rc == ERR_INVALID)
		rc = cli_advise(&err, "nothing was written, correct the file");
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);
	buf_free(&out);
	return code;
}

static const struct cmd_option options[] = {
	{ "dry-run", NULL, "check and count, but write nothing" },
	{ "source", "WHO", "external: which department delivers the table" },
	{ "date", "YYYY-MM-DD", "external: the day of which it speaks" },
	{ "public", NULL,
	  "external: it says of nobody who they are; every token for all may read it" },
	{ "facility-column", "HEADER",
	  "external: the column with a facility's ID, USCC or filing number, if it has another "
	  "name" },
	{ "street-column", "HEADER",
	  "external: the column with a street's code or name, if it has another name" },
	{ 0 },
};

const struct cmd cmd_import = {
	.name = "import",
	.args = "roster FILE | TABLE FILE | external NAME FILE",
	.help = "read a CSV file: a roster, a table's rows, or at the hub a department's table",
	.options = options,
	.json = true,
	.min = 2,
	.max = 3,
	.run = run,
};

#include "node/hub/external_priv.h"

#include "node/facility/views.h"
#include "store/base/hash.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHA256 = EXTERNAL_SHA256 };

/* ---- what may not be ---- */

static int
check_name(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > EXTERNAL_NAME_MAX || name[0] < 'a' || name[0] > 'z' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != len)
		return err_set(
		        err, ERR_INVALID,
		        "%.60s can't be the name of a table: a letter from a to z, then up to "
		        "%d more, digits or _",
		        name, EXTERNAL_NAME_MAX - 1);
	if (strcmp(name, "delivery") == 0 || strcmp(name, "delivery_key") == 0)
		return err_set(err, ERR_INVALID,
		               "external_delivery lists the deliveries; take another name");
	return 0;
}

static int
check_column(const struct csv_record *header, size_t i, struct err *err)
{
	const struct csv_field *f = &header->fields[i];

	if (f->text[0] == 0)
		return err_set(err, ERR_INVALID, "line %d, column %d: the column has no name",
		               f->line, f->column);
	if (strlen(f->text) > EXTERNAL_COLUMN_MAX)
		return err_set(err, ERR_INVALID,
		               "line %d, column %d: a column's name has at most %d bytes", f->line,
		               f->column, EXTERNAL_COLUMN_MAX);
	if (strncasecmp(f->text, "yz_", 3) == 0)
		return err_set(err, ERR_INVALID,
		               "line %d, column %d: names that begin with yz_ are the program's",
		               f->line, f->column);
	for (size_t before = 0; before < i; before++)
		if (strcasecmp(header->fields[before].text, f->text) == 0)
			return err_set(err, ERR_INVALID,
			               "line %d, column %d: column %d is called %.60s, too",
			               f->line, f->column, (int)before + 1, f->text);
	return 0;
}

static int
read_header(struct external_taking *t, struct err *err)
{
	int rc = csv_next(&t->csv, &t->arena, &t->header, err);

	if (rc == 0)
		return err_set(err, ERR_INVALID, "the file is empty: line 1 must name the columns");
	rc = rc < 0 ? rc : 0;
	for (size_t i = 0; rc == 0 && i < t->header.count; i++)
		rc = check_column(&t->header, i, err);
	return rc;
}

/* ---- what stands ---- */

/* May it follow the delivery that stands, and is it another one? */
static int
compare(struct external_taking *t, struct err *err)
{
	const struct external_file *file = t->file;
	struct store_stmt s = store_stmt_new(
	        t->db, "SELECT no, date, sha256 = ? AND source = ? AND date = ? AND personal = ?"
	               " FROM external_delivery WHERE name = ? AND replaced_ms IS NULL");
	int64_t date;
	int rc;

	store_stmt_put_text(&s, t->hash);
	store_stmt_put_text(&s, file->source);
	store_stmt_put_int(&s, file->date);
	store_stmt_put_int(&s, file->personal);
	store_stmt_put_text(&s, file->name);
	rc = store_stmt_step(&s, err);
	if (rc == 1) {
		t->done->replaces = store_stmt_get_int(&s);
		date = store_stmt_get_int(&s);
		t->done->same = store_stmt_get_int(&s) != 0;
		rc = date <= file->date ? 0
		                        : err_set(err, ERR_INVALID,
		                                  "the delivery of %s that stands is of %lld, "
		                                  "later than %d: an "
		                                  "older one doesn't replace it",
		                                  file->name, (long long)date, file->date);
	}
	store_stmt_end(&s);
	return rc;
}

static int
retire(struct external_taking *t, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(t->db, "UPDATE external_delivery SET replaced_ms = ? WHERE no = ?");

	store_stmt_put_int(&s, t->file->now_ms);
	store_stmt_put_int(&s, t->done->replaces);
	return store_stmt_run(&s, err);
}

/* ---- table and rows ---- */

/* A name in quotes; those within are doubled. */
void
external_put_name(struct buf *sql, const char *name)
{
	buf_u8(sql, '"');
	for (; *name != 0; name++)
		buf_printf(sql, *name == '"' ? "\"\"" : "%c", *name);
	buf_u8(sql, '"');
}

int
external_exec(struct external_taking *t, struct buf *sql, struct err *err)
{
	int rc = buf_check(sql, err);

	if (rc == 0)
		rc = store_db_exec(t->db, buf_str(sql), err);
	buf_free(sql);
	return rc;
}

static int
make_table(struct external_taking *t, struct err *err)
{
	const char *name = t->file->name;
	struct buf sql = { 0 };

	buf_printf(&sql,
	           "DROP VIEW IF EXISTS v1_external_%s; DROP TABLE IF EXISTS external_%s;"
	           "CREATE TABLE external_%s(yz_line INTEGER PRIMARY KEY",
	           name, name, name);
	for (size_t i = 0; i < t->header.count; i++) {
		buf_printf(&sql, ", ");
		external_put_name(&sql, t->header.fields[i].text);
		buf_printf(&sql, " TEXT");
	}
	buf_printf(&sql, ")");
	return external_exec(t, &sql, err);
}

/* Spreadsheets leave rows of commas behind the last one. */
static bool
all_empty(const struct csv_record *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->fields[i].text[0] != 0)
			return false;
	return true;
}

static int
add_row(struct external_taking *t, const char *sql, const struct csv_record *r, struct err *err)
{
	struct store_stmt s;

	if (r->count != t->header.count)
		return err_set(
		        err, ERR_INVALID,
		        "line %d, column %zu: the line has %zu fields, line 1 names %zu columns",
		        r->line, r->count < t->header.count ? r->count : t->header.count + 1,
		        r->count, t->header.count);
	s = store_stmt_new(t->db, sql);
	store_stmt_put_int(&s, r->line);
	for (size_t i = 0; i < r->count; i++)
		if (r->fields[i].text[0] == 0)
			store_stmt_put_null(&s);
		else
			store_stmt_put_text(&s, r->fields[i].text);
	t->done->rows++;
	return store_stmt_run(&s, err);
}

static int
add_rows(struct external_taking *t, struct err *err)
{
	struct csv_record record;
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql, "INSERT INTO external_%s VALUES (?", t->file->name);
	for (size_t i = 0; i < t->header.count; i++)
		buf_printf(&sql, ", ?");
	buf_printf(&sql, ")");
	rc = buf_check(&sql, err);
	for (int more = 1; rc == 0 && more == 1;) {
		struct arena a = { 0 };

		more = csv_next(&t->csv, &a, &record, err);
		if (more < 0)
			rc = more;
		else if (more == 1 && !all_empty(&record))
			rc = add_row(t, buf_str(&sql), &record, err);
		arena_free(&a);
	}
	buf_free(&sql);
	return rc;
}

/* ---- the list ---- */

static int
list_it(struct external_taking *t, struct err *err)
{
	const struct external_file *file = t->file;
	struct store_stmt s = store_stmt_new(
	        t->db, "INSERT INTO external_delivery(no, name, source, date, sha256, bytes, rows,"
	               " columns, personal, imported_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	store_stmt_put_int(&s, t->done->no);
	store_stmt_put_text(&s, file->name);
	store_stmt_put_text(&s, file->source);
	store_stmt_put_int(&s, file->date);
	store_stmt_put_text(&s, t->hash);
	store_stmt_put_int(&s, (int64_t)file->len);
	store_stmt_put_int(&s, t->done->rows);
	store_stmt_put_int(&s, t->done->columns);
	store_stmt_put_int(&s, file->personal);
	store_stmt_put_int(&s, file->now_ms);
	return store_stmt_run(&s, err);
}

static int
count_rows(struct external_taking *t, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(t->db, "SELECT rows FROM external_delivery WHERE no = ?");
	int rc;

	store_stmt_put_int(&s, t->done->no);
	rc = store_stmt_step(&s, err);
	t->done->rows = rc == 1 ? store_stmt_get_int(&s) : 0;
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static int
take(struct external_taking *t, struct err *err)
{
	int rc = compare(t, err);

	if (rc == 0 && t->done->same) {
		t->done->no = t->done->replaces;
		rc = external_join(t, err);
		return rc == 0 ? count_rows(t, err) : rc;
	}
	if (rc == 0)
		rc = store_stmt_int(t->db, "SELECT 1 + coalesce(max(no), 0) FROM external_delivery",
		                    1, &t->done->no, err);
	if (rc == 0)
		rc = make_table(t, err);
	if (rc == 0)
		rc = add_rows(t, err);
	if (rc == 0 && t->done->replaces > 0)
		rc = retire(t, err);
	if (rc == 0)
		rc = list_it(t, err);
	return rc == 0 ? external_join(t, err) : rc;
}

/* In one transaction, or not at all. */
static int
take_all(struct external_taking *t, struct err *err)
{
	int rc = store_db_begin(t->db, err);

	if (rc < 0)
		return rc;
	rc = facility_views_make(t->db, true, err); /* the join reads them */
	if (rc == 0)
		rc = take(t, err);
	if (rc == 0 && !t->file->dry_run)
		rc = store_db_commit(t->db, err);
	store_db_rollback(t->db); /* after an error or a dry run; else there is nothing to undo */
	return rc;
}

int
external_import(struct store_db *db, const struct external_file *file, struct external_done *out,
                struct err *err)
{
	struct external_taking t = { .db = db, .file = file, .done = out };
	struct buf text = { 0 };
	uint8_t hash[SHA256];
	int rc = check_name(file->name, err);

	*out = (struct external_done){ 0 };
	hash_sha256(hash, file->bytes, file->len);
	text_hex(t.hash, hash, sizeof hash);
	if (rc == 0)
		rc = csv_to_utf8(file->bytes, file->len, &text, err);
	t.csv = csv_from(text.bytes, text.len);
	if (rc == 0)
		rc = read_header(&t, err);
	out->columns = (int64_t)t.header.count;
	if (rc == 0)
		rc = take_all(&t, err);
	arena_free(&t.arena);
	buf_free(&text);
	return rc;
}

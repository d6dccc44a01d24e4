/*
 * store/batch_sqlite.c - rows and their versions in SQLite.
 *
 * A row's version (store/clock_priv.h) says its life and the insert that names it, and
 * speaks for every cell that this insert's schema has, but for its exceptions: per
 * cell varint column id, zig-zag stamp, varint site.
 *
 * A cell's value is in the user's own table where that can hold it; in yz_extra
 * (with its version) where it can't: the column or table isn't here, the row is
 * dead (max cells outlive it), its insert hasn't come yet, or the engine refused
 * the row.  When a newer schema arrives the next put moves the cells.
 */
#include "store/batch_priv.h"
#include "store/clock_priv.h"
#include "store/db_priv.h"
#include "store/inbox.h"

#include <stdlib.h>
#include <string.h>

static struct batch *
self(struct store_batch *b)
{
	return (struct batch *)b; /* face is the first member */
}

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "merge: out of memory");
}

struct store_rows *
store_batch_rows(struct batch *b, int table)
{
	const struct store_schema *local = store_catalog_table(b->db, table)->local;
	struct store_batch_io *io;

	if (local == NULL)
		return NULL;
	if (table > b->io_count) {
		io = realloc(b->io, (size_t)table * 2 * sizeof *io);

		if (io == NULL)
			abort();
		memset(io + b->io_count, 0, ((size_t)table * 2 - (size_t)b->io_count) * sizeof *io);
		b->io = io;
		b->io_count = table * 2;
	}
	io = &b->io[table - 1];
	if (io->ready &&
	    (io->generation != b->db->catalog_generation || io->rows.schema != local)) {
		store_rows_end(&io->rows);
		io->ready = false;
	}
	if (!io->ready) {
		io->rows = store_rows_of(b->db, local);
		io->generation = b->db->catalog_generation;
		io->ready = true;
	}
	return &io->rows;
}

/* Ids of columns mostly follow each other, so that the place can be guessed. */
int
store_batch_position(const struct store_schema *s, int column)
{
	unsigned guess = (unsigned)(column - s->columns[0].id);

	if (guess < s->column_count && s->columns[guess].id == column)
		return s->columns[guess].key == 0 ? (int)guess : -1;
	for (unsigned i = 0; i < s->column_count; i++)
		if (s->columns[i].id == column && s->columns[i].key == 0)
			return (int)i;
	return -1;
}

/* ---- get ---- */

/* The cell of a column, made in its place if there is none; the array has room for every column of
 * the table. */
static struct store_cell *
cell_for(struct store_row *row, int column)
{
	unsigned at = row->cell_count;

	while (at > 0 && row->cells[at - 1].column >= column)
		at--;
	if (at < row->cell_count && row->cells[at].column == column)
		return &row->cells[at];
	memmove(&row->cells[at + 1], &row->cells[at],
	        (row->cell_count - at) * sizeof row->cells[0]);
	row->cell_count++;
	row->cells[at] = (struct store_cell){ .column = column, .value = { .type = STORE_NULL } };
	return &row->cells[at];
}

static void
take_covered(struct store_row *row, const struct store_schema *named)
{
	for (unsigned i = 0; i < named->column_count; i++) {
		struct store_cell *cell;

		if (named->columns[i].key > 0)
			continue;
		cell = cell_for(row, named->columns[i].id);
		cell->stamp = row->stamp;
		cell->site = row->site;
	}
}

static int
take_exceptions(struct store_row *row, unsigned columns, const struct rd *exc, struct err *err)
{
	struct rd r = *exc;

	while (!r.bad && r.left > 0) {
		uint64_t column = rd_varint(&r);
		int64_t stamp = rd_zigzag(&r);
		uint64_t site = rd_varint(&r);
		struct store_cell *cell;

		if (r.bad || column == 0 || column > columns || site > INT32_MAX)
			break;
		cell = cell_for(row, (int)column);
		cell->stamp = stamp;
		cell->site = (int)site;
	}
	return rd_done(&r) ? 0
	                   : err_set(err, ERR_CORRUPT, "clock of a row: exceptions are damaged");
}

static int
take_extras(struct batch *b, struct store_row *row, struct arena *a, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        b->db, "SELECT col, stamp, site, value FROM yz_extra WHERE tbl = ? AND key = ?");
	int rc;

	store_stmt_put_int(&s, row->table);
	store_stmt_put_blob(&s, row->key, row->key_len);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct store_cell *cell = cell_for(row, (int)store_stmt_get_int(&s));

		cell->stamp = store_stmt_get_int(&s);
		cell->site = (int)store_stmt_get_int(&s);
		cell->value = store_stmt_get_value(&s);
		if (cell->value.bytes == NULL)
			continue;
		cell->value.bytes = arena_copy(a, cell->value.bytes, cell->value.len);
		if (cell->value.bytes == NULL) {
			rc = no_memory(err);
			break;
		}
	}
	store_stmt_end(&s);
	return rc;
}

/* Values of the cells that the table's row holds. */
static int
take_values(struct batch *b, struct store_row *row, struct arena *a, struct err *err)
{
	struct store_value values[STORE_COLUMNS_MAX];
	struct store_rows *rows = store_batch_rows(b, row->table);
	int rc;

	if (rows == NULL || row->cl % 2 == 0)
		return 0;
	rc = store_rows_get(rows, row->key, row->key_len, values, a, err);
	row->in_table = rc == 1;
	if (rc <= 0)
		return rc;
	for (unsigned i = 0; i < row->cell_count; i++) {
		int at = store_batch_position(rows->schema, row->cells[i].column);

		if (at >= 0)
			row->cells[i].value = values[at];
	}
	return 0;
}

/* The rest of a row whose clock has been found. */
static int
read_row(struct batch *b, struct store_row *row, const struct rd *exc, struct arena *a,
         struct err *err)
{
	const struct store_schema *named;
	unsigned columns = store_catalog_table(b->db, row->table)->column_count;
	int rc;

	row->known = true;
	row->was_live = store_row_is_live(row);
	row->was_cl = row->cl;
	row->cells = arena_take(a, columns + 1, sizeof *row->cells);
	if (row->cells == NULL)
		return no_memory(err);
	named = row->schema == 0 ? NULL : store_catalog_schema(b->db, row->schema);
	if (named != NULL && row->cl % 2 == 1)
		take_covered(row, named);
	rc = take_exceptions(row, columns, exc, err);
	if (rc == 0)
		rc = take_values(b, row, a, err);
	if (rc == 0 && row->extra)
		rc = take_extras(b, row, a, err);
	return rc;
}

enum { PROBE_ROWS = 64 };

/* Rows of one table from `rows` on that one probe looks for. */
static size_t
probe_count(struct store_row **rows, size_t count)
{
	size_t n = 1;

	while (n < count && n < PROBE_ROWS && rows[n]->table == rows[0]->table)
		n++;
	return n;
}

static int
get_each(struct batch *b, struct store_clocks *clocks, struct store_row **rows, size_t count,
         struct arena *a, struct err *err)
{
	struct rd exc;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		rc = store_clock_find(clocks, rows[i], &exc, err);
		if (rc == 1)
			rc = read_row(b, rows[i], &exc, a, err);
	}
	return rc;
}

/* Mostly rows are new, and their keys lie where nobody else's do: then one look finds nothing for
 * many of them. */
static int
get_rows(struct store_batch *face, struct store_row **rows, size_t count, struct arena *a,
         struct err *err)
{
	struct batch *b = self(face);
	struct store_clocks clocks;
	int rc = 0;

	store_clock_begin(&clocks, b->db);
	for (size_t i = 0, n; rc >= 0 && i < count; i += n) {
		n = probe_count(rows + i, count - i);
		rc = n < 3 ? 1 : store_clock_any(&clocks, rows[i], rows[i + n - 1], err);
		if (rc == 1)
			rc = get_each(b, &clocks, rows + i, n, a, err);
	}
	store_clock_end(&clocks);
	return rc < 0 ? rc : 0;
}

/* ---- the rest of the face ---- */

static int
site_cmp(struct store_batch *face, int site_a, int site_b)
{
	return store_catalog_site_cmp(self(face)->db, site_a, site_b);
}

static const struct store_site *
site_name(struct store_batch *face, int site)
{
	return store_catalog_site_of(self(face)->db, site);
}

static const struct store_table *
table(struct store_batch *face, int id)
{
	return store_catalog_table(self(face)->db, id);
}

static const struct store_schema *
schema(struct store_batch *face, int id)
{
	return store_catalog_schema(self(face)->db, id);
}

struct store_batch *
store_batch_sqlite_new(struct store_db *db)
{
	struct batch *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->db = db;
	b->face = (struct store_batch){
		.get = get_rows,
		.put = store_batch_put,
		.site_cmp = site_cmp,
		.site_name = site_name,
		.table = table,
		.schema = schema,
	};
	return &b->face;
}

void
store_batch_sqlite_free(struct store_batch *face)
{
	struct batch *b = self(face);

	if (b == NULL)
		return;
	for (int i = 0; i < b->io_count; i++)
		if (b->io[i].ready)
			store_rows_end(&b->io[i].rows);
	store_batch_bulk_end(b);
	free(b->io);
	free(b->refusals);
	free(b);
}

size_t
store_batch_sqlite_refused(struct store_batch *face, const struct store_refusal **list)
{
	*list = self(face)->refusals;
	return self(face)->refusal_count;
}

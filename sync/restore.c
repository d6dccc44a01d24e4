#include "sync/restore.h"
#include "store/inspect.h"
#include "store/settle.h"
#include "store/stream.h"
#include "sync/reader.h"

#include <string.h>

/* A row's clock says who wrote each cell; the values stand in the segments. */
struct restoring {
	struct sync_replica *r;
	struct store_row *row;
	const struct store_stream *stream;
	struct arena *arena; /* the row's */
	bool *found;         /* [cell] */
};

static bool
is_of_row(const struct restoring *x, const struct store_change *c)
{
	return c->schema->table_id == x->row->table && c->key_len == x->row->key_len &&
	       memcmp(c->key, x->row->key, c->key_len) == 0;
}

/* The cells of the row that this change wrote. */
static int
take_change(struct restoring *x, const struct store_change *c, int site, struct err *err)
{
	for (unsigned i = 0; i < x->row->cell_count; i++) {
		struct store_cell *cell = &x->row->cells[i];

		for (unsigned k = 0; k < c->schema->column_count; k++) {
			if (c->schema->columns[k].id != cell->column || (c->mask >> k & 1) == 0 ||
			    cell->stamp != c->stamp || cell->site != site)
				continue;
			cell->value = c->values[k];
			x->found[i] = true;
			if (cell->value.bytes == NULL)
				continue;
			cell->value.bytes =
			        arena_copy(x->arena, cell->value.bytes, cell->value.len);
			if (cell->value.bytes == NULL)
				return err_set(err, ERR_NOMEM, "restore: out of memory");
		}
	}
	return 0;
}

static int
take_records(struct restoring *x, const struct sync_reader *reader, struct err *err)
{
	const struct sync_opening *o = NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < reader->count; i++) {
		const struct sync_record *rec = &reader->records[i];
		int site = x->stream->site;

		if (rec->type == SYNC_OPENING)
			o = rec->opening;
		if (rec->type != SYNC_CHANGE || !is_of_row(x, &rec->change))
			continue;
		if (o != NULL && o->kind == SYNC_RELAY && rec->origin < o->origin_count)
			rc = store_catalog_site(x->r->db, o->origins[rec->origin].node,
			                        o->origins[rec->origin].epoch, &site, err);
		if (rc == 0)
			rc = take_change(x, &rec->change, site, err);
	}
	return rc;
}

static int
take_stream(struct restoring *x, struct err *err)
{
	uint64_t n = 1;
	int rc = 0;

	while (rc == 0 && n <= x->stream->n) {
		struct arena a = { .limit = SYNC_ARENA_MAX };
		struct sync_reader reader;

		rc = sync_reader_open(x->r->db, x->stream, n, &a, &reader, err);
		if (rc == 0)
			rc = take_records(x, &reader, err);
		if (rc == 0)
			n = reader.seg.last + 1;
		arena_free(&a);
	}
	return rc;
}

/* The row's values, out of all streams: who sees it, too, wrote in another scope's, and one that
 * has left is in none. */
static int
find_values(struct restoring *x, struct err *err)
{
	struct store_stream *list;
	size_t count = 0;
	int rc = store_stream_list(x->r->db, 0, x->arena, &list, &count, err);

	x->found = arena_take(x->arena, x->row->cell_count, sizeof *x->found);
	if (rc == 0 && x->found == NULL)
		rc = err_set(err, ERR_NOMEM, "restore: out of memory");
	for (size_t i = 0; rc == 0 && i < count; i++) {
		x->stream = &list[i];
		rc = take_stream(x, err);
	}
	for (unsigned i = 0; rc == 0 && i < x->row->cell_count; i++)
		if (!x->found[i])
			rc = err_set(err, ERR_NOTFOUND,
			             "what the row should hold is in no record of this file");
	return rc;
}

int
sync_restore_row(struct sync_replica *r, const struct store_row *which, bool *is_here,
                 struct err *err)
{
	struct store_row row = { .table = which->table,
		                 .key = which->key,
		                 .key_len = which->key_len };
	struct store_row *rows[] = { &row };
	struct arena a = { 0 };
	struct restoring x = { .r = r, .row = &row, .arena = &a };
	bool unsealed = false;
	int rc = store_inspect_is_unsealed(r->db, row.table, row.key, row.key_len, &unsealed, err);

	if (rc == 0 && unsealed)
		rc = err_set(err, ERR_INVALID,
		             "the row has been written again just now; sync, then look again");
	if (rc == 0)
		rc = r->batch->get(r->batch, rows, 1, &a, err);
	if (rc == 0 && store_row_is_live(&row))
		rc = find_values(&x, err);
	if (rc == 0)
		rc = store_settle_back(r->batch, &row, err);
	*is_here = store_row_is_live(&row);
	arena_free(&a);
	return rc;
}

#include "sync/merge/restore.h"
#include "store/inspect.h"
#include "store/settle.h"
#include "store/stream.h"
#include "sync/reader.h"

#include <string.h>

/* A row's clock says who wrote each cell; the values stand in the segments. */
struct restoring {
	struct sync_replica *r;
	struct store_row **rows; /* sorted */
	size_t count;
	const struct store_stream *stream;
	struct arena *arena; /* the rows' */
};

/* The row that this change is of; NULL if it is none of ours. */
static struct store_row *
row_of(const struct restoring *x, const struct store_change *c)
{
	struct store_row key = { .table = c->schema->table_id,
		                 .key = c->key,
		                 .key_len = c->key_len };
	size_t low = 0, high = x->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = store_row_cmp(x->rows[mid], &key);

		if (order == 0)
			return x->rows[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static int
take_value(struct restoring *x, struct store_cell *cell, const struct store_value *value,
           struct err *err)
{
	cell->value = *value;
	if (value->bytes == NULL)
		return 0;
	cell->value.bytes = arena_copy(x->arena, value->bytes, value->len);
	return cell->value.bytes == NULL ? err_set(err, ERR_NOMEM, "restore: out of memory") : 0;
}

/* The cells of the row that this change wrote. */
static int
take_change(struct restoring *x, struct store_row *row, const struct store_change *c, int site,
            struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < row->cell_count; i++) {
		struct store_cell *cell = &row->cells[i];

		if (cell->stamp != c->stamp || cell->site != site)
			continue;
		for (unsigned k = 0; rc == 0 && k < c->schema->column_count; k++)
			if (c->schema->columns[k].id == cell->column && (c->mask >> k & 1) != 0)
				rc = take_value(x, cell, &c->values[k], err);
	}
	return rc;
}

static int
take_records(struct restoring *x, const struct sync_reader *reader, struct err *err)
{
	const struct sync_opening *o = NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < reader->count; i++) {
		const struct sync_record *rec = &reader->records[i];
		struct store_row *row;
		int site = x->stream->site;

		if (rec->type == SYNC_OPENING)
			o = rec->opening;
		row = rec->type == SYNC_CHANGE ? row_of(x, &rec->change) : NULL;
		if (row == NULL)
			continue;
		if (o != NULL && o->kind == SYNC_RELAY && rec->origin < o->origin_count)
			rc = store_catalog_site(x->r->db, o->origins[rec->origin].node,
			                        o->origins[rec->origin].epoch, &site, err);
		if (rc == 0)
			rc = take_change(x, row, &rec->change, site, err);
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
		else if (rc == ERR_NOMEM && a.over)
			rc = err_set(err, ERR_NOTFOUND, "record %llu can't be opened any more",
			             (unsigned long long)n);
		arena_free(&a);
	}
	return rc;
}

int
sync_restore_values(struct sync_replica *r, struct store_row **rows, size_t count, struct arena *a,
                    struct err *err)
{
	struct restoring x = { .r = r, .rows = rows, .count = count, .arena = a };
	struct store_stream *list;
	size_t streams = 0;
	int rc = store_stream_list(r->db, 0, a, &list, &streams, err);

	for (size_t i = 0; rc == 0 && i < streams; i++) {
		x.stream = &list[i];
		rc = take_stream(&x, err);
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		uint8_t term[STORE_TERM];

		store_row_term(r->batch, rows[i], term);
		rows[i]->changed = rows[i]->write_row =
		        memcmp(term, rows[i]->term, STORE_TERM) == 0;
	}
	return rc;
}

/* One row's values; ERR_NOTFOUND if not all are here. */
static int
find_values(struct sync_replica *r, struct store_row *row, struct arena *a, struct err *err)
{
	int rc = sync_restore_values(r, &row, 1, a, err);

	if (rc == 0 && !row->changed)
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
	bool unsealed = false;
	int rc = store_inspect_is_unsealed(r->db, row.table, row.key, row.key_len, &unsealed, err);

	if (rc == 0 && unsealed)
		rc = err_set(err, ERR_INVALID,
		             "the row has been written again just now; sync, then look again");
	if (rc == 0)
		rc = r->batch->get(r->batch, rows, 1, &a, err);
	if (rc == 0 && store_row_is_live(&row))
		rc = find_values(r, &row, &a, err);
	if (rc == 0)
		rc = store_settle_back(r->batch, &row, err);
	*is_here = store_row_is_live(&row);
	arena_free(&a);
	return rc;
}

#include "sync/merge/refused.h"
#include "store/inspect.h"
#include "sync/reader.h"

#include <string.h>

static int
give_none(struct sync_refused *out, const char *why)
{
	out->count = 0;
	out->why = why;
	return 0;
}

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "quarantine: out of memory");
}

/* ---- a row of this file ---- */

static int
read_row(struct store_db *db, const struct store_quarantined *q, struct arena *a,
         struct sync_refused *out, struct err *err)
{
	const struct store_schema *schema = store_catalog_table(db, q->table)->local;
	struct store_change *c = arena_take(a, 1, sizeof *c);
	struct store_value *values = NULL;
	int rc;

	if (schema == NULL)
		return give_none(out, "its table isn't tracked here any more");
	if (c == NULL)
		return no_memory(err);
	rc = store_inspect_row(db, schema, rd_from(q->key, q->key_len), a, &values, err);
	if (rc < 0)
		return rc;
	*c = (struct store_change){ .schema = schema, .key = q->key, .key_len = q->key_len };
	c->op = rc == 0 ? STORE_DELETE : STORE_INSERT;
	c->mask = rc == 0 ? 0 : schema->cells;
	c->values = values;
	out->changes = c;
	out->count = 1;
	return 0;
}

/* ---- records ---- */

/* Of the unit that opens at `at`: all changes, or those of the entry's row. */
static int
take_unit(const struct store_quarantined *q, const struct sync_reader *reader, size_t at,
          struct arena *a, struct sync_refused *out, struct err *err)
{
	size_t most = reader->records[at].opening->changes;

	out->changes = arena_take(a, most + 1, sizeof *out->changes);
	if (out->changes == NULL)
		return no_memory(err);
	for (size_t i = at + 1; i < reader->count && i <= at + most; i++) {
		const struct store_change *c = &reader->records[i].change;

		if (reader->records[i].type != SYNC_CHANGE)
			continue; /* it was erased since */
		if (q->table == 0 || (c->schema->table_id == q->table && c->key_len == q->key_len &&
		                      memcmp(c->key, q->key, q->key_len) == 0))
			out->changes[out->count++] = *c;
	}
	return out->count > 0 ? 0 : give_none(out, "what it said has been erased");
}

static int
take_record(const struct store_quarantined *q, const struct sync_reader *reader, struct arena *a,
            struct sync_refused *out, struct err *err)
{
	size_t at = (size_t)(q->n - reader->seg.first);

	if (q->n < reader->seg.first || at >= reader->count)
		return give_none(out, "its record isn't here any more");
	if (reader->records[at].type == SYNC_OPENING)
		return take_unit(q, reader, at, a, out, err);
	if (reader->records[at].type != SYNC_CHANGE)
		return give_none(out, "what it said has been erased");
	out->changes = &reader->records[at].change;
	out->count = 1;
	return 0;
}

static int
read_record(struct store_db *db, const struct store_quarantined *q, struct arena *a,
            struct sync_refused *out, struct err *err)
{
	struct sync_reader reader = { 0 };
	struct store_stream *list = NULL;
	size_t count = 0, i = 0;
	int rc = store_stream_list(db, 0, a, &list, &count, err);

	while (rc == 0 && i < count && list[i].id != q->stream)
		i++;
	if (rc < 0)
		return rc;
	if (i == count)
		return give_none(out, "its stream isn't here any more");
	if (q->n > list[i].n)
		return give_none(out, "it is held as it came, and opened once it is let in");
	rc = sync_reader_open(db, &list[i], q->n, a, &reader, err);
	if (rc == ERR_NOTFOUND || rc == ERR_CORRUPT || (rc == ERR_NOMEM && a->over))
		return give_none(out, "its record can't be opened any more");
	return rc < 0 ? rc : take_record(q, &reader, a, out, err);
}

int
sync_refused_read(struct store_db *db, const struct store_quarantined *q, struct arena *a,
                  struct sync_refused *out, struct err *err)
{
	*out = (struct sync_refused){ 0 };
	if (q->stream != 0)
		return read_record(db, q, a, out, err);
	if (q->n == STORE_QUARANTINE_UNDONE)
		return give_none(out, "what was written was put back at once, and isn't kept");
	if (q->table == 0)
		return give_none(out,
		                 "its key is too long to be kept here; the row is in its table");
	return read_row(db, q, a, out, err);
}

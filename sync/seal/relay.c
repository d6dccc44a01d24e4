/*
 * sync/seal/relay.c - rows said again with the versions that they have.
 *
 *   1. a row's versions apart: its insert or delete, and each other write that shows
 *   2. what each of them had seen
 *   3. in the order of that, a unit for all that had seen the same
 */
#include "sync/seal/relay.h"
#include "store/base/mutant.h"
#include "sync/seal/pen_priv.h"
#include "sync/seen.h"

#include <stdlib.h>
#include <string.h>

/* A write of a row, on its way. */
struct said {
	struct store_change change;
	const uint8_t *seen;
	size_t seen_len;
};

struct relaying {
	struct sync_relay *what;
	struct arena arena;
	struct said *list;
	size_t count, cap;
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "relay: out of memory");
}

/* ---- a row's versions ---- */

/* May this write be said, and is it one of those asked for? */
static bool
is_wanted(const struct relaying *rl, int64_t stamp, int site)
{
	const struct sync_relay *what = rl->what;
	const struct store_site *by;

	if (site == STORE_SITE_SEED) /* everybody has the seeds */
		return false;
	if (what->site != 0)
		return site == what->site && stamp >= what->from && stamp <= what->to;
	by = store_catalog_site_of(what->r->db, site);
	return what->r->is_hub || memcmp(by->node, what->r->self.node, STORE_NODE_ID) == 0;
}

static struct store_change *
add(struct relaying *rl, const struct store_row *row, const struct store_schema *schema,
    struct err *err)
{
	struct rd key = rd_from(row->key, row->key_len);
	struct store_change *c;

	if (rl->count == rl->cap) {
		size_t cap = rl->cap * 2 + 64;
		struct said *list = arena_take(&rl->arena, cap, sizeof *list);

		if (list != NULL && rl->count > 0)
			memcpy(list, rl->list, rl->count * sizeof *list);
		rl->list = list;
		rl->cap = cap;
	}
	if (rl->list == NULL) {
		(void)no_memory(err);
		return NULL;
	}
	rl->list[rl->count] = (struct said){ 0 };
	c = &rl->list[rl->count++].change;
	*c = (struct store_change){ .schema = schema, .key = row->key, .key_len = row->key_len };
	c->values = arena_take(&rl->arena, schema->column_count, sizeof *c->values);
	if (c->values == NULL) {
		(void)no_memory(err);
		return NULL;
	}
	for (unsigned i = 0; i < schema->column_count; i++)
		c->values[i] = store_value_null();
	for (unsigned k = 0; k < schema->key_count; k++)
		c->values[schema->keys[k]] = store_value_read(&key);
	return c;
}

static const struct store_cell *
cell_of(const struct store_row *row, int column)
{
	for (unsigned i = 0; i < row->cell_count; i++)
		if (row->cells[i].column == column)
			return &row->cells[i];
	return NULL;
}

/* The position of a cell's column in a schema; -1 if it has none. */
static int
place_in(const struct store_schema *s, const struct store_cell *cell)
{
	for (unsigned i = 0; i < s->column_count; i++)
		if (s->columns[i].id == cell->column && s->columns[i].key == 0)
			return (int)i;
	return -1;
}

static bool
is_of(const struct store_cell *cell, int64_t stamp, int site)
{
	return cell->stamp == stamp && cell->site == site;
}

/* What names the row's life: an insert says all cells of its schema, a delete none. */
static int
say_name(struct relaying *rl, const struct store_row *row, struct err *err)
{
	const struct store_table *table = store_catalog_table(rl->what->r->db, row->table);
	const struct store_schema *schema =
	        row->cl % 2 == 1 ? store_catalog_schema(rl->what->r->db, row->schema)
	                         : table->local;
	struct store_change *c;

	for (int id = 1; schema == NULL; id++) { /* a delete of a table that isn't here */
		schema = store_catalog_schema(rl->what->r->db, id);
		if (schema == NULL)
			return err_set(err, ERR_CORRUPT, "relay: table %s has no schema",
			               table->name);
		schema = schema->table_id == row->table ? schema : NULL;
	}
	c = add(rl, row, schema, err);
	if (c == NULL)
		return err->code;
	c->op = row->cl % 2 == 1 ? STORE_INSERT : STORE_DELETE;
	c->cl = row->cl;
	c->stamp = row->stamp;
	c->site = row->site;
	c->mask = c->op == STORE_INSERT ? schema->cells : 0;
	for (uint64_t left = c->mask; left != 0; left &= left - 1) {
		int at = __builtin_ctzll(left);
		const struct store_cell *cell = cell_of(row, schema->columns[at].id);

		if (cell != NULL && (is_of(cell, row->stamp, row->site) ||
		                     table->rules[cell->column - 1] == STORE_LWW))
			c->values[at] = cell->value;
	}
	return 0;
}

/* A schema that has the cell's column: the insert's, the one here, any. */
static const struct store_schema *
schema_with(struct relaying *rl, const struct store_row *row, const struct store_cell *cell)
{
	struct store_db *db = rl->what->r->db;
	const struct store_schema *s =
	        row->schema == 0 ? NULL : store_catalog_schema(db, row->schema);

	if (s != NULL && place_in(s, cell) >= 0)
		return s;
	s = store_catalog_table(db, row->table)->local;
	if (s != NULL && place_in(s, cell) >= 0)
		return s;
	for (int id = 1; (s = store_catalog_schema(db, id)) != NULL; id++)
		if (s->table_id == row->table && place_in(s, cell) >= 0)
			break;
	return s;
}

/* The write that shows in cell `from`, with all that shows of it; *done are the cells said so far.
 */
static int
say_write(struct relaying *rl, const struct store_row *row, unsigned from, bool *done,
          struct err *err)
{
	const struct store_cell *first = &row->cells[from];
	const struct store_schema *schema = schema_with(rl, row, first);
	struct store_change *c;

	if (schema == NULL)
		return err_set(err, ERR_CORRUPT, "relay: a column is of no schema");
	c = add(rl, row, schema, err);
	if (c == NULL)
		return err->code;
	c->op = STORE_UPDATE;
	/* max cells outlive their row, and belong to all its lives */
	c->cl = row->cl % 2 == 1 ? row->cl : row->cl - 1;
	c->stamp = first->stamp;
	c->site = first->site;
	for (unsigned i = from; i < row->cell_count; i++) {
		int at = place_in(schema, &row->cells[i]);

		if (at < 0 || !is_of(&row->cells[i], first->stamp, first->site))
			continue;
		c->mask |= (uint64_t)1 << at;
		c->values[at] = row->cells[i].value;
		done[i] = true;
	}
	return 0;
}

static int
say_row(struct relaying *rl, const struct store_row *row, struct err *err)
{
	const struct store_schema *named =
	        row->schema == 0 ? NULL : store_catalog_schema(rl->what->r->db, row->schema);
	bool *done = arena_take(&rl->arena, row->cell_count, sizeof *done);
	bool name = row->stamp != 0 && is_wanted(rl, row->stamp, row->site);
	int rc = 0;

	if (done == NULL)
		return no_memory(err);
	if (name)
		rc = say_name(rl, row, err);
	for (unsigned i = 0; rc == 0 && i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];

		done[i] = done[i] || (name && named != NULL && place_in(named, cell) >= 0 &&
		                      is_of(cell, row->stamp, row->site));
		if (!done[i] && is_wanted(rl, cell->stamp, cell->site))
			rc = say_write(rl, row, i, done, err);
	}
	return rc;
}

/* ---- what they had seen ---- */

static int
find_seen(struct relaying *rl, struct said *s, int scope, struct err *err)
{
	struct store_db *db = rl->what->r->db;
	struct buf seen = { 0 };
	int stream, rc;

	if (rl->what->seen != NULL) {
		s->seen = rl->what->seen;
		s->seen_len = rl->what->seen_len;
		return 0;
	}
	rc = store_stream_of_write(db, store_catalog_site_of(db, s->change.site), s->change.stamp,
	                           scope, &stream, err);
	if (rc == 0 && stream != 0 && !MUT(55))
		rc = store_seen_at(db, stream, s->change.stamp, &seen, err);
	s->seen = arena_copy(&rl->arena, seen.bytes, seen.len);
	s->seen_len = seen.len;
	buf_free(&seen);
	return rc == 0 && s->seen == NULL ? no_memory(err) : rc;
}

/* Does the table hold what the row's versions say?  It may have been changed without us, or hold
 * what goes nowhere: that isn't anybody's write. */
static bool
is_as_written(const struct relaying *rl, const struct store_row *row)
{
	uint8_t term[STORE_TERM];

	store_row_term(rl->what->r->batch, row, term);
	return memcmp(term, row->term, STORE_TERM) == 0;
}

static int
say_all(struct relaying *rl, struct store_row **rows, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		size_t from = rl->count;

		if (!rows[i]->known || !is_as_written(rl, rows[i]))
			continue;
		rc = say_row(rl, rows[i], err);
		for (size_t k = from; rc == 0 && k < rl->count; k++)
			rc = find_seen(rl, &rl->list[k], rows[i]->scope, err);
	}
	return rc;
}

/* ---- units ---- */

static bool
same_seen(const struct said *a, const struct said *b)
{
	return a->seen_len == b->seen_len &&
	       (a->seen_len == 0 || memcmp(a->seen, b->seen, a->seen_len) == 0);
}

static int
by_seen(const void *left, const void *right)
{
	const struct said *a = left, *b = right;
	size_t len = a->seen_len < b->seen_len ? a->seen_len : b->seen_len;
	int order = len == 0 ? 0 : memcmp(a->seen, b->seen, len);

	if (order != 0)
		return order;
	if (a->seen_len != b->seen_len)
		return a->seen_len < b->seen_len ? -1 : 1;
	return (a->change.stamp > b->change.stamp) - (a->change.stamp < b->change.stamp);
}

/* Who wrote the changes from..to - 1, each once, and what is to be noted of each. */
static int
find_origins(struct relaying *rl, size_t from, size_t to, struct sync_opening *o,
             struct sync_heard **heard, struct err *err)
{
	o->origins = arena_take(&rl->arena, to - from, sizeof *o->origins);
	*heard = arena_take(&rl->arena, to - from, sizeof **heard);
	if (o->origins == NULL || *heard == NULL)
		return no_memory(err);
	for (size_t i = from; i < to; i++) {
		const struct said *s = &rl->list[i];
		struct sync_heard *h = *heard;

		while (h < *heard + o->origin_count && h->site != s->change.site)
			h++;
		if (h == *heard + o->origin_count) {
			const struct store_site *site =
			        store_catalog_site_of(rl->what->r->db, s->change.site);

			*h = (struct sync_heard){ .site = site->id,
				                  .scope = rl->what->scope,
				                  .first = s->change.stamp,
				                  .seen = s->seen,
				                  .seen_len = s->seen_len };
			memcpy(o->origins[o->origin_count].node, site->node, STORE_NODE_ID);
			memcpy(o->origins[o->origin_count++].epoch, site->epoch, STORE_EPOCH);
		}
		h->last = s->change.stamp; /* they rise */
	}
	return 0;
}

static int
write_changes(struct relaying *rl, struct sync_pen *pen, size_t from, size_t to, struct err *err)
{
	int rc = sync_pen_begin(pen, err);

	for (size_t i = from; rc == 0 && i < to; i++) {
		if (sync_pen_is_full(pen)) {
			pen->more = true;
			rc = sync_pen_write(pen, err);
			if (rc == 0)
				rc = sync_pen_begin(pen, err);
		}
		if (rc == 0)
			rc = sync_pen_add(pen, &rl->list[i].change, err);
	}
	pen->more = false;
	return rc == 0 ? sync_pen_write(pen, err) : rc;
}

/* One unit of changes from..to - 1, all of which had seen the same. */
static int
write_unit(struct relaying *rl, size_t from, size_t to, struct err *err)
{
	struct sync_replica *r = rl->what->r;
	struct sync_opening again = { .kind = SYNC_RELAY };
	struct sync_pen pen = { .r = r, .arena = &rl->arena, .again = &again };
	struct sync_heard *heard = NULL;
	size_t room = to - from < SYNC_PEN_RECORDS ? to - from : SYNC_PEN_RECORDS;
	int rc = find_origins(rl, from, to, &again, &heard, err);

	if (rc == 0)
		rc = sync_seen_read(rl->list[from].seen, rl->list[from].seen_len, &rl->arena,
		                    &again.seen, &again.seen_count, err);
	if (rc == 0)
		rc = sync_pen_open(&pen, rl->what->scope, room, err);
	if (rc == 0)
		rc = write_changes(rl, &pen, from, to, err);
	for (size_t i = 0; rc == 0 && i < again.origin_count; i++)
		if (heard[i].site != r->self.id)
			rc = sync_relay_note(r->db, &heard[i], err);
	sync_pen_close(&pen);
	return rc;
}

/* ---- the door ---- */

int
sync_relay(struct sync_relay *what, struct store_row **rows, size_t count, struct err *err)
{
	struct relaying rl = { .what = what };
	int rc = what->r->batch->get(what->r->batch, rows, count, &rl.arena, err);

	what->changes = 0;
	if (rc == 0)
		rc = say_all(&rl, rows, count, err);
	if (rc == 0 && rl.count > 1)
		qsort(rl.list, rl.count, sizeof *rl.list, by_seen);
	for (size_t i = 0, n; rc == 0 && i < rl.count; i = n) {
		for (n = i + 1; n < rl.count && same_seen(&rl.list[i], &rl.list[n]);)
			n++;
		rc = write_unit(&rl, i, n, err);
	}
	what->changes = (int64_t)rl.count;
	arena_free(&rl.arena);
	return rc < 0 ? err_wrap(err, "relay") : 0;
}

int
sync_relay_note(struct store_db *db, const struct sync_heard *heard, struct err *err)
{
	struct store_stream stream;
	struct arena a = { 0 };
	int rc = store_stream_open(db, heard->site, heard->scope, &a, &stream, err);

	if (rc == 0 && heard->last > stream.last_stamp) {
		stream.last_stamp = heard->last;
		rc = store_stream_put(db, &stream, err);
	}
	if (rc == 0)
		rc = store_seen_add(db, stream.id, heard->first, heard->seen, heard->seen_len, err);
	arena_free(&a);
	return rc;
}

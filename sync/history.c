#include "sync/history.h"
#include "store/inspect.h"
#include "store/share.h"
#include "sync/reader.h"
#include "sync/seal/seal.h"

#include <stdlib.h>
#include <string.h>

struct sync_history {
	struct sync_replica replica;
	struct store_db *db;
	struct arena arena;           /* streams and entries */
	struct store_stream *streams; /* as they are after sealing */
	size_t stream_count;
	struct {
		int stream;
		uint64_t n;
	} * sealed; /* how long each was before */
	size_t sealed_count;
};

/* What is being gathered. */
struct gathering {
	struct sync_history *h;
	const struct store_stream *stream;
	int table; /* 0: every row */
	const uint8_t *key;
	size_t key_len;
	struct sync_history_entry *list;
	size_t count, cap;
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "history: out of memory");
}

/* ---- begin and end ---- */

static int
note_sealed(struct sync_history *h, struct err *err)
{
	struct store_stream *list;
	size_t count;
	int rc = store_stream_list(h->db, 0, &h->arena, &list, &count, err);

	if (rc < 0)
		return rc;
	h->sealed = arena_take(&h->arena, count, sizeof *h->sealed);
	if (h->sealed == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		h->sealed[i].stream = list[i].id;
		h->sealed[i].n = list[i].n;
	}
	h->sealed_count = count;
	return 0;
}

int
sync_history_begin(struct store_db *db, bool is_hub, struct sync_history **out, struct err *err)
{
	struct sync_history *h = calloc(1, sizeof *h);
	struct sync_sealed sealed;
	int rc;

	*out = NULL;
	if (h == NULL)
		return no_memory(err);
	h->db = db;
	rc = sync_replica_open(&h->replica, db, is_hub, err);
	if (rc == 0)
		rc = store_db_begin(db, err);
	if (rc == 0)
		rc = note_sealed(h, err);
	if (rc == 0)
		rc = sync_seal(&h->replica, &sealed, err);
	if (rc == 0)
		rc = store_stream_list(db, 0, &h->arena, &h->streams, &h->stream_count, err);
	if (rc < 0) {
		sync_history_end(h);
		return rc;
	}
	*out = h;
	return 0;
}

void
sync_history_end(struct sync_history *h)
{
	if (h == NULL)
		return;
	store_db_rollback(h->db);
	sync_replica_close(&h->replica);
	arena_free(&h->arena);
	free(h);
}

static bool
is_sealed(const struct sync_history *h, int stream, uint64_t n)
{
	for (size_t i = 0; i < h->sealed_count; i++)
		if (h->sealed[i].stream == stream)
			return n <= h->sealed[i].n;
	return false;
}

/* ---- gathering entries ---- */

static int
copy_values(struct sync_history *h, struct store_change *c, struct err *err)
{
	const struct store_value *from = c->values;
	uint64_t set = c->mask;

	for (unsigned i = 0; i < c->schema->key_count; i++)
		set |= UINT64_C(1) << c->schema->keys[i];
	c->values = arena_take(&h->arena, c->schema->column_count, sizeof *c->values);
	c->key = arena_copy(&h->arena, c->key, c->key_len);
	if (c->values == NULL || c->key == NULL)
		return no_memory(err);
	for (unsigned i = 0; i < c->schema->column_count; i++) {
		struct store_value *v = &c->values[i];

		*v = (set >> i & 1) != 0 ? from[i] : store_value_null();
		if (v->type != STORE_TEXT && v->type != STORE_BLOB)
			continue;
		v->bytes = arena_copy(&h->arena, v->bytes, v->len);
		if (v->bytes == NULL)
			return no_memory(err);
	}
	return 0;
}

static bool
is_wanted(const struct gathering *g, const struct store_change *c)
{
	return g->table == 0 || (c->schema->table_id == g->table && c->key_len == g->key_len &&
	                         memcmp(c->key, g->key, g->key_len) == 0);
}

static int
keep(struct gathering *g, const struct sync_history_entry *entry, struct err *err)
{
	struct sync_history_entry *e;

	if (g->count == g->cap) {
		size_t cap = g->cap == 0 ? 64 : 2 * g->cap;

		e = realloc(g->list, cap * sizeof *e);
		if (e == NULL)
			return no_memory(err);
		g->list = e;
		g->cap = cap;
	}
	e = &g->list[g->count++];
	*e = *entry;
	return copy_values(g->h, &e->change, err);
}

/* Who wrote a change: the stream's site, or in a relay the one that the opening names. */
static int
writer_of(struct gathering *g, const struct sync_opening *o, const struct sync_record *r, int *site,
          struct err *err)
{
	*site = g->stream->site;
	if (o == NULL || o->kind != SYNC_RELAY || r->origin >= o->origin_count)
		return 0;
	return store_catalog_site(g->h->db, o->origins[r->origin].node, o->origins[r->origin].epoch,
	                          site, err);
}

static int
take_records(struct gathering *g, const struct store_segment *seg,
             const struct sync_record *records, size_t count, struct err *err)
{
	const struct sync_opening *opening = NULL;
	uint64_t unit = seg->first;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct sync_record *r = &records[i];
		struct sync_history_entry e = { .change = r->change, .scope = g->stream->scope };
		uint64_t n = seg->first + i;

		if (r->type == SYNC_OPENING) {
			opening = r->opening;
			unit = n;
		}
		if (r->type != SYNC_CHANGE || !is_wanted(g, &r->change))
			continue;
		if (is_sealed(g->h, g->stream->id, n)) {
			e.n = n;
			e.unit = unit;
		}
		e.stream_site = g->stream->site;
		e.is_copy = opening != NULL && opening->kind != SYNC_PLAIN;
		rc = writer_of(g, opening, r, &e.change.site, err);
		if (rc == 0)
			rc = keep(g, &e, err);
	}
	return rc;
}

/* ---- segments ---- */

/* Gather from the segment that holds record `n` of g->stream; *first is where it begins. */
static int
take_segment(struct gathering *g, uint64_t n, uint64_t *first, uint64_t *last, struct err *err)
{
	struct arena a = { .limit = SYNC_ARENA_MAX };
	struct sync_reader r;
	int rc = sync_reader_open(g->h->db, g->stream, n, &a, &r, err);

	if (rc == 0)
		rc = take_records(g, &r.seg, r.records, r.count, err);
	if (rc == 0) {
		*first = r.seg.first;
		*last = r.seg.last;
	}
	arena_free(&a);
	return rc;
}

/* ---- the newest ---- */

/* A stream that is read from its end; what is left of it was written at `bound` or before. */
struct cursor {
	const struct store_stream *stream;
	uint64_t left; /* records not read yet */
	int64_t bound;
};

static int
newest_first(const void *a, const void *b)
{
	const struct sync_history_entry *l = a, *r = b;

	if (l->change.stamp != r->change.stamp)
		return l->change.stamp < r->change.stamp ? 1 : -1;
	return (l->n < r->n) - (l->n > r->n);
}

static struct cursor *
latest(struct cursor *cursors, size_t count)
{
	struct cursor *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (cursors[i].left > 0 && (best == NULL || cursors[i].bound > best->bound))
			best = &cursors[i];
	return best;
}

/* How many of the gathered are at least as new as `bound`. */
static size_t
count_since(const struct gathering *g, int64_t bound)
{
	size_t n = 0;

	for (size_t i = 0; i < g->count; i++)
		n += g->list[i].change.stamp >= bound;
	return n;
}

/* Read one segment more, and learn from it how old the rest of its stream is at least: a stream's
 * stamps rise, but for what it carries for others. */
static int
step_back(struct gathering *g, struct cursor *c, struct err *err)
{
	size_t before = g->count;
	uint64_t first = 1, last = 0;
	int rc;

	g->stream = c->stream;
	rc = take_segment(g, c->left, &first, &last, err);
	if (rc < 0)
		return rc;
	c->left = first - 1;
	for (size_t i = before; i < g->count; i++)
		if (!g->list[i].is_copy && g->list[i].change.stamp < c->bound)
			c->bound = g->list[i].change.stamp;
	return 0;
}

/* Hand the gathered over to the history's arena, which frees it. */
static int
hand_over(struct gathering *g, struct sync_history_list *list, int rc, struct err *err)
{
	list->count = rc < 0 ? 0 : g->count;
	list->entries = arena_take(&g->h->arena, list->count, sizeof *list->entries);
	if (rc == 0 && list->entries == NULL)
		rc = no_memory(err);
	if (rc == 0 && list->count > 0)
		memcpy(list->entries, g->list, list->count * sizeof *list->entries);
	free(g->list);
	return rc;
}

int
sync_history_newest(struct sync_history *h, size_t limit, struct sync_history_list *list,
                    struct err *err)
{
	struct gathering g = { .h = h };
	struct cursor *cursors = arena_take(&h->arena, h->stream_count, sizeof *cursors), *c;
	int rc = cursors == NULL ? no_memory(err) : 0;

	for (size_t i = 0; rc == 0 && i < h->stream_count; i++)
		cursors[i] = (struct cursor){ &h->streams[i], h->streams[i].n,
			                      h->streams[i].last_stamp };
	while (rc == 0 && (c = latest(cursors, h->stream_count)) != NULL) {
		if (limit > 0 && g.count >= limit && count_since(&g, c->bound) >= limit)
			break;
		rc = step_back(&g, c, err);
	}
	if (g.count > 1)
		qsort(g.list, g.count, sizeof *g.list, newest_first);
	if (limit > 0 && g.count > limit)
		g.count = limit;
	return hand_over(&g, list, rc, err);
}

/* ---- one row ---- */

static int
take_stream(struct gathering *g, const struct store_stream *stream, struct err *err)
{
	uint64_t n = 1, first, last = 0;
	int rc = 0;

	g->stream = stream;
	while (rc == 0 && n <= stream->n) {
		rc = take_segment(g, n, &first, &last, err);
		n = last + 1;
	}
	return rc;
}

/* Originals stand before their copies. */
static int
by_version(const void *a, const void *b, void *ctx)
{
	const struct sync_history_entry *l = a, *r = b;
	const struct store_change *x = &l->change, *y = &r->change;

	if (x->cl != y->cl)
		return x->cl < y->cl ? -1 : 1;
	if (x->stamp != y->stamp)
		return x->stamp < y->stamp ? -1 : 1;
	if (l->is_copy != r->is_copy)
		return l->is_copy ? 1 : -1;
	return store_catalog_site_cmp(ctx, x->site, y->site);
}

/* A re-mint has the stamp of its original under another site, a relay also its site. */
static bool
is_again(const struct sync_history_entry *e, const struct sync_history_entry *before)
{
	return e->is_copy && e->change.cl == before->change.cl &&
	       e->change.stamp == before->change.stamp && e->change.op == before->change.op;
}

/* Every stream of a scope that the row is in, or was in before it was moved (store/share.h). */
static int
take_streams(struct gathering *g, struct err *err)
{
	const struct store_row row = { .table = g->table, .key = g->key, .key_len = g->key_len };
	struct sync_history *h = g->h;
	struct store_share *further;
	size_t count;
	int scope = 0, rc = store_inspect_scope(h->db, g->table, g->key, g->key_len, &scope, err);

	if (rc == 0)
		rc = store_share_of_row(h->db, &row, &h->arena, &further, &count, err);
	for (size_t i = 0; rc == 0 && i < h->stream_count; i++) {
		bool is_its = h->streams[i].scope == scope;

		for (size_t k = 0; !is_its && k < count; k++)
			is_its = h->streams[i].scope == further[k].scope;
		if (is_its)
			rc = take_stream(g, &h->streams[i], err);
	}
	return rc;
}

int
sync_history_row(struct sync_history *h, int table, const uint8_t *key, size_t key_len,
                 struct sync_history_list *list, struct err *err)
{
	struct gathering g = { .h = h, .table = table, .key = key, .key_len = key_len };
	size_t kept = 0;
	int rc = take_streams(&g, err);

	if (g.count > 1)
		qsort_r(g.list, g.count, sizeof *g.list, by_version, h->db);
	for (size_t i = 0; i < g.count; i++)
		if (kept == 0 || !is_again(&g.list[i], &g.list[kept - 1]))
			g.list[kept++] = g.list[i];
	g.count = kept;
	return hand_over(&g, list, rc, err);
}

/* ---- a row that was deleted ---- */

/* Let a change's cells, and its key, stand in `row`. */
static void
lay_over(const struct store_schema *schema, const struct store_change *c, struct store_value *row)
{
	for (unsigned i = 0; i < c->schema->column_count; i++) {
		const struct store_column *column = &c->schema->columns[i];
		int at = store_schema_find(schema, column->name);

		if (at >= 0 && (column->key != 0 || (c->mask >> i & 1) != 0))
			row[at] = c->values[i];
	}
}

int
sync_history_revive(struct sync_history *h, const struct store_schema *schema,
                    const struct store_row *row, struct store_value **out, struct err *err)
{
	struct sync_history_list list;
	struct store_value *values;
	int64_t life = row->cl;
	bool found = false;
	int rc = sync_history_row(h, schema->table_id, row->key, row->key_len, &list, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < list.count; i++) {
		const struct store_change *c = &list.entries[i].change;

		if (row->cl == 0 && c->op != STORE_DELETE && c->cl > life)
			life = c->cl;
	}
	values = arena_take(&h->arena, schema->column_count, sizeof *values);
	if (values == NULL)
		return no_memory(err);
	for (unsigned i = 0; i < schema->column_count; i++)
		values[i] = store_value_null();
	for (size_t i = 0; i < list.count; i++) {
		const struct store_change *c = &list.entries[i].change;

		if (c->op == STORE_DELETE || c->cl != life)
			continue;
		lay_over(schema, c, values);
		found = true;
	}
	*out = values;
	return found ? 0 : err_set(err, ERR_NOTFOUND, "the row was never here");
}

/*
 * store/batch_memory.c - rows in a sorted array, each with one block of memory
 * for its cells, its key and the bytes of its values.  put builds a new block
 * and frees the old, so nothing in it ever points at what a caller gave.
 */
#include "store/batch_memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct tally {
	int scope;
	uint8_t sum[STORE_TERM];
	int64_t live_rows;
};

/* An array that grows by doubling. */
struct list {
	void *items;
	size_t count, cap;
};

/* A row, with what it points at. */
struct kept_row {
	struct store_row row;
	void *block;
};

struct memory {
	struct store_batch face;
	struct store_batch_memory_names names;
	struct list rows;    /* struct kept_row, by table and key */
	struct list tallies; /* struct tally, in the order the scopes came */
};

static struct memory *
self(struct store_batch *face)
{
	return (struct memory *)face;
}

static struct kept_row *
rows_of(struct memory *m)
{
	return m->rows.items;
}

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "rows in memory: out of memory");
}

static int
make_room(struct list *list, size_t size, struct err *err)
{
	size_t cap = list->cap == 0 ? 16 : list->cap * 2;
	void *items;

	if (list->count < list->cap)
		return 0;
	items = realloc(list->items, cap * size);
	if (items == NULL)
		return no_memory(err);
	list->items = items;
	list->cap = cap;
	return 0;
}

/* ---- copies ---- */

static bool
has_bytes(const struct store_value *v)
{
	return v->type == STORE_TEXT || v->type == STORE_BLOB;
}

/* Move a value's bytes to `*at` and step over them. */
static void
take_bytes(struct store_value *v, uint8_t **at)
{
	if (!has_bytes(v))
		return;
	if (v->len > 0)
		memcpy(*at, v->bytes, v->len);
	v->bytes = *at;
	*at += v->len;
}

static size_t
size_of(const struct store_row *row)
{
	size_t size = row->cell_count * sizeof *row->cells + row->key_len + 1;

	for (unsigned i = 0; i < row->cell_count; i++)
		size += has_bytes(&row->cells[i].value) ? row->cells[i].value.len : 0;
	return size;
}

/* The same row with all that it points at moved to `block` (of size_of bytes). */
static struct store_row
copy_row(void *block, const struct store_row *row)
{
	struct store_row copy = *row;
	struct store_cell *cells = block;
	uint8_t *at = (uint8_t *)(cells + row->cell_count);

	memcpy(at, row->key, row->key_len);
	copy.key = at;
	at += row->key_len;
	for (unsigned i = 0; i < row->cell_count; i++) {
		cells[i] = row->cells[i];
		take_bytes(&cells[i].value, &at);
	}
	copy.cells = cells;
	copy.changed = copy.write_row = false;
	return copy;
}

/* ---- get and put ---- */

/* Where `row` stands or should stand. */
static size_t
find_row(struct memory *m, const struct store_row *row, bool *found)
{
	size_t low = 0, high = m->rows.count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = store_row_cmp(&rows_of(m)[middle].row, row);

		*found = *found || order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
get_rows(struct store_batch *face, struct store_row **rows, size_t count, struct arena *a,
         struct err *err)
{
	struct memory *m = self(face);

	for (size_t i = 0; i < count; i++) {
		struct store_row *row = rows[i];
		const uint8_t *key = row->key;
		bool found;
		size_t at = find_row(m, row, &found);
		void *block;

		assert(i == 0 || store_row_cmp(rows[i - 1], row) < 0);
		if (!found)
			continue;
		block = arena_take(a, 1, size_of(&rows_of(m)[at].row));
		if (block == NULL)
			return no_memory(err);
		*row = copy_row(block, &rows_of(m)[at].row);
		row->key = key;
	}
	return 0;
}

static struct tally *
find_tally(struct memory *m, int scope, struct err *err)
{
	struct tally *tallies = m->tallies.items;

	for (size_t i = 0; i < m->tallies.count; i++)
		if (tallies[i].scope == scope)
			return &tallies[i];
	if (make_room(&m->tallies, sizeof *tallies, err) < 0)
		return NULL;
	tallies = (struct tally *)m->tallies.items + m->tallies.count++;
	*tallies = (struct tally){ .scope = scope };
	return tallies;
}

/* Put `kept` (with its term) in the place of the row of its key. */
static void
place_row(struct memory *m, const struct kept_row *kept, struct tally *tally)
{
	static const struct store_row nothing;
	bool found;
	size_t at = find_row(m, &kept->row, &found);
	struct kept_row *place = rows_of(m) + at;
	const struct store_row *old = found ? &place->row : &nothing;

	assert(!found || old->scope == kept->row.scope);
	store_digest_move(tally->sum, kept->row.term, old->term);
	tally->live_rows += (int)store_row_is_live(&kept->row) - (int)store_row_is_live(old);
	if (found) {
		free(place->block);
	} else {
		memmove(place + 1, place, (m->rows.count - at) * sizeof *place);
		m->rows.count++;
	}
	*place = *kept;
}

static int
put_row(struct memory *m, struct store_row *row, struct err *err)
{
	struct tally *tally = find_tally(m, row->scope, err);
	struct kept_row kept;

	if (tally == NULL || make_room(&m->rows, sizeof kept, err) < 0)
		return err->code;
	store_row_term(&m->face, row, row->term);
	kept.block = malloc(size_of(row));
	if (kept.block == NULL)
		return no_memory(err);
	kept.row = copy_row(kept.block, row);
	place_row(m, &kept, tally);
	row->changed = row->write_row = false;
	return 0;
}

static int
put_rows(struct store_batch *face, struct store_row **rows, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (rows[i]->changed)
			rc = put_row(self(face), rows[i], err);
	return rc;
}

/* ---- names ---- */

static const struct store_site *
site_name(struct store_batch *face, int site)
{
	const struct store_batch_memory_names *names = &self(face)->names;

	assert(site >= 0 && (unsigned)site < names->site_count);
	return &names->sites[site];
}

static int
site_cmp(struct store_batch *face, int site_a, int site_b)
{
	const struct store_site *left = site_name(face, site_a), *right = site_name(face, site_b);
	int order = memcmp(left->node, right->node, STORE_NODE_ID);

	return order != 0 ? order : memcmp(left->epoch, right->epoch, STORE_EPOCH);
}

static const struct store_table *
table(struct store_batch *face, int id)
{
	const struct store_batch_memory_names *names = &self(face)->names;

	assert(id > 0 && (unsigned)id < names->table_count);
	return &names->tables[id];
}

static const struct store_schema *
schema(struct store_batch *face, int id)
{
	const struct store_batch_memory_names *names = &self(face)->names;

	return id > 0 && (unsigned)id < names->schema_count ? &names->schemas[id] : NULL;
}

/* ---- the door ---- */

struct store_batch *
store_batch_memory_new(const struct store_batch_memory_names *names)
{
	struct memory *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->names = *names;
	m->face = (struct store_batch){
		.get = get_rows,
		.put = put_rows,
		.site_cmp = site_cmp,
		.site_name = site_name,
		.table = table,
		.schema = schema,
	};
	return &m->face;
}

void
store_batch_memory_clear(struct store_batch *face)
{
	struct memory *m = self(face);

	for (size_t i = 0; i < m->rows.count; i++)
		free(rows_of(m)[i].block);
	m->rows.count = m->tallies.count = 0;
}

void
store_batch_memory_free(struct store_batch *face)
{
	struct memory *m = self(face);

	if (m == NULL)
		return;
	store_batch_memory_clear(face);
	free(m->rows.items);
	free(m->tallies.items);
	free(m);
}

const struct store_row *
store_batch_memory_row(struct store_batch *face, size_t index)
{
	struct memory *m = self(face);

	return index < m->rows.count ? &rows_of(m)[index].row : NULL;
}

void
store_batch_memory_digest(struct store_batch *face, int scope, uint8_t sum[STORE_TERM],
                          int64_t *live_rows)
{
	const struct tally *tallies = self(face)->tallies.items;

	memset(sum, 0, STORE_TERM);
	*live_rows = 0;
	for (size_t i = 0; i < self(face)->tallies.count; i++)
		if (tallies[i].scope == scope) {
			memcpy(sum, tallies[i].sum, STORE_TERM);
			*live_rows = tallies[i].live_rows;
		}
}

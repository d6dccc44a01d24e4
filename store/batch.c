/*
 * store/batch.c - what of a row is the same in every implementation of the
 * batch: when it is live, and its term.
 *
 * A term is one BLAKE2b over the row's whole state in names (the byte table
 * stands in store/DESIGN.md), so two replicas with other local numbers and
 * other schemas have equal terms exactly if they hold equal cells.  The bytes
 * are gathered on the stack: nearly every row fits, and then it is one call of
 * the hash; a long text goes through in pieces.
 */
#include "store/batch.h"
#include "store/base/hash.h"

#include <assert.h>
#include <string.h>

enum { TERM_FORMAT = 1, GATHER = 1024 };

/* All that is written between two looks at the room left: a name, a version, numbers. */
enum { FIELDS = 1 + STORE_NAME_MAX + 1 + 8 + STORE_NODE_ID + STORE_EPOCH + 8 + 8 };
_Static_assert(FIELDS >= 1 + STORE_NAME_MAX + 1 + 32 + STORE_VALUE_HEAD, "a cell's head fits");
_Static_assert(STORE_NAME_MAX <= UINT8_MAX, "a name's length is one byte");

struct gather {
	size_t len;
	bool started;
	uint8_t bytes[GATHER];
	struct hash hash;
};

bool
store_row_is_live(const struct store_row *row)
{
	return (row->cl & 1) == 1 && row->stamp != 0;
}

static void
start(struct gather *g)
{
	g->len = 0;
	g->started = false;
}

static void
flush(struct gather *g)
{
	if (!g->started)
		hash_start(&g->hash, STORE_TERM);
	g->started = true;
	hash_add(&g->hash, g->bytes, g->len);
	g->len = 0;
}

static void
put(struct gather *g, const void *bytes, size_t len)
{
	if (len > GATHER - g->len)
		flush(g);
	if (len > GATHER) {
		hash_add(&g->hash, bytes, len);
		return;
	}
	if (len > 0)
		memcpy(g->bytes + g->len, bytes, len);
	g->len += len;
}

/* Where the next FIELDS bytes may be written; done() counts those that were. */
static uint8_t *
room(struct gather *g)
{
	if (GATHER - g->len < FIELDS)
		flush(g);
	return g->bytes + g->len;
}

static void
done(struct gather *g, const uint8_t *at)
{
	g->len = (size_t)(at - g->bytes);
	assert(g->len <= GATHER);
}

/* Names are short, so that a loop is quicker than strlen and memcpy. */
static uint8_t *
write_name(uint8_t *at, const char *name)
{
	uint8_t *len = at++;

	for (; *name != 0; name++) {
		assert(at - len <= STORE_NAME_MAX);
		*at++ = (uint8_t)*name;
	}
	*len = (uint8_t)(at - len - 1);
	return at;
}

static uint8_t *
write_u64(uint8_t *at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> (56 - 8 * i));
	return at + 8;
}

/* A version that nobody has given yet is all zero. */
static uint8_t *
write_version(uint8_t *at, struct store_batch *b, int64_t stamp, int site)
{
	static const struct store_site nobody;
	const struct store_site *name = stamp == 0 ? &nobody : b->site_name(b, site);

	at = write_u64(at, (uint64_t)stamp);
	memcpy(at, name->node, STORE_NODE_ID);
	memcpy(at + STORE_NODE_ID, name->epoch, STORE_EPOCH);
	return at + STORE_NODE_ID + STORE_EPOCH;
}

/* Ids of cells mostly follow each other, so that the place can be guessed. */
static const struct store_cell *
find_cell(const struct store_row *row, int column)
{
	unsigned low = 0, high = row->cell_count;
	int64_t guess = high == 0 ? -1 : (int64_t)column - row->cells[0].column;

	if (guess >= 0 && guess < high && row->cells[guess].column == column)
		return &row->cells[guess];
	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (row->cells[middle].column == column)
			return &row->cells[middle];
		if (row->cells[middle].column < column)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void
put_cell(struct gather *g, struct store_batch *b, const struct store_row *row,
         const struct store_cell *cell, const char *name)
{
	bool own = cell->stamp != row->stamp || cell->site != row->site;
	uint8_t *at = write_name(room(g), name);

	*at++ = own;
	if (own)
		at = write_version(at, b, cell->stamp, cell->site);
	at += store_value_head(&cell->value, at);
	done(g, at);
	if (cell->value.type == STORE_TEXT || cell->value.type == STORE_BLOB)
		put(g, cell->value.bytes, cell->value.len);
}

static void
put_cells(struct gather *g, struct store_batch *b, const struct store_table *t,
          const struct store_row *row)
{
	unsigned met = 0;

	for (unsigned i = 0; i < t->column_count && met < row->cell_count; i++) {
		const struct store_cell *cell = find_cell(row, t->by_name[i]);

		if (cell == NULL)
			continue;
		put_cell(g, b, row, cell, t->names[cell->column - 1]);
		met++;
	}
	assert(met == row->cell_count);
}

void
store_row_term(struct store_batch *b, const struct store_row *row, uint8_t term[STORE_TERM])
{
	const struct store_table *t;
	struct gather g;
	uint8_t *at;

	if (row->cl == 0) {
		memset(term, 0, STORE_TERM);
		return;
	}
	t = b->table(b, row->table);
	start(&g);
	at = room(&g);
	*at++ = TERM_FORMAT;
	at = write_name(at, t->name);
	at = write_u64(at, (uint64_t)row->cl);
	at = write_version(at, b, row->stamp, row->site);
	done(&g, write_u64(at, row->key_len));
	put(&g, row->key, row->key_len);
	put_cells(&g, b, t, row);
	if (!g.started) {
		hash_once(term, STORE_TERM, g.bytes, g.len);
		return;
	}
	flush(&g);
	hash_end(&g.hash, term);
}

void
store_digest_move(uint8_t sum[STORE_TERM], const uint8_t add[STORE_TERM],
                  const uint8_t sub[STORE_TERM])
{
	int carry = 0;

	for (int i = STORE_TERM - 1; i >= 0; i--) {
		int digit = 256 + sum[i] + add[i] - sub[i] + carry; /* 0..767 */

		sum[i] = (uint8_t)digit;
		carry = digit / 256 - 1;
	}
}

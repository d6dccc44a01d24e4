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

static void
put_u8(struct gather *g, uint8_t value)
{
	put(g, &value, 1);
}

static void
put_u64(struct gather *g, uint64_t value)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(value >> (56 - 8 * i));
	put(g, bytes, sizeof bytes);
}

static void
put_name(struct gather *g, const char *name)
{
	size_t len = strlen(name);

	assert(len <= UINT8_MAX);
	put_u8(g, (uint8_t)len);
	put(g, name, len);
}

/* A version that nobody has given yet is all zero. */
static void
put_version(struct gather *g, struct store_batch *b, int64_t stamp, int site)
{
	static const struct store_site nobody;
	const struct store_site *name = stamp == 0 ? &nobody : b->site_name(b, site);

	put_u64(g, (uint64_t)stamp);
	put(g, name->node, STORE_NODE_ID);
	put(g, name->epoch, STORE_EPOCH);
}

static void
put_value(struct gather *g, const struct store_value *v)
{
	uint8_t head[STORE_VALUE_HEAD];

	put(g, head, store_value_head(v, head));
	if (v->type == STORE_TEXT || v->type == STORE_BLOB)
		put(g, v->bytes, v->len);
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
put_cells(struct gather *g, struct store_batch *b, const struct store_table *t,
          const struct store_row *row)
{
	unsigned met = 0;

	for (unsigned i = 0; i < t->column_count && met < row->cell_count; i++) {
		const struct store_cell *cell = find_cell(row, t->by_name[i]);
		bool own;

		if (cell == NULL)
			continue;
		own = cell->stamp != row->stamp || cell->site != row->site;
		put_name(g, t->names[cell->column - 1]);
		put_u8(g, own);
		if (own)
			put_version(g, b, cell->stamp, cell->site);
		put_value(g, &cell->value);
		met++;
	}
	assert(met == row->cell_count);
}

void
store_row_term(struct store_batch *b, const struct store_row *row, uint8_t term[STORE_TERM])
{
	const struct store_table *t;
	struct gather g;

	if (row->cl == 0) {
		memset(term, 0, STORE_TERM);
		return;
	}
	t = b->table(b, row->table);
	g.len = 0;
	g.started = false;
	put_u8(&g, TERM_FORMAT);
	put_name(&g, t->name);
	put_u64(&g, row->key_len);
	put(&g, row->key, row->key_len);
	put_u64(&g, (uint64_t)row->cl);
	put_version(&g, b, row->stamp, row->site);
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

/*
 * store/batch.c - what of a row is the same in every implementation of the
 * batch: when it is live, where it stands among others, and its term.
 *
 * A term is BLAKE2b over the row's whole state in names (the byte table stands
 * in store/DESIGN.md), so two replicas with other local numbers and other
 * schemas have equal terms exactly if they hold equal cells.  The names are
 * hashed by themselves and are the salt of the term: they are the same for
 * nearly all rows of a table, so their hash is remembered, and what is left of
 * a row mostly fits one block of BLAKE2b (128 bytes).  It is gathered on the
 * stack; a long text goes through in pieces.
 */
#include "store/batch.h"
#include "store/base/hash.h"
#include "store/base/mutant.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { GATHER = 1024, MEMO_COLUMNS = 64 };

/* All that is written between two looks at the room left. */
enum { VERSION = STORE_NODE_ID + STORE_EPOCH + 8, FIELDS = VERSION + 2 * 10 };
_Static_assert(FIELDS >= VERSION + STORE_VALUE_HEAD, "a cell's head fits");
_Static_assert(STORE_NAME_MAX <= UINT8_MAX, "a name's length is one byte");
_Static_assert((int)STORE_TERM_NAMES == (int)HASH_16, "it is a salt");

struct gather {
	size_t len;
	bool started;
	const uint8_t *salt;
	uint8_t bytes[GATHER];
	struct hash hash;
};

bool
store_row_is_live(const struct store_row *row)
{
	return (row->cl & 1) == 1 && row->stamp != 0;
}

int
store_row_cmp(const struct store_row *left, const struct store_row *right)
{
	size_t len = left->key_len < right->key_len ? left->key_len : right->key_len;
	int order;

	if (left->table != right->table)
		return left->table < right->table ? -1 : 1;
	order = memcmp(left->key, right->key, len);
	return order != 0 ? order
	                  : (left->key_len > right->key_len) - (left->key_len < right->key_len);
}

static int
cmp_pointers(const void *left, const void *right)
{
	return store_row_cmp(*(struct store_row *const *)left, *(struct store_row *const *)right);
}

/* What was written together mostly comes in order, and looking is cheaper than sorting again. */
void
store_row_sort(struct store_row **rows, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (store_row_cmp(rows[i - 1], rows[i]) > 0) {
			qsort(rows, count, sizeof(struct store_row *), cmp_pointers);
			return;
		}
}

/* The bytes stay as they are: to zero them would cost more than the hash of a small row. */
static void
begin(struct gather *g, const uint8_t *salt)
{
	g->len = 0;
	g->started = false;
	g->salt = salt;
}

static void
flush(struct gather *g)
{
	if (!g->started)
		hash_start_salted(&g->hash, STORE_TERM, g->salt);
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

/* Stamp and site; a version that nobody has given yet is all zero. */
static uint8_t *
write_version(uint8_t *at, struct store_batch *b, int64_t stamp, int site)
{
	static const struct store_site nobody;
	const struct store_site *name = stamp == 0 ? &nobody : b->site_name(b, site);

	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)((uint64_t)stamp >> (56 - 8 * i));
	memcpy(at + 8, name->node, STORE_NODE_ID);
	memcpy(at + 8 + STORE_NODE_ID, name->epoch, STORE_EPOCH);
	return at + VERSION;
}

static uint8_t *
write_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
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

static bool
is_own(const struct store_row *row, const struct store_cell *cell)
{
	return cell->stamp != row->stamp || cell->site != row->site;
}

/* A row's cells in the order of their names. */
struct named {
	const struct store_cell *cells[STORE_NAMES_MAX];
	unsigned count;
	struct store_term_memo these; /* which they are, as the table remembers it */
};

static void
name_cells(struct named *n, const struct store_table *t, const struct store_row *row)
{
	n->count = 0;
	n->these = (struct store_term_memo){ .known = t->column_count <= MEMO_COLUMNS };
	for (unsigned i = 0; i < t->column_count && n->count < row->cell_count; i++) {
		const struct store_cell *cell = find_cell(row, t->by_name[i]);

		if (cell == NULL)
			continue;
		n->cells[n->count++] = cell;
		n->these.cells |= (uint64_t)1 << i % MEMO_COLUMNS;
		n->these.own |= (uint64_t)is_own(row, cell) << i % MEMO_COLUMNS;
	}
	assert(n->count == row->cell_count);
}

static void
add_name(struct hash *h, const char *name)
{
	uint8_t len = (uint8_t)strlen(name);

	hash_add(h, &len, 1);
	hash_add(h, name, len);
}

static void
hash_names(const struct store_table *t, const struct named *n, const struct store_row *row,
           uint8_t out[HASH_16])
{
	static const char format[] = "yizhan-term-2";
	struct hash h;

	hash_start(&h, HASH_16);
	hash_add(&h, format, sizeof format - 1);
	add_name(&h, t->name);
	for (unsigned i = 0; i < n->count; i++) {
		uint8_t own = is_own(row, n->cells[i]);

		add_name(&h, t->names[n->cells[i]->column - 1]);
		hash_add(&h, &own, 1);
	}
	hash_end(&h, out);
}

/* The hash of the row's names; that of the table's latest row is remembered. */
static const uint8_t *
salt_of(const struct store_table *t, struct named *n, const struct store_row *row)
{
	struct store_term_memo *memo = t->memo;

	if (memo != NULL && memo->known && n->these.known && memo->cells == n->these.cells &&
	    memo->own == n->these.own)
		return memo->names;
	hash_names(t, n, row, n->these.names);
	if (memo != NULL && n->these.known)
		*memo = n->these;
	return n->these.names;
}

/* ---- term ---- */

static void
put_cell(struct gather *g, struct store_batch *b, const struct store_row *row,
         const struct store_cell *cell)
{
	uint8_t *at = room(g);

	if (is_own(row, cell))
		at = write_version(at, b, cell->stamp, cell->site);
	if (!MUT(116))
		at += store_value_head(&cell->value, at);
	done(g, at);
	if (MUT(116))
		return;
	if (cell->value.type == STORE_TEXT || cell->value.type == STORE_BLOB)
		put(g, cell->value.bytes, cell->value.len);
}

void
store_row_term(struct store_batch *b, const struct store_row *row, uint8_t term[STORE_TERM])
{
	const struct store_table *t;
	struct gather g;
	struct named n;
	uint8_t *at;

	if (row->cl == 0) {
		memset(term, 0, STORE_TERM);
		return;
	}
	t = b->table(b, row->table);
	name_cells(&n, t, row);
	begin(&g, salt_of(t, &n, row));
	at = write_version(room(&g), b, row->stamp, row->site);
	at = write_varint(at, (uint64_t)row->cl);
	done(&g, write_varint(at, row->key_len));
	put(&g, row->key, row->key_len);
	for (unsigned i = 0; i < n.count; i++)
		put_cell(&g, b, row, n.cells[i]);
	if (!g.started) {
		hash_once_salted(term, STORE_TERM, g.bytes, g.len, g.salt);
		return;
	}
	flush(&g);
	hash_end(&g.hash, term);
}

static uint64_t
read_half(const uint8_t *at)
{
	uint64_t half;

	memcpy(&half, at, sizeof half);
	return be64toh(half);
}

static void
write_half(uint8_t *at, uint64_t half)
{
	half = htobe64(half);
	memcpy(at, &half, sizeof half);
}

void
store_digest_move(uint8_t sum[STORE_TERM], const uint8_t add[STORE_TERM],
                  const uint8_t sub[STORE_TERM])
{
	uint64_t high = read_half(sum) + read_half(add) - read_half(sub);
	uint64_t low = read_half(sum + 8), more = low + read_half(add + 8);
	uint64_t less = read_half(sub + 8);

	high += more < low;
	high -= more < less;
	write_half(sum, high);
	write_half(sum + 8, more - less);
}

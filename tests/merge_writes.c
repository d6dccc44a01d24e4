#include "tests/merge_writes.h"

static uint64_t chance_state;

uint64_t
merge_chance(uint64_t below)
{
	uint64_t z = chance_state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return (z ^ z >> 31) % below;
}

static struct store_value
any_value(void)
{
	static const uint8_t bytes[] = "a\0b";

	switch (merge_chance(8)) {
	case 0:
		return store_value_null();
	case 1:
		return store_value_real(1.0);
	case 2:
		return store_value_text("a");
	case 3:
		return store_value_blob(bytes, merge_chance(sizeof bytes));
	case 4:
		return store_value_int(-1);
	default:
		return store_value_int((int64_t)merge_chance(3));
	}
}

/* Which cells: whole groups, of the schema. */
static unsigned
any_mask(int schema)
{
	unsigned mask = (unsigned)merge_chance(1U << WORLD_COLUMNS) & world_columns(schema);

	if (mask & (1U << HEIGHT | 1U << WEIGHT))
		mask |= 1U << HEIGHT | 1U << WEIGHT;
	return mask;
}

static struct write
make_write(enum store_op op, int64_t cl)
{
	struct write w = { .op = op, .cl = cl };

	w.schema = 1 + (int)merge_chance(WORLD_LAWFUL);
	w.key = (int)merge_chance(WORLD_KEYS);
	w.mask = op == STORE_INSERT ? world_columns(w.schema) : any_mask(w.schema);
	if (op == STORE_DELETE)
		w.mask = 0;
	for (int c = 0; c < WORLD_COLUMNS; c++)
		w.values[c] = any_value();
	return w;
}

/* Anything goes: few stamps, few sites, low lives. */
static size_t
wild_writes(struct write *writes)
{
	size_t count = 3 + merge_chance(WORLD_WRITES - 3);
	uint64_t keys = 1 + merge_chance(WORLD_KEYS), stamps = 1 + merge_chance(6);

	for (size_t i = 0; i < count; i++) {
		int64_t cl = 1 + (int64_t)merge_chance(4);
		enum store_op op = cl % 2 == 0 ? STORE_DELETE : STORE_UPDATE;

		if (op == STORE_UPDATE && merge_chance(2) == 0)
			op = STORE_INSERT;
		writes[i] = make_write(op, cl);
		writes[i].key %= (int)keys;
		writes[i].site = (int)merge_chance(3);
		writes[i].stamp = 1 + (int64_t)merge_chance(stamps);
	}
	return count;
}

/* What each site knows of each row's life, and its clock. */
struct knowledge {
	int64_t cl[WORLD_SITES][WORLD_KEYS];
	int64_t clock[WORLD_SITES];
};

static void
tell(struct knowledge *known, size_t from, size_t to)
{
	for (int k = 0; k < WORLD_KEYS; k++)
		if (known->cl[to][k] < known->cl[from][k])
			known->cl[to][k] = known->cl[from][k];
	if (known->clock[to] < known->clock[from])
		known->clock[to] = known->clock[from];
}

static struct write
next_write(struct knowledge *known, int site)
{
	struct write w = make_write(STORE_UPDATE, 0);
	int64_t *cl = &known->cl[site][w.key];

	if (*cl % 2 == 0) {
		w.op = STORE_INSERT;
		w.mask = world_columns(w.schema);
		++*cl;
	} else if (merge_chance(3) == 0) {
		w.op = STORE_DELETE;
		w.mask = 0;
		++*cl;
	}
	known->clock[site] += 1 + (int64_t)merge_chance(3);
	w.cl = *cl;
	w.stamp = known->clock[site];
	w.site = site;
	return w;
}

/* As nodes would write them. */
static size_t
plausible_writes(struct write *writes)
{
	struct knowledge known = { 0 };
	size_t count = 3 + merge_chance(WORLD_WRITES - 3);

	for (size_t i = 0; i < count; i++) {
		if (merge_chance(3) == 0)
			tell(&known, merge_chance(WORLD_SITES), merge_chance(WORLD_SITES));
		writes[i] = next_write(&known, (int)merge_chance(WORLD_SITES));
	}
	return count;
}

size_t
merge_writes(uint64_t seed, struct write *writes)
{
	chance_state = seed;
	return merge_chance(2) == 0 ? wild_writes(writes) : plausible_writes(writes);
}

size_t
merge_wild_writes(uint64_t seed, struct write *writes)
{
	chance_state = seed;
	return wild_writes(writes);
}

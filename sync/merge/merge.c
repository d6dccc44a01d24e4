/*
 * sync/merge/merge.c - one change joined into one row.
 *
 * The order of the work is the order of the rules: which life it speaks of,
 * who names that life, then its cells.
 *
 *   1. a greater causal length ends the life that is here: its lww cells go,
 *      max cells stay
 *   2. an insert or delete of the life that is here may give it its name
 *   3. the change's cells meet the row's: both lists are sorted by column, so
 *      that they are walked once; first every meeting is judged, then the
 *      verdicts are carried out, because the cells of a group are judged
 *      together and must all be judged on what was there before
 *
 * A cell that loses to another life (1, or a change that comes too late for its
 * life) is told to the watch too, against the write that ended it: see
 * sync/merge/merge.h for when exactly.
 *
 * Most changes are inserts of rows nobody here has heard of.  They take a path
 * of their own that only copies.
 */
#include "sync/merge/merge.h"
#include "store/base/mutant.h"

#include <assert.h>
#include <string.h>

/* One cell of the change, beside what the row has in its place. */
struct meeting {
	struct store_cell cell;
	uint8_t group;
	uint8_t rule;
	struct store_cell *here; /* NULL: nothing is written there */
	int order;               /* > 0: the change's cell wins */
};

struct merge {
	struct store_batch *b;
	struct store_row *row;
	const struct store_change *change;
	const struct sync_merge_watch *watch;
	const struct store_table *table;
	bool value_moved;
	unsigned count;
	struct meeting met[STORE_COLUMNS_MAX];
};

static uint64_t
cells_written(const struct store_change *change)
{
	if (change->op == STORE_INSERT)
		return change->schema->cells;
	return change->op == STORE_UPDATE ? change->mask : 0;
}

bool
sync_merge_is_sound(const struct store_change *change)
{
	bool odd = (change->cl & 1) == 1;
	bool whole;

	if (change->cl <= 0 || change->cl >= SYNC_CL_MAX || change->stamp <= 0 ||
	    odd == (change->op == STORE_DELETE))
		return false;
	whole = change->op != STORE_UPDATE || change->mask == 0 ||
	        store_schema_widen(change->schema, change->mask) == change->mask;
	return whole && (cells_written(change) & ~change->schema->cells) == 0;
}

/* ---- versions ---- */

static int
version_cmp(struct store_batch *b, const struct store_cell *left, const struct store_cell *right)
{
	if (left->stamp != right->stamp)
		return left->stamp < right->stamp ? -1 : 1;
	return left->site == right->site || MUT(4) ? 0 : b->site_cmp(b, left->site, right->site);
}

/* A write as a whole: its version, and no column. */
static struct store_cell
voice(int64_t stamp, int site)
{
	return (struct store_cell){ .stamp = stamp, .site = site, .value = store_value_null() };
}

static bool
same_version(const struct store_cell *left, const struct store_cell *right)
{
	return left->stamp == right->stamp && left->site == right->site;
}

static bool
is_max(const struct merge *m, const struct store_cell *cell)
{
	return m->table->rules[cell->column - 1] == STORE_MAX;
}

static const char *
name_of(const struct merge *m, const struct store_cell *cell)
{
	return m->table->names[cell->column - 1];
}

/* ---- what is told to the watch ---- */

static void
tell(const struct merge *m, const struct store_cell *winner, const struct store_cell *loser)
{
	if (winner->site != loser->site)
		m->watch->decided(m->watch->ctx, m->row, winner, loser);
}

static bool
is_watched(const struct merge *m)
{
	return m->watch != NULL && m->watch->decided != NULL;
}

/* Of the lww cells of one write, the one whose name comes first speaks for it. */
static bool
speaks(const struct merge *m, const struct store_cell *cell)
{
	const struct store_row *row = m->row;

	for (unsigned i = 0; i < row->cell_count; i++) {
		const struct store_cell *other = &row->cells[i];

		if (same_version(other, cell) && !is_max(m, other) &&
		    strcmp(name_of(m, other), name_of(m, cell)) < 0)
			return false;
	}
	return true;
}

/* The change ends the row's life: every write that still shows in it has lost. */
static void
tell_dropped(const struct merge *m)
{
	const struct store_row *row = m->row;
	struct store_cell ender = voice(m->change->stamp, m->change->site);
	struct store_cell insert = voice(row->stamp, row->site);
	bool told = !store_row_is_live(row);

	for (unsigned i = 0; i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];

		if (is_max(m, cell))
			continue;
		told = told || same_version(cell, &insert);
		if (speaks(m, cell))
			tell(m, &ender, cell);
	}
	if (!told)
		tell(m, &ender, &insert);
}

/* Who speaks for the life that is here: what names it, or its latest edit as long as that isn't
 * known. */
static struct store_cell
voice_here(const struct merge *m)
{
	const struct store_row *row = m->row;
	struct store_cell latest = voice(row->stamp, row->site);

	for (unsigned i = 0; row->stamp == 0 && i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];

		if (!is_max(m, cell) && version_cmp(m->b, cell, &latest) > 0)
			latest = voice(cell->stamp, cell->site);
	}
	return latest;
}

/* The change speaks of a life that is over. */
static void
tell_late(const struct merge *m)
{
	const struct store_change *change = m->change;
	const struct store_schema *schema = change->schema;
	struct store_cell winner = voice_here(m);
	struct store_cell loser = voice(change->stamp, change->site);

	if (winner.stamp == 0)
		return;
	for (unsigned i = 0; i < schema->column_count; i++) {
		struct store_cell cell = loser;

		cell.column = schema->columns[i].id;
		if ((cells_written(change) >> i & 1) == 0 || is_max(m, &cell))
			continue;
		if (loser.column != 0 && strcmp(name_of(m, &loser), name_of(m, &cell)) < 0)
			continue;
		loser.column = cell.column;
		loser.value = change->values[i];
	}
	if (loser.column != 0 || change->op == STORE_INSERT)
		tell(m, &winner, &loser);
}

/* ---- the life ---- */

static void
begin_life(struct merge *m)
{
	struct store_row *row = m->row;
	unsigned kept = 0;

	if (is_watched(m))
		tell_dropped(m);
	for (unsigned i = 0; i < row->cell_count; i++)
		if (is_max(m, &row->cells[i]) || MUT(13))
			row->cells[kept++] = row->cells[i];
	row->cell_count = kept;
	row->cl = m->change->cl;
	row->stamp = 0;
	row->site = 0;
	row->schema = 0;
	row->changed = true;
	m->value_moved = true;
}

/* Does the change name the life better than what names it now? */
static bool
names_better(const struct merge *m)
{
	const struct store_change *change = m->change;
	const struct store_row *row = m->row;
	struct store_cell mine = voice(change->stamp, change->site);
	struct store_cell theirs = voice(row->stamp, row->site);
	int order;

	if (row->stamp == 0)
		return true;
	order = version_cmp(m->b, &mine, &theirs);
	if (order == 0 && change->op == STORE_INSERT && change->schema->id != row->schema)
		order = memcmp(change->schema->hash, m->b->schema(m->b, row->schema)->hash,
		               STORE_SCHEMA_HASH);
	return order > 0;
}

static void
name_life(struct store_row *row, const struct store_change *change)
{
	row->stamp = change->stamp;
	row->site = change->site;
	row->schema = change->op == STORE_INSERT ? change->schema->id : 0;
	row->changed = true;
}

/* ---- cells ---- */

/* The change's cells that count, rising by column. */
static void
gather_cells(struct merge *m)
{
	const struct store_change *change = m->change;
	bool late = change->cl < m->row->cl && !MUT(16);

	for (unsigned i = 0; i < change->schema->column_count; i++) {
		const struct store_column *column = &change->schema->columns[i];
		struct meeting new = { .cell = voice(change->stamp, change->site) };
		unsigned place = m->count;

		if ((cells_written(change) >> i & 1) == 0)
			continue;
		new.rule = m->table->rules[column->id - 1];
		if (late && new.rule != STORE_MAX)
			continue;
		new.group = column->group;
		new.cell.column = column->id;
		new.cell.value = change->values[i];
		for (; place > 0 && m->met[place - 1].cell.column > column->id; place--)
			m->met[place] = m->met[place - 1];
		m->met[place] = new;
		m->count++;
	}
}

/* Beside each of them, what the row has there. */
static void
meet(struct merge *m)
{
	const struct store_row *row = m->row;
	unsigned at = 0;

	for (unsigned i = 0; i < m->count; i++) {
		while (at < row->cell_count && row->cells[at].column < m->met[i].cell.column)
			at++;
		if (at < row->cell_count && row->cells[at].column == m->met[i].cell.column)
			m->met[i].here = &row->cells[at];
	}
}

/* Both sides of a group carry one version: the first column, by name, that differs decides for all.
 */
static int
group_cmp(const struct merge *m, uint8_t group)
{
	const struct meeting *first = NULL;

	for (unsigned i = 0; i < m->count; i++) {
		const struct meeting *met = &m->met[i];

		if (met->group != group || met->rule != STORE_LWW || met->here == NULL ||
		    !same_version(&met->cell, met->here) ||
		    store_value_cmp(&met->cell.value, &met->here->value) == 0)
			continue;
		if (first == NULL || strcmp(name_of(m, &met->cell), name_of(m, &first->cell)) < 0)
			first = met;
	}
	return first == NULL ? 0 : store_value_cmp(&first->cell.value, &first->here->value);
}

/* Of one value the earlier write; of one stamp the greater site, as a later life that writes it
 * again is. */
static int
earlier(const struct store_cell *left, const struct store_cell *right, int version)
{
	if (left->stamp != right->stamp)
		return left->stamp < right->stamp ? 1 : -1;
	return version;
}

static int
judge(const struct merge *m, const struct meeting *met)
{
	int version, value;

	if (met->here == NULL)
		return 1;
	version = version_cmp(m->b, &met->cell, met->here);
	value = store_value_cmp(&met->cell.value, &met->here->value);
	if (met->rule == STORE_MAX && !MUT(14))
		return value != 0 ? value
		       : MUT(15)  ? version
		                  : earlier(&met->cell, met->here, version);
	if (version != 0)
		return version;
	return met->group == 0 ? value : group_cmp(m, met->group);
}

/* Carry out the verdict where the row has a cell; the number of cells that it doesn't have. */
static unsigned
settle(struct merge *m)
{
	unsigned fresh = 0;

	for (unsigned i = 0; i < m->count; i++) {
		const struct meeting *met = &m->met[i];
		bool differ = met->here == NULL ||
		              store_value_cmp(&met->cell.value, &met->here->value) != 0;

		if (met->here == NULL) {
			fresh++;
			continue;
		}
		if (met->rule == STORE_LWW && is_watched(m))
			tell(m, met->order > 0 ? &met->cell : met->here,
			     met->order > 0 ? met->here : &met->cell);
		if (met->order <= 0)
			continue;
		*met->here = met->cell;
		m->row->changed = true;
		m->value_moved = m->value_moved || differ;
	}
	return fresh;
}

/* The row's cells and the change's new ones, in one rising list. */
static int
add_cells(struct merge *m, unsigned fresh, struct arena *a, struct err *err)
{
	struct store_row *row = m->row;
	struct store_cell *all = arena_take(a, row->cell_count + fresh, sizeof *all);
	unsigned old = 0, count = 0;

	if (all == NULL)
		return err_set(err, ERR_NOMEM, "merge: out of memory");
	for (unsigned i = 0; i < m->count; i++) {
		if (m->met[i].here != NULL)
			continue;
		while (old < row->cell_count && row->cells[old].column < m->met[i].cell.column)
			all[count++] = row->cells[old++];
		all[count++] = m->met[i].cell;
	}
	while (old < row->cell_count)
		all[count++] = row->cells[old++];
	assert(count == row->cell_count + fresh);
	row->cells = all;
	row->cell_count = count;
	row->changed = true;
	m->value_moved = true;
	return 0;
}

static int
join_cells(struct merge *m, struct arena *a, struct err *err)
{
	unsigned fresh;

	gather_cells(m);
	meet(m);
	for (unsigned i = 0; i < m->count; i++)
		m->met[i].order = judge(m, &m->met[i]);
	fresh = settle(m);
	return fresh == 0 ? 0 : add_cells(m, fresh, a, err);
}

/* ---- the whole ---- */

/* Nothing is known of the row: all its cells are the insert's. */
static int
first_insert(struct store_row *row, const struct store_change *change, struct arena *a,
             struct err *err)
{
	const struct store_schema *schema = change->schema;
	struct store_cell *cells = arena_take(a, schema->column_count, sizeof *cells);
	unsigned count = 0;

	if (cells == NULL)
		return err_set(err, ERR_NOMEM, "merge: out of memory");
	for (unsigned i = 0; i < schema->column_count; i++) {
		unsigned place = count;

		if ((schema->cells >> i & 1) == 0)
			continue;
		for (; place > 0 && cells[place - 1].column > schema->columns[i].id; place--)
			cells[place] = cells[place - 1];
		cells[place].column = schema->columns[i].id;
		cells[place].site = change->site;
		cells[place].stamp = change->stamp;
		cells[place].value = change->values[i];
		count++;
	}
	row->cl = change->cl;
	row->cells = cells;
	row->cell_count = count;
	name_life(row, change);
	row->write_row = true;
	return 0;
}

int
sync_merge(struct store_batch *b, struct store_row *row, const struct store_change *change,
           const struct sync_merge_watch *watch, struct arena *a, struct err *err)
{
	struct merge m;
	bool was_live = store_row_is_live(row);
	int rc;

	assert(row->table == change->schema->table_id);
	if (!sync_merge_is_sound(change))
		return 0;
	if (row->cl == 0 && change->op == STORE_INSERT)
		return first_insert(row, change, a, err);

	m.b = b;
	m.row = row;
	m.change = change;
	m.watch = watch;
	m.table = b->table(b, row->table);
	m.value_moved = false;
	m.count = 0;
	if (change->cl > row->cl)
		begin_life(&m);
	else if (change->cl < row->cl && is_watched(&m))
		tell_late(&m);
	if (change->cl == row->cl && change->op != STORE_UPDATE && names_better(&m))
		name_life(row, change);
	rc = join_cells(&m, a, err);
	if (was_live != store_row_is_live(row) || (m.value_moved && was_live))
		row->write_row = true;
	return rc;
}

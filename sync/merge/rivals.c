/*
 * sync/merge/rivals.c - what is kept of a row after a change, from what was kept
 * before it, the change, and whom it beat or lost to.
 *
 *   1. candidates: the loser of each cell (the change, or who showed), all that
 *      showed in a life that the change ends, the change itself if its life is
 *      over, a name of the life that another name beats
 *   2. what was kept of cells is kept of the row, when its life is over
 *   3. gone is whom the change had seen, and a candidate whom anybody had
 *   4. of the rest: is it open, and against what does it stand?
 *
 * Most changes are of new rows, or have seen all that they change: for those
 * this asks the database nothing, as long as nothing is kept in the file.
 */
#include "sync/merge/rivals.h"
#include "sync/merge/twin_priv.h"
#include "sync/seen.h"

#include <string.h>

enum {
	TWINS_MAX = 1000
}; /* looked for in one unit; it reads segments, and a doubt is a conflict */

struct sync_rival {
	struct store_conflict c;
	bool is_new, gone;
	enum store_conflict_state was; /* of one that was kept: what stands on disk */
	struct store_cell was_shown;
};

/* ---- changes and versions ---- */

static bool
is_lww(const struct sync_rivals *rv, const struct store_row *row, int column)
{
	return store_catalog_table(rv->r->db, row->table)->rules[column - 1] == STORE_LWW;
}

static const char *
name_of(const struct sync_rivals *rv, int table, int column)
{
	return store_catalog_table(rv->r->db, table)->names[column - 1];
}

static struct store_cell
voice(int64_t stamp, int site)
{
	return (struct store_cell){ .stamp = stamp, .site = site, .value = store_value_null() };
}

/* Does the change write that column? */
static bool
writes(const struct store_change *c, int column)
{
	uint64_t mask = c->op == STORE_INSERT   ? c->schema->cells
	                : c->op == STORE_UPDATE ? c->mask
	                                        : 0;

	for (; mask != 0; mask &= mask - 1)
		if (c->schema->columns[__builtin_ctzll(mask)].id == column)
			return true;
	return false;
}

/* The change as a cell: the first of its lww cells in the order of names; column 0 if none. */
static struct store_cell
first_cell(const struct sync_rivals *rv, const struct store_row *row)
{
	const struct store_change *c = rv->change;
	struct store_cell first = voice(c->stamp, c->site);

	for (unsigned i = 0; i < c->schema->column_count; i++) {
		int column = c->schema->columns[i].id;

		if (c->schema->columns[i].key != 0 || !writes(c, column) ||
		    !is_lww(rv, row, column) ||
		    (first.column != 0 && strcmp(name_of(rv, row->table, first.column),
		                                 name_of(rv, row->table, column)) < 0))
			continue;
		first.column = column;
		first.value = c->values[i];
	}
	return first;
}

/* An edit of max cells alone leaves no trace of who had seen what; it takes no part. */
static bool
speaks(const struct sync_rivals *rv, const struct store_row *row)
{
	const struct store_change *c = rv->change;

	for (uint64_t left = c->mask; c->op == STORE_UPDATE && left != 0; left &= left - 1)
		if (is_lww(rv, row, c->schema->columns[__builtin_ctzll(left)].id))
			return true;
	return c->op != STORE_UPDATE;
}

static const struct store_site *
site_of(const struct sync_rivals *rv, int site)
{
	return store_catalog_site_of(rv->r->db, site);
}

/* One write has one stamp, one node and one value, in whatever life of the node's file.  Two copies
 * whose clocks stand still give one stamp to two values. */
static bool
same_write(const struct sync_rivals *rv, const struct store_cell *a, const struct store_cell *b)
{
	return a->stamp == b->stamp &&
	       (a->column != b->column || store_value_cmp(&a->value, &b->value) == 0) &&
	       (a->site == b->site ||
	        memcmp(site_of(rv, a->site)->node, site_of(rv, b->site)->node, STORE_NODE_ID) == 0);
}

static bool
is_later(const struct sync_rivals *rv, const struct store_cell *a, const struct store_cell *b)
{
	if (a->stamp != b->stamp)
		return a->stamp > b->stamp;
	return store_catalog_site_cmp(rv->r->db, a->site, b->site) > 0;
}

/* ---- who had seen whom ---- */

static bool
is_change(const struct sync_rivals *rv, const struct store_cell *cell)
{
	return cell->stamp == rv->change->stamp && cell->site == rv->change->site;
}

/* Does `seen` cover that write in the row, or one in another life of its node that is the same? */
static bool
covers(struct sync_rivals *rv, const struct store_row *row, const struct store_cell *cell,
       const uint8_t *seen, size_t len)
{
	struct sync_twin twin = { row, cell, seen, len };

	return sync_seen_covers(seen, len, site_of(rv, cell->site), cell->stamp) ||
	       (rv->twins++ < TWINS_MAX && sync_twin_is_seen(rv->r, &twin));
}

/* Had the change at hand seen that write? */
static bool
change_saw(struct sync_rivals *rv, const struct store_row *row, const struct store_cell *cell)
{
	if (rv->own || cell->site == STORE_SITE_SEED)
		return true;
	if (cell->site == rv->change->site)
		return cell->stamp < rv->change->stamp;
	return covers(rv, row, cell, rv->seen, rv->seen_len);
}

/* Had the writer of `cell` seen `of` when it wrote? */
static bool
had_seen(struct sync_rivals *rv, const struct store_row *row, const struct store_cell *cell,
         const struct store_cell *of)
{
	struct store_stream stream;
	struct buf seen = { 0 };
	struct arena a = { 0 };
	struct err err;
	bool yes = false;

	if (of->site == STORE_SITE_SEED || cell->site == STORE_SITE_SEED)
		return true; /* the seeds conflict with nobody */
	if (cell->site == of->site)
		return of->stamp < cell->stamp;
	if (cell->stamp < of->stamp)
		return false;
	if (store_stream_find(rv->r->db, cell->site, rv->scope, &a, &stream, &err) == 0 &&
	    store_seen_at(rv->r->db, stream.id, cell->stamp, &seen, &err) == 0) {
		yes = covers(rv, row, of, seen.bytes, seen.len);
		if (!yes && rv->again_of != 0 && is_change(rv, of))
			yes = sync_seen_covers(seen.bytes, seen.len, site_of(rv, rv->again_of),
			                       of->stamp);
	}
	arena_free(&a);
	buf_free(&seen);
	return yes;
}

/* ---- candidates ---- */

static struct sync_rival *
add(struct sync_rivals *rv)
{
	size_t cap = rv->cap * 2 + 8;
	struct sync_rival *list = rv->list;

	if (rv->count == rv->cap) {
		list = arena_take(rv->arena, cap, sizeof *list);
		if (list == NULL) {
			rv->no_memory = true;
			return NULL;
		}
		if (rv->count > 0)
			memcpy(list, rv->list, rv->count * sizeof *list);
		rv->list = list;
		rv->cap = cap;
	}
	list[rv->count] = (struct sync_rival){ 0 };
	return &list[rv->count++];
}

static void
add_loser(struct sync_rivals *rv, const struct store_row *row, int column, int64_t cl,
          const struct store_cell *cell)
{
	struct sync_rival *x = add(rv);

	if (x == NULL)
		return;
	x->is_new = true;
	x->c = (struct store_conflict){ .scope = rv->scope,
		                        .table = row->table,
		                        .key = row->key,
		                        .key_len = row->key_len,
		                        .column = column,
		                        .cl = cl,
		                        .other = *cell };
}

int
sync_rivals_begin(struct sync_rivals *rv, struct err *err)
{
	return store_inbox_any(rv->r->db, &rv->any, err);
}

void
sync_rivals_before(struct sync_rivals *rv, const struct store_row *row,
                   const struct store_change *change)
{
	rv->change = change;
	rv->cl = row->cl;
	if (rv->cl != 0 && strncmp(change->schema->table, "yz_", 3) == 0)
		rv->cl = 0; /* two verdicts are no question: the later one holds */
	rv->name = voice(row->stamp, row->site);
	rv->count = 0;
}

void
sync_rivals_decided(void *ctx, const struct store_row *row, const struct store_cell *winner,
                    const struct store_cell *loser)
{
	struct sync_rivals *rv = ctx;
	bool lost = is_change(rv, loser);

	if (rv->cl == 0 || rv->change->cl < rv->cl || winner->site == STORE_SITE_SEED ||
	    loser->site == STORE_SITE_SEED || same_write(rv, winner, loser))
		return;
	if (!lost && change_saw(rv, row, loser) && speaks(rv, row))
		return; /* nearly always */
	add_loser(rv, row, winner->column, rv->cl, loser);
}

/* The change speaks of a life that is over; or it and another name the same one. */
static void
add_whole(struct sync_rivals *rv, const struct store_row *row)
{
	const struct store_change *c = rv->change;
	struct store_cell mine = voice(c->stamp, c->site), cell;
	bool other = rv->name.stamp != 0 && !same_write(rv, &mine, &rv->name);

	if (c->cl > rv->cl && rv->cl % 2 == 0 && other)
		add_loser(rv, row, 0, rv->cl, &rv->name);
	if (c->cl > rv->cl || (c->cl == rv->cl && c->op == STORE_UPDATE))
		return;
	cell = first_cell(rv, row);
	if (c->cl < rv->cl && speaks(rv, row))
		add_loser(rv, row, 0, c->cl, &cell);
	if (c->cl == rv->cl && cell.column == 0 && other)
		add_loser(rv, row, 0, c->cl, is_later(rv, &mine, &rv->name) ? &rv->name : &mine);
}

/* An older file's entries don't say in which life they lost. */
static int64_t
guess_life(const struct sync_rivals *rv, const struct store_conflict *c)
{
	if (c->column != 0)
		return rv->cl;
	return rv->cl % 2 == 0 ? rv->cl - 1 : rv->cl - 2;
}

static int
load(struct sync_rivals *rv, const struct store_row *row, struct err *err)
{
	struct store_conflict *kept;
	size_t count;
	int rc = store_inbox_kept(rv->r->db, row, &rv->kept, &kept, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct sync_rival *x = add(rv);

		if (x == NULL)
			break;
		x->c = kept[i];
		x->was = kept[i].state;
		x->was_shown = kept[i].shown;
		if (x->c.cl == 0)
			x->c.cl = guess_life(rv, &kept[i]);
	}
	return rc;
}

/* The life of these cells is over: their losers are losers of the row. */
static void
widen(struct sync_rivals *rv, const struct store_row *row)
{
	size_t count = rv->count;

	for (size_t i = 0; i < count && !rv->no_memory; i++) {
		struct store_conflict c = rv->list[i].c;

		if (c.column == 0 || c.cl >= row->cl)
			continue;
		c.other.column = c.column;
		rv->list[i].gone = true;
		add_loser(rv, row, 0, c.cl, &c.other);
	}
}

/* One write is kept once; of its cells the first, in the order of names, speaks for it. */
static void
join_equal(struct sync_rivals *rv)
{
	for (size_t i = 0; i < rv->count; i++) {
		struct sync_rival *x = &rv->list[i];

		for (size_t k = 0; k < rv->count && !x->gone; k++) {
			struct sync_rival *y = &rv->list[k];
			int mine = x->c.other.column, theirs = y->c.other.column;

			if (k == i || y->gone || !x->is_new || y->c.column != x->c.column ||
			    y->c.cl != x->c.cl || !same_write(rv, &x->c.other, &y->c.other))
				continue;
			if (y->is_new && x->c.column == 0 && mine != 0 &&
			    (theirs == 0 || strcmp(name_of(rv, x->c.table, mine),
			                           name_of(rv, x->c.table, theirs)) < 0))
				y->c.other = x->c.other;
			x->gone = true;
		}
	}
}

/* ---- who goes ---- */

/* Does a write of this life, of this column (0: of the row), reach what was lost? */
static bool
reaches(int64_t cl, int column, const struct store_conflict *lost)
{
	if (cl != lost->cl)
		return cl > lost->cl;
	return lost->column == 0 || lost->column == column;
}

static bool
change_reaches(const struct sync_rivals *rv, const struct store_conflict *lost)
{
	const struct store_change *c = rv->change;

	return reaches(c->cl, lost->column != 0 && writes(c, lost->column) ? lost->column : -1,
	               lost);
}

/* Had any of those who show in the row, and reach it, seen the loser? */
static bool
row_saw(struct sync_rivals *rv, const struct store_row *row, const struct store_conflict *lost)
{
	struct store_cell name = voice(row->stamp, row->site);
	const struct store_cell *last = &name;

	if (row->stamp != 0 && reaches(row->cl, 0, lost) && had_seen(rv, row, &name, &lost->other))
		return true;
	for (unsigned i = 0; i < row->cell_count; i++) {
		const struct store_cell *cell = &row->cells[i];

		if (!is_lww(rv, row, cell->column) || !reaches(row->cl, cell->column, lost) ||
		    (lost->column == 0 && cell->stamp == last->stamp && cell->site == last->site))
			continue;
		if (had_seen(rv, row, cell, &lost->other))
			return true;
		last = cell;
	}
	return false;
}

static bool
rival_saw(struct sync_rivals *rv, const struct store_row *row, const struct sync_rival *lost)
{
	for (size_t i = 0; i < rv->count; i++) {
		const struct sync_rival *x = &rv->list[i];

		if (x != lost && !same_write(rv, &x->c.other, &lost->c.other) &&
		    reaches(x->c.cl, x->c.column, &lost->c) &&
		    had_seen(rv, row, &x->c.other, &lost->c.other))
			return true;
	}
	return false;
}

static void
let_go(struct sync_rivals *rv, const struct store_row *row)
{
	bool counts = speaks(rv, row);

	for (size_t i = 0; i < rv->count; i++) {
		struct sync_rival *x = &rv->list[i];

		if (x->gone)
			continue;
		x->gone = counts && !is_change(rv, &x->c.other) && change_reaches(rv, &x->c) &&
		          change_saw(rv, row, &x->c.other);
		if (!x->gone && x->is_new)
			x->gone = row_saw(rv, row, &x->c) || rival_saw(rv, row, x);
	}
}

/* ---- what stays ---- */

/* The column that says whose the row is, of which two facilities that made one row say two things:
 * nobody may change it, so there is nothing to decide. */
static bool
says_whose(const struct sync_rivals *rv, const struct store_conflict *c)
{
	const struct store_schema *local = store_catalog_table(rv->r->db, c->table)->local;

	return local != NULL && local->scope_column >= 0 &&
	       local->columns[local->scope_column].id == c->column;
}

static void
show(const struct sync_rivals *rv, const struct store_row *row, struct store_conflict *c)
{
	c->shown = voice(row->stamp, row->site);
	c->state = c->cl % 2 == 1 && c->cl < row->cl ? STORE_CONFLICT_OPEN : STORE_CONFLICT_HIDDEN;
	for (unsigned i = 0; c->column != 0 && i < row->cell_count; i++) {
		if (row->cells[i].column != c->column)
			continue;
		c->shown = row->cells[i];
		c->state =
		        store_value_cmp(&c->shown.value, &c->other.value) == 0 || says_whose(rv, c)
		                ? STORE_CONFLICT_HIDDEN
		                : STORE_CONFLICT_OPEN;
	}
}

/* Two people who wrote the same are one question. */
static void
hide_equal(struct sync_rivals *rv)
{
	for (size_t i = 0; i < rv->count; i++) {
		struct store_conflict *c = &rv->list[i].c;

		for (size_t k = 0; k < rv->count && c->column != 0; k++) {
			const struct store_conflict *d = &rv->list[k].c;

			if (!rv->list[k].gone && d->column == c->column &&
			    store_value_cmp(&d->other.value, &c->other.value) == 0 &&
			    is_later(rv, &d->other, &c->other))
				c->state = STORE_CONFLICT_HIDDEN;
		}
	}
}

static bool
is_as_it_was(const struct sync_rival *x)
{
	const struct store_cell *was = &x->was_shown, *is = &x->c.shown;

	return !x->is_new && x->was == x->c.state && was->stamp == is->stamp &&
	       was->site == is->site && store_value_cmp(&was->value, &is->value) == 0;
}

static int
write_down(struct sync_rivals *rv, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < rv->count; i++) {
		struct sync_rival *x = &rv->list[i];

		if (x->gone) {
			x->c.state = x->was;
			rc = x->is_new ? 0 : store_inbox_let_go(rv->r->db, &x->c, err);
			continue;
		}
		if (x->c.state == STORE_CONFLICT_OPEN && !x->is_new &&
		    x->was == STORE_CONFLICT_DECIDED)
			x->c.state = STORE_CONFLICT_DECIDED;
		if (!is_as_it_was(x))
			rc = store_inbox_keep(rv->r->db, &x->c, err);
		rv->any = true;
	}
	return rc;
}

static int
settle(struct sync_rivals *rv, const struct store_row *row, struct err *err)
{
	int rc = rv->any ? load(rv, row, err) : 0;

	if (rc < 0 || rv->count == 0)
		return rc < 0 || !rv->no_memory ? rc
		                                : err_set(err, ERR_NOMEM, "merge: out of memory");
	widen(rv, row);
	if (rv->no_memory)
		return err_set(err, ERR_NOMEM, "merge: out of memory");
	join_equal(rv);
	let_go(rv, row);
	for (size_t i = 0; i < rv->count; i++)
		show(rv, row, &rv->list[i].c);
	hide_equal(rv);
	return write_down(rv, err);
}

int
sync_rivals_after(struct sync_rivals *rv, const struct store_row *row, struct err *err)
{
	int rc;

	if (rv->cl == 0)
		return 0; /* nobody here had heard of it */
	if (!rv->own)
		add_whole(rv, row);
	rc = settle(rv, row, err);
	arena_free(&rv->kept);
	return rc;
}

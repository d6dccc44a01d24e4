/*
 * store/range.c - the rows of a scope in order, wherever their clocks lie.
 *
 * Single clocks and runs of clocks are two tables, each in the order of its
 * keys (store/clock_priv.h); rows of other scopes that count in this one, too, are
 * listed in a third (store/share.h).  A cursor goes through all at once.
 */
#include "store/range.h"
#include "store/clock_priv.h"
#include "store/share.h"

#include <stdlib.h>
#include <string.h>

/* The row at which one of the three tables stands. */
struct stand {
	bool there;
	struct buf key;
	uint8_t term[STORE_TERM];
};

struct cursor {
	struct store_db *db;
	int scope;
	const struct store_range *range;
	struct arena arena;
	const struct store_table **tables; /* by name */
	size_t table_count, at;
	/* of tables[at] */
	struct store_stmt singles, runs;
	struct store_clock_run run;
	struct rd entries;
	const uint8_t *shared;
	size_t shared_len;
	bool sharing; /* there are rows that count in several scopes */
	struct store_stmt members;
	struct store_clocks clocks; /* of those */
	struct stand single, in_run, member;
	struct stand *now; /* which of the three it is; NULL: none yet */
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "ranges: out of memory");
}

static int
cmp_keys(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t len = a_len < b_len ? a_len : b_len;
	int order = len == 0 ? 0 : memcmp(a, b, len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

struct store_range
store_range_all(void)
{
	return (struct store_range){ { "", NULL, 0 }, { "", NULL, 0 } };
}

static int
cmp_places(const struct store_place *a, const struct store_place *b)
{
	int order = strcmp(a->table, b->table);

	return order != 0 ? order : cmp_keys(a->key, a->key_len, b->key, b->key_len);
}

bool
store_range_holds(const struct store_range *range, const struct store_place *place)
{
	return cmp_places(place, &range->from) >= 0 &&
	       (range->until.table[0] == 0 || cmp_places(place, &range->until) < 0);
}

/* ---- a cursor ---- */

static int
by_name(const void *left, const void *right)
{
	const struct store_table *const *a = left, *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

/* The tables that the range touches, by name. */
static int
list_tables(struct cursor *c, struct err *err)
{
	const char *from = c->range->from.table, *until = c->range->until.table;
	int count = store_catalog_table_count(c->db);

	c->tables = arena_take(&c->arena, (size_t)count + 1, sizeof(struct store_table *));
	if (c->tables == NULL)
		return no_memory(err);
	for (int id = 1; id <= count; id++) {
		const struct store_table *t = store_catalog_table(c->db, id);

		if (strcmp(t->name, from) >= 0 && (until[0] == 0 || strcmp(t->name, until) <= 0))
			c->tables[c->table_count++] = t;
	}
	qsort(c->tables, c->table_count, sizeof(struct store_table *), by_name);
	return 0;
}

static int
next_single(struct cursor *c, struct err *err)
{
	const uint8_t *bytes;
	size_t len;
	int rc = store_stmt_step(&c->singles, err);

	c->single.there = rc == 1;
	if (rc != 1)
		return rc;
	buf_clear(&c->single.key);
	bytes = store_stmt_get_blob(&c->singles, &len);
	buf_put(&c->single.key, bytes, len);
	bytes = store_stmt_get_blob(&c->singles, &len);
	if (len != STORE_TERM)
		return err_set(err, ERR_CORRUPT, "clock of a row: the term is damaged");
	memcpy(c->single.term, bytes, STORE_TERM);
	return buf_check(&c->single.key, err);
}

/* The next entry of this run or of the next that has any. */
static int
next_in_run(struct cursor *c, struct err *err)
{
	struct store_clock_entry entry;
	int rc;

	while (!c->run.there || !store_clock_run_next(&c->run, &c->entries, &entry)) {
		if (c->run.there && !rd_done(&c->entries))
			return err_set(err, ERR_CORRUPT, "a run of clocks is damaged");
		rc = store_stmt_step(&c->runs, err);
		c->in_run.there = c->run.there = false;
		if (rc == 1)
			rc = store_clock_run_take(&c->run, &c->runs, err);
		if (rc < 0 || !c->run.there)
			return rc;
		c->entries = store_clock_run_entries(&c->run, &c->shared, &c->shared_len);
	}
	buf_clear(&c->in_run.key);
	buf_put(&c->in_run.key, c->shared, c->shared_len);
	buf_put(&c->in_run.key, entry.rest, entry.rest_len);
	memcpy(c->in_run.term, entry.term, STORE_TERM);
	c->in_run.there = true;
	return buf_check(&c->in_run.key, err);
}

/* Whose clock is elsewhere, as that of any row. */
static int
next_member(struct cursor *c, struct err *err)
{
	struct store_row row = { .table = c->tables[c->at]->id };
	struct rd ignored;
	int rc = store_stmt_step(&c->members, err);

	c->member.there = rc == 1;
	if (rc != 1)
		return rc;
	row.key = store_stmt_get_blob(&c->members, &row.key_len);
	buf_clear(&c->member.key);
	buf_put(&c->member.key, row.key, row.key_len);
	rc = store_clock_find(&c->clocks, &row, &ignored, err);
	if (rc == 0)
		rc = err_set(err, ERR_CORRUPT, "a row that is shared has no clock");
	if (rc > 0)
		memcpy(c->member.term, row.term, STORE_TERM);
	return rc < 0 ? rc : buf_check(&c->member.key, err);
}

/* Where the range begins in tables[at]. */
static const struct store_place *
start_of(const struct cursor *c)
{
	static const struct store_place beginning = { "", (const uint8_t *)"", 0 };
	const struct store_place *from = &c->range->from;

	return strcmp(from->table, c->tables[c->at]->name) == 0 && from->key_len > 0 ? from
	                                                                             : &beginning;
}

static void
leave_table(struct cursor *c)
{
	store_stmt_end(&c->singles);
	store_stmt_end(&c->runs);
	store_stmt_end(&c->members);
	c->single.there = c->in_run.there = c->member.there = c->run.there = false;
	c->now = NULL;
}

static int
begin_members(struct cursor *c, const struct store_place *from, struct err *err)
{
	c->members = store_stmt_new(c->db, "SELECT key FROM yz_member WHERE tbl = ? AND key >= ?"
	                                   " AND scope = ? AND left = 0 ORDER BY key");
	store_stmt_put_int(&c->members, c->tables[c->at]->id);
	store_stmt_put_blob(&c->members, from->key, from->key_len);
	store_stmt_put_int(&c->members, c->scope);
	return next_member(c, err);
}

static int
enter_table(struct cursor *c, struct err *err)
{
	const struct store_place *from = start_of(c);
	int rc;

	c->singles =
	        store_stmt_new(c->db, "SELECT key, term FROM yz_clock"
	                              " WHERE tbl = ? AND key >= ? AND scope = ? ORDER BY key");
	store_stmt_put_int(&c->singles, c->tables[c->at]->id);
	store_stmt_put_blob(&c->singles, from->key, from->key_len);
	store_stmt_put_int(&c->singles, c->scope);
	/* runs don't overlap: of those that begin before the range only the last reaches into it */
	c->runs = store_stmt_new(
	        c->db, "SELECT " STORE_CLOCK_RUN_COLUMNS " FROM yz_clock_run"
	               " WHERE tbl = ?1 AND scope = ?3 AND first >= coalesce((SELECT"
	               " max(first) FROM yz_clock_run WHERE tbl = ?1 AND first <= ?2), ?2)"
	               " ORDER BY first");
	store_stmt_put_int(&c->runs, c->tables[c->at]->id);
	store_stmt_put_blob(&c->runs, from->key, from->key_len);
	store_stmt_put_int(&c->runs, c->scope);
	rc = next_single(c, err);
	if (rc >= 0)
		rc = next_in_run(c, err);
	while (rc >= 0 && c->in_run.there &&
	       cmp_keys(c->in_run.key.bytes, c->in_run.key.len, from->key, from->key_len) < 0)
		rc = next_in_run(c, err);
	if (rc >= 0 && c->sharing)
		rc = begin_members(c, from, err);
	return rc < 0 ? rc : 0;
}

/* The lowest of the three; NULL if all have ended. */
static struct stand *
lowest(struct cursor *c)
{
	struct stand *all[] = { &c->single, &c->in_run, &c->member }, *low = NULL;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i]->there && (low == NULL || cmp_keys(all[i]->key.bytes, all[i]->key.len,
		                                              low->key.bytes, low->key.len) < 0))
			low = all[i];
	return low;
}

static int
leave_row(struct cursor *c, struct err *err)
{
	if (c->now == &c->single)
		return next_single(c, err);
	return c->now == &c->in_run ? next_in_run(c, err) : next_member(c, err);
}

static bool
is_over(const struct cursor *c)
{
	const struct store_place *until = &c->range->until;

	return strcmp(until->table, c->tables[c->at]->name) == 0 &&
	       cmp_keys(c->now->key.bytes, c->now->key.len, until->key, until->key_len) >= 0;
}

/* Go to the next row: 1 and it is c->now, of tables[at]; 0 after the last. */
static int
next(struct cursor *c, struct err *err)
{
	int rc = 0;

	if (c->now != NULL)
		rc = leave_row(c, err);
	while (rc >= 0) {
		c->now = lowest(c);
		if (c->now != NULL)
			return !is_over(c);
		leave_table(c);
		if (++c->at >= c->table_count)
			return 0;
		rc = enter_table(c, err);
	}
	return rc;
}

static int
begin(struct cursor *c, struct store_db *db, int scope, const struct store_range *range,
      struct err *err)
{
	int rc;

	*c = (struct cursor){ .db = db, .scope = scope, .range = range };
	c->singles.slot = c->runs.slot = c->members.slot = -1;
	store_clock_begin(&c->clocks, db);
	rc = store_share_any(db, &c->sharing, err);
	if (rc == 0)
		rc = list_tables(c, err);
	return rc < 0 || c->table_count == 0 ? rc : enter_table(c, err);
}

static void
end(struct cursor *c)
{
	leave_table(c);
	buf_free(&c->run.bytes);
	buf_free(&c->single.key);
	buf_free(&c->in_run.key);
	buf_free(&c->member.key);
	store_clock_end(&c->clocks);
	arena_free(&c->arena);
}

/* ---- what it is for ---- */

static void
add(struct store_range_part *part, const uint8_t term[STORE_TERM])
{
	static const uint8_t zero[STORE_TERM];

	store_digest_move(part->sum, term, zero);
	part->rows++;
}

int
store_range_sum(struct store_db *db, int scope, struct store_range_part *part, struct err *err)
{
	struct cursor c;
	int rc = begin(&c, db, scope, &part->range, err);

	part->rows = 0;
	memset(part->sum, 0, STORE_TERM);
	while (rc >= 0 && c.table_count > 0 && (rc = next(&c, err)) == 1)
		add(part, c.now->term);
	end(&c);
	return rc < 0 ? rc : 0;
}

/* Two and two become one. */
static void
join_pairs(struct store_range_part *parts, size_t *count)
{
	static const uint8_t zero[STORE_TERM];

	for (size_t i = 0; i + 1 < *count; i += 2) {
		struct store_range_part *to = &parts[i / 2];

		*to = parts[i];
		store_digest_move(to->sum, parts[i + 1].sum, zero);
		to->rows += parts[i + 1].rows;
	}
	*count /= 2;
}

static int
begin_part(struct store_range_parts *parts, const struct cursor *c, struct err *err)
{
	struct store_range_part *part = &parts->list[parts->count++];
	const struct buf *key = &c->now->key;
	const uint8_t *copy = arena_copy(parts->arena, key->bytes, key->len);

	*part = (struct store_range_part){ 0 };
	part->range.from = (struct store_place){ c->tables[c->at]->name, copy, key->len };
	return copy == NULL ? no_memory(err) : 0;
}

/* Parts are of one row each; whenever there are too many, they are joined and the next are twice as
 * large. */
static int
cut(struct store_range_parts *parts, struct cursor *c, struct err *err)
{
	int64_t width = 1;
	int rc;

	while ((rc = next(c, err)) == 1) {
		bool full = parts->count > 0 && parts->list[parts->count - 1].rows == width;

		if (full && parts->count == STORE_RANGE_PARTS) {
			join_pairs(parts->list, &parts->count);
			width *= 2;
		}
		if (full || parts->count == 0)
			rc = begin_part(parts, c, err);
		if (rc < 0)
			return rc;
		add(&parts->list[parts->count - 1], c->now->term);
	}
	return rc;
}

int
store_range_cut(struct store_db *db, struct store_range_parts *parts, struct err *err)
{
	struct store_range_part *list = parts->list;
	struct cursor c;
	int rc = begin(&c, db, parts->scope, &parts->range, err);

	parts->count = 0;
	if (rc == 0 && c.table_count > 0)
		rc = cut(parts, &c, err);
	end(&c);
	if (parts->count == 0)
		list[parts->count++] = (struct store_range_part){ 0 };
	list[0].range.from = parts->range.from;
	for (size_t i = 1; i < parts->count; i++)
		list[i - 1].range.until = list[i].range.from;
	list[parts->count - 1].range.until = parts->range.until;
	return rc;
}

static int
add_row(struct store_range_rows *rows, const struct cursor *c, struct err *err)
{
	struct store_row *row = arena_take(rows->arena, 1, sizeof *row);
	const struct buf *key = &c->now->key;
	const uint8_t *copy = arena_copy(rows->arena, key->bytes, key->len);

	if (row == NULL || copy == NULL)
		return no_memory(err);
	row->table = c->tables[c->at]->id;
	row->scope = c->scope;
	row->key = copy;
	row->key_len = key->len;
	rows->list[rows->count++] = row;
	/* the copy has a zero behind it: no key lies between the two */
	rows->next = (struct store_place){ c->tables[c->at]->name, copy, key->len + 1 };
	return 1;
}

int
store_range_rows(struct store_db *db, struct store_range_rows *rows, struct err *err)
{
	struct cursor c;
	int rc = begin(&c, db, rows->scope, &rows->range, err);

	rows->count = 0;
	rows->list = arena_take(rows->arena, rows->most, sizeof(struct store_row *));
	if (rc == 0 && rows->list == NULL)
		rc = no_memory(err);
	while (rc >= 0 && c.table_count > 0 && rows->count < rows->most &&
	       (rc = next(&c, err)) == 1) {
		rc = add_row(rows, &c, err);
		if (rc < 0)
			break;
	}
	end(&c);
	if (rows->count < rows->most)
		rows->next = store_range_all().until;
	store_row_sort(rows->list, rows->count);
	return rc < 0 ? rc : 0;
}

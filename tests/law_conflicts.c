/*
 * tests/law_conflicts.c - which conflicts are open doesn't depend on who heard
 * of what first.
 *
 * Three nodes and a hub write at random into one scope, a few values into a few
 * rows, delete and re-create them, decide what is open, and meet now and then.
 * Then the hub and the nodes list the same open conflicts, and so do fresh
 * replicas that get it all in other orders and other pieces.  And the list is
 * the one that the words of sync/merge/rivals.h give for the whole history at once.
 */
#include "tests/histories.h"
#include "tests/parcels.h"
#include "tests/suites.h"

#include "store/stmt.h"
#include "store/verdict.h"
#include "sync/history.h"
#include "sync/seen.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", "F1", NULL };

static struct world w;
static struct parcels parcels;
static struct err err;

/* All that a person is shown of what is open, without numbers of one file. */
#define OPEN                                                                                       \
	"SELECT c.id, t.name, c.key, k.name, p.name, c.cl, c.other_stamp, s.node, c.other,"        \
	" c.shown_stamp, h.node, c.shown FROM yz_conflict c JOIN yz_table t ON t.id = c.tbl"       \
	" LEFT JOIN yz_column k ON k.tbl = c.tbl AND k.id = c.col"                                 \
	" LEFT JOIN yz_column p ON p.tbl = c.tbl AND p.id = c.part"                                \
	" LEFT JOIN yz_site s ON s.id = c.other_site LEFT JOIN yz_site h ON h.id = c.shown_site"   \
	" WHERE c.state = 'open' ORDER BY 1, 2, 3"

/* What the words give, beside verdicts; see expected(). */
#define KEPT                                                                                       \
	"SELECT t.name, c.key, ifnull(k.name, ''), c.other_stamp, s.node FROM yz_conflict c"       \
	" JOIN yz_table t ON t.id = c.tbl JOIN yz_site s ON s.id = c.other_site"                   \
	" LEFT JOIN yz_column k ON k.tbl = c.tbl AND k.id = c.col"                                 \
	" WHERE c.state IN ('open', 'decided') ORDER BY 1, 2, 3, 4, 5"

/* ---- a life ---- */

static struct world_peer *
somebody(void)
{
	uint32_t who = world_draw(&w, (uint32_t)w.node_count + 1);

	return who == 0 ? &w.hub : &w.nodes[who - 1];
}

static void
write_at_random(void)
{
	static const char *const work[] = {
		"INSERT INTO note(id, facility_id, text, rank) SELECT x'0%1$u', 'F1', 't%2$u', 1"
		" WHERE NOT EXISTS (SELECT 1 FROM note WHERE id = x'0%1$u')",
		"UPDATE note SET text = 't%2$u' WHERE id = x'0%1$u'",
		"UPDATE note SET rank = %2$u WHERE id = x'0%1$u'",
		"UPDATE note SET a = %2$u, text = 't1' WHERE id = x'0%1$u'",
		"UPDATE note SET top = ifnull(top, 0) + 1 WHERE id = x'0%1$u'",
		"DELETE FROM note WHERE id = x'0%1$u'",
		"INSERT INTO daily VALUES ('c%1$u', 1, 'F1', 't%2$u', %2$u) ON CONFLICT DO UPDATE "
		"SET mood = %2$u",
		"UPDATE daily SET mood = %2$u WHERE child = 'c%1$u'",
		"DELETE FROM daily WHERE child = 'c%1$u'",
	};
	uint32_t what = world_draw(&w, sizeof work / sizeof work[0]);
	char sql[256];

	snprintf(sql, sizeof sql, work[what], 1 + world_draw(&w, 2), 1 + world_draw(&w, 3));
	world_sql(somebody(), sql);
	world_wait(&w, world_draw(&w, 3000));
}

static void
decide_at_random(void)
{
	struct world_peer *p = somebody();
	struct store_verdict v = { .by = "law" };
	struct store_conflict *list;
	struct arena a = { 0 };
	size_t count;

	ck_assert_int_eq(store_db_begin(p->local, &err), 0);
	ck_assert_int_eq(store_inbox_list(p->local, true, &a, &list, &count, &err), 0);
	if (count > 0) {
		v.conflict = &list[world_draw(&w, (uint32_t)count)];
		v.take = STORE_TAKE_SHOWN;
		if (v.conflict->column != 0 && world_draw(&w, 3) == 0)
			v.take = STORE_TAKE_OTHER;
		/* the row may have been deleted here since the last seal */
		if (store_verdict_give(p->local, &v, &err) < 0)
			ck_assert_int_eq(err.code, ERR_INVALID);
	}
	ck_assert_int_eq(store_db_commit(p->local, &err), 0);
	arena_free(&a);
}

static void
live(int steps)
{
	while (steps-- > 0) {
		write_at_random();
		if (world_draw(&w, 6) == 0)
			world_sync(&w, (int)world_draw(&w, (uint32_t)w.node_count));
		if (world_draw(&w, 12) == 0)
			decide_at_random();
	}
	world_settle(&w, 3);
}

/* ---- what should be open, by definition ---- */

struct whole {
	struct sync_history *h;
	struct sync_history_list all;
	struct store_db *db;
};

static bool
is_lww(const struct whole *x, const struct store_column *column, int table)
{
	return column->key == 0 &&
	       store_catalog_table(x->db, table)->rules[column->id - 1] == STORE_LWW;
}

/* The value that a change gives an lww column of that number; NULL if it doesn't. */
static const struct store_value *
cell_of(const struct whole *x, const struct store_change *c, int column)
{
	for (unsigned i = 0; c->op != STORE_DELETE && i < c->schema->column_count; i++)
		if (c->schema->columns[i].id == column && (c->mask >> i & 1) != 0 &&
		    is_lww(x, &c->schema->columns[i], c->schema->table_id))
			return &c->values[i];
	return NULL;
}

static bool
speaks(const struct whole *x, const struct store_change *c)
{
	int columns = (int)store_catalog_table(x->db, c->schema->table_id)->column_count;
	bool any = c->op != STORE_UPDATE;

	for (int id = 1; id <= columns; id++)
		any = any || cell_of(x, c, id) != NULL;
	return any;
}

static bool
same_row(const struct store_change *a, const struct store_change *b)
{
	return a->schema->table_id == b->schema->table_id && a->key_len == b->key_len &&
	       memcmp(a->key, b->key, a->key_len) == 0;
}

static bool
is_later(const struct whole *x, const struct store_change *a, const struct store_change *b)
{
	return a->stamp != b->stamp ? a->stamp > b->stamp
	                            : store_catalog_site_cmp(x->db, a->site, b->site) > 0;
}

static bool
had_seen(const struct whole *x, const struct store_change *a, const struct store_change *b)
{
	struct store_stream stream;
	struct arena arena = { 0 };
	struct buf seen = { 0 };
	bool yes;
	int scope;

	if (a->site == b->site)
		return a->stamp > b->stamp;
	ck_assert_int_eq(store_catalog_scope(x->db, "f/F1", &scope, &err), 0);
	ck_assert_int_eq(store_stream_find(x->db, a->site, scope, &arena, &stream, &err), 0);
	ck_assert_int_eq(store_seen_at(x->db, stream.id, a->stamp, &seen, &err), 0);
	yes = sync_seen_covers(seen.bytes, seen.len, store_catalog_site_of(x->db, b->site),
	                       b->stamp);
	buf_free(&seen);
	arena_free(&arena);
	return yes;
}

static int64_t
last_life(const struct whole *x, const struct store_change *c)
{
	int64_t life = 0;

	for (size_t i = 0; i < x->all.count; i++)
		if (same_row(&x->all.entries[i].change, c) && x->all.entries[i].change.cl > life)
			life = x->all.entries[i].change.cl;
	return life;
}

/* Lost, and not seen by any that reaches it: in column `id`, or (0) as a row. */
static bool
is_lost(const struct whole *x, const struct store_change *c, int id)
{
	int64_t life = last_life(x, c);
	bool shows = true;

	if (!speaks(x, c) || (id != 0 ? c->cl != life || cell_of(x, c, id) == NULL
	                              : c->cl == life || c->cl % 2 == 0))
		return false;
	for (size_t i = 0; i < x->all.count; i++) {
		const struct store_change *d = &x->all.entries[i].change;
		bool reaches = id != 0 ? d->cl == c->cl && cell_of(x, d, id) != NULL
		                       : d->cl >= c->cl && speaks(x, d);

		if (d == c || !same_row(c, d) || !reaches)
			continue;
		if (had_seen(x, d, c))
			return false;
		shows = shows && !is_later(x, d, c);
	}
	return id == 0 || !shows;
}

/* Does what shows, or a later loser, say the same? */
static bool
is_equal(const struct whole *x, const struct store_change *c, int id)
{
	const struct store_change *shown = c;
	bool equal = false;

	for (size_t i = 0; i < x->all.count; i++) {
		const struct store_change *d = &x->all.entries[i].change;

		if (!same_row(c, d) || d->cl != c->cl || cell_of(x, d, id) == NULL)
			continue;
		shown = is_later(x, d, shown) ? d : shown;
		equal = equal || (is_later(x, d, c) && is_lost(x, d, id) &&
		                  store_value_cmp(cell_of(x, c, id), cell_of(x, d, id)) == 0);
	}
	return equal || store_value_cmp(cell_of(x, c, id), cell_of(x, shown, id)) == 0;
}

static void
put_line(struct buf *out, const struct whole *x, const struct store_change *c, int id)
{
	const struct store_table *t = store_catalog_table(x->db, c->schema->table_id);
	const char *column = id == 0 ? "" : t->names[id - 1];
	struct store_value values[] = {
		store_value_text(t->name),
		{ .type = STORE_BLOB, .bytes = c->key, .len = c->key_len },
		store_value_text(column),
		{ .type = STORE_INT, .num.i = c->stamp },
		{ .type = STORE_BLOB,
		  .bytes = store_catalog_site_of(x->db, c->site)->node,
		  .len = STORE_NODE_ID },
	};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct buf bytes = { 0 };

		store_value_write(&bytes, &values[i]);
		buf_hex(out, bytes.bytes, bytes.len);
		buf_u8(out, ' ');
		buf_free(&bytes);
	}
	buf_u8(out, '\n');
}

/* A line for each, as world_dump() makes them; in no order. */
static void
expected(struct world_peer *p, struct buf *out)
{
	struct whole x = { .db = p->merge };

	ck_assert_int_eq(sync_history_begin(p->merge, true, &x.h, &err), 0);
	ck_assert_int_eq(sync_history_newest(x.h, 0, &x.all, &err), 0);
	for (size_t i = 0; i < x.all.count; i++) {
		const struct store_change *c = &x.all.entries[i].change;
		int columns = (int)store_catalog_table(x.db, c->schema->table_id)->column_count;

		if (strcmp(c->schema->table, "yz_verdict") == 0)
			continue;
		for (int id = 0; id <= columns; id++)
			if (is_lost(&x, c, id) && (id == 0 || !is_equal(&x, c, id)))
				put_line(out, &x, c, id);
	}
	sync_history_end(x.h);
	buf_u8(out, 0);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a text in order, so that two of them can be compared. */
static void
sort_lines(char *text)
{
	char *copy = strdup(text), *lines[2000] = { 0 }, *rest = copy, *line;
	size_t count = 0, at = 0;

	while ((line = strsep(&rest, "\n")) != NULL && *line != 0) {
		ck_assert_uint_lt(count, 2000);
		lines[count++] = line;
	}
	qsort(lines, count, sizeof *lines, by_text);
	for (size_t i = 0; i < count; i++)
		at += (size_t)sprintf(text + at, "%s\n", lines[i]);
	free(copy);
}

/* ---- the laws ---- */

static void
same_open(struct world_peer *p, const char *who)
{
	char *want = world_dump(&w.hub, OPEN), *got = world_dump(p, OPEN);

	ck_assert_msg(strcmp(want, got) == 0, "open at the hub\n%sat %s\n%s", want, who, got);
	free(want);
	free(got);
}

START_TEST(open_conflicts_follow_from_the_history)
{
	struct buf want = { 0 };
	char *got;

	w.random += (uint64_t)_i * 7919;
	live(50);
	expected(&w.hub, &want);
	got = world_dump(&w.hub, KEPT);
	sort_lines(got);
	sort_lines((char *)want.bytes);
	ck_assert_msg(strcmp(got, (char *)want.bytes) == 0, "by definition\n%sat the hub\n%s",
	              (char *)want.bytes, got);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict WHERE"
	                                   " (state = 'open' AND id IN (SELECT"
	                                   " substr(conflict, 1, 16) FROM yz_verdict)) OR"
	                                   " (state = 'decided' AND id NOT IN"
	                                   " (SELECT substr(conflict, 1, 16) FROM yz_verdict))"),
	                 0);
	free(got);
	buf_free(&want);
}
END_TEST

START_TEST(all_replicas_list_the_same)
{
	static const char *const words[PARCELS_WAYS] = { "whole", "cut anew", "rolled up" };
	struct world_peer fresh;

	w.random += (uint64_t)_i * 104729;
	live(50);
	for (int i = 0; i < w.node_count; i++)
		same_open(&w.nodes[i], "a node");
	for (int how = 0; how < PARCELS_WAYS; how++) {
		parcels_pack(&w, &w.hub, (enum parcels_how)how, &parcels);
		world_open_fresh(&w, &fresh, words[how]);
		parcels_deliver_shuffled(&w, &fresh, &parcels);
		same_open(&fresh, words[how]);
		world_close_fresh(&fresh);
		parcels_free(&parcels);
	}
}
END_TEST

/* The laws would hold where nothing is ever open, too. */
START_TEST(there_is_something_to_list)
{
	int64_t cells = 0, rows = 0;

	for (int i = 0; i < 10; i++) {
		live(50);
		cells += world_int(&w.hub, "SELECT count(*) FROM yz_conflict WHERE col <> 0"
		                           " AND state = 'open'");
		rows += world_int(&w.hub, "SELECT count(*) FROM yz_conflict WHERE col = 0"
		                          " AND state = 'open'");
	}
	ck_assert_int_gt(cells, 0);
	ck_assert_int_gt(rows, 0);
	ck_assert_int_gt(world_int(&w.hub, "SELECT count(*) FROM yz_verdict"), 0);
}
END_TEST

static void
open_world(void)
{
	world_open(&w, 23, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

Suite *
suite_law_conflicts(void)
{
	Suite *suite = suite_create("law/conflicts");
	TCase *tc = tcase_create("inbox");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, open_world, close_world);
	histories_add(tc, open_conflicts_follow_from_the_history, 20);
	histories_add(tc, all_replicas_list_the_same, 15);
	tcase_add_test(tc, there_is_something_to_list);
	suite_add_tcase(suite, tc);
	return suite;
}

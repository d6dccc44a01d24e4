/* tests/store_range.c - ranges of a scope's rows: cut, added up and listed, they are the scope. */
#include "tests/suites.h"
#include "tests/world.h"

#include "store/range.h"

#include <string.h>

static const char *const facilities[] = { "F1", "F2", NULL };
static struct world w;
static struct arena arena;
static struct err err;
static int scope;

/* Rows of two tables in runs and single clocks, mixed by key, among others' rows. */
static void
open_world(void)
{
	struct world_peer *hub = &w.hub;

	world_open(&w, 5, facilities);
	for (int i = 0; i < 2; i++)
		world_sql(&w.nodes[i],
		          i == 0 ? "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		                   " LIMIT 500) INSERT INTO note(id, facility_id) SELECT"
		                   " CAST(printf('%04d', i * 7919 % 10000) AS BLOB), 'F1' FROM n"
		                 : "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		                   " LIMIT 500) INSERT INTO note(id, facility_id) SELECT"
		                   " CAST(printf('%05d', i * 7919 % 100000) AS BLOB), 'F2' FROM n");
	world_sql(&w.nodes[0], "INSERT INTO daily(child, day, facility_id) VALUES"
	                       " ('a', 1, 'F1'), ('b', 1, 'F1'), ('c', 1, 'F1')");
	world_settle(&w, 2);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'x' WHERE id LIKE '%3'");
	world_sql(&w.nodes[0], "DELETE FROM note WHERE id LIKE '%7'");
	world_settle(&w, 2);
	ck_assert_int_eq(store_db_begin(hub->merge, &err), 0);
	ck_assert_int_eq(store_catalog_scope(hub->merge, "f/F1", &scope, &err), 0);
}

static void
close_world(void)
{
	store_db_rollback(w.hub.merge);
	arena_free(&arena);
	world_close(&w);
}

static void
add_up(struct store_range_part *part)
{
	ck_assert_msg(store_range_sum(w.hub.merge, scope, part, &err) == 0, "%s", err.msg);
}

START_TEST(the_whole_is_the_digest)
{
	struct store_range_part all = { .range = store_range_all() };
	struct store_digest digest;

	add_up(&all);
	ck_assert_int_eq(store_digest_get(w.hub.merge, scope, &digest, &err), 0);
	ck_assert_mem_eq(all.sum, digest.sum, STORE_TERM);
	ck_assert_int_eq(all.rows, 503); /* deleted ones too */
}
END_TEST

/* A part's rows and sum are what it was cut with. */
static void
hold_part(const struct store_range_part *part)
{
	struct store_range_part again = *part;

	add_up(&again);
	ck_assert_int_eq(again.rows, part->rows);
	ck_assert_mem_eq(again.sum, part->sum, STORE_TERM);
}

/* Down to single rows: parts are their range. */
static int64_t
cut_down(const struct store_range_part *whole)
{
	static const uint8_t zero[STORE_TERM];
	struct store_range_parts cut = { .scope = scope, .range = whole->range, .arena = &arena };
	struct store_range_part *parts = arena_take(&arena, STORE_RANGE_PARTS, sizeof *parts);
	uint8_t sum[STORE_TERM] = { 0 };
	int64_t rows = 0;
	size_t count;

	cut.list = parts;
	ck_assert_int_eq(store_range_cut(w.hub.merge, &cut, &err), 0);
	count = cut.count;
	ck_assert(count >= 1 && count <= STORE_RANGE_PARTS);
	ck_assert_ptr_eq(parts[0].range.from.key, whole->range.from.key);
	ck_assert_ptr_eq(parts[count - 1].range.until.key, whole->range.until.key);
	for (size_t i = 0; i < count; i++) {
		hold_part(&parts[i]);
		store_digest_move(sum, parts[i].sum, zero);
		rows += parts[i].rows > 1 ? cut_down(&parts[i]) : parts[i].rows;
		ck_assert(parts[i].rows < whole->rows || count == 1);
	}
	ck_assert_mem_eq(sum, whole->sum, STORE_TERM);
	return rows;
}

START_TEST(parts_are_their_range_down_to_single_rows)
{
	struct store_range_part all = { .range = store_range_all() };

	add_up(&all);
	ck_assert_int_eq(cut_down(&all), all.rows);
}
END_TEST

START_TEST(rows_are_listed_from_the_beginning_of_the_range)
{
	/* a blob of four bytes: its type, its length, then what it is */
	struct store_range_rows rows = { .scope = scope,
		                         .range = { { "note", (const uint8_t *)"\4\0045", 3 },
		                                    { "note", (const uint8_t *)"\4\0046", 3 } },
		                         .most = 1000,
		                         .arena = &arena };

	ck_assert_int_eq(store_range_rows(w.hub.merge, &rows, &err), 0);
	ck_assert_uint_gt(rows.count, 10);
	for (size_t i = 0; i < rows.count; i++)
		ck_assert(rows.list[i]->key[2] == '5' && rows.list[i]->scope == scope);
	rows.most = 3;
	ck_assert_int_eq(store_range_rows(w.hub.merge, &rows, &err), 0);
	ck_assert_uint_eq(rows.count, 3);
}
END_TEST

Suite *
suite_store_range(void)
{
	Suite *suite = suite_create("store/range");
	TCase *tc = tcase_create("ranges");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, the_whole_is_the_digest);
	tcase_add_test(tc, parts_are_their_range_down_to_single_rows);
	tcase_add_test(tc, rows_are_listed_from_the_beginning_of_the_range);
	suite_add_tcase(suite, tc);
	return suite;
}

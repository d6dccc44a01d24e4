/* tests/sync_large.c - rows that are too large to be held together. */
#include "tests/suites.h"
#include "tests/world.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F2", NULL };

static struct world w;

static void
open_world(void)
{
	world_open(&w, 17, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

static int64_t told_units, told_rows, told_first;

static int
count_told(void *ctx, const struct sync_unit *unit, struct err *why)
{
	(void)ctx;
	(void)why;
	ck_assert(told_units == 0 || told_first == (int64_t)unit->first);
	told_first = (int64_t)unit->first;
	told_units++;
	told_rows += (int64_t)unit->count;
	return 0;
}

/* Forty rows of 1 MB, and then one unit that changes a number in each. */
START_TEST(a_unit_whose_rows_are_too_large_together_is_applied_in_parts)
{
	enum { ROWS = 40 };
	char sql[160], ours[33], theirs[33];

	for (int i = 0; i < ROWS; i++) {
		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, text) VALUES (x'%02x', 'F1', "
		         "printf('%%.*c', 1000000, 'x'))",
		         i);
		world_sql(&w.nodes[0], sql);
	}
	ck_assert(world_sync(&w, 0));
	w.hub.node.r.applied = count_told;
	told_units = told_rows = 0;
	world_sql(&w.nodes[0], "UPDATE note SET rank = 7");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_gt(told_units, 1);
	ck_assert_int_eq(told_rows, ROWS);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE rank = 7"), ROWS);
	ck_assert_str_eq(world_digest(&w.hub, "f/F1", ours),
	                 world_digest(&w.nodes[0], "f/F1", theirs));
}
END_TEST

Suite *
suite_sync_large(void)
{
	Suite *suite = suite_create("sync/large");
	TCase *tc = tcase_create("large");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, a_unit_whose_rows_are_too_large_together_is_applied_in_parts);
	suite_add_tcase(suite, tc);
	return suite;
}

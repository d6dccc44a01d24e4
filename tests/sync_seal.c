/*
 * tests/sync_seal.c - what is too much for one record or one segment: the rest of
 * the seal goes on, and a person is told.
 */
#include "store/stmt.h"
#include "sync/seal/seal.h"
#include "tests/suites.h"
#include "tests/world.h"

#include <check.h>
#include <stdio.h>

static const char *const facilities[] = { "F1", "F1", NULL };

static struct world w;

static void
open_world(void)
{
	world_open(&w, 21, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

static void
same_digest_everywhere(void)
{
	char hub[33], other[33];

	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(world_digest(&w.nodes[i], "f/F1", other),
		                 world_digest(&w.hub, "f/F1", hub));
}

static const struct {
	const char *what, *sql, *shorten;
	const char *reason;
} too_large[] = {
	{ "a value over 1 MiB",
	  "INSERT INTO note(id, facility_id, text, rank) VALUES (x'01', 'F1', zeroblob(1048577), "
	  "7)",
	  "UPDATE note SET text = 'short' WHERE id = x'01'", "text holds 1048577 bytes" },
	{ "a text over 1 MiB",
	  "INSERT INTO note(id, facility_id, text, rank) VALUES (x'01', 'F1', "
	  "replace(hex(zeroblob(600000)), '0', 'x'), 7)",
	  "UPDATE note SET text = 'short' WHERE id = x'01'", "text holds 1200000 bytes" },
	{ "values that are too much together",
	  "INSERT INTO note(id, facility_id, text, rank, a) VALUES (x'01', 'F1', "
	  "randomblob(700000), 7, randomblob(700000))",
	  "UPDATE note SET a = 1 WHERE id = x'01'", "together" },
};

START_TEST(too_large_a_row_stays_here_and_the_rest_goes)
{
	world_sql(&w.nodes[0], too_large[_i].sql);
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'small')");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note"), 1);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE text = 'small'"),
	                 1);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note"), 2);
	same_digest_everywhere();
	{
		char sql[120];

		snprintf(sql, sizeof sql,
		         "SELECT count(*) FROM yz_quarantine WHERE reason LIKE '%%%s%%'",
		         too_large[_i].reason);
		ck_assert_msg(world_int(&w.nodes[0], sql) == 1, "%s", too_large[_i].what);
	}
	/* made shorter, it goes; nothing is listed any more */
	world_sql(&w.nodes[0], too_large[_i].shorten);
	world_settle(&w, 2);
	ck_assert_int_eq(
	        world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE id = x'01' AND rank = 7"),
	        1);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM yz_quarantine"), 0);
	same_digest_everywhere();
}
END_TEST

START_TEST(key_that_no_record_can_hold_stays_here)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, rank) VALUES (zeroblob(1200000), 'F1', 7)");
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'small')");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE text = 'small'"),
	                 1);
	ck_assert_int_eq(
	        world_int(&w.nodes[0],
	                  "SELECT count(*) FROM yz_quarantine WHERE reason LIKE '%key of 12000%'"),
	        1);
	world_sql(&w.nodes[0], "UPDATE note SET id = x'01' WHERE rank = 7");
	world_settle(&w, 2);
	ck_assert_int_eq(
	        world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE id = x'01' AND rank = 7"),
	        1);
	same_digest_everywhere();
}
END_TEST

START_TEST(columns_held_back_with_the_large_one_go_later)
{
	world_sql(&w.nodes[0],
	          "INSERT INTO note(id, facility_id, text, top) VALUES (x'01', 'F1', 'was', 3)");
	world_settle(&w, 2);
	world_sql(&w.nodes[0], "UPDATE note SET text = zeroblob(1048577), rank = 9");
	world_settle(&w, 2);
	ck_assert_int_eq(
	        world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE text = 'was' AND rank = 0"),
	        1);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'is'");
	world_settle(&w, 2);
	ck_assert_int_eq(
	        world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE text = 'is' AND rank = 9"),
	        1);
	same_digest_everywhere();
}
END_TEST

START_TEST(much_that_does_not_compress_goes_in_parts)
{
	world_sql(&w.nodes[0],
	          "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 60)"
	          " INSERT INTO note(facility_id, text, rank) SELECT 'F1', randomblob(70000), i "
	          "FROM c");
	world_sql(
	        &w.nodes[0],
	        "INSERT INTO note(facility_id, text, rank) VALUES ('F1', randomblob(1000000), 61)");
	world_settle(&w, 4);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note"), 61);
	ck_assert_int_gt(world_int(&w.nodes[0], "SELECT count(*) FROM yz_segment"), 4);
	ck_assert_int_le(world_int(&w.nodes[0], "SELECT max(length(body)) FROM yz_segment"),
	                 1 << 20);
	same_digest_everywhere();
}
END_TEST

Suite *
suite_sync_seal(void)
{
	Suite *suite = suite_create("sync/seal");
	TCase *tc = tcase_create("too_much");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, too_large_a_row_stays_here_and_the_rest_goes, 0,
	                    (int)(sizeof too_large / sizeof too_large[0]));
	tcase_add_test(tc, key_that_no_record_can_hold_stays_here);
	tcase_add_test(tc, columns_held_back_with_the_large_one_go_later);
	tcase_add_test(tc, much_that_does_not_compress_goes_in_parts);
	suite_add_tcase(suite, tc);
	return suite;
}

/*
 * tests/law_delivery.c - how records travel makes no difference.
 *
 * Two nodes and a hub write at random into one scope and meet now and then.
 * Then everything they wrote is given to fresh replicas: segment by segment,
 * cut anew so that the pieces overlap, each stream rolled up, in the short form
 * from places already known; shuffled, some twice.  All of them show the rows
 * and the digest that the hub shows.
 */
#include "tests/histories.h"
#include "tests/parcels.h"
#include "tests/suites.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", NULL };

static struct world w;
static struct parcels parcels;

#define ALL_NOTES "SELECT id, facility_id, text, rank, top, a, b FROM note ORDER BY id"
#define ALL_DAILY "SELECT child, day, facility_id, text, mood FROM daily ORDER BY child, day"

static void
write_at_random(void)
{
	static const char *const work[] = {
		"INSERT INTO note(id, facility_id, text, rank) SELECT x'0%1$u', 'F1', 't%2$u', 1"
		" WHERE NOT EXISTS (SELECT 1 FROM note WHERE id = x'0%1$u')",
		"UPDATE note SET text = 'u%2$u' WHERE id = x'0%1$u'",
		"UPDATE note SET rank = %2$u, a = %2$u WHERE id = x'0%1$u'",
		"UPDATE note SET top = max(top, %2$u) WHERE id = x'0%1$u'",
		"DELETE FROM note WHERE id = x'0%1$u'",
		"INSERT INTO daily VALUES ('c%1$u', 1, 'F1', 't%2$u', %2$u) ON CONFLICT DO UPDATE "
		"SET mood = %2$u",
	};
	uint32_t who = world_draw(&w, 3), what = world_draw(&w, 6), key = 1 + world_draw(&w, 4);
	char sql[256];

	snprintf(sql, sizeof sql, work[what], key, world_draw(&w, 9));
	world_sql(who == 2 ? &w.hub : &w.nodes[who], sql);
	world_wait(&w, world_draw(&w, 5000));
}

static void
live(int steps)
{
	while (steps-- > 0) {
		write_at_random();
		if (world_draw(&w, 5) == 0)
			world_sync(&w, (int)world_draw(&w, 2));
	}
	world_settle(&w, 3);
}

static void
same_rows(struct world_peer *p, const char *sql, const char *how)
{
	char *want = world_dump(&w.hub, sql), *got = world_dump(p, sql);

	ck_assert_msg(strcmp(want, got) == 0, "%s, %s\nhub:\n%s\nhere:\n%s", how, sql, want, got);
	free(want);
	free(got);
}

static void
same_as_hub(struct world_peer *p, const char *how)
{
	char want[33], got[33];

	same_rows(p, ALL_NOTES, how);
	same_rows(p, ALL_DAILY, how);
	ck_assert_str_eq(world_digest(p, "f/F1", got), world_digest(&w.hub, "f/F1", want));
}

START_TEST(any_delivery_gives_the_same)
{
	static const char *const words[PARCELS_WAYS] = { "whole", "cut anew", "rolled up" };
	struct world_peer fresh;

	w.random += (uint64_t)_i * 7919;
	live(40);
	for (int how = 0; how < PARCELS_WAYS; how++) {
		parcels_pack(&w, &w.hub, (enum parcels_how)how, &parcels);
		world_open_fresh(&w, &fresh, words[how]);
		parcels_deliver_shuffled(&w, &fresh, &parcels);
		same_as_hub(&fresh, words[how]);
		world_close_fresh(&fresh);
		parcels_free(&parcels);
	}
	world_open_fresh(&w, &fresh, "short");
	parcels_push_shuffled(&w, &w.hub, &fresh);
	same_as_hub(&fresh, "short");
	world_close_fresh(&fresh);
}
END_TEST

/* Those who have it all already: not a row, not a conflict, not a byte of the file moves. */
START_TEST(redelivery_changes_nothing)
{
	char *before, *after;

	w.random += (uint64_t)_i * 104729;
	live(40);
	for (int how = 0; how < PARCELS_WAYS; how++) {
		parcels_pack(&w, &w.hub, (enum parcels_how)how, &parcels);
		for (int i = 0; i < w.node_count; i++) {
			before = parcels_dump_file(&w.nodes[i]);
			parcels_deliver_shuffled(&w, &w.nodes[i], &parcels);
			after = parcels_dump_file(&w.nodes[i]);
			ck_assert_msg(strcmp(before, after) == 0, "way %d, node %d", how, i);
			free(before);
			free(after);
		}
		parcels_free(&parcels);
	}
}
END_TEST

static void
open_world(void)
{
	world_open(&w, 11, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

Suite *
suite_law_delivery(void)
{
	Suite *suite = suite_create("law/delivery");
	TCase *tc = tcase_create("any_way");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, open_world, close_world);
	histories_add(tc, any_delivery_gives_the_same, 10);
	histories_add(tc, redelivery_changes_nothing, 5);
	suite_add_tcase(suite, tc);
	return suite;
}

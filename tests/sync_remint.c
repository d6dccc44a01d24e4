/*
 * tests/sync_remint.c - one life too many: a node's file is put back with all
 * that is around it, or runs twice.  Everything that anybody wrote is there in
 * the end, everywhere, and nobody had to do anything.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "sync/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const two_nodes[] = { "F1", "F1", NULL };

static struct world w;

#define ALL_NOTES "SELECT id, facility_id, text, rank, top, a, b FROM note ORDER BY id"

static void
open_world(void)
{
	world_open(&w, 11, two_nodes);
}

static void
close_world(void)
{
	world_close(&w);
}

/* A unit of what was written so far, with no line. */
static void
seal(struct world_peer *p)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };
	struct err err;

	p->node.has_hub = false;
	world_wait(&w, 31000);
	ck_assert_int_ge(node_step(&p->node, &tick, &fx, &err), 0);
	p->node.has_hub = true;
	node_effects_clear(&fx);
}

/* Some rows, in several units. */
static void
write_some(struct world_peer *p, const char *mark, int count)
{
	char sql[200];

	for (int i = 0; i < count; i++) {
		world_wait(&w, 1000);
		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, text, top) VALUES (x'%s%02x', 'F1', "
		         "'%s %d', %d)",
		         mark, (unsigned)i, mark, i, i);
		world_sql(p, sql);
		if (i % 5 == 0)
			seal(p);
	}
}

static void
expect_same_as_hub(struct world_peer *p)
{
	char *want = world_dump(&w.hub, ALL_NOTES), *got = world_dump(p, ALL_NOTES);
	char digest[33], hubs[33];

	ck_assert_str_eq(got, want);
	ck_assert_str_eq(world_digest(p, "f/F1", digest), world_digest(&w.hub, "f/F1", hubs));
	free(want);
	free(got);
}

static void
expect_same(void)
{
	for (int i = 0; i < w.node_count; i++)
		expect_same_as_hub(&w.nodes[i]);
}

static void
expect_nothing_aside(struct world_peer *p)
{
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_quarantine"), 0);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_conflict"), 0);
}

static void
expect_level(int i)
{
	struct node_met met;

	world_meet(&w, i, &met);
	ck_assert(met.ok);
	ck_assert_str_eq(met.words, "");
	ck_assert_int_eq(met.round_trips, 1);
	ck_assert_int_eq(met.sent, 0);
	ck_assert_uint_eq(met.rejected_count, 0);
	expect_nothing_aside(&w.nodes[i]);
}

/* Every node says that it has nothing to say, and nothing was kept aside anywhere. */
static void
expect_quiet(void)
{
	for (int i = 0; i < w.node_count; i++)
		expect_level(i);
	expect_nothing_aside(&w.hub);
}

/* The same conflicts as at the hub, and there are some. */
static void
expect_conflicts_of_hub(struct world_peer *p)
{
	static const char sql[] = "SELECT id FROM yz_conflict ORDER BY id";
	char *want = world_dump(&w.hub, sql), *got = world_dump(p, sql);

	ck_assert_str_eq(got, want);
	ck_assert_uint_gt(strlen(want), 0);
	free(want);
	free(got);
}

static int64_t
lives(struct world_peer *p)
{
	return world_int(p, "SELECT count(DISTINCT epoch) FROM yz_site WHERE node ="
	                    " (SELECT value FROM yz_meta WHERE name = 'node')");
}

static enum sync_life_word
told(struct world_peer *p)
{
	struct sync_life_told out;
	struct err err;

	ck_assert_int_eq(sync_life_tell(p->merge, w.wall_ms, &out, &err), 0);
	return out.word;
}

static enum sync_life_word
told_of(int i)
{
	enum sync_life_word word;
	struct err err;

	ck_assert_int_eq(
	        sync_life_of(w.hub.merge, w.nodes[i].node.r.self.node, w.wall_ms, &word, &err), 0);
	return word;
}

/* Records that were acknowledged, records that weren't yet, and then the snapshot. */
static void
begin_with(int acked, int unsent)
{
	write_some(&w.nodes[0], "aa", acked);
	world_settle(&w, 2);
	w.nodes[0].up = false;
	write_some(&w.nodes[0], "ab", unsent);
	world_sync(&w, 0);
	w.nodes[0].up = true;
}

START_TEST(a_snapshot_put_back_loses_nothing)
{
	begin_with(5, 5);
	for (int round = 0; round < 2; round++) {
		const char *lost = round == 0 ? "b0" : "c0", *kept = round == 0 ? "b1" : "c1";

		world_save(&w.nodes[0], "snapshot");
		write_some(&w.nodes[0], lost, 20);
		ck_assert(world_sync(&w, 0));
		world_put_back(&w.nodes[0], "snapshot");
		write_some(&w.nodes[0], kept, 20);
		ck_assert(world_sync(&w, 0));
		ck_assert(world_sync(&w, 1));
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"),
		                 10 + 40 * (round + 1));
		expect_same();
		expect_quiet();
		ck_assert_int_eq(told(&w.nodes[0]), SYNC_LIFE_RESTORED);
		ck_assert_int_eq(told_of(0), SYNC_LIFE_RESTORED);
	}
	ck_assert_int_eq(lives(&w.nodes[0]), 3);
	world_wait(&w, SYNC_LIFE_TOLD_MS);
	ck_assert_int_eq(told(&w.nodes[0]), SYNC_LIFE_QUIET);
	ck_assert_int_eq(told_of(0), SYNC_LIFE_QUIET);
}
END_TEST

/* It had written nothing since: only what was lost comes back. */
START_TEST(a_snapshot_put_back_and_left_alone_gets_the_rest)
{
	begin_with(5, 5);
	world_save(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b0", 20);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "snapshot");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note"), 30);
	ck_assert(world_sync(&w, 1));
	expect_same();
	expect_quiet();
	ck_assert_int_eq(lives(&w.nodes[0]), 2);
}
END_TEST

/* As a start of the program finds it: the life in the file is another file's. */
static void
starts_as_a_copy(struct world_peer *p)
{
	struct err err;

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(sync_life_begin(&p->node.r, SYNC_LIFE_COPIED, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
}

/* Whether a copy is of now or of then shows by what the hub has; even if it is long until they
 * meet. */
START_TEST(a_copy_is_called_restored_once_it_shows)
{
	begin_with(5, 0);
	world_save(&w.nodes[0], "copy");
	world_put_back(&w.nodes[0], "copy");
	starts_as_a_copy(&w.nodes[0]);
	write_some(&w.nodes[0], "a0", 5);
	world_settle(&w, 2);
	ck_assert_int_eq(told(&w.nodes[0]), SYNC_LIFE_QUIET); /* carried to another machine */
	world_save(&w.nodes[0], "copy");
	write_some(&w.nodes[0], "b0", 20);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "copy");
	world_wait(&w, 1000);
	starts_as_a_copy(&w.nodes[0]);
	ck_assert_int_eq(told(&w.nodes[0]), SYNC_LIFE_QUIET);
	world_wait(&w, SYNC_LIFE_TOLD_MS);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note"), 30);
	ck_assert_int_eq(told(&w.nodes[0]), SYNC_LIFE_RESTORED);
	expect_same();
	expect_quiet();
	world_wait(&w, SYNC_LIFE_TOLD_MS);
	world_settle(&w, 1);
	ck_assert_int_eq(told(&w.nodes[0]), SYNC_LIFE_QUIET);
}
END_TEST

/* It is from before the first record of its life, and the hub holds such records. */
START_TEST(a_snapshot_of_a_life_without_records_gets_them)
{
	world_settle(&w, 2);
	world_save(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b0", 20);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "snapshot");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note"), 20);
	ck_assert(world_sync(&w, 1));
	expect_same();
	expect_quiet();
	ck_assert_int_eq(lives(&w.nodes[0]), 2);
}
END_TEST

/* The lost branch is shorter than ours, and longer; it was sent a little at a time, and not at all.
 */
START_TEST(a_fork_is_found_wherever_it_is)
{
	static const int counts[][2] = { { 3, 30 }, { 30, 3 }, { 7, 7 }, { 1, 1 } };
	const int *count = counts[_i];

	begin_with(5, _i % 2 == 0 ? 5 : 0);
	world_save(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b0", count[0]);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b1", count[1]);
	w.nodes[0].node.stalls = 2; /* a segment at a time */
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 1));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"),
	                 5 + (_i % 2 == 0 ? 5 : 0) + count[0] + count[1]);
	expect_same();
	expect_quiet();
}
END_TEST

/* Nothing of the stream is common, not even the names of its schemas. */
START_TEST(a_fork_from_the_first_record_on)
{
	world_save(&w.nodes[0], "snapshot");
	world_sql(&w.nodes[0], "INSERT INTO daily VALUES ('lost', 1, 'F1', 'x', 1)");
	write_some(&w.nodes[0], "b0", 7);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b1", 7);
	world_sql(&w.nodes[0], "INSERT INTO daily VALUES ('kept', 1, 'F1', 'y', 2)");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 14);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM daily"), 2);
	expect_same();
	expect_quiet();
}
END_TEST

/* On a bad line it takes several pushes until the place is known where the two part. */
START_TEST(a_long_common_way_is_not_written_again)
{
	begin_with(5, 40);
	world_save(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b0", 7);
	world_settle(&w, 2);
	world_wait(&w, 1000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'right' WHERE id = x'ab01'");
	world_settle(&w, 1);
	world_put_back(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b1", 7);
	w.nodes[0].node.failures = 1; /* so that the first push is a small one */
	ck_assert(world_sync(&w, 0));
	world_settle(&w, 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 59);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note WHERE text = 'right'"),
	                 1);
	expect_same();
	expect_quiet();
	/* its seven rows in two units and the last one */
	ck_assert_int_le(world_int(&w.nodes[0], "SELECT n FROM yz_stream ORDER BY id DESC LIMIT 1"),
	                 7 + 3);
}
END_TEST

START_TEST(both_copies_of_a_file_go_on)
{
	int clone;

	begin_with(5, 5);
	clone = world_clone(&w, 0);
	for (int round = 0; round < 2; round++) {
		const char *here = round == 0 ? "b0" : "c0", *there = round == 0 ? "b1" : "c1";

		write_some(&w.nodes[0], here, 20);
		write_some(&w.nodes[clone], there, 20);
		world_settle(&w, 3);
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"),
		                 10 + 40 * (round + 1));
		expect_same();
		expect_quiet();
	}
	ck_assert_int_ne(
	        memcmp(w.nodes[0].node.r.self.epoch, w.nodes[clone].node.r.self.epoch, STORE_EPOCH),
	        0);
	ck_assert_int_eq(told(&w.nodes[0]), SYNC_LIFE_CLONED);
	ck_assert_int_eq(told(&w.nodes[clone]), SYNC_LIFE_CLONED);
	ck_assert_int_eq(told_of(0), SYNC_LIFE_CLONED);
}
END_TEST

/* Both write the same cells in the same milliseconds. */
START_TEST(copies_with_one_frozen_clock_converge)
{
	static const char sql[] = "UPDATE note SET text = text || '%s', top = top + %d;"
	                          "INSERT INTO note(id, facility_id, text, top)"
	                          " VALUES (x'ff', 'F1', '%s', 3)";
	char text[300];
	int clone;

	begin_with(5, 5);
	clone = world_clone(&w, 0);
	snprintf(text, sizeof text, sql, "x", 1, "x");
	world_sql(&w.nodes[0], text);
	snprintf(text, sizeof text, sql, "y", 1, "y");
	world_sql(&w.nodes[clone], text);
	world_settle(&w, 3);
	expect_same();
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 11);
	ck_assert_int_gt(world_int(&w.hub, "SELECT count(*) FROM yz_conflict"), 0);
	ck_assert_int_eq(world_int(&w.nodes[clone], "SELECT count(*) FROM yz_quarantine"), 0);
}
END_TEST

/* With one frozen clock, too, no two of a thousand are one row. */
START_TEST(copies_of_a_file_make_different_ids)
{
	static const char make[] =
	        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
	        " INSERT INTO note(id, facility_id, text) SELECT yz_id(), 'F1', '%s ' || i FROM n";
	char sql[300];
	int clone = world_clone(&w, 0);

	snprintf(sql, sizeof sql, make, "one");
	world_sql(&w.nodes[0], sql);
	snprintf(sql, sizeof sql, make, "other");
	world_sql(&w.nodes[clone], sql);
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 2000);
	expect_same();
	expect_nothing_aside(&w.hub);
}
END_TEST

/* The place where the two part lies within what is one segment now, at the hub and here. */
START_TEST(a_fork_behind_a_roll_up)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };
	struct err err;

	begin_with(5, 0);
	for (int i = 0; i < 12; i++) {
		world_wait(&w, 60000);
		world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES "
		                       "(randomblob(16), 'F1', 'common')");
		ck_assert(world_sync(&w, 0));
		if (i == 5)
			world_save(&w.nodes[0], "snapshot");
	}
	for (int day = 0; day < 3; day++) {
		world_wait(&w, 86400000);
		ck_assert_int_ge(node_step(&w.hub.node, &tick, &fx, &err), 0);
		node_effects_clear(&fx);
	}
	/* all of a day in one segment at the hub */
	ck_assert_int_le(world_int(&w.hub, "SELECT count(*) FROM yz_segment g JOIN yz_stream s ON "
	                                   "s.id = g.stream WHERE s.n > 20"),
	                 2);
	world_put_back(&w.nodes[0], "snapshot");
	world_sql(&w.nodes[0], "UPDATE note SET text = 'after' WHERE id = x'aa01'");
	write_some(&w.nodes[0], "c0", 7);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 5 + 12 + 7);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE text = 'after'"),
	                 1);
	expect_same();
	expect_quiet();
}
END_TEST

/* What was wrong in the snapshot was put right elsewhere since. */
START_TEST(a_later_correction_stands)
{
	begin_with(5, 0);
	w.nodes[0].up = false;
	world_sql(&w.nodes[0], "UPDATE note SET text = 'wrong', top = 50 WHERE id = x'aa01'");
	world_sql(&w.nodes[0], "UPDATE note SET rank = 1 WHERE id = x'aa02'");
	world_sync(&w, 0);
	world_save(&w.nodes[0], "snapshot");
	w.nodes[0].up = true;
	write_some(&w.nodes[0], "b0", 4);
	ck_assert(world_sync(&w, 0));
	world_settle(&w, 1);
	world_wait(&w, 60000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'right', top = 60 WHERE id = x'aa01'");
	world_sql(&w.nodes[1], "DELETE FROM note WHERE id = x'aa02'");
	world_settle(&w, 1);
	world_put_back(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b1", 4);
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 1));
	expect_same();
	expect_quiet();
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'right' AND "
	                                   "top = 60"),
	                 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id = x'aa02'"), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 12);
}
END_TEST

/* The snapshot was taken before the wrong value was sealed: each branch says it in a record of its
 * own, and whoever put it right has seen the one only. */
START_TEST(a_correction_of_what_both_branches_say_is_no_conflict)
{
	begin_with(5, 0);
	world_wait(&w, 1000);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'wrong' WHERE id = x'aa01'");
	world_sql(&w.nodes[0], "DELETE FROM note WHERE id = x'aa02'");
	world_save(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b0", 4);
	world_settle(&w, 2);
	world_wait(&w, 60000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'right' WHERE id = x'aa01'");
	world_sql(&w.nodes[1],
	          "INSERT INTO note(id, facility_id, text) VALUES (x'aa02', 'F1', 'anew')");
	world_settle(&w, 1);
	world_put_back(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b1", 4);
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 1));
	expect_same();
	expect_quiet();
	ck_assert_int_eq(
	        world_int(&w.hub, "SELECT count(*) FROM note WHERE text IN ('right', 'anew')"), 2);
}
END_TEST

/* What was lost and what is written again are of one site, and wrote one cell: a person decides. */
START_TEST(two_branches_that_wrote_one_cell_are_a_conflict)
{
	begin_with(5, 0);
	world_save(&w.nodes[0], "snapshot");
	world_sql(&w.nodes[0], "UPDATE note SET text = 'one' WHERE id = x'aa01'");
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "snapshot");
	world_wait(&w, 1000);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'other' WHERE id = x'aa01'");
	world_settle(&w, 2);
	expect_same();
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'other'"), 1);
	expect_conflicts_of_hub(&w.nodes[0]);
	expect_conflicts_of_hub(&w.nodes[1]);
}
END_TEST

/* A conflict that was found before is known by the same id after. */
START_TEST(conflicts_follow_what_is_written_again)
{
	begin_with(5, 0);
	world_save(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b0", 3);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "snapshot");
	world_sql(&w.nodes[0], "UPDATE note SET text = 'here' WHERE id = x'aa03'");
	w.nodes[0].up = false;
	world_sync(&w, 0);
	w.nodes[0].up = true;
	world_wait(&w, 1000);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'there' WHERE id = x'aa03'");
	world_settle(&w, 3);
	expect_same();
	expect_conflicts_of_hub(&w.nodes[0]);
}
END_TEST

/* The reply to what was written again is lost, then its receipt with a second snapshot. */
START_TEST(a_re_mint_that_is_interrupted_is_made_up_for)
{
	begin_with(5, 5);
	world_save(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b0", 20);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "snapshot");
	write_some(&w.nodes[0], "b1", 20);
	world_save(&w.nodes[0], "second");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "second");
	write_some(&w.nodes[0], "b2", 4);
	ck_assert(world_sync(&w, 0));
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 54);
	expect_same();
	expect_quiet();
}
END_TEST

/* The same life of a hub has less than it had acknowledged. */
START_TEST(a_hub_put_back_with_its_life_gets_the_rest_again)
{
	struct sync_life_told out;
	struct err err;

	begin_with(5, 0);
	world_save(&w.hub, "hub");
	write_some(&w.nodes[0], "b0", 20);
	world_settle(&w, 2);
	world_put_back(&w.hub, "hub");
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 5);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 25);
	expect_same();
	ck_assert_int_eq(sync_life_tell(w.nodes[0].merge, w.wall_ms, &out, &err), 0);
	ck_assert(out.hub_went_back);
	ck_assert_int_eq(lives(&w.nodes[0]), 1);
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_RESTORED);
}
END_TEST

/* It wrote nothing itself, so it is its nodes' receipts that tell it; one that comes late tells it
 * nothing new. */
START_TEST(a_hub_learns_from_its_nodes_that_it_was_put_back)
{
	struct node_met met;

	begin_with(5, 0);
	starts_as_a_copy(&w.hub); /* carried to another machine */
	world_settle(&w, 2);
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_QUIET);
	world_save(&w.hub, "hub");
	write_some(&w.nodes[0], "b0", 20);
	world_settle(&w, 2);
	world_put_back(&w.hub, "hub");
	if (_i == 1)
		starts_as_a_copy(&w.hub);
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_QUIET);
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_int_ge(met.round_trips, 2); /* how the node stands goes up after it saw that */
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_RESTORED);
	for (int i = 0; i < 20; i++)
		ck_assert(world_sync(&w, 0));
	world_wait(&w, SYNC_LIFE_TOLD_MS);
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_QUIET);
	ck_assert(world_sync(&w, 1));
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_QUIET);
	world_settle(&w, 2);
	expect_same();
	expect_quiet();
}
END_TEST

/* A node that lies about its receipts: it can neither use the numbers up nor end a life. */
START_TEST(no_node_uses_up_the_receipts)
{
	uint8_t life[STORE_EPOCH];

	begin_with(5, 0);
	memcpy(life, w.hub.node.r.self.epoch, STORE_EPOCH);
	world_sql(&w.nodes[0], "UPDATE yz_remote SET counter = 9000000000000000000");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_lt(world_int(&w.hub, "SELECT value FROM yz_meta WHERE name = 'receipts'"),
	                 100);
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_QUIET);
	world_sql(&w.nodes[0], "UPDATE yz_remote SET counter = 1000000");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_RESTORED);
	ck_assert(memcmp(life, w.hub.node.r.self.epoch, STORE_EPOCH) == 0);
}
END_TEST

/*
 * Hub and node are put back together, and both go on; a third one holds what was given up.  Its
 * records come back to everybody by it.
 */
START_TEST(what_only_a_third_one_holds_comes_back)
{
	static const int counts[][3] = { { 5, 20, 3 }, { 5, 3, 20 }, { 0, 7, 7 }, { 40, 1, 1 } };
	const int *count = counts[_i];

	write_some(&w.nodes[0], "aa", count[0]);
	write_some(&w.nodes[1], "ac", 2);
	world_settle(&w, 2);
	world_save(&w.hub, "hub");
	world_save(&w.nodes[0], "node");
	write_some(&w.nodes[0], "b0", count[1]);
	world_sql(&w.nodes[0], "UPDATE note SET rank = 77 WHERE id = x'ac00'");
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 1));
	world_put_back(&w.hub, "hub");
	world_put_back(&w.nodes[0], "node");
	world_wait(&w, 60000);
	write_some(&w.nodes[0], "b1", count[2]);
	ck_assert(world_sync(&w, 0));
	world_wait(&w, 1000);
	write_some(&w.nodes[1], "c0", 2);
	ck_assert(world_sync(&w, 1));
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"),
	                 count[0] + count[1] + count[2] + 4);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note WHERE rank = 77"), 1);
	expect_same();
	expect_quiet();
	write_some(&w.nodes[0], "d0", 2);
	world_settle(&w, 2);
	expect_same();
}
END_TEST

/* A row of the other table each, which a stream then names first. */
static void
write_days(struct world_peer *p, int from, int count)
{
	char sql[120];

	for (int i = 0; i < count; i++) {
		world_wait(&w, 1000);
		snprintf(sql, sizeof sql, "INSERT INTO daily VALUES ('c', %d, 'F1', 'x', 1)",
		         from + i);
		world_sql(p, sql);
		seal(p);
	}
}

/* A copy of the file goes on, and each of the two says its first number of another table. */
START_TEST(branches_that_call_other_tables_alike_are_a_fork)
{
	struct node_met met;

	write_some(&w.nodes[1], "ac", 2);
	world_settle(&w, 2);
	world_save(&w.nodes[0], "node");
	write_some(&w.nodes[0], "b0", 4);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "node");
	world_wait(&w, 60000);
	write_days(&w.nodes[0], 1, 3);
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_uint_eq(met.rejected_count, 0);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM daily"), 3);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM note"), 6);
	expect_same();
	expect_quiet();
}
END_TEST

/* The same with a third one that holds the branch that was given up. */
static void
part_in_names(void)
{
	write_some(&w.nodes[1], "ac", 2);
	world_settle(&w, 2);
	world_save(&w.hub, "hub");
	world_save(&w.nodes[0], "node");
	write_some(&w.nodes[0], "b0", 4);
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 1));
	world_put_back(&w.hub, "hub");
	world_put_back(&w.nodes[0], "node");
	world_wait(&w, 60000);
	write_days(&w.nodes[0], 1, 3);
	ck_assert(world_sync(&w, 0));
	world_wait(&w, 1000);
}

START_TEST(a_third_one_has_other_tables_under_the_same_names)
{
	part_in_names();
	ck_assert(world_sync(&w, 1));
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 6);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM daily"), 3);
	expect_same();
	expect_quiet();
}
END_TEST

static bool
may_not_write(void *ctx, const struct store_site *site, const char *scope)
{
	(void)ctx;
	(void)scope;
	return memcmp(site->node, w.nodes[1].node.r.self.node, STORE_NODE_ID) != 0;
}

/* It lets go of that branch, and of what that called its tables. */
START_TEST(who_may_only_read_takes_the_hubs_branch)
{
	struct node_met met;

	part_in_names();
	w.nodes[1].node.r.may_write = may_not_write;
	w.spoiled = true; /* what was given up stays in its rows */
	world_meet(&w, 1, &met);
	ck_assert(met.ok);
	ck_assert_uint_eq(met.rejected_count, 0);
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM daily"), 3);
}
END_TEST

/* What a hub wrote itself in two lives, of which a node has the one. */
START_TEST(branches_of_a_hub_call_other_tables_alike)
{
	world_settle(&w, 2);
	world_save(&w.hub, "hub");
	write_some(&w.hub, "c1", 6);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.hub, "hub");
	world_wait(&w, 60000);
	write_days(&w.hub, 1, 8);
	ck_assert(world_sync(&w, 1));
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 6);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM daily"), 8);
	expect_same();
	expect_quiet();
}
END_TEST

/* No branch of another file's: the stream itself says it twice. */
START_TEST(a_stream_that_names_two_tables_alike_is_refused)
{
	struct node_met met;
	struct err err;

	write_some(&w.nodes[0], "aa", 1);
	ck_assert(world_sync(&w, 0));
	/* as if it had called this table so before */
	ck_assert_int_eq(store_db_exec(w.hub.merge,
	                               "INSERT INTO yz_stream_schema(stream, no, schema)"
	                               " SELECT stream, 2, schema FROM yz_stream_schema",
	                               &err),
	                 0);
	write_days(&w.nodes[0], 1, 1);
	world_meet(&w, 0, &met);
	ck_assert_uint_eq(met.rejected_count, 1);
	ck_assert_str_eq(met.rejected[0].reason, "it defines a schema of its stream twice");
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM daily"), 0);
}
END_TEST

/* So many records that a reply doesn't bring them all, in units of some 350 KB. */
static void
write_much(struct world_peer *p, int units)
{
	char sql[200];

	for (int i = 0; i < units; i++) {
		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, text) VALUES (x'ee%02x', 'F1', "
		         "hex(randomblob(350000)))",
		         (unsigned)i);
		world_sql(p, sql);
		seal(p);
	}
}

/* Hub and node are put back together, so that the third one holds a branch of its own.  The two
 * part `before` units behind the beginning, `after` before the end of what the third holds. */
static void
part_behind_much(int before, int after)
{
	write_much(&w.nodes[0], before);
	for (int i = 0; i < 4; i++) { /* a message takes 3 MB */
		ck_assert(world_sync(&w, 0));
		ck_assert(world_sync(&w, 1));
	}
	world_save(&w.hub, "hub");
	world_save(&w.nodes[0], "node");
	write_some(&w.nodes[0], "b0", after);
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 1));
	world_put_back(&w.hub, "hub");
	world_put_back(&w.nodes[0], "node");
	world_wait(&w, 60000);
	write_some(&w.nodes[0], "b1", 3);
	ck_assert(world_sync(&w, 0));
	world_wait(&w, 1000);
}

/* Whatever place is tried, the hub's next records from there on are known; none of them shows where
 * the two part. */
START_TEST(a_branch_that_parts_behind_much_is_found)
{
	static const int before[] = { 30, 30, 45 };
	static const int after[] = { 3, 60, 1 };

	part_behind_much(before[_i], after[_i]);
	ck_assert(world_sync(&w, 1));
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"),
	                 before[_i] + after[_i] + 3);
	expect_same();
	expect_quiet();
}
END_TEST

/* What a hub wrote itself, and lost, its nodes have. */
static void
lose_and_regain(int acked, const char *since)
{
	struct sync_life_told out;
	struct err err;

	begin_with(acked, 0);
	write_some(&w.hub, "c0", 3);
	world_settle(&w, 2);
	world_save(&w.hub, "hub");
	write_some(&w.hub, "c1", 20);
	write_some(&w.nodes[0], "b0", 20);
	world_settle(&w, 2);
	world_put_back(&w.hub, "hub");
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text LIKE 'c1%'"), 0);
	if (since != NULL)
		write_some(&w.hub, since, 20);
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text LIKE 'c1%'"), 20);
	expect_same();
	expect_quiet();
	ck_assert_int_eq(lives(&w.hub), 2);
	ck_assert_int_eq(told(&w.hub), SYNC_LIFE_RESTORED);
	ck_assert_int_eq(sync_life_tell(w.nodes[0].merge, w.wall_ms, &out, &err), 0);
	ck_assert(out.hub_went_back);
}

START_TEST(a_hub_put_back_gets_its_own_from_its_nodes)
{
	lose_and_regain(5, NULL);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 48);
}
END_TEST

START_TEST(a_hub_put_back_that_went_on_has_both_branches)
{
	lose_and_regain(5, "c2");
	ck_assert_int_eq(world_int(&w.nodes[1], "SELECT count(*) FROM note WHERE text LIKE 'c2%'"),
	                 20);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 68);
}
END_TEST

/* One node met it before, one after it was put back; they hold branches of one stream. */
START_TEST(nodes_with_two_branches_of_a_hub_converge)
{
	begin_with(5, 0);
	write_some(&w.hub, "c0", 3);
	world_settle(&w, 2);
	world_save(&w.hub, "hub");
	write_some(&w.hub, "c1", 20);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.hub, "hub");
	write_some(&w.hub, "c2", 25);
	ck_assert(world_sync(&w, 1));
	world_settle(&w, 4);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 53);
	expect_same();
	expect_quiet();
	ck_assert_int_eq(lives(&w.hub), 2);
}
END_TEST

static void
expect_hub_notes(const char *mark, int64_t count)
{
	char sql[100];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM note WHERE text LIKE '%s %%'", mark);
	ck_assert_int_eq(world_int(&w.hub, sql), count);
}

START_TEST(a_hub_put_back_twice_has_all_three_branches)
{
	begin_with(5, 0);
	write_some(&w.hub, "c0", 3);
	world_settle(&w, 2);
	world_save(&w.hub, "hub");
	write_some(&w.hub, "c1", 20);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.hub, "hub");
	write_some(&w.hub, "c2", 25);
	ck_assert(world_sync(&w, 1));
	world_put_back(&w.hub, "hub");
	write_some(&w.hub, "c3", 7);
	world_settle(&w, 6);
	expect_hub_notes("c1", 20);
	expect_hub_notes("c2", 25);
	expect_hub_notes("c3", 7);
	expect_same();
	expect_quiet();
}
END_TEST

#define REMEMBERED                                                                                 \
	"SELECT count(*) FROM yz_meta WHERE name LIKE 'lent %' AND"                                \
	" length(value) > 0"

static int64_t common; /* records of the hub's stream */

/* A hub that was put back and went on, after very much that both have. */
static void
put_back_behind_much(void)
{
	char sql[200];

	begin_with(5, 0);
	for (unsigned i = 0; i < 120; i++) {
		world_wait(&w, 1000);
		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, text) VALUES (x'f0%02x', 'F1', "
		         "hex(randomblob(200)))",
		         i);
		world_sql(&w.hub, sql);
		if (i % 10 == 0) { /* a segment each, here too */
			seal(&w.hub);
			ck_assert(world_sync(&w, 0));
		}
	}
	world_settle(&w, 2);
	common = world_int(&w.hub, "SELECT max(n) FROM yz_stream");
	world_save(&w.hub, "hub");
	write_some(&w.hub, "c1", 20);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.hub, "hub");
	write_some(&w.hub, "c2", 10);
}

/* More than one push holds: the lending goes on where it was. */
START_TEST(a_long_branch_is_lent_little_by_little)
{
	put_back_behind_much();
	w.nodes[0].node.stalls = NODE_STALLS;
	ck_assert(world_sync(&w, 0));
	expect_hub_notes("c1", 20);
	world_settle(&w, 3);
	expect_same();
	expect_quiet();
}
END_TEST

/* No meeting lasts until it is through: the next goes on where that one was. */
START_TEST(a_long_branch_is_lent_over_many_meetings)
{
	int meetings = 0;

	put_back_behind_much();
	while (lives(&w.hub) == 1 && meetings++ < 30) {
		w.nodes[0].node.stalls = NODE_STALLS;
		w.lose_reply = 3;
		ck_assert(!world_sync(&w, 0));
		if (meetings == 3) { /* the node is started again */
			w.nodes[0].up = false;
			world_sync(&w, 0);
			w.nodes[0].up = true;
		}
	}
	w.lose_reply = 0;
	ck_assert_int_gt(meetings, 3); /* or it tells nothing */
	ck_assert_int_lt(meetings, 30);
	world_settle(&w, 3);
	expect_hub_notes("c1", 20);
	world_settle(&w, 3);
	expect_same();
	expect_quiet();
}
END_TEST

/* It was put back once more: how far the lending to its life before had come is nothing to this
 * one.
 */
START_TEST(what_was_lent_to_another_branch_is_no_place_to_go_on_from)
{
	char sql[200];
	struct err err;

	put_back_behind_much();
	for (int i = 0; i < 3; i++) {
		w.nodes[0].node.stalls = NODE_STALLS;
		w.lose_reply = 3;
		ck_assert(!world_sync(&w, 0));
	}
	ck_assert_int_eq(world_int(&w.nodes[0], REMEMBERED), 1);
	w.lose_reply = 0;
	/* as if it had gone on to a place that this hub's records don't lead to */
	snprintf(sql, sizeof sql,
	         "UPDATE yz_meta SET value = CAST(substr(value, 1, 16) || x'%016llx' AS BLOB)"
	         " WHERE name LIKE 'lent %%'",
	         (unsigned long long)common + 3);
	ck_assert_int_eq(store_db_exec(w.nodes[0].merge, sql, &err), 0);
	ck_assert(world_sync(&w, 0));
	world_settle(&w, 3);
	expect_hub_notes("c1", 20);
	expect_same();
	expect_quiet();
}
END_TEST

/* What a second machine wrote and will never send again. */
START_TEST(what_a_lost_node_had_sent_comes_back_from_its_sister)
{
	begin_with(5, 0);
	world_save(&w.hub, "hub");
	write_some(&w.nodes[1], "b1", 20);
	world_settle(&w, 2);
	world_put_back(&w.hub, "hub");
	w.nodes[1].up = false;
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 25);
	expect_same_as_hub(&w.nodes[0]);
	expect_level(0);
	ck_assert_int_eq(lives(&w.hub), 1);
}
END_TEST

/* What the hub refuses, it refuses again: a node that goes on asking would keep the line, and the
 * hub, for nothing. */
START_TEST(a_meeting_that_moves_nothing_ends)
{
	struct world_peer *p = &w.nodes[0];
	struct node_met met;
	struct err err;

	write_some(p, "d0", 1);
	ck_assert(world_sync(&w, 0));
	for (int i = 0; i < 6; i++) {
		char sql[200];

		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, text) VALUES (x'd1%02x', 'F1', "
		         "hex(randomblob(4000)))",
		         (unsigned)i);
		world_wait(&w, NODE_HOUSE_MS); /* it signs when it keeps house */
		world_sql(p, sql);
		seal(p);
	}
	ck_assert_int_eq(store_db_exec(p->merge,
	                               "UPDATE yz_segment SET signature = zeroblob(64)"
	                               " WHERE signature IS NOT NULL",
	                               &err),
	                 0);
	p->node.stalls = NODE_STALLS; /* little by little: there is more than one push */
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_uint_ge(met.rejected_count, 1);
	ck_assert_int_le(met.round_trips, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE hex(id) LIKE 'D1%'"),
	                 0);
}
END_TEST

Suite *
suite_sync_remint(void)
{
	Suite *s = suite_create("sync/remint");
	TCase *tc = tcase_create("remint");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_snapshot_put_back_loses_nothing);
	tcase_add_test(tc, a_snapshot_put_back_and_left_alone_gets_the_rest);
	tcase_add_test(tc, a_copy_is_called_restored_once_it_shows);
	tcase_add_test(tc, a_snapshot_of_a_life_without_records_gets_them);
	tcase_add_loop_test(tc, a_fork_is_found_wherever_it_is, 0, 4);
	tcase_add_test(tc, a_fork_from_the_first_record_on);
	tcase_add_test(tc, a_long_common_way_is_not_written_again);
	tcase_add_test(tc, both_copies_of_a_file_go_on);
	tcase_add_test(tc, copies_with_one_frozen_clock_converge);
	tcase_add_test(tc, copies_of_a_file_make_different_ids);
	tcase_add_test(tc, a_fork_behind_a_roll_up);
	tcase_add_test(tc, a_later_correction_stands);
	tcase_add_test(tc, a_correction_of_what_both_branches_say_is_no_conflict);
	tcase_add_test(tc, two_branches_that_wrote_one_cell_are_a_conflict);
	tcase_add_test(tc, conflicts_follow_what_is_written_again);
	tcase_add_test(tc, a_re_mint_that_is_interrupted_is_made_up_for);
	tcase_add_test(tc, a_hub_put_back_with_its_life_gets_the_rest_again);
	tcase_add_loop_test(tc, a_hub_learns_from_its_nodes_that_it_was_put_back, 0, 2);
	tcase_add_test(tc, no_node_uses_up_the_receipts);
	tcase_add_loop_test(tc, what_only_a_third_one_holds_comes_back, 0, 4);
	tcase_add_test(tc, branches_that_call_other_tables_alike_are_a_fork);
	tcase_add_test(tc, a_third_one_has_other_tables_under_the_same_names);
	tcase_add_test(tc, who_may_only_read_takes_the_hubs_branch);
	tcase_add_test(tc, a_stream_that_names_two_tables_alike_is_refused);
	tcase_add_test(tc, branches_of_a_hub_call_other_tables_alike);
	tcase_add_loop_test(tc, a_branch_that_parts_behind_much_is_found, 0, 3);
	tcase_add_test(tc, a_hub_put_back_gets_its_own_from_its_nodes);
	tcase_add_test(tc, a_hub_put_back_that_went_on_has_both_branches);
	tcase_add_test(tc, nodes_with_two_branches_of_a_hub_converge);
	tcase_add_test(tc, a_hub_put_back_twice_has_all_three_branches);
	tcase_add_test(tc, a_long_branch_is_lent_little_by_little);
	tcase_add_test(tc, a_long_branch_is_lent_over_many_meetings);
	tcase_add_test(tc, what_was_lent_to_another_branch_is_no_place_to_go_on_from);
	tcase_add_test(tc, what_a_lost_node_had_sent_comes_back_from_its_sister);
	tcase_add_test(tc, a_meeting_that_moves_nothing_ends);
	suite_add_tcase(s, tc);
	return s;
}

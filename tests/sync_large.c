/*
 * tests/sync_large.c - what asks for too much at once: rows that are too large to
 * be held together, segments that take too much looking to be placed.
 */
#include "sync/exchange/outgoing.h"
#include "sync/look.h"
#include "sync/seal/seal.h"
#include "tests/parcels.h"
#include "tests/suites.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F2", NULL };

static struct world w;
static struct world_peer fresh;
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
open_world(void)
{
	world_open(&w, 17, facilities);
	world_open_fresh(&w, &fresh, "fresh");
}

static void
close_world(void)
{
	world_close_fresh(&fresh);
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

/* ---- looking ---- */

static void
write_and_seal(struct world_peer *p, const char *sql)
{
	struct sync_sealed sealed;

	world_sql(p, sql);
	world_wait(&w, 1000);
	must(store_db_begin(p->merge, &err));
	must(sync_seal(&p->node.r, &sealed, &err));
	must(sync_seal_sign(&p->node.r, &p->key, &err));
	must(store_db_commit(p->merge, &err));
}

/* What the only stream of a node has after `n`, given to `fresh` with so much looking left; what
 * became of it, and what is left then. */
static struct sync_ingested
give(struct world_peer *p, uint64_t n, int64_t *left)
{
	struct sync_ingest_from from = { .scope = "f/F1", .n = n };
	struct store_stream *list;
	struct sync_ingested got;
	struct arena a = { 0 };
	struct buf out = { 0 };
	size_t count, len;
	const uint8_t *at;
	struct rd r, bytes;
	uint64_t to;

	memcpy(from.site.node, p->node.r.self.node, STORE_NODE_ID);
	memcpy(from.site.epoch, p->node.r.self.epoch, STORE_EPOCH);
	must(store_stream_list(p->merge, 0, &a, &list, &count, &err));
	ck_assert_uint_eq(count, 1);
	must(sync_outgoing_next(p->merge, &list[0], n, &out, &to, &err));
	r = rd_from(out.bytes, out.len);
	at = rd_lenbytes(&r, &len);
	bytes = rd_from(at, len);
	must(sync_ingest_begin(&fresh.node.r, &err));
	ck_assert_int_eq(fresh.node.r.look_left, SYNC_LOOK_MAX);
	if (*left >= 0)
		fresh.node.r.look_left = *left;
	must(sync_ingest_short(&fresh.node.r, &from, &bytes, &got, &err));
	*left = fresh.node.r.look_left;
	must(sync_ingest_end(&fresh.node.r, &err));
	arena_free(&a);
	buf_free(&out);
	return got;
}

static const char twenty_rows[] =
        "INSERT INTO note(id, facility_id, text) WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
        "FROM n WHERE i < 20) SELECT randomblob(16), 'F1', 'one' FROM n";

START_TEST(what_takes_too_much_looking_is_left_for_the_next_meeting)
{
	struct world_peer *p = &w.nodes[0];
	int64_t left = 0;
	uint64_t n;

	write_and_seal(p, twenty_rows);
	/* at the end of what is there nothing has to be looked at */
	ck_assert_int_eq(give(p, 0, &left).outcome, SYNC_STORED);
	n = (uint64_t)world_int(&fresh, "SELECT sum(n) FROM yz_stream");
	ck_assert_uint_gt(n, 20);
	write_and_seal(p, "UPDATE note SET rank = 5");
	left = 0;
	ck_assert_int_eq(give(p, n - 3, &left).outcome, SYNC_LATER);
	ck_assert_int_eq(world_int(&fresh, "SELECT sum(n) FROM yz_stream"), (int64_t)n);
	left = -1;
	ck_assert_int_eq(give(p, n - 3, &left).outcome, SYNC_STORED);
	/* the one that was opened cost as much as it holds */
	ck_assert_int_le(left, SYNC_LOOK_MAX - (int64_t)n);
	ck_assert_int_gt(left, SYNC_LOOK_MAX - 100);
	/* known, if it may be looked at */
	left = 0;
	ck_assert_int_eq(give(p, n - 3, &left).outcome, SYNC_LATER);
	left = -1;
	ck_assert_int_eq(give(p, n - 3, &left).outcome, SYNC_KNOWN);
}
END_TEST

START_TEST(a_fork_is_placed_as_far_as_looking_goes)
{
	struct world_peer *p = &w.nodes[0];
	int64_t left = -1;
	struct sync_ingested got;
	uint64_t common;
	int twin;

	write_and_seal(p, twenty_rows);
	twin = world_clone(&w, 0);
	common = (uint64_t)world_int(p, "SELECT sum(n) FROM yz_stream");
	write_and_seal(p, twenty_rows);
	ck_assert_int_eq(give(p, 0, &left).outcome, SYNC_STORED);
	write_and_seal(&w.nodes[twin], twenty_rows);
	left = -1;
	got = give(&w.nodes[twin], 0, &left);
	ck_assert_int_eq(got.outcome, SYNC_FORK);
	ck_assert_uint_eq(got.n, common);
	/* its end is ours too, by number, so no look is needed to see that it isn't the same */
	left = 0;
	got = give(&w.nodes[twin], 0, &left);
	ck_assert_int_eq(got.outcome, SYNC_FORK);
	ck_assert_uint_lt(got.n, common);
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
	tcase_add_test(tc, what_takes_too_much_looking_is_left_for_the_next_meeting);
	tcase_add_test(tc, a_fork_is_placed_as_far_as_looking_goes);
	suite_add_tcase(suite, tc);
	return suite;
}

/*
 * tests/sync_rotate.c - a node signs with another key from now on: what waits goes up under it,
 * what the hub has stays as it is signed, and nothing that anybody wrote since is undone.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "node/rotation.h"
#include "store/inbox.h"
#include "store/stmt.h"
#include "sync/exchange/exchange.h"
#include "sync/merge/ingest.h"
#include "sync/seal/rotate.h"
#include "sync/seal/seal.h"
#include "sync/verify.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const two_nodes[] = { "F1", "F1", NULL };

static struct world w;

#define ALL_NOTES "SELECT id, facility_id, text, rank, top, a, b FROM note ORDER BY id"

static void
open_world(void)
{
	world_open(&w, 23, two_nodes);
}

static void
close_world(void)
{
	world_close(&w);
}

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
	}
}

/* Nobody has come to the hub: the records are sealed and signed, and wait. */
static void
try_to_meet(int i)
{
	w.nodes[i].up = false;
	ck_assert(!world_sync(&w, i));
	w.nodes[i].up = true;
}

static void
tell(void *ctx, const struct sync_verify_problem *problem)
{
	(void)ctx;
	ck_abort_msg("%s: %s", problem->where, problem->what);
}

static void
expect_proven(struct world_peer *p)
{
	struct sync_verify v = { .tell = tell };
	struct err err;

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(sync_verify_streams(p->merge, &v, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
}

/* Node `i` has the rows `want`, nothing that needs a person, and meets the hub without a remark. */
static void
expect_node(int i, const char *want)
{
	char *got = world_dump(&w.nodes[i], ALL_NOTES), digest[33], hubs[33];
	struct node_met met;

	world_meet(&w, i, &met);
	ck_assert_msg(met.ok, "%s", met.words);
	ck_assert_uint_eq(met.rejected_count, 0);
	ck_assert_str_eq(got, want);
	ck_assert_str_eq(world_digest(&w.nodes[i], "f/F1", digest),
	                 world_digest(&w.hub, "f/F1", hubs));
	ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_quarantine"), 0);
	ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_conflict"), 0);
	expect_proven(&w.nodes[i]);
	free(got);
}

static void
expect_same(void)
{
	char *want = world_dump(&w.hub, ALL_NOTES);

	for (int i = 0; i < w.node_count; i++)
		expect_node(i, want);
	expect_proven(&w.hub);
	free(want);
}

/* Keys that have signed what the hub has of node `i`. */
static int64_t
keys_at_hub(void)
{
	return world_int(&w.hub,
	                 "SELECT count(DISTINCT g.key) FROM yz_segment g JOIN yz_stream s ON "
	                 "s.id = g.stream JOIN yz_site t ON t.id = s.site JOIN yz_site f ON "
	                 "f.node = t.node WHERE f.key IS NOT NULL");
}

START_TEST(what_waits_goes_up_under_the_new_key)
{
	write_some(&w.nodes[0], "aa", 5);
	world_settle(&w, 2);
	for (int round = 0; round < 2; round++) {
		write_some(&w.nodes[0], round == 0 ? "b0" : "c0", 20);
		write_some(&w.nodes[1], round == 0 ? "b1" : "c1", 20);
		try_to_meet(0);
		world_rotate(&w, 0);
		world_settle(&w, 2);
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"),
		                 5 + 40 * (round + 1));
		expect_same();
		ck_assert_int_eq(keys_at_hub(), 2 + round);
	}
}
END_TEST

START_TEST(twice_in_a_row_without_a_line)
{
	write_some(&w.nodes[0], "aa", 5);
	world_settle(&w, 2);
	write_some(&w.nodes[0], "b0", 10);
	try_to_meet(0);
	world_rotate(&w, 0);
	write_some(&w.nodes[0], "b1", 10);
	try_to_meet(0);
	world_rotate(&w, 0);
	write_some(&w.nodes[1], "b2", 20);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 45);
	expect_same();
	/* what the key between them had signed was never sent, and is signed by the last */
	ck_assert_int_eq(keys_at_hub(), 2);
}
END_TEST

START_TEST(a_later_correction_stands)
{
	write_some(&w.nodes[0], "aa", 3);
	world_settle(&w, 2);
	w.lose_reply = 1; /* the hub has it, and we don't hear so */
	world_sql(&w.nodes[0], "UPDATE note SET text = 'first', top = 50 WHERE id = x'aa01'");
	ck_assert(!world_sync(&w, 0));
	ck_assert(world_sync(&w, 1));
	world_sql(&w.nodes[1], "UPDATE note SET text = 'corrected' WHERE id = x'aa01'");
	world_sql(&w.nodes[1], "DELETE FROM note WHERE id = x'aa02'");
	ck_assert(world_sync(&w, 1));
	world_rotate(&w, 0);
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE text = 'corrected' AND "
	                                   "top = 50"),
	                 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 2);
	expect_same();
}
END_TEST

/* Rows, in the file of before a rotation, that wait: nobody can sign them with the old key. */
START_TEST(an_older_file_goes_on_under_the_new_key)
{
	write_some(&w.nodes[0], "aa", 5);
	world_settle(&w, 2);
	write_some(&w.nodes[0], "ab", 5);
	try_to_meet(0);
	world_save(&w.nodes[0], "before");
	write_some(&w.nodes[0], "b0", 20);
	ck_assert(world_sync(&w, 0));
	world_rotate(&w, 0);
	write_some(&w.nodes[0], "b1", 5);
	ck_assert(world_sync(&w, 0));
	world_put_back(&w.nodes[0], "before");
	world_sql(&w.nodes[0], "INSERT INTO note(id, facility_id, text) VALUES (x'0c', 'F1', 'c')");
	world_settle_key(&w, 0);
	write_some(&w.nodes[0], "c0", 20);
	world_settle(&w, 3);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 56);
	expect_same();
}
END_TEST

static uint64_t
until_three(void *ctx, const struct store_site *site, const char *scope)
{
	struct world_peer *p = ctx;

	(void)scope;
	return memcmp(site->node, p->node.r.self.node, STORE_NODE_ID) == 0 ? UINT64_MAX : 3;
}

/* Whoever has the key isn't let in by a hub (node/rights); this is what else comes. */
START_TEST(what_comes_later_under_an_old_key_is_kept_aside)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };
	struct err err;

	w.hub.node.r.key_until = until_three;
	write_some(&w.nodes[0], "aa", 2); /* an opening and two changes */
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
	w.spoiled = true; /* the node has rows that the hub has not */
	write_some(&w.nodes[0], "ab", 2);
	world_sync(&w, 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine WHERE reason LIKE "
	                                   "'%key that signs it was replaced%'"),
	                 1);
	/* a person who asks for it by name lets it in; whatever else is tried again, it isn't */
	for (int i = 0; i < 2; i++) {
		int64_t id = world_int(&w.hub, "SELECT id FROM yz_quarantine");

		ck_assert_int_eq(store_quarantine_wake(w.hub.merge,
		                                       i == 0 ? STORE_QUARANTINE_ALL : id, &err),
		                 0);
		world_sql(&w.hub, "UPDATE note SET a = ifnull(a, 0) + 1");
		world_wait(&w, 3600000);
		ck_assert_int_eq(node_step(&w.hub.node, &tick, &fx, &err), 0);
		node_effects_clear(&fx);
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 1 - i);
		ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), i == 0 ? 2 : 4);
	}
}
END_TEST

/* ---- documents ---- */

static struct sync_key
key_no(uint8_t n)
{
	uint8_t seed[SYNC_SEED_KEY] = { n };
	struct sync_key key;

	sync_key_from_seed(&key, seed);
	return key;
}

static void
write_doc(struct buf *out, uint8_t from, uint8_t to)
{
	struct sync_key old_key = key_no(from), new_key = key_no(to);
	struct rotation doc = { .at_ms = 1772400000000, .count = 2 };

	sync_node_id(doc.node, old_key.public_key);
	memset(doc.streams[0].epoch, 1, STORE_EPOCH);
	snprintf(doc.streams[0].scope, sizeof doc.streams[0].scope, "f/F1");
	doc.streams[0].n = 300;
	memset(doc.streams[1].epoch, 2, STORE_EPOCH);
	snprintf(doc.streams[1].scope, sizeof doc.streams[1].scope, "f/F1");
	rotation_write(out, &doc, &old_key, &new_key);
}

START_TEST(a_document_reads_back_and_every_change_is_refused)
{
	struct sync_key new_key = key_no(2);
	struct rotation doc;
	struct buf bytes = { 0 };
	struct err err;

	write_doc(&bytes, 1, 2);
	ck_assert_int_eq(rotation_read(bytes.bytes, bytes.len, &doc, &err), 0);
	ck_assert_mem_eq(doc.new_key, new_key.public_key, SYNC_PUBLIC_KEY);
	ck_assert_uint_eq(doc.count, 2);
	ck_assert_str_eq(doc.streams[0].scope, "f/F1");
	ck_assert_uint_eq(doc.streams[0].n, 300);
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.bytes[i] ^= 1;
		ck_assert_int_lt(rotation_read(bytes.bytes, bytes.len, &doc, &err), 0);
		bytes.bytes[i] ^= 1;
		ck_assert_int_lt(rotation_read(bytes.bytes, i, &doc, &err), 0);
	}
	buf_free(&bytes);
}
END_TEST

START_TEST(of_a_long_chain_whole_documents_of_its_end_are_shown)
{
	struct buf chain = { 0 };
	struct rotation doc;
	struct rd r;
	struct err err;
	size_t from;
	int more, count = 0;

	for (uint8_t i = 1; i < 60; i++) {
		struct buf bytes = { 0 };

		write_doc(&bytes, i, (uint8_t)(i + 1));
		rotation_chain_add(&chain, &bytes);
		buf_free(&bytes);
	}
	from = rotation_chain_shown(&chain);
	ck_assert_uint_gt(from, 0);
	ck_assert_uint_le(chain.len - from, ROTATION_SHOWN_MAX);
	r = rd_from(chain.bytes + from, chain.len - from);
	while ((more = rotation_chain_next(&r, &doc, &err)) == 1)
		count++;
	ck_assert_int_eq(more, 0);
	ck_assert_int_gt(count, 5);
	ck_assert_mem_eq(doc.new_key, key_no(60).public_key, SYNC_PUBLIC_KEY);
	buf_free(&chain);
}
END_TEST

START_TEST(the_pieces_of_a_long_chain_are_all_of_it)
{
	struct buf chain = { 0 };
	struct rotation doc;
	struct err err;
	size_t from = 0;
	int count = 0, pieces = 0;

	for (uint8_t i = 1; i < 60; i++) {
		struct buf bytes = { 0 };

		write_doc(&bytes, i, (uint8_t)(i + 1));
		rotation_chain_add(&chain, &bytes);
		buf_free(&bytes);
	}
	for (size_t to; from < chain.len; from = to, pieces++) {
		struct rd r;
		int more;

		to = rotation_chain_piece(&chain, from);
		ck_assert_uint_gt(to, from);
		ck_assert_uint_le(to - from, ROTATION_SHOWN_MAX);
		r = rd_from(chain.bytes + from, to - from);
		while ((more = rotation_chain_next(&r, &doc, &err)) == 1) {
			count++;
			ck_assert_mem_eq(doc.old_key, key_no((uint8_t)count).public_key,
			                 SYNC_PUBLIC_KEY);
		}
		ck_assert_int_eq(more, 0);
	}
	ck_assert_int_eq(count, 59);
	ck_assert_int_gt(pieces, 2);
	ck_assert_uint_eq(rotation_chain_piece(&chain, chain.len), chain.len);
	buf_free(&chain);
}
END_TEST

Suite *
suite_sync_rotate(void)
{
	Suite *s = suite_create("sync/rotate");
	TCase *tc = tcase_create("world"), *docs = tcase_create("documents");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_waits_goes_up_under_the_new_key);
	tcase_add_test(tc, twice_in_a_row_without_a_line);
	tcase_add_test(tc, a_later_correction_stands);
	tcase_add_test(tc, an_older_file_goes_on_under_the_new_key);
	tcase_add_test(tc, what_comes_later_under_an_old_key_is_kept_aside);
	suite_add_tcase(s, tc);
	tcase_add_test(docs, a_document_reads_back_and_every_change_is_refused);
	tcase_add_test(docs, of_a_long_chain_whole_documents_of_its_end_are_shown);
	tcase_add_test(docs, the_pieces_of_a_long_chain_are_all_of_it);
	suite_add_tcase(s, docs);
	return s;
}

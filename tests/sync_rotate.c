/*
 * tests/sync_rotate.c - a node signs with another key from now on: what waits goes up under it,
 * what the hub has stays as it is signed, and nothing that anybody wrote since is undone.
 */
#include "tests/broken.h"
#include "tests/suites.h"
#include "tests/world.h"

#include "node/rotation.h"
#include "store/inbox.h"
#include "store/stmt.h"
#include "store/stream.h"
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

/* The rotation of node 0, as far as its database goes. */
static int
try_rotation(size_t room, size_t *count, struct err *err)
{
	struct world_peer *p = &w.nodes[0];
	struct sync_rotation rotation = { .old_key = p->key.public_key,
		                          .new_key = p->old_key.public_key };
	struct store_site self = p->node.r.self;
	struct arena a = { .limit = room };
	int rc = sync_rotate(&p->node.r, &rotation, &a, err);

	*count = rotation.count;
	p->node.r.self = self;
	arena_free(&a);
	return rc;
}

/* Whichever statement fails, and whichever allocation is the last: it says so.  The first of a
 * node's rotations, or the second. */
START_TEST(a_rotation_that_fails_is_heard)
{
	static const enum broken ways[] = { BROKEN_STEP, BROKEN_EXEC, BROKEN_MEMORY };
	struct world_peer *p = &w.nodes[0];
	unsigned good = 0;
	size_t count = 0;
	struct err err;
	bool hit;

	write_some(p, "aa", 5);
	world_settle(&w, 2);
	if (_i == 1)
		world_rotate(&w, 0);
	write_some(p, "ab", 5);
	world_settle(&w, 2);
	write_some(p, "ac", 5);
	try_to_meet(0);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i += !hit) {
		int rc;

		ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
		(void)store_catalog_table_by_name(p->merge, "note"); /* loaded */
		broken_arm(ways[i], good);
		rc = try_rotation(0, &count, &err);
		hit = broken_disarm();
		store_db_rollback(p->merge);
		ck_assert_msg(hit || rc == 0, "after %u: %d %s", good, rc, err.msg);
		ck_assert_msg(!hit || rc < 0 || ways[i] == BROKEN_MEMORY, "after %u: unheard",
		              good);
		ck_assert(rc < 0 || count == 1); /* only what the key that goes has signed */
		good = hit ? good + 1 : 0;
	}
	world_rotate(&w, 0);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 15);
	expect_same();
}
END_TEST

/* A stream that nothing was written into says nothing. */
START_TEST(a_rotation_has_room_for_its_list_or_not)
{
	struct world_peer *p = &w.nodes[0];
	struct store_stream stream;
	struct arena a = { 0 };
	size_t room = 0, count;
	struct err err;
	int rc, scope;

	write_some(p, "aa", 5);
	world_settle(&w, 2);
	do {
		room += 16;
		ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
		ck_assert_int_eq(store_catalog_scope(p->merge, "f/F9", &scope, &err), 0);
		ck_assert_int_eq(
		        store_stream_open(p->merge, p->node.r.self.id, scope, &a, &stream, &err),
		        0);
		rc = try_rotation(room, &count, &err);
		store_db_rollback(p->merge);
		ck_assert_msg(rc == 0 || rc == ERR_NOMEM, "%s", err.msg);
	} while (rc < 0);
	ck_assert_uint_gt(room, 16);
	ck_assert_uint_eq(count, 1);
	arena_free(&a);
}
END_TEST

START_TEST(a_damaged_key_in_the_database_is_told)
{
	struct world_peer *p = &w.nodes[0];
	uint8_t key[SYNC_PUBLIC_KEY];
	struct err err;

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(store_meta_set(p->merge, SYNC_META_KEY, "short", 5, &err), 0);
	ck_assert_int_eq(sync_rotate_key(p->merge, key, &err), ERR_CORRUPT);
	store_db_rollback(p->merge);
}
END_TEST

/* Enrolled, and it has never met its hub: nothing of it is known to be there. */
START_TEST(a_node_that_has_met_nobody_takes_another_key)
{
	write_some(&w.nodes[0], "aa", 5);
	try_to_meet(0);
	world_rotate(&w, 0);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 5);
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

/* What no program of ours writes, before anybody looks at its signatures. */
START_TEST(a_document_of_no_such_form_is_refused)
{
	static const uint8_t magic[] = "yizhan-rotation-1";
	static const struct {
		const char *what;
		uint64_t at, count;
		size_t len; /* of the first stream's scope */
		const char *scope;
	} cases[] = {
		{ "a time behind all times", (uint64_t)INT64_MAX + 1, 0, 0, "" },
		{ "more streams than it may have", 1, ROTATION_STREAMS + 1, 4, "f/F1" },
		{ "a scope that is too long", 1, 1, STORE_SCOPE_MAX + 1, NULL },
		{ "a NUL in a scope", 1, 1, 4, "f/\0F" },
		{ "a scope that isn't there", 1, 1, 500, "f/F1" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		static const uint8_t zero[512];
		struct buf bytes = { 0 };
		struct rotation doc;
		struct err err;

		buf_put(&bytes, magic, sizeof magic - 1);
		buf_put(&bytes, zero, STORE_NODE_ID + 2 * SYNC_PUBLIC_KEY);
		buf_varint(&bytes, cases[i].at);
		buf_varint(&bytes, cases[i].count);
		if (cases[i].count > 0) {
			size_t there = cases[i].len > STORE_SCOPE_MAX + 1 ? 4 : cases[i].len;

			buf_put(&bytes, zero, STORE_EPOCH);
			buf_varint(&bytes, cases[i].len);
			for (size_t k = 0; k < there; k++)
				buf_u8(&bytes,
				       cases[i].scope == NULL ? 'x' : (uint8_t)cases[i].scope[k]);
			buf_varint(&bytes, 1);
		}
		buf_put(&bytes, zero, 2 * (size_t)STORE_SIGNATURE);
		ck_assert_msg(rotation_read(bytes.bytes, bytes.len, &doc, &err) == ERR_CORRUPT,
		              "%s", cases[i].what);
		ck_assert_msg(strstr(err.msg, "well-formed") != NULL, "%s: %s", cases[i].what,
		              err.msg);
		buf_free(&bytes);
	}
}
END_TEST

START_TEST(a_document_or_a_chain_that_is_damaged_is_told)
{
	struct buf doc = { 0 }, chain = { 0 };
	struct rotation got;
	struct err err;
	struct rd r;

	write_doc(&doc, 1, 2);
	rotation_chain_add(&chain, &doc);
	doc.bytes[doc.len - 1] ^= 1;
	rotation_chain_add(&chain, &doc);
	r = rd_from(chain.bytes, chain.len);
	ck_assert_int_eq(rotation_chain_next(&r, &got, &err), 1);
	ck_assert_int_eq(rotation_chain_next(&r, &got, &err), ERR_DENIED);
	r = rd_from(chain.bytes, 20);
	ck_assert_int_eq(rotation_chain_next(&r, &got, &err), ERR_CORRUPT);
	while (doc.len <= ROTATION_MAX)
		buf_u8(&doc, 0);
	ck_assert_int_eq(rotation_read(doc.bytes, doc.len, &got, &err), ERR_CORRUPT);
	/* longer than is shown at once, and no document in it ends */
	buf_clear(&chain);
	while (chain.len <= 2 * (size_t)ROTATION_SHOWN_MAX)
		buf_u8(&chain, 0x7f | 0x80);
	ck_assert_uint_eq(rotation_chain_shown(&chain), 0);
	buf_free(&doc);
	buf_free(&chain);
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
	tcase_add_loop_test(tc, a_rotation_that_fails_is_heard, 0, 2);
	tcase_add_test(tc, a_rotation_has_room_for_its_list_or_not);
	tcase_add_test(tc, a_damaged_key_in_the_database_is_told);
	tcase_add_test(tc, a_node_that_has_met_nobody_takes_another_key);
	suite_add_tcase(s, tc);
	tcase_add_test(docs, a_document_reads_back_and_every_change_is_refused);
	tcase_add_test(docs, a_document_of_no_such_form_is_refused);
	tcase_add_test(docs, a_document_or_a_chain_that_is_damaged_is_told);
	tcase_add_test(docs, of_a_long_chain_whole_documents_of_its_end_are_shown);
	tcase_add_test(docs, the_pieces_of_a_long_chain_are_all_of_it);
	suite_add_tcase(s, docs);
	return s;
}

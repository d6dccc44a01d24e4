/*
 * tests/sync_relay.c - rows said again by the hub, with the versions that they
 * have: whoever hears only that ends up as if everybody's own streams had come.
 */
#include "tests/parcels.h"
#include "tests/suites.h"
#include "tests/world.h"

#include "sync/seal/relay.h"
#include "sync/seal/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES = 8 };

static const char *const facilities[] = { "F1", "F1", "F2", NULL };

static struct world w;
static struct err err;

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

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

/* ---- saying ---- */

/* The canonical key of note `no`. */
static void
key_of_note(int no, struct buf *out)
{
	uint8_t id = (uint8_t)no;
	struct store_value v = { .type = STORE_BLOB, .bytes = &id, .len = 1 };

	store_value_write(out, &v);
}

/* Peer `p` says notes 1..NOTES again, into the stream of a scope; how many changes that was. */
static int64_t
relay(struct world_peer *p, const char *scope, int site)
{
	struct sync_replica *r = &p->node.r;
	struct sync_relay what = { .r = r, .site = site, .from = 0, .to = INT64_MAX };
	struct store_row rows[NOTES] = { 0 }, *list[NOTES];
	struct buf keys[NOTES] = { 0 };

	must(sync_ingest_begin(r, &err));
	must(store_catalog_scope(r->db, scope, &what.scope, &err));
	for (int i = 0; i < NOTES; i++) {
		key_of_note(i + 1, &keys[i]);
		rows[i].table = store_catalog_table_by_name(r->db, "note")->id;
		rows[i].key = keys[i].bytes;
		rows[i].key_len = keys[i].len;
		list[i] = &rows[i];
	}
	store_row_sort(list, NOTES);
	must(sync_relay(&what, list, NOTES, &err));
	must(sync_seal_sign(r, &p->node.key, &err));
	must(sync_ingest_end(r, &err));
	for (int i = 0; i < NOTES; i++)
		buf_free(&keys[i]);
	return what.changes;
}

/* ---- hearing ---- */

/* Give `to` what the stream of peer `of` in that scope holds, and nothing else. */
static void
hear(struct world_peer *to, struct world_peer *of, const char *scope)
{
	struct parcels ps = { 0 };
	char sql[200];

	parcels_pack(&w, of, PARCELS_WHOLE, &ps);
	for (size_t i = 0; i < ps.count; i++) {
		snprintf(sql, sizeof sql,
		         "SELECT s.site = %d AND c.name = '%s' FROM yz_stream s, yz_scope c"
		         " WHERE s.id = %d AND c.id = s.scope",
		         of->node.r.self.id, scope, ps.items[i].stream);
		if (world_int(of, sql) == 1)
			ck_assert_int_eq(parcel_deliver(to, &ps.items[i], true).outcome,
			                 SYNC_STORED);
	}
	parcels_free(&ps);
}

static void
trust_hub(struct world_peer *p)
{
	p->node.r.hub_known = true;
	memcpy(p->node.r.hub_node, w.hub.node.r.self.node, STORE_NODE_ID);
}

/* Inserts, edits of both nodes, a max cell, a deleted row and one that was made anew. */
static void
write_history(void)
{
	for (int i = 1; i <= NOTES; i++) {
		char sql[200];

		snprintf(sql, sizeof sql,
		         "INSERT INTO note(id, facility_id, text, rank, top) VALUES"
		         " (x'%02x', 'F1', 'first', %d, %d)",
		         (unsigned)i, i, i);
		world_sql(&w.nodes[0], sql);
	}
	world_settle(&w, 2);
	world_sql(&w.nodes[1], "UPDATE note SET text = 'second' WHERE id < x'04'");
	world_sql(&w.nodes[1], "UPDATE note SET a = 1, b = 2, top = 50 WHERE id = x'02'");
	world_sql(&w.nodes[1], "DELETE FROM note WHERE id = x'05'");
	world_sql(&w.nodes[1], "UPDATE note SET top = 70 WHERE id = x'06'");
	world_settle(&w, 2);
	world_sql(&w.nodes[0], "DELETE FROM note WHERE id = x'06'");
	world_sql(&w.nodes[0], "DELETE FROM note WHERE id = x'07'");
	world_settle(&w, 2);
	world_sql(&w.hub, "INSERT INTO note(id, facility_id, text) VALUES (x'07', 'F1', 'again')");
	world_sql(&w.hub, "UPDATE note SET rank = 99 WHERE id = x'01'");
	world_settle(&w, 2);
}

static void
expect_digests(struct world_peer *a, struct world_peer *b, const char *scope)
{
	char left[33], right[33];

	ck_assert_str_eq(world_digest(a, scope, left), world_digest(b, scope, right));
}

#define VERSIONS                                                                                   \
	"SELECT c.key, c.cl, c.stamp, s.node, s.epoch, c.term FROM yz_clock c"                     \
	" JOIN yz_site s ON s.id = c.site ORDER BY c.key"

/* ---- claims ---- */

START_TEST(whoever_hears_only_a_relay_has_the_same_rows_and_versions)
{
	struct world_peer fresh;
	char *there, *here;
	char digest[33];

	write_history();
	ck_assert_int_gt(relay(&w.hub, "f/F1", 0), NOTES);
	world_open_fresh(&w, &fresh, "fresh");
	trust_hub(&fresh);
	hear(&fresh, &w.hub, "f/F1");
	expect_digests(&fresh, &w.hub, "f/F1");
	ck_assert_str_ne(world_digest(&fresh, "f/F1", digest), "00000000000000000000000000000000");
	there = world_dump(&w.hub, "SELECT * FROM note ORDER BY id");
	here = world_dump(&fresh, "SELECT * FROM note ORDER BY id");
	ck_assert_str_eq(here, there);
	free(here);
	free(there);
	ck_assert_int_eq(world_int(&fresh, "SELECT count(*) FROM yz_conflict"), 0);
	ck_assert_int_eq(world_int(&fresh, "SELECT count(*) FROM yz_quarantine"), 0);
	/* the writers are the writers, not the hub */
	ck_assert_int_eq(world_int(&fresh, "SELECT count(DISTINCT site) FROM yz_clock"), 3);
	world_close_fresh(&fresh);
}
END_TEST

START_TEST(said_to_those_who_have_it_nothing_changes)
{
	char *before, *after;

	write_history();
	before = world_dump(&w.nodes[0], VERSIONS);
	ck_assert_int_gt(relay(&w.hub, "f/F1", 0), 0);
	world_settle(&w, 2);
	after = world_dump(&w.nodes[0], VERSIONS);
	ck_assert_str_eq(after, before);
	free(after);
	free(before);
	for (int i = 0; i < 2; i++) {
		expect_digests(&w.nodes[i], &w.hub, "f/F1");
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_conflict"), 0);
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM yz_quarantine"), 0);
	}
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict"), 0);
}
END_TEST

/* The hub's stream goes on behind a relay, with the stamps of its own clock. */
START_TEST(what_comes_after_a_relay_is_later_than_it)
{
	w.spoiled = true; /* what is only relayed, and not shared, counts at one side */
	write_history();
	world_sql(&w.nodes[2], "INSERT INTO note(id, facility_id, text) VALUES (x'51', 'F2', 'x')");
	world_settle(&w, 1);
	ck_assert_int_gt(relay(&w.hub, "f/F2", 0), 0);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[2], "SELECT count(*) FROM note WHERE facility_id ="
	                                        " 'F1'"),
	                 NOTES - 2);
	world_sql(&w.nodes[2], "UPDATE note SET text = 'theirs' WHERE id = x'03'");
	ck_assert_int_eq(world_int(&w.nodes[2], "SELECT count(*) FROM yz_conflict"), 0);
	world_sql(&w.hub, "UPDATE note SET text = 'the hub' WHERE id = x'51'");
	world_settle(&w, 2);
	ck_assert_int_eq(
	        world_int(&w.nodes[2], "SELECT text = 'the hub' FROM note WHERE id = x'51'"), 1);
	ck_assert_int_eq(world_int(&w.nodes[2], "SELECT count(*) FROM yz_conflict"), 0);
}
END_TEST

/* Edits that hadn't seen each other meet by a relay as they would have met by their own streams. */
START_TEST(a_conflict_is_told_through_a_relay_too)
{
	write_history();
	ck_assert_int_gt(relay(&w.hub, "f/F2", 0), 0);
	world_settle(&w, 2);
	world_sql(&w.nodes[2], "UPDATE note SET text = 'theirs' WHERE id = x'03'");
	world_wait(&w, 1000);
	world_sql(&w.nodes[0], "UPDATE note SET text = 'ours' WHERE id = x'03'");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_gt(relay(&w.hub, "f/F2", 0), 0);
	ck_assert(world_sync(&w, 2));
	ck_assert_int_eq(world_int(&w.nodes[2], "SELECT count(*) FROM yz_conflict WHERE state ="
	                                        " 'open'"),
	                 1);
	ck_assert_int_eq(world_int(&w.nodes[2], "SELECT text = 'ours' FROM note WHERE id = x'03'"),
	                 1);
	/* a write that has seen both closes it */
	world_sql(&w.nodes[0], "UPDATE note SET rank = 5 WHERE id = x'03'");
	world_sql(&w.nodes[2], "UPDATE note SET text = 'both' WHERE id = x'03'");
	ck_assert(world_sync(&w, 2));
	ck_assert_int_eq(world_int(&w.nodes[2], "SELECT count(*) FROM yz_conflict WHERE state ="
	                                        " 'open'"),
	                 0);
}
END_TEST

START_TEST(only_what_one_site_wrote)
{
	int64_t all, first, second;
	int node_site;

	write_history();
	node_site = (int)world_int(&w.hub, "SELECT site FROM yz_stream s JOIN yz_scope c ON c.id ="
	                                   " s.scope WHERE c.name = 'f/F1' ORDER BY s.id LIMIT 1");
	all = relay(&w.hub, "f/F1", 0);
	first = relay(&w.hub, "f/F1", node_site);
	second = relay(&w.hub, "f/F1", w.hub.node.r.self.id);
	ck_assert_int_gt(first, 0);
	ck_assert_int_eq(second, 2); /* made anew; rank of the first */
	ck_assert_int_lt(first + second, all);
	/* what others wrote doesn't count as written by the hub */
	ck_assert_int_gt(relay(&w.hub, "f/F2", node_site), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT last_stamp FROM yz_stream s JOIN yz_scope c ON"
	                                   " c.id = s.scope WHERE c.name = 'f/F2' AND n > 0"),
	                 0);
}
END_TEST

/* A node may say again what it wrote itself: the hub takes it, and has lost nothing by it. */
START_TEST(a_node_says_again_only_its_own)
{
	int64_t own;

	write_history();
	own = relay(&w.nodes[1], "f/F1", 0);
	/* text of three (two of them in one write with others), a delete, a max cell */
	ck_assert_int_ge(own, 5);
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict"), 0);
	for (int i = 0; i < 2; i++)
		expect_digests(&w.nodes[i], &w.hub, "f/F1");
}
END_TEST

Suite *
suite_sync_relay(void)
{
	Suite *suite = suite_create("sync/relay");
	TCase *tc = tcase_create("relay");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, whoever_hears_only_a_relay_has_the_same_rows_and_versions);
	tcase_add_test(tc, said_to_those_who_have_it_nothing_changes);
	tcase_add_test(tc, what_comes_after_a_relay_is_later_than_it);
	tcase_add_test(tc, a_conflict_is_told_through_a_relay_too);
	tcase_add_test(tc, only_what_one_site_wrote);
	tcase_add_test(tc, a_node_says_again_only_its_own);
	suite_add_tcase(suite, tc);
	return suite;
}

/*
 * tests/facility_alias.c - one person registered at two nodes that had not met: in any order of
 * meeting both registrations stand, linked once, and nobody is in conflict.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "node/facility/alias.h"
#include "node/facility/schema.h"
#include "store/share.h"
#include "store/track.h"

#include <stdio.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", "F2", NULL };

static struct world w;
static struct err err;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
make_tables(struct world_peer *p, bool is_hub)
{
	static const char *const tables[] = { "child", "child_alias" };
	static const struct store_track_spec shares = {
		.table = "yz_share", .scope = "", .scope_column = "scope", .hub_only = "at,ended,by"
	};

	must(store_db_begin(p->merge, &err));
	must(facility_schema_create(p->merge, &err));
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		must(store_track_table(p->merge, facility_table(tables[i]), is_hub, &err));
	must(store_track_table(p->merge, &shares, is_hub, &err));
	must(store_db_commit(p->merge, &err));
}

static void
open_world(void)
{
	world_open(&w, 71, facilities);
	make_tables(&w.hub, true);
	for (int i = 0; i < w.node_count; i++)
		make_tables(&w.nodes[i], false);
}

static void
close_world(void)
{
	world_close(&w);
}

static void
link_all(int i)
{
	bool yes;

	must(store_db_begin(w.nodes[i].local, &err));
	must(alias_link(w.nodes[i].local, &err));
	must(alias_unlinked(w.nodes[i].local, &yes, &err));
	ck_assert(!yes);
	must(store_db_commit(w.nodes[i].local, &err));
}

/* A meeting, and what a node does after it. */
static void
meet(int i)
{
	ck_assert(world_sync(&w, i));
	link_all(i);
}

static void
expect_nothing_open(struct world_peer *p)
{
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_conflict WHERE state = 'open'"), 0);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_quarantine"), 0);
}

static void
expect_digest(struct world_peer *p, const char *scope)
{
	char here[33], there[33];

	world_digest(p, scope, here);
	world_digest(&w.hub, scope, there);
	ck_assert_msg(strcmp(here, there) == 0, "%s: %s has %s, the hub %s", scope, p->path, here,
	              there);
}

static void
expect_level(void)
{
	static const char *const scopes[] = { "f/F1", "f/F1", "f/F2" };

	for (int i = 0; i < 3; i++) {
		expect_digest(&w.nodes[i], scopes[i]);
		expect_nothing_open(&w.nodes[i]);
	}
	expect_nothing_open(&w.hub);
}

#define REGISTER                                                                                   \
	"INSERT INTO child(id, facility_id, name, id_hash) VALUES (%s, '%s', '%s',"                \
	" x'0102030405060708090a0b0c0d0e0f10')"

static void
register_child(int node, const char *id, const char *facility, const char *name)
{
	char sql[300];

	snprintf(sql, sizeof sql, REGISTER, id, facility, name);
	world_sql(&w.nodes[node], sql);
}

static const char low[] = "x'11111111111111111111111111111111'";
static const char mid[] = "x'22222222222222222222222222222222'";
static const char high[] = "x'33333333333333333333333333333333'";

/* _i, bit by bit: who has the lower id, who meets first, and whether both link before they meet
 * again. */
START_TEST(two_registrations_are_linked_once)
{
	int first = _i >> 1 & 1;

	register_child(0, _i & 1 ? low : mid, "F1", "Wu Yi");
	register_child(1, _i & 1 ? mid : low, "F1", "Wu  Yi");
	register_child(2, high, "F2", "Wu Yi"); /* another facility's is another key's */
	ck_assert(world_sync(&w, first));
	ck_assert(world_sync(&w, !first));
	if (_i & 4)
		ck_assert(world_sync(&w, first));
	link_all(first);
	link_all(!first);
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 3; i++)
			meet(i);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM child"), 2);
		ck_assert_int_eq(world_int(&w.nodes[i], "SELECT count(*) FROM child_alias"), 1);
	}
	ck_assert_int_eq(world_int(&w.hub,
	                           "SELECT count(*) FROM child_alias WHERE facility_id = 'F1' AND"
	                           " alias_id = x'22222222222222222222222222222222' AND"
	                           " child_id = x'11111111111111111111111111111111'"),
	                 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM child"), 3);
	ck_assert_int_eq(world_int(&w.nodes[2], "SELECT count(*) FROM child_alias"), 0);
	expect_level();
}
END_TEST

/* A third has a lower id than both: both are she. */
START_TEST(all_registrations_lead_to_the_lowest)
{
	struct alias *list;
	struct arena a = { 0 };
	size_t count;

	register_child(0, high, "F1", "Wu Yi");
	register_child(1, mid, "F1", "Wu Yi");
	for (int i = 0; i < 4; i++)
		meet(i % 2);
	register_child(0, low, "F1", "Wu Er");
	for (int i = 0; i < 6; i++)
		meet(i % 2);
	must(alias_list(w.hub.local, &a, &list, &count, &err));
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(list[0].child[0], 0x11);
	ck_assert_uint_eq(list[0].alias[0], 0x22);
	ck_assert_uint_eq(list[1].child[0], 0x11);
	ck_assert_uint_eq(list[1].alias[0], 0x33);
	ck_assert_str_eq(list[1].facility, "F1");
	ck_assert_str_eq(list[1].name, "Wu Er");
	ck_assert_str_eq(list[1].alias_name, "Wu Yi");
	ck_assert_uint_eq(list[2].child[0], 0x22);
	arena_free(&a);
	expect_level();
}
END_TEST

/* Of a child who has gone to another facility nothing is written any more. */
START_TEST(who_has_left_is_let_be)
{
	uint8_t id[STORE_ID];
	struct store_value v = { .type = STORE_BLOB, .bytes = id, .len = sizeof id };
	struct buf key = { 0 };
	struct store_share_line line = { .table = "child", .scope = "f/F2", .at_ms = 1, .by = "" };

	memset(id, 0x11, sizeof id);
	store_value_write(&key, &v);
	line.key = key.bytes;
	line.key_len = key.len;
	register_child(0, low, "F1", "Wu Yi");
	meet(0);
	must(store_db_begin(w.hub.local, &err));
	must(store_share_say(w.hub.local, &line, &err));
	line.scope = "f/F1";
	line.ended_ms = 2;
	must(store_share_say(w.hub.local, &line, &err));
	must(store_db_commit(w.hub.local, &err));
	buf_free(&key);
	world_settle(&w, 3);
	register_child(0, mid, "F1", "Wu Yi"); /* she is back, as another */
	for (int i = 0; i < 6; i++)
		meet(i % 3);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM child"), 2);
	ck_assert_int_eq(world_int(&w.nodes[0], "SELECT count(*) FROM child_alias"), 0);
	expect_level();
}
END_TEST

Suite *
suite_facility_alias(void)
{
	Suite *suite = suite_create("node/facility/alias");
	TCase *tc = tcase_create("alias");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, two_registrations_are_linked_once, 0, 8);
	tcase_add_test(tc, all_registrations_lead_to_the_lowest);
	tcase_add_test(tc, who_has_left_is_let_be);
	suite_add_tcase(suite, tc);
	return suite;
}

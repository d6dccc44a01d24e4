/* tests/word_world.c - see word_world.h. */
#include "tests/word_world.h"

#include "node/facility/schema.h"
#include "node/facility/word.h"
#include "store/track.h"

#include <check.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", "F1", NULL };

struct world word_world;
struct err word_err;

void
word_must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? word_err.msg : "");
}

static void
make_tables(struct world_peer *p, bool is_hub)
{
	static const char *const tables[] = { "child", "allergy", "allergy_word", "enrollment",
		                              "enrollment_step" };
	static const struct store_track_spec shares = {
		.table = "yz_share", .scope = "", .scope_column = "scope", .hub_only = "at,ended,by"
	};
	static const struct store_track_spec verdicts = { .table = "yz_verdict",
		                                          .scope = "",
		                                          .scope_column = "scope" };

	word_must(store_db_begin(p->merge, &word_err));
	word_must(facility_schema_create(p->merge, &word_err));
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		word_must(
		        store_track_table(p->merge, facility_table(tables[i]), is_hub, &word_err));
	word_must(store_track_table(p->merge, &verdicts, is_hub, &word_err));
	word_must(store_track_table(p->merge, &shares, is_hub, &word_err));
	if (!is_hub)
		word_must(store_meta_set(p->merge, "facility", p->facility, strlen(p->facility),
		                         &word_err));
	word_must(store_db_commit(p->merge, &word_err));
}

void
word_open_facilities(const char *const *ids)
{
	world_open(&word_world, 83, ids);
	make_tables(&word_world.hub, true);
	for (int i = 0; i < word_world.node_count; i++)
		make_tables(&word_world.nodes[i], false);
}

void
word_open(void)
{
	word_open_facilities(facilities);
}

void
word_close(void)
{
	world_close(&word_world);
}

void
word_after(int i)
{
	bool yes;

	word_must(word_unsettled(word_world.nodes[i].local, &yes, &word_err));
	if (!yes)
		return;
	word_must(store_db_begin(word_world.nodes[i].local, &word_err));
	word_must(word_settle(word_world.nodes[i].local, &word_err));
	word_must(store_db_commit(word_world.nodes[i].local, &word_err));
}

/* A meeting, and what a node does after it. */
bool
word_meet(int i)
{
	bool met = world_sync(&word_world, i);

	word_after(i);
	return met;
}

void
word_meet_all(int rounds)
{
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < word_world.node_count; i++)
			ck_assert(word_meet(i));
}

void
word_expect_active(int64_t want)
{
	for (int i = 0; i < word_world.node_count; i++)
		ck_assert_msg(world_int(&word_world.nodes[i], WORD_ACTIVE) == want,
		              "node %d isn't %d", i, (int)want);
	ck_assert_int_eq(world_int(&word_world.hub, WORD_ACTIVE), want);
	ck_assert_int_eq(
	        world_int(&word_world.hub, "SELECT coalesce(max(active), 0) FROM v1_allergy"),
	        want);
}

void
word_expect_level(void)
{
	char here[33], there[33];

	world_digest(&word_world.hub, "f/F1", there);
	for (int i = 0; i < WORD_NODES; i++) {
		world_digest(&word_world.nodes[i], "f/F1", here);
		ck_assert_msg(strcmp(here, there) == 0, "node %d has %s, the hub %s", i, here,
		              there);
		ck_assert_int_eq(
		        world_int(&word_world.nodes[i], "SELECT count(*) FROM yz_quarantine"), 0);
	}
}

/* Forms in which it is said again, and struck out. */
const char *const word_again[WORD_AGAIN] = {
	"UPDATE allergy SET active = 1 WHERE " WORD_NUTS,
	"UPDATE allergy SET severity = 3 WHERE " WORD_NUTS,
	"UPDATE allergy SET active = 0 WHERE " WORD_NUTS
	";UPDATE allergy SET active = 1 WHERE " WORD_NUTS,
	"DELETE FROM allergy WHERE " WORD_NUTS ";INSERT INTO allergy(child_id, allergen_code,"
	" facility_id) VALUES (x'01', 'NUTS', 'F1')",
	"REPLACE INTO allergy(child_id, allergen_code, facility_id) VALUES (x'01', 'NUTS', 'F1')",
};
const char *const word_gone[WORD_GONE] = {
	"UPDATE allergy SET active = 0 WHERE " WORD_NUTS,
	"DELETE FROM allergy WHERE " WORD_NUTS,
	"REPLACE INTO allergy(child_id, allergen_code, facility_id, active)"
	" VALUES (x'01', 'NUTS', 'F1', 0)",
};

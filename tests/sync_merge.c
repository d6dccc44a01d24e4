/*
 * tests/sync_merge.c - the rules of merging, one by one, in words.
 *
 * Each case of the first table is delivered in every order and to replicas that
 * number everything differently: the rules are about sets of writes.
 */
#include "tests/merge_world.h"
#include "tests/pg_cluster.h"
#include "tests/suites.h"

#include "store/base/hash.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct rule_case {
	const char *name;
	const char *writes;
	const char *row;
} rule_cases[] = {
	{ "an insert writes all cells of its schema", "I1 @10 height=1 mood=sad",
	  "cl1 live @10/1 height=1 mood=sad revoked=NULL weight=NULL" },
	{ "a later write of a cell wins",
	  "I1 @10 mood=sad; U1 s2 @11 mood=gay; U1 s3 @12 height=3 weight=4",
	  "cl1 live @10/1 height=3@12/3 mood=gay@11/2 revoked=NULL weight=4@12/3" },
	{ "at one stamp the later site wins", "I1 @10; U1 s3 @11 mood=a; U1 s2 @11 mood=z",
	  "cl1 live @10/1 height=NULL mood=a@11/3 revoked=NULL weight=NULL" },
	{ "at one stamp two lives of a node are two sites",
	  "I1 @10; U1 s1 @11 mood=z; U1 s2 @11 mood=a",
	  "cl1 live @10/1 height=NULL mood=a@11/2 revoked=NULL weight=NULL" },
	{ "a clone's equal version: the greater value wins",
	  "I1 @10; U1 s2 @11 mood=a; U1 s2 @11 mood=b; U1 s2 @11 mood=9",
	  "cl1 live @10/1 height=NULL mood=b@11/2 revoked=NULL weight=NULL" },
	{ "an edit before its insert waits for it", "U1 s2 @11 mood=a", "cl1 @0/0 mood=a@11/2" },
	{ "an edit stands when its insert comes", "U1 s2 @11 mood=a; I1 s1 @10 mood=b height=1",
	  "cl1 live @10/1 height=1 mood=a@11/2 revoked=NULL weight=NULL" },
	{ "two inserts of one life: each cell by version, the later one names it",
	  "I1 s1 @10 mood=a; I1 s2 @11 mood=b v2 note=c; U1 s1 @12 mood=d",
	  "cl1 live @11/2 height=NULL mood=d@12/1 note=c revoked=NULL@10/1 weight=NULL" },
	{ "an insert that knows fewer columns leaves the others",
	  "I1 s1 v2 @10 note=c mood=m; I1 s2 v1 @11 mood=b",
	  "cl1 live @11/2 height=NULL mood=b note=c@10/1 revoked=NULL@10/1 weight=NULL" },
	{ "a column one schema doesn't have stays", "I1 v3 @10 note=n score=4; U1 v1 s2 @11 mood=x",
	  "cl1 live @10/1 height=NULL mood=x@11/2 note=n revoked=NULL score=4 weight=NULL" },

	{ "a delete ends a life with all its cells", "I1 @10 mood=a; D2 s2 @11",
	  "cl2 @11/2 revoked=NULL@10/1" },
	{ "an edit doesn't wake a dead row, however late its stamp",
	  "I1 @10 mood=a; D2 s2 @11; U1 s3 @99 mood=b", "cl2 @11/2 revoked=NULL@10/1" },
	{ "an insert of an old life doesn't either", "I1 @10 mood=a; D2 s2 @11; I1 s3 @99 mood=b",
	  "cl2 @11/2 revoked=NULL@10/1" },
	{ "the later delete names a death", "D2 s2 @11; D2 s3 @12; D2 s4 @10", "cl2 @12/3" },
	{ "a new life takes nothing from the old one",
	  "I1 v2 @10 note=old mood=a; U1 v2 s2 @50 note=older; D2 @51; I3 s3 @5 mood=b",
	  "cl3 live @5/3 height=NULL mood=b revoked=NULL weight=NULL" },
	{ "a late insert of the old life takes nothing from the new one",
	  "I3 s3 @5 mood=b; I1 v2 @10 note=old mood=a height=3 weight=2",
	  "cl3 live @5/3 height=NULL mood=b revoked=NULL weight=NULL" },
	{ "an edit of the next life ends this one", "I1 @10 mood=a; U3 s2 @20 mood=b",
	  "cl3 @0/0 mood=b@20/2 revoked=NULL@10/1" },

	{ "max: the greater value, whoever wrote it last",
	  "I1 @10 revoked=0; U1 s2 @11 revoked=5; U1 s3 @12 revoked=4",
	  "cl1 live @10/1 height=NULL mood=NULL revoked=5@11/2 weight=NULL" },
	{ "max: NULL is unset and loses to anything", "I1 @10 revoked=-7; U1 s2 @11 revoked=NULL",
	  "cl1 live @10/1 height=NULL mood=NULL revoked=-7 weight=NULL" },
	{ "max: equal values keep the lowest stamp, and of that the greatest site",
	  "I1 @10; U1 s2 @12 revoked=5; U1 s3 @12 revoked=5; U1 s4 @13 revoked=5",
	  "cl1 live @10/1 height=NULL mood=NULL revoked=5@12/3 weight=NULL" },
	{ "max: a revoke outlives the row", "I1 @10; U1 s2 @11 revoked=1; D2 s3 @12",
	  "cl2 @12/3 revoked=1@11/2" },
	{ "max: a revoke isn't undone by delete and re-create",
	  "I1 @10; U1 s2 @11 revoked=1; D2 s3 @12; I3 s3 @13 revoked=0",
	  "cl3 live @13/3 height=NULL mood=NULL revoked=1@11/2 weight=NULL" },
	{ "max: nor if it is of the new life and the row dies again",
	  "I1 @10; D2 @12; I3 s3 @13 revoked=2; D4 s4 @14; I5 @15 revoked=1",
	  "cl5 live @15/1 height=NULL mood=NULL revoked=2@13/3 weight=NULL" },
	{ "max: a column that the new life's schema doesn't have",
	  "I1 v3 @10 score=8; D2 @11; I3 v1 @12",
	  "cl3 live @12/1 height=NULL mood=NULL revoked=NULL@10/1 score=8@10/1 weight=NULL" },
	{ "max: numbers and words have one order", "I1 @10 revoked=9; U1 s2 @11 revoked=late",
	  "cl1 live @10/1 height=NULL mood=NULL revoked=late@11/2 weight=NULL" },

	{ "a group never mixes: by version",
	  "I1 @10; U1 s2 @11 height=1 weight=9; U1 s3 @11 height=9 weight=1",
	  "cl1 live @10/1 height=9@11/3 mood=NULL revoked=NULL weight=1@11/3" },
	{ "a group never mixes: a clone's equal version",
	  "I1 @10; U1 s2 @11 height=1 weight=9; U1 s2 @11 height=9 weight=1",
	  "cl1 live @10/1 height=9@11/2 mood=NULL revoked=NULL weight=1@11/2" },
	{ "a group never mixes: three clones, equal first column",
	  "I1 @10; U1 s2 @11 height=1 weight=9; U1 v2 s2 @11 height=2 weight=1;"
	  "U1 v3 s2 @11 height=2 weight=NULL",
	  "cl1 live @10/1 height=2@11/2 mood=NULL revoked=NULL weight=1@11/2" },
	{ "a group never mixes: cloned inserts", "I1 @10 height=1 weight=9; I1 @10 height=2",
	  "cl1 live @10/1 height=2 mood=NULL revoked=NULL weight=NULL" },
	{ "cells out of a group may mix in cloned inserts",
	  "I1 v2 @10 mood=1 note=9; I1 v2 @10 mood=9 note=1",
	  "cl1 live @10/1 height=NULL mood=9 note=9 revoked=NULL weight=NULL" },

	{ "a group that grew: what ties decides, an older cell doesn't",
	  "I1 v2 @10 note=9; U1 s2 @11 height=1 weight=5; U1 v5 s2 @11 height=1 weight=6 note=0 "
	  "revoked=NULL",
	  "cl1 live @10/1 height=1@11/2 mood=NULL note=0@11/2 revoked=NULL weight=6@11/2" },
	{ "a group that grew: a cell that isn't there, a max column and another's version don't "
	  "tie",
	  "I1 v2 @10; U1 v2 s3 @11 note=9; U1 s2 @11 height=1 weight=5;"
	  "U1 v5 s2 @11 height=1 weight=6 note=0 revoked=NULL",
	  "cl1 live @10/1 height=1@11/2 mood=NULL note=9@11/3 revoked=NULL weight=6@11/2" },
	{ "a life of few columns drops those of the one before",
	  "I1 @10 mood=a; I3 v4 @11 revoked=1", "cl3 live @11/1 revoked=1" },

	{ "nothing comes of half a group", "I1 @10 height=1 weight=2; U1 s2 @11 height=3",
	  "cl1 live @10/1 height=1 mood=NULL revoked=NULL weight=2" },
	{ "nothing comes of an insert into death", "I2 s2 @11", "cl0 @0/0" },
	{ "nothing comes of a delete into life", "D3 s2 @11", "cl0 @0/0" },
	{ "nothing comes of an edit of the dead", "U2 s2 @11 mood=a", "cl0 @0/0" },
	{ "nothing comes of no life", "I0 s2 @11; D0 @12; I-1 @13", "cl0 @0/0" },
	{ "nothing comes of a life that nobody could live to see", "I9223372036854775807 s2 @3",
	  "cl0 @0/0" },
	{ "nothing comes of no stamp", "I1 s2 @0; D2 @-5", "cl0 @0/0" },
};

enum { RULE_CASES = sizeof rule_cases / sizeof rule_cases[0] };

static void
expect_row(struct replica *r, const struct rule_case *c)
{
	struct buf got = { 0 };

	replica_print(r, 0, &got);
	ck_assert_msg(strcmp(buf_str(&got), c->row) == 0, "%s\n  got  %s\n  want %s", c->name,
	              buf_str(&got), c->row);
	buf_free(&got);
}

static void
swap(struct write *a, struct write *b)
{
	struct write kept = *a;

	*a = *b;
	*b = kept;
}

/* Heap's way through all orders of writes[0..n-1]. */
static void
in_every_order(struct write *writes, size_t n, size_t count, const struct rule_case *c)
{
	if (n > 1) {
		for (size_t i = 0; i < n; i++) {
			in_every_order(writes, n - 1, count, c);
			swap(&writes[n % 2 == 0 ? i : 0], &writes[n - 1]);
		}
		return;
	}
	for (int numbering = 0; numbering < WORLD_NUMBERINGS; numbering++) {
		struct replica *r = replica_new(numbering);

		for (size_t i = 0; i < count; i++)
			replica_deliver(r, &writes[i], 1, NULL, NULL);
		expect_row(r, c);
		ck_assert_msg(replica_deliver(r, writes, count, NULL, NULL) == 0,
		              "%s: again changes something", c->name);
		replica_free(r);
	}
}

START_TEST(rules_hold_in_every_order)
{
	const struct rule_case *c = &rule_cases[_i];
	struct write writes[WORLD_WRITES];
	size_t count = world_read(c->writes, writes);

	in_every_order(writes, count, count, c);
}
END_TEST

/* What the last write does to the row, and whether its table must be written. */
static const struct effect_case {
	const char *name;
	const char *before;
	const char *write;
	bool changed, written;
} effect_cases[] = {
	{ "insert", "", "I1 @10", true, true },
	{ "insert again", "I1 @10 mood=a", "I1 @10 mood=a", false, false },
	{ "older edit", "I1 @10 mood=a", "U1 s2 @9 mood=b", false, false },
	{ "newer edit", "I1 @10 mood=a", "U1 s2 @11 mood=b", true, true },
	{ "newer version of an equal value", "I1 @10 mood=a", "U1 s2 @11 mood=a", true, false },
	{ "lower version of an equal max", "I1 @10 revoked=1", "U1 s2 @9 revoked=1", true, false },
	{ "a column that wasn't written", "I1 @10", "U1 v2 @11 note=a", true, true },
	{ "edit before its insert", "", "U1 @11 mood=b", true, false },
	{ "insert after its edit", "U1 @11 mood=b", "I1 @10", true, true },
	{ "later insert of the same, equal", "I1 @10 mood=a", "I1 s2 @11 mood=a", true, false },
	{ "earlier insert of the same", "I1 s2 @11 mood=a", "I1 @10 mood=b", true, false },
	{ "earlier insert of the same, nothing of its own", "I1 @10 revoked=1 mood=a",
	  "I1 @9 mood=b", false, false },
	{ "delete", "I1 @10", "D2 @11", true, true },
	{ "delete before anything", "", "D2 @11", true, false },
	{ "later delete", "I1 @10; D2 @11", "D2 s2 @12", true, false },
	{ "edit of the dead", "I1 @10; D2 @11", "U1 s2 @12 mood=a", false, false },
	{ "max of the dead", "I1 @10; D2 @11", "U1 s2 @12 revoked=1", true, false },
	{ "max of an earlier life", "I3 @10", "U1 s2 @12 revoked=1", true, true },
	{ "life after life", "I1 @10 mood=a", "I3 @11 mood=a", true, true },
	{ "edit of the next life", "I1 @10 mood=a", "U3 @11 mood=a", true, true },
	{ "life after life, fewer columns", "I1 @10 mood=a revoked=1", "I3 v4 @11", true, true },
	{ "not sound", "I1 @10", "U1 @11 weight=1", false, false },
};

enum { EFFECT_CASES = sizeof effect_cases / sizeof effect_cases[0] };

START_TEST(effects_are_told_to_put)
{
	const struct effect_case *c = &effect_cases[_i];
	struct write writes[WORLD_WRITES];
	struct replica *r = replica_new(_i % WORLD_NUMBERINGS);
	bool wrote[WORLD_KEYS];
	int changed;

	replica_deliver(r, writes, world_read(c->before, writes), NULL, NULL);
	changed = replica_deliver(r, writes, world_read(c->write, writes), NULL, wrote);
	ck_assert_msg(changed == c->changed, "%s: changed", c->name);
	ck_assert_msg(wrote[0] == c->written, "%s: written", c->name);
	replica_free(r);
}
END_TEST

/* What the watch is told of the last write: "column=value@version < winner". */
static const struct watch_case {
	const char *name;
	const char *before;
	const char *write;
	const char *told;
} watch_cases[] = {
	{ "a later edit", "I1 s1 @10 mood=a", "U1 s2 @11 mood=b", "mood=a@10/1 < mood=b@11/2;" },
	{ "an earlier edit", "I1 s2 @11 mood=b", "U1 s1 @10 mood=a", "mood=a@10/1 < mood=b@11/2;" },
	{ "of the same site", "I1 s2 @10 mood=a", "U1 s2 @11 mood=b", "" },
	{ "of an equal value", "I1 s1 @10 mood=a", "U1 s2 @11 mood=a",
	  "mood=a@10/1 < mood=a@11/2;" },
	{ "of a max cell", "I1 s1 @10 revoked=1", "U1 s2 @11 revoked=2", "" },
	{ "of another cell", "U1 s1 @10 mood=a", "U1 v2 s2 @11 note=a", "" },
	{ "of a group", "U1 s1 @10 height=1 weight=2", "U1 s2 @9 height=1 weight=3",
	  "height=1@9/2 < height=1@10/1;weight=3@9/2 < weight=2@10/1;" },
	{ "inserts of one key", "I1 s1 @10 mood=a height=1", "I1 s2 @11 mood=b height=1",
	  "height=1@10/1 < height=1@11/2;mood=a@10/1 < mood=b@11/2;"
	  "weight=NULL@10/1 < weight=NULL@11/2;" },

	{ "a delete drops an insert", "I1 s1 @10 mood=a", "D2 s2 @11",
	  "height=NULL@10/1 < row@11/2;" },
	{ "a delete of the same site", "I1 s1 @10 mood=a", "D2 s1 @11", "" },
	{ "a delete drops each write that shows",
	  "I1 s1 @10; U1 s3 @11 mood=a; U1 s3 @12 weight=1 height=2; U1 s2 @13 mood=b", "D2 s2 @14",
	  "height=2@12/3 < row@14/2;row@10/1 < row@14/2;" },
	{ "an insert with only its name left",
	  "I1 s1 @10 mood=a; U1 s2 @11 height=1 weight=1 mood=1", "D2 s2 @12",
	  "row@10/1 < row@12/2;" },
	{ "an edit that waits for its insert", "U1 s1 @10 mood=a", "D2 s2 @11",
	  "mood=a@10/1 < row@11/2;" },
	{ "max cells aren't dropped", "U1 s1 @10 revoked=1", "D2 s2 @11", "" },
	{ "an edit of the next life drops too", "U1 s1 @10 mood=a", "U3 s2 @11 mood=b",
	  "mood=a@10/1 < row@11/2;" },
	{ "a death is not a loss", "I1 s1 @10; D2 s1 @11", "I3 s2 @12", "" },
	{ "a second delete drops nothing", "I1 s1 @10; D2 s1 @11", "D2 s2 @12", "" },

	{ "an edit comes late", "D2 s2 @11", "U1 s1 @12 mood=a", "mood=a@12/1 < row@11/2;" },
	{ "the first name speaks for a late edit", "D2 s2 @11",
	  "U1 v3 s1 @12 note=a weight=1 height=2", "height=2@12/1 < row@11/2;" },
	{ "the deleter's own edit comes late", "D2 s2 @11", "U1 s2 @10 mood=a", "" },
	{ "a max edit is never late", "D2 s2 @11", "U1 s1 @12 revoked=1", "" },
	{ "a delete is never late", "I3 s2 @11", "D2 s1 @12", "" },
	{ "an edit two lives late", "I3 s2 @11 mood=z", "U1 s1 @12 mood=a",
	  "mood=a@12/1 < row@11/2;" },
	{ "late for a life named by its insert", "I3 s2 @11 mood=z; U3 s3 @15 mood=y",
	  "U1 s1 @12 mood=a", "mood=a@12/1 < row@11/2;" },
	{ "an insert without lww cells comes late", "D2 s2 @11", "I1 v4 s1 @12 revoked=1",
	  "row@12/1 < row@11/2;" },
	{ "late for a life known by max edits only", "U3 s2 @11 revoked=1", "U1 s1 @12 mood=a",
	  "" },
	{ "late for a life without a name: the latest edit of it speaks",
	  "U3 s3 @13 mood=y; U3 v2 s2 @11 note=z; U3 s4 @14 revoked=5", "U1 s1 @12 mood=a",
	  "mood=a@12/1 < row@13/3;" },
	{ "late for a life without a name", "U3 s2 @11 mood=z; U3 s3 @13 height=1 weight=1",
	  "U1 s1 @12 mood=a", "mood=a@12/1 < row@13/3;" },
};

enum { WATCH_CASES = sizeof watch_cases / sizeof watch_cases[0] };

struct ears {
	struct replica *replica;
	struct buf heard;
};

static void
hear_cell(struct ears *ears, const struct store_cell *cell, bool with_value)
{
	const char *name =
	        cell->column == 0 ? "row" : world_name(replica_column(ears->replica, cell->column));

	buf_printf(&ears->heard, "%s", name);
	if (with_value && cell->column != 0) {
		buf_printf(&ears->heard, "=");
		world_print_value(&ears->heard, &cell->value);
	}
	buf_printf(&ears->heard, "@%d/%d", (int)cell->stamp,
	           replica_site(ears->replica, cell->site));
}

static void
hear(void *ctx, const struct store_row *row, const struct store_cell *winner,
     const struct store_cell *loser)
{
	struct ears *ears = ctx;

	ck_assert_int_eq(row->table, 1);
	hear_cell(ears, loser, true);
	buf_printf(&ears->heard, " < ");
	hear_cell(ears, winner, true);
	buf_printf(&ears->heard, ";");
}

START_TEST(losers_are_told)
{
	const struct watch_case *c = &watch_cases[_i];
	struct write writes[WORLD_WRITES];
	struct ears ears = { replica_new(0), { 0 } };
	struct sync_merge_watch watch = { hear, &ears }, deaf = { NULL, NULL };

	replica_deliver(ears.replica, writes, world_read(c->before, writes), &deaf, NULL);
	replica_deliver(ears.replica, writes, world_read(c->write, writes), &watch, NULL);
	ck_assert_msg(strcmp(buf_str(&ears.heard), c->told) == 0, "%s\n  heard %s\n  want  %s",
	              c->name, buf_str(&ears.heard), c->told);
	buf_free(&ears.heard);
	replica_free(ears.replica);
}
END_TEST

/* What can't be said in the words of the world: masks of columns that are no cells. */
START_TEST(masks_outside_the_cells_are_not_sound)
{
	static const struct {
		uint64_t mask;
		bool sound;
	} cases[] = {
		{ 0, true },  { 2, true },  { 6, true },
		{ 1, false }, { 8, false }, { UINT64_MAX, false },
	};
	struct store_column columns[] = { { .name = "id", .type = "BLOB", .key = 1 },
		                          { .name = "a", .type = "" },
		                          { .name = "b", .type = "" } };
	struct store_schema schema = { .table = "t",
		                       .scope_prefix = "all",
		                       .scope_column = -1,
		                       .column_count = 3,
		                       .columns = columns };
	struct err err;

	ck_assert_int_eq(store_schema_finish(&schema, &err), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct store_change change = { .schema = &schema,
			                       .op = STORE_UPDATE,
			                       .cl = 1,
			                       .stamp = 1,
			                       .mask = cases[i].mask };

		ck_assert_msg(sync_merge_is_sound(&change) == cases[i].sound, "mask %d", (int)i);
	}
}
END_TEST

/* Both ways of taking memory: the first insert, and a cell more. */
START_TEST(without_memory_it_says_so)
{
	struct replica *r = replica_new(0);
	struct store_batch *b = replica_batch(r);
	const struct store_schema *v4 = b->schema(b, 4), *v1 = b->schema(b, 1);
	struct store_value values[8];
	struct store_change change = {
		.schema = v4, .op = STORE_INSERT, .cl = 1, .stamp = 1, .site = 1, .values = values
	};
	struct store_row row = { .table = 1 };
	struct arena empty = { .limit = 1 }, arena = { 0 };
	struct err err;

	for (int i = 0; i < 8; i++)
		values[i] = store_value_null();
	ck_assert_int_eq(sync_merge(b, &row, &change, NULL, &empty, &err), ERR_NOMEM);
	ck_assert_int_eq(sync_merge(b, &row, &change, NULL, &arena, &err), 0);
	change.schema = v1;
	change.stamp = 2;
	ck_assert_int_eq(sync_merge(b, &row, &change, NULL, &empty, &err), ERR_NOMEM);
	arena_free(&arena);
	replica_free(r);
}
END_TEST

/* The same, with replicas in PostgreSQL. */
static void
in_postgres(void)
{
	world_engine(WORLD_POSTGRES);
}

static void
in_memory(void)
{
	world_engine(WORLD_MEMORY);
}

Suite *
suite_sync_merge(void)
{
	Suite *suite = suite_create("sync/merge");
	TCase *tcase = tcase_create("merge");

	tcase_add_loop_test(tcase, rules_hold_in_every_order, 0, RULE_CASES);
	tcase_add_loop_test(tcase, effects_are_told_to_put, 0, EFFECT_CASES);
	tcase_add_loop_test(tcase, losers_are_told, 0, WATCH_CASES);
	tcase_add_test(tcase, masks_outside_the_cells_are_not_sound);
	tcase_add_test(tcase, without_memory_it_says_so);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("rules in postgres");
	tcase_set_timeout(tcase, 60);
	tcase_set_tags(tcase, "postgres");
	tcase_add_unchecked_fixture(tcase, pg_cluster_begin, NULL);
	tcase_add_checked_fixture(tcase, in_postgres, in_memory);
	tcase_add_loop_test(tcase, rules_hold_in_every_order, 0, RULE_CASES);
	tcase_add_loop_test(tcase, effects_are_told_to_put, 0, EFFECT_CASES);
	suite_add_tcase(suite, tcase);
	return suite;
}

/*
 * tests/sync_apply.c - a segment that comes while memory ends or the disk fails: whichever
 * allocation is the last, whichever statement fails, all of it is there or nothing, and the
 * failure is said; what couldn't be looked up is nobody's right.
 */
#include "tests/broken.h"
#include "tests/parcels.h"
#include "tests/share_world.h"
#include "tests/suites.h"

#include "store/track.h"
#include "sync/seal/seal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 20000, HUB = -1 };

static struct world w;
static struct parcels parcels;
static struct err err;

static void
open_world(void)
{
	share_world_open(&w);
}

static void
close_world(void)
{
	parcels_free(&parcels);
	world_close(&w);
}

static struct world_peer *
peer(int i)
{
	return i == HUB ? &w.hub : &w.nodes[i];
}

/* What it wrote is sealed and signed, and nobody has heard of it. */
static void
keep_to_itself(int i)
{
	if (i == HUB) { /* who meets it there sees nothing of it */
		ck_assert(world_sync(&w, SHARE_C));
		return;
	}
	w.nodes[i].up = false;
	ck_assert(!world_sync(&w, i));
	w.nodes[i].up = true;
}

/* ---- what comes ---- */

static void
share_child(void)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	world_settle(&w, 3);
}

/* A row that is new, a change, a delete, and a dead row that is begun anew. */
static void
write_of_child(int i)
{
	char facility = *w.nodes[i].facility;
	char sql[200];

	snprintf(sql, sizeof sql,
	         "INSERT INTO growth(id, facility_id, child_id, grams) VALUES (x'b1', '%c', x'01',"
	         " 9100)",
	         facility);
	world_sql(&w.nodes[i], sql);
	world_sql(&w.nodes[i], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	world_sql(&w.nodes[i], "DELETE FROM allergy");
	world_wait(&w, 1000);
	snprintf(sql, sizeof sql,
	         "INSERT INTO allergy VALUES (x'01', 7, '%c', 'all nuts'),"
	         " (x'01', 8, '%c', 'eggs')",
	         facility, facility);
	world_sql(&w.nodes[i], sql);
	world_sql(&w.nodes[i], "DELETE FROM allergy WHERE code = 8");
	keep_to_itself(i);
}

static void
an_owner_writes(void)
{
	share_child();
	write_of_child(SHARE_A);
}

/* More than the first list of what is passed on holds, to two others. */
static void
an_owner_writes_much(void)
{
	share_child();
	share_world_say(&w, 1, "f/C", false);
	world_settle(&w, 3);
	world_sql(&w.nodes[SHARE_A],
	          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)"
	          " INSERT INTO growth(id, facility_id, child_id, grams) SELECT"
	          " CAST('g' || i AS BLOB), 'A', x'01', i FROM n");
	world_sql(&w.nodes[SHARE_A], "UPDATE child SET note = 'lively' WHERE id = x'01'");
	keep_to_itself(SHARE_A);
}

static void
another_who_sees_it_writes(void)
{
	share_child();
	write_of_child(SHARE_B);
}

static void
the_hub_passes_on(void)
{
	share_child();
	write_of_child(SHARE_A);
	ck_assert(world_sync(&w, SHARE_A));
}

static void
a_scope_comes(void)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
	keep_to_itself(HUB);
}

static void
a_scope_leaves(void)
{
	share_child();
	share_world_say(&w, 1, "f/B", true);
	keep_to_itself(HUB);
}

static void
a_scope_comes_again(void)
{
	a_scope_leaves();
	world_settle(&w, 3);
	share_world_say(&w, 1, "f/B", false);
	keep_to_itself(HUB);
}

/* It writes as it did before. */
static void
who_has_left_has_not_heard(void)
{
	a_scope_leaves();
	write_of_child(SHARE_B);
}

/* It deletes all, and that stands: somebody who left meanwhile hears of it. */
static void
who_has_left_deletes(void)
{
	a_scope_leaves();
	world_sql(&w.nodes[SHARE_B], "DELETE FROM allergy; DELETE FROM child");
	keep_to_itself(SHARE_B);
}

/* It has heard it, and an older program writes all the same. */
static void
who_has_left_pretends_not_to_know(void)
{
	a_scope_leaves();
	world_settle(&w, 3);
	world_sql(&w.nodes[SHARE_B], "INSERT INTO child VALUES (x'02', 'B', 'Li', NULL)");
	share_world_write_past(&w.nodes[SHARE_B], "UPDATE child SET note = 'after'");
	keep_to_itself(SHARE_B);
}

/* ---- what is the hub's ---- */

/* At a node nothing says that only the hub may write the points. */
static void
track_score(struct world_peer *p)
{
	struct store_track_spec spec = { .table = "score",
		                         .scope = "f/",
		                         .scope_column = "facility_id",
		                         .hub_only = p == &w.hub ? "points" : NULL };

	/* the hub's can't hold each name */
	world_sql(p, p == &w.hub ? "CREATE TABLE score(id INTEGER NOT NULL PRIMARY KEY, facility_id"
	                           " TEXT NOT NULL, name TEXT CHECK(name <> 'z'), points DEFAULT 7)"
	                           " WITHOUT ROWID"
	                         : "CREATE TABLE score(id INTEGER NOT NULL PRIMARY KEY, facility_id"
	                           " TEXT NOT NULL, name TEXT, points DEFAULT 7) WITHOUT ROWID");
	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(store_track_table(p->merge, &spec, p == &w.hub, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
}

/* More rows than the first list of them holds. */
static void
what_is_the_hubs(void)
{
	share_child();
	w.spoiled = true; /* it believes that it may */
	track_score(&w.hub);
	track_score(&w.nodes[SHARE_A]);
	world_sql(&w.nodes[SHARE_A],
	          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)"
	          " INSERT INTO score SELECT i, 'A', 'x', i FROM n;"
	          "INSERT INTO score(id, facility_id, name) VALUES (30, 'A', 'x'), (31, 'A', 'z')");
	keep_to_itself(SHARE_A);
	world_sql(&w.nodes[SHARE_A], "UPDATE score SET points = 99, name = 'y' WHERE id = 1");
	keep_to_itself(SHARE_A);
}

static const struct scene {
	void (*prepare)(void);
	int from, to;
	bool doubts; /* had a write been seen under another name?  What can't be looked up of that
	                is no (sync/merge/twin_priv.h) and asks a person: the rows are the same */
} scenes[] = {
	{ an_owner_writes, SHARE_A, HUB, false },
	{ an_owner_writes_much, SHARE_A, HUB, false },
	{ another_who_sees_it_writes, SHARE_B, HUB, false },
	{ the_hub_passes_on, HUB, SHARE_B, false },
	{ a_scope_comes, HUB, SHARE_B, false },
	{ a_scope_leaves, HUB, SHARE_B, false },
	{ a_scope_comes_again, HUB, SHARE_B, false },
	{ who_has_left_has_not_heard, SHARE_B, HUB, false },
	{ who_has_left_deletes, SHARE_B, HUB, false },
	{ what_is_the_hubs, SHARE_A, HUB, true },
	{ who_has_left_pretends_not_to_know, SHARE_B, HUB, false },
};

enum { SCENES = sizeof scenes / sizeof scenes[0] };

/* ---- failing ---- */

/* Rows that whoever listens there was told of. */
static size_t told;

static int
listen(void *ctx, const struct sync_unit *unit, struct err *why)
{
	(void)ctx, (void)why;
	told += unit->count;
	return 0;
}

static int
take(struct world_peer *to, const struct parcel *parcel, struct sync_ingested *got)
{
	struct rd bytes = rd_from(parcel->bytes.bytes, parcel->bytes.len);

	told = 0;
	return sync_ingest_full(&to->node.r, &bytes, false, got, &err);
}

static void
begin(struct world_peer *to)
{
	int rc = sync_ingest_begin(&to->node.r, &err);

	ck_assert_msg(rc == 0, "%s", err.msg);
	(void)store_catalog_table_by_name(to->merge, "child"); /* loaded, or nothing goes on */
}

static void
expect_same(const struct sync_ingested *got, const struct sync_ingested *want, size_t want_told)
{
	ck_assert_int_eq(got->changes, want->changes);
	ck_assert_int_eq(got->kept_aside, want->kept_aside);
	ck_assert_uint_eq(told, want_told);
}

/* SQLite asks for memory some 9 000 times where triggers are made anew: of those far in, each
 * seventh. */
static unsigned
next(unsigned good)
{
	return good < 500 ? good + 1 : good + 7;
}

/* Fail call 0, 1, 2 ... until none is refused, and put all back as it was.  A segment is only ever
 * taken whole: who couldn't look up what it has seen may wait for it, and SQLite may know another
 * way without memory. */
static void
without(enum broken what, const struct scene *scene, const struct parcel *parcel,
        const struct sync_ingested *want)
{
	const size_t want_told = told;
	struct world_peer *to = peer(scene->to);
	unsigned good = 0;
	bool hit;

	do {
		struct sync_ingested got = { 0 };
		int rc;

		begin(to);
		broken_arm(what, good);
		rc = take(to, parcel, &got);
		hit = broken_disarm();
		sync_ingest_abort(&to->node.r);
		ck_assert_msg(hit || rc == 0, "after %u: %d %s", good, rc, err.msg);
		ck_assert_msg(!hit || rc < 0 || what == BROKEN_MEMORY ||
		                      got.outcome == SYNC_WAITS || scene->doubts,
		              "after %u: unheard", good);
		if (rc == 0 && got.outcome == SYNC_STORED)
			expect_same(&got, want, want_told);
		good = next(good);
	} while (hit && good < MOST);
	ck_assert(!hit);
}

/* A node is given what is of its scope. */
static bool
is_for(const struct scene *scene, int stream)
{
	char sql[200];

	snprintf(sql, sizeof sql,
	         "SELECT count(*) FROM yz_stream s JOIN yz_scope c ON c.id = s.scope WHERE"
	         " s.id = %d AND c.name = 'f/%s'",
	         stream, scene->to == HUB ? "" : w.nodes[scene->to].facility);
	return scene->to == HUB || world_int(peer(scene->from), sql) == 1;
}

/* Each of `from`'s segments that is new to `to`, in their order. */
START_TEST(a_segment_is_taken_whole_or_not)
{
	static const enum broken ways[] = { BROKEN_STEP, BROKEN_EXEC, BROKEN_TAKE, BROKEN_MEMORY };
	const struct scene *scene = &scenes[_i];
	struct world_peer *to = peer(scene->to);
	int taken = 0;

	scene->prepare();
	to->node.r.applied = listen;
	parcels_pack(&w, peer(scene->from), PARCELS_WHOLE, &parcels);
	for (size_t i = 0; i < parcels.count; i++) {
		struct sync_ingested got;
		int rc;

		if (!is_for(scene, parcels.items[i].stream))
			continue;
		begin(to);
		rc = take(to, &parcels.items[i], &got);
		sync_ingest_abort(&to->node.r);
		ck_assert_msg(rc == 0, "%s", err.msg);
		if (got.outcome != SYNC_STORED)
			continue;
		for (size_t k = 0; k < sizeof ways / sizeof ways[0]; k++)
			without(ways[k], scene, &parcels.items[i], &got);
		got = parcel_deliver(to, &parcels.items[i], false);
		ck_assert_int_eq(got.outcome, SYNC_STORED);
		taken++;
	}
	ck_assert_int_gt(taken, 0);
	world_settle(&w, 4);
	share_world_expect_digest(&w, SHARE_A, "f/A");
	share_world_expect_digest(&w, SHARE_B, "f/B");
	share_world_expect_same_child(&w.nodes[SHARE_A], &w.hub);
}
END_TEST

/* ---- what the hub says ---- */

static void
comes(void)
{
	share_world_make_child(&w);
	share_world_say(&w, 1, "f/B", false);
}

static void
leaves(void)
{
	share_child();
	share_world_say(&w, 1, "f/B", true);
}

static void
its_own_leaves(void)
{
	share_child();
	share_world_say(&w, 1, "f/A", true);
}

static void
its_own_comes_home(void)
{
	its_own_leaves();
	world_settle(&w, 3);
	share_world_say(&w, 1, "f/A", false);
}

static void
all_leave(void)
{
	its_own_leaves();
	world_settle(&w, 3);
	share_world_say(&w, 1, "f/B", true);
}

static void
somebody_comes_to_nobodys(void)
{
	all_leave();
	world_settle(&w, 3);
	share_world_say(&w, 1, "f/C", false);
}

static void
the_hub_writes(void)
{
	share_child();
	world_sql(&w.hub, "UPDATE child SET note = 'from the hub' WHERE id = x'01'");
	world_sql(&w.hub, "INSERT INTO growth(id, facility_id, child_id, grams) VALUES"
	                  " (x'c1', 'A', x'01', 9100)");
	world_sql(&w.hub, "DELETE FROM allergy");
}

static void (*const words[])(void) = { comes,
	                               leaves,
	                               all_leave,
	                               its_own_leaves,
	                               its_own_comes_home,
	                               somebody_comes_to_nobodys,
	                               the_hub_writes };

enum { WORDS = sizeof words / sizeof words[0] };

/* Sealed, and carried out on all rows of the child; or nothing of it. */
START_TEST(what_the_hub_says_is_carried_out_or_not)
{
	static const enum broken ways[] = { BROKEN_STEP, BROKEN_EXEC, BROKEN_TAKE, BROKEN_MEMORY };
	unsigned good = 0;
	bool hit;

	words[_i]();
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i += !hit) {
		struct sync_sealed sealed;
		int rc;

		ck_assert_int_eq(store_db_begin(w.hub.merge, &err), 0);
		(void)store_catalog_table_by_name(w.hub.merge, "child"); /* loaded */
		broken_arm(ways[i], good);
		rc = sync_seal(&w.hub.node.r, &sealed, &err);
		hit = broken_disarm();
		store_db_rollback(w.hub.merge);
		ck_assert_msg(hit || rc == 0, "after %u: %d %s", good, rc, err.msg);
		ck_assert_msg(!hit || rc < 0 || ways[i] == BROKEN_MEMORY, "%d after %u: unheard",
		              (int)ways[i], good);
		good = hit ? good + 1 : 0;
	}
	world_settle(&w, 4);
	share_world_expect_level(&w);
}
END_TEST

Suite *
suite_sync_apply(void)
{
	Suite *suite = suite_create("sync/apply");
	TCase *tcase = tcase_create("apply");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, open_world, close_world);
	tcase_add_loop_test(tcase, a_segment_is_taken_whole_or_not, 0, SCENES);
	tcase_add_loop_test(tcase, what_the_hub_says_is_carried_out_or_not, 0, WORDS);
	suite_add_tcase(suite, tcase);
	return suite;
}

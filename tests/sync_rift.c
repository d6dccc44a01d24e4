/* tests/sync_rift.c - rows that differ although both sides have the same records are found, said
 * again, and written down. */
#include "tests/suites.h"
#include "tests/world.h"

#include "node/status.h"
#include "store/rift.h"
#include "store/track.h"
#include "sync/exchange/message.h"
#include "sync/exchange/rift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOST "DELETE FROM yz_clock; DELETE FROM note WHERE text = 'x'"
#define OTHER                                                                                      \
	"UPDATE note SET text = 'y' WHERE text = 'x';"                                             \
	"UPDATE yz_clock SET term = randomblob(16)"

static const char *const facilities[] = { "F1", NULL };
static const char *const two_facilities[] = { "F1", "F1", NULL };
static struct world w;
static struct err err;

/* 400 rows that both have; the `changed` first of them have clocks of their own. */
static void
open_world(int changed)
{
	char sql[200];

	world_open(&w, 3, facilities);
	w.spoiled = true;
	world_sql(&w.nodes[0],
	          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 400)"
	          " INSERT INTO note(id, facility_id, text) SELECT i, 'F1', 'was' FROM"
	          " (SELECT CAST(printf('%016d', i * 7919 % 100000) AS BLOB) AS i FROM n)");
	world_settle(&w, 1);
	snprintf(sql, sizeof sql,
	         "UPDATE note SET text = 'x' WHERE id IN (SELECT id FROM note LIMIT %d)", changed);
	world_wait(&w, 60000);
	world_sql(&w.nodes[0], sql);
	world_settle(&w, 2);
}

static void
close_world(void)
{
	world_close(&w);
}

/* Past triggers and digest, as a dying disk or a wrong program does; then the digest is made to
 * fit, unless it is that which went wrong. */
static void
damage(struct world_peer *p, const char *sql)
{
	bool mended;

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_msg(store_db_exec(p->merge, sql, &err) == 0, "%s", err.msg);
	if (strstr(sql, "yz_digest") == NULL)
		ck_assert_int_eq(store_digest_mend(p->merge, &mended, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
}

/* The rows whose text is 'x' say another one, in the same version or in an older: as if the merge
 * had decided otherwise here. */
static void
decide_otherwise(struct world_peer *p, int64_t older)
{
	struct store_batch *b = p->node.r.batch;
	struct arena a = { 0 };
	struct store_range_rows rows = { .range = store_range_all(), .most = 1000, .arena = &a };

	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(store_catalog_scope(p->merge, "f/F1", &rows.scope, &err), 0);
	ck_assert_int_eq(store_range_rows(p->merge, &rows, &err), 0);
	ck_assert_int_eq(b->get(b, rows.list, rows.count, &a, &err), 0);
	for (size_t i = 0; i < rows.count; i++)
		for (unsigned k = 0; k < rows.list[i]->cell_count; k++) {
			struct store_cell *cell = &rows.list[i]->cells[k];

			if (cell->value.type != STORE_TEXT || cell->value.bytes[0] != 'x')
				continue;
			cell->value.bytes = (const uint8_t *)"w";
			cell->stamp -= older;
			rows.list[i]->changed = rows.list[i]->write_row = true;
		}
	ck_assert_int_eq(b->put(b, rows.list, rows.count, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
	arena_free(&a);
}

static void
ck_equal(void)
{
	char here[33], there[33];
	char *ours = world_dump(&w.nodes[0], "SELECT * FROM note ORDER BY id");
	char *hubs = world_dump(&w.hub, "SELECT * FROM note ORDER BY id");

	ck_assert_str_eq(world_digest(&w.nodes[0], "f/F1", here),
	                 world_digest(&w.hub, "f/F1", there));
	ck_assert_str_eq(ours, hubs);
	free(ours);
	free(hubs);
}

static const struct mend_case {
	const char *name;
	bool at_hub;
	int changed;
	const char *sql, *cause; /* no SQL: decided otherwise, so much older */
	int64_t rifts, older;
} mend_cases[] = {
	{ "a row lost here", false, 1, LOST, "rows that were lost here", 1, 0 },
	{ "a row the hub lost", true, 1, LOST, "rows that the hub had lost", 1, 0 },
	{ "most of them lost here", false, 390, LOST, "rows that were lost here", 1, 0 },
	{ "most of them lost there", true, 390, LOST, "rows that the hub had lost", 1, 0 },
	{ "another value here", false, 3, OTHER, "rows that were changed here past their triggers",
	  3, 0 },
	{ "another value there", true, 3, OTHER, "rows with other versions or values", 3, 0 },
	{ "another decision here", false, 2, NULL, "rows with other versions or values", 2, 0 },
	{ "another decision there", true, 2, NULL, "rows with other versions or values", 2, 0 },
	{ "an older one here", false, 2, NULL, "rows with other versions or values", 2, 9 },
	{ "an older one there", true, 2, NULL, "rows with other versions or values", 2, 9 },
	{ "our digest", false, 1, "UPDATE yz_digest SET sum = randomblob(16)",
	  "the digest kept here was not the sum of the rows", 1, 0 },
	{ "the hub's digest", true, 1, "UPDATE yz_digest SET sum = randomblob(16)",
	  "the digest kept at the hub was not the sum of the rows", 1, 0 },
};

START_TEST(what_differs_is_found_said_again_and_written_down)
{
	const struct mend_case *c = &mend_cases[_i];
	struct world_peer *at = c->at_hub ? &w.hub : &w.nodes[0];
	struct arena a = { 0 };
	struct store_rifts rifts = { .most = 100, .arena = &a };

	open_world(c->changed);
	ck_equal();
	if (c->sql != NULL)
		damage(at, c->sql);
	else
		decide_otherwise(at, c->older);
	w.round_trips = 0;
	ck_assert(world_sync(&w, 0));
	ck_assert_msg(w.round_trips <= 8, "%s: %d round trips", c->name, w.round_trips);
	ck_assert_int_eq(store_rift_list(w.nodes[0].local, &rifts, &err), 0);
	ck_assert_msg((int64_t)rifts.count == c->rifts, "%s: %zu rifts", c->name, rifts.count);
	ck_assert_str_eq(rifts.list[0].cause, c->cause);
	ck_assert(world_sync(&w, 0));
	ck_equal();
	ck_assert_int_eq(
	        world_int(&w.nodes[0], "SELECT count(*) FROM yz_rift WHERE mended_ms IS NULL"), 0);
	/* and there is nothing more to say */
	w.round_trips = 0;
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(w.round_trips, 1);
	arena_free(&a);
	close_world();
}
END_TEST

/* Whichever reply of the look is lost, the next meeting looks again. */
START_TEST(a_look_that_is_interrupted_is_made_up_for)
{
	bool lost = true;

	for (int at = 1; lost; at++) {
		open_world(3);
		damage(at % 2 == 0 ? &w.hub : &w.nodes[0], LOST);
		w.lose_reply = at;
		lost = !world_sync(&w, 0);
		ck_assert(lost || at > 3);
		w.lose_reply = 0;
		ck_assert(world_sync(&w, 0));
		ck_assert(world_sync(&w, 0));
		ck_equal();
		close_world();
	}
}
END_TEST

/* A row that nobody may change, changed past its triggers, isn't passed on as it was made. */
/* What is said again takes many rounds to arrive, and is said once all the same. */
START_TEST(on_a_bad_line_it_is_said_once)
{
	struct node_met met;
	int64_t before;
	char sql[200];

	open_world(390);
	world_sql(&w.hub, "INSERT INTO note(id, facility_id, text) VALUES (x'ff', 'F1', 'hub')");
	for (unsigned i = 0; i < 20; i++) { /* units that have seen something else each */
		snprintf(sql, sizeof sql,
		         "UPDATE note SET text = 'x' || hex(randomblob(200)) WHERE id IN"
		         " (SELECT id FROM note ORDER BY id LIMIT 20 OFFSET %u)",
		         i * 20);
		world_sql(&w.nodes[0], sql);
		world_sql(&w.hub, "UPDATE note SET rank = ifnull(rank, 0) + 1 WHERE id = x'ff'");
		world_wait(&w, 60000);
		world_settle(&w, 2);
	}
	damage(&w.hub, "DELETE FROM yz_clock WHERE key <> x'0401ff';"
	               "DELETE FROM note WHERE id <> x'ff'");
	before = world_int(&w.nodes[0], "SELECT sum(n) FROM yz_stream");
	w.nodes[0].node.stalls = NODE_STALLS;
	world_meet(&w, 0, &met);
	ck_assert(met.ok);
	ck_assert_int_le(world_int(&w.nodes[0], "SELECT sum(n) FROM yz_stream"), before + 2000);
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 0));
	ck_equal();
	close_world();
}
END_TEST

START_TEST(an_event_is_again_what_its_record_says)
{
	struct store_track_spec spec = {
		.table = "tick", .kind = STORE_EVENT, .scope = "f/", .scope_column = "facility_id"
	};
	struct world_peer *p = &w.nodes[0], *peers[] = { p, &w.hub };

	open_world(0);
	for (int i = 0; i < 2; i++) {
		world_sql(peers[i],
		          "CREATE TABLE tick(id TEXT NOT NULL PRIMARY KEY, facility_id TEXT"
		          " NOT NULL, amount INTEGER) WITHOUT ROWID");
		ck_assert_int_eq(store_db_begin(peers[i]->merge, &err), 0);
		ck_assert_int_eq(store_track_table(peers[i]->merge, &spec, i == 1, &err), 0);
		ck_assert_int_eq(store_db_commit(peers[i]->merge, &err), 0);
	}
	world_sql(p, "INSERT INTO tick VALUES ('a', 'F1', 5)");
	world_settle(&w, 2);
	ck_assert_int_eq(store_db_exec(p->merge, "UPDATE tick SET amount = 500", &err), 0);
	/* as its term is still the right one the digests are equal; another row makes them differ
	 */
	damage(p, "DELETE FROM yz_clock_run WHERE tbl IN (SELECT id FROM yz_table WHERE name ="
	          " 'note'); DELETE FROM note");
	world_settle(&w, 2);
	ck_equal();
	ck_assert_int_eq(world_int(&w.hub, "SELECT amount FROM tick"), 5);
	ck_assert_int_eq(world_int(p, "SELECT amount FROM tick"), 5);
	close_world();
}
END_TEST

/* A node can't say it for the hub; but the hub has its own records. */
START_TEST(what_the_hub_wrote_and_lost_it_merges_again)
{
	struct world_peer *p = &w.nodes[0];
	char *before, *after;

	open_world(3);
	world_sql(&w.hub, "INSERT INTO note(id, facility_id, text) VALUES (x'ff', 'F1', 'hub'),"
	                  " (x'fe', 'F1', 'goes')");
	world_settle(&w, 2);
	world_sql(&w.hub, "UPDATE note SET text = 'x', rank = 7 WHERE id = x'ff';"
	                  "DELETE FROM note WHERE id = x'fe'");
	world_settle(&w, 2);
	world_sql(p, "UPDATE note SET rank = 8 WHERE id = x'ff'"); /* both wrote in one row */
	world_settle(&w, 2);
	before = world_dump(p, "SELECT * FROM note ORDER BY id");
	damage(&w.hub, LOST "; DELETE FROM yz_extra");
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id = x'ff'"), 0);
	ck_assert(world_sync(&w, 0));
	ck_assert(world_sync(&w, 0));
	ck_equal();
	after = world_dump(p, "SELECT * FROM note ORDER BY id");
	ck_assert_str_eq(after, before);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_rift WHERE mended_ms IS NULL"), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_conflict"), 0);
	free(before);
	free(after);
	close_world();
}
END_TEST

/* What the hub itself wrote and lost, records and all, a node can't say for it. */
START_TEST(what_nobody_can_say_again_stays_an_alarm)
{
	struct world_peer *p = &w.nodes[0];
	struct node_status s;
	struct arena a = { 0 };
	struct buf line = { 0 };

	open_world(0);
	world_sql(&w.hub, "INSERT INTO note(id, facility_id) VALUES (x'ff', 'F1')");
	world_settle(&w, 2);
	world_sql(&w.hub, "UPDATE note SET text = 'x' WHERE id = x'ff'");
	world_settle(&w, 2);
	damage(&w.hub,
	       LOST "; DELETE FROM yz_segment WHERE stream IN (SELECT t.id FROM yz_stream AS t"
	            " JOIN yz_site AS s ON s.id = t.site JOIN yz_meta AS m ON m.value ="
	            " s.node WHERE m.name = 'node')");
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(node_status_read(p->local, NULL, &a, &s, &err), 0);
	ck_assert_int_eq(node_status_state(&s), NODE_ATTENTION);
	ck_assert_int_eq(node_status_exit(node_status_state(&s)), 4);
	node_status_line(&line, &s, w.wall_ms);
	ck_assert_msg(strstr(buf_str(&line), "f/F1 differs from the hub although both have the "
	                                     "same records, from the first row to before note "
	                                     "30303030303030303030303030333739: rows that the hub "
	                                     "had lost") != NULL,
	              "%s", buf_str(&line));
	/* it is let be now; the week after it is looked at again */
	w.round_trips = 0;
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(w.round_trips, 1);
	world_wait(&w, (int64_t)8 * 86400000);
	ck_assert(world_sync(&w, 0));
	ck_assert_int_gt(w.round_trips, 2);
	/* and is told once */
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM yz_rift WHERE mended_ms IS NULL"), 1);
	arena_free(&a);
	buf_free(&line);
	close_world();
}
END_TEST

/* ---- asked for again and again ---- */

static bool
any_scope(void *ctx, const char *scope)
{
	(void)ctx, (void)scope;
	return true;
}

/* How many records the hub's streams grow by when this node asks for all rows of its scope. */
static int64_t
ask_for_all(const struct world_peer *p)
{
	static const char count[] = "SELECT sum(n) FROM yz_stream";
	struct sync_view_question q = { .range = store_range_all(), .anew = true };
	const char *scopes[] = { "f/F1" };
	struct sync_message m = {
		.scopes = scopes, .scope_count = 1, .questions = &q, .question_count = 1
	};
	struct sync_rift_asked asked = { .m = &m, .readable = any_scope };
	int64_t before = world_int(&w.hub, count);

	memcpy(m.self.node, p->node.r.self.node, STORE_NODE_ID);
	ck_assert_int_eq(store_db_begin(w.hub.merge, &err), 0);
	ck_assert_int_eq(sync_rift_say_asked(&w.hub.node.r, &asked, &err), 0);
	ck_assert_int_eq(store_db_commit(w.hub.merge, &err), 0);
	return world_int(&w.hub, count) - before;
}

/* What is said again stays in the hub's stream: the disk would be the one who asks often. */
START_TEST(a_node_has_so_many_rows_said_again_a_day)
{
	int64_t said = 0;

	world_open(&w, 3, two_facilities);
	world_sql(&w.hub,
	          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)"
	          " INSERT INTO note(facility_id, text) SELECT 'F1', 'was' FROM n");
	world_settle(&w, 1);
	for (int i = 0; i < 8; i++)
		said += ask_for_all(&w.nodes[0]);
	ck_assert_int_ge(said, SYNC_RIFT_DAY);
	ck_assert_int_le(said, SYNC_RIFT_DAY + 8); /* and the units' openings */
	ck_assert_int_eq(ask_for_all(&w.nodes[0]), 0);
	/* others have their own, and so has the next day */
	ck_assert_int_gt(ask_for_all(&w.nodes[1]), 5000);
	world_wait(&w, 86400000);
	ck_assert_int_gt(ask_for_all(&w.nodes[0]), 5000);
	world_close(&w);
}
END_TEST

/* Rows whose values are in no record are looked for, each in all of them. */
START_TEST(rows_that_are_looked_for_in_vain_are_counted)
{
	struct arena a = { 0 };
	struct store_range_rows rows = { .range = store_range_all(), .most = 1000, .arena = &a };
	struct sync_rift_right right = { .tries = SYNC_RIFT_TRIES };

	open_world(0);
	/* gone without having been deleted; and what wrote them is gone, too */
	damage(&w.hub, "DELETE FROM note; UPDATE yz_stream SET n = 0; DELETE FROM yz_segment");
	ck_assert_int_eq(store_db_begin(w.hub.merge, &err), 0);
	ck_assert_int_eq(store_catalog_scope(w.hub.merge, "f/F1", &rows.scope, &err), 0);
	ck_assert_int_eq(store_range_rows(w.hub.merge, &rows, &err), 0);
	ck_assert_uint_eq(rows.count, 400);
	ck_assert_int_eq(sync_rift_put_right(&w.hub.node.r, &rows, &right, &err), 0);
	store_db_rollback(w.hub.merge);
	ck_assert_int_eq(right.restored, 0);
	ck_assert_int_eq(right.tries, 0);
	arena_free(&a);
	close_world();
}
END_TEST

/* By asking it is the same budget: the hub tries so often for one node on one day. */
START_TEST(who_asks_often_has_no_more_looked_for)
{
	char name[64], *said;
	int64_t tried = 0;

	open_world(0);
	damage(&w.hub, "DELETE FROM note; UPDATE yz_stream SET n = 0; DELETE FROM yz_segment");
	for (int i = 0; i < 12; i++)
		ask_for_all(&w.nodes[0]);
	strcpy(name, "SELECT value FROM yz_meta WHERE name LIKE 'said again %'");
	said = world_dump(&w.hub, name);
	/* day, rows, tries: 8 bytes each, the last of the blob */
	ck_assert_uint_ge(strlen(said), 18);
	for (const char *c = said + strlen(said) - 18; *c != ' '; c++)
		tried = tried * 16 + (*c <= '9' ? *c - '0' : *c - 'a' + 10);
	ck_assert_int_eq(tried, SYNC_RIFT_DAY_TRIES);
	free(said);
	close_world();
}
END_TEST

Suite *
suite_sync_rift(void)
{
	Suite *suite = suite_create("sync/rift");
	TCase *mends = tcase_create("mends"), *often = tcase_create("often");

	tcase_add_loop_test(mends, what_differs_is_found_said_again_and_written_down, 0,
	                    sizeof mend_cases / sizeof mend_cases[0]);
	tcase_add_test(mends, what_the_hub_wrote_and_lost_it_merges_again);
	tcase_add_test(mends, what_nobody_can_say_again_stays_an_alarm);
	tcase_add_test(mends, a_look_that_is_interrupted_is_made_up_for);
	tcase_add_test(mends, on_a_bad_line_it_is_said_once);
	tcase_add_test(mends, an_event_is_again_what_its_record_says);
	suite_add_tcase(suite, mends);
	tcase_add_test(often, a_node_has_so_many_rows_said_again_a_day);
	tcase_add_test(often, rows_that_are_looked_for_in_vain_are_counted);
	tcase_add_test(often, who_asks_often_has_no_more_looked_for);
	suite_add_tcase(suite, often);
	return suite;
}

/*
 * tests/sync_late.c - what a node sends whose key was revoked: nothing of it counts, nothing of
 * it is lost, and a person decides (sync/merge/late_priv.h).
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "store/held.h"
#include "store/inbox.h"
#include "sync/exchange/exchange.h"
#include "sync/exchange/outgoing.h"
#include "sync/merge/ingest.h"
#include "sync/merge/late.h"
#include "sync/merge/late_priv.h"

#include <stdio.h>
#include <string.h>

static const char *const facilities[] = { "F1", "F1", NULL };
static struct world w;
static struct world_peer *const thief = &w.nodes[0], *const other = &w.nodes[1];
static struct err err;
static bool (*granted)(void *ctx, const struct store_site *site, const char *scope);
static bool revoked;

static bool
is_thief(const struct store_site *site)
{
	return memcmp(site->node, thief->node.r.self.node, STORE_NODE_ID) == 0;
}

static bool
may_write(void *ctx, const struct store_site *site, const char *scope)
{
	return !(revoked && is_thief(site)) && granted(ctx, site, scope);
}

static bool
might_write(void *ctx, const struct store_site *site, const char *scope)
{
	return revoked && is_thief(site) && granted(ctx, site, scope);
}

static void
note(struct world_peer *p, const char *id)
{
	char sql[160];

	snprintf(sql, sizeof sql,
	         "INSERT INTO note(id, facility_id, text) VALUES (x'%s', 'F1', 't')", id);
	world_sql(p, sql);
}

static int64_t
notes(struct world_peer *p)
{
	return world_int(p, "SELECT count(*) FROM note");
}

static int64_t
held(void)
{
	return world_int(&w.hub, "SELECT count(*) FROM yz_held");
}

static int64_t
listed(void)
{
	return world_int(&w.hub, "SELECT count(*) FROM yz_quarantine WHERE dropped_ms IS NULL"
	                         " AND reason LIKE 'revoked: %'");
}

/* a1 is at the hub, and at the other; then the key is revoked. */
static void
open_world(void)
{
	world_open(&w, 41, facilities);
	granted = w.hub.node.r.may_write;
	w.hub.node.r.may_write = may_write;
	w.hub.node.r.might_write = might_write;
	revoked = false;
	note(thief, "a1");
	world_settle(&w, 2);
	revoked = true;
}

static void
close_world(void)
{
	world_close(&w);
}

/* One meeting of p, as its door has it: what it asks is looked at, and refused. */
static struct sync_late
come(struct world_peer *p)
{
	struct node_event sync = { .type = NODE_EV_SYNC };
	struct node_event lost = { .type = NODE_EV_LOST, .words = "refused", .denied = true };
	struct sync_late late = { .r = &w.hub.node.r };
	struct node_effects fx = { 0 };

	p->node.failures = 0; /* all of it, not a little to try the line */
	ck_assert_int_eq(node_step(&p->node, &sync, &fx, &err), 0);
	ck_assert(fx.send);
	memcpy(late.peer, p->node.r.self.node, STORE_NODE_ID);
	ck_assert_msg(sync_exchange_late(&late, fx.request.bytes, fx.request.len, &err) == 0, "%s",
	              err.msg);
	ck_assert_int_eq(node_step(&p->node, &lost, &fx, &err), 0);
	node_effects_clear(&fx);
	return late;
}

static int64_t
entry(void)
{
	return world_int(&w.hub, "SELECT id FROM yz_quarantine");
}

/* A person at the hub asks for it by name. */
static void
let_in(void)
{
	struct node_event tick = { .type = NODE_EV_TICK };
	struct node_effects fx = { 0 };

	ck_assert_int_eq(store_quarantine_wake(w.hub.merge, entry(), &err), 0);
	note(&w.hub, "cc"); /* something to seal */
	world_wait(&w, 3600000);
	ck_assert_int_eq(node_step(&w.hub.node, &tick, &fx, &err), 0);
	node_effects_clear(&fx);
}

START_TEST(what_comes_late_counts_for_nobody)
{
	note(thief, "b1");
	ck_assert_int_gt(come(thief).bytes, 0);
	ck_assert_int_eq(held(), 1);
	ck_assert_int_eq(listed(), 1);
	ck_assert_int_eq(notes(&w.hub), 1);
	ck_assert(world_sync(&w, 1));
	ck_assert_int_eq(notes(other), 1);
	/* the same once more is nothing new, and whatever else is tried again, this isn't */
	ck_assert_int_eq(come(thief).bytes, 0);
	ck_assert_int_eq(store_quarantine_wake(w.hub.merge, STORE_QUARANTINE_ALL, &err), 0);
	ck_assert(world_sync(&w, 1));
	ck_assert_int_eq(held(), 1);
	ck_assert_int_eq(notes(&w.hub), 1);
	/* what follows is listed with it */
	note(thief, "b2");
	ck_assert_int_gt(come(thief).bytes, 0);
	ck_assert_int_eq(listed(), 1);
	ck_assert_int_eq(notes(&w.hub), 1);
}
END_TEST

START_TEST(what_comes_late_can_be_let_in)
{
	note(thief, "b1");
	come(thief);
	note(thief, "b2");
	world_sql(thief, "UPDATE note SET text = 'late' WHERE id = x'a1'");
	come(thief);
	let_in();
	ck_assert_int_eq(held(), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
	ck_assert_int_eq(notes(&w.hub), 4);
	ck_assert(world_sync(&w, 1));
	ck_assert_int_eq(notes(other), 4);
	ck_assert_int_eq(world_int(other, "SELECT count(*) FROM note WHERE text = 'late'"), 1);
	/* that opened nothing: what comes then is kept aside again */
	note(thief, "b3");
	come(thief);
	ck_assert_int_eq(listed(), 1);
	ck_assert_int_eq(notes(&w.hub), 4);
}
END_TEST

/* The hub has more than the node was told: what it says again begins before the stream's end. */
START_TEST(a_reply_was_lost_before)
{
	revoked = false;
	note(thief, "b1");
	w.lose_reply = true;
	ck_assert(!world_sync(&w, 0));
	revoked = true;
	note(thief, "b2");
	ck_assert_int_gt(come(thief).bytes, 0);
	note(thief, "b3");
	ck_assert_int_gt(come(thief).bytes, 0);
	ck_assert_int_eq(notes(&w.hub), 2);
	let_in();
	ck_assert_int_eq(held(), 0);
	ck_assert_int_eq(notes(&w.hub), 5);
}
END_TEST

START_TEST(what_is_given_up_does_not_come_again)
{
	note(thief, "b1");
	come(thief);
	ck_assert_int_eq(store_quarantine_drop(w.hub.merge, entry(), "wang", &err), 0);
	ck_assert_int_eq(store_held_cut(w.hub.merge,
	                                (int)world_int(&w.hub, "SELECT stream FROM yz_held"), 0,
	                                &err),
	                 0);
	note(thief, "b2");
	ck_assert_str_eq(come(thief).why, "it was given up by a person here");
	ck_assert_int_eq(held(), 0);
	ck_assert_int_eq(listed(), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine WHERE dropped_by ="
	                                   " 'wang'"),
	                 1);
}
END_TEST

/* Both have the key.  What was there first stays. */
START_TEST(the_thief_takes_nothing_from_the_owner)
{
	int i = world_clone(&w, 0);
	struct world_peer *owner = &w.nodes[i];
	struct sync_late late;

	note(owner, "b1");
	note(thief, "d1");
	come(owner);
	note(thief, "d2");
	note(thief, "d3");
	late = come(thief);
	ck_assert_int_eq(late.bytes, 0);
	ck_assert_str_eq(late.why, "it does not continue what is kept aside of its stream");
	note(owner, "b2");
	ck_assert_int_gt(come(owner).bytes, 0);
	let_in();
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id IN (x'b1', x'b2')"),
	                 2);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id >= x'd0'"), 0);
}
END_TEST

/* The disk isn't theirs: neither by one stream, nor by ever new ones. */
START_TEST(there_is_an_end_of_it)
{
	char sql[120];
	struct sync_late late;

	note(thief, "b1");
	come(thief);
	snprintf(sql, sizeof sql,
	         "UPDATE yz_held SET n = 999; INSERT INTO yz_held SELECT stream, 9999, "
	         "zeroblob(%d) FROM yz_held",
	         SYNC_LATE_BYTES);
	ck_assert_int_eq(store_db_exec(w.hub.merge, sql, &err), 0);
	note(thief, "b2");
	late = come(thief);
	ck_assert_str_eq(late.why, "as much of its node is kept aside as may be");
	ck_assert_int_eq(late.bytes, 0);
	ck_assert_int_eq(listed(), 1);
}
END_TEST

/* Of others' streams, and of what it never might write, nothing is kept. */
START_TEST(only_its_own_is_kept)
{
	struct sync_late late;

	w.hub.node.r.might_write = NULL;
	note(thief, "b1");
	late = come(thief);
	ck_assert_str_eq(late.why, "it is of a stream that the node might not write");
	ck_assert_int_eq(held(), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
}
END_TEST

/* ---- in pieces ---- */

/* The records of the thief's stream after `n`: up to the next signed head, or all. */
static uint64_t
give(uint64_t n, bool least, enum sync_outcome want)
{
	struct sync_ingest_from from = { .scope = "f/F1", .n = n, .late = true };
	struct store_stream *list;
	struct arena a = { 0 };
	struct buf out = { 0 };
	struct sync_ingested got;
	struct rd r, one;
	size_t count, len;
	const uint8_t *at;
	uint64_t to = n;

	ck_assert_int_eq(store_stream_list(thief->merge, 0, &a, &list, &count, &err), 0);
	for (size_t i = 0; i < count; i++)
		if (list[i].site == thief->node.r.self.id)
			list[0] = list[i];
	ck_assert_int_eq((least ? sync_outgoing_least : sync_outgoing_next)(thief->merge, &list[0],
	                                                                    n, &out, &to, &err),
	                 0);
	r = rd_from(out.bytes, out.len);
	at = rd_lenbytes(&r, &len);
	one = rd_from(at, len);
	memcpy(from.site.node, thief->node.r.self.node, STORE_NODE_ID);
	memcpy(from.site.epoch, thief->node.r.self.epoch, STORE_EPOCH);
	ck_assert_int_eq(sync_ingest_begin(&w.hub.node.r, &err), 0);
	ck_assert_int_ge(sync_ingest_short(&w.hub.node.r, &from, &one, &got, &err), 0);
	ck_assert_int_eq(sync_ingest_end(&w.hub.node.r, &err), 0);
	ck_assert_msg(got.outcome == want, "%d: %s", got.outcome, got.reason);
	buf_free(&out);
	arena_free(&a);
	return to;
}

/* Sealed and signed, each by itself, with no line. */
static void
seal(const char *id)
{
	note(thief, id);
	thief->up = false;
	world_sync(&w, 0);
	thief->up = true;
	world_wait(&w, 60000);
}

START_TEST(pieces_go_on_where_the_last_ended)
{
	static const char *const ids[] = { "b1", "b2", "b3", "b4" };
	uint64_t at = (uint64_t)world_int(&w.hub, "SELECT max(n) FROM yz_stream"), one, two;

	for (int i = 0; i < 4; i++)
		seal(ids[i]);
	one = give(at, true, SYNC_HELD);
	two = give(one, true, SYNC_HELD);
	ck_assert_int_eq(held(), 2);
	give(one, true, SYNC_HELD); /* again */
	give(two + 1, true, SYNC_GAP);
	ck_assert_int_eq(held(), 2);
	give(one, false, SYNC_HELD); /* a longer one in place of the second */
	ck_assert_int_eq(held(), 2);
	give(at, false, SYNC_HELD); /* all of it is there already */
	ck_assert_int_eq(held(), 2);
	ck_assert_int_eq(listed(), 1);
	ck_assert_int_eq(notes(&w.hub), 1);
	let_in();
	ck_assert_int_eq(held(), 0);
	ck_assert_int_eq(notes(&w.hub), 6);
}
END_TEST

/* What can't be read stays where it is, and what follows, behind what could. */
START_TEST(a_piece_that_is_not_taken_stays_kept)
{
	uint64_t at = (uint64_t)world_int(&w.hub, "SELECT max(n) FROM yz_stream"), one, two;

	seal("b1");
	seal("b2");
	seal("b3");
	one = give(at, true, SYNC_HELD);
	two = give(one, true, SYNC_HELD);
	give(two, true, SYNC_HELD);
	ck_assert_int_eq(held(), 3);
	world_sql(&w.hub, "UPDATE yz_held SET bytes = CAST(substr(bytes, 1, length(bytes) - 2) ||"
	                  " x'0000' AS BLOB) WHERE n = (SELECT n FROM yz_held ORDER BY n LIMIT 1"
	                  " OFFSET 1)");
	let_in();
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id = x'b1'"), 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note WHERE id IN (x'b2', x'b3')"),
	                 0);
	ck_assert_int_eq(held(), 2);
	ck_assert_int_eq(listed(), 1);
}
END_TEST

Suite *
suite_sync_late(void)
{
	Suite *suite = suite_create("sync/late");
	TCase *tc = tcase_create("late");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_comes_late_counts_for_nobody);
	tcase_add_test(tc, what_comes_late_can_be_let_in);
	tcase_add_test(tc, a_reply_was_lost_before);
	tcase_add_test(tc, what_is_given_up_does_not_come_again);
	tcase_add_test(tc, the_thief_takes_nothing_from_the_owner);
	tcase_add_test(tc, there_is_an_end_of_it);
	tcase_add_test(tc, only_its_own_is_kept);
	tcase_add_test(tc, pieces_go_on_where_the_last_ended);
	tcase_add_test(tc, a_piece_that_is_not_taken_stays_kept);
	suite_add_tcase(suite, tc);
	return suite;
}

/* tests/node_status.c - the one word of a state follows from the facts, and the facts from the
 * file. */
#include "tests/suites.h"
#include "tests/world.h"

#include "node/status.h"
#include "store/catalog.h"
#include "store/remote.h"
#include "sync/seal/seal.h"

#include <stdio.h>
#include <string.h>

static struct world w;
static struct err err;

/* ---- the decision ---- */

static const struct state_case {
	const char *name;
	int64_t conflicts, quarantined, waiting, last_success_ms;
	const char *last_error;
	int differs, syncing, is_hub;
	const char *want;
	int64_t exit_code;
} state_cases[] = {
	{ "nothing ever happened", 0, 0, 0, 0, "", 0, 0, 0, "never_synced", 0 },
	{ "never, with changes", 0, 0, 3, 0, "", 0, 0, 0, "never_synced", 0 },
	{ "never, hub is down", 0, 0, 3, 0, "timeout", 0, 0, 0, "never_synced", 0 },
	{ "all is there", 0, 0, 0, 1, "", 0, 0, 0, "in_sync", 0 },
	{ "changes wait", 0, 0, 1, 1, "", 0, 0, 0, "waiting", 0 },
	{ "changes wait, hub is down", 0, 0, 1, 1, "timeout", 0, 0, 0, "waiting", 0 },
	{ "hub is down, nothing waits", 0, 0, 0, 1, "timeout", 0, 0, 0, "unreachable", 3 },
	{ "in an exchange", 0, 0, 1, 1, "", 0, 1, 0, "syncing", 0 },
	{ "first exchange", 0, 0, 1, 0, "", 0, 1, 0, "syncing", 0 },
	{ "conflict", 1, 0, 0, 1, "", 0, 0, 0, "attention", 4 },
	{ "quarantine", 0, 1, 0, 1, "", 0, 0, 0, "attention", 4 },
	{ "digest", 0, 0, 0, 1, "", 1, 0, 0, "attention", 4 },
	{ "conflict above all", 1, 0, 1, 0, "timeout", 0, 1, 0, "attention", 4 },
	{ "hub", 0, 0, 0, 0, "", 0, 0, 1, "in_sync", 0 },
	{ "hub whose node differs", 0, 0, 0, 0, "", 2, 0, 1, "attention", 4 },
	{ "hub with a conflict", 1, 0, 0, 0, "", 0, 0, 1, "attention", 4 },
};

enum { STATE_CASES = sizeof state_cases / sizeof state_cases[0] };

START_TEST(a_lost_table_needs_a_person)
{
	struct node_status s = {
		.hub = "", .last_error = "", .last_success_ms = 1, .lost_tables = 1, .lost_rows = 2
	};
	struct buf line = { 0 };

	ck_assert_int_eq(node_status_state(&s), NODE_ATTENTION);
	node_status_line(&line, &s, 1000);
	ck_assert_msg(strstr(buf_str(&line), "1 table is lost and 2 rows wait for it, ") != NULL,
	              "%s", buf_str(&line));
	buf_free(&line);
}
END_TEST

START_TEST(a_full_disk_needs_a_person)
{
	struct node_status s = { .hub = "", .last_error = "", .last_success_ms = 1 };
	struct buf line = { 0 };

	ck_assert_int_eq(node_status_state(&s), NODE_IN_SYNC);
	s.disk_full = true;
	ck_assert_int_eq(node_status_state(&s), NODE_ATTENTION);
	ck_assert_int_eq(node_status_exit(node_status_state(&s)), 4);
	node_status_line(&line, &s, 1000);
	ck_assert_msg(strstr(buf_str(&line), "the disk is full, make room") != NULL, "%s",
	              buf_str(&line));
	buf_free(&line);
}
END_TEST

START_TEST(first_state_that_holds)
{
	const struct state_case *c = &state_cases[_i];
	struct node_status_scope scope = { .scope = "f/F1", .differs = c->differs == 1 };
	struct node_status s = { .conflicts = c->conflicts,
		                 .quarantined = c->quarantined,
		                 .waiting = c->waiting,
		                 .last_success_ms = c->last_success_ms,
		                 .last_error = c->last_error,
		                 .syncing = c->syncing != 0,
		                 .hub = "",
		                 .scopes = &scope,
		                 .scope_count = 1 };
	enum node_state state;

	s.role.is_hub = c->is_hub != 0;
	s.differing_nodes = c->differs == 2;
	state = node_status_state(&s);
	ck_assert_msg(strcmp(node_status_word(state), c->want) == 0, "%s: %s", c->name,
	              node_status_word(state));
	ck_assert_msg(node_status_exit(state) == c->exit_code, "%s: exit code", c->name);
}
END_TEST

/* ---- the facts ---- */

static void
open_world(void)
{
	static const char *const facilities[] = { "F1", "F1", NULL };

	world_open(&w, 5, facilities);
}

static void
close_world(void)
{
	world_close(&w);
}

static struct node_status
look(struct world_peer *p, struct arena *a)
{
	struct node_status s;

	ck_assert_msg(node_status_read(p->merge, NULL, a, &s, &err) == 0, "%s", err.msg);
	/* the world has no meta "facility" */
	s.role.is_hub = p == &w.hub;
	return s;
}

static int64_t
waiting(struct world_peer *p)
{
	struct arena a = { 0 };
	int64_t n = look(p, &a).waiting;

	arena_free(&a);
	return n;
}

START_TEST(waiting_is_what_the_hub_has_not_got)
{
	struct world_peer *p = &w.nodes[0];

	/* without a facility in its meta a file says it is a hub's; give it one */
	world_sql(p, "INSERT INTO yz_meta VALUES ('facility', 'F1')");
	ck_assert_int_eq(waiting(p), 0);
	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a'), (x'02', "
	             "'F1', 'b')");
	ck_assert_int_eq(waiting(p), 2);
	world_sql(p,
	          "UPDATE note SET text = 'c' WHERE id = x'01'"); /* the same row, not sealed yet */
	ck_assert_int_eq(waiting(p), 2);
	p->up = false;
	ck_assert(!world_sync(&w, 0)); /* sealed, but nobody has it */
	ck_assert_int_eq(waiting(p), 2);
	world_sql(p, "UPDATE note SET text = 'd' WHERE id = x'01'");
	ck_assert_int_eq(waiting(p), 3);
	p->up = true;
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(waiting(p), 0);
	/* what others wrote doesn't wait here */
	world_sql(&w.nodes[1], "INSERT INTO note(id, facility_id) VALUES (x'03', 'F1')");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(p, "SELECT count(*) FROM note"), 3);
	ck_assert_int_eq(waiting(p), 0);
}
END_TEST

/* The file is found to be a copy: it goes on under another epoch, over the same rows. */
static void
begin_new_life(struct world_peer *p)
{
	struct sync_replica before = p->node.r;
	uint8_t epoch[STORE_EPOCH] = "another";

	ck_assert_int_eq(store_meta_set(p->merge, "epoch", epoch, sizeof epoch, &err), 0);
	node_close(&p->node);
	ck_assert_int_eq(node_open(&p->node, p->merge, &p->key, false, &err), 0);
	p->node.r.may_write = before.may_write;
	p->node.r.key_of = before.key_of;
	p->node.r.ctx = before.ctx;
}

/* Sealed, not signed yet, and then the epoch is another one: nobody else has these records. */
START_TEST(what_an_earlier_life_sealed_waits_and_is_sent)
{
	struct world_peer *p = &w.nodes[0];
	struct sync_sealed sealed;

	world_sql(p, "INSERT INTO yz_meta VALUES ('facility', 'F1')");
	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	ck_assert_int_eq(store_db_begin(p->merge, &err), 0);
	ck_assert_int_eq(sync_seal(&p->node.r, &sealed, &err), 0);
	ck_assert_int_eq(store_db_commit(p->merge, &err), 0);
	begin_new_life(p);
	ck_assert_int_eq(waiting(p), 1);
	world_settle(&w, 2);
	ck_assert_int_eq(waiting(p), 0);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM note"), 1);
}
END_TEST

/* A hub that was restored is another life: what it acknowledged before says nothing of now. */
START_TEST(acknowledged_is_per_life_of_the_hub)
{
	struct world_peer *p = &w.nodes[0];
	struct store_remote hub;
	struct arena a = { 0 };

	world_sql(p, "INSERT INTO yz_meta VALUES ('facility', 'F1')");
	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	world_settle(&w, 1);
	ck_assert_int_eq(waiting(p), 0);
	ck_assert_int_eq(store_remote_get(p->merge, "hub", &a, &hub, &err), 0);
	hub.epoch[0] ^= 1;
	ck_assert_int_eq(store_remote_put(p->merge, "hub", &hub, &err), 0);
	ck_assert_int_eq(waiting(p), 1);
	arena_free(&a);
}
END_TEST

START_TEST(what_was_refused_is_not_in_sync)
{
	struct world_peer *p = &w.nodes[0];
	struct arena a = { 0 };
	struct node_status s;

	world_sql(p, "INSERT INTO yz_meta VALUES ('facility', 'F1')");
	world_settle(&w, 1);
	world_sql(&w.hub, "INSERT INTO note(id, facility_id) VALUES (x'01', 'F1')");
	w.damage_reply = true; /* in the hub's records; its receipts are as it signed them */
	world_sync(&w, 0);
	s = look(p, &a);
	ck_assert_int_ne(node_status_state(&s), NODE_IN_SYNC);
	ck_assert_str_ne(s.last_error, "");
	world_settle(&w, 1);
	s = look(p, &a);
	ck_assert_int_eq(node_status_state(&s), NODE_IN_SYNC);
	arena_free(&a);
}
END_TEST

/* What is told for a week is told for a week of the hub's, whatever the clock here says. */
START_TEST(what_happened_is_told_by_the_time_that_is)
{
	static const int64_t skews[] = { 0, 9, -9 }; /* days */
	static const int64_t day = 86400000;
	struct world_peer *p = &w.nodes[0];
	struct arena a = { 0 };

	p->skew_ms = skews[_i] * day;
	world_settle(&w, 2);
	world_save(p, "before");
	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	world_settle(&w, 2);
	world_put_back(p, "before");
	world_settle(&w, 2);
	ck_assert_int_eq(look(p, &a).life.word, SYNC_LIFE_RESTORED);
	world_wait(&w, 6 * day);
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(look(p, &a).life.word, SYNC_LIFE_RESTORED);
	world_wait(&w, 2 * day);
	ck_assert(world_sync(&w, 0));
	ck_assert_int_eq(look(p, &a).life.word, SYNC_LIFE_QUIET);
	arena_free(&a);
}
END_TEST

/* A street's pull was cut off, and then the street was taken away: nothing more comes of it. */
START_TEST(a_scope_that_is_read_no_more_keeps_nobody_waiting)
{
	struct store_remote_digest street = { .sum = "not what is here", .at_ms = 1 };
	struct world_peer *p = &w.nodes[0];
	struct arena a = { 0 };
	struct node_status s;

	world_sql(p, "INSERT INTO yz_meta VALUES ('facility', 'F1')");
	world_settle(&w, 2);
	ck_assert(store_db_begin(p->merge, &err) == 0 &&
	          store_catalog_scope(p->merge, "s/S1", &street.scope, &err) == 0 &&
	          store_remote_set_digest(p->merge, "hub", &street, &err) == 0 &&
	          store_db_commit(p->merge, &err) == 0);
	w.lose_reply = 1; /* nothing was heard, so nothing is forgotten */
	ck_assert(!world_sync(&w, 0));
	s = look(p, &a);
	ck_assert_int_eq(s.waiting, 0);
	ck_assert_int_eq(node_status_state(&s), NODE_WAITING);
	ck_assert(world_sync(&w, 0));
	s = look(p, &a);
	ck_assert_int_eq(node_status_state(&s), NODE_IN_SYNC);
	ck_assert_uint_eq(s.scope_count, 0);
	arena_free(&a);
}
END_TEST

/* A reply takes 3 MiB: these rows need two. */
static void
write_much_at_the_hub(void)
{
	world_sql(&w.hub, "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE "
	                  "n < 9) INSERT INTO note(id, facility_id, text) "
	                  "SELECT randomblob(8), 'F1', hex(randomblob(450000)) FROM i");
}

/* That nothing says in_sync between the two answers the world's line holds after each step. */
START_TEST(half_of_a_pull_is_not_in_sync)
{
	struct world_peer *p = &w.nodes[0];
	struct arena a = { 0 };
	struct node_status s;
	struct buf line = { 0 };

	world_sql(p, "INSERT INTO yz_meta VALUES ('facility', 'F1')");
	world_settle(&w, 2);
	write_much_at_the_hub();
	w.lose_reply = 2;
	ck_assert(!world_sync(&w, 0));
	ck_assert_int_gt(world_int(p, "SELECT count(*) FROM note"), 0);
	ck_assert_int_lt(world_int(p, "SELECT count(*) FROM note"), 9);
	s = look(p, &a);
	ck_assert_int_eq(s.waiting, 0);
	ck_assert(s.scopes[0].uneven && !s.scopes[0].differs);
	ck_assert_int_eq(node_status_state(&s), NODE_WAITING);
	s.last_error = ""; /* as it is when the process ends there */
	s.hub = "http://h";
	ck_assert_int_eq(node_status_state(&s), NODE_WAITING);
	node_status_line(&line, &s, s.last_success_ms + 52000);
	ck_assert_str_eq(buf_str(&line), "not exchanged to the end yet: f/F1 · last good "
	                                 "exchange 52 seconds ago");
	ck_assert(world_sync(&w, 0));
	s = look(p, &a);
	ck_assert_int_eq(node_status_state(&s), NODE_IN_SYNC);
	buf_free(&line);
	arena_free(&a);
}
END_TEST

/* What the hub told of counts, whether or not anything is kept of it here. */
START_TEST(a_digest_that_is_gone_is_not_in_sync)
{
	struct world_peer *p = &w.nodes[0];
	struct arena a = { 0 };
	struct node_status s;

	world_sql(p, "INSERT INTO yz_meta VALUES ('facility', 'F1')");
	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	world_settle(&w, 2);
	w.spoiled = true;
	world_sql(p, "DELETE FROM yz_digest");
	s = look(p, &a);
	ck_assert_uint_eq(s.scope_count, 1);
	ck_assert_str_eq(s.scopes[0].scope, "f/F1");
	ck_assert(s.scopes[0].hub_known && s.scopes[0].differs);
	ck_assert_int_eq(s.scopes[0].rows, 0);
	ck_assert_int_eq(node_status_state(&s), NODE_ATTENTION);
	ck_assert(world_sync(&w, 0)); /* looks, and mends it */
	s = look(p, &a);
	ck_assert_int_eq(node_status_state(&s), NODE_IN_SYNC);
	arena_free(&a);
}
END_TEST

/* Whoever else has written in the scope. */
START_TEST(digests_alarm_only_at_equal_have)
{
	struct world_peer *p = &w.nodes[0];
	struct arena a = { 0 };
	struct node_status s;

	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'a')");
	if (_i >= 1)
		world_sql(&w.hub,
		          "INSERT INTO note(id, facility_id, text) VALUES (x'02', 'F1', 'h')");
	if (_i >= 2)
		world_sql(&w.nodes[1],
		          "INSERT INTO note(id, facility_id, text) VALUES (x'03', 'F1', 'n')");
	world_settle(&w, 3);
	s = look(p, &a);
	ck_assert_uint_eq(s.scope_count, 1);
	ck_assert(s.scopes[0].hub_known && !s.scopes[0].differs);
	ck_assert_mem_eq(s.scopes[0].digest, s.scopes[0].hub_digest, STORE_TERM);
	/* written since: another digest than the hub told, and rightly so */
	world_sql(p, "UPDATE note SET text = 'b'");
	p->up = false;
	ck_assert(!world_sync(&w, 0));
	s = look(p, &a);
	ck_assert(memcmp(s.scopes[0].digest, s.scopes[0].hub_digest, STORE_TERM) != 0);
	ck_assert(!s.scopes[0].differs);
	/* the same records, but not the same rows */
	p->up = true;
	world_settle(&w, 3);
	w.spoiled = true;
	world_sql(p, "UPDATE yz_digest SET sum = randomblob(16)");
	s = look(p, &a);
	ck_assert(s.scopes[0].differs);
	ck_assert_int_eq(node_status_state(&s), NODE_ATTENTION);
	ck_assert_uint_eq(s.scopes[0].rift_count, 0); /* nobody has looked yet */
	/* the next exchange looks, and mends it */
	ck_assert(world_sync(&w, 0));
	s = look(p, &a);
	ck_assert_int_eq(node_status_state(&s), NODE_IN_SYNC);
	arena_free(&a);
}
END_TEST

static const struct line_case {
	const char *name;
	int64_t conflicts, quarantined, waiting, last_success_ms;
	const char *last_error, *hub;
	int64_t clock_offset_ms;
	const char *want;
	struct sync_life_told life;
} line_cases[] = {
	{ "new", 0, 0, 0, 0, "", "", 0, "not enrolled with a hub yet", { 0 } },
	{ "enrolled", 0, 0, 0, 0, "", "http://h", 0, "no exchange with the hub yet", { 0 } },
	{ "well",
	  0,
	  0,
	  0,
	  999940000,
	  "",
	  "http://h",
	  0,
	  "in sync, last exchange 1 minute ago",
	  { 0 } },
	{ "line is down",
	  0,
	  0,
	  14,
	  827200000,
	  "timeout",
	  "http://h",
	  -240000,
	  "14 changes waiting since 1970-01-12T13:00 UTC · last good exchange 2 days ago (timeout)"
	  " · clock 4 min fast",
	  { 0 } },
	{ "conflict",
	  1,
	  0,
	  0,
	  999999000,
	  "",
	  "http://h",
	  0,
	  "1 conflict needs a look · last good exchange 1 second ago",
	  { 0 } },
	{ "refused",
	  0,
	  2,
	  0,
	  999999000,
	  "",
	  "http://h",
	  0,
	  "2 changes could not be applied · last good exchange 1 second ago",
	  { 0 } },
	{ "restored",
	  0,
	  0,
	  0,
	  999940000,
	  "",
	  "http://h",
	  0,
	  "in sync, last exchange 1 minute ago · was restored to an older state",
	  { SYNC_LIFE_RESTORED, false } },
	{ "cloned, and the hub went back",
	  0,
	  0,
	  0,
	  999940000,
	  "",
	  "http://h",
	  0,
	  "in sync, last exchange 1 minute ago · was cloned: two copies of it are in use"
	  " · the hub went back to an older state",
	  { SYNC_LIFE_CLONED, true } },
};

enum { LINE_CASES = sizeof line_cases / sizeof line_cases[0] };

START_TEST(line_says_it_in_words)
{
	const struct line_case *c = &line_cases[_i];
	struct node_status s = { .conflicts = c->conflicts,
		                 .quarantined = c->quarantined,
		                 .waiting = c->waiting,
		                 .oldest_waiting_ms = 997200000,
		                 .last_success_ms = c->last_success_ms,
		                 .last_error = c->last_error,
		                 .clock_offset_ms = c->clock_offset_ms,
		                 .hub = c->hub,
		                 .life = c->life };
	struct buf out = { 0 };

	node_status_line(&out, &s, 1000000000);
	ck_assert_msg(strcmp(buf_str(&out), c->want) == 0, "%s: %s", c->name, buf_str(&out));
	buf_free(&out);
}
END_TEST

START_TEST(a_clock_that_cannot_be_right_is_told)
{
	struct node_status s = { .last_success_ms = 999999000,
		                 .last_error = "",
		                 .hub = "http://h",
		                 .clock_unsure = true };
	struct buf out = { 0 };

	node_status_line(&out, &s, 1000000000);
	ck_assert_str_eq(buf_str(&out), "in sync, last exchange 1 second ago · clock unsure: it "
	                                "stands before a time that has been");
	buf_free(&out);
}
END_TEST

START_TEST(what_differs_is_not_called_in_sync)
{
	struct node_status_scope scope = { .scope = "f/F1", .differs = true };
	struct node_status s = { .last_success_ms = 999999000,
		                 .last_error = "",
		                 .hub = "http://h",
		                 .scope_count = 1,
		                 .scopes = &scope };
	struct buf out = { 0 };

	node_status_line(&out, &s, 1000000000);
	ck_assert_str_eq(buf_str(&out),
	                 "f/F1 differs from the hub although both have the same records"
	                 " · last good exchange 1 second ago");
	buf_free(&out);
}
END_TEST

/* Whatever became of the line meanwhile; and only an alarm is above it. */
START_TEST(what_is_not_exchanged_waits)
{
	struct node_status_scope scopes[] = { { .scope = "all", .uneven = true },
		                              { .scope = "f/F1" },
		                              { .scope = "s/S1", .uneven = true } };
	struct node_status s = { .last_success_ms = 999999000,
		                 .last_error = "timeout",
		                 .hub = "http://h",
		                 .scope_count = 3,
		                 .scopes = scopes };
	struct buf out = { 0 };

	ck_assert_int_eq(node_status_state(&s), NODE_WAITING);
	ck_assert_int_eq(node_status_exit(node_status_state(&s)), 0);
	node_status_line(&out, &s, 1000000000);
	ck_assert_str_eq(buf_str(&out), "not exchanged to the end yet: all, s/S1 · last "
	                                "good exchange 1 second ago (timeout)");
	scopes[0].differs = true;
	ck_assert_int_eq(node_status_state(&s), NODE_ATTENTION);
	s.role.is_hub = true;
	scopes[0].differs = false;
	ck_assert_int_eq(node_status_state(&s), NODE_IN_SYNC);
	buf_free(&out);
}
END_TEST

/* The hub has nothing of the stream then that it could hang its remark on. */
START_TEST(why_the_first_push_was_refused_is_told)
{
	struct world_peer *p = &w.nodes[0];
	struct node_met met;
	struct node_status s;
	struct arena a = { 0 };

	ck_assert(world_sync(&w, 0));
	world_sql(p, "INSERT INTO yz_meta VALUES ('facility', 'F1')");
	world_sql(p, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'one')");
	w.hub.node.r.key_of = NULL;
	world_meet(&w, 0, &met);
	ck_assert_uint_eq(met.rejected_count, 1);
	ck_assert_str_eq(met.rejected[0].scope, "f/F1");
	ck_assert_ptr_nonnull(strstr(met.rejected[0].reason, "not signed by the site's key"));
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_stream"), 0);
	s = look(p, &a);
	ck_assert_int_eq(node_status_state(&s), NODE_WAITING);
	ck_assert_msg(strstr(s.last_error, "not signed by the site's key") != NULL, "%s",
	              s.last_error);
	arena_free(&a);
}
END_TEST

Suite *
suite_node_status(void)
{
	Suite *suite = suite_create("node/status");
	TCase *pure = tcase_create("pure"), *facts = tcase_create("facts");

	tcase_add_loop_test(pure, first_state_that_holds, 0, STATE_CASES);
	tcase_add_test(pure, a_full_disk_needs_a_person);
	tcase_add_test(pure, a_lost_table_needs_a_person);
	tcase_add_loop_test(pure, line_says_it_in_words, 0, LINE_CASES);
	tcase_add_test(pure, a_clock_that_cannot_be_right_is_told);
	tcase_add_test(pure, what_differs_is_not_called_in_sync);
	tcase_add_test(pure, what_is_not_exchanged_waits);
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(facts, open_world, close_world);
	tcase_add_test(facts, waiting_is_what_the_hub_has_not_got);
	tcase_add_test(facts, why_the_first_push_was_refused_is_told);
	tcase_add_test(facts, what_an_earlier_life_sealed_waits_and_is_sent);
	tcase_add_test(facts, acknowledged_is_per_life_of_the_hub);
	tcase_add_test(facts, what_was_refused_is_not_in_sync);
	tcase_add_loop_test(facts, what_happened_is_told_by_the_time_that_is, 0, 3);
	tcase_add_test(facts, half_of_a_pull_is_not_in_sync);
	tcase_add_test(facts, a_scope_that_is_read_no_more_keeps_nobody_waiting);
	tcase_add_test(facts, a_digest_that_is_gone_is_not_in_sync);
	tcase_add_loop_test(facts, digests_alarm_only_at_equal_have, 0, 3);
	suite_add_tcase(suite, facts);
	return suite;
}

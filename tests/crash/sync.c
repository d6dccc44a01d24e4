/* tests/crash/sync.c - scenarios of a node and its hub: push, pull, receipt, merge, roll-up. */
#include "tests/crash/crash.h"

#include "store/inbox.h"
#include "store/stmt.h"
#include "store/track.h"
#include "store/verdict.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* ---- beginnings ---- */

static void
write_at(struct scene *s, int no, const char *sql)
{
	struct err err;

	crash_must(scene_sql(&s->m[no], sql, &err), &err, sql);
}

static void
seal_at(struct scene *s, int no)
{
	struct err err;

	crash_must(scene_seal(&s->m[no], &err), &err, "seal");
}

#define THREE_NOTES                                                                                \
	"INSERT INTO note(id, facility_id, text, top) VALUES (x'01', 'F1', 'one', 1),"             \
	" (x'02', 'F1', 'two', 2), (x'03', 'F1', 'three', 3)"

/* A hub and a node that have met. */
static void
prepare_pair(struct scene *s)
{
	scene_add(s, HUB, "");
	scene_add(s, NODE, "F1");
	write_at(s, NODE, THREE_NOTES);
	scene_settle(s);
	scene_wait(s, 60000);
}

/* ---- what is left for a meeting to do ---- */

/* Steps go by twos: something is written, and there is a meeting.  What was written says how far
 * it is: texts 'w1', 'w2' ... */
static int
pushed(struct scene *s, const char *written)
{
	struct machine *node = &s->m[NODE], *hub = &s->m[HUB];
	int made = (int)scene_int(node, written), arrived = (int)scene_int(hub, written);

	if (made < 0 || arrived < 0 || arrived > made || arrived < made - 1)
		return -1;
	if (scene_is_acknowledged(node))
		return arrived == made ? 2 * made : -1;
	s->recovered += arrived == made; /* the hub has it, and nobody has told the node */
	return 2 * made - 1;
}

static void
settled(struct scene *s)
{
	scene_settle(s);
	scene_same(s);
	if (!scene_is_acknowledged(&s->m[NODE]))
		crash_fail("the node still waits after meetings without a fault");
}

/* ---- push ---- */

#define LAST_W                                                                                     \
	"SELECT coalesce(max(CAST(substr(text, 2) AS INTEGER)), 0) FROM note WHERE text LIKE 'w%'"

static int
push_step(struct scene *s, int no, struct err *err)
{
	static const char *const sql[] = {
		"INSERT INTO note(id, facility_id, text) VALUES (x'11', 'F1', 'w1'), (x'12', 'F1', "
		"'x')",
		"UPDATE note SET text = 'w2' WHERE id = x'11'; DELETE FROM note WHERE id = x'02'",
	};

	return no % 2 == 0 ? scene_sql(&s->m[NODE], sql[no / 2], err)
	                   : scene_meet(s, &s->m[NODE], err);
}

static int
push_seen(struct scene *s)
{
	return pushed(s, LAST_W);
}

/* Many units, over several round trips. */
static int
push_large_step(struct scene *s, int no, struct err *err)
{
	return no == 0 ? scene_sql(
	                         &s->m[NODE],
	                         "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
	                         " WHERE i < 4) INSERT INTO note(id, facility_id, text, rank)"
	                         " SELECT randomblob(16), 'F1', hex(randomblob(300000)), 9 FROM c",
	                         err)
	               : scene_meet(s, &s->m[NODE], err);
}

static int
push_large_seen(struct scene *s)
{
	return pushed(s, "SELECT CASE count(*) WHEN 4 THEN 1 WHEN 0 THEN 0 ELSE -1 END FROM note"
	                 " WHERE rank = 9");
}

/* ---- pull ---- */

static int
pull_step(struct scene *s, int no, struct err *err)
{
	static const char *const sql[] = {
		"UPDATE note SET rank = 1; INSERT INTO daily VALUES ('c1', 1, 'F1', 'hub', 1)",
		"UPDATE note SET rank = 2; UPDATE daily SET mood = 2",
	};

	return no % 2 == 0 ? scene_sql(&s->m[HUB], sql[no / 2], err)
	                   : scene_meet(s, &s->m[NODE], err);
}

#define PULLED                                                                                     \
	"SELECT CASE WHEN a <> b OR a <> m THEN -1 ELSE a END FROM (SELECT min(rank) a, max(rank)" \
	" b, coalesce((SELECT mood FROM daily), 0) m FROM note)"

static int
pull_seen(struct scene *s)
{
	int hub = (int)scene_int(&s->m[HUB], PULLED), node = (int)scene_int(&s->m[NODE], PULLED);

	if (hub < 0 || node < 0 || node > hub || node < hub - 1)
		return -1;
	s->recovered += node < hub;
	return hub + node;
}

/* ---- receipt: the hub has it, its answer was lost ---- */

static void
prepare_unheard(struct scene *s)
{
	struct node_event ev = { .type = NODE_EV_SYNC };
	struct node_effects fx = { 0 };
	struct hub_effects hub = { 0 };
	struct hub_request rq = { .ctx = s };
	struct err err;

	prepare_pair(s);
	write_at(s, NODE, "UPDATE note SET text = 'unheard'");
	crash_must(node_step(&s->m[NODE].node, &ev, &fx, &err), &err, "ask");
	rq.bytes = fx.request.bytes;
	rq.len = fx.request.len;
	rq.may_read = scene_may_read;
	memcpy(rq.peer, s->m[NODE].node.r.self.node, STORE_NODE_ID);
	crash_must(hub_step(&s->m[HUB].node, &rq, &hub, &err), &err, "answer");
	buf_free(&hub.reply);
	node_effects_clear(&fx);
	if (scene_int(&s->m[HUB], "SELECT count(*) FROM note WHERE text = 'unheard'") != 3)
		crash_fail("the hub has not taken it");
}

static int
receipt_step(struct scene *s, int no, struct err *err)
{
	return no == 0 ? scene_meet(s, &s->m[NODE], err)
	               : scene_sql(&s->m[NODE], "UPDATE note SET rank = 4", err);
}

static int
receipt_seen(struct scene *s)
{
	struct machine *node = &s->m[NODE];

	if (scene_int(node, "SELECT min(rank) FROM note") == 4)
		return 2;
	s->recovered += scene_is_acknowledged(node);
	return scene_is_acknowledged(node);
}

/* ---- merges: the hub holds something for the node, one meeting brings it ---- */

static int
meet_step(struct scene *s, int no, struct err *err)
{
	(void)no;
	return scene_meet(s, &s->m[NODE], err);
}

static void
prepare_new_rows(struct scene *s)
{
	prepare_pair(s);
	write_at(s, HUB,
	         "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 400)"
	         " INSERT INTO daily SELECT 'c' || i, 1, 'F1', 'bulk', i FROM c");
	seal_at(s, HUB);
}

static void
prepare_conflict(struct scene *s)
{
	prepare_pair(s);
	write_at(s, NODE, "UPDATE note SET text = 'node', a = 1, b = 1 WHERE id = x'01'");
	scene_wait(s, 60000);
	write_at(s, HUB, "UPDATE note SET text = 'hub', a = 2, b = 2 WHERE id = x'01'");
	seal_at(s, HUB);
}

static void
conflict_finish(struct scene *s)
{
	settled(s);
	s->recovered += scene_int(&s->m[NODE], "SELECT count(*) FROM yz_conflict"
	                                       " WHERE state = 'open'") > 0;
}

static void
prepare_rebirth(struct scene *s)
{
	prepare_pair(s);
	write_at(s, NODE,
	         "UPDATE note SET text = 'edit' WHERE id = x'01'; DELETE FROM note"
	         " WHERE id = x'03'");
	scene_wait(s, 60000);
	write_at(s, HUB, "DELETE FROM note WHERE id = x'01'");
	seal_at(s, HUB);
	write_at(s, HUB, "INSERT INTO note(id, facility_id, text) VALUES (x'01', 'F1', 'again')");
	write_at(s, HUB, "UPDATE note SET text = 'late' WHERE id = x'03'");
	seal_at(s, HUB);
}

static void
rebirth_finish(struct scene *s)
{
	settled(s);
	/* a max cell lives through delete and re-create */
	s->recovered += scene_int(&s->m[NODE], "SELECT top FROM note WHERE id = x'01'") == 1;
}

static void
add_column(struct scene *s, int no)
{
	struct err err;

	write_at(s, no, "ALTER TABLE note ADD COLUMN extra TEXT");
	crash_must(store_db_begin(s->m[no].merge, &err), &err, "begin");
	crash_must(store_track_refresh(s->m[no].merge, no == HUB, &err), &err, "refresh");
	crash_must(store_db_commit(s->m[no].merge, &err), &err, "commit");
}

static void
prepare_unknown_column(struct scene *s)
{
	prepare_pair(s);
	add_column(s, HUB);
	write_at(s, HUB, "UPDATE note SET extra = 'e', rank = 5");
	seal_at(s, HUB);
}

/* The node is upgraded: what was kept for the column moves in. */
static void
unknown_column_finish(struct scene *s)
{
	settled(s);
	add_column(s, NODE);
	seal_at(s, NODE);
	scene_settle(s);
	scene_same(s);
	s->recovered += scene_int(&s->m[NODE], "SELECT count(*) FROM note WHERE extra = 'e'") == 3;
}

/* A node whose table calls a scope its own that isn't, in an honest stream. */
static void
prepare_thief(struct scene *s)
{
	static const struct store_track_spec mine = { .table = "note",
		                                      .scope = "f/F1",
		                                      .max = "top" };
	struct store_db *db;
	struct err err;

	prepare_pair(s);
	db = s->m[NODE].merge;
	crash_must(store_db_begin(db, &err), &err, "begin");
	crash_must(store_track_stop(db, "note", &err), &err, "stop");
	crash_must(store_track_table(db, &mine, false, &err), &err, "track");
	crash_must(store_db_commit(db, &err), &err, "commit");
	write_at(s, NODE, "INSERT INTO note(id, facility_id, text) VALUES (x'21', 'F2', 'theirs')");
	write_at(s, NODE, "INSERT INTO note(id, facility_id, text) VALUES (x'22', 'F1', 'mine')");
	seal_at(s, NODE);
}

static int
thief_seen(struct scene *s)
{
	struct machine *hub = &s->m[HUB];
	int mine = (int)scene_int(hub, "SELECT count(*) FROM note WHERE id = x'22'");
	int listed = (int)scene_int(hub, "SELECT count(*) FROM yz_quarantine");

	if (mine != listed || scene_int(hub, "SELECT count(*) FROM note WHERE id = x'21'") != 0)
		return -1;
	s->recovered += listed;
	return scene_is_acknowledged(&s->m[NODE]);
}

static void
prepare_parts(struct scene *s)
{
	prepare_pair(s);
	write_at(s, HUB,
	         "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 4)"
	         " INSERT INTO note(id, facility_id, text, rank) SELECT randomblob(16), 'F1',"
	         " hex(randomblob(300000)), 9 FROM c");
	seal_at(s, HUB);
	if (scene_int(&s->m[HUB], "SELECT count(*) FROM yz_segment") < 3)
		crash_fail("the unit is in one part");
}

/* By what was written at the other node, through the hub. */
static void
prepare_third(struct scene *s)
{
	prepare_pair(s);
	scene_add(s, OTHER, "F1");
	scene_settle(s);
	write_at(s, OTHER, "UPDATE note SET text = 'other', rank = 8");
	scene_settle(s);
	write_at(s, OTHER, "UPDATE note SET rank = 9");
	seal_at(s, OTHER);
}

static int
third_step(struct scene *s, int no, struct err *err)
{
	int rc = no == 0 ? scene_meet(s, &s->m[OTHER], err) : 0;

	return rc == 0 && no == 1 ? scene_meet(s, &s->m[NODE], err) : rc;
}

static int
third_seen(struct scene *s)
{
	static const char sql[] = "SELECT CASE WHEN min(rank) = max(rank) THEN max(rank) ELSE -1"
	                          " END FROM note";
	int hub = (int)scene_int(&s->m[HUB], sql), node = (int)scene_int(&s->m[NODE], sql);

	if (hub < 8 || node < 8 || node > hub)
		return -1;
	if (!scene_is_acknowledged(&s->m[OTHER])) {
		s->recovered += hub == 9;
		return 0;
	}
	return 1 + (node == 9);
}

/* ---- a decision ---- */

static void
prepare_decision(struct scene *s)
{
	prepare_conflict(s);
	scene_settle(s);
	scene_wait(s, 60000);
}

static int
decide(struct scene *s, struct err *err)
{
	struct store_db *db = s->m[NODE].local;
	struct store_verdict v = { .take = STORE_TAKE_OTHER, .by = "test" };
	struct store_conflict *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_db_begin(db, err);

	if (rc == 0)
		rc = store_inbox_list(db, true, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		v.conflict = &list[i];
		rc = store_verdict_give(db, &v, err);
	}
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0)
		store_db_rollback(db);
	arena_free(&a);
	return rc;
}

static int
decision_step(struct scene *s, int no, struct err *err)
{
	return no == 0 ? decide(s, err) : scene_meet(s, &s->m[NODE], err);
}

static int
decision_seen(struct scene *s)
{
	struct machine *node = &s->m[NODE];
	int open = (int)scene_int(node, "SELECT count(*) FROM yz_conflict WHERE state = 'open'");
	int text = (int)scene_int(node, "SELECT count(*) FROM note WHERE text = 'node' AND a = 1");

	if ((open > 0) == (text > 0))
		return -1;
	return open > 0 ? 0 : 1 + scene_is_acknowledged(node);
}

static void
decision_finish(struct scene *s)
{
	settled(s);
	if (scene_int(&s->m[HUB], "SELECT count(*) FROM yz_conflict WHERE state = 'open'") != 0)
		crash_fail("the hub's conflict is still open");
	s->recovered++;
}

/* ---- roll-up ---- */

static void
prepare_days(struct scene *s)
{
	struct err err;

	scene_add(s, NODE, "F1");
	for (int i = 0; i < 12; i++) {
		write_at(s, NODE,
		         "INSERT INTO note(id, facility_id, text) VALUES (randomblob(16),"
		         " 'F1', 'a day')");
		seal_at(s, NODE);
		scene_wait(s, DAY_MS / 4);
	}
	crash_must(store_db_exec(s->m[NODE].local, "CREATE TABLE mark(n)", &err), &err, "mark");
	scene_wait(s, 2 * DAY_MS);
}

static int
roll_up_step(struct scene *s, int no, struct err *err)
{
	return no == 0 ? scene_tick(&s->m[NODE], err)
	               : scene_sql(&s->m[NODE], "INSERT INTO mark VALUES (1)", err);
}

static int
roll_up_seen(struct scene *s)
{
	struct machine *m = &s->m[NODE];
	int segments = (int)scene_int(m, "SELECT count(*) FROM yz_segment");

	if (segments != 12 && segments > 4)
		return -1;
	s->recovered += segments == 12;
	return segments == 12 ? 0 : 1 + (int)scene_int(m, "SELECT count(*) FROM mark");
}

const struct scenario scenarios_sync[] = {
	{ .name = "push-node",
	  .recovers = "the hub had it and the node asked again",
	  .victim = NODE,
	  .steps = 4,
	  .prepare = prepare_pair,
	  .step = push_step,
	  .seen = push_seen,
	  .finish = settled },
	{ .name = "push-hub",
	  .recovers = "the hub had it and the node asked again",
	  .victim = HUB,
	  .steps = 4,
	  .prepare = prepare_pair,
	  .step = push_step,
	  .seen = push_seen,
	  .finish = settled },
	{ .name = "push-large",
	  .victim = NODE,
	  .slow = true,
	  .steps = 2,
	  .prepare = prepare_pair,
	  .step = push_large_step,
	  .seen = push_large_seen,
	  .finish = settled },
	{ .name = "pull-node",
	  .recovers = "the hub had something that the node had not",
	  .victim = NODE,
	  .steps = 4,
	  .prepare = prepare_pair,
	  .step = pull_step,
	  .seen = pull_seen,
	  .finish = settled },
	{ .name = "pull-hub",
	  .recovers = "the hub had something that the node had not",
	  .victim = HUB,
	  .steps = 4,
	  .prepare = prepare_pair,
	  .step = pull_step,
	  .seen = pull_seen,
	  .finish = settled },
	{ .name = "receipt-node",
	  .recovers = "a receipt was given again",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = prepare_unheard,
	  .step = receipt_step,
	  .seen = receipt_seen,
	  .finish = settled },
	{ .name = "receipt-hub",
	  .recovers = "a receipt was given again",
	  .victim = HUB,
	  .steps = 1,
	  .prepare = prepare_unheard,
	  .step = receipt_step,
	  .seen = receipt_seen,
	  .finish = settled },
	{ .name = "merge-new-rows",
	  .victim = NODE,
	  .steps = 1,
	  .prepare = prepare_new_rows,
	  .step = meet_step,
	  .probe = "SELECT CASE count(*) WHEN 400 THEN 1 WHEN 0 THEN 0 ELSE -1 END FROM daily",
	  .finish = settled },
	{ .name = "merge-conflict",
	  .recovers = "the loser was kept",
	  .victim = NODE,
	  .steps = 1,
	  .prepare = prepare_conflict,
	  .step = meet_step,
	  .probe = "SELECT CASE WHEN text = 'node' AND a = 1 AND b = 1 AND c = 0 THEN 0"
	           " WHEN text = 'hub' AND a = 2 AND b = 2 AND c > 0 THEN 1 ELSE -1 END FROM"
	           " note, (SELECT count(*) c FROM yz_conflict) WHERE id = x'01'",
	  .finish = conflict_finish },
	{ .name = "merge-rebirth",
	  .recovers = "a max cell lived through delete and re-create",
	  .victim = NODE,
	  .steps = 1,
	  .prepare = prepare_rebirth,
	  .step = meet_step,
	  .probe = "SELECT CASE text WHEN 'edit' THEN 0 WHEN 'again' THEN 1 ELSE -1 END FROM note"
	           " WHERE id = x'01'",
	  .finish = rebirth_finish },
	{ .name = "merge-unknown-column",
	  .recovers = "cells were kept aside and moved in after the upgrade",
	  .victim = NODE,
	  .steps = 1,
	  .prepare = prepare_unknown_column,
	  .step = meet_step,
	  .probe = "SELECT CASE WHEN r = 15 AND e = 3 THEN 1 WHEN r = 0 AND e = 0 THEN 0 ELSE -1"
	           " END FROM (SELECT sum(rank) r FROM note), (SELECT count(*) e FROM yz_extra)",
	  .finish = unknown_column_finish },
	{ .name = "merge-quarantine",
	  .recovers = "a change was listed and the rest applied",
	  .victim = HUB,
	  .steps = 1,
	  .prepare = prepare_thief,
	  .step = meet_step,
	  .seen = thief_seen },
	{ .name = "merge-parts",
	  .victim = NODE,
	  .slow = true,
	  .steps = 1,
	  .prepare = prepare_parts,
	  .step = meet_step,
	  .probe = "SELECT CASE count(*) WHEN 4 THEN 1 WHEN 0 THEN 0 ELSE -1 END FROM note"
	           " WHERE rank = 9",
	  .finish = settled },
	{ .name = "merge-through-hub",
	  .recovers = "the hub had it and the node asked again",
	  .victim = HUB,
	  .steps = 2,
	  .prepare = prepare_third,
	  .step = third_step,
	  .seen = third_seen,
	  .finish = settled },
	{ .name = "decision",
	  .recovers = "the conflict was closed on both sides",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = prepare_decision,
	  .step = decision_step,
	  .seen = decision_seen,
	  .finish = decision_finish },
	{ .name = "roll-up",
	  .recovers = "days that were not rolled up were rolled up after all",
	  .victim = NODE,
	  .steps = 2,
	  .prepare = prepare_days,
	  .step = roll_up_step,
	  .seen = roll_up_seen,
	  .finish = NULL },
	{ 0 },
};

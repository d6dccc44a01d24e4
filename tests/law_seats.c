/*
 * tests/law_seats.c - whatever happens, no place is promised twice while no file is
 * alive twice; else everybody sees it; and who holds a place can always give it
 * away, line or no line.
 *
 * A hub and two nodes of one facility book, cancel, ask, grant, give back, take
 * back and meet at random, while lines fail, replies are lost and files are put
 * back - as the anchor tells, under a new epoch, or unnoticed, as copies are.
 * Promises are counted by the test and not by the files: one that was lost with
 * its file has been made all the same.
 */
#include "tests/histories.h"
#include "tests/suites.h"
#include "tests/world.h"

#include "node/facility/codes.h"
#include "node/facility/schema.h"
#include "node/facility/seats.h"
#include "store/stmt.h"
#include "sync/life.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { CAP = 8, PROMISES = 400, STEPS = 150 };

static const char *const facilities[] = { "F1", "F1", NULL };
static const struct seats_kind kind = { "F1", "drop-in", "20260302" };

static struct world w;
static struct err err;

/* What people were told. */
static struct {
	uint8_t booking[STORE_ID];
	int64_t no;
	bool stands;
} promises[PROMISES];
static size_t promise_count;

/* From here on two may have one place: a file is alive twice, or the administrator has taken
 * places without asking. */
static bool may_double;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

/* ---- the world ---- */

static void
make_tables(struct world_peer *p, bool is_hub)
{
	static const char *const tables[] = { "booking", "seat_ask", "seat_override", "seat_quota",
		                              "seat_unit" };

	must(store_db_begin(p->merge, &err));
	must(facility_schema_create(p->merge, &err));
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		must(store_track_table(p->merge, facility_table(tables[i]), is_hub, &err));
	must(store_db_commit(p->merge, &err));
}

static void
begin(struct world_peer *p)
{
	must(store_db_begin(p->local, &err));
}

/* Keep it, or undo what was refused. */
static void
end(struct world_peer *p, int rc)
{
	if (rc == 0) {
		must(store_db_commit(p->local, &err));
	} else {
		ck_assert_msg(rc == ERR_DENIED || rc == ERR_NOTFOUND, "%s", err.msg);
		store_db_rollback(p->local);
	}
}

static int
grant(int units, int seats, const uint8_t *holder)
{
	struct seats_grant in = { .kind = kind, .cap = seats, .units = units, .holder = holder };
	int rc;

	begin(&w.hub);
	rc = seats_grant(w.hub.local, &in, &err);
	end(&w.hub, rc);
	return rc;
}

/* ---- what happens ---- */

/* A meeting, and what both sides do after it. */
static void
meet(int i)
{
	struct world_peer *p = &w.nodes[i];

	w.lose_reply = world_draw(&w, 8) == 0;
	world_sync(&w, i);
	w.lose_reply = false;
	if (!p->up)
		return;
	begin(&w.hub);
	end(&w.hub, seats_answer(w.hub.local, p->node.r.self.node, &err));
	begin(p);
	end(p, seats_settle(p->local, &err));
}

/* How many seats the file can give away, by the words of seats.h. */
static int64_t
held_free(struct world_peer *p)
{
	uint8_t self[SEATS_HOLDER];
	struct store_stmt s;
	int64_t count;

	must(seats_self(p->local, self, &err));
	s = store_stmt_new(p->local,
	                   "SELECT count(*) FROM seat_unit WHERE holder = ? AND returned IS NULL"
	                   " AND used_by IS NULL AND no NOT IN (SELECT seat_no FROM booking"
	                   " WHERE state NOT IN (4, 6) AND seat_no IS NOT NULL)");
	store_stmt_put_blob(&s, self, sizeof self);
	ck_assert_int_eq(store_stmt_step(&s, &err), 1);
	count = store_stmt_get_int(&s);
	store_stmt_end(&s);
	return count;
}

static void
promise(struct world_peer *p, const uint8_t booking[STORE_ID])
{
	struct store_stmt s = store_stmt_new(p->local, "SELECT seat_no FROM booking WHERE id = ?");

	ck_assert_uint_lt(promise_count, PROMISES);
	store_stmt_put_blob(&s, booking, STORE_ID);
	ck_assert_int_eq(store_stmt_step(&s, &err), 1);
	memcpy(promises[promise_count].booking, booking, STORE_ID);
	promises[promise_count].no = store_stmt_get_int(&s);
	promises[promise_count++].stands = true;
	store_stmt_end(&s);
}

static void
book_at(struct world_peer *p)
{
	struct facility f = { .db = p->local, .id = "F1", .offset_min = 480 };
	struct facility_book in = { .at = w.wall_ms,
		                    .resource = kind.resource,
		                    .period = kind.period,
		                    .guardian_name = "张三" };
	int64_t had = held_free(p);
	int rc;

	begin(p);
	rc = facility_book(&f, &in, &err);
	ck_assert_int_eq(rc, had > 0 ? 0 : ERR_DENIED);
	end(p, rc);
	if (rc == 0)
		promise(p, f.last_id);
}

/* The platform books at the hub, of what the hub holds. */
static void
book_at_hub(void)
{
	uint8_t booking[STORE_ID], id[SEATS_GRANT];
	int64_t had = held_free(&w.hub);
	struct store_stmt s;
	int rc;

	seats_grant_id(&kind, id);
	begin(&w.hub);
	store_id_next(w.hub.local, booking);
	s = store_stmt_new(w.hub.local, "INSERT INTO booking(id, facility_id, seat_grant_id, state)"
	                                " VALUES (?, 'F1', ?, 2)");
	store_stmt_put_blob(&s, booking, STORE_ID);
	store_stmt_put_blob(&s, id, sizeof id);
	must(store_stmt_run(&s, &err));
	rc = seats_confirm(w.hub.local, booking, &err);
	ck_assert_int_eq(rc, had > 0 ? 0 : ERR_DENIED);
	end(&w.hub, rc);
	if (rc == 0)
		promise(&w.hub, booking);
}

/* Somebody who was promised a place calls: at whichever node that knows of it. */
static void
cancel_at(struct world_peer *p)
{
	struct facility f = { .db = p->local, .id = "F1", .offset_min = 480 };
	struct facility_book_cancel in = { .at = w.wall_ms };
	size_t which = promise_count == 0 ? 0 : world_draw(&w, (uint32_t)promise_count);
	int rc;

	if (promise_count == 0 || !promises[which].stands)
		return;
	in.booking = promises[which].booking;
	begin(p);
	rc = facility_book_cancel(&f, &in, &err);
	end(p, rc);
	if (rc == 0)
		promises[which].stands = false;
}

static void
ask_at(struct world_peer *p)
{
	struct seats_ask in = { .kind = kind, .wanted = world_draw(&w, 4), .at = w.wall_ms };

	begin(p);
	end(p, seats_ask(p->local, &in, &err));
}

static void
give_back_at(struct world_peer *p)
{
	int64_t back, had = held_free(p);

	begin(p);
	end(p, seats_give_back(p->local, &kind, 1, &back, &err));
	ck_assert_int_eq(back, had > 0);
}

static void
grant_to(struct world_peer *p)
{
	uint8_t holder[SEATS_HOLDER];

	memcpy(holder, p->node.r.self.node, STORE_NODE_ID);
	if (sync_life_epoch(w.hub.local, holder, holder + STORE_NODE_ID, &err) == 1)
		(void)grant(1 + (int)world_draw(&w, 2), -1, holder);
}

static void
add_a_seat(void)
{
	int64_t have = world_int(&w.hub, "SELECT max(no) FROM seat_unit");

	if (have < CAP)
		(void)grant(0, (int)have + 1, NULL);
}

static void
take_back(const char *reason)
{
	struct seats_take_back in = { .kind = kind,
		                      .node = "",
		                      .epoch = "",
		                      .leave = reason == NULL ? world_draw(&w, 2) : 0,
		                      .reason = reason,
		                      .by = "law",
		                      .at = w.wall_ms };
	int64_t count;
	int rc;

	begin(&w.hub);
	rc = seats_take_back(w.hub.local, &in, &count, &err);
	end(&w.hub, rc);
	may_double |= reason != NULL && rc == 0;
}

static void
resume(void)
{
	struct seats_take_back in = { .reason = "law", .by = "law", .at = w.wall_ms };
	int64_t count;
	bool waited;

	begin(&w.hub);
	end(&w.hub, seats_resume(w.hub.local, &in, &waited, &count, &err));
	may_double = true;
}

/* An older file is put back; `told`: as the anchor says, it goes on under a new epoch. */
static void
put_back(struct world_peer *p, const char *name, bool told)
{
	world_put_back(p, name);
	must(store_db_begin(p->merge, &err));
	if (told)
		must(sync_life_begin(&p->node.r, SYNC_LIFE_RESTORED, &err));
	must(store_db_commit(p->merge, &err));
}

static void
save(uint32_t who)
{
	if (who == 2)
		world_save(&w.hub, "hub");
	else
		world_save(&w.nodes[who], who == 0 ? "0" : "1");
}

/* ---- the law ---- */

static void
check_promises(void)
{
	int on[CAP + 1] = { 0 };

	for (size_t i = 0; i < promise_count; i++) {
		ck_assert_int_ge(promises[i].no, 1);
		ck_assert_int_le(promises[i].no, CAP);
		on[promises[i].no] += promises[i].stands;
		ck_assert_msg(may_double || on[promises[i].no] <= 1,
		              "place %d is promised twice after %zu promises", (int)promises[i].no,
		              promise_count);
	}
}

struct seen {
	int64_t cap, units, twice;
};

static void
count_line(void *ctx, const struct seats_line *line)
{
	struct seen *seen = ctx;

	seen->cap = line->cap;
	seen->units += line->free + line->used + line->returned;
	seen->twice += line->twice;
}

/* Does everybody see each double use, as a conflict and in the list of seats? */
static void
check_seen(struct world_peer *p)
{
	struct seen seen = { 0 };
	char hub[33], here[33];
	int64_t twice = world_int(
	        p, "SELECT count(*) FROM (SELECT seat_no FROM booking WHERE state NOT IN (4, 6)"
	           " GROUP BY seat_no HAVING count(*) > 1)");

	world_digest(&w.hub, "f/F1", hub);
	ck_assert_str_eq(world_digest(p, "f/F1", here), hub);
	must(seats_list(p->local, NULL, count_line, &seen, &err));
	ck_assert_int_eq(seen.twice, twice);
	ck_assert_int_eq(seen.units, seen.cap);
	ck_assert_int_le(twice,
	                 world_int(p, "SELECT count(DISTINCT c.key) FROM yz_conflict c"
	                              " JOIN yz_table t ON t.id = c.tbl AND t.name = 'seat_unit'"
	                              " JOIN yz_column k ON k.tbl = c.tbl AND k.id = c.col"
	                              " AND k.name = 'used_by'"));
}

static struct world_peer *
some_node(void)
{
	return &w.nodes[world_draw(&w, (uint32_t)w.node_count)];
}

static void
happens(void)
{
	uint32_t what = world_draw(&w, 23);

	world_wait(&w, world_draw(&w, 3000));
	if (what < 6)
		book_at(some_node());
	else if (what < 7)
		book_at_hub();
	else if (what < 10)
		cancel_at(some_node());
	else if (what < 15)
		meet((int)world_draw(&w, (uint32_t)w.node_count));
	else if (what < 17)
		ask_at(some_node());
	else if (what < 18)
		give_back_at(some_node());
	else if (what < 20)
		grant_to(some_node());
	else if (what < 21)
		take_back(NULL);
	else if (what < 22)
		add_a_seat();
	else
		some_node()->up ^= true;
}

static void
open_world(uint64_t seed)
{
	world_open(&w, seed, facilities);
	make_tables(&w.hub, true);
	for (int i = 0; i < w.node_count; i++)
		make_tables(&w.nodes[i], false);
	promise_count = 0;
	may_double = false;
	must(grant(0, CAP / 2, NULL));
	for (int i = 0; i < w.node_count; i++) {
		meet(i);
		grant_to(&w.nodes[i]);
		meet(i);
		w.lose_reply = false;
		ck_assert(world_sync(&w, i));
		book_at(&w.nodes[i]);
	}
	ck_assert_uint_gt(promise_count, 0);
	world_save(&w.hub, "hub");
	world_save(&w.nodes[0], "0");
	world_save(&w.nodes[1], "1");
}

static void
settle(void)
{
	for (int i = 0; i < w.node_count; i++)
		w.nodes[i].up = true;
	world_settle(&w, 6);
	for (int i = 0; i < w.node_count; i++)
		check_seen(&w.nodes[i]);
	check_seen(&w.hub);
}

/* A node's file dies and comes back from a backup, and it knows. */
static void
strike_a_node(void)
{
	uint32_t who = world_draw(&w, 2);

	if (world_draw(&w, 2) == 0)
		save(who);
	else
		put_back(&w.nodes[who], who == 0 ? "0" : "1", true);
}

/* The hub's does. */
static void
strike_the_hub(void)
{
	if (world_draw(&w, 2) == 0)
		save(2);
	else
		put_back(&w.hub, "hub", true);
}

START_TEST(no_place_is_promised_twice_while_no_file_is_alive_twice)
{
	open_world(7000 + (uint64_t)_i);
	for (int i = 0; i < STEPS; i++) {
		happens();
		if (world_draw(&w, 40) == 0)
			strike_a_node();
		if (world_draw(&w, 60) == 0)
			strike_the_hub();
		check_promises();
	}
	ck_assert(!may_double);
	settle();
	world_close(&w);
}
END_TEST

static void
everybody_books(void)
{
	for (int i = 0; i < w.node_count; i++)
		book_at(&w.nodes[i]);
}

/* Copies run side by side, and snapshots come back unnoticed. */
static void
strike_with_copies(void)
{
	may_double = true;
	grant_to(&w.nodes[1]);
	meet(1);
	if (world_draw(&w, 2) == 0)
		put_back(&w.nodes[0], "0", false);
	else if (w.node_count < WORLD_NODES)
		world_clone(&w, (int)world_draw(&w, 2));
	everybody_books();
}

/* An administrator loses patience, or says that a hub that was put back may go on. */
static void
strike_by_order(void)
{
	if (world_draw(&w, 2) == 0) {
		strike_the_hub();
		resume();
	} else {
		take_back("a child is at the door");
	}
	grant_to(&w.nodes[0]);
	meet(0);
	everybody_books();
}

static void
strike_either_way(void)
{
	if (world_draw(&w, 2) == 0)
		strike_with_copies();
	else
		strike_by_order();
}

START_TEST(else_everybody_sees_it)
{
	void (*strike)(void) = _i % 3 == 0   ? strike_with_copies
	                       : _i % 3 == 1 ? strike_by_order
	                                     : strike_either_way;

	open_world(9000 + (uint64_t)_i);
	for (int i = 0; i < STEPS; i++) {
		happens();
		if (world_draw(&w, 30) == 0)
			strike_a_node();
		if (world_draw(&w, 30) == 0)
			strike();
		check_promises();
	}
	strike();
	settle();
	world_close(&w);
}
END_TEST

Suite *
suite_law_seats(void)
{
	Suite *suite = suite_create("law/seats");
	TCase *tc = tcase_create("seats");

	tcase_set_timeout(tc, 60);
	histories_add(tc, no_place_is_promised_twice_while_no_file_is_alive_twice, 12);
	histories_add(tc, else_everybody_sees_it, 14);
	suite_add_tcase(suite, tc);
	return suite;
}

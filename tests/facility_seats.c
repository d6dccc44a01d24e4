/*
 * tests/facility_seats.c - seats one by one: what the door takes and refuses, what
 * the hub gives and takes back.  One database plays everybody: it is the hub's, and
 * whoever the test says writes in it.
 */
#include "tests/facility_help.h"
#include "tests/suites.h"

#include "node/facility/codes.h"
#include "node/facility/date.h"
#include "node/facility/seats.h"
#include "store/base/text.h"
#include "sync/life.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { HUB = 0xee, OFFICE = 0xa0, STATION = 0xb0 };

static const struct seats_kind kind = { "F1", "drop-in", "20260302" };

static struct store_db *db;
static struct facility f;
static struct err err;

/* Who writes from here on. */
static void
be(int node, int epoch)
{
	uint8_t bytes[STORE_NODE_ID];

	memset(bytes, node, sizeof bytes);
	ck_assert_int_eq(store_meta_set(db, "node", bytes, STORE_NODE_ID, &err), 0);
	memset(bytes, epoch, sizeof bytes);
	ck_assert_int_eq(store_meta_set(db, "epoch", bytes, STORE_EPOCH, &err), 0);
}

static const uint8_t *
holder(int node, int epoch)
{
	static uint8_t bytes[SEATS_HOLDER];

	memset(bytes, node, STORE_NODE_ID);
	memset(bytes + STORE_NODE_ID, epoch, STORE_EPOCH);
	return bytes;
}

/* The node comes in that life. */
static void
come(int node, int epoch)
{
	struct sync_replica r = { .db = db };
	struct sync_site site;

	memcpy(site.node, holder(node, epoch), STORE_NODE_ID);
	memcpy(site.epoch, holder(node, epoch) + STORE_NODE_ID, STORE_EPOCH);
	ck_assert_int_eq(sync_life_met(&r, &site, &err), 0);
}

static void
open_hub(void)
{
	int rc = store_db_open(":memory:", STORE_LOCAL, env_real(), &db, &err);

	if (rc == 0)
		rc = store_db_begin(db, &err);
	if (rc == 0)
		rc = facility_schema_create(db, &err);
	if (rc == 0)
		rc = facility_track(db, true, &err);
	ck_assert_msg(rc == 0, "%s", err.msg);
	f = (struct facility){ .db = db, .id = "F1", .offset_min = 480 };
	be(HUB, 1);
}

static void
close_hub(void)
{
	store_db_close(db);
}

static int
grant_of(const struct seats_kind *of, int cap, int units, const uint8_t *to)
{
	struct seats_grant in = { .kind = *of, .cap = cap, .units = units, .holder = to };

	return seats_grant(db, &in, &err);
}

static int
grant(int cap, int units, int node)
{
	return grant_of(&kind, cap, units, units == 0 ? NULL : holder(node, 1));
}

static int
book(void)
{
	struct facility_book in = { .at = help_at(9, 0),
		                    .resource = kind.resource,
		                    .period = kind.period,
		                    .guardian_name = "张三" };

	return facility_book(&f, &in, &err);
}

static int
cancel(const uint8_t *booking)
{
	struct facility_book_cancel in = { .at = help_at(9, 30), .booking = booking };

	return facility_book_cancel(&f, &in, &err);
}

static int
decline(const uint8_t *booking)
{
	struct facility_book_review in = { .at = help_at(9, 30), .booking = booking, .state = 6 };

	return facility_book_review(&f, &in, &err);
}

static int
ask(const struct seats_kind *of, int64_t wanted)
{
	struct seats_ask in = { .kind = *of, .wanted = wanted, .at = help_at(8, 0) };

	return seats_ask(db, &in, &err);
}

/* So many units that a where clause is true of. */
static int64_t
units(const char *where)
{
	char sql[200];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM seat_unit WHERE %s", where);
	return help_int(db, sql);
}

static int64_t
take_back(int64_t leave, const char *node, const char *reason)
{
	struct seats_take_back in = { .kind = kind,
		                      .node = node,
		                      .epoch = "",
		                      .leave = leave,
		                      .reason = reason,
		                      .by = "admin",
		                      .at = help_at(10, 0) };
	int64_t count = -1;

	ck_assert_msg(seats_take_back(db, &in, &count, &err) == 0, "%s", err.msg);
	return count;
}

#define HELD_BY(node) "substr(hex(holder), 1, 2) = '" node "'"

/* ---- booking ---- */

START_TEST(a_booking_takes_a_seat_of_this_file_and_no_other)
{
	uint8_t first[STORE_ID];

	ck_assert_int_eq(grant(3, 2, OFFICE), 0);
	be(OFFICE, 1);
	ck_assert_int_eq(book(), 0);
	memcpy(first, f.last_id, STORE_ID);
	ck_assert_int_eq(book(), 0);
	ck_assert_int_eq(help_int(db, "SELECT count(DISTINCT seat_no) FROM booking b JOIN seat_unit"
	                              " u ON u.used_by = b.id AND u.no = b.seat_no AND"
	                              " u.grant_id = b.seat_grant_id WHERE b.state = 2"
	                              " AND b.kind = 3"),
	                 2);
	ck_assert_int_eq(book(), ERR_DENIED);
	help_says(&err, "no seats left here; ask the hub for more");
	be(STATION, 1);
	ck_assert_int_eq(book(), ERR_DENIED);
	be(OFFICE, 1);
	ck_assert_int_eq(cancel(first), 0);
	ck_assert_int_eq(units("used_by IS NULL AND " HELD_BY("A0")), 1);
	ck_assert_int_eq(book(), 0);
	ck_assert_int_eq(book(), ERR_DENIED);
	/* declined by the facility, it is free as well */
	memcpy(first, f.last_id, STORE_ID);
	ck_assert_int_eq(decline(first), 0);
	ck_assert_int_eq(units("used_by IS NULL AND " HELD_BY("A0")), 1);
	ck_assert_int_eq(book(), 0);
	ck_assert_int_eq(book(), ERR_DENIED);
}
END_TEST

START_TEST(a_new_life_holds_nothing_until_the_hub_has_granted_anew)
{
	ck_assert_int_eq(grant(4, 2, OFFICE), 0);
	be(OFFICE, 2);
	ck_assert_int_eq(book(), ERR_DENIED);
	be(HUB, 1);
	ck_assert_int_eq(grant_of(&kind, -1, 1, holder(OFFICE, 2)), 0);
	be(OFFICE, 2);
	ck_assert_int_eq(book(), 0);
	ck_assert_int_eq(book(), ERR_DENIED);
}
END_TEST

START_TEST(a_session_has_seats_of_its_own)
{
	struct facility_session session = {
		.at = help_at(10, 0), .kind = 2, .title = "亲子课", .minutes = 60, .cap = 1
	};
	struct facility_book in = { .at = help_at(9, 0), .guardian_name = "李四" };
	char hex[2 * STORE_ID + 1];
	uint8_t id[STORE_ID];
	struct seats_kind of = { "F1", hex, "" };

	ck_assert_int_eq(facility_session(&f, &session, &err), 0);
	memcpy(id, f.last_id, STORE_ID);
	text_hex(hex, id, STORE_ID);
	ck_assert_int_eq(grant_of(&of, 1, 0, NULL), 0);
	in.session = id;
	ck_assert_int_eq(facility_book(&f, &in, &err), 0);
	ck_assert_int_eq(facility_book(&f, &in, &err), ERR_DENIED);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM booking WHERE kind = 2 AND session_id"
	                              " IS NOT NULL"),
	                 1);
	in.session = help_id(9);
	ck_assert_int_eq(facility_book(&f, &in, &err), ERR_NOTFOUND);
}
END_TEST

static const struct refused {
	struct facility_book in;
	int code;
	const char *says;
} refused[] = {
	{ { .resource = "drop-in", .guardian_name = "a" }, ERR_INVALID, "at:" },
	{ { .at = 1, .resource = "drop-in", .guardian_name = "a", .kind = 9 },
	  ERR_INVALID,
	  "kind" },
	{ { .at = 1, .resource = "drop-in" }, ERR_INVALID, "guardian_name: is needed" },
	{ { .at = 1, .guardian_name = "a" }, ERR_INVALID, "resource: is needed" },
	{ { .at = 1, .resource = "drop-in", .guardian_name = "a", .wanted_at = 5 },
	  ERR_INVALID,
	  "wanted_at" },
	{ { .at = 1, .resource = "\xff", .guardian_name = "a" }, ERR_INVALID, "not UTF-8" },
	{ { .at = 1,
	    .resource = "drop-in",
	    .guardian_name = "a",
	    .period = "12345678901234567890123456789012345678901234567890123456789012345" },
	  ERR_INVALID,
	  "period: 65 bytes are too many" },
	{ { .at = 1, .resource = "drop-in", .child = (const uint8_t *)"0123456789abcdef" },
	  ERR_NOTFOUND,
	  "child: there is no" },
	{ { .at = 1, .resource = "nothing", .guardian_name = "a" }, ERR_DENIED, "no seats left" },
};

START_TEST(a_booking_that_cannot_be_is_refused_with_its_reason)
{
	struct facility_book in = refused[_i].in;

	ck_assert_int_eq(grant(2, 0, HUB), 0);
	if (in.at == 1)
		in.at = help_at(9, 0);
	ck_assert_int_eq(facility_book(&f, &in, &err), refused[_i].code);
	help_says(&err, refused[_i].says);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM booking"), 0);
	ck_assert_int_eq(units("used_by IS NOT NULL"), 0);
	ck_assert_int_eq(cancel(help_id(7)), ERR_NOTFOUND);
}
END_TEST

/* Two files used one seat; a person cancels the one that is shown. */
START_TEST(a_seat_is_not_free_while_a_booking_names_it)
{
	uint8_t shown[STORE_ID];
	int64_t twice;

	ck_assert_int_eq(grant(1, 0, HUB), 0);
	ck_assert_int_eq(book(), 0);
	memcpy(shown, f.last_id, STORE_ID);
	ck_assert_int_eq(
	        store_db_exec(db,
	                      "INSERT INTO booking(id, facility_id, seat_grant_id, seat_no,"
	                      " state) SELECT zeroblob(16), facility_id, seat_grant_id,"
	                      " seat_no, 2 FROM booking",
	                      &err),
	        0);
	ck_assert_int_eq(seats_twice(db, &twice, &err), 0);
	ck_assert_int_eq(twice, 1);
	ck_assert_int_eq(cancel(shown), 0);
	ck_assert_int_eq(seats_twice(db, &twice, &err), 0);
	ck_assert_int_eq(twice, 0);
	ck_assert_int_eq(units("used_by = zeroblob(16)"), 1);
	ck_assert_int_eq(book(), ERR_DENIED);
	memset(shown, 0, sizeof shown);
	ck_assert_int_eq(cancel(shown), 0);
	ck_assert_int_eq(book(), 0);
}
END_TEST

static void
note_orphan(void *ctx, const struct seats_orphan *o)
{
	int64_t *sum = ctx;

	ck_assert_str_eq(o->kind.facility, kind.facility);
	ck_assert_str_eq(o->kind.resource, kind.resource);
	ck_assert_str_eq(o->kind.period, kind.period);
	*sum = 10 * *sum + o->no;
}

START_TEST(a_seat_of_a_booking_that_is_not_there_is_named)
{
	int64_t sum = 0;

	ck_assert_int_eq(grant(3, 0, HUB), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(book(), 0);
	ck_assert_int_eq(seats_orphans(db, note_orphan, &sum, &err), 0);
	ck_assert_int_eq(sum, 0);
	ck_assert_int_eq(store_db_exec(db, "DELETE FROM booking WHERE seat_no <> 2", &err), 0);
	ck_assert_int_eq(seats_orphans(db, note_orphan, &sum, &err), 0);
	ck_assert_int_eq(sum, 13);
}
END_TEST

/* ---- asking and answering ---- */

START_TEST(what_is_asked_for_is_granted_when_the_node_has_come)
{
	bool yes;

	ck_assert_int_eq(grant(5, 0, HUB), 0);
	come(OFFICE, 1);
	be(OFFICE, 1);
	ck_assert_int_eq(ask(&kind, 2), 0);
	be(HUB, 1);
	ck_assert_int_eq(seats_asked(db, holder(OFFICE, 1), &yes, &err), 0);
	ck_assert(yes);
	ck_assert_int_eq(seats_answer(db, holder(OFFICE, 1), &err), 0);
	ck_assert_int_eq(units(HELD_BY("A0")), 2);
	ck_assert_int_eq(seats_asked(db, holder(OFFICE, 1), &yes, &err), 0);
	ck_assert(!yes);
	/* one is used: there are to be two free ones at hand all the same */
	be(OFFICE, 1);
	ck_assert_int_eq(book(), 0);
	be(HUB, 1);
	ck_assert_int_eq(seats_answer(db, holder(OFFICE, 1), &err), 0);
	ck_assert_int_eq(units(HELD_BY("A0")), 3);
	/* another life of the node, and a node that never came, get nothing */
	come(OFFICE, 2);
	be(OFFICE, 1);
	ck_assert_int_eq(ask(&kind, 5), 0);
	be(HUB, 1);
	ck_assert_int_eq(seats_answer(db, holder(OFFICE, 1), &err), 0);
	ck_assert_int_eq(seats_asked(db, holder(STATION, 1), &yes, &err), 0);
	ck_assert(!yes);
	ck_assert_int_eq(units(HELD_BY("A0")), 3);
}
END_TEST

START_TEST(as_many_are_granted_as_there_are)
{
	come(OFFICE, 1);
	ck_assert_int_eq(grant(3, 0, HUB), 0);
	be(OFFICE, 1);
	ck_assert_int_eq(ask(&kind, 8), 0);
	be(HUB, 1);
	ck_assert_int_eq(seats_answer(db, holder(OFFICE, 1), &err), 0);
	ck_assert_int_eq(units(HELD_BY("A0")), 3);
	ck_assert_int_eq(grant(-1, 1, STATION), ERR_DENIED);
	help_says(&err, "only 0 free seats");
}
END_TEST

START_TEST(nobody_can_ask_for_what_is_not_given_out)
{
	ck_assert_int_eq(ask(&kind, 2), ERR_NOTFOUND);
	help_says(&err, "gives out no seats of drop-in for 20260302");
	ck_assert_int_eq(ask(&kind, SEATS_MAX + 1), ERR_INVALID);
	ck_assert_int_eq(ask(&kind, -1), ERR_INVALID);
}
END_TEST

START_TEST(who_gives_back_does_not_get_them_again)
{
	bool yes;
	int64_t back;

	come(OFFICE, 1);
	ck_assert_int_eq(grant(5, 4, OFFICE), 0);
	be(OFFICE, 1);
	ck_assert_int_eq(ask(&kind, 4), 0);
	ck_assert_int_eq(book(), 0);
	ck_assert_int_eq(seats_give_back(db, &kind, 2, &back, &err), 0);
	ck_assert_int_eq(back, 2);
	ck_assert_int_eq(help_int(db, "SELECT wanted FROM seat_ask"), 1);
	be(HUB, 1);
	ck_assert_int_eq(seats_asked(db, holder(STATION, 1), &yes, &err), 0);
	ck_assert(!yes); /* who never came brings nothing about */
	ck_assert_int_eq(seats_asked(db, holder(OFFICE, 1), &yes, &err), 0);
	ck_assert(yes);
	ck_assert_int_eq(seats_answer(db, holder(OFFICE, 1), &err), 0);
	ck_assert_int_eq(units(HELD_BY("EE")), 3);
	ck_assert_int_eq(units("returned IS NOT NULL"), 0);
	be(OFFICE, 1);
	ck_assert_int_eq(seats_give_back(db, &kind, -1, &back, &err), 0);
	ck_assert_int_eq(back, 1); /* the used one stays */
	ck_assert_int_eq(book(), ERR_DENIED);
}
END_TEST

/* ---- capacity ---- */

START_TEST(capacity_only_grows)
{
	ck_assert_int_eq(grant(-1, 1, OFFICE), ERR_NOTFOUND);
	help_says(&err, "--cap N");
	ck_assert_int_eq(grant(3, 0, HUB), 0);
	ck_assert_int_eq(grant(3, 0, HUB), 0);
	ck_assert_int_eq(units("1"), 3);
	ck_assert_int_eq(grant(5, 0, HUB), 0);
	ck_assert_int_eq(units("1"), 5);
	ck_assert_int_eq(grant(4, 0, HUB), ERR_INVALID);
	help_says(&err, "only grows");
	ck_assert_int_eq(grant(SEATS_MAX + 1, 0, HUB), ERR_INVALID);
	ck_assert_int_eq(help_int(db, "SELECT cap FROM seat_quota"), 5);
}
END_TEST

START_TEST(kinds_of_seats_do_not_mix)
{
	const struct seats_kind kinds[] = { { "F1", "a", "bc" },
		                            { "F1", "ab", "c" },
		                            { "F1a", "", "bc" },
		                            { "F2", "a", "bc" },
		                            { "F1", "a", "" } };
	uint8_t ids[5][SEATS_GRANT];

	for (int i = 0; i < 5; i++) {
		seats_grant_id(&kinds[i], ids[i]);
		for (int j = 0; j < i; j++)
			ck_assert_int_ne(memcmp(ids[i], ids[j], SEATS_GRANT), 0);
	}
}
END_TEST

/* ---- taking back ---- */

START_TEST(the_holder_gives_back_what_it_is_asked_for_and_does_not_use)
{
	bool yes;

	come(OFFICE, 1);
	ck_assert_int_eq(grant(6, 4, OFFICE), 0);
	be(OFFICE, 1);
	ck_assert_int_eq(ask(&kind, 3), 0);
	ck_assert_int_eq(book(), 0);
	be(HUB, 1);
	ck_assert_int_eq(take_back(1, "b", NULL), 0); /* others' only */
	ck_assert_int_eq(take_back(1, "a0a0", NULL), 2);
	ck_assert_int_eq(take_back(1, "", NULL), 0); /* they are asked for already */
	be(OFFICE, 1);
	ck_assert_int_eq(seats_unsettled(db, &yes, &err), 0);
	ck_assert(yes);
	/* until it hears of it, all of them can be booked; what isn't asked for goes first */
	ck_assert_int_eq(book(), 0);
	ck_assert_int_eq(units("recall = 1 AND used_by IS NULL"), 2);
	ck_assert_int_eq(book(), 0);
	ck_assert_int_eq(seats_settle(db, &err), 0);
	ck_assert_int_eq(units("returned = 1"), 1);
	ck_assert_int_eq(seats_unsettled(db, &yes, &err), 0);
	ck_assert(!yes);
	/* and isn't given what it asked for before */
	be(HUB, 1);
	ck_assert_int_eq(seats_answer(db, holder(OFFICE, 1), &err), 0);
	ck_assert_int_eq(units(HELD_BY("EE")), 2);
	ck_assert_int_eq(units("used_by IS NULL AND " HELD_BY("A0")), 1);
	/* but by the administrator */
	ck_assert_int_eq(grant(-1, 1, OFFICE), 0);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM seat_ask WHERE most IS NULL"), 1);
}
END_TEST

START_TEST(an_override_is_logged)
{
	ck_assert_int_eq(grant(4, 2, OFFICE), 0);
	ck_assert_int_eq(grant(-1, 1, STATION), 0);
	be(OFFICE, 1);
	ck_assert_int_eq(book(), 0);
	be(HUB, 1);
	ck_assert_int_eq(take_back(0, "a0", "the tablet has drowned"), 2);
	ck_assert_int_eq(units(HELD_BY("EE")), 3);
	ck_assert_int_eq(units(HELD_BY("B0")), 1);
	ck_assert_int_eq(units("used_by IS NOT NULL"), 1); /* whoever has booked comes */
	ck_assert_int_eq(help_int(db, "SELECT count(DISTINCT no) FROM seat_override WHERE reason ="
	                              " 'the tablet has drowned' AND by_name = 'admin' AND at > 0"
	                              " AND substr(hex(holder), 1, 2) = 'A0' AND facility_id = 'F1'"
	                              " AND grant_id = (SELECT id FROM seat_quota)"),
	                 2);
	be(OFFICE, 1);
	ck_assert_int_eq(book(), ERR_DENIED);
}
END_TEST

START_TEST(nothing_is_taken_back_that_was_not_given_out)
{
	struct seats_take_back in = { .kind = kind, .node = "", .epoch = "" };
	int64_t count;

	ck_assert_int_eq(seats_take_back(db, &in, &count, &err), ERR_NOTFOUND);
	in.leave = -1;
	ck_assert_int_eq(seats_take_back(db, &in, &count, &err), ERR_INVALID);
}
END_TEST

START_TEST(a_hub_that_was_put_back_gives_out_nothing_until_told_to)
{
	struct seats_take_back why = { .reason = "all have come", .by = "admin", .at = 1 };
	struct sync_replica r = { .db = db };
	int64_t count;
	bool paused, waited;

	ck_assert_int_eq(grant(3, 1, OFFICE), 0);
	ck_assert_int_eq(seats_resume(db, &why, &waited, &count, &err), 0);
	ck_assert(!waited);
	ck_assert_int_eq(count, 0);
	ck_assert_int_eq(seats_paused(db, &paused, &err), 0);
	ck_assert(!paused);
	ck_assert_int_eq(store_meta_self(db, &r.self, &err), 0);
	ck_assert_msg(sync_life_begin(&r, SYNC_LIFE_RESTORED, &err) == 0, "%s", err.msg);
	come(OFFICE, 1);
	ck_assert_int_eq(grant(-1, 1, STATION), ERR_DENIED);
	help_says(&err, "yizhan seats resume");
	ck_assert_int_eq(grant(9, 0, HUB), ERR_DENIED);
	ck_assert_int_eq(book(), ERR_DENIED);
	ck_assert_int_eq(ask(&kind, 3), 0);
	ck_assert_int_eq(seats_answer(db, holder(OFFICE, 1), &err), 0);
	ck_assert_int_eq(units(HELD_BY("A0")), 1);
	ck_assert_int_eq(seats_paused(db, &paused, &err), 0);
	ck_assert(paused);
	ck_assert_int_eq(seats_resume(db, &why, &waited, &count, &err), 0);
	ck_assert(waited);
	ck_assert_int_eq(count, 2);
	ck_assert_int_eq(seats_resume(db, &why, &waited, &count, &err), 0);
	ck_assert(!waited);
	ck_assert_int_eq(count, 0);
	ck_assert_int_eq(seats_paused(db, &paused, &err), 0);
	ck_assert(!paused);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM seat_override"), 2);
	ck_assert_int_eq(grant(-1, 1, STATION), 0);
	ck_assert_int_eq(book(), 0);
}
END_TEST

/* ---- the platform ---- */

static int
confirm(const char *sql)
{
	ck_assert_msg(store_db_exec(db, sql, &err) == 0, "%s", err.msg);
	return seats_confirm(db, help_id(5), &err);
}

#define FIVE "unhex(replace(hex(zeroblob(16)), '00', '05'))"

START_TEST(a_booking_of_the_platform_gets_what_the_hub_holds)
{
	const char *insert = "INSERT INTO booking(id, facility_id, seat_grant_id, state)"
	                     " SELECT " FIVE ", facility_id, id, 2 FROM seat_quota";

	ck_assert_int_eq(grant(2, 1, OFFICE), 0);
	ck_assert_int_eq(confirm(insert), 0);
	ck_assert_int_eq(units("used_by = " FIVE " AND no = 2"), 1);
	ck_assert_int_eq(help_int(db, "SELECT seat_no FROM booking"), 2);
	/* once more, and corrected: it keeps its seat */
	ck_assert_int_eq(confirm("UPDATE booking SET note = 'x'"), 0);
	ck_assert_int_eq(units("used_by = " FIVE " AND no = 2"), 1);
	/* a seat that the office may have given away */
	ck_assert_int_eq(confirm("UPDATE booking SET seat_no = 1"), ERR_DENIED);
	ck_assert_int_eq(confirm("UPDATE booking SET seat_no = 2"), 0);
	ck_assert_int_eq(units("used_by IS NOT NULL"), 1);
	for (int gone = 4; gone <= 6; gone += 2) { /* who booked cancels; the facility declines */
		ck_assert_int_eq(confirm(gone == 4 ? "UPDATE booking SET state = 4"
		                                   : "UPDATE booking SET state = 6"),
		                 0);
		ck_assert_int_eq(units("used_by IS NOT NULL"), 0);
		ck_assert_int_eq(confirm("UPDATE booking SET state = 2"), 0);
		ck_assert_int_eq(units("used_by IS NOT NULL"), 1);
	}
	ck_assert_int_eq(confirm("UPDATE booking SET state = 4"), 0);
	/* of another facility's seats there are none */
	ck_assert_int_eq(confirm("DELETE FROM booking; INSERT INTO booking(id, facility_id,"
	                         " seat_grant_id, state) SELECT " FIVE ", 'F2', id, 2"
	                         " FROM seat_quota"),
	                 ERR_DENIED);
	/* and one that names none, like a tour, is none of our business */
	ck_assert_int_eq(confirm("UPDATE booking SET seat_grant_id = NULL"), 0);
}
END_TEST

Suite *
suite_facility_seats(void)
{
	Suite *suite = suite_create("node/facility/seats");
	TCase *tcase = tcase_create("seats");

	tcase_add_checked_fixture(tcase, open_hub, close_hub);
	tcase_add_test(tcase, a_booking_takes_a_seat_of_this_file_and_no_other);
	tcase_add_test(tcase, a_new_life_holds_nothing_until_the_hub_has_granted_anew);
	tcase_add_test(tcase, a_session_has_seats_of_its_own);
	tcase_add_loop_test(tcase, a_booking_that_cannot_be_is_refused_with_its_reason, 0,
	                    sizeof refused / sizeof refused[0]);
	tcase_add_test(tcase, a_seat_is_not_free_while_a_booking_names_it);
	tcase_add_test(tcase, a_seat_of_a_booking_that_is_not_there_is_named);
	tcase_add_test(tcase, what_is_asked_for_is_granted_when_the_node_has_come);
	tcase_add_test(tcase, as_many_are_granted_as_there_are);
	tcase_add_test(tcase, nobody_can_ask_for_what_is_not_given_out);
	tcase_add_test(tcase, who_gives_back_does_not_get_them_again);
	tcase_add_test(tcase, capacity_only_grows);
	tcase_add_test(tcase, kinds_of_seats_do_not_mix);
	tcase_add_test(tcase, the_holder_gives_back_what_it_is_asked_for_and_does_not_use);
	tcase_add_test(tcase, an_override_is_logged);
	tcase_add_test(tcase, nothing_is_taken_back_that_was_not_given_out);
	tcase_add_test(tcase, a_hub_that_was_put_back_gives_out_nothing_until_told_to);
	tcase_add_test(tcase, a_booking_of_the_platform_gets_what_the_hub_holds);
	suite_add_tcase(suite, tcase);
	return suite;
}

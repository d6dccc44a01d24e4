/*
 * tests/facility_shared.c - a child whom two facilities see, or who has gone to the second: what it
 * can do with what the first has written of her, by the door; and what stays the first's.
 */
#include "tests/suites.h"
#include "tests/world.h"

#include "node/facility/codes.h"
#include "node/facility/record.h"
#include "node/facility/roster.h"
#include "node/facility/schema.h"
#include "node/facility/seats.h"
#include "node/id_key.h"
#include "store/share.h"
#include "store/stmt.h"
#include "store/track.h"

#include <stdio.h>
#include <string.h>

enum { F1, F2 };
enum { CHILD = 0x01, EXAM = 0x02, FIRST_CASE = 0x03, SECOND_CASE = 0x04, MEDICINE = 0x05 };

static struct world w;
static struct err err;
static uint8_t ids[8][STORE_ID];

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.msg : "");
}

static void
expect_refused(int rc, int code, const char *words)
{
	ck_assert_int_eq(rc, code);
	ck_assert_msg(strstr(err.msg, words) != NULL, "'%s' isn't in: %s", words, err.msg);
}

/* ---- the world ---- */

static void
make_tables(struct world_peer *p, bool is_hub)
{
	static const char *const tables[] = {
		"booking",    "child",           "class_assignment", "class_group",
		"enrollment", "enrollment_step", "guardian",         "health_exam",
		"seat_unit",  "symptom_case",    "medication_given", "medication_request",
	};
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

/* A child of F1's, examined and twice ill, with a medicine to be given. */
static void
open_world(void)
{
	static const char *const facilities[] = { "F1", "F2", NULL };

	for (int i = 0; i < (int)(sizeof ids / sizeof ids[0]); i++)
		memset(ids[i], i, STORE_ID);
	world_open(&w, 91, facilities);
	make_tables(&w.hub, true);
	make_tables(&w.nodes[F1], false);
	make_tables(&w.nodes[F2], false);
	world_sql(&w.nodes[F1],
	          "INSERT INTO child(id, facility_id, name, birth_date, id_hash) VALUES"
	          " (x'01010101010101010101010101010101', 'F1', 'Wu Yi', 20240301,"
	          "  x'ffffffff0000000000000000000000ff');"
	          "INSERT INTO health_exam(id, facility_id, child_id, exam_date) VALUES"
	          " (x'02020202020202020202020202020202', 'F1',"
	          "  x'01010101010101010101010101010101', 20260301);"
	          "INSERT INTO symptom_case(id, facility_id, child_id, onset_date, disease_code)"
	          " VALUES (x'03030303030303030303030303030303', 'F1',"
	          "  x'01010101010101010101010101010101', 20260301, 'HFMD'),"
	          " (x'04040404040404040404040404040404', 'F1',"
	          "  x'01010101010101010101010101010101', 20260301, 'FLU');"
	          "INSERT INTO medication_request(id, facility_id, child_id, drug) VALUES"
	          " (x'05050505050505050505050505050505', 'F1',"
	          "  x'01010101010101010101010101010101', 'syrup')");
	world_settle(&w, 3);
}

static void
close_world(void)
{
	world_close(&w);
}

/* F2 sees her, and with `moves` F1 no more. */
static void
share(bool moves)
{
	struct store_value v = { .type = STORE_BLOB, .bytes = ids[CHILD], .len = STORE_ID };
	struct buf key = { 0 };
	struct store_share_line line = { .table = "child", .scope = "f/F2", .at_ms = 1, .by = "" };

	store_value_write(&key, &v);
	line.key = key.bytes;
	line.key_len = key.len;
	must(store_db_begin(w.hub.local, &err));
	must(store_share_say(w.hub.local, &line, &err));
	line.scope = "f/F1";
	line.ended_ms = 2;
	if (moves)
		must(store_share_say(w.hub.local, &line, &err));
	must(store_db_commit(w.hub.local, &err));
	buf_free(&key);
	world_settle(&w, 3);
}

/* The door of a node, in a transaction. */
static struct facility
door(int node)
{
	struct facility f = { .db = w.nodes[node].local, .offset_min = 480 };

	snprintf(f.id, sizeof f.id, "F%d", node + 1);
	must(store_db_begin(f.db, &err));
	return f;
}

static void
shut(struct facility *f)
{
	must(store_db_commit(f->db, &err));
	world_settle(&w, 3);
}

static void
expect_level_at(struct world_peer *node, const char *scope)
{
	char here[33], there[33];

	world_digest(node, scope, here);
	world_digest(&w.hub, scope, there);
	ck_assert_str_eq(here, there);
	ck_assert_int_eq(world_int(node, "SELECT count(*) FROM yz_quarantine"), 0);
}

static void
expect_level(void)
{
	expect_level_at(&w.nodes[0], "f/F1");
	expect_level_at(&w.nodes[1], "f/F2");
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM yz_quarantine"), 0);
}

/* ---- claims: _i is whether she has left F1 ---- */

START_TEST(a_case_is_closed_where_she_is)
{
	const struct facility_case_close first = { .at = w.wall_ms,
		                                   .sick = ids[FIRST_CASE],
		                                   .certificate = ids[EXAM] };
	const struct facility_case_close second = { .at = w.wall_ms, .sick = ids[SECOND_CASE] };
	struct facility f;

	f = door(F2);
	expect_refused(facility_case_close(&f, &first, &err), ERR_NOTFOUND, "case: there is no");
	shut(&f);
	share(_i != 0);

	f = door(F2);
	must(facility_case_close(&f, &first, &err));
	shut(&f);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM symptom_case WHERE closed = 1"
	                                   " AND return_cert_id IS NOT NULL"),
	                 1);
	ck_assert_int_eq(
	        world_int(&w.nodes[F1], "SELECT count(*) FROM symptom_case WHERE closed = 1"),
	        _i == 0);

	f = door(F1); /* the first sees her still, or knows that it doesn't */
	if (_i == 0)
		must(facility_case_close(&f, &second, &err));
	else
		expect_refused(facility_case_close(&f, &second, &err), ERR_DENIED,
		               "case: is of somebody who has left F1");
	shut(&f);
	ck_assert_int_eq(
	        world_int(&w.nodes[F2], "SELECT count(*) FROM symptom_case WHERE closed = 1"),
	        _i == 0 ? 2 : 1);
	expect_level();
}
END_TEST

/* A place in F2's session, as the hub has given it to F2's node. */
static void
grant_seat(const struct seats_kind *kind)
{
	uint8_t grant[SEATS_GRANT], holder[SEATS_HOLDER];
	struct store_stmt s;

	seats_grant_id(kind, grant);
	must(seats_self(w.nodes[F2].local, holder, &err));
	must(store_db_begin(w.hub.local, &err));
	s = store_stmt_new(w.hub.local,
	                   "INSERT INTO seat_unit(grant_id, no, facility_id, resource, period,"
	                   " holder) VALUES (?, 1, 'F2', ?, ?, ?)");
	store_stmt_put_blob(&s, grant, sizeof grant);
	store_stmt_put_text(&s, kind->resource);
	store_stmt_put_text(&s, kind->period);
	store_stmt_put_blob(&s, holder, sizeof holder);
	must(store_stmt_run(&s, &err));
	must(store_db_commit(w.hub.local, &err));
	world_settle(&w, 2);
}

START_TEST(she_is_booked_where_she_is)
{
	static const struct seats_kind kind = { "F2", "drop-in", "20260302" };
	const struct facility_book book = { .at = w.wall_ms,
		                            .kind = BOOK_DROP_IN,
		                            .resource = kind.resource,
		                            .period = kind.period,
		                            .child = ids[CHILD] };
	struct facility f;

	grant_seat(&kind);
	f = door(F2);
	expect_refused(facility_book(&f, &book, &err), ERR_NOTFOUND, "child: there is no");
	shut(&f);
	share(_i != 0);
	f = door(F2);
	must(facility_book(&f, &book, &err));
	shut(&f);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM booking WHERE facility_id = 'F2'"
	                                   " AND child_id ="
	                                   " x'01010101010101010101010101010101'"),
	                 1);
	if (_i != 0) {
		f = door(F1);
		expect_refused(facility_book(&f, &book, &err), ERR_DENIED,
		               "child: is of somebody who has left F1");
		shut(&f);
	}
	expect_level();
}
END_TEST

/* The other facility's name alone makes nobody ours: such a row goes nowhere, nor does what would
 * be written of it. */
START_TEST(who_is_nobodys_here_is_not_booked)
{
	const struct facility_book book = { .at = w.wall_ms,
		                            .kind = BOOK_DROP_IN,
		                            .resource = "drop-in",
		                            .period = "20260302",
		                            .child = ids[7] };
	struct facility f;

	world_sql(&w.nodes[F2], "INSERT INTO child(id, facility_id, name) VALUES"
	                        " (x'07070707070707070707070707070707', 'F1', 'Wu San')");
	world_settle(&w, 2);
	ck_assert_int_eq(world_int(&w.nodes[F2], "SELECT count(*) FROM yz_quarantine"), 1);
	f = door(F2);
	expect_refused(facility_book(&f, &book, &err), ERR_NOTFOUND, "child: there is no");
	shut(&f);
}
END_TEST

/* What was asked of the first: its doses are keyed by the request, and the second doesn't see
 * which of them were given. */
START_TEST(a_medicine_is_given_by_whom_it_was_handed_to)
{
	const struct facility_medication_given given = { .at = w.wall_ms,
		                                         .request = ids[MEDICINE],
		                                         .slot = 3 };
	struct facility f;

	share(_i != 0);
	ck_assert_int_eq(world_int(&w.nodes[F2], "SELECT count(*) FROM medication_request"), 1);
	f = door(F2);
	expect_refused(facility_medication_given(&f, &given, &err), ERR_NOTFOUND,
	               "request: there is no");
	shut(&f);
	expect_level();
}
END_TEST

/* Who is in the second's roster is the child that has come, not a new one; and the hash of her
 * paper, keyed by the first, isn't taken from it. */
START_TEST(a_roster_finds_her)
{
	static const char roster[] =
	        "姓名,出生日期,班级,证件号\nWu Yi,2024-03-01,一班,330106202403010011\n";
	const struct roster_options opt = { .at = w.wall_ms };
	uint8_t key[ID_KEY] = { 2 };
	struct roster_counts counts;
	struct facility f = door(F2);

	must(id_key_keep(f.db, key, &err)); /* that of all of its nodes, which replaces others */
	shut(&f);
	share(_i != 0);
	for (int i = 0; i < 2; i++) { /* twice is once */
		must(roster_import(&f, roster, sizeof roster - 1, &opt, &counts, &err));
		ck_assert_int_eq(counts.added, 0);
		world_settle(&w, 3);
	}
	ck_assert_int_eq(counts.rows, 0);
	ck_assert_int_eq(world_int(&w.nodes[F2], "SELECT count(*) FROM child"), 1);
	ck_assert_int_eq(world_int(&w.nodes[F2], "SELECT count(*) FROM child WHERE id_hash ="
	                                         " x'ffffffff0000000000000000000000ff'"),
	                 1);
	ck_assert_int_eq(world_int(&w.hub, "SELECT count(*) FROM enrollment WHERE child_id ="
	                                   " x'01010101010101010101010101010101' AND"
	                                   " facility_id = 'F2' AND status = 3"),
	                 1);
	expect_level();
}
END_TEST

Suite *
suite_facility_shared(void)
{
	Suite *suite = suite_create("node/facility/shared");
	TCase *tc = tcase_create("shared");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_loop_test(tc, a_case_is_closed_where_she_is, 0, 2);
	tcase_add_loop_test(tc, she_is_booked_where_she_is, 0, 2);
	tcase_add_test(tc, who_is_nobodys_here_is_not_booked);
	tcase_add_loop_test(tc, a_medicine_is_given_by_whom_it_was_handed_to, 0, 2);
	tcase_add_loop_test(tc, a_roster_finds_her, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

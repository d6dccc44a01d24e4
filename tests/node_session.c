/* tests/node_session.c - administrators of a hub, their passwords and sessions. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/hub/session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char password[ADMIN_PASSWORD], session[SESSION_TEXT], name[ADMIN_NAME];

static void
make(void)
{
	hub_open();
	ck_assert_msg(admin_new(hub_db, "wang", 0, hub.now_ms, password, &hub_err) == 0, "%s",
	              hub_err.msg);
}

static int
come(const char *who, const char *typed)
{
	struct session_ask ask = { .name = who, .password = typed, .peer = "192.0.2.7" };
	int rc = session_begin(hub_db, &ask, hub.now_ms, session, &hub_err);

	ck_assert_msg(rc >= 0, "%s", hub_err.msg);
	return rc;
}

static int
inside(void)
{
	return session_check(hub_db, session, hub.now_ms, name, &hub_err);
}

START_TEST(a_password_opens_for_its_name_alone)
{
	char lower[ADMIN_TYPED] = "", other[ADMIN_PASSWORD];

	ck_assert_int_eq(admin_new(hub_db, "li", 0, hub.now_ms, other, &hub_err), 0);
	ck_assert_int_eq(come("wang", password), 1);
	ck_assert_int_eq(inside(), 1);
	ck_assert_str_eq(name, "wang");
	for (size_t i = 0; password[i] != 0; i++) /* typed as people do */
		lower[i] = password[i] >= 'A'   ? (char)(password[i] + 32)
		           : password[i] == '-' ? ' '
		           : password[i] == '0' ? 'o'
		           : password[i] == '1' ? 'l'
		                                : password[i];
	ck_assert_int_eq(come("wang", lower), 1);
	ck_assert_int_eq(come("wang", other), 0);
	ck_assert_int_eq(come("li", password), 0);
	ck_assert_int_eq(come("", password), 0);
	ck_assert_int_eq(come("nobody", ""), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_sign_in WHERE what = 'refused'"), 4);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_session"), 2);
}
END_TEST

/* Processor time of one look at a password; the least of some. */
static clock_t
cost(const char *who)
{
	clock_t least = 0;

	for (int i = 0; i < 5; i++) {
		clock_t began = clock(), took;

		ck_assert_int_eq(admin_check(hub_db, who, "wrong", hub.now_ms, &hub_err), 0);
		took = clock() - began;
		least = i == 0 || took < least ? took : least;
	}
	return least;
}

/* Whoever measures can't tell a name that is none: each costs the hash. */
START_TEST(a27_a_name_that_is_none_costs_as_much)
{
	clock_t known = cost("wang"), unknown = cost("nobody"), gone;

	ck_assert_int_eq(admin_revoke(hub_db, "wang", hub.now_ms, &hub_err), 0);
	gone = cost("wang");
	ck_assert_msg(2 * unknown > known && unknown < 2 * known, "%ld and %ld", (long)known,
	              (long)unknown);
	ck_assert_msg(2 * gone > known && gone < 2 * known, "%ld and %ld", (long)known, (long)gone);
}
END_TEST

START_TEST(a_session_ends)
{
	ck_assert_int_eq(come("wang", password), 1);
	ck_assert_int_eq(inside(), 1);
	switch (_i) {
	case 0:
		hub.now_ms += SESSION_MS - 1;
		ck_assert_int_eq(inside(), 1);
		hub.now_ms++;
		break;
	case 1:
		ck_assert_int_eq(admin_revoke(hub_db, "wang", hub.now_ms, &hub_err), 0);
		ck_assert_int_eq(come("wang", password), 0);
		return;
	case 2:
		ck_assert_int_eq(session_end(hub_db, session, "192.0.2.7", hub.now_ms, &hub_err),
		                 0);
		ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_sign_in WHERE what = 'left'"),
		                 1);
		break;
	default: /* a new password */
		ck_assert_int_eq(admin_new(hub_db, "wang", 0, hub.now_ms, password, &hub_err), 0);
	}
	ck_assert_int_eq(inside(), 0);
	ck_assert_int_eq(session_end(hub_db, session, "192.0.2.7", hub.now_ms, &hub_err), 0);
	session[0] ^= 1;
	ck_assert_int_eq(inside(), 0);
}
END_TEST

START_TEST(an_administrator_ends_when_they_were_to)
{
	ck_assert_int_eq(admin_new(hub_db, "wang", hub.now_ms, hub.now_ms, password, &hub_err),
	                 ERR_INVALID);
	ck_assert_int_eq(
	        admin_new(hub_db, "wang", hub.now_ms + 1000, hub.now_ms, password, &hub_err), 0);
	ck_assert_int_eq(come("wang", password), 1);
	hub.now_ms += 1000;
	ck_assert_int_eq(inside(), 0);
	ck_assert_int_eq(come("wang", password), 0);
	ck_assert_int_eq(admin_revoke(hub_db, "zhao", hub.now_ms, &hub_err), ERR_NOTFOUND);
	ck_assert_int_eq(admin_new(hub_db, "wang li", 0, hub.now_ms, password, &hub_err),
	                 ERR_INVALID);
	ck_assert_int_eq(admin_new(hub_db, "a23456789012345678901234567890123", 0, hub.now_ms,
	                           password, &hub_err),
	                 ERR_INVALID);
}
END_TEST

/* Who has the file can't sign in with it. */
START_TEST(the_hub_keeps_neither_password_nor_session)
{
	char sql[300];

	ck_assert_int_eq(come("wang", password), 1);
	snprintf(sql, sizeof sql,
	         "SELECT (SELECT count(*) FROM hub_session WHERE instr(hash, '%s') OR instr(hash,"
	         " x'%s')) + (SELECT count(*) FROM hub_admin WHERE instr(password, '%.5s'))",
	         session, session, password);
	ck_assert_int_eq(hub_int(sql), 0);
	ck_assert_int_eq(
	        hub_int("SELECT count(*) FROM hub_admin WHERE password LIKE '$argon2id$%'"), 1);
}
END_TEST

/* Of an address, as those of it that are known feel it. */
START_TEST(tries_come_back_one_by_one)
{
	struct session_tries tries = { 0 };
	int64_t mono = 1000;

	for (int i = 0; i < SESSION_TRIES; i++)
		ck_assert_int_eq(session_try(&tries, "192.0.2.7", true, mono), 0);
	ck_assert_int_eq(session_try(&tries, "192.0.2.7", true, mono), SESSION_TRY_MS / 1000 + 1);
	mono += SESSION_TRY_MS - 1;
	ck_assert_int_eq(session_try(&tries, "192.0.2.7", true, mono), 1);
	mono++;
	ck_assert_int_eq(session_try(&tries, "192.0.2.7", true, mono), 0);
	ck_assert_int_gt(session_try(&tries, "192.0.2.7", true, mono), 0);
	mono += (int64_t)SESSION_TRIES * SESSION_TRY_MS * 100;
	for (int i = 0; i < SESSION_TRIES; i++)
		ck_assert_int_eq(session_try(&tries, "192.0.2.7", true, mono), 0);
	ck_assert_int_gt(session_try(&tries, "192.0.2.7", true, mono), 0);
}
END_TEST

/* He has one address, a whole /64, or as many as he likes. */
START_TEST(a_stranger_locks_nobody_out)
{
	static const char *const forms[] = { "198.51.100.9", "2001:db8:1:2::%x", "203.0.113.%u" };
	struct session_tries tries = { 0 };
	int64_t mono = 1000;
	int looked = 0;
	char peer[SESSION_PEER];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(peer, sizeof peer, forms[_i], _i == 2 ? i % 250 : i);
		looked += session_try(&tries, peer, false, mono) == 0;
	}
	ck_assert_int_eq(looked, _i < 2 ? SESSION_TRIES : SESSION_ALL_TRIES);
	/* who came before, comes */
	ck_assert_int_eq(session_try(&tries, "192.0.2.7", true, mono), 0);
	ck_assert_int_eq(session_try(&tries, "2001:db8:1:3::1", true, mono), 0);
	/* who never did has to wait for the flood alone */
	if (_i < 2)
		ck_assert_int_eq(session_try(&tries, "192.0.2.8", false, mono), 0);
	else
		ck_assert_int_eq(session_try(&tries, "192.0.2.8", false, mono), 2);
	mono += SESSION_ALL_TRY_MS;
	ck_assert_int_eq(session_try(&tries, "192.0.2.9", false, mono), 0);
}
END_TEST

/* Of a mapped IPv4 address the /64 is all of them. */
START_TEST(a_mapped_address_is_one_address)
{
	struct session_tries tries = { 0 };

	for (int i = 0; i < SESSION_TRIES; i++)
		ck_assert_int_eq(session_try(&tries, "::ffff:198.51.100.9", true, 1000), 0);
	ck_assert_int_gt(session_try(&tries, "::ffff:198.51.100.9", true, 1000), 0);
	ck_assert_int_eq(session_try(&tries, "::ffff:198.51.100.10", true, 1000), 0);
}
END_TEST

START_TEST(who_signed_in_from_there_is_known)
{
	ck_assert_int_eq(session_known(hub_db, "192.0.2.7", &hub_err), 0);
	ck_assert_int_eq(come("wang", "nothing"), 0);
	ck_assert_int_eq(session_known(hub_db, "192.0.2.7", &hub_err), 0);
	ck_assert_int_eq(come("wang", password), 1);
	ck_assert_int_eq(session_known(hub_db, "192.0.2.7", &hub_err), 1);
	ck_assert_int_eq(session_known(hub_db, "192.0.2.70", &hub_err), 0);
}
END_TEST

/* Strangers decide how many there are; who came is kept. */
START_TEST(refusals_dont_fill_the_file)
{
	ck_assert_int_eq(come("wang", password), 1);
	ck_assert_int_eq(store_db_exec(hub_db,
	                               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
	                               " FROM n WHERE i < 50000) INSERT INTO hub_sign_in(at_ms,"
	                               " admin, peer, what) SELECT 1772438400000, 'x', 'y',"
	                               " 'refused' FROM n",
	                               &hub_err),
	                 0);
	ck_assert_int_eq(come("wang", "nothing"), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_sign_in WHERE what = 'refused'"),
	                 SESSION_LOG_REFUSED);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_sign_in WHERE what = 'signed in'"), 1);
}
END_TEST

START_TEST(what_happened_is_listed)
{
	struct admin_entry *list;
	struct arena a = { 0 };
	struct buf out = { 0 };
	size_t count;

	come("wang", "wrong");
	hub.now_ms += 1000;
	come("wang", password);
	ck_assert_int_eq(session_log_json(hub_db, 1, &out, &hub_err), 0);
	ck_assert_str_eq(buf_str(&out), "[{\"at\":\"2026-03-02T08:00:01.000Z\",\"admin\":\"wang\","
	                                "\"peer\":\"192.0.2.7\",\"what\":\"signed in\"}]\n");
	buf_free(&out);
	ck_assert_int_eq(admin_list(hub_db, &a, &list, &count, &hub_err), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(list[0].came_ms, hub.now_ms);
	ck_assert_int_eq(list[0].revoked_ms, 0);
	arena_free(&a);
	hub.now_ms += (int64_t)(SESSION_LOG_DAYS + 1) * 86400000;
	come("wang", "wrong");
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_sign_in"), 1);
}
END_TEST

Suite *
suite_node_session(void)
{
	Suite *s = suite_create("node/session");
	TCase *t = tcase_create("session");

	tcase_add_checked_fixture(t, make, hub_close);
	tcase_add_test(t, a_password_opens_for_its_name_alone);
	tcase_add_test(t, a27_a_name_that_is_none_costs_as_much);
	tcase_add_loop_test(t, a_session_ends, 0, 4);
	tcase_add_test(t, an_administrator_ends_when_they_were_to);
	tcase_add_test(t, the_hub_keeps_neither_password_nor_session);
	tcase_add_test(t, tries_come_back_one_by_one);
	tcase_add_loop_test(t, a_stranger_locks_nobody_out, 0, 3);
	tcase_add_test(t, a_mapped_address_is_one_address);
	tcase_add_test(t, who_signed_in_from_there_is_known);
	tcase_add_test(t, refusals_dont_fill_the_file);
	tcase_add_test(t, what_happened_is_listed);
	suite_add_tcase(s, t);
	return s;
}

/*
 * tests/node_enrol_rows.c - enrolments as no hub of ours writes them: by a later
 * program, by a person with an SQL shell, by a damaged disk.  Nobody is let in by one.
 */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/grant.h"

#include <check.h>
#include <string.h>

static char code[CODE_TEXT];

static void
set(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s", hub_err.msg);
}

START_TEST(a_state_that_is_none_lets_nobody_in)
{
	struct enrol_entry *list;
	struct arena a = { 0 };
	size_t count;

	hub_code("F1", false, code);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_WAITING);
	set("UPDATE hub_enrolment SET state = 9");
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED);
	ck_assert_int_eq(enrol_decide(&hub, code, ENROL_APPROVE, &hub_err), ERR_INVALID);
	ck_assert_int_eq(enrol_list(&hub, &a, &list, &count, &hub_err), 0);
	ck_assert_str_eq(enrol_state_name(list[0].state), "unknown");
	arena_free(&a);
}
END_TEST

START_TEST(a_hash_of_another_length_fits_no_code)
{
	hub_code("F1", true, code);
	set("UPDATE hub_enrolment SET hash = substr(hash, 1, 31)");
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 0);
}
END_TEST

START_TEST(a_facility_that_init_would_not_take_gets_no_grant)
{
	struct sync_key node = hub_node_key(1);
	struct enrol_ask ask = { .code = code, .label = "office", .facility = "F/1" };
	struct enrol_answer answer;
	struct code read;

	hub_code("F1", true, code);
	set("UPDATE hub_enrolment SET facility = 'F/1'");
	ck_assert_int_eq(code_read(code, &read, &hub_err), 0);
	enrol_sign(&node, &read, &ask);
	ck_assert_int_eq(enrol_answer(&hub, &ask, &answer, &hub_err), ERR_INVALID);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 0);
	ck_assert_int_eq(hub_int("SELECT state FROM hub_enrolment"), ENROL_OPEN);
}
END_TEST

START_TEST(a_code_with_a_street_gives_its_rows_to_read)
{
	struct enrol_terms terms = { .facility = "F1", .street = "S1", .automatic = true };
	struct grant grant;
	struct buf doc = { 0 };
	int64_t expires;

	ck_assert_int_eq(enrol_new(&hub, &terms, code, &expires, &hub_err), 0);
	ck_assert_int_eq(hub_ask(code, 1, &doc).state, ENROL_GRANTED);
	ck_assert_int_eq(grant_read(doc.bytes, doc.len, hub_key.public_key, &grant, &hub_err), 0);
	ck_assert(grant_has(&grant.read, "s/S1"));
	ck_assert(!grant_has(&grant.write, "s/S1"));
	buf_free(&doc);
}
END_TEST

START_TEST(when_all_names_are_taken_the_hub_says_so)
{
	struct enrol_terms terms = { .facility = "F1" };
	int64_t expires;

	hub_no_chance = true; /* each draw is the same name */
	hub_code("F1", true, code);
	ck_assert_int_eq(enrol_new(&hub, &terms, code, &expires, &hub_err), ERR_BUSY);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_enrolment"), 1);
	hub_no_chance = false;
	hub_code("F1", true, code);
}
END_TEST

START_TEST(what_no_code_can_be_called_is_not_found)
{
	static const char *const names[] = { "~~~~", "0~a ", "''''", "\xff\xff\xff\xff" };

	hub_code("F1", true, code);
	ck_assert_int_eq(enrol_decide(&hub, names[_i], ENROL_EXPIRE, &hub_err), ERR_NOTFOUND);
	ck_assert_int_eq(hub_int("SELECT state FROM hub_enrolment"), ENROL_OPEN);
}
END_TEST

Suite *
suite_node_enrol_rows(void)
{
	Suite *suite = suite_create("node/enrol rows");
	TCase *tcase = tcase_create("rows");

	tcase_add_checked_fixture(tcase, hub_open, hub_close);
	tcase_add_test(tcase, a_state_that_is_none_lets_nobody_in);
	tcase_add_test(tcase, a_hash_of_another_length_fits_no_code);
	tcase_add_test(tcase, a_facility_that_init_would_not_take_gets_no_grant);
	tcase_add_test(tcase, a_code_with_a_street_gives_its_rows_to_read);
	tcase_add_test(tcase, when_all_names_are_taken_the_hub_says_so);
	tcase_add_loop_test(tcase, what_no_code_can_be_called_is_not_found, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}

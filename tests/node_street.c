/* tests/node_street.c - a node is granted its facility's street, as the facility's row names it. */
#include "tests/broken.h"
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/facility/schema.h"
#include "node/hub/hub_node.h"
#include "node/hub/street.h"
#include "node/rights.h"
#include "store/stmt.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, hub_err.msg)

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s: %s", sql, hub_err.msg);
}

static void
begin(void)
{
	hub_open();
	OK(store_db_begin(hub_db, &hub_err));
	OK(facility_schema_create(hub_db, &hub_err));
	OK(facility_track(hub_db, true, &hub_err));
	OK(store_db_commit(hub_db, &hub_err));
}

static bool
stale(void)
{
	bool yes = false;

	OK(hub_street_stale(hub_db, &yes, &hub_err));
	return yes;
}

static void
keep(void)
{
	OK(store_db_begin(hub_db, &hub_err));
	OK(hub_street_keep(hub_db, &hub_key, &hub_err));
	OK(store_db_commit(hub_db, &hub_err));
	ck_assert(!stale());
}

/* May node `n` read that, at the hub? */
static bool
reads(const struct store_site *site, const char *scope)
{
	struct rights rights;

	OK(rights_open(&rights, hub_db, true, hub_key.public_key, &hub_err));
	return rights_may_read(&rights, site->node, scope);
}

static bool
writes(const struct store_site *site, const char *scope)
{
	struct rights rights;

	OK(rights_open(&rights, hub_db, true, hub_key.public_key, &hub_err));
	return rights_may_write(&rights, site, scope);
}

/* Enrolled with a street. */
static struct store_site
enrol_of(const char *facility, uint8_t n, const char *street)
{
	struct enrol_terms terms = { .facility = facility, .street = street, .automatic = true };
	struct sync_key key = hub_node_key(n);
	struct store_site site = { .epoch = { n } };
	char code[CODE_TEXT];
	int64_t expires;

	OK(enrol_new(&hub, &terms, code, &expires, &hub_err));
	ck_assert_int_eq(hub_ask(code, n, NULL).state, ENROL_GRANTED);
	sync_node_id(site.node, key.public_key);
	return site;
}

START_TEST(the_row_of_a_facility_decides_what_its_nodes_read)
{
	struct store_site one, two, other;
	int64_t grants;

	begin();
	one = hub_enrol("F1", 1);
	two = hub_enrol("F1", 2);
	other = hub_enrol("F2", 3);
	ck_assert(!stale());
	ck_assert(!reads(&one, "s/A"));
	run("INSERT INTO facility(facility_id, name) VALUES ('F1', '一号'), ('F2', '二号')");
	ck_assert(!stale());
	run("UPDATE facility SET subdistrict_code = 'A' WHERE facility_id = 'F1'");
	ck_assert(stale());
	keep();
	ck_assert(reads(&one, "s/A") && reads(&two, "s/A"));
	ck_assert(reads(&one, "all") && reads(&one, "f/F1") && writes(&one, "f/F1"));
	ck_assert(!reads(&other, "s/A") && !reads(&one, "f/F2"));
	ck_assert(!writes(&one, "s/A") && !writes(&one, "all"));
	/* a code of a community: its street's */
	run("UPDATE facility SET subdistrict_code = '330105001007' WHERE facility_id = 'F1'");
	keep();
	ck_assert(reads(&one, "s/330105001") && !reads(&one, "s/330105001007"));
	/* it moves: the old street's rows are no longer theirs */
	run("UPDATE facility SET subdistrict_code = 'B' WHERE facility_id = 'F1'");
	keep();
	ck_assert(reads(&one, "s/B") && !reads(&one, "s/A"));
	ck_assert(reads(&two, "s/B") && !reads(&two, "s/A"));
	grants = hub_int("SELECT count(*) FROM hub_grant");
	keep();
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_grant"), grants);
	hub_close();
}
END_TEST

START_TEST(what_the_enrolment_said_holds_until_the_row_says_another)
{
	struct store_site one;

	begin();
	one = enrol_of("F1", 1, "A");
	ck_assert(!stale());
	ck_assert(reads(&one, "s/A"));
	run("INSERT INTO facility(facility_id, name) VALUES ('F1', '一号')");
	ck_assert(stale());
	keep();
	ck_assert_int_eq(hub_int("SELECT count(*) FROM facility WHERE subdistrict_code = 'A' AND "
	                         "name = '一号'"),
	                 1);
	ck_assert(reads(&one, "s/A"));
	run("UPDATE facility SET subdistrict_code = 'B'");
	keep();
	ck_assert(reads(&one, "s/B") && !reads(&one, "s/A"));
	hub_close();
}
END_TEST

/* No scope can be called so, so nothing changes; and it isn't tried again and again. */
START_TEST(a_street_that_can_not_be_granted_is_let_be)
{
	static const char *const names[] = { "''",    "'A/B'", "'../x'",
		                             "x'41'", "'a b'", "printf('%049d', 1)" };
	char sql[200];
	struct store_site one;

	begin();
	one = enrol_of("F1", 1, "A");
	run("INSERT INTO facility(facility_id, name, subdistrict_code) VALUES ('F1', '一号', 'A')");
	snprintf(sql, sizeof sql, "UPDATE facility SET subdistrict_code = %s", names[_i]);
	run(sql);
	keep();
	ck_assert(reads(&one, "s/A"));
	hub_close();
}
END_TEST

START_TEST(a_revoked_node_gets_no_grant)
{
	struct store_site one;

	begin();
	one = hub_enrol("F1", 1);
	OK(hub_node_revoke(hub_db, one.node, hub.now_ms, &hub_err));
	run("INSERT INTO facility(facility_id, subdistrict_code) VALUES ('F1', 'A')");
	ck_assert(!stale());
	keep();
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_grant"), 1);
	ck_assert(!reads(&one, "s/A"));
	hub_close();
}
END_TEST

/* As a hub of an older program leaves them: the grants say it, the column doesn't yet. */
START_TEST(grants_of_an_older_program_are_looked_at_once)
{
	struct store_site one, two;

	begin();
	one = enrol_of("F1", 1, "A");
	two = hub_enrol("F2", 2);
	run("UPDATE hub_node SET street = NULL");
	run("INSERT INTO facility(facility_id, name, subdistrict_code) VALUES ('F1', '一号', NULL),"
	    " ('F2', '二号', 'A')");
	ck_assert(stale());
	keep();
	ck_assert_int_eq(hub_int("SELECT count(*) FROM facility WHERE subdistrict_code = 'A'"), 2);
	ck_assert(reads(&one, "s/A") && reads(&two, "s/A"));
	hub_close();
}
END_TEST

/* Whichever statement fails, whichever allocation is the last: it says so, and nothing is left. */
START_TEST(a_street_is_granted_or_not)
{
	static const enum broken ways[] = { BROKEN_STEP, BROKEN_EXEC, BROKEN_MEMORY };
	struct store_site one, two;
	unsigned good = 0;
	bool hit;

	begin();
	one = enrol_of("F1", 1, "A");
	two = hub_enrol("F2", 2);
	run("UPDATE hub_node SET street = NULL WHERE facility = 'F1'");
	run("INSERT INTO facility(facility_id, name, subdistrict_code) VALUES ('F1', '一号', NULL),"
	    " ('F2', '二号', 'B')");
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i += !hit) {
		int rc;

		OK(store_db_begin(hub_db, &hub_err));
		broken_arm(ways[i], good);
		rc = hub_street_keep(hub_db, &hub_key, &hub_err);
		hit = broken_disarm();
		store_db_rollback(hub_db);
		ck_assert_msg(hit || rc == 0, "after %u: %d %s", good, rc, hub_err.msg);
		ck_assert_msg(!hit || rc < 0 || ways[i] == BROKEN_MEMORY, "after %u: unheard",
		              good);
		ck_assert(stale());
		good = hit ? good + 1 : 0;
	}
	keep();
	ck_assert(reads(&one, "s/A") && reads(&two, "s/B"));
	hub_close();
}
END_TEST

Suite *
suite_node_street(void)
{
	Suite *suite = suite_create("node/street");
	TCase *tcase = tcase_create("street");

	tcase_add_test(tcase, the_row_of_a_facility_decides_what_its_nodes_read);
	tcase_add_test(tcase, what_the_enrolment_said_holds_until_the_row_says_another);
	tcase_add_loop_test(tcase, a_street_that_can_not_be_granted_is_let_be, 0, 6);
	tcase_add_test(tcase, a_revoked_node_gets_no_grant);
	tcase_add_test(tcase, grants_of_an_older_program_are_looked_at_once);
	tcase_add_test(tcase, a_street_is_granted_or_not);
	suite_add_tcase(suite, tcase);
	return suite;
}

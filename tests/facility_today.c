/* tests/facility_today.c - states of a day, from our rows and from foreign ones. */
#include "tests/suites.h"

#include "node/facility/codes.h"
#include "node/facility/today.h"
#include "store/track.h"
#include "tests/facility_help.h"

#include <check.h>
#include <string.h>

#define OK(call) ck_assert_msg((call) == 0, "%s: %s", #call, err.msg)

static const struct today_child *
child_of(const struct facility_today *t, int n)
{
	for (size_t i = 0; i < t->class_count; i++)
		for (int64_t k = 0; k < t->classes[i].n.enrolled; k++)
			if (memcmp(t->classes[i].children[k].id, help_id(n), STORE_ID) == 0)
				return &t->classes[i].children[k];
	ck_abort_msg("child %d is not in the list", n);
}

static void
read_today(struct facility *f, struct arena *a, struct facility_today *t)
{
	struct err err = { 0 };

	arena_free(a);
	OK(facility_today(f, HELP_DATE, a, t, &err));
}

START_TEST(each_child_has_the_state_of_her_last_event)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct arena a = { 0 };
	struct facility_today t;
	int64_t present;

	read_today(&f, &a, &t);
	ck_assert_int_eq(t.n.enrolled, 3);
	ck_assert_int_eq(t.n.by_state[TODAY_EXPECTED], 3);
	ck_assert_uint_eq(t.class_count, 2);
	ck_assert_str_eq(t.classes[0].name, "托小一班");

	OK(facility_arrival(
	        &f, &(struct facility_arrival){ .at = help_at(8, 5), .child = help_id(1) }, &err));
	OK(facility_arrival(
	        &f, &(struct facility_arrival){ .at = help_at(8, 6), .child = help_id(2) }, &err));
	OK(facility_pickup(
	        &f, &(struct facility_pickup){ .at = help_at(11, 50), .child = help_id(2) }, &err));
	OK(facility_absence(&f,
	                    &(struct facility_absence){
	                            .at = help_at(8, 50), .child = help_id(3), .reason = 2 },
	                    &err));
	read_today(&f, &a, &t);
	ck_assert_int_eq(child_of(&t, 1)->state, TODAY_PRESENT);
	ck_assert_int_eq(child_of(&t, 1)->in_at, help_at(8, 5));
	ck_assert_int_eq(child_of(&t, 1)->card, CARD_GREEN);
	ck_assert_int_eq(child_of(&t, 2)->state, TODAY_LEFT);
	ck_assert_int_eq(child_of(&t, 2)->out_at, help_at(11, 50));
	ck_assert_int_eq(child_of(&t, 3)->state, TODAY_ABSENT);
	ck_assert_str_eq(child_of(&t, 3)->reason_zh, "事假");
	ck_assert_str_eq(child_of(&t, 3)->reason_en, "private");
	ck_assert_int_eq(t.checks, 2);
	OK(facility_present(&f, HELP_DATE, &present, &err));
	ck_assert_int_eq(present, 1);
	/* she comes after all */
	OK(facility_arrival(
	        &f, &(struct facility_arrival){ .at = help_at(9, 30), .child = help_id(3) }, &err));
	read_today(&f, &a, &t);
	ck_assert_int_eq(child_of(&t, 3)->state, TODAY_PRESENT);
	/* struck out: expected again */
	OK(facility_strike(
	        &f,
	        &(struct facility_strike){ .at = help_at(9, 31), .event = child_of(&t, 1)->event },
	        &err));
	read_today(&f, &a, &t);
	ck_assert_int_eq(child_of(&t, 1)->state, TODAY_EXPECTED);
	/* the day before knows nothing of it */
	arena_free(&a);
	OK(facility_today(&f, HELP_DATE - 1, &a, &t, &err));
	ck_assert_int_eq(t.n.by_state[TODAY_EXPECTED], 3);
	arena_free(&a);
	store_db_close(db);
}
END_TEST

START_TEST(two_tablets_rows_are_one_state)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct arena a = { 0 };
	struct facility_today t;

	for (int i = 0; i < 2; i++)
		OK(store_db_exec(
		        db,
		        "INSERT INTO attendance_event(facility_id, enrollment_id, kind, at)"
		        " SELECT 'F1', id, 1, 1772380800000 + 30000000 FROM enrollment",
		        &err));
	read_today(&f, &a, &t);
	ck_assert_int_eq(t.n.by_state[TODAY_PRESENT], 3);
	OK(facility_pickup(
	        &f, &(struct facility_pickup){ .at = help_at(17, 0), .child = help_id(1) }, &err));
	read_today(&f, &a, &t);
	ck_assert_int_eq(child_of(&t, 1)->state, TODAY_LEFT);
	arena_free(&a);
	store_db_close(db);
}
END_TEST

START_TEST(who_may_fetch_and_what_harms_is_told)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct arena a = { 0 };
	struct facility_today t;
	const struct today_child *c;

	OK(store_track_stop(db, "code_set", &err)); /* as if the hub had added a version */
	OK(store_db_exec(db,
	                 "INSERT INTO allergy(child_id, allergen_code, facility_id, active)"
	                 " SELECT id, 'EGG', 'F1', 1 FROM child WHERE name = '安一' UNION ALL"
	                 " SELECT id, '猕猴桃', 'F1', 1 FROM child WHERE name = '安一' UNION ALL"
	                 " SELECT id, 'MILK', 'F1', 0 FROM child WHERE name = '安一';"
	                 "INSERT INTO code_set(set_code, code, version, name_zh, name_en)"
	                 " VALUES ('allergen', 'EGG', 20990101, '蛋类', 'eggs')",
	                 &err));
	OK(facility_arrival(
	        &f, &(struct facility_arrival){ .at = help_at(8, 5), .child = help_id(1) }, &err));
	read_today(&f, &a, &t);
	c = child_of(&t, 1);
	ck_assert_str_eq(c->allergies_zh, "蛋类、猕猴桃");
	ck_assert_str_eq(c->allergies_en, "eggs, 猕猴桃");
	/* mother and grandmother; not the revoked uncle, not tomorrow's neighbour */
	ck_assert_uint_eq(c->adult_count, 2);
	ck_assert_str_eq(c->adults[0].name, "安妈妈");
	ck_assert_str_eq(c->adults[1].name, "安外婆");
	arena_free(&a);
	store_db_close(db);
}
END_TEST

START_TEST(children_without_a_class_are_listed_last)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct arena a = { 0 };
	struct facility_today t;

	OK(store_db_exec(db,
	                 "UPDATE enrollment SET class_id = NULL WHERE child_id = (SELECT id FROM "
	                 "child WHERE name = '安一')",
	                 &err));
	read_today(&f, &a, &t);
	ck_assert_uint_eq(t.class_count, 3);
	ck_assert_ptr_null(t.classes[2].id);
	ck_assert_int_eq(t.classes[2].n.enrolled, 1);
	arena_free(&a);
	store_db_close(db);
}
END_TEST

START_TEST(visitors_are_here_until_they_leave)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_visit in = { .at = help_at(9, 0),
		                     .kind = VISIT_PLAY,
		                     .child_name = "乐乐" };
	struct facility_visit_end out = { .at = help_at(10, 0), .visit = f.last_id };
	int64_t present;

	OK(facility_visit(&f, &in, &err));
	OK(facility_present(&f, HELP_DATE, &present, &err));
	ck_assert_int_eq(present, 1);
	OK(facility_visit_end(&f, &out, &err));
	OK(facility_present(&f, HELP_DATE, &present, &err));
	ck_assert_int_eq(present, 0);
	/* a foreign program's row, without a date */
	OK(store_db_exec(db,
	                 "INSERT INTO drop_in_visit(facility_id, in_at) VALUES ('F1', "
	                 "1772380800000 + 30000000)",
	                 &err));
	OK(facility_present(&f, HELP_DATE, &present, &err));
	ck_assert_int_eq(present, 1);
	OK(facility_present(&f, HELP_DATE + 1, &present, &err));
	ck_assert_int_eq(present, 0);
	store_db_close(db);
}
END_TEST

Suite *
suite_facility_today(void)
{
	Suite *suite = suite_create("node/facility/today");
	TCase *tcase = tcase_create("today");

	tcase_add_test(tcase, each_child_has_the_state_of_her_last_event);
	tcase_add_test(tcase, two_tablets_rows_are_one_state);
	tcase_add_test(tcase, who_may_fetch_and_what_harms_is_told);
	tcase_add_test(tcase, children_without_a_class_are_listed_last);
	tcase_add_test(tcase, visitors_are_here_until_they_leave);
	suite_add_tcase(suite, tcase);
	return suite;
}

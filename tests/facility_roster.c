/* tests/facility_roster.c - a roster in, once; again, nothing; wrong, nothing and a place. */
#include "tests/suites.h"

#include "node/facility/roster.h"
#include "node/id_key.h"
#include "store/base/file.h"
#include "store/catalog.h"
#include "tests/facility_help.h"

#include <check.h>
#include <string.h>

#define HEAD "类型,姓名,性别,出生日期,班级,证件号,监护人1,关系1,电话1,岗位,电话\n"
#define AN "儿童,安一,男,2024-05-01,托小一班,YZ0001,安妈妈,母亲,120000001,,\n"
#define BAI "儿童,白二,女,2024/9/1,托小一班,YZ0002,白爸爸,父亲,120000002,,\n"
#define LI ",李保育,女,,托小一班,,,,,保育,120000003\n"

static struct store_db *
open_closed(struct facility *f)
{
	struct store_db *db = help_open(f);
	struct err err = { 0 };

	ck_assert_int_eq(store_db_commit(db, &err), 0);
	return db;
}

static int
import(struct facility *f, const char *text, bool dry_run, struct roster_counts *n, struct err *err)
{
	struct roster_options opt = { .at = help_at(7, 0), .dry_run = dry_run };

	return roster_import(f, text, strlen(text), &opt, n, err);
}

#define IMPORT(text, n) ck_assert_msg(import(&f, text, false, n, &err) == 0, "%s", err.msg)

START_TEST(a_roster_becomes_rows_and_the_same_again_none)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;
	int64_t before;

	IMPORT(HEAD AN BAI "员工" LI, &n);
	ck_assert_int_eq(n.children, 2);
	ck_assert_int_eq(n.staff, 1);
	ck_assert_int_eq(n.added, 3);
	ck_assert_int_eq(n.classes_added, 1);
	ck_assert_int_eq(
	        help_int(db,
	                 "SELECT count(*) FROM v1_child WHERE class_kind = 2 AND service_type = 1"
	                 " AND start_date = 20260302"),
	        2);
	ck_assert_int_eq(help_int(db, "SELECT cap * 100 + ratio_n FROM class_group"), 1505);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM guardian WHERE is_primary"), 2);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM class_assignment"), 2);
	ck_assert_int_eq(help_int(db, "SELECT role FROM staff WHERE phone = '120000003'"), 2);
	before = help_int(db, "SELECT total_changes()");
	IMPORT(HEAD AN BAI "员工" LI, &n);
	ck_assert_int_eq(n.rows, 0);
	ck_assert_int_eq(n.same, 3);
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), before);
	store_db_close(db);
}
END_TEST

START_TEST(what_differs_is_updated_and_nothing_else)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;

	IMPORT(HEAD AN BAI, &n);
	/* found by number though name and date changed; moved to another class; new telephone */
	IMPORT(HEAD "儿童,安乙,男,2024-05-02,托大班,yz 0001,安妈妈,,120000009,,\n" BAI, &n);
	ck_assert_int_eq(n.changed, 1);
	ck_assert_int_eq(n.same, 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM child"), 2);
	ck_assert_int_eq(help_int(db, "SELECT birth_date FROM child WHERE name = '安乙'"),
	                 20240502);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM guardian WHERE relation = '母亲' AND "
	                              "phone = '120000009'"),
	                 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM enrollment"), 2);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM v1_child WHERE class_name = '托大班'"),
	                 1);
	/* found by name and date when no number is given; an empty cell takes nothing away */
	IMPORT("name,birth_date,class,sex\n白二,20240901,托小一班,\n", &n);
	ck_assert_int_eq(n.rows, 0);
	store_db_close(db);
}
END_TEST

START_TEST(two_children_of_one_name_and_day_stay_two)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;
	static const char text[] = HEAD AN "儿童,安一,女,2024-05-01,托小一班,YZ0009,,,,,\n";

	IMPORT(text, &n);
	ck_assert_int_eq(n.added, 2);
	IMPORT(text, &n);
	ck_assert_int_eq(n.rows, 0);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM child"), 2);
	store_db_close(db);
}
END_TEST

START_TEST(the_number_is_kept_nowhere)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;
	struct buf key = { 0 };

	IMPORT("姓名,出生日期,班级,证件号\n安一,20240501,托班,330105202405010017\n", &n);
	ck_assert_int_eq(help_int(db, "SELECT length(id_hash) FROM child"), 16);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM child WHERE id_hash LIKE '%3301%' OR "
	                              "note LIKE '%3301%'"),
	                 0);
	ck_assert_int_eq(store_meta_get(db, "facility.id_key", &key, &err), 0);
	ck_assert_uint_eq(key.len, 32);
	buf_free(&key);
	store_db_close(db);
}
END_TEST

#define ONE_NO "姓名,出生日期,班级,证件号\n安一,20240501,托班,330105202405010017\n"

static const uint8_t shared_key[ID_KEY] = { 7, 7, 7 };

/* A child imported before the enrolment gets the facility's hash once, and is found by both. */
START_TEST(a_hash_from_before_the_enrolment_is_rewritten_once)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;

	IMPORT(ONE_NO, &n);
	ck_assert_int_eq(id_key_keep(db, shared_key, &err), 0);
	/* by the number alone: her name was put right */
	IMPORT("姓名,出生日期,班级,证件号\n安乙,20240502,托班,330105202405010017\n", &n);
	ck_assert_int_eq(n.changed, 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM child"), 1);
	ck_assert_int_eq(
	        store_db_exec(db, "DELETE FROM yz_meta WHERE name = 'facility.id_key'", &err), 0);
	IMPORT("姓名,出生日期,班级,证件号\n安丙,20240503,托班,330105202405010017\n", &n);
	ck_assert_int_eq(n.changed, 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM child"), 1);
	IMPORT("姓名,出生日期,班级,证件号\n安丙,20240503,托班,330105202405010017\n", &n);
	ck_assert_int_eq(n.rows, 0);
	store_db_close(db);
}
END_TEST

/* A key of this file alone never takes the place of another's. */
START_TEST(a_hash_by_another_key_gives_way_to_the_facility_s_only)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;

	IMPORT(ONE_NO, &n);
	ck_assert_int_eq(store_db_exec(db, "UPDATE child SET id_hash = zeroblob(16)", &err), 0);
	IMPORT(ONE_NO, &n);
	ck_assert_int_eq(n.rows, 0);
	ck_assert_int_eq(id_key_keep(db, shared_key, &err), 0);
	IMPORT(ONE_NO, &n);
	ck_assert_int_eq(n.changed, 1);
	IMPORT(ONE_NO, &n);
	ck_assert_int_eq(n.rows, 0);
	/* under one key another hash is another number: it was put right */
	IMPORT("姓名,出生日期,班级,证件号\n安一,20240501,托班,330105202405010025\n", &n);
	ck_assert_int_eq(n.changed, 1);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM child"), 1);
	store_db_close(db);
}
END_TEST

START_TEST(a_dry_run_counts_and_leaves_nothing)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;

	ck_assert_int_eq(import(&f, HEAD AN BAI, true, &n, &err), 0);
	ck_assert_int_eq(n.added, 2);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM child"), 0);
	ck_assert(!store_db_in_transaction(db));
	store_db_close(db);
}
END_TEST

START_TEST(allergies_are_taken_apart)
{
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;

	IMPORT("姓名,出生日期,班级,过敏\n安一,20240501,托班,\"鸡蛋、milk，猕猴桃\"\n白二,20240601,"
	       "托班,无\n",
	       &n);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM allergy WHERE allergen_code IN ('EGG', "
	                              "'MILK', '猕猴桃')"),
	                 3);
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM allergy"), 3);
	store_db_close(db);
}
END_TEST

static const struct bad_case {
	const char *text;
	const char *says;
} bad_cases[] = {
	{ "", "the file is empty" },
	{ "姓名,出生日期,班级,身高\n", "line 1, column 4 (heading): '身高' is not a column" },
	{ "姓名,出生日期,班级,name\n", "line 1, column 4 (heading): 'name' stands twice" },
	{ "姓名,出生日期\n安一,20240501\n", "line 2: the file has no column 班级 (class)" },
	{ HEAD AN "儿童,白二,女,2024-13-01,托班,,,,,,\n",
	  "line 3, column 4 (出生日期): '2024-13-01' is not a date" },
	{ HEAD "儿童,,女,2024-03-01,托班,,,,,,\n",
	  "line 2, column 2 (姓名): is empty, but needed" },
	{ HEAD "儿童,白二,雌,2024-03-01,托班,,,,,,\n",
	  "line 2, column 3 (性别): '雌' is not known: write for example 男 or 女" },
	{ HEAD "儿童,白二,女,2024-03-01,托班,12/3,,,,,\n", "line 2, column 6 (证件号)" },
	{ HEAD "儿童,白二,女,2024-03-01,托班,,,,,保育,\n",
	  "line 2, column 10 (岗位): '保育' is for staff only" },
	{ HEAD "员工,李四,女,2024-03-01,,,,,,保育,\n",
	  "line 2, column 4 (出生日期): '2024-03-01' is for children only" },
	{ HEAD "员工,李四,女,,,,,,,,\n", "line 2, column 10 (岗位): is empty" },
	{ HEAD "儿童,白二,女,2024-03-01,托班,,,母亲,,,\n", "line 2: 监护人1 (guardian1) is empty" },
	{ HEAD "儿童,白二,女\n", "line 2: has 3 fields, line 1 names 11 columns" },
	{ HEAD "儿童,白二,女,2024-03-01,托班,,,,,,,\n",
	  "line 2, column 12: there are more fields" },
	{ HEAD AN AN, "line 3: 安一 stands in line 2 already" },
	{ HEAD "儿童,安一,女,2024-03-01,托班,A123,,,,,\n儿童,白二,女,2024-05-01,托班,a123,,,,,\n",
	  "line 3: 白二 has the 证件号 (id_no) of 安一 in line 2" },
	{ HEAD "儿童,白\"二,女,2024-03-01,托班,,,,,,\n", "line 2, column 2: a quote" },
	{ HEAD "儿童,\xff\xff,女,2024-03-01,托班,,,,,,\n", "is neither UTF-8" },
};

START_TEST(wrong_it_says_where_and_writes_nothing)
{
	const struct bad_case *c = &bad_cases[_i];
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;
	int64_t before = help_int(db, "SELECT total_changes()");

	ck_assert_int_eq(import(&f, c->text, false, &n, &err), ERR_INVALID);
	help_says(&err, c->says);
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), before);
	ck_assert(!store_db_in_transaction(db));
	store_db_close(db);
}
END_TEST

static const struct file_case {
	const char *path;
	int64_t children, staff;
} files[] = {
	{ "packaging/rosters/centre-1.csv", 58, 17 },
	{ "packaging/rosters/centre-2.csv", 40, 12 },
	{ "packaging/rosters/station-1.csv", 12, 7 },
};

START_TEST(the_rosters_of_the_demo_are_in_order)
{
	struct roster_options opt = { .at = help_at(7, 0) };
	struct facility f;
	struct store_db *db = open_closed(&f);
	struct err err = { 0 };
	struct roster_counts n;
	struct buf text = { 0 };

	ck_assert_int_eq(file_read(files[_i].path, 1 << 20, &text, &err), 0);
	for (int again = 0; again < 2; again++) {
		ck_assert_msg(roster_import(&f, text.bytes, text.len, &opt, &n, &err) == 0, "%s",
		              err.msg);
		ck_assert_int_eq(n.children, files[_i].children);
		ck_assert_int_eq(n.staff, files[_i].staff);
		ck_assert_int_eq(n.added, again == 0 ? n.children + n.staff : 0);
	}
	ck_assert_int_eq(n.rows, 0);
	buf_free(&text);
	store_db_close(db);
}
END_TEST

Suite *
suite_facility_roster(void)
{
	Suite *suite = suite_create("node/facility/roster");
	TCase *tcase = tcase_create("roster");

	tcase_add_test(tcase, a_roster_becomes_rows_and_the_same_again_none);
	tcase_add_test(tcase, what_differs_is_updated_and_nothing_else);
	tcase_add_test(tcase, two_children_of_one_name_and_day_stay_two);
	tcase_add_test(tcase, the_number_is_kept_nowhere);
	tcase_add_test(tcase, a_hash_from_before_the_enrolment_is_rewritten_once);
	tcase_add_test(tcase, a_hash_by_another_key_gives_way_to_the_facility_s_only);
	tcase_add_test(tcase, a_dry_run_counts_and_leaves_nothing);
	tcase_add_test(tcase, allergies_are_taken_apart);
	tcase_add_loop_test(tcase, wrong_it_says_where_and_writes_nothing, 0,
	                    sizeof bad_cases / sizeof bad_cases[0]);
	tcase_add_loop_test(tcase, the_rosters_of_the_demo_are_in_order, 0,
	                    sizeof files / sizeof files[0]);
	suite_add_tcase(suite, tcase);
	return suite;
}

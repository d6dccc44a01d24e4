/* tests/facility_register.c - who belongs to the house comes in by the same door: what is told
 * again writes nothing, what can't be says which value. */
#include "tests/suites.h"

#include "node/facility/codes.h"
#include "tests/facility_help.h"

#include <check.h>
#include <string.h>

/* Each record of a whole child, told once more. */
START_TEST(what_is_told_again_writes_nothing)
{
	struct facility f;
	struct store_db *db = help_open(&f);
	struct err err = { 0 };
	uint8_t child[STORE_ID], class_id[STORE_ID];
	const uint8_t *hash = help_id(9);

	for (int round = 0; round < 2; round++) {
		struct facility_class group = { .name = "托大班" };
		struct facility_child who = { .id = round == 0 ? NULL : child,
			                      .name = "安一",
			                      .sex = SEX_FEMALE,
			                      .birth_date = 20240501,
			                      .id_hash = hash };
		struct facility_place place = { .at = help_at(8, 0),
			                        .child = child,
			                        .class_id = class_id,
			                        .service = SERVICE_HALF };
		struct facility_guardian guardian = {
			.child = child, .name = "安母", .phone = "12000000001", .is_primary = true
		};
		struct facility_allergy allergy = { .child = child, .allergen = "鸡蛋" };
		struct facility_staff staff = { .name = "李",
			                        .role = ROLE_CARER,
			                        .class_id = class_id };
		int made = round == 0;
		int64_t rows = 0;

		ck_assert_int_eq(facility_register_class(&f, &group, &rows, &err), made);
		memcpy(class_id, f.last_id, STORE_ID);
		ck_assert_int_eq(facility_register_child(&f, &who, &rows, &err), made);
		memcpy(child, f.last_id, STORE_ID);
		ck_assert_int_eq(facility_register_place(&f, &place, &rows, &err), made);
		ck_assert_int_eq(facility_register_guardian(&f, &guardian, &rows, &err), made);
		ck_assert_int_eq(facility_register_allergy(&f, &allergy, &rows, &err), made);
		ck_assert_int_eq(facility_register_staff(&f, &staff, &rows, &err), made);
		ck_assert_int_eq(rows, round == 0 ? 7 : 0); /* the place is two */
	}
	ck_assert_int_eq(help_int(db, "SELECT count(*) FROM allergy WHERE allergen_code = 'EGG'"),
	                 1);
	ck_assert_int_eq(help_int(db, "SELECT cap FROM class_group WHERE kind = 3"), 20);
	store_db_close(db);
}
END_TEST

/* Another class begins on the day on which it is told; what isn't told stays. */
START_TEST(another_class_begins_on_its_day)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	struct facility_place place = { .at = help_at(8, 0),
		                        .child = help_id(1),
		                        .class_id = help_id(0xc2) };
	int64_t before = help_int(db, "SELECT coalesce(service_type, -1) FROM enrollment WHERE id ="
	                              " x'11111111111111111111111111111111'");
	int64_t rows = 0;

	ck_assert_int_eq(facility_register_place(&f, &place, &rows, &err), 0);
	ck_assert_int_eq(rows, 2);
	ck_assert_int_eq(help_int(db, "SELECT from_date FROM class_assignment WHERE class_id ="
	                              " x'c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2'"
	                              " AND enrollment_id = x'11111111111111111111111111111111'"),
	                 HELP_DATE);
	ck_assert_int_eq(help_int(db, "SELECT coalesce(service_type, -1) FROM enrollment WHERE id ="
	                              " x'11111111111111111111111111111111'"),
	                 before);
	store_db_close(db);
}
END_TEST

START_TEST(what_cannot_be_is_refused_by_name)
{
	struct facility f;
	struct store_db *db = help_small(&f);
	struct err err = { 0 };
	const struct facility_class group = { .name = "", .kind = CLASS_MIXED },
	                            kind = { .name = "小一", .kind = 9 };
	const struct facility_child child = { .name = "\xff", .birth_date = 20240501 },
	                            born = { .name = "安", .birth_date = 20241301 },
	                            unborn = { .name = "安" };
	const struct facility_place place = { .at = 8,
		                              .child = help_id(1),
		                              .class_id = help_id(1) };
	const struct facility_guardian guardian = { .child = help_id(1) };
	const struct facility_allergy allergy = { .child = help_id(1) };
	const struct facility_staff staff = { .name = "李", .role = 0 };
	int64_t rows = 0, before = help_int(db, "SELECT total_changes()");

	ck_assert_int_eq(facility_register_class(&f, &group, &rows, &err), ERR_INVALID);
	help_says(&err, "name: is needed");
	ck_assert_int_eq(facility_register_class(&f, &kind, &rows, &err), ERR_INVALID);
	help_says(&err, "kind: 9 is not in 0 to 4");
	ck_assert_int_eq(facility_register_child(&f, &child, &rows, &err), ERR_INVALID);
	help_says(&err, "name: is not UTF-8");
	ck_assert_int_eq(facility_register_child(&f, &born, &rows, &err), ERR_INVALID);
	help_says(&err, "birth_date: 20241301 is not a date");
	ck_assert_int_eq(facility_register_child(&f, &unborn, &rows, &err), ERR_INVALID);
	help_says(&err, "birth_date: is needed");
	ck_assert_int_eq(facility_register_place(&f, &place, &rows, &err), ERR_INVALID);
	help_says(&err, "at: 8 is not a time of this century");
	ck_assert_int_eq(facility_register_guardian(&f, &guardian, &rows, &err), ERR_INVALID);
	help_says(&err, "name: is needed");
	ck_assert_int_eq(facility_register_allergy(&f, &allergy, &rows, &err), ERR_INVALID);
	help_says(&err, "allergen: is needed");
	ck_assert_int_eq(facility_register_staff(&f, &staff, &rows, &err), ERR_INVALID);
	help_says(&err, "role: 0 is not in 1 to 7");
	ck_assert_int_eq(rows, 0);
	ck_assert_int_eq(help_int(db, "SELECT total_changes()"), before);
	store_db_close(db);
}
END_TEST

Suite *
suite_facility_register(void)
{
	Suite *suite = suite_create("node/facility/register");
	TCase *tcase = tcase_create("register");

	tcase_add_test(tcase, what_is_told_again_writes_nothing);
	tcase_add_test(tcase, another_class_begins_on_its_day);
	tcase_add_test(tcase, what_cannot_be_is_refused_by_name);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* tests/facility_views.c - the v1_* views: what is promised of them, at the hub and in a snapshot.
 */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/facility/personal.h"
#include "node/facility/schema.h"
#include "node/facility/views.h"
#include "node/hub/openapi.h"
#include "node/hub/snapshot_views.h"
#include "store/stmt.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena arena;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", hub_err.msg);
}

static void
begin(void)
{
	hub_open();
	must(facility_schema_create(hub_db, &hub_err));
	must(facility_views_make(hub_db, true, &hub_err));
	must(facility_seed(hub_db, &hub_err));
}

static void
end(void)
{
	arena_free(&arena);
	hub_close();
}

static struct facility_view *
list_of(struct facility_views_ask ask, size_t *count)
{
	struct facility_view *list;

	must(facility_views_list(ask, &arena, &list, count, &hub_err));
	return list;
}

/* One text by SQL, with up to two texts put in; in the arena. */
static const char *
text_of(const char *sql, const char *a, const char *b)
{
	struct store_stmt s = store_stmt_new(hub_db, sql);
	const char *found = NULL;
	int rc;

	store_stmt_put_text(&s, a);
	if (b != NULL)
		store_stmt_put_text(&s, b);
	rc = store_stmt_step(&s, &hub_err);
	ck_assert_msg(rc >= 0, "%s", hub_err.msg);
	if (rc == 1) {
		const char *value = store_stmt_get_text(&s);

		found = arena_copy(&arena, value, strlen(value));
	}
	store_stmt_end(&s);
	return found;
}

/* ---------------------------------------------------------------- the contract */

#define OF_DOCUMENT "FROM json_each(?1, '$.x-views') v WHERE v.value ->> '$.name' = ?2"

/* What /openapi.json says of each view is what the database has: names, columns, who has it. */
START_TEST(each_view_has_the_columns_that_are_documented)
{
	size_t count;
	struct facility_view *list =
	        list_of((struct facility_views_ask){ .is_hub = true, .personal = true }, &count);

	ck_assert_uint_gt(count, 70);
	ck_assert_str_eq(
	        text_of("SELECT json_array_length(?1, '$.x-views')", openapi_text(), NULL),
	        text_of("SELECT count(*) FROM sqlite_master WHERE type = 'view' AND name GLOB ?1",
	                "v1_*", NULL));
	for (size_t i = 0; i < count; i++) {
		const char *columns =
		        text_of("SELECT json_group_array(name) FROM pragma_table_info(?1)",
		                list[i].name, NULL);
		const char *said = text_of("SELECT v.value -> '$.columns' " OF_DOCUMENT,
		                           openapi_text(), list[i].name);
		const char *hubs = text_of("SELECT v.value ->> '$.only_hub' " OF_DOCUMENT,
		                           openapi_text(), list[i].name);

		ck_assert_msg(said != NULL, "%s isn't in x-views", list[i].name);
		ck_assert_msg(strcmp(columns, said) == 0, "%s has %s, documented: %s", list[i].name,
		              columns, said);
		ck_assert_msg((hubs[0] == '1') == list[i].is_hubs, "%s", list[i].name);
		ck_assert_msg(strlen(list[i].about) > 5, "%s isn't commented", list[i].name);
	}
}
END_TEST

/* An indicator is told with its formula and where that comes from; its worked example is in
 * tests/facility_district.c. */
START_TEST(each_indicator_has_a_formula_and_a_source)
{
	static const char *const names[] = {
		"v1_seats_per_1000",        "v1_supply_demand",
		"v1_attendance_rate_day",   "v1_attendance_rate_month",
		"v1_morning_check_missing", "v1_health_managed_facility",
		"v1_subsidy_due",           "v1_health_managed_subdistrict",
		"v1_evaluation_input",
	};
	size_t count, found = 0;
	struct facility_view *list =
	        list_of((struct facility_views_ask){ .is_hub = true, .personal = true }, &count);

	for (size_t i = 0; i < count; i++) {
		bool is_named = false;

		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
			is_named = is_named || strcmp(list[i].name, names[k]) == 0;
		if (!is_named)
			continue;
		ck_assert_msg(strstr(list[i].about, "Source:") != NULL, "%s: no source",
		              list[i].name);
		ck_assert_msg(strpbrk(list[i].about, "=/*") != NULL, "%s: no formula",
		              list[i].name);
		found++;
	}
	ck_assert_uint_eq(found, sizeof names / sizeof names[0]);
}
END_TEST

/* Of the evaluation each column that is worked out is told by its name. */
START_TEST(each_input_of_the_evaluation_has_a_formula)
{
	static const char *const columns[] = {
		"attendance_pct =", "morning_check_pct =", "health_managed_pct as in v1_",
		"staff =",          "staff_certified =",   "incidents_serious =",
		"absences =",       "absences_followed =", "inspections_open =",
		"rating =",
	};
	size_t count;
	struct facility_view *list =
	        list_of((struct facility_views_ask){ .is_hub = true, .personal = true }, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; strcmp(list[i].name, "v1_evaluation_input") == 0 &&
		                   k < sizeof columns / sizeof columns[0];
		     k++)
			ck_assert_msg(strstr(list[i].about, columns[k]) != NULL, "no formula: %s",
			              columns[k]);
}
END_TEST

/* A column of a table's view that says who somebody is, is marked, and documented as such. */
START_TEST(personal_columns_are_marked)
{
	size_t count;
	struct facility_view *list =
	        list_of((struct facility_views_ask){ .is_hub = true, .personal = true }, &count);
	int marked = 0;

	for (size_t i = 0; i < count; i++) {
		const char *said =
		        text_of("SELECT group_concat(value, ' ') FROM json_each((SELECT v.value -> "
		                "'$.personal' " OF_DOCUMENT "))",
		                openapi_text(), list[i].name);
		const char *const *column = facility_personal(list[i].name + strlen("v1_"));

		if (!list[i].all_personal)
			ck_assert_msg(strcmp(said, list[i].personal) == 0, "%s: %s, documented: %s",
			              list[i].name, list[i].personal, said);
		for (; column != NULL && *column != NULL; column++) {
			const char *has =
			        text_of("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2",
			                list[i].name, *column);

			ck_assert_msg(has == NULL || strstr(said, *column) != NULL, "%s.%s",
			              list[i].name, *column);
			marked += has != NULL;
		}
	}
	ck_assert_int_gt(marked, 30);
}
END_TEST

START_TEST(every_table_can_be_read_by_a_view)
{
	for (size_t i = 0; i < facility_table_count; i++) {
		char from[STORE_NAME_MAX + 16], join[STORE_NAME_MAX + 16];

		snprintf(from, sizeof from, "*FROM %s[ ;)]*", facility_tables[i].table);
		snprintf(join, sizeof join, "*JOIN %s *", facility_tables[i].table);
		ck_assert_msg(text_of("SELECT 1 FROM sqlite_master WHERE type = 'view' AND (sql || "
		                      "' ' GLOB ?1 OR sql GLOB ?2)",
		                      from, join) != NULL,
		              "no view reads %s", facility_tables[i].table);
	}
}
END_TEST

START_TEST(every_view_can_be_read)
{
	size_t count;
	struct facility_view *list =
	        list_of((struct facility_views_ask){ .is_hub = true, .personal = true }, &count);

	for (size_t i = 0; i < count; i++) {
		char sql[STORE_NAME_MAX + 32];

		snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", list[i].name);
		ck_assert_int_ge(hub_int(sql), 0);
	}
	ck_assert(facility_views_owns("v1_child") && facility_views_owns("V1_NODE"));
	ck_assert(!facility_views_owns("v1_chil") && !facility_views_owns("child"));
}
END_TEST

/* Older views are replaced, those of today left alone, and a person's own stay. */
START_TEST(views_of_an_older_program_are_made_anew)
{
	must(store_db_exec(hub_db,
	                   "DROP VIEW v1_child; CREATE VIEW v1_child AS SELECT 1 AS old;"
	                   "CREATE VIEW mine AS SELECT facility_id FROM v1_facility",
	                   &hub_err));
	must(facility_views_make(hub_db, true, &hub_err));
	ck_assert_int_eq(hub_int("SELECT old FROM v1_child"), 1); /* nobody looks twice */
	must(store_meta_set(hub_db, "facility_views", "older", 5, &hub_err));
	must(facility_views_make(hub_db, true, &hub_err));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM pragma_table_info('v1_child')"), 13);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM mine"), 0);
	must(facility_views_drop(hub_db, &hub_err));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM sqlite_master WHERE name GLOB 'v1_*'"), 0);
}
END_TEST

/* ---------------------------------------------------------------- in a snapshot */

static char path[64];

/* A snapshot of all tables that the token reads, as node/hub/snapshot makes it, opened instead of
 * the hub. */
static void
into_snapshot(const struct token *token)
{
	struct store_snapshot *snap;

	snprintf(path, sizeof path, "/tmp/yizhan-views.XXXXXX");
	close(mkstemp(path));
	unlink(path);
	must(store_db_begin(hub_db, &hub_err));
	must(store_snapshot_open(hub_db, path, NULL, &snap, &hub_err));
	for (size_t i = 0; i < facility_table_count; i++) {
		const char *table = facility_tables[i].table;
		struct store_part part = { .table = table };

		if (!token_reads_table(token, table))
			continue;
		part.without = token->personal ? NULL : facility_personal(table);
		must(store_snapshot_add(snap, &part, &hub_err));
	}
	must(snapshot_views_add(hub_db, token, snap, &hub_err));
	must(store_snapshot_finish(snap, &hub_err));
	store_snapshot_close(snap);
	store_db_rollback(hub_db);
	store_db_close(hub_db);
	must(store_db_open(path, STORE_READ, env_real(), &hub_db, &hub_err));
	unlink(path);
}

START_TEST(every_view_can_be_read_in_a_snapshot)
{
	struct token token = { .scope = "all", .personal = _i == 0 };
	size_t count;
	struct facility_view *list = list_of(
	        (struct facility_views_ask){ .is_hub = true, .personal = token.personal }, &count);

	must(store_db_exec(
	        hub_db,
	        "INSERT INTO facility(facility_id) VALUES ('F1');"
	        "INSERT INTO hub_node VALUES (x'01', x'02', 'F1', '', 1, x'03', 4, NULL, 0, '');"
	        "INSERT INTO child(id, facility_id, name) VALUES (x'07', 'F1', '小明')",
	        &hub_err));
	into_snapshot(&token);
	for (size_t i = 0; i < count; i++) {
		char sql[STORE_NAME_MAX + 32];

		snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", list[i].name);
		ck_assert_int_ge(hub_int(sql), 0);
	}
	ck_assert_int_eq(hub_int("SELECT count(*) FROM v1_child_file"), 1);
	ck_assert_int_eq(hub_int("SELECT nodes FROM v1_facility_known"), 1);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM pragma_table_info('v1_child_file') WHERE "
	                         "name IN ('name', 'birth_date', 'note')"),
	                 token.personal ? 3 : 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM sqlite_master WHERE name = 'v1_growth_z'"),
	                 token.personal);
}
END_TEST

START_TEST(a_snapshot_of_some_tables_has_their_views_alone)
{
	struct token token = { .scope = "all", .tables = ",attendance_event,growth_measurement," };

	into_snapshot(&token);
	ck_assert_str_eq(
	        text_of("SELECT group_concat(name, ' ') FROM sqlite_master WHERE type = ?1", "view",
	                NULL),
	        "v1_attendance_event v1_attendance_day v1_open_day v1_day v1_month");
}
END_TEST

/* ---------------------------------------------------------------- how they are read */

/* The plan of a question, its lines one after the other. */
static const char *
plan_of(const char *sql)
{
	struct buf explain = { 0 }, plan = { 0 };
	struct store_stmt s;
	const char *text;

	buf_printf(&explain, "EXPLAIN QUERY PLAN %s", sql);
	s = store_stmt_new(hub_db, buf_str(&explain));
	while (store_stmt_step(&s, &hub_err) == 1) {
		for (int i = 0; i < 3; i++)
			store_stmt_get_int(&s);
		buf_printf(&plan, "%s\n", store_stmt_get_text(&s));
	}
	store_stmt_end(&s);
	text = arena_copy(&arena, buf_str(&plan), plan.len);
	buf_free(&explain);
	buf_free(&plan);
	return text;
}

static const char *const by_date[] = {
	"SELECT * FROM v1_attendance_event WHERE biz_date BETWEEN 20261101 AND 20261130",
	"SELECT * FROM v1_attendance_day WHERE biz_date BETWEEN 20261101 AND 20261130",
	"SELECT * FROM v1_health_check WHERE biz_date BETWEEN 20261101 AND 20261130",
	"SELECT * FROM v1_open_day WHERE biz_date BETWEEN 20261101 AND 20261130",
	"SELECT * FROM v1_due_day WHERE biz_date BETWEEN 20261101 AND 20261130",
	"SELECT * FROM v1_attendance_rate_day WHERE biz_date BETWEEN 20261101 AND 20261130",
	"SELECT * FROM v1_morning_check_day WHERE biz_date BETWEEN 20261101 AND 20261130",
	"SELECT * FROM v1_morning_check_missing WHERE biz_date = 20261130",
	"SELECT * FROM v1_attendance_rate_month WHERE month = 202611",
	"SELECT * FROM v1_subsidy_due WHERE month = 202611",
};

/* The tables of what happens each day are never read whole for some days; in a snapshot neither. */
START_TEST(days_are_found_by_an_index)
{
	struct token token = { .scope = "all", .personal = true };
	const char *plan;

	if (_i % 2 == 1)
		into_snapshot(&token);
	plan = plan_of(by_date[_i / 2]);
	ck_assert_msg(strstr(plan, "_date (<expr>") != NULL, "%s\n%s", by_date[_i / 2], plan);
	ck_assert_msg(strstr(plan, "SCAN a\n") == NULL && strstr(plan, "SCAN a USING") == NULL &&
	                      strstr(plan, "SCAN h") == NULL,
	              "%s\n%s", by_date[_i / 2], plan);
}
END_TEST

/* The view that has a table's rows but those that were replaced: none of the table's name, or that.
 */
static const char *
rows_view_of(const char *table)
{
	if (strcmp(table, "growth_measurement") == 0)
		return "v1_growth";
	return text_of("SELECT 'v1_' || ?1", table, NULL);
}

/* A row of another facility takes no row's place: the hub would show less than the snapshot of the
 * facility itself, whose rows these are. */
START_TEST(only_its_facility_replaces_a_row)
{
	struct store_stmt s = store_stmt_new(
	        hub_db, "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE"
	                " m.type = 'table' AND c.name = 'replaces_id' AND m.name <> 'consent'");
	int tables = 0, rc;

	must(store_db_exec(hub_db, "INSERT INTO child(id, facility_id) VALUES (x'c1', 'F1')",
	                   &hub_err));
	while ((rc = store_stmt_step(&s, &hub_err)) == 1) {
		const char *table = store_stmt_get_text(&s);
		const char *view = rows_view_of(table);
		bool of_child = strcmp(table, "growth_measurement") == 0;
		bool has_kind = strcmp(table, "attendance_event") == 0;
		char sql[300], left[100];

		snprintf(left, sizeof left, "SELECT count(*) FROM %s WHERE id = x'01'", view);
		for (int i = 0; i < 3; i++) {
			static const char *const facility[] = { "F1", "F2", "F1" };

			snprintf(sql, sizeof sql,
			         "INSERT INTO %s(id, facility_id, replaces_id%s) VALUES"
			         " (x'%02x', '%s', %s%s)",
			         table,
			         of_child   ? ", child_id"
			         : has_kind ? ", kind"
			                    : "",
			         (unsigned)i + 1, facility[i], i == 0 ? "NULL" : "x'01'",
			         of_child   ? ", x'c1'"
			         : has_kind ? ", 1"
			                    : "");
			ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s: %s", sql,
			              hub_err.msg);
			ck_assert_msg(hub_int(left) == (i < 2), "%s after %s", view, sql);
		}
		tables++;
	}
	must(rc);
	store_stmt_end(&s);
	ck_assert_int_ge(tables, 15);
}
END_TEST

Suite *
suite_facility_views(void)
{
	Suite *suite = suite_create("node/facility/views");
	TCase *tcase = tcase_create("views");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, each_view_has_the_columns_that_are_documented);
	tcase_add_test(tcase, each_indicator_has_a_formula_and_a_source);
	tcase_add_test(tcase, each_input_of_the_evaluation_has_a_formula);
	tcase_add_test(tcase, personal_columns_are_marked);
	tcase_add_test(tcase, every_table_can_be_read_by_a_view);
	tcase_add_test(tcase, every_view_can_be_read);
	tcase_add_test(tcase, views_of_an_older_program_are_made_anew);
	tcase_add_loop_test(tcase, every_view_can_be_read_in_a_snapshot, 0, 2);
	tcase_add_test(tcase, a_snapshot_of_some_tables_has_their_views_alone);
	tcase_add_test(tcase, only_its_facility_replaces_a_row);
	tcase_add_loop_test(tcase, days_are_found_by_an_index, 0,
	                    2 * sizeof by_date / sizeof by_date[0]);
	suite_add_tcase(suite, tcase);
	return suite;
}

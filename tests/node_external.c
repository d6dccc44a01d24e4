/* tests/node_external.c - departments' tables: what is taken, what is refused and where, who reads
 * it. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/facility/schema.h"
#include "node/facility/views.h"
#include "node/hub/external.h"
#include "node/hub/snapshot_views.h"
#include "store/stmt.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct external_file file;
static struct external_done done;

static void
begin(void)
{
	hub_open();
	ck_assert_int_eq(facility_schema_create(hub_db, &hub_err), 0);
	ck_assert_int_eq(facility_views_make(hub_db, true, &hub_err), 0);
	file = (struct external_file){ .name = "licences",
		                       .source = "市场监管",
		                       .date = 20240301,
		                       .personal = true,
		                       .now_ms = HUB_START_MS };
}

static int
take(const char *text)
{
	file.bytes = text;
	file.len = strlen(text);
	return external_import(hub_db, &file, &done, &hub_err);
}

static void
taken(const char *text)
{
	ck_assert_msg(take(text) == 0, "%s", hub_err.msg);
}

/* The first row's columns, with '|' between them. */
static const char *
row(const char *sql)
{
	static struct buf out;
	struct store_stmt s = store_stmt_new(hub_db, sql);
	int rc = store_stmt_step(&s, &hub_err);

	ck_assert_msg(rc >= 0, "%s", hub_err.msg);
	buf_clear(&out);
	for (int i = 0; rc == 1 && i < store_stmt_columns(&s); i++)
		buf_printf(&out, "%s%s", i > 0 ? "|" : "", store_stmt_get_text(&s));
	store_stmt_end(&s);
	return buf_str(&out);
}

/* ---------------------------------------------------------------- taken */

static const struct encoding {
	const char *name, *bytes;
} encodings[] = {
	{ "UTF-8", "编号,名称\n007,\"小,星\"\n,\n008,\n" },
	{ "marked", "\xef\xbb\xbf编号,名称\r\n007,\"小,星\"\r\n008,\r\n" },
	{ "GB18030", "\xb1\xe0\xba\xc5,\xc3\xfb\xb3\xc6\n007,\"\xd0\xa1,\xd0\xc7\"\n008,\n" },
};

/* As it was written: leading zeros, commas in quotes; an empty cell is NULL; empty lines aren't
 * rows. */
START_TEST(a_table_is_read_in_the_encodings_that_departments_use)
{
	taken(encodings[_i].bytes);
	ck_assert_int_eq(done.rows, 2);
	ck_assert_int_eq(done.columns, 2);
	ck_assert_str_eq(row("SELECT yz_line, 编号, 名称, typeof(编号) FROM external_licences"),
	                 "2|007|小,星|text");
	ck_assert_int_eq(hub_int("SELECT 名称 IS NULL FROM external_licences WHERE 编号 = '008'"),
	                 1);
	ck_assert_str_eq(row("SELECT yz_source, yz_date FROM v1_external_licences"),
	                 "市场监管|20240301");
}
END_TEST

START_TEST(a_delivery_is_listed_with_source_day_and_hash)
{
	taken("a,b\n1,2\n");
	/* of SHA-256's own definition: printf 'a,b\n1,2\n' | sha256sum */
	ck_assert_str_eq(
	        row("SELECT no, name, source, date, sha256, bytes, rows, columns, personal,"
	            " imported_at, replaced_at IS NULL FROM v1_external_delivery"),
	        "1|licences|市场监管|20240301|"
	        "492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470"
	        "|8|1|2|1|1772438400000|1");
}
END_TEST

/* Rows and columns are the new delivery's alone; what it replaces stays in the list. */
START_TEST(a_delivery_replaces_the_one_before)
{
	taken("a,b\n1,2\n3,4\n");
	file.now_ms++;
	taken("a,b\n1,2\n3,4\n");
	ck_assert(done.same);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM external_delivery"), 1);
	file.date = 20240401;
	taken("b,c\n9,8\n");
	ck_assert(!done.same);
	ck_assert_int_eq(done.replaces, 1);
	ck_assert_int_eq(done.no, 2);
	ck_assert_str_eq(row("SELECT * FROM external_licences"), "2|9|8");
	ck_assert_str_eq(
	        row("SELECT group_concat(no || ' ' || date || ' ' || coalesce(replaced_ms, "
	            "'stands'), ', ') FROM external_delivery"),
	        "1 20240301 1772438400001, 2 20240401 stands");
	ck_assert_int_eq(hub_int("SELECT count(*) FROM v1_external_licences"), 1);
	/* an older one doesn't */
	file.date = 20240331;
	ck_assert_int_eq(take("b,c\n7,7\n"), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(hub_err.msg, "is of 20240401, later than 20240331"));
	/* the same bytes of a later day are a delivery of their own; so is another table */
	file.date = 20240402;
	taken("b,c\n9,8\n");
	ck_assert_int_eq(done.no, 3);
	file.name = "fires";
	file.date = 20200101;
	taken("b\n1\n");
	ck_assert_int_eq(done.replaces, 0);
	ck_assert_int_eq(
	        hub_int("SELECT count(*) FROM external_delivery WHERE replaced_ms IS NULL"), 2);
}
END_TEST

START_TEST(a_dry_run_writes_nothing)
{
	file.dry_run = true;
	taken("a\n1\n2\n");
	ck_assert_int_eq(done.rows, 2);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM external_delivery"), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM sqlite_master WHERE name GLOB '*licences'"),
	                 0);
}
END_TEST

/* By a column that names facility or street in a way that is known. */
START_TEST(rows_are_joined_to_facilities_and_streets)
{
	ck_assert_int_eq(
	        store_db_exec(hub_db,
	                      "INSERT INTO facility(facility_id, uscc, filing_no) VALUES"
	                      " ('F1', '913301', 'B1'), ('F2', '913302', 'B2');"
	                      "INSERT INTO population(subdistrict_code, version, name_zh) VALUES"
	                      " ('330105001', 20201101, '米市巷')",
	                      &hub_err),
	        0);
	taken("名称,统一社会信用代码,街道代码\n小星星,913302,330105001\n无证,913309,330105009\n");
	ck_assert_str_eq(row("SELECT 名称, yz_facility_id, yz_street FROM v1_external_licences"),
	                 "小星星|F2|米市巷");
	/* who has a licence and isn't known to us */
	ck_assert_str_eq(row("SELECT 名称 FROM v1_external_licences WHERE yz_facility_id IS NULL"),
	                 "无证");
	file.date++;
	taken("FILING_NO\nB1\n");
	ck_assert_str_eq(row("SELECT yz_facility_id FROM v1_external_licences"), "F1");
}
END_TEST

static void
two_facilities(void)
{
	ck_assert_int_eq(
	        store_db_exec(hub_db,
	                      "INSERT INTO facility(facility_id, uscc, filing_no,"
	                      " subdistrict_code) VALUES"
	                      " ('F1', '91330105ma2b1', 'B1', '330105001001'),"
	                      " ('F2', '91330105MA2B2', 'B2', '330105002'), ('F3', '', NULL, NULL);"
	                      "INSERT INTO population(subdistrict_code, version, name_zh) VALUES"
	                      " ('330105001', 20201101, '米市巷'), ('330105002', 20201101, '湖墅')",
	                      &hub_err),
	        0);
}

/* As departments type them: blanks, small letters, codes of the community. */
static const struct joining {
	const char *text, *facility_column, *street_column;
	const char *rows; /* yz_facility_id and yz_street of each, in the order of the file */
	const char *facility, *street; /* the columns that are told of */
	int facility_rows, street_rows;
} joinings[] = {
	{ "USCC\n91330105MA2B1\n 91330105ma2b2\n913301\n", NULL, NULL, "F1,F2,", "USCC", "", 2, 0 },
	{ "备案编号,街道代码\nb1,330105001\nB2 ,330105002000\nB3,330105003001\n", NULL, NULL,
	  "F1米市巷,F2湖墅,", "备案编号", "街道代码", 2, 2 },
	{ "单位,所在街道\nF1,湖墅\nb2,330105001\n91330105ma2b2,330105001\n,\nx,x\n", "单位",
	  "所在街道", "F1湖墅,F2米市巷,F2米市巷,", "单位", "所在街道", 3, 3 },
	{ "单位,所在街道\nF1,湖墅\n", NULL, NULL, "", "", "", 0, 0 },
	{ "uscc,filing_no\n91330105MA2B1,B2\n", "filing_no", NULL, "F2", "filing_no", "", 1, 0 },
	{ "facility_id\nf1\nF1\n", NULL, NULL, ",F1", "facility_id", "", 1, 0 },
};

START_TEST(keys_are_found_as_departments_type_them)
{
	const struct joining *c = &joinings[_i];
	bool facility = c->facility[0] != 0, street = c->street[0] != 0;
	char sql[200];

	two_facilities();
	file.facility_column = c->facility_column;
	file.street_column = c->street_column;
	taken(c->text);
	ck_assert_str_eq(done.facility.column, c->facility);
	ck_assert_str_eq(done.street.column, c->street);
	ck_assert_int_eq(done.facility.rows, c->facility_rows);
	ck_assert_int_eq(done.street.rows, c->street_rows);
	snprintf(sql, sizeof sql,
	         "SELECT group_concat(coalesce(%s, '') || coalesce(%s, ''), ',') FROM (SELECT *"
	         " FROM v1_external_licences ORDER BY yz_line)",
	         facility ? "yz_facility_id" : "NULL", street ? "yz_street" : "NULL");
	ck_assert_str_eq(row(sql), c->rows);
}
END_TEST

START_TEST(how_a_delivery_is_joined_can_be_said_later)
{
	two_facilities();
	taken("单位\nF1\nB1\n");
	ck_assert_str_eq(done.facility.column, "");
	ck_assert_int_eq(hub_int("SELECT count(*) FROM v1_facility_external"), 0);
	file.facility_column = "单位";
	taken("单位\nF1\nB1\n");
	ck_assert(done.same);
	ck_assert_int_eq(done.no, 1);
	ck_assert_int_eq(done.rows, 2);
	ck_assert_int_eq(done.facility.rows, 2);
	ck_assert_int_eq(hub_int("SELECT rows FROM v1_facility_external WHERE facility_id = 'F1'"),
	                 2);
	file.facility_column = "单位编号";
	ck_assert_int_eq(take("单位\nF1\nB1\n"), ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(hub_err.msg, "line 1: no column is called 单位编号"));
	ck_assert_int_eq(hub_int("SELECT count(yz_facility_id) FROM v1_external_licences"), 2);
	/* what the hub learns of a facility later counts */
	ck_assert_int_eq(store_db_exec(hub_db,
	                               "UPDATE facility SET filing_no = 'B9' WHERE"
	                               " facility_id = 'F1'",
	                               &hub_err),
	                 0);
	ck_assert_int_eq(hub_int("SELECT count(yz_facility_id) FROM v1_external_licences"), 1);
	ck_assert_int_eq(hub_int("SELECT rows FROM v1_facility_external WHERE facility_id = 'F1'"),
	                 1);
}
END_TEST

/* The tables of nine departments of a district, each in its own words. */
static const struct department {
	const char *name, *source, *text, *facility_column, *street_column;
	int facility_rows, street_rows;
} departments[] = {
	{ "filings", "卫健", "备案编号,机构名称\nB1,小星星\nB2,向日葵\n", NULL, NULL, 2, 0 },
	{ "licences", "市场监管", "统一社会信用代码,经营期限\n91330105MA2B1,2030-01-01\n", NULL,
	  NULL, 1, 0 },
	{ "fire", "消防", "被检查单位,结果\nB2,合格\nB2,整改\nB7,合格\n", "被检查单位", NULL, 2,
	  0 },
	{ "food", "食品安全", "社会信用代码,等级\n91330105ma2b1,A\n91330105ma2b2,B\n",
	  "社会信用代码", NULL, 2, 0 },
	{ "households", "公安", "街道代码,0-3岁\n330105001000,1200\n330105002000,800\n", NULL, NULL,
	  0, 2 },
	{ "housing", "住建", "小区,所属街道\n一,米市巷\n二,湖墅\n三,别处\n", NULL, "所属街道", 0,
	  2 },
	{ "subsidies", "财政", "uscc,金额\n91330105MA2B2,12000\n", NULL, NULL, 1, 0 },
	{ "kindergartens", "教育", "园所,街道代码\n三幼,330105001\n", NULL, NULL, 0, 1 },
	{ "disabled", "残联", "街道代码,人数\n330105002003,3\n", NULL, NULL, 0, 1 },
};

/* Which facility has a licence, was inspected for fire, and is graded for food? */
START_TEST(nine_departments_are_set_beside_the_facilities)
{
	two_facilities();
	for (size_t i = 0; i < sizeof departments / sizeof departments[0]; i++) {
		const struct department *d = &departments[i];

		file.name = d->name;
		file.source = d->source;
		file.facility_column = d->facility_column;
		file.street_column = d->street_column;
		taken(d->text);
		ck_assert_msg(done.facility.rows == d->facility_rows &&
		                      done.street.rows == d->street_rows,
		              "%s: %lld, %lld", d->name, (long long)done.facility.rows,
		              (long long)done.street.rows);
	}
	ck_assert_str_eq(
	        row("SELECT group_concat(facility_id || ' ' || name || ' ' || rows, ', ') FROM"
	            " (SELECT * FROM v1_facility_external WHERE name IN ('licences', 'fire',"
	            " 'food') ORDER BY facility_id, name)"),
	        "F1 fire 0, F1 food 1, F1 licences 1, F2 fire 2, F2 food 1, F2 licences 0,"
	        " F3 fire 0, F3 food 0, F3 licences 0");
	ck_assert_str_eq(row("SELECT subdistrict_code, source, date FROM v1_facility_external"
	                     " WHERE facility_id = 'F1' AND name = 'fire'"),
	                 "330105001|消防|20240301");
	/* those that name streets alone say nothing of a facility */
	ck_assert_int_eq(hub_int("SELECT count(DISTINCT name) FROM v1_facility_external"), 5);
	/* the next delivery's keys are in place of the last one's */
	file.name = "licences";
	file.date++;
	file.facility_column = file.street_column = NULL;
	taken("uscc\n91330105MA2B2\n");
	ck_assert_str_eq(row("SELECT group_concat(rows, '') FROM (SELECT rows FROM"
	                     " v1_facility_external WHERE name = 'licences' ORDER BY facility_id)"),
	                 "010");
	ck_assert_int_eq(hub_int("SELECT count(DISTINCT no) FROM external_delivery_key"), 5);
}
END_TEST

/* ---------------------------------------------------------------- refused */

static const struct refused {
	const char *name, *text, *says;
} refused[] = {
	{ "t", "", "the file is empty: line 1 must name the columns" },
	{ "t", "a,b\n1,2\n3\n", "line 3, column 1: the line has 1 fields, line 1 names 2 columns" },
	{ "t", "a,b\n1,2,3\n", "line 2, column 3: the line has 3 fields, line 1 names 2 columns" },
	{ "t", "a,,c\n", "line 1, column 2: the column has no name" },
	{ "t", "a,b,A\n", "line 1, column 3: column 1 is called A, too" },
	{ "t", "a,yz_line\n", "line 1, column 2: names that begin with yz_ are the program's" },
	{ "t", "a,b\n1,\"2\n", "line 2, column 2: the quote" },
	{ "t", "a,b\n1,2\n\"x\n,\",\xff\xff\n", "line 4, column 2: byte 14 is neither UTF-8" },
	{ "t",
	  "\xef\xbb\xbf"
	  "a,b\n1,2\n3,\xd0\xd5\n",
	  "line 3, column 2: byte 13 is not UTF-8" },
	{ "T", "a\n1\n", "T can't be the name of a table" },
	{ "", "a\n1\n", "can't be the name of a table" },
	{ "1a", "a\n1\n", "can't be the name of a table" },
	{ "a;drop", "a\n1\n", "can't be the name of a table" },
	{ "abcdefghijabcdefghijabcdefghijabcdefghijk", "a\n1\n", "can't be the name of a table" },
	{ "delivery", "a\n1\n", "external_delivery lists the deliveries; take another name" },
	{ "delivery_key", "a\n1\n", "external_delivery lists the deliveries; take another" },
};

START_TEST(what_is_wrong_is_told_with_line_and_column_and_nothing_is_written)
{
	file.name = "t";
	taken("z\nstands\n");
	file.date++;
	file.name = refused[_i].name;
	ck_assert_int_eq(take(refused[_i].text), ERR_INVALID);
	ck_assert_msg(strstr(hub_err.msg, refused[_i].says) != NULL, "%s, not %s", hub_err.msg,
	              refused[_i].says);
	ck_assert_str_eq(row("SELECT z FROM v1_external_t"), "stands");
	ck_assert_int_eq(hub_int("SELECT count(*) FROM external_delivery"), 1);
}
END_TEST

/* A header is data: nothing of it is run. */
START_TEST(a_column_may_be_called_anything)
{
	taken("\"a\"\"); DROP TABLE facility; --\",select\n1,2\n");
	ck_assert_str_eq(row("SELECT * FROM external_licences"), "2|1|2");
	ck_assert_int_eq(hub_int("SELECT count(*) FROM facility"), 0);
}
END_TEST

/* ---------------------------------------------------------------- who reads it */

static const struct reading {
	struct token token;
	const char *views; /* of the tables; then the list */
} readings[] = {
	{ { .scope = "all", .personal = true },
	  "v1_external_delivery v1_external_open v1_external_police" },
	{ { .scope = "all" }, "v1_external_delivery v1_external_open" },
	{ { .scope = "f/F1", .personal = true }, "" },
	{ { .scope = "all", .tables = ",facility,", .personal = true }, "" },
};

START_TEST(a_snapshot_has_them_for_who_may_read_them)
{
	struct store_snapshot *snap;
	char path[] = "/tmp/yizhan-external.XXXXXX";

	file.name = "police";
	taken("name,uscc\n小明,1\n");
	file.name = "open";
	file.personal = false;
	taken("place\nhere\n");
	close(mkstemp(path));
	unlink(path);
	ck_assert_int_eq(store_snapshot_open(hub_db, path, NULL, &snap, &hub_err), 0);
	ck_assert_int_eq(
	        store_snapshot_add(snap, &(struct store_part){ .table = "facility" }, &hub_err), 0);
	ck_assert_msg(snapshot_views_add(hub_db, &readings[_i].token, snap, &hub_err) == 0, "%s",
	              hub_err.msg);
	ck_assert_int_eq(store_snapshot_finish(snap, &hub_err), 0);
	store_snapshot_close(snap);
	store_db_close(hub_db);
	ck_assert_int_eq(store_db_open(path, STORE_READ, env_real(), &hub_db, &hub_err), 0);
	unlink(path);
	ck_assert_str_eq(row("SELECT coalesce(group_concat(name, ' '), '') FROM (SELECT name FROM "
	                     "sqlite_master WHERE name GLOB 'v1_external*' ORDER BY name)"),
	                 readings[_i].views);
	ck_assert_int_eq(
	        hub_int("SELECT count(*) FROM sqlite_master WHERE name = 'external_police'"),
	        strstr(readings[_i].views, "police") != NULL);
	if (strstr(readings[_i].views, "open") != NULL)
		ck_assert_str_eq(row("SELECT place, yz_source FROM v1_external_open"),
		                 "here|市场监管");
}
END_TEST

static const struct extracting {
	struct token token;
	const char *name, *columns; /* NULL: not this token's */
} extracts[] = {
	{ { .scope = "all", .personal = true },
	  "v1_guardian",
	  "id,facility_id,child_id,name,relation,phone,is_primary,recorded_by" },
	{ { .scope = "all" },
	  "v1_guardian",
	  "id,facility_id,child_id,relation,is_primary,recorded_by" },
	{ { .scope = "all" },
	  "v1_seats_per_1000",
	  "subdistrict_code,name_zh,facilities,seats,residents,counted,per_1000,target,meets_"
	  "target" },
	{ { .scope = "all" }, "v1_growth_z", NULL },
	{ { .scope = "all" }, "v1_nothing", NULL },
	{ { .scope = "all" }, "mine", NULL },
	{ { .scope = "all", .personal = true }, "hub_token", NULL },
	{ { .scope = "all", .personal = true }, "yz_meta", NULL },
	{ { .scope = "f/F1", .personal = true }, "v1_guardian", NULL },
	{ { .scope = "all", .tables = ",guardian,", .personal = true }, "v1_guardian", NULL },
	{ { .scope = "all" }, "external_open", "yz_line,place" },
	{ { .scope = "all" }, "v1_external_open", "yz_line,place,yz_source,yz_date" },
	{ { .scope = "all" }, "external_police", NULL },
	{ { .scope = "all" }, "v1_external_police", NULL },
	{ { .scope = "all", .personal = true }, "external_police", "yz_line,name" },
	{ { .scope = "f/F1", .personal = true }, "external_open", NULL },
};

START_TEST(an_export_of_a_view_is_for_who_reads_everything)
{
	const struct extracting *c = &extracts[_i];
	struct arena a = { 0 };
	struct buf columns = { 0 };
	struct store_stmt s;
	struct extract x;
	int rc;

	file.name = "police";
	taken("name\n小明\n");
	file.name = "open";
	file.personal = false;
	taken("place\nhere\n");
	ck_assert_int_eq(store_db_exec(hub_db, "CREATE VIEW mine AS SELECT * FROM child", &hub_err),
	                 0);
	rc = snapshot_views_extract(hub_db, &c->token, c->name, &a, &x, &hub_err);
	ck_assert_msg(rc == (c->columns != NULL), "%s: %d %s", c->name, rc, hub_err.msg);
	if (rc == 1) {
		ck_assert_int_eq(store_transfer_select(hub_db, &x.part, &s, &hub_err), 0);
		for (int i = 0; i < store_stmt_columns(&s); i++)
			buf_printf(&columns, "%s%s", i > 0 ? "," : "",
			           store_stmt_column_name(&s, i));
		ck_assert_str_eq(buf_str(&columns), c->columns);
		store_stmt_end(&s);
	}
	buf_free(&columns);
	arena_free(&a);
}
END_TEST

Suite *
suite_node_external(void)
{
	Suite *suite = suite_create("node/external");
	TCase *tcase = tcase_create("external");

	tcase_add_checked_fixture(tcase, begin, hub_close);
	tcase_add_loop_test(tcase, a_table_is_read_in_the_encodings_that_departments_use, 0,
	                    sizeof encodings / sizeof encodings[0]);
	tcase_add_test(tcase, a_delivery_is_listed_with_source_day_and_hash);
	tcase_add_test(tcase, a_delivery_replaces_the_one_before);
	tcase_add_test(tcase, a_dry_run_writes_nothing);
	tcase_add_test(tcase, rows_are_joined_to_facilities_and_streets);
	tcase_add_loop_test(tcase, keys_are_found_as_departments_type_them, 0,
	                    sizeof joinings / sizeof joinings[0]);
	tcase_add_test(tcase, how_a_delivery_is_joined_can_be_said_later);
	tcase_add_test(tcase, nine_departments_are_set_beside_the_facilities);
	tcase_add_loop_test(tcase,
	                    what_is_wrong_is_told_with_line_and_column_and_nothing_is_written, 0,
	                    sizeof refused / sizeof refused[0]);
	tcase_add_test(tcase, a_column_may_be_called_anything);
	tcase_add_loop_test(tcase, a_snapshot_has_them_for_who_may_read_them, 0,
	                    sizeof readings / sizeof readings[0]);
	tcase_add_loop_test(tcase, an_export_of_a_view_is_for_who_reads_everything, 0,
	                    sizeof extracts / sizeof extracts[0]);
	suite_add_tcase(suite, tcase);
	return suite;
}

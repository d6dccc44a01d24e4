/* tests/node_records.c - POST /v1/records: what is stored, what is refused and why. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/engine_tables.h"
#include "node/hub/api_records.h"
#include "node/hub/token.h"
#include "store/track.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_1 "\"id\":\"00000000000000000000000000000001\""
#define ID_2 "\"id\":\"00000000000000000000000000000002\""

static struct http_response response;
static struct lines_counts counts;
static char f1[80], all[80], reads[80];

static void
run(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s", hub_err.msg);
}

static void
track(const char *sql, struct store_track_spec spec)
{
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	run(sql);
	ck_assert_msg(store_track_table(hub_db, &spec, true, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
}

static void
give_token(char bearer[80], struct token_terms terms)
{
	char text[TOKEN_TEXT], id[TOKEN_ID];

	ck_assert_msg(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err) == 0, "%s",
	              hub_err.msg);
	snprintf(bearer, 80, "Bearer %s", text);
}

static void
begin(void)
{
	hub_open();
	track("CREATE TABLE leave(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, reason "
	      "TEXT, days INTEGER CHECK (days < 100), temp REAL, done INTEGER NOT NULL DEFAULT 0, "
	      "code_hash BLOB) WITHOUT ROWID",
	      (struct store_track_spec){ .table = "leave",
	                                 .scope = "f/",
	                                 .scope_column = "facility_id",
	                                 .max = "done" });
	track("CREATE TABLE visit(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, at "
	      "INTEGER) WITHOUT ROWID",
	      (struct store_track_spec){ .table = "visit",
	                                 .kind = STORE_EVENT,
	                                 .scope = "f/",
	                                 .scope_column = "facility_id" });
	track("CREATE TABLE lesson(code TEXT NOT NULL, version INTEGER NOT NULL, title TEXT, "
	      "PRIMARY "
	      "KEY(code, version)) WITHOUT ROWID",
	      (struct store_track_spec){ .table = "lesson", .scope = "all" });
	track("CREATE TABLE desk(id INTEGER NOT NULL PRIMARY KEY, text TEXT)",
	      (struct store_track_spec){ .table = "desk", .scope = "hub" });
	hub_enrol("F1", 1);
	hub_enrol("F2", 2);
	give_token(f1, (struct token_terms){ .scope = "f/F1", .writes = "leave,visit" });
	give_token(all, (struct token_terms){ .scope = "all", .writes = "leave,lesson" });
	/* as one that an older program made, without asking whether its scope reaches them */
	run("UPDATE hub_token SET writes = writes || iif(scope = 'all', 'desk,', 'lesson,')");
	give_token(reads, (struct token_terms){ .scope = "all" });
}

static void
drop_response(void)
{
	buf_free(&response.fields);
	buf_free(&response.body);
	response = (struct http_response){ 0 };
}

static void
end(void)
{
	drop_response();
	hub_close();
}

static void
post(const char *bearer, const char *query, const char *body)
{
	struct http_request request = { .method = "POST",
		                        .path = "/v1/records",
		                        .query = query,
		                        .body = body,
		                        .body_len = strlen(body) };

	drop_response();
	ck_assert_int_eq(api_records_post(hub_db, &request, bearer, &response, &counts, &hub_err),
	                 0);
	ck_assert(!store_db_in_transaction(hub_db));
}

static const char *
said(void)
{
	return buf_str(&response.body);
}

static int64_t
changes(void)
{
	return hub_int("SELECT count(*) FROM yz_log");
}

/* ---------------------------------------------------------------- stored */

START_TEST(a_row_is_stored_and_captured)
{
	post(f1, "",
	     "{\"key\":\"a/1\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1
	     ",\"facility_id\":\"F1\",\"reason\":\"发热\",\"days\":2,\"temp\":38.5}}\n");
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(response.type, "application/x-ndjson");
	ck_assert_str_eq(said(), "{\"key\":\"a/1\",\"state\":\"stored\",\"reason\":null}\n");
	ck_assert_int_eq(
	        hub_int("SELECT count(*) FROM leave WHERE hex(id) LIKE '%01' AND facility_id "
	                "= 'F1' AND reason = '发热' AND days = 2 AND temp = 38.5 AND "
	                "typeof(id) = 'blob'"),
	        1);
	ck_assert_int_eq(changes(), 1);
	ck_assert_int_eq(counts.stored, 1);
}
END_TEST

START_TEST(an_upsert_changes_what_it_names)
{
	post(f1, "",
	     "{\"key\":\"1\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1
	     ",\"facility_id\":\"F1\",\"reason\":\"a\",\"days\":2}}\n"
	     "\n"
	     "{\"row\":{\"facility_id\":\"F1\"," ID_1
	     ",\"days\":null},\"op\":\"upsert\",\"table\":\"leave\",\"key\":\"2\"}\r\n"
	     "{\"key\":\"3\",\"table\":\"lesson\",\"op\":\"upsert\",\"row\":{\"code\":\"x\","
	     "\"version\":1}}");
	ck_assert_int_eq(counts.stored, 2);
	ck_assert_int_eq(counts.refused, 1); /* a catalogue is not for a token of one facility */
	ck_assert_ptr_nonnull(strstr(said(), "this token writes in f/F1, not in all"));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM leave WHERE reason = 'a' AND days IS NULL"),
	                 1);
	post(all, "",
	     "{\"key\":\"3\",\"table\":\"lesson\",\"op\":\"upsert\",\"row\":{\"code\":\"x\","
	     "\"version\":1,\"title\":\"t\"}}\n"
	     "{\"key\":\"4\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_2
	     ",\"facility_id\":\"F2\"}}");
	ck_assert_int_eq(counts.stored, 2);
}
END_TEST

START_TEST(a_repeated_request_writes_nothing)
{
	static const char body[] =
	        "{\"key\":\"1\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1
	        ",\"facility_id\":\"F1\",\"reason\":\"a\"}}\n"
	        "{\"key\":\"2\",\"table\":\"visit\",\"op\":\"upsert\",\"row\":{" ID_1
	        ",\"facility_id\":\"F1\",\"at\":5}}\n"
	        "{\"key\":\"3\",\"table\":\"leave\",\"op\":\"delete\",\"row\":{" ID_1
	        ",\"facility_id\":\"F1\"}}\n";
	int64_t before;

	post(f1, "", body);
	ck_assert_int_eq(counts.stored, 3);
	before = changes();
	post(f1, "", body);
	ck_assert_int_eq(counts.duplicate, 3);
	ck_assert_ptr_nonnull(
	        strstr(said(), "{\"key\":\"2\",\"state\":\"duplicate\",\"reason\":null}"));
	ck_assert_int_eq(changes(), before);
	/* the same key for something else is a mistake of the sender */
	post(f1, "",
	     "{\"key\":\"1\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_2
	     ",\"facility_id\":\"F1\",\"reason\":\"b\"}}\n");
	ck_assert_int_eq(counts.refused, 1);
	ck_assert_ptr_nonnull(strstr(said(), "was used for another line before"));
	ck_assert_int_eq(changes(), before);
	/* another token's keys are its own */
	post(all, "",
	     "{\"key\":\"1\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_2
	     ",\"facility_id\":\"F1\",\"reason\":\"b\"}}\n");
	ck_assert_int_eq(counts.stored, 1);
}
END_TEST

START_TEST(a_key_is_known_for_a_month)
{
	static const char body[] =
	        "{\"key\":\"1\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1
	        ",\"facility_id\":\"F1\"}}\n";

	post(f1, "", body);
	hub.now_ms += LINES_KEEP_DAYS * INT64_C(86400000);
	post(f1, "", body);
	ck_assert_int_eq(counts.duplicate, 1);
	hub.now_ms += 1;
	post(f1, "", "");
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_record_key"), 0);
}
END_TEST

START_TEST(a_deleted_row_is_gone)
{
	post(f1, "",
	     "{\"key\":\"1\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1
	     ",\"facility_id\":\"F1\"}}\n"
	     "{\"key\":\"2\",\"table\":\"leave\",\"op\":\"delete\",\"row\":{" ID_1
	     ",\"facility_id\":\"F1\"}}\n"
	     "{\"key\":\"3\",\"table\":\"leave\",\"op\":\"delete\",\"row\":{" ID_1
	     ",\"facility_id\":\"F1\"}}\n");
	ck_assert_int_eq(counts.stored, 2);
	ck_assert_ptr_nonnull(strstr(said(),
	                             "{\"key\":\"3\",\"state\":\"refused\",\"reason\":\"row: "
	                             "there is none of this key\"}"));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM leave"), 0);
}
END_TEST

/* ---------------------------------------------------------------- refused */

/* A line of table leave, whose row has the id and what is given. */
#define LEAVE(row) "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1 row "}}"
#define MINE ",\"facility_id\":\"F1\""

START_TEST(a_line_that_is_wrong_is_refused_with_its_reason)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "x", "a line is an object" },
		{ "[1]", "a line is an object" },
		{ "{\"key\":\"k\"}", "a line is an object" },
		{ "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":[]}",
		  "row: members are" },
		{ "{\"key\":7,\"table\":\"leave\",\"op\":\"upsert\",\"row\":{}}",
		  "key: members are" },
		{ "{\"key\":\"\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{}}",
		  "key: is needed" },
		{ "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{},\"x\":1}",
		  "a line is an object" },
		{ "{\"key\":\"k\",\"key\":\"l\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{}}",
		  "a line is an object" },
		{ "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"erase\",\"row\":{}}",
		  "op: erase is neither" },
		{ "{\"key\":\"k\",\"table\":\"desk\",\"op\":\"upsert\",\"row\":{\"id\":1}}",
		  "this token doesn't write desk" },
		{ "{\"key\":\"k\",\"table\":\"hub_token\",\"op\":\"delete\",\"row\":{\"id\":\"a\"}"
		  "}",
		  "this token doesn't write hub_token" },
		{ "{\"key\":\"k\",\"table\":\"no\\\"where\",\"op\":\"upsert\",\"row\":{}}",
		  "doesn't write no\\\"where" },
		{ LEAVE(""), "row: facility_id is needed" },
		{ LEAVE(",\"facility_id\":null"), "row: facility_id is needed" },
		{ LEAVE(",\"facility_id\":1"), "facility_id: is no text" },
		{ LEAVE(",\"facility_id\":\"F2\""), "this token writes in f/F1, not in f/F2" },
		{ LEAVE(",\"facility_id\":\"F1x\""), "not in f/F1x" },
		{ LEAVE(MINE ",\"days\":\"2\""), "days: is no whole number" },
		{ LEAVE(MINE ",\"days\":2.5"), "days: is no whole number" },
		{ LEAVE(MINE ",\"days\":99999999999999999999"), "days: is no whole number" },
		{ LEAVE(MINE ",\"days\":true"), "days: a value is a number" },
		{ LEAVE(MINE ",\"days\":[1]"), "days: a value is a number" },
		{ LEAVE(MINE ",\"days\":100"), "CHECK constraint" },
		{ LEAVE(MINE ",\"temp\":\"x\""), "temp: is no number" },
		{ LEAVE(MINE ",\"reason\":1"), "reason: is no text" },
		{ LEAVE(MINE ",\"reason\":\"a\\u0000b\""), "reason: holds a zero" },
		{ LEAVE(MINE ",\"reason\":\"a\xff\""), "isn't UTF-8 at byte" },
		{ LEAVE(MINE ",\"code_hash\":\"00\""), "has no column code_hash" },
		{ LEAVE(MINE ",\"nothing\":1"), "has no column nothing" },
		{ LEAVE(MINE ",\"days\":1,\"days\":2"), "days is given twice" },
		{ LEAVE(MINE ",\"done\":null"), "NOT NULL" },
		{ "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{\"id\":\"0\"" MINE
		  "}}",
		  "id: is no text of hex digits" },
		{ "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{\"id\":null" MINE
		  "}}",
		  "id: a key can't be null" },
		{ "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{\"days\":1" MINE
		  "}}",
		  "key column \\\"id\\\" is missing" },
		{ "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"delete\",\"row\":{\"days\":1" MINE
		  "}}",
		  "key column \\\"id\\\" is missing" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		post(f1, "", cases[i].line);
		ck_assert_int_eq(response.status, 200);
		ck_assert_int_eq(counts.refused, 1);
		ck_assert_msg(strstr(said(), "\"state\":\"refused\"") != NULL &&
		                      strstr(said(), cases[i].says) != NULL,
		              "%s: %s", cases[i].line, said());
	}
	ck_assert_int_eq(hub_int("SELECT count(*) FROM leave"), 0);
	ck_assert_int_eq(changes(), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_record_key"), 0);
}
END_TEST

START_TEST(a_table_of_the_engine_is_not_written)
{
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_msg(engine_tables_track(hub_db, true, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
	/* by a token that a program made which let it name the table */
	run("UPDATE hub_token SET writes = ',leave,yz_share,' WHERE scope = 'all' AND writes <> "
	    "''");
	post(all, "",
	     "{\"key\":\"k\",\"table\":\"yz_share\",\"op\":\"upsert\",\"row\":{\"root\":\"child\","
	     "\"key\":\"00\",\"scope\":\"f/F2\",\"at\":1,\"by\":\"\"}}");
	ck_assert_msg(strstr(said(), "this token doesn't write yz_share") != NULL, "%s", said());
	ck_assert_int_eq(counts.refused, 1);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM yz_share"), 0);
}
END_TEST

START_TEST(anothers_row_is_neither_changed_nor_told_of)
{
	run("INSERT INTO leave(id, facility_id, reason) VALUES "
	    "(x'00000000000000000000000000000001', 'F2', 'CANARY')");
	post(f1, "",
	     LEAVE(MINE ",\"reason\":\"mine\"") "\n"
	                                        "{\"key\":\"l\",\"table\":\"leave\",\"op\":"
	                                        "\"delete\",\"row\":{" ID_1 MINE "}}\n"
	                                        "{\"key\":\"m\",\"table\":\"leave\",\"op\":"
	                                        "\"delete\",\"row\":{" ID_2 MINE "}}\n");
	ck_assert_int_eq(counts.refused, 3);
	ck_assert_ptr_nonnull(strstr(said(),
	                             "{\"key\":\"k\",\"state\":\"refused\",\"reason\":\"row: this "
	                             "key can't be used; take another\"}"));
	/* a row of somebody else and one that isn't there sound alike */
	ck_assert_ptr_nonnull(strstr(said(),
	                             "{\"key\":\"l\",\"state\":\"refused\",\"reason\":\"row: "
	                             "there is none of this key\"}"));
	ck_assert_ptr_nonnull(strstr(said(),
	                             "{\"key\":\"m\",\"state\":\"refused\",\"reason\":\"row: "
	                             "there is none of this key\"}"));
	ck_assert_ptr_null(strstr(said(), "CANARY"));
	ck_assert_ptr_null(strstr(said(), "F2"));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM leave WHERE reason = 'CANARY'"), 1);
}
END_TEST

START_TEST(a_facility_that_nobody_comes_for_is_refused)
{
	post(all, "", LEAVE(",\"facility_id\":\"F11\""));
	ck_assert_ptr_nonnull(strstr(said(), "no node of facility F11 is enrolled here"));
	run("UPDATE hub_node SET revoked_ms = 1 WHERE facility = 'F2'");
	post(all, "", LEAVE(",\"facility_id\":\"F2\""));
	ck_assert_ptr_nonnull(strstr(said(), "no node of facility F2 is enrolled here"));
	post(all, "", "{\"key\":\"k\",\"table\":\"desk\",\"op\":\"upsert\",\"row\":{\"id\":1}}");
	ck_assert_ptr_nonnull(strstr(said(), "not in hub"));
}
END_TEST

START_TEST(rules_of_the_tables_hold)
{
	post(f1, "",
	     "{\"key\":\"1\",\"table\":\"visit\",\"op\":\"upsert\",\"row\":{" ID_1 MINE
	     ",\"at\":5}}\n"
	     "{\"key\":\"2\",\"table\":\"visit\",\"op\":\"upsert\",\"row\":{" ID_1 MINE
	     ",\"at\":6}}\n"
	     "{\"key\":\"3\",\"table\":\"visit\",\"op\":\"delete\",\"row\":{" ID_1 MINE "}}\n"
	     "{\"key\":\"4\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1 MINE
	     ",\"done\":5}}\n"
	     "{\"key\":\"5\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1 MINE
	     ",\"done\":4}}\n"
	     "{\"key\":\"6\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1 MINE
	     ",\"days\":4}}\n");
	ck_assert_msg(counts.stored == 3 && counts.refused == 3, "%s", said());
	ck_assert_ptr_nonnull(strstr(said(), "rows of visit are only added"));
	ck_assert_int_eq(hub_int("SELECT at FROM visit"), 5);
	ck_assert_int_eq(hub_int("SELECT done + days FROM leave"), 9);
}
END_TEST

START_TEST(a_request_that_is_wrong_stores_nothing)
{
	static const char good[] = LEAVE(MINE) "\n";
	struct buf many = { 0 };

	post(NULL, "", good);
	ck_assert_int_eq(response.status, 401);
	post("Bearer x", "", good);
	ck_assert_int_eq(response.status, 401);
	post(reads, "", good);
	ck_assert_int_eq(response.status, 403);
	ck_assert_ptr_nonnull(strstr(said(), "--write"));
	post(f1, "dry=1", good);
	ck_assert_int_eq(response.status, 400);
	buf_printf(&many, "%s", good);
	for (int i = 0; i < LINES_MAX; i++)
		buf_printf(&many, "{}\n");
	post(f1, "", buf_str(&many));
	ck_assert_int_eq(response.status, 400);
	ck_assert_str_eq(response.type, "application/problem+json");
	buf_clear(&many);
	buf_printf(&many, "%s", good);
	for (int i = 0; i <= LINES_LINE_MAX; i++)
		buf_u8(&many, 'x');
	post(f1, "", buf_str(&many));
	ck_assert_int_eq(response.status, 400);
	buf_free(&many);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM leave"), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_record_key"), 0);
	post(f1, "", "");
	ck_assert_int_eq(response.status, 200);
	ck_assert_uint_eq(response.body.len, 0);
}
END_TEST

/* Nothing of it is stored, whoever sent it is told when to come again, and then it is taken. */
START_TEST(a_full_disk_is_an_answer)
{
	static const char line[] =
	        "{\"key\":\"k\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1
	        ",\"facility_id\":\"F1\",\"reason\":\"%s\"}}";
	struct http_request request = { .method = "POST", .path = "/v1/records", .query = "" };
	struct buf body = { 0 };
	char long_reason[20001];

	memset(long_reason, 'x', sizeof long_reason - 1);
	long_reason[sizeof long_reason - 1] = 0;
	buf_printf(&body, line, long_reason);
	request.body = buf_str(&body);
	request.body_len = body.len;
	hub_int("PRAGMA max_page_count = 1");
	drop_response();
	ck_assert_int_eq(api_records_post(hub_db, &request, f1, &response, &counts, &hub_err),
	                 ERR_FULL);
	ck_assert(!store_db_in_transaction(hub_db));
	ck_assert_int_eq(response.status, 507);
	ck_assert_str_eq(hub_field(&response, "Retry-After"), "60");
	ck_assert_ptr_nonnull(strstr(said(), "the disk is full"));
	ck_assert_int_eq(counts.stored, 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM leave"), 0);
	hub_int("PRAGMA max_page_count = 1000000");
	post(f1, "", buf_str(&body));
	ck_assert_int_eq(response.status, 200);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM leave"), 1);
	buf_free(&body);
}
END_TEST

/* A line that unfolds too far is that line's fault; the others are stored. */
START_TEST(a_line_that_unfolds_too_far_is_refused)
{
	struct buf body = { 0 };

	buf_printf(&body, "{\"key\":\"a\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_1
	                  ",\"facility_id\":\"F1\"");
	while (body.len < LINES_LINE_MAX - 100)
		buf_printf(&body, ",\"\":1");
	buf_printf(&body, "}}\n{\"key\":\"b\",\"table\":\"leave\",\"op\":\"upsert\",\"row\":{" ID_2
	                  ",\"facility_id\":\"F1\"}}\n");
	post(f1, "", buf_str(&body));
	ck_assert_int_eq(response.status, 200);
	ck_assert_int_eq(counts.refused, 1);
	ck_assert_int_eq(counts.stored, 1);
	buf_free(&body);
}
END_TEST

Suite *
suite_node_records(void)
{
	Suite *s = suite_create("node/records");
	TCase *t = tcase_create("records");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, a_row_is_stored_and_captured);
	tcase_add_test(t, an_upsert_changes_what_it_names);
	tcase_add_test(t, a_repeated_request_writes_nothing);
	tcase_add_test(t, a_key_is_known_for_a_month);
	tcase_add_test(t, a_deleted_row_is_gone);
	tcase_add_test(t, a_line_that_is_wrong_is_refused_with_its_reason);
	tcase_add_test(t, a_table_of_the_engine_is_not_written);
	tcase_add_test(t, anothers_row_is_neither_changed_nor_told_of);
	tcase_add_test(t, a_facility_that_nobody_comes_for_is_refused);
	tcase_add_test(t, rules_of_the_tables_hold);
	tcase_add_test(t, a_request_that_is_wrong_stores_nothing);
	tcase_add_test(t, a_full_disk_is_an_answer);
	tcase_add_test(t, a_line_that_unfolds_too_far_is_refused);
	suite_add_tcase(s, t);
	return s;
}

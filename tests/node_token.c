/* tests/node_token.c - bearer tokens. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/engine_tables.h"
#include "node/hub/bearer.h"
#include "node/hub/token.h"
#include "node/hub/token_use.h"
#include "store/track.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static char text[TOKEN_TEXT], id[TOKEN_ID];
static struct token token;

static void
make(void)
{
	static const struct store_track_spec spec = { .table = "note", .scope = "all" };
	static const char more[] =
	        "CREATE TABLE mine(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL);"
	        "CREATE TABLE theirs(id INTEGER NOT NULL PRIMARY KEY, street TEXT NOT NULL);"
	        "CREATE TABLE desk(id INTEGER NOT NULL PRIMARY KEY, t TEXT)";
	static const struct store_track_spec specs[] = {
		{ .table = "mine", .scope = "f/", .scope_column = "facility_id" },
		{ .table = "theirs", .scope = "s/", .scope_column = "street" },
		{ .table = "desk", .scope = "hub" },
	};

	hub_open();
	ck_assert_int_eq(store_db_exec(hub_db,
	                               "CREATE TABLE note(id INTEGER NOT NULL PRIMARY KEY, t TEXT)",
	                               &hub_err),
	                 0);
	ck_assert_int_eq(store_db_exec(hub_db, more, &hub_err), 0);
	ck_assert_int_eq(store_db_begin(hub_db, &hub_err), 0);
	ck_assert_msg(store_track_table(hub_db, &spec, true, &hub_err) == 0, "%s", hub_err.msg);
	for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
		ck_assert_msg(store_track_table(hub_db, &specs[i], true, &hub_err) == 0, "%s",
		              hub_err.msg);
	ck_assert_msg(engine_tables_track(hub_db, true, &hub_err) == 0, "%s", hub_err.msg);
	ck_assert_int_eq(store_db_commit(hub_db, &hub_err), 0);
}

static int
make_token(const char *scope, const char *tables, int64_t expires_ms)
{
	struct token_terms terms = { .scope = scope, .tables = tables, .expires_ms = expires_ms };

	return token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err);
}

static int
check(const char *given)
{
	return token_check(hub_db, given, hub.now_ms, &token, &hub_err);
}

START_TEST(a_token_opens_what_it_was_made_for)
{
	ck_assert_int_eq(make_token("f/F1", NULL, 0), 0);
	ck_assert_uint_eq(strlen(text), TOKEN_TEXT - 1);
	ck_assert_uint_eq(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                               "0123456789-_"),
	                  TOKEN_TEXT - 1);
	ck_assert_int_eq(check(text), 1);
	ck_assert_str_eq(token.id, id);
	ck_assert(token_reads_scope(&token, "f/F1"));
	ck_assert(!token_reads_scope(&token, "f/F2"));
	ck_assert(!token_reads_scope(&token, "f/F"));
	ck_assert(!token_reads_scope(&token, "all"));
	ck_assert(token_reads_table(&token, "note"));
}
END_TEST

START_TEST(scope_all_is_every_facility)
{
	ck_assert_int_eq(make_token("all", "note", 0), 0);
	ck_assert_int_eq(check(text), 1);
	ck_assert(token_reads_scope(&token, "f/F1"));
	ck_assert(token_reads_scope(&token, "all"));
	ck_assert(token_reads_table(&token, "note"));
	ck_assert(!token_reads_table(&token, "not"));
	ck_assert(!token_reads_table(&token, "notes"));
	ck_assert(!token_reads_table(&token, ""));
	ck_assert(!token_writes_table(&token, "note")); /* it was made without --write */
}
END_TEST

START_TEST(anything_but_the_token_opens_nothing)
{
	ck_assert_int_eq(make_token("all", NULL, 0), 0);
	ck_assert_int_eq(check(""), 0);
	ck_assert_int_eq(check(id), 0);
	for (size_t i = 0; i < TOKEN_TEXT - 1; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		ck_assert_int_eq(check(text), 0);
		text[i] = was;
	}
	text[TOKEN_TEXT - 2] = 0;
	ck_assert_int_eq(check(text), 0);
}
END_TEST

START_TEST(a_token_ends_when_it_was_to_or_was_revoked)
{
	ck_assert_int_eq(make_token("all", NULL, hub.now_ms + 1000), 0);
	hub.now_ms += 999;
	ck_assert_int_eq(check(text), 1);
	if (_i == 0)
		hub.now_ms++;
	else
		ck_assert_int_eq(token_revoke(hub_db, id, hub.now_ms, &hub_err), 0);
	ck_assert_int_eq(check(text), 0);
	ck_assert_int_eq(token_revoke(hub_db, "nobody", hub.now_ms, &hub_err), ERR_NOTFOUND);
}
END_TEST

#define N32 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define LONG_NAME N32 N32 N32 N32 "n"

START_TEST(terms_that_make_no_sense_are_refused)
{
	static const struct {
		const char *scope, *tables, *says;
	} cases[] = { { "", NULL, "scope" },
		      { "hub", NULL, "scope" },
		      { "F1", NULL, "scope" },
		      { "f/", NULL, "scope" },
		      { "f/a/b", NULL, "scope" },
		      { "all", "", "no name" },
		      { "all", LONG_NAME, "128 bytes" },
		      { "all", "note,,note", "names" },
		      { "all", "nope", "no table nope" },
		      { "all", "note,yz_share", "yz_share is yizhan's own" } };
	struct token_terms terms = { .scope = "all" };
	struct buf many = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_int_eq(make_token(cases[i].scope, cases[i].tables, 0), ERR_INVALID);
		ck_assert_msg(strstr(hub_err.msg, cases[i].says) != NULL, "%s", hub_err.msg);
	}
	ck_assert_int_eq(make_token("all", NULL, hub.now_ms), ERR_INVALID);
	/* more names than there is room for */
	for (int i = 0; i < 2 * TOKEN_TABLES * STORE_NAME_MAX / 5; i++)
		buf_put(&many, i == 0 ? "note" : ",note", i == 0 ? 4 : 5);
	ck_assert_int_eq(make_token("all", buf_str(&many), 0), ERR_INVALID);
	buf_free(&many);
	/* rows that its scope can't reach */
	terms.scope = "f/F1";
	terms.writes = "mine,note";
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), ERR_INVALID);
	ck_assert_str_eq(hub_err.msg, "rows of note are everybody's, where a token of f/F1 can't "
	                              "write; leave it out, or give --scope all");
	terms.writes = "theirs";
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), ERR_INVALID);
	terms.scope = "all";
	terms.writes = "mine,desk";
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), ERR_INVALID);
	ck_assert_str_eq(hub_err.msg, "rows of desk are of another scope, where a token of all "
	                              "can't write; leave it out");
	terms.writes = "yz_share";
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), ERR_INVALID);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_token"), 0);
}
END_TEST

/* The feed's readers don't write; the writing thread does, once a minute. */
START_TEST(a_token_was_shown)
{
	struct http_response response = { 0 };
	char header[TOKEN_TEXT + 8], other[TOKEN_TEXT], other_id[TOKEN_ID];
	struct token_terms terms = { .scope = "all" };
	int64_t mono = 5000;

	/* what was noted before, of tokens that this hub hasn't got */
	ck_assert_int_eq(token_use_keep(hub_db, mono, true, &hub_err), 0);
	ck_assert_int_eq(make_token("all", NULL, 0), 0);
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, other, other_id, &hub_err), 0);
	snprintf(header, sizeof header, "Bearer %s", text);
	ck_assert_int_eq(bearer_check(hub_db, header, hub.now_ms + 7, &token, &response), 0);
	ck_assert_int_eq(bearer_check(hub_db, header, hub.now_ms + 9, &token, &response), 0);
	ck_assert_int_eq(token_use_keep(hub_db, mono + TOKEN_USE_KEPT_MS - 1, false, &hub_err), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_token WHERE used_ms IS NOT NULL"), 0);
	ck_assert_int_eq(token_use_keep(hub_db, mono + TOKEN_USE_KEPT_MS, false, &hub_err), 0);
	ck_assert_int_eq(hub_int("SELECT used_ms FROM hub_token WHERE used_ms IS NOT NULL"),
	                 hub.now_ms + 9);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_token WHERE used_ms IS NOT NULL"), 1);
	/* nothing was shown since, or what isn't valid */
	ck_assert_int_eq(token_revoke(hub_db, id, hub.now_ms, &hub_err), 0);
	ck_assert_int_lt(bearer_check(hub_db, header, hub.now_ms + 11, &token, &response), 0);
	ck_assert_int_eq(token_use_keep(hub_db, mono, true, &hub_err), 0);
	ck_assert_int_eq(hub_int("SELECT max(used_ms) FROM hub_token"), hub.now_ms + 9);
	buf_free(&response.body);
	buf_free(&response.fields);
}
END_TEST

START_TEST(the_hub_keeps_only_hashes)
{
	char sql[200];

	ck_assert_int_eq(make_token("all", NULL, 0), 0);
	snprintf(sql, sizeof sql,
	         "SELECT count(*) FROM hub_token WHERE instr(hash, '%s') + instr(id, '%.8s') > 0",
	         text, text);
	ck_assert_int_eq(hub_int(sql), 0);
}
END_TEST

START_TEST(a_token_is_listed_and_revoked_by_its_name)
{
	struct token_terms terms = { .scope = "f/F1", .tables = "note", .name = "platform" };
	struct buf out = { 0 };
	char first[TOKEN_TEXT];

	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), 0);
	memcpy(first, text, sizeof first);
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), ERR_INVALID);
	ck_assert_int_eq(token_list_json(hub_db, hub.now_ms, &out, &hub_err), 0);
	ck_assert_str_eq(strstr(buf_str(&out), "\"name\""),
	                 "\"name\":\"platform\",\"scope\":\"f/F1\",\"tables\":\"note\","
	                 "\"writes\":null,\"personal\":false,\"created\":\"2026-03-02T08:00:00."
	                 "000Z\",\"expires\":null,\"revoked\":null,\"last_export\":null,"
	                 "\"last_record\":null,\"last_used\":null,\"state\":\"valid\"}]\n");
	ck_assert(strstr(buf_str(&out), first) == NULL);
	buf_free(&out);
	ck_assert_int_eq(token_check(hub_db, first, hub.now_ms, &token, &hub_err), 1);
	ck_assert_int_eq(token_revoke(hub_db, "platform", hub.now_ms, &hub_err), 0);
	ck_assert_int_eq(token_check(hub_db, first, hub.now_ms, &token, &hub_err), 0);
	ck_assert_int_eq(token_revoke(hub_db, "platform", hub.now_ms, &hub_err), ERR_NOTFOUND);
	/* the name is free again, and the old one stays listed */
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_token WHERE name = 'platform'"), 2);
	terms.name = "0123456789abcdef"; /* an id's form */
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), ERR_INVALID);
	terms.name = "a b";
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), ERR_INVALID);
}
END_TEST

START_TEST(a_list_says_how_each_stands)
{
	struct token_terms terms = { .scope = "all", .name = "a" };
	struct token_entry *list;
	struct arena a = { 0 };
	size_t count;

	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, text, id, &hub_err), 0);
	ck_assert_int_eq(token_revoke(hub_db, "a", hub.now_ms + 1, &hub_err), 0);
	terms = (struct token_terms){ .scope = "all", .name = "b", .expires_ms = hub.now_ms + 5 };
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms + 1, text, id, &hub_err), 0);
	terms.name = "c";
	terms.expires_ms++;
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms + 2, text, id, &hub_err), 0);
	ck_assert_int_eq(token_list(hub_db, hub.now_ms + 5, &a, &list, &count, &hub_err), 0);
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(list[0].name, "c");
	ck_assert_str_eq(list[0].state, "valid");
	ck_assert_str_eq(list[1].state, "expired");
	ck_assert_str_eq(list[2].state, "revoked");
	arena_free(&a);
}
END_TEST

Suite *
suite_node_token(void)
{
	Suite *s = suite_create("node/token");
	TCase *t = tcase_create("token");

	tcase_add_checked_fixture(t, make, hub_close);
	tcase_add_test(t, a_token_opens_what_it_was_made_for);
	tcase_add_test(t, scope_all_is_every_facility);
	tcase_add_test(t, anything_but_the_token_opens_nothing);
	tcase_add_loop_test(t, a_token_ends_when_it_was_to_or_was_revoked, 0, 2);
	tcase_add_test(t, terms_that_make_no_sense_are_refused);
	tcase_add_test(t, a_token_was_shown);
	tcase_add_test(t, the_hub_keeps_only_hashes);
	tcase_add_test(t, a_token_is_listed_and_revoked_by_its_name);
	tcase_add_test(t, a_list_says_how_each_stands);
	suite_add_tcase(s, t);
	return s;
}

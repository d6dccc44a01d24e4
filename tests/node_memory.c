/*
 * tests/node_memory.c - who is let in, with memory that ends and a disk that fails:
 * whichever allocation is the last (SQLite's too), whichever statement fails, an
 * enrolment, a token or a right is as it should be or it isn't there, and what
 * failed has left nothing behind.
 */
#include "tests/broken.h"
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/enrol_node.h"
#include "node/hub/hub_node.h"
#include "node/hub/session.h"
#include "node/hub/token.h"
#include "node/rights.h"
#include "store/base/text.h"

#include <check.h>
#include <string.h>

enum { MOST = 20000 };

static char code[CODE_TEXT], id[TOKEN_ID], bearer[TOKEN_TEXT];
static char password[ADMIN_PASSWORD], session[SESSION_TEXT];
static struct store_site one; /* node 1, enrolled for F1 */
static struct rights rights;
static struct err err;

/* Results of the operation at hand; Check itself would need memory to look at them. */
static bool sane;

static void
begin(void)
{
	struct token_terms terms = { .scope = "f/F1" };

	hub_open();
	one = hub_enrol("F1", 1);
	hub_code("F2", true, code);
	ck_assert_int_eq(token_new(hub_db, &terms, hub.now_ms, bearer, id, &err), 0);
	ck_assert_int_eq(rights_open(&rights, hub_db, true, hub_key.public_key, &err), 0);
}

/* Everything that is written about nodes, codes, tokens and who signs in. */
static int64_t
written(void)
{
	return hub_int("SELECT (SELECT count(*) FROM hub_enrolment) * 1000000"
	               " + (SELECT count(*) FROM hub_token) * 10000"
	               " + (SELECT count(*) FROM hub_node) * 100"
	               " + (SELECT coalesce(sum(state), 0) + coalesce(sum(tries), 0) FROM "
	               "hub_enrolment)"
	               " + (SELECT count(*) FROM hub_session) * 10000000000"
	               " + (SELECT count(*) FROM hub_sign_in) * 1000000000000"
	               " + (SELECT count(*) FROM hub_grant) * 100000000"
	               " + (SELECT count(*) FROM hub_token WHERE revoked_ms IS NOT NULL) * 1000");
}

/* Fail call 0, 1, 2 ... until none is refused.  What fails has changed nothing.  A statement that
 * failed is never passed over; without memory SQLite may know another way. */
static void
without(enum broken what, int (*run)(void))
{
	unsigned good = 0;
	bool hit;

	sane = true;
	do {
		int64_t before = written();
		int rc;

		broken_arm(what, good);
		rc = run();
		hit = broken_disarm();
		ck_assert_msg(sane, "after %u", good);
		ck_assert_msg(hit || rc >= 0, "after %u: %d %s", good, rc, err.msg);
		ck_assert_msg(!hit || rc < 0 || what == BROKEN_MEMORY, "after %u: unheard", good);
		ck_assert(!store_db_in_transaction(hub_db));
		ck_assert_msg(rc >= 0 || written() == before, "after %u: something was left", good);
	} while (hit && ++good < MOST);
	ck_assert(!hit);
	ck_assert(good > 0 || what == BROKEN_EXEC);
}

/* Each after `prepare`, if that isn't NULL. */
static void
whole_or_not_there(void (*prepare)(void), int (*run)(void))
{
	static const enum broken ways[] = { BROKEN_MEMORY, BROKEN_STEP, BROKEN_EXEC };

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		if (prepare != NULL)
			prepare();
		without(ways[i], run);
	}
}

/* ---- the hub's doors ---- */

static int
make_code(void)
{
	struct enrol_terms terms = { .facility = "F3", .street = "S1" };
	char text[CODE_TEXT];
	int64_t expires;

	return enrol_new(&hub, &terms, text, &expires, &err);
}

/* Node 2 comes with the code. */
static int
answer(void)
{
	struct sync_key key = hub_node_key(2);
	struct enrol_ask ask = { .code = code, .label = "office", .facility = "F2" };
	struct enrol_answer got = { 0 };
	struct grant grant;
	struct code read = { 0 };
	int rc;

	if (code_read(code, &read, &err) < 0)
		return -1;
	enrol_sign(&key, &read, &ask);
	rc = enrol_answer(&hub, &ask, &got, &err);
	if (rc == 0 && got.state == ENROL_GRANTED)
		sane = sane &&
		       grant_read(got.grant.bytes, got.grant.len, hub_key.public_key, &grant,
		                  &err) == 0 &&
		       strcmp(grant.facility, "F2") == 0;
	buf_free(&got.grant);
	return rc;
}

/* Somebody comes with a wrong one of that name: it costs a try. */
static int
miss(void)
{
	struct sync_key key = hub_node_key(3);
	struct enrol_ask ask = { .label = "", .facility = "F2" };
	struct enrol_answer got = { 0 };
	struct code read;
	char wrong[CODE_TEXT];
	int rc;

	if (code_read(code, &read, &err) < 0)
		return -1;
	read.secret ^= 1;
	code_text(&read, wrong);
	ask.code = wrong;
	enrol_sign(&key, &read, &ask);
	rc = enrol_answer(&hub, &ask, &got, &err);
	sane = sane && (rc < 0 || got.state == ENROL_DENIED);
	buf_free(&got.grant);
	return rc;
}

static int
expire(void)
{
	return enrol_decide(&hub, code, ENROL_EXPIRE, &err);
}

static int
list(void)
{
	struct arena a = { 0 };
	struct enrol_entry *entries;
	size_t count;
	int rc = enrol_list(&hub, &a, &entries, &count, &err);

	sane = sane && (rc < 0 || count >= 2);
	arena_free(&a);
	return rc;
}

static void
new_code(void)
{
	hub_code("F2", true, code);
}

START_TEST(an_enrolment_is_whole_or_not_there)
{
	whole_or_not_there(NULL, make_code);
	whole_or_not_there(NULL, list);
	whole_or_not_there(new_code, answer);
	whole_or_not_there(new_code, miss);
	whole_or_not_there(new_code, expire);
}
END_TEST

/* However little room there is for the texts. */
START_TEST(a_list_is_whole_or_not_there)
{
	struct enrol_entry *entries;
	struct arena a = { .limit = 16 };
	size_t count;

	while (enrol_list(&hub, &a, &entries, &count, &err) < 0) {
		ck_assert_int_eq(err.code, ERR_NOMEM);
		arena_free(&a);
		a.limit += 16;
	}
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(entries[0].facility, "F1");
	ck_assert_str_eq(entries[0].label, "office");
	ck_assert_str_eq(entries[1].facility, "F2");
	arena_free(&a);
}
END_TEST

/* ---- an administrator's yes ---- */

static int
approve(void)
{
	return enrol_decide(&hub, code, ENROL_APPROVE, &err);
}

static int
deny_by_node(void)
{
	uint8_t node[STORE_NODE_ID];
	struct sync_key key = hub_node_key(4);
	char hex[2 * STORE_NODE_ID + 1];

	sync_node_id(node, key.public_key);
	text_hex(hex, node, sizeof node);
	return enrol_decide(&hub, hex, ENROL_DENY, &err);
}

static void
a_node_waits(void)
{
	hub.now_ms++; /* a node's id stands for what it has asked last */
	hub_code("F4", false, code);
	ck_assert_int_eq(hub_ask(code, 4, NULL).state, ENROL_WAITING);
}

START_TEST(a_decision_is_whole_or_not_there)
{
	whole_or_not_there(a_node_waits, approve);
	whole_or_not_there(a_node_waits, deny_by_node);
}
END_TEST

/* ---- tokens ---- */

static int
make_token(void)
{
	struct token_terms terms = { .scope = "all", .expires_ms = hub.now_ms + 1 };
	char text[TOKEN_TEXT], name[TOKEN_ID];

	return token_new(hub_db, &terms, hub.now_ms, text, name, &err);
}

static int
check_token(void)
{
	struct token token;
	int rc = token_check(hub_db, "stranger", hub.now_ms, &token, &err);

	sane = sane && rc <= 0;
	if (rc < 0)
		return rc;
	rc = token_check(hub_db, bearer, hub.now_ms, &token, &err);
	sane = sane && rc != 0; /* failing isn't "no such token", and never "yes" to more */
	sane = sane && (rc < 0 || strcmp(token.scope, "f/F1") == 0);
	return rc;
}

static int
revoke_token(void)
{
	return token_revoke(hub_db, id, hub.now_ms, &err);
}

static int
list_tokens(void)
{
	struct buf out = { 0 };
	int rc = token_list_json(hub_db, hub.now_ms, &out, &err);

	sane = sane && (rc < 0 || (out.len > 2 && memcmp(out.bytes, "[{", 2) == 0));
	buf_free(&out);
	return rc;
}

START_TEST(a_list_of_tokens_is_whole_or_not_there)
{
	struct token_entry *entries;
	struct arena a = { .limit = 16 };
	size_t count;

	whole_or_not_there(NULL, list_tokens);
	while (token_list(hub_db, hub.now_ms, &a, &entries, &count, &err) < 0) {
		ck_assert_int_eq(err.code, ERR_NOMEM);
		arena_free(&a);
		a.limit += 16;
	}
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(entries[0].id, id);
	ck_assert_str_eq(entries[0].scope, "f/F1");
	ck_assert_str_eq(entries[0].tables, "");
	arena_free(&a);
}
END_TEST

START_TEST(a_token_is_whole_or_not_there)
{
	whole_or_not_there(NULL, make_token);
	whole_or_not_there(NULL, check_token);
	without(BROKEN_MEMORY, revoke_token);
	without(BROKEN_STEP, revoke_token);
}
END_TEST

/* ---- who signs in ---- */

static struct session_ask
an_ask(void)
{
	return (struct session_ask){ .name = "wang", .password = password, .peer = "192.0.2.7" };
}

static int
sign_in(void)
{
	struct session_ask ask = an_ask();
	int rc = session_begin(hub_db, &ask, hub.now_ms, session, &err);

	sane = sane && rc != 0; /* failing isn't "a wrong password" */
	if (rc == 1)
		sane = sane && strlen(session) == SESSION_TEXT - 1;
	return rc;
}

static int
sign_in_wrongly(void)
{
	struct session_ask ask = an_ask();
	int rc;

	ask.password = "wrong";
	rc = session_begin(hub_db, &ask, hub.now_ms, session, &err);
	sane = sane && rc <= 0;
	return rc;
}

static int
look_at_session(void)
{
	char name[ADMIN_NAME];
	int rc = session_check(hub_db, session, hub.now_ms, name, &err);

	sane = sane && rc != 0; /* nobody is sent away because of a disk */
	sane = sane && strcmp(name, rc == 1 ? "wang" : "") == 0;
	return rc;
}

static int
leave(void)
{
	return session_end(hub_db, session, "192.0.2.7", hub.now_ms, &err);
}

static int
note_decision(void)
{
	return session_log_decided(hub_db, "wang", "let in", &err);
}

static int
list_sign_ins(void)
{
	struct buf out = { 0 };
	int rc = session_log_json(hub_db, 10, &out, &err);

	sane = sane && (rc < 0 || (out.len > 2 && memcmp(out.bytes, "[{", 2) == 0));
	buf_free(&out);
	return rc;
}

static void
an_administrator(void)
{
	struct session_ask ask = an_ask();

	ck_assert_int_eq(admin_new(hub_db, "wang", 0, hub.now_ms, password, &err), 0);
	ck_assert_int_eq(session_begin(hub_db, &ask, hub.now_ms, session, &err), 1);
}

START_TEST(a_session_is_whole_or_not_there)
{
	whole_or_not_there(an_administrator, look_at_session);
	whole_or_not_there(an_administrator, leave);
	whole_or_not_there(NULL, note_decision);
	whole_or_not_there(NULL, list_sign_ins);
}
END_TEST

/* Each look at a password costs what it is to cost, so not each allocation of it. */
START_TEST(a_sign_in_is_whole_or_not_there)
{
	an_administrator();
	without(BROKEN_STEP, sign_in);
	without(BROKEN_EXEC, sign_in);
	without(BROKEN_STEP, sign_in_wrongly);
	without(BROKEN_EXEC, sign_in_wrongly);
}
END_TEST

START_TEST(a_list_of_sign_ins_is_whole_or_not_there)
{
	struct session_entry *list;
	struct arena a = { .limit = 16 };
	size_t count;

	an_administrator();
	while (session_log(hub_db, 10, &a, &list, &count, &err) < 0) {
		ck_assert_int_eq(err.code, ERR_NOMEM);
		arena_free(&a);
		a.limit += 4;
	}
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(list[0].admin, "wang");
	ck_assert_str_eq(list[0].peer, "192.0.2.7");
	ck_assert_str_eq(list[0].what, "signed in");
	arena_free(&a);
}
END_TEST

/* ---- rights: in doubt, none ---- */

static int
ask_rights(void)
{
	struct store_site stranger = { .node = { 9 } };
	uint8_t key[SYNC_PUBLIC_KEY], node[STORE_NODE_ID];
	struct sync_key first = hub_node_key(1), other = hub_node_key(9);
	int rc;

	sane = sane && !rights_may_write(&rights, &one, "f/F2");
	sane = sane && !rights_may_read(&rights, one.node, "f/F2");
	sane = sane && !rights_may_write(&rights, &stranger, "f/F1");
	sane = sane && !rights_key_of(&rights, &stranger, key);
	(void)rights_may_write(&rights, &one, "f/F1");
	(void)rights_may_read(&rights, one.node, "f/F1");
	if (rights_key_of(&rights, &one, key))
		sane = sane && memcmp(key, first.public_key, sizeof key) == 0;
	rc = rights_node_of(&rights, other.public_key, node, &err);
	sane = sane && rc <= 0;
	sane = sane && !rights_might_write(&rights, &one, "f/F1");
	sane = sane && !rights_is_revoked(&rights, first.public_key, node);
	rc = rights_node_of(&rights, first.public_key, node, &err);
	sane = sane && rc != 0;
	return rc;
}

START_TEST(a_right_that_cannot_be_looked_up_is_none)
{
	without(BROKEN_MEMORY, ask_rights);
	ck_assert(rights_may_write(&rights, &one, "f/F1"));
}
END_TEST

/* ---- at a node ---- */

static struct store_db *node_db;

static int
open_rights(void)
{
	struct sync_key key = hub_node_key(1);
	struct rights got;
	int rc = rights_open(&got, node_db, false, key.public_key, &err);

	sane = sane && (rc < 0 || got.enrolled);
	sane = sane && (rc < 0 || grant_has(&got.grant.write, "f/F1"));
	store_catalog_forget(node_db);
	return rc;
}

static struct enrol_news news;

static int
keep_grant(void)
{
	return enrol_node_keep(node_db, "https://hub", &news, &err);
}

START_TEST(a_node_is_enrolled_or_not)
{
	struct hub_node found;
	struct arena a = { 0 };

	node_db = hub_other("F1");
	news = (struct enrol_news){ .granted = true };
	ck_assert_int_eq(hub_node_find(hub_db, one.node, &a, &found, &err), 1);
	memcpy(news.doc, found.doc, found.doc_len);
	news.doc_len = found.doc_len;
	memcpy(news.hub_key, hub_key.public_key, SYNC_PUBLIC_KEY);
	ck_assert_int_eq(grant_read(news.doc, news.doc_len, news.hub_key, &news.grant, &err), 0);
	whole_or_not_there(NULL, keep_grant);
	whole_or_not_there(NULL, open_rights);
	arena_free(&a);
	store_db_close(node_db);
}
END_TEST

Suite *
suite_node_memory(void)
{
	Suite *suite = suite_create("node/memory");
	TCase *tcase = tcase_create("memory");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, begin, hub_close);
	tcase_add_test(tcase, an_enrolment_is_whole_or_not_there);
	tcase_add_test(tcase, a_list_is_whole_or_not_there);
	tcase_add_test(tcase, a_decision_is_whole_or_not_there);
	tcase_add_test(tcase, a_token_is_whole_or_not_there);
	tcase_add_test(tcase, a_list_of_tokens_is_whole_or_not_there);
	tcase_add_test(tcase, a_session_is_whole_or_not_there);
	tcase_add_test(tcase, a_sign_in_is_whole_or_not_there);
	tcase_add_test(tcase, a_list_of_sign_ins_is_whole_or_not_there);
	tcase_add_test(tcase, a_right_that_cannot_be_looked_up_is_none);
	tcase_add_test(tcase, a_node_is_enrolled_or_not);
	suite_add_tcase(suite, tcase);
	return suite;
}

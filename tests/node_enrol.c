/* tests/node_enrol.c - enrolment, both sides, and POST /v1/enrol between them. */
#include "tests/hub_help.h"
#include "tests/suites.h"

#include "node/enrol_node.h"
#include "node/hub/api_enrol.h"
#include "node/hub/hub_node.h"
#include "store/base/text.h"
#include "store/remote.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static char code[CODE_TEXT];

static void
decide(const char *which, enum enrol_verdict verdict, int expected)
{
	ck_assert_msg(enrol_decide(&hub, which, verdict, &hub_err) == expected, "%s", hub_err.msg);
}

START_TEST(an_automatic_code_gives_a_grant_for_its_facility)
{
	struct sync_key node = hub_node_key(1);
	struct enrol_answer answer;
	struct buf doc = { 0 };
	struct grant grant;

	hub_code("F1", true, code);
	answer = hub_ask(code, 1, &doc);
	ck_assert_int_eq(answer.state, ENROL_GRANTED);
	ck_assert_int_eq(grant_read(doc.bytes, doc.len, hub_key.public_key, &grant, &hub_err), 0);
	ck_assert_str_eq(grant.facility, "F1");
	ck_assert_mem_eq(grant.node_key, node.public_key, SYNC_PUBLIC_KEY);
	ck_assert(grant_has(&grant.write, "f/F1"));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 1);
	buf_free(&doc);
}
END_TEST

START_TEST(an_administrator_decides)
{
	static const struct {
		enum enrol_verdict verdict;
		enum enrol_state then;
	} cases[] = { { ENROL_APPROVE, ENROL_GRANTED },
		      { ENROL_DENY, ENROL_DENIED },
		      { ENROL_EXPIRE, ENROL_DENIED } };

	hub_code("F1", false, code);
	decide(code, ENROL_APPROVE, ERR_INVALID); /* nobody has come */
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_WAITING);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_WAITING);
	hub.now_ms +=
	        INT64_C(24) * 3600 * 1000; /* people are slow: only the first ask has a deadline */
	decide(code, cases[_i].verdict, 0);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, cases[_i].then);
	decide(code, ENROL_APPROVE, ERR_INVALID);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), _i == 0);
}
END_TEST

START_TEST(an_enrolment_is_named_by_code_group_or_node)
{
	struct sync_key node = hub_node_key(1);
	uint8_t id[STORE_NODE_ID];
	char hex[2 * STORE_NODE_ID + 1], group[CODE_NAME], lower[CODE_TEXT];

	hub_code("F1", false, code);
	hub_ask(code, 1, NULL);
	sync_node_id(id, node.public_key);
	text_hex(hex, id, sizeof id);
	text_copy(group, sizeof group, code);
	for (int i = 0; i < CODE_TEXT; i++)
		lower[i] = code[i] >= 'A' ? (char)(code[i] + 32) : code[i];
	decide(_i == 0 ? hex : _i == 1 ? group : lower, ENROL_APPROVE, 0);
	decide("", ENROL_APPROVE, ERR_NOTFOUND);
	decide("F1", ENROL_APPROVE, ERR_NOTFOUND);
}
END_TEST

START_TEST(a34_a_code_is_for_one_node)
{
	hub_code("F1", true, code);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_GRANTED);
	ck_assert_int_eq(hub_ask(code, 2, NULL).state, ENROL_DENIED);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_GRANTED); /* a lost answer */
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 1);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_grant"), 1);
}
END_TEST

START_TEST(a34_a_code_is_good_for_ten_minutes)
{
	hub_code("F1", true, code);
	hub.now_ms += ENROL_TTL_MS - 1;
	if (_i == 0) {
		ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_GRANTED);
		return;
	}
	hub.now_ms++;
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 0);
}
END_TEST

START_TEST(a_code_lives_as_long_as_it_was_given)
{
	struct enrol_terms terms = { .facility = "F1", .automatic = true, .ttl_ms = 1000 };
	int64_t expires;

	ck_assert_int_eq(enrol_new(&hub, &terms, code, &expires, &hub_err), 0);
	ck_assert_int_eq(expires, hub.now_ms + 1000);
	hub.now_ms += 1000;
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED);
	terms.facility = "../F1";
	ck_assert_int_eq(enrol_new(&hub, &terms, code, &expires, &hub_err), ERR_INVALID);
}
END_TEST

/* Each is found by its own node among others. */
START_TEST(one_of_two_nodes_is_decided_about)
{
	struct sync_key node = hub_node_key(1);
	uint8_t id[STORE_NODE_ID];
	char hex[2 * STORE_NODE_ID + 1], first[CODE_TEXT];

	hub_code("F1", false, first);
	hub_ask(first, 1, NULL);
	hub.now_ms++;
	hub_code("F2", false, code);
	hub_ask(code, 2, NULL);
	sync_node_id(id, node.public_key);
	text_hex(hex, id, sizeof id);
	decide(hex, ENROL_APPROVE, 0);
	ck_assert_int_eq(hub_ask(first, 1, NULL).state, ENROL_GRANTED);
	ck_assert_int_eq(hub_ask(code, 2, NULL).state, ENROL_WAITING);
	decide("{{{{", ENROL_APPROVE, ERR_NOTFOUND);
}
END_TEST

START_TEST(nobody_approves_a_node_of_another_facility)
{
	hub_code("F2", false, code);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_WAITING);
	hub_enrol("F1", 1); /* a key that has said two things */
	decide(code, ENROL_APPROVE, ERR_DENIED);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 1);
}
END_TEST

START_TEST(a_node_that_the_hub_has_lost_gets_nothing)
{
	hub_code("F1", true, code);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_GRANTED);
	ck_assert_int_eq(store_db_exec(hub_db, "DELETE FROM hub_node", &hub_err), 0);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED);
}
END_TEST

/* The right name with another secret, as one who guesses would send it. */
static void
guess(char out[CODE_TEXT], unsigned n)
{
	struct code right;

	ck_assert_int_eq(code_read(code, &right, &hub_err), 0);
	right.secret ^= n;
	code_text(&right, out);
}

START_TEST(a34_five_wrong_guesses_close_a_code)
{
	char wrong[CODE_TEXT];

	hub_code("F1", true, code);
	for (unsigned n = 1; n <= (unsigned)_i; n++) {
		guess(wrong, n);
		ck_assert_int_eq(hub_ask(wrong, 2, NULL).state, ENROL_DENIED);
	}
	ck_assert_int_eq(hub_ask(code, 1, NULL).state,
	                 _i < ENROL_TRIES ? ENROL_GRANTED : ENROL_DENIED);
}
END_TEST

/* Who has come with the right code keeps it, however many guess at it then. */
START_TEST(guesses_at_a_used_code_cost_its_node_nothing)
{
	char wrong[CODE_TEXT];

	hub_code("F1", false, code);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_WAITING);
	for (unsigned n = 1; n <= ENROL_TRIES + 2; n++) {
		guess(wrong, n);
		ck_assert_int_eq(hub_ask(wrong, 2, NULL).state, ENROL_DENIED);
	}
	ck_assert_int_eq(hub_int("SELECT tries FROM hub_enrolment"), 0);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_WAITING);
	ck_assert_int_eq(hub_ask("7F3K", 2, NULL).state, ENROL_DENIED); /* no code at all */
}
END_TEST

START_TEST(a34_all_bad_codes_hear_the_same_sentence)
{
	char unknown[CODE_TEXT], wrong[CODE_TEXT];
	struct enrol_answer a, b, c;
	struct code other;

	hub_code("F1", true, code);
	guess(wrong, 1);
	guess(unknown, 1);
	ck_assert_int_eq(code_read(code, &other, &hub_err), 0);
	other.secret ^= (uint64_t)1 << 49;
	code_text(&other, unknown);
	a = hub_ask(wrong, 2, NULL);
	b = hub_ask(unknown, 2, NULL);
	hub.now_ms += ENROL_TTL_MS;
	c = hub_ask(code, 2, NULL);
	ck_assert_str_eq(a.reason, b.reason);
	ck_assert_str_eq(a.reason, c.reason);
}
END_TEST

START_TEST(a34_an_unsigned_or_foreign_signed_ask_is_refused)
{
	struct sync_key node = hub_node_key(1), foe = hub_node_key(2);
	struct enrol_ask ask = { .code = code, .label = "x", .facility = "F1" };
	struct enrol_answer answer;
	struct code read;

	hub_code("F1", true, code);
	ck_assert_int_eq(code_read(code, &read, &hub_err), 0);
	ask.label = _i == 2 ? "y" : "x";
	ask.facility = _i == 3 ? "F2" : "F1";
	if (_i > 0)
		enrol_sign(_i == 1 ? &foe : &node, &read, &ask);
	ask.label = "x";
	ask.facility = "F1";
	memcpy(ask.key, node.public_key, sizeof ask.key);
	ck_assert_int_eq(enrol_answer(&hub, &ask, &answer, &hub_err), 0);
	ck_assert_int_eq(answer.state, ENROL_DENIED);
	ck_assert_int_eq(hub_int("SELECT min(tries) FROM hub_enrolment"), ENROL_TRIES);
}
END_TEST

START_TEST(a_code_of_another_hub_is_refused)
{
	struct sync_key foe = hub_node_key(9);
	struct enrol_hub other = hub;

	hub_code("F1", true, code);
	other.key = &foe;
	hub = other;
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED);
}
END_TEST

START_TEST(codes_are_kept_as_hashes_only)
{
	char plain[CODE_CHARS + 1], sql[200];
	struct code read;

	hub_code("F1", true, code);
	ck_assert_int_eq(code_read(code, &read, &hub_err), 0);
	code_plain(&read, plain);
	snprintf(sql, sizeof sql,
	         "SELECT count(*) FROM hub_enrolment WHERE instr(hash, '%.10s') > 0 OR name LIKE "
	         "'%%%.6s%%'",
	         plain + 4, plain + 4);
	ck_assert_int_eq(hub_int(sql), 0);
}
END_TEST

START_TEST(a_node_of_two_facilities_is_refused_a_second_pc_is_not)
{
	struct enrol_answer answer;

	hub_enrol("F1", 1);
	hub_enrol("F1", 2);
	hub_code("F2", true, code);
	answer = hub_ask(code, 1, NULL);
	ck_assert_int_eq(answer.state, ENROL_DENIED);
	ck_assert_ptr_nonnull(strstr(answer.reason, "F1"));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node WHERE facility = 'F1'"), 2);
}
END_TEST

/* Node `n`, made for `facility`, asks with `code`. */
static struct enrol_answer
ask_as(uint8_t n, const char *facility)
{
	struct enrol_ask ask = { .code = code, .label = "x", .facility = facility };
	struct sync_key node = hub_node_key(n);
	struct enrol_answer answer;
	struct code read;

	ck_assert_int_eq(code_read(code, &read, &hub_err), 0);
	enrol_sign(&node, &read, &ask);
	ck_assert_int_eq(enrol_answer(&hub, &ask, &answer, &hub_err), 0);
	buf_free(&answer.grant);
	return answer;
}

/* Approved by hand or not (_i), nothing is given, used up or remembered. */
START_TEST(a_code_for_another_facility_burns_neither_code_nor_node)
{
	struct enrol_answer answer;

	hub_code("F1", _i == 0, code);
	answer = ask_as(1, "F3");
	ck_assert_int_eq(answer.state, ENROL_DENIED);
	ck_assert_ptr_nonnull(strstr(answer.reason, "for facility F1"));
	ck_assert_ptr_nonnull(strstr(answer.reason, "made for F3"));
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 0);
	ck_assert_int_eq(hub_int("SELECT tries FROM hub_enrolment"), ENROL_TRIES);
	ck_assert_int_eq(hub_int("SELECT state FROM hub_enrolment"), ENROL_OPEN);
	ck_assert_int_eq(ask_as(2, "F1").state, _i == 0 ? ENROL_GRANTED : ENROL_WAITING);
	hub_code("F3", true, code);
	ck_assert_int_eq(ask_as(1, "F3").state, ENROL_GRANTED);
}
END_TEST

/* Who can't be enrolled with it doesn't use it up, and hears what to do. */
START_TEST(a_revoked_node_leaves_a_code_to_others)
{
	struct store_site site = hub_enrol("F1", 1);
	struct enrol_answer answer;

	ck_assert_int_eq(hub_node_revoke(hub_db, site.node, hub.now_ms, &hub_err), 0);
	hub_code("F1", true, code);
	answer = ask_as(1, "F1");
	ck_assert_int_eq(answer.state, ENROL_DENIED);
	ck_assert_ptr_nonnull(strstr(answer.reason, "revoked; init a new directory"));
	ck_assert_int_eq(ask_as(2, "F1").state, ENROL_GRANTED);
}
END_TEST

START_TEST(a_revoked_node_gets_nothing_more)
{
	struct store_site site;
	struct sync_key node = hub_node_key(1);
	int64_t version;

	hub_code("F1", true, code);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_GRANTED);
	sync_node_id(site.node, node.public_key);
	ck_assert_int_eq(hub_node_revoke(hub_db, site.node, hub.now_ms, &hub_err), 0);
	version = hub_int("SELECT version FROM hub_node");
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED); /* by its old code */
	hub_code("F1", true, code);
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED); /* by a new one */
	ck_assert_int_eq(hub_int("SELECT version FROM hub_node"), version);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_grant"), 1);
	site.node[0] ^= 1;
	ck_assert_int_eq(hub_node_revoke(hub_db, site.node, hub.now_ms, &hub_err), ERR_NOTFOUND);
}
END_TEST

START_TEST(a_name_that_would_play_with_a_terminal_is_refused)
{
	static const char too_long[] =
	        "a name of sixty-six bytes, which is more than a node's name may be";
	static const char *const names[] = { "a\x1b[2J", "a\nb", "a\x7f", "\xff", too_long };
	bool facility = _i >= 5; /* else what it calls itself */
	const char *name = names[_i % 5];
	struct sync_key node = hub_node_key(1);
	struct enrol_ask ask = { .code = code,
		                 .label = facility ? "office" : name,
		                 .facility = facility ? name : "F1" };
	struct enrol_answer answer;
	struct code read;

	hub_code("F1", true, code);
	ck_assert_int_eq(code_read(code, &read, &hub_err), 0);
	enrol_sign(&node, &read, &ask);
	ck_assert_int_eq(enrol_answer(&hub, &ask, &answer, &hub_err), 0);
	ck_assert_int_eq(answer.state, ENROL_DENIED);
}
END_TEST

START_TEST(the_list_tells_all)
{
	struct enrol_entry *list;
	struct arena a = { 0 };
	size_t count;

	hub_code("F1", false, code);
	hub_ask(code, 1, NULL);
	hub.now_ms += 1000;
	hub_code("F2", true, code);
	hub.now_ms += ENROL_TTL_MS;
	ck_assert_int_eq(enrol_list(&hub, &a, &list, &count, &hub_err), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(list[0].facility, "F2");
	ck_assert_str_eq(enrol_state_name(list[0].state), "closed");
	ck_assert(!list[0].asked);
	ck_assert_str_eq(enrol_state_name(list[1].state), "waiting");
	ck_assert(list[1].asked);
	ck_assert_str_eq(list[1].label, "office");
	arena_free(&a);
}
END_TEST

static void
must_run(const char *sql)
{
	ck_assert_msg(store_db_exec(hub_db, sql, &hub_err) == 0, "%s", hub_err.msg);
}

static enum enrol_state
listed(void)
{
	struct enrol_entry *list;
	struct arena a = { 0 };
	enum enrol_state state;
	size_t count;

	ck_assert_int_eq(enrol_list(&hub, &a, &list, &count, &hub_err), 0);
	ck_assert_uint_eq(count, 1);
	state = list[0].state;
	arena_free(&a);
	return state;
}

/* What was said of it, and not only that it opens nothing any more. */
START_TEST(what_became_of_an_enrolment_is_listed)
{
	struct store_site site;

	hub_code("F1", false, code);
	decide(code, ENROL_EXPIRE, 0);
	ck_assert_str_eq(enrol_state_name(listed()), "expired");
	ck_assert_int_eq(hub_ask(code, 1, NULL).state, ENROL_DENIED);
	hub.now_ms += ENROL_TTL_MS;
	ck_assert_str_eq(enrol_state_name(listed()), "expired");
	decide(code, ENROL_APPROVE, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(hub_err.msg, "is expired"));
	must_run("DELETE FROM hub_enrolment");
	site = hub_enrol("F1", 1);
	ck_assert_str_eq(enrol_state_name(listed()), "granted");
	/* also when the node has replaced its key since */
	must_run("INSERT INTO hub_key SELECT node_key, node, x'09', 1 FROM hub_node;"
	         "UPDATE hub_node SET node_key = x'09'");
	ck_assert_str_eq(enrol_state_name(listed()), "granted");
	ck_assert_int_eq(hub_node_revoke(hub_db, site.node, hub.now_ms, &hub_err), 0);
	ck_assert_str_eq(enrol_state_name(listed()), "revoked");
	must_run("UPDATE hub_node SET node_key = (SELECT node_key FROM hub_enrolment)");
	ck_assert_str_eq(enrol_state_name(listed()), "revoked");
}
END_TEST

START_TEST(a_node_is_found_by_the_beginning_of_its_id)
{
	static const struct {
		const char *which;
		int rc;
		const char *says; /* the facility, or a part of the sentence */
	} cases[] = {
		{ "ab01", 0, "F1" },
		{ "AB02", 0, "F2" },
		{ "ab020000000000000000000000000000", 0, "F2" },
		{ "ab", ERR_INVALID, "several nodes begin with ab; give more" },
		{ "ab0200000000000000000000000000000", ERR_NOTFOUND, "there is no node ab02" },
		{ "", ERR_NOTFOUND, "there is no node  here; yizhan nodes lists them" },
		{ "%", ERR_NOTFOUND, "there is no node % here" },
	};
	struct hub_node node;
	struct arena a = { 0 };

	must_run("INSERT INTO hub_node(node, node_key, facility, label, version, doc, since_ms)"
	         " VALUES (x'ab010000000000000000000000000000', x'01', 'F1', '', 1, x'00', 1),"
	         " (x'ab020000000000000000000000000000', x'02', 'F2', '', 1, x'00', 1)");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int rc = hub_node_named(hub_db, cases[i].which, &a, &node, &hub_err);

		ck_assert_msg(rc == cases[i].rc, "%s: %d", cases[i].which, rc);
		ck_assert_msg(strstr(rc == 0 ? node.facility : hub_err.msg, cases[i].says) != NULL,
		              "%s: %s", cases[i].which, hub_err.msg);
	}
	arena_free(&a);
}
END_TEST

START_TEST(a_facility_is_known_by_code_node_or_row)
{
	static const char *const names[] = { "F1", "F2", "F3", "F4" };

	hub_code("F1", false, code);
	hub_enrol("F2", 2);
	must_run("DELETE FROM hub_enrolment WHERE facility = 'F2';"
	         "CREATE TABLE facility(facility_id TEXT PRIMARY KEY);"
	         "INSERT INTO facility VALUES ('F3')");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		bool known = i == 3;

		ck_assert_int_eq(hub_node_facility_known(hub_db, names[i], &known, &hub_err), 0);
		ck_assert_msg(known == (i < 3), "%s", names[i]);
	}
}
END_TEST

/* ---------------------------------------------------------------- over HTTP, from a node */

static struct http_response response;
static struct enrol_news news;

static void
post(const void *body, size_t len)
{
	struct http_request request = {
		.method = "POST", .path = "/v1/enrol", .query = "", .body = body, .body_len = len
	};

	buf_free(&response.fields);
	buf_free(&response.body);
	response = (struct http_response){ 0 };
	api_enrol_post(&hub, &request, &response);
}

/* Node `n` asks over HTTP and reads the answer as `reader`. */
static int
meet(uint8_t n, uint8_t reader)
{
	struct sync_key key = hub_node_key(n), other = hub_node_key(reader);
	struct enrol_self self = { .key = &key, .name = "办公室", .facility = "F1" };
	struct buf body = { 0 };
	int rc;

	ck_assert_msg(enrol_node_ask(&self, code, &body, &hub_err) == 0, "%s", hub_err.msg);
	post(body.bytes, body.len);
	buf_free(&body);
	ck_assert_int_eq(response.status, 200);
	rc = enrol_node_read(&other, code, response.body.bytes, response.body.len, &news, &hub_err);
	return rc;
}

static void
http_end(void)
{
	buf_free(&response.fields);
	buf_free(&response.body);
	hub_close();
}

START_TEST(both_sides_say_the_same_words)
{
	struct enrol_entry *list;
	struct arena a = { 0 };
	size_t count;

	hub_code("F1", false, code);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert(!news.granted);
	ck_assert_int_eq(enrol_list(&hub, &a, &list, &count, &hub_err), 0);
	ck_assert_mem_eq(list[0].words, news.words, WORDS);
	ck_assert_str_eq(list[0].label, "办公室");
	arena_free(&a);
	decide(code, ENROL_APPROVE, 0);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert(news.granted);
	ck_assert_str_eq(news.grant.facility, "F1");
}
END_TEST

/* What makes a hash of a number the same at all nodes of a facility, and nowhere else. */
START_TEST(nodes_of_a_facility_share_a_key_that_others_have_not)
{
	struct sync_key node = hub_node_key(1), other = hub_node_key(2);
	uint8_t first[ID_KEY], box[SYNC_BOX], key[ID_KEY];
	static const uint8_t nonce[24] = { 5 };

	hub_code("F1", _i == 0, code);
	if (_i == 1) {
		ck_assert_int_eq(meet(1, 1), 0);
		ck_assert_ptr_nonnull(strstr(buf_str(&response.body), "\"id_key\":null"));
		decide(code, ENROL_APPROVE, 0);
	}
	ck_assert_int_eq(meet(1, 1), 0);
	memcpy(first, news.id_key, sizeof first);
	hub_code("F1", true, code);
	ck_assert_int_eq(meet(2, 2), 0);
	ck_assert_mem_eq(news.id_key, first, ID_KEY);
	ck_assert_int_eq(id_key_seal(&hub_key, "F2", node.public_key, nonce, box, &hub_err), 0);
	ck_assert_int_eq(id_key_open(&node, hub_key.public_key, box, key, &hub_err), 0);
	ck_assert_mem_ne(key, first, ID_KEY);
	/* it opens for whom it is, and only if that hub has closed it */
	ck_assert_int_eq(id_key_open(&other, hub_key.public_key, box, key, &hub_err), ERR_DENIED);
	ck_assert_int_eq(id_key_open(&node, other.public_key, box, key, &hub_err), ERR_DENIED);
	box[SYNC_BOX - 1] ^= 1;
	ck_assert_int_eq(id_key_open(&node, hub_key.public_key, box, key, &hub_err), ERR_DENIED);
}
END_TEST

/* Who stands between can't give the facility a key that he knows. */
START_TEST(a34_a_key_from_somebody_else_is_refused)
{
	struct sync_key foe = hub_node_key(9), node = hub_node_key(1);
	static const uint8_t nonce[24] = { 0 };
	char hex[2 * SYNC_BOX + 1], *at;
	uint8_t box[SYNC_BOX];

	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert_int_eq(id_key_seal(&foe, "F1", node.public_key, nonce, box, &hub_err), 0);
	text_hex(hex, box, sizeof box);
	buf_str(&response.body);
	at = strstr((char *)response.body.bytes, "\"id_key\":\"");
	ck_assert_ptr_nonnull(at);
	memcpy(at + 10, hex, sizeof hex - 1);
	ck_assert_int_eq(enrol_node_read(&node, code, response.body.bytes, response.body.len, &news,
	                                 &hub_err),
	                 ERR_DENIED);
	ck_assert(!news.granted);
}
END_TEST

START_TEST(a34_a_hub_whose_key_is_not_the_codes_is_refused)
{
	struct sync_key foe = hub_node_key(9), node = hub_node_key(1);
	char theirs[CODE_TEXT], ours[CODE_TEXT];

	/* who stands between answers with its own hub's answer to its own code */
	hub_code("F1", true, ours);
	hub.key = &foe;
	hub_code("F1", true, theirs);
	memcpy(code, theirs, sizeof code);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert_int_eq(enrol_node_read(&node, ours, response.body.bytes, response.body.len, &news,
	                                 &hub_err),
	                 ERR_DENIED);
	ck_assert(!news.granted);
}
END_TEST

START_TEST(a34_a_grant_for_another_node_is_refused)
{
	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 2), ERR_DENIED);
	ck_assert(!news.granted);
}
END_TEST

START_TEST(a08_an_older_grant_never_replaces_a_newer)
{
	struct store_db *node = hub_other("F1");
	struct enrol_news old;
	struct store_remote remote;
	struct arena a = { 0 };

	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 1), 0);
	old = news;
	ck_assert_int_eq(enrol_node_keep(node, "https://hub", &old, &hub_err), 0);
	hub_code("F1", true,
	         code); /* enrolled anew in the same ms: the version rises all the same */
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert_int_gt(news.grant.version, old.grant.version);
	ck_assert_int_eq(enrol_node_keep(node, "https://hub", &news, &hub_err), 0);
	ck_assert_int_eq(enrol_node_keep(node, "https://evil", &old, &hub_err), ERR_DENIED);
	ck_assert_int_eq(enrol_node_keep(node, "https://hub", &news, &hub_err), 0);
	ck_assert_int_ge(store_remote_get(node, "hub", &a, &remote, &hub_err), 0);
	ck_assert_str_eq(remote.url, "https://hub");
	ck_assert(remote.enrolled);
	ck_assert_mem_eq(remote.key, hub_key.public_key, SYNC_PUBLIC_KEY);
	ck_assert_mem_eq(remote.grant, news.doc, news.doc_len);
	arena_free(&a);
	store_db_close(node);
}
END_TEST

START_TEST(a08_a_hub_takes_an_older_grant_for_known)
{
	struct enrol_news old;

	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 1), 0);
	old = news;
	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert_int_eq(
	        hub_node_readmit(hub_db, hub_key.public_key, old.doc, old.doc_len, &hub_err), 0);
	ck_assert_int_eq(hub_int("SELECT version FROM hub_node"), news.grant.version);
}
END_TEST

START_TEST(a_node_of_one_hub_is_not_taken_by_another)
{
	struct store_db *node = hub_other("F1");
	struct sync_key foe = hub_node_key(9);

	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert_int_eq(enrol_node_keep(node, "https://hub", &news, &hub_err), 0);
	ck_assert_int_eq(store_db_exec(hub_db, "DELETE FROM hub_node", &hub_err), 0);
	hub.key = &foe;
	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert_int_eq(enrol_node_keep(node, "https://foe", &news, &hub_err), ERR_DENIED);
	store_db_close(node);
}
END_TEST

START_TEST(a_node_made_for_another_facility_is_not_enrolled)
{
	struct store_db *node = hub_other("F2");

	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert_int_eq(enrol_node_keep(node, "https://hub", &news, &hub_err), ERR_DENIED);
	ck_assert_ptr_nonnull(strstr(hub_err.msg, "ask for a code for F2"));
	store_db_close(node);
}
END_TEST

START_TEST(a_grant_that_borrows_anothers_id_admits_nobody)
{
	struct sync_key one = hub_node_key(1), two = hub_node_key(2);
	struct buf doc = { 0 };
	struct grant grant;

	ck_assert_int_eq(grant_of_facility(&grant, "F1", NULL, &hub_err), 0);
	memcpy(grant.node_key, one.public_key, SYNC_PUBLIC_KEY);
	sync_node_id(grant.node, two.public_key);
	grant_write(&doc, &grant, &hub_key);
	ck_assert_int_eq(hub_node_readmit(hub_db, hub_key.public_key, doc.bytes, doc.len, &hub_err),
	                 ERR_DENIED);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 0);
	buf_free(&doc);
}
END_TEST

START_TEST(a_restored_hub_takes_its_nodes_in_again)
{
	struct sync_key foe = hub_node_key(9);

	hub_code("F1", true, code);
	ck_assert_int_eq(meet(1, 1), 0);
	ck_assert_int_eq(
	        store_db_exec(hub_db, "DELETE FROM hub_node; DELETE FROM hub_grant", &hub_err), 0);
	ck_assert_int_eq(hub_node_readmit(hub_db, foe.public_key, news.doc, news.doc_len, &hub_err),
	                 ERR_DENIED);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node"), 0);
	ck_assert_int_eq(
	        hub_node_readmit(hub_db, hub_key.public_key, news.doc, news.doc_len, &hub_err), 0);
	ck_assert_int_eq(hub_int("SELECT count(*) FROM hub_node WHERE facility = 'F1'"), 1);
	ck_assert_int_eq(hub_node_revoke(hub_db, news.grant.node, hub.now_ms, &hub_err), 0);
	ck_assert_int_eq(
	        hub_node_readmit(hub_db, hub_key.public_key, news.doc, news.doc_len, &hub_err),
	        ERR_DENIED);
}
END_TEST

START_TEST(bodies_that_are_no_request_get_a_problem)
{
	static const struct {
		const char *body;
		int status;
		const char *says;
	} cases[] = {
		{ "", 400, "JSON" },
		{ "[]", 400, "object" },
		{ "{", 400, "line 1" },
		{ "{}", 400, "strings" },
		{ "{\"code\":1,\"name\":\"x\"}", 400, "strings" },
		{ "{\"code\":\"\",\"name\":\"\",\"key\":\"00\"}", 400, "`facility`" },
		{ "{\"code\":\"\",\"name\":\"\",\"facility\":\"\",\"key\":\"00\"}", 400, "`key`" },
		{ "{\"code\":\"\",\"code\":\"\"}", 400, "duplicate" },
		{ "{\"code\":\"\",\"name\":\"\",\"facility_id\":\"F2\"}", 400, "nothing else" },
		{ "{\"code\":\"\",\"name\":\"a\\u0000b\"}", 400, "JSON" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		post(cases[i].body, strlen(cases[i].body));
		ck_assert_msg(response.status == cases[i].status, "%s: %d", cases[i].body,
		              response.status);
		ck_assert_str_eq(response.type, "application/problem+json");
		ck_assert_msg(strstr(buf_str(&response.body), cases[i].says) != NULL, "%s: %s",
		              cases[i].body, buf_str(&response.body));
	}
}
END_TEST

START_TEST(a_refusal_is_403_with_its_reason)
{
	struct sync_key key = hub_node_key(1);
	struct enrol_self self = { .key = &key, .name = "x", .facility = "F1" };
	struct buf body = { 0 };

	hub_code("F1", true, code);
	hub.now_ms += ENROL_TTL_MS;
	ck_assert_int_eq(enrol_node_ask(&self, code, &body, &hub_err), 0);
	post(body.bytes, body.len);
	buf_free(&body);
	ck_assert_int_eq(response.status, 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&response.body), "too old"));
}
END_TEST

START_TEST(answers_that_are_none_are_refused)
{
	static const char *const bodies[] = { "", "{}", "{\"state\":\"granted\",\"hub\":\"00\"}",
		                              "{\"state\":\"granted\"}" };
	struct sync_key key = hub_node_key(1);

	hub_code("F1", true, code);
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		ck_assert_int_eq(
		        enrol_node_read(&key, code, bodies[i], strlen(bodies[i]), &news, &hub_err),
		        ERR_CORRUPT);
}
END_TEST

Suite *
suite_node_enrol(void)
{
	Suite *s = suite_create("node/enrol");
	TCase *t = tcase_create("hub");

	tcase_add_checked_fixture(t, hub_open, hub_close);
	tcase_add_test(t, an_automatic_code_gives_a_grant_for_its_facility);
	tcase_add_loop_test(t, an_administrator_decides, 0, 3);
	tcase_add_loop_test(t, an_enrolment_is_named_by_code_group_or_node, 0, 3);
	tcase_add_test(t, a34_a_code_is_for_one_node);
	tcase_add_loop_test(t, a34_a_code_is_good_for_ten_minutes, 0, 2);
	tcase_add_loop_test(t, a34_five_wrong_guesses_close_a_code, ENROL_TRIES - 1,
	                    ENROL_TRIES + 1);
	tcase_add_test(t, a_code_lives_as_long_as_it_was_given);
	tcase_add_test(t, one_of_two_nodes_is_decided_about);
	tcase_add_test(t, nobody_approves_a_node_of_another_facility);
	tcase_add_test(t, a_node_that_the_hub_has_lost_gets_nothing);
	tcase_add_test(t, guesses_at_a_used_code_cost_its_node_nothing);
	tcase_add_test(t, a34_all_bad_codes_hear_the_same_sentence);
	tcase_add_loop_test(t, a34_an_unsigned_or_foreign_signed_ask_is_refused, 0, 4);
	tcase_add_test(t, a_code_of_another_hub_is_refused);
	tcase_add_test(t, codes_are_kept_as_hashes_only);
	tcase_add_test(t, a_node_of_two_facilities_is_refused_a_second_pc_is_not);
	tcase_add_loop_test(t, a_code_for_another_facility_burns_neither_code_nor_node, 0, 2);
	tcase_add_test(t, a_revoked_node_leaves_a_code_to_others);
	tcase_add_test(t, a_revoked_node_gets_nothing_more);
	tcase_add_loop_test(t, a_name_that_would_play_with_a_terminal_is_refused, 0, 10);
	tcase_add_test(t, the_list_tells_all);
	tcase_add_test(t, what_became_of_an_enrolment_is_listed);
	tcase_add_test(t, a_node_is_found_by_the_beginning_of_its_id);
	tcase_add_test(t, a_facility_is_known_by_code_node_or_row);
	suite_add_tcase(s, t);

	t = tcase_create("http");
	tcase_add_checked_fixture(t, hub_open, http_end);
	tcase_add_test(t, both_sides_say_the_same_words);
	tcase_add_loop_test(t, nodes_of_a_facility_share_a_key_that_others_have_not, 0, 2);
	tcase_add_test(t, a34_a_key_from_somebody_else_is_refused);
	tcase_add_test(t, a34_a_hub_whose_key_is_not_the_codes_is_refused);
	tcase_add_test(t, a34_a_grant_for_another_node_is_refused);
	tcase_add_test(t, a08_an_older_grant_never_replaces_a_newer);
	tcase_add_test(t, a08_a_hub_takes_an_older_grant_for_known);
	tcase_add_test(t, a_node_of_one_hub_is_not_taken_by_another);
	tcase_add_test(t, a_node_made_for_another_facility_is_not_enrolled);
	tcase_add_test(t, a_grant_that_borrows_anothers_id_admits_nobody);
	tcase_add_test(t, a_restored_hub_takes_its_nodes_in_again);
	tcase_add_test(t, bodies_that_are_no_request_get_a_problem);
	tcase_add_test(t, a_refusal_is_403_with_its_reason);
	tcase_add_test(t, answers_that_are_none_are_refused);
	suite_add_tcase(s, t);
	return s;
}

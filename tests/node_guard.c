/* tests/node_guard.c - which requests are refused, without a socket; and forms. */
#include "tests/memory.h"
#include "tests/suites.h"

#include "node/http/form.h"
#include "node/http/guard.h"
#include "node/http/peer.h"
#include "store/base/buf.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct guard_head head;
static struct err err;

START_TEST(targets_are_decoded_or_refused)
{
	static const struct {
		const char *target;
		int status;
		const char *path;
		const char *query;
	} cases[] = {
		{ "/", 0, "/", "" },
		{ "/v1/sync?a=1&b=%20", 0, "/v1/sync", "a=1&b=%20" },
		{ "/a?", 0, "/a", "" },
		{ "/a?b?c", 0, "/a", "b?c" },
		{ "/%E7%AB%99", 0, "/\xe7\xab\x99", "" },
		{ "/..a/.b/c..", 0, "/..a/.b/c..", "" },
		{ "/~_-.A0", 0, "/~_-.A0", "" },
		{ "/{", 400, NULL, NULL },
		{ "", 400, NULL, NULL },
		{ "a", 400, NULL, NULL },
		{ "*", 400, NULL, NULL },
		{ "http://h/", 400, NULL, NULL },
		{ "/..", 400, NULL, NULL },
		{ "/.", 400, NULL, NULL },
		{ "/a/../b", 400, NULL, NULL },
		{ "/a/./b", 400, NULL, NULL },
		{ "/a/%2e%2e/b", 400, NULL, NULL },
		{ "/a/.%2E", 400, NULL, NULL },
		{ "/a%2fb", 400, NULL, NULL },
		{ "/a%5cb", 400, NULL, NULL },
		{ "/a\\b", 400, NULL, NULL },
		{ "/a%00", 400, NULL, NULL },
		{ "/a%0a", 400, NULL, NULL },
		{ "/a%7f", 400, NULL, NULL },
		{ "/a%", 400, NULL, NULL },
		{ "/a%4", 400, NULL, NULL },
		{ "/a%4g", 400, NULL, NULL },
		{ "/a?%zz", 400, NULL, NULL },
		{ "/a b", 400, NULL, NULL },
		{ "/a#b", 400, NULL, NULL },
		{ "/a\"b", 400, NULL, NULL },
		{ "/%ff", 400, NULL, NULL },
		{ "/%c0%ae", 400, NULL, NULL },
		{ "/\xe7\xab\x99", 400, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char target[128];
		struct guard_verdict verdict;

		snprintf(target, sizeof target, "%s", cases[i].target);
		verdict = guard_target(&head, target);
		ck_assert_msg(verdict.status == cases[i].status, "%s: %d %s", cases[i].target,
		              verdict.status, verdict.why);
		if (verdict.status != 0)
			continue;
		ck_assert_str_eq(head.path, cases[i].path);
		ck_assert_str_eq(head.query, cases[i].query);
	}
}
END_TEST

#define BLOCK(status, count, text)                                                                 \
	{                                                                                          \
		status, count, text, sizeof(text) - 1                                              \
	}

START_TEST(blocks_have_the_shape_the_library_leaves_or_are_refused)
{
	static const struct {
		int status;
		size_t counted;
		const char *block;
		size_t len;
	} cases[] = {
		BLOCK(0, 0, "HTTP/1.1\0\0\0\0"),
		BLOCK(0, 1, "HTTP/1.0\0\0A\0 b\0\0\0\0"),
		BLOCK(0, 2, "HTTP/1.1\0\0A\0\0\0B\0 c:d \t\0\0\0\0"),
		BLOCK(0, 1, "HTTP/1.1\0\0A\0 b\tc\0\0\0\0"),
		BLOCK(400, 0, ""),
		BLOCK(400, 1, "HTTP/1.1\0\0A\0 b"),
		BLOCK(400, 0, "HTTP/1.1"),
		BLOCK(400, 0, "HTTP/1.1\0"),
		BLOCK(400, 0, "HTTP/1.1\0\0"),
		BLOCK(400, 0, "HTTP/1.1\0\0\0"),
		BLOCK(400, 0, "HTTP/1.1\0\0\0\0\0"),
		BLOCK(400, 0, "HTTP/1.2\0\0\0\0"),
		BLOCK(400, 1, "HTTP/1.1\0A\0 b\0\0\0\0"),
		BLOCK(400, 1, "HTTP/1.1\0\0A\0 b\0\0\0"),
		BLOCK(400, 2, "HTTP/1.1\0\0A\0 b\0C\0 d\0\0\0\0"),
		BLOCK(400, 1, "HTTP/1.1\0\0A\0 b\0\0B\0 c\0\0\0\0"),
		BLOCK(400, 1, "HTTP/1.1\0\0A \0 b\0\0\0\0"),
		BLOCK(400, 1, "HTTP/1.1\0\0A\0 b\rc\0\0\0\0"),
		BLOCK(400, 1, "HTTP/1.1\0\0A\0 b\x7f\0\0\0\0"),
		BLOCK(400, 1, "HTTP/1.1\0\0A\0 b\0c\0\0\0\0"),
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char block[128];
		struct guard_verdict verdict;

		memcpy(block, cases[i].block, cases[i].len);
		verdict = guard_block(&head, block, cases[i].len, cases[i].counted);
		ck_assert_msg(verdict.status == cases[i].status, "case %zu: %d %s", i,
		              verdict.status, verdict.why);
	}
}
END_TEST

START_TEST(values_are_trimmed_and_found_in_any_case)
{
	char block[] = "HTTP/1.1\0\0Content-Type\0 \t text/plain \t\0\0E\0\0\0\0";

	ck_assert_int_eq(guard_block(&head, block, sizeof block, 2).status, 0);
	ck_assert_str_eq(guard_field(&head, "content-TYPE"), "text/plain");
	ck_assert_str_eq(guard_field(&head, "e"), "");
	ck_assert_ptr_null(guard_field(&head, "content"));
}
END_TEST

START_TEST(hosts_are_names_of_ours_or_refused)
{
	static const struct {
		const char *host;
		const char *hosts;
		int status;
	} cases[] = {
		{ "localhost", "", 0 },
		{ "LocalHost:8710", "", 0 },
		{ "127.0.0.1:1", "", 0 },
		{ "[::1]:8710", "", 0 },
		{ "hub.example", "a.example hub.example", 0 },
		{ "hub.example", "", 421 },
		{ "hub.exampl", "hub.example", 421 },
		{ "hub.example.", "hub.example", 421 },
		{ "192.168.1.7:8710", "", 421 },
		{ "192.168.1.7:8710", "192.168.1.7", 0 },
		{ "192.168.1.7:8710", "*", 0 },
		{ "[fe80::1]", "*", 0 },
		{ "evil.example", "*", 421 },
		{ "1.2.3.4.evil.example", "*", 421 },
		{ "*", "*", 421 },
		{ "", "", 421 },
		{ "", "*", 421 },
		{ ":80", "*", 421 },
		{ "[]", "*", 421 },
		{ "[", "*", 421 },
		{ "[::1", "*", 421 },
		{ "1111111111111111111111111111111111111111111111111111111111111111", "*", 421 },
		{ ":80", "", 421 },
		{ "[::1", "", 421 },
		{ "[::1]x", "", 421 },
		{ "localhost:x", "", 421 },
		{ "a@localhost", "", 421 },
		{ "localhost localhost", "", 421 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct guard_verdict verdict;

		head = (struct guard_head){ .count = 1, .fields = { { "Host", cases[i].host } } };
		verdict = guard_fields(&head, "GET", cases[i].hosts);
		ck_assert_msg(verdict.status == cases[i].status, "%s in \"%s\": %d", cases[i].host,
		              cases[i].hosts, verdict.status);
	}
}
END_TEST

/* A body of two lengths is refused as such, whoever is asked. */
START_TEST(what_is_malformed_is_so_to_any_host)
{
	head = (struct guard_head){ .count = 3,
		                    .fields = { { "Host", "evil.example" },
		                                { "Content-Length", "1" },
		                                { "Transfer-Encoding", "chunked" } } };
	ck_assert_int_eq(guard_fields(&head, "POST", "").status, 400);
	head.count = 2;
	ck_assert_int_eq(guard_fields(&head, "POST", "").status, 421);
}
END_TEST

START_TEST(the_length_of_a_body_is_told_once)
{
	static const struct {
		const char *method;
		struct guard_field field[2];
		int status;
		uint64_t length;
	} cases[] = {
		{ "POST", { { "Content-Length", "12" } }, 0, 12 },
		{ "POST", { { "Content-Length", "999999999999999999" } }, 0, 999999999999999999 },
		{ "POST", { { "Content-Length", "9999999999999999999" } }, 400, 0 },
		{ "POST", { { "content-length", "1" }, { "Content-Length", "1" } }, 400, 0 },
		{ "POST", { { "Content-Length", "" } }, 400, 0 },
		{ "POST", { { "Content-Length", "1 2" } }, 400, 0 },
		{ "POST", { { "Content-Length", "-1" } }, 400, 0 },
		{ "POST", { { "Transfer-Encoding", "Chunked" } }, 0, 0 },
		{ "POST", { { "Transfer-Encoding", "identity" } }, 400, 0 },
		{ "POST",
		  { { "Transfer-Encoding", "chunked" }, { "Content-Length", "0" } },
		  400,
		  0 },
		{ "GET", { { "Content-Length", "0" } }, 0, 0 },
		{ "GET", { { "Content-Length", "1" } }, 400, 0 },
		{ "HEAD", { { "Transfer-Encoding", "chunked" } }, 400, 0 },
		{ "GET", { { "Authorization", "Bearer a" } }, 0, 0 },
		{ "GET",
		  { { "Authorization", "Bearer a" }, { "authorization", "Bearer b" } },
		  400,
		  0 },
		{ "GET", { { "Range", "bytes=0-" }, { "Range", "bytes=1-" } }, 400, 0 },
		{ "GET", { { "If-None-Match", "\"a\"" }, { "if-none-match", "\"b\"" } }, 400, 0 },
		{ "POST", { { "Yz-Grant", "00" }, { "Yz-Grant", "01" } }, 400, 0 },
		{ "POST", { { "Origin", "http://a" }, { "Origin", "http://b" } }, 400, 0 },
		{ "POST", { { "Signature", "a" }, { "Signature", "a" } }, 400, 0 },
		{ "POST", { { "Yz-Rotation", "00" }, { "Yz-Rotation", "01" } }, 400, 0 },
		{ "POST", { { "Yz-Report", "a" }, { "Yz-Report", "a" } }, 400, 0 },
		{ "GET", { { "Cookie", "a" }, { "Cookie", "b" } }, 0, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct guard_verdict verdict;

		head = (struct guard_head){
			.count = cases[i].field[1].name == NULL ? 2 : 3,
			.fields = { { "Host", "localhost" }, cases[i].field[0], cases[i].field[1] }
		};
		verdict = guard_fields(&head, cases[i].method, "");
		ck_assert_msg(verdict.status == cases[i].status, "case %zu: %d", i, verdict.status);
		if (verdict.status == 0)
			ck_assert_uint_eq(head.length, cases[i].length);
	}
}
END_TEST

/* As http.c finds it in the library's block: how long that is, and where its parts begin. */
static struct guard_verdict
judge(const char *block, size_t size, size_t version, char *target)
{
	struct guard_raw raw = { .method = block,
		                 .version = block + version,
		                 .target = target,
		                 .size = size,
		                 .counted = 1 };
	char *copy = NULL;
	struct guard_verdict verdict = guard_request(&head, &raw, "", &copy);

	free(copy);
	return verdict;
}

START_TEST(a_request_is_as_the_library_cut_it_or_refused)
{
	static const char block[] = "GET\0/a\0HTTP/1.1\0\0Host\0 localhost\0\0\0";
	static const struct {
		const char *target; /* NULL: no memory for it */
		size_t size, version;
		int status;
	} cases[] = {
		{ "/a", sizeof block, 7, 0 },       { "/a", GUARD_HEAD_MAX + 1, 7, 431 },
		{ NULL, sizeof block, 7, 400 },     { "/a", 7, 7, 400 }, /* nothing behind it */
		{ "/", sizeof block, 7, 400 },                           /* a NUL in it */
		{ "/ab", sizeof block, 7, 400 },    { "a/", sizeof block, 7, 400 },
		{ "/a", sizeof block - 2, 7, 400 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char target[8] = "";
		struct guard_verdict verdict;

		snprintf(target, sizeof target, "%s",
		         cases[i].target == NULL ? "" : cases[i].target);
		verdict = judge(block, cases[i].size, cases[i].version,
		                cases[i].target == NULL ? NULL : target);
		ck_assert_msg(verdict.status == cases[i].status, "case %zu: %d %s", i,
		              verdict.status, verdict.why);
	}
}
END_TEST

START_TEST(a_request_without_memory_is_refused_for_now)
{
	static const char block[] = "GET\0/a\0HTTP/1.1\0\0Host\0 localhost\0\0\0";
	char target[] = "/a";
	struct guard_verdict verdict;

	memory_arm(0);
	verdict = judge(block, sizeof block, 7, target);
	ck_assert(memory_disarm());
	ck_assert_int_eq(verdict.status, 503);
}
END_TEST

START_TEST(forms_are_decoded_or_refused)
{
	static const struct {
		const char *form;
		int rc;
		const char *value; /* of "a" */
	} cases[] = {
		{ "a=1", 1, "1" },
		{ "b=2&a=x+y%20z", 1, "x y z" },
		{ "a", 1, "" },
		{ "&&a=&", 1, "" },
		{ "%61=%E7%AB%99", 1, "\xe7\xab\x99" },
		{ "a=1&a=2", 1, "1" },
		{ "a==", 1, "=" },
		{ "", 0, NULL },
		{ "aa=1&b", 0, NULL },
		{ "a=%", ERR_INVALID, NULL },
		{ "a=%4", ERR_INVALID, NULL },
		{ "a=%4x", ERR_INVALID, NULL },
		{ "a=%00", ERR_INVALID, NULL },
		{ "a=%ff", ERR_INVALID, NULL },
		{ "a=1234567890", ERR_INVALID, NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char value[10] = "";
		int rc = form_get(form_from(cases[i].form, strlen(cases[i].form)), "a", value,
		                  sizeof value, &err);

		ck_assert_msg(rc == cases[i].rc, "%s: %d", cases[i].form, rc);
		if (rc == 1)
			ck_assert_str_eq(value, cases[i].value);
	}
}
END_TEST

static struct peer
peer_of(const char *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return peer_from((struct sockaddr *)&v4);
	ck_assert_int_eq(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	return peer_from((struct sockaddr *)&v6);
}

START_TEST(peers_are_counted_by_address_and_network)
{
	static const struct {
		const char *address;
		const char *text;
		bool loopback;
		const char *same; /* an address of the same group */
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1", true, "::ffff:127.0.0.1" },
		{ "127.9.9.9", "127.9.9.9", true, "127.9.9.9" },
		{ "::1", "::1", true, "::1" },
		{ "192.168.1.7", "192.168.1.7", false, "::ffff:192.168.1.7" },
		{ "2001:db8::1", "2001:db8::1", false, "2001:db8::ffff:1:2:3" },
		{ "::ffff:10.0.0.1", "10.0.0.1", false, "10.0.0.1" },
	};
	struct peer seen[6];

	for (size_t i = 0; i < 6; i++) {
		struct peer same = peer_of(cases[i].same);

		seen[i] = peer_of(cases[i].address);
		ck_assert_str_eq(seen[i].text, cases[i].text);
		ck_assert_int_eq(seen[i].loopback, cases[i].loopback);
		ck_assert_mem_eq(seen[i].group, same.group, sizeof same.group);
		for (size_t k = 0; k < i; k++)
			ck_assert_mem_ne(seen[i].group, seen[k].group, sizeof same.group);
	}
}
END_TEST

Suite *
suite_node_guard(void)
{
	Suite *suite = suite_create("node/guard");
	TCase *tcase = tcase_create("guard");

	tcase_add_test(tcase, targets_are_decoded_or_refused);
	tcase_add_test(tcase, blocks_have_the_shape_the_library_leaves_or_are_refused);
	tcase_add_test(tcase, values_are_trimmed_and_found_in_any_case);
	tcase_add_test(tcase, hosts_are_names_of_ours_or_refused);
	tcase_add_test(tcase, what_is_malformed_is_so_to_any_host);
	tcase_add_test(tcase, the_length_of_a_body_is_told_once);
	tcase_add_test(tcase, a_request_is_as_the_library_cut_it_or_refused);
	tcase_add_test(tcase, a_request_without_memory_is_refused_for_now);
	tcase_add_test(tcase, peers_are_counted_by_address_and_network);
	tcase_add_test(tcase, forms_are_decoded_or_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

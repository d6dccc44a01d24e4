/* tests/node_http.c - the HTTP server over real sockets: what it serves, what it refuses. */
#include "tests/suites.h"

#include "node/http/http.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static struct http_server *server;
static struct queue *lane;
static pthread_t worker;
static bool working;
static struct err err;

static struct http_route
route(void *ctx, const char *method, const char *path)
{
	struct http_route to = { .lane = lane, .body_max = HTTP_BODY_MAX };

	(void)ctx;
	if (strcmp(path, "/nowhere") == 0)
		to.lane = NULL;
	if (strcmp(path, "/small") == 0)
		to.body_max = 8;
	if (strcmp(path, "/read") == 0 && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		to = (struct http_route){ .allow = "GET, HEAD" };
	return to;
}

/* Five bytes of a file that has no name any more. */
static void
give_file(struct http_response *response)
{
	char path[] = "/tmp/yizhan-http.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "0123456789", 10), 10);
	unlink(path);
	response->file = (struct http_file){ .fd = fd, .offset = 3, .len = 5 };
}

/* Answer what was asked: "METHOD path?query body". */
static void
echo(struct http_exchange *x)
{
	const struct http_request *r = http_request(x);
	struct http_response response = { .status = 200, .type = "text/plain" };

	buf_printf(&response.body, "%s %s?%s ", r->method, r->path, r->query);
	buf_put(&response.body, r->body, r->body_len);
	http_field(&response, "X-Seen", "%s",
	           http_header(x, "x-sent") == NULL ? "-" : http_header(x, "x-sent"));
	if (strcmp(r->path, "/broken") == 0)
		http_field(&response, "X-Evil", "a\r\nSet-Cookie: b");
	if (strcmp(r->path, "/file") == 0)
		give_file(&response);
	http_answer(x, &response);
}

static void *
work(void *unused)
{
	struct http_exchange *x;

	while ((x = http_take(lane, -1)) != NULL)
		echo(x);
	return unused;
}

static void
start(const struct http_options *given, bool with_worker)
{
	struct http_options options = *given;

	if (options.listen == NULL)
		options.listen = "127.0.0.1:0";
	options.route = route;
	lane = queue_new();
	ck_assert_int_eq(http_start(&options, &server, &err), 0);
	working = with_worker;
	if (working)
		ck_assert_int_eq(pthread_create(&worker, NULL, work, NULL), 0);
}

static void
start_default(void)
{
	start(&(struct http_options){ .hosts = "hub.example" }, true);
}

static void
stop_server(void)
{
	queue_close(lane);
	if (working)
		pthread_join(worker, NULL);
	http_stop(server, 1000);
	queue_free(lane);
	server = NULL;
}

static int
dial(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		                    .sin_port = htons((uint16_t)http_port(server)) };
	struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return fd;
}

static void
say(int fd, const char *bytes, size_t len)
{
	ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Read until the other side closes; what came, as a string.  -1 if it did not close. */
static ssize_t
hear_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = recv(fd, out + len, size - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < size - 1);
	out[len] = 0;
	/* A reset is a close too: the rest of a refused request was not read. */
	return n == 0 || (n < 0 && len > 0 && recv(fd, out + len, 1, 0) == 0) ? (ssize_t)len : -1;
}

/* Read one answer with Content-Length. */
static void
hear_one(int fd, char *out, size_t size)
{
	size_t len = 0, want = 0;

	while (want == 0 || len < want) {
		ssize_t n = recv(fd, out + len, size - 1 - len, 0);
		const char *end, *length;

		ck_assert_int_gt(n, 0);
		len += (size_t)n;
		out[len] = 0;
		end = strstr(out, "\r\n\r\n");
		length = strstr(out, "Content-Length: ");
		if (end != NULL && length != NULL)
			want = (size_t)(end + 4 - out) + strtoul(length + 16, NULL, 10);
	}
}

static void
ask(const char *request, size_t len, char *out, size_t size)
{
	int fd = dial();

	say(fd, request, len);
	hear_one(fd, out, size);
	close(fd);
}

#define ASK(text, out) ask(text, sizeof(text) - 1, out, sizeof(out))

/* ---------------------------------------------------------------- served */

START_TEST(requests_reach_the_lane_and_answers_the_client)
{
	char got[4096];

	ASK("POST /a%20b?q=%41 HTTP/1.1\r\nHost: localhost:1\r\nX-Sent: 7\r\nContent-Length: "
	    "4\r\n\r\nbody",
	    got);
	ck_assert_ptr_nonnull(strstr(got, "HTTP/1.1 200 OK\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "X-Seen: 7\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "\r\n\r\nPOST /a b?q=%41 body"));
}
END_TEST

START_TEST(a_part_of_a_file_is_sent_as_it_is)
{
	char got[4096];

	ASK("GET /file HTTP/1.1\r\nHost: localhost:1\r\n\r\n", got);
	ck_assert_ptr_nonnull(strstr(got, "HTTP/1.1 200 OK\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "Content-Length: 5\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "\r\n\r\n34567"));
}
END_TEST

START_TEST(a_connection_carries_many_requests_without_a_pause)
{
	char got[4096];
	int fd = dial();

	/* An answer that waited for the next sweep would take half a second, and all of them too
	 * long. */
	for (int i = 0; i < 50; i++) {
		say(fd, "GET /x HTTP/1.1\r\nHost: HUB.example\r\n\r\n", 38);
		hear_one(fd, got, sizeof got);
		ck_assert_ptr_nonnull(strstr(got, "GET /x? "));
	}
	close(fd);
}
END_TEST

START_TEST(chunked_bodies_are_put_together)
{
	char got[4096];

	ASK("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
	    "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
	    got);
	ck_assert_ptr_nonnull(strstr(got, "POST /? abcde"));
}
END_TEST

START_TEST(an_answer_with_a_line_break_in_a_header_is_a_500)
{
	char got[4096];

	ASK("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n", got);
	ck_assert_ptr_nonnull(strstr(got, "HTTP/1.1 500 "));
	ck_assert_ptr_null(strstr(got, "Set-Cookie"));
}
END_TEST

/* ---------------------------------------------------------------- refused */

#define HOST "Host: localhost\r\n"
#define BAD(status, text)                                                                          \
	{                                                                                          \
		text, sizeof(text) - 1, status, true                                               \
	}
#define BY_LIBRARY(status, text)                                                                   \
	{                                                                                          \
		text, sizeof(text) - 1, status, false                                              \
	}

static const struct {
	const char *request;
	size_t len;
	int status;
	bool ours; /* our own document answers, not the library's page */
} malformed[] = {
	/* two ways to tell where the body ends */
	BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
	BAD(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
	BAD(400, "POST / HTTP/1.1\r\n" HOST
	         "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\n" HOST
	         "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\n" HOST
	         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	BAD(400, "POST / HTTP/1.1\r\n" HOST
	         "Transfer-Encoding : chunked\r\nContent-Length: 3\r\n\r\nabc"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
	BY_LIBRARY(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"),
	BY_LIBRARY(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc"),
	BY_LIBRARY(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc"),
	BY_LIBRARY(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc"),
	BY_LIBRARY(413,
	           "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\nabc"),
	BY_LIBRARY(400, "POST / HTTP/1.1\r\n" HOST
	                "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
	BY_LIBRARY(400, "POST / HTTP/1.1\r\n" HOST
	                "Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n"),
	BY_LIBRARY(400, "POST / HTTP/1.1\r\n" HOST
	                "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n"),
	/* whose request is it */
	BAD(400, "GET / HTTP/1.1\r\n" HOST "Host: other\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n\r\n"),
	BAD(400, "GET / HTTP/1.0\r\n\r\n"),
	BAD(421, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
	BAD(421, "GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n"),
	BAD(421, "GET / HTTP/1.1\r\nHost: localhost:80:80\r\n\r\n"),
	BAD(421, "GET / HTTP/1.1\r\nHost: user@localhost\r\n\r\n"),
	BAD(421, "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n"),
	BAD(421, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
	/* lines that are none */
	BAD(400, "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "X: a\0\0Y\0 b\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "X: a\0\0\0\0"
	         "Z: b\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "X: a\x01"
	         "b\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\n" HOST "\r\n"),
	BAD(400, "GET / HTTP/1.1\r\nHost: localhost\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "X: 1\r\n folded\r\nY: 2\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n " HOST "\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "X : 1\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST "X(: 1\r\n\r\n"),
	BAD(400, "GET / HTTP/1.1\r\n" HOST ": 1\r\n\r\n"),
	BY_LIBRARY(400, "GET / HTTP/1.1\r\n" HOST "nocolon\r\n\r\n"),
	BY_LIBRARY(400, "GET / HTTP/1.1\r\n" HOST "X\0Y: 1\r\n\r\n"),
	BY_LIBRARY(400, "GET /\r\n\r\n"),
	BY_LIBRARY(400, "GET\t/ HTTP/1.1\r\n" HOST "\r\n"),
	BY_LIBRARY(505, "GET / HTTP/2.0\r\n" HOST "\r\n"),
	/* methods and targets */
	BAD(400, "G@T / HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "TRACE / HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "CONNECT localhost:1 HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET http://localhost/ HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET  / HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET /a b HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET /a\0b HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET /a%00b HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET /../etc HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET /a/%2e%2e/b HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET /a\\b HTTP/1.1\r\n" HOST "\r\n"),
	BAD(400, "GET /\xff HTTP/1.1\r\n" HOST "\r\n"),
};

START_TEST(malformed_requests_are_refused_and_the_connection_closed)
{
	char got[8192], want[32];
	int fd = dial();

	say(fd, malformed[_i].request, malformed[_i].len);
	ck_assert_msg(hear_all(fd, got, sizeof got) > 0, "no answer or no close: %s",
	              malformed[_i].request);
	snprintf(want, sizeof want, "HTTP/1.1 %d ", malformed[_i].status);
	ck_assert_msg(strncmp(got, want, strlen(want)) == 0, "%s\n-> %s", malformed[_i].request,
	              got);
	ck_assert_msg((strstr(got, "application/problem+json") != NULL) == malformed[_i].ours,
	              "%s\n-> %s", malformed[_i].request, got);
	ck_assert_msg(strstr(got, "\r\nConnection: close\r\n") != NULL, "%s\n-> %s",
	              malformed[_i].request, got);
	ck_assert_int_eq((int)queue_len(lane), 0);
	close(fd);
}
END_TEST

/* A head that is `len` bytes of `fill` too large. */
static void
long_head(char *out, size_t size, const char *before, size_t len, const char *after)
{
	size_t at = (size_t)snprintf(out, size, "%s", before);

	memset(out + at, 'a', len);
	snprintf(out + at + len, size - at - len, "%s", after);
}

START_TEST(oversized_heads_are_refused)
{
	static const struct {
		int status;
		const char *before;
		size_t len;
		const char *after;
	} cases[] = {
		{ 414, "GET /", 2048, " HTTP/1.1\r\n" HOST "\r\n" },
		{ 414, "GET /", 60000, " HTTP/1.1\r\n" HOST "\r\n" },
		{ 431, "GET / HTTP/1.1\r\n" HOST "X: ", 17000, "\r\n\r\n" },
		{ 431, "GET / HTTP/1.1\r\n" HOST "X: ", 60000, "\r\n\r\n" },
	};
	static char request[70000], got[8192];
	char want[32];
	int fd = dial();

	long_head(request, sizeof request, cases[_i].before, cases[_i].len, cases[_i].after);
	say(fd, request, strlen(request));
	ck_assert_int_gt(hear_all(fd, got, sizeof got), 0);
	snprintf(want, sizeof want, "HTTP/1.1 %d ", cases[_i].status);
	ck_assert_msg(strncmp(got, want, strlen(want)) == 0, "%s", got);
	close(fd);
}
END_TEST

START_TEST(too_many_header_lines_are_refused)
{
	static char request[8192], got[4096];
	size_t at = (size_t)snprintf(request, sizeof request, "GET / HTTP/1.1\r\n" HOST);
	int fd = dial();

	for (int i = 0; i < 64; i++)
		at += (size_t)snprintf(request + at, sizeof request - at, "X-%d: 1\r\n", i);
	snprintf(request + at, sizeof request - at, "\r\n");
	say(fd, request, strlen(request));
	ck_assert_int_gt(hear_all(fd, got, sizeof got), 0);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 431 ", 13), 0);
	close(fd);
}
END_TEST

START_TEST(paths_without_a_lane_and_large_bodies_are_refused)
{
	char got[4096];

	ASK("GET /nowhere HTTP/1.1\r\n" HOST "\r\n", got);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 404 ", 13), 0);
	ASK("POST /small HTTP/1.1\r\n" HOST "Content-Length: 8\r\n\r\n12345678", got);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 200 ", 13), 0);
	ASK("POST /small HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n", got);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 413 ", 13), 0);
}
END_TEST

START_TEST(another_method_is_told_which_there_are)
{
	char got[4096];

	ASK("DELETE /read HTTP/1.1\r\n" HOST "\r\n", got);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 405 ", 13), 0);
	ck_assert_ptr_nonnull(strstr(got, "\r\nAllow: GET, HEAD\r\n"));
}
END_TEST

START_TEST(head_is_get_without_its_body)
{
	const char text[] = "HEAD /read HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
	char got[4096], *end;
	int fd = dial();

	say(fd, text, sizeof text - 1);
	ck_assert_int_gt(hear_all(fd, got, sizeof got), 0);
	close(fd);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 200 ", 13), 0);
	ck_assert_ptr_nonnull(strstr(got, "\r\nContent-Length: 12\r\n")); /* "HEAD /read? " */
	end = strstr(got, "\r\n\r\n");
	ck_assert_ptr_nonnull(end);
	ck_assert_str_eq(end + 4, "");
}
END_TEST

START_TEST(a_parameter_given_twice_is_refused)
{
	static const struct {
		const char *query, *status;
	} cases[] = { { "a=1&b=1", "200" },
		      { "a=1&a=1", "400" },
		      { "a=1&b=2&a=3", "400" },
		      { "since&since", "400" },
		      { "since=1&sinc%65=2", "400" },
		      { "=&=", "400" },
		      { "1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17&18&19&20&21&22&23&24&25&26&27&"
		        "28&29&30&31&32",
		        "200" },
		      { "1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17&18&19&20&21&22&23&24&25&26&27&"
		        "28&29&30&31&32&33",
		        "400" } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char got[4096], request[256];
		int fd = dial();

		snprintf(request, sizeof request, "GET /read?%s HTTP/1.1\r\n" HOST "\r\n",
		         cases[i].query);
		say(fd, request, strlen(request));
		hear_one(fd, got, sizeof got);
		ck_assert_msg(strncmp(got + 9, cases[i].status, 3) == 0, "%s: %s", cases[i].query,
		              got);
		close(fd);
	}
}
END_TEST

START_TEST(a_chunked_body_over_the_limit_is_answered_at_its_end)
{
	char got[4096];
	int fd = dial();
	const char text[] = "POST /small HTTP/1.1\r\n" HOST
	                    "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n"
	                    "3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n";

	say(fd, text, sizeof text - 1);
	ck_assert_int_gt(hear_all(fd, got, sizeof got), 0);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 413 ", 13), 0);
	ck_assert_ptr_nonnull(strstr(got, "application/problem+json"));
	ck_assert_ptr_nonnull(strstr(got, "\r\nConnection: close\r\n"));
	ck_assert_ptr_null(strstr(got + 1, "HTTP/1.1")); /* what follows is nobody's */
	ck_assert_int_eq((int)queue_len(lane), 0);
	close(fd);
}
END_TEST

START_TEST(a_chunked_body_without_end_is_cut)
{
	static char chunk[7 + 65536 + 2]; /* its length, its bytes, the end of its line */
	const char text[] = "POST /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
	char got[4096];
	int fd = dial();
	size_t sent = 0;
	ssize_t n;

	say(fd, text, sizeof text - 1);
	snprintf(chunk, sizeof chunk, "10000\r\n");
	memset(chunk + 7, 'a', 65536);
	memcpy(chunk + 7 + 65536, "\r\n", 2);
	while (sent < 64 << 20 && (n = send(fd, chunk, sizeof chunk, MSG_NOSIGNAL)) > 0)
		sent += (size_t)n;
	ck_assert_uint_lt(sent, 64 << 20);
	ck_assert_int_le(hear_all(fd, got, sizeof got), 0);
	ck_assert_int_eq((int)queue_len(lane), 0);
	close(fd);
}
END_TEST

/* ---------------------------------------------------------------- load and time */

START_TEST(a_head_that_drips_is_cut_off)
{
	char got[256];
	struct timeval limit = { .tv_sec = 3 };
	int fd;

	start(&(struct http_options){ .head_ms = 200 }, true);
	fd = dial();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	say(fd, "GET / HTTP/1.1\r\nHost: loc", 25);
	ck_assert_int_eq(hear_all(fd, got, sizeof got), 0);
	close(fd);
	stop_server();
}
END_TEST

START_TEST(a_body_that_drips_is_cut_off)
{
	char got[256];
	const char text[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc";
	int fd;

	start(&(struct http_options){ .move_ms = 100 }, true);
	fd = dial();
	say(fd, text, sizeof text - 1);
	ck_assert_int_eq(hear_all(fd, got, sizeof got), 0);
	close(fd);
	stop_server();
}
END_TEST

START_TEST(a_large_answer_may_take_its_time)
{
	static char got[1 << 20];
	struct http_response response = { .status = 200 };
	struct http_exchange *x;
	size_t len = 0;
	ssize_t n;
	int fd;

	start(&(struct http_options){ .move_ms = 100 }, false);
	fd = dial();
	say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n", 35);
	x = http_take(lane, 5000);
	ck_assert_ptr_nonnull(x);
	/* More than the socket's buffers hold, so that it isn't done when the library has written.
	 */
	ck_assert_ptr_nonnull(buf_grow(&response.body, 16 << 20));
	memset(response.body.bytes, 'x', response.body.len);
	http_answer(x, &response);
	usleep(700000); /* several sweeps; at 256 bytes a second 16 MiB may take hours */
	while (len < 16 << 20 && (n = recv(fd, got, sizeof got, 0)) > 0)
		len += (size_t)n;
	ck_assert_uint_ge(len, 16 << 20);
	close(fd);
	stop_server();
}
END_TEST

START_TEST(one_address_gets_only_so_many_connections)
{
	char got[256];
	int fds[4];

	start(&(struct http_options){ .per_ip = 3, .count_loopback = true }, true);
	for (int i = 0; i < 3; i++) {
		fds[i] = dial();
		say(fds[i], "GET / HTTP/1.1\r\n" HOST "\r\n", 35);
		hear_one(fds[i], got, sizeof got);
	}
	fds[3] = dial();
	ck_assert_int_le(hear_all(fds[3], got, sizeof got), 0);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	stop_server();
}
END_TEST

/* All places are taken, and then all are free at once. */
START_TEST(a_full_server_listens_again_when_all_have_gone)
{
	char got[256];
	int one, two;

	start(&(struct http_options){ .connections = 1 }, true);
	one = dial();
	say(one, "GET /1 HTTP/1.1\r\n" HOST "\r\n", strlen("GET /1 HTTP/1.1\r\n" HOST "\r\n"));
	hear_one(one, got, sizeof got);
	two = dial(); /* it waits in the system's queue */
	say(two, "GET /2 HTTP/1.1\r\n" HOST "\r\n", strlen("GET /2 HTTP/1.1\r\n" HOST "\r\n"));
	close(one);
	hear_one(two, got, sizeof got);
	ck_assert_ptr_nonnull(strstr(got, "GET /2"));
	close(two);
	stop_server();
}
END_TEST

START_TEST(answers_may_come_late_and_in_any_order)
{
	enum { COUNT = 20 };
	struct http_exchange *parked[COUNT];
	char got[512];
	int fds[COUNT];

	start(&(struct http_options){ 0 }, false);
	for (int i = 0; i < COUNT; i++) {
		fds[i] = dial();
		snprintf(got, sizeof got, "GET /%d HTTP/1.1\r\n" HOST "\r\n", i);
		say(fds[i], got, strlen(got));
		parked[i] = http_take(lane, 5000);
		ck_assert_ptr_nonnull(parked[i]);
	}
	close(fds[7]); /* its answer is dropped */
	for (int i = COUNT - 1; i >= 0; i--)
		echo(parked[i]);
	for (int i = 0; i < COUNT; i++) {
		if (i == 7)
			continue;
		hear_one(fds[i], got, sizeof got);
		snprintf(got + 400, 100, "GET /%d? ", i);
		ck_assert_ptr_nonnull(strstr(got, got + 400));
		close(fds[i]);
	}
	stop_server();
}
END_TEST

START_TEST(a_full_lane_answers_503_with_retry_after)
{
	static int fds[HTTP_QUEUE_MAX];
	char got[1024];

	start(&(struct http_options){ 0 }, false);
	for (int i = 0; i < HTTP_QUEUE_MAX; i++) {
		fds[i] = dial();
		say(fds[i], "GET / HTTP/1.1\r\n" HOST "\r\n", 35);
	}
	for (int i = 0; i < 500 && queue_len(lane) < HTTP_QUEUE_MAX; i++)
		usleep(2000);
	ASK("GET / HTTP/1.1\r\n" HOST "\r\n", got);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 503 ", 13), 0);
	ck_assert_ptr_nonnull(strstr(got, "Retry-After: "));
	stop_server();
	/* What was owed at the stop was answered. */
	hear_one(fds[0], got, sizeof got);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 503 ", 13), 0);
	for (int i = 0; i < HTTP_QUEUE_MAX; i++)
		close(fds[i]);
}
END_TEST

/* Sixteen wait, and whoever serves them needs 20 ms and more for each. */
START_TEST(who_would_wait_too_long_is_told_at_once_when_to_come)
{
	static struct queue_item items[16];
	char got[1024];
	int64_t turn;

	start(&(struct http_options){ .wait_ms = 50 }, false);
	for (size_t i = 0; i < 16; i++)
		ck_assert(queue_put(lane, &items[i], 0));
	ck_assert_int_eq(queue_wait_ms(lane), 0); /* nobody knows yet */
	for (size_t i = 0; i < 8; i++) {
		ck_assert_ptr_eq(queue_take(lane, 0), &items[i]);
		usleep(20000);
	}
	ck_assert_int_gt(queue_wait_ms(lane), (int64_t)8 * 10);
	ASK("GET / HTTP/1.1\r\n" HOST "\r\n", got);
	ck_assert_int_eq(strncmp(got, "HTTP/1.1 503 ", 13), 0);
	ck_assert_ptr_nonnull(strstr(got, "Retry-After: "));
	ck_assert_uint_eq(queue_len(lane), 8);
	/* each next one's turn is a place further behind, up to a bound */
	turn = queue_turn_ms(lane, 60000);
	ck_assert_int_ge(turn, queue_wait_ms(lane));
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_gt(queue_turn_ms(lane, 60000), turn + 10 * (int64_t)i);
	ck_assert_int_eq(queue_turn_ms(lane, 60), 60);
	for (size_t i = 8; i < 16; i++)
		ck_assert_ptr_eq(queue_take(lane, 0), &items[i]);
	ck_assert_int_eq(queue_wait_ms(lane), 0);
	stop_server();
}
END_TEST

START_TEST(a_unix_socket_serves_too_and_is_removed_at_the_stop)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char where[64], got[1024];
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(where, sizeof where, "unix:/tmp/check-http.%d", (int)getpid());
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", where + 5);
	start(&(struct http_options){ .listen = where }, true);
	ck_assert_int_eq((int)http_port(server), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	say(fd, "GET /u HTTP/1.1\r\n" HOST "\r\n", 36);
	hear_one(fd, got, sizeof got);
	ck_assert_ptr_nonnull(strstr(got, "GET /u? "));
	close(fd);
	stop_server();
	ck_assert_int_ne(stat(where + 5, &st), 0);
}
END_TEST

START_TEST(a_taken_address_is_busy_and_a_wrong_one_invalid)
{
	struct http_options options = { .listen = http_address(server), .route = route };
	struct http_server *second;

	ck_assert_int_eq(http_start(&options, &second, &err), ERR_BUSY);
	options.listen = "no address";
	ck_assert_int_eq(http_start(&options, &second, &err), ERR_INVALID);
	options.listen = "127.0.0.1:65536";
	ck_assert_int_eq(http_start(&options, &second, &err), ERR_INVALID);
}
END_TEST

Suite *
suite_node_http(void)
{
	Suite *suite = suite_create("node/http");
	TCase *served = tcase_create("served");
	TCase *own = tcase_create("own server");

	tcase_set_tags(served, "threads");
	tcase_set_tags(own, "threads");
	tcase_add_checked_fixture(served, start_default, stop_server);
	tcase_add_test(served, requests_reach_the_lane_and_answers_the_client);
	tcase_add_test(served, a_part_of_a_file_is_sent_as_it_is);
	tcase_add_test(served, a_connection_carries_many_requests_without_a_pause);
	tcase_add_test(served, chunked_bodies_are_put_together);
	tcase_add_test(served, an_answer_with_a_line_break_in_a_header_is_a_500);
	tcase_add_loop_test(served, malformed_requests_are_refused_and_the_connection_closed, 0,
	                    sizeof malformed / sizeof malformed[0]);
	tcase_add_loop_test(served, oversized_heads_are_refused, 0, 4);
	tcase_add_test(served, too_many_header_lines_are_refused);
	tcase_add_test(served, paths_without_a_lane_and_large_bodies_are_refused);
	tcase_add_test(served, another_method_is_told_which_there_are);
	tcase_add_test(served, head_is_get_without_its_body);
	tcase_add_test(served, a_parameter_given_twice_is_refused);
	tcase_add_test(served, a_chunked_body_over_the_limit_is_answered_at_its_end);
	tcase_add_test(served, a_chunked_body_without_end_is_cut);
	tcase_add_test(served, a_taken_address_is_busy_and_a_wrong_one_invalid);
	tcase_add_test(own, a_head_that_drips_is_cut_off);
	tcase_add_test(own, a_body_that_drips_is_cut_off);
	tcase_add_test(own, a_large_answer_may_take_its_time);
	tcase_add_test(own, one_address_gets_only_so_many_connections);
	tcase_add_test(own, a_full_server_listens_again_when_all_have_gone);
	tcase_add_test(own, answers_may_come_late_and_in_any_order);
	tcase_add_test(own, a_full_lane_answers_503_with_retry_after);
	tcase_add_test(own, who_would_wait_too_long_is_told_at_once_when_to_come);
	tcase_add_test(own, a_unix_socket_serves_too_and_is_removed_at_the_stop);
	suite_add_tcase(suite, served);
	suite_add_tcase(suite, own);
	return suite;
}

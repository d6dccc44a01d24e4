/* tests/sync_transport.c - the HTTP client against our server and against peers that misbehave. */
#include "tests/suites.h"

#include "node/http/http.h"
#include "sync/exchange/transport_http.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct transport *transport;
static struct transport_reply *reply;
static struct err err;
static char base[64];

/* ---------------------------------------------------------------- peers */

/* A peer that reads a request's head, says `bytes` (then `more` again and again) and closes or
 * waits. */
static struct {
	const char *bytes;
	const char *more;
	bool hold; /* keep the connection open */
	int listen_fd;
	pthread_t thread;
} peer;

static void *
play(void *unused)
{
	char head[4096];
	int fd = accept(peer.listen_fd, NULL, NULL);
	bool open = fd >= 0 && recv(fd, head, sizeof head, 0) > 0;

	if (open)
		open = send(fd, peer.bytes, strlen(peer.bytes), MSG_NOSIGNAL) > 0;
	while (open && peer.more != NULL)
		open = send(fd, peer.more, strlen(peer.more), MSG_NOSIGNAL) > 0;
	while (open && peer.hold)
		open = recv(fd, head, sizeof head, 0) > 0;
	if (fd >= 0)
		close(fd);
	return unused;
}

static void
start_peer(const char *bytes, const char *more, bool hold)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof addr;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer.bytes = bytes;
	peer.more = more;
	peer.hold = hold;
	peer.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(peer.listen_fd, (struct sockaddr *)&addr, sizeof addr), 0);
	ck_assert_int_eq(listen(peer.listen_fd, 8), 0);
	ck_assert_int_eq(getsockname(peer.listen_fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(base, sizeof base, "http://127.0.0.1:%u", ntohs(addr.sin_port));
	ck_assert_int_eq(pthread_create(&peer.thread, NULL, play, NULL), 0);
}

static void
stop_peer(void)
{
	shutdown(peer.listen_fd, SHUT_RDWR);
	pthread_join(peer.thread, NULL);
	close(peer.listen_fd);
}

static void
never_done(void *ctx, void *tag, struct transport_reply *r)
{
	(void)ctx;
	(void)tag;
	transport_reply_free(r);
	ck_abort_msg("done() called for a transport_call()");
}

static void
make_transport(void)
{
	struct transport_options options = { .connect_ms = 2000, .quiet_s = 1, .max_reply = 1000 };

	ck_assert_int_eq(transport_new(&options, never_done, NULL, &transport, &err), 0);
}

static void
free_transport(void)
{
	transport_reply_free(reply);
	reply = NULL;
	transport_free(transport);
}

static void
get(const char *path)
{
	struct transport_request request = { .method = "GET", .base = base, .path = path };

	transport_reply_free(reply);
	ck_assert_int_eq(transport_call(transport, &request, &reply, &err), 0);
}

/* ---------------------------------------------------------------- misbehaviour */

START_TEST(peers_that_misbehave_are_told_apart)
{
	static const struct {
		enum transport_code code;
		bool hold;
		const char *why;
		const char *bytes;
		const char *more;
	} cases[] = {
		{ TRANSPORT_OK, false, "", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL },
		{ TRANSPORT_OK, false, "", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
		  NULL },
		{ TRANSPORT_OK, false, "",
		  "HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx",
		  NULL },
		{ TRANSPORT_OK, false, "",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		  NULL },
		{ TRANSPORT_CUT, false, "cut short",
		  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", NULL },
		{ TRANSPORT_CUT, false, "cut short",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", NULL },
		{ TRANSPORT_CUT, false, "cut short",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", NULL },
		{ TRANSPORT_CUT, false, "where it ends", "HTTP/1.1 200 OK\r\n\r\nok", NULL },
		{ TRANSPORT_TOO_LARGE, false, "larger than 1000 bytes",
		  "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "0123456789abcdef" },
		{ TRANSPORT_TOO_LARGE, false, "larger",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nabcd\r\n" },
		{ TRANSPORT_TOO_LARGE, false, "larger", "HTTP/1.1 200 OK\r\n\r\n",
		  "0123456789abcdef" },
		{ TRANSPORT_PORTAL, false, "web page",
		  "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: "
		  "4\r\n\r\n<a/>",
		  NULL },
		{ TRANSPORT_PORTAL, false, "redirect",
		  "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: "
		  "0\r\n\r\n",
		  NULL },
		{ TRANSPORT_PORTAL, false, "redirect",
		  "HTTP/1.1 307 T\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
		  NULL },
		{ TRANSPORT_PORTAL, false, "web page",
		  "HTTP/1.1 511 Network Authentication Required\r\nContent-Type: "
		  "text/html\r\nContent-Length: 4\r\n\r\n<a/>",
		  NULL },
		{ TRANSPORT_TIMEOUT, true, "timeout",
		  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", NULL },
		{ TRANSPORT_TIMEOUT, true, "timeout", "HTTP/1.1 200 OK\r\nContent-Le", NULL },
	};

	start_peer(cases[_i].bytes, cases[_i].more, cases[_i].hold);
	get("/v1/sync");
	ck_assert_msg(reply->code == cases[_i].code, "%s -> %d %s", cases[_i].bytes,
	              (int)reply->code, reply->why);
	ck_assert_msg(strstr(reply->why, cases[_i].why) != NULL, "%s", reply->why);
	ck_assert_uint_le(reply->body.len, 1000);
	free_transport();
	stop_peer();
	make_transport();
}
END_TEST

START_TEST(a_closed_port_is_said_in_words)
{
	start_peer("", NULL, false);
	stop_peer(); /* now nobody listens there */
	get("/");
	ck_assert_int_eq(reply->code, TRANSPORT_UNREACHABLE);
	ck_assert_str_eq(reply->why, "hub unreachable: connection refused");
}
END_TEST

START_TEST(a_peer_that_hangs_up_is_unreachable)
{
	start_peer("", NULL, false);
	get("/");
	ck_assert_int_eq(reply->code, TRANSPORT_UNREACHABLE);
	stop_peer();
}
END_TEST

START_TEST(some_addresses_are_refused_before_anything_is_sent)
{
	static const char *const bases[] = {
		"http://hub.example",      "ftp://127.0.0.1",
		"file:///etc/passwd",      "hub",
		"https://a:b@hub.example", "http://127.evil.test",
		"https://hub/x",           "",
		"http://127.0.0.1@hub",    "https://hub?x=1",
		"gopher://localhost",      "http://10.0.0.1",
	};

	snprintf(base, sizeof base, "%s", bases[_i]);
	get("/");
	ck_assert_msg(reply->code == TRANSPORT_REFUSED, "%s -> %d %s", base, (int)reply->code,
	              reply->why);
	ck_assert_uint_gt(strlen(reply->why), 10);
	ck_assert_uint_eq(reply->bytes_out, 0);
}
END_TEST

/* ---------------------------------------------------------------- with our server */

static struct http_server *server;
static struct queue *lane;
static pthread_t worker;

static struct http_route
route(void *ctx, const char *method, const char *path)
{
	(void)ctx;
	(void)method;
	(void)path;
	return (struct http_route){ .lane = lane, .body_max = HTTP_BODY_MAX };
}

static void *
work(void *unused)
{
	struct http_exchange *x;

	while ((x = http_take(lane, -1)) != NULL) {
		const struct http_request *r = http_request(x);
		struct http_response response = { .status = 200,
			                          .type = "application/octet-stream" };

		if (strcmp(r->path, "/busy") == 0) {
			http_problem_body(&response, 503, "later");
			http_field(&response, "Retry-After", "7");
		} else if (strcmp(r->path, "/never") == 0) {
			continue; /* answered at the stop */
		} else {
			buf_put(&response.body, r->body, r->body_len);
			http_field(&response, "Yz-Nonce", "%s %s", r->method, r->query);
		}
		http_answer(x, &response);
	}
	return unused;
}

static void
start_server(void)
{
	struct http_options options = { .listen = "127.0.0.1:0", .route = route };

	make_transport();
	lane = queue_new();
	ck_assert_int_eq(http_start(&options, &server, &err), 0);
	ck_assert_int_eq(pthread_create(&worker, NULL, work, NULL), 0);
	snprintf(base, sizeof base, "http://%s/", http_address(server));
}

static void
stop_server(void)
{
	queue_close(lane);
	pthread_join(worker, NULL);
	http_stop(server, 100);
	queue_free(lane);
	free_transport();
}

static void
post(const char *text)
{
	struct buf body = { 0 };
	const char *headers[] = { "X-A: 1", "Content-Type: x/y" };
	struct transport_request request = { .method = "POST",
		                             .base = base,
		                             .path = "/v1/sync?a=1",
		                             .headers = headers,
		                             .header_count = 2,
		                             .body = &body };

	buf_put(&body, text, strlen(text));
	transport_reply_free(reply);
	ck_assert_int_eq(transport_call(transport, &request, &reply, &err), 0);
	ck_assert_ptr_null(body.bytes);
}

START_TEST(a_body_goes_and_comes_back_with_its_headers)
{
	post("hello");
	ck_assert_int_eq(reply->code, TRANSPORT_OK);
	ck_assert_int_eq(reply->status, 200);
	ck_assert_str_eq(buf_str(&reply->body), "hello");
	ck_assert_str_eq(transport_header(reply, "yz-nonce"), "POST a=1");
	ck_assert_str_eq(transport_header(reply, "CONTENT-TYPE"), "application/octet-stream");
	ck_assert_ptr_null(transport_header(reply, "Yz"));
	/* Counted with heads, and these are short. */
	ck_assert_uint_gt(reply->bytes_out, 5);
	ck_assert_uint_lt(reply->bytes_out, 200);
	ck_assert_uint_lt(reply->bytes_in, 250);
}
END_TEST

START_TEST(an_unavailable_hub_says_when_to_come_back)
{
	get("/busy");
	ck_assert_int_eq(reply->code, TRANSPORT_OK);
	ck_assert_int_eq(reply->status, 503);
	ck_assert_int_eq(reply->retry_after_s, 7);
}
END_TEST

static struct {
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct transport_reply *reply;
	void *tag;
} box = { .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };

static void
into_box(void *ctx, void *tag, struct transport_reply *r)
{
	(void)ctx;
	pthread_mutex_lock(&box.lock);
	box.reply = r;
	box.tag = tag;
	pthread_cond_signal(&box.came);
	pthread_mutex_unlock(&box.lock);
}

START_TEST(a_send_is_delivered_with_its_tag_and_a_pending_one_stopped)
{
	struct transport_options options = { 0 };
	struct transport_request request = {
		.method = "GET", .base = base, .path = "/a", .tag = &box
	};
	struct transport *other;

	ck_assert_int_eq(transport_new(&options, into_box, NULL, &other, &err), 0);
	ck_assert_int_eq(transport_send(other, &request, &err), 0);
	pthread_mutex_lock(&box.lock);
	while (box.reply == NULL)
		pthread_cond_wait(&box.came, &box.lock);
	pthread_mutex_unlock(&box.lock);
	ck_assert_int_eq(box.reply->code, TRANSPORT_OK);
	ck_assert_ptr_eq(box.tag, &box);
	transport_reply_free(box.reply);
	box.reply = NULL;

	request.path = "/never";
	ck_assert_int_eq(transport_send(other, &request, &err), 0);
	transport_free(other);
	ck_assert_ptr_nonnull(box.reply);
	ck_assert_int_eq(box.reply->code, TRANSPORT_STOPPED);
	transport_reply_free(box.reply);
}
END_TEST

START_TEST(a_unix_socket_can_be_the_way)
{
	struct http_options options = { .route = route };
	struct http_server *local;

	snprintf(base, sizeof base, "unix:/tmp/check-transport.%d", (int)getpid());
	options.listen = base;
	ck_assert_int_eq(http_start(&options, &local, &err), 0);
	post("by file");
	ck_assert_int_eq(reply->code, TRANSPORT_OK);
	ck_assert_str_eq(buf_str(&reply->body), "by file");
	http_stop(local, 100);
}
END_TEST

Suite *
suite_sync_transport(void)
{
	Suite *suite = suite_create("sync/transport_http");
	TCase *alone = tcase_create("misbehaviour");
	TCase *with = tcase_create("with our server");

	tcase_set_tags(alone, "threads");
	tcase_set_tags(with, "threads");
	tcase_add_checked_fixture(alone, make_transport, free_transport);
	tcase_add_loop_test(alone, peers_that_misbehave_are_told_apart, 0, 17);
	tcase_add_test(alone, a_closed_port_is_said_in_words);
	tcase_add_test(alone, a_peer_that_hangs_up_is_unreachable);
	tcase_add_loop_test(alone, some_addresses_are_refused_before_anything_is_sent, 0, 12);
	tcase_add_checked_fixture(with, start_server, stop_server);
	tcase_add_test(with, a_body_goes_and_comes_back_with_its_headers);
	tcase_add_test(with, an_unavailable_hub_says_when_to_come_back);
	tcase_add_test(with, a_send_is_delivered_with_its_tag_and_a_pending_one_stopped);
	tcase_add_test(with, a_unix_socket_can_be_the_way);
	suite_add_tcase(suite, alone);
	suite_add_tcase(suite, with);
	return suite;
}

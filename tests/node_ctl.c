/* tests/node_ctl.c - the control socket, the queue it fills, and lines for people. */
#include "tests/suites.h"

#include "node/ctl.h"
#include "node/log.h"
#include "node/notify.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char path[64];
static struct queue *queue;
static struct ctl *ctl;
static pthread_t worker;
static struct err err;

/* Answer "echo:<line>"; never answer "silence". */
static void *
work(void *unused)
{
	struct queue_item *item;

	while ((item = queue_take(queue, -1)) != NULL) {
		struct ctl_call *call = item->what;
		struct buf answer = { 0 };

		ck_assert_int_eq(item->kind, QUEUE_CTL);
		if (strcmp(ctl_line(call), "silence") == 0)
			continue;
		buf_printf(&answer, "echo:%s", ctl_line(call));
		if (strcmp(ctl_line(call), "long") == 0)
			for (int i = 0; i < 200000; i++)
				buf_printf(&answer, "0123456789");
		ctl_answer(call, &answer);
	}
	return unused;
}

static void
start(void)
{
	snprintf(path, sizeof path, "/tmp/check-ctl.%d", (int)getpid());
	queue = queue_new();
	ck_assert_int_eq(ctl_start(path, queue, &ctl, &err), 0);
	ck_assert_int_eq(pthread_create(&worker, NULL, work, NULL), 0);
}

static void
stop(void)
{
	queue_close(queue);
	pthread_join(worker, NULL);
	ctl_stop(ctl);
	queue_free(queue);
	ck_assert_int_ne(access(path, F_OK), 0);
}

START_TEST(a_line_goes_in_and_one_comes_back)
{
	struct buf answer = { 0 };

	for (int i = 0; i < 3; i++) {
		buf_clear(&answer);
		ck_assert_int_eq(ctl_ask(path, "{\"do\":\"sync\"}", 5000, &answer, &err), 0);
		ck_assert_str_eq(buf_str(&answer), "echo:{\"do\":\"sync\"}");
	}
	buf_clear(&answer);
	ck_assert_int_eq(ctl_ask(path, "long", 5000, &answer, &err), 0);
	ck_assert_uint_eq(answer.len, 2000009);
	buf_free(&answer);
}
END_TEST

START_TEST(a_slow_answer_is_busy_and_disturbs_nobody)
{
	struct buf answer = { 0 };

	ck_assert_int_eq(ctl_ask(path, "silence", 50, &answer, &err), ERR_BUSY);
	ck_assert_int_eq(ctl_ask(path, "x", 5000, &answer, &err), 0);
	ck_assert_str_eq(buf_str(&answer), "echo:x");
	buf_free(&answer);
}
END_TEST

START_TEST(nobody_there_is_told_apart_and_a_second_server_refused)
{
	struct buf answer = { 0 };
	struct ctl *second;
	struct stat st;

	ck_assert_int_eq(ctl_ask("/tmp/check-ctl.nobody", "x", 100, &answer, &err), ERR_NOTFOUND);
	ck_assert_int_eq(ctl_start(path, queue, &second, &err), ERR_BUSY);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq((int)(st.st_mode & 07777), 0600);
}
END_TEST

START_TEST(a_socket_left_by_a_dead_process_is_replaced)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct buf answer = { 0 };
	struct ctl *second;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof addr.sun_path, "%s.dead", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	close(fd);
	ck_assert_int_eq(ctl_ask(addr.sun_path, "x", 100, &answer, &err), ERR_NOTFOUND);
	ck_assert_int_eq(ctl_start(addr.sun_path, queue, &second, &err), 0);
	ck_assert_int_eq(ctl_ask(addr.sun_path, "x", 5000, &answer, &err), 0);
	ctl_stop(second);
	buf_free(&answer);
}
END_TEST

START_TEST(what_is_no_single_line_is_dropped)
{
	static const char *const texts[] = { "a\nb\n", "a\nb" };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char got[16];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	ck_assert_int_gt(send(fd, texts[_i], strlen(texts[_i]), MSG_NOSIGNAL), 0);
	ck_assert_int_le(recv(fd, got, sizeof got, 0), 0);
	close(fd);
}
END_TEST

/* ---------------------------------------------------------------- queue */

START_TEST(items_come_out_in_order_until_the_queue_is_closed)
{
	struct queue *q = queue_new();
	struct queue_item items[3];

	ck_assert_ptr_null(queue_take(q, 0));
	ck_assert_ptr_null(queue_take(q, 1));
	for (int i = 0; i < 2; i++)
		ck_assert(queue_put(q, &items[i], 2));
	ck_assert(!queue_put(q, &items[2], 2));
	ck_assert(queue_put(q, &items[2], 0));
	ck_assert_uint_eq(queue_len(q), 3);
	ck_assert_ptr_eq(queue_take(q, 0), &items[0]);
	queue_close(q);
	ck_assert(!queue_put(q, &items[0], 0));
	ck_assert(queue_closed(q));
	ck_assert_ptr_eq(queue_take(q, -1), &items[1]);
	ck_assert_ptr_eq(queue_take(q, -1), &items[2]);
	ck_assert_ptr_null(queue_take(q, -1));
	queue_free(q);
}
END_TEST

/* ---------------------------------------------------------------- lines for people */

static const char right_to_left[] = { (char)0xe2, (char)0x80, (char)0xae, 'x', 0 };

START_TEST(log_lines_cannot_paint_the_terminal)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "plain \xe7\xab\x99", "plain \xe7\xab\x99" },
		{ "a\nb\r\t", "a\\x0ab\\x0d\\x09" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b"
		  "31m",
		  "\\xc2\\x9b31m" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xe7\xab", "\\xe7\\xab" },
		{ right_to_left, "\\xe2\\x80\\xaex" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf out = { 0 };

		log_escape(&out, cases[i].text);
		ck_assert_str_eq(buf_str(&out), cases[i].want);
		buf_free(&out);
	}
}
END_TEST

START_TEST(systemd_is_told_on_its_socket)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char got[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1"); /* to nobody */
	snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/check-notify.%d", (int)getpid());
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	notify_send("READY=1");
	ck_assert_int_eq(recv(fd, got, sizeof got - 1, 0), 7);
	ck_assert_str_eq(got, "READY=1");
	unlink(addr.sun_path);
	close(fd);
}
END_TEST

START_TEST(the_watchdog_is_fed_at_half_its_time)
{
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	ck_assert_int_eq(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	ck_assert_int_eq(notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1); /* somebody else's */
	ck_assert_int_eq(notify_watchdog_ms(), 0);
}
END_TEST

Suite *
suite_node_ctl(void)
{
	Suite *suite = suite_create("node/ctl");
	TCase *tcase = tcase_create("ctl");
	TCase *rest = tcase_create("queue, log, notify");

	tcase_set_tags(tcase, "threads");
	tcase_set_tags(rest, "threads");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, a_line_goes_in_and_one_comes_back);
	tcase_add_test(tcase, a_slow_answer_is_busy_and_disturbs_nobody);
	tcase_add_test(tcase, nobody_there_is_told_apart_and_a_second_server_refused);
	tcase_add_test(tcase, a_socket_left_by_a_dead_process_is_replaced);
	tcase_add_loop_test(tcase, what_is_no_single_line_is_dropped, 0, 2);
	tcase_add_test(rest, items_come_out_in_order_until_the_queue_is_closed);
	tcase_add_test(rest, log_lines_cannot_paint_the_terminal);
	tcase_add_test(rest, systemd_is_told_on_its_socket);
	tcase_add_test(rest, the_watchdog_is_fed_at_half_its_time);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, rest);
	return suite;
}

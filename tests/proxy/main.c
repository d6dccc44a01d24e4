/*
 * chaosproxy - a TCP proxy that spoils what passes through it, by rule.
 *
 *   chaosproxy ADDR:PORT [RULE]...
 *
 * It listens on a free port of 127.0.0.1, which its first line tells, and passes
 * everything on to ADDR:PORT; tests/proxy/rules.h has the rules.  A line on
 * standard input is a rule for the connections to come, or
 *
 *   reset   no rules
 *   stats   answers 'connections=N up=BYTES down=BYTES' since the last stats
 *
 * and each line gets one line of answer, 'ok' unless said otherwise, so that a
 * script knows when it holds.  The end of its input is its end.
 */
#include "tests/proxy/pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 256, LINE_SIZE = 512 };

struct proxy {
	struct rules rules;
	struct sockaddr_in to;
	int listener;
	struct pair pairs[PAIRS];
	struct pair_count count;
	uint64_t seen; /* connections, for drop=N */
	char line[LINE_SIZE];
	size_t line_len;
};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
die(const char *what)
{
	fprintf(stderr, "chaosproxy: %s\n", what);
	exit(2);
}

/* ---------------------------------------------------------------- connections */

/* Gone with a reset, not with an end that looks like good manners. */
static void
refuse(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

static void
take_connection(struct proxy *proxy)
{
	int near = accept(proxy->listener, NULL, NULL);
	size_t i = 0;

	if (near < 0)
		return;
	proxy->count.connections++;
	proxy->seen++;
	while (i < PAIRS && proxy->pairs[i].near >= 0)
		i++;
	if (i == PAIRS ||
	    (proxy->rules.drop > 0 && proxy->seen % (uint64_t)proxy->rules.drop == 0)) {
		refuse(near);
		return;
	}
	/* one whose server isn't there has been closed again, which is what it should be */
	if (!pair_open(&proxy->pairs[i], near, &proxy->to, &proxy->rules, now_ms()))
		proxy->pairs[i].near = -1;
}

/* ---------------------------------------------------------------- what we are told */

static void
obey(struct proxy *proxy, const char *line)
{
	if (strcmp(line, "stats") == 0) {
		printf("connections=%llu up=%llu down=%llu\n",
		       (unsigned long long)proxy->count.connections,
		       (unsigned long long)proxy->count.up, (unsigned long long)proxy->count.down);
		proxy->count = (struct pair_count){ 0 };
	} else if (strcmp(line, "reset") == 0) {
		rules_clear(&proxy->rules);
		puts("ok");
	} else {
		puts(rules_take(&proxy->rules, line) ? "ok" : "no such rule");
	}
	fflush(stdout);
}

/* Read from standard input; false at its end. */
static bool
listen_to_input(struct proxy *proxy)
{
	ssize_t n = read(STDIN_FILENO, proxy->line + proxy->line_len,
	                 sizeof proxy->line - 1 - proxy->line_len);
	char *end;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	proxy->line_len += (size_t)n;
	proxy->line[proxy->line_len] = 0;
	while ((end = strchr(proxy->line, '\n')) != NULL) {
		*end = 0;
		obey(proxy, proxy->line);
		proxy->line_len -= (size_t)(end + 1 - proxy->line);
		memmove(proxy->line, end + 1, proxy->line_len + 1);
	}
	return proxy->line_len < sizeof proxy->line - 1;
}

/* ---------------------------------------------------------------- the loop */

/* One turn; false at the end of the input. */
static bool
turn(struct proxy *proxy)
{
	static struct pollfd fds[2 + PAIR_FDS * PAIRS];
	int64_t now = now_ms();
	int wait = -1;

	fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = proxy->listener, .events = POLLIN };
	for (size_t i = 0; i < PAIRS; i++) {
		fds[2 + 2 * i].fd = fds[3 + 2 * i].fd = -1;
		if (proxy->pairs[i].near >= 0)
			wait = pair_ask(&proxy->pairs[i], &fds[2 + PAIR_FDS * i], wait, now);
	}
	if (poll(fds, 2 + PAIR_FDS * PAIRS, wait) < 0)
		return errno == EINTR;
	now = now_ms();
	for (size_t i = 0; i < PAIRS; i++)
		if (proxy->pairs[i].near >= 0)
			pair_move(&proxy->pairs[i], &fds[2 + PAIR_FDS * i], now, &proxy->count);
	if ((fds[1].revents & POLLIN) != 0)
		take_connection(proxy);
	return fds[0].revents == 0 || listen_to_input(proxy);
}

static void
listen_somewhere(struct proxy *proxy)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof here;

	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (proxy->listener < 0 || bind(proxy->listener, (struct sockaddr *)&here, len) < 0 ||
	    listen(proxy->listener, PAIRS) < 0 ||
	    getsockname(proxy->listener, (struct sockaddr *)&here, &len) < 0)
		die(strerror(errno));
	printf("127.0.0.1:%u\n", ntohs(here.sin_port));
	fflush(stdout);
}

static void
read_target(struct proxy *proxy, char *text)
{
	char *colon = strrchr(text, ':');

	if (colon == NULL)
		die("usage: chaosproxy ADDR:PORT [RULE]...");
	*colon = 0;
	proxy->to.sin_family = AF_INET;
	proxy->to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, text, &proxy->to.sin_addr) != 1)
		die("not a numeric address");
}

int
main(int argc, char **argv)
{
	static struct proxy proxy;

	if (argc < 2)
		die("usage: chaosproxy ADDR:PORT [RULE]...");
	rules_clear(&proxy.rules);
	read_target(&proxy, argv[1]);
	for (int i = 2; i < argc; i++)
		if (!rules_take(&proxy.rules, argv[i]))
			die(argv[i]);
	for (size_t i = 0; i < PAIRS; i++)
		proxy.pairs[i].near = -1;
	listen_somewhere(&proxy);
	while (turn(&proxy))
		continue;
	for (size_t i = 0; i < PAIRS; i++)
		if (proxy.pairs[i].near >= 0)
			pair_close(&proxy.pairs[i]);
	return 0;
}

/*
 * tests/bench/follow.c - long-polls that wait at a hub: memory of the hub's
 * process, and how soon all of them hear of one row.
 *
 * The hub is the real program (YIZHAN), in a folder of its own; we are the
 * platform, with 4 000 connections.  Both need that many open files: what the
 * system doesn't allow isn't measured, and is said.
 */
#include "node/hub/follow.h"
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	POLLS = 4000,
	FILES = POLLS + 200, /* ours, and the hub's: it keeps the other half of its connections */
	TOKENS = POLLS / FOLLOW_PER_TOKEN + 1,
	WAIT_MS = 120000,
};

struct hub {
	char program[300], dir[64];
	pid_t pid;
	uint16_t port;
	char tokens[TOKENS][TOKEN_TEXT];
	int socks[POLLS];
};

static struct hub hub;

static void
fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* May we open so many files, and a child that raises its limit twice as many? */
static void
allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail("the limit of open files");
	if (limit.rlim_max < 2 * (rlim_t)FILES) {
		fprintf(stderr,
		        "bench: %d long-polls need %d open files, and this system allows %llu; "
		        "raise the hard limit (ulimit -Hn) and try again\n",
		        POLLS, 2 * FILES, (unsigned long long)limit.rlim_max);
		exit(1);
	}
	limit.rlim_cur = limit.rlim_cur < 2 * (rlim_t)FILES ? 2 * (rlim_t)FILES : limit.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail("the limit of open files");
}

/* Run the program with words; the first line that it says.  Its pid if it goes on, after that line.
 */
static pid_t
run(const struct hub *h, const char *who, const char *words, bool stays, char line[300])
{
	char command[800];
	FILE *said;
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		snprintf(command, sizeof command, "exec '%s' -C '%s/%s' %s", h->program, h->dir,
		         who, words);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	said = fdopen(ends[0], "r");
	if (said == NULL || fgets(line, 300, said) == NULL)
		line[0] = 0;
	if (said != NULL)
		fclose(said);
	if (!stays && waitpid(pid, NULL, 0) < 0)
		fail("wait");
	line[strcspn(line, "\n")] = 0;
	return pid;
}

/* A facility for which the platform may write. */
static void
enrol(const struct hub *h)
{
	char line[300], words[400];

	run(h, "node", "init --facility F1", false, line);
	run(h, "hub", "enrol new --facility F1 --auto", false, line);
	snprintf(words, sizeof words, "enrol '%s' http://127.0.0.1:%u 2>/dev/null", line, h->port);
	run(h, "node", words, false, line);
}

static void
begin_hub(struct hub *h)
{
	const char *program = getenv("YIZHAN"), *colon;
	char line[300];

	snprintf(h->program, sizeof h->program, "%s", program == NULL ? "build/yizhan" : program);
	snprintf(h->dir, sizeof h->dir, "/tmp/yizhan-follow.XXXXXX");
	if (mkdtemp(h->dir) == NULL)
		fail(h->dir);
	run(h, "hub", "init --hub", false, line);
	for (int i = 0; i < TOKENS; i++) {
		run(h, "hub", "token new --scope all --write announcement", false, line);
		snprintf(h->tokens[i], TOKEN_TEXT, "%.43s", line);
	}
	h->pid = run(h, "hub", "run --listen 127.0.0.1:0", true, line);
	colon = strrchr(line, ':');
	h->port = colon == NULL ? 0 : (uint16_t)strtoul(colon + 1, NULL, 10);
	if (h->port == 0) {
		fprintf(stderr, "bench: the hub doesn't serve: %s\n", line);
		exit(1);
	}
	enrol(h);
}

/* However the run ends. */
static void
end_hub(void)
{
	char command[128];

	if (hub.pid > 0 && kill(hub.pid, SIGTERM) == 0)
		waitpid(hub.pid, NULL, 0);
	snprintf(command, sizeof command, "rm -rf '%s'", hub.dir);
	if (hub.dir[0] != 0 && system(command) != 0) // NOLINT(cert-env33-c): the run's own folder
		fprintf(stderr, "bench: %s stays\n", hub.dir);
	hub.pid = 0;
	hub.dir[0] = 0;
}

static double
rss_mib(const struct hub *h)
{
	char path[64], line[200];
	long kib = 0;
	FILE *status;

	snprintf(path, sizeof path, "/proc/%d/status", (int)h->pid);
	status = fopen(path, "r");
	if (status == NULL)
		fail(path);
	while (kib == 0 && fgets(line, sizeof line, status) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	fclose(status);
	return (double)kib / 1024;
}

/* ---- connections ---- */

static int
dial(const struct hub *h)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(h->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
		fail("connect to the hub");
	return fd;
}

static void
send_all(int fd, const char *text)
{
	size_t len = strlen(text);

	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		fail("send to the hub");
}

static void
get(const struct hub *h, int fd, int token, const char *query)
{
	char text[600];

	snprintf(text, sizeof text,
	         "GET /v1/changes?%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
	         "%s\r\n\r\n",
	         query, h->tokens[token]);
	send_all(fd, text);
}

/* The answer must come, be a 200 and have `needle`; what follows that in it, until the next call.
 */
static const char *
hear(int fd, const char *needle)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	static char text[4096];
	size_t len = 0;
	ssize_t n = 1;

	text[0] = 0;
	while (n > 0 && (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || strstr(text, needle) == NULL)) {
		n = poll(&wait, 1, WAIT_MS) == 1 ? recv(fd, text + len, sizeof text - 1 - len, 0)
		                                 : -1;
		len += n > 0 ? (size_t)n : 0;
		text[len] = 0;
	}
	if (n > 0)
		return strstr(text, needle) + strlen(needle);
	fprintf(stderr, "bench: the hub answers %s: %.300s\n",
	        n == 0 ? "and closes" : strerror(errno), text);
	exit(1);
}

/* Where the feed ends. */
static const char *
cursor_now(const struct hub *h)
{
	static char cursor[FEED_CURSOR];
	int fd = dial(h);

	get(h, fd, 0, "limit=10000");
	snprintf(cursor, sizeof cursor, "%.48s", hear(fd, "{\"next\":\""));
	close(fd);
	return cursor;
}

/* A page behind some polls: those have been read, since the lane has an order. */
static void
page(const struct hub *h)
{
	int fd = dial(h);

	get(h, fd, 0, "limit=1");
	hear(fd, "\"next\"");
	close(fd);
}

/* A facility's row comes to the hub. */
static void
write_row(const struct hub *h)
{
	char line[300];

	run(h, "node", "sql \"INSERT INTO care_event(facility_id, kind, at) VALUES('F1', 1, 1)\"",
	    false, line);
	run(h, "node", "sync --json", false, line);
	if (strstr(line, "\"in_sync\"") == NULL) {
		fprintf(stderr, "bench: the facility's sync says: %s\n", line);
		exit(1);
	}
}

/* All of them wait; the hub's memory then. */
static double
park(struct hub *h, const char *query)
{
	for (int i = 0; i < POLLS; i++) {
		h->socks[i] = dial(h);
		get(h, h->socks[i], i / FOLLOW_PER_TOKEN, query);
		if (i % 100 == 99)
			page(h);
	}
	return rss_mib(h);
}

/* One row for all of them; ms until the last has it, the facility's sync with it. */
static double
tell(const struct hub *h)
{
	double begun = bench_now();

	write_row(h);
	for (int i = 0; i < POLLS; i++) {
		hear(h->socks[i], "\"care_event\"");
		close(h->socks[i]);
	}
	return (bench_now() - begun) * 1000;
}

void
bench_follow(void)
{
	double idle, first, told, again;
	char query[100];

	allow_files();
	atexit(end_hub);
	begin_hub(&hub);
	page(&hub);
	idle = rss_mib(&hub);
	/* twice: what the first ones leave behind counts too */
	first = park(&hub, "feed=longpoll");
	told = tell(&hub);
	snprintf(query, sizeof query, "feed=longpoll&since=%s", cursor_now(&hub));
	again = park(&hub, query);
	again = again > first ? again : first;
	bench_say("longpoll_4000_mib", again - idle, 1);
	bench_say("longpoll_4000_rss_mib", again, 1);
	bench_say("longpoll_4000_told_ms", told, 0);
	for (int i = 0; i < POLLS; i++)
		close(hub.socks[i]);
	end_hub();
}

/*
 * A canned reply needs to know where a request ends, and no more of HTTP than
 * that: the empty line, and Content-Length.  What our node sends has both.
 */
#include "tests/proxy/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
dial(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
		close_fd(&fd);
	return fd;
}

static FILE *
open_save(const struct rules *rules, const char *end)
{
	char path[RULES_PATH + 8];

	if (rules->save[0] == 0)
		return NULL;
	snprintf(path, sizeof path, "%s%s", rules->save, end);
	return fopen(path, "wb");
}

static void
save(FILE *file, const char *bytes, size_t len)
{
	if (file != NULL && fwrite(bytes, 1, len, file) == len)
		fflush(file);
}

bool
pair_open(struct pair *p, int near, const struct sockaddr_in *to, const struct rules *rules,
          int64_t now_ms)
{
	*p = (struct pair){ .near = near, .far = -1, .twin = -1 };
	p->idle = rules->idle;
	p->moved_ms = now_ms;
	way_open(&p->up, &rules->up);
	way_open(&p->down, &rules->down);
	p->save_up = open_save(rules, ".up");
	p->save_down = open_save(rules, ".down");
	if (rules->reply_len > 0) {
		p->canned = rules;
		p->asked = malloc(PAIR_ASKED_MAX);
		return p->asked != NULL;
	}
	p->far = dial(to);
	if (rules->twice)
		p->twin = dial(to);
	if (p->far < 0)
		pair_close(p);
	return p->near >= 0;
}

void
pair_close(struct pair *p)
{
	close_fd(&p->near);
	close_fd(&p->far);
	close_fd(&p->twin);
	way_close(&p->up);
	way_close(&p->down);
	if (p->save_up != NULL)
		fclose(p->save_up);
	if (p->save_down != NULL)
		fclose(p->save_down);
	free(p->asked);
	*p = (struct pair){ .near = -1, .far = -1, .twin = -1 };
}

/* ---------------------------------------------------------------- canned replies */

/* The length of the request at the beginning of `text`; 0 if it isn't all there. */
static size_t
request_len(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4);
	size_t body = 0, all;

	if (end == NULL)
		return 0;
	for (const char *at = text; at < end; at++)
		if (*at == '\n' && strncasecmp(at + 1, "Content-Length:", 15) == 0)
			body = strtoul(at + 16, NULL, 10);
	all = (size_t)(end - text) + 4 + body;
	return all <= len ? all : 0;
}

/* Each whole request is answered, and forgotten. */
static void
answer_canned(struct pair *p, const char *bytes, size_t len, int64_t now_ms)
{
	size_t used;

	if (len > PAIR_ASKED_MAX - p->asked_len) {
		p->up.cut = p->down.cut = true;
		return;
	}
	memcpy(p->asked + p->asked_len, bytes, len);
	p->asked_len += len;
	p->up.taken += len;
	p->up.given += len;
	while ((used = request_len(p->asked, p->asked_len)) > 0) {
		way_take(&p->down, p->canned->reply, p->canned->reply_len, now_ms);
		p->asked_len -= used;
		memmove(p->asked, p->asked + used, p->asked_len);
	}
}

/* ---------------------------------------------------------------- moving */

/* The shorter of two waits, of which -1 is for ever. */
static int
sooner(int wait_ms, int64_t other_ms)
{
	if (other_ms < 0)
		return wait_ms;
	return wait_ms < 0 || other_ms < wait_ms ? (int)other_ms : wait_ms;
}

/* What one direction wants of its two sockets; the wait, if only time has to pass. */
static int
ask_way(const struct way *way, struct pollfd *from, struct pollfd *to, int64_t now_ms)
{
	int wait = way_wait(way, now_ms);

	if (from->fd >= 0 && way_wants(way))
		from->events |= POLLIN;
	if (wait != 0 || to->fd < 0)
		return wait;
	to->events |= POLLOUT;
	return -1;
}

int
pair_ask(const struct pair *p, struct pollfd fds[PAIR_FDS], int wait_ms, int64_t now_ms)
{
	int64_t idle = p->moved_ms + p->idle - now_ms;

	fds[0] = (struct pollfd){ .fd = p->near };
	fds[1] = (struct pollfd){ .fd = p->far };
	wait_ms = sooner(wait_ms, ask_way(&p->up, &fds[0], &fds[1], now_ms));
	wait_ms = sooner(wait_ms, ask_way(&p->down, &fds[1], &fds[0], now_ms));
	if (p->idle >= 0)
		wait_ms = sooner(wait_ms, idle < 0 ? 0 : idle);
	/* a socket that nobody reads from would report its end again and again */
	for (int i = 0; i < PAIR_FDS; i++)
		if (fds[i].events == 0)
			fds[i].fd = -1;
	return wait_ms;
}

static void
read_side(struct pair *p, bool up, int64_t now_ms)
{
	struct way *way = up ? &p->up : &p->down;
	char bytes[16384];
	ssize_t n = recv(up ? p->near : p->far, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		way->ended = true;
		return;
	}
	p->moved_ms = now_ms;
	save(up ? p->save_up : p->save_down, bytes, (size_t)n);
	if (up && p->canned != NULL)
		answer_canned(p, bytes, (size_t)n, now_ms);
	else
		way_take(way, bytes, (size_t)n, now_ms);
}

/* Write what is due; false if that side is gone. */
static bool
write_side(struct pair *p, bool up, int64_t now_ms, struct pair_count *count)
{
	int fd = up ? p->far : p->near;
	long n = fd < 0 ? 0 : way_give(up ? &p->up : &p->down, fd, up ? p->twin : -1, now_ms);

	if (n < 0)
		return false;
	if (n > 0)
		p->moved_ms = now_ms;
	*(up ? &count->up : &count->down) += (uint64_t)n;
	return true;
}

/* Nothing more can happen: broken by rule, or both sides have ended. */
static bool
is_over(const struct pair *p)
{
	if ((p->up.cut && p->up.first == NULL) || (p->down.cut && p->down.first == NULL))
		return true;
	if (p->canned != NULL)
		return p->up.ended;
	return way_done(&p->up) && (way_done(&p->down) || p->down.rules.hole >= 0);
}

/* One side has said its last: the other is told. */
static void
pass_ends(struct pair *p)
{
	if (way_done(&p->up) && p->far >= 0)
		shutdown(p->far, SHUT_WR);
	if (way_done(&p->down) && p->down.rules.hole < 0 && p->far >= 0)
		shutdown(p->near, SHUT_WR);
}

bool
pair_move(struct pair *p, const struct pollfd fds[PAIR_FDS], int64_t now_ms,
          struct pair_count *count)
{
	bool good = true;
	char waste[4096];

	if (fds[0].fd >= 0 && (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		read_side(p, true, now_ms);
	if (fds[1].fd >= 0 && (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		read_side(p, false, now_ms);
	good = write_side(p, true, now_ms, count) && write_side(p, false, now_ms, count);
	while (p->twin >= 0 && recv(p->twin, waste, sizeof waste, MSG_DONTWAIT) > 0)
		continue;
	if (!good || is_over(p) || (p->idle >= 0 && now_ms - p->moved_ms >= p->idle)) {
		pair_close(p);
		return false;
	}
	pass_ends(p);
	return true;
}

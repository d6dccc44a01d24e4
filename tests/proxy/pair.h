/*
 * tests/proxy/pair.h - a connection that goes through the proxy: the client's
 * socket, the server's, and both directions between them.
 */
#ifndef TESTS_PROXY_PAIR_H
#define TESTS_PROXY_PAIR_H

#include "tests/proxy/way.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>

enum { PAIR_FDS = 2, PAIR_ASKED_MAX = 1 << 20 };

struct pair {
	int near, far; /* -1: none */
	int twin;      /* the second connection of twice=1, or -1 */
	struct way up, down;
	int64_t idle, moved_ms;
	FILE *save_up, *save_down; /* or NULL */
	/* reply=FILE: the request as far as it has come */
	const struct rules *canned;
	char *asked;
	size_t asked_len;
};

/* What has passed since it was last asked. */
struct pair_count {
	uint64_t connections, up, down;
};

/*
 * Take over an accepted connection; `rules` must outlive it, but numbers are
 * copied, so that a change is for new ones.  False (and the socket closed) if
 * the server isn't there.
 */
bool pair_open(struct pair *p, int near, const struct sockaddr_in *to, const struct rules *rules,
               int64_t now_ms);
void pair_close(struct pair *p);

/* Fill in what to wait for; the shorter of `wait_ms` (-1: for ever) and what is due here. */
int pair_ask(const struct pair *p, struct pollfd fds[PAIR_FDS], int wait_ms, int64_t now_ms);

/* After poll(): move bytes.  False if the connection is over and was closed. */
bool pair_move(struct pair *p, const struct pollfd fds[PAIR_FDS], int64_t now_ms,
               struct pair_count *count);

#endif /* TESTS_PROXY_PAIR_H */

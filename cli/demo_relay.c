/*
 * cli/demo_relay.c - one thread, poll(2), small buffers: what one side sends is
 * written to the other before anything more is read from it.
 */
#include "cli/demo_relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 16, POLL_MS = 50 };

struct pair {
	int near, far; /* -1: free */
};

struct demo_relay {
	struct sockaddr_in target;
	unsigned port;
	int listener;
	pthread_t thread;
	atomic_bool cut, stop;
	atomic_uint_fast64_t up, down;
	struct pair pairs[PAIRS];
};

static void
drop(struct pair *p)
{
	if (p->near >= 0)
		close(p->near);
	if (p->far >= 0)
		close(p->far);
	p->near = p->far = -1;
}

static void
take_connection(struct demo_relay *r)
{
	int near = accept(r->listener, NULL, NULL), far;

	if (near < 0)
		return;
	for (size_t i = 0; i < PAIRS && !atomic_load(&r->cut); i++) {
		if (r->pairs[i].near >= 0)
			continue;
		far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (far >= 0 &&
		    connect(far, (struct sockaddr *)&r->target, sizeof r->target) == 0) {
			r->pairs[i] = (struct pair){ near, far };
			return;
		}
		if (far >= 0)
			close(far);
		break;
	}
	close(near);
}

/* Pass on what is there; false when that side is done. */
static bool
pass(int from, int to, atomic_uint_fast64_t *count)
{
	char chunk[16384];
	ssize_t n = recv(from, chunk, sizeof chunk, 0), sent = 0;

	while (n > 0 && sent < n) {
		ssize_t part = send(to, chunk + sent, (size_t)(n - sent), MSG_NOSIGNAL);

		if (part <= 0)
			return false;
		sent += part;
	}
	if (n > 0)
		atomic_fetch_add(count, (uint_fast64_t)n);
	return n > 0;
}

static void
turn(struct demo_relay *r)
{
	struct pollfd fds[1 + 2 * PAIRS] = { { .fd = r->listener, .events = POLLIN } };

	for (size_t i = 0; i < PAIRS; i++) {
		fds[1 + 2 * i] = (struct pollfd){ .fd = r->pairs[i].near, .events = POLLIN };
		fds[2 + 2 * i] = (struct pollfd){ .fd = r->pairs[i].far, .events = POLLIN };
	}
	if (poll(fds, 1 + 2 * PAIRS, POLL_MS) < 0)
		return;
	for (size_t i = 0; i < PAIRS; i++) {
		struct pair *p = &r->pairs[i];

		if (p->near < 0)
			continue;
		if (atomic_load(&r->cut) ||
		    (fds[1 + 2 * i].revents != 0 && !pass(p->near, p->far, &r->up)) ||
		    (fds[2 + 2 * i].revents != 0 && !pass(p->far, p->near, &r->down)))
			drop(p);
	}
	if (fds[0].revents != 0)
		take_connection(r);
}

static void *
loop(void *ctx)
{
	struct demo_relay *r = ctx;

	while (!atomic_load(&r->stop))
		turn(r);
	return NULL;
}

static int
listen_somewhere(struct demo_relay *r, struct err *err)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof here;

	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->listener < 0 || bind(r->listener, (struct sockaddr *)&here, len) < 0 ||
	    listen(r->listener, PAIRS) < 0 ||
	    getsockname(r->listener, (struct sockaddr *)&here, &len) < 0)
		return err_set(err, ERR_IO, "relay: %s", strerror(errno));
	r->port = ntohs(here.sin_port);
	return 0;
}

static int
read_target(struct demo_relay *r, const char *target, struct err *err)
{
	char host[64];
	const char *colon = strrchr(target, ':');

	if (colon == NULL || (size_t)(colon - target) >= sizeof host)
		return err_set(err, ERR_INVALID, "relay: %s is not ADDR:PORT", target);
	memcpy(host, target, (size_t)(colon - target));
	host[colon - target] = 0;
	r->target.sin_family = AF_INET;
	r->target.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, host, &r->target.sin_addr) != 1)
		return err_set(err, ERR_INVALID, "relay: %s is not a numeric address", host);
	return 0;
}

int
demo_relay_open(const char *target, struct demo_relay **out, struct err *err)
{
	struct demo_relay *r = calloc(1, sizeof *r);
	int rc;

	if (r == NULL)
		return err_set(err, ERR_NOMEM, "relay: out of memory");
	r->listener = -1;
	for (size_t i = 0; i < PAIRS; i++)
		r->pairs[i] = (struct pair){ -1, -1 };
	rc = read_target(r, target, err);
	if (rc == 0)
		rc = listen_somewhere(r, err);
	if (rc == 0 && pthread_create(&r->thread, NULL, loop, r) != 0)
		rc = err_set(err, ERR_NOMEM, "relay: can't start a thread");
	if (rc < 0) {
		if (r->listener >= 0)
			close(r->listener);
		free(r);
		return rc;
	}
	*out = r;
	return 0;
}

unsigned
demo_relay_port(const struct demo_relay *r)
{
	return r->port;
}

void
demo_relay_cut(struct demo_relay *r, bool cut)
{
	atomic_store(&r->cut, cut);
}

void
demo_relay_bytes(struct demo_relay *r, uint64_t *up, uint64_t *down)
{
	*up = atomic_load(&r->up);
	*down = atomic_load(&r->down);
}

void
demo_relay_close(struct demo_relay *r)
{
	if (r == NULL)
		return;
	atomic_store(&r->stop, true);
	pthread_join(r->thread, NULL);
	for (size_t i = 0; i < PAIRS; i++)
		drop(&r->pairs[i]);
	close(r->listener);
	free(r);
}

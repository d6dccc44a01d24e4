/*
 * node/http/http_conn.c - the list of connections, and what we ask of each: not too
 * many from one address, and not too slow.
 *
 * The I/O thread's alone.  A connection is ended from outside by shutting its
 * socket down, which the library then finds closed.
 */
#include "node/http/http_priv.h"

#include "store/base/env.h"

#include <stdlib.h>
#include <string.h>

int64_t
http_now_ms(void)
{
	return env_mono_ms(env_real());
}

bool
http_conn_welcome(const struct http_server *server, const struct sockaddr *addr)
{
	struct peer seen = peer_from(addr);
	unsigned count = 0;

	if (seen.loopback && !server->options.count_loopback)
		return true;
	for (const struct conn *c = server->conns; c != NULL; c = c->next)
		count += memcmp(c->peer.group, seen.group, sizeof seen.group) == 0;
	return count < server->options.per_ip;
}

struct conn *
http_conn_open(struct http_server *server, struct MHD_Connection *mhd, int fd,
               const struct sockaddr *addr)
{
	struct conn *conn = calloc(1, sizeof *conn);

	if (conn == NULL)
		return NULL;
	conn->server = server;
	conn->mhd = mhd;
	conn->fd = fd;
	conn->peer = peer_from(addr);
	conn->since_ms = http_now_ms();
	conn->next = server->conns;
	if (conn->next != NULL)
		conn->next->prev = conn;
	server->conns = conn;
	return conn;
}

void
http_conn_close(struct conn *conn)
{
	if (conn == NULL)
		return;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		conn->server->conns = conn->next;
	conn->server->ended = true;
	free(conn);
}

/* Is this connection slower than we allow? */
static bool
too_slow(const struct conn *conn, int64_t now)
{
	const struct http_options *options = &conn->server->options;
	int64_t waited = now - conn->since_ms;

	if (conn->x == NULL || conn->x->block == NULL)
		return waited > (conn->used ? options->idle_ms : options->head_ms);
	if (atomic_load(&conn->x->phase) == HANDED)
		return false; /* it waits for us */
	return waited > options->move_ms + (int64_t)(conn->moved / HTTP_RATE_MIN) * 1000;
}

void
http_conn_sweep(struct http_server *server)
{
	int64_t now = http_now_ms();

	if (now - server->swept_ms < HTTP_SWEEP_MS)
		return;
	server->swept_ms = now;
	for (struct conn *c = server->conns; c != NULL; c = c->next)
		if (too_slow(c, now))
			shutdown(c->fd, SHUT_RDWR);
}

bool
http_conn_drain(struct http_server *server)
{
	bool busy = false;

	for (struct conn *c = server->conns; c != NULL; c = c->next) {
		if (c->x == NULL || c->x->block == NULL) {
			shutdown(c->fd, SHUT_RDWR);
			continue;
		}
		busy = true;
		if (atomic_load(&c->x->phase) == HANDED) {
			struct http_response stopping = { .close = true };

			http_problem_body(&stopping, 503, "this service is stopping");
			http_field(&stopping, "Retry-After", "5");
			http_answer(c->x, &stopping);
		}
	}
	return busy;
}

/*
 * node/http/http_priv.h - a connection and an exchange, for the files of the HTTP
 * server: node/http/http.c talks to the library, node/http/http_conn.c keeps the list of
 * connections and its limits.
 */
#ifndef NODE_HTTP_PRIV_H
#define NODE_HTTP_PRIV_H

#include "node/http/guard.h"
#include "node/http/http.h"
#include "node/http/listen.h"
#include "node/http/peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

enum { HTTP_DROP_MAX = 4 << 20 }; /* bytes of a refused body that are let go by */

enum phase { READING, HANDED, PIECE, ANSWERED };

/* A body that comes in pieces: the piece is its own, the rest goes with the exchange. */
struct http_stream {
	struct buf piece;
	size_t sent; /* of it */
	bool ends;
	void *state;
	void (*drop)(void *state);
};

struct http_exchange {
	struct queue_item item;
	struct conn *conn;
	atomic_int phase;
	char *target; /* as sent; the parts of head point into it */
	char *block;  /* a copy of the header block, likewise */
	struct guard_head head;
	struct guard_verdict verdict; /* of the body, told when the whole has come */
	size_t dropped;               /* bytes of it since */
	struct http_request request;
	struct http_route route;
	struct buf body;
	struct http_stream *stream; /* NULL: the answer is in one piece */
	struct MHD_Response *answer;
	uint64_t answer_len;
	unsigned status;
	char method[8];
};

/* A connection, in the server's list as long as its socket is open. */
struct conn {
	struct conn *prev, *next;
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct http_exchange *x; /* the request under way, or NULL */
	int fd;
	bool used; /* it has had a request */
	struct peer peer;
	int64_t since_ms; /* opened, last answer sent, or body or answer begun */
	uint64_t moved;   /* bytes of a body since then, or of the answer that has to leave */
};

struct http_server {
	struct http_options options;
	char name[LISTEN_NAME_SIZE];
	char hosts[512];
	unsigned port;
	int listen_fd;
	int wake_fd;
	struct MHD_Daemon *daemon;
	pthread_t thread;
	atomic_int stop_ms; /* 0: run; else the grace, plus one */
	bool ended;         /* a connection did since the library was last let work */
	struct conn *conns; /* the I/O thread's, as is the next */
	int64_t swept_ms;
};

/* The clock of all deadlines here. */
int64_t http_now_ms(void);

/* May somebody at this address have one more connection? */
bool http_conn_welcome(const struct http_server *server, const struct sockaddr *addr);

/* The I/O thread's: the exchange is the taker's from here on. */
void http_park(struct http_exchange *x);

/* The taker's: it is the I/O thread's again, ANSWERED or with a PIECE. */
void http_unpark(struct http_exchange *x, enum phase phase);

/* The next bytes of a stream; 0 if it was given back to its taker, -1 at its end. */
ssize_t http_stream_read(struct http_exchange *x, char *out, size_t size);

/* Let go of it, and of its taker's state; there may be none. */
void http_stream_free(struct http_exchange *x);

/* Put a new connection into the list; NULL if there is no memory. */
struct conn *http_conn_open(struct http_server *server, struct MHD_Connection *mhd, int fd,
                            const struct sockaddr *addr);

/* Take it out and free it; NULL is allowed. */
void http_conn_close(struct conn *conn);

/* Every HTTP_SWEEP_MS: shut down the sockets that are slower than we allow. */
enum { HTTP_SWEEP_MS = 500 };
void http_conn_sweep(struct http_server *server);

/* Stopping: shut down what is idle, answer what is still owed; true while something has to leave.
 */
bool http_conn_drain(struct http_server *server);

#endif /* NODE_HTTP_PRIV_H */

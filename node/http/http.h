/*
 * node/http/http.h - the HTTP server: requests come out of a queue, answers go in
 * whenever they are ready.
 *
 *   socket --> I/O thread: guard, body --> queue of a lane --> your thread
 *   socket <-- I/O thread <------------------ http_answer() <--- (any time later)
 *
 * One thread reads and writes the sockets and does nothing else; it never
 * touches the database.  A request is read to its end, parked, and put into the
 * queue that `route` names.  Whoever takes it owes an answer, from any thread; a
 * long poll simply keeps the exchange and answers later.
 *
 * What the guard refuses (node/http/guard.h), what is too slow and what exceeds a
 * limit never reaches a queue.  Our refusals are problem documents (RFC 9457)
 * and close the connection.  The library answers by itself, also with a 4xx and
 * a close, a request line or a header line without its parts, a malformed
 * Content-Length or chunk, and a head that outgrows its buffer.
 *
 * A request that finds HTTP_QUEUE_MAX before it in its lane, or so many that it would
 * wait longer than WAIT ms, is answered 503 at once, and Retry-After says when it
 * will be its turn: whoever came in would hold a connection, a body in memory and
 * a client's patience for nothing.
 *
 * Limits of time: the head must be there HEAD ms after the connection was
 * opened, a body and our answer must move at HTTP_RATE_MIN bytes a second after
 * their first MOVE ms, an idle connection is closed after IDLE ms.
 */
#ifndef NODE_HTTP_H
#define NODE_HTTP_H

#include "node/queue.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_BODY_MAX = 1 << 20,  /* of an ordinary request */
	HTTP_SYNC_MAX = 16 << 20, /* of POST /v1/sync */
	HTTP_QUEUE_MAX = 256,     /* requests waiting in one lane; more are answered 503 */
	HTTP_WAIT_MS = 20000,     /* and so are those that would wait longer in it */
	HTTP_AGAIN_MIN_S = 2,     /* in Retry-After, at least ... */
	HTTP_AGAIN_MAX_S = 120,   /* ... and at most */
	HTTP_PER_IP = 16,         /* connections of one address, not counting the loopback's */
	HTTP_CONNECTIONS = 8000,  /* in all: half of them may follow the feed (node/hub/follow.h) */
	HTTP_HEAD_MS = 10000,
	HTTP_IDLE_MS = 75000,
	HTTP_MOVE_MS = 30000,
	HTTP_RATE_MIN = 256,
};

struct http_server;
struct http_exchange;

/* Where a request goes.  lane NULL: there is nothing at this path (404), or not by this method
 * (405) if `allow` names others. */
struct http_route {
	struct queue *lane; /* borrowed until http_stop() */
	size_t body_max;    /* bytes; more is answered 413 */
	const char *allow;  /* the methods that the path has: "GET, HEAD" */
};

/* All strings are borrowed until http_stop() returns.  A limit of 0 takes the default above. */
struct http_options {
	const char *listen; /* as for listen_open() */
	const char *hosts;  /* names allowed in Host besides the loopback's, see guard_fields(); or
	                       NULL */
	/* Called in the I/O thread: must be quick and may not block.  `path` is decoded. */
	struct http_route (*route)(void *ctx, const char *method, const char *path);
	/* Called in the I/O thread for each answer that leaves, for counting; may be NULL. */
	void (*answered)(void *ctx, int status);
	void *ctx;
	unsigned per_ip;
	unsigned connections;
	int wait_ms;
	int head_ms;
	int idle_ms;
	int move_ms;         /* before HTTP_RATE_MIN is asked of a body or an answer */
	bool count_loopback; /* hold the loopback to per_ip too */
};

/* Borrowed from its exchange until that is answered. */
struct http_request {
	const char *method;
	const char *path;  /* decoded; UTF-8 without NUL, "\", dot segments */
	const char *query; /* as sent, without the "?"; "" if none */
	const void *body;
	size_t body_len;
	const char *peer; /* the address, or "unix" */
	bool loopback;    /* from this machine: 127/8, ::1 or a Unix socket */
};

/* A part of a file, to be sent as it is; `len` 0: none. */
struct http_file {
	int fd; /* taken over with the answer */
	uint64_t offset, len;
};

struct http_response {
	int status;
	const char *type;  /* Content-Type, or NULL */
	struct buf fields; /* more header lines, by http_field() */
	struct buf body;
	struct http_file file; /* instead of the body, if it has a length */
	bool close;            /* end the connection after this */
};

/*
 * Begin to serve.  ERR_BUSY if the address is taken, ERR_INVALID if it is none.
 * The server is the caller's, to be given to http_stop().
 */
MUST_CHECK int http_start(const struct http_options *options, struct http_server **server,
                          struct err *err);

/* The address it really listens on, with the real port.  Borrowed until http_stop(). */
const char *http_address(const struct http_server *server);

/* The port it really listens on; 0 on a Unix socket. */
unsigned http_port(const struct http_server *server);

/*
 * Take the next request of a lane, waiting up to `timeout_ms`; NULL if there was
 * none.  For lanes that carry nothing but requests; a thread that waits for more
 * uses queue_take() and finds the exchange in item->what.
 */
struct http_exchange *http_take(struct queue *lane, int timeout_ms);

/* The request.  Borrowed until it is answered. */
const struct http_request *http_request(const struct http_exchange *x);

/* A request header's value, its name in any case, or NULL.  Borrowed as above. */
const char *http_header(const struct http_exchange *x, const char *name);

/* Add a header line to an answer.  A value with a line break makes the answer a 500. */
void http_field(struct http_response *response, const char *name, const char *fmt, ...)
        PRINTF_LIKE(3, 4);

/*
 * Answer; from any thread, once.  The exchange is gone afterwards; the buffers
 * of the response (and its file) are taken over and empty.  Never blocks and cannot fail for
 * the caller: if the client has left, the answer is dropped.
 */
void http_answer(struct http_exchange *x, struct http_response *response);

/*
 * Answer with a body that comes in pieces, as long as both sides want; `response` as for
 * http_answer(), its body is the first piece.  Whenever a piece has left, the exchange comes back
 * through its lane's queue and http_stream_state() says whose it is; then it is the taker's as
 * before, to be given the next piece at any time.  When it ends, and when the client is found to
 * have left (by a piece that can't be sent), `drop` is called with `state`, in any thread, and the
 * exchange is gone.  A client that takes pieces too slowly is cut off like any other.
 */
void http_stream(struct http_exchange *x, struct http_response *response, void *state,
                 void (*drop)(void *state));

/* The state given to http_stream(); NULL for a request that has not been answered. */
void *http_stream_state(const struct http_exchange *x);

/* The next piece, which is taken over and isn't empty; from any thread. */
void http_stream_put(struct http_exchange *x, struct buf *piece);

/* There is no more. */
void http_stream_end(struct http_exchange *x);

/* Answer with a problem document (RFC 9457); `detail` is a sentence, for people.  A 507 says when
 * to come again. */
void http_problem(struct http_exchange *x, int status, const char *detail);

/* The status that says an error of ours: 400 INVALID, 403 DENIED, 410 NOTFOUND (what was there is
 * gone), 503 BUSY, 507 FULL, else 500. */
int http_status_of(int code);

/* Write the problem document for `status` into `response`, for answers with header lines of their
 * own. */
void http_problem_body(struct http_response *response, int status, const char *detail);

/*
 * Stop: accept nobody, answer what is still owed with 503, give answers up to
 * `grace_ms` to leave, close everything.  No exchange may be used during it or
 * after it, so the threads that answer must have been stopped before; items of
 * ours in queues are dead.  NULL is allowed.
 */
void http_stop(struct http_server *server, int grace_ms);

#endif /* NODE_HTTP_H */

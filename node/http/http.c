/*
 * The life of an exchange, and who may touch it:
 *
 *   READING    made by the I/O thread when a request line arrives; head, then body
 *   HANDED     parked in libmicrohttpd, in a queue or with its taker
 *   PIECE      a stream: the taker has left the next piece in it
 *   ANSWERED   the taker has left the response in it and resumed the connection;
 *              the I/O thread sends it
 *
 *   READING -> HANDED -> ANSWERED                         a request
 *                           |  all of a stream's piece has left, or there was none
 *                           v
 *                        HANDED -> PIECE -> ANSWERED ...  node/http/http_exchange.c
 *
 * The taker owns it in HANDED alone, the I/O thread otherwise; the change to
 * ANSWERED or PIECE is the taker's last touch.  libmicrohttpd doesn't look at a parked
 * connection, so a client that leaves meanwhile is noticed when the answer is
 * sent.
 *
 * We run libmicrohttpd's loop ourselves (external epoll), because then one
 * thread sees everything that happens to sockets and can sweep them: it has no
 * deadline for heads, none for slow bodies, and its limit per address would
 * count the proxy in front of us as one client.  A connection is ended from
 * outside by shutting its socket down, which the library then finds closed.
 */
#include "node/http/http_priv.h"

#include "node/http/form.h"

#include <assert.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	/* of a connection; above 32 KiB the library takes fresh pages for it and gives them back,
	 * so that one which is parked holds those that it has touched, two */
	POOL_BYTES = 36 * 1024,
	POOL_STEP = 4 * 1024,
};

_Static_assert((int)GUARD_HEAD_MAX < (int)POOL_BYTES,
               "the guard must see a head before its buffer is full");

/* ---------------------------------------------------------------- connections */

/* MHD_AcceptPolicyCallback: one address may not take all our connections. */
static enum MHD_Result
may_connect(void *ctx, const struct sockaddr *addr, socklen_t len)
{
	(void)len;
	return http_conn_welcome(ctx, addr) ? MHD_YES : MHD_NO;
}

static void
open_conn(struct http_server *server, struct MHD_Connection *mhd, void **context)
{
	int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

	/* without memory its first request is refused */
	*context = http_conn_open(
	        server, mhd, fd,
	        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
}

/* MHD_NotifyConnectionCallback */
static void
notify_connection(void *ctx, struct MHD_Connection *mhd, void **context,
                  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_conn(ctx, mhd, context);
	else
		http_conn_close(*context);
}

/* ---------------------------------------------------------------- parking */

void
http_park(struct http_exchange *x)
{
	atomic_store(&x->phase, HANDED);
	MHD_suspend_connection(x->conn->mhd);
}

static void
wake(int wake_fd)
{
	uint64_t one = 1;

	if (write(wake_fd, &one, sizeof one) < 0)
		return; /* cannot happen: the counter is far from full */
}

void
http_unpark(struct http_exchange *x, enum phase phase)
{
	struct MHD_Connection *mhd = x->conn->mhd;
	int wake_fd = x->conn->server->wake_fd;

	assert(atomic_load(&x->phase) == HANDED);
	atomic_store(&x->phase, phase);
	MHD_resume_connection(mhd);
	wake(wake_fd); /* the library doesn't, for a loop that isn't its own */
}

/* ---------------------------------------------------------------- answers */

/* MHD_ContentReaderCallback */
static ssize_t
read_piece(void *ctx, uint64_t at, char *out, size_t size)
{
	ssize_t n = http_stream_read(ctx, out, size);

	(void)at;
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static bool
add_fields(struct MHD_Response *answer, const struct http_response *response)
{
	const char *at = (const char *)response->fields.bytes;
	const char *end = at == NULL ? NULL : at + response->fields.len;

	if (response->type != NULL &&
	    MHD_add_response_header(answer, "Content-Type", response->type) != MHD_YES)
		return false;
	if (response->close && MHD_add_response_header(answer, "Connection", "close") != MHD_YES)
		return false;
	while (response->fields.len > 0 && at < end) {
		const char *value = at + strlen(at) + 1;

		/* It refuses a value that holds a line break. */
		if (MHD_add_response_header(answer, at, value) != MHD_YES)
			return false;
		at = value + strlen(value) + 1;
	}
	return true;
}

/* Make the library's response, taking the body over; NULL if there is no memory or it is malformed.
 */
static struct MHD_Response *
make_answer(struct http_exchange *x, struct http_response *response)
{
	struct http_file *file = &response->file;
	struct MHD_Response *answer = NULL;

	if (response->body.bad || response->fields.bad)
		return NULL;
	if (x->stream != NULL)
		answer = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, POOL_STEP, read_piece,
		                                           x, NULL);
	else if (file->len > 0)
		answer = MHD_create_response_from_fd_at_offset64(file->len, file->fd, file->offset);
	else
		answer = MHD_create_response_from_buffer(response->body.len, response->body.bytes,
		                                         MHD_RESPMEM_MUST_FREE);
	if (answer == NULL)
		return NULL;
	if (file->len > 0)
		*file = (struct http_file){ 0 };
	else if (x->stream == NULL)
		response->body = (struct buf){ 0 };
	if (add_fields(answer, response))
		return answer;
	MHD_destroy_response(answer);
	return NULL;
}

/* Put the response into the exchange; whatever happens there is one afterwards, or the connection
 * will be closed. */
static void
set_answer(struct http_exchange *x, struct http_response *response)
{
	x->answer_len = x->stream != NULL        ? x->stream->piece.len
	                : response->file.len > 0 ? response->file.len
	                                         : response->body.len;
	x->answer = make_answer(x, response);
	x->status = (unsigned)response->status;
	if (response->file.len > 0)
		close(response->file.fd);
	buf_free(&response->body);
	buf_free(&response->fields);
	if (x->answer == NULL) {
		struct http_response sorry = { .close = true };

		http_stream_free(x);
		http_problem_body(&sorry, 500, "the answer could not be written");
		x->answer_len = 0;
		x->answer = make_answer(x, &sorry);
		x->status = 500;
		buf_free(&sorry.body);
	}
}

void
http_answer(struct http_exchange *x, struct http_response *response)
{
	set_answer(x, response);
	http_unpark(x, ANSWERED);
}

/* Hand the answer to the library; MHD_NO closes the connection. */
static enum MHD_Result
send_answer(struct http_exchange *x)
{
	enum MHD_Result result;

	if (x->answer == NULL)
		return MHD_NO;
	x->conn->since_ms = http_now_ms();
	x->conn->moved = x->answer_len;
	if (x->conn->server->options.answered != NULL)
		x->conn->server->options.answered(x->conn->server->options.ctx, (int)x->status);
	result = MHD_queue_response(x->conn->mhd, x->status, x->answer);
	MHD_destroy_response(x->answer);
	x->answer = NULL;
	return result;
}

/* Answer at once with a problem document, and close: a refused request's rest is not read. */
static enum MHD_Result
refuse_now(struct http_exchange *x, int status, const char *why)
{
	struct http_response response = { .close = true };

	http_problem_body(&response, status, why);
	if (status == 503)
		http_field(&response, "Retry-After", "%d", HTTP_AGAIN_MIN_S);
	if (status == 405)
		http_field(&response, "Allow", "%s", x->route.allow);
	set_answer(x, &response);
	atomic_store(&x->phase, ANSWERED);
	return send_answer(x);
}

/* ---------------------------------------------------------------- requests */

static void
free_exchange(struct http_exchange *x)
{
	if (x == NULL)
		return;
	if (x->answer != NULL)
		MHD_destroy_response(x->answer);
	http_stream_free(x);
	buf_free(&x->body);
	free(x->target);
	free(x->block);
	free(x);
}

/*
 * The URI log callback: the only place where the library shows the target as it
 * was sent; it decodes it in place afterwards.  What we return becomes the
 * request's context.
 */
static void *
see_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
	struct conn *conn =
	        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct http_exchange *x = calloc(1, sizeof *x);

	(void)ctx;
	if (x == NULL || conn == NULL) {
		free(x);
		return NULL;
	}
	x->conn = conn;
	x->target = strdup(target);
	x->item.kind = QUEUE_HTTP;
	x->item.what = x;
	conn->x = x;
	return x;
}

/* What the library says of a request's head, read by our own rules. */
static struct guard_verdict
read_head(struct http_exchange *x, const char *method, const char *version)
{
	struct guard_raw raw = {
		.method = method,
		.version = version,
		.target = x->target,
		.size = MHD_get_connection_info(x->conn->mhd,
		                                MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
		                ->header_size,
		.counted = (size_t)MHD_get_connection_values(x->conn->mhd, MHD_HEADER_KIND, NULL,
		                                             NULL),
	};

	return guard_request(&x->head, &raw, x->conn->server->hosts, &x->block);
}

/* The first call for a request: judge it and say where it goes. */
static enum MHD_Result
begin_request(struct http_exchange *x, const char *method, const char *version)
{
	const struct http_options *options = &x->conn->server->options;
	struct guard_verdict verdict = read_head(x, method, version);

	if (atomic_load(&x->conn->server->stop_ms) != 0)
		verdict = (struct guard_verdict){ 503, "this service is stopping" };
	if (verdict.status != 0)
		return refuse_now(x, verdict.status, verdict.why);
	if (!form_is_single(form_from(x->head.query, strlen(x->head.query))))
		return refuse_now(x, 400, "the query gives a parameter twice, or too many");
	snprintf(x->method, sizeof x->method, "%s", method);
	x->route = options->route(options->ctx, x->method, x->head.path);
	if (x->route.lane == NULL && x->route.allow != NULL)
		return refuse_now(x, 405, "this path is not for this method");
	if (x->route.lane == NULL)
		return refuse_now(x, 404, "there is nothing at this path");
	if (x->head.length > x->route.body_max)
		return refuse_now(x, 413, "the body is larger than this path takes");
	x->conn->used = true;
	x->conn->since_ms = http_now_ms();
	x->conn->moved = 0;
	return MHD_YES;
}

/*
 * A piece of the body.  What is wrong with it can't be answered before the whole has come: in the
 * middle of a body the library takes no response.  So the rest is let go by, but not without end.
 */
static enum MHD_Result
add_body(struct http_exchange *x, const char *bytes, size_t *len)
{
	if (x->verdict.status == 0 && *len > x->route.body_max - x->body.len) /* a chunked one */
		x->verdict =
		        (struct guard_verdict){ 413, "the body is larger than this path takes" };
	if (x->verdict.status == 0) {
		buf_put(&x->body, bytes, *len);
		if (x->body.bad)
			x->verdict =
			        (struct guard_verdict){ 503, "there is no memory for the body" };
	}
	if (x->verdict.status != 0) {
		buf_free(&x->body);
		x->dropped += *len;
	}
	x->conn->moved += *len;
	*len = 0;
	return x->dropped > HTTP_DROP_MAX ? MHD_NO : MHD_YES;
}

/*
 * Too many are before it.  It hears at once when to come: so long before its turn that there are
 * always some who wait inside, since nobody comes to the second.
 */
static void
send_away(struct http_exchange *x)
{
	int64_t turn_ms = queue_turn_ms(x->route.lane, (int64_t)HTTP_AGAIN_MAX_S * 1000);
	int64_t again_s = (turn_ms - x->conn->server->options.wait_ms / 2) / 1000;
	struct http_response busy = { 0 };

	http_problem_body(&busy, 503, "too many requests wait here");
	http_field(&busy, "Retry-After", "%lld",
	           (long long)(again_s > HTTP_AGAIN_MIN_S ? again_s : HTTP_AGAIN_MIN_S));
	http_answer(x, &busy);
}

/* The request is complete: park it and put it into its lane. */
static enum MHD_Result
hand_over(struct http_exchange *x)
{
	if (x->verdict.status != 0)
		return refuse_now(x, x->verdict.status, x->verdict.why);
	if (x->head.has_length && x->body.len != x->head.length)
		return MHD_NO;
	x->request = (struct http_request){
		.method = x->method,
		.path = x->head.path,
		.query = x->head.query,
		.body = x->body.bytes,
		.body_len = x->body.len,
		.peer = x->conn->peer.text,
		.loopback = x->conn->peer.loopback,
	};
	http_park(x);
	if (queue_wait_ms(x->route.lane) > x->conn->server->options.wait_ms ||
	    !queue_put(x->route.lane, &x->item, HTTP_QUEUE_MAX))
		send_away(x);
	return MHD_YES;
}

/* MHD_AccessHandlerCallback: called at the head, for each piece of the body, at its end, and when
 * resumed. */
static enum MHD_Result
/* NOLINTNEXTLINE(readability-function-size): the library's parameters */
handle(void *ctx, struct MHD_Connection *mhd, const char *url, const char *method,
       const char *version, const char *piece, size_t *piece_len, void **context)
{
	struct http_exchange *x = *context;

	(void)ctx;
	(void)mhd;
	(void)url;
	if (x == NULL)
		return MHD_NO;
	if (atomic_load(&x->phase) == ANSWERED)
		return send_answer(x);
	if (x->block == NULL)
		return begin_request(x, method, version);
	if (*piece_len > 0)
		return add_body(x, piece, piece_len);
	return hand_over(x);
}

/* MHD_RequestCompletedCallback: answered, or the connection is gone. */
static void
completed(void *ctx, struct MHD_Connection *mhd, void **context,
          enum MHD_RequestTerminationCode code)
{
	struct http_exchange *x = *context;

	(void)ctx;
	(void)mhd;
	(void)code;
	if (x == NULL)
		return;
	x->conn->x = NULL;
	x->conn->since_ms = http_now_ms();
	free_exchange(x);
	*context = NULL;
}

/* ---------------------------------------------------------------- the I/O thread */

/* One turn: wait up to `timeout` ms for sockets, a resumed connection or a stop, and let the
 * library work. */
static void
turn(struct http_server *server, int epoll_fd, int timeout)
{
	struct pollfd fds[2] = { { .fd = epoll_fd, .events = POLLIN },
		                 { .fd = server->wake_fd, .events = POLLIN } };
	MHD_UNSIGNED_LONG_LONG wait;
	uint64_t count;

	if (MHD_get_timeout(server->daemon, &wait) == MHD_YES && wait < HTTP_SWEEP_MS)
		timeout = (int)wait;
	/* Full, it listens again only in the turn after the one that made room: nothing would wake
	 * us for that. */
	poll(fds, 2, server->ended ? 0 : timeout);
	server->ended = false;
	if (fds[1].revents != 0 && read(server->wake_fd, &count, sizeof count) < 0)
		count = 0; /* it only had to wake us */
	MHD_run(server->daemon);
	http_conn_sweep(server);
}

static void *
io_thread(void *ctx)
{
	struct http_server *server = ctx;
	int epoll_fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	int64_t until;
	bool busy;

	while (atomic_load(&server->stop_ms) == 0)
		turn(server, epoll_fd, server->conns == NULL ? -1 : HTTP_SWEEP_MS);

	MHD_quiesce_daemon(server->daemon);
	until = http_now_ms() + atomic_load(&server->stop_ms) - 1;
	do {
		busy = http_conn_drain(server);
		turn(server, epoll_fd, busy ? 20 : 0);
	} while (busy && http_now_ms() < until);
	return NULL;
}

/* ---------------------------------------------------------------- start and stop */

static int
start_daemon(struct http_server *server, struct err *err)
{
	server->daemon = MHD_start_daemon(
	        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, may_connect, server, handle, server,
	        MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
	        server->options.connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
	        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)POOL_STEP,
	        MHD_OPTION_URI_LOG_CALLBACK, see_target, server, MHD_OPTION_NOTIFY_COMPLETED,
	        completed, server, MHD_OPTION_NOTIFY_CONNECTION, notify_connection, server,
	        MHD_OPTION_END);
	if (server->daemon == NULL)
		return err_set(err, ERR_IO, "listen on %s: the HTTP library refused", server->name);
	if (pthread_create(&server->thread, NULL, io_thread, server) != 0) {
		MHD_stop_daemon(server->daemon);
		server->listen_fd = -1; /* closed with it */
		return err_set(err, ERR_IO, "listen on %s: no thread", server->name);
	}
	return 0;
}

static void
free_server(struct http_server *server)
{
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	if (server->wake_fd >= 0)
		close(server->wake_fd);
	free(server);
}

int
http_start(const struct http_options *options, struct http_server **out, struct err *err)
{
	struct http_server *server = calloc(1, sizeof *server);
	int rc;

	if (server == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	server->options = *options;
	server->options.wait_ms = options->wait_ms > 0 ? options->wait_ms : HTTP_WAIT_MS;
	server->options.per_ip = options->per_ip > 0 ? options->per_ip : HTTP_PER_IP;
	server->options.connections =
	        options->connections > 0 ? options->connections : HTTP_CONNECTIONS;
	server->options.head_ms = options->head_ms > 0 ? options->head_ms : HTTP_HEAD_MS;
	server->options.idle_ms = options->idle_ms > 0 ? options->idle_ms : HTTP_IDLE_MS;
	server->options.move_ms = options->move_ms > 0 ? options->move_ms : HTTP_MOVE_MS;
	server->listen_fd = -1;
	server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = listen_open(options->listen, 0660, &server->listen_fd, server->name, err);
	if (rc == 0) {
		server->port = listen_port(server->name);
		listen_hosts(server->hosts, sizeof server->hosts, server->name, options->hosts);
		rc = start_daemon(server, err);
	}
	if (rc < 0) {
		free_server(server);
		return rc;
	}
	*out = server;
	return 0;
}

void
http_stop(struct http_server *server, int grace_ms)
{
	if (server == NULL)
		return;
	atomic_store(&server->stop_ms, grace_ms + 1);
	wake(server->wake_fd);
	pthread_join(server->thread, NULL);
	MHD_stop_daemon(server->daemon);
	if (strncmp(server->name, "unix:", 5) == 0)
		unlink(server->name + 5);
	free_server(server);
}

const char *
http_address(const struct http_server *server)
{
	return server->name;
}

unsigned
http_port(const struct http_server *server)
{
	return server->port;
}

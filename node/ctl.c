/*
 * One thread polls the socket and its connections.  A call is READING until its
 * line is complete, HANDED while in the queue or with its taker, then ANSWERED
 * and written.  The taker's last touch is to put it into `answered` and wake the
 * thread.
 */
#include "node/ctl.h"

#include "node/http/listen.h"
#include "store/base/env.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { FULL_REST_MS = 100 };
enum phase { READING, HANDED, ANSWERED };

struct ctl_call {
	struct queue_item item;
	struct ctl *ctl;
	struct ctl_call *next_answered;
	int fd;
	enum phase phase; /* the thread's; a taker says ANSWERED by the list */
	int64_t since_ms;
	struct buf in;
	struct buf out;
	size_t sent;
};

struct ctl {
	struct queue *queue;
	char name[LISTEN_NAME_SIZE];
	int listen_fd;
	int wake_fd;
	pthread_t thread;
	atomic_bool stop;
	pthread_mutex_t lock; /* guards answered */
	struct ctl_call *answered;
	struct ctl_call *calls[CTL_CALLS_MAX];
	size_t count;
};

static void
wake(struct ctl *ctl)
{
	uint64_t one = 1;

	if (write(ctl->wake_fd, &one, sizeof one) < 0)
		return; /* the counter is full: it is awake */
}

const char *
ctl_line(const struct ctl_call *call)
{
	return (const char *)call->in.bytes;
}

void
ctl_answer(struct ctl_call *call, struct buf *line)
{
	struct ctl *ctl = call->ctl;

	call->out = *line;
	*line = (struct buf){ 0 };
	buf_u8(&call->out, '\n');
	pthread_mutex_lock(&ctl->lock);
	call->next_answered = ctl->answered;
	ctl->answered = call;
	pthread_mutex_unlock(&ctl->lock);
	wake(ctl);
}

/* ---------------------------------------------------------------- calls */

static void
drop(struct ctl_call *call)
{
	close(call->fd);
	buf_free(&call->in);
	buf_free(&call->out);
	free(call);
}

/* Our own user, or root, who may do everything anyway. */
static bool
peer_is_us(int fd)
{
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof cred;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       (cred.uid == geteuid() || cred.uid == 0);
}

static void
take_connection(struct ctl *ctl)
{
	int fd = accept4(ctl->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ctl_call *call;

	if (fd < 0) {
		/* Without a file to be had, poll() would wake us for the same caller for ever. */
		if (errno == EMFILE || errno == ENFILE)
			poll(NULL, 0, FULL_REST_MS);
		return;
	}
	call = peer_is_us(fd) ? calloc(1, sizeof *call) : NULL;
	if (call == NULL) {
		close(fd);
		return;
	}
	call->item.kind = QUEUE_CTL;
	call->item.what = call;
	call->ctl = ctl;
	call->fd = fd;
	call->since_ms = env_mono_ms(env_real());
	ctl->calls[ctl->count++] = call;
}

/* The line is there: hand it over.  False if nobody takes it. */
static bool
hand_over(struct ctl_call *call, size_t len)
{
	call->in.len = len;
	call->in.bytes[len] = 0;
	call->phase = HANDED;
	return queue_put(call->ctl->queue, &call->item, 0);
}

/* Read what has come; false if the call is to be dropped. */
static bool
read_line(struct ctl_call *call)
{
	uint8_t chunk[4096];
	ssize_t n = read(call->fd, chunk, sizeof chunk);
	const uint8_t *end;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	buf_put(&call->in, chunk, (size_t)n);
	if (call->in.bad || call->in.len > CTL_LINE_MAX)
		return false;
	end = memchr(call->in.bytes, '\n', call->in.len);
	if (end == NULL)
		return true;
	/* One line is all that may come, and text ends where it says it does. */
	if (end != call->in.bytes + call->in.len - 1 ||
	    memchr(call->in.bytes, 0, call->in.len) != NULL)
		return false;
	return hand_over(call, call->in.len - 1);
}

/* Write what is left of the answer; false when done, or if nobody reads. */
static bool
write_answer(struct ctl_call *call)
{
	ssize_t n;

	if (call->out.bad)
		return false;
	n = send(call->fd, call->out.bytes + call->sent, call->out.len - call->sent, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	call->sent += (size_t)n;
	return call->sent < call->out.len;
}

/* Move one call on; false if it is over. */
static bool
move_on(struct ctl_call *call, short events)
{
	if (call->phase == HANDED)
		return true; /* it isn't ours, even if its peer has left */
	if (call->phase == ANSWERED)
		return events == 0 || write_answer(call);
	if (events == 0)
		return env_mono_ms(env_real()) - call->since_ms < CTL_LINE_MS;
	return read_line(call);
}

/* ---------------------------------------------------------------- the thread */

static void
collect_answers(struct ctl *ctl)
{
	struct ctl_call *call;

	pthread_mutex_lock(&ctl->lock);
	call = ctl->answered;
	ctl->answered = NULL;
	pthread_mutex_unlock(&ctl->lock);
	for (; call != NULL; call = call->next_answered)
		call->phase = ANSWERED;
}

static void
turn(struct ctl *ctl)
{
	struct pollfd fds[CTL_CALLS_MAX + 2];
	size_t count = ctl->count, kept = 0;
	uint64_t woken;

	fds[0] = (struct pollfd){ .fd = ctl->wake_fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = count < CTL_CALLS_MAX ? ctl->listen_fd : -1,
		                  .events = POLLIN };
	for (size_t i = 0; i < count; i++) {
		const struct ctl_call *c = ctl->calls[i];

		/* A handed one isn't watched: its peer's leaving would wake us for ever. */
		fds[i + 2] = (struct pollfd){ .fd = c->phase == HANDED ? -1 : c->fd,
			                      .events = c->phase == READING ? POLLIN : POLLOUT };
	}
	poll(fds, (nfds_t)count + 2, count > 0 ? 1000 : -1);
	if (fds[0].revents != 0 && read(ctl->wake_fd, &woken, sizeof woken) < 0)
		woken = 0;
	for (size_t i = 0; i < count; i++) {
		if (move_on(ctl->calls[i], fds[i + 2].revents))
			ctl->calls[kept++] = ctl->calls[i];
		else
			drop(ctl->calls[i]);
	}
	ctl->count = kept;
	collect_answers(ctl);
	if (fds[1].revents != 0)
		take_connection(ctl);
}

static void *
run(void *ctx)
{
	struct ctl *ctl = ctx;

	while (!atomic_load(&ctl->stop))
		turn(ctl);
	/* Answers given just before the stop are short: they fit in the socket's buffer. */
	collect_answers(ctl);
	for (size_t i = 0; i < ctl->count; i++) {
		if (ctl->calls[i]->phase == ANSWERED)
			(void)write_answer(ctl->calls[i]);
		drop(ctl->calls[i]);
	}
	return NULL;
}

static void
free_ctl(struct ctl *ctl)
{
	if (ctl->listen_fd >= 0)
		close(ctl->listen_fd);
	if (ctl->wake_fd >= 0)
		close(ctl->wake_fd);
	pthread_mutex_destroy(&ctl->lock);
	free(ctl);
}

int
ctl_start(const char *path, struct queue *queue, struct ctl **out, struct err *err)
{
	struct ctl *ctl = calloc(1, sizeof *ctl);
	char where[LISTEN_NAME_SIZE];
	int rc;

	if (ctl == NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	pthread_mutex_init(&ctl->lock, NULL);
	ctl->queue = queue;
	ctl->listen_fd = -1;
	ctl->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (snprintf(where, sizeof where, "unix:%s", path) >= (int)sizeof where)
		rc = err_set(err, ERR_INVALID, "%s: too long for a socket's path", path);
	else
		rc = listen_open(where, 0600, &ctl->listen_fd, ctl->name, err);
	if (rc == 0 && pthread_create(&ctl->thread, NULL, run, ctl) != 0)
		rc = err_set(err, ERR_IO, "no thread for %s", path);
	if (rc < 0) {
		free_ctl(ctl);
		return rc;
	}
	*out = ctl;
	return 0;
}

void
ctl_stop(struct ctl *ctl)
{
	if (ctl == NULL)
		return;
	atomic_store(&ctl->stop, true);
	wake(ctl);
	pthread_join(ctl->thread, NULL);
	unlink(ctl->name + strlen("unix:"));
	free_ctl(ctl);
}

/* ---------------------------------------------------------------- the command's side */

static int
dial(const char *path, int timeout_ms, int *fd, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = timeout_ms / 1000,
		                 .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };

	if (strlen(path) >= sizeof addr.sun_path)
		return err_set(err, ERR_INVALID, "%s: too long for a socket's path", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return err_set(err, ERR_IO, "socket: %s", strerror(errno));
	setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(*fd, (struct sockaddr *)&addr, sizeof addr) == 0)
		return 0;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return err_set(err, ERR_NOTFOUND, "nobody serves at %s", path);
	return err_set(err, ERR_IO, "ask at %s: %s", path, strerror(errno));
}

static int
send_line(int fd, const char *line, struct err *err)
{
	struct buf out = { 0 };
	size_t sent = 0;
	int rc;

	buf_printf(&out, "%s\n", line);
	rc = buf_check(&out, err);
	while (rc == 0 && sent < out.len) {
		ssize_t n = send(fd, out.bytes + sent, out.len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			rc = err_set(err, ERR_IO, "ask the daemon: %s", strerror(errno));
		sent += n > 0 ? (size_t)n : 0;
	}
	buf_free(&out);
	return rc;
}

/* Read to the end of the line, which the daemon closes behind. */
static int
read_answer(int fd, struct buf *answer, struct err *err)
{
	size_t start = answer->len;

	for (;;) {
		uint8_t chunk[4096];
		ssize_t n = recv(fd, chunk, sizeof chunk, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return err_set(err, ERR_BUSY, "the daemon is still working on it");
		if (n <= 0)
			return err_set(err, ERR_IO, "the daemon gave no answer");
		buf_put(answer, chunk, (size_t)n);
		if (answer->bad || answer->len - start > CTL_ANSWER_MAX)
			return err_set(err, ERR_NOMEM, "the daemon's answer is too long");
		if (answer->bytes[answer->len - 1] == '\n') {
			answer->len--;
			return 0;
		}
	}
}

int
ctl_ask(const char *path, const char *line, int timeout_ms, struct buf *answer, struct err *err)
{
	int fd = -1, rc;

	assert(strchr(line, '\n') == NULL);
	rc = dial(path, timeout_ms, &fd, err);
	if (rc == 0)
		rc = send_line(fd, line, err);
	if (rc == 0)
		rc = read_answer(fd, answer, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

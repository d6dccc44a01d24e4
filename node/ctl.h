/*
 * node/ctl.h - the control socket: a command asks the running daemon to do
 * something that only its writing thread may do, and waits for the answer.
 *
 * One line of JSON goes in, one comes back, and the connection is closed:
 *
 *     {"do":"sync"}  -->  queue  -->  writing thread  -->  {"state":"in_sync",...}
 *
 * DIR/ctl has mode 0600 and only a peer with our own user id (or root) is heard.
 * What the lines say is not this file's business.
 */
#ifndef NODE_CTL_H
#define NODE_CTL_H

#include "node/queue.h"
#include "store/base/buf.h"
#include "store/base/err.h"

enum {
	CTL_LINE_MAX = 64 * 1024,  /* bytes of a request */
	CTL_ANSWER_MAX = 16 << 20, /* of an answer */
	CTL_CALLS_MAX = 32,        /* at once; the next waits to be accepted */
	CTL_LINE_MS = 5000,        /* for a request to arrive */
};

struct ctl;
struct ctl_call;

/*
 * Serve on the Unix socket at `path`; requests are put into `queue` (QUEUE_CTL, what: the call).
 * ERR_BUSY if another process serves there.  The caller owns *ctl.
 */
MUST_CHECK int ctl_start(const char *path, struct queue *queue, struct ctl **ctl, struct err *err);

/* The request, a line without its end.  Borrowed until the call is answered. */
const char *ctl_line(const struct ctl_call *call);

/* Answer with one line (its end is added); from any thread, once.  The buffer is taken over; the
 * call is gone. */
void ctl_answer(struct ctl_call *call, struct buf *line);

/* Stop: close everything; calls without an answer are dropped, and none may be answered any more.
 * NULL is allowed. */
void ctl_stop(struct ctl *ctl);

/*
 * The command's side: ask whoever serves at `path` and append the answer, without its end, to
 * `answer`.  ERR_NOTFOUND if nobody serves there, ERR_BUSY if the answer took more than
 * `timeout_ms` (0: no limit), ERR_IO if the connection broke.
 */
MUST_CHECK int ctl_ask(const char *path, const char *line, int timeout_ms, struct buf *answer,
                       struct err *err);

#endif /* NODE_CTL_H */

/*
 * node/run.h - the daemon: threads, sockets, signals around node/core.
 *
 *   writing thread   the one queue: requests that write, control calls, the hub's replies, time.
 *                    Seals, merges, checkpoints; owns both databases
 *   reading thread   requests that only read, with a database of its own
 *   I/O thread       node/http; never touches a database
 *   line thread      libcurl, sync/transport_http
 *   control thread   node/ctl
 */
#ifndef NODE_RUN_H
#define NODE_RUN_H

#include "store/base/env.h"
#include "store/base/err.h"

struct run_options {
	const char *dir;
	const char *listen; /* NULL: as configured */
	const struct env *env;
	/* Called once when it serves, with the address; for the command to print.  May be NULL. */
	void (*ready)(void *ctx, const char *address);
	void *ctx;
};

/*
 * Run until SIGTERM or SIGINT: then stop accepting, finish what is begun, seal, checkpoint.  0
 * after such an end; negative if it can't start, or if the database failed (nothing is acknowledged
 * after that).
 */
MUST_CHECK int run_daemon(const struct run_options *options, struct err *err);

#endif /* NODE_RUN_H */

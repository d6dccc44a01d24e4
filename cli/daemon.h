/*
 * cli/daemon.h - ask the daemon that holds the lock.
 */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include "cli/cmd.h"
#include "node/ctl_words.h"

/*
 * Ask it to do something, wait, and append its answer.  One that has the lock but no socket yet is
 * starting, or stopping: it is given some seconds.  ERR_BUSY with a sentence if it doesn't answer.
 */
MUST_CHECK int cli_daemon_ask(const struct cli *cli, enum ctl_do what, struct buf *answer,
                              struct err *err);

#endif /* CLI_DAEMON_H */

/*
 * cli/demo_proc.h - child processes for the demo: this same program, started as
 * a person would start it.
 */
#ifndef CLI_DEMO_PROC_H
#define CLI_DEMO_PROC_H

#include "store/base/buf.h"

#include <sys/types.h>

/* Run `yizhan ARGS...` to its end and collect what it prints; its exit code, or negative if it
 * could not be run. */
MUST_CHECK int demo_run(const char *const *args, struct buf *out, struct err *err);

/* Start a daemon; wait for its line "serving DIR on http://ADDRESS" and copy the address; its log
 * goes to `log`. */
MUST_CHECK int demo_start(const char *const *args, const char *log, pid_t *pid, char address[64],
                          struct err *err);

/* SIGTERM and wait; its exit code. */
int demo_stop(pid_t pid);

#endif /* CLI_DEMO_PROC_H */

/*
 * node/log.h - lines for people on standard error.
 *
 * What comes from outside may hold line feeds and escape sequences; they are
 * written as \xNN, so one call is one line and can't paint the terminal.  Never
 * log a key, a token, a PIN, a child's name or a request's body.
 */
#ifndef NODE_LOG_H
#define NODE_LOG_H

#include "store/base/buf.h"
#include "store/base/err.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6 }; /* syslog's */

/* Write one line: with time and level, or under systemd with the level it reads ("<4>"). */
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Append `text` so that it is harmless on a terminal and one line in a file. */
void log_escape(struct buf *out, const char *text);

#endif /* NODE_LOG_H */

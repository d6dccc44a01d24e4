/*
 * node/http/listen.h - a socket that waits for connections.
 */
#ifndef NODE_LISTEN_H
#define NODE_LISTEN_H

#include "store/base/err.h"

#include <stddef.h>

enum { LISTEN_NAME_SIZE = 128 };

/*
 * Listen on "ADDR:PORT" (a numeric IPv4 address, or an IPv6 one in brackets;
 * port 0 takes any free one) or "unix:PATH", whose file gets `mode`.  A socket file that nobody
 * answers is replaced; one that answers is ERR_BUSY, as is a port in use.  *fd is the caller's; it
 * is close-on-exec and doesn't block.  `name` becomes the address as it really is, in the same
 * form.
 */
MUST_CHECK int listen_open(const char *where, unsigned mode, int *fd, char name[LISTEN_NAME_SIZE],
                           struct err *err);

/* Has `where` the form of an address to listen on?  ERR_INVALID with a sentence if not. */
MUST_CHECK int listen_check(const char *where, struct err *err);

/* The port in such a name; 0 for a Unix socket. */
unsigned listen_port(const char *name);

/*
 * The names that clients may use for us, separated by spaces as guard_fields() takes them: the
 * address in `name`, "*" if that is every address, and `further` (or NULL).
 */
void listen_hosts(char *out, size_t size, const char *name, const char *further);

#endif /* NODE_LISTEN_H */

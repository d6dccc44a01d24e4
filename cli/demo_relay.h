/*
 * cli/demo_relay.h - a line that can be cut: a TCP relay on the loopback between
 * a facility and the hub.
 */
#ifndef CLI_DEMO_RELAY_H
#define CLI_DEMO_RELAY_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct demo_relay;

/* Listen on a free port of 127.0.0.1 and pass everything on to `target` ("127.0.0.1:8700").  The
 * caller owns *r. */
MUST_CHECK int demo_relay_open(const char *target, struct demo_relay **r, struct err *err);

/* The port it listens on. */
unsigned demo_relay_port(const struct demo_relay *r);

/* Cut the line (connections break, new ones are refused at once) or mend it. */
void demo_relay_cut(struct demo_relay *r, bool cut);

/* Bytes that went up and down. */
void demo_relay_bytes(struct demo_relay *r, uint64_t *up, uint64_t *down);

/* Stop; NULL is allowed. */
void demo_relay_close(struct demo_relay *r);

#endif /* CLI_DEMO_RELAY_H */

/*
 * tests/sim/shell.h - what stands around the core in production: at a node the
 * signed request and what becomes of its reply (node/link.c), at the hub who may
 * ask (node/serve_hub.c).  The same functions, over bytes instead of HTTP.
 *
 *   request  digest LF input LF signature LF grant LF body
 *   reply    status LF nonce LF digest LF input LF signature LF body
 */
#ifndef TESTS_SIM_SHELL_H
#define TESTS_SIM_SHELL_H

#include "tests/sim/peer.h"

/* Sign and send an exchange; takes the body over. */
void sim_shell_send(struct sim_peer *p, struct buf *body);

/* A message has arrived at this machine, whose process is awake. */
void sim_shell_hear(struct sim_peer *p, const struct sim_message *m);

/* The request under way has had no answer for too long. */
void sim_shell_give_up(struct sim_peer *p);

/* A meeting ended: is what is told of it true? */
void sim_shell_met(struct sim_peer *p, const struct node_met *met);

/* The process is gone, and its call with it. */
void sim_shell_forget(struct sim_peer *p);

#endif /* TESTS_SIM_SHELL_H */

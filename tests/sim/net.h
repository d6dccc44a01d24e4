/*
 * tests/sim/net.h - the line: messages as bytes on their way, and what may
 * become of them.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include "store/base/buf.h"
#include "tests/sim/kind.h"

struct sim;
struct sim_peer;

enum { SIM_MESSAGES = 256, SIM_KEPT = 6 };

struct sim_message {
	int64_t at;     /* true time of its arrival */
	uint64_t order; /* of equal ones the earlier sent first */
	unsigned node;  /* whose line */
	bool to_hub;
	uint64_t call; /* which request, or the request it answers; 0: an old one, nobody waits */
	struct buf bytes;
};

struct sim_net {
	struct sim_message list[SIM_MESSAGES]; /* in no order */
	size_t count;
	uint64_t sent;
};

/* A node's line. */
struct sim_line {
	int64_t cut_until;         /* nothing passes */
	int64_t one_way_until;     /* requests pass, replies don't */
	unsigned fault[SIM_KINDS]; /* so many of the next messages that it can happen to */
	struct buf old_requests[SIM_KEPT], old_replies[SIM_KEPT];
	size_t old_request_count, old_reply_count;
};

/* Put a message on the way; takes the bytes over. */
void sim_net_send(struct sim *s, struct sim_peer *node, bool to_hub, uint64_t call,
                  struct buf *bytes);

/* When the next one arrives; INT64_MAX if none is on its way. */
int64_t sim_net_next(const struct sim_net *net);

/* Take it; the caller frees its bytes. */
struct sim_message sim_net_take(struct sim_net *net);

/* Send an old request of this node once more. */
void sim_net_replay(struct sim *s, struct sim_peer *node, uint64_t draw);

/* A machine with bad memory: one bit of a body is another one before it is signed, if that fault
 * waits. */
void sim_net_garble(struct sim *s, struct sim_peer *node, enum sim_kind kind, uint8_t *bytes,
                    size_t len);

/* Forget everything on its way, and what the lines keep. */
void sim_net_close(struct sim *s);

#endif /* TESTS_SIM_NET_H */

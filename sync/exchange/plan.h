/*
 * sync/exchange/plan.h - what goes to the peer of one stream, without any I/O: from how
 * many records both have, and whether the shorter is the beginning of the longer.
 *
 *   we     1 ─────────────── n           the peer     1 ────── has
 *
 *                         LEVEL    BEHIND   AHEAD    APART    UNTOLD
 *                         has = n  has < n  has > n  another  can't be
 *                                                    branch   told now
 *   the peer writes it     say      say      say      fork     say
 *   wrote it, in a life    say      send     say      fork     say
 *     that isn't its
 *     present one
 *   reads it               nothing  send     say      fork     say
 *
 * "Say" is what we have of it: to its writer that is the receipt.  What we have of the
 * present life of the peer isn't sent: who has lost that begins another life first, and then
 * asks for it (sync/exchange/fork.c).  What fits into a message is another question
 * (sync/exchange/draft.c).
 */
#ifndef SYNC_PLAN_H
#define SYNC_PLAN_H

#include <stdint.h>

enum sync_plan_peer { SYNC_PEER_WRITES, SYNC_PEER_WROTE, SYNC_PEER_READS, SYNC_PEER_COUNT };

enum sync_plan_have {
	SYNC_HAVE_LEVEL,
	SYNC_HAVE_BEHIND, /* the peer */
	SYNC_HAVE_AHEAD,
	SYNC_HAVE_APART,
	SYNC_HAVE_UNTOLD,
	SYNC_HAVE_COUNT,
};

enum sync_plan_step {
	SYNC_PLAN_NOTHING,
	SYNC_PLAN_SAY,
	SYNC_PLAN_SEND, /* say, and send what comes after `has` */
	SYNC_PLAN_FORK, /* say, with the remark that it is another branch */
};

/* Are the records that both have of it the same ones? */
enum sync_plan_same { SYNC_SAME_NO, SYNC_SAME_YES, SYNC_SAME_UNTOLD };

/* How a peer that has `has` records lies to our `n`. */
enum sync_plan_have sync_plan_compare(uint64_t n, uint64_t has, enum sync_plan_same same);

/* What goes to it. */
enum sync_plan_step sync_plan_step(enum sync_plan_peer peer, enum sync_plan_have have);

#endif /* SYNC_PLAN_H */

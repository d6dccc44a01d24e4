/*
 * tests/fuzz/peer.h - a hub and a node with databases in memory, on a clock that
 * stands still: for the targets behind which a database lies.
 *
 * Tracked are `note` and `daily` as in tests/world.h; facility F1 is the node's.
 */
#ifndef TESTS_FUZZ_PEER_H
#define TESTS_FUZZ_PEER_H

#include "node/core.h"
#include "tests/fuzz/help.h"
#include "tests/fuzz/image.h"

struct peer {
	struct store_db *db;    /* STORE_MERGE */
	struct store_db *local; /* as people and programs write */
	struct node node;
	struct image image;
};

/* Open one; its key is help_key(0) at the hub, help_key(1) at the node. */
void peer_open(struct peer *p, bool is_hub);

/* Keep it as it is now; then put it back as often as an input has changed it. */
void peer_keep(struct peer *p);
void peer_restore(struct peer *p);

/* Close it. */
void peer_close(struct peer *p);

/* Write, seal and sign: the next unit of its stream. */
void peer_write(struct peer *p, const char *sql);

/* Everything that a peer's database holds, by number of rows: what a refusal may not change. */
int64_t peer_rows(struct peer *p);

/* Is each row's term what its values say, and each scope's digest the sum of them? */
bool peer_is_sound(struct peer *p);

/* Everybody with a made-up key may read everything but `hub`. */
bool peer_may_read(void *ctx, const uint8_t node[STORE_NODE_ID], const char *scope);

/*
 * Make the segments of a message right: the check of each packing, then the signature of the head
 * that it leads to, by the node whose stream it is.  `at` is where they arrive.  What can't be
 * proven stays as it is.  New bytes live in `a`.
 */
void peer_mend(struct peer *at, struct sync_message *m, struct arena *a);

#endif /* TESTS_FUZZ_PEER_H */

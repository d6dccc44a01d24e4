/*
 * store/pg/head.h - the row that a part's writers queue for.
 *
 * A hub's rows lie in parts: facilities by a hash of their scope's name, streets
 * (`s/...`) in one further part, `all` and `hub` in the last, which has the
 * names, too.  Every key begins with the part, every statement names it.
 *
 * Whoever writes into a part takes its head first: the UPDATE of that row is the
 * first statement of the transaction, so another process waits for it there, and
 * what the transaction then reads is what the one before has left.  Numbers of
 * the feed, given out under that lock, are committed in their order; a sequence
 * would show number 8 to a reader before 7, who would then never ask for 7.
 *
 * Parts are taken in rising order, so that no two processes wait for each other.
 */
#ifndef STORE_PG_HEAD_H
#define STORE_PG_HEAD_H

#include "store/catalog.h"
#include "store/pg/link.h"

enum { STORE_PG_FEED_HASH = 8, STORE_PG_CHAIN = 32, STORE_PG_PARTS_MAX = 1024 };

struct store_pg_head {
	int part;
	int64_t next;                          /* number of the feed's next line; the first is 1 */
	uint8_t feed_hash[STORE_PG_FEED_HASH]; /* of the line before it */
	int64_t last_stamp;                    /* the hub's clock in this part */
	int64_t hub_n;                         /* the hub's own stream in this part: records */
	uint8_t hub_head[STORE_PG_CHAIN];      /* and the hash of the last */
	uint8_t epoch[STORE_EPOCH]; /* of this part's feed and stream; never changed here */
};

/* The part of a scope's name. */
int store_pg_part_of(const struct store_pg *pg, const char *scope);

/* How many there are; their numbers are 0..count - 1. */
int store_pg_parts(const struct store_pg *pg);

/* Begin a transaction and take these parts (any order, twice allowed).  Not in a transaction
 * already.  After a failure there is none. */
MUST_CHECK int store_pg_take(struct store_pg *pg, const int *parts, int count, struct err *err);

/* The head of a part that is taken, to be read and moved on; NULL if it isn't taken.  Borrowed
 * until the transaction ends. */
struct store_pg_head *store_pg_head(struct store_pg *pg, int part);

/* Write the heads and commit; or undo everything.  Either way the transaction is over. */
MUST_CHECK int store_pg_leave(struct store_pg *pg, struct err *err);
void store_pg_undo(struct store_pg *pg);

/*
 * Do `work` in a transaction that has taken these parts, and again after each ERR_BUSY, up to
 * `tries` times, on a new connection if the old one is gone.  As a commit whose answer was lost
 * may have happened, `work` must first look whether it is done.
 */
struct store_pg_work {
	const int *parts;
	int part_count;
	int tries;
	int (*work)(struct store_pg *pg, void *ctx, struct err *err);
	void *ctx;
};
MUST_CHECK int store_pg_do(struct store_pg *pg, const struct store_pg_work *work, struct err *err);

#endif /* STORE_PG_HEAD_H */

/*
 * sync/exchange/rift.h - where do two replicas differ that have the same records?
 *
 * Digests that differ at equal have are an alarm.  In the same meeting the node
 * then looks for the rows, by halving 128-fold:
 *
 *   node                                                hub
 *   cut a range into parts of about as many rows,
 *   keep the sum of each, ask for the hub's         ->  add up
 *   compare; cut what differs again                 <-  rows and sum of each
 *   ... until it is one row, or most parts of a range differ
 *   capture what was changed past capture, say
 *   our own rows of those ranges again, ask for
 *   the hub's                                       ->  say the rows again, with their versions
 *   merge; compare the digests                      <-
 *
 * Sums are compared only if the hub had, when it answered, what we had when we
 * asked; what is written here meanwhile doesn't matter, for the sums are those
 * of the asking.  In steady state none of this costs anything.  A difference
 * that was looked into and could not be mended is let be for a day
 * (store/rift.h): the alarm stays.
 */
#ifndef SYNC_RIFT_H
#define SYNC_RIFT_H

#include "store/range.h"
#include "sync/replica.h"

struct sync_rift;
struct sync_draft;
struct sync_message;

/* The hub's digest of a scope differs: begin, unless this difference is known; then *look stays
 * NULL. */
MUST_CHECK int sync_rift_begin(struct sync_rift **look, struct sync_replica *r, int scope,
                               const uint8_t hubs[STORE_TERM], struct err *err);

/*
 * In the transaction of a request, sealed and not yet signed: say again what is ours of the ranges
 * that were found, if it has come to that.
 */
MUST_CHECK int sync_rift_say(struct sync_rift *look, struct sync_replica *r, struct err *err);

/* Put the questions of this round into the request. */
MUST_CHECK int sync_rift_ask(struct sync_rift *look, struct sync_draft *d, struct err *err);

/*
 * Take the answers; `same`: the hub had the scope's records as the request said them.  *look
 * becomes NULL when it is over.
 */
MUST_CHECK int sync_rift_take(struct sync_rift **look, struct sync_replica *r,
                              const struct sync_message *m, bool same, struct err *err);

/* Give it up; NULL is allowed. */
void sync_rift_free(struct sync_rift *look);

/* ---- both sides ---- */

/*
 * Of these rows, listed and not yet read: log those whose values are not those that were captured;
 * those that nobody here may change (events, the hub's), and rows that are gone without having
 * been deleted, become again what their records say.  Each of these is looked for in all records of
 * its file, found or not, so no more of them than `tries`, which is lowered.  In a MERGE
 * transaction.
 */
struct sync_rift_right {
	int64_t tries;
	int64_t logged, restored; /* told */
};
enum { SYNC_RIFT_TRIES = 64 };
MUST_CHECK int sync_rift_put_right(struct sync_replica *r, struct store_range_rows *rows,
                                   struct sync_rift_right *right, struct err *err);

/*
 * Put right, seal, and say again what is here of a range, with the versions they have
 * (sync/seal/relay.h); at most so many rows, and so many that are looked for, both lowered.  In a
 * transaction with nothing in the log.
 */
struct sync_rift_left {
	int64_t rows, tries;
};
enum { SYNC_RIFT_SAID = 8192, SYNC_RIFT_ROWS = 500000 };
MUST_CHECK int sync_rift_say_range(struct sync_replica *r, int scope,
                                   const struct store_range *range, struct sync_rift_left *left,
                                   struct err *err);

/* ---- the hub's side ---- */

/* Who asks, and what. */
struct sync_rift_asked {
	const struct sync_message *m;
	bool (*readable)(void *ctx, const char *scope);
	void *ctx;
};

/*
 * After the request's records were taken: merge again what the hub itself wrote of the ranges that
 * are asked for (sync/merge/again.h), and say their rows again, SYNC_RIFT_SAID at most
 * in one reply, and SYNC_RIFT_DAY on one day to one node: what is said again is written into the
 * hub's stream and stays there, so nobody may have it written without end.
 */
enum { SYNC_RIFT_DAY = 4 * SYNC_RIFT_SAID, SYNC_RIFT_DAY_TRIES = 4 * SYNC_RIFT_TRIES };
MUST_CHECK int sync_rift_say_asked(struct sync_replica *r, const struct sync_rift_asked *asked,
                                   struct err *err);

/*
 * Answer the other questions into the draft.  One about a scope that the node may not read, and all
 * after it, stay without an answer; and so do more than STORE_RANGE_PARTS of them once
 * SYNC_RIFT_ROWS rows have been added up.
 */
MUST_CHECK int sync_rift_answer(struct sync_draft *d, const struct sync_rift_asked *asked,
                                struct err *err);

#endif /* SYNC_RIFT_H */

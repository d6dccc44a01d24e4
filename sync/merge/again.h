/*
 * sync/merge/again.h - what this file wrote itself, merged once more out of its own
 * records.
 *
 * For rows that were lost out of the tables, clock and all: nobody else may say them
 * again, and merging is a join, so what is still there stays as it is.
 */
#ifndef SYNC_AGAIN_H
#define SYNC_AGAIN_H

#include "store/range.h"
#include "sync/replica.h"

struct sync_again {
	int scope;
	const struct store_range *ranges; /* only rows in these */
	size_t range_count;
	int64_t merged; /* told: changes that made a difference */
};

/*
 * One reading of our own streams of the scope, in all lives of this file.  A relay is left out: its
 * writers say theirs.  A segment that can't be opened ends its stream.  In a MERGE transaction with
 * nothing in the log.
 */
MUST_CHECK int sync_again_own(struct sync_replica *r, struct sync_again *again, struct err *err);

#endif /* SYNC_AGAIN_H */

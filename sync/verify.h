/*
 * sync/verify.h - is every stream of this file what its writers signed?
 */
#ifndef SYNC_VERIFY_H
#define SYNC_VERIFY_H

#include "store/stream.h"

/* What is wrong, as sentences for a person; borrowed during the call. */
struct sync_verify_problem {
	const char *what;
	const char *where;
	const char *todo;
};

struct sync_verify {
	void (*tell)(void *ctx, const struct sync_verify_problem *problem);
	void *ctx;
	int64_t streams, records, problems; /* counted */
};

/*
 * Decode and hash every segment of every stream, and check that they lie end to end, that each
 * leads to its head, and that heads are signed by the key of the stream's node.  What is wrong is
 * told and counted; negative only if it couldn't be looked at.  In a transaction.
 */
MUST_CHECK int sync_verify_streams(struct store_db *db, struct sync_verify *v, struct err *err);

#endif /* SYNC_VERIFY_H */

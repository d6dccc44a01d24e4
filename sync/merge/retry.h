/*
 * sync/merge/retry.h - what is in quarantine is tried again, because its cause may
 * have changed: a right was given, a table is another one, or a person asks.
 *
 * Both run inside a seal.  `id` is an entry's, or STORE_QUARANTINE_ALL; what was
 * dropped is left alone.  What is refused again keeps its place in the list, with
 * one try more.
 */
#ifndef SYNC_RETRY_H
#define SYNC_RETRY_H

#include "sync/replica.h"

/* Rows written here: noted in the log again, before it is sealed. */
MUST_CHECK int sync_retry_own(struct sync_replica *r, int64_t id, struct err *err);

/* Changes of others, out of their segments, when the log is sealed. */
MUST_CHECK int sync_retry_foreign(struct sync_replica *r, int64_t id, struct err *err);

/*
 * Changes of others whose rows have changed since they were refused: those that would make no
 * difference any more are closed, on every replica alike.  With nothing in the log.
 */
MUST_CHECK int sync_retry_overwritten(struct sync_replica *r, struct err *err);

#endif /* SYNC_RETRY_H */

/*
 * sync/apply_priv.h - one verified unit into the rows: rights, merge, losers,
 * refusals.
 */
#ifndef SYNC_APPLY_PRIV_H
#define SYNC_APPLY_PRIV_H

#include "sync/replica.h"

/* A unit's records, out of a proven segment. */
struct sync_apply {
	struct sync_replica *r;
	struct arena *arena;
	struct store_stream *stream;
	const struct sync_opening *opening;
	struct sync_record *changes; /* opening->changes of them, redacted ones among them */
	uint64_t first;              /* record number of the opening */
	const uint8_t *seen;         /* in force for this unit, as sync/seen.h writes it */
	size_t seen_len;
	int64_t merged, kept_aside; /* counted here */
};

/* Merge it. */
MUST_CHECK int sync_apply_unit(struct sync_apply *u, struct err *err);

#endif /* SYNC_APPLY_PRIV_H */

/*
 * sync/merge/apply_priv.h - one verified unit into the rows: rights, merge, losers,
 * refusals.
 */
#ifndef SYNC_APPLY_PRIV_H
#define SYNC_APPLY_PRIV_H

#include "sync/replica.h"
#include "sync/seal/seal.h"

/* A unit's records, out of a proven segment. */
struct sync_apply {
	struct sync_replica *r;
	struct arena *arena;
	struct store_stream *stream;
	const struct sync_opening *opening;
	struct sync_record *changes; /* opening->changes of them, redacted ones among them */
	uint64_t first;              /* record number of the opening */
	uint64_t only;               /* apply the change of this record alone; 0: all */
	const uint8_t *seen;         /* in force for this unit, as sync/seen.h writes it */
	size_t seen_len;
	int64_t merged, kept_aside; /* counted here */
	int64_t refused;            /* changes kept aside by their rights, in whole or part */
	bool unit_refused;          /* all of it */
	bool let_in; /* by a person: what its writer might once, and its key was good for, counts */
	/* the first that was kept aside: its record, and why */
	uint64_t aside_n;
	char aside_reason[160];
	/* at the hub: rows in which others wrote what is the hub's; lives in `arena` */
	struct sync_wrong *wrong;
	size_t wrong_count, wrong_cap;
};

/* Merge it. */
MUST_CHECK int sync_apply_unit(struct sync_apply *u, struct err *err);

/* A run of the unit's changes, mostly all of them, and the rows that they speak of. */
struct sync_apply_rows {
	struct sync_record *changes;
	size_t change_count;
	uint64_t first;           /* record number of the first */
	struct arena arena;       /* rows and what is made of them */
	struct store_row *list;   /* distinct, in order of first mention */
	struct store_row **order; /* sorted by table and key */
	struct store_row **of;    /* [change]: its row; NULL if it isn't applied */
	size_t count;
};

/* Find and read them; the run is set.  ERR_NOMEM with the arena over its limit: a shorter run. */
MUST_CHECK int sync_apply_gather(const struct sync_apply *u, struct sync_apply_rows *run,
                                 struct err *err);

/* Of a relay: does it say only what its own node wrote, in whichever life? */
bool sync_apply_says_own(const struct sync_apply *u);

/* Set the site of each change.  A relay's `seen` is its own: that becomes the unit's, and what its
 * origins wrote is noted (sync/seal/relay.h). */
MUST_CHECK int sync_apply_origins(struct sync_apply *u, struct err *err);

#endif /* SYNC_APPLY_PRIV_H */

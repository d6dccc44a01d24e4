/*
 * sync/merge/rivals.h - writes that lost against others without either having seen the
 * other: which of them are kept, and which a person has to look at.
 *
 * What is kept of a row is a function of the set of changes that a replica has,
 * as the row itself is:
 *
 *   a write of an lww cell, or an insert, or a delete, is kept when it doesn't show in the row and
 *   no other that reaches it had seen it:
 *     a write to the same cell in the same life
 *     any insert, delete or write of an lww cell in a later life
 *     in a life that is over, also any of the same life
 *
 *   of these are open:
 *     in the life that is, those whose value isn't the one shown; of equal ones the latest; none
 *     of the column that says whose the row is, which nobody may change
 *     of the lives that are over, those that were edits or inserts: column 0
 *   but for those about which there is a verdict.
 *
 * Of the engine's own tables (verdicts) nothing is kept: there the later write is meant.
 *
 * So it makes no difference in which order changes come, as long as `seen` (sync/seen.h) is
 * transitive: whoever has seen a write has seen what its writer had.  Writes with one stamp and one
 * value by one node are one write, in whatever life of its file it says it.
 */
#ifndef SYNC_RIVALS_H
#define SYNC_RIVALS_H

#include "store/inbox.h"
#include "sync/merge/merge.h"
#include "sync/replica.h"

struct sync_rival;

/* Zero it, set the first part; good for all changes of one unit, or of one seal. */
struct sync_rivals {
	struct sync_replica *r;
	struct arena *arena; /* lives as long as the rows' values */
	bool own;            /* changes made in this file: they have seen all that is in it */
	int scope;           /* of the stream, and of all its rows */
	const uint8_t *seen; /* what the unit had seen (sync/seen.h) */
	size_t seen_len;
	int again_of; /* re-mint: whose writes these were before, if it is known here; else 0 */

	int twins; /* looked for (sync/merge/twin_priv.h) */
	bool any;  /* something is kept in this file */
	/* of the change at hand */
	const struct store_change *change;
	int64_t cl; /* of its row before it */
	struct store_cell name;
	struct arena kept; /* what is read of the row; given back with each change */
	struct sync_rival *list;
	size_t count, cap;
	bool no_memory;
};

/* Once before the first change: is anything kept at all? */
MUST_CHECK int sync_rivals_begin(struct sync_rivals *rv, struct err *err);

/* Before sync_merge of a change into its row, with sync_rivals_decided as the watch's function and
 * `rv` as its context (for own changes: no watch). */
void sync_rivals_before(struct sync_rivals *rv, const struct store_row *row,
                        const struct store_change *change);
void sync_rivals_decided(void *ctx, const struct store_row *row, const struct store_cell *winner,
                         const struct store_cell *loser);

/* After it: keep who lost, let go whom the change had seen.  A row that is new costs nothing. */
MUST_CHECK int sync_rivals_after(struct sync_rivals *rv, const struct store_row *row,
                                 struct err *err);

#endif /* SYNC_RIVALS_H */

/*
 * sync/merge.h - what becomes of a row when a change arrives.  Pure: no
 * database, no clock, no chance.
 *
 * A row's state is a join-semilattice element, so the order in which changes
 * arrive, and how often, makes no difference:
 *
 *   life     the greater causal length wins; a higher life drops every lww cell of the lower one
 *   name     of a life: the greatest (stamp, site) among its inserts (odd) or deletes (even)
 *   lww      per cell the greatest version (stamp, site, value bytes); a group's cells are compared
 * as one max      per cell, across lives: the greatest value; equal values keep the lowest (stamp,
 * site); NULL is unset
 *
 * The rule of a cell is that of the table's column name (any schema says the same).
 */
#ifndef SYNC_MERGE_H
#define SYNC_MERGE_H

#include "store/batch.h"

/* What the caller wants to know of each cell decided; any may be NULL. */
struct sync_merge_watch {
	/* An lww cell (or for column 0 the whole row) was decided between two different values of
	 * two sites. */
	void (*decided)(void *ctx, const struct store_row *row, const struct store_cell *winner,
	                const struct store_cell *loser);
	void *ctx;
};

/*
 * Join `change` into `row` (as get gave it, or as an earlier call left it).  Sets row->changed if
 * anything differs afterwards, and row->write_row if a value, or whether it is live, does.  Memory
 * comes from `a`; values are borrowed from the change.  ERR_NOMEM only.
 */
MUST_CHECK int sync_merge(struct store_batch *b, struct store_row *row,
                          const struct store_change *change, const struct sync_merge_watch *watch,
                          struct arena *a, struct err *err);

#endif /* SYNC_MERGE_H */

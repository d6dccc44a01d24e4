/*
 * sync/merge/merge.h - what becomes of a row when a change arrives.  Pure: no
 * database, no clock, no chance.
 *
 * A row's state is a join-semilattice element, so the order in which changes
 * arrive, and how often, makes no difference:
 *
 *   life     the greater causal length wins; a higher life drops every lww cell of the lower one
 *   name     of a life: the greatest (stamp, site) among its inserts (odd) or deletes (even)
 *   lww      per cell the greatest (stamp, site, value); a group's cells are compared as one
 *   max      per cell, across lives: the greatest value; equal values keep the lowest stamp,
 *            and of that the greatest site; NULL is unset
 *
 * Sites are ordered by site_cmp, values by store_value_cmp.  That two writes carry one (stamp,
 * site) happens only while a cloned file isn't found out; of a group the first column, in the order
 * of names, whose values differ then decides for all of them.  A group is the set of its columns:
 * with that set fixed (store/schema.h), its cells in a row are always those of one write.
 *
 * The rule of a cell is that of the table's column name (any schema says the same).  A change that
 * contradicts itself (sync_merge_is_sound) changes nothing.
 */
#ifndef SYNC_MERGE_H
#define SYNC_MERGE_H

#include "store/batch.h"

/*
 * What the caller wants to know of each cell decided; any may be NULL.
 *
 * `decided` is called when writes of two different sites met and one of them no longer shows:
 *
 * cell: both wrote an lww cell in the same life, be it with equal values; winner and loser name
 * that column.  Not for max cells: both values count.
 *
 * drop: the change begins a higher life (a delete; or an insert or edit of a later life, when that
 * arrives before the delete) and writes of another site showed in the row: once per such write,
 * even if it had only the insert's name left.
 *
 * late: the change wrote lww cells, or inserted, in a life that is over: against what names the
 * life that is here, or its latest edit while it has no name.
 *
 * For drop and late the winner has column 0 and no value: it speaks for the whole row; the loser is
 * the first lww cell, in the order of names, that its write has there (column 0 and NULL if none).
 * Whether the two knew of each other is for the caller to find out: the same pair is told again
 * when a change is delivered again, and another order of delivery tells other pairs.  Of `row` only
 * table, scope and key mean something during the call; cells are borrowed for its duration.
 */
struct sync_merge_watch {
	void (*decided)(void *ctx, const struct store_row *row, const struct store_cell *winner,
	                const struct store_cell *loser);
	void *ctx;
};

/* A row has fewer lives than this: counting on from a peer's causal length can't overflow. */
#define SYNC_CL_MAX ((int64_t)1 << 48)

/*
 * Does the change make sense in itself: 0 < cl < SYNC_CL_MAX, odd exactly for insert and update,
 * stamp > 0, a mask of cells its schema has, whole groups?  What isn't sound has to be listed by
 * whoever received it; sync_merge ignores it.
 */
MUST_CHECK bool sync_merge_is_sound(const struct store_change *change);

/*
 * Join `change` into `row` (as get gave it, or as an earlier call left it).  Sets row->changed if
 * anything differs afterwards, and row->write_row if a value, or whether it is live, does.  Memory
 * comes from `a`; values are borrowed from the change; cells that get gave are changed in place.
 * ERR_NOMEM only (then the row is of no use).
 */
MUST_CHECK int sync_merge(struct store_batch *b, struct store_row *row,
                          const struct store_change *change, const struct sync_merge_watch *watch,
                          struct arena *a, struct err *err);

#endif /* SYNC_MERGE_H */

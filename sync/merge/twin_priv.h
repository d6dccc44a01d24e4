/*
 * sync/merge/twin_priv.h - one write in two lives of its node.
 *
 * What is written again in a later life has the stamp it had, and what was
 * written before a disk was copied, but sealed after, has it in both copies.
 * Whoever has seen the one has seen the other, though `seen` names sites.
 */
#ifndef SYNC_TWIN_PRIV_H
#define SYNC_TWIN_PRIV_H

#include "sync/replica.h"

/* A write that somebody's `seen` may cover under another name. */
struct sync_twin {
	const struct store_row *row;
	const struct store_cell *cell; /* site, stamp, column (0: whatever it wrote) and value */
	const uint8_t *seen;
	size_t seen_len;
};

/*
 * Does `seen` cover, of another life of the site's node, a write of the same row with the same
 * stamp and value?  False if it can't be told.
 */
bool sync_twin_is_seen(struct sync_replica *r, const struct sync_twin *twin);

#endif /* SYNC_TWIN_PRIV_H */

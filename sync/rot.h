/*
 * sync/rot.h - segments whose bytes are no longer what was signed.
 *
 * A bit fell over on the disk.  A node loses nothing by that, nor has anybody to
 * do anything:
 *
 *   another site's stream    cut off before it; the rest comes again from the hub
 *   our own, acknowledged    the same, in a new life
 *   our own, not yet sent    written again (sync/seal/remint.h), out of the rows what can't be read
 *
 * What is found is found by reading everything, so this is asked for only when
 * something couldn't be read.
 */
#ifndef SYNC_ROT_H
#define SYNC_ROT_H

#include "sync/replica.h"

/*
 * At a node, in a transaction with nothing in the log: make good every stream that can't be read.
 * *healed counts them; 0: they are all in order.
 */
MUST_CHECK int sync_rot_heal(struct sync_replica *r, int64_t *healed, struct err *err);

#endif /* SYNC_ROT_H */

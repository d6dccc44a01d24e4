/*
 * sync/merge/refused.h - what an entry of the quarantine is about, as it was
 * written.
 *
 * The quarantine names a place: a record of a stream, or a row of this file.  What
 * was written stands there, and is read for whoever asks:
 *
 *   a row written here that waits     the row, as it is in its table
 *   one that was put back             not kept: what was written was never sealed
 *   a change of another's             its record
 *   a row that its table can't hold   the unit's changes of that row
 *   a whole unit                      its changes
 *   what is held beside its stream    not opened before a person lets it in
 */
#ifndef SYNC_REFUSED_H
#define SYNC_REFUSED_H

#include "store/inbox.h"
#include "store/stream.h"

struct sync_refused {
	struct store_change *changes; /* in the order in which they were written */
	size_t count;                 /* 0: `why` says in words why there is none */
	const char *why;
};

/* They live in `a`.  Reads only; in a transaction. */
MUST_CHECK int sync_refused_read(struct store_db *db, const struct store_quarantined *q,
                                 struct arena *a, struct sync_refused *out, struct err *err);

#endif /* SYNC_REFUSED_H */

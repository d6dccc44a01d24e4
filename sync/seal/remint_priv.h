/* sync/seal/remint_priv.h - a re-mint while it goes on, shared with who salvages
 * (sync/seal/salvage.c). */
#ifndef SYNC_REMINT_PRIV_H
#define SYNC_REMINT_PRIV_H

#include "sync/codec/record.h"
#include "sync/seal/remint.h"

struct sync_reminting {
	struct sync_replica *r;
	struct store_stream old;
	struct sync_site name; /* the old stream's site */
	uint64_t kept;
	int64_t kept_stamp; /* greatest of what is kept */
	int schema_no;      /* the first that was named after `kept`; 0: none */
	struct buf seen;    /* in force for the unit at hand, as in the old stream */
	const struct sync_restamp *restamp;
};

/* Changes that are written again as one unit (or a part of one), and what of the old stream. */
struct sync_remint_unit {
	struct sync_record *changes; /* of type SYNC_CHANGE only; site and stamp are set anew */
	size_t count;
	uint64_t first, last;
	bool more; /* the unit goes on in the next */
};

/* Write it, and make its versions the present life's. */
MUST_CHECK int sync_remint_write(struct sync_reminting *m, const struct sync_remint_unit *unit,
                                 struct err *err);

/*
 * Records first .. last of the old stream can't be read any more.  What they wrote and rows still
 * show, is written again out of the rows; all that can be read is written already.
 */
MUST_CHECK int sync_salvage(struct sync_reminting *m, uint64_t first, uint64_t last,
                            struct err *err);

#endif /* SYNC_REMINT_PRIV_H */

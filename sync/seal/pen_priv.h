/*
 * sync/seal/pen_priv.h - writing changes as units into one of our own streams:
 * openings, names of schemas, day seeds, segments.
 *
 *   open ─▶ begin ─▶ add ... ─▶ write ─▶ begin ─▶ ... ─▶ close
 *
 * What a unit begins with is what this file has seen by now; of changes that are
 * written again (re-mint, relay) it is what their first writing had seen.
 */
#ifndef SYNC_PEN_PRIV_H
#define SYNC_PEN_PRIV_H

#include "sync/codec/record.h"
#include "sync/replica.h"

enum {
	SYNC_PEN_RECORDS = 60000, /* changes of one segment */
	SYNC_PEN_BYTES = 3 << 20, /* and about so many bytes of values */
};

struct sync_pen {
	struct sync_replica *r;
	struct arena *arena;
	struct store_stream stream; /* as it is after the latest write */
	/* What is written again: kind, origins and seen of each opening are these; NULL: plain. */
	const struct sync_opening *again;
	bool more; /* the unit goes on in another part */

	struct sync_opening opening;
	struct buf seen;
	struct sync_record *records; /* [0] is the opening */
	size_t count;
	size_t bytes;
	int schema_count; /* that the stream has named */
	struct {
		int schema;
		unsigned no;
	} * named; /* those asked for so far */
	size_t named_count, schema_room;
};

/* Set r and arena, zero the rest.  `changes`: how many will be written at most between two begins.
 */
MUST_CHECK int sync_pen_open(struct sync_pen *pen, int scope, size_t changes, struct err *err);

/* Begin a part of a unit. */
MUST_CHECK int sync_pen_begin(struct sync_pen *pen, struct err *err);

/* Is the part as large as it should get? */
bool sync_pen_is_full(const struct sync_pen *pen);

/* Add a change; its values are borrowed until the part is written. */
MUST_CHECK int sync_pen_add(struct sync_pen *pen, const struct store_change *change,
                            struct err *err);

/* The part as a segment (several where one can't hold it); pen->more says whether the unit goes on.
 */
MUST_CHECK int sync_pen_write(struct sync_pen *pen, struct err *err);

/* Free what the arena doesn't hold. */
void sync_pen_close(struct sync_pen *pen);

#endif /* SYNC_PEN_PRIV_H */

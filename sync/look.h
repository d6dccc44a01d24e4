/*
 * sync/look.h - looking into kept segments on behalf of a peer, within bounds.
 *
 * To compare what a peer says with what is kept here, a kept segment must be
 * opened: its head in the middle, whether it holds a write under another name.  A
 * hundred bytes can ask for the opening of a segment of 65 536 records, so the work
 * is counted, and what one meeting may ask for is bounded.  When it is spent, each
 * question is answered by "not now", and whoever asks does without: a segment is left
 * for the next meeting, a fork is known less exactly, a write counts as not seen.
 * The meetings before have moved what can be moved, so that the next ask for less.
 *
 * The segment that was opened last is held, since most questions are about it again.
 */
#ifndef SYNC_LOOK_H
#define SYNC_LOOK_H

#include "sync/reader.h"
#include "sync/replica.h"

/* Units of work in a meeting: a record opened is one, 64 packed bytes are one, two records hashed
 * are one, sixteen compared are one.  About a second's worth. */
enum { SYNC_LOOK_MAX = 1 << 20 };

/* From here on a new meeting, or a seal, may look; and it is over: nothing is held. */
void sync_look_begin(struct sync_replica *r);
void sync_look_end(struct sync_replica *r);

/* Count work that the caller does for the peer; false if there is nothing left to do it with. */
bool sync_look_spend(struct sync_replica *r, uint64_t units);

/* head_n of a stream of this file: 1, or 0 "not now".  The stream's end and beginning cost nothing.
 */
MUST_CHECK int sync_look_head(struct sync_replica *r, const struct store_stream *stream, uint64_t n,
                              uint8_t head[STORE_HEAD], struct err *err);

/* The segment that holds record n of a stream of this file, opened: 1, borrowed until the next
 * look, or 0 "not now". */
MUST_CHECK int sync_look_open(struct sync_replica *r, const struct store_stream *stream, uint64_t n,
                              const struct sync_reader **out, struct err *err);

/* Was the last one not opened because it needs more memory than a segment may take? */
bool sync_look_is_over(const struct sync_replica *r);

#endif /* SYNC_LOOK_H */

/*
 * node/room.h - room on the disk, and the reserve for the day when there is none.
 *
 *          a write met no room, or less than ROOM_LEAST is left: the reserve is given up
 *   GOOD ----------------------------------------------------------------------------> FULL
 *     ^                                                                                  |
 *     +------------ the reserve can be kept again, and ROOM_SPARE beside it -------------+
 *
 * While the disk is full nothing new is taken from people, from the platform or, at a hub, from
 * nodes.  What has been acknowledged before is sealed, sent, anchored and moved from the log into
 * the database with the bytes that the reserve gave back; reads go on.
 *
 * The disk itself remembers: it is full as long as DIR/reserve is missing and can't be kept.  So a
 * restart goes on where it was, and `yizhan status` sees what the daemon sees.  A disk that has
 * bytes but no inodes is another matter, rows find room on it: the reserve stays.
 */
#ifndef NODE_ROOM_H
#define NODE_ROOM_H

#include "node/identity.h"

enum {
	ROOM_LEAST = 4 << 20,  /* with less than this left a disk is full */
	ROOM_SPARE = 16 << 20, /* must be left beside the reserve before it is called good again */
	ROOM_LOOK_MS = 5000,   /* between two tries to keep the reserve again */
	ROOM_AGAIN_S = 60,     /* so long whoever was refused should wait */
};

struct room {
	const char *dir; /* NULL: not on a disk, never full */
	bool full;
	int64_t look_ms; /* monotonic: the next try is not before */
};

/* What is said to whoever wanted to write. */
extern const char room_words[];

/* Is the disk of `dir` full, as somebody sees who only looks? */
bool room_is_full(const char *dir);

/* Look at the disk: give up the reserve, or take it back.  The log hears when that changes. */
void room_look(struct room *r, int64_t mono_ms);

/* A write has met a full disk (ERR_FULL): the reserve is given up, if it is bytes that are short.
 */
void room_met(struct room *r, int64_t mono_ms, const char *why);

/*
 * Before something large is begun in `dir`: ERR_FULL, with the need and the room, unless `bytes`
 * more leave the disk in order.  `what` begins the sentence: "a snapshot".
 */
MUST_CHECK int room_for(const char *dir, const char *what, int64_t bytes, struct err *err);

#endif /* NODE_ROOM_H */

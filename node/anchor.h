/*
 * node/anchor.h - what we knew of the database before anything left it, kept
 * outside the database, so that a database which is suddenly younger, or another
 * one, is noticed at the start.
 *
 * Before a record leaves by any transport, the anchor that covers it is on disk
 * (2.4).  So at the start exactly one of these holds:
 *
 *   SAME        this file, this machine, and it holds at least what the anchor says
 *   NEW         there is no anchor, and nothing was ever sealed
 *   LOST        there is no anchor, but something was sealed
 *   COPIED      the same life in another file or on another machine
 *   MOVED_BACK  it holds less than it did, or other records at the same numbers
 *   OTHER_LIFE  the anchor is of another epoch or node
 *
 * Everything but SAME and NEW opens a new epoch: a wrong new one costs nothing, a
 * wrong old one loses data.
 *
 *   yizhan-anchor 1
 *   node <32 hex>
 *   epoch <16 hex>
 *   machine <32 hex>
 *   file <device independent identity of yizhan.db>
 *   stream <n> <head, 64 hex> <scope>        one line a stream of our own
 *   end
 */
#ifndef NODE_ANCHOR_H
#define NODE_ANCHOR_H

#include "store/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANCHOR_FILE_SIZE = 64, ANCHOR_MACHINE = 16 };

struct anchor_stream {
	char scope[STORE_SCOPE_MAX + 1];
	uint64_t n;
	uint8_t head[STORE_HEAD];
};

struct anchor {
	uint8_t node[STORE_NODE_ID];
	uint8_t epoch[STORE_EPOCH];
	uint8_t machine[ANCHOR_MACHINE];
	char file[ANCHOR_FILE_SIZE]; /* inode and birth time; not the device, which changes at boot
	                              */
	struct anchor_stream *streams; /* owned; NULL if none */
	size_t count;
};

enum anchor_verdict {
	ANCHOR_SAME,
	ANCHOR_NEW,
	ANCHOR_LOST,
	ANCHOR_COPIED,
	ANCHOR_MOVED_BACK,
	ANCHOR_OTHER_LIFE,
};

/* Fill machine and file for the database at `path`; zero or "" for what the system doesn't tell. */
MUST_CHECK int anchor_look(struct anchor *anchor, const char *path, struct err *err);

/* Read DIR/anchor.  ERR_NOTFOUND if there is none, ERR_CORRUPT if it isn't whole.  Free the result.
 */
MUST_CHECK int anchor_read(const char *dir, struct anchor *anchor, struct err *err);

/* Replace DIR/anchor; on disk when it returns. */
MUST_CHECK int anchor_write(const char *dir, const struct anchor *anchor, struct err *err);

/* Free the streams. */
void anchor_free(struct anchor *anchor);

/*
 * The head of our own stream in `scope` after record `n`, as the database has it: 1 and *head, 0 if
 * it isn't cut at n (rolled up) and can't say, negative on error.
 */
typedef int (*anchor_head_fn)(void *ctx, const char *scope, uint64_t n, uint8_t head[STORE_HEAD],
                              struct err *err);

/*
 * Compare what is kept (NULL: no anchor) with what is found in the database.  The streams of
 * `found` are all of our own.  Fails only if head_at does.
 */
MUST_CHECK int anchor_compare(const struct anchor *kept, const struct anchor *found,
                              anchor_head_fn head_at, void *ctx, enum anchor_verdict *verdict,
                              struct err *err);

/* A few words for logs and `status`. */
const char *anchor_verdict_name(enum anchor_verdict verdict);

#endif /* NODE_ANCHOR_H */

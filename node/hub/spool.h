/*
 * node/hub/spool.h - rows on their way into a file without a name, in bounded memory.
 *
 * How much will come nobody knows before; so the room on the disk is asked for at each piece,
 * and what is given out never fills it.
 */
#ifndef NODE_SPOOL_H
#define NODE_SPOOL_H

#include "node/hub/kept.h"
#include "store/stmt.h"

struct spool {
	const struct kept_place *of;
	struct buf out; /* what isn't in the file yet */
	int fd;         /* the caller's, who may take it */
	uint64_t len;   /* in the file */
	uint64_t rows;  /* that were spooled */
};

/* Open one.  Always spool_close() it, also after an error. */
MUST_CHECK int spool_open(struct spool *sp, const struct kept_place *of, struct err *err);

/* Write what the buffer holds, if it is much or `all`. */
MUST_CHECK int spool_flush(struct spool *sp, bool all, struct err *err);

/* All rows of `s`, each written to sp->out by `put`.  ERR_BUSY if the place's stop says so. */
MUST_CHECK int spool_rows(struct spool *sp, struct store_stmt *s,
                          int (*put)(void *ctx, struct store_stmt *s, struct buf *out,
                                     struct err *err),
                          void *ctx, struct err *err);

/* Free the buffer and close the file; fd -1 stays as it is. */
void spool_close(struct spool *sp);

#endif /* NODE_SPOOL_H */

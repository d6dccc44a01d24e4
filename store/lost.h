/*
 * store/lost.h - tables that were tracked here and aren't any more, although no
 * schema file said so: another program has dropped them, or has made of them what
 * can't be tracked.
 *
 * Nothing that is written to them is captured, their rows that weren't sealed are
 * gone, and what comes in for them waits beside them (yz_extra) until there is such
 * a table again.
 */
#ifndef STORE_LOST_H
#define STORE_LOST_H

#include "store/db.h"

struct store_lost {
	const char *table;
	const char *why;
	bool gone;       /* there is no such table; else there is one that can't be tracked */
	int64_t waiting; /* rows that have come in for it since */
};

/* Tell each of them, by name; in a transaction. */
typedef void store_lost_tell(void *ctx, const struct store_lost *lost);
MUST_CHECK int store_lost_list(struct store_db *db, store_lost_tell *tell, void *ctx,
                               struct err *err);

/* How many they are, and how many rows wait for them: for who asks often. */
MUST_CHECK int store_lost_count(struct store_db *db, int64_t *tables, int64_t *rows,
                                struct err *err);

#endif /* STORE_LOST_H */

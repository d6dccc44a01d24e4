/*
 * store/pg/feed.h - what was merged, in the order of its commits, part by part:
 * the lines that a consumer reads.
 *
 * A line has the number that its part's head gave out, and a hash that names it
 * with all before it: hash_n = first 8 bytes of BLAKE2b-128(hash_{n-1} || line).
 * So a cursor is, per part, an epoch, a number and a hash.  Numbers of a part
 * have no gaps, and a line is never seen before one with a lower number.
 */
#ifndef STORE_PG_FEED_H
#define STORE_PG_FEED_H

#include "store/base/arena.h"
#include "store/pg/head.h"

enum { STORE_PG_UNIT = 16 };

struct store_pg_line {
	int scope;
	uint8_t unit[STORE_PG_UNIT]; /* lines of one unit follow each other */
	const uint8_t *bytes;
	size_t len;
	/* set by append and read */
	int64_t n;
	uint8_t hash[STORE_PG_FEED_HASH];
};

/* Append lines to a part that is taken; they get their numbers and hashes. */
MUST_CHECK int store_pg_feed_append(struct store_pg *pg, int part, struct store_pg_line *lines,
                                    size_t count, struct err *err);

/* A page of a part: what is asked for, and what came. */
struct store_pg_page {
	int part;
	int64_t after; /* the line's number */
	int limit;
	struct store_pg_line *lines;
	size_t count;
};

/*
 * Read a page; its lines are in `a`.  ERR_CORRUPT if a number is missing.  In a transaction or
 * without one.
 */
MUST_CHECK int store_pg_feed_read(struct store_pg *pg, struct store_pg_page *page, struct arena *a,
                                  struct err *err);

/* The hash of a line after the one with `before`. */
void store_pg_feed_hash(uint8_t out[STORE_PG_FEED_HASH], const uint8_t before[STORE_PG_FEED_HASH],
                        const void *line, size_t len);

#endif /* STORE_PG_FEED_H */

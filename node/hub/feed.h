/*
 * node/hub/feed.h - the hub's changes, in the order in which they were merged: what
 * the central platform reads.
 *
 * Each merged unit is written to hub_feed inside its own merge transaction, one
 * line a row:
 *
 *   {"seq","unit","op":"upsert|delete","at","facility","site","table","key","after"}
 *
 * `after` is the whole merged row as it was then, so a page that is asked for
 * again is the same, byte for byte, whatever has happened since.  A column that
 * nobody has written yet isn't in it.  Not in the feed: rows that are as they
 * were, the scope `hub`, tables yz_*, columns pin_hash and code_hash.  A token
 * without the right to personal columns (node/facility/personal.h) reads the
 * same lines without them.
 *
 * A cursor (and each line's `seq` is one) is 24 bytes in hex:
 *
 *   hub epoch (8) · number of the line (8, big endian) · running hash (8)
 *   hash_n = first 8 bytes of BLAKE2b-128(hash_{n-1} || line n without its seq)
 *
 * Number 0 with a hash of zeros is the beginning.  So a consumer whose hub was
 * restored or replaced learns it at its next request instead of missing rows.
 */
#ifndef NODE_FEED_H
#define NODE_FEED_H

#include "node/hub/token.h"
#include "store/base/buf.h"
#include "sync/replica.h"

enum {
	FEED_CURSOR = 49, /* with its zero */
	FEED_LIMIT = 1000,
	FEED_LIMIT_MAX = 10000,
	FEED_SCAN_MAX = 100000,     /* lines looked at for one page, as far as units allow */
	FEED_PAGE_BYTES = 16 << 20, /* likewise, bytes of a page */
};

/*
 * Write a merged or sealed unit's lines; to be called from the hub's `applied` hook.  `at_ms` is
 * the time of arrival.  Of rows that went to another scope (unit->left) the one that they left is
 * told that they are gone, and then the other all of them.
 */
MUST_CHECK int feed_append(struct store_db *db, const struct sync_unit *unit, int64_t at_ms,
                           struct err *err);

/* How a page is written. */
enum feed_form {
	FEED_NDJSON, /* the lines, then {"next","more"} */
	FEED_EVENTS, /* server-sent events: a line each, its `id` is the line's seq; if there is no
	                line, a comment, and `next` as an id without an event */
};

struct feed_query {
	enum feed_form form;
	const char *since;         /* a cursor; NULL or "" for the beginning */
	int64_t limit;             /* lines, 1 to FEED_LIMIT_MAX */
	const struct token *token; /* whose rights and filters hold */
	const char *scope;         /* only rows of this one; NULL: all that the token may read */
};

/* Where a page ends. */
struct feed_end {
	char next[FEED_CURSOR];
	int64_t lines; /* that are in it */
	bool more;
};

/*
 * Append a page: lines after `since`, whole units.  ERR_INVALID: the cursor is malformed;
 * ERR_NOTFOUND: it isn't one of this life of the feed, and the reader must begin again.
 */
MUST_CHECK int feed_page(struct store_db *db, const struct feed_query *query, struct buf *out,
                         struct feed_end *end, struct err *err);

/* Which line a cursor names; 0 for the beginning (NULL or "").  Errors as of feed_page(). */
MUST_CHECK int feed_seek(struct store_db *db, const char *cursor, int64_t *seq, struct err *err);

/* The last that the feed says of a row.  Borrowed until `tell` returns. */
struct feed_latest {
	const char *table;
	bool gone;
	const char *key;   /* JSON */
	const char *after; /* JSON: the row, unless it is gone */
};

/*
 * Give `tell` the last line after `since` of each row that the token may read, by table and within
 * one in the feed's order, until it is negative: what has changed, without how.  In a transaction
 * of the caller's.
 */
MUST_CHECK int feed_latest(struct store_db *db, const struct feed_query *query,
                           int (*tell)(void *ctx, const struct feed_latest *row, struct err *err),
                           void *ctx, struct err *err);

/* May this token read lines of that scope (of `only` alone, if it isn't NULL) and table? */
MUST_CHECK bool feed_shows(const struct token *token, const char *only, const char *scope,
                           const char *table);

/* Call `tell` with each scope that lines after number *seq are of, maybe several times; *seq
 * becomes the newest line's number. */
MUST_CHECK int feed_scopes(struct store_db *db, int64_t *seq,
                           void (*tell)(void *ctx, const char *scope), void *ctx, struct err *err);

/* The cursor behind the newest line: what follows it is all that this connection doesn't see yet.
 */
MUST_CHECK int feed_cursor(struct store_db *db, char cursor[FEED_CURSOR], struct err *err);

/* Number of the newest line; 0 if there is none. */
MUST_CHECK int feed_last(struct store_db *db, int64_t *seq, struct err *err);

#endif /* NODE_FEED_H */

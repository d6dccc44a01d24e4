/*
 * node/hub/export_set.h - all tables that a token reads, at one moment: what the manifest of
 * GET /v1/export lists.
 *
 * Each table's rows are NDJSON in a zstd file of their own; all of them lie behind each other in
 * one file on the hub's disk (node/hub/kept.h), so a set is there or it isn't:
 *
 *   part .. part    a zstd frame each
 *   index           number of parts, then of each: table (with length), gone (1 byte), rows,
 *                   offset, bytes, SHA-256 (32); LEB128
 *   8 bytes         length of the index, big endian
 *
 * The kept file's SHA-256 is of the index, which has the SHA-256 of every part; its etag of that
 * and of the cursor.  A set without parts isn't kept.
 *
 * With a cursor a set is what has changed since: rows as the feed tells them, and of rows that
 * are gone their keys.
 */
#ifndef NODE_EXPORT_SET_H
#define NODE_EXPORT_SET_H

#include "node/hub/kept.h"
#include "store/base/arena.h"

struct export_part {
	const char *table;
	bool gone; /* keys of rows that are deleted, {"key":..} a line, instead of rows */
	uint64_t rows;
	uint64_t offset, len;
	uint8_t sha256[KEPT_SHA256]; /* of the packed bytes */
};

struct export_set {
	struct kept file;
	struct export_part *parts; /* by table; a table without rows isn't in it */
	size_t count;
	struct arena arena; /* what the above point to */
};

/* What is asked for. */
struct export_ask {
	const struct token *token;
	const char *since; /* a cursor; NULL: all rows */
	const char *scope; /* only rows of this one; NULL: all that the token reads */
};

/*
 * All rows: one that is fresh, else made now; since a cursor, or of one scope: made now, for this
 * token alone.  Errors as
 * of feed_page() for the cursor, and of snapshot_get().  Always export_set_close() it.
 */
MUST_CHECK int export_set_get(const struct kept_place *of, const struct export_ask *ask,
                              struct export_set *set, struct err *err);

/* One of that etag that this token may read and that is still kept: 1, or 0.  Likewise. */
MUST_CHECK int export_set_find(const struct kept_place *of, const struct token *token,
                               const char *etag, struct export_set *set, struct err *err);

/* One part of it, or NULL. */
const struct export_part *export_set_part(const struct export_set *set, const char *table,
                                          bool gone);

void export_set_close(struct export_set *set);

#endif /* NODE_EXPORT_SET_H */

/*
 * store/rift.h - where this file and the hub's were found to hold different rows
 * although both have the same records: what is kept for people.
 */
#ifndef STORE_RIFT_H
#define STORE_RIFT_H

#include "store/range.h"

struct store_rift {
	int scope;
	struct store_range range; /* first and last table "" and no key: the scope's ends */
	int64_t rows_here, rows_there;
	const char *cause;           /* a sentence's beginning, for a person */
	uint8_t between[STORE_TERM]; /* our digest less the other's: which difference it was */
	int64_t at_ms;
	int64_t mended_ms; /* since when the digests have been equal again; 0: they aren't */
};

/* Keep one; at_ms is set here.  One of the same range that is open is replaced: it is told anew. */
MUST_CHECK int store_rift_add(struct store_db *db, const struct store_rift *rift, struct err *err);

/* The digests of a scope are equal: what was open of it is mended. */
MUST_CHECK int store_rift_close(struct store_db *db, int scope, struct err *err);

/* Was this difference looked into already, not longer than a week ago? */
MUST_CHECK int store_rift_known(struct store_db *db, int scope, const uint8_t between[STORE_TERM],
                                bool *known, struct err *err);

/* The newest first. */
struct store_rifts {
	bool open;           /* only those that aren't mended */
	size_t most;         /* so many at most */
	struct arena *arena; /* they live in it */
	/* what came out */
	struct store_rift *list;
	size_t count;
};
MUST_CHECK int store_rift_list(struct store_db *db, struct store_rifts *rifts, struct err *err);

/* "table note, key 0a1b", or "table note from key 0a1b to 0a1f": where it is. */
void store_rift_where(struct buf *out, const struct store_range *range);

#endif /* STORE_RIFT_H */

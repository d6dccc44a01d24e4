/*
 * store/range.h - the rows of a scope in one order, cut into ranges, and the sum
 * of terms over each: by these two replicas that should be equal find the rows
 * that aren't.
 *
 * The order is by the name of the table, then by the bytes of the key, because
 * those are the same everywhere.  Rows are those that count in the scope's digest:
 * deleted ones, too, and those of other scopes that are shared with it.
 */
#ifndef STORE_RANGE_H
#define STORE_RANGE_H

#include "store/digest.h"

/* A place among the rows; table "" with no key is the beginning, or as an end the end. */
struct store_place {
	const char *table;
	const uint8_t *key;
	size_t key_len;
};

/* From `from`, inclusive, to `until`, exclusive. */
struct store_range {
	struct store_place from, until;
};

/* What lies in a range here. */
struct store_range_part {
	struct store_range range;
	uint8_t sum[STORE_TERM];
	int64_t rows;
};

/* The whole scope. */
struct store_range store_range_all(void);

/* Does the place lie in the range? */
bool store_range_holds(const struct store_range *range, const struct store_place *place);

/* Add up what lies in part->range, which is set. */
MUST_CHECK int store_range_sum(struct store_db *db, int scope, struct store_range_part *part,
                               struct err *err);

/*
 * Cut a range into at most STORE_RANGE_PARTS parts that together are the range, each with about as
 * many of the rows here; one part if it holds none or one.
 */
enum { STORE_RANGE_PARTS = 128 };
struct store_range_parts {
	int scope;
	struct store_range range;
	struct arena *arena;           /* for keys; those of `range` are borrowed */
	struct store_range_part *list; /* room for STORE_RANGE_PARTS */
	/* what came out */
	size_t count;
};
MUST_CHECK int store_range_cut(struct store_db *db, struct store_range_parts *parts,
                               struct err *err);

/*
 * The first rows of a range, with table, scope and key set and the rest zero, in the order that
 * batch->get wants.
 */
struct store_range_rows {
	int scope;
	struct store_range range;
	size_t most;
	struct arena *arena; /* they live in it */
	/* what came out */
	struct store_row **list;
	size_t count;
	struct store_place next; /* behind the last of them; table "": that was all */
};
MUST_CHECK int store_range_rows(struct store_db *db, struct store_range_rows *rows,
                                struct err *err);

#endif /* STORE_RANGE_H */

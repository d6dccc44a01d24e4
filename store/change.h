/*
 * store/change.h - one row's change, as seal makes it, the codec carries it and
 * merge decides about it.
 *
 * Causal length (cl) counts a row's lives: odd is alive, even is dead; insert
 * and delete each raise it by one.  An update carries the cl of the life it
 * speaks of.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/schema.h"

/* On disk and on the wire: fixed numbers. */
enum store_op {
	STORE_INSERT = 1, /* begins a life; mask = all cells of its schema */
	STORE_UPDATE = 2, /* mask = the cells written, whole groups */
	STORE_DELETE = 3, /* ends a life; mask = 0 */
};

/*
 * A stamp is a hybrid logical clock: ms since 1970 in the upper 48 bits, a
 * counter in the lower 16.
 */
#define STORE_STAMP(ms, counter) ((int64_t)((uint64_t)(ms) << 16 | (uint64_t)(counter)))
#define STORE_STAMP_MS(stamp) ((int64_t)((uint64_t)(stamp) >> 16))

struct store_change {
	const struct store_schema *schema;
	enum store_op op;
	int64_t cl;
	int64_t stamp;
	int site;      /* who wrote it: number in this database (store/catalog.h) */
	uint64_t mask; /* by column position in schema; key columns are never in it */
	struct store_value
	        *values;    /* column_count of them; only key columns and those in mask are set */
	const uint8_t *key; /* canonical key */
	size_t key_len;
};

#endif /* STORE_CHANGE_H */

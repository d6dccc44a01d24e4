/*
 * store/pg/call_priv.h - one statement with its parameters, and its answer, all
 * in the binary form of the protocol.
 *
 * Parameters are put in order; an array is begun and then filled.  A failure
 * (memory) is remembered and told by run or ask.
 *
 *	struct store_pg_call c = store_pg_call(pg, "SELECT next FROM yz_part_head WHERE part = $1");
 *	store_pg_put_int4(&c, part);
 *	rc = store_pg_ask(&c, err);           rows, or negative
 *	next = store_pg_get_int8(&c, 0, 0);
 *	store_pg_call_end(&c);
 */
#ifndef STORE_PG_CALL_PRIV_H
#define STORE_PG_CALL_PRIV_H

#include "store/base/buf.h"
#include "store/pg/link_priv.h"

enum { STORE_PG_PARAMS = 12 };

/* The types that we use, by the numbers that every engine gives them. */
enum store_pg_type {
	STORE_PG_BYTEA = 17,
	STORE_PG_INT8 = 20,
	STORE_PG_INT4 = 23,
	STORE_PG_TEXT = 25,
};

struct store_pg_call {
	struct store_pg *pg;
	const char *sql;
	struct buf params[STORE_PG_PARAMS];
	Oid types[STORE_PG_PARAMS];
	int count;
	PGresult *result;
};

/* A statement; the text is borrowed. */
struct store_pg_call store_pg_call(struct store_pg *pg, const char *sql);

/* The next parameter. */
void store_pg_put_int4(struct store_pg_call *c, int value);
void store_pg_put_int8(struct store_pg_call *c, int64_t value);
void store_pg_put_bytes(struct store_pg_call *c, const void *bytes, size_t len);
void store_pg_put_text(struct store_pg_call *c, const char *text);

/* The next parameter is an array of `count` items, which must follow; returns where they go. */
struct buf *store_pg_put_array(struct store_pg_call *c, enum store_pg_type type, size_t count);
void store_pg_item_int4(struct buf *array, int value);
void store_pg_item_int8(struct buf *array, int64_t value);
void store_pg_item_bytes(struct buf *array, const void *bytes, size_t len);

/* Run a statement that gives no rows, and end the call: how many rows it touched. */
MUST_CHECK int store_pg_run(struct store_pg_call *c, struct err *err);

/* Run one that does: how many.  They are read by row and column until the call is ended.  A column
 * of another type than is asked for, or NULL, reads as 0 or nothing: tables.c has said what they
 * are. */
MUST_CHECK int store_pg_ask(struct store_pg_call *c, struct err *err);
int store_pg_get_int4(const struct store_pg_call *c, int row, int column);
int64_t store_pg_get_int8(const struct store_pg_call *c, int row, int column);
const uint8_t *store_pg_get_bytes(const struct store_pg_call *c, int row, int column, size_t *len);
const char *store_pg_get_text(const struct store_pg_call *c, int row, int column);

/* Take exactly `len` bytes; ERR_CORRUPT if the value has another length. */
MUST_CHECK int store_pg_get_exactly(const struct store_pg_call *c, int row, int column, void *out,
                                    size_t len, struct err *err);

void store_pg_call_end(struct store_pg_call *c);

#endif /* STORE_PG_CALL_PRIV_H */

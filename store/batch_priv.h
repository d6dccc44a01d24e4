/*
 * store/batch_priv.h - the batch over SQLite, shared by its three parts: what is
 * read (batch_sqlite.c), what is written row by row (batch_put.c), and what is
 * written many rows at a time (batch_bulk.c).
 */
#ifndef STORE_BATCH_PRIV_H
#define STORE_BATCH_PRIV_H

#include "store/batch.h"
#include "store/digest.h"
#include "store/rows_priv.h"

struct store_batch_io {
	struct store_rows rows;
	int64_t generation; /* of the catalogue that rows.schema points into */
	bool ready;
};

/* Rows that wait to be written together: of one table, with the same cells. */
enum { STORE_BULK_ROWS = 128 };

struct store_bulk {
	struct store_row *rows[STORE_BULK_ROWS];
	uint8_t terms[STORE_BULK_ROWS][STORE_TERM];
	size_t count;
	int table;
	bool write_rows;            /* the table's rows too, not their clocks alone */
	uint64_t mask;              /* of the table's local schema: the cells that they have */
	struct store_value *values; /* room for one statement's; owned */
	size_t room;
};

struct batch {
	struct store_batch face;
	struct store_db *db;
	struct store_batch_io *io; /* [table - 1] */
	int io_count;
	struct store_refusal *refusals;
	size_t refusal_count, refusal_cap;
	struct store_bulk bulk;
};

/* Where each cell of a row goes. */
struct store_placing {
	const struct store_schema *local; /* NULL: nothing fits the table */
	uint64_t mask;                    /* of local: cells that go into the table's row */
	struct store_value values[STORE_COLUMNS_MAX];
	struct buf *exc;
	bool extra;
};

/* A put while it goes on. */
struct store_putting {
	struct batch *b;
	struct buf exc;
	struct store_digest digest; /* of the scope that is being written */
	bool loaded;
	bool shared; /* some rows count in several scopes (store/share.h) */
};

/* The statements of a table's local schema; NULL if it isn't tracked here. */
struct store_rows *store_batch_rows(struct batch *b, int table);

/* The position of a cell's column in a schema, -1 if it isn't one of its cells. */
int store_batch_position(const struct store_schema *s, int column);

/* The face's put. */
int store_batch_put(struct store_batch *face, struct store_row **rows, size_t count,
                    struct err *err);

/* Write one row now. */
MUST_CHECK int store_batch_put_row(struct store_putting *put, struct store_row *row,
                                   struct err *err);

/* The row is written: move its scope's digest from `old` to its term, and note what is known now.
 */
MUST_CHECK int store_batch_count(struct store_putting *put, struct store_row *row,
                                 const uint8_t old[STORE_TERM], struct err *err);

/*
 * Take a row that may be written together with others: true if it was taken (or `*rc` negative),
 * false if it is one that must go alone.
 */
bool store_batch_bulk_take(struct store_putting *put, struct store_row *row,
                           const struct store_placing *p, int *rc, struct err *err);

/* Write those taken. */
MUST_CHECK int store_batch_bulk_write(struct store_putting *put, struct err *err);

/* Free what bulk owns. */
void store_batch_bulk_end(struct batch *b);

#endif /* STORE_BATCH_PRIV_H */

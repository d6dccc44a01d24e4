/*
 * store/rows_priv.h - one tracked table's own rows, by canonical key: compiled
 * statements for reading, inserting, updating and deleting them.
 */
#ifndef STORE_ROWS_PRIV_H
#define STORE_ROWS_PRIV_H

#include "store/batch.h"
#include "store/stmt.h"

struct store_rows {
	struct store_db *db;
	const struct store_schema *schema; /* the local one; the statements are for it */
	struct store_stmt select, upsert, update, erase, many;
	bool has_select, has_upsert, has_update, has_erase, has_many;
	uint64_t upsert_mask, update_mask, many_mask;
	uint64_t keeps[STORE_NULL +
	               1]; /* by store_type: columns that surely keep such a value as it is */
};

/* The rows of a table; always store_rows_end() it. */
struct store_rows store_rows_of(struct store_db *db, const struct store_schema *schema);

/* Append `name` quoted as an SQL identifier. */
void store_rows_quote(struct buf *out, const char *name);

/* Does a column declared like this (upper case) turn every number into text? */
bool store_rows_makes_text(const char *type);

/* End every statement. */
void store_rows_end(struct store_rows *rows);

/*
 * Read the row: 1 and values by column position (bytes borrowed from `a`), 0 if there is none, as
 * of a key with another number of columns; negative on error.
 */
MUST_CHECK int store_rows_get(struct store_rows *rows, const uint8_t *key, size_t key_len,
                              struct store_value *values, struct arena *a, struct err *err);

/*
 * Write the cells in `mask` of a row that isn't there; other columns get their default.
 * ERR_INVALID if the engine refuses them, or has written one as another value than it was given
 * because of its column's type: then the row is to be deleted.
 */
MUST_CHECK int store_rows_insert(struct store_rows *rows, const uint8_t *key, size_t key_len,
                                 uint64_t mask, const struct store_value *values, struct err *err);

/* The same for a row that is there; other columns stay as they are. */
MUST_CHECK int store_rows_update(struct store_rows *rows, const uint8_t *key, size_t key_len,
                                 uint64_t mask, const struct store_value *values, struct err *err);

/*
 * For rows that are written together: lay one's values into `out` (room for every column); how
 * many, 0 if it must be written alone, because the table may not keep it as it is.
 */
unsigned store_rows_lay(struct store_rows *rows, const uint8_t *key, size_t key_len, uint64_t mask,
                        const struct store_value *values, struct store_value *out);

/*
 * Insert `count` rows so laid, of one mask: 1 if all are in, 0 if some are not (they are there
 * already, or the engine refuses them): then put them one by one, which may repeat the others.
 */
MUST_CHECK int store_rows_insert_many(struct store_rows *rows, uint64_t mask,
                                      const struct store_value *values, size_t count,
                                      struct err *err);

/* Remove the row. */
MUST_CHECK int store_rows_delete(struct store_rows *rows, const uint8_t *key, size_t key_len,
                                 struct err *err);

#endif /* STORE_ROWS_PRIV_H */

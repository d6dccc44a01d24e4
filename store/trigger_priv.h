/*
 * store/trigger_priv.h - the triggers of a tracked table as SQL text.
 */
#ifndef STORE_TRIGGER_PRIV_H
#define STORE_TRIGGER_PRIV_H

#include "store/shape_priv.h"

enum { STORE_TRIGGERS_MAX = 10 };

/* Milliseconds since 1970 in SQL of 2021: NULL never, the same within one statement. */
#define STORE_SQL_NOW "CAST((julianday('now')-2440587.5)*86400000 AS INTEGER)"

/* One CREATE TRIGGER statement each, as sqlite_schema will show it; free with store_trigger_free.
 */
struct store_triggers {
	unsigned count;
	struct buf sql[STORE_TRIGGERS_MAX];
};

/* The triggers for `schema` (registered), whose table has `shape`. */
MUST_CHECK int store_trigger_write(const struct store_schema *schema,
                                   const struct store_shape *shape, bool is_hub,
                                   struct store_triggers *out, struct err *err);

/* Those of a node that guard what hangs on somebody who has left (store/trigger_left.c), behind
 * what is in `out`; none while nobody has. */
MUST_CHECK int store_trigger_left(struct store_db *db, const struct store_schema *schema,
                                  struct store_triggers *out, struct err *err);

/* Append text that stands inside '...'. */
void store_trigger_text(struct buf *sql, const char *text);

/* Free their texts. */
void store_trigger_free(struct store_triggers *triggers);

/* Append "k1, k2" and the key columns with PREFIX before each ("NEW.", "" ...). */
void store_trigger_key_names(struct buf *sql, const struct store_schema *schema);
void store_trigger_keys(struct buf *sql, const struct store_schema *schema, const char *prefix);

#endif /* STORE_TRIGGER_PRIV_H */

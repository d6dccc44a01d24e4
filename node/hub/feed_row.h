/*
 * node/hub/feed_row.h - what of a merged row the feed tells: all its columns as JSON,
 * but for secrets.
 */
#ifndef NODE_FEED_ROW_H
#define NODE_FEED_ROW_H

#include "store/batch.h"
#include "store/catalog.h"

/* Is it a column that never leaves the hub (hashes of PINs and codes)? */
bool feed_row_is_secret(const char *column);

/* Append a row's key: the bare value for one key column, an array for several. */
void feed_row_key(struct buf *out, const struct store_row *row);

/*
 * Append the row as an object: the columns of `s` in their order, then cells of columns that newer
 * programs know, then `_bad_utf8`, if a text was none.
 */
void feed_row_after(struct buf *out, const struct store_schema *s, const struct store_table *table,
                    const struct store_row *row);

/* Append an object that feed_row_after() has written, without the members called `names` (ended by
 * NULL). */
void feed_row_without(struct buf *out, const char *after, const char *const *names);

#endif /* NODE_FEED_ROW_H */

/*
 * sync/history.h - what was written, when and by whom, out of the segments.
 *
 * A history is one look at the file: a transaction in which the changes that
 * still wait in the log are sealed first, so that they are told like all
 * others, and which is rolled back at the end.  Nothing is written.
 */
#ifndef SYNC_HISTORY_H
#define SYNC_HISTORY_H

#include "sync/replica.h"

struct sync_history;

struct sync_history_entry {
	struct store_change change; /* site: who wrote it, also if it came as a relay */
	int scope;
	int stream_site; /* whose stream it stands in */
	uint64_t n;      /* record number there; 0: it isn't sealed yet */
	uint64_t unit;   /* record number of the unit's opening; 0 likewise */
	bool is_copy;    /* from a re-mint or relay: the original may be here as well */
};

struct sync_history_list {
	struct sync_history_entry *entries;
	size_t count;
};

/*
 * Begin a look; `db` is a STORE_MERGE connection without a transaction and is borrowed until
 * sync_history_end().  ERR_BUSY if another process writes for too long.
 */
MUST_CHECK int sync_history_begin(struct store_db *db, bool is_hub, struct sync_history **h,
                                  struct err *err);

/* Roll back and free it, with every entry; NULL is allowed. */
void sync_history_end(struct sync_history *h);

/* The newest `limit` changes (0: all), newest first.  They live until the end of the look. */
MUST_CHECK int sync_history_newest(struct sync_history *h, size_t limit,
                                   struct sync_history_list *list, struct err *err);

/* All changes of one row, each once, in the order of their versions, also those made before it was
 * moved to another scope.  They live as above. */
MUST_CHECK int sync_history_row(struct sync_history *h, int table, const uint8_t *key,
                                size_t key_len, struct sync_history_list *list, struct err *err);

/*
 * The row (its table and key) as it was in the life `row->cl`, or (0) in its last one, but without
 * its deletion; by column position of `schema`.  ERR_NOTFOUND if there never was one.  Values live
 * as above.
 */
MUST_CHECK int sync_history_revive(struct sync_history *h, const struct store_schema *schema,
                                   const struct store_row *row, struct store_value **values,
                                   struct err *err);

#endif /* SYNC_HISTORY_H */

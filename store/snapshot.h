/*
 * store/snapshot.h - copy parts of tables into a new database file that anybody's
 * SQLite can open: ordinary tables with their keys, no triggers, nothing of the
 * engine's.
 *
 * All parts are of one moment if the caller holds a transaction of a reading
 * connection open meanwhile; nobody who writes waits for it.  Memory is bounded,
 * whatever the tables' size.
 */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "store/transfer.h"

#include <stdatomic.h>

struct store_snapshot;

/*
 * Begin a new file at `path`, which must not be there yet.  *stop, once true, ends a copy that is
 * under way with ERR_BUSY; may be NULL.  The caller owns *out; `from` and `stop` are borrowed.
 */
MUST_CHECK int store_snapshot_open(struct store_db *from, const char *path, const atomic_bool *stop,
                                   struct store_snapshot **out, struct err *err);

/* Copy a part: the table is made, its rows follow in the order of its key, then the indexes that
 * are made of columns it has.  The part may be of a view: it is a table in the copy. */
MUST_CHECK int store_snapshot_add(struct store_snapshot *snap, const struct store_part *part,
                                  struct err *err);

/*
 * Make a view of the copy's tables.  1, or 0 if something that it reads isn't there: then there is
 * no such view.
 */
MUST_CHECK int store_snapshot_view(struct store_snapshot *snap, const char *name, const char *sql,
                                   struct err *err);

/* Keep a fact about the copy, in its table yz_snapshot(name, value). */
MUST_CHECK int store_snapshot_note(struct store_snapshot *snap, const char *name, const char *value,
                                   struct err *err);

/* Finish the file.  It is whole, but not durable, when this returns 0. */
MUST_CHECK int store_snapshot_finish(struct store_snapshot *snap, struct err *err);

/* Free it; a file that wasn't finished is the caller's to delete.  NULL is allowed. */
void store_snapshot_close(struct store_snapshot *snap);

#endif /* STORE_SNAPSHOT_H */

/*
 * store/clock_priv.h - the versions of rows, as they lie in the file.
 *
 *   yz_clock      of one row: cl, stamp, site, schema, scope, whether it has cells in yz_extra,
 * term, and for cells that have a version of their own, exceptions yz_clock_run  of rows that were
 * made together: nothing of it was changed since, so only key, stamp and term differ
 *
 * Each row's version lies in one of the two.  Runs of a table don't overlap; single clocks may lie
 * between the keys of a run.  A run's body:
 *
 *   u8       bytes that all its keys begin with; those are the first bytes of `first`
 *   per row, by rising key
 *     varint · bytes    the rest of the key
 *     zig-zag           stamp less the run's
 *     16                term
 *
 * A run holds as much as fits a page of 4 KiB beside three others (SQLite keeps what is longer than
 * that in pages of its own).  A third of the bytes that single clocks take, and a thirtieth of the
 * work, is why there are runs at all: most rows of a facility are written once.
 */
#ifndef STORE_CLOCK_PRIV_H
#define STORE_CLOCK_PRIV_H

#include "store/base/rd.h"
#include "store/batch.h"
#include "store/stmt.h"

/* A run in memory; `bytes` holds first, last and body, end to end. */
struct store_clock_run {
	int table, site, schema, scope;
	int64_t cl, stamp;
	size_t first_len, last_len, body_len;
	struct buf bytes;
	bool there;
};

/* One of its rows. */
struct store_clock_entry {
	const uint8_t *rest; /* of the key; borrowed */
	size_t rest_len;
	int64_t stamp;
	const uint8_t *term;
	size_t from, to; /* its bytes in the body */
};

/* The columns of yz_clock_run that store_clock_run_take() reads, in its order. */
#define STORE_CLOCK_RUN_COLUMNS "tbl, first, last, cl, stamp, site, schema, scope, body"

/* Copy the run that a statement's row shows.  ERR_CORRUPT if it is damaged. */
MUST_CHECK int store_clock_run_take(struct store_clock_run *run, struct store_stmt *s,
                                    struct err *err);

/* May this key be in it? */
bool store_clock_run_holds(const struct store_clock_run *run, int table, const uint8_t *key,
                           size_t len);

/* Read the entry at r->at and step over it: false at the end, or if the body is damaged (r->bad).
 */
bool store_clock_run_next(const struct store_clock_run *run, struct rd *r,
                          struct store_clock_entry *entry);

/* The entries' reader, and the bytes that all keys begin with. */
struct rd store_clock_run_entries(const struct store_clock_run *run, const uint8_t **shared,
                                  size_t *shared_len);

/* The entry of a key: 1, 0 or negative. */
MUST_CHECK int store_clock_run_find(const struct store_clock_run *run, const uint8_t *key,
                                    size_t len, struct store_clock_entry *entry, struct err *err);

/* Write new rows' clocks as runs: the arguments are those of store_clock_put_many(), whose keys
 * rise. */
MUST_CHECK int store_clock_run_write(struct store_db *db, struct store_row *const *rows,
                                     uint8_t (*terms)[STORE_TERM], size_t count, struct err *err);

/* Take one row's entry out of the run that holds it. */
MUST_CHECK int store_clock_run_drop(struct store_db *db, const struct store_row *row,
                                    struct err *err);

/* One who looks for clocks: compiled statements, and the run that was looked at last. */
struct store_clocks {
	struct store_db *db;
	struct store_stmt one, near, any, any_run;
	struct store_clock_run run;
};

/* Begin and end; nothing but get may happen to clocks meanwhile. */
void store_clock_begin(struct store_clocks *c, struct store_db *db);
void store_clock_end(struct store_clocks *c);

/* Is anything known of table's keys from `first` to `last`?  1, 0 or negative. */
MUST_CHECK int store_clock_any(struct store_clocks *c, const struct store_row *first,
                               const struct store_row *last, struct err *err);

/*
 * The version of the row of this table and key, into the row's own fields; 1 if it has one, 0 if
 * not. *exc are its exceptions, borrowed until the next call.
 */
MUST_CHECK int store_clock_find(struct store_clocks *c, struct store_row *row, struct rd *exc,
                                struct err *err);

/* The same of one row alone, less its exceptions; nothing, if nothing is known of it. */
MUST_CHECK int store_clock_look(struct store_db *db, struct store_row *row, struct err *err);

/* Write the version of one row, which is new or has been found; `exc`: its exceptions. */
MUST_CHECK int store_clock_put(struct store_db *db, struct store_row *row, const struct buf *exc,
                               struct err *err);

/*
 * Write those of new rows: alike in table, cl, site, schema and scope, without exceptions or cells
 * in yz_extra.  Their terms are in `terms`, as rows->term is still what it was before.
 */
MUST_CHECK int store_clock_put_many(struct store_db *db, struct store_row *const *rows,
                                    uint8_t (*terms)[STORE_TERM], size_t count, struct err *err);

/* A walk over all clocks, page by page; set `db` and `table` (0: every table), zero the rest. */
enum { STORE_CLOCK_PAGE = 500 };

struct store_clock_walk {
	struct store_db *db;
	int table;
	/* the page: rows by rising table and key, with table, key, scope, cl, stamp and term */
	struct store_row *rows[STORE_CLOCK_PAGE];
	size_t count;
	struct arena arena; /* they live in it; free for the caller's use until the next page */
	/* where it stands: single clocks come first, then runs */
	bool in_runs;
	int at_table;
	struct buf at_key;
};

/* Go to the next page: 1, or 0 after the last. */
MUST_CHECK int store_clock_next(struct store_clock_walk *w, struct err *err);

/* Free what it owns. */
void store_clock_walk_end(struct store_clock_walk *w);

#endif /* STORE_CLOCK_PRIV_H */

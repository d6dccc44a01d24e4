/*
 * tests/capture_help.h - one database file per test, written to by us or by a
 * foreign program, and its folded log as text.
 */
#ifndef TESTS_CAPTURE_HELP_H
#define TESTS_CAPTURE_HELP_H

#include "store/base/buf.h"
#include "store/log.h"
#include "store/track.h"

extern struct store_db *capture_local; /* as people write */
extern struct store_db *capture_merge; /* as seal reads */
extern struct err capture_err;

/* Check fixture: an empty database in a directory of its own. */
void capture_open(void);
void capture_close(void);

/* A file in that directory; borrowed for the next three calls.  y.db is removed at the end. */
const char *capture_path(const char *name);

/* Run SQL on the local connection; it must succeed. */
void capture_exec(const char *sql);

/* Run SQL as we or as Debian's Python would; `words` gets the error's message, "" if there is none.
 */
void capture_write(bool foreign, const char *sql, struct buf *words);

/* Take what waits in the log and give its rows clocks, as a seal does (without its records). */
void capture_seal(void);

/* Track tables (as a facility unless is_hub) and seal what that logged. */
void capture_track(const struct store_track_spec *spec, bool is_hub);

/* store_track_table in a transaction of its own, rolled back on error. */
int capture_try_track(const struct store_track_spec *spec, bool is_hub);

/* store_track_refresh in a transaction of its own. */
void capture_refresh(void);

/*
 * Take up to `max` entries and write them to `out`, a line per row in order:
 *   t 1/'x' insert | update a b | delete | insert gone      then kept m=5
 * Columns are those of the mask with their present values, "a=1".
 */
void capture_take(size_t max, bool *more, struct buf *out);

/* One integer from a query on the local connection. */
int64_t capture_int(const char *sql);

#endif /* TESTS_CAPTURE_HELP_H */

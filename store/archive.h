/*
 * store/archive.h - the archive's boundaries: one row per proof commit, kept in
 * the database so that the git repository can be made again from it.
 *
 * Invariants:
 *   - the rows of a branch are numbered 1, 2, 3 ... and never change;
 *   - `at_ms` never goes back along a branch.
 */
#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H

#include "store/base/arena.h"
#include "store/db.h"

struct store_archive_row {
	const char *branch; /* "proof/<node>-<epoch>" */
	int64_t no;
	int64_t at_ms;
	const uint8_t *bounds; /* as sync/archive writes them */
	size_t bounds_len;
	const char *commit; /* its id, 40 hex digits */
};

/* Add a row; in a transaction of the caller's. ERR_INVALID if (branch, no) is taken. */
MUST_CHECK int store_archive_put(struct store_db *db, const struct store_archive_row *row,
                                 struct err *err);

/* The rows of a branch (NULL: of all, branch by branch) in their order; they live in `a`. */
MUST_CHECK int store_archive_list(struct store_db *db, const char *branch, struct arena *a,
                                  struct store_archive_row **rows, size_t *count, struct err *err);

#endif /* STORE_ARCHIVE_H */

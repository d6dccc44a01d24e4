/*
 * sync/archive/archive_priv.h - what the files of sync/archive/ share.
 *
 *   archive_git     libgit2: objects by their bytes, one pack a round, branches
 *   archive_row     yz_archive rows, their bytes, names of branches and files
 *   archive_proof   rows to commits, by the same code when new, made up for, rebuilt or verified
 *   archive_data    segments to files by day
 *   archive_walk    hold segments against heads
 *   archive_gap     what was written again in a later life
 */
#ifndef SYNC_ARCHIVE_PRIV_H
#define SYNC_ARCHIVE_PRIV_H

#include "store/archive.h"
#include "sync/archive/archive.h"
#include "sync/codec/segment.h"

/* ---------------------------------------------------------------- archive_git */

enum sync_archive_kind { SYNC_ARCHIVE_COMMIT, SYNC_ARCHIVE_TREE, SYNC_ARCHIVE_BLOB };

/* The name of a git object. */
struct sync_archive_oid {
	uint8_t bytes[20];
};

struct sync_archive_git;

/* Open a bare repository; ERR_NOTFOUND if there is none. */
MUST_CHECK int sync_archive_git_open(const char *path, struct sync_archive_git **git,
                                     struct err *err);

/* Make an empty one, readable by its owner only, and open it. */
MUST_CHECK int sync_archive_git_create(const char *path, struct sync_archive_git **git,
                                       struct err *err);

/* Likewise, so that a cut leaves either all of it or nothing at `path`; what is there and no
 * repository is deleted. */
MUST_CHECK int sync_archive_git_create_whole(const char *path, struct sync_archive_git **git,
                                             struct err *err);

/* Put the repository `fresh` in the place of `path`, durably.  In the middle of it a cut leaves
 * none at `path`, and the next round makes one. */
MUST_CHECK int sync_archive_git_place(const char *fresh, const char *path, struct err *err);

/* Let go of it and of what was put but not flushed; NULL is allowed. */
void sync_archive_git_close(struct sync_archive_git *git);

/* Name an object without keeping it: 1 if the repository has it, 0 if not. */
MUST_CHECK int sync_archive_git_name(struct sync_archive_git *git, enum sync_archive_kind kind,
                                     const struct buf *bytes, struct sync_archive_oid *oid,
                                     struct err *err);

/*
 * Name an object and, unless the repository has it, keep it in memory for the next flush.  One that
 * it has is read and checked against its name if `git` was told to be strict.
 */
MUST_CHECK int sync_archive_git_put(struct sync_archive_git *git, enum sync_archive_kind kind,
                                    const struct buf *bytes, struct sync_archive_oid *oid,
                                    struct err *err);
void sync_archive_git_strict(struct sync_archive_git *git);

/* How many objects were put that the repository didn't have. */
size_t sync_archive_git_pending(const struct sync_archive_git *git);

/* Write all of them as one pack, on disk when it returns. */
MUST_CHECK int sync_archive_git_flush(struct sync_archive_git *git, struct err *err);

/* Where a branch points: 1, or 0 if there is no such branch. */
MUST_CHECK int sync_archive_git_branch(struct sync_archive_git *git, const char *branch,
                                       struct sync_archive_oid *oid, struct err *err);

/* Point a branch at a commit; HEAD too if `head`. */
MUST_CHECK int sync_archive_git_point(struct sync_archive_git *git, const char *branch,
                                      const struct sync_archive_oid *oid, bool head,
                                      struct err *err);

/* The tree of a commit. */
MUST_CHECK int sync_archive_git_tree(struct sync_archive_git *git,
                                     const struct sync_archive_oid *commit,
                                     struct sync_archive_oid *tree, struct err *err);

/* Give each file of a commit to `each` with its path ("2026/03/02/all.yzs"), in the order of the
 * paths. */
MUST_CHECK int
sync_archive_git_files(struct sync_archive_git *git, const struct sync_archive_oid *commit,
                       int (*each)(void *ctx, const char *path, const struct sync_archive_oid *oid,
                                   struct err *err),
                       void *ctx, struct err *err);

/* Append the bytes of a file. */
MUST_CHECK int sync_archive_git_read(struct sync_archive_git *git,
                                     const struct sync_archive_oid *oid, struct buf *out,
                                     struct err *err);

/* Call `each` with the names of all branches. */
MUST_CHECK int sync_archive_git_branches(struct sync_archive_git *git,
                                         int (*each)(void *ctx, const char *branch,
                                                     struct err *err),
                                         void *ctx, struct err *err);

/* How many packs the repository at `path` has. */
size_t sync_archive_git_packs(const char *path);

/* Delete a repository; absent is fine. */
MUST_CHECK int sync_archive_git_remove(const char *path, struct err *err);

/* ---------------------------------------------------------------- archive_row */

/* "proof/<node>-<epoch>" or "data/..."; and back, false if it isn't one. */
void sync_archive_row_branch(char out[SYNC_ARCHIVE_BRANCH], const char *kind,
                             const struct sync_site *site);
MUST_CHECK bool sync_archive_row_site(const char *branch, struct sync_site *site);

/* A scope as a file name: '/' is '+', everything but letters, digits, '-', '_' and inner '.' is
 * %XX. */
void sync_archive_row_file(struct buf *out, const char *scope);

/* The bytes of the column `bounds`; see the table in archive_row.c. */
void sync_archive_row_write(struct buf *out, const struct sync_archive_entry *entry);
MUST_CHECK int sync_archive_row_read(const struct store_archive_row *row, struct arena *a,
                                     struct sync_archive_entry *out, struct err *err);

/* The rows of a branch (NULL: all), read. */
MUST_CHECK int sync_archive_row_list(struct store_db *db, const char *branch, struct arena *a,
                                     struct sync_archive_entry **list, size_t *count,
                                     struct err *err);

/* ---------------------------------------------------------------- archive_proof */

/* A proof branch at the place that the replay of its rows has come to. */
struct sync_archive_proof {
	struct sync_archive_git *git;
	struct sync_site site;
	size_t file_count, file_room;
	struct sync_archive_file *files; /* owned; by name */
	bool has_parent;
	struct sync_archive_oid parent;
};

struct sync_archive_file {
	char name[3 * STORE_SCOPE_MAX + 1];
	struct sync_archive_oid oid;
};

/* Free what it owns. */
void sync_archive_proof_free(struct sync_archive_proof *p);

/* Begin behind a commit that the repository has. */
MUST_CHECK int sync_archive_proof_resume(struct sync_archive_proof *p,
                                         const struct sync_archive_oid *commit, struct err *err);

/*
 * Put the objects of the next commit.  With a key the entry is signed and its commit id set;
 * without, the entry must give the commit id it names, with its own signature: ERR_CORRUPT if not.
 */
MUST_CHECK int sync_archive_proof_next(struct sync_archive_proof *p,
                                       struct sync_archive_entry *entry, const struct sync_key *key,
                                       struct err *err);

/* ---------------------------------------------------------------- archive_signers */

/* Add a site's key to the file at `path` unless it is there; what else stands there stays. */
MUST_CHECK int sync_archive_allow(const char *path, const struct sync_site *site,
                                  const uint8_t key[SYNC_PUBLIC_KEY], struct err *err);

/* ---------------------------------------------------------------- archive_walk */

/* Schemas of a stream of this database, for sync_segment_open. */
struct sync_archive_schemas {
	struct store_db *db;
	int stream;
};
struct sync_codec_schemas sync_archive_schemas_of(struct sync_archive_schemas *s);

/* A walk along one stream's segments, from record 1. */
struct sync_archive_walk {
	struct sync_archive_schemas schemas;
	struct sync_site site;
	const char *scope;
	const struct sync_archive_bound **due; /* heads to meet, rising by n; borrowed */
	size_t due_count, due_next;
	const struct sync_archive_check *keys; /* whose keys may sign; NULL: anybody's */
	bool anywhere;                         /* a file may begin in the middle of the stream */
	uint64_t n;                            /* where it has come to */
	uint8_t head[STORE_HEAD];
};

/* Hold the next segment against the walk: continues it, hashes to its head, is signed, meets what
 * is due. */
MUST_CHECK int sync_archive_walk_next(struct sync_archive_walk *w, const struct store_segment *seg,
                                      struct err *err);

/* The same for segments in their stored form, end to end. */
MUST_CHECK int sync_archive_walk_file(struct sync_archive_walk *w, const struct buf *bytes,
                                      struct err *err);

/* Is nothing due any more? */
MUST_CHECK int sync_archive_walk_end(const struct sync_archive_walk *w, struct err *err);

/* May this key have signed for that site? */
bool sync_archive_walk_knows(const struct sync_archive_check *keys, const struct sync_site *site,
                             const uint8_t key[SYNC_PUBLIC_KEY]);

/* ---------------------------------------------------------------- archive_gap */

/* Records of a stream of an earlier life that were written again in a later one. */
struct sync_archive_gap {
	uint64_t first, last;
};

/* Is there such a gap in a stream of `site`'s?  1, 0 or negative.  Reads what its node's other
 * lives have written in the scope. */
MUST_CHECK int sync_archive_gap_find(struct store_db *db, const struct sync_site *site,
                                     const struct store_stream *stream,
                                     struct sync_archive_gap *gap, struct err *err);

/* ---------------------------------------------------------------- archive_data */

struct sync_archive_data {
	struct store_db *db;
	struct sync_archive_git *git;
	struct sync_site site;
	const struct sync_archive_entry *entries; /* of the proof branch, oldest first */
	size_t entry_count;
	int64_t at_ms;
	bool has_old; /* what the branch holds now */
	struct sync_archive_oid old;
	size_t files, unproven; /* counted */
};

/* Put the objects of the data branch as it should be now; 1 and *commit if it is another than
 * `old`, else 0. */
MUST_CHECK int sync_archive_data_make(struct sync_archive_data *d, struct sync_archive_oid *commit,
                                      struct err *err);

/* The streams of a site in this database. */
MUST_CHECK int sync_archive_data_streams(struct store_db *db, const struct sync_site *site,
                                         struct arena *a, struct store_stream **list, size_t *count,
                                         struct err *err);

/* ---------------------------------------------------------------- archive_count */

/* Append a commit's first line: the changes that these bounds bring, by table. */
MUST_CHECK int sync_archive_count(struct store_db *db, const struct sync_archive_job *job,
                                  const int *streams, const struct sync_archive_entry *entry,
                                  struct buf *out, struct err *err);

#endif /* SYNC_ARCHIVE_PRIV_H */

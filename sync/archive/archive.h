/*
 * sync/archive/archive.h - the history of this node's own streams in a git repository:
 * proof that never changes, data that can.
 *
 *     DIR/archive.git
 *       proof/<site>   append-only; a commit per round, signed in SSH format by the node's key;
 *                      tree: a small file per stream (n, head, signature, key)
 *       data/<site>    <year>/<month>/<day>/<scope>.yzs: the segments of that day, end to end
 *     DIR/allowed_signers
 *
 * <site> is node id "-" epoch in hex.  Everything that goes into a proof commit is first a row of
 * yz_archive; the repository is made from the rows and from yz_segment and can be made again, with
 * the same proof commits.  Stock git checks it:
 *
 *     git -C DIR/archive.git -c gpg.ssh.allowedSignersFile=DIR/allowed_signers verify-commit
 * proof/<site>
 *
 * Now, rebuild and verify take a database without an open transaction; all block on the disk.
 */
#ifndef SYNC_ARCHIVE_H
#define SYNC_ARCHIVE_H

#include "sync/codec/sign.h"

enum {
	SYNC_ARCHIVE_ID = 40,     /* hex digits of a commit id */
	SYNC_ARCHIVE_BRANCH = 64, /* room for a branch's name */
};

/* How a table is called in a commit's first line ("attendance"); NULL: by its own name. */
typedef const char *sync_archive_label(void *ctx, const char *table);

struct sync_archive_job {
	const char *dir;            /* DIR, which exists */
	const struct sync_key *key; /* the node's */
	const char *name;           /* of the node, for people: the commits' author */
	int64_t now_ms;
	sync_archive_label *label; /* may be NULL */
	void *label_ctx;
};

struct sync_archive_result {
	char branch[SYNC_ARCHIVE_BRANCH]; /* this node's proof branch now */
	char head[SYNC_ARCHIVE_ID + 1];   /* its last commit; "" if there is none yet */
	size_t commits;                   /* proof commits written, those made up for included */
	size_t files;                     /* days written to data/ */
	size_t unproven;                  /* days left as they were: a segment doesn't verify */
};

/*
 * One round: make up for commits that a power cut prevented, then commit what the own streams have
 * grown by up to their last signed record (nothing if they haven't), and bring data/ up to date.
 * The row is committed to the database before anything is written to git.  ERR_INVALID if the
 * repository's branch holds commits that this database doesn't know.
 */
MUST_CHECK int sync_archive_now(struct store_db *db, const struct sync_archive_job *job,
                                struct sync_archive_result *result, struct err *err);

/*
 * Make DIR/archive.git anew from the database: all proof branches with their old commit ids, data
 * branches with the segments as they are now and nothing of what they were (after an erasure).  The
 * old repository's config is kept, the rest of it is deleted.  ERR_INVALID if it holds proof
 * commits that the database doesn't know; ERR_CORRUPT if a row doesn't give the commit it names.
 */
MUST_CHECK int sync_archive_rebuild(struct store_db *db, const char *dir,
                                    struct sync_archive_result *result, struct err *err);

/* Where a stream stood at a commit. */
struct sync_archive_bound {
	const char *scope;
	uint64_t before; /* records at the commit before; the round brought before + 1 .. n */
	uint64_t n;
	uint8_t head[STORE_HEAD];
	uint8_t signature[STORE_SIGNATURE]; /* of the head */
	uint8_t key[SYNC_PUBLIC_KEY];       /* that made it */
};

/* A row of yz_archive, read. */
struct sync_archive_entry {
	const char *branch;
	int64_t no; /* 1, 2, 3 ... in its branch */
	int64_t at_ms;
	char commit[SYNC_ARCHIVE_ID + 1];
	const char *name;    /* author */
	const char *subject; /* "41 attendance, 49 health checks, 6 growth" */
	uint8_t key[SYNC_PUBLIC_KEY];
	uint8_t signature[STORE_SIGNATURE]; /* of the commit */
	size_t bound_count;
	struct sync_archive_bound *bounds; /* of the streams that grew */
};

/* All proof commits, branch by branch, oldest first; they live in `a`. */
MUST_CHECK int sync_archive_log(struct store_db *db, struct arena *a,
                                struct sync_archive_entry **entries, size_t *count,
                                struct err *err);

/* The first proof commit that covers record n of a stream; ERR_NOTFOUND if none does (yet). */
MUST_CHECK int sync_archive_commit_for(struct store_db *db, const struct sync_site *site,
                                       const char *scope, uint64_t n,
                                       char commit[SYNC_ARCHIVE_ID + 1], struct err *err);

/* A thing that verify found, as sentences for a person. */
struct sync_archive_problem {
	const char *what;
	const char *where;
	const char *todo;
};

struct sync_archive_check {
	void (*tell)(void *ctx, const struct sync_archive_problem *problem);
	/* Is this, or was it, a key of that node?  NULL: only the one that its id is made of. */
	bool (*is_key)(void *ctx, const struct sync_site *site, const uint8_t key[SYNC_PUBLIC_KEY]);
	/* Records of a stream that the proof covers and that were written again in a later life
	 * (sync/seal/remint.h): in order, but to be said.  May be NULL. */
	void (*again)(void *ctx, const char *scope, uint64_t first, uint64_t last);
	void *ctx;
	size_t commits, streams, files, problems; /* counted by verify */
};

/*
 * Hold everything against everything: rows against commits (content, id, signature), heads in the
 * proof against the chain in yz_segment and its signatures, the segments of data/ against the
 * heads, and every key that has signed against the node.  What is wrong is told and counted; an
 * error is returned only if it couldn't be looked at.
 */
MUST_CHECK int sync_archive_verify(struct store_db *db, const char *dir,
                                   struct sync_archive_check *check, struct err *err);

#endif /* SYNC_ARCHIVE_H */

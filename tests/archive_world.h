/*
 * tests/archive_world.h - one node's folder with a database whose streams hold
 * real, signed segments, made without the tables they speak of.
 *
 * Keys, seeds and times are fixed, so that the same calls give the same heads
 * and the same commits each time.
 */
#ifndef TESTS_ARCHIVE_WORLD_H
#define TESTS_ARCHIVE_WORLD_H

#include "store/base/buf.h"
#include "sync/archive/archive.h"

enum { WORLD_TABLES = 2, WORLD_DAY = 20514 }; /* 2026-03-02 */

struct archive_world {
	char dir[64];
	struct store_db *db;
	struct sync_key key;
	struct sync_site site; /* as which units are written; at first the database's own */
	int64_t now_ms;        /* what rounds are told */
	unsigned made;         /* changes so far, for their keys */
	struct sync_archive_result result;
	uint8_t first_key[SYNC_PUBLIC_KEY];
	bool rotated; /* verify is told that the key of seed 9 0 0 ... is this node's too */
};

/* What one unit brings. */
struct archive_unit {
	const char *scope;
	int day;                        /* from WORLD_DAY */
	unsigned changes[WORLD_TABLES]; /* of care_event, of growth */
};

/* Make the folder, the database and the first life of the node. */
void archive_world_open(struct archive_world *w);
void archive_world_close(struct archive_world *w);

/* Another life: a new epoch, whose streams begin anew. */
void archive_world_new_epoch(struct archive_world *w, uint8_t epoch);

/* Append a unit as one segment; signed unless told otherwise. */
void archive_world_unit(struct archive_world *w, const struct archive_unit *unit, bool is_signed);

/* One round that must work; returns how many commits it made. */
size_t archive_world_round(struct archive_world *w);

/* The job that archive_world_round gives. */
struct sync_archive_job archive_world_job(const struct archive_world *w);

/* Make one segment of all segments of a stream's records first..last. */
void archive_world_roll_up(struct archive_world *w, const char *scope, uint64_t first,
                           uint64_t last);

/* Replace one record by its leaf. */
void archive_world_redact(struct archive_world *w, const char *scope, uint64_t n);

/* Run statements on the database. */
void archive_world_sql(struct archive_world *w, const char *sql);

/* Run a shell command in the folder, with $GIT as git on archive.git; its exit status, output in
 * `out` (may be NULL). */
int archive_world_shell(const struct archive_world *w, struct buf *out, const char *command);

/* A command that must work, with exactly that output (NULL: any). */
void archive_world_expect(const struct archive_world *w, const char *command, const char *want);

/* fsck, and that many proof commits, each verified by ssh-keygen with the key that is allowed. */
void archive_world_expect_git(const struct archive_world *w, size_t commits);

/* verify finds nothing (NULL), or something that says `words`. */
void archive_world_expect_verify(const struct archive_world *w, const char *words);

/* Four rounds over three days: f/F-1 to records 5, 8, 13, 20; all to 2 in the second. */
void archive_world_three_days(struct archive_world *w);

#endif /* TESTS_ARCHIVE_WORLD_H */

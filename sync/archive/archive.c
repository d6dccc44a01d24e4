/*
 * sync/archive/archive.c - the rounds of the archive: now, rebuild, log.
 *
 * Order of a round, and what a power cut between two steps leaves:
 *
 *   1 the commit is made in memory, signed and named
 *   2 its row is committed to the database    (a row without a commit: made up for next time)
 *   3 one pack with all new objects           (objects that nothing names: harmless)
 *   4 the branches are moved                  (done)
 *
 * The row holds the signature, so making up for a commit needs no key and gives
 * the same commit even if the key has been rotated meanwhile.
 *
 * git is never asked what happened: it only says up to which row its branch is.
 * A branch that stands on a commit that is in no row means that the database is
 * older than the repository (restored); then nothing is touched.
 */
#include "sync/archive/archive.h"
#include "store/base/file.h"
#include "store/base/text.h"
#include "sync/archive/archive_priv.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PACKS_MAX = 50, /* then the repository is made anew, with one */
	CONFIG_MAX = 1 << 20,
	NAME_MAX_BYTES = 96,
};

/* ---------------------------------------------------------------- small helpers */

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "archive: out of memory");
}

/* DIR and a name below it, in the arena; NULL without memory. */
static const char *
below(struct arena *a, const char *dir, const char *name)
{
	size_t size = strlen(dir) + strlen(name) + 2;
	char *path = arena_take(a, size, 1);

	if (path != NULL)
		snprintf(path, size, "%s/%s", dir, name);
	return path;
}

/* A name that git takes for a person's: no brackets or control characters, not empty. */
static const char *
author(struct arena *a, const char *name)
{
	char *clean = arena_take(a, NAME_MAX_BYTES, 1);
	bool seen = false;

	if (clean == NULL)
		return NULL;
	text_copy(clean, NAME_MAX_BYTES, name);
	for (char *c = clean; *c != 0; c++) {
		if (*c == '<' || *c == '>' || iscntrl((unsigned char)*c))
			*c = ' ';
		seen = seen || *c != ' ';
	}
	while (*clean == ' ')
		clean++;
	return seen ? clean : "yizhan";
}

static void
site_of(struct sync_site *out, const struct store_site *site)
{
	memcpy(out->node, site->node, STORE_NODE_ID);
	memcpy(out->epoch, site->epoch, STORE_EPOCH);
}

/* ---------------------------------------------------------------- one branch */

/* What a round knows about the branch it is at. */
struct round {
	struct store_db *db;
	struct arena *a;
	struct sync_archive_git *git;
	struct sync_archive_proof proof;
	struct sync_archive_entry *entries; /* rows, and behind them room for one */
	size_t count;
	char proof_name[SYNC_ARCHIVE_BRANCH], data_name[SYNC_ARCHIVE_BRANCH];
	bool has_data;
	struct sync_archive_oid data;
	struct sync_archive_result *result;
};

static void
name_branches(struct round *r, const struct sync_site *site)
{
	r->proof.git = r->git;
	r->proof.site = *site;
	sync_archive_row_branch(r->proof_name, "proof", site);
	sync_archive_row_branch(r->data_name, "data", site);
}

static int
unknown_commits(const char *branch, struct err *err)
{
	return err_set(err, ERR_INVALID,
	               "archive.git: %s holds commits that this database doesn't know (an older "
	               "copy of it?);"
	               " move archive.git away and run archive rebuild",
	               branch);
}

static int
resume(struct round *r, const struct sync_archive_oid *at, struct err *err)
{
	struct err why;

	if (sync_archive_proof_resume(&r->proof, at, &why) == 0)
		return 0;
	return err_set(err, why.code, "%s; run archive rebuild", why.msg);
}

/* The row whose commit the branch stands on, plus one; 0 if there is no branch. */
static int
find_branch(struct round *r, size_t *from, struct err *err)
{
	struct sync_archive_oid at;
	char id[SYNC_ARCHIVE_ID + 1];
	int rc = sync_archive_git_branch(r->git, r->proof_name, &at, err);

	*from = 0;
	if (rc <= 0)
		return rc;
	text_hex(id, at.bytes, sizeof at.bytes);
	for (size_t i = r->count; i > 0; i--)
		if (strcmp(r->entries[i - 1].commit, id) == 0) {
			*from = i;
			return resume(r, &at, err);
		}
	return unknown_commits(r->proof_name, err);
}

/* Make the commits of all rows that the branch doesn't have. */
static int
make_up(struct round *r, struct err *err)
{
	size_t from;
	int rc = find_branch(r, &from, err);

	for (size_t i = from; rc == 0 && i < r->count; i++) {
		rc = sync_archive_proof_next(&r->proof, &r->entries[i], NULL, err);
		r->result->commits += rc == 0;
	}
	return rc;
}

static int
make_data(struct round *r, int64_t at_ms, struct err *err)
{
	struct sync_archive_data d = { .db = r->db,
		                       .git = r->git,
		                       .site = r->proof.site,
		                       .entries = r->entries,
		                       .entry_count = r->count,
		                       .at_ms = at_ms };
	int rc;

	if (r->count == 0)
		return 0;
	rc = sync_archive_git_branch(r->git, r->data_name, &d.old, err);
	if (rc < 0)
		return rc;
	d.has_old = rc == 1;
	rc = sync_archive_data_make(&d, &r->data, err);
	r->has_data = rc == 1;
	r->result->files += d.files;
	r->result->unproven += d.unproven;
	return rc < 0 ? rc : 0;
}

/* Steps 3 and 4. */
static int
publish(struct round *r, bool head, struct err *err)
{
	int rc = sync_archive_git_flush(r->git, err);

	if (rc == 0 && r->proof.has_parent)
		rc = sync_archive_git_point(r->git, r->proof_name, &r->proof.parent, head, err);
	if (rc == 0 && r->has_data)
		rc = sync_archive_git_point(r->git, r->data_name, &r->data, false, err);
	return rc;
}

/* ---------------------------------------------------------------- now */

/* Where a scope stood at the last commit. */
static uint64_t
archived(const struct round *r, const char *scope)
{
	for (size_t i = r->count; i-- > 0;)
		for (size_t j = 0; j < r->entries[i].bound_count; j++)
			if (strcmp(r->entries[i].bounds[j].scope, scope) == 0)
				return r->entries[i].bounds[j].n;
	return 0;
}

/* The last signed head of a stream into `b`: 1, or 0 if it isn't beyond `before`. */
static int
last_signed(struct round *r, const struct store_stream *stream, struct sync_archive_bound *b,
            struct err *err)
{
	struct store_segment seg;
	uint64_t n = stream->n;

	while (n > b->before) {
		struct arena a = { 0 };
		int rc = store_segment_at(r->db, stream->id, n, &a, &seg, err);

		arena_free(&a); /* heads and signature are in the struct */
		if (rc < 0)
			return rc;
		if (seg.is_signed && seg.last > b->before) {
			b->n = seg.last;
			memcpy(b->head, seg.head, sizeof b->head);
			memcpy(b->signature, seg.signature, sizeof b->signature);
			memcpy(b->key, seg.key, sizeof b->key);
			return 1;
		}
		n = seg.first - 1;
	}
	return 0;
}

/* Which own streams have grown, and how far. */
static int
find_growth(struct round *r, struct sync_archive_entry *entry, int **stream_ids, struct err *err)
{
	struct store_stream *streams;
	size_t count;
	int rc;

	rc = sync_archive_data_streams(r->db, &r->proof.site, r->a, &streams, &count, err);
	if (rc < 0)
		return rc;
	entry->bounds = arena_take(r->a, count, sizeof *entry->bounds);
	*stream_ids = arena_take(r->a, count, sizeof **stream_ids);
	if (entry->bounds == NULL || *stream_ids == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count && rc >= 0; i++) {
		struct sync_archive_bound *b = &entry->bounds[entry->bound_count];

		b->scope = store_catalog_scope_of(r->db, streams[i].scope);
		b->before = archived(r, b->scope);
		rc = last_signed(r, &streams[i], b, err);
		if (rc == 1)
			(*stream_ids)[entry->bound_count++] = streams[i].id;
	}
	return rc < 0 ? rc : 0;
}

static int
put_row(struct round *r, const struct sync_archive_entry *entry, struct err *err)
{
	struct buf bounds = { 0 };
	struct store_archive_row row = { .branch = entry->branch,
		                         .no = entry->no,
		                         .at_ms = entry->at_ms,
		                         .commit = entry->commit };
	int rc;

	sync_archive_row_write(&bounds, entry);
	row.bounds = bounds.bytes;
	row.bounds_len = bounds.len;
	rc = buf_check(&bounds, err);
	if (rc == 0)
		rc = store_archive_put(r->db, &row, err);
	buf_free(&bounds);
	return rc;
}

/* A commit for what the own streams have grown by, and its row. */
static int
add_commit(struct round *r, const struct sync_archive_job *job, struct err *err)
{
	struct sync_archive_entry *entry = &r->entries[r->count];
	struct buf subject = { 0 };
	int *streams;
	int rc;

	*entry = (struct sync_archive_entry){ .branch = r->proof_name,
		                              .no = (int64_t)r->count + 1,
		                              .at_ms = job->now_ms < 0 ? 0 : job->now_ms };
	if (r->count > 0 && entry->at_ms < entry[-1].at_ms)
		entry->at_ms = entry[-1].at_ms;
	rc = find_growth(r, entry, &streams, err);
	if (rc < 0 || entry->bound_count == 0)
		return rc;
	rc = sync_archive_count(r->db, job, streams, entry, &subject, err);
	entry->subject = arena_copy(r->a, subject.bytes, subject.len);
	entry->name = author(r->a, job->name);
	buf_free(&subject);
	if (rc == 0 && (entry->subject == NULL || entry->name == NULL))
		rc = no_memory(err);
	if (rc == 0)
		rc = sync_archive_proof_next(&r->proof, entry, job->key, err);
	if (rc == 0)
		rc = put_row(r, entry, err);
	if (rc == 0) {
		r->count++;
		r->result->commits++;
	}
	return rc;
}

/* The rows of the branch, with room for one more behind them. */
static int
read_rows(struct round *r, struct err *err)
{
	struct sync_archive_entry *rows;
	int rc = sync_archive_row_list(r->db, r->proof_name, r->a, &rows, &r->count, err);

	if (rc < 0)
		return rc;
	r->entries = arena_take(r->a, r->count + 1, sizeof *rows);
	if (r->entries == NULL)
		return no_memory(err);
	memcpy(r->entries, rows, r->count * sizeof *rows);
	return 0;
}

/* Everything that reads the database or adds to it, in the transaction of the caller's. */
static int
run_round(struct round *r, const struct sync_archive_job *job, int *data_rc, struct err *err)
{
	struct store_site self;
	struct sync_site site;
	int64_t at_ms;
	int rc;

	if ((rc = store_meta_self(r->db, &self, err)) < 0)
		return rc;
	site_of(&site, &self);
	name_branches(r, &site);
	rc = read_rows(r, err);
	if (rc == 0)
		rc = make_up(r, err);
	if (rc == 0)
		rc = add_commit(r, job, err);
	if (rc < 0)
		return rc;
	at_ms = r->count > 0 && job->now_ms < r->entries[r->count - 1].at_ms
	                ? r->entries[r->count - 1].at_ms
	                : job->now_ms;
	*data_rc = make_data(r, at_ms, err);
	return 0;
}

static int
open_or_create(const char *path, struct sync_archive_git **git, struct err *err)
{
	int rc = sync_archive_git_open(path, git, err);

	return rc == ERR_NOTFOUND ? sync_archive_git_create_whole(path, git, err) : rc;
}

static void
fill_result(const struct round *r)
{
	snprintf(r->result->branch, sizeof r->result->branch, "%s", r->proof_name);
	if (r->count > 0)
		snprintf(r->result->head, sizeof r->result->head, "%s",
		         r->entries[r->count - 1].commit);
}

static int
one_round(struct round *r, const struct sync_archive_job *job, const char *signers, struct err *err)
{
	int data_rc = 0, rc;

	if ((rc = store_db_begin(r->db, err)) < 0)
		return rc;
	rc = run_round(r, job, &data_rc, err);
	if (rc == 0)
		rc = store_db_commit(r->db, err);
	if (rc < 0) {
		store_db_rollback(r->db);
		return rc;
	}
	/* A trouble with data/ must not hold up the proof; it is reported all the same. */
	if (r->count > 0)
		rc = sync_archive_allow(signers, &r->proof.site, r->entries[r->count - 1].key, err);
	if (rc == 0)
		rc = publish(r, true, err);
	fill_result(r);
	return rc < 0 ? rc : data_rc;
}

int
sync_archive_now(struct store_db *db, const struct sync_archive_job *job,
                 struct sync_archive_result *result, struct err *err)
{
	struct arena a = { 0 };
	struct round r = { .db = db, .a = &a, .result = result };
	struct sync_archive_result again = { 0 };
	const char *path = below(&a, job->dir, "archive.git"),
	           *signers = below(&a, job->dir, "allowed_signers");
	struct err ignored;
	int rc;

	assert(!store_db_in_transaction(db));
	*result = (struct sync_archive_result){ 0 };
	rc = path == NULL || signers == NULL ? no_memory(err) : open_or_create(path, &r.git, err);
	if (rc == 0)
		rc = one_round(&r, job, signers, err);
	sync_archive_proof_free(&r.proof);
	sync_archive_git_close(r.git);
	/* Only housekeeping: where it can't be done the repository keeps its many packs. */
	if (rc == 0 && sync_archive_git_packs(path) > PACKS_MAX)
		(void)(sync_archive_rebuild(db, job->dir, &again, &ignored) == 0);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "archive") : 0;
}

/* ---------------------------------------------------------------- rebuild */

struct rebuild {
	struct store_db *db;
	struct arena *a;
	struct sync_archive_git *old; /* NULL if there is none */
	struct sync_archive_git *git;
	struct sync_archive_entry *entries; /* of all branches */
	size_t count;
	const char *dir, *path, *fresh, *signers;
	struct sync_archive_result *result;
};

static int
check_known(void *ctx, const char *branch, struct err *err)
{
	struct rebuild *b = ctx;
	struct sync_archive_oid at;
	char id[SYNC_ARCHIVE_ID + 1];

	if (strncmp(branch, "proof/", 6) != 0)
		return 0;
	if (sync_archive_git_branch(b->old, branch, &at, err) < 0)
		return err->code;
	text_hex(id, at.bytes, sizeof at.bytes);
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->entries[i].branch, branch) == 0 &&
		    strcmp(b->entries[i].commit, id) == 0)
			return 0;
	return unknown_commits(branch, err);
}

/* One proof branch, whose rows are entries[from .. to), and its data. */
static int
rebuild_branch(struct rebuild *b, size_t from, size_t to, struct err *err)
{
	struct round r = { .db = b->db,
		           .a = b->a,
		           .git = b->git,
		           .entries = b->entries + from,
		           .count = to - from,
		           .result = b->result };
	struct sync_site site;
	int rc;

	if (!sync_archive_row_site(b->entries[from].branch, &site))
		return err_set(err, ERR_CORRUPT, "%s is no branch of the archive",
		               b->entries[from].branch);
	name_branches(&r, &site);
	rc = make_up(&r, err);
	if (rc == 0)
		rc = make_data(&r, b->entries[to - 1].at_ms, err);
	for (size_t i = from; rc == 0 && i < to; i++)
		if (i == from ||
		    memcmp(b->entries[i].key, b->entries[i - 1].key, SYNC_PUBLIC_KEY) != 0)
			rc = sync_archive_allow(b->signers, &site, b->entries[i].key, err);
	if (rc == 0)
		rc = publish(&r, strcmp(r.proof_name, b->result->branch) == 0, err);
	if (rc == 0 && strcmp(r.proof_name, b->result->branch) == 0)
		fill_result(&r);
	sync_archive_proof_free(&r.proof);
	return rc;
}

static int
rebuild_all(struct rebuild *b, struct err *err)
{
	struct store_site self;
	struct sync_site site;
	size_t from = 0;
	int rc;

	if ((rc = store_meta_self(b->db, &self, err)) < 0)
		return rc;
	site_of(&site, &self);
	sync_archive_row_branch(b->result->branch, "proof", &site);
	rc = sync_archive_row_list(b->db, NULL, b->a, &b->entries, &b->count, err);
	if (rc == 0 && b->old != NULL)
		rc = sync_archive_git_branches(b->old, check_known, b, err);
	for (size_t to = 1; rc == 0 && to <= b->count; to++)
		if (to == b->count || strcmp(b->entries[to].branch, b->entries[from].branch) != 0) {
			rc = rebuild_branch(b, from, to, err);
			from = to;
		}
	return rc;
}

/* Remotes and the like are the administrator's. */
static int
keep_config(struct rebuild *b, struct err *err)
{
	const char *from = below(b->a, b->path, "config"), *to = below(b->a, b->fresh, "config");
	struct buf text = { 0 };
	int rc;

	if (from == NULL || to == NULL)
		return no_memory(err);
	rc = file_read(from, CONFIG_MAX, &text, err);
	if (rc == 0)
		rc = file_replace(to, text.bytes, text.len, err);
	buf_free(&text);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
take_place(struct rebuild *b, struct err *err)
{
	int rc = keep_config(b, err);

	return rc == 0 ? sync_archive_git_place(b->fresh, b->path, err) : rc;
}

static int
rebuild(struct rebuild *b, struct err *err)
{
	int rc;

	b->path = below(b->a, b->dir, "archive.git");
	b->fresh = below(b->a, b->dir, "archive.git.new");
	b->signers = below(b->a, b->dir, "allowed_signers");
	if (b->path == NULL || b->fresh == NULL || b->signers == NULL)
		return no_memory(err);
	rc = sync_archive_git_open(b->path, &b->old, err);
	if (rc == 0 || rc == ERR_NOTFOUND)
		rc = sync_archive_git_remove(b->fresh, err);
	if (rc == 0)
		rc = sync_archive_git_create(b->fresh, &b->git, err);
	if (rc == 0 && (rc = store_db_begin(b->db, err)) == 0) {
		rc = rebuild_all(b, err);
		store_db_rollback(b->db); /* it was only read */
	}
	return rc < 0 ? rc : take_place(b, err);
}

int
sync_archive_rebuild(struct store_db *db, const char *dir, struct sync_archive_result *result,
                     struct err *err)
{
	struct arena a = { 0 };
	struct rebuild b = { .db = db, .a = &a, .dir = dir, .result = result };
	int rc;

	assert(!store_db_in_transaction(db));
	*result = (struct sync_archive_result){ 0 };
	rc = rebuild(&b, err);
	sync_archive_git_close(b.git);
	sync_archive_git_close(b.old);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "archive rebuild") : 0;
}

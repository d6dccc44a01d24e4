/*
 * sync/archive/archive_verify.c - everything against everything.
 *
 *   rows            make all commits again from yz_archive: same ids, signatures hold
 *   archive.git     has each of their objects, and they hash to their names
 *   yz_segment      every head in the proof is a head of the chain
 *   data/           so is every one of its files, from the first record on
 *
 * A problem is told and the next thing looked at; only what keeps us from
 * looking at all is an error.
 */
#include "store/base/text.h"
#include "sync/archive/archive.h"
#include "sync/archive/archive_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rebuild[] = "run archive rebuild";
static const char restore[] =
        "restore the database from a backup, or send a fresh copy from the hub";

/* The branch that is looked at. */
struct look {
	struct store_db *db;
	struct arena *a;
	struct sync_archive_git *git; /* NULL: there is none */
	struct sync_archive_check *check;
	const struct sync_archive_entry *entries;
	size_t count;
	struct sync_site site;
	char data_name[SYNC_ARCHIVE_BRANCH];
	struct store_stream *streams;
	size_t stream_count;
	struct look_file *files; /* of data/, owned */
	size_t file_count, file_room;
};

struct look_file {
	char *path; /* owned */
	struct sync_archive_oid oid;
};

static void
tell(struct look *l, const char *what, const char *where, const char *todo)
{
	struct sync_archive_problem problem = { .what = what, .where = where, .todo = todo };

	l->check->problems++;
	if (l->check->tell != NULL)
		l->check->tell(l->check->ctx, &problem);
}

/* ERR_NOMEM and ERR_BUSY end the looking; anything else is a finding. */
static int
told(struct look *l, int rc, const char *where, const char *todo, struct err *err)
{
	if (rc == 0 || rc == ERR_NOMEM || rc == ERR_BUSY)
		return rc;
	tell(l, err->msg, where, todo);
	return 0;
}

/* ---------------------------------------------------------------- rows and git */

static int
replay(struct look *l, struct err *err)
{
	struct sync_archive_proof p = { .git = l->git, .site = l->site };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->count; i++) {
		struct sync_archive_entry entry = l->entries[i]; /* stays as it was read */

		rc = sync_archive_proof_next(&p, &entry, NULL, err);
		l->check->commits += rc == 0;
	}
	sync_archive_proof_free(&p);
	return told(l, rc, l->entries[0].branch, rebuild, err);
}

/* Time goes on and the numbers have no gap. */
static void
check_order(struct look *l)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct sync_archive_entry *e = &l->entries[i];

		if (e->no != (int64_t)i + 1 || (i > 0 && e->at_ms < e[-1].at_ms)) {
			tell(l, "the rows of yz_archive have a gap or go back in time", e->branch,
			     restore);
			return;
		}
	}
}

/* Who knows the node's key signs; an owner of the database can't put another in its place. */
static void
check_keys(struct look *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (!sync_archive_walk_knows(l->check, &l->site, l->entries[i].key)) {
			tell(l, "a commit is signed by a key that isn't this node's",
			     l->entries[i].commit, restore);
			return;
		}
}

static int
check_git(struct look *l, struct err *err)
{
	const struct sync_archive_entry *last = &l->entries[l->count - 1];
	size_t before = sync_archive_git_pending(l->git);
	struct sync_archive_oid at;
	char id[SYNC_ARCHIVE_ID + 1] = "";
	int rc;

	rc = replay(l, err);
	if (rc == 0 && sync_archive_git_pending(l->git) > before)
		tell(l, "archive.git lacks proof commits or files of them", last->branch, rebuild);
	if (rc == 0)
		rc = sync_archive_git_branch(l->git, last->branch, &at, err);
	if (rc == 1)
		text_hex(id, at.bytes, sizeof at.bytes);
	if (rc >= 0 && strcmp(id, last->commit) != 0)
		tell(l, "the branch doesn't stand on the last commit of yz_archive", last->branch,
		     rebuild);
	return rc < 0 ? told(l, rc, last->branch, rebuild, err) : 0;
}

/* ---------------------------------------------------------------- streams */

/* The heads of a scope in the proof, rising. */
static int
find_due(struct look *l, const char *scope, struct sync_archive_walk *w, struct err *err)
{
	size_t room = 0;

	for (size_t i = 0; i < l->count; i++)
		room += l->entries[i].bound_count;
	w->due = arena_take(l->a, room, sizeof(const struct sync_archive_bound *));
	if (w->due == NULL)
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	for (size_t i = 0; i < l->count; i++)
		for (size_t j = 0; j < l->entries[i].bound_count; j++)
			if (strcmp(l->entries[i].bounds[j].scope, scope) == 0)
				w->due[w->due_count++] = &l->entries[i].bounds[j];
	return 0;
}

static int
check_segments(struct sync_archive_walk w, struct err *err)
{
	uint64_t end = w.due_count > 0 ? w.due[w.due_count - 1]->n : 0;
	int rc = 0;

	while (rc == 0 && w.n < end) {
		struct arena a = { 0 };
		struct store_segment seg;

		rc = store_segment_at(w.schemas.db, w.schemas.stream, w.n + 1, &a, &seg, err);
		if (rc == 0)
			rc = sync_archive_walk_next(&w, &seg, err);
		arena_free(&a);
	}
	return rc < 0 ? rc : sync_archive_walk_end(&w, err);
}

/* Is this the file of that scope on some day? */
static bool
is_of(const char *path, const char *name)
{
	const char *base = strrchr(path, '/');
	size_t len = strlen(name);

	return base != NULL && strncmp(base + 1, name, len) == 0 &&
	       strcmp(base + 1 + len, ".yzs") == 0;
}

static int
check_files(struct look *l, struct sync_archive_walk w, struct err *err)
{
	struct buf name = { 0 }, bytes = { 0 };
	int rc = 0;

	sync_archive_row_file(&name, w.scope);
	for (size_t i = 0; rc == 0 && i < l->file_count; i++) {
		if (!is_of(l->files[i].path, buf_str(&name)))
			continue;
		buf_clear(&bytes);
		rc = sync_archive_git_read(l->git, &l->files[i].oid, &bytes, err);
		if (rc == 0)
			rc = sync_archive_walk_file(&w, &bytes, err);
		if (rc < 0)
			(void)(err_wrap(err, "%s", l->files[i].path) < 0);
		l->check->files++;
	}
	buf_free(&name);
	buf_free(&bytes);
	return rc < 0 ? rc : sync_archive_walk_end(&w, err);
}

/*
 * What the proof says of records that were written again in a later life isn't met by what stands
 * in their place.  Data made before may still have them.
 */
static int
leave_out_gap(struct look *l, const struct store_stream *stream, struct sync_archive_walk *w,
              struct err *err)
{
	struct sync_archive_gap gap;
	size_t kept = 0;
	int rc = sync_archive_gap_find(l->db, &l->site, stream, &gap, err);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < w->due_count; i++)
		if (w->due[i]->n < gap.first || w->due[i]->n > gap.last)
			w->due[kept++] = w->due[i];
	if (kept < w->due_count && l->check->again != NULL)
		l->check->again(l->check->ctx, w->scope, gap.first, gap.last);
	w->due_count = kept;
	return 0;
}

static int
check_stream(struct look *l, const struct store_stream *stream, struct err *err)
{
	struct sync_archive_walk w = { .schemas = { .db = l->db, .stream = stream->id },
		                       .site = l->site,
		                       .keys = l->check,
		                       .scope = store_catalog_scope_of(l->db, stream->scope) };
	size_t before = l->check->files;
	int rc = find_due(l, w.scope, &w, err), files = 0;

	if (rc < 0 || w.due_count == 0)
		return rc;
	l->check->streams++;
	if (l->git != NULL)
		files = check_files(l, w, err);
	if (check_segments(w, err) < 0 || files < 0) {
		l->check->files = before;
		rc = leave_out_gap(l, stream, &w, err);
		if (rc == 0)
			rc = told(l, check_segments(w, err), "yz_segment", restore, err);
		if (rc == 0 && l->git != NULL)
			rc = told(l, check_files(l, w, err), l->data_name, rebuild, err);
	}
	return rc;
}

/* A scope that is in the proof and has no stream here any more. */
static void
check_lost(struct look *l, const struct sync_archive_bound *b)
{
	for (size_t i = 0; i < l->stream_count; i++)
		if (strcmp(store_catalog_scope_of(l->db, l->streams[i].scope), b->scope) == 0)
			return;
	tell(l, "the proof speaks of a stream that this database doesn't have", b->scope, restore);
}

/* ---------------------------------------------------------------- all */

static int
add_file(void *ctx, const char *path, const struct sync_archive_oid *oid, struct err *err)
{
	struct look *l = ctx;
	struct look_file *files = l->files;

	if (l->file_count == l->file_room) {
		l->file_room = l->file_room == 0 ? 64 : 2 * l->file_room;
		files = realloc(l->files, l->file_room * sizeof *files);
	}
	if (files == NULL)
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	l->files = files;
	files[l->file_count] = (struct look_file){ .path = strdup(path), .oid = *oid };
	if (files[l->file_count].path == NULL)
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	l->file_count++;
	return 0;
}

static int
list_files(struct look *l, struct err *err)
{
	struct sync_archive_oid at;
	int rc = sync_archive_git_branch(l->git, l->data_name, &at, err);

	if (rc == 1)
		rc = sync_archive_git_files(l->git, &at, add_file, l, err);
	return told(l, rc, l->data_name, rebuild, err);
}

static void
free_files(struct look *l)
{
	for (size_t i = 0; i < l->file_count; i++)
		free(l->files[i].path);
	free(l->files);
	l->files = NULL;
	l->file_count = l->file_room = 0;
}

static int
check_branch(struct look *l, struct err *err)
{
	int rc = 0;

	if (!sync_archive_row_site(l->entries[0].branch, &l->site))
		return err_set(err, ERR_CORRUPT, "%s is no branch of the archive",
		               l->entries[0].branch);
	sync_archive_row_branch(l->data_name, "data", &l->site);
	check_order(l);
	check_keys(l);
	if (l->git != NULL)
		rc = check_git(l, err);
	if (rc == 0 && l->git != NULL)
		rc = list_files(l, err);
	if (rc == 0)
		rc = sync_archive_data_streams(l->db, &l->site, l->a, &l->streams, &l->stream_count,
		                               err);
	for (size_t i = 0; rc == 0 && i < l->stream_count; i++)
		rc = check_stream(l, &l->streams[i], err);
	for (size_t i = 0; rc == 0 && i < l->count; i++)
		for (size_t j = 0; j < l->entries[i].bound_count; j++)
			if (l->entries[i].bounds[j].before == 0)
				check_lost(l, &l->entries[i].bounds[j]);
	free_files(l);
	return rc;
}

static int
check_all(struct look *l, struct err *err)
{
	struct sync_archive_entry *all;
	size_t count, from = 0;
	int rc;

	rc = sync_archive_row_list(l->db, NULL, l->a, &all, &count, err);
	if (rc < 0)
		return told(l, rc, "yz_archive", restore, err);
	if (count > 0 && l->git == NULL)
		tell(l, "there is no archive.git", "the node's folder", rebuild);
	for (size_t to = 1; rc == 0 && to <= count; to++)
		if (to == count || strcmp(all[to].branch, all[from].branch) != 0) {
			l->entries = all + from;
			l->count = to - from;
			rc = check_branch(l, err);
			from = to;
		}
	return rc;
}

int
sync_archive_verify(struct store_db *db, const char *dir, struct sync_archive_check *check,
                    struct err *err)
{
	struct arena a = { 0 };
	struct look l = { .db = db, .a = &a, .check = check };
	struct buf path = { 0 };
	int rc;

	check->commits = check->streams = check->files = check->problems = 0;
	buf_printf(&path, "%s/archive.git", dir);
	rc = sync_archive_git_open(buf_str(&path), &l.git, err);
	if (rc == 0)
		sync_archive_git_strict(l.git);
	else
		rc = rc == ERR_NOTFOUND ? 0 : told(&l, rc, "archive.git", rebuild, err);
	if (rc == 0 && (rc = store_db_begin(db, err)) == 0) {
		rc = check_all(&l, err);
		store_db_rollback(db);
	}
	sync_archive_git_close(l.git);
	buf_free(&path);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "archive verify") : 0;
}

/*
 * sync/archive/archive_data.c - the segments behind the proof, as files by day.
 *
 * The branch is made whole from yz_segment each time, and what the repository
 * has already is neither proven nor written again; so a longer day, a rolled-up
 * one and an erased record need no bookkeeping.  A file that differs from what
 * the repository has is proven before it takes its place: if the database rots,
 * the archive keeps what was good.
 *
 * A segment's day is UTC, of the newest unit in it; where a clock was set back,
 * the day of the segment before it, so that a stream's records never go back
 * along the files.
 */
#include "store/base/text.h"
#include "sync/archive/archive_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct file {
	char *path; /* "2026/03/02/f+F001.yzs", owned */
	struct sync_archive_oid oid;
};

struct files {
	struct file *list; /* owned */
	size_t count, room;
};

/* One stream on its way into files. */
struct run {
	struct sync_archive_data *data;
	struct files *files;
	int stream;
	const char *scope;
	int day;
	struct buf content; /* of the day so far */
};

/* ---------------------------------------------------------------- streams */

int
sync_archive_data_streams(struct store_db *db, const struct sync_site *site, struct arena *a,
                          struct store_stream **list, size_t *count, struct err *err)
{
	size_t all, kept = 0;
	int rc;

	if ((rc = store_stream_list(db, 0, a, list, &all, err)) < 0)
		return rc;
	for (size_t i = 0; i < all; i++) {
		const struct store_site *of = store_catalog_site_of(db, (*list)[i].site);

		if (memcmp(of->node, site->node, STORE_NODE_ID) == 0 &&
		    memcmp(of->epoch, site->epoch, STORE_EPOCH) == 0)
			(*list)[kept++] = (*list)[i];
	}
	*count = kept;
	return 0;
}

/* How many records of a scope the proof covers. */
static uint64_t
proven_of(const struct sync_archive_data *d, const char *scope)
{
	for (size_t i = d->entry_count; i-- > 0;)
		for (size_t j = 0; j < d->entries[i].bound_count; j++)
			if (strcmp(d->entries[i].bounds[j].scope, scope) == 0)
				return d->entries[i].bounds[j].n;
	return 0;
}

/* ---------------------------------------------------------------- files */

static void
free_files(struct files *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->list[i].path);
	free(f->list);
}

static int
add_file(struct files *f, const char *path, const struct sync_archive_oid *oid, struct err *err)
{
	char *copy = strdup(path);

	if (copy != NULL && f->count == f->room) {
		size_t room = f->room == 0 ? 64 : 2 * f->room;
		struct file *list = realloc(f->list, room * sizeof *list);

		if (list != NULL) {
			f->list = list;
			f->room = room;
		}
	}
	if (copy == NULL || f->count == f->room) {
		free(copy);
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	}
	f->list[f->count++] = (struct file){ .path = copy, .oid = *oid };
	return 0;
}

struct search {
	const char *path;
	struct sync_archive_oid *oid;
	bool found;
};

static int
compare_path(void *ctx, const char *path, const struct sync_archive_oid *oid, struct err *err)
{
	struct search *s = ctx;

	(void)err;
	if (strcmp(path, s->path) == 0) {
		*s->oid = *oid;
		s->found = true;
	}
	return 0;
}

/* The day's segments don't verify: what the branch has of the day stays. */
static int
keep_old(struct run *run, const char *path, struct err *err)
{
	struct sync_archive_oid oid;
	struct search search = { .path = path, .oid = &oid };
	int rc = 0;

	run->data->unproven++;
	if (run->data->has_old)
		rc = sync_archive_git_files(run->data->git, &run->data->old, compare_path, &search,
		                            err);
	if (rc == 0 && search.found)
		rc = add_file(run->files, path, &oid, err);
	return rc;
}

static bool
proven(const struct run *run)
{
	struct sync_archive_walk w = { .schemas = { .db = run->data->db, .stream = run->stream },
		                       .site = run->data->site,
		                       .scope = run->scope,
		                       .anywhere = true };
	struct err err;

	return sync_archive_walk_file(&w, &run->content, &err) == 0;
}

static void
put_path(struct buf *out, const struct run *run)
{
	time_t s = (time_t)run->day * 86400;
	struct tm tm = { 0 };

	if (gmtime_r(&s, &tm) == NULL)
		tm = (struct tm){ .tm_mday = 1 };
	buf_printf(out, "%04d/%02d/%02d/", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	sync_archive_row_file(out, run->scope);
	buf_printf(out, ".yzs");
}

/* Write the day that is complete now. */
static int
end_day(struct run *run, struct err *err)
{
	struct sync_archive_oid oid;
	struct buf path = { 0 };
	int rc;

	if (run->content.len == 0)
		return 0;
	put_path(&path, run);
	rc = buf_check(&path, err);
	if (rc == 0)
		rc = sync_archive_git_name(run->data->git, SYNC_ARCHIVE_BLOB, &run->content, &oid,
		                           err);
	if (rc == 0 && !proven(run)) {
		rc = keep_old(run, buf_str(&path), err);
	} else if (rc >= 0) {
		run->data->files += rc == 0;
		rc = sync_archive_git_put(run->data->git, SYNC_ARCHIVE_BLOB, &run->content, &oid,
		                          err);
		if (rc == 0)
			rc = add_file(run->files, buf_str(&path), &oid, err);
	}
	buf_free(&path);
	buf_clear(&run->content);
	return rc;
}

/* 1 if a segment was taken, 0 at the end of what the proof covers. */
static int
take_segment(struct run *run, uint64_t *n, uint64_t end, struct err *err)
{
	struct arena a = { 0 };
	struct store_segment seg;
	int rc;

	rc = store_segment_at(run->data->db, run->stream, *n, &a, &seg, err);
	if (rc == ERR_NOTFOUND || (rc == 0 && seg.first > end)) {
		rc = 0;
	} else if (rc == 0) {
		if (seg.day > run->day && (rc = end_day(run, err)) == 0)
			run->day = seg.day;
		if (rc == 0) {
			sync_segment_write(&run->content, &seg, &run->data->site, run->scope);
			*n = seg.last + 1;
			rc = 1;
		}
	}
	arena_free(&a);
	return rc;
}

static int
take_stream(struct sync_archive_data *d, struct files *files, const struct store_stream *stream,
            struct err *err)
{
	struct run run = { .data = d,
		           .files = files,
		           .stream = stream->id,
		           .scope = store_catalog_scope_of(d->db, stream->scope),
		           .day = INT32_MIN };
	uint64_t end = proven_of(d, run.scope), n = 1;
	int rc = 1;

	while (rc == 1 && n <= end)
		rc = take_segment(&run, &n, end, err);
	if (rc >= 0)
		rc = end_day(&run, err);
	buf_free(&run.content);
	return rc;
}

/* ---------------------------------------------------------------- trees */

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

/* How many files from `list` on are below the same name at `depth`; *len is that name's length. */
static size_t
same_name(const struct file *list, size_t count, size_t depth, size_t *len)
{
	const char *name = list[0].path + depth;
	size_t same = 1;

	*len = strcspn(name, "/");
	while (same < count && strncmp(list[same].path + depth, name, *len + 1) == 0)
		same++;
	return same;
}

/* The tree of these files, whose paths are alike up to `depth`. */
static int
put_tree(struct sync_archive_git *git, const struct file *list, size_t count, size_t depth,
         struct sync_archive_oid *oid, struct err *err)
{
	struct buf tree = { 0 };
	size_t same, len;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i += same) {
		const char *name = list[i].path + depth;
		struct sync_archive_oid below = list[i].oid;
		bool folder;

		same = same_name(list + i, count - i, depth, &len);
		folder = name[len] == '/';
		if (folder)
			rc = put_tree(git, list + i, same, depth + len + 1, &below, err);
		buf_printf(&tree, "%s %.*s", folder ? "40000" : "100644", (int)len, name);
		buf_u8(&tree, 0);
		buf_put(&tree, below.bytes, sizeof below.bytes);
	}
	if (rc == 0)
		rc = sync_archive_git_put(git, SYNC_ARCHIVE_TREE, &tree, oid, err);
	buf_free(&tree);
	return rc;
}

static int
put_commit(struct sync_archive_data *d, const struct sync_archive_oid *tree, size_t files,
           struct sync_archive_oid *commit, struct err *err)
{
	const struct sync_archive_entry *last = &d->entries[d->entry_count - 1];
	char hex[SYNC_ARCHIVE_ID + 1], node[2 * STORE_NODE_ID + 1];
	struct buf text = { 0 };
	int rc;

	text_hex(hex, tree->bytes, sizeof tree->bytes);
	text_hex(node, d->site.node, STORE_NODE_ID);
	buf_printf(&text, "tree %s\n", hex);
	if (d->has_old) {
		text_hex(hex, d->old.bytes, sizeof d->old.bytes);
		buf_printf(&text, "parent %s\n", hex);
	}
	for (int i = 0; i < 2; i++)
		buf_printf(&text, "%s %s <%s@yizhan> %lld +0000\n", i == 0 ? "author" : "committer",
		           last->name, node, (long long)(d->at_ms / 1000));
	buf_printf(&text, "\nSegments in %zu files\n\nProof: %s\n", files, last->commit);
	rc = sync_archive_git_put(d->git, SYNC_ARCHIVE_COMMIT, &text, commit, err);
	buf_free(&text);
	return rc;
}

/* Is this another tree than the branch has? */
static int
differs(struct sync_archive_data *d, const struct sync_archive_oid *tree, struct err *err)
{
	struct sync_archive_oid old;
	int rc;

	if (!d->has_old)
		return 1;
	rc = sync_archive_git_tree(d->git, &d->old, &old, err);
	return rc < 0 ? rc : memcmp(&old, tree, sizeof old) != 0;
}

int
sync_archive_data_make(struct sync_archive_data *d, struct sync_archive_oid *commit,
                       struct err *err)
{
	struct arena a = { 0 };
	struct files files = { 0 };
	struct sync_archive_oid tree;
	struct store_stream *streams;
	size_t count;
	int rc;

	rc = sync_archive_data_streams(d->db, &d->site, &a, &streams, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = take_stream(d, &files, &streams[i], err);
	if (rc < 0 || files.count == 0)
		goto out;
	qsort(files.list, files.count, sizeof *files.list, by_path);
	rc = put_tree(d->git, files.list, files.count, 0, &tree, err);
	if (rc == 0)
		rc = differs(d, &tree, err);
	if (rc == 1 && put_commit(d, &tree, files.count, commit, err) < 0)
		rc = err->code;
out:
	free_files(&files);
	arena_free(&a);
	return rc;
}

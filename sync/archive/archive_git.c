/*
 * sync/archive/archive_git.c - the little of git that the archive needs, over libgit2.
 *
 * We write objects by their bytes: a proof commit has to come out the same in
 * ten years, so no library decides how one looks.  libgit2 stores them: what is
 * put goes to an in-memory backend in front of the repository, and one flush
 * makes one pack of it.  (libgit2's own dump of that backend takes only commits
 * with everything below them, so the list of what is new is kept here.)
 *
 * libgit2's settings belong to the process: no configuration file but the
 * repository's own is read, every file it writes is fsynced, and a repository
 * may belong to another user (root verifies a node's).
 */
#include "store/base/file.h"
#include "store/base/text.h"
#include "sync/archive/archive_priv.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <git2.h>
#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IN_FRONT = 999, REF_MAX = 16 + SYNC_ARCHIVE_BRANCH };

struct sync_archive_git {
	char *path;
	git_repository *repo;
	git_odb *odb;
	struct buf added; /* oids, end to end */
	bool strict;
};

static void
start_library(void)
{
	static const int levels[] = { GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL,
		                      GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_PROGRAMDATA };

	git_libgit2_init(); /* stays up for the life of the process */
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

static int
fail(const struct sync_archive_git *git, const char *doing, struct err *err)
{
	const git_error *e = git_error_last();

	return err_set(err, ERR_IO, "%s: %s: %s", git->path, doing,
	               e != NULL && e->message != NULL ? e->message : "unknown error");
}

static git_oid
oid_of(const struct sync_archive_oid *oid)
{
	git_oid out;

	git_oid_fromraw(&out, oid->bytes);
	return out;
}

static void
oid_from(struct sync_archive_oid *out, const git_oid *oid)
{
	static_assert(sizeof out->bytes == GIT_OID_RAWSZ, "an object's name is a SHA-1");
	memcpy(out->bytes, oid->id, sizeof out->bytes);
}

/* ---------------------------------------------------------------- open and close */

/*
 * A lock file that a killed process left would stop us for ever; whoever writes here holds
 * DIR/lock, so nobody alive owns it.
 */
static void
remove_lock(const struct sync_archive_git *git, const char *ref)
{
	struct buf path = { 0 };

	buf_printf(&path, "%s/%s.lock", git->path, ref);
	unlink(buf_str(&path));
	buf_free(&path);
}

static int
open_odb(struct sync_archive_git *git, struct err *err)
{
	git_odb_backend *memory = NULL;

	if (git_repository_odb(&git->odb, git->repo) < 0 || git_mempack_new(&memory) < 0)
		return fail(git, "open", err);
	if (git_odb_add_backend(git->odb, memory, IN_FRONT) < 0) {
		memory->free(memory);
		return fail(git, "open", err);
	}
	return 0; /* the odb owns the backend now */
}

static int
open_repository(const char *path, bool create, struct sync_archive_git **out, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	git_repository_init_options how = { .version = GIT_REPOSITORY_INIT_OPTIONS_VERSION,
		                            .flags = GIT_REPOSITORY_INIT_BARE |
		                                     GIT_REPOSITORY_INIT_MKDIR,
		                            .mode = 0700 };
	struct sync_archive_git *git = calloc(1, sizeof *git);
	int status, rc = 0;

	pthread_once(&once, start_library);
	*out = NULL;
	if (git == NULL || (git->path = strdup(path)) == NULL) {
		free(git);
		return err_set(err, ERR_NOMEM, "%s: out of memory", path);
	}
	status = create ? git_repository_init_ext(&git->repo, path, &how)
	                : git_repository_open_bare(&git->repo, path);
	if (status == GIT_ENOTFOUND)
		rc = err_set(err, ERR_NOTFOUND, "%s: there is no git repository", path);
	else if (status < 0)
		rc = fail(git, create ? "create" : "open", err);
	else
		rc = open_odb(git, err);
	if (rc < 0)
		sync_archive_git_close(git);
	else
		*out = git;
	return rc;
}

int
sync_archive_git_open(const char *path, struct sync_archive_git **git, struct err *err)
{
	return open_repository(path, false, git, err);
}

int
sync_archive_git_create(const char *path, struct sync_archive_git **git, struct err *err)
{
	int rc = open_repository(path, true, git, err);

	/* Its subfolders get the mode asked for; the folder itself only with some versions. */
	if (rc == 0 && chmod(path, 0700) < 0) {
		rc = err_set(err, ERR_IO, "chmod %s: %s", path, strerror(errno));
		sync_archive_git_close(*git);
		*git = NULL;
	}
	return rc;
}

void
sync_archive_git_close(struct sync_archive_git *git)
{
	if (git == NULL)
		return;
	buf_free(&git->added);
	git_odb_free(git->odb);
	git_repository_free(git->repo);
	free(git->path);
	free(git);
}

void
sync_archive_git_strict(struct sync_archive_git *git)
{
	git->strict = true;
}

/* ---------------------------------------------------------------- objects */

static git_object_t
type_of(enum sync_archive_kind kind)
{
	switch (kind) {
	case SYNC_ARCHIVE_COMMIT:
		return GIT_OBJECT_COMMIT;
	case SYNC_ARCHIVE_TREE:
		return GIT_OBJECT_TREE;
	case SYNC_ARCHIVE_BLOB:
		break;
	}
	return GIT_OBJECT_BLOB;
}

static const void *
content(const struct buf *bytes)
{
	return bytes->bytes == NULL ? (const void *)"" : bytes->bytes;
}

int
sync_archive_git_name(struct sync_archive_git *git, enum sync_archive_kind kind,
                      const struct buf *bytes, struct sync_archive_oid *out, struct err *err)
{
	git_oid oid;

	if (buf_check(bytes, err) < 0)
		return ERR_NOMEM;
	if (git_odb_hash(&oid, content(bytes), bytes->len, type_of(kind)) < 0)
		return fail(git, "hash", err);
	oid_from(out, &oid);
	return git_odb_exists_ext(git->odb, &oid, GIT_ODB_LOOKUP_NO_REFRESH);
}

/* libgit2 compares what it reads with the name. */
static int
read_back(struct sync_archive_git *git, const struct sync_archive_oid *id, struct err *err)
{
	struct buf bytes = { 0 };
	int rc = sync_archive_git_read(git, id, &bytes, err);

	buf_free(&bytes);
	return rc;
}

int
sync_archive_git_put(struct sync_archive_git *git, enum sync_archive_kind kind,
                     const struct buf *bytes, struct sync_archive_oid *out, struct err *err)
{
	int rc = sync_archive_git_name(git, kind, bytes, out, err);
	git_oid oid;

	if (rc != 0)
		return rc == 1 && git->strict ? read_back(git, out, err) : rc < 0 ? rc : 0;
	if (git_odb_write(&oid, git->odb, content(bytes), bytes->len, type_of(kind)) < 0)
		return fail(git, "write", err);
	buf_put(&git->added, out->bytes, sizeof out->bytes);
	return buf_check(&git->added, err);
}

size_t
sync_archive_git_pending(const struct sync_archive_git *git)
{
	return git->added.len / GIT_OID_RAWSZ;
}

int
sync_archive_git_flush(struct sync_archive_git *git, struct err *err)
{
	git_packbuilder *pack = NULL;
	int status;

	if (git->added.len == 0)
		return 0;
	status = git_packbuilder_new(&pack, git->repo);
	for (size_t at = 0; status == 0 && at < git->added.len; at += GIT_OID_RAWSZ) {
		git_oid oid;

		git_oid_fromraw(&oid, git->added.bytes + at);
		status = git_packbuilder_insert(pack, &oid, NULL);
	}
	if (status == 0)
		status = git_packbuilder_write(pack, NULL, 0, NULL, NULL);
	git_packbuilder_free(pack);
	if (status < 0)
		return fail(git, "write a pack", err);
	buf_clear(&git->added);
	return 0;
}

int
sync_archive_git_read(struct sync_archive_git *git, const struct sync_archive_oid *id,
                      struct buf *out, struct err *err)
{
	git_oid oid = oid_of(id);
	git_odb_object *object = NULL;

	if (git_odb_read(&object, git->odb, &oid) < 0)
		return fail(git, "read", err);
	buf_put(out, git_odb_object_data(object), git_odb_object_size(object));
	git_odb_object_free(object);
	return buf_check(out, err);
}

/* ---------------------------------------------------------------- branches */

int
sync_archive_git_branch(struct sync_archive_git *git, const char *branch,
                        struct sync_archive_oid *out, struct err *err)
{
	char ref[REF_MAX];
	git_oid oid;
	int status;

	snprintf(ref, sizeof ref, "refs/heads/%s", branch);
	status = git_reference_name_to_id(&oid, git->repo, ref);
	if (status == GIT_ENOTFOUND)
		return 0;
	if (status < 0)
		return fail(git, branch, err);
	oid_from(out, &oid);
	return 1;
}

static int
set_ref(struct sync_archive_git *git, const char *ref, const git_oid *oid)
{
	git_reference *made = NULL;
	int status = git_reference_create(&made, git->repo, ref, oid, 1, NULL);

	git_reference_free(made);
	return status;
}

int
sync_archive_git_point(struct sync_archive_git *git, const char *branch,
                       const struct sync_archive_oid *id, bool head, struct err *err)
{
	git_oid oid = oid_of(id);
	char ref[REF_MAX];
	int status;

	snprintf(ref, sizeof ref, "refs/heads/%s", branch);
	status = set_ref(git, ref, &oid);
	if (status == GIT_ELOCKED) {
		remove_lock(git, ref);
		status = set_ref(git, ref, &oid);
	}
	if (status == 0 && head)
		status = git_repository_set_head(git->repo, ref);
	if (status == GIT_ELOCKED) {
		remove_lock(git, "HEAD");
		status = git_repository_set_head(git->repo, ref);
	}
	return status < 0 ? fail(git, branch, err) : 0;
}

int
sync_archive_git_branches(struct sync_archive_git *git,
                          int (*each)(void *ctx, const char *branch, struct err *err), void *ctx,
                          struct err *err)
{
	static const char heads[] = "refs/heads/";
	git_strarray names = { 0 };
	int rc = 0;

	if (git_reference_list(&names, git->repo) < 0)
		return fail(git, "list branches", err);
	for (size_t i = 0; i < names.count && rc == 0; i++)
		if (strncmp(names.strings[i], heads, sizeof heads - 1) == 0)
			rc = each(ctx, names.strings[i] + sizeof heads - 1, err);
	git_strarray_dispose(&names);
	return rc;
}

/* ---------------------------------------------------------------- files of a commit */

struct walk {
	int (*each)(void *ctx, const char *path, const struct sync_archive_oid *oid,
	            struct err *err);
	void *ctx;
	struct err *err;
	int rc;
};

static int
visit(const char *root, const git_tree_entry *entry, void *payload)
{
	struct walk *w = payload;
	struct sync_archive_oid oid;
	struct buf path = { 0 };

	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
		return 0;
	buf_printf(&path, "%s%s", root, git_tree_entry_name(entry));
	oid_from(&oid, git_tree_entry_id(entry));
	w->rc = w->each(w->ctx, buf_str(&path), &oid, w->err);
	buf_free(&path);
	return w->rc;
}

int
sync_archive_git_files(struct sync_archive_git *git, const struct sync_archive_oid *commit,
                       int (*each)(void *ctx, const char *path, const struct sync_archive_oid *oid,
                                   struct err *err),
                       void *ctx, struct err *err)
{
	struct walk w = { .each = each, .ctx = ctx, .err = err };
	git_oid oid = oid_of(commit);
	git_commit *c = NULL;
	git_tree *tree = NULL;
	int status;

	status = git_commit_lookup(&c, git->repo, &oid);
	if (status == 0)
		status = git_commit_tree(&tree, c);
	if (status == 0)
		status = git_tree_walk(tree, GIT_TREEWALK_PRE, visit, &w);
	git_tree_free(tree);
	git_commit_free(c);
	if (w.rc < 0)
		return w.rc;
	return status < 0 ? fail(git, "read a commit's files", err) : 0;
}

int
sync_archive_git_tree(struct sync_archive_git *git, const struct sync_archive_oid *commit,
                      struct sync_archive_oid *tree, struct err *err)
{
	git_oid oid = oid_of(commit);
	git_commit *c = NULL;

	if (git_commit_lookup(&c, git->repo, &oid) < 0)
		return fail(git, "read a commit", err);
	oid_from(tree, git_commit_tree_id(c));
	git_commit_free(c);
	return 0;
}

/* ---------------------------------------------------------------- the folder */

size_t
sync_archive_git_packs(const char *path)
{
	struct buf folder = { 0 };
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	buf_printf(&folder, "%s/objects/pack", path);
	dir = opendir(buf_str(&folder));
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');

		count += dot != NULL && strcmp(dot, ".pack") == 0;
	}
	if (dir != NULL)
		closedir(dir);
	buf_free(&folder);
	return count;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int
sync_archive_git_remove(const char *path, struct err *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		return err_set(err, ERR_IO, "delete %s: %s", path, strerror(errno));
	return 0;
}

/* libgit2 doesn't sync all that it makes. */
static int
sync_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	int fd, status;

	(void)st;
	(void)ftw;
	if (flag != FTW_F && flag != FTW_DP)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	status = fsync(fd);
	close(fd);
	return status;
}

int
sync_archive_git_place(const char *fresh, const char *path, struct err *err)
{
	int rc;

	if (nftw(fresh, sync_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		return err_set(err, ERR_IO, "sync %s: %s", fresh, strerror(errno));
	rc = sync_archive_git_remove(path, err);
	if (rc == 0 && rename(fresh, path) < 0)
		rc = err_set(err, ERR_IO, "rename %s: %s", fresh, strerror(errno));
	return rc == 0 ? file_sync_folder(path, err) : rc;
}

int
sync_archive_git_create_whole(const char *path, struct sync_archive_git **git, struct err *err)
{
	struct sync_archive_git *made = NULL;
	struct buf fresh = { 0 };
	int rc;

	buf_printf(&fresh, "%s.new", path);
	rc = buf_check(&fresh, err);
	if (rc == 0)
		rc = sync_archive_git_remove(buf_str(&fresh), err);
	if (rc == 0)
		rc = sync_archive_git_create(buf_str(&fresh), &made, err);
	sync_archive_git_close(made);
	if (rc == 0)
		rc = sync_archive_git_place(buf_str(&fresh), path, err);
	buf_free(&fresh);
	return rc == 0 ? sync_archive_git_open(path, git, err) : rc;
}

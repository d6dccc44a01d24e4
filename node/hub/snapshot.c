#include "node/hub/snapshot.h"

#include "node/hub/extract.h"
#include "node/hub/snapshot_views.h"
#include "node/room.h"
#include "store/base/file.h"
#include "store/base/hash.h"
#include "store/base/text.h"
#include "store/inspect.h"
#include "store/snapshot.h"
#include "sync/codec/pack_file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FOLDER_SIZE = IDENTITY_PATH_MAX + 16,
	PATH_SIZE = FOLDER_SIZE + 256,
	TERMS = 16,
	STAMP = 16
};
enum { NAME = TERMS + STAMP + FEED_CURSOR - 1 + SNAPSHOT_ETAG - 1 + 2 * SNAPSHOT_SHA256 };

/* What a file's name says. */
struct named {
	char name[NAME + 5];
	char terms[TERMS + 1];
	struct snapshot is;
};

/* ---- the folder ---- */

int
snapshot_folder(const struct snapshots *of, char *path, size_t size, struct err *err)
{
	if ((size_t)snprintf(path, size, "%s/snapshots", of->dir) >= size)
		return err_set(err, ERR_INVALID, "snapshots: the directory's name is too long");
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	return 0;
}

static void
path_of(char path[PATH_SIZE], const char *folder, const char *name)
{
	int len = snprintf(path, PATH_SIZE, "%s/%s", folder, name);

	assert(len > 0 && len < PATH_SIZE); /* names of a folder have 255 bytes at most */
}

static bool
is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len;
}

static bool
read_name(const char *name, struct named *out)
{
	const char *at = name;
	char stamp[STAMP + 1], sum[2 * SNAPSHOT_SHA256 + 1];

	if (strlen(name) != NAME + 4 || !is_hex(name, NAME) || strcmp(name + NAME, ".zst") != 0)
		return false;
	memset(out, 0, sizeof *out);
	text_copy(out->name, sizeof out->name, name);
	text_copy(out->terms, sizeof out->terms, at);
	at += TERMS;
	text_copy(stamp, sizeof stamp, at);
	out->is.made_ms = (int64_t)strtoull(stamp, NULL, 16);
	at += STAMP;
	text_copy(out->is.cursor, sizeof out->is.cursor, at);
	at += FEED_CURSOR - 1;
	text_copy(out->is.etag, sizeof out->is.etag, at);
	at += SNAPSHOT_ETAG - 1;
	text_copy(sum, sizeof sum, at);
	out->is.fd = -1;
	return text_unhex(out->is.sha256, SNAPSHOT_SHA256, sum);
}

/* Those of the same terms beside each other, the newest first. */
static int
by_terms(const void *a, const void *b)
{
	const struct named *one = a, *two = b;
	int order = strcmp(one->terms, two->terms);

	if (order != 0)
		return order;
	return one->is.made_ms != two->is.made_ms ? (one->is.made_ms < two->is.made_ms ? 1 : -1)
	                                          : strcmp(one->name, two->name);
}

/* Room for one more behind `count`. */
static bool
make_room(struct named **list, size_t count)
{
	struct named *more;

	if (count % 64 != 0)
		return true;
	more = realloc(*list, (count + 64) * sizeof *more);
	if (more == NULL)
		return false;
	*list = more;
	return true;
}

/* All that are there; what else was left in the folder goes. */
static int
read_folder(DIR *d, const char *folder, struct named **out, size_t *count, struct err *err)
{
	struct dirent *e;
	char path[PATH_SIZE];

	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (!make_room(out, *count))
			return err_set(err, ERR_NOMEM, "snapshots: out of memory");
		if (read_name(e->d_name, *out + *count)) {
			(*count)++;
			continue;
		}
		path_of(path, folder, e->d_name);
		unlink(path);
	}
	return 0;
}

/* The caller frees *out, also on an error. */
static int
list(const char *folder, struct named **out, size_t *count, struct err *err)
{
	DIR *d = opendir(folder);
	int rc;

	*out = NULL;
	*count = 0;
	if (d == NULL)
		return err_set(err, ERR_IO, "%s: %s", folder, strerror(errno));
	rc = read_folder(d, folder, out, count, err);
	closedir(d);
	if (*count > 0)
		qsort(*out, *count, sizeof **out, by_terms);
	return rc;
}

/* What is too old, and of each terms the oldest of too many, so that a token throws out only its
 * own; `more` (or NULL) are about to get another. */
static void
tidy(const char *folder, const struct named *found, size_t count, const char *more, int64_t now_ms)
{
	char path[PATH_SIZE];
	size_t nth = 0;

	for (size_t i = 0; i < count; i++) {
		bool same = i > 0 && strcmp(found[i].terms, found[i - 1].terms) == 0;
		size_t keep = SNAPSHOT_KEEP;

		nth = same ? nth + 1 : 1;
		keep -= more != NULL && strcmp(found[i].terms, more) == 0;
		if (nth <= keep && now_ms - found[i].is.made_ms < SNAPSHOT_KEEP_MS)
			continue;
		path_of(path, folder, found[i].name);
		unlink(path);
	}
}

static int
open_named(const char *folder, const struct named *named, struct snapshot *out, struct err *err)
{
	char path[PATH_SIZE];
	struct stat st;

	path_of(path, folder, named->name);
	*out = named->is;
	out->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (out->fd < 0 || fstat(out->fd, &st) < 0) {
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
		if (out->fd >= 0)
			close(out->fd);
		out->fd = -1;
		return err->code;
	}
	out->len = (uint64_t)st.st_size;
	return 1;
}

/* ---- whose it is ---- */

static int
terms_of(const struct snapshots *of, const struct token *token, char terms[TERMS + 1],
         struct err *err)
{
	struct store_site self;
	uint8_t all[HASH_16], personal = token->personal;
	struct hash h;
	int rc = store_meta_self(of->db, &self, err);

	if (rc < 0)
		return rc;
	hash_start(&h, sizeof all);
	hash_add(&h, "yizhan-snapshot-1", 17);
	hash_add(&h, self.epoch, STORE_EPOCH);
	hash_add(&h, token->scope, strlen(token->scope) + 1);
	hash_add(&h, token->tables, strlen(token->tables) + 1);
	hash_add(&h, &personal, 1);
	hash_end(&h, all);
	text_hex(terms, all, TERMS / 2);
	return 0;
}

/* ---- making one ---- */

static int
note_all(struct store_snapshot *snap, const struct token *token, const struct snapshot *made,
         struct err *err)
{
	char at[TEXT_TIME_SIZE];
	int rc;

	text_time(at, made->made_ms);
	rc = store_snapshot_note(snap, "cursor", made->cursor, err);
	if (rc == 0)
		rc = store_snapshot_note(snap, "made_at", at, err);
	if (rc == 0)
		rc = store_snapshot_note(snap, "scope", token->scope, err);
	if (rc == 0)
		rc = store_snapshot_note(snap, "personal", token->personal ? "yes" : "no", err);
	return rc;
}

/* Everything in one transaction: cursor and rows are of the same moment. */
static int
copy_all(const struct snapshots *of, const struct token *token, struct store_snapshot *snap,
         struct snapshot *made, struct err *err)
{
	int rc = store_db_begin(of->db, err), tables;

	if (rc < 0)
		return rc;
	rc = feed_cursor(of->db, made->cursor, err);
	tables = rc == 0 ? store_catalog_table_count(of->db) : 0;
	for (int id = 1; rc == 0 && id <= tables; id++) {
		struct extract x;

		if (extract_of(token, store_catalog_table(of->db, id), NULL, &x))
			rc = store_snapshot_add(snap, &x.part, err);
	}
	if (rc == 0)
		rc = snapshot_views_add(of->db, token, snap, err);
	store_db_rollback(of->db);
	if (rc == 0)
		rc = note_all(snap, token, made, err);
	return rc == 0 ? store_snapshot_finish(snap, err) : rc;
}

static int
open_file(const char *path, int flags, int *fd, struct err *err)
{
	*fd = open(path, flags | O_CLOEXEC, 0600);
	return *fd >= 0 ? 0 : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

/* The database at `plain` as a .zst file at `packed`, which stays open to be read. */
static int
pack(const char *plain, const char *packed, const atomic_bool *stop, struct snapshot *made,
     struct err *err)
{
	struct sync_pack_file file = { .from = -1, .stop = stop };
	int rc = open_file(plain, O_RDONLY, &file.from, err);

	if (rc == 0)
		rc = open_file(packed, O_RDWR | O_CREAT | O_TRUNC, &made->fd, err);
	file.to = made->fd;
	if (rc == 0)
		rc = sync_pack_file(&file, err);
	made->len = file.len;
	if (rc == 0)
		text_hex(made->etag, file.hash, sizeof file.hash);
	memcpy(made->sha256, file.sha256, sizeof made->sha256);
	if (file.from >= 0)
		close(file.from);
	return rc;
}

/* The plain file and the packed one are there together; packed it is a third, or less. */
static int
check_room(const struct snapshots *of, struct err *err)
{
	int64_t bytes;
	int rc = store_inspect_bytes(of->db, &bytes, err);

	return rc == 0 ? room_for(of->dir, "a snapshot", bytes + bytes / 2, err) : rc;
}

/* The name says what the bytes are, so the medium has them before it has the name. */
static int
keep(int fd, const char *packed, const char *path, struct err *err)
{
	if (fsync(fd) < 0)
		return err_set(err, ERR_IO, "sync %s: %s", packed, strerror(errno));
	if (rename(packed, path) < 0)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	return file_sync_folder(path, err);
}

static int
make(const struct snapshots *of, const struct token *token, const char *folder,
     struct snapshot *made, struct err *err)
{
	struct store_snapshot *snap = NULL;
	char plain[PATH_SIZE], packed[PATH_SIZE], path[PATH_SIZE], terms[TERMS + 1];
	char sum[2 * SNAPSHOT_SHA256 + 1];
	struct named named;
	int rc = check_room(of, err);

	if (rc == 0)
		rc = terms_of(of, token, terms, err);
	*made = (struct snapshot){ .made_ms = env_wall_ms(of->env), .fd = -1 };
	path_of(plain, folder, "new.sqlite");
	path_of(packed, folder, "new.zst");
	if (rc == 0)
		rc = store_snapshot_open(of->db, plain, of->stop, &snap, err);
	if (rc == 0)
		rc = copy_all(of, token, snap, made, err);
	store_snapshot_close(snap);
	if (rc == 0)
		rc = pack(plain, packed, of->stop, made, err);
	unlink(plain);
	if (rc == 0) {
		text_hex(sum, made->sha256, sizeof made->sha256);
		snprintf(named.name, sizeof named.name, "%s%016llx%s%s%s.zst", terms,
		         (unsigned long long)made->made_ms, made->cursor, made->etag, sum);
		path_of(path, folder, named.name);
		rc = keep(made->fd, packed, path, err);
	}
	if (rc < 0) {
		unlink(packed);
		if (made->fd >= 0)
			close(made->fd);
		made->fd = -1;
	}
	return rc;
}

/* ---- giving one out ---- */

void
snapshot_sign(const struct snapshot *snap, const struct sync_key *key,
              uint8_t signature[STORE_SIGNATURE])
{
	static const char what[] = "yizhan-snapshot-1";
	uint8_t text[sizeof what - 1 + SNAPSHOT_SHA256 + FEED_CURSOR - 1], *at = text;

	memcpy(at, what, sizeof what - 1);
	at += sizeof what - 1;
	memcpy(at, snap->sha256, SNAPSHOT_SHA256);
	memcpy(at + SNAPSHOT_SHA256, snap->cursor, FEED_CURSOR - 1);
	sync_sign(key, text, sizeof text, signature);
}

/* Is it the one that is asked for: of that etag, or (NULL) fresh? */
static bool
fits(const struct named *named, const char *terms, const char *etag, int64_t now_ms)
{
	int64_t age = now_ms - named->is.made_ms;

	if (strcmp(named->terms, terms) != 0)
		return false;
	return etag != NULL ? strcmp(named->is.etag, etag) == 0 && age < SNAPSHOT_KEEP_MS
	                    : age >= 0 && age < SNAPSHOT_FRESH_MS;
}

int
snapshot_find(const struct snapshots *of, const struct token *token, const char *etag,
              struct snapshot *out, struct err *err)
{
	char folder[FOLDER_SIZE], terms[TERMS + 1];
	struct named *found = NULL;
	size_t count = 0;
	int rc = snapshot_folder(of, folder, sizeof folder, err);

	if (rc == 0)
		rc = terms_of(of, token, terms, err);
	if (rc == 0)
		rc = list(folder, &found, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (fits(&found[i], terms, etag, env_wall_ms(of->env)))
			rc = open_named(folder, &found[i], out, err);
	if (rc == 0 && etag == NULL)
		tidy(folder, found, count, terms, env_wall_ms(of->env));
	free(found);
	return rc;
}

int
snapshot_tidy(const struct snapshots *of, struct err *err)
{
	char folder[FOLDER_SIZE];
	struct named *found = NULL;
	size_t count = 0;
	int rc = snapshot_folder(of, folder, sizeof folder, err);

	if (rc == 0)
		rc = list(folder, &found, &count, err);
	if (rc == 0)
		tidy(folder, found, count, NULL, env_wall_ms(of->env));
	free(found);
	return rc;
}

int
snapshot_get(const struct snapshots *of, const struct token *token, struct snapshot *out,
             struct err *err)
{
	char folder[FOLDER_SIZE];
	int rc = snapshot_find(of, token, NULL, out, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = snapshot_folder(of, folder, sizeof folder, err);
	return rc == 0 ? make(of, token, folder, out, err) : rc;
}

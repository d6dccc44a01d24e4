#include "node/hub/kept.h"

#include "store/base/file.h"
#include "store/base/hash.h"
#include "store/base/text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TERMS = KEPT_TERMS - 1, STAMP = 16 };
enum { NAME = TERMS + STAMP + FEED_CURSOR - 1 + KEPT_ETAG - 1 + 2 * KEPT_SHA256 };

/* What a file's name says. */
struct named {
	char name[NAME + 5];
	char terms[TERMS + 1];
	struct kept is;
};

/* ---- the folder ---- */

int
kept_folder(const struct kept_place *of, char *path, size_t size, struct err *err)
{
	if ((size_t)snprintf(path, size, "%s/snapshots", of->dir) >= size)
		return err_set(err, ERR_INVALID, "snapshots: the directory's name is too long");
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	return 0;
}

void
kept_path(char path[KEPT_PATH], const char *folder, const char *name)
{
	int len = snprintf(path, KEPT_PATH, "%s/%s", folder, name);

	assert(len > 0 && len < KEPT_PATH); /* names of a folder have 255 bytes at most */
}

static bool
is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len;
}

bool
kept_is_etag(const char *text)
{
	return strlen(text) == KEPT_ETAG - 1 && is_hex(text, KEPT_ETAG - 1);
}

static bool
read_name(const char *name, struct named *out)
{
	const char *at = name;
	char stamp[STAMP + 1], sum[2 * KEPT_SHA256 + 1];

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
	at += KEPT_ETAG - 1;
	text_copy(sum, sizeof sum, at);
	out->is.fd = -1;
	return text_unhex(out->is.sha256, KEPT_SHA256, sum);
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
	char path[KEPT_PATH];

	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (!make_room(out, *count))
			return err_set(err, ERR_NOMEM, "snapshots: out of memory");
		if (read_name(e->d_name, *out + *count)) {
			(*count)++;
			continue;
		}
		kept_path(path, folder, e->d_name);
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
	char path[KEPT_PATH];
	size_t nth = 0;

	for (size_t i = 0; i < count; i++) {
		bool same = i > 0 && strcmp(found[i].terms, found[i - 1].terms) == 0;
		size_t keep = KEPT_KEEP;

		nth = same ? nth + 1 : 1;
		keep -= more != NULL && strcmp(found[i].terms, more) == 0;
		if (nth <= keep && now_ms - found[i].is.made_ms < KEPT_KEEP_MS)
			continue;
		kept_path(path, folder, found[i].name);
		unlink(path);
	}
}

static int
open_named(const char *folder, const struct named *named, struct kept *out, struct err *err)
{
	char path[KEPT_PATH];
	struct stat st;

	kept_path(path, folder, named->name);
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

int
kept_terms(const struct kept_place *of, const struct token *token, const char *kind,
           char terms[KEPT_TERMS], struct err *err)
{
	struct store_site self;
	uint8_t all[HASH_16], personal = token->personal;
	struct hash h;
	int rc = store_meta_self(of->db, &self, err);

	if (rc < 0)
		return rc;
	hash_start(&h, sizeof all);
	hash_add(&h, kind, strlen(kind));
	hash_add(&h, self.epoch, STORE_EPOCH);
	hash_add(&h, token->scope, strlen(token->scope) + 1);
	hash_add(&h, token->tables, strlen(token->tables) + 1);
	hash_add(&h, &personal, 1);
	hash_end(&h, all);
	text_hex(terms, all, TERMS / 2);
	return 0;
}

/* ---- finding and keeping ---- */

/* Is it the one that is asked for: of that etag, or (NULL) fresh? */
static bool
fits(const struct named *named, const char *terms, const char *etag, int64_t now_ms)
{
	int64_t age = now_ms - named->is.made_ms;

	if (strcmp(named->terms, terms) != 0)
		return false;
	return etag != NULL ? strcmp(named->is.etag, etag) == 0 && age < KEPT_KEEP_MS
	                    : age >= 0 && age < KEPT_FRESH_MS;
}

int
kept_find(const struct kept_place *of, const char *terms, const char *etag, struct kept *out,
          struct err *err)
{
	char folder[KEPT_FOLDER];
	struct named *found = NULL;
	size_t count = 0;
	int rc = kept_folder(of, folder, sizeof folder, err);

	if (rc == 0)
		rc = list(folder, &found, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (fits(&found[i], terms, etag, env_wall_ms(of->env)))
			rc = open_named(folder, &found[i], out, err);
	free(found);
	return rc;
}

int
kept_keep(const struct kept_place *of, const char *terms, const char *path, const struct kept *made,
          struct err *err)
{
	char folder[KEPT_FOLDER], to[KEPT_PATH], sum[2 * KEPT_SHA256 + 1], name[NAME + 5];
	int rc = kept_folder(of, folder, sizeof folder, err);

	if (rc < 0)
		return rc;
	text_hex(sum, made->sha256, sizeof made->sha256);
	snprintf(name, sizeof name, "%s%016llx%s%s%s.zst", terms, (unsigned long long)made->made_ms,
	         made->cursor, made->etag, sum);
	kept_path(to, folder, name);
	if (fsync(made->fd) < 0)
		return err_set(err, err_of_system(errno), "sync %s: %s", path, strerror(errno));
	if (rename(path, to) < 0)
		return err_set(err, err_of_system(errno), "%s: %s", to, strerror(errno));
	return file_sync_folder(to, err);
}

int
kept_tidy(const struct kept_place *of, const char *more, struct err *err)
{
	char folder[KEPT_FOLDER];
	struct named *found = NULL;
	size_t count = 0;
	int rc = kept_folder(of, folder, sizeof folder, err);

	if (rc == 0)
		rc = list(folder, &found, &count, err);
	if (rc == 0)
		tidy(folder, found, count, more, env_wall_ms(of->env));
	free(found);
	return rc;
}

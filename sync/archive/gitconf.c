/*
 * sync/archive/gitconf.c - git-config files through libgit2.
 *
 * libgit2 is the parser and the editor; two things it doesn't do are done here.
 * It doesn't say on which line a key stands, so a small scanner finds the line
 * again (it only ever answers "where?", never "what?": if it were wrong, a
 * complaint would name a wrong line and nothing else).  And it doesn't fsync a
 * configuration it has rewritten, so a change is made in a copy beside the file,
 * which then replaces it in the way every other file of ours is replaced.
 */
#include "sync/archive/gitconf.h"
#include "store/base/buf.h"
#include "store/base/file.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <git2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { KEY_MAX = 512 };

struct sync_gitconf {
	char *path;
	struct buf text; /* what the scanner walks */
	git_config *file;
	git_config *snapshot; /* owns the strings we lend */
};

static void
start_library(void)
{
	git_libgit2_init(); /* stays up for the life of the process */
}

static void
need_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start_library);
}

static const char *
library_words(void)
{
	const git_error *e = git_error_last();

	return e != NULL && e->message != NULL ? e->message : "unknown error";
}

/* ------------------------------------------------------------------ where is it? */

struct scan {
	const char *at, *end;
	int line;
	char section[KEY_MAX]; /* "remote.origin", section part in lower case */
	char key[KEY_MAX];     /* the whole key just found */
};

static int
peek(const struct scan *s)
{
	return s->at < s->end ? (unsigned char)*s->at : -1;
}

static int
take(struct scan *s)
{
	int c = peek(s);

	if (c < 0)
		return c;
	s->at++;
	if (c == '\n')
		s->line++;
	return c;
}

static void
append(char *name, int c)
{
	size_t len = strlen(name);

	if (len + 1 < KEY_MAX) {
		name[len] = (char)c;
		name[len + 1] = 0;
	}
}

/* After '[': section, and perhaps a quoted subsection, up to ']'. */
static void
scan_section(struct scan *s)
{
	bool quoted = false;
	int c;

	s->section[0] = 0;
	while ((c = take(s)) >= 0 && c != '\n' && (quoted || c != ']')) {
		if (c == '"' && !quoted)
			append(s->section, '.');
		if (c == '"')
			quoted = !quoted;
		else if (quoted)
			append(s->section, c == '\\' ? take(s) : c);
		else if (!isspace(c))
			append(s->section, tolower(c));
	}
}

/* After the key's name: to the end of its value, over continued lines. */
static void
skip_value(struct scan *s)
{
	bool quoted = false, comment = false;
	int c;

	while ((c = take(s)) >= 0 && c != '\n') {
		if (comment)
			continue;
		if (c == '\\' && take(s) == '\r' && peek(s) == '\n')
			take(s);
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '#' || c == ';'))
			comment = true;
	}
}

/* Find the next key; *line is where it stands. */
static bool
scan_key(struct scan *s, int *line)
{
	int c;

	while ((c = take(s)) >= 0) {
		if (c == '[') {
			scan_section(s);
		} else if (c == '#' || c == ';') {
			while ((c = take(s)) >= 0 && c != '\n')
				continue;
		} else if (isalnum(c)) {
			*line = s->line;
			snprintf(s->key, sizeof s->key, "%.*s.", KEY_MAX - 2, s->section);
			append(s->key, tolower(c));
			while (isalnum(peek(s)) || peek(s) == '-')
				append(s->key, tolower(take(s)));
			skip_value(s);
			return true;
		}
	}
	return false;
}

static struct scan
scan_start(const struct sync_gitconf *conf)
{
	const char *text = conf->text.len == 0 ? "" : (const char *)conf->text.bytes;

	return (struct scan){ .at = text, .end = text + conf->text.len, .line = 1 };
}

/* The key as the scanner and libgit2 spell it: all lower case but the subsection. */
static void
normalise(char out[KEY_MAX], const char *key)
{
	const char *last = strrchr(key, '.');
	bool subsection = false;

	out[0] = 0;
	for (; *key != 0; key++) {
		if (*key == '.')
			subsection = true;
		if (key == last)
			subsection = false;
		append(out, subsection ? *key : tolower((unsigned char)*key));
	}
}

int
sync_gitconf_line(const struct sync_gitconf *conf, const char *key)
{
	struct scan s = scan_start(conf);
	char want[KEY_MAX];
	int line = 0, found = 0;

	normalise(want, key);
	while (scan_key(&s, &line))
		if (strcmp(s.key, want) == 0)
			found = line;
	return found;
}

/* ------------------------------------------------------------------ open */

/*
 * libgit2 stops at a zero byte: what stands behind it would be quietly ignored, and lost with the
 * next setting.  A block that a power cut left empty is full of them.
 */
static int
refuse_zeros(const struct buf *text, const char *path, struct err *err)
{
	const uint8_t *zero = text->len == 0 ? NULL : memchr(text->bytes, 0, text->len);
	int line = 1;

	if (zero == NULL)
		return 0;
	for (const uint8_t *at = text->bytes; at < zero; at++)
		line += *at == '\n';
	return err_set(err, ERR_INVALID, "%s:%d: a zero byte: the file is damaged", path, line);
}

/* An included file could be anybody's, even one below a home folder. */
static int
refuse_includes(const struct sync_gitconf *conf, struct err *err)
{
	struct scan s = scan_start(conf);
	int line = 0;

	while (scan_key(&s, &line))
		if (strncmp(s.key, "include.", 8) == 0 || strncmp(s.key, "includeif.", 10) == 0)
			return err_set(
			        err, ERR_INVALID,
			        "%s:%d: this file can't include others; put the settings here",
			        conf->path, line);
	return 0;
}

/* libgit2 says "failed to parse config file: WHAT (in FILE:LINE, column N)". */
static int
refuse_syntax(const struct sync_gitconf *conf, struct err *err)
{
	const char *words = library_words();
	const char *what = strstr(words, ": "), *in = strstr(words, " (in ");
	const char *place = in == NULL ? NULL : strstr(in, conf->path);

	if (what == NULL || place == NULL || what > in)
		return err_set(err, ERR_INVALID, "%s: %s", conf->path, words);
	place += strlen(conf->path);
	return err_set(err, ERR_INVALID, "%s%.*s: %.*s", conf->path, (int)strcspn(place, ",)"),
	               place, (int)(in - what - 2), what + 2);
}

int
sync_gitconf_open(const char *path, struct sync_gitconf **out, struct err *err)
{
	struct sync_gitconf *conf;
	int rc;

	need_library();
	*out = NULL;
	conf = calloc(1, sizeof *conf);
	if (conf == NULL || (conf->path = strdup(path)) == NULL) {
		rc = err_set(err, ERR_NOMEM, "%s: out of memory", path);
		goto out;
	}
	if ((rc = file_read(path, SYNC_GITCONF_MAX, &conf->text, err)) < 0 ||
	    (rc = refuse_zeros(&conf->text, path, err)) < 0 ||
	    (rc = refuse_includes(conf, err)) < 0)
		goto out;
	if (git_config_open_ondisk(&conf->file, path) < 0 ||
	    git_config_snapshot(&conf->snapshot, conf->file) < 0) {
		rc = refuse_syntax(conf, err);
		goto out;
	}
	*out = conf;
	conf = NULL;
out:
	sync_gitconf_close(conf);
	return rc;
}

void
sync_gitconf_close(struct sync_gitconf *conf)
{
	if (conf == NULL)
		return;
	git_config_free(conf->snapshot);
	git_config_free(conf->file);
	buf_free(&conf->text);
	free(conf->path);
	free(conf);
}

/* ------------------------------------------------------------------ read */

/* Does `name` (as libgit2 spells it) follow `pattern`, whose subsection may be '*'? */
static bool
follows(const char *name, const char *pattern)
{
	const char *star = strstr(pattern, ".*.");
	size_t head, tail, len = strlen(name);

	if (star == NULL)
		return strcmp(name, pattern) == 0;
	head = (size_t)(star - pattern) + 1;
	tail = strlen(star + 2);
	return len > head + tail && memcmp(name, pattern, head) == 0 &&
	       strcmp(name + len - tail, star + 2) == 0;
}

static int
check_name(struct sync_gitconf *conf, const char *name, const char *const *allowed, struct err *err)
{
	for (; *allowed != NULL; allowed++)
		if (follows(name, *allowed))
			return 0;
	return err_set(err, ERR_INVALID, "%s:%d: there is no setting called '%s'", conf->path,
	               sync_gitconf_line(conf, name), name);
}

int
sync_gitconf_check(struct sync_gitconf *conf, const char *const *allowed, struct err *err)
{
	git_config_iterator *iter = NULL;
	git_config_entry *entry;
	int status, rc = 0;

	status = git_config_iterator_new(&iter, conf->snapshot);
	while (status == 0 && rc == 0 && (status = git_config_next(&entry, iter)) == 0)
		rc = check_name(conf, entry->name, allowed, err);
	git_config_iterator_free(iter);
	if (rc == 0 && status != GIT_ITEROVER)
		rc = err_set(err, ERR_IO, "%s: %s", conf->path, library_words());
	return rc;
}

/* 1 if there is a value (NULL for a bare key), 0 if not. */
static int
get(struct sync_gitconf *conf, const char *key, const char **value, struct err *err)
{
	git_config_entry *entry = NULL;
	int status = git_config_get_entry(&entry, conf->snapshot, key);

	if (status == GIT_ENOTFOUND)
		return 0;
	if (status < 0)
		return err_set(err, ERR_INVALID, "%s: %s", conf->path, library_words());
	*value = entry->value; /* the snapshot's, which outlives the entry */
	git_config_entry_free(entry);
	return 1;
}

static int
complain(struct sync_gitconf *conf, const char *key, const char *value, const char *what,
         struct err *err)
{
	return err_set(err, ERR_INVALID, "%s:%d: %s must be %s, not '%s'", conf->path,
	               sync_gitconf_line(conf, key), key, what, value == NULL ? "" : value);
}

int
sync_gitconf_text(struct sync_gitconf *conf, const char *key, const char *missing,
                  const char **value, struct err *err)
{
	int rc = get(conf, key, value, err);

	if (rc == 0)
		*value = missing;
	if (rc == 1 && *value == NULL)
		return complain(conf, key, NULL, "followed by = and a text", err);
	return rc < 0 ? rc : 0;
}

int
sync_gitconf_int(struct sync_gitconf *conf, const char *key, int64_t missing, int64_t *value,
                 struct err *err)
{
	const char *text = NULL;
	int rc = get(conf, key, &text, err);

	if (rc < 0)
		return rc;
	*value = missing;
	if (rc == 1 && (text == NULL || text[0] == 0 || git_config_parse_int64(value, text) < 0))
		return complain(conf, key, text, "a whole number, k, m or g allowed behind it",
		                err);
	return 0;
}

int
sync_gitconf_bool(struct sync_gitconf *conf, const char *key, bool missing, bool *value,
                  struct err *err)
{
	const char *text = NULL;
	int parsed = missing, rc = get(conf, key, &text, err);

	if (rc < 0)
		return rc;
	if (rc == 1 && git_config_parse_bool(&parsed, text) < 0)
		return complain(conf, key, text, "true or false", err);
	*value = parsed != 0;
	return 0;
}

int
sync_gitconf_list(struct sync_gitconf *conf, const char *key,
                  int (*each)(void *ctx, const char *value, struct err *err), void *ctx,
                  struct err *err)
{
	git_config_iterator *iter = NULL;
	git_config_entry *entry;
	int status, rc = 0;

	status = git_config_multivar_iterator_new(&iter, conf->snapshot, key, NULL);
	while (status == 0 && rc == 0 && (status = git_config_next(&entry, iter)) == 0)
		rc = each(ctx, entry->value == NULL ? "" : entry->value, err);
	git_config_iterator_free(iter);
	if (rc == 0 && status != GIT_ITEROVER && status != GIT_ENOTFOUND)
		rc = err_set(err, ERR_IO, "%s: %s", conf->path, library_words());
	return rc < 0 ? rc : 0;
}

/* ------------------------------------------------------------------ write */

/* What libgit2 edits: a file of its own, so that the real one is replaced once. */
static int
make_copy(const char *path, char *copy, struct err *err)
{
	struct buf text = { 0 };
	int fd, rc;

	rc = file_read(path, SYNC_GITCONF_MAX, &text, err);
	if (rc == 0)
		rc = refuse_zeros(&text, path, err);
	if (rc < 0 && rc != ERR_NOTFOUND) {
		copy[0] = 0; /* there is none to remove */
		goto out;
	}
	fd = mkstemp(copy);
	if (fd < 0) {
		rc = err_set(err, ERR_IO, "create %s: %s", copy, strerror(errno));
		copy[0] = 0;
		goto out;
	}
	close(fd);
	rc = file_replace(copy, text.bytes, text.len, err);
out:
	buf_free(&text);
	return rc;
}

static int
edit(git_config *file, const struct sync_gitconf_pair *pair, const char *path, struct err *err)
{
	int status = pair->value != NULL ? git_config_set_string(file, pair->key, pair->value)
	                                 : git_config_delete_entry(file, pair->key);

	if (status < 0 && !(pair->value == NULL && status == GIT_ENOTFOUND))
		return err_set(err, ERR_INVALID, "%s: %s: %s", path, pair->key, library_words());
	return 0;
}

/* Does the key say that in the file? */
static bool
says(git_config *file, const struct sync_gitconf_pair *pair)
{
	git_config_entry *entry = NULL;
	int status = git_config_get_entry(&entry, file, pair->key);
	bool yes = status == GIT_ENOTFOUND && pair->value == NULL;

	if (status == 0 && pair->value != NULL && entry->value != NULL)
		yes = strcmp(entry->value, pair->value) == 0;
	git_config_entry_free(entry);
	return yes;
}

/*
 * What libgit2 wrote must say what it was to write.  Behind a last line that goes on ("\" at its
 * end) it doesn't: the new section becomes a part of that line's value.
 */
static int
check_copy(const char *copy, const char *path, const struct sync_gitconf_pair *pairs, size_t count,
           struct err *err)
{
	git_config *file = NULL;
	bool good = git_config_open_ondisk(&file, copy) == 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (!good || !says(file, &pairs[i]))
			rc = err_set(err, ERR_INVALID,
			             "%s: %s can't be set: does the file's last line end with \\ ?",
			             path, pairs[i].key);
	git_config_free(file);
	return rc;
}

int
sync_gitconf_set(const char *path, const struct sync_gitconf_pair *pairs, size_t count,
                 struct err *err)
{
	size_t size = strlen(path) + sizeof ".XXXXXX";
	char *copy = malloc(size);
	git_config *file = NULL;
	struct buf text = { 0 };
	int rc;

	need_library();
	if (copy == NULL)
		return err_set(err, ERR_NOMEM, "%s: out of memory", path);
	snprintf(copy, size, "%s.XXXXXX", path);
	if ((rc = make_copy(path, copy, err)) < 0)
		goto out;
	if (git_config_open_ondisk(&file, copy) < 0) {
		rc = err_set(err, ERR_INVALID, "%s: %s", path, library_words());
		goto out;
	}
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = edit(file, &pairs[i], path, err);
	if (rc == 0)
		rc = check_copy(copy, path, pairs, count, err);
	if (rc == 0 && (rc = file_read(copy, SYNC_GITCONF_MAX, &text, err)) == 0)
		rc = file_replace(path, text.bytes, text.len, err);
out:
	git_config_free(file);
	if (copy[0] != 0)
		unlink(copy);
	buf_free(&text);
	free(copy);
	return rc;
}

#include "node/anchor.h"

#include "node/identity.h"
#include "store/base/buf.h"
#include "store/base/file.h"
#include "store/base/hash.h"
#include "store/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ANCHOR_BYTES_MAX = 16 << 20 };

static const char first_line[] = "yizhan-anchor 1";

/* ---------------------------------------------------------------- the machine and the file */

/*
 * machine-id(5): the id is confidential, an application shows a keyed hash of it only.  A system
 * without one (a container) has zeros, and is told by the file alone.
 */
static int
look_at_machine(uint8_t machine[ANCHOR_MACHINE], struct err *err)
{
	static const uint8_t salt[32] = "yizhan machine, not its id";
	struct buf id = { 0 };
	int rc = file_read("/etc/machine-id", 256, &id, err);

	memset(machine, 0, ANCHOR_MACHINE);
	if (rc == 0 && id.len > 0)
		hash_keyed(machine, ANCHOR_MACHINE, id.bytes, id.len, salt);
	buf_free(&id);
	return rc == ERR_NOTFOUND || rc == ERR_IO ? 0 : rc;
}

int
anchor_look(struct anchor *anchor, const char *path, struct err *err)
{
	struct statx st;

	if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &st) < 0)
		return err_set(err, ERR_IO, "look at %s: %s", path, strerror(errno));
	if ((st.stx_mask & STATX_BTIME) == 0)
		st.stx_btime.tv_sec = st.stx_btime.tv_nsec = 0;
	snprintf(anchor->file, sizeof anchor->file, "%" PRIu64 ".%" PRIu64 ".%u",
	         (uint64_t)st.stx_ino, (uint64_t)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
	return look_at_machine(anchor->machine, err);
}

/* ---------------------------------------------------------------- writing */

static void
put_hex_line(struct buf *out, const char *name, const void *bytes, size_t len)
{
	char hex[2 * STORE_HEAD + 1];

	text_hex(hex, bytes, len);
	buf_printf(out, "%s %s\n", name, hex);
}

int
anchor_write(const char *dir, const struct anchor *anchor, struct err *err)
{
	char path[IDENTITY_PATH_MAX], hex[2 * STORE_HEAD + 1];
	struct buf out = { 0 };
	int rc = identity_path(path, dir, "anchor", err);

	buf_printf(&out, "%s\n", first_line);
	put_hex_line(&out, "node", anchor->node, STORE_NODE_ID);
	put_hex_line(&out, "epoch", anchor->epoch, STORE_EPOCH);
	put_hex_line(&out, "machine", anchor->machine, ANCHOR_MACHINE);
	buf_printf(&out, "file %s\n", anchor->file);
	for (size_t i = 0; i < anchor->count; i++) {
		text_hex(hex, anchor->streams[i].head, STORE_HEAD);
		buf_printf(&out, "stream %" PRIu64 " %s %s\n", anchor->streams[i].n, hex,
		           anchor->streams[i].scope);
	}
	buf_printf(&out, "end\n");
	if (rc == 0)
		rc = buf_check(&out, err);
	if (rc == 0)
		rc = file_replace(path, out.bytes, out.len, err);
	buf_free(&out);
	return rc;
}

/* ---------------------------------------------------------------- reading */

/* What is left to read; NULL after the first line that isn't as it must be. */
struct lines {
	char *at;
};

/* The rest of the next line, which must begin with `name` and a space; NULL if it doesn't. */
static char *
next_line(struct lines *lines, const char *name)
{
	size_t len = strlen(name);
	char *line = lines->at, *end;

	if (line == NULL || strncmp(line, name, len) != 0 || line[len] != ' ' ||
	    (end = strchr(line, '\n')) == NULL) {
		lines->at = NULL;
		return NULL;
	}
	*end = 0;
	lines->at = end + 1;
	return line + len + 1;
}

static void
read_hex(struct lines *lines, const char *name, void *bytes, size_t len)
{
	char *value = next_line(lines, name);

	if (value == NULL || !text_unhex(bytes, len, value))
		lines->at = NULL;
}

static void
read_stream(struct lines *lines, struct anchor_stream *stream)
{
	char *value = next_line(lines, "stream"), *head, *scope;

	if (value == NULL)
		return;
	errno = 0;
	stream->n = strtoull(value, &head, 10);
	scope = *head == ' ' ? strchr(head + 1, ' ') : NULL;
	if (value[0] < '0' || value[0] > '9' || errno != 0 || scope == NULL ||
	    strlen(scope + 1) > STORE_SCOPE_MAX || scope[1] == 0) {
		lines->at = NULL;
		return;
	}
	*scope = 0;
	if (!text_unhex(stream->head, STORE_HEAD, head + 1))
		lines->at = NULL;
	snprintf(stream->scope, sizeof stream->scope, "%s", scope + 1);
}

static void
parse(char *text, struct anchor *anchor)
{
	struct lines lines = { text };
	char *file;

	if (strncmp(text, first_line, sizeof first_line - 1) != 0 ||
	    text[sizeof first_line - 1] != '\n')
		lines.at = NULL;
	else
		lines.at += sizeof first_line;
	read_hex(&lines, "node", anchor->node, STORE_NODE_ID);
	read_hex(&lines, "epoch", anchor->epoch, STORE_EPOCH);
	read_hex(&lines, "machine", anchor->machine, ANCHOR_MACHINE);
	file = next_line(&lines, "file");
	if (file != NULL && strlen(file) < sizeof anchor->file)
		memcpy(anchor->file, file, strlen(file) + 1);
	else
		lines.at = NULL;
	while (lines.at != NULL && strcmp(lines.at, "end\n") != 0)
		read_stream(&lines, &anchor->streams[anchor->count++]);
	if (lines.at == NULL)
		anchor->count = SIZE_MAX;
}

static size_t
count_lines(const struct buf *text)
{
	size_t count = 0;

	for (size_t i = 0; i < text->len; i++)
		count += text->bytes[i] == '\n';
	return count;
}

int
anchor_read(const char *dir, struct anchor *anchor, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	struct buf text = { 0 };
	int rc = identity_path(path, dir, "anchor", err);

	memset(anchor, 0, sizeof *anchor);
	if (rc == 0)
		rc = file_read(path, ANCHOR_BYTES_MAX, &text, err);
	if (rc < 0)
		goto out;
	anchor->streams = calloc(count_lines(&text) + 1, sizeof *anchor->streams);
	if (anchor->streams == NULL || buf_str(&text)[0] == 0) {
		rc = anchor->streams == NULL ? err_set(err, ERR_NOMEM, "out of memory")
		                             : err_set(err, ERR_CORRUPT, "%s is empty", path);
		goto out;
	}
	parse((char *)text.bytes, anchor);
	if (anchor->count == SIZE_MAX)
		rc = err_set(err, ERR_CORRUPT, "%s is damaged", path);
out:
	if (rc < 0)
		anchor_free(anchor);
	buf_free(&text);
	return rc;
}

void
anchor_free(struct anchor *anchor)
{
	free(anchor->streams);
	anchor->streams = NULL;
	anchor->count = 0;
}

/* ---------------------------------------------------------------- comparing */

static const struct anchor_stream *
stream_of(const struct anchor *anchor, const char *scope)
{
	for (size_t i = 0; i < anchor->count; i++)
		if (strcmp(anchor->streams[i].scope, scope) == 0)
			return &anchor->streams[i];
	return NULL;
}

/* Does the database still hold this stream up to where it was?  1, 0 or negative. */
static int
still_there(const struct anchor_stream *was, const struct anchor *found, anchor_head_fn head_at,
            void *ctx, struct err *err)
{
	const struct anchor_stream *is = stream_of(found, was->scope);
	uint8_t head[STORE_HEAD];
	int rc;

	if (was->n == 0)
		return 1;
	if (is == NULL || is->n < was->n)
		return 0;
	if (is->n == was->n)
		return memcmp(is->head, was->head, STORE_HEAD) == 0;
	rc = head_at(ctx, was->scope, was->n, head, err);
	if (rc <= 0)
		return rc < 0 ? rc : 1;
	return memcmp(head, was->head, STORE_HEAD) == 0;
}

static bool
has_records(const struct anchor *found)
{
	for (size_t i = 0; i < found->count; i++)
		if (found->streams[i].n > 0)
			return true;
	return false;
}

int
anchor_compare(const struct anchor *kept, const struct anchor *found, anchor_head_fn head_at,
               void *ctx, enum anchor_verdict *verdict, struct err *err)
{
	*verdict = ANCHOR_SAME;
	if (kept == NULL) {
		*verdict = has_records(found) ? ANCHOR_LOST : ANCHOR_NEW;
		return 0;
	}
	if (memcmp(kept->node, found->node, STORE_NODE_ID) != 0 ||
	    memcmp(kept->epoch, found->epoch, STORE_EPOCH) != 0) {
		*verdict = ANCHOR_OTHER_LIFE;
		return 0;
	}
	for (size_t i = 0; i < kept->count; i++) {
		int there = still_there(&kept->streams[i], found, head_at, ctx, err);

		if (there < 0)
			return there;
		if (there == 0) {
			*verdict = ANCHOR_MOVED_BACK;
			return 0;
		}
	}
	if (memcmp(kept->machine, found->machine, ANCHOR_MACHINE) != 0 ||
	    strcmp(kept->file, found->file) != 0)
		*verdict = ANCHOR_COPIED;
	return 0;
}

const char *
anchor_verdict_name(enum anchor_verdict verdict)
{
	static const char *const names[] = {
		[ANCHOR_SAME] = "unchanged",
		[ANCHOR_NEW] = "new",
		[ANCHOR_LOST] = "without its anchor",
		[ANCHOR_COPIED] = "a copy, or moved to another machine",
		[ANCHOR_MOVED_BACK] = "restored from an older state",
		[ANCHOR_OTHER_LIFE] = "another life than the anchor's",
	};

	return names[verdict];
}

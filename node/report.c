#include "node/report.h"

#include "node/version.h"
#include "store/base/buf.h"
#include "store/base/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers, by their names on the line; `least` is what the first of them that can't be is
 * above. */
static const struct field {
	const char *name;
	size_t at;
	int64_t least;
} fields[] = {
	{ "format", offsetof(struct report, format), 0 },
	{ "waiting", offsetof(struct report, waiting), 0 },
	{ "oldest", offsetof(struct report, oldest_ms), 0 },
	{ "conflicts", offsetof(struct report, conflicts), 0 },
	{ "quarantined", offsetof(struct report, quarantined), 0 },
	{ "clock", offsetof(struct report, clock_offset_ms), INT64_MIN },
	{ "db", offsetof(struct report, db_bytes), 0 },
	{ "disk", offsetof(struct report, disk_free), 0 },
	{ "differing", offsetof(struct report, differing), 0 },
};

/* What is either said or not. */
static const struct flag {
	const char *name;
	size_t at;
} flags[] = {
	{ "unsure", offsetof(struct report, clock_unsure) },
	{ "full", offsetof(struct report, disk_full) },
	{ "back", offsetof(struct report, hub_went_back) },
};

enum { FIELDS = sizeof fields / sizeof fields[0], FLAGS = sizeof flags / sizeof flags[0] };

static int64_t *
number(struct report *r, size_t i)
{
	return (int64_t *)(void *)((char *)r + fields[i].at);
}

static bool *
flag(struct report *r, size_t i)
{
	return (bool *)((char *)r + flags[i].at);
}

void
report_clear(struct report *r)
{
	*r = (struct report){ 0 };
	for (size_t i = 0; i < FIELDS; i++)
		*number(r, i) = REPORT_UNKNOWN;
	r->clock_offset_ms = 0;
}

void
report_of_status(struct report *r, const struct node_status *s, int64_t format)
{
	report_clear(r);
	text_copy(r->version, sizeof r->version, NODE_VERSION);
	r->format = format;
	r->waiting = s->waiting;
	r->oldest_ms = s->oldest_waiting_ms;
	r->conflicts = s->conflicts;
	r->quarantined = s->quarantined;
	r->clock_known = s->last_success_ms > 0;
	r->clock_offset_ms = s->clock_offset_ms;
	r->clock_unsure = s->clock_unsure;
	r->db_bytes = s->db_bytes;
	r->disk_free = s->disk_free;
	r->disk_full = s->disk_full;
	r->hub_went_back = s->life.hub_went_back;
	r->differing = 0;
	for (size_t i = 0; i < s->scope_count; i++)
		r->differing += s->scopes[i].differs;
}

static bool
is_told(const struct report *r, size_t i, int64_t value)
{
	return fields[i].least == INT64_MIN ? r->clock_known : value >= fields[i].least;
}

bool
report_write(const struct report *r, char text[REPORT_TEXT])
{
	struct report copy = *r;
	int len = snprintf(text, REPORT_TEXT, "version=%s", r->version);

	for (size_t i = 0; i < FIELDS && len < REPORT_TEXT; i++)
		if (is_told(r, i, *number(&copy, i)))
			len += snprintf(text + len, (size_t)(REPORT_TEXT - len), ";%s=%lld",
			                fields[i].name, (long long)*number(&copy, i));
	for (size_t i = 0; i < FLAGS && len < REPORT_TEXT; i++)
		if (*flag(&copy, i))
			len += snprintf(text + len, (size_t)(REPORT_TEXT - len), ";%s=1",
			                flags[i].name);
	return len < REPORT_TEXT;
}

/* ---- reading ---- */

static bool
read_number(const char *value, int64_t least, int64_t *out)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(value, &end, 10);
	*out = n;
	return end != value && *end == 0 && errno == 0 && n >= least && value[0] != '+' &&
	       value[0] != ' ';
}

/* A version is a word. */
static bool
read_version(struct report *r, const char *value)
{
	static const char plain[] =
	        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+-_~";
	size_t len = strlen(value);

	if (len >= sizeof r->version || strspn(value, plain) != len)
		return false;
	memcpy(r->version, value, len + 1);
	return true;
}

/* One name=value; false if it can't be. */
static bool
read_pair(struct report *r, const char *name, const char *value, unsigned *seen)
{
	int64_t n;

	if (strcmp(name, "version") == 0)
		return read_version(r, value);
	for (size_t i = 0; i < FIELDS; i++) {
		if (strcmp(name, fields[i].name) != 0)
			continue;
		if ((*seen >> i & 1) != 0 || !read_number(value, fields[i].least, number(r, i)))
			return false;
		*seen |= 1u << i;
		r->clock_known |= fields[i].least == INT64_MIN;
		return true;
	}
	for (size_t i = 0; i < FLAGS; i++)
		if (strcmp(name, flags[i].name) == 0) {
			bool good = read_number(value, 0, &n) && n <= 1;

			*flag(r, i) = good && n == 1;
			return good;
		}
	return true; /* of a newer program */
}

int
report_read(const char *text, struct report *r, struct err *err)
{
	char copy[REPORT_TEXT], *at = copy;
	unsigned seen = 0;

	report_clear(r);
	if (strlen(text) >= sizeof copy)
		return err_set(err, ERR_CORRUPT, "a report has at most %d bytes", REPORT_TEXT - 1);
	text_copy(copy, sizeof copy, text);
	while (at != NULL) {
		char *name = strsep(&at, ";"), *value = strchr(name, '=');

		if (value != NULL)
			*value++ = 0;
		if (value == NULL || !read_pair(r, name, value, &seen)) {
			report_clear(r);
			return err_set(err, ERR_CORRUPT, "the report's %.20s isn't one", name);
		}
	}
	return 0;
}

/* ---- proof ---- */

static void
signed_bytes(struct buf *out, const char *text, size_t len, const char *request_signature)
{
	static const char magic[] = "yizhan-report-1";

	buf_put(out, magic, sizeof magic - 1);
	buf_lenbytes(out, request_signature, strlen(request_signature));
	buf_put(out, text, len);
}

void
report_sign(const struct sync_key *key, const char *text, const char *request_signature,
            char line[REPORT_LINE])
{
	uint8_t signature[STORE_SIGNATURE] = { 0 };
	char hex[2 * STORE_SIGNATURE + 1];
	struct buf bytes = { 0 };

	signed_bytes(&bytes, text, strlen(text), request_signature);
	if (!bytes.bad)
		sync_sign(key, bytes.bytes, bytes.len, signature);
	buf_free(&bytes);
	text_hex(hex, signature, sizeof signature);
	snprintf(line, REPORT_LINE, "%.*s %s", REPORT_TEXT, text, hex);
}

int
report_check(const char *line, const uint8_t key[SYNC_PUBLIC_KEY], const char *request_signature,
             char text[REPORT_TEXT], struct err *err)
{
	const char *hex = strchr(line, ' ');
	uint8_t signature[STORE_SIGNATURE];
	struct buf bytes = { 0 };
	bool good;

	if (hex == NULL || hex - line >= REPORT_TEXT ||
	    !text_unhex(signature, sizeof signature, hex + 1))
		return err_set(err, ERR_DENIED, "the report is not a text and its signature");
	signed_bytes(&bytes, line, (size_t)(hex - line), request_signature);
	good = !bytes.bad && sync_verify(key, bytes.bytes, bytes.len, signature);
	buf_free(&bytes);
	if (!good)
		return err_set(err, ERR_DENIED, "the report is not signed by its node");
	memcpy(text, line, (size_t)(hex - line));
	text[hex - line] = 0;
	return 0;
}

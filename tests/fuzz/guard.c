/*
 * tests/fuzz/guard.c - any bytes as the head of a request: refused, or one with
 * a path that stays inside, one Host of ours and one way to tell its length.
 *
 * Input: how many header lines the library missed (1 byte); the head as it is on
 * the line.  It is cut as libmicrohttpd cuts it (node/http/guard.h), in place.
 */
#include "node/http/guard.h"
#include "store/base/text.h"
#include "tests/fuzz/help.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOSTS "hub.example *"

/* A block as the library leaves it. */
struct block {
	char *bytes;
	size_t len;
	char *version, *target; /* target: a copy */
	size_t fields;
};

/* Line ends become two NULs, each line's first colon one. */
static void
cut_lines(struct block *b, char *at)
{
	char *end = b->bytes + b->len;
	bool colon = true; /* the request line has none to cut */

	for (; at < end; at++) {
		if (at[0] == '\r' && at + 1 < end && at[1] == '\n') {
			at[0] = at[1] = 0;
			at++;
			colon = false;
		} else if (at[0] == '\n') {
			at[0] = 0;
			colon = false;
		} else if (at[0] == ':' && !colon) {
			at[0] = 0;
			b->fields++;
			colon = true;
		}
	}
}

static bool
cut(struct block *b)
{
	char *target = memchr(b->bytes, ' ', b->len);

	if (target == NULL)
		return false;
	*target++ = 0;
	b->version = memchr(target, ' ', b->len - (size_t)(target - b->bytes));
	if (b->version == NULL)
		return false;
	*b->version++ = 0;
	b->target = strdup(target);
	cut_lines(b, b->version);
	return b->target != NULL;
}

static size_t
count(const struct guard_head *head, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < head->count; i++)
		n += strcasecmp(head->fields[i].name, name) == 0;
	return n;
}

/* What everybody behind the guard relies on. */
static void
check_accepted(const struct guard_head *head, const char *method)
{
	HOLDS(head->path[0] == '/' && text_is_utf8(head->path, strlen(head->path), NULL));
	HOLDS(strstr(head->path, "/../") == NULL && strstr(head->path, "/./") == NULL);
	HOLDS(strpbrk(head->path, "\\\r\n") == NULL && strpbrk(head->query, " \r\n") == NULL);
	HOLDS(count(head, "host") == 1);
	HOLDS(count(head, "content-length") + count(head, "transfer-encoding") <= 1);
	HOLDS(!(head->has_length && head->chunked));
	HOLDS(guard_method(method).status == 0);
	for (size_t i = 0; i < head->count; i++) {
		HOLDS(guard_field(head, head->fields[i].name) != NULL);
		HOLDS(strpbrk(head->fields[i].value, "\r\n") == NULL);
		HOLDS(strpbrk(head->fields[i].name, " \t:\r\n") == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guard_verdict verdict;
	struct guard_head head = { 0 };
	struct block b = { 0 };
	char *copy = NULL;

	if (size < 2)
		return 0;
	b.len = size - 1;
	b.bytes = help_text(data + 1, b.len);
	if (cut(&b)) {
		struct guard_raw raw = { .method = b.bytes,
			                 .version = b.version,
			                 .target = b.target,
			                 .size = b.len,
			                 .counted = b.fields - (data[0] == 1 && b.fields > 0) };

		verdict = guard_request(&head, &raw, HOSTS, &copy);
		HOLDS(verdict.status == 0 || (verdict.status >= 400 && verdict.why[0] != 0));
		if (verdict.status == 0)
			check_accepted(&head, b.bytes);
	}
	free(copy);
	free(b.target);
	free(b.bytes);
	return 0;
}

/*
 * tests/fuzz/cookie.c - any bytes as a Cookie header: what is found in it is what a slower reader
 * finds, which takes the header apart at its semicolons; and a cookie of ours behind it is found
 * if nothing before it could be one.
 *
 * Input: the header.
 */
#include "node/http/form.h"
#include "tests/fuzz/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE = 9 }; /* with its zero */
static const char name[] = "yz", ours[] = "01234567";

/* Is this piece, without its blanks, the cookie, with a value as long as ours? */
static bool
is_cookie(const char *piece, size_t len, char out[VALUE])
{
	size_t end;

	while (len > 0 && *piece == ' ') {
		piece++;
		len--;
	}
	if (len < sizeof name || memcmp(piece, name, sizeof name - 1) != 0 ||
	    piece[sizeof name - 1] != '=')
		return false;
	piece += sizeof name;
	len -= sizeof name;
	for (end = 0; end < len && piece[end] != ' ';)
		end++;
	if (end != VALUE - 1)
		return false;
	memcpy(out, piece, VALUE - 1);
	out[VALUE - 1] = 0;
	return true;
}

static bool
find_slowly(const char *header, char out[VALUE])
{
	const char *end;

	out[0] = 0;
	for (;; header = end + 1) {
		end = strchr(header, ';');
		if (is_cookie(header, end != NULL ? (size_t)(end - header) : strlen(header), out))
			return true;
		if (end == NULL)
			return false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *header = help_text(data, size), *longer = malloc(size + 32);
	char found[VALUE], want[VALUE];
	bool is = find_slowly(header, want);

	HOLDS(form_cookie(header, name, found, VALUE) == is);
	HOLDS(strcmp(found, want) == 0);
	HOLDS(longer != NULL);
	snprintf(longer, size + 32, "%s; %s=%s", header, name, ours);
	HOLDS(form_cookie(longer, name, found, VALUE));
	HOLDS(strcmp(found, is ? want : ours) == 0);
	HOLDS(!form_cookie(NULL, name, found, VALUE) && found[0] == 0);
	free(header);
	free(longer);
	return 0;
}

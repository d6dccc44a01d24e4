#include "tests/golden.h"

#include "store/base/file.h"
#include "store/base/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20, LINE_BYTES = 32 };

bool
golden_writing(void)
{
	const char *how = getenv("GOLDEN");

	return how != NULL && strcmp(how, "write") == 0;
}

static void
read_text(const char *name, struct buf *text)
{
	char path[256];
	struct err err;

	snprintf(path, sizeof path, "tests/golden/%s.hex", name);
	ck_assert_msg(file_read(path, FILE_MAX, text, &err) == 0, "%s", err.msg);
}

static void
write_text(const char *name, const uint8_t *bytes, size_t len)
{
	char path[256], hex[2 * LINE_BYTES + 1];
	struct buf old = { 0 };
	const char *text;
	FILE *file;

	read_text(name, &old);
	text = buf_str(&old);
	snprintf(path, sizeof path, "tests/golden/%s.hex", name);
	file = fopen(path, "w");
	ck_assert(file != NULL);
	fprintf(file, "%.*s\n", (int)strcspn(text, "\n"), text);
	for (size_t at = 0; at < len; at += LINE_BYTES) {
		text_hex(hex, bytes + at, len - at < LINE_BYTES ? len - at : LINE_BYTES);
		fprintf(file, "%s\n", hex);
	}
	ck_assert(fclose(file) == 0);
	buf_free(&old);
}

void
golden_read(const char *name, struct buf *out)
{
	struct buf text = { 0 };
	char *rest = NULL;

	read_text(name, &text);
	ck_assert_msg(strncmp(buf_str(&text), "# ", 2) == 0, "%s.hex: no sentence", name);
	for (char *line = strtok_r((char *)text.bytes, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		size_t len = strlen(line) / 2;

		if (line[0] == '#')
			continue;
		ck_assert_msg(text_unhex(buf_grow(out, len), len, line), "%s.hex: %s", name, line);
	}
	buf_free(&text);
}

void
golden_check(const char *name, const void *bytes, size_t len)
{
	struct buf want = { 0 };
	size_t at = 0;

	if (golden_writing())
		write_text(name, bytes, len);
	golden_read(name, &want);
	while (at < len && at < want.len && want.bytes[at] == ((const uint8_t *)bytes)[at])
		at++;
	ck_assert_msg(at == len && at == want.len,
	              "%s.hex: %zu bytes instead of %zu, different from byte %zu on", name, len,
	              want.len, at);
	buf_free(&want);
}

/*
 * tests/fuzz/form.c - any bytes as a form: refused, or pairs that are the same
 * after they were written and read again.
 *
 * Input: the form.
 */
#include "node/http/form.h"
#include "store/base/buf.h"
#include "store/base/text.h"
#include "tests/fuzz/help.h"

#include <string.h>

static void
escape(struct buf *out, const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++)
		buf_printf(out, "%%%02x", text->bytes[i]);
}

/* Append the pairs, every byte escaped; the last code. */
static int
rewrite(struct form form, struct buf *out)
{
	struct buf name = { 0 }, value = { 0 };
	struct err err;
	int rc;

	while ((rc = form_next(&form, &name, &value, &err)) == 1) {
		HOLDS(text_is_utf8(name.bytes, name.len, NULL) &&
		      text_is_utf8(value.bytes, value.len, NULL));
		HOLDS(strlen(buf_str(&name)) == name.len && strlen(buf_str(&value)) == value.len);
		buf_u8(out, '&');
		escape(out, &name);
		buf_u8(out, '=');
		escape(out, &value);
	}
	HOLDS(rc == 0 || rc == ERR_INVALID);
	buf_free(&name);
	buf_free(&value);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct form form = form_from((const char *)data, size);
	struct buf once = { 0 }, twice = { 0 }, name = { 0 }, value = { 0 };
	char got[16];
	struct err err;
	int rc = rewrite(form, &once), found;

	HOLDS(rewrite(form_from(buf_str(&once), once.len), &twice) == 0);
	HOLDS(help_same(&once, twice.bytes, twice.len));
	found = form_get(form, "child", got, sizeof got, &err);
	HOLDS(found <= 1 && (found != 1 || strlen(got) < sizeof got));
	HOLDS(found != 0 || rc == 0);
	/* the first pair is found by its own name */
	if (form_next(&form, &name, &value, &err) == 1) {
		found = form_get(form_from((const char *)data, size), buf_str(&name), got,
		                 sizeof got, &err);
		HOLDS(value.len >= sizeof got ? found == ERR_INVALID
		                              : found == 1 && strcmp(got, buf_str(&value)) == 0);
	}
	buf_free(&once);
	buf_free(&twice);
	buf_free(&name);
	buf_free(&value);
	return 0;
}

#include "store/base/csvio.h"

#include <string.h>

static bool
needs_quotes(const char *text, size_t len)
{
	if (len == 0 || text[0] == ' ' || text[len - 1] == ' ')
		return true;
	for (size_t i = 0; i < len; i++)
		if (strchr(",\"\r\n", text[i]) != NULL)
			return true;
	return false;
}

void
csvio_put(struct buf *out, const void *bytes, size_t len)
{
	const char *text = bytes;

	if (!needs_quotes(text, len)) {
		buf_put(out, text, len);
		return;
	}
	buf_u8(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			buf_u8(out, '"');
		buf_u8(out, (uint8_t)text[i]);
	}
	buf_u8(out, '"');
}

/* Would a spreadsheet take it for a formula?  The full-width signs are what a Chinese or Japanese
 * keyboard writes, and programs set up for these languages read them as the others. */
static bool
is_formula(const void *bytes, size_t len)
{
	static const char *const begins[] = { "=",  "+",  "-",  "@",  "\t", "\r",
		                              "\n", "＝", "＋", "－", "＠" };

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
		size_t sign = strlen(begins[i]);

		if (len >= sign && memcmp(bytes, begins[i], sign) == 0)
			return true;
	}
	return false;
}

void
csvio_put_safe(struct buf *out, const void *bytes, size_t len)
{
	struct buf text = { 0 };

	if (is_formula(bytes, len))
		buf_u8(&text, '\'');
	buf_put(&text, bytes, len);
	if (text.bad)
		out->bad = true;
	csvio_put(out, text.bytes, text.len);
	buf_free(&text);
}

/* ---- reading ---- */

struct csvio_reader
csvio_from(const void *text, size_t len)
{
	/* an empty file may have no bytes at all, and NULL can't be moved along */
	return (struct csvio_reader){ .at = len == 0 ? (const uint8_t *)"" : text,
		                      .left = len,
		                      .line = 1 };
}

static void
skip(struct csvio_reader *r, size_t len)
{
	for (size_t i = 0; i < len; i++)
		r->line += r->at[i] == '\n';
	r->at += len;
	r->left -= len;
}

/* The text between quotes, which stand doubled for one; then the field must end. */
static int
read_quoted(struct csvio_reader *r, struct buf *text, struct err *err)
{
	int line = r->line;

	skip(r, 1);
	for (;;) {
		const uint8_t *quote = r->left == 0 ? NULL : memchr(r->at, '"', r->left);

		if (quote == NULL)
			return err_set(err, ERR_INVALID,
			               "line %d: a quote is opened and never closed", line);
		buf_put(text, r->at, (size_t)(quote - r->at));
		skip(r, (size_t)(quote - r->at) + 1);
		if (r->left == 0 || r->at[0] != '"')
			break;
		buf_u8(text, '"');
		skip(r, 1);
	}
	if (r->left > 0 && strchr(",\r\n", r->at[0]) == NULL)
		return err_set(err, ERR_INVALID, "line %d: something stands behind a closing quote",
		               r->line);
	return 0;
}

static int
read_bare(struct csvio_reader *r, struct buf *text, struct err *err)
{
	size_t len = 0;

	while (len < r->left && r->at[len] != ',' && r->at[len] != '\n' &&
	       !(r->at[len] == '\r' && (len + 1 == r->left || r->at[len + 1] == '\n'))) {
		if (r->at[len] == '"')
			return err_set(
			        err, ERR_INVALID,
			        "line %d: a quote stands inside a field that has none around",
			        r->line);
		len++;
	}
	buf_put(text, r->at, len);
	skip(r, len);
	return 0;
}

static int
read_field(struct csvio_reader *r, struct arena *a, struct csvio_field *field, struct err *err)
{
	struct buf text = { 0 };
	int rc;

	field->quoted = r->left > 0 && r->at[0] == '"';
	rc = field->quoted ? read_quoted(r, &text, err) : read_bare(r, &text, err);
	if (rc == 0)
		rc = buf_check(&text, err);
	field->len = text.len;
	field->text = rc < 0 ? NULL : arena_copy(a, text.bytes, text.len);
	buf_free(&text);
	if (rc == 0 && field->text == NULL)
		rc = err_set(err, ERR_NOMEM, "line %d: out of memory", r->line);
	return rc;
}

/* Take a line's end; true if one stood there. */
static bool
end_of_line(struct csvio_reader *r)
{
	size_t len = r->left > 1 && r->at[0] == '\r' && r->at[1] == '\n'     ? 2
	             : r->left > 0 && (r->at[0] == '\n' || r->at[0] == '\r') ? 1
	                                                                     : 0;

	skip(r, len);
	return len > 0;
}

int
csvio_next(struct csvio_reader *r, struct arena *a, struct csvio_field *fields, size_t *count,
           struct err *err)
{
	*count = 0;
	while (end_of_line(r))
		; /* empty lines */
	if (r->left == 0)
		return 0;
	for (;;) {
		int rc;

		if (*count == CSVIO_FIELDS_MAX)
			return err_set(err, ERR_INVALID, "line %d: more than %d fields", r->line,
			               CSVIO_FIELDS_MAX);
		rc = read_field(r, a, &fields[*count], err);
		if (rc < 0)
			return rc;
		(*count)++;
		if (r->left == 0 || end_of_line(r))
			return 1;
		skip(r, 1); /* the comma */
	}
}

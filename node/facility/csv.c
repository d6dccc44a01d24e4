#include "node/facility/csv.h"

#include "store/base/text.h"

#include <iconv.h>
#include <string.h>

struct csv
csv_from(const void *text, size_t len)
{
	return (struct csv){ .at = text, .left = len, .line = 1 };
}

/* The next byte, or -1 at the end; CRLF and a lone CR are given as LF. */
static int
peek(const struct csv *c)
{
	if (c->left == 0)
		return -1;
	return c->at[0] == '\r' ? '\n' : c->at[0];
}

static void
take(struct csv *c)
{
	size_t step = c->left > 1 && c->at[0] == '\r' && c->at[1] == '\n' ? 2 : 1;

	c->line += peek(c) == '\n';
	c->at += step;
	c->left -= step;
}

static int
refuse(struct err *err, const struct csv_field *at, const char *why)
{
	return err_set(err, ERR_INVALID, "line %d, column %d: %s", at->line, at->column, why);
}

/* The inside of a quoted field, from behind its first quote to behind its last. */
static int
read_quoted(struct csv *c, const struct csv_field *at, struct buf *out, struct err *err)
{
	for (;;) {
		int b = peek(c);

		if (b < 0)
			return refuse(err, at,
			              "the quote (\") that opens this field is never closed");
		take(c);
		if (b == '"') {
			if (peek(c) != '"')
				break;
			take(c);
		}
		buf_u8(out, (uint8_t)b);
	}
	while (peek(c) == ' ')
		take(c);
	if (peek(c) >= 0 && peek(c) != ',' && peek(c) != '\n')
		return refuse(err, at,
		              "text follows the closing quote; write a quote inside a field twice "
		              "(\"\")");
	return 0;
}

static int
read_field(struct csv *c, struct buf *out, const struct csv_field *at, struct err *err)
{
	while (peek(c) == ' ' || peek(c) == '\t')
		take(c);
	if (peek(c) == '"') {
		take(c);
		return read_quoted(c, at, out, err);
	}
	while (peek(c) >= 0 && peek(c) != ',' && peek(c) != '\n') {
		if (peek(c) == '"')
			return refuse(err, at,
			              "a quote (\") stands inside a field that isn't quoted");
		buf_u8(out, (uint8_t)peek(c));
		take(c);
	}
	return 0;
}

/* How many bytes at `s` are one blank?  U+3000, the wide one, too. */
static size_t
blank(const char *s, size_t len)
{
	if (len > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\n'))
		return 1;
	return len >= 3 && memcmp(s, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

/* Copy a field into the arena, without the blanks around it. */
static int
keep_field(struct arena *a, const struct buf *text, struct csv_field *at, struct err *err)
{
	const char *from = (const char *)text->bytes;
	size_t len = text->len, step;

	if (text->bad)
		return buf_check(text, err);
	if (len > CSV_FIELD_MAX)
		return refuse(err, at, "the field is too long");
	if (len > 0 && memchr(from, 0, len) != NULL)
		return refuse(err, at, "the field holds a zero byte");
	for (; (step = blank(from, len)) > 0; from += step)
		len -= step;
	while (len > 0 &&
	       (blank(from + len - 1, 1) > 0 || (len >= 3 && blank(from + len - 3, 3) == 3)))
		len -= blank(from + len - 1, 1) > 0 ? 1 : 3;
	at->text = arena_copy(a, from, len);
	return at->text == NULL ? err_set(err, ERR_NOMEM, "line %d: out of memory", at->line) : 0;
}

int
csv_next(struct csv *c, struct arena *a, struct csv_record *out, struct err *err)
{
	struct buf text = { 0 };
	bool more = true;
	int rc = 0;

	while (peek(c) == '\n')
		take(c);
	out->count = 0;
	out->line = c->line;
	if (peek(c) < 0)
		return 0;
	while (rc == 0 && more) {
		struct csv_field *f = &out->fields[out->count];

		*f = (struct csv_field){ .line = c->line, .column = (int)out->count + 1 };
		buf_clear(&text);
		rc = read_field(c, &text, f, err);
		if (rc == 0)
			rc = keep_field(a, &text, f, err);
		more = peek(c) == ',';
		if (peek(c) >= 0)
			take(c);
		if (rc == 0 && more && ++out->count == CSV_FIELDS_MAX)
			rc = refuse(err, f, "there are too many columns");
	}
	out->count++;
	buf_free(&text);
	return rc < 0 ? rc : 1;
}

/* ------------------------------------------------------------------ encodings */

/* Where a byte stands, before its text can be read: ASCII's commas, quotes and line ends are no
 * part of another character in either encoding. */
static struct csv_field
place_of(const uint8_t *bytes, size_t offset)
{
	struct csv_field at = { .line = 1, .column = 1 };
	bool quoted = false;

	for (size_t i = 0; i < offset; i++) {
		quoted ^= bytes[i] == '"';
		if (bytes[i] == '\n' || (bytes[i] == '\r' && bytes[i + 1] != '\n')) {
			at.line++;
			at.column = quoted ? at.column : 1;
		}
		at.column += bytes[i] == ',' && !quoted;
	}
	return at;
}

static int
refuse_byte(struct err *err, const void *bytes, size_t offset, size_t bad_utf8)
{
	struct csv_field at = place_of(bytes, offset);

	return err_set(err, ERR_INVALID,
	               "line %d, column %d: byte %zu is neither UTF-8 (wrong from byte %zu) nor "
	               "GB18030",
	               at.line, at.column, offset, bad_utf8);
}

static int
from_gb18030(const void *bytes, size_t len, size_t bad_utf8, struct buf *out, struct err *err)
{
	iconv_t conv = iconv_open("UTF-8", "GB18030");
	char *in; /* iconv wants it so, and writes nothing there */
	size_t left = len, room = 2 * len + 16, start = out->len, rest = room;
	uint8_t *to;
	char *at;
	int rc = 0;

	memcpy(&in, &bytes, sizeof in);
	if ((intptr_t)conv == -1)
		return err_set(
		        err, ERR_INVALID,
		        "the text is not UTF-8 (byte %zu) and this system cannot read GB18030",
		        bad_utf8);
	to = buf_grow(out, room);
	at = (char *)to;
	if (to == NULL)
		rc = buf_check(out, err);
	else if (iconv(conv, &in, &left, &at, &rest) == SIZE_MAX)
		rc = refuse_byte(err, bytes, len - left, bad_utf8);
	iconv_close(conv);
	out->len = start + (room - rest);
	return rc;
}

int
csv_to_utf8(const void *bytes, size_t len, struct buf *out, struct err *err)
{
	bool marked = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
	size_t skip = marked ? 3 : 0, bad = 0;
	const uint8_t *text = marked ? (const uint8_t *)bytes + skip : bytes;

	if (text_is_utf8(text, len - skip, &bad)) {
		buf_put(out, text, len - skip);
		return buf_check(out, err);
	}
	if (marked) {
		struct csv_field at = place_of(bytes, bad + skip);

		return err_set(err, ERR_INVALID,
		               "line %d, column %d: byte %zu is not UTF-8, though the file begins "
		               "with UTF-8's mark",
		               at.line, at.column, bad + skip);
	}
	return from_gb18030(bytes, len, bad, out, err);
}

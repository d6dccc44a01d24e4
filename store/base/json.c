#include "store/base/json.h"
#include "store/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json
json_to(struct buf *out)
{
	return (struct json){ .out = out };
}

static void
begin_value(struct json *j)
{
	if (j->follows)
		buf_u8(j->out, ',');
	j->follows = true;
}

static void
open_with(struct json *j, char bracket)
{
	begin_value(j);
	buf_u8(j->out, (uint8_t)bracket);
	j->follows = false;
}

static void
close_with(struct json *j, char bracket)
{
	buf_u8(j->out, (uint8_t)bracket);
	j->follows = true;
}

void
json_object(struct json *j)
{
	open_with(j, '{');
}

void
json_end_object(struct json *j)
{
	close_with(j, '}');
}

void
json_array(struct json *j)
{
	open_with(j, '[');
}

void
json_end_array(struct json *j)
{
	close_with(j, ']');
}

/* Well-formed UTF-8, with escapes for what a string may not hold. */
static void
put_escaped(struct buf *out, const uint8_t *b, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		if (b[i] >= 0x20 && b[i] != '"' && b[i] != '\\' && b[i] != 0x7f)
			continue;
		buf_put(out, b + from, i - from);
		from = i + 1;
		if (b[i] == '\n')
			buf_put(out, "\\n", 2);
		else if (b[i] == '"' || b[i] == '\\')
			buf_printf(out, "\\%c", b[i]);
		else
			buf_printf(out, "\\u%04x", b[i]);
	}
	buf_put(out, b + from, len - from);
}

static bool
put_string(struct buf *out, const uint8_t *b, size_t len)
{
	bool clean = true;
	size_t bad;

	buf_u8(out, '"');
	while (!text_is_utf8(b, len, &bad)) {
		put_escaped(out, b, bad);
		buf_put(out, "\xef\xbf\xbd", 3);
		b += bad + 1;
		len -= bad + 1;
		clean = false;
	}
	put_escaped(out, b, len);
	buf_u8(out, '"');
	return clean;
}

void
json_name(struct json *j, const char *name)
{
	begin_value(j);
	put_string(j->out, (const uint8_t *)name, strlen(name));
	buf_u8(j->out, ':');
	j->follows = false;
}

void
json_int(struct json *j, int64_t value)
{
	begin_value(j);
	buf_printf(j->out, "%" PRId64, value);
}

void
json_real_text(struct buf *out, double value)
{
	char text[40];

	if (isinf(value)) {
		buf_printf(out, value > 0 ? "9e999" : "-9e999");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_printf(out, strpbrk(text, ".e") == NULL ? "%s.0" : "%s", text);
}

void
json_real(struct json *j, double value)
{
	if (isnan(value)) {
		json_null(j);
		return;
	}
	begin_value(j);
	json_real_text(j->out, value);
}

void
json_bool(struct json *j, bool value)
{
	begin_value(j);
	buf_printf(j->out, value ? "true" : "false");
}

void
json_null(struct json *j)
{
	begin_value(j);
	buf_put(j->out, "null", 4);
}

void
json_text(struct json *j, const char *text)
{
	if (text == NULL)
		json_null(j);
	else
		json_bytes(j, text, strlen(text));
}

bool
json_bytes(struct json *j, const void *bytes, size_t len)
{
	begin_value(j);
	return put_string(j->out, bytes, len);
}

void
json_hex(struct json *j, const void *bytes, size_t len)
{
	begin_value(j);
	buf_u8(j->out, '"');
	buf_hex(j->out, bytes, len);
	buf_u8(j->out, '"');
}

void
json_time(struct json *j, int64_t ms)
{
	char text[TEXT_TIME_SIZE];

	text_time(text, ms);
	json_text(j, text);
}

void
json_member_int(struct json *j, const char *name, bool known, int64_t value)
{
	json_name(j, name);
	if (known)
		json_int(j, value);
	else
		json_null(j);
}

void
json_member_bool(struct json *j, const char *name, bool known, bool value)
{
	json_name(j, name);
	if (known)
		json_bool(j, value);
	else
		json_null(j);
}

void
json_member_time(struct json *j, const char *name, int64_t ms)
{
	json_name(j, name);
	if (ms == 0)
		json_null(j);
	else
		json_time(j, ms);
}

void
json_member_text(struct json *j, const char *name, const char *text)
{
	json_name(j, name);
	json_text(j, text == NULL || text[0] == 0 ? NULL : text);
}

#include "node/log.h"

#include "store/base/env.h"
#include "store/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* U+0080 to U+009F are control characters too, U+202A.. and U+2066.. turn the direction of text. */
static bool
is_control(const uint8_t *c, size_t len)
{
	if (c[0] < 0x20 || c[0] == 0x7f || (len > 1 && c[0] == 0xc2 && c[1] < 0xa0))
		return true;
	return len > 2 && c[0] == 0xe2 &&
	       ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
	        (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* The bytes of the character at `c`; 1 for a byte that begins none. */
static size_t
char_bytes(const uint8_t *c, size_t left)
{
	size_t len = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : c[0] >= 0xc2 ? 2 : 1;

	return len <= left && text_is_utf8(c, len, NULL) ? len : 1;
}

void
log_escape(struct buf *out, const char *text)
{
	const uint8_t *c = (const uint8_t *)text;
	size_t left = strlen(text);

	while (left > 0) {
		size_t len = char_bytes(c, left);

		if (is_control(c, len) || (len == 1 && c[0] >= 0x80))
			for (size_t i = 0; i < len; i++)
				buf_printf(out, "\\x%02x", c[i]);
		else
			buf_put(out, c, len);
		c += len;
		left -= len;
	}
}

static const char *
level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARN:
		return "warning";
	case LOG_LEVEL_INFO:
		break;
	}
	return "info";
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char text[1024], time[TEXT_TIME_SIZE];
	struct buf line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (getenv("JOURNAL_STREAM") != NULL) {
		buf_printf(&line, "<%d>", (int)level);
	} else {
		text_time(time, env_wall_ms(env_real()));
		buf_printf(&line, "%s %s: ", time, level_word(level));
	}
	log_escape(&line, text);
	buf_u8(&line, '\n');
	/* One write, so that lines of several threads don't mix; nobody to tell if it fails. */
	if (!line.bad && write(STDERR_FILENO, line.bytes, line.len) < 0)
		line.bad = true;
	buf_free(&line);
}

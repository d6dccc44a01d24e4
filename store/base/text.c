#include "store/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void
text_hex(char *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = 0;
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
text_unhex(void *bytes, size_t len, const char *hex)
{
	uint8_t *b = bytes;

	if (strlen(hex) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
text_time(char out[TEXT_TIME_SIZE], int64_t ms)
{
	int64_t part = ms % 1000;
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	size_t used;

	if (part < 0) {
		part += 1000;
		s--;
	}
	if (gmtime_r(&s, &tm) == NULL || tm.tm_year > 8099)
		tm = (struct tm){ .tm_year = 8099, .tm_mon = 11, .tm_mday = 31 };
	used = strftime(out, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + used, TEXT_TIME_SIZE - used, ".%03dZ", (int)part);
}

/*
 * Well-formed UTF-8 (Unicode, table 3-7): by the first byte, the character's length and what the
 * second byte may be; every later one is 80..bf.  The tighter bounds leave out overlong forms,
 * surrogates and what lies above U+10FFFF.
 */
static const struct utf8 {
	uint8_t first, last, len, low, high;
} utf8_forms[] = {
	{ 0x00, 0x7f, 1, 0x00, 0x00 }, { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static const struct utf8 *
utf8_form(uint8_t first)
{
	for (size_t i = 0; i < sizeof utf8_forms / sizeof utf8_forms[0]; i++)
		if (first >= utf8_forms[i].first && first <= utf8_forms[i].last)
			return &utf8_forms[i];
	return NULL;
}

/* How many bytes does the character at `b` have?  0 if it is not one. */
static size_t
char_len(const uint8_t *b, size_t left)
{
	const struct utf8 *form = utf8_form(b[0]);

	if (form == NULL || form->len > left)
		return 0;
	if (form->len > 1 && (b[1] < form->low || b[1] > form->high))
		return 0;
	for (size_t i = 2; i < form->len; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return form->len;
}

bool
text_is_utf8(const void *bytes, size_t len, size_t *bad)
{
	const uint8_t *b = bytes;
	size_t at = 0;

	while (at < len) {
		size_t step = char_len(b + at, len - at);

		if (step == 0) {
			if (bad != NULL)
				*bad = at;
			return false;
		}
		at += step;
	}
	return true;
}

void
text_copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	assert(size > 0);
	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text, len);
	out[len] = 0;
}

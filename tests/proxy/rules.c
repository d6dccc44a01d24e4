#include "tests/proxy/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
rules_clear(struct rules *rules)
{
	rules->up = rules->down = (struct rules_way){ -1, -1, -1, -1, -1 };
	rules->twice = false;
	rules->drop = rules->idle = -1;
	rules->save[0] = 0;
	rules->reply_len = 0;
}

/* A whole number, or nothing at all (-1). */
static bool
read_number(const char *text, int64_t *value)
{
	char *end;

	*value = -1;
	if (*text == 0)
		return true;
	*value = strtoll(text, &end, 10);
	return *end == 0 && end != text && *value >= 0;
}

static bool
take_reply(struct rules *rules, const char *path)
{
	FILE *file;

	rules->reply_len = 0;
	if (*path == 0)
		return true;
	file = fopen(path, "rb");
	if (file == NULL)
		return false;
	rules->reply_len = fread(rules->reply, 1, sizeof rules->reply, file);
	fclose(file);
	return rules->reply_len > 0;
}

/* "delay.up": which number of which direction; NULL if it is none. */
static int64_t *
find_number(struct rules *rules, const char *name, size_t len)
{
	struct {
		const char *name;
		int64_t *up, *down;
	} known[] = {
		{ "delay", &rules->up.delay, &rules->down.delay },
		{ "rate", &rules->up.rate, &rules->down.rate },
		{ "cut", &rules->up.cut, &rules->down.cut },
		{ "hole", &rules->up.hole, &rules->down.hole },
		{ "flip", &rules->up.flip, &rules->down.flip },
	};
	const char *dot = memchr(name, '.', len);
	size_t stem = dot == NULL ? len : (size_t)(dot - name), rest = len - stem;

	if (len == 4 && memcmp(name, "drop", 4) == 0)
		return &rules->drop;
	if (len == 4 && memcmp(name, "idle", 4) == 0)
		return &rules->idle;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strlen(known[i].name) != stem || memcmp(name, known[i].name, stem) != 0)
			continue;
		if (rest == 3 && memcmp(dot, ".up", 3) == 0)
			return known[i].up;
		if (rest == 5 && memcmp(dot, ".down", 5) == 0)
			return known[i].down;
	}
	return NULL;
}

bool
rules_take(struct rules *rules, const char *word)
{
	const char *value = strchr(word, '=');
	size_t len = value == NULL ? strlen(word) : (size_t)(value - word);
	int64_t *number = find_number(rules, word, len), once;

	if (value == NULL)
		return false;
	value++;
	if (number != NULL)
		return read_number(value, number);
	if (len == 5 && memcmp(word, "reply", 5) == 0)
		return take_reply(rules, value);
	if (len == 4 && memcmp(word, "save", 4) == 0)
		return snprintf(rules->save, sizeof rules->save, "%s", value) <
		       (int)sizeof rules->save;
	if (len != 5 || memcmp(word, "twice", 5) != 0 || !read_number(value, &once))
		return false;
	rules->twice = once > 0;
	return true;
}

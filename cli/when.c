#include "cli/when.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "90d", "12h": so long from now. */
static bool
read_span(const char *text, int64_t now_ms, int64_t *ms)
{
	char *end;
	long n = strtol(text, &end, 10);
	int64_t unit = *end == 'd' ? 86400000 : *end == 'h' ? 3600000 : 0;

	if (end == text || unit == 0 || end[1] != 0 || n < 1 || n > 100000)
		return false;
	*ms = now_ms + n * unit;
	return true;
}

/* A day (its beginning in UTC), or a moment as RFC 3339 writes it in UTC. */
static bool
read_moment(const char *text, int64_t *ms)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ" };

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end == NULL || *end != 0)
			continue;
		*ms = (int64_t)timegm(&tm) * 1000;
		return true;
	}
	return false;
}

bool
cli_when(const char *text, int64_t now_ms, int64_t *ms)
{
	*ms = 0;
	return text == NULL || read_span(text, now_ms, ms) || read_moment(text, ms);
}

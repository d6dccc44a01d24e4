#include "node/http/range.h"

#include <inttypes.h>
#include <string.h>

enum range { RANGE_NONE, RANGE_GOOD, RANGE_BEYOND };

/* Digits only, and not more than a file can have. */
static bool
read_number(const char **at, uint64_t *value)
{
	const char *begin = *at;

	for (*value = 0; **at >= '0' && **at <= '9'; (*at)++) {
		if (*value > UINT64_C(1) << 56)
			return false;
		*value = *value * 10 + (uint64_t)(**at - '0');
	}
	return *at != begin;
}

static enum range
read_range(const char *text, uint64_t len, struct http_file *part)
{
	uint64_t first = 0, last = 0;
	bool has_first, has_last;

	if (text == NULL || strncmp(text, "bytes=", 6) != 0)
		return RANGE_NONE;
	text += 6;
	has_first = read_number(&text, &first);
	if (*text++ != '-')
		return RANGE_NONE;
	has_last = read_number(&text, &last);
	if (*text != 0 || (!has_first && !has_last) || (has_first && has_last && last < first))
		return RANGE_NONE;
	if (!has_first) { /* the last n bytes */
		first = last < len ? len - last : 0;
		if (last == 0)
			return RANGE_BEYOND;
		last = len - 1;
	} else if (first >= len) {
		return RANGE_BEYOND;
	}
	if (!has_last || last >= len)
		last = len - 1;
	part->offset = first;
	part->len = last - first + 1;
	return RANGE_GOOD;
}

bool
range_answer(const char *text, uint64_t len, struct http_response *response)
{
	struct http_file *part = &response->file;

	switch (read_range(text, len, part)) {
	case RANGE_BEYOND:
		http_problem_body(response, 416, "the file ends before this range begins");
		http_field(response, "Content-Range", "bytes */%" PRIu64, len);
		return false;
	case RANGE_GOOD:
		response->status = 206;
		http_field(response, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
		           part->offset, part->offset + part->len - 1, len);
		return true;
	case RANGE_NONE:
		break;
	}
	response->status = 200;
	*part = (struct http_file){ .len = len };
	return true;
}

#include "node/http/guard.h"

#include "store/base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct guard_verdict fine = { 0, "" };

static struct guard_verdict
refuse(int status, const char *why)
{
	return (struct guard_verdict){ status, why };
}

struct guard_verdict
guard_method(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE" };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(method, known[i]) == 0)
			return fine;
	return refuse(400, "unknown method");
}

/* ---------------------------------------------------------------- target */

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Not of NUL.  RFC 3986: unreserved, sub-delims, ":" "@" "/"; a query may have "?" too.  "%" is
 * looked at apart.
 */
static bool
is_uri_char(char c)
{
	return is_alnum(c) || strchr("-._~!$&'()*+,;=:@/?%", c) != NULL;
}

static int
hex_digit(char c)
{
	const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c == 0 ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits) & 15;
}

/* Every "%" must begin an escape, also in the query. */
static bool
well_escaped(const char *text)
{
	for (; *text != 0; text++) {
		if (!is_uri_char(*text))
			return false;
		if (*text == '%' && (hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0))
			return false;
	}
	return true;
}

/* Decode in place; false if an escape stands for what may not be in a path. */
static bool
decode_path(char *path)
{
	char *out = path;

	for (const char *in = path; *in != 0; in++) {
		int c = (uint8_t)*in;

		if (c == '%') {
			c = (hex_digit(in[1]) & 15) << 4 |
			    (hex_digit(in[2]) & 15); /* well_escaped() */
			in += 2;
			if (c == '/')
				return false;
		}
		if (c < 0x20 || c == 0x7f || c == '\\')
			return false;
		*out++ = (char)c;
	}
	*out = 0;
	return true;
}

static bool
has_dot_segment(const char *path)
{
	for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
		size_t len = strcspn(at + 1, "/");

		if ((len == 1 && at[1] == '.') || (len == 2 && at[1] == '.' && at[2] == '.'))
			return true;
	}
	return false;
}

struct guard_verdict
guard_target(struct guard_head *head, char *target)
{
	char *mark;

	if (strlen(target) > GUARD_TARGET_MAX)
		return refuse(414, "the path is too long");
	if (target[0] != '/')
		return refuse(400, "the target must be a path");
	if (!well_escaped(target))
		return refuse(400, "the target has characters or escapes that a URL may not have");
	mark = strchr(target, '?');
	head->query = mark == NULL ? "" : mark + 1;
	if (mark != NULL)
		*mark = 0;
	if (!decode_path(target) || has_dot_segment(target) ||
	    !text_is_utf8(target, strlen(target), NULL))
		return refuse(400, "the path leads outside or isn't text");
	head->path = target;
	return fine;
}

/* ---------------------------------------------------------------- block */

/* The next NUL-ended string of a block, or NULL; *at moves behind its NUL. */
static char *
next_string(char **at, const char *end)
{
	char *start = *at;
	char *nul = start < end ? memchr(start, 0, (size_t)(end - start)) : NULL;

	if (nul == NULL)
		return NULL;
	*at = nul + 1;
	return start;
}

/* The second NUL of a line's end. */
static bool
line_ends(char **at, const char *end)
{
	if (*at >= end || **at != 0)
		return false;
	(*at)++;
	return true;
}

/* Not of "". */
static bool
is_token(const char *text)
{
	for (; *text != 0; text++)
		if (!is_alnum(*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
			return false;
	return true;
}

/* Cut the white space around a value; NULL if it holds a control character. */
static const char *
trim_value(char *value)
{
	size_t len;

	value += strspn(value, " \t");
	len = strlen(value);
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		value[--len] = 0;
	for (size_t i = 0; i < len; i++)
		if (((uint8_t)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
			return NULL;
	return value;
}

/* One header line: 1 if there was one, 0 at the empty line, -1 if it is malformed. */
static int
next_field(char **at, const char *end, struct guard_field *field)
{
	char *value;

	field->name = next_string(at, end);
	if (field->name == NULL)
		return -1;
	if (field->name[0] == 0)
		return line_ends(at, end) && *at == end ? 0 : -1;
	value = next_string(at, end);
	if (value == NULL || !line_ends(at, end) || !is_token(field->name))
		return -1;
	field->value = trim_value(value);
	return field->value == NULL ? -1 : 1;
}

struct guard_verdict
guard_block(struct guard_head *head, char *block, size_t len, size_t counted)
{
	const char *end = block + len;
	const char *version = next_string(&block, end);
	int more;

	head->count = 0;
	if (version == NULL || !line_ends(&block, end) ||
	    (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0))
		return refuse(400, "the request line is malformed");
	do {
		struct guard_field field;

		more = next_field(&block, end, &field);
		if (more < 0)
			return refuse(400, "the header lines are malformed");
		if (more > 0 && head->count == GUARD_FIELDS)
			return refuse(431, "too many header lines");
		if (more > 0)
			head->fields[head->count++] = field;
	} while (more > 0);
	if (head->count != counted)
		return refuse(400, "the header lines are malformed");
	return fine;
}

/* ---------------------------------------------------------------- fields */

static size_t
count_fields(const struct guard_head *head, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < head->count; i++)
		count += strcasecmp(head->fields[i].name, name) == 0;
	return count;
}

const char *
guard_field(const struct guard_head *head, const char *name)
{
	for (size_t i = 0; i < head->count; i++)
		if (strcasecmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	return NULL;
}

/* Is the `len` bytes long `name`, not 0, one of the space-separated `list`? */
static bool
in_list(const char *list, const char *name, size_t len)
{
	while (*list != 0) {
		size_t word = strcspn(list, " ");

		if (word == len && strncasecmp(list, name, len) == 0)
			return true;
		list += word;
		list += strspn(list, " ");
	}
	return false;
}

static bool
is_address(const char *name, size_t len)
{
	char text[64];
	uint8_t bytes[16];
	bool v6 = name[0] == '['; /* and it ends with "]": host_name_len() */

	if (v6) {
		name++;
		len -= 2;
	}
	if (len >= sizeof text)
		return false;
	memcpy(text, name, len);
	text[len] = 0;
	return inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) == 1;
}

/* The length of the name in "name[:port]"; 0 if it isn't of that form. */
static size_t
host_name_len(const char *host)
{
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *port;

	if (len > strlen(host))
		return 0;
	port = host + len;
	if (*port == ':' && port[1 + strspn(port + 1, "0123456789")] == 0)
		return len;
	return *port == 0 ? len : 0;
}

static bool
host_is_ours(const char *host, const char *hosts)
{
	size_t len = host_name_len(host);

	if (len == 0 || host[0] == '*')
		return false;
	if (in_list("localhost 127.0.0.1 [::1]", host, len) || in_list(hosts, host, len))
		return true;
	return in_list(hosts, "*", 1) && is_address(host, len);
}

/* 1*DIGIT that fits in 63 bits. */
static bool
read_length(const char *text, uint64_t *length)
{
	size_t len = strlen(text);

	if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
		return false;
	*length = 0;
	for (; *text != 0; text++)
		*length = *length * 10 + (uint64_t)(*text - '0');
	return true;
}

static struct guard_verdict
check_body(struct guard_head *head, const char *method)
{
	const char *length = guard_field(head, "Content-Length");
	const char *coding = guard_field(head, "Transfer-Encoding");

	head->has_length = length != NULL;
	head->chunked = coding != NULL;
	head->length = 0;
	if (count_fields(head, "Content-Length") > 1 ||
	    count_fields(head, "Transfer-Encoding") > 1 || (length != NULL && coding != NULL))
		return refuse(400, "the body's length is told more than once");
	if (length != NULL && !read_length(length, &head->length))
		return refuse(400, "Content-Length is not a number");
	if (coding != NULL && strcasecmp(coding, "chunked") != 0)
		return refuse(400, "unknown Transfer-Encoding");
	if ((strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) &&
	    (head->chunked || head->length > 0))
		return refuse(400, "this method takes no body");
	return fine;
}

/* Is a field given twice that says who asks or for what?  Of such one program believes the
 * first and another the last. */
static bool
says_twice(const struct guard_head *head)
{
	static const char *const once[] = { "Authorization", "Origin",          "Range",
		                            "If-Range",      "If-None-Match",   "Last-Event-ID",
		                            "Signature",     "Signature-Input", "Content-Digest",
		                            "Yz-Grant",      "Yz-Rotation",     "Yz-Report" };

	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
		if (count_fields(head, once[i]) > 1)
			return true;
	return false;
}

struct guard_verdict
guard_fields(struct guard_head *head, const char *method, const char *hosts)
{
	const char *host = guard_field(head, "Host");
	struct guard_verdict verdict;

	if (host == NULL)
		return refuse(400, "Host is missing");
	if (count_fields(head, "Host") > 1)
		return refuse(400, "more than one Host");
	if (says_twice(head))
		return refuse(400, "a header line is given twice that can be there once");
	verdict = check_body(head, method);
	/* what is malformed is so to whomever it is sent */
	if (verdict.status == 0 && !host_is_ours(host, hosts))
		verdict = refuse(421, "this Host is not served here");
	return verdict;
}

struct guard_verdict
guard_request(struct guard_head *head, const struct guard_raw *raw, const char *hosts, char **block)
{
	size_t skip = (size_t)(raw->version - raw->method);
	struct guard_verdict verdict = guard_method(raw->method);

	if (verdict.status == 0 && raw->size > GUARD_HEAD_MAX)
		verdict = refuse(431, "the header lines are too long");
	/* A target with a NUL, or spaces around it, leaves more room than its text needs. */
	if (verdict.status == 0 && (raw->target == NULL || skip >= raw->size ||
	                            skip != strlen(raw->method) + strlen(raw->target) + 2))
		verdict = refuse(400, "the request line is malformed");
	if (verdict.status == 0)
		verdict = guard_target(head, raw->target);
	if (verdict.status != 0)
		return verdict;
	*block = malloc(raw->size - skip);
	if (*block == NULL)
		return refuse(503, "out of memory");
	memcpy(*block, raw->version, raw->size - skip);
	verdict = guard_block(head, *block, raw->size - skip, raw->counted);
	return verdict.status == 0 ? guard_fields(head, raw->method, hosts) : verdict;
}

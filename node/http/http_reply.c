/* node/http/http_reply.c - the parts of an answer that need no server. */
#include "node/http/http.h"
#include "node/room.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
json_text(struct buf *out, const char *text)
{
	buf_u8(out, '"');
	for (; *text != 0; text++) {
		uint8_t c = (uint8_t)*text;

		if (c < 0x20)
			buf_printf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else
			buf_u8(out, c);
	}
	buf_u8(out, '"');
}

/* RFC 9110, 15; the ones that we send. */
static const char *
title_of(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

int
http_status_of(int code)
{
	switch (code) {
	case ERR_INVALID:
		return 400;
	case ERR_NOTFOUND:
		return 410;
	case ERR_DENIED:
		return 403;
	case ERR_BUSY:
		return 503;
	case ERR_FULL:
		return 507;
	default:
		return 500;
	}
}

void
http_problem_body(struct http_response *response, int status, const char *detail)
{
	response->status = status;
	response->type = "application/problem+json";
	buf_clear(&response->body);
	buf_printf(&response->body, "{\"type\":\"about:blank\",\"status\":%d,\"title\":", status);
	json_text(&response->body, title_of(status));
	buf_printf(&response->body, ",\"detail\":");
	json_text(&response->body, detail);
	buf_printf(&response->body, "}\n");
	if (status == 507)
		http_field(response, "Retry-After", "%d", ROOM_AGAIN_S);
}

void
http_problem(struct http_exchange *x, int status, const char *detail)
{
	struct http_response response = { 0 };

	http_problem_body(&response, status, detail);
	http_answer(x, &response);
}

void
http_field(struct http_response *response, const char *name, const char *fmt, ...)
{
	char value[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	buf_put(&response->fields, name, strlen(name) + 1);
	buf_put(&response->fields, value, strlen(value) + 1);
}

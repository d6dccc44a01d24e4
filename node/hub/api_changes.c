#include "node/hub/api_changes.h"

#include "node/http/form.h"
#include "node/hub/bearer.h"
#include "node/hub/feed.h"

#include <inttypes.h>
#include <string.h>

struct asked {
	char since[FEED_CURSOR + 16]; /* too long a cursor is told of by the feed */
	int64_t limit;
	char scope[STORE_SCOPE_MAX + 1];
};

static bool
read_limit(const char *text, int64_t *limit)
{
	*limit = 0;
	if (text[0] == 0)
		return false;
	for (; *text != 0; text++) {
		if (*text < '0' || *text > '9' || *limit > FEED_LIMIT_MAX)
			return false;
		*limit = *limit * 10 + (*text - '0');
	}
	return *limit >= 1 && *limit <= FEED_LIMIT_MAX;
}

static int
take_parameter(struct asked *asked, const char *name, const char *value, struct err *err)
{
	if (strcmp(name, "since") == 0)
		return form_copy(asked->since, sizeof asked->since, name, value, err);
	if (strcmp(name, "scope") == 0)
		return form_copy(asked->scope, sizeof asked->scope, name, value, err);
	if (strcmp(name, "limit") == 0)
		return read_limit(value, &asked->limit)
		               ? 0
		               : err_set(err, ERR_INVALID, "limit=%.20s: a number from 1 to %d",
		                         value, FEED_LIMIT_MAX);
	if (strcmp(name, "feed") == 0)
		return strcmp(value, "normal") == 0
		               ? 0
		               : err_set(err, ERR_INVALID,
		                         "feed=%.20s isn't offered here; feed=normal is", value);
	return err_set(err, ERR_INVALID, "there is no parameter %.40s: since, limit, scope, feed",
	               name);
}

static int
read_query(const char *query, struct asked *asked, struct err *err)
{
	struct form form = form_from(query, strlen(query));
	struct buf name = { 0 }, value = { 0 };
	int rc;

	memset(asked, 0, sizeof *asked);
	asked->limit = FEED_LIMIT;
	while ((rc = form_next(&form, &name, &value, err)) == 1) {
		rc = take_parameter(asked, buf_str(&name), buf_str(&value), err);
		if (rc < 0)
			break;
	}
	buf_free(&name);
	buf_free(&value);
	return rc;
}

/* The same request, from the page's end on. */
static void
link_next(struct http_response *response, const struct asked *asked, const char *next)
{
	struct buf scope = { 0 };

	for (const char *c = asked->scope; *c != 0; c++)
		buf_printf(&scope, "%%%02X", (unsigned)(unsigned char)*c);
	http_field(response, "Link", "</v1/changes?since=%s&limit=%" PRId64 "%s%s>; rel=\"next\"",
	           next, asked->limit, scope.len == 0 ? "" : "&scope=", buf_str(&scope));
	buf_free(&scope);
}

void
api_changes_get(struct store_db *db, const struct http_request *request, const char *authorization,
                int64_t now_ms, struct http_response *response)
{
	struct feed_query query = { 0 };
	char next[FEED_CURSOR];
	struct asked asked;
	struct token token;
	struct err err;
	int rc;

	http_field(response, "Cache-Control", "no-store");
	if (bearer_check(db, authorization, now_ms, &token, response) < 0)
		return;
	rc = read_query(request->query, &asked, &err);
	if (rc >= 0 && asked.scope[0] != 0 && !token_reads_scope(&token, asked.scope))
		rc = err_set(&err, ERR_DENIED, "this token reads %s, not %s", token.scope,
		             asked.scope);
	query = (struct feed_query){ .since = asked.since, .limit = asked.limit, .token = &token };
	query.scope = asked.scope[0] == 0 ? NULL : asked.scope;
	if (rc >= 0)
		rc = feed_page(db, &query, &response->body, next, &err);
	if (rc < 0) {
		http_problem_body(response, http_status_of(rc), err.msg);
		if (response->status == 410)
			http_field(response, "Link",
			           "</v1/snapshot.sqlite.zst>; rel=\"alternate\"");
		return;
	}
	response->status = 200;
	response->type = "application/x-ndjson";
	link_next(response, &asked, next);
}

#include "node/hub/api_changes.h"

#include "node/http/form.h"
#include "node/hub/bearer.h"
#include "node/hub/feed.h"

#include <inttypes.h>
#include <string.h>

/* A number from 1 to `most`. */
static bool
read_number(const char *text, int64_t most, int64_t *value)
{
	*value = 0;
	if (text[0] == 0)
		return false;
	for (; *text != 0; text++) {
		if (*text < '0' || *text > '9' || *value > most)
			return false;
		*value = *value * 10 + (*text - '0');
	}
	return *value >= 1 && *value <= most;
}

static int
take_number(const char *name, const char *text, int64_t most, int64_t *value, struct err *err)
{
	return read_number(text, most, value)
	               ? 0
	               : err_set(err, ERR_INVALID, "%s=%.20s: a number from 1 to %" PRId64, name,
	                         text, most);
}

static int
take_feed(const char *value, enum changes_feed *feed, struct err *err)
{
	static const char *const names[] = { "normal", "longpoll", "eventsource" };

	for (int i = 0; i < 3; i++)
		if (strcmp(value, names[i]) == 0) {
			*feed = (enum changes_feed)i;
			return 0;
		}
	return err_set(err, ERR_INVALID,
	               "feed=%.20s isn't offered here; normal, longpoll and eventsource are",
	               value);
}

static int
take_parameter(void *ctx, const char *name, const char *value, struct err *err)
{
	struct changes_asked *asked = ctx;

	if (strcmp(name, "since") == 0)
		return form_copy(asked->since, sizeof asked->since, name, value, err);
	if (strcmp(name, "scope") == 0)
		return form_copy(asked->scope, sizeof asked->scope, name, value, err);
	if (strcmp(name, "limit") == 0)
		return take_number(name, value, FEED_LIMIT_MAX, &asked->limit, err);
	if (strcmp(name, "timeout") == 0)
		return take_number(name, value, CHANGES_WAIT_MS, &asked->timeout_ms, err);
	if (strcmp(name, "feed") == 0)
		return take_feed(value, &asked->feed, err);
	return err_set(err, ERR_INVALID,
	               "there is no parameter %.40s: since, limit, scope, feed, timeout", name);
}

int
api_changes_ask(struct store_db *db, const struct changes_request *request, int64_t now_ms,
                struct changes_asked *asked, struct http_response *response)
{
	struct err err;
	int rc;

	*asked = (struct changes_asked){ .limit = FEED_LIMIT, .timeout_ms = CHANGES_WAIT_MS };
	rc = bearer_check(db, request->authorization, now_ms, &asked->token, response);
	if (rc < 0)
		return rc;
	rc = form_each(request->query, take_parameter, asked, &err);
	if (rc >= 0 && asked->feed == CHANGES_EVENTSOURCE && request->last_event_id != NULL &&
	    request->last_event_id[0] != 0)
		rc = form_copy(asked->since, sizeof asked->since, "Last-Event-ID",
		               request->last_event_id, &err);
	if (rc >= 0 && asked->scope[0] != 0 && !token_reads_scope(&asked->token, asked->scope))
		rc = err_set(&err, ERR_DENIED, "this token reads %s, not %s", asked->token.scope,
		             asked->scope);
	if (rc < 0)
		http_problem_body(response, http_status_of(rc), err.msg);
	return rc < 0 ? rc : 0;
}

/* The same request, from the page's end on. */
static void
link_next(struct http_response *response, const struct changes_asked *asked, const char *next)
{
	struct buf rest = { 0 };

	if (asked->scope[0] != 0) {
		buf_printf(&rest, "&scope=");
		form_put(&rest, asked->scope);
	}
	if (asked->feed == CHANGES_LONGPOLL)
		buf_printf(&rest, "&feed=longpoll&timeout=%" PRId64, asked->timeout_ms);
	http_field(response, "Link", "</v1/changes?since=%s&limit=%" PRId64 "%s>; rel=\"next\"",
	           next, asked->limit, buf_str(&rest));
	buf_free(&rest);
}

int
api_changes_page(struct store_db *db, const struct changes_asked *asked,
                 struct http_response *response, struct feed_end *end)
{
	bool events = asked->feed == CHANGES_EVENTSOURCE;
	struct feed_query query = {
		.form = events ? FEED_EVENTS : FEED_NDJSON,
		.since = asked->since,
		.limit = asked->limit,
		.token = &asked->token,
		.scope = asked->scope[0] == 0 ? NULL : asked->scope,
	};
	struct err err;
	int rc = feed_page(db, &query, &response->body, end, &err);

	http_field(response, "Cache-Control", "no-store");
	if (rc < 0) {
		http_problem_body(response, http_status_of(rc), err.msg);
		if (response->status == 410)
			http_field(response, "Link",
			           "</v1/snapshot.sqlite.zst>; rel=\"alternate\"");
		return rc;
	}
	response->status = 200;
	/* the library keeps 36 KiB for each connection that has had an answer and stays */
	response->close = asked->feed == CHANGES_LONGPOLL;
	response->type = events ? "text/event-stream" : "application/x-ndjson";
	if (events) /* a proxy in front is not to keep events back */
		http_field(response, "X-Accel-Buffering", "no");
	else
		link_next(response, asked, end->next);
	return 0;
}

void
api_changes_get(struct store_db *db, const struct changes_request *request, int64_t now_ms,
                struct http_response *response)
{
	struct changes_asked asked;
	struct feed_end end;

	if (api_changes_ask(db, request, now_ms, &asked, response) == 0 &&
	    api_changes_page(db, &asked, response, &end) < 0)
		return; /* `response` says why */
}

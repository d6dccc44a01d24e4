/*
 * tests/fuzz/changes.c - any query and any Authorization at GET /v1/changes: a
 * page only for the token that was given out and for a cursor that the feed
 * made, the same page when it is asked for again.
 *
 * Input: the query, a line feed, the header.  "$" in the header is the token; "$"
 * and a digit in the query is a cursor of the feed.
 */
#include "node/http/form.h"
#include "node/hub/api_changes.h"
#include "node/hub/feed.h"
#include "node/hub/hub_schema.h"
#include "tests/fuzz/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 4 };

static struct peer hub;
static char bearer[TOKEN_TEXT];
static char cursors[UNITS + 1][FEED_CURSOR]; /* 0: "", the beginning */

static int
applied(void *ctx, const struct sync_unit *unit, struct err *err)
{
	(void)ctx;
	return feed_append(hub.db, unit, IMAGE_NOW_MS, err);
}

static void
write_unit(int no)
{
	char sql[160];

	snprintf(sql, sizeof sql,
	         "INSERT INTO daily(child, day, facility_id, text) VALUES"
	         " ('c%d', 1, 'F%d', '饭'), ('d%d', 2, 'F%d', NULL)",
	         no, no % 2 + 1, no, no % 2 + 1);
	peer_write(&hub, sql);
}

/* A hub with a feed of a few units, and a token for one facility. */
static void
open_hub(void)
{
	struct token_terms terms = { .scope = "f/F1" };
	struct token all = { .scope = "all" };
	char id[TOKEN_ID];
	struct buf page = { 0 };
	struct err err;

	peer_open(&hub, true);
	HOLDS(hub_schema_migrate(hub.db, &err) == 0);
	hub.node.r.applied = applied;
	for (int i = 0; i < UNITS; i++) {
		struct feed_query query = { .since = cursors[i], .limit = 1000, .token = &all };

		write_unit(i);
		HOLDS(feed_page(hub.db, &query, &page, cursors[i + 1], &err) == 0);
		HOLDS(strcmp(cursors[i], cursors[i + 1]) != 0);
		buf_clear(&page);
	}
	HOLDS(token_new(hub.db, &terms, IMAGE_NOW_MS, bearer, id, &err) == 0);
	buf_free(&page);
}

/* The input's text with what its "$" stand for. */
static void
fill_in(struct buf *out, const char *text, bool is_query)
{
	for (; *text != 0; text++) {
		unsigned digit = (unsigned)(uint8_t)text[1] - '0';

		if (*text != '$') {
			buf_u8(out, (uint8_t)*text);
		} else if (!is_query) {
			buf_put(out, bearer, TOKEN_TEXT - 1);
		} else if (digit <= UNITS) {
			buf_put(out, cursors[digit], strlen(cursors[digit]));
			text++;
		}
	}
}

/* Is it a cursor that the feed has given here? */
static bool
is_ours(const char *since)
{
	for (int i = 0; i <= UNITS; i++)
		if (strcasecmp(since, cursors[i]) == 0) /* hex in any case */
			return true;
	return false;
}

/* The query's last cursor counts. */
static bool
cursor_is_ours(const char *query)
{
	struct form form = form_from(query, strlen(query));
	struct buf name = { 0 }, value = { 0 };
	bool ours = true;
	struct err err;

	while (form_next(&form, &name, &value, &err) == 1)
		if (strcmp(buf_str(&name), "since") == 0)
			ours = is_ours(buf_str(&value));
	buf_free(&name);
	buf_free(&value);
	return ours;
}

static struct http_response
get(const char *query, const char *authorization)
{
	struct http_request request = { .method = "GET", .path = "/v1/changes", .query = query };
	struct http_response response = { 0 };

	api_changes_get(hub.db, &request, authorization, IMAGE_NOW_MS, &response);
	return response;
}

static void
check(const char *query, const char *authorization)
{
	struct http_response one = get(query, authorization), two = get(query, authorization);
	const char *body = buf_str(&one.body);

	HOLDS(one.status == 200 || one.status == 400 || one.status == 401 || one.status == 403 ||
	      one.status == 410);
	HOLDS(one.status == two.status && help_same(&one.body, two.body.bytes, two.body.len));
	if (one.status == 200) {
		HOLDS(authorization != NULL && strstr(authorization, bearer) != NULL);
		HOLDS(cursor_is_ours(query));
		HOLDS(strstr(body, "\"facility\":\"F2\"") == NULL);
		HOLDS(strstr(body, "{\"next\":\"") != NULL);
	} else {
		/* no member of a row; the word alone, quoted, may be the query's, said back */
		HOLDS(strstr(body, "\"facility\":") == NULL);
	}
	buf_free(&one.body);
	buf_free(&one.fields);
	buf_free(&two.body);
	buf_free(&two.fields);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf query = { 0 }, header = { 0 };
	char *line, *rest;

	if (hub.db == NULL)
		open_hub();
	line = help_cut(&data, &size, '\n');
	rest = help_text(data, size);
	fill_in(&query, line, true);
	fill_in(&header, rest, false);
	check(buf_str(&query), rest[0] == 0 ? NULL : buf_str(&header));
	check(buf_str(&query), "Bearer $"); /* no token of ours */
	buf_free(&query);
	buf_free(&header);
	free(line);
	free(rest);
	return 0;
}

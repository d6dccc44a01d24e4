/*
 * tests/fuzz/enrol.c - any bytes as a node's enrolment and as the hub's answer: a
 * grant only for who signed with the key that it enrols, by a code that was
 * given out; and only from the hub that the code names.
 *
 * Input: what it is (1 byte: 0 a request as it is, 1 a request signed once more,
 * else an answer), JSON.  In a request that is signed again the code "$0" stands
 * for one that is approved by itself, "$1" for one that a person approves.
 */
#include "node/enrol_node.h"
#include "node/hub/api_enrol.h"
#include "node/hub/hub_schema.h"
#include "node/json.h"
#include "store/stmt.h"
#include "tests/fuzz/peer.h"

#include <stdlib.h>
#include <string.h>

enum { CODES = 2 };

static struct peer hub;
static char codes[CODES][CODE_TEXT];

static struct enrol_hub
hub_now(void)
{
	static struct sync_key key;

	key = help_key(0);
	return (struct enrol_hub){ .db = hub.db, .key = &key, .now_ms = IMAGE_NOW_MS };
}

static void
open_hub(void)
{
	struct enrol_terms terms = { .facility = "F1" };
	struct enrol_hub now;
	int64_t expires;
	struct err err;

	peer_open(&hub, true);
	HOLDS(hub_schema_migrate(hub.db, &err) == 0);
	now = hub_now();
	for (int i = 0; i < CODES; i++) {
		terms.automatic = i == 0;
		HOLDS(enrol_new(&now, &terms, codes[i], &expires, &err) == 0);
	}
	peer_keep(&hub);
}

static int64_t
grants(void)
{
	struct err err;
	int64_t count;

	HOLDS(store_stmt_int(hub.db, "SELECT count(*) FROM hub_node", 0, &count, &err) == 0);
	return count;
}

static struct http_response
post(const void *body, size_t len)
{
	struct http_request request = { .method = "POST", .body = body, .body_len = len };
	struct http_response response = { 0 };
	struct enrol_hub now = hub_now();

	api_enrol_post(&now, &request, &response);
	HOLDS(response.status == 200 || response.status == 400 || response.status == 403);
	buf_free(&response.fields);
	return response;
}

/* Nobody has been told a code. */
static void
post_raw(const uint8_t *data, size_t size)
{
	struct http_response response = post(data, size);

	HOLDS(response.status != 200 && grants() == 0);
	buf_free(&response.body);
}

/* The node hears what the hub says; and another node doesn't take it for its own. */
static void
hear(const char *code, const struct buf *body)
{
	struct sync_key node = help_key(1), other = help_key(2);
	static struct enrol_news news;
	struct err err;

	HOLDS(enrol_node_read(&node, code, body->bytes, body->len, &news, &err) == 0);
	HOLDS(news.granted == (code == codes[0]));
	HOLDS(enrol_node_read(&other, code, body->bytes, body->len, &news, &err) < 0 ||
	      !news.granted);
}

static bool
is_plain(const char *name)
{
	for (; *name != 0; name++)
		if ((unsigned char)*name < ' ' || *name == 0x7f)
			return false;
	return true;
}

static void
post_signed(const uint8_t *data, size_t size)
{
	struct sync_key node = help_key(1);
	struct http_response response;
	struct json_doc *doc = NULL;
	struct buf body = { 0 };
	struct enrol_self self = { .key = &node };
	const char *code;
	struct err err;

	if (json_doc_read(data, size, 4096, &doc, &err) < 0)
		return;
	code = json_doc_text(doc, "code");
	self.name = json_doc_text(doc, "name");
	self.facility = json_doc_text(doc, "facility");
	if (code != NULL && self.name != NULL && self.facility != NULL) {
		for (int i = 0; i < CODES; i++)
			if (code[0] == '$' && code[1] == '0' + i && code[2] == 0)
				code = codes[i];
		if (enrol_node_ask(&self, code, &body, &err) == 0) {
			response = post(body.bytes, body.len);
			/* a name with control characters is refused, and another facility */
			HOLDS(response.status != 200 || code == codes[0] || code == codes[1]);
			HOLDS(response.status == 200 || (code != codes[0] && code != codes[1]) ||
			      !is_plain(self.name) || strcmp(self.facility, "F1") != 0);
			HOLDS(grants() == (response.status == 200 && code == codes[0]));
			if (response.status == 200)
				hear(code, &response.body);
			buf_free(&response.body);
		}
	}
	buf_free(&body);
	json_doc_free(doc);
}

static void
read_answer(const uint8_t *data, size_t size)
{
	struct sync_key node = help_key(1), key = help_key(0);
	static struct enrol_news news;
	struct err err;
	int rc = enrol_node_read(&node, codes[0], data, size, &news, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT || rc == ERR_DENIED);
	HOLDS(rc < 0 || memcmp(news.hub_key, key.public_key, SYNC_PUBLIC_KEY) == 0);
	HOLDS(rc < 0 || !news.granted ||
	      memcmp(news.grant.node_key, node.public_key, SYNC_PUBLIC_KEY) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;
	int64_t before, after;

	if (size < 1)
		return 0;
	if (hub.db == NULL)
		open_hub();
	HOLDS(store_stmt_int(hub.db, "SELECT total_changes()", 0, &before, &err) == 0);
	if (data[0] == 0)
		post_raw(data + 1, size - 1);
	else if (data[0] == 1)
		post_signed(data + 1, size - 1);
	else
		read_answer(data + 1, size - 1);
	HOLDS(!store_db_in_transaction(hub.db));
	HOLDS(store_stmt_int(hub.db, "SELECT total_changes()", 0, &after, &err) == 0);
	if (after != before)
		peer_restore(&hub);
	HOLDS(grants() == 0);
	return 0;
}

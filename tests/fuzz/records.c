/*
 * tests/fuzz/records.c - any bytes as the body of POST /v1/records: refused as a
 * whole, or an answer for each line; what was stored is stored once, in the
 * token's tables and scope, and nothing else has changed.
 *
 * Input: lines of JSON.
 */
#include "node/hub/records.h"
#include "node/hub/hub_schema.h"
#include "store/stmt.h"
#include "tests/fuzz/peer.h"

#include <string.h>

static struct peer hub;
static struct token token;

static int64_t
number(const char *sql)
{
	int64_t value;
	struct err err;

	HOLDS(store_stmt_int(hub.local, sql, -1, &value, &err) == 0);
	return value;
}

static void
open_hub(void)
{
	struct token_terms terms = { .scope = "f/F1", .writes = "daily,note" };
	char text[TOKEN_TEXT], id[TOKEN_ID];
	struct err err;

	peer_open(&hub, true);
	HOLDS(hub_schema_migrate(hub.db, &err) == 0);
	HOLDS(store_db_exec(hub.db,
	                    "INSERT INTO hub_node(node, node_key, facility, label, version, doc, "
	                    "since_ms) VALUES (x'01', x'01', 'F1', '', 1, x'', 1), (x'02', x'02', "
	                    "'F2', '', 1, x'', 1)",
	                    &err) == 0);
	peer_write(&hub, "INSERT INTO daily(child, day, facility_id, text) VALUES"
	                 " ('c1', 1, 'F1', 'ours'), ('c2', 2, 'F2', 'CANARY')");
	HOLDS(token_new(hub.db, &terms, IMAGE_NOW_MS, text, id, &err) == 0);
	HOLDS(token_check(hub.db, text, IMAGE_NOW_MS, &token, &err) == 1);
	peer_keep(&hub);
}

static struct lines_counts
post(const uint8_t *data, size_t size)
{
	struct lines_counts n = { 0 };
	struct buf out = { 0 };
	struct err err = { 0 };
	int64_t lines = 0;
	struct records by = { .db = hub.local, .token = &token };
	int rc = records_take(&by, data, size, &out, &n, &err);

	HOLDS(rc == 0 || rc == ERR_INVALID);
	HOLDS(rc == 0 || err.msg[0] != 0);
	HOLDS(!store_db_in_transaction(hub.local));
	/* an answer repeats what was sent */
	HOLDS(strstr(buf_str(&out), "CANARY") == NULL || memmem(data, size, "CANARY", 6) != NULL);
	for (size_t i = 0; i < out.len; i++)
		lines += out.bytes[i] == '\n';
	HOLDS(rc < 0 || lines == n.stored + n.duplicate + n.refused);
	buf_free(&out);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines_counts first, second;
	int64_t logged;

	if (hub.db == NULL)
		open_hub();
	logged = number("SELECT count(*) FROM yz_log");
	first = post(data, size);
	HOLDS(number("SELECT count(*) FROM hub_record_key") == first.stored);
	HOLDS(first.stored > 0 || number("SELECT count(*) FROM yz_log") == logged);
	HOLDS(number("SELECT count(*) FROM daily WHERE facility_id <> 'F1'") == 1);
	HOLDS(number("SELECT count(*) FROM note WHERE facility_id <> 'F1'") == 0);
	HOLDS(number("SELECT count(*) FROM daily WHERE text = 'CANARY' AND facility_id = 'F2'") ==
	      1);
	if (first.stored > 0) {
		logged = number("SELECT count(*) FROM yz_log");
		second = post(data, size);
		HOLDS(second.duplicate >= first.stored);
		HOLDS(second.stored > 0 || number("SELECT count(*) FROM yz_log") == logged);
		peer_restore(&hub);
	}
	return 0;
}

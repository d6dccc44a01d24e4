/*
 * tests/fuzz/late.c - any bytes as what a node still sends whose key was revoked: nothing of it
 * counts, however right it is; what is kept aside of it is a segment that it signed, once.
 *
 * Input: a message.  It is read, named the node's own, its segments proven and
 * signed once more (tests/fuzz/peer.h), and written again.
 */
#include "store/held.h"
#include "store/stmt.h"
#include "sync/exchange/exchange.h"
#include "tests/fuzz/peer.h"

#include <string.h>

enum { LIMIT = 8 << 20 };

static struct peer hub;

static bool
may_not_write(void *ctx, const struct store_site *site, const char *scope)
{
	(void)ctx;
	(void)site;
	(void)scope;
	return false;
}

static bool
might_write(void *ctx, const struct store_site *site, const char *scope)
{
	struct sync_key node = help_key(1);
	uint8_t id[STORE_NODE_ID];

	(void)ctx;
	sync_node_id(id, node.public_key);
	return memcmp(id, site->node, sizeof id) == 0 && strcmp(scope, "f/F1") == 0;
}

static void
open_hub(void)
{
	peer_open(&hub, true);
	hub.node.r.may_write = may_not_write;
	hub.node.r.might_write = might_write;
	peer_keep(&hub);
}

/* The request made right, by the node itself; false if it is no message. */
static bool
mend(const uint8_t *data, size_t size, struct buf *out)
{
	struct arena a = { .limit = LIMIT };
	struct sync_key node = help_key(1);
	struct sync_message m;
	struct err err;
	int rc = sync_message_read(data, size, false, &a, &m, &err);

	if (rc == 0) {
		sync_node_id(m.self.node, node.public_key);
		peer_mend(&hub, &m, &a);
		sync_message_write_part1(out, &m);
		sync_message_write_part2(out, &m);
	}
	arena_free(&a);
	return rc == 0;
}

static int64_t
number(const char *sql)
{
	struct err err;
	int64_t value;

	HOLDS(store_stmt_int(hub.db, sql, 0, &value, &err) == 0);
	return value;
}

/* It sends all of that; how many bytes were kept aside. */
static int64_t
send(const struct buf *request)
{
	struct sync_late late = { .r = &hub.node.r };
	struct sync_key node = help_key(1);
	struct err err;
	int rc;

	sync_node_id(late.peer, node.public_key);
	rc = sync_exchange_late(&late, request->bytes, request->len, &err);
	HOLDS(rc == 0 || rc == ERR_CORRUPT || rc == ERR_INVALID || rc == ERR_DENIED);
	HOLDS(rc == 0 || late.bytes == 0);
	return late.bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf request = { 0 };
	int64_t kept, rows;

	if (hub.db == NULL)
		open_hub();
	if (!mend(data, size, &request))
		buf_put(&request, data, size);
	kept = send(&request);
	rows = number("SELECT count(*) FROM yz_held");
	HOLDS((kept > 0) == (rows > 0));
	HOLDS(number("SELECT (SELECT count(*) FROM note) + (SELECT count(*) FROM daily) +"
	             " (SELECT count(*) FROM yz_clock) + (SELECT count(*) FROM yz_segment)") == 0);
	HOLDS((number("SELECT count(*) FROM yz_quarantine") > 0) == (rows > 0));
	/* the same once more is nothing new */
	HOLDS(send(&request) == 0);
	HOLDS(number("SELECT count(*) FROM yz_held") == rows);
	HOLDS(peer_is_sound(&hub));
	peer_restore(&hub);
	HOLDS(number("SELECT count(*) FROM yz_held") == 0);
	buf_free(&request);
	return 0;
}

/*
 * tests/fuzz/request.c - any bytes as a node's request at a hub: refused and
 * nothing has changed, or answered with a reply that the node can prove.
 *
 * Input: a message.  It is read, named the node's own, its segments proven and
 * signed once more (tests/fuzz/peer.h), and written again.
 */
#include "tests/fuzz/peer.h"

#include <string.h>

enum { LIMIT = 8 << 20 };

/* The request made right; false if it is no message. */
static bool
mend(struct peer *hub, const uint8_t *data, size_t size, struct buf *out)
{
	struct arena a = { .limit = LIMIT };
	struct sync_key node = help_key(1);
	struct sync_message m;
	struct err err;
	int rc = sync_message_read(data, size, false, &a, &m, &err);

	if (rc == 0) {
		sync_node_id(m.self.node, node.public_key);
		peer_mend(hub, &m, &a);
		sync_message_write_part1(out, &m);
		sync_message_write_part2(out, &m);
	}
	arena_free(&a);
	return rc == 0;
}

static void
check_reply(const struct buf *request, const struct buf *reply)
{
	struct arena a = { .limit = LIMIT };
	struct sync_key hub = help_key(0);
	struct sync_message asked, m;
	uint8_t hash[HASH_32];
	struct err err;

	HOLDS(sync_message_read(request->bytes, request->len, false, &a, &asked, &err) == 0);
	HOLDS(sync_message_read(reply->bytes, reply->len, true, &a, &m, &err) == 0);
	hash_once(hash, sizeof hash, asked.part1, asked.part1_len);
	HOLDS(sync_message_proven(&m, hash, hub.public_key));
	for (size_t i = 0; i < m.scope_count; i++)
		HOLDS(strcmp(m.scopes[i], "hub") != 0);
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct peer hub;
	struct sync_key node = help_key(1);
	struct hub_request rq = { .may_read = peer_may_read };
	struct hub_effects fx;
	struct buf request = { 0 };
	struct err err;
	int64_t before;

	if (hub.db == NULL) {
		peer_open(&hub, true);
		peer_keep(&hub);
	}
	if (!mend(&hub, data, size, &request))
		buf_put(&request, data, size);
	sync_node_id(rq.peer, node.public_key);
	rq.bytes = request.bytes;
	rq.len = request.len;
	before = peer_rows(&hub);
	HOLDS(hub_step(&hub.node, &rq, &fx, &err) == 0);
	HOLDS(fx.status == 200 || fx.status == 400 || fx.status == 403);
	if (fx.status == 200)
		check_reply(&request, &fx.reply);
	else
		HOLDS(peer_rows(&hub) == before);
	HOLDS(peer_is_sound(&hub));
	if (fx.status == 200)
		peer_restore(&hub);
	HOLDS(peer_rows(&hub) == before);
	buf_free(&fx.reply);
	buf_free(&request);
	return 0;
}

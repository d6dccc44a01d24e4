/*
 * tests/fuzz/reply.c - any bytes as the hub's reply at a node: nothing changes
 * unless the hub signed it for this request; then rows and digests agree.
 *
 * Input: a message.  It is given to the node as it is, then with its segments
 * and its receipt made right (tests/fuzz/peer.h).
 */
#include "tests/fuzz/peer.h"

#include <string.h>

enum { LIMIT = 8 << 20 };

static bool
mend(struct peer *node, const uint8_t *data, size_t size, const uint8_t asked[HASH_32],
     struct buf *out)
{
	struct arena a = { .limit = LIMIT };
	struct sync_key hub = help_key(0);
	struct sync_message m;
	struct err err;
	int rc = sync_message_read(data, size, true, &a, &m, &err);

	if (rc == 0) {
		size_t start = out->len;

		peer_mend(node, &m, &a);
		sync_message_write_part1(out, &m);
		sync_message_sign(&hub, asked, out->bytes + start, out->len - start, m.signature);
		buf_put(out, m.signature, STORE_SIGNATURE);
		sync_message_write_part2(out, &m);
	}
	arena_free(&a);
	return rc == 0;
}

/* One meeting: ask, then hear `bytes`, or what they become. */
static int
meet(struct peer *p, const uint8_t *data, size_t size, bool mended)
{
	struct sync_exchange x = { .r = &p->node.r, .key = &p->node.key };
	struct buf request = { 0 }, reply = { 0 };
	struct err err;
	bool again;
	int rc;

	memcpy(x.hub_key, p->node.hub_key, SYNC_PUBLIC_KEY);
	HOLDS(sync_exchange_ask(&x, &request, &err) == 0);
	if (!mended || !mend(p, data, size, x.asked, &reply))
		buf_put(&reply, data, size);
	rc = sync_exchange_take(&x, reply.bytes, reply.len, &again, &err);
	sync_exchange_end(&x);
	buf_free(&request);
	buf_free(&reply);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct peer node;
	int64_t before;
	int rc;

	if (node.db == NULL) { /* with a row of its own that the hub hasn't got */
		peer_open(&node, false);
		peer_write(&node, "INSERT INTO daily(child, day, facility_id, text) VALUES"
		                  " ('c', 1, 'F1', 'one')");
		peer_keep(&node);
	}
	before = peer_rows(&node);
	rc = meet(&node, data, size, false);
	HOLDS(rc == ERR_DENIED || rc == ERR_CORRUPT);
	HOLDS(peer_rows(&node) == before);
	rc = meet(&node, data, size, true);
	HOLDS(rc == 0 || rc == ERR_DENIED || rc == ERR_CORRUPT || rc == ERR_INVALID);
	HOLDS(rc == 0 || peer_rows(&node) == before);
	HOLDS(peer_is_sound(&node));
	if (rc == 0)
		peer_restore(&node);
	HOLDS(peer_rows(&node) == before);
	return 0;
}

/*
 * tests/fuzz/rotation.c - any bytes as a chain of rotations that a node shows its hub: read as
 * written, signed by both keys or nothing; and a hub that follows it to its end, or not a step,
 * and each key to one other alone.
 *
 * Input: a chain.  It is read as it is; then each document of it is made one of the hub's node,
 * between two of three made-up keys that it chooses, signed by both, and the hub is shown all.
 */
#include "node/hub/hub_key.h"
#include "node/hub/hub_schema.h"
#include "store/stmt.h"
#include "tests/fuzz/peer.h"

#include <stdlib.h>
#include <string.h>

enum {
	NODE = 17, /* where the node's id stands in a document */
	OLD = NODE + STORE_NODE_ID,
	NEW = OLD + SYNC_PUBLIC_KEY,
	SIGNATURES = 2 * STORE_SIGNATURE,
	LEAST = NEW + SYNC_PUBLIC_KEY + SIGNATURES,
	FIRST = 1, /* the number of the key that the node was enrolled with */
};

static struct peer hub;

static void
open_hub(void)
{
	struct sync_key key = help_key(FIRST);
	uint8_t node[STORE_NODE_ID];
	struct store_stmt s;
	struct err err;

	peer_open(&hub, true);
	HOLDS(hub_schema_migrate(hub.db, &err) == 0);
	sync_node_id(node, key.public_key);
	s = store_stmt_new(hub.db, "INSERT INTO hub_node(node, node_key, facility, label, version,"
	                           " doc, since_ms) VALUES (?, ?, 'F1', '', 1, x'', 1)");
	store_stmt_put_blob(&s, node, sizeof node);
	store_stmt_put_blob(&s, key.public_key, SYNC_PUBLIC_KEY);
	HOLDS(store_stmt_run(&s, &err) == 0);
	peer_keep(&hub);
}

static int64_t
number(const char *sql)
{
	struct err err;
	int64_t value;

	HOLDS(store_stmt_int(hub.db, sql, 0, &value, &err) == 0);
	return value;
}

/* A document of our node between two of our keys, signed by both. */
static void
mend(uint8_t *doc, size_t len)
{
	struct sync_key node = help_key(FIRST), old_key, new_key;

	if (len < LEAST)
		return;
	old_key = help_key(FIRST + doc[OLD] % 3);
	new_key = help_key(FIRST + doc[NEW] % 3);
	sync_node_id(doc + NODE, node.public_key);
	memcpy(doc + OLD, old_key.public_key, SYNC_PUBLIC_KEY);
	memcpy(doc + NEW, new_key.public_key, SYNC_PUBLIC_KEY);
	sync_sign(&old_key, doc, len - SIGNATURES, doc + len - SIGNATURES);
	sync_sign(&new_key, doc, len - SIGNATURES, doc + len - STORE_SIGNATURE);
}

/* One document, whose bytes are these: what is written is what was read; no bit of it is idle. */
static void
check_doc(uint8_t *doc, size_t len, uint8_t at)
{
	struct rotation r;
	struct err err;
	int rc = rotation_read(doc, len, &r, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT || rc == ERR_DENIED);
	if (rc < 0)
		return;
	HOLDS(len <= ROTATION_MAX && r.count <= ROTATION_STREAMS);
	doc[at % len] ^= 0x10;
	HOLDS(rotation_read(doc, len, &r, &err) < 0);
	doc[at % len] ^= 0x10;
}

static void
check_write(const uint8_t *doc, size_t len)
{
	struct sync_key old_key, new_key;
	struct buf again = { 0 };
	struct rotation r;
	struct err err;

	if (rotation_read(doc, len, &r, &err) < 0)
		return;
	for (int i = FIRST; i < FIRST + 3; i++) {
		struct sync_key key = help_key((uint8_t)i);

		if (memcmp(key.public_key, r.old_key, SYNC_PUBLIC_KEY) == 0)
			old_key = key;
		if (memcmp(key.public_key, r.new_key, SYNC_PUBLIC_KEY) == 0)
			new_key = key;
	}
	rotation_write(&again, &r, &old_key, &new_key);
	HOLDS(help_same(&again, doc, len));
	buf_free(&again);
}

/* Each document of the chain, made right; the chain's bytes are changed in their place. */
static void
mend_all(uint8_t *chain, size_t len, uint8_t at)
{
	struct rd r = rd_from(chain, len);

	while (r.left > 0) {
		uint64_t n = rd_varint(&r);
		uint8_t *doc = chain + (len - r.left);

		if (r.bad || n > r.left)
			return;
		mend(doc, (size_t)n);
		check_doc(doc, (size_t)n, at);
		check_write(doc, (size_t)n);
		rd_bytes(&r, (size_t)n);
	}
}

#define KEYS                                                                                       \
	"SELECT (SELECT count(*) FROM hub_key) * 100000 + (SELECT count(*) FROM hub_key_stream)"   \
	" * 100 + (SELECT unicode(substr(hex(node_key), 2, 1)) FROM hub_node)"

static void
show(const uint8_t *chain, size_t len)
{
	int64_t before = number(KEYS), after;
	struct err err;
	int rc = hub_key_rotate(hub.db, chain, len, IMAGE_NOW_MS, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT || rc == ERR_DENIED);
	after = number(KEYS);
	HOLDS(rc == 0 || after == before);
	/* the present key is followed by none, and each other by one that is known */
	HOLDS(number("SELECT count(*) FROM hub_key k JOIN hub_node n ON n.node_key = k.key") == 0);
	HOLDS(number("SELECT count(*) FROM hub_key k WHERE next NOT IN (SELECT key FROM hub_key)"
	             " AND next NOT IN (SELECT node_key FROM hub_node)") == 0);
	/* shown again it is known */
	HOLDS(rc < 0 || hub_key_rotate(hub.db, chain, len, IMAGE_NOW_MS, &err) == 0);
	HOLDS(number(KEYS) == after);
	if (after != before)
		peer_restore(&hub);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *chain = calloc(1, size + 1);

	HOLDS(chain != NULL);
	if (size > 0)
		memcpy(chain, data, size);
	if (hub.db == NULL)
		open_hub();
	show(chain, size);
	mend_all(chain, size, size > 0 ? data[size / 2] : 0);
	show(chain, size);
	free(chain);
	return 0;
}

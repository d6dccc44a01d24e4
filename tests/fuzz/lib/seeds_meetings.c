#include "tests/fuzz/seeds.h"

#include "tests/fuzz/peer.h"

#include <stdio.h>
#include <string.h>

/* One meeting of the node with the hub; both messages are seeds. */
static void
meet(struct peer *node, struct peer *hub, int no)
{
	struct sync_exchange x = { .r = &node->node.r, .key = &node->node.key };
	struct hub_request rq = { .may_read = peer_may_read };
	struct hub_effects fx;
	struct buf request = { 0 };
	char name[32];
	struct err err;
	bool again;

	memcpy(x.hub_key, node->node.hub_key, SYNC_PUBLIC_KEY);
	HOLDS(sync_exchange_ask(&x, &request, &err) == 0);
	memcpy(rq.peer, node->node.r.self.node, STORE_NODE_ID);
	rq.bytes = request.bytes;
	rq.len = request.len;
	HOLDS(hub_step(&hub->node, &rq, &fx, &err) == 0 && fx.status == 200);
	HOLDS(sync_exchange_take(&x, fx.reply.bytes, fx.reply.len, &again, &err) == 0);
	snprintf(name, sizeof name, "meeting-%d", no);
	seeds_put("request", name, &request);
	seeds_put("late", name, &request);
	seeds_put("reply", name, &fx.reply);
	buf_free(&request);
	buf_free(&fx.reply);
	sync_exchange_end(&x);
}

/* Once more for the target that reads both. */
static void
copy_to_message(struct peer *node, struct peer *hub)
{
	struct sync_exchange x = { .r = &node->node.r, .key = &node->node.key };
	struct hub_request rq = { .may_read = peer_may_read };
	struct hub_effects fx;
	struct buf request = { 0 };
	struct err err;

	HOLDS(sync_exchange_ask(&x, &request, &err) == 0);
	memcpy(rq.peer, node->node.r.self.node, STORE_NODE_ID);
	rq.bytes = request.bytes;
	rq.len = request.len;
	HOLDS(hub_step(&hub->node, &rq, &fx, &err) == 0 && fx.status == 200);
	seeds_put("message", "request", &request);
	seeds_put("message", "reply", &fx.reply);
	buf_free(&request);
	buf_free(&fx.reply);
	sync_exchange_end(&x);
}

void
seeds_meetings(void)
{
	struct peer node, hub;

	peer_open(&hub, true);
	peer_open(&node, false);
	peer_write(&node, "INSERT INTO daily(child, day, facility_id, text, mood) VALUES"
	                  " ('c1', 20260302, 'F1', '饭', 3), ('c2', 20260302, 'F1', NULL, 2)");
	meet(&node, &hub, 1);
	meet(&node, &hub, 2);
	peer_write(&hub, "UPDATE daily SET text = '改' WHERE child = 'c1';"
	                 "INSERT INTO note(id, facility_id, text) VALUES (x'07', 'F1', 'hub')");
	peer_write(&node, "UPDATE daily SET text = '粥', mood = 1 WHERE child = 'c1'");
	meet(&node, &hub, 3);
	peer_write(&hub, "DELETE FROM daily WHERE child = 'c2'");
	meet(&node, &hub, 4);
	peer_write(&hub, "INSERT INTO note(id, facility_id, a, b) VALUES (x'08', 'F1', 1, 2)");
	peer_write(&node, "INSERT INTO note(id, facility_id, top) VALUES (x'09', 'F1', 4)");
	copy_to_message(&node, &hub);
	peer_close(&node);
	peer_close(&hub);
}

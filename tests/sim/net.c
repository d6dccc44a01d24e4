/* tests/sim/net.c - faults of the line, one message at a time. */
#include "tests/sim/net.h"
#include "tests/sim/rand.h"
#include "tests/sim/sim.h"

#include <string.h>

enum { MAX_DELAY_MS = 40000 };

static void
push(struct sim *s, struct sim_message *m)
{
	if (s->net.count == SIM_MESSAGES) {
		buf_free(&m->bytes); /* as a full queue does */
		return;
	}
	m->order = ++s->net.sent;
	s->net.list[s->net.count++] = *m;
}

static bool
before(const struct sim_message *a, const struct sim_message *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static size_t
first_of(const struct sim_net *net)
{
	size_t first = 0;

	for (size_t i = 1; i < net->count; i++)
		if (before(&net->list[i], &net->list[first]))
			first = i;
	return first;
}

int64_t
sim_net_next(const struct sim_net *net)
{
	return net->count == 0 ? INT64_MAX : net->list[first_of(net)].at;
}

struct sim_message
sim_net_take(struct sim_net *net)
{
	size_t first = first_of(net);
	struct sim_message m = net->list[first];

	net->list[first] = net->list[--net->count];
	return m;
}

/* ---- what may become of a message ---- */

/* Is this fault waiting for a message, and may it happen to this one? */
static bool
strikes(struct sim *s, struct sim_peer *node, enum sim_kind kind)
{
	if (node->line.fault[kind] == 0)
		return false;
	node->line.fault[kind]--;
	sim_count(s, kind);
	sim_tell(s, "line %u: %s", node->no, sim_kinds[kind].name);
	return true;
}

static void
keep(struct buf *old, size_t *count, const struct buf *bytes, uint64_t draw)
{
	size_t place = *count < SIM_KEPT ? (*count)++ : (size_t)(draw % SIM_KEPT);

	buf_clear(&old[place]);
	buf_put(&old[place], bytes->bytes, bytes->len);
}

static void
copy_bytes(struct buf *out, const struct buf *from)
{
	buf_clear(out);
	buf_put(out, from->bytes, from->len);
}

static bool
passes(struct sim *s, const struct sim_peer *node, bool to_hub)
{
	if (s->now < node->line.cut_until)
		return false;
	return to_hub || s->now >= node->line.one_way_until;
}

/* What a login page of somebody's wireless network says, to everything. */
static const char portal[] = "200\n\n\n\n\n<html><body>Please sign in to Free WiFi</body></html>";

static void
damage(struct sim *s, struct sim_peer *node, struct sim_message *m, uint64_t *x)
{
	struct sim_line *line = &node->line;

	if (m->bytes.len > 0 && strikes(s, node, SIM_TRUNCATE))
		m->bytes.len = sim_rand_below(x, (uint32_t)m->bytes.len);
	if (m->bytes.len > 0 && strikes(s, node, SIM_FLIP))
		m->bytes.bytes[sim_rand_below(x, (uint32_t)m->bytes.len)] ^=
		        (uint8_t)(1u << sim_rand_below(x, 8));
	if (!m->to_hub && strikes(s, node, SIM_PORTAL)) {
		buf_clear(&m->bytes);
		buf_put(&m->bytes, portal, sizeof portal - 1);
	}
	if (!m->to_hub && line->old_reply_count > 0 && strikes(s, node, SIM_OLD_REPLY))
		copy_bytes(&m->bytes,
		           &line->old_replies[sim_rand_below(x, (uint32_t)line->old_reply_count)]);
	if (strikes(s, node, SIM_DELAY))
		m->at += sim_rand_below(x, MAX_DELAY_MS) * (int64_t)4;
}

void
sim_net_send(struct sim *s, struct sim_peer *node, bool to_hub, uint64_t call, struct buf *bytes)
{
	uint64_t x = sim_rand(s->plan->seed, node->no, SIM_USE_NET,
	                      (uint64_t)s->now * 2 + (uint64_t)to_hub);
	struct sim_message m = {
		.node = node->no, .to_hub = to_hub, .call = call, .bytes = *bytes
	};
	struct sim_line *line = &node->line;

	*bytes = (struct buf){ 0 };
	m.at = s->now + 20 + sim_rand_below(&x, 900);
	if (to_hub)
		keep(line->old_requests, &line->old_request_count, &m.bytes, sim_rand_next(&x));
	if (!passes(s, node, to_hub) ||
	    strikes(s, node, to_hub ? SIM_LOSE_REQUEST : SIM_LOSE_REPLY)) {
		buf_free(&m.bytes);
		return;
	}
	if (strikes(s, node, SIM_DUPLICATE)) {
		struct sim_message twin = m;

		twin.bytes = (struct buf){ 0 };
		copy_bytes(&twin.bytes, &m.bytes);
		twin.at += sim_rand_below(&x, MAX_DELAY_MS);
		push(s, &twin);
	}
	damage(s, node, &m, &x);
	if (!to_hub)
		keep(line->old_replies, &line->old_reply_count, &m.bytes, sim_rand_next(&x));
	push(s, &m);
}

void
sim_net_garble(struct sim *s, struct sim_peer *node, enum sim_kind kind, uint8_t *bytes, size_t len)
{
	uint64_t x = sim_rand(s->plan->seed, node->no, SIM_USE_NET, (uint64_t)s->now << 2 | 3);

	if (len > 0 && strikes(s, node, kind))
		bytes[sim_rand_below(&x, (uint32_t)len)] ^= (uint8_t)(1u << sim_rand_below(&x, 8));
}

void
sim_net_replay(struct sim *s, struct sim_peer *node, uint64_t draw)
{
	struct sim_message m = { .at = s->now + 1, .node = node->no, .to_hub = true };
	struct sim_line *line = &node->line;

	if (line->old_request_count == 0)
		return;
	copy_bytes(&m.bytes, &line->old_requests[draw % line->old_request_count]);
	sim_count(s, SIM_REPLAY);
	push(s, &m);
}

void
sim_net_close(struct sim *s)
{
	for (size_t i = 0; i < s->net.count; i++)
		buf_free(&s->net.list[i].bytes);
	s->net.count = 0;
	for (size_t p = 0; p < SIM_PEERS; p++)
		for (size_t i = 0; i < SIM_KEPT; i++) {
			buf_free(&s->peers[p].line.old_requests[i]);
			buf_free(&s->peers[p].line.old_replies[i]);
		}
}

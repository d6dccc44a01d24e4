/* tests/sim/shell.c - signed bytes out, checked bytes in. */
#include "tests/sim/shell.h"
#include "node/http/nonce.h"
#include "node/hub/hub_node.h"
#include "store/base/text.h"
#include "store/remote.h"
#include "tests/sim/check.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

enum { GIVE_UP_MS = 120000 };

static const uint64_t stolen = UINT64_MAX; /* the call of a request that a thief has sent */

/* ---- lines and a body ---- */

/* Cut the next line off, zero-terminated; NULL if there is none. */
static char *
next_line(struct buf *b, size_t *at)
{
	char *line = (char *)b->bytes + *at;
	char *end = *at < b->len ? memchr(line, '\n', b->len - *at) : NULL;

	if (end == NULL)
		return NULL;
	*end = 0;
	*at += (size_t)(end - line) + 1;
	return line;
}

static bool
take_lines(struct buf *b, char **lines, size_t count, size_t *body)
{
	*body = 0;
	for (size_t i = 0; i < count; i++) {
		lines[i] = next_line(b, body);
		if (lines[i] == NULL)
			return false;
	}
	return true;
}

static const char *
or_null(const char *line)
{
	return line[0] == 0 ? NULL : line;
}

/* ---- the node asks ---- */

static struct reqsig_request
request_of(const void *body, size_t len)
{
	return (struct reqsig_request){
		.method = "POST", .path = "/v1/sync", .query = "", .body = body, .body_len = len
	};
}

static void
put_grant(struct sim_peer *p, struct buf *out)
{
	struct store_remote hub;
	struct arena a = { 0 };
	struct err err;
	char digits[3];

	if (p->call.shown && store_remote_get(p->st.merge, "hub", &a, &hub, &err) == 0)
		for (size_t i = 0; i < hub.grant_len; i++) {
			text_hex(digits, &hub.grant[i], 1);
			buf_put(out, digits, 2);
		}
	arena_free(&a);
}

static void
post(struct sim_peer *p)
{
	struct sim_call *call = &p->call;
	struct reqsig_request rq = request_of(call->body.bytes, call->body.len);
	struct buf bytes = { 0 };

	reqsig_sign_request(&p->st.key, &rq, env_wall_ms(&p->env) / 1000,
	                    p->nonce[0] == 0 ? "0" : p->nonce, &call->headers);
	buf_printf(&bytes, "%s\n%s\n%s\n", call->headers.digest, call->headers.input,
	           call->headers.signature);
	put_grant(p, &bytes);
	buf_u8(&bytes, '\n');
	buf_put(&bytes, call->body.bytes, call->body.len);
	call->gives_up_at = p->sim->now + GIVE_UP_MS;
	sim_net_send(p->sim, p, true, call->id, &bytes);
}

/* A machine of another facility that is up, and whose nonce the hub may know. */
static struct sim_peer *
thief_of(struct sim_peer *p)
{
	for (unsigned i = 1; i < SIM_PEERS; i++) {
		struct sim_peer *q = &p->sim->peers[i];

		if (sim_peer_awake(q) && q->nonce[0] != 0 && strcmp(q->facility, p->facility) != 0)
			return q;
	}
	return NULL;
}

/* What p says, all of it, is said once more by somebody with a good key, who isn't p. */
static void
steal(struct sim_peer *p)
{
	const struct buf *body = &p->call.body;
	struct reqsig_request rq = request_of(body->bytes, body->len);
	struct sim_peer *q = p->line.fault[SIM_THIEF] > 0 ? thief_of(p) : NULL;
	struct reqsig_headers h;
	struct buf bytes = { 0 };

	if (q == NULL)
		return;
	p->line.fault[SIM_THIEF]--;
	sim_count(p->sim, SIM_THIEF);
	sim_tell(p->sim, "peer %u: says what peer %u has said", q->no, p->no);
	reqsig_sign_request(&q->st.key, &rq, env_wall_ms(&q->env) / 1000, q->nonce, &h);
	buf_printf(&bytes, "%s\n%s\n%s\n\n", h.digest, h.input, h.signature);
	buf_put(&bytes, body->bytes, body->len);
	sim_net_send(p->sim, q, true, stolen, &bytes);
}

void
sim_shell_send(struct sim_peer *p, struct buf *body)
{
	sim_shell_forget(p);
	p->call.id = ++p->calls;
	p->call.body = *body;
	*body = (struct buf){ 0 };
	sim_net_garble(p->sim, p, SIM_GARBLE_REQUEST, p->call.body.bytes, p->call.body.len);
	sim_check_asked(p);
	if (!p->open)
		return;
	steal(p); /* it may be there before */
	post(p);
}

void
sim_shell_forget(struct sim_peer *p)
{
	buf_free(&p->call.body);
	p->call = (struct sim_call){ .gives_up_at = INT64_MAX };
}

static void
lost(struct sim_peer *p, const char *words, bool stalled)
{
	struct node_event ev = { .type = NODE_EV_LOST, .words = words, .stalled = stalled };

	sim_shell_forget(p);
	sim_peer_step(p, &ev);
}

void
sim_shell_give_up(struct sim_peer *p)
{
	sim_count(p->sim, SIM_DID_TIMEOUT);
	lost(p, "hub unreachable: timeout", true);
}

/* ---- the node hears ---- */

enum reply_line {
	REPLY_STATUS,
	REPLY_NONCE,
	REPLY_DIGEST,
	REPLY_INPUT,
	REPLY_SIGNATURE,
	REPLY_LINES
};

static bool
proven(struct sim_peer *p, char **lines, const uint8_t *body, size_t len)
{
	struct reqsig_given given = { or_null(lines[REPLY_DIGEST]), or_null(lines[REPLY_INPUT]),
		                      or_null(lines[REPLY_SIGNATURE]) };
	struct reqsig_reply reply = {
		.status = atoi(lines[REPLY_STATUS]),
		.body = body,
		.body_len = len,
		.next_nonce = lines[REPLY_NONCE],
		.request_signature = p->call.headers.signature,
	};
	struct err err;

	return reqsig_check_reply(p->st.node.hub_key, &reply, &given, &err) == 0;
}

static void
hear_reply(struct sim_peer *p, struct buf *bytes)
{
	struct node_event ev = { .type = NODE_EV_REPLY };
	char *lines[REPLY_LINES];
	size_t body;
	int status;

	if (!take_lines(bytes, lines, REPLY_LINES, &body)) {
		sim_count(p->sim, SIM_DID_REFUSE_REPLY);
		lost(p, "the reply was cut short", false);
		return;
	}
	status = atoi(lines[REPLY_STATUS]);
	if (reqsig_is_nonce(lines[REPLY_NONCE])) {
		text_copy(p->nonce, sizeof p->nonce, lines[REPLY_NONCE]);
		if (status == 401 && !p->call.again) {
			p->call.again = true;
			sim_count(p->sim, SIM_DID_NONCE);
			post(p);
			return;
		}
	}
	if (status == 403 && !p->call.shown) {
		p->call.shown = true;
		post(p);
		return;
	}
	if (status != 200) {
		lost(p, "the hub refused", false);
		return;
	}
	if (!proven(p, lines, bytes->bytes + body, bytes->len - body)) {
		sim_count(p->sim, SIM_DID_REFUSE_REPLY);
		lost(p, "the reply is not signed by our hub", false);
		return;
	}
	if (p->call.shown)
		sim_count(p->sim, SIM_DID_SHOW_GRANT);
	sim_shell_forget(p);
	ev.bytes = bytes->bytes + body;
	ev.len = bytes->len - body;
	sim_peer_step(p, &ev);
}

/* ---- the hub answers ---- */

enum request_line { ASK_DIGEST, ASK_INPUT, ASK_SIGNATURE, ASK_GRANT, ASK_LINES };

struct asked {
	struct sim_peer *hub;
	const struct sim_message *m;
	char *lines[ASK_LINES];
	const uint8_t *body;
	size_t len;
};

static void
answer(const struct asked *a, int status, const void *body, size_t len)
{
	struct sim_peer *hub = a->hub, *node = &hub->sim->peers[a->m->node];
	struct reqsig_reply reply = { .status = status, .body = body, .body_len = len };
	struct reqsig_headers headers = { 0 };
	struct buf bytes = { 0 };
	char nonce[NONCE_SIZE];
	int64_t now_s = env_wall_ms(&hub->env) / 1000;

	nonce_make(nonce, hub->secret, now_s);
	reply.next_nonce = nonce;
	reply.request_signature = a->lines[ASK_SIGNATURE];
	if (status == 200)
		reqsig_sign_reply(&hub->st.key, &reply, now_s, &headers);
	else
		sim_count(hub->sim, SIM_DID_REFUSE_REQUEST);
	buf_printf(&bytes, "%d\n%s\n%s\n%s\n%s\n", status, nonce, headers.digest, headers.input,
	           headers.signature);
	buf_put(&bytes, body, len);
	sim_tell(hub->sim, "hub: %d to peer %u", status, a->m->node);
	if (a->m->call == stolen && status == 200)
		sim_fail(hub->sim, "the hub took peer %u for another one", a->m->node);
	if (a->m->call == stolen && status == 403)
		sim_count(hub->sim, SIM_DID_REFUSE_THIEF);
	if (a->m->call == 0 || a->m->call == stolen)
		buf_free(&bytes); /* nobody is at the other end */
	else
		sim_net_send(hub->sim, node, false, a->m->call, &bytes);
}

static bool
readmit(const struct asked *a)
{
	struct station *st = &a->hub->st;
	const char *hex = a->lines[ASK_GRANT];
	uint8_t doc[GRANT_MAX];
	struct err err;

	if (hex[0] == 0 || strlen(hex) / 2 > sizeof doc || !text_unhex(doc, strlen(hex) / 2, hex))
		return false;
	return hub_node_readmit(st->merge, st->key.public_key, doc, strlen(hex) / 2, &err) == 0;
}

/* Who asks?  1, or 0 when it has been answered, or negative if the database failed. */
static int
signer_of(const struct asked *a, uint8_t node[STORE_NODE_ID], struct err *err)
{
	struct reqsig_request rq = request_of(a->body, a->len);
	struct reqsig_given given = { or_null(a->lines[ASK_DIGEST]), or_null(a->lines[ASK_INPUT]),
		                      or_null(a->lines[ASK_SIGNATURE]) };
	struct rights *rights = &a->hub->st.rights;
	struct reqsig_signer signer;
	int rc;

	if (reqsig_check_request(&rq, &given, &signer, err) < 0 ||
	    !nonce_good(signer.nonce, a->hub->secret, env_wall_ms(&a->hub->env) / 1000)) {
		answer(a, 401, "", 0);
		return 0;
	}
	rc = rights_node_of(rights, signer.key, node, err);
	if (rc == 0 && readmit(a))
		rc = rights_node_of(rights, signer.key, node, err);
	if (rc == 1)
		return 1;
	answer(a, 403, "", 0);
	return 0;
}

static void
hear_request(struct sim_peer *hub, const struct sim_message *m)
{
	struct asked a = { .hub = hub, .m = m };
	struct hub_request rq = { .may_read = rights_may_read, .ctx = &hub->st.rights };
	struct hub_effects fx = { 0 };
	struct buf bytes = m->bytes;
	struct err err = { 0 };
	size_t body;
	int rc;

	if (!take_lines(&bytes, a.lines, ASK_LINES, &body)) {
		a.lines[ASK_SIGNATURE] = "";
		answer(&a, 400, "", 0);
		return;
	}
	a.body = rq.bytes = bytes.bytes + body;
	a.len = rq.len = bytes.len - body;
	if (signer_of(&a, rq.peer, &err) != 1)
		return;
	rc = hub_step(&hub->st.node, &rq, &fx, &err);
	if (rc == 0)
		rc = station_keep_anchor(&hub->st, &err);
	sim_net_garble(hub->sim, &hub->sim->peers[m->node], SIM_GARBLE_REPLY, fx.reply.bytes,
	               fx.reply.len);
	if (sim_peer_bears(hub, rc, &err, "answer"))
		answer(&a, fx.status, fx.reply.bytes, fx.reply.len);
	hub->sim->result->changes += (uint32_t)fx.changes;
	buf_free(&fx.reply);
}

void
sim_shell_hear(struct sim_peer *p, const struct sim_message *m)
{
	struct buf bytes = m->bytes;

	if (p->is_hub)
		hear_request(p, m);
	else if (m->call == p->call.id && m->call != 0)
		hear_reply(p, &bytes);
	else
		sim_count(p->sim, SIM_DID_LATE);
}

void
sim_shell_met(struct sim_peer *p, const struct node_met *met)
{
	struct sim *s = p->sim;

	sim_tell(s, "peer %u: met %s, sent %lld, received %lld, trips %d", p->no,
	         met->ok ? "well" : met->words, (long long)met->sent, (long long)met->received,
	         met->round_trips);
	p->losses = met->ok ? 0 : p->losses + 1;
	if (p->losses == 2)
		sim_count(s, SIM_DID_BACK_OFF);
	if (!met->ok) {
		sim_check_missed(p);
		return;
	}
	p->met = true;
	sim_count(s, SIM_DID_MEET);
	if (met->round_trips > 1)
		sim_count(s, SIM_DID_SECOND_TRIP);
	if (met->received > 0)
		sim_count(s, SIM_DID_PULL);
	sim_check_met(p);
}

#include "node/link.h"
#include "node/report.h"
#include "node/rotation.h"
#include "store/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WATCH_QUIET_S = 90 };

struct link {
	struct transport *transport;
	struct link_options options;
	char base[256];
	char nonce[REQSIG_NONCE_MAX + 1];
	struct buf grant; /* the header line that shows it */
	struct buf chain; /* all of it */
	struct link_cost cost;
};

static void
done(void *ctx, void *tag, struct transport_reply *reply)
{
	struct link *l = ctx;
	struct link_call *call = tag;

	call->reply = reply;
	if (!queue_put(l->options.queue, &call->item, 0))
		link_drop(call); /* nobody waits any more */
}

static int
keep_line(struct buf *line, const char *name, const uint8_t *bytes, size_t len, struct err *err)
{
	char digits[3];

	buf_clear(line);
	buf_printf(line, "%s: ", name);
	for (size_t i = 0; i < len; i++) {
		text_hex(digits, &bytes[i], 1);
		buf_put(line, digits, 2);
	}
	return buf_check(line, err);
}

int
link_show(struct link *l, const struct buf *chain, struct err *err)
{
	buf_clear(&l->chain);
	if (chain != NULL)
		buf_put(&l->chain, chain->bytes, chain->len);
	return buf_check(&l->chain, err);
}

int
link_new(const struct link_options *options, struct link **out, struct err *err)
{
	struct transport_options transport = { .pin = options->pin,
		                               .ca_file = options->ca_file,
		                               .pin_only = options->pin_only };
	struct link *l = calloc(1, sizeof *l);
	int rc;

	if (l == NULL)
		return err_set(err, ERR_NOMEM, "link: out of memory");
	l->options = *options;
	text_copy(l->base, sizeof l->base, options->base);
	text_copy(l->nonce, sizeof l->nonce,
	          options->nonce == NULL || !reqsig_is_nonce(options->nonce) ? "0"
	                                                                     : options->nonce);
	rc = keep_line(&l->grant, "Yz-Grant", options->grant, options->grant_len, err);
	if (rc == 0)
		rc = link_show(l, options->chain, err);
	if (rc == 0)
		rc = transport_new(&transport, done, l, &l->transport, err);
	if (rc < 0) {
		buf_free(&l->chain);
		buf_free(&l->grant);
		free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	transport_free(l->transport);
	buf_free(&l->chain);
	buf_free(&l->grant);
	free(l);
}

void
link_drop(struct link_call *call)
{
	if (call == NULL)
		return;
	transport_reply_free(call->reply);
	buf_free(&call->body);
	free(call->report);
	free(call);
}

const char *
link_nonce(const struct link *l)
{
	return l->nonce;
}

void
link_cost(struct link *l, struct link_cost *cost)
{
	*cost = l->cost;
	l->cost = (struct link_cost){ 0 };
}

static void
count_cost(struct link *l, const struct link_call *call)
{
	int status = call->reply->code == TRANSPORT_OK ? call->reply->status : 0;

	if (call->watch)
		return;
	l->cost.lost += status == 0;
	l->cost.busy += status == 429 || status == 503;
	l->cost.refused +=
	        status >= 300 && status != 429 && status != 503 && (status != 401 || call->again);
	l->cost.bytes_out += call->reply->bytes_out;
	l->cost.bytes_in += call->reply->bytes_in;
	l->cost.took_ms += call->reply->took_ms;
	l->cost.round_trips++;
}

/* The header line; signed for this very request. */
static void
put_report(const struct link *l, const struct link_call *call, char *line, size_t size)
{
	char value[REPORT_LINE];

	report_sign(l->options.key, call->report, call->headers.signature, value);
	snprintf(line, size, "Yz-Report: %s", value);
}

static int
send_call(struct link *l, struct link_call *call, struct err *err)
{
	struct reqsig_request signed_part = {
		.method = call->watch ? "GET" : "POST",
		.path = call->watch ? "/v1/watch" : "/v1/sync",
		.query = call->query,
		.body = call->body.bytes,
		.body_len = call->body.len,
	};
	char path[96], lines[3][REQSIG_INPUT_SIZE + 32], report[REPORT_LINE + 16];
	const char *headers[7] = { lines[0], lines[1], lines[2],
		                   "Content-Type: application/octet-stream" };
	struct transport_request request = {
		.method = signed_part.method,
		.base = l->base,
		.path = path,
		.headers = headers,
		.header_count = call->watch ? 3 : 4,
		.quiet_s = call->watch ? WATCH_QUIET_S : 0,
		.tag = call,
	};
	struct buf body = { 0 }, chain = { 0 };
	int rc = 0;

	/* which key it is isn't known before the last piece */
	if (call->shown && call->to < l->chain.len)
		signed_part.body_len = 0;
	reqsig_sign_request(l->options.key, &signed_part, env_wall_ms(l->options.env) / 1000,
	                    l->nonce, &call->headers);
	snprintf(path, sizeof path, "%s%s%s", signed_part.path, call->query[0] != 0 ? "?" : "",
	         call->query);
	snprintf(lines[0], sizeof lines[0], "Content-Digest: %s", call->headers.digest);
	snprintf(lines[1], sizeof lines[1], "Signature-Input: %s", call->headers.input);
	snprintf(lines[2], sizeof lines[2], "Signature: %s", call->headers.signature);
	if (call->shown)
		headers[request.header_count++] = buf_str(&l->grant);
	if (call->shown && l->chain.len > 0) {
		rc = keep_line(&chain, "Yz-Rotation", l->chain.bytes + call->from,
		               call->to - call->from, err);
		headers[request.header_count++] = buf_str(&chain);
	}
	if (call->report != NULL) {
		put_report(l, call, report, sizeof report);
		headers[request.header_count++] = report;
	}
	if (!call->watch) {
		buf_put(&body, call->body.bytes, signed_part.body_len);
		request.body = &body;
	}
	if (rc == 0)
		rc = buf_check(&body, err);
	if (rc == 0)
		rc = transport_send(l->transport, &request, err);
	buf_free(&chain);
	buf_free(&body);
	return rc;
}

static struct link_call *
new_call(struct link *l)
{
	struct link_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return NULL;
	call->link = l;
	call->item.kind = QUEUE_REPLY;
	call->item.what = call;
	return call;
}

static int
begin(struct link *l, struct link_call *call, struct err *err)
{
	int rc = send_call(l, call, err);

	if (rc < 0)
		link_drop(call);
	return rc;
}

int
link_post(struct link *l, struct buf *body, const char *report, struct err *err)
{
	struct link_call *call = new_call(l);

	if (call != NULL && report != NULL)
		call->report = strdup(report);
	if (call == NULL || (report != NULL && call->report == NULL)) {
		link_drop(call);
		return err_set(err, ERR_NOMEM, "link: out of memory");
	}
	call->body = *body;
	*body = (struct buf){ 0 };
	return begin(l, call, err);
}

int
link_watch(struct link *l, uint64_t counter, struct err *err)
{
	struct link_call *call = new_call(l);

	if (call == NULL)
		return err_set(err, ERR_NOMEM, "link: out of memory");
	call->watch = true;
	snprintf(call->query, sizeof call->query, "since=%llu", (unsigned long long)counter);
	return begin(l, call, err);
}

/* A fresh nonce for the next request, if the reply has one.  Nobody has proven yet whose reply it
 * is: a wrong nonce costs a round trip and nothing else. */
static bool
take_nonce(struct link *l, const struct transport_reply *reply)
{
	const char *nonce = transport_header(reply, "Yz-Nonce");

	if (nonce == NULL || !reqsig_is_nonce(nonce))
		return false;
	memcpy(l->nonce, nonce, strlen(nonce) + 1);
	return true;
}

static bool
proven(struct link_call *call, struct err *err)
{
	const struct transport_reply *r = call->reply;
	struct reqsig_given given = {
		.digest = transport_header(r, "Content-Digest"),
		.input = transport_header(r, "Signature-Input"),
		.signature = transport_header(r, "Signature"),
	};
	const char *nonce = transport_header(r, "Yz-Nonce");
	struct reqsig_reply reply = {
		.status = r->status,
		.body = r->body.bytes,
		.body_len = r->body.len,
		.next_nonce = nonce == NULL ? "" : nonce,
		.request_signature = call->headers.signature,
	};

	return reqsig_check_reply(call->link->options.hub_key, &reply, &given, err) == 0;
}

static void
lost(struct link_call *call, struct node_event *ev, const char *words)
{
	static const char unreachable[] = "hub unreachable: ";
	bool told = call->reply->code == TRANSPORT_OK ||
	            strncmp(words, unreachable, sizeof unreachable - 1) == 0;

	ev->type = NODE_EV_LOST;
	ev->stalled = call->reply->code == TRANSPORT_TIMEOUT || call->reply->code == TRANSPORT_CUT;
	ev->retry_after_ms = (int64_t)call->reply->retry_after_s * 1000;
	buf_clear(&call->body);
	buf_printf(&call->body, "%s%s", told ? "" : unreachable, words);
	ev->words = buf_str(&call->body);
}

/* The hub itself doesn't know this node, or doesn't want it any more.  Only a hub gives a nonce: a
 * portal or a proxy that answers 403 is a bad line. */
static bool
is_refusal(const struct transport_reply *r)
{
	const char *nonce = transport_header(r, "Yz-Nonce");

	return r->status == 403 && nonce != NULL && reqsig_is_nonce(nonce);
}

/* Nothing but words depends on it: a refusal isn't signed. */
static bool
says(const struct transport_reply *r, const char *what)
{
	return memmem(r->body.bytes == NULL ? (const uint8_t *)"" : r->body.bytes, r->body.len,
	              what, strlen(what)) != NULL;
}

/* Why the hub refuses us, and what to do, by what its sentence has in it. */
static const char *
words_of_refusal(const struct transport_reply *r)
{
	if (says(r, "replaced by"))
		return "the hub refuses this node's key, which was replaced: this is an older copy "
		       "of the node; if it is to go on, let the hub's administrator run yizhan "
		       "nodes rekey NODE, and then run yizhan rotate here";
	if (says(r, "was revoked")) /* a new code would be refused to this directory, too */
		return "the hub refuses this node, which was revoked there; init a new directory "
		       "and enrol that one with a new code";
	return "the hub refuses this node, which is not enrolled there any more; get a new code at "
	       "the hub and run yizhan enrol CODE URL";
}

/* Another status than those of a good answer. */
static void
turned_away(struct link_call *call, struct node_event *ev)
{
	int status = call->reply->status;
	char words[112];

	ev->denied = is_refusal(call->reply);
	snprintf(words, sizeof words, "the hub answered %d%s", status,
	         status == 401 || status == 403 ? ": is this node still enrolled there?"
	         : status == 507 ? ": its disk is full, the records wait here until there is room"
	                         : "");
	lost(call, ev, ev->denied ? words_of_refusal(call->reply) : words);
}

/*
 * The hub doesn't know our key.  Show it the end of the chain, which is mostly all that it lacks;
 * if that isn't enough, all from the beginning, piece by piece.  False when all has been shown.
 */
static bool
show_more(const struct link *l, struct link_call *call)
{
	if (!call->shown) {
		call->shown = true;
		call->from = rotation_chain_shown(&l->chain);
		call->to = l->chain.len;
		return true;
	}
	if (call->to == l->chain.len && (call->from == 0 || call->walks))
		return false;
	call->from = call->walks ? call->to : 0;
	call->to = rotation_chain_piece(&l->chain, call->from);
	call->walks = true;
	return call->to > call->from;
}

int
link_result(struct link_call *call, struct node_event *ev, struct err *err)
{
	struct transport_reply *r = call->reply;
	struct link *l = call->link;

	*ev = (struct node_event){ 0 };
	count_cost(l, call);
	if (r->code != TRANSPORT_OK) {
		lost(call, ev, r->why);
		return 1;
	}
	if (take_nonce(l, r) && r->status == 401 && !call->again) {
		transport_reply_free(r);
		call->reply = NULL;
		call->again = true;
		return send_call(l, call, err);
	}
	if (r->status == 403 && !call->watch && show_more(l, call)) {
		transport_reply_free(r);
		call->reply = NULL;
		return send_call(l, call, err);
	}
	if (r->status != 200 && r->status != 204) {
		turned_away(call, ev);
	} else if (!call->watch && !proven(call, err)) {
		lost(call, ev,
		     "the reply is not signed by our hub: captive portal, or another machine?");
	} else {
		ev->type = call->watch ? NODE_EV_SYNC : NODE_EV_REPLY;
		ev->bytes = r->body.bytes;
		ev->len = r->body.len;
	}
	return 1;
}

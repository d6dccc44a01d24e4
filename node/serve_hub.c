/* node/serve_hub.c - what a hub does at /v1/sync, /v1/watch and /v1/records (node/serve.h). */
#include "node/http/form.h"
#include "node/http/nonce.h"
#include "node/http/reqsig.h"
#include "node/hub/api_records.h"
#include "node/hub/fleet.h"
#include "node/hub/hub_key.h"
#include "node/hub/hub_node.h"
#include "node/hub/refusal.h"
#include "node/hub/watch.h"
#include "node/log.h"
#include "node/serve_priv.h"
#include "store/base/text.h"

#include <stdlib.h>
#include <string.h>

static int64_t
now_s(const struct station *st)
{
	return env_wall_ms(st->env) / 1000;
}

/* Refuse with a fresh nonce, so that the next try can be signed with it. */
static void
refuse(const struct reader *r, struct http_exchange *x, int status, const char *why)
{
	struct http_response response = { 0 };
	char nonce[NONCE_SIZE];

	nonce_make(nonce, r->secret, now_s(r->station));
	http_problem_body(&response, status, why);
	http_field(&response, "Yz-Nonce", "%s", nonce);
	http_answer(x, &response);
}

/* The bytes of a header line in hex: 1, or 0 if there is none such or it is none. */
static int
header_bytes(struct http_exchange *x, const char *name, struct buf *out)
{
	const char *hex = http_header(x, name);
	size_t len = hex == NULL ? 0 : strlen(hex) / 2;
	uint8_t *bytes = len == 0 ? NULL : malloc(len);
	struct err err;
	int rc = 0;

	if (bytes != NULL && text_unhex(bytes, len, hex)) {
		buf_put(out, bytes, len);
		rc = buf_check(out, &err) == 0;
	}
	free(bytes);
	return rc;
}

/* A hub that was restored has forgotten nodes enrolled since: one that shows our own grant is taken
 * in again.  And one whose key we don't know shows how it came by it.  If not, `why`. */
static bool
readmit(struct station *st, struct http_exchange *x, struct err *why)
{
	struct buf grant = { 0 }, chain = { 0 };
	bool good =
	        header_bytes(x, "Yz-Grant", &grant) == 1 &&
	        hub_node_readmit(st->merge, st->key.public_key, grant.bytes, grant.len, why) == 0;

	if (good && header_bytes(x, "Yz-Rotation", &chain) == 1)
		good = hub_key_rotate(st->merge, chain.bytes, chain.len, env_wall_ms(st->env),
		                      why) == 0;
	if (!good && chain.len > 0)
		refusal_tell(env_mono_ms(st->env), http_request(x)->path, http_request(x)->peer,
		             why->msg);
	buf_free(&chain);
	buf_free(&grant);
	return good;
}

/* The same, and the log hears of it. */
static void
turn_away(const struct reader *r, struct http_exchange *x, int status, const char *why)
{
	const struct http_request *rq = http_request(x);

	refusal_tell(env_mono_ms(r->station->env), rq->path, rq->peer, why);
	refuse(r, x, status, why);
}

/* Which key has signed this, with a fresh nonce?  If none, it has been answered. */
static bool
proven(const struct reader *r, struct http_exchange *x, struct reqsig_signer *signer)
{
	const struct http_request *rq = http_request(x);
	struct reqsig_request request = { .method = rq->method,
		                          .path = rq->path,
		                          .query = rq->query,
		                          .body = rq->body,
		                          .body_len = rq->body_len };
	struct reqsig_given given = {
		.digest = http_header(x, "Content-Digest"),
		.input = http_header(x, "Signature-Input"),
		.signature = http_header(x, "Signature"),
	};
	struct err err;

	if (reqsig_check_request(&request, &given, signer, &err) < 0) {
		turn_away(r, x, 401, err.msg);
		return false;
	}
	if (!nonce_good(signer->nonce, r->secret, now_s(r->station))) {
		refuse(r, x, 401,
		       "the nonce is not one of this hub's, or is too old; sign again with the one "
		       "given here");
		return false;
	}
	return true;
}

/* Whose key is it?  If nobody's, it has been answered.  With `st` (the writing thread) a node may
 * be taken in again. */
static bool
enrolled(const struct reader *r, struct station *st, struct http_exchange *x,
         const uint8_t key[SYNC_PUBLIC_KEY], uint8_t node[STORE_NODE_ID])
{
	const struct rights *rights = st != NULL ? &st->rights : &r->rights;
	const char *words = "this key is not enrolled here";
	struct err err, why = { 0 };
	int rc = rights_node_of(rights, key, node, &err);

	if (rc == 0 && st != NULL && readmit(st, x, &why))
		rc = rights_node_of(rights, key, node, &err);
	if (rc == 1)
		return true;
	/* other reasons for which what it shows doesn't count are no stranger's to know */
	if (strcmp(why.msg, hub_node_revoked_words) == 0)
		words = why.msg;
	turn_away(r, x, 403, rc == 0 ? words : err.msg);
	return false;
}

/* Sign and send a reply to a node. */
static void
reply_signed(const struct reader *r, struct http_exchange *x, struct http_response *response)
{
	const char *request_signature = http_header(x, "Signature");
	struct reqsig_reply reply = { .status = response->status,
		                      .request_signature = request_signature };
	struct reqsig_headers headers;
	char nonce[NONCE_SIZE];

	nonce_make(nonce, r->secret, now_s(r->station));
	reply.body = response->body.bytes;
	reply.body_len = response->body.len;
	reply.next_nonce = nonce;
	reqsig_sign_reply(&r->station->key, &reply, now_s(r->station), &headers);
	http_field(response, "Yz-Nonce", "%s", nonce);
	http_field(response, "Content-Digest", "%s", headers.digest);
	http_field(response, "Signature-Input", "%s", headers.input);
	http_field(response, "Signature", "%s", headers.signature);
	http_answer(x, response);
}

/*
 * The database could not take it.  A fault of the disk, the memory or the file ends the daemon, as
 * everywhere; what this one request asks for that can't be done is only refused, or its sender
 * would end the hub with each try.
 */
static int
not_taken(struct station *st, struct http_exchange *x, int rc, const struct err *err)
{
	const struct http_request *rq = http_request(x);

	if (rc == ERR_IO || rc == ERR_NOMEM || rc == ERR_FULL || rc == ERR_BUSY) {
		http_problem(x, http_status_of(rc),
		             rc == ERR_FULL ? room_words
		                            : "the hub's database could not take this; nothing was "
		                              "stored");
		return rc == ERR_BUSY ? 0 : rc;
	}
	refusal_tell(env_mono_ms(st->env), rq->path, rq->peer, err->msg);
	http_problem(x, 422, err->msg);
	return 0;
}

/* What a node says of itself beside its message, if it has signed that; a line that it hasn't is
 * as good as none. */
static const char *
told_by(struct station *st, struct http_exchange *x, const uint8_t node[STORE_NODE_ID],
        char text[REPORT_TEXT])
{
	const char *line = http_header(x, "Yz-Report"), *signature = http_header(x, "Signature");
	struct arena a = { 0 };
	struct hub_node known;
	struct report report;
	struct err err;
	bool good = line != NULL && hub_node_find(st->merge, node, &a, &known, &err) == 1 &&
	            report_check(line, known.key, signature, text, &err) == 0 &&
	            report_read(text, &report, &err) == 0;

	arena_free(&a);
	return good ? text : NULL;
}

/* What a node sends whose key was revoked is refused, but it may be all that there is of it:
 * somebody here decides what becomes of it. */
static int
serve_late(struct station *st, const struct reader *r, struct http_exchange *x,
           struct sync_late *late, struct err *err)
{
	const struct http_request *rq = http_request(x);
	char id[2 * STORE_NODE_ID + 1];
	int rc = sync_exchange_late(late, rq->body, rq->body_len, err);

	text_hex(id, late->peer, STORE_NODE_ID);
	if (rc < 0 && rc != ERR_CORRUPT && rc != ERR_DENIED)
		return not_taken(st, x, rc, err);
	if (rc == 0 && late->bytes > 0)
		log_line(LOG_LEVEL_WARN,
		         "node %s was revoked and still sends records: %lld bytes are kept aside; "
		         "see yizhan quarantine",
		         id, (long long)late->bytes);
	if (rc == 0 && late->why[0] != 0)
		refusal_tell(env_mono_ms(st->env), rq->path, rq->peer, late->why);
	turn_away(r, x, 403, hub_node_revoked_words);
	return 0;
}

int
serve_sync(struct station *st, const struct reader *r, struct http_exchange *x, struct err *err)
{
	const struct http_request *rq = http_request(x);
	struct hub_request request = { .bytes = rq->body,
		                       .len = rq->body_len,
		                       .may_read = rights_may_read,
		                       .ctx = &st->rights,
		                       .met = fleet_met };
	struct fleet_met met = { .db = st->merge, .now_ms = env_wall_ms(st->env) };
	char report[REPORT_TEXT];
	struct http_response response = { 0 };
	struct hub_effects fx = { 0 };
	struct sync_late late = { .r = &st->node.r };
	struct reqsig_signer signer;
	int rc;

	if (!proven(r, x, &signer))
		return 0;
	if (rights_is_revoked(&st->rights, signer.key, late.peer))
		return serve_late(st, r, x, &late, err);
	if (!enrolled(r, st, x, signer.key, request.peer))
		return 0;
	met.report = told_by(st, x, request.peer, report);
	request.met_ctx = &met;
	rc = hub_step(&st->node, &request, &fx, err);
	metrics_add(&st->metrics,
	            rc == 0 && fx.status == 200 ? METRIC_EXCHANGES_OK : METRIC_EXCHANGES_FAILED, 1);
	if (rc == 0) {
		metrics_add(&st->metrics, METRIC_RECEIVED, (uint64_t)fx.changes);
		metrics_add(&st->metrics, METRIC_REJECTED, (uint64_t)fx.rejected);
	}
	if (rc < 0) {
		buf_free(&fx.reply);
		return not_taken(st, x, rc, err);
	}
	if (station_keep_anchor(st, err) < 0) {
		buf_free(&fx.reply);
		http_problem(
		        x, 503,
		        "what was stored can't be answered for yet: the anchor can't be written");
		return err->code == ERR_NOMEM || err->code == ERR_FULL ? err->code : 0;
	}
	if (fx.status != 200) {
		refusal_tell(env_mono_ms(st->env), rq->path, rq->peer, buf_str(&fx.reply));
		http_problem(x, fx.status, buf_str(&fx.reply));
		buf_free(&fx.reply);
		return 0;
	}
	response.status = 200;
	response.type = "application/octet-stream";
	response.body = fx.reply;
	reply_signed(r, x, &response);
	station_met(st, request.peer);
	return 0;
}

int
serve_records(struct station *st, struct http_exchange *x, bool *wrote, struct err *err)
{
	struct http_response response = { 0 };
	struct lines_counts counts;
	int rc = api_records_post(st->local, http_request(x), http_header(x, "Authorization"),
	                          &response, &counts, err);

	metrics_add(&st->metrics, METRIC_RECORDS_STORED, (uint64_t)counts.stored);
	metrics_add(&st->metrics, METRIC_RECORDS_REFUSED, (uint64_t)counts.refused);
	*wrote = counts.stored > 0;
	http_answer(x, &response);
	return rc;
}

void
serve_watch(struct reader *r, struct http_exchange *x)
{
	const struct http_request *rq = http_request(x);
	uint8_t node[STORE_NODE_ID];
	struct reqsig_signer signer;
	char since[24], *end;
	struct err err;
	uint64_t counter;

	if (!proven(r, x, &signer) || !enrolled(r, NULL, x, signer.key, node))
		return;
	if (form_get(form_from(rq->query, strlen(rq->query)), "since", since, sizeof since, &err) !=
	    1) {
		http_problem(x, 400,
		             "since: give the counter of your newest receipt, /v1/watch?since=N");
		return;
	}
	counter = strtoull(since, &end, 10);
	if (*end != 0 || end == since) {
		http_problem(x, 400, "since: is not a whole number");
		return;
	}
	watch_wait(r->station->watch, x, node, counter, env_mono_ms(r->station->env),
	           (struct watch_rights){ rights_may_read, &r->rights });
}

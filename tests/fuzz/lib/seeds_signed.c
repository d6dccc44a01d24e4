#include "tests/fuzz/seeds.h"

#include "node/code.h"
#include "node/enrol_node.h"
#include "node/grant.h"
#include "node/http/reqsig.h"
#include "node/rotation.h"
#include "store/base/json.h"
#include "tests/fuzz/help.h"

#include <string.h>

static const uint8_t secret[CODE_SECRET] = { 1, 2, 3, 4, 5, 6, 7 };

static void
make_grant(struct buf *out, const char *street)
{
	struct sync_key hub = help_key(0), node = help_key(1);
	struct grant grant;
	struct err err;

	HOLDS(grant_of_facility(&grant, "F1", street, &err) == 0);
	memcpy(grant.node_key, node.public_key, SYNC_PUBLIC_KEY);
	sync_node_id(grant.node, node.public_key);
	grant.version = grant.issued_ms = 1772438400000;
	grant_write(out, &grant, &hub);
}

static void
code_seeds(char text[CODE_TEXT])
{
	static const char pin[] = ".K87oWBWM9UZfyddvDfoxL-8lpNyoUB2ptGtn0fv6G2Q";
	struct sync_key hub = help_key(0);
	struct buf out = { 0 };
	struct code code;

	code_make(&code, secret, hub.public_key);
	code_text(&code, text);
	buf_put(&out, "\x05\x11", 2);
	buf_put(&out, text, strlen(text));
	seeds_put("code", "as-shown", &out);
	out.bytes[4] = (uint8_t)(out.bytes[4] | 0x20);
	buf_put(&out, " \n", 2);
	seeds_put("code", "as-typed", &out);
	out.len -= 2;
	buf_put(&out, pin, strlen(pin));
	seeds_put("code", "with-pin", &out);
	buf_free(&out);
}

/* What the hub would answer. */
static void
put_answer(const char *state, const struct buf *grant)
{
	struct sync_key hub = help_key(0), node = help_key(1);
	struct buf out = { 0 };
	struct json j = json_to(&out);
	uint8_t box[SYNC_BOX];
	struct err err;

	HOLDS(id_key_seal(&hub, "F1", node.public_key, (const uint8_t[24]){ 7 }, box, &err) == 0);
	buf_u8(&out, 2);
	json_object(&j);
	json_name(&j, "state");
	json_text(&j, state);
	json_name(&j, "hub");
	json_hex(&j, hub.public_key, SYNC_PUBLIC_KEY);
	json_name(&j, "grant");
	if (grant == NULL)
		json_null(&j);
	else
		json_hex(&j, grant->bytes, grant->len);
	json_name(&j, "id_key");
	if (grant == NULL)
		json_null(&j);
	else
		json_hex(&j, box, sizeof box);
	json_end_object(&j);
	seeds_put("enrol", state, &out);
	buf_free(&out);
}

static void
enrol_seeds(const char *code, const struct buf *grant)
{
	struct sync_key node = help_key(1);
	struct enrol_self self = { .key = &node, .name = "office", .facility = "F1" };
	struct buf out = { 0 };
	struct err err;

	buf_u8(&out, 0);
	HOLDS(enrol_node_ask(&self, code, &out, &err) == 0);
	seeds_put("enrol", "request", &out);
	seeds_put_text("enrol", "automatic",
	               "\1{\"code\":\"$0\",\"name\":\"office\",\"facility\":\"F1\"}");
	seeds_put_text("enrol", "approved",
	               "\1{\"code\":\"$1\",\"name\":\"小星星\",\"facility\":\"F1\"}");
	seeds_put_text("enrol", "elsewhere",
	               "\1{\"code\":\"$0\",\"name\":\"x\",\"facility\":\"F2\"}");
	put_answer("granted", grant);
	put_answer("waiting", NULL);
	buf_free(&out);
}

static void
reqsig_seed(const char *name, const char *query)
{
	struct sync_key node = help_key(1);
	struct reqsig_request request = {
		.method = "POST", .path = "/v1/sync", .query = query, .body = "hello", .body_len = 5
	};
	struct reqsig_headers h;
	struct buf out = { 0 };

	reqsig_sign_request(&node, &request, 1772438400, "n-1_Z", &h);
	buf_printf(&out, "POST\n/v1/sync\n%s\n%s\n%s\n%s\nhello", query, h.digest, h.input,
	           h.signature);
	seeds_put("reqsig", name, &out);
	buf_free(&out);
}

static void
reqsig_reply_seed(void)
{
	struct sync_key key = help_key(1);
	struct reqsig_request request = {
		.method = "GET", .path = "/v1/watch", .query = "", .body = "hello", .body_len = 5
	};
	struct reqsig_headers asked, h;
	struct reqsig_reply reply = { .status = 200,
		                      .body = "hello",
		                      .body_len = 5,
		                      .next_nonce = "n-2",
		                      .request_signature = asked.signature };
	struct buf out = { 0 };

	reqsig_sign_request(&key, &request, 7, "0", &asked);
	reqsig_sign_reply(&key, &reply, 1772438400, &h);
	buf_printf(&out, "GET\n/v1/watch\n\n%s\n%s\n%s\nhello", h.digest, h.input, h.signature);
	seeds_put("reqsig", "reply", &out);
	buf_free(&out);
}

/* A chain of two, as a node shows it that has rotated twice. */
static void
rotation_seeds(void)
{
	struct sync_key first = help_key(1);
	struct buf chain = { 0 };

	for (uint8_t i = 1; i < 3; i++) {
		struct sync_key old_key = help_key(i), new_key = help_key(i + 1);
		struct rotation r = { .at_ms = 1772438400000 + i, .count = 2 };
		struct buf doc = { 0 };

		sync_node_id(r.node, first.public_key);
		for (uint8_t k = 0; k < 2; k++) {
			r.streams[k].epoch[0] = i;
			strcpy(r.streams[k].scope, k == 0 ? "f/F1" : "all");
			r.streams[k].n = 100U * k + i;
		}
		rotation_write(&doc, &r, &old_key, &new_key);
		rotation_chain_add(&chain, &doc);
		seeds_put("rotation", i == 1 ? "one" : "two", &chain);
		buf_free(&doc);
	}
	buf_free(&chain);
}

void
seeds_signed(void)
{
	struct buf grant = { 0 }, street = { 0 };
	char code[CODE_TEXT];

	make_grant(&grant, NULL);
	make_grant(&street, "S-12");
	seeds_put("grant", "facility", &grant);
	seeds_put("grant", "street", &street);
	code_seeds(code);
	enrol_seeds(code, &grant);
	reqsig_seed("request", "");
	reqsig_seed("query", "a=1&b=%20");
	reqsig_reply_seed();
	rotation_seeds();
	buf_free(&grant);
	buf_free(&street);
}

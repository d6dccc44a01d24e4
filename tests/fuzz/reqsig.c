/*
 * tests/fuzz/reqsig.c - signature headers: none is accepted but the one that
 * signing gives; what was signed is, and not after any change.
 *
 * Input: lines: method, path, query, Content-Digest, Signature-Input, Signature;
 * then the body.
 */
#include "node/http/reqsig.h"
#include "tests/fuzz/help.h"

#include <stdlib.h>
#include <string.h>

enum { METHOD, PATH, QUERY, DIGEST, INPUT, SIGNATURE, LINES };

/* One form only: who is accepted has signed exactly this. */
static void
check_accepted(const struct sync_key *key, const struct reqsig_request *request,
               const struct reqsig_given *given)
{
	struct reqsig_signer signer;
	struct reqsig_headers again;
	struct err err;
	int rc = reqsig_check_request(request, given, &signer, &err);

	HOLDS(rc == 0 || rc == ERR_DENIED);
	if (rc < 0)
		return;
	HOLDS(memcmp(signer.key, key->public_key, SYNC_PUBLIC_KEY) == 0);
	reqsig_sign_request(key, request, signer.created_s, signer.nonce, &again);
	HOLDS(strcmp(again.digest, given->digest) == 0 && strcmp(again.input, given->input) == 0 &&
	      strcmp(again.signature, given->signature) == 0);
}

/* Some letters of the line, as a nonce. */
static void
nonce_of(const char *line, char nonce[REQSIG_NONCE_MAX + 1])
{
	static const char letters[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = 1;

	nonce[0] = '0';
	for (; *line != 0 && len < REQSIG_NONCE_MAX; line++)
		nonce[len++] = letters[(uint8_t)*line % 64];
	nonce[len] = 0;
}

/* Signed once more it is accepted; and with one bit changed it isn't. */
static void
check_signed(const struct sync_key *key, const struct reqsig_request *request, char **lines)
{
	struct reqsig_headers h;
	struct reqsig_given given = { h.digest, h.input, h.signature };
	char nonce[REQSIG_NONCE_MAX + 1], *bent[] = { h.digest, h.input, h.signature };
	struct reqsig_signer signer;
	struct err err;
	char *one;

	nonce_of(lines[INPUT], nonce);
	reqsig_sign_request(key, request, (int64_t)strlen(lines[DIGEST]) + 1, nonce, &h);
	HOLDS(reqsig_check_request(request, &given, &signer, &err) == 0);
	HOLDS(strcmp(signer.nonce, nonce) == 0);
	one = bent[strlen(lines[SIGNATURE]) % 3];
	one[(uint8_t)lines[SIGNATURE][0] % strlen(one)] ^= 1;
	HOLDS(reqsig_check_request(request, &given, &signer, &err) == ERR_DENIED);
}

/* The same of a reply: accepted only as the key's owner has signed it, for that request alone. */
static void
check_reply(const struct sync_key *key, const struct reqsig_request *request, char **lines)
{
	struct reqsig_headers asked, h;
	struct reqsig_reply reply = { .status = 200,
		                      .body = request->body,
		                      .body_len = request->body_len,
		                      .next_nonce = "n-2",
		                      .request_signature = asked.signature };
	struct reqsig_given given = { lines[DIGEST], lines[INPUT], lines[SIGNATURE] };
	const char *created = strstr(lines[INPUT], ";created=");
	struct err err;
	int rc;

	reqsig_sign_request(key, request, 7, "0", &asked);
	rc = reqsig_check_reply(key->public_key, &reply, &given, &err);
	HOLDS(rc == 0 || rc == ERR_DENIED);
	HOLDS(rc < 0 || created != NULL);
	reqsig_sign_reply(key, &reply, created == NULL ? 1 : atoll(created + 9), &h);
	HOLDS(rc < 0 || (strcmp(h.digest, given.digest) == 0 && strcmp(h.input, given.input) == 0 &&
	                 strcmp(h.signature, given.signature) == 0));
	reqsig_sign_reply(key, &reply, (int64_t)strlen(lines[DIGEST]) + 1, &h);
	given = (struct reqsig_given){ h.digest, h.input, h.signature };
	HOLDS(reqsig_check_reply(key->public_key, &reply, &given, &err) == 0);
	reply.status = 201;
	HOLDS(reqsig_check_reply(key->public_key, &reply, &given, &err) == ERR_DENIED);
	reply.status = 200;
	asked.signature[5] ^= 1;
	HOLDS(reqsig_check_reply(key->public_key, &reply, &given, &err) == ERR_DENIED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sync_key key = help_key(1);
	struct reqsig_request request;
	struct reqsig_given given;
	char *lines[LINES];

	for (int i = 0; i < LINES; i++)
		lines[i] = help_cut(&data, &size, '\n');
	request = (struct reqsig_request){ .method = lines[METHOD],
		                           .path = lines[PATH],
		                           .query = lines[QUERY],
		                           .body = data,
		                           .body_len = size };
	given = (struct reqsig_given){ lines[DIGEST], lines[INPUT], lines[SIGNATURE] };
	check_accepted(&key, &request, &given);
	check_signed(&key, &request, lines);
	check_reply(&key, &request, lines);
	for (int i = 0; i < LINES; i++)
		free(lines[i]);
	return 0;
}

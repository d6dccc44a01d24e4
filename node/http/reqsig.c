#include "node/http/reqsig.h"

#include "store/base/buf.h"
#include "store/base/hash.h"
#include "store/base/mutant.h"
#include "store/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { BASE64_SIGNATURE = 88, HEX_KEY = 2 * SYNC_PUBLIC_KEY };

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char nonce_chars[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const char reply_components[] =
        "(\"@status\" \"content-digest\" \"yz-nonce\" \"signature\";req;key=\"yz\")";

/* ---------------------------------------------------------------- base64 */

static void
to_base64(char *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)bytes[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < len)
			v |= bytes[i + 2];
		*out++ = base64[v >> 18];
		*out++ = base64[v >> 12 & 63];
		*out++ = i + 1 < len ? base64[v >> 6 & 63] : '=';
		*out++ = i + 2 < len ? base64[v & 63] : '=';
	}
	*out = 0;
}

/* A signature's 88 characters; canonical or nothing: what we'd write ourselves must be the same
 * text. */
static bool
signature_from_base64(uint8_t out[STORE_SIGNATURE], const char *text)
{
	uint8_t bytes[66] = { 0 };
	char again[BASE64_SIGNATURE + 1];

	for (size_t i = 0; i < BASE64_SIGNATURE - 2; i++) {
		const char *at = strchr(base64, text[i]);
		size_t bit = 6 * i;
		uint32_t v;

		if (at == NULL)
			return false; /* a '=' before the end */
		v = (uint32_t)(at - base64);
		/* Six bits, which may fall into two bytes. */
		v <<= 10 - bit % 8;
		bytes[bit / 8] = (uint8_t)(bytes[bit / 8] | v >> 8);
		bytes[bit / 8 + 1] = (uint8_t)(bytes[bit / 8 + 1] | (v & 0xff));
	}
	memcpy(out, bytes, STORE_SIGNATURE);
	to_base64(again, out, STORE_SIGNATURE);
	return strncmp(again, text, BASE64_SIGNATURE) == 0;
}

/* ---------------------------------------------------------------- what is signed */

void
reqsig_digest_text(char out[REQSIG_DIGEST_SIZE], const uint8_t sum[32])
{
	char text[48];

	to_base64(text, sum, 32);
	snprintf(out, REQSIG_DIGEST_SIZE, "sha-256=:%s:", text);
}

static void
digest_of(char out[REQSIG_DIGEST_SIZE], const void *body, size_t len)
{
	uint8_t sum[32];

	hash_sha256(sum, body, len);
	reqsig_digest_text(out, sum);
}

/* RFC 9421, 2.5: a line for each component, and the parameters without a line's end. */
static void
request_base(struct buf *base, const struct reqsig_request *r, const char *digest,
             const char *params)
{
	buf_printf(base, "\"@method\": %s\n\"@path\": %s\n", r->method, r->path);
	if (r->query[0] != 0)
		buf_printf(base, "\"@query\": ?%s\n", r->query);
	buf_printf(base, "\"content-digest\": %s\n\"@signature-params\": %s", digest, params);
}

static void
reply_base(struct buf *base, const struct reqsig_reply *r, const char *digest, const char *params)
{
	assert(strncmp(r->request_signature, "yz=", 3) == 0); /* the request was proven */
	buf_printf(base, "\"@status\": %d\n\"content-digest\": %s\n\"yz-nonce\": %s\n", r->status,
	           digest, r->next_nonce);
	/* The member of the request's dictionary, without its "yz=". */
	buf_printf(base, "\"signature\";req;key=\"yz\": %s\n\"@signature-params\": %s",
	           r->request_signature + 3, params);
}

static const char *
request_components(const struct reqsig_request *r)
{
	return r->query[0] != 0 ? "(\"@method\" \"@path\" \"@query\" \"content-digest\")"
	                        : "(\"@method\" \"@path\" \"content-digest\")";
}

static void
put_signature(const struct sync_key *key, struct buf *base, struct reqsig_headers *out)
{
	uint8_t signature[STORE_SIGNATURE];
	char text[BASE64_SIGNATURE + 1];

	assert(!base->bad); /* some hundred bytes */
	sync_sign(key, base->bytes, base->len, signature);
	to_base64(text, signature, sizeof signature);
	snprintf(out->signature, sizeof out->signature, "yz=:%s:", text);
	buf_free(base);
}

bool
reqsig_is_nonce(const char *text)
{
	size_t len = strlen(text);

	if (MUT(35))
		return len > 0 && len <= REQSIG_NONCE_MAX;
	return len > 0 && len <= REQSIG_NONCE_MAX && strspn(text, nonce_chars) == len;
}

void
reqsig_sign_request(const struct sync_key *key, const struct reqsig_request *request,
                    int64_t created_s, const char *nonce, struct reqsig_headers *out)
{
	struct buf base = { 0 };
	char keyid[HEX_KEY + 1];

	assert(reqsig_is_nonce(nonce));
	text_hex(keyid, key->public_key, SYNC_PUBLIC_KEY);
	digest_of(out->digest, request->body, request->body_len);
	snprintf(out->input, sizeof out->input,
	         "yz=%s;created=%lld;nonce=\"%s\";keyid=\"%s\";alg=\"ed25519\"",
	         request_components(request), (long long)created_s, nonce, keyid);
	request_base(&base, request, out->digest, out->input + 3);
	put_signature(key, &base, out);
}

void
reqsig_sign_reply(const struct sync_key *key, const struct reqsig_reply *reply, int64_t created_s,
                  struct reqsig_headers *out)
{
	struct buf base = { 0 };

	digest_of(out->digest, reply->body, reply->body_len);
	snprintf(out->input, sizeof out->input, "yz=%s;created=%lld;alg=\"ed25519\"",
	         reply_components, (long long)created_s);
	reply_base(&base, reply, out->digest, out->input + 3);
	put_signature(key, &base, out);
}

/* ---------------------------------------------------------------- checking */

/* A reading point that turns NULL at the first thing that isn't as it must be. */
static void
skip(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (*at != NULL)
		*at = strncmp(*at, text, len) == 0 ? *at + len : NULL;
}

/* Read min to max characters out of `chars`. */
static void
take(const char **at, const char *chars, size_t min, size_t max, char *out)
{
	size_t len = *at == NULL ? 0 : strspn(*at, chars);

	out[0] = 0;
	if (*at == NULL || len < min || len > max) {
		*at = NULL;
		return;
	}
	memcpy(out, *at, len);
	out[len] = 0;
	*at += len;
}

/* Seconds since 1970: up to eleven digits, without a leading zero. */
static int64_t
take_created(const char **at)
{
	char digits[12];
	int64_t value = 0;

	skip(at, ";created=");
	take(at, "0123456789", 1, 11, digits);
	if (*at != NULL && digits[0] == '0')
		*at = NULL;
	for (const char *d = digits; *d != 0; d++)
		value = value * 10 + (*d - '0');
	return value;
}

static bool
ends(const char *at)
{
	return at != NULL && *at == 0;
}

static bool
read_signature(const char *text, uint8_t signature[STORE_SIGNATURE])
{
	char body[BASE64_SIGNATURE + 1];
	char with_end[sizeof base64 + 1];

	snprintf(with_end, sizeof with_end, "%s=", base64);
	skip(&text, "yz=:");
	take(&text, with_end, BASE64_SIGNATURE, BASE64_SIGNATURE, body);
	skip(&text, ":");
	return ends(text) && signature_from_base64(signature, body);
}

/* What both directions have in common. */
static int
check_parts(const struct reqsig_given *given, const void *body, size_t body_len,
            uint8_t signature[STORE_SIGNATURE], struct err *err)
{
	char digest[REQSIG_DIGEST_SIZE];

	if (given->digest == NULL || given->input == NULL || given->signature == NULL)
		return err_set(
		        err, ERR_DENIED,
		        "not signed: Content-Digest, Signature-Input or Signature is missing");
	digest_of(digest, body, body_len);
	if (strcmp(given->digest, digest) != 0)
		return err_set(err, ERR_DENIED, "the body is not the one that was signed");
	if (!read_signature(given->signature, signature))
		return err_set(err, ERR_DENIED, "Signature is not of our form");
	return 0;
}

static int
check_base(struct buf *base, const uint8_t key[SYNC_PUBLIC_KEY],
           const uint8_t signature[STORE_SIGNATURE], struct err *err)
{
	int rc = buf_check(base, err);

	if (rc == 0 && !sync_verify(key, base->bytes, base->len, signature))
		rc = err_set(err, ERR_DENIED, "the signature doesn't hold");
	buf_free(base);
	return rc;
}

int
reqsig_check_request(const struct reqsig_request *request, const struct reqsig_given *given,
                     struct reqsig_signer *signer, struct err *err)
{
	struct buf base = { 0 };
	uint8_t signature[STORE_SIGNATURE];
	char keyid[HEX_KEY + 1];
	const char *at = given->input;
	int rc = check_parts(given, request->body, request->body_len, signature, err);

	if (rc < 0)
		return rc;
	skip(&at, "yz=");
	skip(&at, request_components(request));
	signer->created_s = take_created(&at);
	skip(&at, ";nonce=\"");
	take(&at, nonce_chars, 1, REQSIG_NONCE_MAX, signer->nonce);
	skip(&at, "\";keyid=\"");
	take(&at, "0123456789abcdef", HEX_KEY, HEX_KEY, keyid);
	skip(&at, "\";alg=\"ed25519\"");
	if (!text_unhex(signer->key, SYNC_PUBLIC_KEY, keyid) || !ends(at))
		return err_set(err, ERR_DENIED, "Signature-Input is not of our form");
	request_base(&base, request, given->digest, given->input + 3);
	return check_base(&base, signer->key, signature, err);
}

int
reqsig_check_reply(const uint8_t key[SYNC_PUBLIC_KEY], const struct reqsig_reply *reply,
                   const struct reqsig_given *given, struct err *err)
{
	struct buf base = { 0 };
	uint8_t signature[STORE_SIGNATURE];
	const char *at = given->input;
	int rc = check_parts(given, reply->body, reply->body_len, signature, err);

	if (rc < 0)
		return rc;
	if (reply->next_nonce == NULL)
		return err_set(err, ERR_DENIED, "Yz-Nonce is missing");
	skip(&at, "yz=");
	skip(&at, reply_components);
	take_created(&at);
	skip(&at, ";alg=\"ed25519\"");
	if (!ends(at))
		return err_set(err, ERR_DENIED, "Signature-Input is not of our form");
	reply_base(&base, reply, given->digest, given->input + 3);
	return check_base(&base, key, signature, err);
}

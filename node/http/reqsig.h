/*
 * node/http/reqsig.h - signed requests and replies: one fixed profile of RFC 9421
 * (HTTP Message Signatures) and RFC 9530 (Content-Digest), with Ed25519.
 *
 * A request carries
 *
 *   Content-Digest: sha-256=:<base64>:
 *   Signature-Input: yz=("@method" "@path" "content-digest");created=<s>;
 *                    nonce="<nonce>";keyid="<public key, hex>";alg="ed25519"
 *   Signature: yz=:<base64>:
 *
 * on one line each, with "@query" behind "@path" if there is a query.  The nonce
 * is one that the hub issued, because a node's clock may lie; `created` is for
 * people.  A reply carries the same three headers over
 *
 *   yz=("@status" "content-digest" "yz-nonce" "signature";req;key="yz");
 *      created=<s>;alg="ed25519"
 *
 * and Yz-Nonce, the nonce for the next request.  It covers the request's
 * signature, so no reply can be given for another request; its key isn't named,
 * since only the hub's counts.
 *
 * Whatever differs from this by a byte is refused: other order, other
 * components, other parameters, upper-case hex, base64 that isn't canonical.  No
 * general parser, no negotiation.
 */
#ifndef NODE_REQSIG_H
#define NODE_REQSIG_H

#include "store/base/err.h"
#include "sync/codec/sign.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REQSIG_NONCE_MAX = 32, /* characters of A-Z a-z 0-9 - _ */
	REQSIG_DIGEST_SIZE = 64,
	REQSIG_INPUT_SIZE = 256,
	REQSIG_SIGNATURE_SIZE = 96,
};

/* The three headers' values, as they are sent. */
struct reqsig_headers {
	char digest[REQSIG_DIGEST_SIZE];
	char input[REQSIG_INPUT_SIZE];
	char signature[REQSIG_SIGNATURE_SIZE];
};

/* The same as received; NULL for one that is missing. */
struct reqsig_given {
	const char *digest;
	const char *input;
	const char *signature;
};

struct reqsig_request {
	const char *method;
	const char *path;  /* without escapes: ours need none */
	const char *query; /* as on the line, without "?"; "" if none */
	const void *body;
	size_t body_len;
};

struct reqsig_reply {
	int status;
	const void *body;
	size_t body_len;
	const char *next_nonce;        /* Yz-Nonce */
	const char *request_signature; /* the request's Signature header, as sent */
};

/* The value of a Content-Digest or Repr-Digest header of this SHA-256. */
void reqsig_digest_text(char out[REQSIG_DIGEST_SIZE], const uint8_t sum[32]);

/* Who signed a request. */
struct reqsig_signer {
	uint8_t key[SYNC_PUBLIC_KEY];
	int64_t created_s;
	char nonce[REQSIG_NONCE_MAX + 1];
};

/* May this be a nonce?  Asked of whatever comes over the line, where anybody may have written it.
 */
bool reqsig_is_nonce(const char *text);

/* Sign a request.  `nonce` is what the hub issued last; "0" if none was yet. */
void reqsig_sign_request(const struct sync_key *key, const struct reqsig_request *request,
                         int64_t created_s, const char *nonce, struct reqsig_headers *out);

/*
 * Is it signed by the key it names?  ERR_DENIED if not, with what is wrong.  Whether that key is
 * known and that nonce fresh is the caller's to decide.
 */
MUST_CHECK int reqsig_check_request(const struct reqsig_request *request,
                                    const struct reqsig_given *given, struct reqsig_signer *signer,
                                    struct err *err);

/* Sign a reply. */
void reqsig_sign_reply(const struct sync_key *key, const struct reqsig_reply *reply,
                       int64_t created_s, struct reqsig_headers *out);

/* Is it this key's reply to that request?  ERR_DENIED if not, with what is wrong. */
MUST_CHECK int reqsig_check_reply(const uint8_t key[SYNC_PUBLIC_KEY],
                                  const struct reqsig_reply *reply,
                                  const struct reqsig_given *given, struct err *err);

#endif /* NODE_REQSIG_H */

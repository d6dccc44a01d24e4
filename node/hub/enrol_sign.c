/* node/hub/enrol_sign.c - what a node signs to enrol (node/hub/enrol.h): both sides make the same
 * bytes. */
#include "node/hub/enrol.h"

#include "store/base/buf.h"

#include <string.h>

/* "yizhan-enrol-1" || code (28) || node key (32) || label, facility with length */
static void
signed_bytes(struct buf *out, const struct code *code, const struct enrol_ask *ask)
{
	static const char magic[] = "yizhan-enrol-1";
	char plain[CODE_CHARS + 1];

	code_plain(code, plain);
	buf_put(out, magic, sizeof magic - 1);
	buf_put(out, plain, CODE_CHARS);
	buf_put(out, ask->key, SYNC_PUBLIC_KEY);
	buf_lenbytes(out, ask->label, strlen(ask->label));
	buf_lenbytes(out, ask->facility, strlen(ask->facility));
}

void
enrol_sign(const struct sync_key *node, const struct code *code, struct enrol_ask *ask)
{
	struct buf bytes = { 0 };

	memcpy(ask->key, node->public_key, SYNC_PUBLIC_KEY);
	memset(ask->signature, 0, STORE_SIGNATURE);
	signed_bytes(&bytes, code, ask);
	if (!bytes.bad)
		sync_sign(node, bytes.bytes, bytes.len, ask->signature);
	buf_free(&bytes);
}

bool
enrol_signed(const struct enrol_ask *ask, const struct code *code)
{
	struct buf bytes = { 0 };
	bool good;

	signed_bytes(&bytes, code, ask);
	good = !bytes.bad && sync_verify(ask->key, bytes.bytes, bytes.len, ask->signature);
	buf_free(&bytes);
	return good;
}

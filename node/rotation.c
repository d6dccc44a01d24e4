#include "node/rotation.h"

#include "store/base/buf.h"
#include "store/base/text.h"

#include <string.h>

static const char magic[] = "yizhan-rotation-1";

enum { MAGIC = sizeof magic - 1, SIGNATURES = 2 * STORE_SIGNATURE };

void
rotation_write(struct buf *out, struct rotation *rotation, const struct sync_key *old_key,
               const struct sync_key *new_key)
{
	uint8_t by_old[STORE_SIGNATURE], by_new[STORE_SIGNATURE];
	size_t from = out->len;

	memcpy(rotation->old_key, old_key->public_key, SYNC_PUBLIC_KEY);
	memcpy(rotation->new_key, new_key->public_key, SYNC_PUBLIC_KEY);
	buf_put(out, magic, MAGIC);
	buf_put(out, rotation->node, STORE_NODE_ID);
	buf_put(out, rotation->old_key, SYNC_PUBLIC_KEY);
	buf_put(out, rotation->new_key, SYNC_PUBLIC_KEY);
	buf_varint(out, (uint64_t)rotation->at_ms);
	buf_varint(out, rotation->count);
	for (unsigned i = 0; i < rotation->count; i++) {
		const struct rotation_stream *stream = &rotation->streams[i];

		buf_put(out, stream->epoch, STORE_EPOCH);
		buf_lenbytes(out, stream->scope, strlen(stream->scope));
		buf_varint(out, stream->n);
	}
	if (out->bad)
		return;
	sync_sign(old_key, out->bytes + from, out->len - from, by_old);
	sync_sign(new_key, out->bytes + from, out->len - from, by_new);
	buf_put(out, by_old, sizeof by_old);
	buf_put(out, by_new, sizeof by_new);
}

static void
read_bytes(struct rd *r, uint8_t *out, size_t len)
{
	const uint8_t *bytes = rd_bytes(r, len);

	if (bytes != NULL)
		memcpy(out, bytes, len);
}

static void
read_stream(struct rd *r, struct rotation_stream *stream)
{
	const uint8_t *scope;
	size_t len;

	read_bytes(r, stream->epoch, STORE_EPOCH);
	scope = rd_lenbytes(r, &len);
	if (scope == NULL || len > STORE_SCOPE_MAX || memchr(scope, 0, len) != NULL)
		r->bad = true;
	else
		memcpy(stream->scope, scope, len);
	stream->n = rd_varint(r);
}

static bool
read_fields(struct rd *r, struct rotation *rotation)
{
	uint64_t at, count;

	memset(rotation, 0, sizeof *rotation);
	read_bytes(r, rotation->node, STORE_NODE_ID);
	read_bytes(r, rotation->old_key, SYNC_PUBLIC_KEY);
	read_bytes(r, rotation->new_key, SYNC_PUBLIC_KEY);
	at = rd_varint(r);
	count = rd_varint(r);
	if (at > INT64_MAX || count > ROTATION_STREAMS)
		return false;
	rotation->at_ms = (int64_t)at;
	rotation->count = (unsigned)count;
	for (unsigned i = 0; i < rotation->count && !r->bad; i++)
		read_stream(r, &rotation->streams[i]);
	return rd_done(r);
}

int
rotation_read(const uint8_t *bytes, size_t len, struct rotation *rotation, struct err *err)
{
	struct rd r;
	size_t body;

	if (len > ROTATION_MAX || len < MAGIC + SIGNATURES || memcmp(bytes, magic, MAGIC) != 0)
		return err_set(err, ERR_CORRUPT, "these %zu bytes aren't a rotation", len);
	body = len - SIGNATURES;
	r = rd_from(bytes + MAGIC, body - MAGIC);
	if (!read_fields(&r, rotation))
		return err_set(err, ERR_CORRUPT, "the rotation isn't well-formed");
	if (!sync_verify(rotation->old_key, bytes, body, bytes + body) ||
	    !sync_verify(rotation->new_key, bytes, body, bytes + body + STORE_SIGNATURE))
		return err_set(err, ERR_DENIED, "the rotation isn't signed by both of its keys");
	return 0;
}

void
rotation_chain_add(struct buf *chain, const struct buf *doc)
{
	buf_lenbytes(chain, doc->bytes, doc->len);
}

int
rotation_chain_next(struct rd *chain, struct rotation *rotation, struct err *err)
{
	const uint8_t *doc;
	size_t len;
	int rc;

	if (rd_done(chain))
		return 0;
	doc = rd_lenbytes(chain, &len);
	if (doc == NULL)
		return err_set(err, ERR_CORRUPT, "the chain of keys ends within a document");
	rc = rotation_read(doc, len, rotation, err);
	return rc < 0 ? rc : 1;
}

size_t
rotation_chain_shown(const struct buf *chain)
{
	struct rd r = rd_from(chain->bytes, chain->len);
	size_t from = 0, len;

	while (chain->len - from > ROTATION_SHOWN_MAX && rd_lenbytes(&r, &len) != NULL)
		from = chain->len - r.left;
	return from;
}

size_t
rotation_chain_piece(const struct buf *chain, size_t from)
{
	struct rd r = rd_from(chain->bytes + from, chain->len - from);
	size_t to = from, len;

	while (rd_lenbytes(&r, &len) != NULL && chain->len - r.left - from <= ROTATION_SHOWN_MAX)
		to = chain->len - r.left;
	return to;
}

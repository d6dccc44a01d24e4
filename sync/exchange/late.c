/* sync/exchange/late.c - what a revoked node still sends, at the hub (sync/exchange/exchange.h). */
#include "store/base/rd.h"
#include "store/base/text.h"
#include "store/held.h"
#include "sync/exchange/exchange.h"
#include "sync/exchange/exchange_priv.h"
#include "sync/merge/ingest.h"

#include <string.h>

/* Is it one of its own streams, where it might write? */
static bool
is_its_own(const struct sync_late *late, const struct sync_message *m,
           const struct sync_view_stream *stream)
{
	const struct sync_replica *r = late->r;
	struct store_site site = { 0 };

	memcpy(site.node, m->sites[stream->site].site.node, STORE_NODE_ID);
	memcpy(site.epoch, m->sites[stream->site].site.epoch, STORE_EPOCH);
	return memcmp(site.node, late->peer, STORE_NODE_ID) == 0 && r->might_write != NULL &&
	       r->might_write(r->ctx, &site, m->scopes[stream->scope]);
}

static int
hold_all(struct sync_late *late, const struct sync_message *m, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->segment_count; i++) {
		const struct sync_view_segment *seg = &m->segments[i];
		const struct sync_view_stream *stream = &m->streams[seg->stream];
		struct sync_ingest_from from = { .site = m->sites[stream->site].site,
			                         .scope = m->scopes[stream->scope],
			                         .n = seg->n,
			                         .late = true };
		struct rd bytes = rd_from(seg->bytes, seg->len);
		struct sync_ingested in = { 0 };

		if (is_its_own(late, m, stream))
			rc = sync_ingest_short(late->r, &from, &bytes, &in, err);
		else
			text_copy(in.reason, sizeof in.reason,
			          "it is of a stream that the node might not write");
		if (in.reason[0] != 0)
			text_copy(late->why, sizeof late->why, in.reason);
	}
	return rc;
}

static int
hold_in(struct sync_late *late, const struct sync_message *m, struct err *err)
{
	int64_t before = 0, after = 0;
	int rc = store_held_bytes(late->r->db, late->peer, 0, &before, err);

	if (rc == 0)
		rc = hold_all(late, m, err);
	if (rc == 0)
		rc = store_held_bytes(late->r->db, late->peer, 0, &after, err);
	late->bytes = after - before;
	return rc;
}

int
sync_exchange_late(struct sync_late *late, const uint8_t *request, size_t len, struct err *err)
{
	struct store_site self = late->r->self;
	struct sync_message m;
	struct arena a = { 0 };
	int rc = sync_message_read(request, len, false, &a, &m, err);

	late->bytes = 0;
	late->why[0] = 0;
	if (rc == 0 && memcmp(m.self.node, late->peer, STORE_NODE_ID) != 0)
		rc = err_set(err, ERR_DENIED,
		             "the message names another node than the one that signed the request");
	if (rc < 0 || m.segment_count == 0)
		goto out;
	rc = sync_ingest_begin(late->r, err);
	if (rc < 0)
		goto out;
	rc = hold_in(late, &m, err);
	if (rc == 0)
		rc = sync_ingest_end(late->r, err);
	else
		sync_ingest_abort(late->r);
	if (rc < 0)
		late->r->self = self;
out:
	arena_free(&a);
	return rc;
}

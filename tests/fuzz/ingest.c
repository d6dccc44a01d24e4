/*
 * tests/fuzz/ingest.c - any records, proven and signed, into a hub's database:
 * refused and nothing has changed, or taken once, rows and digests in agreement.
 *
 * Input: number of records (2 bytes, little endian), raw body.  Packing, chain
 * and signature are made here, so that the fuzzer reaches the merge behind them.
 */
#include "sync/merge/ingest.h"
#include "store/base/hash.h"
#include "sync/codec/segment.h"
#include "tests/fuzz/peer.h"

#include <string.h>

enum { LIMIT = 8 << 20, BLOCK_MAX = 1 << 17 };

static const uint8_t day_seed[STORE_SEED] = { 9 };

/* Packed without effort: one block as it is, which costs the fuzzer no time (sync/codec/pack.h). */
static void
pack_plain(const uint8_t *raw, size_t len, struct buf *out)
{
	uint8_t start[8] = { 0 };

	start[5] = (uint8_t)(len << 3 | 1);
	start[6] = (uint8_t)(len >> 5);
	start[7] = (uint8_t)(len >> 13);
	buf_put(out, start, sizeof start);
	buf_put(out, raw, len);
	help_mend_pack(out->bytes, out->len);
}

/* The segment of these records in its whole form, as the node would sign it. */
static void
make_segment(const uint8_t *raw, size_t len, size_t count, struct buf *out)
{
	struct help_schemas known = { .arena = { .limit = LIMIT } };
	struct sync_codec_schemas schemas = help_schemas_of(&known);
	struct store_segment seg = { .first = 1, .last = count, .is_signed = true };
	struct sync_key key = help_key(1);
	struct sync_site site = { .epoch = { 5 } };
	struct buf seeds = { 0 }, body = { 0 };
	struct arena a = { .limit = LIMIT };
	struct sync_record *records;
	struct err err;

	sync_node_id(site.node, key.public_key);
	memcpy(seg.key, key.public_key, sizeof seg.key);
	sync_seeds_write_one(&seeds, day_seed);
	pack_plain(raw, len, &body);
	seg.seeds = seeds.bytes;
	seg.seeds_len = seeds.len;
	seg.raw_len = (uint32_t)len;
	seg.body = body.bytes;
	seg.body_len = body.len;
	/* what doesn't decode is delivered all the same, with a head that it hasn't */
	if (sync_segment_prove(&seg, &schemas, &a, &records, &count, &err) < 0)
		memset(seg.head, 1, sizeof seg.head);
	sync_sign_head(&key, &site, "f/F1", seg.last, seg.head, seg.signature);
	sync_segment_write(out, &seg, &site, "f/F1");
	buf_free(&seeds);
	buf_free(&body);
	arena_free(&a);
	arena_free(&known.arena);
}

static struct sync_ingested
deliver(struct peer *hub, const struct buf *segment)
{
	struct rd r = rd_from(segment->bytes, segment->len);
	struct sync_ingested got;
	struct err err;
	int rc = sync_ingest_full(&hub->node.r, &r, true, &got, &err);

	HOLDS(rc == 0);
	HOLDS(got.outcome != SYNC_REFUSED || got.reason[0] != 0);
	return got;
}

static void
check(struct peer *hub, const struct buf *segment, size_t count, int64_t before)
{
	struct sync_ingested first, again;

	first = deliver(hub, segment);
	if (first.outcome != SYNC_STORED) {
		HOLDS(first.outcome == SYNC_REFUSED || first.outcome == SYNC_KNOWN);
		HOLDS(peer_rows(hub) == before);
		return;
	}
	/* a change may be both: merged in part, or into cells that the table here can't hold */
	HOLDS(first.n <= count && first.changes <= (int64_t)count &&
	      first.kept_aside <= (int64_t)count);
	HOLDS(peer_is_sound(hub));
	again = deliver(hub, segment);
	HOLDS(again.outcome == SYNC_KNOWN && again.n == first.n && again.changes == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct peer hub;
	struct buf segment = { 0 };
	struct err err;
	size_t count;
	int64_t before;

	if (hub.db == NULL)
		peer_open(&hub, true);
	if (size < 3 || size > BLOCK_MAX)
		return 0;
	count = (size_t)(data[0] | data[1] << 8);
	if (count == 0)
		return 0;
	make_segment(data + 2, size - 2, count, &segment);
	HOLDS(sync_ingest_begin(&hub.node.r, &err) == 0);
	before = peer_rows(&hub);
	check(&hub, &segment, count, before);
	sync_ingest_abort(&hub.node.r);
	HOLDS(peer_rows(&hub) == before);
	buf_free(&segment);
	return 0;
}

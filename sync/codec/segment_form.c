/*
 * sync/codec/segment_form.c - a segment as bytes: whole, or what a receiver can't know.
 *
 * Whole (file of the archive, bundle):
 *
 *    0  "yzs1"
 *    4  site: node (16), epoch (8)
 *   28  scope with length · varint first · varint records - 1
 *       head before (32) · head (32)
 *       u8 signed; if 1: signature (64) · key (32)
 *       seeds with length (sync/codec/chain.h)
 *       varint raw length · body with length (sync/codec/pack.h)
 *       check (8): the first bytes of BLAKE2b-128 over all of the above
 *
 * The check is against damage, so that a bad stick is told from a bad peer; what
 * proves a segment is its signed head.
 *
 * Short (wire), to a receiver that stands at the record before:
 *
 *    0  u8 1 if seeds follow, 0 if they are the one day seed that the receiver has
 *    1  varint records - 1 · signature (64) · seeds with length, if so
 *       varint raw length · body with length
 */
#include "store/base/hash.h"
#include "sync/codec/segment.h"

#include <assert.h>
#include <string.h>

enum { MAGIC = 4, CHECK = 8, SEEDS_FOLLOW = 1, SEEDS_MAX = (SYNC_RECORDS_MAX + 1) * STORE_SEED };

static const uint8_t magic[MAGIC] = { 'y', 'z', 's', '1' };

static void
checksum(const uint8_t *bytes, size_t len, uint8_t out[CHECK])
{
	uint8_t hash[HASH_16];

	hash_once(hash, sizeof hash, bytes, len);
	memcpy(out, hash, CHECK);
}

void
sync_segment_write(struct buf *out, const struct store_segment *seg, const struct sync_site *site,
                   const char *scope)
{
	size_t start = out->len;
	uint8_t check[CHECK];

	buf_put(out, magic, MAGIC);
	buf_put(out, site->node, STORE_NODE_ID);
	buf_put(out, site->epoch, STORE_EPOCH);
	buf_lenbytes(out, scope, strlen(scope));
	buf_varint(out, seg->first);
	buf_varint(out, seg->last - seg->first);
	buf_put(out, seg->head_before, STORE_HEAD);
	buf_put(out, seg->head, STORE_HEAD);
	buf_u8(out, seg->is_signed);
	if (seg->is_signed) {
		buf_put(out, seg->signature, STORE_SIGNATURE);
		buf_put(out, seg->key, sizeof seg->key);
	}
	buf_lenbytes(out, seg->seeds, seg->seeds_len);
	buf_varint(out, seg->raw_len);
	buf_lenbytes(out, seg->body, seg->body_len);
	if (out->bad)
		return;
	checksum(out->bytes + start, out->len - start, check);
	buf_put(out, check, CHECK);
}

void
sync_segment_write_short(struct buf *out, const struct store_segment *seg,
                         const uint8_t *known_seed)
{
	struct sync_seeds seeds =
	        sync_seeds_from(seg->seeds, seg->seeds_len, seg->first, seg->last);
	bool known = known_seed != NULL && sync_seeds_next(&seeds) && seeds.runs == 0 &&
	             seeds.run.form == SYNC_SEEDS_DAY &&
	             memcmp(seeds.run.bytes, known_seed, STORE_SEED) == 0;

	assert(seg->is_signed);
	buf_u8(out, known ? 0 : SEEDS_FOLLOW);
	buf_varint(out, seg->last - seg->first);
	buf_put(out, seg->signature, STORE_SIGNATURE);
	if (!known)
		buf_lenbytes(out, seg->seeds, seg->seeds_len);
	buf_varint(out, seg->raw_len);
	buf_lenbytes(out, seg->body, seg->body_len);
}

/* ---- reading ---- */

static void
read_bytes(struct rd *r, void *out, size_t len)
{
	const uint8_t *bytes = rd_bytes(r, len);

	if (bytes != NULL)
		memcpy(out, bytes, len);
}

/* `records - 1` after `before`; nothing may run over. */
static void
read_span(struct rd *r, uint64_t before, struct store_segment *out)
{
	uint64_t more = rd_varint(r);

	if (more >= SYNC_RECORDS_MAX || before > INT64_MAX - SYNC_RECORDS_MAX) {
		r->bad = true;
		return;
	}
	out->first = before + 1;
	out->last = out->first + more;
}

static void
read_body(struct rd *r, struct store_segment *out)
{
	uint64_t raw_len = rd_varint(r);

	out->body = rd_lenbytes(r, &out->body_len);
	if (raw_len > SYNC_RAW_MAX || out->body_len > SYNC_STORED_MAX)
		r->bad = true;
	out->raw_len = r->bad ? 0 : (uint32_t)raw_len;
}

static void
read_seeds(struct rd *r, struct store_segment *out)
{
	out->seeds = rd_lenbytes(r, &out->seeds_len);
	if (out->seeds_len > SEEDS_MAX)
		r->bad = true;
}

static void
read_signature(struct rd *r, struct store_segment *out)
{
	uint8_t is_signed = rd_u8(r);

	if (is_signed > 1)
		r->bad = true;
	out->is_signed = is_signed == 1;
	if (!out->is_signed)
		return;
	read_bytes(r, out->signature, STORE_SIGNATURE);
	read_bytes(r, out->key, sizeof out->key);
}

static bool
check_holds(struct rd *r, const uint8_t *start)
{
	uint8_t want[CHECK];
	size_t len = (size_t)(r->at - start);
	const uint8_t *got = rd_bytes(r, CHECK);

	if (got == NULL)
		return false;
	checksum(start, len, want);
	return memcmp(got, want, CHECK) == 0;
}

int
sync_segment_read(struct rd *r, struct arena *a, struct store_segment *out, struct sync_site *site,
                  const char **scope, struct err *err)
{
	const uint8_t *start = r->at, *mark = rd_bytes(r, MAGIC), *name;
	size_t scope_len;
	uint64_t first;

	*out = (struct store_segment){ 0 };
	if (mark == NULL || memcmp(mark, magic, MAGIC) != 0)
		return err_set(err, ERR_CORRUPT, "this is no segment");
	read_bytes(r, site->node, STORE_NODE_ID);
	read_bytes(r, site->epoch, STORE_EPOCH);
	name = rd_lenbytes(r, &scope_len);
	first = rd_varint(r);
	read_span(r, first - 1, out);
	read_bytes(r, out->head_before, STORE_HEAD);
	read_bytes(r, out->head, STORE_HEAD);
	read_signature(r, out);
	read_seeds(r, out);
	read_body(r, out);
	if (r->bad || !check_holds(r, start))
		return err_set(err, ERR_CORRUPT, "segment is damaged or not complete");
	if (scope_len > STORE_SCOPE_MAX || memchr(name, 0, scope_len) != NULL)
		return err_set(err, ERR_CORRUPT, "segment: its scope is no name");
	*scope = arena_copy(a, name, scope_len);
	return *scope == NULL ? err_set(err, ERR_NOMEM, "segment: out of memory") : 0;
}

int
sync_segment_read_short(struct rd *r, const struct sync_segment_at *at, const uint8_t *known_seed,
                        struct arena *a, struct store_segment *out, struct err *err)
{
	struct buf seeds = { 0 };
	uint8_t flags = rd_u8(r);

	*out = (struct store_segment){ .is_signed = true };
	memcpy(out->head_before, at->head, STORE_HEAD);
	read_span(r, at->n, out);
	read_bytes(r, out->signature, STORE_SIGNATURE);
	if (flags == SEEDS_FOLLOW)
		read_seeds(r, out);
	read_body(r, out);
	if (r->bad || flags > SEEDS_FOLLOW)
		return err_set(err, ERR_CORRUPT, "segment is damaged or not complete");
	if (flags == SEEDS_FOLLOW)
		return 0;
	if (known_seed == NULL)
		return err_set(err, ERR_CORRUPT, "segment leaves out a seed that isn't known here");
	sync_seeds_write_one(&seeds, known_seed);
	out->seeds = seeds.bad ? NULL : arena_copy(a, seeds.bytes, seeds.len);
	out->seeds_len = seeds.len;
	buf_free(&seeds);
	return out->seeds == NULL ? err_set(err, ERR_NOMEM, "segment: out of memory") : 0;
}

/*
 * sync/archive/archive_walk.c - hold a stream's segments, wherever they come from,
 * against what was signed about them.
 *
 * Heads inside a segment are found by hashing its records again: a roll-up has
 * made one segment of a day whose hours are in the proof.
 */
#include "sync/archive/archive_priv.h"

#include <string.h>

/* ---------------------------------------------------------------- schemas */

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	struct sync_archive_schemas *s = ctx;
	int schema = 0;

	if (store_stream_schema(s->db, s->stream, (int)no, &schema, err) < 0)
		return NULL;
	return store_catalog_schema(s->db, schema);
}

/* What a stream of this database defines was learnt when it was written. */
static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	(void)ctx;
	(void)def;
	(void)err;
	return 0;
}

struct sync_codec_schemas
sync_archive_schemas_of(struct sync_archive_schemas *s)
{
	return (struct sync_codec_schemas){ .resolve = resolve, .define = define, .ctx = s };
}

/* ---------------------------------------------------------------- walk */

static int
wrong(const struct sync_archive_walk *w, uint64_t n, const char *what, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "%s, record %llu: %s", w->scope, (unsigned long long)n,
	               what);
}

/* The bytes that stand for a record in the chain. */
static bool
leaf_of(const struct sync_record *record, struct sync_seeds *seeds, uint64_t n, struct buf *scratch,
        uint8_t leaf[STORE_HEAD])
{
	uint8_t salt[STORE_SEED];

	if (!sync_seeds_salt(seeds, n, salt))
		return false;
	if (record->type == SYNC_REDACTED) {
		memcpy(leaf, record->leaf, STORE_HEAD);
		return true;
	}
	buf_clear(scratch);
	sync_record_write(scratch, record);
	sync_chain_leaf(salt, scratch->bytes, scratch->len, leaf);
	return !scratch->bad;
}

static int
meet(struct sync_archive_walk *w, uint64_t n, const uint8_t head[STORE_HEAD], struct err *err)
{
	while (w->due_next < w->due_count && w->due[w->due_next]->n == n)
		if (memcmp(w->due[w->due_next++]->head, head, STORE_HEAD) != 0)
			return wrong(w, n, "the proof has another head there", err);
	return 0;
}

/* Hash along the records up to the last head that is due before the segment's end. */
static int
meet_inside(struct sync_archive_walk *w, const struct store_segment *seg,
            const struct sync_record *records, struct err *err)
{
	struct sync_seeds seeds =
	        sync_seeds_from(seg->seeds, seg->seeds_len, seg->first, seg->last);
	struct buf scratch = { 0 };
	uint8_t head[STORE_HEAD], leaf[STORE_HEAD];
	int rc = 0;

	memcpy(head, seg->head_before, STORE_HEAD);
	for (uint64_t n = seg->first;
	     rc == 0 && w->due_next < w->due_count && w->due[w->due_next]->n < seg->last; n++) {
		if (!leaf_of(&records[n - seg->first], &seeds, n, &scratch, leaf)) {
			rc = wrong(w, n, "no leaf can be made of it", err);
			break;
		}
		sync_chain_step(head, leaf);
		rc = meet(w, n, head, err);
	}
	buf_free(&scratch);
	return rc;
}

bool
sync_archive_walk_knows(const struct sync_archive_check *keys, const struct sync_site *site,
                        const uint8_t key[SYNC_PUBLIC_KEY])
{
	uint8_t node[STORE_NODE_ID];

	if (keys == NULL)
		return true;
	if (keys->is_key != NULL)
		return keys->is_key(keys->ctx, site, key);
	sync_node_id(node, key);
	return memcmp(node, site->node, sizeof node) == 0;
}

static int
check_frame(const struct sync_archive_walk *w, const struct store_segment *seg, struct err *err)
{
	if (seg->first != w->n + 1 || seg->last < seg->first)
		return wrong(w, w->n + 1, "the next segment begins elsewhere", err);
	if (memcmp(seg->head_before, w->head, STORE_HEAD) != 0)
		return wrong(w, seg->first, "the segment doesn't follow the one before it", err);
	if (!seg->is_signed ||
	    !sync_verify_head(seg->key, &w->site, w->scope, seg->last, seg->head, seg->signature))
		return wrong(w, seg->last, "the signature of the segment's head does not verify",
		             err);
	if (!sync_archive_walk_knows(w->keys, &w->site, seg->key))
		return wrong(w, seg->last, "it is signed by a key that isn't this node's", err);
	return 0;
}

int
sync_archive_walk_next(struct sync_archive_walk *w, const struct store_segment *seg,
                       struct err *err)
{
	struct sync_codec_schemas schemas = sync_archive_schemas_of(&w->schemas);
	struct arena a = { .limit = SYNC_ARENA_MAX };
	struct sync_record *records;
	size_t count;
	int rc;

	rc = check_frame(w, seg, err);
	if (rc == 0)
		rc = sync_segment_open(seg, &schemas, &a, &records, &count, err);
	if (rc == 0)
		rc = meet_inside(w, seg, records, err);
	if (rc == 0)
		rc = meet(w, seg->last, seg->head, err);
	if (rc == 0) {
		w->n = seg->last;
		memcpy(w->head, seg->head, STORE_HEAD);
	}
	arena_free(&a);
	return rc;
}

static int
walk_one(struct sync_archive_walk *w, struct rd *r, struct arena *a, struct err *err)
{
	struct store_segment seg;
	struct sync_site site;
	const char *scope;
	int rc;

	rc = sync_segment_read(r, a, &seg, &site, &scope, err);
	if (rc < 0)
		return rc;
	if (memcmp(&site, &w->site, sizeof site) != 0 || strcmp(scope, w->scope) != 0)
		return wrong(w, seg.first, "a segment of another stream stands here", err);
	if (w->n == 0 && w->anywhere) {
		w->n = seg.first - 1;
		memcpy(w->head, seg.head_before, STORE_HEAD);
	}
	return sync_archive_walk_next(w, &seg, err);
}

int
sync_archive_walk_file(struct sync_archive_walk *w, const struct buf *bytes, struct err *err)
{
	struct rd r = rd_from(bytes->bytes, bytes->len);
	struct arena a = { .limit = SYNC_ARENA_MAX };
	int rc = 0;

	while (rc == 0 && r.left > 0)
		rc = walk_one(w, &r, &a, err);
	arena_free(&a);
	return rc;
}

int
sync_archive_walk_end(const struct sync_archive_walk *w, struct err *err)
{
	if (w->due_next < w->due_count)
		return wrong(w, w->due[w->due_next]->n, "the proof covers it and it isn't there",
		             err);
	return 0;
}

#include "sync/reader.h"

#include <string.h>

struct schemas {
	struct store_db *db;
	int stream;
};

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	struct schemas *s = ctx;
	int id = 0;

	if (no > INT32_MAX || store_stream_schema(s->db, s->stream, (int)no, &id, err) < 0 ||
	    id == 0)
		return NULL;
	return store_catalog_schema(s->db, id);
}

/* What a kept segment defines was registered when it was taken. */
static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	struct err why = { 0 };

	if (resolve(ctx, def->no, &why) != NULL)
		return 0;
	if (why.code != 0)
		return err_set(err, why.code, "%s", why.msg);
	return err_set(err, ERR_CORRUPT, "schema %u of the stream is not known any more", def->no);
}

int
sync_reader_open(struct store_db *db, const struct store_stream *stream, uint64_t n,
                 struct arena *a, struct sync_reader *out, struct err *err)
{
	struct schemas ctx = { db, stream->id };
	struct sync_codec_schemas schemas = { resolve, define, &ctx };
	int rc = store_segment_at(db, stream->id, n, a, &out->seg, err);

	if (rc == 0 && out->seg.first > n) /* it is the first after a gap */
		rc = err_set(err, ERR_CORRUPT, "its segment is missing");
	if (rc == 0)
		rc = sync_segment_open(&out->seg, &schemas, a, &out->records, &out->count, err);
	if (rc < 0)
		return err_wrap(err, "record %llu of scope %s", (unsigned long long)n,
		                store_catalog_scope_of(db, stream->scope));
	return 0;
}

/* The head after record n, which lies inside a segment or at its end. */
static int
cut_head(struct store_db *db, const struct store_stream *stream, uint64_t n,
         uint8_t head[STORE_HEAD], struct err *err)
{
	struct store_segment seg;
	struct sync_reader kept;
	struct arena a = { 0 };
	int rc = store_segment_at(db, stream->id, n, &a, &seg, err);

	if (rc == 0 && seg.first == n + 1) {
		memcpy(head, seg.head_before, STORE_HEAD); /* its own is missing */
	} else if (rc == 0 && seg.last == n) {
		memcpy(head, seg.head, STORE_HEAD);
	} else if (rc == 0) {
		rc = sync_reader_open(db, stream, n, &a, &kept, err);
		if (rc == 0)
			rc = sync_segment_head(&kept.seg, kept.records,
			                       (size_t)(n - kept.seg.first) + 1, head, err);
	}
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "record %llu held here", (unsigned long long)n) : 0;
}

int
sync_reader_head(struct store_db *db, const struct store_stream *stream, uint64_t n,
                 uint8_t head[STORE_HEAD], struct err *err)
{
	if (n > 0 && n < stream->n)
		return cut_head(db, stream, n, head, err);
	memset(head, 0, STORE_HEAD);
	if (n > 0)
		memcpy(head, stream->head, STORE_HEAD);
	return 0;
}

struct tally {
	int64_t count;
	int64_t oldest_ms; /* 0: none */
};

/* Count the changes among a segment's records after `from` up to `to`. */
static void
count_changes(const struct sync_reader *r, uint64_t from, uint64_t to, struct tally *tally)
{
	for (size_t i = 0; i < r->count; i++) {
		int64_t at = STORE_STAMP_MS(r->records[i].change.stamp);
		uint64_t n = r->seg.first + i;

		if (n <= from || n > to || r->records[i].type != SYNC_CHANGE)
			continue;
		tally->count++;
		if (tally->oldest_ms == 0 || at < tally->oldest_ms)
			tally->oldest_ms = at;
	}
}

static int
count_records(struct store_db *db, const struct store_stream *stream, uint64_t from, uint64_t to,
              struct tally *tally, struct err *err)
{
	uint64_t n = from + 1;
	int rc = 0;

	while (rc == 0 && n <= to) {
		struct arena a = { .limit = SYNC_ARENA_MAX };
		struct sync_reader r;

		rc = sync_reader_open(db, stream, n, &a, &r, err);
		if (rc == 0) {
			count_changes(&r, from, to, tally);
			n = r.seg.last + 1;
		}
		arena_free(&a);
	}
	return rc;
}

int
sync_reader_changes(struct store_db *db, const struct store_stream *stream, uint64_t from,
                    uint64_t to, int64_t *count, struct err *err)
{
	struct tally tally = { 0 };
	int rc = count_records(db, stream, from, to, &tally, err);

	*count = tally.count;
	return rc;
}

int
sync_reader_waiting(struct store_db *db, const uint8_t node[STORE_NODE_ID],
                    const uint8_t *hub_epoch, int64_t *count, int64_t *oldest_ms, struct err *err)
{
	struct tally tally = { 0 };
	struct store_stream *list;
	struct arena a = { 0 };
	size_t streams = 0;
	int rc = store_stream_list(db, 0, &a, &list, &streams, err);

	for (size_t i = 0; rc == 0 && i < streams; i++) {
		const struct store_site *by = store_catalog_site_of(db, list[i].site);
		uint64_t acked = 0;

		if (memcmp(by->node, node, STORE_NODE_ID) != 0)
			continue;
		if (hub_epoch != NULL)
			rc = store_stream_acked(db, list[i].id, hub_epoch, &acked, err);
		if (rc == 0)
			rc = count_records(db, &list[i], acked, list[i].n, &tally, err);
	}
	arena_free(&a);
	*count = tally.count;
	*oldest_ms = tally.oldest_ms;
	return rc;
}

#include "sync/outgoing.h"
#include "sync/segment.h"

#include <string.h>

enum {
	JOIN_SEGMENTS = 1024,
	JOIN_RECORDS = 40000,
	JOIN_BYTES = 600 * 1024, /* of stored bodies: below SYNC_STORED_MAX also when they compress
	                            no better together */
	JOIN_RAW = 6 << 20,
};

/* The stream's own schemas, for decoding what is cut anew. */
struct names {
	struct store_db *db;
	int stream;
};

static const struct store_schema *
resolve(void *ctx, unsigned no)
{
	struct names *names = ctx;
	struct err err;
	int id = 0;

	if (no > INT32_MAX ||
	    store_stream_schema(names->db, names->stream, (int)no, &id, &err) < 0 || id == 0)
		return NULL;
	return store_catalog_schema(names->db, id);
}

/* Definitions inside are known already. */
static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	if (resolve(ctx, def->no) == NULL)
		return err_set(err, ERR_CORRUPT, "schema %u of stream %d is not registered",
		               def->no, ((struct names *)ctx)->stream);
	return 0;
}

struct run {
	struct store_segment segs[JOIN_SEGMENTS];
	size_t count;
	uint64_t records;
	size_t bytes, raw;
	size_t last_signed; /* segments up to the last signed one */
};

/* Collect segments from `from` + 1 on; `day` limits them to one day (-1: any). */
static int
collect(struct store_db *db, int stream, uint64_t from, int day, struct arena *a, struct run *run,
        struct err *err)
{
	uint64_t n = from + 1;
	int rc = 0;

	run->count = run->last_signed = 0;
	run->records = run->bytes = run->raw = 0;
	while (run->count < JOIN_SEGMENTS) {
		struct store_segment *seg = &run->segs[run->count];

		rc = store_segment_at(db, stream, n, a, seg, err);
		if (rc < 0 || (day >= 0 && seg->day != day))
			break;
		run->records += seg->last - n + 1;
		run->bytes += seg->body_len;
		run->raw += seg->raw_len;
		if (run->count > 0 &&
		    (run->records > JOIN_RECORDS || run->bytes > JOIN_BYTES || run->raw > JOIN_RAW))
			break;
		run->count++;
		if (seg->is_signed)
			run->last_signed = run->count;
		n = seg->last + 1;
	}
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
cut(struct store_db *db, int stream, const struct run *run, uint64_t from, struct arena *a,
    struct store_segment *out, struct err *err)
{
	struct names names = { .db = db, .stream = stream };
	struct sync_codec_schemas schemas = { .resolve = resolve, .define = define, .ctx = &names };
	struct sync_segment_line line = {
		.segs = run->segs,
		.count = run->last_signed,
		.from = from + 1,
		.to = run->segs[run->last_signed - 1].last,
	};

	if (run->last_signed == 1 && run->segs[0].first == from + 1) {
		*out = run->segs[0];
		return 0;
	}
	return sync_segment_cut(&line, &schemas, a, out, err);
}

int
sync_outgoing_next(struct store_db *db, const struct store_stream *stream, uint64_t from,
                   struct buf *out, uint64_t *to, struct err *err)
{
	struct arena a = { 0 };
	struct run *run = arena_take(&a, 1, sizeof *run);
	struct store_segment seg;
	struct buf bytes = { 0 };
	int rc;

	*to = from;
	if (run == NULL)
		return err_set(err, ERR_NOMEM, "sync: out of memory");
	rc = collect(db, stream->id, from, -1, &a, run, err);
	if (rc == 0 && run->last_signed > 0) {
		rc = cut(db, stream->id, run, from, &a, &seg, err);
		if (rc == 0) {
			sync_segment_write_short(&bytes, &seg, NULL);
			buf_lenbytes(out, bytes.bytes, bytes.len);
			if (bytes.bad)
				out->bad = true;
			*to = seg.last;
		}
	}
	buf_free(&bytes);
	arena_free(&a);
	return rc;
}

int
sync_outgoing_roll_up(struct store_db *db, const struct store_stream *stream, int day,
                      int64_t *joined, struct err *err)
{
	struct arena a = { 0 };
	struct run *run;
	uint64_t from = 0;
	int rc = 0;

	*joined = 0;
	while (rc == 0 && from < stream->n) {
		struct store_segment seg;

		arena_free(&a);
		run = arena_take(&a, 1, sizeof *run);
		if (run == NULL)
			return err_set(err, ERR_NOMEM, "roll-up: out of memory");
		rc = store_segment_at(db, stream->id, from + 1, &a, &seg, err);
		if (rc < 0 || seg.day >= day)
			break;
		rc = collect(db, stream->id, from, seg.day, &a, run, err);
		if (rc == 0 && run->last_signed > 1) {
			rc = cut(db, stream->id, run, from, &a, &seg, err);
			seg.stream = stream->id;
			if (rc == 0)
				rc = store_segment_replace(db, &seg, err);
			*joined += (int64_t)run->last_signed;
		}
		from = run->count == 0
		               ? stream->n
		               : run->segs[(run->last_signed > 0 ? run->last_signed : run->count) -
		                           1]
		                         .last;
	}
	arena_free(&a);
	return rc;
}

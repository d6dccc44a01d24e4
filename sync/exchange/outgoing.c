#include "sync/exchange/outgoing.h"
#include "sync/codec/pack.h"
#include "sync/codec/segment.h"

#include <string.h>

enum {
	JOIN_SEGMENTS = 1024,
	JOIN_RECORDS = 40000,
	JOIN_BYTES = 600 * 1024, /* of stored bodies: below SYNC_STORED_MAX also when they compress
	                            no better together */
	JOIN_RAW = 6 << 20,
};

/* Segments of one stream that follow each other, to be sent or kept as one. */
struct run {
	struct store_db *db;
	int stream;
	struct arena *a;
	uint64_t from; /* records up to here are left out */
	struct store_segment *segs;
	size_t count, room;
	uint64_t records;
	size_t bytes, raw;
	size_t last_signed; /* segments up to the last signed one */
	bool least;         /* stop at the first signed one */
};

static struct run *
run_new(struct store_db *db, const struct store_stream *stream, uint64_t from, struct arena *a)
{
	struct run *run = arena_take(a, 1, sizeof *run);

	if (run != NULL) {
		run->db = db;
		run->stream = stream->id;
		run->a = a;
		run->from = from;
	}
	return run;
}

/* The stream's own schemas, for decoding what is cut anew. */
static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	const struct run *run = ctx;
	int id = 0;

	if (no > INT32_MAX || store_stream_schema(run->db, run->stream, (int)no, &id, err) < 0 ||
	    id == 0)
		return NULL;
	return store_catalog_schema(run->db, id);
}

/* Definitions inside are known already. */
static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	struct err why = { 0 };

	if (resolve(ctx, def->no, &why) != NULL)
		return 0;
	if (why.code != 0)
		return err_set(err, why.code, "%s", why.msg);
	return err_set(err, ERR_CORRUPT, "schema %u of stream %d is not registered", def->no,
	               ((const struct run *)ctx)->stream);
}

/* Most runs are of a few segments: room for all that a run may have would be a quarter MiB of zeros
 * for each of them. */
static int
make_room(struct run *run, struct err *err)
{
	size_t room = run->room == 0 ? 8 : 2 * run->room;
	struct store_segment *more;

	if (run->count < run->room)
		return 0;
	more = arena_take(run->a, room, sizeof *more);
	if (more == NULL)
		return err_set(err, ERR_NOMEM, "sync: out of memory");
	if (run->count > 0)
		memcpy(more, run->segs, run->count * sizeof *more);
	run->segs = more;
	run->room = room;
	return 0;
}

/* The segment that begins at or holds record n, in the next free place. */
static int
read_next(struct run *run, uint64_t n, struct store_segment **seg, struct err *err)
{
	int rc = make_room(run, err);

	*seg = &run->segs[run->count];
	return rc == 0 ? store_segment_at(run->db, run->stream, n, run->a, *seg, err) : rc;
}

/* Collect segments from `from` + 1 on; `day` limits them to one day (-1: any). */
static int
collect(struct run *run, int day, struct err *err)
{
	uint64_t n = run->from + 1;
	int rc = 0;

	while (run->count < JOIN_SEGMENTS) {
		struct store_segment *seg;

		rc = read_next(run, n, &seg, err);
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
		if (seg->is_signed && run->least)
			break;
		n = seg->last + 1;
	}
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* The signed ones among them, as one segment that begins after `from`. */
static int
cut(struct run *run, struct store_segment *out, struct err *err)
{
	struct sync_codec_schemas schemas = { .resolve = resolve, .define = define, .ctx = run };
	struct sync_segment_line line = {
		.segs = run->segs,
		.count = run->last_signed,
		.from = run->from + 1,
		.to = run->segs[run->last_signed - 1].last,
	};

	/* What goes out as it is was not looked into; what has rotted must not. */
	if (run->last_signed == 1 && run->segs[0].first == run->from + 1) {
		*out = run->segs[0];
		return sync_pack_check(out->body, out->body_len, err);
	}
	return sync_segment_cut(&line, &schemas, run->a, out, err);
}

/* Collect, cut and write what follows `run->from`. */
static int
write_next(struct run *run, struct buf *out, uint64_t *to, struct err *err)
{
	struct store_segment seg;
	struct buf bytes = { 0 };
	int rc = collect(run, -1, err);

	if (rc < 0 || run->last_signed == 0)
		return rc;
	rc = cut(run, &seg, err);
	if (rc == 0) {
		sync_segment_write_short(&bytes, &seg, NULL);
		buf_lenbytes(out, bytes.bytes, bytes.len);
		if (bytes.bad)
			out->bad = true;
		*to = seg.last;
	}
	buf_free(&bytes);
	return rc;
}

int
sync_outgoing_next(struct store_db *db, const struct store_stream *stream, uint64_t from,
                   struct buf *out, uint64_t *to, struct err *err)
{
	struct arena a = { 0 };
	struct run *run = run_new(db, stream, from, &a);
	int rc;

	*to = from;
	if (run == NULL)
		return err_set(err, ERR_NOMEM, "sync: out of memory");
	rc = write_next(run, out, to, err);
	arena_free(&a);
	return rc;
}

int
sync_outgoing_least(struct store_db *db, const struct store_stream *stream, uint64_t from,
                    struct buf *out, uint64_t *to, struct err *err)
{
	struct arena a = { 0 };
	struct run *run = run_new(db, stream, from, &a);
	int rc;

	*to = from;
	if (run == NULL)
		return err_set(err, ERR_NOMEM, "sync: out of memory");
	run->least = true;
	rc = write_next(run, out, to, err);
	arena_free(&a);
	return rc;
}

/*
 * Joined they must be as readable as each was alone: what unfolds to more than a segment may take
 * stays in pieces, *good false.
 */
static int
join(struct run *run, struct store_segment *seg, bool *good, struct err *err)
{
	struct sync_codec_schemas schemas = { .resolve = resolve, .define = define, .ctx = run };
	struct arena a = { .limit = SYNC_ARENA_MAX };
	struct sync_record *records;
	size_t count;
	int rc = cut(run, seg, err);

	*good = rc == 0;
	if (rc == 0)
		rc = sync_segment_open(seg, &schemas, &a, &records, &count, err);
	if (rc == ERR_INVALID || (rc == ERR_NOMEM && a.over) || (*good && rc == ERR_CORRUPT)) {
		*good = false;
		rc = 0;
	}
	arena_free(&a);
	return rc;
}

/* Join what follows `run->from` inside one day before `day`; `run->from` moves past it.  1 if that
 * was all of them. */
static int
roll_up_next(struct run *run, int day, int64_t *joined, struct err *err)
{
	struct store_segment seg;
	bool good = false;
	size_t used;
	int rc = store_segment_at(run->db, run->stream, run->from + 1, run->a, &seg, err);

	if (rc < 0 || seg.day >= day)
		return rc < 0 ? rc : 1;
	rc = collect(run, seg.day, err);
	if (rc < 0 || run->count == 0)
		return rc < 0 ? rc : 1;
	if (run->last_signed > 1)
		rc = join(run, &seg, &good, err);
	if (rc == 0 && good) {
		seg.stream = run->stream;
		rc = store_segment_replace(run->db, &seg, err);
		*joined += (int64_t)run->last_signed;
	}
	used = run->last_signed > 0 ? run->last_signed : run->count;
	run->from = run->segs[used - 1].last;
	return rc;
}

int
sync_outgoing_roll_up(struct store_db *db, const struct store_stream *stream, int day,
                      int64_t *joined, struct err *err)
{
	struct arena a = { 0 };
	uint64_t from = 0;
	int rc = 0;

	*joined = 0;
	while (rc == 0 && from < stream->n) {
		struct run *run;

		arena_free(&a);
		run = run_new(db, stream, from, &a);
		if (run == NULL)
			return err_set(err, ERR_NOMEM, "roll-up: out of memory");
		rc = roll_up_next(run, day, joined, err);
		from = run->from;
	}
	arena_free(&a);
	return rc < 0 ? rc : 0;
}

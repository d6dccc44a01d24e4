/*
 * sync/codec/segment.c - segments are made, proven, cut anew and redacted.
 *
 * The chain runs over records, not over bodies, so whoever holds the records can
 * put them into other containers: nothing here needs a key, and a signature that
 * held before holds after.  All four ways go through the same two steps: hash
 * records from a head on, and pack records into a body.
 */
#include "sync/codec/segment.h"
#include "sync/codec/pack.h"

#include <assert.h>
#include <string.h>

/* Records with all their repeated texts written out; a body that unfolds to more is refused. */
enum { BYTES_MAX = 64 << 20 };

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "segment: out of memory");
}

/* ---- the chain ---- */

struct walk {
	struct sync_seeds seeds;
	struct buf record; /* bytes of the one at hand */
	size_t total;
	uint64_t n; /* of the next one */
};

/* The leaf of the next record; `salt` for whoever needs it. */
static int
next_leaf(struct walk *w, const struct sync_record *rec, uint8_t salt[STORE_SEED],
          uint8_t leaf[STORE_HEAD], struct err *err)
{
	static const uint8_t none[STORE_SEED];

	if (!sync_seeds_salt(&w->seeds, w->n++, salt))
		return err_set(err, ERR_CORRUPT, "segment: its seeds are not well-formed");
	if (rec->type == SYNC_REDACTED) {
		if (w->seeds.run.form == SYNC_SEEDS_DAY || memcmp(salt, none, STORE_SEED) != 0)
			return err_set(err, ERR_CORRUPT, "segment: a redacted record has a salt");
		memcpy(leaf, rec->leaf, STORE_HEAD);
		return 0;
	}
	buf_clear(&w->record);
	sync_record_write(&w->record, rec);
	w->total += w->record.len;
	if (w->total > BYTES_MAX)
		return err_set(err, ERR_CORRUPT, "segment: its records have over %d bytes",
		               BYTES_MAX);
	if (w->record.bad)
		return no_memory(err);
	sync_chain_leaf(salt, w->record.bytes, w->record.len, leaf);
	return 0;
}

/* Hash `count` records of a segment, its first ones, onto `head`. */
static int
chain(const struct store_segment *seg, const struct sync_record *records, size_t count,
      uint8_t head[STORE_HEAD], struct err *err)
{
	struct walk w = { .n = seg->first };
	uint8_t salt[STORE_SEED], leaf[STORE_HEAD];
	int rc = 0;

	w.seeds = sync_seeds_from(seg->seeds, seg->seeds_len, seg->first, seg->last);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = next_leaf(&w, &records[i], salt, leaf, err);
		if (rc == 0)
			sync_chain_step(head, leaf);
	}
	if (rc == 0 && w.n > seg->last && w.seeds.runs > 0)
		rc = err_set(err, ERR_CORRUPT, "segment: its seeds go on behind its records");
	buf_free(&w.record);
	return rc;
}

int
sync_segment_head(const struct store_segment *seg, const struct sync_record *records, size_t count,
                  uint8_t head[STORE_HEAD], struct err *err)
{
	memcpy(head, seg->head_before, STORE_HEAD);
	return chain(seg, records, count, head, err);
}

/* ---- packing ---- */

static int
keep(struct arena *a, struct buf *bytes, const uint8_t **out, size_t *len, struct err *err)
{
	*out = bytes->bad ? NULL : arena_copy(a, bytes->bytes, bytes->len);
	*len = bytes->len;
	return *out == NULL ? no_memory(err) : 0;
}

static int
pack_records(const struct sync_record *records, size_t count, struct arena *a,
             struct store_segment *out, struct err *err)
{
	struct buf raw = { 0 }, body = { 0 };
	int rc = sync_codec_encode(records, count, &raw, err);

	if (rc == 0)
		rc = sync_pack(raw.bytes, raw.len, &body, err);
	if (rc == 0 && body.len > SYNC_STORED_MAX)
		rc = err_set(err, ERR_INVALID, "a segment can't hold %zu packed bytes", body.len);
	if (rc == 0)
		rc = keep(a, &body, &out->body, &out->body_len, err);
	out->raw_len = (uint32_t)raw.len;
	buf_free(&raw);
	buf_free(&body);
	return rc;
}

int
sync_segment_build(const struct sync_segment_at *at, const struct sync_record *records,
                   size_t count, struct arena *a, struct store_segment *out, struct err *err)
{
	struct buf seeds = { 0 };
	int rc;

	*out = (struct store_segment){ .first = at->n + 1, .last = at->n + count };
	rc = pack_records(records, count, a, out, err);
	if (rc < 0)
		return rc;
	sync_seeds_write_one(&seeds, at->seed);
	rc = keep(a, &seeds, &out->seeds, &out->seeds_len, err);
	buf_free(&seeds);
	if (rc < 0)
		return rc;
	memcpy(out->head_before, at->head, STORE_HEAD);
	memcpy(out->head, at->head, STORE_HEAD);
	rc = chain(out, records, count, out->head, err);
	if (rc == ERR_CORRUPT)
		err->code = rc = ERR_INVALID; /* not what came from elsewhere is wrong */
	return rc;
}

/* ---- proving ---- */

static int
unpack(const struct store_segment *seg, struct arena *a, struct buf *raw, struct err *err)
{
	uint64_t before_last = seg->last - seg->first; /* records - 1 */

	if (seg->first < 1 || seg->last < seg->first || before_last >= SYNC_RECORDS_MAX ||
	    seg->body_len > SYNC_STORED_MAX || seg->raw_len > SYNC_RAW_MAX)
		return err_set(err, ERR_CORRUPT,
		               "segment of %llu records, %zu bytes packed, %lu raw is too large",
		               (unsigned long long)before_last + 1, seg->body_len,
		               (unsigned long)seg->raw_len);
	raw->cap = (size_t)seg->raw_len + 1; /* what a buf wants in order not to grow */
	raw->bytes = arena_take(a, raw->cap, 1);
	if (raw->bytes == NULL)
		return no_memory(err);
	return sync_unpack(seg->body, seg->body_len, seg->raw_len, raw, err);
}

int
sync_segment_prove(struct store_segment *seg, const struct sync_codec_schemas *schemas,
                   struct arena *a, struct sync_record **records, size_t *count, struct err *err)
{
	struct buf raw = { 0 }; /* in `a` */
	struct sync_raw body;
	int rc = unpack(seg, a, &raw, err);

	if (rc < 0)
		return rc;
	*count = (size_t)(seg->last - seg->first) + 1;
	body = (struct sync_raw){ .bytes = raw.bytes, .len = raw.len, .count = *count };
	rc = sync_codec_decode(&body, schemas, a, records, err);
	if (rc < 0)
		return rc;
	memcpy(seg->head, seg->head_before, STORE_HEAD);
	return chain(seg, *records, *count, seg->head, err);
}

int
sync_segment_open(const struct store_segment *seg, const struct sync_codec_schemas *schemas,
                  struct arena *a, struct sync_record **records, size_t *count, struct err *err)
{
	struct store_segment proven = *seg;
	int rc = sync_segment_prove(&proven, schemas, a, records, count, err);

	if (rc == 0 && memcmp(proven.head, seg->head, STORE_HEAD) != 0)
		rc = err_set(err, ERR_CORRUPT,
		             "segment: records %llu to %llu don't lead to the head that it names",
		             (unsigned long long)seg->first, (unsigned long long)seg->last);
	return rc;
}

/* ---- cutting ---- */

/* Do they lie end to end, hold `from`, and end with `to`?  *used: those up to there. */
static int
check_line(const struct sync_segment_line *line, size_t *used, struct err *err)
{
	const struct store_segment *segs = line->segs;
	size_t n = 0;

	if (line->count == 0 || line->from < segs[0].first || line->to < line->from ||
	    line->to - line->from >= SYNC_RECORDS_MAX)
		return err_set(err, ERR_INVALID, "segment: there is no such cut");
	while (n < line->count && segs[n].last < line->to) {
		n++;
		if (n < line->count &&
		    (segs[n].first != segs[n - 1].last + 1 ||
		     memcmp(segs[n].head_before, segs[n - 1].head, STORE_HEAD) != 0))
			return err_set(err, ERR_CORRUPT, "segments don't lie end to end at %llu",
			               (unsigned long long)segs[n].first);
	}
	if (n == line->count || segs[n].last != line->to)
		return err_set(err, ERR_INVALID, "no segment ends with record %llu",
		               (unsigned long long)line->to);
	*used = n + 1;
	return 0;
}

/* A cut in the making. */
struct cutting {
	const struct sync_codec_schemas *schemas;
	struct arena *arena;
	struct store_segment *out;
	struct sync_record *records;
	size_t count;
};

/* Take those of a segment's records that are wanted; from the first one also the head before. */
static int
take(struct cutting *c, const struct store_segment *seg, struct err *err)
{
	struct sync_record *records;
	size_t count, skip = 0;
	int rc = sync_segment_open(seg, c->schemas, c->arena, &records, &count, err);

	if (rc < 0)
		return rc;
	if (c->out->first >= seg->first) {
		skip = (size_t)(c->out->first - seg->first);
		memcpy(c->out->head_before, seg->head_before, STORE_HEAD);
		rc = chain(seg, records, skip, c->out->head_before, err);
	}
	memcpy(c->records + c->count, records + skip, (count - skip) * sizeof *records);
	c->count += count - skip;
	return rc;
}

static int
join_seeds(const struct sync_segment_line *line, size_t used, struct arena *a,
           struct store_segment *out, struct err *err)
{
	struct sync_seeds_part *parts = arena_take(a, used, sizeof *parts);
	struct buf seeds = { 0 };
	int rc;

	if (parts == NULL)
		return no_memory(err);
	for (size_t i = 0; i < used; i++)
		parts[i] = (struct sync_seeds_part){ .first = line->segs[i].first,
			                             .last = line->segs[i].last,
			                             .bytes = line->segs[i].seeds,
			                             .len = line->segs[i].seeds_len };
	rc = sync_seeds_join(&seeds, parts, used, line->from, line->to, err);
	if (rc == 0)
		rc = keep(a, &seeds, &out->seeds, &out->seeds_len, err);
	buf_free(&seeds);
	return rc;
}

int
sync_segment_cut(const struct sync_segment_line *line, const struct sync_codec_schemas *schemas,
                 struct arena *a, struct store_segment *out, struct err *err)
{
	struct cutting c = { .schemas = schemas, .arena = a, .out = out };
	size_t used = 0;
	int rc = check_line(line, &used, err);

	if (rc < 0)
		return rc;
	*out = line->segs[used - 1]; /* signature, key, head, day are those of the end */
	out->first = line->from;
	c.records = arena_take(a, (size_t)(line->to - line->from) + 1, sizeof *c.records);
	if (c.records == NULL)
		return no_memory(err);
	for (size_t i = 0; rc == 0 && i < used; i++)
		if (line->segs[i].last >= line->from)
			rc = take(&c, &line->segs[i], err);
	if (rc == 0)
		rc = pack_records(c.records, c.count, a, out, err);
	if (rc == 0)
		rc = join_seeds(line, used, a, out, err);
	return rc;
}

/* ---- redaction ---- */

static int
check_which(const struct store_segment *seg, const struct sync_record *records,
            const struct sync_segment_which *which, struct err *err)
{
	for (size_t i = 0; i < which->count; i++) {
		uint64_t n = which->list[i];

		if (n < seg->first || n > seg->last || (i > 0 && n <= which->list[i - 1]) ||
		    records[n - seg->first].type == SYNC_OPENING)
			return err_set(err, ERR_INVALID, "record %llu can't be redacted here",
			               (unsigned long long)n);
	}
	return 0;
}

/* Replace those of the records, and append every one's salt, or 16 zero bytes. */
static int
redact(const struct store_segment *seg, struct sync_record *records,
       const struct sync_segment_which *which, struct buf *salts, struct err *err)
{
	struct walk w = { .n = seg->first };
	uint8_t salt[STORE_SEED], leaf[STORE_HEAD];
	size_t next = 0;
	int rc = 0;

	w.seeds = sync_seeds_from(seg->seeds, seg->seeds_len, seg->first, seg->last);
	for (uint64_t n = seg->first; rc == 0 && n <= seg->last; n++) {
		struct sync_record *rec = &records[n - seg->first];

		rc = next_leaf(&w, rec, salt, leaf, err);
		if (rc == 0 && next < which->count && which->list[next] == n) {
			next++;
			*rec = (struct sync_record){ .type = SYNC_REDACTED };
			memcpy(rec->leaf, leaf, STORE_HEAD);
			memset(salt, 0, STORE_SEED);
		}
		buf_put(salts, salt, STORE_SEED);
	}
	buf_free(&w.record);
	return rc;
}

int
sync_segment_redact(const struct store_segment *seg, const struct sync_segment_which *which,
                    const struct sync_codec_schemas *schemas, struct arena *a,
                    struct store_segment *out, struct err *err)
{
	static const uint8_t one_run_from_0[] = { 1, 0, SYNC_SEEDS_SALTS };
	struct buf seeds = { 0 };
	struct sync_record *records;
	size_t count;
	int rc = sync_segment_open(seg, schemas, a, &records, &count, err);

	if (rc == 0)
		rc = check_which(seg, records, which, err);
	if (rc < 0)
		return rc;
	*out = *seg;
	buf_put(&seeds, one_run_from_0, sizeof one_run_from_0);
	rc = redact(seg, records, which, &seeds, err);
	if (rc == 0)
		rc = keep(a, &seeds, &out->seeds, &out->seeds_len, err);
	if (rc == 0)
		rc = pack_records(records, count, a, out, err);
	buf_free(&seeds);
	return rc;
}

#include "sync/merge/ingest.h"
#include "store/base/mutant.h"
#include "store/base/text.h"
#include "store/inbox.h"
#include "store/stmt.h"
#include "sync/codec/segment.h"
#include "sync/life.h"
#include "sync/look.h"
#include "sync/merge/ahead_priv.h"
#include "sync/merge/apply_priv.h"
#include "sync/merge/late_priv.h"
#include "sync/merge/names_priv.h"
#include "sync/merge/retry.h"
#include "sync/seal/seal.h"
#include "sync/seen.h"

#include <assert.h>
#include <string.h>

enum { DAY_MS = 86400000 };

/* One segment on its way in. */
struct incoming {
	struct sync_replica *r;
	struct arena arena;
	struct sync_site site;
	const char *scope;
	struct store_stream stream; /* id 0: not in this file yet */
	struct store_segment seg;
	struct sync_record *records;
	size_t count;
	const struct sync_ingest_from *from; /* short form: where it is said to begin, */
	const uint8_t *bytes;                /* and all of it */
	size_t bytes_len;
	struct sync_names names;
	struct buf seen;          /* in force */
	struct sync_wrong *wrong; /* what the hub has to write again */
	size_t wrong_count, wrong_cap;
};

/* ---- proof ---- */

static int
refuse(struct sync_ingested *out, const char *why)
{
	out->outcome = SYNC_REFUSED;
	text_copy(out->reason, sizeof out->reason, why);
	return 0;
}

/* Is it the segment's fault?  Then it is refused, and the stream's peer hears why: it isn't well
 * formed, or it needs more than one segment may take. */
static bool
is_its_own(const struct incoming *in, int rc)
{
	return rc == ERR_CORRUPT || (rc == ERR_NOMEM && in->arena.over);
}

/* Openings count their changes rightly, the first record is one, relays name origins that are
 * there. */
static bool
well_formed(const struct incoming *in)
{
	size_t i = 0;

	while (i < in->count) {
		const struct sync_opening *o = in->records[i].opening;

		if (in->records[i].type != SYNC_OPENING || o->changes > in->count - i - 1)
			return false;
		for (size_t k = i + 1; k <= i + o->changes; k++) {
			const struct sync_record *rec = &in->records[k];

			if (rec->type == SYNC_OPENING ||
			    (rec->type == SYNC_CHANGE && o->kind == SYNC_RELAY &&
			     rec->origin >= o->origin_count) ||
			    (rec->type == SYNC_CHANGE &&
			     (rec->change.cl < 1 || rec->change.stamp < 1)))
				return false;
		}
		i += o->changes + 1;
	}
	return in->count > 0;
}

static bool
signed_by_site(struct incoming *in)
{
	struct store_site site = { .id = in->stream.site };

	memcpy(site.node, in->site.node, STORE_NODE_ID);
	memcpy(site.epoch, in->site.epoch, STORE_EPOCH);
	/* whose key it is, we know; what the segment says of it doesn't count */
	if (in->r->key_of == NULL || !in->r->key_of(in->r->ctx, &site, in->seg.key))
		return false;
	return in->seg.is_signed && sync_verify_head(in->seg.key, &in->site, in->scope,
	                                             in->seg.last, in->seg.head, in->seg.signature);
}

static bool
seen_is_covered(struct incoming *in, const struct sync_opening *o)
{
	struct store_stream stream;
	struct err err;
	bool covered = true;
	int id;

	for (size_t i = 0; covered && i < o->seen_count && !MUT(32); i++) {
		const struct sync_seen *seen = &o->seen[i];
		struct arena a = { 0 };

		covered = store_catalog_find_site(in->r->db, seen->site.node, seen->site.epoch, &id,
		                                  &err) == 0 &&
		          store_stream_find(in->r->db, id, in->stream.scope, &a, &stream, &err) ==
		                  0 &&
		          stream.last_stamp >= seen->stamp;
		arena_free(&a);
	}
	return covered;
}

static bool
all_seen(struct incoming *in)
{
	/* what a relay's writers had seen, the hub has passed on before, if it is of this scope */
	for (size_t i = 0; i < in->count; i++)
		if (in->records[i].type == SYNC_OPENING &&
		    in->records[i].opening->kind != SYNC_RELAY &&
		    !seen_is_covered(in, in->records[i].opening))
			return false;
	return true;
}

/* ---- taking it ---- */

/* Remember the seed for the next short form; only a plain day seed helps. */
static void
note_seed(struct incoming *in)
{
	struct rd r = rd_from(in->seg.seeds, in->seg.seeds_len);
	uint64_t runs = rd_varint(&r), from = rd_varint(&r);
	uint8_t form = rd_u8(&r);
	const uint8_t *seed = rd_bytes(&r, STORE_SEED);

	if (!rd_done(&r) || runs != 1 || from != 0 || form != 0)
		return;
	memcpy(in->stream.seed, seed, STORE_SEED);
	in->stream.seed_day = in->seg.day;
}

/* Did the stream's own site write it?  A relay's changes are mostly others'. */
static bool
is_own(const struct incoming *in, const struct sync_opening *o, const struct sync_record *rec)
{
	return rec->type == SYNC_CHANGE &&
	       (o->kind != SYNC_RELAY ||
	        memcmp(&o->origins[rec->origin], &in->site, sizeof in->site) == 0);
}

/* Greatest stamp of the unit's changes into the stream; the first one marks where its `seen`
 * begins.  What others wrote is noted by sync/apply, and what they had seen is the relay's own. */
static int
note_unit(struct incoming *in, size_t at, struct err *err)
{
	const struct sync_opening *o = in->records[at].opening;
	int64_t first = 0;

	for (size_t i = at + 1; i <= at + o->changes; i++) {
		int64_t stamp = is_own(in, o, &in->records[i]) ? in->records[i].change.stamp : 0;

		if (first == 0)
			first = stamp;
		if (stamp > in->stream.last_stamp)
			in->stream.last_stamp = stamp;
	}
	if (o->kind == SYNC_RELAY)
		return 0;
	if (o->seen_as_before)
		return 0;
	buf_clear(&in->seen);
	sync_seen_write(&in->seen, o->seen, o->seen_count);
	if (buf_check(&in->seen, err) < 0)
		return err->code;
	return first == 0 ? 0
	                  : store_seen_add(in->r->db, in->stream.id, first, in->seen.bytes,
	                                   in->seen.len, err);
}

static int
apply_units(struct incoming *in, struct sync_ingested *out, struct err *err)
{
	size_t i = 0;
	int rc = 0;

	while (rc == 0 && i < in->count) {
		struct sync_apply u = {
			.r = in->r,
			.arena = &in->arena,
			.stream = &in->stream,
			.opening = in->records[i].opening,
			.changes = &in->records[i + 1],
			.first = in->seg.first + i,
			.wrong = in->wrong,
			.wrong_count = in->wrong_count,
			.wrong_cap = in->wrong_cap,
			.let_in = in->from != NULL && in->from->as_is,
		};

		rc = note_unit(in, i, err);
		u.seen = in->seen.bytes;
		u.seen_len = in->seen.len;
		if (rc == 0)
			rc = sync_apply_unit(&u, err);
		out->changes += u.merged;
		if (out->kept_aside == 0 && u.kept_aside > 0) {
			out->aside_n = u.aside_n;
			text_copy(out->reason, sizeof out->reason, u.aside_reason);
		}
		out->kept_aside += u.kept_aside;
		in->wrong = u.wrong;
		in->wrong_count = u.wrong_count;
		in->wrong_cap = u.wrong_cap;
		in->seg.sealed_ms = u.opening->sealed_ms;
		i += u.opening->changes + 1;
	}
	return rc;
}

static int
raise_last_stamp(struct incoming *in, struct err *err)
{
	int64_t last;
	int rc = store_meta_get_int(in->r->db, "last_stamp", 0, &last, err);

	if (rc < 0 || last >= in->stream.last_stamp || MUT(7))
		return rc;
	return store_meta_set_int(in->r->db, "last_stamp", in->stream.last_stamp, err);
}

/* What names the stream here; registered only now that its records are proven. */
static int
register_stream(struct incoming *in, struct err *err)
{
	int site, scope;
	int rc = store_catalog_site(in->r->db, in->site.node, in->site.epoch, &site, err);

	if (rc == 0)
		rc = store_catalog_scope(in->r->db, in->scope, &scope, err);
	if (rc == 0)
		rc = store_stream_open(in->r->db, site, scope, &in->arena, &in->stream, err);
	in->names.stream = in->stream.id;
	return rc;
}

/* A key that the node's id doesn't tell is remembered with the site whose head it has proven. */
static int
note_key(struct incoming *in, struct err *err)
{
	uint8_t node[STORE_NODE_ID];

	sync_node_id(node, in->seg.key);
	if (memcmp(node, in->site.node, STORE_NODE_ID) == 0)
		return 0;
	return store_catalog_set_site_key(in->r->db, in->stream.site, in->seg.key, err);
}

static int
take(struct incoming *in, struct sync_ingested *out, struct err *err)
{
	int rc = register_stream(in, err);

	if (rc == 0)
		rc = note_key(in, err);
	if (rc == 0)
		rc = sync_ahead_settle(in->r, &in->stream, in->records, in->count, err);
	if (rc == 0)
		rc = sync_names_learn(&in->names, in->records, in->count, err);
	if (rc < 0)
		return rc;
	buf_put(&in->seen, in->stream.seen, in->stream.seen_len);
	rc = apply_units(in, out, err);
	if (rc < 0)
		return rc;
	in->seg.stream = in->stream.id;
	in->seg.day = (int)(in->seg.sealed_ms / DAY_MS);
	note_seed(in);
	rc = store_segment_append(in->r->db, &in->seg, err);
	in->stream.n = in->seg.last;
	memcpy(in->stream.head, in->seg.head, STORE_HEAD);
	in->stream.seen = in->seen.bytes;
	in->stream.seen_len = in->seen.len;
	if (rc == 0)
		rc = store_stream_put(in->r->db, &in->stream, err);
	if (rc == 0)
		rc = raise_last_stamp(in, err);
	if (rc == 0 && in->wrong_count > 0)
		rc = sync_seal_back(in->r, in->wrong, in->wrong_count, err);
	out->outcome = SYNC_STORED;
	out->n = in->stream.n;
	return rc;
}

/* Stored, not merged: `first` of its stream that is held. */
static int
hold(struct incoming *in, bool first, struct sync_ingested *out, struct err *err)
{
	int rc = register_stream(in, err);
	struct store_held held = {
		.stream = in->stream.id, .n = in->from->n, .bytes = in->bytes, .len = in->bytes_len
	};

	out->outcome = SYNC_HELD;
	out->n = in->stream.n;
	return rc == 0 ? sync_ahead_hold(in->r, &held, &in->stream, first, err) : rc;
}

/* Of a node whose key was revoked: held, whatever is in it. */
static int
hold_late(struct incoming *in, struct sync_ingested *out, struct err *err)
{
	struct sync_late_segment late = {
		.node = in->site.node,
		.stream = &in->stream,
		.seg = &in->seg,
		.records = in->records,
		.names = &in->names,
		.n = in->from->n,
		.bytes = in->bytes,
		.len = in->bytes_len,
	};
	const char *why = NULL;
	/* else a stranger with an old key could name ever more streams */
	int rc = in->stream.id == 0 ? sync_late_room(in->r, in->site.node, in->bytes_len, &why, err)
	                            : 0;

	if (rc == 0 && why == NULL)
		rc = register_stream(in, err);
	if (rc == 0 && why == NULL)
		rc = sync_late_hold(in->r, &late, &why, err);
	if (rc == 0 && why != NULL)
		return refuse(out, why);
	out->outcome = SYNC_HELD;
	return rc;
}

/*
 * Records of this file's present life that come from elsewhere end it: it was put back, or copied.
 * At once, even if they have to wait, because what is merged before them may be passed on: the
 * streams of that life are no longer to be gone on with.
 */
static int
end_life(struct incoming *in, struct err *err)
{
	const struct store_site *self = &in->r->self;
	bool ours = memcmp(in->site.node, self->node, STORE_NODE_ID) == 0 &&
	            memcmp(in->site.epoch, self->epoch, STORE_EPOCH) == 0;

	return ours ? sync_life_begin(in->r, SYNC_LIFE_RESTORED, err) : 0;
}

/* It is its site's and continues our records; may it be taken now? */
static int
judge(struct incoming *in, bool force, struct sync_ingested *out, struct err *err)
{
	bool ahead = false;
	int rc = 0;

	if (!well_formed(in))
		return refuse(out, "its units are not well-formed");
	if (in->names.otherwise)
		return refuse(out, "it defines a schema of its stream twice");
	if (in->from != NULL && in->from->late)
		return hold_late(in, out, err);
	if (in->from != NULL && !in->from->as_is)
		rc = sync_ahead_is(in->r, in->records, in->count, &ahead, err);
	if (rc < 0 || ahead)
		return rc < 0 ? rc : hold(in, true, out, err);
	rc = end_life(in, err);
	if (rc < 0)
		return rc;
	if (!force && !all_seen(in)) {
		out->outcome = SYNC_WAITS;
		return 0;
	}
	in->arena.limit = 0; /* its records are there; what they do to rows has limits of its own */
	return take(in, out, err);
}

/* ---- its place in the stream ---- */

static int
find_stream(struct incoming *in, struct err *err)
{
	int site = 0, scope = 0, rc;

	in->stream.seed_day = -1;
	rc = store_catalog_find_site(in->r->db, in->site.node, in->site.epoch, &site, err);
	if (rc == 0)
		rc = store_catalog_find_scope(in->r->db, in->scope, &scope, err);
	if (rc < 0)
		return rc;
	in->stream.site = site;
	in->stream.scope = scope;
	rc = store_stream_find(in->r->db, site, scope, &in->arena, &in->stream, err);
	in->names.db = in->r->db;
	in->names.arena = &in->arena;
	in->names.stream = in->stream.id;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Leave out the records that we have: a roll-up of a day of which we know the morning. */
static int
cut_known(struct incoming *in, struct err *err)
{
	struct sync_codec_schemas schemas = sync_names_schemas(&in->names);
	struct sync_segment_line line = {
		.segs = &in->seg, .count = 1, .from = in->stream.n + 1, .to = in->seg.last
	};
	struct store_segment rest;
	int rc;

	in->arena.limit += 2 * (size_t)SYNC_ARENA_MAX; /* it is decoded twice more */
	rc = sync_segment_cut(&line, &schemas, &in->arena, &rest, err);
	if (rc == 0) {
		in->seg = rest;
		rc = sync_segment_open(&in->seg, &schemas, &in->arena, &in->records, &in->count,
		                       err);
	}
	return rc;
}

/*
 * It forks: how far do its records and ours go together?  Heads that differ once differ for good.
 * When there is no more looking left, at least so far.
 */
static int
find_fork(struct incoming *in, const struct store_segment *seg, const struct sync_record *records,
          struct sync_ingested *out, struct err *err)
{
	uint64_t low = seg->first - 1, high = seg->last < in->stream.n ? seg->last : in->stream.n;
	uint8_t theirs[STORE_HEAD], ours[STORE_HEAD];
	int rc = 1;

	out->outcome = SYNC_FORK;
	while (high > low + 1) {
		uint64_t mid = low + (high - low) / 2;

		if (!sync_look_spend(in->r, (mid - seg->first) / 2 + 1))
			break;
		rc = sync_segment_head(seg, records, (size_t)(mid - seg->first) + 1, theirs, err);
		if (rc == 0)
			rc = sync_look_head(in->r, &in->stream, mid, ours, err);
		if (rc <= 0)
			break;
		if (memcmp(theirs, ours, STORE_HEAD) == 0)
			low = mid;
		else
			high = mid;
	}
	out->n = low;
	return rc < 0 ? rc : 0;
}

/* It ends where we are, or before. */
static int
place_inside(struct incoming *in, struct sync_ingested *out, struct err *err)
{
	uint8_t head[STORE_HEAD] = { 0 };
	int rc = sync_look_head(in->r, &in->stream, in->seg.last, head, err);

	out->outcome = rc == 1 ? SYNC_KNOWN : SYNC_LATER;
	if (rc <= 0 || memcmp(head, in->seg.head, STORE_HEAD) == 0)
		return rc < 0 ? rc : 0;
	return find_fork(in, &in->seg, in->records, out, err);
}

/* Its records hash to its head.  Whose is it, and how does it lie to what we have? */
static int
place(struct incoming *in, bool force, struct sync_ingested *out, struct err *err)
{
	struct store_segment whole = in->seg;
	const struct sync_record *records = in->records;
	int rc = 0;

	if (!signed_by_site(in))
		return refuse(out, "its head is not signed by the site's key");
	if (in->seg.last <= in->stream.n)
		return place_inside(in, out, err);
	if (in->seg.first <= in->stream.n)
		rc = cut_known(in, err);
	if (is_its_own(in, rc) || rc == ERR_INVALID) /* what is left of it is no segment */
		return refuse(out, err->msg);
	if (rc < 0)
		return rc;
	if (memcmp(in->seg.head_before, in->stream.head, STORE_HEAD) != 0 && !MUT(5))
		return find_fork(in, &whole, records, out, err);
	return judge(in, force, out, err);
}

static int
prove_short(struct incoming *in, const struct sync_segment_at *at, struct rd *bytes,
            struct err *err)
{
	struct sync_codec_schemas schemas = sync_names_schemas(&in->names);
	const uint8_t *seed = in->stream.seed_day < 0 ? NULL : in->stream.seed;
	int rc = sync_segment_read_short(bytes, at, seed, &in->arena, &in->seg, err);

	return rc < 0 ? rc
	              : sync_segment_prove(&in->seg, &schemas, &in->arena, &in->records, &in->count,
	                                   err);
}

/* It begins after the end of what we have.  What continues that which is held, is held too. */
static int
beyond(struct incoming *in, struct rd *bytes, struct sync_ingested *out, struct err *err)
{
	struct sync_segment_at at = { .n = in->from->late ? in->from->n : UINT64_MAX };
	bool may_hold = in->r->is_hub && in->stream.id != 0 && !in->from->as_is;
	int rc = may_hold ? sync_ahead_end(in->r, &in->stream, &in->names, &at, err) : 0;

	out->outcome = may_hold && rc == 0 ? SYNC_LATER : SYNC_GAP;
	if (rc != 1 || at.n != in->from->n)
		return rc < 0 ? rc : 0;
	rc = prove_short(in, &at, bytes, err);
	if (is_its_own(in, rc))
		return refuse(out, err->msg);
	if (rc < 0)
		return rc;
	if (!signed_by_site(in))
		return refuse(out, "its head is not signed by the site's key");
	if (!well_formed(in))
		return refuse(out, "its units are not well-formed");
	return in->from->late ? hold_late(in, out, err) : hold(in, false, out, err);
}

static int
ingest_short(struct incoming *in, const struct sync_ingest_from *from, struct rd *bytes,
             struct sync_ingested *out, struct err *err)
{
	struct sync_segment_at at = { .n = from->n };
	int rc = find_stream(in, err);

	if (rc < 0)
		return rc;
	out->n = in->stream.n;
	in->from = from;
	in->bytes = bytes->at;
	in->bytes_len = bytes->left;
	if (from->n > in->stream.n)
		return beyond(in, bytes, out, err);
	rc = sync_look_head(in->r, &in->stream, from->n, at.head, err);
	out->outcome = SYNC_LATER;
	if (rc <= 0)
		return rc;
	rc = prove_short(in, &at, bytes, err);
	if (is_its_own(in, rc))
		return refuse(out, err->msg);
	return rc < 0 ? rc : place(in, from->force, out, err);
}

static int
ingest_full(struct incoming *in, struct rd *bytes, bool force, struct sync_ingested *out,
            struct err *err)
{
	struct sync_codec_schemas schemas = sync_names_schemas(&in->names);
	int rc = sync_segment_read(bytes, &in->arena, &in->seg, &in->site, &in->scope, err);

	if (is_its_own(in, rc))
		return refuse(out, err->msg);
	if (rc == 0)
		rc = find_stream(in, err);
	if (rc < 0)
		return rc;
	out->n = in->stream.n;
	if (in->seg.first > in->stream.n + 1) {
		out->outcome = SYNC_GAP;
		return 0;
	}
	rc = sync_segment_open(&in->seg, &schemas, &in->arena, &in->records, &in->count, err);
	if (is_its_own(in, rc))
		return refuse(out, err->msg);
	return rc < 0 ? rc : place(in, force, out, err);
}

static void
finish(struct incoming *in)
{
	buf_free(&in->seen);
	arena_free(&in->arena);
}

int
sync_ingest_begin(struct sync_replica *r, struct err *err)
{
	struct sync_sealed sealed;
	int rc = store_db_begin(r->db, err);

	if (rc == 0)
		rc = sync_seal(r, &sealed, err);
	if (rc == 0 && MUT(110))
		rc = store_db_commit(r->db, err);
	if (rc == 0 && MUT(110))
		rc = store_db_begin(r->db, err);
	if (rc < 0)
		store_db_rollback(r->db);
	else
		sync_look_begin(r);
	return rc;
}

/* The log is empty since begin: this transaction holds the write lock and its own connection has no
 * triggers. */
static int
check_sealed(struct sync_replica *r, struct err *err)
{
	int64_t waiting = 0;
	int rc;

	assert(store_db_in_transaction(r->db));
	rc = store_stmt_int(r->db, "SELECT count(*) FROM (SELECT 1 FROM yz_log LIMIT 1)", 0,
	                    &waiting, err);
	assert(rc < 0 || waiting == 0);
	return rc;
}

int
sync_ingest_short(struct sync_replica *r, const struct sync_ingest_from *from, struct rd *bytes,
                  struct sync_ingested *out, struct err *err)
{
	struct incoming in = { .r = r,
		               .arena = { .limit = SYNC_ARENA_MAX },
		               .site = from->site,
		               .scope = from->scope };
	int rc;

	*out = (struct sync_ingested){ 0 };
	rc = check_sealed(r, err);
	if (rc == 0)
		rc = ingest_short(&in, from, bytes, out, err);
	finish(&in);
	return rc;
}

int
sync_ingest_full(struct sync_replica *r, struct rd *bytes, bool force, struct sync_ingested *out,
                 struct err *err)
{
	struct incoming in = { .r = r, .arena = { .limit = SYNC_ARENA_MAX } };
	int rc;

	*out = (struct sync_ingested){ 0 };
	rc = check_sealed(r, err);
	if (rc == 0)
		rc = ingest_full(&in, bytes, force, out, err);
	finish(&in);
	return rc;
}

int
sync_ingest_end(struct sync_replica *r, struct err *err)
{
	int rc = store_inbox_apply_verdicts(r->db, err);

	if (rc == 0)
		rc = sync_retry_overwritten(r, err);
	sync_look_end(r);
	if (rc == 0)
		rc = store_db_commit(r->db, err);
	if (rc < 0)
		store_db_rollback(r->db);
	return rc;
}

void
sync_ingest_abort(struct sync_replica *r)
{
	sync_look_end(r);
	store_db_rollback(r->db);
}

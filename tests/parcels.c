#include "tests/parcels.h"

#include "store/stmt.h"
#include "sync/codec/segment.h"
#include "sync/exchange/outgoing.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENTS = 400 };

static void
must(int rc, const struct err *err)
{
	ck_assert_msg(rc >= 0, "%s", rc < 0 ? err->msg : "");
}

/* ---- packing ---- */

struct names {
	struct store_db *db;
	int stream;
};

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	struct names *names = ctx;
	int id = 0;

	must(store_stream_schema(names->db, names->stream, (int)no, &id, err), err);
	return id == 0 ? NULL : store_catalog_schema(names->db, id);
}

static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	ck_assert_ptr_nonnull(resolve(ctx, def->no, err));
	return 0;
}

/* A stream of the replica that is being packed. */
struct packing {
	struct world_peer *p;
	struct store_stream stream;
	struct arena arena;
	struct store_segment segs[SEGMENTS];
	size_t count; /* up to the last signed one */
};

static void
load_segments(struct packing *k)
{
	uint64_t n = 1;
	struct err err;

	k->count = 0;
	for (size_t i = 0; n <= k->stream.n; i++) {
		ck_assert_uint_lt(i, SEGMENTS);
		must(store_segment_at(k->p->merge, k->stream.id, n, &k->arena, &k->segs[i], &err),
		     &err);
		n = k->segs[i].last + 1;
		if (k->segs[i].is_signed)
			k->count = i + 1;
	}
}

static void
add_cut(struct packing *k, size_t from, size_t to, struct parcels *out)
{
	struct names names = { .db = k->p->merge, .stream = k->stream.id };
	struct sync_codec_schemas schemas = { .resolve = resolve, .define = define, .ctx = &names };
	const struct store_site *site = store_catalog_site_of(k->p->merge, k->stream.site);
	struct parcel *parcel = &out->items[out->count++];
	struct sync_segment_line line = { .segs = k->segs,
		                          .count = k->count,
		                          .from = k->segs[from].first,
		                          .to = k->segs[to].last };
	struct store_segment seg = k->segs[from];
	struct sync_site name;
	struct err err;

	ck_assert_uint_le(out->count, PARCELS_MAX);
	ck_assert(k->segs[to].is_signed);
	if (from < to)
		must(sync_segment_cut(&line, &schemas, &k->arena, &seg, &err), &err);
	memcpy(name.node, site->node, STORE_NODE_ID);
	memcpy(name.epoch, site->epoch, STORE_EPOCH);
	*parcel = (struct parcel){ .stream = k->stream.id, .first = seg.first, .last = seg.last };
	sync_segment_write(&parcel->bytes, &seg, &name,
	                   store_catalog_scope_of(k->p->merge, k->stream.scope));
	must(buf_check(&parcel->bytes, &err), &err);
}

static void
pack_stream(struct world *w, struct packing *k, enum parcels_how how, struct parcels *out)
{
	size_t from = 0;

	while (from < k->count) {
		size_t to = how == PARCELS_ROLLED ? k->count - 1 : from;

		if (how == PARCELS_RECUT)
			to += world_draw(w, (uint32_t)(k->count - from));
		while (!k->segs[to].is_signed)
			to++;
		add_cut(k, from, to, out);
		/* the next one may begin inside this one */
		from = how == PARCELS_RECUT && to + 1 < k->count
		               ? from + 1 + world_draw(w, (uint32_t)(to - from + 1))
		               : to + 1;
	}
}

void
parcels_pack(struct world *w, struct world_peer *p, enum parcels_how how, struct parcels *out)
{
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count;
	struct err err;
	struct packing *k = calloc(1, sizeof *k);

	out->count = 0;
	ck_assert_ptr_nonnull(k);
	must(store_db_begin(p->merge, &err), &err);
	must(store_stream_list(p->merge, 0, &a, &list, &count, &err), &err);
	for (size_t i = 0; i < count; i++) {
		k->p = p;
		k->stream = list[i];
		load_segments(k);
		pack_stream(w, k, how, out);
		arena_free(&k->arena);
	}
	must(store_db_commit(p->merge, &err), &err);
	arena_free(&a);
	free(k);
}

void
parcels_free(struct parcels *ps)
{
	for (size_t i = 0; i < ps->count; i++)
		buf_free(&ps->items[i].bytes);
	ps->count = 0;
}

/* ---- delivering ---- */

struct sync_ingested
parcel_deliver(struct world_peer *to, const struct parcel *parcel, bool force)
{
	struct rd bytes = rd_from(parcel->bytes.bytes, parcel->bytes.len);
	struct sync_ingested got;
	struct err err;

	must(sync_ingest_begin(&to->node.r, &err), &err);
	must(sync_ingest_full(&to->node.r, &bytes, force, &got, &err), &err);
	must(sync_ingest_end(&to->node.r, &err), &err);
	return got;
}

/* Two roll-ups may each have seen the other's later records: when nothing else is left to take, one
 * of them goes first, as sync_draft_take does it. */
void
parcels_deliver_shuffled(struct world *w, struct world_peer *to, const struct parcels *ps)
{
	bool done[PARCELS_MAX] = { false };
	size_t left = ps->count, idle = 0;

	for (int tries = 0; left > 0; tries++) {
		size_t i = world_draw(w, (uint32_t)ps->count);
		struct sync_ingested got = parcel_deliver(to, &ps->items[i], idle > 20 * ps->count);

		ck_assert_int_lt(tries, 100000);
		ck_assert_msg(got.outcome != SYNC_REFUSED && got.outcome != SYNC_FORK,
		              "records %d to %d: %s", (int)ps->items[i].first,
		              (int)ps->items[i].last, got.reason);
		idle = got.outcome == SYNC_STORED ? 0 : idle + 1;
		if (got.outcome == SYNC_GAP || got.outcome == SYNC_WAITS || done[i])
			continue;
		ck_assert_uint_ge(got.n, ps->items[i].last); /* all of it was taken */
		done[i] = true;
		left--;
	}
}

/* One push of a stream from a unit at or before what `to` has; true if all of it is there now. */
static bool
push_once(struct world *w, struct world_peer *from, struct world_peer *to,
          const struct store_stream *stream, uint64_t *has, bool force)
{
	const struct store_site *site = store_catalog_site_of(from->merge, stream->site);
	struct sync_ingest_from at = { .force = force };
	struct buf out = { 0 };
	struct sync_ingested got;
	struct rd r, bytes;
	uint64_t end;
	size_t len;
	struct err err;

	at.scope = store_catalog_scope_of(from->merge, stream->scope);
	memcpy(at.site.node, site->node, STORE_NODE_ID);
	memcpy(at.site.epoch, site->epoch, STORE_EPOCH);
	at.n = world_draw(w, 3) == 0 ? 0 : *has;
	must(sync_outgoing_next(from->merge, stream, at.n, &out, &end, &err), &err);
	if (end == at.n) {
		buf_free(&out);
		return true;
	}
	r = rd_from(out.bytes, out.len);
	bytes = rd_from(NULL, 0);
	bytes.at = rd_lenbytes(&r, &len);
	bytes = rd_from(bytes.at, len);
	must(sync_ingest_begin(&to->node.r, &err), &err);
	must(sync_ingest_short(&to->node.r, &at, &bytes, &got, &err), &err);
	must(sync_ingest_end(&to->node.r, &err), &err);
	ck_assert_msg(got.outcome == SYNC_STORED || got.outcome == SYNC_KNOWN ||
	                      got.outcome == SYNC_WAITS,
	              "%s", got.reason);
	*has = got.n;
	buf_free(&out);
	return got.n == stream->n;
}

void
parcels_push_shuffled(struct world *w, struct world_peer *from, struct world_peer *to)
{
	struct store_stream *list;
	struct arena a = { 0 };
	uint64_t has[16] = { 0 };
	bool done[16] = { false };
	size_t count, left;
	struct err err;

	must(store_stream_list(from->merge, 0, &a, &list, &count, &err), &err);
	ck_assert_uint_le(count, 16);
	left = count;
	for (int tries = 0; left > 0; tries++) {
		size_t i = world_draw(w, (uint32_t)count);

		ck_assert_int_lt(tries, 100000);
		/* a push joins segments: now and then one goes first, see above */
		if (!push_once(w, from, to, &list[i], &has[i], tries % 50 == 49) || done[i])
			continue;
		done[i] = true;
		left--;
	}
	arena_free(&a);
}

/* ---- looking ---- */

char *
parcels_dump_file(struct world_peer *p)
{
	struct store_stmt s =
	        store_stmt_new(p->local, "SELECT 'SELECT * FROM ' || name || ' ORDER BY 1, 2'"
	                                 " FROM sqlite_schema WHERE type = 'table' ORDER BY name");
	struct buf out = { 0 };
	struct err err;
	int rc;

	while ((rc = store_stmt_step(&s, &err)) == 1) {
		const char *sql = store_stmt_get_text(&s);
		char *rows = world_dump(p, sql);

		buf_printf(&out, "%s\n%s", sql, rows);
		free(rows);
	}
	must(rc, &err);
	store_stmt_end(&s);
	buf_u8(&out, 0);
	return (char *)out.bytes;
}

#include "store/base/mutant.h"
#include "store/base/rd.h"
#include "store/inbox.h"
#include "sync/look.h"
#include "sync/merge/ahead_priv.h"
#include "sync/merge/ingest.h"

#include <string.h>

/*
 * A hub that has once gone along with a clock of its own that was wrong must not turn away all that
 * was written since it is right; a second's worth of stamps is more than a unit has.
 */
enum { BEYOND_LAST_MS = 1000 };

int
sync_ahead_is(struct sync_replica *r, const struct sync_record *records, size_t count, bool *yes,
              struct err *err)
{
	int64_t latest = 0, last, limit = STORE_STAMP(sync_replica_now_ms(r) + SYNC_AHEAD_MS, 0);
	int rc;

	*yes = false;
	if (!r->is_hub || sync_clock_is_unsure(&r->clock, store_db_env(r->db)) || MUT(37))
		return 0;
	for (size_t i = 0; i < count; i++)
		if (records[i].type == SYNC_CHANGE && records[i].change.stamp > latest)
			latest = records[i].change.stamp;
	if (latest <= limit)
		return 0;
	rc = store_meta_get_int(r->db, "last_stamp", 0, &last, err);
	*yes = latest > last + STORE_STAMP(BEYOND_LAST_MS, 0);
	return rc;
}

int
sync_ahead_list(struct sync_replica *r, const struct store_stream *stream, const char *reason,
                struct err *err)
{
	struct store_quarantined q = {
		.scope = stream->scope,
		.stream = stream->id,
		.n = stream->n + 1,
		.key = (const uint8_t *)"",
		.reason = reason,
	};

	return store_quarantine_add(r->db, &q, err);
}

int
sync_ahead_hold(struct sync_replica *r, const struct store_held *held,
                const struct store_stream *stream, bool first, struct err *err)
{
	int rc = first ? store_held_clear(r->db, held->stream, err) : 0;

	if (rc == 0)
		rc = store_held_add(r->db, held, err);
	return rc == 0 && first
	               ? sync_ahead_list(r, stream,
	                                 "clock: its stamps are more than a day ahead; kept until "
	                                 "the node has stamped it anew",
	                                 err)
	               : rc;
}

/* One of those that are held: *at moves from its beginning to its end, and stays where it is if
 * that can't be told any more. */
static int
pass(const struct store_held *held, const uint8_t *seed, struct sync_names *names,
     struct sync_segment_at *at, struct err *err)
{
	struct sync_codec_schemas schemas = sync_names_schemas(names);
	struct arena a = { .limit = SYNC_ARENA_MAX };
	struct rd bytes = rd_from(held->bytes, held->len);
	struct sync_record *records;
	struct store_segment seg;
	size_t count;
	int rc = sync_segment_read_short(&bytes, at, seed, &a, &seg, err);

	if (rc == 0)
		rc = sync_segment_prove(&seg, &schemas, &a, &records, &count, err);
	if (rc == 0) {
		at->n = seg.last;
		memcpy(at->head, seg.head, STORE_HEAD);
	} else if (rc == ERR_CORRUPT || (rc == ERR_NOMEM && a.over)) {
		rc = 0;
	}
	arena_free(&a);
	return rc;
}

int
sync_ahead_end(struct sync_replica *r, const struct store_stream *stream, struct sync_names *names,
               struct sync_segment_at *at, struct err *err)
{
	struct store_held *list = NULL;
	struct arena a = { 0 };
	uint64_t until = at->n;
	size_t count = 0;
	bool now = true;
	int rc = store_held_list(r->db, stream->id, &a, &list, &count, err);

	*at = (struct sync_segment_at){ .n = stream->n };
	memcpy(at->head, stream->head, STORE_HEAD);
	/* the first may begin with what was merged meanwhile, or by a lost reply before */
	if (rc == 0 && count > 0 && list[0].n < stream->n) {
		at->n = list[0].n;
		now = (rc = sync_look_head(r, stream, at->n, at->head, err)) == 1;
		rc = rc < 0 ? rc : 0;
	}
	for (size_t i = 0; rc == 0 && now && i < count && list[i].n == at->n && at->n != until;
	     i++) {
		uint64_t before = at->n;

		rc = pass(&list[i], stream->seed_day < 0 ? NULL : stream->seed, names, at, err);
		now = sync_look_spend(r, at->n - before + list[i].len / 64 + 1);
	}
	arena_free(&a);
	return rc < 0 ? rc : now;
}

static int
settle_origin(struct sync_replica *r, const struct sync_opening *o, struct err *err)
{
	struct store_stream stream;
	struct arena a = { 0 };
	int site = 0, scope = 0;
	int rc = store_catalog_find_site(r->db, o->origin_site.node, o->origin_site.epoch, &site,
	                                 err);

	if (rc == 0)
		rc = store_catalog_find_scope(r->db, o->origin_scope, &scope, err);
	if (rc == 0)
		rc = store_stream_find(r->db, site, scope, &a, &stream, err);
	if (rc == 0)
		rc = store_held_clear(r->db, stream.id, err);
	arena_free(&a);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Does the unit say again what the same node had written? */
static bool
says_own_again(const struct store_site *site, const struct sync_record *rec)
{
	return rec->type == SYNC_OPENING && rec->opening->kind == SYNC_REMINT &&
	       memcmp(rec->opening->origin_site.node, site->node, STORE_NODE_ID) == 0;
}

int
sync_ahead_settle(struct sync_replica *r, const struct store_stream *stream,
                  const struct sync_record *records, size_t count, struct err *err)
{
	const struct store_site *site = store_catalog_site_of(r->db, stream->site);
	bool any = false;
	int rc = r->is_hub ? store_held_any(r->db, 0, &any, err) : 0;

	if (rc < 0 || !any)
		return rc;
	rc = store_held_clear(r->db, stream->id, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (says_own_again(site, &records[i]))
			rc = settle_origin(r, records[i].opening, err);
	return rc;
}

int
sync_ahead_let_in(struct sync_replica *r, const struct store_stream *stream, bool *done,
                  struct err *err)
{
	const struct store_site *site = store_catalog_site_of(r->db, stream->site);
	struct sync_ingest_from from = { .scope = store_catalog_scope_of(r->db, stream->scope),
		                         .force = true,
		                         .as_is = true };
	struct store_held *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_held_list(r->db, stream->id, &a, &list, &count, err);

	memcpy(from.site.node, site->node, STORE_NODE_ID);
	memcpy(from.site.epoch, site->epoch, STORE_EPOCH);
	*done = false;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct rd bytes = rd_from(list[i].bytes, list[i].len);
		struct sync_ingested in;

		from.n = list[i].n;
		rc = sync_ingest_short(r, &from, &bytes, &in, err);
		*done = in.outcome == SYNC_STORED || in.outcome == SYNC_KNOWN;
		if (rc == 0 && !*done) {
			/* those before it have let go of all that was held */
			for (; rc == 0 && i < count; i++)
				rc = store_held_add(r->db, &list[i], err);
			break;
		}
	}
	arena_free(&a);
	return rc;
}

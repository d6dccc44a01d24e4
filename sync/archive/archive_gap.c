/*
 * sync/archive/archive_gap.c - what the proof of an earlier life speaks of and that life's
 * stream hasn't any more, because it was written again in a later one.
 *
 * The proof is append-only, so its heads stay.  The mark is not a word of ours but
 * the later life's own records, chained and signed: units of kind re-mint that
 * name the stream and the range.
 */
#include "sync/archive/archive_priv.h"
#include "sync/reader.h"

#include <string.h>

static void
note(const struct sync_opening *o, const struct sync_site *site, const char *scope,
     struct sync_archive_gap *gap)
{
	if (o->kind != SYNC_REMINT || memcmp(&o->origin_site, site, sizeof *site) != 0 ||
	    strcmp(o->origin_scope, scope) != 0)
		return;
	if (gap->first == 0 || o->origin_first < gap->first)
		gap->first = o->origin_first;
	if (o->origin_last > gap->last)
		gap->last = o->origin_last;
}

/* Re-mint units stand wherever a life begins, and there may have been several for one stream. */
static int
look_through(struct store_db *db, const struct store_stream *stream, const struct sync_site *site,
             struct sync_archive_gap *gap, struct err *err)
{
	const char *scope = store_catalog_scope_of(db, stream->scope);
	uint64_t n = 1;
	int rc = 0;

	while (rc == 0 && n <= stream->n) {
		struct arena a = { .limit = SYNC_ARENA_MAX };
		struct sync_reader seg;

		rc = sync_reader_open(db, stream, n, &a, &seg, err);
		for (size_t i = 0; rc == 0 && i < seg.count; i++)
			if (seg.records[i].type == SYNC_OPENING)
				note(seg.records[i].opening, site, scope, gap);
		n = rc == 0 ? seg.seg.last + 1 : n;
		arena_free(&a);
	}
	return rc;
}

int
sync_archive_gap_find(struct store_db *db, const struct sync_site *site,
                      const struct store_stream *stream, struct sync_archive_gap *gap,
                      struct err *err)
{
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_stream_list(db, stream->scope, &a, &list, &count, err);

	*gap = (struct sync_archive_gap){ 0 };
	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct store_site *by = store_catalog_site_of(db, list[i].site);

		if (list[i].id != stream->id && memcmp(by->node, site->node, STORE_NODE_ID) == 0)
			rc = look_through(db, &list[i], site, gap, err);
	}
	arena_free(&a);
	return rc < 0 ? rc : gap->first > 0;
}

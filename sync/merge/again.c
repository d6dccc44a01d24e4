#include "sync/merge/again.h"
#include "sync/merge/apply_priv.h"
#include "sync/merge/merge.h"
#include "sync/reader.h"

#include <string.h>

/* A segment of one of our streams. */
struct reading {
	struct sync_replica *r;
	struct sync_again *again;
	struct store_stream *stream;
	struct sync_reader reader;
	struct arena arena; /* the segment's */
};

static bool
is_wanted(const struct sync_again *again, const struct store_change *c)
{
	const struct store_place place = { c->schema->table, c->key, c->key_len };

	for (size_t i = 0; i < again->range_count; i++)
		if (store_range_holds(&again->ranges[i], &place))
			return true;
	return false;
}

/* Does the row lack it?  Asked of a copy: what is there already would be told to people as if it
 * came from elsewhere. */
static int
is_lacking(struct reading *x, const struct store_change *of, bool *yes, struct err *err)
{
	struct store_change c = *of;
	struct store_row row = { .table = c.schema->table_id, .key = c.key, .key_len = c.key_len };
	struct store_row *rows[] = { &row };
	struct arena a = { 0 };
	int rc;

	*yes = false;
	if (!sync_merge_is_sound(&c))
		return 0;
	c.site = x->stream->site;
	rc = x->r->batch->get(x->r->batch, rows, 1, &a, err);
	if (rc == 0)
		rc = sync_merge(x->r->batch, &row, &c, NULL, &a, err);
	*yes = rc == 0 && row.changed;
	arena_free(&a);
	return rc;
}

/* The change in record `n`, of the unit whose opening is record `at` of the segment. */
static int
apply_one(struct reading *x, size_t at, uint64_t n, int64_t stamp, struct err *err)
{
	struct sync_apply u = { .r = x->r,
		                .arena = &x->arena,
		                .stream = x->stream,
		                .opening = x->reader.records[at].opening,
		                .changes = &x->reader.records[at + 1],
		                .first = x->reader.seg.first + at,
		                .only = n };
	struct buf seen = { 0 };
	int rc = store_seen_at(x->r->db, x->stream->id, stamp, &seen, err);

	u.seen = seen.bytes;
	u.seen_len = seen.len;
	if (rc == 0)
		rc = sync_apply_unit(&u, err);
	x->again->merged += rc == 0;
	buf_free(&seen);
	return rc;
}

static int
read_records(struct reading *x, struct err *err)
{
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < x->reader.count; i++) {
		const struct sync_record *rec = &x->reader.records[i];
		bool lacking = false;

		if (rec->type == SYNC_OPENING)
			at = i;
		if (rec->type != SYNC_CHANGE || x->reader.records[at].type != SYNC_OPENING ||
		    x->reader.records[at].opening->kind == SYNC_RELAY ||
		    !is_wanted(x->again, &rec->change))
			continue;
		rc = is_lacking(x, &rec->change, &lacking, err);
		if (rc == 0 && lacking)
			rc = apply_one(x, at, x->reader.seg.first + i, rec->change.stamp, err);
	}
	return rc;
}

static int
read_stream(struct reading *x, struct err *err)
{
	uint64_t n = 1;
	int rc = 0;

	while (rc == 0 && n <= x->stream->n) {
		x->arena = (struct arena){ .limit = 2 * (size_t)SYNC_ARENA_MAX };
		rc = sync_reader_open(x->r->db, x->stream, n, &x->arena, &x->reader, err);
		if (rc == ERR_CORRUPT || rc == ERR_NOTFOUND || (rc == ERR_NOMEM && x->arena.over)) {
			arena_free(&x->arena);
			return 0; /* `verify` tells of it */
		}
		if (rc == 0)
			rc = read_records(x, err);
		n = x->reader.seg.last + 1;
		arena_free(&x->arena);
	}
	return rc;
}

int
sync_again_own(struct sync_replica *r, struct sync_again *again, struct err *err)
{
	struct reading x = { .r = r, .again = again };
	struct store_stream *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_stream_list(r->db, again->scope, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct store_site *site = store_catalog_site_of(r->db, list[i].site);

		if (memcmp(site->node, r->self.node, STORE_NODE_ID) != 0)
			continue;
		x.stream = &list[i];
		rc = read_stream(&x, err);
	}
	arena_free(&a);
	return rc;
}

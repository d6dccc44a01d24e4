#include "sync/look.h"
#include "sync/merge/twin_priv.h"
#include "sync/seen.h"

#include <string.h>

static bool
is_twin(const struct sync_twin *twin, const struct sync_record *rec)
{
	const struct store_change *c = &rec->change;

	if (rec->type != SYNC_CHANGE || c->stamp != twin->cell->stamp ||
	    c->schema->table_id != twin->row->table || c->key_len != twin->row->key_len ||
	    memcmp(c->key, twin->row->key, c->key_len) != 0)
		return false;
	for (unsigned i = 0; twin->cell->column != 0 && i < c->schema->column_count; i++)
		if (c->schema->columns[i].id == twin->cell->column && (c->mask >> i & 1) != 0)
			return store_value_cmp(&c->values[i], &twin->cell->value) == 0;
	return twin->cell->column == 0;
}

/* Look through a segment: 1 found, 0 it may be in an earlier one, -1 it can't be. */
static int
look_in(const struct sync_twin *twin, const struct sync_reader *seg)
{
	bool earlier = true, plain = true;

	for (size_t i = 0; i < seg->count; i++) {
		const struct sync_record *rec = &seg->records[i];

		if (is_twin(twin, rec))
			return 1;
		if (rec->type == SYNC_OPENING)
			plain = plain && rec->opening->kind == SYNC_PLAIN;
		else if (rec->type == SYNC_CHANGE)
			earlier = earlier && rec->change.stamp < twin->cell->stamp;
	}
	return earlier && plain ? -1 : 0; /* stamps rise, but for those of another life */
}

static bool
is_in(struct sync_replica *r, const struct sync_twin *twin, const struct store_stream *stream)
{
	uint64_t n = stream->n;
	int found = 0;

	while (found == 0 && n > 0) {
		const struct sync_reader *seg;
		struct err err;

		if (sync_look_open(r, stream, n, &seg, &err) != 1 ||
		    !sync_look_spend(r, seg->count / 16 + 1))
			return false;
		found = look_in(twin, seg);
		n = seg->seg.first - 1;
	}
	return found == 1;
}

bool
sync_twin_is_seen(struct sync_replica *r, const struct sync_twin *twin)
{
	const struct store_site *site = store_catalog_site_of(r->db, twin->cell->site);
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0;
	bool seen = false;
	struct err err;

	if (store_stream_list(r->db, twin->row->scope, &a, &list, &count, &err) < 0)
		count = 0;
	for (size_t i = 0; !seen && i < count; i++) {
		const struct store_site *other = store_catalog_site_of(r->db, list[i].site);

		seen = list[i].site != twin->cell->site &&
		       memcmp(other->node, site->node, STORE_NODE_ID) == 0 &&
		       sync_seen_covers(twin->seen, twin->seen_len, other, twin->cell->stamp) &&
		       is_in(r, twin, &list[i]);
	}
	arena_free(&a);
	return seen;
}

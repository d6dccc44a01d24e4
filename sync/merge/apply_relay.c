/*
 * sync/merge/apply_relay.c - whose the changes of a unit are: the stream's own site's,
 * or, in a relay, those of the sites that its opening lists.
 *
 * That a relay's origins wrote so far is noted as if their own streams had come:
 * what is written here from now on has seen it.
 */
#include "store/base/mutant.h"
#include "sync/merge/apply_priv.h"
#include "sync/seal/relay.h"
#include "sync/seen.h"

#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "merge: out of memory");
}

bool
sync_apply_says_own(const struct sync_apply *u)
{
	const struct store_site *site = store_catalog_site_of(u->r->db, u->stream->site);
	const struct sync_opening *o = u->opening;

	for (size_t i = 0; i < o->origin_count; i++)
		if (memcmp(o->origins[i].node, site->node, STORE_NODE_ID) != 0)
			return false;
	return true;
}

/* What each of a relay's origins wrote, in one walk: both may be as many as a segment's records. */
static struct sync_heard *
gather(const struct sync_apply *u, int64_t *latest)
{
	const struct sync_opening *o = u->opening;
	struct sync_heard *heard = arena_take(u->arena, o->origin_count, sizeof *heard);

	for (size_t i = 0; heard != NULL && i < o->changes; i++) {
		const struct sync_record *rec = &u->changes[i];
		struct sync_heard *h;

		if (rec->type != SYNC_CHANGE)
			continue;
		h = &heard[rec->origin];
		h->site = rec->change.site;
		if (h->first == 0 || rec->change.stamp < h->first)
			h->first = rec->change.stamp;
		if (rec->change.stamp > h->last)
			h->last = rec->change.stamp;
		if (h->last > *latest)
			*latest = h->last;
	}
	return heard;
}

/* As if their own streams had come so far; that of the stream's own site is noted with it. */
static int
note_origins(const struct sync_apply *u, int64_t *latest, struct err *err)
{
	struct sync_heard *heard = gather(u, latest);
	int rc = heard == NULL ? no_memory(err) : 0;

	for (size_t i = 0; rc == 0 && i < u->opening->origin_count; i++) {
		heard[i].scope = u->stream->scope;
		heard[i].seen = u->seen;
		heard[i].seen_len = u->seen_len;
		if (heard[i].site != 0 && heard[i].site != u->stream->site)
			rc = sync_relay_note(u->r->db, &heard[i], err);
	}
	return rc;
}

/* A relay has a `seen` of its own, and what is written here from now on is later than all of it. */
static int
begin_relay(struct sync_apply *u, struct err *err)
{
	const struct sync_opening *o = u->opening;
	struct buf seen = { 0 };
	int64_t latest = 0, last = 0;
	int rc;

	sync_seen_write(&seen, o->seen, o->seen_count);
	u->seen = arena_copy(u->arena, seen.bytes, seen.len);
	u->seen_len = seen.len;
	rc = buf_check(&seen, err);
	buf_free(&seen);
	if (rc == 0 && u->seen == NULL)
		rc = no_memory(err);
	if (rc == 0)
		rc = note_origins(u, &latest, err);
	if (rc == 0)
		rc = store_meta_get_int(u->r->db, "last_stamp", 0, &last, err);
	return rc == 0 && latest > last ? store_meta_set_int(u->r->db, "last_stamp", latest, err)
	                                : rc;
}

/* Who wrote each of a relay's changes; each origin is looked up once. */
static int
find_origins(struct sync_apply *u, struct err *err)
{
	const struct sync_opening *o = u->opening;
	int *sites = arena_take(u->arena, o->origin_count, sizeof *sites);
	int rc = sites == NULL ? no_memory(err) : 0;

	for (size_t i = 0; rc == 0 && i < o->changes; i++) {
		struct sync_record *rec = &u->changes[i];
		int *site;

		if (rec->type != SYNC_CHANGE)
			continue;
		site = &sites[rec->origin];
		if (*site == 0)
			rc = store_catalog_site(u->r->db, o->origins[rec->origin].node,
			                        o->origins[rec->origin].epoch, site, err);
		rec->change.site = MUT(56) ? u->stream->site : *site;
	}
	return rc;
}

int
sync_apply_origins(struct sync_apply *u, struct err *err)
{
	const struct sync_opening *o = u->opening;
	int rc;

	if (o->kind == SYNC_RELAY) {
		rc = find_origins(u, err);
		return rc == 0 ? begin_relay(u, err) : rc;
	}
	for (size_t i = 0; i < o->changes; i++)
		if (u->changes[i].type == SYNC_CHANGE)
			u->changes[i].change.site = u->stream->site;
	return 0;
}

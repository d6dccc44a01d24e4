/*
 * sync/merge/apply_relay.c - whose the changes of a unit are: the stream's own site's,
 * or, in a relay, those of the sites that its opening lists.
 *
 * That a relay's origins wrote so far is noted as if their own streams had come:
 * what is written here from now on has seen it.
 */
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

/* What one of a relay's origins wrote: noted as if its own stream had come so far. */
static int
note_origin(const struct sync_apply *u, unsigned origin, int64_t *latest, struct err *err)
{
	struct sync_heard heard = { .scope = u->stream->scope,
		                    .seen = u->seen,
		                    .seen_len = u->seen_len };

	for (size_t i = 0; i < u->opening->changes; i++) {
		const struct sync_record *rec = &u->changes[i];

		if (rec->type != SYNC_CHANGE || rec->origin != origin)
			continue;
		heard.site = rec->change.site;
		if (heard.first == 0 || rec->change.stamp < heard.first)
			heard.first = rec->change.stamp;
		if (rec->change.stamp > heard.last)
			heard.last = rec->change.stamp;
	}
	if (heard.last > *latest)
		*latest = heard.last;
	/* its stream's own site is noted with the stream */
	return heard.site == 0 || heard.site == u->stream->site
	               ? 0
	               : sync_relay_note(u->r->db, &heard, err);
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
	for (unsigned i = 0; rc == 0 && i < o->origin_count; i++)
		rc = note_origin(u, i, &latest, err);
	if (rc == 0)
		rc = store_meta_get_int(u->r->db, "last_stamp", 0, &last, err);
	return rc == 0 && latest > last ? store_meta_set_int(u->r->db, "last_stamp", latest, err)
	                                : rc;
}

int
sync_apply_origins(struct sync_apply *u, struct err *err)
{
	const struct sync_opening *o = u->opening;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->changes; i++) {
		struct sync_record *rec = &u->changes[i];

		if (rec->type != SYNC_CHANGE)
			continue;
		rec->change.site = u->stream->site;
		if (o->kind == SYNC_RELAY)
			rc = store_catalog_site(u->r->db, o->origins[rec->origin].node,
			                        o->origins[rec->origin].epoch, &rec->change.site,
			                        err);
	}
	return rc == 0 && o->kind == SYNC_RELAY ? begin_relay(u, err) : rc;
}

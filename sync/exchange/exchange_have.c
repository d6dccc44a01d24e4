/*
 * sync/exchange/exchange_have.c - what the two sides have, as a reply tells it: of each
 * stream, and of each scope the digest.
 */
#include "store/inbox.h"
#include "store/remote.h"
#include "store/rift.h"
#include "sync/exchange/exchange_priv.h"
#include "sync/exchange/rift.h"

#include <string.h>

/*
 * What the hub has of a stream: as it says.  It names every stream of ours that it has anything of,
 * so of those silence means nothing, although we said what we have; of others' it means the same as
 * we said.
 */
uint64_t
sync_exchange_hub_has(const struct sync_exchange *x, const struct sync_message *m,
                      const struct store_stream *stream, bool *same_head)
{
	const struct sync_view_stream *view = sync_draft_view(x->r, m, stream);

	*same_head = view == NULL || view->n != stream->n ||
	             memcmp(view->head, stream->head, SYNC_HEAD_SHORT) == 0;
	if (view != NULL)
		return view->n;
	for (size_t i = 0; !sync_draft_is_own(x->r, stream) && i < x->said_count; i++)
		if (x->said[i].stream == stream->id)
			return x->said[i].n;
	return 0;
}

/* How many records the request said that we have of a stream; 0 of one that came since. */
uint64_t
sync_exchange_said_of(const struct sync_exchange *x, const struct store_stream *stream)
{
	for (size_t i = 0; i < x->said_count; i++)
		if (x->said[i].stream == stream->id)
			return x->said[i].n;
	return 0;
}

/* Do both sides have the same records of a scope now? */
static bool
equal_have(const struct sync_exchange *x, const struct sync_message *m,
           const struct store_stream *streams, size_t count, int scope)
{
	for (size_t i = 0; i < count; i++) {
		bool same_head;

		if (streams[i].scope == scope &&
		    (sync_exchange_hub_has(x, m, &streams[i], &same_head) != streams[i].n ||
		     !same_head))
			return false;
	}
	/* streams of the scope that only the hub has */
	for (size_t i = 0; i < m->stream_count; i++) {
		bool ours = strcmp(m->scopes[m->streams[i].scope],
		                   store_catalog_scope_of(x->r->db, scope)) != 0;

		for (size_t k = 0; !ours && k < count; k++) {
			const struct store_site *site =
			        store_catalog_site_of(x->r->db, streams[k].site);
			const struct sync_site *named = &m->sites[m->streams[i].site].site;

			ours = streams[k].scope == scope &&
			       memcmp(named->node, site->node, STORE_NODE_ID) == 0 &&
			       memcmp(named->epoch, site->epoch, STORE_EPOCH) == 0;
		}
		if (!ours && m->streams[i].n > 0)
			return false;
	}
	return true;
}

/* It tells no digest of a scope of which it has taken nothing. */
bool
sync_exchange_hub_has_ours(const struct sync_exchange *x, const struct sync_message *m,
                           const struct store_stream *streams, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool same_head;

		if (sync_draft_is_own(x->r, &streams[i]) &&
		    sync_exchange_hub_has(x, m, &streams[i], &same_head) < streams[i].n)
			return false;
	}
	return true;
}

/* Ours against the hub's, at equal have.  A difference that is known is not looked into again, and
 * keeps nobody from looking into another. */
static int
hold_against(struct sync_exchange *x, const struct store_remote_digest *hubs, struct err *err)
{
	static const uint8_t zero[STORE_TERM];
	struct sync_replica *r = x->r;
	struct store_digest ours;
	bool known;
	int rc = store_digest_get(r->db, hubs->scope, &ours, err);

	if (rc < 0)
		return rc;
	if (memcmp(ours.sum, hubs->sum, STORE_TERM) == 0)
		return store_rift_close(r->db, hubs->scope, err);
	x->look_differs |= hubs->scope == x->look_scope;
	store_digest_move(ours.sum, zero, hubs->sum);
	rc = store_rift_known(r->db, hubs->scope, ours.sum, &known, err);
	if (rc == 0 && !known && x->differs == 0) {
		x->differs = hubs->scope;
		memcpy(x->hubs_digest, hubs->sum, STORE_TERM);
	}
	return rc;
}

int
sync_exchange_take_digests(struct sync_exchange *x, const struct sync_message *m,
                           const struct store_stream *streams, size_t count, struct err *err)
{
	bool waits = false;
	int rc = store_quarantine_own_wakes(x->r->db, &waits, err);

	/* Until then the tables may say more than the records that both have. */
	x->level = !waits && sync_exchange_hub_has_ours(x, m, streams, count);
	x->more_to_push |= waits;
	x->differs = 0;
	x->look_differs = false;
	/* It tells of every scope that we may read: of what we read no more we wait for nothing. */
	if (rc == 0)
		rc = store_remote_forget_digests(x->r->db, "hub", err);
	for (size_t i = 0; rc == 0 && i < m->digest_count; i++) {
		struct store_remote_digest d = { .at_ms = env_wall_ms(store_db_env(x->r->db)) };

		rc = store_catalog_scope(x->r->db, m->scopes[m->digests[i].scope], &d.scope, err);
		if (rc < 0)
			break;
		memcpy(d.sum, m->digests[i].sum, STORE_TERM);
		d.equal_have = !waits && equal_have(x, m, streams, count, d.scope);
		x->level = x->level && d.equal_have;
		rc = store_remote_set_digest(x->r->db, "hub", &d, err);
		if (rc == 0 && d.equal_have)
			rc = hold_against(x, &d, err);
	}
	return rc;
}

/* Had the hub, when it answered, the records of a scope that the request said? */
static bool
had_as_said(const struct sync_exchange *x, const struct sync_message *m,
            const struct store_stream *streams, size_t count, int scope)
{
	for (size_t i = 0; i < count; i++) {
		bool same_head;

		if (streams[i].scope == scope &&
		    sync_exchange_hub_has(x, m, &streams[i], &same_head) !=
		            sync_exchange_said_of(x, &streams[i]))
			return false;
	}
	return true;
}

int
sync_exchange_rift(struct sync_exchange *x, const struct sync_message *m,
                   const struct store_stream *streams, size_t count, bool *again, struct err *err)
{
	bool looked = x->look != NULL;
	int rc = 0;

	if (looked)
		rc = sync_rift_take(&x->look, x->r, m,
		                    had_as_said(x, m, streams, count, x->look_scope), err);
	if (rc == 0 && looked && x->look == NULL && x->level && !x->look_differs)
		rc = store_rift_close(x->r->db, x->look_scope, err);
	if (rc == 0 && !looked && x->differs != 0 && x->look_scope == 0) {
		x->look_scope = x->differs;
		rc = sync_rift_begin(&x->look, x->r, x->differs, x->hubs_digest, err);
	}
	*again = x->look != NULL;
	return rc;
}

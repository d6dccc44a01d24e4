/*
 * sync/exchange/parted.c - another node's stream goes on otherwise at the hub than here.
 *
 * Hub and node were put back together, and both went on; this file holds the
 * records of the branch that was given up, maybe as the only one.
 *
 *   here      1 ... common │ given up        written again by us, with their stamps; cut off
 *   the hub   1 ... common │ what is         comes then by the next reply
 *
 * Where the two part is found in some round trips: we say that we have half as
 * much until the hub doesn't call that a fork, and sends what it has from there;
 * the segment that doesn't fit shows the place.  The hub's own streams: sync/exchange/back.c.
 */
#include "sync/exchange/exchange_priv.h"
#include "sync/reader.h"
#include "sync/seal/remint.h"

#include <string.h>

static struct sync_parted *
find(struct sync_exchange *x, int stream)
{
	for (size_t i = 0; i < x->parted_count; i++)
		if (x->parted[i].stream == stream)
			return &x->parted[i];
	return NULL;
}

int
sync_parted_say(struct sync_exchange *x, struct store_stream *stream, struct err *err)
{
	const struct sync_parted *p = find(x, stream->id);

	if (p == NULL)
		return 0;
	stream->n = p->n;
	return sync_reader_head(x->r->db, stream, p->n, stream->head, err);
}

/* ---- where they part ---- */

/* Does the hub hold another branch than the first `said` records here? */
static int
differs(struct sync_exchange *x, const struct sync_message *m, const struct store_stream *stream,
        uint64_t said, bool *yes, struct err *err)
{
	const struct sync_view_stream *view = sync_draft_view(x->r, m, stream);
	uint8_t head[STORE_HEAD];
	uint64_t common;
	int rc;

	*yes = false;
	if (view == NULL || view->n == 0)
		return 0;
	*yes = sync_fork_said(m, view, &common);
	if (*yes || view->n > said)
		return 0;
	rc = sync_reader_head(x->r->db, stream, view->n, head, err);
	*yes = rc == 0 && memcmp(head, view->head, SYNC_HEAD_SHORT) != 0;
	return rc;
}

static int
look_at(struct sync_exchange *x, const struct sync_message *m, const struct store_stream *stream,
        struct err *err)
{
	struct sync_parted *p = find(x, stream->id);
	uint64_t said = p == NULL ? stream->n : p->n;
	bool yes = false;
	int rc = said == 0 ? 0 : differs(x, m, stream, said, &yes, err);

	if (rc < 0 || !yes || (p == NULL && x->parted_count == SYNC_PARTED_MAX))
		return rc;
	if (p == NULL)
		p = &x->parted[x->parted_count++];
	p->stream = stream->id;
	x->moved = true;
	return sync_remint_cut(x->r, stream, said / 2, &p->n, err);
}

int
sync_parted_look(struct sync_exchange *x, const struct sync_message *m,
                 const struct store_stream *streams, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct store_site *site = store_catalog_site_of(x->r->db, streams[i].site);

		if (memcmp(site->node, x->r->self.node, STORE_NODE_ID) != 0 &&
		    memcmp(site->node, m->self.node, STORE_NODE_ID) != 0)
			rc = look_at(x, m, &streams[i], err);
	}
	return rc;
}

/* ---- and then ---- */

static struct sync_parted *
of_message(struct sync_exchange *x, const struct sync_message *m, unsigned index)
{
	struct store_stream stream;
	struct arena a = { 0 };
	struct err err;
	bool here = x->parted_count > 0 && sync_draft_find(x->r, m, index, &a, &stream, &err) == 1;

	arena_free(&a);
	return here ? find(x, stream.id) : NULL;
}

bool
sync_parted_is(struct sync_exchange *x, const struct sync_message *m, unsigned index)
{
	return of_message(x, m, index) != NULL;
}

bool
sync_parted_found(struct sync_exchange *x, const struct sync_message *m, unsigned index,
                  uint64_t common)
{
	struct sync_parted *p = of_message(x, m, index);

	if (p == NULL)
		return false;
	p->n = common;
	p->found = true;
	return true;
}

static int
heal(struct sync_exchange *x, const struct store_stream *stream, uint64_t common, struct err *err)
{
	const char *scope = store_catalog_scope_of(x->r->db, stream->scope);
	struct sync_restamp none = { 0 };
	struct sync_remint_job job = { .old = stream, .kept = common, .restamp = &none };
	struct store_stream cut = *stream;
	struct arena a = { 0 };
	int rc;

	if (x->r->may_write == NULL || x->r->may_write(x->r->ctx, &x->r->self, scope))
		return sync_remint(x->r, &job, err);
	/* What we may not write stays in the rows, and the digests tell of it. */
	rc = sync_remint_cut(x->r, stream, common, &common, err);
	if (rc == 0)
		rc = sync_remint_last(x->r, stream, common, &cut.last_stamp, err);
	if (rc == 0)
		rc = store_stream_cut(x->r->db, &cut, common, 0, &a, err);
	arena_free(&a);
	return rc;
}

int
sync_parted_heal(struct sync_exchange *x, struct err *err)
{
	struct store_stream *list = NULL;
	struct arena a = { 0 };
	size_t count = 0, left = 0;
	int rc = x->parted_count == 0 ? 0 : store_stream_list(x->r->db, 0, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct sync_parted *p = find(x, list[i].id);

		if (p != NULL && p->found)
			rc = heal(x, &list[i], p->n, err);
	}
	for (size_t i = 0; i < x->parted_count; i++)
		if (!x->parted[i].found)
			x->parted[left++] = x->parted[i];
	x->parted_healed = left < x->parted_count;
	x->parted_count = left;
	arena_free(&a);
	return rc;
}

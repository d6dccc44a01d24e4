/*
 * sync/exchange/parted.c - another node's stream goes on otherwise at the hub than here.
 *
 * Hub and node were put back together, and both went on; this file holds the
 * records of the branch that was given up, maybe as the only one.
 *
 *   here      1 ... common │ given up        written again by us, with their stamps; cut off
 *   the hub   1 ... common │ what is         comes then by the next reply
 *
 * Where the two part is found in some round trips by halving: what we say that we
 * have is either a fork to the hub, or it sends what comes after that.  The
 * segment that doesn't fit shows the place:
 *
 *   1 ── low ────── n ────── high      low: the hub has the same; high: it hasn't
 *         a fork: high = n             its records: low = n
 *
 * A reply holds some MB of records and no more, so those may well all be known.
 * The hub's own streams: sync/exchange/back.c.
 */
#include "store/share.h"
#include "sync/exchange/exchange_priv.h"
#include "sync/life.h"
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
	int rc;

	if (p == NULL)
		return 0;
	/* while it still says where it ends: the head there is at hand, and another one */
	rc = sync_reader_head(x->r->db, stream, p->n, stream->head, err);
	stream->n = p->n;
	return rc;
}

/* ---- where they part ---- */

/* Half way between, where a segment ends; *n is `low` if there is no such place. */
static int
halve(struct sync_exchange *x, const struct store_stream *stream, struct sync_parted *p,
      struct err *err)
{
	uint64_t mid = p->low + (p->high - p->low) / 2;
	struct store_segment seg;
	struct arena a = { 0 };
	int rc = sync_remint_cut(x->r, stream, mid, &p->n, err);

	if (rc < 0 || p->n > p->low || mid == 0)
		return rc;
	p->n = p->low;
	rc = store_segment_at(x->r->db, stream->id, mid, &a, &seg, err);
	if (rc == 0 && seg.last > p->low && seg.last < p->high)
		p->n = seg.last;
	arena_free(&a);
	return rc;
}

/* Did the hub send what comes after what we said?  Then that is what it has, too. */
static bool
was_sent(const struct sync_message *m, const struct sync_view_stream *view)
{
	for (size_t i = 0; i < m->segment_count; i++)
		if (&m->streams[m->segments[i].stream] == view)
			return true;
	return false;
}

/* The hub sent what it has after that, and all of it was known. */
static int
go_on(struct sync_exchange *x, const struct store_stream *stream, struct sync_parted *p,
      struct err *err)
{
	if (p->n <= p->low)
		return 0; /* it was said before: nothing else can be */
	p->low = p->n;
	x->moved = true;
	return halve(x, stream, p, err);
}

static int
look_at(struct sync_exchange *x, const struct sync_message *m, const struct store_stream *stream,
        struct err *err)
{
	const struct sync_view_stream *view = sync_draft_view(x->r, m, stream);
	struct sync_parted *p = find(x, stream->id);
	uint64_t said = p == NULL ? stream->n : p->n;
	bool apart = false;
	int rc;

	if (view == NULL || said == 0)
		return 0;
	rc = sync_fork_differs(x->r, m, stream, said, &apart, err);
	if (rc == 0 && !apart && p != NULL && was_sent(m, view))
		return go_on(x, stream, p, err);
	if (rc < 0 || !apart || (p == NULL && x->parted_count == SYNC_PARTED_MAX))
		return rc;
	if (p == NULL) {
		p = &x->parted[x->parted_count++];
		*p = (struct sync_parted){ .stream = stream->id };
	}
	p->high = view->n < said ? view->n : said;
	/* what was once the same is no more: the hub went back meanwhile */
	p->low = p->low < p->high ? p->low : 0;
	x->moved = true;
	return halve(x, stream, p, err);
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

/*
 * What is written again lies behind the record by which we told the hub that we have read who sees
 * what no more (sync/merge/told.h), but its writer needn't have heard.  In a new life of ours it
 * lies before the first such record.
 */
static int
begin_life(struct sync_exchange *x, int scope, bool *begun, struct err *err)
{
	bool any = false;
	int rc = *begun ? 0 : store_share_any_left(x->r->db, scope, &any, err);

	if (rc < 0 || !any)
		return rc;
	*begun = true;
	x->lives++;
	return sync_life_begin(x->r, SYNC_LIFE_QUIET, err);
}

static int
heal(struct sync_exchange *x, const struct store_stream *stream, uint64_t common, bool *begun,
     struct err *err)
{
	const char *scope = store_catalog_scope_of(x->r->db, stream->scope);
	struct sync_restamp none = { 0 };
	struct sync_remint_job job = { .old = stream, .kept = common, .restamp = &none };
	struct store_stream cut = *stream;
	struct arena a = { 0 };
	int schema = 0, rc;

	if (x->r->may_write == NULL || x->r->may_write(x->r->ctx, &x->r->self, scope)) {
		rc = begin_life(x, stream->scope, begun, err);
		return rc == 0 ? sync_remint(x->r, &job, err) : rc;
	}
	/* What we may not write stays in the rows, and the digests tell of it. */
	rc = sync_remint_cut(x->r, stream, common, &common, err);
	if (rc == 0)
		rc = sync_remint_last(x->r, stream, common, &cut.last_stamp, err);
	if (rc == 0)
		rc = sync_remint_schema(x->r, stream, common, &schema, err);
	if (rc == 0)
		rc = store_stream_cut(x->r->db, &cut, common, schema, &a, err);
	arena_free(&a);
	return rc;
}

int
sync_parted_heal(struct sync_exchange *x, struct err *err)
{
	struct store_stream *list = NULL;
	struct arena a = { 0 };
	size_t count = 0, left = 0;
	bool begun = false;
	int rc = 0;

	x->parted_healed = false;
	if (x->parted_count == 0 || x->lives >= SYNC_LIVES_MAX)
		return 0;
	rc = store_stream_list(x->r->db, 0, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct sync_parted *p = find(x, list[i].id);

		if (p != NULL && p->found)
			rc = heal(x, &list[i], p->n, &begun, err);
	}
	for (size_t i = 0; i < x->parted_count; i++)
		if (!x->parted[i].found)
			x->parted[left++] = x->parted[i];
	x->parted_healed = left < x->parted_count;
	x->parted_count = left;
	arena_free(&a);
	return rc;
}

#include "sync/rot.h"
#include "store/remote.h"
#include "sync/life.h"
#include "sync/reader.h"
#include "sync/seal/remint.h"

#include <string.h>

struct rot {
	struct sync_replica *r;
	struct store_remote hub;
	bool began; /* a new life */
};

/* The first segment that can't be read; *first is 0 if there is none. */
static int
find(struct rot *x, const struct store_stream *stream, uint64_t *first, struct err *err)
{
	uint64_t n = 1;
	int rc = 0;

	*first = 0;
	while (rc == 0 && n <= stream->n && *first == 0) {
		struct arena a = { .limit = SYNC_ARENA_MAX };
		struct sync_reader seg;

		rc = sync_reader_open(x->r->db, stream, n, &a, &seg, err);
		if (rc == ERR_CORRUPT) {
			*first = n;
			rc = 0;
		} else if (rc == 0) {
			n = seg.seg.last + 1;
		}
		arena_free(&a);
	}
	return rc;
}

/* Let go of everything from record `first` on, of which the hub has what counts. */
static int
cut(struct rot *x, struct store_stream *stream, uint64_t first, struct err *err)
{
	struct arena a = { 0 };
	int rc = sync_remint_last(x->r, stream, first - 1, &stream->last_stamp, err);

	if (rc == 0)
		rc = store_stream_cut(x->r->db, stream, first - 1, 0, &a, err);
	arena_free(&a);
	return rc;
}

static int
heal_own(struct rot *x, struct store_stream *stream, uint64_t first, struct err *err)
{
	struct sync_remint_job job = { .old = stream, .salvage = true };
	struct sync_restamp none = { 0 };
	struct arena a = { 0 };
	int rc = 0;

	if (x->hub.epoch_known)
		rc = store_stream_acked(x->r->db, stream->id, x->hub.epoch, &job.kept, err);
	if (rc == 0 && !x->began)
		rc = sync_life_begin(x->r, SYNC_LIFE_QUIET, err);
	x->began = true;
	job.restamp = &none;
	if (rc == 0)
		rc = sync_remint(x->r, &job, err);
	if (rc == 0)
		rc = store_stream_find(x->r->db, stream->site, stream->scope, &a, stream, err);
	if (rc == 0 && first <= stream->n)
		rc = cut(x, stream, first, err);
	arena_free(&a);
	return rc;
}

static int
heal(struct rot *x, struct store_stream *stream, int64_t *healed, struct err *err)
{
	const struct store_site *site = store_catalog_site_of(x->r->db, stream->site);
	bool own = memcmp(site->node, x->r->self.node, STORE_NODE_ID) == 0;
	uint64_t first;
	int rc = find(x, stream, &first, err);

	if (rc < 0 || first == 0)
		return rc;
	++*healed;
	return own ? heal_own(x, stream, first, err) : cut(x, stream, first, err);
}

int
sync_rot_heal(struct sync_replica *r, int64_t *healed, struct err *err)
{
	struct rot x = { .r = r };
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_remote_get(r->db, "hub", &a, &x.hub, err);

	*healed = 0;
	if (rc == 0)
		rc = store_stream_list(r->db, 0, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = heal(&x, &list[i], healed, err);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "rot") : 0;
}

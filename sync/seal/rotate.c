#include "sync/seal/rotate.h"
#include "store/base/buf.h"
#include "store/base/mutant.h"
#include "store/remote.h"
#include "store/stream.h"
#include "sync/life.h"
#include "sync/seal/remint.h"

#include <string.h>

/* One rotation, and what of it every stream needs to know. */
struct rotating {
	struct sync_replica *r;
	struct sync_rotation *rotation;
	struct store_stream *streams;
	size_t count;
	bool hub_known;
	uint8_t hub_epoch[STORE_EPOCH];
};

int
sync_rotate_key(struct store_db *db, uint8_t key[SYNC_PUBLIC_KEY], struct err *err)
{
	struct buf value = { 0 };
	int rc = store_meta_get(db, SYNC_META_KEY, &value, err);

	if (rc == 0 && value.len != SYNC_PUBLIC_KEY)
		rc = err_set(err, ERR_CORRUPT, "the key kept in the database isn't one");
	if (rc == 0)
		memcpy(key, value.bytes, SYNC_PUBLIC_KEY);
	buf_free(&value);
	return rc == ERR_NOTFOUND ? 0 : rc < 0 ? rc : 1;
}

static bool
is_own(const struct rotating *x, const struct store_stream *stream)
{
	const struct store_site *site = store_catalog_site_of(x->r->db, stream->site);

	return stream->n > 0 && memcmp(site->node, x->r->self.node, STORE_NODE_ID) == 0;
}

/* Until now the key of our lives was whichever we had.  1 if this life's is the old one. */
static int
is_of_old_key(const struct rotating *x, int site, struct err *err)
{
	uint8_t key[SYNC_PUBLIC_KEY];
	int rc = store_catalog_site_key(x->r->db, site, key, err);

	if (rc == 0) {
		rc = store_catalog_set_site_key(x->r->db, site, x->rotation->old_key, err);
		return rc < 0 ? rc : 1;
	}
	return rc < 0 ? rc : memcmp(key, x->rotation->old_key, sizeof key) == 0;
}

/* How much of it the hub is known to hold, where a segment ends. */
static int
find_kept(const struct rotating *x, const struct store_stream *stream, uint64_t *n, struct err *err)
{
	uint64_t acked = 0;
	int rc = 0;

	if (x->hub_known)
		rc = store_stream_acked(x->r->db, stream->id, x->hub_epoch, &acked, err);
	return rc == 0 ? sync_remint_cut(x->r, stream, acked, n, err) : rc;
}

static int
list_streams(struct rotating *x, struct arena *a, struct err *err)
{
	struct sync_rotation *out = x->rotation;
	int rc = 0;

	out->count = 0;
	out->list = arena_take(a, x->count + 1, sizeof *out->list);
	if (out->list == NULL)
		return err_set(err, ERR_NOMEM, "rotate: out of memory");
	for (size_t i = 0; rc == 0 && i < x->count; i++) {
		const struct store_stream *stream = &x->streams[i];
		struct sync_rotated *one = &out->list[out->count];

		if (!is_own(x, stream))
			continue;
		rc = is_of_old_key(x, stream->site, err);
		if (rc <= 0)
			continue;
		out->count++;
		memcpy(one->epoch, store_catalog_site_of(x->r->db, stream->site)->epoch,
		       STORE_EPOCH);
		one->scope = store_catalog_scope_of(x->r->db, stream->scope);
		rc = find_kept(x, stream, &one->n, err);
	}
	return rc < 0 ? rc : 0;
}

/* Earlier keys' lives too: what of them waits can't be signed any more. */
static int
write_again(struct rotating *x, struct err *err)
{
	struct sync_restamp none = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < x->count && !MUT(101); i++) {
		struct sync_remint_job job = { .old = &x->streams[i], .restamp = &none };

		if (!is_own(x, &x->streams[i]))
			continue;
		job.salvage = true;
		rc = find_kept(x, &x->streams[i], &job.kept, err);
		if (rc == 0)
			rc = sync_remint(x->r, &job, err);
	}
	return rc;
}

static int
find_hub(struct rotating *x, struct arena *a, struct err *err)
{
	struct store_remote hub;
	int rc = store_remote_get(x->r->db, "hub", a, &hub, err);

	if (rc < 0)
		return rc;
	x->hub_known = hub.epoch_known;
	memcpy(x->hub_epoch, hub.epoch, STORE_EPOCH);
	return 0;
}

int
sync_rotate(struct sync_replica *r, struct sync_rotation *rotation, struct arena *a,
            struct err *err)
{
	struct rotating x = { .r = r, .rotation = rotation };
	int rc = find_hub(&x, a, err);

	if (rc == 0)
		rc = store_stream_list(r->db, 0, a, &x.streams, &x.count, err);
	if (rc == 0)
		rc = list_streams(&x, a, err);
	if (rc == 0)
		rc = store_meta_set(r->db, SYNC_META_KEY, rotation->new_key, SYNC_PUBLIC_KEY, err);
	if (rc == 0)
		rc = sync_life_begin(r, SYNC_LIFE_QUIET, err);
	if (rc == 0)
		rc = write_again(&x, err);
	return rc < 0 ? err_wrap(err, "rotate") : 0;
}

/*
 * sync/merge/told.c - "told <stream>" in yz_meta: what was told so far, each n, stamp and site of 8
 * bytes.
 *
 * A statement is kept only if something has left since the one before, for the first that covers an
 * end says where the writer knew of it: what was refused by that stays refused, however much the
 * node tells later.
 */
#include "sync/merge/told.h"
#include "store/base/mutant.h"

#include "store/base/rd.h"

#include <stdio.h>
#include <string.h>

enum { TOLD = 24, TOLD_MAX = 256 };

static void
name_of(char name[32], int stream)
{
	snprintf(name, 32, "told %d", stream);
}

static int
get(struct sync_replica *r, int stream, struct buf *kept, struct err *err)
{
	char name[32];
	int rc;

	name_of(name, stream);
	rc = store_meta_get(r->db, name, kept, err);
	if (rc == ERR_NOTFOUND)
		return 0;
	return rc == 0 && kept->len % TOLD != 0
	               ? err_set(err, ERR_CORRUPT, "%s in yz_meta is damaged", name)
	               : rc;
}

static bool
next(struct rd *rd, struct sync_told *out)
{
	if (rd->left == 0)
		return false;
	out->n = rd_u64(rd);
	out->stamp = (int64_t)rd_u64(rd);
	out->site = (int)rd_u64(rd);
	return true;
}

/* Up to where the hub's life's stream was told to have been read. */
static int64_t
told_so_far(const struct buf *kept, int site)
{
	struct rd rd = rd_from(kept->bytes, kept->len);
	struct sync_told was;
	int64_t stamp = 0;

	while (next(&rd, &was))
		if (was.site == site && was.stamp > stamp)
			stamp = was.stamp;
	return stamp;
}

static int
append(struct sync_replica *r, int stream, const struct buf *kept, const struct sync_told *told,
       struct err *err)
{
	size_t gone = kept->len >= (size_t)TOLD * TOLD_MAX ? TOLD : 0;
	struct buf bytes = { 0 };
	char name[32];
	int rc;

	name_of(name, stream);
	if (kept->len > 0)
		buf_put(&bytes, kept->bytes + gone, kept->len - gone);
	buf_u64(&bytes, told->n);
	buf_u64(&bytes, (uint64_t)told->stamp);
	buf_u64(&bytes, (uint64_t)told->site);
	rc = buf_check(&bytes, err);
	if (rc == 0)
		rc = store_meta_set(r->db, name, bytes.bytes, bytes.len, err);
	buf_free(&bytes);
	return rc;
}

int
sync_told_note(struct sync_replica *r, const struct store_stream *stream,
               const struct sync_told *told, struct err *err)
{
	struct store_share since = { .scope = stream->scope, .left_site = told->site };
	struct buf kept = { 0 };
	bool any = false;
	int rc = get(r, stream->id, &kept, err);

	since.left = told_so_far(&kept, told->site);
	if (rc == 0 && told->stamp > since.left)
		rc = store_share_left_since(r->db, &since, &any, err);
	if (rc == 0 && any)
		rc = append(r, stream->id, &kept, told, err);
	buf_free(&kept);
	return rc;
}

int
sync_told_covers(struct sync_replica *r, int stream, uint64_t n, const struct store_share *left,
                 bool *yes, struct err *err)
{
	struct buf kept = { 0 };
	struct sync_told told;
	struct rd rd;
	int rc = get(r, stream, &kept, err);

	rd = rd_from(kept.bytes, kept.len);
	*yes = false;
	while (rc == 0 && next(&rd, &told))
		if (told.site == left->left_site && told.stamp >= left->left) {
			*yes = n > told.n && !MUT(57);
			break;
		}
	buf_free(&kept);
	return rc;
}

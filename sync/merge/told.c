/* sync/merge/told.c - "told <stream>" in yz_meta: n, stamp and site, 8 bytes each. */
#include "sync/merge/told.h"

#include "store/base/rd.h"

#include <stdio.h>

static void
name_of(char name[32], int stream)
{
	snprintf(name, 32, "told %d", stream);
}

static int
get(struct sync_replica *r, int stream, struct sync_told *out, struct err *err)
{
	struct buf kept = { 0 };
	char name[32];
	struct rd rd;
	int rc;

	name_of(name, stream);
	*out = (struct sync_told){ 0 };
	rc = store_meta_get(r->db, name, &kept, err);
	rd = rd_from(kept.bytes, kept.len);
	if (rc == 0) {
		out->n = rd_u64(&rd);
		out->stamp = (int64_t)rd_u64(&rd);
		out->site = (int)rd_u64(&rd);
	}
	if (rc == 0 && (rd.bad || rd.left > 0))
		rc = err_set(err, ERR_CORRUPT, "%s in yz_meta is damaged", name);
	buf_free(&kept);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
sync_told_note(struct sync_replica *r, int stream, const struct sync_told *told, struct err *err)
{
	struct sync_told was;
	struct buf bytes = { 0 };
	char name[32];
	int rc = get(r, stream, &was, err);

	if (rc < 0 || (was.n == told->n && was.stamp == told->stamp && was.site == told->site))
		return rc;
	name_of(name, stream);
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
sync_told_covers(struct sync_replica *r, int stream, uint64_t n, const struct store_share *left,
                 bool *yes, struct err *err)
{
	struct sync_told told;
	int rc = get(r, stream, &told, err);

	*yes = rc == 0 && told.site == left->left_site && told.stamp >= left->left && n > told.n;
	return rc;
}

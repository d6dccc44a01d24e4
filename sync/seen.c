#include "sync/seen.h"

#include <stdlib.h>
#include <string.h>

static int
by_site(const void *left, const void *right)
{
	return memcmp(&((const struct sync_seen *)left)->site,
	              &((const struct sync_seen *)right)->site, sizeof(struct sync_site));
}

void
sync_seen_sort(struct sync_seen *list, size_t count)
{
	if (count > 1)
		qsort(list, count, sizeof *list, by_site);
}

int
sync_seen_now(struct store_db *db, const struct store_stream *own, struct arena *a,
              struct sync_seen **list, size_t *count, struct err *err)
{
	struct store_stream *streams;
	size_t total;
	int rc;

	*count = 0;
	rc = store_stream_list(db, own->scope, a, &streams, &total, err);
	if (rc < 0)
		return rc;
	*list = arena_take(a, total, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "seal: out of memory");
	for (size_t i = 0; i < total; i++) {
		const struct store_site *site = store_catalog_site_of(db, streams[i].site);
		struct sync_seen *seen = &(*list)[*count];

		/* a stream without records may have been heard of by relay */
		if (streams[i].site == own->site || streams[i].last_stamp == 0)
			continue;
		memcpy(seen->site.node, site->node, STORE_NODE_ID);
		memcpy(seen->site.epoch, site->epoch, STORE_EPOCH);
		seen->stamp = streams[i].last_stamp;
		(*count)++;
	}
	sync_seen_sort(*list, *count);
	return 0;
}

void
sync_seen_write(struct buf *out, const struct sync_seen *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_put(out, &list[i].site, sizeof list[i].site);
		buf_zigzag(out, list[i].stamp);
	}
}

int
sync_seen_read(const uint8_t *bytes, size_t len, struct arena *a, struct sync_seen **list,
               size_t *count, struct err *err)
{
	struct rd r = rd_from(bytes, len);

	*count = 0;
	*list = arena_take(a, len / sizeof(struct sync_site) + 1, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "seen: out of memory");
	while (!r.bad && r.left > 0) {
		const uint8_t *site = rd_bytes(&r, sizeof(struct sync_site));
		struct sync_seen *seen = &(*list)[*count];

		seen->stamp = rd_zigzag(&r);
		if (r.bad)
			break;
		memcpy(&seen->site, site, sizeof seen->site);
		(*count)++;
	}
	return 0;
}

bool
sync_seen_covers(const uint8_t *bytes, size_t len, const struct store_site *site, int64_t stamp)
{
	struct rd r = rd_from(bytes, len);

	while (!r.bad && r.left > 0) {
		const uint8_t *name = rd_bytes(&r, sizeof(struct sync_site));
		int64_t seen = rd_zigzag(&r);

		if (!r.bad && memcmp(name, site->node, STORE_NODE_ID) == 0 &&
		    memcmp(name + STORE_NODE_ID, site->epoch, STORE_EPOCH) == 0)
			return seen >= stamp;
	}
	return false;
}

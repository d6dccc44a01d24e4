#include "sync/merge/late.h"
#include "sync/codec/segment.h"
#include "sync/look.h"
#include "sync/merge/ahead_priv.h"
#include "sync/merge/late_priv.h"

#include <string.h>

const char sync_late_words[] = "revoked: it came after its node's key was revoked; let it in with "
                               "retry ID, or give it up with drop ID";

/* Does it go on from what is held up to `end`?  1 or 0. */
static int
goes_on(const struct sync_late_segment *late, const struct sync_segment_at *end, struct err *err)
{
	uint64_t before = late->seg->first - 1;
	uint8_t head[STORE_HEAD];
	int rc;

	if (end->n <= before)
		return 1;
	rc = sync_segment_head(late->seg, late->records, (size_t)(end->n - before), head, err);
	return rc < 0 ? rc : memcmp(head, end->head, STORE_HEAD) == 0;
}

static int
put(struct sync_replica *r, const struct sync_late_segment *late, struct err *err)
{
	struct store_held held = {
		.stream = late->stream->id, .n = late->n, .bytes = late->bytes, .len = late->len
	};
	/* what it says again is held once */
	int rc = store_held_cut(r->db, late->stream->id, late->n, err);

	if (rc == 0)
		rc = store_held_add(r->db, &held, err);
	return rc == 0 ? sync_ahead_list(r, late->stream, sync_late_words, err) : rc;
}

int
sync_late_room(struct sync_replica *r, const uint8_t node[STORE_NODE_ID], size_t len,
               const char **why, struct err *err)
{
	int64_t bytes;
	int rc = store_held_bytes(r->db, node, SYNC_LATE_LEAST, &bytes, err);

	if (rc == 0 && bytes + (int64_t)len > SYNC_LATE_BYTES)
		*why = "as much of its node is kept aside as may be";
	return rc;
}

int
sync_late_hold(struct sync_replica *r, const struct sync_late_segment *late, const char **why,
               struct err *err)
{
	struct sync_segment_at end = { .n = UINT64_MAX };
	bool given_up = false;
	int rc = store_held_given_up(r->db, late->stream->id, &given_up, err);

	*why = NULL;
	if (rc == 0 && given_up)
		*why = "it was given up by a person here";
	if (rc < 0 || given_up)
		return rc;
	rc = sync_ahead_end(r, late->stream, late->names, &end, err);
	if (rc == 0)
		*why = "later: to compare all of it at once is too much work";
	if (rc <= 0 || late->seg->last <= end.n)
		return rc < 0 ? rc : 0;
	rc = goes_on(late, &end, err);
	if (rc == 0)
		*why = "it does not continue what is kept aside of its stream";
	if (rc == 1)
		rc = sync_late_room(r, late->node, late->len, why, err);
	return rc == 0 && *why == NULL ? put(r, late, err) : rc;
}

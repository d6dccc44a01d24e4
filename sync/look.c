#include "sync/look.h"

#include <stdlib.h>
#include <string.h>

/* What is held: its stream is 0 if nothing is. */
struct sync_look {
	int stream;
	struct arena arena;
	struct sync_reader reader;
};

void
sync_look_begin(struct sync_replica *r)
{
	sync_look_end(r);
	r->look_left = SYNC_LOOK_MAX;
}

void
sync_look_end(struct sync_replica *r)
{
	r->look_left = 0;
	if (r->look != NULL)
		arena_free(&r->look->arena);
	free(r->look);
	r->look = NULL;
}

bool
sync_look_spend(struct sync_replica *r, uint64_t units)
{
	if (r->look_left <= 0)
		return false;
	r->look_left -= (int64_t)units;
	return true;
}

static bool
holds(const struct sync_look *look, const struct store_stream *stream, uint64_t n)
{
	return look->stream == stream->id && n >= look->reader.seg.first &&
	       n <= look->reader.seg.last;
}

/* What it costs is known only when it is done; so the last look may go over. */
int
sync_look_open(struct sync_replica *r, const struct store_stream *stream, uint64_t n,
               const struct sync_reader **out, struct err *err)
{
	struct sync_look *look = r->look;
	int rc;

	if (r->look_left <= 0)
		return 0;
	if (look == NULL)
		look = r->look = calloc(1, sizeof *look);
	if (look == NULL)
		return err_set(err, ERR_NOMEM, "sync: out of memory");
	*out = &look->reader;
	if (holds(look, stream, n))
		return 1;
	arena_free(&look->arena);
	*look = (struct sync_look){ .arena = { .limit = SYNC_ARENA_MAX } };
	rc = sync_reader_open(r->db, stream, n, &look->arena, &look->reader, err);
	sync_look_spend(r, look->reader.count + look->reader.seg.body_len / 64 + 1);
	if (rc < 0)
		return rc;
	look->stream = stream->id;
	return 1;
}

bool
sync_look_is_over(const struct sync_replica *r)
{
	return r->look != NULL && r->look->arena.over;
}

int
sync_look_head(struct sync_replica *r, const struct store_stream *stream, uint64_t n,
               uint8_t head[STORE_HEAD], struct err *err)
{
	const struct sync_reader *kept;
	int rc;

	if (n == 0 || n >= stream->n) {
		rc = sync_reader_head(r->db, stream, n, head, err);
		return rc < 0 ? rc : 1;
	}
	rc = sync_look_open(r, stream, n, &kept, err);
	if (rc == ERR_CORRUPT) { /* what comes behind it may tell */
		rc = sync_reader_head(r->db, stream, n, head, err);
		return rc < 0 ? rc : 1;
	}
	if (rc != 1)
		return rc;
	sync_look_spend(r, (n - kept->seg.first) / 2 + 1);
	rc = sync_segment_head(&kept->seg, kept->records, (size_t)(n - kept->seg.first) + 1, head,
	                       err);
	return rc < 0 ? rc : 1;
}

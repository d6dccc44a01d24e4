/* sync/seal/pen.c - units into our own streams (sync/seal/pen_priv.h). */
#include "sync/codec/segment.h"
#include "sync/seal/pen_priv.h"
#include "sync/seen.h"

#include <assert.h>
#include <string.h>

enum { DAY_MS = 86400000 };

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

static int
name_schema(struct sync_pen *pen, const struct store_schema *schema, unsigned *no, struct err *err)
{
	struct store_db *db = pen->r->db;
	struct sync_definition *def;
	struct buf bytes = { 0 };
	int known, rc;

	for (size_t i = 0; i < pen->named_count; i++)
		if (pen->named[i].schema == schema->id) {
			*no = pen->named[i].no;
			return 0;
		}
	rc = store_stream_schema_no(db, pen->stream.id, schema->id, &known, err);
	if (rc < 0)
		return rc;
	*no = known > 0 ? (unsigned)known : (unsigned)++pen->schema_count;
	pen->named[pen->named_count].schema = schema->id;
	pen->named[pen->named_count++].no = *no;
	if (known > 0)
		return 0;
	rc = store_stream_schema_add(db, pen->stream.id, (int)*no, schema->id, err);
	if (rc < 0)
		return rc;
	store_schema_write(&bytes, schema);
	def = &pen->opening.definitions[pen->opening.definition_count++];
	def->no = *no;
	def->len = bytes.len;
	def->bytes = arena_copy(pen->arena, bytes.bytes, bytes.len);
	if (bytes.bad || def->bytes == NULL)
		rc = no_memory(err);
	buf_free(&bytes);
	return rc;
}

/* What this unit has seen; said only when it differs from the unit before. */
static int
look_around(struct sync_pen *pen, struct err *err)
{
	struct sync_opening *o = &pen->opening;
	int rc = 0;

	if (pen->again == NULL)
		rc = sync_seen_now(pen->r->db, &pen->stream, pen->arena, &o->seen, &o->seen_count,
		                   err);
	if (rc < 0)
		return rc;
	sync_seen_write(&pen->seen, o->seen, o->seen_count);
	if (o->kind != SYNC_RELAY && pen->stream.n > 0 && pen->seen.len == pen->stream.seen_len &&
	    (pen->seen.len == 0 || memcmp(pen->seen.bytes, pen->stream.seen, pen->seen.len) == 0)) {
		o->seen_as_before = true;
		o->seen_count = 0;
	}
	return buf_check(&pen->seen, err);
}

/* The day's seed, drawn anew when a stream's day begins. */
static void
choose_seed(struct sync_pen *pen, int64_t sealed_ms)
{
	int day = (int)(sealed_ms / DAY_MS);

	if (pen->stream.seed_day == day)
		return;
	pen->stream.seed_day = day;
	env_rand(store_db_env(pen->r->db), pen->stream.seed, STORE_SEED);
}

/* Stamps of our own in the part, the greatest: what others wrote has its place elsewhere. */
static int64_t
own_stamp(const struct sync_pen *pen)
{
	bool ours = pen->opening.kind != SYNC_RELAY;
	int64_t greatest = 0;

	for (size_t i = 1; i < pen->count; i++)
		if ((ours || pen->records[i].change.site == pen->r->self.id) &&
		    pen->records[i].change.stamp > greatest)
			greatest = pen->records[i].change.stamp;
	return greatest;
}

/* What it had seen holds from here on; a relay's is its own. */
static int
note_seen(struct sync_pen *pen, struct err *err)
{
	if (pen->opening.seen_as_before || pen->opening.kind == SYNC_RELAY)
		return 0;
	pen->stream.seen = arena_copy(pen->arena, pen->seen.bytes, pen->seen.len);
	pen->stream.seen_len = pen->seen.len;
	if (pen->stream.seen == NULL)
		return no_memory(err);
	return store_seen_add(pen->r->db, pen->stream.id, pen->records[1].change.stamp,
	                      pen->seen.bytes, pen->seen.len, err);
}

static int
write_segment(struct sync_pen *pen, struct err *err)
{
	struct sync_segment_at at = { .n = pen->stream.n };
	struct store_segment seg;
	int rc;

	memcpy(at.head, pen->stream.head, STORE_HEAD);
	memcpy(at.seed, pen->stream.seed, STORE_SEED);
	pen->opening.changes = (uint32_t)(pen->count - 1);
	rc = sync_segment_build(&at, pen->records, pen->count, pen->arena, &seg, err);
	if (rc < 0)
		return rc;
	seg.stream = pen->stream.id;
	seg.day = pen->stream.seed_day;
	seg.sealed_ms = pen->opening.sealed_ms;
	rc = store_segment_append(pen->r->db, &seg, err);
	if (rc < 0)
		return rc;
	pen->stream.n = seg.last;
	memcpy(pen->stream.head, seg.head, STORE_HEAD);
	/* what is written again has the stamp that it had, and those needn't rise */
	if (own_stamp(pen) > pen->stream.last_stamp)
		pen->stream.last_stamp = own_stamp(pen);
	rc = note_seen(pen, err);
	return rc == 0 ? store_stream_put(pen->r->db, &pen->stream, err) : rc;
}

/* Whose change it is, by its place in a relay's list. */
static unsigned
origin_of(const struct sync_pen *pen, const struct store_change *change)
{
	const struct store_site *site = store_catalog_site_of(pen->r->db, change->site);
	unsigned i = 0;

	while (i < pen->opening.origin_count &&
	       (memcmp(pen->opening.origins[i].node, site->node, STORE_NODE_ID) != 0 ||
	        memcmp(pen->opening.origins[i].epoch, site->epoch, STORE_EPOCH) != 0))
		i++;
	assert(i < pen->opening.origin_count);
	return i;
}

/* ---- the door ---- */

int
sync_pen_begin(struct sync_pen *pen, struct err *err)
{
	struct sync_opening *o = &pen->opening;

	*o = (struct sync_opening){ .kind = SYNC_PLAIN };
	if (pen->again != NULL) {
		*o = *pen->again;
		o->seen_as_before = false;
	}
	o->sealed_ms = sync_replica_now_ms(pen->r);
	o->definition_count = 0;
	o->definitions = arena_take(pen->arena, pen->schema_room, sizeof *o->definitions);
	if (o->definitions == NULL)
		return no_memory(err);
	buf_clear(&pen->seen);
	choose_seed(pen, o->sealed_ms);
	pen->records[0] = (struct sync_record){ .type = SYNC_OPENING, .opening = o };
	pen->count = 1;
	pen->bytes = 0;
	return look_around(pen, err);
}

bool
sync_pen_is_full(const struct sync_pen *pen)
{
	return pen->count + 2 > SYNC_PEN_RECORDS || pen->bytes > SYNC_PEN_BYTES;
}

int
sync_pen_add(struct sync_pen *pen, const struct store_change *change, struct err *err)
{
	struct sync_record *rec = &pen->records[pen->count];
	int rc;

	rec->type = SYNC_CHANGE;
	rec->change = *change;
	rec->origin = pen->opening.kind == SYNC_RELAY ? origin_of(pen, change) : 0;
	rc = name_schema(pen, change->schema, &rec->schema_no, err);
	if (rc < 0)
		return rc;
	pen->count++;
	pen->bytes += 32;
	for (unsigned k = 0; k < change->schema->column_count; k++)
		if (change->mask >> k & 1)
			pen->bytes += 8 + change->values[k].len;
	return 0;
}

/*
 * The records at hand as one segment; in halves, which are parts of the unit, when they exceed what
 * a segment may hold: how well values compress is known only once it was tried.
 */
int
sync_pen_write(struct sync_pen *pen, struct err *err)
{
	bool more = pen->more;
	size_t count = pen->count, half = count / 2;
	int rc;

	pen->opening.more = more;
	rc = write_segment(pen, err);
	if (rc != ERR_INVALID || count <= 2)
		return rc;
	pen->count = half + 1;
	pen->more = true;
	rc = sync_pen_write(pen, err);
	pen->more = more;
	if (rc < 0)
		return rc;
	pen->records += half; /* the last one written makes room for the next opening */
	rc = sync_pen_begin(pen, err);
	pen->count = count - half;
	if (rc == 0)
		rc = sync_pen_write(pen, err);
	pen->records -= half;
	return rc;
}

int
sync_pen_open(struct sync_pen *pen, int scope, size_t changes, struct err *err)
{
	int rc;

	/* every tracked table has a schema; what is written again may be of older ones, too */
	pen->schema_room = (size_t)store_catalog_table_count(pen->r->db) + 1 +
	                   (pen->again == NULL ? 0 : changes);
	pen->records =
	        arena_take(pen->arena, (changes < SYNC_PEN_RECORDS ? 2 * changes : changes) + 2,
	                   sizeof *pen->records);
	pen->named = arena_take(pen->arena, pen->schema_room, sizeof *pen->named);
	if (pen->records == NULL || pen->named == NULL)
		return no_memory(err);
	rc = store_stream_open(pen->r->db, pen->r->self.id, scope, pen->arena, &pen->stream, err);
	if (rc == 0)
		rc = store_stream_schema_count(pen->r->db, pen->stream.id, &pen->schema_count, err);
	return rc;
}

void
sync_pen_close(struct sync_pen *pen)
{
	buf_free(&pen->seen);
}

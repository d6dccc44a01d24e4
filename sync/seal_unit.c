/* sync/seal_unit.c - sealed changes as units of our own streams, one per scope. */
#include "sync/seal_priv.h"
#include "sync/seen.h"
#include "sync/segment.h"

#include <string.h>

enum {
	SEAL_RECORDS = 60000, /* changes of one segment */
	SEAL_BYTES = 3 << 20, /* and about so many bytes of values */
	DAY_MS = 86400000,
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

struct unit {
	struct seal *s;
	struct store_stream stream;
	struct sync_opening opening;
	struct buf seen;
	struct sync_record *records; /* [0] is the opening */
	size_t count;
	size_t bytes;
	int schema_count; /* that the stream has named */
	struct {
		int schema;
		unsigned no;
	} * named; /* those asked for so far */
	size_t named_count;
};

static int
name_schema(struct unit *u, const struct store_schema *schema, unsigned *no, struct err *err)
{
	struct store_db *db = u->s->r->db;
	struct sync_definition *def;
	struct buf bytes = { 0 };
	int known, rc;

	for (size_t i = 0; i < u->named_count; i++)
		if (u->named[i].schema == schema->id) {
			*no = u->named[i].no;
			return 0;
		}
	rc = store_stream_schema_no(db, u->stream.id, schema->id, &known, err);
	if (rc < 0)
		return rc;
	*no = known > 0 ? (unsigned)known : (unsigned)++u->schema_count;
	u->named[u->named_count].schema = schema->id;
	u->named[u->named_count++].no = *no;
	if (known > 0)
		return 0;
	rc = store_stream_schema_add(db, u->stream.id, (int)*no, schema->id, err);
	if (rc < 0)
		return rc;
	store_schema_write(&bytes, schema);
	def = &u->opening.definitions[u->opening.definition_count++];
	def->no = *no;
	def->len = bytes.len;
	def->bytes = arena_copy(&u->s->arena, bytes.bytes, bytes.len);
	if (bytes.bad || def->bytes == NULL)
		rc = no_memory(err);
	buf_free(&bytes);
	return rc;
}

/* What this unit has seen; said only when it differs from the unit before. */
static int
look_around(struct unit *u, struct err *err)
{
	struct sync_opening *o = &u->opening;
	int rc =
	        sync_seen_now(u->s->r->db, &u->stream, &u->s->arena, &o->seen, &o->seen_count, err);

	if (rc < 0)
		return rc;
	sync_seen_write(&u->seen, o->seen, o->seen_count);
	if (u->stream.n > 0 && u->seen.len == u->stream.seen_len &&
	    (u->seen.len == 0 || memcmp(u->seen.bytes, u->stream.seen, u->seen.len) == 0)) {
		o->seen_as_before = true;
		o->seen_count = 0;
	}
	return buf_check(&u->seen, err);
}

/* The day's seed, drawn anew when a stream's day begins. */
static void
choose_seed(struct unit *u, int64_t sealed_ms)
{
	int day = (int)(sealed_ms / DAY_MS);

	if (u->stream.seed_day == day)
		return;
	u->stream.seed_day = day;
	env_rand(store_db_env(u->s->r->db), u->stream.seed, STORE_SEED);
}

static int
write_segment(struct unit *u, struct err *err)
{
	struct sync_segment_at at = { .n = u->stream.n };
	struct store_segment seg;
	int rc;

	memcpy(at.head, u->stream.head, STORE_HEAD);
	memcpy(at.seed, u->stream.seed, STORE_SEED);
	u->opening.changes = (uint32_t)(u->count - 1);
	rc = sync_segment_build(&at, u->records, u->count, &u->s->arena, &seg, err);
	if (rc < 0)
		return rc;
	seg.stream = u->stream.id;
	seg.day = u->stream.seed_day;
	seg.sealed_ms = u->opening.sealed_ms;
	rc = store_segment_append(u->s->r->db, &seg, err);
	if (rc < 0)
		return rc;
	u->stream.n = seg.last;
	memcpy(u->stream.head, seg.head, STORE_HEAD);
	u->stream.last_stamp = u->records[u->count - 1].change.stamp;
	if (!u->opening.seen_as_before) {
		u->stream.seen = arena_copy(&u->s->arena, u->seen.bytes, u->seen.len);
		u->stream.seen_len = u->seen.len;
		if (u->stream.seen == NULL)
			return no_memory(err);
		rc = store_seen_add(u->s->r->db, u->stream.id, u->records[1].change.stamp,
		                    u->seen.bytes, u->seen.len, err);
	}
	return rc == 0 ? store_stream_put(u->s->r->db, &u->stream, err) : rc;
}

static int
add_record(struct unit *u, const struct item *it, int i, struct err *err)
{
	struct sync_record *rec = &u->records[u->count];
	int rc;

	rec->type = SYNC_CHANGE;
	rec->change = it->changes[i];
	rc = name_schema(u, it->changes[i].schema, &rec->schema_no, err);
	if (rc < 0)
		return rc;
	u->count++;
	u->bytes += 32;
	for (unsigned k = 0; k < rec->change.schema->column_count; k++)
		if (rec->change.mask >> k & 1)
			u->bytes += 8 + rec->change.values[k].len;
	return 0;
}

static int
begin_part(struct unit *u, struct err *err)
{
	struct sync_opening *o = &u->opening;

	*o = (struct sync_opening){ .kind = SYNC_PLAIN, .sealed_ms = sync_replica_now_ms(u->s->r) };
	/* every change could bring a schema of its own */
	o->definitions =
	        arena_take(&u->s->arena, (size_t)store_catalog_table_count(u->s->r->db) + 1,
	                   sizeof *o->definitions);
	if (o->definitions == NULL)
		return no_memory(err);
	buf_clear(&u->seen);
	choose_seed(u, o->sealed_ms);
	u->records[0] = (struct sync_record){ .type = SYNC_OPENING, .opening = o };
	u->count = 1;
	u->bytes = 0;
	return look_around(u, err);
}

/*
 * The records at hand as one segment; in halves, which are parts of the unit, when they exceed what
 * a segment may hold: how well values compress is known only once it was tried.
 */
static int
write_part(struct unit *u, struct err *err)
{
	bool more = u->opening.more;
	size_t count = u->count, half = count / 2;
	int rc = write_segment(u, err);

	if (rc != ERR_INVALID || count <= 2)
		return rc;
	u->count = half + 1;
	u->opening.more = true;
	rc = write_part(u, err);
	if (rc < 0)
		return rc;
	u->records += half; /* the last one written makes room for the next opening */
	rc = begin_part(u, err);
	u->count = count - half;
	u->opening.more = more;
	if (rc == 0)
		rc = write_part(u, err);
	u->records -= half;
	return rc;
}

/* All items of one scope as one unit, in parts if it is large. */
static int
write_unit(struct unit *u, bool more, struct err *err)
{
	struct seal *s = u->s;
	int rc = begin_part(u, err);

	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		const struct item *it = &s->items[i];

		if (it->change_count == 0 || it->row.scope != u->stream.scope)
			continue;
		if (u->count + 2 > SEAL_RECORDS || u->bytes > SEAL_BYTES) {
			u->opening.more = true;
			rc = write_part(u, err);
			if (rc == 0)
				rc = begin_part(u, err);
		}
		for (int k = 0; rc == 0 && k < it->change_count; k++) {
			rc = add_record(u, it, k, err);
			s->out->changes++;
		}
	}
	u->opening.more = more;
	s->out->units += !more;
	return rc == 0 ? write_part(u, err) : rc;
}

static int
tell(struct seal *s, int scope, uint64_t first, const struct unit *u, struct err *err)
{
	struct sync_unit unit = {
		.site = s->r->self.id,
		.scope = scope,
		.stream = u->stream.id,
		.first = first,
		.last = u->stream.n,
		.sealed_ms = u->opening.sealed_ms,
	};

	if (s->r->applied == NULL)
		return 0;
	unit.rows = arena_take(&s->arena, s->count, sizeof(struct store_row *));
	if (unit.rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].change_count > 0 && s->items[i].row.scope == scope)
			unit.rows[unit.count++] = &s->items[i].row;
	return s->r->applied(s->r->ctx, &unit, err);
}

static int
write_scope(struct seal *s, int scope, bool more, struct err *err)
{
	struct unit u = { .s = s };
	uint64_t first;
	int rc;

	u.records =
	        arena_take(&s->arena, (s->count < SEAL_RECORDS ? 2 * s->count : SEAL_RECORDS) + 2,
	                   sizeof *u.records);
	u.named = arena_take(&s->arena, (size_t)store_catalog_table_count(s->r->db) + 1,
	                     sizeof *u.named);
	if (u.records == NULL || u.named == NULL)
		return no_memory(err);
	rc = store_stream_open(s->r->db, s->r->self.id, scope, &s->arena, &u.stream, err);
	if (rc == 0)
		rc = store_stream_schema_count(s->r->db, u.stream.id, &u.schema_count, err);
	first = u.stream.n + 1;
	if (rc == 0)
		rc = write_unit(&u, more, err);
	if (rc == 0)
		rc = tell(s, scope, first, &u, err);
	buf_free(&u.seen);
	return rc;
}

int
sync_seal_units(struct seal *s, bool more, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		bool first = s->items[i].change_count > 0;

		for (size_t k = 0; first && k < i; k++)
			if (s->items[k].change_count > 0 &&
			    s->items[k].row.scope == s->items[i].row.scope)
				first = false;
		if (first)
			rc = write_scope(s, s->items[i].row.scope, more, err);
	}
	return rc;
}

/*
 * sync/seal.c - what was written here becomes records of our own streams.
 *
 * The log says which rows were touched, not what they hold: values are read from
 * the rows now, so several entries of one row fold to their net effect, and a
 * nested trigger of the application can't make log and row disagree.
 *
 *   in the clock   in the table   net effect
 *   dead/unknown   there          insert   cl + 1, every cell
 *   alive          there          update   the columns touched, groups whole; all of them after a
 * REPLACE alive          gone           delete   cl + 1 dead/unknown   gone           nothing
 *
 * The change then goes through the same sync_merge as a foreign one.  Only max
 * cells need care: the table already holds the new value, so the old one is put
 * back into the row's state first (unset if it isn't known: the triggers see to
 * it that a max column never falls, so a changed one has risen).
 */
#include "sync/seal.h"
#include "store/inbox.h"
#include "store/log.h"
#include "store/track.h"
#include "sync/merge.h"
#include "sync/seen.h"
#include "sync/segment.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEAL_ENTRIES = 60000, /* log entries of one part; below SYNC_RECORDS_MAX */
	SEAL_RECORDS = 32000, /* changes of one segment */
	SEAL_BYTES = 2 << 20, /* and about so many bytes of values */
	DAY_MS = 86400000,
};

/* One row on its way. */
struct item {
	struct store_log_row *log;
	struct store_row row;
	struct store_change changes[2]; /* an update of max cells may have to go before a delete */
	int change_count;
};

struct seal {
	struct sync_replica *r;
	struct arena arena;
	struct item *items;
	size_t count;
	int64_t last_stamp;
	struct sync_sealed *out;
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

static int64_t
next_stamp(struct seal *s, int64_t at_ms)
{
	int64_t ms = at_ms + s->r->clock_offset_ms;
	int64_t stamp;

	if (ms < s->r->clock_floor_ms)
		ms = s->r->clock_floor_ms;
	stamp = STORE_STAMP(ms, 0);
	s->last_stamp = stamp > s->last_stamp ? stamp : s->last_stamp + 1;
	return s->last_stamp;
}

/* ---- what happened to a row ---- */

static struct store_cell *
find_cell(struct store_row *row, int column)
{
	for (unsigned i = 0; i < row->cell_count; i++)
		if (row->cells[i].column == column)
			return &row->cells[i];
	return NULL;
}

static const struct store_value *
kept_value(const struct store_log_row *log, unsigned column)
{
	const struct store_value *value = NULL;

	for (size_t i = 0; i < log->kept_count; i++)
		if (log->kept[i].column == column)
			value = &log->kept[i].value;
	return value;
}

/* Put the old values of max cells back into the row's state (see the top). */
static void
restore_max(struct item *it)
{
	const struct store_schema *schema = it->log->schema;

	for (unsigned i = 0; i < schema->column_count; i++) {
		struct store_cell *cell = find_cell(&it->row, schema->columns[i].id);
		const struct store_value *kept = kept_value(it->log, i);
		bool touched = (it->log->mask >> i & 1) != 0;

		if (cell == NULL || schema->columns[i].rule != STORE_MAX || it->row.cl % 2 == 0)
			continue;
		if (touched || (kept == NULL && (it->log->inserted || !it->log->present)))
			cell->value = store_value_null();
		else if (kept != NULL)
			cell->value = *kept;
	}
}

static struct store_change *
add_change(struct seal *s, struct item *it, enum store_op op, int64_t cl, uint64_t mask)
{
	struct store_change *c = &it->changes[it->change_count++];

	*c = (struct store_change){
		.schema = it->log->schema,
		.op = op,
		.cl = cl,
		.site = s->r->self.id,
		.mask = mask,
		.values = it->log->values,
		.key = it->log->key,
		.key_len = it->log->key_len,
	};
	return c;
}

static uint64_t
max_columns(const struct store_schema *schema)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < schema->column_count; i++)
		if (schema->columns[i].rule == STORE_MAX && schema->columns[i].key == 0)
			mask |= (uint64_t)1 << i;
	return mask;
}

/* A key alone as values by position (deletes carry nothing else). */
static int
key_values(struct seal *s, struct item *it, struct store_value **values, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	struct rd r = rd_from(it->log->key, it->log->key_len);

	*values = arena_take(&s->arena, schema->column_count, sizeof **values);
	if (*values == NULL)
		return no_memory(err);
	for (unsigned i = 0; i < schema->column_count; i++)
		(*values)[i] = store_value_null();
	for (unsigned k = 0; k < schema->key_count; k++)
		(*values)[schema->keys[k]] = store_value_read(&r);
	assert(rd_done(&r));
	return 0;
}

/* The row is gone: its max cells may have risen before it went. */
static int
end_life(struct seal *s, struct item *it, struct err *err)
{
	uint64_t risen = it->log->mask & max_columns(it->log->schema);
	struct store_value *values;
	int rc = key_values(s, it, &values, err);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < it->log->schema->column_count; i++) {
		const struct store_value *kept = kept_value(it->log, i);

		if ((risen >> i & 1) != 0 && kept != NULL)
			values[i] = *kept;
		else
			risen &= ~((uint64_t)1 << i);
	}
	if (risen != 0)
		add_change(s, it, STORE_UPDATE, it->row.cl, risen)->values = values;
	add_change(s, it, STORE_DELETE, it->row.cl + 1, 0)->values = values;
	return 0;
}

/* A REPLACE, or delete and insert, in one seal: the greater of the old and the new max value is
 * what is written. */
static int
keep_greater(struct seal *s, struct item *it, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	struct store_value *values = it->log->values;

	for (unsigned i = 0; i < schema->column_count; i++) {
		const struct store_value *kept = kept_value(it->log, i);

		if (schema->columns[i].rule != STORE_MAX || kept == NULL ||
		    store_value_cmp(kept, &values[i]) <= 0)
			continue;
		if (values == it->log->values) {
			values = arena_take(&s->arena, schema->column_count, sizeof *values);
			if (values == NULL)
				return no_memory(err);
			memcpy(values, it->log->values, schema->column_count * sizeof *values);
		}
		values[i] = *kept;
	}
	it->changes[0].values = values;
	return 0;
}

static int
find_effect(struct seal *s, struct item *it, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	bool alive = it->row.cl % 2 == 1;
	uint64_t mask = it->log->inserted
	                        ? schema->cells
	                        : store_schema_widen(schema, it->log->mask) & schema->cells;

	if (it->log->present && !alive) {
		add_change(s, it, STORE_INSERT, it->row.cl + 1, schema->cells);
		return 0;
	}
	if (!alive)
		return 0;
	restore_max(it);
	if (!it->log->present)
		return end_life(s, it, err);
	if (mask == 0)
		return 0;
	add_change(s, it, STORE_UPDATE, it->row.cl, mask);
	return it->log->inserted ? keep_greater(s, it, err) : 0;
}

/* ---- reading ---- */

static int
scope_of(struct seal *s, struct item *it, struct err *err)
{
	char name[STORE_SCOPE_MAX + 1];
	struct err why;
	int rc;

	if (it->row.known)
		return 0; /* a row's scope never changes */
	if (!it->log->present) {
		it->log->schema = NULL; /* came and went: nobody has heard of it */
		return 0;
	}
	rc = store_schema_scope(it->log->schema, it->log->values, name, &why);
	if (rc < 0)
		snprintf(name, sizeof name, "hub"); /* belongs to nobody: stays here, listed */
	return store_catalog_scope(s->r->db, name, &it->row.scope, err);
}

static int
by_key(const void *left, const void *right)
{
	const struct store_row *a = *(struct store_row *const *)left,
	                       *b = *(struct store_row *const *)right;
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order;

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	order = memcmp(a->key, b->key, len);
	return order != 0 ? order : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int
read_rows(struct seal *s, struct store_log_row *logs, size_t count, struct err *err)
{
	struct store_row **rows = arena_take(&s->arena, count, sizeof *rows);
	int rc;

	s->items = arena_take(&s->arena, count, sizeof *s->items);
	s->count = count;
	if (rows == NULL || s->items == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		struct item *it = &s->items[i];

		it->log = &logs[i];
		it->row.table = logs[i].schema->table_id;
		it->row.key = logs[i].key;
		it->row.key_len = logs[i].key_len;
		rows[i] = &it->row;
	}
	qsort(rows, count, sizeof *rows, by_key);
	rc = s->r->batch->get(s->r->batch, rows, count, &s->arena, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = scope_of(s, &s->items[i], err);
		if (rc == 0 && s->items[i].log->schema != NULL)
			rc = find_effect(s, &s->items[i], err);
	}
	return rc;
}

/* ---- writing ---- */

/* Does the table show another max value than the merged one (a re-created row whose old life was
 * revoked)? */
static bool
must_write_back(const struct item *it)
{
	const struct store_schema *schema = it->log->schema;

	for (unsigned i = 0; it->log->present && i < it->row.cell_count; i++) {
		const struct store_cell *cell = &it->row.cells[i];

		for (unsigned k = 0; k < schema->column_count; k++)
			if (schema->columns[k].id == cell->column &&
			    schema->columns[k].rule == STORE_MAX &&
			    store_value_cmp(&cell->value, &it->log->values[k]) != 0)
				return true;
	}
	return false;
}

/* A write made here has seen every conflict of its cells that is shown here. */
static int
close_conflicts(struct seal *s, const struct item *it, struct err *err)
{
	struct store_conflict *list;
	size_t count;
	int rc = store_inbox_of(s->r->db, it->row.table, it->row.key, it->row.key_len, &s->arena,
	                        &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct store_schema *schema = it->log->schema;
		bool touched = list[i].column == 0;

		for (unsigned k = 0; k < schema->column_count; k++)
			if (schema->columns[k].id == list[i].column &&
			    (it->changes[0].mask >> k & 1) != 0)
				touched = true;
		if (touched)
			rc = store_inbox_close(s->r->db, list[i].id, err);
	}
	return rc;
}

static int
merge_item(struct seal *s, struct item *it, struct err *err)
{
	for (int i = 0; i < it->change_count; i++) {
		int rc;

		it->changes[i].stamp = next_stamp(s, it->log->at_ms);
		rc = sync_merge(s->r->batch, &it->row, &it->changes[i], NULL, &s->arena, err);
		if (rc < 0)
			return rc;
	}
	it->row.in_table = it->log->present;
	it->row.write_row = must_write_back(it);
	return 0;
}

static int
not_ours(struct seal *s, struct item *it, struct err *err)
{
	struct store_quarantined q = {
		.scope = it->row.scope,
		.table = it->row.table,
		.key = it->row.key,
		.key_len = it->row.key_len,
		.reason = "not ours: this node may not write rows of that scope; the row stays "
		          "here only",
	};

	it->change_count = 0;
	s->out->not_ours++;
	return store_quarantine_add(s->r->db, &q, err);
}

/* Stamps in the order of writing, merged clocks, all rows put. */
static int
merge_all(struct seal *s, struct err *err)
{
	struct store_row **rows = arena_take(&s->arena, s->count, sizeof *rows);
	int64_t conflicts, quarantined;
	size_t changed = 0;
	int rc = store_inbox_count(s->r->db, &conflicts, &quarantined, err);

	if (rows == NULL)
		return no_memory(err);
	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		struct item *it = &s->items[i];
		const char *scope;

		if (it->change_count == 0)
			continue;
		scope = store_catalog_scope_of(s->r->db, it->row.scope);
		if (s->r->may_write != NULL && !s->r->may_write(s->r->ctx, &s->r->self, scope)) {
			rc = not_ours(s, it, err);
			continue;
		}
		if (conflicts > 0)
			rc = close_conflicts(s, it, err);
		if (rc == 0)
			rc = merge_item(s, it, err);
		if (it->row.changed)
			rows[changed++] = &it->row;
	}
	if (rc == 0 && changed > 1)
		qsort(rows, changed, sizeof *rows, by_key);
	return rc < 0 ? rc : s->r->batch->put(s->r->batch, rows, changed, err);
}

/* ---- a unit ---- */

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
	int64_t first_stamp, last_stamp;
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
	int rc = sync_seen_now(u->s->r->db, u->stream.scope, u->s->r->self.id, &u->s->arena,
	                       &o->seen, &o->seen_count, err);

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
	u->opening.changes = (uint32_t)(u->count - 1);
	rc = sync_segment_build(&at, u->records, u->count, u->stream.seed, &u->s->arena, &seg, err);
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
	u->stream.last_stamp = u->last_stamp;
	if (!u->opening.seen_as_before) {
		u->stream.seen = arena_copy(&u->s->arena, u->seen.bytes, u->seen.len);
		u->stream.seen_len = u->seen.len;
		if (u->stream.seen == NULL)
			return no_memory(err);
		rc = store_seen_add(u->s->r->db, u->stream.id, u->first_stamp, u->seen.bytes,
		                    u->seen.len, err);
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
	if (u->count == 2)
		u->first_stamp = rec->change.stamp;
	u->last_stamp = rec->change.stamp;
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
			rc = write_segment(u, err);
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
	return rc == 0 ? write_segment(u, err) : rc;
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
	unit.rows = arena_take(&s->arena, s->count, sizeof *unit.rows);
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
	rc = store_stream_find(s->r->db, s->r->self.id, scope, true, &s->arena, &u.stream, err);
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

static int
write_units(struct seal *s, bool more, struct err *err)
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

/* ---- the whole ---- */

static int
seal_part(struct seal *s, bool *more, struct err *err)
{
	struct store_log_taken log;
	int rc = store_log_take(s->r->db, SEAL_ENTRIES, &s->arena, &log, err);

	*more = log.more;
	if (rc < 0 || log.count == 0)
		return rc;
	rc = read_rows(s, log.rows, log.count, err);
	if (rc == 0)
		rc = merge_all(s, err);
	return rc == 0 ? write_units(s, *more, err) : rc;
}

int
sync_seal(struct sync_replica *r, struct sync_sealed *out, struct err *err)
{
	struct seal s = { .r = r, .out = out };
	bool more = false;
	int64_t waiting, oldest;
	int rc;

	assert(store_db_in_transaction(r->db));
	*out = (struct sync_sealed){ 0 };
	rc = store_track_refresh(r->db, r->is_hub, err);
	if (rc == 0)
		rc = store_log_waiting(r->db, &waiting, &oldest, err);
	if (rc < 0 || waiting == 0)
		return rc;
	rc = store_meta_get_int(r->db, "last_stamp", 0, &s.last_stamp, err);
	do {
		if (rc == 0)
			rc = seal_part(&s, &more, err);
		arena_free(&s.arena);
	} while (rc == 0 && more);
	if (rc == 0)
		rc = store_meta_set_int(r->db, "last_stamp", s.last_stamp, err);
	if (rc == 0)
		rc = store_inbox_apply_verdicts(r->db, err);
	return rc < 0 ? err_wrap(err, "seal") : 0;
}

static int
sign_stream(struct sync_replica *r, const struct sync_key *key, const struct store_stream *stream,
            struct arena *a, struct err *err)
{
	struct sync_site site;
	struct store_segment seg;
	uint8_t signature[STORE_SIGNATURE];
	int rc = store_segment_at(r->db, stream->id, stream->n, a, &seg, err);

	if (rc < 0 || seg.is_signed)
		return rc;
	memcpy(site.node, r->self.node, STORE_NODE_ID);
	memcpy(site.epoch, r->self.epoch, STORE_EPOCH);
	sync_sign_head(key, &site, store_catalog_scope_of(r->db, stream->scope), seg.last, seg.head,
	               signature);
	return store_segment_sign(r->db, stream->id, seg.last, signature, key->public_key, err);
}

int
sync_seal_sign(struct sync_replica *r, const struct sync_key *key, struct err *err)
{
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_stream_list(r->db, 0, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (list[i].site == r->self.id && list[i].n > 0)
			rc = sign_stream(r, key, &list[i], &a, err);
	arena_free(&a);
	return rc;
}

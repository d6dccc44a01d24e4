#include "sync/seal/remint.h"
#include "store/inbox.h"
#include "sync/merge/merge.h"
#include "sync/reader.h"
#include "sync/seal/pen_priv.h"
#include "sync/seal/remint_priv.h"
#include "sync/seen.h"

#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "re-mint: out of memory");
}

/* ---- where the old stream is cut ---- */

/* The last record at or before `kept` that ends a segment. */
int
sync_remint_cut(struct sync_replica *r, const struct store_stream *old, uint64_t kept, uint64_t *n,
                struct err *err)
{
	struct store_segment seg;
	struct arena a = { 0 };
	int rc = 0;

	*n = kept < old->n ? kept : old->n;
	if (*n == 0 || *n == old->n)
		return 0;
	rc = store_segment_at(r->db, old->id, kept, &a, &seg, err);
	if (rc == 0 && seg.last != kept)
		*n = seg.first - 1;
	arena_free(&a);
	return rc;
}

/* Stamps rise along a stream, but for what was written again in it: what was written first is later
 * than all before it.  Those of relays have their place elsewhere. */
static bool
look_for_last(const struct sync_reader *seg, int64_t *stamp)
{
	bool plain = false, relay = false, any = false;

	for (size_t i = 0; i < seg->count; i++) {
		const struct sync_record *rec = &seg->records[i];

		if (rec->type == SYNC_OPENING) {
			plain = rec->opening->kind == SYNC_PLAIN;
			relay = rec->opening->kind == SYNC_RELAY;
		}
		if (rec->type != SYNC_CHANGE || relay)
			continue;
		any |= plain;
		if (rec->change.stamp > *stamp)
			*stamp = rec->change.stamp;
	}
	return any;
}

int
sync_remint_last(struct sync_replica *r, const struct store_stream *stream, uint64_t n,
                 int64_t *stamp, struct err *err)
{
	bool found = false;
	int rc = 0;

	*stamp = 0;
	while (rc == 0 && n > 0 && !found) {
		struct arena a = { .limit = SYNC_ARENA_MAX };
		struct sync_reader seg;

		rc = sync_reader_open(r->db, stream, n, &a, &seg, err);
		if (rc == 0)
			found = look_for_last(&seg, stamp);
		else if (rc == ERR_CORRUPT)
			rc = store_segment_at(r->db, stream->id, n, &a, &seg.seg, err);
		n = rc == 0 ? seg.seg.first - 1 : n;
		arena_free(&a);
	}
	return rc;
}

static int
find_stamp(struct sync_reminting *m, struct err *err)
{
	int rc = sync_remint_last(m->r, &m->old, m->kept, &m->kept_stamp, err);

	if (rc == 0 && m->kept_stamp > 0)
		rc = store_seen_at(m->r->db, m->old.id, m->kept_stamp, &m->seen, err);
	return rc;
}

/* ---- rows ---- */

/* A unit on its way from one life to the other. */
struct unit {
	struct sync_reminting *m;
	struct arena arena;
	struct sync_record *changes; /* sync_record of type SYNC_CHANGE only */
	size_t count;
	struct store_row **rows; /* distinct, in order */
	size_t row_count;
};

static int
read_rows(struct unit *u, struct err *err)
{
	struct store_row *all = arena_take(&u->arena, u->count, sizeof *all);
	size_t n = 0;

	u->rows = arena_take(&u->arena, u->count, sizeof(struct store_row *));
	if (all == NULL || u->rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < u->count; i++) {
		const struct store_change *c = &u->changes[i].change;

		all[i] = (struct store_row){ .table = c->schema->table_id,
			                     .scope = u->m->old.scope,
			                     .key = c->key,
			                     .key_len = c->key_len };
		u->rows[i] = &all[i];
	}
	store_row_sort(u->rows, u->count);
	for (size_t i = 0; i < u->count; i++)
		if (n == 0 || store_row_cmp(u->rows[n - 1], u->rows[i]) != 0)
			u->rows[n++] = u->rows[i];
	u->row_count = n;
	return u->m->r->batch->get(u->m->r->batch, u->rows, n, &u->arena, err);
}

static struct store_row *
row_of(const struct unit *u, const struct store_change *c)
{
	struct store_row key = { .table = c->schema->table_id,
		                 .key = c->key,
		                 .key_len = c->key_len };
	size_t low = 0, high = u->row_count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (store_row_cmp(u->rows[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return u->rows[low];
}

/* What the row has of that write is the present life's from here on. */
static void
move_version(struct store_row *row, const struct store_inbox_move *move)
{
	if (row->stamp == move->stamp && row->site == move->from) {
		row->stamp = move->to_stamp;
		row->site = move->to;
		row->changed = true;
	}
	for (unsigned i = 0; i < row->cell_count; i++) {
		struct store_cell *cell = &row->cells[i];

		if (cell->stamp != move->stamp || cell->site != move->from)
			continue;
		cell->stamp = move->to_stamp;
		cell->site = move->to;
		row->changed = true;
	}
}

/*
 * The versions are moved, not added: nobody else has the old ones, and max cells would keep the
 * lower.  Then the change is merged, for where one of another life of ours with the same stamp
 * stands.
 */
static int
move_rows(struct unit *u, struct err *err)
{
	struct sync_replica *r = u->m->r;
	int rc = read_rows(u, err);

	for (size_t i = 0; rc == 0 && i < u->count; i++) {
		struct store_change *c = &u->changes[i].change;
		struct store_inbox_move move = { .table = c->schema->table_id,
			                         .key = c->key,
			                         .key_len = c->key_len,
			                         .stamp = c->stamp,
			                         .to_stamp =
			                                 sync_restamp_of(u->m->restamp, c->stamp),
			                         .from = u->m->old.site,
			                         .to = r->self.id };
		struct store_row *row = row_of(u, c);

		c->site = r->self.id;
		c->stamp = move.to_stamp;
		move_version(row, &move);
		if (sync_merge_is_sound(c))
			rc = sync_merge(r->batch, row, c, NULL, &u->arena, err);
		if (rc == 0)
			rc = store_inbox_rename(r->db, &move, err);
	}
	return rc == 0 ? r->batch->put(r->batch, u->rows, u->row_count, err) : rc;
}

/* ---- units ---- */

/* What the unit had seen, and the old stream as far as it stays. */
static int
find_seen(struct unit *u, struct sync_opening *out, struct err *err)
{
	struct sync_reminting *m = u->m;
	struct sync_seen *list;
	size_t count;
	int rc = sync_seen_read(m->seen.bytes, m->seen.len, &u->arena, &list, &count, err);

	if (rc < 0)
		return rc;
	out->seen = arena_take(&u->arena, count + 1, sizeof *out->seen);
	if (out->seen == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++)
		if (memcmp(&list[i].site, &m->name, sizeof m->name) != 0)
			out->seen[out->seen_count++] = list[i];
	if (m->kept_stamp > 0)
		out->seen[out->seen_count++] = (struct sync_seen){ m->name, m->kept_stamp };
	sync_seen_sort(out->seen, out->seen_count);
	return 0;
}

static int
write_again(struct unit *u, const struct sync_opening *again, struct err *err)
{
	struct sync_pen pen = {
		.r = u->m->r, .arena = &u->arena, .again = again, .more = again->more
	};
	int rc = sync_pen_open(&pen, u->m->old.scope, u->count, err);

	if (rc == 0)
		rc = sync_pen_begin(&pen, err);
	for (size_t i = 0; rc == 0 && i < u->count; i++)
		rc = sync_pen_add(&pen, &u->changes[i].change, err);
	if (rc == 0)
		rc = sync_pen_write(&pen, err);
	sync_pen_close(&pen);
	return rc;
}

int
sync_remint_write(struct sync_reminting *m, const struct sync_remint_unit *unit, struct err *err)
{
	struct sync_opening again = { .kind = SYNC_REMINT,
		                      .more = unit->more,
		                      .origin_site = m->name,
		                      .origin_scope =
		                              store_catalog_scope_of(m->r->db, m->old.scope),
		                      .origin_first = unit->first,
		                      .origin_last = unit->last };
	struct unit u = { .m = m, .changes = unit->changes, .count = unit->count };
	int rc = find_seen(&u, &again, err);

	if (rc == 0)
		rc = move_rows(&u, err);
	if (rc == 0)
		rc = write_again(&u, &again, err);
	arena_free(&u.arena);
	return rc;
}

/* The unit whose opening is record `n`, records[0]. */
static int
take_unit(struct sync_reminting *m, struct sync_record *records, uint64_t n, struct err *err)
{
	const struct sync_opening *o = records[0].opening;
	struct sync_remint_unit unit = {
		.changes = records + 1, .first = n, .last = n + o->changes, .more = o->more
	};

	/* of what was erased there is nothing to write */
	for (size_t i = 0; i < o->changes; i++)
		if (records[1 + i].type == SYNC_CHANGE)
			unit.changes[unit.count++] = records[1 + i];
	return unit.count == 0 ? 0 : sync_remint_write(m, &unit, err);
}

static int
note_opening(struct sync_reminting *m, const struct sync_opening *o, struct err *err)
{
	for (size_t i = 0; i < o->definition_count; i++)
		if (m->schema_no == 0 || (int)o->definitions[i].no < m->schema_no)
			m->schema_no = (int)o->definitions[i].no;
	if (o->seen_as_before || o->kind == SYNC_RELAY)
		return 0;
	buf_clear(&m->seen);
	sync_seen_write(&m->seen, o->seen, o->seen_count);
	return buf_check(&m->seen, err);
}

static int
take_segment(struct sync_reminting *m, const struct sync_reader *seg, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < seg->count;) {
		struct sync_opening *o = seg->records[i].opening;

		if (seg->records[i].type != SYNC_OPENING || o->changes > seg->count - i - 1)
			return err_set(err, ERR_CORRUPT, "re-mint: record %llu is no unit's first",
			               (unsigned long long)(seg->seg.first + i));
		rc = note_opening(m, o, err);
		/* a relay says again what stands elsewhere */
		if (rc == 0 && o->kind != SYNC_RELAY)
			rc = take_unit(m, &seg->records[i], seg->seg.first + i, err);
		i += (size_t)o->changes + 1;
	}
	return rc;
}

/* What can't be read is left to sync_salvage(): *lost is the last of those. */
static int
take_tail(struct sync_reminting *m, bool salvage, uint64_t *lost, struct err *err)
{
	uint64_t n = m->kept + 1;
	int rc = 0;

	while (rc == 0 && n <= m->old.n) {
		struct arena a = { .limit = SYNC_ARENA_MAX };
		struct sync_reader seg;

		rc = sync_reader_open(m->r->db, &m->old, n, &a, &seg, err);
		if (rc == 0) {
			rc = take_segment(m, &seg, err);
		} else if (rc == ERR_CORRUPT && salvage) {
			rc = store_segment_at(m->r->db, m->old.id, n, &a, &seg.seg, err);
			*lost = seg.seg.last;
		}
		n = rc == 0 ? seg.seg.last + 1 : n;
		arena_free(&a);
	}
	return rc;
}

int
sync_remint(struct sync_replica *r, const struct sync_remint_job *job, struct err *err)
{
	const struct store_stream *old = job->old;
	const struct store_site *site = store_catalog_site_of(r->db, old->site);
	struct sync_reminting m = { .r = r, .old = *old, .restamp = job->restamp };
	struct arena a = { 0 };
	uint64_t lost = 0;
	int rc;

	memcpy(m.name.node, site->node, STORE_NODE_ID);
	memcpy(m.name.epoch, site->epoch, STORE_EPOCH);
	rc = sync_remint_cut(r, old, job->kept, &m.kept, err);
	if (rc == 0 && m.kept < old->n)
		rc = find_stamp(&m, err);
	if (rc == 0)
		rc = take_tail(&m, job->salvage, &lost, err);
	if (rc == 0 && lost > 0)
		rc = sync_salvage(&m, m.kept + 1, lost, err);
	m.old.last_stamp = m.kept_stamp;
	if (rc == 0 && m.kept < old->n)
		rc = store_stream_cut(r->db, &m.old, m.kept, m.schema_no, &a, err);
	buf_free(&m.seen);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "re-mint") : 0;
}

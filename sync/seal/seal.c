/*
 * sync/seal/seal.c - what was written here becomes records of our own streams.
 *
 * The log says which rows were touched; sync/seal/seal_effect.c says what that came
 * to.  The change then goes through the same sync_merge as a foreign one, and
 * sync/seal/seal_unit.c writes it into the stream of its scope.
 */
#include "store/base/mutant.h"
#include "store/inbox.h"
#include "store/settle.h"
#include "store/track.h"
#include "sync/look.h"
#include "sync/merge/retry.h"
#include "sync/merge/rivals.h"
#include "sync/merge/share.h"
#include "sync/seal/seal_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEAL_ENTRIES = 60000 }; /* log entries of one part; below SYNC_RECORDS_MAX */

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

int64_t
sync_seal_stamp(struct seal *s, int64_t at_ms)
{
	int64_t ms =
	        MUT(34) ? at_ms : sync_clock_time_of(&s->r->clock, store_db_env(s->r->db), at_ms);
	int64_t stamp = STORE_STAMP(ms, 0);

	s->last_stamp = stamp > s->last_stamp || MUT(6) ? stamp : s->last_stamp + 1;
	return s->last_stamp;
}

/* ---- reading ---- */

/*
 * What was held back at an earlier seal goes with this one: nobody knows any more which columns it
 * was, so all of them are written.  Not max columns: their value with a new stamp would differ from
 * everybody else's.
 */
static int
take_held_back(struct seal *s, struct item *it, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	int rc = store_quarantine_has_own(s->r->db, it->row.table, it->row.key, it->row.key_len,
	                                  &it->was_held, err);

	for (unsigned i = 0; it->was_held && i < schema->column_count; i++)
		if (schema->columns[i].key == 0 && schema->columns[i].rule != STORE_MAX)
			it->log->mask |= (uint64_t)1 << i;
	return rc;
}

/* What the row is in this file, and which of the log's columns may go out. */
static int
look_at(struct seal *s, struct item *it, bool aside, struct err *err)
{
	int rc = aside ? take_held_back(s, it, err) : 0;

	if (rc == 0)
		rc = sync_seal_scope(s, it, err);
	if (rc == 0 && it->log->schema != NULL)
		sync_seal_look_at_event(s, it);
	return rc;
}

static int
read_rows(struct seal *s, struct store_log_row *logs, size_t count, struct err *err)
{
	struct store_row **rows = arena_take(&s->arena, count, sizeof(struct store_row *));
	int64_t conflicts, aside;
	int rc;

	s->items = arena_take(&s->arena, count, sizeof *s->items);
	s->count = count;
	s->rewritten = 0;
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
	store_row_sort(rows, count);
	rc = store_inbox_count(s->r->db, &conflicts, &aside, err);
	if (rc == 0)
		rc = s->r->batch->get(s->r->batch, rows, count, &s->arena, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = look_at(s, &s->items[i], aside > 0, err);
	if (rc == 0 && s->rewritten > 0)
		rc = sync_seal_undo_events(s, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (s->items[i].log->schema != NULL)
			rc = sync_seal_effect(s, &s->items[i], err);
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

static int
merge_item(struct seal *s, struct item *it, struct sync_rivals *rivals, struct err *err)
{
	for (int i = 0; i < it->change_count; i++) {
		int rc;

		it->changes[i].stamp = sync_seal_stamp(s, it->log->at_ms);
		sync_rivals_before(rivals, &it->row, &it->changes[i]);
		rc = sync_merge(s->r->batch, &it->row, &it->changes[i], NULL, &s->arena, err);
		if (rc == 0)
			rc = sync_rivals_after(rivals, &it->row, err);
		if (rc < 0)
			return rc;
	}
	it->row.in_table = it->log->present;
	it->row.write_row = it->undo != SYNC_UNDO_NOTHING || must_write_back(it);
	return 0;
}

int
sync_seal_list(struct seal *s, const struct store_quarantined *q, struct err *err)
{
	sync_replica_keep(s->r, q->scope, q->reason);
	return store_quarantine_add(s->r->db, q, err);
}

/* The row stays as it is in this file and goes nowhere; a person is told why. */
static int
keep_here(struct seal *s, struct item *it, const char *reason, struct err *err)
{
	struct store_quarantined q = {
		.scope = it->row.scope,
		.table = it->row.table,
		.key = it->row.key,
		.key_len = it->row.key_len,
		.reason = reason,
	};

	it->change_count = 0;
	it->is_held = true;
	return sync_seal_list(s, &q, err);
}

/* Why the item may not leave this file; NULL if it may. */
static const char *
held_back(struct seal *s, const struct item *it, char *words, size_t size)
{
	const char *scope = store_catalog_scope_of(s->r->db, it->row.scope);

	if (s->r->may_write != NULL && !s->r->may_write(s->r->ctx, &s->r->self, scope)) {
		s->out->not_ours++;
		snprintf(words, size,
		         "not ours: this node may not write rows of %s; the row stays here only: "
		         "write it as one of this facility's, or drop it",
		         scope);
		return words;
	}
	if (sync_seal_undo_holds(s, it) != NULL)
		return sync_seal_undo_holds(s, it);
	if (!sync_seal_too_large(it, words, size))
		return NULL;
	s->out->too_large++;
	return words;
}

/* One row's changes: merged, or held back. */
static int
take_changes(struct seal *s, struct item *it, struct sync_rivals *rivals, struct err *err)
{
	char words[200];
	const char *reason = held_back(s, it, words, sizeof words);

	return reason != NULL ? keep_here(s, it, reason, err) : merge_item(s, it, rivals, err);
}

/* And what a person is told of the row. */
static int
take_item(struct seal *s, struct item *it, struct sync_rivals *rivals, struct err *err)
{
	int rc = it->change_count > 0 ? take_changes(s, it, rivals, err) : 0;

	if (rc == 0)
		rc = sync_seal_tell_undone(s, it, err);
	if (rc == 0 && it->was_held && !it->is_held)
		rc = store_quarantine_take_own(s->r->db, it->row.table, it->row.key,
		                               it->row.key_len, err);
	return rc;
}

/* Which rows differ now, for those who see them, too; and does one say who does? */
static int
note_shared(struct seal *s, struct store_row **rows, size_t count, struct sync_share_unit *out,
            struct err *err)
{
	const struct store_table *shares = store_catalog_table_by_name(s->r->db, "yz_share");

	*out = (struct sync_share_unit){ .r = s->r, .arena = &s->arena, .site = s->r->self.id };
	out->rows = arena_take(&s->arena, count, sizeof *out->rows);
	if (out->rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		out->rows[out->count++] = (struct sync_share_row){ .row = rows[i],
			                                           .differs = true,
			                                           .is_new = !rows[i]->known };
		s->shares = s->shares || (shares != NULL && rows[i]->table == shares->id);
	}
	return 0;
}

/* Stamps in the order of writing, merged clocks, all rows put. */
static int
merge_all(struct seal *s, struct err *err)
{
	struct store_row **rows = arena_take(&s->arena, s->count, sizeof(struct store_row *));
	struct sync_rivals rivals = { .r = s->r, .arena = &s->arena, .own = true };
	struct sync_share_unit shared;
	size_t changed = 0;
	int rc = sync_rivals_begin(&rivals, err);

	if (rows == NULL)
		return no_memory(err);
	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		struct item *it = &s->items[i];

		rc = take_item(s, it, &rivals, err);
		if (it->row.changed)
			rows[changed++] = &it->row;
	}
	store_row_sort(rows, changed);
	if (rc == 0)
		rc = store_quarantine_move(s->r->db, rows, changed, err);
	if (rc == 0)
		rc = note_shared(s, rows, changed, &shared, err);
	if (rc == 0)
		rc = s->r->batch->put(s->r->batch, rows, changed, err);
	return rc == 0 && s->r->is_hub ? sync_share_sealed(&shared, err) : rc;
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
	return rc == 0 ? sync_seal_units(s, *more, err) : rc;
}

/* All that the log holds. */
static int
seal_log(struct seal *s, struct err *err)
{
	struct store_share_tables tables = { .count = 0 };
	bool more = true;
	int rc = store_meta_get_int(s->r->db, "last_stamp", 0, &s->last_stamp, err);

	if (rc == 0 && !s->r->is_hub)
		rc = store_share_tables(s->r->db, &tables, err);
	s->left = tables.count > 0;

	while (rc == 0 && more) {
		rc = seal_part(s, &more, err);
		arena_free(&s->arena);
	}
	if (rc == 0)
		rc = store_meta_set_int(s->r->db, "last_stamp", s->last_stamp, err);
	if (rc == 0 && s->shares)
		rc = sync_share_settle(s->r, err);
	return rc == 0 ? store_inbox_apply_verdicts(s->r->db, err) : rc;
}

int
sync_seal(struct sync_replica *r, struct sync_sealed *out, struct err *err)
{
	struct seal s = { .r = r, .out = out };
	int64_t waiting = 0, oldest, settled, again = 0;
	int rc;

	assert(store_db_in_transaction(r->db));
	*out = (struct sync_sealed){ 0 };
	sync_look_begin(r);
	rc = store_track_refresh(r->db, r->is_hub, err);
	if (rc == 0)
		rc = store_settle(r->db, r->batch, &settled, err);
	if (rc == 0)
		rc = store_quarantine_woken(r->db, &again, err);
	if (rc == 0 && again != 0)
		rc = sync_retry_own(r, again, err);
	if (rc == 0)
		rc = store_log_waiting(r->db, &waiting, &oldest, err);
	if (rc == 0 && waiting > 0)
		rc = seal_log(&s, err);
	if (rc == 0 && again != 0)
		rc = sync_retry_foreign(r, again, err);
	if (rc == 0)
		rc = sync_retry_overwritten(r, err);
	sync_look_end(r);
	return rc < 0 ? err_wrap(err, "seal") : 0;
}

/* Every segment, so that the stream can be cut at each. */
static int
sign_stream(struct sync_replica *r, const struct sync_key *key, const struct store_stream *stream,
            struct err *err)
{
	const struct store_site *name = store_catalog_site_of(r->db, stream->site);
	const char *scope = store_catalog_scope_of(r->db, stream->scope);
	uint8_t head[STORE_HEAD], signature[STORE_SIGNATURE];
	struct sync_site site;
	uint64_t last;
	int rc;

	memcpy(site.node, name->node, STORE_NODE_ID);
	memcpy(site.epoch, name->epoch, STORE_EPOCH);
	while ((rc = store_segment_unsigned(r->db, stream->id, &last, head, err)) == 1) {
		sync_sign_head(key, &site, scope, last, head, signature);
		rc = store_segment_sign(r->db, stream->id, last, signature, key->public_key, err);
		if (rc < 0)
			break;
	}
	return rc;
}

/* Not the lives of a key that was replaced (sync/seal/rotate.h). */
static int
may_sign(struct sync_replica *r, const struct sync_key *key, int site, struct err *err)
{
	uint8_t known[SYNC_PUBLIC_KEY];
	int rc = store_catalog_site_key(r->db, site, known, err);

	return rc == 1 ? memcmp(known, key->public_key, sizeof known) == 0 : rc == 0 ? 1 : rc;
}

int
sync_seal_sign(struct sync_replica *r, const struct sync_key *key, struct err *err)
{
	struct store_stream *list;
	struct arena a = { 0 };
	size_t count = 0;
	int rc = store_stream_list(r->db, 0, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct store_site *by = store_catalog_site_of(r->db, list[i].site);

		/* an earlier life's tail, too: sealed, and then the epoch was another one */
		if (memcmp(by->node, r->self.node, STORE_NODE_ID) == 0 && list[i].n > 0 && !MUT(99))
			rc = may_sign(r, key, list[i].site, err);
		else
			rc = 0;
		if (rc == 1)
			rc = sign_stream(r, key, &list[i], err);
	}
	arena_free(&a);
	return rc;
}

/*
 * sync/merge/retry.c - quarantined changes once more.
 *
 *   listed                                     tried by
 *   a row written here (stream 0, n 0)         noting it in the log: the seal judges it anew
 *   one that was put back (stream 0, n 1)      nothing: it is for a person to know
 *   a unit (no table)                          applying it from its segment
 *   one change, by its own record              applying that one alone
 *   a row that its table couldn't hold, by     putting the row once more (its cells wait in
 *   the record of its unit's opening           yz_extra)
 *   what a hub holds beside its stream         merging it as it is, if a person asks for it by name
 *
 * A change that was refused needs no try, and nobody, once it would make no difference: its row has
 * gone on, or the hub has written it back.  It is closed then, and stays written down like what a
 * person drops.
 */
#include "sync/merge/retry.h"
#include "store/base/mutant.h"
#include "store/inbox.h"
#include "store/log.h"
#include "store/settle.h"
#include "sync/look.h"
#include "sync/merge/ahead_priv.h"
#include "sync/merge/apply_priv.h"
#include "sync/merge/merge.h"
#include "sync/merge/share.h"
#include "sync/reader.h"

#include <string.h>

/*
 * So many of all are tried at one seal, and the next seal goes on behind them: somebody may have
 * sent very many.
 */
enum { RETRY_MAX = 1000 };

static const char meta_at[] = "retry_at"; /* the last one that was tried; 0: begin at the first */

struct wanted {
	struct arena arena;
	struct store_quarantined *list;
	size_t count;
	bool more;
};

static int
find_wanted(struct sync_replica *r, int64_t id, struct wanted *w, struct err *err)
{
	size_t all = 0;
	int64_t at = 0;
	int rc = store_quarantine_list(r->db, false, &w->arena, &w->list, &all, err);

	if (rc == 0 && id == STORE_QUARANTINE_ALL)
		rc = store_meta_get_int(r->db, meta_at, 0, &at, err);
	for (size_t i = 0; rc == 0 && i < all; i++) {
		bool is_it = id == STORE_QUARANTINE_ALL ? w->list[i].id > at : w->list[i].id == id;

		if (is_it && w->count == RETRY_MAX)
			w->more = true;
		else if (is_it)
			w->list[w->count++] = w->list[i];
	}
	return rc;
}

/* What comes next time. */
static int
note_end(struct sync_replica *r, const struct wanted *w, struct err *err)
{
	int rc = store_meta_set_int(r->db, meta_at, w->more ? w->list[w->count - 1].id : 0, err);

	return rc == 0 && w->more ? store_quarantine_wake(r->db, STORE_QUARANTINE_ALL, err) : rc;
}

int
sync_retry_own(struct sync_replica *r, int64_t id, struct err *err)
{
	struct wanted w = { 0 };
	int rc = find_wanted(r, id, &w, err);

	for (size_t i = 0; rc == 0 && i < w.count; i++) {
		struct store_change again = { .op = STORE_UPDATE,
			                      .key = w.list[i].key,
			                      .key_len = w.list[i].key_len };

		if (w.list[i].stream != 0 || w.list[i].table == 0 ||
		    w.list[i].n == STORE_QUARANTINE_UNDONE)
			continue;
		again.schema = store_catalog_table(r->db, w.list[i].table)->local;
		if (again.schema == NULL)
			continue;
		/* which columns it was, seal doesn't ask: see take_held_back() there */
		again.mask = again.schema->cells;
		rc = store_log_note(r->db, &again, err);
	}
	arena_free(&w.arena);
	return rc;
}

/* ---- changes of others ---- */

static int
find_stream(struct sync_replica *r, int id, struct arena *a, struct store_stream *out,
            struct err *err)
{
	struct store_stream *list;
	size_t count = 0;
	int rc = store_stream_list(r->db, 0, a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (list[i].id == id) {
			*out = list[i];
			return 0;
		}
	return rc < 0 ? rc : err_set(err, ERR_NOTFOUND, "stream %d isn't here any more", id);
}

/* The unit that holds record n, and what it had seen. */
static int
open_unit(struct sync_replica *r, const struct store_quarantined *q, struct sync_reader *reader,
          struct sync_apply *u, struct buf *seen, struct err *err)
{
	int rc = find_stream(r, q->stream, u->arena, u->stream, err);
	size_t at = 0;

	if (rc == 0)
		rc = sync_reader_open(r->db, u->stream, q->n, u->arena, reader, err);
	if (rc == ERR_NOMEM && u->arena->over)
		return err_set(err, ERR_NOTFOUND, "it can't be opened any more");
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < reader->count && reader->seg.first + i <= q->n; i++)
		if (reader->records[i].type == SYNC_OPENING)
			at = i;
	if (reader->count == 0 || reader->records[at].type != SYNC_OPENING)
		return err_set(err, ERR_CORRUPT, "record %llu is of no unit",
		               (unsigned long long)q->n);
	u->opening = reader->records[at].opening;
	u->changes = &reader->records[at + 1];
	u->first = reader->seg.first + at;
	for (size_t i = 0; i < u->opening->changes && rc == 0; i++)
		if (u->changes[i].type == SYNC_CHANGE) {
			rc = store_seen_at(r->db, u->stream->id, u->changes[i].change.stamp, seen,
			                   err);
			break;
		}
	u->seen = seen->bytes;
	u->seen_len = seen->len;
	return rc;
}

/* What its table couldn't hold: does it now? */
static int
put_again(struct sync_replica *r, const struct store_quarantined *q, struct arena *a, bool *done,
          struct err *err)
{
	struct store_row row = { .table = q->table, .key = q->key, .key_len = q->key_len };
	struct store_row *rows[] = { &row };
	const struct store_refusal *refused;
	int rc = r->batch->get(r->batch, rows, 1, a, err);

	if (rc < 0)
		return rc;
	*done = !store_row_is_live(&row);
	if (*done || store_catalog_table(r->db, q->table)->local == NULL)
		return 0;
	row.changed = row.write_row = true;
	rc = r->batch->put(r->batch, rows, 1, err);
	*done = rc == 0 && store_batch_sqlite_refused(r->batch, &refused) == 0;
	return rc;
}

static int
try_again(struct sync_replica *r, const struct store_quarantined *q, bool by_name, struct err *err)
{
	struct arena a = { .limit = 2 * (size_t)SYNC_ARENA_MAX };
	struct store_stream stream = { 0 };
	struct sync_reader reader = { 0 };
	struct sync_apply u = { .r = r, .arena = &a, .stream = &stream, .let_in = by_name };
	struct buf seen = { 0 };
	bool done = false;
	int rc = open_unit(r, q, &reader, &u, &seen, err);

	if (rc == ERR_NOTFOUND)
		rc = 0; /* nothing to try it with */
	else if (rc == 0 && q->table != 0 && q->n == u.first)
		rc = put_again(r, q, &a, &done, err);
	else if (rc == 0) {
		u.only = q->table == 0 ? 0 : q->n;
		rc = sync_apply_unit(&u, err);
		done = rc == 0 && (q->table == 0 ? !u.unit_refused : u.refused == 0);
		if (rc == 0 && !done)
			goto out; /* that try is counted */
	}
	if (rc == 0)
		rc = done ? store_quarantine_take(r->db, q->id, err)
		          : store_quarantine_add(r->db, q, err);
out:
	buf_free(&seen);
	arena_free(&a);
	return rc;
}

/* Held beside its stream?  Only who asks for it by name has looked at it. */
static int
try_held(struct sync_replica *r, const struct store_quarantined *q, bool by_name, bool *held,
         struct err *err)
{
	struct store_stream stream = { 0 };
	struct arena a = { 0 };
	bool done = false;
	int rc = store_held_any(r->db, q->stream, held, err);

	if (rc == 0 && *held)
		rc = find_stream(r, q->stream, &a, &stream, err);
	*held = *held && rc == 0 && q->n > stream.n;
	if (*held && by_name)
		rc = sync_ahead_let_in(r, &stream, &done, err);
	if (rc == 0 && *held && by_name && !done)
		rc = store_quarantine_add(r->db, q, err);
	arena_free(&a);
	return rc;
}

static int
try_foreign(struct sync_replica *r, const struct store_quarantined *q, bool by_name,
            struct err *err)
{
	bool held;
	int rc = try_held(r, q, by_name, &held, err);

	return rc == 0 && !held ? try_again(r, q, by_name, err) : rc;
}

int
sync_retry_foreign(struct sync_replica *r, int64_t id, struct err *err)
{
	struct wanted w = { 0 };
	int rc = find_wanted(r, id, &w, err);

	for (size_t i = 0; rc == 0 && i < w.count; i++) {
		bool by_name = false;

		if (w.list[i].stream == 0)
			continue;
		rc = store_quarantine_asked(r->db, w.list[i].id, &by_name, err);
		if (rc == 0)
			rc = try_foreign(r, &w.list[i], by_name && !MUT(104), err);
	}
	if (rc == 0 && !w.more)
		rc = store_quarantine_answered(r->db, err);
	if (rc == 0 && id == STORE_QUARANTINE_ALL)
		rc = note_end(r, &w, err);
	arena_free(&w.arena);
	return rc;
}

int
sync_retry_woken(struct sync_replica *r, struct err *err)
{
	int64_t id = 0;
	int rc = store_quarantine_woken(r->db, &id, err);

	if (rc == 0 && id != 0)
		rc = sync_retry_foreign(r, id, err);
	return rc == 0 && id != 0 ? store_quarantine_wake(r->db, id, err) : rc;
}

/* ---- overwritten since ---- */

/* So many at one seal or exchange, as far as looking goes (sync/look.h), and the next goes on. */
enum { OVERWRITTEN_MAX = 4096 };

static const char closed_by[] = "a later change";

/* A walk through the records that entries name, by stream and record; the segment at hand is what
 * was looked at last. */
struct looking {
	struct sync_replica *r;
	struct arena arena; /* of the stream at hand */
	struct store_stream stream;
	const struct sync_reader *reader;
	size_t at; /* records of it that have been passed */
	const struct sync_opening *opening;
	bool later; /* there is no more looking left */
};

static int
look_into(struct looking *l, const struct store_quarantined *q, struct err *err)
{
	int rc = 0;

	if (l->stream.id == q->stream && l->reader != NULL && q->n <= l->reader->seg.last)
		return 0;
	l->at = 0;
	l->opening = NULL;
	l->reader = NULL;
	if (l->stream.id != q->stream) {
		arena_free(&l->arena);
		l->stream.id = 0;
		rc = find_stream(l->r, q->stream, &l->arena, &l->stream, err);
	}
	if (rc == 0)
		rc = sync_look_open(l->r, &l->stream, q->n, &l->reader, err);
	l->later = rc == 0;
	if (rc != 1)
		l->reader = NULL;
	return rc == ERR_NOMEM && sync_look_is_over(l->r) ? ERR_NOTFOUND : rc < 0 ? rc : 0;
}

/* The change in record n, with who wrote it; *there false if there is none in it. */
static int
change_at(struct looking *l, uint64_t n, struct store_change *out, bool *there, struct err *err)
{
	const struct sync_record *rec;
	const struct sync_opening *o;

	*there = false;
	for (; l->at < l->reader->count && l->reader->seg.first + l->at <= n; l->at++)
		if (l->reader->records[l->at].type == SYNC_OPENING)
			l->opening = l->reader->records[l->at].opening;
	if (l->at == 0)
		return 0;
	rec = &l->reader->records[l->at - 1];
	if (rec->type != SYNC_CHANGE)
		return 0;
	*there = true;
	*out = rec->change;
	o = l->opening;
	out->site = l->stream.site;
	if (o == NULL || o->kind != SYNC_RELAY)
		return 0;
	return store_catalog_site(l->r->db, o->origins[rec->origin].node,
	                          o->origins[rec->origin].epoch, &out->site, err);
}

/* May changes of that stream's scope be to the row? */
static int
is_of_scope(struct sync_replica *r, const struct store_row *row, int scope, bool *yes,
            struct err *err)
{
	const struct sync_share_unit unit = { .r = r, .scope = scope };

	*yes = row->known && row->scope == scope;
	return *yes || !row->known ? 0 : sync_share_admits(&unit, row, NULL, yes, err);
}

/* Merge is a join: what has been overwritten changes nothing in the row any more. */
static int
makes_no_difference(struct looking *l, const struct store_quarantined *q, bool *none,
                    struct err *err)
{
	struct store_row row = { .table = q->table, .key = q->key, .key_len = q->key_len };
	struct store_row *rows[] = { &row };
	struct store_change c;
	struct arena a = { 0 };
	bool its = false, there = false;
	int rc = look_into(l, q, err);

	*none = false;
	if (rc == 0 && l->reader != NULL)
		rc = change_at(l, q->n, &c, &there, err);
	if (rc < 0 || !there || !sync_merge_is_sound(&c))
		return rc == ERR_NOTFOUND || rc == ERR_CORRUPT ? 0 : rc; /* it stays listed */
	rc = l->r->batch->get(l->r->batch, rows, 1, &a, err);
	sync_look_spend(l->r, 1 + a.used / 64);
	if (rc == 0)
		rc = is_of_scope(l->r, &row, q->scope, &its, err);
	if (rc == 0 && its) {
		rc = sync_merge(l->r->batch, &row, &c, NULL, &a, err);
		*none = rc == 0 && !row.changed;
	}
	arena_free(&a);
	return rc;
}

int
sync_retry_overwritten(struct sync_replica *r, struct err *err)
{
	struct looking l = { .r = r };
	struct store_quarantined *list = NULL;
	struct arena a = { 0 };
	size_t count = 0;
	bool none = false;
	int rc = store_quarantine_moved(r->db, OVERWRITTEN_MAX, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count && !l.later; i++) {
		rc = makes_no_difference(&l, &list[i], &none, err);
		if (rc == 0 && !l.later)
			rc = none ? store_quarantine_drop(r->db, list[i].id, closed_by, err)
			          : store_quarantine_stays(r->db, list[i].id, err);
	}
	arena_free(&l.arena);
	arena_free(&a);
	return rc;
}

/* sync/exchange/rift_answer.c - what is said again by both sides, and the hub's side of a look
 * (sync/exchange/rift.h). */
#include "store/base/text.h"
#include "store/inbox.h"
#include "store/track.h"
#include "sync/exchange/exchange_priv.h"
#include "sync/exchange/rift.h"
#include "sync/merge/again.h"
#include "sync/merge/restore.h"
#include "sync/seal/relay.h"
#include "sync/seal/seal.h"

#include <string.h>

enum { DAY_MS = 86400000 };

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "look: out of memory");
}

/* May nobody here change rows of this table? */
static bool
is_fixed(const struct sync_replica *r, const struct store_schema *local)
{
	return local->kind == STORE_EVENT || (store_schema_is_hubs(local) && !r->is_hub);
}

/* A row that nobody may change and was changed, or that is gone without having been deleted. */
static bool
is_to_restore(const struct sync_replica *r, const struct store_row *row)
{
	const struct store_schema *local = store_catalog_table(r->db, row->table)->local;
	uint8_t term[STORE_TERM];

	if (local == NULL || !store_row_is_live(row) || row->extra)
		return false;
	store_row_term(r->batch, row, term);
	return !row->in_table || (is_fixed(r, local) && memcmp(term, row->term, STORE_TERM) != 0);
}

/* It is again what its records say, as far as those are here. */
static int
restore(struct sync_replica *r, const struct store_range_rows *rows, struct sync_rift_right *right,
        struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < rows->count && right->tries > 0; i++) {
		bool here, listed;

		if (!is_to_restore(r, rows->list[i]))
			continue;
		rc = store_quarantine_has_own(r->db, rows->list[i]->table, rows->list[i]->key,
		                              rows->list[i]->key_len, &listed, err);
		if (rc < 0 || listed)
			continue; /* what becomes of it a person decides */
		right->tries--;
		rc = sync_restore_row(r, rows->list[i], &here, err);
		right->restored += rc == 0;
		if (rc == ERR_NOTFOUND || rc == ERR_INVALID)
			rc = 0; /* in no record, or written again just now */
	}
	return rc;
}

int
sync_rift_put_right(struct sync_replica *r, struct store_range_rows *rows,
                    struct sync_rift_right *right, struct err *err)
{
	struct store_track_rows got = { r->batch, rows->list, rows->count, r->is_hub, 0 };
	int rc = r->batch->get(r->batch, rows->list, rows->count, rows->arena, err);

	if (rc == 0)
		rc = restore(r, rows, right, err);
	if (rc == 0)
		rc = store_track_capture(r->db, &got, err);
	right->logged = got.logged;
	return rc;
}

/* Values that no capture has seen become changes of our own. */
static int
capture(struct sync_replica *r, struct store_range_rows *rows, int64_t *tries, struct err *err)
{
	struct sync_rift_right right = { .tries = *tries };
	struct sync_sealed sealed;
	int rc = sync_rift_put_right(r, rows, &right, err);

	*tries = right.tries;
	return rc == 0 && right.logged > 0 ? sync_seal(r, &sealed, err) : rc;
}

/* Rows by key alone, as they are read anew. */
static void
forget(struct store_range_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		*rows->list[i] = (struct store_row){ .table = rows->list[i]->table,
			                             .scope = rows->list[i]->scope,
			                             .key = rows->list[i]->key,
			                             .key_len = rows->list[i]->key_len };
}

int
sync_rift_say_range(struct sync_replica *r, int scope, const struct store_range *range,
                    struct sync_rift_left *left, struct err *err)
{
	struct arena a = { 0 };
	struct store_range_rows rows = {
		.scope = scope, .range = *range, .most = (size_t)left->rows, .arena = &a
	};
	struct sync_relay relay = { .r = r, .scope = scope };
	int rc = store_range_rows(r->db, &rows, err);

	left->rows -= (int64_t)rows.count;
	if (rc == 0 && rows.count > 0)
		rc = capture(r, &rows, &left->tries, err);
	forget(&rows);
	if (rc == 0 && rows.count > 0)
		rc = sync_relay(&relay, rows.list, rows.count, err);
	arena_free(&a);
	return rc;
}

/* ---- the hub ---- */

/* The scope's number, if the node may ask about it; else 0. */
static int
scope_of(struct sync_replica *r, const struct sync_rift_asked *asked,
         const struct sync_view_question *q, int *scope, struct err *err)
{
	const char *name = asked->m->scopes[q->scope];

	*scope = 0;
	return asked->readable(asked->ctx, name) ? store_catalog_find_scope(r->db, name, scope, err)
	                                         : 0;
}

/* ---- what a node has had said again ---- */

/* "said again <node>" in yz_meta: the day, and what was said and looked for on it (8 each). */
static int
get_said(struct sync_replica *r, const char *name, int64_t day, struct sync_rift_left *said,
         struct err *err)
{
	struct buf bytes = { 0 };
	struct rd in;
	int64_t of;
	int rc = store_meta_get(r->db, name, &bytes, err);

	in = rd_from(bytes.bytes, bytes.len);
	of = (int64_t)rd_u64(&in);
	said->rows = (int64_t)rd_u64(&in);
	said->tries = (int64_t)rd_u64(&in);
	if (rc < 0 || !rd_done(&in) || of != day)
		*said = (struct sync_rift_left){ 0 };
	buf_free(&bytes);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
set_said(struct sync_replica *r, const char *name, int64_t day, const struct sync_rift_left *said,
         struct err *err)
{
	struct buf bytes = { 0 };
	int rc;

	buf_u64(&bytes, (uint64_t)day);
	buf_u64(&bytes, (uint64_t)said->rows);
	buf_u64(&bytes, (uint64_t)said->tries);
	rc = buf_check(&bytes, err);
	if (rc == 0)
		rc = store_meta_set(r->db, name, bytes.bytes, bytes.len, err);
	buf_free(&bytes);
	return rc;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int
say_asked(struct sync_replica *r, const struct sync_rift_asked *asked, struct sync_rift_left *left,
          struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && left->rows > 0 && i < asked->m->question_count; i++) {
		const struct sync_view_question *q = &asked->m->questions[i];
		int scope;

		if (!q->anew)
			continue;
		rc = scope_of(r, asked, q, &scope, err);
		if (rc == 0 && scope != 0)
			rc = sync_rift_say_range(r, scope, &q->range, left, err);
	}
	return rc;
}

/*
 * What the hub wrote and lost nobody else may say, but its records are here.  A look is about one
 * scope, so one reading of the hub's own streams of that is all that is to be had, and a try.
 */
static int
merge_own(struct sync_replica *r, const struct sync_rift_asked *asked, struct sync_rift_left *left,
          struct err *err)
{
	const struct sync_message *m = asked->m;
	const struct sync_view_question *first = NULL;
	struct sync_again again = { 0 };
	struct arena a = { 0 };
	struct store_range *ranges = arena_take(&a, m->question_count, sizeof *ranges);
	int rc = ranges == NULL ? no_memory(err) : 0;

	for (size_t i = 0; rc == 0 && i < m->question_count; i++) {
		const struct sync_view_question *q = &m->questions[i];

		if (!q->anew || (first != NULL && q->scope != first->scope))
			continue;
		first = q;
		ranges[again.range_count++] = q->range;
	}
	again.ranges = ranges;
	if (rc == 0 && first != NULL && left->tries > 0)
		rc = scope_of(r, asked, first, &again.scope, err);
	if (rc == 0 && again.scope != 0) {
		left->tries--;
		rc = sync_again_own(r, &again, err);
	}
	arena_free(&a);
	return rc;
}

int
sync_rift_say_asked(struct sync_replica *r, const struct sync_rift_asked *asked, struct err *err)
{
	int64_t day = sync_replica_now_ms(r) / DAY_MS;
	struct sync_rift_left said, left, before;
	char name[16 + 2 * STORE_NODE_ID] = "said again ";
	int rc;

	if (asked->m->question_count == 0)
		return 0;
	text_hex(name + strlen(name), asked->m->self.node, STORE_NODE_ID);
	rc = get_said(r, name, day, &said, err);
	if (rc < 0)
		return rc;
	left.rows = least(SYNC_RIFT_SAID, SYNC_RIFT_DAY - said.rows);
	left.tries = least(SYNC_RIFT_TRIES, SYNC_RIFT_DAY_TRIES - said.tries);
	before = left;
	rc = merge_own(r, asked, &left, err);
	if (rc == 0)
		rc = say_asked(r, asked, &left, err);
	if (rc < 0 || (left.rows == before.rows && left.tries == before.tries))
		return rc;
	said.rows += before.rows - left.rows;
	said.tries += before.tries - left.tries;
	return set_said(r, name, day, &said, err);
}

static bool
same_place(const struct store_place *a, const struct store_place *b)
{
	return strcmp(a->table, b->table) == 0 && a->key_len == b->key_len &&
	       memcmp(a->key, b->key, a->key_len) == 0;
}

/* Do these questions, end to end, ask about one scope from its beginning to its end? */
static bool
is_whole(const struct sync_view_question *q, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (q[i].scope != q[0].scope ||
		    !same_place(&q[i].range.from, &q[i - 1].range.until))
			return false;
	return q[0].range.from.table[0] == 0 && q[count - 1].range.until.table[0] == 0;
}

/* Whoever asks about a whole scope, part by part, shows us whether what we keep is its sum. */
static int
check_kept(struct sync_draft *d, const struct sync_rift_asked *asked, int scope, struct err *err)
{
	static const uint8_t zero[STORE_TERM];
	uint8_t sum[STORE_TERM] = { 0 };
	struct store_digest kept;
	bool mended;
	int rc = 0;

	if (!is_whole(asked->m->questions, d->m.answer_count))
		return 0;
	for (size_t i = 0; i < d->m.answer_count; i++)
		store_digest_move(sum, d->m.answers[i].sum, zero);
	rc = store_digest_get(d->r->db, scope, &kept, err);
	if (rc < 0 || memcmp(sum, kept.sum, STORE_TERM) == 0)
		return rc;
	return store_digest_mend(d->r->db, &mended, err);
}

/* The scope of the first question, and how many rows it has. */
static int
first_scope(struct sync_draft *d, const struct sync_rift_asked *asked, int *scope, int64_t *rows,
            struct err *err)
{
	struct store_digest kept = { 0 };
	int rc = scope_of(d->r, asked, &asked->m->questions[0], scope, err);

	if (rc == 0 && *scope != 0)
		rc = store_digest_get(d->r->db, *scope, &kept, err);
	*rows = kept.rows;
	return rc;
}

/* One question's answer; *rows adds up what was gone through; *answered false: there is none. */
static int
answer_one(struct sync_draft *d, const struct sync_rift_asked *asked, int64_t *rows, bool *answered,
           struct err *err)
{
	const struct sync_view_question *q = &asked->m->questions[d->m.answer_count];
	struct sync_view_answer *answer = &d->m.answers[d->m.answer_count];
	struct store_range_part part = { .range = q->range };
	int scope = 0, rc = scope_of(d->r, asked, q, &scope, err);

	*answered = rc == 0 && scope != 0 && !q->anew;
	if (*answered)
		rc = store_range_sum(d->r->db, scope, &part, err);
	if (rc < 0 || !*answered)
		return rc;
	*rows += part.rows;
	answer->rows = (uint64_t)part.rows;
	memcpy(answer->sum, part.sum, STORE_TERM);
	d->m.answer_count++;
	return 0;
}

/* May more be gone through?  The first parts together are a scope once, at the most. */
static bool
has_room(size_t answered, int64_t rows, int64_t whole)
{
	return rows <= SYNC_RIFT_ROWS + (answered < STORE_RANGE_PARTS ? whole : 0);
}

int
sync_rift_answer(struct sync_draft *d, const struct sync_rift_asked *asked, struct err *err)
{
	const struct sync_message *m = asked->m;
	int64_t rows = 0, whole = 0;
	bool answered = m->question_count > 0;
	int scope = 0, rc = 0;

	d->m.answers = arena_take(&d->arena, m->question_count, sizeof *d->m.answers);
	if (d->m.answers == NULL)
		return no_memory(err);
	if (answered)
		rc = first_scope(d, asked, &scope, &whole, err);
	while (rc == 0 && answered && d->m.answer_count < m->question_count &&
	       has_room(d->m.answer_count, rows, whole))
		rc = answer_one(d, asked, &rows, &answered, err);
	return rc == 0 && d->m.answer_count > 0 ? check_kept(d, asked, scope, err) : rc;
}

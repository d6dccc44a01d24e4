#include "store/digest.h"
#include "store/clock_priv.h"
#include "store/inbox.h"
#include "store/share.h"

#include <string.h>

static int
get_digest(struct store_stmt *s, struct store_digest *out, struct err *err)
{
	size_t len;
	const uint8_t *sum;

	out->scope = (int)store_stmt_get_int(s);
	sum = store_stmt_get_blob(s, &len);
	out->rows = store_stmt_get_int(s);
	if (len != STORE_TERM)
		return err_set(err, ERR_CORRUPT, "digest of scope %d is damaged", out->scope);
	memcpy(out->sum, sum, STORE_TERM);
	return 0;
}

int
store_digest_get(struct store_db *db, int scope, struct store_digest *out, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "SELECT scope, sum, rows FROM yz_digest WHERE scope = ?");
	int rc;

	*out = (struct store_digest){ .scope = scope };
	store_stmt_put_int(&s, scope);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = get_digest(&s, out, err);
	store_stmt_end(&s);
	return rc;
}

int
store_digest_put(struct store_db *db, const struct store_digest *digest, struct err *err)
{
	struct store_stmt s = store_stmt_new(
	        db, "INSERT INTO yz_digest(scope, sum, rows) VALUES (?, ?, ?)"
	            " ON CONFLICT(scope) DO UPDATE SET sum = excluded.sum, rows = excluded.rows");

	store_stmt_put_int(&s, digest->scope);
	store_stmt_put_blob(&s, digest->sum, STORE_TERM);
	store_stmt_put_int(&s, digest->rows);
	return store_stmt_run(&s, err);
}

int
store_digest_add(struct store_db *db, int scope, const struct store_row *row, int sign,
                 struct err *err)
{
	static const uint8_t none[STORE_TERM];
	struct store_digest d;
	int rc = store_digest_get(db, scope, &d, err);

	if (rc < 0)
		return rc;
	store_digest_move(d.sum, sign > 0 ? row->term : none, sign > 0 ? none : row->term);
	d.rows += store_row_is_live(row) ? sign : 0;
	return store_digest_put(db, &d, err);
}

int
store_digest_list(struct store_db *db, struct arena *a, struct store_digest **list, size_t *count,
                  struct err *err)
{
	struct store_stmt s;
	int64_t total;
	int rc;

	*count = 0;
	rc = store_stmt_int(db, "SELECT count(*) FROM yz_digest", 0, &total, err);
	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)total + 1, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "digest: out of memory");
	s = store_stmt_new(db, "SELECT scope, sum, rows FROM yz_digest ORDER BY scope");
	while (*count < (size_t)total && (rc = store_stmt_step(&s, err)) == 1) {
		rc = get_digest(&s, &(*list)[*count], err);
		if (rc < 0)
			break;
		(*count)++;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* ---- verify ---- */

struct walk {
	struct store_db *db;
	struct store_digest_verify *verify;
	bool mend;                 /* and put right what is kept */
	struct store_digest *sums; /* recomputed, [scope - 1] */
	int scopes;
	bool shared; /* rows may count in several scopes */
};

static void
fault(struct walk *w, const struct store_row *row, const char *table, const char *what)
{
	struct store_digest_fault f = { .table = table, .what = what };

	if (row != NULL) {
		f.key = row->key;
		f.key_len = row->key_len;
	}
	w->verify->faults++;
	w->verify->tell(w->verify->ctx, &f);
}

/* Was it written here, and goes nowhere?  Then it is in the quarantine's list already. */
static int
is_listed(struct walk *w, const struct store_row *row, bool *yes, struct err *err)
{
	return store_quarantine_has_own(w->db, row->table, row->key, row->key_len, yes, err);
}

static int
check_rows(struct walk *w, struct store_batch *b, const struct store_clock_walk *clocks,
           struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < clocks->count; i++) {
		const struct store_row *row = clocks->rows[i];
		const struct store_table *t = store_catalog_table(w->db, row->table);
		uint8_t term[STORE_TERM];
		bool listed = false;

		store_row_term(b, row, term);
		if (memcmp(term, row->term, STORE_TERM) != 0) {
			rc = is_listed(w, row, &listed, err);
			if (!listed)
				fault(w, row, t->name,
				      "the row's values are not those it was written with (changed "
				      "without capture?)");
		}
		if (store_row_is_live(row) && t->local != NULL && !row->in_table && !row->extra)
			fault(w, row, t->name, "the row is gone without having been deleted");
	}
	return rc;
}

static void
add_row(struct walk *w, int scope, const struct store_row *row)
{
	static const uint8_t zero[STORE_TERM];

	if (scope < 1 || scope > w->scopes)
		return;
	store_digest_move(w->sums[scope - 1].sum, row->term, zero);
	w->sums[scope - 1].rows += store_row_is_live(row);
}

static int
add_up(struct walk *w, const struct store_clock_walk *clocks, struct err *err)
{
	struct arena a = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < clocks->count; i++) {
		const struct store_row *row = clocks->rows[i];
		struct store_share *further;
		size_t count = 0;

		add_row(w, row->scope, row);
		if (w->shared)
			rc = store_share_of_row(w->db, row, &a, &further, &count, err);
		for (size_t k = 0; rc == 0 && k < count; k++)
			if (further[k].left == 0)
				add_row(w, further[k].scope, row);
	}
	w->verify->rows += (int64_t)clocks->count;
	arena_free(&a);
	return rc;
}

static int
walk_rows(struct walk *w, struct store_batch *b, struct err *err)
{
	struct store_clock_walk clocks = { .db = w->db };
	int rc;

	while ((rc = store_clock_next(&clocks, err)) == 1) {
		rc = add_up(w, &clocks, err);
		if (rc < 0)
			break;
		if (!w->verify->deep)
			continue;
		rc = b->get(b, clocks.rows, clocks.count, &clocks.arena, err);
		if (rc < 0)
			break;
		rc = check_rows(w, b, &clocks, err);
		if (rc < 0)
			break;
	}
	store_clock_walk_end(&clocks);
	return rc;
}

static int
compare(struct walk *w, struct err *err)
{
	int rc = 0;

	for (int scope = 1; rc == 0 && scope <= w->scopes; scope++) {
		struct store_digest *sum = &w->sums[scope - 1];
		struct store_digest kept;

		rc = store_digest_get(w->db, scope, &kept, err);
		if (rc < 0)
			return rc;
		rc = 0;
		if (memcmp(kept.sum, sum->sum, STORE_TERM) == 0 && kept.rows == sum->rows)
			continue;
		fault(w, NULL, store_catalog_scope_of(w->db, scope),
		      "the digest kept for this scope is not the sum over its rows");
		sum->scope = scope;
		if (w->mend)
			rc = store_digest_put(w->db, sum, err);
	}
	return rc;
}

static int
add_anew(struct store_db *db, struct store_digest_verify *verify, bool mend, struct err *err)
{
	struct walk w = { .db = db, .verify = verify, .mend = mend };
	struct store_batch *b = store_batch_sqlite_new(db);
	struct arena a = { 0 };
	int64_t scopes = 0;
	int rc;

	verify->rows = verify->faults = 0;
	if (b == NULL)
		return err_set(err, ERR_NOMEM, "verify: out of memory");
	rc = store_stmt_int(db, "SELECT max(id) FROM yz_scope", 0, &scopes, err);
	if (rc == 0)
		rc = store_share_any(db, &w.shared, err);
	w.scopes = (int)scopes;
	w.sums = arena_take(&a, (size_t)scopes + 1, sizeof *w.sums);
	if (rc == 0 && w.sums == NULL)
		rc = err_set(err, ERR_NOMEM, "verify: out of memory");
	if (rc == 0)
		rc = walk_rows(&w, b, err);
	if (rc == 0)
		rc = compare(&w, err);
	store_batch_sqlite_free(b);
	arena_free(&a);
	return rc;
}

int
store_digest_verify(struct store_db *db, struct store_digest_verify *verify, struct err *err)
{
	return add_anew(db, verify, false, err);
}

static void
tell_nobody(void *ctx, const struct store_digest_fault *f)
{
	(void)ctx;
	(void)f;
}

int
store_digest_mend(struct store_db *db, bool *mended, struct err *err)
{
	struct store_digest_verify verify = { .tell = tell_nobody };
	int rc = add_anew(db, &verify, true, err);

	*mended = verify.faults > 0;
	return rc;
}

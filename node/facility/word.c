#include "node/facility/word.h"

#include "store/base/arena.h"
#include "store/id.h"
#include "store/share.h"
#include "store/stale.h"
#include "store/stmt.h"

#include <string.h>

/* A node's own facility; NULL at the hub, which says what the row says. */
#define OWN "(SELECT CAST(value AS TEXT) FROM yz_meta WHERE name = 'facility')"

/* The end of `find`. */
#define IF_SEVERAL(value) " HAVING max(w." value ") <> min(w." value ") OR l.thing IS NOT NULL"

/*
 * The things of which several words are left, or that were written to fit once.  Columns of `find`:
 * key (blob, text), child, scope; what the cell says (NULL: no row), the greatest and the least
 * word, who said the least; what was written to fit and whose word was kept as a conflict.
 */
static const struct kind {
	const char *table, *column, *words;
	bool two_keys; /* the second is a text */
	const char *find;
	const char *write; /* ?1 into the cell of ?2 and ?3 */
	const char *make;  /* the row that somebody deleted, as the word that stands has it */
} kinds[] = {
	{ .table = "allergy",
	  .column = "active",
	  .words = "allergy_word",
	  .two_keys = true,
	  .find = "SELECT w.child_id, w.allergen_code, w.child_id,"
	          " 'f/' || coalesce(" OWN ", w.facility_id), (SELECT a.active FROM allergy a"
	          " WHERE a.child_id = w.child_id AND a.allergen_code = w.allergen_code),"
	          " max(w.active), min(w.active),"
	          " (SELECT min(n.said) FROM allergy_word n WHERE n.child_id = w.child_id"
	          "  AND n.allergen_code = w.allergen_code AND n.ended = 0 AND n.active = 0),"
	          " l.shown, l.said FROM allergy_word w LEFT JOIN local_word l"
	          " ON l.thing = 'allergy' AND l.k1 = w.child_id AND l.k2 = w.allergen_code"
	          " WHERE w.ended = 0 GROUP BY 1, 2" IF_SEVERAL("active"),
	  .write = "UPDATE allergy SET active = ?1 WHERE child_id = ?2 AND allergen_code = ?3",
	  .make = "INSERT INTO allergy(child_id, allergen_code, facility_id, reaction, severity,"
	          " active, recorded_by) SELECT child_id, allergen_code, facility_id, reaction,"
	          " severity, 1, recorded_by FROM allergy_word WHERE ?1 = 1 AND child_id = ?2"
	          " AND allergen_code = ?3 AND ended = 0 AND active = 1"
	          " AND facility_id = coalesce(" OWN ", facility_id) ORDER BY said LIMIT 1" },
	{ .table = "enrollment",
	  .column = "status",
	  .words = "enrollment_step",
	  .find = "SELECT w.enrollment_id, '', e.child_id,"
	          " 'f/' || coalesce(" OWN ", w.facility_id), e.status,"
	          " max(w.status), min(w.status),"
	          " (SELECT n.said FROM enrollment_step n WHERE n.enrollment_id = w.enrollment_id"
	          "  AND n.ended = 0 ORDER BY n.status, n.said LIMIT 1),"
	          " l.shown, l.said FROM enrollment_step w"
	          " JOIN enrollment e ON e.id = w.enrollment_id LEFT JOIN local_word l"
	          " ON l.thing = 'enrollment' AND l.k1 = w.enrollment_id AND l.k2 = ''"
	          " WHERE w.ended = 0 GROUP BY 1" IF_SEVERAL("status"),
	  .write = "UPDATE enrollment SET status = ?1 WHERE id = ?2 AND ?3 = ''" },
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct thing {
	const struct kind *kind;
	const uint8_t *k1, *child, *least_said, *kept;
	size_t k1_len, child_len, least_len, kept_len; /* kept_len 0: none */
	const char *k2, *scope;
	bool is_there, was_written;
	int64_t now, most, least, shown;
};

static const uint8_t *
take_blob(struct store_stmt *s, struct arena *a, size_t *len)
{
	const uint8_t *bytes = store_stmt_get_blob(s, len);

	return *len == 0 ? NULL : arena_copy(a, bytes, *len);
}

static int64_t
take_int(struct store_stmt *s, bool *is_there)
{
	struct store_value v = store_stmt_get_value(s);

	*is_there = v.type == STORE_INT;
	return *is_there ? v.num.i : 0;
}

static int
take_thing(struct store_stmt *s, struct arena *a, struct thing *t, struct err *err)
{
	t->k1 = take_blob(s, a, &t->k1_len);
	t->k2 = store_stmt_copy_text(s, a);
	t->child = take_blob(s, a, &t->child_len);
	t->scope = store_stmt_copy_text(s, a);
	t->now = take_int(s, &t->is_there);
	t->most = store_stmt_get_int(s);
	t->least = store_stmt_get_int(s);
	t->least_said = take_blob(s, a, &t->least_len);
	t->shown = take_int(s, &t->was_written);
	t->kept = take_blob(s, a, &t->kept_len);
	if ((t->k1_len > 0 && t->k1 == NULL) || t->k2 == NULL || t->scope == NULL ||
	    (t->child_len > 0 && t->child == NULL) || (t->kept_len > 0 && t->kept == NULL) ||
	    (t->least_len > 0 && t->least_said == NULL))
		return err_set(err, ERR_NOMEM, "out of memory for what was said of children");
	return 0;
}

struct things {
	struct thing *list;
	size_t count, cap;
};

static struct thing *
add_thing(struct things *all, struct arena *a)
{
	size_t cap = all->cap * 2 + 8;
	struct thing *more;

	if (all->count < all->cap)
		return &all->list[all->count++];
	more = arena_take(a, cap, sizeof *more);
	if (more == NULL)
		return NULL;
	if (all->count > 0)
		memcpy(more, all->list, all->count * sizeof *more);
	all->list = more;
	all->cap = cap;
	return &all->list[all->count++];
}

/* They are listed before any is written: what is written changes what is found. */
static int
find_things(struct store_db *db, const struct kind *kind, struct arena *a, struct things *all,
            struct err *err)
{
	struct store_stmt s = store_stmt_new(db, kind->find);
	int rc;

	*all = (struct things){ 0 };
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct thing t = { .kind = kind }, *place;

		rc = take_thing(&s, a, &t, err);
		place = rc < 0 ? NULL : add_thing(all, a);
		if (rc == 0 && place == NULL)
			rc = err_set(err, ERR_NOMEM, "out of memory for what was said");
		if (rc < 0)
			break;
		*place = t;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* ------------------------------------------------------------------ what this file remembers */

static int
remember(struct store_db *db, const struct thing *t, const char *sql, const uint8_t *said,
         size_t said_len, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, sql);

	store_stmt_put_text(&s, t->kind->table);
	store_stmt_put_blob(&s, t->k1, t->k1_len);
	store_stmt_put_text(&s, t->k2);
	if (said != NULL)
		store_stmt_put_blob(&s, said, said_len);
	else
		store_stmt_put_int(&s, t->most);
	return store_stmt_run(&s, err);
}

static int
forget(struct store_db *db, const struct thing *t, const char *sql, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, sql);

	store_stmt_put_text(&s, t->kind->table);
	store_stmt_put_blob(&s, t->k1, t->k1_len);
	store_stmt_put_text(&s, t->k2);
	return store_stmt_run(&s, err);
}

/* ------------------------------------------------------------------ the cell */

static int
write_cell(struct store_db *db, const struct thing *t, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, t->is_there ? t->kind->write : t->kind->make);

	store_stmt_put_int(&s, t->most);
	store_stmt_put_blob(&s, t->k1, t->k1_len);
	store_stmt_put_text(&s, t->k2);
	return store_stmt_run(&s, err);
}

/* Without a word of our own: the triggers look for this mark. */
static int
write_quietly(struct store_db *db, const struct thing *t, struct err *err)
{
	int rc = store_db_exec(db, "INSERT INTO local_word(thing, k1, k2) VALUES ('', x'', '')",
	                       err);

	if (rc == 0)
		rc = write_cell(db, t, err);
	if (rc == 0)
		rc = store_db_exec(db, "DELETE FROM local_word WHERE thing = ''", err);
	return rc < 0 ? rc
	              : remember(db, t,
	                         "INSERT INTO local_word(thing, k1, k2, shown) VALUES (?, ?, ?, ?)"
	                         " ON CONFLICT(thing, k1, k2) DO UPDATE SET shown = excluded.shown",
	                         NULL, 0, err);
}

/*
 * One word is left.  If the cell still says what was written to fit, and the word doesn't, then
 * that writing has beaten it: it is taken back, and said, since somebody may say the contrary
 * meanwhile without changing the cell.  If it says something else, our writing shows no more.
 */
static int
take_back(struct store_db *db, const struct thing *t, struct err *err)
{
	int rc = 0;

	if (!t->was_written || (t->is_there && t->now == t->shown && t->now == t->most))
		return 0;
	if (t->is_there && t->now == t->shown)
		rc = write_cell(db, t, err);
	return rc < 0 ? rc
	              : forget(db, t,
	                       "UPDATE local_word SET shown = NULL WHERE thing = ? AND k1 = ?"
	                       " AND k2 = ?",
	                       err);
}

/* ------------------------------------------------------------------ the conflict */

static void
put_key(struct buf *key, const struct thing *t)
{
	struct store_value v = store_value_blob(t->k1, t->k1_len);

	store_value_write(key, &v);
	v = store_value_text(t->k2);
	if (t->kind->two_keys)
		store_value_write(key, &v);
}

typedef int stale_fn(struct store_db *db, const struct store_stale *stale, struct err *err);

static int
with_word(struct store_db *db, const struct thing *t, const uint8_t *said, size_t len,
          stale_fn *what, struct err *err)
{
	struct buf key = { 0 }, word = { 0 };
	struct store_value v = store_value_blob(said, len);
	struct store_stale_word by = { .table = t->kind->words };
	struct store_stale stale = { .scope = t->scope,
		                     .table = t->kind->table,
		                     .column = t->kind->column,
		                     .shown = store_value_int(t->most),
		                     .wrote = store_value_int(t->least),
		                     .by = &by };
	int rc;

	put_key(&key, t);
	put_key(&word, t);
	store_value_write(&word, &v);
	rc = buf_check(&key, err);
	if (rc == 0)
		rc = buf_check(&word, err);
	stale.key = key.bytes;
	stale.key_len = key.len;
	by.key = word.bytes;
	by.key_len = word.len;
	if (rc == 0)
		rc = what(db, &stale, err);
	buf_free(&key);
	buf_free(&word);
	return rc;
}

static int
ask(struct store_db *db, const struct thing *t, struct err *err)
{
	bool known = t->kept_len == t->least_len && t->kept_len > 0;
	int rc = with_word(db, t, t->least_said, t->least_len, store_stale_keep, err);

	return rc < 0 || known
	               ? rc
	               : remember(db, t,
	                          "INSERT INTO local_word(thing, k1, k2, said) VALUES (?, ?, ?, ?)"
	                          " ON CONFLICT(thing, k1, k2) DO UPDATE SET said = excluded.said",
	                          t->least_said, t->least_len, err);
}

static int
stop_asking(struct store_db *db, const struct thing *t, struct err *err)
{
	int rc = with_word(db, t, t->kept, t->kept_len, store_stale_let_go, err);

	return rc < 0 ? rc
	              : forget(db, t,
	                       "UPDATE local_word SET said = NULL WHERE thing = ? AND k1 = ?"
	                       " AND k2 = ?",
	                       err);
}

/* ------------------------------------------------------------------ */

static bool
is_contested(const struct thing *t)
{
	return t->most != t->least;
}

static int
settle(struct store_db *db, const struct thing *t, struct err *err)
{
	bool left = false, fits = t->is_there && t->now == t->most, can = t->is_there;
	int rc = 0;

	if (t->child_len == STORE_ID)
		rc = store_share_has_left(db, "child", t->child, STORE_ID, &left, err);
	if (rc < 0 || left)
		return rc;
	can |= t->kind->make != NULL;
	if (is_contested(t) && !fits && can)
		rc = write_quietly(db, t, err);
	else if (!is_contested(t))
		rc = take_back(db, t, err);
	if (rc == 0 && t->kept_len > 0 &&
	    (!is_contested(t) || t->kept_len != t->least_len ||
	     memcmp(t->kept, t->least_said, t->kept_len) != 0))
		rc = stop_asking(db, t, err);
	return rc == 0 && is_contested(t) && fits ? ask(db, t, err) : rc;
}

int
word_unsettled(struct store_db *db, bool *yes, struct err *err)
{
	int rc = 0;

	*yes = false;
	for (int i = 0; rc == 0 && !*yes && i < KINDS; i++) {
		struct store_stmt s = store_stmt_new(db, kinds[i].find);

		rc = store_stmt_step(&s, err);
		*yes = rc == 1;
		store_stmt_end(&s);
		rc = rc < 0 ? rc : 0;
	}
	return rc;
}

int
word_settle(struct store_db *db, struct err *err)
{
	struct arena a = { 0 };
	int rc = 0;

	for (int k = 0; rc == 0 && k < KINDS; k++) {
		struct things all;

		rc = find_things(db, &kinds[k], &a, &all, err);
		for (size_t i = 0; rc == 0 && i < all.count; i++)
			rc = settle(db, &all.list[i], err);
	}
	if (rc == 0)
		rc = store_db_exec(
		        db, "DELETE FROM local_word WHERE shown IS NULL AND said IS NULL", err);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "what was said of children") : 0;
}

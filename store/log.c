/*
 * store/log.c - what the triggers noted, folded to its net effect.
 *
 * One walk through yz_log in its order, one place per row in a hash table in
 * memory, then one look at each row.  Whether a row was inserted and deleted
 * three times in between doesn't matter: what counts is which columns were
 * touched and what is there now.
 *
 * Entries are made by triggers of one schema version (tv) and read against the
 * one in force now: columns are matched by name, a column that is gone takes
 * its bit along, and entries of a table that isn't tracked here any more fall
 * away (when it is tracked again, all its rows are logged).
 *
 * Max columns: a row that is gone hands on the values they had.  If it is
 * there again with a lower one, the row itself is raised here, so that a delete
 * and a new insert can't undo what only grows.
 */
#include "store/log.h"
#include "store/base/mutant.h"
#include "store/inbox.h"
#include "store/rows_priv.h"
#include "store/shape_priv.h"
#include "store/stmt.h"
#include "store/trigger_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OP_KEPT = 4,
	KEPT_RUN = 1024, /* entries of op 4 that a take may go on for */
	NOWHERE = 255,
};

/* One schema version that entries were made for. */
struct version {
	struct version *next;
	int tv;
	const struct store_schema
	        *local; /* what its table is now; NULL: not tracked, or otherwise keyed */
	unsigned key_count;
	bool same;                     /* bits of mask mean the same */
	uint8_t at[STORE_COLUMNS_MAX]; /* position in local, or NOWHERE */
};

struct fold {
	struct store_db *db;
	struct arena *a;
	struct version *versions;
	struct store_log_row *rows;
	size_t count;
	uint32_t *slots; /* index in rows + 1, 0 for empty; a power of two of them */
	size_t slot_mask;
	struct buf key; /* of the entry at hand */
};

/* One entry as read; value bytes are borrowed until the next step. */
struct entry {
	int64_t seq, at_ms, mask;
	int tv, op;
	struct store_value val;
};

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "change log: out of memory");
}

int
store_log_waiting(struct store_db *db, int64_t *count, int64_t *oldest_ms, struct err *err)
{
	int rc = store_stmt_int(db, "SELECT count(*) FROM yz_log", 0, count, err);

	if (rc < 0)
		return rc;
	return store_stmt_int(db, "SELECT at_ms FROM yz_log ORDER BY seq LIMIT 1", 0, oldest_ms,
	                      err);
}

int
store_log_is_urgent(struct store_db *db, bool *urgent, struct err *err)
{
	int64_t found;
	int rc = store_stmt_int(
	        db,
	        "SELECT EXISTS(SELECT 1 FROM yz_log AS l JOIN yz_schema AS s ON s.id = "
	        "l.tv JOIN yz_table AS t ON t.id = s.tbl WHERE t.urgent)",
	        0, &found, err);

	*urgent = rc == 0 && found != 0;
	return rc;
}

/* ---- schema versions ---- */

static void
map_columns(struct version *v, const struct store_schema *from)
{
	v->same = true;
	for (unsigned i = 0; i < from->column_count; i++) {
		int at = store_schema_find(v->local, from->columns[i].name);

		v->at[i] = at < 0 || v->local->columns[at].key > 0 ? NOWHERE : (uint8_t)at;
		v->same = v->same && (v->at[i] == i || from->columns[i].key > 0);
	}
}

static struct version *
version_of(struct fold *f, int tv)
{
	const struct store_schema *from;
	struct version *v = f->versions;

	while (v != NULL && v->tv != tv)
		v = v->next;
	if (v != NULL)
		return v;
	v = arena_take(f->a, 1, sizeof *v);
	if (v == NULL)
		return NULL;
	v->tv = tv;
	v->next = f->versions;
	f->versions = v;
	memset(v->at, NOWHERE, sizeof v->at);
	from = store_catalog_schema(f->db, tv);
	if (from == NULL)
		return v;
	v->key_count = from->key_count;
	v->local = store_catalog_table(f->db, from->table_id)->local;
	if (v->local != NULL && !store_shape_same_key(from, v->local))
		v->local = NULL;
	if (v->local != NULL)
		map_columns(v, from);
	return v;
}

static uint64_t
map_mask(const struct version *v, uint64_t mask)
{
	uint64_t mapped = 0;

	if (v->same)
		return mask & v->local->cells;
	for (unsigned i = 0; i < STORE_COLUMNS_MAX; i++)
		if ((mask >> i & 1) != 0 && v->at[i] != NOWHERE)
			mapped |= (uint64_t)1 << v->at[i];
	return mapped;
}

/* ---- folding ---- */

static size_t
hash_of(int table, const uint8_t *key, size_t len)
{
	uint64_t h = 14695981039346656037U ^ (uint64_t)table;

	for (size_t i = 0; i < len; i++)
		h = (h ^ key[i]) * 1099511628211U;
	return (size_t)(h ^ h >> 32);
}

/* The place of the row with the key at hand, made if it is new; NULL without memory. */
static struct store_log_row *
place(struct fold *f, const struct store_schema *schema)
{
	size_t slot = hash_of(schema->table_id, f->key.bytes, f->key.len) & f->slot_mask;
	struct store_log_row *row;

	for (; f->slots[slot] != 0; slot = (slot + 1) & f->slot_mask) {
		row = &f->rows[f->slots[slot] - 1];
		if (row->schema == schema && row->key_len == f->key.len &&
		    memcmp(row->key, f->key.bytes, f->key.len) == 0)
			return row;
	}
	row = &f->rows[f->count];
	row->schema = schema;
	row->key_len = f->key.len;
	row->key = arena_copy(f->a, f->key.bytes, f->key.len);
	if (row->key == NULL)
		return NULL;
	f->slots[slot] = (uint32_t)++f->count;
	return row;
}

/* Room for one more column's; NULL without memory. */
static struct store_cell_kept *
add_kept(struct fold *f, struct store_log_row *row)
{
	struct store_cell_kept *kept = arena_take(f->a, row->kept_count + 1, sizeof *kept);

	if (kept == NULL)
		return NULL;
	if (row->kept_count > 0)
		memcpy(kept, row->kept, row->kept_count * sizeof *kept);
	row->kept = kept;
	return kept + row->kept_count++;
}

static int
copy_value(struct fold *f, struct store_value *out, const struct store_value *val)
{
	*out = *val;
	if (val->type != STORE_TEXT && val->type != STORE_BLOB)
		return 0;
	out->bytes = arena_copy(f->a, val->bytes, val->len);
	return out->bytes == NULL ? -1 : 0;
}

/* A value that a max column had in a life that ended. */
static int
keep(struct fold *f, struct store_log_row *row, unsigned column, const struct store_value *val)
{
	struct store_cell_kept *kept = NULL;

	for (size_t i = 0; i < row->kept_count; i++)
		if (row->kept[i].column == column)
			kept = &row->kept[i];
	if (kept != NULL)
		return store_value_cmp(val, &kept->value) <= 0 ? 0
		                                               : copy_value(f, &kept->value, val);
	kept = add_kept(f, row);
	if (kept == NULL || copy_value(f, &kept->first, val) < 0)
		return -1;
	kept->column = column;
	kept->value = kept->first;
	kept->unchanged = !row->inserted && (row->mask >> column & 1) == 0;
	return 0;
}

/* Does an entry of this version say anything?  For op 4 *column is the column it means now. */
static bool
means_something(const struct version *v, const struct entry *e, uint64_t *mask, unsigned *column)
{
	*mask = 0;
	if (v->local == NULL)
		return false;
	switch (e->op) {
	case STORE_INSERT:
	case STORE_DELETE:
		return true;
	case STORE_UPDATE:
		*mask = map_mask(v, (uint64_t)e->mask);
		return *mask != 0;
	case OP_KEPT:
		if (e->mask < 0 || e->mask >= STORE_COLUMNS_MAX || e->val.type == STORE_NULL)
			return false;
		*column = v->at[e->mask];
		return *column != NOWHERE && v->local->columns[*column].rule == STORE_MAX;
	default:
		return false; /* nobody we know writes that */
	}
}

/* A key that no record can hold: the row stays here, and a person is told which table it is in. */
static int
hold_back(struct fold *f, const struct store_schema *schema, struct err *err)
{
	struct store_quarantined q = { .key = (const uint8_t *)"" };
	char reason[STORE_NAME_MAX + 120];
	int rc = store_catalog_scope(f->db, "hub", &q.scope, err);

	snprintf(reason, sizeof reason,
	         "a row of %s has a key of %zu bytes, more than the %d that can be sent; it stays "
	         "here",
	         schema->table, f->key.len, STORE_VALUE_MAX);
	q.reason = reason;
	return rc == 0 ? store_quarantine_add(f->db, &q, err) : rc;
}

static int
fold_entry(struct fold *f, struct store_stmt *s, const struct entry *e, struct err *err)
{
	const struct version *v = f->versions != NULL && f->versions->tv == e->tv
	                                  ? f->versions
	                                  : version_of(f, e->tv);
	struct store_log_row *row;
	unsigned column = 0;
	uint64_t mask;

	if (v == NULL)
		return no_memory(err);
	if (!means_something(v, e, &mask, &column))
		return 0;
	buf_clear(&f->key);
	for (unsigned k = 0; k < v->key_count; k++) {
		struct store_value part = store_stmt_get_value(s);

		store_value_write(&f->key, &part);
	}
	if (f->key.len > STORE_VALUE_MAX)
		return e->op == STORE_DELETE || e->op == OP_KEPT ? 0 : hold_back(f, v->local, err);
	row = f->key.bad ? NULL : place(f, v->local);
	if (row == NULL)
		return no_memory(err);
	row->seq = e->seq;
	row->at_ms = e->at_ms;
	row->mask |= mask;
	row->inserted = row->inserted || e->op == STORE_INSERT;
	if (e->op != OP_KEPT || keep(f, row, column, &e->val) == 0)
		return 0;
	return no_memory(err);
}

/*
 * Fold up to `max` entries, some more if the last are op 4: those stay with the delete or insert
 * they were noted for.  *last is the seq of the last one folded.
 */
static int
fold_entries(struct fold *f, size_t max, size_t cap, int64_t *last, struct err *err)
{
	struct store_stmt s = store_stmt_new(f->db, "SELECT seq, at_ms, tv, op, mask, val, k1, k2, "
	                                            "k3, k4 FROM yz_log ORDER BY seq LIMIT ?");
	struct entry e = { 0 };
	int rc;

	store_stmt_put_int(&s, (int64_t)cap);
	for (size_t n = 0; (rc = store_stmt_step(&s, err)) == 1; n++) {
		if (n >= max && e.op != OP_KEPT)
			break;
		e.seq = store_stmt_get_int(&s);
		e.at_ms = store_stmt_get_int(&s);
		e.tv = (int)store_stmt_get_int(&s);
		e.op = (int)store_stmt_get_int(&s);
		e.mask = store_stmt_get_int(&s);
		e.val = store_stmt_get_value(&s);
		*last = e.seq;
		rc = fold_entry(f, &s, &e, err);
		if (rc < 0)
			break;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

/* ---- the rows as they are now ---- */

/* What was kept of earlier lives stands above what the row holds. */
static int
raise_row(struct store_rows *io, struct store_log_row *row, struct err *err)
{
	uint64_t raised = 0;

	for (size_t i = 0; i < row->kept_count; i++) {
		const struct store_cell_kept *kept = &row->kept[i];

		if (store_value_cmp(&kept->value, &row->values[kept->column]) <= 0)
			continue;
		row->values[kept->column] = kept->value;
		raised |= (uint64_t)1 << kept->column;
	}
	if (raised == 0)
		return 0;
	return store_rows_update(io, row->key, row->key_len, raised, row->values, err);
}

static int
read_row(struct fold *f, struct store_rows *io, struct store_log_row *row, struct err *err)
{
	int rc;

	row->values = arena_take(f->a, row->schema->column_count, sizeof *row->values);
	if (row->values == NULL)
		return no_memory(err);
	rc = store_rows_get(io, row->key, row->key_len, row->values, f->a, err);
	if (rc < 0)
		return err_wrap(err, "table %s", row->schema->table);
	row->present = rc == 1 || (MUT(49) && row->inserted);
	if (!row->present)
		row->values = NULL;
	return row->present && row->kept_count > 0 ? raise_row(io, row, err) : 0;
}

/* An upsert notes what a REPLACE would have taken away; that alone is no change. */
static void
drop_untouched(struct fold *f)
{
	size_t stay = 0;

	for (size_t i = 0; i < f->count; i++)
		if (!f->rows[i].present || f->rows[i].inserted || f->rows[i].mask != 0)
			f->rows[stay++] = f->rows[i];
	f->count = stay;
}

static int
read_rows(struct fold *f, struct err *err)
{
	size_t tables = (size_t)store_catalog_table_count(f->db);
	struct store_rows *io = arena_take(f->a, tables + 1, sizeof *io);
	int rc = 0;

	if (io == NULL)
		return no_memory(err);
	for (size_t i = 0; rc == 0 && i < f->count; i++) {
		struct store_log_row *row = &f->rows[i];
		struct store_rows *of = &io[row->schema->table_id];

		if (of->schema == NULL)
			*of = store_rows_of(f->db, row->schema);
		rc = read_row(f, of, row, err);
	}
	for (size_t i = 0; i <= tables; i++)
		store_rows_end(&io[i]);
	if (rc == 0)
		drop_untouched(f);
	return rc;
}

static int
by_seq(const void *a, const void *b)
{
	const struct store_log_row *left = a, *right = b;

	return (left->seq > right->seq) - (left->seq < right->seq);
}

/* Rows stand by their first entry; mostly that is the order of their last as well. */
static void
sort_rows(struct fold *f)
{
	for (size_t i = 1; i < f->count; i++)
		if (f->rows[i].seq < f->rows[i - 1].seq) {
			qsort(f->rows, f->count, sizeof *f->rows, by_seq);
			return;
		}
}

static int
delete_entries(struct store_db *db, int64_t last, bool more, struct err *err)
{
	struct store_stmt s;

	if (!more)
		return store_db_exec(
		        db, MUT(11) ? "DELETE FROM yz_log WHERE seq < 0" : "DELETE FROM yz_log",
		        err);
	s = store_stmt_new(db, "DELETE FROM yz_log WHERE seq <= ?");
	store_stmt_put_int(&s, last);
	return store_stmt_run(&s, err);
}

/* Room for as many rows as there are entries, and twice the slots. */
static int
make_room(struct fold *f, size_t entries, struct err *err)
{
	size_t slots = 16;

	if (entries >= UINT32_MAX)
		return no_memory(err);
	while (slots < entries * 2)
		slots *= 2;
	f->rows = arena_take(f->a, entries, sizeof *f->rows);
	f->slots = calloc(slots, sizeof *f->slots);
	f->slot_mask = slots - 1;
	return f->rows == NULL || f->slots == NULL ? no_memory(err) : 0;
}

/* Fold `max` of the `waiting` entries, read their rows, delete them; *more says that some are left.
 */
static int
take(struct fold *f, size_t max, size_t waiting, bool *more, struct err *err)
{
	size_t cap = waiting > max && waiting - max > KEPT_RUN ? max + KEPT_RUN : waiting;
	int64_t last = 0, end = 0;
	int rc;

	rc = make_room(f, cap, err);
	if (rc == 0)
		rc = fold_entries(f, max, cap, &last, err);
	if (rc < 0)
		return rc;
	sort_rows(f);
	rc = read_rows(f, err);
	if (rc == 0)
		rc = store_stmt_int(f->db, "SELECT max(seq) FROM yz_log", 0, &end, err);
	*more = end > last;
	return rc == 0 ? delete_entries(f->db, last, *more, err) : rc;
}

int
store_log_take(struct store_db *db, size_t max, struct arena *a, struct store_log_taken *out,
               struct err *err)
{
	struct fold f = { .db = db, .a = a };
	int64_t waiting = 0;
	int rc;

	assert(store_db_in_transaction(db));
	*out = (struct store_log_taken){ 0 };
	rc = store_stmt_int(db, "SELECT count(*) FROM yz_log", 0, &waiting, err);
	if (rc == 0 && waiting > 0)
		rc = take(&f, max == 0 ? (size_t)waiting : max, (size_t)waiting, &out->more, err);
	if (rc == 0) {
		out->rows = f.rows;
		out->count = f.count;
	}
	free(f.slots);
	buf_free(&f.key);
	return rc;
}

int
store_log_note(struct store_db *db, const struct store_change *change, struct err *err)
{
	struct store_stmt s =
	        store_stmt_new(db, "INSERT INTO yz_log(at_ms, tv, op, mask, k1, k2, k3, k4)"
	                           " VALUES(" STORE_SQL_NOW ", ?, ?, ?, ?, ?, ?, ?)");
	struct rd rd = rd_from(change->key, change->key_len);

	store_stmt_put_int(&s, change->schema->id);
	store_stmt_put_int(&s, change->op);
	store_stmt_put_int(&s, change->op == STORE_UPDATE ? (int64_t)change->mask : 0);
	for (unsigned k = 0; k < STORE_KEYS_MAX; k++) {
		struct store_value part =
		        k < change->schema->key_count ? store_value_read(&rd) : store_value_null();

		store_stmt_put_value(&s, &part);
	}
	return store_stmt_run(&s, err);
}

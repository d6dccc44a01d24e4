/*
 * store/track.c - from an ordinary table to a tracked one, and keeping it so.
 *
 * Anybody may change the schema of the file at any time: add a column, rebuild
 * a table, drop a trigger.  store_track_refresh() compares what is there with
 * what ought to be, table by table, whenever PRAGMA schema_version has moved:
 *
 *   the table is gone, or has no usable key any more   -> not tracked here
 *   its columns differ from its schema                 -> a new schema version
 *   its triggers differ from those of the schema       -> all are made anew
 *   triggers named yz_ on a table that isn't tracked   -> dropped (a rename)
 *
 * What was written to a new column before the triggers knew it is found once,
 * by comparing with the column's default; what was written while the triggers
 * were away, by the clocks (store/rescan.c).
 *
 * How a table is tracked (kind, scope, rules, groups) lives in its schema in
 * the catalogue and nowhere else; a new version takes it from the one before,
 * by column name.
 */
#include "store/base/mutant.h"
#include "store/inbox.h"
#include "store/lost_priv.h"
#include "store/rescan_priv.h"
#include "store/rows_priv.h"
#include "store/shape_priv.h"
#include "store/stmt.h"
#include "store/track_priv.h"
#include "store/trigger_priv.h"

#include <assert.h>
#include <string.h>

static const char meta_version[] = "schema_version";

/* ---- entries for what no trigger has seen ---- */

static void
put_log_insert(struct buf *sql, const struct store_schema *schema, enum store_op op)
{
	buf_printf(sql, "INSERT INTO yz_log(at_ms,tv,op,mask,");
	store_trigger_key_names(sql, schema);
	buf_printf(sql, ") SELECT " STORE_SQL_NOW ",%d,%d,", schema->id, (int)op);
}

static int
run_buf(struct store_db *db, struct buf *sql, struct err *err)
{
	int rc = buf_check(sql, err);

	if (rc == 0)
		rc = store_db_exec(db, buf_str(sql), err);
	buf_free(sql);
	return rc;
}

/* Every row of the table as an insert. */
static int
log_rows(struct store_db *db, const struct store_schema *schema, struct err *err)
{
	struct buf sql = { 0 };

	put_log_insert(&sql, schema, STORE_INSERT);
	buf_printf(&sql, "NULL,");
	store_trigger_keys(&sql, schema, "");
	buf_printf(&sql, " FROM ");
	store_rows_quote(&sql, schema->table);
	buf_printf(&sql, " ORDER BY ");
	store_trigger_keys(&sql, schema, "");
	return run_buf(db, &sql, err);
}

/* Rows whose columns that `before` didn't have hold something else than their default, as updates
 * of those. */
static int
log_new_columns(struct store_db *db, const struct store_shape *shape,
                const struct store_schema *schema, const struct store_schema *before,
                struct err *err)
{
	struct buf sql = { 0 };
	const char * or = "";

	put_log_insert(&sql, schema, STORE_UPDATE);
	buf_printf(&sql, "yz_mask,");
	store_trigger_keys(&sql, schema, "");
	buf_printf(&sql, " FROM (SELECT ");
	store_trigger_keys(&sql, schema, "");
	buf_printf(&sql, ",");
	for (unsigned i = 0; i < schema->column_count; i++) {
		const char *fallback = shape->columns[i].fallback;

		if (store_schema_find(before, schema->columns[i].name) >= 0)
			continue;
		buf_printf(&sql, "%s((", or);
		store_rows_quote(&sql, schema->columns[i].here);
		buf_printf(&sql, " IS NOT %s COLLATE BINARY)<<%u)",
		           fallback == NULL ? "NULL" : fallback, i);
		or = "|";
	}
	buf_printf(&sql, " AS yz_mask FROM ");
	store_rows_quote(&sql, schema->table);
	buf_printf(&sql, ") WHERE yz_mask<>0");
	if (* or != 0)
		return run_buf(db, &sql, err);
	buf_free(&sql);
	return 0;
}

/* ---- tracking ---- */

/* Columns that are logged where a row isn't what its clock says (store/rescan.c). */
static uint64_t
ours(const struct store_schema *schema, bool is_hub)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < schema->column_count; i++) {
		const struct store_column *c = &schema->columns[i];

		if (c->key == 0 && c->rule != STORE_MAX && (is_hub || !c->hub_only))
			mask |= (uint64_t)1 << i;
	}
	return mask;
}

/* Log what was written while the triggers of `before` were away. */
static int
log_unseen(struct store_db *db, const struct store_schema *schema,
           const struct store_schema *before, bool is_hub, struct err *err)
{
	struct store_rescan what = { .schema = schema, .mask = ours(schema, is_hub) };

	/* A column that is gone took its value along: terms can't be compared any more. */
	for (unsigned i = 0; i < before->column_count; i++)
		if (store_schema_find(schema, before->columns[i].name) < 0)
			what.mask = 0;
	return store_rescan(db, &what, err);
}

/* Make `schema` the one its table is tracked by, and log what no trigger has seen. */
static int
adopt(struct store_db *db, const struct store_shape *shape, const struct store_schema *schema,
      bool is_hub, struct err *err)
{
	const struct store_schema *before = store_catalog_table(db, schema->table_id)->local;
	struct store_triggered old = { .schema = before, .is_hub = is_hub },
	                       new = { .schema = schema, .is_hub = is_hub, .make = true };
	bool stood = true, stand;
	int rc = 0;

	if (before != NULL)
		rc = store_track_triggers(db, shape, &old, &stood, err);
	if (rc == 0 && before != schema)
		rc = store_catalog_set_local(db, schema->table_id, schema, err);
	if (rc == 0)
		rc = store_track_triggers(db, shape, &new, &stand, err);
	if (rc == 0 && before == NULL)
		rc = store_lost_forget(db, schema->table, err);
	if (rc == 0 && before == NULL)
		return log_rows(db, schema, err);
	if (rc == 0 && before != schema)
		rc = log_new_columns(db, shape, schema, before, err);
	return rc == 0 && !stood ? log_unseen(db, schema, before, is_hub, err) : rc;
}

int
store_track_learn(struct store_db *db, const struct store_schema *built,
                  const struct store_schema **schema, struct err *err)
{
	struct buf def = { 0 };
	int rc;

	store_schema_write(&def, built);
	rc = buf_check(&def, err);
	if (rc == 0)
		rc = store_catalog_learn(db, def.bytes, def.len, schema, err);
	buf_free(&def);
	return rc;
}

/* What is noted of a schema that has been looked at.  Programs before there was a mark noted the
 * number alone, so their files are looked at once more. */
static int
put_version(struct store_db *db, struct buf *text, struct err *err)
{
	int64_t version;
	int rc = store_stmt_int(db, "PRAGMA schema_version", 0, &version, err);

	if (rc == 0)
		buf_printf(text, "%lld marked", (long long)version);
	return rc;
}

/* Note which schema of the file has been looked at; our own triggers have moved it. */
static int
remember_version(struct store_db *db, struct err *err)
{
	struct buf text = { 0 };
	int rc = put_version(db, &text, err);

	if (rc == 0)
		rc = store_meta_set(db, meta_version, text.bytes, text.len, err);
	if (rc == 0) /* what a table couldn't hold it may hold now */
		rc = store_quarantine_wake(db, STORE_QUARANTINE_ALL, err);
	buf_free(&text);
	return rc;
}

static int
changed_meaning(const struct store_schema *s, unsigned i, struct err *err)
{
	return err_set(
	        err, ERR_INVALID,
	        "%s.%s is merged in another way already, here or elsewhere: another meaning is "
	        "another column name",
	        s->table, s->columns[i].name);
}

/* A group stays what it was: a column may join a new one only with columns that are new as well. */
static bool
same_groups(const struct store_schema *a, const struct store_schema *b)
{
	for (unsigned i = 0; i < a->column_count; i++) {
		int at_i = store_schema_find(b, a->columns[i].name);

		for (unsigned k = 0; at_i >= 0 && k < i; k++) {
			int at_k = store_schema_find(b, a->columns[k].name);
			bool in_a = a->columns[i].group != 0 &&
			            a->columns[i].group == a->columns[k].group;

			if (at_k >= 0 && in_a != (b->columns[at_i].group != 0 &&
			                          b->columns[at_i].group == b->columns[at_k].group))
				return false;
		}
	}
	return true;
}

/* The meaning of a name never changes: rule, group, kind and scope are what they were. */
static int
check_meaning(struct store_db *db, const struct store_schema *s, struct err *err)
{
	const struct store_table *known = store_catalog_table_by_name(db, s->table);
	const struct store_schema *before = known == NULL ? NULL : known->local;

	for (unsigned i = 0; known != NULL && i < s->column_count; i++)
		for (unsigned k = 0; k < known->column_count; k++)
			if (strcmp(known->names[k], s->columns[i].name) == 0 &&
			    known->rules[k] != s->columns[i].rule)
				return changed_meaning(s, i, err);
	if (before == NULL)
		return 0;
	if (before->kind != s->kind || strcmp(before->scope_prefix, s->scope_prefix) != 0 ||
	    (before->scope_column < 0) != (s->scope_column < 0) || !same_groups(s, before) ||
	    !store_shape_same_key(s, before))
		return err_set(
		        err, ERR_INVALID,
		        "table %s is tracked with another kind, key, scope or other groups, and "
		        "stays so, for other nodes merge by them: make a new table and copy "
		        "the rows there",
		        s->table);
	return 0;
}

/* What is urgent is this file's own affair: it is no part of what a table means. */
static int
set_urgent(struct store_db *db, const struct store_schema *schema, bool urgent, struct err *err)
{
	struct store_stmt s = store_stmt_new(db, "UPDATE yz_table SET urgent = ? WHERE id = ?");

	store_stmt_put_int(&s, urgent);
	store_stmt_put_int(&s, schema->table_id);
	return store_stmt_run(&s, err);
}

/* A renamed column that isn't there any more, dropped or called something else by somebody who
 * didn't say so, is renamed no longer. */
static int
forget_renames(struct store_db *db, const struct store_shape *shape, struct err *err)
{
	const struct store_table *t = store_catalog_table_by_name(db, shape->table);
	int rc = 0;

	for (int id = 1; rc == 0 && t != NULL && id <= (int)t->column_count; id++) {
		bool there = t->here[id - 1] == t->names[id - 1];

		for (unsigned i = 0; i < shape->count && !there; i++)
			there = strcmp(shape->columns[i].name, t->here[id - 1]) == 0;
		if (!there)
			rc = store_catalog_set_here(db, t->id, id, NULL, err);
		if (rc == 0 && !there) /* the catalogue was read in again */
			t = store_catalog_table_by_name(db, shape->table);
	}
	return rc;
}

int
store_track_table(struct store_db *db, const struct store_track_spec *spec, bool is_hub,
                  struct err *err)
{
	const struct store_schema *schema = NULL;
	struct store_schema *built = NULL;
	struct store_shape *shape = NULL;
	struct arena a = { 0 };
	int rc;

	assert(store_db_in_transaction(db));
	rc = store_shape_read(db, spec->table, &a, &shape, err);
	if (rc == 0)
		rc = forget_renames(db, shape, err);
	if (rc == 0)
		rc = store_shape_check(db, shape, err);
	if (rc == 0)
		rc = store_shape_check_rules(db, shape, spec, err);
	if (rc == 0)
		rc = store_shape_schema(shape, spec, &a, &built, err);
	if (rc == 0)
		rc = check_meaning(db, built, err);
	if (rc == 0)
		rc = store_track_learn(db, built, &schema, err);
	if (rc == 0)
		rc = adopt(db, shape, schema, is_hub, err);
	if (rc == 0)
		rc = set_urgent(db, schema, spec->urgent, err);
	arena_free(&a);
	return rc == ERR_NOTFOUND ? err_set(err, ERR_INVALID, "there is no table %s", spec->table)
	                          : rc;
}

/* ---- keeping it so ---- */

/* The table is not what it was: its rows stay, its capture ends, and the reason is kept. */
static int
give_up(struct store_db *db, const struct store_table *table, struct err *err)
{
	struct err why = *err;
	int rc = store_lost_note(db, table->name, why.msg, err);

	return rc < 0 ? rc : store_catalog_set_local(db, table->id, NULL, err);
}

/* Look at one tracked table again; one that can't be captured any more is given up. */
static int
refresh_table(struct store_db *db, int id, bool is_hub, struct err *err)
{
	const struct store_table *table = store_catalog_table(db, id);
	const struct store_schema *schema = NULL;
	struct store_schema *built = NULL;
	struct store_shape *shape = NULL;
	struct arena a = { 0 };
	int rc;

	rc = store_shape_read(db, table->name, &a, &shape, err);
	if (rc == 0)
		rc = forget_renames(db, shape, err);
	if (rc == 0) {
		table = store_catalog_table(db, id);
		rc = store_shape_check(db, shape, err);
	}
	if (rc == 0)
		rc = store_shape_schema_again(shape, table->local, &a, &built, err);
	if (rc == ERR_NOTFOUND || rc == ERR_INVALID)
		rc = give_up(db, table, err);
	else if (rc == 0)
		rc = store_track_learn(db, built, &schema, err);
	if (rc == 0 && schema != NULL)
		rc = adopt(db, shape, schema, is_hub, err);
	arena_free(&a);
	return rc;
}

static int
has_moved(struct store_db *db, bool *moved, struct err *err)
{
	struct buf seen = { 0 }, now = { 0 };
	int rc = put_version(db, &now, err);

	if (rc == 0)
		rc = store_meta_get(db, meta_version, &seen, err);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	*moved = strcmp(buf_str(&seen), buf_str(&now)) != 0;
	buf_free(&seen);
	buf_free(&now);
	return rc;
}

int
store_track_refresh(struct store_db *db, bool is_hub, struct err *err)
{
	bool moved = false;
	int rc;

	assert(store_db_in_transaction(db));
	rc = has_moved(db, &moved, err);
	if (rc < 0 || !moved || MUT(25))
		return rc;
	for (int id = 1; rc == 0 && id <= store_catalog_table_count(db); id++) {
		const struct store_table *table = store_catalog_table(db, id);

		if (table->local != NULL)
			rc = refresh_table(db, id, is_hub, err);
	}
	if (rc == 0)
		rc = store_track_drop_triggers(db, NULL, err);
	if (rc == 0)
		rc = store_track_mark(db, NULL, err);
	return rc == 0 ? remember_version(db, err) : rc;
}

/* ---- looking ---- */

static int
look_at(struct store_db *db, const struct store_table *table, bool is_hub, bool *stand,
        struct err *err)
{
	struct store_triggered by = { .schema = table->local, .is_hub = is_hub };
	struct store_shape *shape = NULL;
	struct arena a = { 0 };
	int rc = store_shape_read(db, table->name, &a, &shape, err);

	*stand = false;
	if (rc == 0)
		rc = store_track_triggers(db, shape, &by, stand, err);
	arena_free(&a);
	if (rc != ERR_NOTFOUND)
		return rc;
	*stand = true; /* none is missing where there is no table (store/lost.h) */
	return 0;
}

int
store_track_look(struct store_db *db, bool is_hub, store_track_tell *tell, void *ctx,
                 struct err *err)
{
	int rc = 0;

	assert(store_db_in_transaction(db));
	for (int id = 1; rc == 0 && id <= store_catalog_table_count(db); id++) {
		const struct store_table *table = store_catalog_table(db, id);
		bool stand = true;

		if (table->local != NULL)
			rc = look_at(db, table, is_hub, &stand, err);
		if (rc == 0 && !stand)
			tell(ctx, table->name,
			     "its triggers are missing, or somebody made them anew");
	}
	return rc;
}

/* Rows of one table. */
static int
capture(struct store_db *db, struct store_track_rows *rows, struct err *err)
{
	const struct store_schema *local = store_catalog_table(db, rows->list[0]->table)->local;
	struct store_rescan what = { .schema = local };

	if (local != NULL && local->kind != STORE_EVENT)
		what.mask = ours(local, rows->is_hub);
	return what.mask == 0 ? 0 : store_rescan_rows(db, &what, rows, err);
}

int
store_track_capture(struct store_db *db, struct store_track_rows *rows, struct err *err)
{
	struct store_track_rows some = *rows;
	size_t from = 0;
	int rc = 0;

	some.logged = 0;
	while (rc == 0 && from < rows->count) {
		some.list = rows->list + from;
		for (some.count = 1; from + some.count < rows->count &&
		                     some.list[some.count]->table == some.list[0]->table;)
			some.count++;
		rc = capture(db, &some, err);
		from += some.count;
	}
	rows->logged = some.logged;
	return rc;
}

int
store_track_stop(struct store_db *db, const char *table, struct err *err)
{
	const struct store_table *known = store_catalog_table_by_name(db, table);
	int rc;

	assert(store_db_in_transaction(db));
	if (known == NULL || known->local == NULL)
		return err_set(err, ERR_INVALID, "table %s is not tracked", table);
	rc = store_track_drop_triggers(db, table, err);
	return rc == 0 ? store_catalog_set_local(db, known->id, NULL, err) : rc;
}

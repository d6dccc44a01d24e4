/*
 * store/trigger.c - the triggers of a tracked table.
 *
 * They run inside other people's SQLite, so they are core SQL, nothing newer
 * than 3.35, and call no function of ours.  What they note is which row and
 * which columns, never the values: application triggers nest (the newest runs
 * first), so values noted here could disagree with the row.
 *
 *   yz_T_ai  after insert           one entry, op 1
 *   yz_T_au  after update           one entry, op 2, if a cell changed and the key did not
 *   yz_T_ak  after update           op 3 for the old key and op 1 for the new, if the key changed
 *   yz_T_ad  after delete           op 4 with the value of each max column, then op 3
 *   yz_T_bi  before insert          refusals; op 4 for what a REPLACE may be about to take away
 *   yz_T_bu  before update          refusals
 *   yz_T_bd  before delete          refusals
 *
 * Changed is: another storage class, or another value in binary order.  Plain
 * IS NOT misses 1 -> 1.0, and 'a' -> 'A' in a NOCASE column.  A TEXT column holds
 * no numbers, and a text never equals a blob, so it is asked for its value alone:
 * every connection reads these sentences when it opens the file, and they are the
 * most of what it reads.
 *
 * A table without max columns, hub-only columns or scope column has no "before"
 * triggers but those of an event table, and nothing looks anything up: the cost
 * is one row appended to yz_log.  REPLACE fires no delete trigger (unless
 * recursive_triggers is on), so only for max columns the row that is about to
 * go is looked at, by its key.
 */
#include "store/base/mutant.h"
#include "store/rows_priv.h"
#include "store/trigger_priv.h"

#include <string.h>

struct writer {
	struct buf *sql;
	const struct store_schema *s;
	const struct store_shape *shape;
};

/* PREFIX"name" */
static void
put_column(struct buf *sql, const char *prefix, const char *name)
{
	buf_printf(sql, "%s", prefix);
	store_rows_quote(sql, name);
}

void
store_trigger_text(struct buf *sql, const char *text)
{
	for (; *text != 0; text++) {
		if (*text == '\'')
			buf_u8(sql, '\'');
		buf_u8(sql, (uint8_t)*text);
	}
}

/* RAISE(ABORT,'table.column SENTENCE'); column NULL: the table alone. */
static void
put_raise(struct writer *w, const char *column, const char *sentence)
{
	buf_printf(w->sql, "RAISE(ABORT,'");
	store_trigger_text(w->sql, w->s->table);
	if (column != NULL) {
		buf_u8(w->sql, '.');
		store_trigger_text(w->sql, column);
	}
	buf_u8(w->sql, ' ');
	store_trigger_text(w->sql, sentence);
	buf_printf(w->sql, "')");
}

/* Do OLD and NEW differ in this column? */
static void
put_differs(struct buf *sql, const struct store_column *c)
{
	const char *name = c->here;

	buf_printf(sql, "(");
	put_column(sql, "OLD.", name);
	buf_printf(sql, " IS NOT ");
	put_column(sql, "NEW.", name);
	if (MUT(8)) {
		buf_printf(sql, ")");
		return;
	}
	buf_printf(sql, " COLLATE BINARY");
	if (!store_rows_makes_text(c->type)) {
		buf_printf(sql, " OR typeof(");
		put_column(sql, "OLD.", name);
		buf_printf(sql, ") IS NOT typeof(");
		put_column(sql, "NEW.", name);
		buf_printf(sql, ")");
	}
	buf_printf(sql, ")");
}

/* Would NEW be lower than what OLD.name is in the order of max columns (store_value_cmp)? */
static void
put_lower(struct buf *sql, const char *old, const char *name)
{
	buf_printf(sql, "(");
	put_column(sql, "NEW.", name);
	buf_printf(sql, "<");
	put_column(sql, old, name);
	buf_printf(sql, " COLLATE BINARY OR typeof(");
	put_column(sql, "NEW.", name);
	buf_printf(sql, ")='integer' AND typeof(");
	put_column(sql, old, name);
	buf_printf(sql, ")='real' AND ");
	put_column(sql, "NEW.", name);
	buf_printf(sql, "=");
	put_column(sql, old, name);
	buf_printf(sql, ")");
}

/* Any column of `mask` differs between OLD and NEW. */
static void
put_any_differs(struct writer *w, uint64_t mask)
{
	const char * or = "";

	for (unsigned i = 0; i + MUT(9) < w->s->column_count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		buf_printf(w->sql, "%s", or);
		put_differs(w->sql, &w->s->columns[i]);
		or = " OR ";
	}
}

static uint64_t
key_mask(const struct store_schema *s)
{
	uint64_t mask = 0;

	for (unsigned k = 0; k < s->key_count; k++)
		mask |= (uint64_t)1 << s->keys[k];
	return mask;
}

void
store_trigger_key_names(struct buf *sql, const struct store_schema *schema)
{
	for (unsigned k = 1; k <= schema->key_count; k++)
		buf_printf(sql, "%sk%u", k > 1 ? "," : "", k);
}

void
store_trigger_keys(struct buf *sql, const struct store_schema *schema, const char *prefix)
{
	for (unsigned k = 0; k < schema->key_count; k++) {
		buf_printf(sql, "%s", k > 0 ? "," : "");
		put_column(sql, prefix, schema->columns[schema->keys[k]].here);
	}
}

/* A column without an affinity of its own keeps 1 and 1.0 apart, which are one key to SQLite. */
static bool
keeps_any_type(const char *type)
{
	return strstr(type, "INT") == NULL && strstr(type, "CHAR") == NULL &&
	       strstr(type, "CLOB") == NULL && strstr(type, "TEXT") == NULL &&
	       strstr(type, "BLOB") != NULL;
}

/* The new row's key columns; a real number in a BLOB key is refused on the way. */
static void
put_new_keys(struct writer *w)
{
	for (unsigned k = 0; k < w->s->key_count; k++) {
		const struct store_column *c = &w->s->columns[w->s->keys[k]];

		buf_printf(w->sql, "%s", k > 0 ? "," : "");
		if (!keeps_any_type(c->type)) {
			put_column(w->sql, "NEW.", c->here);
			continue;
		}
		buf_printf(w->sql, "CASE typeof(");
		put_column(w->sql, "NEW.", c->here);
		buf_printf(w->sql, ") WHEN 'real' THEN ");
		put_raise(w, c->here, "can't be a real number: a key has one form only");
		buf_printf(w->sql, " ELSE ");
		put_column(w->sql, "NEW.", c->here);
		buf_printf(w->sql, " END");
	}
}

/* INSERT INTO yz_log(at_ms,tv,op,k1..) VALUES(...): an insert of NEW or a delete of OLD. */
static void
put_entry(struct writer *w, enum store_op op)
{
	buf_printf(w->sql, " INSERT INTO yz_log(at_ms,tv,op,");
	store_trigger_key_names(w->sql, w->s);
	buf_printf(w->sql, ") VALUES(" STORE_SQL_NOW ",%d,%d,", w->s->id, (int)op);
	if (op == STORE_DELETE)
		store_trigger_keys(w->sql, w->s, "OLD.");
	else
		put_new_keys(w);
	buf_printf(w->sql, ");");
}

/* What the max columns of OLD hold, as op 4: a later life of the key may not fall below. */
static void
put_kept_of_old(struct writer *w)
{
	for (unsigned i = 0; i < w->s->column_count; i++) {
		if (w->s->columns[i].rule != STORE_MAX || MUT(10))
			continue;
		buf_printf(w->sql, " INSERT INTO yz_log(at_ms,tv,op,mask,");
		store_trigger_key_names(w->sql, w->s);
		buf_printf(w->sql, ",val) SELECT " STORE_SQL_NOW ",%d,4,%u,", w->s->id, i);
		store_trigger_keys(w->sql, w->s, "OLD.");
		put_column(w->sql, ",OLD.", w->s->columns[i].here);
		put_column(w->sql, " WHERE OLD.", w->s->columns[i].here);
		buf_printf(w->sql, " IS NOT NULL;");
	}
}

/* Begin the text of the trigger yz_<table>_<suffix>. */
static void
begin(struct writer *w, struct store_triggers *out, const char *suffix, const char *when)
{
	struct buf name = { 0 };

	w->sql = &out->sql[out->count++];
	buf_printf(&name, "yz_%s_%s", w->s->table, suffix);
	put_column(w->sql, "CREATE TRIGGER ", buf_str(&name));
	put_column(w->sql, when, w->s->table);
	w->sql->bad = w->sql->bad || name.bad;
	buf_free(&name);
}

static void
write_inserted(struct writer *w, struct store_triggers *out)
{
	begin(w, out, "ai", " AFTER INSERT ON ");
	buf_printf(w->sql, " BEGIN");
	put_entry(w, STORE_INSERT);
	buf_printf(w->sql, " END");
}

static void
write_updated(struct writer *w, struct store_triggers *out)
{
	const char * or = "";

	if (w->s->cells == 0)
		return;
	begin(w, out, "au", " AFTER UPDATE ON ");
	buf_printf(w->sql, " WHEN (");
	put_any_differs(w, w->s->cells);
	buf_printf(w->sql, ") AND NOT (");
	put_any_differs(w, key_mask(w->s));
	buf_printf(w->sql, ") BEGIN INSERT INTO yz_log(at_ms,tv,op,mask,");
	store_trigger_key_names(w->sql, w->s);
	buf_printf(w->sql, ") VALUES(" STORE_SQL_NOW ",%d,%d,", w->s->id, (int)STORE_UPDATE);
	for (unsigned i = 0; i < w->s->column_count; i++) {
		if ((w->s->cells >> i & 1) == 0)
			continue;
		buf_printf(w->sql, "%s(", or);
		put_differs(w->sql, &w->s->columns[i]);
		buf_printf(w->sql, "<<%u)", i);
		or = "|";
	}
	buf_printf(w->sql, ",");
	store_trigger_keys(w->sql, w->s, "NEW.");
	buf_printf(w->sql, "); END");
}

static void
write_rekeyed(struct writer *w, struct store_triggers *out)
{
	begin(w, out, "ak", " AFTER UPDATE ON ");
	buf_printf(w->sql, " WHEN ");
	put_any_differs(w, key_mask(w->s));
	buf_printf(w->sql, " BEGIN");
	put_kept_of_old(w);
	put_entry(w, STORE_DELETE);
	put_entry(w, STORE_INSERT);
	buf_printf(w->sql, " END");
}

static void
write_deleted(struct writer *w, struct store_triggers *out)
{
	begin(w, out, "ad", " AFTER DELETE ON ");
	buf_printf(w->sql, " BEGIN");
	put_kept_of_old(w);
	put_entry(w, STORE_DELETE);
	buf_printf(w->sql, " END");
}

/* ---- refusals ---- */

static const char only_grows[] = "only grows: write a value that is not below the present one";
static const char hub_rows[] = "has rows that only the hub writes: ask the hub";
static const char hub_writes[] = "is written by the hub only: leave it out, or ask the hub";
static const char stays[] = "says who may see the row and can't change: insert a new row instead";

/* FROM the row that has the new key now. */
static void
put_from_same_key(struct writer *w)
{
	const char *and = " WHERE ";

	put_column(w->sql, " FROM ", w->s->table);
	buf_printf(w->sql, " AS yz_row");
	for (unsigned k = 0; k < w->s->key_count; k++) {
		put_column(w->sql, and, w->s->columns[w->s->keys[k]].here);
		put_column(w->sql, "=NEW.", w->s->columns[w->s->keys[k]].here);
		and = " AND ";
	}
}

/* Log the value that the row with the new key has, as op 4: it may be about to be replaced. */
static void
put_kept_of_same_key(struct writer *w, unsigned i)
{
	const char *name = w->s->columns[i].here;

	buf_printf(w->sql, " INSERT INTO yz_log(at_ms,tv,op,mask,");
	store_trigger_key_names(w->sql, w->s);
	buf_printf(w->sql, ",val) SELECT " STORE_SQL_NOW ",%d,4,%u,", w->s->id, i);
	store_trigger_keys(w->sql, w->s, "NEW.");
	put_column(w->sql, ",yz_row.", name);
	put_from_same_key(w);
	put_column(w->sql, " AND yz_row.", name);
	buf_printf(w->sql, " IS NOT NULL");
}

/*
 * REPLACE over a row with a greater value would lower it.  An upsert comes by here too and may well
 * leave the column alone, so a NULL is no reason to refuse: the value is kept, as on a delete.
 */
static void
put_replace_guard(struct writer *w, unsigned i)
{
	const char *name = w->s->columns[i].here;

	buf_printf(w->sql, " SELECT ");
	put_raise(w, name, only_grows);
	put_from_same_key(w);
	put_column(w->sql, " AND NEW.", name);
	buf_printf(w->sql, " IS NOT NULL AND ");
	put_lower(w->sql, "yz_row.", name);
	buf_printf(w->sql, ";");
	put_kept_of_same_key(w, i);
	buf_printf(w->sql, ";");
}

static void
put_hub_insert_guard(struct writer *w, unsigned i)
{
	const char *name = w->s->columns[i].here, *fallback = w->shape->columns[i].fallback;

	buf_printf(w->sql, " SELECT ");
	put_raise(w, name, hub_writes);
	put_column(w->sql, " WHERE NEW.", name);
	put_column(w->sql, " IS NOT NULL AND NEW.", name);
	buf_printf(w->sql, " IS NOT %s COLLATE BINARY;", fallback == NULL ? "NULL" : fallback);
}

static void
put_hub_rows_guard(struct writer *w)
{
	buf_printf(w->sql, " SELECT ");
	put_raise(w, NULL, hub_rows);
	buf_printf(w->sql, ";");
}

/* The hub's rows can't be deleted at a facility, nor take another key. */
static void
write_delete_guard(struct writer *w, struct store_triggers *out, bool is_hub)
{
	if (is_hub || !store_schema_is_hubs(w->s))
		return;
	begin(w, out, "bd", " BEFORE DELETE ON ");
	buf_printf(w->sql, " BEGIN");
	put_hub_rows_guard(w);
	buf_printf(w->sql, " END");
}

static bool
has_insert_guard(const struct store_schema *s, bool is_hub)
{
	for (unsigned i = 0; i < s->column_count; i++)
		if (s->columns[i].rule == STORE_MAX || (s->columns[i].hub_only && !is_hub))
			return true;
	return false;
}

static void
write_insert_guard(struct writer *w, struct store_triggers *out, bool is_hub)
{
	if (!has_insert_guard(w->s, is_hub))
		return;
	begin(w, out, "bi", " BEFORE INSERT ON ");
	buf_printf(w->sql, " BEGIN");
	if (!is_hub && store_schema_is_hubs(w->s))
		put_hub_rows_guard(w);
	for (unsigned i = 0; i < w->s->column_count; i++) {
		if (w->s->columns[i].hub_only && !is_hub)
			put_hub_insert_guard(w, i);
		if (w->s->columns[i].rule == STORE_MAX)
			put_replace_guard(w, i);
	}
	buf_printf(w->sql, " END");
}

/* One branch of the CASE that refuses an update of column i; nothing if it may change. */
static void
put_update_guard(struct writer *w, unsigned i, bool is_hub)
{
	const struct store_column *c = &w->s->columns[i];

	if ((int)i == w->s->scope_column || (c->hub_only && !is_hub)) {
		buf_printf(w->sql, " WHEN ");
		put_differs(w->sql, c);
		buf_printf(w->sql, " THEN ");
		put_raise(w, c->here, (int)i == w->s->scope_column ? stays : hub_writes);
	}
	if (c->rule == STORE_MAX) {
		put_column(w->sql, " WHEN NEW.", c->here);
		put_column(w->sql, " IS NULL AND OLD.", c->here);
		buf_printf(w->sql, " IS NOT NULL OR ");
		put_lower(w->sql, "OLD.", c->here);
		buf_printf(w->sql, " OR (");
		put_any_differs(w, key_mask(w->s));
		buf_printf(w->sql, ") AND EXISTS(SELECT 1");
		put_from_same_key(w);
		buf_printf(w->sql, " AND ");
		put_lower(w->sql, "yz_row.", c->here);
		buf_printf(w->sql, ") THEN ");
		put_raise(w, c->here, only_grows);
	}
}

static void
write_update_guard(struct writer *w, struct store_triggers *out, bool is_hub)
{
	if (w->s->scope_column < 0 && !has_insert_guard(w->s, is_hub))
		return;
	begin(w, out, "bu", " BEFORE UPDATE ON ");
	buf_printf(w->sql, " BEGIN SELECT CASE");
	for (unsigned i = 0; i < w->s->column_count; i++)
		put_update_guard(w, i, is_hub);
	if (!is_hub && store_schema_is_hubs(w->s)) {
		buf_printf(w->sql, " WHEN ");
		put_any_differs(w, key_mask(w->s));
		buf_printf(w->sql, " THEN ");
		put_raise(w, NULL, hub_rows);
	}
	buf_printf(w->sql, " END;");
	for (unsigned i = 0; i < w->s->column_count; i++) {
		if (w->s->columns[i].rule != STORE_MAX)
			continue;
		put_kept_of_same_key(w, i);
		buf_printf(w->sql, " AND (");
		put_any_differs(w, key_mask(w->s));
		buf_printf(w->sql, ");");
	}
	buf_printf(w->sql, " END");
}

static void
write_event_guards(struct writer *w, struct store_triggers *out)
{
	static const struct {
		const char *suffix, *when;
	} guards[] = { { "bu", " BEFORE UPDATE ON " }, { "bd", " BEFORE DELETE ON " } };

	for (unsigned i = 0; i < sizeof guards / sizeof guards[0]; i++) {
		begin(w, out, guards[i].suffix, guards[i].when);
		buf_printf(w->sql, " BEGIN SELECT ");
		put_raise(w, NULL, "keeps what happened: corrections are new rows");
		buf_printf(w->sql, "; END");
	}
}

int
store_trigger_write(const struct store_schema *schema, const struct store_shape *shape, bool is_hub,
                    struct store_triggers *out, struct err *err)
{
	struct writer w = { .s = schema, .shape = shape };
	int rc = 0;

	*out = (struct store_triggers){ 0 };
	write_insert_guard(&w, out, is_hub);
	write_inserted(&w, out);
	if (schema->kind == STORE_EVENT) {
		write_event_guards(&w, out);
	} else {
		write_update_guard(&w, out, is_hub);
		write_delete_guard(&w, out, is_hub);
		write_updated(&w, out);
		write_rekeyed(&w, out);
		write_deleted(&w, out);
	}
	for (unsigned i = 0; rc == 0 && i < out->count; i++)
		rc = buf_check(&out->sql[i], err);
	return rc;
}

void
store_trigger_free(struct store_triggers *triggers)
{
	for (unsigned i = 0; i < triggers->count; i++)
		buf_free(&triggers->sql[i]);
	triggers->count = 0;
}

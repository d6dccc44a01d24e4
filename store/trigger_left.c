/*
 * store/trigger_left.c - at a node: rows of who has left can only be read.
 *
 *   yz_T_li  before insert     refused where the new row hangs on a root that has left
 *   yz_T_lu  before update     the same, of the old row or the new
 *   yz_T_ld  before delete     the same
 *
 * What would be written there goes nowhere (store/share.h), so it is refused at once, with a
 * sentence, to whatever program.  Only while something of a root's table has left there are such
 * triggers: who never had a transfer pays nothing for them.
 *
 * They look into yz_group, whose keys are canonical (store/value.h): of a blob that is a byte 4,
 * its length in one byte, and the blob; of an id a byte 5 and the id.  A root with a key of another
 * kind isn't guarded; what is written of it is sealed nowhere and listed.
 */
#include "store/rows_priv.h"
#include "store/share.h"
#include "store/stmt.h"
#include "store/trigger_priv.h"

#include <string.h>

enum { BLOB_TAG = 4, ID_TAG = 5, ID = 16, SHORT_BLOB = 128 };

static const char sentence[] =
        " is of somebody who has left: it can only be read here, and is written where they are now";

/* The row's, before or after: does it hang on a root of this table that has left? */
static void
put_has_left(struct buf *sql, int root, const char *row, const char *column)
{
	struct buf c = { 0 };

	buf_printf(&c, "%s.", row);
	store_rows_quote(&c, column);
	buf_printf(sql,
	           "(typeof(%s)='blob' AND length(%s)<%d AND (SELECT min(left<>0) FROM"
	           " yz_group WHERE tbl=%d AND root=CAST(",
	           buf_str(&c), buf_str(&c), SHORT_BLOB, root);
	buf_printf(sql, "CASE length(%s) WHEN %d THEN char(%d) ELSE char(%d)||char(length(%s)) END",
	           buf_str(&c), ID, ID_TAG, BLOB_TAG, buf_str(&c));
	buf_printf(sql, "||%s AS BLOB)))", buf_str(&c));
	sql->bad = sql->bad || c.bad;
	buf_free(&c);
}

struct guard {
	const struct store_schema *s;
	struct store_share_tables roots;
	int at[STORE_SHARE_ROOTS]; /* the column by which a row hangs on such a root; -1: none */
};

static void
put_any_left(struct buf *sql, const struct guard *g, const char *row, const char **glue)
{
	for (int i = 0; i < g->roots.count; i++) {
		if (g->at[i] < 0)
			continue;
		buf_printf(sql, "%s", *glue);
		put_has_left(sql, g->roots.ids[i], row, g->s->columns[g->at[i]].here);
		*glue = " OR ";
	}
}

static void
write_guard(const struct guard *g, const char *event, bool old, bool new,
            struct store_triggers *out)
{
	struct buf *sql = &out->sql[out->count++], name = { 0 };
	const char *glue = "";

	buf_printf(&name, "yz_%s_l%c", g->s->table,
	           event[0] == 'I'   ? 'i'
	           : event[0] == 'U' ? 'u'
	                             : 'd');
	buf_printf(sql, "CREATE TRIGGER ");
	store_rows_quote(sql, buf_str(&name));
	buf_printf(sql, " BEFORE %s ON ", event);
	store_rows_quote(sql, g->s->table);
	buf_printf(sql, " WHEN ");
	if (old)
		put_any_left(sql, g, "OLD", &glue);
	if (new)
		put_any_left(sql, g, "NEW", &glue);
	buf_printf(sql, " BEGIN SELECT RAISE(ABORT,'");
	store_trigger_text(sql, g->s->table);
	store_trigger_text(sql, sentence);
	buf_printf(sql, "'); END");
	sql->bad = sql->bad || name.bad;
	buf_free(&name);
}

int
store_trigger_left(struct store_db *db, const struct store_schema *schema,
                   struct store_triggers *out, struct err *err)
{
	struct guard g = { .s = schema };
	bool any = false;
	int rc = store_share_left_tables(db, &g.roots, err);

	for (int i = 0; rc == 0 && i < g.roots.count; i++) {
		g.at[i] = store_share_subject(schema, store_catalog_table(db, g.roots.ids[i]));
		any = any || g.at[i] >= 0;
	}
	if (rc < 0 || !any)
		return rc;
	write_guard(&g, "INSERT", false, true, out);
	write_guard(&g, "UPDATE", true, true, out);
	write_guard(&g, "DELETE", true, false, out);
	for (unsigned i = 0; rc == 0 && i < out->count; i++)
		rc = buf_check(&out->sql[i], err);
	return rc;
}

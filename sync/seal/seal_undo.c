/*
 * sync/seal/seal_undo.c - what a write may not change is put back, and a person is
 * told.
 *
 * At the keyboard triggers say so, but a REPLACE takes the old row away without
 * one seeing it, and nobody looks a row up at each insert for its sake (store
 * D3).  Here the row's clock is at hand.
 *
 *   the scope of a row that lives    its scope column is written again as it was; what else was
 *                                    written goes out with it
 *   the scope of a row that is over  the new life stays here: it is not for those who had the old
 *                                    one, and they are who would get it
 *   an event                         its row is what it was, out of the segments.  A node where
 *                                    those are damaged sends what was written: the hub refuses it
 *                                    and says again what is right
 *
 * What a later column of an event holds, from the time before triggers knew of it, is none of its
 * first insert's values and rewrites nothing.  The hub says it for all; a migration has written the
 * same elsewhere.
 */
#include "store/inbox.h"
#include "sync/merge/restore.h"
#include "sync/merge/share.h"
#include "sync/seal/seal_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "seal: out of memory");
}

/* What the scope column of a row in `scope` holds: nothing where the row belongs to nobody. */
static int
scope_value(struct seal *s, const struct store_schema *schema, const char *scope,
            struct store_value *out, struct err *err)
{
	size_t prefix = strlen(schema->scope_prefix);
	size_t len = strlen(scope);

	*out = store_value_null();
	if (len <= prefix || memcmp(scope, schema->scope_prefix, prefix) != 0)
		return 0;
	*out = (struct store_value){ .type = STORE_TEXT, .len = len - prefix };
	out->bytes = arena_copy(&s->arena, scope + prefix, len - prefix);
	return out->bytes == NULL ? no_memory(err) : 0;
}

/* Has the hub passed it on, from another scope?  Then its writer has said nothing in this one: of a
 * child whom another facility sees, too, the hub tells that one alone who sees her. */
static int
is_passed_on(struct seal *s, const struct item *it, bool *yes, struct err *err)
{
	struct store_stream stream;
	int rc = store_stream_find(s->r->db, it->row.site, it->row.scope, &s->arena, &stream, err);

	*yes = it->row.stamp != 0 && (rc == ERR_NOTFOUND || (rc == 0 && stream.n == 0));
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Is the row in a scope that its column doesn't name, because others see it, too, or one of them
 * has left?  There the column is a cell like others. */
static int
is_shared(struct seal *s, const struct item *it, const char *scope, bool *yes, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	struct store_share_tables tables = { 0 };
	struct store_share *list = NULL;
	struct store_root root = { 0 };
	size_t count = 0;
	int rc;

	*yes = strncmp(scope, schema->scope_prefix, strlen(schema->scope_prefix)) != 0 &&
	       strcmp(scope, "hub") != 0;
	rc = *yes ? 0 : is_passed_on(s, it, yes, err);
	if (rc == 0 && !*yes)
		rc = store_share_tables(s->r->db, &tables, err);
	if (rc < 0 || *yes || tables.count == 0)
		return rc;
	if (store_share_root_of_values(s->r->db, &tables, schema, it->log->values, &root))
		rc = store_share_group(s->r->db, &root, &s->arena, &list, &count, err);
	buf_free(&root.room);
	*yes = count > 0;
	return rc;
}

/* Does the row still say the scope that it is in?  If not and it lives, it says so again. */
static int
keep_scope(struct seal *s, struct item *it, const char *name, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	const char *scope = store_catalog_scope_of(s->r->db, it->row.scope);
	bool shared = false;
	int rc = strcmp(name, scope) == 0 ? 0 : is_shared(s, it, scope, &shared, err);

	if (rc < 0 || shared || strcmp(name, scope) == 0)
		return rc;
	it->undo = SYNC_UNDO_SCOPE;
	if (it->row.cl % 2 == 0)
		return 0;
	it->log->mask |= (uint64_t)1 << schema->scope_column;
	return scope_value(s, schema, scope, &it->log->values[schema->scope_column], err);
}

int
sync_seal_scope(struct seal *s, struct item *it, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	char name[STORE_SCOPE_MAX + 1];
	struct err why;
	int rc;

	if (it->row.known && !it->log->present)
		return 0;
	if (!it->log->present) {
		it->log->schema = NULL; /* came and went: nobody has heard of it */
		return 0;
	}
	if (store_schema_scope(schema, it->log->values, name, &why) < 0)
		snprintf(name, sizeof name, "hub"); /* belongs to nobody: stays here, listed */
	if (!it->row.known)
		rc = store_catalog_scope(s->r->db, name, &it->row.scope, err);
	else
		rc = schema->scope_column < 0 ? 0 : keep_scope(s, it, name, err);
	if (rc < 0 || !s->left || (it->row.known && it->row.cl % 2 == 1))
		return rc;
	return sync_share_scope(s->r, it->log, &it->row.scope, err);
}

/* ---- events ---- */

/* Columns of which nobody has said anything yet. */
static uint64_t
unwritten(const struct item *it)
{
	const struct store_schema *schema = it->log->schema;
	uint64_t mask = schema->cells;

	for (unsigned i = 0; i < it->row.cell_count; i++)
		for (unsigned k = 0; k < schema->column_count; k++)
			if (schema->columns[k].id == it->row.cells[i].column)
				mask &= ~((uint64_t)1 << k);
	return mask;
}

void
sync_seal_look_at_event(struct seal *s, struct item *it)
{
	uint8_t term[STORE_TERM];

	if (it->log->schema->kind != STORE_EVENT || !it->log->present ||
	    !store_row_is_live(&it->row))
		return;
	store_row_term(s->r->batch, &it->row, term);
	it->undo = SYNC_UNDO_NOTHING;
	if (memcmp(term, it->row.term, STORE_TERM) != 0) {
		it->undo = SYNC_UNDO_EVENT;
		s->rewritten++;
	}
	it->log->mask = s->r->is_hub ? it->log->mask & unwritten(it) : 0;
	it->log->inserted = false;
}

/* All rows that were written again, sorted. */
static int
rewritten_rows(struct seal *s, struct store_row ***out, struct err *err)
{
	struct store_row **rows = arena_take(&s->arena, s->rewritten, sizeof(struct store_row *));
	size_t count = 0;

	*out = rows;
	if (rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].undo == SYNC_UNDO_EVENT)
			rows[count++] = &s->items[i].row;
	store_row_sort(rows, count);
	return 0;
}

int
sync_seal_undo_events(struct seal *s, struct err *err)
{
	struct store_row **rows;
	int rc = rewritten_rows(s, &rows, err);

	if (rc == 0)
		rc = sync_restore_values(s->r, rows, s->rewritten, &s->arena, err);
	if (rc == ERR_CORRUPT || rc == ERR_NOTFOUND)
		rc = 0; /* a segment that rots must not stop the others' way out */
	for (size_t i = 0; rc == 0 && i < s->count; i++) {
		struct item *it = &s->items[i];

		if (it->undo != SYNC_UNDO_EVENT || it->row.changed)
			continue;
		it->undo = SYNC_UNDO_LOST;
		it->log->inserted = true; /* all of it goes out */
	}
	return rc == 0 ? s->r->batch->put(s->r->batch, rows, s->rewritten, err) : rc;
}

/* ---- told ---- */

const char *
sync_seal_undo_holds(const struct seal *s, const struct item *it)
{
	if (it->undo == SYNC_UNDO_SCOPE && it->row.cl % 2 == 0)
		return "a row of that key was in another scope, and that can't change; the row "
		       "stays "
		       "here only: give it another key";
	if (it->undo == SYNC_UNDO_LOST && s->r->is_hub)
		return "it keeps what happened, and what that was is in no record of this file; "
		       "the "
		       "row stays here only: corrections are new rows";
	return NULL;
}

static void
say_undone(const struct seal *s, const struct item *it, char *out, size_t size)
{
	const struct store_schema *schema = it->log->schema;

	if (it->undo == SYNC_UNDO_EVENT)
		snprintf(out, size,
		         "%s keeps what happened: the row is again as it was; corrections are new "
		         "rows",
		         schema->table);
	else
		snprintf(out, size,
		         "%s.%s says who may see the row and can't change: the row is in %s again; "
		         "insert a new row instead",
		         schema->table, schema->columns[schema->scope_column].here,
		         store_catalog_scope_of(s->r->db, it->row.scope));
}

int
sync_seal_tell_undone(struct seal *s, const struct item *it, struct err *err)
{
	char reason[2 * STORE_NAME_MAX + 200];
	struct store_quarantined q = { .scope = it->row.scope,
		                       .n = STORE_QUARANTINE_UNDONE,
		                       .table = it->row.table,
		                       .key = it->row.key,
		                       .key_len = it->row.key_len,
		                       .reason = reason };

	if (it->is_held || (it->undo != SYNC_UNDO_SCOPE && it->undo != SYNC_UNDO_EVENT))
		return 0;
	say_undone(s, it, reason, sizeof reason);
	return sync_seal_list(s, &q, err);
}

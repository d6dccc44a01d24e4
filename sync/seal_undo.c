/*
 * sync/seal_undo.c - what a write may not change is put back, and a person is
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
 */
#include "store/inbox.h"
#include "sync/seal_priv.h"

#include <stdio.h>
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

/* Does the row still say the scope that it is in?  If not and it lives, it says so again. */
static int
keep_scope(struct seal *s, struct item *it, const char *name, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	const char *scope = store_catalog_scope_of(s->r->db, it->row.scope);

	it->moved = strcmp(name, scope) != 0;
	if (!it->moved || it->row.cl % 2 == 0)
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

	if (it->row.known && (!it->log->present || schema->scope_column < 0))
		return 0;
	if (!it->log->present) {
		it->log->schema = NULL; /* came and went: nobody has heard of it */
		return 0;
	}
	if (store_schema_scope(schema, it->log->values, name, &why) < 0)
		snprintf(name, sizeof name, "hub"); /* belongs to nobody: stays here, listed */
	return it->row.known ? keep_scope(s, it, name, err)
	                     : store_catalog_scope(s->r->db, name, &it->row.scope, err);
}

int
sync_seal_tell_undone(struct seal *s, const struct item *it, struct err *err)
{
	const struct store_schema *schema = it->log->schema;
	char reason[2 * STORE_NAME_MAX + 200];
	struct store_quarantined q = { .scope = it->row.scope,
		                       .n = STORE_QUARANTINE_UNDONE,
		                       .table = it->row.table,
		                       .key = it->row.key,
		                       .key_len = it->row.key_len,
		                       .reason = reason };

	snprintf(
	        reason, sizeof reason,
	        "%s.%s says who may see the row and can't change: the row is in %s again; insert a "
	        "new row instead",
	        schema->table, schema->columns[schema->scope_column].name,
	        store_catalog_scope_of(s->r->db, it->row.scope));
	return store_quarantine_add(s->r->db, &q, err);
}

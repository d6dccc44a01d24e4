#include "node/hub/extract.h"

#include "node/facility/personal.h"
#include "node/hub/feed_row.h"
#include "store/base/text.h"

#include <assert.h>
#include <string.h>

static void
leave_out(struct extract *x, size_t *count, const char *column)
{
	assert(*count < EXTRACT_WITHOUT - 1); /* the lists are ours, and secret names are two */
	x->without[(*count)++] = column;
}

static void
choose_columns(struct extract *x, const struct token *token, const struct store_schema *s)
{
	const char *const *personal = token->personal ? NULL : facility_personal(s->table);
	size_t count = 0;

	memset(x->without, 0, sizeof x->without);
	for (unsigned i = 0; i < s->column_count; i++)
		if (feed_row_is_secret(s->columns[i].name))
			leave_out(x, &count, s->columns[i].here);
	for (; personal != NULL && *personal != NULL; personal++) {
		int at = store_schema_find(s, *personal); /* it may be called otherwise here */

		leave_out(x, &count, at < 0 ? *personal : s->columns[at].here);
	}
	x->part.without = x->without;
}

/* Which rows: all of them, those of one scope, or none (false).  A row that was moved to another
 * scope (sync/merge/share.h) is told there by the feed, whatever its column says; so here. */
static bool
choose_rows(struct extract *x, const struct store_schema *s, const char *scope)
{
	size_t prefix = strlen(s->scope_prefix);

	if (scope == NULL)
		return true;
	if (s->scope_column < 0)
		return strcmp(s->scope_prefix, scope) == 0;
	if (strncmp(scope, s->scope_prefix, prefix) != 0)
		return false;
	text_copy(x->scope, sizeof x->scope, scope);
	text_copy(x->value, sizeof x->value, scope + prefix);
	x->part.only_scope = x->scope;
	x->part.only_column = s->columns[s->scope_column].here;
	x->part.only_value = x->value;
	return true;
}

bool
extract_of(const struct token *token, const struct store_table *table, const char *scope,
           struct extract *out)
{
	const struct store_schema *s = table->local;

	*out = (struct extract){ .part = { .table = table->name } };
	if (s == NULL || store_schema_stays(table->name) || !token_reads_table(token, table->name))
		return false;
	if (s->scope_column < 0 && strcmp(s->scope_prefix, "hub") == 0)
		return false;
	if (scope == NULL && strcmp(token->scope, "all") != 0)
		scope = token->scope;
	if (scope != NULL && !token_reads_scope(token, scope))
		return false;
	choose_columns(out, token, s);
	return choose_rows(out, s, scope);
}

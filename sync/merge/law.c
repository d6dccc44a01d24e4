#include "store/base/mutant.h"
#include "sync/merge/law_priv.h"

#include "store/inbox.h"
#include "store/inspect.h"
#include "sync/merge/merge.h"
#include "sync/merge/share.h"

#include <string.h>

bool
sync_law_is_hubs(const struct sync_apply *u)
{
	const struct store_site *site = store_catalog_site_of(u->r->db, u->stream->site);

	return u->r->hub_known && memcmp(site->node, u->r->hub_node, STORE_NODE_ID) == 0;
}

/*
 * Whose a row is and which columns are the hub's is said by the table as it is tracked here: the
 * writer made its own schema and could say anything.  Only where the table isn't here, it is all
 * there is.  Mostly the next change is of the same schema.
 */
static void
look_up(struct sync_law *law, const struct store_change *c)
{
	const struct store_schema *local;

	if (law->schema == c->schema)
		return;
	local = store_catalog_table(law->u->r->db, c->schema->table_id)->local;
	*law = (struct sync_law){ .u = law->u,
		                  .schema = c->schema,
		                  .by_hub = sync_law_is_hubs(law->u),
		                  .is_verdict = strcmp(c->schema->table, "yz_verdict") == 0,
		                  .rules = local != NULL ? local : c->schema };
	law->scope_at = law->rules->scope_column;
	if (law->scope_at >= 0)
		law->scope_at =
		        store_schema_find(c->schema, law->rules->columns[law->scope_at].name);
	for (unsigned i = 0; i < law->rules->column_count; i++) {
		const struct store_column *column = &law->rules->columns[i];
		bool grows = column->rule == STORE_MAX;
		int at = column->key == 0 && (column->hub_only || grows)
		                 ? store_schema_find(c->schema, column->name)
		                 : -1;

		if (at >= 0 && column->hub_only)
			law->hub_columns |= (uint64_t)1 << at;
		if (at >= 0 && grows)
			law->growing |= (uint64_t)1 << at;
	}
}

/* Does what `c` writes say that its row is of the stream's scope? */
static bool
says_scope(struct sync_law *law, const struct store_change *c)
{
	const struct sync_apply *u = law->u;
	struct store_value values[STORE_COLUMNS_MAX];
	const struct store_value *v = law->scope_at < 0 ? NULL : &c->values[law->scope_at];
	char own[STORE_SCOPE_MAX + 1];
	struct err why;

	if (law->rules->scope_column >= 0 && v == NULL)
		return false; /* its schema doesn't even have that column */
	if (v != NULL && v->type == STORE_TEXT && v->bytes == law->scope_bytes &&
	    v->len == law->scope_len)
		return true;
	if (v != NULL)
		values[law->rules->scope_column] = *v;
	if (store_schema_scope(law->rules, values, own, &why) < 0 ||
	    strcmp(own, store_catalog_scope_of(u->r->db, u->stream->scope)) != 0)
		return false;
	if (v != NULL) {
		law->scope_bytes = v->bytes;
		law->scope_len = v->len;
	}
	return true;
}

/*
 * An insert names its row's scope, and an update that replaces a whole row names it again.  Where
 * the scope stands in the key, every change does: of a row that isn't here yet there is nothing
 * else to tell whose it is.
 */
static bool
writes_scope(const struct sync_law *law, const struct store_change *c)
{
	const struct store_schema *rules = law->rules;

	if (rules->scope_column >= 0 && rules->columns[rules->scope_column].key != 0)
		return true;
	return c->op == STORE_INSERT ||
	       (c->op == STORE_UPDATE && law->scope_at >= 0 && (c->mask >> law->scope_at & 1) != 0);
}

/* Do several scopes see the row, and the stream's is one of them? */
static int
ask_shared(struct sync_law *law, const struct store_row *row, const struct store_change *c,
           struct err *err)
{
	const struct sync_apply *u = law->u;
	const struct sync_share_unit unit = {
		.r = u->r,
		.scope = u->stream->scope,
		.stream = u->stream->id,
		.n = u->first,
		.is_relay = u->opening->kind == SYNC_RELAY,
		.seen = u->seen,
		.seen_len = u->seen_len,
	};

	return row->known ? sync_share_admits(&unit, row, c, &law->shared, err) : 0;
}

/* A verdict's key may end with the name of its scope (store/verdict_priv.h): with another's it
 * would be in the way of theirs. */
static bool
is_anothers_verdict(const struct sync_law *law, const struct store_change *c)
{
	const char *scope;
	struct store_value key;
	struct rd r;
	size_t len;

	if (!law->is_verdict || law->by_hub)
		return false;
	r = rd_from(c->key, c->key_len);
	key = store_value_read(&r);
	if (key.type != STORE_BLOB || key.len <= STORE_CONFLICT_ID)
		return false;
	scope = store_catalog_scope_of(law->u->r->db, law->u->stream->scope);
	len = strlen(scope);
	return key.len != STORE_CONFLICT_ID + len ||
	       memcmp(key.bytes + STORE_CONFLICT_ID, scope, len) != 0;
}

static const char other_scope[] = "the row's own scope is not the one it was sent in";
static const char others_verdict[] = "a verdict's key names another scope than its own";
static const char rewritten[] = "an event was written again: corrections are new rows";
static const char hubs_row[] = "a row that only the hub may write was written elsewhere";
static const char hubs_column[] = "a column that only the hub may write was written elsewhere";

/* Does it end what happened, or begin it anew? */
static bool
ends_event(const struct sync_law *law, const struct store_change *c, const struct store_row *row)
{
	if (law->rules->kind != STORE_EVENT || law->by_hub)
		return false;
	return c->op == STORE_DELETE || (store_row_is_live(row) && c->cl > row->cl);
}

/* *reason is NULL if the change may be applied, else why nothing of it may. */
static int
forbid(struct sync_law *law, const struct store_change *c, const struct store_row *row,
       const char **reason, struct err *err)
{
	bool elsewhere = row->known && row->scope != law->u->stream->scope, misnamed;
	int rc = 0;

	*reason = NULL;
	law->shared = law->by_hub;
	if (!sync_merge_is_sound(c)) {
		*reason = "the change contradicts itself (its life, stamp, columns or groups)";
		return 0;
	}
	if (is_anothers_verdict(law, c)) {
		*reason = others_verdict;
		return 0;
	}
	misnamed = !law->by_hub && writes_scope(law, c) && !says_scope(law, c) && !MUT(114);
	if (!law->by_hub && (elsewhere || misnamed))
		rc = ask_shared(law, row, c, err);
	if (elsewhere && !law->shared)
		*reason = "the row belongs to another scope";
	else if (misnamed && !law->shared)
		*reason = other_scope;
	else if (ends_event(law, c, row))
		*reason = rewritten;
	return rc;
}

/* ---- what the hub answers ---- */

/* `op` says how much it is to write back (sync/seal/seal_back.c). */
static int
note_wrong(struct sync_apply *u, const struct store_change *c, enum store_op op, struct err *err)
{
	if (!u->r->is_hub)
		return 0;
	if (u->wrong_count == u->wrong_cap) {
		size_t cap = u->wrong_cap * 2 + 16;
		struct sync_wrong *list = arena_take(u->arena, cap, sizeof *list);

		if (list == NULL)
			return err_set(err, ERR_NOMEM, "merge: out of memory");
		if (u->wrong_count > 0)
			memcpy(list, u->wrong, u->wrong_count * sizeof *list);
		u->wrong = list;
		u->wrong_cap = cap;
	}
	u->wrong[u->wrong_count++] = (struct sync_wrong){ .table = c->schema->table_id,
		                                          .scope = u->stream->scope,
		                                          .key = c->key,
		                                          .key_len = c->key_len,
		                                          .op = op,
		                                          .cl = c->cl,
		                                          .stamp = c->stamp };
	return 0;
}

/* Its writer shows another row than we do: all of ours is written back. */
static int
answer_whole(struct sync_law *law, const struct store_change *c, const struct store_row *row,
             struct err *err)
{
	return store_row_is_live(row) ? note_wrong(law->u, c, STORE_INSERT, err) : 0;
}

/* ---- what is the hub's ---- */

/* Columns of the hub's that an insert by somebody else gives another value than their default. */
static int
odd_columns(const struct sync_law *law, const struct sync_apply *u, const struct store_change *c,
            uint64_t *odd, struct err *err)
{
	*odd = 0;
	for (uint64_t left = c->mask & law->hub_columns; left != 0; left &= left - 1) {
		int at = __builtin_ctzll(left), rc;
		bool usual = c->values[at].type == STORE_NULL;

		rc = usual ? 0
		           : store_inspect_is_default(u->r->db, c->schema->table,
		                                      c->schema->columns[at].name, &c->values[at],
		                                      &usual, err);
		if (rc < 0)
			return rc;
		if (!usual)
			*odd |= (uint64_t)1 << at;
	}
	return 0;
}

static int
leave_to_hub(struct sync_law *law, struct store_change *c, const char **reason, struct err *err)
{
	uint64_t odd = c->mask & law->hub_columns;
	int rc = 0;

	if (law->hub_columns == 0 || law->by_hub)
		return 0;
	if (store_schema_is_hubs(law->rules)) {
		*reason = hubs_row;
		c->mask = 0;
		return note_wrong(law->u, c, c->op, err);
	}
	if (c->op == STORE_INSERT)
		rc = odd_columns(law, law->u, c, &odd, err);
	if (rc < 0 || odd == 0)
		return rc;
	*reason = hubs_column;
	rc = note_wrong(law->u, c, c->op, err);
	if (c->op == STORE_UPDATE)
		c->mask &= ~store_schema_widen(c->schema, law->hub_columns);
	for (uint64_t left = c->op == STORE_INSERT ? odd : 0; left != 0; left &= left - 1)
		c->values[__builtin_ctzll(left)] = store_value_null();
	return rc;
}

/* ---- events ---- */

static int
leave_event(struct sync_law *law, struct store_change *c, const struct store_row *row,
            const char **reason, struct err *err)
{
	if (law->rules->kind != STORE_EVENT || c->op != STORE_UPDATE || law->by_hub ||
	    (c->mask & ~law->growing) == 0)
		return 0;
	*reason = rewritten;
	c->mask &= law->growing;
	return answer_whole(law, c, row, err);
}

int
sync_law_judge(struct sync_law *law, struct store_change *c, const struct store_row *row,
               const char **reason, struct err *err)
{
	int rc;

	look_up(law, c);
	rc = forbid(law, c, row, reason, err);
	if (rc < 0)
		return rc;
	if (*reason != NULL) {
		c->mask = 0;
		return *reason == other_scope || *reason == rewritten
		               ? answer_whole(law, c, row, err)
		               : 0;
	}
	rc = leave_to_hub(law, c, reason, err);
	return rc == 0 ? leave_event(law, c, row, reason, err) : rc;
}

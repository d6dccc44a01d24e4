#include "cli/breach.h"

#include "cli/cmd.h"
#include "store/base/json.h"
#include "store/base/text.h"
#include "store/breach.h"
#include "store/print.h"
#include "sync/history.h"

#include <stdlib.h>
#include <string.h>

static const char todo[] = "look at the rows with yizhan sql and correct what is wrong";

struct breaches {
	struct arena a;
	struct noted {
		struct noted *next;
		const char *table, *parent, *what;
		int64_t rows;
	} * first, **end;
	bool bad; /* out of memory */
};

/* ---- noting ---- */

struct breaches *
breaches_new(void)
{
	struct breaches *b = calloc(1, sizeof *b);

	if (b != NULL)
		b->end = &b->first;
	return b;
}

void
breaches_free(struct breaches *b)
{
	if (b == NULL)
		return;
	arena_free(&b->a);
	free(b);
}

static const char *
copy(struct breaches *b, const char *text)
{
	const char *kept = text == NULL ? NULL : arena_copy(&b->a, text, strlen(text));

	b->bad |= text != NULL && kept == NULL;
	return kept;
}

void
breaches_add(struct breaches *b, const struct store_breach *breach)
{
	struct noted *n = b->first;

	while (n != NULL &&
	       (strcmp(n->table, breach->table) != 0 || strcmp(n->what, breach->what) != 0))
		n = n->next;
	if (n != NULL) {
		n->rows += breach->rows;
		return;
	}
	n = arena_take(&b->a, 1, sizeof *n);
	if (n == NULL) {
		b->bad = true;
		return;
	}
	*n = (struct noted){ .rows = breach->rows };
	n->table = copy(b, breach->table);
	n->parent = copy(b, breach->parent);
	n->what = copy(b, breach->what);
	if (b->bad)
		return;
	*b->end = n;
	b->end = &n->next;
}

/* ---- telling ---- */

struct telling {
	struct store_db *db;
	struct sync_history *h;
	struct arena *a;
	struct json *json; /* NULL: lines */
	struct buf *out;
	size_t line; /* where a line begins in out */
};

/* One side of a pair. */
struct side {
	const struct store_table *table;
	const uint8_t *key;
	size_t key_len;
	const struct sync_history_entry *entry;
};

static void
tell_side(struct telling *t, const struct side *side)
{
	const struct store_change *c = &side->entry->change;
	const char *did = c->op == STORE_DELETE ? "deleted" : "written";
	char at[TEXT_TIME_SIZE], site[STORE_PRINT_SITE];

	text_time(at, STORE_STAMP_MS(c->stamp));
	store_print_site(site, store_catalog_site_of(t->db, c->site));
	if (t->json == NULL) {
		site[8] = 0;
		buf_printf(t->out, "%s%s ", t->out->len == t->line ? "  " : "; ",
		           side->table->name);
		store_print_key_text(t->out, side->key, side->key_len);
		buf_printf(t->out, " %s %s by %s", did, at, site);
		return;
	}
	json_object(t->json);
	json_name(t->json, "table");
	json_text(t->json, side->table->name);
	json_name(t->json, "key");
	store_print_key_json(t->json, side->key, side->key_len);
	json_name(t->json, "did");
	json_text(t->json, did);
	json_name(t->json, "at");
	json_text(t->json, at);
	json_name(t->json, "site");
	json_text(t->json, site);
	json_end_object(t->json);
}

/* Tell the last change of the row, or, with `pair`, the last of either of the last two who wrote
 * it; nothing of a table that isn't known here. */
static int
tell_last(struct telling *t, struct side side, bool pair, struct err *err)
{
	struct sync_history_list list = { 0 };
	size_t last;
	int rc;

	if (side.table == NULL)
		return 0;
	rc = sync_history_row(t->h, side.table->id, side.key, side.key_len, &list, err);
	if (rc < 0 || list.count == 0)
		return rc;
	last = list.count - 1;
	for (size_t i = last; pair && i-- > 0;) {
		if (list.entries[i].change.site == list.entries[last].change.site)
			continue;
		side.entry = &list.entries[i];
		tell_side(t, &side);
		break;
	}
	side.entry = &list.entries[last];
	tell_side(t, &side);
	return 0;
}

static int
tell_row(struct telling *t, const struct noted *n, const struct store_breach_row *row,
         struct err *err)
{
	struct side child = { store_catalog_table_by_name(t->db, n->table), row->key, row->key_len,
		              NULL };
	struct side parent = { n->parent == NULL ? NULL
		                                 : store_catalog_table_by_name(t->db, n->parent),
		               row->parent, row->parent_len, NULL };
	int rc;

	if (t->json != NULL) {
		json_object(t->json);
		json_name(t->json, "key");
		store_print_key_json(t->json, row->key, row->key_len);
		json_name(t->json, "changes");
		json_array(t->json);
	}
	t->line = t->out->len;
	rc = tell_last(t, child, n->parent == NULL, err);
	if (rc == 0 && row->parent != NULL)
		rc = tell_last(t, parent, false, err);
	if (t->json != NULL) {
		json_end_array(t->json);
		json_end_object(t->json);
		return rc;
	}
	if (t->out->len == t->line) { /* no change of it is known */
		buf_printf(t->out, "  %s ", n->table);
		store_print_key_text(t->out, row->key, row->key_len);
	}
	buf_printf(t->out, "\n");
	return rc;
}

static int
tell_rows(struct telling *t, const struct noted *n, struct err *err)
{
	const struct store_table *table = store_catalog_table_by_name(t->db, n->table);
	struct store_breach_list list = { .count = 0 };
	int rc = 0;

	if (table != NULL && table->local != NULL)
		rc = store_breach_find(t->db, table, n->parent, t->a, &list, err);
	for (size_t i = 0; rc == 0 && i < list.count; i++)
		rc = tell_row(t, n, &list.rows[i], err);
	if (rc == 0 && t->json == NULL && list.count > 0 && n->rows > (int64_t)list.count)
		buf_printf(t->out, "  and %lld more\n", (long long)n->rows - (long long)list.count);
	return rc;
}

static int
tell_one(struct telling *t, const struct noted *n, struct err *err)
{
	int rc;

	if (t->json == NULL) {
		buf_printf(t->out, "%s: %s; %s\n", n->table, n->what, todo);
		return tell_rows(t, n, err);
	}
	json_object(t->json);
	json_name(t->json, "what");
	json_text(t->json, n->what);
	json_name(t->json, "where");
	json_text(t->json, n->table);
	json_name(t->json, "do");
	json_text(t->json, todo);
	json_name(t->json, "rows");
	json_array(t->json);
	rc = tell_rows(t, n, err);
	json_end_array(t->json);
	json_end_object(t->json);
	return rc;
}

int
breaches_tell(const struct breaches *b, const struct cli *cli, bool is_hub, bool follows,
              struct buf *out, struct err *err)
{
	struct arena a = { 0 };
	struct json json = { .out = out, .follows = follows };
	struct telling t = { .a = &a, .json = cli->json ? &json : NULL, .out = out };
	int rc;

	if (b->bad)
		return err_set(err, ERR_NOMEM, "verify: out of memory");
	if (b->first == NULL)
		return 0;
	rc = cli_open(cli, STORE_MERGE, &t.db, err);
	if (rc == 0)
		rc = sync_history_begin(t.db, is_hub, &t.h, err);
	for (const struct noted *n = b->first; rc == 0 && n != NULL; n = n->next)
		rc = tell_one(&t, n, err);
	sync_history_end(t.h);
	store_db_close(t.db);
	arena_free(&a);
	return rc;
}

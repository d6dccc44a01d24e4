/*
 * cli/cmd_conflicts.c - two people wrote one cell without knowing of each other:
 * which is right?
 */
#include "cli/cmd.h"
#include "cli/table.h"
#include "node/role.h"
#include "store/base/text.h"
#include "store/print.h"
#include "store/verdict.h"
#include "sync/history.h"

#include <stdio.h>
#include <string.h>

static const char *
column_of(struct store_db *db, const struct store_conflict *c)
{
	return c->column == 0 ? NULL : store_catalog_table(db, c->table)->names[c->column - 1];
}

/* ---- showing ---- */

static void
conflict_json(struct json *j, struct store_db *db, const struct store_conflict *c)
{
	char site[STORE_PRINT_SITE];

	json_object(j);
	json_name(j, "id");
	json_hex(j, c->id, STORE_CONFLICT_ID);
	json_name(j, "table");
	json_text(j, store_catalog_table(db, c->table)->name);
	json_name(j, "key");
	store_print_key_json(j, c->key, c->key_len);
	json_name(j, "column");
	json_text(j, column_of(db, c));
	json_name(j, "shown");
	store_print_json(j, &c->shown.value);
	json_name(j, "other");
	store_print_json(j, &c->other.value);
	json_name(j, "site");
	store_print_site(site, store_catalog_site_of(db, c->shown.site));
	json_text(j, site);
	json_name(j, "other_site");
	store_print_site(site, store_catalog_site_of(db, c->other.site));
	json_text(j, site);
	json_name(j, "at");
	json_time(j, c->at_ms);
	json_name(j, "state");
	json_text(j, c->open ? "open" : "resolved");
	json_end_object(j);
}

static void
conflict_row(struct table *t, struct store_db *db, const struct store_conflict *c)
{
	char id[2 * STORE_CONFLICT_ID + 1], at[TEXT_TIME_SIZE];
	struct buf key = { 0 }, shown = { 0 }, other = { 0 };
	const char *column = column_of(db, c);
	const char *texts[8];

	text_hex(id, c->id, STORE_CONFLICT_ID);
	id[8] = 0;
	text_time(at, c->at_ms);
	store_print_key_text(&key, c->key, c->key_len);
	if (column == NULL)
		buf_printf(&shown, "(deleted)");
	else
		store_print_text(&shown, &c->shown.value);
	store_print_text(&other, &c->other.value);
	texts[0] = id;
	texts[1] = c->open ? "open" : "resolved";
	texts[2] = store_catalog_table(db, c->table)->name;
	texts[3] = buf_str(&key);
	texts[4] = column == NULL ? "" : column;
	texts[5] = buf_str(&shown);
	texts[6] = buf_str(&other);
	texts[7] = at;
	table_row(t, texts);
	buf_free(&key);
	buf_free(&shown);
	buf_free(&other);
}

static int
print_rows(struct store_db *db, const struct store_conflict *list, size_t count, struct err *err)
{
	static const char *const names[] = { "ID",     "STATE", "TABLE", "KEY",
		                             "COLUMN", "SHOWN", "OTHER", "AT" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++)
		conflict_row(t, db, &list[i]);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

/* ---- sub-commands; each in a transaction that the caller has begun ---- */

static int
list(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out, struct err *err)
{
	struct store_conflict *found;
	struct json j = json_to(out);
	size_t count;
	int rc = store_inbox_list(db, cli_option(cli, "all") == NULL, a, &found, &count, err);

	if (rc < 0)
		return rc;
	if (!cli->json && count == 0) {
		buf_printf(out, "no conflict is open");
		return 0;
	}
	if (!cli->json)
		return print_rows(db, found, count, err);
	json_array(&j);
	for (size_t i = 0; i < count; i++)
		conflict_json(&j, db, &found[i]);
	json_end_array(&j);
	return 0;
}

static int
show(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out, struct err *err)
{
	const struct store_conflict *c;
	struct json j = json_to(out);
	int rc = store_verdict_find(db, cli->argv[1], a, &c, err);

	if (rc < 0)
		return rc;
	if (!cli->json)
		return print_rows(db, c, 1, err);
	conflict_json(&j, db, c);
	return 0;
}

/* ---- resolving ---- */

static int
copy_row(const struct store_schema *schema, const struct store_value *row, struct arena *a,
         struct store_value **out, struct err *err)
{
	*out = arena_take(a, schema->column_count, sizeof **out);
	for (unsigned i = 0; *out != NULL && i < schema->column_count; i++) {
		(*out)[i] = row[i];
		if (row[i].type != STORE_TEXT && row[i].type != STORE_BLOB)
			continue;
		(*out)[i].bytes = arena_copy(a, row[i].bytes, row[i].len);
		if ((*out)[i].bytes == NULL)
			*out = NULL;
	}
	return *out != NULL ? 0 : err_set(err, ERR_NOMEM, "out of memory for a row");
}

/* The deleted row as it would be without its deletion. */
static int
revive(const struct cli *cli, const char *id, struct arena *a, struct store_value **row,
       struct err *err)
{
	const struct store_conflict *c;
	const struct store_schema *schema;
	struct sync_history *h = NULL;
	struct store_db *db = NULL;
	struct store_value *found;
	struct node_role role;
	int rc = cli_open(cli, STORE_MERGE, &db, err);

	if (rc == 0)
		rc = node_role_get(db, &role, err);
	if (rc == 0)
		rc = sync_history_begin(db, role.is_hub, &h, err);
	if (rc == 0)
		rc = store_verdict_find(db, id, a, &c, err);
	if (rc == 0 && c->column == 0 && c->open) {
		schema = store_catalog_table(db, c->table)->local;
		if (schema == NULL)
			rc = err_set(err, ERR_INVALID,
			             "its table is not tracked here any more; take what is shown");
		if (rc == 0)
			rc = sync_history_revive(h, schema, c->key, c->key_len, &found, err);
		if (rc == 0)
			rc = copy_row(schema, found, a, row, err);
	}
	sync_history_end(h);
	store_db_close(db);
	return rc;
}

static int
read_choice(struct store_db *db, const char *take, struct arena *a, struct store_verdict *v,
            struct err *err)
{
	const struct store_schema *s = store_catalog_table(db, v->conflict->table)->local;
	const char *column = column_of(db, v->conflict);
	int at = s == NULL || column == NULL ? -1 : store_schema_find(s, column);

	if (strcmp(take, "shown") == 0) {
		v->take = STORE_TAKE_SHOWN;
		return 0;
	}
	if (strcmp(take, "other") == 0) {
		v->take = STORE_TAKE_OTHER;
		return 0;
	}
	v->take = STORE_TAKE_VALUE;
	if (at < 0)
		return err_set(err, ERR_INVALID,
		               "a value can't be given for a whole row; take shown or other");
	return store_print_parse_value(s->columns[at].type, take, a, &v->value, err);
}

static int
resolve(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out,
        struct err *err)
{
	const char *take = cli_option(cli, "take");
	struct store_verdict v = { .by = cli_who() };
	struct store_conflict done;
	struct json j = json_to(out);
	struct store_value *row = NULL;
	int rc = 0;

	if (strcmp(take, "other") == 0) {
		store_db_rollback(db); /* two writers can't be at once */
		rc = revive(cli, cli->argv[1], a, &row, err);
		if (rc == 0)
			rc = store_db_begin(db, err);
	}
	v.row = row;
	if (rc == 0)
		rc = store_verdict_find(db, cli->argv[1], a, &v.conflict, err);
	if (rc == 0)
		rc = read_choice(db, take, a, &v, err);
	if (rc == 0)
		rc = store_verdict_give(db, &v, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0 || v.conflict == NULL)
		return rc;
	done = *v.conflict;
	done.open = false;
	if (cli->json)
		conflict_json(&j, db, &done);
	else
		buf_printf(out, "resolved: %s", take);
	return 0;
}

/* ---- the command ---- */

static int
run(struct cli *cli)
{
	const char *word = cli->argc == 0 ? "list" : cli->argv[0];
	bool takes_id = strcmp(word, "show") == 0 || strcmp(word, "resolve") == 0;

	if (!takes_id && strcmp(word, "list") != 0)
		return cli_usage(cli, "conflicts can't \"%s\"", word);
	if (takes_id && cli->argc < 2)
		return cli_usage(cli, "%s needs the ID of a conflict", word);
	if (!takes_id && cli->argc > 1)
		return cli_usage(cli, "\"%s\" is one word too many", cli->argv[1]);
	if (strcmp(word, "list") == 0)
		return cli_run_sub(cli, list, STORE_READ);
	if (strcmp(word, "show") == 0)
		return cli_run_sub(cli, show, STORE_READ);
	if (cli_option(cli, "take") == NULL)
		return cli_usage(cli, "resolve needs --take shown, other or a value");
	return cli_run_sub(cli, resolve, STORE_LOCAL);
}

static const struct cmd_option options[] = {
	{ "take", "shown|other|VALUE", "resolve: what is right" },
	{ "all", NULL, "list: also those that are resolved" },
	{ 0 },
};

const struct cmd cmd_conflicts = {
	.name = "conflicts",
	.args = "[list | show ID | resolve ID]",
	.help = "list and resolve what two people wrote without knowing of each other",
	.options = options,
	.json = true,
	.max = 2,
	.run = run,
};
